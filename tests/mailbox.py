"""A real mail server for tests: aiosmtpd on loopback, with TLS and passwords, that keeps what it is given."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from reviewkit.config import Mail
from tests.certificates import certified
from tests.serving import free_port

USER, PASSWORD = "course", "open-sesame"


@dataclass
class Mailbox:
    """What arrived, and how: each letter with the addresses it went to."""

    port: int
    folder: Path
    security: str
    letters: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    under_tls: list[bool] = field(default_factory=list)
    full: bool = False

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def password_file(self) -> Path:
        path = self.folder / "password"
        if not path.exists():
            path.touch(0o600)
            path.write_text(PASSWORD + "\n")
        return path

    def settings(self, **other: Any) -> Mail:
        said: dict[str, Any] = {
            "host": "localhost",
            "port": self.port,
            "security": self.security,
            "user": USER,
            "sender": "course@reviews.example",
            "password_file": self.password_file,
        }
        return Mail(**{**said, **other})

    # -- what aiosmtpd asks

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        if self.full:
            return "452 No room for " + ", ".join(envelope.rcpt_tos)
        letter = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.to.append(envelope.rcpt_tos)
        self.under_tls.append(session.ssl is not None or self.security == "tls")
        return "250 Kept"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)


@contextmanager
def mailbox(folder: Path, security: str = "starttls", *, port: int = 0) -> Iterator[Mailbox]:
    """A server that takes letters from who knows the password, under TLS; `security` is starttls, tls or none."""
    _, certificate = certified(folder, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    port = port or free_port()
    box = Mailbox(port=port, folder=folder, security=security)
    secured: dict[str, Any] = {
        "starttls": {"tls_context": context, "require_starttls": True, "auth_required": True},
        "tls": {"ssl_context": context, "auth_require_tls": False},
        "none": {},
    }[security]
    controller = Controller(box, hostname="127.0.0.1", port=port, authenticator=box.authenticate, **secured)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
