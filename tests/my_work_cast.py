"""What tests of My work share: the cast's course, what Ann's page sends, and the stages that it may stand at."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import Browser

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import Accept, Decide, Discuss, Exempt, Person, Proposal, Reopen
from reviewkit.store import Store
from tests.cast import ANN, PROF, Clock, a_course, answered, levels, self_evaluated
from tests.pages import Window

GAUGE = "The gauge was silent in eleven weeks."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def my_work(course: Course, viewer: Person = ANN, **params: str) -> dict[str, Any]:
    return screens.view(course, viewer, "my-work", params)


def act(course: Course, viewer: Person = ANN, /, **event: Any) -> dict[str, Any]:
    return screens.act(course, viewer, "my-work", event)


def judgements(claim: int = 2, evidence: int = 3) -> list[dict[str, Any]]:
    return [
        {"criterion": each.criterion, "level": each.level, "note": each.note, "quote": each.quote}
        for each in levels(claim, evidence)
    ]


def evaluated(submission: str, /, **changes: Any) -> dict[str, Any]:
    event = {"type": "submit", "submission": submission, "seen": 1, "judgements": judgements(), "request": "once"}
    texts = {"strengths": "Two marks.", "improvements": "Link the log.", "grade": "82"}
    return event | texts | {"params": {"submission": submission}} | changes


def discussed(course: Course, *, counter: bool = True) -> dict[str, str]:
    made = answered(course)
    offer = Proposal(grade="78", judgements=levels(2, 2)) if counter else None
    course.discuss(PROF, made["ann"], Discuss(text="One step lower, I think.", counter=offer), seen=None)
    return made


def a_request(said: Any) -> str:
    """The same words make the same request, as they do when a page sends them twice."""
    return sha256(json.dumps(said).encode()).hexdigest()


def replying(course: Course, submission: str, /, **said: Any) -> dict[str, Any]:
    seen = my_work(course, submission=submission)["seen"]
    whole = {"accepts": False, "text": "", "proposal": None} | said
    place = {"submission": submission}
    return act(
        course,
        type="reply",
        **place,
        seen=seen,
        said=whole,
        request=a_request(whole),
        params=place,
    )


def decided(course: Course) -> dict[str, str]:
    made = answered(course)
    seen = len(course.dialogue(made["ann"], PROF).turns)
    course.decide(PROF, made["ann"], Decide(reason="The log stays shut.", grade="70"), seen=seen)
    return made


def signed(course: Course) -> dict[str, str]:
    made = answered(course)
    course.accept(PROF, made["ann"], Accept(grade="82"), seen=None)
    return made


def exempt(course: Course) -> dict[str, str]:
    made = self_evaluated(course)
    course.set_aside(PROF, made["ann"], Exempt(reason="You were ill."), seen=None)
    return made


def reopened(course: Course, reach: Any, to: Any) -> str:
    submission = reach(course)["ann"]
    seen = len(course.dialogue(submission, PROF).turns)
    course.reopen(PROF, submission, Reopen(to=to, reason="The log is open now."), seen=seen)
    return str(submission)


def writing_on(course: Course, submission: str, kind: str, text: str) -> dict[str, Any]:
    place = {"submission": submission, "params": {"submission": submission}}
    seen = my_work(course, submission=submission)["seen"]
    return act(course, type=kind, seen=seen, text=text, request=f"{kind} {text}", **place)


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []
