"""RSS, RDF and Atom through feedparser, and what it leaves to be mended."""

import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from reviewkit.feeds.clean import of_plain_text
from reviewkit.feeds.dates import instant, sensible
from reviewkit.feeds.document import Document, Raw, absolute, not_a_feed, text_or_nothing, web_page

_KIND = "http://schemas.google.com/blogger/2008/kind#"
"""Blogger's own word for "this is a post", written as a category."""


def read(body: bytes, *, url: str, content_type: str) -> Document:
    """Raises FeedError when there is no feed in it."""
    # Not told where it came from, feedparser leaves guids and links as they are written.
    headers = {"content-type": content_type} if content_type else {}
    try:
        # As a stream: bytes that happen to be a file's name or an address would be opened.
        found = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # on hostile bytes feedparser lets through whatever its parsers raise
        raise not_a_feed(url) from error
    if not found.get("version") and not found.entries:
        raise web_page(url) if "html" in content_type else not_a_feed(url)
    feed = found.feed
    base = absolute(url, text_or_nothing(feed.get("link"))) or url
    atom = str(found.get("version") or "").startswith("atom")
    return Document(
        title=text_or_nothing(feed.get("title")),
        entries=(_raw(entry, base=base, author=_author(feed) if atom else "") for entry in found.entries),
    )


def _raw(entry: Mapping[str, Any], *, base: str, author: str) -> Raw:
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
            if parts and (found := sensible(datetime.fromtimestamp(timegm(parts), UTC))):
                return found
        except (TypeError, ValueError, OverflowError, OSError):
            continue
    return None


def _tags(entry: Mapping[str, Any]) -> Iterator[str]:
    for tag in entry.get("tags") or ():
        if isinstance(tag, Mapping) and tag.get("scheme") != _KIND:
            yield from {text_or_nothing(tag.get("term")): 0, text_or_nothing(tag.get("label")): 0}


def _author(holder: Mapping[str, Any]) -> str:
    names = []
    for each in holder.get("authors") or ():
        if isinstance(each, Mapping):
            names.append(text_or_nothing(each.get("name")) or text_or_nothing(each.get("email")))
    said = ", ".join(dict.fromkeys(name for name in names if name))
    return said or text_or_nothing(holder.get("author"))
