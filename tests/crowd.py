"""Many people at once, without a browser: each signs in by their link, opens a page as a browser does, and presses."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from reviewkit.model import Entry, Feed, Person, Tag
from reviewkit.server.light.manager import SUBPROTOCOL
from tests.asking import answer, custom
from tests.serving import Server, tables, the_course

RUBRIC = Path(__file__).parents[1] / "rubrics" / "field-report.md"
COURSE = """[course]
title = "Field notes"
tag = "fieldnotes"

[store]
database = "sqlite:///course.db"

[[assignments]]
id = "gauge"
title = "A report on the gauge"
rubric = "field-report"
"""
LEFT = 1001
STATE = re.compile(r'<script type="application/json" id="page-state">(.*?)</script>', re.DOTALL)
FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def a_crowded_course(folder: Path, students: int) -> tuple[Path, list[Person]]:
    """A course on disk of so many students, who have frozen a post each: their page shows a form of five criteria."""
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics" / RUBRIC.name).write_text(RUBRIC.read_text("utf-8"), "utf-8")
    (folder / "course.toml").write_text(COURSE, "utf-8")
    rows = ["id,name,email,role,feeds", "prof,Prof. Brandt,brandt@college.example,instructor,"]
    rows += [f"s{n},Student {n},s{n}@mail.example,student,https://site{n}.example/feed" for n in range(students)]
    (folder / "roster.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "course.db").write_bytes(tables())
    course = the_course(folder / "course.toml")
    people, asked, now = [each for each in course.people() if each.role == "student"], "gauge", datetime.now(UTC)
    for person in people:
        feed = Feed(person=person.id, url=person.feeds[0], tried=now)
        course.store.keep_pull(feed, [_post(person)], seen=now)
        course.freeze(person, asked, [course.candidates(person, course.assignment(asked))[0].id])
    course.store.close()
    return folder / "course.toml", people


def _post(person: Person) -> Entry:
    text = "\n\n".join(["The gauge was silent for eleven weeks, so I went and counted by hand. " * 10] * 6)
    return Entry(
        guid=f"https://{person.id}.example/1",
        link=f"https://{person.id}.example/1",
        title=f"What {person.id} counted",
        author=person.name,
        published=datetime.now(UTC) - timedelta(days=1),
        tags=(Tag(tag="fieldnotes", found="category"),),
        html="".join(f"<p>{each}</p>" for each in text.split("\n\n")),
        text=text,
        digest=sha256(text.encode()).hexdigest(),
    )


@dataclass
class OpenPage:
    """A page that is connected."""

    page: str
    model: str
    line: aiohttp.ClientWebSocketResponse
    pressed: int = 0
    told: "asyncio.Queue[dict[str, Any] | int]" = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.reading = asyncio.create_task(self.read())

    async def read(self) -> None:
        """As long as somebody reads, the server's pings are answered, as every browser does."""
        while True:
            self.told.put_nowait(said := await answer(self.line, patience=None))
            if isinstance(said, int):
                return

    async def press(self) -> float:
        """Ask for another look at the view, through the page's process and the course service; seconds it took."""
        began, self.pressed = time.perf_counter(), self.pressed + 1
        await self.line.send_bytes(custom(self.model, {"type": "look", "seq": self.pressed}))
        while True:
            done = await asyncio.wait_for(self.told.get(), 20)
            assert isinstance(done, dict), f"the page has closed ({done})"
            if done["seq"] == self.pressed:
                assert done["ok"], done
                return time.perf_counter() - began

    async def leave(self) -> None:
        """As a browser does whose tab is closed."""
        self.reading.cancel()
        await asyncio.wait([self.reading])
        await self.line.close(code=LEFT)


@dataclass
class Visitor:
    """Somebody's browser."""

    server: Server
    session: aiohttp.ClientSession
    seen: set[str] = field(default_factory=set)
    pages: list[OpenPage] = field(default_factory=list)

    async def sign_in(self, person: Person) -> None:
        link = self.server.link(person)
        for method, headers in (("GET", {}), ("POST", {"Origin": self.server.url})):
            async with self.session.request(method, link, headers=headers, allow_redirects=False) as answered:
                assert answered.status == {"GET": 200, "POST": 303}[method], await answered.text()

    async def open(self, path: str = "/my-work") -> OpenPage:
        """The page with its files, where they are not known yet, and its connection; the page says that it is there."""
        async with self.session.get(self.server.url + path) as answered:
            text = await answered.text()
            assert answered.status == 200, text
        found = STATE.search(text)
        assert found
        state = msgspec.json.decode(found[1])
        model, shown = next(iter(state["state"].items()))
        files = {*FILES.findall(text), shown["state"]["_esm"]} - self.seen
        self.seen |= files
        await asyncio.gather(*map(self._load, sorted(files)))
        address = f"{self.server.url}/api/kernels/{state['page']}/channels?session_id=x"
        line = await self.session.ws_connect(address, protocols=[SUBPROTOCOL])
        await line.send_str("?")
        while (await asyncio.wait_for(line.receive(), 20)).type is not aiohttp.WSMsgType.TEXT:
            pass
        self.pages.append(OpenPage(page=state["page"], model=model, line=line))
        return self.pages[-1]

    async def _load(self, address: str) -> None:
        async with self.session.get(self.server.url + address) as answered:
            assert answered.status == 200
            await answered.read()

    async def leave(self) -> None:
        for page in self.pages:
            await page.leave()
        self.pages.clear()


@asynccontextmanager
async def visitors(server: Server, count: int) -> AsyncIterator[Sequence[Visitor]]:
    """So many browsers; whatever they have opened is left at the end."""
    async with AsyncExitStack() as stack:
        everybody = []
        for _ in range(count):
            session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
            everybody.append(Visitor(server=server, session=await stack.enter_async_context(session)))
            stack.push_async_callback(everybody[-1].leave)
        yield everybody


def at_rank(values: Sequence[float], part: float) -> float:
    """The value below which that part of all lies: 0.95 for the slowest twentieth."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]
