"""Looking up the names of a class's sites: many at a time, and nobody else waits for it."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reviewkit.errors import FeedError
from reviewkit.feeds import naming
from reviewkit.feeds.fetch import Fetcher
from reviewkit.feeds.naming import Names
from tests.blogs import fake_blogs, post, rss
from tests.serving import awaited

LOOPBACK = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


Tell = Callable[[Callable[[str], Any]], None]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Tell:
    def by(answer: Callable[[str], Any]) -> None:
        monkeypatch.setattr(naming, "getaddrinfo", lambda host, *_, **__: answer(host))

    return by


def test_many_names_are_looked_up_at_a_time(told: Tell) -> None:
    all_of_them = threading.Barrier(naming.LOOKUPS, timeout=60)  # nobody goes on before so many have come
    told(lambda _: (all_of_them.wait(), LOOPBACK)[1])

    async def whole() -> list[str]:
        names = Names()
        try:
            found = await asyncio.gather(*(names.resolve(f"{n}.example", 80) for n in range(naming.LOOKUPS)))
        finally:
            await names.close()
        return [each[0]["host"] for each in found]

    assert awaited(whole()) == ["127.0.0.1"] * naming.LOOKUPS


def test_neither_the_store_nor_the_end_of_a_pull_waits_for_names(told: Tell) -> None:
    answer = threading.Event()
    told(lambda _: (answer.wait(100), LOOPBACK)[1])

    async def whole() -> str:
        names = Names()
        asked = [asyncio.create_task(names.resolve(f"{n}.example", 80)) for n in range(2 * naming.LOOKUPS)]
        await asyncio.sleep(0)
        kept = await asyncio.to_thread(lambda: "kept")
        await names.close()
        assert not any(each.done() and not each.cancelled() for each in asked)
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        return kept

    try:
        assert awaited(whole()) == "kept"
    finally:
        answer.set()


def test_addresses_of_a_neighbour_on_the_wire_are_none(told: Tell) -> None:
    scoped = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", 80, 0, 2))
    public = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1111", 80, 0, 0))
    answers = {"both.example": [scoped, public], "one.example": [scoped]}
    told(lambda host: answers[host])

    async def whole(host: str) -> list[str]:
        names = Names()
        try:
            return [each["host"] for each in await names.resolve(host, 80)]
        finally:
            await names.close()

    assert awaited(whole("both.example")) == ["2606:4700::1111"]
    with pytest.raises(OSError, match="no address"):
        awaited(whole("one.example"))


def test_a_site_is_found_by_its_name_and_one_without_an_address_is_told_in_words(told: Tell) -> None:
    def answer(host: str) -> Any:
        if host == "blog.example":
            return LOOPBACK
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    told(answer)

    async def visited(url: str) -> bytes:
        async with Fetcher(agent="tests", allow_private=True) as fetcher:
            return (await fetcher.visit(url)).body

    with fake_blogs() as blogs:
        here = blogs.show("/ann", rss("Ann", post("One", "words"))).replace("127.0.0.1", "blog.example")
        assert b"One" in awaited(visited(here))
    with pytest.raises(FeedError, match=r"There is no site named gone\.example"):
        awaited(visited("http://gone.example/feed"))
