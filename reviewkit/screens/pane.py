"""Sign-off's pane: one submission with its dialogue, and what its viewer can do with it now.

What can be done is what the rules admit (`dialogue.admit`), so that nothing is offered that would be refused. An
assistant reads, and writes a draft that an instructor finds here and sends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from reviewkit import dialogue as rules
from reviewkit import grades, screens
from reviewkit.course import STAFF_DRAFT, Copy, Course, Line, SeenDialogue, SeenTurn
from reviewkit.errors import Missing
from reviewkit.model import (
    Accept,
    AskToReopen,
    Assignment,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    HandOver,
    Judgement,
    Person,
    Proposal,
    Recognise,
    SignOff,
    What,
    Withdraw,
)
from reviewkit.screens import dates, more, talk

STAGES = {
    "expected": "No post yet",
    "collected": "Post not chosen yet",
    "frozen": "Frozen",
    "self-evaluated": "Self-evaluated",
    "in review": "In review",
    "revealed": "Reviews revealed",
    "with instructor": "Ready",
    "discussing": "Discussing",
    "agreed": "Agreed",
    "decided": "Decided",
    "signed": "Signed",
    "withdrawn": "Withdrawn",
    "exempt": "Exempt",
}
TALKING = ("accept", "discuss", "recognise", "decide")


@dataclass(frozen=True, kw_only=True)
class Pane:
    """A moment of a course, in which submissions are put into words for the staff."""

    course: Course
    viewer: Person
    now: datetime

    @property
    def zone(self) -> tzinfo:
        return dates.zone_of(self.course.setup.timezone)

    @property
    def instructs(self) -> bool:
        return self.viewer.role == "instructor"

    def share(self, share: float | None) -> str:
        """A share as a grade of the course's scale; nothing where the course has no numbers."""
        scale = self.course.setup.scale
        return "" if share is None or scale == "levels" else grades.grade_of_share(share, scale)

    def detail(self, line: Line, assignment: Assignment) -> dict[str, Any]:
        """One row opened: its post, its dialogue, and what can be done with it now."""
        about = {
            "id": id_of(line),
            "person": line.person.id,
            "assignment": assignment.id,
            "name": line.person.name,
            "title": line.title,
            "stage": line.stage,
        }
        nothing = about | {"submission": "", "does": "nothing", "why": STAGES[line.stage] + ".", "more": []}
        if not line.submission:
            given = more.before_freeze(self.course, line, assignment, now=self.now) if self.instructs else []
            return nothing | {"more": given}
        if line.person.id == self.viewer.id:
            return nothing | {"why": "This submission is your own, so somebody else decides on it."}
        try:
            seen = self.course.dialogue(line.submission, self.viewer)
        except Missing:  # the lesser view of the two, for staff who review it
            return nothing | {"why": "You review this submission yourself, so you read it as its reviewer."}
        standing, counter = talk.standing(seen.turns), talk.counter(seen.turns)
        acts = self.acts(seen, standing)
        decision = talk.last(seen.turns, Decide)
        decided = decision.what if decision and isinstance(decision.what, Decide) else None
        teach = Proposal(judgements=decided.judgements) if decided and decided.judgements else counter
        return about | {
            "submission": line.submission,
            "seen": len(seen.turns),
            "draft": self.draft(line.submission, standing, counter),
            "does": self.does(acts),
            "acts": acts if self.instructs else [],
            "why": self.why(seen, acts, standing),
            "can_discuss": "discuss" in acts,
            "agreed": line.agreed,
            "closed": self.closed(seen, line.agreed),
            "posts": [self.post(copy) for copy in seen.posts],
            "replaced": self.replaced(line.submission),
            "plot": self.plot(line, counter),
            "levels": talk.level_by_level(seen, standing, teach, you="Self", each=True)
            if line.reviews or teach
            else None,
            "summary": talk.summary(seen, span(self.share(line.low), self.share(line.high))),
            "turns": talk.timeline(seen, now=self.now, zone=self.zone),
            "criteria": criteria(seen, standing, counter),
            "standing": standing.grade if standing else "",
            "proposed": standing is not None,
            "counter": counter.grade if counter else "",
            "decision": said(decision) | {"dissent": said(talk.last(seen.turns, Dissent))} if decision else None,
            "signatures": talk.signatures(seen.turns, now=self.now, zone=self.zone),
            "wish": said(talk.last(seen.turns, AskToReopen)) or None,
            "suggested": self.suggested(line.submission),
            "own_review": more.own_review(self.course, self.viewer, seen, self.zone) if self.instructs else None,
            "more": self.more(seen, line),
        }

    def replaced(self, submission: str) -> list[dict[str, Any]]:
        """What masking took out of the copies that reviewers read; nothing where they read it with its author."""
        found = self.course.replaced(self.viewer, submission) if self.instructs else ()
        return [{"text": text, "times": times} for text, times in found]

    # -- what can be done

    def more(self, seen: SeenDialogue, line: Line) -> list[dict[str, Any]]:
        missing = line.owed - line.reviews
        return (
            list(more.offers(self.course, self.viewer, seen, now=self.now, missing=missing)) if self.instructs else []
        )

    def acts(self, seen: SeenDialogue, standing: Proposal | None) -> list[str]:
        """The turns that an instructor may take now, of those in which they talk."""
        tried: dict[str, What] = {
            "accept": Accept(grade=standing.grade if standing else ""),
            "discuss": Discuss(text="."),
            "recognise": Recognise(text="."),
            "decide": Decide(reason="."),
            "sign": SignOff(),
        }
        return [name for name, what in tried.items() if self.may(seen, what)]

    def may(self, seen: SeenDialogue, what: What) -> bool:
        return more.admitted(self.course, seen, what)

    def does(self, acts: Sequence[str]) -> str:
        """What the pane is for now: to decide, to sign, to suggest (for an assistant), or nothing but reading."""
        talks = any(act in acts for act in TALKING)
        if not self.instructs:
            return "suggest" if talks else "nothing"
        return "decide" if talks else "sign" if "sign" in acts else "nothing"

    def why(self, seen: SeenDialogue, acts: Sequence[str], standing: Proposal | None) -> str:
        """Where it stands, and why not more can be done, in a sentence or two."""
        author, record = seen.author, talk.record(seen.turns)
        out, over = talk.last(seen.turns, Withdraw, Exempt), talk.last(seen.turns, HandOver)
        decision = talk.last(seen.turns, Decide)
        if seen.stage in rules.OUT and out:
            return f"{out.name} took this out of the count: {seen.stage}. Nothing is lost, and it can be restored."
        if seen.stage == "signed":
            by = [turn.name for turn in seen.turns if isinstance(turn.what, SignOff) and turn.what.role == "instructor"]
            return f"{by[-1]} {'have' if by[-1] == 'You' else 'has'} signed this."
        if seen.stage in rules.CLOSED:
            closes = "Your signature closes the dialogue." if self.instructs else "An instructor signs it next."
            how = f"{decision.name} decided without agreement." if decision else f"{author} accepted your proposal."
            return f"{how} {closes}"
        if seen.stage in rules.BLIND:
            return "The reviews are not revealed yet. You can decide after they are."
        if over and rules.reveal(record) is None and isinstance(over.what, HandOver):
            there = talk.sentence(talk.count(over.what.given, "review")) if over.what.given else "No review"
            ways = " Under “More” you can give more time, assign a reviewer, review it yourself or go on without."
            came = f"{there} of at least {talk.number(over.what.minimum)} came in time."
            return came + (ways if self.instructs else " An instructor says how it goes on.")
        if standing is None:
            return f"{author} has not sent a self-evaluation, so there is no proposed grade to accept."
        if rules.awaits_reply(record):
            return f"{author} has not replied yet. You can still accept the proposed grade."
        if "discuss" not in acts:
            rounds = talk.count(self.course.setup.reviews.rounds, "round")
            return f"This was discussed in {rounds}. Accept the proposal that stands, or decide."
        return ""

    def closed(self, seen: SeenDialogue, agreed: str) -> str:
        """How it ended, for the line that says so; empty while it goes on."""
        if seen.stage not in rules.CLOSED or not agreed:
            return ""
        return f"{'Decided' if rules.decided(talk.record(seen.turns)) else 'Agreed'} at {agreed}."

    # -- what is shown

    def draft(self, submission: str, standing: Proposal | None, counter: Proposal | None) -> dict[str, Any]:
        """What the viewer was typing, else where the instructor stands: at the counter-proposal or at the author's."""
        start = counter or standing or Proposal()
        levels = talk.levels_by_criterion(start.judgements)
        kept = screens.draft_of(self.course, self.viewer, form_of(submission, self.viewer))
        return kept if kept["saved"] else kept | {"content": {"grade": start.grade, "levels": levels}}

    def suggested(self, submission: str) -> list[dict[str, Any]]:
        """What assistants have drafted for an instructor to send."""
        if not self.instructs:
            return []
        return [
            {
                "by": person.id,
                "name": person.name,
                "content": suggestion(draft.content),
                "when": dates.moment(draft.saved, self.zone, self.now),
            }
            for person, draft in self.course.suggested(self.viewer, submission)
            if str(draft.content.get("word", "")).strip()
        ]

    def plot(self, line: Line, counter: Proposal | None) -> dict[str, Any]:
        """Where everybody stands on the scale."""
        median, low, high = self.share(line.median), self.share(line.low), self.share(line.high)
        return {
            "self": line.self_share,
            "median": line.median,
            "low": line.low,
            "high": line.high,
            "teach": grades.share_of_grade(counter.grade, self.course.setup.scale) if counter else None,
            "finding": finding(line.self_grade, median, low, high, counter.grade if counter else ""),
        }

    def post(self, copy: Copy) -> dict[str, Any]:
        return {
            "title": copy.title,
            "html": copy.html,
            "link": copy.link,
            "when": dates.moment(copy.published, self.zone, self.now) if copy.published else "",
            "changed": copy.changed_since,
        }


def id_of(line: Line) -> str:
    return line.submission or line.person.id


def form_of(submission: str, viewer: Person | None = None) -> str:
    """The name under which the course keeps what is typed in the pane: an assistant's is a draft for an instructor."""
    return f"{STAFF_DRAFT if viewer and viewer.role == 'assistant' else 'sign-off'}:{submission}"


def said(turn: SeenTurn | None) -> dict[str, Any]:
    """Who said what, of a turn with one text; empty without a turn."""
    if turn is None:
        return {}
    match turn.what:
        case Decide(grade=grade, reason=text):
            return {"name": f"{turn.name} decided {grade}".rstrip(), "text": text}
        case Dissent(text=text) | AskToReopen(text=text):
            return {"name": turn.name, "text": text}
    return {}


def suggestion(content: Mapping[str, object]) -> dict[str, Any]:
    """An assistant's draft in the shape of the pane's form, whatever it holds besides."""
    levels, recognised = content.get("levels"), content.get("recognised")
    return {
        "word": str(content.get("word", "")),
        "grade": str(content.get("grade", "")),
        "levels": screens.levels_of(content, list(levels)) if isinstance(levels, Mapping) else {},
        "notes": screens.texts_of(content, "notes"),
        "recognised": [each for each in recognised if isinstance(each, str)] if isinstance(recognised, list) else [],
    }


def span(low: str, high: str) -> str:
    return f"{low} to {high}" if low != high else low


def finding(own: str, median: str, low: str, high: str, counter: str = "") -> str:
    """What a plot shows, as a sentence for those who do not see it."""
    parts = [
        f"Self {own}" if own else "",
        f"peer median {median}" if median else "",
        f"peers from {low} to {high}" if low != high else "",
        f"your proposal {counter}" if counter else "",
    ]
    told = ", ".join(part for part in parts if part)
    return f"{told[0].upper()}{told[1:]}." if told else "No levels yet."


def criteria(seen: SeenDialogue, standing: Proposal | None, counter: Proposal | None) -> list[dict[str, Any]]:
    """Every criterion with its levels, and the level that the author, each peer and the instructor chose."""
    reviews = talk.latest_reviews(seen.turns).values()

    def level(judgements: Sequence[Judgement], criterion: str) -> int | None:
        return next((each.level for each in judgements if each.criterion == criterion), None)

    return [
        {
            **row,
            "self": level(standing.judgements, row["id"]) if standing else None,
            "peers": [found for review in reviews if (found := level(review.judgements, row["id"])) is not None],
            "teach": level(counter.judgements, row["id"]) if counter else None,
        }
        for row in talk.criteria_of(seen.rubric)
    ]
