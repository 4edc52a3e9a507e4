"""Where things stand in a TOML file: tomllib gives values, and this gives their lines."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes down to a value: ("assignments", 0, "id")."""

_table = re.compile(r"\s*(?P<many>\[)?\[\s*(?P<path>[^\[\]]+?)\s*\]")
_key = re.compile(
    r"""\s*(?P<key>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_part = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_place = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)


@dataclass(frozen=True)
class Document:
    """The values of a TOML file and the lines they stand in."""

    values: dict[str, Any]
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest table around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 1


class BrokenToml(ValueError):
    """The text is no TOML; `line` says where reading ended."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read(text: str) -> Document:
    """Values and lines of a TOML text. Raises BrokenToml."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _explained(error, text) from error
    except RecursionError as error:
        raise BrokenToml("lists or tables are nested too deeply", 1) from error
    return Document(values, _lines(text))


def _explained(error: tomllib.TOMLDecodeError, text: str) -> BrokenToml:
    match = _place.fullmatch(str(error))
    if match is None:
        return BrokenToml(f"this is not TOML: {error}", 1)
    line = int(match["line"]) if match["line"] else text.rstrip("\n").count("\n") + 1
    what = match["what"]
    return BrokenToml(f"this is not TOML: {what[:1].lower()}{what[1:]}", line)


def _lines(text: str) -> dict[Path, int]:
    """The line of each table and key that begins a line; keys inside inline tables share the line of their table."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    quote, depth = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not quote and not depth:
            if match := _table.match(line):
                table = _parts(match["path"])
                if match["many"]:
                    found.setdefault(table, number)
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, counts[table])
                found.setdefault(table, number)
            elif match := _key.match(line):
                found.setdefault((*table, *_parts(match["key"])), number)
        quote, depth = _open_ends(line, quote, depth)
    return found


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _part.findall(dotted))


def _open_ends(line: str, quote: str, depth: int) -> tuple[str, int]:
    """What a line leaves open: a text over several lines (its quotes), and how many lists."""
    at = 0
    if not quote and not depth and _table.match(line):
        return "", 0
    while at < len(line):
        if quote:
            if line[at] == "\\" and quote[0] == '"':
                at += 2
                continue
            if line.startswith(quote, at):
                at += len(quote)
                quote = ""
                continue
        elif line[at] == "#":
            break
        elif line[at] in "\"'":
            quote = line[at] * 3 if line.startswith(line[at] * 3, at) else line[at]
            at += len(quote)
            continue
        else:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(line[at], 0)
        at += 1
    return (quote if len(quote) == 3 else ""), max(0, depth)
