"""A whole round by keys alone: from a post to a signed grade, with no pointer at any step of anybody's.

Signing in by keys is in `test_sign_in`, the keys of Sign-off's table in `test_screens_sign_off_browser`, the rarer
acts beside the screens that offer them.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from reviewkit.course import Course
from reviewkit.model import Discuss, Reply
from reviewkit.store import Store
from tests.cast import ANN, BOB, CYD, DOT, PROF, Clock, a_course, levels, rested, self_evaluated
from tests.pages import Page, Window

pytestmark = pytest.mark.browser


@pytest.fixture
def course(sqlite_store: Store) -> Course:
    """Everybody but Ann has evaluated their own post."""
    course = a_course(sqlite_store, Clock())
    self_evaluated(course, BOB, CYD, DOT)
    return course


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    window = Window(browser, course)
    yield window
    assert window.close() == []


def write(page: Page, name: str, text: str) -> None:
    """Goes to a field and types into it in place of what it holds."""
    page.tab_to(name)
    page.press("Control+A")
    page.tab.keyboard.type(text)


def press(page: Page, name: str, key: str = "Enter") -> None:
    page.tab_to(name)
    page.press(key)


def confirm(page: Page) -> None:
    """Confirms what a dialog asks. The safe button has the focus first, and afterwards something on the page has it."""
    expect(page["dialog"]).to_be_visible()
    assert page.focused() == "dialog-cancel"
    press(page, "dialog-confirm")
    expect(page["dialog"]).to_have_count(0)
    at_something(page)


def at_something(page: Page) -> None:
    """The focus is on the page: who goes on by keys does not begin at its top again."""
    expect(page.tab.locator(":focus")).to_have_count(1)
    assert page.tab.evaluate("document.activeElement !== document.body")


def chosen(page: Page, criterion: str, rights: int) -> None:
    """The level that is this many to the right of the lowest."""
    press(page, f"level-{criterion}-0", "Space")
    page.press(*["ArrowRight"] * rights)
    expect(page[f"level-{criterion}-{rights}"]).to_be_checked()


def evaluate(page: Page) -> None:
    press(page, "next")
    confirm(page)
    expect(page["step-claim"]).to_have_attribute("aria-current", "step")
    chosen(page, "claim", 2)
    press(page, "choose-claim")
    press(page, "sentence-1")
    expect(page["evidence-claim"]).to_have_text("The gauge was silent in eleven weeks.")
    at_something(page)
    write(page, "field-note-claim", "One claim.")
    press(page, "step-next")
    assert page.focused() == "step-title"
    chosen(page, "evidence", 3)
    press(page, "step-next")
    write(page, "field-strengths", "Two marks.")
    write(page, "field-improvements", "Link the log.")
    write(page, "grade", "82")
    press(page, "submit")
    confirm(page)
    expect(page["dialogue"]).to_contain_text("You proposed 82")


def give_both(page: Page, first: str) -> None:
    for left in (first, ""):
        for criterion in ("claim", "evidence"):
            if page[f"criterion-{criterion}"].get_attribute("open") is None:
                press(page, f"summary-{criterion}")
            chosen(page, criterion, 2)
        write(page, "field-strengths", "The open rings.")
        write(page, "field-suggestions", "Let me open the log.")
        press(page, "send-review")
        confirm(page)
        expect(page["my-review"]).to_contain_text("Let me open the log.")
        expect(page.tab.locator("#your-review")).to_be_focused()
        if left:
            press(page, "next-review")
            expect(page["send-review"]).to_be_visible()
            expect(page.tab.locator("#your-review")).to_be_focused()


def answer_both(page: Page) -> None:
    for left in (1, 0):
        press(page, "rate-specific", "Space")
        write(page, "field-answer", "Fair. It is linked now.")
        press(page, "send-answer")
        confirm(page)
        expect(page.tab.locator("[data-testid^=answering-]")).to_have_count(left)
        at_something(page)


def to_pane(page: Page, submission: str) -> None:
    """From the row of the table to the pane beside it."""
    press(page, f"open-{submission}")
    expect(page.tab.locator("#pane-title")).to_be_focused()


def test_a_post_becomes_a_signed_grade_by_keys_alone(window: Window, course: Course) -> None:
    evaluate(window.open("my-work", ANN))
    submission = course.submission_of(ANN, course.assignment("river"))
    assert submission
    mine = {"submission": submission.id}

    prof = window.open("sign-off", PROF)
    press(prof, "allocate")
    confirm(prof)
    expect(prof["allocate"]).to_have_count(0)
    at_something(prof)

    give_both(window.open("reviews", ANN), course.duties(ANN)[0].id)
    for person in (BOB, CYD, DOT):
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine rings.", "Show the log.")

    prof = window.open("sign-off", PROF)
    press(prof, "reveal")
    confirm(prof)
    expect(prof["reveal"]).to_have_count(0)
    at_something(prof)

    answer_both(window.open("my-work", ANN, params=mine))

    prof = window.open("sign-off", PROF)
    to_pane(prof, submission.id)
    prof.press("d")
    write(prof, "grade", "78")
    press(prof, "change-levels")
    press(prof, "level-evidence-3", "ArrowLeft")
    expect(prof["level-evidence-2"]).to_be_checked()
    write(prof, "field-word", "On Evidence I read it one step lower.")
    press(prof, "discuss")
    expect(prof["toast"]).to_contain_text("Sent to Ann Lindqvist.")
    at_something(prof)

    ann = window.open("my-work", ANN, params=mine)
    expect(ann["standing-grade"]).to_have_text("78")
    press(ann, "reply-open")
    assert ann.focused() == "field-reply"
    ann.tab.keyboard.type("The log weighs against the gauge.")
    ann.press("Tab", "Enter")  # what unfolds another proposal
    write(ann, "revise-grade", "80")
    press(ann, "send-reply")
    confirm(ann)
    expect(ann["standing-grade"]).to_have_text("80")
    at_something(ann)

    prof = window.open("sign-off", PROF)
    to_pane(prof, submission.id)
    prof.press("a")
    confirm(prof)
    expect(prof["resting"]).to_contain_text("Accepting 80")
    press(prof, "take-back")
    expect(prof["resting"]).to_have_count(0)
    at_something(prof)
    press(prof, "next")
    expect(prof["pane"].get_by_role("heading", name=BOB.name)).to_be_visible()
    at_something(prof)
    press(prof, "previous")
    expect(prof["pane"].get_by_role("heading", name=ANN.name)).to_be_visible()
    prof.press("a")
    confirm(prof)
    expect(prof["resting"]).to_contain_text("Accepting 80")
    rested(course)

    ann = window.open("my-work", ANN, params=mine)
    expect(ann["card-closed"]).to_contain_text("80")
    press(ann, "sign")
    confirm(ann)
    expect(ann["card-closed"]).to_contain_text("You signed")

    turns = course.dialogue(submission.id, PROF).turns
    assert [turn.kind for turn in turns] == [
        *["freeze", "self-evaluation", "review", "review", "reveal", "answer", "answer"],
        *["discuss", "reply", "accept", "sign-off", "sign-off"],
    ]
    counter, reply = turns[7].what, turns[8].what
    assert isinstance(counter, Discuss)
    assert isinstance(reply, Reply)
    assert counter.counter
    assert reply.proposal
    assert (counter.counter.grade, [each.level for each in counter.counter.judgements]) == ("78", [2, 2])
    assert (reply.proposal.grade, [each.level for each in reply.proposal.judgements]) == ("80", [2, 3])
