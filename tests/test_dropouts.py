"""Whatever the pattern of people who never do what they owe, no submission is in review a day after `review_by`."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from reviewkit import dialogue as rules
from reviewkit import overview
from reviewkit.course import Course
from reviewkit.model import (
    Assignment,
    Dialogue,
    Exempt,
    Extension,
    HandOver,
    Person,
    Reveal,
    Review,
    Reviews,
    Setup,
    Withdraw,
)
from reviewkit.rubric import parse
from tests.cast import MONDAY, PROF, RUBRIC, Clock, a_self_evaluation
from tests.memory_store import MemoryStore

PATTERNS = 10_000
ALLOCATED = 0.15
"""How many of the patterns go through the real allocation, and are topped up; the others are worse."""
PEOPLE = tuple(Person(id=f"student-{number}", name=f"Student {number}") for number in range(7))
DATA_STORIES = parse(RUBRIC, name="data-stories")
FREEZE_BY, SELF_BY, REVIEW_BY = (MONDAY + timedelta(days=number) for number in (3, 5, 10))
RIVER = Assignment(
    id="river", title="River", rubric="data-stories", freeze_by=FREEZE_BY, self_by=SELF_BY, review_by=REVIEW_BY
)


@dataclass
class Pattern:
    """One class: who drops out of what, drawn with one seed."""

    seed: int

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.students = PEOPLE[: self.dice.randint(1, len(PEOPLE))]
        count = self.dice.randint(1, 3)
        self.reviews = Reviews(count=count, minimum=self.dice.randint(0, count))

    def some(self, people: Sequence[Any], likely: float) -> list[Any]:
        return [each for each in people if self.dice.random() < likely]

    def extensions(self) -> tuple[Extension, ...]:
        return tuple(
            Extension(
                person=each.id,
                assignment="river",
                step="review_by",
                until=REVIEW_BY + timedelta(days=self.dice.randint(1, 3)),
                reason="Ill.",
                by=PROF.id,
            )
            for each in self.some(self.students, 0.05)
        )

    def course(self, clock: Clock) -> tuple[Course, MemoryStore]:
        setup = Setup(
            title="Data Stories",
            tag="datastories",
            timezone="UTC",
            reviews=self.reviews,
            assignments=(RIVER,),
            extensions=self.extensions(),
        )
        people = self.students
        if len(people) > 1 and self.dice.random() < 0.2:
            people = (replace(people[0], excluded=(people[1].id,)), *people[1:])
        store: Any = MemoryStore(setup, (*people, PROF), DATA_STORIES)
        return Course(store, clock=clock), store


def drop_out(pattern: Pattern) -> tuple[Course, MemoryStore, Clock]:
    """Play a round up to its `review_by`: everybody does what they owe, or does not."""
    clock, dice = Clock(), pattern.dice
    course, store = pattern.course(clock)
    works = {each.id: store.begin(each) for each in pattern.some(pattern.students, 0.9)}
    faithful = dice.random()
    for person in pattern.some(list(works), faithful):
        store.add(works[person], person, a_self_evaluation())
    clock.now = SELF_BY + timedelta(hours=1)
    if dice.random() < ALLOCATED:
        course.advance()
    else:  # as lopsided as it comes: some have many reviewers, some none
        pairs = [(work, each) for person, work in works.items() for each in works if each != person]
        store.keep_allocations("river", pattern.some(pairs, dice.random()), seed=0)
    for person in pattern.some(pattern.students, 0.1):
        store.withdraw(person.id)
    for work in pattern.some(list(works.values()), 0.05):
        store.add(work, PROF.id, dice.choice([Withdraw(), Exempt(reason="Ill.")]))
    clock.now = REVIEW_BY - timedelta(hours=1)
    if dice.random() < ALLOCATED:
        course.advance()
    out = {each.submission.id for each in store.dialogues() if rules.stage(each.turns) in rules.OUT}
    for owed in pattern.some(store.allocations(), faithful):
        if owed.submission not in out:
            store.give(owed)
    for person in pattern.some(pattern.students, 0.1):
        store.withdraw(person.id)
    return course, store, clock


def have_more_time(store: MemoryStore, setup: Setup, dialogue: Dialogue, clock: Clock) -> list[str]:
    """Reviewers of it who are still there, have not given it and whose own date has not come."""
    gone = {each.id for each in store.people() if each.withdrawn}
    gone |= {each.submission.person for each in store.dialogues() if rules.stage(each.turns) in rules.OUT}
    given = {turn.by for turn in dialogue.turns if isinstance(turn.what, Review)}
    return [
        each.reviewer
        for each in store.allocations()
        if each.submission == dialogue.submission.id
        if not gone & {each.reviewer, dialogue.submission.person} and each.reviewer not in given
        if any(
            later.person == each.reviewer and not setup.is_over(later.until, clock.now) for later in setup.extensions
        )
    ]


@pytest.mark.timeout(300)
def test_no_pattern_of_ten_thousand_leaves_a_submission_in_review_a_day_after_its_date() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    ends = dict.fromkeys(("revealed", "handed over", "out of the count", "extended"), 0)
    for number in range(PATTERNS):
        pattern = Pattern(seed + number)
        course, store, clock = drop_out(pattern)
        setup = course.setup
        clock.now = REVIEW_BY + timedelta(days=1)
        course.advance()
        for dialogue in store.dialogues():
            stage, told = rules.stage(dialogue.turns), f"pattern {pattern.seed}"
            if stage in rules.OUT:
                ends["out of the count"] += 1
                continue
            (*_, last) = [turn for turn in dialogue.turns if not isinstance(turn.what, Review)]
            there = len(rules.latest_reviews(dialogue.turns))
            waiting = [each for each in store.allocations() if each.submission == dialogue.submission.id]
            if there >= pattern.reviews.minimum:
                assert isinstance(last.what, Reveal), told
                assert len(last.what.reviews) == there, told
                ends["revealed"] += 1
            elif have_more_time(store, setup, dialogue, clock):
                assert stage in rules.BLIND, told
                ends["extended"] += 1
                continue
            else:
                assert isinstance(last.what, HandOver), told
                assert (last.what.given, last.what.minimum) == (there, pattern.reviews.minimum), told
                ends["handed over"] += 1
            assert stage not in rules.BLIND, told
            whom, _ = overview.waits(dialogue, owed=len(waiting), setup=setup, now=clock.now)
            assert whom == "instructor" or (whom, stage) == ("author", "revealed"), told
        said = {each.submission.id: len(each.turns) for each in store.dialogues()}
        course.advance()
        assert said == {each.submission.id: len(each.turns) for each in store.dialogues()}, f"pattern {pattern.seed}"
        clock.now = REVIEW_BY + timedelta(days=4)
        if setup.extensions:
            course.advance()
        left = [each for each in store.dialogues() if rules.stage(each.turns) in rules.BLIND]
        assert left == [], f"pattern {pattern.seed}: more time ends too"
    assert all(count > PATTERNS // 200 for count in ends.values()), ends
