"""A screen in a real browser over a real course, without a server between them.

The page is what `assets` joins; its model hands events to `screens.act` in this very process, and what it gives goes
back as a message, as on a page of the server. Every frame that reaches the browser is kept in `Page.frames`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, expect, sync_playwright
from playwright.sync_api import Page as Tab

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import Person
from reviewkit.screens import assets
from tests.browser import installed

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADDRESS = "http://course.test"
PATIENCE = 20
"""Seconds for what a page is to show: it shows it at once, but a machine may have other things to do."""
DESKTOP, PHONE = (1280, 900), (390, 844)
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}

DOCUMENT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Course</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/page.css"></head>
<body><div id="screen"></div><script type="module">
import screen from "/screen.js";
const listeners = {};
const state = { view: __VIEW__ };
const tell = (name, message) => (listeners[name] ?? []).forEach(listener => listener(message));
const model = {
  get: name => state[name],
  on: (name, listener) => { (listeners[name] ??= []).push(listener); },
  off: (name, listener) => { listeners[name] = (listeners[name] ?? []).filter(each => each !== listener); },
  async send(event) {
    const { view, ...reply } = await window.act(event);
    if (view) { state.view = view; tell("change:view"); }
    tell("msg:custom", { type: "done", ...reply, seq: event.seq });
  },
};
screen.render({ model, el: document.getElementById("screen"), signal: new AbortController().signal });
document.body.dataset.drawn = "yes";
</script></body></html>"""


def show_whole(tab: Tab) -> None:
    """As high as what is on it: what stands at the foot of a phone's window stands there in a picture of all."""
    width = tab.viewport_size["width"] if tab.viewport_size else PHONE[0]
    if width <= PHONE[0]:
        tab.set_viewport_size({"width": width, "height": int(tab.evaluate("document.documentElement.scrollHeight"))})


SEEN = """() => {
  const at = document.activeElement, shown = at.closest(".lv") ?? at, rule = getComputedStyle(shown);
  const ring = rule.outlineStyle !== "none" && parseFloat(rule.outlineWidth) >= 2;
  return at === document.body || (at.checkVisibility() && ring);
}"""
"""Whether the focus can be seen where it is; after the last stop it is the browser's own for once."""
LOSE = """kind => {
  const act = window.act;
  let lost = 2;
  window.act = async event => {
    const reply = await act(event);
    return event.type === kind && lost-- > 0 ? new Promise(() => {}) : reply;
  };
}"""


@dataclass
class Page:
    """A tab with a screen in it, and all that was sent to it."""

    tab: Tab
    frames: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __getitem__(self, testid: str) -> Any:
        return self.tab.get_by_test_id(testid)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def focused(self) -> str:
        """The test name or the id of what has the focus."""
        return str(self.tab.evaluate("document.activeElement.dataset.testid ?? document.activeElement.id"))

    def tab_to(self, name: str) -> None:
        """Goes on with Tab until what has this test name or id has the focus, which can be seen at every stop."""
        for _ in range(120):
            if self.focused() == name:
                return
            self.press("Tab")
            assert self.tab.evaluate(SEEN), f"nothing shows that {self.focused() or self.inside()} has the focus"
        raise AssertionError(f"Tab does not reach {name}")

    def inside(self) -> str:
        """The tag of what has the focus and the words in it."""
        at = self.tab.locator(":focus")
        return f"{at.evaluate('at => at.localName')}: {at.inner_text()[:60]}" if at.count() else "nothing"

    def lose_answers(self, kind: str) -> None:
        """What events of this kind ask is done, and the answers are lost, as often as the page tries at once."""
        self.tab.clock.install()
        self.tab.evaluate(LOSE, kind)

    def wait_in_vain(self) -> None:
        for _ in range(2):
            self.tab.clock.run_for(4500)

    def violations(self) -> list[str]:
        """What axe finds, one line each."""
        found = Axe().run(self.tab, options=AXE_RULES).response["violations"]
        return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = installed()
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield opened
        opened.close()


@dataclass
class Window:
    """Opens screens of one course for anybody in it."""

    browser: Browser
    course: Course
    opened: list[Page] = field(default_factory=list)

    def open(
        self,
        screen: str,
        viewer: Person,
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        params: dict[str, str] | None = None,
        zone: str | None = None,
    ) -> Page:
        """`zone` is the browser's; without one it is this machine's."""
        width, height = size
        context = self.browser.new_context(
            timezone_id=zone,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page = Page(tab=context.new_page())
        self.opened.append(page)
        view = screens.view(self.course, viewer, screen, params or {})
        # As HTML must have it: a post may hold the words that end a script.
        first = json.dumps(view).replace("<", "\\u003c")
        page.frames.append(first)
        files = {
            "/": ("text/html", DOCUMENT.replace("__VIEW__", first)),
            "/screen.js": ("text/javascript", assets.module(screen)),
            "/page.css": ("text/css", assets.stylesheet(screen)),
        }

        def serve(route: Route) -> None:
            path = "/" + route.request.url.removeprefix(ADDRESS).lstrip("/").partition("?")[0]
            if path.startswith("/static/"):
                route.fulfill(path=str(assets.FONTS / path.rpartition("/")[2]))
            elif path in files:
                kind, body = files[path]
                route.fulfill(content_type=kind, body=body)
            else:
                route.fulfill(status=404, body="")

        def act(event: dict[str, Any]) -> dict[str, Any]:
            reply = screens.act(self.course, viewer, screen, {key: each for key, each in event.items() if key != "seq"})
            page.frames.append(json.dumps(reply))
            return reply

        context.route(f"{ADDRESS}/**", serve)
        page.tab.expose_function("act", act)
        page.tab.on("pageerror", lambda fault: page.faults.append(str(fault)))
        page.tab.goto(f"{ADDRESS}/")
        page.tab.wait_for_selector("body[data-drawn=yes]", state="attached")
        return page

    def close(self) -> list[str]:
        faults = [fault for page in self.opened for fault in page.faults]
        for page in self.opened:
            for tab in page.tab.context.pages:
                # A page that is closed saves what it has; a call into a process that waits for the close never ends.
                tab.evaluate("() => { window.act = () => new Promise(() => {}); }")
            page.tab.context.close()
        return faults
