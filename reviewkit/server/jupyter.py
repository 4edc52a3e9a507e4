"""Everything of Voila, jupyter_server, nbclient, nbconvert and tornado's inside that the page server leans on.

No other module imports Voila or jupyter_server, or uses a name that those keep to themselves; import-linter and
tests/test_assumptions.py see to it. That test tries each assumption on the real thing, by itself: when a release
changes one, it is there that one reads which. Types are not theirs to keep, so their classes come in untyped.

What is relied on elsewhere by its public name, because the page's process may not import this module:

* `server/light/kernel.py` replaces `comm.create_comm` and `comm.get_comm_manager`, which are there to be replaced.
* `server/light/client.py` is what `nbclient.NotebookClient` asks of a kernel client, `LightKernel` what it asks of a
  kernel manager.
* `server/stock_page.py` is ipykernel's `IPKernelApp` with three of its steps left out, and `server/stock.py` speaks zmq
  with it as jupyter_client would; `waiting.py` asks ipykernel's `Kernel` whether it runs here.
* `screens/page.py` gives anywidget `_esm` and `_css`, and takes ipywidgets' `set_state` away.
* `server/template/index.html.j2` calls `kernel_start` and `cell_generator`, which Voila hands to a template.
* `server/template/page.js` speaks jupyter_server's websocket frames and ipywidgets' messages.
* `server/__init__.py` hides `rfc3987_syntax`, without which jsonschema does as well.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.services.kernels.connection.base import BaseKernelWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from tornado.iostream import IOStream
from traitlets.config import Config
from voila.app import Voila
from voila.handler import BaseVoilaHandler
from voila.notebook_renderer import NotebookRenderer
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

AnyAuthorizer: Any = Authorizer
"""is_authorized(handler, user, action, resource) is asked before a websocket is connected."""
AnyIdentityProvider: Any = IdentityProvider
"""get_user(handler), which may be a coroutine, is asked before every request; `username` is all that is read of it."""
AnyConnection: Any = BaseKernelWebsocketConnection
"""The class that carries messages between a websocket and a kernel: prepare, connect, disconnect and
handle_incoming_message are called. Gives `kernel_id` and `multi_kernel_manager` by way of `kernel_manager`."""
AnyPageHandler: Any = BaseVoilaHandler
"""A handler that knows `voila_configuration`, `kernel_manager` and `kernel_spec_manager`, and who asks."""

_AnyKernelManager: Any = AsyncMappingKernelManager
_AnyVoila: Any = Voila
_AnyRenderer: Any = NotebookRenderer
_AnyKernelSocket: Any = VoilaKernelWebsocketHandler

UNIMPLEMENTED: Any = web.RequestHandler._unimplemented_method
"""What stands in a tornado handler where it has no method of its own for a verb."""


def unwritten(stream: IOStream) -> int:
    """Bytes that wait for the network; tornado tells in public only whether there are any."""
    return len(stream._write_buffer)


def asked_by(handler: web.RequestHandler) -> Any:
    """Who a request was found to be from, None where nobody was looked for: `current_user` would begin to look."""
    return getattr(handler, "_jupyter_current_user", None) or getattr(handler, "_current_user", None)


def nowhere_ahead(head: str) -> None:
    """For a page that is wanted in one piece."""


class Kernels(_AnyKernelManager):  # type: ignore[misc]  # untyped on purpose
    """Where jupyter_server's handlers find a kernel by its id: `id in kernels`, get_kernel, notify_connect and
    notify_disconnect. A subclass puts into `running` what it starts, and each of them has `stop`."""

    @property
    def running(self) -> dict[str, Any]:
        """The kernels by id, oldest first."""
        kernels: dict[str, Any] = self._kernels
        return kernels

    def enter(self, kernel_id: str, kernel: Any) -> None:
        self._kernels[kernel_id], self._kernel_connections[kernel_id] = kernel, 0

    def leave(self, kernel_id: str) -> None:
        self._kernels.pop(kernel_id, None)
        self._kernel_connections.pop(kernel_id, None)

    def get_kernel(self, kernel_id: str) -> Any:
        """Raises HTTPError 404 when there is none."""
        self._check_kernel_id(kernel_id)
        return self._kernels[kernel_id]

    async def shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        self.get_kernel(kernel_id).stop()

    _async_shutdown_kernel = shutdown_kernel


class KernelSocket(_AnyKernelSocket):  # type: ignore[misc]  # untyped on purpose
    """Authorizes in pre_get, looks its kernel up, then makes the connection and asks it to connect."""

    def nowhere(self) -> Any:
        """The connection of somebody whose kernel is not there; jupyter_server would answer 404, which a browser
        does not tell to a page."""
        raise web.HTTPError(404)

    async def pre_get(self) -> None:
        if self.kernel_id in self.kernel_manager:
            await super().pre_get()
        else:
            self.connection = self.nowhere()

    def on_close(self) -> None:
        """What pings it would else keep it, with all that it holds, until its next turn: half a minute."""
        if self.ping_callback is not None:
            self.ping_callback.stop()
        super().on_close()


class Renderer(_AnyRenderer):  # type: ignore[misc]  # untyped on purpose
    """Executes one notebook on a kernel that is given, and fills the template with it.

    One is made ready for a screen by `initialize()`; each page is made by a copy of its own, `anew()`. `resources` is
    what the template may name beside Voila's.
    """

    def __init__(self, notebook: Any, *, resources: Mapping[str, Any], **settings: Any) -> None:
        super().__init__(page_config={}, contents_manager=None, config_manager=None, **settings)
        self.read, self.more = notebook, resources
        self.pieces = list[str]()
        self.ahead: Callable[[str], None] = nowhere_ahead

    async def load_notebook(self, path: str) -> Any:
        """What was read at the start, in place of a file; the exporter executes a copy of it."""
        return self.read

    async def initialize(self, **arguments: Any) -> None:
        """Compile the template, which takes longer than a page."""
        await super().initialize(**arguments)
        self.exporter.template  # noqa: B018 (a property that keeps what it compiles)

    def anew(self, **resources: Any) -> Self:
        """For one page, and with what only this page's template may name."""
        page: Self = copy.copy(self)
        page.resources = {**self.resources, **self.more, **resources}
        return page

    async def make(self, kernel_id: str, kernel: Any, ahead: Callable[[str], None] = nowhere_ahead) -> str:
        """The page; what stands before its first cell goes to `ahead` before that is executed, the rest is given."""
        self.pieces, self.ahead = [], ahead
        async for piece, _ in self.generate_content_generator(kernel_id, kernel):
            self.pieces.append(piece)
        return "".join(self.pieces)

    async def _jinja_kernel_start(self, *arguments: Any, **settings: Any) -> str:
        """Called by the template, which has given all that stands before."""
        if self.ahead is not nowhere_ahead:
            self.ahead("".join(self.pieces))
            self.pieces.clear()
        started: str = await super()._jinja_kernel_start(*arguments, **settings)
        return started

    def widgets(self) -> dict[str, dict[str, Any]]:
        """The widgets after the execution: by model the `state`, and `buffers` with a path and base64 data each."""
        executor = self.executor
        return {
            model: {"state": state, "buffers": list(executor.widget_buffers.get(model, {}).values())}
            for model, state in executor.widget_state.items()
        }


class PageServer(_AnyVoila):  # type: ignore[misc]  # untyped on purpose
    """Voila as a maker of settings and of pages; of its addresses none is served. After init_settings() it has a
    `kernel_manager`; from the start `voila_configuration` and `template_paths`."""

    templates: Sequence[Path] = ()

    def setup_template_dirs(self) -> None:
        """In place of a search through the folders of this machine."""
        self.template_paths = [str(each) for each in self.templates]
        self.static_paths = list[str]()


def configuration(
    root: Path, *, template: str, identity: type, authorizer: type, connection: type, kernels: type
) -> Config:
    """Voila's settings, with the classes that take the place of jupyter_server's own. Nothing else on this machine
    configures it."""
    config = Config()
    config.Voila.config_file_paths = []
    config.Voila.root_dir = str(root)
    config.Voila.identity_provider_class = identity
    config.Voila.authorizer_class = authorizer
    config.Voila.kernel_websocket_connection_class = connection
    config.VoilaConfiguration.multi_kernel_manager_class = kernels
    config.VoilaConfiguration.template = template
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.attempt_fix_notebook = False
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.file_allowlist = []
    config.VoilaConfiguration.http_header_envs = []
    config.VoilaConfiguration.resources = {}
    config.VoilaExporter.default_preprocessors = []  # each copies the notebook anew, for outputs that we do not have
    return config
