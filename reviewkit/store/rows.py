"""The few statements that SQLAlchemy's Core writes differently for each database, and a shape that returns often."""

from typing import Any

from sqlalchemy import Connection, Executable, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

from reviewkit.errors import ReviewkitError


def insert(db: Connection, table: Table) -> sqlite.Insert:
    """An INSERT that knows ON CONFLICT, for this connection's database."""
    if db.dialect.name == "sqlite":
        return sqlite.insert(table)
    # The two have the same methods and no common type; one of them stands for both.
    other: Any = postgresql.insert(table)
    return other  # type: ignore[no-any-return]  # see above


def one_of(db: Connection, statement: Executable, otherwise: ReviewkitError) -> Row[Any]:
    """The one row of a statement; raises `otherwise` when there is none."""
    row: Row[Any] | None = db.execute(statement).one_or_none()
    if row is None:
        raise otherwise
    return row
