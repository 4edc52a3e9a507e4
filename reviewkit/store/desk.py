"""What lies on people's desks, inside one transaction of the caller's: drafts, the outbox, the sheet's inbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from reviewkit.errors import Invalid
from reviewkit.model import Draft, Waiting
from reviewkit.store.reading import expect_submission
from reviewkit.store.roster import expect_person
from reviewkit.store.rows import insert
from reviewkit.store.schema import drafts, outbox, sheet_answers, storable

MOST_DRAFTS = 5_000
"""Drafts that one person can have open: an instructor may have one for every submission of a large course."""
TOO_MANY = "You have begun more than can be kept at once. Send or put away some of it, then this is kept too."
DONE: list[object] = []
"""What stands in place of a draft's content when its form was sent."""


def keep_draft(db: Connection, draft: Draft, after: int) -> Draft:
    expect_person(db, draft.person)
    if draft_of(db, draft.person, draft.form) is None:
        open_ = select(func.count()).where(drafts.c.person == draft.person, drafts.c.content != DONE)
        if (db.scalar(open_) or 0) >= MOST_DRAFTS:
            raise Invalid(TOO_MANY)
    row = insert(db, drafts).values(
        person=draft.person,
        form=draft.form,
        revision=draft.revision,
        content=draft.content,
        saved=draft.saved,
    )
    newer = {name: row.excluded[name] for name in ("revision", "content", "saved")}
    free = and_(drafts.c.revision == after, row.excluded.revision > after)
    db.execute(row.on_conflict_do_update(index_elements=["person", "form"], set_=newer, where=free))
    kept = draft_of(db, draft.person, draft.form)
    assert kept is not None, "a draft was written in this transaction"
    same = not kept.done and (kept.revision, kept.content) == (draft.revision, storable(draft.content))
    return draft if same else kept


def draft_of(db: Connection, person: str, form: str) -> Draft | None:
    row = db.execute(select(drafts).where(drafts.c.person == person, drafts.c.form == form)).one_or_none()
    if row is None:
        return None
    done = row.content == DONE
    return Draft(
        person=row.person,
        form=row.form,
        revision=row.revision,
        content={} if done else row.content,
        saved=row.saved,
        done=done,
    )


def drop_draft(db: Connection, person: str, form: str, at: datetime) -> None:
    expect_person(db, person)
    row = insert(db, drafts).values(person=person, form=form, revision=1, content=DONE, saved=at)
    gone = {"revision": drafts.c.revision + 1, "content": row.excluded.content, "saved": row.excluded.saved}
    db.execute(row.on_conflict_do_update(index_elements=["person", "form"], set_=gone))


def put(db: Connection, waiting: Waiting) -> None:
    expect_person(db, waiting.person)
    row = insert(db, outbox).values(
        id=waiting.id,
        person=waiting.person,
        due=waiting.due,
        verb=waiting.verb,
        arguments=waiting.arguments,
        done=False,
    )
    db.execute(row.on_conflict_do_nothing(index_elements=["id"]))


def due(db: Connection, now: datetime) -> list[Waiting]:
    return _waiting(db, outbox.c.due <= now, outbox.c.refused == "")


def waiting_for(db: Connection, person: str) -> list[Waiting]:
    return _waiting(db, outbox.c.person == person)


def _waiting(db: Connection, *which: Any) -> list[Waiting]:
    def act(row: Row[Any]) -> Waiting:
        return Waiting(
            id=row.id,
            person=row.person,
            due=row.due,
            verb=row.verb,
            arguments=row.arguments,
            begun=row.begun,
            refused=row.refused,
        )

    found = select(outbox).where(*which, outbox.c.done.is_(False)).order_by(outbox.c.due, outbox.c.id)
    return [act(row) for row in db.execute(found)]


def begin(db: Connection, id: str) -> bool:
    open_ = update(outbox).where(outbox.c.id == id, outbox.c.done.is_(False), outbox.c.refused == "")
    return db.execute(open_.values(begun=True)).rowcount == 1


def refuse(db: Connection, id: str, why: str) -> None:
    db.execute(update(outbox).where(outbox.c.id == id, outbox.c.done.is_(False)).values(refused=why))


def take_back(db: Connection, person: str, id: str) -> bool:
    free = or_(outbox.c.begun.is_(False), outbox.c.refused != "")
    taken = update(outbox).where(outbox.c.id == id, outbox.c.person == person, outbox.c.done.is_(False), free)
    return db.execute(taken.values(done=True, arguments={})).rowcount == 1


def done(db: Connection, id: str) -> bool:
    taken = update(outbox).where(outbox.c.id == id, outbox.c.done.is_(False)).values(done=True, arguments={})
    return db.execute(taken).rowcount == 1


def sheet_answers_of(db: Connection) -> dict[str, tuple[str, str]]:
    return {row.submission: (row.typed, row.answer) for row in db.execute(select(sheet_answers))}


def keep_sheet_answer(db: Connection, submission: str, typed: str, answer: str) -> None:
    expect_submission(db, submission)
    row = insert(db, sheet_answers).values(submission=submission, typed=typed, answer=answer)
    last = {"typed": row.excluded.typed, "answer": row.excluded.answer}
    db.execute(row.on_conflict_do_update(index_elements=["submission"], set_=last))
