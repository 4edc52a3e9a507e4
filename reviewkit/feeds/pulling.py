"""One pull of many feeds: fetch, parse, choose, keep; each feed by itself."""

import asyncio
import functools
import hashlib
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reviewkit import listing, logs
from reviewkit.errors import FeedError
from reviewkit.feeds import Pulled
from reviewkit.feeds.document import VERSION, Parsed
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.further import Older, deadline, older_pages, with_articles, without_pages
from reviewkit.feeds.images import Album, with_pictures
from reviewkit.feeds.keeping import KeepAll, KeepFailed, Keeping, KeepOne, KeepStates
from reviewkit.feeds.schedule import failed, is_taken, succeeded
from reviewkit.feeds.tags import fold, of_feed
from reviewkit.feeds.workers import Workers
from reviewkit.listing import Listed
from reviewkit.model import Entry, Feed, Tag
from reviewkit.pictures import Picture

IN_HAND = 16 * 1024 * 1024
"""Bytes of documents that wait to be read; with more of them no further site is asked, until workers catch up."""
LONGEST_ADDRESS = 2000
"""Characters of a new address that is remembered."""
_READ = 48
"""Characters of a fingerprint that are of what was read."""
_TOO_MUCH = "Something in this feed is more than reviewkit can read. The course's operator finds it in the log."

_log = logging.getLogger(__name__)


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
        keep: KeepOne,
        *,
        now: Callable[[], datetime],
        since: datetime | None = None,
        chance: Callable[[], float] = random.random,
        album: Album | None = None,
        pages: Callable[[Feed], Mapping[str, str]] = lambda _: {},
        keep_states: KeepStates | None = None,
        keep_all: KeepAll | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._pages = pages
        self._album = album
        self._workers = workers
        self._since = since
        self._wanted = wanted
        self._now = now
        self._chance = chance
        self.keeping = Keeping(keep, keep_states, keep_all)
        self._in_hand = 0

    async def pull(self, feed: Feed) -> Pulled:
        """Pull one feed, whatever its site does. What `keep` raises is not the site's fault and goes through."""
        try:
            with self.keeping.expected():
                return await self._read_or_failed(feed)
        except KeepFailed as error:
            raise error.cause from None

    async def _read_or_failed(self, feed: Feed) -> Pulled:
        try:
            return await self._read(feed)
        except FeedError as error:
            failure = error.with_traceback(None)  # whose frames hold the document
        except KeepFailed:
            raise
        except Exception:  # noqa: BLE001 - logged whole; the next line says why it goes no further
            # A bug of ours that one document brought out must not cost the rest of the class their pull.
            _log.exception("Reading a feed failed", extra={"person": logs.person(feed.person)})
            failure = FeedError(_TOO_MUCH, url=feed.url)
        words, wait, gone = str(failure), failure.wait, failure.gone
        await self.keeping.state(failed(feed, self._now(), words, wait=wait, gone=gone, chance=self._chance()))
        return Pulled(person=feed.person, url=feed.url, outcome="failed", error=words, wrong=failure.wrong)

    async def _read(self, feed: Feed) -> Pulled:
        wanted, rules = _asked_for(self._wanted.get(feed.person, frozenset()), VERSION)
        # What was asked for decides what was kept: under new rules a site's "not changed" would hide posts.
        same = feed.body.endswith(rules)
        fetched = await self._fetcher.visit(
            feed.moved_to if is_taken(feed) else feed.url,
            etag=feed.etag if same else "",
            last_modified=feed.last_modified if same else "",
            known=feed.body[_READ : -len(rules)] if same else "",
        )
        moved = fetched.moved if len(fetched.moved) <= LONGEST_ADDRESS else ""
        calm = succeeded(feed, self._now(), fresh_for=fetched.fresh_for, moved=moved, chance=self._chance())
        if fetched.unchanged:
            return await self._unchanged(calm)
        body = feed.body if fetched.same else _fingerprint(fetched, rules)
        calm = replace(calm, etag=fetched.etag, last_modified=fetched.last_modified, body=body)
        if same and body[:_READ] == feed.body[:_READ]:
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
        kept = await self.keeping.posts(calm, entries)
        return Pulled(
            person=feed.person,
            url=feed.url,
            outcome="new" if kept.new or kept.changed else "unchanged",
            new=tuple(kept.new),
            changed=tuple(kept.changed),
            error=" ".join(parsed.refused),
        )

    async def _unchanged(self, feed: Feed) -> Pulled:
        if listing.misses(feed.listing):
            feed = replace(feed, listing=listing.write(listing.again(listing.read(feed.listing))))
        await self.keeping.state(feed)
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


def _listed(before: list[Listed], parsed: Parsed) -> list[Listed]:
    """What the feed is to remember. A document that is cut off or broken says nothing of what it does not show."""
    if not parsed.sound:
        return before or [replace(item, mark="") for item in parsed.items]
    return listing.without(listing.compared(before, parsed.items), parsed.ended)


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
    keep: KeepOne,
    *,
    now: Callable[[], datetime],
    allow_private: bool,
    agent: str,
    progress: Callable[[Pulled], None] | None,
    fetcher: Fetcher | None = None,
    since: datetime | None = None,
    album: Album | None = None,
    pages: Callable[[Feed], Mapping[str, str]] = lambda _: {},
    keep_states: KeepStates | None = None,
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
        await pulling.keeping.ended()


@functools.lru_cache(maxsize=64)
def _asked_for(tags: frozenset[str], parser: int) -> tuple[frozenset[str], str]:
    """The tags folded, and what stands for how a body is read: this version of the parser, these tags."""
    wanted = frozenset(map(fold, tags)) - {""}
    return wanted, hashlib.sha256("\n".join((str(parser), *sorted(wanted))).encode()).hexdigest()[:16]


def _fingerprint(fetched: Fetched, rules: str) -> str:
    """What was read, how it was sent, and the rules. The same document may come packed in another way."""
    return hashlib.sha256(fetched.body).hexdigest()[:_READ] + fetched.sent + rules
