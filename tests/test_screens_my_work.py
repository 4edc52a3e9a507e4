"""My work: what an author sees and can say, in the view and in a browser."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import Missing, NotAllowed
from reviewkit.model import (
    Accept,
    Answer,
    Decide,
    Discuss,
    Exempt,
    Feed,
    Person,
    Proposal,
    Recognise,
    Reopen,
    Restore,
    Withdraw,
)
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests import gallery
from tests.cast import (
    ANN,
    BOB,
    CYD,
    EVE,
    MONDAY,
    PEOPLE,
    PROF,
    STUDENTS,
    Clock,
    a_course,
    a_post,
    a_self_evaluation,
    a_setup,
    answered,
    frozen,
    levels,
    revealed,
    reviewed,
    self_evaluated,
)
from tests.pages import DESKTOP, PHONE, Page, Window

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


# -- all posts -------------------------------------------------------------------------------------------------------


def test_an_author_sees_her_own_posts_and_the_one_next_step(course: Course) -> None:
    view = my_work(course)
    assert view["place"] == "start"
    assert [post["title"] for post in view["posts"]] == ["What ann counted, part 1"]
    assert view["posts"][0]["date"] == "Sun 3 May"
    assert view["posts"][0]["word"] == "Not in a round yet"
    assert view["next"]["title"] == "A story with numbers"
    assert "Due Thu 7 May, in 3 days." in view["next"]["text"]
    assert BOB.name not in json.dumps(view)


def test_choosing_a_post_freezes_it_and_opens_its_self_evaluation(course: Course) -> None:
    choice = my_work(course)["posts"][0]["freeze"][0]
    event = {"assignment": choice["assignment"], "posts": [choice["posts"][0]["id"]], "request": "r1"}
    first, second = act(course, type="freeze", **event), act(course, type="freeze", **event)
    assert first["view"]["place"] == "evaluate"
    assert second["view"]["submission"] == first["view"]["submission"]
    assert [each["text"] for each in first["view"]["way"] if each["state"] == "on"] == ["Your self-evaluation"]


def test_a_text_that_was_copied_from_its_page_is_shown_to_its_author_who_is_asked(course: Course) -> None:
    assert my_work(course)["copies"] == {}
    entry = replace(a_post(ANN, days_ago=0.1, number=7), copied=True)
    course.store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [entry], seen=course.clock())
    view = my_work(course)
    ((id, copy),) = view["copies"].items()
    assert (copy["digest"], copy["html"]) == (entry.digest, entry.html)
    event = {"assignment": "river", "posts": [id], "request": "r1"}
    refused = act(course, type="freeze", **event)
    assert "Read the copy and confirm" in refused["error"]["message"]
    assert act(course, type="freeze", **event, confirmed=[copy["digest"]])["view"]["place"] == "evaluate"


def test_nobody_freezes_the_post_of_somebody_else(course: Course) -> None:
    reply = act(course, BOB, type="freeze", assignment="river", posts=[course.posts(ANN)[0].id], request="r1")
    assert "your own posts" in reply["error"]["message"]


def test_after_the_date_no_post_can_be_chosen_any_more(course: Course, clock: Clock) -> None:
    tells = "A story with numbers is open until Thu 7 May."
    assert my_work(course)["lede"] == f"Posts from your own sites with #datastories. {tells}"
    clock.pass_(days=4)
    view = my_work(course)
    assert view["lede"] == "Posts from your own sites with #datastories."
    assert view["next"] is None
    assert view["posts"][0]["action"] == ""


def test_the_list_says_how_far_each_post_is(course: Course) -> None:
    made = frozen(course)
    act(course, type="draft", form=f"self:{made['ann']}", revision=1, content={"levels": {"claim": 2}})
    line = my_work(course)["posts"][0]
    assert (line["word"], line["action"]) == ("Self-evaluation, step 2 of 3", "Continue")
    assert "one of three steps" in my_work(course)["next"]["text"]


@pytest.mark.parametrize(
    ("reach", "word"),
    [
        (self_evaluated, "In blind review"),
        (reviewed, "In blind review"),
        (revealed, "Reviews to answer"),
        (answered, "With your instructor"),
        (discussed, "Your turn"),
    ],
)
def test_the_list_names_every_stage_in_the_authors_words(course: Course, reach: Any, word: str) -> None:
    reach(course)
    assert my_work(course)["posts"][0]["word"] == word


@pytest.mark.parametrize("person", [EVE, PROF])
def test_only_students_have_work_of_their_own(course: Course, person: Person) -> None:
    with pytest.raises(NotAllowed):
        my_work(course, person)
    assert not act(course, person, type="look")["ok"]


def test_nobody_opens_the_work_of_somebody_else(course: Course) -> None:
    made = discussed(course)
    for other in (BOB, CYD):
        with pytest.raises(Missing):
            my_work(course, other, submission=made["ann"])


def test_only_pages_that_exist_are_linked_with_what_waits_there(course: Course) -> None:
    links = my_work(course)["frame"]["links"]
    assert [(link["name"], link["here"], link["waiting"]) for link in links] == [
        ("my-work", True, 1),
        ("reviews", False, 0),
    ]


# -- the self-evaluation ---------------------------------------------------------------------------------------------


def test_the_levels_of_the_draft_suggest_a_range_of_grades(course: Course) -> None:
    submission = frozen(course)["ann"]
    assert my_work(course, submission=submission)["suggestion"] == ""
    content = {"levels": {"claim": 2, "evidence": 3}}
    act(course, type="draft", form=f"self:{submission}", revision=1, content=content)
    view = act(course, type="look", params={"submission": submission})["view"]
    assert view["suggestion"].startswith("Your levels suggest 8")
    assert "equally spaced" in view["suggestion"]


@pytest.mark.parametrize("content", [{"levels": {"claim": 99}}, {"levels": [1]}, {"levels": {"claim": "2"}}, {}])
def test_a_draft_of_any_shape_leaves_the_page_whole(course: Course, content: dict[str, object]) -> None:
    submission = frozen(course)["ann"]
    assert act(course, type="draft", form=f"self:{submission}", revision=1, content=content)["ok"]
    assert my_work(course, submission=submission)["suggestion"] == ""


def test_submitting_ends_the_draft_and_begins_the_dialogue(course: Course) -> None:
    submission = frozen(course)["ann"]
    act(course, type="draft", form=f"self:{submission}", revision=4, content={"strengths": "Two"})
    view = act(course, **evaluated(submission))["view"]
    assert view["place"] == "dialogue"
    assert [turn["title"] for turn in view["turns"]] == ["You froze the submission", "You proposed 82"]
    assert course.draft(ANN, f"self:{submission}") is None
    assert act(course, **evaluated(submission))["ok"], "the same request once more"
    assert "in already" in act(course, **evaluated(submission, request="again", seen=2))["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"judgements": judgements()[:1]}, "level-evidence"),
        ({"judgements": [*judgements()[:1], {"criterion": "evidence", "level": 9}]}, "level-evidence"),
        ({"strengths": "  "}, "strengths"),
        ({"improvements": ""}, "improvements"),
        ({"grade": "a hundred"}, "grade"),
        ({"grade": "101"}, "grade"),
    ],
)
def test_an_unfinished_self_evaluation_is_refused_at_its_first_gap(
    course: Course, changes: dict[str, Any], field: str
) -> None:
    submission = frozen(course)["ann"]
    refused = act(course, **evaluated(submission, **changes))
    assert not refused["ok"]
    assert refused["error"]["field"] == field
    assert len(course.dialogue(submission, ANN).turns) == 1


def test_nobody_evaluates_in_the_name_of_somebody_else(course: Course) -> None:
    submission = frozen(course)["ann"]
    assert not act(course, BOB, **evaluated(submission))["ok"]
    assert my_work(course, submission=submission)["place"] == "evaluate"


@pytest.mark.parametrize(
    ("scale", "grade", "expected"),
    [(("A", "B", "C"), "b", {"kind": "letters", "choices": ["A", "B", "C"]}), ("levels", "", {"kind": "levels"})],
)
def test_letters_and_levels_alone_are_scales_too(
    sqlite_store: Store, clock: Clock, scale: Any, grade: str, expected: dict[str, Any]
) -> None:
    course = a_course(sqlite_store, clock)
    sqlite_store.keep_course(replace(a_setup(), scale=scale), PEOPLE, [])
    submission = frozen(course)["ann"]
    assert my_work(course, submission=submission)["scale"] == expected
    view = act(course, **evaluated(submission, grade=grade))["view"]
    assert view["card"]["grade"] == grade.upper()


# -- the dialogue ----------------------------------------------------------------------------------------------------


def test_before_the_reveal_an_author_is_sent_nothing_of_her_reviews(course: Course) -> None:
    submission = reviewed(course)["ann"]
    view = my_work(course, submission=submission)
    assert "Fine rings" not in json.dumps(view)
    assert view["plot"] is None
    assert "Your blind reviews open on Thu 14 May at 10:00." in view["card"]["text"]


def test_after_the_reveal_reviews_have_pseudonyms_and_days_and_no_names(course: Course) -> None:
    view = my_work(course, submission=revealed(course)["ann"])
    reviews = [turn for turn in view["turns"] if turn["kind"] == "review"]
    assert len(reviews) == 2
    assert {turn["when"] for turn in reviews} == {"Mon 4 May"}
    for person in STUDENTS[1:]:
        assert person.name not in json.dumps(view)
        assert person.name.split()[1] not in json.dumps(view)
    assert view["plot"]["peers"]["claim"] == {"low": 2.0, "median": 2.0, "high": 2.0}
    assert "The median of two peers is 75." in view["card"]["text"]


def test_each_review_is_answered_once_and_the_proposal_revised_once(course: Course) -> None:
    submission = revealed(course)["ann"]
    first, second = (turn["id"] for turn in my_work(course, submission=submission)["turns"] if turn["answer"])

    def answer(review: str, **said: Any) -> dict[str, Any]:
        seen = my_work(course, submission=submission)["seen"]
        said = {"review": review, "text": "Fair.", "rating": ["kind"], "thanks": True} | said
        return act(
            course,
            type="answer",
            submission=submission,
            seen=seen,
            said=said,
            request=a_request(said),
        )

    assert my_work(course, submission=submission)["can_revise"]
    revised = {"grade": "79", "judgements": judgements(2, 2)}
    assert answer(first, revised=revised, changed="")["error"]["field"] == "changed"
    assert answer(first, revised=revised, changed="The log.")["ok"]
    view = my_work(course, submission=submission)
    assert (view["can_revise"], view["mine"]["grade"]) == (False, "79")
    assert [turn["id"] for turn in view["turns"] if turn["answer"]] == [second]
    assert "already" in answer(second, revised=revised, changed="Again.")["error"]["message"]
    assert "already" in answer(first, text="More.")["error"]["message"]
    assert answer(second, text="", rating=[], thanks=False)["error"]["field"] == "answer"
    assert answer(second)["ok"]
    assert my_work(course, submission=submission)["card"]["kind"] == "waiting"


def test_a_counter_proposal_can_be_accepted_and_signed(course: Course) -> None:
    submission = discussed(course)["ann"]
    view = my_work(course, submission=submission)
    assert view["status"] == "Your instructor has proposed a grade. It is your turn."
    assert (view["card"]["kind"], view["card"]["grade"], view["card"]["accept"]) == ("reply", "78", True)
    assert replying(course, submission, accepts=True)["view"]["card"]["grade"] == "78"
    course.accept(PROF, submission, Accept(), seen=None)
    view = my_work(course, submission=submission)
    assert (view["card"]["kind"], view["card"]["sign"]) == ("closed", True)
    assert all(step["state"] == "done" for step in view["way"])
    signed = act(
        course, type="sign", submission=submission, seen=view["seen"], request="s", params={"submission": submission}
    )["view"]
    assert not signed["card"]["sign"]
    assert signed["card"]["signatures"][1].startswith("You signed")
    assert my_work(course)["posts"][0]["word"] == "Agreed at 78"


def test_a_counter_proposal_can_be_answered_with_a_reason_or_another_proposal(course: Course) -> None:
    submission = discussed(course)["ann"]
    assert replying(course, submission, text=" ")["error"]["field"] == "reply"
    proposal = {"grade": "80", "judgements": judgements(2, 2)}
    view = replying(course, submission, text="I do answer it.", proposal=proposal)["view"]
    assert (view["card"]["kind"], view["card"]["grade"]) == ("waiting", "80")


def test_a_question_has_no_grade_to_accept(course: Course) -> None:
    submission = discussed(course, counter=False)["ann"]
    card = my_work(course, submission=submission)["card"]
    assert (card["title"], card["accept"]) == ("A question for you", False)
    assert "no grade" in replying(course, submission, accepts=True)["error"]["message"]


def test_who_was_overtaken_is_told_and_shown_what_changed(course: Course) -> None:
    submission = answered(course)["ann"]
    before = my_work(course, submission=submission)["seen"]
    course.discuss(PROF, submission, Discuss(text="Why Extending?"), seen=None)
    said = {"accepts": False, "text": "Because.", "proposal": None}
    event = {"submission": submission, "seen": before, "said": said, "params": {"submission": submission}}
    reply = act(course, type="reply", request="r", **event)
    assert "Somebody wrote here" in reply["error"]["message"]
    assert reply["view"]["turns"][-1]["text"] == "Why Extending?"


def test_a_later_edit_of_the_blog_only_raises_a_notice(course: Course, clock: Clock) -> None:
    submission = frozen(course)["ann"]
    entry = a_post(ANN)
    changed = replace(entry, html="<p>Other words.</p>", text="Other words.", digest="0" * 64)
    course.store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [changed], seen=clock())
    post = my_work(course, submission=submission)["posts"][0]
    assert post["changed"]
    assert "Other words" not in post["html"]


# -- the rarer stages ------------------------------------------------------------------------------------------------


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


def test_a_decision_shows_its_reason_and_takes_one_dissent_that_stays(course: Course) -> None:
    submission = decided(course)["ann"]
    view = my_work(course, submission=submission)
    assert view["status"] == "Your instructor has decided without your agreement, and signs it next."
    assert view["way"][-1] == {"text": "Decided grade", "state": "on"}
    card = view["card"]
    assert (card["title"], card["grade"], card["reason"]) == ("Decided grade", "70", "The log stays shut.")
    assert (card["dissent"], card["ask"], card["sign"]) == (True, True, True)
    assert writing_on(course, submission, "dissent", " ")["error"]["field"] == "dissent"
    after = writing_on(course, submission, "dissent", "It was open on my side.")["view"]
    assert after["turns"][-1]["title"] == "You dissented"
    assert not after["card"]["dissent"]
    course.accept(PROF, submission, Accept(), seen=None)
    assert my_work(course)["posts"][0]["word"] == "Decided at 70"
    assert "stands here already" in writing_on(course, submission, "dissent", "Again.")["error"]["message"]


def test_an_author_asks_to_reopen_once_and_is_told_that_it_is_seen(course: Course) -> None:
    submission = signed(course)["ann"]
    after = writing_on(course, submission, "ask-to-reopen", "I found the missing page.")["view"]
    assert after["status"] == "You asked to reopen this, and your instructor sees it."
    assert not after["card"]["ask"]
    assert after["card"]["grade"] == "82"
    assert my_work(course)["posts"][0]["word"] == "You asked to reopen it"


def test_after_a_reopen_to_the_self_evaluation_it_is_written_anew_from_what_was_sent(course: Course) -> None:
    submission = reopened(course, self_evaluated, "frozen")
    view = my_work(course, submission=submission)
    assert view["place"] == "evaluate"
    assert view["anew"]["text"].startswith("Your instructor reopened this. Write your self-evaluation anew")
    assert view["anew"]["reason"] == "The log is open now."
    assert (view["draft"]["content"]["grade"], view["draft"]["content"]["levels"]["evidence"]) == ("82", 3)
    assert view["turns"][1]["marks"] == ["Superseded"]
    assert my_work(course)["next"]["text"] == view["anew"]["text"]
    again = act(course, **evaluated(submission, seen=view["seen"], grade="85", request="anew"))["view"]
    assert (again["place"], again["mine"]["grade"], again["anew"]) == ("dialogue", "85", None)


def test_what_was_written_anew_counts_when_the_reviews_are_open(course: Course) -> None:
    submission = reopened(course, self_evaluated, "frozen")
    act(course, **evaluated(submission, seen=3, grade="85", request="anew"))
    course.allocate(course.plan("river", seed=1))
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine.", "Show the log.")
    course.reveal("river", by=PROF)
    view = my_work(course, submission=submission)
    kinds = ["freeze", "self-evaluation", "reopen", "self-evaluation", "review", "review"]
    assert [turn["kind"] for turn in view["turns"]] == kinds
    assert (view["place"], view["mine"]["grade"]) == ("dialogue", "85")


def test_a_self_evaluation_that_came_after_the_reveal_stands_before_the_reviews(course: Course) -> None:
    made = frozen(course)
    for person in (BOB, CYD):
        course.self_evaluate(person, made[person.id], a_self_evaluation(), seen=1)
    course.allocate(course.plan("river", seed=1))
    course.reveal("river", by=PROF, reason="The term ends.")
    course.recognise(PROF, made["ann"], Recognise(text="The rings."), seen=None)
    act(course, **evaluated(made["ann"], seen=my_work(course, submission=made["ann"])["seen"]))
    kinds = [turn["kind"] for turn in my_work(course, submission=made["ann"])["turns"]]
    assert kinds == ["freeze", "self-evaluation", "recognise"]


def test_after_a_reopen_to_the_answers_every_review_can_be_answered_anew(course: Course) -> None:
    submission = reopened(course, signed, "revealed")
    view = my_work(course, submission=submission)
    assert [turn["answer"] for turn in view["turns"] if turn["kind"] == "review"] == [True, True]
    assert view["anew"]["text"] == "Your instructor reopened this. Answer your reviews anew."
    assert {turn["kind"] for turn in view["turns"] if turn["old"]} == {"answer", "accept", "sign-off"}
    assert (view["card"]["kind"], view["card"]["waits"]) == ("waiting", "It waits for you.")
    assert my_work(course)["next"]["text"] == view["anew"]["text"]


def test_after_a_reopen_to_the_discussion_the_reply_counts_again(course: Course) -> None:
    made = discussed(course)
    replying(course, made["ann"], accepts=True)
    submission = reopened(course, lambda _: made, "discussing")
    view = my_work(course, submission=submission)
    assert (view["card"]["kind"], view["card"]["grade"]) == ("reply", "78")
    assert replying(course, submission, text="I read it otherwise now.")["ok"]


def test_who_is_exempt_is_told_why_and_whom_to_ask(course: Course) -> None:
    submission = exempt(course)["ann"]
    view = my_work(course, submission=submission)
    assert view["status"] == "This is out of the count. Nothing is asked of you here, and nothing is lost."
    card = view["card"]
    assert (card["title"], card["reason"]) == ("Exempt", "You were ill.")
    assert card["text"] == f"If that is not right, talk to {PROF.name}."
    assert view["way"] == []
    assert my_work(course)["posts"][0]["word"] == "Exempt"
    assert my_work(course)["next"] is None
    course.set_aside(PROF, submission, Restore(), seen=None)
    assert my_work(course, submission=submission)["card"]["kind"] == "waiting"


def test_what_is_withdrawn_before_the_self_evaluation_asks_for_none(course: Course) -> None:
    submission = frozen(course)["ann"]
    course.set_aside(PROF, submission, Withdraw(), seen=None)
    assert my_work(course, submission=submission)["card"]["kind"] == "out"


def test_too_few_reviews_are_said_in_words_and_who_goes_on(course: Course, clock: Clock) -> None:
    submission = self_evaluated(course)["ann"]
    clock.pass_(days=11)
    course.advance()
    view = my_work(course, submission=submission)
    assert view["status"] == "Too few reviews came in time. Your instructor says how it goes on."
    assert view["card"]["waits"] == "It waits for your instructor."
    assert view["turns"][-1]["title"] == "With the instructor"
    assert [step["state"] for step in view["way"]] == ["done", "", "", "on", ""], (
        "no review came that could be answered"
    )


def test_a_late_review_is_marked_and_may_be_answered_or_not(course: Course) -> None:
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    late = next(each for each in course.store.allocations("river") if each.submission == made["ann"])
    for person in STUDENTS:
        for duty in course.duties(person):
            if duty.id != late.id:
                course.review(person, duty.id, levels(), "Fine.", "Show the log.")
    course.reveal("river", by=PROF, reason="The term ends.")
    first = next(turn for turn in my_work(course, submission=made["ann"])["turns"] if turn["kind"] == "review")
    said = {"review": first["id"], "text": "Fair.", "rating": [], "thanks": False, "revised": None, "changed": ""}
    seen = my_work(course, submission=made["ann"])["seen"]
    assert act(course, type="answer", submission=made["ann"], seen=seen, said=said, request="r")["ok"]
    course.review(course.person(late.reviewer), late.id, levels(), "Fine, late.", "Show the log.")
    view = my_work(course, submission=made["ann"])
    review = next(turn for turn in view["turns"] if turn["text"] == "Fine, late.")
    assert (review["marks"], review["answer"], review["optional"]) == (["Late"], True, True)
    assert view["card"]["waits"] == "It waits for your instructor."


def test_where_several_instruct_whoever_acts_is_named(course: Course) -> None:
    submission = discussed(course)["ann"]
    assert my_work(course, submission=submission)["turns"][-1]["title"] == "Instructor proposed 78"
    course.store.keep_course(course.setup, [replace(PROF, id="second", name="Ines Kumar", email="i@k.example")], [])
    assert my_work(course, submission=submission)["turns"][-1]["title"] == f"{PROF.name} proposed 78"


# -- drafts and events, for all screens ------------------------------------------------------------------------------


def test_a_draft_is_acknowledged_with_the_time_in_the_courses_zone(course: Course) -> None:
    submission = frozen(course)["ann"]
    form = f"self:{submission}"
    kept = act(course, type="draft", form=form, revision=3, content={"strengths": "Two marks."})
    assert kept == {"ok": True, "revision": 3, "saved": "10:00"}
    draft = {"form": form, "revision": 3, "content": {"strengths": "Two marks."}, "saved": "10:00"}
    assert my_work(course, submission=submission)["draft"] == draft


def test_two_windows_never_mix_their_texts(course: Course) -> None:
    form = f"self:{frozen(course)['ann']}"
    assert act(course, type="draft", form=form, revision=2, content={"strengths": "From one window."})["ok"]
    assert act(course, type="draft", form=form, revision=2, content={"strengths": "From one window."})["ok"]
    for revision in (2, 9):
        other = act(course, type="draft", form=form, revision=revision, content={"strengths": "From another."})
        assert (other["ok"], other["conflict"]) == (False, True)
        assert other["draft"]["content"] == {"strengths": "From one window."}
    assert act(course, type="draft", form=form, revision=3, after=2, content={"strengths": "Further."})["ok"]


def test_a_draft_that_comes_after_the_evaluation_was_submitted_does_not_come_back(course: Course) -> None:
    submission = frozen(course)["ann"]
    form = f"self:{submission}"
    act(course, type="draft", form=form, revision=4, content={"strengths": "Two"})
    act(course, **evaluated(submission))
    for revision, after in ((5, 4), (4, 0), (90, 0)):
        late = act(course, type="draft", form=form, revision=revision, after=after, content={"strengths": "Late"})
        assert (late["ok"], late["conflict"], late["draft"]["content"]) == (False, True, {})
        assert "sent or put away in another window" in late["error"]["message"]
    assert course.draft(ANN, form) is None


def test_a_draft_belongs_to_its_writer_alone(course: Course) -> None:
    form = f"self:{frozen(course)['ann']}"
    act(course, type="draft", form=form, revision=1, content={"strengths": "Mine."})
    assert screens.draft_of(course, BOB, form)["content"] == {}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "draft", "form": "self", "revision": 1, "content": {}},
        {"type": "draft", "form": "self:" + "x" * 200, "revision": 1, "content": {}},
        {"type": "draft", "form": "self:RK-1", "revision": 0, "content": {}},
        {"type": "draft", "form": "self:RK-1", "revision": "1", "content": {}},
        {"type": "draft", "form": "self:RK-1", "revision": 1, "content": "text"},
        {"type": "draft", "form": "self:RK-1", "revision": 1, "after": 1, "content": {}},
        {"type": "draft", "form": "self:RK-1", "revision": 2, "after": "1", "content": {}},
        {"type": "draft", "form": "self:RK-1", "revision": 2, "after": -1, "content": {}},
        {"type": "draft", "form": "self:RK-1", "revision": 1, "content": {"strengths": "x" * 1_000_001}},
        {"type": "drop-everything"},
        {"type": 7},
        {},
        {"type": "submit"},
        {"type": "reply", "submission": "RK-1", "seen": "many"},
    ],
)
def test_what_a_page_cannot_have_sent_is_refused_in_words(course: Course, event: dict[str, Any]) -> None:
    reply = act(course, **event)
    assert not reply["ok"]
    assert reply["error"]["message"].endswith(".")


# -- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []


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


def tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        if page.focused() == name:
            return
        page.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


@pytest.mark.browser
def test_a_post_is_chosen_and_evaluated_by_keyboard_alone(window: Window, course: Course) -> None:
    page = window.open("my-work", ANN)
    tab_to(page, "next")
    page.press("Enter")
    expect(page["dialog"]).to_contain_text("A copy is kept as it is now")
    assert page.focused() == "dialog-cancel"
    page.press("Tab", "Enter")
    expect(page["step-claim"]).to_have_attribute("aria-current", "step")
    tab_to(page, "level-claim-0")
    page.press("ArrowRight", "ArrowRight")
    tab_to(page, "choose-claim")
    page.press("Enter")
    tab_to(page, "sentence-1")
    page.press("Enter")
    expect(page["evidence-claim"]).to_have_text(GAUGE)
    tab_to(page, "field-note-claim")
    page.tab.keyboard.type("Because of the gauge.")
    tab_to(page, "step-next")
    page.press("Enter")
    assert page.focused() == "step-title"
    tab_to(page, "level-evidence-0")
    page.press("Space", "ArrowRight")
    tab_to(page, "step-next")
    page.press("Enter")
    tab_to(page, "field-strengths")
    page.tab.keyboard.type("Two marks.")
    tab_to(page, "field-improvements")
    page.tab.keyboard.type("Link the log.")
    tab_to(page, "grade")
    page.tab.keyboard.type("82")
    tab_to(page, "submit")
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
        tab_to(page, "rate-specific")
        page.press("Space")
        tab_to(page, "rate-thanks")
        page.press("Space")
        tab_to(page, "field-answer")
        page.tab.keyboard.type("Fair. It is linked now.")
        tab_to(page, "send-answer")
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
    tab_to(page, "reply-open")
    page.press("Enter")
    assert page.focused() == "field-reply"
    tab_to(page, "send-reply")
    page.press("Enter")
    expect(page.tab.get_by_text("Write your reason before you send.")).to_be_visible()
    assert page.focused() == "field-reply"
    tab_to(page, "accept")
    page.press("Enter")
    expect(page["dialog"]).to_contain_text("Accept 78 as your grade?")
    page.press("Tab", "Enter")
    expect(page["card-closed"]).to_contain_text("78")
    expect(page["dialog"]).to_have_count(0)
    expect(page.tab.locator(":focus")).to_have_count(1)
    assert course.dialogue(submission, ANN).stage == "agreed"
    course.accept(PROF, submission, Accept(), seen=None)
    page = window.open("my-work", ANN, params={"submission": submission})
    tab_to(page, "sign")
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
    tab_to(page, "dissent")
    page.press("Enter")
    assert page.violations() == []
    tab_to(page, "field-dissent")
    page.tab.keyboard.type("It was open")
    page.press("Escape", "Enter")
    expect(page["field-dissent"]).to_have_value("It was open")
    tab_to(page, "field-dissent")
    page.press("End")
    page.tab.keyboard.type(" on my side.")
    tab_to(page, "dialog-confirm")
    page.press("Enter")
    expect(page["dialogue"]).to_contain_text("It was open on my side.")
    expect(page["dissent"]).to_have_count(0)
    tab_to(page, "ask-to-reopen")
    page.press("Enter")
    tab_to(page, "field-ask")
    page.tab.keyboard.type("The log is open now.")
    tab_to(page, "dialog-confirm")
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
    tab_to(page, "accept")
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
