"""What a browser needs to draw a screen: one module, one stylesheet, and the fonts (all files of this folder).

The parts live in several small files and every screen in one; a page loads them joined into a single module, so that
it costs one request. Joining means: take away the lines that begin with `import` or `export {`. Hence the rule for
these files: imports and export lists stand on single lines, and names at the top level are used once.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
FONTS = FOLDER / "static"
PARTS = ("lib.js", "forms.js", "plots.js", "reading.js", "redraw.js", "link.js", "talk.js")
"""The shared modules, in the order of their dependence."""
MORE = {"sign-off": ("pane.js", "deciding.js", "site_table.js"), "my-work": ("sites.js", "own_dates.js", "preview.js")}
"""Modules that one screen alone needs."""


def file_of(screen: str, ending: str) -> Path:
    """The file of a screen by its public name: ("my-work", ".js") is my_work.js."""
    return FOLDER / f"{screen.replace('-', '_')}{ending}"


def module(screen: str) -> str:
    """The JavaScript of a page: all parts and the screen as one ES module whose default export is the widget."""
    parts = (FOLDER / name for name in (*PARTS, *MORE.get(screen, ())))
    return "".join(_without_links(path) for path in (*parts, file_of(screen, ".js")))


def stylesheet(*screens: str) -> str:
    """Tokens, parts and the own rules of these screens; the fonts' addresses are relative: static/NAME.woff2."""
    own = (file_of(screen, ".css") for screen in screens)
    paths = [FOLDER / "tokens.css", FOLDER / "parts.css", *(path for path in own if path.exists())]
    return "".join(path.read_text("utf-8") for path in paths)


def _without_links(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("import ", "export {")))
