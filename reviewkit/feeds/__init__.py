"""Pulling: every person's feeds become entries that carry the course's tags. One bad site never stops the class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from reviewkit.model import Entry, Feed

__all__ = ["Kept", "Pulled", "pull"]


class Kept(Protocol):
    """What keeping one feed's entries changed: titles of new posts, and of posts with a new revision."""

    @property
    def new(self) -> Sequence[str]: ...
    @property
    def changed(self) -> Sequence[str]: ...


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What came of one feed. `error` says in words what failed, or what of a feed that was read had to be left out."""

    person: str
    url: str
    outcome: Literal["new", "unchanged", "failed"]
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    error: str = ""
    wrong: bool = False
    """The address itself is a mistake (see FeedError): its owner or the roster has to change."""


async def pull(
    feeds: Sequence[Feed],
    wanted: Mapping[str, frozenset[str]],
    keep: Callable[[Feed, Sequence[Entry]], Kept],
    *,
    now: Callable[[], datetime],
    allow_private: bool = False,
    agent: str,
    progress: Callable[[Pulled], None] | None = None,
) -> list[Pulled]:
    """Fetch all feeds at once, keep what carries a wanted tag, and say what came of each, in the order given."""
    from reviewkit.feeds.puller import Puller

    puller = Puller(wanted, keep, now=now, progress=progress)
    return await puller.pull(feeds, allow_private=allow_private, agent=agent)
