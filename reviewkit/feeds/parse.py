"""Bytes of a feed become entries: read leniently, repaired, cleaned. One bad entry never stops the feed."""

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from html import unescape

from reviewkit import listing
from reviewkit.errors import FeedError
from reviewkit.feeds import hfeed, jsonfeed, xmlfeed
from reviewkit.feeds.clean import Refused, clean, digest, line
from reviewkit.feeds.document import VERSION, Document, Parsed, Raw, not_a_feed, web_page
from reviewkit.feeds.tags import fold, gather, in_text, may_begin_in
from reviewkit.listing import Listed
from reviewkit.model import Entry

__all__ = ["MOST", "VERSION", "Parsed", "parse", "title_of"]

MOST = 1000
"""Entries of one document that are looked at."""
LONGEST_ID = 2000
"""Characters of a guid or link."""


class _Mixed(Exception):
    """A new item shares its guid or link with a known one: only all of them together tell what they are."""


def parse(
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    known: Mapping[str, Listed] | None = None,
    wanted: AbstractSet[str] | None = None,
) -> Parsed:
    """Read an RSS, Atom or JSON Feed document, or a page of microformats.

    `known` are items of an earlier document of this feed, by their marks: where the same item stands here, it is not
    read again. `wanted` are folded tags: an entry that can carry none of them comes without its text, which nobody
    will keep and which is most of the work. Raises FeedError when the document is no feed, or not safe to read.
    """
    body = _as_utf8(body)
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise FeedError("Your site answered with an empty page instead of a feed.", url=url)
    is_json = start[:1] in (b"{", b"[")
    if not is_json and _is_page(body, url=url):
        if not hfeed.is_hfeed(body):
            raise web_page(url)
        return replace(_gathered(hfeed.read(body, url=url, content_type=content_type), {}, wanted), page=True)

    if not is_json and _SUSPECT.search(body):  # which is twenty times faster than to replace nothing
        body = _REFERENCES.sub(_mended, body)

    def read(known: Mapping[str, Listed]) -> Parsed:
        by = str(VERSION)
        if is_json:
            return _gathered(jsonfeed.read(body, url=url, known=known, read_by=by), known, wanted)
        found = xmlfeed.read(
            body, url=url, content_type=content_type, known=known, most=MOST, read_by=by, wanted=wanted
        )
        return _gathered(found, known, wanted)

    try:
        return read(known or {})
    except _Mixed:
        return read({})


def _gathered(document: Document, known: Mapping[str, Listed], wanted: AbstractSet[str] | None) -> Parsed:
    rows: list[tuple[str, Entry] | Listed] = []
    refused: list[str] = []
    excerpts: set[str] = set()
    more = document.more
    for number, raw in enumerate(document.entries):
        if number >= MOST:
            more = True
            break
        if isinstance(raw, str):
            rows.append(known[raw])
            continue
        if not (raw.guid or raw.link or raw.title or raw.html):
            continue
        try:
            entry = _entry(raw) if wanted is None or _may_carry(raw, wanted) else _outline(raw)
        except Refused as error:
            name = f"“{title_of(raw.title)}”" if raw.title else "One post"
            refused.append(f"{name} was left out: {error}.")
            rows.append(Listed("", listing.key(_short(raw.guid) or _short(raw.link) or title_of(raw.title))))
            continue
        rows.append((raw.mark, entry))
        if raw.summary:
            excerpts.add(entry.guid)
    if more:
        refused.append(f"Only the first {MOST:,} posts of your feed were looked at: it holds more.")
    items, entries = _told_apart(rows)
    return Parsed(
        title=title_of(document.title),
        entries=tuple(entries),
        refused=tuple(refused),
        items=tuple(items),
        sound=document.sound,
        older=line(document.older, longest=LONGEST_ID),
        generator=line(document.generator, longest=200),
        ended=tuple(_short(each) for each in document.ended[:MOST]),
        excerpts=frozenset(excerpts),
    )


def _told_apart(rows: list[tuple[str, Entry] | Listed]) -> tuple[list[Listed], list[Entry]]:
    """The list of all items and the new entries.

    An item that shares its guid or its link with another one has no mark: what it is depends on the others, so that
    all of them are read every time. Raises _Mixed when one of those was not read this time.
    """
    guids = Counter(listing.key(row[1].guid) for row in rows if isinstance(row, tuple))
    links = Counter(listing.key(listing.folded(row[1].link)) for row in rows if isinstance(row, tuple))
    there = [row for row in rows if isinstance(row, Listed) and row.mark]
    same = len({row.guid for row in there}) < len(there)
    if same or any(row.guid in guids or (row.link and row.link in links) for row in there):
        raise _Mixed
    entries = list(_unmixed([row[1] for row in rows if isinstance(row, tuple)]))
    new = iter(entries)
    items: list[Listed] = []
    for row in rows:
        if isinstance(row, Listed):
            items.append(row)
            continue
        mark, said = row
        link = listing.key(listing.folded(said.link))
        alone = guids[listing.key(said.guid)] == 1 and (not link or links[link] == 1)
        items.append(Listed(mark if alone else "", listing.key(next(new).guid), link))
    return items, entries


def _entry(raw: Raw) -> Entry:
    title = title_of(raw.title)
    cleaned = clean(raw.html, base=raw.base or raw.link, pictures=True)
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


def _may_carry(raw: Raw, wanted: AbstractSet[str]) -> bool:
    """Whether an entry can carry a wanted tag: told from the raw text, so that it says yes too often, never no."""
    if not (raw.guid or raw.link):
        return True  # only its words tell which post it is
    if any(fold(tag) in wanted for tag in raw.tags):
        return True
    return any(may_begin_in(text) for text in (raw.html, raw.title, raw.also))


def _outline(raw: Raw) -> Entry:
    """An entry without its text."""
    link = _short(raw.link)
    tags = gather(("category", raw.tags))
    return Entry(
        guid=_short(raw.guid) or link, link=link, title=title_of(raw.title), published=raw.published, tags=tags
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
    if "<" not in said:
        return line(unescape(said))
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
_DECLARED_WIDE = re.compile(
    rb"((?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding\s*=\s*[\"'])(?:utf-?(?:16|32)|ucs-?[24]|unicode)[\w.-]*",
    re.IGNORECASE,
)
_FEED = re.compile(rb"<(?:rss|feed|rdf:rdf)\s[^>]{0,1000}?(?:version|xmlns)", re.IGNORECASE)
_WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|meta|title|div|main|article|section)\b", re.IGNORECASE)


def _as_utf8(body: bytes) -> bytes:
    """Wide encodings made narrow, so that what is checked is what will be read."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            narrow = body.decode(encoding, "replace").encode("utf-8", "replace")
            return _DECLARED.sub(rb"\1utf-8", narrow, count=1)
    # What can be read by its bytes is not wide, whatever the program that wrote it says.
    return _DECLARED_WIDE.sub(rb"\1utf-8", body, count=1) if _DECLARED_WIDE.match(body) else body


_NUMBER = (
    rb"#(?:[xX]0*(?:[dD][89a-fA-F][0-9a-fA-F]{2}(?![0-9a-fA-F])|[1-9a-fA-F][0-9a-fA-F]{5,})"
    rb"|0*(?:5[5-7][0-9]{3}(?![0-9])|[1-9][0-9]{6,}))"
)
"""In a reference it may name half of a sign, or no sign at all: where one does, feedparser gives up the whole feed."""
_SUSPECT = re.compile(_NUMBER)
_REFERENCES = re.compile(rb"(?:&(?:amp;)?%s;?){1,1000}" % _NUMBER)
_REFERENCE = re.compile(rb"#(?:[xX]0*([0-9a-fA-F]+)|0*([0-9]+))")


def _mended(found: re.Match[bytes]) -> bytes:
    """The same signs by their own numbers: those whose halves were written one by one, and U+FFFD for what is none."""
    said = ((one[1] or one[2], 16 if one[1] else 10) for one in _REFERENCE.finditer(found[0]))
    numbers = (int(digits, base) if len(digits) < 9 else sys.maxunicode + 1 for digits, base in said)
    halves = "".join(chr(each) if each <= sys.maxunicode else "\ufffd" for each in numbers)
    signs = halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    begin = found[0].partition(b"#")[0]
    return b"".join(b"%s#%d;" % (begin, ord(sign)) for sign in signs)


def _is_page(body: bytes, *, url: str) -> bool:
    """Walk to the first element, once: refuse entities of a document's own, and tell web pages from feeds."""
    at = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    while True:
        at = body.find(b"<", at)
        if at < 0:
            raise not_a_feed(url)
        if _WEB_PAGE.match(body, at) and not _FEED.search(body):
            return True
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
    return False


def _end_of_doctype(body: bytes, at: int) -> int:
    end = body.find(b">", at)
    inside = body.find(b"[", at)
    if 0 <= inside < end:
        closed = body.find(b"]", inside)
        return body.find(b">", closed) if closed >= 0 else -1
    return end
