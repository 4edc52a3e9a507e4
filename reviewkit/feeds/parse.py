"""Bytes of a feed become entries: read leniently, repaired, cleaned. One bad entry never stops the feed."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape

from reviewkit.errors import FeedError
from reviewkit.feeds import jsonfeed, xmlfeed
from reviewkit.feeds.clean import Refused, clean, digest, line
from reviewkit.feeds.document import Document, Raw, not_a_feed, web_page
from reviewkit.feeds.tags import gather, in_text
from reviewkit.model import Entry

VERSION = 1
"""Raise it when the same bytes give other entries than before: all feeds are then read again."""

MOST = 1000
"""Entries of one document that are looked at."""
LONGEST_ID = 2000
"""Characters of a guid or link."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a feed says: its title, its entries in their order, and a sentence for each that had to be left out."""

    title: str
    entries: tuple[Entry, ...]
    refused: tuple[str, ...] = ()


def parse(body: bytes, *, url: str, content_type: str = "") -> Parsed:
    """Read an RSS, Atom or JSON Feed document. Raises FeedError when it is none of them, or not safe to read."""
    body = _as_utf8(body)
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise FeedError("Your site answered with an empty page instead of a feed.", url=url)
    if start[:1] in (b"{", b"["):
        return _gathered(jsonfeed.read(body, url=url))
    _check_prolog(body, url=url)
    return _gathered(xmlfeed.read(body, url=url, content_type=content_type))


def _gathered(document: Document) -> Parsed:
    entries: list[Entry] = []
    refused: list[str] = []
    for number, raw in enumerate(document.entries):
        if number >= MOST:
            refused.append(f"Only the first {MOST:,} posts of your feed were looked at: it holds more.")
            break
        if not (raw.guid or raw.link or raw.title or raw.html):
            continue
        try:
            entries.append(_entry(raw))
        except Refused as error:
            name = f"“{title_of(raw.title)}”" if raw.title else "One post"
            refused.append(f"{name} was left out: {error}.")
    return Parsed(title=title_of(document.title), entries=tuple(_unmixed(entries)), refused=tuple(refused))


def _entry(raw: Raw) -> Entry:
    title = title_of(raw.title)
    cleaned = clean(raw.html, base=raw.base or raw.link)
    tags = gather(
        ("category", raw.tags),
        ("rel", cleaned.tags),
        ("text", _hash_words(title, cleaned.prose, raw.also)),
    )
    mark = digest(title, cleaned.text)
    link = _short(raw.link)
    return Entry(
        guid=_short(raw.guid) or link or f"urn:sha256:{mark}",
        link=link,
        title=title,
        author=line(raw.author, longest=200),
        published=raw.published,
        tags=tags,
        html=cleaned.html,
        text=cleaned.text,
        digest=mark,
    )


def _hash_words(*texts: str) -> list[str]:
    return [word for text in texts for word in in_text(text)]


def _unmixed(entries: list[Entry]) -> Iterator[Entry]:
    """A guid that several links of one document share says nothing: there it counts only with its link."""
    links: dict[str, set[str]] = {}
    for entry in entries:
        links.setdefault(entry.guid, set()).add(entry.link or entry.digest)
    for entry in entries:
        if len(links[entry.guid]) > 1:
            yield replace(entry, guid=_short(f"{entry.guid} {entry.link or entry.digest}"))
        else:
            yield entry


# -- plain text ------------------------------------------------------------------------------------------------------

_MARKUP = re.compile(
    r"<(/?)(a|abbr|b|bdi|big|br|cite|code|del|em|font|h[1-6]|i|img|ins|kbd|mark|p|q|s|small|span|strike|strong|sub|sup|tt|u|wbr)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_ALONE = frozenset({"br", "img", "wbr"})


def title_of(said: str) -> str:
    """A title as plain text: HTML that opens and closes taken out, escapes undone, on one line.

    What only looks like HTML ("the <not> operator", "x < y") is a writer's words and stays.
    """
    said = said[:20_000]
    open_and_closed = Counter((end, tag.lower()) for end, tag in _MARKUP.findall(said))

    def taken(match: re.Match[str]) -> str:
        tag = match.group(2).lower()
        if tag in ("br", "p", "img"):
            return " "
        return "" if tag in _ALONE or (open_and_closed["", tag] and open_and_closed["/", tag]) else match.group()

    return line(unescape(_MARKUP.sub(taken, said)))


def _short(identifier: str) -> str:
    plain = line(identifier, longest=LONGEST_ID + 1)
    if len(plain) <= LONGEST_ID:
        return plain
    return f"urn:sha256:{hashlib.sha256(identifier.encode('utf-8', 'replace')).hexdigest()}"


# -- before anything is parsed ---------------------------------------------------------------------------------------

_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xfe\xff", "utf-16"),
    (b"\xff\xfe", "utf-16"),
)
_DECLARED = re.compile(rb"(<\?xml[^>]{0,100}encoding\s*=\s*[\"'])[\w.-]+", re.IGNORECASE)
_FEED = re.compile(rb"<(?:rss|feed|rdf:rdf)\s[^>]{0,1000}?(?:version|xmlns)", re.IGNORECASE)
_WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def _as_utf8(body: bytes) -> bytes:
    """Wide encodings made narrow, so that what is checked is what will be read."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            narrow = body.decode(encoding, "replace").encode("utf-8", "replace")
            return _DECLARED.sub(rb"\1utf-8", narrow, count=1)
    return body


def _check_prolog(body: bytes, *, url: str) -> None:
    """Walk to the first element, once: refuse entities of a document's own, and web pages."""
    at = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    while True:
        at = body.find(b"<", at)
        if at < 0:
            raise not_a_feed(url)
        if _WEB_PAGE.match(body, at) and not _FEED.search(body):
            raise web_page(url)
        if body.startswith(b"<?", at):
            end = body.find(b"?>", at)
        elif body.startswith(b"<!--", at):
            end = body.find(b"-->", at)
        elif body.startswith(b"<!", at):
            end = _end_of_doctype(body, at)
            if b"<!entity" in body[at:end].lower():
                raise FeedError("Your feed declares entities of its own, which is not safe to read.", url=url)
        else:
            break
        if end < 0:
            raise not_a_feed(url)
        at = end + 1
    if body.count(b"<!--") > body.count(b"-->") + 100:
        raise FeedError("Your feed is broken: it opens comments that never end.", url=url)


def _end_of_doctype(body: bytes, at: int) -> int:
    end = body.find(b">", at)
    inside = body.find(b"[", at)
    if 0 <= inside < end:
        closed = body.find(b"]", inside)
        return body.find(b">", closed) if closed >= 0 else -1
    return end
