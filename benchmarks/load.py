"""A class that comes all at once: sign-ins and page opens at a steady pace, then many pages open at the same time.

    make load         or: python benchmarks/load.py [--opens 300] [--within 30] [--pages 1000] [--idle 60]

The people are in a process of their own, without a browser; each signs in, loads a page with all its files, connects,
and later leaves as a browser does. Times are counted from when somebody wanted to come, not from when they got through.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from processes import cpu, memory

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from reviewkit.server.memory import CALM  # noqa: E402 (the checkout's own)
from tests.crowd import OpenPage, Visitor, a_crowded_course, at_rank, visitors  # noqa: E402 (the checkout's own)
from tests.housekeeping import wake_ups  # noqa: E402
from tests.serving import Server, wait_for  # noqa: E402

WARM_UP = 30
PRESSES = 100


def settled(server: Server) -> float:
    """Memory (PSS of all processes, MB) when no page is left, and the server has had the time to tidy up."""
    wait_for(lambda: not server.pages(), seconds=120, what="the end of all pages")
    time.sleep(CALM + 2)
    return memory(server.process.pid)


async def arrivals(server: Server, people: list, within: float) -> tuple[list[float], float]:
    """Everybody signs in and opens a page, evenly over so many seconds: how long each took, and the client's CPU."""
    took: list[float] = []
    spent = time.process_time()
    async with visitors(server, len(people)) as everybody:
        began = time.perf_counter()

        async def comes(visitor: Visitor, number: int) -> None:
            wanted = began + within * number / len(people)
            await asyncio.sleep(wanted - time.perf_counter())
            await visitor.sign_in(people[number])
            await visitor.open()
            took.append(time.perf_counter() - wanted)

        await asyncio.gather(*(comes(each, number) for number, each in enumerate(everybody)))
        spent = time.process_time() - spent
    return took, spent


def opens(server: Server, people: list, within: float) -> None:
    asyncio.run(arrivals(server, people[:WARM_UP], 3))
    rest = settled(server)
    pids = {"page server": server.process.pid, "course service": server.service(), "fork server": server.fork_server()}
    used = cpu(server.process.pid)
    before = {name: own_cpu(pid) for name, pid in pids.items()}
    own = {name: memory(pid, alone=True) for name, pid in pids.items()}
    took, client = asyncio.run(arrivals(server, people, within))
    wait_for(lambda: not server.pages(), seconds=60, what="the end of all pages")
    used = cpu(server.process.pid) - used
    spent = {name: own_cpu(pid) - before[name] for name, pid in pids.items()}
    count = len(took)
    print(f"{count} sign-ins and page opens, one every {1000 * within / count:.0f} ms; no error\n")
    print("| | s |\n| --- | --- |")
    for name, value in (
        ("median", statistics.median(took)),
        ("p95", at_rank(took, 0.95)),
        ("slowest", max(took)),
        ("CPU of the server an open", used / count),
        *((f"of it, {name}", seconds / count) for name, seconds in spent.items()),
        ("of it, pages' processes", (used - sum(spent.values())) / count),
        ("CPU of the client an open", client / count),
    ):
        print(f"| {name} | {value:.3f} |")
    print(f"\nMemory (PSS of all processes) before and after: {rest:.0f} and {settled(server):.0f} MB")
    print("; ".join(f"{name} {own[name]:.1f} and {memory(pid, alone=True):.1f}" for name, pid in pids.items()) + "\n")


async def many(server: Server, people: list, pages: int, idle: float) -> None:
    """So many pages at once: memory, a click, and whether they wake up while nothing happens."""
    before, each = memory(server.process.pid), -(-pages // len(people))
    gate = asyncio.Semaphore(4)
    async with visitors(server, -(-pages // each)) as everybody:

        async def comes(visitor: Visitor, number: int) -> None:
            async with gate:
                await visitor.sign_in(people[number])
            for _ in range(each):
                async with gate:
                    await visitor.open()

        began = time.perf_counter()
        await asyncio.gather(*(comes(one, number) for number, one in enumerate(everybody)))
        opened: list[OpenPage] = [page for one in everybody for page in one.pages]
        print(f"{len(opened)} pages open at once, after {time.perf_counter() - began:.0f} s\n")
        await asyncio.sleep(5)
        processes = server.pages()
        woken, used = await asyncio.to_thread(wake_ups, processes), cpu(server.process.pid)
        await asyncio.sleep(idle)
        again = await asyncio.to_thread(wake_ups, processes)
        used = cpu(server.process.pid) - used
        clicks = [await page.press() for page in opened[:: max(1, len(opened) // PRESSES)]]
        held = memory(server.process.pid)
        files = {
            name: len(os.listdir(f"/proc/{pid}/fd"))
            for name, pid in (("page server", server.process.pid), ("course service", server.service()))
        }
        print("| | |\n| --- | --- |")
        print(f"| memory (PSS of all processes) | {held:.0f} MB, {(held - before) / len(opened):.2f} a page |")
        slow = ", ".join(f"{1000 * at_rank(clicks, part):.0f}" for part in (0.5, 0.95, 1))
        print(f"| click: median, p95, slowest | {slow} ms |")
        idled = sum(again[pid] - woken[pid] for pid in processes)
        print(f"| wake-ups of all pages in {idle:.0f} s without use | {idled} |")
        print(f"| CPU of the server meanwhile | {used:.2f} s |")
        print(f"| open files | {', '.join(f'{name} {count}' for name, count in files.items())} |")
    print(f"\nMemory after all were left: {await asyncio.to_thread(settled, server):.0f} MB, {before:.0f} before")


def own_cpu(pid: int) -> float:
    """Processor seconds of one process, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opens", type=int, default=300)
    parser.add_argument("--within", type=float, default=30)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=60)
    options = parser.parse_args()
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{where}, {time.strftime('%Y-%m-%d')}; load of the machine before: {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as folder:
        course_file, people = a_crowded_course(Path(folder) / "course", options.opens)
        with Server(course_file) as server:
            opens(server, people, options.within)
            if options.pages:
                asyncio.run(many(server, people, options.pages, options.idle))


if __name__ == "__main__":
    main()
