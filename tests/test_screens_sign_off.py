"""Sign-off: the class table, one dialogue, accept or discuss, the round; all in the view. The rarer acts and what it is
in a browser: the files beside."""

import re
from dataclasses import replace
from typing import Any

import pytest

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.model import Person, Reply
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
from tests.sign_off_cast import (
    GRADES,
    a_discuss,
    act,
    an_accept,
    at_sign_off,
    clock,
    course,
    detail,
    line_of,
    made,
    sign_off,
    stage,
)

__all__ = ["clock", "course", "made"]


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


# -- names hidden ----------------------------------------------------------------------------------------------------


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
