"""Course: every verb, read aloud. The only door for screens and commands.

A verb loads what it needs, asks the rules (`dialogue`, `rubric`, `allocation`, `visibility`), and appends to the
store. Whoever speaks is a `Person`; permission is decided here, on every save, whatever a page has shown before.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from reviewkit import dialogue as rules
from reviewkit import exchange, grades, rubric
from reviewkit.allocation import allocate
from reviewkit.errors import Conflict, NotAllowed, ReviewkitError
from reviewkit.model import (
    SCHEDULE,
    Accept,
    Allocation,
    Answer,
    Assignment,
    Discuss,
    Draft,
    Freeze,
    Frozen,
    Judgement,
    Person,
    Proposal,
    Reply,
    Reveal,
    Review,
    Said,
    SelfEvaluation,
    SignOff,
    Via,
    What,
)
from reviewkit.overview import Line
from reviewkit.reading import Copy, Duty, Reading, SeenDialogue, at_a_glance
from reviewkit.store import Store
from reviewkit.visibility import SeenTurn

if TYPE_CHECKING:
    from pandas import DataFrame

    from reviewkit.feeds import Pulled
    from reviewkit.sheet import Book, Projection, Report, Typed

CYCLES = 3
"""How often a sync begins anew when people keep saving the sheet under it."""

Stated = TypeVar("Stated", SelfEvaluation, Proposal)

__all__ = ["Copy", "Course", "Duty", "Line", "Plan", "SeenDialogue", "SeenTurn"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An allocation before it is saved: the new pairs (submission, reviewer) and what had to be relaxed, in words."""

    assignment: str
    pairs: tuple[tuple[str, str], ...]
    count: int
    relaxed: tuple[str, ...]
    seed: int


class Course(Reading):
    """The course behind one store: what `Reading` tells, and the verbs that change it."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        book: "Book | None" = None,
        acts_as: str = "",
        allow_private: bool = False,
    ) -> None:
        super().__init__(store, clock=clock)
        self.book, self.acts_as, self.allow_private = book, acts_as, allow_private

    # -- drafts ------------------------------------------------------------------------------------------------------

    def keep_draft(self, who: Person, form: str, revision: int, content: dict[str, object], *, after: int = 0) -> Draft:
        """Keep what somebody is typing if they had the revision that is kept; gives what stands there otherwise."""
        draft = Draft(person=who.id, form=form, revision=revision, content=content, saved=self.clock())
        return self.store.keep_draft(draft, after=after)

    def drop_draft(self, who: Person, form: str) -> None:
        """The form was sent or cleared; a save that comes late does not bring it back."""
        self.store.drop_draft(who.id, form, at=self.clock())

    # -- collecting --------------------------------------------------------------------------------------------------

    def pull(self, *, progress: "Callable[[Pulled], None] | None" = None) -> "list[Pulled]":
        """Fetch everybody's feeds once; posts that carry a tag of the course are kept."""
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        from reviewkit import feeds
        from reviewkit.feeds.tags import fold

        setup = self.setup
        tags = frozenset(fold(tag) for tag in (setup.tag, *(each.tag for each in setup.assignments)) if tag)
        people = {person.id: person for person in self.store.people() if not person.withdrawn}
        pulling = feeds.pull(
            [feed for feed in self.store.feeds() if feed.person in people],
            dict.fromkeys(people, tags),
            lambda feed, entries: self.store.keep_pull(feed, entries, seen=self.clock()),
            now=self.clock,
            allow_private=self.allow_private,
            agent=f"reviewkit ({setup.title})",
            progress=progress,
        )
        with ThreadPoolExecutor(max_workers=1) as elsewhere:  # in JupyterLab this thread runs a loop of its own
            return elsewhere.submit(asyncio.run, pulling).result()

    # -- the author's verbs ------------------------------------------------------------------------------------------

    @at_a_glance
    def freeze(
        self, who: Person, assignment: str, posts: Sequence[str], *, request: str = "", via: Via = "page"
    ) -> str:
        """Freeze the newest revision of each post (ids); gives the submission's id."""
        asked = self.assignment(assignment)
        if who.role != "student":
            raise NotAllowed("Only students of the course can submit a post.")
        if via == "page" and asked.freeze_by is not None and self.clock() > asked.freeze_by:
            raise NotAllowed(f"The time to choose a post for {asked.title} is over; talk to your instructor.")
        known = {post.id: post for post in self.candidates(who, asked)}
        if not posts or any(id not in known for id in posts):
            raise NotAllowed(f"Choose one of your own posts that carry #{self.setup.tag_of(asked)}.")
        if len(posts) > 1 and asked.kind == "post":
            raise NotAllowed(f"{asked.title} asks for one post; choose the one that counts.")
        revisions = tuple(Frozen(post=id, digest=known[id].latest.digest) for id in dict.fromkeys(posts))
        digest = self.rubric_in_use(asked).digest
        by = SCHEDULE if via == "schedule" else who.id
        said = self._said(by, Freeze(revisions=revisions, rubric=digest), via)
        return self.store.open_submission(who.id, assignment, digest, revisions, said, request=request).submission.id

    @at_a_glance
    def self_evaluate(
        self, who: Person, submission: str, said: SelfEvaluation, *, seen: int, request: str = ""
    ) -> None:
        """The author's levels, evidence and proposed grade: Proposal 1."""
        self._as_author(who, submission, self._graded(submission, said), seen=seen, request=request)

    @at_a_glance
    def answer(self, who: Person, submission: str, said: Answer, *, seen: int, request: str = "") -> None:
        """The author's answer to one review."""
        if said.revised is not None:
            said = replace(said, revised=self._graded(submission, said.revised))
        self._as_author(who, submission, said, seen=seen, request=request)

    @at_a_glance
    def reply(self, who: Person, submission: str, said: Reply, *, seen: int, request: str = "") -> None:
        """The author's reply to the instructor."""
        if said.proposal is not None:
            said = replace(said, proposal=self._graded(submission, said.proposal))
        self._as_author(who, submission, said, seen=seen, request=request)

    @at_a_glance
    def sign(self, who: Person, submission: str, *, seen: int, request: str = "") -> None:
        """The author's signature, beside the instructor's."""
        proposal = rules.agreed(self.store.dialogue(submission).turns)
        said = SignOff(role="author", grade=proposal.grade if proposal else "")
        self._as_author(who, submission, said, seen=seen, request=request)

    # -- the reviewer's verb -----------------------------------------------------------------------------------------

    @at_a_glance
    def review(
        self,
        who: Person,
        duty: str,
        judgements: Sequence[Judgement],
        strengths: str,
        suggestions: str,
        *,
        request: str = "",
    ) -> None:
        """Send a review, or a new version of it until the reveal."""
        allocation = self._allocation(who, duty)
        locked = self._locked(who, allocation)
        if locked:
            raise NotAllowed(locked)
        dialogue = self.store.dialogue(allocation.submission)
        rubric.check(self.rubric(dialogue.submission.rubric), judgements, complete=True)
        what = Review(
            allocation=allocation.id,
            pseudonym=allocation.pseudonym,
            judgements=tuple(judgements),
            strengths=strengths,
            suggestions=suggestions,
        )
        self._append(allocation.submission, who, [what], "peer", seen=None, request=request, via="page")

    # -- the instructor's verbs --------------------------------------------------------------------------------------

    @at_a_glance
    def discuss(
        self, who: Person, submission: str, said: Discuss, *, seen: int | None, request: str = "", via: Via = "page"
    ) -> None:
        """Put a counter-proposal or a question to the author."""
        if said.counter is not None:
            said = replace(said, counter=self._graded(submission, said.counter))
        self._as_instructor(who, submission, [said], seen=seen, request=request, via=via)

    @at_a_glance
    def accept(
        self, who: Person, submission: str, said: Accept, *, seen: int | None, request: str = "", via: Via = "page"
    ) -> None:
        """Accept the proposal that stands and sign, in one step; after a reply that accepts, sign alone."""
        turns = self.store.dialogue(submission).turns
        if rules.stage(turns) == "agreed":
            proposal = rules.agreed(turns)
            last: list[What] = [SignOff(grade=proposal.grade if proposal else "")]
        else:
            said = replace(said, grade=grades.parse_grade(said.grade, self.setup.scale))
            last = [said, SignOff(grade=said.grade)]
        self._as_instructor(who, submission, last, seen=seen, request=request, via=via)

    # -- the round ---------------------------------------------------------------------------------------------------

    @at_a_glance
    def plan(self, assignment: str, *, seed: int | None = None) -> Plan:
        """Who would review whom; nothing is saved. Pairs that are there already stay and are not in it."""
        setup = self.setup
        people = {person.id: person for person in self.store.people()}
        authors = {
            each.id: each.person
            for each in self.store.submissions(self.assignment(assignment).id)
            if not people[each.person].withdrawn
        }
        existing = [(each.submission, each.reviewer) for each in self.store.allocations(assignment)]
        everything = {each.id: each.person for each in self.store.submissions()}
        past = {
            (each.reviewer, everything[each.submission])
            for each in self.store.allocations()
            if each.assignment != assignment
        }
        seed = secrets.randbits(63) if seed is None else seed
        made = allocate(
            authors,
            sorted(authors.values()),
            setup.reviews.count,
            seed=seed,
            excluded={frozenset((one.id, other)) for one in people.values() for other in one.excluded},
            past=past,
            existing=existing,
        )
        return Plan(assignment=assignment, pairs=made.pairs, count=made.count, relaxed=made.relaxed, seed=seed)

    def allocate(self, plan: Plan) -> list[Allocation]:
        """Save a plan; gives all allocations of the round."""
        return self.store.keep_allocations(plan.assignment, plan.pairs, seed=plan.seed)

    @at_a_glance
    def reveal(self, assignment: str, *, by: Person | None = None, reason: str = "") -> list[str]:
        """Reveal all submissions of the round together; gives the ids of those revealed now.

        Those with fewer than the minimum of reviews wait, unless an instructor gives a reason.
        """
        if by is not None and by.role != "instructor":
            raise NotAllowed("Only an instructor can reveal reviews.")
        setup, owed = self.setup, self._counts(assignment)
        turns = list[tuple[str, int, Said]]()
        for dialogue in self.store.dialogues(assignment):
            if rules.reveal(dialogue.turns) is not None:
                continue
            what = Reveal(
                owed=owed.get(dialogue.submission.id, 0),
                minimum=setup.reviews.minimum,
                reviews=tuple(turn.id for turn in rules.latest_reviews(dialogue.turns)),
                reason=reason,
            )
            try:
                rules.admit(dialogue.turns, what, capacity="instructor" if by else "schedule", reviews=setup.reviews)
            except NotAllowed:
                continue
            said = self._said(by.id if by else SCHEDULE, what, "page" if by else "schedule")
            turns.append((dialogue.submission.id, len(dialogue.turns), said))
        self.store.say_all(turns)
        return [submission for submission, _, _ in turns]

    def advance(self) -> list[str]:
        """Do what the dates ask for by now (freeze, allocate, reveal); one sentence for each thing done."""
        done, now = list[str](), self.clock()
        for assignment in self.setup.assignments:
            if assignment.freeze_by is not None and assignment.freeze_by <= now:
                done += self._freeze_the_rest(assignment)
            if assignment.self_by is not None and assignment.self_by <= now:
                plan = self.plan(assignment.id)
                if plan.pairs:
                    self.allocate(plan)
                    done.append(f"{assignment.title}: {len(plan.pairs)} reviews allocated.")
                    done += [f"{assignment.title}: {sentence}" for sentence in plan.relaxed]
            if assignment.review_by is not None and assignment.review_by <= now:
                revealed = self.reveal(assignment.id)
                if revealed:
                    done.append(f"{assignment.title}: the reviews of {len(revealed)} submissions are revealed.")
        return done

    def _freeze_the_rest(self, assignment: Assignment) -> list[str]:
        """At the date, the newest candidate is frozen for those who did not choose."""
        done, there = list[str](), {each.person for each in self.store.submissions(assignment.id)}
        for person in self.store.people():
            if person.role != "student" or person.withdrawn or person.id in there:
                continue
            posts = self.candidates(person, assignment)
            if posts:
                chosen = [post.id for post in posts] if assignment.kind == "participation" else [posts[0].id]
                self.freeze(person, assignment.id, chosen, via="schedule")
                done.append(f"{assignment.title}: the newest post of {person.name} is frozen.")
        return done

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
        answers = self.store.sheet_answers()
        for each in typed:
            digest = each.digest if each.decision else ""
            if answers.get(each.submission, ("", ""))[0] != digest:
                answers[each.submission] = (digest, self._try_typed(each) if digest else "")
                self.store.keep_sheet_answer(each.submission, *answers[each.submission])
        return self.projection()

    def _try_typed(self, typed: "Typed") -> str:
        """One decision from the sheet, through the same door as on a page; gives the answer for its row."""
        try:
            who = self._acts_as()
            turns = self.store.dialogue(typed.submission).turns
            request = f"sheet:{len(turns)}:{typed.digest}"
            if typed.decision == "accept":
                grade = typed.grade or typed.shown
                self.accept(
                    who,
                    typed.submission,
                    Accept(grade=grade, text=typed.comment),
                    seen=None,
                    request=request,
                    via="sheet",
                )
                return "Accepted and signed."
            if typed.decision == "discuss":
                counter = Proposal(grade=typed.grade) if typed.grade else None
                said = Discuss(text=typed.comment, counter=counter)
                self.discuss(who, typed.submission, said, seen=None, request=request, via="sheet")
                return "Sent to the author."
            return "Not taken: the decision must be accept or discuss."
        except ReviewkitError as refused:
            return f"Not taken: {refused} To try it again later, clear the decision and type it anew."

    def _acts_as(self) -> Person:
        """The instructor for whom typed decisions count (`[sheet] acts_as`: an id or an e-mail address)."""
        for person in self.store.people():
            if person.role == "instructor" and self.acts_as in (person.id, person.email):
                return person
        raise NotAllowed("Name the instructor whose decisions count here in [sheet] acts_as of the course file.")

    # -- for people who analyse --------------------------------------------------------------------------------------

    def frames(self) -> "dict[str, DataFrame]":
        """The course as pandas frames for an instructor in JupyterLab: posts, submissions, allocations, turns, grades.

        They name everybody, and have the columns of `reviewkit export`; times are aware and in UTC.
        """
        import pandas

        dialogues = self.store.dialogues()
        rows = {
            "posts": exchange.posts(self.store.posts()),
            "submissions": exchange.submissions(dialogues),
            "allocations": exchange.allocations(self.store.allocations(), dialogues),
            "turns": exchange.turns(dialogues),
            "grades": exchange.grades(dialogues, self.setup),
        }
        frames = {name: pandas.DataFrame.from_records(list(each)) for name, each in rows.items()}
        for name, column in (("posts", "published"), ("turns", "at"), ("grades", "at")):
            if column in frames[name]:
                frames[name][column] = pandas.to_datetime(frames[name][column], utc=True, format="ISO8601")
        return frames

    # -- how it is done ----------------------------------------------------------------------------------------------

    def _said(self, by: str, what: What, via: Via) -> Said:
        return Said(by=by, at=self.clock(), via=via, what=what)

    def _as_author(self, who: Person, submission: str, what: What, *, seen: int, request: str) -> None:
        self._append(submission, who, [what], "author", seen=seen, request=request, via="page")

    def _as_instructor(
        self, who: Person, submission: str, what: list[What], *, seen: int | None, request: str, via: Via
    ) -> None:
        self._append(submission, who, what, "instructor", seen=seen, request=request, via=via)

    def _append(
        self,
        submission: str,
        who: Person,
        what: Sequence[What],
        capacity: rules.Capacity,
        *,
        seen: int | None,
        request: str,
        via: Via,
    ) -> None:
        """Append turns for somebody who had seen `seen` turns (None: what they say hangs on nothing they saw).

        Turns that the writer cannot see (a blind review that came in meanwhile) are no reason to send them back:
        then the same turns are tried again on top.
        """
        if self._capacity(who, self.store.dialogue(submission)) != capacity:
            raise NotAllowed("This is not yours to do here.")
        if request and self.store.has_request(submission, request):
            return
        for _ in range(100):
            dialogue = self.store.dialogue(submission)
            if seen is not None and len(self._visible(dialogue, who, capacity)) != seen:
                raise Conflict("Somebody wrote here since you opened the page. Look at it, then send again.")
            turns, said = dialogue.turns, list[Said]()
            for each in what:
                rules.admit(rules.after(turns, said), each, capacity=capacity, reviews=self.setup.reviews)
                said.append(self._said(who.id, each, via))
            try:
                self.store.say(submission, said, after=len(turns), request=request)
            except Conflict:
                continue
            return
        raise Conflict("Many people write here at once. Your text is kept; send it again in a moment.")

    def _graded(self, submission: str, said: Stated) -> Stated:
        """The same with its grade in the course's form and its levels checked against the rubric."""
        if said.judgements or isinstance(said, SelfEvaluation) or self.setup.scale == "levels":
            against = self.rubric(self.store.dialogue(submission).submission.rubric)
            rubric.check(against, said.judgements, complete=True)
        return replace(said, grade=grades.parse_grade(said.grade, self.setup.scale))
