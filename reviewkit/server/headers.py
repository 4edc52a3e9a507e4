"""What every answer of the page server carries, and how it fails: in words, on a page that needs no script."""

import html
import logging
from typing import Any, ClassVar

from tornado import web

from reviewkit import logs
from reviewkit.bugs import told

LOG = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# No Cross-Origin-Opener-Policy: it makes a browser throw away the process in which it had begun the page (a quarter of
# the time of an open), and what it guards, a window that another site opened, has nothing here to be read or counted:
# no page of ours has frames, listens to messages of windows, or keeps a window that it opened.
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Content-Type": "text/html; charset=utf-8",
}

REASONS: dict[int, tuple[str, str]] = {
    400: ("That could not be read", "Go back and try again."),
    403: ("This page is not yours", "It belongs to another role in this course, or to another person."),
    404: ("There is nothing here", "The address may be old or mistyped."),
    405: ("That cannot be done here", "Go back and try again."),
    429: ("Too many pages at once", "Close some of your other tabs of this course, then try again."),
    500: ("Something went wrong on our side", "Nothing that was saved is lost. Reload the page in a moment."),
    503: ("The course is being started", "Nothing that was saved is lost. Reload the page in a moment."),
}
HOME = '<a class="btn" href="/">To the course</a>'


class Careful(web.RequestHandler):
    """The headers of the product on every answer, a check of where posts come from, and failures in words."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "HEAD", "POST")  # type: ignore[misc]  # fewer on purpose

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("X-Request-Id", self.request_id())
        if self.settings["secure"]:
            self.set_header("Strict-Transport-Security", "max-age=31536000")

    def request_id(self) -> str:
        """Under which the log tells of this request; somebody who met a mistake can name it."""
        known: str = self.request.__dict__.setdefault("reviewkit_id", "") or logs.begin_request()
        self.request.__dict__["reviewkit_id"] = known
        return known

    def set_cors_headers(self) -> None:
        """None: what jupyter_server would add here is for other sites, and no other site has business here."""

    def check_xsrf_cookie(self) -> None:
        """A form counts when a page of ours sent it: browsers say so in headers that no other site can forge.

        No token is needed beside that, and forms work on pages without a script.
        """
        origin, site = self.request.headers.get("Origin"), self.request.headers.get("Sec-Fetch-Site")
        ours = {self.settings["public_url"]}
        if not self.settings["secure"]:  # on this machine: by whatever name it was asked, such as localhost
            ours.add(f"http://{self.request.host}")
        if site not in (None, "same-origin") or (origin is not None and origin not in ours):
            raise web.HTTPError(403, "a form of another site")
        if origin is None and site is None:
            raise web.HTTPError(403, "a form of nowhere")

    def words(self, title: str, *paragraphs: str, form: str = "") -> None:
        """Finish with a page of words. `form` is HTML, all else is text."""
        self.finish(
            page_of_words(
                title, paragraphs, form=form, stylesheet=self.settings["files"].plain, icon=self.settings["files"].icon
            )
        )

    def write_error(self, status_code: int, **details: Any) -> None:
        self.clear()
        self.set_status(status_code)
        title, paragraph = reason(status_code, **details)
        self.words(title, paragraph, form=HOME)

    def body_of_failure(self, status_code: int, **details: Any) -> str:
        """What ends a page whose head is on its way."""
        title, paragraph = reason(status_code, **details)
        return body_of_words(title, (paragraph,), form=HOME) + "</body></html>"

    def log_exception(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """A bug into the log, without its message; a refusal is no news."""
        if error is not None and not isinstance(error, web.HTTPError):
            LOG.error("Bug while answering: %s", told(error))


def reason(status_code: int, exc_info: Any = (None, None), **_: Any) -> tuple[str, str]:
    """A title and a sentence: those of the exception, or what is usually said."""
    usual = REASONS.get(status_code, REASONS[500 if status_code >= 500 else 400])
    said: tuple[str, str] = getattr(exc_info[1], "words", usual)
    return said


def page_of_words(title: str, paragraphs: tuple[str, ...], *, form: str, stylesheet: str, icon: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="icon" href="{icon}">'
        f'<link rel="stylesheet" href="{stylesheet}"></head><body>'
        f"{body_of_words(title, paragraphs, form=form)}</body></html>"
    )


def body_of_words(title: str, paragraphs: tuple[str, ...], *, form: str) -> str:
    said = "".join(f'<p class="mu">{html.escape(each)}</p>' for each in paragraphs)
    return f'<main class="page list words stack"><h1>{html.escape(title)}</h1>{said}{form}</main>'
