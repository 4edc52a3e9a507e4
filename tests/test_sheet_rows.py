"""What stands in the sheet, and what is made of a tab that people worked in. No file, no network."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewkit.sheet.reconcile import Found, Plan, look, read_typed, reconcile, text_of
from reviewkit.sheet.rows import (
    CELL_LIMIT,
    DIALOGUE,
    ID,
    LAYOUTS,
    SEAL,
    SIGN_OFF,
    Projection,
    SignOffRow,
    Tab,
    Typed,
    cell,
    row_id,
    sealed_id,
    tabs,
)
from tests.sheet_cast import ANN, DAN, NASTY, projection

Grid = list[list[str]]


def tab(name: str, shown: Projection | None = None) -> Tab:
    return next(each for each in tabs(shown or projection()) if each.layout.name == name)


def applied(grid: Grid, plan: Plan) -> Grid:
    """The grid after a plan, as a book would leave it."""
    rows = [list(row) for row in ([[], *grid] if plan.insert_header else grid)]
    for put in plan.puts:
        rows += [[] for _ in range(put.row + 1 - len(rows))]
        rows[put.row] += [""] * (put.column + 1 - len(rows[put.row]))
        rows[put.row][put.column] = put.text
    return [*rows, *(list(line) for line in plan.append)]


def written(name: str = "Sign-off", shown: Projection | None = None) -> Grid:
    wanted = tab(name, shown)
    return applied([], reconcile(wanted, look(wanted.layout, [])))


def synced(grid: Grid, shown: Projection | None = None, **hints: int) -> tuple[Grid, Plan]:
    plan = reconcile(tab("Sign-off", shown), look(SIGN_OFF, grid, hints=hints))
    return applied(grid, plan), plan


def typed(grid: Grid) -> tuple[list[Typed], list[str]]:
    """The rows in which something stands, and what could not be read."""
    read, problems = read_typed(look(SIGN_OFF, grid))
    return [each for each in read if each != Typed(submission=each.submission)], problems


def place(grid: Grid, header: str) -> int:
    return grid[0].index(header)


def row_of(grid: Grid, id: str) -> list[str]:
    (found,) = [row for row in grid if id in row]
    return found


def decide(grid: Grid, id: str, decision: str, grade: str = "", comment: str = "") -> Grid:
    row = row_of(grid, id)
    for header, text in (("decision", decision), ("grade", grade), ("comment", comment)):
        row[place(grid, header)] = text
    return grid


# -- the rows ------------------------------------------------------------------------------------------------------


def test_the_sign_off_tab_has_the_headers_that_people_and_scripts_rely_on() -> None:
    assert SIGN_OFF.headers[:-1] == (
        "id",
        "student",
        "assignment",
        "post",
        "link",
        "self",
        "peers' median",
        "peers' range",
        "flags",
        "stage",
        "waiting for",
        "decision",
        "grade",
        "comment",
        "status",
    )
    assert SIGN_OFF.inputs == ("decision", "grade", "comment")


def test_the_workbook_has_a_tab_for_each_thing_and_every_row_an_id() -> None:
    shown = tabs(projection())
    assert [each.layout for each in shown] == list(LAYOUTS)
    assert [each.layout.name for each in shown] == ["Sign-off", "Dialogue", "Rubric", "Round", "Key"]
    for each in shown:
        assert each.rows
        assert all(ID.fullmatch(id) and cells["id"] == id for id, cells in each.rows.items())


def test_every_turn_is_a_row_of_the_dialogue_with_its_words() -> None:
    rows = list(tab("Dialogue").rows.values())
    assert [row["text"] for row in rows] == list(NASTY)
    assert rows[3]["sequence"] == "3"
    assert {row["submission"] for row in rows} == {ANN}


def test_the_product_writes_nothing_into_input_columns() -> None:
    assert not set(SIGN_OFF.inputs) & set(tab("Sign-off").rows[ANN])


def test_a_row_without_a_proper_id_is_a_bug_and_not_a_row() -> None:
    with pytest.raises(ValueError, match="RK-7F3A2C91"):
        tabs(projection(submissions=(SignOffRow(id="12", student="Ann", assignment="a", post="p", stage="frozen"),)))


def test_two_rows_with_one_id_are_a_bug() -> None:
    (ann, _) = projection().submissions
    with pytest.raises(ValueError, match="two rows"):
        tabs(projection(submissions=(ann, ann)))


def test_ids_that_the_product_makes_are_stable_and_look_like_ids() -> None:
    assert row_id("a", "b") == row_id("a", "b") != row_id("ab")
    assert ID.fullmatch(row_id("a", "b"))


def test_a_seal_names_its_row_without_looking_like_a_second_id() -> None:
    sealed = tab("Sign-off").rows[ANN][SEAL]
    assert sealed_id(sealed) == ANN
    assert ANN not in sealed
    assert sealed_id("some words") == ""


def test_a_text_that_fits_is_shown_as_it_is() -> None:
    for text in NASTY:
        assert cell(text, "there") == text


def test_a_long_text_is_shortened_with_a_pointer_to_all_of_it() -> None:
    shown = cell("word " * 20_000, "https://course.example/sign-off")
    assert shown.startswith("word word")
    assert shown.endswith("[shortened here; all 100,000 characters: https://course.example/sign-off]")
    assert len(shown) <= CELL_LIMIT


@given(st.text(), st.integers(1, 40_000))
def test_no_text_is_longer_than_a_cell_or_holds_what_a_file_cannot(text: str, times: int) -> None:
    shown = cell(text * min(times, 40_000 // max(1, len(text)) + 1), "there")
    assert len(shown.encode("utf-16-le")) <= CELL_LIMIT * 2
    assert not set(shown) & {"\x00", "\x0b", "\x1f", "\r", "\ufffe"}


def test_emoji_count_as_the_two_units_that_they_are_in_a_spreadsheet() -> None:
    shown = cell("🦊" * 20_000, "there")
    assert len(shown.encode("utf-16-le")) // 2 <= CELL_LIMIT
    assert "\N{REPLACEMENT CHARACTER}" not in shown


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (82, "82"), (82.0, "82"), (82.5, "82.5"), (True, "TRUE"), ("a\r\nb", "a\nb"), ("007", "007")],
)
def test_values_of_any_kind_come_in_as_text(value: object, text: str) -> None:
    assert text_of(value) == text


# -- what was typed ------------------------------------------------------------------------------------------------


def test_a_decision_is_read_with_the_id_of_its_row() -> None:
    grid = decide(written(), ANN, " Accept ", "82", " well argued ")
    assert typed(grid) == ([Typed(submission=ANN, decision="accept", grade="82", comment="well argued")], [])


def test_a_decision_comes_with_the_grade_that_the_instructor_was_looking_at() -> None:
    ((said,), _) = typed(decide(written(), ANN, "accept"))
    assert said.shown == "82"


def test_rows_in_which_nothing_was_typed_say_so() -> None:
    read, problems = read_typed(look(SIGN_OFF, written()))
    assert {each.submission for each in read} == {ANN, DAN}
    assert all(each == Typed(submission=each.submission) for each in read)
    assert problems == []


def test_a_word_that_is_no_decision_is_handed_on_to_be_refused_in_words() -> None:
    ((said,), problems) = typed(decide(written(), DAN, "ACCEPTED!!"))
    assert said.decision == "accepted!!"
    assert not problems


def test_decisions_follow_their_rows_through_a_sort_and_through_moved_columns() -> None:
    grid = decide(written(), DAN, "discuss", "60")
    shuffled = [list(reversed(row)) for row in (grid[0], grid[2], grid[1])]
    assert typed(shuffled) == ([Typed(submission=DAN, decision="discuss", grade="60")], [])


def test_a_decision_is_read_though_the_id_was_pushed_into_another_column() -> None:
    grid = decide(written(), ANN, "accept")
    row = row_of(grid, ANN)
    row[0], row[1] = "first!", ANN
    assert typed(grid)[0] == [Typed(submission=ANN, decision="accept")]


def test_a_decision_beside_no_id_is_reported_and_given_to_nobody() -> None:
    grid = [*written(), [""] * len(SIGN_OFF.headers)]
    grid[-1][place(grid, "decision")] = "accept"
    said, problems = typed(grid)
    assert said == []
    assert "row 4" in problems[0]


def test_two_rows_with_one_id_and_different_inputs_are_reported_and_neither_is_read() -> None:
    grid = decide(written(), ANN, "accept")
    copy = list(row_of(grid, ANN))
    copy[place(grid, "decision")] = "discuss"
    said, problems = typed([*grid, copy])
    assert said == []
    assert ANN in problems[0]
    assert "Delete the wrong row" in problems[0]


def test_a_plain_copy_of_a_row_is_read_once() -> None:
    grid = decide(written(), ANN, "accept")
    assert typed([*grid, list(row_of(grid, ANN))]) == ([Typed(submission=ANN, decision="accept")], [])


def test_the_same_input_has_the_same_digest_and_another_has_another() -> None:
    one = Typed(submission=ANN, decision="accept", grade="8", comment="2")
    assert one.digest == replace(one, submission=DAN).digest
    assert one.digest != replace(one, grade="82", comment="").digest


# -- what is written -----------------------------------------------------------------------------------------------


def test_an_empty_tab_gets_its_headers_and_a_row_for_each() -> None:
    grid = written()
    assert tuple(grid[0]) == SIGN_OFF.headers
    assert [row[0] for row in grid[1:]] == [ANN, DAN]


def test_writing_twice_writes_nothing() -> None:
    for layout in LAYOUTS:
        grid = written(layout.name)
        plan = reconcile(tab(layout.name), look(layout, grid))
        assert (plan.written, plan.restored, plan.problems) == (0, (), ())


def test_a_new_state_is_written_into_the_row_and_nobody_is_blamed_for_it() -> None:
    ann, dan = projection().submissions
    grid, plan = synced(written(), projection(submissions=(replace(ann, stage="agreed"), dan)))
    assert row_of(grid, ANN)[place(grid, "stage")] == "agreed"
    assert plan.written == 1
    assert plan.restored == ()


def test_an_overwritten_cell_is_restored_and_reported() -> None:
    before = written()
    edited = [list(row) for row in before]
    row_of(edited, ANN)[place(before, "self")] = "100"
    grid, plan = synced(edited)
    assert grid == before
    assert plan.restored == (f"Sign-off, {ANN}: self had been edited and is as before.",)


def test_an_overwritten_id_is_restored_into_its_row_with_its_decision() -> None:
    before = decide(written(), ANN, "accept")
    edited = [list(row) for row in before]
    row_of(edited, ANN)[0] = "zzz"
    assert typed(edited)[0] == [Typed(submission=ANN, decision="accept")]
    grid, plan = synced(edited)
    assert grid == before
    assert "id had been edited" in plan.restored[0]


def test_inputs_are_never_written() -> None:
    grid = decide(written(), ANN, "=WEBSERVICE(1)", "100", "mine")
    assert synced(grid)[0] == grid


def test_a_deleted_row_comes_back_at_the_end() -> None:
    before = written()
    grid, plan = synced([before[0], before[2]])
    assert sorted(grid) == sorted(before)
    assert grid[-1] == before[1]
    assert plan.written == 1


def test_rows_and_titles_that_people_put_in_stay_where_they_are() -> None:
    before = written()
    edited = [["My class"], [], before[0], ["group A"], before[2], [], before[1]]
    grid, plan = synced(edited)
    assert grid == edited
    assert plan.written == 0


def test_columns_that_people_put_in_are_left_alone_and_ours_are_found_beside_them() -> None:
    before = written()
    edited = [[f"note {number}", row[0], "x", *row[1:]] for number, row in enumerate(before)]
    ann, dan = projection().submissions
    grid, _ = synced(edited, projection(submissions=(replace(ann, stage="agreed"), dan)))
    assert [row[0] for row in grid] == ["note 0", "note 1", "note 2"]
    assert row_of(grid, ANN)[place(grid, "stage")] == "agreed"


def test_a_renamed_header_is_restored_and_its_column_still_read() -> None:
    before = decide(written(), ANN, "accept")
    edited = [list(row) for row in before]
    edited[0][place(before, "decision")] = "What to do?"
    assert typed(edited)[0] == [Typed(submission=ANN, decision="accept")]
    grid, plan = synced(edited)
    assert grid == before
    assert plan.restored == ("Sign-off: the header “decision” was “What to do?” and is back.",)


def test_a_deleted_header_row_comes_back_at_the_top() -> None:
    before = written()
    hints = {name: index for index, name in enumerate(SIGN_OFF.headers)}
    grid, plan = synced(before[1:], **hints)
    assert grid == before
    assert "headers" in plan.restored[0]


def test_a_deleted_column_stands_anew_at_the_right() -> None:
    before = written()
    at = place(before, "stage")
    grid, plan = synced([row[:at] + row[at + 1 :] for row in before])
    assert grid[0][-1] == "stage"
    assert row_of(grid, ANN)[-1] == "with instructor"
    assert plan.restored == ("Sign-off: the column “stage” was gone; a new one stands at the right.",)
    assert synced(grid)[1].written == 0


def test_two_swapped_headers_are_put_right_where_the_columns_are_known() -> None:
    before = decide(written(), ANN, "accept", comment="fine")
    hints = {name: index for index, name in enumerate(SIGN_OFF.headers)}
    edited = [list(row) for row in before]
    decision, comment = place(before, "decision"), place(before, "comment")
    edited[0][decision], edited[0][comment] = "comment", "decision"
    found = look(SIGN_OFF, edited, hints=hints)
    assert Typed(submission=ANN, decision="accept", comment="fine") in read_typed(found)[0]
    assert synced(edited, **hints)[0] == before


def test_columns_that_moved_after_they_were_looked_up_are_found_by_their_headers() -> None:
    stale = {name: index for index, name in enumerate(SIGN_OFF.headers)}
    edited = [["", *row] for row in written()]
    grid, plan = synced(edited, **stale)
    assert grid == edited
    assert plan.written == 0


def test_a_copied_row_is_reported_and_never_multiplied() -> None:
    before = written()
    grid, plan = synced([*before, list(before[1])])
    assert len(grid) == 4
    assert plan.problems == (f"Sign-off: 2 rows have the id {ANN}. Delete the copies.",)


def test_a_copy_of_our_cells_without_its_id_is_emptied() -> None:
    before = written()
    copy = ["", *before[1][1:]]
    grid, plan = synced([*before, copy])
    assert not any(grid[3])
    assert ANN in plan.problems[0]


def test_rows_of_another_course_are_reported_and_left_alone() -> None:
    before = [*written(), ["RK-0000BEEF", "Zoe"]]
    grid, plan = synced(before)
    assert grid == before
    assert "RK-0000BEEF" in plan.problems[0]


def test_turns_are_found_by_their_own_id_and_not_by_that_of_their_submission() -> None:
    grid = written("Dialogue")
    found: Found = look(DIALOGUE, grid)
    assert len(set(found.ids) - {""}) == len(NASTY)


@given(st.data())
def test_whatever_order_rows_and_columns_are_brought_into_nothing_is_lost_or_doubled(data: st.DataObject) -> None:
    before = decide(written(), ANN, "accept", "82")
    columns = data.draw(st.permutations(range(len(before[0]))))
    body = data.draw(st.permutations([*before[1:], ["", "a note"], []]))
    width = len(before[0])
    edited = [[(row + [""] * width)[column] for column in columns] for row in (before[0], *body)]
    assert typed(edited) == ([Typed(submission=ANN, decision="accept", grade="82")], [])
    grid, plan = synced(edited)
    assert grid == edited
    assert plan.written == 0
