"""A page's process: forked, small, limited, and gone when nobody needs it. Without Voila and without a browser."""

import asyncio
import os
import signal
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from reviewkit.server import kernels
from reviewkit.server.identity import Viewer
from reviewkit.server.light import frames
from reviewkit.server.light.manager import LightClient, LightKernel, LightKernelManager
from tests.serving import awaited, runs

if not hasattr(os, "pidfd_open"):
    pytest.skip("page processes need Linux", allow_module_level=True)


def with_pages(
    test: Callable[[LightKernelManager], Awaitable[None]],
    kind: type[LightKernelManager] = LightKernelManager,
    **settings: Any,
) -> None:
    async def whole() -> None:
        manager = kind(modules=[], **settings)
        try:
            await asyncio.wait_for(test(manager), 60)
        finally:
            manager.close()

    awaited(whole())


async def a_page(manager: LightKernelManager, **environment: str) -> tuple[LightKernel, LightClient]:
    kernel = manager.get_kernel(await manager.start_kernel(env=environment))
    client = kernel.client()
    client.start_channels()
    return kernel, client


async def said(client: LightClient, code: str) -> dict[str, Any]:
    """Execute a cell: the reply, and as `shown` the text of its last line."""
    request = client.execute(code)
    shown = None
    while True:
        message = await client.iopub_channel.get_msg(20)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "execute_result":
            shown = message["content"]["data"]["text/plain"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    reply = await client.shell_channel.get_msg(20)
    return {**reply["content"], "shown": shown}


async def gone(pid: int) -> None:
    while runs(pid):
        await asyncio.sleep(0.01)


def test_a_page_executes_cells_and_remembers_what_they_named() -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        assert (await said(client, "a = 6"))["status"] == "ok"
        assert (await said(client, "a * 7"))["shown"] == "42"

    with_pages(test)


def test_a_mistake_in_a_cell_is_an_answer_and_the_page_goes_on() -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        reply = await said(client, "1 / 0")
        assert (reply["status"], reply["ename"]) == ("error", "ZeroDivisionError")
        assert (await said(client, "2"))["shown"] == "2"

    with_pages(test)


def test_a_page_knows_what_it_was_given_and_nothing_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWKIT_SMTP_PASSWORD_FILE", "/run/secret")
    monkeypatch.setenv("PGPASSWORD", "open sesame")

    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager, REVIEWKIT_TOKEN="hers")
        shown = (await said(client, "import os; dict(os.environ)"))["shown"]
        assert "hers" in shown
        for environment in (shown, Path(f"/proc/{kernel.pid}/environ").read_text()):
            assert "sesame" not in environment
            assert "SMTP" not in environment

    with_pages(test)


def test_two_pages_share_no_names_and_no_luck() -> None:
    async def test(manager: LightKernelManager) -> None:
        _, first = await a_page(manager)
        _, second = await a_page(manager)
        await said(first, "secret = 1")
        assert (await said(second, "secret"))["ename"] == "NameError"
        draw = "import random; random.random()"
        assert (await said(first, draw))["shown"] != (await said(second, draw))["shown"]

    with_pages(test)


def test_malformed_frames_do_no_harm() -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        whole = frames.pack("shell", {"msg_id": "1", "msg_type": "execute_request"}, {}, {}, {"code": "1"})
        for frame in (
            b"",
            b"\0" * 8,
            b"\xff" * 64,
            whole[:-5],
            struct.pack("<Q7Q", 7, *([1 << 60] * 7)),
            frames.pack("shell", {"msg_type": 5, "msg_id": 1}, {}, {}, {}),
            frames.pack("shell", {"msg_type": "comm_msg", "msg_id": "2"}, {}, {}, {"comm_id": "nobody", "data": 7}),
        ):
            kernel.send(frame)
        assert (await said(client, "6 * 7"))["shown"] == "42"

    with_pages(test)


def test_a_page_that_never_ends_its_work_is_ended_and_others_feel_nothing() -> None:
    async def test(manager: LightKernelManager) -> None:
        stuck, client = await a_page(manager)
        _, other = await a_page(manager)
        client.execute("while True: pass")
        assert (await said(other, "'here'"))["shown"] == "'here'"
        await gone(stuck.pid)
        assert (await said(other, "'still here'"))["shown"] == "'still here'"
        with pytest.raises(RuntimeError, match="ended"):
            await client.shell_channel.get_msg(20)

    with_pages(test, longest=1.0)


def test_a_page_cannot_take_all_memory() -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        assert (await said(client, "x = bytearray(3 << 30)"))["ename"] == "MemoryError"

    with_pages(test)


def test_a_page_that_nobody_looks_at_leaves() -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        await said(client, "1")
        client.stop_channels()
        await gone(kernel.pid)
        while kernel.kernel_id in manager:
            await asyncio.sleep(0.01)

    with_pages(test, page_grace=0.2)


def test_when_the_fork_server_dies_open_pages_live_and_new_ones_come() -> None:
    async def test(manager: LightKernelManager) -> None:
        _, before = await a_page(manager)
        server = manager.server
        assert server is not None
        server.process.send_signal(signal.SIGKILL)
        await gone(server.process.pid)
        _, after = await a_page(manager)
        assert (await said(before, "1"))["shown"] == "1"
        assert (await said(after, "2"))["shown"] == "2"

    with_pages(test)


def test_closing_ends_idle_and_busy_pages() -> None:
    pids: list[int] = []

    async def test(manager: LightKernelManager) -> None:
        idle, _ = await a_page(manager)
        busy, client = await a_page(manager)
        client.execute("while True: pass")
        while busy.execution_state != "busy":
            await asyncio.sleep(0.01)
        assert manager.server is not None
        pids.extend((idle.pid, busy.pid, manager.server.process.pid))
        manager.close()
        for pid in pids:
            await gone(pid)

    with_pages(test)


def test_a_page_that_reads_nothing_is_ended_before_it_fills_the_server() -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        client.execute("while True: pass")
        frame = frames.pack("shell", {"msg_id": "1", "msg_type": "comm_msg"}, {}, {}, {"data": "x" * 500_000})
        while kernel.alive:
            kernel.send(frame)
            await asyncio.sleep(0)
        await gone(kernel.pid)

    with_pages(test)


def test_frames_hold_what_was_put_in() -> None:
    frame = frames.pack("iopub", {"msg_id": "1", "msg_type": "comm_msg"}, {"p": 1}, {"m": 2}, {"c": "ü"}, [b"raw", b""])
    channel, message = frames.unpack(frame)
    assert (channel, message["parent_header"], message["metadata"], message["content"]) == (
        "iopub",
        {"p": 1},
        {"m": 2},
        {"c": "ü"},
    )
    assert [bytes(each) for each in message["buffers"]] == [b"raw", b""]
    assert frames.message_type(frame) == "comm_msg"


def test_the_oldest_page_of_a_person_makes_room_when_they_open_too_many() -> None:
    ann, bob = (Viewer(username=name, name=name, role="student", serial=1) for name in ("ann", "bob"))

    async def test(manager: Any) -> None:
        async def opened(viewer: Viewer) -> str:
            given = {"door": Path("/nowhere"), "secret": b"s" * 40, "files": {}, "query": ""}
            page: str = await manager.open_page(viewer, "my-work", **given)
            return page

        bobs = await opened(bob)
        first, second, third = [await opened(ann) for _ in range(3)]
        while first in manager:
            await asyncio.sleep(0.01)
        assert manager.owners == {bobs: "bob", second: "ann", third: "ann"}

    with_pages(test, kernels.PageProcesses, most_pages=2)
