"""What publishing tools put around a post: gone as a whole, and nothing of the thought with it."""

import pytest

from reviewkit.footers import without_footers
from reviewkit.masking import Identity, mask
from reviewkit.visible import markup, pieces
from tests.test_masking import revision

WHO = Identity(names=("Ann Zibbelwöck",), hosts=("quorbs.example",), titles=("Quorbs & Co",))
THOUGHT = (
    "<p>The river rose by two metres in a night, and nobody had a plan for the bridge; I asked three engineers why.</p>"
)


def left(html: str, title: str = "A scale for rivers") -> str:
    return mask(revision(html, title), WHO).html


@pytest.mark.parametrize(
    "footer",
    [
        '<p>The post <a href="https://quorbs.example/scale/">A scale for rivers</a> appeared first on '
        '<a href="https://quorbs.example">Quorbs &amp; Co</a>.</p>',
        '<p>Der Beitrag <a href="https://quorbs.example/scale/">A scale for rivers</a> erschien zuerst auf '
        '<a href="https://quorbs.example/">Quorbs</a>.</p>',
        # A translation that nobody told us of: a link to the post and one to the site, and few words.
        '<p>Bài viết <a href="https://quorbs.example/scale/">A scale for rivers</a> đã xuất hiện đầu tiên trên '
        '<a href="https://quorbs.example">Quorbs</a>.</p>',
        '<hr><p><a href="https://medium.example/p/1">A scale for rivers</a> was originally published in '
        '<a href="https://medium.example/the-pub">The Pub</a> on Medium, where people continue the conversation.</p>',
        '<p><a href="https://quorbs.example/scale/">Continue reading A scale for rivers »</a></p>',
        "<p>Share this: Twitter · Facebook · Email · More</p>",
        "<ul><li>Tweet</li></ul><p>Click to share on Facebook (Opens in new window) LinkedIn</p>",
        "<p>Follow me on Mastodon for more.</p>",
        '<p><a href="https://quorbs.example/subscribe">Subscribe now</a></p>'
        '<p>← <a href="https://quorbs.example/old">Older</a> | <a href="https://quorbs.example/new">Newer</a> →</p>',
        "<p>Quorbs &amp; Co is a reader-supported publication. Consider becoming a free or paid subscriber.</p>",
        "<p>Posted by Ann at 10:12 AM</p><p>No comments:</p><p>Email ThisBlogThis!Share to X</p><p>Labels: rivers</p>",
        "<p>Boosted by Ann Zibbelwöck</p>",
        "<p>This work is licensed under CC BY 4.0 by Ann.</p>",
        "<p>Thanks for reading Quorbs &amp; Co! Subscribe for free to receive new posts.</p>",
        "<p>Posted by Ann on 4 May 2026 at 14:02</p>",
        "<p>© 2026 Ann Zibbelwöck. All rights reserved.</p>",
        "<p>Tags: rivers, millbrook</p>",
        "<h3>About the author</h3><p>She rows on the Tyne and keeps bees.</p>",
        "<div><p>Ann Zibbelwöck is a second-year student of hydrology who lives in Millbrook.</p></div>",
    ],
)
def test_what_a_tool_wrote_at_the_end_is_gone_and_the_thought_stays(footer: str) -> None:
    assert left(THOUGHT * 3 + footer) == THOUGHT * 3


@pytest.mark.parametrize(
    "byline", ["<p>By Ann Zibbelwöck, 4 May 2026</p>", "<p>4 min read</p>", "<p>Posted on 4 May</p>"]
)
def test_a_byline_at_the_beginning_is_gone(byline: str) -> None:
    assert left(byline + THOUGHT * 2) == THOUGHT * 2


@pytest.mark.parametrize(
    "thought",
    [
        "<p>By the river, people wait.</p>",
        '<p>Part <a href="https://other.example/1">one</a> and <a href="https://other.example/2">two</a> say why.</p>',
        "<p>Via Appia is a road.</p>",
        '<p><a href="https://quorbs.example/data">The numbers behind this whole story</a></p>',
        "<p>She wrote to me about the flood.</p>",
        "<p>Related work says the same in more words.</p>",
        "<h2>About rivers</h2>",
        "<p>Share of households with a boat: a third.</p>",
        "<p>Reading time and again, I learn.</p>",
        '<p>See Tan (2019). <a href="https://quorbs.example/scale/#fnref1">↩</a> '
        '<a href="https://quorbs.example/scale/#fnref2">↩</a></p>',
    ],
)
def test_an_authors_own_last_line_stays(thought: str) -> None:
    words = thought.split(">")[1].split("<")[0][:8]
    assert words in left(THOUGHT + thought)


def test_nothing_is_taken_out_of_the_middle() -> None:
    line = "<p>Follow me down the bank.</p>"
    assert left(THOUGHT + line + THOUGHT) == THOUGHT + line + THOUGHT


def test_a_short_post_is_never_mistaken_for_its_own_footer() -> None:
    assert left("<p>Follow me to the bridge tonight.</p>") == "<p>Follow me to the bridge tonight.</p>"


def test_the_instructor_sees_that_a_footer_was_taken_out() -> None:
    found = mask(revision(THOUGHT * 2 + "<p>Follow me on Mastodon for more.</p>"), WHO)
    assert found.replaced == ("Follow me on Mastodon for more.",)
    assert found.times == (1,)


def test_what_is_left_is_as_orderly_as_what_came() -> None:
    html = THOUGHT * 2 + "<ul><li><p>Tweet this on <b>Twitter</b> and Facebook</p></li></ul><hr>"
    found, taken = without_footers(pieces(html), title="", gives_away=lambda _: False, name_at_start=lambda _: 0)
    assert markup(found) == THOUGHT * 2
    assert len(taken) == 1
