"""Undo is time: an accept rests ten seconds on the server, can be taken back until then, and is written once."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.course import Course, Line
from reviewkit.errors import Conflict, Invalid, NotAllowed, StoreError
from reviewkit.model import Accept, Discuss, Person, Waiting
from reviewkit.store import Store
from tests.cast import ANN, BOB, CYD, PROF, TIA, Clock, a_course
from tests.pages import Window
from tests.sign_off_cast import GRADES, INES, at_sign_off

SAID = Accept(grade="78", text="Well argued.", recognised=("Clear evidence",))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


@pytest.fixture
def made(course: Course) -> dict[str, str]:
    return at_sign_off(course)


def seen(course: Course, submission: str) -> int:
    return len(course.dialogue(submission, PROF).turns)


def rest(course: Course, submission: str, request: str = "one", said: Accept = SAID, who: Person = PROF) -> Waiting:
    drafts = [(who.id, f"sign-off:{submission}")]
    return course.accept_later(who, submission, said, seen=seen(course, submission), request=request, drafts=drafts)


def kinds(course: Course, submission: str) -> list[str]:
    return [turn.kind for turn in course.store.dialogue(submission).turns]


def table(course: Course) -> list[Line]:
    return course.class_table(PROF, course.assignment("river"))


def stage(course: Course, submission: str) -> str:
    return course.dialogue(submission, PROF).stage


def type_(course: Course, submission: str) -> None:
    course.keep_draft(PROF, f"sign-off:{submission}", 1, {"word": "Well argued."})


# -- the rest


def test_an_accept_rests_ten_seconds_and_is_then_agreed_and_signed(
    course: Course, made: dict[str, str], clock: Clock
) -> None:
    type_(course, made["ann"])
    rest(course, made["ann"])
    clock.pass_(seconds=9)
    assert course.flush() == []
    assert stage(course, made["ann"]) == "with instructor"
    assert course.draft(PROF, f"sign-off:{made['ann']}") is not None
    clock.pass_(seconds=1)
    assert len(course.flush()) == 1
    assert kinds(course, made["ann"])[-2:] == ["accept", "sign-off"]
    assert course.resting(PROF) == {}
    assert course.draft(PROF, f"sign-off:{made['ann']}") is None, "what was typed is sent"
    assert course.flush() == []


def test_what_was_taken_back_is_never_written_and_the_words_are_kept(
    course: Course, made: dict[str, str], clock: Clock
) -> None:
    type_(course, made["ann"])
    act = rest(course, made["ann"])
    clock.pass_(seconds=9)
    course.take_back(PROF, act.id)
    with pytest.raises(Conflict):
        course.take_back(PROF, act.id)
    clock.pass_(days=1)
    assert course.flush() == []
    assert stage(course, made["ann"]) == "with instructor"
    assert course.draft(PROF, f"sign-off:{made['ann']}") is not None
    assert rest(course, made["ann"], "one").id == act.id
    assert course.resting(PROF) == {}, "the same request, late on its way, does not bring it back"
    rest(course, made["ann"], "two")
    clock.pass_(seconds=10)
    assert len(course.flush()) == 1


def test_what_an_assistant_types_on_meanwhile_was_not_sent_and_is_kept(
    course: Course, made: dict[str, str], clock: Clock
) -> None:
    course.store.keep_course(course.setup, [TIA], [])
    forms = {id: f"staff:{made[id]}" for id in ("ann", "bob")}
    for id, form in forms.items():
        course.keep_draft(TIA, form, 1, {"word": "Fine."})
        submission = made[id]
        grade = next(line.self_grade for line in table(course) if line.submission == submission)
        course.accept_later(
            PROF, submission, Accept(grade=grade), seen=seen(course, submission), drafts=[(TIA.id, form)]
        )
    clock.pass_(seconds=5)
    course.keep_draft(TIA, forms["ann"], 2, {"word": "Fine. One thing more."}, after=1)
    clock.pass_(seconds=5)
    assert len(course.flush()) == 2
    assert (kept := course.draft(TIA, forms["ann"]))
    assert kept.content == {"word": "Fine. One thing more."}
    assert course.draft(TIA, forms["bob"]) is None


def test_only_its_own_person_takes_an_act_back(course: Course, made: dict[str, str]) -> None:
    act = rest(course, made["ann"])
    for other in (ANN, INES):
        with pytest.raises(Conflict):
            course.take_back(other, act.id)
    assert list(course.resting(PROF)) == [made["ann"]]


def test_it_is_asked_at_once_whether_it_may_be_done(course: Course, made: dict[str, str]) -> None:
    submission = made["ann"]
    with pytest.raises(NotAllowed):
        course.accept_later(ANN, submission, SAID, seen=seen(course, submission))
    with pytest.raises(Conflict):
        course.accept_later(PROF, submission, SAID, seen=1)
    with pytest.raises((Invalid, NotAllowed)):
        rest(course, submission, said=Accept(grade="12"))
    rest(course, submission)
    with pytest.raises(Conflict, match="already"):
        rest(course, submission, "another window")
    assert len(course.resting(PROF)) == 1


def test_when_somebody_wrote_meanwhile_the_person_is_told_and_keeps_their_words(
    course: Course, made: dict[str, str], clock: Clock
) -> None:
    submission = made["ann"]
    type_(course, submission)
    rest(course, submission)
    course.discuss(PROF, submission, Discuss(text="Wait."), seen=None)
    clock.pass_(seconds=10)
    assert course.flush() == []
    assert kinds(course, submission)[-1] == "discuss", "nothing was written"
    assert course.resting(PROF)[submission].refused.startswith("Somebody wrote here")
    assert course.draft(PROF, f"sign-off:{submission}") is not None
    assert course.flush() == [], "it is not tried again by itself"
    rest(course, submission, "again")
    assert not course.resting(PROF)[submission].refused
    clock.pass_(seconds=10)
    course.flush()
    assert stage(course, submission) == "signed"


def test_one_bad_act_holds_up_no_other(course: Course, made: dict[str, str], clock: Clock) -> None:
    rest(course, made["ann"])
    rest(course, made["bob"], said=Accept(grade=GRADES["bob"]))
    course.discuss(PROF, made["ann"], Discuss(text="Wait."), seen=None)
    clock.pass_(seconds=10)
    assert len(course.flush()) == 1
    assert stage(course, made["bob"]) == "signed"


class Killed(BaseException):
    """Nothing more is done."""


@pytest.mark.parametrize("where", ["begin", "say", "done"])
def test_killed_at_any_point_it_is_done_once(
    course: Course, made: dict[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    act = rest(course, made["ann"])
    clock.pass_(seconds=10)
    real = getattr(course.store, where)

    def die(*said: Any, **named: Any) -> Any:
        if where == "begin":
            real(*said, **named)
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(course.store, where, die)
        with pytest.raises(Killed):
            course.flush()
    with pytest.raises(Conflict):
        course.take_back(PROF, act.id)
    assert course.flush() == [act.id]
    assert kinds(course, made["ann"]).count("accept") == 1
    assert stage(course, made["ann"]) == "signed"


def test_a_store_that_is_away_refuses_nothing(
    course: Course, made: dict[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise StoreError("The database is away.")

    act = rest(course, made["ann"])
    clock.pass_(seconds=10)
    with monkeypatch.context() as broken:
        broken.setattr(course.store, "say", away)
        with pytest.raises(StoreError):
            course.flush()
    assert course.flush() == [act.id]


# -- on the page


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []


def act(course: Course, **event: Any) -> dict[str, Any]:
    return screens.act(course, PROF, "sign-off", event)


def test_many_that_were_accepted_are_taken_back_together(course: Course, made: dict[str, str], clock: Clock) -> None:
    chosen = [{"submission": made[person.id], "grade": GRADES[person.id]} for person in (ANN, BOB)]
    reply = act(course, type="bulk-accept", assignment="river", chosen=chosen, request="bulk")
    view = screens.view(course, PROF, "sign-off", {"open": made["ann"]})
    assert {each["grade"] for each in view["resting"]} == {"78", "74"}
    hints = {line["submission"]: (line["hint"], line["selectable"]) for line in view["lines"]}
    assert hints[made["ann"]] == ("Accepting", False)
    assert hints[made["dot"]][1]
    assert act(course, type="take-back", acts=reply["acts"])["late"] == 0
    assert not act(course, type="take-back", acts=reply["acts"])["ok"]
    clock.pass_(seconds=10)
    assert course.flush() == []


def test_nobody_else_reads_what_rests(course: Course, made: dict[str, str]) -> None:
    rest(course, made["ann"])
    assert "resting" not in screens.view(course, ANN, "my-work", {})
    assert course.resting(ANN) == course.resting(CYD) == {}


@pytest.mark.browser
def test_undo_is_offered_until_the_rest_is_over_also_after_a_reload_and_in_another_window(
    window: Window, course: Course, made: dict[str, str], clock: Clock
) -> None:
    params = {"assignment": "river", "open": made["ann"]}
    page = window.open("sign-off", PROF, params=params)
    page["field-word"].fill("Well argued.")
    page["accept"].click()
    page["dialog-confirm"].click()
    expect(page["toast"]).to_contain_text("Accepting 78 for Ann Lindqvist.")
    expect(page["resting"]).to_contain_text("Accepting 78")
    assert page["accept"].count() == 0
    again = window.open("sign-off", PROF, params=params)
    expect(again["resting"]).to_contain_text("Accepting 78")
    again["take-back"].click()
    expect(again["toast"]).to_contain_text("Taken back")
    expect(again["accept"]).to_be_visible()
    expect(again["field-word"]).to_have_value("Well argued.")
    assert course.resting(PROF) == {}
    again["accept"].click()
    again["dialog-confirm"].click()
    expect(again["resting"]).to_be_visible()
    course.discuss(PROF, made["ann"], Discuss(text="Wait."), seen=None)
    clock.pass_(seconds=10)
    course.flush()
    told = window.open("sign-off", PROF, params=params)
    expect(told["refused"]).to_contain_text("What you wrote is kept.")
    told["put-away"].click()
    expect(told["refused"]).to_have_count(0)
