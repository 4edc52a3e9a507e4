"""Pictures in posts: where cleaned HTML shows one, and our copies in the place of what stands on strangers' machines.

Pure text. A copy is shown from `/pictures/NAME`; the name is random, so that it says nothing and cannot be guessed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reviewkit.visible import Open, Piece, Words, markup, picture_words, pieces

PLACE = "/pictures/"
TYPE = "image/webp"
"""What every copy is."""
NAME = re.compile(r"[A-Za-z0-9_-]{24}")
_OURS = re.compile(rf"{PLACE}({NAME.pattern})\Z")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as it was made anew: WebP, without anything that the original told of its maker."""

    body: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Copied:
    """Where a picture is kept. An empty name stands for a dot that only counts readers: it is shown nowhere."""

    name: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is known of a picture's address: its copy, or how often it was asked for in vain."""

    copied: Copied | None = None
    tries: int = 0


def sources(html: str) -> list[str]:
    """The addresses of pictures that stand elsewhere, in their order, each once."""
    if "<img" not in html:
        return []
    found = (piece.get("src") or "" for piece in pieces(html) if isinstance(piece, Open) and piece.tag == "img")
    return [each for each in dict.fromkeys(found) if each and not _OURS.match(each)]


def names(html: str) -> frozenset[str]:
    """The names of our copies that are shown."""
    if PLACE not in html:
        return frozenset()
    shown = (piece.get("src") or "" for piece in pieces(html) if isinstance(piece, Open) and piece.tag == "img")
    return frozenset(match.group(1) for match in map(_OURS.match, shown) if match)


def with_copies(html: str, copies: Mapping[str, Copied]) -> str:
    """The HTML with copies (by address) in their places; a picture without a copy becomes its words.

    What comes out asks no other machine for a picture, whatever went in.
    """
    if "<img" not in html:
        return html
    return markup(_settled(pieces(html), copies))


def in_words(html: str) -> str:
    """The HTML with words in the place of every picture, ours too: what two states of a post can be compared by."""
    return markup(_settled(pieces(html), {}))


def _settled(found: Iterable[Piece], copies: Mapping[str, Copied]) -> Iterable[Piece]:
    for piece in found:
        if not (isinstance(piece, Open) and piece.tag == "img"):
            yield piece
            continue
        copied, alt = copies.get(piece.get("src") or ""), piece.get("alt") or ""
        if copied is None:
            yield Words(f" {picture_words(alt)} ")
        elif copied.name:
            size = (("width", str(copied.width)), ("height", str(copied.height)))
            yield Open("img", (("src", f"{PLACE}{copied.name}"), ("alt", alt), *size))
