"""Names of sites become addresses, many at a time, in threads of their own.

The system's look-up holds up the thread that asks. A loop's common threads are a handful, and the store's steps are
taken in them too: behind a few hosts that are gone, whose look-up takes ten seconds, a whole class would stand in line.
"""

import asyncio
import functools
import socket
from concurrent.futures import ThreadPoolExecutor
from socket import getaddrinfo

from aiohttp.abc import AbstractResolver, ResolveResult

LOOKUPS = 32
"""Names that are looked up at a time."""
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_CONFIGURED = socket.AI_ADDRCONFIG & getattr(socket, "AI_MASK", socket.AI_ADDRCONFIG)


class Names(AbstractResolver):
    """Asks the system, whose answers are judged when they are dialled. `close` waits for nothing."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises OSError where there are none."""
        ask = functools.partial(getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=_CONFIGURED)
        told = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        found = [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=_NUMERIC)
            for kind, _, protocol, _, address in told
            # One with a scope leads to a neighbour on the same wire, and is nobody's site.
            if kind == socket.AF_INET or (kind == socket.AF_INET6 and len(address) == 4 and not address[3])
        ]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address that can be dialled")
        return found

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
