"""The cast: Ann wrote, Bob, Cyd and Dot review, Eve has no business here, Tia assists, Prof signs. And a clock that
obeys."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from reviewkit.course import Course
from reviewkit.model import (
    Answer,
    Assignment,
    Entry,
    Feed,
    Judgement,
    Mode,
    Person,
    Reviews,
    SelfEvaluation,
    Setup,
    Tag,
)
from reviewkit.rubric import parse
from reviewkit.store import Store

MONDAY = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)

RUBRIC = """# Data stories

What a good data story does.

| Criterion | Beginning | Developing | Secure | Extending |
| --- | --- | --- | --- | --- |
| Claim | The topic is named. | A claim arrives late. | One claim, kept to. | One claim, with its limits. |
| Evidence | No support. | Some support. | Each claim has a source. | Sources are weighed. |
"""

ANN = Person(id="ann", name="Ann Lindqvist", email="ann.l@quillmail.example", feeds=("https://inkwren.example/feed",))
BOB = Person(id="bob", name="Bob Okonjo", email="okonjo@parrotpost.example", feeds=("https://tidepool.example/feed",))
CYD = Person(id="cyd", name="Cyd Marchetti", email="cyd@foxglove.example", feeds=("https://foxglove.example/feed",))
DOT = Person(id="dot", name="Dot Yilmaz", email="dot@mapleline.example", feeds=("https://mapleline.example/feed",))
EVE = Person(id="eve", name="Eve Nakamura", email="eve@elsewhere.example", role="observer")
TIA = Person(id="tia", name="Tia Vermeulen", email="tia@college.example", role="assistant")
"""Helps the instructor; not among PEOPLE."""
PROF = Person(id="prof", name="Prof. Adaeze Brandt", email="brandt@college.example", role="instructor")
STUDENTS = (ANN, BOB, CYD, DOT)
PEOPLE = (*STUDENTS, EVE, PROF)


@dataclass
class Clock:
    """The time, which moves only when it is told to."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


def a_setup(*, mode: Mode = "double-blind", count: int = 2) -> Setup:
    return Setup(
        title="Data Stories",
        tag="datastories",
        timezone="Europe/Berlin",
        starts=MONDAY - timedelta(days=30),
        reviews=Reviews(count=count, minimum=2, mode=mode),
        assignments=(
            Assignment(
                id="river",
                title="A story with numbers",
                rubric="data-stories",
                freeze_by=MONDAY + timedelta(days=3),
                self_by=MONDAY + timedelta(days=5),
                review_by=MONDAY + timedelta(days=10),
                answer_by=MONDAY + timedelta(days=14),
                sign_by=MONDAY + timedelta(days=20),
            ),
        ),
    )


def a_post(person: Person, *, days_ago: float = 1, number: int = 1) -> Entry:
    """A post with the course's tag on the person's own site, which names its author in several places."""
    host = person.feeds[0].removesuffix("/feed")
    title = f"What {person.id} counted, part {number}"
    text = f"I am {person.name}. The gauge was silent in eleven weeks. So the readings I had were the calm ones."
    return Entry(
        guid=f"{host}/?p={number}",
        link=f"{host}/{number}",
        title=title,
        author=person.name,
        published=MONDAY - timedelta(days=days_ago),
        tags=(Tag(tag="datastories", found="category"),),
        html=f"<p>I am {person.name}.</p><p>The gauge was silent in eleven weeks. So the readings I had were the calm "
        f'ones. See <a href="{host}/map">my map</a>.</p>',
        text=text,
        digest=sha256((title + text).encode()).hexdigest(),
    )


def a_course(store: Store, clock: Clock, *, mode: Mode = "double-blind", count: int = 2) -> Course:
    """A course whose four students have one post each, pulled a moment ago."""
    store.keep_course(a_setup(mode=mode, count=count), PEOPLE, [parse(RUBRIC, name="data-stories")])
    for person in STUDENTS:
        store.keep_pull(Feed(person=person.id, url=person.feeds[0]), [a_post(person)], seen=clock())
    return Course(store, clock=clock)


def levels(claim: int = 2, evidence: int = 2, *, note: str = "Because of the gauge.") -> tuple[Judgement, ...]:
    quote = "The gauge was silent in eleven weeks."
    return (
        Judgement(criterion="claim", level=claim, note=note),
        Judgement(criterion="evidence", level=evidence, note=note, quote=quote),
    )


def a_self_evaluation(grade: str = "82") -> SelfEvaluation:
    return SelfEvaluation(judgements=levels(2, 3), strengths="Two marks.", improvements="Link the log.", grade=grade)


def frozen(course: Course, *people: Person) -> dict[str, str]:
    """Everybody chooses their newest post; person -> submission."""
    made = {}
    for person in people or STUDENTS:
        post = course.candidates(person, course.assignment("river"))[0]
        made[person.id] = course.freeze(person, "river", [post.id])
    return made


def self_evaluated(course: Course, *people: Person) -> dict[str, str]:
    made = frozen(course, *people)
    for person in people or STUDENTS:
        course.self_evaluate(person, made[person.id], a_self_evaluation(), seen=1)
    return made


def reviewed(course: Course) -> dict[str, str]:
    """Allocated, and everybody has given all their reviews."""
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), f"Fine rings, says {person.name}.", "Show the log.")
    return made


def revealed(course: Course) -> dict[str, str]:
    made = reviewed(course)
    course.reveal("river", by=PROF)
    return made


def answered(course: Course) -> dict[str, str]:
    """Everybody has answered their reviews: all wait for the instructor."""
    made = revealed(course)
    for person in STUDENTS:
        for review in [turn for turn in course.dialogue(made[person.id], person).turns if turn.kind == "review"]:
            seen = len(course.dialogue(made[person.id], person).turns)
            course.answer(person, made[person.id], Answer(review=review.id, text="Fair."), seen=seen)
    return made


def rested(course: Course) -> None:
    """The ten seconds are over, and what rested in people's outboxes is done."""
    assert isinstance(course.clock, Clock)
    course.clock.pass_(seconds=10)
    course.flush()
