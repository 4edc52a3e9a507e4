"""The page server: sign-in, pages, websockets. `serve` is all that others call."""

import sys
import time
from collections.abc import Callable
from pathlib import Path


def serve(
    course_file: Path,
    *,
    port: int,
    host: str = "127.0.0.1",
    ready: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Serve a course's pages until SIGTERM or SIGINT; nothing of it is left running afterwards.

    Starts the course service and keeps it alive. `ready(url)` is called when pages answer; without it the address is
    printed. `clock` says when sign-ins end. Port 0 takes a free one. Raises ConfigError when the course's files or the
    address cannot be used.
    """
    # jsonschema, which reads our own notebooks, would build a grammar of web addresses with this one: 1.5 s a start.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # the documented way to say that it is not there
    from reviewkit.server.app import run  # pages' processes import this package too, and need nothing of it

    def say(url: str) -> None:
        print(f"Pages: {url}  (Ctrl-C stops)", flush=True)

    run(course_file, port=port, host=host, ready=ready or say, clock=clock)
