"""The instructor workbook as a spreadsheet at Google. Only `sheet` knows gspread; this module runs the cycle.

One cycle: look up what carries our metadata (tabs, columns, the last revision), read all tabs in one request (one
moment), hand over what was typed, then write what differs in one atomic request that begins with a revision token:
metadata with an id that only one writer can create. A request is never sent a second time. Where an answer is lost,
the next cycle sees what is there; a late or second copy of a request finds its token taken and does nothing.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reviewkit.errors import SheetError
from reviewkit.sheet import Report, SheetRefused
from reviewkit.sheet.google_api import Api, NotTaken, Span, Tokens
from reviewkit.sheet.google_writes import chunks, new_tab, writes
from reviewkit.sheet.reconcile import Found, in_short, likeness, look, read_typed, reconcile, text_of
from reviewkit.sheet.rows import LAYOUTS, SIGN_OFF, Layout, Projection, Tab, Typed, tabs

CELLS_LIMIT = 5_000_000
"""Of all tabs together; more is read from no spreadsheet of a course."""

_ADDRESS = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]+)")
_ID = re.compile(r"[A-Za-z0-9_-]{5,}")


class GoogleBook:
    """The workbook in one spreadsheet; see `reviewkit.sheet.Book`. `now` gives seconds since 1970."""

    def __init__(
        self,
        spreadsheet: str,
        *,
        key_file: Path | None,
        instructors: Iterable[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        found = _ADDRESS.search(spreadsheet)
        self.id = found[1] if found else spreadsheet.strip()
        if not _ID.fullmatch(self.id):
            raise SheetRefused(
                f"“{spreadsheet}” is no address of a Google spreadsheet: copy it from the browser into course.toml."
            )
        if key_file is None:
            raise SheetRefused(
                "A Google spreadsheet is named, but no key: put the path of the service account's key file "
                "into REVIEWKIT_GOOGLE_KEY."
            )
        self._instructors = frozenset(address.strip().casefold() for address in instructors if address.strip())
        self._api = Api(self.id, key_file)
        self._now = now

    @property
    def place(self) -> str:
        return f"https://docs.google.com/spreadsheets/d/{self.id}"

    def close(self) -> None:
        """Let go of the connections; the book may be used again."""
        self._api.close()

    def cycle(self, projection_of: Callable[[list[Typed]], Projection]) -> Report:
        marks = self._api.marks()
        spans = [marks.tabs[name] for name in marks.tabs]
        titles: dict[str, int] = {}
        if len(marks.tabs) < len(LAYOUTS):
            titles = self._api.titles()
            spans += self._unmarked(titles, marks.tabs)
        found = self._read(spans)
        typed, problems = read_typed(found[SIGN_OFF.name][1]) if SIGN_OFF.name in found else ([], [])
        if typed and (stranger := self._stranger()):
            typed, problems = [], [stranger, *problems]
        shown = tabs(projection_of(typed))
        report = self._write(shown, found, set(titles), marks.tokens)
        return replace(report, problems=in_short((*self._api.warnings, *problems, *report.problems)))

    # -- reading
    def _unmarked(self, titles: dict[str, int], known: dict[str, Span]) -> list[Span]:
        """Tabs that bear the name of ours without our metadata: made by a person, or by an import."""
        ours = {span.sheet for span in known.values()}
        by_name = {title.casefold(): sheet for title, sheet in titles.items() if sheet not in ours}
        return [
            Span(layout=layout, sheet=by_name[layout.name.casefold()], state="unmarked")
            for layout in LAYOUTS
            if layout.name not in known and layout.name.casefold() in by_name
        ]

    def _read(self, spans: list[Span]) -> dict[str, tuple[Span, Found]]:
        found = {}
        grids = self._api.grids(spans)
        if sum(len(row) for _, rows in grids.values() for row in rows) > CELLS_LIMIT:
            raise SheetError("The spreadsheet holds more cells than a course can have; nothing was read or written.")
        for span in spans:
            if span.sheet not in grids:
                continue
            title, values = grids[span.sheet]
            rows = [[text_of(value) for value in row] for row in values]
            seen = look(span.layout, rows, title=title, hints=span.columns)
            if span.state == "marked" or likeness(seen) >= 0.2:
                found[span.layout.name] = (span, seen)
        return found

    def _stranger(self) -> str:
        """Who besides instructors can type into the spreadsheet, in words; empty when nobody can."""
        try:
            permissions = self._api.permissions()
        except SheetRefused as error:
            return f"Typed decisions were not read, for Google does not say who can edit the spreadsheet ({error})"
        allowed = self._instructors | {self._api.account.casefold()}
        for each in permissions:
            if each.get("deleted") or each.get("role") in ("reader", "commenter"):
                continue
            address = str(each.get("emailAddress", ""))
            if each.get("type") == "user" and address.casefold() in allowed:
                continue
            who = "everybody with the link" if each.get("type") == "anyone" else address or str(each.get("domain", ""))
            return (
                f"Typed decisions were not read, because {who or 'somebody'} can edit the spreadsheet and is not an "
                "instructor of the course: share it with instructors only, all others at most as viewers."
            )
        return ""

    # -- writing
    def _write(
        self, shown: tuple[Tab, ...], found: dict[str, tuple[Span, Found]], titles: set[str], tokens: Tokens
    ) -> Report:
        requests: list[dict[str, Any]] = []
        report = Report()
        for tab in shown:
            if tab.layout.name in found:
                span, seen = found[tab.layout.name]
                plan = reconcile(tab, seen)
            else:
                span, seen = Span.fresh(tab.layout), look(tab.layout, [])
                plan = reconcile(tab, seen)
                requests += new_tab(span, _free_title(tab.layout, titles), plan, self._api.account)
            requests += writes(span, plan)
            report = Report(
                written=report.written + plan.written,
                restored=(*report.restored, *plan.restored),
                problems=(*report.problems, *plan.problems),
            )
        for number, chunk in enumerate(chunks(requests)):
            self._send(chunk, tokens, number)
        return replace(report, restored=in_short(report.restored))

    def _send(self, chunk: list[dict[str, Any]], tokens: Tokens, number: int) -> None:
        token, requests = tokens.claim(number, self._now())
        try:
            self._api.write([*requests, *chunk])
        except NotTaken as error:
            raise self._api.why_refused(token, error) from error


def _free_title(layout: Layout, titles: set[str]) -> str:
    """The tab's name, or one beside it where a tab of somebody else's has that name."""
    taken = {title.casefold() for title in titles}
    names = (layout.name, *(f"{layout.name} ({number})" for number in range(2, 1000)))
    return next(name for name in names if name.casefold() not in taken)
