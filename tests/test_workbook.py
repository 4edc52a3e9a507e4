"""The instructor workbook as an .xlsx file: what Prof does to it in a spreadsheet program, and what comes back."""

import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reviewkit.errors import SheetError
from reviewkit.sheet import Book, SheetBusy, SheetChanged, Typed, open_book
from reviewkit.sheet.workbook import WorkbookBook, read, write
from tests.sheet_cast import ANN, DAN, NASTY, Prof, projection

Edit = Callable[[Any], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "course.xlsx"


@pytest.fixture
def prof() -> Prof:
    return Prof()


@pytest.fixture
def book(path: Path, prof: Prof) -> WorkbookBook:
    """A workbook that was synced once."""
    book = WorkbookBook(path)
    book.cycle(prof)
    return book


def edit(path: Path, change: Edit, tab: str = "Sign-off") -> None:
    """Open, change and save, as a person does."""
    workbook = openpyxl.load_workbook(path)
    change(workbook[tab])
    workbook.save(path)


def column(sheet: Any, header: str) -> int:
    return next(cell.column for row in sheet.iter_rows(max_row=5) for cell in row if cell.value == header)


def row(sheet: Any, id: str) -> int:
    (found,) = {cell.row for cells in sheet.iter_rows() for cell in cells if cell.value == id}
    return int(found)


def decide(id: str, decision: str, grade: object = None, comment: str | None = None) -> Edit:
    def change(sheet: Any) -> None:
        for header, value in (("decision", decision), ("grade", grade), ("comment", comment)):
            sheet.cell(row(sheet, id), column(sheet, header)).value = value

    return change


def shown(path: Path, tab: str = "Sign-off") -> list[dict[str, str]]:
    """The rows of a tab by header, without rows that have no id."""
    sheet = openpyxl.load_workbook(path)[tab]
    top = next(cell.row for cells in sheet.iter_rows() for cell in cells if cell.value == "id")
    headers = [cell.value for cell in sheet[top]]
    rows = [dict(zip(headers, (cell.value or "" for cell in cells), strict=True)) for cells in sheet.iter_rows(top + 1)]
    return [each for each in rows if str(each["id"]).startswith("RK-")]


def shown_row(path: Path, id: str) -> dict[str, str]:
    (found,) = [each for each in shown(path) if each["id"] == id]
    return found


# -- writing -------------------------------------------------------------------------------------------------------


def test_the_first_sync_writes_every_tab_and_every_row_once(book: WorkbookBook, path: Path) -> None:
    assert openpyxl.load_workbook(path).sheetnames == ["Sign-off", "Dialogue", "Rubric", "Round", "Key"]
    assert [each["id"] for each in shown(path)] == [ANN, DAN]
    assert len(shown(path, "Dialogue")) == len(NASTY)


def test_the_second_sync_writes_nothing(book: WorkbookBook, path: Path, prof: Prof) -> None:
    before = path.stat().st_mtime_ns, path.read_bytes()
    assert book.cycle(prof).written == 0
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_text_of_people_comes_back_as_the_same_text_and_is_never_a_formula_a_number_or_a_date(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    sheet = openpyxl.load_workbook(path)["Dialogue"]
    cells = [sheet.cell(number, column(sheet, "text")) for number in range(2, len(NASTY) + 2)]
    assert [(cell.value, cell.data_type) for cell in cells if cell.value != "_x005F_x0041_"] == [
        (text, "s") for text in NASTY if text != "_x0041_"
    ]
    assert all(cell.number_format == "@" and cell.quotePrefix for cell in cells)
    kinds = {cell.data_type for tab in openpyxl.load_workbook(path) for line in tab.iter_rows() for cell in line}
    assert kinds <= {"s", "n"}, "blank cells count as n"
    # Saved again by another program, then read and written by us, it is still the same.
    edit(path, lambda _: None)
    assert book.cycle(prof).written == 0


def test_the_file_is_for_its_owner_alone_because_it_holds_names(book: WorkbookBook, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_decision_has_a_drop_down_and_the_product_s_cells_are_locked(book: WorkbookBook, path: Path) -> None:
    sheet = openpyxl.load_workbook(path)["Sign-off"]
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"accept,discuss"'
    cell = sheet.cell(row(sheet, ANN), column(sheet, "decision"))
    assert cell.coordinate in choice.sqref
    assert sheet.protection.sheet
    assert not cell.protection.locked
    assert sheet.cell(row(sheet, ANN), column(sheet, "student")).protection.locked


def test_a_new_turn_is_one_more_row_and_the_others_stay(book: WorkbookBook, path: Path, prof: Prof) -> None:
    turns = prof.shows.turns
    prof.shows = replace(prof.shows, turns=(*turns, replace(turns[0], id="RK-0000FFFF", text="one more")))
    assert book.cycle(prof).written == 1
    assert [each["text"] for each in shown(path, "Dialogue")][-1] == "one more"
    assert len(shown(path, "Dialogue")) == len(NASTY) + 1


# -- reading what was typed ------------------------------------------------------------------------------------------


def test_a_typed_decision_reaches_the_course_and_the_answer_stands_in_the_row(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    edit(path, decide(ANN, "Accept", 82, "well argued"))
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept", grade="82", comment="well argued")]
    assert shown_row(path, ANN)["status"] == "Heard: accept 82"
    assert shown_row(path, ANN)["decision"] == "Accept", "inputs stay as they were typed"


def test_the_same_decision_is_read_again_with_the_same_digest_and_writes_nothing(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    edit(path, decide(ANN, "accept"))
    book.cycle(prof)
    assert book.cycle(prof).written == 0
    assert [each.digest for each in prof.heard[-1]] == [each.digest for each in prof.heard[-2]]


def test_read_gives_what_was_typed_to_an_import(book: WorkbookBook, path: Path) -> None:
    edit(path, decide(DAN, "discuss", "60,5"))
    said, problems = read(path)
    assert said == [Typed(submission=ANN), Typed(submission=DAN, decision="discuss", grade="60,5")]
    assert problems == ()


def test_a_formula_in_an_input_is_handed_on_as_one_and_not_computed(book: WorkbookBook, path: Path, prof: Prof) -> None:
    edit(path, decide(ANN, "accept", "=40+42"))
    book.cycle(prof)
    assert prof.last[0].grade == "(formula) =40+42"


def test_decisions_are_not_read_while_others_on_the_machine_can_write_the_file(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    edit(path, decide(ANN, "accept"))
    path.chmod(0o666)
    report = book.cycle(prof)
    assert prof.last == []
    assert "chmod 600 course.xlsx" in report.problems[0]
    # Writing the file does not make what others typed trustworthy.
    prof.shows = replace(prof.shows, rounds=())
    book.cycle(prof)
    assert prof.last == []
    path.chmod(0o600)
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]


# -- what people do to a file ----------------------------------------------------------------------------------------


def test_an_overwritten_cell_is_restored_and_reported(book: WorkbookBook, path: Path, prof: Prof) -> None:
    def overwrite(sheet: Any) -> None:
        sheet.cell(row(sheet, ANN), column(sheet, "self")).value = 100

    edit(path, overwrite)
    report = book.cycle(prof)
    assert report.restored == (f"Sign-off, {ANN}: self had been edited and is as before.",)
    assert shown_row(path, ANN)["self"] == "82"


def test_a_formula_in_our_column_is_restored_even_where_it_reads_the_same(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    def overwrite(sheet: Any) -> None:
        sheet.cell(row(sheet, DAN), column(sheet, "post")).value = "=1+1"

    edit(path, overwrite)
    assert book.cycle(prof).restored
    sheet = openpyxl.load_workbook(path)["Sign-off"]
    assert sheet.cell(row(sheet, DAN), column(sheet, "post")).data_type == "s"


def test_a_sorted_tab_keeps_its_order_and_each_row_its_decision(book: WorkbookBook, path: Path, prof: Prof) -> None:
    edit(path, decide(ANN, "accept"))

    def swap(sheet: Any) -> None:
        values = [[cell.value for cell in cells] for cells in sheet.iter_rows(2, 3)]
        for at, line in zip((3, 2), values, strict=True):
            for place, value in enumerate(line, start=1):
                cell = sheet.cell(at, place)
                cell.value = value
                cell.data_type = "s"

    edit(path, swap)
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert [each["id"] for each in shown(path)] == [DAN, ANN]


def test_inserted_rows_and_columns_stay_with_what_stands_in_them(book: WorkbookBook, path: Path, prof: Prof) -> None:
    edit(path, decide(ANN, "accept"))

    def insert(sheet: Any) -> None:
        sheet.insert_rows(1, 2)
        sheet["A1"].value = "My class"
        sheet.insert_cols(3)
        sheet["C3"].value = "seat"
        sheet["C4"].value = "window"

    edit(path, insert)
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    sheet = openpyxl.load_workbook(path)["Sign-off"]
    assert [sheet[place].value for place in ("A1", "C3", "C4")] == ["My class", "seat", "window"]
    assert len(shown(path)) == 2
    (choice,) = sheet.data_validations.dataValidation
    assert sheet.cell(row(sheet, ANN), column(sheet, "decision")).coordinate in choice.sqref


def test_a_renamed_header_is_restored_and_a_renamed_tab_is_still_ours(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    edit(path, decide(ANN, "accept"))

    def rename(sheet: Any) -> None:
        sheet.cell(1, column(sheet, "grade")).value = "Mark"
        sheet.title = "My decisions"

    edit(path, rename)
    report = book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert report.restored == ("My decisions: the header “grade” was “Mark” and is back.",)
    assert "Sign-off" not in openpyxl.load_workbook(path).sheetnames


def test_a_deleted_row_and_a_deleted_tab_come_back(book: WorkbookBook, path: Path, prof: Prof) -> None:
    edit(path, lambda sheet: sheet.delete_rows(2))
    edit(path, lambda sheet: sheet.parent.remove(sheet), "Key")
    book.cycle(prof)
    assert sorted(each["id"] for each in shown(path)) == [ANN, DAN]
    assert len(shown(path, "Key")) == 2


def test_tabs_that_people_added_stay(book: WorkbookBook, path: Path, prof: Prof) -> None:
    def add(sheet: Any) -> None:
        mine = sheet.parent.create_sheet("Seating")
        mine["A1"].value = "=1+1"

    edit(path, add)
    prof.shows = replace(prof.shows, rounds=())
    edit(path, decide(ANN, "accept"))
    assert book.cycle(prof).written
    assert openpyxl.load_workbook(path)["Seating"]["A1"].value == "=1+1"


# -- two writers, and files that cannot be used ------------------------------------------------------------------------


def test_a_file_that_was_saved_in_between_is_not_replaced_and_the_next_cycle_hears_it(
    book: WorkbookBook, path: Path, prof: Prof
) -> None:
    later = replace(prof.shows, rounds=(replace(prof.shows.rounds[0], title="A later state"),))

    def meanwhile(typed: list[Typed]) -> object:
        edit(path, decide(ANN, "accept"))
        return later

    with pytest.raises(SheetChanged, match="saved by somebody"):
        book.cycle(meanwhile)  # type: ignore[arg-type]  # the projection is as good as prof's
    assert shown_row(path, ANN)["decision"] == "accept"
    assert [each.name for each in path.parent.iterdir()] == [path.name], "nothing is left behind"
    prof.shows = later
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert shown(path, "Round")[0]["title"] == "A later state"


def test_a_file_that_appeared_in_between_is_not_replaced(path: Path, prof: Prof) -> None:
    def meanwhile(typed: list[Typed]) -> object:
        path.write_bytes(b"mine")
        return prof.shows

    with pytest.raises(SheetChanged):
        WorkbookBook(path).cycle(meanwhile)  # type: ignore[arg-type]  # as above
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("lock", [".~lock.course.xlsx#", "~$course.xlsx"])
def test_a_file_that_is_open_in_a_program_is_read_but_not_written(
    book: WorkbookBook, path: Path, prof: Prof, lock: str
) -> None:
    edit(path, decide(ANN, "accept"))
    path.with_name(lock).write_text("prof")
    before = path.read_bytes()
    with pytest.raises(SheetBusy, match="Close it there"):
        book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert path.read_bytes() == before
    path.with_name(lock).unlink()
    assert book.cycle(prof).written == 1


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_workbook_is_said_to_be_one_and_left_alone(path: Path, prof: Prof, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SheetError, match=r"course\.xlsx is not a whole \.xlsx workbook"):
        WorkbookBook(path).cycle(prof)
    assert path.read_bytes() == content
    assert prof.heard == []


def test_a_zip_that_is_no_workbook_is_said_to_be_one(path: Path, prof: Prof) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<broken")
    with pytest.raises(SheetError, match="not a whole"):
        WorkbookBook(path).cycle(prof)


def test_a_file_that_would_unpack_to_something_huge_is_not_unpacked(
    path: Path, prof: Prof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewkit.sheet.workbook.INFLATED_LIMIT", 100_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 200_000)
    with pytest.raises(SheetError, match="holds more than a workbook"):
        WorkbookBook(path).cycle(prof)


def test_a_folder_in_its_place_is_an_error_in_words(path: Path, prof: Prof) -> None:
    path.mkdir()
    with pytest.raises(SheetError, match="cannot be read"):
        WorkbookBook(path).cycle(prof)


def test_a_missing_folder_is_an_error_in_words(tmp_path: Path, prof: Prof) -> None:
    with pytest.raises(SheetError, match="cannot be written"):
        WorkbookBook(tmp_path / "gone" / "course.xlsx").cycle(prof)


def test_reading_where_there_is_none_or_nothing_of_ours_is_an_error_in_words(path: Path) -> None:
    with pytest.raises(SheetError, match="There is no workbook"):
        read(path)
    workbook = openpyxl.Workbook()
    workbook.save(path)
    with pytest.raises(SheetError, match="no tab Sign-off"):
        read(path)


def test_an_export_writes_a_fresh_workbook(path: Path) -> None:
    path.write_bytes(b"an old export")
    write(path, projection())
    assert len(shown(path, "Dialogue")) == len(NASTY)


def test_without_google_the_book_is_the_file(path: Path) -> None:
    book: Book = open_book(file=path)
    assert book.place == str(path.resolve())


def test_a_course_without_anything_yet_has_tabs_with_headers_only(path: Path) -> None:
    bare = projection(submissions=(), turns=(), rubrics=(), rounds=(), keys=())
    book = WorkbookBook(path)
    book.cycle(lambda typed: bare)
    assert shown(path) == []
    assert book.cycle(lambda typed: bare).written == 0
