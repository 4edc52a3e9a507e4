"""Opening a course on this machine: its files, its store, its workbook, joined into one `Course`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reviewkit.config import read_course
from reviewkit.course import Course
from reviewkit.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable


def now() -> datetime:
    return datetime.now(UTC)


def open_local(path: Path, *, clock: "Callable[[], datetime]" = now) -> Course:
    """Read the course's files, open its store, and seed the store while it is empty.

    Afterwards the store rules: the files count again after `reviewkit import --apply`. Raises ConfigError when the
    files hold mistakes, StoreError when the database cannot be used.
    """
    files = read_course(path)
    store = open_store(files.local.database)
    if store.setup() is None:
        store.keep_course(files.setup, files.people, files.rubrics)
    from reviewkit.sheet import open_book

    return Course(
        store,
        clock=clock,
        book=open_book(files.local, path.parent),
        allow_private=files.local.allow_private_addresses,
    )
