"""A dialogue in words: evaluations with the words of their rubric, and every turn as an item of a timeline."""

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, cast

from reviewkit import dialogue as rules
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


def sentence(words: str) -> str:
    """The words with their first letter large."""
    return words[:1].upper() + words[1:]


# -- the rules, asked about the turns that somebody may see: they read nothing of a turn but `what` -----------------


def standing(turns: Sequence[SeenTurn]) -> Proposal | None:
    """The author's proposal that stands."""
    return rules.standing(cast("Sequence[Turn]", turns))


def counter(turns: Sequence[SeenTurn]) -> Proposal | None:
    """The instructor's last counter-proposal."""
    return rules.counter(cast("Sequence[Turn]", turns))


def awaits_reply(turns: Sequence[SeenTurn]) -> bool:
    """The instructor has spoken last."""
    return rules.awaits_reply(cast("Sequence[Turn]", turns))


def latest_reviews(turns: Sequence[SeenTurn]) -> dict[str, Review]:
    """The newest version of each peer's review, by the id of its turn."""
    return {
        turn.id: turn.what
        for turn in rules.latest_reviews(cast("Sequence[Turn]", turns))
        if isinstance(turn.what, Review)
    }


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


# -- in a few lines ----------------------------------------------------------------------------------------------------


def summary(seen: SeenDialogue, peers: str) -> list[dict[str, str]]:
    """Where everybody stands: the author's proposal, the peers (`peers`: from where to where), the last words."""
    lines = list[dict[str, str]]()
    own = rules.self_evaluation(cast("Sequence[Turn]", seen.turns))
    if own and (proposal := standing(seen.turns)):
        lines.append(line("self", f"Self {proposal.grade}".rstrip(), own.strengths))
    if reviews := latest_reviews(seen.turns):
        said = " ".join(first_sentence(review.strengths) for review in reviews.values())
        lines.append({"voice": "peer", "lead": f"Peers {peers}".rstrip() + ".", "text": said})
    last: dict[str, dict[str, str]] = {}  # each side's last words, in the order in which they were said
    for turn in seen.turns:
        match turn.what:
            case Answer() as answer:
                words = line("self", "Answer", answer.text or answer.changed)
            case Reply() as reply:
                words = line("self", "Accepted" if reply.accepts else "Reply", reply.text)
            case Discuss() as discuss:
                at = f" at {discuss.counter.grade}" if discuss.counter and discuss.counter.grade else ""
                words = line("teach", f"{turn.name}{at}", discuss.text)
            case _:
                continue
        last.pop(words["voice"], None)
        last[words["voice"]] = words
    return lines + list(last.values())


def line(voice: str, lead: str, text: str) -> dict[str, str]:
    return {"voice": voice, "lead": f"{lead}.", "text": first_sentence(text)}


# -- the timeline ----------------------------------------------------------------------------------------------------


def timeline(seen: SeenDialogue, *, now: datetime, zone: tzinfo) -> list[dict[str, Any]]:
    """Every turn, oldest first: who, when, what in a few words, and everything they wrote."""
    newest, undone = latest_reviews(seen.turns), rules.superseded(cast("Sequence[Turn]", seen.turns))
    names = {turn.id: turn.name for turn in seen.turns}
    items = list[dict[str, Any]]()
    proposed: Proposal | None = None
    for turn in seen.turns:
        item = {
            "id": turn.id,
            "kind": turn.kind,
            "voice": turn.voice,
            "when": dates.day(turn.at, zone) if turn.day_only else dates.moment(turn.at, zone, now),
            "old": (turn.kind == "review" and turn.id not in newest) or turn.id in undone,
            "late": isinstance(turn.what, Review) and turn.what.late,
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
                "title": f"{who}, reviewer",
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
                "title": f"{who} answered {names.get(answer.review, 'a review')}",
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


def tagged(label: str, tags: Sequence[str], voice: str) -> list[dict[str, Any]]:
    """A few short words under one label, in the voice that said them; nothing where there are none."""
    return [{"label": label, "tags": list(tags), "voice": voice}] if tags else []


def labelled(*texts: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"label": label, "text": text} for label, text in texts if text]
