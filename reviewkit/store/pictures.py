"""Copies of pictures, inside one transaction of the caller's.

They lie in the database, not in a folder: several machines share one store, a backup of it is whole, and a post and its
pictures cannot come apart. A picture's name is drawn at random when it comes: a digest of its bytes could be worked out
by whoever finds the same picture elsewhere.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select

from reviewkit.errors import Missing
from reviewkit.pictures import Copied, Picture, Source
from reviewkit.store.rows import insert, one_of
from reviewkit.store.schema import picture_sources, pictures, post_pictures, posts

UNUSED = timedelta(days=2)
"""How long a copy may lie that no post shows: one whose pull was killed, or of a post that is gone."""


def sources_of(db: Connection, addresses: Sequence[str]) -> dict[str, Source]:
    """What is known of addresses; those that were never asked for are left out."""
    by_source = {_source(each): each for each in addresses}
    columns = (picture_sources, pictures.c.width, pictures.c.height)
    known = select(*columns).join(pictures, picture_sources.c.name == pictures.c.name, isouter=True)
    found: dict[str, Source] = {}
    for row in db.execute(known.where(picture_sources.c.source.in_(list(by_source)))):
        copied = Copied(name=row.name, width=row.width, height=row.height) if row.name else None
        found[by_source[row.source]] = Source(copied=Copied() if row.dot else copied, tries=row.tries)
    return found


def keep(db: Connection, address: str, picture: Picture | None, tries: int, at: datetime) -> Copied | None:
    """Keep a copy, or (None) that there was none; gives where it is."""
    copied = None if picture is None else _kept(db, picture, at) if picture.body else Copied()
    name = copied.name if copied is not None and copied.name else None
    row = {"name": name, "dot": copied is not None and not name, "tries": tries, "tried": at}
    said = insert(db, picture_sources).values(source=_source(address), **row)
    db.execute(said.on_conflict_do_update(index_elements=["source"], set_=row))
    return copied


def _kept(db: Connection, picture: Picture, at: datetime) -> Copied:
    digest = hashlib.sha256(picture.body).hexdigest()
    new = insert(db, pictures).values(
        name=secrets.token_urlsafe(18),
        digest=digest,
        width=picture.width,
        height=picture.height,
        body=picture.body,
        kept=at,
    )
    db.execute(new.on_conflict_do_update(index_elements=["digest"], set_={"kept": at}))  # used again: it stays
    name = db.scalar(select(pictures.c.name).where(pictures.c.digest == digest))
    assert name, "it was written in this transaction"
    return Copied(name=name, width=picture.width, height=picture.height)


def show(db: Connection, shown: Iterable[tuple[str, str]]) -> None:
    """Note which pictures (names) stand in which posts (ids); a name of no picture is passed over."""
    pairs = set(shown)
    there = select(pictures.c.name).where(pictures.c.name.in_({name for _, name in pairs}))
    known = set(db.scalars(there)) if pairs else set()
    rows = [{"post": post, "name": name} for post, name in sorted(pairs) if name in known]
    if rows:
        db.execute(insert(db, post_pictures).on_conflict_do_nothing(index_elements=["post", "name"]), rows)


def whose(db: Connection, name: str) -> frozenset[str]:
    """The people in whose posts a picture stands, or stood."""
    theirs = select(posts.c.person).join(post_pictures, post_pictures.c.post == posts.c.id)
    return frozenset(db.scalars(theirs.where(post_pictures.c.name == name)))


def picture(db: Connection, name: str) -> Picture:
    """Raises Missing."""
    row = one_of(db, select(pictures).where(pictures.c.name == name), Missing("There is no such picture."))
    return Picture(body=bytes(row.body), width=row.width, height=row.height)


def tidy(db: Connection, now: datetime) -> int:
    """Take away the copies that no post shows; gives how many there were."""
    shown = exists().where(post_pictures.c.name == pictures.c.name)
    idle = select(pictures.c.name).where(~shown, pictures.c.kept < now - UNUSED)
    gone = list(db.scalars(idle.limit(1000)))
    if gone:
        db.execute(delete(picture_sources).where(picture_sources.c.name.in_(gone)))
        db.execute(delete(pictures).where(pictures.c.name.in_(gone)))
    return len(gone)


def _source(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()
