"""What a server and everything it started cost: processor seconds and memory, from /proc.

A family is found by who is whose parent, over all processes. The lists of children that /proc keeps for each thread
are not used: while the thread that started a process ends, the process stands in none of them, and its seconds would be
missing from a figure.
"""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_TRIES = 20


def _parents() -> dict[int, int]:
    """Who is whose parent, of all processes that are there."""
    found = {}
    for each in os.listdir("/proc"):
        if each.isdigit() and (fields := _stat(int(each))):
            found[int(each)] = int(fields[1])
    return found


def _stat(pid: int) -> list[str]:
    """What the system says of a process, from its state on; nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = _parents()
    found = [pid] if pid in parents else []
    for each in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _own(pid: int) -> float:
    """Processor seconds of one process, its ended threads included, to the nanosecond."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # what clock_getcpuclockid(3) gives for it
    except OSError:
        return 0.0


def _buried(pids: list[int]) -> dict[int, float]:
    """Of each process the seconds of its ended children, which it has waited for."""
    return {pid: sum(map(int, fields[13:15])) / TICKS for pid in pids if (fields := _stat(pid))}


def cpu(pid: int) -> float:
    """Processor seconds of the family so far, those of buried children included.

    A child that is buried while we count would be counted twice or not at all: then we count again.
    """
    total = 0.0
    for _ in range(_TRIES):
        before = _buried(family(pid))
        total = sum(map(_own, before)) + sum(before.values())
        if _buried(family(pid)) == before:
            break
    return total


def memory(pid: int, *, alone: bool = False) -> float:
    """Proportional set size of the family in MB, or of one process: shared pages are shared out."""
    total = 0
    for each in [pid] if alone else family(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
