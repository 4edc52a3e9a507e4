"""What pages leave behind in the page server's memory goes back to the system once nobody is there.

Nothing leaks: the objects of a closed page are gone. But many pages that were open at once leave holes that the
allocator keeps for the next ones, and rings of objects that the collector has had no reason to look for.
"""

import asyncio
import ctypes
import gc
from collections.abc import Callable
from contextlib import suppress

MANY = 20
"""Pages that have closed since it was last done: fewer are not worth the tenth of a second that it takes."""
CALM = 5.0
"""Seconds without any page; who reloads the last one shall not wait."""


class Tidying:
    """Told of every page that has ended; `calm` says whether none is open."""

    def __init__(self, calm: Callable[[], bool], tidy: Callable[[], None] | None = None) -> None:
        self.calm, self.tidy = calm, tidy or give_back
        self.ended = 0
        self.soon: asyncio.TimerHandle | None = None

    def page_ended(self) -> None:
        self.ended += 1
        if self.ended >= MANY and self.calm():
            self.cancel()
            self.soon = asyncio.get_running_loop().call_later(CALM, self.now)

    def now(self) -> None:
        if self.calm():
            self.ended = 0
            self.tidy()

    def cancel(self) -> None:
        if self.soon is not None:
            self.soon.cancel()


def give_back() -> None:
    """Collect, and ask the allocator to give up what it holds; only glibc's can be asked."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
