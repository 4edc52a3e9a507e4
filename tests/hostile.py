"""A small internet on loopback: names, addresses that look public, and servers that behave or do anything but.

The guard stays on. Names are resolved here, every address is judged by the product's own guard as it is dialled, and
only then is the socket led to the server that stands in for it; an address without a server refuses the connection.
"""

import gzip
import itertools
import json
import socket
import socketserver
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from reviewkit.feeds.addresses import CountedSocket, PrivateAddress, guarded_socket
from tests.blogs import post, rss
from tests.certificates import certified

LOOPBACK = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0X7F.0.0.0x1",
    "127.0.0.1.",
    "127.8.9.10",
    "localhost",
    "LOCALHOST.",
    "blog.localhost",
    "printer.local",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fec0::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fc00::1]",
    "[ff02::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "ⓛocalhost",
    "loopback.example",
    "mapped.example",
    "both-inside.example",
)
"""Every spelling of an address inside that a redirect may name; the last three are names that lead there."""
INSIDE: Mapping[str, Sequence[str]] = {
    "loopback.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "both-inside.example": ["10.0.0.7", "::1"],
}


@dataclass
class Line:
    """A connection that a server has taken, with what was asked."""

    socket: socket.socket
    path: str
    headers: dict[str, str]
    over: threading.Event

    def send(self, *parts: str | bytes) -> None:
        for part in parts:
            self.socket.sendall(part.encode() if isinstance(part, str) else part)

    def answer(self, body: str | bytes, status: str = "200 OK", **headers: str) -> None:
        """A decent answer; `headers` are written with underscores."""
        data = body.encode() if isinstance(body, str) else body
        given = {"Content-Type": "application/rss+xml", "Content-Length": str(len(data))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self.send(f"HTTP/1.1 {status}\r\n{head}Connection: close\r\n\r\n", data)

    def drip(self, part: str | bytes, every: float = 0.05) -> None:
        """Send a little, for ever: until the visitor leaves."""
        while not self.over.wait(every):
            self.send(part)

    def pour(self, part: bytes) -> None:
        """Send as much as the visitor takes, for ever."""
        while not self.over.is_set():
            self.send(part)


Site = Callable[[Line], None]


@dataclass
class Names(AbstractResolver):
    """Answers from a table; a name with several answers gives the next one each time, and keeps the last."""

    table: dict[str, list[list[str]]]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = self.table.get(host.rstrip("."))
        if not answers:
            raise OSError(f"no name server knows {host}")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


class StandIn(CountedSocket):
    """A socket that reaches the server which stands in for a public address."""

    where: tuple[str, int]

    def connect(self, address: Any) -> None:
        super().connect(self.where)


@dataclass
class Internet:
    """`names` is for a resolver, `servers` says which port of loopback stands in for an address and its port.

    It travels as JSON to the process that pulls. `refused` and `dialled` are the addresses that were judged there.
    """

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    servers: dict[str, int] = field(default_factory=dict)
    trusted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def plan(self) -> str:
        return json.dumps({"names": self.names, "servers": self.servers, "trusted": self.trusted})

    @classmethod
    def planned(cls, plan: str) -> "Internet":
        return cls(**json.loads(plan))

    def resolver(self) -> Names:
        return Names(self.names)

    def dial(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        try:
            guarded_socket(info).close()
        except PrivateAddress:
            self.refused.append(str(address[0]))
            raise
        self.dialled.append(str(address[0]))
        port = self.servers.get(f"{address[0]} {address[1]}")
        if port is None:
            raise ConnectionRefusedError(f"{address[0]} has no server at {address[1]}")
        stand_in = StandIn(family, kind, protocol)
        stand_in.where = ("127.0.0.1", port)
        return stand_in

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        for each in self.trusted:
            context.load_verify_locations(each)
        return context


@dataclass
class Hosting:
    """The servers behind an Internet: `put` a site at a name. `asked` has every (host, path) in order."""

    internet: Internet
    folder: Path
    asked: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    sites: dict[str, Site] = field(default_factory=dict)
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)
    said: list[str | None] = field(default_factory=list)
    """The names that visitors asked for in their TLS greeting (SNI)."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _plain: int = 0
    _secure: int = 0

    def put(self, name: str, site: Site, *, path: str = "/feed") -> str:
        """A site at http://name; gives the address of its feed."""
        self._address(name, 80, self._plain)
        self.sites[name] = site
        return f"http://{name}{path}"

    def put_secure(self, name: str, site: Site, *, named: str = "", trusted: bool = True) -> str:
        """The same at https://name, with a certificate for `named` of an authority that visitors trust or not."""
        authority, server = certified(self._room(name), named or name)
        if trusted:
            self.internet.trusted.append(str(authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server)
        self.contexts[name] = context
        self._address(name, 443, self._secure)
        self.sites[name] = site
        return f"https://{name}/feed"

    def _room(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir()
        return room

    def _address(self, name: str, port: int, stands_in: int) -> None:
        number = next(self._numbers)
        address = f"93.184.{216 + number // 250}.{1 + number % 250}"
        self.internet.names.setdefault(name, [[address]])
        self.internet.servers[f"{self.internet.names[name][0][0]} {port}"] = stands_in


@contextmanager
def hosting(folder: Path) -> Iterator[Hosting]:
    hosts = Hosting(Internet(), folder)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError, ssl.SSLError):
                line = _asked(self.request, hosts.over)
                name = line.headers.get("host", "").partition(":")[0]
                hosts.asked.append((name, line.path))
                hosts.sites.get(name, nothing)(line)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 256

        def handle_error(self, request: object, client_address: object) -> None:
            """Nothing: visitors hang up in the middle on purpose."""

    class Secure(Server):
        def finish_request(self, request: Any, client_address: Any) -> None:
            def chosen(line: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
                hosts.said.append(name)
                line.context = hosts.contexts[name or ""]

            outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            outer.load_cert_chain(first)
            outer.sni_callback = chosen  # type: ignore[assignment]
            request.settimeout(20)
            with outer.wrap_socket(request, server_side=True) as line:
                super().finish_request(line, client_address)

    _, first = certified(hosts._room("nobody"), "nobody.example")
    with Server(("127.0.0.1", 0), Handler) as plain, Secure(("127.0.0.1", 0), Handler) as secure:
        hosts._plain, hosts._secure = plain.server_address[1], secure.server_address[1]
        threads = [
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            for each in (plain, secure)
        ]
        for thread in threads:
            thread.start()
        try:
            yield hosts
        finally:
            hosts.over.set()
            for each in (plain, secure):
                each.shutdown()
            for thread in threads:
                thread.join()


def _asked(line: socket.socket, over: threading.Event) -> Line:
    line.settimeout(30)
    head = bytearray()
    while b"\r\n\r\n" not in head:
        got = line.recv(65536)
        if not got:
            raise ConnectionResetError
        head += got
    first, *rest = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    return Line(line, first.split()[1], headers, over)


# -- sites that behave -----------------------------------------------------------------------------------------------


def good(title: str, posts: int = 3) -> Site:
    document = rss(
        title, *(post(f"{title} {n}", f"<p>Words {n} #cs101</p>", guid=f"{title}-{n}") for n in range(posts))
    )
    return lambda line: line.answer(document)


def nothing(line: Line) -> None:
    line.answer("", "404 Not Found")


def sends_on(to: str, status: str = "302 Found") -> Site:
    return lambda line: line.answer("", status, Location=to)


# -- sites that do not -----------------------------------------------------------------------------------------------

_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"


def document(body: str | bytes, **headers: str) -> Site:
    return lambda line: line.answer(body, **headers)


def says(*parts: str | bytes) -> Site:
    return lambda line: line.send(*parts)


def silent(line: Line) -> None:
    line.over.wait()


def slow_head(line: Line) -> None:
    line.send("HTTP/1.1 200 OK\r\n")
    line.drip("X-Slow: a\r\n", every=0.3)


def slow_first_line(line: Line) -> None:
    line.drip("H", every=0.3)


def slow_body(line: Line) -> None:
    line.send(_HEAD, "Content-Length: 100000\r\n\r\n")
    line.drip(" ")


def slow_chunks(line: Line) -> None:
    line.send(_HEAD, "Transfer-Encoding: chunked\r\n\r\n")
    line.drip("1\r\n \r\n")


def slow_redirects(line: Line) -> None:
    line.over.wait(0.7)
    line.answer("", "302 Found", Location=line.path + "x")


def endless_head(line: Line) -> None:
    line.send("HTTP/1.1 200 OK\r\n")
    line.pour(b"X-Much: " + b"a" * 4000 + b"\r\n")


def endless_line(line: Line) -> None:
    line.send("HTTP/1.1 200 OK\r\nX-Long: ")
    line.pour(b"a" * 65536)


def endless_greetings(line: Line) -> None:
    line.pour(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 100)


def endless_body(line: Line) -> None:
    line.send(_HEAD, "\r\n<rss>")
    line.pour(b" " * 65536)


def endless_chunks(line: Line) -> None:
    line.send(_HEAD, "Transfer-Encoding: chunked\r\n\r\n")
    line.pour(b"10000\r\n" + b" " * 65536 + b"\r\n")


def endless_extensions(line: Line) -> None:
    line.send(_HEAD, "Transfer-Encoding: chunked\r\n\r\n")
    line.pour(b"1;" + b"a" * 65536 + b"\r\n \r\n")


def endless_trailers(line: Line) -> None:
    line.send(_HEAD, "Transfer-Encoding: chunked\r\n\r\n0\r\n")
    line.pour(b"X-Much: " + b"a" * 4000 + b"\r\n")


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ZEROS = b" " * 60_000_000
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + ']><rss version="2.0"><channel><title>&a9;</title><item><title>&a9; #cs101</title></item></channel></rss>'
)
SECRETS = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY it SYSTEM "file:///etc/passwd">]>'
    '<rss version="2.0"><channel><title>B</title><item><guid>1</guid><title>#cs101 &it;</title></item></channel></rss>'
)


def _feed(inner: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>B</title>{inner}</channel></rss>'


def _item(inner: str) -> str:
    return _feed(f"<item><guid>1</guid><title>One</title><description>#cs101 {inner}</description></item>")


WORDS_OF_THE_NET: Mapping[str, tuple[Site, str]] = {
    "silent": (silent, "did not answer within"),
    "slow-head": (slow_head, "did not answer within"),
    "slow-first-line": (slow_first_line, "did not answer within|do not understand"),
    "slow-body": (slow_body, "did not answer within"),
    "slow-chunks": (slow_chunks, "did not answer within"),
    "slow-redirects": (slow_redirects, "did not answer within|more than 5 times"),
    "endless-head": (endless_head, "do not understand"),
    "endless-line": (endless_line, "do not understand"),
    "endless-greetings": (endless_greetings, "did not answer within|do not understand|too big"),
    "endless-body": (endless_body, "too big"),
    "endless-chunks": (endless_chunks, "too big"),
    "endless-extensions": (endless_extensions, "do not understand|too big|did not answer within|stopped in the middle"),
    "endless-trailers": (endless_trailers, "do not understand|did not answer within|stopped in the middle"),
    "many-headers": (document(_feed(""), **{f"X_{n}": "a" for n in range(5000)}), "do not understand"),
    "long-header": (document(_feed(""), X_Long="a" * 200_000), "do not understand"),
    "too-long": (says(_HEAD, "Content-Length: 5000\r\n\r\n", _feed("")), "stopped in the middle"),
    "negative": (says(_HEAD, "Content-Length: -5\r\n\r\n", _feed("")), "do not understand"),
    "two-lengths": (says(_HEAD, "Content-Length: 5\r\nContent-Length: 9\r\n\r\n", _feed("")), "do not understand"),
    "no-number": (says(_HEAD, "Content-Length: many\r\n\r\n", _feed("")), "do not understand"),
    "chunked-garbage": (says(_HEAD, "Transfer-Encoding: chunked\r\n\r\nnone of this\r\n"), "understand|in the middle"),
    "chunks-that-lie": (
        says(_HEAD, "Transfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n0\r\n\r\n"),
        "middle|understand",
    ),
    "chunks-cut-off": (says(_HEAD, "Transfer-Encoding: chunked\r\n\r\nffff\r\nabc"), "stopped in the middle"),
    "no-http": (says(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "do not understand"),
    "nothing-at-all": (says(), "stopped in the middle"),
    "noise": (says(bytes(range(256)) * 40), "do not understand"),
    "gzip-bomb": (document(gzip.compress(ZEROS), Content_Encoding="gzip"), "too big"),
    "deflate-bomb": (document(zlib.compress(ZEROS), Content_Encoding="deflate"), "too big"),
    "raw-deflate-bomb": (document(_deflated(ZEROS), Content_Encoding="deflate"), "too big"),
    "packed-twice": (document(gzip.compress(gzip.compress(ZEROS)), Content_Encoding="gzip, gzip"), "not asked for"),
    "bomb-in-a-parcel": (document(gzip.compress(gzip.compress(ZEROS)), Content_Encoding="gzip"), "not a feed|no feed"),
    "ten-thousand-parcels": (document(gzip.compress(b"") * 10_000, Content_Encoding="gzip"), "packed wrongly"),
    "brotli": (document(b"\x0b\x02\x80hello\x03", Content_Encoding="br"), "not asked for"),
    "endless-redirects": (lambda line: line.answer("", "302 Found", Location=line.path + "x"), "more than 5 times"),
    "long-redirect": (sends_on("/" + "a" * 8000), "do not understand|more than 5 times"),
    "redirect-to-a-file": (sends_on("file:///etc/passwd"), "not a web address"),
    "redirect-with-a-password": (sends_on("http://ann:secret@good-0.example/feed"), "name or password"),
    "redirect-to-another-port": (sends_on("http://good-0.example:6379/feed"), "names port 6379"),
}
"""Sites that lie about how they send: what is done, and what words it is refused in."""

WORDS_OF_THE_DOCUMENT: Mapping[str, tuple[Site, str]] = {
    "billion-laughs": (document(LAUGHS), "entities of its own"),
    "a-file-inside": (document(SECRETS), "entities of its own"),
    "comment-storm": (document(_feed("<!--" * 350_000)), "comments that never end|too long|not a feed"),
    "comment-storm-in-a-post": (document(_item("&lt;!--" * 30_000)), ""),
    "deep-post": (document(_item("&lt;div&gt;" * 20_000)), "nested more than 100 deep"),
    "deep-json": (document("[" * 500_000, Content_Type="application/feed+json"), "not a feed"),
    "many-posts": (document(_feed("<item><title>#cs101</title></item>" * 100_000)), "first 1,000 posts"),
    "one-long-word": (document(_item("#" * 3_000_000)), "longer than 256 kB"),
    "zeros": (document(b"\0" * 3_000_000), "not a feed"),
    "empty": (document(""), "empty page"),
    "cut-short": (says(_HEAD, "Content-Length: 90\r\n\r\n", _item("words " * 2000)), ""),
}
"""Documents that are made to cost: the words in which they, or a post of theirs, are refused; empty where what can be
read is read."""

COSTLY_DOCUMENTS: Mapping[str, tuple[Site, str]] = {
    "deep-document": (document(_feed("<a>" * 200_000)), ""),
    "many-attributes": (document(_feed("<item " + " ".join(f'a{n}=""' for n in range(50_000)) + "/>")), ""),
    "many-names": (document(_feed("".join(f"<x:n{n}/>" for n in range(200_000)))), ""),
    "many-spaces": (document(_feed("".join(f'<a xmlns:n{n}="u:{n}">' for n in range(20_000)))), ""),
}
"""Documents that take their deadline; for storms."""
