"""`reviewkit import`: changed files go into the course, after a report of every row."""

from collections.abc import Iterable
from dataclasses import dataclass

from reviewkit import dialogue as rules
from reviewkit.config import CourseFiles, Difference, Kept, differences, merged
from reviewkit.model import Person, Rubric, Setup
from reviewkit.store import CourseParts, Store


@dataclass(frozen=True, kw_only=True)
class Import:
    """What an import would do, or did. `postponed`: rubrics whose new structure waits for the running round."""

    applied: bool
    differences: tuple[Difference, ...]
    postponed: tuple[str, ...]

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
        taken = Import(applied=apply, differences=tuple(found), postponed=tuple(waiting))
        return merged(files, kept, withdraw=withdraw, postponed=waiting) if found else None

    if apply:
        store.change_course(look)
    else:
        look(store.setup(), store.people(), store.rubrics())
    return taken


def _running(kept: Kept, store: Store) -> set[str]:
    """The names of rubrics that unfinished submissions use."""
    names = {each.digest: each.name for each in kept.rubrics}
    return {names[each.submission.rubric] for each in store.dialogues() if rules.stage(each.turns) != "signed"}


def told(taken: Import, *, withdrawn: bool) -> Iterable[str]:
    """The report as lines for people."""
    for each in taken.differences:
        yield f"{each.file}: {each.text}"
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
