"""A page's process, forked or of stock ipykernel: limited, watched, and gone when nobody needs it. Without Voila and
without a browser."""

import asyncio
import json
import os
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado import web

from reviewkit.errors import ConfigError
from reviewkit.server import kernels, serve
from reviewkit.server.identity import Viewer
from reviewkit.server.light import frames
from reviewkit.server.light.manager import LightClient, LightKernel, LightKernelManager
from reviewkit.server.stock import StockKernel, StockKernelManager
from tests.serving import awaited, runs, wait_for

if not kernels.forks():
    pytest.skip("these tests look at processes in Linux's ways", allow_module_level=True)

Kind = type[LightKernelManager]
BOTH = pytest.mark.parametrize("kind", [LightKernelManager, StockKernelManager], ids=["light", "stock"])


def with_pages(
    test: Callable[[LightKernelManager], Awaitable[None]],
    kind: Kind = LightKernelManager,
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


@BOTH
def test_a_page_executes_cells_and_remembers_what_they_named(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        assert (await said(client, "a = 6"))["status"] == "ok"
        assert (await said(client, "a * 7"))["shown"] == "42"

    with_pages(test, kind)


@BOTH
def test_a_mistake_in_a_cell_is_an_answer_and_the_page_goes_on(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        reply = await said(client, "1 / 0")
        assert (reply["status"], reply["ename"]) == ("error", "ZeroDivisionError")
        assert (await said(client, "2"))["shown"] == "2"

    with_pages(test, kind)


@BOTH
def test_a_page_knows_what_it_was_given_and_nothing_of_the_server(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWKIT_SMTP_PASSWORD_FILE", "/run/secret")
    monkeypatch.setenv("PGPASSWORD", "open sesame")

    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager, REVIEWKIT_TOKEN="hers")
        shown = (await said(client, "import os; dict(os.environ)"))["shown"]
        assert "hers" in shown
        for environment in (shown, Path(f"/proc/{kernel.pid}/environ").read_text()):
            assert "sesame" not in environment
            assert "SMTP" not in environment

    with_pages(test, kind)


@BOTH
def test_two_pages_share_no_names_and_no_luck(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        _, first = await a_page(manager)
        _, second = await a_page(manager)
        await said(first, "secret = 1")
        assert (await said(second, "secret"))["ename"] == "NameError"
        draw = "import random; random.random()"
        assert (await said(first, draw))["shown"] != (await said(second, draw))["shown"]

    with_pages(test, kind)


@BOTH
def test_malformed_frames_do_no_harm(kind: Kind) -> None:
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

    with_pages(test, kind)


@BOTH
def test_a_page_that_never_ends_its_work_is_ended_and_others_feel_nothing(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        stuck, client = await a_page(manager)
        _, other = await a_page(manager)
        client.execute("while True: pass")
        assert (await said(other, "'here'"))["shown"] == "'here'"
        await gone(stuck.pid)
        assert (await said(other, "'still here'"))["shown"] == "'still here'"
        with pytest.raises(RuntimeError, match="ended"):
            await client.shell_channel.get_msg(20)

    with_pages(test, kind, longest=2.0)


@BOTH
def test_a_page_cannot_take_all_memory(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        assert (await said(client, "x = bytearray(3 << 30)"))["ename"] == "MemoryError"

    with_pages(test, kind)


@BOTH
def test_a_page_that_nobody_looks_at_leaves(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        await said(client, "1")
        client.stop_channels()
        await gone(kernel.pid)
        while kernel.kernel_id in manager:
            await asyncio.sleep(0.01)

    with_pages(test, kind, page_grace=0.2)


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


@BOTH
def test_closing_ends_idle_and_busy_pages(kind: Kind) -> None:
    pids: list[int] = []

    async def test(manager: LightKernelManager) -> None:
        idle, _ = await a_page(manager)
        busy, client = await a_page(manager)
        client.execute("while True: pass")
        while busy.execution_state != "busy":
            await asyncio.sleep(0.01)
        pids.extend((idle.pid, busy.pid))
        if manager.server is not None:
            pids.append(manager.server.process.pid)
        manager.close()
        for pid in pids:
            await gone(pid)

    with_pages(test, kind)


@BOTH
def test_a_page_that_reads_nothing_is_ended_before_it_fills_the_server(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        client.execute("while True: pass")
        frame = frames.pack("shell", {"msg_id": "1", "msg_type": "comm_msg"}, {}, {}, {"data": "x" * 500_000})
        while kernel.alive:
            kernel.send(frame)
            await asyncio.sleep(0)
        await gone(kernel.pid)

    with_pages(test, kind)


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


@pytest.mark.parametrize("kind", [kernels.PageProcesses, kernels.StockProcesses], ids=["light", "stock"])
def test_the_oldest_page_of_a_person_makes_room_when_they_open_too_many(kind: Kind) -> None:
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

    with_pages(test, kind, most_pages=2)


# -- what only the stock kernel could get wrong


def test_two_messages_that_are_alike_are_both_answered() -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        await said(client, "count = []")
        frame = frames.pack(
            "shell", {"msg_id": "1", "msg_type": "execute_request"}, {}, {}, {"code": "count.append(1)"}
        )
        kernel.send(frame)
        kernel.send(frame)
        assert (await said(client, "len(count)"))["shown"] == "2"

    with_pages(test, StockKernelManager)


def test_nobody_else_on_this_machine_can_listen_to_a_stock_page() -> None:
    async def test(manager: LightKernelManager) -> None:
        kernel, _ = await a_page(manager)
        assert isinstance(kernel, StockKernel)
        for folder in (kernel.folder, kernel.folder.parent):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        told = json.loads((kernel.folder / "c.json").read_text())
        assert told["transport"] == "ipc"
        assert len([each for each in kernel.folder.iterdir() if each.is_socket()]) == 5

    with_pages(test, StockKernelManager)


def test_a_stock_page_has_nothing_of_this_machines_ipython(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = tmp_path / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("intruder = 1")
    monkeypatch.setenv("HOME", str(tmp_path))

    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        assert (await said(client, "intruder"))["ename"] == "NameError"
        assert (await said(client, "get_ipython().history_manager.enabled"))["shown"] == "False"
        assert sorted(each.name for each in tmp_path.iterdir()) == [".ipython"]

    with_pages(test, StockKernelManager)


def test_a_page_that_is_ended_while_it_starts_leaves_nothing() -> None:
    async def test(manager: LightKernelManager) -> None:
        assert isinstance(manager, StockKernelManager)
        starting = [asyncio.create_task(manager.start_kernel()) for _ in range(3 + (os.cpu_count() or 1))]
        while len(manager.running) < len(starting):
            await asyncio.sleep(0)
        kernels = list(manager.running.values())
        for kernel in kernels:
            kernel.stop()
        for each in await asyncio.gather(*starting, return_exceptions=True):
            assert isinstance(each, web.HTTPError)
            assert each.status_code == 503
        assert not manager.running
        assert manager.folder is not None
        assert not list(manager.folder.iterdir())

    with_pages(test, StockKernelManager)


ALONE = """
import asyncio
from reviewkit.server.stock import StockKernelManager

async def whole():
    manager = StockKernelManager()
    kernel = manager.get_kernel(await manager.start_kernel())
    print(kernel.pid, manager.folder, flush=True)
    await asyncio.Event().wait()

asyncio.run(whole())
"""


def test_a_stock_page_leaves_with_the_page_server_and_takes_its_files_along() -> None:
    with subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid, folder = server.stdout.readline().split()
        assert runs(int(pid))
        server.kill()
    wait_for(lambda: not runs(int(pid)), what="the end of the page")
    wait_for(lambda: not Path(folder).exists(), what="the end of its files")


# -- which of the two


def test_pages_are_light_where_that_can_be_had_and_stock_where_it_is_asked_for() -> None:
    assert kernels.chosen("") is kernels.chosen("light") is kernels.PageProcesses
    assert kernels.chosen("stock") is kernels.StockProcesses


def test_elsewhere_pages_are_stock_and_light_ones_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert kernels.chosen("") is kernels.StockProcesses
    with pytest.raises(ConfigError, match=r"need Linux: leave \[server\] kernels out"):
        kernels.chosen("light")


@pytest.mark.parametrize("kind", [kernels.PageProcesses, kernels.StockProcesses], ids=["light", "stock"])
def test_a_page_that_nobody_used_for_hours_rests(kind: Kind) -> None:
    async def test(manager: LightKernelManager) -> None:
        now = [0.0]
        manager.clock = lambda: now[0]
        kernel = manager.get_kernel(await manager.start_kernel())
        now[0] = 11.9 * 3600
        manager.sweep()
        await asyncio.gather(*manager.parting)
        assert kernel.alive
        now[0] = 12.1 * 3600
        manager.sweep()
        await gone(kernel.pid)
        while kernel.kernel_id in manager:
            await asyncio.sleep(0.01)
        assert kernel.why == "rested"

    with_pages(test, kind, idle=12 * 3600.0)


def test_where_there_are_no_unix_sockets_it_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(asyncio, "open_unix_connection")
    with pytest.raises(ConfigError, match="cannot be served on Windows"):
        serve(tmp_path / "course.toml", port=0)
