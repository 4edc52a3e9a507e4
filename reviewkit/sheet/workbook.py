"""The instructor workbook as an `.xlsx` file beside the database. Only this module knows openpyxl.

The file is read, changed where it differs and written whole to a new file that takes its place, unless somebody
saved it in between. What people added (rows, columns, tabs, notes, formats) stays; openpyxl cannot keep charts.
"""

import grp
import io
import os
import pwd
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Font, Protection
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from reviewkit.errors import SheetError
from reviewkit.sheet import Report, SheetBusy, SheetChanged
from reviewkit.sheet.reconcile import Found, Plan, in_short, likeness, look, read_typed, reconcile, text_of
from reviewkit.sheet.rows import LAYOUTS, SEAL, SIGN_OFF, Layout, Projection, Typed, tabs

FILE_LIMIT = 50_000_000
INFLATED_LIMIT = 500_000_000
PARTS_LIMIT = 5_000
CELLS_LIMIT = 5_000_000
"""Of one tab: its last row times its last column."""

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    SyntaxError,  # of XML, by whichever of its two parsers openpyxl finds
    OSError,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    NotImplementedError,
)
"""What openpyxl and zipfile raise on a file that is not a whole workbook."""


class WorkbookBook:
    """The workbook at one path; see `reviewkit.sheet.Book`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def place(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Nothing is held between two cycles."""

    def cycle(self, projection_of: Callable[[list[Typed]], Projection]) -> Report:
        before = _bytes(self.path)
        book = _opened(self.path, before)
        found = _found(book)
        typed, problems = read_typed(found[SIGN_OFF.name][1]) if SIGN_OFF.name in found else ([], [])
        if typed and (open_to := _open_to_others(self.path)):
            typed, problems = [], [open_to, *problems]
        report = _changed(book, found, projection_of(typed))
        if report.written:
            _refuse_while_open(self.path)
            _replace(self.path, book, before)
        return Report(
            written=report.written, restored=report.restored, problems=in_short((*problems, *report.problems))
        )


def read(path: Path) -> tuple[list[Typed], tuple[str, ...]]:
    """What was typed into a workbook, and what of it could not be read, in words. Raises SheetError."""
    data = _bytes(path)
    if data is None:
        raise SheetError(f"There is no workbook at {path}; nothing was read.")
    found = _found(_opened(path, data))
    if SIGN_OFF.name not in found:
        raise SheetError(f"{path.name} has no tab {SIGN_OFF.name} with an id and a decision; nothing was read.")
    typed, problems = read_typed(found[SIGN_OFF.name][1])
    return typed, in_short(problems)


def write(path: Path, projection: Projection) -> None:
    """Write a fresh workbook (an export) over whatever stands at `path`, at once or not at all. Raises SheetError."""
    book = _opened(path, None)
    _changed(book, {}, projection)
    _replace(path.resolve(), book, _bytes(path))


# -- reading ---------------------------------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes | None:
    """The whole file, None where there is none. Raises SheetError."""
    try:
        if path.stat().st_size > FILE_LIMIT:
            raise SheetError(
                f"{path.name} is larger than {FILE_LIMIT // 1_000_000} MB and was not read. "
                "Move it away: the next sync writes it anew."
            )
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SheetError(f"{path} cannot be read ({error.strerror}); nothing was changed.") from error


def _opened(path: Path, data: bytes | None) -> Any:
    if data is None:
        book = openpyxl.Workbook()
        book.remove(book.active)
        return book
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
        if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > INFLATED_LIMIT:
            raise SheetError(f"{path.name} holds more than a workbook of a course can; it was not read.")
        book = openpyxl.load_workbook(io.BytesIO(data))
    except BROKEN as error:
        raise SheetError(
            f"{path.name} is not a whole .xlsx workbook (or has a password); it was left as it is, nothing was lost. "
            "Save it again, or move it away: the next sync writes it anew."
        ) from error
    for sheet in book.worksheets:
        if sheet.max_row * sheet.max_column > CELLS_LIMIT:
            raise SheetError(f"The tab {sheet.title} of {path.name} is too large; delete its empty rows and columns.")
    return book


def _found(book: Any) -> dict[str, tuple[Any, Found]]:
    """Our tabs, by name: under their own title, else (renamed) the tab that has most of their headers."""
    grids = {sheet.title: _grid(sheet) for sheet in book.worksheets}
    found: dict[str, tuple[Any, Found]] = {}

    def claim(layout: Layout, titles: Iterable[str], least: float) -> None:
        seen = [look(layout, grids[title], title=title) for title in titles]
        best = max(seen, key=likeness, default=None)
        if best is not None and likeness(best) >= least:
            found[layout.name] = (book[best.title], best)
            del grids[best.title]

    for layout in LAYOUTS:
        claim(layout, [title for title in grids if title.casefold() == layout.name.casefold()], 0.2)
    for layout in LAYOUTS:
        if layout.name not in found:
            claim(layout, [title for title, grid in grids.items() if any(map(any, grid))], 0.5)
    return found


def _grid(sheet: Any) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in sheet.iter_rows()]


def _text(cell: Any) -> str:
    value = cell.value
    if cell.data_type == "f":
        # A formula is no text of ours, even where it reads the same.
        return f"(formula) {getattr(value, 'text', value)}"
    return text_of(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) else value)


_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""The format's own escape for a character: `_x0041_` in the file is an A on the screen."""


def _escaped(text: str) -> str:
    return _ESCAPED.sub(r"_x005F_x\1_", text)


def _open_to_others(path: Path) -> str:
    """Why typed decisions of this file may be anybody's, in words; empty when only its owner can write it."""
    state = path.stat()
    private = not state.st_mode & stat.S_IWGRP
    with suppress(KeyError):
        # A group that bears its only member's name is that person's own (a custom of many systems).
        owner, group = pwd.getpwuid(state.st_uid).pw_name, grp.getgrgid(state.st_gid)
        private = private or (group.gr_name == owner and set(group.gr_mem) <= {owner})
    if private and not state.st_mode & stat.S_IWOTH:
        return ""
    return (
        f"Others on this machine can write {path.name}, so that typed decisions could be anybody's: none was read. "
        f"Run chmod 600 {path.name} and sync again."
    )


# -- writing ---------------------------------------------------------------------------------------------------------


def _changed(book: Any, found: dict[str, tuple[Any, Found]], projection: Projection) -> Report:
    """Change the workbook in memory until it shows the projection."""
    written = 0
    restored: list[str] = []
    problems: list[str] = []
    for tab in tabs(projection):
        layout = tab.layout
        sheet, seen = found.get(layout.name) or (None, look(layout, []))
        plan = reconcile(tab, seen)
        if sheet is None:
            sheet = book.create_sheet(layout.name)
            _furnish(sheet)
        if plan.written:
            _apply(sheet, layout, plan, rows=len(seen.rows))
        written += plan.written
        restored += plan.restored
        problems += plan.problems
    return Report(written=written, restored=in_short(restored), problems=tuple(problems))


def _furnish(sheet: Any) -> None:
    sheet.freeze_panes = "B2"
    protection = sheet.protection
    # The product's cells are locked against slips (no password); sorting and filtering stay allowed.
    protection.sheet = True
    for allowed in ("sort", "autoFilter", "formatCells", "formatColumns", "formatRows", "insertRows", "insertColumns"):
        setattr(protection, allowed, False)


def _apply(sheet: Any, layout: Layout, plan: Plan, *, rows: int) -> None:
    if plan.insert_header:
        sheet.insert_rows(1)
        rows += 1
    owners = {plan.columns[column.header]: column for column in layout.columns}
    for column in layout.columns:
        if column.header in plan.new:
            letter = get_column_letter(plan.columns[column.header] + 1)
            sheet.column_dimensions[letter].width = column.width
            sheet.column_dimensions[letter].hidden = column.header == SEAL
    for put in plan.puts:
        _write(sheet.cell(put.row + 1, put.column + 1), put.text, bold=put.row == plan.header)
    start = max(rows, plan.header + 1)
    for index, line in enumerate(plan.append, start=start):
        for place, text in enumerate(line):
            if place in owners:
                cell = sheet.cell(index + 1, place + 1)
                _write(cell, text)
                cell.protection = Protection(locked=owners[place].owner == "product")
                cell.alignment = Alignment(vertical="top", wrap_text=owners[place].width >= 30)
    _offer(sheet, layout, plan, last=start + len(plan.append))


def _write(cell: Any, text: str, *, bold: bool = False) -> None:
    """Put text into a cell so that no program takes it for a formula, a date or a number."""
    cell.value = None
    cell.number_format = "@"
    if bold:
        cell.font = Font(bold=True)
    if text:
        cell.value = _escaped(text)
        cell.data_type = "s"
        cell.quotePrefix = True


def _offer(sheet: Any, layout: Layout, plan: Plan, *, last: int) -> None:
    """The drop-downs, on the columns where the inputs stand now."""
    for column in layout.columns:
        if column.choices:
            words = f'"{",".join(column.choices)}"'
            kept = [each for each in sheet.data_validations.dataValidation if each.formula1 != words]
            letter = get_column_letter(plan.columns[column.header] + 1)
            choice = DataValidation(type="list", formula1=words, allow_blank=True, errorStyle="warning")
            choice.add(f"{letter}{plan.header + 2}:{letter}{max(last, plan.header + 2)}")
            sheet.data_validations.dataValidation = [*kept, choice]


def _locks(path: Path) -> Iterator[Path]:
    yield path.with_name(f".~lock.{path.name}#")
    yield path.with_name(f"~${path.name}")


def _refuse_while_open(path: Path) -> None:
    for lock in _locks(path):
        if lock.exists():
            raise SheetBusy(
                f"{path.name} is open in a spreadsheet program, so that it was read but not written. "
                f"Close it there (and delete {lock.name} if nobody has it open); the next sync writes it.",
                wait=0.0,  # to look again costs nothing, and somebody waits for it
            )


def _replace(path: Path, book: Any, before: bytes | None) -> None:
    """Write to a new file beside and put it in place, unless `path` is not what it was when it was read."""
    if not book.worksheets:
        book.create_sheet(SIGN_OFF.name)
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if before is not None else 0o600
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            book.save(file)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(mode)
        if _bytes(path) != before:
            raise SheetChanged(f"{path.name} was saved by somebody in the meantime; it was left as it is, sync again.")
        new.replace(path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        new.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError) -> SheetError:
    return SheetError(f"{path} cannot be written ({error.strerror}); the course's own records are safe.")
