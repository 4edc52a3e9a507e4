"""Open a page: reviewkit's My work beside the same form in stock Voila, Panel and Streamlit, interleaved in one run.

    make bench        or: python benchmarks/pages.py --peers BIN [--rounds 10] [--pages 25]

BIN is the folder of an environment's programs that has voila, panel and streamlit. Medians with (lowest to highest).
"""

import argparse
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from processes import cpu, memory

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tests.browser import installed  # noqa: E402 (the checkout's own way to find a browser)
from tests.pages import QUIET  # noqa: E402

CLICK = """([button, which, sign]) => new Promise(done => {
  const found = () => document.querySelector(sign);
  const seen = () => found() && (found().textContent || "x") !== "nothing";
  const look = new MutationObserver(() => { if (seen()) { look.disconnect(); done(performance.now() - start); } });
  look.observe(document.body, { subtree: true, childList: true, characterData: true });
  const start = performance.now();
  document.querySelectorAll(button)[which].click();
})"""


@dataclass
class Server:
    """One contestant. `control`: what can be used first; `button` and `sign`: a click and what it changes."""

    name: str
    command: list[str]
    path: str
    control: str
    button: str
    sign: str
    which: int = 3
    port: int = 0
    process: "subprocess.Popen[str] | None" = None
    cookies: list = field(default_factory=list)
    cold: list = field(default_factory=list)
    warm: list = field(default_factory=list)
    click: list = field(default_factory=list)
    work: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    weight: list = field(default_factory=list)
    foreign: set = field(default_factory=set)
    a_page: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [part.replace("PORT", str(self.port)) for part in self.command]
        self.process = subprocess.Popen(
            command,
            cwd=HERE / "peers",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(HERE / "peers")},
        )

    def ready(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).read()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def context(self, browser: Browser) -> BrowserContext:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        if self.cookies:
            context.add_cookies(self.cookies)
        return context

    def open(self, page: Page) -> float:
        """Milliseconds from asking for the page to its first usable control."""
        start = time.perf_counter()
        page.goto(self.url, wait_until="commit")
        page.wait_for_selector(self.control, state="attached")
        return 1000 * (time.perf_counter() - start)

    def stop(self) -> None:
        if self.process:
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)


def contestants(peers: Path) -> list[Server]:
    radio = "input[type=radio]"

    def peer(name: str, path: str, program: str, *options: str) -> Server:
        return Server(name, [str(peers / program), *options], path, radio, radio, "#said")

    return [
        Server(
            "reviewkit",
            [sys.executable, "-m", "reviewkit", "demo", "--json", "--port", "PORT"],
            "/my-work",
            "body[data-connection=open] [data-testid^=open-]",
            "[data-testid^=open-]",
            "[data-testid=track]",
            which=0,
        ),
        peer("stock Voila", "/", "voila", "--no-browser", "--port", "PORT", "voila_form.ipynb"),
        peer("Panel", "/panel_form", "panel", "serve", "panel_form.py", "--port", "PORT"),
        peer(
            "Streamlit",
            "/",
            *("streamlit", "run", "streamlit_form.py", "--server.port", "PORT"),
            *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        ),
    ]


def sign_in(server: Server, browser: Browser) -> None:
    """reviewkit alone wants to know who comes: Odo, who has work in two rounds."""
    assert server.process
    assert server.process.stdout
    people = json.loads(server.process.stdout.readline())["people"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(next(person["link"] for person in people if person["id"] == "odo"))
    page.get_by_test_id("enter").click()
    page.wait_for_url("**/my-work")
    server.cookies = context.cookies()
    context.close()


def one_round(server: Server, browser: Browser) -> None:
    context = server.context(browser)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    loaded: list[float] = []
    asked: list[str] = []
    wire.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    wire.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    before = cpu(server.pid)
    server.cold.append(server.open(page))
    server.work.append(cpu(server.pid) - before)
    page.wait_for_load_state("networkidle")
    addresses = [url for url in asked if url.startswith("http")]
    server.requests.append(len(addresses))
    server.weight.append(sum(loaded) / 1000)
    server.foreign |= {url.split("/")[2] for url in addresses if "127.0.0.1" not in url}
    if server.name != "Panel":  # its controls are in shadow roots: the click is measured through playwright below
        server.click.append(page.evaluate(CLICK, [server.button, server.which, server.sign]))
    else:
        start = time.perf_counter()
        page.locator(server.button).nth(server.which).click()
        page.locator(server.sign).filter(has_not_text="nothing").wait_for(state="attached")
        server.click.append(1000 * (time.perf_counter() - start))
    page.close()
    again = context.new_page()
    server.warm.append(server.open(again))
    context.close()


def many(server: Server, browser: Browser, pages: int) -> None:
    """Memory that each of many open pages adds."""
    context = server.context(browser)
    first = context.new_page()
    server.open(first)
    before = memory(server.pid)
    for _ in range(pages):
        server.open(context.new_page())
    server.a_page = (memory(server.pid) - before) / pages
    context.close()


def shown(values: list, unit: str = "") -> str:
    if not values:
        return "-"
    middle = statistics.median(values)
    form = "{:.3f}" if unit == "s" else "{:.0f}" if middle >= 20 else "{:.1f}"
    return f"{form.format(middle)} ({form.format(min(values))}-{form.format(max(values))})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--pages", type=int, default=25)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    servers = [each for each in contestants(options.peers) if not options.only or each.name in options.only.split(",")]
    chromium = installed()
    try:
        for server in servers:
            server.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
            for server in servers:
                if server.name == "reviewkit":
                    sign_in(server, browser)
                else:
                    server.ready()
            for _ in range(options.rounds):
                for server in servers:
                    one_round(server, browser)
            for server in servers:
                many(server, browser, options.pages)
            browser.close()
    finally:
        for server in servers:
            server.stop()
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{where}, {time.strftime('%Y-%m-%d')}, {options.rounds} rounds, interleaved\n")
    print("| server | cold ms | warm ms | click ms | CPU s an open | MB a page | requests | kB | other hosts |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for server in servers:
        print(
            f"| {server.name} | {shown(server.cold)} | {shown(server.warm)} | {shown(server.click)} "
            f"| {shown(server.work, 's')} | {server.a_page:.1f} | {shown(server.requests)} | {shown(server.weight)} "
            f"| {len(server.foreign)} |"
        )


if __name__ == "__main__":
    main()
