"""An import beside people who are at work on the pages: nothing of theirs is lost."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reviewkit import importing
from reviewkit.importing import take_in, told
from reviewkit.model import Exempt
from reviewkit.rubric import parse
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    MONDAY,
    PEOPLE,
    PROF,
    RUBRIC,
    Clock,
    a_course,
    a_setup,
    frozen,
    self_evaluated,
)

NEW = "https://notes.example/feed"
PATIENCE = 0.5


class Files:
    """The course's files, in which Bob has another name by now."""

    setup = a_setup()
    people = (ANN, replace(BOB, name="Bob Okonjo-Hale"), *PEOPLE[2:])
    rubrics = (parse(RUBRIC, name="data-stories"),)


def test_what_pages_change_while_files_are_taken_in_is_not_lost(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extension is given and a site is added just when the import has read the course and not written it yet."""
    course, found = a_course(store, Clock()), importing.differences
    longer = MONDAY + timedelta(days=4)
    at_work = [
        threading.Thread(target=lambda: course.extend(PROF, "ann", "river", "freeze_by", longer, "Her site was down.")),
        threading.Thread(target=lambda: course.add_site(ANN, NEW)),
    ]

    def meanwhile(*said: Any) -> Any:
        there = found(*said)
        for each in at_work:
            each.start()
        for each in at_work:
            each.join(PATIENCE)  # they wait for the import; without a hold of the course they are done before it
        return there

    monkeypatch.setattr(importing, "differences", meanwhile)
    taken = take_in(Files(), store, apply=True)  # type: ignore[arg-type]  # the same shape as CourseFiles
    for each in at_work:
        each.join()
    assert [each.subject for each in taken.differences] == ["bob"]
    assert course.person("bob").name == "Bob Okonjo-Hale"
    assert [(each.person, each.until) for each in course.setup.extensions] == [("ann", longer)]
    assert course.person("ann").own_feeds == (NEW,)


def test_an_import_that_finds_nothing_writes_nothing_and_one_that_fails_neither(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_course(store, Clock())
    before = store.marks().everybody
    same = Files()
    same.people = PEOPLE
    assert not take_in(same, store, apply=True).differences  # type: ignore[arg-type]  # as above
    monkeypatch.setattr(importing, "merged", lambda *said, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        take_in(Files(), store, apply=True)  # type: ignore[arg-type]  # as above
    assert store.marks().everybody == before


def test_who_is_concerned_by_a_date_is_told_by_name_and_of_many_how_many(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    self_evaluated(course, ANN, BOB)
    (river,) = course.setup.assignments
    files = Files()
    files.people = PEOPLE
    files.setup = replace(a_setup(), assignments=(replace(river, self_by=MONDAY + timedelta(days=6)),))
    frozen(course, CYD)
    (moved,) = take_in(files, sqlite_store).moved  # type: ignore[arg-type]  # as above
    assert (moved.assignment, moved.step, moved.concerns) == ("river", "self_by", (CYD.name,))
    course.set_aside(PROF, course.submission_of(CYD, river).id, Exempt(reason="Ill."), seen=None)  # type: ignore[union-attr]
    taken = take_in(files, sqlite_store, apply=True)  # type: ignore[arg-type]  # as above
    assert "river: moving self_by concerns nobody." in list(told(taken, withdrawn=False))
    many = replace(taken, moved=(replace(moved, concerns=tuple(f"P{number}" for number in range(23))),))
    (line,) = [each for each in told(many, withdrawn=False) if "concerns" in each]
    assert line.endswith("P19 and 3 more.")
