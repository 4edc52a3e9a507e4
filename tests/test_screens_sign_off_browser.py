"""Sign-off in a browser: the table, the pane, keys, undo, phones."""

from typing import Any

import pytest
from playwright.sync_api import expect

from reviewkit.course import Course
from reviewkit.model import Discuss, Judgement, Proposal, Reply
from tests.cast import ANN, BOB, CYD, DOT, PROF, TIA, levels, rested, self_evaluated
from tests.pages import DESKTOP, PHONE, Page, Window
from tests.sign_off_cast import INES, act, an_accept, assisted, clock, course, in_review, made, sign_off, stage, window

__all__ = ["assisted", "clock", "course", "made", "window"]

NARROW = (1024, 800)
ZOOMED = (320, 640)


def current(page: Page) -> str:
    return page.tab.locator("tr[aria-selected=true]").get_attribute("data-testid") or ""


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, NARROW, PHONE, ZOOMED])
def test_sign_off_passes_axe_in_both_themes_and_at_every_width(
    window: Window, course: Course, made: dict[str, str], size: tuple[int, int]
) -> None:
    act(course, **an_accept(course, made, DOT))
    for dark in (False, True):
        page = window.open("sign-off", PROF, size=size, dark=dark)
        page["change-levels"].click()
        page["whole-dialogue"].click()
        page[f"select-{made[ANN.id]}"].check()
        assert page.violations() == []
        assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        flagged = [line["id"] for line in sign_off(course)["lines"] if line["flags"]]
        assert [page[f"row-{id}"].locator(".flg").filter(visible=True).count() for id in flagged] == [1] * len(flagged)
        assert flagged, "somebody is far apart"


@pytest.mark.browser
def test_two_instructors_at_once_are_told_and_keep_what_they_typed(
    window: Window, course: Course, assisted: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF, params={"open": assisted["ann"]})
    page["field-word"].fill("Well argued, I think.")
    page["accept"].click()
    course.discuss(INES, assisted["ann"], Discuss(text="Which weeks?"), seen=None)
    page["dialog-confirm"].click()
    expect(page["dialog"]).to_contain_text("Somebody wrote here since you opened the page.")
    page["dialog-cancel"].click()
    expect(page["field-word"]).to_have_value("Well argued, I think.")
    expect(page["summary"]).to_contain_text(INES.name)
    assert stage(course, assisted, ANN) == "discussing"


@pytest.mark.browser
def test_a_grade_is_decided_and_reopened_by_keyboard_alone(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF, params={"open": made[CYD.id]})
    page[f"open-{made[CYD.id]}"].focus()
    page.press("Enter")
    page["more"].focus()
    page.press("Enter")
    assert page.violations() == []
    page.tab_to("more-decide")
    page.press("Enter")
    assert page.focused() == "decide-title"
    page.tab_to("grade")
    page.press("Control+A")
    page.tab.keyboard.type("80")
    page.tab_to("decide")
    page.press("Enter")
    assert page.focused() == "field-word"
    page.tab.keyboard.type("The log stays shut.")
    page.tab_to("decide")
    assert page["decide"].text_content() == "Decide 80"
    page.press("Enter")
    expect(page["dialog"]).to_contain_text(f"Decide 80 for {CYD.name} without agreement?")
    page.press("Tab", "Enter")
    expect(page["decision"]).to_contain_text("The log stays shut.")
    assert stage(course, made, CYD) == "decided"
    page["more"].focus()
    page.press("Enter")
    page.tab_to("more-reopen")
    page.press("Enter")
    assert page.violations() == []
    page.tab_to("choice-with-instructor")
    page.press("Space")
    page.tab_to("dialog-confirm")
    page.press("Enter")
    expect(page["note-error"]).to_contain_text("Write why you reopen it")
    page.tab_to("field-reason")
    page.tab.keyboard.type("The log is open now.")
    page.tab_to("dialog-confirm")
    page.press("Enter")
    expect(page["toast"]).to_contain_text("Reopened.")
    page["whole-dialogue"].click()
    expect(page["dialogue"].locator("li.old")).to_contain_text("Superseded")
    assert stage(course, made, CYD) == "with instructor"


@pytest.mark.browser
def test_a_review_of_ones_own_is_written_in_the_pane(window: Window, course: Course) -> None:
    made = in_review(course)
    page = window.open("sign-off", PROF, params={"open": made[ANN.id]})
    page["more"].click()
    page["more-own-review"].click()
    page["send-own-review"].click()
    expect(page.tab.get_by_text("Choose a level for Claim before you send.")).to_be_visible()
    for name in ("claim", "evidence"):
        page[f"level-{name}-2"].check()
    page["choose-claim"].click()
    page["sentence-1"].click()
    page["field-strengths"].fill("The two marks.")
    page["field-suggestions"].fill("Link the log.")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    assert page.violations() == []
    page["send-own-review"].click()
    page["dialog-confirm"].click()
    expect(page["toast"]).to_contain_text("Your review is sent.")
    (review,) = [turn for turn in course.dialogue(made[ANN.id], PROF).turns if turn.kind == "review"]
    assert (review.voice, review.name) == ("teach", "You")


@pytest.mark.browser
def test_an_instructor_takes_over_an_assistants_draft_and_sends_it(
    window: Window, course: Course, assisted: dict[str, str]
) -> None:
    page = window.open("sign-off", TIA, params={"open": assisted["ann"]})
    expect(page["suggests"]).to_contain_text("An instructor decides.")
    assert page["accept"].count() == page["discuss"].count() == page["more"].count() == 0
    page["grade"].fill("70")
    page["field-word"].fill("I read the evidence lower.")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    assert page.violations() == []
    other = window.open("sign-off", PROF, params={"open": assisted["ann"]})
    expect(other["suggested-tia"]).to_contain_text(f"Draft by {TIA.name}")
    other["use-tia"].click()
    expect(other["field-word"]).to_have_value("I read the evidence lower.")
    other["discuss"].click()
    expect(other["suggested-tia"]).to_have_count(0)
    assert stage(course, assisted, ANN) == "discussing"


@pytest.mark.browser
def test_the_table_is_worked_by_keys_alone(window: Window, course: Course, made: dict[str, str]) -> None:
    page = window.open("sign-off", PROF)
    page[f"open-{made[ANN.id]}"].focus()
    page.press("ArrowDown")
    assert page.focused() == f"open-{made[BOB.id]}"
    expect(page["pane"].get_by_role("heading", name=BOB.name)).to_be_visible()
    assert current(page) == f"row-{made[BOB.id]}"
    page.press("Space")
    expect(page[f"select-{made[BOB.id]}"]).to_be_checked()
    page.press("Enter")
    assert page.focused() == "pane-title"
    page.press("Escape")
    assert page.focused() == f"open-{made[BOB.id]}"
    page.press("d")
    assert page.focused() == "grade"
    page.press("Escape", "a")
    expect(page["dialog"]).to_contain_text(f"Accept 74 for {BOB.name}?")
    assert page.focused() == "dialog-cancel"
    page.press("Tab", "Enter")
    expect(page["resting"]).to_contain_text("Accepting 74")
    rested(course)
    assert stage(course, made, BOB) == "signed"


@pytest.mark.browser
def test_keys_are_listed_and_can_be_turned_off(window: Window, course: Course, made: dict[str, str]) -> None:
    page = window.open("sign-off", PROF)
    page[f"open-{made[ANN.id]}"].focus()
    page.press("?")
    expect(page["dialog"]).to_contain_text("Go to the grade")
    page["keys-on"].uncheck()
    page["dialog-cancel"].click()
    page[f"open-{made[ANN.id]}"].focus()
    page.press("a", "d", "ArrowDown")
    expect(page["dialog"]).to_have_count(0)
    assert page.focused() == f"open-{made[ANN.id]}"


@pytest.mark.browser
def test_a_grade_is_discussed_and_then_signed(window: Window, course: Course, made: dict[str, str]) -> None:
    page = window.open("sign-off", PROF, params={"open": made[CYD.id]})
    expect(page["accept"]).to_have_text("Accept 95")
    expect(page["discuss"]).to_have_text("Discuss")
    page["grade"].fill("80")
    expect(page["discuss"]).to_have_text("Discuss at 80")
    page["discuss"].click()
    expect(page.tab.get_by_text(f"Write a sentence to {CYD.name} before you send.")).to_be_visible()
    assert page.focused() == "field-word"
    page["field-word"].fill("I read the evidence one step lower.")
    page["change-levels"].click()
    page["level-evidence-2"].check()
    page["field-note-evidence"].fill("One source stays shut.")
    expect(page.tab.get_by_text("Evidence to Secure, the rest as proposed.")).to_be_visible()
    page["recognise-honest-about-gaps"].click()
    page["discuss"].click()
    expect(page["pane"].get_by_text(f"{CYD.name} has not replied yet.")).to_be_visible()
    expect(page["grade"]).to_have_count(0)
    last: Any = course.dialogue(made[CYD.id], CYD).turns[-1].what
    assert isinstance(last, Discuss)
    assert last.counter == Proposal(
        grade="80",
        judgements=(
            Judgement(criterion="claim", level=2),
            Judgement(criterion="evidence", level=2, note="One source stays shut."),
        ),
    )
    assert last.recognised == ("Honest about gaps",)
    course.reply(CYD, made[CYD.id], Reply(accepts=True), seen=len(course.dialogue(made[CYD.id], CYD).turns))
    again = window.open("sign-off", PROF, params={"open": made[CYD.id]})
    again["accept"].click()
    expect(again["dialog-confirm"]).to_have_text("Sign at 80")
    again["dialog-confirm"].click()
    expect(again["resting"]).to_contain_text("Signing 80")
    rested(course)
    again = window.open("sign-off", PROF, params={"open": made[CYD.id]})
    expect(again["pane"].get_by_text("Agreed at 80.")).to_be_visible()
    assert stage(course, made, CYD) == "signed"


@pytest.mark.browser
def test_many_close_grades_are_accepted_at_once(window: Window, course: Course, made: dict[str, str]) -> None:
    page = window.open("sign-off", PROF)
    page["select-all"].check()
    expect(page["bulk-accept"]).to_have_text("Accept 3 grades")
    page["bulk-accept"].click()
    for person in (ANN, BOB, DOT):
        expect(page["dialog"]).to_contain_text(person.name)
    page["dialog-confirm"].click()
    expect(page["toast"]).to_contain_text("Accepting 3 grades.")
    expect(page["toast-undo"]).to_be_visible()
    rested(course)
    page = window.open("sign-off", PROF)
    expect(page["filter-mine"]).to_have_text("Waiting on me 1")
    assert [stage(course, made, person) for person in (ANN, BOB, DOT, CYD)] == [*["signed"] * 3, "with instructor"]


@pytest.mark.browser
def test_the_table_is_filtered_searched_and_sorted(window: Window, course: Course, made: dict[str, str]) -> None:
    page = window.open("sign-off", PROF)
    rows = page["table-class"].locator("tbody tr")
    page["filter-apart"].click()
    expect(rows).to_have_count(1)
    page["filter-all"].click()
    page["find"].type("okon")
    expect(rows).to_have_count(1)
    expect(page["find"]).to_be_focused()
    page["find"].fill("")
    page["sort-self"].click()
    page["sort-self"].click()
    expect(rows.first).to_contain_text(CYD.name)
    expect(page["table-class"].locator("th[aria-sort=descending]")).to_have_text("Self")


@pytest.mark.browser
def test_what_was_typed_stays_when_the_pane_is_drawn_again_and_opened_again(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF)
    page["field-word"].type("I agree")
    page["change-levels"].click()
    page["level-evidence-1"].check()
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    expect(page["field-word"]).to_have_value("I agree")
    other = window.open("sign-off", PROF)
    expect(other["field-word"]).to_have_value("I agree")


@pytest.mark.browser
def test_on_a_phone_a_row_opens_its_pane_and_grades_are_accepted_there(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF, size=PHONE)
    page[f"open-{made[BOB.id]}"].click()
    expect(page["pane"].get_by_role("heading", name=BOB.name)).to_be_in_viewport()
    page["accept"].click()
    page["dialog-confirm"].click()
    expect(page["resting"]).to_contain_text("Accepting 74")
    rested(course)
    page = window.open("sign-off", PROF, size=PHONE, params={"open": made[BOB.id]})
    expect(page["pane"].get_by_text("Agreed at 74.")).to_be_visible()


@pytest.mark.browser
def test_the_round_is_started_and_revealed_from_here(window: Window, course: Course) -> None:
    self_evaluated(course)
    page = window.open("sign-off", PROF)
    page["allocate"].click()
    expect(page["relaxed"]).to_contain_text("relaxed")
    page["dialog-confirm"].click()
    expect(page["toast"]).to_contain_text("The reviews are allocated.")
    for person in (ANN, BOB):
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine.", "More.")
    again = window.open("sign-off", PROF)
    again["reveal"].click()
    again["field-reason"].fill("The term ends.")
    again["dialog-confirm"].click()
    expect(again["toast"]).to_contain_text("The reviews are revealed.")


@pytest.mark.browser
def test_names_are_hidden_by_a_press_and_stay_hidden_after_a_reload(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF, params={"open": made["ann"]})
    page["hide-names"].click()
    alias = course.store.dialogue(made["ann"]).submission.pseudonym
    expect(page.tab.locator("#pane-title")).to_contain_text(alias)
    expect(page["table-class"]).not_to_contain_text(ANN.name)
    assert "names=hidden" in page.tab.url
    page[f"open-{made['bob']}"].click()
    expect(page.tab.locator("#pane-title")).to_contain_text(course.store.dialogue(made["bob"]).submission.pseudonym)
    assert "Lindqvist" not in page["screen-sign-off"].inner_html()
    assert page.violations() == []
    page["hide-names"].click()
    expect(page["table-class"]).to_contain_text(ANN.name)
    again = window.open("sign-off", PROF, params={"open": made["ann"], "names": "hidden"})
    expect(again["hide-names"]).to_have_text("Show names")
    expect(again["table-class"]).not_to_contain_text(ANN.name)


@pytest.mark.browser
def test_a_word_that_is_sent_again_because_no_answer_came_is_sent_once(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF, params={"assignment": "river", "open": made[ANN.id]})
    page["field-word"].fill("Which weeks?")
    before = len(course.store.dialogue(made[ANN.id]).turns)
    page.lose_answers("discuss")
    page["discuss"].click()
    page.wait_in_vain()
    expect(page["pane"]).to_contain_text("it is done only once")
    page["discuss"].click()
    expect(page["pane"]).to_contain_text("has not replied yet")
    expect(page["pane"]).not_to_contain_text("Somebody wrote here")
    assert len(course.store.dialogue(made[ANN.id]).turns) == before + 1


@pytest.mark.browser
def test_two_instructors_at_one_browser_do_not_find_each_others_unsaved_words(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    course.store.keep_course(course.setup, [INES], [])
    copies = list[dict[str, str]]()
    for who in (PROF, INES):
        page = window.open("sign-off", who, params={"assignment": "river", "open": made[ANN.id]})
        page.tab.evaluate("() => { window.act = () => new Promise(() => {}); }")
        page["field-word"].fill("Unsaved.")
        copies.append(dict(page.tab.evaluate("Object.entries(localStorage)")))
        assert who.name.split()[-1] not in str(copies[-1])
    assert all("Unsaved." in str(each) for each in copies)
    assert copies[0].keys().isdisjoint(copies[1])


@pytest.mark.browser
def test_while_a_draft_is_open_elsewhere_nothing_can_be_typed_that_would_be_lost(
    window: Window, course: Course, made: dict[str, str]
) -> None:
    page = window.open("sign-off", PROF, params={"assignment": "river", "open": made[ANN.id]})
    page["change-levels"].click()
    page["level-evidence-0"].check(force=True)
    expect(page["field-note-evidence"]).to_be_visible()
    expect(page.tab.get_by_text("Saved at")).to_be_visible()
    form = f"sign-off:{made[ANN.id]}"
    page.tab.evaluate(
        "form => new Promise(done => { const line = new BroadcastChannel('reviewkit-drafts');"
        " line.onmessage = () => {}; line.postMessage({word: 'here', form, from: 'another', to: undefined});"
        " setTimeout(done, 50); })",
        form,
    )
    expect(page["pane"]).to_contain_text("open in another window")
    for name in ("grade", "field-word", "field-note-evidence"):
        expect(page[name]).not_to_be_editable()
    assert page["recognise-other"].count() == 0
