"""What the page server takes for granted of other people's releases, each by itself on the real thing.

A new release of Voila, jupyter_server, nbclient, nbconvert, tornado, comm, ipywidgets or anywidget that changes one of
these fails here, in the test that says what no longer holds, and not on a page. `make newest` tries today's releases.
Where our code leans on it stands in `reviewkit/server/jupyter.py`.
"""

import ast
import asyncio
import itertools
import json
import re
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import anywidget
import comm
import nbformat
import pytest
import traitlets
from comm.base_comm import BaseComm, CommManager
from jupyter_server.services.kernels.connection import base as wire
from nbclient import NotebookClient
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.routing import PathMatches, RuleRouter
from voila.app import Voila
from voila.configuration import VoilaConfiguration
from voila.exporter import VoilaExporter

from reviewkit.server import jupyter
from reviewkit.server.light import frames, kernel
from reviewkit.server.light.client import Channel, LightClient
from reviewkit.server.pages import PageRenderer, read_notebook
from tests.serving import awaited

ROOT = Path(__file__).parents[1]
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TEMPLATE = """<title>{{ nb.metadata.title }}</title><i>{{ resources.files.word }}</i>
{%- with id = kernel_start(nb) %}{% for cell in cell_generator(nb, id) %}{% for output in cell.outputs %}
<p>{{ output.output_type }} {{ resources.shown(output.get("data", {})) }}</p>
{%- endfor %}{% endfor %}<b>{{ resources.left(id) }}</b>{% endwith %}"""


# -- a tiny page server: Ann may come in, her kernel is "k"


class Identity(jupyter.AnyIdentityProvider):  # type: ignore[misc]
    """Believes the header that says who it is."""

    async def get_user(self, handler: web.RequestHandler) -> Any:
        name = handler.request.headers.get("X-Name")
        handler.application.settings["heard"].append("who")
        return SimpleNamespace(username=name) if name else None

    def get_handlers(self) -> list[Any]:
        return []


class Authorizer(jupyter.AnyAuthorizer):  # type: ignore[misc]
    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        handler.application.settings["heard"].append(f"may {user.username} {action} {handler.path_kwargs['kernel_id']}")
        return bool(user.username == "ann")


class Connection(jupyter.AnyConnection):  # type: ignore[misc]
    """Tells what it is asked for."""

    session: Any = None
    kernel_manager: Any = None
    websocket_handler: Any = None
    kernel_ws_protocol = None

    def __init__(self, parent: Any, websocket_handler: Any, config: Any = None) -> None:
        self.kernel_manager, self.websocket_handler = parent, websocket_handler
        self.session, self.heard = SimpleNamespace(session=""), websocket_handler.application.settings["heard"]
        self.heard.append(f"made for {parent.kernel_id}")

    async def prepare(self) -> None:
        self.heard.append(f"prepare {self.session.session}")

    async def connect(self) -> None:
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        self.heard.append("connect")

    def handle_incoming_message(self, frame: Any) -> None:
        self.heard.append(frame)
        self.websocket_handler.ws_connection.write_message(frame, binary=True)

    def disconnect(self) -> None:
        self.multi_kernel_manager.notify_disconnect(self.kernel_id)
        self.heard.append(f"disconnect {self.websocket_handler.close_code}")


class Socket(jupyter.KernelSocket):
    def nowhere(self) -> Any:
        self.application.settings["heard"].append("nowhere")
        raise web.HTTPError(410)

    async def open(self, kernel_id: str) -> None:
        self.set_nodelay(True)
        await super().open(kernel_id)
        self.application.settings["heard"].append(f"patience {self.ping_timeout}")


class PageHandler(jupyter.AnyPageHandler):  # type: ignore[misc]
    """A page of a person who is known."""

    def get_login_url(self) -> str:
        return "/come-in"

    def set_cors_headers(self) -> None:
        self.application.settings["heard"].append("cors")

    def check_xsrf_cookie(self) -> None:
        self.application.settings["heard"].append("form")

    @web.authenticated
    async def get(self) -> None:
        self.finish({"who": self.current_user.username, "asked": jupyter.asked_by(self).username})

    @web.authenticated
    async def post(self) -> None:
        assert "k" in self.kernel_manager
        self.finish({"template": self.voila_configuration.template, "spec": self.kernel_spec_manager is not None})


class Plain(web.RequestHandler):
    def get(self) -> None:
        self.finish(str(jupyter.asked_by(self)))


def voila(folder: Path) -> Any:
    (folder / "index.html.j2").write_text(TEMPLATE, "utf-8")
    config = jupyter.configuration(
        folder,
        template="tiny",
        identity=Identity,
        authorizer=Authorizer,
        connection=Connection,
        kernels=jupyter.Kernels,
    )
    server = jupyter.PageServer(config=config)
    server.templates = [folder]
    server.initialize(argv=[])
    server.connection_dir = str(folder)
    return server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    made = voila(tmp_path)
    yield made
    made.clear_instance()


def asked(server: Any, test: Callable[[aiohttp.ClientSession, str, list[Any]], Awaitable[None]]) -> list[Any]:
    """What our classes heard while a test asked the tiny page server."""
    heard: list[Any] = []

    async def whole() -> None:
        settings = {**server.init_settings(), "heard": heard, "ws_ping_timeout": 29_000, "xsrf_cookies": True}
        kernels = server.kernel_manager
        kernels.enter("k", SimpleNamespace(kernel_id="k", parent=kernels))
        application = web.Application(
            [
                (r"/page", PageHandler, {"voila_configuration": server.voila_configuration}),
                (r"/plain", Plain),
                (r"/(?P<kernel_id>\w+)/channels", Socket),
            ],
            **settings,
        )
        http = HTTPServer(application, max_body_size=1000, max_header_size=4000)
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        http.add_sockets([listening])
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{listening.getsockname()[1]}") as session:
                await asyncio.wait_for(test(session, "/k/channels?session_id=s1", heard), 30)
        finally:
            http.stop()
            await asyncio.wait_for(http.close_all_connections(), 20)

    awaited(whole())
    return heard


ANN = {"X-Name": "ann"}
V1 = ("v1.kernel.websocket.jupyter.org",)


# -- Voila's settings


def test_every_setting_that_we_make_of_voila_is_one_that_it_has(tmp_path: Path) -> None:
    config = jupyter.configuration(
        tmp_path, template="t", identity=Identity, authorizer=Authorizer, connection=Connection, kernels=jupyter.Kernels
    )
    known = {
        "Voila": Voila.class_trait_names(),
        "VoilaConfiguration": VoilaConfiguration.class_trait_names(),
        "VoilaExporter": VoilaExporter.class_trait_names(),
    }
    assert set(config) == set(known)
    for name, traits in known.items():
        gone = set(config[name]) - set(traits)
        assert not gone, f"{name} has no setting of this name any more, and traitlets would say nothing: {gone}"


def test_voila_makes_the_settings_and_kernels_that_our_handlers_ask_for(server: Any, tmp_path: Path) -> None:
    settings = server.init_settings()
    assert isinstance(settings["identity_provider"], Identity), "Voila takes our identity provider"
    assert isinstance(settings["authorizer"], Authorizer), "Voila takes our authorizer"
    assert settings["kernel_websocket_connection_class"] is Connection, "Voila takes our connection"
    assert settings["kernel_manager"] is server.kernel_manager
    assert isinstance(server.kernel_manager, jupyter.Kernels), "Voila takes our kernel manager"
    assert {"kernel_spec_manager", "cookie_secret", "login_url", "allow_remote_access"} <= set(settings)
    assert settings["allow_remote_access"] is True, "a host other than localhost is let in"
    server.kernel_manager.allowed_message_types = ["comm_msg"]
    assert server.kernel_manager.has_trait("allowed_message_types"), "what browsers may send can be said"


def test_voila_asks_for_templates_by_a_method_that_we_replace(server: Any, tmp_path: Path) -> None:
    assert server.template_paths == [str(tmp_path)]
    assert server.voila_configuration.template == "tiny"
    assert not server.voila_configuration.prelaunch_hook


def test_no_file_of_this_machine_configures_voila(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "voila.json").write_text('{"VoilaConfiguration": {"show_tracebacks": true, "template": "lab"}}')
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = request.getfixturevalue("server")
    assert not made.voila_configuration.show_tracebacks, "an empty list of config_file_paths means that none is read"
    assert made.voila_configuration.template == "tiny"


# -- kernels by id


def test_the_kernel_manager_keeps_kernels_by_id(server: Any, tmp_path: Path) -> None:
    server.init_settings()
    kernels, stopped = server.kernel_manager, list[str]()
    kernels.enter("k", SimpleNamespace(stop=lambda: stopped.append("k")))
    assert "k" in kernels
    assert list(kernels.running) == kernels.list_kernel_ids() == ["k"], "jupyter_server looks into the same place"
    kernels.notify_connect("k")
    assert kernels._kernel_connections == {"k": 1}
    kernels.notify_disconnect("k")
    assert kernels._kernel_connections == {"k": 0}
    assert kernels.cwd_for_path("") == str(tmp_path), "the folder of a kernel is the one that we name"
    awaited(kernels.shutdown_kernel("k"))
    assert stopped == ["k"]
    kernels.leave("k")
    assert "k" not in kernels
    with pytest.raises(web.HTTPError, match="404"):
        kernels.get_kernel("k")


# -- the websocket


def test_a_websocket_is_authorized_then_connected_then_heard(server: Any) -> None:
    async def talk(session: aiohttp.ClientSession, path: str, heard: list[Any]) -> None:
        async with session.ws_connect(path, headers=ANN, protocols=V1) as line:
            assert line.protocol == V1[0], "the subprotocol of our frames is chosen"
            await line.send_bytes(b"frame")
            assert await line.receive_bytes(timeout=20) == b"frame"
            assert server.kernel_manager._kernel_connections["k"] == 1
            await line.close(code=1001)
        while len(heard) < 8:
            await asyncio.sleep(0.01)

    heard = asked(server, talk)
    assert heard[0] == "who", "who asks is looked for before anything else"
    assert heard[1:5] == ["may ann execute k", "made for k", "prepare s1", "connect"]
    assert sorted(heard[5:7], key=str) == sorted([b"frame", "patience 29000"], key=str)
    assert heard[7] == "disconnect 1001"


def test_a_stranger_and_somebody_else_are_refused_before_anything_is_connected(server: Any) -> None:
    async def talk(session: aiohttp.ClientSession, path: str, heard: list[Any]) -> None:
        for headers in ({}, {"X-Name": "bob"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(path, headers=headers, protocols=V1)
            assert refused.value.status == 403

    assert asked(server, talk) == ["who", "who", "may bob execute k"]


def test_a_script_of_another_site_opens_no_websocket(server: Any) -> None:
    async def talk(session: aiohttp.ClientSession, path: str, heard: list[Any]) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(path, headers={**ANN, "Origin": "https://elsewhere.example"}, protocols=V1)
        assert refused.value.status == 403, "the origin of a websocket is looked at"

    assert "connect" not in asked(server, talk)


def test_a_kernel_that_is_not_there_is_asked_for_in_a_hook_of_ours(server: Any) -> None:
    async def talk(session: aiohttp.ClientSession, path: str, heard: list[Any]) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(path.replace("k", "other", 1), headers=ANN, protocols=V1)
        assert refused.value.status == 410

    assert asked(server, talk) == ["who", "nowhere"], "KernelWebsocketHandler calls pre_get with the id in kernel_id"


# -- pages


def test_a_page_handler_knows_who_asks_and_sends_others_to_our_address(server: Any) -> None:
    async def talk(session: aiohttp.ClientSession, path: str, heard: list[Any]) -> None:
        assert await (await session.get("/page", headers=ANN)).json() == {"who": "ann", "asked": "ann"}
        away = await session.get("/page", allow_redirects=False)
        assert (away.status, away.headers["Location"].split("?")[0]) == (302, "/come-in")
        assert await (await session.get("/plain", headers=ANN)).text() == "None", "asked_by looks and does not search"

    heard = asked(server, talk)
    assert heard == ["who", "cors", "who", "cors"], "set_cors_headers is where headers for other sites are added"


def test_every_form_is_checked_by_our_rule(server: Any) -> None:
    async def talk(session: aiohttp.ClientSession, path: str, heard: list[Any]) -> None:
        answer = await session.post("/page", headers=ANN)
        assert await answer.json() == {"template": "tiny", "spec": True}

    heard = asked(server, talk)
    assert "form" in heard, "check_xsrf_cookie is called for a form, and nothing else refuses one without a cookie"


# -- the renderer, the executor, the exporter


class TinyKernel:
    """A kernel manager with no more than LightKernel has; what else is asked of it raises AttributeError."""

    has_kernel = True
    kernel_spec = SimpleNamespace(metadata={})

    def __init__(self) -> None:
        self.clients: list[TinyClient] = []

    def client(self) -> "TinyClient":
        self.clients.append(TinyClient())
        return self.clients[-1]

    async def is_alive(self) -> bool:
        return True


class TinyClient:
    """A kernel client with no more than LightClient has: shows a widget of one number and one picture."""

    allow_stdin = False

    def __init__(self) -> None:
        self.shell_channel, self.iopub_channel = Channel(), Channel()
        self.ids, self.code, self.open = itertools.count(), list[str](), False

    def start_channels(self) -> None:
        self.open = True

    def stop_channels(self) -> None:
        self.open = False

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        assert self.open

    async def is_alive(self) -> bool:
        return True

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        request = f"r{next(self.ids)}"
        self.code.append(code)

        def told(kind: str, content: dict[str, Any], buffers: list[bytes] | None = None) -> dict[str, Any]:
            return {
                "msg_type": kind,
                "header": {"msg_type": kind},
                "parent_header": {"msg_id": request},
                "content": content,
                "metadata": {},
                "buffers": buffers or [],
            }

        self.iopub_channel.put(told("status", {"execution_state": "busy"}))
        if "screen" in code:
            data = {"state": {"n": 1, "_model_module": "anywidget"}, "buffer_paths": [["picture"]]}
            opened = {"comm_id": "m1", "target_name": "jupyter.widget", "data": data}
            self.iopub_channel.put(told("comm_open", opened, [b"\x00\xff"]))
            update = {"comm_id": "m1", "data": {"method": "update", "state": {"n": 2}, "buffer_paths": []}}
            self.iopub_channel.put(told("comm_msg", update))
            shown = {"data": {WIDGET_VIEW: {"model_id": "m1"}}, "metadata": {}, "execution_count": 1}
            self.iopub_channel.put(told("execute_result", shown))
        if "the_end" in code:
            self.shell_channel.put(None)
            self.iopub_channel.put(None)
            return request
        if "mistake" in code:
            self.iopub_channel.put(told("error", {"ename": "E", "evalue": "my words", "traceback": ["my words"]}))
        self.iopub_channel.put(told("status", {"execution_state": "idle"}))
        wrong = {"status": "error", "ename": "E", "evalue": "my words", "traceback": []}
        self.shell_channel.put(told("execute_reply", wrong if "mistake" in code else {"status": "ok"}))
        return request


class Rendered:
    """One page made from one cell."""

    def __init__(self, server: Any, cell: str) -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        notebook.metadata.update(title="Mine", kernelspec={"name": "x", "display_name": "X", "language": "python"})
        self.kernel, self.given, self.source = TinyKernel(), notebook, json.dumps(notebook)
        self.screen = jupyter.Renderer(
            notebook,
            resources={"files": {"word": "ours"}},
            request_handler=None,
            voila_configuration=server.voila_configuration,
            traitlet_config=server.config,
            notebook_path="mine.ipynb",
            template_paths=server.template_paths,
            base_url="/",
            kernel_spec_manager=None,
        )
        self.widgets: dict[str, Any] = {}
        self.ahead, self.rest = "", ""
        self.page = awaited(self.made())

    async def made(self) -> str:
        await self.screen.initialize()
        return await self.another()

    async def another(self) -> str:
        page = self.screen.anew(shown=json.dumps, left=lambda name: self.left(page, name))
        self.rest = await asyncio.wait_for(page.make("k7", self.kernel, self.begin), 30)
        return self.ahead + self.rest

    def begin(self, head: str) -> None:
        assert not [client for client in self.kernel.clients if client.code], "nothing is executed yet"
        self.ahead = head

    def left(self, page: jupyter.Renderer, name: str) -> str:
        self.widgets = page.widgets()
        return name


def test_a_renderer_executes_with_the_kernel_it_is_given(server: Any) -> None:
    made = Rendered(server, "screen()")
    [client] = made.kernel.clients
    assert client.code[-1] == "screen()", "each cell is sent to the client of the kernel that was handed in"
    assert not client.open, "and the client is put away afterwards"


def test_a_template_is_given_the_kernel_the_cells_and_our_resources(server: Any) -> None:
    page = Rendered(server, "screen()").page
    assert "<title>Mine</title>" in page
    assert "<i>ours</i>" in page, "resources reach the template"
    assert "<b>k7</b>" in page, "kernel_start gives the id that was named"
    assert re.search(r"<p>execute_result .*m1", page), "cells come with their outputs, filters of ours are called"


def test_the_executor_follows_the_state_of_widgets(server: Any) -> None:
    widgets = Rendered(server, "screen()").widgets
    assert set(widgets) == {"m1"}
    assert widgets["m1"]["state"]["n"] == 2, "an update after the opening counts"
    [buffer] = widgets["m1"]["buffers"]
    assert (list(buffer["path"]), buffer["data"]) == (["picture"], "AP8="), "binary values come as base64 with a path"


def test_a_mistake_of_a_cell_is_an_output_without_its_words(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    page = Rendered(server, "mistake()").page
    assert "<p>error" in page, "the template sees an output of the type error"
    assert "my words" not in page, "show_tracebacks=False keeps the traceback from the page"
    assert "<b>k7</b>" in page, "and the page is made to its end"


def test_the_notebook_that_was_read_is_not_touched(server: Any) -> None:
    made = Rendered(server, "screen()")
    assert json.dumps(made.given) == made.source


def test_what_stands_before_the_cells_comes_ahead(server: Any) -> None:
    made = Rendered(server, "screen()")
    assert "<i>ours</i>" in made.ahead
    assert "<p>" not in made.ahead
    assert "<title>" not in made.rest, "and it does not come twice"


def test_pages_of_one_screen_share_the_compiled_template_and_nothing_else(server: Any) -> None:
    made = Rendered(server, "screen()")
    compiled, resources = made.screen.exporter.template, dict(made.screen.resources)
    made.kernel.clients.clear()
    assert awaited(made.another()) == made.page, "the second is executed like the first"
    assert made.screen.exporter.template is compiled
    assert made.screen.resources == resources, "what one page's template was given, the next does not see"


def test_a_light_client_has_what_nbclient_asks_of_a_client() -> None:
    """The tiny client above is all that nbclient and Voila needed; the real one offers at least as much."""
    needed = {name for name in vars(TinyClient) if not name.startswith("__")}
    assert needed <= set(dir(LightClient))
    assert NotebookClient.store_widget_state.default_value, "the state of widgets is followed unless one says otherwise"


def test_a_notebook_is_read_with_the_kernel_it_names(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    assert read_notebook(path).metadata.kernelspec["language"] == "python", "Voila reads kernelspec.language"


def test_notebooks_are_validated_without_the_grammar_of_addresses() -> None:
    look = (
        "import sys; sys.modules['rfc3987_syntax'] = None\n"
        "import nbformat; nbformat.validate(nbformat.v4.new_notebook()); print('valid')"
    )
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert told.stdout == "valid\n", told.stderr


@pytest.mark.parametrize(("cell", "failed"), [("screen()", False), ("mistake()", True), ("the_end()", True)])
def test_a_page_with_nothing_to_see_has_failed(server: Any, cell: str, failed: bool) -> None:
    """Voila makes a message of its own of what goes wrong beside the cells, such as a process that ends."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    notebook.metadata.update(title="Mine", kernelspec={"name": "x", "display_name": "X", "language": "python"})
    screen = PageRenderer(
        notebook,
        resources={"files": {"fonts": []}},
        request_handler=None,
        voila_configuration=server.voila_configuration,
        traitlet_config=server.config,
        notebook_path="mine.ipynb",
        template_paths=[str(ROOT / "reviewkit" / "server" / "template")],
        base_url="/",
        kernel_spec_manager=None,
    )

    async def made() -> bool:
        await screen.initialize()
        page = screen.anew()
        assert "</html>" in await asyncio.wait_for(page.make("k7", TinyKernel()), 30)
        return page.failed

    assert awaited(made()) == failed
    assert not screen.failed, "the next page begins anew"


# -- tornado


def test_a_handler_without_a_method_has_tornados_own_in_its_place() -> None:
    assert Plain.post is jupyter.UNIMPLEMENTED
    assert Plain.get is not jupyter.UNIMPLEMENTED


def test_an_applications_routes_can_be_listed() -> None:
    router = web.Application([(r"/a/(\d+)", Plain)]).default_router
    targets = [rule.target for rule in router.rules]
    assert any(isinstance(target, RuleRouter) for target in targets), "routers hold routers, and those hold handlers"
    [inner] = [target for target in targets if isinstance(target, RuleRouter)]
    matcher = inner.rules[0].matcher
    assert isinstance(matcher, PathMatches)
    assert matcher.regex.pattern == r"/a/(\d+)$"


def test_what_a_browser_has_not_read_yet_can_be_counted() -> None:
    async def count() -> int:
        ours, theirs = socket.socketpair()
        stream = IOStream(ours)
        with theirs:
            assert jupyter.unwritten(stream) == 0
            written = stream.write(b"x" * (8 << 20))
            waiting = jupyter.unwritten(stream)
            assert stream.writing()
            stream.close()
            await asyncio.gather(written, return_exceptions=True)
        return waiting

    assert 4 << 20 < awaited(count()) <= 8 << 20, "the stream's buffer holds what the network has not taken"


# -- comm, ipywidgets, anywidget


class Said:
    """In the place of a page's kernel: what its widgets say."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any], list[bytes]]] = []

    def publish(self, kind: str, content: dict[str, Any], metadata: Any, buffers: Any) -> None:
        self.messages.append((kind, content, [bytes(each) for each in buffers]))


class Picture(anywidget.AnyWidget):
    """A widget as ours are, with a binary value beside."""

    view = traitlets.Dict().tag(sync=True)
    picture = traitlets.Bytes(b"\x00\xff").tag(sync=True)
    written: Any = None

    def __init__(self, **settings: Any) -> None:
        self._esm, self._css = "/static/x.js", "/static/x.css"
        super().__init__(**settings)

    def set_state(self, sync_data: Any) -> None:
        self.written = sync_data


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """Widgets speak as in a page's process, until the test is over."""
    for name in ("create_comm", "get_comm_manager"):
        monkeypatch.setattr(comm, name, getattr(comm, name))
    here = Said()
    monkeypatch.setattr(kernel, "HERE", here)
    kernel.adopt_comms()
    return here


def heard(widget: Picture, data: dict[str, Any], *buffers: bytes) -> None:
    """The browser says something to a widget."""
    message = {"content": {"comm_id": widget.model_id, "data": data}, "buffers": list(buffers)}
    kernel.COMMS.comm_msg(None, "", message)


def test_a_new_widget_opens_its_line_with_its_whole_state(said: Said) -> None:
    widget = Picture(view={"n": 1})
    kind, content, buffers = said.messages[-1]  # its layout, of which a page has no use, came before
    assert kind == "comm_open", "ipywidgets makes its line by comm.create_comm, which we replace"
    assert (content["target_name"], content["comm_id"]) == ("jupyter.widget", widget.model_id)
    state = content["data"]["state"]
    assert (state["view"], state["_model_module"]) == ({"n": 1}, "anywidget")
    assert (state["_esm"], state["_css"]) == ("/static/x.js", "/static/x.css"), "given before __init__, they are traits"
    assert (content["data"]["buffer_paths"], buffers) == ([["picture"]], [b"\x00\xff"])


def test_a_widget_is_shown_by_a_bundle_that_names_its_model(said: Said) -> None:
    widget = Picture()
    data, _ = kernel.bundle(widget)
    assert data[WIDGET_VIEW]["model_id"] == widget.model_id


def test_a_changed_trait_is_an_update(said: Said) -> None:
    widget = Picture()
    widget.view = {"n": 2}
    kind, content, _ = said.messages[-1]
    assert (kind, content["comm_id"]) == ("comm_msg", widget.model_id)
    assert content["data"] == {"method": "update", "state": {"view": {"n": 2}}, "buffer_paths": []}


def test_a_message_of_a_widget_is_custom(said: Said) -> None:
    Picture().send({"type": "done"}, [b"\x01"])
    kind, content, buffers = said.messages[-1]
    assert (kind, content["data"], buffers) == (
        "comm_msg",
        {"method": "custom", "content": {"type": "done"}},
        [b"\x01"],
    )


def test_a_message_of_the_browser_reaches_those_who_listen(said: Said) -> None:
    widget, listened = Picture(), list[Any]()
    widget.on_msg(lambda *each: listened.append(each))
    heard(widget, {"method": "custom", "content": {"type": "freeze", "seq": 1}}, b"\x02")
    assert listened == [(widget, {"type": "freeze", "seq": 1}, [b"\x02"])]


def test_what_a_browser_writes_goes_by_set_state_alone(said: Said) -> None:
    widget = Picture(view={"n": 1})
    heard(widget, {"method": "update", "state": {"view": {"n": 666}}, "buffer_paths": []})
    assert widget.written == {"view": {"n": 666}}
    assert widget.view == {"n": 1}, "whoever replaces set_state lets no browser write"


def test_a_browser_that_comes_back_is_told_the_whole_state(said: Said) -> None:
    widget = Picture(view={"n": 3})
    heard(widget, {"method": "request_state"})
    kind, content, buffers = said.messages[-1]
    assert (kind, content["data"]["method"]) == ("comm_msg", "update")
    assert content["data"]["state"]["view"] == {"n": 3}
    assert (content["data"]["buffer_paths"], buffers) == ([["picture"]], [b"\x00\xff"])


def test_a_bug_in_a_listener_does_not_leave_the_widgets_library(said: Said, caplog: pytest.LogCaptureFixture) -> None:
    """Hence a screen catches its own: else the browser would wait for an answer for ever."""
    widget = Picture()
    widget.on_msg(lambda *_: 1 / 0)
    heard(widget, {"method": "custom", "content": {}})
    assert "ZeroDivisionError" in caplog.text


def test_a_comm_manager_finds_and_forgets_a_line_by_its_id() -> None:
    manager, closed = CommManager(), list[Any]()
    asked_of_us = tuple(signature(BaseComm.publish_msg).parameters)
    assert asked_of_us == ("self", "msg_type", "data", "metadata", "buffers", "keys")
    line = comm.DummyComm(comm_id="c1", primary=False)
    manager.register_comm(line)
    assert manager.comms == {"c1": line}
    line.on_close(closed.append)
    manager.comm_close(None, "", message := {"content": {"comm_id": "c1"}})
    assert (closed, manager.comms) == ([message], {})


# -- frames


def test_our_frames_are_those_of_jupyter_server() -> None:
    parts = [{"msg_id": "1", "msg_type": "comm_msg"}, {}, {}, {"data": {"method": "custom", "content": "ä"}}]
    packed = [json.dumps(each, separators=(",", ":")).encode() for each in parts]
    theirs = wire.serialize_msg_to_ws_v1([*packed, b"\x00\x01", b""], "iopub")
    assert frames.pack("iopub", parts[0], parts[1], parts[2], parts[3], [b"\x00\x01", b""]) == theirs
    channel, given = wire.deserialize_msg_from_ws_v1(theirs)
    assert (channel, given) == ("iopub", [*packed, b"\x00\x01", b""])
    channel, message = frames.unpack(theirs)
    assert (channel, message["content"], [bytes(each) for each in message["buffers"]]) == (
        "iopub",
        parts[3],
        [b"\x00\x01", b""],
    )


# -- and nothing else


INSIDE = {
    "_kernels", "_kernel_connections", "_check_kernel_id", "_async_shutdown_kernel", "_write_buffer", "_current_user",
    "_jupyter_current_user", "_unimplemented_method", "_environment_cached", "pre_get", "get_current_user",
    "widget_state", "widget_buffers", "setup_template_dirs", "load_notebook", "exporter",
}  # fmt: skip
"""Names that Voila, jupyter_server, nbclient and tornado keep to themselves, or hooks between their own classes."""


@pytest.mark.parametrize("path", sorted((ROOT / "reviewkit" / "server").rglob("*.py")), ids=lambda path: path.stem)
def test_only_one_module_knows_the_inside_of_voila(path: Path) -> None:
    if path.name == "jupyter.py":
        return
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = (
            [node.attr] if isinstance(node, ast.Attribute)
            else [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            else [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str)
            else []
        )  # fmt: skip
        found |= INSIDE & set(names)
        if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "os")
            found |= set() if own else {node.attr}
    assert not found, f"{path.name} uses what belongs into server/jupyter.py: {found}"
