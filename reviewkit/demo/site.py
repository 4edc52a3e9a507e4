"""A blog as its platform sees it, and the small forms of writing that feeds have in common."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256


@dataclass(frozen=True, kw_only=True)
class Note:
    """A post as its platform shows it. `path` is its address on the server; `number` its id in the database."""

    title: str
    html: str
    published: datetime
    tags: tuple[str, ...]
    path: str
    number: int
    updated: datetime | None = None

    @property
    def changed(self) -> datetime:
        return self.updated or self.published


@dataclass(frozen=True, kw_only=True)
class Site:
    """A blog on the server at `base`, newest note first; `home` is its path.

    `foot`: a plug-in signs every post in the feed with the names of post and site.
    """

    base: str
    home: str
    person: str
    author: str
    title: str
    about: str
    notes: tuple[Note, ...]
    foot: bool = False

    def url(self, path: str) -> str:
        return self.base + path

    @property
    def changed(self) -> datetime:
        return max((note.changed for note in self.notes), default=datetime(2000, 1, 1, tzinfo=UTC))

    def tagged(self, tag: str) -> "Site":
        """The same site with only the notes that carry a tag."""
        notes = tuple(note for note in self.notes if tag in note.tags)
        return Site(**{**vars(self), "notes": notes})


def number_of(text: str, digits: int) -> int:
    """A number that looks like a database's and is always the same for the same text."""
    lowest: int = 10 ** (digits - 1)
    return int(sha256(text.encode()).hexdigest(), 16) % (9 * lowest) + lowest


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def rss_date(at: datetime, zone: str = "") -> str:
    """An RFC 822 date; `zone` replaces +0000 by the word that a platform writes."""
    text = format_datetime(at.astimezone(UTC))
    return text.replace("+0000", zone) if zone else text


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def summary(html: str, length: int = 160) -> str:
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()
    return plain if len(plain) <= length else plain[:length].rsplit(" ", 1)[0]
