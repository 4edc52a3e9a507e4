"""A hundred pulls on each database, each killed at a random moment."""

from pathlib import Path

import pytest

from tests.blogs import fake_blogs
from tests.test_feeds_kills import kill_and_pull_again

pytestmark = pytest.mark.soak


@pytest.mark.timeout(1500)
def test_a_hundred_pulls_killed_at_random_leave_every_post_whole(tmp_path: Path, store_url: str) -> None:
    with fake_blogs() as blogs:
        assert kill_and_pull_again(tmp_path / "course", blogs, database=store_url, kills=100, seed=7) >= 20
