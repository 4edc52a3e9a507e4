"""Words that people want hidden in masked copies of their posts, inside one transaction of the caller's."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from reviewkit.model import HiddenWord
from reviewkit.store.roster import hold_person
from reviewkit.store.rows import insert
from reviewkit.store.schema import hidden_words


def words_of(db: Connection, person: str | None) -> list[HiddenWord]:
    found = select(hidden_words).order_by(hidden_words.c.person, hidden_words.c.since, hidden_words.c.word)
    if person is not None:
        found = found.where(hidden_words.c.person == person)
    return [HiddenWord(person=row.person, word=row.word, since=row.since) for row in db.execute(found)]


def hide(db: Connection, person: str, words: Collection[str], at: datetime) -> None:
    hold_person(db, person)  # two windows at once come one after the other
    db.execute(delete(hidden_words).where(hidden_words.c.person == person, hidden_words.c.word.not_in(words)))
    rows = [{"person": person, "word": word, "since": at} for word in dict.fromkeys(words)]
    if rows:
        db.execute(insert(db, hidden_words).on_conflict_do_nothing(index_elements=["person", "word"]), rows)
