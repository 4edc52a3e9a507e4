"""Finding a person's words in a text, however they are written: accents, case, joined, between signs."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMON = words_of(
    """
    able about angel april art august autumn bank barber basil bay beach bell berg best bill bird bishop black
    blue bond book bow brook brown bush butler carpenter carol case chance chase christian church clay cliff
    cloud cole cook coral cross crystal daisy dale das day dawn dean dee dell den der destiny don drew dusk earl
    east eve faith fall farmer fern field fisher flower ford forest fox frank friend gene gentle glen gold
    golden good grace grant gray green grey guy hand hardy harmony harper harvest haven hay hazel head heart
    heath herb hill holly home honey hope horn hunter ivy jack jade jan jasmine jay jet jewel joy judge july
    june justice kid kind king knight knowledge lake lane law liberty lily link little long lot love lowe lucky
    major man march mark marsh mason may melody mercy mild mill miller miner moon moss nick noble north oak
    olive page paris park pat patience pearl penny piper pitt poet pole pond poppy potter pound power price
    prince rain ray reader reed rice rich ridge river rob robin rock rose ruby rush sage sand sandy see shepherd
    short silver singer sky small smart smith son south sparrow spring star stern still stone storm strong sue
    summer sun sunny swift taylor tie tiger toy trinity tree turner van victor violet walker ward waters way
    weaver web wells west white will win winter wise wolf wood woods wren wright writer yale young
    baker banks bridge bridges cash chip crow dash dot fields fish free frost gates glass guest hale hall handy
    hills hunt just keen key keys lamb last mac max miles mint pike pope porter rivers rod scout sharp skip snow
    speed stack strange street summers tan trace wade wall walls water wheeler
    """
)
"""Words of everyday English that are names too: as a name they are only taken with a capital letter."""

PARTICLES = words_of(
    """
    al am an as at ab be by bin da das de del den der des di do dos du el er es go he if ibn im in is it la las
    le les los mac me my no of oh ok on or san so st su ten ter the to tu um un up us van vom von we wo ye zu
    zum zur and y e dr prof mr mrs ms mx
    """
)
"""Short words inside names that are words of their own: never looked for alone."""

_UNSPLIT = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
    | dict(zip("\u0430\u0435\u043e\u0440\u0441\u0443\u0445", "aeopcyx", strict=True))
    | dict(zip("\u0456\u0458\u0455\u04bb\u0501\u043c\u0442\u043a\u0432\u043d", "ijshdmtkbh", strict=True))
    | dict(
        zip(
            "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",
            "abezhikmnoptyx",
            strict=True,
        )
    )
)
"""Letters that are one sign here and two or a plainer one elsewhere; and those of other scripts that look the same,
which hide a name from a search and not from a reader. Those are best effort: there are more of them."""
_ALSO_WITH_E = {"ä": "ae?", "ö": "oe?", "ü": "ue?", "ø": "oe?", "å": "aa?"}
"""Letters that are often written with a second one where accents are missing."""
_FAR = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af\u0e00-\u0eff]")
"""Scripts that put no space between words."""


@dataclass(frozen=True)
class Needle:
    """What is looked for: a pattern over folded text, and the mark that stands for it afterwards."""

    pattern: str
    mark: str
    capital: bool = False
    """Only where it begins with a capital letter."""
    inside: bool = False
    """Also where it is part of a longer word."""
    loose: bool = False
    """Also inside a longer word of an address (the caller says what is one)."""


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of a text, and what to write there instead."""

    start: int
    end: int
    mark: str


@lru_cache(maxsize=4096)
def _folded_sign(sign: str) -> str:
    bare = unicodedata.normalize("NFKD", sign.casefold().translate(_UNSPLIT))
    return "".join(each for each in bare if unicodedata.category(each) not in ("Mn", "Cf")).casefold()


def folded(text: str) -> str:
    """The text without case, accents, widths and invisible signs."""
    return text.lower() if text.isascii() else "".join(map(_folded_sign, text))


def letters_in(text: str, *, far: bool = False) -> bool:
    """Whether there is a letter in it (`far`: one of a script that puts no space between words)."""
    return bool(_FAR.search(text)) if far else any(each.isalpha() for each in text)


def pattern_of(words: str, *, between: str = r"[\W_]{0,3}") -> str:
    """A pattern over folded text for words that may be joined by `between`; empty when there are none."""
    return between.join(map(_pattern_of_word, re.findall(r"[^\W_]+", unicodedata.normalize("NFC", words))))


def _pattern_of_word(word: str) -> str:
    return "".join(_ALSO_WITH_E.get(sign.casefold()) or re.escape(_folded_sign(sign)) for sign in word)


def overlay(spans: Iterable[Span], text: str = "") -> list[Span]:
    """Spans in order, those that overlap made one (the longer one's mark stays).

    With the text, neighbours with one mark become one too where nothing but a space or hyphen stands between them.
    """
    merged: list[Span] = []
    for span in sorted(spans):
        last = merged[-1] if merged else None
        if last and span.start < last.end:
            mark = last.mark if last.end - last.start >= span.end - span.start else span.mark
            merged[-1] = Span(last.start, max(last.end, span.end), mark)
        elif last and text and span.mark == last.mark and text[last.end : span.start] in _JOINTS:
            merged[-1] = Span(last.start, span.end, last.mark)
        else:
            merged.append(span)
    return merged


_JOINTS = ("", " ", "-", "_", "\u00a0", "\u2011")


class Finder:
    """Finds needles in texts; `kept` are words (the course's tags) inside which nothing is taken."""

    def __init__(self, needles: Iterable[Needle], kept: Iterable[str] = ()) -> None:
        groups: dict[tuple[str, bool, bool, bool], list[str]] = {}
        for needle in dict.fromkeys(needles):
            if needle.pattern:
                groups.setdefault((needle.mark, needle.capital, needle.inside, needle.loose), []).append(needle.pattern)
        self._groups = [
            (re.compile("|".join(sorted(patterns, key=lambda each: (-len(each), each)))), *rest)
            for rest, patterns in groups.items()
        ]
        words = [re.escape(folded(tag)) for tag in kept if tag.strip()]
        self._kept = re.compile(rf"(?<!\w)#?(?:{'|'.join(words)})(?!\w)") if words else None

    def spans(self, text: str, *, loose: bool = False) -> list[Span]:
        """Where needles stand, in order, none overlapping. `loose`: the text is an address."""
        plain, places = with_places(text)
        kept = [(each.start(), each.end()) for each in self._kept.finditer(plain)] if self._kept else []
        found = []
        for pattern, mark, capital, inside, anywhere in self._groups:
            free = inside or (loose and anywhere)
            at = 0
            while match := pattern.search(plain, at):
                start, end = match.span()
                first, last = places[start], places[end] if places[end] > places[end - 1] else places[end - 1] + 1
                fits = (free or _stands_alone(text, first, last)) and not (
                    capital and (not _begins_high(text, first) or _is_everyday(text, first, last))
                )
                if fits and not any(low <= start and end <= high for low, high in kept):
                    found.append(Span(first, last, mark))
                    at = max(end, start + 1)
                else:
                    at = start + 1
        return overlay(found)


def with_places(text: str) -> tuple[str, "range | list[int]"]:
    """Folded text, and for each of its signs (and its end) where it comes from."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        bare = _folded_sign(sign)
        signs.append(bare)
        places += [place] * len(bare)
    places.append(len(text))
    return "".join(signs), places


def _begins_high(text: str, start: int) -> bool:
    sign = next((each for each in text[start : start + 3] if each.isalnum()), "")
    return not sign.islower()


_MONTHS = words_of("april august june may march")
_FOLLOWS_NO_NAME = words_of(
    "i you we he she it they this that these those the a an my your our his her its their there not all any some no"
    " every each both one what who"
)
_BEFORE_MONTH = re.compile(
    r"(?:\b(?:in|since|until|till|early|late|mid|last|next|this|during|every)[ -]|\d(?:st|nd|rd|th)?\.?(?: of)? )$",
    re.I,
)


def _is_everyday(text: str, start: int, end: int) -> bool:
    """Whether an everyday word is no name where it stands, for all its capital letter.

    It begins a sentence and goes on as no name does ("Will you", "Mark the day"), or it is a month beside a date ("in
    May", "5 June", "March 2026"). Everywhere else it is taken: a word too many is missed less than a name is found.
    """
    word = folded(text[start:end])
    if word not in COMMON:
        return False
    if word in _MONTHS and (_BEFORE_MONTH.search(text[max(0, start - 12) : start]) or re.match(r",? \d", text[end:])):
        return True
    before = text[:start].rstrip(" \u00a0\"'“”„«»‘’([")
    following = re.match(r"[ \u00a0]([^\W\d_]+)", text[end : end + 24])
    begins = not before or before[-1] in ".!?:…\n"
    return bool(begins and following and folded(following.group(1)) in _FOLLOWS_NO_NAME)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """No letter before or after, unless a capital letter shows where the word begins (`MyAnnBlog`)."""
    first, last = text[start], text[end - 1]
    begins = not start or not text[start - 1].isalpha() or (first.isupper() and text[start - 1].islower())
    if not begins and not _FAR.match(first):
        return False
    if end < len(text) and text[end].isalpha() and not _FAR.match(last):
        genitive = text[end] in "sS" and not text[end + 1 : end + 2].isalpha()
        return genitive or (text[end].isupper() and last.islower())
    return True
