"""Who reviews whom in a class of any size, as files: for measuring, and for whoever checks allocations by other means.

    python benchmarks/allocation.py ROSTER OUT --k K [--exclusions X] [--past P] [--before B] [--seed N]

ROSTER has `id`, and where wanted `team` (who is in one team never reviews each other) and `status`: active, late,
dropped (gives no open review any more) or no_submission (gives reviews and gets none). X and P have `reviewer,author`;
B also `status` (open or done): the allocation before a rebalance, whose pairs stay but for open ones of the dropped.
OUT gets `reviewer,author,status`. What had to be relaxed, and the seconds it took, go to standard error.
"""

import argparse
import csv
import sys
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from reviewkit.allocation import Known, allocate

Row = dict[str, str]


def rows(path: Path | None) -> list[Row]:
    if path is None:
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def pairs(path: Path | None) -> list[tuple[str, str]]:
    return [(row["reviewer"], row["author"]) for row in rows(path)]


def apart(roster: list[Row], exclusions: list[tuple[str, str]]) -> set[frozenset[str]]:
    """Who must not review each other: pairs by hand, and teams."""
    teams = defaultdict(list)
    for row in roster:
        if row.get("team"):
            teams[row["team"]].append(row["id"])
    inside = {frozenset(pair) for team in teams.values() for pair in combinations(team, 2)}
    return inside | {frozenset(pair) for pair in exclusions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("roster", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--k", type=int, required=True)
    for name in ("--exclusions", "--past", "--before"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    roster = rows(given.roster)
    status = {row["id"]: row.get("status") or "active" for row in roster}
    before = [row for row in rows(given.before) if row["reviewer"] in status and row["author"] in status]
    kept = {
        (row["author"], row["reviewer"]): row.get("status") or "open"
        for row in before
        if row.get("status") == "done" or status[row["reviewer"]] != "dropped"
    }
    began = time.perf_counter()
    made = allocate(
        {id: id for id in status if status[id] != "no_submission"},
        [id for id in status if status[id] != "dropped"],
        given.k,
        seed=given.seed,
        known=Known(
            excluded=apart(roster, pairs(given.exclusions)),
            past=pairs(given.past),
            existing=kept,
            spent={(row["author"], row["reviewer"]) for row in before} - set(kept),
        ),
    )
    took = time.perf_counter() - began
    with given.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("reviewer", "author", "status"))
        writer.writerows((reviewer, author, state) for (author, reviewer), state in kept.items())
        writer.writerows((reviewer, author, "open") for author, reviewer in made.pairs)
    for sentence in made.relaxed:
        print(sentence, file=sys.stderr)
    print(f"{len(made.pairs)} pairs in {took:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
