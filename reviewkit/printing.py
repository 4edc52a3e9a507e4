"""What the command line prints: lines for people, one JSON document for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reviewkit.errors import FeedError
from reviewkit.model import Person

if TYPE_CHECKING:
    from reviewkit.course import Course
    from reviewkit.feeds import Pulled
    from reviewkit.sheet import Report


def say(text: str) -> None:
    """A line for people."""
    print(plain(text), flush=True)


def tell(value: object) -> None:
    """One JSON document for machines."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def plain(text: str) -> str:
    """Without what steers a terminal: titles and errors may hold anybody's text."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell; the last one is left as it is."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        say("  ".join([*cells, row[-1]]).rstrip())


def outcome(each: "Pulled") -> str:
    if each.outcome in ("failed", "left"):
        return f"{'not read' if each.outcome == 'failed' else 'not asked'}: {each.error}"
    parts = [f"{len(each.new)} new: {', '.join(each.new)}"] if each.new else []
    if each.changed:
        parts.append(f"{len(each.changed)} changed: {', '.join(each.changed)}")
    if each.error:
        parts.append(each.error)
    return "; ".join(parts) or "nothing new"


def pulled_row(each: "Pulled") -> dict[str, object]:
    return {
        "person": each.person,
        "url": each.url,
        "outcome": each.outcome,
        "new": each.new,
        "changed": each.changed,
        "error": each.error,
    }


def report_row(found: "Report | None") -> dict[str, object] | None:
    if found is None:
        return None
    return {"written": found.written, "restored": found.restored, "problems": found.problems}


def say_report(found: "Report | None") -> None:
    if found is None:
        return say("This course has no sheet.")
    for sentence in (*found.restored, *found.problems):
        say(f"Sheet: {sentence}")
    return say(f"Sheet: {found.written} {'row' if found.written == 1 else 'rows'} written.")


def watched_pull(course: "Course", *, quiet: bool) -> "list[Pulled]":
    """Pull with a line per site as it comes in, and a bar on standard error where somebody is looking."""
    names = {each.id: each.name for each in course.people()}
    feeds = len(course.store.feeds())

    def line(each: "Pulled") -> None:
        if not quiet:
            say(f"{names.get(each.person, each.person)}  {each.url}  {outcome(each)}")

    if quiet or not sys.stderr.isatty():
        return course.pull(progress=line)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Pulling", total=feeds)

        def step(each: "Pulled") -> None:
            line(each)
            progress.advance(task)

        return course.pull(progress=step)


def pull_for_ever(course: "Course", *, quiet: bool) -> None:
    """Pull what is due until somebody interrupts: a line per site, or a JSON document per line for machines."""
    from reviewkit.clockwork import keep_pulling

    names = {each.id: each.name for each in course.people()}

    def line(each: "Pulled") -> None:
        if quiet:
            tell(pulled_row(each))
        else:
            say(f"{names.get(each.person, each.person)}  {each.url}  {outcome(each)}")

    if not quiet:
        say("Each site is pulled when it is due (Ctrl-C stops).")
    try:
        keep_pulling(course, told=line, trouble=lambda error: print(plain(str(error)), file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        if not quiet:
            say("Stopped. Everything that came in is kept.")


def after_pull(course: "Course", pulled: "list[Pulled]", *, quiet: bool) -> None:
    """Name whose sites could not be read. Raises FeedError where an address is no feed: that does not mend itself."""
    names = {each.id: each.name for each in course.people()}
    failed = [each for each in pulled if each.outcome == "failed"]
    if failed and not quiet:
        who = ", ".join(dict.fromkeys(names.get(each.person, each.person) for each in failed))
        say(f"{len(failed)} of {len(pulled)} sites could not be read ({who}); everything else is kept.")
    wrong = [each for each in failed if each.wrong]
    if wrong:
        told = "\n".join(f"  {names.get(each.person, each.person)}, {each.url}: {each.error}" for each in wrong)
        raise FeedError(
            f"Correct these addresses in the roster (everything else is kept):\n{told}", url=wrong[0].url, wrong=True
        )


def status_rows(course: "Course") -> list[dict[str, object]]:
    """A row for every student of every assignment, as whoever runs the course may see it."""
    operator = Person(id="reviewkit status", name="", role="instructor")
    return [
        {
            "assignment": each.id,
            "title": each.title,
            "person": line.person.id,
            "name": line.person.name,
            "submission": line.submission,
            "stage": line.stage,
            "reviews": line.reviews,
            "owed": line.owed,
            "grade": line.agreed,
            "flags": line.flags,
            "waiting_for": "Instructor" if line.waiting_on == "You" else line.waiting_on,
            "hint": line.hint,
        }
        for each in course.setup.assignments
        for line in course.class_table(operator, each)
    ]


def status_cells(row: Mapping[str, object]) -> tuple[str, ...]:
    """A row of the status as columns for people."""
    stage = f"{row['stage']} at {row['grade']}" if row["grade"] else f"{row['stage']}"
    reviews = f"{row['reviews']} of {row['owed']} reviews" if row["owed"] else ""
    waits = ": ".join(f"{row[key]}" for key in ("waiting_for", "hint") if row[key])
    return f"{row['title']}", f"{row['name']}", stage, reviews, waits
