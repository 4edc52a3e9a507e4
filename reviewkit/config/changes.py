"""What importing the files would change in the store: a report per row first, and what is kept after `--apply`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Protocol

from reviewkit import rubric as rubrics
from reviewkit.model import Assignment, Person, Rubric, Setup

Change = Literal["added", "changed", "missing"]
Effect = Literal["", "withdrawal", "wording", "structure"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row of the report. `effect` says what it takes: a withdrawal and a change of structure are only proposed."""

    file: str
    subject: str
    """The id or key that the row is about."""
    change: Change
    text: str
    """The row as a sentence."""
    effect: Effect = ""


class Files(Protocol):
    """What files say (`CourseFiles` is one)."""

    @property
    def setup(self) -> Setup: ...
    @property
    def people(self) -> Sequence[Person]: ...
    @property
    def rubrics(self) -> Sequence[Rubric]: ...


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the store keeps; `setup` is None while it is empty, `rubrics` are all versions, oldest first."""

    setup: Setup | None
    people: Sequence[Person]
    rubrics: Sequence[Rubric]


def differences(files: Files, kept: Kept) -> list[Difference]:
    """How the files differ from what the store keeps, a row for each thing."""
    return [
        *_in_setup(files.setup, kept.setup),
        *_in_people(_with_own_sites(files.people, kept.people), kept.people),
        *_in_rubrics(files.rubrics, _in_use(kept.rubrics)),
    ]


def merged(
    files: Files, kept: Kept, *, withdraw: bool = False, postponed: Iterable[str] = ()
) -> tuple[Setup, list[Person], list[Rubric]]:
    """What the store is given: the files, and nothing deleted that they no longer name.

    Assignments that are missing stay. People who are missing stay as they are, or with `withdraw` are withdrawn.
    Rubrics named in `postponed` keep the version in use.
    """
    named = {each.id for each in files.setup.assignments}
    stays = tuple(each for each in kept.setup.assignments if each.id not in named) if kept.setup else ()
    there = {each.id for each in files.people}
    gone = [replace(each, withdrawn=True) for each in kept.people if each.id not in there] if withdraw else []
    in_use = _in_use(kept.rubrics)
    waiting = set(postponed)
    new = [
        each
        for each in files.rubrics
        if each.name not in waiting and (each.name not in in_use or in_use[each.name].digest != each.digest)
    ]
    setup = replace(
        files.setup,
        assignments=(*files.setup.assignments, *stays),
        extensions=kept.setup.extensions if kept.setup else (),
    )
    return setup, [*_with_own_sites(files.people, kept.people), *gone], new


def _with_own_sites(people: Iterable[Person], kept: Iterable[Person]) -> list[Person]:
    """The roster's people with the feeds that they added here, and without those that they took away."""
    before = {each.id: each for each in kept}
    return [
        replace(
            each,
            feeds=tuple(
                dict.fromkeys(
                    (*(url for url in each.feeds if url not in known.dropped_feeds), *known.own_feeds),
                )
            ),
            own_feeds=known.own_feeds,
            dropped_feeds=known.dropped_feeds,
        )
        if (known := before.get(each.id))
        else each
        for each in people
    ]


def _in_setup(setup: Setup, kept: Setup | None) -> Iterator[Difference]:
    if kept is None:
        yield Difference(
            file="course.toml", subject="course", change="added", text=f"The course “{setup.title}” is new."
        )
        known: dict[str, Assignment] = {}
    else:
        known = {each.id: each for each in kept.assignments}
        yield from _changed_fields("course", "course", setup, kept, skip=("reviews", "assignments", "extensions"))
        yield from _changed_fields("reviews", "reviews", setup.reviews, kept.reviews)
    for assignment in setup.assignments:
        before = known.pop(assignment.id, None)
        if before is None:
            yield Difference(
                file="course.toml",
                subject=assignment.id,
                change="added",
                text=f"The assignment “{assignment.title}” is new.",
            )
        else:
            yield from _changed_fields(assignment.id, assignment.id, assignment, before)
    for assignment in known.values():
        yield Difference(
            file="course.toml",
            subject=assignment.id,
            change="missing",
            text=f"The assignment “{assignment.title}” is no longer in the file; it stays in the course.",
        )


MORE = {"mode": " It holds for what is frozen from now on."}
"""What else is said of a setting that becomes another one."""


def _changed_fields(subject: str, name: str, new: Any, old: Any, *, skip: Sequence[str] = ()) -> Iterator[Difference]:
    for each in fields(new):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if each.name not in skip and before != after:
            yield Difference(
                file="course.toml",
                subject=subject,
                change="changed",
                text=f"{name}: {each.name} was {_shown(before)} and becomes {_shown(after)}.{MORE.get(each.name, '')}",
            )


def _in_people(people: Sequence[Person], kept: Sequence[Person]) -> Iterator[Difference]:
    known = {each.id: each for each in kept}
    for person in people:
        before = known.pop(person.id, None)
        if before is None:
            yield Difference(
                file="roster.csv", subject=person.id, change="added", text=f"{person.name} ({person.role}) is new."
            )
            continue
        told = [
            f"{each.name} was {_shown(getattr(before, each.name))} and becomes {_shown(getattr(person, each.name))}"
            for each in fields(person)
            if getattr(before, each.name) != getattr(person, each.name)
        ]
        if told:
            yield Difference(
                file="roster.csv", subject=person.id, change="changed", text=f"{person.name}: {'; '.join(told)}."
            )
    for person in known.values():
        if not person.withdrawn:
            yield Difference(
                file="roster.csv",
                subject=person.id,
                change="missing",
                text=f"{person.name} is no longer in the file: a withdrawal is proposed; nothing of theirs is deleted.",
                effect="withdrawal",
            )


def _in_rubrics(versions: Sequence[Rubric], in_use: dict[str, Rubric]) -> Iterator[Difference]:
    known = dict(in_use)
    for version in versions:
        file = f"rubrics/{version.name}.md"
        before = known.pop(version.name, None)
        if before is None:
            yield Difference(
                file=file, subject=version.name, change="added", text=f"The rubric “{version.title}” is new."
            )
            continue
        change = rubrics.compare(before, version)
        if change == "wording":
            text = f"The wording of “{version.title}” changes: later work uses the new version."
            yield Difference(file=file, subject=version.name, change="changed", text=text, effect="wording")
        elif change == "structure":
            text = f"“{version.title}” {_structure(before, version)}. A round that has begun keeps the version before."
            yield Difference(file=file, subject=version.name, change="changed", text=text, effect="structure")
    for version in known.values():
        text = f"The rubric “{version.title}” is no longer in the folder; it stays in the course."
        yield Difference(file=f"rubrics/{version.name}.md", subject=version.name, change="missing", text=text)


def _structure(old: Rubric, new: Rubric) -> str:
    before, after = ({each.id: each for each in version.criteria} for version in (old, new))
    told = []
    if added := [each.name for id, each in after.items() if id not in before]:
        told.append(f"adds {', '.join(added)}")
    if dropped := [each.name for id, each in before.items() if id not in after]:
        told.append(f"drops {', '.join(dropped)}")
    if weighed := [each.name for id, each in after.items() if id in before and before[id].weight != each.weight]:
        told.append(f"changes the weight of {', '.join(weighed)}")
    if len(old.levels) != len(new.levels):
        told.append(f"has {len(new.levels)} levels in place of {len(old.levels)}")
    elif [each.points for each in old.levels] != [each.points for each in new.levels]:
        told.append("changes the points of its levels")
    return ", ".join(told)


def _in_use(versions: Iterable[Rubric]) -> dict[str, Rubric]:
    """The last version of each name."""
    return {each.name: each for each in versions}


def _shown(value: object) -> str:
    match value:
        case None | "" | ():
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(str, value))
        case _ if hasattr(value, "isoformat"):
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case _:
            return f"“{value}”"
