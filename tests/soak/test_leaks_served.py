"""The crawl of test_leaks_served in every mode and state, as everybody who is something else; two use a browser."""

from pathlib import Path

import pytest

from reviewkit.model import Mode
from tests.crawl import told
from tests.crawl_course import ABSENT, HELPER, NEGLECTED, PROF, SILENT, STATES, STUDENTS, WATCHER
from tests.crawl_served import Visit, letters, pressed, served, the_log, visited, walked
from tests.serving import visit

__all__ = ["visit"]

pytestmark = [pytest.mark.soak, pytest.mark.browser]
PEOPLE = (None, STUDENTS[0], STUDENTS[1], NEGLECTED, SILENT, ABSENT, HELPER, WATCHER, PROF)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("mode", ["double-blind", "reviewers-hidden", "open"])
def test_nothing_that_is_served_tells_what_is_not_for_them(
    made_sqlite: Path, tmp_path: Path, visit: Visit, mode: Mode, state: str
) -> None:
    round_ = walked(made_sqlite, tmp_path, mode, state)
    try:
        with served(round_, tmp_path) as there:
            for who in PEOPLE:
                visited(there, who, widely=who in (STUDENTS[1], HELPER))
            pressed(there, STUDENTS[1], visit(there.server, STUDENTS[1]), ("/my-work", "/reviews"))
            pressed(there, HELPER, visit(there.server, HELPER), ("/sign-off",))
            letters(there)
            the_log(there)
            assert told(there.found) == ""
    finally:
        round_.close()
