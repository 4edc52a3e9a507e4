"""What the readers of the formats hand on (a feed as it was found, not trusted yet), and what becomes of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from reviewkit.errors import FeedError
from reviewkit.listing import Listed
from reviewkit.model import Entry

VERSION = 6
"""Raise it when the same bytes give other entries than before: all feeds are then read again."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """An entry as a format's reader found it; nothing in it is trusted yet."""

    guid: str = ""
    link: str = ""
    title: str = ""
    author: str = ""
    published: datetime | None = None
    tags: tuple[str, ...] = ()
    html: str = ""
    base: str = ""
    also: str = ""
    """Further text (a video's description) that is looked through for #words."""
    mark: str = ""
    """Stands for the item's bytes (see `slicing`); empty where they cannot be told apart."""
    summary: bool = False
    """The text stood where a summary stands, not where an article does."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A feed as a format's reader found it."""

    title: str
    entries: Iterable[Raw | str] = field(default_factory=tuple)
    """In the document's order; in the place of an item that was seen before stands its mark."""
    more: bool = False
    """There were more items than anybody looks at."""
    sound: bool = False
    """The document is whole and well-formed: what it does not show is not there."""
    older: str = ""
    """The page of the feed with older posts, where the feed names one."""
    generator: str = ""
    ended: tuple[str, ...] = ()
    """Guids of posts that the feed declares deleted."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a feed says: its title, its entries in their order, and a sentence for each that had to be left out."""

    title: str
    entries: tuple[Entry, ...]
    """Without those that were known."""
    refused: tuple[str, ...] = ()
    items: tuple[Listed, ...] = ()
    """All items of the document, known ones too."""
    sound: bool = False
    """The document is whole and well-formed: what it does not show is not there."""
    older: str = ""
    """The page of the feed with older posts, where the feed names one."""
    generator: str = ""
    """The program that the feed says it was made by."""
    ended: tuple[str, ...] = ()
    """Guids of posts that the feed declares deleted."""
    page: bool = False
    """It is a web page, with its posts marked up."""
    excerpts: frozenset[str] = frozenset()
    """Guids of entries whose text stands where a summary does: perhaps the article says more."""


_WHOLE = re.compile(r"https?://[\w.:-]+/[\w./~%+=&-]*(\?[\w./~%+=&-]+)?", re.ASCII)
"""An address that is the same from wherever it is read; most are, and joining costs more than looking."""


def absolute(base: str, address: str) -> str:
    """A post's own web address, or nothing where it has none (a bare guid is not one)."""
    address = address.strip()
    if not address or _WHOLE.fullmatch(address):
        return address
    try:
        joined = urljoin(base, address)
    except ValueError:
        return ""
    return joined if joined.lower().startswith(("http://", "https://")) else ""


def web_page(url: str) -> FeedError:
    return FeedError(
        "That address shows a web page, not a feed. Look on the site for its feed (often /feed, /rss or /atom.xml).",
        url=url,
        wrong=True,
    )


def not_a_feed(url: str) -> FeedError:
    return FeedError(
        "What your site sends from that address is not a feed that can be read (RSS, Atom or JSON Feed).",
        url=url,
        wrong=True,
    )


def text_or_nothing(value: Any) -> str:
    """A string of a document that may hold anything in its place."""
    return value if isinstance(value, str) else ""
