"""The fork server: imports what a page needs once, then forks one process for each page.

On its control socket (SOCK_SEQPACKET) a request `{"env", "cwd"}` comes with one end of a socketpair; the answer is
`{"pid"}` with a pidfd. No thread, event loop, database or TLS may exist here: a fork would carry their locks along.
"""

import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import Any

from reviewkit import logs
from reviewkit.server.light import kernel
from reviewkit.server.limits import limit

MEMORY = 1 << 30
"""Bytes of address space that one page may have."""
FILES = 64
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


def page(sock: socket.socket, request: dict[str, Any]) -> None:
    """What a forked child does, to its end. It leaves by itself when the page server is gone: its socket ends."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    limit(memory=MEMORY, files=FILES)
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
    # A signal that comes just before a wait does not end it, and a child would lie unburied until the next fork; what
    # it writes into this pipe does.
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        if control.fileno() not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(control, 1 << 18, 1)
        if not data:
            break
        answer(control, data, descriptors[0])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # from here on no number can be given to another process
    for pid in CHILDREN:
        os.kill(pid, signal.SIGKILL)


def answer(control: socket.socket, data: bytes, descriptor: int) -> None:
    """Fork one page and tell the page server its number and a handle that cannot mean another process later; or why
    there is none, where the system has no room for it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # a child that ends at once must not be reaped too soon
    try:
        pid = os.fork()
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        os.close(descriptor)
        control.send(json.dumps({"error": error.strerror}).encode())
        return
    if pid == 0:
        code = 1
        try:
            control.close()
            signal.set_wakeup_fd(-1)
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
