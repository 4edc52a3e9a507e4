"""The page server's side of the light kernels: what Voila and jupyter_server ask of kernels, as far as they ask.

A page's process is at the other end of a socketpair: no ports, no connection file, no polling. End of file on the
socket means that the process is gone, in both directions.
"""

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from traitlets import Float, List, Unicode

from reviewkit.errors import ServiceError
from reviewkit.server.jupyter import Kernels
from reviewkit.server.light import frames
from reviewkit.server.light.client import LightClient
from reviewkit.server.light.connection import GONE, SUBPROTOCOL, UNREAD, End, LightConnection

__all__ = ["GONE", "SUBPROTOCOL", "ForkServer", "LightClient", "LightConnection", "LightKernel", "LightKernelManager"]

BACKLOG = 1 << 20
"""Bytes kept for a page that is not connected; one that comes back asks for its whole state anyway."""
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV")
SAVING = 5.0
"""Seconds that a page which has to close may take to save what it has."""
FINISHING = 2.0
"""Seconds that a page may take to be made when the server stops."""
SWEEP = 60.0
"""Seconds between two looks for pages that nobody uses."""
AT_ONCE = 16
"""Pages that the fork server is asked for at a time: the others wait here, not in a socket that would fill up."""


class NoMore(ServiceError):
    """The system has no room for another page's process (read by the operator)."""


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
        self.turn = asyncio.Semaphore(AT_ONCE)
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.control, self.answer)
        self.alive = True

    def answer(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 4096, 1)
        except ConnectionResetError:
            data = b""
        if not data:
            self.close()
            return
        done, told = self.waiting.popleft(), json.loads(data)
        if done.done():  # whoever asked has been given up: without its other end the page leaves by itself
            for each in descriptors:
                os.close(each)
        elif descriptors:
            done.set_result((told["pid"], descriptors[0]))
        else:
            done.set_exception(NoMore(told.get("error", "Too many open files")))

    async def fork(self, sock: socket.socket, environment: Mapping[str, str], cwd: str) -> tuple[int, int]:
        """The new process's number and pidfd. Raises ConnectionError when the fork server has died, NoMore when the
        system gives no more processes."""
        request = json.dumps({"env": environment, "cwd": cwd}).encode()
        async with self.turn:
            if not self.alive:
                raise ConnectionResetError("the fork server is gone")
            done: asyncio.Future[tuple[int, int]] = self.loop.create_future()
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
            if not done.done():
                done.set_exception(ConnectionResetError("the fork server is gone"))
        self.waiting.clear()
        try:
            self.process.wait(2)
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
        self.leave: asyncio.TimerHandle | None = None
        self.calm = asyncio.Event()
        self.calm.set()
        self.used = parent.clock()
        self.end: End | None = None
        self.why = "died"
        """For the statistics: why it has ended, when it has."""

    async def start(self, server: ForkServer, environment: Mapping[str, str], cwd: str) -> None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self.pid, self.handle = await server.fork(theirs, environment, cwd)
        except BaseException:
            ours.close()
            raise
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)
        self.leave_after(self.parent.page_grace, "never connected")

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
        os.close(self.handle)
        self.ended()

    def ended(self) -> None:
        """The process is gone."""
        self.alive = False
        self.rest()
        self.stay()
        for page in list(self.pages):
            page.close(self.end or End.GONE)
        if self.executor is not None:
            self.executor.hang_up()
        self.parent.forget(self)

    # -- frames

    def received(self, frame: bytes) -> None:
        if frame.endswith(b'{"execution_state":"busy"}'):
            self.work()
        elif frame.endswith(b'{"execution_state":"idle"}'):
            self.execution_state = "idle"
            self.rest()
        self.hand_on(frame)

    def work(self) -> None:
        """It has begun with a message, and may take so long."""
        self.execution_state = "busy"
        self.rest()
        self.calm.clear()
        self.watch = asyncio.get_running_loop().call_later(self.parent.longest, self.kill)

    def hand_on(self, frame: bytes) -> None:
        """To whoever listens: the executor of its notebook, its pages."""
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
        self.calm.set()
        if self.watch is not None:
            self.watch.cancel()
            self.watch = None

    # -- coming and going

    def come(self, page: LightConnection) -> None:
        self.stay()
        self.use()
        self.pages.add(page)

    def go(self, page: LightConnection, *, left: bool) -> None:
        """A tab that was closed does not come back; one whose connection broke may, from a train's tunnel."""
        self.pages.discard(page)
        if self.alive and not self.pages:
            self.leave_after(self.parent.left_grace if left else self.parent.away_grace, "left" if left else "lost")

    def use(self) -> None:
        self.used = self.parent.clock()

    def stay(self) -> None:
        if self.leave is not None:
            self.leave.cancel()
            self.leave = None

    def leave_after(self, seconds: float, why: str) -> None:
        """End it then, unless somebody looks at it again. What it is working on, such as a last save, it finishes."""
        self.stay()
        self.leave = asyncio.get_running_loop().call_later(seconds, self.leave_now, why)

    def leave_now(self, why: str) -> None:
        if self.executor is not None or self.execution_state == "busy":
            self.leave_after(self.parent.left_grace, why)
        else:
            self.stop(why)

    async def part(self, end: End) -> None:
        """End it, and tell its pages why, after they have saved what they have."""
        if self.end is not None:
            return
        self.end = end
        saving = [page.save() for page in self.pages]
        if saving:
            await asyncio.wait(saving, timeout=SAVING)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.calm.wait(), 1 if self.executor is None else 0)
        for page in list(self.pages):
            page.close(end)
        self.stop(end.name.lower())

    def stop(self, why: str = "stopped") -> None:
        """End of file lets an idle process leave by itself; a busy one is killed."""
        if self.alive:
            self.why = why
            if self.execution_state == "busy":
                self.kill()
            self.transport.abort()


class LightKernelManager(Kernels):
    """Starts page processes by fork, and ends those that nobody looks at."""

    page_grace = Float(
        30, config=True, help="Seconds that a page's process waits for its page to connect for the first time."
    )
    left_grace = Float(3, config=True, help="Seconds that it outlives a tab that was closed: for the last save.")
    away_grace = Float(300, config=True, help="Seconds that it waits for a page whose connection broke.")
    idle = Float(12 * 3600, config=True, help="Seconds after which a page that nobody used rests.")
    longest = Float(30, config=True, help="Seconds that a page's process may work on one message.")
    modules = List(
        Unicode(),
        ["ipywidgets", "anywidget", "reviewkit.screens.page"],
        config=True,
        help="What is imported once, before the first fork.",
    )
    server: ForkServer | None = None
    sweeping: asyncio.TimerHandle | None = None
    clock = staticmethod(time.monotonic)
    """Counts seconds."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.parting: set[asyncio.Task[None]] = set()

    def warm_up(self) -> ForkServer:
        """The fork server, started where there is none. Live pages do not mind the death of an old one."""
        if self.server is not None and self.server.process.poll() is not None:
            self.server.close()
        if self.server is None or not self.server.alive:
            self.server = ForkServer(self.modules)
        if self.sweeping is None:
            self.sweeping = asyncio.get_running_loop().call_later(SWEEP, self.sweep)
        return self.server

    def sweep(self) -> None:
        """Pages that nobody used for long rest."""
        self.sweeping = asyncio.get_running_loop().call_later(SWEEP, self.sweep)
        for kernel in list(self.running.values()):
            if self.clock() - kernel.used > self.idle:
                self.part(kernel, End.RESTED)

    def part(self, kernel: LightKernel, end: End) -> None:
        """Let a page save, then end it; meanwhile others go on."""
        task = asyncio.get_running_loop().create_task(kernel.part(end))
        self.parting.add(task)
        task.add_done_callback(self.parting.discard)

    async def part_all(self, end: End) -> None:
        """All pages save and end. Those that are being made just now are finished first, for a moment."""
        making = [kernel for kernel in self.running.values() if kernel.executor is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISHING):
                while any(kernel.executor is not None and kernel.alive for kernel in making):
                    await asyncio.sleep(0.02)
        await asyncio.gather(*(kernel.part(end) for kernel in self.running.values()), *self.parting)

    async def start_kernel(
        self,
        *,
        kernel_name: str | None = None,
        path: str | None = None,
        env: Mapping[str, str] | None = None,
        kernel_id: str | None = None,
        **_: Any,
    ) -> str:
        """The id of a new page's process. Raises NoMore when the system has no room for it."""
        kernel = LightKernel(self, kernel_id or str(uuid.uuid4()), kernel_name)
        cwd = self.cwd_for_path(path or "")
        try:
            await kernel.start(self.warm_up(), env or {}, cwd)
        except OSError:  # it has died just now: once more, with a new one
            try:
                await kernel.start(self.warm_up(), env or {}, cwd)
            except OSError as error:
                raise NoMore(error.strerror or "no fork server") from error
        self.enter(kernel.kernel_id, kernel)
        return kernel.kernel_id

    def forget(self, kernel: LightKernel) -> None:
        self.leave(kernel.kernel_id)

    def close(self) -> None:
        """End all pages and the fork server, at once."""
        if self.sweeping is not None:
            self.sweeping.cancel()
            self.sweeping = None
        for task in self.parting:
            task.cancel()
        for kernel in list(self.running.values()):
            kernel.stop()
        if self.server is not None:
            self.server.close()
