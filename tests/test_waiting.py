"""What a page waits for besides its own browser, where an event loop serves it."""

import asyncio
import math
import socket
import time
from collections.abc import Iterator

import pytest

from reviewkit import waiting
from tests.serving import awaited


class Line:
    """A source with a socket, a time, or neither."""

    def __init__(self, due: float = math.inf) -> None:
        self.due, self.woken = due, 0
        self.line: socket.socket | None = None
        self.other: socket.socket | None = None

    def open(self) -> "Line":
        self.line, self.other = socket.socketpair()
        return self

    def close(self) -> None:
        for each in (self.line, self.other):
            if each is not None:
                each.close()
        self.line = self.other = None

    def fileno(self) -> int:
        return -1 if self.line is None else self.line.fileno()

    def wake(self) -> None:
        self.woken += 1
        self.due = math.inf
        if self.line is not None:
            self.line.recv(100)


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[waiting.Source]]:
    """None but those of the test, on the loop that runs."""
    found: list[waiting.Source] = []
    monkeypatch.setattr(waiting, "SOURCES", found)
    monkeypatch.setattr(waiting, "_watch", None)
    monkeypatch.setattr(waiting, "_loop", asyncio.get_running_loop)
    yield found
    for each in found:
        assert isinstance(each, Line)
        each.close()


async def until_woken(line: Line, times: int) -> None:
    while line.woken < times:
        await asyncio.sleep(0.001)


def test_a_source_is_woken_when_there_is_something_to_read_and_when_its_time_has_come() -> None:
    async def whole() -> None:
        reads, waits, idles = Line().open(), Line(time.monotonic() + 0.02), Line()
        for each in (reads, waits, idles):
            waiting.add(each)
        assert reads.other is not None
        reads.other.send(b"x")
        await until_woken(reads, 1)
        await until_woken(waits, 1)
        reads.other.send(b"x")
        await until_woken(reads, 2)
        assert (waits.woken, idles.woken) == (1, 0)

    awaited(whole())


def test_a_line_that_takes_the_number_of_a_closed_one_is_heard() -> None:
    async def whole() -> None:
        line = Line().open()
        waiting.add(line)
        for times in range(1, 4):
            number = line.fileno()
            line.close()
            waiting.touched()
            line.open()
            waiting.touched()
            assert line.fileno() == number
            assert line.other is not None
            line.other.send(b"x")
            await until_woken(line, times)

    awaited(whole())


def test_a_source_that_was_taken_away_is_not_woken() -> None:
    async def whole() -> None:
        gone, stays = Line().open(), Line().open()
        waiting.add(gone)
        waiting.add(stays)
        waiting.remove(gone)
        waiting.remove(gone)
        assert gone.other is not None
        assert stays.other is not None
        gone.other.send(b"x")
        stays.other.send(b"x")
        await until_woken(stays, 1)
        assert gone.woken == 0
        gone.close()

    awaited(whole())


def test_while_nothing_is_due_the_loop_has_nothing_to_do() -> None:
    async def whole() -> None:
        waiting.add(Line().open())
        assert waiting._watch is not None
        assert waiting._watch.timer is None

    awaited(whole())


def test_without_ipykernel_nobody_is_served_by_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    async def whole() -> None:
        assert waiting._loop() is None

    awaited(whole())
