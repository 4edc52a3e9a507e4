"""Feeds, posts and their revisions, inside one transaction of the caller's.

A person's feeds often show the same post (the main feed, a feed of one tag). The post belongs to the feed where it
was first seen; what each feed last said of it stands in `sightings`, so that two feeds that render one post
differently do not take turns in making revisions.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, true, update

from reviewkit import listing
from reviewkit.model import Entry, Feed, Post, Revision, Tag
from reviewkit.pictures import in_words, names
from reviewkit.store import Kept, pictures
from reviewkit.store.matching import Known, matched
from reviewkit.store.roster import hold_person, nobody
from reviewkit.store.rows import insert as upsert
from reviewkit.store.schema import feeds, people, posts, revisions, storable


def feeds_of(db: Connection) -> list[Feed]:
    pulled = {(row.person, row.url): Feed(**row._mapping) for row in db.execute(select(feeds))}
    roster = db.execute(select(people.c.id, people.c.feeds).order_by(people.c.position, people.c.id))
    return [
        pulled.get((row.id, url)) or Feed(person=row.id, url=url) for row in roster for url in dict.fromkeys(row.feeds)
    ]


def add_feed(db: Connection, person: str, url: str) -> bool:
    """False when the person has it already. Raises Missing."""
    hold_person(db, person)
    row = db.execute(select(people).where(people.c.id == person)).one()
    if url in row.feeds:
        return False
    dropped = [each for each in row.dropped_feeds if each != url]
    own = row.own_feeds if url in row.dropped_feeds else [*row.own_feeds, url]
    now = {"feeds": [*row.feeds, url], "own_feeds": own, "dropped_feeds": dropped}
    db.execute(update(people).where(people.c.id == person).values(now))
    return True


def remove_feed(db: Connection, person: str, url: str) -> bool:
    """False when the person does not have it; its posts stay. Raises Missing."""
    hold_person(db, person)
    row = db.execute(select(people).where(people.c.id == person)).one()
    if url not in row.feeds:
        return False
    dropped = row.dropped_feeds if url in row.own_feeds else [*row.dropped_feeds, url]
    feeds_now, own = ([each for each in some if each != url] for some in (row.feeds, row.own_feeds))
    now = {"feeds": feeds_now, "own_feeds": own, "dropped_feeds": dropped}
    db.execute(update(people).where(people.c.id == person).values(now))
    return True


def ask_now(db: Connection, person: str, now: datetime) -> None:
    """Feeds that are gone for good, or whose site asked for a pause, stay as they are. Raises Missing."""
    hold_person(db, person)
    free = feeds.c.not_before.is_(None) | (feeds.c.not_before <= now)
    theirs = update(feeds).where(feeds.c.person == person, feeds.c.stopped.is_(None), free)
    db.execute(theirs.values(next_try=now))


def keep_private(db: Connection, person: str, entry: Entry, seen: datetime) -> str:
    """The post with this guid and no feed: made, or given a new revision where its words are others."""
    hold_person(db, person)
    entry = _clean(entry)
    there = next((each for each in _known(db, [person])[person] if not each.feed and each.guid == entry.guid), None)
    post = there or Known(id=secrets.token_hex(8), feed="", guid=entry.guid, link="")
    states = [_state(post, entry, seen)] if post.tells_more(entry, "") else []
    post.take(entry, "")
    _write(db, [] if there else [(person, post)], [post] if there else [], states)
    return post.id


def keep_pull(db: Connection, feed: Feed, entries: Sequence[Entry], seen: datetime) -> Kept:
    """A handful of statements however many entries there are. Raises Missing when nobody has the feed's `person`."""
    return keep_pulls(db, [(feed, entries)], seen)[0]


def keep_pulls(db: Connection, found: Sequence[tuple[Feed, Sequence[Entry]]], seen: datetime) -> list[Kept]:
    """The same handful for the feeds of several people. Raises Missing; two feeds of one person are kept in turn."""
    if len({feed.person for feed, _ in found}) < len(found):
        return [kept for each in found for kept in keep_pulls(db, [each], seen)]
    keep_states(db, [feed for feed, _ in found])
    asking = {feed.person for feed, entries in found if entries or listing.gone(feed.listing)}
    known = _known(db, asking)
    theirs = db.execute(select(people.c.id, people.c.feeds).where(people.c.id.in_(asking))) if asking else ()
    current = {row.id: row.feeds for row in theirs}
    kept, new, touched, pictured = [], list[tuple[str, Known]](), list[Known](), dict[str, Entry]()
    states: list[dict[str, Any]] = []
    for feed, entries in found:
        told = _told(known[feed.person], feed, entries, current.get(feed.person, []), seen)
        new += [(feed.person, post) for post in told.new]
        touched += [post for post in known[feed.person] if post.touched]
        states += told.states
        pictured |= told.pictured
        kept.append(
            Kept(new=tuple(post.title for post in told.new), changed=tuple(each.title for each in told.changed))
        )
    _write(db, new, touched, states)
    _complete(db, pictured)
    return kept


@dataclass
class _Told:
    """What one feed tells that is to be written."""

    new: list[Known] = field(default_factory=list)
    changed: list[Known] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    pictured: dict[str, Entry] = field(default_factory=dict)


def _told(known: list[Known], feed: Feed, entries: Sequence[Entry], current: Sequence[str], seen: datetime) -> _Told:
    """What a feed tells of its person's posts, which take it in; `current` are the addresses of all their feeds."""
    told = _Told()
    known = [post for post in known if post.feed]  # what was given privately is no post of a site
    items = listing.read(feed.listing)
    lost = {item.guid for item in items if item.missing >= listing.TWICE}
    for post in known:
        sighting = post.sightings.get(feed.url)
        if sighting and not sighting.get("gone") and listing.key(sighting["guid"]) in lost:
            post.lose(feed.url, seen)
    if not entries:
        return told
    shown = {item.guid for item in items if item.missing == listing.SHOWN}
    others = frozenset(current) - {feed.url}
    for entry, there in matched(known, [_clean(entry) for entry in entries], feed=feed.url, shown=shown, others=others):
        post = there or Known(id=secrets.token_hex(8), feed=feed.url, guid=entry.guid, link=entry.link)
        if there is None:
            told.new.append(post)
        elif post.feed not in current and feed.url in current:
            post.feed = feed.url  # the blog has moved, and its posts with it
        if post.tells_more(entry, feed.url):
            told.states.append(_state(post, entry, seen))
            if there is not None:
                told.changed.append(post)
        elif there is not None and entry.digest == post.digest and names(entry.html):
            told.pictured[post.id] = entry
        post.take(entry, feed.url)
    return told


def keep_states(db: Connection, found: Sequence[Feed]) -> None:
    """Two statements however many feeds there are. Raises Missing when nobody has the `person` of one of them."""
    if not found:
        return
    of = sorted({feed.person for feed in found})
    there = db.scalars(
        select(people.c.id).where(people.c.id.in_(of)).order_by(people.c.id).with_for_update(key_share=True)
    )
    if unknown := set(of) - set(there):
        raise nobody(min(unknown))
    _keep_feed(db, *found)


def _keep_feed(db: Connection, *found: Feed) -> None:
    states = [{column.name: getattr(feed, column.name) for column in feeds.c} for feed in found]
    row = upsert(db, feeds)
    last = {name: row.excluded[name] for name in states[0] if name not in ("person", "url")}
    db.execute(row.on_conflict_do_update(index_elements=["person", "url"], set_=last), states)


def _clean(entry: Entry) -> Entry:
    """The entry as it would come back from the store, so that what is equal today is equal tomorrow."""
    texts = entry.guid, entry.link, entry.title, entry.author, entry.html, entry.text, *(tag.tag for tag in entry.tags)
    if all(storable(each) == each for each in texts):
        return entry
    return msgspec.convert(storable(msgspec.to_builtins(entry)), Entry)


def _known(db: Connection, persons: Collection[str]) -> dict[str, list[Known]]:
    """By person their posts, those first that were seen first."""
    found: dict[str, list[Known]] = {person: [] for person in persons}
    theirs = db.execute(select(posts).where(posts.c.person.in_(persons))).all() if persons else []
    if not theirs:
        return defaultdict(list, found)
    columns = (revisions.c.post, revisions.c.digest, revisions.c.copied, revisions.c.seen)
    of = select(*columns).join(posts).where(posts.c.person.in_(persons))
    states: dict[str, list[Any]] = defaultdict(list)
    for row in db.execute(of.order_by(revisions.c.post, revisions.c.number)):
        states[row.post].append(row)
    for row in sorted(theirs, key=lambda row: (states[row.id][0].seen, row.id)):
        post = Known(
            id=row.id,
            feed=row.feed,
            guid=row.guid,
            link=row.link,
            author=row.author,
            published=row.published,
            gone=row.gone,
            sightings=row.sightings,
            digest=states[row.id][-1].digest,
            copied=states[row.id][-1].copied,
            count=len(states[row.id]),
        )
        found[row.person].append(post)
    return defaultdict(list, found)


def _state(post: Known, entry: Entry, seen: datetime) -> dict[str, Any]:
    return {
        "post": post.id,
        "number": post.count,
        "digest": entry.digest,
        "seen": seen,
        "title": entry.title,
        "html": entry.html,
        "text": entry.text,
        "copied": entry.copied,
    }


def _write(
    db: Connection, new: Iterable[tuple[str, Known]], touched: Iterable[Known], states: list[dict[str, Any]]
) -> None:
    rows = [{"person": person, **post.row()} for person, post in new]
    if rows:
        db.execute(insert(posts), rows)
    again = [post.row() for post in touched]
    if again:
        by_id = update(posts).where(posts.c.id == bindparam("this"))
        db.execute(
            by_id.values({name: bindparam(f"new_{name}") for name in again[0] if name != "id"}),
            [{"this": row["id"], **{f"new_{name}": row[name] for name in row if name != "id"}} for row in again],
        )
    if states:
        db.execute(insert(revisions), states)
        shown = [(state["post"], name) for state in states for name in names(state["html"])]
        if shown:
            pictures.show(db, shown)


def _complete(db: Connection, pictured: dict[str, Entry]) -> None:
    """Pictures that could not be had when a revision came and that are here now are shown in it. Nothing else of it
    changes, not even where a link leads: it may be frozen."""
    if not pictured:
        return
    those = select(revisions).where(revisions.c.post.in_(list(pictured)))
    for row in {row.post: row for row in db.execute(those.order_by(revisions.c.number))}.values():
        html = pictured[row.post].html
        if names(html) > names(row.html) and in_words(html) == in_words(row.html):
            this = (revisions.c.post == row.post) & (revisions.c.number == row.number)
            db.execute(update(revisions).where(this).values(html=html))
            pictures.show(db, ((row.post, name) for name in names(html)))


def counts_of(db: Connection) -> dict[tuple[str, str], int]:
    there = db.execute(select(posts.c.person, posts.c.sightings).where(posts.c.gone.is_(None)))
    return dict(
        Counter(
            (row.person, feed)
            for row in there
            for feed, sighting in row.sightings.items()
            if feed and not sighting.get("gone")
        )
    )


def posts_of(db: Connection, person: str | None) -> list[Post]:
    which: ColumnElement[bool] = true() if person is None else posts.c.person == person
    states: dict[str, list[Revision]] = defaultdict(list)
    for row in db.execute(select(revisions).join(posts).where(which).order_by(revisions.c.post, revisions.c.number)):
        states[row.post].append(
            Revision(digest=row.digest, seen=row.seen, title=row.title, html=row.html, text=row.text, copied=row.copied)
        )
    found = [_post(row, tuple(states[row.id])) for row in db.execute(select(posts).where(which).order_by(posts.c.id))]
    # Sorting is stable: those without a date keep the order of their ids, behind the others.
    return sorted(
        found, key=lambda post: (post.published is None, -post.published.timestamp() if post.published else 0)
    )


def _post(row: Row[Any], states: tuple[Revision, ...]) -> Post:
    own_first = sorted(row.sightings.items(), key=lambda sighting: (sighting[0] != row.feed, sighting[0]))
    tags = dict.fromkeys((tag, found) for _, sighting in own_first for tag, found in sighting["tags"])
    return Post(
        id=row.id,
        person=row.person,
        feed=row.feed,
        guid=row.guid,
        link=row.link,
        author=row.author,
        published=row.published,
        tags=tuple(Tag(tag=tag, found=found) for tag, found in tags),
        revisions=states,
        gone=row.gone,
    )
