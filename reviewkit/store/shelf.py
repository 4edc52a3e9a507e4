"""What was read of a store that has not changed since, for all questions of all threads."""

from collections.abc import Callable
from threading import Lock
from typing import Any

MOST = 5_000
"""Answers that are kept at once; past that they are forgotten and read again."""

Seen = dict[tuple[Any, ...], Any]


class Shelf:
    """Answers by question, until the store's pulse is another one, whoever changed it.

    An answer is put on the shelf of the pulse that was felt before it was read: it may be newer, and is never older.
    What lies here is shared and must not be changed. An empty pulse says nothing: then each question has its own shelf.
    """

    def __init__(self, pulse: Callable[[], str]) -> None:
        self._pulse, self._lock = pulse, Lock()
        self._beat, self._seen = "", Seen()

    def seen(self) -> Seen:
        """The answers that hold now. Raises StoreError when the store is away."""
        beat = self._pulse()
        if not beat:
            return {}
        with self._lock:
            if beat != self._beat or len(self._seen) > MOST:
                self._beat, self._seen = beat, {}
            return self._seen
