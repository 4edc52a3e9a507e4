"""Which turn may come next: one table of stage x capacity x turn, and the stage that follows."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_type_hints

import pytest

from reviewkit import dialogue as rules
from reviewkit.errors import Invalid, NotAllowed
from reviewkit.model import (
    SCHEDULE,
    TEXT_LIMIT,
    Accept,
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Freeze,
    Frozen,
    HandOver,
    Judgement,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Reveal,
    Review,
    Reviews,
    SelfEvaluation,
    SignOff,
    Turn,
    What,
    Withdraw,
)

START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
LEVELS = (Judgement(criterion="claim", level=2),)

FREEZE = Freeze(revisions=(Frozen(post="p", digest="d"),), rubric="r")
SELF = SelfEvaluation(judgements=LEVELS, strengths="Two marks.", improvements="Link the log.", grade="82")
BOB = Review(allocation="b", pseudonym="Quiet Heron", judgements=LEVELS, strengths="Rings.", suggestions="Log.")
CYD = Review(allocation="c", pseudonym="Amber Finch", judgements=LEVELS, strengths="Claim.", suggestions="Chart.")
REVEAL = Reveal(owed=2, minimum=2, reviews=("RK-2", "RK-3"))
TO_BOB = Answer(review="RK-2", text="Fair. The scan is linked.")
TO_CYD = Answer(review="RK-3", thanks=True)
COUNTER = Discuss(text="On Connection I read it lower.", counter=Proposal(judgements=LEVELS, grade="78"))
QUESTION = Discuss(text="Which weeks are missing?")
YES = Reply(accepts=True)
BECAUSE = Reply(text="I do answer it, in the comments.")
ANEW = Reply(text="Halfway, then.", proposal=Proposal(judgements=LEVELS, grade="80"))
ACCEPT = Accept(grade="82")
SIGN = SignOff(grade="82")
SIGN_TOO = SignOff(role="author", grade="82")

LATE = Review(allocation="d", pseudonym="Slow Crane", judgements=LEVELS, strengths="S.", suggestions="T.", late=True)
OWN = Review(allocation="instructor:prof", pseudonym="", judgements=LEVELS, strengths="S.", suggestions="T.")
WAIVER = Reveal(owed=2, minimum=2, reviews=("RK-2",), reason="Cyd is ill.")
HAND_OVER = HandOver(owed=2, given=0, minimum=2)
PRAISE = Recognise(text="The dated log is new in this class.")
DECIDE = Decide(reason="The post has no sources at all.", grade="70")
DISSENT = Dissent(text="The sources are in the second post.")
ASK = AskToReopen(text="I found the missing log.")
BACK = Reopen(to="with instructor", reason="Ann found the log.")
WITHDRAW = Withdraw()
EXEMPT = Exempt(reason="Ill since April.")
RESTORE = Restore()

WRITERS: dict[type[What], str] = {
    SelfEvaluation: "ann",
    Answer: "ann",
    Reply: "ann",
    Dissent: "ann",
    AskToReopen: "ann",
    Reveal: SCHEDULE,
    HandOver: SCHEDULE,
}


def dialogue(*what: What) -> list[Turn]:
    """The turns of Ann's dialogue; turn n has the id RK-n."""
    return [
        Turn(
            id=f"RK-{n}",
            submission="RK-S",
            sequence=n,
            by="ann" if isinstance(each, SignOff) and each.role == "author" else WRITERS.get(type(each), "prof"),
            at=START + timedelta(hours=n),
            via="page",
            what=each,
            salt="",
            previous="",
            digest="",
        )
        for n, each in enumerate(what)
    ]


HISTORIES: dict[str, Sequence[What]] = {
    "frozen": (FREEZE,),
    "self-evaluated": (FREEZE, SELF),
    "in review": (FREEZE, SELF, BOB, CYD),
    "in review, no self-evaluation": (FREEZE, FREEZE, BOB, CYD),
    "revealed": (FREEZE, SELF, BOB, CYD, REVEAL),
    "revealed, no self-evaluation": (FREEZE, FREEZE, BOB, CYD, REVEAL),
    "with instructor": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD),
    "discussing: counter-proposal": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, COUNTER),
    "discussing: question": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, QUESTION),
    "discussing: replied": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, COUNTER, BECAUSE),
    "agreed": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, COUNTER, YES),
    "signed": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, ACCEPT, SIGN),
    "with instructor: too few reviews": (FREEZE, SELF, HAND_OVER),
    "with instructor: nothing at all": (FREEZE, HAND_OVER),
    "decided": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, DECIDE),
    "decided: without reviews": (FREEZE, SELF, HAND_OVER, DECIDE),
    "signed: decided": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, DECIDE, SIGN),
    "withdrawn": (FREEZE, SELF, BOB, WITHDRAW),
    "exempt": (FREEZE, EXEMPT),
    "with instructor: reopened": (FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB, TO_CYD, ACCEPT, SIGN, BACK),
    "in review: restored": (FREEZE, SELF, BOB, CYD, WITHDRAW, RESTORE),
}

TURNS: dict[str, tuple[What, rules.Capacity]] = {
    "freeze": (FREEZE, "author"),
    "self-evaluate": (SELF, "author"),
    "review": (BOB, "peer"),
    "reveal": (REVEAL, "schedule"),
    "answer": (TO_BOB, "author"),
    "discuss": (COUNTER, "instructor"),
    "accept the counter": (YES, "author"),
    "reply": (BECAUSE, "author"),
    "accept": (ACCEPT, "instructor"),
    "sign": (SIGN, "instructor"),
    "sign too": (SIGN_TOO, "author"),
    "own review": (OWN, "instructor"),
    "late review": (LATE, "peer"),
    "waive": (WAIVER, "instructor"),
    "hand over": (HAND_OVER, "schedule"),
    "recognise": (PRAISE, "instructor"),
    "decide": (DECIDE, "instructor"),
    "dissent": (DISSENT, "author"),
    "ask to reopen": (ASK, "author"),
    "reopen": (BACK, "instructor"),
    "withdraw": (WITHDRAW, "instructor"),
    "exempt": (EXEMPT, "instructor"),
    "restore": (RESTORE, "instructor"),
}

OUT = {"withdraw", "exempt"}
BLIND = {"review", "late review", "own review", "waive", "hand over", *OUT}
TALK = {"recognise", "decide", "late review", *OUT}
CLOSED = {"sign too", "ask to reopen", "reopen", *OUT}

ALLOWED: dict[str, set[str]] = {
    "frozen": {"self-evaluate", *BLIND},
    "self-evaluated": BLIND,
    "in review": BLIND - {"hand over"} | {"reveal"},
    "in review, no self-evaluation": BLIND - {"hand over"} | {"reveal", "self-evaluate"},
    "revealed": {"answer", "discuss", "accept", *TALK},
    "revealed, no self-evaluation": {"self-evaluate", "discuss", *TALK},
    "with instructor": {"discuss", "accept", *TALK},
    "discussing: counter-proposal": {"accept the counter", "reply", "accept", "reopen", *TALK},
    "discussing: question": {"reply", "accept", "reopen", *TALK},
    "discussing: replied": {"discuss", "accept", "reopen", *TALK},
    "agreed": {"sign", *CLOSED},
    "signed": CLOSED,
    "with instructor: too few reviews": {"review", "own review", "waive", *TALK},
    "with instructor: nothing at all": {"self-evaluate", "review", "own review", "waive", *TALK},
    "decided": {"sign", "dissent", *CLOSED},
    "decided: without reviews": {"sign", "dissent", *CLOSED - {"reopen"}},
    "signed: decided": {"dissent", *CLOSED},
    "withdrawn": {"restore"},
    "exempt": {"restore"},
    "with instructor: reopened": {"discuss", "accept", *TALK},
    "in review: restored": BLIND - {"hand over"} | {"reveal"},
}
"""`reopen` means: to "with instructor"; where else it may lead, stands below."""


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("turn", TURNS)
def test_each_stage_admits_its_turns_and_refuses_the_others_in_a_sentence(history: str, turn: str) -> None:
    what, capacity = TURNS[turn]
    turns = dialogue(*HISTORIES[history])
    if turn in ALLOWED[history]:
        rules.admit(turns, what, capacity=capacity, reviews=Reviews())
        return
    with pytest.raises((NotAllowed, Invalid)) as refused:
        rules.admit(turns, what, capacity=capacity, reviews=Reviews())
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("capacity", ["author", "peer", "instructor", "schedule"])
def test_nobody_takes_a_turn_that_is_not_theirs(turn: str, capacity: rules.Capacity) -> None:
    what, own = TURNS[turn]
    if capacity == own or (turn == "reveal" and capacity == "instructor"):
        return
    if turn == "waive" and capacity == "schedule":
        return  # then it is no waiver, and refused where reviews are missing (below)
    for history, allowed in ALLOWED.items():
        if turn in allowed:
            with pytest.raises(NotAllowed):
                rules.admit(dialogue(*HISTORIES[history]), what, capacity=capacity, reviews=Reviews())


@pytest.mark.parametrize("history", HISTORIES)
def test_the_stage_is_computed_from_the_turns_alone(history: str) -> None:
    expected = history.split(":", maxsplit=1)[0].split(",", maxsplit=1)[0]
    if history == "revealed, no self-evaluation":
        expected = "with instructor"  # the author sees nothing yet: it is the instructor who can act
    assert rules.stage(dialogue(*HISTORIES[history])) == expected


def test_a_self_evaluation_after_the_reveal_opens_the_reviews_to_its_author() -> None:
    turns = dialogue(*HISTORIES["revealed, no self-evaluation"], SELF)
    assert rules.stage(turns) == "revealed"
    rules.admit(turns, TO_BOB, capacity="author", reviews=Reviews())


def test_with_too_few_reviews_only_an_instructor_reveals_and_says_why() -> None:
    turns = dialogue(FREEZE, SELF, BOB)
    with pytest.raises(NotAllowed, match="Only 1 of at least 2"):
        rules.admit(turns, REVEAL, capacity="schedule", reviews=Reviews())
    with pytest.raises(NotAllowed, match="with a reason"):
        rules.admit(turns, REVEAL, capacity="instructor", reviews=Reviews())
    waiver = Reveal(owed=2, minimum=2, reviews=("RK-2",), reason="Cyd is ill.")
    rules.admit(turns, waiver, capacity="instructor", reviews=Reviews())


def test_a_review_may_be_replaced_until_the_reveal_and_the_newest_counts() -> None:
    second = Review(allocation="b", pseudonym="Quiet Heron", judgements=LEVELS, strengths="More.", suggestions="Log.")
    turns = dialogue(FREEZE, SELF, BOB, CYD, second)
    assert [turn.what for turn in rules.latest_reviews(turns)] == [second, CYD]


def test_a_review_is_replaced_as_long_as_all_its_versions_fit_on_a_page_together() -> None:
    def version(letter: str) -> Review:
        return replace(BOB, strengths=letter * 20_000)

    for letter, fit in (("x", 49), ("ü", 8)):
        turns = dialogue(FREEZE, SELF, *[version(letter) for _ in range(fit - 1)])
        rules.admit(turns, version(letter), capacity="peer", reviews=Reviews())
        turns = dialogue(FREEZE, SELF, *[version(letter) for _ in range(fit)])
        with pytest.raises(Invalid, match="no room for another one as long as this"):
            rules.admit(turns, version(letter), capacity="peer", reviews=Reviews())
        rules.admit(turns, CYD, capacity="peer", reviews=Reviews())


def test_each_review_is_answered_once_and_the_last_answer_hands_over_to_the_instructor() -> None:
    turns = dialogue(FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB)
    assert rules.stage(turns) == "revealed"
    assert rules.unanswered(turns) == ["RK-3"]
    with pytest.raises(NotAllowed, match="answered this review already"):
        rules.admit(turns, TO_BOB, capacity="author", reviews=Reviews())
    with pytest.raises(NotAllowed, match="no such review"):
        rules.admit(turns, Answer(review="RK-9", text="?"), capacity="author", reviews=Reviews())
    assert rules.stage([*turns, *dialogue(TO_CYD)]) == "with instructor"


def test_a_review_is_rated_with_each_word_once_and_not_a_thousand_times() -> None:
    turns = dialogue(FREEZE, SELF, BOB, CYD, REVEAL)
    with pytest.raises(Invalid, match="each of its words once"):
        rules.admit(turns, Answer(review="RK-2", rating=("kind",) * 1000), capacity="author", reviews=Reviews())
    all_ = Answer(review="RK-2", rating=("specific", "kind", "useful"))
    rules.admit(turns, all_, capacity="author", reviews=Reviews())


def test_a_revised_proposal_comes_once_and_says_what_changed() -> None:
    revised = Proposal(judgements=LEVELS, grade="80")
    turns = dialogue(FREEZE, SELF, BOB, CYD, REVEAL)
    with pytest.raises(Invalid, match="what changed your mind") as refused:
        rules.admit(turns, Answer(review="RK-2", revised=revised), capacity="author", reviews=Reviews())
    assert refused.value.field == "changed"
    first = Answer(review="RK-2", revised=revised, changed="The log cannot be opened.")
    rules.admit(turns, first, capacity="author", reviews=Reviews())
    turns = dialogue(FREEZE, SELF, BOB, CYD, REVEAL, first)
    assert rules.standing(turns) == revised
    again = Answer(review="RK-3", revised=revised, changed="Again.")
    with pytest.raises(NotAllowed, match="once already"):
        rules.admit(turns, again, capacity="author", reviews=Reviews())


def test_accept_agrees_to_the_proposal_that_stands_and_to_no_other() -> None:
    turns = dialogue(*HISTORIES["discussing: counter-proposal"], ANEW)
    assert rules.standing(turns) == ANEW.proposal
    with pytest.raises(Invalid, match="stands is 80, not 82"):
        rules.admit(turns, ACCEPT, capacity="instructor", reviews=Reviews())
    rules.admit(turns, Accept(grade="80"), capacity="instructor", reviews=Reviews())


def test_a_reply_that_accepts_agrees_to_the_counter_proposal() -> None:
    turns = dialogue(*HISTORIES["agreed"])
    agreed = rules.agreed(turns)
    assert agreed is not None
    assert agreed.grade == "78"


def test_a_question_cannot_be_accepted_as_a_grade() -> None:
    with pytest.raises(NotAllowed, match="proposed no grade"):
        rules.admit(dialogue(*HISTORIES["discussing: question"]), YES, capacity="author", reviews=Reviews())


def test_discussion_ends_after_its_rounds() -> None:
    turns = dialogue(*HISTORIES["with instructor"], COUNTER, BECAUSE, QUESTION, BECAUSE)
    rules.admit(turns, COUNTER, capacity="instructor", reviews=Reviews(rounds=3))
    with pytest.raises(NotAllowed, match="discussed this twice"):
        rules.admit(turns, COUNTER, capacity="instructor", reviews=Reviews(rounds=2))


def test_a_text_over_its_limit_is_refused_and_nothing_is_cut() -> None:
    long = SelfEvaluation(judgements=LEVELS, strengths="x" * (TEXT_LIMIT + 1), improvements="y", grade="82")
    with pytest.raises(Invalid, match=r"20,001 characters.*nothing was cut"):
        rules.admit(dialogue(FREEZE), long, capacity="author", reviews=Reviews())


TEXTS = [
    (kind, part)
    for kind in get_args(What)
    for part in fields(kind)
    if get_type_hints(kind)[part.name] in (str, tuple[str, ...], tuple[Judgement, ...], Proposal | None)
]


@pytest.mark.parametrize(("kind", "part"), TEXTS, ids=[f"{kind.__name__}.{part.name}" for kind, part in TEXTS])
def test_every_text_of_every_turn_has_its_limit(kind: type[Any], part: Field[Any]) -> None:
    """A new field of text is in this table by itself."""
    over = "x" * (TEXT_LIMIT + 1)
    notes = (Judgement(criterion="claim", level=0, note=over),)
    kinds: dict[Any, Any] = {
        str: over,
        tuple[str, ...]: (over,),
        tuple[Judgement, ...]: notes,
        Proposal | None: Proposal(judgements=notes),
    }
    needed = {each.name: "" for each in fields(kind) if each.default is MISSING}
    long = kind(**(needed | {part.name: kinds[get_type_hints(kind)[part.name]]}))
    with pytest.raises(Invalid, match=r"20,001 characters|At most 20 things") as refused:
        rules.admit(dialogue(FREEZE), long, capacity="author", reviews=Reviews())
    assert refused.value.field


def test_so_many_things_can_be_recognised_and_no_more() -> None:
    praise = Discuss(text="More?", recognised=("Honest",) * 21)
    with pytest.raises(Invalid, match="At most 20"):
        rules.admit(dialogue(*HISTORIES["with instructor"]), praise, capacity="instructor", reviews=Reviews())


def test_accept_and_sign_off_are_one_step() -> None:
    turns = dialogue(*HISTORIES["with instructor"])
    with pytest.raises(NotAllowed, match="Nothing is agreed"):
        rules.admit(turns, SIGN, capacity="instructor", reviews=Reviews())
    rules.admit(rules.after(turns, dialogue(ACCEPT)), SIGN, capacity="instructor", reviews=Reviews())


# -- ways back


WAYS: dict[str, list[str]] = {
    "frozen": [],
    "self-evaluated": ["frozen"],
    "in review": ["frozen"],
    "revealed": [],
    "with instructor": ["revealed"],
    "discussing: counter-proposal": ["with instructor", "revealed"],
    "agreed": ["discussing", "with instructor", "revealed"],
    "signed": ["with instructor", "revealed"],
    "decided": ["with instructor", "revealed"],
    "decided: without reviews": ["in review", "frozen"],
    "with instructor: too few reviews": ["in review", "frozen"],
    "withdrawn": [],
    "with instructor: reopened": ["revealed"],
}


@pytest.mark.parametrize("history", WAYS)
def test_an_instructor_reopens_to_a_stage_before_and_nothing_becomes_blind_again(history: str) -> None:
    turns = dialogue(*HISTORIES[history])
    assert rules.ways_back(turns) == WAYS[history]
    for to in ("frozen", "in review", "revealed", "with instructor", "discussing"):
        what = Reopen(to=to, reason="Ann found the log.")
        if to not in WAYS[history]:
            with pytest.raises(NotAllowed):
                rules.admit(turns, what, capacity="instructor", reviews=Reviews())
            continue
        rules.admit(turns, what, capacity="instructor", reviews=Reviews())
        again = dialogue(*HISTORIES[history], what)
        assert rules.stage(again) == to
        assert rules.outcome(again) is None
        if rules.reveal(turns) is not None:
            assert rules.reveal(again) is not None


def test_a_reopen_gives_its_reason() -> None:
    with pytest.raises(Invalid, match="Write why you reopen it"):
        rules.admit(
            dialogue(*HISTORIES["signed"]),
            Reopen(to="revealed", reason=" "),
            capacity="instructor",
            reviews=Reviews(),
        )


def test_what_a_reopen_undoes_stays_in_the_record_and_counts_no_longer() -> None:
    turns = dialogue(*HISTORIES["signed"], BACK)
    assert rules.superseded(turns) == {"RK-7", "RK-8"}
    assert rules.agreed(turns) is None
    assert rules.unanswered(turns) == []
    turns = dialogue(*HISTORIES["signed"], Reopen(to="revealed", reason="Ann found the log."))
    assert rules.unanswered(turns) == ["RK-2", "RK-3"]


def test_after_a_reopen_it_can_be_discussed_agreed_and_signed_anew() -> None:
    turns = dialogue(*HISTORIES["signed"], BACK)
    for what, capacity in ((COUNTER, "instructor"), (YES, "author"), (SIGN, "instructor")):
        rules.admit(turns, what, capacity=capacity, reviews=Reviews(rounds=1))  # type: ignore[arg-type]
        turns = [*turns, *dialogue(what)]
    assert rules.stage(turns) == "signed"
    assert rules.outcome(turns) == COUNTER.counter


def test_a_self_evaluation_that_is_reopened_is_written_anew_while_the_reviews_stay() -> None:
    turns = dialogue(*HISTORIES["in review"], Reopen(to="frozen", reason="Ann sent it by mistake."))
    assert rules.self_evaluation(turns) is None
    rules.admit(turns, SELF, capacity="author", reviews=Reviews())
    turns = [*turns, *dialogue(SELF)]
    assert rules.stage(turns) == "in review"
    assert len(rules.latest_reviews(turns)) == 2


def test_a_withdrawn_submission_comes_back_as_it_was() -> None:
    for history, before in HISTORIES.items():
        if rules.stage(dialogue(*before)) in rules.OUT:
            continue
        for out in (WITHDRAW, EXEMPT):
            assert rules.stage(dialogue(*before, out)) in rules.OUT
            assert rules.stage(dialogue(*before, out, RESTORE)) == rules.stage(dialogue(*before)), history


# -- late reviews, decisions


def test_a_late_review_is_kept_may_be_answered_and_holds_nothing_up() -> None:
    turns = dialogue(*HISTORIES["revealed"], TO_BOB, TO_CYD, LATE)
    assert rules.stage(turns) == "with instructor"
    assert rules.unanswered(turns) == []
    rules.admit(turns, Answer(review="RK-7", thanks=True), capacity="author", reviews=Reviews())


def test_a_review_of_the_reveal_is_not_replaced_as_a_late_one() -> None:
    again = Review(
        allocation="b", pseudonym="Quiet Heron", judgements=LEVELS, strengths="S", suggestions="T", late=True
    )
    with pytest.raises(NotAllowed, match="can no longer be changed"):
        rules.admit(dialogue(*HISTORIES["revealed"]), again, capacity="peer", reviews=Reviews())


def test_an_instructors_own_review_counts_and_a_peer_cannot_pose_as_one() -> None:
    with pytest.raises(NotAllowed):
        rules.admit(dialogue(FREEZE, SELF, BOB), OWN, capacity="peer", reviews=Reviews())
    rules.admit(dialogue(FREEZE, SELF, BOB, OWN), REVEAL, capacity="schedule", reviews=Reviews())


def test_a_decision_says_why_and_the_author_dissents_once_and_for_ever() -> None:
    with pytest.raises(Invalid, match="why you decide"):
        rules.admit(
            dialogue(*HISTORIES["with instructor"]),
            Decide(reason="", grade="70"),
            capacity="instructor",
            reviews=Reviews(),
        )
    turns = dialogue(*HISTORIES["signed: decided"])
    rules.admit(turns, DISSENT, capacity="author", reviews=Reviews())
    turns = dialogue(*HISTORIES["signed: decided"], DISSENT)
    assert rules.stage(turns) == "signed"
    with pytest.raises(NotAllowed, match="stands here already"):
        rules.admit(turns, DISSENT, capacity="author", reviews=Reviews())
    outcome = rules.outcome(turns)
    assert outcome is not None
    assert outcome.grade == "70"
    assert rules.agreed(turns) is None
