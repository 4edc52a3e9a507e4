"""Fifty processes at once, the longer ones."""

import pytest

from reviewkit.store.sql import SqlStore
from tests import crowd_acts
from tests.cast import ANN, frozen
from tests.crowd_acts import CROWD, a_class
from tests.test_fifty_at_once import Rush, pool, rush, whole

__all__ = ["pool", "rush"]

pytestmark = pytest.mark.soak


def test_a_request_that_arrives_fifty_times_has_one_effect_and_nobody_is_refused(store: SqlStore, rush: Rush) -> None:
    course = a_class(store, [ANN])
    work = frozen(course, ANN)[ANN.id]
    assert rush(crowd_acts.send_the_same_request, seen=1) == {"sent": CROWD}
    assert [turn.kind for turn in store.dialogue(work).turns] == ["freeze", "self-evaluation"]
    assert whole(store)
