"""The course's clock: pulls on a schedule, does what the dates ask for, keeps the workbook in step, empties outboxes.

Of all processes that serve a course, on however many machines, one keeps the clock: the one that holds its lease in the
store. It renews the lease while it lives; when it dies, another one has the lease as soon as it ends. What the clock
does is done once even when two believe for a moment that they keep it, for the store's rules hold for both.

One thing at a time, in a thread of its own, so that pages are answered meanwhile; outboxes and the lease wait for
nothing. Whatever fails is said in the log and tried again at its next turn: one bad blog or a spreadsheet that is away
never stops the clock.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from reviewkit.bugs import told
from reviewkit.course import Course
from reviewkit.errors import ReviewkitError
from reviewkit.feeds import Pulled
from reviewkit.feeds.schedule import is_due, next_due
from reviewkit.sheet import SheetBusy

LOG = logging.getLogger(__name__)
LEASE = "clock"
"""The name of the lease that whoever keeps the clock holds."""
LOOK = 60.0
"""Seconds after which `keep_pulling` looks at the store again: others add feeds, or pull by hand."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often: dates are looked at (and feeds that are due), the workbook read, outboxes looked at. How long a change
    rests before it is written, so that ten quick ones make one write. How long a lease holds that is not renewed: for
    so long the clock stands still when its keeper dies. When a feed is due says `feeds.schedule`."""

    advance: timedelta = timedelta(seconds=20)
    sync: timedelta = timedelta(seconds=60)
    rest: timedelta = timedelta(seconds=2)
    outbox: timedelta = timedelta(seconds=1)
    lease: timedelta = timedelta(seconds=30)


class Clockwork:
    """`run` until cancelled; `changed` when a turn was taken."""

    def __init__(
        self,
        course: Course,
        pace: Pace | None = None,
        *,
        ended: Callable[[str, bool], None] = lambda job, good: None,
        remind: Callable[[], object] = lambda: None,
    ) -> None:
        """`ended` is told of each job (pull, advance, remind, outbox, sync) and whether it went well; `remind` sees to
        the letters that today asks for."""
        self.course, self.pace, self.ended, self.remind = course, pace or Pace(), ended, remind
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="clockwork")
        self.quick = ThreadPoolExecutor(2, thread_name_prefix="outbox")
        self.news, self.acted = asyncio.Event(), False
        self.holder, self.until = uuid.uuid4().hex, 0.0
        self.won = asyncio.Event()
        self.sheet_rests = 0.0
        """Until then (monotonic seconds) the workbook is left alone, as it asked; what comes meanwhile is due then."""

    def changed(self) -> None:
        self.news.set()

    @property
    def keeps(self) -> bool:
        """Whether this process keeps the clock: its lease has not ended, however slow the store is by now."""
        return time.monotonic() < self.until

    async def run(self) -> None:
        """Until cancelled: try for the lease, and keep the clock whenever it is ours."""
        beside = [asyncio.create_task(self._hold()), asyncio.create_task(self._empty_outboxes())]
        try:
            while True:
                await self.won.wait()
                await self._keep()
                if not self.keeps:
                    self.won.clear()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if self.keeps:
                with suppress(ReviewkitError):  # it ends by itself
                    self.course.store.let_go(LEASE, self.holder)

    async def _hold(self) -> None:
        """Renew the lease, or try for it, three times within its length."""
        loop, length = asyncio.get_running_loop(), self.pace.lease
        while True:
            asked, now = time.monotonic(), self.course.clock()
            hold = partial(self.course.store.hold, LEASE, self.holder, now=now, until=now + length)
            kept = self.keeps
            try:
                ours = await loop.run_in_executor(self.quick, hold)
            except ReviewkitError as error:
                LOG.warning("Who keeps the clock could not be asked: %s", error)
            except Exception as bug:  # noqa: BLE001 (somebody must keep the clock; the bug is in the log)
                LOG.error("Who keeps the clock could not be asked: %s", told(bug))
            else:
                self.until = asked + length.total_seconds() if ours else 0.0
                if ours and not kept:
                    LOG.info("This process keeps the clock")
            (self.won.set if self.keeps else self.won.clear)()
            await asyncio.sleep(length.total_seconds() / 3)

    async def _empty_outboxes(self) -> None:
        while True:
            await self.won.wait()
            if self.keeps:
                await self._try("outbox", "What rests could not be done", self._flush, self.quick, said=False)
                if self.acted:
                    self.news.set()
            await asyncio.sleep(self.pace.outbox.total_seconds())

    async def _keep(self) -> None:
        """Do everything as it comes due, until the lease is somebody else's."""
        loop = asyncio.get_running_loop()
        advance = sync = loop.time()
        while self.keeps:
            if loop.time() >= advance:
                await self._try("pull", "The feeds could not be pulled", self._pull)
                await self._try("advance", "The dates could not be looked at", self._advance)
                await self._try("remind", "Letters could not be seen to", self._remind)
                advance = loop.time() + self.pace.advance.total_seconds()
            if self.news.is_set() or self.acted or loop.time() >= sync:
                if self.news.is_set():  # perhaps somebody asked for their blog to be read
                    await self._try("pull", "The feeds could not be pulled", self._pull)
                self.news.clear()
                self.acted = False
                if time.monotonic() >= self.sheet_rests:
                    await self._try("sync", "The workbook could not be brought into step", self._sync)
                sync = loop.time() + max(self.pace.sync.total_seconds(), self.sheet_rests - time.monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), max(0.0, min(advance, sync) - loop.time()))
                await asyncio.sleep(self.pace.rest.total_seconds())

    async def _try(
        self,
        name: str,
        failure: str,
        job: Callable[[], object],
        thread: ThreadPoolExecutor | None = None,
        *,
        said: bool = True,
    ) -> None:
        """Do a job; without `said` nobody is told when there was nothing to do."""
        good = False
        try:
            did = await asyncio.get_running_loop().run_in_executor(thread or self.thread, job)
            good, said = True, said or bool(did)
        except ReviewkitError as error:
            LOG.warning("%s: %s", failure, error)
        except Exception as bug:  # noqa: BLE001 (the clock goes on; the bug is in the log)
            LOG.error("%s: %s", failure, told(bug))
        if said or not good:
            self.ended(name, good)

    def _pull(self) -> None:
        """Pull what is due: the store remembers across restarts when each feed is tried again."""
        now = self.course.clock()
        if any(is_due(feed, now) for feed in self.course.store.feeds()):
            pulled = self.course.pull(due=True)
            failed = sum(each.outcome == "failed" for each in pulled)
            LOG.info("%s feeds were pulled, %s could not be read", len(pulled), failed)

    def _advance(self) -> None:
        done = self.course.advance()
        if done:
            LOG.info("The dates asked for %s steps", len(done))  # who and what they were about is nobody else's
            self.acted = True

    def _remind(self) -> None:
        self.remind()

    def _sync(self) -> None:
        try:
            self.course.sync()
        except SheetBusy as busy:
            self.sheet_rests = time.monotonic() + busy.wait
            raise

    def _flush(self) -> list[str]:
        done = self.course.flush()
        if done:
            LOG.info("%s acts had rested and were done", len(done))
            self.acted = True
        return done


def keep_pulling(
    course: Course,
    *,
    told: Callable[[Pulled], None],
    trouble: Callable[[ReviewkitError], None],
    rest: Callable[[float], None] = time.sleep,
) -> None:
    """Pull what is due, for ever: `pull --watch`, for those who serve no pages.

    `told` hears of each feed, `trouble` of what kept a turn from being taken (it is tried again). Only what `rest` or
    a signal raises ends it; a feed that is under way then is whole or not begun.
    """
    while True:
        try:
            course.pull(due=True, progress=told)
            now = course.clock()
            times = [at for feed in course.store.feeds() if (at := next_due(feed)) is not None and at > now]
            pause = min([LOOK, *((at - now).total_seconds() for at in times)])
        except ReviewkitError as error:
            trouble(error)
            pause = LOOK
        rest(max(1.0, pause))
