"""A pull, from sites that behave and sites that do not. One bad blog never stops the class."""

import gzip
import socket
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from reviewkit.errors import FeedError, StoreError
from reviewkit.feeds import Pulled, pull, pulling, unpacking
from reviewkit.feeds.addresses import is_public
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.tags import fold, in_text, of_feed, of_link
from reviewkit.model import Entry, Feed
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.serving import awaited

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
AGENT = "reviewkit (Open Writing; prof@course.example)"


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as blogs:
        yield blogs


@dataclass(frozen=True)
class Changes:
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass
class Shelf:
    """A store of three lines: what each feed's state is, and which posts are there."""

    feeds: dict[tuple[str, str], Feed] = field(default_factory=dict)
    posts: dict[tuple[str, str], Entry] = field(default_factory=dict)
    busy: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, feed: Feed, entries: Sequence[Entry]) -> Changes:
        assert self.busy.acquire(blocking=False), "two feeds are kept at one time"
        try:
            self.feeds[feed.person, feed.url] = feed
            known = {(feed.person, each.guid): each for each in entries}
            new = [each.title for key, each in known.items() if key not in self.posts]
            old = {key: each for key, each in known.items() if key in self.posts}
            changed = [each.title for key, each in old.items() if self.posts[key].digest != each.digest]
            self.posts.update(known)
            return Changes(tuple(new), tuple(changed))
        finally:
            self.busy.release()

    def pull(
        self, *feeds: Feed, tags: frozenset[str] = frozenset({"cs101"}), allow_private: bool = True
    ) -> list[Pulled]:
        heard: list[Pulled] = []
        known = [self.feeds.get((feed.person, feed.url), feed) for feed in feeds]
        wanted = {feed.person: tags for feed in feeds}
        found = awaited(
            pull(
                known,
                wanted,
                self.keep,
                now=lambda: NOW,
                agent=AGENT,
                allow_private=allow_private,
                progress=heard.append,
            )
        )
        assert sorted(heard, key=str) == sorted(found, key=str)
        return found


def ann(url: str) -> Feed:
    return Feed(person="ann", url=url)


def fetch(url: str, *, allow_private: bool = True, seconds: float = 20.0, **known: str) -> Fetched | None:
    async def once() -> Fetched | None:
        async with Fetcher(agent=AGENT, allow_private=allow_private, seconds=seconds) as fetcher:
            return await fetcher.fetch(url, **known)

    return awaited(once())


def test_a_bug_of_ours_stops_one_feed_and_its_line_in_the_log_names_nobody(
    blogs: FakeBlogs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("word of a blog")

    monkeypatch.setattr(pulling, "chosen", broken)
    url = blogs.show("/feed", rss("Notes", post("One", "x", tag="cs101", guid="1")))
    (pulled,) = Shelf().pull(Feed(person="alindqvist", url=url))
    assert "more than reviewkit can read" in pulled.error
    (line,) = caplog.records
    assert line.exc_info
    assert "alindqvist" not in line.getMessage() + repr(line.__dict__)


# -- which posts -----------------------------------------------------------------------------------------------------


def test_posts_that_carry_the_tag_are_kept_wherever_it_stands(blogs: FakeBlogs) -> None:
    url = blogs.show(
        "/feed",
        rss(
            "Ann's notes",
            post("In a category", "x", tag="#CS101", guid="1"),
            post("In a link", '<a rel="tag" href="/tag/cs101/">course</a>', guid="2"),
            post("In the words", "<p>see #cs101.</p>", guid="3"),
            post("In a longer word", "#cs1012 and cs101 and C#cs101", tag="cs101-extra", guid="4"),
            post("In code", "<pre>#cs101</pre>", guid="5"),
            post("Nowhere", "cats", tag="cats", guid="6"),
        ),
    )
    shelf = Shelf()
    (pulled,) = shelf.pull(ann(url))
    assert pulled.outcome == "new"
    assert pulled.new == ("In a category", "In a link", "In the words")
    found = {each.title: [(tag.tag, tag.found) for tag in each.tags] for each in shelf.posts.values()}
    assert found["In a category"] == [("cs101", "category")]
    assert found["In a link"] == [("cs101", "rel")]
    assert found["In the words"] == [("cs101", "text")]
    state = shelf.feeds["ann", url]
    assert state == Feed(
        person="ann",
        url=url,
        title="Ann's notes",
        body=state.body,
        listing=state.listing,
        succeeded=NOW,
        tried=NOW,
        next_try=state.next_try,
    )


def test_a_feed_of_the_tag_lends_it_to_every_post(blogs: FakeBlogs) -> None:
    url = blogs.show("/tag/CS101/feed/", rss("B", post("Untagged", "x", guid="1"), post("Tagged", "#cs101", guid="2")))
    other = blogs.show("/tag/cats/feed/", rss("B", post("Cats", "x", guid="9")))
    shelf = Shelf()
    tagged, cats = shelf.pull(ann(url), ann(other))
    assert tagged.new == ("Untagged", "Tagged")
    assert cats.new == ()
    assert [(tag.tag, tag.found) for tag in shelf.posts["ann", "1"].tags] == [("cs101", "feed")]
    assert [tag.found for tag in shelf.posts["ann", "2"].tags] == ["feed", "text"]


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("/tag/CS101/feed/", "cs101"),
        ("/blog/tag/open%20web/feed", "open web"),
        ("/feeds/posts/default/-/CS101?max-results=50", "cs101"),
        ("/tag/cs101/rss/", "cs101"),
        ("/tags/cs101/index.xml", "cs101"),
        ("/tagged/cs101/rss", "cs101"),
        ("/@ann/tagged/cs101.rss", "cs101"),
        ("/?feed=rss2&tag=cs101", "cs101"),
        ("/feed/", ""),
        ("/tags/cs101", ""),
        ("/2026/tag/", ""),
    ],
)
def test_feeds_of_a_tag_are_known_by_their_address(path: str, tag: str) -> None:
    assert of_feed(f"https://blog.example{path}") == tag


def test_tags_are_folded_and_found_whole() -> None:
    assert fold(" #CS\u200b101 ") == fold("ＣＳ１０１") == "cs101"
    assert fold("Straße") == fold("STRASSE")
    assert of_link("https://blog.example/tag/open%20web/") == "open web"
    said = "#CS101, (#b) #c_d #हिन्दी #123 &#39; a#no x/#no color:#fff '#no \"#no ##no #"
    assert in_text(said) == ["cs101", "b", "c_d", "हिन्दी"]


# -- again -----------------------------------------------------------------------------------------------------------


def test_what_a_site_calls_unchanged_is_not_read_again(blogs: FakeBlogs) -> None:
    stamp = {"ETag": 'W/"a-1"', "Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}
    url = blogs.show("/feed", rss("B", post("One", "#cs101", guid="1")), headers=stamp)
    shelf = Shelf()
    shelf.pull(ann(url))
    (again,) = shelf.pull(ann(url))
    assert again == Pulled(person="ann", url=url, outcome="unchanged")
    sent = blogs.asked[-1].headers
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == (stamp["ETag"], stamp["Last-Modified"])
    assert sent["User-Agent"] == AGENT
    assert "Cookie" not in sent


def test_the_same_bytes_are_unchanged_where_a_site_knows_no_conditions(blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B", post("One", "#cs101", guid="1")))
    shelf = Shelf()
    assert [pulled.outcome for pulled in shelf.pull(ann(url))] == ["new"]
    assert [pulled.outcome for pulled in shelf.pull(ann(url))] == ["unchanged"]
    assert "If-None-Match" not in blogs.asked[-1].headers


def test_a_document_that_is_sent_as_before_is_not_even_unpacked(
    blogs: FakeBlogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[int] = []
    inflate = unpacking._Inflate.__call__

    def counted(self: unpacking._Inflate, chunk: bytes, most: int) -> bytes:
        found = inflate(self, chunk, most)
        unpacked.append(len(found))
        return found

    monkeypatch.setattr(unpacking._Inflate, "__call__", counted)

    def shown(document: str, *, level: int = 9, headers: dict[str, str] | None = None) -> str:
        packed = gzip.compress(document.encode(), level, mtime=0)
        return blogs.show("/ann", packed, headers={"Content-Encoding": "gzip", **(headers or {})})

    shelf, one = Shelf(), rss("B", post("One", "words " * 50, tag="cs101"))
    feed = ann(shown(one))

    def pulled() -> tuple[str, bool]:
        unpacked.clear()
        return shelf.pull(feed)[0].outcome, sum(unpacked) > 0

    assert pulled() == ("new", True)
    assert pulled() == ("unchanged", False)
    assert shelf.feeds["ann", feed.url].tried == NOW
    shown(one, headers={"ETag": '"2"'})  # the site learns conditions: they are kept also of what is not unpacked
    assert pulled() == ("unchanged", False)
    assert shelf.feeds["ann", feed.url].etag == '"2"'
    shown(one, level=1)  # the same words, packed in another way
    assert pulled() == ("unchanged", True)
    assert pulled() == ("unchanged", False)
    shown(rss("B", post("Two", "words", tag="cs101"), post("One", "words " * 50, tag="cs101")))
    assert pulled() == ("new", True)
    blogs.show("/ann", gzip.compress(one.encode(), mtime=0)[:-9], headers={"Content-Encoding": "gzip"})
    assert pulled() == ("failed", True)


def test_the_same_bytes_said_to_be_packed_in_another_way_are_not_the_same(blogs: FakeBlogs) -> None:
    packed = gzip.compress(rss("B", post("One", "words", tag="cs101")).encode(), mtime=0)
    url = blogs.show("/ann", packed, headers={"Content-Encoding": "gzip"})
    shelf = Shelf()
    shelf.pull(ann(url))
    blogs.show("/ann", packed)
    assert [each.outcome for each in shelf.pull(ann(url))] == ["failed"]


def test_a_new_tag_of_the_course_finds_posts_in_a_feed_that_did_not_change(blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B", post("One", "#cs101 #week3", guid="1")), headers={"ETag": '"1"'})
    shelf = Shelf()
    (before,) = shelf.pull(ann(url), tags=frozenset({"cs102"}))
    (after,) = shelf.pull(ann(url), tags=frozenset({"cs102", "week3"}))
    assert (before.new, after.new) == ((), ("One",))


def test_an_edit_is_a_change_and_a_new_space_is_none(blogs: FakeBlogs) -> None:
    shelf = Shelf()
    url = blogs.show("/feed", rss("B", post("One", "<p>#cs101 a</p>", guid="1")))
    shelf.pull(ann(url))
    blogs.show("/feed", rss("B", post("One", "<p>#cs101   a</p> ", guid="1")))
    assert [pulled.outcome for pulled in shelf.pull(ann(url))] == ["unchanged"]
    blogs.show("/feed", rss("B", post("One", "<p>#cs101 b</p>", guid="1")))
    assert [pulled.changed for pulled in shelf.pull(ann(url))] == [("One",)]


def test_one_post_twice_in_a_document_is_one(blogs: FakeBlogs) -> None:
    one = post("One", "#cs101", guid="g", link="https://b.example/1")
    other = post("Other", "#cs101", guid="g", link="https://b.example/2")
    shelf = Shelf()
    (pulled,) = shelf.pull(ann(blogs.show("/feed", rss("B", one, other, one))))
    assert pulled.new == ("One", "Other")


# -- sites that fail -------------------------------------------------------------------------------------------------


def test_one_bad_blog_never_stops_the_class(blogs: FakeBlogs) -> None:
    good = [
        Feed(person=f"p{n}", url=blogs.show(f"/{n}", rss("B", post(f"{n}", "#cs101", guid="1")))) for n in range(40)
    ]
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        bad = [
            Feed(person="gone", url=blogs.url("/nothing")),
            Feed(person="broken", url=blogs.show("/broken", "x", status=500)),
            Feed(person="page", url=blogs.show("/page", "<!doctype html><p>hi", content_type="text/html")),
            Feed(person="deaf", url=f"http://127.0.0.1:{unheard.getsockname()[1]}/"),
            Feed(person="slip", url="blog.example/feed"),
        ]
        shelf = Shelf()
        found = shelf.pull(*bad, *good)
    assert [pulled.person for pulled in found] == [feed.person for feed in (*bad, *good)]
    assert [pulled.outcome for pulled in found] == ["failed"] * 5 + ["new"] * 40
    words = {pulled.person: pulled.error for pulled in found[:5]}
    assert words["gone"].startswith("There is nothing at this address (404).")
    assert words["broken"].startswith("Your site answered with an error (500).")
    assert words["page"].startswith("That address shows a web page, not a feed.")
    assert words["deaf"].startswith("127.0.0.1 could not be reached.")
    assert words["slip"] == "'blog.example/feed' is not a web address; it should begin with https://."
    assert all(shelf.feeds[feed.person, feed.url].error == words[feed.person] for feed in bad)


def test_a_failure_keeps_what_was_known_and_a_success_clears_it(blogs: FakeBlogs) -> None:
    shelf = Shelf()
    document = rss("B", post("One", "#cs101", guid="1"))
    url = blogs.show("/feed", document, headers={"ETag": '"1"'})
    shelf.pull(ann(url))
    before = shelf.feeds["ann", url]
    blogs.show("/feed", "no", status=503)
    shelf.pull(ann(url))
    failed = shelf.feeds["ann", url]
    assert (failed.etag, failed.body, failed.succeeded) == (before.etag, before.body, before.succeeded)
    assert "(503)" in failed.error
    blogs.show("/feed", document, headers={"ETag": '"1"'})
    assert [pulled.outcome for pulled in shelf.pull(ann(url))] == ["unchanged"]
    assert shelf.feeds["ann", url].error == ""


def test_a_post_that_is_left_out_is_told_and_the_others_come(blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B", post("Fine", "#cs101", guid="1"), post("Huge", "#cs101" * 60_000, guid="2")))
    (pulled,) = Shelf().pull(ann(url))
    assert (pulled.outcome, pulled.new) == ("new", ("Fine",))
    assert pulled.error == "“Huge” was left out: it is longer than 256 kB."


def test_a_store_that_fails_ends_the_pull(blogs: FakeBlogs) -> None:
    feed = ann(blogs.show("/feed", rss("B", post("One", "#cs101", guid="1"))))

    def keep(feed: Feed, entries: Sequence[Entry]) -> Changes:
        raise StoreError("The database is full.")

    with pytest.raises(StoreError, match="full"):
        awaited(pull([feed], {}, keep, now=lambda: NOW, agent=AGENT, allow_private=True))


# -- the guard -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.88.99.1", "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0"),
        *(
            "fc00::1",
            "fec0::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "ff02::1",
            "no address",
        ),
    ],
)
def test_addresses_inside_somebodys_network_are_not_dialled(address: str) -> None:
    assert not is_public(address)


def test_addresses_of_the_public_internet_are_dialled() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")
    assert is_public("::ffff:93.184.216.34")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_loopback_is_refused_however_it_is_spelled(host: str) -> None:
    with pytest.raises(
        FeedError, match=r"not on the public internet|not a web address|could not be reached|no site named"
    ):
        fetch(f"http://{host}/feed", allow_private=False)


def test_loopback_is_refused_in_words_and_nothing_was_asked(blogs: FakeBlogs) -> None:
    (pulled,) = Shelf().pull(ann("http://localhost/feed"), allow_private=False)
    assert pulled.error == "localhost is not on the public internet, so its feed cannot be fetched."
    (other,) = Shelf().pull(ann(blogs.url("/feed")), allow_private=False)
    assert other.error.startswith("Feeds are only fetched from the web's own ports")
    assert blogs.asked == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://blog.example/feed", "not a web address"),
        ("file:///etc/passwd", "not a web address"),
        ("https://", "not a web address"),
        ("http://[broken/", "not a web address"),
        ("https://ann:secret@blog.example/feed", "name or password"),
        ("https://blog.example:8443/feed", "names port 8443"),
    ],
)
def test_only_public_web_addresses_are_asked(address: str, words: str) -> None:
    with pytest.raises(FeedError, match=words) as refused:
        fetch(address, allow_private=False)
    assert "secret" not in str(refused.value)


def test_a_feed_that_moved_is_followed_with_its_conditions(blogs: FakeBlogs) -> None:
    blogs.send_on("/old", "/new?x=1", status=301)
    blogs.show("/new?x=1", rss("B"), headers={"ETag": '"1"'})
    fetched = fetch(blogs.url("/old"))
    assert fetched
    assert fetched.url == blogs.url("/new?x=1")
    assert fetch(blogs.url("/old"), etag='"1"') is None


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("/round", "more than 5 times"),
        ("file:///etc/passwd", "not a web address"),
        ("http://ann:secret@blog.example/", "name or password"),
        ("http://[broken/", "not an address"),
    ],
)
def test_every_step_of_a_redirect_is_judged(blogs: FakeBlogs, to: str, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        fetch(blogs.send_on("/round", to))


def test_limits_hold_for_what_is_sent_and_for_what_it_unpacks_to(blogs: FakeBlogs) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    packed = blogs.show("/bomb", bomb, headers={"Content-Encoding": "gzip"})
    plain = blogs.show("/plain", b" " * (5 * 1024 * 1024 + 1))
    for url in (packed, plain):
        with pytest.raises(FeedError, match="too big"):
            fetch(url)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"x" * 100_000, mtime=0)),
        ("x-gzip", gzip.compress(b"x" * 40_000, mtime=0) + gzip.compress(b"x" * 60_000, mtime=0)),
        ("deflate", zlib.compress(b"x" * 100_000)),
        ("deflate", raw_deflate(b"x" * 100_000)),
        ("identity", b"x" * 100_000),
    ],
)
def test_a_packed_feed_is_unpacked_in_every_usual_way(blogs: FakeBlogs, encoding: str, packed: bytes) -> None:
    fetched = fetch(blogs.show("/feed", packed, headers={"Content-Encoding": encoding}))
    assert fetched
    assert fetched.body == b"x" * 100_000


@pytest.mark.parametrize(
    ("encoding", "packed", "words"),
    [
        ("br", b"x", "not asked for"),
        ("gzip, gzip", b"x", "not asked for"),
        ("gzip", b"this is not gzip", "packed wrongly"),
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:-9], "stopped in the middle"),
    ],
)
def test_a_badly_packed_feed_is_refused_in_words(blogs: FakeBlogs, encoding: str, packed: bytes, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        fetch(blogs.show("/feed", packed, headers={"Content-Encoding": encoding}))


def test_a_site_that_never_ends_is_left_at_the_deadline(blogs: FakeBlogs) -> None:
    left = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        try:
            while not left.wait(0.05):
                request.wfile.write(b" ")
        except OSError:
            left.set()

    with pytest.raises(FeedError, match="did not answer within 1 seconds"):
        fetch(blogs.answer("/drip", drip), seconds=0.6)
    assert left.wait(10), "the connection stayed open"


def test_a_site_that_hangs_up_in_the_middle_is_told_in_words(blogs: FakeBlogs) -> None:
    def stop(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"<rss")
        request.close_connection = True

    with pytest.raises(FeedError, match="stopped in the middle"):
        fetch(blogs.answer("/feed", stop))


def test_headers_without_end_are_refused(blogs: FakeBlogs) -> None:
    url = blogs.show("/feed", rss("B"), headers={"X-Long": "x" * 100_000})
    with pytest.raises(FeedError, match="do not understand"):
        fetch(url)


def test_a_stamp_that_cannot_be_kept_is_not_sent_back(blogs: FakeBlogs) -> None:
    fetched = fetch(blogs.show("/feed", rss("B"), headers={"ETag": '"\xe9"', "Last-Modified": "x" * 2000}))
    assert fetched
    assert (fetched.etag, fetched.last_modified) == ("", "")


def test_a_host_is_never_asked_for_more_than_two_feeds_at_a_time(blogs: FakeBlogs) -> None:
    guard = threading.Lock()
    pair = threading.Barrier(2, timeout=30)
    now, most = 0, 0

    def count(request: BaseHTTPRequestHandler) -> None:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
        pair.wait()  # two are asked for together, so that a third would be seen
        body = rss("B").encode()
        with guard:
            now -= 1
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    feeds = [Feed(person=f"p{number}", url=blogs.answer(f"/{number}", count)) for number in range(30)]
    assert {pulled.outcome for pulled in Shelf().pull(*feeds)} == {"unchanged"}
    assert len(blogs.asked) == 30
    assert most == 2
