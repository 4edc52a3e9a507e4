"""Feeds that come at one time are kept in one step, and nobody waits for somebody who is not on the way."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from reviewkit import listing
from reviewkit.feeds import keeping
from reviewkit.feeds.keeping import KeepFailed, Keeping
from reviewkit.listing import Listed
from reviewkit.model import Entry, Feed
from tests.serving import awaited


@dataclass(frozen=True)
class Told:
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Desk:
    """Notes each step: who was kept in it. The first so many steps fail."""

    def __init__(self, failing: int = 0) -> None:
        self.steps: list[list[str]] = []
        self.failing = failing
        self.busy = threading.Lock()

    def keep(self, feed: Feed, _: Sequence[Entry]) -> Told:
        return self.keep_all([(feed, ())])[0]

    def keep_states(self, feeds: Sequence[Feed]) -> None:
        self.keep_all([(feed, ()) for feed in feeds])

    def keep_all(self, found: Sequence[tuple[Feed, Sequence[Entry]]]) -> list[Told]:
        assert self.busy.acquire(blocking=False), "two steps at one time"
        try:
            self.steps.append([feed.person for feed, _ in found])
            if len(self.steps) <= self.failing:
                raise OSError("the disk is full")
            return [Told(new=(feed.person,)) for feed, _ in found]
        finally:
            self.busy.release()


def a_feed(person: object, **more: Any) -> Feed:
    return Feed(person=str(person), url="https://blog.example/feed", **more)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for its time and not for an event runs into the test's own end."""
    monkeypatch.setattr(keeping, "SOON", 1000.0)


def test_one_that_comes_alone_waits_for_nobody() -> None:
    desk = Desk()

    async def whole() -> None:
        kept = Keeping(desk.keep, desk.keep_states, desk.keep_all)
        for _ in range(2):
            with kept.expected():
                assert (await kept.posts(a_feed("ann"), ())).new == ("ann",)
            with kept.expected():
                await kept.state(a_feed("bob"))

    awaited(whole())
    assert desk.steps == [["ann"], ["bob"], ["ann"], ["bob"]]


def test_those_that_are_on_their_way_are_waited_for_and_kept_together() -> None:
    desk = Desk()

    async def whole() -> None:
        kept = Keeping(desk.keep, desk.keep_states, desk.keep_all)

        async def one(number: int) -> None:
            with kept.expected():
                await asyncio.sleep(0)  # as every pull has to wait for its site
                if number % 2:
                    assert (await kept.posts(a_feed(number), ())).new == (str(number),)
                else:
                    await kept.state(a_feed(number))

        await asyncio.gather(*map(one, range(10)))
        await kept.ended()

    awaited(whole())
    assert sorted(desk.steps) == [["0", "2", "4", "6", "8"], ["1", "3", "5", "7", "9"]]


def test_one_that_ends_without_a_word_is_waited_for_no_longer() -> None:
    desk = Desk()

    async def whole() -> None:
        kept = Keeping(desk.keep, desk.keep_states, desk.keep_all)
        with kept.expected():
            other = ExitStack()
            other.enter_context(kept.expected())
            waiting = asyncio.create_task(kept.state(a_feed("ann")))
            await asyncio.sleep(0)
            assert desk.steps == []
            other.close()
            await waiting

    awaited(whole())
    assert desk.steps == [["ann"]]


def test_no_step_is_longer_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "TOGETHER", 4)
    desk = Desk()

    async def whole() -> None:
        kept = Keeping(desk.keep, desk.keep_states, desk.keep_all)

        async def one(number: int) -> None:
            with kept.expected():
                await kept.posts(a_feed(number), ())

        with kept.expected():  # somebody who never comes: full steps do not wait for them
            await asyncio.gather(*map(one, range(8)))

    awaited(whole())
    assert [len(each) for each in desk.steps] == [4, 4]


def test_after_a_step_that_fails_each_is_kept_by_itself_and_a_state_says_why() -> None:
    desk = Desk(failing=1)

    async def whole(kept: Keeping) -> None:
        async def one(number: int) -> Sequence[str]:
            with kept.expected():
                return (await kept.posts(a_feed(number), ())).new

        assert await asyncio.gather(*map(one, range(3))) == [("0",), ("1",), ("2",)]

    awaited(whole(Keeping(desk.keep, desk.keep_states, desk.keep_all)))
    assert [len(each) for each in desk.steps] == [3, 1, 1, 1]

    desk = Desk(failing=9)

    async def failing(kept: Keeping) -> None:
        for keep in (lambda: kept.state(a_feed("ann")), lambda: kept.posts(a_feed("ann"), ())):
            with pytest.raises(KeepFailed) as told, kept.expected():
                await keep()
            assert isinstance(told.value.cause, OSError)

    awaited(failing(Keeping(desk.keep, desk.keep_states, desk.keep_all)))


def test_whoever_is_cancelled_takes_nobody_along() -> None:
    desk = Desk()

    async def whole() -> None:
        kept = Keeping(desk.keep, desk.keep_states, desk.keep_all)

        async def one(person: str) -> None:
            with kept.expected():
                await kept.state(a_feed(person))

        with kept.expected():
            first, second = (asyncio.create_task(one(person)) for person in ("ann", "bob"))
            while kept.waiting != 2:
                await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait({first})
        await second
        await kept.ended()

    awaited(whole())
    assert desk.steps == [["ann", "bob"]]


def test_a_feed_that_lost_a_post_is_kept_as_one_with_posts() -> None:
    desk = Desk()
    lost = listing.write([Listed("", "1", missing=listing.TWICE)])

    async def whole() -> None:
        kept = Keeping(desk.keep, desk.keep_states, None)
        with kept.expected():  # somebody who never comes
            await kept.state(a_feed("ann", listing=lost))

    awaited(whole())
    assert desk.steps == [["ann"]]


@pytest.mark.parametrize(
    ("missing", "misses"),
    [([], False), ([0], False), ([0, 0], False), ([1], True), ([0, 1], True), ([1, 0], True), ([0, 2, 0], True)],
)
def test_whether_a_feed_misses_something_is_told_by_its_list(missing: list[int], misses: bool) -> None:
    text = listing.write([Listed("a0", f"{number}0", "0", each) for number, each in enumerate(missing)])
    assert listing.misses(text) == misses == any(each.missing for each in listing.read(text))
    assert listing.gone(text) == {f"{number}0" for number, each in enumerate(missing) if each >= listing.TWICE}
