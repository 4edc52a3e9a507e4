"""Fifteen hundred pages opened and closed: what a server holds stays what it was."""

from pathlib import Path

import pytest

from tests.asking import Asker
from tests.cast import ANN
from tests.housekeeping import grown, no_more_files, nothing_open, open_and_close, use_of
from tests.serving import Server, a_course_folder, wait_for

pytestmark = pytest.mark.soak


@pytest.mark.timeout(900)
def test_the_last_three_hundred_of_fifteen_hundred_pages_cost_nothing(tmp_path: Path) -> None:
    """The page server takes 7 MB in steps over the first thousand and stays there; then 5 KB a page would show."""
    with Server(a_course_folder(tmp_path / "course")) as server:
        asker = Asker(server, ANN)
        open_and_close(server, asker, 1_200)
        nothing_open(server)
        before = use_of(server)
        open_and_close(server, asker, 300)
        nothing_open(server)
        wait_for(lambda: no_more_files(before, use_of(server)), what="the end of sockets")
        after = use_of(server)
        assert (after.processes, after.entries) == (before.processes, before.entries)
        assert not grown(before, after, by=1_500)
