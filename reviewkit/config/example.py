"""`reviewkit init`: a course to begin with, commented, that runs as it is."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reviewkit.errors import ConfigError

COURSE = """\
# A course of reviewkit. `reviewkit check` reads this file, roster.csv and rubrics/ and lists every mistake at once.
# After a change: `reviewkit import` shows what it would do, `reviewkit import --apply` does it.

[course]
title = "Data Stories"
tag = "datastories"               # posts with this tag come into the course
timezone = "UTC"                  # the zone of all dates below, such as "Europe/Berlin" or "America/New_York"
starts = {starts}      # older posts do not count

[reviews]
count = 2                         # reviews that each student gives and gets
minimum = 1                       # reviews that a submission needs before it is revealed
mode = "double-blind"             # or "reviewers-hidden", or "open"
rounds = 3                        # how often instructor and author may go back and forth

[grades]
scale = "0-100"                   # or "levels" (no number anywhere), or letters: ["A", "B", "C", "D", "F"]

[[assignments]]                   # once for each assignment
id = "first-story"                # never changes
title = "A first data story"
# tag = "firststory"              # its own tag, where the course's tag is not enough
kind = "post"                     # or "participation": a selection of posts, for a term
rubric = "data-stories"           # the file rubrics/data-stories.md
freeze_by = {freeze_by}   # authors choose a post; then the newest one with the tag is frozen
self_by = {self_by}     # self-evaluations are due; then reviews are allocated
review_by = {review_by}   # reviews are due; then all of them are revealed together
answer_by = {answer_by}   # authors answer their reviews
sign_by = {sign_by}     # the instructor signs

# What follows says how this machine runs the course; it is read at each start.

[store]
database = "sqlite:///course.db"  # beside this file; or "postgresql+psycopg://user@host/name"

# [sheet]                         # without it the instructor's workbook is an .xlsx file beside the database
# spreadsheet = "the key of a Google spreadsheet, shared with the service account"
# acts_as = "prof"                # for whom decisions typed into the sheet count

# [server]
# public_url = "https://reviews.example"  # needed when people are to reach the pages from elsewhere
# sign_in = "reusable"            # or "single-use", which needs [mail]
# trusted_proxy = "127.0.0.1"     # the web server in front, whose X-Forwarded-For is believed

# [mail]
# host = "mail.example"
# sender = "course@reviews.example"
# user = "course"                 # the file of its password is named in REVIEWKIT_SMTP_PASSWORD_FILE
"""

ROSTER = """\
id,name,email,role,feeds
ann,Ann Alder,ann@students.example,student,https://ann.example/feed/
bob,Bob Birch,bob@students.example,student,https://bob.example/index.xml
cyd,Cyd Cedar,cyd@students.example,student,https://cyd.example/rss/
prof,Pat Rowan,pat@staff.example,instructor,
"""


def rubric_folder() -> Path:
    """Where the rubrics that come with the product are: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "rubrics"
    return inside if inside.is_dir() else package.parent / "rubrics"


def write_example(directory: Path, *, now: datetime | None = None) -> list[str]:
    """Write the example into a folder, all of it or nothing; gives the names of what was written.

    Raises ConfigError where one of its files is there already.
    """
    names = ["course.toml", "roster.csv", "rubrics"]
    there = [name for name in names if (directory / name).exists()]
    if there:
        raise ConfigError(
            f"{directory} holds {' and '.join(there)} already; nothing was written. Choose another folder."
        )
    made = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory, names, now or datetime.now(UTC))
    except OSError as error:
        if made and directory.exists() and not any(directory.iterdir()):
            directory.rmdir()
        raise ConfigError(f"The example cannot be written into {directory}: {error.strerror or error}.") from error
    return names


def _write(directory: Path, names: list[str], now: datetime) -> None:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def after(days: int, hour: int = 22) -> str:
        return (today + timedelta(days=days, hours=hour)).isoformat()

    text = COURSE.format(
        starts=after(-14, 0),
        freeze_by=after(14),
        self_by=after(17),
        review_by=after(24),
        answer_by=after(28),
        sign_by=after(35),
    )
    with tempfile.TemporaryDirectory(dir=directory, prefix=".init-") as staging:
        stage = Path(staging)
        (stage / "course.toml").write_text(text, "utf-8")
        (stage / "roster.csv").write_text(ROSTER, "utf-8")
        (stage / "rubrics").mkdir()
        for path in sorted(rubric_folder().glob("*.md")):
            shutil.copyfile(path, stage / "rubrics" / path.name)
        for name in reversed(names):  # course.toml last: with it the folder is a course
            (stage / name).rename(directory / name)
