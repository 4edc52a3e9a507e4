"""The course as its people see it: every question, and what each of them may be told. Changes nothing.

Whoever asks is a `Person`. What somebody may not see is left out here (see visibility.py), so that no page, no sheet
and no export can give it away.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from reviewkit import dialogue as rules
from reviewkit import overview, showing, visibility
from reviewkit.copies import Copies, Copy, at_a_glance
from reviewkit.errors import Missing, NotAllowed
from reviewkit.model import (
    Allocation,
    Assignment,
    Dialogue,
    Draft,
    Mode,
    Person,
    Post,
    Review,
    Rubric,
    Stage,
    Submission,
)
from reviewkit.overview import Line
from reviewkit.pictures import Picture
from reviewkit.slots import Slots, slots_of
from reviewkit.store.glance import worked_out
from reviewkit.visibility import SeenTurn

__all__ = ["Copy", "Duty", "Reading", "SeenDialogue", "SeenTurn", "at_a_glance"]

PASSES = 2
"""Submissions of one round that a reviewer may pass on because they think they know the author."""


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
    posts: tuple[Copy, ...]
    waiting_on: str
    """For whom it waits, in words for this viewer: "You", a name, "One late reviewer", or empty."""
    hint: str
    mode: Mode
    """Who is hidden from whom in its reviews."""


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
    needless: bool
    """Its author or its writer is out of the count: this review is not asked for any more."""
    mode: Mode
    """Who is hidden from whom in it, whatever the course has for later submissions."""
    passes: int
    """How often its reviewer may still pass on a submission of this round, this one among them; 0: not this one."""


class Reading(Copies):
    """The reading half of a course."""

    def assignment(self, id: str, who: Person | None = None) -> Assignment:
        """An assignment; with `who`, as it is dated for them."""
        setup = self.setup
        found = setup.assignment(id)
        if found is None:
            raise Missing(f"There is no assignment called {id}.")
        return setup.own(found, who.id) if who else found

    def rubric(self, digest: str) -> Rubric:
        for each in self.store.rubrics():
            if each.digest == digest:
                return each
        raise Missing("This version of the rubric is not in the store.")

    def rubric_in_use(self, assignment: Assignment) -> Rubric:
        versions = [each for each in self.store.rubrics() if each.name == assignment.rubric]
        if not versions:
            raise Missing(f"There is no rubric called {assignment.rubric}.")
        return versions[-1]

    def posts(self, who: Person) -> list[Post]:
        """Everything pulled from this person's sites, newest first."""
        return self.store.posts(who.id)

    def candidates(self, who: Person, assignment: Assignment, *, late: bool = False) -> list[Post]:
        """The posts that can be frozen: with the assignment's tag, published inside its dates (or `late`, for an
        instructor to freeze); newest first."""
        from reviewkit.feeds.tags import fold

        setup = self.setup
        wanted = fold(setup.tag_of(assignment))
        return [
            post
            for post in self.store.posts(who.id)
            if (post.given_for in ("", assignment.id))
            and post.gone is None
            and any(tag.tag == wanted or tag.found == "feed" for tag in post.tags)
            and _inside(post.published, setup.starts, None if late else setup.own(assignment, who.id).freeze_by)
        ]

    def submission_of(self, who: Person, assignment: Assignment) -> Submission | None:
        return next((each for each in self.store.submissions(assignment.id) if each.person == who.id), None)

    @at_a_glance
    def dialogue(self, submission: str, viewer: Person) -> SeenDialogue:
        """A dialogue as its author or the staff see it (reviewers have `duty`). Raises Missing for everybody else."""
        dialogue = self.store.dialogue(submission)
        capacity = self._capacity(viewer, dialogue.submission)
        if capacity not in ("author", "instructor", "assistant"):
            raise Missing("There is no such submission for you.")
        owed = self._owed(dialogue)
        waiting_on, hint = overview.waits(dialogue, owed=owed, setup=self.setup, now=self.clock())
        if capacity == "author" and owed and rules.stage(dialogue.turns) in rules.BLIND and not _acts(waiting_on):
            waiting_on, hint = "Its reviewers", "In review"  # how many have written would tell when one of them did
        return SeenDialogue(
            submission=submission,
            author=self.person(dialogue.submission.person).name,
            assignment=self.assignment(dialogue.submission.assignment, self.person(dialogue.submission.person)),
            stage=rules.stage(dialogue.turns),
            rubric=self.rubric(dialogue.submission.rubric),
            turns=self._visible(dialogue, viewer, capacity),
            posts=self._copies(dialogue.submission, masked=False),
            waiting_on=self._whom(waiting_on, dialogue, viewer),
            hint=hint,
            mode=dialogue.submission.mode,
        )

    @at_a_glance
    def duties(self, who: Person) -> list[Duty]:
        """The reviews this person owes or gave, in a random order that stays the same."""
        return [self._duty(who, each) for each in self.store.allocations(reviewer=who.id)]

    @at_a_glance
    def duty(self, who: Person, id: str) -> Duty:
        """One duty; reading it notes that it was opened. Raises Missing when it is not this person's."""
        allocation = self._allocation(who, id)
        duty = self._duty(who, allocation)
        if not duty.locked and allocation.opened is None:
            self.store.open_allocation(id, self.clock())
        return duty

    @at_a_glance
    def picture(self, who: Person, name: str) -> Picture:
        """A picture of a post that this person may read now. Raises Missing."""
        return showing.picture(self.store, who, name, reads=lambda each: self._reads(who, each))

    @at_a_glance
    def class_table(self, viewer: Person, assignment: Assignment) -> list[Line]:
        """A line for every student of the round whom this viewer has to do with. Raises NotAllowed for everybody but
        the staff."""
        if viewer.role not in ("instructor", "assistant"):
            raise NotAllowed("Only the course's instructors see the class table.")
        setup = self.setup
        rubrics = {each.digest: each for each in self.store.rubrics()}
        dialogues = {each.submission.person: each for each in self.store.dialogues(assignment.id)}
        owed = self._counts(assignment.id)
        duties = self.store.allocations(assignment.id, viewer.id)
        posts = {(post.id): post for post in self.store.posts()}
        lines = list[Line]()
        for person in self.store.people():
            if person.role != "student" or (person.withdrawn and person.id not in dialogues):
                continue
            if not visibility.in_care(viewer, person):
                continue
            dialogue = dialogues.get(person.id)
            if dialogue is None:
                lines.append(overview.before_freeze(person, bool(self.candidates(person, assignment)), assignment))
                continue
            if visibility.capacity(viewer, dialogue.submission, duties, author=person) == "peer":
                lines.append(overview.bare(person, dialogue))
                continue
            line = overview.line(
                person,
                dialogue,
                rubric=rubrics[dialogue.submission.rubric],
                setup=setup,
                owed=owed.get(dialogue.submission.id, 0),
                title=_title(dialogue.submission, posts),
                now=self.clock(),
            )
            flags = line.flags if viewer.role == "instructor" else ()
            lines.append(replace(line, waiting_on=self._whom(line.waiting_on, dialogue, viewer), flags=flags))
        return lines

    @at_a_glance
    def waiting(self, who: Person) -> dict[str, int]:
        """How many things wait for this person, by screen: {"my-work": 1, "reviews": 2} or {"sign-off": 7}."""
        if who.role == "instructor":
            setup = self.setup
            lines = [
                overview.waits(each, owed=owed.get(each.submission.id, 0), setup=setup, now=self.clock())[0]
                for assignment in setup.assignments
                for owed in [self._counts(assignment.id)]
                for each in self.store.dialogues(assignment.id)
            ]
            return {"sign-off": lines.count("instructor")}
        mine = [each for each in self.store.submissions() if each.person == who.id]
        turns_due = sum(
            overview.waits(each, owed=self._owed(each), setup=self.setup, now=self.clock())[0] == "author"
            for each in map(self.store.dialogue, (submission.id for submission in mine))
        )
        started = {each.assignment for each in mine}
        now = self.clock()
        unfrozen = sum(
            1
            for each in self.setup.assignments
            for own in [self.setup.own(each, who.id)]
            if each.id not in started and (own.freeze_by is None or now < own.freeze_by) and self.candidates(who, each)
        )
        owing = sum(
            1
            for each in self.store.allocations(reviewer=who.id)
            if not self._given(each)
            and rules.reveal(self.store.dialogue(each.submission).turns) is None
            and not self._is_needless(who, each)
        )
        return {"my-work": turns_due + unfrozen, "reviews": owing}

    def draft(self, who: Person, form: str, *, done: bool = False) -> Draft | None:
        """What somebody was typing into a form, as last kept; with `done` also what is left of one that was sent."""
        draft = self.store.draft(who.id, form)
        return None if draft is None or (draft.done and not done) else draft

    @at_a_glance
    def names_sent(
        self,
        who: Person,
        text: str,
        *,
        submission: str = "",
        duty: str = "",
        answer: bool = False,
        review: bool = False,
    ) -> tuple[str, ...]:
        """The words of a text about a submission (or of a review, by the id of its duty) that name somebody whom its
        readers need not know: a student of the class, and its writer where they are hidden.

        `answer`: it goes to a reviewer. `review`: it is the instructor's own review, which peers read too. Raises
        Missing.
        """
        if duty:
            submission = self._allocation(who, duty).submission
        about = self.store.dialogue(submission).submission
        if about.mode == "open":
            return ()
        author, blind = about.person, about.mode == "double-blind"
        to_author_alone = who.role == "instructor" and who.id != author and not duty and not review
        known = {author} if to_author_alone or not blind else set()
        return self.names_in(who, text, known=known, own=bool(duty) or (answer and blind))

    # -- how it is done ----------------------------------------------------------------------------------------------

    def _capacity(self, who: Person, submission: Submission) -> visibility.Capacity:
        duties = self.store.allocations(submission.assignment, who.id)
        return visibility.capacity(who, submission, duties, author=self.person(submission.person))

    def _reads(self, who: Person, submission: Submission) -> bool:
        """Whether somebody may read what is frozen in it, now; a reviewer once their own self-evaluation is in."""
        capacity = self._capacity(who, submission)
        if capacity == "peer":
            return not self._unevaluated(who, self.assignment(submission.assignment))
        return capacity != "nobody"

    def _visible(self, dialogue: Dialogue, viewer: Person, capacity: visibility.Capacity) -> tuple[SeenTurn, ...]:
        return visibility.seen(
            dialogue,
            viewer,
            capacity,
            people={person.id: person for person in self.store.people()},
            mode=dialogue.submission.mode,
            veil=self._veiled,
        )

    def _allocation(self, who: Person, id: str) -> Allocation:
        for each in self.store.allocations(reviewer=who.id):
            if each.id == id:
                return each
        raise Missing("There is no such review for you to give.")

    def _duty(self, who: Person, allocation: Allocation) -> Duty:
        dialogue = self.store.dialogue(allocation.submission)
        assignment = self.assignment(allocation.assignment, who)
        blind = dialogue.submission.mode == "double-blind"
        locked = self._locked(who, allocation)
        turns = self._visible(dialogue, who, "peer")
        mine = [turn for turn in turns if turn.mine]
        author = dialogue.submission.pseudonym if blind else self.person(dialogue.submission.person).name
        return Duty(
            id=allocation.id,
            author=author,
            pseudonym=allocation.pseudonym,
            assignment=assignment,
            rubric=self.rubric(dialogue.submission.rubric),
            posts=() if locked else self._copies(dialogue.submission, masked=blind, opened=allocation.opened),
            due=assignment.review_by,
            locked=locked,
            mine=mine[-1] if mine else None,
            others=tuple(turn for turn in turns if not turn.mine),
            closed=rules.reveal(dialogue.turns) is not None,
            needless=self._is_needless(who, allocation),
            mode=dialogue.submission.mode,
            passes=0 if self._kept(who, allocation) else PASSES - self._passed(who, allocation.assignment),
        )

    def _locked(self, who: Person, allocation: Allocation) -> str:
        """Why a review that is owed cannot be opened yet."""
        if self._unevaluated(who, self.assignment(allocation.assignment)):
            return "Send your own self-evaluation first, then you can read this submission."
        return ""

    def _unevaluated(self, who: Person, assignment: Assignment) -> bool:
        """Nobody opens a review they owe before their own self-evaluation of the round is in; a setting lifts it."""
        own = self.submission_of(who, assignment) if self.setup.reviews.own_first else None
        return own is not None and rules.self_evaluation(self.store.dialogue(own.id).turns) is None

    def _kept(self, who: Person, allocation: Allocation) -> str:
        """Why somebody who thinks they know the author cannot pass a submission on, as a sentence; empty: they can."""
        dialogue = self.store.dialogue(allocation.submission)
        if dialogue.submission.mode != "double-blind":
            return "In this course you see who wrote a submission, so there is nothing to guess."
        if locked := self._locked(who, allocation):
            return locked
        if self._given(allocation):
            return "You have sent this review already, so it stays yours."
        if rules.reveal(dialogue.turns) is not None or self._is_needless(who, allocation):
            return "It is too late to pass this submission on."
        if self._passed(who, allocation.assignment) >= PASSES:
            return (
                f"You have passed on {PASSES} submissions of this round already, and more is not possible. If you "
                "would rather not review this one, talk to your instructor."
            )
        return ""

    def _passed(self, who: Person, assignment: str) -> int:
        """How many submissions of a round this person has passed on."""
        mine = self.store.allocations(assignment, who.id, released=True)
        return sum(each.released is not None for each in mine)

    def _is_needless(self, who: Person, allocation: Allocation) -> bool:
        """Whether nobody asks for this review any more: its author or its writer is out of the count."""
        return self._is_out(self.store.dialogue(allocation.submission)) or self._gone(who.id, allocation.assignment)

    def _is_out(self, dialogue: Dialogue) -> bool:
        """Whether its author has left, or is out of the count: it needs no review, and its author owes none."""
        return rules.stage(dialogue.turns) in rules.OUT or self.person(dialogue.submission.person).withdrawn

    def _given(self, allocation: Allocation) -> bool:
        turns = self.store.dialogue(allocation.submission).turns
        return any(isinstance(turn.what, Review) and turn.what.allocation == allocation.id for turn in turns)

    def slots(self, assignment: str) -> Slots:
        """How far the reviews of a round are."""
        return self._slots(assignment)

    def _slots(self, assignment: str) -> Slots:
        return worked_out(
            self.store,
            ("slots", assignment),
            lambda: slots_of(
                self.store.dialogues(assignment),
                self.store.allocations(assignment, released=True),
                self.store.people(),
            ),
        )

    def _counts(self, assignment: str) -> dict[str, int]:
        """How many reviews of each submission are given or owed."""
        return self._slots(assignment).owed()

    def _owed(self, dialogue: Dialogue) -> int:
        """The same for one submission, without a look at the whole round."""
        about = dialogue.submission
        given = {turn.what.allocation for turn in dialogue.turns if isinstance(turn.what, Review)}
        theirs = [each for each in self.store.allocations(about.assignment) if each.submission == about.id]
        if self._is_out(dialogue):
            return sum(each.id in given for each in theirs)
        return sum(each.id in given or not self._gone(each.reviewer, about.assignment) for each in theirs)

    def _gone(self, person: str, assignment: str) -> bool:
        """Whether somebody owes no review of this round any more."""
        who = self.person(person)
        own = self.submission_of(who, self.assignment(assignment))
        return who.withdrawn or (own is not None and self._is_out(self.store.dialogue(own.id)))

    def _whom(self, waits: str, dialogue: Dialogue, viewer: Person) -> str:
        """ "author" and "instructor" as this viewer would say it."""
        if waits == "author":
            author = self.person(dialogue.submission.person)
            return "You" if author.id == viewer.id else author.name
        if waits == "instructor":
            return "You" if viewer.role == "instructor" and viewer.id != dialogue.submission.person else "Instructor"
        return waits


def _acts(waiting_on: str) -> bool:
    """Whether it waits for its author or the instructor."""
    return waiting_on in ("author", "instructor")


def _inside(published: datetime | None, starts: datetime | None, ends: datetime | None) -> bool:
    """A post without a date is inside: its author still chooses it, or the instructor sees it."""
    if published is None:
        return True
    return (starts is None or starts <= published) and (ends is None or published <= ends)


def _title(submission: Submission, posts: dict[str, Post]) -> str:
    titles = list[str]()
    for frozen in submission.revisions:
        revision = posts[frozen.post].revision(frozen.digest)
        titles.append(revision.headline if revision else posts[frozen.post].headline)
    return titles[0] if len(titles) == 1 else f"{titles[0]} and {len(titles) - 1} more"
