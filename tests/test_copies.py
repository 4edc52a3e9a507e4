"""Masked copies in a course: what authors hide, what reviewers read, whom a text names, and who is told of it."""

import json
from typing import Any

import pytest

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import Invalid, Missing, NotAllowed
from reviewkit.masking import AUTHOR, CLASSMATE, HIDDEN, SITE
from reviewkit.model import Answer, Discuss, Mode, Person
from reviewkit.screens.naming import SPEAKS
from reviewkit.store import Store
from tests.cast import ANN, BOB, EVE, PROF, STUDENTS, Clock, a_course, answered, levels, self_evaluated


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def allocated(course: Course) -> dict[str, str]:
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    return made


def reviewers(course: Course, submission: str) -> list[tuple[Person, str]]:
    """Who reviews a submission, each with the id of their duty."""
    people = {person.id: person for person in STUDENTS}
    return [(people[each.reviewer], each.id) for each in course.store.allocations() if each.submission == submission]


def act(course: Course, who: Person, screen: str, **event: Any) -> dict[str, Any]:
    return screens.act(course, who, screen, {"request": "once", **event})


# -- what an author sees and hides -----------------------------------------------------------------------------------


def test_an_author_reads_what_reviewers_will_read_before_anything_is_frozen(course: Course) -> None:
    post = course.candidates(ANN, course.assignment("river"))[0]
    (copy,) = course.masked_posts(ANN, [post.id])
    assert f"I am {AUTHOR}." in copy.text
    assert f"my map {SITE}" in copy.text
    assert copy.link == ""
    assert copy.published is None


def test_what_an_author_previews_is_what_a_reviewer_reads(course: Course) -> None:
    made = allocated(course)
    course.hide_words(ANN, ["gauge"])
    reviewer, duty = reviewers(course, made["ann"])[0]
    assert course.masked_copy(ANN, made["ann"]) == course.duty(reviewer, duty).posts
    assert f"The {HIDDEN} was silent" in course.duty(reviewer, duty).posts[0].text


def test_nobody_previews_the_work_of_others(course: Course) -> None:
    made = allocated(course)
    with pytest.raises(Missing):
        course.masked_copy(BOB, made["ann"])
    with pytest.raises(Missing):
        course.masked_posts(BOB, [course.posts(ANN)[0].id])


def test_a_copy_that_was_opened_stays_as_it_was_read(course: Course, clock: Clock) -> None:
    made = allocated(course)
    (first, early), (second, late) = reviewers(course, made["ann"])
    before = course.duty(first, early).posts
    clock.pass_(hours=1)
    course.hide_words(ANN, ["gauge"])
    clock.pass_(hours=1)
    assert course.duty(first, early).posts == before
    assert HIDDEN not in before[0].text
    assert HIDDEN in course.duty(second, late).posts[0].text


def test_words_to_hide_are_tidied_and_bounded(course: Course) -> None:
    assert course.hide_words(ANN, ["  the   lifeboat ", "Nan", "Nan", ""]) == ("the lifeboat", "Nan")
    assert course.hidden_words(ANN) == ("Nan", "the lifeboat")
    assert course.hidden_words(BOB) == ()
    for wrong, words in {
        "two letters": ["-"],
        "60 characters": ["x" * 61],
        "course's tag": ["#DataStories"],
        "20 words": [f"word {number}" for number in range(21)],
    }.items():
        with pytest.raises(Invalid, match=wrong):
            course.hide_words(ANN, words)
    assert course.hidden_words(ANN) == ("Nan", "the lifeboat")


def test_the_instructor_and_the_author_see_what_was_replaced_and_how_often(course: Course) -> None:
    made = allocated(course)
    for viewer in (PROF, ANN):
        replaced = dict(course.replaced(viewer, made["ann"]))
        assert replaced["Ann Lindqvist"] == 1
        assert replaced["https://inkwren.example/map"] == 1
    for viewer in (BOB, EVE):
        with pytest.raises(NotAllowed):
            course.replaced(viewer, made["ann"])


@pytest.mark.parametrize("mode", ["reviewers-hidden", "open"])
def test_where_authors_are_no_secret_nothing_is_masked_and_no_page_says_so(sqlite_store: Store, mode: Mode) -> None:
    course = a_course(sqlite_store, Clock(), mode=mode)
    made = allocated(course)
    reviewer, duty = reviewers(course, made["ann"])[0]
    assert ANN.name in course.duty(reviewer, duty).posts[0].text
    assert course.replaced(PROF, made["ann"]) == ()
    assert screens.view(course, ANN, "my-work", {"submission": made["ann"]})["masked"] is False
    assert screens.view(course, reviewer, "reviews", {"open": duty})["duty"]["masked"] == ""
    refused = act(course, ANN, "my-work", type="preview", submission=made["ann"])
    assert "no masked copy" in refused["error"]["message"]


def test_no_page_promises_more_than_a_mask(course: Course) -> None:
    made = allocated(course)
    told = act(course, ANN, "my-work", type="preview", submission=made["ann"])["preview"]
    reviewer, duty = reviewers(course, made["ann"])[0]
    for shown in (told, screens.view(course, reviewer, "reviews", {"open": duty})):
        assert "masked" in json.dumps(shown)
        assert "anonym" not in json.dumps(shown).casefold()


def test_the_page_previews_and_hides(course: Course) -> None:
    made = allocated(course)
    event = {"submission": made["ann"], "params": {"submission": made["ann"]}}
    first = act(course, ANN, "my-work", type="preview", **event)["preview"]
    assert first["words"] == []
    second = act(course, ANN, "my-work", type="hide", words=["gauge"], **event)
    assert second["preview"]["words"] == ["gauge"]
    assert HIDDEN in second["preview"]["copies"][0]["html"]
    refused = act(course, ANN, "my-work", type="hide", words=["datastories"], **event)
    assert refused["error"]["field"] == "hide"


# -- what is read without the names ----------------------------------------------------------------------------------


def told_to(course: Course, viewer: Person, duty: str) -> str:
    return json.dumps([turn.what.__dict__ for turn in course.duty(viewer, duty).others], default=str)


def test_names_in_blind_reviews_and_answers_are_replaced_for_those_who_must_not_know(course: Course) -> None:
    made = allocated(course)
    (first, one), (second, other) = reviewers(course, made["ann"])
    third = next(each for each in STUDENTS if each not in (ANN, first, second))
    words = f"I am {first.name}; {second.name} and {third.name} say so too, Ann."
    course.review(first, one, levels(), words, "More.")
    course.review(second, other, levels(), "Fine.", "More.")
    course.reveal("river", by=PROF)
    seen = [turn for turn in course.dialogue(made["ann"], ANN).turns if turn.kind == "review"]
    (review,) = [turn for turn in seen if "say so" in turn.what.strengths]  # type: ignore[union-attr]
    assert review.what.strengths == f"I am [reviewer]; {CLASSMATE} and {CLASSMATE} say so too, Ann."  # type: ignore[union-attr]
    # A peer of the same submission must not learn its author either.
    assert f"[reviewer]; {second.name} and {CLASSMATE} say so too, {AUTHOR}." in told_to(course, second, other)
    thanks = Answer(review=review.id, text=f"Thank you {first.name}, as {third.name} said. Yours, Ann Lindqvist")
    course.answer(ANN, made["ann"], thanks, seen=len(course.dialogue(made["ann"], ANN).turns))
    assert f"as {CLASSMATE} said. Yours, {AUTHOR}" in told_to(course, first, one)


def test_an_instructors_own_review_does_not_tell_peers_whose_work_it_is(course: Course) -> None:
    made = allocated(course)
    for reviewer, duty in reviewers(course, made["ann"]):
        course.review(reviewer, duty, levels(), "Fine.", "More.")
    course.review_oneself(PROF, made["ann"], levels(), "Well done, Ann.", "Go on.")
    course.reveal("river", by=PROF)
    reviewer, duty = reviewers(course, made["ann"])[0]
    assert f"Well done, {AUTHOR}." in told_to(course, reviewer, duty)
    seen = [turn.what for turn in course.dialogue(made["ann"], ANN).turns if turn.kind == "review"]
    assert "Well done, Ann." in json.dumps([each.__dict__ for each in seen], default=str)


# -- before somebody is named ----------------------------------------------------------------------------------------


def test_names_in_a_text_are_those_of_the_class_and_ones_own(course: Course) -> None:
    assert course.names_in(BOB, "Bob and Ann Lindqvist, see inkwren.example") == ("Bob", "Ann Lindqvist")
    assert course.names_in(BOB, "Bob and Ann", own=False, known=["ann"]) == ()
    assert course.names_in(BOB, f"{PROF.name} and nobody else") == ()


def sending(course: Course, who: Person, duty: str, text: str, **more: Any) -> dict[str, Any]:
    judgements = [{"criterion": each.criterion, "level": each.level, "quote": "Ann says so."} for each in levels()]
    texts = {"strengths": text, "suggestions": "More."}
    return act(course, who, "reviews", type="send", id=duty, judgements=judgements, **texts, **more)


def test_a_reviewer_is_asked_before_a_name_is_sent_and_may_send_it_all_the_same(course: Course) -> None:
    made = allocated(course)
    reviewer, duty = reviewers(course, made["ann"])[0]
    text = f"Signed, {reviewer.name}."
    asked = sending(course, reviewer, duty, text)
    assert asked["ok"] is False
    assert asked["named"]["words"] == [reviewer.name]
    assert asked["named"]["title"] == "Your text names you. Send it all the same?"
    other = sending(course, reviewer, duty, f"{text} And {ANN.name}.")
    assert other["named"]["title"] == "Your text names somebody of the class. Send it all the same?"
    assert course.duty(reviewer, duty).mine is None
    assert sending(course, reviewer, duty, text, sure=True)["ok"]
    assert course.duty(reviewer, duty).mine is not None


def test_nobody_is_asked_about_a_text_that_names_nobody_or_a_sentence_of_the_post(course: Course) -> None:
    made = allocated(course)
    reviewer, duty = reviewers(course, made["ann"])[0]
    assert sending(course, reviewer, duty, "Fine rings.")["ok"]


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        ("double-blind", {"reviewer", "author", "other"}),
        ("reviewers-hidden", {"reviewer", "other"}),
        ("open", set[str]()),
    ],
)
def test_who_is_a_secret_decides_what_is_asked(sqlite_store: Store, mode: Mode, asked: set[str]) -> None:
    course = a_course(sqlite_store, Clock(), mode=mode)
    made = allocated(course)
    reviewer, duty = reviewers(course, made["ann"])[0]
    other = next(each for each in STUDENTS if each not in (ANN, reviewer))
    names = {"reviewer": reviewer.name, "author": ANN.name, "other": other.name}
    found = {who for who, name in names.items() if course.names_sent(reviewer, f"It is {name}.", duty=duty)}
    assert found == asked


def test_an_author_is_asked_about_classmates_and_about_their_own_name_only_in_an_answer(course: Course) -> None:
    made = answered(course)
    assert course.names_sent(ANN, "I, Ann, and Bob", submission=made["ann"]) == ("Bob",)
    assert set(course.names_sent(ANN, "I, Ann, and Bob", submission=made["ann"], answer=True)) == {"Ann", "Bob"}
    said = {"accepts": False, "text": "Bob was unfair.", "proposal": None}
    course.discuss(PROF, made["ann"], Discuss(text="Why?"), seen=None)
    event = {"submission": made["ann"], "seen": len(course.dialogue(made["ann"], ANN).turns), "said": said}
    assert act(course, ANN, "my-work", type="reply", **event)["named"]["words"] == ["Bob"]
    assert act(course, ANN, "my-work", type="reply", **event, sure=True)["ok"]


def test_an_instructor_may_call_the_author_by_name_and_is_asked_about_others(course: Course) -> None:
    made = answered(course)
    assert course.names_sent(PROF, "Dear Ann Lindqvist", submission=made["ann"]) == ()
    assert course.names_sent(PROF, "Bob is right, Ann", submission=made["ann"]) == ("Bob",)
    assert course.names_sent(PROF, "Well done, Ann", submission=made["ann"], review=True) == ("Ann",)


def test_what_is_refused_anyway_asks_nothing(course: Course) -> None:
    made = allocated(course)
    _, duty = reviewers(course, made["ann"])[0]
    told = sending(course, ANN, duty, "I am Ann.")
    assert "named" not in told
    assert told["error"]["message"] == "There is no such review for you to give."


def test_every_event_that_asks_first_is_one_of_its_screen() -> None:
    for screen, kinds in SPEAKS.items():
        assert set(kinds) <= set(screens.screen_of(screen).HANDLERS), screen
