"""A screen in a notebook: what a page's process does between the browser and the course."""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from reviewkit import screens
from reviewkit.errors import Invalid, NotAllowed, ReviewkitError, ServiceError
from reviewkit.screens import page
from reviewkit.screens.page import LocalSource, Notice, Screen
from reviewkit.store import Store
from tests.cast import ANN, BOB, PROF, Clock, a_course

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
NAMES = ("my_work", "reviews", "sign_off")


class Source:
    """A course that answers what it is told to."""

    def __init__(self, reply: Mapping[str, Any] | Exception) -> None:
        self.reply, self.heard = reply, list[Mapping[str, Any]]()

    def view(self, screen: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"screen": screen, "count": 0, "params": dict(params)}

    def act(self, screen: str, event: Mapping[str, Any]) -> dict[str, Any]:
        self.heard.append(event)
        if isinstance(self.reply, Exception):
            raise self.reply
        return dict(self.reply)


class Browser:
    """The other end of a screen's messages."""

    def __init__(self, reply: Mapping[str, Any] | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REVIEWKIT_STATIC", '{"module": "/static/x.js", "stylesheet": "/static/x.css"}')
        self.source, self.heard = Source(reply), list[tuple[dict[str, Any], int]]()
        self.screen = Screen(self.source, "my-work", {})
        monkeypatch.setattr(self.screen, "send", lambda said: self.heard.append((said, self.screen.view["count"])))

    def say(self, event: object) -> dict[str, Any]:
        self.screen._handle_custom_msg(event, [])
        return self.heard[-1][0]


def test_an_event_reaches_the_course_and_its_answer_comes_after_the_fresh_view(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser({"ok": True, "view": {"screen": "my-work", "count": 1}}, monkeypatch)
    assert browser.say({"type": "freeze", "seq": 7, "post": "p"}) == {"type": "done", "seq": 7, "ok": True}
    assert browser.source.heard == [{"type": "freeze", "post": "p"}]
    assert browser.heard[0][1] == 1


def test_the_answer_to_a_draft_leaves_the_view_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser({"ok": True, "revision": 4, "saved": "14:02"}, monkeypatch)
    told = browser.say({"type": "draft", "seq": 8})
    assert (told["revision"], told["saved"], browser.screen.view["count"]) == (4, "14:02", 0)


@pytest.mark.parametrize(
    "error", [ServiceError("The course cannot be reached."), Invalid("Too long.", field="strengths")]
)
def test_what_goes_wrong_is_answered_in_words(error: ReviewkitError, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Browser(error, monkeypatch).say({"type": "draft", "seq": 9})
    assert (told["seq"], told["ok"], told["error"]["message"]) == (9, False, str(error))
    assert told["error"]["field"] == getattr(error, "field", None)
    assert told.get("again", False) == isinstance(error, ServiceError), "what may pass is tried again"


def test_a_bug_is_answered_calmly_and_goes_to_the_log_without_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    words = "my private thought"
    with caplog.at_level(logging.ERROR):
        told = Browser(ZeroDivisionError(words), monkeypatch).say({"type": "draft", "seq": 10})
    assert (told["ok"], told["seq"]) == (False, 10)
    assert "kept in this browser" in told["error"]["message"]
    assert told["again"]
    assert words not in caplog.text + json.dumps(told)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("event", [None, "text", 7, [], ["type"]])
def test_what_is_no_event_is_refused(event: object, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser({"ok": True}, monkeypatch)
    assert not browser.say(event)["ok"]
    assert not browser.source.heard


def test_a_page_loads_its_files_from_our_server_and_a_notebook_carries_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "export default" in page.files("my-work")[0]
    assert "--canvas" in page.files("my-work")[1]
    monkeypatch.setenv("REVIEWKIT_STATIC", '{"module": "/static/x.js", "stylesheet": "/static/x.css"}')
    assert page.files("my-work") == ("/static/x.js", "/static/x.css")


def test_the_place_comes_from_the_address_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_STRING", "submission=RK-1&x=" + "y" * 900 + "".join(f"&k{n}=1" for n in range(40)))
    given = page.parameters()
    assert given["submission"] == "RK-1"
    assert len(given) == page.PARAMS
    assert max(map(len, given.values())) == page.PARAM_LENGTH
    monkeypatch.delenv("QUERY_STRING")
    assert page.parameters() == {}


# -- in an instructor's own notebook


def test_the_only_instructor_looks_unless_somebody_is_named(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = a_course(sqlite_store, Clock())
    assert LocalSource(course).viewer == PROF
    monkeypatch.setenv("REVIEWKIT_PERSON", BOB.id)
    assert LocalSource(course).viewer == BOB
    monkeypatch.setenv("REVIEWKIT_PERSON", "nobody")
    with pytest.raises(Invalid, match="REVIEWKIT_PERSON"):
        LocalSource(course)


def test_a_screen_over_the_course_itself_draws_and_acts(sqlite_store: Store) -> None:
    screen = page.sign_off(a_course(sqlite_store, Clock()))
    assert isinstance(screen, Screen)
    assert screen.view == screens.view(a_course(sqlite_store, Clock()), PROF, "sign-off", {})
    told: list[dict[str, Any]] = []
    screen.send = told.append
    screen._handle_custom_msg({"type": "look", "seq": 1}, [])
    assert told == [{"type": "done", "seq": 1, "ok": True}]


def test_where_there_is_nothing_to_show_the_reason_stands_as_text(sqlite_store: Store) -> None:
    shown = page.my_work(a_course(sqlite_store, Clock()))
    assert isinstance(shown, Notice)
    assert "not for your role" in repr(shown)
    assert Notice("<b>Ann & Bob</b>")._repr_html_().count("&lt;b&gt;Ann &amp; Bob") == 1


def test_a_refusal_of_the_course_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shut(Source):
        def view(self, screen: str, params: Mapping[str, Any]) -> dict[str, Any]:
            raise NotAllowed("Your sign-in has ended.")

    monkeypatch.setattr(page, "LocalSource", lambda _: Shut({}))
    shown: Any = page.reviews(Any)  # type: ignore[arg-type]  # never looked at
    assert repr(shown) == "Your sign-in has ended."


# -- small processes, thin notebooks


def test_a_page_imports_nothing_heavy() -> None:
    look = "import sys, json, reviewkit.screens.page; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", look], capture_output=True, check=True).stdout)
    heavy = ("pandas", "numpy", "sqlalchemy", "aiohttp", "feedparser", "gspread", "openpyxl", "voila", "tornado", "zmq")
    assert not set(heavy) & set(loaded)
    ours = {name for name in loaded if name.startswith("reviewkit.")}
    assert not ours & {"reviewkit.course", "reviewkit.store", "reviewkit.service", "reviewkit.signing"}


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_one_import_and_one_call_without_output(name: str) -> None:
    notebook = nbformat.read(DASHBOARDS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.title
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cell.outputs == []
    assert cell.execution_count is None
    assert len(cell.source.splitlines()) <= 10
    assert cell.source.splitlines()[-1] == f"{name}(open_course())"


def test_every_screen_has_its_dashboard() -> None:
    assert {path.stem.replace("_", "-") for path in DASHBOARDS.glob("*.ipynb")} == set(screens.SCREENS)


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_runs_in_an_instructors_own_notebook(
    name: str, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = a_course(sqlite_store, Clock())
    monkeypatch.setenv("REVIEWKIT_PERSON", PROF.id if name == "sign_off" else ANN.id)
    monkeypatch.setattr("reviewkit.open_course", lambda: course)
    *rest, last = nbformat.read(DASHBOARDS / f"{name}.ipynb", as_version=4).cells[-1].source.splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(rest), names)
    assert isinstance(eval(last, names), Screen)
