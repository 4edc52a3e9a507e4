"""My work: what an author sees and can say, in the view. Its rarer stages and its browser tests: the files beside."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import Missing, NotAllowed
from reviewkit.model import Accept, Discuss, Feed, Person
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    EVE,
    PEOPLE,
    PROF,
    STUDENTS,
    Clock,
    a_course,
    a_post,
    a_setup,
    answered,
    frozen,
    revealed,
    reviewed,
    self_evaluated,
)
from tests.my_work_cast import (
    a_request,
    act,
    clock,
    course,
    discussed,
    evaluated,
    judgements,
    my_work,
    replying,
)

__all__ = ["clock", "course"]


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
    assert all(turn["title"] == f"{turn['name']}, blind reviewer" for turn in reviews)
    for person in STUDENTS[1:]:
        assert person.name not in json.dumps(view)
        assert person.name.split()[1] not in json.dumps(view)
    assert view["plot"]["peers"]["claim"] == {"low": 2.0, "median": 2.0, "high": 2.0}
    assert "The median of two peers is 75." in view["card"]["text"]


def test_where_reviews_are_open_nobody_is_called_blind(sqlite_store: Store, clock: Clock) -> None:
    course = a_course(sqlite_store, clock, mode="open")
    titles = [turn["title"] for turn in my_work(course, submission=revealed(course)["ann"])["turns"]]
    assert len([title for title in titles if title.endswith(", reviewer")]) == 2
    assert "blind" not in json.dumps(titles)


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
