"""Sign-off: the class at a glance, one dialogue beside it, accept or discuss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

from reviewkit import grades, screens
from reviewkit.course import Copy, Course, Line, SeenDialogue
from reviewkit.errors import Conflict, Invalid, ReviewkitError
from reviewkit.model import Accept, Assignment, Discuss, Judgement, Person, Proposal, Reveal
from reviewkit.screens import dates, talk
from reviewkit.screens.events import taken

ROLES = ("instructor",)
RECOGNITIONS = ("Honest about gaps", "Clear evidence", "Took advice well", "Generous reader")
BEFORE_REVEAL = ("frozen", "self-evaluated", "in review")
CLOSED = ("agreed", "decided", "signed")
BULK_LIMIT = 500
SEED_DIGITS = 20
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
STEPS = (
    ("freeze_by", "posts are frozen"),
    ("self_by", "self-evaluations are due"),
    ("review_by", "reviews are due and revealed"),
    ("answer_by", "answers are due"),
    ("sign_by", "sign-off is due"),
)


def view(course: Course, viewer: Person, params: Mapping[str, Any]) -> dict[str, Any]:
    """The class table of one round and, beside it, the row `params["open"]`; `params["assignment"]` names the round."""
    setup = course.setup
    tables = {each.id: course.class_table(viewer, each) for each in setup.assignments}
    assignment = round_of(setup.assignments, tables, params.get("assignment"))
    lines = tables[assignment.id] if assignment else []
    line = row_of(lines, params.get("open"))
    scene = Scene(course=course, viewer=viewer, now=course.clock())
    return {
        "screen": "sign-off",
        "frame": screens.frame(course, viewer, "sign-off"),
        "zone": setup.timezone,
        "params": {"assignment": assignment.id if assignment else "", "open": id_of(line) if line else ""},
        "title": "Sign-off",
        "lede": lede(assignment, lines),
        "rounds": [{"id": each.id, "title": each.title, "here": each is assignment} for each in setup.assignments],
        "step": scene.step(assignment, lines) if assignment else None,
        "scale": scale_of(setup.scale),
        "axis": axis(lines),
        "lines": [scene.line(each) for each in lines],
        "detail": scene.detail(line) if line else None,
        "recognitions": list(RECOGNITIONS),
    }


def round_of(
    assignments: Sequence[Assignment], tables: Mapping[str, Sequence[Line]], wish: object
) -> Assignment | None:
    """The round asked for, else the first that waits for the instructor, else the newest that has begun."""
    asked = [each for each in assignments if each.id == wish]
    waiting = [each for each in assignments if any(is_mine(line) for line in tables[each.id])]
    begun = [each for each in assignments if any(line.submission for line in tables[each.id])]
    return next((rank[0] for rank in (asked, waiting, begun[::-1], assignments) if rank), None)


def row_of(lines: Sequence[Line], wish: object) -> Line | None:
    """The row asked for, else the first that waits for the instructor, else the first."""
    ranks = ([line for line in lines if id_of(line) == wish], [line for line in lines if is_mine(line)], lines)
    return next((rank[0] for rank in ranks if rank), None)


def id_of(line: Line) -> str:
    return line.submission or line.person.id


def is_mine(line: Line) -> bool:
    return line.waiting_on == "You"


def selectable(line: Line) -> bool:
    """Whether the row may be accepted together with others: close, its turn, and nothing to look at first."""
    return line.close and is_mine(line) and not line.flags


def lede(assignment: Assignment | None, lines: Sequence[Line]) -> str:
    if assignment is None:
        return "This course has no assignment yet."
    waiting, agreed = sum(map(is_mine, lines)), sum(line.stage in CLOSED for line in lines)
    wait = f"{talk.count(waiting, 'submission')} {'waits' if waiting == 1 else 'wait'} for you"
    done = f"{talk.number(agreed) if agreed else 'none'} {'is' if agreed == 1 else 'are'} agreed"
    return f"{assignment.title}. {talk.sentence(wait)}, and {done}."


def scale_of(scale: Literal["0-100", "levels"] | tuple[str, ...]) -> dict[str, Any]:
    if isinstance(scale, tuple):
        return {"kind": "letters", "choices": list(scale)}
    return {"kind": scale, "choices": []}


def axis(lines: Sequence[Line]) -> dict[str, int]:
    """Where the plots begin: at 40, or lower when somebody's work is."""
    shares = [share for line in lines for share in (line.self_share, line.low) if share is not None]
    return {"min": min(40, int(min(shares, default=40) // 20 * 20)), "max": 100}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A moment of a course, in which the instructor's rows and dialogues are put into words."""

    course: Course
    viewer: Person
    now: datetime

    @property
    def zone(self) -> tzinfo:
        return dates.zone_of(self.course.setup.timezone)

    def share(self, share: float | None) -> str:
        """A share as a grade of the course's scale; nothing where the course has no numbers."""
        scale = self.course.setup.scale
        return "" if share is None or scale == "levels" else grades.grade_of_share(share, scale)

    def line(self, line: Line) -> dict[str, Any]:
        median, low, high = self.share(line.median), self.share(line.low), self.share(line.high)
        return {
            "id": id_of(line),
            "submission": line.submission,
            "name": line.person.name,
            "title": line.title,
            "stage": line.stage,
            "word": f"Agreed at {line.agreed}" if line.agreed else STAGES[line.stage],
            "self": line.self_grade,
            "median": median,
            "range": f"{low}–{high}" if low != high else "",
            "shares": {"self": line.self_share, "median": line.median, "low": line.low, "high": line.high},
            "finding": finding(line.self_grade, median, low, high),
            "reviews": f"{line.reviews} of {line.owed} reviews" if line.owed else "",
            "waiting": line.waiting_on,
            "mine": is_mine(line),
            "hint": line.hint,
            "flags": list(line.flags),
            "selectable": selectable(line),
        }

    # -- the round
    def step(self, assignment: Assignment, lines: Sequence[Line]) -> dict[str, Any]:
        """What is due next in the round, and what the instructor may start now."""
        coming = [(at, words) for name, words in STEPS if (at := getattr(assignment, name)) and at > self.now]
        at, words = min(coming, default=(None, ""))
        return {
            "text": f"Next: {words} {dates.on(at, self.zone, self.now)}." if at else "",
            "allocate": self.allocation(assignment, lines),
            "reveal": self.reveal(lines),
        }

    def allocation(self, assignment: Assignment, lines: Sequence[Line]) -> dict[str, Any] | None:
        """The allocation that could be made now; None when nobody has submitted or every review has its reviewer."""
        if not any(line.stage in BEFORE_REVEAL for line in lines):
            return None
        plan = self.course.plan(assignment.id)
        if not plan.pairs:
            return (
                {"reviews": 0, "text": "", "relaxed": list(plan.relaxed)} if plan.relaxed and not plan.count else None
            )
        each = talk.count(plan.count, "review")
        return {
            "reviews": len(plan.pairs),
            "seed": str(plan.seed),
            "text": f"{talk.sentence(talk.count(len(plan.pairs), 'review'))} will be allocated; "
            f"everybody gives and gets {each}. Reviewers see them at once.",
            "relaxed": list(plan.relaxed),
        }

    def reveal(self, lines: Sequence[Line]) -> dict[str, Any] | None:
        """What a reveal would do now; None before the first review is in."""
        blind = [line for line in lines if line.stage in BEFORE_REVEAL and line.owed]
        reviews = sum(line.reviews for line in blind)
        if not reviews:
            return None
        minimum = self.course.setup.reviews.minimum
        short = [line.person.name for line in blind if line.reviews < minimum]
        return {
            "text": f"{talk.sentence(talk.count(reviews, 'review'))} of {talk.count(len(blind), 'submission')} will be "
            "shown to their authors, and can no longer be changed. Reviews are revealed, not reviewers.",
            "short": short,
            "minimum": f"fewer than {talk.count(minimum, 'review')}",
        }

    # -- the pane
    def detail(self, line: Line) -> dict[str, Any]:
        """One row opened: its post, its dialogue, and what the instructor can do with it now."""
        about = {"id": id_of(line), "name": line.person.name, "title": line.title, "stage": line.stage}
        if not line.submission:
            return about | {"submission": "", "does": "nothing", "why": STAGES[line.stage] + "."}
        seen = self.course.dialogue(line.submission, self.viewer)
        standing, counter = talk.standing(seen.turns), talk.counter(seen.turns)
        does, why = self.next_act(seen, standing)
        return about | {
            "submission": line.submission,
            "seen": len(seen.turns),
            "draft": self.draft(line.submission, standing, counter),
            "does": does,
            "why": why,
            "can_discuss": does == "decide" and not talk.awaits_reply(seen.turns),
            "agreed": line.agreed,
            "posts": [self.post(copy) for copy in seen.posts],
            "plot": {
                "self": line.self_share,
                "median": line.median,
                "low": line.low,
                "high": line.high,
                "teach": grades.share_of_grade(counter.grade, self.course.setup.scale) if counter else None,
                "finding": finding(
                    line.self_grade,
                    self.share(line.median),
                    self.share(line.low),
                    self.share(line.high),
                    counter.grade if counter else "",
                ),
            },
            "summary": talk.summary(seen, span(self.share(line.low), self.share(line.high))),
            "turns": talk.timeline(seen, now=self.now, zone=self.zone),
            "criteria": criteria(seen, standing, counter),
            "standing": standing.grade if standing else "",
            "proposed": standing is not None,
            "counter": counter.grade if counter else "",
        }

    def draft(self, submission: str, standing: Proposal | None, counter: Proposal | None) -> dict[str, Any]:
        """What the instructor was typing, else where they stand: at their counter-proposal or at the author's."""
        start = counter or standing or Proposal()
        levels = {each.criterion: each.level for each in start.judgements}
        kept = screens.draft_of(self.course, self.viewer, form_of(submission))
        return kept if kept["saved"] else kept | {"content": {"grade": start.grade, "levels": levels}}

    def next_act(self, seen: SeenDialogue, standing: Proposal | None) -> tuple[str, str]:
        """What the pane offers (decide, sign, nothing), and why not more, as a sentence."""
        author = seen.author
        if seen.stage == "signed":
            return "nothing", "You have signed this."
        if seen.stage in ("agreed", "decided"):
            return "sign", f"{author} accepted your proposal. Your signature closes the dialogue."
        if not any(isinstance(turn.what, Reveal) for turn in seen.turns):
            return "nothing", "The reviews are still blind. You can decide after they are revealed."
        if standing is None:
            return "decide", f"{author} has not sent a self-evaluation, so there is no proposed grade to accept."
        if talk.awaits_reply(seen.turns):
            return "decide", f"{author} has not replied yet. You can still accept the proposed grade."
        return "decide", ""

    def post(self, copy: Copy) -> dict[str, Any]:
        return {
            "title": copy.title,
            "html": copy.html,
            "link": copy.link,
            "when": dates.moment(copy.published, self.zone, self.now) if copy.published else "",
            "changed": copy.changed_since,
        }


def form_of(submission: str) -> str:
    return f"sign-off:{submission}"


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
    said = ", ".join(part for part in parts if part)
    return f"{said[0].upper()}{said[1:]}." if said else "No levels yet."


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


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AcceptEvent:
    submission: str
    seen: int
    request: str
    grade: str = ""
    word: str = ""
    recognised: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DiscussEvent:
    submission: str
    seen: int
    request: str
    grade: str = ""
    word: str = ""
    recognised: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    """The counter-proposal, every criterion; empty asks a question and proposes nothing."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    submission: str
    grade: str


@dataclass(frozen=True, kw_only=True)
class BulkAcceptEvent:
    assignment: str
    chosen: tuple[Chosen, ...]
    request: str


@dataclass(frozen=True, kw_only=True)
class AllocateEvent:
    """The plan that the page showed, by its seed (a text: the browser's numbers are too short for it)."""

    assignment: str
    seed: str
    relaxed: tuple[str, ...] = ()
    """What the page has said would be relaxed."""


@dataclass(frozen=True, kw_only=True)
class RevealEvent:
    assignment: str
    reason: str = ""


def open_(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Show another row or round: the fresh view is all there is to it."""
    return {}


def accept(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, AcceptEvent)
    turn = Accept(grade=said.grade, text=said.word, recognised=said.recognised)
    course.accept(viewer, said.submission, turn, seen=said.seen, request=said.request)
    course.drop_draft(viewer, form_of(said.submission))
    return {}


def discuss(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, DiscussEvent)
    counter = Proposal(judgements=said.judgements, grade=said.grade) if said.judgements else None
    turn = Discuss(text=said.word, counter=counter, recognised=said.recognised)
    course.discuss(viewer, said.submission, turn, seen=said.seen, request=said.request)
    course.drop_draft(viewer, form_of(said.submission))
    return {}


def bulk_accept(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Accept each of the chosen proposals that is still what the page showed; the others are named and left alone."""
    said = taken(event, BulkAcceptEvent)
    if len(said.chosen) > BULK_LIMIT:
        raise Invalid(f"At most {BULK_LIMIT} grades can be accepted at once; nothing was accepted yet.")
    assignment = course.setup.assignment(said.assignment)
    lines = {line.submission: line for line in course.class_table(viewer, assignment)} if assignment else {}
    accepted, left = list[str](), list[str]()
    for each in said.chosen:
        line = lines.get(each.submission)
        try:
            accept_line(course, viewer, line, each, said.request)
        except ReviewkitError as error:
            left.append(f"{line.person.name}: {error}" if line else str(error))
        else:
            accepted.append(each.submission)
    return {"accepted": accepted, "left": left}


def accept_line(course: Course, viewer: Person, line: Line | None, chosen: Chosen, request: str) -> None:
    """Raises Conflict when the row is no longer what the page showed; what is signed so already is done."""
    if line and line.stage == "signed" and line.agreed == chosen.grade:
        return
    seen = course.dialogue(chosen.submission, viewer)
    standing = talk.standing(seen.turns)
    if line is None or not selectable(line) or standing is None or standing.grade != chosen.grade:
        raise Conflict("This has changed since the page showed it. It was left as it is; open it and look again.")
    turn = Accept(grade=chosen.grade)
    course.accept(viewer, chosen.submission, turn, seen=len(seen.turns), request=f"{request}:{chosen.submission}")


def allocate(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, AllocateEvent)
    if not (said.seed.isascii() and said.seed.isdigit() and len(said.seed) < SEED_DIGITS):
        raise Invalid("This page sent something that we cannot read. Nothing is allocated; reload the page.")
    plan = course.plan(said.assignment, seed=int(said.seed))
    if news := [sentence for sentence in plan.relaxed if sentence not in said.relaxed]:
        raise Conflict(
            f"Nothing is allocated yet, because one thing is new: {' '.join(news)} Look again, then allocate."
        )
    course.allocate(plan)
    return {"allocated": len(plan.pairs)}


def reveal(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, RevealEvent)
    revealed = course.reveal(said.assignment, by=viewer, reason=said.reason)
    return {"revealed": len(revealed)}


def decides(course: Course, viewer: Person, submission: str) -> None:
    """Raises Missing when it is not the viewer's to see."""
    course.dialogue(submission, viewer)


FORMS = {"sign-off": decides}
HANDLERS = {
    "open": open_,
    "accept": accept,
    "discuss": discuss,
    "bulk-accept": bulk_accept,
    "allocate": allocate,
    "reveal": reveal,
}
