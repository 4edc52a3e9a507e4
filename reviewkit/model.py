"""The nouns of a course: frozen values without files, network, clock or widgets.

Every `datetime` in here is aware and in UTC. Ids of posts, submissions, allocations and turns are random and say
nothing about whom they belong to.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

Role = Literal["student", "assistant", "instructor", "observer"]
Via = Literal["page", "sheet", "schedule"]
Mode = Literal["double-blind", "reviewers-hidden", "open"]
Kind = Literal["post", "participation"]
Found = Literal["category", "rel", "text", "feed"]

Reopened = Literal["frozen", "in review", "revealed", "with instructor", "discussing"]
"""The stages that a dialogue can go back to."""

Step = Literal["freeze_by", "self_by", "review_by", "answer_by", "sign_by"]
STEPS: tuple[Step, ...] = ("freeze_by", "self_by", "review_by", "answer_by", "sign_by")
"""The dated steps of a round, in their order."""

SCHEDULE = "schedule"
"""Stands as `by` in turns that no person took: the course's dates did."""

TEXT_LIMIT = 20_000
"""Characters that one text of a person may have (about ten pages); longer ones are refused in words, never cut."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the course. `id` is the course's own word for them (a login or a number)."""

    id: str
    name: str
    email: str = ""
    role: Role = "student"
    feeds: tuple[str, ...] = ()
    own_feeds: tuple[str, ...] = ()
    """Those of `feeds` that were added here and not by the roster's file."""
    dropped_feeds: tuple[str, ...] = ()
    """Feeds of the roster's file that were taken away here: an import does not bring them back."""
    excluded: tuple[str, ...] = ()
    """Ids of people who must neither review nor be reviewed by this person."""
    sections: tuple[str, ...] = ()
    """The course's words for the groups that they belong to; an assistant has to do with those who share one."""
    withdrawn: bool = False


# -- the course ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What is asked, with its dated steps (each may be missing: then nothing happens by itself)."""

    id: str
    title: str
    tag: str = ""
    """Without the #; empty: the course's own tag."""
    kind: Kind = "post"
    rubric: str
    """The name of the rubric's file without its ending."""
    freeze_by: datetime | None = None
    self_by: datetime | None = None
    review_by: datetime | None = None
    answer_by: datetime | None = None
    sign_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A later date for one person's own step (`review_by`: the reviews that they owe)."""

    person: str
    assignment: str
    step: Step
    until: datetime
    reason: str
    by: str
    """Id of the instructor who gave it."""


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """How peers review: `count` each, at least `minimum` before a reveal, `rounds` of discuss and reply; `grace` is
    for how many minutes after a date what is sent still counts as in time; `own_first`: nobody opens a review they owe
    before their own self-evaluation is in."""

    count: int = 3
    minimum: int = 2
    mode: Mode = "double-blind"
    rounds: int = 3
    grace: int = 10
    own_first: bool = True


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The course as the store rules it. `timezone` is an IANA name; `scale` is how a grade looks."""

    title: str
    tag: str
    timezone: str
    starts: datetime | None = None
    ends: datetime | None = None
    reviews: Reviews = Reviews()
    scale: Literal["0-100", "levels"] | tuple[str, ...] = "0-100"
    """`0-100`, `levels` (no number anywhere) or a tuple of letters, best first."""
    assignments: tuple[Assignment, ...] = ()
    extensions: tuple[Extension, ...] = ()
    """The newest last; it counts, while it is later than everybody's date."""

    def assignment(self, id: str) -> Assignment | None:
        return next((each for each in self.assignments if each.id == id), None)

    def own(self, assignment: Assignment, person: str) -> Assignment:
        """The assignment with this person's own dates; none is earlier than everybody's, which may have been moved."""
        later: dict[str, datetime] = {
            each.step: each.until
            for each in self.extensions
            if (each.person, each.assignment) == (person, assignment.id)
            and (common := getattr(assignment, each.step)) is not None
            and common < each.until
        }
        return replace(assignment, **later) if later else assignment  # type: ignore[arg-type]  # steps are dates

    def is_over(self, due: datetime | None, now: datetime) -> bool:
        """Whether a date and its grace have passed; what has no date is never over."""
        return due is not None and now > due + timedelta(minutes=self.reviews.grace)

    def tag_of(self, assignment: Assignment) -> str:
        return assignment.tag or self.tag


# -- posts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A folded tag and the place where it was found (`feed`: the post came from a feed of that tag)."""

    tag: str
    found: Found


def headline(title: str, text: str) -> str:
    """What a post is called: its title, or its first words where it has none (a note on Mastodon)."""
    words = text.split()
    return title or " ".join(words[:7]) + ("\N{HORIZONTAL ELLIPSIS}" if len(words) > 7 else "") or "Untitled"


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One state of a post: cleaned HTML and the visible text that its digest covers."""

    digest: str
    seen: datetime
    title: str
    html: str
    text: str
    copied: bool = False
    """The feed showed an excerpt: this text was taken from the article's page, and its author should look at it."""

    @property
    def headline(self) -> str:
        return headline(self.title, self.text)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a feed says of one post at one moment: parsed and cleaned, not stored yet."""

    guid: str
    link: str
    title: str
    author: str = ""
    published: datetime | None = None
    tags: tuple[Tag, ...] = ()
    html: str = ""
    text: str = ""
    digest: str = ""
    """SHA-256 over title and visible text: what makes a revision a new one."""
    copied: bool = False
    """The text is the article's page's; the feed itself shows an excerpt of it."""
    said: str = ""
    """Of a copied text: the digest of the excerpt that the feed showed."""


PRIVATE = "private:"
"""How the guid of a post begins that was given to the course alone; the assignment's id follows."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """An entry of a person's feed that matched a tag; `revisions` oldest first, at least one."""

    id: str
    person: str
    feed: str
    guid: str
    link: str
    author: str
    published: datetime | None
    tags: tuple[Tag, ...]
    revisions: tuple[Revision, ...]
    gone: datetime | None = None

    @property
    def given_for(self) -> str:
        """The assignment that a private post was given for; empty for a post of a site. Private posts never leave the
        course's own pages: they are in no Hub."""
        return self.guid.split(":")[1] if not self.feed and self.guid.startswith(PRIVATE) else ""

    @property
    def latest(self) -> Revision:
        return self.revisions[-1]

    @property
    def title(self) -> str:
        return self.latest.title

    @property
    def headline(self) -> str:
        return self.latest.headline

    def revision(self, digest: str) -> Revision | None:
        return next((each for each in self.revisions if each.digest == digest), None)


@dataclass(frozen=True, kw_only=True)
class HiddenWord:
    """A word that masked copies of a person's posts hide, since they said so; a copy that its reviewer has opened by
    then stays as it was read."""

    person: str
    word: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A person's feed and what is known of it from the last pulls."""

    person: str
    url: str
    title: str = ""
    etag: str = ""
    last_modified: str = ""
    body: str = ""
    """Digests of the last body that was parsed, of how it was sent, and of the rules for reading it."""
    listing: str = ""
    """What that body listed, as `listing` writes it."""
    filled: bool = False
    """Older pages of the feed were read, back to the course's start; that is done once."""
    filling: str = ""
    """Where the reading of older pages was broken off, as `feeds.further` writes it; the next pull goes on there."""
    succeeded: datetime | None = None
    tried: datetime | None = None
    error: str = ""
    """Why the last try failed, as a sentence for a student; empty after a success."""
    failures: int = 0
    """Tries in a row that failed."""
    next_try: datetime | None = None
    """When the clock pulls it again; None: `feeds.schedule` says so from `tried`."""
    not_before: datetime | None = None
    """Until then the site asked to be left in peace (Retry-After), also by those who pull by hand."""
    stopped: datetime | None = None
    """When the site said that this feed is gone for good (410): the clock no longer asks."""
    moved_to: str = ""
    """Where the site says that the feed lives from now on (301, 308)."""
    moved_times: int = 0
    """How many pulls in a row said so; the third one is believed."""


# -- rubrics ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Level:
    """A column of the rubric, lowest first; `points` is None where the writers gave none."""

    name: str
    points: float | None = None


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A row of the rubric: `descriptions` has one text per level; `id` is its name in small letters and hyphens."""

    id: str
    name: str
    weight: float = 1.0
    question: str = ""
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """One version of a rubric, known by the digest (SHA-256) of its text."""

    name: str
    digest: str
    title: str
    words: str
    levels: tuple[Level, ...]
    criteria: tuple[Criterion, ...]
    source: str = field(repr=False)
    """The Markdown that it was read from."""

    def criterion(self, id: str) -> Criterion | None:
        return next((each for each in self.criteria if each.id == id), None)


# -- the dialogue ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A revision that a submission is made of."""

    post: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One person's work for one assignment. Reviewers know its author by `pseudonym` alone."""

    id: str
    person: str
    assignment: str
    rubric: str
    """Digest of the rubric version that every evaluation of this submission uses."""
    revisions: tuple[Frozen, ...]
    pseudonym: str
    mode: Mode
    """Who is hidden from whom, as it was when it was frozen: both sides wrote under that word, and it stays."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """One review that somebody owes, and the name that they write it under."""

    id: str
    assignment: str
    submission: str
    reviewer: str
    pseudonym: str
    opened: datetime | None = None
    released: datetime | None = None
    """When the reviewer passed it on: it is nobody's duty any more, counts for nobody and never comes back."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A level (its index, 0 is the lowest) for one criterion, why, and the sentence of the post it rests on."""

    criterion: str
    level: int
    note: str = ""
    quote: str = ""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What an author or an instructor proposes. `grade` is empty on the scale `levels`."""

    judgements: tuple[Judgement, ...] = ()
    grade: str = ""


@dataclass(frozen=True, kw_only=True)
class Freeze:
    revisions: tuple[Frozen, ...]
    rubric: str
    reason: str = ""
    mode: Mode | Literal[""] = ""
    """The mode of its reviews; empty in turns of before it was written down."""


@dataclass(frozen=True, kw_only=True)
class SelfEvaluation:
    judgements: tuple[Judgement, ...]
    strengths: str
    improvements: str
    grade: str = ""


@dataclass(frozen=True, kw_only=True)
class Review:
    """`allocation` is the reviewer's slot, or OWN_REVIEW and the id of the instructor who gives their own."""

    allocation: str
    pseudonym: str
    judgements: tuple[Judgement, ...]
    strengths: str
    suggestions: str
    late: bool = False
    """Sent after `review_by`; it is kept and marked."""


@dataclass(frozen=True, kw_only=True)
class Reveal:
    """`owed` reviews were allocated, `minimum` were needed, `reviews` (ids of their turns) are revealed."""

    owed: int
    minimum: int
    reviews: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """At `review_by` fewer reviews than the `minimum` were there (`given` of `owed`): the instructor extends, assigns,
    reviews, waives, exempts or decides."""

    owed: int
    given: int
    minimum: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The author's answer to one review (`review`: its turn's id), what it was (`rating`), and once a new proposal."""

    review: str
    text: str = ""
    rating: tuple[Literal["specific", "kind", "useful"], ...] = ()
    thanks: bool = False
    revised: Proposal | None = None
    changed: str = ""
    """What changed the author's mind; required with `revised`."""


@dataclass(frozen=True, kw_only=True)
class Discuss:
    """The instructor's words, with a counter-proposal or (without one) a question."""

    text: str
    counter: Proposal | None = None
    recognised: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The author accepts the counter-proposal, answers, or (with `proposal`) proposes anew."""

    accepts: bool = False
    text: str = ""
    proposal: Proposal | None = None


@dataclass(frozen=True, kw_only=True)
class Accept:
    """The instructor agrees to the author's proposal that stands; `grade` repeats it."""

    grade: str = ""
    text: str = ""
    recognised: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """The instructor's closes the dialogue; the author's stands beside it."""

    role: Literal["instructor", "author"] = "instructor"
    grade: str = ""


@dataclass(frozen=True, kw_only=True)
class Recognise:
    """The instructor's recognition of successes (`text`, `recognised`) and suggestions; it decides nothing."""

    text: str = ""
    suggestions: str = ""
    recognised: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decide:
    """A grade without agreement, and why."""

    reason: str
    grade: str = ""
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dissent:
    """What the author says to a decision; it stays for ever."""

    text: str


@dataclass(frozen=True, kw_only=True)
class AskToReopen:
    """The author asks for it; only an instructor reopens."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Reopen:
    """Back to the stage `to`. What it undoes stays in the record and counts no longer (see stages.live)."""

    to: "Reopened"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Withdraw:
    """Out of the count, because the author left the round."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Exempt:
    """Out of the count, because nothing is asked of the author here."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Back into the count, with nothing lost."""

    reason: str = ""


What = (
    Freeze
    | SelfEvaluation
    | Review
    | Reveal
    | HandOver
    | Answer
    | Recognise
    | Discuss
    | Reply
    | Accept
    | Decide
    | Dissent
    | SignOff
    | AskToReopen
    | Reopen
    | Withdraw
    | Exempt
    | Restore
)

OWN_REVIEW = "instructor:"
"""Begins the `allocation` of an instructor's own review."""

KINDS: dict[str, type[What]] = {
    "freeze": Freeze,
    "self-evaluation": SelfEvaluation,
    "review": Review,
    "reveal": Reveal,
    "hand-over": HandOver,
    "answer": Answer,
    "recognise": Recognise,
    "discuss": Discuss,
    "reply": Reply,
    "accept": Accept,
    "decide": Decide,
    "dissent": Dissent,
    "sign-off": SignOff,
    "ask-to-reopen": AskToReopen,
    "reopen": Reopen,
    "withdraw": Withdraw,
    "exempt": Exempt,
    "restore": Restore,
}
KIND_OF: dict[type[What], str] = {kind: word for word, kind in KINDS.items()}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A turn that is not stored yet: who, when (UTC), where from, and what."""

    by: str
    at: datetime
    via: Via
    what: What


@dataclass(frozen=True, kw_only=True)
class Turn(Said):
    """A stored turn. `digest` covers all of it and `previous`, the digest of the turn before it (see chain.py)."""

    id: str
    submission: str
    sequence: int
    salt: str
    previous: str
    digest: str

    @property
    def kind(self) -> str:
        return KIND_OF[type(self.what)]


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """A submission and its turns, oldest first; `len(turns)` is what a writer sends back as `after`."""

    submission: Submission
    turns: tuple[Turn, ...]


Stage = Literal[
    "frozen",
    "self-evaluated",
    "in review",
    "revealed",
    "with instructor",
    "discussing",
    "agreed",
    "decided",
    "signed",
    "withdrawn",
    "exempt",
]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody is typing into one form, as last acknowledged: `revision` counts the browser's edits.

    `done`: the form was sent or cleared. Nothing is left but the number, so that a late save cannot bring it back.
    """

    person: str
    form: str
    revision: int
    content: dict[str, object]
    saved: datetime
    done: bool = False


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An act that rests in a person's outbox until `due`, so that it can still be taken back."""

    id: str
    person: str
    due: datetime
    verb: str
    arguments: dict[str, object]
    begun: bool = False
    """It is being done, and can no longer be taken back."""
    refused: str = ""
    """Why it could not be done; it is there until its person has put it away."""
