"""Which stored post an entry of a feed is, and whether it says something new: without the database."""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reviewkit.listing import folded, key
from reviewkit.model import Entry

LONG = 200
"""Characters from which a text tells a post from all others, whatever its guid and link."""
ALIASES = 20
"""Guids and links that one feed gave a post earlier, and that are remembered."""


@dataclass(kw_only=True)
class Known:
    """A post while a pull is kept: its row, its latest digest, how many revisions there are.

    `sightings` has, by the address of each feed, what that feed last said: `digest`, `tags` and `guid`; `guids` and
    `links` that it gave the post earlier; and `gone` when it no longer has it.
    """

    id: str
    feed: str
    guid: str
    link: str
    author: str = ""
    published: datetime | None = None
    gone: datetime | None = None
    sightings: dict[str, dict[str, Any]] = field(default_factory=dict)
    digest: str = ""
    copied: bool = False
    count: int = 0
    title: str = ""
    """As the entry of this pull has it."""
    touched: bool = False

    def guids(self) -> list[str]:
        """Every guid that is known of it, the oldest first."""
        given = [
            each for sighting in self.sightings.values() for each in (*sighting.get("guids", ()), sighting["guid"])
        ]
        return [guid for guid in dict.fromkeys((self.guid, *given)) if guid]

    def links(self) -> list[str]:
        """Every link that is known of it, folded, the present one first."""
        given = [each for sighting in self.sightings.values() for each in sighting.get("links", ())]
        return [link for link in dict.fromkeys((folded(self.link), *given)) if link]

    def tells_more(self, entry: Entry, feed: str) -> bool:
        """Whether the entry is a new revision: a text that differs from the latest, and that its feed has changed.

        A second feed that shows the post for the first time changes nothing: it may render it in its own way. An
        excerpt that stays the same says nothing new, unless its article could not be copied before.
        """
        if not self.count:
            return True
        said = entry.said or entry.digest
        before = self.sightings.get(feed, {}).get("digest", self.digest if feed == self.feed else said)
        changed = said != before or (entry.copied and not self.copied and feed == self.feed)
        return changed and entry.digest != self.digest

    def take(self, entry: Entry, feed: str) -> None:
        """Remember what the feed says; what it leaves out stays as it was. Its own feed rules link, author and date."""
        before = self.row()
        old = self.sightings.get(feed, {})
        guids = [*old.get("guids", ()), *([old["guid"]] if old else [])]
        links = [*old.get("links", ()), *([folded(self.link)] if old and feed == self.feed else [])]
        if self.tells_more(entry, feed):
            self.digest = entry.digest
            self.copied = entry.copied
            self.count += 1
        self.title = entry.title
        if feed == self.feed:
            self.guid = self.guid or entry.guid
            self.link = entry.link or self.link
            self.author = entry.author or self.author
            self.published = entry.published or self.published
        self.gone = None
        tags = [[tag.tag, tag.found] for tag in entry.tags]
        now = {"digest": entry.said or entry.digest, "tags": tags, "guid": entry.guid}
        earlier = {
            "guids": [each for each in dict.fromkeys(guids) if each not in ("", entry.guid, self.guid)][-ALIASES:],
            "links": [each for each in dict.fromkeys(links) if each not in ("", folded(self.link))][-ALIASES:],
        }
        self.sightings = {**self.sightings, feed: now | {name: each for name, each in earlier.items() if each}}
        self.touched = self.touched or self.row() != before

    def lose(self, feed: str, at: datetime) -> None:
        """Remember that a feed no longer has it: gone when no feed has it."""
        self.sightings = {**self.sightings, feed: self.sightings[feed] | {"gone": True}}
        if all(sighting.get("gone") for sighting in self.sightings.values()):
            self.gone = self.gone or at
        self.touched = True

    def row(self) -> dict[str, Any]:
        names = ("id", "feed", "guid", "link", "author", "published", "gone", "sightings")
        return {name: getattr(self, name) for name in names}


Identity = tuple[str, str, str]
"""What an entry is known by: its guid, its folded link, and (where these tell nothing apart) its digest."""


def matched(
    known: Sequence[Known],
    entries: Sequence[Entry],
    *,
    feed: str = "",
    shown: AbstractSet[str] = frozenset(),
    others: AbstractSet[str] = frozenset(),
) -> list[tuple[Entry, Known | None]]:
    """Each entry with its post, None where it is a new one; an entry that a document repeats comes once.

    The guid that this feed gave a post decides, then any post's guid, then a guid that a feed gave the post earlier
    or elsewhere, then the link, then the text where it is long; the post that was known first wins. A guid that the
    document gives to several links counts only with its link; a link that several entries share (all point to one
    page elsewhere) does not count; where a document gives guid and link both to different texts, the text decides.
    A post is matched once.

    `shown` are the keys of all guids that `feed` shows now, also of entries that need not be read again: a post
    that is still shown by its own guid is not another entry that shares its link or its words. `others` are the
    addresses of the person's other feeds: a guid like "1" is one post on each of two sites.
    """
    texts: dict[tuple[str, str], set[str]] = {}
    for entry in entries:
        texts.setdefault((entry.guid, folded(entry.link)), set()).add(entry.digest)
    said: dict[Identity, Entry] = {}
    for entry in entries:
        named = entry.guid, folded(entry.link)
        telling = any(named) and len(texts[named]) == 1
        said.setdefault((*named, "" if telling else entry.digest), entry)
    found: dict[Identity, Known] = {}
    taken: set[str] = set()

    def elsewhere(post: Known, entry: Entry) -> bool:
        own = post.sightings.get(feed, {}).get("guid", "")
        return key(own) in shown - {key(entry.guid)}

    def another(post: Known, entry: Entry) -> bool:
        """The post of another site, which only happens to have the same short guid."""
        host = _host(entry.link)
        same = entry.digest == post.digest or (host and host == _host(post.link))
        return post.feed in others and feed not in post.sightings and _is_local(entry.guid) and not same

    for way, by_name in _ways(known, list(said.values()), feed):
        for identity, entry in said.items():
            post = way(identity, entry)
            if identity in found or post is None or post.id in taken:
                continue
            if another(post, entry) if by_name else elsewhere(post, entry):
                continue
            found[identity] = post
            taken.add(post.id)
    return [(entry, found.get(identity)) for identity, entry in said.items()]


Way = Callable[[Identity, Entry], Known | None]


def _ways(known: Sequence[Known], entries: Sequence[Entry], feed: str) -> Sequence[tuple[Way, bool]]:
    """The ways to find an entry's post, the surest first, and whether each goes by its guid."""
    guids = Counter(entry.guid for entry in entries)
    addresses = Counter(_address(entry.guid) for entry in entries)
    links = Counter(folded(entry.link) for entry in entries)
    words = Counter(entry.digest for entry in entries)
    backwards = list(reversed(known))  # so that of several the first wins
    by_own = {post.sightings[feed]["guid"]: post for post in backwards if feed in post.sightings}
    by_guid = {post.guid: post for post in backwards if post.guid}
    by_alias = {guid: post for post in backwards for guid in post.guids()}
    by_address = {_address(guid): post for post in backwards for guid in post.guids() if _address(guid)}
    by_both = {(guid, link): post for post in backwards for guid in post.guids() for link in post.links()[:1]}
    by_old_link = {link: post for post in backwards for link in post.links()[1:]}
    by_link = by_old_link | {folded(post.link): post for post in backwards if folded(post.link)}
    by_text = {(post.guid, folded(post.link), post.digest): post for post in backwards if post.digest}
    by_words = {post.digest: post for post in backwards if post.digest}
    return (
        (lambda identity, _: by_text.get(identity), True),
        (lambda _, entry: by_own.get(entry.guid) if entry.guid and guids[entry.guid] == 1 else None, True),
        (lambda _, entry: by_guid.get(entry.guid) if guids[entry.guid] == 1 else None, True),
        (lambda identity, _: by_both.get(identity[:2]) if not identity[2] else None, True),
        (lambda _, entry: by_alias.get(entry.guid) if guids[entry.guid] == 1 else None, True),
        (
            lambda _, entry: by_address.get(_address(entry.guid)) if addresses[_address(entry.guid)] == 1 else None,
            False,
        ),
        (lambda identity, _: by_link.get(identity[1]) if links[identity[1]] == 1 else None, False),
        (lambda _, entry: by_words.get(entry.digest) if _tells(entry) and words[entry.digest] == 1 else None, False),
    )


def _tells(entry: Entry) -> bool:
    return len(entry.text) >= LONG


def _host(link: str) -> str:
    return folded(link).partition("/")[0]


def _is_local(guid: str) -> bool:
    """Whether a guid is of the kind that any site might give a post of its own: a number, a word."""
    return len(guid) < 16 and not any(each in guid for each in ":/@")


def _address(guid: str) -> str:
    """A guid that is an address, as links are compared: a site that moved to https changes nothing else in it."""
    return folded(guid) if guid.lower().startswith(("http://", "https://")) else ""
