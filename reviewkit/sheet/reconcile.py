"""From a tab as it was found to what must be written into it. Pure: both books read and write around this.

People sort, insert, delete, rename and overwrite. Columns are found by what is known of them (`hints`), by their
header, and by their neighbours; rows by their id, wherever it stands in the row. A row's id is written once, when the
row is made, and again only into a row whose seal says whose it was: so that rows which somebody moved between our
read and our write are put right by the next cycle, and no decision changes its owner.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from reviewkit.sheet.rows import ID, SEAL, Layout, Tab, Typed, seal, sealed_id

SENTENCES = 50
"""Sentences of one kind that a report holds; the rest is counted."""

HEADER_WITHIN = 50
"""Rows from the top among which the header is looked for: people write titles above it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A tab as it was found. `header` is its row, None where it is gone; `places` the columns that were found;
    `ids` the id of each row; `strong` the rows whose id stands in the id column."""

    layout: Layout
    title: str
    rows: Sequence[Sequence[str]]
    header: int | None
    places: Mapping[str, int]
    ids: Sequence[str]
    strong: frozenset[int]

    def at(self, row: int, header: str) -> str:
        return _at(self.rows[row], self.places.get(header))

    @property
    def empty(self) -> bool:
        return not any(any(row) for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Put:
    """One cell to write; rows and columns count from 0, after the header was inserted where `insert_header` says so."""

    row: int
    column: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to write into a tab. `columns` are all places, with those in `new` to be made at the right end."""

    insert_header: bool
    columns: Mapping[str, int]
    new: frozenset[str]
    header: int
    puts: tuple[Put, ...]
    append: tuple[tuple[str, ...], ...]
    restored: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def written(self) -> int:
        """How many rows it touches."""
        return len({put.row for put in self.puts}) + len(self.append)


def text_of(value: object) -> str:
    """A cell's value as text, whatever kind a person or their program made of it."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value).replace("\r\n", "\n").replace("\r", "\n")


# -- finding -----------------------------------------------------------------------------------------------------


def look(
    layout: Layout, rows: Sequence[Sequence[str]], *, title: str = "", hints: Mapping[str, int] | None = None
) -> Found:
    """Find header, columns and rows of a tab. `hints` are the columns as the book itself knows them."""
    header = _header(layout, rows)
    places = _places(layout, rows, header, hints or {})
    ids, strong = _ids(rows, header, places)
    return Found(
        layout=layout, title=title or layout.name, rows=rows, header=header, places=places, ids=ids, strong=strong
    )


def likeness(found: Found) -> float:
    """How much a tab looks like its layout, 0 to 1: the share of the headers that stand there (1: an empty tab)."""
    if found.empty:
        return 1.0
    if found.header is None:
        return 0.5 if {"id", SEAL} <= set(found.places) else 0.0
    names = {_folded(text) for text in found.rows[found.header]}
    return len(names & set(found.layout.headers)) / len(found.layout.headers)


def _at(row: Sequence[str], column: int | None) -> str:
    return row[column] if column is not None and column < len(row) else ""


def _folded(text: str) -> str:
    return " ".join(text.replace("’", "'").split()).casefold()


def _header(layout: Layout, rows: Sequence[Sequence[str]]) -> int | None:
    names = set(layout.headers)
    best, most = None, 1
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        known = len(names & {_folded(each) for each in row})
        if known > most and not any(ID.fullmatch(each.strip()) for each in row):
            best, most = index, known
    return best


def _places(
    layout: Layout, rows: Sequence[Sequence[str]], header: int | None, hints: Mapping[str, int]
) -> dict[str, int]:
    names = [_folded(each) for each in rows[header]] if header is not None else []
    written = {name: names.index(name) for name in layout.headers if name in names}
    # The hints were read a moment before the cells: where most of them miss, columns moved in between.
    agreeing = sum(_at(names, column) == name for name, column in hints.items())
    places: dict[str, int] = {}
    if header is None or agreeing * 2 >= len(hints):
        for name, column in hints.items():
            # A header that stands in a column of nobody beats a hint that points elsewhere; swapped headers do not.
            elsewhere = written.get(name, column)
            places[name] = elsewhere if elsewhere not in hints.values() else column
    for name, column in written.items():
        if name not in places and column not in places.values():
            places[name] = column
    shapes: tuple[tuple[str, Callable[[str], object]], ...] = (("id", ID.fullmatch), (SEAL, sealed_id))
    for name, shape in shapes:
        if name not in places and (shaped := _shaped(rows, shape, places)) is not None:
            places[name] = shaped
    _fill_gaps(layout, max(map(len, rows), default=0), places)
    return places


def _shaped(rows: Sequence[Sequence[str]], shape: Callable[[str], object], places: Mapping[str, int]) -> int | None:
    taken = set(places.values())
    counts = Counter(
        column for row in rows for column, each in enumerate(row) if column not in taken and shape(each.strip())
    )
    return counts.most_common(1)[0][0] if counts else None


def _fill_gaps(layout: Layout, width: int, places: dict[str, int]) -> None:
    """Renamed headers: between two columns that are known, exactly as many unknown ones as are missing are these."""
    missing: list[str] = []
    left = -1
    for name in layout.headers:
        if name not in places:
            missing.append(name)
            continue
        right = places[name]
        unknown = [column for column in range(left + 1, right) if column < width and column not in places.values()]
        if missing and len(unknown) == len(missing):
            places.update(zip(missing, unknown, strict=True))
        missing, left = [], right


def _ids(
    rows: Sequence[Sequence[str]], header: int | None, places: Mapping[str, int]
) -> tuple[list[str], frozenset[int]]:
    ids: list[str] = []
    strong: set[int] = set()
    foreign = places.get("submission")
    for index, row in enumerate(rows):
        own = _at(row, places.get("id")).strip()
        if index == header:
            ids.append("")
        elif ID.fullmatch(own):
            ids.append(own)
            strong.add(index)
        elif sealed := sealed_id(_at(row, places.get(SEAL))):
            ids.append(sealed)
        else:
            some = {each.strip() for column, each in enumerate(row) if column != foreign and ID.fullmatch(each.strip())}
            ids.append(some.pop() if len(some) == 1 else "")
    return ids, frozenset(strong)


# -- reading what was typed --------------------------------------------------------------------------------------


def read_typed(found: Found) -> tuple[list[Typed], list[str]]:
    """The inputs of every row that has an id, empty ones too (a decision taken out again is news), in the order of
    the rows, and what could not be read, in words."""
    typed: dict[str, list[tuple[bool, Typed]]] = defaultdict(list)
    problems = []
    for index, id in enumerate(found.ids):
        said = Typed(
            submission=id,
            decision=_folded(found.at(index, "decision")),
            grade=found.at(index, "grade").strip(),
            comment=found.at(index, "comment").strip(),
            shown=found.at(index, "self"),
            stage=found.at(index, "stage"),
        )
        if id:
            typed[id].append((index in found.strong, said))
        elif index != found.header and said.decision in ("accept", "discuss"):
            problems.append(
                f"{found.title}: “{said.decision}” in row {index + 1} has no id beside it; nobody can tell whose it is."
            )
    read = []
    for id, all_rows in typed.items():
        rows = [said for strong, said in all_rows if strong] or [said for _, said in all_rows]
        if len(set(rows)) > 1:
            problems.append(
                f"{found.title}: two rows have the id {id} with different inputs; none was read. Delete the wrong row."
            )
        else:
            read.append(rows[0])
    return read, problems


# -- deciding what to write --------------------------------------------------------------------------------------


def reconcile(tab: Tab, found: Found) -> Plan:
    """What must be written so that every row of the tab stands there, and what people changed in our columns."""
    work = _Work(tab, found)
    work.columns()
    for id, cells in tab.rows.items():
        work.row(id, cells)
    work.strangers()
    return work.plan()


class _Work:
    def __init__(self, tab: Tab, found: Found) -> None:
        self.tab, self.found, self.layout = tab, found, tab.layout
        self.places = dict(found.places)
        self.insert = found.header is None and not found.empty
        self.shift = 1 if self.insert else 0
        self.new: set[str] = set()
        self.puts: list[Put] = []
        self.append: list[tuple[str, ...]] = []
        self.restored: list[str] = []
        self.problems: list[str] = []
        self.where: dict[str, list[int]] = defaultdict(list)
        for index, id in enumerate(found.ids):
            if id:
                self.where[id].append(index)

    def put(self, row: int, header: str, text: str) -> None:
        self.puts.append(Put(row=row + self.shift, column=self.places[header], text=text))

    def columns(self) -> None:
        header = self.found.header
        width = max((len(row) for row in self.found.rows), default=0)
        end = max([width, *(place + 1 for place in self.places.values())])
        if self.insert:
            self.restored.append(f"{self.found.title}: the row of headers was gone and is back at the top.")
        for name in self.layout.headers:
            gone = name not in self.places
            if gone:
                self.new.add(name)
                self.places[name] = end
                end += 1
            now = "" if gone or header is None else self.found.at(header, name)
            if now == name:
                continue
            row = -self.shift if header is None else header
            self.put(row, name, name)
            if self.found.empty or header is None:
                continue
            if gone:
                self.restored.append(
                    f"{self.found.title}: the column “{name}” was gone; a new one stands at the right."
                )
            else:
                self.restored.append(f"{self.found.title}: the header “{name}” was “{now}” and is back.")

    def row(self, id: str, cells: Mapping[str, str]) -> None:
        at = self.where.pop(id, [])
        strong = [index for index in at if index in self.found.strong]
        for stray in at[1:] if not strong else [index for index in at if index not in self.found.strong]:
            self.clear(stray)
        kept = strong or at[:1]
        if not kept:
            line = [""] * (max(self.places.values()) + 1)
            for header, text in cells.items():
                line[self.places[header]] = text
            self.append.append(tuple(line))
        if len(kept) > 1:
            self.problems.append(f"{self.found.title}: {len(kept)} rows have the id {id}. Delete the copies.")
        for index in kept:
            self.mend(index, id, cells)

    def mend(self, index: int, id: str, cells: Mapping[str, str]) -> None:
        now = {header: self.found.at(index, header) for header in cells}
        differing = [header for header, text in cells.items() if now[header] != text]
        for header in differing:
            self.put(index, header, cells[header])
        edited = [header for header in differing if header not in self.new and header != SEAL]
        if edited and now[SEAL] != seal(self.layout, now) and SEAL not in self.new:
            self.restored.append(f"{self.found.title}, {id}: {', '.join(edited)} had been edited and is as before.")

    def clear(self, index: int) -> None:
        """A copy of our cells in a row that is not theirs. The cell of the id is left alone (see above)."""
        for column in self.layout.columns:
            if column.owner == "product" and column.header != "id" and self.found.at(index, column.header):
                self.put(index, column.header, "")
        self.problems.append(
            f"{self.found.title}: row {index + 1} held a copy of {self.found.ids[index]} without its id; it is emptied."
        )

    def strangers(self) -> None:
        if self.where:
            some = ", ".join(list(self.where)[:5]) + (" ..." if len(self.where) > 5 else "")
            self.problems.append(f"{self.found.title}: rows of nobody in this course are left alone: {some}.")

    def plan(self) -> Plan:
        return Plan(
            insert_header=self.insert,
            columns=self.places,
            new=frozenset(self.new),
            header=0 if self.found.header is None else self.found.header,
            puts=tuple(self.puts),
            append=tuple(self.append),
            restored=tuple(self.restored),
            problems=tuple(self.problems),
        )


def in_short(sentences: Sequence[str]) -> tuple[str, ...]:
    """At most as many sentences as a person reads, and how many more there were."""
    kept = tuple(sentences[:SENTENCES])
    more = len(sentences) - len(kept)
    return (*kept, f"... and {more} more of this kind.") if more > 0 else kept
