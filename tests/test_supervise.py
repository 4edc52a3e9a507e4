"""The course service as the page server's child: whatever ends it, or keeps it from starting, it comes back."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from reviewkit.server import supervise
from reviewkit.server.supervise import CourseService
from tests.serving import a_course_folder, awaited


def test_a_service_that_the_system_has_no_room_for_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = CourseService(a_course_folder(tmp_path / "course"), tmp_path / "socket")
    start, full = asyncio.create_subprocess_exec, 2

    async def crowded(*words: Any, **how: Any) -> Any:
        nonlocal full
        if full:
            full -= 1
            raise OSError(11, "Resource temporarily unavailable")
        return await start(*words, **how)

    async def whole() -> None:
        await service.start()
        assert service.process is not None
        first = service.process.pid
        monkeypatch.setattr(supervise.asyncio, "create_subprocess_exec", crowded)
        watching = asyncio.create_task(service.watch())
        try:
            os.kill(first, signal.SIGKILL)
            async with asyncio.timeout(30):
                while full or service.process.pid == first or not service.socket_path.exists():
                    await asyncio.sleep(0.02)
                    assert not watching.done(), "it goes on watching"
        finally:
            watching.cancel()
            await service.stop()

    awaited(whole())
    assert caplog.text.count("could not be started: Resource temporarily unavailable") == 2
