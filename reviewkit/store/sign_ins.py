"""Links for one use, sessions that ended and counted tries, inside one transaction of the caller's."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Table, case, delete, select

from reviewkit.store import SignIn
from reviewkit.store.roster import nobody, person_of
from reviewkit.store.rows import insert, one_of
from reviewkit.store.schema import ended_sessions, people, tries, used_links


def use_link(db: Connection, link: str, request: str, *, now: datetime, until: datetime) -> bool:
    _sweep(db, used_links, used_links.c.link, now, link)
    row = insert(db, used_links).values(link=link, request=request, until=until)
    db.execute(row.on_conflict_do_nothing(index_elements=["link"]))
    return db.scalar(select(used_links.c.request).where(used_links.c.link == link)) == request


def is_used(db: Connection, link: str) -> bool:
    return db.scalar(select(used_links.c.link).where(used_links.c.link == link)) is not None


def end_session(db: Connection, session: str, *, now: datetime, until: datetime) -> None:
    _sweep(db, ended_sessions, ended_sessions.c.session, now, session)
    row = insert(db, ended_sessions).values(session=session, until=until)
    db.execute(row.on_conflict_do_nothing(index_elements=["session"]))


def sign_in(db: Connection, person: str, session: str) -> SignIn:
    ended = select(ended_sessions.c.session).where(ended_sessions.c.session == session).exists()
    row = one_of(db, select(people, ended.label("ended")).where(people.c.id == person), nobody(person))
    return SignIn(person=person_of(row), serial=row.session_serial, ended=bool(row.ended))


def try_again(db: Connection, what: str, *, most: int, within: timedelta, now: datetime) -> float:
    _sweep(db, tries, tries.c.what, now, what)
    row = insert(db, tries).values(what=what, number=1, until=now + within)
    over = tries.c.until <= now
    counted = {
        "number": case((over, 1), (tries.c.number > most, tries.c.number), else_=tries.c.number + 1),
        "until": case((over, row.excluded.until), else_=tries.c.until),
    }
    db.execute(row.on_conflict_do_update(index_elements=["what"], set_=counted))
    number, until = db.execute(select(tries.c.number, tries.c.until).where(tries.c.what == what)).one()
    return max(1.0, (until - now).total_seconds()) if number > most else 0.0


def _sweep(db: Connection, table: Table, key: Column[str], now: datetime, mine: str) -> None:
    """Take out what is over; rows that somebody else is writing just now wait for the next time."""
    over = select(key).where(table.c.until <= now, key != mine).limit(100).with_for_update(skip_locked=True)
    db.execute(delete(table).where(key.in_(over)))
