"""One guarded fetch: strangers choose the address, so every step has a limit and says in words what it met."""

import asyncio
import functools
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from reviewkit.errors import FeedError
from reviewkit.feeds.addresses import (
    PrivateAddress,
    TooMuch,
    checked,
    guarded_socket,
    open_socket,
    private_words,
)
from reviewkit.feeds.naming import Names
from reviewkit.feeds.schedule import fresh_for, retry_after
from reviewkit.feeds.unpacking import LATER, document, too_big

SECONDS = 20.0
REDIRECTS = 5
AT_ONCE = 512
"""Sites that are asked at a time; most of that time they think."""
BODIES_AT_ONCE = 64
"""Of them, those that are sending a document."""
PER_HOST = 2
HEADER = 8190
"""Bytes of one header line."""
BIG_AT_ONCE = 4
"""Bodies larger than BIG come in only so many at a time, so that a class of bombs costs no more memory than a few."""
TIRED = 3
"""Answers "too many requests" from one host after which it is asked for nothing more in this pull."""

_FOR_GOOD = frozenset({301, 308})
_MOVED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a site answered. `etag` and `last_modified` are to be sent back exactly so."""

    url: str
    """Where it came from in the end."""
    body: bytes
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    unchanged: bool = False
    """The site says that nothing changed since its `etag` or `last_modified`; the body is empty."""
    moved: str = ""
    """Where the site sent us for good (301, 308), if it did."""
    fresh_for: float = 0.0
    """Seconds for which the site calls this good."""
    sent: str = ""
    """Digest of the document as it was sent, which may be packed."""
    same: bool = False
    """It is known (`visit`); the body may be left out."""


@dataclass(frozen=True)
class _SentOn:
    """A redirect."""

    url: URL
    for_good: bool


class Fetcher:
    """A pool of connections that is polite to hosts and careful with what they send. Use it as `async with`.

    `resolver` finds addresses, `dial` makes the socket for one of them and is where it is judged; `now` is for dates in
    headers.
    """

    def __init__(
        self,
        *,
        agent: str,
        allow_private: bool = False,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        resolver: aiohttp.abc.AbstractResolver | None = None,
        dial: Callable[[tuple[Any, ...]], socket.socket] = guarded_socket,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._agent = agent
        self._allow_private = allow_private
        self._seconds = seconds
        self._tls = tls
        self._resolver = resolver
        self._dial = dial
        self._now = now
        self._tired: Counter[str] = Counter()
        self._all = asyncio.Semaphore(_at_once())
        self._bodies = asyncio.Semaphore(BODIES_AT_ONCE)
        self._big = asyncio.Semaphore(BIG_AT_ONCE)
        self.flow = asyncio.Event()
        """While it is cleared no visit begins: whoever reads the bodies cannot keep up."""
        self.flow.set()
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._names: Names | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._names = Names()
        connector = aiohttp.TCPConnector(
            force_close=True,  # one answer a connection: what a site sends beyond it reaches no other request
            limit=0,  # turns are taken below, so that waiting for one does not eat up a site's time
            ttl_dns_cache=60,
            ssl=self._tls or True,
            resolver=self._resolver or self._names,
            socket_factory=open_socket if self._allow_private else self._dial,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=HEADER,
            max_field_size=HEADER,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=8, sock_read=10),
            headers={"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate", "Accept": _ACCEPT},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()
        if self._names:
            await self._names.close()

    async def fetch(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched | None:
        """Get a document; None when the site says that it has not changed. Raises FeedError."""
        fetched = await self.visit(url, etag=etag, last_modified=last_modified)
        return None if fetched.unchanged else fetched

    async def visit(self, url: str, *, etag: str = "", last_modified: str = "", known: str = "") -> Fetched:
        """The same with all that the site says beside the document. Raises FeedError.

        `known` is what `sent` was when the document was last read. The time of a visit is that of all its redirects
        together, without the time in which it waits for its turn.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        here = checked(url, allow_private=self._allow_private, said=url)
        moved, for_good = "", True
        left = self._seconds
        try:
            for _ in range(REDIRECTS + 1):
                async with self._turn(here):
                    self._spare(here, said=url)
                    clock = asyncio.get_running_loop().time
                    until = clock() + left
                    async with asyncio.timeout_at(until) as limit:
                        answer = await self._ask(here, headers, said=url, moved=moved, known=known, limit=limit)
                    left = (limit.when() or until) - clock()
                if isinstance(answer, Fetched):
                    return answer
                here, for_good = answer.url, for_good and answer.for_good
                moved = str(here) if for_good else moved
        except TimeoutError as error:
            raise FeedError(
                f"Your site did not answer within {max(1, round(self._seconds))} seconds. {LATER}", url=url
            ) from error
        except aiohttp.ClientError as error:
            raise too_big(url) if _met(error, TooMuch) else FeedError(_words(error, here), url=url) from error
        except OSError as error:  # of the system itself, where the library has no word of its own for it
            raise FeedError(f"{here.host} could not be reached. {LATER}", url=url) from error
        raise FeedError(f"Your site sends visitors on from address to address, more than {REDIRECTS} times.", url=url)

    async def _ask(
        self, here: URL, headers: dict[str, str], *, said: str, moved: str, known: str, limit: asyncio.Timeout
    ) -> Fetched | _SentOn:
        assert self._session, "use the fetcher as `async with`"
        async with self._session.get(here, headers=headers, allow_redirects=False) as answer:
            if answer.status in _MOVED and "Location" in answer.headers:
                there = self._next(here, answer.headers["Location"], said=said)
                return _SentOn(there, answer.status in _FOR_GOOD)
            good_for = fresh_for(answer.headers, self._now())
            if answer.status == 304 and headers:
                return Fetched(url=str(here), body=b"", unchanged=True, moved=moved, fresh_for=good_for)
            if answer.status != 200:
                if answer.status == 429:
                    self._tired[_host(here)] += 1
                wait = retry_after(answer.headers, self._now())
                raise FeedError(_refusal(answer.status), url=said, wait=wait, gone=answer.status == 410)
            body, sent = await self._body(answer, said=said, known=known, limit=limit)
            return Fetched(
                url=str(here),
                body=body,
                sent=sent,
                same=bool(known) and sent == known,
                content_type=answer.headers.get("Content-Type", "")[:200],
                etag=_keepable(answer.headers.get("ETag", "")),
                last_modified=_keepable(answer.headers.get("Last-Modified", "")),
                moved=moved,
                fresh_for=good_for,
            )

    def _spare(self, here: URL, *, said: str) -> None:
        """Ask nothing more of a host that had enough: a platform that many of the class are on would only go on."""
        if self._tired[_host(here)] >= TIRED:
            raise FeedError(_refusal(429), url=said)

    def _next(self, here: URL, location: str, *, said: str) -> URL:
        try:
            there = here.join(URL(location))
        except ValueError as error:
            raise FeedError("Your site sends visitors on to something that is not an address.", url=said) from error
        if here.scheme == "https" and there.scheme == "http":
            raise FeedError("Your site sends visitors from a secure address (https) to an open one (http).", url=said)
        return checked(there, allow_private=self._allow_private, said=said)

    @asynccontextmanager
    async def _turn(self, url: URL) -> AsyncIterator[None]:
        """Wait for one of the host's places, then for one of all: nobody waits with a place that others need."""
        host = self._hosts.setdefault(_host(url), asyncio.Semaphore(PER_HOST))
        async with host, self._all:
            await self.flow.wait()
            yield

    async def _body(
        self, answer: aiohttp.ClientResponse, *, said: str, known: str, limit: asyncio.Timeout
    ) -> tuple[bytes, str]:
        """The document and its digest; it waits for its turn, a big one once more, and that time is not the site's."""
        async with AsyncExitStack() as turns:

            async def turn(of: asyncio.Semaphore) -> None:
                clock = asyncio.get_running_loop().time
                began, until = clock(), limit.when() or clock()
                limit.reschedule(None)
                await turns.enter_async_context(of)
                limit.reschedule(until + clock() - began)

            await turn(self._bodies)
            return await document(answer, said=said, known=known, grow=functools.partial(turn, self._big))


def _at_once() -> int:
    """AT_ONCE, or less where the system lets this process open few files."""
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    except (ImportError, OSError):
        return BODIES_AT_ONCE
    return AT_ONCE if soft == resource.RLIM_INFINITY else max(16, min(AT_ONCE, soft // 4))


def _host(url: URL) -> str:
    return f"{(url.raw_host or '').rstrip('.')}:{url.port}"


_ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


def _keepable(header: str) -> str:
    """A header that can be stored and sent back as it came, or nothing."""
    return header if len(header) <= 1024 and header.isascii() and header.isprintable() else ""


def _refusal(status: int) -> str:
    match status:
        case 404:
            return "There is nothing at this address (404). If the feed has moved, give its new address."
        case 410:
            return "Your site says that this feed is gone for good (410). If it has moved, give its new address."
        case 401 | 403 | 407 | 451:
            return f"Your site did not let us read the feed ({status}). It has to be public, without signing in."
        case 429:
            return f"Your site asked us to come back later (429). {LATER}"
        case _ if status >= 500:
            return f"Your site answered with an error ({status}). {LATER}"
        case _:
            return f"Your site answered in a way that we do not understand ({status})."


def _words(error: aiohttp.ClientError, here: URL) -> str:
    match error:
        case aiohttp.InvalidURL():
            return f"{str(here)[:200]!r} is not a web address; it should begin with https://."
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return f"{here.host} could not be reached securely: its certificate is not valid. Its host can mend that."
        case aiohttp.ClientConnectorDNSError():
            return f"There is no site named {here.host}. Look for a slip in the address."
        case aiohttp.ClientOSError() if _met(error, PrivateAddress):
            return private_words(here.host or "")
        case aiohttp.ClientConnectorError():
            return f"{here.host} could not be reached. {LATER}"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return f"Your site stopped in the middle of its feed. {LATER}"
        case _:
            return f"Your site answered in a way that we do not understand. {LATER}"


def _met(error: BaseException, kind: type[PrivateAddress | TooMuch]) -> bool:
    """Whether this is behind it; also where several addresses were tried: their errors come as one, in words."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            break
        if isinstance(seen, kind) or kind.WORDS in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
