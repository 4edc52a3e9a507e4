"""Inside a worker process: documents come in, what they say goes out, and nothing takes more than it is given."""

import math
import select
import socket
import struct
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import msgspec

from reviewkit.errors import FeedError
from reviewkit.feeds.article import main_text
from reviewkit.feeds.drawing import NoPicture, remade
from reviewkit.feeds.parse import parse
from reviewkit.feeds.tasks import IDLE, MEMORY, SECONDS, Article, Done, Task

_NO_PICTURE = "This is not a picture that can be copied."
_TOO_BIG = "Your feed takes more memory to read than a feed may; let it show fewer posts."


def work(parent: socket.socket) -> None:
    """Answer tasks until the parent is gone or has had none for a while."""
    limit_memory()
    task_of = msgspec.msgpack.Decoder(Task)
    _send(parent, b"")  # ready
    while select.select([parent], [], [], IDLE)[0]:
        message = _received(parent)
        if message is None:
            return
        _limit_time()
        _send(parent, msgspec.msgpack.encode(done(task_of.decode(message))))


def done(task: Task) -> Done:
    """Read one document; whatever it does to our code is told, not raised."""
    try:
        if task.article:
            page = main_text(task.body, task.url)
            return Done(article=Article(html=page.html, text=page.text) if page else Article())
        if task.picture:
            return Done(picture=remade(task.body))
        known = {item.mark: item for item in task.known if item.mark}
        wanted = None if task.wanted is None else frozenset(task.wanted)
        found = parse(task.body, url=task.url, content_type=task.content_type, known=known, wanted=wanted)
        return Done(parsed=found)
    except FeedError as error:
        return Done(words=str(error), wrong=error.wrong)
    except NoPicture:
        return Done(words=_NO_PICTURE, wrong=True)
    except (MemoryError, RecursionError):
        return Done(words=_TOO_BIG)
    except Exception as error:  # noqa: BLE001 - the parent logs the place; the words may be a stranger's
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Done(bug=f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}")


def limit_memory(most: int = MEMORY) -> None:
    """Let this process have `most` bytes in memory in all, where the system can hold it to that (Linux)."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        virtual, resident = (int(each) for each in Path("/proc/self/statm").read_text().split()[:2])
        page = resource.getpagesize()
        # What is not in memory now but mapped already (libraries) does not count; what is asked for anew does.
        room = max(most - resident * page, 32 * 1024 * 1024)
        resource.setrlimit(resource.RLIMIT_AS, (virtual * page + room,) * 2)


def _limit_time() -> None:
    """Give the next task its seconds of processor time: should the parent be gone, nobody else stops it."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = math.ceil(used.ru_utime + used.ru_stime + SECONDS) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _send(parent: socket.socket, message: bytes) -> None:
    try:
        parent.sendall(struct.pack("!I", len(message)) + message)
    except OSError:
        sys.exit(0)  # nobody is there to hear it


def _received(parent: socket.socket) -> bytes | None:
    head = _exactly(parent, 4)
    return _exactly(parent, struct.unpack("!I", head)[0]) if head else None


def _exactly(parent: socket.socket, size: int) -> bytes | None:
    found = bytearray()
    while len(found) < size:
        try:
            chunk = parent.recv(min(size - len(found), 1 << 20))
        except OSError:
            return None
        if not chunk:
            return None
        found += chunk
    return bytes(found)


if __name__ == "__main__":
    work(socket.socket(fileno=0))
