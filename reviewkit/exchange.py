"""What `reviewkit export` hands out: lists of plain objects, with field names that others rely on; as JSON or CSV.

Nothing here decides who may see what: an export is for whoever runs the course.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from reviewkit import dialogue as rules
from reviewkit.chain import Seal
from reviewkit.model import Allocation, Dialogue, Person, Post, Setup, SignOff
from reviewkit.slots import slots_of

Row = dict[str, Any]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to some spreadsheets; an apostrophe before it makes it text."""

TURN_FIELDS = ("id", "submission", "sequence", "kind", "by", "at", "via", "digest", "previous")

FIELDS: Mapping[str, Sequence[str]] = {
    "posts": ("person", "feed", "guid", "link", "title", "published", "author", "tags", "revisions"),
    "submissions": ("id", "person", "assignment", "stage"),
    "allocations": ("reviewer", "author", "submission", "pseudonym", "status"),
    "turns": TURN_FIELDS,
    "grades": ("person", "assignment", "grade", "scale", "agreed", "at"),
    "workbook": ("tab", "id"),
    "course": ("file", "text"),
}
"""The fields of each export, in the order of the CSV's columns; what only some rows have comes after these."""


def posts(posts: Iterable[Post]) -> Iterator[Row]:
    """Posts with their revisions, oldest first; `gone` only for a post that its site took away."""
    for each in posts:
        row: Row = {
            "person": each.person,
            "feed": each.feed,
            "guid": each.guid,
            "link": each.link,
            "title": each.title,
            "published": moment(each.published),
            "author": each.author,
            "tags": [{"tag": tag.tag, "found": tag.found} for tag in each.tags],
            "revisions": [
                {"digest": one.digest, "seen": moment(one.seen), "title": one.title, "text": one.text}
                for one in each.revisions
            ],
        }
        if each.gone is not None:
            row["gone"] = moment(each.gone)
        yield row


def submissions(dialogues: Iterable[Dialogue]) -> Iterator[Row]:
    for each in dialogues:
        yield {
            "id": each.submission.id,
            "person": each.submission.person,
            "assignment": each.submission.assignment,
            "stage": rules.stage(each.turns),
        }


def allocations(
    allocations: Iterable[Allocation], dialogues: Iterable[Dialogue], people: Iterable[Person] = ()
) -> Iterator[Row]:
    """Who reviews whom; `status` is a `slots.Status`. `people`: everybody, for those who have withdrawn."""
    rounds = dict[str, list[Dialogue]]()
    for dialogue in dialogues:
        rounds.setdefault(dialogue.submission.assignment, []).append(dialogue)
    all_, everybody = list(allocations), list(people)
    known = {assignment: slots_of(made, all_, everybody) for assignment, made in rounds.items()}
    for each in all_:
        slots = known[each.assignment]
        yield {
            "reviewer": each.reviewer,
            "author": slots.author(each.submission),
            "submission": each.submission,
            "pseudonym": each.pseudonym,
            "status": slots.status(each),
        }


def turns(dialogues: Iterable[Dialogue], seals: Mapping[str, Seal]) -> Iterator[Row]:
    """Every turn, in the order of its dialogue, with its own fields after those that all have.

    The last three prove it (docs/verify.md): `salt`, `sealed` (its own fields as its digest covers them, with
    `{"text": digest}` in place of words) and `salts` (by digest, the salt of each text that was not erased).
    """
    for dialogue in dialogues:
        for turn in dialogue.turns:
            shared = {name: getattr(turn, name) for name in TURN_FIELDS} | {"at": moment(turn.at)}
            seal = seals[turn.id]
            proof = {"salt": turn.salt, "sealed": seal.rest, "salts": seal.salts}
            yield shared | msgspec.to_builtins(turn.what) | proof


def grades(dialogues: Iterable[Dialogue], setup: Setup) -> Iterator[Row]:
    """The grades that an instructor signed. `agreed`: author and instructor had come to it together."""
    scale = "letters" if isinstance(setup.scale, tuple) else setup.scale
    for each in dialogues:
        if rules.stage(each.turns) != "signed":
            continue
        for turn in reversed(each.turns):
            if isinstance(turn.what, SignOff) and turn.what.role == "instructor":
                yield {
                    "person": each.submission.person,
                    "assignment": each.submission.assignment,
                    "grade": turn.what.grade,
                    "scale": scale,
                    "agreed": rules.agreed(each.turns) is not None,
                    "at": moment(turn.at),
                }
                break


def workbook(tabs: Mapping[str, Iterable[Mapping[str, str]]]) -> Iterator[Row]:
    """The rows of the instructor workbook, each with the name of its tab."""
    for tab, rows in tabs.items():
        for row in rows:
            yield {"tab": tab, **row}


def course(texts: Mapping[str, str]) -> Iterator[Row]:
    """The course's files, each with its name."""
    for file, text in texts.items():
        yield {"file": file, "text": text}


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, with a Z; None for none."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_json(rows: Iterable[Row]) -> str:
    """A list of objects."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    return "[" + ",".join(f"\n  {line}" for line in lines) + ("\n]\n" if lines else "]\n")


def as_csv(rows: Iterable[Row], fields: Sequence[str] = ()) -> str:
    """The same as a table: lists and objects as JSON in their cell, and no cell that a spreadsheet would compute."""
    everything = list(rows)
    columns = dict.fromkeys(fields)
    for row in everything:
        columns |= dict.fromkeys(row)
    out = io.StringIO(newline="")
    writer = csv.writer(out)  # ends lines with CR LF: with a bare LF it would leave a CR inside a text unquoted
    writer.writerow(columns)
    for row in everything:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
        case int() | float():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
