"""Killed at any write of a step, the step is begun and complete or not begun; doing it again changes nothing."""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reviewkit import chain
from reviewkit.course import Course
from reviewkit.model import Accept, Discuss, Person, Proposal
from reviewkit.store.sql import SqlStore
from tests import faults
from tests.cast import ANN, BOB, PROF, STUDENTS, Clock, a_course, answered, levels, reviewed, self_evaluated
from tests.faults import Act, die_at_every_write

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([faults.__name__])


def discussed(course: Course) -> None:
    submission = answered(course)["ann"]
    said = Discuss(text="The log?", counter=Proposal(judgements=levels(), grade="78"))
    course.discuss(PROF, submission, said, seen=None)


def accepted_on_the_page(course: Course) -> None:
    submission = answered(course)["ann"]
    course.accept_later(
        PROF,
        submission,
        Accept(grade="82", text="Well done."),
        seen=len(course.dialogue(submission, PROF).turns),
        request="page",
    )


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An act on a day of the course, what was there before, and in how many transactions it is done."""

    act: Act
    before: Callable[[Course], object]
    after: Callable[[Course], None]
    """Asserts what is there in the end, once."""
    day: float = 1
    transactions: int = 1


def nothing(course: Course) -> None:
    """Nothing is frozen yet."""


def last(*kinds: str, of: Person | None = None) -> Callable[[Course], None]:
    """Everybody's dialogue, or one person's, ends in these turns, and holds them once."""

    def look(course: Course) -> None:
        for dialogue in course.store.dialogues():
            if of is None or dialogue.submission.person == of.id:
                said = [turn.kind for turn in dialogue.turns]
                assert tuple(said[-len(kinds) :]) == kinds
                assert all(said.count(kind) == kinds.count(kind) for kind in kinds)

    return look


def two_each(course: Course) -> None:
    works = {each.id: each.person for each in course.store.submissions()}
    owed = course.store.allocations()
    assert sorted(each.reviewer for each in owed) == sorted(2 * [each.id for each in STUDENTS])
    assert sorted(works[each.submission] for each in owed) == sorted(2 * [each.id for each in STUDENTS])


def asked_in_the_sheet(course: Course) -> None:
    last("discuss", of=ANN)(course)
    assert {answer for _, answer in course.store.sheet_answers().values()} == {"Sent to the author."}


FAULTS = [
    Fault(act=faults.freeze, before=nothing, after=last("freeze", of=ANN)),
    Fault(act=faults.allocate, before=self_evaluated, after=two_each),
    Fault(act=faults.reveal, before=reviewed, after=last("reveal")),
    Fault(act=faults.hand_over, before=self_evaluated, after=last("hand-over")),
    Fault(act=faults.reply, before=discussed, after=last("reply", of=ANN)),
    Fault(act=faults.sign_off, before=answered, after=last("accept", "sign-off", of=ANN)),
    Fault(act=faults.sign_a_decision, before=answered, after=last("decide", "sign-off", of=BOB), transactions=2),
    Fault(act=faults.flush, before=accepted_on_the_page, after=last("accept", "sign-off", of=ANN), transactions=3),
    # What was typed is begun, said, and answered in its row.
    Fault(act=faults.sync, before=answered, after=asked_in_the_sheet, transactions=3),
    Fault(act=faults.advance, before=reviewed, after=last("reveal"), day=11),
    # Four posts are frozen, one after the other; then reviews are allocated.
    Fault(act=faults.advance, before=nothing, after=two_each, day=6, transactions=len(STUDENTS) + 1),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.act.__name__}-{fault.transactions}")
def test_killed_at_any_write_it_is_begun_and_complete_or_not_begun(store_url: str, fault: Fault) -> None:
    store = SqlStore.open(store_url)
    fault.before(a_course(store, Clock()))
    store.close()
    report, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=die_at_every_write, args=(store_url, fault.act, fault.day, sender))
    process.start()
    sender.close()
    answer: tuple[int, int, bool] | None = report.recv() if report.poll(200) else None
    process.kill()
    process.join()
    assert answer is not None, "the process that was to die at every write ended before"
    deaths, states, unchanged = answer
    assert states == 1 + fault.transactions, "each transaction is there or is not"
    assert deaths >= 4 * fault.transactions, "before each statement and before the commit"
    assert unchanged, "doing it again changes nothing"
    store = SqlStore.open(store_url)
    assert all(chain.first_broken(store.bare_turns(work.id)) is None for work in store.submissions())
    fault.after(Course(store, clock=Clock()))
    store.close()
