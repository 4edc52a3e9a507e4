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
    """Fetch all feeds at once, keep what carries a wanted tag, and say what came of each, in the order given.

    `wanted` maps a person's id to the tags that count for them. `keep` is called for every feed, also for one that
    failed or had nothing new (without entries, to keep the feed's state), in a thread and never twice at a time; what
    it raises ends the pull. `allow_private` lets addresses of this machine and its network be fetched (tests, the
    demo). `progress` hears of each feed as it is done.
    """
    from reviewkit.feeds.pulling import pull_all  # brings aiohttp and feedparser, which most commands do without

    return await pull_all(feeds, wanted, keep, now=now, allow_private=allow_private, agent=agent, progress=progress)
