"""A page's standing question to the course service: tell me when my view is another one. Standard library only.

It never blocks: whoever watches the socket calls `wake`. While the question stands there is no time at which to look
again: an idle page never wakes up. That the service is gone, the end of the line tells. Then it is asked again, ever
more patiently, and each page waits a little differently long so that they do not all come back at once.
"""

import json
import math
import random
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

PAUSE = 0.2
"""Seconds between an answer and the next question."""
REFUSED = 60.0
"""Seconds until somebody is asked again who has refused."""
SLOWEST = 30.0
LARGEST = 8 << 20
MARK = "reviewkit-mark"
"""The header with the word that stands for a view, in small letters."""


class Page(Protocol):
    """Whose view it is about: what to ask, and whom to tell."""

    socket_path: str
    token: str

    def known(self) -> Mapping[str, Any]: ...
    def fresh(self, view: dict[str, Any], mark: str) -> None: ...


class Changes:
    """One question at a time. A `Source` of `reviewkit.waiting`."""

    def __init__(self, page: Page, refused: Callable[[str], None]) -> None:
        self.page, self.refused = page, refused
        self.line: socket.socket | None = None
        self.got, self.failures, self.told = bytearray(), 0, ""
        self.due = time.monotonic() + 0.5 + random.random()  # noqa: S311 -- not for secrets

    def fileno(self) -> int:
        return -1 if self.line is None else self.line.fileno()

    def again(self, pause: float = PAUSE) -> None:
        """What was asked is out of date: ask anew."""
        if self.line is not None:
            self.line.close()
        self.line, self.got = None, bytearray()
        self.due = time.monotonic() + pause

    def wake(self) -> None:
        try:
            if self.line is None:
                self._ask()
            else:
                self._receive(self.line)
        except (OSError, ValueError, KeyError, IndexError):
            self._fail()

    def _fail(self) -> None:
        self.failures += 1
        self.again(min(SLOWEST, 0.25 * 2 ** min(self.failures, 10)) * (0.5 + random.random()))  # noqa: S311 -- the same

    def _ask(self) -> None:
        self.line = socket.socket(socket.AF_UNIX)
        self.line.setblocking(False)
        self.line.connect(self.page.socket_path)
        body = json.dumps(self.page.known()).encode()
        head = (
            "POST /changes HTTP/1.1\r\nHost: course\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.page.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.line.sendall(head.encode() + body)
        self.due = math.inf

    def _receive(self, line: socket.socket) -> None:
        with suppress(BlockingIOError):
            while chunk := line.recv(1 << 18):
                self.got += chunk
                if len(self.got) > LARGEST:
                    raise ValueError("no view is as long as that")
            self._answered()

    def _answered(self) -> None:
        """The whole answer is here: with `Connection: close` it ends where the line does."""
        head, _, body = bytes(self.got).partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        status, said = int(first.split()[1]), json.loads(body)
        if status in (403, 404, 410):
            self.again(REFUSED)
            self._refuse(str(said["error"]["message"]))
            return
        if status != 200:
            self._fail()
            return
        self.failures, self.told = 0, ""
        self.again()
        if isinstance(said.get("view"), dict):
            self.page.fresh(said["view"], headers.get(MARK, ""))

    def _refuse(self, message: str) -> None:
        if message != self.told:
            self.told = message
            self.refused(message)
