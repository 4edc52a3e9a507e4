"""Which addresses may be fetched: judged as written, and again on the very socket address that is dialled."""

import errno
import ipaddress
import socket
from typing import Any

from yarl import URL

from reviewkit.errors import FeedError

_PORTS = frozenset({80, 443})
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "::/96",  # IPv4 in IPv6 of old: `is_global` takes ::127.0.0.1 for a public address
        "64:ff9b::/96",  # translated IPv4: leads wherever the translator stands
        "64:ff9b:1::/48",
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "fec0::/10",  # site-local of old
        "192.88.99.0/24",  # relays of 6to4
    )
)
"""What Python calls global, and what still leads to somebody's inner network."""


class PrivateAddress(OSError):
    """Raised instead of dialling an address that is not on the public internet."""

    WORDS = "not an address of the public internet"

    def __init__(self) -> None:
        super().__init__(errno.EACCES, self.WORDS)


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody on the internet would reach the same site under."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip.version == net.version and ip in net for net in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address about to be dialled (as `getaddrinfo` gives it). Raises PrivateAddress."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress
    return socket.socket(family, kind, protocol)


def checked(address: str | URL, *, allow_private: bool, said: str) -> URL:
    """The address if it may be asked for at all. `said` is what the person wrote, for the error. Raises FeedError."""
    try:
        url = address if isinstance(address, URL) else URL(address.strip())
        port = url.port
    except ValueError as error:
        raise FeedError(
            f"{str(address)[:200]!r} is not a web address; it should begin with https://.", url=said
        ) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FeedError(f"{str(address)[:200]!r} is not a web address; it should begin with https://.", url=said)
    if url.user or url.password:
        raise FeedError("The address holds a name or password; give the feed's public address.", url=said)
    if not allow_private and port not in _PORTS:
        raise FeedError(
            f"Feeds are only fetched from the web's own ports, and this address names port {port}.", url=said
        )
    return url.with_fragment(None)
