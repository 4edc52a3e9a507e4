"""An allocation's life: withdrawals, top-up, passing on, one more, what an instructor assigns, more time."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from reviewkit import exchange
from reviewkit.course import Course
from reviewkit.errors import Invalid, Missing, NotAllowed, ReviewkitError
from reviewkit.model import Allocation, Exempt, Feed, Person, Restore, Withdraw
from reviewkit.rubric import parse
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    DOT,
    EVE,
    MONDAY,
    PEOPLE,
    PROF,
    RUBRIC,
    STUDENTS,
    Clock,
    a_course,
    a_post,
    a_self_evaluation,
    a_setup,
    frozen,
    levels,
    self_evaluated,
)

GRACE = timedelta(minutes=10)
FREEZE_BY = MONDAY + timedelta(days=3)
SELF_BY = MONDAY + timedelta(days=5)
REVIEW_BY = MONDAY + timedelta(days=10)
LATER = timedelta(seconds=1)

MORE = tuple(
    Person(id=id, name=f"{id.title()} Verhoeven", email=f"{id}@fennel.example", feeds=(f"https://{id}.example/feed",))
    for id in ("gil", "hed", "ivo", "jun")
)
EIGHT = (*STUDENTS, *MORE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


@pytest.fixture
def eight(course: Course) -> dict[str, str]:
    """Eight students; all have frozen and evaluated theirs, and two reviews each are allocated. person -> submission"""
    store = course.store
    store.keep_course(a_setup(), [*PEOPLE, *MORE], [parse(RUBRIC, name="data-stories")])
    for person in MORE:
        store.keep_pull(Feed(person=person.id, url=person.feeds[0]), [a_post(person)], seen=course.clock())
    made = self_evaluated(course, *EIGHT)
    course.allocate(course.plan("river", seed=1))
    return made


def allocations(course: Course, *, of: str = "", by: Person | None = None) -> list[Allocation]:
    return [each for each in course.store.allocations("river", by.id if by else None) if of in ("", each.submission)]


def authors(course: Course) -> dict[str, str]:
    return {each.id: each.person for each in course.store.submissions("river")}


def reviewers(course: Course, submission: str) -> set[str]:
    return {each.reviewer for each in allocations(course, of=submission)}


def give(course: Course, *people: Person) -> None:
    for person in people:
        for duty in course.duties(person):
            if duty.mine is None and not duty.needless:
                course.review(person, duty.id, levels(2, 2), "Rings true.", "Link the log.")


def leaves(course: Course, person: Person, *, back: bool = False) -> None:
    """A withdrawal from the whole course, by the roster; `back`: undone."""
    course.store.keep_course(course.setup, [dataclasses.replace(person, withdrawn=not back)], [])


def advance_at(course: Course, clock: Clock, now: object) -> list[str]:
    clock.now = now  # type: ignore[assignment]  # a datetime
    return course.advance()


def counts(course: Course) -> tuple[dict[str, int], dict[str, int]]:
    """Of those who are there: how many reviews each gets, how many each gives, as far as they count."""
    rows = [row for row in statuses(course) if row["status"] not in ("released", "dropped")]
    return Counter(row["author"] for row in rows), Counter(row["reviewer"] for row in rows)


def statuses(course: Course) -> list[dict[str, str]]:
    store = course.store
    return list(exchange.allocations(store.allocations(released=True), store.dialogues(), store.people()))


# -- withdrawals


def test_the_slots_of_somebody_who_withdraws_are_topped_up_and_nobody_elses_pair_moves(
    course: Course, eight: dict[str, str], clock: Clock
) -> None:
    before = {(each.submission, each.reviewer) for each in allocations(course)}
    leaves(course, ANN)
    advance_at(course, clock, SELF_BY + GRACE + LATER)
    got, gave = counts(course)
    assert {person.id: got[person.id] for person in EIGHT} == {person.id: 2 for person in EIGHT} | {"ann": 0}
    assert all(gave[person.id] in (1, 2, 3) for person in EIGHT if person != ANN)
    assert gave["ann"] == 0
    assert before <= {(each.submission, each.reviewer) for each in allocations(course)}
    assert course.advance() == []


def test_a_review_that_was_given_counts_though_its_writer_or_its_author_withdrew(
    course: Course, eight: dict[str, str], clock: Clock
) -> None:
    give(course, ANN)
    theirs = {each.submission for each in allocations(course, by=ANN)}
    leaves(course, ANN)
    advance_at(course, clock, SELF_BY + GRACE + LATER)
    assert all(len(reviewers(course, submission)) == 2 for submission in theirs)
    assert {row["status"] for row in statuses(course) if row["reviewer"] == "ann"} == {"given"}
    assert all(course.class_table(PROF, course.assignment("river"))[i].owed == 2 for i in range(1, 8))


def test_what_nobody_gives_any_more_is_owed_nowhere(course: Course, eight: dict[str, str]) -> None:
    give(course, ANN)
    leaves(course, ANN)
    course.pass_on(BOB, next(duty.id for duty in course.duties(BOB) if not duty.needless))
    line = course.class_table(PROF, course.assignment("river"))
    assert sum(each.owed for each in line) == 14
    assert course.projection().rounds[0].reviews_owed == 14


def test_a_withdrawal_can_be_undone_and_owes_what_it_owed(course: Course, eight: dict[str, str]) -> None:
    before = [(duty.id, duty.needless) for duty in course.duties(BOB)]
    for person in EIGHT:
        if person != BOB:
            leaves(course, person)
    assert all(duty.needless for duty in course.duties(BOB))
    assert course.waiting(BOB)["reviews"] == 0
    for person in EIGHT:
        leaves(course, person, back=True)
    assert [(duty.id, duty.needless) for duty in course.duties(BOB)] == before
    assert course.waiting(BOB)["reviews"] == 2


@pytest.mark.parametrize("out", [Withdraw(), Exempt(reason="Ill all month.")])
def test_a_submission_out_of_the_count_needs_no_review_and_its_author_owes_none(
    course: Course, eight: dict[str, str], out: Withdraw | Exempt
) -> None:
    freed = [each.reviewer for each in allocations(course, of=eight["ann"])]
    course.set_aside(PROF, eight["ann"], out, seen=None)
    assert {row["status"] for row in statuses(course) if "ann" in (row["reviewer"], row["author"])} == {"dropped"}
    plan = course.plan("river", seed=2)
    assert eight["ann"] not in {submission for submission, _ in plan.pairs}
    assert "ann" not in {reviewer for _, reviewer in plan.pairs}
    assert len(plan.pairs) == len(freed) == 2
    assert [duty.needless for duty in course.duties(ANN)] == [True, True]
    assert course.waiting(ANN)["reviews"] == 0
    course.set_aside(PROF, eight["ann"], Restore(), seen=None)
    assert course.plan("river", seed=2).pairs == ()


def test_a_plan_around_pairs_of_somebody_who_left_the_class_is_made(course: Course, eight: dict[str, str]) -> None:
    for person in (ANN, BOB, CYD):
        leaves(course, person)
    plan = course.plan("river", seed=2)
    course.allocate(plan)
    got, gave = counts(course)
    left = [person.id for person in EIGHT if person not in (ANN, BOB, CYD)]
    assert all(got[id] == 2 for id in left)
    assert all(gave[id] <= 3 for id in left)


def test_who_freezes_late_is_woven_in_until_the_reviews_are_due_and_not_after(course: Course, clock: Clock) -> None:
    frozen(course, ANN, BOB, CYD)
    course.extend(PROF, "dot", "river", "freeze_by", REVIEW_BY + timedelta(days=1), "Her site was down.")
    advance_at(course, clock, SELF_BY + GRACE + LATER)
    assert len(allocations(course)) == 6
    clock.now = REVIEW_BY - timedelta(days=2)
    (late,) = frozen(course, DOT).values()
    advance_at(course, clock, REVIEW_BY - timedelta(days=1))
    assert len(reviewers(course, late)) == 2
    leaves(course, next(each for each in STUDENTS if each.id in reviewers(course, late)))
    before = len(allocations(course))
    advance_at(course, clock, REVIEW_BY)
    assert len(allocations(course)) == before


def test_a_revealed_submission_gets_no_new_reviewer(course: Course, eight: dict[str, str]) -> None:
    leaves(course, next(each for each in EIGHT if each.id in reviewers(course, eight["ann"])))
    course.waive(PROF, eight["ann"], "It is time.")
    assert eight["ann"] not in {submission for submission, _ in course.plan("river", seed=2).pairs}


@pytest.mark.parametrize("number", [1, 2])
def test_with_one_or_two_students_the_instructors_own_review_is_offered(course: Course, number: int) -> None:
    made = self_evaluated(course, *STUDENTS[:number])
    plan = course.plan("river")
    assert plan.pairs == ()
    assert "instructor's own review" in plan.relaxed[0]
    course.review_oneself(PROF, made["ann"], levels(), "Rings true.", "Link the log.")
    assert course.dialogue(made["ann"], PROF).stage == "in review"


# -- "I think I know who wrote this"


def test_who_thinks_they_know_the_author_gets_another_submission_and_never_that_one_again(
    course: Course, eight: dict[str, str], clock: Clock
) -> None:
    old, other = allocations(course, by=ANN)
    new = course.pass_on(ANN, old.id)
    mine = {each.id: each.submission for each in allocations(course, by=ANN)}
    assert set(mine) == {other.id, new}
    assert mine[new] not in (old.submission, other.submission, eight["ann"])
    with pytest.raises(Missing):
        course.review(ANN, old.id, levels(), "Mine.", "Mine.")
    advance_at(course, clock, SELF_BY + GRACE + LATER)
    assert len(reviewers(course, old.submission)) == 2
    assert "ann" not in reviewers(course, old.submission)
    assert [row["status"] for row in statuses(course) if row["submission"] == old.submission].count("released") == 1
    assert course.advance() == []


def test_passed_on_twice_by_a_page_that_heard_no_answer_it_is_passed_on_once(
    course: Course, eight: dict[str, str]
) -> None:
    old, _ = allocations(course, by=ANN)
    assert course.pass_on(ANN, old.id) != ""
    assert course.pass_on(ANN, old.id) == ""
    assert len(allocations(course, by=ANN)) == 2
    assert len(course.store.allocations("river", "ann", released=True)) == 3


def test_only_two_submissions_of_a_round_are_passed_on(course: Course, eight: dict[str, str]) -> None:
    for left in (2, 1):
        duty = course.duties(ANN)[0]
        assert duty.passes == left
        course.pass_on(ANN, duty.id)
    duty = course.duties(ANN)[0]
    assert duty.passes == 0
    with pytest.raises(NotAllowed, match="passed on 2 submissions"):
        course.pass_on(ANN, duty.id)


def test_without_another_submission_it_stays_theirs_and_they_are_told(course: Course) -> None:
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    course.pass_on(ANN, course.duties(ANN)[0].id)
    mine = {duty.id for duty in course.duties(ANN)}
    with pytest.raises(NotAllowed, match="no other submission for you"):
        course.pass_on(ANN, course.duties(ANN)[0].id)
    assert {duty.id for duty in course.duties(ANN)} == mine


def sent(course: Course) -> None:
    give(course, ANN)


def shown(course: Course) -> None:
    give(course, *EIGHT)
    course.reveal("river", by=PROF)


def waived(course: Course) -> None:
    for each in allocations(course, by=ANN):
        course.waive(PROF, each.submission, "It is time.")


@pytest.mark.parametrize(
    ("before", "told"), [(sent, "sent this review already"), (shown, "sent this"), (waived, "too late")]
)
def test_what_is_sent_or_revealed_stays(
    course: Course, eight: dict[str, str], before: Callable[[Course], None], told: str
) -> None:
    before(course)
    duty = course.duties(ANN)[0]
    assert duty.passes == 0
    with pytest.raises(NotAllowed, match=told):
        course.pass_on(ANN, duty.id)


def test_nobody_passes_on_what_they_may_not_read_yet_or_what_is_not_theirs(course: Course) -> None:
    frozen(course)
    course.allocate(course.plan("river", seed=1))
    with pytest.raises(NotAllowed, match="self-evaluation first"):
        course.pass_on(ANN, course.duties(ANN)[0].id)
    with pytest.raises(Missing):
        course.pass_on(ANN, course.duties(BOB)[0].id)


def test_where_authors_are_open_there_is_nothing_to_guess(sqlite_store: Store, clock: Clock) -> None:
    course = a_course(sqlite_store, clock, mode="open")
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    with pytest.raises(NotAllowed, match="nothing to guess"):
        course.pass_on(ANN, course.duties(ANN)[0].id)


# -- one more


def test_who_gave_all_they_owe_may_take_what_a_dropout_left(
    course: Course, eight: dict[str, str], clock: Clock
) -> None:
    """Bob reviews nothing; after the date what is short is handed over, and goes on by a willing peer."""
    give(course, *(person for person in EIGHT if person != BOB))
    advance_at(course, clock, REVIEW_BY + GRACE + LATER)
    short = {each.submission for each in allocations(course, by=BOB)}
    assert {course.dialogue(id, PROF).stage for id in short} == {"with instructor"}
    willing = next(each for each in EIGHT if each != BOB and not short & {eight[each.id], *theirs(course, each)})
    assert course.offers(willing, "river") == 2
    taken = course.take_more(willing, "river", seen=2)
    assert course.take_more(willing, "river", seen=2) == ""
    with pytest.raises(NotAllowed, match="that you owe first"):
        course.take_more(willing, "river")
    course.review(willing, taken, levels(), "Rings true.", "Link the log.")
    course.advance()
    assert sorted(course.dialogue(id, PROF).stage for id in short) == ["revealed", "with instructor"]
    assert course.offers(willing, "river") == 1


def theirs(course: Course, person: Person) -> set[str]:
    return {each.submission for each in allocations(course, by=person)}


def test_nothing_is_offered_while_one_owes_or_while_nothing_lacks(course: Course, eight: dict[str, str]) -> None:
    assert course.offers(ANN, "river") == 0
    give(course, ANN)
    assert course.offers(ANN, "river") == 0
    with pytest.raises(NotAllowed, match="No submission waits"):
        course.take_more(ANN, "river")
    for stranger in (PROF, EVE):
        with pytest.raises(NotAllowed, match="no part in the reviews"):
            course.take_more(stranger, "river")


def test_of_many_who_take_the_last_one_at_once_one_gets_it(course: Course, eight: dict[str, str]) -> None:
    give(course, *(person for person in EIGHT if person != BOB))
    (first, second) = allocations(course, by=BOB)
    course.waive(PROF, second.submission, "It is time.")
    leaves(course, BOB)
    willing = [each for each in EIGHT if course.offers(each, "river")]
    assert len(willing) > 2

    def take(person: Person) -> str:
        try:
            return course.take_more(person, "river", seen=2)
        except ReviewkitError as refused:
            return str(refused)

    with ThreadPoolExecutor(len(willing)) as together:
        answers = list(together.map(take, willing))
    assert sum(answer.startswith("No submission waits") for answer in answers) == len(willing) - 1
    assert len(reviewers(course, first.submission)) == 3  # Bob's, who left, and two that count


# -- the instructor


def test_an_instructor_assigns_whom_the_rules_allow_and_hears_what_speaks_against_it(
    course: Course, eight: dict[str, str]
) -> None:
    could = course.could_review(PROF, eight["ann"])
    assert {each.person.id for each in could} == {each.id for each in EIGHT} - {"ann"} - reviewers(course, eight["ann"])
    mutual = {author for submission, author in authors(course).items() if submission in theirs(course, ANN)}
    assert {each.person.id for each in could if each.but == "They would review each other."} == mutual
    assert not could[0].but
    made = course.assign(PROF, eight["ann"], could[0].person.id)
    assert course.assign(PROF, eight["ann"], could[0].person.id) == made
    assert could[0].person.id in reviewers(course, eight["ann"])


def test_the_same_rules_hold_for_what_an_instructor_assigns(course: Course, eight: dict[str, str]) -> None:
    ivo = next(each for each in EIGHT if each not in (ANN,) and each.id not in reviewers(course, eight["ann"]))
    course.store.keep_course(course.setup, [dataclasses.replace(ivo, excluded=("ann",))], [])
    for reviewer, told in (("ann", "theirs"), (ivo.id, "kept apart"), ("eve", "no student"), ("prof", "no student")):
        with pytest.raises(NotAllowed, match=told):
            course.assign(PROF, eight["ann"], reviewer)
    old = allocations(course, by=BOB)[0]
    course.pass_on(BOB, old.id)
    with pytest.raises(NotAllowed, match="passed this submission on"):
        course.assign(PROF, old.submission, "bob")
    for who in (ANN, EVE):
        with pytest.raises(NotAllowed, match="Only an instructor"):
            course.assign(who, eight["ann"], "bob")
        with pytest.raises(NotAllowed, match="Only an instructor"):
            course.could_review(who, eight["ann"])
    course.waive(PROF, eight["dot"], "It is time.")
    free = next(each.id for each in EIGHT if each.id not in ("dot", *reviewers(course, eight["dot"])))
    with pytest.raises(NotAllowed, match="takes no more reviews"):
        course.assign(PROF, eight["dot"], free)


def test_more_time_brings_what_was_handed_over_back_into_review(
    course: Course, eight: dict[str, str], clock: Clock
) -> None:
    advance_at(course, clock, REVIEW_BY + timedelta(days=1))
    owing = reviewers(course, eight["ann"])
    until = REVIEW_BY + timedelta(days=4)
    assert {each.id for each in course.give_time(PROF, eight["ann"], until, "A slow week.")} == owing
    assert course.dialogue(eight["ann"], PROF).stage == "in review"
    assert course.advance() == []
    for person in EIGHT:
        if person.id in owing:
            duty = next(each for each in course.duties(person) if each.due == until)
            course.review(person, duty.id, levels(), "Rings true.", "Link the log.")
    assert all(
        not turn.what.late  # type: ignore[union-attr]  # a review
        for id in eight.values()
        for turn in course.store.dialogue(id).turns
        if turn.kind == "review"
    )


def test_more_time_that_was_half_given_when_the_machine_stopped_is_given_whole_the_next_time(
    course: Course, eight: dict[str, str], clock: Clock
) -> None:
    advance_at(course, clock, REVIEW_BY + timedelta(days=1))
    until = REVIEW_BY + timedelta(days=4)
    for reviewer in reviewers(course, eight["ann"]):
        course.extend(PROF, reviewer, "river", "review_by", until, "A slow week.")
    course.give_time(PROF, eight["ann"], until, "A slow week.")
    assert course.dialogue(eight["ann"], PROF).stage == "in review"


def test_more_time_that_is_given_twice_is_given_once(course: Course, eight: dict[str, str], clock: Clock) -> None:
    until = REVIEW_BY + timedelta(days=4)
    owing = course.give_time(PROF, eight["ann"], until, "A slow week.")
    given = course.setup.extensions
    assert course.give_time(PROF, eight["ann"], until, "A slow week.") == owing
    assert course.setup.extensions == given
    for earlier in (until - timedelta(days=1), REVIEW_BY):
        with pytest.raises(Invalid, match="later than the one they have"):
            course.give_time(PROF, eight["ann"], earlier, "A slow week.")
    assert course.setup.extensions == given


def test_no_time_that_is_over_is_given(course: Course, eight: dict[str, str], clock: Clock) -> None:
    advance_at(course, clock, REVIEW_BY + timedelta(days=1))
    for over in (REVIEW_BY, clock()):
        with pytest.raises(Invalid, match="later than now"):
            course.give_time(PROF, eight["ann"], over, "A slow week.")
    assert course.dialogue(eight["ann"], PROF).stage == "with instructor"
    assert course.setup.extensions == ()


def test_more_time_needs_a_reason_and_somebody_who_owes(course: Course, eight: dict[str, str], clock: Clock) -> None:
    with pytest.raises(NotAllowed, match="Only an instructor"):
        course.give_time(ANN, eight["ann"], REVIEW_BY + timedelta(days=2), "Please.")
    with pytest.raises(Invalid, match="why"):
        course.give_time(PROF, eight["ann"], REVIEW_BY + timedelta(days=2), " ")
    give(course, *EIGHT)
    with pytest.raises(NotAllowed, match="Nobody owes"):
        course.give_time(PROF, eight["ann"], REVIEW_BY + timedelta(days=2), "A slow week.")
    assert course.setup.extensions == ()


# -- exports, and the setting


def test_an_export_tells_how_far_each_allocation_is(course: Course, eight: dict[str, str], clock: Clock) -> None:
    def status(each: Allocation) -> str:
        (row,) = [row for row in statuses(course) if row["pseudonym"] == each.pseudonym]
        return row["status"]

    first = allocations(course, by=ANN)[0]
    assert status(first) == "owed"
    course.duty(ANN, first.id)
    assert status(first) == "opened"
    give(course, ANN)
    assert status(first) == "given"
    passed = allocations(course, by=BOB)[0]
    course.pass_on(BOB, passed.id)
    assert status(passed) == "released"
    clock.now = REVIEW_BY + GRACE + LATER
    give(course, BOB)
    assert {status(each) for each in allocations(course, by=BOB)} == {"late"}
    left = allocations(course, by=DOT)[0]
    leaves(course, DOT)
    assert status(left) == "dropped"


def test_reviewing_before_ones_own_self_evaluation_can_be_allowed(course: Course) -> None:
    frozen(course)
    course.allocate(course.plan("river", seed=1))
    assert all(duty.locked for duty in course.duties(ANN))
    setup = course.setup
    reviews = dataclasses.replace(setup.reviews, own_first=False)
    course.store.change_setup(lambda setup: dataclasses.replace(setup, reviews=reviews))
    assert not any(duty.locked for duty in course.duties(ANN))
    give(course, ANN)
    assert course.waiting(ANN)["reviews"] == 0


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_pattern_of_dropouts_nothing_is_in_review_a_day_after_the_date(
    course: Course, eight: dict[str, str], clock: Clock, seed: int
) -> None:
    chance = Random(seed)
    for person in EIGHT:
        for duty in course.duties(person):
            if chance.random() < 0.5:
                course.review(person, duty.id, levels(), "Rings true.", "Link the log.")
    advance_at(course, clock, REVIEW_BY + timedelta(days=1))
    assert {course.dialogue(id, PROF).stage for id in eight.values()} <= {"revealed", "with instructor"}
    assert course.advance() == []


def test_a_self_evaluation_that_never_came_keeps_nothing_in_review(course: Course, clock: Clock) -> None:
    made = frozen(course)
    course.self_evaluate(ANN, made["ann"], a_self_evaluation(), seen=1)
    advance_at(course, clock, REVIEW_BY + timedelta(days=1))
    assert {course.dialogue(id, PROF).stage for id in made.values()} == {"with instructor"}
