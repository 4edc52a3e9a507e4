"""The fixtures that several tests share, and which tests begin first."""

import pytest

from tests.pages import browser
from tests.stores import made_sqlite, postgresql, sqlite_store, sqlite_url, store, store_url

__all__ = ["browser", "made_sqlite", "postgresql", "sqlite_store", "sqlite_url", "store", "store_url"]

LONGEST = {"test_walk.py", "test_any_order.py", "test_dropouts.py", "test_feeds_kills.py", "test_demo.py"}
"""Tests of many seconds each, in files without a group; groups begin before all others."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: a worker that came to it last would leave the other one without work."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
