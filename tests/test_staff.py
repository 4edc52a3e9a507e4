"""What staff see of a class: assistants their own sections, and everybody less where they take part themselves."""

from dataclasses import replace

import pytest

from reviewkit import screens, visibility
from reviewkit.course import Course
from reviewkit.errors import Missing
from reviewkit.model import Person, Role
from reviewkit.store import Store
from tests.cast import ANN, BOB, CYD, DOT, EVE, PROF, TIA, Clock, a_course, levels, self_evaluated


@pytest.fixture
def course(sqlite_store: Store) -> Course:
    """Everybody has sent their self-evaluation, and owes two reviews."""
    course = a_course(sqlite_store, Clock())
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    return course


def divide(course: Course, **sections: str) -> None:
    """Who is in which section, by their ids; the others have none."""
    people = [
        replace(each, sections=tuple(sections.get(each.id, "").split())) for each in (ANN, BOB, CYD, DOT, PROF, TIA)
    ]
    course.store.keep_course(course.setup, people, [])


def submission(course: Course, who: Person) -> str:
    found = course.submission_of(who, course.assignment("river"))
    assert found
    return found.id


def read_by(course: Course, viewer: Person) -> list[str]:
    """Whose submissions somebody of the staff reads: as a dialogue, and as a row of the class table."""
    who = course.person(viewer.id)
    rows = [line.person.id for line in course.class_table(who, course.assignment("river"))]
    opened = list[str]()
    for author in (ANN, BOB, CYD, DOT):
        try:
            course.dialogue(submission(course, author), who)
        except Missing:
            continue
        opened.append(author.id)
    assert rows == opened
    return rows


@pytest.mark.parametrize(
    ("sections", "read"),
    [
        ({}, "ann bob cyd dot"),
        ({"ann": "mon", "bob": "tue", "tia": "mon"}, "ann"),
        ({"ann": "mon", "bob": "tue", "cyd": "tue mon", "tia": "mon tue"}, "ann bob cyd"),
        ({"ann": "mon", "bob": "tue"}, "cyd dot"),
        ({"ann": "mon", "tia": "tue"}, ""),
    ],
    ids=["no sections", "one", "several", "an assistant without one", "one of nobody's"],
)
def test_an_assistant_reads_their_own_sections(course: Course, sections: dict[str, str], read: str) -> None:
    divide(course, **sections)
    assert read_by(course, TIA) == read.split()
    assert read_by(course, PROF) == ["ann", "bob", "cyd", "dot"]


def test_a_section_gives_a_student_or_an_observer_nothing() -> None:
    for who in (BOB, EVE):
        assert not visibility.in_care(replace(who, sections=("mon",)), replace(ANN, sections=("mon",)))
        assert not visibility.in_care(who, ANN)


def test_an_assistant_drafts_for_their_own_sections_alone(course: Course) -> None:
    divide(course, ann="mon", bob="tue", tia="mon")
    tia = course.person("tia")

    def draft(author: Person) -> bool:
        form = f"staff:{submission(course, author)}"
        event = {"type": "draft", "form": form, "revision": 1, "content": {"word": "Hm."}}
        return bool(screens.act(course, tia, "sign-off", event)["ok"])

    assert [draft(ANN), draft(BOB)] == [True, False]
    view = screens.view(course, tia, "sign-off", {"open": submission(course, BOB)})
    assert [line["name"] for line in view["lines"]] == [ANN.name]
    assert view["detail"]["submission"] == submission(course, ANN), "the row that was asked for is not there"
    for word in (BOB.name, submission(course, BOB), "What bob counted"):
        assert word not in str(view)


@pytest.mark.parametrize("role", ["assistant", "instructor"])
def test_the_table_tells_staff_nothing_of_what_they_review(course: Course, role: Role) -> None:
    """Whoever was a student when the reviews were allocated, and owes them still."""
    (given, *_) = course.store.allocations("river", reviewer=BOB.id)
    course.review(BOB, given.id, levels(), "Clear.", "More.")
    staff = replace(BOB, role=role)
    course.store.keep_course(course.setup, [staff], [])
    theirs = {each.submission for each in course.store.allocations("river", reviewer=BOB.id)}
    lines = course.class_table(staff, course.assignment("river"))
    for line in lines:
        if line.submission in theirs:
            told = (line.title, line.self_grade, line.median, line.reviews, line.owed, line.flags, line.waiting_on)
            assert told == ("", "", None, 0, 0, (), "")
        else:
            assert line.title == f"What {line.person.id} counted, part 1"
    assert 0 < len(theirs) < len(lines)
