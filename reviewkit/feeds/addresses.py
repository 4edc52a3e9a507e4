"""Which addresses may be fetched: judged as written, and again on the very socket address that is dialled."""

import errno
import ipaddress
import re
import socket
from typing import Any

from yarl import URL

from reviewkit.errors import FeedError

_PORTS = frozenset({80, 443})
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "2001::/23",  # Teredo and others for protocols: an IPv4 address may be inside
        "2002::/16",  # 6to4: the same
        "3fff::/20",  # for documents; older Pythons take it for public
        "192.0.0.0/24",  # for protocols
        "192.88.99.0/24",  # relays of 6to4
    )
)
"""What Python calls global, and what still leads to somebody's inner network or nowhere."""
_UNICAST = ipaddress.ip_network("2000::/3")
"""All that was ever given out of IPv6 (RFC 4291, 2.4). Outside are IPv4 in its many disguises (::/96, 64:ff9b::/96,
::ffff:0:0:0/96), link-local, site-local and unique local addresses."""
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.IGNORECASE)
_INNER = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")
"""Names that mean something on one machine or in one network only (RFC 6761, RFC 6762, RFC 8375)."""


class PrivateAddress(OSError):
    """Raised instead of dialling an address that is not on the public internet."""

    WORDS = "not an address of the public internet"

    def __init__(self) -> None:
        super().__init__(errno.EACCES, self.WORDS)


class TooMuch(OSError):
    """Raised when a site has sent more bytes on one connection than any answer that would be read."""

    WORDS = "more than is read from one site"

    def __init__(self) -> None:
        super().__init__(errno.EMSGSIZE, self.WORDS)


class CountedSocket(socket.socket):
    """A socket that stops listening after so much, whatever it was: headers, padding of chunks, hints without end.

    A connection is for one answer. Raises TooMuch from either way in which a transport reads.
    """

    MOST = 8 * 1024 * 1024
    heard = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data = super().recv(size, flags)
        self._count(len(data))
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0, /) -> int:
        got = super().recv_into(buffer, size, flags)
        self._count(got)
        return got

    def _count(self, number: int) -> None:
        self.heard += number
        if self.heard > self.MOST:
            raise TooMuch


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody on the internet would reach the same site under."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip not in _UNICAST:
            return False
    if any(ip.version == net.version and ip in net for net in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address about to be dialled (as `getaddrinfo` gives it). Raises PrivateAddress."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress
    return CountedSocket(family, kind, protocol)


def open_socket(info: tuple[Any, ...]) -> socket.socket:
    """The same without judging the address (tests, the demo)."""
    family, kind, protocol, *_ = info
    return CountedSocket(family, kind, protocol)


def is_inner(host: str) -> bool:
    """Whether a host as written leads inside, in whatever spelling: seen without asking a name server.

    Numbers are read as the system's dialler reads them: 127.1, 0177.0.0.1, 0x7f000001 and 2130706433 are all loopback.
    """
    name = host.rstrip(".").lower()
    if ":" in name:
        return not is_public(name)
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, UnicodeError):
        return any(name == each or name.endswith(f".{each}") for each in _INNER)


def checked(address: str | URL, *, allow_private: bool, said: str) -> URL:
    """The address if it may be asked for at all. `said` is what the person wrote, for the error. Raises FeedError.

    A host that leads inside is refused here as far as its spelling tells; where a name leads is judged when it is
    dialled. `allow_private` lets inner hosts and other ports through (tests, the demo).
    """
    no_address = f"{str(address)[:200]!r} is not a web address; it should begin with https://."
    try:
        url = address if isinstance(address, URL) else URL(address.strip())
        port, host = url.port, url.raw_host or ""
    except ValueError as error:
        raise FeedError(no_address, url=said) from error
    if url.scheme not in ("http", "https") or not host:
        raise FeedError(no_address, url=said)
    if url.raw_user is not None or url.raw_password is not None:
        raise FeedError("The address holds a name or password; give the feed's public address.", url=said)
    if ":" not in host and (len(host) > 254 or not _NAME.fullmatch(host) or max(map(len, host.split("."))) > 63):
        raise FeedError(no_address, url=said)
    if not allow_private and port not in _PORTS:
        raise FeedError(
            f"Feeds are only fetched from the web's own ports, and this address names port {port}.", url=said
        )
    if not allow_private and is_inner(host):
        raise FeedError(private_words(host), url=said)
    return url.with_fragment(None)


def private_words(host: str) -> str:
    return f"{host} is not on the public internet, so its feed cannot be fetched."
