"""Nothing is left lying about: pages that nobody looks at, a server that stops, words in the log, memory."""

import asyncio
import io
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from reviewkit import logs, screens
from reviewkit.errors import Invalid, ServiceError
from reviewkit.server.identity import Viewer
from reviewkit.server.kernels import PageProcesses
from reviewkit.server.watching import Health
from tests.asking import Asker
from tests.cast import ANN, BOB, PROF
from tests.housekeeping import grown, no_more_files, nothing_open, open_and_close, use_of
from tests.serving import (
    Server,
    a_course_folder,
    awaited,
    connected,
    free_port,
    runs,
    say_to_clock,
    the_course,
    visit,
    wait_for,
)

__all__ = ["visit"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("housekeeping")]

Visit = Callable[..., Page]
TUNED = """
import pathlib, sys, time
import reviewkit.server.kernels as kernels, reviewkit.server.light.manager as manager
course = pathlib.Path(sys.argv[1])
ahead = course.with_name("hours-ahead")
manager.SWEEP = 0.1
manager.LightKernelManager.clock = staticmethod(
    lambda: time.monotonic() + 3600 * float(ahead.read_text() if ahead.exists() else 0)
)
{more}
import reviewkit.server
reviewkit.server.serve(course, port=int(sys.argv[2]))
"""
"""`serve` with a clock that a test sets ahead, by the hours in a file beside the course."""
SHORT_PATIENCE = """
before = kernels.PageProcesses.__init__
def quick(self, **settings):
    before(self, **settings)
    self.page_grace, self.away_grace = 4.0, 1.0
kernels.PageProcesses.__init__ = quick
"""
LONG_PATIENCE = """
import reviewkit.server.app as app
app.STOP = 600.0
"""
FAILING_NOTEBOOK = """
import reviewkit.server.app as app
app.dashboards = lambda: course.with_name("notebooks")
"""
FAILING_TEMPLATE = """
from reviewkit.server.pages import PageRenderer
def state(self, page): raise ValueError("sandbank")
PageRenderer.state = state
"""
WORD = "sandbank"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(a_course_folder(tmp_path / "course")) as running:
        yield running


@pytest.fixture
def tuned(tmp_path: Path) -> Iterator[Server]:
    with Server(a_course_folder(tmp_path / "course"), script=TUNED.format(more="")) as running:
        yield running


def log_of(server: Server) -> list[dict[str, Any]]:
    """The log's lines: each is JSON."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def metric(asker: Asker, name: str) -> float:
    """A number of /metrics; nought where it is not there."""
    status, _, text = asker.get("/metrics")
    assert status == 200
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def chosen_post(page: Page) -> None:
    page.get_by_test_id("next").click()
    page.get_by_test_id("dialog-confirm").click()
    page.wait_for_selector('[data-testid="track"]')
    page.wait_for_selector('[data-testid="dialog"]', state="detached")  # until then nobody can type into the page


def type_a_word(page: Page) -> None:
    page.locator('[data-testid^="field-note-"] textarea, textarea[data-testid^="field-note-"]').first.fill(WORD)


def is_stored(server: Server) -> bool:
    course = the_course(server.course_file)
    try:
        submission = course.submission_of(ANN, course.assignment("river"))
        draft = course.draft(ANN, f"self:{submission.id}") if submission else None
        return draft is not None and WORD in json.dumps(draft.content)
    finally:
        course.store.close()


# -- pages that nobody looks at


def test_a_tab_that_is_closed_frees_its_process_and_a_reload_the_old_one(server: Server, visit: Visit) -> None:
    page = visit(server, ANN)
    connected(page)
    (first,) = server.pages()
    page.reload()
    connected(page)
    wait_for(lambda: not runs(first), what="the end of the page before the reload")
    page.close()
    wait_for(lambda: not server.pages(), what="the end of the page of a closed tab")
    assert metric(Asker(server), 'reviewkit_pages_closed_total{why="left"}') == 2


def test_what_was_typed_just_before_the_tab_was_closed_is_saved(server: Server, visit: Visit) -> None:
    page = visit(server, ANN)
    connected(page)
    chosen_post(page)
    type_a_word(page)
    page.close(run_before_unload=False)
    wait_for(lambda: is_stored(server), what="the text in the store")


def test_a_page_that_never_connects_or_never_comes_back_is_freed(tmp_path: Path) -> None:
    with Server(a_course_folder(tmp_path / "course"), script=TUNED.format(more=SHORT_PATIENCE)) as server:
        ann = Asker(server, ANN)
        ann.page("/my-work")
        page = ann.page("/my-work")
        assert ann.socket(page) == "!"
        nothing_open(server)
        asker = Asker(server)
        assert metric(asker, 'reviewkit_pages_closed_total{why="never connected"}') == 1
        assert metric(asker, 'reviewkit_pages_closed_total{why="lost"}') == 1


def test_a_page_that_nobody_used_for_long_rests_and_keeps_its_text(tuned: Server, visit: Visit) -> None:
    page = visit(tuned, ANN)
    connected(page)
    chosen_post(page)
    say_to_clock(tuned.course_file.with_name("hours-ahead"), 11)
    type_a_word(page)  # it was used just now, so it may stay for another twelve hours
    wait_for(lambda: is_stored(tuned), what="the text in the store")
    say_to_clock(tuned.course_file.with_name("hours-ahead"), 22)
    assert page.evaluate("document.body.dataset.connection") == "open"
    say_to_clock(tuned.course_file.with_name("hours-ahead"), 24)
    connected(page, "lost")
    expect(page.get_by_test_id("note-lost")).to_contain_text("This page has rested")
    nothing_open(tuned)
    page.get_by_test_id("note-lost").get_by_role("button", name="Reload").click()
    connected(page)
    expect(page.locator("textarea").first).to_be_visible()
    assert WORD in page.locator("textarea").evaluate_all("all => all.map(each => each.value).join()")


def test_a_page_rests_after_hours_without_use_and_not_before() -> None:
    async def whole() -> None:
        manager, now = PageProcesses(modules=[], idle=12 * 3600.0), [0.0]
        manager.clock = lambda: now[0]
        try:
            used, unused = [manager.get_kernel(await manager.start_kernel()) for _ in range(2)]
            now[0] = 11.9 * 3600
            manager.sweep()
            await asyncio.gather(*manager.parting)
            assert used.alive
            assert unused.alive
            used.use()
            now[0] = 12.1 * 3600
            manager.sweep()
            while unused.kernel_id in manager:
                await asyncio.sleep(0.01)
            assert used.alive
            assert unused.why == "rested"
        finally:
            manager.close()

    awaited(whole())


# -- too many


def test_the_oldest_of_too_many_windows_closes_and_says_so(tmp_path: Path, visit: Visit) -> None:
    with Server(a_course_folder(tmp_path / "course"), environment={"REVIEWKIT_SERVER_MOST_PAGES": "2"}) as server:
        first = visit(server, ANN)
        connected(first)
        chosen_post(first)
        type_a_word(first)
        context: BrowserContext = first.context
        others = [context.new_page() for _ in range(2)]
        bobs = visit(server, BOB)
        for each in others:
            each.goto(f"{server.url}/my-work")
            connected(each)
        connected(first, "lost")
        expect(first.get_by_test_id("note-lost")).to_contain_text(
            "You opened this in many windows; this one has closed"
        )
        assert is_stored(server)
        wait_for(lambda: len(server.pages()) == 3, what="the end of the oldest")
        for each in (*others, bobs):
            connected(each)


def test_many_pages_opened_at_once_are_never_more_than_may_be() -> None:
    ann = Viewer(username="ann", name="Ann", role="student", serial=1)
    given: Any = {"door": Path("/nowhere"), "secret": b"s" * 40, "files": {}, "query": ""}

    async def whole() -> None:
        manager = PageProcesses(modules=[], most_pages=3)
        try:
            await asyncio.gather(*(manager.open_page(ann, "my-work", **given) for _ in range(12)))
            await manager.open_page(ann, "my-work", **given)
            while len(manager.owners) > 3:
                await asyncio.sleep(0.01)
        finally:
            manager.close()

    awaited(whole())


# -- mistakes of ours


@pytest.mark.parametrize("failing", ["notebook", "template"])
def test_a_notebook_or_template_that_fails_ends_in_a_page_of_words(tmp_path: Path, failing: str) -> None:
    course_file = a_course_folder(tmp_path / "course")
    notebooks = course_file.with_name("notebooks")
    notebooks.mkdir()
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"title": "x"}}
    notebook["cells"] = [{**cell, "source": f"raise ValueError({WORD!r})"}]
    for name in screens.SCREENS:
        (notebooks / f"{name.replace('-', '_')}.ipynb").write_text(json.dumps(notebook))
    more = FAILING_NOTEBOOK if failing == "notebook" else FAILING_TEMPLATE
    with Server(course_file, script=TUNED.format(more=more)) as server:
        status, _, text = Asker(server, ANN).get("/my-work")  # the answer ends: it does not wait for ever
        assert status == 200  # its head went out before its notebook was executed; the words stand in its body
        assert "Nothing that was saved is lost" in text
        assert text.endswith("</body></html>")
        assert "page-state" not in text
        assert "Traceback" not in text
        nothing_open(server)
        traces = [line for line in server.log.read_text().splitlines() if "ValueError" in line]
        assert traces
        assert WORD not in text + server.log.read_text()
        assert metric(Asker(server), "reviewkit_pages_failed_total") == 1


# -- stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_pages_save_what_they_have(server: Server, visit: Visit, number: int) -> None:
    page = visit(server, ANN)
    connected(page)
    chosen_post(page)
    pids = server.all()
    type_a_word(page)  # it would go out in a moment
    assert server.stop(number) == 0
    assert is_stored(server)
    assert not [pid for pid in pids if runs(pid)]
    expect(page.get_by_test_id("note-closed")).to_contain_text("is being started again")


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with Server(a_course_folder(tmp_path / "course"), script=TUNED.format(more=LONG_PATIENCE)) as server:
        Asker(server, ANN).page("/my-work")
        pids, frozen = server.all(), server.service()
        os.kill(frozen, signal.SIGSTOP)  # it would be waited for
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not server.pages(), what="the end of pages")
        assert runs(frozen)
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not [pid for pid in pids if runs(pid)], what="the end of all processes")
        assert server.process.wait(20) == 0


# -- health and numbers


def test_health_needs_no_sign_in_and_tells_nothing_of_the_course(server: Server) -> None:
    stranger = Asker(server)
    assert json.loads(stranger.get("/health")[2]) == {"status": "ok"}
    service = server.service()
    os.kill(service, signal.SIGSTOP)
    try:
        wait_for(lambda: stranger.get("/health")[0] == 503, what="the word that the service is away")
        assert json.loads(stranger.get("/health")[2]) == {"status": "service"}
    finally:
        os.kill(service, signal.SIGCONT)
    wait_for(lambda: stranger.get("/health")[0] == 200, what="health")


@pytest.mark.parametrize(
    ("told", "word"), [({"store": True}, "ok"), ({"store": False}, "store"), (ServiceError("away"), "service")]
)
def test_health_says_in_a_word_what_is_the_matter(told: Any, word: str) -> None:
    class FakeDoor:
        async def ask(self, *_: object, **__: object) -> dict[str, Any]:
            if isinstance(told, Exception):
                raise told
            return dict(told)

    async def whole() -> None:
        health = Health(FakeDoor())
        assert await health.word() == word
        health.stopping = True
        assert await health.word() == "stopping"

    awaited(whole())


def test_what_happens_is_counted(server: Server, visit: Visit) -> None:
    page = visit(server, ANN)
    connected(page)
    chosen_post(page)
    type_a_word(page)
    wait_for(lambda: is_stored(server), what="the text in the store")
    asker = Asker(server, BOB)
    assert asker.send("/my-work", {"type": "nonsense", "seq": 1})[0]["ok"] is False  # type: ignore[index]
    for name, least in {
        "reviewkit_pages_open ": 1,
        "reviewkit_pages_opened_total": 2,
        "reviewkit_page_start_seconds_count": 2,
        "reviewkit_saves_total": 1,
        "reviewkit_acts_total": 1,
        "reviewkit_refusals_total": 1,
        "reviewkit_clock_done_seconds": 1,
        "reviewkit_feeds": 1,
        "reviewkit_service_up": 1,
    }.items():
        wait_for(lambda name=name, least=least: metric(asker, name) >= least, what=name)  # type: ignore[misc]
    killed = server.service()
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: not runs(killed))
    wait_for(lambda: metric(asker, "reviewkit_service_restarts_total") == 1, what="the restart")
    text = asker.get("/metrics")[2]
    assert not [word for word in (WORD, ANN.id, ANN.name, "river") if f'"{word}"' in text]


def test_numbers_are_for_this_machine_alone_unless_a_setting_says_otherwise(server: Server, tmp_path: Path) -> None:
    stranger = Asker(server)
    assert stranger.get("/metrics")[0] == 200
    for header in ({"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}, {"Host": "course.example"}):
        assert stranger.ask("GET", "/metrics", **header)[0] == 404
    course_file = a_course_folder(tmp_path / "another")
    public = {"REVIEWKIT_SERVER_PUBLIC_URL": "https://course.example"}
    for more, status in (({}, 404), ({"REVIEWKIT_SERVER_METRICS": "true"}, 200)):
        with Server(course_file, port=free_port(), environment=public | more) as behind:
            assert Asker(behind).get("/metrics")[0] == status


# -- the log


def test_nobodys_words_are_in_the_log_whatever_is_sent(server: Server, visit: Visit) -> None:
    page = visit(server, ANN)
    connected(page)
    chosen_post(page)
    type_a_word(page)  # accepted
    wait_for(lambda: is_stored(server), what="the text in the store")
    for person, names in ((ANN, ("my-work", "reviews")), (PROF, ("sign-off",))):
        asker = Asker(server, person)
        for name in names:
            kinds = ("draft", "look", *screens.screen_of(name).HANDLERS, WORD)
            fields = (
                "submission",
                "form",
                "text",
                "reason",
                "content",
                "levels",
                "notes",
                "posts",
                "allocation",
                "params",
            )
            events = [{"type": kind, "seq": 1, **dict.fromkeys(fields, WORD)} for kind in kinds]
            events.append({"type": [WORD], "seq": {WORD: WORD}, WORD: WORD})
            asker.send(f"/{name}?open={WORD}", *events)
        asker.ask("GET", f"/{WORD}?{WORD}={WORD}", **{"X-Request-Id": WORD, "User-Agent": WORD, "Referer": WORD})
        asker.ask(WORD.upper(), f"/{WORD}")
        asker.get(f"/enter/{WORD}")
    lines = log_of(server)
    assert [line for line in lines if line["event"] == "An event was refused"]
    assert len({line["request"] for line in lines if "request" in line}) > 5
    text = server.log.read_text()
    assert WORD not in text.lower()
    persons = {line["person"] for line in lines if "person" in line}
    assert persons
    assert not persons & {ANN.id, PROF.id}
    assert not [secret for secret in (ANN.name, ANN.email, PROF.name) if secret and secret in text]
    assert sorted(each.name for each in server.log.parent.glob("*.log")) == ["serve.log"]


def test_an_exceptions_message_is_not_in_the_log_whoever_logs_it() -> None:
    stream, before = io.StringIO(), (logging.getLogger().handlers[:], logging.getLogger().level)
    try:
        logs.set_up(b"s" * 40, stream=stream)
        try:
            try:
                int(WORD)
            except ValueError as first:
                raise RuntimeError(WORD) from first
        except RuntimeError as bug:
            logging.getLogger("reviewkit.x").exception("A bug")
            logging.getLogger("reviewkit.x").error("A bug: %s", bug)
            logging.getLogger("reviewkit.x").error("Refused: %s", Invalid(WORD))
            logging.getLogger("comm").error("Exception in %s: %s", WORD, bug, exc_info=True)
            logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <{WORD}>")
        logging.getLogger("reviewkit.x").error("%s", ServiceError("The site is down."))
    finally:
        logging.basicConfig(handlers=before[0], level=before[1], force=True)
    assert WORD not in stream.getvalue()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 6
    assert "RuntimeError" in lines[0]["trace"]
    assert "ValueError" in lines[0]["trace"]
    assert lines[-1]["event"] == "The site is down."


def test_a_person_is_the_same_hash_everywhere_and_another_with_another_salt() -> None:
    logs.set_up(b"a" * 40, stream=io.StringIO())
    one = logs.person(ANN.id)
    assert (one, ANN.id in one) == (logs.person(ANN.id), False)
    assert one != logs.person(BOB.id)
    logs.set_up(b"b" * 40, stream=io.StringIO())
    assert logs.person(ANN.id) != one


# -- nothing grows


def test_a_hundred_pages_opened_and_closed_leave_nothing(server: Server) -> None:
    """After a warm-up of thirty. Memory may differ by what allocators keep: 4 MB; `tests/soak` has the long look."""
    asker = Asker(server, ANN)
    open_and_close(server, asker, 30)
    nothing_open(server)
    before = use_of(server)
    open_and_close(server, asker, 100)
    nothing_open(server)
    wait_for(lambda: no_more_files(before, use_of(server)), what="the end of sockets")
    after = use_of(server)
    assert (after.processes, after.entries) == (before.processes, before.entries) == (2, 1)
    assert not grown(before, after, by=4_000)
