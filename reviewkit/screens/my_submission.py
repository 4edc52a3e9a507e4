"""One submission as its author sees it: the self-evaluation first, afterwards the dialogue."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

from reviewkit import grades, screens
from reviewkit.course import Copy, Course, SeenDialogue, SeenTurn
from reviewkit.model import (
    Answer,
    Discuss,
    Judgement,
    Person,
    Proposal,
    Reply,
    Review,
    SelfEvaluation,
    SignOff,
)
from reviewkit.screens import dates, talk

CLOSED = ("agreed", "decided", "signed")
WAY = ("Your self-evaluation", "Blind reviews", "Your answers", "Instructor's word", "Agreed grade")
AT = {
    "frozen": 0,
    "self-evaluated": 1,
    "in review": 1,
    "revealed": 2,
    "with instructor": 3,
    "discussing": 3,
    "agreed": 4,
    "decided": 4,
    "signed": 5,
    "withdrawn": 5,
    "exempt": 5,
}
"""Which step of the way a stage is on."""


@dataclass(frozen=True, kw_only=True)
class Own:
    """A moment of a course, in which an author's submissions are put into words."""

    course: Course
    viewer: Person
    now: datetime

    @property
    def zone(self) -> tzinfo:
        return dates.zone_of(self.course.setup.timezone)

    def due(self, at: datetime | None) -> str:
        """When something is due, as a sentence; empty without a date."""
        return f"{dates.due(at, self.zone, self.now).rstrip('.')}." if at else ""

    def unevaluated(self, seen: SeenDialogue) -> bool:
        return seen.stage not in CLOSED and not any(isinstance(turn.what, SelfEvaluation) for turn in seen.turns)

    def levels(self, seen: SeenDialogue) -> dict[str, int]:
        draft = self.course.draft(self.viewer, form_of(seen.submission))
        return screens.levels_of(draft.content if draft else {}, [each.id for each in seen.rubric.criteria])

    def place(self, id: str) -> dict[str, Any]:
        """Raises Missing when it is not the viewer's."""
        seen = self.course.dialogue(id, self.viewer)
        shared = {
            "submission": id,
            "seen": len(seen.turns),
            "title": title_of(seen),
            "assignment": seen.assignment.title,
            "way": self.way(seen),
            "posts": [self.copy(copy) for copy in seen.posts],
            "posted": self.posted(seen),
            "criteria": talk.criteria_of(seen.rubric),
            "scale": scale_of(self.course.setup.scale),
        }
        return shared | (self.evaluation(seen) if self.unevaluated(seen) else self.dialogue(seen))

    def way(self, seen: SeenDialogue) -> list[dict[str, str]]:
        at = 0 if self.unevaluated(seen) else AT[seen.stage]
        return [
            {"text": text, "state": "done" if step < at else "on" if step == at else ""}
            for step, text in enumerate(WAY)
        ]

    def copy(self, copy: Copy) -> dict[str, Any]:
        words = len(copy.text.split())
        return {
            "title": copy.headline,
            "html": copy.html,
            "words": f"{words:,} words" if words != 1 else "1 word",
            "link": copy.link,
            "changed": copy.changed_since,
        }

    def posted(self, seen: SeenDialogue) -> str:
        tag = self.course.setup.tag_of(seen.assignment)
        if len(seen.posts) != 1:
            return f"{talk.sentence(talk.count(len(seen.posts), 'post'))} of yours with #{tag}, frozen together."
        at = seen.posts[0].published
        when = f" {dates.day(at, self.zone)}" if at else ""
        return f"Posted{when} on your site with #{tag}."

    def evaluation(self, seen: SeenDialogue) -> dict[str, Any]:
        form = screens.draft_of(self.course, self.viewer, form_of(seen.submission))
        levels = self.levels(seen)
        sofar = [Judgement(criterion=criterion, level=level) for criterion, level in levels.items()]
        known = all(0 <= level < len(seen.rubric.levels) for level in levels.values())
        suggested = grades.suggestion(sofar, seen.rubric, self.course.setup.scale) if known else ""
        spaced = " Levels count as equally spaced." if grades.equally_spaced(seen.rubric) else ""
        return {
            "place": "evaluate",
            "draft": form,
            "due": self.due(seen.assignment.self_by),
            "suggestion": f"Your levels suggest {suggested}.{spaced}" if suggested else "",
            "after": f"After you submit, this evaluation is read-only. {self.opens(seen)} "
            "You can still talk about it with your instructor.",
        }

    def opens(self, seen: SeenDialogue) -> str:
        """When the reviews can be read."""
        at = seen.assignment.review_by
        when = dates.on(at, self.zone, self.now) if at and at > self.now else "when they are revealed"
        return f"Your blind reviews open {when}."

    def dialogue(self, seen: SeenDialogue) -> dict[str, Any]:
        turns, reply = seen.turns, talk.awaits_reply(seen.turns)
        own, counter = talk.standing(turns), talk.counter(turns)
        closed, revealed = seen.stage in CLOSED, bool(reviews_of(seen))
        items = talk.timeline(seen, now=self.now, zone=self.zone)
        answered = {turn.what.review for turn in turns if isinstance(turn.what, Answer)}
        revised = any(isinstance(turn.what, Answer) and turn.what.revised for turn in turns)
        for item, turn in zip(items, turns, strict=True):
            item["answer"] = isinstance(turn.what, Review) and turn.id not in answered and not closed
            item["name"] = turn.name
        return {
            "place": "dialogue",
            "draft": screens.draft_of(self.course, self.viewer, f"dialogue:{seen.submission}"),
            "status": self.lede(seen, reply=reply, closed=closed),
            "turns": items,
            "ratings": [{"name": name, "text": text} for name, text in talk.RATINGS.items()],
            "mine": self.proposal(own),
            "can_revise": revealed and not revised and not closed,
            "card": self.card(seen, own, counter, reply=reply, closed=closed),
            "plot": plot_of(seen, own, counter) if revealed or counter else None,
        }

    def proposal(self, proposal: Proposal | None) -> dict[str, Any]:
        """A proposal to change: its grade and a level by criterion."""
        if proposal is None:
            return {"grade": "", "levels": {}}
        return {"grade": proposal.grade, "levels": {each.criterion: each.level for each in proposal.judgements}}

    def lede(self, seen: SeenDialogue, *, reply: bool, closed: bool) -> str:
        if closed:
            return "You and your instructor agree." if seen.stage == "agreed" else "This dialogue is closed."
        match seen.stage:
            case "revealed":
                return f"Your reviews are here. {self.due(seen.assignment.answer_by)}".strip()
            case "with instructor":
                return "Your instructor reads it now."
            case "discussing" if reply:
                last = next(turn.what for turn in reversed(seen.turns) if isinstance(turn.what, Discuss))
                did = "has proposed a grade" if last.counter else "has asked you something"
                return f"Your instructor {did}. It is your turn."
            case "discussing":
                return "Your instructor reads your reply now."
        return "Others read it now."

    def card(
        self, seen: SeenDialogue, own: Proposal | None, counter: Proposal | None, *, reply: bool, closed: bool
    ) -> dict[str, Any]:
        """What stands beside the dialogue: whose word it is on, and what the author can do."""
        yours = f"You proposed {own.grade}." if own and own.grade else ""
        peers = self.peers(seen)
        if closed:
            grade = grade_agreed(seen)
            signed = {turn.what.role: turn for turn in seen.turns if isinstance(turn.what, SignOff)}
            return {
                "kind": "closed",
                "title": "Agreed grade" if grade else "Agreed",
                "grade": grade,
                "text": f"{yours} {peers}".strip(),
                "signatures": [
                    self.signature(signed[role], role) for role in ("instructor", "author") if role in signed
                ],
                "sign": "author" not in signed,
            }
        if reply:
            last = next(turn.what for turn in reversed(seen.turns) if isinstance(turn.what, Discuss))
            return {
                "kind": "reply",
                "title": "Proposed grade" if last.counter else "A question for you",
                "grade": last.counter.grade if last.counter else "",
                "accept": last.counter is not None,
                "text": f"{yours} {peers}".strip(),
            }
        waits = {
            "revealed": "Answer each review in the dialogue. Then your instructor reads it.",
            "with instructor": "Your instructor accepts the grade you propose, or discusses another one with you.",
            "discussing": "Your instructor accepts your proposal, or writes again.",
        }
        return {
            "kind": "waiting",
            "title": "Your proposal",
            "grade": own.grade if own else "",
            "text": f"{waits.get(seen.stage, self.opens(seen))} {peers}".strip(),
        }

    def signature(self, turn: SeenTurn, role: Literal["instructor", "author"]) -> str:
        who = "You" if role == "author" else turn.name
        return f"{who} signed {dates.moment(turn.at, self.zone, self.now)}"

    def peers(self, seen: SeenDialogue) -> str:
        """What the peers' levels amount to, as advice; nothing where the course has no numbers."""
        reviews = reviews_of(seen)
        middle = grades.median([grades.share(each.judgements, seen.rubric) for each in reviews])
        if middle is None or self.course.setup.scale == "levels":
            return ""
        grade = grades.grade_of_share(middle, self.course.setup.scale)
        if len(reviews) == 1:
            return f"Your peer's levels come to {grade}."
        return f"The median of {talk.count(len(reviews), 'peer')} is {grade}."


def form_of(submission: str) -> str:
    """The name under which the server keeps what is being typed into a self-evaluation."""
    return f"self:{submission}"


def title_of(seen: SeenDialogue) -> str:
    titles = [copy.headline for copy in seen.posts]
    return titles[0] if len(titles) == 1 else f"{titles[0]} and {len(titles) - 1} more"


def reviews_of(seen: SeenDialogue) -> list[Review]:
    """The reviews that are open to the author: after the reveal, the newest version of each."""
    return [turn.what for turn in seen.turns if isinstance(turn.what, Review)]


def scale_of(scale: Literal["0-100", "levels"] | tuple[str, ...]) -> dict[str, Any]:
    return {"kind": "letters", "choices": list(scale)} if isinstance(scale, tuple) else {"kind": scale}


def grade_agreed(seen: SeenDialogue) -> str:
    """The grade that was agreed, from the sign-off or from the reply that accepted."""
    signed = [turn.what.grade for turn in seen.turns if isinstance(turn.what, SignOff)]
    if signed:
        return signed[-1]
    counter, own = talk.counter(seen.turns), talk.standing(seen.turns)
    accepts = any(isinstance(turn.what, Reply) and turn.what.accepts for turn in seen.turns)
    proposal = counter if accepts else own
    return proposal.grade if proposal else ""


def plot_of(seen: SeenDialogue, own: Proposal | None, counter: Proposal | None) -> dict[str, Any]:
    """Levels by criterion: the author's, the peers' (lowest, middle, highest) and the instructor's."""
    peers = dict[str, dict[str, float]]()
    reviews = reviews_of(seen)
    for criterion in seen.rubric.criteria:
        found = [float(each.level) for said in reviews for each in said.judgements if each.criterion == criterion.id]
        middle, ends = grades.median(found), grades.spread(found)
        if middle is not None and ends is not None:
            peers[criterion.id] = {"low": ends[0], "median": middle, "high": ends[1]}
    return {
        "criteria": [{"id": each.id, "name": each.name} for each in seen.rubric.criteria],
        "levels": [level.name for level in seen.rubric.levels],
        "self": {each.criterion: each.level for each in own.judgements} if own else {},
        "peers": peers,
        "teach": {each.criterion: each.level for each in counter.judgements} if counter else {},
    }
