"""The page server's side of the light kernels: what Voila and jupyter_server ask of kernels, as far as they ask.

A page's process is at the other end of a socketpair: no ports, no connection file, no polling. End of file on the
socket means that the process is gone, in both directions.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty
from types import SimpleNamespace
from typing import Any

from tornado import web
from tornado.websocket import WebSocketClosedError
from traitlets import Float, List, Unicode

from reviewkit.server.jupyter import AnyConnection, AnyKernelManager
from reviewkit.server.light import frames

BACKLOG = 1 << 20
"""Bytes kept for a page that is not connected; one that comes back asks for its whole state anyway."""
UNREAD = 4 << 20
"""Bytes that may wait for a page's process, or for a browser, before that page is ended."""
SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV")
GONE = 4001
"""The close code that tells a page that its process is gone: only a reload helps."""


class ForkServer:
    """The fork server as seen from here."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        environment["OPENBLAS_NUM_THREADS"] = environment["OMP_NUM_THREADS"] = "1"
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", "reviewkit.server.light.fork", str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.control.setblocking(False)
        self.waiting: deque[asyncio.Future[tuple[int, int]]] = deque()
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.control, self.answer)
        self.alive = True

    def answer(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 4096, 1)
        except ConnectionResetError:
            data = b""
        if data:
            self.waiting.popleft().set_result((json.loads(data)["pid"], descriptors[0]))
            return
        self.close()

    async def fork(self, sock: socket.socket, environment: Mapping[str, str], cwd: str) -> tuple[int, int]:
        """The new process's number and pidfd. Raises ConnectionError when the fork server has died."""
        done: asyncio.Future[tuple[int, int]] = self.loop.create_future()
        request = json.dumps({"env": environment, "cwd": cwd}).encode()
        socket.send_fds(self.control, [request], [sock.fileno()])
        self.waiting.append(done)
        return await done

    def close(self) -> None:
        """Hang up: the fork server leaves, and ends its pages."""
        if not self.alive:
            return
        self.alive = False
        self.loop.remove_reader(self.control)
        self.control.close()
        for done in self.waiting:
            done.set_exception(ConnectionResetError("the fork server is gone"))
        self.waiting.clear()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class LightKernel(asyncio.Protocol):
    """One page's process: what Voila asks of a kernel manager, and the frames that pass through."""

    kernel_spec = SimpleNamespace(metadata={})
    has_kernel = True
    transport: asyncio.Transport

    def __init__(self, parent: "LightKernelManager", kernel_id: str, kernel_name: str | None) -> None:
        self.parent, self.kernel_id, self.kernel_name = parent, kernel_id, kernel_name
        self.execution_state = "idle"
        self.buffer, self.alive = bytearray(), True
        self.executor: LightClient | None = None
        self.pages: set[LightConnection] = set()
        self.backlog: deque[bytes] = deque()
        self.kept = 0
        self.watch: asyncio.TimerHandle | None = None

    async def start(self, server: ForkServer, environment: Mapping[str, str], cwd: str) -> None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self.pid, self.handle = await server.fork(theirs, environment, cwd)
        except OSError:
            ours.close()
            raise
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 4:
            end = 4 + struct.unpack_from("<I", self.buffer)[0]
            if end > frames.LIMIT:
                self.kill()
                return
            if len(self.buffer) < end:
                return
            frame = bytes(self.buffer[4:end])
            del self.buffer[:end]
            self.received(frame)

    def connection_lost(self, error: Exception | None) -> None:
        self.alive = False
        self.rest()
        os.close(self.handle)
        for page in list(self.pages):
            page.websocket_handler.close(GONE, "the page's process is gone")
        if self.executor is not None:
            self.executor.hang_up()
        self.parent.forget(self)

    # -- frames

    def received(self, frame: bytes) -> None:
        if frame.endswith(b'{"execution_state":"busy"}'):
            self.execution_state = "busy"
            self.rest()
            self.watch = asyncio.get_running_loop().call_later(self.parent.longest, self.kill)
        elif frame.endswith(b'{"execution_state":"idle"}'):
            self.execution_state = "idle"
            self.rest()
        if self.executor is not None:
            self.executor.received(frame)
        if not self.pages:
            self.keep(frame)
        for page in list(self.pages):
            page.deliver(frame)

    def keep(self, frame: bytes) -> None:
        """For the page that comes, or comes back. What happened during the execution may be in the state that it
        has already; to hear of it again does no harm."""
        if frames.message_type(frame) in ("comm_msg", "comm_close"):
            self.backlog.append(frame)
            self.kept += len(frame)
            while self.kept > BACKLOG:
                self.kept -= len(self.backlog.popleft())

    def send(self, frame: bytes) -> None:
        """To the page's process. One that reads nothing for megabytes is ended: it would fill the server."""
        if not self.alive:
            return
        if self.transport.get_write_buffer_size() > UNREAD:
            self.kill()
            return
        self.transport.write(frames.wire(frame))

    # -- what is asked of a kernel manager

    def client(self) -> "LightClient":
        return LightClient(self)

    async def is_alive(self) -> bool:
        return self.alive

    def signal(self, number: int) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, number)

    def interrupt_kernel(self) -> None:
        self.signal(signal.SIGINT)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def rest(self) -> None:
        if self.watch is not None:
            self.watch.cancel()
            self.watch = None

    def stop(self) -> None:
        """End of file lets an idle process leave by itself; a busy one is killed."""
        if self.alive:
            if self.execution_state == "busy":
                self.kill()
            self.transport.abort()


class LightClient:
    """What Voila's executor uses of a kernel client while it executes the notebook."""

    allow_stdin = False

    def __init__(self, kernel: LightKernel) -> None:
        self.kernel, self.session, self.ids = kernel, uuid.uuid4().hex, itertools.count()
        self.shell_channel, self.iopub_channel = Channel(), Channel()

    def start_channels(self) -> None:
        self.kernel.executor = self

    def stop_channels(self) -> None:
        self.kernel.executor = None

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Nothing to wait for: a request waits in the socket until it is read."""

    async def is_alive(self) -> bool:
        return self.kernel.alive

    def received(self, frame: bytes) -> None:
        channel, message = frames.unpack(frame)
        (self.iopub_channel if channel == "iopub" else self.shell_channel).put(message)

    def hang_up(self) -> None:
        self.shell_channel.put(None)
        self.iopub_channel.put(None)

    def request(self, kind: str, content: dict[str, Any]) -> str:
        msg_id = f"{self.session}_{next(self.ids)}"
        header = {
            "msg_id": msg_id,
            "session": self.session,
            "username": "",
            "msg_type": kind,
            "version": "5.3",
        }
        self.kernel.send(frames.pack("shell", header, {}, {}, content))
        return msg_id

    def execute(
        self, code: str, silent: bool = False, store_history: bool = True, stop_on_error: bool = True, **_: Any
    ) -> str:
        return self.request("execute_request", {"code": code, "silent": silent})

    def kernel_info(self) -> str:
        return self.request("kernel_info_request", {})


class Channel:
    """Messages that have come in; None among them: the process is gone."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def put(self, message: dict[str, Any] | None) -> None:
        self.queue.put_nowait(message)

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        try:
            message = await asyncio.wait_for(self.queue.get(), timeout)
        except TimeoutError:
            raise Empty from None
        if message is None:
            raise RuntimeError("The page's process ended while it was being made.")
        return message


class LightKernelManager(AnyKernelManager):  # type: ignore[misc]  # untyped on purpose
    """Starts page processes by fork, and ends those that nobody looks at."""

    page_grace = Float(
        60,
        config=True,
        help="Seconds that a page's process outlives its last connection: long enough for one to come back.",
    )
    longest = Float(30, config=True, help="Seconds that a page's process may work on one message.")
    modules = List(
        Unicode(),
        ["ipywidgets", "anywidget", "reviewkit.screens.page"],
        config=True,
        help="What is imported once, before the first fork.",
    )
    server: ForkServer | None = None

    def warm_up(self) -> ForkServer:
        """The fork server, started where there is none. Live pages do not mind the death of an old one."""
        if self.server is not None and self.server.process.poll() is not None:
            self.server.close()
        if self.server is None or not self.server.alive:
            self.server = ForkServer(self.modules)
        return self.server

    async def start_kernel(
        self,
        *,
        kernel_name: str | None = None,
        path: str | None = None,
        env: Mapping[str, str] | None = None,
        kernel_id: str | None = None,
        **_: Any,
    ) -> str:
        kernel = LightKernel(self, kernel_id or str(uuid.uuid4()), kernel_name)
        cwd = self.cwd_for_path(path or "")
        try:
            await kernel.start(self.warm_up(), env or {}, cwd)
        except OSError:  # it has died just now: once more, with a new one
            await kernel.start(self.warm_up(), env or {}, cwd)
        self._kernels[kernel.kernel_id], self._kernel_connections[kernel.kernel_id] = kernel, 0
        self.check_later(kernel.kernel_id)
        return kernel.kernel_id

    def check_later(self, kernel_id: str) -> None:
        asyncio.get_running_loop().call_later(self.page_grace, self.check, kernel_id)

    def check(self, kernel_id: str) -> None:
        kernel = self._kernels.get(kernel_id)
        if kernel is None or kernel.pages:
            return
        if kernel.executor is not None:
            self.check_later(kernel_id)
        else:
            kernel.stop()

    def notify_disconnect(self, kernel_id: str) -> None:
        super().notify_disconnect(kernel_id)
        self.check_later(kernel_id)

    def forget(self, kernel: LightKernel) -> None:
        self._kernels.pop(kernel.kernel_id, None)
        self._kernel_connections.pop(kernel.kernel_id, None)

    async def _async_shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        self._check_kernel_id(kernel_id)
        self._kernels[kernel_id].stop()

    shutdown_kernel = _async_shutdown_kernel

    def close(self) -> None:
        """End all pages and the fork server."""
        for kernel in list(self._kernels.values()):
            kernel.stop()
        if self.server is not None:
            self.server.close()

    def get_kernel(self, kernel_id: str) -> LightKernel:
        self._check_kernel_id(kernel_id)
        kernel: LightKernel = self._kernels[kernel_id]
        return kernel


class LightConnection(AnyConnection):  # type: ignore[misc]  # untyped on purpose
    """Copies frames between a page's websocket and its process, and lets only the allowed messages in."""

    session: Any = None  # plain attributes in place of the base class's traits
    kernel_manager: Any = None
    websocket_handler: Any = None
    kernel_ws_protocol = None

    def __init__(self, parent: LightKernel, websocket_handler: Any, config: Any = None) -> None:
        self.kernel_manager, self.websocket_handler = parent, websocket_handler
        self.session = SimpleNamespace(session="")

    async def prepare(self) -> None:
        if SUBPROTOCOL not in self.websocket_handler.request.headers.get("Sec-WebSocket-Protocol", ""):
            raise web.HTTPError(400, "only the v1 subprotocol is spoken here")

    async def connect(self) -> None:
        kernel = self.kernel_manager
        if not kernel.alive:  # it ended during the handshake
            self.websocket_handler.close(GONE, "the page's process is gone")
            return
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        kernel.pages.add(self)
        kept, kernel.backlog, kernel.kept = kernel.backlog, deque(), 0
        for frame in kept:
            self.deliver(frame)

    def disconnect(self) -> None:
        if self in self.kernel_manager.pages:
            self.kernel_manager.pages.discard(self)
            self.multi_kernel_manager.notify_disconnect(self.kernel_id)

    def deliver(self, frame: bytes) -> None:
        connection = self.websocket_handler.ws_connection
        if connection is None:
            return
        if connection.stream.writing() and len(connection.stream._write_buffer) > UNREAD:
            self.websocket_handler.close(1013, "the browser reads too slowly")
            return
        # Past Voila's write_message, which parses every header in search of a message that does not exist here.
        with suppress(WebSocketClosedError):
            connection.write_message(frame, binary=True)

    def handle_incoming_message(self, frame: Any) -> None:
        kernel = self.kernel_manager
        if isinstance(frame, bytes) and frames.message_type(frame) in kernel.parent.allowed_message_types:
            kernel.send(frame)

    def handle_outgoing_message(self, stream: Any, outgoing_msg: Any) -> None:
        """Nothing comes this way."""
