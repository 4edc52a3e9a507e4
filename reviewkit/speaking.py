"""How a turn is taken: who speaks in which capacity, what they had seen, and one of two writers wins."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from reviewkit import dialogue as rules
from reviewkit import grades, rubric
from reviewkit.errors import Conflict, NotAllowed
from reviewkit.model import Dialogue, Person, Proposal, Said, SelfEvaluation, Via, What
from reviewkit.reading import Reading

Stated = TypeVar("Stated", SelfEvaluation, Proposal)


class Speaking(Reading):
    """A course that takes turns."""

    def _said(self, by: str, what: What, via: Via) -> Said:
        return Said(by=by, at=self.clock(), via=via, what=what)

    def _as_author(self, who: Person, submission: str, what: What, *, seen: int, request: str) -> None:
        self._append(submission, who, [what], "author", seen=seen, request=request, via="page")

    def _as_instructor(
        self, who: Person, submission: str, what: list[What], *, seen: int | None, request: str, via: Via
    ) -> None:
        self._append(submission, who, what, "instructor", seen=seen, request=request, via=via)

    def _append(
        self,
        submission: str,
        who: Person,
        what: Sequence[What],
        capacity: rules.Capacity,
        *,
        seen: int | None,
        request: str,
        via: Via,
    ) -> None:
        """Append turns for somebody who had seen `seen` turns (None: what they say hangs on nothing they saw).

        Turns that the writer cannot see (a blind review that came in meanwhile) are no reason to send them back:
        then the same turns are tried again on top.
        """
        self._must_be(who, self.store.dialogue(submission), capacity)
        if request and self.store.has_request(submission, request):
            return
        for _ in range(100):
            dialogue = self.store.dialogue(submission)
            said = self._may(dialogue, who, what, capacity, seen=seen, via=via)
            try:
                self.store.say(submission, said, after=len(dialogue.turns), request=request)
            except Conflict:
                continue
            return
        raise Conflict("Many people write here at once. Your text is kept; send it again in a moment.")

    def _must_be(self, who: Person, dialogue: Dialogue, capacity: rules.Capacity) -> int:
        """How many turns of it they can see, as whom they speak; raises NotAllowed when they are not that."""
        own = self._capacity(who, dialogue.submission)
        if own != capacity:
            raise NotAllowed("This is not yours to do here.")
        return len(self._visible(dialogue, who, own))

    def _may(
        self,
        dialogue: Dialogue,
        who: Person,
        what: Sequence[What],
        capacity: rules.Capacity,
        *,
        seen: int | None,
        via: Via,
    ) -> list[Said]:
        """What would be appended now, by somebody who had seen so much; raises what `_append` does, and only looks."""
        visible = self._must_be(who, dialogue, capacity)
        if seen is not None and visible != seen:
            raise Conflict("Somebody wrote here since you opened the page. Look at it, then send again.")
        said = list[Said]()
        for each in what:
            rules.admit(rules.after(dialogue.turns, said), each, capacity=capacity, reviews=self.setup.reviews)
            said.append(self._said(who.id, each, via))
        return said

    def _graded(self, submission: str, said: Stated) -> Stated:
        """The same with its grade in the course's form and its levels checked against the rubric."""
        if said.judgements or isinstance(said, SelfEvaluation) or self.setup.scale == "levels":
            against = self.rubric(self.store.dialogue(submission).submission.rubric)
            rubric.check(against, said.judgements, complete=True)
        return replace(said, grade=grades.parse_grade(said.grade, self.setup.scale))
