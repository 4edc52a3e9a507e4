"""What each address of the page server answers."""

import asyncio
import copy
import html
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from tornado import web

from reviewkit.errors import NotAllowed, ServiceError
from reviewkit.server import identity
from reviewkit.server.headers import Careful
from reviewkit.server.identity import Viewer
from reviewkit.server.jupyter import AnyPageHandler, AnyRenderer

LOG = logging.getLogger(__name__)
LONGEST = 40.0
"""Seconds that the making of a page may take; the course service answers within 12."""


class CompiledTemplate(BytecodeCache):
    """The page's template is compiled once and not for every page. Jinja checks the source against what is kept."""

    kept: dict[str, bytes]

    def __init__(self) -> None:
        self.kept = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplate()


def read_notebook(path: Path) -> Any:
    """A notebook as it is executed for a page, with the kernel it names."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    return notebook


class PageRenderer(AnyRenderer):  # type: ignore[misc]  # untyped on purpose
    """Executes one notebook in one page's process and gives the page."""

    def __init__(self, notebook: Any, addresses: Mapping[str, Any], **settings: Any) -> None:
        super().__init__(page_config={}, contents_manager=None, config_manager=None, **settings)
        self.read, self.addresses, self.failed = notebook, addresses, False

    async def load_notebook(self, path: str) -> Any:
        return copy.deepcopy(self.read)

    async def initialize(self, **arguments: Any) -> None:
        await super().initialize(**arguments)
        self.resources["files"] = self.addresses
        self.exporter.environment.bytecode_cache = COMPILED
        self.exporter.register_filter("page_state", self.state)
        self.exporter.register_filter("page_failed", self.fail)

    def state(self, page: str) -> str:
        """The widgets' state as it is after the execution, safe inside a script element."""
        executor = self.executor
        state = {
            model: {"state": state, "buffers": list(executor.widget_buffers.get(model, {}).values())}
            for model, state in executor.widget_state.items()
            if state.get("_model_module") == "anywidget"
        }
        text = json.dumps({"page": page, "state": state}, ensure_ascii=False, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

    def fail(self, _: Any) -> str:
        """A cell's error; the template gives its output, because Jinja runs a filter of constants when it compiles."""
        self.failed = True
        return ""


class ScreenHandler(Careful, AnyPageHandler):  # type: ignore[misc]  # untyped on purpose
    """One screen: its notebook, executed for the person who asks, if it is one of their role's."""

    def initialize(self, screen: str, roles: tuple[str, ...], notebook: Any, **settings: Any) -> None:
        super().initialize(**settings)
        self.screen, self.roles, self.notebook = screen, roles, notebook

    def get_login_url(self) -> str:
        return "/sign-in"

    @web.authenticated
    async def get(self) -> None:
        viewer: Viewer = self.current_user
        if viewer.role not in self.roles:
            raise web.HTTPError(403)
        files = self.settings["files"]
        server = self.settings["page_server"]
        renderer = PageRenderer(
            self.notebook,
            {**files.of(self.screen), "front_end": files.front_end, "icon": files.icon, "fonts": files.fonts},
            request_handler=self,
            voila_configuration=self.voila_configuration,
            traitlet_config=server.config,
            notebook_path=f"{self.screen}.ipynb",
            template_paths=server.template_paths,
            base_url="/",
            kernel_spec_manager=self.kernel_spec_manager,
        )
        await renderer.initialize()
        page = await self.kernel_manager.open_page(
            viewer,
            self.screen,
            door=self.settings["door"].socket_path,
            secret=self.settings["secret"],
            files=files.of(self.screen),
            query=self.request.query,
        )
        kernel = self.kernel_manager.get_kernel(page)
        try:
            made = await asyncio.wait_for(renderer.generate_content_str(page, kernel), LONGEST)
        except TimeoutError:
            kernel.kill()
            LOG.warning("The page %s took longer than %s s and was given up", self.screen, LONGEST)
            raise web.HTTPError(503) from None
        except Exception:
            kernel.stop()
            raise
        if renderer.failed:
            kernel.stop()
            LOG.error("The notebook of %s failed in its page's process; the traceback stands above", self.screen)
            raise web.HTTPError(500)
        self.finish(made)


class HomeHandler(Careful):
    """The first page of one's role."""

    def initialize(self, homes: Mapping[str, str]) -> None:
        self.homes = homes

    async def get(self) -> None:
        viewer = await identity.viewer_of(self)
        if viewer is None:
            self.redirect("/sign-in")
        elif viewer.role in self.homes:
            self.redirect(self.homes[viewer.role])
        else:
            self.words(
                f"Welcome, {viewer.name}",
                "You are signed in. The pages of your role are not open yet: this course has pages for its students "
                "and its instructor.",
                form='<form method="post" action="/sign-out"><button class="btn">Sign out</button></form>',
            )


class EnterHandler(Careful):
    """A personal link. Looking at it does nothing (mail scanners do); its one button signs in, without a script."""

    async def get(self, token: str) -> None:
        viewer = await self._whose(token)
        self.words(
            f"Welcome, {viewer.name}",
            "This link signs you in to your course in this browser. On a shared computer, sign out when you leave.",
            form=(
                f'<form method="post" action="/enter/{html.escape(token)}">'
                '<button class="btn p" data-testid="enter" autofocus>Sign in</button></form>'
            ),
        )

    async def post(self, token: str) -> None:
        identity.sign_in(self, await self._whose(token))
        self.redirect("/", status=303)

    async def _whose(self, token: str) -> Viewer:
        try:
            viewer: Viewer = await self.settings["door"].enter(token)
        except ServiceError as error:
            raise web.HTTPError(503) from error
        except NotAllowed as error:
            self.set_status(403)
            self.words("This link does not work", str(error))
            raise web.Finish from error
        return viewer


class SignInHandler(Careful):
    """For somebody without a sign-in: what to do."""

    def get(self) -> None:
        self.set_status(401)
        self.words(
            "Open your personal link",
            "You sign in with the link that your instructor gave you. It needs no password.",
            "If it is lost, ask your instructor for it: they can send it again.",
        )


class SignOutHandler(Careful):
    """Forgets the sign-in in this browser and ends the person's pages."""

    async def post(self) -> None:
        viewer = await identity.viewer_of(self)
        if viewer is not None:
            self.settings["kernel_manager"].end_pages(viewer)
        identity.sign_out(self)
        self.words("You are signed out", "To come back, open your personal link.")


class NothingHandler(Careful):
    """Every other address."""

    def prepare(self) -> None:
        raise web.HTTPError(404)
