"""Ids and pseudonyms: drawn at random, and never given twice, inside the transaction that uses them."""

import secrets
from collections.abc import Callable, Container

from sqlalchemy import Connection, insert, select, union_all

from reviewkit.pseudonyms import fresh
from reviewkit.store.roster import hold_course
from reviewkit.store.schema import allocations, feeds, people, pseudonyms, submissions, turns

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for each other; an allocation's id stands in a reviewer's address bar."""


def mint_records(db: Connection, count: int) -> list[str]:
    """New ids for submissions and turns: RK-7F3A2C91, in one namespace, so that a cell names one thing only."""

    def known(drawn: list[str]) -> Container[str]:
        return set(
            db.scalars(
                union_all(
                    select(turns.c.id).where(turns.c.id.in_(drawn)),
                    select(submissions.c.id).where(submissions.c.id.in_(drawn)),
                )
            )
        )

    return _mint(count, lambda: f"RK-{secrets.token_hex(4).upper()}", known)


def mint_allocations(db: Connection, count: int) -> list[str]:
    """New ids of allocations: eight small letters and digits."""

    def known(drawn: list[str]) -> Container[str]:
        return set(db.scalars(select(allocations.c.id).where(allocations.c.id.in_(drawn))))

    return _mint(count, lambda: "".join(secrets.choice(LETTERS) for _ in range(8)), known)


def _mint(count: int, draw: Callable[[], str], known: Callable[[list[str]], Container[str]]) -> list[str]:
    minted: dict[str, None] = {}
    while len(minted) < count:
        drawn = [draw() for _ in range(min(count - len(minted), 1000))]
        taken = known(drawn)
        minted.update((each, None) for each in drawn if each not in taken)
    return list(minted)


def mint_pseudonyms(db: Connection, count: int) -> list[str]:
    """New names, unique over the whole course; whoever mints holds the course until the transaction ends."""
    hold_course(db)
    taken = set(db.scalars(select(pseudonyms.c.name)))
    rows = db.execute(select(people.c.id, people.c.name, people.c.email, people.c.feeds))
    titles = db.scalars(select(feeds.c.title))
    told = " ".join((*(str(part) for row in rows for part in row), *titles)).casefold()
    minted: list[str] = []
    for _ in range(count):
        minted.append(fresh(taken, told))
        taken.add(minted[-1])
    if minted:
        db.execute(insert(pseudonyms), [{"name": name} for name in minted])
    return minted
