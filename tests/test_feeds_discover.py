"""Enrolment: whatever address a student pastes, the feed of their posts is found, or they are told what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reviewkit.errors import FeedError
from reviewkit.feeds.discover import ASKS, Found, _named, discover, tidied
from reviewkit.feeds.fetch import Fetcher
from reviewkit.feeds.platforms import of_address, of_tag, posts_first
from reviewkit.feeds.workers import Workers
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.serving import awaited

START = datetime(2026, 4, 1, tzinfo=UTC)
MAY = "Sun, 03 May 2026 10:00:00 GMT"
MARCH = "Sun, 01 Mar 2026 10:00:00 GMT"
HTML = "text/html; charset=utf-8"


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as blogs:
        yield blogs


def found(address: str, *, allow_private: bool = True) -> Found:
    async def whole() -> Found:
        async with Fetcher(agent="test", allow_private=allow_private) as fetcher, Workers() as workers:
            return await discover(address, wanted=["DataStories"], since=START, fetcher=fetcher, workers=workers)

    return awaited(whole())


def a_feed(tagged: int = 1, others: int = 2, *, title: str = "Ann's blog", date: str = MAY) -> str:
    carrying = [post(f"Tagged {n}", "Words.", tag="datastories", guid=f"t{n}", date=date) for n in range(tagged)]
    plain = [post(f"Other {n}", "Words.", guid=f"o{n}", date=date) for n in range(others)]
    return rss(title, *carrying, *plain)


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("ann.example", "https://ann.example"),
        ("  https://ann.example/ blog ", "https://ann.example/blog"),
        ("http:/ann.example", "http://ann.example"),
        ("https//ann.example", "https://ann.example"),
        ("htps://ann.example", "https://ann.example"),
        ("HTTPS://ann.example", "https://ann.example"),
        ("<https://ann.example/>", "https://ann.example/"),
        ("feed:https://ann.example/rss", "https://ann.example/rss"),
        ("feed://ann.example/rss", "https://ann.example/rss"),
        ("@ann@social.example", "https://social.example/@ann"),
        ("@ann.bsky.social", "https://bsky.app/profile/ann.bsky.social"),
        ("//ann.example", "https://ann.example"),
        ("ann.example:8080/blog", "https://ann.example:8080/blog"),
        ("https.example", "https://https.example"),
        ("\u200bann.example", "https://ann.example"),
    ],
)
def test_slips_in_an_address_are_mended(pasted: str, address: str) -> None:
    assert tidied(pasted) == address


@pytest.mark.parametrize(
    "pasted", ["", "   ", "mailto:ann@x.example", "javascript:alert(1)", "ftp://x.example", "https://"]
)
def test_what_is_no_address_is_refused_in_words(pasted: str) -> None:
    with pytest.raises(FeedError, match="https://"):
        tidied(pasted)


def test_a_feed_itself_is_taken_and_its_posts_are_counted(blogs: FakeBlogs) -> None:
    blogs.show(
        "/feed.rss2", a_feed(3, 9).replace("</channel>", post("Old", "x", guid="old", date=MARCH) + "</channel>")
    )
    there = found(blogs.url("/feed.rss2"))
    assert (there.url, there.title, there.since, there.tagged) == (blogs.url("/feed.rss2"), "Ann's blog", 12, 3)
    assert [each.title for each in there.posts[:3]] == ["Tagged 0", "Tagged 1", "Tagged 2"]


def test_a_home_page_leads_to_the_feed_of_posts_and_not_of_comments(blogs: FakeBlogs) -> None:
    kind = 'rel="alternate" type="application/rss+xml"'
    page = f'<!doctype html><link {kind} title="Comments" href="/c/feed?comments=1">'
    page += f"<link href='p.xml?a=1&amp;b=2' {kind}>"
    blogs.show("/blog/", page, content_type=HTML)
    blogs.show("/blog/p.xml?a=1&b=2", a_feed(2, 12))
    blogs.show("/c/feed?comments=1", a_feed(0, 12))
    assert found(blogs.url("/blog/")).url == blogs.url("/blog/p.xml?a=1&b=2")


@pytest.mark.parametrize("path", ["/feed/", "/rss/", "/feed.xml", "/index.xml", "/atom.xml", "/~ann/feed.xml"])
def test_usual_places_are_tried_where_a_page_names_no_feed(blogs: FakeBlogs, path: str) -> None:
    blogs.show("/~ann/about", "<!doctype html><p>Hello.", content_type=HTML)
    blogs.show(path, a_feed(2, 12))
    assert found(blogs.url("/~ann/about")).url == blogs.url(path)


@pytest.mark.parametrize(
    ("main", "of_the_tag"),
    [
        ("/feed/", "/tag/datastories/feed/"),
        ("/rss/", "/tag/datastories/rss/"),
        ("/index.xml", "/tags/datastories/index.xml"),
        ("/feeds/posts/default", "/feeds/posts/default/-/datastories"),
        ("/@ann.rss", "/@ann/tagged/datastories.rss"),
    ],
)
def test_the_feed_of_the_tag_is_preferred_where_the_main_feed_is_short_or_carries_no_tag(
    blogs: FakeBlogs, main: str, of_the_tag: str
) -> None:
    blogs.show(main, a_feed(0, 10))
    blogs.show(of_the_tag, a_feed(0, 4))
    there = found(blogs.url(main))
    assert (there.url, there.tag, there.tagged) == (blogs.url(of_the_tag), "datastories", 4)


def test_a_long_feed_that_carries_the_tag_is_kept_whole(blogs: FakeBlogs) -> None:
    blogs.show("/feed/", a_feed(2, 20))
    blogs.show("/tag/datastories/feed/", a_feed(2, 0))
    assert found(blogs.url("/feed/")).url == blogs.url("/feed/")


def test_a_feed_of_the_tag_that_is_empty_is_not_preferred(blogs: FakeBlogs) -> None:
    blogs.show("/feed/", a_feed(0, 3))
    blogs.show("/tag/datastories/feed/", rss("Nothing"))
    assert found(blogs.url("/feed/")).url == blogs.url("/feed/")


def test_the_page_of_a_tag_leads_to_the_feed_of_that_tag(blogs: FakeBlogs) -> None:
    kind = 'rel="alternate" type="application/rss+xml"'
    page = f'<!doctype html><link {kind} href="/feed/"><link {kind} href="/tag/datastories/feed/">'
    blogs.show("/tag/datastories/", page, content_type=HTML)
    blogs.show("/feed/", a_feed(1, 20))
    blogs.show("/tag/datastories/feed/", a_feed(1, 0))
    assert found(blogs.url("/tag/datastories/")).url == blogs.url("/tag/datastories/feed/")


def test_a_page_of_microformats_is_its_own_feed(blogs: FakeBlogs) -> None:
    entry = '<div class="h-entry"><a class="u-url p-name" href="/1">One</a><p class="e-content">Words</p></div>'
    blogs.show("/", f'<!doctype html><div class="h-feed">{entry}</div>', content_type=HTML)
    assert found(blogs.url("/")).posts[0].title == "One"


@pytest.mark.parametrize("many", [1, 2])
def test_the_feed_that_a_page_of_microformats_names_is_preferred(blogs: FakeBlogs, many: int) -> None:
    """Many themes mark up posts: the address of a single post must not become the whole feed."""
    entry = '<div class="h-entry"><a class="u-url p-name" href="/1">One</a><p class="e-content">Words</p></div>'
    names = (
        '<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">'
        '<link rel="alternate" type="application/atom+xml" href="/feed.xml">'
    )
    blogs.show("/1", f"<!doctype html><head>{names}</head>{entry * many}", content_type=HTML)
    blogs.show("/comments/feed", rss("Comments", post("Re", "x", guid="c")))
    blogs.show("/feed.xml", a_feed(1, 12))
    assert found(blogs.url("/1")).url == blogs.url("/feed.xml")


def test_a_page_of_one_post_is_its_own_feed_only_where_there_is_no_other(blogs: FakeBlogs) -> None:
    entry = '<div class="h-entry"><a class="u-url p-name" href="/1">One</a><p class="e-content">Words</p></div>'
    blogs.show("/posts/1", f"<!doctype html>{entry}", content_type=HTML)
    assert found(blogs.url("/posts/1")).url == blogs.url("/posts/1")
    blogs.show("/index.xml", a_feed(1, 12))
    assert found(blogs.url("/posts/1")).url == blogs.url("/index.xml")


def test_an_address_of_megabytes_is_refused_before_it_is_read() -> None:
    with pytest.raises(FeedError, match="too long"):
        tidied("a" * 4_000_000)


def test_links_are_found_on_a_page_however_they_are_written() -> None:
    page = (
        "<LINK HREF=/one TYPE = 'application/rss+xml' REL = alternate>"
        '<link data-href="/no" rel="alternate feed" type="application/atom+xml" title="A &amp; B"\n'
        ' href="two?a=1&amp;b=2"/>'
        "<link rel=alternate type=application/rss+xml><link rel=stylesheet href=/no type=application/rss+xml>"
        + "<a "
        + "a" * 1990
        + ">"
    )
    named = [("https://ann.example/one", ""), ("https://ann.example/blog/two?a=1&b=2", "A & B")]
    assert list(_named(page, "https://ann.example/blog/")) == named


def test_nothing_found_says_what_to_do_after_a_bounded_number_of_requests(blogs: FakeBlogs) -> None:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="/no/{n}">' for n in range(500))
    blogs.show("/a/b/c", f"<!doctype html>{links}", content_type=HTML)
    with pytest.raises(FeedError, match="No feed was found at"):
        found(blogs.url("/a/b/c"))
    assert len(blogs.asked) <= ASKS


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/", "http://[::ffff:10.0.0.1]/", "localhost", "http://169.254.169.254/x"]
)
def test_addresses_of_inner_networks_are_refused_in_words(address: str) -> None:
    with pytest.raises(FeedError) as refused:
        found(address, allow_private=False)
    assert len(str(refused.value).split()) > 5


def test_platforms_say_where_their_feeds_are() -> None:
    table = {
        "https://medium.com/@ann/a-post-1": "https://medium.com/feed/@ann",
        "https://ann.substack.com/p/x": "https://ann.substack.com/feed",
        "https://ann.tumblr.com/": "https://ann.tumblr.com/rss",
        "https://www.tumblr.com/ann": "https://ann.tumblr.com/rss",
        "https://ann.blogspot.com/2026/05/x.html": "https://ann.blogspot.com/feeds/posts/default",
        "https://social.example/@ann": "https://social.example/@ann.rss",
        "https://bsky.app/profile/ann.example": "https://bsky.app/profile/ann.example/rss",
        "https://www.youtube.com/channel/UC1": "https://www.youtube.com/feeds/videos.xml?channel_id=UC1",
        "https://micro.blog/ann": "https://ann.micro.blog/feed.xml",
        "https://ann.wordpress.com/about": "https://ann.wordpress.com/feed",
    }
    assert {address: of_address(address)[0] for address in table} == table
    assert of_address("https://ann.example/blog") == []
    assert of_tag("https://ann.tumblr.com/rss", "a b") == ["https://ann.tumblr.com/tagged/a%20b/rss"]
    assert posts_first([("https://github.com/ann/x/releases.atom", "")]) == []
