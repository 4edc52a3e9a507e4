"""The spreadsheet beside the store: an instructor workbook that is written from the store, and one inbox.

The store is the truth; whatever stands in a sheet can be written again from it. `Book` is what the course uses,
whether the workbook is an `.xlsx` file beside the database or a spreadsheet at Google.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reviewkit.errors import SheetError
from reviewkit.sheet.rows import DialogueRow, KeyRow, Projection, RoundRow, RubricRow, SignOffRow, Typed, row_id

__all__ = [
    "Book",
    "DialogueRow",
    "KeyRow",
    "Projection",
    "Report",
    "RoundRow",
    "RubricRow",
    "SheetBusy",
    "SheetChanged",
    "SheetRefused",
    "SignOffRow",
    "Typed",
    "open_book",
    "row_id",
]


class SheetChanged(SheetError):
    """Somebody wrote to the sheet between our read and our write; nothing was written. Run the cycle again."""


class SheetBusy(SheetError):
    """The sheet could not be reached or had enough for now; run the cycle again after `wait` seconds."""

    def __init__(self, message: str, *, wait: float = 60.0) -> None:
        super().__init__(message)
        self.wait = wait


class SheetRefused(SheetError):
    """The sheet will go on refusing until a person mends it (the key, the sharing, the address)."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a cycle did: how many rows it wrote, which edits in the product's columns it took back, and what a person
    should look at. All in sentences for the instructor."""

    written: int = 0
    restored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Book(Protocol):
    """One instructor workbook."""

    @property
    def place(self) -> str:
        """Where it is, in words or as an address."""

    def cycle(self, projection_of: Callable[[list[Typed]], Projection]) -> Report:
        """Read what was typed, hand it to `projection_of`, write what differs from the projection that it gives.

        `projection_of` attempts the turns that were typed (each `Typed.digest` once: the input stays in its cells)
        and puts the answers into `SignOffRow.status`. It is called once, outside of any lock of the sheet. Raises
        SheetChanged, SheetBusy, SheetRefused or another SheetError; then it may have been called already. A failed
        write is never sent again: run the whole cycle again, it writes what is missing by then and nothing twice.
        """

    def close(self) -> None:
        """Let go of connections; the book may be used again."""


def open_book(
    *, file: Path, spreadsheet: str = "", key_file: Path | None = None, instructors: Iterable[str] = ()
) -> Book:
    """The spreadsheet at Google when one is named (address or id), otherwise the `.xlsx` at `file`.

    `instructors` are the e-mail addresses of those whose typed decisions may be read: while anybody else can edit a
    spreadsheet at Google, its inputs are left alone. Touches neither file nor network; raises SheetRefused where a
    spreadsheet is named without a key file.
    """
    if spreadsheet:
        from reviewkit.sheet.google import GoogleBook

        return GoogleBook(spreadsheet, key_file=key_file, instructors=instructors)
    from reviewkit.sheet.workbook import WorkbookBook

    return WorkbookBook(file)
