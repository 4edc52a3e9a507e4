"""A course on disk in the middle of its blind reviews, in which every text says whose it is."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from reviewkit.course import Course
from reviewkit.feeds.drawing import remade
from reviewkit.model import Feed, Person, SelfEvaluation
from tests.cast import ANN, STUDENTS, a_post, frozen, levels
from tests.serving import a_course_folder, the_course


def words(person: Person) -> str:
    """What only somebody who may read this person's self-evaluation can find."""
    return f"own-words-of-{person.id}"


def remark(person: Person) -> str:
    """What only somebody who may read this person's reviews can find."""
    return f"remark-by-{person.id}"


def piece(person: Person) -> str:
    """What only somebody who may read this person's post can find; it stays in the masked copy."""
    return f"the river gauge number {100 + ord(person.id[0])}"


def post(person: Person) -> str:
    """The title of a person's post, which names them."""
    return f"What {person.id} counted, part 2"


@dataclass(frozen=True, kw_only=True)
class Round:
    """Ann's submission, who reviews it and who does not."""

    course_file: Path
    submissions: Mapping[str, str]
    reviewer: Person
    """A student who reviews Ann's submission."""
    other: Person
    """A student who has nothing to do with it."""
    duty: str
    """The reviewer's review of it, by the only id they know it under."""

    picture: str
    """The name of the picture in Ann's post."""

    @property
    def submission(self) -> str:
        return self.submissions[ANN.id]


def a_round_under_way(folder: Path) -> Round:
    """Everybody has evaluated their own post and reviewed two others; nothing is revealed."""
    course_file = a_course_folder(folder)
    course, now = the_course(course_file), datetime.now(UTC)
    pictures = dict[str, str]()
    for person in STUDENTS:
        entry = a_post(person, days_ago=0.5, number=2)
        entry = replace(
            entry, html=f"{entry.html}<p>This is {piece(person)}.</p>", text=f"{entry.text} {piece(person)}"
        )
        pictures[person.id] = shown = _picture(course, person)
        image = f'<p><img src="/pictures/{shown}" alt="The gauge" width="1200" height="800"></p>'
        entry = replace(entry, html=f"{entry.html}{image}")
        course.store.keep_pull(Feed(person=person.id, url=person.feeds[0], tried=now), [entry], seen=now)
    made = frozen(course)
    for person in STUDENTS:
        said = SelfEvaluation(judgements=levels(), strengths=words(person), improvements="Link the log.", grade="82")
        course.self_evaluate(person, made[person.id], said, seen=1)
    course.allocate(course.plan("river", seed=1))
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), remark(person), "Show the log.")
    reviewers = reviewers_of(course, made[ANN.id])
    known = {person.id: person for person in STUDENTS}
    reviewer = known[min(reviewers)]
    (other,) = set(known) - {ANN.id, *reviewers}
    round_ = Round(
        course_file=course_file,
        submissions=made,
        reviewer=reviewer,
        other=known[other],
        duty=reviewers[reviewer.id],
        picture=pictures[ANN.id],
    )
    course.store.close()
    return round_


def _picture(course: Course, person: Person) -> str:
    """The copy of a picture in this person's post: a drawing of a gauge, in their own colour."""
    out, shade = io.BytesIO(), sum(person.id.encode()) % 200
    drawn = Image.new("RGB", (1200, 800), (shade, 140, 200 - shade))
    for step in range(0, 1200, 60):
        drawn.paste((240, 240, 230), (step, 760 - step // 2, step + 30, 790))
    drawn.save(out, "PNG")
    copied = course.store.keep_picture(
        f"https://pictures.example/{person.id}.png", remade(out.getvalue()), tries=1, at=datetime.now(UTC)
    )
    assert copied
    return copied.name


def reviewers_of(course: Course, submission: str) -> dict[str, str]:
    """Who reviews it: person -> the id of their review."""
    return {each.reviewer: each.id for each in course.store.allocations() if each.submission == submission}
