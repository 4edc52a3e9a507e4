"""The line between a page in a browser and its process, and how it ends."""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from tornado import web
from tornado.websocket import WebSocketClosedError

from reviewkit.server.jupyter import AnyConnection, unwritten
from reviewkit.server.light import frames

LOG = logging.getLogger(__name__)
KINDS = frozenset(
    f"{kind}_request"
    for kind in ("execute", "inspect", "complete", "history", "is_complete", "kernel_info", "comm_info", "shutdown")
) | {"comm_open", "comm_close", "interrupt_request", "debug_request", "input_reply"}
"""What browsers send to kernels elsewhere; another word is somebody's own, and no matter for the log."""
UNREAD = 4 << 20
"""Bytes that may wait for a page's process, or for a browser, before that page is ended."""
SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
LEFT = 1001
"""The close code of a browser whose page was closed or went somewhere else: it does not come back."""


class End(IntEnum):
    """Why a page has ended: the close code of its websocket. `page.js` has the words for each."""

    RESTART = 1012
    """The server stops, and may come back."""
    GONE = 4001
    """Its process is gone: only a reload helps."""
    RESTED = 4002
    """Nobody used it for hours."""
    CROWDED = 4003
    """Its person opened too many others."""
    SIGNED_OUT = 4004
    """Its person's sign-in has ended."""


GONE = End.GONE


class LightConnection(AnyConnection):  # type: ignore[misc]  # untyped on purpose
    """Copies frames between a page's websocket and its process, and lets only the allowed messages in."""

    session: Any = None  # plain attributes in place of the base class's traits
    kernel_manager: Any = None
    websocket_handler: Any = None
    kernel_ws_protocol = None
    saving: "asyncio.Future[None] | None" = None

    def __init__(self, parent: Any, websocket_handler: Any, config: Any = None) -> None:
        self.refused = set[str]()  # kinds of messages; each is told of once
        self.kernel_manager, self.websocket_handler = parent, websocket_handler
        self.session = SimpleNamespace(session="")

    async def prepare(self) -> None:
        if SUBPROTOCOL not in self.websocket_handler.request.headers.get("Sec-WebSocket-Protocol", ""):
            raise web.HTTPError(400, "only the v1 subprotocol is spoken here")

    async def connect(self) -> None:
        kernel = self.kernel_manager
        if not kernel.alive or kernel.end is not None:  # it ended during the handshake
            self.websocket_handler.close(kernel.end or End.GONE)
            return
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        kernel.come(self)
        kept, kernel.backlog, kernel.kept = kernel.backlog, deque(), 0
        for frame in kept:
            self.deliver(frame)

    def disconnect(self) -> None:
        self.saved()
        if self in self.kernel_manager.pages:
            self.multi_kernel_manager.notify_disconnect(self.kernel_id)
            self.kernel_manager.go(self, left=self.websocket_handler.close_code == LEFT)

    def save(self) -> "asyncio.Future[None]":
        """Ask the page to send what it has; done when it says that all is saved, or is gone."""
        if self.saving is None:
            self.saving = asyncio.get_running_loop().create_future()
            self.websocket_handler.say("save")
        return self.saving

    def saved(self) -> None:
        if self.saving is not None and not self.saving.done():
            self.saving.set_result(None)

    def close(self, end: End) -> None:
        self.websocket_handler.close(end)

    def deliver(self, frame: bytes) -> None:
        connection = self.websocket_handler.ws_connection
        if connection is None:
            return
        if connection.stream.writing() and unwritten(connection.stream) > UNREAD:
            self.websocket_handler.close(1013, "the browser reads too slowly")
            return
        # Past Voila's write_message, which parses every header in search of a message that does not exist here.
        with suppress(WebSocketClosedError):
            connection.write_message(frame, binary=True)

    def handle_incoming_message(self, frame: Any) -> None:
        kernel = self.kernel_manager
        kind = frames.message_type(frame) if isinstance(frame, bytes) else None
        if isinstance(frame, bytes) and kind in kernel.parent.allowed_message_types:
            kernel.use()
            kernel.send(frame)
            return
        known = kind if kind in KINDS else "?"
        if known not in self.refused:
            self.refused.add(known)
            LOG.warning("A page was sent what it does not take", extra={"kind": known})

    def handle_outgoing_message(self, stream: Any, outgoing_msg: Any) -> None:
        """Nothing comes this way."""
