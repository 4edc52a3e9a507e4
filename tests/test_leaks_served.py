"""The crawl through the real server: every address, header, file and frame, letters, the log, a browser's storage."""

import asyncio
import http.client
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.sync_api import Page, Response, WebSocket

from reviewkit import signing
from reviewkit.model import Person
from reviewkit.server.light.manager import SUBPROTOCOL
from tests.asking import Asker, custom
from tests.cast import RUBRIC
from tests.crawl import Facts, Leak, leaks, told
from tests.crawl_course import EVERYBODY, HELPER, NEGLECTED, PROF, STUDENTS, WATCHER, Round
from tests.mailbox import Mailbox, mailbox
from tests.serving import SERVE, Server, awaited, connected, visit, wait_for
from tests.test_routes import GET

__all__ = ["visit"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("leaks-served")]

COURSE = """[course]
title = "Data Stories"
tag = "datastories"
timezone = "Europe/Berlin"

[store]
database = "sqlite:///course.db"

[[assignments]]
id = "river"
title = "A story with numbers"
rubric = "data-stories"

[mail]
host = "localhost"
port = {port}
user = "course"
sender = "course@reviews.example"
"""
LEAKY = """
import reviewkit.server.headers as headers
import reviewkit.server.pages as pages
finish, told = headers.Careful.finish, "Wyckl\\u00f6w".replace("\\u00f6", "o")
def telling(self, *said):
    self.set_header("Content-Disposition", f"inline; filename=review-by-{told}.html")
    self.set_cookie("last", told)
    return finish(self, *said)
headers.Careful.finish = telling
"""
"""A server whose files and cookies tell who wrote a review."""


@dataclass
class Served:
    """A round that is served, in the middle of its blind reviews."""

    round: Round
    server: Server
    box: Mailbox
    facts: Facts
    found: list[Leak] = field(default_factory=list)

    def search(self, raw: bytes, viewer: Person | None, screen: str, where: str, *, asked: str = "") -> None:
        """What they have asked for themselves is not told to them."""
        name = viewer.id if viewer else "nobody"
        found = leaks(raw, self.facts.forbidden(viewer, screen), where=where, viewer=name)
        self.found += [each for each in found if each.word not in asked]

    def duty(self, who: Person | None) -> str:
        """A review that this person owes, else one of another."""
        mine = [each.id for each in self.facts.allocations if who and each.reviewer == who.id]
        return (mine or [each.id for each in self.facts.allocations])[0]

    def submission(self, who: Person | None) -> str:
        mine = [id for id, author in self.facts.author.items() if who and author == who.id]
        return (mine or list(self.facts.author))[0]

    def addresses(self, who: Person | None, asker: Asker) -> Iterator[tuple[str, str]]:
        """Every address of the server, with what is this person's own and with what is another's."""
        secret = signing.read_secret(self.server.course_file.parent)
        text = asker.get("/my-work")[2]
        files = re.findall(r'"/static/([^"]+)"', text) or ["page.js"]
        for pattern in GET:
            for whose in dict.fromkeys((who, STUDENTS[2])):
                known = defaultdict(lambda: "x")
                known |= {"submission": self.submission(whose), "duty": self.duty(whose), "file": files[0]}
                if who:
                    known |= {"link": self.server.link(who).rsplit("/", 1)[-1]}
                    for name, purpose in (("dates", "calendar"), ("letters", "reminders")):
                        known[name] = signing.private(secret, purpose, who.id, 1)
                yield pattern, pattern.format_map(known)


def a_folder(folder: Path, database: Path, port: int) -> Path:
    """A course file and what belongs to it, around a database that is there."""
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics" / "data-stories.md").write_text(RUBRIC, "utf-8")
    (folder / "course.toml").write_text(COURSE.format(port=port), "utf-8")
    rows = [f"{who.id},{who.name},{who.email},{who.role},{' '.join(who.feeds)}" for who in EVERYBODY]
    (folder / "roster.csv").write_text("\n".join(["id,name,email,role,feeds", *rows]) + "\n", "utf-8")
    database.rename(folder / "course.db")
    return folder / "course.toml"


def serve(made: Path, folder: Path, script: str) -> Iterator[Served]:
    path = folder / "walked.db"  # a copy of it is served; this one says what is in it
    path.write_bytes(made.read_bytes())
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=8, hours=14)  # reviews are due tomorrow
    walked = Round(path, start=start).until("in review")
    walked.clock.now = datetime.now(UTC)
    walked.course.advance()  # what the served one's clock would do by now, drawing pairs that this one does not know
    there = walked.copied(folder / "served.db")
    there.close()
    (folder / "mail").mkdir()
    with mailbox(folder / "mail") as box:
        course_file = a_folder(folder / "course", folder / "served.db", box.port)
        secrets = {"SSL_CERT_FILE": str(box.authority), "REVIEWKIT_SMTP_PASSWORD_FILE": str(box.password_file)}
        try:
            with Server(course_file, environment=secrets, script=script) as server:
                walked.clock.now = datetime.now(UTC)
                yield Served(round=walked, server=server, box=box, facts=Facts(walked))
        finally:
            walked.close()


@pytest.fixture(scope="module")
def served(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from serve(made_sqlite, tmp_path_factory.mktemp("served"), SERVE)


@pytest.fixture
def leaky(made_sqlite: Path, tmp_path: Path) -> Iterator[Served]:
    yield from serve(made_sqlite, tmp_path, LEAKY + SERVE)


SCREEN = {"/my-work": "my-work", "/reviews": "reviews", "/sign-off": "sign-off"}


def visited(served: Served, who: Person | None) -> None:
    """Everything that somebody can fetch without a browser, as it comes over the wire."""
    asker = Asker(served.server, who)
    served.search(asker.cookie.encode(), who, "", "the cookie of the sign-in")
    for pattern, address in served.addresses(who, asker):
        for encoding in ("gzip", "identity"):
            line = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=30)
            line.request("GET", address, headers={"Cookie": asker.cookie, "Accept-Encoding": encoding})
            answer = line.getresponse()
            del answer.headers["Date"]
            screen = SCREEN.get(pattern.split("?")[0], "")
            body = answer.read()
            line.close()
            where = f"{pattern} ({encoding})"
            if body[:2] == b"\x1f\x8b":
                served.search(body, who, screen, where, asked=address)
                body = b""
            served.search(str(answer.headers).encode() + body, who, screen, where, asked=address)
    for path, screen in SCREEN.items():
        if asker.get(path)[0] == 200:
            for params in ({}, {"submission": served.submission(STUDENTS[2])}, {"open": served.duty(STUDENTS[2])}):
                for frame in frames_of(served.server, asker, path, params):
                    served.search(frame, who, screen, f"a frame of {path} {params}")


def frames_of(server: Server, asker: Asker, path: str, params: dict[str, str]) -> list[bytes]:
    """All that comes over a page's websocket until it has shown a place, and what was sent."""
    page, model = asker.opened(path)
    look = custom(model, {"type": "look", "seq": 99, "params": {}})
    wish = custom(model, {"type": "open", "seq": 98, **params, "params": params})

    async def whole() -> list[bytes]:
        got = list[bytes]()
        address = f"{server.url}/api/kernels/{page}/channels?session_id=x"
        async with (
            aiohttp.ClientSession(headers={"Cookie": asker.cookie}) as session,
            session.ws_connect(address, protocols=[SUBPROTOCOL]) as line,
        ):
            for frame in (wish, look):
                await line.send_bytes(frame)
            while not (got and b'"seq": 99' in got[-1].replace(b'"seq":99', b'"seq": 99')):
                message = await asyncio.wait_for(line.receive(), 20)
                if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                    break
                got.append(message.data if isinstance(message.data, bytes) else message.data.encode())
            await line.close(code=1001)
        return got

    got = awaited(whole())
    assert got
    return got


@pytest.mark.parametrize("who", [None, STUDENTS[0], NEGLECTED, HELPER, WATCHER, PROF], ids=lambda who: who and who.id)
def test_nothing_that_can_be_fetched_tells_what_is_not_for_them(served: Served, who: Person | None) -> None:
    served.found.clear()
    visited(served, who)
    assert told(served.found) == ""


def test_letters_name_nobody_else(served: Served) -> None:
    served.found.clear()
    asker = Asker(served.server)
    for who in (STUDENTS[0], HELPER):
        body = f"email={who.email.replace('@', '%40')}"
        line = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=30)
        form = {"Origin": served.server.url, "Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", "/send-link", body, form | {"Cookie": asker.cookie})
        answer = line.getresponse()
        served.search(answer.read(), None, "", "the answer to whoever wants a letter")
        line.close()
        wait_for(
            lambda who=who: any(who.email in to and "sign-in" in str(letter["Subject"]) for letter, to in post(served)),  # type: ignore[misc]
            what="the letter",
        )
    for letter, to in post(served):
        (who,) = (each for each in EVERYBODY if each.email in to)
        served.search(letter.as_bytes() + letter.get_content().encode(), who, "letter", str(letter["Subject"]))
    assert told(served.found) == ""


def post(served: Served) -> list[tuple[Any, list[str]]]:
    return list(zip(served.box.letters, served.box.to, strict=False))


def test_the_log_names_nobody_and_repeats_nobody(served: Served) -> None:
    served.found.clear()
    served.search(served.server.log.read_bytes(), None, "log", "the log")
    assert told(served.found) == ""


OPENS = "it => it.matches('button, summary, label') && !it.dataset.testid.startsWith('take-more-')"
"""What opens something. Taking one more review at once makes somebody else's work one's own to read."""
STORED = """async () => {
  const found = {local: {...localStorage}, session: {...sessionStorage}, cookies: document.cookie, indexed: []};
  for (const {name} of await indexedDB.databases()) {
    const db = await new Promise((good, bad) => {
      const asked = indexedDB.open(name); asked.onsuccess = () => good(asked.result); asked.onerror = bad; });
    for (const store of db.objectStoreNames) {
      found.indexed.push(name, store, await new Promise((good, bad) => {
        const all = db.transaction(store).objectStore(store).getAll();
        all.onsuccess = () => good(all.result); all.onerror = bad; }));
    }
    db.close();
  }
  return JSON.stringify(found);
}"""


def test_nor_does_anything_in_a_browser(served: Served, visit: Callable[..., Page]) -> None:
    """A reviewer who presses whatever there is on their pages: the DOM, what is stored, all answers and frames."""
    served.found.clear()
    who = STUDENTS[1]
    page = visit(served.server, who)

    def screen() -> str:
        return SCREEN.get(page.url.removeprefix(served.server.url).split("?")[0], "")

    def got(response: Response) -> None:
        head = {name: value for name, value in response.headers.items() if name != "date"}
        served.search(json.dumps(head).encode(), who, screen(), response.url)

    def opened(line: WebSocket) -> None:
        shown = screen()
        for event in ("framereceived", "framesent"):
            line.on(
                event,  # type: ignore[arg-type]
                lambda frame: served.search(
                    frame if isinstance(frame, bytes) else frame.encode(), who, shown, "a frame in the browser"
                ),
            )

    page.on("response", got)
    page.on("websocket", opened)
    for path in ("/my-work", "/reviews"):
        page.goto(served.server.url + path)
        connected(page)
        names = page.eval_on_selector_all("[data-testid]", "all => all.map(each => each.dataset.testid)")
        for name in itertools.islice(dict.fromkeys(names), 30):
            control = page.get_by_test_id(name).first
            if control.count() and control.is_visible() and control.evaluate(OPENS):
                control.click(timeout=20_000, force=True)
            served.search(page.content().encode(), who, screen(), f"the page {path} after {name}")
            page.keyboard.press("Escape")
            if not page.url.startswith(served.server.url + path):
                page.goto(served.server.url + path)
                connected(page)
    stored = page.evaluate(STORED) + json.dumps(page.context.cookies())
    both = {word for screen in ("my-work", "reviews") for word in served.facts.forbidden(who, screen)}
    both &= set(served.facts.forbidden(who, "my-work")) & set(served.facts.forbidden(who, "reviews"))
    served.found += leaks(stored.encode(), dict.fromkeys(both, "stored"), where="storage", viewer=who.id)
    assert told(served.found) == ""


def test_a_file_and_a_cookie_that_tell_are_found(leaky: Served) -> None:
    visited(leaky, STUDENTS[1])
    places = {each.where.split()[0] for each in leaky.found if each.thing == "name"}
    assert {"/my-work", "/health"} <= places
