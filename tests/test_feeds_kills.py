"""A pull that is killed at any moment leaves every post whole, and the next pull goes on."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reviewkit.feeds.clean import digest
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import RUBRIC
from tests.serving import the_course, wait_for

BLOGS, POSTS = 8, 4


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as served:
        yield served


def write(blogs: FakeBlogs, turn: int) -> None:
    """Everybody has edited their posts and has written a new one."""
    for blog in range(BLOGS):
        items = [
            post(f"Post {n} of {blog}", f"<p>Words of {n}, as of turn {turn}. #datastories</p>", guid=f"{blog}-{n}")
            for n in range(POSTS + turn)
        ]
        blogs.show(f"/{blog}", rss(f"Blog {blog}", *items))


def a_class(folder: Path, blogs: FakeBlogs, database: str) -> Path:
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics" / "data-stories.md").write_text(RUBRIC, "utf-8")
    (folder / "course.toml").write_text(
        '[course]\ntitle = "Data Stories"\ntag = "datastories"\n\n[[assignments]]\nid = "river"\n'
        'rubric = "data-stories"\n\n[network]\nallow_private_addresses = true\n\n'
        f"[store]\ndatabase = {json.dumps(database)}\n",
        "utf-8",
    )
    rows = [f"p{n},P {n},,student,{blogs.url(f'/{n}')}" for n in range(BLOGS)]
    (folder / "roster.csv").write_text("\n".join(["id,name,email,role,feeds", *rows]) + "\n", "utf-8")
    return folder / "course.toml"


def pull_of(course_file: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "reviewkit", "pull", "--course", str(course_file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ.copy(),
    )


def whole(course_file: Path) -> dict[str, list[str]]:
    """The texts of every post's revisions by its guid; each of them is as it was written."""
    course = the_course(course_file)
    try:
        found: dict[str, list[str]] = {}
        for each in course.store.posts():
            assert each.revisions, f"{each.guid} has no text"
            assert each.guid not in found, f"{each.guid} is there twice"
            for revision in each.revisions:
                assert revision.digest == digest(revision.title, revision.text)
            found[each.guid] = [revision.text for revision in each.revisions]
        return found
    finally:
        course.store.close()


def kill_and_pull_again(folder: Path, blogs: FakeBlogs, *, database: str, kills: int, seed: int) -> int:
    """Kill that many pulls, each at a random moment after its first request; gives how many were cut in the middle."""
    chance, cut = random.Random(seed), 0
    course_file = a_class(folder, blogs, database)
    for turn in range(kills):
        write(blogs, turn)
        asked = len(blogs.asked)
        with pull_of(course_file) as process:
            wait_for(lambda before=asked: len(blogs.asked) > before, what="the first request")  # type: ignore[misc]
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 1.5))
            process.send_signal(signal.SIGKILL)
            cut += process.wait(20) == -signal.SIGKILL
        before = whole(course_file)
    with pull_of(course_file) as process:
        assert process.wait(60) == 0
    after = whole(course_file)
    assert set(after) == {f"{blog}-{n}" for blog in range(BLOGS) for n in range(POSTS + kills - 1)}
    for guid, texts in after.items():
        assert texts[-1] == f"Words of {guid.partition('-')[2]}, as of turn {kills - 1}. #datastories"
        assert texts[: len(before.get(guid, []))] == before.get(guid, []), "a revision that was kept is kept"
        assert len(set(texts)) == len(texts), "no revision twice"
    return cut


@pytest.mark.timeout(300)
def test_ten_pulls_killed_at_random_leave_every_post_whole(tmp_path: Path, blogs: FakeBlogs, store_url: str) -> None:
    """Five of them on each database."""
    kill_and_pull_again(tmp_path / "course", blogs, database=store_url, kills=5, seed=5)
