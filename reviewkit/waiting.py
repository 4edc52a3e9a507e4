"""What a page's process waits for besides its own socket, and who serves it, always in the thread of the widgets.

The light kernel looks at `SOURCES` itself, between two messages. Where ipykernel runs (pages on the stock kernel,
JupyterLab), its event loop does, once something is added.
"""

import math
import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio


class Source(Protocol):
    """Something that says when it wants to be woken."""

    due: float
    """At the latest then (monotonic seconds); infinity: not before there is something to read."""

    def fileno(self) -> int:
        """What is watched for something to read; -1: nothing just now."""

    def wake(self) -> None:
        """There is something to read, or the time has come. Never blocks and never raises."""


SOURCES: list[Source] = []


def add(source: Source) -> None:
    """Have it woken from now on."""
    SOURCES.append(source)
    touched()


def remove(source: Source) -> None:
    """Wake it no more."""
    if source in SOURCES:
        SOURCES.remove(source)
        touched()


def touched() -> None:
    """To be called at once when a source wants something else than before, and was not woken for that: a loop watches
    the number of a file, and a closed one's number may be another's soon."""
    global _watch
    loop = _loop()
    if loop is None:
        return
    if _watch is None or _watch.loop is not loop:
        _watch = Watch(loop)
    _watch.look()


class Watch:
    """Serves `SOURCES` on an event loop."""

    def __init__(self, loop: "asyncio.AbstractEventLoop") -> None:
        self.loop, self.lines = loop, set[int]()
        self.timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Wait for what the sources want by now, and for nothing else."""
        for line in self.lines:
            self.loop.remove_reader(line)
        wanted = {each.fileno(): each for each in SOURCES if each.fileno() >= 0}
        for line, source in wanted.items():
            self.loop.add_reader(line, self.wake, source)
        self.lines = set(wanted)
        if self.timer is not None:
            self.timer.cancel()
        due = min((each.due for each in SOURCES), default=math.inf)
        self.timer = None if math.isinf(due) else self.loop.call_later(max(0.0, due - time.monotonic()), self.wake)

    def wake(self, ready: Source | None = None) -> None:
        for source in list(SOURCES):
            if source is ready or source.due <= time.monotonic():
                source.wake()
        self.look()


_watch: Watch | None = None


def _loop() -> "asyncio.AbstractEventLoop | None":
    """The loop on which ipykernel runs a cell just now; None in every other process and in every other thread."""
    kernel = sys.modules.get("ipykernel.kernelbase")
    if kernel is None or not kernel.Kernel.initialized():
        return None
    import asyncio  # which ipykernel has, and which would make a light page larger

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
