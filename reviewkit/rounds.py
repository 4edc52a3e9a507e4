"""A round: its dates, what they ask for, the reveal, and more time."""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import accumulate, pairwise

from reviewkit import dialogue as rules
from reviewkit.allocating import Allocating, Plan
from reviewkit.errors import Conflict, Invalid, NotAllowed
from reviewkit.model import (
    SCHEDULE,
    STEPS,
    TEXT_LIMIT,
    Allocation,
    Assignment,
    Dialogue,
    Extension,
    Freeze,
    Frozen,
    HandOver,
    Person,
    Post,
    Reopen,
    Reveal,
    Said,
    Setup,
    Step,
    Turn,
    Via,
    What,
)
from reviewkit.reading import at_a_glance

__all__ = ["Plan", "Rounds"]

LOOKS = 100
"""How often a step for the whole round looks again when somebody wrote meanwhile."""
TOGETHER = 2_000_000
"""Bytes that the posts of one submission may have as JSON: a page shows them all at once and takes 8 MB, and for their
reviewers they are masked while the page waits, which takes seconds for so much."""


class Rounds(Allocating):
    """A course whose rounds go on."""

    @at_a_glance
    def freeze(
        self,
        who: Person,
        assignment: str,
        posts: Sequence[str],
        *,
        request: str = "",
        via: Via = "page",
        confirmed: Collection[str] = (),
    ) -> str:
        """Freeze the newest revision of each post (ids); gives the submission's id.

        Where a feed shows the beginnings of posts alone, their texts were copied from their pages: an author has to
        have read and `confirmed` such a copy (digests). The date that freezes for those who did not choose asks nobody.
        """
        asked = self.assignment(assignment, who)
        if who.role != "student":
            raise NotAllowed("Only students of the course can submit a post.")
        if via == "page" and self.setup.is_over(asked.freeze_by, self.clock()):
            raise NotAllowed(f"The time to choose a post for {asked.title} is over; talk to your instructor.")
        known = {post.id: post for post in self.candidates(who, asked)}
        if not posts or any(id not in known for id in posts):
            raise NotAllowed(f"Choose one of your own posts that carry #{self.setup.tag_of(asked)}.")
        if len(posts) > 1 and asked.kind == "post":
            raise NotAllowed(f"{asked.title} asks for one post; choose the one that counts.")
        copied = [known[id].latest for id in posts if known[id].latest.copied]
        unread = [each for each in copied if each.digest not in confirmed]
        if via == "page" and unread:
            raise Invalid(
                f"The text of “{unread[0].headline}” was copied from its page, because your feed shows only its "
                "beginning. Read the copy and confirm that it is your text, then freeze it.",
                field="confirmed",
            )
        by = SCHEDULE if via == "schedule" else who.id
        return self._freeze(who, asked, [known[id] for id in dict.fromkeys(posts)], by, via=via, request=request)

    @at_a_glance
    def freeze_for(
        self, who: Person, author: str, assignment: str, posts: Sequence[str], reason: str, *, request: str = ""
    ) -> str:
        """An instructor freezes posts (ids) of a student who has chosen none, with a reason; also such as came after
        the date. Gives the submission's id. Raises NotAllowed, Invalid, Missing or Conflict, with nothing changed."""
        if who.role != "instructor":
            raise NotAllowed("Only an instructor can freeze a post for somebody else.")
        person = self.person(author)
        asked = self.assignment(assignment, person)
        if person.role != "student" or person.withdrawn:
            raise NotAllowed(f"{person.name} is no student of this course now, so nothing is frozen for them.")
        known = {post.id: post for post in self.candidates(person, asked, late=True)}
        if not posts or any(id not in known for id in posts):
            raise Invalid(f"Choose a post of theirs that carries #{self.setup.tag_of(asked)}.", field="choice")
        if len(posts) > 1 and asked.kind == "post":
            raise Invalid(f"{asked.title} asks for one post; choose the one that counts.", field="choice")
        if not reason.strip():
            raise Invalid("Write why you freeze it for them before you send.", field="reason")
        if len(reason) > TEXT_LIMIT:
            raise Invalid("This reason is too long; nothing was lost, please shorten it.", field="reason")
        chosen = [known[id] for id in dict.fromkeys(posts)]
        return self._freeze(person, asked, chosen, who.id, via="page", request=request, reason=reason)

    def _freeze(
        self,
        author: Person,
        asked: Assignment,
        posts: Sequence[Post],
        by: str,
        *,
        via: Via,
        request: str,
        reason: str = "",
    ) -> str:
        if len(_fitting(posts)) < len(posts):
            raise Invalid("Together these posts are too long to be read on one page. Choose fewer.", field="posts")
        revisions = tuple(Frozen(post=each.id, digest=each.latest.digest) for each in posts)
        digest = self.rubric_in_use(asked).digest
        freeze = Freeze(revisions=revisions, rubric=digest, reason=reason, mode=self.setup.reviews.mode)
        said = self._said(by, freeze, via)
        return self.store.open_submission(author.id, asked.id, digest, revisions, said, request=request).submission.id

    @at_a_glance
    def reveal(self, assignment: str, *, by: Person | None = None, reason: str = "") -> list[str]:
        """Reveal all submissions of the round together; gives the ids of those revealed now.

        Those with fewer than the minimum of reviews wait, unless an instructor gives a reason.
        """
        if by is not None and by.role != "instructor":
            raise NotAllowed("Only an instructor can reveal reviews.")
        return self._say_where_admitted(assignment, lambda dialogue: self._reveal_of(dialogue, reason=reason), by)

    @at_a_glance
    def hand_over(self, assignment: str) -> list[str]:
        """Give the instructor what got too few reviews by its date; gives the ids of those handed over now.

        What waits for a reviewer who has more time waits for them, unless it is theirs to evaluate only.
        """

        def handed(dialogue: Dialogue) -> HandOver | None:
            if self._outstanding(dialogue, in_time=True):
                return None
            shown = self._reveal_of(dialogue)
            return HandOver(owed=shown.owed, given=len(shown.reviews), minimum=shown.minimum)

        return self._say_where_admitted(assignment, handed)

    def _outstanding(self, dialogue: Dialogue, *, in_time: bool = False) -> list[Allocation]:
        """The reviews of it that are owed and not given; `in_time`: by reviewers of the course whose time goes on."""
        setup, now = self.setup, self.clock()
        assignment = self.assignment(dialogue.submission.assignment)
        return [
            each
            for each in self._slots(assignment.id).outstanding(dialogue.submission.id)
            if not in_time or not setup.is_over(setup.own(assignment, each.reviewer).review_by, now)
        ]

    # -- dates: moved for all, or for one person

    def affected(self, assignment: str, step: Step) -> list[Person]:
        """Who still has to do something by this step, and is concerned when its date is moved."""
        asked = self.assignment(assignment)
        dialogues = {each.submission.person: each for each in self.store.dialogues(asked.id)}
        people = [each for each in self.store.people() if not each.withdrawn]
        students = [each for each in people if each.role == "student"]

        def open_turns(person: Person) -> Sequence[Turn] | None:
            dialogue = dialogues.get(person.id)
            return None if dialogue is None or rules.stage(dialogue.turns) in rules.OUT else dialogue.turns

        match step:
            case "freeze_by":
                return [each for each in students if each.id not in dialogues]
            case "self_by":
                return [
                    each
                    for each in students
                    if (turns := open_turns(each)) is not None and rules.self_evaluation(turns) is None
                ]
            case "review_by":
                owing = {
                    each.reviewer
                    for dialogue in dialogues.values()
                    if rules.reveal(dialogue.turns) is None and rules.stage(dialogue.turns) not in rules.OUT
                    for each in self._outstanding(dialogue)
                }
                return [each for each in people if each.id in owing]
            case "answer_by":
                return [
                    each
                    for each in students
                    if (turns := open_turns(each)) is not None and rules.stage(turns) not in rules.CLOSED
                ]
            case "sign_by":
                return [each for each in people if each.role == "instructor"]

    def move_date(self, who: Person, assignment: str, step: Step, to: datetime) -> list[Person]:
        """Move a step for all (`to` is aware); gives those who are affected. What was done by the old date stays."""
        self._may_date(who)

        def moved(setup: Setup) -> Setup:
            return replace(
                setup,
                assignments=tuple(
                    _in_order(replace(each, **{step: to})) if each.id == assignment else each  # type: ignore[arg-type]
                    for each in setup.assignments
                ),
            )

        people = self.affected(assignment, step)
        self.store.change_setup(moved)
        return people

    def extend(self, who: Person, person: str, assignment: str, step: Step, until: datetime, reason: str) -> None:
        """Give one person more time for a step of theirs (`until` is aware)."""
        self._may_date(who)
        own = self.assignment(assignment, self.person(person))
        before: datetime | None = getattr(own, step)
        if before is None:
            raise Invalid("This step has no date, so there is nothing to extend.", field="until")
        if until <= max(before, self.clock()):
            raise Invalid("Choose a time that is later than now and than the one they have.", field="until")
        if not reason.strip():
            raise Invalid("Write why they get more time.", field="reason")
        if len(reason) > TEXT_LIMIT:
            raise Invalid("This reason is too long; nothing was lost, please shorten it.", field="reason")
        given = Extension(person=person, assignment=assignment, step=step, until=until, reason=reason, by=who.id)
        self.store.change_setup(lambda setup: replace(setup, extensions=(*setup.extensions, given)))

    @at_a_glance
    def give_time(self, who: Person, submission: str, until: datetime, reason: str) -> list[Person]:
        """More time for those who owe a review of this submission (`until` is aware); gives who they are.

        What was handed over goes back into review. Done again, it changes nothing that it did before. Raises
        NotAllowed or Invalid, with nothing changed.
        """
        self._may_date(who)
        dialogue = self.store.dialogue(submission)
        asked, turns = self.assignment(dialogue.submission.assignment), dialogue.turns
        if rules.reveal(turns) is not None or rules.stage(turns) in rules.CLOSED | rules.OUT:
            raise NotAllowed("This submission takes no more reviews.")
        owing = [self.person(each.reviewer) for each in self._outstanding(dialogue)]
        if not owing:
            raise NotAllowed("Nobody owes a review of this submission: assign somebody first, or review it yourself.")
        if until <= self.clock():
            raise Invalid("Choose a time that is later than now and than the one they have.", field="until")
        setup = self.setup
        dates = {each.id: setup.own(asked, each.id).review_by for each in owing}
        same = (asked.id, "review_by", until)
        given = {each.person for each in setup.extensions if (each.assignment, each.step, each.until) == same}
        shorter = [each for each in owing if (due := dates[each.id]) is None or due < until]
        for each in shorter:
            self.extend(who, each.id, asked.id, "review_by", until, reason)
        if rules.stage(turns) == "with instructor":
            back = Reopen(to="in review", reason=reason)
            self._as_instructor(who, submission, [back], seen=None, request="", via="page")
        elif not shorter and not given & set(dates):
            raise Invalid("Choose a time that is later than the one they have.", field="until")
        return owing

    def _may_date(self, who: Person) -> None:
        if who.role != "instructor":
            raise NotAllowed("Only an instructor can change dates.")

    def _reveal_of(self, dialogue: Dialogue, *, reason: str = "") -> Reveal:
        return Reveal(
            owed=self._owed(dialogue),
            minimum=self.setup.reviews.minimum,
            reviews=tuple(turn.id for turn in rules.latest_reviews(dialogue.turns)),
            reason=reason,
        )

    def _say_where_admitted(
        self, assignment: str, turn: Callable[[Dialogue], What | None], by: Person | None = None
    ) -> list[str]:
        """Append to each dialogue of the round the turn that it gets, where it may come next: all in one step, as this
        instructor or as the schedule. Somebody who writes in one of them meanwhile makes it look at all of them again.
        """
        for _ in range(LOOKS):
            admitted = list[tuple[str, int, Said]]()
            for dialogue in self.store.dialogues(assignment):
                what = turn(dialogue)
                if what is None:
                    continue
                try:
                    rules.admit(
                        dialogue.turns, what, capacity="instructor" if by else "schedule", reviews=self.setup.reviews
                    )
                except NotAllowed:
                    continue
                said = self._said(by.id if by else SCHEDULE, what, "page" if by else "schedule")
                admitted.append((dialogue.submission.id, len(dialogue.turns), said))
            try:
                if admitted:
                    self.store.say_all(admitted)
            except Conflict:
                continue
            return [submission for submission, _, _ in admitted]
        raise Conflict("Many people write in this round at once; nothing was changed, try it again in a moment.")

    def advance(self) -> list[str]:
        """Do what the dates ask for by now (freeze, allocate, reveal, hand over); one sentence for each thing done.

        A date is acted on when its grace has passed, so that what was sent within it counts. Any number of times and
        from any number of processes: what is done stays, and is not done twice.
        """
        done, now, setup = list[str](), self.clock(), self.setup
        for assignment in setup.assignments:
            done += self._freeze_the_rest(assignment)
            if setup.is_over(assignment.self_by, now) and not _is_past(assignment.review_by, now):
                with suppress(Conflict):  # somebody else allocates at this moment: what they leave comes next time
                    plan = self.plan(assignment.id)
                    if plan.pairs:
                        self.allocate(plan)
                        done.append(f"{assignment.title}: {len(plan.pairs)} reviews allocated.")
                        done += [f"{assignment.title}: {sentence}" for sentence in plan.relaxed]
            if setup.is_over(assignment.review_by, now):
                revealed = self.reveal(assignment.id)
                if revealed:
                    done.append(f"{assignment.title}: the reviews of {len(revealed)} submissions are revealed.")
                handed = self.hand_over(assignment.id)
                if handed:
                    done.append(f"{assignment.title}: {len(handed)} submissions got too few reviews; see Sign-off.")
        return done

    def _freeze_the_rest(self, assignment: Assignment) -> list[str]:
        """At their date, the newest candidate is frozen for those who did not choose."""
        setup, now = self.setup, self.clock()
        done, there = list[str](), {each.person for each in self.store.submissions(assignment.id)}
        for person in self.store.people():
            if person.role != "student" or person.withdrawn or person.id in there:
                continue
            if not setup.is_over(setup.own(assignment, person.id).freeze_by, now):
                continue
            posts = self.candidates(person, assignment)
            if posts:
                several = assignment.kind == "participation"
                chosen = [post.id for post in (_fitting(posts) if several else posts[:1])]
                with suppress(Conflict):  # it was frozen at this moment, by them or by another clock
                    self.freeze(person, assignment.id, chosen, via="schedule")
                    done.append(f"{assignment.title}: the newest post of {person.name} is frozen.")
        return done


def _fitting(posts: Sequence[Post]) -> list[Post]:
    """The first of them that can be read together on a page; always the first one."""
    sizes = accumulate(len(json.dumps(post.latest.html)) for post in posts)
    return [post for post, size in zip(posts, sizes, strict=True) if size <= TOGETHER or post is posts[0]]


def _is_past(due: datetime | None, now: datetime) -> bool:
    return due is not None and now >= due


def _in_order(assignment: Assignment) -> Assignment:
    """The same; raises Invalid where a step would come before the one it follows."""
    dated = [(step, at) for step in STEPS if (at := getattr(assignment, step)) is not None]
    for (first, earlier), (second, later) in pairwise(dated):
        if earlier > later:
            raise Invalid(f"{second} would come before {first}; move that first.", field="to")
    return assignment
