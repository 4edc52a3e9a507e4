"""What staff see and do of a class: assistants their own sections, everybody less where they take part themselves, and
a post that an instructor freezes for somebody."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens, visibility
from reviewkit.course import Course
from reviewkit.errors import Missing
from reviewkit.model import Feed, Person, Role
from reviewkit.store import Store
from tests.big_class import PROFS, a_big_course
from tests.big_class import STUDENTS as CLASS
from tests.cast import (
    ANN,
    BOB,
    CYD,
    DOT,
    EVE,
    PROF,
    TIA,
    Clock,
    a_course,
    a_post,
    a_self_evaluation,
    levels,
    self_evaluated,
)
from tests.pages import Window


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


def test_a_post_is_frozen_from_the_menu_of_who_chose_none(sqlite_store: Store) -> None:
    clock = Clock()
    course = a_course(sqlite_store, clock)
    course.store.keep_pull(Feed(person=DOT.id, url=DOT.feeds[0]), [a_post(DOT, days_ago=-4, number=2)], seen=clock())
    clock.pass_(days=6)
    detail = screens.view(course, PROF, "sign-off", {"open": DOT.id})["detail"]
    (menu,) = [each for each in detail["more"] if each["act"] == "freeze"]
    late, early = menu["choices"]
    assert [late["text"], late["but"]] == ["“What dot counted, part 2”, Fri 8 May", "It came after the date."]
    assert [early["text"], early["but"]] == ["“What dot counted, part 1”, Sun 3 May", ""]
    event = {"type": "freeze", "assignment": "river", "person": DOT.id, "request": "r"}
    for wrong, field in (
        ({}, "choice"),
        ({"choice": "all", "reason": "R."}, "choice"),
        ({"choice": early["value"]}, "reason"),
    ):
        reply = screens.act(course, PROF, "sign-off", event | {"choice": ""} | wrong)
        assert reply["error"]["field"] == field
    assert screens.act(course, PROF, "sign-off", event | {"choice": late["value"], "reason": "Her site."})["ok"]
    course.self_evaluate(DOT, submission(course, DOT), a_self_evaluation(), seen=1)
    shown = screens.view(course, DOT, "my-work", {"submission": submission(course, DOT)})
    assert (shown["turns"][0]["title"], shown["turns"][0]["text"]) == ("Instructor froze the submission", "Her site.")


def test_of_a_terms_work_all_can_be_frozen(sqlite_store: Store) -> None:
    course = a_big_course(sqlite_store, Clock())
    who = CLASS[0]
    detail = screens.view(course, PROFS[0], "sign-off", {"assignment": "term", "open": who.id})["detail"]
    (menu,) = [each for each in detail["more"] if each["act"] == "freeze"]
    assert menu["choices"][0] == {"value": "all", "text": f"All {len(course.posts(who))} posts", "but": ""}
    event = {"type": "freeze", "assignment": "term", "person": who.id, "request": "r", "choice": "all", "reason": "R."}
    assert screens.act(course, PROFS[0], "sign-off", event)["ok"]
    found = course.submission_of(who, course.assignment("term"))
    assert found
    assert len(found.revisions) == len(course.posts(who)) > 1


@pytest.mark.browser
def test_an_instructor_freezes_a_post_for_somebody_on_the_page(browser: Browser, sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    window = Window(browser, course)
    page = window.open("sign-off", PROF, params={"open": DOT.id})
    page["more"].click()
    page["more-freeze"].click()
    expect(page["dialog"]).to_contain_text(f"Freeze a post for {DOT.name}?")
    assert page.violations() == []
    page["dialog-confirm"].click()
    expect(page["note-error"]).to_contain_text("Write why you freeze it")
    page["field-reason"].fill("Her site is down.")
    page["dialog-confirm"].click()
    expect(page["toast"]).to_contain_text("Frozen.")
    expect(page["whole-dialogue"]).to_be_visible()
    expect(page.tab.locator("#pane-title")).to_have_text(DOT.name)
    assert course.dialogue(submission(course, DOT), PROF).stage == "frozen"
    assert window.close() == []
