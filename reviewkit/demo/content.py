"""What the demo's people wrote: posts as Markdown, rounds as TOML, both in the package beside this module.

Days count from the first day of the course (day 0) and hours are of its zone, so that the demo can stand at any date.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

from reviewkit.demo.cast import STUDENTS, ZONE
from reviewkit.model import Judgement, Reopened

CRITERIA = ("claim", "evidence", "craft", "connection")
Round = Literal["first", "second"]


@dataclass(frozen=True, order=True)
class Moment:
    """A day of the course and an hour of that day."""

    day: int
    clock: time

    @classmethod
    def of(cls, text: str) -> "Moment":
        """Read `31 18:40`."""
        day, _, clock = text.partition(" ")
        return cls(int(day), time.fromisoformat(clock))

    def local(self, origin: date) -> datetime:
        return datetime.combine(origin + timedelta(days=self.day), self.clock, tzinfo=ZoneInfo(ZONE))

    def at(self, origin: date) -> datetime:
        """The instant, in UTC, in a course whose day 0 is `origin`."""
        return self.local(origin).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change that the author made to a post later."""

    at: Moment
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A post, or (without a moment) a page that posts link to. `title` is empty where the platform has none."""

    id: str
    person: str
    title: str
    published: Moment | None
    tags: tuple[str, ...]
    markdown: str
    edit: Edit | None = None

    @property
    def slug(self) -> str:
        return self.id.partition("-")[2]

    def words(self, origin: date, now: datetime) -> str:
        """The Markdown as it stands on the site at `now`."""
        if self.edit and self.edit.at.at(origin) <= now:
            return self.markdown.replace(self.edit.old, self.edit.new)
        return self.markdown


@cache
def pieces() -> tuple[Piece, ...]:
    """All posts and pages, in the order of their ids."""
    folder = files("reviewkit.demo") / "posts"
    texts = {each.name.removesuffix(".md"): each.read_text("utf-8") for each in folder.iterdir()}
    return tuple(_piece(id, text) for id, text in sorted(texts.items()) if not id.startswith("."))


def _piece(id: str, text: str) -> Piece:
    head, _, body = text.partition("\n\n")
    keys = dict(re.findall(r"^(\w+): (.*)$", head, re.MULTILINE))
    edit = Edit(at=Moment.of(keys["edited"]), old=keys["from"], new=keys["to"]) if "edited" in keys else None
    return Piece(
        id=id,
        person=keys["person"],
        title=keys.get("title", ""),
        published=Moment.of(keys["day"]) if "day" in keys else None,
        tags=tuple(re.split(r",\s*", keys["tags"])) if "tags" in keys else (),
        markdown=body.strip() + "\n",
        edit=edit,
    )


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A filled form: a self-evaluation (`improvements`, `grade`) or a review (`suggestions`), sent at a moment."""

    at: Moment
    judgements: tuple[Judgement, ...]
    strengths: str = ""
    improvements: str = ""
    suggestions: str = ""
    grade: str = ""


@dataclass(frozen=True, kw_only=True)
class Word:
    """What somebody said or did with a submission. `review` counts the peers' reviews from 1, and 0 is the
    instructor's own; `judgements` go with a `grade` or with an own review; `to` is where a reopening goes."""

    kind: Literal[
        "answer",
        "discuss",
        "reply",
        "accept",
        "sign",
        "own-review",
        "waive",
        "recognise",
        "decide",
        "dissent",
        "ask",
        "reopen",
        "exempt",
        "assistant",
    ]
    at: Moment
    text: str = ""
    review: int = 0
    rating: tuple[Literal["specific", "kind", "useful"], ...] = ()
    thanks: bool = False
    accepts: bool = False
    recognised: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    grade: str = ""
    changed: str = ""
    strengths: str = ""
    suggestions: str = ""
    to: Reopened = "with instructor"


@dataclass(frozen=True, kw_only=True)
class Story:
    """One student's way through a round. `sent` of the reviews are in; without `frozen` the schedule freezes."""

    person: str
    post: str
    frozen: Moment | None
    own: Evaluation | None
    draft: Evaluation | None
    reviews: tuple[Evaluation, ...]
    sent: int
    then: tuple[Word, ...]


@cache
def stories(round: Round) -> tuple[Story, ...]:
    """The stories of a round, in the order of the roster."""
    folder = files("reviewkit.demo") / "rounds" / round
    there = {each.name.removesuffix(".toml"): tomllib.loads(each.read_text("utf-8")) for each in folder.iterdir()}
    return tuple(_story(each.id, there[each.id]) for each in STUDENTS if each.id in there)


def _story(person: str, told: Mapping[str, Any]) -> Story:
    reviews = tuple(_evaluation(each) for each in told.get("review", ()))
    return Story(
        person=person,
        post=told["post"],
        frozen=Moment.of(told["frozen"]) if "frozen" in told else None,
        own=_evaluation(told["self"]) if "self" in told else None,
        draft=_evaluation(told["draft"]) if "draft" in told else None,
        reviews=reviews,
        sent=told.get("sent", len(reviews)),
        then=tuple(_word(each) for each in told.get("then", ())),
    )


def _evaluation(told: Mapping[str, Any]) -> Evaluation:
    texts = {key: told[key] for key in ("strengths", "improvements", "suggestions", "grade") if key in told}
    return Evaluation(at=Moment.of(told["at"]), judgements=_judgements(told), **texts)


def _word(told: Mapping[str, Any]) -> Word:
    rest = {key: value for key, value in told.items() if key not in ("at", *CRITERIA)}
    for key in ("rating", "recognised"):
        rest[key] = tuple(rest.get(key, ()))
    return Word(at=Moment.of(told["at"]), judgements=_judgements(told), **rest)


def _judgements(told: Mapping[str, Any]) -> tuple[Judgement, ...]:
    """Read `claim = [2, "note", "quote"]`; note and quote may be missing."""
    given = ((id, told[id]) for id in CRITERIA if id in told)
    return tuple(
        Judgement(criterion=id, level=level, note="".join(rest[:1]), quote="".join(rest[1:2]))
        for id, (level, *rest) in given
    )
