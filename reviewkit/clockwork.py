"""The course's clock: pulls on a schedule, does what the dates ask for, keeps the workbook in step.

One thing at a time, in a thread of its own, so that pages are answered meanwhile. Whatever fails is said in the log
and tried again at its next turn: one bad blog or a spreadsheet that is away never stops the clock.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from reviewkit.bugs import told
from reviewkit.course import Course
from reviewkit.errors import ReviewkitError
from reviewkit.feeds import Pulled
from reviewkit.feeds.schedule import is_due, next_due

LOG = logging.getLogger(__name__)
LOOK = 60.0
"""Seconds after which `keep_pulling` looks at the store again: others add feeds, or pull by hand."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often: dates are looked at (and feeds that are due), the workbook read; and how long a change rests before it
    is written, so that ten quick ones make one write. When a feed is due says `feeds.schedule`."""

    advance: timedelta = timedelta(seconds=20)
    sync: timedelta = timedelta(seconds=60)
    rest: timedelta = timedelta(seconds=2)


class Clockwork:
    """`run` until cancelled; `changed` when a turn was taken."""

    def __init__(
        self, course: Course, pace: Pace | None = None, *, ended: Callable[[str, bool], None] = lambda job, good: None
    ) -> None:
        """`ended` is told of each job (pull, advance, sync) and whether it went well."""
        self.course, self.pace, self.ended = course, pace or Pace(), ended
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="clockwork")
        self.news, self.acted = asyncio.Event(), False

    def changed(self) -> None:
        self.news.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        advance = sync = loop.time()
        while True:
            if loop.time() >= advance:
                await self._try("pull", "The feeds could not be pulled", self._pull)
                await self._try("advance", "The dates could not be looked at", self._advance)
                advance = loop.time() + self.pace.advance.total_seconds()
            if self.news.is_set() or self.acted or loop.time() >= sync:
                if self.news.is_set():  # perhaps somebody asked for their blog to be read
                    await self._try("pull", "The feeds could not be pulled", self._pull)
                self.news.clear()
                self.acted = False
                await self._try("sync", "The workbook could not be brought into step", self._sync)
                sync = loop.time() + self.pace.sync.total_seconds()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), max(0.0, min(advance, sync) - loop.time()))
                await asyncio.sleep(self.pace.rest.total_seconds())

    async def _try(self, name: str, failure: str, job: Callable[[], None]) -> None:
        good = False
        try:
            await asyncio.get_running_loop().run_in_executor(self.thread, job)
            good = True
        except ReviewkitError as error:
            LOG.warning("%s: %s", failure, error)
        except Exception as bug:  # noqa: BLE001 (the clock goes on; the bug is in the log)
            LOG.error("%s: %s", failure, told(bug))
        finally:
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

    def _sync(self) -> None:
        self.course.sync()


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
