"""Everybody tries everything at any time: the machine behind test_any_order, and what holds after each step."""

import importlib.util
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from reviewkit import chain, exchange, overview
from reviewkit import dialogue as rules
from reviewkit.course import Course
from reviewkit.errors import Conflict, NotAllowed, ReviewkitError
from reviewkit.importing import take_in
from reviewkit.model import (
    KINDS,
    OWN_REVIEW,
    STEPS,
    Accept,
    Answer,
    AskToReopen,
    Decide,
    Dialogue,
    Discuss,
    Dissent,
    Exempt,
    Judgement,
    Person,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Reveal,
    Review,
    Reviews,
    SelfEvaluation,
    SignOff,
    Turn,
    What,
    Withdraw,
)
from reviewkit.store import schema
from reviewkit.store.sql import SqlStore
from tests.big_class import (
    EVERYBODY,
    HELPER,
    PROFS,
    ROUNDS,
    STUDENTS,
    a_big_course,
    a_post,
    pulled,
    rubric,
    surname,
)
from tests.cast import Clock

STUDENT = st.sampled_from(STUDENTS)
WRONG = st.none() | st.sampled_from(EVERYBODY)
"""Who tries it: None is whoever may."""
ROUND = st.sampled_from(ROUNDS)
GRADE = st.sampled_from(["70", "82", "95", "101", ""])
GRADES = st.sampled_from(["70", "82"])
LEVEL = st.integers(0, 4)
REASON = st.sampled_from(["Because of the gauge.", ""])
PROF = st.sampled_from(PROFS)
SEEN = st.sampled_from(["now", "now", "now", "stale"])

Verb = Callable[..., object]


def the_strangers_script() -> Any:
    spec = importlib.util.spec_from_file_location("verify", Path(__file__).parents[1] / "docs" / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


stranger = the_strangers_script()


class AnyOrder(RuleBasedStateMachine):
    """`store` is an empty store of its own; it is closed at the end."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__()
        self.store = store
        self.clock = Clock()
        self.course: Course = a_big_course(store, self.clock)
        self.known: dict[str, tuple[Turn, ...]] = {}
        self.erased: set[str] = set()
        self.gone: set[str] = set()
        self.promised: dict[str, str] = {}
        """By submission, the mode of the course when it was frozen."""
        self.edits, self.requests, self.steps = 0, 0, 0

    def teardown(self) -> None:
        try:
            self.blind_stays_blind(STUDENTS)
        finally:
            self.store.close()

    @initialize(phases=st.sampled_from([5, 4, 5, 3, 2, 0]), round_=ROUND)
    def begin(self, phases: int, round_: str) -> None:
        """How far the class has come when the machine starts, as it would be if all went well."""
        everybody = set(STUDENTS)
        steps = [
            lambda: self.many_freeze_and_evaluate(round_, everybody),
            lambda: self.allocate(round_),
            lambda: self.many_review(everybody),
            lambda: self.reveal(None, round_, "Enough."),
            lambda: [self.answer(None, each, round_, "78", "", "now") for each in STUDENTS[:6]],
        ]
        for step in steps[:phases]:
            step()

    # -- how it is tried ---------------------------------------------------------------------------------------------

    def submission(self, of: Person, round_: str) -> str:
        found = self.course.submission_of(of, self.course.assignment(round_))
        return found.id if found else "RK-00000000"

    def author(self, submission: str) -> Person | None:
        return next(
            (
                person
                for each in self.course.store.submissions()
                for person in STUDENTS
                if (each.id, each.person) == (submission, person.id)
            ),
            None,
        )

    def seen(self, who: Person, submission: str) -> int:
        try:
            return len(self.course.dialogue(submission, who).turns)
        except ReviewkitError:
            return 1

    def turns(self, submission: str) -> tuple[Turn, ...]:
        try:
            return self.course.store.dialogue(submission).turns
        except ReviewkitError:
            return ()

    def judged(self, submission: str, level: int = 2) -> tuple[Judgement, ...]:
        """Every criterion of the rubric that this submission uses, at one level."""
        used = next((each.rubric for each in self.course.store.submissions() if each.id == submission), None)
        criteria = self.course.rubric(used).criteria if used else rubric().criteria
        return tuple(Judgement(criterion=each.id, level=level, note="Because of the gauge.") for each in criteria)

    def total(self) -> int:
        with self.store._reader.begin() as db:
            return int(db.scalar(select(func.count()).select_from(schema.turns)) or 0)

    def attempt(self, verb: Verb, who: Person, about: str, *said: object, **named: object) -> bool:
        """Refused in a sentence, with nothing changed; or done, and then the same request again changes nothing.

        `about` is a submission, a duty or an assignment.
        """
        self.requests += 1
        before, refusal = self.total(), ""
        try:
            verb(who, about, *said, **named, request=f"request-{self.requests}")
        except ReviewkitError as refused:
            refusal = str(refused)
        if refusal:
            assert refusal.endswith((".", "?")), "a sentence"
            assert self.total() == before
            return False
        once = self.total()
        assert once > before
        verb(who, about, *said, **named, request=f"request-{self.requests}")
        assert self.total() == once
        return True

    def speak(self, verb: Verb, who: Person, submission: str, said: object, seen: str = "now") -> bool:
        """A turn by somebody who looked at the page now, or before the last turn that they can see."""
        looked = self.seen(who, submission)
        done = self.attempt(verb, who, submission, said, seen=looked - 1 if seen == "stale" else looked)
        assert not (done and seen == "stale"), "somebody wrote over what they had not seen"
        return done

    @rule(at=st.integers(0, 4), which=st.lists(st.integers(0, 40), min_size=1, max_size=6), grade=GRADES)
    def go_on(self, at: int, which: list[int], grade: str) -> None:
        """Some of the turns that may come next in one of the longest dialogues, each by whoever may take it. What the
        rules admit is taken."""
        longest = sorted(self.store.dialogues(), key=lambda each: -len(each.turns))[at : at + 1]
        for submission in [each.submission.id for each in longest]:
            author = self.author(submission)
            assert author is not None
            for number in which:
                dialogue = self.store.dialogue(submission)
                found = [
                    (author if role == "author" else PROFS[number % 2], verb, said)
                    for role, verb, said, what in self.next_turns(dialogue, grade)
                    if admitted(dialogue, what, role, self.course)
                ]
                if not found:
                    return
                person, verb, said = found[number % len(found)]
                assert self.attempt(verb, person, submission, *said, seen=self.seen(person, submission))

    def next_turns(self, dialogue: Dialogue, grade: str) -> list[tuple[rules.Capacity, Verb, tuple[object, ...], What]]:
        """(who, verb, what the verb is told, the turn that comes of it), whether it may come or not."""
        course, turns, judged = self.course, dialogue.turns, self.judged(dialogue.submission.id)
        proposal = Proposal(judgements=judged, grade=grade)
        stands, outcome = rules.standing(turns), rules.outcome(turns)
        said: list[tuple[rules.Capacity, Verb, What]] = [
            (
                "author",
                course.self_evaluate,
                SelfEvaluation(judgements=judged, strengths="S.", improvements="I.", grade=grade),
            ),
            *(("author", course.answer, Answer(review=id, text="Fair.")) for id in rules.unanswered(turns)),
            *(
                ("author", course.answer, Answer(review=id, text="Fair.", revised=proposal, changed="The log."))
                for id in rules.shown_reviews(turns)
            ),
            ("author", course.reply, Reply(accepts=True)),
            ("author", course.reply, Reply(text="No.", proposal=proposal)),
            ("author", course.dissent, Dissent(text="I was ill.")),
            ("author", course.ask_to_reopen, AskToReopen(text="Please.")),
            ("instructor", course.recognise, Recognise(text="The map.", recognised=("sources",))),
            ("instructor", course.discuss, Discuss(text="Hm.", counter=proposal)),
            ("instructor", course.discuss, Discuss(text="Why?")),
            ("instructor", course.decide, Decide(reason="Time is over.", grade=grade)),
            ("instructor", course.accept, Accept(grade=stands.grade if stands else "")),
            *(("instructor", course.reopen, Reopen(to=to, reason="New facts.")) for to in rules.ways_back(turns)),
            ("instructor", course.set_aside, Restore()),
        ]
        signing = SignOff(grade=outcome.grade if outcome else "")
        return [
            *((role, verb, (what,), what) for role, verb, what in said),
            ("author", course.sign, (), replace(signing, role="author")),
            ("instructor", course.accept, (Accept(),), signing),
        ]

    # -- authors -----------------------------------------------------------------------------------------------------

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, several=st.booleans())
    def freeze(self, who: Person | None, whose: Person, round_: str, several: bool) -> None:
        posts = [post.id for post in self.course.posts(whose)]
        self.attempt(self.course.freeze, who or whose, round_, posts if several else posts[:1])

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, several=st.booleans(), reason=REASON)
    def freeze_for(self, who: Person | None, whose: Person, round_: str, several: bool, reason: str) -> None:
        posts = [post.id for post in self.course.posts(whose)]

        def freeze(by: Person, round_: str, *, request: str) -> None:
            self.course.freeze_for(by, whose.id, round_, posts if several else posts[:1], reason, request=request)

        self.attempt(freeze, who or PROFS[0], round_)

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, grade=GRADE, level=LEVEL, seen=SEEN)
    def self_evaluate(self, who: Person | None, whose: Person, round_: str, grade: str, level: int, seen: str) -> None:
        submission = self.submission(whose, round_)
        judged = self.judged(submission, level)
        said = SelfEvaluation(judgements=judged, strengths="S.", improvements="I.", grade=grade)
        self.speak(self.course.self_evaluate, who or whose, submission, said, seen)

    @rule(round_=ROUND, people=st.sets(STUDENT, min_size=5))
    def many_freeze_and_evaluate(self, round_: str, people: set[Person]) -> None:
        for person in sorted(people, key=lambda each: each.id):
            self.freeze(None, person, round_, round_ == "term")
            submission = self.submission(person, round_)
            judged = self.judged(submission)
            said = SelfEvaluation(judgements=judged, strengths="S.", improvements="I.", grade="82")
            self.speak(self.course.self_evaluate, person, submission, said)

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, grade=GRADE, changed=REASON, seen=SEEN)
    def answer(self, who: Person | None, whose: Person, round_: str, grade: str, changed: str, seen: str) -> None:
        submission = self.submission(whose, round_)
        revised = Proposal(judgements=self.judged(submission), grade=grade) if changed else None
        for turn in self.turns(submission)[-8:]:
            said = Answer(review=turn.id, text=f"Fair, says {whose.name}.", revised=revised, changed=changed)
            self.speak(self.course.answer, who or whose, submission, said, seen)

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, grade=GRADE, accepts=st.booleans(), seen=SEEN)
    def reply(self, who: Person | None, whose: Person, round_: str, grade: str, accepts: bool, seen: str) -> None:
        submission = self.submission(whose, round_)
        proposal = Proposal(judgements=self.judged(submission), grade=grade) if grade and not accepts else None
        said = Reply(accepts=accepts, text="No.", proposal=proposal)
        self.speak(self.course.reply, who or whose, submission, said, seen)

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, text=REASON)
    def dissent(self, who: Person | None, whose: Person, round_: str, text: str) -> None:
        self.speak(self.course.dissent, who or whose, self.submission(whose, round_), Dissent(text=text))

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, text=REASON)
    def ask_to_reopen(self, who: Person | None, whose: Person, round_: str, text: str) -> None:
        self.speak(self.course.ask_to_reopen, who or whose, self.submission(whose, round_), AskToReopen(text=text))

    @rule(who=WRONG, whose=STUDENT, round_=ROUND)
    def sign(self, who: Person | None, whose: Person, round_: str) -> None:
        submission, person = self.submission(whose, round_), who or whose
        self.attempt(self.course.sign, person, submission, seen=self.seen(person, submission))

    @rule(whose=STUDENT, number=st.integers(1, 3))
    def write_on_the_blog(self, whose: Person, number: int) -> None:
        """A new post, or a post that has another text by now: what is frozen stays as it is."""
        self.edits += 1
        pulled(self.course.store, whose, [a_post(whose, number, edit=self.edits)], self.clock)

    # -- peers -------------------------------------------------------------------------------------------------------

    @rule(round_=ROUND)
    def allocate(self, round_: str) -> None:
        self.course.allocate(self.course.plan(round_))

    @rule(round_=ROUND)
    def two_allocate_at_once(self, round_: str) -> None:
        """Both plans were made before either was saved."""
        one, other = self.course.plan(round_), self.course.plan(round_)
        self.course.allocate(one)
        if one.pairs:
            try:
                self.course.allocate(other)
            except Conflict:
                return
            raise AssertionError("two plans were saved, and everybody owes twice as much")

    @rule(who=WRONG, whose=STUDENT, at=st.integers(0, 3))
    def pass_on(self, who: Person | None, whose: Person, at: int) -> None:
        """ "I think I know who wrote this": they get another one, or keep it."""
        duties = self.course.duties(whose)[at : at + 1]
        before = self.owed()
        for duty in duties:
            try:
                self.course.pass_on(who or whose, duty.id)
            except ReviewkitError:
                assert self.owed() == before
            else:
                assert sum(self.owed().values()) == sum(before.values())
                assert self.course.pass_on(who or whose, duty.id) == "", "the same click again"

    @rule(whose=STUDENT, round_=ROUND)
    def take_one_more(self, whose: Person, round_: str) -> None:
        before = self.owed()
        offered = self.course.offers(whose, round_)
        try:
            self.course.take_more(whose, round_)
        except ReviewkitError:
            assert not offered
            assert self.owed() == before
        else:
            assert offered
            assert self.owed() == before + Counter([whose.id])

    @rule(who=WRONG, prof=PROF, whose=STUDENT, reviewer=STUDENT, round_=ROUND)
    def assign(self, who: Person | None, prof: Person, whose: Person, reviewer: Person, round_: str) -> None:
        before = self.owed()
        try:
            self.course.assign(who or prof, self.submission(whose, round_), reviewer.id)
        except ReviewkitError:
            assert self.owed() == before

    def owed(self) -> Counter[str]:
        """How many allocations each person has."""
        return Counter(each.reviewer for each in self.course.store.allocations())

    def give(self, who: Person, of: Person, level: int) -> None:
        for duty in self.course.duties(of):
            judged = tuple(Judgement(criterion=each.id, level=level) for each in duty.rubric.criteria)
            self.attempt(self.course.review, who, duty.id, judged, f"By {who.name}.", "More.")

    @rule(who=WRONG, whose=STUDENT, level=LEVEL)
    def review(self, who: Person | None, whose: Person, level: int) -> None:
        self.give(who or whose, whose, level)

    @rule(people=st.sets(STUDENT, min_size=4))
    def many_review(self, people: set[Person]) -> None:
        for person in sorted(people, key=lambda each: each.id):
            self.give(person, person, 2)

    # -- instructors -------------------------------------------------------------------------------------------------

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, level=LEVEL)
    def review_oneself(self, who: Person | None, prof: Person, whose: Person, round_: str, level: int) -> None:
        submission = self.submission(whose, round_)
        self.attempt(
            self.course.review_oneself, who or prof, submission, self.judged(submission, level), "Rings.", "More."
        )

    @rule(who=WRONG, round_=ROUND, reason=REASON)
    def reveal(self, who: Person | None, round_: str, reason: str) -> None:
        try:
            self.course.reveal(round_, by=who or PROFS[0], reason=reason)
        except NotAllowed:
            assert who is not None
            assert who.role != "instructor"

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, reason=REASON)
    def waive(self, who: Person | None, prof: Person, whose: Person, round_: str, reason: str) -> None:
        self.attempt(self.course.waive, who or prof, self.submission(whose, round_), reason)

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, text=REASON)
    def recognise(self, who: Person | None, prof: Person, whose: Person, round_: str, text: str) -> None:
        said = Recognise(text=text, recognised=("sources",) if text else ())
        self.speak(self.course.recognise, who or prof, self.submission(whose, round_), said)

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, grade=GRADE, seen=SEEN)
    def discuss(self, who: Person | None, prof: Person, whose: Person, round_: str, grade: str, seen: str) -> None:
        submission = self.submission(whose, round_)
        counter = Proposal(judgements=self.judged(submission), grade=grade) if grade else None
        said = Discuss(text="Hm.", counter=counter)
        self.speak(self.course.discuss, who or prof, submission, said, seen)

    @rule(whose=STUDENT, round_=ROUND)
    def two_instructors_write_at_once(self, whose: Person, round_: str) -> None:
        """Both looked at the same moment: at most one of them is taken."""
        submission = self.submission(whose, round_)
        looked = [self.seen(prof, submission) for prof in PROFS]
        done = [
            self.attempt(self.course.discuss, PROFS[0], submission, Discuss(text="One."), seen=looked[0]),
            self.attempt(self.course.decide, PROFS[1], submission, Decide(reason="Two.", grade="75"), seen=looked[1]),
        ]
        assert sum(done) <= 1

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, grade=GRADE, standing=st.booleans(), seen=SEEN)
    def accept(
        self,
        who: Person | None,
        prof: Person,
        whose: Person,
        round_: str,
        grade: str,
        standing: bool,
        seen: str,
    ) -> None:
        submission = self.submission(whose, round_)
        stands = rules.standing(self.turns(submission))
        said = Accept(grade=stands.grade if standing and stands else grade)
        self.speak(self.course.accept, who or prof, submission, said, seen)

    @rule(prof=PROF, at=st.integers(0, 4), wanted=st.sampled_from(["put", "put", "take back"]))
    def accept_later(self, prof: Person, at: int, wanted: str) -> None:
        """An accept rests in the outbox: nothing is said yet, and what is taken back never will be."""
        before = self.total()
        longest = sorted(self.store.dialogues(), key=lambda each: -len(each.turns))[at : at + 1]
        for dialogue in longest:
            submission, stands = dialogue.submission.id, rules.standing(dialogue.turns)
            said = Accept(grade=stands.grade if stands else "82")
            try:
                self.course.accept_later(prof, submission, said, seen=self.seen(prof, submission))
            except ReviewkitError:
                continue
            if wanted == "take back":
                self.course.take_back(prof, self.course.resting(prof)[submission].id)
                assert submission not in self.course.resting(prof)
        assert self.total() == before

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, grade=GRADE, reason=REASON, seen=SEEN)
    def decide(
        self, who: Person | None, prof: Person, whose: Person, round_: str, grade: str, reason: str, seen: str
    ) -> None:
        said = Decide(reason=reason, grade=grade)
        self.speak(self.course.decide, who or prof, self.submission(whose, round_), said, seen)

    @rule(who=WRONG, prof=PROF, whose=STUDENT, round_=ROUND, at=st.integers(0, 5), reason=REASON)
    def reopen(self, who: Person | None, prof: Person, whose: Person, round_: str, at: int, reason: str) -> None:
        submission = self.submission(whose, round_)
        turns = self.turns(submission)
        ways = rules.ways_back(turns) if turns else []
        to = ways[at] if at < len(ways) else "discussing"
        self.speak(self.course.reopen, who or prof, submission, Reopen(to=to, reason=reason))

    @rule(
        who=WRONG,
        prof=PROF,
        whose=STUDENT,
        round_=ROUND,
        what=st.sampled_from([Withdraw(), Exempt(reason="Ill."), Exempt(reason=""), Restore(), Restore(), Restore()]),
    )
    def set_aside(
        self, who: Person | None, prof: Person, whose: Person, round_: str, what: Withdraw | Exempt | Restore
    ) -> None:
        self.speak(self.course.set_aside, who or prof, self.submission(whose, round_), what)

    # -- the course and its dates ------------------------------------------------------------------------------------

    def take_in(self, setup: object, *, people: Sequence[Person] | None = None, restructure: bool = False) -> None:
        here = [each for each in EVERYBODY if each.id not in self.gone] if people is None else people
        files: Any = SimpleNamespace(setup=setup, people=here, rubrics=[rubric(self.edits, more=restructure)])
        take_in(files, self.course.store, apply=True, withdraw=True, restructure=restructure)

    @rule(whose=STUDENT)
    def leave_or_come_back(self, whose: Person) -> None:
        """The roster is imported without somebody, or with them again."""
        self.gone ^= {whose.id}
        self.take_in(self.course.setup)

    @rule(mode=st.sampled_from(["double-blind", "reviewers-hidden", "open"]), minimum=st.integers(0, 3))
    def change_the_mode(self, mode: Any, minimum: int) -> None:
        setup = self.course.setup
        self.take_in(replace(setup, reviews=replace(setup.reviews, mode=mode, minimum=minimum)))

    @rule(restructure=st.booleans())
    def edit_the_rubric(self, restructure: bool) -> None:
        self.edits += 1
        before = {each.submission.id: each.submission.rubric for each in self.course.store.dialogues()}
        self.take_in(self.course.setup, restructure=restructure)
        after = {each.submission.id: each.submission.rubric for each in self.course.store.dialogues()}
        assert before == after, "what was begun keeps its words"

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, step=st.sampled_from(STEPS), days=st.integers(-1, 5), reason=REASON)
    def extend(self, who: Person | None, whose: Person, round_: str, step: Any, days: int, reason: str) -> None:
        until = self.clock() + timedelta(days=days)
        before = len(self.course.setup.extensions)
        try:
            self.course.extend(who or PROFS[0], whose.id, round_, step, until, reason)
        except ReviewkitError:
            assert len(self.course.setup.extensions) == before

    @rule(who=WRONG, whose=STUDENT, round_=ROUND, days=st.integers(-1, 5), reason=REASON)
    def give_time(self, who: Person | None, whose: Person, round_: str, days: int, reason: str) -> None:
        """More time for whoever owes a review of a submission: given or not, and not twice."""
        submission, until = self.submission(whose, round_), self.clock() + timedelta(days=days)
        before = self.total(), self.course.setup
        try:
            self.course.give_time(who or PROFS[0], submission, until, reason)
        except ReviewkitError:
            assert (self.total(), self.course.setup) == before
            return
        assert rules.stage(self.turns(submission)) in rules.BLIND
        given = self.total(), self.course.setup
        with suppress(ReviewkitError):
            self.course.give_time(who or PROFS[0], submission, until, reason)
        assert (self.total(), self.course.setup) == given

    @rule(who=WRONG, round_=ROUND, step=st.sampled_from(STEPS), days=st.integers(-1, 5))
    def move_date(self, who: Person | None, round_: str, step: Any, days: int) -> None:
        try:
            self.course.move_date(who or PROFS[0], round_, step, self.clock() + timedelta(days=days))
        except ReviewkitError:
            return

    @rule(hours=st.sampled_from([1, 12, 30, 60, 120]))
    def time_passes(self, hours: int) -> None:
        self.clock.pass_(hours=hours)
        self.course.flush()
        self.course.advance()
        before = self.total(), len(self.course.store.allocations())
        self.course.flush()
        self.course.advance()
        assert (self.total(), len(self.course.store.allocations())) == before, "what is done is not done twice"

    @rule(at=st.integers(0, 10_000))
    def erase(self, at: int) -> None:
        """Somebody's words are erased by right."""
        _, seals = self.course.store.sealed()
        written = [(id, digest) for id, seal in sorted(seals.items()) for digest in seal.salts]
        if written and at % 4 == 0:
            id, digest = written[at % len(written)]
            self.course.store.erase_text(digest)
            self.erased.add(id)

    # -- what holds after each step ----------------------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        """Of one reading of the store; what people see is looked at for a few of them after each step."""
        dialogues, seals = self.store.sealed()
        for each in dialogues:
            self.promised.setdefault(each.submission.id, self.course.setup.reviews.mode)
        self.nothing_is_lost(dialogues)
        self.one_self_evaluation_counts(dialogues)
        self.nobody_reviews_themselves_or_twice_or_whom_they_must_not(dialogues)
        self.nothing_waits_for_another_student_alone(dialogues)
        self.the_schedule_only_keeps_dates(dialogues)
        self.a_stranger_verifies_it(dialogues, seals)
        self.steps += 1
        self.blind_stays_blind([STUDENTS[(self.steps * 4 + number) % len(STUDENTS)] for number in range(4)])
        self.an_assistant_learns_no_reviewer(dialogues[self.steps % 5 :: 5])

    def nothing_is_lost(self, dialogues: Sequence[Dialogue]) -> None:
        """Turns are only added, and each stays word for word; but what was erased by right is gone."""
        there = {each.submission.id: each.turns for each in dialogues}
        assert set(self.known) <= set(there)
        for submission, known in self.known.items():
            turns = there[submission]
            assert len(turns) >= len(known)
            for before, now in zip(known, turns, strict=False):
                assert before == now or (
                    now.id in self.erased and replace(before, what=now.what) == now and chain.ERASED in repr(now.what)
                )
        self.known = there

    def one_self_evaluation_counts(self, dialogues: Sequence[Dialogue]) -> None:
        for dialogue in dialogues:
            counted = [turn for turn in rules.live(dialogue.turns) if isinstance(turn.what, SelfEvaluation)]
            assert len(counted) <= 1

    def nobody_reviews_themselves_or_twice_or_whom_they_must_not(self, dialogues: Sequence[Dialogue]) -> None:
        authors = {each.submission.id: each.submission.person for each in dialogues}
        excluded = {frozenset((each.id, other)) for each in STUDENTS for other in each.excluded}
        pairs = [(each.submission, each.reviewer) for each in self.course.store.allocations(released=True)]
        assert len(set(pairs)) == len(pairs)
        for submission, reviewer in pairs:
            assert authors[submission] != reviewer
            assert frozenset((authors[submission], reviewer)) not in excluded
        for dialogue in dialogues:
            writers = [turn.by for turn in rules.latest_reviews(dialogue.turns)]
            assert len(set(writers)) == len(writers)
            assert dialogue.submission.person not in writers
            for turn in rules.latest_reviews(dialogue.turns):
                assert isinstance(turn.what, Review)
                own = turn.what.allocation.startswith(OWN_REVIEW)
                assert own or (dialogue.submission.id, turn.by) in pairs

    def nothing_waits_for_another_student_alone(self, dialogues: Sequence[Dialogue]) -> None:
        """Long after every date each dialogue waits for its author or the instructor, or is done; and whatever the
        time, the instructor has a way on."""
        setup, late = self.course.setup, self.clock() + timedelta(days=400)
        for dialogue in dialogues:
            stage = rules.stage(dialogue.turns)
            for now in (self.clock(), late):
                whom, _ = overview.waits(dialogue, owed=2, setup=setup, now=now)
                assert now != late or whom in ("author", "instructor") or stage in ("signed", *rules.OUT)
            assert self.ways_on(dialogue, setup.reviews), f"the instructor is stuck with a dialogue that is {stage}"

    @staticmethod
    def ways_on(dialogue: Dialogue, reviews: Reviews) -> list[str]:
        """What an instructor alone can do to bring it forward."""
        stands = rules.standing(dialogue.turns)
        ways = {
            "waive": Reveal(owed=0, minimum=0, reviews=(), reason="Enough."),
            "accept": Accept(grade=stands.grade if stands else ""),
            "decide": Decide(reason="Time is over."),
            "sign": SignOff(),
            "restore": Restore(),
        }
        found = ["done"] if rules.stage(dialogue.turns) == "signed" else []
        for name, what in ways.items():
            try:
                rules.admit(dialogue.turns, what, capacity="instructor", reviews=reviews)
            except ReviewkitError:
                continue
            found.append(name)
        return found

    def blind_stays_blind(self, people: Sequence[Person]) -> None:
        """What a student can read of their own dialogues and of those they review names nobody else, now as later, and
        whatever mode the course has by now."""
        course = self.course.glance()  # nothing is written meanwhile, and so nothing is read twice
        of = {each.id: each.submission for each in course.store.allocations()}
        for person in people:
            others = [surname(each) for each in STUDENTS if each is not person]
            for submission in course.store.submissions():
                if submission.person == person.id and self.promised[submission.id] != "open":
                    self.names_nobody(course.dialogue(submission.id, person), others)
            for duty in course.duties(person):
                assert duty.mode == self.promised[of[duty.id]]
                if duty.mode == "double-blind":
                    self.names_nobody(duty, others)
                elif duty.mode == "reviewers-hidden":
                    author = [surname(each) for each in STUDENTS if surname(each) in duty.author.casefold()]
                    assert len(author) == 1
                    self.names_nobody(duty, [each for each in others if each not in author])

    @staticmethod
    def names_nobody(told: object, others: list[str]) -> None:
        words = repr(told).casefold()
        named = [each for each in others if each in words]
        assert not named, (named, words)

    def an_assistant_learns_no_reviewer(self, dialogues: Sequence[Dialogue]) -> None:
        course, known = self.course.glance(), {each.id: each for each in STUDENTS}
        for dialogue in dialogues:
            author = known[dialogue.submission.person]
            others = [surname(each) for each in STUDENTS if each is not author]
            reviews = [
                replace(turn, what=replace(turn.what, strengths=""))  # type: ignore[type-var,call-arg]  # a review
                for turn in course.dialogue(dialogue.submission.id, HELPER).turns
                if turn.kind == "review"
            ]
            self.names_nobody(reviews, others)

    def the_schedule_only_keeps_dates(self, dialogues: Sequence[Dialogue]) -> None:
        """It never sets or lowers a grade and never signs; only instructors do, and what they sign was proposed."""
        staff = {each.id for each in PROFS}
        for dialogue in dialogues:
            for turn in dialogue.turns:
                if turn.via == "schedule":
                    assert turn.kind in ("freeze", "reveal", "hand-over")
                    assert turn.by == "schedule"
                else:
                    assert turn.by != "schedule"
                match turn.kind:
                    case "accept" | "discuss" | "decide" | "reopen" | "withdraw" | "exempt" | "restore" | "recognise":
                        assert turn.by in staff
                    case "self-evaluation" | "answer" | "reply" | "dissent" | "ask-to-reopen":
                        assert turn.by == dialogue.submission.person
            self.what_is_signed_was_said(dialogue)

    @staticmethod
    def what_is_signed_was_said(dialogue: Dialogue) -> None:
        for at, turn in enumerate(dialogue.turns):
            if isinstance(turn.what, SignOff):
                outcome = rules.outcome(dialogue.turns[:at])
                assert outcome is not None
                assert turn.what.grade == outcome.grade
                assert turn.by in ({each.id for each in PROFS} | {dialogue.submission.person})

    @staticmethod
    def a_stranger_verifies_it(dialogues: list[Dialogue], seals: dict[str, chain.Seal]) -> None:
        """Of an export alone: every chain is whole, and every stage follows from the turns."""
        rows = json.loads(exchange.as_json(exchange.turns(dialogues, seals)))
        stages = {row["id"]: row["stage"] for row in exchange.submissions(dialogues)}
        for id, stage in stages.items():
            mine = [row for row in rows if row["submission"] == id]
            previous = ""
            for number, row in enumerate(mine):
                assert stranger.mistake(row, number, previous) == ""
                previous = row["digest"]
            assert stage == rules.stage([turn_of(row) for row in mine]) == stage_of(mine)


def admitted(dialogue: Dialogue, what: What, capacity: rules.Capacity, course: Course) -> bool:
    try:
        rules.admit(dialogue.turns, what, capacity=capacity, reviews=course.setup.reviews)
    except ReviewkitError:
        return False
    return True


def turn_of(row: dict[str, Any]) -> Turn:
    """A turn from its row in an export."""
    shared = {name: row[name] for name in (*exchange.TURN_FIELDS, "salt") if name not in ("kind", "at")}
    own = {name: each for name, each in row.items() if name not in (*exchange.TURN_FIELDS, "salt", "sealed", "salts")}
    what = msgspec.convert(own, KINDS[row["kind"]])
    return Turn(**shared, at=msgspec.convert(row["at"], type(Clock().now)), what=what)


UNDONE = {
    "frozen": {"self-evaluation", "hand-over"},
    "in review": {"hand-over"},
    "revealed": {"answer"},
    "with instructor": set(),
    "discussing": set(),
}
TALK = {"discuss", "reply"}
ENDS = {"accept", "decide", "dissent", "sign-off", "ask-to-reopen"}


def stage_of(rows: list[dict[str, Any]]) -> str:
    """The stage as PRODUCT.md tells it, worked out another way than in stages.py: from the last word backwards."""
    counted = list[dict[str, Any]]()
    for row in rows:
        if row["kind"] == "reopen":
            undone = UNDONE[row["to"]] | ENDS | (set() if row["to"] == "discussing" else TALK)
            agreed = row["to"] == "discussing"
            counted = [
                each
                for each in counted
                if each["kind"] not in undone and not (agreed and each["kind"] == "reply" and each["accepts"])
            ]
        counted.append(row)
    kinds = [row["kind"] for row in counted]
    aside = [kind for kind in kinds if kind in ("withdraw", "exempt", "restore")]
    if aside and aside[-1] != "restore":
        return {"withdraw": "withdrawn", "exempt": "exempt"}[aside[-1]]
    base, since = "frozen", counted
    for at in range(len(counted) - 1, -1, -1):
        row = counted[at]
        match row["kind"]:
            case "sign-off" if row["role"] == "instructor":
                return "signed"
            case "decide":
                return "decided"
            case "accept":
                return "agreed"
            case "reply":
                return "agreed" if row["accepts"] else "discussing"
            case "discuss":
                return "discussing"
            case "reopen":
                base, since = row["to"], counted[at + 1 :]
                break
    after = [row["kind"] for row in since]
    if base == "discussing":
        return base
    if "reveal" in kinds:
        return after_the_reveal(counted, base, after)
    if "hand-over" in kinds:
        return "with instructor"
    if "review" in after or base == "in review":
        return "in review"
    if "self-evaluation" in after:
        return "in review" if "review" in kinds else "self-evaluated"
    return base


def after_the_reveal(counted: list[dict[str, Any]], base: str, after: list[str]) -> str:
    """Revealed while the author has reviews of the reveal to answer and has written a self-evaluation."""
    (shown,) = [row["reviews"] for row in counted if row["kind"] == "reveal"]
    answered = {row["review"] for row in counted if row["kind"] == "answer"}
    if "self-evaluation" not in [row["kind"] for row in counted]:
        return "with instructor"
    if base == "with instructor" and "reveal" not in after and "self-evaluation" not in after:
        return "with instructor"
    if base == "revealed" and "answer" not in after:
        return "revealed"
    return "revealed" if set(shown) - answered else "with instructor"
