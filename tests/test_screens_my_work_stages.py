"""My work at its rarer stages: decided, reopened, out of the count, too few or late reviews."""

from dataclasses import replace

from reviewkit.course import Course
from reviewkit.model import Accept, Recognise, Restore, Withdraw
from tests.cast import BOB, CYD, PROF, STUDENTS, Clock, a_self_evaluation, frozen, levels, self_evaluated
from tests.my_work_cast import (
    act,
    clock,
    course,
    decided,
    discussed,
    evaluated,
    exempt,
    my_work,
    reopened,
    replying,
    signed,
    writing_on,
)

__all__ = ["clock", "course"]


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
