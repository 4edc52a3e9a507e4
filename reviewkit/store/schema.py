"""The tables. What they hold changes only together with a new file in `migrations/versions`.

Three types convert at the edge, so that both databases give back the same: `Words` and `Document` hold nothing that
PostgreSQL would refuse, `Instant` is aware and in UTC where SQLite would drop the zone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


def storable(value: Any) -> Any:
    """The same value with texts that both databases hold: without NUL, and U+FFFD for half a surrogate pair.

    Neither can be typed; PostgreSQL refuses the one and UTF-8 the other. Strings, lists and mappings are walked.
    """
    if isinstance(value, str):
        if value.isascii():
            return value.replace("\0", "")
        return value.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return value


def utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive datetime, a bug that no guess mends."""
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone")
    return at.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text as people or programs send it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(storable(value))


class Instant(TypeDecorator[datetime]):
    """An aware datetime, in UTC both ways."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return utc(value).replace(tzinfo=None) if dialect.name == "sqlite" else utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Document(TypeDecorator[Any]):
    """A value that is read and written whole, as JSON; dataclasses go in, what JSON knows comes out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(storable(msgspec.to_builtins(value))).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _person(**more: Any) -> Column[str]:
    return Column("person", Words, ForeignKey("people.id"), nullable=False, **more)


def _submission(**more: Any) -> Column[str]:
    return Column("submission", Words, ForeignKey("submissions.id"), nullable=False, **more)


# -- the course ------------------------------------------------------------------------------------------------------

course = Table(
    "course",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_course"), primary_key=True, autoincrement=False),
    Column("setup", Document, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", Words, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Words, nullable=False),
    Column("email", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("feeds", Document, nullable=False),
    Column("excluded", Document, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("link_serial", Integer, nullable=False),
    Column("session_serial", Integer, nullable=False, server_default="1"),
    Column("own_feeds", Document, nullable=False, server_default="[]"),
    Column("dropped_feeds", Document, nullable=False, server_default="[]"),
    Column("reminders", Boolean, nullable=False, server_default=true()),
    Column("sections", Document, nullable=False, server_default="[]"),
)

rubrics = Table(
    "rubrics",
    metadata,
    Column("digest", Words, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("content", Document, nullable=False),
)

# -- signing in ------------------------------------------------------------------------------------------------------

used_links = Table(
    "used_links",
    metadata,
    Column("link", Words, primary_key=True),
    Column("request", Words, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Links for one use that were used; each may go when the link would have ended anyway."""

tries = Table(
    "tries",
    metadata,
    Column("what", Words, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("until", Instant, nullable=False),
)
"""How often something was tried, under a keyed digest that names neither an address nor a machine."""

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("session", Words, primary_key=True),
    Column("until", Instant, nullable=False),
)
"""Sign-ins that somebody ended alone; each may go when its cookie would have ended anyway."""

letters = Table(
    "letters",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("person", Words, ForeignKey("people.id")),
    Column("due", Instant, nullable=False),
    Column("about", Document, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
)
"""Mail that is to be sent: never its text. To a person it stays when it is done, so that the same id is sent once; to
whoever asked under an address it goes."""

# -- feeds and posts -------------------------------------------------------------------------------------------------

feeds = Table(
    "feeds",
    metadata,
    _person(primary_key=True),
    Column("url", Words, primary_key=True),
    Column("title", Words, nullable=False),
    Column("etag", Words, nullable=False),
    Column("last_modified", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("succeeded", Instant),
    Column("tried", Instant),
    Column("error", Words, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("next_try", Instant),
    Column("not_before", Instant),
    Column("stopped", Instant),
    Column("moved_to", Words, nullable=False, server_default=text("''")),
    Column("moved_times", Integer, nullable=False, server_default="0"),
    Column("listing", Words, nullable=False, server_default=text("''")),
    Column("filled", Boolean, nullable=False, server_default=false()),
    Column("filling", Words, nullable=False, server_default=text("''")),
)

posts = Table(
    "posts",
    metadata,
    Column("id", Words, primary_key=True),
    _person(index=True),
    Column("feed", Words, nullable=False),
    Column("guid", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("published", Instant),
    Column("gone", Instant),
    Column("sightings", Document, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("post", Words, ForeignKey("posts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Words, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("title", Words, nullable=False),
    Column("html", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("copied", Boolean, nullable=False, server_default=false()),
)

pictures = Table(
    "pictures",
    metadata,
    Column("name", Words, primary_key=True),
    Column("digest", Words, nullable=False, unique=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept", Instant, nullable=False),
)

picture_sources = Table(
    "picture_sources",
    metadata,
    Column("source", Words, primary_key=True),
    Column("name", Words, ForeignKey("pictures.name"), index=True),
    Column("dot", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried", Instant, nullable=False),
)
"""What became of a picture's address (as a digest: which sites a post shows is nobody's business here)."""

post_pictures = Table(
    "post_pictures",
    metadata,
    Column("post", Words, ForeignKey("posts.id"), primary_key=True),
    Column("name", Words, ForeignKey("pictures.name"), primary_key=True, index=True),
)

# -- submissions and turns -------------------------------------------------------------------------------------------

pseudonyms = Table("pseudonyms", metadata, Column("name", Words, primary_key=True))
"""Every name ever given, so that none is given twice, to submissions and to allocations alike."""

submissions = Table(
    "submissions",
    metadata,
    Column("id", Words, primary_key=True),
    _person(),
    Column("assignment", Words, nullable=False, index=True),
    Column("rubric", Words, ForeignKey("rubrics.digest"), nullable=False),
    Column("revisions", Document, nullable=False),
    Column("pseudonym", Words, ForeignKey("pseudonyms.name"), nullable=False, unique=True),
    Column("mode", Words, nullable=False, server_default="double-blind"),
    UniqueConstraint("person", "assignment"),
)

requests = Table(
    "requests",
    metadata,
    _submission(primary_key=True),
    Column("request", Words, primary_key=True),
)

turns = Table(
    "turns",
    metadata,
    Column("id", Words, primary_key=True),
    _submission(),
    Column("sequence", Integer, nullable=False),
    Column("kind", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("via", Words, nullable=False),
    Column("salt", Words, nullable=False),
    Column("previous", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("rest", Document, nullable=False),
    UniqueConstraint("submission", "sequence"),
)

texts = Table(
    "texts",
    metadata,
    Column("digest", Words, primary_key=True),
    _submission(index=True),
    Column("salt", Words),
    Column("text", Words),
)
"""The words of turns. Erasing takes text and salt away: with the salt left, a short text could be guessed."""

# -- allocations -----------------------------------------------------------------------------------------------------

allocations = Table(
    "allocations",
    metadata,
    Column("id", Words, primary_key=True),
    Column("assignment", Words, nullable=False, index=True),
    _submission(),
    Column("reviewer", Words, ForeignKey("people.id"), nullable=False, index=True),
    Column("pseudonym", Words, ForeignKey("pseudonyms.name"), nullable=False, unique=True),
    Column("opened", Instant),
    Column("released", Instant),
    UniqueConstraint("submission", "reviewer"),
)

allocation_runs = Table(
    "allocation_runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("assignment", Words, nullable=False),
    Column("seed", Words, nullable=False),
    Column("allocated", Integer, nullable=False),
)
"""For the audit: the seed of every run that allocated something. Text, because a seed may be larger than 64 bits."""

hidden_words = Table(
    "hidden_words",
    metadata,
    _person(primary_key=True),
    Column("word", Words, primary_key=True),
    Column("since", Instant, nullable=False),
)
"""What masked copies of a person's posts hide beside their names."""

# -- drafts, outbox, the sheet's inbox -------------------------------------------------------------------------------

drafts = Table(
    "drafts",
    metadata,
    _person(primary_key=True),
    Column("form", Words, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("content", Document, nullable=False),
    Column("saved", Instant, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Words, primary_key=True),
    _person(index=True),
    Column("due", Instant, nullable=False),
    Column("verb", Words, nullable=False),
    Column("arguments", Document, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("begun", Boolean, nullable=False, server_default=false()),
    Column("refused", Words, nullable=False, server_default=text("''")),
)
"""Acts that are done stay, without their arguments, so that a request that comes late cannot put them in again."""

sheet_answers = Table(
    "sheet_answers",
    metadata,
    _submission(primary_key=True),
    Column("typed", Words, nullable=False),
    Column("answer", Words, nullable=False),
)

# -- who of many processes does what only one may do ------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    Column("name", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Work that one process at a time does, and until when it is theirs."""
