"""What tells, without a reader of feeds, that an item carries no wanted tag: most items of most feeds do not.

Drawn on the walk that cuts a document (`slicing`). An outline is drawn only of an item whose every element is known and
plain, so that the reader of feeds would find the very same guid, link and date in it; any other has none, and is read.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from html import unescape

from reviewkit.feeds.dates import instant
from reviewkit.feeds.tags import fold, may_begin_in

_ATOM = "http://www.w3.org/2005/Atom "
_DC = "http://purl.org/dc/elements/1.1/ "
_AROUND = {
    "item": ("rss", "channel"),
    f"{_ATOM}entry": (f"{_ATOM}feed",),
}
"""What items stand in whose outline can be drawn."""
_WORDS = frozenset(
    {
        *("title", "description", "http://purl.org/rss/1.0/modules/content/ encoded"),
        *(f"{_ATOM}{name}" for name in ("title", "summary", "content")),
    }
)
_TAGS = frozenset({"category", f"{_DC}subject", f"{_ATOM}category"})
_DATES = {"pubDate": 0, f"{_ATOM}published": 0, f"{_ATOM}updated": 1}
_NAMES = frozenset({"guid", f"{_ATOM}id"})
_LINKS = frozenset({"link", f"{_ATOM}link"})
_AUTHOR = f"{_ATOM}author"
_SILENT = frozenset(
    {
        *("author", "comments", "enclosure", f"{_DC}creator", "http://wellformedweb.org/CommentAPI/ commentRss"),
        *("http://purl.org/rss/1.0/modules/slash/ comments", "com-wordpress:feed-additions:1 post-id"),
        *("http://purl.org/syndication/thread/1.0 total", "http://www.w3.org/2007/app edited", _AUTHOR),
        "http://search.yahoo.com/mrss/ thumbnail",
    }
)
"""Elements that say nothing of which post it is, of its date and of its tags."""
_MAY_HAVE = {
    **dict.fromkeys(_WORDS, frozenset({"type", "http://www.w3.org/XML/1998/namespace lang"})),
    **dict.fromkeys(_TAGS, frozenset({"domain", "term", "label", "scheme"})),
    "guid": frozenset({"isPermaLink"}),
    f"{_ATOM}link": frozenset({"rel", "type", "href", "title", "length"}),
}
"""The attributes with which an element is plain; those of silent ones are nobody's concern."""
_PLAIN_TYPES = frozenset({"", "text", "html", "text/html", "text/plain"})
_ADDRESS = re.compile(r"https?://[^/\s\[\]&;][^\s\[\];]*", re.ASCII)
_WIDE_SIGNS = ("\xef\xbc", "\xef\xb9")
"""How the bytes of a wide # begin where they were taken for Latin-1; the reader of feeds mends that."""
_CONTROLS = re.compile("[\x80-\x9f]")


@dataclass(frozen=True)
class Outline:
    """An item's guid, link and date as a reader of feeds would find them; its categories and all of its words."""

    guid: str
    link: str
    published: datetime | None
    tags: tuple[str, ...]
    words: tuple[str, ...]

    def may_carry(self, wanted: AbstractSet[str]) -> bool:
        """Whether it can carry one of these tags (folded): it says yes too often, never no."""
        return any(_may_be(tag, wanted) for tag in self.tags) or any(_may_name(words) for words in self.words)


class Drawer:
    """Hears the elements of a document and draws its items, in their order."""

    def __init__(self) -> None:
        self.drawn: list[Outline | None] = []
        self._stack: list[str] = []
        self._based = False
        self._reset(False, 0)

    def _reset(self, plain: bool, depth: int) -> None:
        self._plain, self._depth = plain, depth
        self._name, self._text = "", list[str]()
        self._guids, self._links = list[str](), list[str]()
        self._dates: dict[int, str] = {}
        self._tags, self._words = list[str](), list[str]()

    def around(self, name: str, attributes: dict[str, str], depth: int) -> None:
        """An element outside of items begins."""
        self._based = self._based or any(each.lower().endswith("base") for each in attributes)
        del self._stack[depth - 1 :]
        self._stack.append(name)

    def begin(self, name: str, attributes: dict[str, str], depth: int) -> None:
        """An item begins."""
        around = tuple(self._stack[: depth - 1])
        self._reset(not self._based and not attributes and _AROUND.get(name) == around, depth)

    def start(self, name: str, attributes: dict[str, str], depth: int) -> None:
        """An element inside an item begins."""
        if not self._plain:
            return
        if depth != self._depth + 1:
            self._plain = depth == self._depth + 2 and self._name == _AUTHOR and not attributes
            return
        self._name = name
        self._text.clear()
        if name in _SILENT:
            return
        self._plain = attributes.keys() <= _MAY_HAVE.get(name, frozenset())
        if name in _WORDS:
            self._plain = self._plain and attributes.get("type", "") in _PLAIN_TYPES
        elif name in _TAGS:
            self._tags += [attributes[each] for each in ("term", "label") if each in attributes]
        elif name == f"{_ATOM}link":
            self._linked(attributes)
        elif name not in _NAMES and name not in _DATES and name != "link":
            self._plain = False

    def _linked(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("rel", "alternate")
        if "href" not in attributes or kind != kind.lower().strip():
            self._plain = False
        elif kind == "alternate":
            self._plain = self._plain and attributes.get("type", "text/html") == "text/html"
            self._links.append(attributes["href"])

    def said(self, text: str) -> None:
        """Text inside an item."""
        self._text.append(text)

    def end(self, name: str, depth: int) -> None:
        """An element inside an item ends."""
        if not self._plain or depth != self._depth + 1 or name in _SILENT:
            self._text.clear()
            return
        text = "".join(self._text)
        self._text.clear()
        if name in _WORDS:
            self._words.append(text)
        elif name in _TAGS:
            self._tags.append(text)
        elif name in _NAMES:
            self._guids.append(text.strip())
        elif name in _DATES:
            self._plain = _DATES[name] not in self._dates
            self._dates[_DATES[name]] = text.strip()
        elif name == "link":
            self._links.append(text.strip())
        self._name = ""

    def draw(self) -> None:
        """An item ends."""
        self.drawn.append(self._outline() if self._plain else None)

    def _outline(self) -> Outline | None:
        if len(self._guids) != 1 or len(self._links) != 1:
            return None
        guid, link = self._guids[0], self._links[0]
        if not guid or not guid.isascii() or not guid.isprintable() or ":///" in guid or not _ADDRESS.fullmatch(link):
            return None
        said = [self._dates[each] for each in sorted(self._dates) if self._dates[each]]
        published = next((found for each in said if each.isascii() and (found := instant(each))), None)
        if said and (published is None or not all(each.isascii() for each in said)):
            return None  # the reader of feeds knows more of dates
        return Outline(guid, link, published, tuple(self._tags), tuple(self._words))


def _may_be(tag: str, wanted: AbstractSet[str]) -> bool:
    if fold(unescape(tag.strip())) in wanted:
        return True
    if tag.isascii():
        return False
    try:
        return fold(unescape(tag.strip().encode("iso-8859-1").decode("utf-8"))) in wanted
    except UnicodeError:
        return bool(_CONTROLS.search(tag))


def _may_name(words: str) -> bool:
    return may_begin_in(words) or (not words.isascii() and any(each in words for each in _WIDE_SIGNS))
