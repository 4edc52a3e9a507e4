"""The demo's web server for blogs, in a process of its own that ends with the demo, however the demo ends.

The server stands at an instant that the demo moves while it tells the course's history; afterwards it goes with the
real clock. It is told over its standard input, a line for each instant, and ends when that input does.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from reviewkit.demo.blogs import Document, documents
from reviewkit.errors import ConfigError

LIVE = "live"
_TAKEN = "taken"
_NOTHING = Document("text/plain; charset=utf-8", b"There is no such page.\n")


class Blogs:
    """The running server, as the demo holds it."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process = process
        self.port = port
        self.base = f"http://127.0.0.1:{port}"

    def stand_at(self, now: datetime) -> None:
        """Show what had been published by then; returns when the server does."""
        self._say(now.isoformat())

    def go_live(self) -> None:
        """From here on, show what has been published by the real clock."""
        self._say(LIVE)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError as error:
            raise ConfigError("The demo's blogs have stopped. Stop the demo and start it again.") from error
        if not answer:
            raise ConfigError("The demo's blogs have stopped. Stop the demo and start it again.")


@contextmanager
def hosted(origin: date, port: int = 0) -> Iterator[Blogs]:
    """Serve the blogs on loopback, on `port` or (0) any that is free. Raises ConfigError when the port is taken."""
    process = subprocess.Popen(  # noqa: S603 (this interpreter, and arguments of our own)
        [sys.executable, "-c", f"from {__name__} import main; main()", origin.isoformat(), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends its blogs in good order
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        answer = process.stdout.readline().strip()
        if not answer.isdigit():
            raise ConfigError(
                f"Port {port}, where the blogs of this demo live, is used by another program. "
                "Stop that program, or start a new demo without --dir."
            )
        yield Blogs(process, int(answer))
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], origin: date) -> None:
        super().__init__(address, _Handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.origin = origin
        self.now: datetime | None = None
        self._lock = threading.Lock()
        self._drawn: tuple[datetime, dict[str, Document]] | None = None

    def document(self, path: str) -> Document | None:
        """Drawn anew for every instant, or every minute of the real clock."""
        now = self.now or datetime.now(UTC).replace(second=0, microsecond=0)
        with self._lock:
            if self._drawn is None or self._drawn[0] != now:
                self._drawn = now, documents(self.base, self.origin, now)
            return self._drawn[1].get(path)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that breaks off (a pull that is stopped) is no bug; anything else stays a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "blogs"
    sys_version = ""
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        document = self.server.document(urlsplit(self.path).path)
        if document is None:
            return self._answer(
                HTTPStatus.NOT_FOUND, Document("text/plain; charset=utf-8", b"There is no such page.\n")
            )
        known = {each.strip().removeprefix("W/") for each in self.headers.get("If-None-Match", "").split(",")}
        status = HTTPStatus.NOT_MODIFIED if document.etag in known else HTTPStatus.OK
        return self._answer(status, document)

    do_HEAD = do_GET  # noqa: N815 (the base class calls it by this name)

    def _answer(self, status: HTTPStatus, document: Document) -> None:
        self.send_response(status)
        if status != HTTPStatus.NOT_FOUND:
            self.send_header("ETag", document.etag)
            self.send_header("Cache-Control", "no-cache")
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", document.type)
            self.send_header("Content-Length", str(len(document.body)))
        self.end_headers()
        if status != HTTPStatus.NOT_MODIFIED and self.command == "GET":
            self.wfile.write(document.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Blogs are no news."""


def main() -> None:
    """The process: `ORIGIN PORT`; prints its port, then a line for each instant that it was told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    origin, port = date.fromisoformat(sys.argv[1]), int(sys.argv[2])
    try:
        server = _Server(("127.0.0.1", port), origin)
    except OSError:
        print(_TAKEN, flush=True)
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for line in sys.stdin:
        told = line.strip()
        server.now = None if told == LIVE else datetime.fromisoformat(told)
        print("shown", flush=True)
    # The demo is gone: whatever a reader still downloads from an invented blog may break off.
    os._exit(0)
