"""A round: who reviews whom, the reveal, and what the dates ask for."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from reviewkit import dialogue as rules
from reviewkit.allocation import allocate
from reviewkit.errors import NotAllowed
from reviewkit.model import (
    SCHEDULE,
    Allocation,
    Assignment,
    Dialogue,
    Freeze,
    Frozen,
    HandOver,
    Person,
    Reveal,
    Said,
    Via,
    What,
)
from reviewkit.reading import at_a_glance
from reviewkit.speaking import Speaking


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An allocation before it is saved: the new pairs (submission, reviewer) and what had to be relaxed, in words."""

    assignment: str
    pairs: tuple[tuple[str, str], ...]
    count: int
    relaxed: tuple[str, ...]
    seed: int


class Rounds(Speaking):
    """A course whose rounds go on."""

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
        return self._say_where_admitted(
            [(dialogue, self._reveal_of(dialogue, reason=reason)) for dialogue in self.store.dialogues(assignment)], by
        )

    @at_a_glance
    def hand_over(self, assignment: str) -> list[str]:
        """Give the instructor what got too few reviews by its date; gives the ids of those handed over now."""
        return self._say_where_admitted(
            [
                (dialogue, HandOver(owed=shown.owed, given=len(shown.reviews), minimum=shown.minimum))
                for dialogue in self.store.dialogues(assignment)
                for shown in [self._reveal_of(dialogue)]
            ]
        )

    def _reveal_of(self, dialogue: Dialogue, *, reason: str = "") -> Reveal:
        return Reveal(
            owed=self._owed(dialogue),
            minimum=self.setup.reviews.minimum,
            reviews=tuple(turn.id for turn in rules.latest_reviews(dialogue.turns)),
            reason=reason,
        )

    def _say_where_admitted(self, turns: Sequence[tuple[Dialogue, What]], by: Person | None = None) -> list[str]:
        """Append each turn where it may come next, all in one step, as this instructor or as the schedule."""
        admitted = list[tuple[str, int, Said]]()
        for dialogue, what in turns:
            try:
                rules.admit(
                    dialogue.turns, what, capacity="instructor" if by else "schedule", reviews=self.setup.reviews
                )
            except NotAllowed:
                continue
            said = self._said(by.id if by else SCHEDULE, what, "page" if by else "schedule")
            admitted.append((dialogue.submission.id, len(dialogue.turns), said))
        self.store.say_all(admitted)
        return [submission for submission, _, _ in admitted]

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
                handed = self.hand_over(assignment.id)
                if handed:
                    done.append(f"{assignment.title}: {len(handed)} submissions got too few reviews; see Sign-off.")
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
