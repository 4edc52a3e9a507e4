"""One pull of many feeds: fetch, parse, choose, keep; each feed by itself."""

import asyncio
import functools
import hashlib
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reviewkit import listing
from reviewkit.errors import FeedError
from reviewkit.feeds import Kept, Pulled
from reviewkit.feeds.document import VERSION, Parsed
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.further import Older, deadline, older_pages, with_articles, without_pages
from reviewkit.feeds.images import Album, with_pictures
from reviewkit.feeds.schedule import failed, is_taken, succeeded
from reviewkit.feeds.tags import fold, of_feed
from reviewkit.feeds.workers import Workers
from reviewkit.listing import Listed
from reviewkit.model import Entry, Feed, Tag
from reviewkit.pictures import Picture

IN_HAND = 16 * 1024 * 1024
"""Bytes of documents that wait to be read; with more of them no further site is asked, until workers catch up."""
SOON = 0.05
"""Seconds that a feed with news waits for others, to be kept in one step with them."""
TOGETHER = 32
"""Feeds that wait for nobody else."""
LONGEST_ADDRESS = 2000
"""Characters of a new address that is remembered."""
_TOO_MUCH = "Something in this feed is more than reviewkit can read. The course's operator finds it in the log."

_log = logging.getLogger(__name__)

KeepAll = Callable[[Sequence[tuple[Feed, Sequence[Entry]]]], Sequence[Kept]]


@dataclass(frozen=True, eq=False)
class _Found:
    """A feed that waits to be kept; `kept` says what that changed, or None where it has to be kept by itself."""

    feed: Feed
    entries: Sequence[Entry]
    kept: "asyncio.Future[Kept | None]"


class Pulling:
    """What all feeds of one pull share. `workers` is where documents are read: in processes of their own.

    `since` is the course's start, to which a feed is followed back once (None: it is not). `chance` draws from 0 to 1
    how much longer a pause is, so that a class does not come back all at once. Copies of pictures go into the `album`
    (without one pictures become words). `pages` gives the addresses of a feed's kept posts, by the keys of their guids.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        workers: Workers,
        wanted: Mapping[str, frozenset[str]],
        keep: Callable[[Feed, Sequence[Entry]], Kept],
        *,
        now: Callable[[], datetime],
        since: datetime | None = None,
        chance: Callable[[], float] = random.random,
        album: Album | None = None,
        pages: Callable[[Feed], Mapping[str, str]] = lambda _: {},
        keep_states: Callable[[Sequence[Feed]], object] | None = None,
        keep_all: KeepAll | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._pages = pages
        self._album = album
        self._workers = workers
        self._since = since
        self._wanted = wanted
        self._keep = keep
        self._now = now
        self._chance = chance
        self._keep_states = keep_states
        self._keep_all = keep_all
        self._found: list[_Found] = []
        self._states: list[tuple[Feed, asyncio.Future[Exception | None]]] = []
        self._one_writer = asyncio.Lock()
        self._in_hand = 0

    async def pull(self, feed: Feed) -> Pulled:
        """Pull one feed, whatever its site does. What `keep` raises is not the site's fault and goes through."""
        try:
            return await self._read_or_failed(feed)
        except _KeepFailed as error:
            raise error.cause from None

    async def _read_or_failed(self, feed: Feed) -> Pulled:
        try:
            return await self._read(feed)
        except FeedError as error:
            failure = error.with_traceback(None)  # whose frames hold the document
        except _KeepFailed:
            raise
        except Exception:  # noqa: BLE001 - logged whole; the next line says why it goes no further
            # A bug of ours that one document brought out must not cost the rest of the class their pull.
            _log.exception("Reading the feed of %s failed", feed.person)
            failure = FeedError(_TOO_MUCH, url=feed.url)
        words, wait, gone = str(failure), failure.wait, failure.gone
        await self._state_kept(failed(feed, self._now(), words, wait=wait, gone=gone, chance=self._chance()))
        return Pulled(person=feed.person, url=feed.url, outcome="failed", error=words, wrong=failure.wrong)

    async def _read(self, feed: Feed) -> Pulled:
        wanted = frozenset(fold(tag) for tag in self._wanted.get(feed.person, frozenset())) - {""}
        rules = _rules(wanted)
        # What was asked for decides what was kept: under new rules a site's "not changed" would hide posts.
        same = feed.body.endswith(rules)
        fetched = await self._fetcher.visit(
            feed.moved_to if is_taken(feed) else feed.url,
            etag=feed.etag if same else "",
            last_modified=feed.last_modified if same else "",
        )
        moved = fetched.moved if len(fetched.moved) <= LONGEST_ADDRESS else ""
        calm = succeeded(feed, self._now(), fresh_for=fetched.fresh_for, moved=moved, chance=self._chance())
        if fetched.unchanged:
            return await self._unchanged(calm)
        body = _fingerprint(fetched.body, rules)
        calm = replace(calm, etag=fetched.etag, last_modified=fetched.last_modified, body=body)
        if body == feed.body:
            return await self._unchanged(calm)
        to_fill = self._since is not None and not (same and feed.filled)
        before = listing.read(feed.listing) if same else []
        # A feed that is itself of a wanted tag lends it to all its entries.
        tags = None if of_feed(feed.url) in wanted else wanted
        parsed = await self._parsed(fetched, tags, [] if to_fill else before)
        items, until = _listed(before, parsed), deadline()
        items = await without_pages(self._fetcher, items, functools.partial(self._pages, feed), until=until)
        older = Older()
        if to_fill and self._since is not None:
            read = functools.partial(self._parsed, wanted=tags)
            older = await older_pages(
                self._fetcher, read, fetched.url, parsed, self._since, until=until, left=feed.filling if same else ""
            )
        entries = chosen((*parsed.entries, *older.entries), wanted, url=feed.url)
        unread = {item.guid for item in items if not item.mark}
        entries, waiting = await with_articles(
            self._fetcher, self._workers, entries, parsed.excerpts | older.excerpts, unread, until=until
        )
        entries, unseen = await with_pictures(self._fetcher, self._picture, self._album, entries, until=until)
        waiting |= unseen
        items = [replace(each, mark="") if each.guid in waiting else each for each in items]
        calm = replace(
            calm,
            title=parsed.title,
            listing=listing.write(items),
            filled=(to_fill and older.complete) or (feed.filled and same),
            filling=older.left,
        )
        if waiting or not older.complete:
            # No body is this one and no condition is sent: the next pull reads what this one could not.
            calm = replace(calm, body=rules, etag="", last_modified="")
        kept = await self._kept_with_others(calm, entries)
        return Pulled(
            person=feed.person,
            url=feed.url,
            outcome="new" if kept.new or kept.changed else "unchanged",
            new=tuple(kept.new),
            changed=tuple(kept.changed),
            error=" ".join(parsed.refused),
        )

    async def _unchanged(self, feed: Feed) -> Pulled:
        items = listing.read(feed.listing)
        if any(item.missing for item in items):
            feed = replace(feed, listing=listing.write(listing.again(items)))
        await self._state_kept(feed)
        return Pulled(person=feed.person, url=feed.url, outcome="unchanged")

    async def _parsed(self, fetched: Fetched, wanted: frozenset[str] | None, known: Iterable[Listed] = ()) -> Parsed:
        self._take(len(fetched.body))
        try:
            return await self._workers.parse(
                fetched.body,
                url=fetched.url,
                content_type=fetched.content_type,
                known=[item for item in known if item.mark],
                wanted=wanted,
            )
        finally:
            self._take(-len(fetched.body))

    async def _picture(self, fetched: Fetched) -> Picture:
        self._take(len(fetched.body))
        try:
            return await self._workers.picture(fetched.body, url=fetched.url)
        finally:
            self._take(-len(fetched.body))

    def _take(self, number: int) -> None:
        """Count documents in hand. Nobody fetches while their own is counted, so that nobody waits for themselves."""
        self._in_hand += number
        if self._in_hand > IN_HAND:
            self._fetcher.flow.clear()
        else:
            self._fetcher.flow.set()

    async def _kept_with_others(self, feed: Feed, entries: Sequence[Entry]) -> Kept:
        """Keep a feed in one step with those that are found at the same time: most of what a step costs is its end."""
        if self._keep_all is None:
            return await self._kept(feed, entries)
        mine = _Found(feed, entries, asyncio.get_running_loop().create_future())
        self._found.append(mine)
        await asyncio.wait({mine.kept}, timeout=SOON if len(self._found) < TOGETHER else 0)
        if not mine.kept.done():
            async with self._one_writer:
                together, self._found = self._found, []
                if together:
                    await self._keep_together(self._keep_all, together)
        kept = await mine.kept
        if kept is None:  # then it fails by itself, or another one does
            return await self._kept(feed, entries)
        return kept

    async def _keep_together(self, keep_all: "KeepAll", together: Sequence["_Found"]) -> None:
        kept: Sequence[Kept | None] = [None] * len(together)
        try:
            kept = await asyncio.to_thread(keep_all, [(each.feed, each.entries) for each in together])
        except Exception:  # noqa: BLE001 - each of them is kept by itself, and says what it meets
            _log.info("Several feeds could not be kept in one step")
        finally:
            for each, changed in zip(together, kept, strict=True):
                if not each.kept.done():
                    each.kept.set_result(changed)

    async def _kept(self, feed: Feed, entries: Sequence[Entry]) -> Kept:
        async with self._one_writer:
            try:
                return await asyncio.to_thread(self._keep, feed, entries)
            except Exception as error:
                raise _KeepFailed(error) from error

    async def _state_kept(self, feed: Feed) -> None:
        """Keep a feed without entries: all that wait for the writer go in one step, which costs as much as one."""
        if self._keep_states is None or listing.gone(feed.listing):
            await self._kept(feed, ())
            return
        mine: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._states.append((feed, mine))
        async with self._one_writer:
            if not mine.done():
                together, self._states = self._states, []
                failure: Exception | None = None
                try:
                    await asyncio.to_thread(self._keep_states, [each for each, _ in together])
                except Exception as error:  # noqa: BLE001 - each of them raises it below
                    failure = error
                for _, done in together:
                    if not done.done():
                        done.set_result(failure)
        if trouble := mine.result():
            raise _KeepFailed(trouble) from trouble


def _listed(before: list[Listed], parsed: Parsed) -> list[Listed]:
    """What the feed is to remember. A document that is cut off or broken says nothing of what it does not show."""
    if not parsed.sound:
        return before or [replace(item, mark="") for item in parsed.items]
    return listing.without(listing.compared(before, parsed.items), parsed.ended)


class _KeepFailed(Exception):
    """Carries what the store raised past everything that excuses a site's failure."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def chosen(entries: Iterable[Entry], wanted: frozenset[str], *, url: str) -> list[Entry]:
    """Entries that carry a wanted tag (folded). A feed that is itself of a tag lends it to its entries.

    Which of them are the same post is for whoever keeps them to say.
    """
    of_all = of_feed(url)
    lent = (Tag(tag=of_all, found="feed"),) if of_all in wanted else ()
    return [
        replace(entry, tags=(*lent, *entry.tags))
        for entry in entries
        if lent or any(tag.tag in wanted for tag in entry.tags)
    ]


async def pull_all(
    feeds: Sequence[Feed],
    wanted: Mapping[str, frozenset[str]],
    keep: Callable[[Feed, Sequence[Entry]], Kept],
    *,
    now: Callable[[], datetime],
    allow_private: bool,
    agent: str,
    progress: Callable[[Pulled], None] | None,
    fetcher: Fetcher | None = None,
    since: datetime | None = None,
    album: Album | None = None,
    pages: Callable[[Feed], Mapping[str, str]] = lambda _: {},
    keep_states: Callable[[Sequence[Feed]], object] | None = None,
    keep_all: KeepAll | None = None,
) -> list[Pulled]:
    """What `feeds.pull` says. `fetcher` (one not yet entered) comes in the place of the usual one."""
    async with fetcher or Fetcher(agent=agent, allow_private=allow_private, now=now) as fetcher:
        pulling = Pulling(
            fetcher,
            Workers(),
            wanted,
            keep,
            now=now,
            since=since,
            album=album,
            pages=pages,
            keep_states=keep_states,
            keep_all=keep_all,
        )
        return await gathered(pulling, feeds, progress)


async def gathered(
    pulling: Pulling, feeds: Sequence[Feed], progress: Callable[[Pulled], None] | None = None
) -> list[Pulled]:
    """Pull all feeds at once; what came of each, in their order. Cancelled, it ends with whole feeds kept only."""

    async def one(feed: Feed) -> Pulled:
        pulled = await pulling.pull(feed)
        if progress:
            progress(pulled)
        return pulled

    tasks = [asyncio.create_task(one(feed)) for feed in feeds]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _rules(wanted: frozenset[str]) -> str:
    """Stands for how a body was read: this parser, these tags."""
    return hashlib.sha256("\n".join((str(VERSION), *sorted(wanted))).encode()).hexdigest()[:16]


def _fingerprint(body: bytes, rules: str) -> str:
    return hashlib.sha256(body).hexdigest()[:48] + rules
