"""Who is asking: a personal link becomes a signed cookie, and the course service says whose cookie it is."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tornado import web

from reviewkit import logs, signing
from reviewkit.errors import NotAllowed, ServiceError
from reviewkit.remote import AWAY, refusal
from reviewkit.server.jupyter import AnyAuthorizer, AnyIdentityProvider
from reviewkit.signing import Link

ANSWER = 10.0
"""Seconds to wait for an answer."""
PATIENCE = 4.0
"""Seconds to keep knocking while the course service is being started again."""


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """A verified person of the course. `username` is the name that jupyter_server knows an id under."""

    username: str
    name: str
    role: str
    serial: int


class Door:
    """The page server's line to the course service."""

    def __init__(self, socket_path: Path, secret: bytes) -> None:
        self.socket_path, self.secret = socket_path, secret
        self._session: aiohttp.ClientSession | None = None

    async def enter(self, link: str) -> Viewer:
        """Whose link it is. Raises NotAllowed when it is nobody's, ServiceError when the service is away."""
        return _viewer(await self.ask("/enter", {"link": link}))

    async def who(self, signed_in: Link) -> Viewer:
        """Raises NotAllowed when that sign-in no longer holds, ServiceError when the service is away."""
        return _viewer(await self.ask("/who", {"person": signed_in.person, "serial": signed_in.serial}))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, address: str, said: dict[str, Any], *, patience: float | None = None) -> dict[str, Any]:
        """The service's answer. Raises what the service refuses with, ServiceError when it stays away for longer than
        `patience`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self.socket_path)), timeout=aiohttp.ClientTimeout(ANSWER)
            )
        loop = asyncio.get_running_loop()
        until = loop.time() + (PATIENCE if patience is None else patience)
        while True:
            try:
                status, told = await self._post(self._session, address, said)
                break
            except aiohttp.ClientConnectionError as error:  # asking twice changes nothing
                if loop.time() > until:
                    raise ServiceError(AWAY) from error
                await asyncio.sleep(0.1)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise ServiceError(AWAY) from error
        if status != 200:
            raise refusal(told)
        answer: dict[str, Any] = told
        return answer

    async def _post(self, session: aiohttp.ClientSession, address: str, said: dict[str, Any]) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {signing.server_token(self.secret)}", "X-Request-Id": logs.REQUEST.get()}
        async with session.post(f"http://course{address}", json=said, headers=headers) as response:
            return response.status, await response.json()


def _viewer(told: dict[str, Any]) -> Viewer:
    return Viewer(username=told["person"], name=told["name"], role=told["role"], serial=told["serial"])


class CookieIdentity(AnyIdentityProvider):  # type: ignore[misc]  # untyped on purpose
    """Reads the cookie of a request. There are no tokens, no passwords and no anonymous users."""

    async def get_user(self, handler: web.RequestHandler) -> Viewer | None:
        return await viewer_of(handler)

    def get_handlers(self) -> list[tuple[str, object]]:
        return []


class OwnerAuthorizer(AnyAuthorizer):  # type: ignore[misc]  # untyped on purpose
    """Lets only the owner of a page reach its process."""

    def is_authorized(self, handler: Any, user: Viewer, action: str, resource: str) -> bool:
        kernel_id = handler.path_kwargs.get("kernel_id")
        return bool(kernel_id) and handler.kernel_manager.owners.get(kernel_id) == user.username


async def viewer_of(handler: web.RequestHandler) -> Viewer | None:
    """The person whose cookie came with a request; None without a valid one. 503 while the service is away."""
    cookie = handler.get_cookie(cookie_name(handler))
    if not cookie:
        return None
    try:
        who: Viewer = await handler.settings["door"].who(signing.check_sign_in(handler.settings["secret"], cookie))
    except NotAllowed:
        return None
    except ServiceError as error:
        raise web.HTTPError(503) from error
    return who


def cookie_name(handler: web.RequestHandler) -> str:
    """Bound to this host by its name where https allows it; on loopback, servers on several ports keep apart."""
    if handler.settings["secure"]:
        return "__Host-reviewkit"
    return f"reviewkit-{handler.settings['port']}"


def sign_in(handler: web.RequestHandler, viewer: Viewer) -> None:
    value = signing.sign_in(handler.settings["secret"], Link(person=viewer.username, serial=viewer.serial))
    handler.set_cookie(
        cookie_name(handler),
        value,
        max_age=signing.SIGN_IN_AGE,
        path="/",
        httponly=True,
        secure=handler.settings["secure"],
        samesite="Lax",
    )


def sign_out(handler: web.RequestHandler) -> None:
    secure = handler.settings["secure"]
    handler.clear_cookie(cookie_name(handler), path="/", httponly=True, secure=secure, samesite="Lax")
