"""The store written back as files, so that an exported course can be read, kept in version control and imported."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reviewkit.config import course_file, moments, roster, toml
from reviewkit.config.mistakes import Mistakes
from reviewkit.config.settings import SETTINGS, STEPS
from reviewkit.errors import ConfigError
from reviewkit.model import Person, Rubric, Setup

LOCAL = tuple(dict.fromkeys(each.table for each in SETTINGS if each.variable))
"""Tables that say how a machine runs the course: they stay as the file has them."""


def course_texts(
    setup: Setup, people: Iterable[Person], rubrics: Sequence[Rubric], *, before: str = ""
) -> dict[str, str]:
    """The files by name. `before` is the course.toml that stands there: its tables about the machine are kept."""
    local = toml.read(before).values if before else {}
    newest = {each.name: each for each in rubrics}
    return {
        course_file.FILE: course_text(setup, {table: local[table] for table in LOCAL if local.get(table)}),
        roster.FILE: roster.write(people),
        **{f"rubrics/{name}.md": each.source for name, each in sorted(newest.items())},
    }


def write_back(directory: Path, setup: Setup, people: Iterable[Person], rubrics: Sequence[Rubric]) -> list[str]:
    """Write a course's files into a folder; gives the names of those that changed.

    A file that says the same already is left as it is, with its comments. Raises ConfigError.
    """
    here = directory / course_file.FILE
    try:
        before = here.read_text("utf-8") if here.exists() else ""
        texts = course_texts(setup, people, rubrics, before=before)
        if before and _says(before) == _says(texts[course_file.FILE]):
            del texts[course_file.FILE]
        if _people(directory / roster.FILE) == tuple(people):
            del texts[roster.FILE]
        changed = [name for name, text in texts.items() if not _same(directory / name, text)]
        for name in changed:
            replace_file(directory / name, texts[name], mode=0o600 if name == roster.FILE else 0o644)
    except toml.BrokenToml as error:
        raise ConfigError(f"{here}, line {error.line}: {error}. Nothing was written.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The course's files could not be written into {directory}: {error}.") from error
    return changed


def replace_file(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a whole file or nothing: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def course_text(setup: Setup, local: Mapping[str, Mapping[str, Any]]) -> str:
    """course.toml as text."""
    zone = moments.zone(setup.timezone)

    def dated(pairs: Iterable[tuple[str, Any]]) -> list[str]:
        return [f"{key} = {moments.local(moment, zone)}" for key, moment in pairs if moment is not None]

    tables = [
        [
            "[course]",
            f"title = {_text(setup.title)}",
            f"tag = {_text(setup.tag)}",
            f"timezone = {_text(setup.timezone)}",
            *dated([("starts", setup.starts), ("ends", setup.ends)]),
        ],
        [
            "[reviews]",
            f"count = {setup.reviews.count}",
            f"minimum = {setup.reviews.minimum}",
            f"mode = {_text(setup.reviews.mode)}",
            f"rounds = {setup.reviews.rounds}",
            f"grace = {setup.reviews.grace}",
            f"own_first = {_value(setup.reviews.own_first)}",
        ],
        ["[grades]", f"scale = {_value(setup.scale)}"],
    ]
    for each in setup.assignments:
        words = [
            ("id", each.id),
            ("title", each.title),
            ("tag", each.tag),
            ("kind", each.kind),
            ("rubric", each.rubric),
        ]
        tables.append(
            [
                "[[assignments]]",
                *(f"{key} = {_text(word)}" for key, word in words if word),
                *dated((step, getattr(each, step)) for step in STEPS),
            ]
        )
    for table, values in local.items():
        tables.append([f"[{table}]", *(f"{key} = {_value(value)}" for key, value in values.items())])
    return "\n\n".join("\n".join(lines) for lines in tables) + "\n"


def _says(text: str) -> object:
    """What a course.toml means, whatever its comments and its spelling; None where it holds mistakes."""
    mistakes = Mistakes()
    file = course_file.CourseFile(text, mistakes)
    setup = file.setup()
    if mistakes.found:
        return None
    return replace(setup, assignments=tuple(sorted(setup.assignments, key=lambda each: each.id)))


def _people(path: Path) -> tuple[Person, ...] | None:
    """Whom a roster names; None where it is missing or holds mistakes."""
    mistakes = Mistakes()
    people = roster.read(path.read_text("utf-8-sig"), mistakes) if path.exists() else ()
    return None if mistakes.found or not path.exists() else people


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return str(value)
