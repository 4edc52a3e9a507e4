"""What runs in a page's process: it reads messages from one socket, executes cells and hands comm messages to widgets.

It answers what Voila and a page send (execute, comm, kernel_info, shutdown). There is no completion, no history, no
magic, no input() and no event loop: a page needs none of them, and this way it costs 4 MB and wakes up for nothing.
"""

import ast
import itertools
import logging
import math
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, cast

import comm
from comm.base_comm import BaseComm, CommManager

from reviewkit import waiting
from reviewkit.bugs import told
from reviewkit.server.light import frames

LOG = logging.getLogger(__name__)
Message = dict[str, Any]

INFO: Message = {
    "status": "ok",
    "protocol_version": "5.3",
    "implementation": "reviewkit",
    "implementation_version": "1",
    "banner": "",
    "help_links": [],
    "language_info": {
        "name": "python",
        "version": sys.version.split()[0],
        "mimetype": "text/x-python",
        "file_extension": ".py",
    },
}

HERE: "Kernel | None" = None
"""The kernel that this process works for; None in the fork server, which only imports."""


class PageComm(BaseComm):
    """A widget's line to the browser."""

    def publish_msg(
        self,
        msg_type: str,
        data: Message | None = None,
        metadata: Message | None = None,
        buffers: Sequence[bytes | memoryview] | None = None,
        **keys: Any,
    ) -> None:
        if HERE is not None:
            HERE.publish(msg_type, {"data": data or {}, "comm_id": self.comm_id, **keys}, metadata, buffers or ())

    def __del__(self) -> None:
        """Silent: the base class would send comm_close from the collector."""


COMMS = CommManager()


def adopt_comms() -> None:
    """Make widgets speak through this module. To be called before the fork."""
    comm.create_comm = PageComm
    comm.get_comm_manager = lambda: COMMS


class Kernel:
    """One page. `run` returns when the page server has hung up or asked for the end."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.count = 0
        self.parent: Message = {}
        self.session, self.ids = os.urandom(8).hex(), itertools.count()
        self.namespace: Message = {"__name__": "__main__", "__builtins__": __builtins__}
        self.answers: dict[str, Callable[[Message], Message | None]] = {
            "kernel_info_request": lambda _: INFO,
            "comm_info_request": lambda _: {"status": "ok", "comms": {}},
            "execute_request": self.execute_request,
            "comm_msg": self.comm_msg,
            "comm_close": self.comm_close,
            "shutdown_request": self.shutdown_request,
        }

    def run(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # between two messages there is nothing to interrupt
        try:
            while True:
                self.wait()
                self.step()
        except (EOFError, BrokenPipeError, ConnectionResetError, SystemExit):
            return

    def wait(self) -> None:
        """Until the page server says something; meanwhile the page's other sources are woken at their time. What the
        browser sent goes first: it may make the rest out of date."""
        while True:
            lines = {each.fileno(): each for each in waiting.SOURCES if each.fileno() >= 0}
            due = min((each.due for each in waiting.SOURCES), default=math.inf)
            rest = None if math.isinf(due) else max(0.0, due - time.monotonic())
            ready, _, _ = select.select([self.sock.fileno(), *lines], [], [], rest)
            if self.sock.fileno() in ready:
                return
            for source in waiting.SOURCES:
                if source.fileno() in ready or source.due <= time.monotonic():
                    self.parent = {}
                    source.wake()

    def step(self) -> None:
        """Read and answer one message. A malformed one is dropped and does no harm."""
        (length,) = struct.unpack("<I", self.read(4))
        if length > frames.LIMIT:
            raise EOFError
        frame = self.read(length)
        try:
            channel, message = frames.unpack(frame)
        except (ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
            LOG.warning("A message that cannot be read was dropped (%s)", type(error).__name__)
            return
        self.answer(channel, message)

    def read(self, length: int) -> bytes:
        chunks = []
        while length:
            chunk = self.sock.recv(min(length, 1 << 20))
            if not chunk:
                raise EOFError
            chunks.append(chunk)
            length -= len(chunk)
        return b"".join(chunks)

    def answer(self, channel: str, message: Message) -> None:
        kind = message["msg_type"]
        answer = self.answers.get(kind) if isinstance(kind, str) else None
        if answer is None:
            return
        self.parent = message["header"]
        self.publish("status", {"execution_state": "busy"})
        signal.signal(signal.SIGINT, cast("Callable[[int, FrameType | None], None]", signal.default_int_handler))
        reply = None
        try:
            reply = answer(message)
        except (Exception, KeyboardInterrupt) as bug:  # noqa: BLE001 (a bug in a widget ends its message, not the page)
            LOG.error("A message met a bug: %s", told(bug))
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if reply is not None:
            self.send(channel, kind.replace("_request", "_reply"), reply)
        self.publish("status", {"execution_state": "idle"})
        if kind == "shutdown_request":
            raise SystemExit

    def publish(
        self,
        kind: str,
        content: Message,
        metadata: Message | None = None,
        buffers: Sequence[bytes | memoryview] = (),
    ) -> None:
        self.send("iopub", kind, content, metadata, buffers)

    def send(
        self,
        channel: str,
        kind: str,
        content: Message,
        metadata: Message | None = None,
        buffers: Sequence[bytes | memoryview] = (),
    ) -> None:
        header = {
            "msg_id": f"{self.session}_{next(self.ids)}",
            "session": self.session,
            "username": "",
            "msg_type": kind,
            "version": "5.3",
        }
        frame = frames.pack(channel, header, self.parent, metadata or {}, content, buffers)
        self.sock.sendall(frames.wire(frame))

    # -- what can be asked

    def shutdown_request(self, message: Message) -> Message:
        return {"status": "ok", "restart": False}

    def comm_msg(self, message: Message) -> None:
        to, data = message["content"].get("comm_id"), message["content"].get("data")
        if isinstance(to, str) and to in COMMS.comms and isinstance(data, dict):
            COMMS.comm_msg(cast("Any", None), "", message)

    def comm_close(self, message: Message) -> None:
        if message["content"].get("comm_id") in COMMS.comms:
            COMMS.comm_close(cast("Any", None), "", message)

    def execute_request(self, message: Message) -> Message:
        content = message["content"]
        self.count += not content.get("silent")
        try:
            self.execute(content["code"])
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (the cell's error is the answer)
            LOG.error("A cell of the notebook failed: %s", told(error))
            shown = traceback.format_exception(error)
            failure = {"ename": type(error).__name__, "evalue": str(error), "traceback": shown}
            self.publish("error", failure)
            return {"status": "error", "execution_count": self.count, **failure}
        return {"status": "ok", "execution_count": self.count, "payload": [], "user_expressions": {}}

    def execute(self, code: str) -> None:
        """Run a cell; show the value of its last line."""
        tree = ast.parse(code, "<cell>")
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<cell>", "exec"), self.namespace)  # noqa: S102 (running the notebook's cells is the job)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), self.namespace)  # noqa: S307 (the same)
            if value is not None:
                data, metadata = bundle(value)
                shown = {"data": data, "metadata": metadata, "execution_count": self.count}
                self.publish("execute_result", shown)


def bundle(value: object) -> tuple[Message, Message]:
    """The mime bundle of a value and its metadata."""
    method = getattr(value, "_repr_mimebundle_", None)
    got = method() if method else None
    data, metadata = got if isinstance(got, tuple) else (got, {})
    if data is None:
        data = {"text/plain": repr(value)}
        if html := getattr(value, "_repr_html_", None):
            data["text/html"] = html()
    return data, metadata


def start(sock: socket.socket) -> None:
    """Be a page's process on a connected socket until the other end is gone."""
    global HERE
    HERE = Kernel(sock)
    sys.stdout = sys.stderr  # what is printed belongs into the server's log and not onto the page
    HERE.run()
