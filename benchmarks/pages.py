"""Open a page: reviewkit's My work beside the same form in stock Voila, Panel and Streamlit, interleaved in one run.

    make bench        or: python benchmarks/pages.py --peers BIN [--rounds 10] [--pages 25]

BIN is the folder of an environment's programs that has voila, panel and streamlit. Medians with (lowest to highest).

reviewkit shows the self-evaluation of `course.py`'s third round: five criteria with four levels beside the frozen post,
each round for another student; the peers show a form with as many radios and no post. Measured in a real Chromium:

cold       a browser context with an empty cache, from asking for the page to the first radio that can be used: it is
           drawn by the page's script with its listener on, and what is chosen is kept from then on
connected  the same open, until the websocket is open too (reviewkit; the peers draw over theirs)
warm       a second page of the same context
click      reviewkit: "All my posts", from the press through page process and course service to the changed page;
           a peer: a radio, to the text that repeats the choice
save       reviewkit: a level is chosen and left, to "Saved": the course service has it in its database
CPU        of the server and all its processes, for a cold open until it has come to rest
MB         proportional set size that a page adds, of so many open at once, each by another person
"""

import argparse
import http.client
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from course import ROUNDS, make
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from processes import cpu, memory

from reviewkit import open_course
from reviewkit.course import Course
from reviewkit.server.links import link, read_secret

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tests.browser import installed  # noqa: E402 (the checkout's own way to find a browser)
from tests.pages import QUIET  # noqa: E402

CLICK = """([button, which, sign, rest]) => new Promise(done => {
  const inside = root => [...root.querySelectorAll("*")].flatMap(el => el.shadowRoot ? roots(el.shadowRoot) : []);
  const roots = root => [root, ...inside(root)];
  const deep = wanted => roots(document).flatMap(root => [...root.querySelectorAll(wanted)]);
  const look = new MutationObserver(() => {
    if (!deep(sign).some(el => el.textContent !== rest)) return;
    look.disconnect();
    done(performance.now() - start);
  });
  for (const root of roots(document)) look.observe(root, { subtree: true, childList: true, characterData: true });
  const target = deep(button)[which];
  const start = performance.now();
  target.click();
})"""
SAVE = """() => new Promise(done => {
  const status = document.querySelector("[data-testid=save-status]");
  const look = new MutationObserver(() => {
    if (status.dataset.state === "good") { look.disconnect(); done(performance.now() - start); }
  });
  look.observe(status, { subtree: true, childList: true, attributes: true });
  const start = performance.now();
  document.querySelector("[data-testid^=level-]").click();
  document.dispatchEvent(new Event("focusout"));
})"""
SERVE = "import sys, pathlib, reviewkit.server as s; s.serve(pathlib.Path(sys.argv[1]), port=int(sys.argv[2]))"
RADIO = "input[type=radio]"
REST = 0.5
"""Seconds in which a server comes to rest after an open: its processor time until then belongs to the open."""


@dataclass
class Server:
    """One contestant. `button` and `sign`: a click, and the element that then says something else than `rest`."""

    name: str
    command: list[str]
    path: str
    button: str = RADIO
    sign: str = "#said"
    rest: str = "nothing"
    which: int = 3
    port: int = 0
    process: "subprocess.Popen[str] | None" = None
    people: list = field(default_factory=list)
    """(cookie, path) of each person, where the server wants to know who comes."""
    cold: list = field(default_factory=list)
    connected: list = field(default_factory=list)
    warm: list = field(default_factory=list)
    click: list = field(default_factory=list)
    save: list = field(default_factory=list)
    work: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    weight: list = field(default_factory=list)
    foreign: set = field(default_factory=set)
    a_page: float = 0.0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, number: int) -> str:
        return self.origin + (self.people[number % len(self.people)][1] if self.people else self.path)

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
            env=os.environ | {"PYTHONPATH": f"{HERE.parent}:{HERE / 'peers'}"},
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

    def context(self, browser: Browser, number: int) -> BrowserContext:
        """A browser of one person's own, with nothing in its cache."""
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        if self.people:
            name, _, value = self.people[number % len(self.people)][0].partition("=")
            context.add_cookies([{"name": name, "value": value, "url": self.origin}])
        return context

    def open(self, page: Page, number: int) -> float:
        """Milliseconds from asking for the page to its first radio."""
        start = time.perf_counter()
        page.goto(self.url(number), wait_until="commit")
        page.wait_for_selector(RADIO, state="attached")
        return 1000 * (time.perf_counter() - start)

    def stop(self) -> None:
        if self.process:
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)


def contestants(peers: Path, course_file: Path) -> list[Server]:
    def peer(name: str, path: str, program: str, *options: str) -> Server:
        return Server(name, [str(peers / program), *options], path)

    return [
        Server(
            "reviewkit",
            [sys.executable, "-c", SERVE, str(course_file), "PORT"],
            "/my-work",
            button="[data-testid=all-posts]",
            sign="h1",
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


def sign_in(server: Server, course_file: Path) -> None:
    """Everybody's cookie and the address of their open self-evaluation; no page is opened."""
    course = open_course(course_file)
    assert isinstance(course, Course)
    secret, asked = read_secret(course_file.parent), course.assignment(ROUNDS[-1])
    for person in course.people():
        if person.role != "student":
            continue
        way = link(secret, person.id, course.store.link_serial(person.id), server.origin).removeprefix(server.origin)
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        line.request("POST", way, headers={"Origin": server.origin})
        answer = line.getresponse()
        answer.read()
        submission = course.submission_of(person, asked)
        assert submission is not None
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        server.people.append((cookie, f"/my-work?submission={submission.id}"))
        line.close()
    course.store.close()


def one_round(server: Server, browser: Browser, number: int) -> None:
    context = server.context(browser, number)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    loaded: list[float] = []
    asked: list[str] = []
    wire.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    wire.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    before, start = cpu(server.pid), time.perf_counter()
    server.cold.append(server.open(page, number))
    if server.people:
        page.wait_for_selector("body[data-connection=open]", state="attached")
        server.connected.append(1000 * (time.perf_counter() - start))
    page.wait_for_load_state("networkidle")
    time.sleep(REST)
    server.work.append(cpu(server.pid) - before)
    addresses = [url for url in asked if url.startswith("http")]
    server.requests.append(len(addresses))
    server.weight.append(sum(loaded) / 1000)
    server.foreign |= {url.split("/")[2] for url in addresses if "127.0.0.1" not in url}
    if server.people:
        server.save.append(page.evaluate(SAVE))
        server.rest = page.locator("h1").inner_text()
    server.click.append(page.evaluate(CLICK, [server.button, server.which, server.sign, server.rest]))
    page.close()
    server.warm.append(server.open(context.new_page(), number))
    context.close()


def many(server: Server, browser: Browser, pages: int) -> None:
    """Memory that each of many open pages adds, everybody in a browser of their own."""
    contexts = [server.context(browser, number) for number in range(pages + 1)]
    server.open(contexts[0].new_page(), 0)
    before = memory(server.pid)
    for number in range(1, pages + 1):
        server.open(contexts[number].new_page(), number)
    time.sleep(REST)
    server.a_page = (memory(server.pid) - before) / pages
    for each in contexts:
        each.close()


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers are stopped then too
    chromium = installed()
    with tempfile.TemporaryDirectory() as folder:
        course_file = make(Path(folder) / "course")
        every = contestants(options.peers.resolve(), course_file)
        servers = [each for each in every if not options.only or each.name in options.only.split(",")]
        try:
            for server in servers:
                server.start()
            for server in servers:
                server.ready()
                if server.name == "reviewkit":
                    sign_in(server, course_file)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
                for number in range(options.rounds):
                    for server in servers:
                        one_round(server, browser, number)
                for server in servers:
                    many(server, browser, options.pages)
                browser.close()
        finally:
            for server in servers:
                server.stop()
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{where}, {time.strftime('%Y-%m-%d')}, {options.rounds} rounds, interleaved\n")
    load = os.getloadavg()[2]
    print(f"Load of the machine over these minutes: {load:.1f}\n")
    print(
        "| server | cold ms | connected ms | warm ms | click ms | save ms | CPU s | MB | requests | kB | other hosts |"
    )
    print(f"|{' --- |' * 11}")
    for server in servers:
        times = (server.cold, server.connected, server.warm, server.click, server.save)
        print(
            f"| {server.name} | {' | '.join(map(shown, times))} | {shown(server.work, 's')} | {server.a_page:.1f} "
            f"| {shown(server.requests)} | {shown(server.weight)} | {len(server.foreign)} |"
        )


if __name__ == "__main__":
    main()
