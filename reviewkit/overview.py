"""A round at a glance: for whom each submission waits, and the lines of the class table. Pure.

Advice for the instructor's eye, never a grade.
"""

from dataclasses import dataclass
from datetime import datetime

from reviewkit import dialogue as rules
from reviewkit import grades
from reviewkit.model import Assignment, Dialogue, Person, Proposal, Review, Rubric, Setup


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the instructor's class table. Shares are percent of the scale's top; None where there is nothing."""

    person: Person
    submission: str = ""
    """Empty while the person is expected or collected."""
    title: str = ""
    stage: str
    """A Stage, or "expected" / "collected" before the freeze."""
    self_grade: str = ""
    self_share: float | None = None
    median: float | None = None
    low: float | None = None
    high: float | None = None
    reviews: int = 0
    owed: int = 0
    agreed: str = ""
    """The grade that was agreed, decided or signed."""
    decided: bool = False
    """It was decided without agreement."""
    flags: tuple[str, ...] = ()
    """Of "Far apart", "Wide range"."""
    close: bool = False
    """May be accepted together with others (PRODUCT.md section 2)."""
    waiting_on: str = ""
    hint: str = ""
    """A word on why: "Ready", "Reply to read", ..."""


def before_freeze(person: Person, has_posts: bool, assignment: Assignment) -> Line:
    """The line of somebody who has frozen nothing yet."""
    if has_posts:
        return Line(person=person, stage="collected", waiting_on=person.name, hint="Has a post, not frozen")
    return Line(person=person, stage="expected", waiting_on=person.name, hint=f"No post for {assignment.title} yet")


def bare(person: Person, dialogue: Dialogue) -> Line:
    """The line of a submission for staff who review it: they read it as its reviewer, and learn nothing of it here."""
    return Line(person=person, submission=dialogue.submission.id, stage=rules.stage(dialogue.turns))


def waits(dialogue: Dialogue, *, owed: int, setup: Setup, now: datetime) -> tuple[str, str]:
    """(for whom: "author", "instructor", other words or nothing; a word on why).

    After each date of the round the instructor can act: no submission waits only on another student.
    """
    turns = dialogue.turns
    assignment = setup.assignment(dialogue.submission.assignment)
    review_by = assignment.review_by if assignment else None
    answer_by = setup.own(assignment, dialogue.submission.person).answer_by if assignment else None
    missing = owed - len(rules.latest_reviews(turns))
    match rules.stage(turns):
        case "withdrawn" | "exempt" as out:
            return "", out.capitalize()
        case "agreed" | "decided" | "signed" if rules.asks_to_reopen(turns):
            return "instructor", "Asks to reopen"
        case "signed":
            return "", "Signed"
        case "agreed":
            return "instructor", "Agreed, not signed yet"
        case "decided":
            return "instructor", "Decided, not signed yet"
        case "discussing":
            return ("author", "Reply") if rules.awaits_reply(turns) else ("instructor", "Reply to read")
        case "with instructor" if rules.reveal(turns) is None:
            return "instructor", "Too few reviews"
        case "with instructor":
            return "instructor", "Ready" if rules.self_evaluation(turns) else "No self-evaluation"
        case "revealed":
            if answer_by is not None and answer_by < now:
                return "instructor", "Not answered"
            return "author", "Answers"
        case _ if review_by is not None and review_by < now:
            return "instructor", "Too few reviews"
        case _ if rules.self_evaluation(turns) is None:
            return "author", "Self-evaluation"
        case _ if missing > 0:
            return ("One reviewer" if missing == 1 else f"{missing} reviewers"), "In review"
        case _:
            return "", "Reviews are in" if owed else "Not allocated yet"


def line(
    person: Person, dialogue: Dialogue, *, rubric: Rubric, setup: Setup, owed: int, title: str, now: datetime
) -> Line:
    """The line of one submission."""
    turns = dialogue.turns
    peers = [turn.what.judgements for turn in rules.latest_reviews(turns) if isinstance(turn.what, Review)]
    shares = [grades.share(judgements, rubric) for judgements in peers]
    own, agreed = rules.standing(turns), rules.outcome(turns)
    range_ = grades.spread(shares)
    share = _share(own, rubric, setup) if own else None
    stage = rules.stage(turns)
    who, hint = waits(dialogue, owed=owed, setup=setup, now=now)
    return Line(
        person=person,
        submission=dialogue.submission.id,
        title=title,
        stage=stage,
        self_grade=own.grade if own else "",
        self_share=share,
        median=grades.median(shares),
        low=range_[0] if range_ else None,
        high=range_[1] if range_ else None,
        reviews=len(peers),
        owed=owed,
        agreed=agreed.grade if agreed else "",
        decided=rules.decided(turns) is not None,
        flags=grades.flags(share, shares, setup.scale),
        close=own is not None
        and who == "instructor"
        and stage in ("revealed", "with instructor", "discussing")
        and grades.is_close(share, shares, own.judgements, peers, setup.scale),
        waiting_on=who,
        hint=hint,
    )


def _share(own: Proposal, rubric: Rubric, setup: Setup) -> float:
    stated = grades.share_of_grade(own.grade, setup.scale)
    return grades.share(own.judgements, rubric) if stated is None else stated
