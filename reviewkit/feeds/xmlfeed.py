"""RSS, RDF and Atom through feedparser, and what it leaves to be mended."""

import io
import re
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from html import unescape
from typing import Any

import feedparser

from reviewkit.feeds.clean import of_plain_text
from reviewkit.feeds.dates import guessed, instant, is_zero
from reviewkit.feeds.document import Document, Raw, absolute, not_a_feed, text_or_nothing, web_page
from reviewkit.feeds.outlines import Outline
from reviewkit.feeds.slicing import Sliced, sliced

_KINDS = re.compile(r"https?://(?:schemas\.google\.com/(?:blogger/2008/kind|g/2005)|gdata\.youtube\.com/schemas/\d+)#")
"""How Blogger and YouTube begin their own words for "this is a post", which they write as categories."""
_ASIDES = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    rb"|(?P<begin></?(?:media|itunes):)(?:description|summary)(?P<end>>|\s[^<>]{0,1000}>)",
    re.DOTALL,
)
"""What a picture shows and what a podcast is about: feedparser takes either for the post's own text."""
_ASIDE = b"aside"
_ALTERNATE = frozenset({"alternate", "http://www.iana.org/assignments/relation/alternate"})


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
    if any(each in body for each in (b"<media:description", b"<itunes:summary")):
        body = _ASIDES.sub(_aside, body)
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


def _aside(found: re.Match[bytes]) -> bytes:
    """The same element under a name that feedparser keeps for itself, without attributes, as it has to be for that."""
    if not found["begin"]:
        return found[0]
    return found["begin"] + _ASIDE + (b"/>" if found["end"].endswith(b"/>") else b">")


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
    link = _link(entry)
    # Where an entry has no link, feedparser offers its guid, whatever that is.
    own = "" if link == guid and not link.lower().startswith(("http://", "https://")) else absolute(base, link)
    html, content_base = _content(entry)
    aside = text_or_nothing(entry.get("media_aside")) or text_or_nothing(entry.get("itunes_aside"))
    return Raw(
        guid=guid,
        link=own,
        title=text_or_nothing(entry.get("title")),
        author=_author(entry) or author,
        published=_when(entry),
        tags=tuple(_tags(entry)),
        html=html or _as_html(aside),
        base=absolute(base, content_base) or own or base,
        also=aside if not html else "",
        mark=mark,
        summary=not any(isinstance(each, Mapping) and each.get("value") for each in entry.get("content") or ()),
    )


def _link(entry: Mapping[str, Any]) -> str:
    """The post's own page: of several the first, as pages have it; feedparser takes the last."""
    if original := text_or_nothing(entry.get("feedburner_origlink")):
        return original
    for each in entry.get("links") or ():
        if isinstance(each, Mapping) and each.get("rel") in _ALTERNATE and "html" in (each.get("type") or "html"):
            return text_or_nothing(each.get("href"))
    return text_or_nothing(entry.get("link"))


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
    html = of_plain_text(value) if contents[0].get("type") == "text/plain" else _as_html(value)
    return html, text_or_nothing(contents[0].get("base"))


def _as_html(value: str) -> str:
    """Text that may be HTML or plain."""
    return value if re.search(r"<[a-zA-Z/!]|&#?\w+;", value) else of_plain_text(value)


def _when(entry: Mapping[str, Any]) -> datetime | None:
    for name in ("published", "created", "updated"):
        said = text_or_nothing(entry.get(name))
        if found := instant(said) if said else None:
            return found
    # Dates in other languages and calendars: feedparser knows more of them.
    for name in ("published", "updated"):
        said, parts = text_or_nothing(entry.get(name)), entry.get(f"{name}_parsed")
        if said and parts and not is_zero(said) and (found := guessed(said, tuple(parts))):
            return found
    return None


def _tags(entry: Mapping[str, Any]) -> Iterator[str]:
    for tag in entry.get("tags") or ():
        if isinstance(tag, Mapping) and not _KINDS.match(text_or_nothing(tag.get("term"))):
            # WordPress escapes a name once for HTML and once more for XML.
            yield from {unescape(text_or_nothing(tag.get(name))): 0 for name in ("term", "label")}


def _author(holder: Mapping[str, Any]) -> str:
    whole = text_or_nothing(holder.get("author"))  # of several the last
    names = []
    for each in holder.get("authors") or ():
        if isinstance(each, Mapping):
            name, mail = text_or_nothing(each.get("name")), text_or_nothing(each.get("email"))
            # feedparser knows no end of an address longer than four letters, and takes what is left for a name.
            cut = mail and whole.partition(mail)[2][:1].isalpha()
            names.append(_named(whole) if cut else name or mail)
    said = ", ".join(dict.fromkeys(name for name in names if name))
    return said or whole


_MAIL = re.compile(r"(?<![\w@.+-])[\w.+-]+@[\w.-]+")


def _named(said: str) -> str:
    """The name beside an address, as mail has it: `ann@ann.example (Ann)`, `Ann <ann@ann.example>`; without one the
    address."""
    mail = _MAIL.search(said)
    if mail is None:
        return said
    name = (said[: mail.start()] + said[mail.end() :]).replace("()", "").replace("<>", "").strip()
    return (name[1:-1].strip() if name[:1] == "(" and name[-1:] == ")" else name) or mail[0]
