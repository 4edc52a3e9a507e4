"""The whole suite as `make test` runs it: on two workers, and what fails there once more by itself.

    python tests/whole.py [options of pytest]

A machine of two cores that others use too is now and then too slow for one of five thousand tests. A test that fails
beside others is therefore tried again, alone; when it passes, its name is printed, so that somebody looks for the
chance in it. What fails twice has failed. More than a handful, a crash or an interruption is never tried again.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HANDFUL = 5
FAILED = 1
"""What pytest answers when tests failed, and nothing else was wrong."""
_GROUP = re.compile(r"@[^\]\s/]+$")
"""What pytest-xdist adds to the name of a test of a group."""


def run(*options: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *options], check=False).returncode


def failed_in(cache: Path) -> list[str]:
    """The tests that pytest noted as failed, by the names under which they can be run."""
    noted = cache / "v" / "cache" / "lastfailed"
    return sorted({_GROUP.sub("", name) for name in json.loads(noted.read_text())}) if noted.exists() else []


def whole(*options: str) -> int:
    """pytest's answer; 0 when everything passed, at the latest alone."""
    with tempfile.TemporaryDirectory() as folder:
        code = run("-n", "2", "--dist", "loadgroup", "-o", f"cache_dir={folder}", *options)
        failed = failed_in(Path(folder)) if code == FAILED else []
    if not failed or len(failed) > HANDFUL:
        return code
    print(f"\n-- Once more, alone: {len(failed)} that failed beside others\n", flush=True)
    code = run("-p", "no:cacheprovider", *failed)
    if code == 0:
        print("\n-- Passed alone, and by chance not before. Look for the chance in:", *failed, sep="\n   ", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(whole(*sys.argv[1:]))
