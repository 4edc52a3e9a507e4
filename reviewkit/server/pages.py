"""What each address of the page server answers."""

import asyncio
import html
import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import nbformat
from tornado import web

from reviewkit import signing
from reviewkit.errors import Ended, Invalid, Missing, NotAllowed, ReviewkitError, ServiceError, TooOften
from reviewkit.pictures import TYPE
from reviewkit.server import identity
from reviewkit.server.headers import Careful
from reviewkit.server.identity import Viewer
from reviewkit.server.jupyter import AnyPageHandler, Renderer
from reviewkit.server.static import Files

LOG = logging.getLogger(__name__)
LONGEST = 40.0
"""Seconds that the making of a page may take; the course service answers within 12."""


ASK = "Ask your instructor for a new one: they can send it again."
LETTER_FORM = (
    '<form method="post" action="/send-link" class="f"><label for="email">Your e-mail address</label>'
    '<p class="hint" id="email-hint">The one that your instructor has of you.</p>'
    '<input class="in" id="email" name="email" type="email" autocomplete="email" required maxlength="254" '
    'aria-describedby="email-hint" data-testid="field-email">'
    '<button class="btn p" data-testid="send-link">Send me a new link</button></form>'
)
SIGN_OUT_FORMS = (
    '<form method="post" action="/sign-out"><button class="btn p">Sign out</button></form>'
    '<form method="post" action="/sign-out-everywhere"><button class="btn">Sign out everywhere</button></form>'
)


def read_notebook(path: Path) -> Any:
    """A notebook as it is executed for a page, with the kernel it names."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    return notebook


class PageRenderer(Renderer):
    """Executes one notebook in one page's process and gives the page."""

    failed = False

    def anew(self, **resources: Any) -> Self:
        page = super().anew(**resources)
        # Functions, because resources are copied on their way, and a method would take its renderer along.
        page.resources |= {"page_state": lambda id: page.state(id), "page_failed": lambda: page.fail()}
        return page

    def state(self, page: str) -> str:
        """The widgets' state as it is after the execution, safe inside a script element."""
        widgets = self.widgets().items()
        state = {model: each for model, each in widgets if each["state"].get("_model_module") == "anywidget"}
        text = json.dumps({"page": page, "state": state}, ensure_ascii=False, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

    def fail(self) -> str:
        """There is nothing to see: a cell's error, or a process that ended."""
        self.failed = True
        return ""


def renderer_of(server: Any, screen: str, notebook: Path, files: Files) -> PageRenderer:
    """Makes the pages of one screen; to be initialized. `server` is the page server."""
    addresses = {**files.of(screen), "front_end": files.front_end, "icon": files.icon, "fonts": files.fonts}
    return PageRenderer(
        read_notebook(notebook),
        resources={"files": addresses},
        request_handler=None,
        voila_configuration=server.voila_configuration,
        traitlet_config=server.config,
        notebook_path=f"{screen}.ipynb",
        template_paths=server.template_paths,
        base_url="/",
        kernel_spec_manager=None,
    )


class ScreenHandler(Careful, AnyPageHandler):  # type: ignore[misc]  # untyped on purpose
    """One screen: its notebook, executed for the person who asks, if it is one of their role's.

    The head of the page goes out before the notebook is executed: meanwhile a browser makes room for the page and
    loads its files. From then on a failure can only be told in the page's body.
    """

    begun = False

    def initialize(self, screen: str, roles: tuple[str, ...], renderer: PageRenderer, **settings: Any) -> None:
        super().initialize(**settings)
        self.screen, self.roles, self.renderer = screen, roles, renderer

    def get_login_url(self) -> str:
        return "/sign-in"

    @web.authenticated
    async def get(self) -> None:
        viewer: Viewer = self.current_user
        if viewer.role not in self.roles:
            raise web.HTTPError(403)
        page = await self.kernel_manager.open_page(
            viewer,
            self.screen,
            door=self.settings["door"].socket_path,
            secret=self.settings["secret"],
            files=self.settings["files"].of(self.screen),
            query=self.request.query,
        )
        kernel, renderer = self.kernel_manager.get_kernel(page), self.renderer.anew()
        try:
            made = await asyncio.wait_for(renderer.make(page, kernel, self.begin), LONGEST)
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

    def begin(self, head: str) -> None:
        identity.renew(self)
        self.begun = True
        self.write(head)
        self.flush()  # whether it arrives is the browser's matter

    def send_error(self, status_code: int = 500, **details: Any) -> None:
        if not self.begun:
            super().send_error(status_code, **details)
        elif not self._finished:
            self.set_status(status_code)  # for the log and the statistics: 200 is on its way
            self.finish(self.body_of_failure(status_code, **details))


class HomeHandler(Careful):
    """The first page of one's role."""

    def initialize(self, homes: Mapping[str, str]) -> None:
        self.homes = homes

    async def get(self) -> None:
        viewer = await identity.viewer_of(self)
        if viewer is None:
            self.redirect("/sign-in")
            return
        identity.renew(self)
        if viewer.role in self.homes:
            self.redirect(self.homes[viewer.role])
        else:
            self.words(
                f"Welcome, {viewer.name}",
                "You are signed in. The pages of your role are not open yet: this course has pages for its students "
                "and its instructor.",
                form=SIGN_OUT_FORMS,
            )


class LinkHandler(Careful):
    """What the pages around signing in share: a link that does not work, and the way to a new one."""

    @property
    def client(self) -> str:
        return identity.client_of(self)

    def way_in(self) -> str:
        """The form for a new link, where the course sends mail."""
        return LETTER_FORM if self.settings["mails"] else ""

    def refused(self, error: ReviewkitError) -> None:
        """Say why, and finish. Raises HTTPError while the service is away."""
        match error:
            case TooOften():
                self.set_status(429)
                self.set_header("Retry-After", str(math.ceil(error.seconds)))
                self.words("Too many tries", str(error))
            case Ended():
                self.set_status(410)
                more = () if self.settings["mails"] else (ASK,)
                self.words("This link is over", str(error), *more, form=self.way_in())
            case NotAllowed():
                self.set_status(403)
                self.words("This link does not work", str(error), form=self.way_in())
            case _:
                raise web.HTTPError(503) from error


class EnterHandler(LinkHandler):
    """A personal link. Looking at it does nothing (mail scanners do); its one button signs in, without a script."""

    async def get(self, token: str) -> None:
        try:
            viewer: Viewer = await self.settings["door"].look(token, self.client)
        except ReviewkitError as error:
            await self.refused_unless_in(token, error)
            return
        self.words(
            f"Welcome, {viewer.name}",
            "This link signs you in to your course in this browser. On a shared computer, sign out when you leave.",
            form=(
                f'<form method="post" action="/enter/{html.escape(token)}">'
                '<button class="btn p" data-testid="enter" autofocus>Sign in</button></form>'
            ),
        )

    async def post(self, token: str) -> None:
        try:
            viewer: Viewer = await self.settings["door"].enter(token, self.client)
        except ReviewkitError as error:
            await self.refused_unless_in(token, error)
            return
        identity.sign_in(self, viewer)
        self.redirect("/", status=303)

    async def refused_unless_in(self, token: str, error: ReviewkitError) -> None:
        """Whoever pressed twice, or comes back to their own link, is in already."""
        if isinstance(error, Ended):
            viewer = await identity.viewer_of(self)
            if viewer is not None and signing.check_link(self.settings["secret"], token).person == viewer.username:
                self.redirect("/", status=303)
                return
        self.refused(error)


class SignInHandler(LinkHandler):
    """For somebody without a sign-in: what to do."""

    def get(self) -> None:
        self.set_status(401)
        lost = "If it is lost, have a new one sent to you." if self.settings["mails"] else ASK
        self.words(
            "Open your personal link",
            "You sign in with your own link, from your instructor or from a mail. It needs no password.",
            lost,
            form=self.way_in(),
        )


class SendLinkHandler(LinkHandler):
    """Asks for a new link by mail. Whether an address is known here is told to nobody."""

    async def post(self) -> None:
        if not self.settings["mails"]:
            raise web.HTTPError(404)
        try:
            email, url = self.get_body_argument("email", ""), self.settings["public_url"]
            await self.settings["door"].send_link(email, self.client, url)
        except Invalid as error:
            self.set_status(422)
            self.words("Where shall the link go?", str(error), form=self.way_in())
        except ReviewkitError as error:
            self.refused(error)
        else:
            self.words(
                "Look into your mail",
                "If this address is known in the course, a link is on its way to it. It can take a few minutes; look "
                "among the unwanted mail too.",
                "If nothing comes, look whether you wrote the address that your instructor has of you.",
            )


class PictureHandler(Careful):
    """A picture of a post, for those who may read the post; to everybody else it is not there."""

    async def get(self, name: str) -> None:
        session = identity.session_of(self)
        if session is None:
            raise web.HTTPError(404)
        try:
            body: bytes = await self.settings["door"].picture(session, name)
        except (Missing, NotAllowed) as error:
            raise web.HTTPError(404) from error
        except ReviewkitError as error:
            raise web.HTTPError(503) from error
        self.set_header("Content-Type", TYPE)
        self.set_header("Content-Disposition", 'inline; filename="picture.webp"')
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(body)


class StayHandler(Careful):
    """A page that is in use keeps its person signed in; 401 says that they no longer are."""

    async def post(self) -> None:
        viewer = await identity.viewer_of(self)
        if viewer is None:
            self.set_status(401)
        else:
            identity.renew(self)
            self.set_status(204)
            self.clear_header("Content-Type")
        self.finish()


class SignOutHandler(Careful):
    """Ends the sign-in of this browser with its pages: not even a copy of its cookie opens anything afterwards."""

    everywhere = False

    async def post(self) -> None:
        viewer = await identity.viewer_of(self)
        if viewer is not None:
            processes, door = self.settings["kernel_manager"], self.settings["door"]
            which = {} if self.everywhere else {"session": viewer.session}
            await processes.end_pages(viewer, **which)  # first: they save what they have
            try:
                await (door.sign_out_everywhere(viewer) if self.everywhere else door.sign_out(viewer))
            except NotAllowed:
                LOG.info("A sign-in that was ended twice at once has ended")
            except ServiceError as error:
                raise web.HTTPError(503) from error
            await processes.end_pages(viewer, **which)  # those that were opened meanwhile
        identity.sign_out(self)
        self.told()

    def told(self) -> None:
        self.words("You are signed out", "To come back, open your personal link.")


class SignOutEverywhereHandler(SignOutHandler):
    """Ends every sign-in and every page of the person, in whatever browser."""

    everywhere = True

    def told(self) -> None:
        self.words(
            "You are signed out everywhere",
            "Every browser that was signed in as you has to sign in again. Your personal link goes on working.",
        )


class NothingHandler(Careful):
    """Every other address."""

    def prepare(self) -> None:
        raise web.HTTPError(404)
