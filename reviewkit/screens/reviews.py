"""Reviews to give: what a reviewer sees of the work of others, and what they say about it.

Nothing in here ties a submission to its author: the view is built from `Course.duties`, which knows the author by
pseudonym alone, and times of blind acts are shown by the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from reviewkit import screens
from reviewkit.course import Copy, Course, Duty, SeenTurn
from reviewkit.errors import Missing, NotAllowed
from reviewkit.model import Answer, Draft, Judgement, Mode, Person, Review, Rubric
from reviewkit.screens import dates, talk
from reviewkit.screens.events import taken

ROLES = ("student",)
MASKED = "This copy is masked: the author's name, sites and addresses are taken out where we found them."
BLIND: dict[Mode, str] = {
    "double-blind": (
        "What you read is masked, and your review is blind: its author does not see your name. "
        "The instructor can see who wrote a review."
    ),
    "reviewers-hidden": (
        "You see who wrote a submission. Your review is blind: its author does not see your name. "
        "The instructor can see who wrote a review."
    ),
    "open": "Reviews are open in this course: you see who wrote a submission, and its author sees who reviewed it.",
}


def view(course: Course, viewer: Person, params: Mapping[str, Any]) -> dict[str, Any]:
    """The queue and the chosen review; `params["open"]` is the random id of an allocation."""
    duties = sorted(course.duties(viewer), key=lambda duty: duty.closed or duty.needless)
    drafts = {duty.id: course.draft(viewer, form_of(duty)) for duty in duties}
    here = chosen(duties, drafts, params.get("open"))
    scene = Scene(course=course, viewer=viewer, now=course.clock())
    return {
        "screen": "reviews",
        "frame": screens.frame(course, viewer, "reviews"),
        "zone": course.setup.timezone,
        "params": {"open": here.id} if here else {},
        "title": "Reviews to give",
        "lede": lede(duties),
        "blind": BLIND[(here or duties[0]).mode] if duties else "",
        "queue": [scene.card(duty, drafts[duty.id], here) for duty in duties],
        "duty": scene.duty(course.duty(viewer, here.id), drafts[here.id]) if here else None,
        "offers": scene.offers(duties),
        "locked": next((duty.locked for duty in duties if duty.locked), "") if here is None else "",
        "empty": None if duties else scene.empty(),
    }


def form_of(duty: Duty) -> str:
    """The name under which the course keeps what is being typed into this review."""
    return f"review:{duty.id}"


def chosen(duties: Sequence[Duty], drafts: Mapping[str, Draft | None], wish: object) -> Duty | None:
    """The review to show: the one asked for, else one begun, else one not sent, else one that can be replaced."""
    open_ = [duty for duty in duties if not duty.locked]
    ranks = (
        [duty for duty in open_ if duty.id == wish],
        [duty for duty in open_ if state_of(duty, drafts[duty.id]) == "begun"],
        [duty for duty in open_ if state_of(duty, drafts[duty.id]) == "new"],
        open_,
    )
    return next((rank[0] for rank in ranks if rank), None)


def state_of(duty: Duty, draft: Draft | None) -> str:
    if duty.closed:
        return "closed"
    if duty.needless and not duty.mine:
        return "needless"
    if duty.locked:
        return "locked"
    if duty.mine:
        return "changed" if draft else "sent"
    return "begun" if draft and any(filled(draft.content)) else "new"


def lede(duties: Sequence[Duty]) -> str:
    due = [duty for duty in duties if not duty.closed and (duty.mine or not duty.needless)]
    if not due:
        return "Nothing waits for a review by you."
    sent = sum(1 for duty in due if duty.mine)
    said = f"You review {talk.count(len(due), 'submission')} this round."
    if sent == len(due):
        return f"{said} All sent."
    return f"{said} {talk.sentence(talk.number(sent))} of {talk.number(len(due))} sent." if sent else said


def content_of(turn: SeenTurn | None) -> dict[str, Any]:
    """A review that was sent, in the shape of the form's draft."""
    if turn is None:
        return {}
    review = turn.what
    assert isinstance(review, Review)
    return {
        "levels": {each.criterion: each.level for each in review.judgements},
        "notes": {each.criterion: each.note for each in review.judgements if each.note},
        "quotes": {each.criterion: each.quote for each in review.judgements if each.quote},
        "strengths": review.strengths,
        "suggestions": review.suggestions,
    }


def filled(content: Mapping[str, Any]) -> list[object]:
    """What a draft holds already of what a review needs: a level each, strengths and suggestions."""
    levels = content.get("levels")
    texts = [content.get(name) for name in ("strengths", "suggestions")]
    return [*(levels if isinstance(levels, Mapping) else ()), *(text for text in texts if text)]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A moment of a course, in which duties are put into words."""

    course: Course
    viewer: Person
    now: datetime

    @property
    def zone(self) -> tzinfo:
        return dates.zone_of(self.course.setup.timezone)

    def day(self, at: datetime) -> str:
        return dates.day(at, self.zone, self.now)

    def due(self, at: datetime | None) -> str:
        return dates.due(at, self.zone, self.now) if at else ""

    def card(self, duty: Duty, draft: Draft | None, here: Duty | None) -> dict[str, Any]:
        state = state_of(duty, draft)
        parts = len(duty.rubric.criteria) + 2
        done = 1.0 if duty.mine else min(len(filled(draft.content)) / parts, 1.0) if draft else 0.0
        words = {
            "closed": "Closed",
            "needless": "Not needed",
            "locked": "Not open yet",
            "sent": "Sent",
            "changed": "Sent, then changed",
        }
        return {
            "id": duty.id,
            "title": f"Submission by {duty.author}",
            "state": state,
            "word": words.get(state) or ("In progress" if state == "begun" else "Not started"),
            "when": self.when(duty),
            "share": round(done, 2),
            "here": bool(here and here.id == duty.id),
        }

    def when(self, duty: Duty) -> str:
        if duty.mine:
            return f"Sent {self.day(duty.mine.at)}{', late' if is_late(duty.mine) else ''}"
        if duty.needless and not duty.closed:
            return "Not asked for any more"
        return "Not sent" if duty.closed else duty.locked or self.due_of(duty)

    def due_of(self, duty: Duty) -> str:
        """When it is due; with a word on it where this person was given more time than the others."""
        due, common = self.due(duty.due), self.course.assignment(duty.assignment.id).review_by
        return f"{due}. You were given more time." if due and duty.due != common and not due.endswith(".") else due

    def offers(self, duties: Sequence[Duty]) -> list[dict[str, Any]]:
        """The rounds in which this person gave all they owe, and another submission waits for a review."""
        offered = list[dict[str, Any]]()
        for assignment in self.course.setup.assignments:
            mine = [duty for duty in duties if duty.assignment.id == assignment.id]
            if not all(duty.mine or duty.closed or duty.needless for duty in mine):
                continue
            if waiting := self.course.offers(self.viewer, assignment.id):
                them = "One more submission" if waiting == 1 else talk.sentence(f"{talk.number(waiting)} submissions")
                offered.append(
                    {
                        "assignment": assignment.id,
                        "seen": len(mine),
                        "text": f"{them} of {assignment.title} {'waits' if waiting == 1 else 'wait'} for a review. "
                        f"Take {'it' if waiting == 1 else 'one'}?",
                    }
                )
        return offered

    def duty(self, duty: Duty, draft: Draft | None) -> dict[str, Any]:
        return {
            "id": duty.id,
            "title": f"Submission by {duty.author}",
            "assignment": duty.assignment.title,
            "author": duty.author,
            "pseudonym": "" if duty.mode == "open" else duty.pseudonym,
            "masked": MASKED if duty.mode == "double-blind" else "",
            "posts": [post_of(copy) for copy in duty.posts],
            "criteria": talk.criteria_of(duty.rubric),
            "due": self.due_of(duty),
            "state": state_of(duty, draft),
            "needless": duty.needless,
            "passes": duty.passes,
            "draft": self.draft(duty),
            "sent_on": self.day(duty.mine.at) if duty.mine else "",
            "mine": self.said(duty.mine, duty.rubric) if duty.mine else None,
            "closed": duty.closed,
            "others": [self.said(turn, duty.rubric) for turn in duty.others if isinstance(turn.what, Review)],
            "answers": [self.answered(turn) for turn in duty.others if isinstance(turn.what, Answer)],
        }

    def draft(self, duty: Duty) -> dict[str, Any]:
        """The form as it was last saved, else as it was sent."""
        kept = screens.draft_of(self.course, self.viewer, form_of(duty))
        return kept if kept["saved"] else kept | {"content": content_of(duty.mine)}

    def said(self, turn: SeenTurn, rubric: Rubric) -> dict[str, Any]:
        """A review as it is read, with the words of the rubric it was made with."""
        review = turn.what
        assert isinstance(review, Review)
        return {
            "name": "You" if turn.mine else turn.name,
            "when": self.day(turn.at),
            "late": review.late,
            "judgements": talk.judgements_of(review.judgements, rubric),
            "strengths": review.strengths,
            "suggestions": review.suggestions,
        }

    def answered(self, turn: SeenTurn) -> dict[str, Any]:
        answer = turn.what
        assert isinstance(answer, Answer)
        return {
            "name": turn.name,
            "when": self.day(turn.at),
            "text": answer.text,
            "rating": [talk.RATINGS[word] for word in answer.rating],
            "thanks": answer.thanks,
        }

    def empty(self) -> dict[str, Any]:
        """Says when reviews will come, as far as the dates tell."""
        coming = [each.self_by for each in self.course.setup.assignments if each.self_by and each.self_by > self.now]
        when = f" after {self.day(min(coming))}" if coming else " when a round of reviews opens"
        return {
            "name": "reviews",
            "title": "No reviews to give yet",
            "text": f"Submissions of others arrive here{when}.",
            "action": {"text": "Go to My work", "href": "/my-work"},
        }


def is_late(turn: SeenTurn) -> bool:
    return isinstance(turn.what, Review) and turn.what.late


def post_of(copy: Copy) -> dict[str, Any]:
    return {"title": copy.title, "html": copy.html}


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Send:
    """What the page sends when a review is final."""

    id: str
    judgements: tuple[Judgement, ...]
    strengths: str
    suggestions: str
    request: str


def open_(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Show another review: the fresh view is all there is to it."""
    return {}


def keep_sent(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Throw away what was changed since the review was sent."""
    duty = course.duty(viewer, str(event.get("id")))
    course.drop_draft(viewer, form_of(duty))
    return {}


def send(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Send)
    course.review(viewer, said.id, said.judgements, said.strengths, said.suggestions, request=said.request)
    course.drop_draft(viewer, f"review:{said.id}")
    return {}


def pass_on(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Another submission instead of one whose author the viewer thinks they know."""
    id = str(event.get("id"))
    another = course.pass_on(viewer, id)
    course.drop_draft(viewer, f"review:{id}")
    return {"params": {"open": another}} if another else {}


@dataclass(frozen=True, kw_only=True)
class Take:
    """What the page sends when somebody takes one more; `seen` reviews of the round stood there as theirs."""

    assignment: str
    seen: int


def take_more(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Take)
    another = course.take_more(viewer, said.assignment, seen=said.seen)
    return {"params": {"open": another}} if another else {}


def owed(course: Course, viewer: Person, duty: str) -> None:
    """Raises Missing when it is not the viewer's to review, NotAllowed when it is not open to them yet."""
    mine = next((each for each in course.duties(viewer) if each.id == duty), None)
    if mine is None:
        raise Missing("There is no such review for you to give.")
    if mine.locked:
        raise NotAllowed(mine.locked)


FORMS = {"review": owed}
HANDLERS = {"open": open_, "keep-sent": keep_sent, "send": send, "pass-on": pass_on, "take-more": take_more}
