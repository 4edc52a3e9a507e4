"""Strangers' HTML becomes safe HTML and the words in it. Nothing in it loads, runs, identifies or reaches out."""

import hashlib
import html as escapes
import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import nh3

from reviewkit.feeds.tags import of_link
from reviewkit.visible import Close, Open, Piece, Words, markup, pieces, text_of

LARGEST = 256 * 1024
"""Bytes that one entry may have."""
DEEPEST = 100
"""Elements inside one another: more cost the cleaner quadratic time, and no writer needs them."""

_INLINE = (
    *("a", "abbr", "b", "br", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp"),
    *("small", "strong", "sub", "sup", "u", "var", "wbr"),
)
_HOLDERS = frozenset(
    {
        *("article", "aside", "blockquote", "dd", "div", "figure", "footer", "header", "li", "main", "nav", "section"),
        *("td", "th", "address"),
    }
)
"""Elements in which a paragraph may stand."""
_BLOCKS = (
    *("caption", "dl", "dt", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre"),
    *("table", "tbody", "tfoot", "thead", "tr", "ul"),
)
_TAGS = frozenset({*_INLINE, *_BLOCKS, *_HOLDERS})
_SILENT = {
    *("audio", "button", "canvas", "embed", "iframe", "math", "noscript", "object", "script", "select", "style", "svg"),
    *("template", "textarea", "title", "video"),
}
"""Elements that go with all that is in them."""
_EVERYWHERE = {"lang", "dir"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href"},
    "ol": {"start", "reversed"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_SCHEMES = {"http", "https", "mailto"}
_REL = "noopener noreferrer nofollow"

_first = nh3.Cleaner(
    tags=_TAGS | {"img"},
    clean_content_tags=_SILENT,
    attributes={
        **{tag: set(names) for tag, names in _ATTRIBUTES.items() if tag != "a"},
        "a": {"href", "rel"},
        "img": {"alt", "width", "height"},
    },
    link_rel=None,
    url_schemes=_SCHEMES,
    url_relative="pass_through",
)
"""Makes any HTML orderly, and keeps what is needed to read it: where links are tags, what pictures show."""

_last = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=_SILENT,
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    link_rel=_REL,
    url_schemes=_SCHEMES,
    url_relative="deny",
)
"""Decides what a page may show, whatever was done before it."""

_STARTS_AND_ENDS = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_NEVER_DEEP = frozenset(
    {
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
            "wbr",
        ),
        *("p", "li", "dt", "dd", "option", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup"),
    }
)
"""Elements that hold nothing, or that the next of their kind ends."""

_CONTROLS = dict.fromkeys(
    [
        *(code for code in range(32) if chr(code) not in "\t\n\r"),
        *range(0x7F, 0xA0),
        *(0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF, 0xFFFE, 0xFFFF),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xD800, 0xE000),
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE0020),
    ]
)
"""Signs that nobody sees and that change what others look like (or that a database refuses)."""
_NEAR, _FAR = (
    re.compile(f"[{''.join(re.escape(chr(code)) for code in _CONTROLS if (code > 0xFFFF) == far)}]")
    for far in (False, True)
)
"""The same to be looked for: apart, because one class of both takes ten times as long."""
_JOINERS_IN_ASCII = re.compile("(?<=[\x00-\x7f])[\u200c\u200d]+|^[\u200c\u200d]+")
"""Joiners belong between letters of some scripts and inside emoji; after a plain letter they only hide something."""


_CODE = frozenset({"code", "pre", "kbd", "samp"})
"""Elements in which a #word is no tag."""


class Refused(ValueError):
    """An entry that is not taken; says why as the end of a sentence ("it is longer than 256 kB")."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """Safe HTML, its visible words, the words without code, and the tags that its `rel=tag` links name."""

    html: str
    text: str
    prose: str
    tags: tuple[str, ...]


def clean(html: str, *, base: str = "") -> Cleaned:
    """Clean an entry's HTML; `base` is the address that its relative links start from. Raises Refused."""
    if len(html.encode("utf-8", "replace")) > LARGEST:
        raise Refused(f"it is longer than {LARGEST // 1024} kB")
    if _too_deep(html):
        raise Refused(f"its HTML is nested more than {DEEPEST} deep")
    found, tags = _settled(pieces(_first.clean(visible_signs(html))), base)
    safe = visible_signs(_last.clean(markup(found)))
    read = pieces(safe)
    text = text_of(read)
    has_code = any(isinstance(piece, Open) and piece.tag in _CODE for piece in read)
    return Cleaned(html=safe, text=text, prose=text_of(read, without=_CODE) if has_code else text, tags=tags)


def of_plain_text(text: str) -> str:
    """HTML of plain text: blank lines end paragraphs, line ends stay."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    return "".join(
        f"<p>{escapes.escape(each, quote=False).replace(chr(10), '<br>')}</p>" for each in paragraphs if each
    )


def visible_signs(text: str) -> str:
    """Text without controls, without signs that turn or hide others, and without halves of signs."""
    # Looking first is ten times faster than replacing nothing, and most texts have nothing to replace.
    if _NEAR.search(text) or (not text.isascii() and _FAR.search(text)):
        text = text.translate(_CONTROLS)
    return _JOINERS_IN_ASCII.sub("", text) if "\u200c" in text or "\u200d" in text else text


def line(text: str, *, longest: int = 500) -> str:
    """Plain text on one line, for titles and names; what is too long ends in an ellipsis."""
    short = " ".join(visible_signs(text[: longest * 10]).split())
    return short if len(short) <= longest else short[: longest - 1].rstrip() + "…"


def digest(title: str, text: str) -> str:
    """SHA-256 of what a reader sees, however it is spaced: what makes a revision a new one."""
    return hashlib.sha256(f"{' '.join(title.split())}\n{' '.join(text.split())}".encode()).hexdigest()


def _too_deep(html: str) -> bool:
    """Whether elements may stand too deep in one another: counted from above, before anything builds a tree."""
    depth = 0
    open_now: Counter[str] = Counter()
    foreign = False
    for end, tag in _STARTS_AND_ENDS.findall(html):
        name = tag.lower()
        # Behind <svg> and <math> the names mean nothing: there, every element may hold every other.
        foreign = foreign or name in ("svg", "math")
        if name in _NEVER_DEEP and not foreign:
            continue
        if not end:
            open_now[name] += 1
            depth += 1
            if depth > DEEPEST:
                return True
        elif open_now[name]:
            open_now[name] -= 1
            depth -= 1
    return False


def _settled(found: list[Piece], base: str) -> tuple[list[Piece], tuple[str, ...]]:
    """Links made absolute, pictures put into words; and the tags that links name."""
    settled: list[Piece] = []
    tags: list[str] = []
    inside: list[str] = []
    for piece in found:
        if isinstance(piece, Open) and piece.tag == "img":
            words = _picture(piece)
            if words and (not inside or inside[-1] in _HOLDERS):
                settled += [Open("p"), Words(words), Close("p")]
            elif words:
                settled.append(Words(f" {words} "))
            continue
        if isinstance(piece, Open) and piece.tag == "a":
            address = _absolute(base, piece.get("href") or "")
            if address and "tag" in (piece.get("rel") or "").casefold().split():
                tags.append(of_link(address))
            piece = Open("a", (("href", address),) if address else ())
        if isinstance(piece, Open) and piece.tag not in ("br", "hr", "wbr"):
            inside.append(piece.tag)
        elif isinstance(piece, Close) and inside:
            inside.pop()
        settled.append(piece)
    return settled, tuple(tags)


def _picture(image: Open) -> str:
    """Words in a picture's place; nothing for a dot that only counts readers."""
    if {image.get("width"), image.get("height")} & {"0", "1"}:
        return ""
    alt = line(image.get("alt") or "")
    return f"[Picture: {alt}]" if alt else "[Picture]"


def _absolute(base: str, address: str) -> str:
    if not address.strip():
        return ""
    try:
        joined = urljoin(base, address.strip())
        return joined if urlsplit(joined).scheme in _SCHEMES else ""
    except ValueError:
        return ""
