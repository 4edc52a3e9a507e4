"""The real thing for tests: a course on disk, `serve` in a process of its own, a real Chromium."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from reviewkit import open_course
from reviewkit.course import Course
from reviewkit.model import Feed, Person
from reviewkit.server.links import link, read_secret
from reviewkit.store import open_store
from tests.cast import ANN, PEOPLE, RUBRIC, STUDENTS, a_post

SERVE = "import sys, pathlib, reviewkit.server as s; s.serve(pathlib.Path(sys.argv[1]), port=int(sys.argv[2]))"
SERVE_AHEAD = """
import pathlib, sys, time
import reviewkit.server as s
course = pathlib.Path(sys.argv[1])
ahead = course.with_name("ahead")
s.serve(course, port=int(sys.argv[2]), clock=lambda: time.time() + float(ahead.read_text() if ahead.exists() else 0))
"""
"""The same with a clock for sign-ins that a test sets ahead: by the seconds in a file beside the course."""
COURSE = """[course]
title = "Data Stories"
tag = "datastories"
timezone = "Europe/Berlin"

[store]
database = "sqlite:///course.db"

[reviews]
count = 2

[[assignments]]
id = "river"
title = "A story with numbers"
rubric = "data-stories"
"""
Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], *, seconds: float = 30, what: str = "it") -> Found:
    """What `look` finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
    return found


@cache
def tables() -> bytes:
    """A database file with its tables made and nothing in it: they are made once, and every course begins with them."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "course.db"
        open_store(f"sqlite:///{path}").close()
        return path.read_bytes()


def a_course_folder(folder: Path, *more: Person) -> Path:
    """The cast's course on disk, with one post of each student, pulled a moment ago; gives the course file."""
    people = (*PEOPLE, *more)
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics" / "data-stories.md").write_text(RUBRIC, "utf-8")
    (folder / "course.toml").write_text(COURSE, "utf-8")
    rows = ["id,name,email,role,feeds", *(f"{p.id},{p.name},{p.email},{p.role},{' '.join(p.feeds)}" for p in people)]
    (folder / "roster.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "course.db").write_bytes(tables())
    course = the_course(folder / "course.toml")
    now = datetime.now(UTC)
    for person in (*STUDENTS, *more):
        course.store.keep_pull(Feed(person=person.id, url=person.feeds[0], tried=now), [a_post(person)], seen=now)
    course.store.close()
    return folder / "course.toml"


def the_course(course_file: Path) -> Course:
    course = open_course(course_file)
    assert isinstance(course, Course)
    return course


@dataclass
class Server:
    """`reviewkit serve` as a process. Its log is in the course's folder."""

    course_file: Path
    port: int = 0
    url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    script: str = SERVE
    process: "subprocess.Popen[str]" = field(init=False)

    def __enter__(self) -> "Server":
        self.log = self.course_file.parent / "serve.log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.script, str(self.course_file), str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | self.environment,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"https?://[^\s:]+(?::(\d+))?", line)
        if not found:
            self.stop()
            raise AssertionError(f"the server did not start: {line}{self.log.read_text()}")
        self.url, self.port = found[0], int(found[1] or self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()

    def link(self, person: Person) -> str:
        """A sign-in link; nobody of the cast had theirs revoked."""
        return link(read_secret(self.course_file.parent), person.id, 1, self.url)

    # -- its processes

    def service(self) -> int:
        return wait_for(lambda: self._find("reviewkit.service"), what="the course service")

    def fork_server(self) -> int:
        return wait_for(lambda: self._find("reviewkit.server.light.fork"), what="the fork server")

    def pages(self) -> list[int]:
        return children(self.fork_server())

    def all(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]

    def _find(self, module: str) -> int | None:
        return next((pid for pid in children(self.process.pid) if module in command(pid)), None)


def awaited(work: Coroutine[Any, Any, Found]) -> Found:
    """What a coroutine gives, run in a thread: playwright keeps a loop of its own in the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


HELD: list[socket.socket] = []


def free_port() -> int:
    """A port that stays ours until this process ends, also while no server of ours is on it.

    It is bound here and never listened on: the system gives it to nobody who asks for any port, and a server that is
    told its number may listen there, as both say SO_REUSEADDR.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    HELD.append(held)
    port: int = held.getsockname()[1]
    return port


def say_to_clock(file: Path, ahead: float) -> None:
    """Set a clock ahead that a server reads of a file: whole at once, as it may look at any moment."""
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(str(ahead))
    draft.replace(file)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    return [each for child in children(pid) for each in (child, *descendants(child))]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def runs(pid: int) -> bool:
    """Whether it is there and is not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`visit(server, ANN)`: a browser of her own in which Ann has signed in by her link and sees her first page."""
    contexts: list[BrowserContext] = []

    def signed_in(server: Server, person: Person = ANN, **options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(server.link(person))
        page.get_by_test_id("enter").click()
        page.wait_for_url(re.compile(r"/(my-work|sign-off)"))
        return page

    yield signed_in
    for context in contexts:
        context.close()


def connected(page: Page, state: str = "open", seconds: float = 25) -> None:
    page.wait_for_selector(f"body[data-connection={state}]", timeout=1000 * seconds)
