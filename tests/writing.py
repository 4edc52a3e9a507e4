"""Somebody who writes in a real browser, and the check that their page never says "Saved" of what is not stored."""

import os
import re
import signal
import time
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Locator, Page, expect

from reviewkit.course import Course
from reviewkit.model import Draft, Person
from tests.cast import ANN, STUDENTS
from tests.serving import Server, connected, wait_for

LISTEN = """
addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
  const status = document.querySelector('[data-testid=save-status]')?.textContent ?? '';
  const note = document.querySelector('[data-testid^=field-note-]');
  if (!note || !status.startsWith('Saved at')) return;
  const claims = JSON.parse(sessionStorage.claims ?? '[]');
  if (claims.at(-1) === note.value) return;
  sessionStorage.claims = JSON.stringify([...claims, note.value]);
}).observe(document.body, { subtree: true, childList: true, characterData: true }));
"""
"""Remembers in the tab every text of which its page said that it was saved."""


def words(count: int, *, start: int = 1) -> str:
    """That many words, each another one: a missing one is seen."""
    return " ".join(f"word{number}" for number in range(start, start + count))


@dataclass
class Writer:
    """A person before their self-evaluation. `typed` remembers when which text stood in the field."""

    server: Server
    course: Course
    page: Page
    submission: str
    person: Person = ANN
    typed: list[tuple[float, str]] = field(default_factory=list)
    grows: bool = True  # until somebody chooses another text, or sends it

    @property
    def form(self) -> str:
        return f"self:{self.submission}"

    @property
    def address(self) -> str:
        return f"{self.server.url}/my-work?submission={self.submission}"

    @property
    def note(self) -> Locator:
        return self.page.get_by_test_id("field-note-claim")

    @property
    def status(self) -> Locator:
        return self.page.get_by_test_id("save-status")

    def open(self) -> "Writer":
        self.page.add_init_script(LISTEN)
        self.page.goto(self.address)
        expect(self.note).to_be_visible()
        connected(self.page)
        return self

    def type(self, text: str) -> None:
        """At the end of what is there, key by key."""
        for part in re.findall(r"\s*\S+\s*", text):
            self.page.keyboard.type(part)
            self.typed.append((time.monotonic(), part))

    def begin(self) -> None:
        self.note.focus()
        self.page.keyboard.press("Control+End")

    def write(self, text: str) -> None:
        self.begin()
        self.type(text)

    # -- what the page says, what the store has

    def kept(self) -> Draft | None:
        return self.course.draft(self.person, self.form)

    def stored(self) -> str:
        draft = self.kept()
        notes = draft.content.get("notes") if draft else None
        return str(notes.get("claim", "")) if isinstance(notes, dict) else ""

    def claims(self) -> list[str]:
        """Every text that the page has called saved."""
        said: list[str] = self.page.evaluate("JSON.parse(sessionStorage.claims ?? '[]')")
        return said

    def honest(self) -> None:
        """What the page says now, and all that it has said: the store has it. (Texts here only grow.)"""
        if not self.grows:
            return
        claims = self.claims()
        status, shown = self.page.evaluate(
            "[document.querySelector('[data-testid=save-status]')?.textContent ?? '',"
            " document.querySelector('[data-testid^=field-note-]')?.value ?? '']"
        )
        stored = self.stored()
        if status.startswith("Saved at"):
            claims = [*claims, shown]
        for claim in claims:
            assert stored.startswith(claim), f"the page called {claim[-40:]!r} saved; the store ends {stored[-40:]!r}"

    def saved(self, *, seconds: float = 40) -> None:
        """Wait until the page says "Saved" of all that stands in the field, and see that it is true."""
        expect(self.status).to_have_text(re.compile(r"^Saved at \d\d:\d\d$"), timeout=1000 * seconds)
        assert self.stored() == self.note.input_value()
        self.honest()

    def reaches_the_store(self, text: str, *, seconds: float = 40) -> None:
        wait_for(lambda: self.stored() == text, seconds=seconds, what="the text in the store")


def a_writer(server: Server, course: Course, page: Page, person: Person = ANN) -> Writer:
    """Ann has frozen her post and begins to evaluate it."""
    submission = course.submission_of(person, course.assignment("river"))
    if submission is None:
        post = course.candidates(person, course.assignment("river"))[0]
        id = course.freeze(person, "river", [post.id])
    else:
        id = submission.id
    return Writer(server=server, course=course, page=page, submission=id, person=person).open()


# -- many at once


MORE = tuple(
    Person(id=f"writer{number}", name=f"Writer {number}", feeds=(f"https://writer{number}.example/feed",))
    for number in range(1, 5)
)
"""Beside the four students of the cast: eight in all."""


def storm(server: Server, course: Course, browser: Browser, *, seconds: float, every: float) -> int:
    """Eight people type at once while the service is killed every so often, twice at least. Gives how often it was.

    All the while each page is asked what it calls saved, and the store whether it has it; in the end it has all.
    """
    contexts = [browser.new_context() for _ in (*STUDENTS, *MORE)]
    try:
        writers = list[Writer]()
        for context, person in zip(contexts, (*STUDENTS, *MORE), strict=True):
            page = context.new_page()
            page.goto(server.link(person))
            page.get_by_test_id("enter").click()
            page.wait_for_url(re.compile("/my-work"))
            writers.append(a_writer(server, course, page, person))
            writers[-1].begin()
        began, kills, number = time.monotonic(), 0, 0
        while (now := time.monotonic()) < began + seconds or kills < 2:
            if now >= began + every * (kills + 1):
                os.kill(server.service(), signal.SIGKILL)
                kills += 1
            number += 1
            for writer in writers:
                writer.type(f"{writer.person.id}-{number} ")
            writers[number % len(writers)].honest()
        for writer in writers:
            writer.saved(seconds=90)
            assert writer.stored() == "".join(text for _, text in writer.typed)
            assert writer.page.get_by_test_id("note-neutral").count() == 0, "nobody else wrote in this form"
    finally:
        for context in contexts:
            context.close()
    return kills
