"""Running a pull from code that waits for it."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

Found = TypeVar("Found")


def run(work: Coroutine[Any, Any, Found]) -> Found:
    """What the work gives, done in a thread of its own: in JupyterLab the caller's thread runs a loop already.

    Whatever interrupts the caller meanwhile (Ctrl-C, an exit) cancels the work, and goes on when that has ended.
    """
    begun = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def whole() -> Found:
        task = asyncio.current_task()
        assert task, "a loop runs tasks"
        running.append((asyncio.get_running_loop(), task))
        begun.set()
        return await work

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pull") as elsewhere:
        done = elsewhere.submit(asyncio.run, whole())
        try:
            return done.result()
        finally:
            if not done.done():
                begun.wait()
                loop, task = running[0]
                with suppress(RuntimeError):  # it has just ended by itself
                    loop.call_soon_threadsafe(task.cancel)
