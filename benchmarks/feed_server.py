"""A class's blogs in a process of their own: documents like real ones, each at a host of its own, each request late.

Some are deaf: they know no conditions and send the whole document every time, as many real sites do.

    python benchmarks/feed_server.py '{"count": 300, "seed": 1, "tagged": 0.3, "deaf": 0.4, "folder": null}'

Prints the addresses of its feeds as JSON and serves until its input ends; a line that comes in is the number of the
turn: with each turn every tenth blog has a new post. After each turn it prints how it was asked.
"""

import asyncio
import gzip
import hashlib
import html
import json
import random
import sys
from pathlib import Path

TEXT = (
    "the gauge at bridge was silent for eleven weeks and what we read there came from calm mornings only so I went "
    "twice each day with a notebook counting steps boats people birds until numbers stopped surprising me"
)
WORDS = TEXT.split()
FOLDERS = ("crafted", "expected")


def paragraph(dice: random.Random) -> str:
    words = dice.choices(WORDS, k=dice.randrange(40, 120))
    words[5] = f'<a href="https://elsewhere.example/{dice.randrange(999)}?a=1&amp;b=2">{words[5]}</a>'
    words[9] = f"<em>{words[9]}</em>"
    return f'<p class="wp-block-paragraph" style="margin:0">{" ".join(words)}.</p>'


def body(dice: random.Random) -> str:
    parts = [paragraph(dice) for _ in range(dice.randrange(4, 11))]
    # No pictures: reviewkit would copy them, and the peers would not.
    parts[2] = "<figure><figcaption>A picture</figcaption></figure>"
    parts.append("<ul><li>one</li><li>two</li></ul><blockquote>said</blockquote><script>count()</script>")
    return "\n".join(parts)


def item(dice: random.Random, number: int, host: str, tagged: float) -> str:
    tags = dice.sample(["notes", "maps", "Rivers", "reading", "Uncategorized"], k=2)
    tags += ["fieldnotes"] * (dice.random() < tagged)
    return (
        f"<item><title>Post {number} &#8211; {dice.choice(WORDS)}</title><link>http://{host}/{number}/</link>"
        f"<dc:creator><![CDATA[Somebody]]></dc:creator><pubDate>Mon, {1 + number % 28:02} Sep 2025 08:15:00 +0000"
        f"</pubDate>{''.join(f'<category><![CDATA[{each}]]></category>' for each in tags)}"
        f'<guid isPermaLink="false">http://{host}/?p={number}</guid>'
        f"<description><![CDATA[{' '.join(dice.choices(WORDS, k=55))} [&#8230;]]]></description>"
        f"<content:encoded><![CDATA[{body(dice)}]]></content:encoded></item>\n"
    )


def made(seed: int, host: str, tagged: float, turn: int) -> bytes:
    """A feed of fourteen posts, about 57 kB; with each turn there is one more post on top."""
    items = "".join(
        item(random.Random(f"{seed} {host} {each}"), each, host, tagged) for each in range(14 + turn, 0, -1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Blog of {html.escape(host)}</title><link>http://{host}/</link>"
        f"<lastBuildDate>Mon, 29 Sep 2025 08:15:{turn:02} +0000</lastBuildDate>{items}</channel></rss>"
    ).encode()


class Blogs:
    """All blogs: what each shows now, packed, with its ETag."""

    def __init__(self, count: int, seed: int, tagged: float, deaf: float, folder: str | None) -> None:
        self.seed, self.tagged = seed, tagged
        self.hosts = [f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}" for n in range(count)]
        dice = random.Random(f"{seed} deaf")
        self.deaf = {host for host in self.hosts if dice.random() < deaf}
        self.real = [each.read_bytes() for each in real_ones(folder)] if folder else []
        self.now: dict[str, tuple[str, bytes, int]] = {}
        self.asked: dict[str, int] = {}
        self.slowest, self.requests, self.unchanged = 0.0, 0, 0
        for number in range(count):
            self.write(number, 0)

    def write(self, number: int, turn: int) -> None:
        host = self.hosts[number]
        document = self.real[number % len(self.real)] if self.real else made(self.seed, host, self.tagged, turn)
        tag = f'W/"{hashlib.sha256(document).hexdigest()[:20]}"'
        self.now[host] = tag, gzip.compress(document, 6), len(document)

    def asked_by(self, head: bytes) -> tuple[float, bytes]:
        """How late the answer to a request is, and the answer."""
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        host = headers["host"].partition(":")[0]
        count = self.asked[host] = self.asked.get(host, 0) + 1
        late = random.Random(f"{self.seed} {host} {count}").uniform(0.05, 0.3)
        self.slowest, self.requests = max(self.slowest, late), self.requests + 1
        tag, packed, _ = self.now.get(host, ("", b"", 0))
        if "/feed/" not in lines[0] or not packed:
            return late, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        if headers.get("if-none-match") == tag and host not in self.deaf:
            self.unchanged += 1
            return late, f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        given = packed if "gzip" in headers.get("accept-encoding", "") else gzip.decompress(packed)
        packing = "Content-Encoding: gzip\r\n" if given is packed else ""
        marked = "" if host in self.deaf else f"ETag: {tag}\r\n"
        said = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml; charset=UTF-8\r\n"
            f"{marked}{packing}Content-Length: {len(given)}\r\n\r\n"
        )
        return late, said.encode() + given


class Visitor(asyncio.Protocol):
    """One connection: its requests are answered one after the other, as the client sends them.

    Not with streams: what the blogs cost is no program's own, and on few cores it would slow all of them.
    """

    def __init__(self, blogs: Blogs) -> None:
        self.blogs = blogs
        self.heard = b""
        self.line: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.line = transport

    def data_received(self, data: bytes) -> None:
        head, end, self.heard = (self.heard + data).partition(b"\r\n\r\n")
        if not end:
            self.heard = head
            return
        late, answer = self.blogs.asked_by(head)
        asyncio.get_running_loop().call_later(late, self.answer, answer, b"connection: close" in head.lower())

    def answer(self, answer: bytes, last: bool) -> None:
        if not self.line.is_closing():
            self.line.write(answer)
            if last:
                self.line.close()


def real_ones(folder: str) -> list[Path]:
    """Whole feeds of real sites, one file each, in folders by platform."""
    kinds = (".xml", ".rss", ".atom")
    return sorted(each for each in Path(folder).glob("*/*") if each.parent.name not in FOLDERS and each.suffix in kinds)


async def main() -> None:
    asked = json.loads(sys.argv[1])
    blogs = Blogs(**asked)
    server = await asyncio.get_running_loop().create_server(lambda: Visitor(blogs), "0.0.0.0", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    path = "/tag/fieldnotes/feed/" if blogs.real else "/feed/"
    size = sum(each[2] for each in blogs.now.values()) / len(blogs.now)
    print(json.dumps({"feeds": [f"http://{host}:{port}{path}" for host in blogs.hosts], "size": size}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = {"slowest": blogs.slowest, "requests": blogs.requests, "unchanged": blogs.unchanged}
        blogs.slowest, blogs.requests, blogs.unchanged = 0.0, 0, 0
        for number in range(0, len(blogs.hosts) if int(line) else 0, 10):
            blogs.write(number, int(line))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
