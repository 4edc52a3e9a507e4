"""Sign-off's undo: what an instructor has accepted and rests in their outbox for a few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewkit.course import Course
from reviewkit.errors import Conflict, Invalid
from reviewkit.model import Person
from reviewkit.resting import TOO_LATE
from reviewkit.screens.events import taken

MOST = 500
"""Acts that one event takes back."""


@dataclass(frozen=True, kw_only=True)
class TakeBackEvent:
    """Acts by their ids: those that rest are taken back, those that were refused are put away."""

    acts: tuple[str, ...]


def told(course: Course, viewer: Person) -> list[dict[str, Any]]:
    """What rests, or was refused and was not put away yet: each with the moment (UTC) in which it is done."""
    return [
        {
            "id": act.id,
            "submission": submission,
            "due": act.due.isoformat(),
            "grade": str(act.arguments.get("grade", "")),
            "refused": act.refused,
        }
        for submission, act in course.resting(viewer).items()
    ]


def take_back(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Take back all of them that still rest; `late` is how many no longer did. Raises Conflict when none did."""
    said = taken(event, TakeBackEvent)
    if len(said.acts) > MOST:
        raise Invalid(f"At most {MOST} grades can be taken back at once.")
    late = 0
    for each in said.acts:
        try:
            course.take_back(viewer, each)
        except Conflict:
            late += 1
    if late and late == len(said.acts):
        raise Conflict(TOO_LATE)
    return {"late": late}
