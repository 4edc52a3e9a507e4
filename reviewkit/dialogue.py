"""Which turn may come next, and the stage a submission is in: both from the turns alone.

`admit` only looks and refuses in words; it never changes anything. Who may speak as whom (author, peer, instructor)
is settled by the caller and comes in as `capacity`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Literal

from reviewkit.errors import Invalid, NotAllowed
from reviewkit.model import (
    TEXT_LIMIT,
    Accept,
    Answer,
    Discuss,
    Freeze,
    Proposal,
    Reply,
    Reveal,
    Review,
    Reviews,
    Said,
    SelfEvaluation,
    SignOff,
    Stage,
    Turn,
    What,
)

RECOGNISED = 20
RECOGNISED_LENGTH = 100

Capacity = Literal["author", "peer", "instructor", "schedule"]

CLOSED: frozenset[Stage] = frozenset({"agreed", "decided", "signed"})
BLIND: frozenset[Stage] = frozenset({"frozen", "self-evaluated", "in review"})


def stage(turns: Iterable[Turn]) -> Stage:
    """The stage, from the turns alone (PRODUCT.md section 3). The first turn is always a Freeze."""
    now: Stage = "frozen"
    evaluated, open_answers = False, set[str]()
    for turn in turns:
        match turn.what:
            case SelfEvaluation():
                evaluated = True
                if now == "frozen":
                    now = "self-evaluated"
                elif now == "with instructor" and open_answers:
                    now = "revealed"
            case Review() if now in BLIND:
                now = "in review"
            case Reveal(reviews=reviews):
                open_answers = set(reviews)
                now = "revealed" if evaluated and reviews else "with instructor"
            case Answer(review=review):
                open_answers.discard(review)
                if now == "revealed" and not open_answers:
                    now = "with instructor"
            case Discuss():
                now = "discussing"
            case Reply(accepts=accepts):
                now = "agreed" if accepts else "discussing"
            case Accept():
                now = "agreed"
            case SignOff(role="instructor"):
                now = "signed"
            case _:
                pass
    return now


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


def latest_reviews(turns: Iterable[Turn]) -> list[Turn]:
    """The newest version of each peer's review, in order of their first."""
    newest: dict[str, Turn] = {}
    for turn in turns:
        if isinstance(turn.what, Review):
            # A view for authors and peers names no allocation; it holds only one version of each review anyway.
            newest[turn.what.allocation or turn.id] = turn
    return list(newest.values())


def self_evaluation(turns: Iterable[Turn]) -> SelfEvaluation | None:
    return next((turn.what for turn in turns if isinstance(turn.what, SelfEvaluation)), None)


def reveal(turns: Iterable[Turn]) -> Turn | None:
    return next((turn for turn in turns if isinstance(turn.what, Reveal)), None)


def standing(turns: Iterable[Turn]) -> Proposal | None:
    """The author's proposal that stands: what an Accept agrees to."""
    proposal: Proposal | None = None
    for turn in turns:
        match turn.what:
            case SelfEvaluation(judgements=judgements, grade=grade):
                proposal = Proposal(judgements=judgements, grade=grade)
            case Answer(revised=Proposal() as revised) | Reply(proposal=Proposal() as revised):
                proposal = revised
            case _:
                pass
    return proposal


def counter(turns: Iterable[Turn]) -> Proposal | None:
    """The instructor's last counter-proposal."""
    found: Proposal | None = None
    for turn in turns:
        if isinstance(turn.what, Discuss) and turn.what.counter is not None:
            found = turn.what.counter
    return found


def agreed(turns: Sequence[Turn]) -> Proposal | None:
    """What was agreed, once it was."""
    for turn in reversed(turns):
        match turn.what:
            case Reply(accepts=True):
                return counter(turns)
            case Accept(grade=grade):
                proposal = standing(turns)
                return Proposal(judgements=proposal.judgements if proposal else (), grade=grade)
            case _:
                pass
    return None


def awaits_reply(turns: Sequence[Turn]) -> bool:
    """The instructor has spoken last and the author has not replied."""
    last = next((turn for turn in reversed(turns) if isinstance(turn.what, Discuss | Reply)), None)
    return last is not None and isinstance(last.what, Discuss)


def unanswered(turns: Sequence[Turn]) -> list[str]:
    """Ids of the revealed reviews that the author has not answered."""
    shown = reveal(turns)
    if shown is None or not isinstance(shown.what, Reveal):
        return []
    answered = {turn.what.review for turn in turns if isinstance(turn.what, Answer)}
    return [review for review in shown.what.reviews if review not in answered]


def admit(turns: Sequence[Turn], what: What, *, capacity: Capacity, reviews: Reviews) -> None:
    """Return when the turn may come next.

    Raises NotAllowed (not by this person, or not now) or Invalid (not like this), each with its sentence.
    """
    _check_lengths(what)
    now = stage(turns)
    match what:
        case Freeze():
            raise NotAllowed("This submission is frozen already.")
        case SelfEvaluation():
            _only(capacity, "author", "Only the author can evaluate their own submission.")
            _admit_self_evaluation(turns, what, now)
        case Review():
            _only(capacity, "peer", "You have no review to give here.")
            if reveal(turns) is not None:
                raise NotAllowed("The reviews of this round have been revealed, so this one can no longer be changed.")
            _text(what.strengths, "strengths", "Write at least one strength before you send.")
            _text(what.suggestions, "suggestions", "Write at least one suggestion before you send.")
        case Reveal():
            _admit_reveal(turns, what, capacity, reviews)
        case Answer():
            _only(capacity, "author", "Only the author can answer a review.")
            _admit_answer(turns, what, now)
        case Discuss():
            _only(capacity, "instructor", "Only an instructor can discuss a grade.")
            _after_reveal(turns, now)
            if awaits_reply(turns):
                raise NotAllowed("The author has not replied yet; you can still accept the proposed grade.")
            if sum(isinstance(turn.what, Discuss) for turn in turns) >= reviews.rounds:
                raise NotAllowed(f"You have discussed this {_times(reviews.rounds)}; accept the proposal that stands.")
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
        case SignOff(role="instructor"):
            _only(capacity, "instructor", "Only an instructor can sign off.")
            if now == "signed":
                raise NotAllowed("This dialogue is signed already.")
            if now not in CLOSED:
                raise NotAllowed("Nothing is agreed yet, so there is nothing to sign.")
        case SignOff():
            _only(capacity, "author", "Only the author can put their signature beside the instructor's.")
            if now not in CLOSED:
                raise NotAllowed("Nothing is agreed yet, so there is nothing to sign.")
            if any(isinstance(turn.what, SignOff) and turn.what.role == "author" for turn in turns):
                raise NotAllowed("You have signed this already.")


def _admit_self_evaluation(turns: Sequence[Turn], what: SelfEvaluation, now: Stage) -> None:
    if self_evaluation(turns) is not None:
        raise NotAllowed("Your self-evaluation is in already; you can still talk about it with your instructor.")
    if now in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    _text(what.strengths, "strengths", "Write at least one strength before you submit.")
    _text(what.improvements, "improvements", "Write at least one opportunity for improvement before you submit.")


def _admit_reveal(turns: Sequence[Turn], what: Reveal, capacity: Capacity, reviews: Reviews) -> None:
    if capacity not in ("instructor", "schedule"):
        raise NotAllowed("Only an instructor or the schedule can reveal reviews.")
    if reveal(turns) is not None:
        raise NotAllowed("These reviews have been revealed already.")
    there = len(latest_reviews(turns))
    if there < reviews.minimum and not (capacity == "instructor" and what.reason.strip()):
        raise NotAllowed(
            f"Only {there} of at least {reviews.minimum} reviews are in; an instructor can reveal them with a reason."
        )


def _admit_answer(turns: Sequence[Turn], what: Answer, now: Stage) -> None:
    shown = reveal(turns)
    if shown is None or not isinstance(shown.what, Reveal) or self_evaluation(turns) is None:
        raise NotAllowed("The reviews are not open to you yet.")
    if now in CLOSED:
        raise NotAllowed("This dialogue is closed.")
    if what.review not in shown.what.reviews:
        raise NotAllowed("There is no such review of this submission.")
    if what.review not in unanswered(turns):
        raise NotAllowed("You have answered this review already.")
    if what.revised is not None:
        if any(isinstance(turn.what, Answer) and turn.what.revised is not None for turn in turns):
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
        last = next(turn.what for turn in reversed(turns) if isinstance(turn.what, Discuss))
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
