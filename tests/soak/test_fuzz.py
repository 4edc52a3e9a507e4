"""Documents that no program ever wrote, for minutes: each is read or refused in words, within its time and memory."""

import asyncio
import random
from pathlib import Path

import psutil
import pytest

from reviewkit.errors import FeedError
from reviewkit.feeds.tasks import SECONDS
from reviewkit.feeds.workers import Workers, end_idle
from tests.serving import awaited

pytestmark = pytest.mark.soak

CRAFTED = Path(__file__).parents[1] / "data" / "feeds" / "crafted"
STORM_SECONDS = 240
PIECES = [
    *(b"<", b">", b"&", b"]]>", b"<![CDATA[", b"\x00", b"\xff", b"\xe2\x80", b"<!--", b"-->", b"<item>", b"</item>"),
    *(b"<entry>", b"</channel>", b"&#x110000;", b"&amp;amp;", b"<?xml", b"xmlns:a='b'", b"{", b"}", b'"', b"\\ud800"),
    *(b"<div>" * 300, b"<svg>" + b"<td>" * 5000, b"<a><b>" * 3000, b"<!--" * 5000, b"&lt;p&gt;" * 5000, b"[" * 2000),
    *(b"<table>" * 500, b"<font size=1>" * 2000 + b"<p>" * 2000, b"0001-01-01", b"9" * 5000, "\u202e\u200b".encode()),
]


def mutated(dice: random.Random, documents: list[bytes]) -> bytes:
    body = dice.choice(documents)
    for _ in range(dice.randrange(1, 12)):
        at, length = dice.randrange(len(body) + 1), dice.randrange(40)
        match dice.randrange(5):
            case 0:
                body = body[:at] + dice.choice(PIECES) + body[at:]
            case 1:
                body = body[:at] + body[at + length :]
            case 2:
                body = body[:at] + body[at : at + 2000] * dice.randrange(1, 60) + body[at:]
            case 3:
                other = dice.choice(documents)
                body = body[:at] + other[dice.randrange(len(other)) :][: dice.randrange(5000)] + body[at:]
            case _:
                body = body[:at] + dice.randbytes(length) + body[at + length :]
    return body[: 2 * 1024 * 1024]


@pytest.mark.timeout(STORM_SECONDS + 120)
def test_mutated_documents_are_read_or_refused_within_their_time_and_memory() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    documents = [path.read_bytes() for path in sorted(CRAFTED.iterdir())]
    outcomes = {"read": 0, "refused": 0}
    longest, most = 0.0, 0

    async def one(workers: Workers) -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        body = mutated(dice, documents)
        began = loop.time()
        try:
            await workers.parse(body, url="https://blog.example/feed")
            outcomes["read"] += 1
        except FeedError:
            outcomes["refused"] += 1
        longest = max(longest, loop.time() - began)

    async def watch() -> None:
        nonlocal most
        while True:
            for worker in psutil.Process().children():
                try:
                    if "reviewkit.feeds.reading" in worker.cmdline():
                        most = max(most, worker.memory_info().rss)
                except psutil.Error:
                    continue
            await asyncio.sleep(0.02)

    async def storm() -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + STORM_SECONDS
        watching = asyncio.create_task(watch())
        async with Workers() as workers:
            while loop.time() < until:
                await asyncio.gather(one(workers), one(workers))
        watching.cancel()

    awaited(storm())
    end_idle()
    print(f"seed {seed}: {outcomes}, longest {longest:.1f} s, most memory {most / 1e6:.0f} MB")
    assert outcomes["read"] > 50
    assert outcomes["refused"] > 5
    assert most < 200_000_000, f"seed {seed}"
    # A worker that had to be killed is started anew within the same call.
    assert longest < SECONDS + 10, f"seed {seed}"
