"""The store: the only memory that processes share. SQLite or PostgreSQL, behind one page of methods.

Every method is one transaction: it is done or it is not. Times go in and come out aware, in UTC. Methods may be
called from any thread. Driver errors come out as `StoreError` with their cause; a person, submission, rubric version
or revision that is not there as `Missing`. Texts come back as they went in, but for NUL and halves of surrogate pairs,
which nobody can type and PostgreSQL refuses.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from reviewkit.chain import Seal
from reviewkit.model import (
    Allocation,
    Dialogue,
    Draft,
    Entry,
    Feed,
    Frozen,
    HiddenWord,
    Person,
    Post,
    Rubric,
    Said,
    Setup,
    Submission,
    Turn,
    Waiting,
)
from reviewkit.pictures import Copied, Picture, Source

CourseParts = tuple[Setup, Iterable[Person], Iterable[Rubric]]
"""What is kept of a course: as it is set up, its people, new versions of its rubrics."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a pull of one feed changed: titles of posts that are new, and of posts with a new revision."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What the store holds, as words that say nothing and differ when something differs. Compare, never keep."""

    everybody: str = ""
    """The course, its rubrics and who is in it."""
    everything: str = ""
    """All that people can see, but what lies on a single person's desk."""
    people: Mapping[str, str] = field(default_factory=dict)
    """By person: their sign-in, posts and submissions, and the submissions that they review."""
    desks: Mapping[str, str] = field(default_factory=dict)
    """By person: what they are typing, and what waits in their outbox."""


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """What the store knows of a sign-in: whose it is, the number that all their sessions carry while they hold, and
    whether this very one was ended."""

    person: Person
    serial: int
    ended: bool


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Mail that is to be sent at its time: to a person, or to whoever `about` tells of. Its text is made when it is
    sent, by those who know its kind."""

    id: str
    kind: str
    due: datetime
    person: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    tries: int = 0


class Store(Protocol):
    def close(self) -> None: ...

    # -- the course, its people and rubrics (seeded from files, then ruled here)
    def keep_course(self, setup: Setup, people: Iterable[Person], rubrics: Iterable[Rubric]) -> None:
        """Write setup, people (by id; those not named stay as they are) and rubric versions, all or nothing.

        People stand in the order given; those not named stay behind whom they stood behind.
        """

    def change_course(self, change: Callable[[Setup | None, list[Person], list[Rubric]], CourseParts | None]) -> None:
        """Keep what `change` makes of setup, people and rubrics as they are now (None: nothing); nobody else changes
        the course in between. Raises whatever `change` raises. `change` may read from the store and writes nothing."""

    def change_setup(self, change: Callable[[Setup], Setup]) -> Setup:
        """Write what `change` makes of the course as it is now; two at once come one after the other. Raises Missing
        while the store is empty, and whatever `change` raises."""

    def setup(self) -> Setup | None:
        """The course, or None while the store is empty."""

    def people(self) -> list[Person]:
        """Everybody, in the roster's order."""

    def rubrics(self) -> list[Rubric]:
        """Every version ever kept, oldest first; the last of a name is the one in use (one kept again moves there)."""

    # -- links and sign-ins: raising a number makes everything that was signed with the old one worthless
    def link_serial(self, person: str) -> int: ...
    def revoke_links(self, person: str) -> int:
        """Ends the links and the sessions of a person; gives the new number of their links."""

    def session_serial(self, person: str) -> int: ...
    def end_sessions(self, person: str) -> int:
        """Ends the sessions alone: the links go on. Gives the new number."""

    def end_session(self, session: str, *, now: datetime, until: datetime) -> None:
        """End one session alone; that it has ended is kept until then."""

    def sign_in(self, person: str, session: str) -> SignIn:
        """What is known of a session, in one query. Raises Missing when nobody has that id."""

    def use_link(self, link: str, request: str, *, now: datetime, until: datetime) -> bool:
        """Use up a link: True for the first request ever, and for that request again; it is kept until `until`."""

    def is_used(self, link: str) -> bool: ...

    def try_again(self, what: str, *, most: int, within: timedelta, now: datetime) -> float:
        """Count a try: 0 when it is one of the first `most` within a span, else the seconds until the next one."""

    # -- feeds and posts
    def feeds(self) -> list[Feed]:
        """One for every (person, address of the roster), with what the last pulls left."""

    def keep_pull(self, feed: Feed, entries: Sequence[Entry], *, seen: datetime) -> Kept:
        """Keep a feed's state and its entries: new posts, new revisions of known ones (by guid, else link).

        Without entries only the state changes. A post that two feeds show belongs to the first; the other adds tags.
        """

    def keep_pulls(self, found: Sequence[tuple[Feed, Sequence[Entry]]], *, seen: datetime) -> list[Kept]:
        """The same for several feeds in one step, all or none; what each changed stands in their order."""

    def keep_states(self, feeds: Sequence[Feed]) -> None:
        """Keep the states of feeds that showed nothing new, in one step. Raises Missing when a `person` is unknown."""

    def add_feed(self, person: str, url: str) -> bool:
        """Add a feed to what the roster says, also after later imports; False when it is there. Raises Missing."""

    def remove_feed(self, person: str, url: str) -> bool:
        """Take a feed away, also for later imports of the roster; its posts stay. False when there is none."""

    def ask_now(self, person: str, now: datetime) -> None:
        """Their feeds are due at once, but those that are gone for good or whose site asked for a pause."""

    def picture_sources(self, addresses: Sequence[str]) -> dict[str, Source]:
        """What is known of addresses of pictures; those that were never asked for are left out."""

    def keep_picture(self, address: str, picture: Picture | None, *, tries: int, at: datetime) -> Copied | None:
        """Keep a copy of what stands at an address (without a body: a dot), or None for one that could not be had.

        Gives where it is; the same picture has one name, wherever it came from.
        """

    def picture(self, name: str) -> Picture:
        """Raises Missing."""

    def shown_by(self, name: str) -> frozenset[str]:
        """The people in whose posts a picture stands, or stood."""

    def tidy_pictures(self, now: datetime) -> int:
        """Take away copies that no post shows and that did not come just now; gives how many."""

    def keep_private(self, person: str, entry: Entry, *, seen: datetime) -> str:
        """Keep a post that was given to the course alone (`feed` is empty): new, or a new revision by its guid."""

    def post_counts(self) -> dict[tuple[str, str], int]:
        """How many posts that are not gone each (person, feed) shows; those without any are left out."""

    def posts(self, person: str | None = None) -> list[Post]:
        """Posts with their revisions, newest published first, those without a date last."""

    # -- words to hide: what masked copies leave out beside a person's names
    def hidden_words(self, person: str | None = None) -> list[HiddenWord]:
        """Oldest first."""

    def hide_words(self, person: str, words: Sequence[str], *, at: datetime) -> None:
        """These are all of this person's words from now on; those that were there before keep their time."""

    # -- submissions and turns
    def open_submission(
        self, person: str, assignment: str, rubric: str, revisions: Sequence[Frozen], said: Said, *, request: str = ""
    ) -> Dialogue:
        """Make the submission (new id, new pseudonym, the course's mode of reviews) with its first turn.

        The same `request` again gives what the first one made. Raises Conflict when the person already has a
        submission for the assignment.
        """

    def submissions(self, assignment: str | None = None) -> list[Submission]: ...

    def say(self, submission: str, said: Sequence[Said], *, after: int, request: str = "") -> Dialogue:
        """Append turns, all or none. `after` is how many turns the writer had seen.

        The same `request` again has no second effect. Raises Conflict when somebody else appended since, Missing
        when there is no such submission.
        """

    def has_request(self, submission: str, request: str) -> bool:
        """Whether turns of this request are there already: then sending it again has nothing to do."""

    def say_all(self, turns: Sequence[tuple[str, int, Said]]) -> None:
        """Append one turn to each of several dialogues (submission, after, said), all or none. Raises Conflict."""

    def dialogue(self, submission: str) -> Dialogue:
        """Raises Missing."""

    def dialogues(self, assignment: str | None = None) -> list[Dialogue]:
        """All of them with few queries, in an order that is stable."""

    def bare_turns(self, submission: str) -> list[tuple[Turn, dict[str, Any]]]:
        """Turns with their bodies as stored (digests in place of words), for chain.first_broken."""

    def sealed(self) -> tuple[list[Dialogue], dict[str, Seal]]:
        """All dialogues, and by the id of its turn what a stranger needs to verify them, from one moment."""

    def erase_text(self, digest: str) -> None:
        """Erase one person's words by right; the digest stays in the turn."""

    # -- allocations
    def keep_allocations(
        self,
        assignment: str,
        pairs: Sequence[tuple[str, str]],
        *,
        seed: int,
        after: int | None = None,
        instead_of: str = "",
        at: datetime | None = None,
    ) -> list[Allocation]:
        """Keep (submission, reviewer) pairs, each with a fresh id and pseudonym; a pair that is there already stays.

        `seed` is kept for the audit. Gives the allocations of all these pairs, in the order of `allocations`. With
        `after`, how many allocations of the assignment the pairs were planned around (released ones too), it raises
        Conflict when there are others by now. `instead_of`: an allocation that is released in the same step, `at`.
        """

    def allocations(
        self, assignment: str | None = None, reviewer: str | None = None, *, released: bool = False
    ) -> list[Allocation]:
        """In an order that is random but stays the same; with `released` also those that were passed on."""

    def open_allocation(self, id: str, at: datetime) -> Allocation:
        """Note when its reviewer first opened it; later calls change nothing. Raises Missing."""

    # -- whether something has changed, whoever changed it: another thread, process or machine
    def pulse(self) -> str:
        """Another word after every change; so cheap that it can be asked every second. It may change for nothing."""

    def marks(self) -> Marks:
        """What exactly has changed, in a handful of small queries."""

    # -- drafts: what people are typing
    def keep_draft(self, draft: Draft, *, after: int = 0) -> Draft:
        """Keep it if its writer had the revision that is kept (`after`; 0: nothing). Sent again it is kept once.

        Gives `draft` when it is kept, else the one that stands in its way. Raises Invalid when its person has more
        drafts than can be kept.
        """

    def draft(self, person: str, form: str) -> Draft | None: ...
    def drop_draft(self, person: str, form: str, *, at: datetime) -> None:
        """The form was sent or cleared: take its words away; a save that comes late finds it `done`."""

    # -- outbox: acts that can still be taken back
    def put(self, waiting: Waiting) -> None:
        """The same id again has no second effect."""

    def take_due(self, now: datetime) -> list[Waiting]:
        """Those whose time has come, oldest first; they stay until `done` so that a crash loses nothing."""

    def waiting(self, person: str) -> list[Waiting]:
        """A person's, also those that were refused and that they have not put away yet."""

    def begin(self, id: str) -> bool:
        """From now on it cannot be taken back: it is being done. False when it is gone. Again after a crash."""

    def refuse(self, id: str, why: str) -> None:
        """It could not be done; it stays with the sentence for its person until they take it out."""

    def take_back(self, person: str, id: str) -> bool:
        """Take out one of this person's own that has not begun, or was refused; False when there is none."""

    def done(self, id: str) -> bool:
        """Take it out; False when it was gone already."""

    # -- leases: what only one of many processes does
    def hold(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Take a lease that is free or has ended, or renew one's own; whether it is the holder's `until` then."""

    def let_go(self, name: str, holder: str) -> None:
        """Give one's own lease back, so that another need not wait for its end."""

    # -- letters: mail that is to be sent, at least once over a crash
    def wants_reminders(self, person: str) -> bool:
        """Raises Missing."""

    def set_reminders(self, person: str, *, wanted: bool) -> None:
        """Raises Missing."""

    def put_letter(self, letter: Letter) -> None:
        """The same id again has no second effect, not even after a letter to a person was sent."""

    def letters(self, kinds: Collection[str]) -> list[Letter]:
        """The first hundred of these kinds that are not done, those first whose time comes first."""

    def take_letter(self, letter: Letter, *, until: datetime) -> bool:
        """It is the caller's to send, until then. False when somebody else has taken it."""

    def put_off_letter(self, id: str, *, until: datetime) -> None:
        """It could not be sent: not before then again."""

    def end_letter(self, id: str) -> None:
        """It was sent, or never will be."""

    # -- the sheet's inbox: what was last read from a row's input cells, and what it was answered
    def sheet_answers(self) -> dict[str, tuple[str, str]]:
        """submission -> (digest of the typed input, answer shown in the row)."""

    def keep_sheet_answer(self, submission: str, typed: str, answer: str) -> None: ...


def open_store(url: str) -> Store:
    """Open (and where needed create or migrate) the database at an SQLAlchemy URL. Raises StoreError."""
    from reviewkit.store.sql import SqlStore

    return SqlStore.open(url)
