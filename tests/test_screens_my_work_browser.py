"""My work in a browser: typing, choosing, keys, windows, saving."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import Accept, Answer, Discuss, Proposal
from reviewkit.store.sql import SqlStore
from tests import gallery
from tests.cast import ANN, MONDAY, PROF, Clock, frozen, levels, revealed
from tests.my_work_cast import GAUGE, act, clock, course, decided, discussed, evaluated, window
from tests.pages import DESKTOP, PHONE, Page, Window

__all__ = ["clock", "course", "window"]


@pytest.mark.browser
@pytest.mark.parametrize("name", gallery.MY_WORK)
def test_my_work_passes_axe_in_both_themes_and_widths(browser: Browser, sqlite_store: SqlStore, name: str) -> None:
    course, submission = gallery.MY_WORK[name](sqlite_store, Clock())
    window = Window(browser, course)
    for size in (DESKTOP, PHONE):
        for dark in (False, True):
            page = window.open("my-work", gallery.MIRA, size=size, dark=dark, params={"submission": submission})
            assert page.violations() == []
            assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert window.close() == []


@pytest.mark.browser
def test_a_post_is_chosen_and_evaluated_by_keyboard_alone(window: Window, course: Course) -> None:
    page = window.open("my-work", ANN)
    page.tab_to("next")
    page.press("Enter")
    expect(page["dialog"]).to_contain_text("A copy is kept as it is now")
    assert page.focused() == "dialog-cancel"
    page.press("Tab", "Enter")
    expect(page["step-claim"]).to_have_attribute("aria-current", "step")
    page.tab_to("level-claim-0")
    page.press("ArrowRight", "ArrowRight")
    page.tab_to("choose-claim")
    page.press("Enter")
    page.tab_to("sentence-1")
    page.press("Enter")
    expect(page["evidence-claim"]).to_have_text(GAUGE)
    page.tab_to("field-note-claim")
    page.tab.keyboard.type("Because of the gauge.")
    page.tab_to("step-next")
    page.press("Enter")
    assert page.focused() == "step-title"
    page.tab_to("level-evidence-0")
    page.press("Space", "ArrowRight")
    page.tab_to("step-next")
    page.press("Enter")
    page.tab_to("field-strengths")
    page.tab.keyboard.type("Two marks.")
    page.tab_to("field-improvements")
    page.tab.keyboard.type("Link the log.")
    page.tab_to("grade")
    page.tab.keyboard.type("82")
    page.tab_to("submit")
    page.press("Enter")
    assert page.focused() == "dialog-cancel"
    page.press("Enter")
    expect(page["dialog"]).to_have_count(0)
    assert page.focused() == "submit", "Enter does not confirm by itself, and focus returns"
    page.press("Enter", "Tab", "Enter")
    expect(page["dialogue"]).to_contain_text("You proposed 82")
    expect(page.tab.locator("#main")).to_be_focused()  # once the dialog above it has closed
    turns = course.dialogue(course.submission_of(ANN, course.assignment("river")).id, ANN).turns  # type: ignore[union-attr]  # it was frozen above
    said: Any = turns[1].what
    assert [(each.level, each.note, each.quote) for each in said.judgements] == [
        (2, "Because of the gauge.", GAUGE),
        (1, "", ""),
    ]


def writing(window: Window, course: Course, **settings: Any) -> Page:
    """Ann's own page, with her self-evaluation begun."""
    submission = course.submission_of(ANN, course.assignment("river"))
    id = submission.id if submission else frozen(course, ANN)["ann"]
    return window.open("my-work", ANN, params={"submission": id}, **settings)


@pytest.mark.browser
def test_pressing_submit_too_early_says_what_is_missing_and_goes_there(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["step-overall"].click()
    page["submit"].click()
    expect(page.tab.get_by_text("Choose a level for Claim.")).to_be_visible()
    assert page.focused() == "level-claim-0"
    page["level-claim-1"].check()
    expect(page.tab.get_by_text("Choose a level for Claim.")).to_have_count(0)
    page["step-evidence"].click()
    page["level-evidence-1"].check()
    page["step-overall"].click()
    page["submit"].click()
    assert page.focused() == "field-strengths"
    page["field-strengths"].fill("Two.")
    page["field-improvements"].fill("More.")
    page["grade"].fill("much")
    page["submit"].click()
    page["dialog-confirm"].click()
    expect(page.tab.get_by_text("The grade must be a whole number from 0 to 100.")).to_be_visible()
    assert page.focused() == "grade"
    expect(page["grade"]).to_have_attribute("aria-invalid", "true")


@pytest.mark.browser
def test_a_sentence_becomes_evidence_by_selecting_it_and_can_be_taken_back(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["post"].locator("p").nth(0).click(click_count=3)
    expect(page["evidence-claim"]).to_have_text("I am Ann Lindqvist.")
    expect(page["post"].locator("mark.self")).to_have_text("I am Ann Lindqvist.")
    page["toast-undo"].click()
    expect(page["evidence-claim"]).to_have_text("No sentence chosen yet.")


@pytest.mark.browser
def test_on_a_phone_the_post_and_the_form_take_turns(window: Window, course: Course) -> None:
    page = writing(window, course, size=PHONE)
    expect(page["post"]).to_be_hidden()
    page["field-note-claim"].fill("Because.")
    page["choose-claim"].click()
    expect(page["post"]).to_be_visible()
    page["post"].locator("p").nth(1).click(position={"x": 12, "y": 10})
    expect(page["evidence-claim"]).to_have_text(GAUGE)
    expect(page["field-note-claim"]).to_have_value("Because.")


@pytest.mark.browser
def test_what_was_typed_is_saved_and_there_again(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["level-claim-3"].check()
    page["field-note-claim"].fill("Because of the gauge.")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    assert page.tab.evaluate("Object.keys(localStorage)") == []
    again = writing(window, course)
    again["step-claim"].click()
    expect(again["field-note-claim"]).to_have_value("Because of the gauge.")
    expect(again["level-claim-3"]).to_be_checked()


SENT = """() => {
  const act = window.act;
  window.sent = [];
  window.act = event => { sent.push(event); return act(event); };
}"""


@pytest.mark.browser
def test_what_is_typed_without_a_pause_goes_out_within_two_seconds(window: Window, course: Course) -> None:
    """Of the three that another machine may miss; they pass on the page's own clock."""
    page = writing(window, course)
    page.tab.clock.install(time=MONDAY)
    page.tab.clock.pause_at(MONDAY + timedelta(minutes=1))
    page.tab.evaluate(SENT)
    page["field-note-claim"].focus()
    for number in range(10):
        page.tab.keyboard.type(f"word{number} ")
        page.tab.clock.run_for(200)
    drafts = [each for each in page.tab.evaluate("sent") if each["type"] == "draft"]
    assert "word0" in drafts[0]["content"]["notes"]["claim"]


NO_ANSWER = "window.act = () => new Promise(() => {}); null"
WITHIN_TEN = 10_000
"""Milliseconds within which a page says that it has lost its server; they pass on the page's own clock."""


@pytest.mark.browser
def test_without_an_answer_the_text_is_kept_in_this_browser_and_said_so(window: Window, course: Course) -> None:
    page = writing(window, course)
    page.tab.clock.install()
    page.tab.evaluate(f"window.answers = window.act; {NO_ANSWER}")
    page["field-note-claim"].fill("Nobody hears this.")
    expect(page["save-status"]).to_contain_text("Saving…")
    page.tab.clock.run_for(WITHIN_TEN)
    expect(page["save-status"]).to_contain_text("Not saved yet. Your text is kept in this browser.")
    kept = page.tab.evaluate("Object.entries(localStorage)")
    assert "Nobody hears this." in kept[0][1]
    assert ANN.id not in kept[0][0]
    assert ANN.name not in kept[0][0]
    page.tab.evaluate("window.act = window.answers; null")
    page["save-again"].click()
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    assert page.tab.evaluate("Object.keys(localStorage)") == []


@pytest.mark.browser
def test_after_a_reload_the_newer_copy_is_shown_and_said_so(window: Window, course: Course) -> None:
    page = writing(window, course)
    page.tab.evaluate(NO_ANSWER)
    page["field-note-claim"].fill("Typed while the server was away.")
    page.tab.reload()
    expect(page["field-note-claim"]).to_have_value("Typed while the server was away.")
    expect(page["note-neutral"]).to_contain_text("This browser had a newer copy of your text")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    page["notice-read"].click()
    expect(page["notice-read"]).to_have_count(0)
    expect(page["field-note-claim"]).to_have_value("Typed while the server was away.")


@pytest.mark.browser
def test_a_page_that_lost_the_course_stops_saying_saved(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["field-note-claim"].fill("Because.")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    lose = (
        "state => { document.body.dataset.connection = state; document.dispatchEvent(new Event('page-connection')); }"
    )
    page.tab.clock.install()
    page.tab.evaluate(lose, "closed")
    page.tab.clock.run_for(WITHIN_TEN)
    expect(page["reload"]).to_be_visible()
    expect(page["save-status"]).not_to_contain_text("Saved")
    expect(page["field-note-claim"]).to_have_value("Because.")
    page.tab.evaluate(lose, "open")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    page.tab.evaluate(lose, "lost")
    expect(page["reload"]).to_be_visible()


@pytest.mark.browser
def test_a_second_window_is_read_only_until_it_takes_the_draft(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["field-note-claim"].fill("From the first window.")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    second = Page(tab=page.tab.context.new_page())
    second.tab.expose_function("act", lambda event: screens.act(course, ANN, "my-work", event))
    second.tab.goto(page.tab.url)
    expect(second["note-neutral"].first).to_contain_text("This draft is open in another window")
    expect(second["field-note-claim"]).to_have_js_property("readOnly", True)
    page["field-note-claim"].fill("From the first window, further.")
    second["edit-here"].click()
    expect(page["note-neutral"].first).to_contain_text("This draft is open in another window")
    expect(page["field-note-claim"]).to_have_js_property("readOnly", True)


@pytest.mark.browser
def test_do_not_keep_a_copy_in_this_browser_is_obeyed(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["name-menu"].locator("summary").click()
    page.tab.get_by_label("Do not keep a copy").check()
    page.press("Escape")
    page.tab.clock.install()
    page.tab.evaluate(NO_ANSWER)
    page["field-note-claim"].fill("Secret in a library.")
    page.tab.clock.run_for(WITHIN_TEN)
    expect(page["save-status"]).to_contain_text("Not saved yet.")
    expect(page["save-status"]).not_to_contain_text("kept in this browser")
    assert "Secret" not in page.tab.evaluate("JSON.stringify(localStorage)")


@pytest.mark.browser
def test_an_author_answers_rates_thanks_accepts_and_signs_by_keyboard_alone(window: Window, course: Course) -> None:
    submission = revealed(course)["ann"]
    page = window.open("my-work", ANN, params={"submission": submission})
    forms = page.tab.locator("[data-testid^=answering-]")
    for left in (1, 0):
        page.tab_to("rate-specific")
        page.press("Space")
        page.tab_to("rate-thanks")
        page.press("Space")
        page.tab_to("field-answer")
        page.tab.keyboard.type("Fair. It is linked now.")
        page.tab_to("send-answer")
        page.press("Enter")
        assert page.focused() == "dialog-cancel"
        page.press("Tab", "Enter")
        expect(forms).to_have_count(left)
        expect(page["dialog"]).to_have_count(0)
        expect(page.tab.locator(":focus")).to_have_count(1)
    expect(page["card-waiting"]).to_contain_text("82")
    answers = [turn.what for turn in course.dialogue(submission, ANN).turns if isinstance(turn.what, Answer)]
    assert [(said.rating, said.thanks) for said in answers] == [(("specific",), True)] * 2
    counter = Proposal(grade="78", judgements=levels(2, 2))
    course.discuss(PROF, submission, Discuss(text="One step lower.", counter=counter), seen=None)
    page = window.open("my-work", ANN, params={"submission": submission})
    expect(page["standing-grade"]).to_have_text("78")
    page.tab_to("reply-open")
    page.press("Enter")
    assert page.focused() == "field-reply"
    page.tab_to("send-reply")
    page.press("Enter")
    expect(page.tab.get_by_text("Write your reason before you send.")).to_be_visible()
    assert page.focused() == "field-reply"
    page.tab_to("accept")
    page.press("Enter")
    expect(page["dialog"]).to_contain_text("Accept 78 as your grade?")
    page.press("Tab", "Enter")
    expect(page["card-closed"]).to_contain_text("78")
    expect(page["dialog"]).to_have_count(0)
    expect(page.tab.locator(":focus")).to_have_count(1)
    assert course.dialogue(submission, ANN).stage == "agreed"
    course.accept(PROF, submission, Accept(), seen=None)
    page = window.open("my-work", ANN, params={"submission": submission})
    page.tab_to("sign")
    page.press("Enter")
    assert page.focused() == "dialog-cancel"
    page.press("Tab", "Enter")
    expect(page["card-closed"]).to_contain_text("You signed")
    expect(page["dialog"]).to_have_count(0)
    expect(page.tab.locator(":focus")).to_have_count(1)


@pytest.mark.browser
def test_an_author_can_propose_anew(window: Window, course: Course) -> None:
    submission = discussed(course)["ann"]
    page = window.open("my-work", ANN, params={"submission": submission})
    page["reply-open"].click()
    page["field-reply"].fill("I do answer it, in the last paragraph.")
    page["revise"].locator("summary").click()
    page["revise-grade"].fill("80")
    page["revise-claim"].select_option("3")
    page["send-reply"].click()
    expect(page["dialog"]).to_contain_text("Propose 80 instead?")
    page["dialog-confirm"].click()
    expect(page["dialogue"]).to_contain_text("You proposed 80")
    expect(page["standing-grade"]).to_have_text("80")


@pytest.mark.browser
def test_a_dissent_and_a_wish_are_written_by_keyboard_and_kept_until_they_are_sent(
    window: Window, course: Course
) -> None:
    submission = decided(course)["ann"]
    page = window.open("my-work", ANN, params={"submission": submission})
    page.tab_to("dissent")
    page.press("Enter")
    assert page.violations() == []
    page.tab_to("field-dissent")
    page.tab.keyboard.type("It was open")
    page.press("Escape", "Enter")
    expect(page["field-dissent"]).to_have_value("It was open")
    page.tab_to("field-dissent")
    page.press("End")
    page.tab.keyboard.type(" on my side.")
    page.tab_to("dialog-confirm")
    page.press("Enter")
    expect(page["dialogue"]).to_contain_text("It was open on my side.")
    expect(page["dissent"]).to_have_count(0)
    page.tab_to("ask-to-reopen")
    page.press("Enter")
    page.tab_to("field-ask")
    page.tab.keyboard.type("The log is open now.")
    page.tab_to("dialog-confirm")
    page.press("Enter")
    expect(page["card-closed"]).to_be_visible()
    expect(page["ask-to-reopen"]).to_have_count(0)
    for dark in (False, True):
        assert window.open("my-work", ANN, params={"submission": submission}, dark=dark).violations() == []


@pytest.mark.browser
def test_on_a_phone_the_next_step_stands_before_the_long_dialogue(window: Window, course: Course) -> None:
    submission = discussed(course)["ann"]
    page = window.open("my-work", ANN, size=PHONE, params={"submission": submission})
    expect(page["accept"]).to_be_in_viewport()
    expect(page["card-reply"]).to_contain_text("One step lower, I think.")
    page.tab_to("accept")
    assert page["dialogue"].evaluate("el => !!(document.activeElement.compareDocumentPosition(el) & 4)")
    assert page.violations() == []


@pytest.mark.browser
def test_peoples_words_are_text_wherever_they_stand(window: Window, course: Course) -> None:
    submission = frozen(course, ANN)["ann"]
    trap = "</script><img src=x onerror=\"document.title='caught'\">"
    event = evaluated(submission, strengths=trap, improvements=trap)
    assert act(course, **event)["ok"]
    page = window.open("my-work", ANN, params={"submission": submission})
    expect(page["dialogue"]).to_contain_text("onerror")
    assert page.tab.locator("[data-testid=dialogue] img").count() == 0
    assert page.tab.title() != "caught"


@pytest.mark.browser
def test_a_text_over_its_limit_is_told_so_and_never_cut(window: Window, course: Course) -> None:
    page = writing(window, course)
    page["step-overall"].click()
    page["field-strengths"].fill("x" * 20_001)
    expect(page.tab.get_by_text("This text has 20,001 characters, and at most 20,000 can be sent.")).to_be_visible()
    assert page["field-strengths"].input_value() == "x" * 20_001
    expect(page["save-status"]).to_contain_text("Saved at")
    page["field-strengths"].fill("x" * 20_000)
    expect(page.tab.get_by_text("at most 20,000 can be sent")).to_have_count(0)
