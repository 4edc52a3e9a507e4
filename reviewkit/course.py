"""Course: every verb, read aloud. The only door for screens and commands.

A verb loads what it needs, asks the rules (`dialogue`, `rubric`, `allocation`, `masking`), and appends to the store.
Whoever speaks is a `Person`; permission is decided here, on every save, whatever a page has shown before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reviewkit.model import (
    Answer,
    Assignment,
    Accept,
    Allocation,
    Dialogue,
    Discuss,
    Draft,
    Frozen,
    Judgement,
    Person,
    Post,
    Reply,
    Rubric,
    SelfEvaluation,
    Setup,
    Stage,
    Submission,
    Turn,
    Via,
    What,
)
from reviewkit.store import Store

Voice = Literal["self", "peer", "teach", "course"]


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


@dataclass(frozen=True, kw_only=True)
class SeenDialogue:
    """A dialogue as one viewer may see it. Send `len(turns)` back as `seen` with the next turn."""

    submission: str
    author: str
    """The author's name, or the pseudonym where the viewer is blind to it."""
    assignment: Assignment
    stage: Stage
    rubric: Rubric
    turns: tuple[SeenTurn, ...]
    posts: tuple["Copy", ...]
    waiting_on: str
    """For whom it waits, in words for this viewer: "You", a name, "One late reviewer", or empty."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A frozen revision as one viewer may see it (masked for a blind reviewer: no link, no date, title cleaned)."""

    title: str
    html: str
    text: str
    link: str = ""
    published: datetime | None = None
    changed_since: bool = False
    """The blog shows another text by now."""


@dataclass(frozen=True, kw_only=True)
class Duty:
    """A review that somebody owes: what they may read of it, and what they have said."""

    id: str
    """Random id of the allocation: the only id of this review that its writer ever sees."""
    author: str
    """The author's pseudonym (their name where the mode is not double-blind)."""
    pseudonym: str
    """The name the writer goes by towards this author."""
    assignment: Assignment
    rubric: Rubric
    posts: tuple[Copy, ...]
    due: datetime | None
    locked: str
    """Why it cannot be opened yet, as a sentence ("Send your own self-evaluation first."); empty: open."""
    mine: SeenTurn | None
    """The latest version the writer has sent."""
    others: tuple[SeenTurn, ...]
    """Other reviews of the same submission and the author's answer to this one: only after the reveal."""
    closed: bool
    """The reveal has happened: read-only."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the instructor's class table. Shares are percent of the scale's top; None where there is nothing."""

    person: Person
    submission: str
    """Empty while the person is expected or collected."""
    title: str
    stage: str
    """A Stage, or "expected" / "collected" before the freeze."""
    self_grade: str
    self_share: float | None
    median: float | None
    low: float | None
    high: float | None
    reviews: int
    owed: int
    agreed: str
    """The grade that was agreed or signed."""
    flags: tuple[str, ...]
    """Of "Far apart", "Wide range"."""
    close: bool
    """May be accepted together with others (PRODUCT.md section 2)."""
    waiting_on: str
    hint: str
    """A word on why: "Ready", "Reply read", ..."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An allocation before it is saved: the new pairs (submission, reviewer) and what had to be relaxed, in words."""

    assignment: str
    pairs: tuple[tuple[str, str], ...]
    count: int
    relaxed: tuple[str, ...]
    seed: int


class Course:
    """The course behind one store. `clock` gives the time now, aware and in UTC."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None: ...

    # -- reading
    @property
    def setup(self) -> Setup: ...
    def person(self, id: str) -> Person: ...
    def people(self) -> list[Person]: ...
    def rubric(self, digest: str) -> Rubric: ...
    def rubric_in_use(self, assignment: Assignment) -> Rubric: ...
    def posts(self, who: Person) -> list[Post]: ...
    def candidates(self, who: Person, assignment: Assignment) -> list[Post]: ...
    def submission_of(self, who: Person, assignment: Assignment) -> Submission | None: ...
    def dialogue(self, submission: str, viewer: Person) -> SeenDialogue: ...
    def duties(self, who: Person) -> list[Duty]: ...
    def duty(self, who: Person, id: str) -> Duty:
        """One duty; reading it notes that it was opened."""

    def class_table(self, viewer: Person, assignment: Assignment) -> list[Line]: ...
    def waiting(self, who: Person) -> dict[str, int]:
        """How many things wait for this person, by screen: {"my-work": 1, "reviews": 2} or {"sign-off": 7}."""

    # -- drafts
    def keep_draft(self, who: Person, form: str, revision: int, content: dict[str, object]) -> Draft: ...
    def draft(self, who: Person, form: str) -> Draft | None: ...

    # -- the author's verbs
    def freeze(self, who: Person, assignment: str, posts: Sequence[str], *, request: str = "", via: Via = "page") -> str:
        """Freeze the newest revision of each post (ids); gives the submission's id."""

    def self_evaluate(self, who: Person, submission: str, said: SelfEvaluation, *, seen: int, request: str = "") -> None: ...
    def answer(self, who: Person, submission: str, said: Answer, *, seen: int, request: str = "") -> None: ...
    def reply(self, who: Person, submission: str, said: Reply, *, seen: int, request: str = "") -> None: ...

    # -- the reviewer's verb
    def review(
        self, who: Person, duty: str, judgements: Sequence[Judgement], strengths: str, suggestions: str, *, request: str = ""
    ) -> None: ...

    # -- the instructor's verbs
    def discuss(self, who: Person, submission: str, said: Discuss, *, seen: int, request: str = "", via: Via = "page") -> None: ...
    def accept(self, who: Person, submission: str, said: Accept, *, seen: int, request: str = "", via: Via = "page") -> None:
        """Accept and sign in one step; after a reply that accepts, sign alone."""

    def plan(self, assignment: str) -> Plan: ...
    def allocate(self, plan: Plan) -> list[Allocation]: ...
    def reveal(self, assignment: str, *, by: Person | None = None, reason: str = "") -> list[str]:
        """Reveal all submissions of the round together; gives the ids of those revealed."""

    def advance(self) -> list[str]:
        """Do what the dates ask for by now (freeze, allocate, reveal); one sentence for each thing done."""
