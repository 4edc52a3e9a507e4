"""Where a dialogue stands, from its turns alone: the stage, what counts still, and what was said last. Pure."""

from collections.abc import Iterable, Sequence

from reviewkit.model import (
    Accept,
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    HandOver,
    Proposal,
    Reopen,
    Reopened,
    Reply,
    Restore,
    Reveal,
    Review,
    SelfEvaluation,
    SignOff,
    Stage,
    Turn,
    What,
    Withdraw,
)

CLOSED: frozenset[Stage] = frozenset({"agreed", "decided", "signed"})
BLIND: frozenset[Stage] = frozenset({"frozen", "self-evaluated", "in review"})
OUT: frozenset[Stage] = frozenset({"withdrawn", "exempt"})

_ENDS: tuple[type[What], ...] = (Accept, Decide, Dissent, SignOff, AskToReopen)
_TALK: tuple[type[What], ...] = (Discuss, Reply, *_ENDS)
UNDONE: dict[Reopened, tuple[type[What], ...]] = {
    "frozen": (SelfEvaluation, HandOver, *_TALK),
    "in review": (HandOver, *_TALK),
    "revealed": (Answer, *_TALK),
    "with instructor": _TALK,
    "discussing": _ENDS,
}
"""What a Reopen to a stage makes count no longer. Reviews are other people's work: they always count."""


def live(turns: Iterable[Turn]) -> list[Turn]:
    """The turns that count still; those that a Reopen has undone stay in the record and are not among them."""
    counted: list[Turn] = []
    for turn in turns:
        if isinstance(turn.what, Reopen):
            undone = UNDONE[turn.what.to]
            counted = [
                each
                for each in counted
                if not isinstance(each.what, undone) and not (isinstance(each.what, Reply) and each.what.accepts)
            ]
        counted.append(turn)
    return counted


def superseded(turns: Sequence[Turn]) -> frozenset[str]:
    """Ids of the turns that a Reopen has undone."""
    return frozenset(turn.id for turn in turns) - frozenset(turn.id for turn in live(turns))


def stage(turns: Iterable[Turn]) -> Stage:
    """The stage, from the turns alone (PRODUCT.md section 3). The first turn is always a Freeze."""
    now: Stage = "frozen"
    out: Stage | None = None
    evaluated, reviewed, open_answers = False, False, set[str]()
    for turn in live(turns):
        match turn.what:
            case SelfEvaluation():
                evaluated = True
                if now == "frozen":
                    now = "in review" if reviewed else "self-evaluated"
                elif now == "with instructor" and open_answers:
                    now = "revealed"
            case Review():
                reviewed = True
                if now in BLIND:
                    now = "in review"
            case Reveal(reviews=reviews):
                open_answers = set(reviews)
                now = "revealed" if evaluated and reviews else "with instructor"
            case HandOver():
                now = "with instructor"
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
            case Decide():
                now = "decided"
            case SignOff(role="instructor"):
                now = "signed"
            case Reopen(to=to):
                now = to
            case Withdraw():
                out = "withdrawn"
            case Exempt():
                out = "exempt"
            case Restore():
                out = None
            case _:
                pass
    return out or now


def ways_back(turns: Sequence[Turn]) -> list[Reopened]:
    """The stages that an instructor may reopen it to, the nearest first. Nothing that was shown becomes blind again:
    before the reveal it goes back to writing and reviewing, after it to the talk."""
    now, counted = stage(turns), live(turns)
    if now in OUT:
        return []
    ways: list[Reopened] = []
    if reveal(counted) is None:
        if now in CLOSED or now == "with instructor":
            ways.append("in review")
        if self_evaluation(counted) is not None:
            ways.append("frozen")
        return ways
    answers = any(isinstance(turn.what, Answer) for turn in counted)
    if now in CLOSED:
        if any(isinstance(turn.what, Discuss) for turn in counted):
            ways.append("discussing")
        ways.append("with instructor")
    elif now == "discussing":
        ways.append("with instructor")
    if self_evaluation(counted) is not None and shown_reviews(counted) and (answers or now in CLOSED):
        ways.append("revealed")
    return ways


def latest_reviews(turns: Iterable[Turn]) -> list[Turn]:
    """The newest version of each review, in order of their first."""
    newest: dict[str, Turn] = {}
    for turn in turns:
        if isinstance(turn.what, Review):
            # A view for authors and peers names no allocation; it holds only one version of each review anyway.
            newest[turn.what.allocation or turn.id] = turn
    return list(newest.values())


def self_evaluation(turns: Iterable[Turn]) -> SelfEvaluation | None:
    return next((turn.what for turn in live(turns) if isinstance(turn.what, SelfEvaluation)), None)


def reveal(turns: Iterable[Turn]) -> Turn | None:
    """The turn that revealed the reviews; there is at most one, and no Reopen undoes it."""
    return next((turn for turn in turns if isinstance(turn.what, Reveal)), None)


def shown_reviews(turns: Iterable[Turn]) -> tuple[str, ...]:
    """Ids of the reviews that the reveal showed, and of those that came late."""
    shown: tuple[str, ...] | None = None
    for turn in turns:
        if isinstance(turn.what, Reveal):
            shown = turn.what.reviews
        elif isinstance(turn.what, Review) and shown is not None:
            shown = (*shown, turn.id)
    return shown or ()


def standing(turns: Iterable[Turn]) -> Proposal | None:
    """The author's proposal that stands: what an Accept agrees to."""
    proposal: Proposal | None = None
    for turn in live(turns):
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
    for turn in live(turns):
        if isinstance(turn.what, Discuss) and turn.what.counter is not None:
            found = turn.what.counter
    return found


def agreed(turns: Sequence[Turn]) -> Proposal | None:
    """What author and instructor agreed on, once they did."""
    for turn in reversed(live(turns)):
        match turn.what:
            case Reply(accepts=True):
                return counter(turns)
            case Accept(grade=grade):
                proposal = standing(turns)
                return Proposal(judgements=proposal.judgements if proposal else (), grade=grade)
            case _:
                pass
    return None


def decided(turns: Iterable[Turn]) -> Decide | None:
    """The instructor's decision without agreement, while it counts."""
    return next((turn.what for turn in live(turns) if isinstance(turn.what, Decide)), None)


def outcome(turns: Sequence[Turn]) -> Proposal | None:
    """What is to be signed: the agreement, or the decision."""
    decision = decided(turns)
    if decision is not None:
        return Proposal(judgements=decision.judgements, grade=decision.grade)
    return agreed(turns)


def awaits_reply(turns: Iterable[Turn]) -> bool:
    """The instructor has spoken last and the author has not replied."""
    last = next((turn for turn in reversed(live(turns)) if isinstance(turn.what, Discuss | Reply)), None)
    return last is not None and isinstance(last.what, Discuss)


def asks_to_reopen(turns: Iterable[Turn]) -> AskToReopen | None:
    """The author's wish to reopen that no instructor has met yet."""
    return next((turn.what for turn in live(turns) if isinstance(turn.what, AskToReopen)), None)


def unanswered(turns: Sequence[Turn]) -> list[str]:
    """Ids of the reviews of the reveal that the author has not answered. A late one may be answered and need not be."""
    shown = reveal(turns)
    if shown is None or not isinstance(shown.what, Reveal):
        return []
    answered = {turn.what.review for turn in live(turns) if isinstance(turn.what, Answer)}
    return [review for review in shown.what.reviews if review not in answered]
