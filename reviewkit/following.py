"""Pages follow the course: what somebody did reaches the pages whose view it changes, and no other.

A page asks with the mark of the view that it shows, and is answered when its view is another one. Whether it is, is
found out here: a page to which an act changes nothing is sent nothing, so that a blind review that comes in cannot be
seen in anybody's network traffic. What somebody's own typing changes reaches their pages at once for the same reason:
it must not wait for the act of somebody else.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from reviewkit.bugs import told
from reviewkit.course import Course
from reviewkit.errors import ReviewkitError
from reviewkit.model import Setup
from reviewkit.screens.marks import mark_of
from reviewkit.signing import PageToken
from reviewkit.store import Marks

LOG = logging.getLogger(__name__)
BEAT = 1.0
"""Seconds between two looks at the store, and at least between two looks at one page's view."""
SHARE = 8
"""A view that takes long is looked at more rarely: a page never takes more than one part in so many of a processor."""
KEPT = 20.0
"""Seconds for which the last view of a page is remembered that does not wait, or not yet."""

Look = Callable[[Course, PageToken, Mapping[str, Any]], dict[str, Any]]
Stamp = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A view and its mark."""

    view: dict[str, Any]
    mark: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """What was last found out about a page: with this state of the store its view at that place has this mark."""

    stamp: Stamp
    params: str
    mark: str
    again: float
    """When its view may be looked at again (monotonic seconds)."""


@dataclass(eq=False, kw_only=True)
class Waiter:
    """A page that waits."""

    page: PageToken
    gone: Callable[[], bool]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


class Following:
    """Tells pages of changes. Everything here runs on one event loop, views and queries in one thread beside it."""

    def __init__(self, course: Course, look: Look) -> None:
        self.course, self.look, self.glance = course, look, course.glance()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="following")
        self.waiting: dict[str, Waiter] = {}
        self.known: dict[str, Known] = {}
        self.beat, self.marks, self.staff = "", Marks(), frozenset[str]()
        self.setup: Setup | None = None
        self.day: tuple[date | None, int] = (None, 0)
        self.looked = 0.0
        """When the last look at the store began (monotonic seconds)."""
        self.acted = asyncio.Event()
        self.watch: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Somebody acted here: look soon."""
        self.acted.set()

    def stamp(self, person: str) -> Stamp | None:
        """What is known of the course before a person's view is made; None before the first look."""
        return self._stamp(person) if self.beat else None

    def shown(self, page: PageToken, params: Mapping[str, Any], mark: str, stamp: Stamp | None) -> None:
        """A page was just given its view, begun at that stamp: then it need not be made again only to follow it.

        The view may be newer than the stamp. Then the stamp is another one at the next look, and so is nothing missed.
        """
        if stamp is not None:
            again = time.monotonic() + BEAT
            self._keep(page, Known(stamp=stamp, params=_place(params), mark=mark, again=again))

    async def close(self) -> None:
        """Answer everybody that nothing has changed, and watch no more."""
        for waiter in self.waiting.values():
            self._end(waiter)
        if self.watch is not None:
            self.watch.cancel()
            with suppress(asyncio.CancelledError):
                await self.watch
        self.thread.shutdown(wait=False)

    async def follow(
        self, page: PageToken, params: Mapping[str, Any], mark: str, gone: Callable[[], bool] = lambda: False
    ) -> Fresh | None:
        """The page's view as soon as it has another mark, however long that takes: a page that waits never wakes up.
        None when it is `gone`, asks again or all ends here. Raises what looking at it raises.

        A page asks once at a time: what it asked before ends here.
        """
        if page.page in self.waiting:
            self._end(self.waiting[page.page])
        waiter = self.waiting[page.page] = Waiter(page=page, gone=gone)
        if self.watch is None or self.watch.done():
            self.watch = asyncio.create_task(self._watch())
        try:
            return await self._news(waiter, params, mark)
        finally:
            if self.waiting.get(page.page) is waiter:
                del self.waiting[page.page]
                if waiter.gone():
                    self.known.pop(page.page, None)

    async def _news(self, waiter: Waiter, params: Mapping[str, Any], mark: str) -> Fresh | None:
        id, place, asked = waiter.page.page, _place(params), time.monotonic()
        if not self.beat:
            await self._look()
        while not waiter.over:
            waiter.news.clear()
            known, stamp = self.known.get(id), self._stamp(waiter.page.person)
            if known is None or (known.stamp, known.params, known.mark) != (stamp, place, mark):
                await asyncio.sleep(known.again - time.monotonic() if known else 0)
                if waiter.over or waiter.gone():
                    break
                if self.looked < asked:
                    # What the page shows may be newer than the last look: its own act a moment ago. An older view
                    # must not take that back.
                    await self._look()
                stamp = self._stamp(waiter.page.person)
                fresh = await self._fresh(waiter.page, params, place, stamp)
                if waiter.over:
                    break
                if fresh.mark != mark:
                    return fresh
                continue
            await waiter.news.wait()
        return None

    async def _fresh(self, page: PageToken, params: Mapping[str, Any], place: str, stamp: Stamp) -> Fresh:
        course = self.glance

        def look() -> tuple[Fresh, float]:
            begun = time.monotonic()
            view = self.look(course, page, params)
            return Fresh(view=view, mark=mark_of(view)), time.monotonic() - begun

        fresh, took = await asyncio.get_running_loop().run_in_executor(self.thread, look)
        again = time.monotonic() + max(BEAT, SHARE * took)
        self._keep(page, Known(stamp=stamp, params=place, mark=fresh.mark, again=again))
        return fresh

    def _keep(self, page: PageToken, known: Known) -> None:
        self.known.pop(page.page, None)
        self.known[page.page] = known
        for _ in range(2):  # the oldest go, or go to the end: nothing piles up, and nobody ever looks through all
            oldest = next(iter(self.known))
            found = self.known.pop(oldest)
            if oldest in self.waiting or found.again > time.monotonic() - KEPT:
                self.known[oldest] = found

    # -- what has changed

    async def _watch(self) -> None:
        """While somebody waits: look at the store every second, and wake those whom a change may concern."""
        while self.waiting:
            begun = time.monotonic()
            self.acted.clear()
            try:
                await self._look()
            except ReviewkitError as error:
                LOG.warning("The course could not be looked at for changes: %s", error)
            except Exception as bug:  # noqa: BLE001 (pages go on waiting; the bug goes to the log)
                LOG.error("Looking for changes met a bug: %s", told(bug))
            for waiter in list(self.waiting.values()):
                if waiter.gone():
                    self._end(waiter)
                    continue
                known = self.known.get(waiter.page.page)
                if known is None or known.stamp != self._stamp(waiter.page.person):
                    waiter.news.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.acted.wait(), BEAT)
            await asyncio.sleep(max(0.0, begun + BEAT - time.monotonic()))

    async def _look(self) -> None:
        def look() -> tuple[str, Marks, frozenset[str], Setup | None]:
            beat = self.course.store.pulse()  # before the marks: what comes between is seen at the next look
            if beat == self.beat:
                return beat, self.marks, self.staff, self.setup
            marks = self.course.store.marks()
            if marks.everybody == self.marks.everybody:
                return beat, marks, self.staff, self.setup
            staff = frozenset(each.id for each in self.course.people() if each.role != "student")
            return beat, marks, staff, self.course.setup

        begun, before = time.monotonic(), self.beat
        found = await asyncio.get_running_loop().run_in_executor(self.thread, look)
        self.looked = max(self.looked, begun)
        self.beat, self.marks, self.staff, self.setup = found
        if self.beat != before:
            self.glance = self.course.glance()  # what pages have in common is read once for all that are looked at now
        self.day = self._today()

    def _today(self) -> tuple[date | None, int]:
        """What a view says of the time: the day in the course's zone, and how many of its dates have passed."""
        setup, now = self.setup, self.course.clock()
        if setup is None:
            return None, 0
        steps = ("freeze_by", "self_by", "review_by", "answer_by", "sign_by")
        dates = [at for each in setup.assignments for step in steps if (at := getattr(each, step)) is not None]
        return now.astimezone(ZoneInfo(setup.timezone)).date(), sum(at <= now for at in dates)

    def _stamp(self, person: str) -> Stamp:
        """What a person's views can depend on: while it is the same, they are."""
        marks = self.marks
        seen = marks.everything if person in self.staff else marks.people.get(person)
        return marks.everybody, seen, marks.desks.get(person), self.day

    def _end(self, waiter: Waiter) -> None:
        waiter.over = True
        waiter.news.set()


def _place(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True)
