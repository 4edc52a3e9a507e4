"""The store in SQL: every method is one transaction on SQLite or PostgreSQL (what each does: `reviewkit.store`)."""

import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

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
from reviewkit.store import (
    CourseParts,
    Kept,
    Letter,
    Marks,
    SignIn,
    allocations,
    desk,
    engine,
    hidden,
    leases,
    letters,
    pictures,
    posts,
    reading,
    roster,
    sign_ins,
)
from reviewkit.store import pulse as beating
from reviewkit.store import turns as writing
from reviewkit.store.failures import place, told
from reviewkit.store.quiet import Quiet
from reviewkit.store.shelf import Shelf

T = TypeVar("T")

ATTEMPTS = 3
"""How often a writer begins again whom another one's row was in the way of; looking again finds the words for it."""


def _close(pulse: beating.Pulse, opened: Engine) -> None:
    pulse.close()
    opened.dispose()


class SqlStore:
    """A `Store`. Threads share it; each call takes a connection of its own."""

    def __init__(self, opened: Engine) -> None:
        self._engine = opened
        self._reader = engine.reading(opened)
        self._writer = engine.writing(opened)
        self._pulse = beating.Pulse(opened)
        self._quiet = Quiet(opened)
        self.shelf = Shelf(self._quiet.beat if self._quiet.fits else self._pulse.beat)
        weakref.finalize(self, self._quiet.close).atexit = False
        weakref.finalize(self, _close, self._pulse, opened).atexit = False  # for whoever opens a course in a notebook

    @classmethod
    def open(cls, url: str) -> Self:
        """Reach the database, make or migrate its tables. Raises StoreError with what to do about it."""
        opened = engine.connect(url)
        try:
            engine.migrate(opened)
        except BaseException:
            opened.dispose()
            raise
        return cls(opened)

    def close(self) -> None:
        """Let go of all connections. A store that nobody holds any more does so by itself."""
        self._quiet.close()
        _close(self._pulse, self._engine)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise told(error, place(self._engine.url)) from error

    def _read(self, look: Callable[[Connection], T]) -> T:
        with self._telling(), self._reader.begin() as db:
            return look(db)

    def _write(self, act: Callable[[Connection], T]) -> T:
        for _ in range(ATTEMPTS - 1):
            with self._telling(), suppress(IntegrityError), self._writer.begin() as db:
                return act(db)
        with self._telling(), self._writer.begin() as db:
            return act(db)

    def _write_quietly(self, act: Callable[[Connection], T]) -> T:
        if not self._quiet.fits:
            return self._write(act)
        for _ in range(ATTEMPTS - 1):
            with self._telling(), suppress(IntegrityError):
                return self._quiet.write(act)
        with self._telling():
            return self._quiet.write(act)

    # -- the course, its people and rubrics
    def keep_course(self, setup: Setup, people: Iterable[Person], rubrics: Iterable[Rubric]) -> None:
        people, rubrics = list(people), list(rubrics)
        self._write(lambda db: roster.keep_course(db, setup, people, rubrics))

    def change_course(self, change: Callable[[Setup | None, list[Person], list[Rubric]], CourseParts | None]) -> None:
        self._write(lambda db: roster.change_course(db, change))

    def change_setup(self, change: Callable[[Setup], Setup]) -> Setup:
        return self._write(lambda db: roster.change_setup(db, change))

    def setup(self) -> Setup | None:
        return self._read(roster.setup)

    def people(self) -> list[Person]:
        return self._read(roster.everybody)

    def rubrics(self) -> list[Rubric]:
        return self._read(roster.versions)

    # -- links and sign-ins
    def link_serial(self, person: str) -> int:
        return self._read(lambda db: roster.link_serial(db, person))

    def revoke_links(self, person: str) -> int:
        return self._write(lambda db: roster.revoke_links(db, person))

    def session_serial(self, person: str) -> int:
        return self._read(lambda db: roster.session_serial(db, person))

    def end_sessions(self, person: str) -> int:
        return self._write(lambda db: roster.end_sessions(db, person))

    def end_session(self, session: str, *, now: datetime, until: datetime) -> None:
        self._write(lambda db: sign_ins.end_session(db, session, now=now, until=until))

    def sign_in(self, person: str, session: str) -> SignIn:
        return self._read(lambda db: sign_ins.sign_in(db, person, session))

    def use_link(self, link: str, request: str, *, now: datetime, until: datetime) -> bool:
        return self._write(lambda db: sign_ins.use_link(db, link, request, now=now, until=until))

    def is_used(self, link: str) -> bool:
        return self._read(lambda db: sign_ins.is_used(db, link))

    def try_again(self, what: str, *, most: int, within: timedelta, now: datetime) -> float:
        return self._write(lambda db: sign_ins.try_again(db, what, most=most, within=within, now=now))

    # -- feeds and posts
    def feeds(self) -> list[Feed]:
        return self._read(posts.feeds_of)

    def keep_pull(self, feed: Feed, entries: Sequence[Entry], *, seen: datetime) -> Kept:
        return self._write(lambda db: posts.keep_pull(db, feed, entries, seen))

    def keep_pulls(self, found: Sequence[tuple[Feed, Sequence[Entry]]], *, seen: datetime) -> list[Kept]:
        return self._write(lambda db: posts.keep_pulls(db, found, seen))

    def keep_states(self, feeds: Sequence[Feed]) -> None:
        self._write(lambda db: posts.keep_states(db, feeds))

    def add_feed(self, person: str, url: str) -> bool:
        return self._write(lambda db: posts.add_feed(db, person, url))

    def remove_feed(self, person: str, url: str) -> bool:
        return self._write(lambda db: posts.remove_feed(db, person, url))

    def ask_now(self, person: str, now: datetime) -> None:
        self._write(lambda db: posts.ask_now(db, person, now))

    def picture_sources(self, addresses: Sequence[str]) -> dict[str, Source]:
        return self._read(lambda db: pictures.sources_of(db, addresses))

    def keep_picture(self, address: str, picture: Picture | None, *, tries: int, at: datetime) -> Copied | None:
        return self._write(lambda db: pictures.keep(db, address, picture, tries, at))

    def picture(self, name: str) -> Picture:
        return self._read(lambda db: pictures.picture(db, name))

    def shown_by(self, name: str) -> frozenset[str]:
        return self._read(lambda db: pictures.whose(db, name))

    def tidy_pictures(self, now: datetime) -> int:
        return self._write(lambda db: pictures.tidy(db, now))

    def keep_private(self, person: str, entry: Entry, *, seen: datetime) -> str:
        return self._write(lambda db: posts.keep_private(db, person, entry, seen))

    def post_counts(self) -> dict[tuple[str, str], int]:
        return self._read(posts.counts_of)

    def posts(self, person: str | None = None) -> list[Post]:
        return self._read(lambda db: posts.posts_of(db, person))

    # -- words to hide
    def hidden_words(self, person: str | None = None) -> list[HiddenWord]:
        return self._read(lambda db: hidden.words_of(db, person))

    def hide_words(self, person: str, words: Sequence[str], *, at: datetime) -> None:
        self._write(lambda db: hidden.hide(db, person, words, at))

    # -- submissions and turns
    def open_submission(
        self, person: str, assignment: str, rubric: str, revisions: Sequence[Frozen], said: Said, *, request: str = ""
    ) -> Dialogue:
        return self._write(lambda db: writing.open_submission(db, person, assignment, rubric, revisions, said, request))

    def submissions(self, assignment: str | None = None) -> list[Submission]:
        return self._read(lambda db: reading.submissions_of(db, assignment))

    def say(self, submission: str, said: Sequence[Said], *, after: int, request: str = "") -> Dialogue:
        return self._write(lambda db: writing.say(db, submission, said, after, request))

    def has_request(self, submission: str, request: str) -> bool:
        return self._read(lambda db: reading.has_request(db, submission, request))

    def say_all(self, turns: Sequence[tuple[str, int, Said]]) -> None:
        self._write(lambda db: writing.say_all(db, turns))

    def dialogue(self, submission: str) -> Dialogue:
        return self._read(lambda db: reading.dialogue(db, submission))

    def dialogues(self, assignment: str | None = None) -> list[Dialogue]:
        return self._read(lambda db: reading.dialogues(db, assignment))

    def bare_turns(self, submission: str) -> list[tuple[Turn, dict[str, Any]]]:
        return self._read(lambda db: reading.bare_turns(db, submission))

    def sealed(self) -> tuple[list[Dialogue], dict[str, Seal]]:
        return self._read(reading.sealed)

    def erase_text(self, digest: str) -> None:
        self._write(lambda db: writing.erase_text(db, digest))
        engine.forget(self._engine)

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
        return self._write(lambda db: allocations.keep_allocations(db, assignment, pairs, seed, after, instead_of, at))

    def allocations(
        self, assignment: str | None = None, reviewer: str | None = None, *, released: bool = False
    ) -> list[Allocation]:
        return self._read(lambda db: allocations.allocations_of(db, assignment, reviewer, released))

    def open_allocation(self, id: str, at: datetime) -> Allocation:
        return self._write(lambda db: allocations.open_allocation(db, id, at))

    # -- whether something has changed
    def pulse(self) -> str:
        with self._telling():
            return self._pulse.beat()

    def marks(self) -> Marks:
        return self._read(beating.marks)

    # -- drafts
    def keep_draft(self, draft: Draft, *, after: int = 0) -> Draft:
        return self._write_quietly(lambda db: desk.keep_draft(db, draft, after))

    def draft(self, person: str, form: str) -> Draft | None:
        return self._read(lambda db: desk.draft_of(db, person, form))

    def drop_draft(self, person: str, form: str, *, at: datetime) -> None:
        self._write(lambda db: desk.drop_draft(db, person, form, at))

    # -- outbox
    def put(self, waiting: Waiting) -> None:
        self._write(lambda db: desk.put(db, waiting))

    def take_due(self, now: datetime) -> list[Waiting]:
        return self._read(lambda db: desk.due(db, now))

    def waiting(self, person: str) -> list[Waiting]:
        return self._read(lambda db: desk.waiting_for(db, person))

    def begin(self, id: str) -> bool:
        return self._write(lambda db: desk.begin(db, id))

    def refuse(self, id: str, why: str) -> None:
        self._write(lambda db: desk.refuse(db, id, why))

    def take_back(self, person: str, id: str) -> bool:
        return self._write(lambda db: desk.take_back(db, person, id))

    def done(self, id: str) -> bool:
        return self._write(lambda db: desk.done(db, id))

    # -- leases
    def hold(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        return self._write_quietly(lambda db: leases.hold(db, name, holder, now=now, until=until))

    def let_go(self, name: str, holder: str) -> None:
        self._write_quietly(lambda db: leases.let_go(db, name, holder))

    # -- letters
    def wants_reminders(self, person: str) -> bool:
        return self._read(lambda db: roster.wants_reminders(db, person))

    def set_reminders(self, person: str, *, wanted: bool) -> None:
        self._write(lambda db: roster.set_reminders(db, person, wanted))

    def put_letter(self, letter: Letter) -> None:
        self._write(lambda db: letters.put(db, letter))

    def letters(self, kinds: Collection[str]) -> list[Letter]:
        return self._read(lambda db: letters.waiting(db, kinds))

    def take_letter(self, letter: Letter, *, until: datetime) -> bool:
        return self._write(lambda db: letters.take(db, letter, until))

    def put_off_letter(self, id: str, *, until: datetime) -> None:
        self._write(lambda db: letters.put_off(db, id, until))

    def end_letter(self, id: str) -> None:
        self._write(lambda db: letters.end(db, id))

    # -- the sheet's inbox
    def sheet_answers(self) -> dict[str, tuple[str, str]]:
        return self._read(desk.sheet_answers_of)

    def keep_sheet_answer(self, submission: str, typed: str, answer: str) -> None:
        self._write(lambda db: desk.keep_sheet_answer(db, submission, typed, answer))
