"""Enrolment: whatever address a person pastes becomes the feed of their posts, looked at once before it is kept."""

import asyncio
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from reviewkit.errors import FeedError
from reviewkit.feeds import platforms
from reviewkit.feeds.document import Parsed
from reviewkit.feeds.fetch import Fetched, Fetcher
from reviewkit.feeds.tags import fold, of_feed
from reviewkit.feeds.workers import Workers
from reviewkit.model import Entry, headline

ASKS = 25
"""Requests that one enrolment may make."""
SECONDS = 25.0
"""In all."""
SHORT = 10
"""A feed with so few posts shows the last ones only: an older tagged post would be missed."""
SHOWN = 12
"""Posts that are told one by one."""
LONGEST = 2_000
_HEAD = 300_000
"""Bytes of a page that are looked through for links to feeds."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A post as enrolment shows it. `tagged`: it would count for the course."""

    title: str
    published: datetime | None
    tagged: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """A feed and what it shows: `since` posts since the course began, `tagged` of them with a tag of the course."""

    url: str
    title: str
    since: int
    tagged: int
    posts: tuple[Sighting, ...]
    """Newest first, the tagged ones before the others."""
    tag: str = ""
    """The tag that the feed itself is about."""


def tidied(address: str) -> str:
    """What somebody pasted as an address: spaces taken out, slips of the scheme mended, a handle made a page.

    Raises FeedError where no address is left.
    """
    if len(address) > 4 * LONGEST:
        raise FeedError("That is too long to be the address of a site.", url=address[:200])
    text = "".join(each for each in unicodedata.normalize("NFC", address) if unicodedata.category(each) != "Cf")
    text = "".join(text.split()).strip("<>\"'“”‘’,;")
    if not text or len(text) > LONGEST:
        raise FeedError("Paste the address of your site, for example https://ann.example.org.", url=address[:200])
    text = re.sub(r"^feed:(?://)?(?=https?:)", "", text, flags=re.IGNORECASE)
    if handle := re.fullmatch(r"@([\w.-]+)@([\w-]+(?:\.[\w-]+)+)", text):
        return f"https://{handle[2]}/@{handle[1]}"
    if handle := re.fullmatch(r"@((?:[\w-]+\.)+[\w-]+)", text):
        return f"https://bsky.app/profile/{handle[1]}"
    scheme = re.match(r"(?:h?tt?ps?|hppts?|htp|htps|feed)(?::/*|//+)", text, re.IGNORECASE)
    if scheme:
        secure = "s" in scheme[0].casefold() or scheme[0].casefold().startswith("feed")
        text = f"http{'s' if secure else ''}://{text[scheme.end() :]}"
    elif re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", text, re.IGNORECASE):
        raise FeedError("Only addresses of the web can be read; yours should begin with https://.", url=text[:200])
    else:
        text = "https://" + text.lstrip("/:")
    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        host = ""
    if not host:
        raise FeedError("That is not a web address; it should look like https://ann.example.org.", url=text[:200])
    return text


async def discover(
    address: str, *, wanted: Iterable[str], since: datetime | None, fetcher: Fetcher, workers: Workers
) -> Found:
    """Find the feed behind an address and look at it once.

    `wanted` are the tags of the course. The document itself may be a feed; else it is looked for where the page says,
    where its platform keeps it and at the usual places; where the feed is short, or carries none of the tags, the
    site's feed of that tag is preferred. Raises FeedError in words for whoever pasted the address.
    """
    looking = _Looking(frozenset(filter(None, map(fold, wanted))), since, fetcher, workers)
    try:
        async with asyncio.timeout(SECONDS):
            return await looking.find(tidied(address), typed=address)
    except TimeoutError as error:
        raise FeedError("Your site takes too long to answer. Try again later.", url=address[:200]) from error


class _Looking:
    """One enrolment, with how many requests it has left."""

    def __init__(self, wanted: frozenset[str], since: datetime | None, fetcher: Fetcher, workers: Workers) -> None:
        self._wanted, self._since, self._fetcher, self._workers = wanted, since, fetcher, workers
        self._left = ASKS
        self._tried: set[str] = set()

    async def find(self, url: str, *, typed: str) -> Found:
        for guess in platforms.of_address(url):
            if there := await self._feed(guess):
                return await self._best(*there)
        page = await self._page(url, typed)
        if page is None:
            raise _nothing(url)
        itself: Parsed | None = None
        with suppress(FeedError):
            itself = await self._read(page)
        if itself and not itself.page:
            return await self._best(page.url, itself)
        said = page.body[:_HEAD].decode("utf-8", "replace")
        generator = _generator(said)
        named = list(_named(said, page.url))
        if itself:
            # Many sites mark up the posts of their pages: what they call their feed shows more of them.
            named = [each for each in named if not platforms.is_of_comments(*each)]
        first = platforms.posts_first(named, self._wanted)
        if itself:
            for guess in first:
                if (there := await self._feed(guess)) and there[1].entries:
                    return await self._best(*there, generator)
            if len(itself.entries) > 1 or b"h-feed" in page.body:
                return await self._best(page.url, itself)
        for guess in (*first, *platforms.of_address(page.url), *platforms.known_paths(page.url, generator)):
            if there := await self._feed(guess):
                return await self._best(*there, generator)
        if itself:  # the page of one post, on a site that has nothing else
            return await self._best(page.url, itself)
        raise _nothing(page.url)

    async def _page(self, url: str, typed: str) -> Fetched | None:
        try:
            return await self._fetch(url)
        except FeedError:
            if "://" in typed or not url.startswith("https://"):
                raise
            first = "http://" + url.removeprefix("https://")  # nobody said that it is secure
            try:
                return await self._fetch(first)
            except FeedError:
                pass
            raise

    async def _fetch(self, url: str) -> Fetched | None:
        if self._left <= 0 or url in self._tried:
            return None
        self._left -= 1
        self._tried.add(url)
        return await self._fetcher.fetch(url)

    async def _read(self, fetched: Fetched) -> Parsed:
        return await self._workers.parse(fetched.body, url=fetched.url, content_type=fetched.content_type)

    async def _feed(self, url: str) -> tuple[str, Parsed] | None:
        """A guess: the address it was reached at and what it says, or nothing."""
        try:
            fetched = await self._fetch(url)
            return (fetched.url, await self._read(fetched)) if fetched else None
        except FeedError:
            return None

    async def _best(self, url: str, parsed: Parsed, generator: str = "") -> Found:
        """The feed, or the site's feed of a wanted tag where that shows more."""
        main = self._told(url, parsed)
        if main.tag or (main.tagged and len(parsed.entries) > SHORT):
            return main
        for tag in sorted(self._wanted):
            for guess in platforms.of_tag(url, tag, f"{generator} {parsed.generator}"):
                there = await self._feed(guess)
                if there and there[1].entries:
                    of_tag = self._told(*there)
                    if of_tag.tagged >= main.tagged:
                        return of_tag
        return main

    def _told(self, url: str, parsed: Parsed) -> Found:
        tag = of_feed(url)
        tag = tag if tag in self._wanted else ""
        recent = [each for each in parsed.entries if self._counts(each)]
        seen = [
            Sighting(
                title=headline(each.title, each.text),
                published=each.published,
                tagged=bool(tag) or any(one.tag in self._wanted for one in each.tags),
            )
            for each in recent
        ]
        seen.sort(key=lambda each: each.published.timestamp() if each.published else 0.0, reverse=True)
        seen.sort(key=lambda each: not each.tagged)
        tagged = sum(each.tagged for each in seen)
        return Found(url=url, title=parsed.title, since=len(seen), tagged=tagged, posts=tuple(seen[:SHOWN]), tag=tag)

    def _counts(self, entry: Entry) -> bool:
        return self._since is None or entry.published is None or entry.published >= self._since


def _nothing(url: str) -> FeedError:
    return FeedError(
        f"No feed was found at {urlsplit(url).hostname}. Look in its settings for “RSS” or “feed”, switch it on, "
        "and paste its address here. If your site has none, you can give a text to the course alone.",
        url=url,
        wrong=True,
    )


# -- what a page says of its feeds ------------------------------------------------------------------------------------

_TAG = re.compile(r"<(link|a|meta)\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![\w-])([\w-]++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_FEEDS = re.compile(
    r"application/(?:rss|atom|feed)\+(?:xml|json)|application/(?:json|rdf\+xml)|text/xml", re.IGNORECASE
)
_SPOKEN = re.compile(r"(?:^|/)(?:rss|feed|atom|index)(?:\.(?:xml|rss|json))?/?$|format=rss", re.IGNORECASE)


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): html.unescape(a or b or c).strip() for name, a, b, c in _ATTRIBUTE.findall(text)}


def _named(page: str, base: str) -> Iterator[tuple[str, str]]:
    """Feeds that a page names, with their titles: `link rel=alternate` first, then links that look like one."""
    spoken = []
    for kind, rest in _TAG.findall(page):
        has = _attributes(rest)
        address = has.get("href", "")
        if not address:
            continue
        try:
            url = urljoin(base, address)
        except ValueError:
            continue
        if not url.lower().startswith(("http://", "https://")):
            continue
        rels = has.get("rel", "").lower().split()
        if kind.lower() == "link" and {"alternate", "feed"} & set(rels) and _FEEDS.match(has.get("type", "")):
            if "oembed" not in address and "/wp-json/" not in address:
                yield url, has.get("title", "")
        elif kind.lower() == "a" and _SPOKEN.search(address) and urlsplit(url).netloc == urlsplit(base).netloc:
            spoken.append((url, has.get("title", "")))
    yield from spoken[:3]


def _generator(page: str) -> str:
    metas = (_attributes(rest) for kind, rest in _TAG.findall(page) if kind.lower() == "meta")
    named = next((each.get("content", "") for each in metas if each.get("name", "").lower() == "generator"), "")
    return named or ("Squarespace" if "static1.squarespace.com" in page else "")
