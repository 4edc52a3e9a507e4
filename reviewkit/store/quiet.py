"""What people type, written so that it disturbs nobody: small saves, many of them, that are nobody else's to see."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from reviewkit.store.failures import place, told

T = TypeVar("T")

PATIENCE = 0.05
"""Seconds that a reader waits for a writer of this line to hear whether something has changed."""


class Quiet:
    """One connection to SQLite through which drafts are written, and which says whether anything else was.

    SQLite's counter of changes leaves out what its own connection wrote: so what was read stays good while people
    type. On this line a commit is not forced to the disk. What was acknowledged survives the death of every process,
    because the system has it; when the power fails the last seconds of typing can be missing, and nothing is torn.
    On PostgreSQL each draft is a transaction like any other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock, self._lines = engine, Lock(), 0
        self._line: Connection | None = None
        self.fits = engine.dialect.name == "sqlite"

    def beat(self) -> str:
        """Another word after every change but those of `write`; empty where that cannot be told soon.

        Raises StoreError when the database is away.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            return ""
        try:
            line = self._open()
            changes = line.exec_driver_sql("PRAGMA data_version").scalar()
            line.rollback()
            return f"{self._lines}:{changes}"
        except SQLAlchemyError as error:
            self._let_go()
            raise told(error, place(self._engine.url)) from error
        finally:
            self._lock.release()

    def write(self, act: Callable[[Connection], T]) -> T:
        """Do it in one transaction that takes its lock at once. Raises what the driver does."""
        with self._lock:
            try:
                line = self._open().execution_options(writes=True)
                try:
                    with line.begin():
                        return act(line)
                finally:
                    line.execution_options(writes=False)
            except SQLAlchemyError as error:
                if not isinstance(error, IntegrityError):
                    self._let_go()
                raise

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def _open(self) -> Connection:
        if self._line is None:
            line = self._engine.connect()
            line.detach()  # it never goes back to the others, which are careful
            line.connection.cursor().execute("PRAGMA synchronous = NORMAL")  # not inside a transaction
            self._line, self._lines = line, self._lines + 1
        return self._line

    def _let_go(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
