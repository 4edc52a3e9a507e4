"""Strangers' documents are read in processes of their own, that may be killed: one hostile document costs only itself.

A worker is started when it is first needed and used again; it is killed at its deadline, cannot take more memory or
processor time than it is given, knows no secret, and ends with its parent or when nobody has needed it for a while.
What runs in it is `reading`; the socket between the two is its standard input. A message is its length in four
bytes, then msgpack.
"""

import asyncio
import atexit
import os
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from reviewkit.errors import FeedError
from reviewkit.feeds.document import Parsed
from reviewkit.feeds.tasks import SECONDS, Article, Done, Task
from reviewkit.listing import Listed
from reviewkit.pictures import Picture

PLACES = 2
"""Workers that read at a time."""
SLOW = 2.0
"""Seconds after which a document gives its place to others and goes on beside them, while that is possible."""
SLOW_PLACES = 4
LONGEST = 64 * 1024 * 1024
"""Bytes of a message."""
_START = 60.0


class Workers:
    """Reads documents in worker processes. Use it as `async with`; any number may be used beside each other."""

    def __init__(self, *, seconds: float = SECONDS, places: int = PLACES, slow_after: float = SLOW) -> None:
        self._seconds = seconds
        self._slow_after = slow_after
        self._places = asyncio.Semaphore(places)
        self._slow = asyncio.Semaphore(SLOW_PLACES)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Workers without work stay for the next pull; those at work have ended with what they were working for."""

    async def parse(
        self,
        body: bytes,
        *,
        url: str,
        content_type: str = "",
        known: Iterable[Listed] = (),
        wanted: Iterable[str] | None = None,
    ) -> Parsed:
        """What `parse.parse` says. Raises FeedError, also for a document that takes too long or too much memory."""
        tags = None if wanted is None else tuple(wanted)
        done = await self._done(Task(body=body, url=url, content_type=content_type, known=tuple(known), wanted=tags))
        if done.parsed is None:
            raise FeedError(done.words or _TOO_MUCH, url=url, wrong=done.wrong)
        return done.parsed

    async def main_text(self, body: bytes, *, url: str) -> Article:
        """The main text of an article's page; raises FeedError for a page that cannot be read."""
        done = await self._done(Task(body=body, url=url, article=True))
        if done.article is None:
            raise FeedError(done.words or _TOO_MUCH, url=url)
        return done.article

    async def picture(self, body: bytes, *, url: str) -> Picture:
        """A picture made anew; raises FeedError for what is none, or takes too much."""
        done = await self._done(Task(body=body, url=url, picture=True))
        if done.picture is None:
            raise FeedError(done.words or _TOO_MUCH, url=url, wrong=True)
        return done.picture

    async def _done(self, task: Task) -> Done:
        await self._places.acquire()
        place = self._places
        begun = asyncio.Event()  # starting a worker is no fault of the document's
        work = asyncio.create_task(self._worked(task, begun))
        waiting = asyncio.create_task(begun.wait())
        try:
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({work}, timeout=self._slow_after)
            if not work.done() and not self._slow.locked():
                await self._slow.acquire()
                place.release()
                place = self._slow
            done = await work
        finally:
            waiting.cancel()
            work.cancel()  # without effect where it is done
            place.release()
        if done.bug:
            raise RuntimeError(f"reading a document failed: {done.bug}")
        return done

    async def _worked(self, task: Task, begun: asyncio.Event) -> Done:
        message = msgspec.msgpack.encode(task)
        while True:
            worker = await _Worker.ready()
            begun.set()
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await worker.ask(message)
                done = msgspec.msgpack.decode(answer, type=Done)
            except TimeoutError:
                worker.kill()
                raise FeedError(_TOO_SLOW, url=task.url) from None
            except BaseException as error:
                ended_by_itself = worker.kill() == 0
                if isinstance(error, _Ended) and ended_by_itself:
                    continue  # it had just ended for want of work
                if isinstance(error, _Ended | msgspec.MsgspecError | OSError):
                    raise FeedError(_TOO_MUCH, url=task.url) from None
                raise
            _idle.append(worker)
            return done


_TOO_SLOW = "Your feed takes too long to read; let it show fewer posts."
_TOO_MUCH = "Your feed takes more memory to read than a feed may; let it show fewer posts."


class _Ended(Exception):
    """The worker's end of the socket is closed."""


class _Worker:
    """A worker process as its parent sees it; whose turn it is, is for the caller to say."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-P", "-m", "reviewkit.feeds.reading"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what libraries say there may quote what people wrote
                env={"PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[2]), *filter(None, sys.path)))},
                cwd="/" if os.name == "posix" else None,
            )
        finally:
            theirs.close()
        ours.setblocking(False)
        self._socket = ours

    @classmethod
    async def ready(cls) -> Self:
        """One that waits for work, else a new one. Raises FeedError when none can be started."""
        while _idle:
            with suppress(IndexError):
                worker = _idle.popleft()
                if worker._process.poll() is None:
                    return worker  # type: ignore[return-value]  # there are no subclasses
                worker.kill()
        new = cls()
        try:
            async with asyncio.timeout(_START):
                await new._answer()
        except BaseException as error:
            new.kill()
            if isinstance(error, _Ended | TimeoutError | OSError):
                raise RuntimeError("a process to read feeds in could not be started") from error
            raise
        return new

    async def ask(self, message: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self._socket, struct.pack("!I", len(message)) + message)
        except OSError as error:
            raise _Ended from error
        return await self._answer()

    async def _answer(self) -> bytes:
        (size,) = struct.unpack("!I", await self._exactly(4))
        if size > LONGEST:
            raise _Ended
        return await self._exactly(size)

    async def _exactly(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        found = bytearray()
        while len(found) < size:
            try:
                chunk = await loop.sock_recv(self._socket, min(size - len(found), 1 << 20))
            except OSError as error:
                raise _Ended from error
            if not chunk:
                raise _Ended
            found += chunk
        return bytes(found)

    def kill(self) -> int:
        """End it now; gives its exit code (0: it had ended by itself)."""
        self._socket.close()
        with suppress(subprocess.TimeoutExpired):
            # One that has closed its end by itself is about to be gone.
            return self._process.wait(0.01)
        self._process.kill()
        return self._process.wait()


_idle: deque[_Worker] = deque()


def end_idle() -> None:
    """End the workers that wait for work; new ones are started when there is some."""
    while _idle:
        with suppress(IndexError):
            _idle.popleft().kill()


atexit.register(end_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's
