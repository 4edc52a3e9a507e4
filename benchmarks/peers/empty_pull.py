"""A class's feeds asked for and nothing else: what the network and its library cost whoever uses them. Told by pull.py.

The same library, the same sockets and as many sites at a time as reviewkit; nothing is unpacked, read or kept.
"""

import asyncio
import json
import sys

import aiohttp

from reviewkit.feeds.addresses import open_socket
from reviewkit.feeds.fetch import AT_ONCE

feeds = json.loads(sys.stdin.readline())
tags: dict[str, str] = {}


async def pull() -> int:
    connector = aiohttp.TCPConnector(force_close=True, limit=0, socket_factory=open_socket)
    places = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def one(feed: str) -> int:
            known = {"If-None-Match": tags[feed]} if feed in tags else {}
            async with places, session.get(feed, headers={"Accept-Encoding": "gzip", **known}) as answer:
                await answer.read()
                tags.update({feed: answer.headers["ETag"]} if "ETag" in answer.headers else {})
                return answer.status

        return [status in (200, 304) for status in await asyncio.gather(*map(one, feeds))].count(False)


print("ready", flush=True)
while sys.stdin.readline():
    print(json.dumps({"new": 0, "failed": asyncio.run(pull())}), flush=True)
