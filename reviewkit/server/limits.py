"""What a page's process may take of the machine, whichever kernel it runs on. Standard library only."""

import ctypes
import resource
import sys
from contextlib import suppress

PR_SET_NO_NEW_PRIVS = 38
SECONDS = 3_600
"""Processor seconds in a page's whole life; the page server ends a message that takes too long much earlier."""


def limit(*, memory: int, files: int) -> None:
    """From here on this process gets no new rights, `memory` bytes of address space and so many open files.

    Some of it is Linux's alone: elsewhere each limit holds that the system has.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):  # macOS has no limit of address space
            resource.setrlimit(what, (most, most))
