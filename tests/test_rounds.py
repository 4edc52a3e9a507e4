"""Rounds and time: what the dates ask for, their grace, more time for one person, a date that is moved."""

import dataclasses
import json
from datetime import timedelta

import pytest

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import Conflict, Invalid, NotAllowed
from reviewkit.model import Feed, Person
from reviewkit.remote import LARGEST
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    EVE,
    MONDAY,
    PROF,
    STUDENTS,
    TIA,
    Clock,
    a_course,
    a_post,
    a_self_evaluation,
    levels,
)

GRACE = timedelta(minutes=10)
FREEZE_BY = MONDAY + timedelta(days=3)
SELF_BY = MONDAY + timedelta(days=5)
REVIEW_BY = MONDAY + timedelta(days=10)
ANSWER_BY = MONDAY + timedelta(days=14)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def choose(course: Course, who: Person) -> str:
    (post, *_) = course.candidates(who, course.assignment("river"))
    return course.freeze(who, "river", [post.id])


def submissions(course: Course) -> dict[str, str]:
    return {each.person: each.id for each in course.store.submissions("river")}


def stages(course: Course) -> set[str]:
    return {course.dialogue(id, PROF).stage for id in submissions(course).values()}


def in_review(course: Course, clock: Clock) -> dict[str, str]:
    """All have chosen and evaluated in time, and the schedule has allocated."""
    for person in STUDENTS:
        course.self_evaluate(person, choose(course, person), a_self_evaluation(), seen=1)
    clock.now = SELF_BY + GRACE + timedelta(seconds=1)
    course.advance()
    return submissions(course)


def give_reviews(course: Course, *people: Person) -> None:
    for person in people:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(2, 2), "Rings true.", "Link the log.")


def test_what_is_chosen_within_the_grace_counts_and_the_rest_is_frozen_after_it(course: Course, clock: Clock) -> None:
    clock.now = FREEZE_BY + GRACE
    assert course.advance() == []
    choose(course, ANN)
    clock.pass_(seconds=1)
    with pytest.raises(NotAllowed, match="time to choose a post"):
        choose(course, BOB)
    course.advance()
    assert set(submissions(course)) == {"ann", "bob", "cyd", "dot"}
    assert [turn.name for turn in course.dialogue(submissions(course)["bob"], PROF).turns] == ["The course"]


def test_who_has_more_time_chooses_later_and_alone(course: Course, clock: Clock) -> None:
    course.extend(PROF, "ann", "river", "freeze_by", FREEZE_BY + timedelta(days=2), "Her site was down.")
    clock.now = FREEZE_BY + timedelta(days=1)
    course.advance()
    assert set(submissions(course)) == {"bob", "cyd", "dot"}
    choose(course, ANN)
    assert course.assignment("river", BOB).freeze_by == FREEZE_BY
    assert course.assignment("river", ANN).freeze_by == FREEZE_BY + timedelta(days=2)


def test_an_instructor_freezes_for_who_chose_nothing_and_says_why(course: Course, clock: Clock) -> None:
    """Also what came after the date: the author reads the reason, and goes on as if they had chosen it."""
    zoe = Person(id="zoe", name="Zoe Quarterman", feeds=("https://zoe.example/feed",))
    course.store.keep_course(course.setup, [zoe], [])
    feed = Feed(person=zoe.id, url=zoe.feeds[0])
    course.store.keep_pull(feed, [a_post(zoe, days_ago=-4)], seen=clock())  # a day after the date
    clock.now = SELF_BY + GRACE + timedelta(seconds=1)
    course.advance()
    (post,) = [each.id for each in course.posts(zoe)]
    (other,) = [each.id for each in course.posts(ANN)]
    for refused, who, posts, reason in (
        (NotAllowed, ANN, [post], "Hers."),
        (NotAllowed, zoe, [post], "Mine."),
        (NotAllowed, TIA, [post], "Hers."),
        (Invalid, PROF, [], "She wrote to me."),
        (Invalid, PROF, [other], "She wrote to me."),
        (Invalid, PROF, [post], " "),
        (Invalid, PROF, [post], "x" * 20_001),
    ):
        with pytest.raises(refused):
            course.freeze_for(who, "zoe", "river", posts, reason)
    assert "zoe" not in submissions(course)
    made = course.freeze_for(PROF, "zoe", "river", [post], "Her site was down on the day.", request="once")
    assert course.freeze_for(PROF, "zoe", "river", [post], "Her site was down on the day.", request="once") == made
    with pytest.raises(Conflict):
        course.freeze_for(PROF, "zoe", "river", [post], "Again.", request="another")
    (turn,) = course.dialogue(made, zoe).turns
    assert (turn.name, turn.voice, turn.what.reason) == ("Instructor", "teach", "Her site was down on the day.")  # type: ignore[union-attr]
    course.self_evaluate(zoe, made, a_self_evaluation(), seen=1)
    course.advance()
    assert sum(each.submission == made for each in course.store.allocations("river")) == 2


def test_nothing_is_frozen_for_who_left_or_is_no_student(course: Course) -> None:
    course.store.keep_course(course.setup, [dataclasses.replace(ANN, withdrawn=True), EVE], [])
    for who in (ANN, EVE, PROF):
        with pytest.raises(NotAllowed):
            course.freeze_for(PROF, who.id, "river", ["post"], "Because.")


def test_a_review_sent_within_the_grace_is_in_time_and_one_after_it_is_late(course: Course, clock: Clock) -> None:
    made = in_review(course, clock)
    clock.now = REVIEW_BY + GRACE
    give_reviews(course, BOB)
    clock.pass_(seconds=1)
    give_reviews(course, CYD)
    late = {
        turn.by: turn.what.late  # type: ignore[union-attr]  # a review
        for id in made.values()
        for turn in course.store.dialogue(id).turns
        if turn.kind == "review"
    }
    assert late == {"bob": False, "cyd": True}


def test_a_reviewer_with_more_time_is_not_late(course: Course, clock: Clock) -> None:
    made = in_review(course, clock)
    course.extend(PROF, "bob", "river", "review_by", REVIEW_BY + timedelta(days=2), "Ill.")
    clock.now = REVIEW_BY + timedelta(days=1)
    give_reviews(course, BOB)
    assert all(
        not turn.what.late  # type: ignore[union-attr]  # a review
        for id in made.values()
        for turn in course.store.dialogue(id).turns
        if turn.kind == "review"
    )


def test_a_day_after_the_date_nothing_is_in_review_though_nobody_reviewed(course: Course, clock: Clock) -> None:
    in_review(course, clock)
    clock.now = REVIEW_BY + timedelta(days=1)
    course.advance()
    assert stages(course) == {"with instructor"}
    assert course.advance() == []


def test_what_waits_for_a_reviewer_with_more_time_waits_for_them_and_no_longer(course: Course, clock: Clock) -> None:
    in_review(course, clock)
    course.extend(PROF, "bob", "river", "review_by", REVIEW_BY + timedelta(days=2), "Ill.")
    clock.now = REVIEW_BY + timedelta(days=1)
    course.advance()
    assert stages(course) == {"with instructor", "self-evaluated"}
    clock.now = REVIEW_BY + timedelta(days=3)
    course.advance()
    assert stages(course) == {"with instructor"}


def test_a_review_that_comes_after_the_hand_over_makes_the_minimum_and_is_revealed(
    course: Course, clock: Clock
) -> None:
    in_review(course, clock)
    clock.now = REVIEW_BY + timedelta(days=1)
    course.advance()
    give_reviews(course, *STUDENTS)
    course.advance()
    assert stages(course) == {"revealed"}


def test_a_date_is_moved_by_an_instructor_who_hears_whom_it_concerns(course: Course, clock: Clock) -> None:
    choose(course, ANN)
    assert [each.id for each in course.affected("river", "freeze_by")] == ["bob", "cyd", "dot"]
    assert [each.id for each in course.affected("river", "self_by")] == ["ann"]
    told = course.move_date(PROF, "river", "freeze_by", FREEZE_BY + timedelta(days=1))
    assert told == course.affected("river", "freeze_by")
    clock.now = FREEZE_BY + timedelta(hours=12)
    course.advance()
    assert set(submissions(course)) == {"ann"}
    choose(course, BOB)
    for who in (ANN, EVE):
        with pytest.raises(NotAllowed, match="Only an instructor"):
            course.move_date(who, "river", "self_by", SELF_BY)


def test_dates_keep_their_order(course: Course) -> None:
    with pytest.raises(Invalid, match="self_by would come before freeze_by"):
        course.move_date(PROF, "river", "self_by", FREEZE_BY - timedelta(days=1))
    assert course.assignment("river").self_by == SELF_BY


@pytest.mark.parametrize(
    ("until", "reason", "told"),
    [
        (FREEZE_BY, "Her site was down.", "later than now"),
        (MONDAY - timedelta(days=1), "Her site was down.", "later than now"),
        (FREEZE_BY + timedelta(days=1), " ", "why"),
        (FREEZE_BY + timedelta(days=1), "x" * 30_000, "too long"),
    ],
)
def test_more_time_is_more_time_and_has_a_reason(course: Course, until: object, reason: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        course.extend(PROF, "ann", "river", "freeze_by", until, reason)  # type: ignore[arg-type]  # a datetime
    assert course.setup.extensions == ()


def test_a_date_that_is_moved_for_all_leaves_nobody_behind_who_had_more_time_before(course: Course) -> None:
    course.extend(PROF, "ann", "river", "freeze_by", FREEZE_BY + timedelta(hours=12), "Her site was down.")
    later = FREEZE_BY + timedelta(days=1)
    course.move_date(PROF, "river", "freeze_by", later)
    assert course.assignment("river", ANN).freeze_by == later
    course.move_date(PROF, "river", "freeze_by", FREEZE_BY)
    assert course.assignment("river", ANN).freeze_by == FREEZE_BY + timedelta(hours=12), "what was given stays given"


def test_a_terms_posts_are_frozen_as_far_as_a_page_can_show_them_together(course: Course, clock: Clock) -> None:
    course.store.change_setup(
        lambda setup: dataclasses.replace(
            setup, assignments=tuple(dataclasses.replace(each, kind="participation") for each in setup.assignments)
        )
    )
    words = "word " * 50_000
    terms = [
        dataclasses.replace(a_post(ANN, number=number, days_ago=number), html=words, digest=f"{number:064}")
        for number in range(2, 32)
    ]
    course.store.keep_pull(Feed(person=ANN.id, url=ANN.feeds[0]), terms, seen=clock())
    newest = [post.id for post in course.candidates(ANN, course.assignment("river"))]
    with pytest.raises(Invalid, match="too long to be read on one page"):
        course.freeze(ANN, "river", newest)
    clock.now = FREEZE_BY + GRACE + timedelta(seconds=1)
    course.advance()
    chosen = course.submission_of(ANN, course.assignment("river"))
    assert chosen is not None
    assert [each.post for each in chosen.revisions] == newest[: len(chosen.revisions)]
    assert 1 < len(chosen.revisions) < len(newest)
    for who, screen, place in ((PROF, "sign-off", {"open": chosen.id}), (ANN, "my-work", {"submission": chosen.id})):
        assert len(json.dumps(screens.view(course, who, screen, place))) < LARGEST


def test_students_give_themselves_no_time(course: Course) -> None:
    with pytest.raises(NotAllowed):
        course.extend(ANN, "ann", "river", "freeze_by", FREEZE_BY + timedelta(days=1), "Please.")


def test_an_import_of_the_files_keeps_the_time_that_people_were_given(course: Course) -> None:
    from reviewkit.config import Kept, differences, merged

    course.extend(PROF, "ann", "river", "freeze_by", FREEZE_BY + timedelta(days=1), "Her site was down.")
    kept = Kept(setup=course.setup, people=course.people(), rubrics=course.store.rubrics())
    files = dataclasses.replace(kept, setup=dataclasses.replace(course.setup, extensions=()))
    assert merged(files, kept)[0] == course.setup  # type: ignore[arg-type]  # files without a change
    assert differences(files, kept) == [], "and does not say that it takes it away"  # type: ignore[arg-type]  # the same
