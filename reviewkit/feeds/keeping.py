"""What several feeds of one pull bring is kept in one step: most of what a step costs is its beginning and its end."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from reviewkit import listing
from reviewkit.feeds import Kept
from reviewkit.model import Entry, Feed

SOON = 0.2
"""Seconds that a feed waits for others at most; where no other is on its way, it waits for nobody."""
TOGETHER = 32
"""Feeds with posts that go in one step at once: a longer one would hold up those who write beside a pull."""
STATES_TOGETHER = 512
"""The same for feeds that showed nothing new."""

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")
KeepOne = Callable[[Feed, Sequence[Entry]], Kept]
KeepAll = Callable[[Sequence[tuple[Feed, Sequence[Entry]]]], Sequence[Kept]]
KeepStates = Callable[[Sequence[Feed]], object]


_log = logging.getLogger(__name__)


class KeepFailed(Exception):
    """Carries what the store raised past everything that excuses a site's failure."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Keeping:
    """Hands feeds to the store, in threads, never two steps at a time. The functions are those of `feeds.pull`."""

    def __init__(self, keep: KeepOne, keep_states: KeepStates | None = None, keep_all: KeepAll | None = None) -> None:
        self._keep = keep
        self._one_writer = asyncio.Lock()
        self._on_their_way = 0
        self.waiting = 0
        self._states = _Steps(_all_of(keep_states), STATES_TOGETHER, self._one_writer) if keep_states else None
        self._found = _Steps(keep_all, TOGETHER, self._one_writer) if keep_all else None

    @contextmanager
    def expected(self) -> Iterator[None]:
        """A feed is on its way here: others may wait for it."""
        self._on_their_way += 1
        try:
            yield
        finally:
            self._on_their_way -= 1
            self._go_on()

    async def ended(self) -> None:
        """Wait until nothing is being written any more; what has come in is written first."""
        for steps in (self._states, self._found):
            if steps is not None:
                await steps.ended()

    async def state(self, feed: Feed) -> None:
        """Keep a feed without entries. Raises KeepFailed, as all that are kept in the same step do."""
        if self._states is None or listing.gone(feed.listing):
            await self._alone(feed, ())
            return
        answer = await self._answered(self._states.take(feed))
        if isinstance(answer, Exception):
            raise KeepFailed(answer) from answer

    async def posts(self, feed: Feed, entries: Sequence[Entry]) -> Kept:
        """Keep a feed with its entries: with others, and by itself where that fails. Raises KeepFailed."""
        if self._found is not None:
            answer = await self._answered(self._found.take((feed, entries)))
            if not isinstance(answer, Exception):
                return answer
            _log.info("Several feeds could not be kept in one step")
        return await self._alone(feed, entries)

    async def _alone(self, feed: Feed, entries: Sequence[Entry]) -> Kept:
        async with self._one_writer:
            try:
                return await asyncio.to_thread(self._keep, feed, entries)
            except Exception as error:
                raise KeepFailed(error) from error

    async def _answered(self, answer: "asyncio.Future[Answer]") -> Answer:
        self.waiting += 1
        self._go_on()
        try:
            return await answer
        finally:
            self.waiting -= 1

    def _go_on(self) -> None:
        if self.waiting >= self._on_their_way:
            for steps in (self._states, self._found):
                if steps is not None:
                    steps.wait_no_longer()


class _Steps(Generic[Thing, Answer]):
    """Things of one kind, taken by `step` as many at a time as have come; everyone hears their own answer."""

    def __init__(self, step: Callable[[Sequence[Thing]], Sequence[Answer]], most: int, writer: asyncio.Lock) -> None:
        self._step = step
        self._most = most
        self._writer = writer
        self._come: list[tuple[Thing, asyncio.Future[Answer | Exception]]] = []
        self._now = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def take(self, thing: Thing) -> "asyncio.Future[Answer | Exception]":
        """What the step will answer for this thing, or what it raises for all of them."""
        mine: asyncio.Future[Answer | Exception] = asyncio.get_running_loop().create_future()
        self._come.append((thing, mine))
        if len(self._come) >= self._most:
            self._now.set()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._all())
        return mine

    def wait_no_longer(self) -> None:
        if self._come:
            self._now.set()

    async def ended(self) -> None:
        self._now.set()
        if self._work is not None:
            await asyncio.wait({self._work})

    async def _all(self) -> None:
        while self._come:
            with suppress(TimeoutError):
                async with asyncio.timeout(SOON):
                    await self._now.wait()
            async with self._writer:
                together, self._come = self._come[: self._most], self._come[self._most :]
                if not self._come:
                    self._now.clear()
                answers: Sequence[Answer | Exception]
                try:
                    answers = await asyncio.to_thread(self._step, [thing for thing, _ in together])
                    assert len(answers) == len(together), "everyone is answered"
                except Exception as error:  # noqa: BLE001 - each of them hears it
                    answers = [error] * len(together)
            for (_, theirs), answer in zip(together, answers, strict=True):
                if not theirs.done():
                    theirs.set_result(answer)


def _all_of(keep_states: KeepStates) -> Callable[[Sequence[Feed]], Sequence[None]]:
    def kept(feeds: Sequence[Feed]) -> Sequence[None]:
        keep_states(feeds)
        return [None] * len(feeds)

    return kept
