"""`reviewkit demo`: an invented course in the middle of a round, on this machine alone.

Nothing of it needs a network, an account or a setting. The blogs are in the package and are served on loopback; what
has happened in the course so far happened through its own verbs, at the times that the pages show.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reviewkit.demo.directory import Note
    from reviewkit.demo.hosting import Blogs

__all__ = ["run"]

PORT = 8866
"""Where the pages are unless somebody says otherwise; any free port when it is taken."""


def run(*, port: int | None, directory: Path | None, empty: bool, as_json: bool) -> None:
    """Make the demo's course (or take up the one in `directory`), and serve it until SIGTERM or SIGINT.

    `empty`: the blogs are there and nothing has happened yet. `as_json`: print one line of JSON with everybody's
    sign-in link first, and nothing else. Raises ConfigError when the directory or a port cannot be used.
    """
    from reviewkit.demo import directory as files
    from reviewkit.demo.hosting import hosted

    with _stoppable(), files.place(directory) as here:
        note = files.read_note(here)
        origin = note.origin if note else files.day_zero(datetime.now(UTC), empty=empty)
        with hosted(origin, note.port if note else 0) as blogs:
            if note is None:
                _say("Making an invented course …", as_json)
                with files.building(here):
                    note = _make(here, origin, blogs, empty=empty)
            elif empty:
                _say("This directory holds a demo already: it goes on where it was.", as_json)
            blogs.go_live()
            _serve(here / files.COURSE, port, as_json, hints=not note.empty)


def _make(here: Path, origin: date, blogs: "Blogs", *, empty: bool) -> "Note":
    """Write the course's files and, unless it shall be empty, tell its history."""
    from reviewkit.demo.directory import Note, write_course, write_note
    from reviewkit.demo.history import Clock, History
    from reviewkit.opening import open_local

    file, clock = write_course(here, origin, blogs.base), Clock()
    course = open_local(file, clock=clock)
    try:
        if not empty:
            History(course, clock, origin, blogs.stand_at).tell()
    finally:
        course.store.close()
    note = Note(origin=origin, port=blogs.port, empty=empty)
    write_note(here, note)
    return note


def _serve(course_file: Path, port: int | None, as_json: bool, *, hints: bool) -> None:
    from reviewkit import server

    def ready(url: str) -> None:
        people = _people(course_file, url)
        print(
            _line(url, course_file, people) if as_json else _table(url, course_file.parent, people, hints=hints),
            flush=True,
        )

    try:
        server.serve(course_file, port=_free(PORT) if port is None else port, ready=ready)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # we are leaving already; a second word must not leave a mess


def _people(course_file: Path, url: str) -> list[dict[str, str]]:
    """Everybody, with their sign-in link; links can be used again, also after the demo was started anew."""
    from reviewkit.opening import open_local
    from reviewkit.signing import link, read_secret

    course, secret = open_local(course_file), read_secret(course_file.parent)
    try:
        return [
            {
                "id": each.id,
                "name": each.name,
                "email": each.email,
                "role": each.role,
                "link": link(secret, each.id, course.store.link_serial(each.id), url),
            }
            for each in course.people()
        ]
    finally:
        course.store.close()


def _line(url: str, course_file: Path, people: list[dict[str, str]]) -> str:
    return json.dumps({"url": url, "course": str(course_file), "people": people}, ensure_ascii=False)


def _table(url: str, here: Path, people: list[dict[str, str]], *, hints: bool) -> str:
    """Everybody, with what waits for them (where the demo knows it) and their link."""
    from reviewkit.demo.cast import TITLE, member

    width = max(len(each["name"]) for each in people)
    lines = ["", f"{TITLE}, an invented course: {url}", f"Its files: {here}", ""]
    lines += ["Sign in as anybody; links can be used again.", ""]
    for role in ("instructor", "student"):
        for each in people:
            if each["role"] == role:
                lines += [
                    f"  {each['name']:<{width}}  {member(each['id']).try_this}",
                    f"  {'':<{width}}  {each['link']}",
                ]
        lines.append("")
    return "\n".join([*lines, "Ctrl-C stops the demo."])


def _free(wish: int) -> int:
    """The wished port when nobody listens there, else 0: any that is free."""
    import socket

    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", wish))
        except OSError:
            return 0
    return wish


def _say(sentence: str, as_json: bool) -> None:
    if not as_json:
        print(sentence, file=sys.stderr, flush=True)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM leaves by the same door as Ctrl-C, so that blogs and directory are cleared away at any moment."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
