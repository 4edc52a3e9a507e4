"""Pulling a class's feeds: reviewkit beside reader and plain feedparser, in one run.

    python benchmarks/pull.py [--feeds 300 3000] [--peers .bench/bin] [--real FOLDER] [--tagged 0.3] [--deaf 0.4]

The blogs are in a process of their own (feed_server.py): every feed at a host of its own, 50 to 300 ms late at every
request (seeded: the same for all), gzip, ETags but where a site is deaf to conditions. What each program takes is what
its whole family of processes takes, from the moment at which it has started and knows its feeds: CPU from /proc, peak
memory as the sum of PSS.

    cold        nothing is known yet
    warm        nothing has changed: sites answer 304, or (--deaf: their share) the same document once more
    news        every tenth blog has a new post

The program that plain feedparser stands for keeps nothing; reader and reviewkit keep the posts in SQLite. reviewkit
keeps those with the course's tag (--tagged: their share; with --real all, the feeds being a tag's). --real FOLDER
serves whole feeds of real sites in place of made ones, each many times over. "empty" asks as reviewkit does (the same
library and sockets, as many sites at a time) and neither reads nor keeps anything: less is not to be had with them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from processes import cpu, memory

HERE = Path(__file__).parent
PHASES = ("cold", "warm", "news")


class Program:
    """A process that is told things by lines and answers with lines."""

    def __init__(self, *command: str) -> None:
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(60)

    def tell(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        line = self.process.stdout.readline()
        assert line, f"{self.process.args[:2]} has ended"
        return line


def peak_of(pid: int, over: threading.Event, found: list[float]) -> None:
    while not over.wait(0.2):
        found.append(memory(pid))


def phase(program: Program, blogs: Program, name: str) -> dict[str, Any]:
    pid, seen, over = program.process.pid, [memory(program.process.pid)], threading.Event()
    watching = threading.Thread(target=peak_of, args=(pid, over, seen))
    used, began = cpu(pid), time.perf_counter()
    watching.start()
    program.tell("go")
    said = json.loads(program.hear())
    wall, used = time.perf_counter() - began, cpu(pid) - used
    over.set()
    watching.join()
    blogs.tell("1" if name == "warm" else "0")  # after the warm pull every tenth blog has a new post
    return {"phase": name, "cpu": used, "wall": wall, "memory": max(seen), **said, **json.loads(blogs.hear())}


def measured(command: list[str], plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with Program(sys.executable, str(HERE / "feed_server.py"), json.dumps(plan)) as blogs:
        told = json.loads(blogs.hear())
        with Program(*command) as program:
            program.tell(json.dumps(told["feeds"]))
            program.hear()
            start = cpu(program.process.pid)
            for name in PHASES:
                yield {**phase(program, blogs, name), "start": start, "size": told["size"]}


def compared(count: int, options: argparse.Namespace) -> None:
    plan = {
        "count": count,
        "seed": options.seed,
        "tagged": options.tagged,
        "deaf": options.deaf,
        "folder": options.real,
    }
    kind = "real ones" if options.real else f"made, {options.tagged:.0%} of the posts tagged"
    print(f"\n## {count:,} feeds, {kind}; {options.deaf:.0%} of the sites know no conditions\n")
    print("| program | | CPU s | of reader's | wall s | of the slowest feed | peak MB | new posts | 304 | failed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    whole: dict[str, float] = {}
    starts: dict[str, float] = {}
    size = 0.0
    for program in ("reader", "feedparser", "empty", "reviewkit") if options.peers else ("empty", "reviewkit"):
        python = sys.executable if program in ("empty", "reviewkit") else str(options.peers / "python")
        for row in measured([python, str(HERE / "peers" / f"{program}_pull.py")], plan):
            name, used, starts[program], size = row["phase"], row["cpu"], row["start"], row["size"]
            if program == "reader":
                whole[name] = used
            ratio = f"{used / whole[name]:.3f}" if name in whole else "-"
            slow = f"{row['wall'] / row['slowest']:.1f}" if row["slowest"] else "-"
            cells = [program, name, f"{used:.2f}", ratio, f"{row['wall']:.2f}", slow, f"{row['memory']:.0f}"]
            cells += [str(row[each]) for each in ("new", "unchanged", "failed")]
            print(f"| {' | '.join(cells)} |", flush=True)
    said = ", ".join(f"{name} {seconds:.2f}" for name, seconds in starts.items())
    print(f"\nA feed has {size / 1000:.0f} kB on average. CPU seconds before the first pull: {said}.", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, nargs="+", default=[300, 3000])
    parser.add_argument("--peers", type=Path, help="the bin folder of an environment with reader and feedparser")
    parser.add_argument("--real", help="a folder of real feeds, a folder for each platform")
    parser.add_argument("--tagged", type=float, default=0.3)
    parser.add_argument("--deaf", type=float, default=0.4, help="share of the sites that know no conditions")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{where}, {time.strftime('%Y-%m-%d')}; load of the machine before: {os.getloadavg()[0]:.1f}")
    for count in options.feeds:
        compared(count, options)


if __name__ == "__main__":
    main()
