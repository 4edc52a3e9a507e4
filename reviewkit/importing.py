"""`reviewkit import`: changed files go into the course, after a report of every row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reviewkit import dialogue as rules
from reviewkit.config import CourseFiles, Difference, Kept, differences, merged
from reviewkit.course import Course
from reviewkit.model import STEPS, Person, Rubric, Setup, Step
from reviewkit.store import CourseParts, Store

MOST_NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A date that is moved for all, and the names of those who have not done yet what is due by it."""

    assignment: str
    step: Step
    concerns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Import:
    """What an import would do, or did. `postponed`: rubrics whose new structure waits for the running round."""

    applied: bool
    differences: tuple[Difference, ...]
    postponed: tuple[str, ...]
    moved: tuple[Moved, ...] = ()

    @property
    def proposes_withdrawals(self) -> bool:
        return any(each.effect == "withdrawal" for each in self.differences)


def take_in(
    files: CourseFiles, store: Store, *, apply: bool = False, withdraw: bool = False, restructure: bool = False
) -> Import:
    """Report how the files differ from the store and, with `apply`, write that: read and written in one transaction, so
    that nothing is lost that a page changes meanwhile.

    Nobody is withdrawn but with `withdraw`; a rubric's new criteria or levels wait while a round with it is running,
    but with `restructure`. What was begun keeps its own version in any case.
    """
    taken = Import(applied=False, differences=(), postponed=())

    def look(setup: Setup | None, people: list[Person], rubrics: list[Rubric]) -> CourseParts | None:
        nonlocal taken
        kept = Kept(setup=setup, people=people, rubrics=rubrics)
        found = differences(files, kept)
        running = set[str]() if restructure else _running(kept, store)
        waiting = sorted({each.subject for each in found if each.effect == "structure" and each.subject in running})
        moved = tuple(_moved(files.setup, setup, _course(store))) if setup else ()
        taken = Import(applied=apply, differences=tuple(found), postponed=tuple(waiting), moved=moved)
        return merged(files, kept, withdraw=withdraw, postponed=waiting) if found else None

    if apply:
        store.change_course(look)
    else:
        look(store.setup(), store.people(), store.rubrics())
    return taken


def _course(store: Store) -> Course:
    return Course(store, clock=lambda: datetime.now(UTC)).glance()


def _moved(new: Setup, old: Setup, course: Course) -> Iterable[Moved]:
    for each in new.assignments:
        before = old.assignment(each.id)
        for step in STEPS if before else ():
            if getattr(each, step) != getattr(before, step):
                concerns = tuple(person.name for person in course.affected(each.id, step))
                yield Moved(assignment=each.id, step=step, concerns=concerns)


def _running(kept: Kept, store: Store) -> set[str]:
    """The names of rubrics that unfinished submissions use."""
    names = {each.digest: each.name for each in kept.rubrics}
    return {names[each.submission.rubric] for each in store.dialogues() if rules.stage(each.turns) != "signed"}


def told(taken: Import, *, withdrawn: bool) -> Iterable[str]:
    """The report as lines for people."""
    for each in taken.differences:
        yield f"{each.file}: {each.text}"
    for moved in taken.moved:
        yield f"{moved.assignment}: moving {moved.step} concerns {_named(moved.concerns)}."
    for name in taken.postponed:
        yield f"rubrics/{name}.md: a round with it is running, so it waits; --restructure uses it now."
    if not taken.differences:
        yield "The course says the same as the files; there is nothing to do."
    elif not taken.applied:
        yield "Nothing was changed. To do this: reviewkit import --apply"
    elif taken.proposes_withdrawals and not withdrawn:
        yield "Done. Nobody was withdrawn: --withdraw does that."
    else:
        yield "Done."


def _named(people: Sequence[str]) -> str:
    more = len(people) - MOST_NAMED
    return ", ".join(people[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "") if people else "nobody"
