"""Sign-off: the class table, one dialogue, accept or discuss, in the view and in a browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.model import (
    Answer,
    AskToReopen,
    Discuss,
    Dissent,
    Judgement,
    Person,
    Proposal,
    Reply,
)
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    DOT,
    EVE,
    PROF,
    STUDENTS,
    TIA,
    Clock,
    a_course,
    a_self_evaluation,
    a_setup,
    frozen,
    levels,
    rested,
    self_evaluated,
)
from tests.pages import DESKTOP, PHONE, Page, Window

NARROW = (1024, 800)
ZOOMED = (320, 640)
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
def test_only_the_staff_opens_sign_off(course: Course, made: dict[str, str], person: Person) -> None:
    with pytest.raises(NotAllowed):
        screens.view(course, person, "sign-off", {})
    assert not act(course, person, **an_accept(course, made, BOB))["ok"]
    assert stage(course, made, BOB) == "with instructor"


# -- one dialogue ----------------------------------------------------------------------------------------------------


def test_while_blind_there_is_nothing_to_decide(course: Course) -> None:
    made = self_evaluated(course)
    opened = detail(course, made, ANN)
    assert opened["does"] == "nothing"
    assert opened["why"] == "The reviews are not revealed yet. You can decide after they are."


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


# -- the rarer acts --------------------------------------------------------------------------------------------------


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


OUT_OF_COUNT = {"exempt", "withdraw"}
BLIND_MENU = {"waive", "assign", "more-time", "own-review"} | OUT_OF_COUNT


def test_what_can_be_done_is_offered_stage_by_stage_and_nothing_else(course: Course, clock: Clock) -> None:
    made = frozen(course)
    assert offered(course, made) == (set(), BLIND_MENU)
    for person in STUDENTS:
        course.self_evaluate(person, made[person.id], a_self_evaluation(), seen=1)
    course.allocate(course.plan("river", seed=1))
    assert offered(course, made) == (set(), BLIND_MENU | {"reopen"})
    clock.pass_(days=11)
    course.advance()
    assert offered(course, made) == ({"recognise", "decide"}, BLIND_MENU | {"reopen"})
    said(course, made, ANN, "waive", reason="Nobody else comes.")
    assert offered(course, made) == ({"accept", "discuss", "recognise", "decide"}, OUT_OF_COUNT)
    said(course, made, ANN, "discuss", word="Which weeks?")
    assert offered(course, made) == ({"accept", "recognise", "decide"}, OUT_OF_COUNT | {"reopen"})
    said(course, made, ANN, "decide", word="The term ends.", grade="70")
    assert offered(course, made) == ({"sign"}, OUT_OF_COUNT | {"reopen"})
    said(course, made, ANN, "accept")
    assert offered(course, made) == (set(), OUT_OF_COUNT | {"reopen"})
    said(course, made, ANN, "exempt", reason="She was ill.")
    assert offered(course, made) == (set(), {"restore"})


def test_a_word_of_recognition_decides_nothing(course: Course, made: dict[str, str]) -> None:
    assert said(course, made, ANN, "recognise", word=" ")["error"]["field"] == "word"
    assert said(course, made, ANN, "recognise", word="The rings.", suggestions="Link it.", recognised=["Clear"])["ok"]
    opened = detail(course, made, ANN)
    assert (stage(course, made, ANN), opened["does"]) == ("with instructor", "decide")
    assert opened["turns"][-1]["title"] == "You recognised what worked"
    assert opened["summary"][-1] == {"voice": "teach", "lead": "You.", "text": "The rings."}


def test_a_decision_needs_its_reason_is_signed_afterwards_and_stands_beside_the_dissent(
    course: Course, made: dict[str, str]
) -> None:
    assert said(course, made, ANN, "decide", word=" ", grade="70")["error"]["field"] == "word"
    assert said(course, made, ANN, "decide", word="The log stays shut.", grade="70")["ok"]
    opened = detail(course, made, ANN)
    assert (opened["does"], opened["why"]) == (
        "sign",
        "You decided without agreement. Your signature closes the dialogue.",
    )
    assert line_of(sign_off(course), ANN)["word"] == "Decided at 70"
    assert sign_off(course)["lede"].endswith("and none are agreed, one decided without agreement.")
    course.dissent(ANN, made["ann"], Dissent(text="It was open."), seen=len(course.dialogue(made["ann"], ANN).turns))
    assert said(course, made, ANN, "accept")["ok"]
    course.sign(ANN, made["ann"], seen=len(course.dialogue(made["ann"], ANN).turns))
    opened = detail(course, made, ANN)
    assert opened["decision"] == {
        "name": "You decided 70",
        "text": "The log stays shut.",
        "dissent": {"name": ANN.name, "text": "It was open."},
    }
    assert (opened["why"], opened["closed"]) == ("You have signed this.", "Decided at 70.")
    assert opened["signatures"] == ["You signed Today, 10:00", f"{ANN.name} signed Today, 10:00"]


def test_the_wish_to_reopen_stands_out_and_what_a_reopen_undid_stays_as_superseded(
    course: Course, made: dict[str, str]
) -> None:
    act(course, **an_accept(course, made, ANN))
    seen = len(course.dialogue(made["ann"], ANN).turns)
    course.ask_to_reopen(ANN, made["ann"], AskToReopen(text="The log is open now."), seen=seen)
    assert detail(course, made, ANN)["wish"] == {"name": ANN.name, "text": "The log is open now."}
    assert line_of(sign_off(course), ANN)["hint"] == "Asks to reopen"
    menu = next(each for each in detail(course, made, ANN)["more"] if each["act"] == "reopen")
    assert [each["value"] for each in menu["choices"]] == ["with instructor", "revealed"]
    assert said(course, made, ANN, "reopen", reason="It is.")["error"]["field"] == "choice"
    assert said(course, made, ANN, "reopen", choice="with instructor")["error"]["field"] == "reason"
    assert said(course, made, ANN, "reopen", choice="with instructor", reason="It is.")["ok"]
    opened = detail(course, made, ANN)
    assert [turn["kind"] for turn in opened["turns"] if turn["old"]] == ["accept", "sign-off", "ask-to-reopen"]
    assert {mark for turn in opened["turns"] for mark in turn["marks"]} == {"Superseded"}
    assert (opened["wish"], opened["does"], opened["signatures"]) == (None, "decide", [])


def test_a_submission_leaves_the_count_and_comes_back_as_it_was(course: Course, made: dict[str, str]) -> None:
    assert said(course, made, ANN, "exempt")["error"]["field"] == "reason"
    assert said(course, made, ANN, "exempt", reason="She was ill.")["ok"]
    opened = detail(course, made, ANN)
    assert opened["why"].startswith("You took this out of the count: exempt.")
    assert line_of(sign_off(course), ANN)["word"] == "Exempt"
    assert said(course, made, ANN, "restore")["ok"]
    assert stage(course, made, ANN) == "with instructor"


def test_with_too_few_reviews_the_instructor_reviews_and_goes_on(course: Course, clock: Clock) -> None:
    made = handed_over(course, clock)
    opened = detail(course, made, ANN)
    assert opened["why"].startswith("No review of at least two came in time. Under “More” you can give more time")
    form = f"own-review:{made['ann']}"
    assert act(course, type="draft", form=form, revision=1, content={"strengths": "The"})["ok"]
    review = {"judgements": [{"criterion": "claim", "level": 2}], "strengths": "The rings.", "suggestions": "Link it."}
    assert said(course, made, ANN, "own-review", **review)["error"]["field"] == "level-evidence"
    review["judgements"] = [{"criterion": name, "level": 2} for name in ("claim", "evidence")]
    assert said(course, made, ANN, "own-review", **review)["ok"]
    assert course.draft(PROF, form) is None
    own = detail(course, made, ANN)["own_review"]
    assert (own["sent"], own["draft"]["content"]["strengths"]) == ("Fri 15 May", "The rings.")
    assert said(course, made, ANN, "waive")["error"]["field"] == "reason"
    assert said(course, made, ANN, "waive", reason="One is enough here.")["ok"]
    opened = detail(course, made, ANN)
    assert (opened["own_review"], opened["stage"]) == (None, "revealed")
    assert opened["levels"]["each"] == [{"name": "You", "levels": {"claim": 2, "evidence": 2}}]


def test_more_time_is_given_in_the_courses_zone_to_one_person_or_to_the_reviewers(course: Course, clock: Clock) -> None:
    made = frozen(course, ANN, BOB, CYD)
    dot = sign_off(course, open=DOT.id)["detail"]
    assert dot["more"][0]["choices"][0]["text"].startswith(f"{DOT.name}, to choose a post")
    time = {"type": "more-time", "assignment": "river", "person": "dot", "choice": "freeze_by", "reason": "Her site."}
    for until in ("", "tomorrow", "2027-03-28T02:30"):
        assert act(course, **time, until=until)["error"]["field"] == "until"
    assert "does not exist" in act(course, **time, until="2027-03-28T02:30")["error"]["message"]
    for _ in range(2):
        assert act(course, **time, until="2026-05-09T10:00")["ok"]
    assert course.assignment("river", DOT).freeze_by == datetime(2026, 5, 9, 8, tzinfo=UTC)
    assert len(course.setup.extensions) == 1
    for person in (ANN, BOB, CYD):
        course.self_evaluate(person, made[person.id], a_self_evaluation(), seen=1)
    course.allocate(course.plan("river", seed=1))
    clock.pass_(days=11)
    course.advance()
    assert act(course, **time | {"choice": "review_by", "submission": made["ann"]}, until="2026-05-20T10:00")["ok"]
    assert detail(course, made, ANN)["stage"] == "in review"


def test_a_reviewer_is_assigned_by_the_rules_of_every_allocation(course: Course) -> None:
    made = in_review(course)
    menu = next(each for each in detail(course, made, ANN)["more"] if each["act"] == "assign")
    owing = {each.reviewer for each in course.store.allocations("river") if each.submission == made["ann"]}
    assert {each["value"] for each in menu["choices"]} == {"bob", "cyd", "dot"} - owing
    assert said(course, made, ANN, "assign")["error"]["field"] == "choice"
    assert said(course, made, ANN, "assign", choice="ann")["error"]["message"].startswith(ANN.name)
    assert said(course, made, ANN, "assign", choice=menu["choices"][0]["value"])["ok"]
    assert "assign" not in offered(course, made)[1]


def test_self_each_peer_and_instructor_are_compared_level_by_level(course: Course, made: dict[str, str]) -> None:
    act(course, **a_discuss(course, made, ANN))
    told = detail(course, made, ANN)["levels"]
    assert told["self"] == {"claim": 2, "evidence": 3}
    assert told["teach"] == {"claim": 2, "evidence": 1}
    reviewers = {turn["title"].removesuffix(", reviewer") for turn in detail(course, made, ANN)["turns"][2:4]}
    assert {each["name"] for each in told["each"]} == reviewers
    assert all(each["levels"] == {"claim": 2, "evidence": 2} for each in told["each"])


# -- assistants, and several instructors -----------------------------------------------------------------------------


@pytest.fixture
def assisted(course: Course, made: dict[str, str]) -> dict[str, str]:
    course.store.keep_course(course.setup, [TIA, INES], [])
    return made


def test_an_assistant_reads_everything_but_who_reviewed_and_does_nothing(
    course: Course, assisted: dict[str, str]
) -> None:
    view = screens.view(course, TIA, "sign-off", {"open": assisted["ann"]})
    opened = view["detail"]
    assert (opened["does"], opened["acts"], opened["more"], opened["suggested"]) == ("suggest", [], [], [])
    assert (view["step"]["allocate"], view["step"]["reveal"]) == (None, None)
    assert [line["name"] for line in view["lines"]] == [person.name for person in STUDENTS]
    assert view["lede"] == "A story with numbers. Four submissions wait for the instructor, and none are agreed."
    reviews = [turn for turn in opened["turns"] if turn["kind"] == "review"]
    names = {person.name for person in STUDENTS}
    assert len(reviews) == 2
    assert not any(turn["title"].removesuffix(", reviewer") in names for turn in reviews)
    assert not {each["name"] for each in opened["levels"]["each"]} & names
    for event in (an_accept(course, assisted, ANN), a_discuss(course, assisted, ANN)):
        assert "Only an instructor" in act(course, TIA, **event)["error"]["message"]
    assert stage(course, assisted, ANN) == "with instructor"


def test_an_assistants_draft_is_found_by_an_instructor_who_sends_it(course: Course, assisted: dict[str, str]) -> None:
    form, content = f"staff:{assisted['ann']}", {"word": "I read it lower.", "grade": "70", "recognised": [1], "x": {}}
    assert act(course, TIA, type="draft", form=form, revision=1, content=content)["ok"]
    for who, other in ((PROF, form), (TIA, f"sign-off:{assisted['ann']}")):
        assert not act(course, who, type="draft", form=other, revision=1, content=content)["ok"]
    (draft,) = detail(course, assisted, ANN)["suggested"]
    assert (draft["by"], draft["name"]) == (TIA.id, TIA.name)
    assert draft["content"] == {
        "word": "I read it lower.",
        "grade": "70",
        "levels": {},
        "notes": {},
        "recognised": [],
    }
    assert act(course, **a_discuss(course, assisted, ANN, used=[TIA.id, ANN.id]))["ok"]
    assert detail(course, assisted, ANN)["suggested"] == []
    assert course.draft(TIA, form) is None
    assert course.dialogue(assisted["ann"], PROF).turns[-1].name == "You"


def test_a_draft_that_is_older_than_the_last_word_of_an_instructor_is_no_longer_shown(
    course: Course, assisted: dict[str, str], clock: Clock
) -> None:
    form = f"staff:{assisted['ann']}"
    act(course, TIA, type="draft", form=form, revision=1, content={"word": "I read it lower."})
    clock.pass_(minutes=1)
    act(course, **a_discuss(course, assisted, ANN))
    assert detail(course, assisted, ANN)["suggested"] == []
    assert course.draft(TIA, form) is not None, "it is theirs"


def test_staff_who_wrote_or_review_a_submission_get_the_lesser_view(course: Course, assisted: dict[str, str]) -> None:
    (first, *_) = [each for each in course.store.allocations("river") if each.submission == assisted["ann"]]
    reviewer = replace(course.person(first.reviewer), role="assistant")
    course.store.keep_course(course.setup, [reviewer], [])
    opened = screens.view(course, reviewer, "sign-off", {"open": assisted["ann"]})["detail"]
    assert (opened["does"], "turns" in opened) == ("nothing", False)
    assert opened["why"].startswith("You review this submission yourself")


def test_the_other_instructor_reads_who_did_what(course: Course, assisted: dict[str, str]) -> None:
    act(course, **an_accept(course, assisted, ANN))
    opened = screens.view(course, INES, "sign-off", {"open": assisted["ann"]})["detail"]
    assert opened["why"] == f"{PROF.name} has signed this."
    assert opened["turns"][-1]["title"] == f"{PROF.name} signed 78"
    assert course.dialogue(assisted["ann"], ANN).turns[-1].name == PROF.name


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


def tab_to(page: Page, name: str) -> None:
    for _ in range(80):
        if page.focused() == name:
            return
        page.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


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
    tab_to(page, "more-decide")
    page.press("Enter")
    assert page.focused() == "decide-title"
    tab_to(page, "grade")
    page.press("Control+A")
    page.tab.keyboard.type("80")
    tab_to(page, "decide")
    page.press("Enter")
    assert page.focused() == "field-word"
    page.tab.keyboard.type("The log stays shut.")
    tab_to(page, "decide")
    assert page["decide"].text_content() == "Decide 80"
    page.press("Enter")
    expect(page["dialog"]).to_contain_text(f"Decide 80 for {CYD.name} without agreement?")
    page.press("Tab", "Enter")
    expect(page["decision"]).to_contain_text("The log stays shut.")
    assert stage(course, made, CYD) == "decided"
    page["more"].focus()
    page.press("Enter")
    tab_to(page, "more-reopen")
    page.press("Enter")
    assert page.violations() == []
    tab_to(page, "choice-with-instructor")
    page.press("Space")
    tab_to(page, "dialog-confirm")
    page.press("Enter")
    expect(page["note-error"]).to_contain_text("Write why you reopen it")
    tab_to(page, "field-reason")
    page.tab.keyboard.type("The log is open now.")
    tab_to(page, "dialog-confirm")
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


def test_with_names_hidden_no_student_is_named_in_what_the_page_is_sent(course: Course) -> None:
    made = at_sign_off(course)
    for person in STUDENTS:
        view = sign_off(course, open=made[person.id], names="hidden")
        assert view["params"] == {"assignment": "river", "open": made[person.id], "names": "hidden"}
        told = repr(view).casefold()
        for each in STUDENTS:
            for word in (*each.name.split(), each.email, each.feeds[0].split("/")[2]):
                assert not re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", told), word
        assert view["detail"]["name"] == course.store.dialogue(made[person.id]).submission.pseudonym
        assert course.person(PROF.id).name in repr(view["frame"])
    assert act(course, **an_accept(course, made, ANN) | {"params": {"names": "hidden"}})["view"]["params"]["names"]


def test_with_names_hidden_who_has_no_submission_is_a_number(course: Course) -> None:
    frozen(course, ANN)
    view = sign_off(course, open="bob", names="hidden")
    assert [line["name"] for line in view["lines"]][1:] == ["Student 2", "Student 3", "Student 4"]
    assert "bob" not in repr(view).casefold()


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
