"""Pulls that are polite: what sites ask for is kept across pulls and restarts, and everybody is told."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reviewkit.clockwork import LOOK, keep_pulling
from reviewkit.course import Course
from reviewkit.errors import ReviewkitError, StoreError
from reviewkit.feeds import Pulled, pulling
from reviewkit.model import Feed
from reviewkit.rubric import parse as rubric
from reviewkit.store import Store
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, BOB, CYD, RUBRIC, Clock, a_setup
from tests.serving import wait_for

POST = post("A week of rain", "<p>It rained.</p>", tag="datastories", guid="1")


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as served:
        yield served


class Class:
    """Ann, Bob and Cyd with a blog each; a clock that the test moves."""

    def __init__(self, store: Store, blogs: FakeBlogs) -> None:
        self.store, self.blogs, self.clock = store, blogs, Clock()
        for person in (ANN, BOB, CYD):
            blogs.show(f"/{person.id}", rss(person.id, POST))
        people = [replace(person, feeds=(blogs.url(f"/{person.id}"),)) for person in (ANN, BOB, CYD)]
        store.keep_course(a_setup(), people, [rubric(RUBRIC, name="data-stories")])
        self.course = Course(store, clock=self.clock, allow_private=True, contact="https://course.example")

    def feed(self, person: str = "ann") -> Feed:
        (found,) = [feed for feed in self.store.feeds() if feed.person == person]
        return found

    def pull(self, *, due: bool = False, person: str | None = None) -> dict[str, str]:
        return {each.person: each.outcome for each in self.course.pull(due=due, person=person)}

    def asked(self, path: str = "/ann") -> int:
        return sum(each.path == path for each in self.blogs.asked)


@pytest.fixture
def klass(sqlite_store: Store, blogs: FakeBlogs) -> Class:
    return Class(sqlite_store, blogs)


def test_the_clock_asks_only_what_is_due_and_never_everything_each_time(klass: Class) -> None:
    assert set(klass.pull(due=True).values()) == {"new"}
    assert klass.pull(due=True) == {}
    klass.clock.now = sorted(feed.next_try for feed in klass.store.feeds() if feed.next_try)[0]
    assert len(klass.pull(due=True)) == 1
    klass.clock.pass_(hours=3)
    assert set(klass.pull(due=True)) == {"ann", "bob", "cyd"}


def test_what_a_site_calls_fresh_waits_for_the_clock_and_not_for_a_person(klass: Class, blogs: FakeBlogs) -> None:
    blogs.show("/ann", rss("ann", POST), headers={"Cache-Control": "max-age=7200"})
    klass.pull(due=True)
    klass.clock.pass_(minutes=60)
    assert set(klass.pull(due=True)) == {"bob", "cyd"}
    assert klass.pull()["ann"] == "unchanged"
    assert klass.asked() == 2


def test_a_site_that_asks_for_a_pause_gets_it_from_everybody(klass: Class, blogs: FakeBlogs) -> None:
    blogs.show("/ann", "", status=503, headers={"Retry-After": "7200"})
    assert klass.pull()["ann"] == "failed"
    klass.clock.pass_(minutes=60)
    told = {each.person: each for each in klass.course.pull()}
    assert (told["ann"].outcome, told["bob"].outcome) == ("left", "unchanged")
    assert told["ann"].error == "The site asked us to come back later; it is tried again in 60 min."
    assert klass.pull(person="ann") == {"ann": "left"}
    assert klass.asked() == 1
    blogs.show("/ann", rss("ann", POST))
    klass.clock.pass_(minutes=61)
    assert klass.pull(person="ann") == {"ann": "new"}
    assert (klass.feed().failures, klass.feed().not_before, klass.feed().error) == (0, None, "")


def test_a_site_that_keeps_failing_is_asked_more_and_more_rarely(klass: Class, blogs: FakeBlogs) -> None:
    blogs.show("/ann", "", status=500)
    for _ in range(24 * 12):
        klass.pull(due=True)
        klass.clock.pass_(minutes=5)
    assert 5 <= klass.asked() <= 8, "after 30, 60, 120, ... minutes of a day, give or take a fifth"
    assert klass.asked("/bob") > 30
    assert "(500)" in klass.feed().error


def test_a_feed_that_is_gone_for_good_stops_and_tells(klass: Class, blogs: FakeBlogs) -> None:
    klass.pull()
    blogs.show("/ann", "", status=410)
    klass.pull()
    assert klass.feed().stopped == klass.clock()
    assert "gone for good (410)" in klass.feed().error
    klass.clock.pass_(days=30)
    assert "ann" not in klass.pull(due=True)
    assert klass.pull()["ann"] == "left"
    assert klass.asked() == 2
    blogs.show("/ann", rss("ann", POST))
    assert klass.pull(person="ann")["ann"] == "unchanged"
    assert klass.feed().stopped is None


def test_a_feed_that_moved_for_good_is_looked_for_there_after_three_pulls(klass: Class, blogs: FakeBlogs) -> None:
    blogs.send_on("/ann", "/new/ann", status=301)
    blogs.show("/new/ann", rss("ann", POST))
    for _ in range(3):
        klass.pull()
    assert (klass.feed().moved_to, klass.feed().moved_times) == (blogs.url("/new/ann"), 3)
    assert klass.feed().url == blogs.url("/ann"), "its name stays, with all that is known under it"
    klass.pull()
    assert (klass.asked("/ann"), klass.asked("/new/ann")) == (3, 4)


def test_a_redirect_for_a_while_is_followed_and_not_believed(klass: Class, blogs: FakeBlogs) -> None:
    blogs.send_on("/ann", "/middle", status=302)
    blogs.send_on("/middle", "/new/ann", status=301)
    blogs.show("/new/ann", rss("ann", POST))
    for _ in range(4):
        klass.pull()
    assert klass.feed().moved_to == ""
    assert klass.asked("/ann") == 4


def test_a_new_place_that_breaks_is_given_up(klass: Class, blogs: FakeBlogs) -> None:
    blogs.send_on("/ann", "/new/ann", status=308)
    blogs.show("/new/ann", rss("ann", POST))
    for _ in range(3):
        klass.pull()
    blogs.show("/new/ann", "", status=404)
    blogs.show("/ann", rss("ann", POST))
    assert [klass.pull()["ann"] for _ in range(2)] == ["failed", "unchanged"]
    assert klass.feed().moved_to == ""


def test_a_new_place_inside_is_never_stored(sqlite_store: Store, blogs: FakeBlogs) -> None:
    klass = Class(sqlite_store, blogs)
    blogs.send_on("/ann", "ftp://elsewhere.example/", status=301)
    for _ in range(4):
        assert klass.pull()["ann"] == "failed"
    assert klass.feed().moved_to == ""


def test_conditions_are_sent_back_byte_for_byte_and_dropped_when_the_parser_changes(
    klass: Class, blogs: FakeBlogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = {"ETag": 'W/"a \\"b\\",  c;--gzip"', "Last-Modified": "Mon,  2 march 2026 8:00:00 +0000 (ours)"}
    blogs.show("/ann", rss("ann", POST), headers=stamps)
    klass.pull()
    klass.pull()
    sent = [each.headers for each in blogs.asked if each.path == "/ann"][-1]
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == (stamps["ETag"], stamps["Last-Modified"])
    monkeypatch.setattr(pulling, "VERSION", pulling.VERSION + 1)
    klass.pull()
    sent = [each.headers for each in blogs.asked if each.path == "/ann"][-1]
    assert not {"If-None-Match", "If-Modified-Since"} & set(sent)
    assert sent["User-Agent"] == "reviewkit (Data Stories; +https://course.example)"


def test_a_platform_that_had_enough_is_asked_nothing_more_in_this_pull(sqlite_store: Store, blogs: FakeBlogs) -> None:
    urls = [blogs.show(f"/{n}", "", status=429, headers={"Retry-After": "600"}) for n in range(30)]
    sqlite_store.keep_course(a_setup(), [replace(ANN, feeds=tuple(urls))], [rubric(RUBRIC, name="data-stories")])
    found = Course(sqlite_store, clock=Clock(), allow_private=True).pull()
    assert {each.outcome for each in found} == {"failed"}
    assert all("(429)" in each.error for each in found)
    assert len(blogs.asked) <= 4, "two at a time, until three have said so"


def test_an_unchanged_class_costs_a_site_one_small_question(klass: Class, blogs: FakeBlogs) -> None:
    blogs.show("/ann", rss("ann", POST), headers={"ETag": '"1"', "Cache-Control": "max-age=3600"})
    klass.pull()
    before = klass.feed()
    klass.clock.pass_(hours=2)
    assert klass.pull(due=True)["ann"] == "unchanged"
    after = klass.feed()
    assert after == replace(before, tried=after.tried, succeeded=after.tried, next_try=after.next_try)
    assert after.next_try is not None
    assert after.next_try - klass.clock() >= timedelta(hours=1), "an answer without a document says how long it is good"


# -- for ever --------------------------------------------------------------------------------------------------------


class Enough(Exception):
    """Ends what goes on for ever."""


def test_pulling_for_ever_rests_until_something_is_due_and_outlives_trouble(
    klass: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Pulled] = []
    trouble: list[ReviewkitError] = []
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        klass.clock.pass_(seconds=seconds)
        if len(rests) == 3:
            monkeypatch.setattr(klass.course, "pull", broken)
        if len(rests) == 5:
            raise Enough

    def broken(**_: object) -> list[Pulled]:
        raise StoreError("The database is away.")

    with pytest.raises(Enough):
        keep_pulling(klass.course, told=heard.append, trouble=trouble.append, rest=rest)
    assert {each.person for each in heard} == {"ann", "bob", "cyd"}
    assert len(heard) == 3, "nothing was due a second time within three minutes"
    assert rests == [LOOK] * 5
    assert len(trouble) == 2


@pytest.fixture
def folder(tmp_path: Path, blogs: FakeBlogs) -> Path:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "data-stories.md").write_text(RUBRIC, "utf-8")
    (tmp_path / "course.toml").write_text(
        '[course]\ntitle = "Data Stories"\ntag = "datastories"\n\n[[assignments]]\nid = "river"\n'
        'rubric = "data-stories"\n\n[network]\nallow_private_addresses = true\n',
        "utf-8",
    )
    rows = [f"{id},{id},,student,{blogs.show(f'/{id}', rss(id, POST))}" for id in ("ann", "bob")]
    (tmp_path / "roster.csv").write_text("\n".join(["id,name,email,role,feeds", *rows]) + "\n", "utf-8")
    return tmp_path


def pull_of(folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "reviewkit", "pull", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watching_goes_on_until_a_signal_and_says_so(folder: Path, blogs: FakeBlogs, number: signal.Signals) -> None:
    with pull_of(folder, "--watch") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines[0] == "Each site is pulled when it is due (Ctrl-C stops).\n"
        assert sorted(line.split()[0] for line in lines[1:]) == ["ann", "bob"]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "Stopped. Everything that came in is kept.\n", "")


def test_watching_tells_machines_a_document_a_line(folder: Path) -> None:
    with pull_of(folder, "--watch", "--json") as process:
        assert process.stdout
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
        assert process.wait(60) == 0
    assert {each["outcome"] for each in told} == {"new"}


def test_a_signal_in_the_middle_ends_a_pull_at_once_with_everything_that_came_in(
    folder: Path, blogs: FakeBlogs
) -> None:
    release = threading.Event()
    blogs.answer("/ann", lambda request: (release.wait(100), request.close_connection)[0])
    try:
        with pull_of(folder) as process:
            assert process.stdout
            assert process.stdout.readline().startswith("bob")
            wait_for(lambda: any(each.path == "/ann" for each in blogs.asked), what="the request for Ann's feed")
            process.terminate()
            _, err = process.communicate(timeout=60)
    finally:
        release.set()
    assert (process.returncode, err) == (130, "")
    blogs.show("/ann", rss("ann", POST))
    with pull_of(folder, "--json") as process:
        told = json.loads(process.communicate(timeout=60)[0])
    assert {each["person"]: each["outcome"] for each in told} == {"ann": "new", "bob": "unchanged"}
