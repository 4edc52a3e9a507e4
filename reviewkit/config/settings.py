"""The one table of settings: every key of course.toml with its default, what it is for, and its variable.

A setting with a variable says how this machine runs the course; it is read at each start and its `REVIEWKIT_*` variable
wins. The others belong to the course itself: they reach the store with `reviewkit import --apply`.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from reviewkit.model import Kind, Mode

Form = Literal["text", "whole number", "yes or no", "date", "list"]

TEXT = 300
"""Characters of a setting."""

STEPS = ("freeze_by", "self_by", "review_by", "answer_by", "sign_by")
"""The dated steps of a round, in their order."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A key of course.toml. `allowed` lists words, `bounds` the lowest and highest number."""

    table: str
    key: str
    help: str
    kind: Form = "text"
    default: Any = None
    required: bool = False
    allowed: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None
    variable: str = ""
    check: Callable[[str], None] | None = None

    @property
    def name(self) -> str:
        return f"[{self.table}] {self.key}"


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A file that holds a secret or names one; only a variable says where it is, never course.toml."""

    variable: str
    help: str


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The server that sends mail; its password is in the file named by REVIEWKIT_SMTP_PASSWORD_FILE."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str
    sender: str
    password_file: Path | None
    reminders: int = 2
    """Days before a date on which those who owe something are written to, and again on its day; 0: never."""


@dataclass(frozen=True, kw_only=True)
class Local:
    """How this machine runs the course; read at each start."""

    database: str
    """An SQLAlchemy URL; a path of SQLite is absolute."""
    spreadsheet: str
    """Key or address of the instructor's spreadsheet; empty: a workbook beside the database."""
    acts_as: str
    """Id or e-mail address of the instructor for whom typed decisions count."""
    google_key: Path | None
    public_url: str
    """Where people reach the pages, without a slash at the end; empty: loopback only."""
    sign_in: Literal["reusable", "single-use"]
    cookie_hours: int
    """Hours after which a sign-in that is not used ends."""
    trusted_proxy: str
    """The address of the proxy whose X-Forwarded-For is believed; empty: nobody's."""
    kernels: Literal["", "light", "stock"]
    """What a page's process runs on; empty: light where that can be had."""
    most_pages: int
    """Pages that one person may have open."""
    idle_hours: int
    """Hours after which a page that nobody used rests."""
    metrics: bool
    """Whether /metrics answers everybody who reaches the pages."""
    mail: Mail | None
    allow_private_addresses: bool
    contact: str
    """Where sites find whoever pulls them; empty: at `public_url`."""


def database(url: str) -> None:
    """Raise ValueError in words for a URL that cannot be a course's database."""
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "psycopg"):
        raise ValueError("a PostgreSQL address begins with postgresql+psycopg://")
    if scheme == "sqlite":
        if not rest.startswith("/") or not rest.strip("/") or ":memory:" in rest:
            raise ValueError("write sqlite:///course.db (relative to course.toml) or sqlite:////somewhere/course.db")
    elif scheme != "postgresql+psycopg":
        raise ValueError("write sqlite:///course.db, or postgresql+psycopg://user@host/name for PostgreSQL")


def database_in_file(url: str) -> None:
    """The same, and no password: course.toml is shared and kept in version control."""
    database(url)
    if not url.startswith("sqlite") and _parts(url).password:
        raise ValueError("a password never stands in course.toml; put the whole address into REVIEWKIT_STORE_DATABASE")


def public_url(url: str) -> None:
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write the address that people open, such as https://course.example")
    if parts.username or parts.password:
        raise ValueError("an address for everybody holds no name and no password")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("use https: sign-in links and cookies would travel readable; http is for loopback only")


def contact(text: str) -> None:
    """It is sent in a header to every site: printable, plain letters, no spaces."""
    if text and not (text.isascii() and text.isprintable() and not set(text) & set(" ();<>") and len(text) <= 200):
        raise ValueError("write a page such as https://course.example/about, or a mail address, without spaces")


def ip_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise ValueError("write the proxy's address as a number, such as 127.0.0.1") from error


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError("this is not a web or database address") from error
    return parts


def tag(text: str) -> None:
    if not text.strip().lstrip("#") or any(letter.isspace() for letter in text.strip()):
        raise ValueError("a tag is one word, such as datastories")
    if len(text) > 100:
        raise ValueError("a tag has at most 100 characters")


def _course(key: str, help: str, **more: Any) -> Setting:
    return Setting(table="course", key=key, help=help, **more)


def _asked(key: str, help: str, **more: Any) -> Setting:
    return Setting(table="assignments", key=key, help=help, **more)


SETTINGS: tuple[Setting, ...] = (
    _course("title", "The course's name, as people see it.", required=True),
    _course("tag", "The tag that brings a post into the course, without the #.", required=True, check=tag),
    _course("timezone", "The zone of every date in this file.", default="UTC"),
    _course("starts", "Posts published before this are not candidates.", kind="date"),
    _course("ends", "When the course is over.", kind="date"),
    Setting(table="reviews", key="count", help="Reviews that each student gives and gets.", kind="whole number",
            default=3, bounds=(1, 20)),
    Setting(table="reviews", key="minimum", help="Reviews that a submission needs before it is revealed.",
            kind="whole number", default=2, bounds=(1, 20)),
    Setting(table="reviews", key="mode", help="Who is hidden from whom; a submission keeps what it was frozen under.",
            default="double-blind", allowed=get_args(Mode)),
    Setting(table="reviews", key="rounds", help="How often instructor and author may discuss and reply.",
            kind="whole number", default=3, bounds=(1, 20)),
    Setting(table="reviews", key="grace", help="Minutes after a date in which what is sent counts as in time.",
            kind="whole number", default=10, bounds=(0, 1440)),
    Setting(table="reviews", key="own_first", kind="yes or no", default=True,
            help="Nobody opens a review they owe before their own self-evaluation is in."),
    Setting(table="grades", key="scale", help="0-100, levels (no number anywhere), or a list of letters, best first.",
            kind="list", default="0-100"),
    Setting(table="grades", key="letters", help="The letters, best first, where the scale is written as letters.",
            kind="list"),
    _asked("id", "A short name that never changes.", required=True),
    _asked("title", "What the students call it; the id where it is missing."),
    _asked("tag", "Its own tag; the course's where it is missing.", check=tag),
    _asked("kind", "post (one post) or participation (a selection of posts).", default="post", allowed=get_args(Kind)),
    _asked("rubric", "The file in rubrics/, without its ending.", required=True),
    _asked("freeze_by", "Until then authors choose; then the newest candidate is frozen.", kind="date"),
    _asked("self_by", "Self-evaluations are due; then reviews are allocated.", kind="date"),
    _asked("review_by", "Reviews are due; then all are revealed together.", kind="date"),
    _asked("answer_by", "Authors' answers are due.", kind="date"),
    _asked("sign_by", "The instructor signs by then.", kind="date"),
    Setting(table="store", key="database", default="sqlite:///course.db", variable="REVIEWKIT_STORE_DATABASE",
            help="Where everything is kept: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME.",
            check=database_in_file),
    Setting(table="sheet", key="spreadsheet", default="", variable="REVIEWKIT_SHEET_SPREADSHEET",
            help="Key or address of a Google spreadsheet; without it an .xlsx file beside the database."),
    Setting(table="sheet", key="acts_as", default="", variable="REVIEWKIT_SHEET_ACTS_AS",
            help="The instructor for whom decisions typed into the sheet count."),
    Setting(table="server", key="public_url", default="", variable="REVIEWKIT_SERVER_PUBLIC_URL",
            help="Where people reach the pages (https, unless on loopback).", check=public_url),
    Setting(table="server", key="sign_in", default="reusable", variable="REVIEWKIT_SERVER_SIGN_IN",
            help="reusable links, or single-use ones where mail is set up.", allowed=("reusable", "single-use")),
    Setting(table="server", key="cookie_hours", default=12, kind="whole number", bounds=(1, 720),
            variable="REVIEWKIT_SERVER_COOKIE_HOURS",
            help="Hours after which a sign-in that nobody used ends; 30 days after it began it ends in any case."),
    Setting(table="server", key="trusted_proxy", default="", variable="REVIEWKIT_SERVER_TRUSTED_PROXY",
            help="Address of the proxy in front, whose X-Forwarded-For says who asks; without it nobody's is believed.",
            check=ip_address),
    Setting(table="server", key="kernels", default="", allowed=("light", "stock"),
            variable="REVIEWKIT_SERVER_KERNELS",
            help="What pages run on: light (forked, Linux only) or stock (ipykernel); light where it can be had."),
    Setting(table="server", key="most_pages", default=8, kind="whole number", bounds=(1, 100),
            variable="REVIEWKIT_SERVER_MOST_PAGES",
            help="Pages that one person may have open; the oldest makes room for the next."),
    Setting(table="server", key="idle_hours", default=12, kind="whole number", bounds=(1, 720),
            variable="REVIEWKIT_SERVER_IDLE_HOURS", help="Hours after which a page that nobody used rests."),
    Setting(table="server", key="metrics", default=False, kind="yes or no", variable="REVIEWKIT_SERVER_METRICS",
            help="Answer /metrics to everybody who reaches the pages; without it to this machine alone."),
    Setting(table="mail", key="host", default="", variable="REVIEWKIT_MAIL_HOST",
            help="The mail server; without it nothing is mailed."),
    Setting(table="mail", key="port", default=587, kind="whole number", bounds=(1, 65535),
            variable="REVIEWKIT_MAIL_PORT", help="Its port."),
    Setting(table="mail", key="security", default="starttls", allowed=("starttls", "tls", "none"),
            variable="REVIEWKIT_MAIL_SECURITY", help="starttls, tls from the first byte, or none (on loopback only)."),
    Setting(table="mail", key="user", default="", variable="REVIEWKIT_MAIL_USER", help="The name to sign in with."),
    Setting(table="mail", key="sender", default="", variable="REVIEWKIT_MAIL_SENDER",
            help="The address that mail comes from."),
    Setting(table="mail", key="reminders", default=2, kind="whole number", bounds=(0, 14),
            variable="REVIEWKIT_MAIL_REMINDERS",
            help="Days before a date on which those who owe something get a letter, and again on its day; 0: none."),
    Setting(table="network", key="allow_private_addresses", default=False, kind="yes or no",
            variable="REVIEWKIT_NETWORK_ALLOW_PRIVATE_ADDRESSES",
            help="Pull from private and loopback addresses too (tests and the demo only)."),
    Setting(table="network", key="contact", default="", variable="REVIEWKIT_NETWORK_CONTACT",
            help="A page or mail address that sites are told when their feeds are fetched; without it public_url.",
            check=contact),
)  # fmt: skip

SECRETS: tuple[Secret, ...] = (
    Secret(variable="REVIEWKIT_GOOGLE_KEY", help="The service account's key file for Google Sheets (mode 0600)."),
    Secret(
        variable="REVIEWKIT_SECRET_FILE",
        help="The file with the server's secret (mode 0600); without it server.secret beside course.toml.",
    ),
    Secret(variable="REVIEWKIT_SMTP_PASSWORD_FILE", help="The file with the mail server's password (mode 0600)."),
)

TABLES = tuple(dict.fromkeys(each.table for each in SETTINGS))


def of_table(table: str) -> Mapping[str, Setting]:
    return {each.key: each for each in SETTINGS if each.table == table}


def variables() -> list[tuple[str, str]]:
    """Every REVIEWKIT_* variable with its help, for `serve --help` and the README."""
    own = [(each.variable, f"{each.name}: {each.help}") for each in SETTINGS if each.variable]
    return [(each.variable, each.help) for each in SECRETS] + own
