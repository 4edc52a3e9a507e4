"""One look at the store: what is read twice inside one question is fetched once.

What any question has read is not fetched again while nothing has changed, where the store has a shelf.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from reviewkit.store import Store
from reviewkit.store.shelf import Seen, Shelf

READS = frozenset(
    (
        *("setup", "people", "rubrics", "feeds", "posts", "submissions", "dialogue", "dialogues", "allocations"),
        *("hidden_words", "draft"),
    )
)
"""What is remembered. Everything else is asked of the store, and a write makes the glance forget: what comes after it
is read anew."""
OWN = frozenset(("draft",))
"""What is remembered for one question only: its content is a plain dict, which whoever asked may change."""
PASSED = frozenset(
    (
        "link_serial",
        "picture",
        "shown_by",
        "session_serial",
        "sign_in",
        "has_request",
        "waiting",
        "bare_turns",
        "sealed",
        "sheet_answers",
        "take_due",
        "wants_reminders",
        "pulse",
        "marks",
    )
)
"""Questions that are cheap or asked once."""


def glance(store: Store) -> Store:
    """The same store for one question or one verb of one thread. Never keep it for the next."""
    return store if isinstance(store, Glance) else cast(Store, Glance(store))


Worked = TypeVar("Worked")


def worked_out(store: Store, what: tuple[Hashable, ...], work: Callable[[], Worked]) -> Worked:
    """What follows from the store's answers alone, such as a masked post: done once, and again after a change.

    `what` names it, and everything that it depends on beside the store. It is shared and must not be changed.
    """
    return store.worked_out(what, work) if isinstance(store, Glance) else work()


class Glance:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: Seen | None = None
        self._own = Seen()

    def _answers(self) -> Seen:
        """Taken from the shelf at the first read, and not before: to look at the shelf asks the database."""
        if self._seen is None:
            shelf = getattr(self._store, "shelf", None)
            self._seen = shelf.seen() if isinstance(shelf, Shelf) else Seen()
        return self._seen

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name in READS:
            return self._remembering(name, method)
        return method if name in PASSED or not callable(method) else self._forgetting(method)

    def worked_out(self, what: tuple[Hashable, ...], work: Callable[[], Worked]) -> Worked:
        seen, key = self._answers(), ("=", *what)
        if key not in seen:
            seen[key] = work()
        found: Worked = seen[key]
        return found

    def _remembering(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def look(*which: Any, **named: Any) -> Any:
            key = (name, *which, *sorted(named.items()))
            seen = self._own if name in OWN else self._answers()
            if key not in seen:
                everybodys = seen.get((name,)) if name == "posts" else None
                seen[key] = (
                    method(*which, **named)
                    if everybodys is None
                    else [post for post in everybodys if post.person in which]
                )
            found = seen[key]
            return list(found) if isinstance(found, list) else found

        return look

    def _forgetting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def act(*said: Any, **named: Any) -> Any:
            try:
                return method(*said, **named)
            finally:
                self._seen, self._own = Seen(), Seen()  # the shelf belongs to others too

        return act
