"""Eight people write for five minutes while the course service is killed every twenty seconds."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.serving import Server, a_course_folder, free_port, the_course
from tests.writing import MORE, storm

pytestmark = [pytest.mark.soak, pytest.mark.browser]


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_in_five_minutes_of_killed_services(tmp_path: Path, browser: Browser) -> None:
    course_file = a_course_folder(tmp_path / "course", *MORE)
    with Server(course_file, port=free_port()) as server:
        course = the_course(course_file)
        assert storm(server, course, browser, seconds=300, every=20) >= 12
        course.store.close()
