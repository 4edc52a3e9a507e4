"""My work: an author's posts and the one next step; what is said about one of them is in `my_submission`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviewkit import dialogue as rules
from reviewkit import screens
from reviewkit.course import Course, SeenDialogue
from reviewkit.model import (
    Answer,
    AskToReopen,
    Assignment,
    Dissent,
    Judgement,
    Person,
    Post,
    Reply,
    SelfEvaluation,
    Submission,
)
from reviewkit.screens import dates, own_dates, preview, sites, talk
from reviewkit.screens.events import taken
from reviewkit.screens.my_submission import Own, form_of, grade_agreed, title_of

ROLES = ("student",)


def view(course: Course, viewer: Person, params: Mapping[str, Any]) -> dict[str, Any]:
    """All posts, or the submission `params["submission"]`: its self-evaluation, afterwards its dialogue."""
    own = Own(course=course, viewer=viewer, now=course.clock())
    submission = params.get("submission")
    write = params.get("write")
    return {
        "screen": "my-work",
        "frame": screens.frame(course, viewer, "my-work"),
        "zone": course.setup.timezone,
        "masked": preview.is_masked(course),
        "params": {"submission": submission} if submission else {"write": write} if write else {},
        **(own.place(submission) if submission else sites.writing(own, write) if write else Start(own=own).place()),
    }


@dataclass(frozen=True, kw_only=True)
class Mine:
    """A round of the course and how far the viewer is in it."""

    assignment: Assignment
    candidates: list[Post]
    submission: Submission | None
    seen: SeenDialogue | None


@dataclass(frozen=True, kw_only=True)
class Start:
    """The list of an author's posts."""

    own: Own

    @property
    def course(self) -> Course:
        return self.own.course

    @property
    def tags(self) -> str:
        """The tags that bring a post into some round."""
        setup = self.course.setup
        return tags_in_words(course_tags(setup.tag, setup.assignments))

    def due(self, at: datetime | None) -> str:
        return self.own.due(at)

    def place(self) -> dict[str, Any]:
        setup = self.course.setup
        mine = [self.mine(each) for each in setup.assignments]
        return {
            "place": "start",
            "title": "My work",
            "lede": self.lede(mine),
            "next": self.next(mine),
            "posts": [self.post(post, mine) for post in self.course.posts(self.own.viewer)],
            "copies": copies(mine),
            "missing": f"Check that it carries the tag {self.tags} and is public; sites are read every half hour.",
            "how": self.how(),
            "sites": sites.part(self.own),
            "dates": own_dates.part(self.own),
        }

    def how(self) -> list[str]:
        """How a post comes here, for somebody who is new or misses one."""
        starts = self.course.setup.starts
        since = f" Posts from before {dates.day(starts, self.own.zone, self.own.now)} do not count." if starts else ""
        return [
            f"Write on your own site, and give the post the tag {self.tags}: as a category, as a tag, or as a word in "
            "its text.",
            f"The post has to be public, and its site to stand in “My sites”.{since}",
            "Sites are read every half hour; “Check my blog now” asks at once.",
            "What you change on your site comes here too, until you freeze the post for a round.",
        ]

    def lede(self, mine: Sequence[Mine]) -> str:
        """Where posts come from, and until when the next round can be joined that this person has not joined."""
        rounds = [each.assignment for each in mine if not each.submission]
        ends = [(each.freeze_by, each.title) for each in rounds if each.freeze_by and self.own.now <= each.freeze_by]
        source = f"Posts from your own sites with {self.tags}."
        if not ends:
            return source
        until, title = min(ends)
        return f"{source} {title} is open until {dates.day(until, self.own.zone, self.own.now)}."

    def mine(self, assignment: Assignment) -> Mine:
        submission = self.course.submission_of(self.own.viewer, assignment)
        return Mine(
            assignment=assignment,
            candidates=[] if submission else self.course.candidates(self.own.viewer, assignment),
            submission=submission,
            seen=self.course.dialogue(submission.id, self.own.viewer) if submission else None,
        )

    def next(self, mine: Sequence[Mine]) -> dict[str, Any] | None:
        """The one next step: what waits for the author, else a post to choose, else nothing."""
        for each in mine:
            if each.seen and each.seen.waiting_on == "You":
                return {
                    "title": title_of(each.seen),
                    "text": self.errand(each.seen),
                    "action": "Continue" if self.own.unevaluated(each.seen) else "Open",
                    "submission": each.seen.submission,
                }
        for each in mine:
            if self.can_choose(each):
                text = f"Choose the post that counts for this. {self.due(each.assignment.freeze_by)}".strip()
                return {
                    "title": each.assignment.title,
                    "text": text,
                    "action": "Choose this post" if len(each.candidates) == 1 else "Choose the newest post",
                    "freeze": [self.freezing(each, each.candidates[0])],
                    "post": each.candidates[0].headline,
                }
        return None

    def can_choose(self, mine: Mine) -> bool:
        end = mine.assignment.freeze_by
        return bool(mine.candidates) and (end is None or self.own.now <= end)

    def errand(self, seen: SeenDialogue) -> str:
        if anew := self.own.anew(seen):
            return anew["text"]
        if self.own.unevaluated(seen):
            done = len(self.own.levels(seen))
            far = "Your self-evaluation has not begun." if not done else self.progress(seen) + " Everything is saved."
            return f"{far} {self.due(seen.assignment.self_by)}".strip()
        if seen.stage == "revealed":
            return f"Your reviews are here, and wait for your answers. {self.due(seen.assignment.answer_by)}".strip()
        return "Your instructor has written to you. It is your turn."

    def progress(self, seen: SeenDialogue) -> str:
        steps = len(seen.rubric.criteria) + 1
        done = len(self.own.levels(seen))
        return f"You are {talk.number(done)} of {talk.number(steps)} steps into your self-evaluation."

    def post(self, post: Post, mine: Sequence[Mine]) -> dict[str, Any]:
        """A line of the list of posts: where it stands, and what can be done with it."""
        line: dict[str, Any] = {
            "id": post.id,
            "title": post.headline,
            "date": dates.day(post.published, self.own.zone, self.own.now) if post.published else "No date",
            "link": post.link,
        }
        if post.given_for:
            line |= {"private": True, "write": True}
        for each in mine:
            if each.seen and each.submission and any(frozen.post == post.id for frozen in each.submission.revisions):
                kind, word = self.status(each.seen)
                action = "Continue" if self.own.unevaluated(each.seen) else "Open"
                return line | {"kind": kind, "word": word, "submission": each.seen.submission, "action": action}
        choices = [
            self.freezing(each, post)
            for each in mine
            if self.can_choose(each) and any(candidate.id == post.id for candidate in each.candidates)
        ]
        if choices:
            return line | {"kind": "out", "word": "Not in a round yet", "freeze": choices, "action": "Evaluate"}
        return line | {"kind": "out", "word": "Not in a round", "action": ""}

    def freezing(self, mine: Mine, post: Post) -> dict[str, Any]:
        """What it takes to freeze a post for a round; for participation all candidates can be taken together."""
        several = mine.candidates if mine.assignment.kind == "participation" else [post]
        return {
            "assignment": mine.assignment.id,
            "title": mine.assignment.title,
            "due": self.due(mine.assignment.freeze_by),
            "posts": [{"id": each.id, "title": each.headline} for each in several],
        }

    def status(self, seen: SeenDialogue) -> tuple[str, str]:
        """The kind of tag and its words."""
        if self.own.unevaluated(seen):
            done, steps = len(self.own.levels(seen)), len(seen.rubric.criteria) + 1
            return "", f"Self-evaluation, step {min(done + 1, steps)} of {steps}"
        match seen.stage:
            case "self-evaluated" | "in review":
                return "", "In review" if seen.mode == "open" else "In blind review"
            case "revealed":
                return "peer", "Reviews to answer"
            case "with instructor":
                return "", "With your instructor"
            case "discussing":
                return ("teach", "Your turn") if talk.awaits_reply(seen.turns) else ("", "With your instructor")
            case "withdrawn" | "exempt":
                return "out", talk.sentence(seen.stage)
        if rules.asks_to_reopen(talk.record(seen.turns)):
            return "", "You asked to reopen it"
        grade, word = grade_agreed(seen), "Decided" if rules.decided(talk.record(seen.turns)) else "Agreed"
        return "ok", f"{word} at {grade}" if grade else word


def copies(mine: Sequence[Mine]) -> dict[str, dict[str, str]]:
    """What was copied from pages because feeds show beginnings: by post, for its author to read before it is frozen."""
    posts = {post.id: post.latest for each in mine for post in each.candidates if post.latest.copied}
    return {id: {"digest": latest.digest, "html": latest.html} for id, latest in posts.items()}


def course_tags(tag: str, assignments: Sequence[Assignment]) -> list[str]:
    return list(dict.fromkeys((tag, *(each.tag for each in assignments if each.tag))))


def tags_in_words(tags: Sequence[str]) -> str:
    hashed = [f"#{tag}" for tag in tags]
    return hashed[0] if len(hashed) == 1 else f"{', '.join(hashed[:-1])} or {hashed[-1]}"


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Freezing:
    assignment: str
    posts: tuple[str, ...]
    request: str
    confirmed: tuple[str, ...] = ()
    """Digests of copied texts that the author has read."""


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    submission: str
    seen: int
    judgements: tuple[Judgement, ...]
    strengths: str
    improvements: str
    request: str
    grade: str = ""


@dataclass(frozen=True, kw_only=True)
class Answered:
    submission: str
    seen: int
    said: Answer
    request: str


@dataclass(frozen=True, kw_only=True)
class Replied:
    submission: str
    seen: int
    said: Reply
    request: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """A dissent, or the wish to reopen."""

    submission: str
    seen: int
    request: str
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Signed:
    submission: str
    seen: int
    request: str


def open_(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Go to a submission, or (without one) to all posts."""
    return {"params": {"submission": event["submission"]} if event.get("submission") else {}}


def freeze(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Freezing)
    made = course.freeze(viewer, said.assignment, said.posts, request=said.request, confirmed=said.confirmed)
    return {"params": {"submission": made}}


def submit(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Evaluated)
    what = SelfEvaluation(
        judgements=said.judgements, strengths=said.strengths, improvements=said.improvements, grade=said.grade
    )
    course.self_evaluate(viewer, said.submission, what, seen=said.seen, request=said.request)
    course.drop_draft(viewer, form_of(said.submission))
    return {}


def answer(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Answered)
    course.answer(viewer, said.submission, said.said, seen=said.seen, request=said.request)
    return {}


def reply(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Replied)
    course.reply(viewer, said.submission, said.said, seen=said.seen, request=said.request)
    return {}


def sign(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Signed)
    course.sign(viewer, said.submission, seen=said.seen, request=said.request)
    return {}


def dissent(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Written)
    course.dissent(viewer, said.submission, Dissent(text=said.text), seen=said.seen, request=said.request)
    return {}


def ask_to_reopen(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Written)
    course.ask_to_reopen(viewer, said.submission, AskToReopen(text=said.text), seen=said.seen, request=said.request)
    return {}


def own(course: Course, viewer: Person, submission: str) -> None:
    """Raises Missing when it is not the viewer's."""
    course.dialogue(submission, viewer)


FORMS = {"self": own, "dialogue": own}
HANDLERS = {
    "open": open_,
    "freeze": freeze,
    "submit": submit,
    "answer": answer,
    "reply": reply,
    "sign": sign,
    "dissent": dissent,
    "ask-to-reopen": ask_to_reopen,
    **sites.HANDLERS,
    **preview.HANDLERS,
}
