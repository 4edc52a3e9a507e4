"""Pages that are feeds themselves: entries marked up as microformats (h-feed, h-entry), read through mf2py."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reviewkit.errors import FeedError
from reviewkit.feeds.clean import of_plain_text
from reviewkit.feeds.dates import instant
from reviewkit.feeds.document import Document, Raw, absolute, text_or_nothing, web_page

LARGEST = 2 * 1024 * 1024
"""Bytes of a page: reading one costs far more than reading a feed, and a list of posts is no novel."""


def is_hfeed(body: bytes) -> bool:
    """Whether a page marks up entries, so that reading it as a feed is worth its cost."""
    return b"h-feed" in body or b"h-entry" in body


def read(body: bytes, *, url: str, content_type: str = "") -> Document:
    """Raises FeedError when the page shows no entries, or is too big."""
    if len(body) > LARGEST:
        raise FeedError("That address shows a web page of more than 2 MB; give the address of its feed.", url=url)
    import mf2py  # brings an HTML parser and an HTTP client that no other format needs

    try:
        # Always given the document: without one, mf2py would fetch the address by itself.
        page = mf2py.parse(doc=_text(body, content_type), url=url)
    except MemoryError:
        raise
    except Exception as error:  # on hostile markup it lets through whatever its parsers raise
        raise web_page(url) from error
    feed, entries = _entries(page.get("items") or ())
    if not entries:
        raise web_page(url)
    author = _author(feed)
    return Document(
        title=_first(feed, "name"),
        entries=(_raw(entry, url, author) for entry in entries),
        sound=b"</html" in body[-2000:].lower() or b"<html" not in body.lower(),
        older=next((absolute(url, each) for each in page.get("rels", {}).get("next") or () if each), ""),
    )


def _text(body: bytes, content_type: str) -> str | bytes:
    said = re.search(r"charset\s*=\s*[\"']?([\w.-]+)", content_type, re.IGNORECASE)
    try:
        return body.decode(said.group(1)) if said else body.decode()
    except (LookupError, ValueError):
        return body  # the parser looks for what the page itself declares


def _entries(items: Iterable[Any]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The first feed that holds entries, with them; else the entries that stand on the page by themselves."""
    alone: list[Mapping[str, Any]] = []
    waiting = list(items)
    while waiting:
        item, *waiting = waiting
        children = list(item.get("children") or ())
        if "h-feed" in item.get("type", ()):
            inside = [each for each in children if "h-entry" in each.get("type", ())]
            if inside:
                return _properties(item), [_properties(each) for each in inside]
        elif "h-entry" in item.get("type", ()):
            alone.append(_properties(item))
            continue  # what stands in an entry is quoted, or a reply to it
        waiting = [*children, *waiting]  # a card of its author may stand around the feed
    return {}, alone


def _properties(item: Mapping[str, Any]) -> Mapping[str, Any]:
    found = item.get("properties")
    return found if isinstance(found, Mapping) else {}


def _raw(entry: Mapping[str, Any], url: str, author: str) -> Raw:
    link = absolute(url, _first(entry, "url"))
    html, said = _content(entry)
    title = _first(entry, "name")
    # A note has no title: its name is its text once more.
    if _words(title) == _words(said) or len(title) > 300:
        html = html or of_plain_text(title)
        title = ""
    return Raw(
        guid=_first(entry, "uid") or link,
        link=link,
        title=title,
        author=_author(entry) or author,
        published=instant(_first(entry, "published")) or instant(_first(entry, "updated")),
        tags=tuple(_strings(entry, "category")),
        html=html,
        base=url,
        summary=not entry.get("content"),
    )


def _content(entry: Mapping[str, Any]) -> tuple[str, str]:
    for each in entry.get("content") or ():
        if isinstance(each, Mapping):
            return text_or_nothing(each.get("html")), text_or_nothing(each.get("value"))
        if isinstance(each, str):
            return of_plain_text(each), each
    summary = _first(entry, "summary")
    return of_plain_text(summary), summary


def _words(text: str) -> str:
    return " ".join(text.split())


def _strings(entry: Mapping[str, Any], name: str) -> Iterator[str]:
    """The property's values as text: an embedded item stands for its own value."""
    for each in entry.get(name) or ():
        if isinstance(each, Mapping):
            each = each.get("value")
        if isinstance(each, str) and each.strip():
            yield each.strip()


def _first(entry: Mapping[str, Any], name: str) -> str:
    return next(_strings(entry, name), "")


def _author(entry: Mapping[str, Any]) -> str:
    names = []
    for each in entry.get("author") or ():
        if isinstance(each, Mapping):
            properties = _properties(each)
            names.append(_first(properties, "name") or text_or_nothing(each.get("value")))
        elif isinstance(each, str):
            names.append(each.strip())
    return ", ".join(dict.fromkeys(name for name in names if name))
