"""What people say: the verbs of authors, reviewers and instructors, read aloud.

A verb loads what it needs, asks the rules (`dialogue`, `rubric`), and appends to the store. Whoever speaks is a
`Person`; permission is decided here, on every save, whatever a page has shown before.
"""

from collections.abc import Sequence
from dataclasses import replace

from reviewkit import dialogue as rules
from reviewkit import grades, rubric
from reviewkit.errors import NotAllowed
from reviewkit.model import (
    Accept,
    Answer,
    Discuss,
    Judgement,
    Person,
    Reply,
    Review,
    SelfEvaluation,
    SignOff,
    Via,
    What,
)
from reviewkit.reading import at_a_glance
from reviewkit.rounds import Rounds


class Verbs(Rounds):
    """A course in which people speak."""

    # -- the author's verbs ------------------------------------------------------------------------------------------

    @at_a_glance
    def self_evaluate(
        self, who: Person, submission: str, said: SelfEvaluation, *, seen: int, request: str = ""
    ) -> None:
        """The author's levels, evidence and proposed grade: Proposal 1."""
        self._as_author(who, submission, self._graded(submission, said), seen=seen, request=request)

    @at_a_glance
    def answer(self, who: Person, submission: str, said: Answer, *, seen: int, request: str = "") -> None:
        """The author's answer to one review."""
        if said.revised is not None:
            said = replace(said, revised=self._graded(submission, said.revised))
        self._as_author(who, submission, said, seen=seen, request=request)

    @at_a_glance
    def reply(self, who: Person, submission: str, said: Reply, *, seen: int, request: str = "") -> None:
        """The author's reply to the instructor."""
        if said.proposal is not None:
            said = replace(said, proposal=self._graded(submission, said.proposal))
        self._as_author(who, submission, said, seen=seen, request=request)

    @at_a_glance
    def sign(self, who: Person, submission: str, *, seen: int, request: str = "") -> None:
        """The author's signature, beside the instructor's."""
        proposal = rules.outcome(self.store.dialogue(submission).turns)
        said = SignOff(role="author", grade=proposal.grade if proposal else "")
        self._as_author(who, submission, said, seen=seen, request=request)

    # -- the reviewer's verb -----------------------------------------------------------------------------------------

    @at_a_glance
    def review(
        self,
        who: Person,
        duty: str,
        judgements: Sequence[Judgement],
        strengths: str,
        suggestions: str,
        *,
        request: str = "",
    ) -> None:
        """Send a review, or a new version of it until the reveal."""
        allocation = self._allocation(who, duty)
        locked = self._locked(who, allocation)
        if locked:
            raise NotAllowed(locked)
        dialogue = self.store.dialogue(allocation.submission)
        rubric.check(self.rubric(dialogue.submission.rubric), judgements, complete=True)
        what = Review(
            allocation=allocation.id,
            pseudonym=allocation.pseudonym,
            judgements=tuple(judgements),
            strengths=strengths,
            suggestions=suggestions,
        )
        self._append(allocation.submission, who, [what], "peer", seen=None, request=request, via="page")

    # -- the instructor's verbs --------------------------------------------------------------------------------------

    @at_a_glance
    def discuss(
        self, who: Person, submission: str, said: Discuss, *, seen: int | None, request: str = "", via: Via = "page"
    ) -> None:
        """Put a counter-proposal or a question to the author."""
        if said.counter is not None:
            said = replace(said, counter=self._graded(submission, said.counter))
        self._as_instructor(who, submission, [said], seen=seen, request=request, via=via)

    @at_a_glance
    def accept(
        self, who: Person, submission: str, said: Accept, *, seen: int | None, request: str = "", via: Via = "page"
    ) -> None:
        """Accept the proposal that stands and sign, in one step; after a reply that accepts, sign alone."""
        turns = self.store.dialogue(submission).turns
        if rules.stage(turns) in ("agreed", "decided"):
            proposal = rules.outcome(turns)
            last: list[What] = [SignOff(grade=proposal.grade if proposal else "")]
        else:
            said = replace(said, grade=grades.parse_grade(said.grade, self.setup.scale))
            last = [said, SignOff(grade=said.grade)]
        self._as_instructor(who, submission, last, seen=seen, request=request, via=via)
