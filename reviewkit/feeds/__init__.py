"""Pulling: every person's feeds become entries that carry the course's tags. One bad site never stops the class."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from reviewkit.model import Entry, Feed

if TYPE_CHECKING:
    from reviewkit.feeds.images import Album

__all__ = ["Kept", "Pulled", "agent", "left", "pull"]


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
    outcome: Literal["new", "unchanged", "failed", "left"]
    """`left`: not asked, because the site wants to be left in peace; `error` says why."""
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    error: str = ""
    wrong: bool = False
    """The address itself is a mistake (see FeedError): its owner or the roster has to change."""


def left(feed: Feed, why: str) -> Pulled:
    """What came of a feed that was not asked."""
    return Pulled(person=feed.person, url=feed.url, outcome="left", error=why)


def agent(course: str, contact: str = "") -> str:
    """The User-Agent: which course asks, and where its people can be found (an address of theirs, empty: nowhere)."""
    plain = unicodedata.normalize("NFKD", course).encode("ascii", "ignore").decode()
    named = "".join(letter for letter in plain if letter.isalnum() or letter in " .,:!&'+-").strip()[:100]
    return f"reviewkit ({'; '.join(filter(None, (named or 'a course', contact and f'+{contact}')))})"


async def pull(
    feeds: Sequence[Feed],
    wanted: Mapping[str, frozenset[str]],
    keep: Callable[[Feed, Sequence[Entry]], Kept],
    *,
    now: Callable[[], datetime],
    allow_private: bool = False,
    agent: str,
    progress: Callable[[Pulled], None] | None = None,
    since: datetime | None = None,
    album: "Album | None" = None,
    pages: Callable[[Feed], Mapping[str, str]] = lambda _: {},
    keep_states: Callable[[Sequence[Feed]], object] | None = None,
    keep_all: Callable[[Sequence[tuple[Feed, Sequence[Entry]]]], Sequence[Kept]] | None = None,
) -> list[Pulled]:
    """Fetch all feeds at once, keep what carries a wanted tag, and say what came of each, in the order given.

    `wanted` maps a person's id to the tags that count for them. `keep` is called for every feed, also for one that
    failed or had nothing new (without entries, to keep the feed's state), in a thread and never twice at a time; what
    it raises ends the pull. `allow_private` lets addresses of this machine and its network be fetched (tests, the
    demo). `progress` hears of each feed as it is done. `since` is the course's start: once, a feed
    is followed back to it. Copies of pictures go into the `album`; without one pictures become words.
    `pages` gives the addresses of a feed's kept posts by the keys of their guids (`listing.key`): one that leaves the
    middle of its feed is asked for, and 404 or 410 says that it is gone.
    `keep_states` is called in the place of `keep`, for several feeds at once that failed or
    had nothing new; without it `keep` is called for each. `keep_all` likewise, for several feeds that showed something:
    what it raises sends each of them to `keep`.
    """
    from reviewkit.feeds.pulling import pull_all  # brings aiohttp and feedparser, which most commands do without

    return await pull_all(
        feeds,
        wanted,
        keep,
        now=now,
        allow_private=allow_private,
        agent=agent,
        progress=progress,
        since=since,
        album=album,
        pages=pages,
        keep_states=keep_states,
        keep_all=keep_all,
    )
