"""Fifty processes at once: each turn once, the others told and their text kept; each pair once, whoever allocates."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.pool import Pool

import pytest

from reviewkit import chain
from reviewkit.model import Reveal
from reviewkit.store.sql import SqlStore
from tests import crowd_acts
from tests.cast import ANN, PROF, frozen, self_evaluated
from tests.crowd_acts import CLASS, CROWD, STAFF, Act, Task, a_class, one_of_the_crowd, text_of

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([crowd_acts.__name__])

pytestmark = pytest.mark.xdist_group("fifty")  # one worker makes the fifty processes

Rush = Callable[..., Counter[str]]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Each takes one task, because none goes on before all have begun."""
    with processes.Pool(CROWD, crowd_acts.together, (processes.Barrier(CROWD),)) as made:
        yield made
        made.close()
        made.join()


@pytest.fixture
def rush(pool: Pool, store_url: str) -> Rush:
    """All fifty do one thing at the same moment; gives how often each answer came."""

    def run(act: Act, *, day: float = 1, seen: int = 0) -> Counter[str]:
        tasks = [Task(url=store_url, act=act, number=number, day=day, seen=seen) for number in range(CROWD)]
        return Counter(pool.map_async(one_of_the_crowd, tasks, chunksize=1).get(200))

    return run


def whole(store: SqlStore) -> bool:
    return all(chain.first_broken(store.bare_turns(work.id)) is None for work in store.submissions())


def test_of_fifty_who_write_in_one_dialogue_one_is_taken_and_the_others_keep_their_text(
    store: SqlStore, rush: Rush
) -> None:
    course = a_class(store, [ANN])
    work = self_evaluated(course, ANN)[ANN.id]
    course.waive(PROF, work, "Nobody else is here.")
    seen = len(course.dialogue(work, STAFF[0]).turns)
    assert rush(crowd_acts.discuss, seen=seen) == {"sent": 1, "told": CROWD - 1}
    *before, said = store.dialogue(work).turns
    assert isinstance(before[-1].what, Reveal)
    drafts = {number: store.draft(each.id, f"sign-off:{work}") for number, each in enumerate(STAFF)}
    sent = [number for number, draft in drafts.items() if draft is None or draft.done]
    assert [(STAFF[number].id, text_of(number)) for number in sent] == [(said.by, said.what.text)]  # type: ignore[union-attr]
    kept = {number: draft.content for number, draft in drafts.items() if draft and not draft.done}
    assert kept == {number: {"word": text_of(number)} for number in range(CROWD) if number not in sent}
    assert whole(store)


def test_fifty_reviews_of_one_submission_at_once_are_all_there(store: SqlStore, rush: Rush) -> None:
    course = a_class(store, [ANN, *CLASS])
    work = frozen(course, ANN)[ANN.id]
    store.keep_allocations("river", [(work, each.id) for each in CLASS], seed=1)
    assert rush(crowd_acts.review) == {"sent": CROWD}
    first, *reviews = store.dialogue(work).turns
    assert first.kind == "freeze"
    said = {turn.by: turn.what.strengths for turn in reviews}  # type: ignore[union-attr]
    assert said == {each.id: text_of(number) for number, each in enumerate(CLASS)}
    assert [turn.sequence for turn in reviews] == list(range(1, CROWD + 1))
    assert whole(store)


def test_of_fifty_allocations_at_once_one_counts_and_no_pair_is_there_twice(store: SqlStore, rush: Rush) -> None:
    students = [ANN, *CLASS[:19]]
    frozen(a_class(store, students), *students)
    assert rush(crowd_acts.allocate)["allocated"] == 1
    owed = store.allocations()
    assert len({(each.submission, each.reviewer) for each in owed}) == len(owed) == 2 * len(students)
    assert set(Counter(each.reviewer for each in owed).values()) == {2}
    assert set(Counter(each.submission for each in owed).values()) == {2}


def test_fifty_clocks_at_once_do_what_one_would(store: SqlStore, rush: Rush) -> None:
    students = [ANN, *CLASS[:9]]
    a_class(store, students)
    assert rush(crowd_acts.advance, day=6) == {"advanced": CROWD}
    assert sorted(each.person for each in store.submissions()) == sorted(each.id for each in students)
    owed = store.allocations()
    assert len({(each.submission, each.reviewer) for each in owed}) == len(owed) == 2 * len(students)
    assert rush(crowd_acts.advance, day=11) == {"advanced": CROWD}
    assert {tuple(turn.kind for turn in each.turns) for each in store.dialogues()} == {("freeze", "hand-over")}
    assert whole(store)
