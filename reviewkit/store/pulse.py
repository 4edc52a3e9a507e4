"""Whether the store has changed, whoever changed it, and whom it may concern: cheap enough to ask every second."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from reviewkit.store import Marks
from reviewkit.store.schema import (
    allocations,
    course,
    drafts,
    feeds,
    hidden_words,
    outbox,
    people,
    posts,
    revisions,
    rubrics,
    submissions,
    texts,
    turns,
)


class Pulse:
    """Keeps one connection of its own to SQLite, whose counter of changes made by others belongs to a connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock, self._lines = engine, Lock(), 0
        self._line: Connection | None = None

    def beat(self) -> str:
        if self._engine.dialect.name == "postgresql":
            with self._engine.begin() as db:
                return str(db.scalar(text("SELECT pg_current_snapshot()::text")))
        with self._lock:
            try:
                if self._line is None:
                    self._line, self._lines = self._engine.connect(), self._lines + 1
                changes = self._line.exec_driver_sql("PRAGMA data_version").scalar()
                self._line.rollback()
            except SQLAlchemyError:
                self.close()
                raise
            return f"{self._lines}:{changes}"

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def marks(db: Connection) -> Marks:
    """A handful of queries over numbers and ids, whatever the length of what people wrote."""
    common = (
        db.scalar(select(course.c.setup)),
        tuple(map(tuple, db.execute(select(rubrics.c.digest, rubrics.c.number).order_by(rubrics.c.number)))),
        tuple(
            map(
                tuple,
                db.execute(
                    select(people.c.id, people.c.name, people.c.role, people.c.sections, people.c.withdrawn).order_by(
                        people.c.position, people.c.id
                    )
                ),
            )
        ),
    )
    said = Counter[str]()
    for which in (
        select(turns.c.submission, func.count()).group_by(turns.c.submission),
        select(texts.c.submission, func.count()).where(texts.c.salt.is_(None)).group_by(texts.c.submission),
    ):
        for submission, count in db.execute(which):
            said[submission] += count
    duties = [
        tuple(row)
        for row in db.execute(
            select(allocations.c.id, allocations.c.submission, allocations.c.reviewer).where(
                allocations.c.released.is_(None)
            )
        )
    ]
    given = Counter(submission for _, submission, _ in duties)
    own = _by_person(db)
    for submission, person in db.execute(select(submissions.c.id, submissions.c.person)):
        own[person].append((submission, said[submission], given[submission]))
    for id, submission, reviewer in duties:
        own[reviewer].append((id, said[submission]))
    return Marks(
        everybody=str(hash(repr(common))),
        everything=str(
            hash((repr(common), tuple(sorted((who, repr(sorted(each, key=repr))) for who, each in own.items()))))
        ),
        people={who: str(hash(repr(sorted(each, key=repr)))) for who, each in own.items()},
        desks={who: repr(each) for who, each in _desks(db).items()},
    )


def _by_person(db: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Sign-ins, posts and revisions."""
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    serials = [column for column in people.c if column.name.endswith("serial") or column.name == "reminders"]
    for who, *counts in db.execute(select(people.c.id, *serials)):
        found[who].append(("sign-ins", *counts))
    seen = select(
        posts.c.person, func.count(), func.count(posts.c.gone), func.sum(func.length(posts.c.sightings))
    ).group_by(posts.c.person)
    for who, *counts in db.execute(seen):
        found[who].append(("posts", *counts))
    for who, own in db.execute(select(people.c.id, people.c.feeds)):
        found[who].append(("sites", *own))
    for who, *state in db.execute(select(feeds.c.person, feeds.c.url, feeds.c.tried, feeds.c.next_try, feeds.c.error)):
        found[who].append(("feed", *map(str, state)))
    for who, word in db.execute(select(hidden_words.c.person, hidden_words.c.word).order_by(hidden_words.c.word)):
        found[who].append(("hidden", word))
    versions = select(posts.c.person, func.count()).join(revisions, revisions.c.post == posts.c.id)
    for who, count in db.execute(versions.group_by(posts.c.person)):
        found[who].append(("revisions", count))
    return found


def _desks(db: Connection) -> Mapping[str, list[tuple[Any, ...]]]:
    """What people are typing, and what waits in their outbox."""
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for who, *counts in db.execute(
        select(drafts.c.person, func.count(), func.sum(drafts.c.revision)).group_by(drafts.c.person)
    ):
        found[who].append(tuple(counts))
    resting = select(outbox.c.person, outbox.c.id, outbox.c.refused).where(outbox.c.done.is_(False))
    for who, *act in db.execute(resting.order_by(outbox.c.due, outbox.c.id)):
        found[who].append(("outbox", *act))
    return found
