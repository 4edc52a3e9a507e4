"""Who reviews whom, over a round's life: the plan, its top-up, what is passed on and what an instructor assigns."""

import secrets
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from reviewkit.allocation import Known, allocate
from reviewkit.errors import Conflict, Missing, NotAllowed
from reviewkit.model import Allocation, Assignment, Person
from reviewkit.reading import at_a_glance
from reviewkit.slots import Slots
from reviewkit.speaking import Speaking

LOOKS = 50
"""How often one pair is chosen anew when somebody else allocated meanwhile."""

LEFT = "Somebody else allocated reviews at the same moment. Nothing was changed; try it again."


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An allocation before it is saved: the new pairs (submission, reviewer) and what had to be relaxed, in words."""

    assignment: str
    pairs: tuple[tuple[str, str], ...]
    count: int
    relaxed: tuple[str, ...]
    seed: int
    after: int
    """How many allocations of the round were there: it was planned around them."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Somebody who may review a submission, and what an instructor should know before assigning it, in words."""

    person: Person
    owes: int
    """Reviews of the round that they give so far, given or owed."""
    but: str = ""
    """Such as "They review each other."; empty: nothing."""


class Allocating(Speaking):
    """A course that says who reviews whom."""

    @at_a_glance
    def plan(self, assignment: str, *, seed: int | None = None) -> Plan:
        """Who would review whom; nothing is saved. Pairs that are there already stay and are not in it.

        Whoever left the course or is out of the count neither gives nor gets; what is revealed or closed gets no more.
        """
        slots = self._slots(self.assignment(assignment).id)
        counted = {(each.submission, each.reviewer) for each in slots.counted()}
        everybody = {id: slots.author(id) for id in slots.dialogues}
        authors = {id: author for id, author in everybody.items() if author not in slots.gone}
        seed = secrets.randbits(63) if seed is None else seed
        made = allocate(
            authors,
            sorted(authors.values()),
            self.setup.reviews.count,
            seed=seed,
            known=Known(
                excluded={frozenset((one.id, other)) for one in self.store.people() for other in one.excluded},
                past=self._past(assignment),
                existing=counted,
                others=everybody,
                spent={(each.submission, each.reviewer) for each in slots.allocations} - counted,
                full={id for id in authors if not slots.takes_more(id)},
            ),
        )
        return Plan(
            assignment=assignment,
            pairs=made.pairs,
            count=made.count,
            relaxed=made.relaxed,
            seed=seed,
            after=len(slots.allocations),
        )

    def allocate(self, plan: Plan) -> list[Allocation]:
        """Save a plan; gives its allocations. Raises Conflict when somebody else allocated since it was made."""
        return self.store.keep_allocations(plan.assignment, plan.pairs, seed=plan.seed, after=plan.after)

    # -- the reviewer: another submission instead of one, or one more

    @at_a_glance
    def pass_on(self, who: Person, duty: str) -> str:
        """Another submission instead of one whose author the reviewer thinks they know; gives the id of the new duty.

        The one that is passed on never comes back to them. The same call again gives "". Raises Missing, or NotAllowed
        when it is too late, too often, or when there is no other submission: then it stays theirs.
        """
        for _ in range(LOOKS):
            mine = self.store.allocations(reviewer=who.id, released=True)
            old = next((each for each in mine if each.id == duty), None)
            if old is None:
                raise Missing("There is no such review for you to give.")
            if old.released is not None:
                return ""
            if kept := self._kept(who, old):
                raise NotAllowed(kept)
            slots = self._slots(old.assignment)
            free = self._lawful(slots, who.id, slots.dialogues)
            if not free:
                raise NotAllowed(
                    "There is no other submission for you to review, so this one stays yours. If you would rather not "
                    "review it, talk to your instructor."
                )
            made = self._give(slots, old.assignment, who.id, free, instead_of=old.id)
            if made is not None:
                return made.id
        raise Conflict(LEFT)

    @at_a_glance
    def offers(self, who: Person, assignment: str) -> int:
        """How many submissions that lack reviews this person may take one of, now that they gave all they owe."""
        try:
            return len(self._offered(who, self.assignment(assignment)))
        except NotAllowed:
            return 0

    @at_a_glance
    def take_more(self, who: Person, assignment: str, *, seen: int | None = None) -> str:
        """One more review, of the submission that lacks most; gives the id of the duty.

        `seen`: how many reviews of the round the person knew as theirs. When they have more by now, the same was asked
        before: it gives "". Raises NotAllowed when there is none to take.
        """
        asked = self.assignment(assignment)
        for _ in range(LOOKS):
            if seen is not None and len(self.store.allocations(asked.id, who.id)) > seen:
                return ""
            free = self._offered(who, asked)
            if not free:
                raise NotAllowed("No submission waits for another review by you any more. Thank you for asking.")
            made = self._give(self._slots(asked.id), asked.id, who.id, free)
            if made is not None:
                return made.id
        raise Conflict(LEFT)

    # -- the instructor

    @at_a_glance
    def could_review(self, who: Person, submission: str) -> list[Candidate]:
        """Whom an instructor may assign to a submission, those first who give fewest reviews."""
        self._may_assign(who)
        asked = self.assignment(self.store.dialogue(submission).submission.assignment)
        slots, past = self._slots(asked.id), self._past(asked.id)
        gives = Counter(each.reviewer for each in slots.counted())
        author = slots.author(submission)
        return sorted(
            (
                Candidate(person=each, owes=gives[each.id], but=_but(slots, past, author, each.id))
                for each in self.store.people()
                if each.role == "student" and self._lawful(slots, each.id, [submission])
            ),
            key=lambda each: (each.owes, bool(each.but), each.person.name),
        )

    @at_a_glance
    def assign(self, who: Person, submission: str, reviewer: str) -> Allocation:
        """Let somebody review a submission. The same pair again is the same allocation.

        Raises NotAllowed where the rules of every allocation forbid it, with the reason.
        """
        self._may_assign(who)
        person = self.person(reviewer)
        dialogue = self.store.dialogue(submission)
        assignment = dialogue.submission.assignment
        for _ in range(LOOKS):
            slots = self._slots(assignment)
            for each in slots.allocations:
                if (each.submission, each.reviewer) == (submission, reviewer):
                    if each.released is not None:
                        raise NotAllowed(f"{person.name} passed this submission on, thinking they knew its author.")
                    if slots.status(each) != "dropped":
                        return each
            if person.role != "student" or person.withdrawn:
                raise NotAllowed(f"{person.name} is no student of this course now, so they review nothing.")
            if not slots.takes_more(submission):
                raise NotAllowed("This submission takes no more reviews.")
            if not self._lawful(slots, reviewer, [submission]):
                raise NotAllowed(f"{person.name} may not review this submission: it is theirs, or they are kept apart.")
            made = self._give(slots, assignment, reviewer, [submission])
            if made is not None:
                return made
        raise Conflict(LEFT)

    def _may_assign(self, who: Person) -> None:
        if who.role != "instructor":
            raise NotAllowed("Only an instructor can assign a review.")

    # -- how one pair is chosen

    def _offered(self, who: Person, asked: Assignment) -> list[str]:
        """The submissions that lack reviews and may be this person's. Raises NotAllowed when they may take none."""
        if self.submission_of(who, asked) is None or not self.store.allocations(asked.id):
            raise NotAllowed("You have no part in the reviews of this round.")
        slots, setup, now = self._slots(asked.id), self.setup, self.clock()
        if who.id in slots.gone:
            raise NotAllowed("You have no part in the reviews of this round.")
        if self._unevaluated(who, asked):
            raise NotAllowed("Send your own self-evaluation first.")
        if any(slots.takes_more(each.submission) for each in slots.outstanding(reviewer=who.id)):
            raise NotAllowed("Send the reviews that you owe first.")
        over = setup.is_over(asked.review_by, now)
        late = {
            each.reviewer
            for each in slots.outstanding()
            if setup.is_over(setup.own(asked, each.reviewer).review_by, now)
        }
        people = len({slots.author(id) for id in slots.dialogues} - slots.gone)
        wanted = setup.reviews.minimum if over else min(setup.reviews.count, people - 1)
        return self._lawful(slots, who.id, slots.lacking(wanted, late=late))

    def _lawful(self, slots: Slots, reviewer: str, among: Collection[str]) -> list[str]:
        """Those of the submissions that this person may be given."""
        known = {each.id: each for each in self.store.people()}
        apart = {*known[reviewer].excluded, *(each.id for each in known.values() if reviewer in each.excluded)}
        return [id for id in among if slots.may_review(id, reviewer) and slots.author(id) not in apart]

    def _give(
        self, slots: Slots, assignment: str, reviewer: str, among: Collection[str], *, instead_of: str = ""
    ) -> Allocation | None:
        """Keep one pair: of the submissions with the fewest reviews one that repeats and trades nothing, at random.
        None when somebody else allocated since the slots were counted."""
        seed, owed, past = secrets.randbits(63), slots.owed(), self._past(assignment)
        chance = Random(seed)  # noqa: S311 (the seed comes from `secrets`, and is kept for the audit)
        chosen = min(
            sorted(among),
            key=lambda id: (owed[id], bool(_but(slots, past, slots.author(id), reviewer)), chance.random()),
        )
        try:
            (made,) = self.store.keep_allocations(
                assignment,
                [(chosen, reviewer)],
                seed=seed,
                after=len(slots.allocations),
                instead_of=instead_of,
                at=self.clock(),
            )
        except Conflict:
            return None
        return made

    def _past(self, assignment: str) -> set[tuple[str, str]]:
        """(reviewer, author) of the other rounds."""
        authors = {each.id: each.person for each in self.store.submissions()}
        return {
            (each.reviewer, authors[each.submission])
            for each in self.store.allocations()
            if each.assignment != assignment
        }


def _but(slots: Slots, past: Collection[tuple[str, str]], author: str, reviewer: str) -> str:
    """What speaks against a pair that is lawful, in words."""
    if any((slots.author(each.submission), each.reviewer) == (reviewer, author) for each in slots.counted()):
        return "They would review each other."
    if (reviewer, author) in past:
        return "They reviewed this author in an earlier round."
    return ""
