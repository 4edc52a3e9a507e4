"""The crawl of test_leaks in every mode and state, as everybody; some of them to every place, and with all events."""

from pathlib import Path

import pytest

from reviewkit.model import Mode
from tests.crawl import Crawler, Facts, album, crawl, handed_out, told
from tests.crawl_course import HELPER, NEGLECTED, PROF, SILENT, STUDENTS, WATCHER, Round
from tests.test_verbs import EVENTS

pytestmark = pytest.mark.soak
FAR = (STUDENTS[0], STUDENTS[1], NEGLECTED, SILENT, HELPER, PROF)
TRYING = (STUDENTS[2], SILENT, HELPER, WATCHER)
"""Without an instructor, whose events are not refused, and change what the others see."""


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("mode", ["double-blind", "reviewers-hidden", "open"])
def test_nobody_is_told_what_is_not_for_them_anywhere(made_sqlite: Path, tmp_path: Path, mode: Mode) -> None:
    path = tmp_path / "course.db"
    path.write_bytes(made_sqlite.read_bytes())
    round_ = Round(path, mode)
    try:
        for state in round_.walk():
            assert told(crawl(round_)) == ""
            assert told(crawl(round_, FAR, widely=True)) == ""
            assert told(album(round_)) == ""
            assert told(handed_out(round_, tmp_path)) == ""
            if state not in ("collected", "evaluating"):
                spoiled = round_.copied(tmp_path / f"{state}.db")
                try:
                    for who in TRYING:
                        assert told(Crawler(spoiled, who, Facts(spoiled)).try_all(EVENTS).found) == ""
                finally:
                    spoiled.close()
    finally:
        round_.close()
