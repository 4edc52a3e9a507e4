"""As much of a store as a round needs, in memory: for thousands of rounds in a test. It keeps no chain and no lock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from reviewkit import dialogue as rules
from reviewkit.errors import Conflict
from reviewkit.model import (
    Allocation,
    Dialogue,
    Feed,
    Freeze,
    Frozen,
    HiddenWord,
    Person,
    Post,
    Review,
    Rubric,
    Said,
    Setup,
    Submission,
    Turn,
    What,
)
from tests.cast import MONDAY, levels


class MemoryStore:
    def __init__(self, setup: Setup, people: Sequence[Person], rubric: Rubric) -> None:
        self._setup, self._people, self._rubric = setup, list(people), rubric
        self._said: dict[str, list[Turn]] = {}
        self._works: dict[str, Submission] = {}
        self._owed: list[Allocation] = []

    # -- what a test puts in

    def begin(self, person: Person) -> str:
        """A submission with its Freeze; gives its id."""
        id = f"work of {person.id}"
        revisions = (Frozen(post=f"post of {person.id}", digest="0" * 64),)
        self._works[id] = Submission(
            id=id,
            person=person.id,
            assignment="river",
            rubric=self._rubric.digest,
            revisions=revisions,
            pseudonym=f"alias {person.id}",
            mode=self._setup.reviews.mode,
        )
        self._said[id] = []
        self.add(id, person.id, Freeze(revisions=revisions, rubric=self._rubric.digest))
        return id

    def add(self, submission: str, by: str, what: What, *, at: datetime = MONDAY) -> None:
        self.say_all([(submission, len(self._said[submission]), Said(by=by, at=at, via="page", what=what))])

    def give(self, allocation: Allocation, *, late: bool = False) -> None:
        review = Review(
            allocation=allocation.id,
            pseudonym=allocation.pseudonym,
            judgements=levels(),
            strengths="S.",
            suggestions="S.",
            late=late,
        )
        self.add(allocation.submission, allocation.reviewer, review)

    def withdraw(self, person: str) -> None:
        self._people = [replace(each, withdrawn=each.withdrawn or each.id == person) for each in self._people]

    # -- what a round asks

    def setup(self) -> Setup:
        return self._setup

    def people(self) -> list[Person]:
        return list(self._people)

    def rubrics(self) -> list[Rubric]:
        return [self._rubric]

    def posts(self, person: str | None = None) -> list[Post]:
        return []

    def feeds(self) -> list[Feed]:
        return []

    def hidden_words(self, person: str | None = None) -> list[HiddenWord]:
        return []

    def submissions(self, assignment: str | None = None) -> list[Submission]:
        return list(self._works.values())

    def dialogue(self, submission: str) -> Dialogue:
        return Dialogue(submission=self._works[submission], turns=tuple(self._said[submission]))

    def dialogues(self, assignment: str | None = None) -> list[Dialogue]:
        return [self.dialogue(id) for id in self._works]

    def allocations(
        self, assignment: str | None = None, reviewer: str | None = None, *, released: bool = False
    ) -> list[Allocation]:
        return [each for each in self._owed if reviewer in (None, each.reviewer)]

    def keep_allocations(
        self, assignment: str, pairs: Sequence[tuple[str, str]], *, seed: int, after: int | None = None
    ) -> list[Allocation]:
        if after not in (None, len(self._owed)):
            raise Conflict("Somebody else allocated.")
        for submission, reviewer in pairs:
            id = f"duty {len(self._owed)}"
            self._owed.append(
                Allocation(id=id, assignment=assignment, submission=submission, reviewer=reviewer, pseudonym=id)
            )
        return self._owed[len(self._owed) - len(pairs) :]

    def say_all(self, turns: Sequence[tuple[str, int, Said]]) -> None:
        for submission, after, said in turns:
            known = self._said[submission]
            assert len(known) == after
            (turn,) = rules.after(known, [said])[after:]
            known.append(replace(turn, id=f"{submission} {after}", submission=submission))
