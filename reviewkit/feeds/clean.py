"""Strangers' HTML becomes safe HTML and the words in it. Nothing in it loads, runs, identifies or reaches out."""

import functools
import hashlib
import html as escapes
import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import nh3

from reviewkit.feeds.tags import of_link
from reviewkit.visible import VOID, Close, Open, Piece, Words, markup, picture_words, pieces, text_of

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
    *("button", "canvas", "math", "noscript", "script", "select", "style", "svg", "template", "textarea", "title"),
}
"""Elements that go with all that is in them."""
_PLAYERS = {"audio": "Recording", "embed": "Embedded", "iframe": "Embedded", "object": "Embedded", "video": "Video"}
"""Elements that load something; a link in words takes their place, and what is in them goes."""
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file")
_LAZY_SETS = ("srcset", "data-srcset", "data-lazy-srcset")
"""Where pictures that are loaded late have their address."""
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
    tags=_TAGS | {"img", "span", "source", *_PLAYERS},
    clean_content_tags=_SILENT,
    attributes={
        **{tag: set(names) for tag, names in _ATTRIBUTES.items() if tag != "a"},
        "*": _EVERYWHERE | {"style", "hidden"},
        "a": {"href", "rel"},
        "img": {"src", "alt", "width", "height", *_LAZY, *_LAZY_SETS},
        "object": {"data"},
        **{tag: {"src"} for tag in ("audio", "embed", "iframe", "source", "video")},
    },
    link_rel=None,
    url_schemes=_SCHEMES,
    url_relative="pass_through",
)
"""Makes any HTML orderly, and keeps what tells which links are tags, where pictures are and what is hidden."""

_last = nh3.Cleaner(
    tags=_TAGS | {"img"},
    clean_content_tags=_SILENT | set(_PLAYERS),
    attributes={**{tag: set(names) for tag, names in _ATTRIBUTES.items()}, "img": {"src", "alt"}},
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
_ASCII_CONTROLS = bytes(code for code in _CONTROLS if code < 0x80)
_NEAR, _FAR = (
    re.compile(f"[{''.join(re.escape(chr(code)) for code in _CONTROLS if (code > 0xFFFF) == far)}]")
    for far in (False, True)
)
"""The same to be looked for: apart, because one class of both takes ten times as long."""
_JOINERS_IN_ASCII = re.compile("(?<=[\x00-\x7f])[\u200c\u200d]+|^[\u200c\u200d]+")
"""Joiners belong between letters of some scripts and inside emoji; after a plain letter they only hide something."""


_CODE = frozenset({"code", "pre", "kbd", "samp"})
"""Elements in which a #word is no tag."""
_NO_PROSE = _CODE | {"img"}


class Refused(ValueError):
    """An entry that is not taken; says why as the end of a sentence ("it is longer than 256 kB")."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """Safe HTML, its visible words, `prose` (those without code and without pictures' words), and the tags that its
    `rel=tag` links name."""

    html: str
    text: str
    prose: str
    tags: tuple[str, ...]


def clean(html: str, *, base: str = "", pictures: bool = False) -> Cleaned:
    """Clean an entry's HTML; `base` is the address that its relative links start from. Raises Refused.

    With `pictures` they stay, with the addresses where they are: whoever keeps the HTML puts copies in their places
    (feeds.images). Without, and in the text, words stand for them.
    """
    if len(html) * 4 > LARGEST and len(html.encode("utf-8", "replace")) > LARGEST:
        raise Refused(f"it is longer than {LARGEST // 1024} kB")
    if _too_deep(html):
        raise Refused(f"its HTML is nested more than {DEEPEST} deep")
    html = visible_signs(html)
    if "noscript" in html.lower():
        html = _LATE.sub(r"\1", html)
    found = pieces(_first.clean(html))
    found, tags = _settled(_seen(found), base, pictures=pictures)
    written = markup(found)
    safe = visible_signs(_last.clean(written))
    # Where the last cleaning had nothing to change, what it gives need not be read again.
    read = found if safe == written or safe == written.replace("\xa0", "&nbsp;") else pieces(safe)
    text = text_of(read)
    prose = text
    if any(f"<{tag}" in safe for tag in _NO_PROSE):
        seen = [each for each in read if not (isinstance(each, Open) and each.tag == "img")]
        prose = text_of(seen, without=_CODE)
    return Cleaned(html=safe, text=text, prose=prose, tags=tags)


def of_plain_text(text: str) -> str:
    """HTML of plain text: blank lines end paragraphs, line ends stay."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    return "".join(
        f"<p>{escapes.escape(each, quote=False).replace(chr(10), '<br>')}</p>" for each in paragraphs if each
    )


def visible_signs(text: str) -> str:
    """Text without controls, without signs that turn or hide others, and without halves of signs."""
    # Looking first is ten times faster than replacing nothing, and most texts have nothing to replace.
    if text.isascii() and len(text.encode().translate(None, _ASCII_CONTROLS)) == len(text):
        return text
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
    if html.count("<") <= DEEPEST:
        return False
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


def _seen(found: list[Piece]) -> list[Piece]:
    """The pieces without what a browser would not show: only search engines, or nobody, are meant to read that."""
    if not any(isinstance(piece, Open) and _is_hidden(piece) for piece in found):
        return found
    shown: list[Piece] = []
    hidden: list[str] = []
    for piece in found:
        if isinstance(piece, Open):
            if (hidden or _is_hidden(piece)) and piece.tag not in VOID | _EMPTY:
                hidden.append(piece.tag)
            elif not hidden and not _is_hidden(piece):
                shown.append(piece)
        elif isinstance(piece, Close) and hidden:
            hidden.pop()  # what the first cleaning gives is well nested
        elif not hidden:
            shown.append(piece)
    return shown


_EMPTY = frozenset({"embed", "source"})
_STYLE = re.compile(r"\s*([a-z-]+)\s*:\s*([^;]+?)\s*(?:!important\s*)?(?:;|$)", re.IGNORECASE)
_WHITE = frozenset({"#fff", "#ffffff", "white", "rgb(255,255,255)", "rgba(255,255,255,1)"})
_NOTHING = re.compile(r"0(?:\.0*)?(?:px|pt|em|rem|%)?")


def _is_hidden(piece: Open) -> bool:
    """Whether an element says of itself that it is not to be seen. White words alone are no such sign: they may stand
    on a dark page of their writer's."""
    if piece.get("hidden") is not None:
        return True
    style = piece.get("style")
    return _hides(style[:2000]) if style else False


@functools.lru_cache(maxsize=256)
def _hides(style: str) -> bool:
    said = {name.lower(): re.sub(r"\s+", "", value.lower()) for name, value in _STYLE.findall(style)}
    if said.get("display") == "none" or said.get("visibility") in ("hidden", "collapse"):
        return True
    if any(_NOTHING.fullmatch(said.get(name, "")) for name in ("font-size", "opacity")):
        return True
    ground = said.get("background-color") or said.get("background") or ""
    ink = said.get("color", "")
    return bool(ink) and (ink == ground or {ink, ground} <= _WHITE)


_LATE = re.compile(r"<noscript[^>]{0,200}>\s*(<img\b[^>]{1,4000}>)\s*</noscript\s*>", re.IGNORECASE)
"""A picture for those without a script: the same one stands before it, to be loaded later."""


def _settled(found: list[Piece], base: str, *, pictures: bool) -> tuple[list[Piece], tuple[str, ...]]:
    """Links made absolute, headings below the page's own, players and (without `pictures`) pictures put into words; and
    the tags that links name."""
    settled: list[Piece] = []
    tags: list[str] = []
    inside: list[str] = []
    player: _Player | None = None
    last = ""
    lower = _lower(found)
    for piece in found:
        if isinstance(piece, Words):
            if player is None:
                settled.append(piece)
            continue
        if player is not None:
            if isinstance(piece, Open):
                player.address = player.address or _absolute(base, piece.get("src") or "")
            if isinstance(piece, Close) and piece.tag == player.tag:
                settled += _set_apart(player.link(), inside)
                player = None
            continue
        if isinstance(piece, Open) and piece.tag in _PLAYERS:
            player = _Player(piece.tag, _absolute(base, piece.get("src") or piece.get("data") or ""))
            if piece.tag in _EMPTY:
                settled += _set_apart(player.link(), inside)
                player = None
            continue
        if isinstance(piece, Open) and piece.tag == "img":
            address = _address_of(piece, base)
            if not _counts_readers(piece, address) and not (address and address == last):
                settled += _set_apart(_picture(piece, address if pictures else ""), inside)
            last = address
            continue
        if piece.tag in ("span", "source") or piece.tag in _PLAYERS:
            continue
        if piece.tag in lower:
            tag = lower[piece.tag]
            piece = Open(tag, piece.attributes) if isinstance(piece, Open) else Close(tag)
        if isinstance(piece, Open) and piece.tag == "a":
            address = _absolute(base, piece.get("href") or "")
            if address and "tag" in (piece.get("rel") or "").casefold().split():
                tags.append(of_link(address))
            piece = Open("a", (("href", address), *_TO_ELSEWHERE) if address else _TO_ELSEWHERE)
        elif isinstance(piece, Open) and piece.attributes:
            # What the last cleaning would take away goes here, so that it has nothing to change.
            left = tuple([each for each in piece.attributes if each[0] not in ("style", "hidden")])
            piece = Open(piece.tag, left)
        if isinstance(piece, Open) and piece.tag not in ("br", "hr", "wbr"):
            inside.append(piece.tag)
        elif isinstance(piece, Close) and inside:
            inside.pop()
        settled.append(piece)
    return _joined(settled), tuple(tags)


_TO_ELSEWHERE = (("rel", _REL),)
"""As the last cleaning writes it on every link."""


def _joined(found: list[Piece]) -> list[Piece]:
    """The pieces, with words that stand side by side as one."""
    joined: list[Piece] = []
    for piece in found:
        if isinstance(piece, Words) and joined and isinstance(last := joined[-1], Words):
            joined[-1] = Words(last.text + piece.text)
        else:
            joined.append(piece)
    return joined


def _lower(found: list[Piece]) -> dict[str, str]:
    """Headings as the page has them: its own are of the first two ranks, so that a post's begin with the third."""
    ranks = {int(piece.tag[1]) for piece in found if isinstance(piece, Open) and piece.tag in _RANKS}
    by = max(0, 3 - min(ranks, default=3))
    return {f"h{rank}": f"h{min(6, rank + by)}" for rank in ranks} if by else {}


_RANKS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass
class _Player:
    """Something that would load and play, while what is inside it is passed over."""

    tag: str
    address: str

    def link(self) -> list[Piece]:
        if not self.address.startswith(("http://", "https://")):
            return []
        host = (urlsplit(self.address).hostname or "").removeprefix("www.")
        said = line(f"[{_PLAYERS[self.tag]}: {host}]", longest=200)
        return [Open("a", (("href", self.address), *_TO_ELSEWHERE)), Words(said), Close("a")]


def _set_apart(shown: list[Piece], inside: list[str]) -> list[Piece]:
    """As a paragraph where one may stand, else among the words."""
    if shown and (not inside or inside[-1] in _HOLDERS):
        return [Open("p"), *shown, Close("p")]
    if not shown or (isinstance(shown[0], Open) and shown[0].tag == "img"):
        return shown
    return [Words(" "), *shown, Words(" ")]


def _picture(image: Open, address: str) -> list[Piece]:
    """A picture with its address, or words in its place."""
    alt = line(image.get("alt") or "")
    return [Open("img", (("src", address), ("alt", alt)))] if address else [Words(picture_words(alt))]


_COUNTERS = re.compile(
    r"//(?:pixel|stats|b|analytics|beacon|track(?:er|ing)?|count(?:er)?)\.[^/]+/"
    r"|//[^/]*(?:doubleclick\.net|google-analytics\.com|scorecardresearch\.com|statcounter\.com|feedburner\.com)/"
    r"|//feeds\.wordpress\.com/1\.0/|//(?:[^/]*\.)?medium\.com/_/stat\b|//[^/]*blogger\.googleusercontent\.com/tracker/",
    re.IGNORECASE,
)
"""Where pictures are that nobody is to see."""


def _counts_readers(image: Open, address: str) -> bool:
    sizes = {image.get("width"), image.get("height")}
    return bool(sizes & {"0", "1", "0px", "1px"}) or bool(_COUNTERS.search(address[:500]))


def _address_of(image: Open, base: str) -> str:
    """Where a picture really is: pages that load them late have a stand-in at the usual place. Empty: nowhere."""
    late = [image.get(name) or "" for name in _LAZY]
    sets = [_largest(image.get(name) or "") for name in _LAZY_SETS]
    for said in (*late, image.get("src") or "", *sets):
        address = _absolute(base, said)
        if address.startswith(("http://", "https://")):
            return address
    return ""


_CANDIDATE = re.compile(r"(\S+[^\s,])(?:\s+(\d{1,6})w|\s+\d[\d.]*x)?\s*(?:,|$)")
WIDE = 1600


def _largest(candidates: str) -> str:
    """Of a `srcset`, the largest picture that is not larger than a copy will be."""
    found = [(int(width or 0), address) for address, width in _CANDIDATE.findall(candidates[:10_000])]
    fitting = [each for each in found if each[0] <= WIDE] or found[:1]
    return max(fitting, default=(0, ""), key=lambda each: each[0])[1]


_WHOLE = re.compile(r"https?://[a-z0-9.-]+(?:/[\w./%~+@,:=-]*)?(?:\?[\w./%~+@,:=&-]+)?(?:#[\w./%~+-]+)?", re.ASCII)
"""An address that starts from nowhere and that nothing changes; most are."""


def _absolute(base: str, address: str) -> str:
    if _WHOLE.fullmatch(address):
        return address
    if not address.strip():
        return ""
    try:
        joined = urljoin(base, address.strip())
        return joined if urlsplit(joined).scheme in _SCHEMES else ""
    except ValueError:
        return ""
