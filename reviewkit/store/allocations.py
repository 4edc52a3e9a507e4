"""Who owes which review, inside one transaction of the caller's."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from reviewkit.errors import Conflict, Missing
from reviewkit.model import Allocation
from reviewkit.store.names import mint_allocations, mint_pseudonyms
from reviewkit.store.roster import hold_course, nobody
from reviewkit.store.rows import one_of
from reviewkit.store.schema import allocation_runs, allocations, people, submissions


def keep_allocations(
    db: Connection,
    assignment: str,
    pairs: Sequence[tuple[str, str]],
    seed: int,
    after: int | None,
    instead_of: str,
    at: datetime | None,
) -> list[Allocation]:
    """Gives the allocations of all these pairs, in the order of their ids. Raises Missing for an unknown one."""
    hold_course(db)
    asked = set(pairs)
    works = set(db.scalars(select(submissions.c.id).where(submissions.c.assignment == assignment)))
    for submission in sorted({submission for submission, _ in asked} - works):
        raise Missing(f"Assignment {assignment!r} has no submission {submission!r}; nothing was allocated.")
    for reviewer in sorted({reviewer for _, reviewer in asked} - set(db.scalars(select(people.c.id)))):
        raise nobody(reviewer)
    known = allocations_of(db, assignment, None, released=True)
    if after is not None and len(known) != after:
        raise Conflict("Somebody else allocated reviews just now; nothing was changed, look at it again.")
    there = {(each.submission, each.reviewer) for each in known}
    new = [pair for pair in dict.fromkeys(pairs) if pair not in there]
    if new:
        names = zip(mint_allocations(db, len(new)), mint_pseudonyms(db, len(new)), new, strict=True)
        db.execute(
            insert(allocations),
            [
                {
                    "id": id,
                    "assignment": assignment,
                    "submission": submission,
                    "reviewer": reviewer,
                    "pseudonym": pseudonym,
                }
                for id, pseudonym, (submission, reviewer) in names
            ],
        )
        db.execute(insert(allocation_runs).values(assignment=assignment, seed=str(seed), allocated=len(new)))
    if instead_of:
        db.execute(update(allocations).where(allocations.c.id == instead_of).values(released=at))
    return [each for each in allocations_of(db, assignment, None) if (each.submission, each.reviewer) in asked]


def allocations_of(
    db: Connection, assignment: str | None, reviewer: str | None, released: bool = False
) -> list[Allocation]:
    """Ordered by id: ids are random, so the order says nothing and yet stays. With `released` also those passed on."""
    found = select(allocations).order_by(allocations.c.id)
    if not released:
        found = found.where(allocations.c.released.is_(None))
    if assignment is not None:
        found = found.where(allocations.c.assignment == assignment)
    if reviewer is not None:
        found = found.where(allocations.c.reviewer == reviewer)
    return [Allocation(**row._mapping) for row in db.execute(found)]


def open_allocation(db: Connection, id: str, at: datetime) -> Allocation:
    db.execute(update(allocations).where(allocations.c.id == id, allocations.c.opened.is_(None)).values(opened=at))
    found = select(allocations).where(allocations.c.id == id)
    return Allocation(**one_of(db, found, Missing("There is no such review to give."))._mapping)
