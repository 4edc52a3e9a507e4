"""How far the reviews of a round are: which allocations count, and which submissions lack reviews. Pure.

A review that was given always counts, for its submission and for its writer. One that was not given counts while
somebody is there to give it and the submission is in the count; one that was passed on counts for nobody.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reviewkit import stages
from reviewkit.model import Allocation, Dialogue, Person, Review

Status = Literal["owed", "opened", "given", "late", "released", "dropped"]
"""`late`: given after its date. `dropped`: nobody gives it any more, or nobody needs it."""

OUTSTANDING: frozenset[Status] = frozenset({"owed", "opened"})


@dataclass(frozen=True, kw_only=True)
class Slots:
    """A round's allocations (those that were passed on too) as its dialogues leave them."""

    allocations: tuple[Allocation, ...]
    dialogues: Mapping[str, Dialogue]
    """By the id of the submission."""
    gone: frozenset[str]
    """Who has left the course, or is out of this round's count."""
    given: Mapping[str, Review]
    """The newest version of each review, by the id of its allocation."""

    def author(self, submission: str) -> str:
        return self.dialogues[submission].submission.person

    def status(self, each: Allocation) -> Status:
        if each.id in self.given:
            return "late" if self.given[each.id].late else "given"
        if each.released is not None:
            return "released"
        if each.reviewer in self.gone or self.author(each.submission) in self.gone:
            return "dropped"
        return "opened" if each.opened else "owed"

    def counted(self) -> list[Allocation]:
        return [each for each in self.allocations if self.status(each) not in ("released", "dropped")]

    def outstanding(self, submission: str = "", *, reviewer: str = "") -> list[Allocation]:
        """What is owed and not given: of one submission, by one person, or both."""
        return [
            each
            for each in self.allocations
            if submission in ("", each.submission) and reviewer in ("", each.reviewer)
            if self.status(each) in OUTSTANDING
        ]

    def owed(self) -> Counter[str]:
        """How many reviews of each submission count."""
        return Counter(each.submission for each in self.counted())

    def takes_more(self, submission: str) -> bool:
        """Whether another review of it could still be given in time: it is in the count, blind and open."""
        turns = self.dialogues[submission].turns
        return (
            self.author(submission) not in self.gone
            and stages.reveal(turns) is None
            and stages.stage(turns) not in stages.CLOSED
        )

    def may_review(self, submission: str, reviewer: str) -> bool:
        """Whether the pair could be made: nobody reviews themselves, nor twice what they had before."""
        return (
            self.takes_more(submission)
            and self.author(submission) != reviewer
            and reviewer not in self.gone
            and not any((each.submission, each.reviewer) == (submission, reviewer) for each in self.allocations)
        )

    def lacking(self, wanted: int, *, late: Collection[str] = ()) -> dict[str, int]:
        """How many reviews each submission that takes more lacks of `wanted`, where it lacks some. Who is `late` is
        not waited for."""
        there = Counter(
            each.submission for each in self.counted() if each.id in self.given or each.reviewer not in late
        )
        return {id: wanted - there[id] for id in self.dialogues if self.takes_more(id) and there[id] < wanted}


def slots_of(dialogues: Iterable[Dialogue], allocations: Sequence[Allocation], people: Iterable[Person]) -> Slots:
    """The slots of one round; allocations of other rounds are left aside."""
    known = {each.submission.id: each for each in dialogues}
    out = {each.submission.person for each in known.values() if stages.stage(each.turns) in stages.OUT}
    return Slots(
        allocations=tuple(each for each in allocations if each.submission in known),
        dialogues=known,
        gone=frozenset(out | {each.id for each in people if each.withdrawn}),
        given={
            turn.what.allocation: turn.what
            for each in known.values()
            for turn in each.turns
            if isinstance(turn.what, Review)
        },
    )
