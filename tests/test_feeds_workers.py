"""Worker processes: a document is read elsewhere, within its time and memory, and costs nobody else anything."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from reviewkit.errors import FeedError
from reviewkit.feeds.parse import parse
from reviewkit.feeds.tasks import MEMORY
from reviewkit.feeds.workers import Workers, end_idle
from tests.blogs import post, rss
from tests.serving import awaited, wait_for

URL = "https://blog.example/feed"
GOOD = rss("B", post("One", "<p>words</p>", guid="1"), post("Two", "x", guid="2")).encode()
SLOW_PAGE = b"<!doctype html><p class=h-entry>" + b"<a href=x><b>" * 60_000
"""Formatting that never ends: an HTML parser opens all of it again for every paragraph."""
THIRSTY = b'{"version": "https://jsonfeed.org/version/1.1", "items": [' + b'{"a":[]},' * 900_000 + b"{}]}"
"""Eight megabytes that become several hundred as soon as they are objects."""


@pytest.fixture(autouse=True)
def no_workers_of_other_tests() -> Iterator[None]:
    end_idle()
    yield
    end_idle()


def running() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "reviewkit.feeds.reading" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.Error:
            continue
    return found


def test_a_document_reads_in_a_worker_as_it_does_here() -> None:
    async def read() -> object:
        async with Workers() as workers:
            return await workers.parse(GOOD, url=URL, content_type="application/rss+xml")

    assert awaited(read()) == parse(GOOD, url=URL, content_type="application/rss+xml")


def test_known_items_are_known_in_a_worker_too() -> None:
    async def read() -> int:
        async with Workers() as workers:
            first = await workers.parse(GOOD, url=URL)
            return len((await workers.parse(GOOD, url=URL, known=first.items)).entries)

    assert awaited(read()) == 0


def test_what_is_no_feed_is_refused_in_the_same_words() -> None:
    async def read() -> None:
        async with Workers() as workers:
            await workers.parse(b"<!doctype html><title>Hi</title>", url=URL)

    with pytest.raises(FeedError, match="shows a web page") as refused:
        awaited(read())
    assert refused.value.wrong
    assert refused.value.url == URL


def test_workers_start_when_they_are_needed_are_used_again_and_are_no_more_than_two() -> None:
    async def read() -> tuple[int, int]:
        async with Workers(slow_after=60) as workers:
            before = len(running())
            await asyncio.gather(*(workers.parse(GOOD, url=URL) for _ in range(30)))
            return before, len(running())

    assert awaited(read()) == (0, 2)
    workers = {worker.pid for worker in running()}
    awaited(read_one())
    assert {worker.pid for worker in running()} == workers


async def read_one() -> None:
    async with Workers() as workers:
        await workers.parse(GOOD, url=URL)


def test_a_document_that_takes_too_long_is_ended_and_the_others_do_not_wait_for_it() -> None:
    order: list[str] = []

    async def read() -> None:
        async with Workers() as both:
            await asyncio.gather(*(both.parse(GOOD, url=URL) for _ in range(30)))  # two have started
        async with Workers(seconds=4, places=1, slow_after=0.2) as workers:

            async def one(name: str, body: bytes) -> None:
                try:
                    await workers.parse(body, url=URL)
                    order.append(name)
                except FeedError as error:
                    order.append(str(error))

            await asyncio.gather(one("slow", SLOW_PAGE), *(one("good", GOOD) for _ in range(3)))

    awaited(read())
    assert order[:3] == ["good"] * 3
    assert "takes too long" in order[3] or "memory" in order[3]


def test_a_document_that_takes_too_much_memory_costs_only_itself() -> None:
    peak = 0

    async def read() -> str:
        nonlocal peak
        async with Workers() as workers:
            await workers.parse(GOOD, url=URL)
            (worker,) = running()

            async def watch() -> None:
                nonlocal peak
                while True:
                    try:
                        peak = max(peak, worker.memory_info().rss)
                    except psutil.Error:
                        return
                    await asyncio.sleep(0.01)

            watching = asyncio.create_task(watch())
            try:
                await workers.parse(THIRSTY, url=URL)
            except FeedError as error:
                return str(error)
            finally:
                watching.cancel()
                await workers.parse(GOOD, url=URL)
        return "read"

    assert "takes more memory" in awaited(read())
    assert 0 < peak < 200_000_000
    assert MEMORY < 200_000_000


def test_a_worker_that_is_killed_costs_its_document_and_is_replaced() -> None:
    async def read() -> str:
        async with Workers() as workers:
            await workers.parse(GOOD, url=URL)
            (worker,) = running()
            slow = asyncio.create_task(workers.parse(SLOW_PAGE, url=URL))
            while worker.cpu_times().user < 0.6 and not slow.done():
                await asyncio.sleep(0.02)
            os.kill(worker.pid, signal.SIGKILL)
            try:
                await slow
            except FeedError as error:
                await workers.parse(GOOD, url=URL)
                return str(error)
        return "read"

    assert "takes" in awaited(read())


def test_a_pull_that_is_cancelled_leaves_no_worker_at_work() -> None:
    async def read() -> None:
        async with Workers() as workers:
            slow = asyncio.create_task(workers.parse(SLOW_PAGE, url=URL))
            while not running():
                await asyncio.sleep(0.02)
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow

    awaited(read())
    wait_for(lambda: not running())


PARENT = """
import asyncio, sys
from reviewkit.feeds.workers import Workers

async def read():
    async with Workers() as workers:
        await workers.parse(sys.stdin.buffer.read(), url="https://blog.example/feed")
        print("read", flush=True)
        await asyncio.sleep(100)

asyncio.run(read())
"""


def test_workers_end_with_their_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin
    assert parent.stdout
    with parent:
        parent.stdin.write(GOOD)
        parent.stdin.close()
        assert parent.stdout.readline() == b"read\n"
        workers = psutil.Process(parent.pid).children()
        assert len(workers) == 1
        parent.kill()
    wait_for(lambda: not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers))


def test_a_worker_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWKIT_GOOGLE_KEY", "/a/secret.json")
    awaited(read_one())
    (worker,) = running()
    environment = Path(f"/proc/{worker.pid}/environ")
    if environment.exists():
        assert b"REVIEWKIT" not in environment.read_bytes()
