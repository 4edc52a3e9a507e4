"""Sign-off: the class table, one dialogue, accept or discuss, in the view and in a browser."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.model import Answer, Discuss, Judgement, Person, Proposal, Reply
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    DOT,
    EVE,
    PROF,
    STUDENTS,
    Clock,
    a_course,
    a_self_evaluation,
    a_setup,
    frozen,
    levels,
    self_evaluated,
)
from tests.pages import DESKTOP, PHONE, Page, Window

NARROW = (1024, 800)
ZOOMED = (320, 640)
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
    return screens.act(course, viewer, "sign-off", event)


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


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_table_holds_everybody_those_without_a_submission_too(course: Course) -> None:
    made = frozen(course, ANN)
    view = sign_off(course)
    assert [line["name"] for line in view["lines"]] == [person.name for person in STUDENTS]
    assert line_of(view, ANN)["id"] == made[ANN.id]
    assert (line_of(view, BOB)["id"], line_of(view, BOB)["submission"]) == (BOB.id, "")
    opened = sign_off(course, open=BOB.id)["detail"]
    assert (opened["does"], opened["why"]) == ("nothing", "Post not chosen yet.")


def test_the_first_row_that_waits_for_the_instructor_is_open(course: Course, made: dict[str, str]) -> None:
    act(course, **an_accept(course, made, ANN))
    assert sign_off(course)["params"] == {"assignment": "river", "open": made[BOB.id]}


def test_the_page_counts_in_words(course: Course, made: dict[str, str]) -> None:
    act(course, **an_accept(course, made, ANN))
    assert sign_off(course)["lede"] == "A story with numbers. Three submissions wait for you, and one is agreed."


def test_rows_that_are_close_can_be_selected_and_far_ones_say_so(course: Course, made: dict[str, str]) -> None:
    view = sign_off(course)
    assert {line["name"]: line["selectable"] for line in view["lines"]} == {
        ANN.name: True,
        BOB.name: True,
        CYD.name: False,
        DOT.name: True,
    }
    assert line_of(view, CYD)["flags"] == ["Far apart"]
    assert line_of(view, ANN)["finding"] == "Self 78, peer median 75."


@pytest.mark.parametrize("person", [ANN, EVE])
def test_only_the_instructor_opens_sign_off(course: Course, made: dict[str, str], person: Person) -> None:
    with pytest.raises(NotAllowed):
        screens.view(course, person, "sign-off", {})
    assert not act(course, person, **an_accept(course, made, BOB))["ok"]
    assert stage(course, made, BOB) == "with instructor"


# -- one dialogue ----------------------------------------------------------------------------------------------------


def test_while_blind_there_is_nothing_to_decide(course: Course) -> None:
    made = self_evaluated(course)
    opened = detail(course, made, ANN)
    assert opened["does"] == "nothing"
    assert opened["why"] == "The reviews are still blind. You can decide after they are revealed."


def test_the_instructor_reads_every_turn_with_names(course: Course, made: dict[str, str]) -> None:
    opened = detail(course, made, ANN)
    kinds = [turn["kind"] for turn in opened["turns"]]
    assert kinds == ["freeze", "self-evaluation", "review", "review", "reveal", "answer", "answer"]
    reviewers = {person.name for person in (BOB, CYD, DOT)}
    assert all(turn["title"].removesuffix(", reviewer") in reviewers for turn in opened["turns"][2:4])
    assert [item["lead"] for item in opened["summary"]] == ["Self 78.", "Peers 75.", "Answer."]


def test_an_earlier_version_of_a_review_stays_and_is_marked(course: Course) -> None:
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    duty = course.duties(BOB)[0]
    course.review(BOB, duty.id, levels(), "First thought.", "Show the log.")
    course.review(BOB, duty.id, levels(), "Second thought.", "Show the log.")
    views = [detail(course, made, person) for person in STUDENTS]
    turns = next(view["turns"] for view in views if len(view["turns"]) == 4)
    assert [turn["old"] for turn in turns] == [False, False, True, False]


def test_accept_agrees_and_signs_in_one_step(course: Course, made: dict[str, str]) -> None:
    reply = act(course, **an_accept(course, made, ANN, word="Well argued.", recognised=["Clear evidence"]))
    assert reply["ok"]
    assert stage(course, made, ANN) == "signed"
    opened = detail(course, made, ANN)
    assert (opened["does"], opened["why"], opened["agreed"]) == ("nothing", "You have signed this.", "78")
    assert opened["turns"][-2]["texts"] == [{"label": "Recognised", "tags": ["Clear evidence"], "voice": "teach"}]


def test_the_same_accept_sent_twice_has_one_effect(course: Course, made: dict[str, str]) -> None:
    event = an_accept(course, made, ANN)
    assert act(course, **event)["ok"]
    assert act(course, **event)["ok"]
    assert [turn["kind"] for turn in detail(course, made, ANN)["turns"]].count("accept") == 1


def test_a_page_that_has_not_seen_the_last_turn_is_told_and_sees_it(course: Course, made: dict[str, str]) -> None:
    stale = an_accept(course, made, ANN, params={"open": made[ANN.id]})
    act(course, **a_discuss(course, made, ANN))
    refused = act(course, **stale)
    assert "since you opened the page" in refused["error"]["message"]
    assert refused["view"]["detail"]["turns"][-1]["kind"] == "discuss"
    assert stage(course, made, ANN) == "discussing"


def test_a_counter_proposal_says_which_levels_moved_and_why(course: Course, made: dict[str, str]) -> None:
    assert act(course, **a_discuss(course, made, ANN))["ok"]
    opened = detail(course, made, ANN)
    last = opened["turns"][-1]
    assert last["title"] == "You proposed 70"
    assert last["judgements"] == [
        {"criterion": "Evidence", "level": "Developing", "note": "The log is shut.", "quote": ""}
    ]
    assert opened["why"] == f"{ANN.name} has not replied yet. You can still accept the proposed grade."
    assert not opened["can_discuss"]
    assert opened["draft"]["content"] == {"grade": "70", "levels": {"claim": 2, "evidence": 1}}


def test_without_another_grade_or_level_a_discussion_is_a_question(course: Course, made: dict[str, str]) -> None:
    assert act(course, **a_discuss(course, made, ANN, judgements=[], grade="", word="Which weeks?"))["ok"]
    assert detail(course, made, ANN)["turns"][-1]["title"] == "You asked"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"word": " "}, "word"),
        ({"grade": "A+"}, "grade"),
        ({"judgements": [{"criterion": "claim", "level": 2}]}, "level-evidence"),
    ],
)
def test_an_unfinished_counter_proposal_is_refused_at_its_gap(
    course: Course, made: dict[str, str], changes: dict[str, Any], field: str
) -> None:
    assert act(course, **a_discuss(course, made, ANN, **changes))["error"]["field"] == field


def test_after_a_reply_that_accepts_only_the_signature_is_missing(course: Course, made: dict[str, str]) -> None:
    act(course, **a_discuss(course, made, ANN))
    course.reply(ANN, made[ANN.id], Reply(accepts=True), seen=len(course.dialogue(made[ANN.id], ANN).turns))
    opened = detail(course, made, ANN)
    assert (opened["does"], opened["agreed"]) == ("sign", "70")
    assert act(course, **an_accept(course, made, ANN, grade="70"))["ok"]
    assert stage(course, made, ANN) == "signed"


def test_what_the_instructor_typed_is_kept_until_it_is_sent(course: Course, made: dict[str, str]) -> None:
    form = f"sign-off:{made[ANN.id]}"
    act(course, type="draft", form=form, revision=1, content={"grade": "70", "word": "I read"})
    assert detail(course, made, ANN)["draft"]["content"]["word"] == "I read"
    act(course, **a_discuss(course, made, ANN))
    assert course.draft(PROF, form) is None


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
    other = replace(PROF, id="second", name="Prof. Ines Kumar", email="kumar@college.example")
    course.store.keep_course(course.setup, [other], [])
    copies = list[dict[str, str]]()
    for who in (PROF, other):
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


# -- many at once ----------------------------------------------------------------------------------------------------


def a_bulk(made: dict[str, str], *people: Person, **grades: str) -> dict[str, Any]:
    chosen = [{"submission": made[each.id], "grade": grades.get(each.id, GRADES[each.id])} for each in people]
    return {"type": "bulk-accept", "assignment": "river", "chosen": chosen, "request": "bulk"}


def test_close_grades_are_accepted_together(course: Course, made: dict[str, str]) -> None:
    reply = act(course, **a_bulk(made, ANN, BOB))
    assert (reply["accepted"], reply["left"]) == ([made[ANN.id], made[BOB.id]], [])
    assert [stage(course, made, person) for person in (ANN, BOB, DOT)] == ["signed", "signed", "with instructor"]


def test_what_is_far_apart_or_has_changed_is_left_and_named(course: Course, made: dict[str, str]) -> None:
    reply = act(course, **a_bulk(made, ANN, CYD, DOT, dot="71"))
    assert reply["accepted"] == [made[ANN.id]]
    assert [sentence.partition(":")[0] for sentence in reply["left"]] == [CYD.name, DOT.name]
    assert stage(course, made, DOT) == "with instructor"


def test_accepting_the_same_grades_twice_has_one_effect(course: Course, made: dict[str, str]) -> None:
    act(course, **a_bulk(made, ANN))
    assert act(course, **a_bulk(made, ANN))["accepted"] == [made[ANN.id]]
    assert [turn["kind"] for turn in detail(course, made, ANN)["turns"]].count("sign-off") == 1


# -- the round -------------------------------------------------------------------------------------------------------


def test_the_instructor_allocates_what_the_page_showed(course: Course) -> None:
    self_evaluated(course)
    step = sign_off(course)["step"]
    assert step["text"] == "Next: posts are frozen on Thu 7 May at 10:00."
    assert step["allocate"]["reviews"] == 8
    assert "everybody gives and gets two reviews" in step["allocate"]["text"]
    assert step["reveal"] is None
    plan = step["allocate"]
    reply = act(course, type="allocate", assignment="river", seed=plan["seed"], relaxed=plan["relaxed"], request="r")
    assert reply["allocated"] == 8
    assert reply["view"]["step"]["allocate"] is None
    assert len(course.duties(ANN)) == 2


def test_what_has_to_be_relaxed_is_said_before_anything_is_saved(course: Course) -> None:
    self_evaluated(course)
    plan = sign_off(course)["step"]["allocate"]
    assert plan["relaxed"]
    refused = act(course, type="allocate", assignment="river", seed=plan["seed"], relaxed=[], request="r")
    assert plan["relaxed"][0] in refused["error"]["message"]
    assert course.duties(ANN) == []


def test_a_class_of_two_is_told_that_blind_reviews_are_impossible(course: Course) -> None:
    self_evaluated(course, ANN, BOB)
    plan = sign_off(course)["step"]["allocate"]
    assert plan["reviews"] == 0
    assert "impossible" in plan["relaxed"][0]


def test_a_reveal_names_those_who_would_wait(course: Course) -> None:
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    for duty in course.duties(BOB):
        course.review(BOB, duty.id, levels(), "Fine.", "More.")
    step = sign_off(course)["step"]["reveal"]
    assert step["text"].startswith("Two reviews of four submissions")
    assert step["short"] == [person.name for person in STUDENTS]
    nothing = act(course, type="reveal", assignment="river", request="r")
    assert nothing["revealed"] == 0
    done = act(course, type="reveal", assignment="river", reason="The term ends.", request="r")
    assert done["revealed"] == 4


@pytest.mark.parametrize("seed", ["-1", "1e9", "", "9" * 40])
def test_a_seed_that_is_no_seed_allocates_nothing(course: Course, seed: str) -> None:
    self_evaluated(course)
    assert not act(course, type="allocate", assignment="river", seed=seed, request="r")["ok"]
    assert course.duties(ANN) == []


# -- other scales ----------------------------------------------------------------------------------------------------


def test_a_course_with_levels_only_shows_no_number(sqlite_store: Store, clock: Clock) -> None:
    course = a_course(sqlite_store, clock)
    sqlite_store.keep_course(replace(a_setup(), scale="levels"), (), ())
    made = frozen(course)
    for person in STUDENTS:
        course.self_evaluate(person, made[person.id], a_self_evaluation(""), seen=1)
    view = sign_off(course)
    assert view["scale"]["kind"] == "levels"
    assert line_of(view, ANN)["self"] == ""
    assert detail(course, made, ANN)["turns"][1]["title"] == f"{ANN.name} sent a self-evaluation"


# -- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []


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
    expect(page["pane"].get_by_text("You have signed this. Agreed at 74.")).to_be_visible()
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
    expect(page["toast"]).to_contain_text("3 grades accepted and signed.")
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
