"""The demo's course so far: every act of its people, in order of time, through the verbs of `Course` alone."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from reviewkit.course import STAFF_DRAFT, Course, SeenTurn
from reviewkit.demo.cast import ASSISTANT, INSTRUCTOR
from reviewkit.demo.content import Evaluation, Moment, Piece, Round, Story, Word, pieces, stories
from reviewkit.demo.directory import FIRST, SECOND
from reviewkit.model import (
    Accept,
    Allocation,
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Judgement,
    Person,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Review,
    SelfEvaluation,
)

ASSIGNMENTS: dict[Round, str] = {"first": FIRST, "second": SECOND}
PULLS = ("16 23:00", "34 06:00", "36 20:00")
DATES = ("20 18:11", "22 18:11", "29 18:11")
"""When the schedule did what the first round's dates asked for."""
ALLOCATED = "38 09:00"
"""When the instructor allocated reviews among those who were early in the second round."""
TYPING = "mira"
"""Whose reviews of the second round stand in all three states: sent, half typed, not begun."""
SENT, TYPED = "40 15:10", "40 16:20"


class Clock:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Act:
    """Something that somebody does at a moment."""

    at: Moment
    do: Callable[[], object]


class History:
    """Tells the stories to a fresh course. `stand_at` moves the blogs to an instant before each pull."""

    def __init__(self, course: Course, clock: Clock, origin: date, stand_at: Callable[[datetime], None]) -> None:
        self.course, self.clock, self.origin, self.stand_at = course, clock, origin, stand_at
        self.people = {person.id: person for person in course.people()}
        self.asked = {round: course.assignment(id) for round, id in ASSIGNMENTS.items()}
        self.submissions: dict[tuple[str, str], str] = {}

    def tell(self) -> None:
        """All of it, up to a few minutes ago; leaves the clock at the last act."""
        acts = [
            *(Act(Moment.of(at), self.pull) for at in PULLS),
            *(Act(Moment.of(at), self.course.advance) for at in DATES),
            *(act for round in ASSIGNMENTS for story in stories(round) for act in self.story(round, story)),
            *(act for story in stories("first") for act in self.reviews(story)),
            Act(Moment.of(ALLOCATED), lambda: self.course.allocate(self.course.plan(SECOND))),
        ]
        self.play(acts)
        self.play(self.second_reviews())  # who writes them is only known once they are allocated
        self.clock.now = datetime.now(UTC) - timedelta(minutes=4)
        self.pull()

    def play(self, acts: Iterable[Act]) -> None:
        for act in sorted(acts, key=lambda act: act.at):
            self.clock.now = act.at.at(self.origin)
            act.do()

    def pull(self) -> None:
        self.stand_at(self.clock.now)
        self.course.pull()

    # -- what authors and the instructor did -------------------------------------------------------------------------

    def story(self, round: Round, story: Story) -> Iterator[Act]:
        assignment = ASSIGNMENTS[round]
        if story.frozen:
            yield Act(story.frozen, partial(self.freeze, assignment, story))
        if story.own:
            yield Act(story.own.at, partial(self.self_evaluate, assignment, story.person, story.own))
        if story.draft:
            yield Act(story.draft.at, partial(self.type_self_evaluation, assignment, story.person, story.draft))
        for word in story.then:
            yield Act(word.at, partial(self.speak, assignment, story, word))

    def freeze(self, assignment: str, story: Story) -> None:
        person, piece = self.people[story.person], piece_of(story)
        published = piece.published.at(self.origin) if piece.published else None
        post = next(each for each in self.course.posts(person) if each.published == published)
        self.course.freeze(person, assignment, [post.id], confirmed=[post.latest.digest])

    def self_evaluate(self, assignment: str, author: str, own: Evaluation) -> None:
        person, submission = self.people[author], self.submission(assignment, author)
        said = SelfEvaluation(
            judgements=own.judgements, strengths=own.strengths, improvements=own.improvements, grade=own.grade
        )
        self.course.self_evaluate(person, submission, said, seen=len(self.turns(submission, person)))

    def type_self_evaluation(self, assignment: str, author: str, draft: Evaluation) -> None:
        form = f"self:{self.submission(assignment, author)}"
        self.course.keep_draft(self.people[author], form, 1, typed(draft))

    def speak(self, assignment: str, story: Story, word: Word) -> None:
        """One turn of the author or the instructor."""
        submission = self.submission(assignment, story.person)
        author, instructor = self.people[story.person], self.people[INSTRUCTOR.id]
        proposal = Proposal(judgements=word.judgements, grade=word.grade) if word.grade else None
        by_author = word.kind in ("answer", "reply", "sign", "dissent", "ask")
        turns = self.turns(submission, author if by_author else instructor)
        seen = len(turns)
        match word.kind:
            case "answer":
                answer = Answer(
                    review=turn_of(story.reviews[word.review - 1] if word.review else own_review(story), turns),
                    text=word.text,
                    rating=word.rating,
                    thanks=word.thanks,
                    revised=proposal,
                    changed=word.changed,
                )
                self.course.answer(author, submission, answer, seen=seen)
            case "discuss":
                said = Discuss(text=word.text, counter=proposal, recognised=word.recognised)
                self.course.discuss(instructor, submission, said, seen=seen)
            case "reply":
                reply = Reply(accepts=word.accepts, text=word.text, proposal=proposal)
                self.course.reply(author, submission, reply, seen=seen)
            case "accept":
                grade = "" if any(each.kind == "decide" for each in story.then) else standing(story)
                accept = Accept(grade=grade, text=word.text, recognised=word.recognised)
                self.course.accept(instructor, submission, accept, seen=seen)
            case "sign":
                self.course.sign(author, submission, seen=seen)
            case _:
                self.speak_rarely(submission, word, author, instructor, seen)

    def speak_rarely(self, submission: str, word: Word, author: Person, instructor: Person, seen: int) -> None:
        """One of the turns that most dialogues do without."""
        match word.kind:
            case "own-review":
                judged = word.judgements
                self.course.review_oneself(instructor, submission, judged, word.strengths, word.suggestions)
            case "waive":
                self.course.waive(instructor, submission, word.text)
            case "recognise":
                said = Recognise(text=word.text, suggestions=word.suggestions, recognised=word.recognised)
                self.course.recognise(instructor, submission, said, seen=seen)
            case "decide":
                decided = Decide(reason=word.text, grade=word.grade, judgements=word.judgements)
                self.course.decide(instructor, submission, decided, seen=seen)
            case "dissent":
                self.course.dissent(author, submission, Dissent(text=word.text), seen=seen)
            case "ask":
                self.course.ask_to_reopen(author, submission, AskToReopen(text=word.text), seen=seen)
            case "reopen":
                self.course.reopen(instructor, submission, Reopen(to=word.to, reason=word.text), seen=seen)
            case "exempt":
                self.course.set_aside(instructor, submission, Exempt(reason=word.text), seen=seen)
            case "assistant":
                content: dict[str, object] = {"word": word.text, "grade": word.grade}
                self.course.keep_draft(self.people[ASSISTANT.id], f"{STAFF_DRAFT}:{submission}", 1, content)

    # -- what reviewers did ------------------------------------------------------------------------------------------

    def reviews(self, story: Story) -> Iterator[Act]:
        """The first round: whoever got an allocation writes the review that comes next in the story."""
        for number, review in enumerate(story.reviews):
            yield Act(review.at, partial(self.nth_review, story, number))

    def nth_review(self, story: Story, number: int) -> None:
        self.review(self.owed(FIRST, story.person)[number], story.reviews[number])

    def second_reviews(self) -> Iterator[Act]:
        """The second round: one person stands in the middle of hers, the others have written as many as are told."""
        theirs = {story.person: story for story in stories("second") if story.reviews}
        owed = {person: self.owed(SECOND, person) for person in theirs}
        begun = sorted(
            (
                (len(theirs[person].reviews) - theirs[person].sent, person, each)
                for person, allocations in owed.items()
                for each in allocations
                if each.reviewer == TYPING
            ),
            key=lambda each: each[:2],
        )
        left = {person: list(story.reviews) for person, story in theirs.items()}
        if len(begun) >= 2:
            (_, sent_to, sent), (_, typed_to, half) = begun[0], begun[-1]
            review, draft = left[sent_to].pop(), left[typed_to].pop()
            yield Act(Moment.of(SENT), partial(self.review, sent, review))
            yield Act(Moment.of(TYPED), partial(self.type_review, half, draft))
        for person, story in theirs.items():
            writers = (each for each in owed[person] if each.reviewer != TYPING)
            for allocation, review in zip(writers, left[person][: story.sent], strict=False):
                yield Act(review.at, partial(self.review, allocation, review))

    def owed(self, assignment: str, author: str) -> list[Allocation]:
        """The allocations of an author's submission, in an order that stays."""
        submission = self.submission(assignment, author)
        return [each for each in self.course.store.allocations(assignment) if each.submission == submission]

    def review(self, allocation: Allocation, said: Evaluation) -> None:
        reviewer = self.people[allocation.reviewer]
        self.course.duty(reviewer, allocation.id)
        self.course.review(reviewer, allocation.id, said.judgements, said.strengths, said.suggestions)

    def type_review(self, allocation: Allocation, said: Evaluation) -> None:
        """The first half of a review, as somebody leaves it when the tea is ready."""
        reviewer = self.people[allocation.reviewer]
        self.course.duty(reviewer, allocation.id)
        half = Evaluation(at=said.at, judgements=said.judgements[:2], strengths=said.strengths)
        self.course.keep_draft(reviewer, f"review:{allocation.id}", 1, typed(half))

    # -- finding things ----------------------------------------------------------------------------------------------

    def submission(self, assignment: str, author: str) -> str:
        key = assignment, author
        if key not in self.submissions:
            asked = next(each for each in self.asked.values() if each.id == assignment)
            found = self.course.submission_of(self.people[author], asked)
            assert found is not None, f"{author} has no submission for {assignment}"
            self.submissions[key] = found.id
        return self.submissions[key]

    def turns(self, submission: str, viewer: Person) -> tuple[SeenTurn, ...]:
        return self.course.dialogue(submission, viewer).turns


def turn_of(review: Evaluation | Word, turns: Iterable[SeenTurn]) -> str:
    """The turn of a review, found by its words: an author sees reviews in any order."""
    return next(turn.id for turn in turns if isinstance(turn.what, Review) and turn.what.strengths == review.strengths)


def own_review(story: Story) -> Word:
    """The instructor's own review of a story's submission."""
    return next(word for word in story.then if word.kind == "own-review")


def piece_of(story: Story) -> Piece:
    return next(each for each in pieces() if each.id == story.post)


def standing(story: Story) -> str:
    """The grade that the author proposed last."""
    revised = [word.grade for word in story.then if word.kind in ("answer", "reply") and word.grade]
    return [story.own.grade if story.own else "", *revised][-1]


def typed(said: Evaluation) -> dict[str, object]:
    """An evaluation in the shape of a form's draft."""

    def kept(field: str) -> dict[str, object]:
        return {each.criterion: text for each in said.judgements if (text := getattr(each, field))}

    levels = {each.criterion: each.level for each in said.judgements}
    return {
        "levels": levels,
        "notes": kept("note"),
        "quotes": kept("quote"),
        **({"strengths": said.strengths} if said.strengths else {}),
    }


def judgements_of(story: Story) -> Iterator[Judgement]:
    """Every judgement that anybody makes in a story."""
    for said in (story.own, story.draft, *story.reviews):
        yield from said.judgements if said else ()
    for word in story.then:
        yield from word.judgements
