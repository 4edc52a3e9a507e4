"""The dashboards as notebooks: on a stock kernel, with anywidget's own front end, as in JupyterLab.

JupyterLab itself is not installed here: what it does with a widget is what anywidget says that a front end does, and
that is done to the state which a real kernel gives.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Browser, Page, expect

from tests.cast import ANN, PROF
from tests.serving import a_course_folder, awaited, the_course

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("both-kernels")]

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
LAB = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Notebook</title></head><body>
<div class="jp-OutputArea"><div id="cell"></div></div></body></html>"""
SHOW = """async ({ _esm, _css, view }) => {
  // As anywidget does: the text becomes a module by way of a blob, the style stands beside it.
  const style = Object.assign(document.createElement("style"), { textContent: _css });
  document.head.append(style);
  const address = URL.createObjectURL(new Blob([_esm], { type: "text/javascript" }));
  const { default: widget } = await import(address);
  URL.revokeObjectURL(address);
  const handlers = {}, state = { _esm, _css, view };
  const emit = (name, ...said) => [...handlers[name] ?? []].forEach(each => each(...said));
  const model = {
    get: name => state[name],
    set: (name, value) => { state[name] = value; emit(`change:${name}`); },
    save_changes: () => {},
    on: (name, handler) => { (handlers[name] ??= []).push(handler); },
    off: (name, handler) => { handlers[name] = name ? (handlers[name] ?? []).filter(each => each !== handler) : []; },
    send: (content, callbacks, buffers) => sent.push(content),
    widget_manager: { get_model: async () => null },
  };
  const sent = window.sent = [];
  window.model = model;
  window.emit = emit;
  const scope = { model, signal: new AbortController().signal, experimental: { invoke: async () => [null, []] } };
  await widget.initialize?.(scope);
  await widget.render({ ...scope, el: document.getElementById("cell") });
}"""


def notebook(name: str) -> Any:
    return nbformat.read(DASHBOARDS / f"{name}.ipynb", as_version=4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course's folder, in which the notebook runs."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.delenv("REVIEWKIT_PERSON", raising=False)
    return a_course_folder(tmp_path / "course").parent


def executed(name: str, folder: Path) -> dict[str, Any]:
    """The state of the screen after its notebook was executed on a stock kernel."""
    made = NotebookClient(notebook(name), timeout=60, resources={"metadata": {"path": str(folder)}})
    awaited(made.async_execute())
    (output,) = made.nb.cells[-1].outputs
    model = output["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    state: dict[str, Any] = made.widget_state[model]
    return state


@pytest.fixture
def lab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.route("http://lab.test/", lambda route: route.fulfill(content_type="text/html", body=LAB))
    page.route("http://lab.test/static/**", lambda route: route.fulfill(status=404, body=""))
    page.goto("http://lab.test/")
    yield page
    context.close()


@pytest.mark.parametrize(("name", "person"), [("my_work", ANN.id), ("sign_off", "")])
def test_a_dashboard_runs_on_a_stock_kernel_and_draws_with_anywidgets_front_end(
    name: str, person: str, folder: Path, lab: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    if person:
        monkeypatch.setenv("REVIEWKIT_PERSON", person)
    state = executed(name, folder)
    faults: list[str] = []
    lab.on("pageerror", lambda error: faults.append(str(error)))
    assert "export default" in state["_esm"], "in a notebook the module travels with the widget"
    lab.evaluate(SHOW, {key: state[key] for key in ("_esm", "_css", "view")})
    screen = lab.get_by_test_id(f"screen-{name.replace('_', '-')}")
    expect(screen).to_be_visible()
    fresh = json.loads(json.dumps(state["view"]).replace("Data Stories", "Data Stories, followed"))
    lab.evaluate("view => model.set('view', view)", fresh)
    expect(screen).to_contain_text("followed")
    assert not faults


FOLLOWS = """
import reviewkit.screens.page as page
page.BEAT = 0.05
"""


def test_a_notebook_follows_the_course(folder: Path) -> None:
    """A kernel works on nothing while nobody asks: what changes its widget then is its own event loop."""
    made = notebook("sign_off")
    made.cells.insert(0, nbformat.v4.new_code_cell(FOLLOWS))
    look = nbformat.v4.new_code_cell("print(_screen.view['frame']['course'])")
    made.cells[-1].source = made.cells[-1].source.replace(
        "sign_off(open_course())", "_screen = sign_off(open_course())"
    )
    made.cells.append(look)
    client = NotebookClient(made, timeout=60, resources={"metadata": {"path": str(folder)}})

    def retitle() -> None:
        course = the_course(folder / "course.toml")
        course.store.keep_course(replace(course.setup, title="Another title"), [], [])
        course.store.close()

    async def whole() -> None:
        async with client.async_setup_kernel():
            for index, cell in enumerate(made.cells):
                await client.async_execute_cell(cell, index)
            assert look.outputs[0]["text"].strip() == "Data Stories"
            await asyncio.to_thread(retitle)
            while look.outputs[0]["text"].strip() != "Another title":
                await asyncio.sleep(0.1)
                await client.async_execute_cell(look, len(made.cells) - 1)

    assert PROF.role == "instructor", "who looks is the only instructor"
    assert "REVIEWKIT_PERSON" not in os.environ
    awaited(asyncio.wait_for(whole(), 60))
