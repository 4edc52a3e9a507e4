"""The course service: it knows from a page's token who asks. Asked over a real socket."""

import asyncio
import http.client
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from reviewkit import screens, signing
from reviewkit.clockwork import Clockwork, Pace
from reviewkit.course import Course
from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed, ReviewkitError, ServiceError, SheetError
from reviewkit.feeds import Pulled
from reviewkit.model import Feed, Person
from reviewkit.remote import RemoteCourse
from reviewkit.service import LARGEST, Service
from reviewkit.signing import PageToken
from reviewkit.store import Store
from tests.cast import ANN, BOB, EVE, PROF, Clock, a_course
from tests.serving import awaited

SECRET = b"s" * 40


class Running:
    """A service on a socket, in a thread of its own."""

    def __init__(self, course: Course, path: Path) -> None:
        self.course, self.path, self.changes = course, path, 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        service = Service(course, SECRET, changed=self.changed)
        self.runner = web.AppRunner(service.application(), access_log=None)
        asyncio.run_coroutine_threadsafe(self.begin(), self.loop).result(20)

    async def begin(self) -> None:
        await self.runner.setup()
        await web.UnixSite(self.runner, str(self.path)).start()

    def changed(self) -> None:
        self.changes += 1

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def page(self, person: Person, screen: str = "my-work", serial: int = 1) -> RemoteCourse:
        token = PageToken(person=person.id, screen=screen, page="p", serial=serial)
        return RemoteCourse(str(self.path), signing.page_token(SECRET, token))

    def ask(self, address: str, body: bytes, token: str) -> tuple[int, Any]:
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(self.path))
        connection = http.client.HTTPConnection("course")
        connection.sock = line
        connection.request("POST", address, body, {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        told = json.loads(response.read())
        connection.close()
        return response.status, told


@pytest.fixture
def service(sqlite_store: Store, tmp_path: Path) -> Iterator[Running]:
    running = Running(a_course(sqlite_store, Clock()), tmp_path / "course")
    yield running
    running.stop()


# -- whose page it is


def test_a_page_gets_the_view_of_the_person_it_was_opened_for(service: Running) -> None:
    for person in (ANN, BOB):
        view = service.page(person).view("my-work", {})
        assert (view["screen"], view["frame"]["person"]) == ("my-work", person.name)


def test_a_page_of_one_screen_opens_no_other(service: Running) -> None:
    with pytest.raises(NotAllowed):
        service.page(ANN, "my-work").view("reviews", {})
    with pytest.raises(NotAllowed):
        service.page(ANN, "my-work").act("sign-off", {"type": "look"})


@pytest.mark.parametrize(("person", "screen"), [(ANN, "sign-off"), (EVE, "my-work"), (PROF, "reviews")])
def test_a_screen_of_another_role_stays_shut_whatever_the_token_says(
    service: Running, person: Person, screen: str
) -> None:
    with pytest.raises(NotAllowed):
        service.page(person, screen).view(screen, {})
    assert not service.page(person, screen).act(screen, {"type": "look"})["ok"]


def test_a_revoked_sign_in_ends_open_pages(service: Running) -> None:
    page = service.page(ANN)
    page.view("my-work", {})
    service.course.store.revoke_links(ANN.id)
    with pytest.raises(NotAllowed, match="personal link"):
        page.act("my-work", {"type": "look"})


def test_somebody_unknown_is_refused_like_somebody_revoked(service: Running) -> None:
    with pytest.raises(NotAllowed, match="personal link"):
        service.page(Person(id="mallory", name="Mallory")).view("my-work", {})


def test_forged_tokens_and_tokens_for_something_else_open_nothing(service: Running) -> None:
    page = service.page(ANN).token
    body = json.dumps({"screen": "my-work", "params": {}, "event": {}}).encode()
    for token in ("", "x", page[:-2] + "xx", signing.server_token(SECRET)):
        for address in ("/view", "/act"):
            assert service.ask(address, body, token)[0] == 403
    for address in ("/who", "/enter"):
        assert service.ask(address, b'{"person": "ann", "serial": 1, "link": "x"}', page)[0] == 403


def test_the_page_server_learns_who_a_link_belongs_to(service: Running) -> None:
    token = signing.server_token(SECRET)
    link = signing.link(SECRET, PROF.id, 1, "").removeprefix("/enter/")
    anns = {"person": "prof", "name": PROF.name, "role": "instructor", "serial": 1}
    assert service.ask("/enter", json.dumps({"link": link}).encode(), token) == (200, anns)
    assert service.ask("/who", b'{"person": "prof", "serial": 1, "session": "s"}', token) == (200, anns)
    assert service.ask("/who", b'{"person": "prof", "serial": 2, "session": "s"}', token)[0] == 403
    assert service.ask("/who", b'{"person": ["prof"], "serial": "1", "session": "s"}', token)[0] == 422


# -- what goes wrong


def test_errors_arrive_as_what_they_were(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[ReviewkitError] = [
        NotAllowed("Not now."),
        Missing("Not here."),
        Conflict("Look again."),
        Invalid("Too short.", field="note-claim"),
    ]
    for error in errors:

        def view(*_: object, error: ReviewkitError = error) -> dict[str, Any]:
            raise error

        monkeypatch.setattr(screens, "view", view)
        with pytest.raises(type(error), match=str(error)) as caught:
            service.page(ANN).view("my-work", {})
        assert getattr(caught.value, "field", None) == getattr(error, "field", None)


def test_a_bug_is_a_calm_sentence_for_the_page_and_a_trace_without_words_in_the_log(
    service: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    words = "Ann wrote: my most private thought"

    def act(*_: object) -> dict[str, Any]:
        raise ZeroDivisionError(words)

    monkeypatch.setattr(screens, "act", act)
    with caplog.at_level(logging.ERROR), pytest.raises(ServiceError, match="kept in this browser"):
        service.page(ANN).act("my-work", {"type": "look"})
    assert "ZeroDivisionError" in caplog.text
    assert "in act" in caplog.text
    assert "private" not in caplog.text


def test_what_cannot_be_read_or_is_too_long_is_refused_and_the_service_goes_on(service: Running) -> None:
    token = service.page(ANN).token
    for body in (b"", b"{", b"[]", b"null", b'{"screen": "my-work", "params": 7}', b"[" * 100_000, b"\xff\xfe"):
        status, told = service.ask("/view", body, token)
        assert 400 <= status < 500
        assert told["error"]["message"]
    assert service.ask("/view", b" " * (LARGEST + 1), token)[0] == 413
    assert service.page(ANN).view("my-work", {})["screen"] == "my-work"


def test_a_service_that_is_away_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewkit.remote.PATIENCE", 0.0)
    with pytest.raises(ServiceError, match="cannot be reached"):
        RemoteCourse(str(tmp_path / "nobody"), "x").view("my-work", {})


def test_a_page_waits_for_a_service_that_is_being_started_again(sqlite_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "course"
    token = PageToken(person="ann", screen="my-work", page="p", serial=1)
    got: list[dict[str, Any]] = []
    page = RemoteCourse(str(path), signing.page_token(SECRET, token))
    asking = threading.Thread(target=lambda: got.append(page.view("my-work", {})))
    asking.start()
    running = Running(a_course(sqlite_store, Clock()), path)
    try:
        asking.join()
    finally:
        running.stop()
    assert got[0]["screen"] == "my-work"


def test_the_clock_hears_of_turns_and_neither_of_drafts_nor_of_looks(service: Running) -> None:
    page = service.page(ANN)
    page.act("my-work", {"type": "draft", "form": "self:x", "revision": 1, "content": {}})
    page.act("my-work", {"type": "look"})
    page.act("my-work", {"type": "open", "submission": ""})
    assert service.changes == 0
    post = page.view("my-work", {})["posts"][0]
    chosen = {"type": "freeze", "request": "r" * 16, "assignment": "river", "posts": [post["id"]], "confirmed": []}
    assert page.act("my-work", chosen)["ok"]
    assert service.changes == 1


# -- the clock


class Diary:
    """A course of which only the clockwork's verbs are asked; it notes them down."""

    def __init__(self, *feeds: Feed) -> None:
        self.done: list[str] = []
        self.clock, self.store, self._feeds = Clock(), self, feeds
        self.taken: list[str] = []
        self.trouble: Exception | None = None

    def feeds(self) -> tuple[Feed, ...]:
        return self._feeds

    def hold(self, *_: object, **__: object) -> bool:
        return True

    def let_go(self, *_: object) -> None:
        return None

    def flush(self) -> list[str]:
        return []

    def pull(self, *, due: bool) -> list[Pulled]:
        assert due, "the clock asks those alone whose time has come"
        self.done.append("pull")
        return []

    def advance(self) -> list[str]:
        self.done.append("advance")
        taken, self.taken = self.taken, []
        return taken

    def sync(self) -> None:
        self.done.append("sync")
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble


QUICK = Pace(advance=timedelta(hours=1), sync=timedelta(hours=1), rest=timedelta(milliseconds=1))


def keep(diary: Any, until: str, *, pace: Pace = QUICK, changes: int = 0) -> None:
    """Let the clockwork run until the diary ends with what is expected."""

    async def whole() -> None:
        clockwork = Clockwork(diary, pace)
        running = asyncio.create_task(clockwork.run())
        for _ in range(changes):
            while "sync" not in diary.done:
                await asyncio.sleep(0.001)
            clockwork.changed()
        while " ".join(diary.done) != until:
            assert not running.done()
            await asyncio.sleep(0.001)
        running.cancel()

    awaited(asyncio.wait_for(whole(), 20))


def test_the_clock_pulls_looks_at_the_dates_and_syncs_when_it_begins() -> None:
    keep(Diary(Feed(person="ann", url="https://inkwren.example/feed")), "pull advance sync")


def test_feeds_that_were_tried_a_moment_ago_are_left_in_peace() -> None:
    diary = Diary(Feed(person="ann", url="https://inkwren.example/feed", tried=Clock()()))
    keep(diary, "advance sync", pace=Pace(advance=timedelta(hours=1)))


def test_many_turns_at_once_make_one_sync() -> None:
    keep(Diary(), "advance sync sync", changes=10)


def test_what_the_dates_did_reaches_the_workbook_at_once() -> None:
    diary = Diary()
    diary.taken = ["The newest post of Ann is frozen."]
    keep(diary, "advance sync")


@pytest.mark.parametrize("trouble", [SheetError("Google is away."), ZeroDivisionError("Ann's words")])
def test_trouble_with_the_sheet_never_stops_the_clock(trouble: Exception, caplog: pytest.LogCaptureFixture) -> None:
    diary = Diary()
    diary.trouble = trouble
    keep(diary, "advance sync sync", changes=1)
    assert "workbook could not" in caplog.text
    assert "Ann's words" not in caplog.text
