"""What a benchmark counts: no process of a family is missed, dead or alive."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")

BURNED = 0.1
PARENT = f"""
import subprocess, sys, threading, time
code = "import time\\nwhile time.process_time() < {BURNED}: pass\\nprint('done', flush=True)\\ntime.sleep(600)"
children = []

def start():
    children.append(subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE))
    children[-1].stdout.readline()

try:
    for line in sys.stdin:
        if line.strip() == "start":
            thread = threading.Thread(target=start)  # which has ended when we are counted
            thread.start()
            thread.join()
        else:
            children[-1].kill()
            children.pop().wait()
        print("ok", flush=True)
finally:
    for each in children:
        each.kill()
        each.wait()
"""


@pytest.fixture(scope="module")
def processes() -> Any:
    spec = importlib.util.spec_from_file_location(
        "processes", Path(__file__).parents[1] / "benchmarks" / "processes.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()
        process.wait(60)


def told(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ok\n"


def test_children_count_whose_thread_has_ended_and_those_that_have_died(
    parent: "subprocess.Popen[str]", processes: Any
) -> None:
    for _ in range(5):
        before = processes.cpu(parent.pid)
        told(parent, "start")
        alive = processes.cpu(parent.pid)
        assert alive >= before + BURNED
        assert len(processes.family(parent.pid)) == 2
        assert processes.memory(parent.pid) > processes.memory(parent.pid, alone=True) > 0
        told(parent, "end")
        # A dead child's seconds are counted in hundredths once it is buried.
        assert processes.cpu(parent.pid) >= alive - 0.03


def test_a_process_that_is_gone_counts_nothing(processes: Any) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(60)
    assert (processes.cpu(process.pid), processes.family(process.pid), processes.memory(process.pid)) == (0.0, [], 0.0)
