"""What the server signs: personal links, sign-ins, and the statements that a page carries to the course service.

Everything is signed with one secret under a salt of its own, so that a link is no sign-in and a page's token opens
nothing but its page. Each names the person and a serial, of their links or of their sessions: raising it makes all of
them worthless at once. A session has an id besides, by which it ends alone. Signatures are compared in constant time.
"""

import hashlib
import hmac
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, SignatureExpired, URLSafeSerializer, URLSafeTimedSerializer

from reviewkit.errors import ConfigError, NotAllowed

SECRET_FILE = "server.secret"  # noqa: S105 (the name of a file, no secret)
DAY = 86_400
LONGEST_SESSION = 30 * DAY
"""Seconds after which somebody signs in again, however busy they are."""
COOKIE_HOURS = 12
NO_LINK = "This sign-in link is not one of ours, or it was replaced. Ask for a new one."
NO_PRIVATE = "This link is not one of ours, or it was replaced."
NO_SESSION = "Your sign-in has ended. Open your personal link again."
PAGE_AGE = 7 * DAY
"""Seconds that a page may stay open and still save."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link or a sign-in says: who, and the serial that must still be theirs."""

    person: str
    serial: int


@dataclass(frozen=True, kw_only=True)
class OnceLink(Link):
    """A link that works once, until a moment (in seconds since 1970)."""

    key: str
    until: int


@dataclass(frozen=True, kw_only=True)
class Session(Link):
    """A sign-in of one browser: the id by which it can end alone, since when it is, and when the browser was last heard
    of (in seconds since 1970)."""

    id: str
    since: int
    used: int


@dataclass(frozen=True, kw_only=True)
class PageToken:
    """What a page carries: who looks at which screen in which page process, by which sign-in."""

    person: str
    screen: str
    page: str
    serial: int
    session: str = ""


def read_secret(directory: Path) -> bytes:
    """The server's secret: from REVIEWKIT_SECRET_FILE, else from a file beside the course, made on first use.

    Raises ConfigError when the file is short or other people may read it.
    """
    named = os.environ.get("REVIEWKIT_SECRET_FILE")
    path = Path(named) if named else directory / SECRET_FILE
    try:
        if not named:
            make_secret(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path} holds the server's secret and others may read it: run chmod 600 on it.")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"The server's secret in {path} cannot be read: {error.strerror}.") from error
    if len(secret) < 32:
        raise ConfigError(f"The server's secret in {path} is shorter than 32 characters: delete it to have a new one.")
    return secret


def make_secret(path: Path) -> None:
    """Write a new secret where there is none. Of two processes that try at once, one wins and both read the same."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(48).encode() + b"\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def link(secret: bytes, person: str, serial: int, public_url: str) -> str:
    """A person's sign-in link: it opens a page with one button, and works until the serial is raised."""
    return f"{public_url.rstrip('/')}/enter/{URLSafeSerializer(secret, salt='link').dumps([person, serial])}"


def link_for_one_use(secret: bytes, person: str, serial: int, public_url: str, *, until: float) -> str:
    """A sign-in link that works once, and no longer than `until` (seconds since 1970)."""
    said = [person, serial, secrets.token_urlsafe(16), int(until)]
    return f"{public_url.rstrip('/')}/enter/{URLSafeSerializer(secret, salt='link for one use').dumps(said)}"


def check_link(secret: bytes, token: str) -> Link | OnceLink:
    """What the last part of a link says. Raises NotAllowed when nobody here signed it."""
    try:
        match URLSafeSerializer(secret, salt="link for one use").loads(token):
            case [str(person), int(serial), str(key), int(until)]:
                return OnceLink(person=person, serial=serial, key=key, until=until)
    except BadData:
        pass
    try:
        match URLSafeSerializer(secret, salt="link").loads(token):
            case [str(person), int(serial)]:
                return Link(person=person, serial=serial)
    except BadData as error:
        raise NotAllowed(NO_LINK) from error
    raise NotAllowed(NO_LINK)


def sign_in(secret: bytes, who: Link, *, now: float | None = None) -> str:
    """The value of the cookie that keeps a browser signed in. A link begins a session of its own, a Session goes on."""
    now = time.time() if now is None else now
    if not isinstance(who, Session):
        id = secrets.token_urlsafe(16)
        who = Session(person=who.person, serial=who.serial, id=id, since=int(now), used=int(now))
    said = [who.person, who.serial, who.id, who.since, int(now)]
    return _text(URLSafeSerializer(secret, salt="sign-in").dumps(said))


def check_sign_in(secret: bytes, value: str, *, hours: float = COOKIE_HOURS, now: float | None = None) -> Session:
    """Raises NotAllowed when it is forged, was not used for so many hours, or began too long ago."""
    now = time.time() if now is None else now
    try:
        match URLSafeSerializer(secret, salt="sign-in").loads(value):
            case [str(person), int(serial), str(id), int(since), int(used)]:
                if now < used + 3600 * hours and now < since + LONGEST_SESSION:
                    return Session(person=person, serial=serial, id=id, since=since, used=used)
    except BadData as error:
        raise NotAllowed(NO_SESSION) from error
    raise NotAllowed(NO_SESSION)


def private(secret: bytes, purpose: str, person: str, serial: int) -> str:
    """The last part of a private link that opens one thing and signs nobody in."""
    return _text(URLSafeSerializer(secret, salt=f"private {purpose}").dumps([person, serial]))


def check_private(secret: bytes, purpose: str, token: str) -> Link:
    """Raises NotAllowed when nobody here signed it for this purpose."""
    try:
        match URLSafeSerializer(secret, salt=f"private {purpose}").loads(token):
            case [str(person), int(serial)]:
                return Link(person=person, serial=serial)
    except BadData as error:
        raise NotAllowed(NO_PRIVATE) from error
    raise NotAllowed(NO_PRIVATE)


def keyed(secret: bytes, *words: str) -> str:
    """A name for something that may be counted but not be kept, such as an address."""
    return hmac.new(secret, "\0".join(words).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def page_token(secret: bytes, token: PageToken) -> str:
    said = [token.person, token.screen, token.page, token.serial, token.session]
    return _text(URLSafeTimedSerializer(secret, salt="page").dumps(said))


def check_page_token(secret: bytes, value: str) -> PageToken:
    """Raises NotAllowed when it is forged or too old."""
    try:
        said = URLSafeTimedSerializer(secret, salt="page").loads(value, max_age=PAGE_AGE)
        match said:
            case [str(person), str(screen), str(page), int(serial), str(session)]:
                return PageToken(person=person, screen=screen, page=page, serial=serial, session=session)
    except SignatureExpired as error:
        raise NotAllowed("This page has been open for a week. Copy what you typed, then reload it.") from error
    except BadData as error:
        raise NotAllowed("This page may not ask for that. Reload it.") from error
    raise NotAllowed("This page may not ask for that. Reload it.")


def server_token(secret: bytes) -> str:
    """What the page server shows to the course service when it asks who somebody is."""
    return _text(URLSafeTimedSerializer(secret, salt="server").dumps("page server"))


def is_server_token(secret: bytes, value: str) -> bool:
    try:
        return bool(URLSafeTimedSerializer(secret, salt="server").loads(value, max_age=60) == "page server")
    except BadData:
        return False


def _text(signed: str | bytes) -> str:
    return signed if isinstance(signed, str) else signed.decode()
