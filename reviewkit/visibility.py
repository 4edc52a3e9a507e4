"""Who sees which turn, and under which name: the one home of blindness (PRODUCT.md section 5).

What a viewer may not see is taken out here, before anything reaches a page, and never hidden later. A reviewer is
known by a pseudonym, an author to their reviewers by the submission's; times of blind acts are cut to the day.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from reviewkit import dialogue as rules
from reviewkit.model import (
    OWN_REVIEW,
    Allocation,
    Answer,
    AskToReopen,
    Dialogue,
    Dissent,
    HandOver,
    Mode,
    Person,
    Reveal,
    Review,
    SelfEvaluation,
    SignOff,
    Submission,
    Turn,
    What,
)

Voice = Literal["self", "peer", "teach", "course"]
Capacity = Literal["author", "peer", "instructor", "assistant", "nobody"]
Veil = Callable[[str, str, str, frozenset[str]], str]
"""(a text, its reviewer's id, its author's, ids of those whom its reader knows) -> the text without what names the
reviewer and the author ("" where they are no secret) or anybody else of the class whom the reader does not know."""
Hide = Callable[[str, str], str]
"""The same for one reader: (the reviewer's id, a text) -> the text."""


@dataclass(frozen=True, kw_only=True)
class SeenTurn:
    """A turn as one viewer may see it: without what is hidden from them, and with the name they know it under.

    `id` is the turn's id (needed for answers). `day_only`: show the day of `at`, no hour (a blind act).
    `mine`: the viewer took it.
    """

    id: str
    kind: str
    voice: Voice
    name: str
    at: datetime
    day_only: bool
    mine: bool
    what: What


def in_care(staff: Person, student: Person) -> bool:
    """Whether a student is one of those whom somebody of the staff has to do with: for an assistant, who shares a
    section with them. Those without a section are one of their own: where nobody has any, it is the whole class."""
    if staff.role == "assistant":
        return not {*(staff.sections or ("",))}.isdisjoint(student.sections or ("",))
    return staff.role == "instructor"


def capacity(viewer: Person, submission: Submission, duties: Collection[Allocation], *, author: Person) -> Capacity:
    """In which capacity somebody meets a submission: staff who wrote or review it get the lesser view."""
    if viewer.id == submission.person:
        return "author"
    if any(each.submission == submission.id and each.reviewer == viewer.id for each in duties):
        return "peer"
    if viewer.role == "instructor":
        return "instructor"
    if viewer.role == "assistant" and in_care(viewer, author):
        return "assistant"
    return "nobody"


def seen(
    dialogue: Dialogue, viewer: Person, what_as: Capacity, *, people: Mapping[str, Person], mode: Mode, veil: Veil
) -> tuple[SeenTurn, ...]:
    """The turns that `viewer` may see, oldest first, as they may see them."""
    match what_as:
        case "author":
            return _for_author(dialogue, viewer, people, mode, veil)
        case "peer":
            return _for_peer(dialogue, viewer, people, mode, veil)
        case "instructor":
            return _for_staff(dialogue.turns, dialogue, viewer, people, names=True)
        case "assistant":
            return _for_assistant(dialogue, viewer, people, mode, veil)
        case _:
            return ()


def reviews_open_to_author(turns: Sequence[Turn]) -> bool:
    """After the reveal and the author's own self-evaluation: nobody is anchored by their peers."""
    return rules.reveal(turns) is not None and rules.self_evaluation(turns) is not None


def _for_author(
    dialogue: Dialogue, viewer: Person, people: Mapping[str, Person], mode: Mode, veil: Veil
) -> tuple[SeenTurn, ...]:
    author = dialogue.submission.person

    def hide(reviewer: str, text: str) -> str:
        return veil(text, reviewer, "", frozenset((author,))) if reviewer else text

    turns: list[SeenTurn] = []
    shown = reviews_open_to_author(dialogue.turns)
    revealed: int | None = None
    for turn in dialogue.turns:
        match turn.what:
            case Review() if revealed is not None and shown:  # it came late
                turns.append(_other_review(turn, at=turn.at, people=people, mode=mode, hide=hide))
            case Review():
                pass  # shown together, where the reveal stands
            case Reveal():
                revealed = len(turns)
                if shown:
                    turns += _revealed(dialogue.turns, turn, people, mode, hide)
            case _:
                mine = turn.by == viewer.id
                name = "You" if mine else _office(turn, people)
                turns.append(_seen(turn, voice=_voice(turn, mine), name=name, mine=mine))
    if shown:  # a self-evaluation that came after the reveal still stands before the reviews it was not told of
        since = turns[revealed:]
        turns[revealed:] = sorted(since, key=lambda turn: turn.kind != "self-evaluation")
    return tuple(turns)


def _revealed(
    turns: Sequence[Turn], reveal: Turn, people: Mapping[str, Person], mode: Mode, hide: Hide
) -> list[SeenTurn]:
    """The revealed reviews on the day they were revealed, in an order that says nothing about who was first."""
    assert isinstance(reveal.what, Reveal)
    chosen = [turn for turn in turns if turn.id in reveal.what.reviews]
    return [
        _other_review(turn, at=reveal.at, people=people, mode=mode, hide=hide)
        for turn in sorted(chosen, key=lambda turn: turn.salt)
    ]


def _other_review(turn: Turn, *, at: datetime, people: Mapping[str, Person], mode: Mode, hide: Hide) -> SeenTurn:
    """A review for those who must not know its writer; that an instructor wrote it is no secret."""
    assert isinstance(turn.what, Review)
    if turn.what.allocation.startswith(OWN_REVIEW):
        said = replace(turn.what, allocation="")
        bare = replace(turn, at=at, what=said if mode == "open" else _veiled(said, "", hide))
        return _seen(bare, voice="teach", name=_office(turn, people), mine=False, day_only=True)
    if mode == "open":
        return _seen(turn, voice="peer", name=people[turn.by].name, mine=False)
    return _seen(
        replace(turn, at=at, what=_veiled(replace(turn.what, allocation=""), turn.by, hide)),
        voice="peer",
        name=turn.what.pseudonym,
        mine=False,
        day_only=True,
    )


def _for_peer(
    dialogue: Dialogue, viewer: Person, people: Mapping[str, Person], mode: Mode, veil: Veil
) -> tuple[SeenTurn, ...]:
    author, blind = dialogue.submission.person, mode == "double-blind"

    def hide(reviewer: str, text: str) -> str:
        known = frozenset((viewer.id,)) if blind else frozenset((viewer.id, author))
        return veil(text, reviewer, author if blind else "", known)

    turns: list[SeenTurn] = []
    mine = [turn for turn in dialogue.turns if turn.by == viewer.id and isinstance(turn.what, Review)]
    turns += [_seen(turn, voice="peer", name="You", mine=True) for turn in mine]
    reveal = rules.reveal(dialogue.turns)
    if reveal is None or not (mine or rules.stage(dialogue.turns) in rules.CLOSED):
        return tuple(turns)  # whoever may still write, late, reads no other review before
    late = [turn for turn in dialogue.turns[reveal.sequence :] if isinstance(turn.what, Review)]
    turns += [
        each
        for each in (
            *_revealed(dialogue.turns, reveal, people, mode, hide),
            *(_other_review(turn, at=turn.at, people=people, mode=mode, hide=hide) for turn in late),
        )
        if each.id not in {turn.id for turn in mine}
    ]
    for turn in rules.live(dialogue.turns):
        if isinstance(turn.what, Answer) and turn.what.review in {each.id for each in mine}:
            what: What = replace(turn.what, revised=None, changed="")  # proposals are between author and instructor
            name = dialogue.submission.pseudonym if blind else people[turn.by].name
            if mode != "open":
                what = _veiled(what, "", hide)
            turns.append(_seen(replace(turn, what=what), voice="self", name=name, mine=False, day_only=True))
    return tuple(turns)


def _for_staff(
    turns: Sequence[Turn], dialogue: Dialogue, viewer: Person, people: Mapping[str, Person], *, names: bool
) -> tuple[SeenTurn, ...]:
    return tuple(
        _seen(
            turn,
            voice=_voice(turn, mine=turn.by == dialogue.submission.person),
            name=_staff_name(turn, viewer, people, names),
            mine=turn.by == viewer.id,
        )
        for turn in turns
    )


def _for_assistant(
    dialogue: Dialogue, viewer: Person, people: Mapping[str, Person], mode: Mode, veil: Veil
) -> tuple[SeenTurn, ...]:
    """As an instructor, but who wrote a review: neither by their name, nor by what they call themselves in it, nor by
    the hour."""
    known = frozenset(people)

    def hide(reviewer: str, text: str) -> str:
        return text if mode == "open" else veil(text, reviewer, "", known)

    def is_blind(turn: Turn) -> bool:
        return isinstance(turn.what, Review) and not turn.what.allocation.startswith(OWN_REVIEW)

    turns = [
        replace(turn, what=_veiled(turn.what, turn.by, hide)) if is_blind(turn) else turn for turn in dialogue.turns
    ]
    blind = {turn.id for turn in turns if is_blind(turn)}
    seen = _for_staff(turns, dialogue, viewer, people, names=False)
    return tuple(replace(turn, day_only=turn.id in blind) for turn in seen)


def _staff_name(turn: Turn, viewer: Person, people: Mapping[str, Person], names: bool) -> str:
    if turn.by == viewer.id:
        return "You"
    if isinstance(turn.what, Review) and not names:
        return turn.what.pseudonym or "Instructor"
    known = people.get(turn.by)
    return known.name if known else _office(turn, people)


def _voice(turn: Turn, mine: bool) -> Voice:
    match turn.what:
        case Review(allocation=allocation):
            return "teach" if allocation.startswith(OWN_REVIEW) else "peer"
        case SelfEvaluation() | SignOff(role="author") | Dissent() | AskToReopen():
            return "self"
        case Reveal() | HandOver():
            return "course"
        case _:
            return "self" if mine else "course" if turn.via == "schedule" else "teach"


def _office(turn: Turn, people: Mapping[str, Person]) -> str:
    """Who acted for the course, as authors and peers know them: by name where there are several."""
    if turn.via == "schedule":
        return "The course"
    several = sum(person.role == "instructor" for person in people.values()) > 1
    return people[turn.by].name if several and turn.by in people else "Instructor"


def _seen(turn: Turn, *, voice: Voice, name: str, mine: bool, day_only: bool = False) -> SeenTurn:
    return SeenTurn(
        id=turn.id, kind=turn.kind, voice=voice, name=name, at=turn.at, day_only=day_only, mine=mine, what=turn.what
    )


def _veiled(what: What, reviewer: str, hide: Hide) -> What:
    """What was written, without the names that its reader must not know."""
    match what:
        case Review():
            return replace(
                what,
                strengths=hide(reviewer, what.strengths),
                suggestions=hide(reviewer, what.suggestions),
                judgements=tuple(
                    replace(each, note=hide(reviewer, each.note), quote=hide(reviewer, each.quote))
                    for each in what.judgements
                ),
            )
        case Answer():
            return replace(what, text=hide(reviewer, what.text))
        case _:
            return what
