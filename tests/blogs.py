"""Blogs on loopback: what they answer is set by the test, what they were asked is kept."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]


@dataclass
class FakeBlogs:
    """`show` a document at a path, or `answer` it by hand; `asked` lists every request in order."""

    address: str
    asked: list[Asked] = field(default_factory=list)
    _answers: dict[str, Answer] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return self.address + path

    def show(
        self,
        path: str,
        body: str | bytes,
        *,
        status: int = 200,
        content_type: str = "application/rss+xml; charset=utf-8",
        headers: Mapping[str, str] = {},
    ) -> str:
        """Answer this path with a document (and with 304 where its ETag or Last-Modified is sent back)."""
        data = body.encode() if isinstance(body, str) else body

        def answer(request: BaseHTTPRequestHandler) -> None:
            known = [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")]
            same = any(headers.get(mine) and request.headers.get(yours) == headers[mine] for mine, yours in known)
            request.send_response(304 if same else status)
            for name, value in headers.items():
                request.send_header(name, value)
            if not same:
                request.send_header("Content-Type", content_type)
                request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            if not same:
                request.wfile.write(data)

        return self.answer(path, answer)

    def answer(self, path: str, answer: Answer) -> str:
        self._answers[path] = answer
        return self.url(path)

    def send_on(self, path: str, to: str, *, status: int = 302) -> str:
        return self.show(path, "", status=status, headers={"Location": to})


def post(title: str, html: str, *, tag: str = "", link: str = "", guid: str = "", date: str = "") -> str:
    """One item of an RSS feed."""
    parts = {"title": title, "link": link, "guid": guid, "pubDate": date, "category": tag, "description": html}
    return "<item>" + "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items() if text) + "</item>"


def rss(title: str, *posts: str, link: str = "https://blog.example/") -> str:
    """An RSS feed of posts."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{escape(title)}</title>'
        f"<link>{escape(link)}</link>{''.join(posts)}</channel></rss>"
    )


@contextmanager
def fake_blogs() -> Iterator[FakeBlogs]:
    blogs = FakeBlogs("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            blogs.asked.append(Asked(self.path, dict(self.headers.items())))
            answer = blogs._answers.get(self.path)
            if answer:
                answer(self)
            else:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what was asked is in `asked`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, request: object, client_address: object) -> None:
            """Nothing: visitors hang up in the middle on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        blogs.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield blogs
        finally:
            server.shutdown()
            thread.join()
