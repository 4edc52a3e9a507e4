"""What of a post's cleaned HTML a reader sees: its pieces in order, and its words."""

import re
from collections.abc import Iterable
from html import escape, unescape
from html.parser import HTMLParser

import msgspec

VOID = frozenset({"br", "hr", "img", "wbr", "col"})
PARAGRAPHS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "figcaption"),
        *("figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p"),
        *("pre", "section", "summary", "table", "tbody", "tfoot", "thead", "ul"),
    }
)
"""Elements that a blank line sets apart from what stands around them."""
LINES = frozenset({"br", "li", "tr"})
"""Elements that begin a new line."""
CELLS = frozenset({"td", "th"})

_SPACES = re.compile(r"[ \t\r\n\f]+")
_UNEVEN = re.compile(r"[\t\r\n\f]|  ").search
_BLANK_LINES = re.compile(r"\n{3,}")


# Structs and no dataclasses: a class's feeds make hundreds of thousands of them at a time.


class Words(msgspec.Struct, frozen=True, gc=False):
    """Text between two tags, as a reader sees it (without escapes)."""

    text: str


class Open(msgspec.Struct, frozen=True, gc=False):
    """A start tag with its attributes."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        for key, value in self.attributes:
            if key == name:
                return value
        return None


class Close(msgspec.Struct, frozen=True, gc=False):
    """An end tag."""

    tag: str


Piece = Words | Open | Close


def pieces(html: str) -> list[Piece]:
    """The tags and texts of cleaned HTML in order; comments and declarations are left out.

    Meant for what `feeds.clean` made: raw HTML of strangers may hold what makes this reader slow.
    """
    found = _quickly(html)
    if found is not None:
        return found
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


def markup(found: Iterable[Piece]) -> str:
    """HTML of pieces; every text and attribute is escaped."""
    return "".join(map(_written, found))


def picture_words(alt: str) -> str:
    """What stands for a picture in words."""
    return f"[Picture: {alt}]" if alt else "[Picture]"


def text_of(found: Iterable[Piece], *, without: frozenset[str] = frozenset()) -> str:
    """The words: paragraphs with a blank line between them, lines of lists and tables one below the other.

    A picture's words are its `alt`. Whitespace is as a browser shows it. What stands inside elements named in
    `without` is left out.
    """
    out: list[str] = []
    breaks = 0  # line ends that are due before the next word
    kept = 0  # depth inside <pre>
    skipped = 0  # depth inside elements of `without`
    for piece in found:
        if isinstance(piece, Open) and piece.tag == "img":
            piece = Words(f" {picture_words(piece.get('alt') or '')} ")
        if isinstance(piece, Words):
            words = piece.text if kept or not _UNEVEN(piece.text) else _SPACES.sub(" ", piece.text)
            if not kept and (breaks or not out or out[-1][-1].isspace()):
                words = words.lstrip(" ")
            if skipped or not words:
                continue
            if breaks and out:
                out.append("\n" * breaks)
            breaks = 0
            out.append(words)
            continue
        if piece.tag in PARAGRAPHS:
            breaks = 2
        elif piece.tag in LINES:
            breaks = max(breaks, 1)
        elif piece.tag in CELLS and isinstance(piece, Open) and not breaks and out:
            out.append(" ")
        step = 1 if isinstance(piece, Open) else -1
        if piece.tag == "pre":
            kept = max(0, kept + step)
        if piece.tag in without and piece.tag not in VOID:
            skipped = max(0, skipped + step)
    lines = (line.rstrip(" \t") for line in "".join(out).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


_PIECE = re.compile(r"""(<(/?)([a-z][a-z0-9]*)((?: [a-z][a-z0-9-]*="[^"]*")*)>|[^<]+)""")
_ATTRIBUTE = re.compile(r' ([a-z][a-z0-9-]*)="([^"]*)"')


def _quickly(html: str) -> list[Piece] | None:
    """The pieces of HTML that is written as the cleaner writes it, several times sooner; None for any other."""
    found: list[Piece] = []
    read = 0
    for whole, end, tag, attributes in _PIECE.findall(html):
        read += len(whole)
        if not tag:
            found.append(Words(unescape(whole) if "&" in whole else whole))
        elif tag in ("script", "style"):
            return None  # what stands in them are no tags
        elif end:
            if tag not in VOID:
                found.append(Close(tag))
        elif attributes:
            pairs = _ATTRIBUTE.findall(attributes)
            found.append(Open(tag, tuple([(key, unescape(said) if "&" in said else said) for key, said in pairs])))
        else:
            found.append(Open(tag))
    return found if read == len(html) else None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Piece] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Open(tag, tuple((key, value or "") for key, value in attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.found.append(Close(tag))

    def handle_data(self, data: str) -> None:
        self.found.append(Words(data))


def _written(piece: Piece) -> str:
    if isinstance(piece, Words):
        return escape(piece.text, quote=False)
    if isinstance(piece, Close):
        return f"</{piece.tag}>"
    written = "".join([f' {key}="{escape(value)}"' for key, value in piece.attributes])
    return f"<{piece.tag}{written}>"
