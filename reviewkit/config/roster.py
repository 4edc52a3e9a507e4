"""roster.csv: a row per person; every mistake with its row."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import get_args
from urllib.parse import urlsplit

from reviewkit.config.mistakes import Mistakes, did_you_mean
from reviewkit.model import SCHEDULE, Person, Role

FILE = "roster.csv"
COLUMNS = ("id", "name", "email", "role", "feeds")
EXTRA = ("excluded", "sections", "status")
STATUS = {"": False, "active": False, "late": False, "withdrawn": True, "dropped": True}
"""What a status says about being withdrawn; "late" is a word of planning and changes nothing."""

PEOPLE_LIMIT = 20_000
FEEDS_LIMIT = 20
SECTIONS_LIMIT, SECTION_LENGTH = 20, 64

_id = re.compile(r"[^\W_][\w.@+-]{0,63}")
_email = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")


def read(text: str, mistakes: Mistakes) -> tuple[Person, ...]:
    """Everybody of the roster, in its order; rows with mistakes are left out and noted."""
    rows = _rows(text, mistakes)
    people: dict[str, Person] = {}
    lines: dict[str, int] = {}
    emails: dict[str, int] = {}
    excluded: list[tuple[int, str, str]] = []
    for line, row in rows:
        person = _person(line, row, mistakes)
        id = row.get("id", "")
        if id and id.casefold() in lines:
            mistakes.add(FILE, line, f"the id “{id[:70]}” stands in line {lines[id.casefold()]} already")
            continue
        lines[id.casefold()] = line
        if person is None:
            continue
        if person.email and person.email.casefold() in emails:
            first = emails[person.email.casefold()]
            mistakes.add(FILE, line, f"the e-mail address {person.email} stands in line {first} already")
        emails.setdefault(person.email.casefold(), line)
        excluded += [(line, person.id, other) for other in person.excluded]
        people[person.id] = person
    ids = {row.get("id", "") for _, row in rows}
    for line, id, other in excluded:
        if other == id:
            mistakes.add(FILE, line, f"excluded: “{id}” names themselves; nobody reviews themselves anyway")
        elif other not in ids:
            mistakes.add(FILE, line, f"excluded: there is nobody with the id “{other}”{_near(other, ids)}")
    taught = {section for each in people.values() if each.role == "student" for section in each.sections}
    for each in people.values():
        for section in each.sections if each.role == "assistant" else ():
            if section not in taught:
                line = lines[each.id.casefold()]
                mistakes.add(FILE, line, f"sections: no student is in “{section}”{_near(section, taught)}")
    return tuple(people.values())


def _near(word: str, people: Iterable[str]) -> str:
    hint = did_you_mean(word, people)
    return hint if hint.startswith("; did") else ""


def _rows(text: str, mistakes: Mistakes) -> list[tuple[int, Mapping[str, str]]]:
    """The rows with the line each begins in; cells by column."""
    first = text.partition("\n")[0]
    separator = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, Mapping[str, str]]] = []
    columns: list[str] = []
    begins = 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = [cell.strip().casefold() for cell in cells]
                if not _check_columns(columns, line, mistakes):
                    return []
                continue
            if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
                mistakes.add(
                    FILE,
                    line,
                    f"there are {len(cells)} cells and {len(columns)} columns; put quotes round a cell with a comma",
                )
                continue
            rows.append((line, dict(zip(columns, (cell.strip() for cell in cells), strict=False))))
            if len(rows) > PEOPLE_LIMIT:
                mistakes.add(FILE, line, f"there are more than {PEOPLE_LIMIT:,} people")
                return []
    except csv.Error as error:
        mistakes.add(FILE, reader.line_num, f"this is not CSV: {error}")
        return []
    if not columns:
        mistakes.add(FILE, 1, f"the file is empty; its first line is {','.join(COLUMNS)}")
    return rows


def _check_columns(columns: list[str], line: int, mistakes: Mistakes) -> bool:
    known = (*COLUMNS, *EXTRA)
    before = len(mistakes.found)
    for number, column in enumerate(columns):
        if column not in known:
            mistakes.add(FILE, line, f"the column “{column}” is not known{did_you_mean(column, known)}")
        elif column in columns[:number]:
            mistakes.add(FILE, line, f"the column “{column}” is there twice")
    for column in ("id", "name"):
        if column not in columns:
            mistakes.add(FILE, line, f"the column “{column}” is missing; the first line is {','.join(COLUMNS)}")
    return len(mistakes.found) == before


def _person(line: int, row: Mapping[str, str], mistakes: Mistakes) -> Person | None:
    def wrong(text: str) -> None:
        mistakes.add(FILE, line, text)

    before = len(mistakes.found)
    id, name, email = (row.get(column, "") for column in ("id", "name", "email"))
    role = row.get("role", "").casefold() or "student"
    status = row.get("status", "").casefold()
    if not id:
        wrong("the id is empty")
    elif not _id.fullmatch(id) or id == SCHEDULE:
        wrong(f"the id “{id[:70]}” cannot be used; write up to 64 letters, digits, dots, hyphens, underscores, @ or +")
    if not name:
        wrong("the name is empty")
    elif len(name) > 200 or not name.isprintable():
        wrong("the name is longer than 200 characters or holds control characters")
    if email and (len(email) > 254 or not email.isprintable() or not _email.fullmatch(email)):
        wrong(f"“{email[:80]}” is no e-mail address")
    roles = get_args(Role)
    if role not in roles:
        wrong(f"the role “{role[:40]}” is not known{did_you_mean(role, roles)}")
    if status not in STATUS:
        wrong(f"the status “{status[:40]}” is not known{did_you_mean(status, [each for each in STATUS if each])}")
    feeds = tuple(dict.fromkeys(row.get("feeds", "").split()))
    if len(feeds) > FEEDS_LIMIT:
        wrong(f"there are {len(feeds)} feeds; a person has at most {FEEDS_LIMIT}")
    sections = tuple(dict.fromkeys(row.get("sections", "").split()))
    if len(sections) > SECTIONS_LIMIT or any(len(each) > SECTION_LENGTH for each in sections):
        wrong(f"sections: a person is in at most {SECTIONS_LIMIT}, each a word of at most {SECTION_LENGTH} characters")
    for url in feeds:
        problem = feed_problem(url)
        if problem:
            wrong(f"feeds: {problem}")
    if len(mistakes.found) > before:
        return None
    return Person(
        id=id,
        name=name,
        email=email,
        role=next(each for each in roles if each == role),
        feeds=feeds,
        excluded=tuple(dict.fromkeys(row.get("excluded", "").split())),
        sections=sections,
        withdrawn=STATUS[status],
    )


def feed_problem(url: str) -> str:
    """Why an address cannot be a feed, in words; empty when it can."""
    shown = url[:80]
    if len(url) > 2_000 or not url.isprintable():
        return f"“{shown}” is longer than 2,000 characters or holds control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return f"“{shown}” is not a web address"
    if parts.scheme not in ("http", "https"):
        begin = "" if "://" in url else f"; did you mean “https://{shown}”?"
        return f"“{shown}” does not begin with https:// or http://{begin}"
    if not parts.hostname:
        return f"“{shown}” names no site"
    if parts.username or parts.password:
        return f"the address on {parts.hostname} holds a name or a password; feeds are read without"
    return ""


def write(people: Iterable[Person]) -> str:
    """The roster as CSV, with the extra columns only where somebody needs them."""
    everybody = list(people)
    columns = [*COLUMNS]
    if any(each.excluded for each in everybody):
        columns.append("excluded")
    if any(each.sections for each in everybody):
        columns.append("sections")
    if any(each.withdrawn for each in everybody):
        columns.append("status")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for each in everybody:
        row = {
            "id": each.id,
            "name": each.name,
            "email": each.email,
            "role": each.role,
            "feeds": " ".join(each.feeds),
            "excluded": " ".join(each.excluded),
            "sections": " ".join(each.sections),
            "status": "withdrawn" if each.withdrawn else "",
        }
        writer.writerow([row[column] for column in columns])
    return out.getvalue()
