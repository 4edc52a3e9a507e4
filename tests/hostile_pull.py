"""A pull of a hostile internet in a process of its own, so that what it takes can be measured.

Reads from standard input what to pull (JSON: `plan` of the Internet, `feeds` by person, `seconds` for one site) and
prints what came of it: what of each feed, the addresses that were judged, seconds, and megabytes at the peak.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reviewkit.feeds import agent
from reviewkit.feeds.fetch import Fetcher
from reviewkit.feeds.pulling import pull_all
from reviewkit.model import Entry, Feed
from reviewkit.store import Kept
from tests.hostile import Internet


def pulled(asked: dict[str, Any]) -> dict[str, Any]:
    internet = Internet.planned(asked["plan"])
    states: dict[str, Feed] = {}

    def keep(feed: Feed, entries: Sequence[Entry]) -> Kept:
        states[feed.person] = feed
        return Kept(new=tuple(entry.title[:80] for entry in entries))

    began = time.monotonic()
    done: dict[str, float] = {}
    found = asyncio.run(
        pull_all(
            [Feed(person=person, url=url) for person, url in asked["feeds"].items()],
            dict.fromkeys(asked["feeds"], frozenset({"cs101"})),
            keep,
            now=lambda: datetime.now(UTC),
            allow_private=False,
            agent=agent("Tests"),
            progress=lambda each: done.setdefault(each.person, time.monotonic() - began),
            fetcher=Fetcher(
                agent=agent("Tests"),
                seconds=asked["seconds"],
                tls=internet.tls(),
                resolver=internet.resolver(),
                dial=internet.dial,
            ),
        )
    )
    # `ru_maxrss` of this very process begins with what its parent had at the fork; VmHWM begins anew with the program.
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    peak = [int(own.split()[1]) / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]
    return {
        "feeds": {
            each.person: {
                "outcome": each.outcome,
                "error": each.error,
                "new": each.new,
                "seconds": done[each.person],
                "kept": states[each.person].error,
            }
            for each in found
        },
        "refused": internet.refused,
        "dialled": internet.dialled,
        "seconds": time.monotonic() - began,
        "peak": max(peak),
    }


if __name__ == "__main__":
    print(json.dumps(pulled(json.loads(sys.stdin.read()))))
