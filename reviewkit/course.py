"""Course: the only door for screens and commands.

What people see of it is in `reading`, what dates do in `rounds`, what people say in `verbs`; here are its edges:
drafts, pulling, the sheet, frames.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from reviewkit import dialogue as rules
from reviewkit import exchange, grades
from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed, ReviewkitError, StoreError
from reviewkit.listing import key
from reviewkit.model import (
    Accept,
    Discuss,
    Draft,
    Feed,
    Person,
    Proposal,
)
from reviewkit.overview import Line
from reviewkit.reading import Copy, Duty, SeenDialogue, at_a_glance
from reviewkit.resting import Resting
from reviewkit.rounds import Plan
from reviewkit.showing import Album
from reviewkit.sites import Lookups, Sites
from reviewkit.store import Store
from reviewkit.visibility import SeenTurn

if TYPE_CHECKING:
    from pandas import DataFrame

    from reviewkit.feeds import Pulled
    from reviewkit.sheet import Book, Projection, Report, Typed

STAFF_DRAFT = "staff"
"""The first word of the name of an assistant's draft for an instructor; the submission's id follows."""
CYCLES = 3
"""How often a sync begins anew when people keep saving the sheet under it."""

__all__ = ["STAFF_DRAFT", "Copy", "Course", "Duty", "Line", "Plan", "SeenDialogue", "SeenTurn"]


class Course(Resting, Sites):
    """The course behind one store: what `Reading` tells, and the verbs that change it."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        book: "Book | None" = None,
        acts_as: str = "",
        allow_private: bool = False,
        contact: str = "",
    ) -> None:
        super().__init__(store, clock=clock)
        self.book, self.acts_as, self.allow_private, self.contact = book, acts_as, allow_private, contact
        self.lookups = Lookups()
        self.calendar_path: Callable[[Person], str] = lambda _: ""
        """Where somebody has their own dates as a calendar; empty where no pages are served."""

    # -- drafts ------------------------------------------------------------------------------------------------------

    def keep_draft(self, who: Person, form: str, revision: int, content: dict[str, object], *, after: int = 0) -> Draft:
        """Keep what somebody is typing if they had the revision that is kept; gives what stands there otherwise."""
        draft = Draft(person=who.id, form=form, revision=revision, content=content, saved=self.clock())
        return self.store.keep_draft(draft, after=after)

    def drop_draft(self, who: Person, form: str) -> None:
        """The form was sent or cleared; a save that comes late does not bring it back."""
        self.store.drop_draft(who.id, form, at=self.clock())

    def suggested(self, who: Person, submission: str) -> list[tuple[Person, Draft]]:
        """What assistants have drafted for an instructor to send here, each after the newest word of the staff.

        Raises Missing for those who do not meet the submission as its instructor.
        """
        dialogue = self.store.dialogue(submission)
        if self._capacity(who, dialogue.submission) != "instructor":
            raise Missing("There is no such submission for you.")
        people = self.store.people()
        staff = {person.id for person in people if person.role == "instructor"}
        said = max((turn.at for turn in dialogue.turns if turn.by in staff), default=None)
        drafts = [
            (person, self.draft(person, f"{STAFF_DRAFT}:{submission}"))
            for person in people
            if person.role == "assistant" and not person.withdrawn
        ]
        return [(person, draft) for person, draft in drafts if draft and (said is None or draft.saved >= said)]

    # -- collecting --------------------------------------------------------------------------------------------------

    def pull(
        self,
        *,
        due: bool = False,
        person: str | None = None,
        progress: "Callable[[Pulled], None] | None" = None,
    ) -> "list[Pulled]":
        """Fetch everybody's feeds once; posts that carry a tag of the course are kept.

        With `due` those alone whose time has come (the clock's way). Else somebody asks by hand: feeds that are gone
        for good and those whose site asked for a pause are not asked, and reported as left. With `person` their feeds
        only, also those that are gone: whoever asks for one person wants to know.
        """
        from reviewkit import feeds
        from reviewkit.feeds import schedule
        from reviewkit.feeds.running import run
        from reviewkit.feeds.tags import fold

        setup = self.setup
        tags = frozenset(fold(tag) for tag in (setup.tag, *(each.tag for each in setup.assignments)) if tag)
        people = {person.id: person for person in self.store.people() if not person.withdrawn}
        now = self.clock()
        theirs = [each for each in self.store.feeds() if each.person in people and person in (None, each.person)]
        if due:
            asked, left = [each for each in theirs if schedule.is_due(each, now)], []
        else:
            told = [(each, schedule.left_alone(each, now, wanted=person is not None)) for each in theirs]
            asked = [each for each, why in told if not why]
            left = [feeds.left(each, why) for each, why in told if why]
        if progress:
            for each in left:
                progress(each)
        if not asked:
            return left
        pulling = feeds.pull(
            asked,
            dict.fromkeys(people, tags),
            lambda feed, entries: self.store.keep_pull(feed, entries, seen=self.clock()),
            now=self.clock,
            allow_private=self.allow_private,
            agent=feeds.agent(setup.title, self.contact),
            progress=progress,
            since=setup.starts,
            album=Album(self.store, self.clock),
            pages=self._pages,
            keep_states=self.store.keep_states,
            keep_all=lambda found: self.store.keep_pulls(found, seen=self.clock()),
        )
        pulled = run(pulling)
        self.store.tidy_pictures(self.clock())
        return [*pulled, *left]

    def _pages(self, feed: Feed) -> dict[str, str]:
        """The pages of this feed's posts, by the keys of their guids."""
        there = (
            post for post in self.store.posts(feed.person) if post.feed == feed.url and not post.gone and post.link
        )
        return {key(post.guid): post.link for post in there}

    # -- the sheet ---------------------------------------------------------------------------------------------------

    def sync(self) -> "Report | None":
        """Bring the workbook into step: read what was typed, try it as turns, write what differs."""
        if self.book is None:
            return None
        from reviewkit.sheet import SheetChanged

        for _ in range(CYCLES - 1):
            # Somebody saved the sheet meanwhile: nothing was written, and the whole cycle sees what they wrote.
            with suppress(SheetChanged):
                return self.book.cycle(self._answer_typed)
        return self.book.cycle(self._answer_typed)

    @at_a_glance
    def projection(self) -> "Projection":
        """The course as the instructor workbook shows it."""
        from reviewkit.sheet.projection import project

        answers = self.store.sheet_answers()
        return project(
            setup=self.setup,
            people=self.store.people(),
            rubrics=self.store.rubrics(),
            dialogues=self.store.dialogues(),
            allocations=self.store.allocations(),
            posts=self.store.posts(),
            answers={submission: answer for submission, (_, answer) in answers.items()},
            now=self.clock(),
        )

    def _answer_typed(self, typed: "list[Typed]") -> "Projection":
        """Try what was typed into the sheet as turns, once each, and give the course as the sheet shall show it."""
        answers, there = self.store.sheet_answers(), {each.id for each in self.store.submissions()}
        for each in typed:
            if each.submission not in there:
                continue  # a row that somebody made: the book says that it is nobody's
            digest = each.digest if each.decision else ""
            known = answers.get(each.submission, ("", ""))[0]
            if known != digest:
                said = self._try_typed(each, self._begin_typed(each, known)) if digest else ""
                answers[each.submission] = (digest, said)
                self.store.keep_sheet_answer(each.submission, *answers[each.submission])
        return self.projection()

    def _begin_typed(self, typed: "Typed", known: str) -> str:
        """The request under which a decision is tried. It is kept before: whoever was killed between the turn and its
        answer tries the same request again, which has no second effect."""
        if known.endswith(f":{typed.digest}"):
            return known
        request = f"sheet:{len(self.store.dialogue(typed.submission).turns)}:{typed.digest}"
        self.store.keep_sheet_answer(typed.submission, request, "")
        return request

    def _try_typed(self, typed: "Typed", request: str) -> str:
        """One decision from the sheet, through the same door as on a page; gives the answer for its row."""
        try:
            who = self._acts_as()
            if typed.decision == "accept":
                return self._accept_typed(who, typed, request)
            if typed.decision == "discuss":
                counter = Proposal(grade=typed.grade) if typed.grade else None
                said = Discuss(text=typed.comment, counter=counter)
                self.discuss(who, typed.submission, said, seen=None, request=request, via="sheet")
                return "Sent to the author."
            return "Not taken: the decision must be accept or discuss."
        except StoreError:
            raise  # nobody's refusal: the next sync tries the same request again
        except ReviewkitError as refused:
            return f"Not taken: {refused} To try it again later, clear the decision and type it anew."

    def _accept_typed(self, who: Person, typed: "Typed", request: str) -> str:
        """An accept acts beside what the row showed: the proposal that stands, or that it is closed and wants its
        signature alone. A signature has no words: then the comment stays in its cell, and the answer says so."""
        turns = self.store.dialogue(typed.submission).turns
        closed, outcome = rules.stage(turns) in ("agreed", "decided"), rules.outcome(turns)
        grade = outcome.grade if outcome else ""
        if closed and typed.stage not in rules.CLOSED:
            raise Conflict(
                f"This was closed{f' at {grade}' if grade else ''} since the sheet showed it. Look at it first."
            )
        if closed and typed.grade and grades.parse_grade(typed.grade, self.setup.scale) != grade:
            raise Invalid(f"This is closed at {grade} already, not at {typed.grade}.", field="grade")
        turn = Accept() if closed else Accept(grade=typed.grade or typed.shown, text=typed.comment)
        self.accept(who, typed.submission, turn, seen=None, request=request, via="sheet")
        unsent = closed and typed.comment
        return f"Accepted and signed.{' The comment was not sent: it was agreed already.' if unsent else ''}"

    def _acts_as(self) -> Person:
        """The instructor for whom typed decisions count (`[sheet] acts_as`: an id or an e-mail address)."""
        for person in self.store.people():
            named = self.acts_as and self.acts_as in (person.id, person.email)
            if named and person.role == "instructor" and not person.withdrawn:
                return person
        raise NotAllowed("Name the instructor whose decisions count here in [sheet] acts_as of the course file.")

    # -- for people who analyse --------------------------------------------------------------------------------------

    def frames(self) -> "dict[str, DataFrame]":
        """The course as pandas frames for an instructor in JupyterLab: posts, submissions, allocations, turns, grades.

        They name everybody, and have the columns of `reviewkit export`; times are aware and in UTC.
        """
        import pandas

        dialogues, seals = self.store.sealed()
        rows = {
            "posts": exchange.posts(self.store.posts()),
            "submissions": exchange.submissions(dialogues),
            "allocations": exchange.allocations(self.store.allocations(released=True), dialogues, self.store.people()),
            "turns": exchange.turns(dialogues, seals),
            "grades": exchange.grades(dialogues, self.setup),
        }
        frames = {name: pandas.DataFrame.from_records(list(each)) for name, each in rows.items()}
        for name, column in (("posts", "published"), ("turns", "at"), ("grades", "at")):
            if column in frames[name]:
                frames[name][column] = pandas.to_datetime(frames[name][column], utc=True, format="ISO8601")
        return frames
