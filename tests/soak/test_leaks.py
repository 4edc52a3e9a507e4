"""The crawl of test_leaks in every mode and state, as everybody, to every place that there is, and all events tried."""

from pathlib import Path

import pytest

from reviewkit.model import Mode
from tests.crawl import Crawler, Facts, crawl, told
from tests.crawl_course import EVERYBODY, Round
from tests.test_verbs import EVENTS

pytestmark = pytest.mark.soak


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["double-blind", "reviewers-hidden", "open"])
def test_nobody_is_told_what_is_not_for_them_anywhere(made_sqlite: Path, tmp_path: Path, mode: Mode) -> None:
    path = tmp_path / "course.db"
    path.write_bytes(made_sqlite.read_bytes())
    round_ = Round(path, mode)
    try:
        for state in round_.walk():
            assert told(crawl(round_, widely=True)) == ""
            if state != "collected":
                spoiled = round_.copied(tmp_path / f"{state}.db")
                try:
                    for who in EVERYBODY:
                        if who.role != "instructor":  # whose events are not refused, and change what the others see
                            assert told(Crawler(spoiled, who, Facts(spoiled)).try_all(EVENTS).found) == ""
                finally:
                    spoiled.close()
    finally:
        round_.close()
