"""Who keeps the clock: one of many processes, and another one when it dies."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reviewkit.clockwork import LEASE, Clockwork, Pace
from reviewkit.course import Course
from reviewkit.errors import StoreError
from reviewkit.model import Freeze
from reviewkit.sheet import SheetBusy
from reviewkit.store import Store, open_store
from tests.cast import ANN, MONDAY, STUDENTS, Clock, a_course
from tests.serving import awaited, runs, wait_for

KEEP = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from reviewkit.clockwork import Clockwork, Pace
from reviewkit.course import Course
from reviewkit.store import open_store

course = Course(open_store(sys.argv[1]), clock=lambda: datetime.now(UTC))
course.pull = lambda **_: []
pace = Pace(advance=timedelta(seconds=0.1), lease=timedelta(seconds=float(sys.argv[2])))
clockwork = Clockwork(course, pace)

async def told():
    before = None
    while True:
        if clockwork.keeps != before:
            before = clockwork.keeps
            print("keeps" if before else "waits", flush=True)
        await asyncio.sleep(0.02)

async def whole():
    task, loop = asyncio.create_task(clockwork.run()), asyncio.get_running_loop()
    loop.add_reader(0, lambda: loop.remove_reader(0) and task.cancel())
    saying = asyncio.create_task(told())
    try:
        await task
    except asyncio.CancelledError:
        pass
    saying.cancel()

asyncio.run(whole())
"""


class Keeper:
    """A process that would keep the clock of the course at an address; `keeps` as it last said."""

    def __init__(self, url: str, lease: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", KEEP, url, str(lease)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said.append(line.strip())

    @property
    def keeps(self) -> bool:
        return self.said[-1:] == ["keeps"]

    def stop(self) -> None:
        """Ask it to end; it gives its lease back."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.listening.join(20)

    def kill(self) -> None:
        assert self.process.stdin is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stdin.close()
        self.process.wait(20)
        self.listening.join(20)


@pytest.fixture
def keepers(store_url: str) -> Iterator[Any]:
    begun: list[Keeper] = []

    def begin(number: int, *, lease: float = 1.5) -> list[Keeper]:
        begun.extend(Keeper(store_url, lease) for _ in range(number))
        wait_for(lambda: all(each.said for each in begun), what="everybody's first word")
        return begun

    yield begin
    for each in begun:
        if runs(each.process.pid):
            each.kill()


def the_keeper(keepers: list[Keeper]) -> Keeper | None:
    """Who keeps the clock, where one says so; on a machine that stood still for long it may be another one by now."""
    keeping = [each for each in keepers if each.keeps]
    return keeping[0] if len(keeping) == 1 else None


def test_of_several_processes_one_keeps_the_clock_and_another_when_it_is_killed(store_url: str, keepers: Any) -> None:
    store = open_store(store_url)
    course = a_course(store, Clock())  # its dates have long passed: there is something to do at once
    two = keepers(2)
    wait_for(lambda: len(course.store.submissions()) == len(STUDENTS), what="the freeze that the dates ask for")
    first = wait_for(lambda: the_keeper(two), what="one keeper")
    (second,) = [each for each in two if each is not first]
    first.kill()
    wait_for(lambda: second.keeps, what="the other one")
    freezes = [turn for each in store.dialogues() for turn in each.turns if isinstance(turn.what, Freeze)]
    assert len(freezes) == len(STUDENTS), "each thing is done once"
    store.close()


def test_who_ends_in_peace_gives_the_clock_to_the_next_at_once(store_url: str, keepers: Any) -> None:
    store = open_store(store_url)
    a_course(store, Clock())
    (one,) = keepers(1, lease=600)
    wait_for(lambda: one.keeps)
    one.stop()
    now = datetime.now(UTC)
    assert store.hold(LEASE, "another", now=now, until=now + timedelta(seconds=1))
    store.close()


@pytest.fixture
def course(sqlite_store: Store) -> Course:
    return a_course(sqlite_store, Clock())


def test_a_clock_whose_lease_is_somebody_elses_does_nothing_until_it_ends(course: Course) -> None:
    clock = course.clock
    assert isinstance(clock, Clock)
    assert course.store.hold(LEASE, "another machine", now=clock(), until=clock() + timedelta(minutes=1))
    done: list[str] = []

    async def whole() -> None:
        clockwork = Clockwork(
            course, Pace(lease=timedelta(seconds=0.06)), ended=lambda job, good: done.append(f"{job} {good}")
        )
        course.pull = lambda **_: []  # type: ignore[method-assign]
        running = asyncio.create_task(clockwork.run())
        for _ in range(20):
            await asyncio.sleep(0)
        clockwork.changed()
        assert (clockwork.keeps, done) == (False, [])
        clock.pass_(minutes=1)
        while "sync True" not in done:
            assert not running.done()
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    awaited(asyncio.wait_for(whole(), 20))
    assert done[:3] == ["pull True", "advance True", "remind True"]


def test_a_store_that_is_away_ends_what_the_keeper_believes(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> bool:
        raise StoreError("The database is away.")

    async def whole() -> None:
        clockwork = Clockwork(course, Pace(lease=timedelta(seconds=0.3)))
        course.pull = lambda **_: []  # type: ignore[method-assign]
        running = asyncio.create_task(clockwork.run())
        while not clockwork.keeps:
            await asyncio.sleep(0.01)
        with monkeypatch.context() as broken:
            broken.setattr(course.store, "hold", away)
            while clockwork.keeps:
                await asyncio.sleep(0.01)
        while not clockwork.keeps:
            assert not running.done()
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    awaited(asyncio.wait_for(whole(), 20))


def test_a_sheet_that_has_had_enough_is_left_alone_for_as_long_as_it_asks_whatever_happens(course: Course) -> None:
    synced, advanced = list[str](), list[str]()

    def sync() -> None:
        synced.append("sync")
        if len(synced) == 1:
            raise SheetBusy("Google has had enough requests for this minute; nothing was written.", wait=3600)

    def advance() -> list[str]:
        advanced.append("advance")
        return ["Something is due."]

    course.pull, course.sync, course.advance = lambda **_: [], sync, advance  # type: ignore[method-assign]

    async def whole() -> None:
        soon = timedelta(milliseconds=1)
        clockwork = Clockwork(course, Pace(advance=soon, sync=soon, rest=soon))
        running = asyncio.create_task(clockwork.run())
        while len(advanced) < 20:
            clockwork.changed()
            await asyncio.sleep(0.001)
        assert synced == ["sync"]
        clockwork.sheet_rests = 0.0
        while len(synced) < 3:
            assert not running.done()
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    awaited(asyncio.wait_for(whole(), 20))


def test_advance_beside_the_clock_changes_nothing_that_is_done(course: Course) -> None:
    clock = course.clock
    assert isinstance(clock, Clock)
    clock.pass_(days=30)
    assert course.store.hold(LEASE, "the server", now=clock(), until=clock() + timedelta(minutes=1))
    assert course.advance()
    assert course.advance() == []
    assert clock() > MONDAY
    assert {each.person for each in course.store.submissions()} >= {ANN.id}
