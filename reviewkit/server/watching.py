"""How the server is doing, for those who keep it running: `/health` for a load balancer, `/metrics` for Prometheus."""

import asyncio
import ipaddress
import logging
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from tornado import web

from reviewkit import logs
from reviewkit.errors import ReviewkitError
from reviewkit.server.headers import Careful
from reviewkit.server.jupyter import asked_by

REQUESTS = logging.getLogger("reviewkit.requests")
PLACES = ("", "api", "enter", "sign-in", "sign-out", "static", "health", "metrics")
"""First words of addresses; the rest of an address is a secret or somebody's words."""
PATIENCE = 0.5
"""Seconds to knock at the course service before it counts as away."""
SLOWEST = 5.0
"""Seconds that it may take to answer; it gives its store 3 of them."""
FRESH = 1.0
"""Seconds that an answer about health holds: asking often costs nothing."""
FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


class PageMetrics:
    """The counters of one page server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.open = Gauge("reviewkit_pages_open", "Pages' processes.", registry=self.registry)
        self.opened = Counter("reviewkit_pages_opened", "Pages opened.", ["screen"], registry=self.registry)
        self.closed = Counter("reviewkit_pages_closed", "Pages closed.", ["why"], registry=self.registry)
        self.failed = Counter("reviewkit_pages_failed", "Pages that could not be made.", registry=self.registry)
        self.start = Histogram(
            "reviewkit_page_start_seconds",
            "From the request to the whole page.",
            registry=self.registry,
            buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6),
        )
        self.restarts = Counter(
            "reviewkit_service_restarts", "Times that the course service was started again.", registry=self.registry
        )
        self.up = Gauge("reviewkit_service_up", "Whether the course service answers.", registry=self.registry)
        ProcessCollector(namespace="reviewkit_server", registry=self.registry)

    def told(self) -> str:
        return generate_latest(self.registry).decode()


class Health:
    """What `/health` says, asked at most once in a while however many ask."""

    def __init__(self, door: Any) -> None:
        self.door, self.stopping = door, False
        self._asked, self._word, self._lock = -FRESH, "starting", asyncio.Lock()

    async def word(self) -> str:
        """ok, stopping, store or service: what is the matter."""
        if self.stopping:
            return "stopping"
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() - self._asked >= FRESH:
                self._word = await self._ask()
                self._asked = loop.time()
        return self._word

    async def _ask(self) -> str:
        try:
            told = await asyncio.wait_for(self.door.ask("/health", {}, patience=PATIENCE), SLOWEST)
        except (ReviewkitError, TimeoutError):
            return "service"
        return "ok" if told.get("store") else "store"


class HealthHandler(Careful):
    """Open to everybody: it tells nothing of the course."""

    async def get(self) -> None:
        word = await self.settings["health"].word()
        self.set_status(200 if word == "ok" else 503)
        self.set_header("Content-Type", "application/json")
        self.finish({"status": word})

    head = get


class MetricsHandler(Careful):
    """Open to this machine alone, unless a setting says otherwise; for others there is nothing here."""

    async def get(self) -> None:
        if not (self.settings["open_metrics"] or self._near()):
            raise web.HTTPError(404)
        metrics: PageMetrics = self.settings["metrics"]
        try:
            told = (await self.settings["door"].ask("/metrics", {}, patience=PATIENCE))["text"]
            metrics.up.set(1)
        except ReviewkitError:
            told = ""
            metrics.up.set(0)
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(metrics.told() + told)

    def _near(self) -> bool:
        """Whether this machine asks for itself. Behind a web server everybody comes from here, so then nobody does;
        and a page of another site that was given our address by its name server is not us."""
        asked = (urlsplit(f"//{self.request.host}").hostname, urlsplit(self.settings["public_url"]).hostname)
        forwarded = any(name in self.request.headers for name in FORWARDED)
        return not forwarded and all(map(_loopback, (self.request.remote_ip, *asked)))


def _loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def log_request(handler: web.RequestHandler) -> None:
    """A line for every request, and the time of every page. Of the address no more than what kind of thing it is."""
    screen: str | None = getattr(handler, "screen", None)
    status, seconds = handler.get_status(), handler.request.request_time()
    if screen is not None and status == 200:
        handler.settings["metrics"].start.observe(seconds)
    elif screen is not None and status >= 500:
        handler.settings["metrics"].failed.inc()
    place = handler.request.path.split("/")[1]
    told: dict[str, Any] = {
        "method": handler.request.method if handler.request.method in handler.SUPPORTED_METHODS else "?",
        "place": screen or (place if place in PLACES else "?"),
        "status": status,
        "milliseconds": round(1000 * seconds),
    }
    if viewer := asked_by(handler):
        told["person"] = logs.person(viewer.username)
    if isinstance(handler, Careful):
        told["request"] = handler.request_id()
    quiet = place in ("static", "health", "metrics") and status < 500
    level = logging.WARNING if status >= 500 else logging.DEBUG if quiet else logging.INFO
    REQUESTS.log(level, "Answered", extra=told)
