"""Somebody who asks the page server without a browser: any address, any header, any frame on a page's websocket."""

import asyncio
import http.client
import json
import re
import struct
from typing import Any

import aiohttp

from reviewkit.model import Person
from reviewkit.server.light import frames
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
        return self.opened(path)[0]

    def opened(self, path: str) -> tuple[str, str]:
        """Open a page; gives the id of its process and of the screen's model in it."""
        status, _, text = self.get(path)
        assert status == 200, text
        return page_in(text)

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

    def send(self, path: str, *contents: bytes | dict[str, Any]) -> list[dict[str, Any] | int]:
        """Open a page and press its controls: send each content as a custom message of the screen's model, then look.

        Gives every `done` that comes before the one of the look, or the close code where the connection ends.
        """
        page, model = self.opened(path)
        return self.say(page, *(custom(model, content) for content in contents), custom(model, LOOK))

    def say(self, page: str, *said: bytes) -> list[dict[str, Any] | int]:
        """Send frames to an open page; gives what comes until the `done` of a look."""

        async def whole() -> list[dict[str, Any] | int]:
            address = f"{self.server.url}/api/kernels/{page}/channels?session_id=x"
            answers: list[dict[str, Any] | int] = []
            async with (
                aiohttp.ClientSession(headers={"Cookie": self.cookie}) as session,
                session.ws_connect(address, protocols=[SUBPROTOCOL]) as line,
            ):
                try:
                    for frame in said:
                        await line.send_bytes(frame)
                except ConnectionError:  # it hung up while we were still talking
                    return [1006]
                while True:
                    found = await answer(line)
                    if isinstance(found, dict) and found["seq"] == LOOK["seq"]:
                        return answers
                    answers.append(found)
                    if isinstance(found, int):
                        return answers

        return awaited(whole())


def page_in(text: str) -> tuple[str, str]:
    """The id of the process of a page that was fetched, and of the screen's model in it."""
    found = re.search(r'<script type="application/json" id="page-state">(.*?)</script>', text, re.DOTALL)
    assert found
    state = json.loads(found[1])
    assert state["state"], f"a page without a screen: {text[-600:]}"
    return state["page"], next(iter(state["state"]))


LOOK = {"type": "look", "seq": 99}


async def answer(line: aiohttp.ClientWebSocketResponse, *, patience: float | None = 20) -> dict[str, Any] | int:
    """The next `done` of the page, or the close code where that comes."""
    while True:
        message = await asyncio.wait_for(line.receive(), patience)
        if message.type is aiohttp.WSMsgType.TEXT:
            continue
        if message.type is not aiohttp.WSMsgType.BINARY:
            return line.close_code or 0
        _, told = frames.unpack(message.data)
        content = told["content"]
        if told["msg_type"] == "comm_msg" and content["data"].get("content", {}).get("type") == "done":
            done: dict[str, Any] = content["data"]["content"]
            return done


def header(kind: str) -> dict[str, Any]:
    return {"msg_id": "1", "session": "x", "username": "", "version": "5.3", "msg_type": kind}


def custom(model: str, content: bytes | dict[str, Any]) -> bytes:
    """The frame of a custom message; bytes stand for themselves, so that they need not be JSON of any decent kind."""
    hole = "here-goes-the-content"
    data = {"method": "custom", "content": hole if isinstance(content, bytes) else content}
    frame = frames.pack("shell", header("comm_msg"), {}, {}, {"comm_id": model, "data": data})
    if not isinstance(content, bytes):
        return frame
    whole = frames.part(frame, 4).replace(f'"{hole}"'.encode(), content)
    parts = [b"shell", json.dumps(header("comm_msg")).encode(), b"{}", b"{}", whole]
    offsets = [8 * 7]
    for each in parts:
        offsets.append(offsets[-1] + len(each))
    return struct.pack("<7Q", 6, *offsets) + b"".join(parts)
