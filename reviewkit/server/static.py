"""The files a page loads: one front end, one module and one stylesheet a screen, fonts. Held in memory, compressed
once, under names that carry the digest of their content, so that a browser asks for each of them once and never again.
"""

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tornado import web

from reviewkit.screens import assets
from reviewkit.server.headers import Careful

TEMPLATE = Path(__file__).parent / "template"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True)
class File:
    content: bytes
    type: str
    packed: bytes | None
    """The same, gzipped; None where that does not make it smaller."""


class Files:
    """All of them, by address."""

    def __init__(self, screens: Iterable[str]) -> None:
        self.files: dict[str, File] = {}
        self._fonts = {
            f"static/{path.name}": self._add(path.name, path.read_bytes()) for path in assets.FONTS.glob("*.woff2")
        }
        self.front_end = self._add("page.js", (TEMPLATE / "page.js").read_bytes())
        # Smaller than the headers of a request for it.
        self.icon = f"data:image/svg+xml,{quote((TEMPLATE / 'icon.svg').read_text('utf-8').strip())}"
        server_css = (TEMPLATE / "server.css").read_text("utf-8")
        self.plain = self._style("plain.css", assets.stylesheet() + server_css)
        self.modules = {name: self._add(f"{name}.js", assets.module(name).encode()) for name in screens}
        self.styles = {name: self._style(f"{name}.css", assets.stylesheet(name) + server_css) for name in self.modules}

    def of(self, screen: str) -> dict[str, str]:
        """What a page's process is told of its files."""
        return {"module": self.modules[screen], "stylesheet": self.styles[screen]}

    @property
    def fonts(self) -> list[str]:
        return sorted(self._fonts.values())

    def _style(self, name: str, text: str) -> str:
        for relative, address in self._fonts.items():
            text = text.replace(relative, address)
        return self._add(name, text.encode())

    def _add(self, name: str, content: bytes) -> str:
        stem, dot, ending = name.rpartition(".")
        address = f"/static/{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
        packed = gzip.compress(content, 9, mtime=0)
        self.files[address] = File(
            content=content, type=TYPES[dot + ending], packed=packed if len(packed) < 0.95 * len(content) else None
        )
        return address


class StaticHandler(Careful, web.RequestHandler):
    """Gives a file by its address; there is nothing else in this folder, and nothing of anybody's."""

    def initialize(self, files: Files) -> None:
        self.files = files

    def get(self) -> None:
        file = self.files.files.get(self.request.path)
        if file is None:
            raise web.HTTPError(404)
        self.set_header("Content-Type", file.type)
        self.set_header("Cache-Control", FOR_EVER)
        content = file.content
        if file.packed is not None:
            self.set_header("Vary", "Accept-Encoding")
            if "gzip" in self.request.headers.get("Accept-Encoding", ""):
                self.set_header("Content-Encoding", "gzip")
                content = file.packed
        self.finish(content)

    head = get

    def compute_etag(self) -> None:
        """None is needed: the address changes with the content."""
