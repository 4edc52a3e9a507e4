"""Feeds that showed nothing new are kept together: as many as wait for the writer, in one step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reviewkit.course import Course
from reviewkit.errors import Missing, StoreError
from reviewkit.model import Feed
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests.blogs import fake_blogs, post, rss
from tests.cast import ANN, BOB, CYD, Clock, a_post, a_setup

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLASS = [replace(each, feeds=(f"https://{each.id}.example/feed",)) for each in (ANN, BOB, CYD)]


def test_states_are_kept_as_one_by_one_would_be(store: Store) -> None:
    store.keep_course(a_setup(), CLASS, [])
    states = [
        Feed(person=each.id, url=each.feeds[0], etag=f'"{each.id}"', tried=AT, succeeded=AT, failures=number)
        for number, each in enumerate(CLASS)
    ]
    store.keep_states(states[:2])
    store.keep_states(states)
    store.keep_states([])
    assert {each.person: (each.etag, each.tried, each.failures) for each in store.feeds()} == {
        ANN.id: (f'"{ANN.id}"', AT, 0),
        BOB.id: (f'"{BOB.id}"', AT, 1),
        CYD.id: (f'"{CYD.id}"', AT, 2),
    }


def test_posts_of_several_feeds_are_kept_as_one_by_one_would_be(store: Store) -> None:
    store.keep_course(a_setup(), [replace(ANN, feeds=("https://ann.example/a", "https://ann.example/b")), BOB], [])
    ann, bob = a_post(ANN), a_post(BOB)
    first = Feed(person=ANN.id, url="https://ann.example/a", tried=AT)
    second, his = replace(first, url="https://ann.example/b"), Feed(person=BOB.id, url=BOB.feeds[0], tried=AT)
    kept = store.keep_pulls([(first, [ann]), (his, [bob])], seen=AT)
    assert [each.new for each in kept] == [(ann.title,), (bob.title,)]
    both = [(first, [replace(ann, text="Others.", digest="1" * 64)]), (second, [ann])]
    assert [(each.new, each.changed) for each in store.keep_pulls(both, seen=AT)] == [((), (ann.title,)), ((), ())]
    assert [len(each.revisions) for each in store.posts(ANN.id)] == [2]
    assert [each.person for each in store.posts(BOB.id)] == [BOB.id]
    with pytest.raises(Missing):
        store.keep_pulls([(his, [replace(bob, guid="2", link="")]), (replace(his, person="nobody"), [])], seen=AT)
    assert len(store.posts(BOB.id)) == 1


def test_feeds_that_cannot_be_kept_together_are_kept_one_by_one(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def refusing(found: Sequence[object], **_: object) -> None:
        tried.append(len(found))
        raise StoreError("Not together.")

    with fake_blogs() as blogs:
        people = [
            replace(ANN, id=f"s{n}", feeds=(blogs.show(f"/{n}", rss("B", post("One", "w", tag="datastories"))),))
            for n in range(5)
        ]
        sqlite_store.keep_course(replace(a_setup(), starts=None), people, [])
        monkeypatch.setattr(sqlite_store, "keep_pulls", refusing)
        pulled = Course(sqlite_store, clock=Clock(), allow_private=True).pull()
    assert [each.new for each in pulled] == [("One",)] * 5
    assert sum(tried) == 5


def test_an_unknown_person_among_them_keeps_none(store: Store) -> None:
    store.keep_course(a_setup(), CLASS, [])
    ann = Feed(person=ANN.id, url=CLASS[0].feeds[0], tried=AT)
    with pytest.raises(Missing):
        store.keep_states([ann, Feed(person="nobody", url="https://nobody.example/feed", tried=AT)])
    assert not any(each.tried for each in store.feeds())


def test_feeds_without_news_and_feeds_that_fail_are_kept_in_few_steps(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    keep = sqlite_store.keep_states

    def counted(feeds: Sequence[Feed]) -> None:
        steps.append(len(feeds))
        keep(feeds)

    with fake_blogs() as blogs:
        people = []
        for number in range(30):
            same = rss("B", post("One", "words", tag="datastories", guid=f"{number}"))
            people.append(
                replace(ANN, id=f"s{number}", feeds=(blogs.show(f"/{number}", same, headers={"ETag": '"1"'}),))
            )
        sqlite_store.keep_course(replace(a_setup(), starts=None), people, [])
        course = Course(sqlite_store, clock=Clock(), allow_private=True)
        assert len([each for each in course.pull() if each.outcome == "new"]) == 30
        assert not steps, "what brings posts is kept in steps of its own"
        for number in range(5):
            blogs.show(f"/{number}", "", status=500)
        monkeypatch.setattr(sqlite_store, "keep_states", counted)
        pulled = course.pull()
    assert [each.outcome for each in pulled].count("failed") == 5
    assert sum(steps) == 30
    assert all(each.tried == course.clock() for each in sqlite_store.feeds())
    assert sorted(each.failures for each in sqlite_store.feeds()) == [0] * 25 + [1] * 5


def test_a_store_that_fails_ends_the_pull(sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Sequence[Feed]) -> None:
        raise StoreError("The disk is full.")

    with fake_blogs() as blogs:
        people = [replace(ANN, id=f"s{n}", feeds=(blogs.url(f"/nothing/{n}"),)) for n in range(10)]
        sqlite_store.keep_course(a_setup(), people, [])
        monkeypatch.setattr(sqlite_store, "keep_states", full)
        with pytest.raises(StoreError, match="The disk is full"):
            Course(sqlite_store, clock=Clock(), allow_private=True).pull()
