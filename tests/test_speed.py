"""What makes pages fast must not make them wrong: what is kept between questions, and what a page loads."""

import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import Person
from reviewkit.store import Store, open_store
from reviewkit.store.glance import READS
from reviewkit.store.shelf import Seen, Shelf
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, BOB, PROF, Clock, a_course, a_post, a_self_evaluation, frozen
from tests.serving import Server, a_course_folder, connected, visit, wait_for


class Counting:
    """A store that counts what is read of it."""

    def __init__(self, store: Store) -> None:
        self.store, self.reads = store, list[str]()
        self.shelf = Shelf(store.pulse)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)

        def read(*which: Any, **named: Any) -> Any:
            self.reads.append(name)
            return method(*which, **named)

        return read if name in READS else method


def test_a_view_that_was_shown_is_not_read_again_while_nothing_has_changed(store: Store) -> None:
    made = frozen(a_course(store, Clock()))
    counting = Counting(store)
    course = Course(counting, clock=Clock())
    place = {"submission": made["ann"]}
    first = screens.view(course, ANN, "my-work", place)
    counting.reads.clear()
    assert screens.view(course, ANN, "my-work", place) == first
    assert set(counting.reads) <= {"draft"}, "what somebody types is read anew for every question"


@pytest.mark.parametrize("through", ["the same store", "another process's"])
def test_a_change_shows_in_the_next_question_whoever_made_it(tmp_path: Path, through: str) -> None:
    address = f"sqlite:///{tmp_path / 'course.db'}"
    ours = open_store(address)
    course = a_course(ours, Clock())
    made = frozen(course)
    other = Course(ours if through == "the same store" else open_store(address), clock=Clock())
    place = {"submission": made["ann"]}
    assert screens.view(course, ANN, "my-work", place)["place"] == "evaluate"
    other.self_evaluate(ANN, made["ann"], a_self_evaluation(), seen=1)
    assert screens.view(course, ANN, "my-work", place)["place"] == "dialogue"
    with pytest.raises(Exception, match="no such submission"):
        course.dialogue(made["ann"], BOB)
    other.store.erase_text(next(iter(_digests(other, made["ann"]))))
    assert "Two marks." not in str(course.dialogue(made["ann"], PROF).turns)
    for each in {ours, other.store}:
        each.close()


def _digests(course: Course, submission: str) -> list[str]:
    bare = course.store.bare_turns(submission)
    return [body["strengths"]["text"] for _, body in bare if "strengths" in body]


def test_typing_leaves_what_was_read_as_good_as_it_was_and_every_word_is_there(tmp_path: Path) -> None:
    """On SQLite; a change of anybody else's is still seen, and so is a draft, by this store and by another one."""
    address = f"sqlite:///{tmp_path / 'course.db'}"
    ours, theirs = open_store(address), open_store(address)
    course = a_course(ours, Clock())
    made = frozen(course)
    place = {"submission": made["ann"]}
    screens.view(course, ANN, "my-work", place)
    assert isinstance(ours, SqlStore)
    before, beat = ours.shelf.seen(), ours.pulse()
    for revision in range(1, 6):
        course.keep_draft(ANN, "self:one", revision, {"strengths": "x" * revision}, after=revision - 1)
    assert ours.shelf.seen() is before, "nothing is read again because somebody types"
    assert ours.pulse() != beat, "and who follows the course hears of it"
    for store in (ours, theirs):
        kept = store.draft("ann", "self:one")
        assert kept is not None
        assert kept.content == {"strengths": "xxxxx"}
    assert course.keep_draft(ANN, "self:one", 9, {}, after=2).revision == 5, "an overtaken save is refused as ever"
    Course(theirs, clock=Clock()).self_evaluate(ANN, made["ann"], a_self_evaluation(), seen=1)
    assert ours.shelf.seen() is not before
    assert screens.view(course, ANN, "my-work", place)["place"] == "dialogue"
    for store in (ours, theirs):
        store.close()


def test_a_draft_that_waits_for_another_writer_holds_up_no_reader(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'course.db'}"
    store = open_store(address)
    course = a_course(store, Clock())
    with closing(sqlite3.connect(tmp_path / "course.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        typing = threading.Thread(target=course.keep_draft, args=(ANN, "self:one", 1, {"strengths": "x"}))
        typing.start()
        assert course.glance().person("ann") == ANN
        assert typing.is_alive()
        other.execute("ROLLBACK")
    typing.join()
    assert course.draft(ANN, "self:one") is not None
    store.close()


def test_to_make_a_glance_asks_the_database_nothing(store: Store) -> None:
    """It is made where nobody may wait: on the loop that serves all pages."""
    counting = Counting(store)
    asked = list[str]()
    counting.shelf = Shelf(lambda: asked.append("pulse") or "1")  # type: ignore[func-returns-value]
    course = Course(counting, clock=Clock()).glance()
    assert not asked
    a_course(store, Clock())
    assert course.person("ann") == ANN
    assert asked == ["pulse"]


def test_a_verb_that_writes_sees_what_it_wrote(store: Store) -> None:
    course = a_course(store, Clock())
    looking = course.glance()
    assert looking.submission_of(ANN, looking.assignment("river")) is None
    frozen(looking)
    assert looking.submission_of(ANN, looking.assignment("river")) is not None
    assert course.submission_of(ANN, course.assignment("river")) is not None


def test_what_is_read_after_a_change_never_lies_among_older_answers() -> None:
    beats = iter(["1", "1", "2", "2"])
    shelf = Shelf(lambda: next(beats))
    old = shelf.seen()
    assert shelf.seen() is old
    old[("setup",)] = "as it was"
    fresh = shelf.seen()
    assert fresh == Seen()
    old[("people",)] = "read too late"
    assert shelf.seen() is fresh
    assert not fresh


def test_readers_and_writers_at_once_never_see_less_than_was_acknowledged(tmp_path: Path) -> None:
    """Four threads look while one adds posts: after each acknowledged write every look has it."""
    store = open_store(f"sqlite:///{tmp_path / 'course.db'}")
    course = a_course(store, Clock())
    written, wrong, over = [1], list[str](), threading.Event()

    def look(person: Person) -> None:
        while not over.is_set():
            least = written[0]
            if len(course.glance().posts(person)) < least:
                wrong.append(f"fewer than {least} posts")

    readers = [threading.Thread(target=look, args=(ANN,)) for _ in range(4)]
    for each in readers:
        each.start()
    (feed,) = (each for each in store.feeds() if each.person == "ann")
    for number in range(2, 22):
        store.keep_pull(feed, [a_post(ANN, number=number)], seen=Clock()())
        written[0] = number
    over.set()
    for each in readers:
        each.join()
    store.close()
    assert not wrong


__all__ = ["visit"]
PINGS = """
import pathlib, sys
import reviewkit.server as s
from reviewkit.server import kernels
kernels.PING = kernels.PONG = 1.5
s.serve(pathlib.Path(sys.argv[1]), port=int(sys.argv[2]))
"""


@pytest.fixture
def quick(tmp_path: Path) -> Any:
    with Server(a_course_folder(tmp_path / "course"), script=PINGS) as server:
        yield server


def test_a_page_loads_six_files_and_its_one_connection_outlives_many_pings(quick: Server, visit: Any) -> None:
    page: Page = visit(quick)
    connected(page)
    sockets, asked, foreign = list[str](), list[str](), list[str]()
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.on("request", lambda request: (asked if request.url.startswith(quick.url) else foreign).append(request.url))
    page.reload()
    connected(page)
    wait_for(lambda: page.evaluate("performance.now()") > 5000, what="five seconds of a page's life")
    assert len(sockets) == 1, "a browser that answers pings is not hung up on"
    assert len(asked) <= 6, asked
    assert not [each for each in foreign if not re.match("data:", each)]
