"""Find a Chromium for the browser tests, or get one: installed, else playwright's, else the system's package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The shell is Chromium without the browser's own windows, which draw themselves beside every tab, headless too."""


def installed() -> str | None:
    """The path of a browser that is already here, or None."""
    named = os.environ.get("REVIEWKIT_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def attempt(command: list[str], seconds: int) -> bool:
    try:
        return subprocess.run(command, timeout=seconds, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    if installed():
        return 0
    attempt([sys.executable, "-m", "playwright", "install", "chromium"], 300)
    if installed():
        return 0
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and attempt([*sudo, "apt-get", "update", "-qq"], 300):
        attempt([*sudo, "apt-get", "install", "-y", "-qq", "chromium-headless-shell"], 900) or attempt(
            [*sudo, "apt-get", "install", "-y", "-qq", "chromium"], 900
        )
    if installed():
        return 0
    print(
        "No browser could be found or installed: install Chromium, or name one in REVIEWKIT_CHROMIUM.", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
