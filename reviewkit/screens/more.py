"""Sign-off's "More": what an instructor can do with a submission beside talking, deciding and signing.

Each entry is a question in a dialog: `act` (the event that does it), `text` (in the menu), `title`, `explain`,
`confirm`, `done` (said afterwards), and what has to be given with it: `reason` ("required", "optional" or ""),
`choices` ([{value, text, but}], `choose` names them) and `until` (a moment in the course's zone).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from reviewkit import dialogue as rules
from reviewkit import screens
from reviewkit.course import Course, Line, SeenDialogue
from reviewkit.errors import Invalid, NotAllowed
from reviewkit.model import (
    OWN_REVIEW,
    STEPS,
    Assignment,
    Exempt,
    Judgement,
    Person,
    Reopen,
    Reopened,
    Restore,
    Reveal,
    Review,
    Step,
    What,
    Withdraw,
)
from reviewkit.screens import dates, talk
from reviewkit.screens.events import taken

BACK: dict[Reopened, str] = {
    "frozen": "To the self-evaluation: the author writes it anew",
    "in review": "To the reviews: peers may go on reviewing",
    "revealed": "To the answers: the author answers the reviews anew",
    "with instructor": "To you: the grade is open again",
    "discussing": "To the discussion, as it stood before it was closed",
}
ALL = "all"
"""The choice of all posts of somebody, for a term's participation."""
STEP_WORDS: dict[Step, str] = {
    "freeze_by": "to choose a post",
    "self_by": "for the self-evaluation",
    "review_by": "for the review",
    "answer_by": "for the answers",
    "sign_by": "to sign off",
}


def admitted(course: Course, seen: SeenDialogue, what: What) -> bool:
    """Whether an instructor may take this turn now."""
    try:
        rules.admit(talk.record(seen.turns), what, capacity="instructor", reviews=course.setup.reviews)
    except (NotAllowed, Invalid):
        return False
    return True


def entry(act: str, text: str, *, title: str, explain: str, confirm: str, done: str, **asks: Any) -> dict[str, Any]:
    nothing = {"reason": "", "choose": "", "choices": [], "until": ""}
    words = {"act": act, "text": text, "title": title, "explain": explain, "confirm": confirm, "done": done}
    return nothing | words | asks


def offers(
    course: Course, viewer: Person, seen: SeenDialogue, *, now: datetime, missing: int
) -> Iterator[dict[str, Any]]:
    """What can be done with a submission now, in the order of the menu; `missing` reviews are owed and not given."""
    author = seen.author

    def may(what: What) -> bool:
        return admitted(course, seen, what)

    ways = rules.ways_back(talk.record(seen.turns))
    if ways and may(Reopen(to=ways[0], reason=".")):
        yield entry(
            "reopen",
            "Reopen",
            title=f"Reopen the dialogue with {author}?",
            explain="What it undoes stays in the record, marked as superseded. The author reads your reason.",
            confirm="Reopen it",
            done="Reopened.",
            reason="required",
            choose="Where does it go back to?",
            choices=[{"value": way, "text": BACK[way], "but": ""} for way in ways],
        )
    if may(Reveal(owed=0, minimum=0, reviews=(), reason=".")):
        there = len(talk.latest_reviews(seen.turns))
        yield entry(
            "waive",
            "Go on without the missing reviews" if there < course.setup.reviews.minimum else "Reveal its reviews now",
            title=f"Show {talk.count(there, 'review')} to {author} now?",
            explain="It goes on with the reviews that are there, of this submission alone. They can no longer be "
            "changed, and the author reads your reason.",
            confirm="Go on with these" if there else "Go on without reviews",
            done="The reviews that are there are revealed.",
            reason="required",
        )
    if people := _candidates(course, viewer, seen):
        yield entry(
            "assign",
            "Assign a reviewer",
            title=f"Who else reviews the submission of {author}?",
            explain="They see it at once among their reviews, under the same rules as every other.",
            confirm="Assign it",
            done="Assigned.",
            choose="Reviewer",
            choices=people,
        )
    if choices := list(_extensible(course, seen, now=now, missing=missing)):
        yield _more_time(choices)
    if may(Exempt(reason=".")):
        yield entry(
            "exempt",
            "Exempt the author",
            title=f"Exempt {author} from this?",
            explain="It leaves the count: no grade, no zero, and nothing is lost. The reviews that were given still "
            "count for those who gave them. It can be restored.",
            confirm="Exempt",
            done=f"{author} is exempt.",
            reason="required",
        )
    if may(Withdraw()):
        yield entry(
            "withdraw",
            "Withdraw the submission",
            title=f"Withdraw the submission of {author}?",
            explain="For an author who left the round. It leaves the count, and nothing is lost; it can be restored.",
            confirm="Withdraw it",
            done="Withdrawn.",
            reason="optional",
        )
    if may(Restore()):
        yield entry(
            "restore",
            "Restore the submission",
            title=f"Bring the submission of {author} back into the count?",
            explain="It goes on where it stood.",
            confirm="Restore it",
            done="Restored.",
            reason="optional",
        )


def before_freeze(course: Course, line: Line, assignment: Assignment, *, now: datetime) -> list[dict[str, Any]]:
    """What can be done for somebody who has chosen no post yet."""
    own = course.setup.own(assignment, line.person.id)
    given = list(_choice(course, now, "freeze_by", line.person.name, own.freeze_by))
    posts = list(_posts(course, line.person, own))
    return [*([_more_time(given)] if given else []), *([_freeze(line.person.name, posts)] if posts else [])]


def _freeze(author: str, choices: list[dict[str, str]]) -> dict[str, Any]:
    return entry(
        "freeze",
        "Freeze a post for them",
        title=f"Freeze a post for {author}?",
        explain="It counts as if they had chosen it, and they can choose no other. They read your reason in the "
        "dialogue.",
        confirm="Freeze it",
        done="Frozen.",
        reason="required",
        choose="Which?",
        choices=choices,
    )


def _posts(course: Course, author: Person, own: Assignment) -> Iterator[dict[str, str]]:
    """What can be frozen for somebody: one of their posts, or all that stand for a term."""
    zone, there = dates.zone_of(course.setup.timezone), course.candidates(author, own, late=True)
    if own.kind == "participation" and len(there) > 1:
        yield {"value": ALL, "text": f"All {len(there)} posts", "but": ""}
    for post in there:
        late = own.freeze_by and post.published and post.published > own.freeze_by
        doubts = (
            "It came after the date." if late else "",
            "Its text was copied from its page, and its author has not confirmed it." if post.latest.copied else "",
        )
        day = f", {dates.day(post.published, zone)}" if post.published else ""
        yield {"value": post.id, "text": f"“{post.headline}”{day}", "but": " ".join(filter(None, doubts))}


def _more_time(choices: list[dict[str, str]]) -> dict[str, Any]:
    return entry(
        "more-time",
        "Give more time",
        title="Give more time?",
        explain="It counts for them alone, and they see the new date. What others owe stays as it is.",
        confirm="Give it",
        done="The new date is set.",
        reason="required",
        choose="For whom?",
        choices=choices,
        until="Until",
    )


def _extensible(course: Course, seen: SeenDialogue, *, now: datetime, missing: int) -> Iterator[dict[str, str]]:
    """The steps of this submission that somebody still has to take and that have a date."""
    if seen.stage in rules.CLOSED or seen.stage in rules.OUT:
        return
    record, own = talk.record(seen.turns), seen.assignment
    if rules.self_evaluation(record) is None:
        yield from _choice(course, now, "self_by", seen.author, own.self_by)
    elif seen.stage == "revealed":
        yield from _choice(course, now, "answer_by", seen.author, own.answer_by)
    if missing > 0 and rules.reveal(record) is None:
        yield from _choice(course, now, "review_by", "Its reviewers", course.assignment(own.id).review_by)


def _choice(course: Course, now: datetime, step: Step, who: str, at: datetime | None) -> Iterator[dict[str, str]]:
    if at is not None:
        zone = dates.zone_of(course.setup.timezone)
        until = dates.moment(at, zone, now)
        yield {"value": step, "text": f"{who}, {STEP_WORDS[step]} (until now: {until})", "but": ""}


def _candidates(course: Course, viewer: Person, seen: SeenDialogue) -> list[dict[str, str]]:
    """Who may review it beside those who do."""
    if rules.reveal(talk.record(seen.turns)) is not None or seen.stage in rules.CLOSED or seen.stage in rules.OUT:
        return []
    return [
        {
            "value": each.person.id,
            "text": f"{each.person.name}, {talk.count(each.owes, 'review')} so far",
            "but": each.but,
        }
        for each in course.could_review(viewer, seen.submission)
    ]


# -- the instructor's own review -------------------------------------------------------------------------------------


def own_review(course: Course, viewer: Person, seen: SeenDialogue, zone: tzinfo) -> dict[str, Any] | None:
    """The form of the instructor's own review, which begins with what they sent; None when it is too late for one."""
    place = f"{OWN_REVIEW}{viewer.id}"
    blank = Review(allocation=place, pseudonym="", judgements=(), strengths=".", suggestions=".")
    if not admitted(course, seen, blank):
        return None
    mine = [turn for turn in seen.turns if isinstance(turn.what, Review) and turn.what.allocation == place]
    draft = screens.draft_of(course, viewer, form_of(seen.submission))
    if mine and not draft["saved"] and isinstance(sent := mine[-1].what, Review):
        draft |= {
            "content": {
                "levels": talk.levels_by_criterion(sent.judgements),
                "notes": {each.criterion: each.note for each in sent.judgements if each.note},
                "quotes": {each.criterion: each.quote for each in sent.judgements if each.quote},
                "strengths": sent.strengths,
                "suggestions": sent.suggestions,
            }
        }
    return {"draft": draft, "sent": dates.day(mine[-1].at, zone) if mine else ""}


def form_of(submission: str) -> str:
    return f"own-review:{submission}"


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MoreEvent:
    """An entry of the menu, with what was given with it."""

    submission: str
    seen: int
    request: str
    reason: str = ""
    choice: str = ""


@dataclass(frozen=True, kw_only=True)
class MoreTimeEvent:
    """`until` is local, in the course's zone. Without a submission it is for somebody who has chosen no post."""

    assignment: str
    person: str
    choice: str
    until: str
    reason: str
    submission: str = ""


@dataclass(frozen=True, kw_only=True)
class FreezeEvent:
    """A post (its id, or ALL) of somebody who has chosen none."""

    assignment: str
    person: str
    choice: str
    request: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnReviewEvent:
    submission: str
    request: str
    judgements: tuple[Judgement, ...]
    strengths: str
    suggestions: str


def reopen(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, MoreEvent)
    to = next((way for way in BACK if way == said.choice), None)
    if to is None:
        raise Invalid("Choose where it goes back to.", field="choice")
    course.reopen(viewer, said.submission, Reopen(to=to, reason=said.reason), seen=said.seen, request=said.request)
    return {}


def set_aside(turn: Callable[[str], Exempt | Withdraw | Restore]) -> screens.Handler:
    """A handler that takes a submission out of the count, or back into it."""

    def handle(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
        said = taken(event, MoreEvent)
        course.set_aside(viewer, said.submission, turn(said.reason), seen=said.seen, request=said.request)
        return {}

    return handle


def waive(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, MoreEvent)
    if not said.reason.strip():
        raise Invalid("Write why it goes on now before you send.", field="reason")
    course.waive(viewer, said.submission, said.reason, request=said.request)
    return {}


def assign(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, MoreEvent)
    if not said.choice:
        raise Invalid("Choose who reviews it.", field="choice")
    course.assign(viewer, said.submission, said.choice)
    return {}


def more_time(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """More time for one step of one person, or for all the reviewers of a submission who have not given theirs."""
    said = taken(event, MoreTimeEvent)
    step = next((each for each in STEPS if each == said.choice), None)
    if step is None:
        raise Invalid("Choose for whom the time is.", field="choice")
    until = _instant(said.until, course.setup.timezone)
    if step == "review_by":
        course.give_time(viewer, said.submission, until, said.reason)
        return {}
    given = [
        each for each in course.setup.extensions if (each.person, each.assignment) == (said.person, said.assignment)
    ]
    if not (given and (given[-1].step, given[-1].until, given[-1].by) == (step, until, viewer.id)):  # sent twice
        course.extend(viewer, said.person, said.assignment, step, until, said.reason)
    return {}


def _instant(local: str, timezone: str) -> datetime:
    """A date and a time as the browser's field gives them, in the course's zone. Raises Invalid."""
    from reviewkit.config import moments

    try:
        given = datetime.fromisoformat(local)
    except ValueError as error:
        raise Invalid("Choose a day and a time.", field="until") from error
    try:
        return moments.instant(given, moments.zone(timezone))
    except ValueError as error:
        raise Invalid(f"{talk.sentence(str(error))}.", field="until") from error


def freeze(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, FreezeEvent)
    author = course.person(said.person)
    posts = [said.choice] if said.choice else []
    if said.choice == ALL:
        posts = [each.id for each in course.candidates(author, course.assignment(said.assignment), late=True)]
    course.freeze_for(viewer, author.id, said.assignment, posts, said.reason, request=said.request)
    return {}


def review(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, OwnReviewEvent)
    course.review_oneself(
        viewer, said.submission, said.judgements, said.strengths, said.suggestions, request=said.request
    )
    course.drop_draft(viewer, form_of(said.submission))
    return {}


HANDLERS: dict[str, screens.Handler] = {
    "reopen": reopen,
    "waive": waive,
    "assign": assign,
    "more-time": more_time,
    "freeze": freeze,
    "exempt": set_aside(lambda reason: Exempt(reason=reason)),
    "withdraw": set_aside(lambda reason: Withdraw(reason=reason)),
    "restore": set_aside(lambda reason: Restore(reason=reason)),
    "own-review": review,
}
