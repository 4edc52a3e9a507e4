"""course.toml: text in; the course's setup and this machine's settings out."""

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reviewkit.config import moments, toml
from reviewkit.config.mistakes import Mistakes, did_you_mean
from reviewkit.config.settings import (
    SECRETS,
    SETTINGS,
    STEPS,
    TABLES,
    TEXT,
    Local,
    Mail,
    Setting,
    database,
    of_table,
)
from reviewkit.errors import ConfigError
from reviewkit.model import Assignment, Reviews, Setup

FILE = "course.toml"
ASSIGNMENTS_LIMIT = 100

_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_secret = re.compile(r"passw|secret|token|key_?file|credential", re.IGNORECASE)


class CourseFile:
    """One reading of course.toml; every mistake goes to `mistakes`, and reading goes on with the default."""

    def __init__(self, text: str, mistakes: Mistakes, *, name: str = FILE) -> None:
        self.mistakes, self.name = mistakes, name
        self.zone = ZoneInfo("UTC")
        try:
            self.document = toml.read(text)
        except toml.BrokenToml as error:
            raise ConfigError(
                "The course file cannot be read; nothing was changed:",
                mistakes=(f"{name}, line {error.line}: {error}",),
            ) from error

    def wrong(self, path: toml.Path, text: str) -> None:
        """Note a mistake at a value."""
        self.mistakes.add(self.name, self.document.line(path), text)

    # -- the two halves ----------------------------------------------------------------------------------------------

    def setup(self) -> Setup:
        """The course itself."""
        course = self.read("course")
        try:
            self.zone = moments.zone(course["timezone"])
        except ValueError as error:
            self.wrong(("course", "timezone"), f"[course] timezone: {error}")
        starts, ends = (self.date(("course", key), course[key]) for key in ("starts", "ends"))
        if starts and ends and starts >= ends:
            self.wrong(("course", "ends"), "[course] ends: the course ends before it starts")
        return Setup(
            title=course["title"] or "",
            tag=(course["tag"] or "").strip().lstrip("#"),
            timezone=self.zone.key,
            starts=starts,
            ends=ends,
            reviews=self.reviews(),
            scale=self.scale(),
            assignments=self.assignments(),
        )

    def local(self, directory: Path, environ: Mapping[str, str]) -> Local:
        """How this machine runs the course; variables win over the file."""
        store, sheet, server, mail, network = (
            self.read(table, environ) for table in ("store", "sheet", "server", "mail", "network")
        )
        files = {each.variable: _file(environ.get(each.variable, "")) for each in SECRETS}
        if mail["host"] and not mail["sender"]:
            self.wrong(("mail",), "[mail] sender: say which address mail comes from")
        return Local(
            database=_absolute(store["database"], directory),
            spreadsheet=sheet["spreadsheet"],
            acts_as=sheet["acts_as"],
            google_key=files["REVIEWKIT_GOOGLE_KEY"],
            public_url=server["public_url"].rstrip("/"),
            sign_in=server["sign_in"],
            cookie_hours=server["cookie_hours"],
            trusted_proxy=server["trusted_proxy"],
            kernels=server["kernels"],
            most_pages=server["most_pages"],
            idle_hours=server["idle_hours"],
            metrics=server["metrics"],
            mail=Mail(
                host=mail["host"],
                port=mail["port"],
                security=mail["security"],
                user=mail["user"],
                sender=mail["sender"],
                reminders=mail["reminders"],
                password_file=files["REVIEWKIT_SMTP_PASSWORD_FILE"],
            )
            if mail["host"]
            else None,
            allow_private_addresses=network["allow_private_addresses"],
            contact=network["contact"],
        )

    # -- tables ------------------------------------------------------------------------------------------------------

    def check_names(self) -> None:
        """No table and no key is unknown: a misspelt one would silently have no effect."""
        self.check_tables()
        self.check_keys()

    def check_tables(self) -> None:
        for name in self.document.values:
            if name not in TABLES:
                what = "[" + name + "]" if isinstance(self.document.values[name], dict | list) else f"“{name}”"
                homes = [each.name for each in SETTINGS if each.key == name]
                hint = f"; it belongs into {homes[0].split()[0]}" if homes else did_you_mean(name, TABLES)
                self.wrong((name,), f"{what} is not known{hint}")

    def check_keys(self) -> None:
        for table in TABLES:
            given = self.document.values.get(table)
            many = enumerate(given) if isinstance(given, list) else [(None, given)]
            for number, values in many:
                path: toml.Path = (table,) if number is None else (table, number)
                for key in values if isinstance(values, dict) else ():
                    if key not in of_table(table):
                        self.unknown((*path, key), table, key, of_table(table))

    def read(self, table: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The values of a table, with defaults for what is missing or wrong."""
        given = self.document.values.get(table, {})
        if not isinstance(given, dict):
            self.wrong((table,), f"write [{table}] on a line of its own, and its keys below it")
            given = {}
        return self.values((table,), given, environ)

    def values(
        self, path: toml.Path, given: Mapping[str, Any], environ: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        table = str(path[0])
        found = dict[str, Any]()
        for key, setting in of_table(table).items():
            found[key] = setting.default
            try:
                if environ is not None and environ.get(setting.variable):
                    self.take_variable(setting, environ[setting.variable], found)
                elif key in given:
                    found[key] = _value(setting, given[key], setting.check)
                elif setting.required:
                    where = f"[{table}]" if path == (table,) else f"the assignment in line {self.document.line(path)}"
                    self.wrong(path, f"{where} has no {key}: {setting.help}")
            except ValueError as error:
                self.wrong((*path, key), f"[{table}] {key}: {error}")
        return found

    def take_variable(self, setting: Setting, text: str, found: dict[str, Any]) -> None:
        check = database if setting.key == "database" else setting.check
        try:
            found[setting.key] = _value(setting, _typed(setting, text), check)
        except ValueError as error:
            self.mistakes.add(setting.variable, 0, str(error))

    def unknown(self, path: toml.Path, table: str, key: str, known: Mapping[str, Setting]) -> None:
        if _secret.search(key):
            names = ", ".join(each.variable for each in SECRETS)
            self.wrong(
                path, f"[{table}] {key}: secrets never stand in {self.name}; they come from files named by {names}"
            )
        else:
            self.wrong(path, f"[{table}] {key} is not known{did_you_mean(key, known)}")

    # -- parts of the setup ------------------------------------------------------------------------------------------

    def date(self, path: toml.Path, value: object) -> datetime | None:
        if value is None:
            return None
        try:
            return moments.instant(value, self.zone)
        except ValueError as error:
            self.wrong(path, f"[{path[0]}] {path[-1]}: {error}")
            return None

    def reviews(self) -> Reviews:
        values = self.read("reviews")
        given = self.document.values.get("reviews")
        said = isinstance(given, dict) and "minimum" in given
        if values["minimum"] > values["count"]:
            if said:
                self.wrong(
                    ("reviews", "minimum"),
                    f"[reviews] minimum: {values['minimum']} cannot be reached with {values['count']} reviews each",
                )
            values["minimum"] = values["count"]
        return Reviews(**values)

    def scale(self) -> Any:
        values = self.read("grades")
        scale, letters = values["scale"], values["letters"]
        path: toml.Path = ("grades", "scale")
        if scale == "letters":
            if letters is None:
                self.wrong(path, '[grades] scale: list the letters, best first, such as ["A", "B", "C", "D", "F"]')
                return "0-100"
            scale, path = letters, ("grades", "letters")
        elif letters is not None:
            self.wrong(("grades", "letters"), '[grades] letters: they only count with scale = "letters"')
        if isinstance(scale, str):
            if scale not in ("0-100", "levels"):
                self.wrong(path, f"[grades] scale: “{scale}” is not one of 0-100, levels, or a list of letters")
                return "0-100"
            return scale
        if len(scale) < 2 or len({each.casefold() for each in scale}) < len(scale):
            self.wrong(path, f"[grades] {path[-1]}: list two letters or more, best first, each of them once")
            return "0-100"
        return tuple(scale)

    def assignments(self) -> tuple[Assignment, ...]:
        given = self.document.values.get("assignments", [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            self.wrong(("assignments",), "write [[assignments]], in double brackets, before each assignment")
            return ()
        if len(given) > ASSIGNMENTS_LIMIT:
            self.wrong(
                ("assignments",), f"there are {len(given)} assignments; a course has at most {ASSIGNMENTS_LIMIT}"
            )
            return ()
        found: dict[str, Assignment] = {}
        for number, values in enumerate(given):
            assignment = self.assignment(("assignments", number), values)
            if assignment is None:
                continue
            if assignment.id in found:
                self.wrong(
                    ("assignments", number, "id"), f"[[assignments]] id: “{assignment.id}” is the id of an earlier one"
                )
            found.setdefault(assignment.id, assignment)
        return tuple(found.values())

    def assignment(self, path: toml.Path, given: Mapping[str, Any]) -> Assignment | None:
        values = self.values(path, given)
        steps = {step: self.date((*path, step), values[step]) for step in STEPS}
        self.check_order(path, steps)
        if values["id"] is None:
            return None
        if not _id.fullmatch(values["id"]):
            self.wrong(
                (*path, "id"), "[[assignments]] id: use up to 64 letters (a to z), digits, hyphens, dots or underscores"
            )
        return Assignment(
            id=values["id"],
            title=values["title"] or values["id"],
            tag=(values["tag"] or "").strip().lstrip("#"),
            kind=values["kind"],
            rubric=(values["rubric"] or "").removeprefix("rubrics/").removesuffix(".md"),
            **steps,
        )

    def check_order(self, path: toml.Path, steps: Mapping[str, datetime | None]) -> None:
        dated = [(step, moment) for step, moment in steps.items() if moment is not None]
        for (before, first), (after, second) in pairwise(dated):
            if second < first:
                self.wrong(
                    (*path, after), f"[[assignments]] {after}: it is before {before}; a round's dates are in order"
                )


def _value(setting: Setting, value: object, check: Any) -> Any:
    """A value of the right kind. Raises ValueError in words."""
    match setting.kind:
        case "date":
            return value  # its zone may stand further down in the file
        case "yes or no":
            if not isinstance(value, bool):
                raise ValueError("write true or false")
        case "whole number":
            low, high = setting.bounds or (0, 10**9)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"write a whole number from {low} to {high}")
        case "list":
            if isinstance(value, list):
                if len(value) > 30:
                    raise ValueError("a list has at most 30 entries")
                return [_text(each, 20) for each in value]
            return _text(value, 20)
        case "text":
            text = _text(value, TEXT, empty=not setting.required)
            if setting.allowed and text not in setting.allowed:
                raise ValueError(f"“{text[:40]}” is not known{did_you_mean(text, setting.allowed)}")
            if check is not None and text:
                check(text)
            return text
    return value


def _text(value: object, limit: int, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise ValueError("write a text in quotes")
    text = value.strip()
    if not text and not empty:
        raise ValueError("it is empty")
    if len(text) > limit:
        raise ValueError(f"it has {len(text):,} characters; at most {limit} are taken")
    if not text.isprintable():
        raise ValueError("write it on one line, without control characters")
    return text


def _typed(setting: Setting, text: str) -> object:
    """What a variable says, as course.toml would hold it."""
    if setting.kind == "yes or no":
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    if setting.kind == "whole number" and re.fullmatch(r"\d{1,9}", text):
        return int(text)
    return text


def _absolute(url: str, directory: Path) -> str:
    """A SQLite URL whose path does not depend on where a command is run."""
    head, found, path = url.partition("sqlite:///")
    if head or not found:
        return url
    path, mark, query = path.partition("?")
    return f"sqlite:///{directory / path}{mark}{query}"


def _file(text: str) -> Path | None:
    return Path(text).expanduser().absolute() if text else None
