"""RSS, RDF and Atom through feedparser, and what it leaves to be mended."""

import io
import re
from calendar import timegm
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from html import unescape
from typing import Any

import feedparser

from reviewkit.feeds.clean import of_plain_text
from reviewkit.feeds.dates import instant, is_zero, sensible
from reviewkit.feeds.document import Document, Raw, absolute, not_a_feed, text_or_nothing, web_page
from reviewkit.feeds.outlines import Outline
from reviewkit.feeds.slicing import Sliced, sliced

_KIND = "http://schemas.google.com/blogger/2008/kind#"
"""Blogger's own word for "this is a post", written as a category."""


_SOUND_ENOUGH = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
"""What feedparser complains of although it read the whole document."""


def read(
    body: bytes,
    *,
    url: str,
    content_type: str,
    known: Collection[str] = (),
    most: int = 1000,
    read_by: str = "",
    wanted: AbstractSet[str] | None = None,
) -> Document:
    """Read a document; of items whose mark is known only the marks come back, and of all items `most` at most.

    Of items that surely carry none of the `wanted` tags (folded) come guid, link and date alone.

    Raises FeedError when there is no feed in it.
    """
    cut = sliced(body, read_by=f"{read_by} {url}", content_type=content_type, outlined=wanted is not None)
    if cut is not None and cut.ranges:
        marks = cut.marks[:most]
        passed = {
            number: outline
            for number, outline in enumerate(cut.outlines[:most])
            if outline is not None and marks[number] not in known and not outline.may_carry(wanted or frozenset())
        }
        new = [number for number, mark in enumerate(marks) if mark not in known and number not in passed]
        found = _parsed(body if len(new) == len(cut.marks) else cut.only(new), url, content_type, sure=not new)
        # An element that is called like an item need not be one for feedparser: then nothing is cut.
        if len(found.entries) == len(new):
            raws = _raws(found, url, [marks[number] for number in new])
            base = _base(found, url)
            entries = (
                mark if mark in known else _outlined(passed[number], base, mark) if number in passed else next(raws)
                for number, mark in enumerate(marks)
            )
            return _document(found, url, entries, cut=cut, more=len(cut.marks) > most)
    found = _parsed(body, url, content_type)
    raws = _raws(found, url, [""] * len(found.entries))
    return _document(found, url, raws, cut=cut, more=len(found.entries) > most)


def _parsed(body: bytes, url: str, content_type: str, *, sure: bool = False) -> Any:
    """`sure`: a feed whose items were all cut out, which may not look like one any more."""
    # Not told where it came from, feedparser leaves guids and links as they are written.
    headers = {"content-type": content_type} if content_type else {}
    try:
        # As a stream: bytes that happen to be a file's name or an address would be opened.
        found = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except MemoryError:
        raise
    except Exception as error:  # on hostile bytes feedparser lets through whatever its parsers raise
        raise not_a_feed(url) from error
    if not found.get("version") and not found.entries and not sure:
        raise web_page(url) if "html" in content_type else not_a_feed(url)
    return found


def _document(found: Any, url: str, entries: Iterator[Raw | str], *, cut: Sliced | None, more: bool) -> Document:
    feed = found.feed
    links = {
        text_or_nothing(each.get("rel")): absolute(url, text_or_nothing(each.get("href")))
        for each in feed.get("links") or ()
        if isinstance(each, Mapping)
    }
    return Document(
        title=text_or_nothing(feed.get("title")),
        entries=entries,
        more=more,
        sound=cut is not None or not found.get("bozo") or isinstance(found.get("bozo_exception"), _SOUND_ENOUGH),
        older=links.get("prev-archive") or links.get("next") or "",
        generator=_generator(feed),
        ended=cut.ended if cut is not None else (),
    )


def _generator(feed: Mapping[str, Any]) -> str:
    detail = feed.get("generator_detail")
    parts = [feed.get("generator"), detail.get("href") if isinstance(detail, Mapping) else ""]
    return " ".join(filter(None, map(text_or_nothing, parts)))[:200]


def _raws(found: Any, url: str, marks: list[str]) -> Iterator[Raw]:
    feed, base = found.feed, _base(found, url)
    atom = str(found.get("version") or "").startswith("atom")
    author = _author(feed) if atom else ""
    return (_raw(entry, base, author, mark) for entry, mark in zip(found.entries, marks, strict=True))


def _base(found: Any, url: str) -> str:
    """The address that links of entries start from."""
    return absolute(url, text_or_nothing(found.feed.get("link"))) or url


def _outlined(outline: Outline, base: str, mark: str) -> Raw:
    return Raw(guid=outline.guid, link=absolute(base, outline.link), published=outline.published, mark=mark)


def _raw(entry: Mapping[str, Any], base: str, author: str, mark: str) -> Raw:
    guid = text_or_nothing(entry.get("id"))
    link = text_or_nothing(entry.get("link"))
    # Where an entry has no link, feedparser offers its guid, whatever that is.
    own = "" if link == guid and not link.lower().startswith(("http://", "https://")) else absolute(base, link)
    html, content_base = _content(entry)
    summary = text_or_nothing(entry.get("summary"))
    return Raw(
        guid=guid,
        link=own,
        title=text_or_nothing(entry.get("title")),
        author=_author(entry) or author,
        published=_when(entry),
        tags=tuple(_tags(entry)),
        html=html,
        base=absolute(base, content_base) or own or base,
        also=summary if "<" not in summary and "media_thumbnail" in entry else "",
        mark=mark,
        summary=not any(isinstance(each, Mapping) and each.get("value") for each in entry.get("content") or ()),
    )


def _content(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The fullest text of an entry as HTML, and the `xml:base` that it was given, if any."""
    contents = [each for each in entry.get("content") or () if isinstance(each, Mapping) and each.get("value")]
    contents.sort(key=lambda each: "html" not in str(each.get("type")))
    if not contents:
        detail = entry.get("summary_detail")
        contents = [detail] if isinstance(detail, Mapping) and detail.get("value") else []
    if not contents:
        return "", ""
    value = text_or_nothing(contents[0].get("value"))
    plain = contents[0].get("type") == "text/plain" or not re.search(r"<[a-zA-Z/!]|&#?\w+;", value)
    return of_plain_text(value) if plain else value, text_or_nothing(contents[0].get("base"))


def _when(entry: Mapping[str, Any]) -> datetime | None:
    for name in ("published", "created", "updated"):
        said = text_or_nothing(entry.get(name))
        if found := instant(said) if said else None:
            return found
    # Dates in other languages and calendars: feedparser knows more of them.
    for name in ("published_parsed", "updated_parsed"):
        try:
            parts = entry.get(name)
            if is_zero(text_or_nothing(entry.get(name.removesuffix("_parsed")))):
                continue
            if parts and (found := sensible(datetime.fromtimestamp(timegm(parts), UTC))):
                return found
        except (TypeError, ValueError, OverflowError, OSError):
            continue
    return None


def _tags(entry: Mapping[str, Any]) -> Iterator[str]:
    for tag in entry.get("tags") or ():
        if isinstance(tag, Mapping) and tag.get("scheme") != _KIND:
            # WordPress escapes a name once for HTML and once more for XML.
            yield from {unescape(text_or_nothing(tag.get(name))): 0 for name in ("term", "label")}


def _author(holder: Mapping[str, Any]) -> str:
    names = []
    for each in holder.get("authors") or ():
        if isinstance(each, Mapping):
            names.append(text_or_nothing(each.get("name")) or text_or_nothing(each.get("email")))
    said = ", ".join(dict.fromkeys(name for name in names if name))
    return said or text_or_nothing(holder.get("author"))
