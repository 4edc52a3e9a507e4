"""Tags: how they are compared, and where in a post they stand. Whole tags only, never parts of words."""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import parse_qs, unquote, urlsplit

from reviewkit.model import Found, Tag

LONGEST = 100
MOST = 200
"""Tags that one post may have; what comes after them is passed over."""

_BEFORE = frozenset("&/#=-.:?'\"")
"""After one of these a # begins no tag: it is part of an address, a colour or an escape."""
_FEED_PATHS = (
    re.compile(r"/(?:tag|tags|category)/([^/]+)/(?:feed|rss|atom|index\.xml|feed\.xml|rss\.xml|atom\.xml)/?$"),
    re.compile(r"/feeds/posts/(?:default|summary)/-/([^/]+)/?$"),
    re.compile(r"/tagged/([^/]+)/rss/?$"),
    re.compile(r"/@[^/]+/tagged/([^/]+)\.rss$"),
    re.compile(r"/(?:tag|category)/([^/]+)\.(?:rss|xml|atom)$"),
)
_MAY_TAG = (
    re.compile(r"[#\uff03\ufe5f](?<![\w&/#=\-.:?'\"].)"),
    re.compile(r"&(?:num|#0*35|#x0*23|#0*65283|#xff03)\b"),
    re.compile(r"rel\s*=[^>]{0,200}?\btag\b"),
)
"""What may begin a #word, or be a link that names a tag; each begins with what is quickly looked for."""


def fold(tag: str) -> str:
    """A tag as tags are compared: without case, widths, invisible signs, a leading # and spaces around it."""
    if tag.isascii() and tag.isprintable():  # most are, and nothing of the kind is in them
        return " ".join(tag.lower().strip().lstrip("#").split())[:LONGEST]
    plain = unicodedata.normalize("NFKC", tag).casefold()
    visible = "".join(each for each in plain if unicodedata.category(each) not in ("Cf", "Cc", "Cs") or each.isspace())
    return " ".join(unicodedata.normalize("NFKC", visible).strip().lstrip("#").split())[:LONGEST]


def of_link(address: str) -> str:
    """The tag that a `rel=tag` link names: the last segment of its path."""
    try:
        path = urlsplit(address.strip()).path
    except ValueError:
        return ""
    return unquote(path.rstrip("/").rpartition("/")[2])


def of_feed(url: str) -> str:
    """The folded tag that a feed's own address is about (`/tag/T/feed/`), or nothing."""
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
    except ValueError:
        return ""
    for pattern in _FEED_PATHS:
        if found := pattern.search(parts.path):
            return fold(unquote(found.group(1)))
    if "feed" in asked and "tag" in asked:
        return fold(asked["tag"][0])
    return ""


def in_text(text: str) -> list[str]:
    """The `#words` of visible text, folded, in their order."""
    text = unicodedata.normalize("NFKC", text)
    found = []
    for match in re.finditer("#", text):
        at = match.start()
        if at and (text[at - 1] in _BEFORE or _in_word(text[at - 1])):
            continue
        end = at + 1
        while end < len(text) and _in_word(text[end]):
            end += 1
        word = text[at + 1 : end]
        if any(each.isalpha() for each in word):
            found.append(fold(word))
    return found


def may_begin_in(text: str) -> bool:
    """Whether raw text may hold a #word, or a link that names a tag: it says yes too often, never no."""
    text = text.lower()
    return any(may_tag.search(text) for may_tag in _MAY_TAG)


def gather(*places: tuple[Found, Iterable[str]]) -> tuple[Tag, ...]:
    """Tags from several places as one tuple: each tag once for each place."""
    tags = (Tag(tag=fold(tag), found=found) for found, words in places for tag in words)
    return tuple(dict.fromkeys(tag for tag in tags if tag.tag))[:MOST]


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or unicodedata.category(sign)[0] == "M"
