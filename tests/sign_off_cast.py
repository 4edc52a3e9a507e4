"""What tests of Sign-off share: a round that waits for Prof, what the page sends, and how far each submission is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import Answer, Person
from reviewkit.store import Store
from tests.cast import (
    ANN,
    PROF,
    STUDENTS,
    TIA,
    Clock,
    a_course,
    a_self_evaluation,
    frozen,
    levels,
    rested,
    self_evaluated,
)
from tests.pages import Window

INES = replace(PROF, id="second", name="Prof. Ines Kumar", email="kumar@college.example")
GRADES = {"ann": "78", "bob": "74", "cyd": "95", "dot": "75"}
"""Peers give everybody 75: Cyd is far apart, the others are close."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def at_sign_off(course: Course) -> dict[str, str]:
    """Everybody has evaluated, reviewed and answered: all wait for Prof; person -> submission."""
    made = frozen(course)
    for person in STUDENTS:
        course.self_evaluate(person, made[person.id], a_self_evaluation(GRADES[person.id]), seen=1)
    course.allocate(course.plan("river", seed=1))
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), f"Fine rings, says {person.name}.", "Show the log.")
    course.reveal("river", by=PROF)
    for person in STUDENTS:
        for review in [turn for turn in course.dialogue(made[person.id], person).turns if turn.kind == "review"]:
            seen = len(course.dialogue(made[person.id], person).turns)
            course.answer(person, made[person.id], Answer(review=review.id, text="Fair."), seen=seen)
    return made


@pytest.fixture
def made(course: Course) -> dict[str, str]:
    return at_sign_off(course)


def sign_off(course: Course, **params: str) -> dict[str, Any]:
    return screens.view(course, PROF, "sign-off", params)


def act(course: Course, viewer: Person = PROF, /, **event: Any) -> dict[str, Any]:
    """What a page is answered; an accept has rested by then (what happens meanwhile: test_outbox)."""
    reply = screens.act(course, viewer, "sign-off", event)
    if course.resting(viewer):
        rested(course)
    return reply


def detail(course: Course, made: dict[str, str], person: Person) -> dict[str, Any]:
    found: dict[str, Any] = sign_off(course, open=made[person.id])["detail"]
    return found


def an_accept(course: Course, made: dict[str, str], person: Person, **changes: Any) -> dict[str, Any]:
    seen = detail(course, made, person)["seen"]
    event = {"type": "accept", "submission": made[person.id], "seen": seen, "grade": GRADES[person.id]}
    return event | {"request": f"accept-{person.id}"} | changes


def a_discuss(course: Course, made: dict[str, str], person: Person, **changes: Any) -> dict[str, Any]:
    seen = detail(course, made, person)["seen"]
    judgements = [{"criterion": "claim", "level": 2}, {"criterion": "evidence", "level": 1, "note": "The log is shut."}]
    event = {"type": "discuss", "submission": made[person.id], "seen": seen, "grade": "70", "judgements": judgements}
    return event | {"word": "I read the evidence lower.", "request": f"discuss-{person.id}"} | changes


def line_of(view: dict[str, Any], person: Person) -> dict[str, Any]:
    return next(line for line in view["lines"] if line["name"] == person.name)


def stage(course: Course, made: dict[str, str], person: Person) -> str:
    return course.dialogue(made[person.id], PROF).stage


def said(course: Course, made: dict[str, str], person: Person, kind: str, **words: Any) -> dict[str, Any]:
    """An event of the pane or of its menu, as a page that has just looked sends it."""
    seen = detail(course, made, person)["seen"]
    event = {"type": kind, "submission": made[person.id], "seen": seen, "request": f"{kind} {person.id} {words}"}
    return act(course, **event, params={"open": made[person.id]}, **words)


def offered(course: Course, made: dict[str, str], person: Person = ANN) -> tuple[set[str], set[str]]:
    """What the pane offers, and what its menu does."""
    opened = detail(course, made, person)
    menu = {each["act"] for each in opened["more"]}
    return set(opened["acts"]), menu | ({"own-review"} if opened["own_review"] else set())


def in_review(course: Course) -> dict[str, str]:
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    return made


def handed_over(course: Course, clock: Clock) -> dict[str, str]:
    made = in_review(course)
    clock.pass_(days=11)
    course.advance()
    return made


@pytest.fixture
def assisted(course: Course, made: dict[str, str]) -> dict[str, str]:
    course.store.keep_course(course.setup, [TIA, INES], [])
    return made


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []
