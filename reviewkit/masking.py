"""A post without its author: names, handles, addresses and titles replaced, the thought left standing.

Masked, not anonymous: what somebody tells of themselves in other words stays, and so does a name that is hidden
inside a longer word, or written in signs that only look like its letters (those we know are read as such).
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape
from urllib.parse import unquote, urlsplit

from reviewkit.classmates import CLASSMATE, CLASSMATES_SITE, Classmates
from reviewkit.embeds import is_own, media_of, plays
from reviewkit.footers import without_footers
from reviewkit.identity import Identity, identity
from reviewkit.model import Revision
from reviewkit.needles import COMMON, PARTICLES, Finder, Needle, Span, folded, letters_in, overlay, pattern_of
from reviewkit.visible import PARAGRAPHS, VOID, Open, Piece, Words, markup, pieces, text_of

__all__ = [
    "AS_AUTHOR",
    "AS_REVIEWER",
    "AUTHOR",
    "CLASSMATE",
    "CLASSMATES_SITE",
    "HIDDEN",
    "SITE",
    "Classmates",
    "Identity",
    "Masked",
    "Others",
    "identity",
    "mask",
    "mask_text",
    "own_words",
]

AUTHOR = "[author]"
SITE = "[the author's site]"
AS_AUTHOR = (AUTHOR, SITE)
AS_REVIEWER = ("[reviewer]", "[the reviewer's site]")
"""The marks for somebody's names and for their sites."""
HIDDEN = "[hidden]"
"""Stands for a word that the author wants hidden."""

_GAP = "\n" * 4
"""Set between paragraphs, so that no name is found across two of them."""
_PLAIN_ATTRIBUTES = frozenset(
    {"width", "height", "rel", "colspan", "rowspan", "start", "reversed", "lang", "dir", "scope"}
)
_WORDY_ATTRIBUTES = frozenset({"alt", "title"})
_ADDRESSES = frozenset({"href", "src"})
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE)
_TOKEN = re.compile(r"\S+")
_OUR_COPY = re.compile(r"/pictures/[A-Za-z0-9_-]{24}\Z")
"""A picture of the post as the course has copied it: its name is random."""
_TAG_PAGE = re.compile(r"/(?:tags?|tagged|category|categories|label)/", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Masked:
    """A revision without its author; `replaced` lists what was taken out, each once (for the instructor)."""

    title: str
    html: str
    text: str
    replaced: tuple[str, ...]
    times: tuple[int, ...] = ()
    """How often each of `replaced` was."""


@dataclass(frozen=True)
class Others:
    """The people of the class; `known` are ids of those who are no secret here, or hidden by other words."""

    people: Classmates
    known: frozenset[str]


def mask(revision: Revision, who: Identity, keep_tags: Iterable[str] = (), *, others: Others | None = None) -> Masked:
    """The revision without its author, and without people of the class where `others` tells of them.

    Tags in `keep_tags` stay even where they hold one of the author's words. What publishing tools put around a post
    (see footers) goes as a whole.
    """
    mask = _mask_for(who, frozenset(keep_tags), others)
    replaced = Counter[str]()
    title = mask.words(revision.title, replaced)
    html, text = "", ""
    if revision.html:
        found, around = without_footers(
            pieces(revision.html), title=revision.title, gives_away=mask.gives_away, name_at_start=mask.name_at_start
        )
        left = mask.document(found, replaced)
        replaced.update(around)
        html, text = markup(left), text_of(left)
    else:
        text = mask.words(revision.text, replaced)
    return Masked(title=title, html=html, text=text, replaced=tuple(replaced), times=tuple(replaced.values()))


def mask_text(
    text: str,
    who: Identity,
    keep_tags: Iterable[str] = (),
    *,
    others: Others | None = None,
    role: tuple[str, str] = AS_AUTHOR,
) -> str:
    """Words (a quote, a title, a review) without that person, whom the marks call an author or a reviewer; and without
    people of the class where `others` tells of them."""
    return _mask_for(who, frozenset(keep_tags), others, role).words(text, Counter())


def own_words(text: str, who: Identity, keep_tags: Iterable[str] = ()) -> tuple[str, ...]:
    """What of a text names its writer, each once."""
    replaced = Counter[str]()
    _mask_for(who, frozenset(keep_tags), None).words(text, replaced)
    return tuple(replaced)


class _Mask:
    """Everything that hides one person."""

    def __init__(self, who: Identity, keep: frozenset[str], others: Others | None, role: tuple[str, str]) -> None:
        self._others = others
        self._name, self._site = role
        self._finder = _finder_for(who, keep, role)
        self._hosts = [folded(host).rstrip("/") for host in who.hosts]

    def name_at_start(self, text: str) -> int:
        """How many characters of a text are the author's name at its beginning; 0 when it begins otherwise."""
        first = next(iter(self._finder.spans(text[:200])), None)
        return first.end if first and first.mark == self._name and not letters_in(text[: first.start]) else 0

    def words(self, text: str, replaced: Counter[str]) -> str:
        return _rewritten(text, 0, self._spans(text), replaced)

    def document(self, found: list[Piece], replaced: Counter[str]) -> list[Piece]:
        found = media_of(found, replaced)
        whole, places = _run(found)
        spans = self._spans(whole)
        unlinked: set[int] = set()
        links: list[Span] = []
        for first, last, start, end in _links(found, places):
            link = found[first]
            assert isinstance(link, Open)
            address, said = link.get("href") or "", whole[start:end]
            mark = self._whose(address, said, whole[max(0, start - 60) : start].rpartition(_GAP)[2])
            if not mark:
                playing = plays(address, said) if _alone(found, first, last) else ""
                if playing:  # an embedded player says whose channel it is, even where its address does not
                    unlinked |= {first, last}
                    replaced[address] += 1
                    links.append(Span(start, end, playing))
                continue
            unlinked |= {first, last}
            replaced[address] += 1
            words = _rewritten(said, start, spans, Counter())
            for each in (self._name, self._site, HIDDEN, CLASSMATE, CLASSMATES_SITE):
                words = words.replace(each, "")
            if not letters_in(words):
                links += [Span(start, end, mark)] if said.strip() else []
            elif not _TAG_PAGE.search(address):
                links.append(Span(end, end, f" {mark}"))
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

    def _whose(self, address: str, said: str, before: str) -> str:
        """The mark for a link that leads to the author or to somebody of the class; empty for all others."""
        if self.gives_away(address) or is_own(address, said, before):
            return self._site
        others = self._others
        return CLASSMATES_SITE if others and others.people.owner(address, but=others.known) else ""

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

    def _attributes(self, piece: Open, replaced: Counter[str]) -> Iterable[tuple[str, str]]:
        for key, value in piece.attributes:
            if key in _ADDRESSES:
                if piece.tag == "img" and _OUR_COPY.match(value):
                    yield key, value
                elif self.gives_away(value):
                    replaced[value] += 1
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
                spans.append(Span(found.start(), found.start() + len(address), self._site))
        for found in _TOKEN.finditer(text):
            token = found.group()
            if ("%" in token or "&" in token) and self._finder.spans(_decoded(token)):
                spans.append(Span(found.start(), found.end(), self._name))
        if self._others:
            spans += self._others.people.spans(text, but=self._others.known)
        return overlay(spans, text)


@lru_cache(maxsize=1024)
def _finder_for(who: Identity, keep: frozenset[str], role: tuple[str, str]) -> Finder:
    """Takes longer to make than a text to be masked, and is the same for all who read it."""
    marks = {AUTHOR: role[0], SITE: role[1]}
    # A word of the marks themselves cannot be hidden behind them.
    harmless = [each for each in _needles(who) if not _found_in_marks(each)]
    return Finder([replace(each, mark=marks.get(each.mark, each.mark)) for each in harmless], keep)


@lru_cache(maxsize=256)
def _mask_for(who: Identity, keep: frozenset[str], others: Others | None, role: tuple[str, str] = AS_AUTHOR) -> _Mask:
    return _Mask(who, keep, others, role)


def _alone(found: list[Piece], first: int, last: int) -> bool:
    """Whether a link is all that its line says."""

    def quiet(places: Iterable[int]) -> bool:
        for place in places:
            piece = found[place]
            if isinstance(piece, Words):
                if piece.text.strip():
                    return False
            elif piece.tag in PARAGRAPHS or piece.tag in ("br", "li", "td", "th"):
                return True
        return True

    return quiet(range(first - 1, -1, -1)) and quiet(range(last + 1, len(found)))


def _decoded(text: str) -> str:
    """Without percent and HTML escapes, also where they were put on three times."""
    for _ in range(3):
        plain = unquote(unescape(text))
        if plain == text:
            break
        text = plain
    return text


def _rewritten(text: str, at: int, spans: Iterable[Span], replaced: Counter[str]) -> str:
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
            replaced[text[low:high].strip()] += 1
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
    for word in who.hidden:
        yield Needle(pattern_of(word, between=r"[\W_]{0,4}"), HIDDEN, loose=len(word) >= 5)


def _needles_of_name(name: str) -> Iterable[Needle]:
    """A full name in either order and joined; its parts alone; a part with the other's initial."""
    parts = re.findall(r"[^\W\d_]+", name)[:6]
    size = sum(map(len, parts))
    yield Needle(pattern_of(name), AUTHOR, inside=size >= 7, capital=len(parts) == 1 and _needs_capital(name))
    for part in parts:
        for other in parts:
            if other == part or min(len(part), len(other)) < 2 or {folded(part), folded(other)} <= PARTICLES:
                continue
            inside = len(part) + len(other) >= 7
            yield Needle(pattern_of(f"{part} {other}"), AUTHOR, inside=inside)
            yield Needle(rf"{pattern_of(part)}\s{{1,2}}{pattern_of(other[0])}\.", AUTHOR)
            yield Needle(rf"{pattern_of(part[0])}\.\s{{0,2}}{pattern_of(other)}", AUTHOR)
        if folded(part) in PARTICLES or (len(part) < 2 and not letters_in(part, far=True)):
            continue
        sure = not _needs_capital(part)
        yield Needle(pattern_of(part), AUTHOR, capital=not sure, loose=sure and len(part) >= 5)


def _needs_capital(part: str) -> bool:
    return folded(part) in COMMON or (len(part) < 3 and not letters_in(part, far=True))


def _found_in_marks(needle: Needle) -> bool:
    return any(
        Finder([needle]).spans(written, loose=True)
        for mark in (*AS_AUTHOR, *AS_REVIEWER, HIDDEN, CLASSMATE, CLASSMATES_SITE)
        for written in (mark, mark.title())
    )
