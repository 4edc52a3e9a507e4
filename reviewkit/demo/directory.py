"""The demo's directory: the course's files, and a note of when this demo began and where its blogs live."""

import csv
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from reviewkit.config.example import rubric_folder
from reviewkit.demo.cast import EVERYBODY, INSTRUCTOR, RUBRIC, STUDENTS, TAG, TITLE, ZONE
from reviewkit.errors import ConfigError

NOTE = "demo.json"
COURSE = "course.toml"
FIRST, SECOND = "count-one-thing", "left-out"

DAY_OF_TODAY = 41
"""Today in the demo: the first round is nearly signed, the second one is open."""
DAY_OF_EMPTY = 17
"""Today in an empty demo: the posts of the first round are on the blogs, and its date is three days ahead."""

TOML = """\
# The demo's course: invented people, and blogs that live on this machine while the demo runs.

[course]
title = "{title}"
tag = "{tag}"
timezone = "{zone}"
starts = {starts}
ends = {ends}

[reviews]
count = 3
minimum = 2
mode = "double-blind"
rounds = 3

[grades]
scale = "0-100"

[[assignments]]
id = "{first}"
title = "Count one thing"
rubric = "{rubric}"
freeze_by = {freeze_1}
self_by = {self_1}
review_by = {review_1}
answer_by = {answer_1}
sign_by = {sign_1}

[[assignments]]
id = "{second}"
title = "What the numbers leave out"
tag = "leftout"
rubric = "{rubric}"
freeze_by = {freeze_2}
self_by = {self_2}
review_by = {review_2}
answer_by = {answer_2}
sign_by = {sign_2}

[store]
database = "sqlite:///course.db"

[sheet]
acts_as = "{instructor}"

[network]
allow_private_addresses = true  # the blogs are on loopback
"""

DAYS = {
    "freeze_1": 20,
    "self_1": 22,
    "review_1": 29,
    "answer_1": 43,
    "sign_1": 48,
    "freeze_2": 43,
    "self_2": 45,
    "review_2": 52,
    "answer_2": 57,
    "sign_2": 64,
}
"""The days of the rounds' dates, each at six in the evening."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a demo must remember to be started again: its day 0, the port of its blogs, whether it began empty."""

    origin: date
    port: int
    empty: bool


def day_zero(now: datetime, *, empty: bool) -> date:
    """The first day of a course that stands where the demo shall stand now."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    return today - timedelta(days=DAY_OF_EMPTY if empty else DAY_OF_TODAY)


@contextmanager
def place(directory: Path | None) -> Iterator[Path]:
    """The directory of the demo: the one named, made when missing; else a temporary one that goes with the demo."""
    if directory is not None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"The demo cannot be kept in {directory}: {error.strerror or error}.") from error
        yield directory.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="reviewkit-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def read_note(directory: Path) -> Note | None:
    """The note of a demo that is in the directory already; None where a new one can be made.

    Raises ConfigError where something else is there: the demo never writes over a course.
    """
    try:
        kept = json.loads((directory / NOTE).read_text("utf-8"))
        return Note(origin=date.fromisoformat(kept["origin"]), port=int(kept["port"]), empty=bool(kept["empty"]))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{directory / NOTE} is not what the demo wrote there. Choose another directory.") from error
    if any(directory.iterdir()):
        raise ConfigError(
            f"{directory} holds other things than a demo; nothing was written. Choose an empty directory."
        )
    return None


def write_note(directory: Path, note: Note) -> None:
    """Written last: a directory with a note holds a whole demo."""
    text = json.dumps({"origin": note.origin.isoformat(), "port": note.port, "empty": note.empty}) + "\n"
    (directory / NOTE).write_text(text, "utf-8")


@contextmanager
def building(directory: Path) -> Iterator[None]:
    """Whatever goes wrong while a demo is being made, its directory is left as empty as it was."""
    try:
        yield
    except BaseException:
        for path in directory.iterdir():
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def write_course(directory: Path, origin: date, base: str) -> Path:
    """Write course.toml, roster.csv and rubrics/ for a course that began on `origin`; gives the course file."""

    def day(number: int, clock: str = "18:00:00") -> str:
        return f"{origin + timedelta(days=number)}T{clock}"

    (directory / "rubrics").mkdir()
    shutil.copyfile(rubric_folder() / f"{RUBRIC}.md", directory / "rubrics" / f"{RUBRIC}.md")
    with (directory / "roster.csv").open("w", encoding="utf-8", newline="") as roster:
        writer = csv.writer(roster, lineterminator="\n")
        writer.writerow(("id", "name", "email", "role", "feeds"))
        for each in EVERYBODY:
            writer.writerow((each.id, each.name, each.email, each.role, base + each.feed if each in STUDENTS else ""))
    file = directory / COURSE
    file.write_text(
        TOML.format(
            title=TITLE,
            tag=TAG,
            zone=ZONE,
            rubric=RUBRIC,
            first=FIRST,
            second=SECOND,
            instructor=INSTRUCTOR.id,
            starts=day(0, "00:00:00"),
            ends=day(70),
            **{name: day(number) for name, number in DAYS.items()},
        ),
        "utf-8",
    )
    return file
