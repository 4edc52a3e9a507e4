"""A class's feeds through reviewkit: a course on disk, pulled as the command and the clock do. Told by pull.py."""

import gc
import json
import sys
import tempfile
from pathlib import Path

from reviewkit import open_course
from reviewkit.feeds import fetch, pulling, workers  # noqa: F401 (brought in before the clock runs, as the peers' are)

COURSE = """[course]
title = "Field notes"
tag = "fieldnotes"

[store]
database = "{database}"

[network]
allow_private_addresses = true

[[assignments]]
id = "river"
rubric = "field-report"
"""

feeds = json.loads(sys.stdin.readline())
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "rubrics").mkdir()
    rubric = (Path(__file__).parents[2] / "rubrics" / "field-report.md").read_text("utf-8")
    (folder / "rubrics" / "field-report.md").write_text(rubric, "utf-8")
    (folder / "course.toml").write_text(COURSE.format(database=f"sqlite:///{folder}/course.db"), "utf-8")
    rows = [f"s{number},Student {number},,student,{feed}" for number, feed in enumerate(feeds)]
    (folder / "roster.csv").write_text("\n".join(["id,name,email,role,feeds", *rows]) + "\n", "utf-8")
    course = open_course(folder / "course.toml")
    gc.collect()
    gc.freeze()  # as the service does
    print("ready", flush=True)
    while sys.stdin.readline():
        found = course.pull()
        failed = [each for each in found if each.outcome == "failed"]
        for each in failed[:3]:
            print(each.error, file=sys.stderr)
        print(json.dumps({"new": sum(len(each.new) for each in found), "failed": len(failed)}), flush=True)
    course.store.close()
