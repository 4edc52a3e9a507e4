"""The course service: the `Course` behind a Unix socket. It knows from a page's token who asks.

    python -m reviewkit.service COURSE_FILE SOCKET

It is started by the page server, says `{"ready": true}` on standard output when it answers, or `{"error": SENTENCE}`,
and ends when its standard input does: then whoever started it is gone.
"""

import asyncio
import base64
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from reviewkit import logs, open_course, screens, signing
from reviewkit.bugs import told
from reviewkit.clockwork import Clockwork
from reviewkit.config import read_local
from reviewkit.course import Course
from reviewkit.entrance import Entrance, Guest
from reviewkit.errors import Conflict, Ended, Invalid, Missing, NotAllowed, ReviewkitError, ServiceError, TooOften
from reviewkit.following import Following
from reviewkit.metrics import Metrics
from reviewkit.model import Person
from reviewkit.pictures import Picture
from reviewkit.reminding import Reminding
from reviewkit.screens.events import UNREADABLE, plain
from reviewkit.screens.marks import mark_of
from reviewkit.signing import PageToken

LOG = logging.getLogger("reviewkit.service")  # its process runs this module as __main__
REQUESTS = logging.getLogger("reviewkit.requests")
LARGEST = 4 << 20
"""Bytes that one request may have; screens take less and say so in words."""
LONGEST = 12.0
"""Seconds that one question may take; a page waits 15."""
HEALTHY = 3.0
"""Seconds within which a store that is well answers."""
THREADS = 8
STATUS: dict[type[ReviewkitError], int] = {
    NotAllowed: 403,
    Missing: 404,
    Conflict: 409,
    Ended: 410,
    Invalid: 422,
    TooOften: 429,
}
BUG = "Something went wrong on our side. What you typed is kept in this browser. Reload the page and try again."
SLOW = "The course is very busy. What you typed is kept in this browser. Try again in a minute."
MARK = "Reviewkit-Mark"
"""The header of an answer with a view: the word that a page sends as `known` when it asks for changes."""
Answer = TypeVar("Answer")


class Service:
    """Answers pages and the page server. Rules and database run in threads; the loop only carries."""

    def __init__(
        self,
        course: Course,
        secret: bytes,
        *,
        changed: Callable[[], None] = lambda: None,
        metrics: Metrics | None = None,
        entrance: Entrance | None = None,
        reminding: Reminding | None = None,
    ) -> None:
        self.reminding = reminding or Reminding(course, secret)
        self.entrance = entrance or Entrance(course, secret)
        self.course, self.secret, self.changed, self.metrics = course, secret, changed, metrics or Metrics()
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="course")
        self.following = Following(course, self._look)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST, middlewares=[self.watched, calm])
        application.router.add_post("/health", self.health)
        application.router.add_post("/metrics", self.told)
        application.router.add_post("/view", self.view)
        application.router.add_post("/act", self.act)
        application.router.add_post("/changes", self.changes)
        application.router.add_post("/look", self.look)
        application.router.add_post("/enter", self.enter)
        application.router.add_post("/letter", self.letter)
        application.router.add_post("/picture", self.picture)
        application.router.add_post("/sign-out", self.sign_out)
        application.router.add_post("/sign-out-everywhere", self.sign_out_everywhere)
        application.router.add_post("/who", self.who)
        application.router.add_post("/calendar", self.calendar)
        application.router.add_post("/reminders", self.reminders)

        async def close(_: web.Application) -> None:
            await self.following.close()

        application.on_shutdown.append(close)
        return application

    async def health(self, _: web.Request) -> web.Response:
        """Whether the store answers too."""
        try:
            await asyncio.wait_for(self._in_thread(self.course.store.setup), HEALTHY)
        except (ReviewkitError, TimeoutError):
            return web.json_response({"ready": True, "store": False})
        return web.json_response({"ready": True, "store": True})

    async def told(self, request: web.Request) -> web.Response:
        """The counters, for the page server."""
        await self._server(request)
        feeds = await self._in_thread(self.course.store.feeds)
        return web.json_response({"text": self.metrics.told(list(feeds))})

    async def view(self, request: web.Request) -> web.Response:
        """`{screen, params}` of a page: the view of that screen for the person whose page it is."""
        token, said = await self._page(request)
        params = _object(said.get("params"))
        return _with_mark(await self._shown(token, self._view, params))

    async def act(self, request: web.Request) -> web.Response:
        """`{screen, event}` of a page: do it as the person whose page it is; the screen's reply."""
        token, said = await self._page(request)
        event = _object(said.get("event"))
        news = threading.Event()
        reply, mark = await self._shown(token, partial(self._act, news), event)
        self._count(token, event, reply)
        if news.is_set():
            self.changed()
            self.following.changed()
        return _with_mark((reply, mark))

    async def changes(self, request: web.Request) -> web.Response:
        """`{screen, params, known}` of a page: `{view}` as soon as it is another one than `known`, however long that
        takes; nothing when the service ends. Whose page it is, is looked at whenever its view is."""
        token, said = await self._page(request)
        params = _object(said.get("params"))

        def gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        fresh = await self.following.follow(token, params, str(said.get("known", "")), gone)
        return _with_mark(({"view": fresh.view}, fresh.mark)) if fresh else web.json_response({})

    async def _shown(
        self, token: PageToken, answer: Callable[[PageToken, dict[str, Any]], dict[str, Any]], said: dict[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """An answer and the mark of the view that it is or holds, which the page shows from now on."""
        stamp = self.following.stamp(token.person)  # before the view is made
        reply, mark = await self._in_thread(_marked, answer, token, said)
        if mark:
            view = _view_in(reply)
            self.following.shown(token, _object(view.get("params", {})), mark, stamp)
        return reply, mark

    def _view(self, token: PageToken, params: dict[str, Any]) -> dict[str, Any]:
        return screens.view(self.course, self._person(token), token.screen, params)

    def _act(self, news: threading.Event, token: PageToken, event: dict[str, Any]) -> dict[str, Any]:
        """Sets `news` where the course has changed: most events only lead to another place, and what is being typed is
        nobody else's."""
        viewer, typing = self._person(token), event.get("type") == "draft"
        before = "" if typing else self.course.store.pulse()
        reply = screens.act(self.course, viewer, token.screen, event)
        if reply.get("ok") and not typing and self.course.store.pulse() != before:
            news.set()
        return reply

    def _look(self, course: Course, token: PageToken, params: Mapping[str, Any]) -> dict[str, Any]:
        viewer = self.entrance.through(course).guest(token.person, token.serial, token.session).person
        return screens.view(course, viewer, token.screen, params)

    def _count(self, token: PageToken, event: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Count an event; what was refused is one line in the log, without the words of either side."""
        draft = event.get("type") == "draft"
        if reply.get("ok"):
            (self.metrics.saves if draft else self.metrics.acts.labels(token.screen)).inc()
            return
        error = reply.get("error")
        why = str(error.get("kind", "Invalid")) if isinstance(error, Mapping) else "Invalid"
        self.metrics.refusals.labels(why).inc()
        if why == "Conflict" or reply.get("conflict"):
            self.metrics.conflicts.inc()
        kinds = ("draft", "look", *screens.screen_of(token.screen).HANDLERS)
        kind = event["type"] if event.get("type") in kinds else "unknown"
        told = {"screen": token.screen, "kind": kind, "why": why, "person": logs.person(token.person)}
        LOG.info("An event was refused", extra=told)

    @web.middleware
    async def watched(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """What is asked and refused at the door is a line in the log, under the id of the page server's request."""
        began = time.monotonic()
        logs.begin_request(request.headers.get("X-Request-Id", ""))
        answer = await handler(request)
        known = request.match_info.route.resource
        told = {"address": known.canonical if known else "?", "status": answer.status}
        told["milliseconds"] = round(1000 * (time.monotonic() - began))
        if answer.status >= 400:
            self.metrics.refusals.labels(str(answer.status)).inc()
            REQUESTS.warning("A request was refused", extra=told)
        return answer

    async def look(self, request: web.Request) -> web.Response:
        """`{link, client}` from the page server: whose link it is; nothing is used up."""
        said = await self._server(request)
        return _guest(await self._in_thread(self.entrance.look, *_words(said, "link", "client")))

    async def enter(self, request: web.Request) -> web.Response:
        """`{link, client, request}` from the page server: somebody comes in by a link."""
        said = await self._server(request)
        return _guest(await self._in_thread(self.entrance.enter, *_words(said, "link", "client", "request")))

    async def letter(self, request: web.Request) -> web.Response:
        """`{email, client, url, request}` from the page server: somebody wants a new link by mail."""
        said = await self._server(request)
        await self._in_thread(self.entrance.ask, *_words(said, "email", "client", "url", "request"))
        return web.json_response({})

    async def who(self, request: web.Request) -> web.Response:
        """`{person, serial, session}` from the page server: whether that sign-in still holds, and for whom."""
        return _guest(await self._in_thread(self.entrance.guest, *_session(await self._server(request))))

    async def picture(self, request: web.Request) -> web.Response:
        """`{person, serial, session, name}` from the page server: `{body}` (base64) of a picture that the person of
        that sign-in may see."""
        said = await self._server(request)
        found = await self._in_thread(self._picture, _session(said), str(said.get("name", "")))
        return web.json_response({"body": base64.b64encode(found.body).decode()})

    def _picture(self, session: tuple[str, int, str], name: str) -> Picture:
        return self.course.picture(self.entrance.guest(*session).person, name)

    async def sign_out(self, request: web.Request) -> web.Response:
        """`{person, serial, session}` from the page server: end that session and its pages."""
        await self._in_thread(self.entrance.sign_out, *_session(await self._server(request)))
        return web.json_response({})

    async def sign_out_everywhere(self, request: web.Request) -> web.Response:
        """`{person, serial, session}` from the page server: end all sessions and pages of that person."""
        await self._in_thread(self.entrance.sign_out_everywhere, *_session(await self._server(request)))
        self.following.changed()
        return web.json_response({})

    async def calendar(self, request: web.Request) -> web.Response:
        """`{link}` from the page server: `{text}`, the dates of whoever's link it is, as a calendar."""
        (link,) = _words(await self._server(request), "link")
        text = await self._in_thread(self.reminding.calendar, link)
        return web.json_response({"text": text.decode()})

    async def reminders(self, request: web.Request) -> web.Response:
        """`{link, change}` from the page server: `{wanted}`, whether whoever's link it is wants letters that remind;
        with a `change` of yes or no they do, or do not, from now on."""
        said = await self._server(request)
        change = said.get("change")
        wanted = await self._in_thread(
            self.reminding.wanted, *_words(said, "link"), change if isinstance(change, bool) else None
        )
        return web.json_response({"wanted": wanted})

    def _person(self, token: PageToken) -> Person:
        return self.entrance.guest(token.person, token.serial, token.session).person

    async def _page(self, request: web.Request) -> tuple[PageToken, dict[str, Any]]:
        token = signing.check_page_token(self.secret, _bearer(request))
        said = await _said(request)
        if said.get("screen") != token.screen:
            raise NotAllowed("This page may not ask for that. Reload it.")
        return token, said

    async def _server(self, request: web.Request) -> dict[str, Any]:
        if not signing.is_server_token(self.secret, _bearer(request)):
            raise NotAllowed("Only the page server may ask for that.")
        return await _said(request)

    async def _in_thread(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        running = asyncio.get_running_loop().run_in_executor(self.threads, partial(function, *arguments))
        try:
            return await asyncio.wait_for(running, LONGEST)
        except TimeoutError as error:
            raise ServiceError(SLOW) from error


@web.middleware
async def calm(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Every failure leaves as JSON with one sentence, and a bug as well: its traceback stays in the log."""
    try:
        return await handler(request)
    except ReviewkitError as error:
        return refusal(error, STATUS.get(type(error), 503))
    except web.HTTPException as error:
        return refusal(ServiceError("The page sent something that cannot be taken."), error.status)
    except Exception as bug:  # noqa: BLE001 (whoever asked gets an answer; the bug goes to the log)
        LOG.error("Bug in %s: %s", request.path, told(bug))
        return refusal(ServiceError(BUG), 500)


def refusal(error: ReviewkitError, status: int) -> web.Response:
    told = {"kind": type(error).__name__, "message": str(error), "field": getattr(error, "field", None)}
    if isinstance(error, TooOften):
        told["seconds"] = error.seconds
    return web.json_response({"error": told}, status=status)


def _guest(guest: Guest) -> web.Response:
    person = guest.person
    told = {"person": person.id, "name": person.name, "role": person.role, "serial": guest.serial}
    return web.json_response(told)


def _words(said: Mapping[str, Any], *names: str) -> list[str]:
    return [str(said.get(name, "")) for name in names]


def _session(said: Mapping[str, Any]) -> tuple[str, int, str]:
    match said.get("person"), said.get("serial"), said.get("session"):
        case str(person), int(serial), str(session):
            return person, serial, session
    raise Invalid("Say who it is.")


def _marked(function: Callable[..., dict[str, Any]], *arguments: Any) -> tuple[dict[str, Any], str]:
    """An answer and the mark of the view that it is or holds; empty where there is none."""
    reply = function(*arguments)
    view = _view_in(reply)
    return reply, mark_of(view) if view else ""


def _view_in(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The view that an answer is or holds; empty where there is none."""
    view = reply if "frame" in reply else reply.get("view")
    return view if isinstance(view, Mapping) else {}


def _with_mark(answer: tuple[dict[str, Any], str]) -> web.Response:
    reply, mark = answer
    return web.json_response(reply, headers={MARK: mark} if mark else None)


def _bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


async def _said(request: web.Request) -> dict[str, Any]:
    return plain(await request.read())


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(UNREADABLE)
    return dict(value)


# -- the process -----------------------------------------------------------------------------------------------------


async def run(course: Course, secret: bytes, socket_path: Path, entrance: Entrance, reminding: Reminding) -> None:
    """Answer on the socket and keep the course's clock until standard input ends or SIGTERM comes."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(0, 1024) else stopped.set())
    metrics = Metrics()
    clockwork = Clockwork(course, ended=lambda job, good: metrics.clock(job, went_well=good), remind=reminding.look)
    service = Service(
        course, secret, changed=clockwork.changed, metrics=metrics, entrance=entrance, reminding=reminding
    )
    runner = web.AppRunner(service.application(), access_log=None, shutdown_timeout=3)
    await runner.setup()
    socket_path.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        await web.UnixSite(runner, str(socket_path)).start()
    finally:
        os.umask(mask)
    print(json.dumps({"ready": True}), flush=True)
    keeping = asyncio.create_task(clockwork.run())
    entrance.open()
    await stopped.wait()
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    await runner.cleanup()
    await asyncio.to_thread(entrance.close)
    socket_path.unlink(missing_ok=True)
    with suppress(OSError):  # whoever made the folder may be gone; if not, it does the same
        socket_path.parent.rmdir()


def main(course_file: str, socket_path: str) -> int:
    logs.set_up()
    path = Path(course_file)
    try:
        secret = signing.read_secret(path.parent)
        logs.set_up(secret)
        course = open_course(path)
        if not isinstance(course, Course):
            raise ServiceError("The course service cannot run inside a page.")
        local = read_local(path)
        days = local.mail.reminders if local.mail else 0
        reminding = Reminding(course, secret, days=days, url=local.public_url)
        course.calendar_path = partial(reminding.path, purpose="calendar")
        entrance = Entrance(
            course, secret, single_use=local.sign_in == "single-use", server=local.mail, writers=reminding.writers
        )
        # What is there now stays to the end: each full collection would look through it, 0.05 s in a pull or a click.
        gc.collect()
        gc.freeze()
        asyncio.run(run(course, secret, Path(socket_path), entrance, reminding))
    except ReviewkitError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:3])
    sys.stdout.flush()
    os._exit(code)  # a pull that is under way in a thread is given up: every step is whole or not begun
