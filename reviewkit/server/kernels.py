"""Pages' processes: each belongs to one person, and is given a socket, a token and the addresses of its files."""

import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClosedError

from reviewkit import signing
from reviewkit.server.headers import Careful
from reviewkit.server.identity import Viewer
from reviewkit.server.jupyter import AnyWebsocketHandler
from reviewkit.server.light.manager import GONE, LightConnection, LightKernelManager
from reviewkit.signing import PageToken

MOST_PAGES = 24
"""Pages that one person may have open: the oldest makes room for the next."""


class PageProcesses(LightKernelManager):
    """Starts pages for people, and knows whose each of them is."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.owners: dict[str, str] = {}

    async def open_page(self, viewer: Viewer, screen: str, *, door: Path, secret: bytes, files: Any, query: str) -> str:
        """Start a process for one screen and one person; gives its id."""
        mine = [kernel_id for kernel_id, owner in self.owners.items() if owner == viewer.username]
        for oldest in mine[: len(mine) + 1 - MOST_PAGES]:
            self.get_kernel(oldest).stop()
        page = str(uuid.uuid4())
        token = PageToken(person=viewer.username, screen=screen, page=page, serial=viewer.serial)
        environment = {
            "REVIEWKIT_SOCKET": str(door),
            "REVIEWKIT_TOKEN": signing.page_token(secret, token),
            "REVIEWKIT_STATIC": json.dumps(files),
            "QUERY_STRING": query[:2000],
        }
        await self.start_kernel(kernel_name="python3", path="", env=environment, kernel_id=page)
        self.owners[page] = viewer.username
        return page

    def end_pages(self, viewer: Viewer) -> None:
        """End all pages of a person, in whatever browser."""
        for page in [page for page, owner in self.owners.items() if owner == viewer.username]:
            self.get_kernel(page).stop()

    def forget(self, kernel: Any) -> None:
        self.owners.pop(kernel.kernel_id, None)
        super().forget(kernel)


class Nowhere(LightConnection):
    """The connection of a page whose process is gone: it is told so, and that only a reload helps."""

    def __init__(self, websocket_handler: Any) -> None:
        self.websocket_handler = websocket_handler

    async def connect(self) -> None:
        self.websocket_handler.close(GONE, "the page's process is gone")

    def disconnect(self) -> None:
        """Nothing was connected."""

    def handle_incoming_message(self, frame: Any) -> None:
        """Nobody is there to hear it."""


class PageSocket(Careful, AnyWebsocketHandler):  # type: ignore[misc]  # untyped on purpose
    """The websocket of one page, open to its owner alone."""

    async def pre_get(self) -> None:
        if self.kernel_id in self.kernel_manager:
            await super().pre_get()
        else:
            self.connection = Nowhere(self)

    async def open(self, kernel_id: str) -> None:
        self.set_nodelay(True)  # else each answer waits for the acknowledgement of the one before, some 40 ms
        await super().open(kernel_id)

    def on_message(self, message: str | bytes) -> None:
        """A page asks now and then whether anybody is there; its process need not wake up for that."""
        if message == "?":
            with suppress(WebSocketClosedError):
                self.write_message("!")
        else:
            super().on_message(message)
