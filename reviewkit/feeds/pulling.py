"""One pull of many feeds: fetch, parse, choose, keep; each feed by itself."""

import asyncio
import hashlib
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from reviewkit.errors import FeedError
from reviewkit.feeds import Kept, Pulled
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.parse import VERSION, Parsed, parse
from reviewkit.feeds.schedule import failed, is_taken, succeeded
from reviewkit.feeds.tags import fold, of_feed
from reviewkit.model import Entry, Feed, Tag

PARSE_SECONDS = 60.0
LONGEST_ADDRESS = 2000
"""Characters of a new address that is remembered."""
_TOO_MUCH = "Something in this feed is more than reviewkit can read. The course's operator finds it in the log."

_log = logging.getLogger(__name__)


class Pulling:
    """What all feeds of one pull share. `parser` is where documents are parsed: away from the network's loop.

    `chance` draws from 0 to 1 how much longer a pause is, so that a class does not come back all at once.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        parser: Executor,
        wanted: Mapping[str, frozenset[str]],
        keep: Callable[[Feed, Sequence[Entry]], Kept],
        *,
        now: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._fetcher = fetcher
        self._parser = parser
        self._wanted = wanted
        self._keep = keep
        self._now = now
        self._chance = chance
        self._one_writer = asyncio.Lock()

    async def pull(self, feed: Feed) -> Pulled:
        """Pull one feed, whatever its site does. What `keep` raises is not the site's fault and goes through."""
        try:
            return await self._read(feed)
        except FeedError as error:
            failure = error
        except _KeepFailed as error:
            raise error.cause from None
        except Exception:  # noqa: BLE001 - logged whole; the next line says why it goes no further
            # A bug of ours that one document brought out must not cost the rest of the class their pull.
            _log.exception("Reading the feed of %s failed", feed.person)
            failure = FeedError(_TOO_MUCH, url=feed.url)
        words, wait, gone = str(failure), failure.wait, failure.gone
        await self._kept(failed(feed, self._now(), words, wait=wait, gone=gone, chance=self._chance()), ())
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
        parsed = await self._parsed(feed.url, fetched)
        kept = await self._kept(replace(calm, title=parsed.title), chosen(parsed.entries, wanted, url=feed.url))
        return Pulled(
            person=feed.person,
            url=feed.url,
            outcome="new" if kept.new or kept.changed else "unchanged",
            new=tuple(kept.new),
            changed=tuple(kept.changed),
            error=" ".join(parsed.refused),
        )

    async def _unchanged(self, feed: Feed) -> Pulled:
        await self._kept(feed, ())
        return Pulled(person=feed.person, url=feed.url, outcome="unchanged")

    async def _parsed(self, url: str, fetched: Fetched) -> Parsed:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._parser, _parse, fetched.body, fetched.url, fetched.content_type)
        try:
            async with asyncio.timeout(PARSE_SECONDS):
                return await work
        except TimeoutError as error:
            raise FeedError("Your feed takes too long to read; let it show fewer posts.", url=url) from error

    async def _kept(self, feed: Feed, entries: Sequence[Entry]) -> Kept:
        async with self._one_writer:
            try:
                return await asyncio.to_thread(self._keep, feed, entries)
            except Exception as error:
                raise _KeepFailed(error) from error


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
) -> list[Pulled]:
    """What `feeds.pull` says. `fetcher` (one not yet entered) comes in the place of the usual one."""
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="parse") as parser:
        async with fetcher or Fetcher(agent=agent, allow_private=allow_private, now=now) as fetcher:
            pulling = Pulling(fetcher, parser, wanted, keep, now=now)
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


def _parse(body: bytes, url: str, content_type: str) -> Parsed:
    return parse(body, url=url, content_type=content_type)


def _rules(wanted: frozenset[str]) -> str:
    """Stands for how a body was read: this parser, these tags."""
    return hashlib.sha256("\n".join((str(VERSION), *sorted(wanted))).encode()).hexdigest()[:16]


def _fingerprint(body: bytes, rules: str) -> str:
    return hashlib.sha256(body).hexdigest()[:48] + rules
