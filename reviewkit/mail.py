"""Sending mail: the one module that knows SMTP. Nothing leaves this machine in the clear."""

import ipaddress
import smtplib
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol

from reviewkit.errors import MailError

PATIENCE = 10.0
"""Seconds to wait for the mail server at each step."""


class MailServer(Protocol):
    """What `[mail]` says; the password is in a file that its owner alone can read."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def security(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def password_file(self) -> Path | None: ...


def send(server: MailServer, to: str, subject: str, text: str, *, id: str = "") -> None:
    """Send one plain letter to one address; mail programs know one that comes twice with the same `id` (letters,
    digits and dots) for one. Raises MailError, which names neither the address nor the text."""
    letter = _letter(server.sender, to, subject, text, id)
    with _telling(server), _connected(server) as line:
        line.send_message(letter)


def try_out(server: MailServer) -> None:
    """Everything that sending needs, but for a letter. Raises MailError."""
    _letter(server.sender, server.sender, "", "")
    with _telling(server), _connected(server):
        pass


def _letter(sender: str, to: str, subject: str, text: str, id: str = "") -> EmailMessage:
    letter = EmailMessage()
    try:
        letter["From"] = Address(addr_spec=sender)
        letter["To"] = Address(addr_spec=to)
    except (ValueError, IndexError, MessageError) as error:  # which of them, depends on the Python
        raise MailError("An address cannot be written to: look at [mail] sender and at the roster.") from error
    letter["Subject"] = " ".join(subject.split())
    letter["Date"] = formatdate()
    domain = sender.rpartition("@")[2]
    letter["Message-ID"] = f"<{id}@{domain}>" if id else make_msgid(domain=domain)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return letter


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    password, trusted = _password(server), ssl.create_default_context()
    if server.security == "none" and not _loopback(server.host):
        raise MailError(f"Mail to {server.host} would travel in the clear: set [mail] security to starttls or tls.")
    line = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=trusted)
        if server.security == "tls"
        else smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
    )
    with line:
        if server.security == "starttls":
            line.starttls(context=trusted)
        if server.user:
            line.login(server.user, password)
        yield line


def _password(server: MailServer) -> str:
    """Raises MailError when the file cannot be read, or when others can read it too."""
    path = server.password_file
    if path is None:
        if server.user:
            raise MailError("[mail] names a user, but REVIEWKIT_SMTP_PASSWORD_FILE does not name the password's file.")
        return ""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise MailError(f"{path} holds the mail server's password and others may read it: run chmod 600 on it.")
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise MailError(f"The mail server's password in {path} cannot be read.") from error


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _telling(server: MailServer) -> Iterator[None]:
    """What a mail server answers may repeat the address: only what kind of failure it was is told."""
    name = f"The mail server {server.host}:{server.port}"
    try:
        yield
    except ssl.SSLError as error:
        raise MailError(f"{name} cannot prove that it is {server.host}: look at its certificate.") from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(f"{name} offers no way to do this safely: look at [mail] security and user.") from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(f"{name} does not take this user and password.") from error
    except smtplib.SMTPConnectError as error:
        raise MailError(f"{name} does not answer: it refused the connection.") from error
    except smtplib.SMTPResponseException as error:
        raise MailError(f"{name} did not take the letter ({error.smtp_code}).") from error
    except smtplib.SMTPException as error:
        raise MailError(f"{name} did not take the letter ({type(error).__name__}).") from error
    except OSError as error:
        raise MailError(f"{name} does not answer: {error.strerror or 'it is too slow'}.") from error
