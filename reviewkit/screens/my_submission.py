"""One submission as its author sees it: the self-evaluation first, afterwards the dialogue."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

from reviewkit import dialogue as rules
from reviewkit import grades, screens
from reviewkit.course import Copy, Course, SeenDialogue
from reviewkit.model import (
    Answer,
    Discuss,
    Dissent,
    Exempt,
    Judgement,
    Person,
    Proposal,
    Reopen,
    Review,
    SelfEvaluation,
    SignOff,
    Withdraw,
)
from reviewkit.screens import dates, talk

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
}
"""Which step of the way a stage is on; what is out of the count is on none."""
ANEW = {
    "frozen": "Write your self-evaluation anew; what you wrote before stands in the form.",
    "in review": "Peers may review it again. You have nothing to do until then.",
    "revealed": "Answer your reviews anew.",
    "with instructor": "The grade is open again, and your instructor reads it anew.",
    "discussing": "The discussion goes on.",
}
"""What a Reopen to a stage means for the author."""


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
        """Whether the self-evaluation is what the author writes next."""
        over = seen.stage in rules.CLOSED or seen.stage in rules.OUT
        return not over and rules.self_evaluation(talk.record(seen.turns)) is None

    def typed(self, seen: SeenDialogue) -> dict[str, Any]:
        """The self-evaluation as its author is typing it; after a Reopen it begins with what they had sent."""
        kept = screens.draft_of(self.course, self.viewer, form_of(seen.submission))
        sent = [turn.what for turn in seen.turns if isinstance(turn.what, SelfEvaluation)]
        return kept if kept["saved"] or not sent else kept | {"content": form_with(sent[-1])}

    def levels(self, seen: SeenDialogue) -> dict[str, int]:
        return screens.levels_of(self.typed(seen)["content"], [each.id for each in seen.rubric.criteria])

    def place(self, id: str) -> dict[str, Any]:
        """Raises Missing when it is not the viewer's."""
        seen = self.course.dialogue(id, self.viewer)
        shared = {
            "submission": id,
            "masked": seen.mode == "double-blind",
            "seen": len(seen.turns),
            "title": title_of(seen),
            "assignment": seen.assignment.title,
            "way": self.way(seen),
            "posts": [self.copy(copy) for copy in seen.posts],
            "posted": self.posted(seen),
            "criteria": talk.criteria_of(seen.rubric),
            "scale": scale_of(self.course.setup.scale),
            "anew": self.anew(seen),
        }
        return shared | (self.evaluation(seen) if self.unevaluated(seen) else self.dialogue(seen))

    def way(self, seen: SeenDialogue) -> list[dict[str, str]]:
        if seen.stage not in AT:
            return []
        at = 0 if self.unevaluated(seen) else AT[seen.stage]
        way: tuple[str, ...] = (*WAY[:-1], "Decided grade") if rules.decided(talk.record(seen.turns)) else WAY
        if seen.mode == "open":
            way = tuple("Reviews" if text == "Blind reviews" else text for text in way)
        # What was handed over because no review came had none to read and to answer.
        passed = () if any(isinstance(turn.what, Review) for turn in seen.turns) else (AT["in review"], AT["revealed"])
        return [
            {"text": text, "state": "on" if step == at else "done" if step < at and step not in passed else ""}
            for step, text in enumerate(way)
        ]

    def anew(self, seen: SeenDialogue) -> dict[str, str] | None:
        """What a Reopen asks of the author, until they have written again or it is closed."""
        since = [turn for turn in seen.turns if turn.mine or isinstance(turn.what, Reopen)]
        if not since or not isinstance(since[-1].what, Reopen) or seen.stage not in AT or seen.stage in rules.CLOSED:
            return None
        reopened = since[-1].what
        return {"text": f"Your instructor reopened this. {ANEW[reopened.to]}", "reason": reopened.reason}

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
        when = f" {dates.day(at, self.zone, self.now)}" if at else ""
        return f"Posted{when} on your site with #{tag}."

    def evaluation(self, seen: SeenDialogue) -> dict[str, Any]:
        levels = self.levels(seen)
        sofar = [Judgement(criterion=criterion, level=level) for criterion, level in levels.items()]
        known = all(0 <= level < len(seen.rubric.levels) for level in levels.values())
        suggested = grades.suggestion(sofar, seen.rubric, self.course.setup.scale) if known else ""
        spaced = " Levels count as equally spaced." if grades.equally_spaced(seen.rubric) else ""
        spoken = len(seen.turns) > 1
        return {
            "place": "evaluate",
            "draft": self.typed(seen),
            "due": self.due(seen.assignment.self_by),
            "suggestion": f"Your levels suggest {suggested}.{spaced}" if suggested else "",
            "after": f"After you submit, this evaluation is read-only. {self.opens(seen)} "
            "You can still talk about it with your instructor.",
            "turns": self.timeline(seen) if spoken else [],
        }

    def timeline(self, seen: SeenDialogue) -> list[dict[str, Any]]:
        """Every turn; a peer who reviews under another name is called a blind reviewer."""
        items = talk.timeline(seen, now=self.now, zone=self.zone)
        blind = seen.mode != "open"
        for item, turn in zip(items, seen.turns, strict=True):
            if blind and isinstance(turn.what, Review) and turn.voice == "peer":
                item["title"] = f"{turn.name}, blind reviewer"
        return items

    def opens(self, seen: SeenDialogue) -> str:
        """When the reviews can be read."""
        at = seen.assignment.review_by
        when = dates.on(at, self.zone, self.now) if at and at > self.now else "when they are revealed"
        kind = "reviews" if seen.mode == "open" else "blind reviews"
        return f"Your {kind} open {when}."

    def dialogue(self, seen: SeenDialogue) -> dict[str, Any]:
        turns, counted = seen.turns, rules.live(talk.record(seen.turns))
        over = seen.stage in rules.CLOSED or seen.stage in rules.OUT
        own, reviews = talk.standing(turns), reviews_of(seen)
        decided = rules.decided(counted)
        teach = Proposal(judgements=decided.judgements) if decided and decided.judgements else talk.counter(turns)
        items = self.timeline(seen)
        answers = [turn.what for turn in counted if isinstance(turn.what, Answer)]
        answered = {each.review for each in answers}
        for item, turn in zip(items, turns, strict=True):
            item["answer"] = isinstance(turn.what, Review) and turn.id not in answered and not over
            item["optional"] = item["answer"] and seen.stage != "revealed"
            item["name"] = talk.whom(turn.name)
        return {
            "place": "dialogue",
            "draft": screens.draft_of(self.course, self.viewer, f"dialogue:{seen.submission}"),
            "status": self.lede(seen),
            "turns": items,
            "ratings": [{"name": name, "text": text} for name, text in talk.RATINGS.items()],
            "mine": self.proposal(own),
            "can_revise": bool(reviews) and not any(each.revised for each in answers) and not over,
            "card": self.card(seen, own),
            "plot": talk.level_by_level(seen, own, teach) if reviews or teach else None,
        }

    def proposal(self, proposal: Proposal | None) -> dict[str, Any]:
        """A proposal to change: its grade and a level by criterion."""
        if proposal is None:
            return {"grade": "", "levels": {}}
        return {"grade": proposal.grade, "levels": talk.levels_by_criterion(proposal.judgements)}

    def lede(self, seen: SeenDialogue) -> str:
        """Where it stands, in a sentence or two."""
        record = talk.record(seen.turns)
        if rules.asks_to_reopen(record) and seen.stage in rules.CLOSED:
            return "You asked to reopen this, and your instructor sees it."
        match seen.stage:
            case "withdrawn" | "exempt":
                return "This is out of the count. Nothing is asked of you here, and nothing is lost."
            case "agreed":
                return "You and your instructor agree. Your instructor signs it next."
            case "decided":
                return "Your instructor has decided without your agreement, and signs it next."
            case "signed":
                return "This dialogue is closed."
            case "revealed":
                return f"Your reviews are here. {self.due(seen.assignment.answer_by)}".strip()
            case "with instructor" if not reviews_of(seen):
                return "Too few reviews came in time. Your instructor says how it goes on."
            case "discussing" if rules.awaits_reply(record):
                discussed = talk.last(seen.turns, Discuss)
                offers = discussed and isinstance(discussed.what, Discuss) and discussed.what.counter
                did = "has proposed a grade" if offers else "has asked you something"
                return f"Your instructor {did}. It is your turn."
            case "discussing":
                return "Your instructor reads your reply now."
            case "with instructor":
                return "Your instructor reads it now."
        return "Others read it now."

    def card(self, seen: SeenDialogue, own: Proposal | None) -> dict[str, Any]:
        """What stands beside the dialogue: whose word it is on, and what the author can do."""
        if seen.stage in rules.OUT:
            return self.out(seen)
        if seen.stage in rules.CLOSED:
            return self.closed(seen, own)
        yours = f"You proposed {own.grade}." if own and own.grade else ""
        peers, discussed = self.peers(seen), talk.last(seen.turns, Discuss)
        if discussed and isinstance(discussed.what, Discuss) and rules.awaits_reply(talk.record(seen.turns)):
            counter = discussed.what.counter
            return {
                "kind": "reply",
                "title": "Proposed grade" if counter else "A question for you",
                "grade": counter.grade if counter else "",
                "accept": counter is not None,
                "text": f"{yours} {peers}".strip(),
                "word": f"{discussed.name}: {talk.first_sentence(discussed.what.text)}",
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
            "waits": waits_for(seen),
        }

    def closed(self, seen: SeenDialogue, own: Proposal | None) -> dict[str, Any]:
        """An agreement or a decision, and what its author can still say to it."""
        record = talk.record(seen.turns)
        decided, grade = rules.decided(record), grade_agreed(seen)
        word = "Decided" if decided else "Agreed"
        yours = f"You proposed {own.grade}." if own and own.grade else ""
        return {
            "kind": "closed",
            "title": f"{word} grade" if grade else word,
            "grade": grade,
            "text": f"{yours} {self.peers(seen)}".strip(),
            "signatures": talk.signatures(seen.turns, now=self.now, zone=self.zone),
            "sign": not any(
                isinstance(each.what, SignOff) and each.what.role == "author" for each in rules.live(record)
            ),
            "reason": decided.reason if decided else "",
            "dissent": decided is not None and talk.last(seen.turns, Dissent) is None,
            "ask": rules.asks_to_reopen(record) is None,
        }

    def out(self, seen: SeenDialogue) -> dict[str, Any]:
        """Out of the count: why, and whom to ask."""
        turn = next(turn for turn in reversed(seen.turns) if isinstance(turn.what, Withdraw | Exempt))
        assert isinstance(turn.what, Withdraw | Exempt)
        names = [person.name for person in self.course.people() if person.role == "instructor"]
        whom = turn.name if len(names) > 1 else "".join(names) or turn.name
        return {
            "kind": "out",
            "title": talk.sentence(seen.stage),
            "grade": "",
            "text": f"If that is not right, talk to {whom}.",
            "reason": turn.what.reason,
        }

    def peers(self, seen: SeenDialogue) -> str:
        """What the peers' levels amount to, as advice; nothing where the course has no numbers."""
        reviews = reviews_of(seen)
        middle = grades.median([grades.share(each.judgements, seen.rubric) for each in reviews])
        if middle is None or self.course.setup.scale == "levels":
            return ""
        grade = grades.grade_of_share(middle, self.course.setup.scale)
        if len(reviews) == 1:
            return f"Your peer's levels come to {grade}."
        what = "review" if any(turn.kind == "review" and turn.voice == "teach" for turn in seen.turns) else "peer"
        return f"The median of {talk.count(len(reviews), what)} is {grade}."


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
    """The grade that was agreed or decided, while that counts."""
    outcome = rules.outcome(talk.record(seen.turns))
    return outcome.grade if outcome else ""


def waits_for(seen: SeenDialogue) -> str:
    """For whom it waits, as a sentence to its author; empty when it waits for a date alone."""
    match seen.waiting_on:
        case "":
            return ""
        case "You":
            return "It waits for you."
        case "Instructor":
            return "It waits for your instructor."
    return f"It waits for {seen.waiting_on[0].lower()}{seen.waiting_on[1:]}."


def form_with(said: SelfEvaluation) -> dict[str, object]:
    """A self-evaluation in the shape of its form."""
    return {
        "levels": talk.levels_by_criterion(said.judgements),
        "notes": {each.criterion: each.note for each in said.judgements if each.note},
        "quotes": {each.criterion: each.quote for each in said.judgements if each.quote},
        "strengths": said.strengths,
        "improvements": said.improvements,
        "grade": said.grade,
    }
