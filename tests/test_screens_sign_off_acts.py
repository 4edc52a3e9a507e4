"""Sign-off: the rarer acts, assistants, and several instructors."""

from dataclasses import replace
from datetime import UTC, datetime

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import Answer, AskToReopen, Dissent, Reply
from tests.cast import ANN, BOB, CYD, DOT, PROF, STUDENTS, TIA, Clock, a_self_evaluation, frozen
from tests.sign_off_cast import (
    INES,
    a_discuss,
    act,
    an_accept,
    assisted,
    clock,
    course,
    detail,
    handed_over,
    in_review,
    line_of,
    made,
    offered,
    said,
    sign_off,
    stage,
)

__all__ = ["assisted", "clock", "course", "made"]


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
    seen = course.dialogue(made["ann"], ANN).turns
    mine = next(turn.id for turn in seen if turn.kind == "review")
    course.answer(ANN, made["ann"], Answer(review=mine, text="Fair."), seen=len(seen))
    assert detail(course, made, ANN)["turns"][-1]["title"] == f"{ANN.name} answered you"
    hers = screens.view(course, ANN, "my-work", {"submission": made["ann"]})
    assert hers["turns"][-1]["title"] == "You answered the instructor"


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


def test_a_word_that_was_being_typed_when_the_author_agreed_outlives_the_signature(
    course: Course, made: dict[str, str]
) -> None:
    form, word = f"sign-off:{made['ann']}", {"word": "One thing more about the log."}
    assert act(course, **a_discuss(course, made, ANN))["ok"]
    assert act(course, type="draft", form=form, revision=2, after=1, content=word)["ok"]
    course.reply(ANN, made["ann"], Reply(accepts=True), seen=len(course.dialogue(made["ann"], ANN).turns))
    assert said(course, made, ANN, "accept", word="")["ok"]
    assert stage(course, made, ANN) == "signed"
    kept = course.draft(PROF, form)
    assert kept is not None
    assert kept.content == word


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
