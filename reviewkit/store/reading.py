"""Dialogues as they are read: a handful of queries however many there are."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, select, true

from reviewkit import chain
from reviewkit.errors import Missing, StoreError
from reviewkit.model import KINDS, Dialogue, Frozen, Submission, Turn
from reviewkit.store.rows import one_of
from reviewkit.store.schema import requests, submissions, texts, turns


def submissions_of(db: Connection, assignment: str | None) -> list[Submission]:
    which = true() if assignment is None else submissions.c.assignment == assignment
    return _submissions(db, which)


def expect_submission(db: Connection, id: str) -> None:
    """Raises Missing when there is no such submission."""
    one_of(db, select(submissions.c.id).where(submissions.c.id == id), Missing(f"There is no submission {id!r}."))


def dialogue(db: Connection, submission: str) -> Dialogue:
    expect_submission(db, submission)
    (found,) = _dialogues(db, submissions.c.id == submission)
    return found


def dialogues(db: Connection, assignment: str | None) -> list[Dialogue]:
    return _dialogues(db, true() if assignment is None else submissions.c.assignment == assignment)


def sealed(db: Connection) -> tuple[list[Dialogue], dict[str, chain.Seal]]:
    words, seals = _texts(db, true()), dict[str, chain.Seal]()
    said: dict[str, list[Turn]] = defaultdict(list)
    for row in _turns(db, true()):
        said[row.submission].append(_turn(row, words))
        known = ((digest, words.get(digest, (None, None))[0]) for digest in chain.text_digests(row.rest))
        seals[row.id] = chain.Seal(rest=row.rest, salts={digest: salt for digest, salt in known if salt is not None})
    found = _submissions(db, true())
    return [Dialogue(submission=each, turns=tuple(said[each.id])) for each in found], seals


def has_request(db: Connection, submission: str, request: str) -> bool:
    found = select(func.count()).where(requests.c.submission == submission, requests.c.request == request)
    return bool(request) and db.scalar(found) == 1


def bare_turns(db: Connection, submission: str) -> list[tuple[Turn, dict[str, Any]]]:
    """Each body holds the digest of the words as they are now, so that altered or vanished words break the chain too.

    Erased words (a row without text) keep the digest that they had.
    """
    expect_submission(db, submission)
    which = submissions.c.id == submission
    words = _texts(db, which)
    found = {digest: _digest_now(digest, salt, text) for digest, (salt, text) in words.items()}
    return [(_turn(row, words), _with_digests(row.rest, found)) for row in _turns(db, which)]


def _digest_now(digest: str, salt: str | None, text: str | None) -> str:
    if salt is None or text is None:
        return digest
    try:
        return chain.text_digest(salt, text)
    except ValueError:  # the salt is no longer hexadecimal
        return "altered"


def _with_digests(rest: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, Any]:
    def walk(key: str, value: Any) -> Any:
        if key in chain.TEXTS and isinstance(value, Mapping):
            return {"text": found.get(str(value.get("text")), "missing")}
        if isinstance(value, Mapping):
            return {inner: walk(inner, each) for inner, each in value.items()}
        if isinstance(value, list):
            return [walk(key, each) for each in value]
        return value

    return {key: walk(key, value) for key, value in rest.items()}


Words = Mapping[str, tuple[str | None, str | None]]
"""digest -> (salt, text), both None once erased."""


def _dialogues(db: Connection, which: ColumnElement[bool]) -> list[Dialogue]:
    found = _submissions(db, which)
    words = _texts(db, which)
    said: dict[str, list[Turn]] = defaultdict(list)
    for row in _turns(db, which):
        said[row.submission].append(_turn(row, words))
    return [Dialogue(submission=each, turns=tuple(said[each.id])) for each in found]


def _submissions(db: Connection, which: ColumnElement[bool]) -> list[Submission]:
    return [
        Submission(
            id=row.id,
            person=row.person,
            assignment=row.assignment,
            rubric=row.rubric,
            revisions=msgspec.convert(row.revisions, tuple[Frozen, ...]),
            pseudonym=row.pseudonym,
            mode=row.mode,
        )
        for row in db.execute(select(submissions).where(which).order_by(submissions.c.id))
    ]


def _turns(db: Connection, which: ColumnElement[bool]) -> list[Row[Any]]:
    of = select(turns).join(submissions, turns.c.submission == submissions.c.id).where(which)
    return list(db.execute(of.order_by(turns.c.submission, turns.c.sequence)))


def _texts(db: Connection, which: ColumnElement[bool]) -> Words:
    of = select(texts.c.digest, texts.c.salt, texts.c.text)
    rows = db.execute(of.join(submissions, texts.c.submission == submissions.c.id).where(which))
    return {row.digest: (row.salt, row.text) for row in rows}


def _turn(row: Row[Any], words: Words) -> Turn:
    def find(digest: str) -> str | None:
        return words.get(digest, (None, None))[1]

    try:
        what = chain.joined(row.kind, row.rest, find)
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        known = row.kind if row.kind in KINDS else "unknown kind"
        raise StoreError(
            f"Turn {row.id} ({known}) of submission {row.submission} cannot be read because its row was changed "
            "outside of reviewkit; restore it from a backup."
        ) from error
    return Turn(
        id=row.id,
        submission=row.submission,
        sequence=row.sequence,
        by=row.by,
        at=row.at,
        via=row.via,
        what=what,
        salt=row.salt,
        previous=row.previous,
        digest=row.digest,
    )
