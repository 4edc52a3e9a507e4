"""Pictures of posts, copied when they are pulled: fetched as carefully as feeds are, and made anew."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from reviewkit.errors import FeedError
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.listing import key
from reviewkit.model import Entry
from reviewkit.pictures import Copied, Picture, Source, sources, with_copies

PER_POST = 30
"""Pictures of one post that are copied; the others become their words."""
PER_PULL = 60
"""Pictures of one feed that are asked for in one pull; the others have their turn in the next ones."""
AT_ONCE = 2
TRIES = 3
"""Pulls in which a picture is asked for; after that its words stay."""
LONGEST_ADDRESS = 2000

_log = logging.getLogger(__name__)


class Album(Protocol):
    """Where copies are kept. Both may be called from any thread."""

    def picture_sources(self, addresses: Sequence[str]) -> Mapping[str, Source]: ...
    def keep_picture(self, address: str, picture: Picture | None, *, tries: int) -> Copied | None: ...


async def with_pictures(
    fetcher: Fetcher,
    read: Callable[[Fetched], Awaitable[Picture]],
    album: Album | None,
    entries: Sequence[Entry],
    *,
    until: float,
) -> tuple[list[Entry], set[str]]:
    """The entries with copies of their pictures, and the keys of those that miss one the next pull may bring.

    What is not here `until` then (as the loop tells time) is given up.

    A picture that is not to be had becomes its words. Without an album all of them do.
    """
    shown = {entry.guid: sources(entry.html)[:PER_POST] for entry in entries}
    asked = list(dict.fromkeys(each for some in shown.values() for each in some if len(each) <= LONGEST_ADDRESS))
    if album is None or not asked:
        return [replace(entry, html=with_copies(entry.html, {})) for entry in entries], set()
    known = dict(await asyncio.to_thread(album.picture_sources, asked))
    wanted = [each for each in asked if _may_come(known.get(each))]
    places = asyncio.Semaphore(AT_ONCE)

    async def copy(address: str) -> None:
        async with places:
            if asyncio.get_running_loop().time() > until:
                return
            try:
                async with asyncio.timeout_at(until):
                    picture, final = await _fetched(fetcher, read, address)
            except TimeoutError:
                picture, final = None, False
        tries = TRIES if final else known.get(address, Source()).tries + 1
        copied = await asyncio.to_thread(album.keep_picture, address, picture, tries=tries)
        known[address] = Source(copied=copied, tries=tries)

    await _all(copy(each) for each in wanted[:PER_PULL])
    copies = {address: each.copied for address, each in known.items() if each.copied is not None}
    some = {key(guid) for guid, those in shown.items() if any(_may_come(known.get(each)) for each in those)}
    return [replace(entry, html=with_copies(entry.html, copies)) for entry in entries], some


async def _all(work: Iterable[Awaitable[None]]) -> None:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _may_come(source: Source | None) -> bool:
    return source is None or (source.copied is None and source.tries < TRIES)


async def _fetched(
    fetcher: Fetcher, read: Callable[[Fetched], Awaitable[Picture]], address: str
) -> tuple[Picture | None, bool]:
    """The picture made anew, and whether it is of no use to ask again."""
    try:
        fetched = await fetcher.fetch(address)
        return (None, False) if fetched is None else (await read(fetched), False)
    except FeedError as error:
        return None, error.wrong or error.gone
    except Exception:  # noqa: BLE001 - a bug of ours in a picture must not cost the feed
        _log.exception("Copying a picture failed")
        return None, True
