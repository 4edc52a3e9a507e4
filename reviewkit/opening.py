"""Opening a course on this machine: its files, its store, its workbook, joined into one `Course`."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from reviewkit.config import Local, find, read_course, read_local
from reviewkit.course import Course
from reviewkit.model import Person
from reviewkit.sheet import Book, open_book
from reviewkit.store import open_store


def now() -> datetime:
    return datetime.now(UTC)


def open_local(path: Path, *, clock: Callable[[], datetime] = now) -> Course:
    """Read the course's files, open its store, and seed the store while it is empty.

    Afterwards the store rules: roster, rubrics and dates of the files count again after `reviewkit import --apply`.
    Raises ConfigError when the files hold mistakes, StoreError when the database cannot be used.
    """
    path = find(path)
    local = read_local(path)
    # Before a database file is made the files must hold, so that a mistake in them leaves nothing behind.
    files = None if _is_there(local.database) else read_course(path)
    store = open_store(local.database)
    if store.setup() is None:
        files = files or read_course(path)
        store.keep_course(files.setup, files.people, files.rubrics)
    return Course(
        store,
        clock=clock,
        book=_book(local, path.parent, store.people()),
        acts_as=local.acts_as,
        allow_private=local.allow_private_addresses,
        contact=local.contact or ("" if local.public_url.startswith("http:") else local.public_url),
    )


def _is_there(database: str) -> bool:
    """Whether opening it makes no new file (a server's database is there, or it is not ours to make)."""
    kind, _, rest = database.partition(":///")
    return kind != "sqlite" or Path(rest).exists()


def workbook_file(local: Local, directory: Path) -> Path:
    """Where the `.xlsx` workbook is: beside the database, or beside the course file where that is a server's."""
    kind, _, rest = local.database.partition(":///")
    return Path(rest).with_suffix(".xlsx") if kind == "sqlite" else directory / "course.xlsx"


def _book(local: Local, directory: Path, people: Iterable[Person]) -> Book:
    return open_book(
        file=workbook_file(local, directory),
        spreadsheet=local.spreadsheet,
        key_file=local.google_key,
        instructors=[each.email for each in people if each.role == "instructor" and not each.withdrawn],
    )
