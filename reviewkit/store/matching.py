"""Which stored post an entry of a feed is, and whether it says something new: without the database."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from reviewkit.model import Entry

TRACKING = ("utm_", "fbclid=", "gclid=", "mc_cid=", "mc_eid=")
"""How those parts of a link's query begin that tell who clicked, not which post it is."""


@dataclass(kw_only=True)
class Known:
    """A post while a pull is kept: its row, its latest digest, how many revisions there are.

    `sightings` has, by the address of each feed, what that feed last said: `digest`, `tags` and `guid`.
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
    count: int = 0
    title: str = ""
    """As the entry of this pull has it."""
    touched: bool = False

    def guids(self) -> set[str]:
        return {self.guid, *(sighting["guid"] for sighting in self.sightings.values())} - {""}

    def tells_more(self, entry: Entry, feed: str) -> bool:
        """Whether the entry is a new revision: a text that differs from the latest, and that its feed has changed.

        A second feed that shows the post for the first time changes nothing: it may render it in its own way.
        """
        if not self.count:
            return True
        before = self.sightings.get(feed, {}).get("digest", self.digest if feed == self.feed else entry.digest)
        return entry.digest not in (self.digest, before)

    def take(self, entry: Entry, feed: str) -> None:
        """Remember what the feed says; what it leaves out stays as it was. Its own feed rules link, author and date."""
        before = self.row()
        if self.tells_more(entry, feed):
            self.digest = entry.digest
            self.count += 1
        self.title = entry.title
        if feed == self.feed:
            self.guid = self.guid or entry.guid
            self.link = entry.link or self.link
            self.author = entry.author or self.author
            self.published = entry.published or self.published
        self.gone = None
        tags = [[tag.tag, tag.found] for tag in entry.tags]
        self.sightings = {**self.sightings, feed: {"digest": entry.digest, "tags": tags, "guid": entry.guid}}
        self.touched = self.touched or self.row() != before

    def row(self) -> dict[str, Any]:
        names = ("id", "feed", "guid", "link", "author", "published", "gone", "sightings")
        return {name: getattr(self, name) for name in names}


Identity = tuple[str, str, str]
"""What an entry is known by: its guid, its folded link, and (where these tell nothing apart) its digest."""


def matched(known: Sequence[Known], entries: Sequence[Entry]) -> list[tuple[Entry, Known | None]]:
    """Each entry with its post, None where it is a new one; an entry that a document repeats comes once.

    The guid decides, then a guid that another feed gave the post, then the link, then (with neither) the text. A guid
    that the document gives to several links counts only with its link; a link that several entries share (all point
    to one page elsewhere) does not count; where a document gives guid and link both to different texts, the text
    decides. A post is matched once.
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
    for way in _ways(known, Counter(guid for guid, _, _ in said), Counter(link for _, link, _ in said)):
        for identity in said:
            post = way(identity)
            if identity not in found and post is not None and post.id not in taken:
                found[identity] = post
                taken.add(post.id)
    return [(entry, found.get(identity)) for identity, entry in said.items()]


def _ways(
    known: Sequence[Known], guids: Counter[str], links: Counter[str]
) -> Sequence[Callable[[Identity], Known | None]]:
    """The ways to find an entry's post, the surest first; `guids` and `links` count those of the document."""
    backwards = list(reversed(known))  # so that of several the first wins
    by_guid = {post.guid: post for post in backwards if post.guid}
    by_alias = {guid: post for post in backwards for guid in post.guids()}
    by_both = {(guid, folded(post.link)): post for post in backwards for guid in post.guids()}
    by_link = {folded(post.link): post for post in backwards if folded(post.link)}
    by_text = {(post.guid, folded(post.link), post.digest): post for post in backwards if post.digest}
    return (
        lambda identity: by_text.get(identity),
        lambda identity: by_guid.get(identity[0]) if guids[identity[0]] == 1 else None,
        lambda identity: by_both.get(identity[:2]) if not identity[2] else None,
        lambda identity: by_alias.get(identity[0]) if guids[identity[0]] == 1 else None,
        lambda identity: by_link.get(identity[1]) if links[identity[1]] == 1 else None,
    )


def folded(link: str) -> str:
    """A link without what changes while the post stays the same: scheme, `www.`, tracking, a slash at the end."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return link.strip()
    host = parts.netloc.lower().removeprefix("www.")
    query = "&".join(part for part in parts.query.split("&") if part and not part.lower().startswith(TRACKING))
    return f"{host}{parts.path.rstrip('/')}" + (f"?{query}" if query else "")
