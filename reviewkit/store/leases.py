"""Work that one of many processes does, inside one transaction of the caller's."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from reviewkit.store.rows import insert
from reviewkit.store.schema import leases


def hold(db: Connection, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
    row = insert(db, leases).values(name=name, holder=holder, until=until)
    free = or_(leases.c.holder == holder, leases.c.until <= now)
    renewed = {"holder": row.excluded.holder, "until": row.excluded.until}
    db.execute(row.on_conflict_do_update(index_elements=["name"], set_=renewed, where=free))
    return db.scalar(select(leases.c.holder).where(leases.c.name == name)) == holder


def let_go(db: Connection, name: str, holder: str) -> None:
    db.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
