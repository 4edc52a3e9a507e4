"""OPML: lists of feeds as feed readers keep them. What a list says of whose feeds they are is matched here.

The format: opml.org/spec2.opml. Reading is listparser's; writing is a dozen lines.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from reviewkit.errors import Invalid
from reviewkit.model import Feed, Person

LARGEST = 2 * 1024 * 1024
"""Characters of a list that is read."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A feed of a list and whose it is by the names around it; `person` is None where that is not sure."""

    url: str
    title: str
    person: Person | None


def read(text: str, people: Sequence[Person]) -> list[Line]:
    """The feeds of an OPML document, each with the one person whose id or name is its title or its folder.

    Raises Invalid when it is no such document, or declares entities of its own.
    """
    import listparser

    if len(text) > LARGEST:
        raise Invalid(f"The list is longer than {LARGEST // 1024 // 1024} MB.")
    if "<!entity" in text.casefold():
        raise Invalid("The list declares entities of its own, which is not safe to read.")
    found = listparser.parse(text)
    if not found.feeds and (found.bozo or "<opml" not in text.casefold()):
        raise Invalid("That is no list of feeds in OPML; export one from your feed reader.")
    return [
        Line(url=each.url, title=each.title or each.url, person=_whose([each.title, *_folders(each)], people))
        for each in found.feeds
        if each.url
    ]


def _folders(feed: object) -> Iterable[str]:
    categories = getattr(feed, "categories", None) or []
    return [name for path in categories for name in path]


def _whose(names: Iterable[str], people: Sequence[Person]) -> Person | None:
    said = {_folded(name) for name in names if name}
    found = [each for each in people if {_folded(each.id), _folded(each.name)} & said]
    return found[0] if len(found) == 1 else None


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def write(title: str, people: Sequence[Person], feeds: Iterable[Feed]) -> str:
    """Everybody's feeds as OPML, a folder for each person, which `read` takes back."""
    there = list(feeds)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        f"<head><title>{_text(title)}</title></head>",
        "<body>",
    ]
    for person in people:
        own = [each for each in there if each.person == person.id]
        if own:
            lines.append(f"<outline text={_quoted(person.name)}>")
            lines += [
                f'  <outline type="rss" text={_quoted(each.title or each.url)} xmlUrl={_quoted(each.url)}/>'
                for each in own
            ]
            lines.append("</outline>")
    return "\n".join([*lines, "</body>", "</opml>", ""])


def _quoted(text: str) -> str:
    return quoteattr("".join(each for each in text if each.isprintable()))


def _text(text: str) -> str:
    return _quoted(text)[1:-1]
