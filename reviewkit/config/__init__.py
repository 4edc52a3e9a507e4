"""The course's files, read once and checked whole: course.toml, roster.csv and rubrics/*.md beside it.

`read_course` gives everything, `read_local` only what says how this machine runs the course. Both raise ConfigError
that lists every mistake with its file and line.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reviewkit import rubric as rubrics
from reviewkit.config import course_file, roster
from reviewkit.config.changes import Difference, Kept, differences, merged
from reviewkit.config.course_file import CourseFile
from reviewkit.config.example import write_example
from reviewkit.config.mistakes import Mistakes, did_you_mean, read_text
from reviewkit.config.settings import SECRETS, SETTINGS, Local, Mail, Secret, Setting, variables
from reviewkit.config.write import write_back
from reviewkit.errors import ConfigError
from reviewkit.model import Person, Rubric, Setup

__all__ = [
    "SECRETS",
    "SETTINGS",
    "CourseFiles",
    "Difference",
    "Kept",
    "Local",
    "Mail",
    "Secret",
    "Setting",
    "differences",
    "find",
    "merged",
    "read_course",
    "read_local",
    "variables",
    "write_back",
    "write_example",
]

COURSE_BYTES = 256_000
ROSTER_BYTES = 16_000_000
RUBRIC_BYTES = 4 * rubrics.SOURCE_LIMIT
RUBRICS_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class CourseFiles:
    """Everything that the files say. `digests`: SHA-256 of each file, by its name beside course.toml."""

    path: Path
    setup: Setup
    people: tuple[Person, ...]
    rubrics: tuple[Rubric, ...]
    local: Local
    digests: Mapping[str, str]
    warnings: tuple[str, ...]
    """What is allowed and probably not meant, as sentences for the instructor."""

    @property
    def directory(self) -> Path:
        return self.path.parent


def find(path: str | Path) -> Path:
    """The course file that a path means: itself, or course.toml in a folder. Raises ConfigError in words."""
    path = Path(path).absolute()
    if path.is_dir():
        path = path / course_file.FILE
    if not path.is_file():
        raise ConfigError(
            f"There is no course file {path}. Begin one with `reviewkit init DIR`, or name yours with --course."
        )
    return path


def read_course(path: str | Path, *, environ: Mapping[str, str] | None = None) -> CourseFiles:
    """Read and check all files of a course. Raises ConfigError."""
    path = find(path)
    directory, mistakes = path.parent, Mistakes()
    texts = {path.name: read_text(path, COURSE_BYTES)}
    file = CourseFile(texts[path.name], mistakes, name=path.name)
    file.check_names()
    setup, local = file.setup(), file.local(directory, os.environ if environ is None else environ)
    try:
        texts[roster.FILE] = read_text(directory / roster.FILE, ROSTER_BYTES)
        people = roster.read(texts[roster.FILE], mistakes)
    except ConfigError as error:
        mistakes.take(error)
        people = ()
    versions, seen = _read_rubrics(directory, mistakes)
    texts |= seen
    _check_names(file, setup, local, people, seen, mistakes)
    mistakes.raise_any()
    return CourseFiles(
        path=path,
        setup=setup,
        people=people,
        rubrics=versions,
        local=local,
        digests={name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        warnings=tuple(_warnings(setup, people)),
    )


def read_local(path: str | Path, *, environ: Mapping[str, str] | None = None) -> Local:
    """Read only what says how this machine runs the course; the rest may stand half-edited, if its keys are known.

    Raises ConfigError.
    """
    path = find(path)
    mistakes = Mistakes()
    file = CourseFile(read_text(path, COURSE_BYTES), mistakes, name=path.name)
    file.check_names()
    local = file.local(path.parent, os.environ if environ is None else environ)
    mistakes.raise_any()
    return local


def _read_rubrics(directory: Path, mistakes: Mistakes) -> tuple[tuple[Rubric, ...], dict[str, str]]:
    """The rubrics that could be read, and the texts of all of them by file name."""
    found: list[Rubric] = []
    texts: dict[str, str] = {}
    paths = sorted(each for each in directory.glob("rubrics/*.md") if each.stem.casefold() != "readme")
    if len(paths) > RUBRICS_LIMIT:
        mistakes.add("rubrics/", 0, f"there are {len(paths)} rubrics; a course has at most {RUBRICS_LIMIT}")
        return (), {}
    for path in paths:
        name = f"rubrics/{path.name}"
        texts[name] = ""
        try:
            texts[name] = read_text(path, RUBRIC_BYTES)
            found.append(rubrics.parse(texts[name], name=path.stem))
        except ConfigError as error:
            mistakes.take(error)
    return tuple(found), texts


def _check_names(
    file: CourseFile,
    setup: Setup,
    local: Local,
    people: tuple[Person, ...],
    texts: Mapping[str, str],
    mistakes: Mistakes,
) -> None:
    """What one file, or one table, says of another holds."""
    if local.sign_in == "single-use" and local.mail is None:
        file.wrong(
            ("server", "sign_in"),
            "[server] sign_in: links for one use need [mail], so that people can have a new one sent",
        )
    there = [name.removeprefix("rubrics/").removesuffix(".md") for name in texts]
    for number, assignment in enumerate(setup.assignments):
        if assignment.rubric and assignment.rubric not in there:
            hint = did_you_mean(assignment.rubric, there) or "; the folder rubrics/ is empty or missing"
            file.wrong(
                ("assignments", number, "rubric"),
                f"[[assignments]] rubric: there is no file rubrics/{assignment.rubric}.md{hint}",
            )
    staff = [word for each in people if each.role == "instructor" for word in (each.id, each.email) if word]
    if local.acts_as and people and local.acts_as not in staff:
        file.wrong(
            ("sheet", "acts_as"),
            f"[sheet] acts_as: “{local.acts_as}” is no instructor of the roster{did_you_mean(local.acts_as, staff)}",
        )


def _warnings(setup: Setup, people: tuple[Person, ...]) -> list[str]:
    found = []
    if not any(each.role == "instructor" for each in people):
        found.append("Nobody in roster.csv is an instructor, so nobody can sign a grade.")
    if not any(each.role == "student" for each in people):
        found.append("Nobody in roster.csv is a student.")
    without = [each.name for each in people if each.role == "student" and not each.feeds and not each.withdrawn]
    if without:
        some = ", ".join(without[:5]) + (f" and {len(without) - 5} more" if len(without) > 5 else "")
        found.append(f"No feed is known of: {some}.")
    if not setup.assignments:
        found.append("The course asks for nothing yet: there are no [[assignments]].")
    return found
