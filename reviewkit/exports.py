"""What each export takes from the course; its shape is in exchange.py."""

from collections.abc import Iterable
from pathlib import Path

from reviewkit import exchange
from reviewkit.config import find
from reviewkit.config.write import course_texts
from reviewkit.course import Course
from reviewkit.sheet.rows import SEAL, Tab, tabs


def rows_of(what: str, course: Course, file: Path) -> Iterable[exchange.Row]:
    """The rows of one export; `file` is the course file, whose tables about the machine a course export repeats."""
    store = course.store
    match what:
        case "posts":
            return exchange.posts(store.posts())
        case "submissions":
            return exchange.submissions(store.dialogues())
        case "allocations":
            return exchange.allocations(store.allocations(released=True), store.dialogues(), store.people())
        case "turns":
            return exchange.turns(*store.sealed())
        case "grades":
            return exchange.grades(store.dialogues(), course.setup)
        case "workbook":
            return exchange.workbook({tab.layout.name: _cells(tab) for tab in tabs(course.projection())})
        case "course":
            before = find(file).read_text("utf-8-sig")
            return exchange.course(course_texts(course.setup, store.people(), store.rubrics(), before=before))
        case _:
            raise ValueError(what)


def _cells(tab: Tab) -> list[dict[str, str]]:
    """A tab's rows without the seal, which only tells a sheet's own edits apart."""
    return [{header: text for header, text in row.items() if header != SEAL} for row in tab.rows.values()]
