"""The crawl through a real server: all that somebody can fetch, and all that comes to their browser unasked.

`served` puts a walked round behind `serve`; the others search what comes out of it, into `Served.found`.
"""

import asyncio
import http.client
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from playwright.sync_api import Page, Response, WebSocket

from reviewkit import signing
from reviewkit.model import Mode, Person
from reviewkit.screens import unnamed
from reviewkit.server.light.manager import SUBPROTOCOL
from tests.asking import Asker, custom, page_in
from tests.cast import RUBRIC
from tests.crawl import PLACES, Crawler, Facts, of_picture
from tests.crawl_course import EVERYBODY, STUDENTS, Round
from tests.crawl_words import Leak, leaks
from tests.mailbox import Mailbox, mailbox
from tests.serving import SERVE, Server, awaited, connected
from tests.test_routes import GET

SCREEN = {"/my-work": "my-work", "/reviews": "reviews", "/sign-off": "sign-off"}
ERRORS = (
    *(("GET", "/nothing/{submission}"), ("GET", "/my-work/{person}"), ("GET", "/my-work?submission={duty}&x=%00%ff")),
    *(("GET", "/api/contents/{person}"), ("GET", "/voila/files/course.toml"), ("GET", "/static/../course.db")),
    *(("POST", "/my-work"), ("POST", "/pictures/{picture}"), ("POST", "/enter/{person}"), ("PUT", "/reviews")),
)
"""Addresses that answer with an error, by what the crawler knows of other people."""
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


# -- a round behind a server -----------------------------------------------------------------------------------------

BEGUN = {
    "collected": timedelta(days=1, hours=-3),
    "evaluating": timedelta(days=1, hours=-3),
    "in review": timedelta(days=8, hours=14),  # reviews are due tomorrow
    "revealed": timedelta(days=11, hours=-3),
    "in the end": timedelta(days=11, hours=-3),
}
"""How long ago a round began that is in this state now. Nobody acted at the hour of the day that it is now, or will be
soon: else a page that tells the time would tell an hour that is nobody's business."""


def walked(made: Path, folder: Path, mode: Mode, state: str) -> Round:
    """A round that came to this state by today."""
    (folder / "walked.db").write_bytes(made.read_bytes())
    round_ = Round(folder / "walked.db", mode, datetime.now(UTC).replace(microsecond=0) - BEGUN[state])
    try:
        round_.until(state)
        round_.clock.now = datetime.now(UTC)
        round_.course.advance()  # what the served one's clock would do by now, drawing pairs that this one knows not
    except BaseException:
        round_.close()
        raise
    return round_


@dataclass
class Served:
    """A round that is served; `round` is a copy of it, which says what is in it."""

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

    def pictures(self) -> list[str]:
        """The names of all that were frozen."""
        return sorted({each.word for each in self.facts.secrets if each.thing == "picture"})

    def known(self, of: Person | None, asker: Asker) -> dict[str, str]:
        """The words of addresses: what is this person's own, else somebody's."""
        mine = [id for id, author in self.facts.author.items() if of and author == of.id]
        owed = [each.id for each in self.facts.allocations if of and each.reviewer == of.id]
        found = defaultdict(lambda: "x", person=of.id if of else "x")
        found["submission"] = (mine or list(self.facts.author) or ["x"])[0]
        found["duty"] = (owed or [each.id for each in self.facts.allocations] or ["x"])[0]
        found["picture"] = (self.pictures() or ["x"])[0]
        found["file"] = (re.findall(r'"/static/([^"]+)"', asker.get("/sign-in")[2]) or ["page.js"])[0]
        return found

    def addresses(self, who: Person | None, asker: Asker) -> Iterator[tuple[str, str, str]]:
        """Every address of the server, with what is this person's own and with what is another's."""
        secret = signing.read_secret(self.server.course_file.parent)
        asked = set[tuple[str, str]]()
        for whose in (who, STUDENTS[2]):
            known = self.known(whose, asker)
            if who:
                known |= {"link": self.server.link(who).rsplit("/", 1)[-1]}
                for name, purpose in (("dates", "calendar"), ("letters", "reminders")):
                    known[name] = signing.private(secret, purpose, who.id, 1)
            for method, pattern in (*(("GET", each) for each in GET), *ERRORS):
                address = pattern.format_map(known)
                if (method, address) not in asked:
                    asked.add((method, address))
                    yield method, pattern, address


@contextmanager
def served(there: Round, folder: Path, script: str = SERVE) -> Iterator[Served]:
    """A copy of a walked round, behind a server whose letters arrive in a mailbox."""
    copy = there.copied(folder / "copy.db")
    try:
        there.copied(folder / "served.db").close()
        (folder / "mail").mkdir()
        with mailbox(folder / "mail") as box:
            course_file = _folder(folder / "course", folder / "served.db", box.port)
            secrets = {"SSL_CERT_FILE": str(box.authority), "REVIEWKIT_SMTP_PASSWORD_FILE": str(box.password_file)}
            with Server(course_file, environment=secrets, script=script) as server:
                copy.clock.now = datetime.now(UTC)
                yield Served(round=copy, server=server, box=box, facts=Facts(copy))
    finally:
        copy.close()


def _folder(folder: Path, database: Path, port: int) -> Path:
    """A course file and what belongs to it, around a database that is there."""
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics" / "data-stories.md").write_text(RUBRIC, "utf-8")
    (folder / "course.toml").write_text(COURSE.format(port=port), "utf-8")
    rows = [f"{who.id},{who.name},{who.email},{who.role},{' '.join(who.feeds)}" for who in EVERYBODY]
    (folder / "roster.csv").write_text("\n".join(["id,name,email,role,feeds", *rows]) + "\n", "utf-8")
    database.rename(folder / "course.db")
    return folder / "course.toml"


# -- what can be fetched without a browser ---------------------------------------------------------------------------


def visited(served: Served, who: Person | None, *, widely: bool = False) -> list[str]:
    """Everything that somebody can fetch without a browser, as it comes over the wire. Gives the pictures they got."""
    asker = Asker(served.server, who)
    served.search(asker.cookie.encode(), who, "", "the cookie of the sign-in")
    for method, pattern, address in served.addresses(who, asker):
        head, body = _fetched(served, asker, method, address)
        screen = SCREEN.get(pattern.split("?")[0], "") if method == "GET" else ""
        served.search(head, who, screen, f"{method} {pattern}, its head", asked=address)
        served.search(body, who, screen, f"{method} {pattern}", asked=address)
    pictures = [name for name in served.pictures() if _picture(served, asker, who, name)]
    for path, screen in SCREEN.items():
        status, _, text = asker.get(path)
        if who and status == 200:
            for asked, frame in frames_of(served, asker, who, screen, text, widely=widely):
                served.search(frame, who, screen, f"a frame of {path} {asked}", asked=asked)
    return pictures


def _fetched(served: Served, asker: Asker, method: str, address: str) -> tuple[bytes, bytes]:
    """The head and the body of an answer, packed as browsers have it."""
    line = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=30)
    headers = {"Cookie": asker.cookie, "Accept-Encoding": "gzip"}
    line.request(method, address, headers=headers | ({} if method == "GET" else {"Origin": served.server.url}))
    answer = line.getresponse()
    del answer.headers["Date"]
    body = answer.read()
    line.close()
    return f"{answer.status} {answer.reason}\n{answer.headers}".encode(), body


def _picture(served: Served, asker: Asker, who: Person | None, name: str) -> bool:
    """Whether they got it; what they got is searched in either case."""
    head, body = _fetched(served, asker, "GET", f"/pictures/{name}")
    if not head.startswith(b"200"):
        served.search(head + body, who, "", "a picture that is not theirs", asked=name)
        return False
    served.found += of_picture(served.facts, who, name, head, body)
    if b"last-modified" in head.lower():  # when its author's site was asked, or when it says that it was taken
        viewer = who.id if who else "nobody"
        served.found.append(
            Leak(thing="time of a picture", word="Last-Modified", where=f"picture {name}", viewer=viewer)
        )
    return True


def frames_of(
    served: Served, asker: Asker, who: Person, screen: str, text: str, *, widely: bool
) -> list[tuple[str, bytes]]:
    """All that comes over a page's websocket while it is asked for every place that it offers, and for places of
    others: what was asked, and each frame."""
    page, model = page_in(text)
    crawler = Crawler(served.round, who, served.facts)
    offered = sorted(id for id in crawler.places() if id in text)
    ids = [*(offered if widely else offered[:MOST]), *sorted(crawler.elsewhere(widely))]
    fixed = {"assignment": ["river"], "names": [unnamed.HIDDEN]}
    places = [{name: id} for name in sorted(PLACES[screen]) for id in fixed.get(name, ids)]
    events = [{"type": "look", "params": each} for each in places]
    events += [{"type": "open", "id": id, "submission": id, "params": {}} for id in sorted(crawler.elsewhere(False))]

    async def whole() -> list[tuple[str, bytes]]:
        got = list[tuple[str, bytes]]()
        address = f"{served.server.url}/api/kernels/{page}/channels?session_id=x"
        async with (
            aiohttp.ClientSession(headers={"Cookie": asker.cookie}) as session,
            session.ws_connect(address, protocols=[SUBPROTOCOL]) as line,
        ):
            for number, event in enumerate(events):
                done = f"event-{number}-is-done"
                await line.send_bytes(custom(model, {**event, "seq": done}))
                while not (got and done.encode() in got[-1][1]):
                    message = await asyncio.wait_for(line.receive(), 30)
                    assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), "the page went away"
                    data = message.data if isinstance(message.data, bytes) else message.data.encode()
                    got.append((json.dumps(event), data))
            await line.close(code=1001)
        return got

    return awaited(whole())


MOST = 8
"""Places that a page offers and that a quick crawl goes to."""


def letters(served: Served) -> None:
    """Every letter that was sent so far."""
    for letter, to in post(served):
        (who,) = (each for each in EVERYBODY if each.email in to)
        served.search(letter.as_bytes() + letter.get_content().encode(), who, "letter", str(letter["Subject"]))


def post(served: Served) -> list[tuple[Any, list[str]]]:
    return list(zip(served.box.letters, served.box.to, strict=False))


def the_log(served: Served) -> None:
    served.search(served.server.log.read_bytes(), None, "log", "the log")


# -- in a browser ----------------------------------------------------------------------------------------------------

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


def pressed(served: Served, who: Person, page: Page, paths: Iterable[str]) -> None:
    """Somebody who presses whatever there is on their pages: the DOM, all answers and frames, and what is stored."""

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
    for path in paths:
        page.goto(served.server.url + path)
        connected(page)
        names = page.eval_on_selector_all("[data-testid]", "all => all.map(each => each.dataset.testid)")
        for name in itertools.islice(dict.fromkeys(names), 30):
            control = page.get_by_test_id(name).first
            if control.count() and control.is_visible() and control.evaluate(OPENS):
                control.click(timeout=2000, force=True)
            served.search(page.content().encode(), who, screen(), f"the page {path} after {name}")
            page.keyboard.press("Escape")
            if not page.url.startswith(served.server.url + path):
                page.goto(served.server.url + path)
                connected(page)
    stored(served, who, page, [SCREEN[path] for path in paths])


def stored(served: Served, who: Person, page: Page, screens: Iterable[str]) -> None:
    """What a browser keeps of them, cookies too: nothing that none of these screens may show."""
    kept: str = page.evaluate(STORED) + json.dumps(page.context.cookies())
    by_screen = [served.facts.forbidden(who, screen) for screen in screens]
    both = {word: thing for word, thing in by_screen[0].items() if all(word in each for each in by_screen)}
    served.found += leaks(kept.encode(), both, where="storage", viewer=who.id)


Visit = Callable[..., Page]
