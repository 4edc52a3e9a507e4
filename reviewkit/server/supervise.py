"""The course service as a child of the page server: started first, started again when it dies, stopped with it."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from reviewkit.errors import ConfigError, ServiceError

LOG = logging.getLogger(__name__)
START = 60.0
"""Seconds that the first start may take: a database may have to be migrated."""
STOP = 8.0
SLOWEST = 30.0
STEADY = 10.0
"""A service that lived this long has had its start; the next one is tried at once."""


class CourseService:
    """Keeps one course service running while `watch` runs."""

    def __init__(self, course_file: Path, socket_path: Path, *, restarted: Callable[[], None] = lambda: None) -> None:
        self.course_file, self.socket_path, self.restarted = course_file, socket_path, restarted
        self.process: asyncio.subprocess.Process | None = None
        self.stopping = False

    async def start(self) -> None:
        """Start it and wait until it answers. Raises ConfigError with its own sentence when it cannot."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "reviewkit.service",
            str(self.course_file),
            str(self.socket_path),
            stdin=asyncio.subprocess.PIPE,  # its end tells the service that we are gone, however we went
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), START)
            told = json.loads(line or b"{}")
        except (TimeoutError, ValueError):
            told = {}
        if "error" in told:
            await self.process.wait()
            raise ConfigError(told["error"])
        if not told.get("ready"):
            await self._end(STOP)
            raise ServiceError("The course service could not be started: its log above says why.")

    async def watch(self) -> None:
        """Start it again whenever it ends, at once at first, then more and more slowly."""
        loop, pause = asyncio.get_running_loop(), 0.0
        while True:
            assert self.process is not None
            began = loop.time()
            code = await self.process.wait()
            if self.stopping:
                return
            LOG.warning("The course service ended (%s) and is started again; pages go on", code)
            pause = 0.0 if loop.time() - began > STEADY else min(SLOWEST, 2 * pause + 0.1)
            await asyncio.sleep(pause)
            self.restarted()
            try:
                await self.start()
            except (ConfigError, ServiceError) as error:
                LOG.error("%s", error)
            except OSError as error:  # the system has no room for a process just now
                LOG.error("The course service could not be started: %s", error.strerror)

    async def stop(self, within: float = STOP) -> None:
        """End it gently, so that it answers what it was asked, then for certain."""
        self.stopping = True
        await self._end(within)

    async def _end(self, within: float) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
