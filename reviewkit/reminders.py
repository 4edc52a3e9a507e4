"""Who owes what by when, and whom to remind of it today. Pure.

What is said names nobody and no post: it is the person's own work, or how much of others' they have to look at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from reviewkit import overview, stages
from reviewkit.model import Assignment, Dialogue, Person, Setup
from reviewkit.slots import Slots

MORNING = 8
"""The hour, in the course's zone, from which letters of a day are sent."""


@dataclass(frozen=True, kw_only=True)
class Owed:
    """Something that somebody has to do: `what` says it to them, `by` is their own date for it."""

    what: str
    by: datetime


@dataclass(frozen=True, kw_only=True)
class Dated:
    """A date of somebody's own, whether they still owe something by it or not: `id` stays when it is moved."""

    id: str
    what: str
    at: datetime


def owed(
    setup: Setup, person: Person, dialogues: Iterable[Dialogue], slots: Mapping[str, Slots], now: datetime
) -> list[Owed]:
    """What somebody still owes, by dates that (with their grace) are not over; the first date first.

    `dialogues` are all of the course, `slots` those of each assignment by its id.
    """
    if person.withdrawn or person.role not in ("student", "instructor"):
        return []
    known = list(dialogues)
    find = _students if person.role == "student" else _instructors
    found = [
        each
        for assignment in setup.assignments
        for each in find(setup, setup.own(assignment, person.id), person, known, slots.get(assignment.id), now)
        if not setup.is_over(each.by, now)
    ]
    return sorted(found, key=lambda each: each.by)


def _students(
    setup: Setup, own: Assignment, person: Person, dialogues: Sequence[Dialogue], slots: Slots | None, now: datetime
) -> Iterable[Owed]:
    work = next((e for e in dialogues if (e.submission.person, e.submission.assignment) == (person.id, own.id)), None)
    title = f"“{own.title}”"
    if work is None and own.freeze_by:
        yield Owed(what=f"Choose your post for {title}", by=own.freeze_by)
    if work is not None and (stage := stages.stage(work.turns)) not in stages.OUT:
        if own.self_by and stage in stages.BLIND and stages.self_evaluation(work.turns) is None:
            yield Owed(what=f"Write your self-evaluation for {title}", by=own.self_by)
        if own.answer_by and stage == "revealed" and stages.unanswered(work.turns):
            yield Owed(what=f"Answer the reviews that you got for {title}", by=own.answer_by)
        if own.answer_by and stage == "discussing" and stages.awaits_reply(work.turns):
            yield Owed(what=f"Reply to your instructor on {title}", by=own.answer_by)
    if slots and own.review_by:
        mine = [each for each in slots.outstanding(reviewer=person.id) if slots.takes_more(each.submission)]
        if mine:
            many = "the review that you owe" if len(mine) == 1 else f"the {len(mine)} reviews that you owe"
            yield Owed(what=f"Give {many} for {title}", by=own.review_by)


def _instructors(
    setup: Setup, own: Assignment, person: Person, dialogues: Sequence[Dialogue], slots: Slots | None, now: datetime
) -> Iterable[Owed]:
    if slots is None or own.sign_by is None:
        return
    due = slots.owed()
    waiting = sum(
        overview.waits(each, owed=due[each.submission.id], setup=setup, now=now)[0] == "instructor"
        for each in dialogues
        if each.submission.assignment == own.id and each.submission.person != person.id
    )
    if waiting:
        many = "The submission that waits" if waiting == 1 else f"The {waiting} submissions that wait"
        yield Owed(what=f"{many} for you in “{own.title}”", by=own.sign_by)


def reminding_day(by: datetime, zone: tzinfo) -> date:
    """The day that counts as the day of a date: one that ends in the morning, before letters are sent and an hour has
    passed, belongs to the day before."""
    return (by.astimezone(zone).replace(tzinfo=None) - timedelta(hours=MORNING + 1)).date()


def is_asked(things: Iterable[Owed], now: datetime, zone: tzinfo, days: int) -> bool:
    """Whether somebody who owes these things is written to today: `days` days before one of their dates, or on its
    day, from the morning on."""
    local = now.astimezone(zone)
    if local.hour < MORNING or days < 1:
        return False
    return any((reminding_day(each.by, zone) - local.date()).days in (0, days) for each in things)


def is_near(each: Owed, now: datetime, zone: tzinfo, days: int) -> bool:
    """Whether a letter of today tells of it too."""
    return (reminding_day(each.by, zone) - now.astimezone(zone).date()).days <= days


STEPS: dict[str, Sequence[tuple[str, str]]] = {
    "student": (
        ("freeze_by", "choose your post"),
        ("self_by", "your self-evaluation"),
        ("review_by", "the reviews that you give"),
        ("answer_by", "your answers"),
    ),
    "instructor": (
        ("freeze_by", "posts are frozen"),
        ("self_by", "self-evaluations are due"),
        ("review_by", "reviews are due and revealed"),
        ("answer_by", "answers are due"),
        ("sign_by", "sign-off is due"),
    ),
}
"""The dated steps as somebody of that role is told of them."""


def dates_of(setup: Setup, person: Person) -> list[Dated]:
    """All dates of somebody, with their own extensions, the first one first."""
    found = [
        Dated(id=f"{assignment.id}.{step}", what=f"{assignment.title}: {words}", at=at)
        for assignment in setup.assignments
        for step, words in STEPS.get(person.role, STEPS["instructor"] if person.role == "assistant" else ())
        if (at := getattr(setup.own(assignment, person.id), step)) is not None
    ]
    return sorted(found, key=lambda each: each.at)
