"""JSON Feed (jsonfeed.org, versions 1 and 1.1), read by hand."""

import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any

from reviewkit.feeds.clean import of_plain_text
from reviewkit.feeds.dates import instant
from reviewkit.feeds.document import Document, Raw, absolute, not_a_feed, text_or_nothing


def read(body: bytes, *, url: str, known: Collection[str] = (), read_by: str = "") -> Document:
    """Read a document; of items whose mark is known only the marks come back.

    Raises FeedError when it is not a JSON Feed.
    """
    try:
        feed = json.loads(_text(body), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise not_a_feed(url) from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise not_a_feed(url)
    authors = _authors(feed)
    base = absolute(url, text_or_nothing(feed.get("home_page_url"))) or url
    ground = f"{read_by} {url} {base} {authors}"
    items = (item for item in feed["items"] if isinstance(item, dict))
    return Document(
        title=text_or_nothing(feed.get("title")),
        entries=_entries(items, base, authors, known, ground),
        sound=True,
        older=absolute(url, text_or_nothing(feed.get("next_url"))),
    )


def _text(body: bytes) -> str:
    """The format asks for UTF-8; who writes it by hand sometimes has Windows' letters."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A text cut in the middle of a sign is UTF-8 all the same.
        broken = body[: error.start].isascii() and error.reason != "unexpected end of data"
        return body.decode("cp1252" if broken else "utf-8-sig", "replace")


def _entries(
    items: Iterator[dict[str, Any]], base: str, authors: str, known: Collection[str], ground: str
) -> Iterator[Raw | str]:
    for item in items:
        mark = _mark(item, ground)
        if mark in known:
            yield mark
            continue
        html = text_or_nothing(item.get("content_html"))
        plain = text_or_nothing(item.get("content_text"))
        summary = text_or_nothing(item.get("summary"))
        own = absolute(base, text_or_nothing(item.get("url")))
        yield Raw(
            guid=_identifier(item.get("id")),
            link=own or absolute(base, text_or_nothing(item.get("external_url"))),
            title=text_or_nothing(item.get("title")),
            author=_authors(item) or authors,
            published=instant(_identifier(item.get("date_published")))
            or instant(_identifier(item.get("date_modified"))),
            tags=_tags(item.get("tags")),
            html=html or of_plain_text(plain or summary),
            base=own or base,
            mark=mark,
            summary=not (html or plain),
        )


def _tags(said: object) -> tuple[str, ...]:
    """The format asks for a list of words; some write one string with commas, or a list of objects with names."""
    if isinstance(said, str):
        said = said.split(",")
    named = (each.get("name") if isinstance(each, dict) else each for each in said) if isinstance(said, list) else ()
    return tuple(tag for tag in named if isinstance(tag, str))


def _mark(item: dict[str, Any], ground: str) -> str:
    try:
        said = json.dumps([ground, item], sort_keys=True)
    except (RecursionError, TypeError):
        return ""
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def _identifier(value: object) -> str:
    """The format asks for a string; some write a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    return str(value)


def _authors(holder: dict[str, Any]) -> str:
    """Both versions' ways; some write a plain name in the place of a person."""
    found = holder.get("authors") or holder.get("author")
    people = found if isinstance(found, list) else [found]
    names = (text_or_nothing(each.get("name") if isinstance(each, dict) else each) for each in people)
    return ", ".join(name for name in names if name)
