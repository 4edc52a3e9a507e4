"""Submissions and their turns, inside one transaction of the caller's.

A writer first takes the submission's row, so that others wait and then see what was written. The words of a turn go
into rows of their own (see chain.py); what stays in the turn never changes.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from reviewkit import chain
from reviewkit.errors import Conflict, Missing
from reviewkit.model import KIND_OF, Dialogue, Freeze, Frozen, Mode, Said, Submission
from reviewkit.store.names import mint_pseudonyms, mint_records
from reviewkit.store.reading import dialogue, has_request
from reviewkit.store.roster import expect_person, hold_course, setup
from reviewkit.store.rows import one_of
from reviewkit.store.schema import requests, revisions, rubrics, storable, submissions, texts, turns, utc

SUBMISSION = tuple(column.name for column in submissions.c)


def open_submission(
    db: Connection, person: str, assignment: str, rubric: str, frozen: Sequence[Frozen], said: Said, request: str
) -> Dialogue:
    expect_person(db, person)
    hold_course(db)
    theirs = select(submissions.c.id).where(submissions.c.person == person, submissions.c.assignment == assignment)
    there = db.scalar(theirs)
    if there is not None:
        if has_request(db, there, request):
            return dialogue(db, there)
        raise Conflict("This work was frozen by somebody else just now; nothing was changed, look at it again.")
    _expect_frozen(db, rubric, frozen)
    (id,) = mint_records(db, 1)
    (pseudonym,) = mint_pseudonyms(db, 1)
    new = Submission(
        id=id,
        person=person,
        assignment=assignment,
        rubric=rubric,
        revisions=tuple(frozen),
        pseudonym=pseudonym,
        mode=_mode(db, said),
    )
    db.execute(insert(submissions).values(**{name: getattr(new, name) for name in SUBMISSION}))
    _append(db, {id: _Head()}, [(id, said)])
    _note(db, id, request)
    return dialogue(db, id)


def _mode(db: Connection, said: Said) -> Mode:
    """What the turn says, else the course as it is now."""
    if isinstance(said.what, Freeze) and said.what.mode:
        return said.what.mode
    course = setup(db)
    return course.reviews.mode if course else "double-blind"


def _expect_frozen(db: Connection, rubric: str, frozen: Sequence[Frozen]) -> None:
    one_of(
        db,
        select(rubrics.c.digest).where(rubrics.c.digest == rubric),
        Missing(f"There is no rubric version {rubric!r}; nothing was frozen."),
    )
    for each in frozen:
        one_of(
            db,
            select(revisions.c.post).where(revisions.c.post == each.post, revisions.c.digest == each.digest).limit(1),
            Missing("The chosen post is not there in that revision; nothing was frozen, choose again."),
        )


def say(db: Connection, submission: str, said: Sequence[Said], after: int, request: str) -> Dialogue:
    heads = _hold(db, [submission])
    if not has_request(db, submission, request):
        _expect_unchanged(heads[submission], after)
        _append(db, heads, [(submission, each) for each in said])
        _note(db, submission, request)
    return dialogue(db, submission)


def say_all(db: Connection, said: Sequence[tuple[str, int, Said]]) -> None:
    heads = _hold(db, [submission for submission, _, _ in said])
    ahead = {submission: head.count for submission, head in heads.items()}
    for submission, after, _ in said:
        _expect_unchanged(_Head(count=ahead[submission]), after)
        ahead[submission] += 1
    _append(db, heads, [(submission, each) for submission, _, each in said])


@dataclass(frozen=True, kw_only=True)
class _Head:
    """Where a dialogue stands: how many turns it has and the digest of the last."""

    count: int = 0
    digest: str = ""


def _hold(db: Connection, ids: Iterable[str]) -> dict[str, _Head]:
    """Make other writers of these dialogues wait; gives where each stands. Raises Missing.

    The rows are taken in one order, so that no two writers wait for each other.
    """
    heads: dict[str, _Head] = {}
    for id in sorted(set(ids)):
        held = select(submissions.c.id).where(submissions.c.id == id).with_for_update(key_share=True)
        one_of(db, held, Missing(f"There is no submission {id!r}; nothing was written."))
        last = select(turns.c.sequence, turns.c.digest).where(turns.c.submission == id)
        row = db.execute(last.order_by(turns.c.sequence.desc()).limit(1)).one_or_none()
        heads[id] = _Head() if row is None else _Head(count=row.sequence + 1, digest=row.digest)
    return heads


def _expect_unchanged(head: _Head, after: int) -> None:
    if head.count != after:
        raise Conflict("Somebody else wrote in this dialogue just now; nothing was sent, read it and send yours again.")


def _note(db: Connection, submission: str, request: str) -> None:
    if request:
        db.execute(insert(requests).values(submission=submission, request=request))


def _append(db: Connection, heads: dict[str, _Head], said: Sequence[tuple[str, Said]]) -> None:
    """Seal the words, chain the turns behind their dialogues' heads, write them all."""
    new_turns: list[dict[str, Any]] = []
    new_texts: list[dict[str, Any]] = []
    for id, (submission, each) in zip(mint_records(db, len(said)), said, strict=True):
        kind = type(each.what)
        what = msgspec.convert(storable(msgspec.to_builtins(each.what)), kind)
        sealed = replace(each, by=storable(each.by), at=utc(each.at), what=what)
        rest, words = chain.split(what)
        head, salt = heads[submission], secrets.token_hex(16)
        digest = chain.digest(chain.body(submission, head.count, sealed, rest, salt, head.digest))
        new_turns.append(
            {
                "id": id,
                "submission": submission,
                "sequence": head.count,
                "kind": KIND_OF[kind],
                "by": sealed.by,
                "at": sealed.at,
                "via": sealed.via,
                "salt": salt,
                "previous": head.digest,
                "digest": digest,
                "rest": rest,
            }
        )
        new_texts += [
            {"digest": text.digest, "submission": submission, "salt": text.salt, "text": text.text} for text in words
        ]
        heads[submission] = _Head(count=head.count + 1, digest=digest)
    if new_turns:
        db.execute(insert(turns), new_turns)
    if new_texts:
        db.execute(insert(texts), new_texts)


def erase_text(db: Connection, digest: str) -> None:
    """Take text and salt away; erasing twice is erasing once. Raises Missing for a digest that stands for no text."""
    erased = update(texts).where(texts.c.digest == digest).values(salt=None, text=None)
    if db.execute(erased).rowcount == 0:
        raise Missing(f"No text has the digest {digest!r}; nothing was erased.")
