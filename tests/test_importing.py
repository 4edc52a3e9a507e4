"""An import beside people who are at work on the pages: nothing of theirs is lost."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reviewkit import importing
from reviewkit.importing import take_in
from reviewkit.rubric import parse
from reviewkit.store import Store
from tests.cast import ANN, BOB, MONDAY, PEOPLE, PROF, RUBRIC, Clock, a_course, a_setup

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
