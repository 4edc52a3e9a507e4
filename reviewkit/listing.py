"""What a feed listed at its last pull, in order: which items need no second reading, and which posts are gone.

The feed's state keeps it as text, a line for each item: the mark of its bytes, the keys of its guid and of its link,
and whether it is missing. Pure text and lists, so that the feeds write it and the store reads it.
"""

import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

TRACKING = (
    *("utm_", "fbclid=", "gclid=", "mc_cid=", "mc_eid=", "source=rss", "ref=rss", "igshid=", "msclkid=", "yclid="),
    *("_hsenc=", "_hsmi=", "mtm_", "pk_campaign="),
)
"""How those parts of a link's query begin that tell who clicked, not which post it is."""

MOST = 2000
"""Items that are remembered of one feed."""
SHOWN, FIRST, ONCE, TWICE = range(4)
"""An item is shown; missing from the first place; missing from the middle in one pull; in two: then it is gone."""


@dataclass(frozen=True)
class Listed:
    """One item. `mark` stands for its bytes (empty: they are read every time), `guid` and `link` are keys."""

    mark: str
    guid: str
    link: str = ""
    missing: int = SHOWN


def key(identifier: str) -> str:
    """A short stand-in for a guid or a link; nothing for nothing. Addresses are compared as `folded` has them."""
    if identifier[:8].lower().startswith(("http://", "https://")):
        identifier = folded(identifier)
    return hashlib.blake2b(identifier.encode("utf-8", "replace"), digest_size=8).hexdigest() if identifier else ""


def read(text: str) -> list[Listed]:
    """The items that `write` wrote; what is not in its shape is passed over."""
    found = []
    for line in text.splitlines():
        parts = line.split(" ")
        if len(parts) == 4 and parts[3].isdecimal():
            found.append(Listed(parts[0], parts[1], parts[2], int(parts[3])))
    return found


def write(items: Iterable[Listed]) -> str:
    return "\n".join(f"{each.mark} {each.guid} {each.link} {each.missing}" for each in list(items)[:MOST])


def compared(before: Sequence[Listed], now: Sequence[Listed]) -> list[Listed]:
    """What the feed lists now, with what it listed before and now lacks in its old place, counted once more.

    An item counts as missing only while an item that stood behind it (an older post) is still shown: one that fell
    off the end of a feed of the last ten is none. It counts only while something is shown before it, too. What was
    gone at the last pull has been told and is forgotten.
    """
    shown = {each.guid for each in now}
    behind: dict[str, list[Listed]] = {}
    waiting: list[Listed] = []
    for each in before:
        if each.guid in shown:
            behind.setdefault(each.guid, []).extend(waiting)
            waiting = []
        elif each.missing < TWICE:
            waiting.append(each)
    merged: list[Listed] = []
    for each in now:
        for lost in behind.pop(each.guid, ()):
            missing = max(lost.missing, FIRST) + (1 if merged else 0)
            merged.append(replace(lost, mark="", missing=missing))
        merged.append(each)
    return merged


def again(before: Sequence[Listed]) -> list[Listed]:
    """The same for a feed that says that nothing has changed: what was missing is missing once more."""
    return compared(before, [each for each in before if each.missing == SHOWN])


def without(items: Sequence[Listed], ended: Iterable[str]) -> list[Listed]:
    """The items, with those that the feed declares deleted (guids) as gone at once."""
    keys = {key(guid) for guid in ended}
    known = {each.guid for each in items}
    marked = [replace(each, mark="", missing=TWICE) if each.guid in keys else each for each in items]
    return [*marked, *(Listed("", each, "", TWICE) for each in sorted(keys - known))]


def misses(text: str) -> bool:
    """Whether any item is missing; told without reading them all."""
    shown = text.count(f" {SHOWN}\n") + text.endswith(f" {SHOWN}")
    return shown < text.count("\n") + bool(text)


def gone(text: str) -> set[str]:
    """Keys of the guids that a feed no longer has."""
    if not misses(text):
        return set()
    return {each.guid for each in read(text) if each.missing >= TWICE}


@functools.lru_cache(maxsize=256)
def folded(link: str) -> str:
    """A link without what changes while the post stays the same: scheme, `www.`, tracking, a slash at the end."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return link.strip()
    host = parts.netloc.lower().removeprefix("www.").removesuffix(":443").removesuffix(":80")
    query = "&".join(part for part in parts.query.split("&") if part and not part.lower().startswith(TRACKING))
    end = f"#{parts.fragment}" if parts.fragment else ""
    return f"{host}{parts.path.rstrip('/')}" + (f"?{query}" if query else "") + end
