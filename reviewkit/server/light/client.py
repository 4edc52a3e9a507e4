"""What Voila's executor asks of a kernel while it executes the notebook of a page."""

import asyncio
import itertools
import uuid
from queue import Empty
from typing import TYPE_CHECKING, Any

from reviewkit.server.light import frames

if TYPE_CHECKING:
    from reviewkit.server.light.manager import LightKernel


class LightClient:
    """As much of a kernel client as it uses."""

    allow_stdin = False

    def __init__(self, kernel: "LightKernel") -> None:
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
