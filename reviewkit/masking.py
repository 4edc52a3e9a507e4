"""A post without its author: names, handles, addresses and titles replaced, the thought left standing.

Masked, not anonymous: what somebody tells of themselves in other words stays, and so does a name that is hidden
inside a longer word.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from urllib.parse import unquote, urlsplit

from reviewkit.identity import Identity, identity
from reviewkit.model import Revision
from reviewkit.needles import COMMON, Finder, Needle, Span, folded, letters_in, overlay, pattern_of, words_of
from reviewkit.visible import PARAGRAPHS, VOID, Open, Piece, Words, markup, pieces, text_of

__all__ = ["AUTHOR", "SITE", "Identity", "Masked", "identity", "mask", "mask_text"]

AUTHOR = "[author]"
SITE = "[the author's site]"

_GAP = "\n" * 4
"""Set between paragraphs, so that no name is found across two of them."""
_PLAIN_ATTRIBUTES = frozenset({"rel", "colspan", "rowspan", "start", "reversed", "lang", "dir", "scope"})
_WORDY_ATTRIBUTES = frozenset({"alt", "title"})
_ADDRESSES = frozenset({"href", "src"})
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE)
_TOKEN = re.compile(r"\S+")
_TAG_PAGE = re.compile(r"/(?:tags?|tagged|category|categories|label)/", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Masked:
    """A revision without its author; `replaced` lists what was taken out, each once (for the instructor)."""

    title: str
    html: str
    text: str
    replaced: tuple[str, ...]


def mask(revision: Revision, who: Identity, keep_tags: Iterable[str] = ()) -> Masked:
    """The revision without its author. Tags in `keep_tags` stay even where they hold one of the author's words."""
    mask = _mask_for(who, frozenset(keep_tags))
    replaced: dict[str, None] = {}
    title = mask.words(revision.title, replaced)
    if not revision.html:
        return Masked(title=title, html="", text=mask.words(revision.text, replaced), replaced=tuple(replaced))
    left = mask.document(pieces(revision.html), replaced)
    return Masked(title=title, html=markup(left), text=text_of(left), replaced=tuple(replaced))


def mask_text(text: str, who: Identity, keep_tags: Iterable[str] = ()) -> str:
    """Words (a quote, a title) without the author."""
    return _mask_for(who, frozenset(keep_tags)).words(text, {})


class _Mask:
    """Everything that hides one person."""

    def __init__(self, who: Identity, keep: frozenset[str]) -> None:
        # A word of the marks themselves cannot be hidden behind them.
        harmless = [each for each in _needles(who) if not _found_in_marks(each)]
        self._finder = Finder(harmless, keep)
        self._hosts = [folded(host).rstrip("/") for host in who.hosts]

    def words(self, text: str, replaced: dict[str, None]) -> str:
        return _rewritten(text, 0, self._spans(text), replaced)

    def document(self, found: list[Piece], replaced: dict[str, None]) -> list[Piece]:
        whole, places = _run(found)
        spans = self._spans(whole)
        unlinked: set[int] = set()
        links: list[Span] = []
        for first, last, start, end in _links(found, places):
            link = found[first]
            assert isinstance(link, Open)
            if not self.gives_away(link.get("href") or ""):
                continue
            unlinked |= {first, last}
            replaced.setdefault(link.get("href") or "", None)
            words = _rewritten(whole[start:end], start, spans, {})
            if not letters_in(words.replace(AUTHOR, "").replace(SITE, "")):
                links += [Span(start, end, SITE)] if whole[start:end].strip() else []
            elif not _TAG_PAGE.search(link.get("href") or ""):
                links.append(Span(end, end, f" {SITE}"))
        spans = overlay((*spans, *links))
        starts = [each.start for each in spans]
        left: list[Piece] = []
        for index, piece in enumerate(found):
            if index in unlinked:
                continue
            if isinstance(piece, Words):
                here = places[index]
                # A span may begin in an earlier piece: look back past all that could still reach into this one.
                near = spans[max(0, bisect_left(starts, here) - 2) : bisect_left(starts, here + len(piece.text) + 1)]
                left.append(Words(_rewritten(piece.text, here, near, replaced)))
            elif isinstance(piece, Open):
                left.append(Open(piece.tag, tuple(self._attributes(piece, replaced))))
            else:
                left.append(piece)
        return left

    def gives_away(self, address: str) -> bool:
        """An address of the author, or one that names them, or one that only means something on their site."""
        plain = _decoded(address.strip())
        try:
            parts = urlsplit(plain)
            host = parts.hostname or ""
        except ValueError:
            return True
        if not parts.scheme:
            return True
        return self._is_theirs(folded(host), folded(parts.path)) or bool(self._finder.spans(plain, loose=True))

    def _is_theirs(self, host: str, path: str) -> bool:
        for known in self._hosts:
            name, _, start = known.partition("/")
            if (host == name or host.endswith(f".{name}")) and f"{path}/".startswith(f"/{start}/" if start else "/"):
                return True
        return False

    def _attributes(self, piece: Open, replaced: dict[str, None]) -> Iterable[tuple[str, str]]:
        for key, value in piece.attributes:
            if key in _ADDRESSES:
                if self.gives_away(value):
                    replaced.setdefault(value, None)
                else:
                    yield key, value
            elif key in _WORDY_ATTRIBUTES:
                yield key, self.words(value, replaced)
            elif key in _PLAIN_ATTRIBUTES:
                yield key, value

    def _spans(self, text: str) -> list[Span]:
        spans = self._finder.spans(text)
        for found in _ADDRESS.finditer(text):
            address = found.group().rstrip(".,;:!?)]}'’”»")
            full = address if "://" in address or "@" in address else f"https://{address}"
            if self.gives_away(f"mailto:{full}" if "://" not in full else full):
                spans.append(Span(found.start(), found.start() + len(address), SITE))
        for found in _TOKEN.finditer(text):
            token = found.group()
            if ("%" in token or "&" in token) and self._finder.spans(_decoded(token)):
                spans.append(Span(found.start(), found.end(), AUTHOR))
        return overlay(spans, text)


@lru_cache(maxsize=256)
def _mask_for(who: Identity, keep: frozenset[str]) -> _Mask:
    return _Mask(who, keep)


def _decoded(text: str) -> str:
    """Without percent and HTML escapes, also where they were put on three times."""
    for _ in range(3):
        plain = unquote(unescape(text))
        if plain == text:
            break
        text = plain
    return text


def _rewritten(text: str, at: int, spans: Iterable[Span], replaced: dict[str, None]) -> str:
    """The text, which stands at `at`, with the spans' marks. A mark is written where its span begins."""
    out, done, end = [], 0, at + len(text)
    for span in spans:
        low, high = max(span.start - at, 0), min(span.end - at, len(text))
        added = span.start == span.end  # nothing is taken out: it follows the word it stands behind
        if not (at < span.start <= end if added else low < high):
            continue
        out.append(text[done:low])
        if span.start >= at:
            out.append(span.mark)
        if text[low:high].strip():
            replaced.setdefault(text[low:high].strip(), None)
        done = max(done, high)
    out.append(text[done:])
    return "".join(out)


def _run(found: list[Piece]) -> tuple[str, dict[int, int]]:
    """All words one after the other, and where those of each piece begin."""
    run: list[str] = []
    places: dict[int, int] = {}
    length = 0
    for index, piece in enumerate(found):
        places[index] = length
        if isinstance(piece, Words):
            run.append(piece.text)
        elif piece.tag in PARAGRAPHS or piece.tag in VOID or piece.tag in ("li", "tr", "td", "th"):
            run.append(_GAP)
        else:
            continue
        length += len(run[-1])
    return "".join(run), places


def _links(found: list[Piece], places: dict[int, int]) -> Iterable[tuple[int, int, int, int]]:
    """For each link with an address: the pieces that begin and end it, and where its words begin and end."""
    begun: int | None = None
    for index, piece in enumerate(found):
        if isinstance(piece, Words) or piece.tag != "a":
            continue
        if isinstance(piece, Open):
            begun = index if piece.get("href") is not None else None
        elif begun is not None:
            yield begun, index, places[begun], places[index]
            begun = None


# -- what is looked for ----------------------------------------------------------------------------------------------


def _needles(who: Identity) -> Iterable[Needle]:
    for name in who.names:
        yield from _needles_of_name(name)
    for handle in who.handles:
        bare = folded(handle.lstrip("@"))
        if not bare:
            continue
        pattern = re.escape(bare)
        yield Needle(rf"@{pattern}(?:@[\w.-]{{1,100}})?", AUTHOR)
        if len(bare) >= 3:
            yield Needle(pattern, AUTHOR, capital=bare in COMMON, loose=len(bare) >= 5 and bare not in COMMON)
    for email in who.emails:
        yield Needle(re.escape(folded(email)), AUTHOR, inside=True)
    for host in who.hosts:
        end = r"(?!\w)" if "/" in host else ""  # on a host of many people, a longer name is somebody else's
        address = rf"(?:https?://)?[\w.-]{{0,60}}{re.escape(folded(host))}{end}(?:/[^\s<>\"]{{0,500}}[\w/])?"
        yield Needle(address, SITE, inside=True)
    for title in who.titles:
        words = re.findall(r"[^\W_]+", title)
        size = sum(map(len, words))
        if len(words) > 1 and size >= 5:
            yield Needle(pattern_of(title, between=r"[\W_]{0,4}"), SITE, loose=size >= 8)
        elif size >= 4 or letters_in(title, far=True):
            yield Needle(pattern_of(title), SITE, capital=True)


def _needles_of_name(name: str) -> Iterable[Needle]:
    """A full name in either order and joined; its parts alone; a part with the other's initial."""
    parts = re.findall(r"[^\W\d_]+", name)[:6]
    size = sum(map(len, parts))
    yield Needle(pattern_of(name), AUTHOR, inside=size >= 7, capital=len(parts) == 1 and _needs_capital(name))
    for part in parts:
        for other in parts:
            if other == part or min(len(part), len(other)) < 2 or {folded(part), folded(other)} <= _PARTICLES:
                continue
            inside = len(part) + len(other) >= 7
            yield Needle(pattern_of(f"{part} {other}"), AUTHOR, inside=inside)
            yield Needle(rf"{pattern_of(part)}\s{{1,2}}{pattern_of(other[0])}\.", AUTHOR)
            yield Needle(rf"{pattern_of(part[0])}\.\s{{0,2}}{pattern_of(other)}", AUTHOR)
        if folded(part) in _PARTICLES or (len(part) < 2 and not letters_in(part, far=True)):
            continue
        sure = not _needs_capital(part)
        yield Needle(pattern_of(part), AUTHOR, capital=not sure, loose=sure and len(part) >= 5)


def _needs_capital(part: str) -> bool:
    return folded(part) in COMMON or (len(part) < 3 and not letters_in(part, far=True))


_PARTICLES = words_of(
    """
    al am an as at ab be by bin da das de del den der des di do dos du el er es go he if ibn im in is it la las
    le les los mac me my no of oh ok on or san so st su ten ter the to tu um un up us van vom von we wo ye zu
    zum zur and y e dr prof mr mrs ms mx
    """
)
"""Short words inside names that are words of their own: never looked for alone."""


def _found_in_marks(needle: Needle) -> bool:
    return any(Finder([needle]).spans(mark, loose=True) for mark in (AUTHOR, SITE, AUTHOR.title(), SITE.title()))
