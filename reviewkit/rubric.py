"""Rubrics: Markdown that students write becomes criteria and levels; judgements are checked against them.

Text in, values out; nothing here opens a file.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from reviewkit.errors import ConfigError, Invalid
from reviewkit.model import TEXT_LIMIT, Criterion, Judgement, Level, Rubric

SOURCE_LIMIT = 100_000
"""Characters of a rubric's file."""
LEVELS = (2, 7)
CRITERIA_LIMIT = 30
NAME_LIMIT = 80
DESCRIPTION_LIMIT = 1_000
QUESTION_LIMIT = 400
NUMBER_LIMIT = 1_000.0

Change = Literal["same", "wording", "structure"]

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_in_brackets = re.compile(r"(?P<name>.*?)\s*\((?P<inside>[^()]*)\)", re.DOTALL)
_looks_like_number = re.compile(r"[x×]?\s*[-+.,]?\s*\d|[x×]\s*$|^$", re.IGNORECASE)
_number = re.compile(r"\d+(?:\.\d+)?")


def parse(source: str, *, name: str) -> Rubric:
    """Read a rubric; `name` is its file's name without the ending.

    Raises ConfigError whose `mistakes` name every mistake with its line.
    """
    return _Reader(source, name).rubric()


def normalised(source: str) -> str:
    """The text that a rubric's digest covers: one kind of line ending, nothing blank at the end of lines or file."""
    lines = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"


def slug(name: str) -> str:
    """A name in small letters and hyphens; empty where it holds no letter or digit."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "-", folded).strip("-")


def check(rubric: Rubric, judgements: Sequence[Judgement], *, complete: bool) -> None:
    """Raise Invalid for the first judgement that this rubric cannot take, or (`complete`) for one that is missing.

    `field` is "level-CRITERION" or "note-CRITERION".
    """
    seen: set[str] = set()
    for each in judgements:
        criterion = rubric.criterion(each.criterion)
        level, note = f"level-{each.criterion}", f"note-{each.criterion}"
        if criterion is None:
            raise Invalid(
                f"The rubric “{rubric.title}” has no criterion “{each.criterion[:NAME_LIMIT]}”. Reload the page: "
                "it may be older than the rubric.",
                field=level,
            )
        if each.criterion in seen:
            raise Invalid(f"{criterion.name} was judged twice. Choose one level for it.", field=level)
        seen.add(each.criterion)
        if not 0 <= each.level < len(rubric.levels):
            names = ", ".join(each.name for each in rubric.levels)
            raise Invalid(f"{criterion.name} needs one of its levels: {names}.", field=level)
        for word, text in (("note", each.note), ("quote", each.quote)):
            if len(text) > TEXT_LIMIT:
                raise Invalid(
                    f"The {word} on {criterion.name} has {len(text):,} characters; at most {TEXT_LIMIT:,} are kept. "
                    "Nothing was cut: please shorten it.",
                    field=note,
                )
    if complete:
        for criterion in rubric.criteria:
            if criterion.id not in seen:
                raise Invalid(f"Choose a level for {criterion.name}.", field=f"level-{criterion.id}")


def compare(old: Rubric, new: Rubric) -> Change:
    """How far a version is from an older one: the same text, other wording, or other criteria, levels or numbers."""
    if old.digest == new.digest:
        return "same"
    return "wording" if _structure(old) == _structure(new) else "structure"


def _structure(rubric: Rubric) -> object:
    levels = [each.points for each in rubric.levels]
    return levels, sorted((each.id, each.weight) for each in rubric.criteria)


@dataclass(frozen=True)
class _Cell:
    text: str
    line: int


@dataclass(frozen=True)
class _Row:
    cells: tuple[_Cell, ...]
    line: int
    spare: bool
    """The writer's line holds more cells than the table has columns."""


class _Reader:
    """Reads one rubric, collecting every mistake on the way."""

    def __init__(self, source: str, name: str) -> None:
        self.name = name
        self.source = normalised(source)
        self.lines = self.source.split("\n")
        self.mistakes: list[tuple[int, str]] = []

    def wrong(self, line: int, text: str) -> None:
        self.mistakes.append((line, text))

    def rubric(self) -> Rubric:
        if len(self.source) > SOURCE_LIMIT:
            self.wrong(1, f"the rubric has {len(self.source):,} characters; at most {SOURCE_LIMIT:,} are read")
            raise self.error()
        for number, line in enumerate(self.lines, start=1):
            if "\x00" in line:
                self.wrong(number, "there is a NUL character, which no text needs; remove it")
        tokens = _markdown.parse(self.source)
        title = self.title(tokens)
        tables = [list(rows) for rows in _tables(tokens, self.lines)]
        if not tables:
            self.wrong(*self.missing_table())
            raise self.error()
        for extra in tables[1:]:
            self.wrong(extra[0].line, "there is a second table; a rubric has one, with a row for each criterion")
        head, *rows = tables[0]
        levels = self.levels(head)
        criteria = self.criteria(head.line, rows, levels)
        words, criteria = self.words(tokens, criteria)
        if self.mistakes:
            raise self.error()
        return Rubric(
            name=self.name,
            digest=hashlib.sha256(self.source.encode()).hexdigest(),
            title=title,
            words=words,
            levels=levels,
            criteria=criteria,
            source=self.source,
        )

    def error(self) -> ConfigError:
        file = f"rubrics/{self.name}.md"
        listed = tuple(f"{file}, line {line}: {text}" for line, text in sorted(self.mistakes))
        return ConfigError(f"The rubric “{self.name}” cannot be read as it is.", mistakes=listed)

    def title(self, tokens: Sequence[Token]) -> str:
        for token, inline in pairwise(tokens):
            if token.type == "heading_open" and token.tag == "h1":
                title = _plain(inline)
                if len(title) > 2 * NAME_LIMIT:
                    self.wrong(_line(token), f"the title is longer than {2 * NAME_LIMIT} characters")
                if title:
                    return title
        return self.name.replace("-", " ").replace("_", " ").strip().capitalize() or self.name

    def missing_table(self) -> tuple[int, str]:
        for number, line in enumerate(self.lines, start=1):
            if line.count("|") >= 2:
                return number, (
                    "this looks like the first row of a table, but the line below it is not a line of dashes "
                    "with as many cells (| --- | --- | --- |)"
                )
        return 1, "there is no table; a rubric needs one, with a row for each criterion and a column for each level"

    # -- the first row: levels

    def levels(self, head: _Row) -> tuple[Level, ...]:
        cells = head.cells[1:]
        if not LEVELS[0] <= len(cells) <= LEVELS[1]:
            self.wrong(
                head.line, f"a rubric has {LEVELS[0]} to {LEVELS[1]} levels, lowest first; this one has {len(cells)}"
            )
        levels = [self.level(number, cell) for number, cell in enumerate(cells, start=1)]
        names = [slug(each.name) or each.name for each in levels]
        for number, (level, cell) in enumerate(zip(levels, cells, strict=True)):
            if level.name and names[number] in names[:number]:
                self.wrong(cell.line, f"the level “{level.name}” stands there twice")
        given = [(each.name, each.points) for each in levels if each.points is not None]
        if given and len(given) < len(levels):
            bare = ", ".join(f"“{each.name}”" for each in levels if each.points is None)
            self.wrong(
                head.line, f"some levels have points and {bare} have none; give points to all of them or to none"
            )
        elif any(low[1] >= high[1] for low, high in pairwise(given)):
            self.wrong(head.line, "the points do not rise from left to right; the lowest level stands first")
        return tuple(levels)

    def level(self, number: int, cell: _Cell) -> Level:
        if not cell.text:
            self.wrong(cell.line, f"the name of level {number} is empty")
            return Level(name="")
        name, inside = _bracketed(cell.text)
        self.check_name(name, "level", cell.line)
        if inside is None:
            return Level(name=name)
        points = self.number(inside)
        if points is None:
            self.wrong(
                cell.line, f"“({inside})” are no points for the level “{name}”; write a number, such as “{name} (3)”"
            )
        return Level(name=name, points=points)

    # -- the other rows: criteria

    def criteria(self, line: int, rows: Sequence[_Row], levels: Sequence[Level]) -> tuple[Criterion, ...]:
        if not rows:
            self.wrong(line, "the table has no rows; write one for each criterion")
        if len(rows) > CRITERIA_LIMIT:
            self.wrong(
                rows[CRITERIA_LIMIT].line, f"there are {len(rows)} criteria; a rubric has at most {CRITERIA_LIMIT}"
            )
        known: dict[str, int] = {}
        criteria = []
        for row in rows:
            criterion = self.criterion(row, levels)
            if criterion is None:
                continue
            if criterion.id in known:
                self.wrong(row.line, f"the criterion “{criterion.name}” stands in line {known[criterion.id]} already")
            known.setdefault(criterion.id, row.line)
            criteria.append(criterion)
        return tuple(criteria)

    def criterion(self, row: _Row, levels: Sequence[Level]) -> Criterion | None:
        if row.spare:
            self.wrong(row.line, "there are more cells than the table has columns (write \\| for a bar inside a text)")
        text = row.cells[0].text
        if not text:
            self.wrong(row.line, "the name of the criterion is empty")
            return None
        name, inside = _bracketed(text)
        self.check_name(name, "criterion", row.line)
        weight = 1.0
        if inside is not None:
            found = self.number(inside[1:]) if inside[:1] in "xX×" else None
            if not found:
                self.wrong(
                    row.line, f"“({inside})” is no weight for “{name}”; write x and a number, such as “{name} (x2)”"
                )
            weight = found or 1.0
        for level, cell in zip(levels, row.cells[1:], strict=True):
            if not cell.text:
                self.wrong(row.line, f"the level “{level.name}” of “{name}” is empty")
            elif len(cell.text) > DESCRIPTION_LIMIT:
                self.wrong(
                    row.line, f"the level “{level.name}” of “{name}” is longer than {DESCRIPTION_LIMIT:,} characters"
                )
        return Criterion(
            id=slug(name), name=name, weight=weight, descriptions=tuple(each.text for each in row.cells[1:])
        )

    def check_name(self, name: str, what: str, line: int) -> None:
        if not slug(name):
            self.wrong(line, f"the {what} “{name}” has no letter or digit in its name")
        elif len(name) > NAME_LIMIT:
            self.wrong(line, f"the name of the {what} “{name[:20]}…” is longer than {NAME_LIMIT} characters")

    def number(self, text: str) -> float | None:
        if not _number.fullmatch(text.strip()):
            return None
        value = float(text)
        return value if value <= NUMBER_LIMIT else None

    # -- around the table: words, and a question for each criterion

    def words(self, tokens: Sequence[Token], criteria: tuple[Criterion, ...]) -> tuple[str, tuple[Criterion, ...]]:
        words: list[str] = []
        questions: dict[str, list[str]] = {}
        lines: dict[str, int] = {}
        ids = {each.id for each in criteria}
        below, section = False, ""
        titled = False
        for token, inline in _blocks(tokens):
            text = _plain(inline)
            if token.type == "table_close":
                below = True
            elif token.type == "heading_open":
                if token.tag == "h1" and not titled:
                    titled = True
                    continue
                section = slug(text) if below and slug(text) in ids else ""
                if section in lines:
                    self.wrong(_line(token), f"“{text}” has its questions in line {lines[section]} already")
                if section:
                    lines.setdefault(section, _line(token))
                elif text:
                    words.append(text)
            elif section:
                questions.setdefault(section, []).append(text)
            elif text:
                words.append(text)
        joined = {id: " ".join(texts) for id, texts in questions.items()}
        for id, text in joined.items():
            if len(text) > QUESTION_LIMIT:
                self.wrong(
                    lines[id], f"the question is longer than {QUESTION_LIMIT} characters; one or two sentences do"
                )
        asked = tuple(replace(each, question=joined.get(each.id, "")) for each in criteria)
        return "\n\n".join(words), asked


def _bracketed(text: str) -> tuple[str, str | None]:
    """Split `Secure (3)` into ("Secure", "3"); words in brackets, such as `Meets (in time)`, belong to the name."""
    match = _in_brackets.fullmatch(text)
    if match is None or not match["name"] or not _looks_like_number.match(match["inside"].strip()):
        return text, None
    return match["name"], match["inside"].strip()


def _plain(inline: Token) -> str:
    """The visible words of a piece of Markdown, on one line."""
    parts = []
    for child in inline.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type in ("text", "code_inline", "image", "text_special"):
            parts.append(child.content)
    return " ".join("".join(parts).split())


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1


def _tables(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[list[_Row]]:
    rows: list[_Row] = []
    cells: list[_Cell] = []
    columns = line = 0
    inside = False
    for token in tokens:
        if token.type == "table_open":
            rows, inside, columns = [], True, 0
        elif token.type == "table_close":
            inside = False
            yield rows
        elif token.type == "tr_open":
            cells, line = [], _line(token)
        elif token.type == "tr_close":
            columns = columns or len(cells)
            rows.append(_Row(tuple(cells), line, spare=_cells(lines[line - 1]) > columns))
        elif inside and token.type == "inline":
            cells.append(_Cell(_plain(token), _line(token)))


def _cells(line: str) -> int:
    """How many cells the writer put into a line of a table."""
    bare = line.strip().removeprefix("|")
    bars = len(re.findall(r"(?<!\\)\|", bare))
    return bars if re.search(r"(?<!\\)\|$", bare) else bars + 1


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Headings and paragraphs outside tables, each with its inline token, and where a table ended."""
    inside = False
    for token, after in zip(tokens, (*tokens[1:], Token("", "", 0)), strict=True):
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
            if not inside:
                yield token, Token("", "", 0)
        elif not inside and token.type in ("heading_open", "paragraph_open"):
            yield token, after
