"""The suite elsewhere: on other Pythons, and on today's releases of everything.

    python tests/elsewhere.py versions [3.12 ...]   each Python of pyproject.toml that is found here, from the same lock
    python tests/elsewhere.py newest                no lock and no bounds: the assumptions, and a page in a browser

Each has an environment of its own in `.elsewhere`, which can be deleted at any time. Ends with 1 when something does
not hold, with 2 when nothing could be tried, such as without a network; says which in its last lines.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".elsewhere"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = ROOT / "requirements-dev.txt"
SMOKE = "tests/test_server.py::test_a_person_signs_in_sees_their_page_and_signs_out"
"""One page, opened by a browser."""
LONGEST = {"versions": 1200.0, "newest": 280.0}
"""Seconds that one Python, or the newest releases, may take."""


class NotToBeHad(Exception):
    """What is needed to try is not here."""


def python_of(version: str) -> Path | None:
    """An interpreter of that version, newest patch first, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    own = [sys.executable] if version == f"{sys.version_info.major}.{sys.version_info.minor}" else []
    there = [*own, *filter(None, [shutil.which(f"python{version}")])]
    kept = sorted(pyenv.glob(f"{version}.*/bin/python{version}"), key=lambda path: _digits(path.parents[1].name))
    for each in (*there, *map(str, reversed(kept))):
        look = "import sys; print('%d.%d' % sys.version_info[:2])"
        told = subprocess.run([each, "-c", look], capture_output=True, text=True, check=False)
        if told.stdout.strip() == version:  # a shim may be there without what it stands for
            return Path(each)
    return None


def _digits(name: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", name))


class Elsewhere:
    """An environment, and the seconds that are left for it."""

    def __init__(self, name: str, python: Path, seconds: float) -> None:
        self.folder, self.until = PLACE / name, time.monotonic() + seconds
        self.python = self.folder / "bin" / "python"
        if not self.python.exists():
            self.uv("venv", "--clear", "--no-python-downloads", "--python", str(python), str(self.folder))

    def uv(self, *arguments: str) -> None:
        """Raises NotToBeHad with the last thing that it said."""
        code, told = self.run([str(Path(sys.executable).with_name("uv")), "--quiet", *arguments])
        if code:
            raise NotToBeHad(told.strip() or "uv failed")

    def install(self, command: str, *arguments: str) -> None:
        self.uv("pip", command, "--python", str(self.python), *arguments)

    def itself(self) -> None:
        self.install("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))

    def pytest(self, *arguments: str) -> tuple[bool, str]:
        """Whether all went well, and what was told; the last line is the sum."""
        code, told = self.run([str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments])
        return code == 0, told

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        """Its code and its words. Raises NotToBeHad when the time is over; nothing of it is left running."""
        environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=max(0.0, self.until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise NotToBeHad("the time for it was over") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return process.returncode, told

    def packages(self) -> dict[str, str]:
        listed = [str(Path(sys.executable).with_name("uv")), "pip", "list", "--format=json", "--python"]
        told = subprocess.run([*listed, str(self.python)], capture_output=True, text=True, check=True).stdout
        return {each["name"].replace("_", "-").lower(): each["version"] for each in json.loads(told)}


def versions(wanted: Sequence[str]) -> int:
    """The quick part of the suite, and one page in a browser, on every Python that is found."""
    known = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", each)]
    sums, wrong, tried = list[str](), False, 0
    for version in wanted or known:
        python = python_of(version)
        if python is None:
            sums.append(f"Python {version}: there is none here")
            continue
        try:
            place = Elsewhere(version, python, LONGEST["versions"])
            place.install("sync", "--require-hashes", str(LOCK))
            place.itself()
            for what in (["-n", "2", "--dist", "loadgroup", "-m", "not browser and not soak"], [SMOKE]):
                well, told = place.pytest(*what)
                if not well:
                    wrong = True
                    print(told)
                sums.append(f"Python {version}: {told.strip().splitlines()[-1].strip('= ')}")
            tried += 1
        except NotToBeHad as error:
            sums.append(f"Python {version} could not be tried: {error}")
    print("\n".join(sums))
    return 1 if wrong else 0 if tried else 2


def names() -> Iterator[str]:
    """What pyproject.toml asks for, without saying which version."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    for group in (PROJECT["project"]["dependencies"], *extras, PROJECT["dependency-groups"]["dev"]):
        for each in group:
            yield re.split(r"[<>=!~; ]", each, maxsplit=1)[0]


def newest() -> int:
    """What the page server assumes of others, tried on their newest releases."""
    try:
        place = Elsewhere("newest", Path(sys.executable), LONGEST["newest"])
        place.install("install", "--upgrade", *sorted(set(names())))
        place.itself()
        well, told = place.pytest("-W", "default", "tests/test_assumptions.py", SMOKE)
    except NotToBeHad as error:
        print(f"The newest releases could not be tried: {error}")
        return 2
    pinned = re.findall(r"^([a-z0-9][\w.-]*)==([^ ;\\]+)", LOCK.read_text("utf-8"), re.MULTILINE)
    packages = place.packages().items()
    newer = [f"{name} {has}" for name, has in packages if name in dict(pinned) and (name, has) not in pinned]
    if not well:
        print(told)
    print("Other releases than in the lock:", ", ".join(newer) or "none")
    print(f"The newest releases: {'all that we assume holds' if well else 'something we assume does not hold'}")
    print(told.strip().splitlines()[-1].strip("= "))
    return 0 if well else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # by way of `finally`, which ends what was started
    match sys.argv[1:]:
        case ["newest"]:
            sys.exit(newest())
        case ["versions", *wanted]:
            sys.exit(versions(wanted))
        case _:
            sys.exit(__doc__)
