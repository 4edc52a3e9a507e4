"""A page in a real browser on each of the two kernels: what passes between it and its process, and what happens to it
when something breaks. One of the screens is a probe here: a widget that says back what it hears.
"""

import json
import os
import re
import shutil
import signal
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reviewkit.server.app import dashboards
from reviewkit.server.light import frames
from tests.asking import Asker, header
from tests.cast import ANN, BOB, CYD, DOT
from tests.serving import (
    Server,
    a_course_folder,
    children,
    command,
    connected,
    runs,
    the_course,
    visit,
    wait_for,
)

__all__ = ["visit"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("both-kernels")]

Visit = Callable[..., Page]
LONGEST = 4.0
"""Seconds that a page's process may work on one message here."""
PROBED = """
import pathlib, sys
import reviewkit.server.app as app, reviewkit.server.kernels as kernels, reviewkit.server.static as static
course = pathlib.Path(sys.argv[1])
app.dashboards = lambda: course.with_name("notebooks")
module = static.assets.module
static.assets.module = lambda name: course.with_name("probe.js").read_text() if name == "reviews" else module(name)
before = kernels.PageProcesses.__init__
def quick(self, **settings):
    before(self, **settings)
    self.longest = {longest}
kernels.PageProcesses.__init__ = quick
{more}
import reviewkit.server
reviewkit.server.serve(course, port=int(sys.argv[2]))
"""
ELSEWHERE = """
import os, signal
del os.pidfd_open, os.fork, signal.pidfd_send_signal
"""
"""What of Linux is not there on macOS."""
PROBE = """
import json, os, anywidget, traitlets

class Probe(anywidget.AnyWidget):
    text = traitlets.Unicode("first").tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)
    data = traitlets.Any(bytes([0, 1, 255])).tag(sync=True)

    def __init__(self):
        self._esm = json.loads(os.environ["REVIEWKIT_STATIC"])["module"]
        self.numbers = []
        super().__init__()
        self.observe(lambda change: self.numbers.append(change.new), "number")
        self.on_msg(self.hear)

    def hear(self, _, said, buffers):
        if "text" in said:
            self.text = said["text"]
        if "bytes" in said:
            self.data = bytes(said["bytes"])
        if "loop" in said:
            while True:
                pass
        state = {"text": self.text, "data": list(bytes(self.data)), "numbers": self.numbers, "pid": os.getpid()}
        self.send({"heard": said, "state": state}, [bytes(reversed(bytes(each))) for each in buffers])

Probe()
"""
MODULE = """
export default {
  render({ model, el }) {
    const probe = window.probe = { model, heard: [], seen: [] };
    model.on("msg:custom", (content, buffers) => {
      probe.heard.push({ ...content, buffers: buffers.map(each => [...bytes(each)]) });
    });
    model.on("change:text", () => probe.seen.push(model.get("text")));
    probe.ask = async (said, buffers) => {
      const before = probe.heard.length;
      model.send(said, undefined, buffers);
      while (probe.heard.length === before) await new Promise(done => setTimeout(done, 5));
      return probe.heard.at(-1);
    };
    const bytes = each => new Uint8Array(each.buffer ?? each, each.byteOffset ?? 0, each.byteLength);
    probe.bytes = () => [...bytes(model.get("data"))];
    el.dataset.testid = "probe";
    el.textContent = "here";
  },
};
"""


def a_probed_course(folder: Path, cell: str = PROBE) -> Path:
    course_file = a_course_folder(folder)
    notebooks = course_file.with_name("notebooks")
    shutil.copytree(dashboards(), notebooks)
    notebook = json.loads((notebooks / "reviews.ipynb").read_text())
    notebook["cells"][0]["source"] = cell
    (notebooks / "reviews.ipynb").write_text(json.dumps(notebook))
    course_file.with_name("probe.js").write_text(MODULE)
    return course_file


def probed(course_file: Path, kernels: str, more: str = "", **settings: str) -> Server:
    environment = {f"REVIEWKIT_SERVER_{name.upper()}": value for name, value in settings.items()}
    if kernels:
        environment["REVIEWKIT_SERVER_KERNELS"] = kernels
    return Server(course_file, environment=environment, script=PROBED.format(longest=LONGEST, more=more))


@pytest.fixture(scope="module", params=["light", "stock"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with probed(a_probed_course(tmp_path_factory.mktemp("both") / "course"), request.param) as running:
        yield running


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Server]:
    """A server with stock kernels that a test may end."""
    with probed(a_probed_course(tmp_path / "course"), "stock", most_pages="2") as running:
        yield running


def the_probe(server: Server, visit: Visit, person: Any = ANN) -> Page:
    page = visit(server, person)
    page.goto(f"{server.url}/reviews")
    page.wait_for_selector('[data-testid="probe"]')
    connected(page)
    return page


def ask(page: Page, said: dict[str, Any], *buffers: list[int]) -> Any:
    """What the probe's process answers."""
    return page.evaluate(
        "([said, buffers]) => probe.ask(said, buffers.map(each => new Uint8Array(each)))", [said, buffers]
    )


def processes(server: Server) -> list[int]:
    """Pages' processes, of whatever kind."""
    own = children(server.process.pid)
    light = [page for pid in own if "light.fork" in command(pid) for page in children(pid)]
    return light + [pid for pid in own if "server.stock_page" in command(pid)]


# -- what passes


def test_state_and_messages_go_both_ways(server: Server, visit: Visit) -> None:
    page = the_probe(server, visit)
    assert page.evaluate("probe.model.get('text')") == "first"
    page.evaluate("probe.model.set('text', 'here: ü')")
    page.evaluate("probe.model.save_changes()")
    assert ask(page, {"word": 1})["state"]["text"] == "here: ü"
    heard = ask(page, {"text": "there"})
    assert (heard["heard"], heard["state"]["text"]) == ({"text": "there"}, "there")
    wait_for(lambda: page.evaluate("probe.model.get('text')") == "there", what="the change")
    assert page.evaluate("probe.seen") == ["here: ü", "there"]


def test_bytes_go_both_ways_in_the_state_and_beside_messages(server: Server, visit: Visit) -> None:
    page = the_probe(server, visit)
    assert page.evaluate("probe.bytes()") == [0, 1, 255]
    page.evaluate("probe.model.set('data', new Uint8Array([7, 0, 200]))")
    page.evaluate("probe.model.save_changes()")
    assert ask(page, {})["state"]["data"] == [7, 0, 200]
    ask(page, {"bytes": [9, 8, 0]})
    wait_for(lambda: page.evaluate("probe.bytes()") == [9, 8, 0], what="the bytes")
    assert ask(page, {}, [1, 2, 3], [], [255, 0])["buffers"] == [[3, 2, 1], [], [0, 255]]


def test_fifty_quick_changes_arrive_in_order_and_end_equal(server: Server, visit: Visit) -> None:
    page = the_probe(server, visit)
    page.evaluate("""() => {
        for (let n = 1; n <= 50; n++) {
            probe.model.set("number", n);
            probe.model.save_changes();
            probe.model.send({ n });
        }
    }""")
    wait_for(lambda: page.evaluate("probe.heard.length") == 50, what="the fiftieth answer")
    assert page.evaluate("probe.heard.map(each => each.heard.n)") == list(range(1, 51))
    wait_for(lambda: ask(page, {})["state"]["numbers"][-1] == 50, what="the last change")
    numbers = ask(page, {})["state"]["numbers"]
    assert numbers == sorted(set(numbers))
    assert page.evaluate("probe.model.get('number')") == 50


def a_breakable_line(page: Page) -> list[Any]:
    """From here on each connection of the page is in the list; one that is `deaf` lets nothing through any more."""
    lines: list[Any] = []

    def relay(line: Any) -> None:
        line.deaf, there = False, line.connect_to_server()
        line.on_message(lambda said: None if line.deaf else there.send(said))
        lines.append(line)

    page.route_web_socket(re.compile("/channels"), relay)
    return lines


def test_a_change_into_a_dying_connection_is_not_lost(server: Server, visit: Visit) -> None:
    page = visit(server, BOB)
    lines = a_breakable_line(page)
    page.goto(f"{server.url}/reviews")
    connected(page)
    lines[0].deaf = True
    page.evaluate("probe.model.set('number', 17)")
    page.evaluate("probe.model.save_changes()")
    lines[0].close(code=1011)
    connected(page, "closed")
    page.evaluate("probe.model.set('text', 'said while nobody was there')")
    page.evaluate("probe.model.save_changes()")
    connected(page)
    wait_for(lambda: ask(page, {})["state"]["numbers"] == [17], what="the change")
    assert ask(page, {})["state"]["text"] == "said while nobody was there"


def test_a_click_during_a_dropped_connection_is_done_once(server: Server, visit: Visit) -> None:
    page = visit(server, CYD)
    lines = a_breakable_line(page)
    page.goto(f"{server.url}/my-work")
    connected(page)
    page.get_by_test_id("next").click()
    lines[0].deaf = True
    page.get_by_test_id("dialog-confirm").click()
    lines[0].close(code=1011)
    connected(page, "closed")
    connected(page)
    page.wait_for_selector('[data-testid="track"]')
    field = page.locator('[data-testid^="field-note-"] textarea, textarea[data-testid^="field-note-"]').first
    lines[-1].deaf = True
    field.fill("I counted at the sandbank.")
    lines[-1].close(code=1011)
    connected(page)
    expect(page.get_by_test_id("save-status")).to_contain_text("Saved at")
    course = the_course(server.course_file)
    submission = course.submission_of(CYD, course.assignment("river"))
    assert submission is not None
    draft = course.draft(CYD, f"self:{submission.id}")
    assert draft is not None
    assert "sandbank" in json.dumps(draft.content)
    course.store.close()


def test_malformed_frames_do_no_harm(server: Server, visit: Visit) -> None:
    page = the_probe(server, visit)
    id = json.loads(page.locator("#page-state").text_content() or "")["page"]
    (model,) = json.loads(page.locator("#page-state").text_content() or "")["state"]
    said = {**header("comm_msg"), "msg_type": "comm_msg"}
    contents: list[dict[str, Any]] = [
        {},
        {"comm_id": 7, "data": {}},
        {"comm_id": "nobody", "data": 7},
        {"comm_id": model, "data": []},
        {"comm_id": model, "data": {"method": "update", "state": [], "buffer_paths": [["x"]]}},
        {"comm_id": model, "data": {"method": "custom"}},
        {"comm_id": model, "data": {"method": ["nothing"]}},
    ]
    whole = frames.pack("shell", said, {}, {}, contents[-1])
    garbage = (
        b"",
        b"\xff" * 64,
        whole[:-5],
        struct.pack("<Q7Q", 7, *([1 << 60] * 7)),
        frames.pack("shell", {**said, "msg_id": 5}, {}, {}, {}),
        frames.pack("control", {**said, "date": "2026-99-99T99:99:99", "subshell_id": "x"}, {}, {}, {}),
        *(frames.pack("shell", said, {}, {}, content) for content in contents),
        *(frames.pack("shell", said, {}, {}, content, [b"1"] * 3) for content in contents),
    )
    assert Asker(server, ANN).socket(id, *garbage) == "!"
    assert ask(page, {"word": "still"})["heard"] == {"word": "still"}
    assert page.evaluate("document.body.dataset.connection") == "open"


# -- what breaks


def test_a_killed_process_is_said_on_its_page_and_a_reload_brings_it_back(server: Server, visit: Visit) -> None:
    page, other = the_probe(server, visit), the_probe(server, visit, BOB)
    os.kill(ask(page, {})["state"]["pid"], signal.SIGKILL)
    connected(page, "lost")
    notice = page.get_by_test_id("note-lost")
    expect(notice).to_contain_text("no longer connected")
    assert ask(other, {"word": 2})["heard"] == {"word": 2}
    notice.get_by_role("button").click()
    page.wait_for_selector('[data-testid="probe"]')
    connected(page)
    assert ask(page, {"word": 3})["heard"] == {"word": 3}


def test_an_endless_loop_is_ended_at_its_limit_and_others_feel_nothing(server: Server, visit: Visit) -> None:
    page, other = the_probe(server, visit), the_probe(server, visit, BOB)
    stuck = ask(page, {})["state"]["pid"]
    page.evaluate("probe.model.send({ loop: true })")
    while runs(stuck):
        assert ask(other, {"word": "quick"})["heard"] == {"word": "quick"}
    connected(page, "lost")
    assert page.evaluate("document.body.dataset.connection") == "lost"
    assert ask(other, {"word": "on"})["heard"] == {"word": "on"}


def test_a_tab_that_is_closed_frees_its_process_and_signing_out_does_too(server: Server, visit: Visit) -> None:
    page = the_probe(server, visit)
    closed = ask(page, {})["state"]["pid"]
    page.close()
    wait_for(lambda: not runs(closed), what="the end of the page of a closed tab")
    page = the_probe(server, visit, DOT)
    ended = ask(page, {})["state"]["pid"]
    Asker(server, DOT).ask("POST", "/sign-out-everywhere", origin=server.url)
    wait_for(lambda: not runs(ended), what="the end of the page of somebody who signed out")
    connected(page, "lost")
    expect(page.get_by_test_id("note-lost")).to_contain_text("signed out")


def test_a_page_follows_the_course(server: Server, visit: Visit) -> None:
    page = visit(server, BOB)
    connected(page)
    course = the_course(server.course_file)
    title = f"Data Stories, {os.urandom(4).hex()}"
    course.store.keep_course(course.setup.__class__(**{**vars(course.setup), "title": title}), [], [])
    course.store.close()
    expect(page.locator("body")).to_contain_text(title)


def test_a_killed_fork_server_hurts_no_open_page(tmp_path: Path, visit: Visit) -> None:
    with probed(a_probed_course(tmp_path / "course"), "light") as server:
        page = the_probe(server, visit)
        killed = server.fork_server()
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: not runs(killed))
        assert ask(page, {"word": 1})["heard"] == {"word": 1}
        assert ask(the_probe(server, visit, BOB), {"word": 2})["heard"] == {"word": 2}


# -- the ends of stock pages; those of light ones stand in test_server.py and test_housekeeping.py


def test_the_oldest_of_too_many_stock_pages_closes_and_says_so(stock: Server, visit: Visit) -> None:
    first = the_probe(stock, visit)
    others = [first.context.new_page() for _ in range(2)]
    for each in others:
        each.goto(f"{stock.url}/reviews")
        connected(each)
    connected(first, "lost")
    expect(first.get_by_test_id("note-lost")).to_contain_text("You opened this in many windows")
    wait_for(lambda: len(processes(stock)) == 2, what="the end of the oldest")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_stock_pages_is_left_when_the_server_ends(stock: Server, visit: Visit, number: int) -> None:
    page = visit(stock, ANN)
    connected(page)
    Asker(stock, BOB).page("/my-work")
    pids = stock.all()
    assert len(processes(stock)) == 2
    arguments = Path(f"/proc/{stock.service()}/cmdline").read_text().split("\0")
    folder = next(Path(each) for each in arguments if each.endswith("/course")).parent
    stock.stop(number)
    wait_for(lambda: not [pid for pid in pids if runs(pid)], what="the end of all processes")
    wait_for(lambda: not folder.exists(), what="the end of the folder")
    connected(page, "closed")


def test_without_linux_pages_run_on_the_stock_kernel_by_themselves(tmp_path: Path, visit: Visit) -> None:
    with probed(a_probed_course(tmp_path / "course"), "", more=ELSEWHERE) as server:
        page = visit(server, ANN)
        connected(page)
        expect(page.get_by_test_id("screen-my-work")).to_be_visible()
        assert [pid for pid in processes(server) if "server.stock_page" in command(pid)]
        assert json.loads(Asker(server).get("/health")[2]) == {"status": "ok"}


@pytest.mark.parametrize("kernels", ["light", "stock"])
def test_a_pages_process_has_no_secret_and_its_words_are_not_in_the_log(tmp_path: Path, kernels: str) -> None:
    failing = "import os, logging\nprint('sandbank')\nraise ValueError(f'sandbank {sorted(os.environ)}')"
    with probed(a_probed_course(tmp_path / "course", failing), kernels) as server:
        status, _, text = Asker(server, ANN).get("/reviews")
        assert status == 200  # its head was on its way already
        assert "Traceback" not in text
        told = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
        assert [line for line in told if "ValueError" in line["event"]]
        assert "sandbank [" not in text + server.log.read_text()
        wait_for(lambda: not processes(server), what="the end of the page that failed")
