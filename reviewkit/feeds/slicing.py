"""Where the items of a feed stand in its bytes, so that those seen before are cut out and cost nothing.

Expat walks over the document and tells where each item begins and ends. What is left of the document without the
known items is a whole, well-formed feed with the new ones, and reads exactly as they would have read among all. That
holds only where nothing outside an item can change how it is read but the rest of the document, whose digest is part
of every item's mark; where it might not hold (another encoding, a document type, a slip in the XML), nothing is cut.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.parsers import expat

from reviewkit.feeds.outlines import Drawer, Outline

ITEMS = frozenset(
    {
        "item",
        "http://purl.org/rss/1.0/ item",
        "http://my.netscape.com/rdf/simple/0.9/ item",
        "http://channel.netscape.com/rdf/simple/0.9/ item",
        "http://purl.org/net/rss1.1# item",
        "http://backend.userland.com/rss2 item",
        "http://www.w3.org/2005/Atom entry",
        "http://purl.org/atom/ns# entry",
    }
)
"""What the formats call an item, with their namespaces."""

_TOMBSTONE = "http://purl.org/atompub/tombstones/1.0 deleted-entry"

_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]+)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.-]+)", re.IGNORECASE)
_NARROW = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_VOLATILE = re.compile(
    rb"<!--.*?-->|<((?:\w+:)?(?:lastBuildDate|pubDate|updated|modified|date|generated|ttl))\b[^>]*>[^<]*</\1\s*>",
    re.DOTALL,
)
"""Parts around the items that change from hour to hour and that no item is read by."""


@dataclass(frozen=True)
class Sliced:
    """A document's items: where each stands, and its mark (a digest of its bytes and of all that it is read by)."""

    body: bytes
    ranges: tuple[tuple[int, int], ...]
    marks: tuple[str, ...]
    ended: tuple[str, ...] = ()
    """Guids of posts that the document declares deleted (RFC 6721)."""
    outlines: tuple[Outline | None, ...] = ()
    """Of each item what tells whether it is worth reading, None where only a reader of feeds can tell that."""

    def only(self, numbers: Sequence[int]) -> bytes:
        """The document with these items alone."""
        wanted = set(numbers)
        parts, at = [], 0
        for number, (begin, end) in enumerate(self.ranges):
            if number not in wanted:
                parts.append(self.body[at:begin])
                at = end
        return b"".join((*parts, self.body[at:]))


def sliced(body: bytes, *, read_by: str, content_type: str = "", outlined: bool = False) -> Sliced | None:
    """The items of a document; None where it cannot be cut. `read_by` is what else its items are read by.

    With `outlined` it comes with their outlines.
    """
    if not _narrow(body, content_type):
        return None
    drawer = Drawer() if outlined else None
    walked = _walked(body, drawer)
    if walked is None:
        return None
    ranges, ended = walked
    around = _VOLATILE.sub(b"", b"".join(_between(body, ranges)))
    ground = hashlib.blake2b(around, key=hashlib.blake2b(read_by.encode()).digest()).digest()
    marks = (hashlib.blake2b(body[begin:end], key=ground, digest_size=12).hexdigest() for begin, end in ranges)
    return Sliced(body, ranges, tuple(marks), ended, tuple(drawer.drawn) if drawer else (None,) * len(ranges))


def _narrow(body: bytes, content_type: str) -> bool:
    """Whether every reader takes the document for UTF-8, whatever is cut out of it."""
    start = body[:300]
    if start.startswith(b"\xef\xbb\xbf") or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return False
    declared = _DECLARED.match(start)
    if declared and declared.group(1).decode("ascii").lower() not in _NARROW:
        return False
    charset = _CHARSET.search(content_type)
    return not charset or charset.group(1).lower() in _NARROW


def _between(body: bytes, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    at, parts = 0, []
    for begin, end in ranges:
        parts.append(body[at:begin].strip())
        at = end
    return [*parts, body[at:]]


def _walked(body: bytes, drawer: Drawer | None) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]] | None:
    """Where each item begins and ends, and what is declared deleted; None when the document is not well-formed."""
    parser = expat.ParserCreate(namespace_separator=" ")
    found: list[tuple[int, int]] = []
    ended: list[str] = []
    depth = 0
    opened: tuple[int, int] | None = None  # depth and place of the item that we are in

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, opened
        depth += 1
        if opened is not None:
            if drawer:
                drawer.start(name, attributes, depth)
        elif name in ITEMS:
            opened = depth, parser.CurrentByteIndex
            if drawer:
                drawer.begin(name, attributes, depth)
                parser.CharacterDataHandler = drawer.said
        elif drawer:
            drawer.around(name, attributes, depth)
        if name == _TOMBSTONE and attributes.get("ref"):
            ended.append(attributes["ref"])

    def end(name: str) -> None:
        nonlocal depth, opened
        if opened is not None and opened[0] == depth:
            begin, at = opened[1], parser.CurrentByteIndex
            # For an element without content (<item/>) both events tell the same place.
            found.append((begin, body.index(b">", at) + 1))
            opened = None
            if drawer:
                parser.CharacterDataHandler = None
                drawer.draw()
        elif opened is not None and drawer:
            drawer.end(name, depth)
        depth -= 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    if drawer:
        parser.buffer_text = True
        parser.buffer_size = 65536
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError):
        return None
    return tuple(found), tuple(ended)
