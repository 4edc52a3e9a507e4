"""Mail that is to be sent, inside one transaction of the caller's."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from reviewkit.store import Letter
from reviewkit.store.roster import expect_person
from reviewkit.store.rows import insert
from reviewkit.store.schema import letters

MOST = 100
"""Letters that are looked at in one go."""


def put(db: Connection, letter: Letter) -> None:
    if letter.person is not None:
        expect_person(db, letter.person)
    row = insert(db, letters).values(
        id=letter.id,
        kind=letter.kind,
        person=letter.person,
        due=letter.due,
        about=letter.about,
        tries=0,
        done=False,
    )
    db.execute(row.on_conflict_do_nothing(index_elements=["id"]))


def waiting(db: Connection, kinds: Collection[str]) -> list[Letter]:
    found = select(letters).where(letters.c.kind.in_(kinds), letters.c.done.is_(False))
    return [
        Letter(id=row.id, kind=row.kind, person=row.person, due=row.due, about=row.about, tries=row.tries)
        for row in db.execute(found.order_by(letters.c.due, letters.c.id).limit(MOST))
    ]


def take(db: Connection, letter: Letter, until: datetime) -> bool:
    """Two who hold the same letter in their hands differ from the row as soon as one of them has taken it."""
    mine = update(letters).where(letters.c.id == letter.id, letters.c.done.is_(False), letters.c.tries == letter.tries)
    return db.execute(mine.values(due=until, tries=letter.tries + 1)).rowcount == 1


def put_off(db: Connection, id: str, until: datetime) -> None:
    db.execute(update(letters).where(letters.c.id == id, letters.c.done.is_(False)).values(due=until))


def end(db: Connection, id: str) -> None:
    db.execute(delete(letters).where(letters.c.id == id, letters.c.person.is_(None)))
    db.execute(update(letters).where(letters.c.id == id).values(done=True, about={}))
