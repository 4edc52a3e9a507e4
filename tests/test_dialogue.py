"""Which turn may come next: one table of stage x capacity x turn, and the stage that follows."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
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
    Discuss,
    Freeze,
    Frozen,
    Judgement,
    Proposal,
    Reply,
    Reveal,
    Review,
    Reviews,
    SelfEvaluation,
    SignOff,
    Turn,
    What,
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

WRITERS: dict[type[What], str] = {SelfEvaluation: "ann", Answer: "ann", Reply: "ann", Reveal: SCHEDULE}


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
}

ALLOWED: dict[str, set[str]] = {
    "frozen": {"self-evaluate", "review"},
    "self-evaluated": {"review"},
    "in review": {"review", "reveal"},
    "in review, no self-evaluation": {"self-evaluate", "review", "reveal"},
    "revealed": {"answer", "discuss", "accept"},
    "revealed, no self-evaluation": {"self-evaluate", "discuss"},
    "with instructor": {"discuss", "accept"},
    "discussing: counter-proposal": {"accept the counter", "reply", "accept"},
    "discussing: question": {"reply", "accept"},
    "discussing: replied": {"discuss", "accept"},
    "agreed": {"sign", "sign too"},
    "signed": {"sign too"},
}


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
    for history, allowed in ALLOWED.items():
        if turn in allowed:
            with pytest.raises(NotAllowed):
                rules.admit(dialogue(*HISTORIES[history]), what, capacity=capacity, reviews=Reviews())


@pytest.mark.parametrize("history", HISTORIES)
def test_the_stage_is_computed_from_the_turns_alone(history: str) -> None:
    expected = history.split(":")[0].split(",")[0]
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


def test_each_review_is_answered_once_and_the_last_answer_hands_over_to_the_instructor() -> None:
    turns = dialogue(FREEZE, SELF, BOB, CYD, REVEAL, TO_BOB)
    assert rules.stage(turns) == "revealed"
    assert rules.unanswered(turns) == ["RK-3"]
    with pytest.raises(NotAllowed, match="answered this review already"):
        rules.admit(turns, TO_BOB, capacity="author", reviews=Reviews())
    with pytest.raises(NotAllowed, match="no such review"):
        rules.admit(turns, Answer(review="RK-9", text="?"), capacity="author", reviews=Reviews())
    assert rules.stage([*turns, *dialogue(TO_CYD)]) == "with instructor"


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
