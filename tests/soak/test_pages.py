"""Fifteen hundred pages opened and closed: what a server holds stays what it was. And ten minutes of nothing."""

import asyncio
from pathlib import Path

import pytest

from tests.asking import Asker
from tests.cast import ANN
from tests.crowd import a_crowded_course, visitors
from tests.housekeeping import grown, idle, no_more_files, nothing_open, open_and_close, use_of
from tests.serving import Server, a_course_folder, awaited, wait_for

pytestmark = pytest.mark.soak
WARM_UP, PAGES = 300, 1_200
LEAST = 1_200
"""KiB that are no growth: what allocators keep. One KiB a page would show."""


@pytest.mark.timeout(900)
def test_twelve_hundred_pages_opened_and_closed_cost_nothing(tmp_path: Path) -> None:
    with Server(a_course_folder(tmp_path / "course")) as server:
        asker = Asker(server, ANN)
        open_and_close(server, asker, WARM_UP)
        nothing_open(server)
        before = use_of(server)
        open_and_close(server, asker, PAGES)
        nothing_open(server)
        wait_for(lambda: no_more_files(before, use_of(server)), what="the end of sockets")
        after = use_of(server)
        assert (after.processes, after.entries) == (before.processes, before.entries)
        assert not grown(before, after, by=LEAST)


@pytest.mark.timeout(900)
def test_pages_that_nobody_uses_for_ten_minutes_do_not_wake_up(tmp_path: Path) -> None:
    course_file, people = a_crowded_course(tmp_path / "course", 10)

    async def whole(server: Server) -> dict[int, int]:
        async with visitors(server, len(people)) as everybody:
            for each, person in zip(everybody, people, strict=True):
                await each.sign_in(person)
                await each.open()
            return await idle(await asyncio.to_thread(server.pages), seconds=600)

    with Server(course_file) as server:
        assert list(awaited(whole(server)).values()) == [0] * len(people)
