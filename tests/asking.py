"""Somebody who asks the page server without a browser: any address, any header, any frame on a page's websocket."""

import asyncio
import http.client
import json
import re
from typing import Any

import aiohttp

from reviewkit.model import Person
from reviewkit.server.light.manager import SUBPROTOCOL
from tests.serving import Server, awaited


class Asker:
    """Somebody who asks without a browser."""

    def __init__(self, server: Server, person: Person | None = None) -> None:
        self.server, self.cookie = server, ""
        if person:
            status, headers, _ = self.ask("POST", server.link(person).removeprefix(server.url), origin=server.url)
            assert status == 303
            self.cookie = headers["Set-Cookie"].split(";")[0]

    def ask(self, method: str, path: str, *, origin: str = "", **more: str) -> tuple[int, Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        headers = {"Cookie": self.cookie} | ({"Origin": origin} if origin else {}) | more
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        text = "" if response.getheader("Content-Encoding") else body.decode("utf-8", "replace")
        return response.status, response.headers, text

    def get(self, path: str) -> tuple[int, Any, str]:
        return self.ask("GET", path)

    def page(self, path: str) -> str:
        """Open a page; gives the id of its process."""
        status, _, text = self.get(path)
        assert status == 200, text
        state = re.search(r'<script type="application/json" id="page-state">(.*?)</script>', text, re.DOTALL)
        assert state
        page: str = json.loads(state[1])["page"]
        return page

    def socket(self, page: str, *said: bytes | str, origin: str = "") -> int | str:
        """Try the websocket of a page: the status of a refusal, or the first text or close code that comes."""

        async def whole() -> int | str:
            address = f"{self.server.url}/api/kernels/{page}/channels?session_id=x"
            headers = {"Cookie": self.cookie} | ({"Origin": origin} if origin else {})
            async with aiohttp.ClientSession(headers=headers) as session:
                try:
                    async with session.ws_connect(address, protocols=[SUBPROTOCOL]) as line:
                        for each in (*said, "?"):
                            await (line.send_str(each) if isinstance(each, str) else line.send_bytes(each))
                        while True:
                            message = await asyncio.wait_for(line.receive(), 20)
                            if message.type is aiohttp.WSMsgType.TEXT:
                                return str(message.data)
                            if message.type is not aiohttp.WSMsgType.BINARY:
                                return line.close_code or 0
                except aiohttp.WSServerHandshakeError as error:
                    return error.status

        return awaited(whole())
