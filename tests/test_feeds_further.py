"""A feed that shows the last ten, a feed that shows beginnings, a feed whose posts change: through whole pulls."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reviewkit.course import Course
from reviewkit.feeds.article import is_excerpt, is_whole
from reviewkit.feeds.backfill import older_page
from reviewkit.feeds.document import Parsed
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.further import ARTICLES, PAGES
from reviewkit.listing import Listed
from reviewkit.model import Entry, Post
from reviewkit.store import Store
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, Clock, a_setup

DATA = Path(__file__).parent / "data" / "feeds" / "crafted"


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as blogs:
        yield blogs


def enrolled(store: Store, url: str, *, tag: str = "datastories") -> Course:
    setup = replace(a_setup(), tag=tag, assignments=tuple(replace(each, tag="") for each in a_setup().assignments))
    store.keep_course(setup, [replace(ANN, feeds=(url,))], [])
    return Course(store, clock=Clock(), allow_private=True)


def by_title(store: Store) -> dict[str, Post]:
    return {post.title: post for post in store.posts()}


def tagged(number: int, *, text: str = "", link: str = "") -> str:
    date = a_setup().starts
    assert date
    from datetime import timedelta
    from email.utils import format_datetime

    at = format_datetime(date + timedelta(days=number))
    return post(f"Post {number}", text or f"words {number}", tag="datastories", link=link, guid=f"g{number}", date=at)


# -- identity and deletion -------------------------------------------------------------------------------------------


def test_a_blog_that_moves_to_https_and_edits_keeps_its_posts(sqlite_store: Store, blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", (DATA / "identity-v1.xml").read_bytes())
    course = enrolled(sqlite_store, url, tag="cs101open")
    assert set(course.pull()[0].new) == {"A", "B", "C"}
    blogs.show("/feed", (DATA / "identity-v2.xml").read_bytes())
    pulled = course.pull()[0]
    assert (set(pulled.new), set(pulled.changed)) == ({"New"}, {"A", "C (edited title)"})
    assert not any(each.gone for each in sqlite_store.posts()), "missing once is not gone"
    course.pull()
    posts = by_title(sqlite_store)
    assert {title: len(each.revisions) for title, each in posts.items()} == {
        "A": 2,
        "B": 1,
        "C (edited title)": 2,
        "New": 1,
    }
    assert [title for title, each in posts.items() if each.gone] == ["B"]
    assert posts["B"].latest.text == "b", "gone, and not lost"


def test_a_post_that_comes_back_is_the_same_post(sqlite_store: Store, blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B", tagged(3), tagged(2), tagged(1)))
    course = enrolled(sqlite_store, url)
    course.pull()
    blogs.show("/feed", rss("B", tagged(3), tagged(1)))
    course.pull()
    course.pull()
    assert by_title(sqlite_store)["Post 2"].gone
    blogs.show("/feed", rss("B", tagged(3), tagged(2), tagged(1)))
    assert course.pull()[0].new == ()
    assert by_title(sqlite_store)["Post 2"].gone is None


def test_a_feed_that_is_cut_off_deletes_nothing(sqlite_store: Store, blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B", tagged(3), tagged(2), tagged(1)))
    course = enrolled(sqlite_store, url)
    course.pull()
    blogs.show("/feed", rss("B", tagged(3), tagged(1)).replace("</channel></rss>", ""))
    for _ in range(3):
        course.pull()
    assert not any(each.gone for each in sqlite_store.posts())


def test_a_feed_of_the_last_ones_loses_nothing(sqlite_store: Store, blogs: FakeBlogs) -> None:
    course = enrolled(sqlite_store, blogs.show("/feed", rss("B")))
    for newest in range(3, 12):
        blogs.show("/feed", rss("B", *(tagged(number) for number in range(newest, newest - 3, -1))))
        course.pull()
    assert len(sqlite_store.posts()) == 11
    assert not any(each.gone or len(each.revisions) > 1 for each in sqlite_store.posts())


def test_a_declared_deletion_is_believed_at_once(sqlite_store: Store, blogs: FakeBlogs) -> None:
    feed = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"><title>B</title>{}</feed>'
    entry = '<entry><id>u:{0}</id><title>{0}</title><category term="datastories"/><content>words</content></entry>'
    url = blogs.show("/feed", feed.format(entry.format("one") + entry.format("two")))
    course = enrolled(sqlite_store, url)
    course.pull()
    blogs.show(
        "/feed", feed.format('<at:deleted-entry ref="u:one" when="2026-01-01T00:00:00Z"/>' + entry.format("two"))
    )
    course.pull()
    assert [each.title for each in sqlite_store.posts() if each.gone] == ["one"]


def test_a_long_post_is_known_by_its_words_when_its_whole_blog_moved(sqlite_store: Store, blogs: FakeBlogs) -> None:
    long, short = "care and scale " * 20, "short"
    old = rss(
        "B", tagged(1, text=long, link="https://old.example/1"), tagged(2, text=short, link="https://old.example/2")
    )
    course = enrolled(sqlite_store, blogs.show("/feed", old))
    course.pull()
    blogs.show("/feed", old.replace("old.example", "new.example").replace("<guid>g", "<guid>other-"))
    assert course.pull()[0].new == ("Post 2",)
    assert len(sqlite_store.posts()) == 3


# -- older pages -----------------------------------------------------------------------------------------------------


def page(*numbers: int, head: str = "") -> str:
    return rss("B", *(tagged(number) for number in numbers)).replace("<channel>", f"<channel>{head}")


NEXT = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{}" href="{}"/>'


@pytest.mark.parametrize("rel", ["next", "prev-archive"])
def test_a_feed_is_followed_back_to_the_courses_start_once(sqlite_store: Store, blogs: FakeBlogs, rel: str) -> None:
    url = blogs.show("/feed", page(9, 8, head=NEXT.format(rel, "/feed/2")))
    blogs.show("/feed/2", page(7, 6, head=NEXT.format(rel, "/feed/3")))
    blogs.show("/feed/3", page(5, -2, head=NEXT.format(rel, "/feed/4")))
    course = enrolled(sqlite_store, url)
    assert len(course.pull()[0].new) == 5
    assert {asked.path for asked in blogs.asked} == {"/feed", "/feed/2", "/feed/3"}
    assert "Post -2" not in by_title(sqlite_store), "from before the course"
    blogs.show("/feed", page(10, 9, head=NEXT.format(rel, "/feed/2")))
    course.pull()
    assert [asked.path for asked in blogs.asked].count("/feed/2") == 1
    assert len(sqlite_store.posts()) == 6


def test_wordpress_and_ghost_are_followed_without_being_told_how(sqlite_store: Store, blogs: FakeBlogs) -> None:
    url = blogs.show("/feed/?a=1", page(9, 8, head="<generator>https://wordpress.org/?v=6.5</generator>"))
    blogs.show("/feed/?a=1&paged=2", page(7, 6, head="<generator>https://wordpress.org/?v=6.5</generator>"))
    assert len(enrolled(sqlite_store, url).pull()[0].new) == 4
    assert blogs.asked[-1].path == "/feed/?a=1&paged=3", "the archive ends where there is no page"
    ghost = Parsed(title="", entries=(), items=(Listed("", "x"),), generator="Ghost 5.8")
    assert older_page("https://b.example/rss/", ghost, 1) == "https://b.example/rss/2/"
    assert older_page("https://b.example/tag/t/rss/2/", ghost, 2) == "https://b.example/tag/t/rss/3/"


def test_a_site_that_answers_every_page_with_the_first_is_not_followed_for_ever(
    sqlite_store: Store, blogs: FakeBlogs
) -> None:
    head = "<generator>https://wordpress.org/</generator>"
    url = blogs.show("/feed", page(9, 8, head=head))
    blogs.show("/feed?paged=2", page(9, 8, head=head))
    assert len(enrolled(sqlite_store, url).pull()[0].new) == 2
    assert len(blogs.asked) == 2


def test_an_archive_without_end_is_followed_so_far_and_no_farther(sqlite_store: Store, blogs: FakeBlogs) -> None:
    for number in range(PAGES + 10):
        blogs.show(f"/{number}", page(1000 - number, head=NEXT.format("next", f"/{number + 1}")))
    enrolled(sqlite_store, blogs.url("/0")).pull()
    assert len(blogs.asked) == PAGES + 1


def test_an_archive_that_is_down_is_asked_again_at_the_next_pull(sqlite_store: Store, blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", page(9, 8, head=NEXT.format("next", "/old")), headers={"ETag": '"1"'})
    blogs.show("/old", "", status=503)
    course = enrolled(sqlite_store, url)
    assert len(course.pull()[0].new) == 2
    blogs.show("/old", page(7, 6))
    assert len(course.pull()[0].new) == 2


def test_an_archive_that_takes_too_long_is_followed_on_from_there_at_the_next_pull(
    sqlite_store: Store, blogs: FakeBlogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = blogs.show("/feed", page(9, 8, head=NEXT.format("next", "/2")), headers={"ETag": '"1"'})
    for number in range(2, 6):
        blogs.show(f"/{number}", page(9 - number, head=NEXT.format("next", f"/{number + 1}")))
    pages = 0
    real = Fetcher.fetch

    async def late(fetcher: Fetcher, address: str, **conditions: str) -> Fetched | None:
        nonlocal pages
        pages += 1
        if pages % 3 == 0:
            raise TimeoutError  # as when the minute of a pull is over
        return await real(fetcher, address, **conditions)

    monkeypatch.setattr(Fetcher, "fetch", late)
    course = enrolled(sqlite_store, url)
    assert len(course.pull()[0].new) == 4
    (feed,) = sqlite_store.feeds()
    assert (feed.filled, feed.filling.partition(" ")[0]) == (False, "3")
    assert len(course.pull()[0].new) == 2
    course.pull()
    (feed,) = sqlite_store.feeds()
    assert (feed.filled, feed.filling) == (True, "")
    assert [asked.path for asked in blogs.asked].count("/2") == 1, "what was read is not read again"
    assert len(sqlite_store.posts()) == 6


def test_an_archive_is_followed_no_farther_in_many_pulls_than_in_one(
    sqlite_store: Store, blogs: FakeBlogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(PAGES + 10):
        blogs.show(f"/{number}", page(1000 - number, head=NEXT.format("next", f"/{number + 1}")))
    pages = 0
    real = Fetcher.fetch

    async def late(fetcher: Fetcher, address: str, **conditions: str) -> Fetched | None:
        nonlocal pages
        pages += 1
        if pages % 7 == 0:
            raise TimeoutError
        return await real(fetcher, address, **conditions)

    monkeypatch.setattr(Fetcher, "fetch", late)
    course = enrolled(sqlite_store, blogs.url("/0"))
    for _ in range(5):
        course.pull()
    assert len({asked.path for asked in blogs.asked}) == PAGES + 1
    assert len(sqlite_store.posts()) == PAGES + 1


# -- excerpts --------------------------------------------------------------------------------------------------------

PARAGRAPH = "Open courses grow when somebody takes the time to answer every newcomer with care and patience. "
ARTICLE = (
    "<!doctype html><html><head><title>Scale</title></head><body><nav><a href=/>Home</a> <a href=/about>About</a></nav>"
    f"<article><h1>Scale</h1><p>{PARAGRAPH}</p><p>{PARAGRAPH * 4}</p><p>The end of the <b>whole</b> article.</p>"
    "<script>alert(1)</script></article><footer>Powered by a platform</footer></body></html>"
)
BEGINNING = f"<p>{PARAGRAPH}[…]</p>"


def an_entry(text: str, *, title: str = "Scale", link: str = "https://b.example/1") -> Entry:
    return Entry(guid="1", link=link, title=title, text=text)


@pytest.mark.parametrize(
    ("text", "summary", "excerpt"),
    [
        ("It begins here […]", False, True),
        ("It begins here …", False, True),
        ("It begins here [...] The post Scale appeared first on Bo Writes.", False, True),
        ("It begins here. Continue reading Scale →", False, True),
        ("Es beginnt hier. Weiterlesen", False, True),
        ("It begins here ... Read more »", False, True),
        ("A whole short post.", False, False),
        ("A whole short post, or a summary.", True, True),
        ("words … and more words to the end.", False, False),
        ("long " * 400 + "…", False, False),
    ],
)
def test_an_excerpt_breaks_off_or_stands_where_a_summary_does(text: str, summary: bool, excerpt: bool) -> None:
    assert is_excerpt(an_entry(text), summary=summary) == excerpt
    assert not is_excerpt(an_entry(text, title=""), summary=summary), "a note is whole as it is"
    assert not is_excerpt(an_entry(text, link=""), summary=summary)


def test_a_page_is_the_article_when_it_begins_alike_and_goes_on() -> None:
    assert is_whole(f"{PARAGRAPH}[…]", PARAGRAPH * 3)
    assert not is_whole(f"{PARAGRAPH}[…]", PARAGRAPH)
    assert not is_whole(f"{PARAGRAPH}[…]", "Please accept our cookies to go on reading on this site of ours. " * 5)


def test_the_article_behind_an_excerpt_is_copied_and_says_so(sqlite_store: Store, blogs: FakeBlogs) -> None:
    link = blogs.show("/scale", ARTICLE, content_type="text/html; charset=utf-8")
    url = blogs.show("/feed", rss("B", tagged(1, text=BEGINNING, link=link)))
    course = enrolled(sqlite_store, url)
    course.pull()
    (kept,) = sqlite_store.posts()
    assert kept.latest.copied
    assert "The end of the whole article." in kept.latest.text
    assert "Powered by" not in kept.latest.text
    assert "alert" not in kept.latest.html
    blogs.show("/feed", rss("B", tagged(2), tagged(1, text=BEGINNING, link=link)))
    course.pull()
    assert len(by_title(sqlite_store)["Post 1"].revisions) == 1
    assert [asked.path for asked in blogs.asked].count("/scale") == 1


def test_an_article_that_cannot_be_read_leaves_the_excerpt(sqlite_store: Store, blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B", tagged(1, text=BEGINNING, link=blogs.url("/nothing"))))
    enrolled(sqlite_store, url).pull()
    (kept,) = sqlite_store.posts()
    assert not kept.latest.copied
    assert kept.latest.text.endswith("[…]")


def test_of_many_articles_a_few_are_fetched_in_each_pull_until_all_are_there(
    sqlite_store: Store, blogs: FakeBlogs
) -> None:
    links = [blogs.show(f"/a{number}", ARTICLE, content_type="text/html") for number in range(ARTICLES + 2)]
    items = [tagged(number, text=BEGINNING, link=link) for number, link in enumerate(links)]
    course = enrolled(sqlite_store, blogs.show("/feed", rss("B", *items)))
    course.pull()
    assert sum(each.latest.copied for each in sqlite_store.posts()) == ARTICLES
    course.pull()
    assert all(each.latest.copied for each in sqlite_store.posts())
    course.pull()
    assert len([asked for asked in blogs.asked if asked.path != "/feed"]) == ARTICLES + 2


def test_reading_feeds_brings_nothing_heavy_into_the_service() -> None:
    import subprocess
    import sys

    heavy = "feedparser", "mf2py", "trafilatura", "lxml", "bs4"
    code = f"import sys, reviewkit.course, reviewkit.feeds.pulling; print([n for n in {heavy} if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


# -- a post whose own page is gone -----------------------------------------------------------------------------------


def whole(number: int, link: str) -> str:
    """A post that is too long to be the beginning of another text."""
    return tagged(number, text=f"{number} {'words ' * 200}", link=link)


def without_the_middle(blogs: FakeBlogs, store: Store, status: int) -> Course:
    """Post 2 has left the middle of the feed, and its page answers so."""
    items = [whole(n, blogs.show(f"/{n}", "a page", content_type="text/html")) for n in (3, 2, 1)]
    course = enrolled(store, blogs.show("/feed", rss("B", *items)))
    course.pull()
    blogs.show("/2", "", status=status, content_type="text/html")
    blogs.show("/feed", rss("B", items[0], items[2]))
    course.pull()
    return course


@pytest.mark.parametrize(("status", "gone"), [(404, True), (410, True), (200, False), (403, False), (500, False)])
def test_a_post_that_left_the_middle_is_gone_when_its_page_says_so(
    sqlite_store: Store, blogs: FakeBlogs, status: int, gone: bool
) -> None:
    without_the_middle(blogs, sqlite_store, status)
    assert bool(by_title(sqlite_store)["Post 2"].gone) is gone
    assert [each.path for each in blogs.asked if each.path != "/feed"] == ["/2"], "no other page is asked for"


def test_a_post_that_is_gone_is_not_asked_for_again(sqlite_store: Store, blogs: FakeBlogs) -> None:
    course = without_the_middle(blogs, sqlite_store, 404)
    course.pull()
    assert sum(each.path == "/2" for each in blogs.asked) == 1
    assert by_title(sqlite_store)["Post 2"].latest.text.startswith("2 words"), "gone, and not lost"


def test_a_post_that_falls_off_the_end_of_its_feed_is_never_asked_for(sqlite_store: Store, blogs: FakeBlogs) -> None:
    items = [whole(n, blogs.url(f"/{n}")) for n in (3, 2, 1)]
    course = enrolled(sqlite_store, blogs.show("/feed", rss("B", *items[1:])))
    course.pull()
    blogs.show("/feed", rss("B", *items[:2]))
    course.pull()
    assert {each.path for each in blogs.asked} == {"/feed"}
    assert not any(each.gone for each in sqlite_store.posts())
