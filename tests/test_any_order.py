"""Whatever people try, in whatever order, the dialogue stays lawful and blind."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from shutil import copy

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from reviewkit.store.sql import SqlStore
from tests.any_order import AnyOrder
from tests.stores import Postgresql

QUICK = {"sqlite": (10, 40), "postgresql": (5, 30)}
"""Examples, and steps of each: what some twenty seconds are enough for."""


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Callable[[], SqlStore]]]:
    """The name of a database, and a maker of empty stores in it."""
    with ExitStack() as stores:
        numbers = iter(range(1_000_000))

        def sqlite() -> SqlStore:
            path = tmp_path / f"course-{next(numbers)}.db"
            copy(request.getfixturevalue("made_sqlite"), path)
            return SqlStore.open(f"sqlite:///{path}")

        def postgresql() -> SqlStore:
            server: Postgresql = request.getfixturevalue("postgresql")
            return SqlStore.open(stores.enter_context(server.database(made=True)))

        yield request.param, {"sqlite": sqlite, "postgresql": postgresql}[request.param]


@pytest.mark.timeout(300)
def test_anything_in_any_order(fresh: tuple[str, Callable[[], SqlStore]]) -> None:
    tried(fresh, QUICK)


def tried(fresh: tuple[str, Callable[[], SqlStore]], how_long: Mapping[str, tuple[int, int]]) -> None:
    database, store = fresh
    examples, steps = how_long[database]
    run_state_machine_as_test(
        lambda: AnyOrder(store()),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a class takes seconds: shorter ones are not sought
            suppress_health_check=list(HealthCheck),
        ),
    )
