"""What one feed needs beyond its document: its older pages, once, and the articles behind its excerpts. Bounded."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from reviewkit.errors import FeedError
from reviewkit.feeds.article import is_excerpt, is_whole
from reviewkit.feeds.backfill import older_page, reaches
from reviewkit.feeds.clean import digest
from reviewkit.feeds.document import Parsed
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.workers import Workers
from reviewkit.listing import ONCE, TWICE, Listed, key
from reviewkit.model import Entry

PAGES = 20
"""Older pages of one feed that are read."""
BYTES = 20 * 1024 * 1024
"""Bytes of older pages of one feed."""
SECONDS = 60.0
"""For all that one feed needs beyond its document in one pull: whatever is on its way then is given up."""
ARTICLES = 10
"""Articles of one feed that are fetched in one pull; the others have their turn in the next ones."""

PAGES_ASKED = 5
"""Posts that have left the middle of a feed, and whose own pages are asked for in one pull."""

_log = logging.getLogger(__name__)

Read = Callable[[Fetched], Awaitable[Parsed]]


@dataclass(frozen=True)
class Older:
    """Entries of older pages, newest first."""

    entries: tuple[Entry, ...] = ()
    excerpts: frozenset[str] = frozenset()
    left: str = ""
    """Where the next pull goes on: the number of a page that could not be had for now, and its address. Empty: the
    feed was followed to its end."""

    @property
    def complete(self) -> bool:
        return not self.left


def deadline() -> float:
    """When what is begun now has to have ended, as the loop tells time."""
    return asyncio.get_running_loop().time() + SECONDS


async def older_pages(
    fetcher: Fetcher, read: Read, url: str, first: Parsed, since: datetime, *, until: float, left: str = ""
) -> Older:
    """Follow a feed back to `since`, one page after the other, no longer than `until`; from where an earlier pull
    `left` it, if one did.

    It ends at a page that is not there, that is no feed, or that shows nothing new (many sites answer any page with
    the first one). However many pulls that takes, no more than PAGES pages are read.
    """
    entries: list[Entry] = []
    excerpts: set[str] = set()
    seen = {item.guid for item in first.items}
    asked = {url}
    page, size = first, 0
    number, address = _going_on(left) or (1, older_page(url, first, 1))
    while number <= PAGES and address and address not in asked and not reaches(page.entries, since) and size <= BYTES:
        asked.add(address)
        here = f"{number} {address}"
        try:
            async with asyncio.timeout_at(until):
                fetched = await fetcher.fetch(address)
                if fetched is None:
                    break
                size += len(fetched.body)
                page = await read(fetched)
        except TimeoutError:
            return Older(tuple(entries), frozenset(excerpts), left=here)
        except FeedError as error:
            there_is_none = error.wrong or error.gone or not page.older or "(404)" in str(error)
            return Older(tuple(entries), frozenset(excerpts), left="" if there_is_none else here)
        new = {item.guid for item in page.items} - seen
        if not new:
            break
        seen |= new
        # A post that a newer page shows too has moved on meanwhile: what the newer one says counts.
        there = [entry for entry in page.entries if key(entry.guid) in new]
        entries += [entry for entry in there if entry.published is None or entry.published >= since]
        excerpts |= page.excerpts
        number += 1
        address = older_page(url, page, number)
    return Older(tuple(entries), frozenset(excerpts))


def _going_on(left: str) -> tuple[int, str] | None:
    number, _, address = left.partition(" ")
    return (int(number), address) if number.isdecimal() and address else None


async def without_pages(
    fetcher: Fetcher, items: list[Listed], pages: Callable[[], Mapping[str, str]], *, until: float
) -> list[Listed]:
    """The items, with those as gone that have just left the middle of the feed and whose own pages are gone (404, 410).

    `pages` gives the pages of posts that are kept, by the keys of their guids; it is called where it is needed. A page
    that cannot be asked for says nothing.
    """
    left = {each.guid for each in items if each.missing == ONCE}
    if not left:
        return items
    known = await asyncio.to_thread(pages)
    gone = {guid for guid in sorted(left & known.keys())[:PAGES_ASKED] if await _is_gone(fetcher, known[guid], until)}
    return [replace(each, missing=TWICE) if each.guid in gone else each for each in items]


async def _is_gone(fetcher: Fetcher, page: str, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            await fetcher.fetch(page)
    except TimeoutError:
        return False
    except FeedError as error:
        return error.gone or "(404)" in str(error)
    return False


async def with_articles(
    fetcher: Fetcher,
    workers: Workers,
    entries: Sequence[Entry],
    excerpts: frozenset[str],
    unmarked: AbstractSet[str] = frozenset(),
    *,
    until: float,
) -> tuple[list[Entry], set[str]]:
    """The entries, with the article's text in the place of its excerpt; and the keys of those that have to wait.

    Those whose items are `unmarked` (keys) have one turn and no second one: nobody could tell whether they had it. A
    page that cannot be read, or whose text does not begin as the excerpt does, leaves the excerpt as it is.
    """
    found: list[Entry] = []
    left = ARTICLES
    waiting: set[str] = set()
    for entry in entries:
        if is_excerpt(entry, summary=entry.guid in excerpts):
            whole = None
            if left and asyncio.get_running_loop().time() < until:
                left -= 1
                whole = await _within(until, _whole(fetcher, workers, entry))
            if whole is None and key(entry.guid) not in unmarked:
                waiting.add(key(entry.guid))
            entry = whole or entry
        found.append(entry)
    return found, waiting


async def _within(until: float, work: Awaitable[Entry]) -> Entry | None:
    try:
        async with asyncio.timeout_at(until):
            return await work
    except TimeoutError:
        return None


async def _whole(fetcher: Fetcher, workers: Workers, entry: Entry) -> Entry:
    try:
        fetched = await fetcher.fetch(entry.link)
        if fetched is None or "html" not in (fetched.content_type or "html"):
            return entry
        article = await workers.main_text(fetched.body, url=fetched.url)
    except FeedError:
        return entry
    except Exception:  # noqa: BLE001 - a bug of ours in a page that is an extra must not cost the feed
        _log.exception("Copying an article failed")
        return entry
    if not is_whole(entry.text, article.text):
        return entry
    return replace(
        entry,
        html=article.html,
        text=article.text,
        digest=digest(entry.title, article.text),
        said=entry.digest,
        copied=True,
    )
