"""Opening a store: its file, its tables and migrations, and one sentence for everything that can be in the way."""

import gc
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, make_url, text

from reviewkit.errors import ReviewkitError, StoreError
from reviewkit.model import Reviews
from reviewkit.store import open_store
from reviewkit.store.engine import MIGRATIONS, VERSION_TABLE, configuration
from reviewkit.store.schema import metadata
from reviewkit.store.sql import SqlStore
from tests.cast import ANN
from tests.store_cast import a_class, opened, words
from tests.stores import Postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
    else:
        server: Postgresql = request.getfixturevalue("postgresql")
        with server.database() as url:
            yield url


@contextmanager
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    yield made
    made.dispose()


def execute(url: str, *statements: str) -> None:
    with engine(url) as made, made.begin() as db:
        for statement in statements:
            db.execute(text(statement))


def refusal(url: str) -> str:
    """The one sentence that opening ends in."""
    with pytest.raises(StoreError) as caught:
        open_store(url)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


# -- tables and migrations -------------------------------------------------------------------------------------------


def test_the_migrations_make_exactly_the_tables_of_the_schema(empty_url: str) -> None:
    open_store(empty_url).close()
    with engine(empty_url) as made, made.connect() as db:
        context = MigrationContext.configure(
            db, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_a_fresh_store_equals_a_migrated_one_down_to_the_names_of_constraints(empty_url: str) -> None:
    def shape(made: Engine) -> dict[str, object]:
        found = inspect(made)
        return {
            table: (
                [(each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns(table)],
                found.get_pk_constraint(table),
                sorted(str(each) for each in found.get_foreign_keys(table)),
                sorted(str(each) for each in found.get_unique_constraints(table)),
                sorted(str(each) for each in found.get_indexes(table)),
                sorted(str(each) for each in found.get_check_constraints(table)),
            )
            for table in found.get_table_names()
            if table != VERSION_TABLE
        }

    with engine(empty_url) as made:
        metadata.create_all(made)
        fresh = shape(made)
        metadata.drop_all(made)
        open_store(empty_url).close()
        assert shape(made) == fresh
    assert fresh.keys() == set(metadata.tables)


def test_a_database_of_the_first_release_is_brought_along_with_all_that_is_in_it(empty_url: str) -> None:
    with engine(empty_url) as made, made.begin() as db:
        command.upgrade(configuration(db), "0001")
    course = "INSERT INTO people (id, position, name, email, role, feeds, excluded, withdrawn, link_serial) "
    execute(empty_url, course + "VALUES ('ann', 0, 'Ann', '', 'student', '[]', '[]', false, 7)")
    store = open_store(empty_url)
    assert [person.name for person in store.people()] == ["Ann"]
    assert (store.link_serial("ann"), store.session_serial("ann")) == (7, 1)
    store.close()


def test_what_was_frozen_before_modes_were_kept_has_the_course_s_own(empty_url: str) -> None:
    store = open_store(empty_url)
    work = opened(store, ANN)["ann"]
    store.change_setup(lambda setup: replace(setup, reviews=Reviews(mode="open")))
    store.close()
    with engine(empty_url) as made, made.begin() as db:
        db.execute(text("ALTER TABLE submissions DROP COLUMN mode"))
        command.stamp(configuration(db), "0012")
    store = open_store(empty_url)
    assert store.dialogue(work).submission.mode == "open"
    store.close()


def test_opening_again_finds_what_was_kept(empty_url: str) -> None:
    store = open_store(empty_url)
    work = opened(store, ANN)["ann"]
    store.close()
    store = open_store(empty_url)
    assert len(store.say(work, [words("Still here.")], after=1).turns) == 2
    store.close()


def test_a_database_of_a_newer_release_is_left_alone(empty_url: str) -> None:
    open_store(empty_url).close()
    execute(empty_url, f"UPDATE {VERSION_TABLE} SET version_num = 'from the future'")
    assert "newer release of reviewkit; it was left as it is" in refusal(empty_url)


def test_a_database_of_another_program_is_left_alone(empty_url: str) -> None:
    execute(empty_url, "CREATE TABLE recipes (id INTEGER)")
    assert "holds another program's tables; it was left as it is" in refusal(empty_url)
    with engine(empty_url) as made:
        assert inspect(made).get_table_names() == ["recipes"]


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last table is in the way of a table that the migration makes, so that it fails after it made others."""
    monkeypatch.setattr("reviewkit.store.engine.inspect", lambda db: Blind())
    execute(empty_url, "CREATE TABLE turns (id INTEGER)")
    assert "nothing was changed" in refusal(empty_url)
    with engine(empty_url) as made:
        assert inspect(made).get_table_names() == ["turns"]


class Blind:
    """Sees no tables."""

    def get_table_names(self) -> list[str]:
        return []


# -- the SQLite file -------------------------------------------------------------------------------------------------


def test_only_its_owner_can_read_the_file_and_what_stands_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "course.db"
    store = open_store(f"sqlite:///{path}")
    a_class(store)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"course.db": 0o600, "course.db-wal": 0o600, "course.db-shm": 0o600}
    store.close()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "course.db"
    path.touch(0o644)
    open_store(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_writes_ahead_checks_references_and_overwrites_what_is_deleted(sqlite_store: SqlStore) -> None:
    with sqlite_store._engine.connect() as db:
        settings = {
            name: db.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "secure_delete", "synchronous")
        }
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1, "synchronous": 2}


def test_a_file_that_is_not_a_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "course.db"
    path.write_bytes(b"Dear diary, today the river was low. " * 50)
    before = path.read_bytes()
    assert "is not a database; it was left as it is" in refusal(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    message = refusal(f"sqlite:///{tmp_path}/nowhere/course.db")
    assert "does not exist" in message
    assert f"{tmp_path}/nowhere" in message


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    assert "is a folder" in refusal(f"sqlite:///{tmp_path}")


def test_a_read_only_database_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "course.db"
    open_store(f"sqlite:///{path}").close()
    assert "is read-only; nothing was changed" in refusal(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_a_locked_database_says_so_and_works_when_the_lock_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "course.db"
    url = f"sqlite:///{path}?timeout=0.05"
    store = open_store(url)
    a_class(store)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "is locked by another program; nothing was changed" in refusal(url)
    with pytest.raises(StoreError, match="is locked by another program"):
        store.revoke_links("ann")
    assert store.people(), "readers need not wait"
    other.execute("ROLLBACK")
    other.close()
    assert store.revoke_links("ann") == 2
    store.close()


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("course.db", "is not a URL; write sqlite:///course.db"),
        ("", "is not a URL"),
        ("postgresql://host:port/name", "is not a URL"),
        ("mysql://ann@host/name", "SQLite or PostgreSQL, not through mysql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql+pg8000://ann@host/name", "not through postgresql+pg8000"),
    ],
)
def test_an_address_that_cannot_be_one_is_explained(url: str, said: str) -> None:
    assert said in refusal(url)


def test_an_unreachable_server_is_named_and_its_password_is_not(tmp_path: Path) -> None:
    url = "postgresql+psycopg://ann:hunter2@127.0.0.1:1/course?connect_timeout=2"
    with pytest.raises(ReviewkitError) as caught:
        open_store(url)
    assert "The database course on 127.0.0.1:1 cannot be reached" in str(caught.value)
    told: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        told.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    assert len(told) > 1, "the driver's error is the cause"
    assert "hunter2" not in " ".join(told)
    assert "cannot be reached" in refusal(f"postgresql+psycopg://ann@/course?host={tmp_path}")


def test_a_database_that_the_server_does_not_have_is_refused(postgresql: Postgresql) -> None:
    with postgresql.database() as url:
        missing = make_url(url).set(database="not_there").render_as_string(hide_password=False)
        assert "The database not_there" in refusal(missing)


def test_a_read_only_server_is_refused_when_it_is_opened(postgresql: Postgresql) -> None:
    with postgresql.database(made=True) as url:
        postgresql.run(f"ALTER DATABASE {make_url(url).database} SET default_transaction_read_only = on")
        assert "is read-only; nothing was changed" in refusal(url)


def test_a_locked_row_says_so(postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewkit.store.engine.PATIENCE", 1)
    with postgresql.database(made=True) as url:
        store = open_store(url)
        work = opened(store, ANN)["ann"]
        with engine(url) as other, other.begin() as db:
            db.execute(text("SELECT 1 FROM submissions FOR UPDATE"))
            with pytest.raises(StoreError, match="is locked by another program; nothing was changed"):
                store.say(work, [words("Wait.")], after=1)
        assert len(store.say(work, [words("Now.")], after=1).turns) == 2
        store.close()


def test_a_server_that_was_restarted_is_found_again(postgresql: Postgresql) -> None:
    with postgresql.database(made=True) as url:
        store = open_store(url)
        a_class(store)
        postgresql.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{make_url(url).database}' AND pid <> pg_backend_pid()"
        )
        assert store.link_serial("ann") == 1
        store.close()


def test_neither_the_statement_nor_peoples_words_are_in_an_error(sqlite_store: SqlStore, sqlite_url: str) -> None:
    work = opened(sqlite_store, ANN)["ann"]
    execute(sqlite_url, "DROP TABLE texts")
    with pytest.raises(StoreError) as caught:
        sqlite_store.say(work, [words("My cat is called Bismuth.")], after=1)
    assert "Bismuth" not in f"{caught.value} {caught.value.__cause__}"
    assert "texts" not in str(caught.value)
    assert len(sqlite_store.submissions()) == 1


def test_a_store_that_nobody_holds_any_more_lets_go_of_its_database(tmp_path: Path) -> None:
    def files() -> list[str]:
        held = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]
        return [name for name in held if name.startswith(str(tmp_path))]

    store = open_store(f"sqlite:///{tmp_path / 'course.db'}")
    store.people()
    assert files()
    del store
    gc.collect()
    assert not files()
