"""A dialogue in words: evaluations with the words of their rubric, and every turn as an item of a timeline."""

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, cast

from reviewkit import dialogue as rules
from reviewkit import grades
from reviewkit.course import SeenDialogue, SeenTurn
from reviewkit.model import (
    Accept,
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Freeze,
    HandOver,
    Judgement,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Reveal,
    Review,
    Rubric,
    SelfEvaluation,
    SignOff,
    Turn,
    What,
    Withdraw,
)
from reviewkit.screens import dates

RATINGS = {"specific": "Specific", "kind": "Kind", "useful": "Useful"}
SENTENCE = re.compile(r"(.+?[.!?…])(?:\s|$)", re.DOTALL)
EXCERPT = 160
REOPENED = {
    "frozen": "the self-evaluation is written anew",
    "in review": "peers review again",
    "revealed": "the reviews are answered anew",
    "with instructor": "the grade is open again",
    "discussing": "the discussion goes on",
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number(many: int) -> str:
    """Small numbers as words, for sentences."""
    return NUMBERS[many] if many < len(NUMBERS) else str(many)


def count(many: int, thing: str) -> str:
    """`three reviews`, `one review`, `24 reviews`."""
    return f"{number(many)} {thing}{'' if many == 1 else 's'}"


def first_sentence(text: str) -> str:
    """The beginning of somebody's words, cut at a sentence or, with a sign, at a word."""
    found = SENTENCE.match(text.strip())
    first = found.group(1) if found else text.strip()
    return first if len(first) <= EXCERPT else f"{first[:EXCERPT].rsplit(None, 1)[0]}…"


def whom(name: str) -> str:
    """The name of who spoke a turn, in the middle of a sentence."""
    return {"You": "you", "Instructor": "the instructor"}.get(name, name)


def sentence(words: str) -> str:
    """The words with their first letter large."""
    return words[:1].upper() + words[1:]


# -- the rules, asked about the turns that somebody may see: they read nothing of a turn but `id` and `what` ----------


def record(turns: Sequence[SeenTurn]) -> Sequence[Turn]:
    """The turns that somebody may see, as the rules take them."""
    return cast("Sequence[Turn]", turns)


def standing(turns: Sequence[SeenTurn]) -> Proposal | None:
    """The author's proposal that stands."""
    return rules.standing(record(turns))


def counter(turns: Sequence[SeenTurn]) -> Proposal | None:
    """The instructor's last counter-proposal."""
    return rules.counter(record(turns))


def awaits_reply(turns: Sequence[SeenTurn]) -> bool:
    """The instructor has spoken last."""
    return rules.awaits_reply(record(turns))


def last(turns: Sequence[SeenTurn], *kinds: type[What]) -> SeenTurn | None:
    """The newest turn of these kinds that counts still."""
    counts = frozenset(turn.id for turn in rules.live(record(turns)))
    return next((turn for turn in reversed(turns) if turn.id in counts and isinstance(turn.what, kinds)), None)


def signatures(turns: Sequence[SeenTurn], *, now: datetime, zone: tzinfo) -> list[str]:
    """Who has signed and when: the instructor's signature first, the author's beside it."""
    signed = {turn.what.role: turn for turn in rules.live(record(turns)) if isinstance(turn.what, SignOff)}
    names = {turn.id: turn.name for turn in turns}
    return [
        f"{names[signed[role].id]} signed {dates.moment(signed[role].at, zone, now)}"
        for role in ("instructor", "author")
        if role in signed
    ]


def latest_reviews(turns: Sequence[SeenTurn]) -> dict[str, Review]:
    """The newest version of each peer's review, by the id of its turn."""
    return {turn.id: turn.what for turn in rules.latest_reviews(record(turns)) if isinstance(turn.what, Review)}


# -- evaluations -----------------------------------------------------------------------------------------------------


def criteria_of(rubric: Rubric) -> list[dict[str, Any]]:
    """The rubric's rows, each with a name and a text for every level, lowest first."""
    return [
        {
            "id": criterion.id,
            "name": criterion.name,
            "question": criterion.question,
            "levels": [
                {"name": level.name, "text": text}
                for level, text in zip(rubric.levels, criterion.descriptions, strict=True)
            ],
        }
        for criterion in rubric.criteria
    ]


def judgements_of(judgements: Sequence[Judgement], rubric: Rubric) -> list[dict[str, Any]]:
    """Judgements in the words of their rubric, in the order of its rows."""
    by_criterion = {each.criterion: each for each in judgements}
    return [
        {
            "criterion": criterion.name,
            "level": rubric.levels[each.level].name,
            "note": each.note,
            "quote": each.quote,
        }
        for criterion in rubric.criteria
        if (each := by_criterion.get(criterion.id))
    ]


def changes_of(before: Proposal | None, after: Proposal, rubric: Rubric) -> list[dict[str, Any]]:
    """The judgements of `after` that differ from those of `before`, or that say why."""
    known = {each.criterion: each.level for each in before.judgements} if before else {}
    return judgements_of(
        [each for each in after.judgements if known.get(each.criterion) != each.level or each.note], rubric
    )


def level_by_level(
    seen: SeenDialogue, own: Proposal | None, teach: Proposal | None, *, you: str = "You", each: bool = False
) -> dict[str, Any]:
    """Levels by criterion, as `levelPlot` draws them: the author's, the reviewers' (lowest, middle, highest; with
    `each` every one under their name, for the table), and the instructor's."""
    newest = latest_reviews(seen.turns)
    said = [(turn.name, newest[turn.id]) for turn in seen.turns if turn.id in newest]
    peers = dict[str, dict[str, float]]()
    for criterion in seen.rubric.criteria:
        found = [float(one.level) for _, what in said for one in what.judgements if one.criterion == criterion.id]
        middle, ends = grades.median(found), grades.spread(found)
        if middle is not None and ends is not None:
            peers[criterion.id] = {"low": ends[0], "median": middle, "high": ends[1]}
    return {
        "criteria": [{"id": row.id, "name": row.name} for row in seen.rubric.criteria],
        "levels": [level.name for level in seen.rubric.levels],
        "self": levels_by_criterion(own.judgements) if own else {},
        "peers": peers,
        "teach": levels_by_criterion(teach.judgements) if teach else {},
        "who": {"self": you, "peer": "Peers", "teach": "Instructor"},
        "each": [{"name": name, "levels": levels_by_criterion(what.judgements)} for name, what in said] if each else [],
    }


def levels_by_criterion(judgements: Sequence[Judgement]) -> dict[str, int]:
    return {each.criterion: each.level for each in judgements}


# -- in a few lines ----------------------------------------------------------------------------------------------------


def summary(seen: SeenDialogue, peers: str) -> list[dict[str, str]]:
    """Where everybody stands: the author's proposal, the peers (`peers`: from where to where), the last words."""
    lines = list[dict[str, str]]()
    own = rules.self_evaluation(record(seen.turns))
    if own and (proposal := standing(seen.turns)):
        lines.append(line("self", f"Self {proposal.grade}".rstrip(), own.strengths))
    if reviews := latest_reviews(seen.turns):
        said = " ".join(first_sentence(review.strengths) for review in reviews.values())
        lines.append({"voice": "peer", "lead": f"Peers {peers}".rstrip() + ".", "text": said})
    words_of: dict[str, dict[str, str]] = {}  # each side's last words, in the order in which they were said
    undone = rules.superseded(record(seen.turns))
    for turn in seen.turns:
        match turn.what:
            case _ if turn.id in undone:
                continue
            case Answer() as answer:
                words = line("self", "Answer", answer.text or answer.changed)
            case Reply() as reply:
                words = line("self", "Accepted" if reply.accepts else "Reply", reply.text)
            case Discuss() as discuss:
                at = f" at {discuss.counter.grade}" if discuss.counter and discuss.counter.grade else ""
                words = line("teach", f"{turn.name}{at}", discuss.text)
            case Recognise() as praise:
                words = line("teach", turn.name, praise.text or praise.suggestions or ", ".join(praise.recognised))
            case Reopen() as reopened:
                words = line("teach", f"{turn.name} reopened this", reopened.reason)
            case _:
                continue
        words_of.pop(words["voice"], None)
        words_of[words["voice"]] = words
    return lines + list(words_of.values())


def line(voice: str, lead: str, text: str) -> dict[str, str]:
    return {"voice": voice, "lead": f"{lead}.", "text": first_sentence(text)}


# -- the timeline ----------------------------------------------------------------------------------------------------


def timeline(seen: SeenDialogue, *, now: datetime, zone: tzinfo) -> list[dict[str, Any]]:
    """Every turn, oldest first: who, when, what in a few words, and everything they wrote."""
    newest, undone = latest_reviews(seen.turns), rules.superseded(record(seen.turns))
    names = {turn.id: turn.name for turn in seen.turns}
    items = list[dict[str, Any]]()
    proposed: Proposal | None = None
    for turn in seen.turns:
        replaced, late = (
            turn.kind == "review" and turn.id not in newest,
            isinstance(turn.what, Review) and turn.what.late,
        )
        item = {
            "id": turn.id,
            "kind": turn.kind,
            "voice": turn.voice,
            "when": dates.day(turn.at, zone, now) if turn.day_only else dates.moment(turn.at, zone, now),
            "old": replaced or turn.id in undone,
            "late": late,
            "marks": marked(("Late", late), ("Earlier version", replaced), ("Superseded", turn.id in undone)),
        }
        items.append(item | said(turn, seen, names=names, proposed=proposed))
        proposed = standing([turn]) or proposed
    return items


def said(turn: SeenTurn, seen: SeenDialogue, *, names: dict[str, str], proposed: Proposal | None) -> dict[str, Any]:
    """`title` and `text` of a turn, and under `texts` and `judgements` what there is to unfold."""
    who, rubric = turn.name, seen.rubric
    match turn.what:
        case Freeze(reason=reason):
            return {"title": f"{who} froze the submission", "text": reason}
        case SelfEvaluation() as own:
            return {
                "title": f"{who} proposed {own.grade}" if own.grade else f"{who} sent a self-evaluation",
                "text": own.strengths,
                "texts": labelled(("Opportunities for improvement", own.improvements)),
                "judgements": judgements_of(own.judgements, rubric),
            }
        case Review() as review:
            return {
                "title": f"{who} reviewed this" if turn.voice == "teach" else f"{who}, reviewer",
                "text": review.strengths,
                "texts": labelled(("Suggestions", review.suggestions)),
                "judgements": judgements_of(review.judgements, rubric),
            }
        case Reveal(reviews=reviews, reason=reason):
            shown = f"{sentence(count(len(reviews), 'review'))} revealed"
            return {"title": f"{shown} by {who}" if turn.voice == "teach" else shown, "text": reason}
        case Answer() as answer:
            rated = [*(RATINGS[word] for word in answer.rating), *(["Thanks sent"] if answer.thanks else [])]
            return {
                "title": f"{who} answered {whom(names.get(answer.review, 'a review'))}",
                "text": answer.text,
                "texts": tagged("Found the review", rated, "self")
                + labelled(
                    ("New proposal", answer.revised.grade if answer.revised else ""),
                    ("What changed", answer.changed),
                ),
                "judgements": changes_of(proposed, answer.revised, rubric) if answer.revised else [],
            }
        case Discuss() as discuss:
            offer = discuss.counter
            return {
                "title": f"{who} proposed {offer.grade or 'other levels'}" if offer else f"{who} asked",
                "text": discuss.text,
                "texts": tagged("Recognised", discuss.recognised, "teach"),
                "judgements": changes_of(proposed, offer, rubric) if offer else [],
            }
        case Reply() as reply:
            new = reply.proposal
            does = "accepted" if reply.accepts else f"proposed {new.grade or 'other levels'}" if new else "replied"
            return {
                "title": f"{who} {does}",
                "text": reply.text,
                "judgements": changes_of(proposed, new, rubric) if new else [],
            }
        case Accept() as accept:
            return {
                "title": f"{who} accepted {accept.grade}".rstrip(),
                "text": accept.text,
                "texts": tagged("Recognised", accept.recognised, "teach"),
            }
        case Recognise() as praise:
            return {
                "title": f"{who} recognised what worked",
                "text": praise.text,
                "texts": tagged("Recognised", praise.recognised, "teach")
                + labelled(("Suggestions", praise.suggestions)),
            }
        case Decide() as decision:
            return {
                "title": f"{who} decided {decision.grade}".rstrip(),
                "text": decision.reason,
                "judgements": judgements_of(decision.judgements, rubric),
            }
        case SignOff(grade=grade):
            return {"title": f"{who} signed {grade}".rstrip(), "text": ""}
        case _:
            return rare(turn)


def rare(turn: SeenTurn) -> dict[str, Any]:
    """The turns that most dialogues do without."""
    who = turn.name
    match turn.what:
        case HandOver(given=given, minimum=minimum):
            there = sentence(count(given, "review")) if given else "No review"
            return {"title": "With the instructor", "text": f"{there} of at least {number(minimum)} came in time."}
        case Dissent(text=text):
            return {"title": f"{who} dissented", "text": text}
        case AskToReopen(text=text):
            return {"title": f"{who} asked to reopen this", "text": text}
        case Reopen(to=to, reason=reason):
            return {"title": f"{who} reopened this: {REOPENED[to]}", "text": reason}
        case Withdraw(reason=reason):
            return {"title": f"{who} took this out of the count: withdrawn", "text": reason}
        case Exempt(reason=reason):
            return {"title": f"{who} took this out of the count: exempt", "text": reason}
        case Restore(reason=reason):
            return {"title": f"{who} brought this back into the count", "text": reason}
    return {"title": turn.kind, "text": ""}


def marked(*marks: tuple[str, bool]) -> list[str]:
    """The words of the marks that are set."""
    return [word for word, is_set in marks if is_set]


def tagged(label: str, tags: Sequence[str], voice: str) -> list[dict[str, Any]]:
    """A few short words under one label, in the voice that said them; nothing where there are none."""
    return [{"label": label, "tags": list(tags), "voice": voice}] if tags else []


def labelled(*texts: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"label": label, "text": text} for label, text in texts if text]
