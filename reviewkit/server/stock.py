"""Pages on the stock kernel: ipykernel in a process of its own for each, where fork is not to be had or where a
setting asks for it. To everybody else such a process is what a forked one is: `LightKernel` says what that means.

What differs is how it is reached. The frames of a page become zmq's signed messages and back; no byte of a content is
written anew. Its sockets are files in a folder that is open to the server alone, not ports that anybody on this machine
could listen to; ipykernel keeps one port on loopback for what subprocesses print, which tells nothing and takes nothing
without its own secret. A kernel starts in half a second and takes some 60 MB.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import logging
import os
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq
from tornado import web
from zmq.eventloop.zmqstream import ZMQStream

from reviewkit.server.light import frames
from reviewkit.server.light.connection import UNREAD
from reviewkit.server.light.manager import KEPT_ENVIRONMENT, LightKernel, LightKernelManager, NoMore

LOG = logging.getLogger(__name__)
START = 60.0
"""Seconds that a kernel may take to start on a busy machine."""
LOOK = 0.02
"""Seconds between two looks whether a starting kernel is there."""
ASK = 0.1
"""Seconds between two questions to it, until one is answered."""
DELIMITER = b"<IDS|MSG>"
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


class StockKernel(LightKernel):
    """One page's process, at the other end of two zmq sockets."""

    parent: "StockKernelManager"
    process: "subprocess.Popen[bytes] | None" = None

    def __init__(self, parent: "StockKernelManager", kernel_id: str, kernel_name: str | None) -> None:
        super().__init__(parent, kernel_id, kernel_name)
        assert parent.folder is not None
        self.folder = parent.folder / f"k{next(parent.numbers)}"
        self.key, self.session, self.ids = secrets.token_hex(32).encode(), uuid.uuid4().hex, itertools.count()
        self.ready, self.over = asyncio.Event(), asyncio.Event()
        self.streams: list[ZMQStream] = []
        self.asked = set[str]()
        """Our own questions whether it is there."""
        self.unanswered: deque[tuple[str, int]] = deque()
        """Messages that it has been sent and has not finished with, in their order: id and bytes."""

    @property
    def pid(self) -> int:  # type: ignore[override]  # of a process that there may not be yet
        assert self.process is not None
        return self.process.pid

    async def begin(self, environment: Mapping[str, str], cwd: str) -> None:
        """Start the process; it answers when this returns. Raises ConnectionError when it ends before, or has to."""
        if not self.alive:
            raise ConnectionAbortedError("the page was ended before its process was started")
        self.folder.mkdir(0o700)
        connection = {f"{channel}_port": number for number, channel in enumerate(CHANNELS, 1)}
        told = {"transport": "ipc", "ip": str(self.folder / "s"), "key": self.key.decode(), **connection}
        file = self.folder / "c.json"
        file.touch(0o600)
        file.write_text(json.dumps({**told, "signature_scheme": "hmac-sha256"}), "utf-8")
        self.process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "reviewkit.server.stock_page", str(file)],
            stdin=subprocess.PIPE,  # at their ends each hears of the other's
            stdout=subprocess.PIPE,
            env=self.surroundings(environment),
            cwd=cwd,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        asyncio.get_running_loop().add_reader(self.process.stdout, self.heard)
        try:
            async with asyncio.timeout(START):
                await self.connect()
        except TimeoutError:
            self.kill()
        if not self.alive or not self.ready.is_set():
            raise ConnectionAbortedError("the page's process ended before it was ready")
        self.leave_after(self.parent.page_grace, "never connected")

    def surroundings(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment of the process: what a page is given, and nothing of the server's."""
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        own = dict.fromkeys(("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"), str(self.folder / "ipython"))
        own |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "PYDEVD_DISABLE_FILE_VALIDATION"), "1")
        return {**kept, **own, **environment}

    async def connect(self) -> None:
        """Until it answers on both lines: what it says before somebody listens is lost."""
        places = {channel: self.folder / f"s-{number}" for number, channel in enumerate(CHANNELS, 1)}
        while self.alive and not places["hb"].exists():
            await asyncio.sleep(LOOK)
        for kind, channel in ((zmq.DEALER, "shell"), (zmq.SUB, "iopub")):
            if not self.alive:
                return
            assert self.parent.context is not None
            line = self.parent.context.socket(kind)
            line.linger = 0
            if kind == zmq.SUB:
                line.subscribe(b"")
            line.connect(f"ipc://{places[channel]}")
            stream = ZMQStream(line)
            stream.on_recv(self.told_iopub if channel == "iopub" else self.told_shell)
            self.streams.append(stream)
        while self.alive and not self.ready.is_set():
            self.asked.add(asked := uuid.uuid4().hex)
            self.post({"msg_id": asked, "msg_type": "kernel_info_request"}, b"{}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ready.wait(), ASK)

    # -- from the process

    def heard(self) -> None:
        """It says nothing here: there is something to read when it has ended."""
        assert self.process is not None
        assert self.process.stdout is not None
        if not os.read(self.process.stdout.fileno(), 1 << 16):
            self.hang_up()

    def told_shell(self, parts: list[bytes]) -> None:
        self.told("shell", parts)

    def told_iopub(self, parts: list[bytes]) -> None:
        self.told("iopub", parts)

    def told(self, channel: str, parts: list[bytes]) -> None:
        start = parts.index(DELIMITER) + 2
        told = parts[start:]
        if not hmac.compare_digest(parts[start - 1], self.signature(told[:4])):
            return
        about = json.loads(told[1]).get("msg_id")
        if channel == "shell" and about in self.asked:
            return
        if channel == "iopub" and json.loads(told[0])["msg_type"] == "status":
            self.now(json.loads(told[3])["execution_state"], about)
        self.hand_on(frames.join([channel.encode(), *told]))

    def now(self, state: str, message: str | None) -> None:
        """It begins with a message or has finished with one; after the last one it rests."""
        self.ready.set()
        if state != "idle" or message not in [each for each, _ in self.unanswered]:
            return
        while self.unanswered.popleft()[0] != message:
            pass
        if self.unanswered:
            self.work()
        else:
            self.execution_state = "idle"
            self.rest()

    # -- to the process

    def send(self, frame: bytes) -> None:
        """Whole messages only. A process that does not finish with one in time is ended, and so is one that lets
        megabytes wait."""
        try:
            _, message = frames.unpack(frame)
            header = {name: message["header"].get(name, "") for name in ("msg_id", "msg_type", "session", "username")}
            if not all(isinstance(each, str) for each in header.values()):
                raise ValueError("the parts of a header are words")
        except (ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
            LOG.warning("A message that cannot be read was dropped (%s)", type(error).__name__)
            return
        if not self.alive or not self.streams:
            return
        self.unanswered.append((header["msg_id"], len(frame)))
        if sum(size for _, size in self.unanswered) > UNREAD:
            self.kill()
            return
        if self.watch is None:
            self.work()
        self.post(header, frames.part(frame, 4), message["buffers"])

    def post(self, header: dict[str, Any], content: bytes, buffers: Any = ()) -> None:
        told = {"session": self.session, "username": "", "version": "5.3", **header}
        # A number, because ipykernel takes no message twice, and two of a page may be alike.
        parts = [json.dumps(each).encode() for each in (told, {}, {"number": next(self.ids)})]
        parts.append(content)
        with suppress(zmq.ZMQError):  # of a process that has just ended
            self.streams[0].send_multipart([DELIMITER, self.signature(parts), *parts, *map(bytes, buffers)])

    def signature(self, parts: list[bytes]) -> bytes:
        return hmac.new(self.key, b"".join(parts), hashlib.sha256).hexdigest().encode()

    # -- its end

    def signal(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def stop(self, why: str = "stopped") -> None:
        """What it was working on is lost; whoever wants it finished waits before."""
        if self.alive:
            self.why = why
            if self.process is None:
                self.ended()
            else:
                self.kill()

    def hang_up(self) -> None:
        """See the process off, and all that was used with it."""
        if self.over.is_set():
            return
        self.over.set()
        for stream in self.streams:
            stream.close(linger=0)
        if self.process is not None:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            asyncio.get_running_loop().remove_reader(self.process.stdout)
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.alive:
            self.ended()


class StockKernelManager(LightKernelManager):
    """Starts page processes as others start kernels, a few at a time, and ends them as light ones are."""

    folder: Path | None = None
    """For the sockets of its pages: open to this server alone, with a short path. Made where nobody gives one."""
    own: Path | None = None
    context: "zmq.Context[zmq.Socket[bytes]] | None" = None

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.numbers = itertools.count()
        self.gate = asyncio.Semaphore(os.cpu_count() or 1)
        """Kernels that start at the same time: each keeps a processor busy, and more only make all of them late."""

    def warm_up(self) -> None:  # type: ignore[override]  # there is no fork server
        """What all pages need. Kernels are started when somebody comes."""
        if self.context is None:
            self.context = zmq.Context()
            self.context.set(zmq.MAX_SOCKETS, 16_384)
        if self.folder is None:
            self.folder = self.own = Path(tempfile.mkdtemp(prefix="reviewkit-", dir="/tmp"))
        if self.sweeping is None:
            self.sweep()

    async def start_kernel(
        self,
        *,
        kernel_name: str | None = None,
        path: str | None = None,
        env: Mapping[str, str] | None = None,
        kernel_id: str | None = None,
        **_: Any,
    ) -> str:
        """The id of a new page's process. Raises HTTPError 503 when it is ended while it starts, NoMore when the system
        has no room for it."""
        self.warm_up()
        kernel = StockKernel(self, kernel_id or str(uuid.uuid4()), kernel_name)
        self.enter(kernel.kernel_id, kernel)  # from here on it counts, and can be ended
        try:
            async with self.gate:
                await kernel.begin(env or {}, self.cwd_for_path(path or ""))
        except ConnectionAbortedError as error:
            kernel.hang_up()
            raise web.HTTPError(503) from error
        except OSError as error:
            kernel.hang_up()
            raise NoMore(error.strerror or "no process") from error
        except BaseException:
            kernel.hang_up()
            raise
        return kernel.kernel_id

    def close(self) -> None:
        """End all pages, at once."""
        kernels = list(self.running.values())
        super().close()
        for kernel in kernels:
            kernel.hang_up()
        if self.context is not None:
            self.context.destroy(linger=0)
            self.context = None
        if self.own is not None:
            shutil.rmtree(self.own, ignore_errors=True)
            self.folder = self.own = None
