"""What an export looks like to the scripts and spreadsheets that rely on it."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reviewkit import exchange
from reviewkit.course import Course
from reviewkit.exports import rows_of
from reviewkit.model import Accept, Dialogue, Post, Revision, Tag
from reviewkit.store import Store
from tests.cast import ANN, PROF, Clock, a_course, answered, reviewed

SEEN = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
POST = Post(
    id="p1",
    person="ann",
    feed="https://ann.example/feed",
    guid="g1",
    link="https://ann.example/1",
    author="Ann",
    published=datetime(2026, 5, 1, 12, tzinfo=UTC),
    tags=(Tag(tag="datastories", found="category"),),
    revisions=(Revision(digest="d1", seen=SEEN, title="One", html="<p>Text</p>", text="Text"),),
)


def signed(store: Store) -> Course:
    """A course whose first submission is signed at 82."""
    course = a_course(store, Clock())
    submission = answered(course)["ann"]
    seen = len(course.dialogue(submission, PROF).turns)
    course.accept(PROF, submission, Accept(grade="82"), seen=seen)
    return course


def test_a_post_has_its_agreed_fields_and_times_in_utc() -> None:
    (row,) = exchange.posts([POST])
    assert row == {
        "person": "ann",
        "feed": "https://ann.example/feed",
        "guid": "g1",
        "link": "https://ann.example/1",
        "title": "One",
        "published": "2026-05-01T12:00:00Z",
        "author": "Ann",
        "tags": [{"tag": "datastories", "found": "category"}],
        "revisions": [{"digest": "d1", "seen": "2026-05-04T08:30:00Z", "title": "One", "text": "Text"}],
    }


def test_a_post_without_a_date_says_null_and_a_post_that_is_gone_says_when() -> None:
    (row,) = exchange.posts([replace(POST, published=None, gone=SEEN)])
    assert row["published"] is None
    assert row["gone"] == "2026-05-04T08:30:00Z"


def test_submissions_have_a_stage(sqlite_store: Store) -> None:
    course = signed(sqlite_store)
    rows = list(exchange.submissions(course.store.dialogues()))
    assert all(list(row) == ["id", "person", "assignment", "stage"] for row in rows)
    assert {row["person"]: row["stage"] for row in rows} == {
        "ann": "signed",
        "bob": "with instructor",
        "cyd": "with instructor",
        "dot": "with instructor",
    }


def test_allocations_say_who_owes_what(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    reviewed(course)
    rows = list(exchange.allocations(course.store.allocations(), course.store.dialogues()))
    assert all(list(row) == ["reviewer", "author", "submission", "pseudonym", "status"] for row in rows)
    assert {row["status"] for row in rows} == {"given"}
    assert all(row["reviewer"] != row["author"] for row in rows)


def test_turns_have_shared_fields_first_and_their_own_after_them(sqlite_store: Store) -> None:
    course = signed(sqlite_store)
    rows = list(exchange.turns(*course.store.sealed()))
    assert all(tuple(row)[:9] == exchange.TURN_FIELDS for row in rows)
    mine = [row for row in rows if row["submission"] == rows[0]["submission"]]
    assert [row["sequence"] for row in mine] == list(range(len(mine)))
    assert [row["previous"] for row in mine[1:]] == [row["digest"] for row in mine[:-1]]
    evaluation = next(row for row in rows if row["kind"] == "self-evaluation")
    assert evaluation["grade"] == "82"
    assert evaluation["judgements"][0]["criterion"] == "claim"
    assert datetime.fromisoformat(evaluation["at"]).tzinfo is not None


def test_only_what_an_instructor_signed_is_a_grade(sqlite_store: Store) -> None:
    course = signed(sqlite_store)
    (row,) = exchange.grades(course.store.dialogues(), course.setup)
    assert list(row) == ["person", "assignment", "grade", "scale", "agreed", "at"]
    assert (row["person"], row["grade"], row["scale"], row["agreed"]) == ("ann", "82", "0-100", True)


def test_an_author_s_own_signature_is_not_a_grade(sqlite_store: Store) -> None:
    course = signed(sqlite_store)
    (ann,) = [each for each in course.store.dialogues() if each.submission.person == ANN.id]
    without = Dialogue(submission=ann.submission, turns=ann.turns[:-1])
    assert list(exchange.grades([without], course.setup)) == []


def test_the_workbook_is_a_row_for_each_of_its_rows(sqlite_store: Store) -> None:
    course = signed(sqlite_store)
    rows = list(exchange.workbook({"Sign-off": [{"id": "RK-1"}], "Key": []}))
    assert rows == [{"tab": "Sign-off", "id": "RK-1"}]
    whole = list(rows_of("workbook", course, Path("course.toml")))
    assert {row["tab"] for row in whole} == {"Sign-off", "Dialogue", "Rubric", "Round", "Key"}
    assert len([row for row in whole if row["tab"] == "Sign-off"]) == 4


# -- JSON and CSV


def test_no_rows_are_an_empty_list_and_a_line_of_headers() -> None:
    assert json.loads(exchange.as_json([])) == []
    assert exchange.as_csv([], exchange.FIELDS["grades"]) == "person,assignment,grade,scale,agreed,at\r\n"


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text() | st.integers() | st.none() | st.booleans())))
def test_json_is_what_it_was(rows: list[dict[str, object]]) -> None:
    assert json.loads(exchange.as_json(rows)) == rows


@given(st.text())
def test_no_cell_of_a_csv_is_a_formula_and_no_text_is_lost(text: str) -> None:
    header, cell = csv.reader(io.StringIO(exchange.as_csv([{"title": text, "x": 1}]), newline=""))
    assert header == ["title", "x"]
    assert not cell[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell[0] in (text, f"'{text}")


def test_numbers_stay_numbers_and_lists_are_json_in_their_cell() -> None:
    text = exchange.as_csv([{"sequence": -1, "agreed": True, "tags": [{"tag": "é"}], "gone": None}])
    assert text == 'sequence,agreed,tags,gone\r\n-1,true,"[{""tag"": ""é""}]",\r\n'
