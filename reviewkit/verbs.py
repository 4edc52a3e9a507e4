"""What people say: the verbs of authors, reviewers and instructors, read aloud.

A verb loads what it needs, asks the rules (`dialogue`, `rubric`), and appends to the store. Whoever speaks is a
`Person`; permission is decided here, on every save, whatever a page has shown before.
"""

from collections.abc import Sequence
from dataclasses import replace

from reviewkit import dialogue as rules
from reviewkit import grades, rubric
from reviewkit.errors import Invalid, NotAllowed
from reviewkit.model import (
    OWN_REVIEW,
    Accept,
    Allocation,
    Answer,
    AskToReopen,
    Decide,
    Dialogue,
    Discuss,
    Dissent,
    Exempt,
    Judgement,
    Person,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Review,
    SelfEvaluation,
    SignOff,
    Via,
    What,
    Withdraw,
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

    @at_a_glance
    def dissent(self, who: Person, submission: str, said: Dissent, *, seen: int, request: str = "") -> None:
        """What the author says to a decision without agreement; it stays for ever."""
        self._as_author(who, submission, said, seen=seen, request=request)

    @at_a_glance
    def ask_to_reopen(self, who: Person, submission: str, said: AskToReopen, *, seen: int, request: str = "") -> None:
        """Ask the instructor to open a closed dialogue again."""
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
        """Send a review, or a new version of it until the reveal; after `review_by` it is kept and marked as late."""
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
            late=self._is_late(who, allocation, dialogue),
        )
        self._append(allocation.submission, who, [what], "peer", seen=None, request=request, via="page")

    def _is_late(self, who: Person, allocation: Allocation, dialogue: Dialogue) -> bool:
        due = self.assignment(allocation.assignment, who).review_by
        return rules.reveal(dialogue.turns) is not None or self.setup.is_over(due, self.clock())

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
        if request and self.store.has_request(submission, request):
            return  # signed by now, it would be read as another act
        self._as_instructor(who, submission, self._accepting(submission, said), seen=seen, request=request, via=via)

    def _accepting(self, submission: str, said: Accept) -> list[What]:
        """The turns that an accept is: with its signature, or the signature alone where it is agreed already. Raises
        Invalid where words would be lost with that."""
        turns = self.store.dialogue(submission).turns
        if rules.stage(turns) in ("agreed", "decided"):
            if said.text.strip() or said.recognised:
                raise Invalid("This is closed already, and a signature carries no words. Sign without.", field="word")
            proposal = rules.outcome(turns)
            return [SignOff(grade=proposal.grade if proposal else "")]
        said = replace(said, grade=grades.parse_grade(said.grade, self.setup.scale))
        return [said, SignOff(grade=said.grade)]

    @at_a_glance
    def recognise(self, who: Person, submission: str, said: Recognise, *, seen: int | None, request: str = "") -> None:
        """Recognise successes and suggest what could be better, without a decision."""
        self._as_instructor(who, submission, [said], seen=seen, request=request, via="page")

    @at_a_glance
    def decide(self, who: Person, submission: str, said: Decide, *, seen: int, request: str = "") -> None:
        """Set a grade without agreement, with a reason; the author may attach a dissent."""
        said = replace(said, grade=grades.parse_grade(said.grade, self.setup.scale))
        if said.judgements or self.setup.scale == "levels":
            rubric.check(self.rubric(self.store.dialogue(submission).submission.rubric), said.judgements, complete=True)
        self._as_instructor(who, submission, [said], seen=seen, request=request, via="page")

    @at_a_glance
    def review_oneself(
        self,
        who: Person,
        submission: str,
        judgements: Sequence[Judgement],
        strengths: str,
        suggestions: str,
        *,
        request: str = "",
    ) -> None:
        """The instructor's own review; it counts as one, and may be replaced until the reveal."""
        rubric.check(self.rubric(self.store.dialogue(submission).submission.rubric), judgements, complete=True)
        what = Review(
            allocation=f"{OWN_REVIEW}{who.id}",
            pseudonym="",
            judgements=tuple(judgements),
            strengths=strengths,
            suggestions=suggestions,
        )
        self._as_instructor(who, submission, [what], seen=None, request=request, via="page")

    @at_a_glance
    def waive(self, who: Person, submission: str, reason: str, *, request: str = "") -> None:
        """Do without the missing reviews: what is there is revealed now, to the author of this submission alone."""
        dialogue = self.store.dialogue(submission)
        what = self._reveal_of(dialogue, reason=reason)
        self._as_instructor(who, submission, [what], seen=None, request=request, via="page")

    @at_a_glance
    def reopen(self, who: Person, submission: str, said: Reopen, *, seen: int, request: str = "") -> None:
        """Back to an earlier stage, with a reason; the old record stays and shows as superseded."""
        self._as_instructor(who, submission, [said], seen=seen, request=request, via="page")

    @at_a_glance
    def set_aside(
        self, who: Person, submission: str, said: Withdraw | Exempt | Restore, *, seen: int | None, request: str = ""
    ) -> None:
        """Take a submission out of the count, or back into it, with nothing lost and no zero."""
        self._as_instructor(who, submission, [said], seen=seen, request=request, via="page")
