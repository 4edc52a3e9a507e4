"""The fork server: imports what a page needs once, then forks one process for each page.

On its control socket (SOCK_SEQPACKET) a request `{"env", "cwd"}` comes with one end of a socketpair; the answer is
`{"pid"}` with a pidfd. No thread, event loop, database or TLS may exist here: a fork would carry their locks along.
"""

import ctypes
import gc
import importlib
import json
import os
import random
import resource
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import Any

from reviewkit import logs
from reviewkit.server.light import kernel

PR_SET_NO_NEW_PRIVS = 38
MEMORY = 1 << 30
"""Bytes of address space that one page may have."""
FILES = 64
SECONDS = 3_600
"""Processor seconds in a page's whole life; the page server ends a message that takes too long much earlier."""
LIBC = ctypes.CDLL(None)
CHILDREN: set[int] = set()


def prepare(modules: Sequence[str]) -> None:
    """Import, then freeze: else the first full collection of a page writes into every object's header and makes
    megabytes of shared memory private."""
    gc.disable()
    logs.set_up(small=True)
    kernel.adopt_comms()
    for name in modules:
        importlib.import_module(name)
    if threading.active_count() != 1:
        raise RuntimeError(f"no page can be forked: an import has started threads: {threading.enumerate()}")
    gc.collect()
    gc.freeze()


def limit() -> None:
    """A page gets no new rights, and no more than its share of the machine."""
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def page(sock: socket.socket, request: dict[str, Any]) -> None:
    """What a forked child does, to its end. It leaves by itself when the page server is gone: its socket ends."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    limit()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    random.seed()
    gc.enable()
    kernel.start(sock)


def reap(*_: object) -> None:
    try:
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            CHILDREN.discard(pid)
    except ChildProcessError:
        return


def serve(control: socket.socket, modules: Sequence[str]) -> None:
    """Fork until the page server hangs up; then end the pages that have not noticed because they are busy."""
    prepare(modules)
    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1 << 18, 1)
        if not data:
            break
        answer(control, data, descriptors[0])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # from here on no number can be given to another process
    for pid in CHILDREN:
        os.kill(pid, signal.SIGKILL)


def answer(control: socket.socket, data: bytes, descriptor: int) -> None:
    """Fork one page and tell the page server its number and a handle that cannot mean another process later."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # a child that ends at once must not be reaped too soon
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            control.close()
            page(socket.socket(fileno=descriptor), json.loads(data))
            code = 0
        finally:
            os._exit(code)
    CHILDREN.add(pid)
    os.close(descriptor)
    handle = os.pidfd_open(pid)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [handle])
    os.close(handle)


if __name__ == "__main__":
    # "python -m" makes a second copy of this module under the name __main__: work with the real one.
    from reviewkit.server.light import fork

    fork.serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
