"""Sites that lead a pull on without end: older pages, articles and pictures that never come. It ends in its time, and
good sites beside them are pulled as if nothing was. The real minute in tests/soak/test_hostile.py."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from time import monotonic

import pytest

from reviewkit.course import Course
from reviewkit.feeds import Pulled, further
from reviewkit.feeds.workers import Workers
from reviewkit.model import Person
from reviewkit.store import Store
from tests.blogs import Answer, FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, Clock, a_setup
from tests.serving import awaited

GOOD = 8
STARTS = datetime(2026, 1, 1, tzinfo=UTC)
NEXT = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{}"/>'


@pytest.fixture
def over() -> Iterator[threading.Event]:
    over = threading.Event()
    yield over
    over.set()


@pytest.fixture
def blogs(over: threading.Event) -> Iterator[FakeBlogs]:
    with fake_blogs() as blogs:
        yield blogs
        over.set()  # before the server waits for those that it answers


def dripping(over: threading.Event) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        while not over.wait(0.2):
            request.wfile.write(b" ")

    return answer


def a_page(blogs: FakeBlogs, number: int, wait: threading.Event | None) -> str:
    """One of a thousand pages, each with a post of its own and the next page."""
    head = NEXT.format(f"/endless/{number + 1}")
    one = post(f"Post {number}", "words", tag="datastories", guid=f"e{number}", date="Mon, 02 Feb 2026 10:00:00 GMT")
    body = rss("Endless", one).replace("<channel>", f"<channel>{head}").encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        if wait:
            wait.wait(0.3)
        request.send_response(200)
        request.send_header("Content-Type", "application/rss+xml")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return blogs.answer(f"/endless/{number}", answer)


def excerpts(blogs: FakeBlogs, name: str, over: threading.Event) -> str:
    """Thirty beginnings of articles whose pages never end."""
    items = []
    for number in range(30):
        page = blogs.answer(f"/{name}/{number}", dripping(over))
        items.append(
            post(f"Post {number}", "How it begins [&#8230;]", tag="datastories", link=page, guid=f"{name}{number}")
        )
    return blogs.show(f"/{name}", rss(name, *items))


def pictures(blogs: FakeBlogs, over: threading.Event) -> str:
    shown = "".join(f'<img src="{blogs.answer(f"/p/{n}", dripping(over))}" alt="p{n}">' for n in range(40))
    return blogs.show("/pictures", rss("P", post("Pictures", f"<p>words</p>{shown}", tag="datastories", guid="p")))


def hanging_page(blogs: FakeBlogs, over: threading.Event) -> str:
    one = post("Kept", "words", tag="datastories", guid="h", date="Mon, 02 Feb 2026 10:00:00 GMT")
    blogs.answer("/hanging/2", dripping(over))
    return blogs.show("/hanging", rss("H", one).replace("<channel>", f"<channel>{NEXT.format('/hanging/2')}"))


def pulled(store: Store, feeds: Sequence[tuple[str, str]]) -> tuple[dict[str, Pulled], list[str], float]:
    """What came of each, in what order they were done, and after how many seconds the pull was over."""
    people: list[Person] = [replace(ANN, id=name, name=name, feeds=(url,)) for name, url in feeds]
    store.keep_course(replace(a_setup(), starts=STARTS), people, [])
    done: list[str] = []
    began = monotonic()
    found = Course(store, clock=Clock(), allow_private=True).pull(progress=lambda each: done.append(each.person))
    return {each.person: each for each in found}, done, monotonic() - began


def led_on(blogs: FakeBlogs, over: threading.Event) -> list[tuple[str, str]]:
    for number in range(further.PAGES + 5):
        a_page(blogs, number, over)
    return [
        ("endless", blogs.url("/endless/0")),
        ("hanging", hanging_page(blogs, over)),
        ("articles", excerpts(blogs, "articles", over)),
        ("pictures", pictures(blogs, over)),
    ]


def good_ones(blogs: FakeBlogs) -> list[tuple[str, str]]:
    def one(number: int) -> str:
        items = [post(f"G{n}", "words", tag="datastories", guid=f"g{number}-{n}") for n in range(3)]
        return blogs.show(f"/good/{number}", rss("G", *items))

    return [(f"good{number}", one(number)) for number in range(GOOD)]


def test_sites_that_lead_on_without_end_stretch_a_pull_no_longer_than_stated(
    sqlite_store: Store, blogs: FakeBlogs, over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> None:
        async with Workers() as workers:
            await asyncio.gather(*(workers.parse(rss("Before").encode(), url=blogs.address) for _ in range(30)))

    awaited(read())  # now what reads documents has started: no time goes by with that
    monkeypatch.setattr(further, "SECONDS", 4.0)
    monkeypatch.setattr("reviewkit.feeds.fetch.PER_HOST", 64)  # they are hosts of their own, but for this machine
    bad, fine = led_on(blogs, over), good_ones(blogs)
    found, done, seconds = pulled(sqlite_store, [*bad, *fine])
    assert {name: len(found[name].new) for name, _ in fine} == dict.fromkeys((name for name, _ in fine), 3)
    assert {each.outcome for each in found.values()} == {"new"}, "what the sites did show is kept"
    assert set(done[:GOOD]) == {name for name, _ in fine}, "nobody waits for them"
    assert seconds < 40, "the four seconds, and what a busy machine adds"
    asked = [each.path for each in blogs.asked]
    assert sum(path.startswith("/endless/") for path in asked) <= 1 + further.PAGES
    assert len(found["articles"].new) == 30
    assert sum(path.startswith("/articles/") for path in asked) <= further.ARTICLES
    assert sum(path.startswith("/p/") for path in asked) <= 4, "the two that are fetched at a time, and no others after"


def test_older_pages_without_end_are_asked_for_so_often_and_no_more(sqlite_store: Store, blogs: FakeBlogs) -> None:
    for number in range(further.PAGES + 5):
        a_page(blogs, number, None)
    found, _, _ = pulled(sqlite_store, [("endless", blogs.url("/endless/0"))])
    assert len(found["endless"].new) == 1 + further.PAGES == len(blogs.asked)
