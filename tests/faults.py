"""Acts of a course in a process that is killed with SIGKILL: before each of its statements, and before each commit.

The fault points stand in the child alone, as listeners on its store's writing engine; the product knows of none.
"""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import event

from reviewkit.course import Course
from reviewkit.model import Accept, Decide, Reply
from reviewkit.sheet import Report
from reviewkit.sheet.rows import Typed
from reviewkit.store.engine import connect
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, BOB, MONDAY, PROF, Clock
from tests.store_rivals import everything

NEVER_BEGUN_AGAIN = 200
"""Deaths after which an act counts as one that never ends."""

Act = Callable[[Course], None]


def of(course: Course, person: Any) -> str:
    return next(each.id for each in course.store.submissions() if each.person == person.id)


def freeze(course: Course) -> None:
    post = course.candidates(ANN, course.assignment("river"))[0]
    course.freeze(ANN, "river", [post.id], request="freeze")


def allocate(course: Course) -> None:
    course.allocate(course.plan("river"))


def reveal(course: Course) -> None:
    course.reveal("river", by=PROF)


def hand_over(course: Course) -> None:
    course.hand_over("river")


def sign_off(course: Course) -> None:
    """Accept and sign in one step."""
    course.accept(PROF, of(course, ANN), Accept(grade="82"), seen=None, request="sign off")


def sign_a_decision(course: Course) -> None:
    """Decide, then sign: two steps of the instructor's."""
    submission = of(course, BOB)
    course.decide(PROF, submission, Decide(reason="No answer.", grade="70"), seen=seen(course, submission), request="d")
    course.accept(PROF, submission, Accept(grade="70"), seen=None, request="sign")


def seen(course: Course, submission: str) -> int:
    return len(course.dialogue(submission, PROF).turns)


def reply(course: Course) -> None:
    submission = of(course, ANN)
    course.reply(
        ANN, submission, Reply(accepts=True), seen=len(course.dialogue(submission, ANN).turns), request="reply"
    )


def flush(course: Course) -> None:
    """What rested in the outbox is done: begun, accepted and signed, and taken out."""
    course.flush()


def advance(course: Course) -> None:
    course.advance()


class Typing:
    """A workbook in which somebody typed a decision about Ann's work."""

    place = "a book in memory"

    def __init__(self, typed: Typed) -> None:
        self.typed = typed

    def cycle(self, projection_of: Callable[[list[Typed]], object]) -> Report:
        projection_of([self.typed])
        return Report()

    def close(self) -> None: ...


def sync(course: Course) -> None:
    """A discussion is typed into the sheet."""
    typed = Typed(submission=of(course, ANN), decision="discuss", comment="Where is the log?")
    course.book, course.acts_as = Typing(typed), PROF.id
    course.sync()


def die_at_every_write(url: str, act: Act, at: float, report: Connection) -> None:
    """Do `act` on day `at` of the course, again and again, killed one write later each time, until it comes to its end.

    Sends how often it was killed; how many states of the database were seen from outside, one behind the other (one
    more than the act has transactions); and whether doing it once more changed nothing. Runs in a process of its own:
    each try is a fork of it.
    """
    states, step, deaths = [everything(url)], 0, 0
    while killed(url, act, at, step):
        deaths += 1
        assert deaths < NEVER_BEGUN_AGAIN, "it does not come to its end"
        now = everything(url)
        if now == states[-1]:
            step += 1  # it had not committed: all is as before, and the next try lives one write longer
        else:
            states.append(now)
            step = 0
    done = everything(url)
    if done != states[-1]:
        states.append(done)
    assert not killed(url, act, at, -1)
    report.send((deaths, len(states), everything(url) == done))


def killed(url: str, act: Act, at: float, step: int) -> bool:
    """Fork, act, be killed at this write; False when the act ended before it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        return status == signal.SIGKILL
    code = 1
    try:
        store = SqlStore(connect(url))  # its tables are there: nothing to migrate
        steps = count()

        def die(*_: object) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(store._writer, "before_cursor_execute", die)
        event.listen(store._writer, "commit", die)
        act(Course(store, clock=Clock(MONDAY + timedelta(days=at))))
        code = 0
    finally:
        os._exit(code)
