"""Several processes on one store: exactly one of many wins, and one that is killed leaves nothing half-written."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import Pool
from pathlib import Path

import pytest

from reviewkit import chain
from reviewkit.model import Feed, Person, Waiting
from reviewkit.store import Store, open_store
from reviewkit.store.sql import SqlStore
from tests import store_rivals
from tests.cast import ANN, BOB, CYD, MONDAY, PEOPLE, STUDENTS, a_post, a_setup
from tests.store_cast import a_class, opened
from tests.store_rivals import CLASS, RIVALS, WRITES, make_the_store, rival
from tests.stores import Postgresql

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([store_rivals.__name__])


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Eight processes; each takes one task, because none goes on before all have begun."""
    with processes.Pool(RIVALS, store_rivals.together, (processes.Barrier(RIVALS),)) as made:
        yield made
        made.close()
        made.join()


Race = Callable[[Callable[[Store, int], str]], Counter[str]]


@pytest.fixture
def race(pool: Pool, store_url: str) -> Race:
    """All eight do one thing to the store at the same moment; gives how often each answer came."""

    def run(act: Callable[[Store, int], str]) -> Counter[str]:
        tasks = [(store_url, act, number) for number in range(RIVALS)]
        return Counter(pool.map_async(rival, tasks, chunksize=1).get(120))

    return run


def test_exactly_one_of_eight_writers_appends(store: Store, race: Race) -> None:
    work = opened(store, ANN)["ann"]
    assert race(store_rivals.say_one_turn) == {"won": 1, "Conflict": RIVALS - 1}
    turns = store.dialogue(work).turns
    assert [turn.sequence for turn in turns] == [0, 1, 2]
    assert chain.first_broken(store.bare_turns(work)) is None


def test_one_request_sent_eight_times_has_one_effect_and_nobody_is_refused(store: Store, race: Race) -> None:
    work = opened(store, ANN)["ann"]
    assert race(store_rivals.say_the_same_request) == {"2": RIVALS}
    assert len(store.dialogue(work).turns) == 2


def test_exactly_one_of_eight_writers_appends_to_all_dialogues(store: Store, race: Race) -> None:
    opened(store, *STUDENTS)
    assert race(store_rivals.say_to_all) == {"won": 1, "Conflict": RIVALS - 1}
    assert [len(each.turns) for each in store.dialogues()] == [2] * len(STUDENTS)


def test_a_persons_work_is_frozen_once(store: Store, race: Race) -> None:
    a_class(store)
    assert race(store_rivals.freeze_anns_work) == {"won": 1, "Conflict": RIVALS - 1}
    assert len(store.submissions()) == 1


def test_eight_people_freeze_at_once_and_each_gets_a_name(store: Store, race: Race) -> None:
    a_class(store)
    store.keep_course(a_setup(), CLASS, [])
    for person in CLASS:
        store.keep_pull(Feed(person=person.id, url=person.feeds[0]), [a_post(person)], seen=MONDAY)
    assert len(race(store_rivals.freeze_ones_own_work)) == RIVALS
    assert len({work.pseudonym for work in store.submissions()}) == RIVALS


def test_concurrent_allocations_make_no_pair_twice(store: Store, race: Race) -> None:
    opened(store, *STUDENTS)
    answers = race(store_rivals.allocate_all)
    assert len(answers) == 1, "all eight were given the same allocations"
    kept = store.allocations()
    assert len({(each.submission, each.reviewer) for each in kept}) == len(kept) == 12


def test_concurrent_pulls_of_one_feed_keep_each_post_once(store: Store, race: Race) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    assert race(store_rivals.pull_the_same_feed) == {"20": 1, "0": RIVALS - 1}
    assert Counter(len(post.revisions) for post in store.posts()) == {1: 20}


def test_of_concurrent_drafts_one_is_kept_and_all_others_hear_of_it(store: Store, race: Race) -> None:
    a_class(store)
    answers = race(store_rivals.type_a_draft)
    draft = store.draft("ann", "f")
    assert draft is not None
    assert answers == {str(draft.content["by"]): RIVALS}


def test_an_act_in_the_outbox_is_done_by_one(store: Store, race: Race) -> None:
    a_class(store)
    store.put(Waiting(id="act", person="prof", due=MONDAY, verb="accept", arguments={}))
    assert race(store_rivals.take_the_act) == {"True": 1, "False": RIVALS - 1}


def test_of_eight_who_want_a_lease_one_has_it(store: Store, race: Race) -> None:
    assert race(store_rivals.hold_the_lease) == {"True": 1, "False": RIVALS - 1}


def test_every_revocation_counts(store: Store, race: Race) -> None:
    a_class(store)
    assert len(race(store_rivals.revoke_anns_links)) == RIVALS
    assert store.link_serial("ann") == 1 + RIVALS


def test_a_link_for_one_use_is_used_once(store: Store, race: Race) -> None:
    assert race(store_rivals.use_the_link) == {"True": 1, "False": RIVALS - 1}


def test_tries_at_once_are_all_counted(store: Store, race: Race) -> None:
    let_in = race(store_rivals.try_the_door)
    assert sum(int(number) * times for number, times in let_in.items()) == 10


def test_imports_pulls_drafts_and_allocations_at_once_do_not_lock_each_other_out(store: Store, race: Race) -> None:
    opened(store, *STUDENTS)
    assert race(store_rivals.import_and_write) == {"won": RIVALS}
    assert sorted(person.id for person in store.people()) == sorted(person.id for person in PEOPLE)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_eight_processes_make_the_tables_of_a_new_store_once(
    pool: Pool, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def all_at_once(url: str) -> None:
        tasks = [(url, number) for number in range(RIVALS)]
        assert pool.map_async(make_the_store, tasks, chunksize=1).get(120) == ["[]"] * RIVALS

    if database == "sqlite":
        all_at_once(f"sqlite:///{tmp_path / 'new.db'}")
    else:
        server: Postgresql = request.getfixturevalue("postgresql")
        with server.database() as url:
            all_at_once(url)


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_a_process_that_is_killed_at_any_statement_leaves_nothing_half_written(
    store_url: str, write: Callable[[Store], None]
) -> None:
    store = open_store(store_url)
    opened(store, BOB, CYD)
    before = store_rivals.everything(store_url)
    store.close()
    report, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=store_rivals.die_at_every_step, args=(store_url, write, sender))
    process.start()
    sender.close()
    process.join(120)
    process.kill()
    process.join()
    deaths, harmed = report.recv()
    assert harmed == []
    assert deaths >= 4, "before every statement, and before the commit"
    assert store_rivals.everything(store_url) != before
    store = open_store(store_url)
    assert all(chain.first_broken(store.bare_turns(work.id)) is None for work in store.submissions())
    store.close()


def test_threads_of_one_process_share_a_store(sqlite_store: SqlStore) -> None:
    a_class(sqlite_store)

    def type_and_read(person: Person) -> int:
        for number in range(20):
            sqlite_store.revoke_links(person.id)
            assert sqlite_store.link_serial(person.id) == number + 2
        return sqlite_store.link_serial(person.id)

    with ThreadPoolExecutor(len(PEOPLE)) as threads:
        assert list(threads.map(type_and_read, PEOPLE)) == [21] * len(PEOPLE)
