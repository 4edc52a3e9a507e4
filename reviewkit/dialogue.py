"""Which turn may come next (`admit`), and, from stages.py, where the dialogue stands.

`admit` only looks and refuses in words; it never changes anything. Who may speak as whom (author, peer, instructor)
is settled by the caller and comes in as `capacity`.
"""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Literal

from reviewkit.errors import Invalid, NotAllowed
from reviewkit.model import (
    OWN_REVIEW,
    TEXT_LIMIT,
    Accept,
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Freeze,
    HandOver,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Reveal,
    Review,
    Reviews,
    Said,
    SelfEvaluation,
    SignOff,
    Stage,
    Turn,
    What,
    Withdraw,
)
from reviewkit.stages import (
    BLIND,
    CLOSED,
    OUT,
    agreed,
    asks_to_reopen,
    awaits_reply,
    counter,
    decided,
    latest_reviews,
    live,
    outcome,
    reveal,
    self_evaluation,
    shown_reviews,
    stage,
    standing,
    superseded,
    unanswered,
    ways_back,
)

__all__ = [
    "BLIND",
    "CLOSED",
    "OUT",
    "Capacity",
    "admit",
    "after",
    "agreed",
    "asks_to_reopen",
    "awaits_reply",
    "counter",
    "decided",
    "latest_reviews",
    "live",
    "outcome",
    "reveal",
    "self_evaluation",
    "shown_reviews",
    "stage",
    "standing",
    "superseded",
    "unanswered",
    "ways_back",
]

VERSIONS = 1_000_000
"""Bytes that all versions of one review may have as JSON: staff read them all on one page, which holds a few of these.
A single version fits into an event of a page, and with that in here."""
RECOGNISED = 20
RECOGNISED_LENGTH = 100

Capacity = Literal["author", "peer", "instructor", "schedule"]


def after(turns: Sequence[Turn], said: Sequence[Said]) -> list[Turn]:
    """The dialogue as it would be with `said` appended: for asking what may come after that."""
    return [
        *turns,
        *(
            Turn(
                by=each.by,
                at=each.at,
                via=each.via,
                what=each.what,
                id="",
                submission="",
                sequence=len(turns) + n,
                salt="",
                previous="",
                digest="",
            )
            for n, each in enumerate(said)
        ),
    ]


def admit(turns: Sequence[Turn], what: What, *, capacity: Capacity, reviews: Reviews) -> None:
    """Return when the turn may come next.

    Raises NotAllowed (not by this person, or not now) or Invalid (not like this), each with its sentence.
    """
    _check_lengths(what)
    now = stage(turns)
    if now in OUT and not isinstance(what, Restore):
        raise NotAllowed(_OUT_OF_COUNT[capacity].format(stage=now))
    match what:
        case Freeze():
            raise NotAllowed("This submission is frozen already.")
        case SelfEvaluation():
            _only(capacity, "author", "Only the author can evaluate their own submission.")
            _admit_self_evaluation(turns, what, now)
        case Review():
            _admit_review(turns, what, now, capacity)
        case Reveal():
            _admit_reveal(turns, what, capacity, reviews)
        case HandOver():
            _only(capacity, "schedule", "Only the schedule hands a submission over.")
            _admit_hand_over(turns, now, reviews)
        case Answer():
            _only(capacity, "author", "Only the author can answer a review.")
            _admit_answer(turns, what, now)
        case Recognise():
            _only(capacity, "instructor", "Only an instructor can recognise what worked.")
            _in_talk(turns, now)
            if not (what.text.strip() or what.suggestions.strip() or what.recognised):
                raise Invalid("Write what worked or what could be better before you send.", field="word")
        case Discuss():
            _only(capacity, "instructor", "Only an instructor can discuss a grade.")
            _after_reveal(turns, now)
            if awaits_reply(turns):
                raise NotAllowed("The author has not replied yet; you can still accept the proposed grade.")
            if sum(isinstance(turn.what, Discuss) for turn in live(turns)) >= reviews.rounds:
                raise NotAllowed(
                    f"You have discussed this {_times(reviews.rounds)}; accept the proposal that stands, or decide."
                )
            _text(what.text, "word", "Write a sentence to the author before you send.")
        case Reply():
            _only(capacity, "author", "Only the author can reply.")
            _admit_reply(turns, what)
        case Accept():
            _only(capacity, "instructor", "Only an instructor can accept a grade.")
            _after_reveal(turns, now)
            proposal = standing(turns)
            if proposal is None:
                raise NotAllowed("There is no proposed grade to accept: the author has not sent a self-evaluation.")
            if what.grade != proposal.grade:
                raise Invalid(
                    f"The proposal that stands is {proposal.grade}, not {what.grade}. Accept {proposal.grade}, "
                    "or discuss another grade.",
                    field="grade",
                )
        case Decide():
            _only(capacity, "instructor", "Only an instructor can decide a grade.")
            _in_talk(turns, now)
            _text(what.reason, "reason", "Write why you decide without agreement before you send.")
        case Dissent():
            _only(capacity, "author", "Only the author can dissent.")
            if decided(turns) is None:
                raise NotAllowed("Nothing was decided without you, so there is nothing to dissent from.")
            if any(isinstance(turn.what, Dissent) for turn in live(turns)):
                raise NotAllowed("Your dissent stands here already.")
            _text(what.text, "dissent", "Write your dissent before you send.")
        case SignOff(role="instructor"):
            _only(capacity, "instructor", "Only an instructor can sign off.")
            if now == "signed":
                raise NotAllowed("This dialogue is signed already.")
            _something_to_sign(now)
        case SignOff():
            _only(capacity, "author", "Only the author can put their signature beside the instructor's.")
            _something_to_sign(now)
            if any(isinstance(turn.what, SignOff) and turn.what.role == "author" for turn in live(turns)):
                raise NotAllowed("You have signed this already.")
        case AskToReopen():
            _only(capacity, "author", "Only the author can ask to reopen this.")
            if now not in CLOSED:
                raise NotAllowed("This dialogue is open: you can write in it.")
            if asks_to_reopen(turns) is not None:
                raise NotAllowed("You have asked for it already; your instructor sees it.")
            _text(what.text, "ask", "Write why it should be reopened before you send.")
        case Reopen():
            _only(capacity, "instructor", "Only an instructor can reopen a dialogue.")
            _admit_reopen(turns, what)
        case Withdraw() | Exempt():
            _only(capacity, "instructor", "Only an instructor can take a submission out of the count.")
            if isinstance(what, Exempt):
                _text(what.reason, "reason", "Write why the author is exempt before you send.")
        case Restore():
            _only(capacity, "instructor", "Only an instructor can bring a submission back into the count.")
            if now not in OUT:
                raise NotAllowed("This submission is in the count already.")


_OUT_OF_COUNT: dict[Capacity, str] = {
    "author": "This submission is {stage}, so nothing can be added; talk to your instructor if that is wrong.",
    "peer": "This submission is {stage}, so no review of it is needed any more.",
    "instructor": "This submission is {stage}; restore it first.",
    "schedule": "This submission is {stage}.",
}


def _admit_self_evaluation(turns: Sequence[Turn], what: SelfEvaluation, now: Stage) -> None:
    if self_evaluation(turns) is not None:
        raise NotAllowed("Your self-evaluation is in already; you can still talk about it with your instructor.")
    if now in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    _text(what.strengths, "strengths", "Write at least one strength before you submit.")
    _text(what.improvements, "improvements", "Write at least one opportunity for improvement before you submit.")


def _admit_review(turns: Sequence[Turn], what: Review, now: Stage, capacity: Capacity) -> None:
    if capacity not in ("peer", "instructor") or (capacity == "instructor") != what.allocation.startswith(OWN_REVIEW):
        raise NotAllowed("You have no review to give here.")
    if reveal(turns) is not None:
        if any(isinstance(turn.what, Review) and turn.what.allocation == what.allocation for turn in turns):
            raise NotAllowed("The reviews of this round have been revealed, so this one can no longer be changed.")
        if now in CLOSED or not what.late:  # how far author and instructor are is nothing for peers
            raise NotAllowed("The reviews of this round have been revealed, and it is too late for another one.")
    elif now in CLOSED:
        raise NotAllowed("It is too late for another review of this submission.")
    _text(what.strengths, "strengths", "Write at least one strength before you send.")
    _text(what.suggestions, "suggestions", "Write at least one suggestion before you send.")
    before = [turn.what for turn in turns if isinstance(turn.what, Review) and turn.what.allocation == what.allocation]
    if before and sum(map(_size, (*before, what))) > VERSIONS:
        raise Invalid(
            "Every version of a review is kept, and there is no room for another one as long as this. The last one "
            "that you sent stands; nothing was cut or lost.",
            field="strengths",
        )


def _size(review: Review) -> int:
    texts = [text for each in review.judgements for text in (each.note, each.quote)]
    return sum(len(json.dumps(text)) for text in (review.strengths, review.suggestions, *texts))


def _admit_reveal(turns: Sequence[Turn], what: Reveal, capacity: Capacity, reviews: Reviews) -> None:
    if capacity not in ("instructor", "schedule"):
        raise NotAllowed("Only an instructor or the schedule can reveal reviews.")
    if reveal(turns) is not None:
        raise NotAllowed("These reviews have been revealed already.")
    if stage(turns) in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    there = len(latest_reviews(turns))
    if there < reviews.minimum and not (capacity == "instructor" and what.reason.strip()):
        raise NotAllowed(
            f"Only {there} of at least {reviews.minimum} reviews are in; an instructor can reveal them with a reason."
        )


def _admit_hand_over(turns: Sequence[Turn], now: Stage, reviews: Reviews) -> None:
    if now not in BLIND:
        raise NotAllowed("This submission is with its instructor already.")
    if len(latest_reviews(turns)) >= reviews.minimum:
        raise NotAllowed("There are enough reviews to reveal them.")


def _admit_reopen(turns: Sequence[Turn], what: Reopen) -> None:
    ways = ways_back(turns)
    if not ways:
        raise NotAllowed("There is nothing to reopen here.")
    if what.to not in ways:
        raise NotAllowed(f"This dialogue can go back to: {', '.join(ways)}.")
    _text(what.reason, "reason", "Write why you reopen it before you send.")


def _admit_answer(turns: Sequence[Turn], what: Answer, now: Stage) -> None:
    shown = reveal(turns)
    if shown is None or not isinstance(shown.what, Reveal) or self_evaluation(turns) is None:
        raise NotAllowed("The reviews are not open to you yet.")
    if now in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    counted = live(turns)
    if what.review not in shown_reviews(turns):
        raise NotAllowed("There is no such review of this submission.")
    if any(isinstance(turn.what, Answer) and turn.what.review == what.review for turn in counted):
        raise NotAllowed("You have answered this review already.")
    if len(set(what.rating)) < len(what.rating):
        raise Invalid("A rating has each of its words once. Reload the page; your text is kept.", field="answer")
    if what.revised is not None:
        if any(isinstance(turn.what, Answer) and turn.what.revised is not None for turn in counted):
            raise NotAllowed("You have revised your proposal once already; reply to your instructor from here on.")
        _text(what.changed, "changed", "Say what changed your mind before you send the new proposal.")
    elif not (what.text.strip() or what.rating or what.thanks):
        raise Invalid("Write an answer or say what the review was before you send.", field="answer")


def _admit_reply(turns: Sequence[Turn], what: Reply) -> None:
    if stage(turns) in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    if not awaits_reply(turns):
        raise NotAllowed("There is nothing to reply to: your instructor has not written yet.")
    if what.accepts:
        last = next(turn.what for turn in reversed(live(turns)) if isinstance(turn.what, Discuss))
        if last.counter is None:
            raise NotAllowed("Your instructor asked a question and proposed no grade, so there is none to accept.")
        if what.proposal is not None:
            raise Invalid("Accept the proposed grade or propose another one, not both.", field="grade")
    else:
        _text(what.text, "reply", "Write your reason before you send.")


def _after_reveal(turns: Sequence[Turn], now: Stage) -> None:
    if now in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    if reveal(turns) is None:
        raise NotAllowed("The reviews of this submission have not been revealed yet.")


def _in_talk(turns: Sequence[Turn], now: Stage) -> None:
    """The blind time is over: by the reveal, or because too few reviews came."""
    if now in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    if now in BLIND:
        raise NotAllowed("Peers are still at work here: wait for the reveal, or waive the missing reviews first.")


def _something_to_sign(now: Stage) -> None:
    if now not in CLOSED:
        raise NotAllowed("Nothing is agreed yet, so there is nothing to sign.")


def _only(capacity: Capacity, wanted: Capacity, sentence: str) -> None:
    if capacity != wanted:
        raise NotAllowed(sentence)


def _text(text: str, field: str, sentence: str) -> None:
    if not text.strip():
        raise Invalid(sentence, field=field)


def _check_lengths(what: object, field: str = "") -> None:
    """Every text of a turn, however deep it stands in it, has its limit."""
    if isinstance(what, str) and len(what) > TEXT_LIMIT:
        raise Invalid(
            f"This text has {len(what):,} characters and at most {TEXT_LIMIT:,} can be kept; nothing was cut or "
            "lost, please shorten it.",
            field=field,
        )
    if isinstance(what, tuple):
        for each in what:
            _check_lengths(each, field)
    elif is_dataclass(what):
        for part in fields(what):
            _check_lengths(getattr(what, part.name), part.name)
    recognised = getattr(what, "recognised", ())
    if len(recognised) > RECOGNISED or any(len(each) > RECOGNISED_LENGTH for each in recognised):
        raise Invalid(
            f"At most {RECOGNISED} things can be recognised at once, each in {RECOGNISED_LENGTH} characters; nothing "
            "was cut or lost.",
            field="recognised",
        )


def _times(number: int) -> str:
    return {1: "once", 2: "twice", 3: "three times"}.get(number, f"{number} times")
