"""The demo: its words, its blogs, the course that it tells, and the command as people start it."""

import csv
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reviewkit import chain
from reviewkit.course import Course
from reviewkit.demo import directory as files
from reviewkit.demo.blogs import HTML, documents
from reviewkit.demo.cast import EVERYBODY, STUDENTS, Member, member
from reviewkit.demo.content import CRITERIA, Piece, pieces, stories
from reviewkit.demo.history import Clock, History, judgements_of, piece_of
from reviewkit.demo.hosting import hosted
from reviewkit.errors import ConfigError
from reviewkit.feeds.parse import parse
from reviewkit.model import KINDS, Entry, Review
from reviewkit.opening import open_local
from tests.serving import free_port

BASE = "http://127.0.0.1:8000"
ORIGIN = date(2025, 9, 1)
LATER = datetime(2025, 12, 1, tzinfo=UTC)
ROUNDS = ("first", "second")
STORIES = [(round, story) for round in ROUNDS for story in stories(round)]


def posts_of(person: Member) -> list[Piece]:
    return [each for each in pieces() if each.person == person.id and each.published]


def entries_of(person: Member, *, now: datetime = LATER) -> list[Entry]:
    document = documents(BASE, ORIGIN, now)[person.feed]
    return list(parse(document.body, url=BASE + person.feed, content_type=document.type).entries)


def entry_of(piece: Piece) -> Entry:
    assert piece.published
    at = piece.published.at(ORIGIN)
    return next(each for each in entries_of(member(piece.person), now=at) if each.published == at)


# -- the words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("round", "story"), STORIES, ids=[f"{round}-{story.person}" for round, story in STORIES])
def test_every_sentence_that_is_quoted_as_evidence_stands_in_its_post(round: str, story: Any) -> None:
    text = " ".join(entry_of(piece_of(story)).text.split())
    missing = [each.quote for each in judgements_of(story) if each.quote and each.quote not in text]
    assert missing == []


@pytest.mark.parametrize(("round", "story"), STORIES, ids=[f"{round}-{story.person}" for round, story in STORIES])
def test_every_form_that_was_sent_is_complete(round: str, story: Any) -> None:
    for sent in filter(None, (story.own, *story.reviews)):
        assert [each.criterion for each in sent.judgements] == list(CRITERIA)
        assert sent.strengths
        assert sent.improvements or sent.suggestions
    assert story.sent <= len(story.reviews)


def test_a_reader_finds_two_posts_of_some_length_from_everybody_who_was_there_from_the_start() -> None:
    for student in STUDENTS:
        long = [each for each in posts_of(student) if 200 <= len(each.markdown.split()) <= 500]
        assert len(long) == (1 if student.id == "yaw" else 2), student.name


def test_posts_link_to_earlier_posts_of_others() -> None:
    known = {each.id: each for each in pieces()}
    links = [(each, known[id]) for each in pieces() for id in re.findall(r"\(post:([\w-]+)\)", each.markdown)]
    assert len({there.person for _, there in links}) >= 8
    for here, there in links:
        assert here.published
        assert there.published
        assert there.published < here.published, f"{here.id} knows {there.id} before it was written"


def test_no_review_names_anybody() -> None:
    names = {part for each in EVERYBODY for part in each.name.split()}
    for _, story in STORIES:
        for review in story.reviews:
            said = " ".join((review.strengths, review.suggestions, *(each.note for each in review.judgements)))
            assert not names & set(re.findall(r"\w+", said)), said


def test_nobody_shouts_or_swears() -> None:
    said = "\n".join(each.read_text("utf-8") for each in Path(files.__file__).parent.rglob("*.[mt][do]*"))
    assert "!!" not in said
    assert not re.search(r"\b[A-Z]{5,}\b", said)
    assert not re.search(r"\b(damn|hell|stupid|idiot|crap|hate|ugly|shut up)\b", said, re.IGNORECASE)


# -- the blogs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("student", STUDENTS, ids=[each.id for each in STUDENTS])
def test_a_feed_parses_to_its_posts_with_their_dates_and_tags(student: Member) -> None:
    only = "/tag/datastories/" in student.feed
    told = {
        each.published.at(ORIGIN): each
        for each in posts_of(student)
        if each.published and (not only or "datastories" in each.tags)
    }
    found = {each.published: each for each in entries_of(student)}
    assert set(found) == set(told)
    for at, piece in told.items():
        tags = {each.tag for each in found[at].tags}
        for tag in ("datastories", "leftout"):
            assert (tag in tags) == (tag in piece.tags or f"#{tag}" in piece.markdown), (piece.id, tags)
        assert found[at].link.startswith(BASE)
        if piece.title:
            assert found[at].title == piece.title


@pytest.mark.parametrize("student", STUDENTS, ids=[each.id for each in STUDENTS])
def test_a_feed_drawn_twice_is_the_same_to_the_byte(student: Member) -> None:
    assert documents(BASE, ORIGIN, LATER)[student.feed] == documents(BASE, ORIGIN, LATER)[student.feed]


def test_platforms_differ_as_they_do_outside() -> None:
    texts = {each.id: documents(BASE, ORIGIN, LATER)[each.feed].body.decode() for each in STUDENTS}
    assert "wfw:commentRss" in texts["mira"]
    assert '<guid isPermaLink="false">' + BASE + "/mira/?p=" in texts["mira"]
    assert "appeared first on" in texts["lucia"].partition("content:encoded")[2]
    assert "Ghost" in texts["ilse"]
    assert "scheme='http://www.blogger.com/atom/ns#'" in texts["tarek"]
    assert "<title>" not in texts["wen"].partition("<item>")[2]
    assert 'class="mention hashtag"' in texts["wen"].replace("&quot;", '"').replace("&lt;", "<")
    assert "Hugo" in texts["odo"]
    assert "Jekyll" in texts["runa"]
    assert "Medium" in texts["esi"]
    assert "Tumblr" in texts["bram"]
    assert "<category" not in texts["nela"]
    assert "<guid" not in texts["nela"]
    assert json.loads(texts["yaw"])["version"].startswith("https://jsonfeed.org")


def test_every_address_in_a_page_or_feed_text_leads_to_a_page_of_the_demo() -> None:
    there = documents(BASE, ORIGIN, LATER)
    for path, document in there.items():
        if document.type == HTML:
            for address in re.findall(r'href="([^"]+)"', document.body.decode()):
                assert address.removeprefix(BASE) in there, f"{path} links to {address}"


def test_a_post_appears_when_it_is_published_and_an_edit_when_it_is_made() -> None:
    odo = member("odo")
    piece = next(each for each in posts_of(odo) if each.edit)
    assert piece.published
    assert piece.edit
    published, edited = piece.published.at(ORIGIN), piece.edit.at.at(ORIGIN)
    second = timedelta(seconds=1)
    assert published not in [each.published for each in entries_of(odo, now=published - second)]
    before, after = entries_of(odo, now=edited - second)[0], entries_of(odo, now=edited)[0]
    assert piece.edit.new in after.text
    assert piece.edit.new not in before.text
    assert (before.guid, before.published) == (after.guid, after.published)


def test_the_blogs_answer_a_known_etag_with_304_and_end_with_the_demo() -> None:
    with hosted(ORIGIN) as blogs:
        blogs.stand_at(LATER)
        url = blogs.base + "/mira/feed/"
        with urllib.request.urlopen(url) as answer:
            etag = answer.headers["ETag"]
        with pytest.raises(urllib.error.HTTPError, match="304"):
            urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": etag}))
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(blogs.base + "/nobody/")
        blogs.stand_at(datetime(2025, 9, 2, tzinfo=UTC))
        with urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": etag})) as answer:
            assert answer.status == 200
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


def test_readers_who_break_off_are_no_news(capfd: pytest.CaptureFixture[str]) -> None:
    with hosted(ORIGIN) as blogs:
        blogs.stand_at(LATER)
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", blogs.port)) as reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
                reader.sendall(b"GET /mira/feed/ HTTP/1.1\r\n")
        assert answers(blogs.base + "/mira/feed/")
    assert "Traceback" not in capfd.readouterr().err


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with hosted(ORIGIN) as blogs, pytest.raises(ConfigError, match=f"Port {blogs.port}"), hosted(ORIGIN, blogs.port):
        pass


# -- the course ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """The whole demo, told once."""
    folder = tmp_path_factory.mktemp("demo")
    origin = files.day_zero(datetime.now(UTC), empty=False)
    with hosted(origin) as blogs:
        clock = Clock()
        course = open_local(files.write_course(folder, origin, blogs.base), clock=clock)
        History(course, clock, origin, blogs.stand_at).tell()
        yield course
        course.store.close()


def stages(course: Course, assignment: str) -> dict[str, str]:
    lines = course.class_table(course.person("anahera"), course.assignment(assignment))
    return {each.person.id: each.stage for each in lines}


def test_the_first_round_is_mostly_signed_and_has_something_in_every_later_stage(course: Course) -> None:
    assert stages(course, files.FIRST) == {
        "mira": "discussing",
        "tarek": "discussing",
        "wen": "with instructor",
        "runa": "with instructor",
        "esi": "revealed",
        "yaw": "expected",
        **dict.fromkeys(("ilse", "odo", "bram", "nela", "lucia", "zeynep"), "signed"),
    }


def test_the_second_round_is_open_and_has_something_in_every_earlier_stage(course: Course) -> None:
    now = stages(course, files.SECOND)
    assert now["ilse"] == "frozen"
    assert now["lucia"] == "exempt"
    assert now["esi"] == "collected"
    assert now["zeynep"] == "expected"
    early = [now[each] for each in ("mira", "tarek", "wen", "odo", "runa", "bram", "nela", "yaw")]
    assert set(early) == {"self-evaluated", "in review"}


def test_the_instructor_finds_grades_to_accept_and_one_that_is_far_apart(course: Course) -> None:
    lines = course.class_table(course.person("anahera"), course.assignment(files.FIRST))
    found = {each.person.id: each for each in lines}
    assert [id for id, each in found.items() if each.close] == ["wen", "runa"]
    assert "Far apart" in found["tarek"].flags
    assert "Wide range" in found["esi"].flags
    assert found["odo"].agreed == "80"
    assert found["bram"].owed == 3


def test_every_kind_of_turn_stands_in_the_demo_and_an_assistants_draft(course: Course) -> None:
    dialogues = course.store.dialogues()
    told = {turn.kind for each in dialogues for turn in each.turns}
    assert set(KINDS) - told == {"withdraw", "restore"}, "the exempt one stands for those"
    bram = course.submission_of(course.person("bram"), course.assignment(files.FIRST))
    assert bram
    turns = course.dialogue(bram.id, course.person("anahera")).turns
    late = [turn.what.late for turn in turns if isinstance(turn.what, Review)]
    assert late == [False, False, True]
    drafts = [each for one in dialogues for each in course.suggested(course.person("anahera"), one.submission.id)]
    assert [person.id for person, _ in drafts] == ["jory"]


def test_mira_has_a_counter_proposal_and_reviews_in_all_three_states(course: Course) -> None:
    mira = course.person("mira")
    assert course.waiting(mira)["my-work"] >= 1
    duties = [each for each in course.duties(mira) if not each.closed]
    drafts = {each.id: course.draft(mira, f"review:{each.id}") for each in duties}
    assert sorted((bool(each.mine), drafts[each.id] is not None) for each in duties) == [
        (False, False),
        (False, True),
        (True, False),
    ]


def test_ilse_finds_her_self_evaluation_half_typed(course: Course) -> None:
    ilse = course.person("ilse")
    submission = course.submission_of(ilse, course.assignment(files.SECOND))
    assert submission
    draft = course.draft(ilse, f"self:{submission.id}")
    assert draft
    assert draft.content["levels"] == {"claim": 2, "evidence": 2}


def test_a_blog_that_changed_after_the_freeze_changes_no_evaluation(course: Course) -> None:
    odo = course.person("odo")
    submission = course.submission_of(odo, course.assignment(files.SECOND))
    assert submission
    copy = course.dialogue(submission.id, odo).posts[0]
    assert copy.changed_since
    assert "I have now asked five" not in copy.text


def test_every_act_happened_in_the_past_in_order_and_the_chain_is_whole(course: Course) -> None:
    now = datetime.now(UTC)
    for dialogue in course.store.dialogues():
        times = [turn.at for turn in dialogue.turns]
        assert times == sorted(times)
        assert times[-1] < now
        assert chain.first_broken(course.store.bare_turns(dialogue.submission.id)) is None


def test_the_schedule_finds_nothing_to_do_yet(course: Course) -> None:
    assert course.advance() == []


# -- the directory ---------------------------------------------------------------------------------------------------


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match="nothing was written"):
        files.read_note(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["course.toml"]


def test_a_demo_that_breaks_off_while_it_is_made_leaves_an_empty_directory(tmp_path: Path) -> None:
    def break_off() -> None:
        with files.building(tmp_path):
            files.write_course(tmp_path, ORIGIN, BASE)
            raise SystemExit(0)

    with pytest.raises(SystemExit):
        break_off()
    assert list(tmp_path.iterdir()) == []


# -- the command -----------------------------------------------------------------------------------------------------


@contextmanager
def started(*options: str, temp: Path) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """The command with --json until it has printed its line; it must end by itself after SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reviewkit", "demo", "--json", "--port", str(free_port()), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temp)},
    )
    assert process.stdout
    patience = threading.Timer(180, process.kill)
    patience.start()
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
        assert process.returncode == 0, said
        assert "Traceback" not in said, said
    finally:
        patience.cancel()
        if process.poll() is None:
            process.kill()
            process.communicate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url) as answer:
            return bool(answer.status == 200)
    except OSError:  # refused, or cut off while it was going
        return False


def blog_of(told: dict[str, Any]) -> str:
    with Path(told["course"]).with_name("roster.csv").open(encoding="utf-8", newline="") as file:
        return next(row["feeds"] for row in csv.DictReader(file) if row["id"] == "mira")


def test_the_command_serves_pages_and_blogs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with started("--empty", temp=tmp_path) as (_, told):
        assert set(told) == {"url", "course", "people"}
        assert [set(each) for each in told["people"]] == [{"id", "name", "email", "role", "link"}] * 14
        assert [each["role"] for each in told["people"]].count("student") == 12
        assert all(each["link"].startswith(told["url"]) for each in told["people"])
        assert answers(told["people"][0]["link"])
        assert answers(blog := blog_of(told))
        assert Path(told["course"]).is_relative_to(tmp_path)
    assert not answers(blog)
    assert not answers(told["url"])
    assert list(tmp_path.glob("reviewkit-demo-*")) == []


def test_a_demo_in_a_directory_goes_on_where_it_was_with_the_same_links(tmp_path: Path) -> None:
    here = tmp_path / "kept"

    def told_by_a_run(*look: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        with started("--dir", str(here), temp=tmp_path) as (_, told):
            for each in look:
                assert each(told)
            return told

    first = told_by_a_run(lambda told: answers(blog_of(told)))
    second = told_by_a_run(lambda told: answers(blog_of(told)))
    assert second["course"] == first["course"] == str(here / "course.toml")

    def tokens(told: dict[str, Any]) -> list[str]:
        return [each["link"].removeprefix(told["url"]) for each in told["people"]]

    assert tokens(second) == tokens(first)
    kept = open_local(here / "course.toml")
    assert isinstance(kept, Course)
    assert stages(kept, files.FIRST)["odo"] == "signed"
    kept.store.close()
