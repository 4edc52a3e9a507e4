"""The page server: Voila with our own addresses, people, processes and template, and nothing else of its own."""

import asyncio
import ipaddress
import logging
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application

from reviewkit import logs, screens
from reviewkit.config import read_course
from reviewkit.errors import ConfigError
from reviewkit.pictures import NAME, PLACE
from reviewkit.server import pages, private
from reviewkit.server.identity import CookieIdentity, Door, OwnerAuthorizer
from reviewkit.server.jupyter import PageServer, configuration
from reviewkit.server.kernels import PageProcesses, PageSocket, chosen, raise_file_limit
from reviewkit.server.light.connection import End, LightConnection
from reviewkit.server.static import TEMPLATE, Files, StaticHandler
from reviewkit.server.supervise import CourseService
from reviewkit.server.watching import Health, HealthHandler, MetricsHandler, log_request
from reviewkit.signing import COOKIE_HOURS, read_secret

LOG = logging.getLogger(__name__)
LARGEST_MESSAGE = 2 << 20
"""Bytes of one message from a browser."""
LARGEST_FORM = 1 << 14
STOP = 10.0
"""Seconds that a stop may take: pages save, requests are answered, the course service ends."""
PAGE_ID = r"(?P<kernel_id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A screen of the product at its address: who may open it, and the notebook that shows it."""

    screen: str
    roles: tuple[str, ...]
    notebook: Path

    @property
    def address(self) -> str:
        return f"/{self.screen}"


@dataclass(frozen=True, kw_only=True)
class Site:
    """What is served, and where: `url` is how people reach it, `folder` holds the socket to the course service."""

    course_file: Path
    folder: Path
    secret: bytes
    port: int
    url: str
    pages: Sequence[Page]
    kernels: type[PageProcesses] = PageProcesses
    most_pages: int = 8
    idle_hours: float = 12
    open_metrics: bool = False
    cookie_hours: float = COOKIE_HOURS
    trusted_proxy: str = ""
    mails: bool = False
    """Whether somebody may have a new link sent by mail."""
    clock: Callable[[], float] = time.time

    @property
    def socket_path(self) -> Path:
        return self.folder / "course"


def page_server(root: Path, kernels: type[PageProcesses] = PageProcesses) -> Any:
    """Voila as we configure it; `kernels` starts pages' processes."""
    config = configuration(
        root,
        template="reviewkit",
        identity=CookieIdentity,
        authorizer=OwnerAuthorizer,
        connection=LightConnection,
        kernels=kernels,
    )
    server = PageServer(config=config, log=logging.getLogger("voila"))
    server.templates = [TEMPLATE]
    server.initialize(argv=[])
    server.connection_dir = str(root)
    return server


def application(server: Any, site: Site, door: Door) -> Application:
    """Our handlers on Voila's settings."""
    files = Files([page.screen for page in site.pages])
    renderers = {page.screen: pages.renderer_of(server, page.screen, page.notebook, files) for page in site.pages}
    settings = {
        **server.init_settings(),
        "door": door,
        "health": Health(door),
        "metrics": server.kernel_manager.metrics,
        "open_metrics": site.open_metrics,
        "files": files,
        "renderers": renderers,
        "secret": site.secret,
        "port": site.port,
        "public_url": site.url,
        "clock": site.clock,
        "cookie_hours": site.cookie_hours,
        "trusted_proxy": site.trusted_proxy,
        "mails": site.mails,
        "secure": site.url.startswith("https://"),
        "allow_origin": site.url,
        "login_url": "/sign-in",
        "xsrf_cookies": True,  # asks Careful.check_xsrf_cookie, which needs no cookie
        "compress_response": True,
        "default_handler_class": pages.NothingHandler,
        "log_function": log_request,
        "websocket_max_message_size": LARGEST_MESSAGE,
        "ws_ping_interval": 0,  # PageSocket asks tornado for pings: one of jupyter_server's would hang up at the first
        "cookie_secret": site.secret,
    }
    server.kernel_manager.allowed_message_types = ["comm_msg"]
    server.kernel_manager.folder = site.folder
    server.kernel_manager.most_pages = site.most_pages
    server.kernel_manager.idle = min(site.idle_hours, site.cookie_hours) * 3600  # no page outlives its sign-in
    homes = {role: page.address for page in reversed(site.pages) for role in page.roles}
    return Application(
        [
            (r"/", pages.HomeHandler, {"homes": homes}),
            *((page.address, pages.ScreenHandler, screen(server, page, renderers[page.screen])) for page in site.pages),
            (rf"/api/kernels/{PAGE_ID}/channels", PageSocket),
            (r"/enter/([A-Za-z0-9_.~-]{1,500})", pages.EnterHandler),
            (r"/calendar/([A-Za-z0-9_.~-]{1,500})\.ics", private.CalendarHandler),
            (r"/reminders/([A-Za-z0-9_.~-]{1,500})", private.RemindersHandler),
            (r"/sign-in", pages.SignInHandler),
            (r"/send-link", pages.SendLinkHandler),
            (rf"{PLACE}({NAME.pattern})", pages.PictureHandler),
            (r"/stay", pages.StayHandler),
            (r"/sign-out", pages.SignOutHandler),
            (r"/sign-out-everywhere", pages.SignOutEverywhereHandler),
            (r"/static/.*", StaticHandler, {"files": files}),
            (r"/health", HealthHandler),
            (r"/metrics", MetricsHandler),
        ],
        **settings,
    )


def screen(server: Any, page: Page, renderer: pages.PageRenderer) -> dict[str, Any]:
    return {
        "screen": page.screen,
        "roles": page.roles,
        "renderer": renderer,
        "voila_configuration": server.voila_configuration,
    }


def product_pages() -> list[Page]:
    """Every screen of the product that has a notebook."""
    folder = dashboards()
    return [
        Page(screen=name, roles=screens.screen_of(name).ROLES, notebook=folder / f"{name.replace('-', '_')}.ipynb")
        for name in screens.SCREENS
    ]


def dashboards() -> Path:
    """The notebooks: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "dashboards"
    return inside if inside.is_dir() else package.parent / "dashboards"


def public_address(host: str, port: int, configured: str) -> str:
    """Where people reach the pages. Raises ConfigError where sign-ins would travel in the clear."""
    if configured:
        return configured.rstrip("/")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise ConfigError(
            f"Pages on {host} would send sign-ins in the clear: set [server] public_url to the https address that "
            "people use, and let a proxy with a certificate pass it on."
        )
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A folder of mode 0700 for the socket; its path must be short, because a socket's address is."""
    place = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="reviewkit-", dir=place if len(place) < 60 else "/tmp"))  # noqa: S108 (mkdtemp)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError when the place is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        why = error.strerror or "there is no such place"
        raise ConfigError(f"Port {port} of {host} cannot be used ({why}): choose another with --port.") from error
    listening.setblocking(False)
    return listening


def run(
    course_file: Path, *, port: int, host: str, ready: Callable[[str], None], clock: Callable[[], float] = time.time
) -> None:
    """See `reviewkit.server.serve`."""
    if not hasattr(asyncio, "open_unix_connection"):
        raise ConfigError(
            "Pages cannot be served on Windows, where Python has no sockets that are files: use Linux, macOS, or the "
            "Windows Subsystem for Linux."
        )
    local = read_course(course_file).local
    secret = read_secret(course_file.parent)
    logs.set_up(secret)
    logging.getLogger("tornado.application").setLevel(logging.WARNING)  # it tells of every page that connects
    raise_file_limit()
    with bind(host, port) as listening, runtime_folder() as folder:
        port = listening.getsockname()[1]
        url = public_address(host, port, local.public_url)
        site = Site(
            course_file=course_file,
            folder=folder,
            secret=secret,
            port=port,
            url=url,
            pages=product_pages(),
            kernels=chosen(local.kernels),
            most_pages=local.most_pages,
            idle_hours=local.idle_hours,
            open_metrics=local.metrics,
            cookie_hours=local.cookie_hours,
            trusted_proxy=local.trusted_proxy,
            mails=local.mail is not None,
            clock=clock,
        )
        asyncio.run(serve(site, listening, ready))


async def serve(site: Site, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT: pages save, requests are answered, everything ends. A second signal hurries."""
    server = page_server(site.folder, site.kernels)
    service, door = CourseService(site.course_file, site.socket_path), Door(site.socket_path, site.secret)
    processes: Any = None
    stopped, hurried = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, lambda: (hurried if stopped.is_set() else stopped).set())
    stopping, hurry = asyncio.create_task(stopped.wait()), asyncio.create_task(hurried.wait())
    starting = asyncio.create_task(service.start())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return
        starting.result()
        answers = application(server, site, door)
        for renderer in answers.settings["renderers"].values():
            await renderer.initialize()
        processes = server.kernel_manager
        service.restarted = processes.metrics.restarts.inc
        processes.warm_up()
        http = HTTPServer(answers, max_body_size=LARGEST_FORM, max_header_size=1 << 15)
        http.add_sockets([listening])
        watching = asyncio.create_task(service.watch())
        ready(site.url)
        await stopping
        watching.cancel()
        ending = asyncio.create_task(end_gently(http, processes, service, answers.settings["health"]))
        await asyncio.wait({ending, hurry}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        http.stop()
    finally:
        if processes is not None:
            processes.close()
        starting.cancel()
        await service.stop(0.0 if hurried.is_set() else STOP)
        await door.close()


async def end_gently(http: HTTPServer, processes: Any, service: CourseService, health: Health) -> None:
    """Let nobody in any more, let pages save and requests end; take no longer than STOP."""
    loop = asyncio.get_running_loop()
    until = loop.time() + STOP
    health.stopping = True
    http.stop()
    service.stopping = True  # it is not started again if it should die now
    await processes.part_all(End.RESTART)
    with suppress(TimeoutError):
        await asyncio.wait_for(http.close_all_connections(), 1)
    await service.stop(max(1.0, until - loop.time()))
