"""The machine of test_any_order for minutes, on both databases."""

from collections.abc import Callable

import pytest

from reviewkit.store.sql import SqlStore
from tests.test_any_order import fresh, tried

__all__ = ["fresh"]

pytestmark = pytest.mark.soak
LONG = {"sqlite": (40, 60), "postgresql": (20, 50)}


@pytest.mark.timeout(1200)
def test_anything_in_any_order_for_long(fresh: tuple[str, Callable[[], SqlStore]]) -> None:
    tried(fresh, LONG)
