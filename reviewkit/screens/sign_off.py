"""Sign-off: the class at a glance, one dialogue beside it, accept or discuss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reviewkit import dialogue as rules
from reviewkit import screens
from reviewkit.course import STAFF_DRAFT, Course, Line
from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed, ReviewkitError
from reviewkit.model import Accept, Assignment, Decide, Discuss, Judgement, Person, Proposal, Recognise
from reviewkit.screens import dates, more, outbox, site_table, talk, unnamed
from reviewkit.screens.events import taken
from reviewkit.screens.pane import STAGES, Pane, finding, form_of, id_of

ROLES = ("instructor", "assistant")
RECOGNITIONS = ("Honest about gaps", "Clear evidence", "Took advice well", "Generous reader")
BEFORE_REVEAL = ("frozen", "self-evaluated", "in review")
CLOSED = ("agreed", "decided", "signed")
BULK_LIMIT = 500
NAMING = ("assign", "more-time", "own-review")
SEED_DIGITS = 20
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
    resting = outbox.told(course, viewer)
    scene = Scene(course=course, viewer=viewer, now=course.clock(), resting=rests(resting))
    hides = _hides(params)
    shown = {
        "screen": "sign-off",
        "frame": screens.frame(course, viewer, "sign-off"),
        "zone": setup.timezone,
        "params": {"assignment": assignment.id if assignment else "", "open": id_of(line) if line else ""}
        | ({"names": unnamed.HIDDEN} if hides else {}),
        "title": "Sign-off",
        "lede": lede(assignment, lines, viewer),
        "rounds": [{"id": each.id, "title": each.title, "here": each is assignment} for each in setup.assignments],
        "role": viewer.role,
        "step": scene.step(assignment, lines) if assignment else None,
        "scale": scale_of(setup.scale),
        "axis": axis(lines),
        "lines": [scene.line(each) for each in lines],
        "detail": scene.detail(line, assignment) if line and assignment else None,
        "recognitions": list(RECOGNITIONS),
        "resting": resting,
    }
    return nameless(course, viewer, shown, assignment) if hides and assignment else shown


def _hides(params: object) -> bool:
    return isinstance(params, Mapping) and params.get("names") == unnamed.HIDDEN


def nameless(course: Course, viewer: Person, shown: dict[str, Any], assignment: Assignment) -> dict[str, Any]:
    """The view for a screen that others look at. Who has no submission has no page beside the table: what could be
    done for them would name them."""
    alias = unnamed.aliases(course, viewer, assignment.id)
    detail = shown["detail"] if shown["detail"] and shown["detail"]["submission"] else None
    if detail:
        # What could be sent on with other words than its writer's, or needs a person, waits until names are shown.
        detail |= {"person": "", "replaced": [], "suggested": [], "own_review": None}
        detail["posts"] = [each | {"link": ""} for each in detail["posts"]]
        detail["more"] = [each for each in detail["more"] if each["act"] not in NAMING]
    shown["detail"] = detail
    shown["lines"] = [each if each["submission"] else each | {"id": alias[each["id"]]} for each in shown["lines"]]
    if not detail:
        shown["params"]["open"] = ""
    frame = shown.pop("frame")
    return unnamed.without_names(shown, course.people(), alias) | {"frame": frame}


def rests(told: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The submissions whose grades are about to be accepted."""
    return frozenset(each["submission"] for each in told if not each["refused"])


def round_of(
    assignments: Sequence[Assignment], tables: Mapping[str, Sequence[Line]], wish: object
) -> Assignment | None:
    """The round asked for, else the first that waits for the instructor, else the newest that has begun."""
    asked = [each for each in assignments if each.id == wish]
    waiting = [each for each in assignments if any(is_mine(line) for line in tables[each.id])]
    begun = [each for each in assignments if any(line.submission for line in tables[each.id])]
    return next((rank[0] for rank in (asked, waiting, begun[::-1], assignments) if rank), None)


def row_of(lines: Sequence[Line], wish: object) -> Line | None:
    """The row asked for (by its person too: what is looked at may have been frozen meanwhile), else the first that
    waits for the instructor, else the first."""
    ranks = (
        [line for line in lines if wish in (id_of(line), line.person.id)],
        [line for line in lines if is_mine(line)],
        lines,
    )
    return next((rank[0] for rank in ranks if rank), None)


def is_mine(line: Line) -> bool:
    return line.waiting_on == "You"


def selectable(line: Line) -> bool:
    """Whether the row may be accepted together with others: close, its turn, and nothing to look at first."""
    return line.close and is_mine(line) and not line.flags


def lede(assignment: Assignment | None, lines: Sequence[Line], viewer: Person) -> str:
    if assignment is None:
        return "This course has no assignment yet."
    whom, word = ("you", "You") if viewer.role == "instructor" else ("the instructor", "Instructor")
    waiting = sum(line.waiting_on == word for line in lines)
    closed = [line for line in lines if line.stage in CLOSED]
    decided = sum(line.decided for line in closed)
    agreed = len(closed) - decided
    wait = f"{talk.count(waiting, 'submission')} {'waits' if waiting == 1 else 'wait'} for {whom}"
    done = f"{talk.number(agreed) if agreed else 'none'} {'is' if agreed == 1 else 'are'} agreed"
    apart = f", {talk.number(decided)} decided without agreement" if decided else ""
    return f"{assignment.title}. {talk.sentence(wait)}, and {done}{apart}."


def scale_of(scale: Literal["0-100", "levels"] | tuple[str, ...]) -> dict[str, Any]:
    if isinstance(scale, tuple):
        return {"kind": "letters", "choices": list(scale)}
    return {"kind": scale, "choices": []}


def axis(lines: Sequence[Line]) -> dict[str, int]:
    """Where the plots begin: at 40, or lower when somebody's work is."""
    shares = [share for line in lines for share in (line.self_share, line.low) if share is not None]
    return {"min": min(40, int(min(shares, default=40) // 20 * 20)), "max": 100}


@dataclass(frozen=True, kw_only=True)
class Scene(Pane):
    """A moment of a course, in which the rows of the class table and one dialogue are put into words."""

    resting: frozenset[str] = frozenset()
    """The submissions whose acceptance rests in the viewer's outbox."""

    def line(self, line: Line) -> dict[str, Any]:
        median, low, high = self.share(line.median), self.share(line.low), self.share(line.high)
        return {
            "id": id_of(line),
            "submission": line.submission,
            "name": line.person.name,
            "title": line.title,
            "stage": line.stage,
            "word": f"{'Decided' if line.decided else 'Agreed'} at {line.agreed}"
            if line.agreed
            else STAGES[line.stage],
            "self": line.self_grade,
            "median": median,
            "range": f"{low}–{high}" if low != high else "",
            "shares": {"self": line.self_share, "median": line.median, "low": line.low, "high": line.high},
            "finding": finding(line.self_grade, median, low, high),
            "reviews": f"{line.reviews} of {line.owed} reviews" if line.owed else "",
            "waiting": line.waiting_on,
            "mine": is_mine(line),
            "hint": "Accepting" if line.submission in self.resting else line.hint,
            "flags": list(line.flags),
            "selectable": selectable(line) and line.submission not in self.resting,
        }

    # -- the round
    def step(self, assignment: Assignment, lines: Sequence[Line]) -> dict[str, Any]:
        """What is due next in the round, and what the instructor may start now."""
        coming = [(at, words) for name, words in STEPS if (at := getattr(assignment, name)) and at > self.now]
        at, words = min(coming, default=(None, ""))
        return {
            "text": f"Next: {words} {dates.on(at, self.zone, self.now)}." if at else "",
            "allocate": self.allocation(assignment, lines) if self.instructs else None,
            "reveal": self.reveal(lines) if self.instructs else None,
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


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What an instructor says in the pane; `used` are the assistants (ids) whose drafts went into it."""

    submission: str
    seen: int
    request: str
    grade: str = ""
    word: str = ""
    recognised: tuple[str, ...] = ()
    suggestions: str = ""
    """What could be better, of a word that decides nothing."""
    judgements: tuple[Judgement, ...] = ()
    """Of a counter-proposal or a decision, every criterion; a discussion without them asks a question."""
    used: tuple[str, ...] = ()


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
    said = taken(event, Speech)
    turn = Accept(grade=said.grade, text=said.word, recognised=said.recognised)
    # A signature has no words: what was being typed when it was closed was not sent, and is kept.
    signs = rules.stage(course.store.dialogue(said.submission).turns) in rules.CLOSED
    done = () if signs else drafts(course, viewer, said)
    rests = course.accept_later(viewer, said.submission, turn, seen=said.seen, request=said.request, drafts=done)
    return {"acts": [rests.id]}


def discuss(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Speech)
    counter = Proposal(judgements=said.judgements, grade=said.grade) if said.judgements else None
    turn = Discuss(text=said.word, counter=counter, recognised=said.recognised)
    course.discuss(viewer, said.submission, turn, seen=said.seen, request=said.request)
    return spoken(course, viewer, said)


def recognise(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Speech)
    turn = Recognise(text=said.word, suggestions=said.suggestions, recognised=said.recognised)
    course.recognise(viewer, said.submission, turn, seen=said.seen, request=said.request)
    return spoken(course, viewer, said)


def decide(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Speech)
    turn = Decide(reason=said.word, grade=said.grade, judgements=said.judgements)
    try:
        course.decide(viewer, said.submission, turn, seen=said.seen, request=said.request)
    except Invalid as error:  # the reason is typed where every word is
        raise Invalid(str(error), field="word" if error.field == "reason" else error.field) from error
    return spoken(course, viewer, said)


def spoken(course: Course, viewer: Person, said: Speech) -> dict[str, Any]:
    """What was typed is sent: the drafts that it came from are done with."""
    for person, form in drafts(course, viewer, said):
        course.drop_draft(course.person(person), form)
    return {}


def drafts(course: Course, viewer: Person, said: Speech) -> list[tuple[str, str]]:
    """The drafts that what was said came from: (person, form)."""
    used = [each for each in course.people() if each.role == "assistant" and each.id in said.used]
    return [
        (viewer.id, form_of(said.submission)),
        *((each.id, form_of(said.submission, each)) for each in used),
    ]


def bulk_accept(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Accept each of the chosen proposals that is still what the page showed; the others are named and left alone."""
    said = taken(event, BulkAcceptEvent)
    if len(said.chosen) > BULK_LIMIT:
        raise Invalid(f"At most {BULK_LIMIT} grades can be accepted at once; nothing was accepted yet.")
    assignment = course.setup.assignment(said.assignment)
    lines = {line.submission: line for line in course.class_table(viewer, assignment)} if assignment else {}
    hides = _hides(event.get("params")) and assignment is not None
    alias = unnamed.aliases(course, viewer, said.assignment) if hides else {}
    accepted, left, acts = list[str](), list[str](), list[str]()
    for each in said.chosen:
        line = lines.get(each.submission)
        try:
            acts += accept_line(course, viewer, line, each, said.request)
        except ReviewkitError as error:
            left.append(f"{alias.get(line.person.id, line.person.name)}: {error}" if line else str(error))
        else:
            accepted.append(each.submission)
    return {"accepted": accepted, "left": left, "acts": acts}


def accept_line(course: Course, viewer: Person, line: Line | None, chosen: Chosen, request: str) -> list[str]:
    """Gives what rests now. Raises Conflict when the row is no longer what the page showed; what is signed so already
    is done."""
    if line and line.stage == "signed" and line.agreed == chosen.grade:
        return []
    seen = course.dialogue(chosen.submission, viewer)
    standing = talk.standing(seen.turns)
    if line is None or not selectable(line) or standing is None or standing.grade != chosen.grade:
        raise Conflict("This has changed since the page showed it. It was left as it is; open it and look again.")
    turn = Accept(grade=chosen.grade)
    return [course.accept_later(viewer, chosen.submission, turn, seen=len(seen.turns), request=request).id]


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


def instructs(course: Course, viewer: Person, submission: str) -> None:
    """Raises Missing when it is not an instructor's to write here."""
    course.dialogue(submission, viewer)
    if viewer.role != "instructor":
        raise Missing("There is no such form for you.")


def assists(course: Course, viewer: Person, submission: str) -> None:
    """Raises Missing when it is not an assistant's to write here."""
    course.dialogue(submission, viewer)
    if viewer.role != "assistant":
        raise Missing("There is no such form for you.")


def by_instructors(handler: screens.Handler) -> screens.Handler:
    """The same, for instructors alone; the course's verbs refuse others too."""

    def handle(course: Course, viewer: Person, event: Mapping[str, Any]) -> Mapping[str, Any]:
        if viewer.role != "instructor":
            raise NotAllowed("Only an instructor can do this. What you write here is kept as a draft for them.")
        return handler(course, viewer, event)

    return handle


FORMS = {"sign-off": instructs, "own-review": instructs, STAFF_DRAFT: assists}
ACTS: dict[str, screens.Handler] = {
    "accept": accept,
    "discuss": discuss,
    "recognise": recognise,
    "decide": decide,
    "bulk-accept": bulk_accept,
    "take-back": outbox.take_back,
    "allocate": allocate,
    "reveal": reveal,
    "sites": site_table.sites,
    **more.HANDLERS,
}
HANDLERS = {"open": open_} | {name: by_instructors(handler) for name, handler in ACTS.items()}
