"""A post without its author: the thought stays, whoever wrote it does not show."""

import html as escapes
from datetime import UTC, datetime
from urllib.parse import unquote

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.masking import AUTHOR, SITE, Identity, identity, mask, mask_text
from reviewkit.model import Feed, Person, Post, Revision
from reviewkit.visible import markup, pieces, text_of

ANN = Person(id="azw", name="Ann Zibbelwöck", email="ann.zib@mail.example", feeds=("https://quorbs.example/feed/",))
QUORBS = Feed(person="azw", url="https://quorbs.example/feed/", title="Quorbs & Co – Ann's notes")
POST = Post(
    id="1",
    person="azw",
    feed=QUORBS.url,
    guid="g",
    link="https://quorbs.example/2026/scale/",
    author="Annie Zib",
    published=None,
    tags=(),
    revisions=(),
)
WHO = identity(ANN, [QUORBS], [POST])


def revision(html: str, title: str = "") -> Revision:
    return Revision(
        digest="", seen=datetime(2026, 3, 1, tzinfo=UTC), title=title, html=html, text=text_of(pieces(html))
    )


def masked(html: str, who: Identity = WHO, keep: tuple[str, ...] = ()) -> str:
    return mask(revision(html), who, keep).html


def test_an_identity_is_gathered_from_roster_feeds_and_bylines() -> None:
    assert WHO.names == ("Ann Zibbelwöck", "Annie Zib")
    assert WHO.emails == ("ann.zib@mail.example",)
    assert WHO.hosts == ("quorbs.example",)
    assert {"azw", "ann.zib", "quorbs"} <= set(WHO.handles)
    assert "Quorbs & Co" in WHO.titles


def test_feeds_and_posts_of_other_people_do_not_count() -> None:
    bobs = Feed(person="bob", url="https://bob.example/feed", title="Bob's own pages")
    assert identity(ANN, [QUORBS, bobs], [POST]) == WHO


@pytest.mark.parametrize(
    ("url", "host", "handle"),
    [
        ("https://medium.com/feed/@annz", "medium.com/@annz", "annz"),
        ("https://medium.com/@annz/a-title-1f", "medium.com/@annz", "annz"),
        ("https://social.example/@annz.rss", "social.example/@annz", "annz"),
        ("https://annwrites.wordpress.com/feed/", "annwrites.wordpress.com", "annwrites"),
        ("https://www.annwrites.example/index.xml", "annwrites.example", "annwrites"),
        ("https://uni.example/~annz/rss.xml", "uni.example/~annz", "annz"),
        ("https://bsky.app/profile/annz.example/rss", "bsky.app/profile/annz.example", "annz.example"),
        ("http://127.0.0.1:8000/annz/feed/", "127.0.0.1/annz", "annz"),
        ("https://blogs.school.edu/feed", "blogs.school.edu", ""),
    ],
)
def test_a_place_on_a_host_of_many_people_is_what_names_its_owner(url: str, host: str, handle: str) -> None:
    found = identity(Person(id="1", name="Ann"), [Feed(person="1", url=url)], [])
    assert found.hosts == (host,)
    assert [each for each in found.handles if each != "1"] == ([handle] if handle else [])


def test_a_place_that_a_feed_has_moved_to_names_its_owner_too() -> None:
    feed = Feed(person="azw", url="https://old.example/feed", moved_to="https://newhome.example/feed", moved_times=1)
    assert identity(ANN, [feed], []).hosts == ("quorbs.example", "old.example", "newhome.example")


def test_a_post_that_links_to_somebody_elses_page_does_not_make_it_the_authors_site() -> None:
    feed = Feed(person="azw", url="https://quorbs.example/feed/")
    links = ["https://quorbs.example/1", "https://quorbs.example/2", "https://paper.example/story"]
    posts = [
        Post(
            id=each, person="azw", feed=feed.url, guid=each, link=each, author="", published=None, tags=(), revisions=()
        )
        for each in links
    ]
    assert identity(ANN, [feed], posts).hosts == ("quorbs.example",)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("I am Ann Zibbelwöck.", "I am [author]."),
        ("Ann's plan", "[author]'s plan"),
        ("Anns Blog", "[author]s Blog"),
        ("ANN and ann", "[author] and [author]"),
        ("Zibbelwöck, Ann", "[author]"),
        ("Zibbelwoeck and Zibbelwock", "[author] and [author]"),
        ("A\u200bnn", "[author]"),
        ("Zibbelwo\u0308ck", "[author]"),
        ("annzibbelwock", "[author]"),
        ("MyAnnBlog", "My[author]Blog"),
        ("Planning the annex of Hannover", "Planning the annex of Hannover"),
        ("write to ann.zib@mail.example!", "write to [author]!"),
        ("I am @azw there", "I am [author] there"),
        ("see https://www.quorbs.example/x?y=1.", "see [the author's site]."),
        ("on blog.quorbs.example", "on [the author's site]"),
        ("quorbs & co is my place", "[the author's site] is my place"),
        ("portrait_zibbelwock-2.jpg", "portrait_[author]-2.jpg"),
        ("%41nn and &#65;nn", "[author] and [author]"),
    ],
)
def test_names_are_found_however_they_are_written(said: str, left: str) -> None:
    assert mask_text(said, WHO) == left


@pytest.mark.parametrize(
    ("name", "said", "left"),
    [
        ("Will Rose", "Will will see what rose up", "[author] will see what rose up"),
        ("Bo Li", "Bo said: be bold, Li", "[author] said: be bold, [author]"),
        ("Jean-Luc de la Tour", "Jean Luc went de la mer, la Tour!", "[author] went de la mer, [author]!"),
        ("李小龍", "我是李小龍的朋友", "我是[author]的朋友"),
        ("Ann Lee", "A. Lee and Ann L. wrote", "[author] and [author] wrote"),
    ],
)
def test_names_that_are_words_too_are_taken_with_care(name: str, said: str, left: str) -> None:
    assert mask_text(said, identity(Person(id="7", name=name), [], [])) == left


def test_a_name_is_found_across_the_tags_inside_it() -> None:
    assert text_of(pieces(masked("<p>Zibbel<b>wö</b>ck and A<i>nn</i> wrote</p>"))) == f"{AUTHOR} and {AUTHOR} wrote"


def test_links_to_the_own_site_keep_their_words_and_lose_their_address() -> None:
    said = '<p>As I <a href="https://www.quorbs.example/old" rel="nofollow">wrote last week</a>, it is.</p>'
    assert masked(said) == f"<p>As I wrote last week {SITE}, it is.</p>"


def test_a_link_whose_words_name_the_site_becomes_the_mark_alone() -> None:
    assert masked('<p>On <a href="https://quorbs.example">Quorbs &amp; Co</a>.</p>') == f"<p>On {SITE}.</p>"


@pytest.mark.parametrize(
    "address",
    [
        "https://social.example/@azw",
        "https://other.example/%5Aibbelwock/photo",
        "https://other.example/team/annzibbelwoeck",
        "mailto:ann.zib@mail.example",
        "/about",
        "http://[broken",
    ],
)
def test_any_address_that_names_the_author_is_removed(address: str) -> None:
    assert "href" not in masked(f'<p><a href="{escapes.escape(address)}">there</a></p>')


def test_other_links_stay_as_they_are() -> None:
    said = '<p><a href="https://other.example/planning" rel="noopener">a source</a></p>'
    assert masked(said) == said


def test_a_neighbour_on_the_same_host_is_somebody_else() -> None:
    who = identity(Person(id="7", name="Jo"), [Feed(person="7", url="https://social.example/@jo.rss")], [])
    assert "href" in masked('<p><a href="https://social.example/@joan/1">x</a></p>', who)
    assert "href" not in masked('<p><a href="https://social.example/@jo/1">x</a></p>', who)


def test_a_link_to_a_tag_loses_only_its_address() -> None:
    assert masked('<p><a href="https://quorbs.example/tag/cs101/">#cs101</a></p>') == "<p>#cs101</p>"


def test_the_courses_tag_stays_even_where_the_authors_blog_is_named_after_it() -> None:
    who = identity(ANN, [Feed(person="azw", url="https://a.example/feed", title="Cs101open")], [])
    assert mask_text("#CS101open by Ann", who, ["cs101open"]) == f"#CS101open by {AUTHOR}"


def test_words_of_pictures_and_titles_are_masked_and_times_dropped() -> None:
    left = masked('<p><img src="https://quorbs.example/ann.jpg" alt="Ann at work"><b title="by Ann" id="ann">x</b></p>')
    assert left == f'<p><img alt="{AUTHOR} at work"><b title="by {AUTHOR}">x</b></p>'


def test_the_instructor_sees_what_was_replaced_each_once() -> None:
    found = mask(revision("<p>Ann, Ann &amp; quorbs.example</p>", title="By Zibbelwöck"), WHO)
    assert found.title == f"By {AUTHOR}"
    assert found.replaced == ("Zibbelwöck", "Ann", "quorbs.example")


def test_html_and_text_of_the_masked_copy_say_the_same() -> None:
    found = mask(revision("<p>Ann <a href='https://quorbs.example'>wrote</a></p><ul><li>a</li><li>b</li></ul>"), WHO)
    assert found.text == f"{AUTHOR} wrote {SITE}\n\na\nb"
    assert found.text == text_of(pieces(found.html))


def test_a_post_that_is_text_alone_is_masked_too() -> None:
    alone = Revision(digest="", seen=datetime(2026, 3, 1, tzinfo=UTC), title="", html="", text="Ann wrote <b>")
    assert mask(alone, WHO).text == f"{AUTHOR} wrote <b>"


def test_nobody_is_hidden_behind_the_marks_own_words() -> None:
    who = Identity(names=("Author Site",), handles=("author",))
    assert mask_text("The author of this site", who) == "The author of this site"


# -- for any identity and any post -----------------------------------------------------------------------------------

syllables = st.sampled_from(["zib", "quor", "wöck", "mexi", "tra", "ølf", "bru", "ñan", "vey", "jø"])
unusual = st.builds(lambda parts: "".join(parts).capitalize(), st.lists(syllables, min_size=2, max_size=3))
people = st.builds(
    lambda first, last, handle, host, title: Identity(
        names=(f"{first} {last}",),
        handles=(f"{handle.lower()}_x",),
        hosts=(f"{host.lower()}.example",),
        emails=(f"{first}.{last}@{host}.example".lower(),),
        titles=(f"{title} {last}",),
    ),
    *[unusual] * 5,
)
joints = st.sampled_from([" ", " ", ", ", "-", "_", "/", ".", "\u200b ", "\n", " & ", "%20", "&nbsp;", "'s ", ": "])
tags = st.sampled_from(["p", "b", "em", "li", "h2", "blockquote", "code"])


@st.composite
def written_by(draw: st.DrawFn) -> tuple[Identity, Revision]:
    """A post in which its author turns up in every way: whole, in parts, escaped, in links, across tags."""
    who = draw(people)
    words = [*who.names, *who.handles, *who.hosts, *who.emails, *who.titles, *who.names[0].split(), "scale", "open"]
    shapes = st.sampled_from([str, str.lower, str.upper, str.title])
    out, plain = [], []
    for _ in range(draw(st.integers(1, 8))):
        word = draw(shapes)(draw(st.sampled_from(words)))
        plain.append(word + draw(joints))
        tag, inner = draw(tags), escapes.escape(word)
        match draw(st.integers(0, 4)):
            case 0:
                inner = f'<a href="https://{draw(st.sampled_from(who.hosts))}/{inner}">{inner}</a>'
            case 1:
                inner = (
                    f'<a href="https://elsewhere.example/{"".join(f"%{byte:02X}" for byte in word.encode())}">it</a>'
                )
            case 2:
                cut = draw(st.integers(0, len(word)))
                inner = f"{escapes.escape(word[:cut])}<i>{escapes.escape(word[cut:])}</i>"
            case 3:
                inner = "".join(f"&amp;#{ord(sign)};" for sign in word)
        out.append(f"<{tag}>{inner}{escapes.escape(draw(joints))}</{tag}>")
    return who, revision("".join(out), title="".join(plain))


@settings(max_examples=300, deadline=None)
@given(written_by())
def test_whoever_wrote_it_nothing_of_them_can_be_found_in_the_masked_copy(case: tuple[Identity, Revision]) -> None:
    who, said = case
    found = mask(said, who)
    for copy in (found.title, found.text, found.html):
        readings = {copy, escapes.unescape(copy), unquote(copy), unquote(escapes.unescape(copy))}
        for reading in {each.casefold() for each in readings}:
            for secret in (*who.names, *who.handles, *who.hosts, *who.emails, *who.titles):
                assert secret.casefold() not in reading
            for part in who.names[0].split():
                assert part.casefold() not in reading


@settings(max_examples=200, deadline=None)
@given(written_by())
def test_masking_leaves_safe_html_and_masking_again_changes_nothing(case: tuple[Identity, Revision]) -> None:
    who, said = case
    once = mask(said, who)
    assert markup(pieces(once.html)) == once.html
    assert nh3.clean(once.html, link_rel=None) == once.html
    again = mask(revision(once.html, once.title), who)
    assert (again.html, again.title) == (once.html, once.title)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), people)
def test_any_text_can_be_masked(text: str, who: Identity) -> None:
    assert mask_text(text, who) == text or AUTHOR in mask_text(text, who) or SITE in mask_text(text, who)


# -- players, pictures, profiles, everyday words, look-alikes --------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ('<iframe src="https://www.youtube.com/embed/x"></iframe>', " [a video] "),
        ('<p><audio src="https://quorbs.example/a.mp3">old browser</audio></p>', "<p> [a recording] </p>"),
        (
            '<p><a href="https://youtu.be/x9">https://youtu.be/x9</a></p>',
            "<p>[a video]</p>",
        ),
        ('<p><a href="https://soundcloud.com/q/z">[Recording]</a></p>', "<p>[a recording]</p>"),
    ],
)
def test_what_plays_is_put_into_words(said: str, left: str) -> None:
    assert masked(said) == left


def test_a_video_that_a_sentence_cites_stays_a_link() -> None:
    said = '<p>As <a href="https://youtu.be/x9">this talk</a> says.</p>'
    assert masked(said) == said


def test_our_copy_of_a_picture_stays_and_a_strangers_does_not() -> None:
    ours = '<img src="/pictures/abcdefghijklmnopqrstuv_-" alt="by Ann" width="4" height="3">'
    assert masked(ours) == ours.replace("by Ann", "by [author]")
    assert "src" not in masked('<img src="/pictures/ann.jpg" alt="">')


@pytest.mark.parametrize(
    ("before", "link"),
    [
        ("My ORCID is ", "https://orcid.org/0000-0002-1825-0097"),
        ("It stands on my old blog, ", "https://elsewhere.example/"),
        ("Follow me on ", "https://toots.example/users/8"),
        ("I also write at ", "https://elsewhere.example/"),
    ],
)
def test_a_link_that_people_say_is_theirs_is_the_authors(before: str, link: str) -> None:
    found = masked(f'<p>{before}<a href="{link}">this place</a>.</p>')
    assert found == f"<p>{before}this place {SITE}.</p>"


def test_my_blog_is_mine_wherever_it_is() -> None:
    assert SITE in masked('<p>See my <a href="https://elsewhere.example/">other blog</a>.</p>')


@pytest.mark.parametrize("before", ["My teacher wrote ", "In my reading of ", "Me and ", "I read it on "])
def test_a_source_stays_a_link(before: str) -> None:
    assert 'href="https://elsewhere.example/' in masked(f'<p>{before}<a href="https://elsewhere.example/">it</a>.</p>')


@pytest.mark.parametrize("said", ["Mastodon", "my GitHub", "follow me on Mastodon"])
def test_a_link_that_people_call_their_own_is_the_authors(said: str) -> None:
    found = masked(f'<p>See <a href="https://hachy.example/@qz">{said}</a>!</p>')
    assert "hachy.example" not in found
    assert SITE in found


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://github.com/pandas-dev/pandas", "GitHub"),
        ("https://hachy.example/@qz", "a historian"),
        ("https://x.com/nasa", "NASA"),
    ],
)
def test_a_link_to_somebody_elses_page_stays(address: str, said: str) -> None:
    assert f'href="{address}"' in masked(f'<p><a href="{address}">{said}</a></p>')


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Will you come? Will came.", "Will you come? [author] came."),
        ("Mark the day. Said Mark: no.", "Mark the day. Said [author]: no."),
        ("In May it rains; on 5 May, May 2026, late May. May sings.", None),
        ("by May, for May", "by [author], for [author]"),
        ("“Will they?” asked Will.", "“Will they?” asked [author]."),
        ("May I? May May I?", "May I? [author] I?"),
    ],
)
def test_an_everyday_word_is_a_name_where_it_stands_as_one(said: str, left: str | None) -> None:
    who = Identity(names=("Will Orsk", "May Orsk", "Mark Orsk"))
    found = mask_text(said, who)
    assert found == (left or "In May it rains; on 5 May, May 2026, late May. [author] sings.")


@pytest.mark.parametrize("written", ["\u0410nn Zibb\u0435lw\u00f6\u0441k", "\u0391\u039d\u039d", "\uff21\uff4e\uff4e"])
def test_letters_that_only_look_the_same_are_read_as_they_look(written: str) -> None:
    assert mask_text(written, Identity(names=("Ann Zibbelwöck",))) == "[author]"


def test_what_an_author_wants_hidden_is_hidden_whatever_its_case_and_in_addresses_too() -> None:
    who = identity(ANN, [QUORBS], [POST], ["Millbrook", "the lifeboat"])
    said = '<p>MILLBROOK’s mill; The  Lifeboat. <a href="https://x.example/millbrook-news">News</a></p>'
    assert masked(said, who) == f"<p>[hidden]’s mill; [hidden]. News {SITE}</p>"
