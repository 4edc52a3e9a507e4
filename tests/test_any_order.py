"""Whatever people try, in whatever order, the dialogue stays lawful and blind."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reviewkit import chain
from reviewkit import dialogue as rules
from reviewkit.errors import ReviewkitError
from reviewkit.model import Accept, Answer, Discuss, Person, Proposal, Reply, Review, SelfEvaluation, Stage
from reviewkit.store import open_store
from tests.cast import PEOPLE, PROF, STUDENTS, Clock, a_course, a_self_evaluation, levels

ANYBODY = st.sampled_from(PEOPLE)
STUDENT = st.sampled_from(STUDENTS)
GRADE = st.sampled_from(["70", "82", "101", ""])
LEVEL = st.integers(0, 4)

ORDER: list[Stage] = [
    "frozen",
    "self-evaluated",
    "in review",
    "revealed",
    "with instructor",
    "discussing",
    "agreed",
    "signed",
]


class AnyOrder(RuleBasedStateMachine):
    """Everybody tries everything; refusals are fine, broken promises are not."""

    LATE_SELF_EVALUATION: ClassVar = ("with instructor", "revealed")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.course = a_course(open_store(f"sqlite:///{Path(self.folder.name) / 'course.db'}"), self.clock)
        self.stages: dict[str, Stage] = {}
        self.lengths: dict[str, int] = {}

    def teardown(self) -> None:
        self.course.store.close()
        self.folder.cleanup()

    def submission(self, of: Person) -> str:
        found = self.course.submission_of(of, self.course.assignment("river"))
        return found.id if found else "RK-00000000"

    def attempt(self, verb: object, *arguments: object, **named: object) -> None:
        assert callable(verb)
        with suppress(ReviewkitError):
            verb(*arguments, **named)

    @rule(who=ANYBODY, whose=STUDENT)
    def freeze(self, who: Person, whose: Person) -> None:
        posts = [post.id for post in self.course.posts(whose)]
        self.attempt(self.course.freeze, who, "river", posts)

    @rule(who=ANYBODY, whose=STUDENT, grade=GRADE, level=LEVEL)
    def self_evaluate(self, who: Person, whose: Person, grade: str, level: int) -> None:
        said = SelfEvaluation(judgements=levels(level), strengths="S.", improvements="I.", grade=grade)
        self.attempt(self.course.self_evaluate, who, self.submission(whose), said, seen=1)

    @rule()
    def everybody_self_evaluates(self) -> None:
        for person in STUDENTS:
            self.freeze(person, person)
            self.attempt(self.course.self_evaluate, person, self.submission(person), a_self_evaluation(), seen=1)

    @rule()
    def allocate(self) -> None:
        self.course.allocate(self.course.plan("river"))

    @rule(who=ANYBODY, whose=STUDENT, level=LEVEL)
    def review(self, who: Person, whose: Person, level: int) -> None:
        for duty in self.course.duties(whose):
            self.attempt(self.course.review, who, duty.id, levels(level), f"By {who.name}.", "More.")

    @rule(who=ANYBODY, reason=st.sampled_from(["", "Enough."]))
    def reveal(self, who: Person, reason: str) -> None:
        self.attempt(self.course.reveal, "river", by=who, reason=reason)

    @rule(who=ANYBODY, whose=STUDENT, grade=GRADE, changed=st.sampled_from(["", "The log."]))
    def answer(self, who: Person, whose: Person, grade: str, changed: str) -> None:
        submission = self.submission(whose)
        if submission == "RK-00000000":
            return
        revised = Proposal(judgements=levels(), grade=grade) if changed else None
        for turn in self.course.dialogue(submission, whose).turns:
            said = Answer(review=turn.id, text="Fair.", revised=revised, changed=changed)
            self.attempt(
                self.course.answer, who, submission, said, seen=len(self.course.dialogue(submission, whose).turns)
            )

    @rule(who=ANYBODY, whose=STUDENT, grade=GRADE)
    def discuss(self, who: Person, whose: Person, grade: str) -> None:
        counter = Proposal(judgements=levels(), grade=grade) if grade else None
        self.attempt(self.course.discuss, who, self.submission(whose), Discuss(text="Hm.", counter=counter), seen=None)

    @rule(who=ANYBODY, whose=STUDENT, grade=GRADE, accepts=st.booleans())
    def reply(self, who: Person, whose: Person, grade: str, accepts: bool) -> None:
        submission = self.submission(whose)
        proposal = Proposal(judgements=levels(), grade=grade) if grade and not accepts else None
        if submission != "RK-00000000":
            seen = len(self.course.dialogue(submission, whose).turns)
            self.attempt(
                self.course.reply, who, submission, Reply(accepts=accepts, text="No.", proposal=proposal), seen=seen
            )

    @rule(who=ANYBODY, whose=STUDENT, grade=GRADE)
    def accept(self, who: Person, whose: Person, grade: str) -> None:
        self.attempt(self.course.accept, who, self.submission(whose), Accept(grade=grade), seen=None)

    @rule(days=st.integers(0, 4))
    def time_passes(self, days: int) -> None:
        self.clock.pass_(days=days)
        self.course.advance()

    @invariant()
    def one_self_evaluation_and_one_review_a_pair_and_never_of_oneself(self) -> None:
        for dialogue in self.course.store.dialogues():
            assert sum(isinstance(turn.what, SelfEvaluation) for turn in dialogue.turns) <= 1
            assert not any(
                isinstance(turn.what, Review) and turn.by == dialogue.submission.person for turn in dialogue.turns
            )
            reviewers = [turn.by for turn in rules.latest_reviews(dialogue.turns)]
            assert len(set(reviewers)) == len(reviewers)
        pairs = [(each.submission, each.reviewer) for each in self.course.store.allocations()]
        assert len(set(pairs)) == len(pairs)

    @invariant()
    def nothing_is_lost_and_the_stage_never_slips_back(self) -> None:
        for dialogue in self.course.store.dialogues():
            id, stage = dialogue.submission.id, rules.stage(dialogue.turns)
            before = self.stages.get(id, "frozen")
            assert ORDER.index(stage) >= ORDER.index(before) or (before, stage) == self.LATE_SELF_EVALUATION
            assert len(dialogue.turns) >= self.lengths.get(id, 0)
            if before == "signed":
                assert len(dialogue.turns) == self.lengths[id]
            self.stages[id], self.lengths[id] = stage, len(dialogue.turns)

    @invariant()
    def only_people_propose_and_sign(self) -> None:
        for dialogue in self.course.store.dialogues():
            for turn in dialogue.turns:
                if turn.via == "schedule":
                    assert turn.kind in ("freeze", "reveal", "hand-over")
                if turn.kind in ("accept", "discuss", "sign-off"):
                    assert turn.by == PROF.id

    @invariant()
    def no_reviewer_is_named_to_an_author_and_no_author_to_a_reviewer(self) -> None:
        for person in STUDENTS:
            submission = self.submission(person)
            others = [other.name.split()[1] for other in STUDENTS if other is not person]
            if submission != "RK-00000000":
                told = repr(self.course.dialogue(submission, person).turns)
                assert not any(name in told for name in others)
            told = repr([(duty.author, duty.posts, duty.others) for duty in self.course.duties(person)])
            assert not any(name in told for name in others)

    @invariant()
    def every_chain_is_whole(self) -> None:
        for submission in self.course.store.submissions():
            assert chain.first_broken(self.course.store.bare_turns(submission.id)) is None


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
