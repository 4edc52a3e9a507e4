"""What stands in the sheet: the projection of a course onto tabs, and the inputs that come back. Pure; all is text.

Each row begins its life with an id that looks like RK-7F3A2C91 and is found by it ever after; each column has one
owner. The last column of every tab, `seal`, is hidden: it says what the product wrote in the row, so that an edit by
a person is told from an older state of the product's own (and survives every sort, because it moves with the row).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from typing import Literal

CELL_LIMIT = 32_000
"""UTF-16 units of a cell that are shown. Excel takes 32,767, Google 50,000; the store keeps all."""

ID = re.compile(r"RK-[0-9A-Z]{8,32}")
DECISIONS = ("accept", "discuss")
SEAL = "seal"

Owner = Literal["product", "instructor"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column, its one owner, and (for a drop-down) the words to choose from. `width` is in characters."""

    header: str
    owner: Owner = "product"
    choices: tuple[str, ...] = ()
    width: int = 14


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a tab, in the order in which they are first written; people may move them."""

    name: str
    columns: tuple[Column, ...]

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(column.header for column in self.columns)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(column.header for column in self.columns if column.owner == "instructor")


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A layout with its rows: id -> the product's text by header (no input columns, the seal included)."""

    layout: Layout
    rows: Mapping[str, Mapping[str, str]]


# -- what the course hands over --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SignOffRow:
    """One submission. `status` answers what was last typed into its row; empty where nothing was."""

    id: str
    student: str
    assignment: str
    post: str
    link: str = ""
    self_grade: str = ""
    peers_median: str = ""
    peers_range: str = ""
    flags: str = ""
    stage: str
    waiting_for: str = ""
    status: str = ""


@dataclass(frozen=True, kw_only=True)
class DialogueRow:
    """One turn; `at` is UTC as ISO 8601, `levels` a line per criterion, `text` the words of the turn."""

    id: str
    submission: str
    student: str
    sequence: int
    kind: str
    by: str
    at: str
    via: str
    levels: str = ""
    text: str = ""
    grade: str = ""
    digest: str
    previous: str = ""


@dataclass(frozen=True, kw_only=True)
class RubricRow:
    """One criterion of one rubric version (`version`: the digest of its text); `levels` a line per level."""

    rubric: str
    version: str
    criterion: str
    weight: str = ""
    question: str = ""
    levels: str = ""


@dataclass(frozen=True, kw_only=True)
class RoundRow:
    """One assignment (`assignment`: its id in the course file): its dates as text, and how far the class is."""

    assignment: str
    title: str
    tag: str = ""
    freeze_by: str = ""
    self_by: str = ""
    review_by: str = ""
    answer_by: str = ""
    sign_by: str = ""
    submissions: int = 0
    self_evaluated: int = 0
    reviews_owed: int = 0
    reviews_done: int = 0
    revealed: int = 0
    signed: int = 0


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """Who goes by which pseudonym in one submission (`role`: author or reviewer). For the instructor alone."""

    submission: str
    role: str
    pseudonym: str
    person: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The course as the instructor workbook shows it, all from one moment of the store.

    `generated` (UTC, ISO 8601) stands in no cell, or else every sync would write. `more` is where a text that is too
    long for a cell can be read in full (an address, or words).
    """

    course: str
    generated: str
    submissions: tuple[SignOffRow, ...] = ()
    turns: tuple[DialogueRow, ...] = ()
    rubrics: tuple[RubricRow, ...] = ()
    rounds: tuple[RoundRow, ...] = ()
    keys: tuple[KeyRow, ...] = ()
    more: str = field(default="the Sign-off page")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What an instructor typed into the row of a submission, as text; `decision` in small letters without spaces
    around it. Anything may stand here: whoever acts on it checks it."""

    submission: str
    decision: str = ""
    grade: str = ""
    comment: str = ""
    shown: str = field(default="", compare=False)
    """What stood in the column `self` of that row: the proposal that the instructor was looking at."""
    stage: str = field(default="", compare=False)
    """What stood in the column `stage`: whether the instructor was looking at something that is closed."""

    @property
    def digest(self) -> str:
        """The same input has the same digest: what was answered once need not be attempted again."""
        return hashlib.sha256("\x1f".join((self.decision, self.grade, self.comment)).encode()).hexdigest()


# -- the tabs --------------------------------------------------------------------------------------------------------


def _layout(name: str, *columns: str | Column) -> Layout:
    named = (column if isinstance(column, Column) else Column(header=column) for column in columns)
    return Layout(name=name, columns=(*named, Column(header=SEAL)))


SIGN_OFF = _layout(
    "Sign-off",
    "id",
    Column(header="student", width=22),
    "assignment",
    Column(header="post", width=36),
    Column(header="link", width=30),
    Column(header="self", width=8),
    Column(header="peers' median", width=13),
    Column(header="peers' range", width=13),
    Column(header="flags", width=16),
    "stage",
    Column(header="waiting for", width=18),
    Column(header="decision", owner="instructor", choices=DECISIONS, width=11),
    Column(header="grade", owner="instructor", width=8),
    Column(header="comment", owner="instructor", width=44),
    Column(header="status", width=44),
)
DIALOGUE = _layout(
    "Dialogue",
    "id",
    "submission",
    Column(header="student", width=22),
    Column(header="sequence", width=9),
    Column(header="kind", width=15),
    Column(header="by", width=22),
    Column(header="at", width=21),
    Column(header="via", width=9),
    Column(header="levels", width=30),
    Column(header="text", width=70),
    Column(header="grade", width=8),
    "digest",
    "previous",
)
RUBRIC = _layout(
    "Rubric",
    "id",
    "rubric",
    "version",
    Column(header="criterion", width=22),
    Column(header="weight", width=8),
    Column(header="question", width=40),
    Column(header="levels", width=70),
)
ROUND = _layout(
    "Round",
    "id",
    "assignment",
    Column(header="title", width=30),
    "tag",
    *(Column(header=header, width=22) for header in ("freeze by", "self by", "review by", "answer by", "sign by")),
    "submissions",
    "self-evaluated",
    "reviews owed",
    "reviews done",
    "revealed",
    "signed",
)
KEY = _layout(
    "Key",
    "id",
    "submission",
    "role",
    Column(header="pseudonym", width=22),
    "person",
    Column(header="name", width=22),
)
LAYOUTS = (SIGN_OFF, DIALOGUE, RUBRIC, ROUND, KEY)


def tabs(projection: Projection) -> tuple[Tab, ...]:
    """Decide every cell of the instructor workbook."""
    more = projection.more
    return (
        _tab(SIGN_OFF, ((row.id, astuple(row)[1:]) for row in projection.submissions), more),
        _tab(DIALOGUE, ((row.id, astuple(row)[1:]) for row in projection.turns), more),
        _tab(RUBRIC, ((row_id(row.version, row.criterion), astuple(row)) for row in projection.rubrics), more),
        _tab(ROUND, ((row_id("round", row.assignment), astuple(row)) for row in projection.rounds), more),
        _tab(KEY, ((row_id(row.submission, row.role, row.person), astuple(row)) for row in projection.keys), more),
    )


def _tab(layout: Layout, rows: Iterable[tuple[str, tuple[object, ...]]], more: str) -> Tab:
    headers = [column.header for column in layout.columns if column.owner == "product" and column.header != SEAL]
    found: dict[str, Mapping[str, str]] = {}
    for id, values in rows:
        if not ID.fullmatch(id):
            raise ValueError(f"a row's id must look like RK-7F3A2C91, not {id!r}")
        if id in found:
            raise ValueError(f"two rows of {layout.name} have the id {id}")
        cells = {header: cell(str(value), more) for header, value in zip(headers, (id, *values), strict=True)}
        found[id] = {**cells, SEAL: seal(layout, cells)}
    return Tab(layout=layout, rows=found)


def row_id(*parts: str) -> str:
    """An id for a row that has none in the course: the same parts give the same id."""
    return "RK-" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12].upper()


def seal(layout: Layout, cells: Mapping[str, str]) -> str:
    """What the hidden last column holds: the row's id (in small letters, so that it is not found twice) and a digest
    of the product's cells."""
    ours = [cells.get(column.header, "") for column in layout.columns if column.owner == "product"][:-1]
    return f"{cells.get('id', '')[3:].lower()}.{hashlib.sha256(chr(31).join(ours).encode()).hexdigest()[:10]}"


_SEALED = re.compile(r"([0-9a-z]{8,32})\.[0-9a-f]{10}")


def sealed_id(text: str) -> str:
    """The id that a seal was made for; empty when the text is no seal."""
    found = _SEALED.fullmatch(text)
    return f"RK-{found[1].upper()}" if found else ""


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def cell(text: str, more: str) -> str:
    """A text as both books can hold it: one kind of line end, no character that a file cannot carry, and not too long
    (then shortened, with where the whole text can be read)."""
    text = _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
    units = text.encode("utf-16-le")
    if len(units) <= CELL_LIMIT * 2:
        return text
    pointer = f" … [shortened here; all {len(text):,} characters: {more}]"
    return units[: (CELL_LIMIT - len(pointer)) * 2].decode("utf-16-le", errors="ignore") + pointer
