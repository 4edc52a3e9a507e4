"""What a server uses, before and after; pages opened and closed without a browser."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from reviewkit.server.light.manager import SUBPROTOCOL
from reviewkit.service import THREADS
from tests.asking import Asker
from tests.serving import Server, awaited, descendants, wait_for


@dataclass(frozen=True)
class Use:
    """What the processes of a server hold: memory in KiB, open files, children, entries of its runtime folder."""

    memory: dict[str, int]
    files: dict[str, int]
    processes: int
    entries: int


def use_of(server: Server) -> Use:
    pids = {"page server": server.process.pid, "course service": server.service(), "fork server": server.fork_server()}
    arguments = Path(f"/proc/{server.service()}/cmdline").read_text().split("\0")
    folder = next(Path(each) for each in arguments if each.endswith("/course")).parent
    return Use(
        memory={name: _number(pid, "VmRSS") for name, pid in pids.items()},
        files={name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in pids.items()},
        processes=len(descendants(server.process.pid)),
        entries=len(list(folder.iterdir())),
    )


def open_and_close(server: Server, asker: Asker, pages: int, *, path: str = "/my-work") -> None:
    """Open so many pages, one after the other, each with its connection, and leave each as a browser does."""

    async def connected(page: str) -> None:
        address = f"{server.url}/api/kernels/{page}/channels?session_id=x"
        async with (
            aiohttp.ClientSession(headers={"Cookie": asker.cookie}) as session,
            session.ws_connect(address, protocols=[SUBPROTOCOL]) as line,
        ):
            await line.send_str("?")
            while (await line.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            await line.close(code=1001)

    for _ in range(pages):
        awaited(connected(asker.page(path)))


def grown(before: Use, after: Use, *, by: int) -> dict[str, int]:
    """The processes whose memory has grown by more than so many KiB."""
    more = {name: after.memory[name] - before.memory[name] for name in after.memory}
    return {name: kib for name, kib in more.items() if kib > by}


def no_more_files(before: Use, after: Use) -> bool:
    """Whether nobody has more files open; the course service may have a connection to its database for each thread."""
    threads = {"course service": THREADS}
    return all(count <= before.files[name] + threads.get(name, 0) for name, count in after.files.items())


def nothing_open(server: Server) -> None:
    wait_for(lambda: not server.pages(), what="the end of all pages")


def wake_ups(pids: Sequence[int]) -> dict[int, int]:
    """How often each process has waited for something and gone on, since it began."""
    return {pid: _number(pid, "voluntary_ctxt_switches") for pid in pids}


async def idle(pids: Sequence[int], *, seconds: float) -> dict[int, int]:
    """How often each process wakes up in so long, once it has begun to wait for changes."""
    before = await _rested(pids)
    await asyncio.sleep(seconds)
    after = wake_ups(pids)
    return {pid: after[pid] - before[pid] for pid in pids}


async def _rested(pids: Sequence[int]) -> dict[int, int]:
    """Their wake-ups, when for three seconds there was none."""
    last, since = wake_ups(pids), time.monotonic()
    while time.monotonic() < since + 3:
        await asyncio.sleep(0.1)
        if (now := wake_ups(pids)) != last:
            last, since = now, time.monotonic()
    return last


def _number(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])
