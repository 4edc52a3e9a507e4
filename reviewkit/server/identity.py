"""Who is asking: a personal link becomes a signed cookie, and the course service says whose cookie it is."""

import asyncio
import base64
import ipaddress
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tornado import web

from reviewkit import logs, signing
from reviewkit.errors import NotAllowed, ServiceError
from reviewkit.remote import AWAY, refusal
from reviewkit.server.jupyter import AnyAuthorizer, AnyIdentityProvider
from reviewkit.signing import Link, Session

FRESH = 600.0
"""Seconds that a cookie is left as it is."""
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
    session: str = ""
    """The id of the sign-in that they asked with; empty while they only hold a link."""


class Door:
    """The page server's line to the course service."""

    def __init__(self, socket_path: Path, secret: bytes) -> None:
        self.socket_path, self.secret = socket_path, secret
        self._session: aiohttp.ClientSession | None = None

    async def look(self, link: str, client: str) -> Viewer:
        """Whose link it is. Raises NotAllowed when it is nobody's, Ended when it was somebody's, TooOften after many
        that were nobody's, ServiceError when the service is away."""
        return _viewer(await self.ask("/look", {"link": link, "client": client}))

    async def enter(self, link: str, client: str) -> Viewer:
        """Come in by a link; one for one use is used up, once however often the service has to be asked."""
        return _viewer(await self.ask("/enter", {"link": link, "client": client, "request": uuid.uuid4().hex}))

    async def send_link(self, email: str, client: str, url: str) -> None:
        """Raises Invalid or TooOften, and says nothing of who is known. One letter, however often the service has to be
        asked."""
        await self.ask("/letter", {"email": email, "client": client, "url": url, "request": uuid.uuid4().hex})

    async def calendar(self, link: str) -> str:
        """Somebody's own dates as an .ics file. Raises NotAllowed when the link is nobody's, ServiceError."""
        return str((await self.ask("/calendar", {"link": link}))["text"])

    async def reminders(self, link: str, change: bool | None = None) -> bool:
        """Whether somebody wants letters that remind, and from now on with a `change`. Raises as `calendar` does."""
        return bool((await self.ask("/reminders", {"link": link, "change": change}))["wanted"])

    async def sign_out(self, viewer: Viewer) -> None:
        """End the sign-in that somebody asked with, and no other."""
        await self.ask("/sign-out", _said(viewer.username, viewer.serial, viewer.session))

    async def sign_out_everywhere(self, viewer: Viewer) -> None:
        await self.ask("/sign-out-everywhere", _said(viewer.username, viewer.serial, viewer.session))

    async def who(self, session: Session) -> Viewer:
        """Raises NotAllowed when that sign-in no longer holds, ServiceError when the service is away."""
        told = await self.ask("/who", _said(session.person, session.serial, session.id))
        return _viewer(told, session=session.id)

    async def picture(self, session: Session, name: str) -> bytes:
        """A picture of a post. Raises Missing when it is not for them to see, NotAllowed when the sign-in has ended,
        ServiceError when the service is away."""
        told = await self.ask("/picture", {**_said(session.person, session.serial, session.id), "name": name})
        return base64.b64decode(told["body"])

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


def _said(person: str, serial: int, session: str) -> dict[str, Any]:
    return {"person": person, "serial": serial, "session": session}


def _viewer(told: dict[str, Any], *, session: str = "") -> Viewer:
    who, serial = told["person"], told["serial"]
    return Viewer(username=who, name=told["name"], role=told["role"], serial=serial, session=session)


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


def session_of(handler: web.RequestHandler) -> Session | None:
    """The sign-in that a request's cookie carries, as far as its signature and the clock tell."""
    cookie, settings = handler.get_cookie(cookie_name(handler)), handler.settings
    if not cookie:
        return None
    try:
        return signing.check_sign_in(
            settings["secret"], cookie, hours=settings["cookie_hours"], now=settings["clock"]()
        )
    except NotAllowed:
        return None


async def viewer_of(handler: web.RequestHandler) -> Viewer | None:
    """The person whose cookie came with a request; None without a valid one. 503 while the service is away."""
    session = session_of(handler)
    if session is None:
        return None
    try:
        who: Viewer = await handler.settings["door"].who(session)
    except NotAllowed:
        return None
    except ServiceError as error:
        raise web.HTTPError(503) from error
    return who


def client_of(handler: web.RequestHandler) -> str:
    """Who asks, for counting: their address, or their network where everybody has many of them.

    What a header says of it counts only where it comes from the proxy that a setting names.
    """
    peer = handler.request.remote_ip or ""
    if peer and peer == handler.settings["trusted_proxy"]:
        peer = handler.request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or peer
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(address.ipv4_mapped or ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)


def cookie_name(handler: web.RequestHandler) -> str:
    """Bound to this host by its name where https allows it; on loopback, servers on several ports keep apart."""
    if handler.settings["secure"]:
        return "__Host-reviewkit"
    return f"reviewkit-{handler.settings['port']}"


def sign_in(handler: web.RequestHandler, viewer: Viewer) -> None:
    """Begin a session: give the browser its cookie."""
    now = handler.settings["clock"]()
    _give(handler, Link(person=viewer.username, serial=viewer.serial), since=now, now=now)


def renew(handler: web.RequestHandler) -> None:
    """A sign-in that is used goes on: its cookie is renewed now and then."""
    session, now = session_of(handler), handler.settings["clock"]()
    if session is not None and now >= session.used + FRESH:
        _give(handler, session, since=session.since, now=now)


def _give(handler: web.RequestHandler, who: Link, *, since: float, now: float) -> None:
    handler.set_cookie(
        cookie_name(handler),
        signing.sign_in(handler.settings["secret"], who, now=now),
        max_age=int(min(3600 * handler.settings["cookie_hours"], since + signing.LONGEST_SESSION - now)),
        path="/",
        httponly=True,
        secure=handler.settings["secure"],
        samesite="Lax",
    )


def sign_out(handler: web.RequestHandler) -> None:
    secure = handler.settings["secure"]
    handler.clear_cookie(cookie_name(handler), path="/", httponly=True, secure=secure, samesite="Lax")
