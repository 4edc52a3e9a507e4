"""One walk: a tagged post becomes a signed grade, with five people in five browsers and nothing pretended.

Blogs answer on loopback, `reviewkit` runs as its users run it, and what every browser received (documents, websocket
frames, storage) is searched for what would tie one side of a blind review to the other.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from reviewkit.model import Person
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, BOB, CYD, DOT, PROF, RUBRIC, STUDENTS
from tests.fakes_google import FakeGoogle
from tests.serving import Server, connected, the_course, visit

__all__ = ["visit"]

pytestmark = pytest.mark.browser

COURSE = """[course]
title = "Data Stories"
tag = "datastories"
timezone = "Europe/Berlin"

[reviews]
count = 3
minimum = 2

[sheet]
acts_as = "prof"

[network]
allow_private_addresses = true

[[assignments]]
id = "river"
title = "A story with numbers"
rubric = "data-stories"
"""

TITLES = {"ann": "Wrenfield Ledger", "bob": "Tidepool Almanac", "cyd": "Foxglove Bulletin", "dot": "Mapleline Gazette"}


def a_blog(blogs: FakeBlogs, person: Person) -> str:
    """A feed that names its author in every place a platform does; gives its address."""
    home = person.feeds[0].removesuffix("/feed")
    story = (
        f"<p>By {person.name}, {person.email}. The gauge on my street was silent in eleven weeks.</p>"
        f"<p>So the readings I had were the calm ones, number {sum(map(ord, person.id))}.</p>"
        f'<p>See <a href="{home}/map">my map</a> and <a href="https://social.example/@{person.id}_writes">me</a>.</p>'
        f'<img src="{home}/{person.name.replace(" ", "-")}.jpg" alt="{person.name} at the gauge">'
    )
    items = [
        post(f"What the gauge said to {person.name}", story, tag="DataStories", link=f"{home}/1", guid=f"{home}/?p=1"),
        post("Not for the course", "<p>A recipe.</p>", tag="cooking", link=f"{home}/2", guid=f"{home}/?p=2"),
    ]
    return blogs.show(f"/{person.id}/feed", rss(TITLES[person.id], *items, link=home))


@pytest.fixture
def course_file(tmp_path: Path) -> Iterator[Path]:
    """A course folder whose students' blogs answer on loopback."""
    with fake_blogs() as blogs:
        folder = tmp_path / "course"
        (folder / "rubrics").mkdir(parents=True)
        (folder / "rubrics" / "data-stories.md").write_text(RUBRIC, "utf-8")
        (folder / "course.toml").write_text(COURSE, "utf-8")
        rows = ["id,name,email,role,feeds"]
        rows += [f"{each.id},{each.name},{each.email},student,{a_blog(blogs, each)}" for each in STUDENTS]
        rows += [f"prof,{PROF.name},{PROF.email},instructor,"]
        (folder / "roster.csv").write_text("\n".join(rows) + "\n", "utf-8")
        yield folder / "course.toml"


def reviewkit(course_file: Path, command: str, *options: str, environment: dict[str, str] | None = None) -> str:
    """Run a command as its users do; gives what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "reviewkit", command, "--course", str(course_file), *options],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | (environment or {}),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Heard:
    """Everything one browser received: bodies, frames both ways, addresses, headers, storage."""

    pieces: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("response", self._response)
        page.on("websocket", self._socket)

    def _response(self, response: Response) -> None:
        self.pieces.append(f"{response.url} {response.headers}")
        kind = response.headers.get("content-type", "")
        if response.ok and ("html" in kind or "json" in kind):
            self.pieces.append(response.text())

    def _socket(self, socket: WebSocket) -> None:
        for direction in ("framereceived", "framesent"):
            socket.on(direction, self._frame)

    def _frame(self, data: str | bytes) -> None:
        self.pieces.append(data if isinstance(data, str) else bytes(data).decode(errors="replace"))

    def end(self, page: Page) -> str:
        stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, document.title])")
        return "\n".join([*self.pieces, page.content(), stored]).casefold()


def ties(person: Person) -> list[str]:
    """What would tie a piece or a review to this person, in the spellings a page may use."""
    host = person.feeds[0].split("/")[2]
    words = [*person.name.split(), person.email, host, host.split(".")[0], f"{person.id}_writes", TITLES[person.id]]
    words += [json.dumps(word)[1:-1] for word in words]
    return [word.casefold() for word in words if len(word) > 3]


def evaluate_self(page: Page) -> None:
    """Choose the post, and evaluate it: the first level by keyboard, a sentence by selecting it."""
    page.get_by_test_id("next").click()
    page.get_by_test_id("dialog-confirm").click()
    expect(page.get_by_test_id("dialog")).to_have_count(0)  # until then the page behind it takes no key
    expect(page.get_by_test_id("step-claim")).to_have_attribute("aria-current", "step")
    page.get_by_test_id("level-claim-0").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.get_by_test_id("choose-claim").click()
    page.get_by_test_id("sentence-1").click()
    expect(page.get_by_test_id("evidence-claim")).not_to_have_text("")
    page.get_by_test_id("field-note-claim").press_sequentially("One claim, and I keep to it.")
    page.get_by_test_id("step-next").click()
    page.get_by_test_id("level-evidence-3").check()
    page.get_by_test_id("step-next").click()
    page.get_by_test_id("field-strengths").fill("The missing weeks are the heart of it.")
    page.get_by_test_id("field-improvements").fill("Link the log.")
    page.get_by_test_id("grade").fill("82")
    page.get_by_test_id("submit").click()
    page.get_by_test_id("dialog-confirm").click()
    expect(page.get_by_test_id("dialogue")).to_contain_text("82")


def give_reviews(page: Page, url: str) -> None:
    """Give every review that is owed."""
    page.goto(f"{url}/reviews")
    connected(page)
    queue = [card.get_attribute("data-testid") or "" for card in page.locator("[data-testid^=queue-]").all()]
    assert len(queue) == 3
    for card in queue:
        page.get_by_test_id(card).click()
        page.wait_for_url(re.compile(card.removeprefix("queue-")))
        connected(page)
        for criterion, level in (("claim", 2), ("evidence", 2)):
            section = page.get_by_test_id(f"criterion-{criterion}")
            if section.get_attribute("open") is None:
                section.locator("summary").click()
            page.get_by_test_id(f"level-{criterion}-{level}").check()
            page.get_by_test_id(f"field-note-{criterion}").fill("I understood the gap before I read of it.")
        page.get_by_test_id("field-strengths").fill("The open rings are fine.")
        page.get_by_test_id("field-suggestions").fill("Let me open the log.")
        page.get_by_test_id("send-review").click()
        page.get_by_test_id("dialog-confirm").click()
        expect(page.get_by_test_id(card)).to_contain_text("Sent")


def test_a_tagged_post_becomes_a_signed_grade(course_file: Path, tmp_path: Path, visit: Callable[..., Page]) -> None:
    pulled = reviewkit(course_file, "pull")
    assert all(person.name in pulled for person in STUDENTS)
    people = (*STUDENTS, PROF)
    with Server(course_file) as server:
        heard = {person.id: Heard() for person in people}
        pages: dict[str, Page] = {}
        for person in people:
            pages[person.id] = page = visit(server, person)
            heard[person.id].listen(page)
            page.reload()
            connected(page)

        for person in STUDENTS:
            evaluate_self(pages[person.id])

        prof = pages["prof"]
        prof.reload()
        prof.get_by_test_id("allocate").click()
        prof.get_by_test_id("dialog-confirm").click()
        expect(prof.get_by_test_id("allocate")).to_have_count(0)

        for person in STUDENTS:
            give_reviews(pages[person.id], server.url)

        # While blind: nothing that a student received ties another student to a piece or a review.
        for person in STUDENTS:
            everything = heard[person.id].end(pages[person.id])
            for other in STUDENTS:
                if other is not person:
                    found = [word for word in ties(other) if word in everything]
                    assert not found, f"{person.name} was told of {other.name}: {found}"

        prof.reload()
        prof.get_by_test_id("reveal").click()
        prof.get_by_test_id("dialog-confirm").click()
        expect(prof.get_by_test_id("reveal")).to_have_count(0)

        ann = pages["ann"]
        ann.goto(f"{server.url}/my-work")
        ann.get_by_test_id("next").click()
        for left in (2, 1, 0):
            form = ann.locator("[data-testid^=answering-]").first
            form.get_by_test_id("rate-specific").click()
            form.get_by_test_id("field-answer").fill("Fair. The scan is now linked.")
            form.get_by_test_id("send-answer").click()
            ann.get_by_test_id("dialog-confirm").click()
            expect(ann.locator("[data-testid^=answering-]")).to_have_count(left)
        everything = heard["ann"].end(ann)
        for other in (BOB, CYD, DOT):
            assert not [word for word in ties(other) if word in everything], "reviews are revealed, reviewers are not"

        prof.reload()
        submission = the_course_submission(course_file)
        prof.get_by_test_id(f"open-{submission}").click()
        prof.get_by_test_id("change-levels").click()
        prof.get_by_test_id("level-evidence-2").check()
        prof.get_by_test_id("grade").fill("78")
        prof.get_by_test_id("field-word").fill("On Evidence I read it one step lower.")
        prof.get_by_test_id("discuss").click()
        expect(prof.get_by_test_id(f"row-{submission}")).to_contain_text(ANN.name)

        ann.reload()
        expect(ann.get_by_test_id("standing-grade")).to_have_text("78")
        ann.get_by_test_id("reply-open").click()
        ann.get_by_test_id("field-reply").fill("The log weighs against the gauge.")
        ann.get_by_test_id("revise").locator("summary").click()
        ann.get_by_test_id("revise-grade").fill("80")
        ann.get_by_test_id("send-reply").click()
        ann.get_by_test_id("dialog-confirm").click()
        expect(ann.get_by_test_id("dialogue")).to_contain_text("80")

        prof.reload()
        prof.get_by_test_id(f"open-{submission}").click()
        prof.get_by_test_id("accept").click()
        expect(prof.get_by_test_id("dialog")).to_contain_text("80")
        prof.get_by_test_id("dialog-confirm").click()
        expect(prof.get_by_test_id("resting")).to_contain_text("Accepting 80")
        expect(prof.get_by_test_id(f"row-{submission}")).to_contain_text("Agreed at 80", timeout=25_000)
        ann.reload()
        expect(ann.get_by_test_id("dialogue")).to_contain_text("80")

    export = course_file.with_name("turns.json")
    reviewkit(course_file, "export", "--what", "turns", "--out", str(export))
    stranger = [sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "docs" / "verify.py"), str(export)]
    told = subprocess.run(stranger, capture_output=True, text=True, timeout=60, check=True).stdout
    assert told.count(" turns, whole; ") == len(STUDENTS)
    turns = json.loads(export.read_text("utf-8"))
    mine = [turn["kind"] for turn in turns if turn["submission"] == submission]
    assert mine == [
        *["freeze", "self-evaluation", "review", "review", "review", "reveal"],
        *["answer", "answer", "answer", "discuss", "reply", "accept", "sign-off"],
    ]
    ids = sorted(turn["id"] for turn in turns)

    reviewkit(course_file, "sync")
    reviewkit(course_file, "sync")
    assert ids_in_workbook(course_file.with_name("course.xlsx")) == ids

    google = FakeGoogle(tmp_path)
    try:
        environment = google.environment() | {
            "REVIEWKIT_GOOGLE_KEY": str(google.key),
            "REVIEWKIT_SHEET_SPREADSHEET": google.file.id,
        }
        for _ in range(2):
            reviewkit(course_file, "sync", environment=environment)
        header, *rows = google.file.titled("Dialogue").values()
    finally:
        google.stop()
    place = header.index("id")
    assert sorted(str(row[place]) for row in rows if len(row) > place and row[place]) == ids


def the_course_submission(course_file: Path) -> str:
    course = the_course(course_file)
    found = course.submission_of(ANN, course.assignment("river"))
    course.store.close()
    assert found is not None
    return found.id


def ids_in_workbook(path: Path) -> list[str]:
    """Every id in the Dialogue tab, as often as it stands there."""
    sheet = openpyxl.load_workbook(path)["Dialogue"]
    header, *rows = sheet.iter_rows(values_only=True)
    place = header.index("id")
    return sorted(str(row[place]) for row in rows if row[place])
