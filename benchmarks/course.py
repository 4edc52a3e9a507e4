"""A course as it is used: 24 students and three rounds on disk. Two rounds are over; in the third everybody has frozen
a post and nobody has evaluated it yet, so that My work shows the form: five criteria with four levels.
"""

import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from reviewkit import open_course
from reviewkit.course import Course
from reviewkit.model import Accept, Answer, Entry, Feed, Judgement, Person, SelfEvaluation, Tag

HERE = Path(__file__).parent
STUDENTS, CRITERIA = 24, ("question", "method", "observations", "reasoning", "readability")
ROUNDS = ("gauge", "market", "bridge")
COURSE = """[course]
title = "Field notes"
tag = "fieldnotes"
timezone = "Europe/Berlin"

[store]
database = "sqlite:///course.db"
"""
ROUND = """
[[assignments]]
id = "{id}"
title = "Report on the {id}"
tag = "{id}"
rubric = "field-report"
"""
TEXT = (
    "the gauge at bridge was silent for eleven weeks and what we read there came from calm mornings only so I went "
    "twice each day with a notebook counting steps boats people birds until numbers stopped surprising me"
)


def make(folder: Path) -> Path:
    """Write the course into an empty folder; gives the course file. Takes a few seconds."""
    (folder / "rubrics").mkdir(parents=True)
    rubric = (HERE.parent / "rubrics" / "field-report.md").read_text("utf-8")
    (folder / "rubrics" / "field-report.md").write_text(rubric, "utf-8")
    due = (datetime.now(UTC) + timedelta(days=6)).replace(microsecond=0, tzinfo=None).isoformat()
    rounds = [ROUND.format(id=each) for each in ROUNDS]
    rounds[-1] += f"self_by = {due}\n"
    (folder / "course.toml").write_text(COURSE + "".join(rounds), "utf-8")
    rows = ["id,name,email,role,feeds", "prof,Prof. Brandt,brandt@college.example,instructor,"]
    rows += [f"s{n:02},Student {n:02},s{n:02}@mail.example,student,{_site(n)}/feed" for n in range(STUDENTS)]
    (folder / "roster.csv").write_text("\n".join(rows) + "\n", "utf-8")
    course = open_course(folder / "course.toml")
    assert isinstance(course, Course)
    students = [each for each in course.people() if each.role == "student"]
    for number, person in enumerate(students):
        posts = [_post(person, number, each) for each in range(2 * len(ROUNDS))]
        course.store.keep_pull(
            Feed(person=person.id, url=person.feeds[0], tried=course.clock()), posts, seen=course.clock()
        )
    for each in ROUNDS[:-1]:
        _whole_round(course, each, students)
    _frozen(course, ROUNDS[-1], students)
    course.store.close()
    return folder / "course.toml"


def _site(number: int) -> str:
    return f"https://site{number:02}.example"


def _post(person: Person, number: int, which: int) -> Entry:
    some = random.Random(f"{number} {which}")  # the same posts in every run
    paragraphs = [" ".join(some.choices(TEXT.split(), k=110)).capitalize() + "." for _ in range(6)]
    title, text = f"Report {which} of {person.name}", "\n\n".join(paragraphs)
    return Entry(
        guid=f"{_site(number)}/?p={which}",
        link=f"{_site(number)}/{which}",
        title=title,
        author=person.name,
        published=datetime.now(UTC) - timedelta(days=10 - which),
        tags=tuple(Tag(tag=tag, found="category") for tag in ("fieldnotes", ROUNDS[which % len(ROUNDS)])),
        html="".join(f"<p>{each}</p>" for each in paragraphs),
        text=text,
        digest=sha256((title + text).encode()).hexdigest(),
    )


def _frozen(course: Course, round_: str, students: list[Person]) -> dict[str, str]:
    asked = course.assignment(round_)
    return {each.id: course.freeze(each, round_, [course.candidates(each, asked)[0].id]) for each in students}


def _whole_round(course: Course, round_: str, students: list[Person]) -> None:
    """From the frozen posts to the signatures."""
    note = "The counting is told so that somebody else could do it tomorrow, but for the mornings with rain."
    judgements = tuple(Judgement(criterion=each, level=2, note=note) for each in CRITERIA)
    said = SelfEvaluation(judgements=judgements, strengths=note, improvements=note, grade="82")
    made = _frozen(course, round_, students)
    for each in students:
        course.self_evaluate(each, made[each.id], said, seen=1)
    course.allocate(course.plan(round_, seed=1))
    for each in students:
        for duty in course.duties(each):
            if duty.assignment.id == round_:
                course.review(each, duty.id, judgements, note, note)
    (prof,) = (each for each in course.people() if each.role == "instructor")
    course.reveal(round_, by=prof)
    for each in students:
        for turn in course.dialogue(made[each.id], each).turns:
            if turn.kind == "review":
                seen = len(course.dialogue(made[each.id], each).turns)
                course.answer(each, made[each.id], Answer(review=turn.id, text=note), seen=seen)
        seen = len(course.dialogue(made[each.id], prof).turns)
        course.accept(prof, made[each.id], Accept(grade="82", text=note), seen=seen)
