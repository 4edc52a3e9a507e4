"""Pages' processes: each belongs to one person, and is given a socket, a token and the addresses of its files."""

import asyncio
import json
import logging
import os
import resource
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketProtocol, WebSocketProtocol13
from traitlets import Int

from reviewkit import signing
from reviewkit.errors import ConfigError
from reviewkit.server.headers import Careful
from reviewkit.server.identity import Viewer
from reviewkit.server.jupyter import KernelSocket
from reviewkit.server.light.connection import End, LightConnection
from reviewkit.server.light.manager import LightKernelManager, NoMore
from reviewkit.server.memory import Tidying
from reviewkit.server.stock import StockKernelManager
from reviewkit.server.watching import PageMetrics
from reviewkit.signing import PageToken

PING, PONG = 30.0, 20.0
"""Seconds between two pings of a page's browser, and those that it has to answer in: one that is asleep is gone."""
FILES_A_PAGE, OTHER_FILES = 6, 100
"""Open files of the page server for each page: two for its process, one for its websocket, and what a browser keeps
open beside it; and those that are there without any page."""
MOST_FILES, ROOMY = 1 << 16, 300
LOG = logging.getLogger(__name__)


class Full(web.HTTPError):
    """The system has no room for another page's process."""

    words = (
        "The course is full just now",
        "So many pages are open that there is no room for another one. Close those that you do not need, or try again "
        "in a few minutes. Nothing that was saved is lost.",
    )

    def __init__(self) -> None:
        super().__init__(503)


def raise_file_limit() -> None:
    """Let this process, and those that it starts, have as many open files as the system gives without being root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # macOS has a limit below its own hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if (room := pages_for(file_limit())) < ROOMY:
        LOG.warning(
            "The system lets the page server have %s files open, enough for about %s pages at once: raise ulimit -n "
            "for a larger course",
            file_limit(),
            room,
        )


def file_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def pages_for(files: int) -> int:
    """Pages that can be open at once with so many open files."""
    return max(1, (files - OTHER_FILES) // FILES_A_PAGE)


class PageProcesses(LightKernelManager):
    """Starts pages for people, and knows whose each of them is."""

    most_pages = Int(8, config=True, help="Pages that one person may have open: the oldest makes room for the next.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.owners: dict[str, str] = {}
        self.sessions: dict[str, set[str]] = {}
        """By page, the sign-ins that it was opened and connected by: each that ends, ends it."""
        self.stopping, self.room = False, pages_for(file_limit())
        self.tidying = Tidying(lambda: not self.running)
        self.metrics = PageMetrics()
        self.metrics.open.set_function(lambda: len(self.running))

    async def open_page(self, viewer: Viewer, screen: str, *, door: Path, secret: bytes, files: Any, query: str) -> str:
        """Start a process for one screen and one person; gives its id. 503 while the server stops, or has no room."""
        if self.stopping:
            raise web.HTTPError(503)
        if len(self.owners) >= self.room:  # those that are being started count too
            LOG.warning("No page more than %s could be opened: the system lets a process have no more files", self.room)
            raise Full
        self.make_room(viewer)
        page = str(uuid.uuid4())
        token = PageToken(
            person=viewer.username, screen=screen, page=page, serial=viewer.serial, session=viewer.session
        )
        environment = {
            "REVIEWKIT_SOCKET": str(door),
            "REVIEWKIT_TOKEN": signing.page_token(secret, token),
            "REVIEWKIT_STATIC": json.dumps(files),
            "QUERY_STRING": query[:2000],
        }
        self.owners[page], self.sessions[page] = viewer.username, {viewer.session}
        try:
            await self.start_kernel(kernel_name="python3", path="", env=environment, kernel_id=page)
        except BaseException as error:
            self.owners.pop(page, None)
            self.sessions.pop(page, None)
            if isinstance(error, NoMore):
                LOG.error("The system has no room for the process of another page: %s", error)
                raise Full from error
            raise
        self.metrics.opened.labels(screen).inc()
        return page

    def make_room(self, viewer: Viewer) -> None:
        """Close the person's oldest pages when there are as many as may be."""
        mine = [kernel for kernel in self.running.values() if self.owners.get(kernel.kernel_id) == viewer.username]
        mine = [kernel for kernel in mine if kernel.alive and kernel.end is None]
        for kernel in mine[: len(mine) + 1 - self.most_pages]:
            self.part(kernel, End.CROWDED)

    async def end_pages(self, viewer: Viewer, *, session: str | None = None) -> None:
        """Let a person's pages save, and end them: all, in whatever browser, or those of one sign-in."""
        mine = [kernel for id, kernel in self.running.items() if self.owners.get(id) == viewer.username]
        ending = [each for each in mine if session is None or session in self.sessions.get(each.kernel_id, ())]
        await asyncio.gather(*(kernel.part(End.SIGNED_OUT) for kernel in ending))

    def connected(self, page: str, viewer: Viewer) -> None:
        """Somebody looks at a page, by the sign-in that their browser has by now."""
        if page in self.sessions:
            self.sessions[page].add(viewer.session)

    async def part_all(self, end: End) -> None:
        self.stopping = True
        await super().part_all(end)

    def forget(self, kernel: Any) -> None:
        self.sessions.pop(kernel.kernel_id, None)
        if self.owners.pop(kernel.kernel_id, None):
            self.metrics.closed.labels(kernel.why).inc()
        super().forget(kernel)
        self.tidying.page_ended()

    def close(self) -> None:
        super().close()
        self.tidying.cancel()


class StockProcesses(PageProcesses, StockKernelManager):
    """The same with ipykernel in each process."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.room = max(1, self.room // 2)  # zmq keeps several files open where a light page has one


def forks() -> bool:
    """Whether light kernels can be had here: they are forked and watched in Linux's ways."""
    return sys.platform == "linux" and hasattr(os, "fork") and hasattr(os, "pidfd_open")


def chosen(word: str) -> type[PageProcesses]:
    """What pages run on: light, stock, or the lightest that can be had where the word is empty. Raises ConfigError."""
    if word == "light" and not forks():
        raise ConfigError("Light kernels need Linux: leave [server] kernels out of course.toml, or set it to stock.")
    return StockProcesses if word == "stock" or not forks() else PageProcesses


class Nowhere(LightConnection):
    """The connection of a page whose process is gone: it is told so, and that only a reload helps."""

    def __init__(self, websocket_handler: Any) -> None:
        self.websocket_handler = websocket_handler

    async def connect(self) -> None:
        self.websocket_handler.close(End.GONE)

    def disconnect(self) -> None:
        """Nothing was connected."""

    def handle_incoming_message(self, frame: Any) -> None:
        """Nobody is there to hear it."""


class PageSocket(Careful, KernelSocket):
    """The websocket of one page, open to its owner alone."""

    def nowhere(self) -> Nowhere:
        return Nowhere(self)

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol: WebSocketProtocol | None = super().get_websocket_protocol()
        if isinstance(protocol, WebSocketProtocol13):
            protocol.params.ping_interval, protocol.params.ping_timeout = PING, PONG
        return protocol

    async def open(self, kernel_id: str) -> None:
        self.set_nodelay(True)  # else each answer waits for the acknowledgement of the one before, some 40 ms
        self.kernel_manager.connected(kernel_id, self.current_user)
        await super().open(kernel_id)

    def say(self, word: str) -> None:
        """A word of the server's own, beside the frames of the page's process."""
        with suppress(WebSocketClosedError):
            self.write_message(word)

    def on_message(self, message: str | bytes) -> None:
        """A page asks now and then whether anybody is there; its process need not wake up for that."""
        if message == "?":
            self.say("!")
        elif message == "saved":
            self.connection.saved()
        else:
            super().on_message(message)
