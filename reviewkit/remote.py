"""The course as a page has it: at the other end of a socket, as the person who opened the page.

Standard library only, so that a page's process stays small.
"""

import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from reviewkit import waiting
from reviewkit.changes import Changes
from reviewkit.errors import Conflict, Ended, Invalid, Missing, NotAllowed, ReviewkitError, ServiceError, TooOften

PATIENCE = 3.0
"""Seconds to keep knocking while the course service is being started again."""
ANSWER = 15.0
"""Seconds to wait for an answer."""
LARGEST = 8 << 20
"""Bytes of one answer."""
MARK = "Reviewkit-Mark"
"""The header with the word that stands for a view."""
AWAY = "The course cannot be reached just now. Nothing that was saved is lost. Try again in a moment."
KINDS: dict[str, type[ReviewkitError]] = {
    kind.__name__: kind for kind in (NotAllowed, Conflict, Ended, Missing, Invalid)
}


class RemoteCourse:
    """What a page may ask of the course: a view, and to do what an event says.

    Raises NotAllowed, Invalid, Conflict or Missing as the course does, and ServiceError when it cannot be reached.
    """

    def __init__(self, socket_path: str, token: str) -> None:
        self.socket_path, self.token = socket_path, token
        self._screen, self._params, self._mark = "", dict[str, Any](), ""
        self._changes: Changes | None = None
        self._tell: Callable[[dict[str, Any]], None] = lambda _: None

    @classmethod
    def from_environment(cls) -> "RemoteCourse":
        return cls(os.environ["REVIEWKIT_SOCKET"], os.environ["REVIEWKIT_TOKEN"])

    def view(self, screen: str, params: Mapping[str, Any]) -> dict[str, Any]:
        view = self._ask("/view", {"screen": screen, "params": params})
        self._shown(screen, view)
        return view

    def act(self, screen: str, event: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._ask("/act", {"screen": screen, "event": event})
        if isinstance(reply.get("view"), dict):
            self._shown(screen, reply["view"])
        return reply

    def follow(self, tell: Callable[[dict[str, Any]], None], refused: Callable[[str], None]) -> waiting.Source:
        """Have `tell` called with every other view that the shown one becomes, and `refused` when it may no longer be
        seen. Happens where something serves `reviewkit.waiting`."""
        self._tell, self._changes = tell, Changes(self, refused)
        waiting.add(self._changes)
        return self._changes

    def known(self) -> dict[str, Any]:
        return {"screen": self._screen, "params": self._params, "known": self._mark}

    def fresh(self, view: dict[str, Any], mark: str) -> None:
        self._params, self._mark = view.get("params", {}), mark
        self._tell(view)

    def _shown(self, screen: str, view: dict[str, Any]) -> None:
        self._screen, self._params = screen, view.get("params", {})
        if self._changes is not None:
            self._changes.again()
            waiting.touched()

    def _ask(self, address: str, said: Mapping[str, Any]) -> dict[str, Any]:
        try:
            body = json.dumps(said, allow_nan=False).encode()
        except (ValueError, RecursionError) as error:
            raise Invalid("The page sent something that cannot be read.") from error
        try:
            connection = self._connect()
            try:
                headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
                connection.request("POST", address, body, headers)
                response = connection.getresponse()
                told = json.loads(response.read(LARGEST))
                self._mark = response.headers.get(MARK) or self._mark
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServiceError(AWAY) from error
        if response.status != 200:
            raise refusal(told)
        answer: dict[str, Any] = told
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        """Knock until somebody opens. Raises OSError when nobody does in time."""
        until = time.monotonic() + PATIENCE
        while True:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(ANSWER)
            try:
                line.connect(self.socket_path)
            except OSError:
                line.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
                continue
            connection = http.client.HTTPConnection("course")
            connection.sock = line
            return connection


def refusal(told: Mapping[str, Any]) -> ReviewkitError:
    """The error that an answer tells of, as the class that it was raised as."""
    error = told.get("error")
    error = error if isinstance(error, dict) else {}
    kind = KINDS.get(error.get("kind", ""), ServiceError)
    message = str(error.get("message") or AWAY)
    if error.get("kind") == TooOften.__name__:
        return TooOften(message, seconds=float(error.get("seconds") or 1))
    return Invalid(message, field=error.get("field")) if kind is Invalid else kind(message)
