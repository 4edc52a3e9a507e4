"""What this suite assumes of the programs that run it."""

import pytest


@pytest.mark.xdist_group("together")
def test_tests_of_one_group_are_run_by_one_worker(request: pytest.FixtureRequest) -> None:
    """A group's name is in the names of its tests. Where it is not, every worker makes what a group shares, and nothing
    else tells: pytest 9.2 was that with pytest-xdist 3.8."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("nobody asked for groups: pytest -n 2 --dist loadgroup does")
    assert request.node.nodeid.endswith("@together")
