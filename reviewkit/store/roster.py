"""The course, its people, their links and the rubric versions, inside one transaction of the caller's."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select, update

from reviewkit.errors import Missing
from reviewkit.model import Person, Rubric, Setup
from reviewkit.store import CourseParts
from reviewkit.store.rows import insert, one_of
from reviewkit.store.schema import course, people, rubrics

FIRST_SERIAL = 1


def keep_course(db: Connection, setup: Setup, persons: Iterable[Person], versions: Iterable[Rubric]) -> None:
    # Writing the one row of the course first makes everybody else who changes the course, or names in it, wait.
    row = insert(db, course).values(id=1, setup=setup)
    db.execute(row.on_conflict_do_update(index_elements=["id"], set_={"setup": row.excluded.setup}))
    _keep_people(db, list({person.id: person for person in persons}.values()))
    for version in versions:
        _keep_rubric(db, version)


def change_course(
    db: Connection, change: Callable[[Setup | None, list[Person], list[Rubric]], CourseParts | None]
) -> None:
    hold_course(db)
    # People change their own sites without holding the course.
    db.execute(select(people.c.id).order_by(people.c.id).with_for_update(key_share=True))
    made = change(setup(db), everybody(db), versions(db))
    if made is not None:
        keep_course(db, *made)


def change_setup(db: Connection, change: Callable[[Setup], Setup]) -> Setup:
    hold_course(db)
    found = setup(db)
    if found is None:
        raise Missing("This course has not been set up yet: run `reviewkit import --apply`.")
    changed = change(found)
    db.execute(update(course).values(setup=changed))
    return changed


def _keep_people(db: Connection, persons: list[Person]) -> None:
    before = list(db.scalars(select(people.c.id).order_by(people.c.position, people.c.id)))
    places = {id: place for place, id in enumerate(_merged(before, [person.id for person in persons]))}
    rows = [
        {
            "id": person.id,
            "position": places[person.id],
            "name": person.name,
            "email": person.email,
            "role": person.role,
            "feeds": person.feeds,
            "own_feeds": person.own_feeds,
            "dropped_feeds": person.dropped_feeds,
            "excluded": person.excluded,
            "sections": person.sections,
            "withdrawn": person.withdrawn,
            "link_serial": FIRST_SERIAL,
        }
        # One order for all writers, so that no two wait for each other's rows.
        for person in sorted(persons, key=lambda person: person.id)
    ]
    if rows:
        new = insert(db, people)
        kept = {name: new.excluded[name] for name in rows[0] if name not in ("id", "link_serial")}
        db.execute(new.on_conflict_do_update(index_elements=["id"], set_=kept), rows)
    named = {person.id for person in persons}
    for place, id in enumerate(before):
        if id not in named and places[id] != place:
            db.execute(update(people).where(people.c.id == id).values(position=places[id]))


def _merged(before: list[str], named: list[str]) -> list[str]:
    """The named in their order; each of the others stays behind the one that they stood behind."""
    known = set(named)
    behind: dict[str | None, list[str]] = defaultdict(list)
    last: str | None = None
    for id in before:
        if id in known:
            last = id
        else:
            behind[last].append(id)
    return [*behind[None], *(each for id in named for each in (id, *behind[id]))]


def _keep_rubric(db: Connection, version: Rubric) -> None:
    """A version that is back in use after another one of its name moves to the end; its words stay as first kept."""
    last = db.scalar(
        select(rubrics.c.digest).where(rubrics.c.name == version.name).order_by(rubrics.c.number.desc()).limit(1)
    )
    if last == version.digest:
        return
    number = (db.scalar(select(func.max(rubrics.c.number))) or 0) + 1
    row = insert(db, rubrics).values(digest=version.digest, number=number, name=version.name, content=version)
    db.execute(row.on_conflict_do_update(index_elements=["digest"], set_={"number": number}))


def setup(db: Connection) -> Setup | None:
    stored = db.scalar(select(course.c.setup))
    return None if stored is None else msgspec.convert(stored, Setup)


def hold_course(db: Connection) -> None:
    """Wait until nobody else gives names or changes the course. SQLite's writers are alone anyway."""
    db.execute(select(course.c.id).with_for_update())


def everybody(db: Connection) -> list[Person]:
    return [person_of(row) for row in db.execute(select(people).order_by(people.c.position, people.c.id))]


def person_of(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        email=row.email,
        role=row.role,
        feeds=tuple(row.feeds),
        own_feeds=tuple(row.own_feeds),
        dropped_feeds=tuple(row.dropped_feeds),
        excluded=tuple(row.excluded),
        sections=tuple(row.sections),
        withdrawn=row.withdrawn,
    )


def versions(db: Connection) -> list[Rubric]:
    return [msgspec.convert(each, Rubric) for each in db.scalars(select(rubrics.c.content).order_by(rubrics.c.number))]


def link_serial(db: Connection, person: str) -> int:
    return int(one_of(db, select(people.c.link_serial).where(people.c.id == person), nobody(person)).link_serial)


def revoke_links(db: Connection, person: str) -> int:
    raised = update(people).where(people.c.id == person)
    raised = raised.values(link_serial=people.c.link_serial + 1, session_serial=people.c.session_serial + 1)
    return int(one_of(db, raised.returning(people.c.link_serial), nobody(person)).link_serial)


def wants_reminders(db: Connection, person: str) -> bool:
    return bool(one_of(db, select(people.c.reminders).where(people.c.id == person), nobody(person)).reminders)


def set_reminders(db: Connection, person: str, wanted: bool) -> None:
    changed = update(people).where(people.c.id == person).values(reminders=wanted)
    one_of(db, changed.returning(people.c.id), nobody(person))


def session_serial(db: Connection, person: str) -> int:
    return int(one_of(db, select(people.c.session_serial).where(people.c.id == person), nobody(person)).session_serial)


def end_sessions(db: Connection, person: str) -> int:
    raised = update(people).where(people.c.id == person).values(session_serial=people.c.session_serial + 1)
    return int(one_of(db, raised.returning(people.c.session_serial), nobody(person)).session_serial)


def hold_person(db: Connection, person: str) -> None:
    """Wait until nobody else writes what is this person's. Raises Missing."""
    found = select(people.c.id).where(people.c.id == person).with_for_update(key_share=True)
    one_of(db, found, nobody(person))


def expect_person(db: Connection, person: str) -> None:
    """Raises Missing when nobody of the course has this id."""
    one_of(db, select(people.c.id).where(people.c.id == person), nobody(person))


def nobody(person: str) -> Missing:
    return Missing(f"Nobody in this course has the id {person!r}; look it up in the roster.")
