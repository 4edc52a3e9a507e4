"""What this suite assumes of the programs that run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole import failed_in

ROOT = Path(__file__).parents[1]


@pytest.mark.xdist_group("together")
def test_tests_of_one_group_are_run_by_one_worker(request: pytest.FixtureRequest) -> None:
    """A group's name is in the names of its tests. Where it is not, every worker makes what a group shares, and nothing
    else tells: pytest 9.2 was that with pytest-xdist 3.8."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("nobody asked for groups: pytest -n 2 --dist loadgroup does")
    assert request.node.nodeid.endswith("@together")


@pytest.mark.parametrize(
    ("noted", "run"),
    [
        ("tests/test_a.py::test_b", "tests/test_a.py::test_b"),
        ("tests/test_a.py::test_b@server", "tests/test_a.py::test_b"),
        ("tests/test_a.py::test_b[in review]@served-in-review", "tests/test_a.py::test_b[in review]"),
        ("tests/test_a.py::test_b[ann@school.example]", "tests/test_a.py::test_b[ann@school.example]"),
    ],
)
def test_what_failed_beside_others_can_be_run_alone_by_its_name(tmp_path: Path, noted: str, run: str) -> None:
    (tmp_path / "v" / "cache").mkdir(parents=True)
    (tmp_path / "v" / "cache" / "lastfailed").write_text(json.dumps({noted: True}))
    assert failed_in(tmp_path) == [run]


@pytest.mark.parametrize(("passes", "code"), [("never", 1), ("alone", 0)])
def test_what_fails_alone_too_has_failed(tmp_path: Path, passes: str, code: int) -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-c", WHOLE, str(tmp_path), passes]
    told = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert told.returncode == code, told.stdout + told.stderr
    assert "Once more, alone: 1" in told.stdout
    assert ("Passed alone" in told.stdout) == (code == 0)


WHOLE = f"""
import pathlib, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.whole import whole
here = pathlib.Path(sys.argv[1])
fails = "not mark.exists()" if sys.argv[2] == "alone" else "True"
(here / "test_x.py").write_text(f'''
import pathlib
def test_x():
    mark = pathlib.Path(__file__).with_name("mark")
    fails = {{fails}}
    mark.touch()
    assert not fails
''')
sys.exit(whole("-q", "--rootdir", str(here), "test_x.py"))
"""
