"""What other processes do to a store in tests: write at the same moment, or die in the middle of a write."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from sqlalchemy import create_engine, event, select

from reviewkit.errors import Conflict
from reviewkit.model import Draft, Feed, Person
from reviewkit.rubric import parse
from reviewkit.store import Store
from reviewkit.store.schema import metadata
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, BOB, MONDAY, PEOPLE, RUBRIC, STUDENTS, a_post, a_setup
from tests.store_cast import FEED, freeze, said, words

RIVALS = 8
CLASS = tuple(
    Person(id=f"student-{number}", name=f"Student {number}", feeds=(f"https://s{number}.example/feed",))
    for number in range(RIVALS)
)

_start: Barrier


def together(start: Barrier) -> None:
    """Set up a process of the pool: all wait for `start` before they write."""
    global _start
    _start = start


# -- one of many -----------------------------------------------------------------------------------------------------


def freeze_for(store: Store, person: Person, *, request: str = "") -> str:
    first = freeze(store.posts(person.id)[0])
    rubric = store.rubrics()[-1].digest
    turn = said(first, by=person.id)
    return store.open_submission(person.id, "river", rubric, first.revisions, turn, request=request).submission.id


def say_one_turn(store: Store, number: int) -> str:
    (work,) = store.submissions()
    store.say(work.id, [words(f"Said by {number}."), words("And more.")], after=1)
    return "won"


def say_the_same_request(store: Store, number: int) -> str:
    (work,) = store.submissions()
    return str(len(store.say(work.id, [words(f"Said by {number}.")], after=1, request="r-1").turns))


def say_to_all(store: Store, number: int) -> str:
    ids = [work.id for work in store.submissions()]
    # Each begins at another one, so that rivals who took rows in their own order would wait for each other.
    ids = ids[number % len(ids) :] + ids[: number % len(ids)]
    store.say_all([(id, 1, words(f"Said by {number}.")) for id in ids])
    return "won"


def freeze_anns_work(store: Store, number: int) -> str:
    freeze_for(store, ANN)
    return "won"


def freeze_ones_own_work(store: Store, number: int) -> str:
    return freeze_for(store, CLASS[number])


def allocate_all(store: Store, number: int) -> str:
    pairs = [(work.id, person.id) for work in store.submissions() for person in STUDENTS if person.id != work.person]
    return " ".join(each.id for each in store.keep_allocations("river", pairs, seed=number))


def pull_the_same_feed(store: Store, number: int) -> str:
    entries = [a_post(BOB, number=each) for each in range(20)]
    return str(len(store.keep_pull(Feed(person="bob", url=BOB.feeds[0]), entries, seen=MONDAY).new))


def type_a_draft(store: Store, number: int) -> str:
    draft = Draft(person="ann", form="f", revision=number + 1, content={"by": number}, saved=MONDAY)
    return str(store.keep_draft(draft).content["by"])


def take_the_act(store: Store, number: int) -> str:
    return str(store.done("act"))


def hold_the_lease(store: Store, number: int) -> str:
    return str(store.hold("clock", f"rival {number}", now=MONDAY, until=MONDAY + timedelta(minutes=1)))


def revoke_anns_links(store: Store, number: int) -> str:
    return str(store.revoke_links("ann"))


def use_the_link(store: Store, number: int) -> str:
    return str(store.use_link("once", f"request {number}", now=MONDAY, until=MONDAY + timedelta(hours=1)))


def try_the_door(store: Store, number: int) -> str:
    """Each also sweeps what is over, and half of them begin with an old try of their own."""
    store.try_again(f"old {number}", most=1, within=timedelta(minutes=1), now=MONDAY - timedelta(hours=1))
    waits = [store.try_again("door", most=10, within=timedelta(hours=1), now=MONDAY) for _ in range(3)]
    return str(sum(each == 0 for each in waits))


def import_and_write(store: Store, number: int) -> str:
    """Half import the roster, half write what hangs on people, works and names: nobody may wait for ever."""
    for turn in range(5):
        if number % 2:
            store.keep_course(a_setup(), PEOPLE if turn % 2 else PEOPLE[::-1], [parse(RUBRIC, name=f"r-{number}")])
        else:
            type_a_draft(store, number)
            pull_the_same_feed(store, number)
            allocate_all(store, number)
    return "won"


def rival(task: tuple[str, Callable[[Store, int], str], int]) -> str:
    """Do one act together with the others; gives its answer, or "Conflict"."""
    url, act, number = task
    store = SqlStore.open(url)
    try:
        _start.wait(60)
        return act(store, number)
    except Conflict:
        return "Conflict"
    finally:
        store.close()


def make_the_store(task: tuple[str, int]) -> str:
    """Open a store that is not there yet, together with the others."""
    url, _ = task
    _start.wait(60)
    store = SqlStore.open(url)
    try:
        return str(store.people())
    finally:
        store.close()


# -- dying in the middle ---------------------------------------------------------------------------------------------


def keep_a_course(store: Store) -> None:
    store.keep_course(replace(a_setup(), title="Another"), [*PEOPLE, *CLASS], [parse(RUBRIC, name="another")])


def keep_a_pull(store: Store) -> None:
    known = replace(a_post(ANN), digest="edited", link="https://inkwren.example/moved")
    store.keep_pull(FEED, [known, a_post(ANN, number=2), a_post(ANN, number=3)], seen=MONDAY)


def open_a_submission(store: Store) -> None:
    freeze_for(store, ANN, request="r-1")


def say_two_turns(store: Store) -> None:
    work = next(work for work in store.submissions() if work.person == "bob")
    store.say(work.id, [words("One."), words("Two.")], after=1, request="r-2")


def say_to_everybody(store: Store) -> None:
    store.say_all([(work.id, 1, words("Revealed.")) for work in store.submissions()])


def allocate(store: Store) -> None:
    allocate_all(store, 1)


WRITES: Sequence[Callable[[Store], None]] = (
    keep_a_course,
    keep_a_pull,
    open_a_submission,
    say_two_turns,
    say_to_everybody,
    allocate,
)


def die_at_every_step(url: str, write: Callable[[Store], None], report: Connection) -> None:
    """Write again and again, killed before each statement and before the commit, until one try comes to its end.

    Sends how often it was killed, and at which of these times the store was not as before. Runs in a process of its
    own, because each try is a fork of it.
    """
    before, deaths, harmed = everything(url), 0, []
    while killed(url, write, deaths):
        if everything(url) != before:
            harmed.append(deaths)
        deaths += 1
    report.send((deaths, harmed))


def killed(url: str, write: Callable[[Store], None], step: int) -> bool:
    """Fork, write, be killed at this step; False when the write ended before it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        return status == signal.SIGKILL
    code = 1
    try:
        store = SqlStore.open(url)
        steps = count()

        def die(*_: object) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(store._writer, "before_cursor_execute", die)
        event.listen(store._writer, "commit", die)
        write(store)
        code = 0
    finally:
        os._exit(code)


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    engine = create_engine(url)
    with engine.connect() as db:
        rows = {table.name: sorted(map(tuple, db.execute(select(table))), key=repr) for table in metadata.sorted_tables}
    engine.dispose()
    return rows
