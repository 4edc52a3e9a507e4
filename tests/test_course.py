"""The course's verbs: who may do what, who sees what, and what stays when two people write at once."""

import dataclasses
from collections.abc import Callable

import pytest

from reviewkit import exchange
from reviewkit.course import Course
from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed, StoreError
from reviewkit.model import (
    Accept,
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Feed,
    Freeze,
    Mode,
    Person,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Reviews,
    Withdraw,
)
from reviewkit.sheet import Projection, Report, SheetChanged, Typed
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
    a_post,
    a_self_evaluation,
    answered,
    frozen,
    levels,
    revealed,
    reviewed,
    self_evaluated,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def grade_of(course: Course, submission: str) -> str:
    return next(
        line for line in course.class_table(PROF, course.assignment("river")) if line.submission == submission
    ).agreed


# -- the walk --------------------------------------------------------------------------------------------------------


def test_a_post_becomes_a_signed_grade(course: Course) -> None:
    made = answered(course)
    submission = made["ann"]
    seen = len(course.dialogue(submission, PROF).turns)
    course.discuss(
        PROF,
        submission,
        Discuss(text="I read Connection lower.", counter=Proposal(judgements=levels(1, 3), grade="78")),
        seen=seen,
    )
    assert course.dialogue(submission, ANN).waiting_on == "You"
    course.reply(
        ANN,
        submission,
        Reply(text="Halfway.", proposal=Proposal(judgements=levels(2, 3), grade="80")),
        seen=len(course.dialogue(submission, ANN).turns),
    )
    course.accept(PROF, submission, Accept(grade="80"), seen=len(course.dialogue(submission, PROF).turns))
    assert course.dialogue(submission, ANN).stage == "signed"
    assert grade_of(course, submission) == "80"
    kinds = [turn.kind for turn in course.dialogue(submission, PROF).turns]
    assert kinds == [
        "freeze",
        "self-evaluation",
        "review",
        "review",
        "reveal",
        "answer",
        "answer",
        "discuss",
        "reply",
        "accept",
        "sign-off",
    ]


def test_after_a_reply_that_accepts_the_instructor_only_signs(course: Course) -> None:
    submission = answered(course)["ann"]
    said = Discuss(text="78, I think.", counter=Proposal(judgements=levels(1, 3), grade="78"))
    course.discuss(PROF, submission, said, seen=len(course.dialogue(submission, PROF).turns))
    course.reply(ANN, submission, Reply(accepts=True), seen=len(course.dialogue(submission, ANN).turns))
    course.accept(PROF, submission, Accept(), seen=len(course.dialogue(submission, PROF).turns))
    assert grade_of(course, submission) == "78"
    assert [turn.kind for turn in course.dialogue(submission, PROF).turns][-2:] == ["reply", "sign-off"]


# -- choosing --------------------------------------------------------------------------------------------------------


def test_only_posts_with_the_tag_inside_the_dates_can_be_chosen(course: Course, sqlite_store: Store) -> None:
    river = course.assignment("river")
    untagged = dataclasses.replace(a_post(ANN, number=2), tags=())
    early = a_post(ANN, number=3, days_ago=60)
    late = a_post(ANN, number=4, days_ago=-5)
    sqlite_store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [untagged, early, late], seen=course.clock())
    assert [post.guid for post in course.candidates(ANN, river)] == [a_post(ANN).guid]
    with pytest.raises(NotAllowed, match="carry #datastories"):
        course.freeze(ANN, "river", [post.id for post in course.posts(ANN) if post.guid == early.guid])


def test_a_text_that_was_copied_from_its_page_is_frozen_once_its_author_has_read_it(
    course: Course, sqlite_store: Store
) -> None:
    copied = dataclasses.replace(a_post(ANN, number=5), copied=True)
    sqlite_store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [copied], seen=course.clock())
    [post] = [each for each in course.candidates(ANN, course.assignment("river")) if each.latest.copied]
    for confirmed in ([], ["another text"]):
        with pytest.raises(Invalid, match="was copied from its page"):
            course.freeze(ANN, "river", [post.id], confirmed=confirmed)
    assert course.freeze(ANN, "river", [post.id], confirmed=[post.latest.digest])


def test_the_date_freezes_a_copied_text_and_asks_nobody(course: Course, sqlite_store: Store) -> None:
    copied = dataclasses.replace(a_post(ANN, number=5, days_ago=0.2), copied=True)
    sqlite_store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [copied], seen=course.clock())
    [post] = [each for each in course.candidates(ANN, course.assignment("river")) if each.latest.copied]
    assert course.freeze(ANN, "river", [post.id], via="schedule")


def test_nobody_freezes_somebody_elses_post_or_two_posts_or_twice(course: Course) -> None:
    [post] = course.candidates(BOB, course.assignment("river"))
    with pytest.raises(NotAllowed):
        course.freeze(ANN, "river", [post.id])
    with pytest.raises(NotAllowed, match="Only students"):
        course.freeze(EVE, "river", [post.id])
    course.freeze(BOB, "river", [post.id])
    with pytest.raises(Conflict):
        course.freeze(BOB, "river", [post.id])


def test_a_blog_edit_after_the_freeze_only_raises_source_changed(course: Course, sqlite_store: Store) -> None:
    submission = self_evaluated(course, ANN)["ann"]
    edited = dataclasses.replace(a_post(ANN), text="All new.", html="<p>All new.</p>", digest="0" * 64)
    sqlite_store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [edited], seen=course.clock())
    [copy] = course.dialogue(submission, ANN).posts
    assert "eleven weeks" in copy.text
    assert copy.changed_since


def test_at_the_date_the_newest_candidate_is_frozen_for_those_who_did_not_choose(
    course: Course, clock: Clock, sqlite_store: Store
) -> None:
    frozen(course, ANN)
    newer = a_post(BOB, number=9, days_ago=0.5)
    sqlite_store.keep_pull(Feed(person="bob", url=BOB.feeds[0]), [newer], seen=clock())
    clock.pass_(days=4)
    assert len(course.advance()) == 3
    submission = course.submission_of(BOB, course.assignment("river"))
    assert submission is not None
    [copy] = course.dialogue(submission.id, BOB).posts
    assert copy.title == newer.title
    assert course.advance() == []


# -- permission ------------------------------------------------------------------------------------------------------


def test_a_dialogue_is_for_its_author_and_the_staff_alone(course: Course) -> None:
    submission = frozen(course)["ann"]
    for other in (BOB, CYD, EVE):
        with pytest.raises(Missing):
            course.dialogue(submission, other)
        with pytest.raises(NotAllowed):
            course.self_evaluate(other, submission, a_self_evaluation(), seen=0)
    with pytest.raises(NotAllowed):
        course.class_table(ANN, course.assignment("river"))
    with pytest.raises(NotAllowed):
        course.reveal("river", by=ANN)


def test_only_the_instructor_discusses_and_accepts(course: Course) -> None:
    submission = answered(course)["ann"]
    for other in (ANN, BOB, EVE):
        with pytest.raises(NotAllowed):
            course.accept(other, submission, Accept(grade="82"), seen=None)
        with pytest.raises(NotAllowed):
            course.discuss(other, submission, Discuss(text="Hm."), seen=None)


def test_a_review_is_given_only_by_the_one_who_owes_it(course: Course) -> None:
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    [mine, _] = course.duties(BOB)
    with pytest.raises(Missing):
        course.review(EVE, mine.id, levels(), "Fine.", "More.")
    with pytest.raises(Missing):
        course.duty(PROF, mine.id)


def test_nobody_opens_a_review_they_owe_before_their_own_self_evaluation(course: Course) -> None:
    self_evaluated(course, ANN, CYD, DOT)
    frozen(course, BOB)
    course.allocate(course.plan("river", seed=1))
    [duty, _] = course.duties(BOB)
    assert "your own self-evaluation first" in duty.locked
    assert duty.posts == ()
    with pytest.raises(NotAllowed, match="your own self-evaluation first"):
        course.review(BOB, duty.id, levels(), "Fine.", "More.")


def test_levels_and_grades_out_of_range_are_refused_with_their_field(course: Course) -> None:
    submission = frozen(course)["ann"]
    for said, field in (
        (a_self_evaluation("101"), "grade"),
        (a_self_evaluation("eighty"), "grade"),
        (dataclasses.replace(a_self_evaluation(), judgements=levels(2, 9)), "level-evidence"),
        (dataclasses.replace(a_self_evaluation(), judgements=levels()[:1]), "level-evidence"),
        (dataclasses.replace(a_self_evaluation(), strengths=" "), "strengths"),
    ):
        with pytest.raises(Invalid) as refused:
            course.self_evaluate(ANN, submission, said, seen=1)
        assert refused.value.field == field


# -- blindness -------------------------------------------------------------------------------------------------------


def everything_a_peer_gets(course: Course, reviewer: object) -> str:
    assert isinstance(reviewer, type(BOB))
    return "\n".join(repr((duty, course.duty(reviewer, duty.id))) for duty in course.duties(reviewer)).casefold()


def test_a_reviewer_cannot_tell_whose_submission_it_is(course: Course) -> None:
    made = reviewed(course)
    for reviewer in STUDENTS:
        told = everything_a_peer_gets(course, reviewer)
        for author in STUDENTS:
            if author is not reviewer:
                for planted in (author.name.split()[1], author.email, author.feeds[0].split("/")[2], made[author.id]):
                    assert planted.casefold() not in told


def test_an_author_cannot_tell_who_reviewed_and_sees_nothing_before_the_reveal(course: Course) -> None:
    made = reviewed(course)
    assert "review" not in {turn.kind for turn in course.dialogue(made["ann"], ANN).turns}
    course.reveal("river", by=PROF)
    told = repr(course.dialogue(made["ann"], ANN)).casefold()
    assert "fine rings" in told
    for reviewer in (BOB, CYD, DOT):
        assert reviewer.name.split()[1].casefold() not in told
        assert not any(duty.id in told for duty in course.duties(reviewer))
    reviews = [turn for turn in course.dialogue(made["ann"], ANN).turns if turn.kind == "review"]
    assert len(reviews) == 2
    assert all(turn.day_only and turn.at == course.clock() for turn in reviews)


def test_pseudonyms_are_never_the_same_in_two_submissions(course: Course) -> None:
    reviewed(course)
    names = [each.pseudonym for each in course.store.allocations()]
    names += [each.pseudonym for each in course.store.submissions()]
    assert len(set(names)) == len(names)


def test_without_a_self_evaluation_the_author_reads_no_review(course: Course) -> None:
    made = self_evaluated(course, ANN, BOB, CYD)
    made |= frozen(course, DOT)
    course.allocate(course.plan("river", seed=1))
    for person in (ANN, BOB, CYD):
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine.", "More.")
    course.reveal("river", by=PROF, reason="Dot's reviews are missing.")
    assert [turn.kind for turn in course.dialogue(made["dot"], DOT).turns] == ["freeze"]
    course.self_evaluate(DOT, made["dot"], a_self_evaluation(), seen=1)
    assert [turn.kind for turn in course.dialogue(made["dot"], DOT).turns] == [
        "freeze",
        "self-evaluation",
        "review",
        "review",
    ]


def test_a_reviewer_reads_the_answer_to_their_review_but_no_grade(course: Course) -> None:
    made = revealed(course)
    [first, _] = [turn for turn in course.dialogue(made["ann"], ANN).turns if turn.kind == "review"]
    revised = Proposal(judgements=levels(1, 1), grade="71")
    said = Answer(review=first.id, text=f"Thanks, {ANN.name} here.", thanks=True, revised=revised, changed="The log.")
    course.answer(ANN, made["ann"], said, seen=len(course.dialogue(made["ann"], ANN).turns))
    told = [turn for person in (BOB, CYD, DOT) for duty in course.duties(person) for turn in duty.others]
    [answer] = [turn for turn in told if turn.kind == "answer"]
    assert isinstance(answer.what, Answer)
    assert answer.what.thanks
    assert answer.what.revised is None
    assert "Lindqvist" not in repr(answer)
    assert "71" not in repr(dataclasses.replace(answer.what, review="a random id"))


def test_in_open_mode_names_are_shown_both_ways(sqlite_store: Store, clock: Clock) -> None:
    course = a_course(sqlite_store, clock, mode="open")
    made = revealed(course)
    names = {turn.name for turn in course.dialogue(made["ann"], ANN).turns if turn.kind == "review"}
    assert names <= {BOB.name, CYD.name, DOT.name}
    assert {duty.author for duty in course.duties(ANN)} <= {BOB.name, CYD.name, DOT.name}


@pytest.mark.parametrize(("promised", "later"), [("double-blind", "open"), ("open", "double-blind")])
def test_a_submission_keeps_the_mode_that_it_was_frozen_under(
    sqlite_store: Store, clock: Clock, promised: Mode, later: Mode
) -> None:
    course = a_course(sqlite_store, clock, mode=promised)
    made = revealed(course)
    before = course.dialogue(made["ann"], ANN), course.duties(ANN)
    course.store.change_setup(lambda setup: dataclasses.replace(setup, reviews=Reviews(count=2, minimum=2, mode=later)))
    assert (course.dialogue(made["ann"], ANN), course.duties(ANN)) == before
    assert {duty.mode for duty in course.duties(ANN)} == {promised}
    assert bool(course.replaced(ANN, made["ann"])) == (promised == "double-blind")
    [first] = [turn.what for turn in course.store.dialogue(made["ann"]).turns if isinstance(turn.what, Freeze)]
    assert first.mode == promised


# -- writing at the same time ----------------------------------------------------------------------------------------


def test_a_writer_who_has_not_seen_the_last_turn_is_told_and_nothing_is_written(course: Course) -> None:
    submission = answered(course)["ann"]
    seen = len(course.dialogue(submission, PROF).turns)
    course.discuss(PROF, submission, Discuss(text="Why?"), seen=seen)
    with pytest.raises(Conflict, match="since you opened the page"):
        course.accept(PROF, submission, Accept(grade="82"), seen=seen)
    assert course.dialogue(submission, PROF).stage == "discussing"


def test_the_same_request_sent_twice_has_one_effect(course: Course) -> None:
    submission = frozen(course)["ann"]
    for _ in range(2):
        course.self_evaluate(ANN, submission, a_self_evaluation(), seen=1, request="r1")
    assert [turn.kind for turn in course.dialogue(submission, ANN).turns] == ["freeze", "self-evaluation"]


def test_a_blind_review_that_comes_in_meanwhile_is_no_reason_to_send_the_author_back(course: Course) -> None:
    made = self_evaluated(course, BOB, CYD, DOT) | frozen(course, ANN)
    course.allocate(course.plan("river", seed=1))
    seen = len(course.dialogue(made["ann"], ANN).turns)
    for person in (BOB, CYD, DOT):
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine.", "More.")
    course.self_evaluate(ANN, made["ann"], a_self_evaluation(), seen=seen)
    assert course.dialogue(made["ann"], ANN).stage == "in review"


# -- the round -------------------------------------------------------------------------------------------------------


def test_the_dates_freeze_allocate_and_reveal_and_running_it_again_changes_nothing(
    course: Course, clock: Clock
) -> None:
    self_evaluated(course)
    clock.pass_(days=6)
    assert any("allocated" in sentence for sentence in course.advance())
    assert course.advance() == []
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine.", "More.")
    clock.pass_(days=5)
    assert any("revealed" in sentence for sentence in course.advance())
    assert course.advance() == []


def test_whom_it_waits_for_is_said_and_after_each_date_the_instructor_can_act(course: Course, clock: Clock) -> None:
    def waits(person: object = ANN) -> str:
        lines = course.class_table(PROF, course.assignment("river"))
        return next(line.waiting_on for line in lines if line.person == person)

    assert waits() == ANN.name
    self_evaluated(course)
    assert waits() == ""
    course.allocate(course.plan("river", seed=1))
    assert waits() == "2 reviewers"
    clock.pass_(days=11)
    course.advance()
    assert waits() == "You"
    submission = course.submission_of(ANN, course.assignment("river"))
    assert submission is not None
    with pytest.raises(NotAllowed, match="have not been revealed"):
        course.accept(PROF, submission.id, Accept(grade="82"), seen=None)
    course.reveal("river", by=PROF, reason="Nobody reviewed.")
    assert waits() == "You"


def test_counts_beside_the_destinations_say_what_waits_for_whom(course: Course) -> None:
    assert course.waiting(ANN) == {"my-work": 1, "reviews": 0}
    reviewed_ = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    assert course.waiting(ANN) == {"my-work": 0, "reviews": 2}
    assert course.waiting(PROF) == {"sign-off": 0}
    assert set(reviewed_) == {"ann", "bob", "cyd", "dot"}


# -- decisions typed into the sheet ----------------------------------------------------------------------------------


class Paper:
    """A workbook in memory: what was typed into it by submission, and what it shows."""

    place = "a book in memory"

    def __init__(self) -> None:
        self.inputs: dict[str, tuple[str, str, str]] = {}
        self.shown: Projection | None = None
        self.saves = self.cycles = 0

    def cycle(self, projection_of: Callable[[list[Typed]], Projection]) -> Report:
        self.cycles += 1
        if self.saves:
            self.saves -= 1
            raise SheetChanged("Somebody saved the workbook; nothing was written.")
        rows = {row.id: (row.self_grade, row.stage) for row in self.shown.submissions} if self.shown else {}
        typed = [
            Typed(submission=id, decision=decision, grade=grade, comment=comment, shown=shown, stage=stage)
            for id, (decision, grade, comment) in self.inputs.items()
            for shown, stage in [rows.get(id, ("", ""))]
        ]
        self.shown = projection_of(typed)
        return Report()

    def close(self) -> None: ...

    def status(self, submission: str) -> str:
        assert self.shown is not None
        return next(row.status for row in self.shown.submissions if row.id == submission)


@pytest.fixture
def paper(course: Course) -> Paper:
    book = Paper()
    course.book, course.acts_as = book, PROF.email
    return book


def kinds(course: Course, submission: str) -> list[str]:
    return [turn.kind for turn in course.dialogue(submission, PROF).turns]


def test_a_typed_accept_becomes_a_turn_once_and_is_marked_sheet(course: Course, paper: Paper) -> None:
    submission = answered(course)["ann"]
    course.sync()
    paper.inputs[submission] = ("accept", "", "Well argued.")
    for _ in range(3):
        course.sync()
    assert kinds(course, submission)[-2:] == ["accept", "sign-off"]
    assert paper.status(submission) == "Accepted and signed."
    assert course.store.dialogue(submission).turns[-1].via == "sheet"
    assert course.store.dialogue(submission).turns[-1].by == PROF.id


def test_an_accept_typed_beside_an_older_proposal_is_refused_in_the_row(course: Course, paper: Paper) -> None:
    submission = revealed(course)["ann"]
    course.sync()
    turns = course.dialogue(submission, ANN).turns
    first = next(turn for turn in turns if turn.kind == "review")
    revised = Proposal(judgements=levels(1, 1), grade="71")
    said = Answer(review=first.id, revised=revised, changed="The log.")
    course.answer(ANN, submission, said, seen=len(turns))
    paper.inputs[submission] = ("accept", "", "")
    course.sync()
    assert paper.status(submission).startswith("Not taken: The proposal that stands is 71, not 82.")
    assert "accept" not in kinds(course, submission)


def offered(course: Course) -> str:
    """Ann has proposed 82 and is asked to reply to 78."""
    submission = answered(course)["ann"]
    said = Discuss(text="78, I think.", counter=Proposal(judgements=levels(1, 3), grade="78"))
    course.discuss(PROF, submission, said, seen=len(course.dialogue(submission, PROF).turns))
    return submission


def accepts(course: Course, submission: str) -> None:
    course.reply(ANN, submission, Reply(accepts=True), seen=len(course.dialogue(submission, ANN).turns))


def test_an_accept_typed_beside_what_is_agreed_signs_it_and_says_that_a_signature_has_no_words(
    course: Course, paper: Paper
) -> None:
    submission = offered(course)
    accepts(course, submission)
    course.sync()
    paper.inputs[submission] = ("accept", "90", "")
    course.sync()
    assert paper.status(submission).startswith("Not taken: This is closed at 78 already, not at 90.")
    paper.inputs[submission] = ("accept", "", "Well argued.")
    course.sync()
    assert paper.status(submission) == "Accepted and signed. The comment was not sent: it was agreed already."
    assert grade_of(course, submission) == "78"


def test_an_accept_typed_before_the_author_agreed_to_something_else_signs_nothing(course: Course, paper: Paper) -> None:
    submission = offered(course)
    course.sync()
    accepts(course, submission)
    paper.inputs[submission] = ("accept", "", "")
    course.sync()
    assert paper.status(submission).startswith("Not taken: This was closed at 78 since the sheet showed it.")
    assert kinds(course, submission)[-1] == "reply"


def test_what_is_agreed_is_signed_without_words_that_nobody_would_read(course: Course) -> None:
    submission = offered(course)
    accepts(course, submission)
    seen = len(course.dialogue(submission, PROF).turns)
    for said in (Accept(grade="78", text="Well argued."), Accept(recognised=("Clear evidence",))):
        with pytest.raises(Invalid, match="no words"):
            course.accept(PROF, submission, said, seen=seen)
    course.accept(PROF, submission, Accept(grade="78"), seen=seen)
    assert kinds(course, submission)[-1] == "sign-off"


def test_a_decision_in_a_row_that_somebody_made_stops_no_other(course: Course, paper: Paper) -> None:
    submission = answered(course)["ann"]
    course.sync()
    paper.inputs["RK-7F3A2C91"] = ("accept", "82", "")
    paper.inputs[submission] = ("accept", "82", "")
    course.sync()
    assert paper.status(submission) == "Accepted and signed."


def test_a_store_that_is_away_refuses_no_decision_and_the_next_sync_takes_it(
    course: Course, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = answered(course)["ann"]
    course.sync()
    paper.inputs[submission] = ("accept", "82", "")

    def away(*_: object, **__: object) -> None:
        raise StoreError("The database is locked.")

    with monkeypatch.context() as broken:
        broken.setattr(course.store, "say", away)
        with pytest.raises(StoreError):
            course.sync()
    course.sync()
    assert paper.status(submission) == "Accepted and signed."
    assert kinds(course, submission).count("accept") == 1


def test_a_decision_that_was_cleared_can_be_typed_anew(course: Course, paper: Paper) -> None:
    submission = reviewed(course)["ann"]
    course.sync()
    paper.inputs[submission] = ("accept", "82", "")
    course.sync()
    assert paper.status(submission).startswith("Not taken: The reviews of this submission have not been revealed")
    course.reveal("river", by=PROF)
    course.sync()
    assert "accept" not in kinds(course, submission), "a decision that came too early never acts by itself later"
    paper.inputs[submission] = ("", "", "")
    course.sync()
    assert paper.status(submission) == ""
    paper.inputs[submission] = ("accept", "82", "")
    course.sync()
    assert paper.status(submission) == "Accepted and signed."


def test_a_sheet_that_people_save_meanwhile_is_synced_in_a_new_cycle(course: Course, paper: Paper) -> None:
    paper.saves = 2
    course.sync()
    assert paper.cycles == 3
    paper.saves = 3
    with pytest.raises(SheetChanged):
        course.sync()


@pytest.mark.parametrize("named", ["ann", "", PROF.id])
def test_typed_decisions_need_an_instructor_to_act_for(course: Course, paper: Paper, named: str) -> None:
    submission = answered(course)["ann"]
    without = dataclasses.replace(PROF, email="", withdrawn=named == PROF.id)
    course.store.keep_course(course.setup, [without], [])
    course.acts_as = named
    paper.inputs[submission] = ("accept", "82", "")
    course.sync()
    assert "acts_as" in paper.status(submission)
    assert "accept" not in kinds(course, submission)


# -- for people who analyse ------------------------------------------------------------------------------------------


def test_an_instructor_goes_on_with_pandas_frames(course: Course) -> None:
    submission = answered(course)["ann"]
    course.accept(PROF, submission, Accept(grade="82"), seen=None)
    frames = course.frames()
    assert list(frames) == ["posts", "submissions", "allocations", "turns", "grades"]
    assert set(frames["turns"].loc[frames["turns"]["kind"] == "review", "by"]) == {"ann", "bob", "cyd", "dot"}
    assert str(frames["turns"]["at"].dt.tz) == "UTC"
    assert frames["grades"].loc[0, ["person", "grade", "agreed"]].tolist() == ["ann", "82", True]


def test_frames_of_a_course_in_which_nothing_happened_are_empty(course: Course) -> None:
    assert course.frames()["turns"].empty


# -- the rarer turns -------------------------------------------------------------------------------------------------


def turns_of(course: Course, submission: str, viewer: Person) -> list[str]:
    return [turn.kind for turn in course.dialogue(submission, viewer).turns]


def seen_by(course: Course, submission: str, viewer: Person) -> int:
    return len(course.dialogue(submission, viewer).turns)


def test_an_instructor_decides_with_a_reason_and_the_author_dissents_beside_it(course: Course) -> None:
    submission = answered(course)["ann"]
    course.decide(PROF, submission, Decide(reason="No sources.", grade="70"), seen=seen_by(course, submission, PROF))
    assert course.dialogue(submission, ANN).stage == "decided"
    course.dissent(ANN, submission, Dissent(text="They are linked."), seen=seen_by(course, submission, ANN))
    course.accept(PROF, submission, Accept(), seen=seen_by(course, submission, PROF))
    assert course.dialogue(submission, ANN).stage == "signed"
    assert grade_of(course, submission) == "70"
    exported = next(row for row in exchange.grades(course.store.dialogues(), course.setup) if row["person"] == "ann")
    assert (exported["grade"], exported["agreed"]) == ("70", False)


def test_a_closed_dialogue_is_reopened_on_the_authors_wish_and_agreed_anew(course: Course) -> None:
    submission = answered(course)["ann"]
    course.accept(PROF, submission, Accept(grade="82"), seen=seen_by(course, submission, PROF))
    course.ask_to_reopen(ANN, submission, AskToReopen(text="A log is missing."), seen=seen_by(course, submission, ANN))
    assert course.dialogue(submission, PROF).hint == "Asks to reopen"
    course.reopen(
        PROF, submission, Reopen(to="with instructor", reason="A log."), seen=seen_by(course, submission, PROF)
    )
    assert course.dialogue(submission, ANN).stage == "with instructor"
    assert list(exchange.grades(course.store.dialogues(), course.setup)) == []
    course.accept(PROF, submission, Accept(grade="82"), seen=seen_by(course, submission, PROF))
    assert grade_of(course, submission) == "82"


def test_an_exempt_submission_is_out_of_the_count_and_comes_back_whole(course: Course) -> None:
    submission = reviewed(course)["ann"]
    before = course.dialogue(submission, PROF).stage
    course.set_aside(PROF, submission, Exempt(reason="Ill."), seen=None)
    assert course.dialogue(submission, ANN).stage == "exempt"
    assert submission not in course.reveal("river")
    course.set_aside(PROF, submission, Restore(), seen=None)
    assert course.dialogue(submission, ANN).stage == before


@pytest.mark.parametrize("who", [ANN, BOB, EVE])
def test_none_of_the_instructors_turns_is_a_students(course: Course, who: Person) -> None:
    submission = answered(course)["ann"]
    for turn in (
        lambda: course.decide(who, submission, Decide(reason="Mine.", grade="100"), seen=0),
        lambda: course.recognise(who, submission, Recognise(text="Me."), seen=None),
        lambda: course.reopen(who, submission, Reopen(to="revealed", reason="Again."), seen=0),
        lambda: course.set_aside(who, submission, Withdraw(), seen=None),
        lambda: course.waive(who, submission, "I like to see them."),
        lambda: course.review_oneself(who, submission, levels(3, 3), "All.", "None."),
    ):
        with pytest.raises(NotAllowed):
            turn()


def test_what_got_too_few_reviews_goes_to_the_instructor_who_reviews_and_reveals(course: Course, clock: Clock) -> None:
    made = self_evaluated(course)
    submission = made["ann"]
    assert set(course.hand_over("river")) == set(made.values())
    assert course.hand_over("river") == []
    line = course.dialogue(submission, PROF)
    assert (line.stage, line.waiting_on, line.hint) == ("with instructor", "You", "Too few reviews")
    course.review_oneself(PROF, submission, levels(2, 2), "A clear claim.", "Link the log.")
    assert "review" not in turns_of(course, submission, ANN), "it is blind until the reveal"
    course.waive(PROF, submission, "Two reviewers left the course.")
    (review,) = [turn for turn in course.dialogue(submission, ANN).turns if turn.kind == "review"]
    assert (review.voice, review.name) == ("teach", "Instructor")
    assert PROF.id not in repr(review)


def test_a_late_review_is_kept_marked_and_shown_to_the_author_by_its_pseudonym(course: Course, clock: Clock) -> None:
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    late, *others = [
        (person, duty)
        for person in STUDENTS
        for duty in course.duties(person)
        if course.store.dialogue(
            next(each.submission for each in course.store.allocations() if each.id == duty.id)
        ).submission.person
        == "ann"
    ]
    for person, duty in others:
        course.review(person, duty.id, levels(2, 2), "Rings true.", "Link the log.")
    submission = course.submission_of(ANN, course.assignment("river"))
    assert submission is not None
    course.waive(PROF, submission.id, "The others are in.")
    who, duty = late
    assert course.duty(who, duty.id).others == (), "whoever may still write reads no other review before"
    course.review(who, duty.id, levels(1, 1), "Late, but here.", "Nothing.")
    *_, review = [turn for turn in course.dialogue(submission.id, ANN).turns if turn.kind == "review"]
    assert review.what.late  # type: ignore[union-attr]
    assert (review.name, review.day_only) == (duty.pseudonym, True)
    assert len(course.duty(who, duty.id).others) == len(others)
    with pytest.raises(NotAllowed, match="can no longer be changed"):
        course.review(who, duty.id, levels(3, 3), "Changed.", "Nothing.")


def test_a_signature_sent_twice_is_one_signature_and_no_error(course: Course) -> None:
    submission = answered(course)["ann"]
    counter = Proposal(judgements=levels(1, 3), grade="78")
    course.discuss(PROF, submission, Discuss(text="Lower.", counter=counter), seen=None)
    course.reply(ANN, submission, Reply(accepts=True), seen=seen_by(course, submission, ANN))
    seen = seen_by(course, submission, PROF)
    for _ in range(2):
        course.accept(PROF, submission, Accept(), seen=seen, request="sign")
    assert turns_of(course, submission, PROF).count("sign-off") == 1
