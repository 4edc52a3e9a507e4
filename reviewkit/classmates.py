"""People of the class in somebody's text: whom an author or a reviewer names.

A full name counts in either order, however it is written. A single part of a name counts where it stands as a name:
it has a capital letter, is no everyday word ("Rose", "Will": see needles.COMMON), and belongs to nobody else ("Elton
John" and "Dewey (1938)" are not the John and the Dewey of the class). Handles count behind an @, addresses always.

A class of hundreds is looked up word by word, so that a text costs the same whoever is in the course.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from reviewkit.identity import Identity
from reviewkit.needles import COMMON, PARTICLES, Span, folded, letters_in, with_places

CLASSMATE = "[a classmate]"
CLASSMATES_SITE = "[a classmate's site]"

_WORD = re.compile(r"[^\W_]+")
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_CITED = re.compile(r"\s*(?:,?\s*et al\b|&|,?\s*\(?(?:19|20)\d\d\b)")
_SENTENCE_ENDS = frozenset(".!?:;…\n•*-–—\"“”„«»'‘’()[]")


@dataclass(frozen=True, order=True)
class Named:
    """Somebody's id, and where a text names them."""

    start: int
    end: int
    person: str


class Classmates:
    """The people of a course by the words that name them. Make it once for many texts."""

    def __init__(self, people: Mapping[str, Identity]) -> None:
        self._full: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._alone: dict[str, set[str]] = {}
        self._handles: dict[str, set[str]] = {}
        self._far: list[tuple[str, str]] = []
        self._hosts: dict[str, list[tuple[str, str]]] = {}
        self._parts: dict[str, set[str]] = {}
        for person, who in people.items():
            for name in who.names:
                self._add_name(person, name)
            for handle in (*who.handles, *who.emails):
                self._handles.setdefault(folded(handle.lstrip("@")), set()).add(person)
            for host in who.hosts:
                name, _, path = folded(host).rstrip("/").partition("/")
                self._hosts.setdefault(name, []).append((path, person))

    def _add_name(self, person: str, name: str) -> None:
        for written in {name, name.translate(_WRITTEN_OUT)}:
            parts = tuple(_WORD.findall(folded(written)))[:6]
            if not parts:
                continue
            if len(parts) == 1 and letters_in(written, far=True):
                self._far.append((parts[0], person))
                continue
            if len(parts) > 1:
                for order in {parts, parts[::-1], (parts[-1], *parts[:-1]), (parts[0], parts[-1]), parts[:2]}:
                    if sum(map(len, order)) >= 4:
                        self._full.setdefault(order[0], []).append((order, person))
                joined = "".join(parts)
                if len(joined) >= 7:
                    self._full.setdefault(joined, []).append(((joined,), person))
            self._parts.setdefault(person, set()).update(parts)
            for part in parts:
                if len(part) >= 3 and part not in COMMON and part not in PARTICLES:
                    self._alone.setdefault(part, set()).add(person)

    def named(self, text: str, *, but: Iterable[str] = ()) -> list[Named]:
        """Whom a text names and where, in its order, none overlapping; `but` are ids that do not count.

        A part of a name that is also theirs does not count either: it may be them who is meant.
        """
        left_out = frozenset(but)
        own = frozenset(part for each in left_out for part in self._parts.get(each, ()))
        plain, places = with_places(text)
        found: list[Named] = []
        words = list(_WORD.finditer(plain))
        at = 0
        while at < len(words):
            length, person = self._at(text, plain, places, words, at, left_out, own)
            if not person:
                at += 1
                continue
            first, last = words[at].start(), words[at + length - 1].end()
            found.append(Named(places[first], _end(places, last), person))
            at += length
        found += self._addresses(plain, places, left_out)
        for name, person in self._far:
            if person not in left_out:
                found += [
                    Named(places[each.start()], _end(places, each.end()), person)
                    for each in re.finditer(re.escape(name), plain)
                ]
        return list(_apart(sorted(found)))

    def spans(self, text: str, *, but: Iterable[str] = ()) -> list[Span]:
        """The same as stretches to replace."""
        return [Span(each.start, each.end, CLASSMATE) for each in self.named(text, but=but)]

    def owner(self, address: str, *, but: Iterable[str] = ()) -> str:
        """Whose site an address is on; empty when it is nobody's of the class."""
        try:
            parts = urlsplit(address)
            host, path = folded(parts.hostname or ""), folded(parts.path).strip("/")
        except ValueError:
            return ""
        left_out = frozenset(but)
        labels = host.split(".")
        for cut in range(max(1, len(labels) - 1)):
            for start, person in self._hosts.get(".".join(labels[cut:]), ()):
                if person not in left_out and (not start or f"{path}/".startswith(f"{start}/")):
                    return person
        return ""

    def _at(
        self,
        text: str,
        plain: str,
        places: "range | list[int]",
        words: list[re.Match[str]],
        at: int,
        left_out: frozenset[str],
        own: frozenset[str],
    ) -> tuple[int, str]:
        """How many words from this one on name somebody, and whom."""
        word = words[at].group()
        bare = word[:-1] if word.endswith("s") and len(word) > 3 else word
        best = (0, "")
        for said in dict.fromkeys((word, bare)):
            for name, person in self._full.get(said, ()):
                size = len(name)
                if person in left_out or size <= best[0] or at + size > len(words):
                    continue
                if _follow(plain, words[at : at + size], name):
                    best = (size, person)
        if best[0]:
            return best
        start, end = words[at].span()
        first = places[start]
        if start and plain[start - 1] == "@":
            theirs = (self._handles.get(word) or set()) - left_out
            return (1, min(theirs)) if theirs else (0, "")
        for said in dict.fromkeys((word, bare)):
            theirs = (self._alone.get(said) or set()) - left_out
            if theirs and said not in own and text[first].isupper() and _is_a_name(text, first, _end(places, end)):
                return 1, min(theirs)
        return 0, ""

    def _addresses(self, plain: str, places: "range | list[int]", left_out: frozenset[str]) -> Iterator[Named]:
        for each in re.finditer(r"@?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", plain):
            for theirs in ((self._handles.get(each.group().lstrip("@")) or set()) - left_out,):
                if theirs:
                    yield Named(places[each.start()], _end(places, each.end()), min(theirs))


def _follow(plain: str, words: list[re.Match[str]], name: tuple[str, ...]) -> bool:
    """Whether these words are that name, near one another; the last may have a genitive's s."""
    for place, (word, part) in enumerate(zip(words, name, strict=True)):
        said = word.group()
        if said != part and not (place == len(name) - 1 and said == f"{part}s"):
            return False
        if place:
            between = plain[words[place - 1].end() : word.start()]
            if len(between) > 3 or "\n\n" in between or any(sign in between for sign in ".!?;:"):
                return False
    return True


def _is_a_name(text: str, start: int, end: int) -> bool:
    """Whether a word with a capital stands for a person by itself: it is no part of a longer name, and not cited."""
    behind = text[end : end + 24]
    if _CITED.match(behind):
        return False
    following = re.match(r"[ \u00a0](\w)", behind)
    if following and following.group(1).isupper() and not re.match(r"[ \u00a0]I\b", behind):
        return False
    before = re.search(r"([^\W\d_]+)[ \u00a0]$", text[max(0, start - 40) : start])
    if before is None or not before.group(1)[0].isupper() or before.group(1) == "I":
        return True
    place = max(0, start - 40) + before.start()
    return not text[:place].strip() or text[:place].rstrip(" \u00a0")[-1] in _SENTENCE_ENDS


def _end(places: "range | list[int]", last: int) -> int:
    return places[last] if places[last] > places[last - 1] else places[last - 1] + 1


def _apart(found: list[Named]) -> Iterator[Named]:
    end = -1
    for each in found:
        if each.start >= end:
            yield each
            end = each.end
