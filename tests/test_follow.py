"""Pages follow the course: what somebody else did shows without a reload, and nothing else does."""

import asyncio
import json
from datetime import timedelta
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reviewkit import following, screens
from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.following import Following, mark_of
from reviewkit.model import Discuss, Draft, Feed, Person, Proposal, Setup
from reviewkit.server.light import frames
from reviewkit.signing import PageToken
from reviewkit.store import Store
from tests.cast import ANN, BOB, CYD, DOT, PROF, STUDENTS, Clock, a_course, a_post, levels, revealed, self_evaluated
from tests.serving import Server, a_course_folder, awaited, the_course, visit, wait_for

__all__ = ["visit"]
Visit = Callable[..., Page]


# -- in the service: who is told


@dataclass
class Desk:
    """A service's `Following`, and how often it looked at whose view."""

    course: Course
    looks: list[str] = field(default_factory=list)

    def look(self, page: PageToken, params: Mapping[str, Any]) -> dict[str, Any]:
        self.looks.append(page.person)
        return screens.view(self.course, self.course.person(page.person), page.screen, params)

    def mark(self, person: Person, screen: str = "my-work", **params: str) -> str:
        return mark_of(screens.view(self.course, person, screen, params))


def page_of(person: Person, screen: str = "my-work", page: str = "") -> PageToken:
    return PageToken(person=person.id, screen=screen, page=page or f"{person.id} {screen}", serial=1)


def after(
    desk: Desk,
    act: Callable[[], object],
    *pages: PageToken,
    patience: float = 20,
    looked: tuple[str, ...] = (),
    params: Mapping[str, str] | None = None,
) -> list[str | None]:
    """All pages wait, then somebody acts in another thread: the titles of the views that came, None for none.

    With `looked`, nobody is given up before the service has looked again at the views of these people.
    """
    params = params or {}

    async def whole() -> list[str | None]:
        followed = Following(desk.course, desk.look)

        async def one(page: PageToken) -> str | None:
            mark = desk.mark(desk.course.person(page.person), page.screen, **params)
            fresh = await followed.follow(page, params, mark)
            return None if fresh is None else str(fresh.view["title"])

        waits = [asyncio.create_task(one(page)) for page in pages]
        while len(set(desk.looks)) < len({page.person for page in pages}):
            await asyncio.sleep(0.01)
        before = {person: desk.looks.count(person) for person in looked}
        await asyncio.to_thread(act)
        while any(desk.looks.count(person) <= count for person, count in before.items()):
            await asyncio.sleep(0.01)
        if looked:
            await asyncio.sleep(0)
            done = [wait.done() for wait in waits]
            await followed.close()
            told = [await wait for wait in waits]
            assert [each is not None for each in told] == done or not any(told)
            return told
        told = [await asyncio.wait_for(wait, patience) for wait in waits]
        await followed.close()
        return told

    return awaited(asyncio.wait_for(whole(), 60))


def test_a_page_is_told_when_an_act_of_somebody_else_changes_its_view(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    duty = course.duties(BOB)[0]
    told = after(
        Desk(course),
        lambda: course.review(BOB, duty.id, levels(), "Fine rings.", "Show the log."),
        page_of(PROF, "sign-off"),
        page_of(BOB, "reviews"),
        page_of(BOB),
    )
    assert told == ["Sign-off", "Reviews to give", "My work"]
    assert made


def test_a_blind_review_is_no_news_to_its_author_and_to_other_reviewers_although_the_service_looked(
    sqlite_store: Store,
) -> None:
    course = a_course(sqlite_store, Clock())
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    duty = course.duties(BOB)[0]
    (allocation,) = [each for each in sqlite_store.allocations() if each.id == duty.id]
    author = next(person for person in STUDENTS if made[person.id] == allocation.submission)
    (other,) = [
        course.person(each.reviewer)
        for each in sqlite_store.allocations()
        if each.submission == allocation.submission and each.reviewer != BOB.id
    ]
    told = after(
        Desk(course),
        lambda: course.review(BOB, duty.id, levels(), "Fine rings.", "Show the log."),
        page_of(author),
        page_of(other, "reviews"),
        looked=(author.id, other.id),
    )
    assert told == [None, None]


def test_what_somebody_types_is_no_news_to_anybody(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    made = self_evaluated(course)
    desk = Desk(course)
    form = f"self:{made['bob']}"

    def type_() -> None:
        sqlite_store.keep_draft(Draft(person=BOB.id, form=form, revision=1, content={"a": "words"}, saved=Clock()()))

    assert after(desk, type_, page_of(BOB), page_of(ANN), page_of(PROF, "sign-off"), looked=(BOB.id,)) == [None] * 3
    assert (desk.looks.count(ANN.id), desk.looks.count(PROF.id)) == (1, 1)


def test_nobody_is_looked_at_whom_a_change_does_not_concern(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)
    entry = a_post(ANN, number=2)
    told = after(
        desk,
        lambda: sqlite_store.keep_pull(Feed(person=ANN.id, url=ANN.feeds[0]), [entry], seen=Clock()()),
        page_of(ANN),
    )
    assert told == ["My work"]
    desk.looks.clear()
    entry = a_post(ANN, number=3)

    def pulled() -> None:
        sqlite_store.keep_pull(Feed(person=ANN.id, url=ANN.feeds[0]), [entry], seen=Clock()())

    after(desk, pulled, page_of(ANN), page_of(BOB), looked=(ANN.id,))
    assert desk.looks.count(BOB.id) == 1


def test_a_date_that_was_moved_and_a_date_that_passes_are_news(sqlite_store: Store) -> None:
    clock = Clock()
    course = a_course(sqlite_store, clock)
    setup = course.setup

    def moved() -> None:
        (river,) = setup.assignments
        later = replace(river, freeze_by=clock() + timedelta(days=4))
        sqlite_store.keep_course(replace(setup, assignments=(later,)), [], [])

    assert after(Desk(course), moved, page_of(ANN)) == ["My work"]
    assert after(Desk(course), lambda: clock.pass_(days=5), page_of(ANN)) == ["My work"]


def test_a_page_whose_sign_in_was_revoked_is_told_so(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())

    class Careful(Desk):
        def look(self, page: PageToken, params: Mapping[str, Any]) -> dict[str, Any]:
            if course.store.link_serial(page.person) != page.serial:
                raise NotAllowed("Your sign-in has ended.")
            return super().look(page, params)

    with pytest.raises(NotAllowed):
        after(Careful(course), lambda: course.store.revoke_links(ANN.id), page_of(ANN))


def test_the_newer_question_of_a_page_ends_the_older_one(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)
    told = after(
        desk,
        lambda: course.store.revoke_links(ANN.id),
        page_of(ANN, page="p"),
        page_of(ANN, page="p"),
        looked=(ANN.id,),
    )
    assert told == [None, None]
