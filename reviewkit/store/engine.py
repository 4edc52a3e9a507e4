"""Connections: how each database is opened, when a transaction takes its lock, and migrations."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from reviewkit.errors import StoreError
from reviewkit.store.failures import place, told

PATIENCE = 10
"""Seconds that a writer waits for another one before it says that the database is locked."""

VERSION_TABLE = "reviewkit_version"
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATING = 0x5265766B
"""The key of PostgreSQL's advisory lock that lets one process migrate while others wait."""


def connect(address: str) -> Engine:
    """An engine for an SQLAlchemy URL; nothing is reached yet. Raises StoreError when the URL cannot be used."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            "The database's address is not a URL; write sqlite:///course.db or postgresql+psycopg://user@host/name."
        ) from error
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _sqlite(url)
        case "postgresql" | "postgresql+psycopg":
            return _postgresql(url.set(drivername="postgresql+psycopg"))
    raise StoreError(
        f"A course is kept in SQLite or PostgreSQL, not through {url.drivername}; "
        "write sqlite:///course.db or postgresql+psycopg://user@host/name."
    )


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("The database's address names no file; write sqlite:///course.db.")
    if not url.database.startswith("file:"):
        _private(Path(url.database))
    # Each connection belongs to one transaction at a time, so threads may hand it on.
    arguments: dict[str, Any] = {"check_same_thread": False}
    if "timeout" not in url.query:
        arguments["timeout"] = PATIENCE
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _private(path: Path) -> None:
    """Make the file, or make an existing one, readable for its owner alone; -wal and -shm take after it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o600))
        if path.stat().st_mode & 0o077 and path.stat().st_uid == os.geteuid():
            path.chmod(0o600)
    except FileNotFoundError as error:
        raise StoreError(f"The folder of the database {path} does not exist; make it, or name another file.") from error
    except IsADirectoryError as error:
        raise StoreError(f"The database {path} is a folder; name a file in it.") from error
    except OSError as error:
        raise StoreError(
            f"The database {path} cannot be opened ({error.strerror}); check its folder and this user's rights."
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and too late; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # What was erased by right is overwritten, not only unlinked.
    connection.execute("PRAGMA secure_delete = ON")
    # In WAL, NORMAL may lose the last commits when the power fails; a signed grade is worth an fsync.
    connection.execute("PRAGMA synchronous = FULL")
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Whoever is in the way is setting it too: the mode stays with the file. A read-only file keeps its own.
            if not error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_READONLY")):
                raise


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that reads first and writes later could only fail, not wait.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _postgresql(url: URL) -> Engine:
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": PATIENCE}
    try:
        engine = create_engine(url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"PostgreSQL needs a package that is not installed ({error.name}): pip install 'reviewkit[postgresql]'."
        ) from error
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
        # In another zone the first and last days of the calendar have no datetime.
        cursor.execute("SET timezone = 'UTC'")
    connection.commit()


def writing(engine: Engine) -> Engine:
    """The same engine; its transactions write, and wait for their turn at the beginning."""
    return engine.execution_options(writes=True)


def reading(engine: Engine) -> Engine:
    """The same engine; its transactions see one moment however many queries they make."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to this release's tables, in one transaction. Raises StoreError when that cannot be.

    An up-to-date database is tried for a write all the same: a read-only one is better refused now than at a save.
    """
    where = place(engine.url)
    scripts = ScriptDirectory(str(MIGRATIONS))
    try:
        with writing(engine).begin() as db:
            if engine.dialect.name == "postgresql":
                db.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
            version = version_of(db)
            if version == scripts.get_current_head():
                db.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = version_num"))  # noqa: S608 -- a constant
                return
            if version is None and inspect(db).get_table_names():
                raise StoreError(f"{where} holds another program's tables; it was left as it is, name an empty one.")
            if version is not None and version not in {each.revision for each in scripts.walk_revisions()}:
                raise StoreError(
                    f"{where} was written by a newer release of reviewkit; it was left as it is, install that release."
                )
            command.upgrade(configuration(db), "head")
    except SQLAlchemyError as error:
        raise told(error, where) from error


def forget(engine: Engine) -> None:
    """Make SQLite's log let go of the old pages as soon as nobody reads them, so that erased words are gone."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def version_of(db: Connection) -> str | None:
    """The migration that the database stands at; None before the first."""
    return MigrationContext.configure(db, opts={"version_table": VERSION_TABLE}).get_current_revision()


def configuration(db: Connection) -> Config:
    """Alembic's configuration for one connection; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = db
    return config
