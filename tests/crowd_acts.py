"""What each of fifty processes does to one course at the same moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.synchronize import Barrier

from reviewkit.course import Course
from reviewkit.errors import Conflict
from reviewkit.model import Discuss, Feed, Person
from reviewkit.rubric import parse
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, MONDAY, PROF, RUBRIC, Clock, a_post, a_self_evaluation, a_setup, levels

CROWD = 50
STAFF = tuple(Person(id=f"prof-{number}", name=f"Prof. No {number}", role="instructor") for number in range(CROWD))
CLASS = tuple(
    Person(id=f"student-{number}", name=f"Student {number}", feeds=(f"https://s{number}.example/feed",))
    for number in range(CROWD)
)
_start: Barrier

Act = Callable[[Course, int, int], str]
"""(the course, the number of the process, how many turns it had seen) -> a word on how it ended"""


@dataclass(frozen=True, kw_only=True)
class Task:
    url: str
    act: Act
    number: int
    day: float
    """Of the course."""
    seen: int


def together(start: Barrier) -> None:
    """Set up a process of the pool: all wait for `start` before they act."""
    global _start
    _start = start


def one_of_the_crowd(task: Task) -> str:
    """Act together with the others; gives the answer, or "told" where somebody else was first."""
    store = SqlStore.open(task.url)
    course = Course(store, clock=Clock(MONDAY + timedelta(days=task.day)))
    try:
        _start.wait(100)
        return task.act(course, task.number, task.seen)
    except Conflict:
        return "told"
    finally:
        store.close()


def work_of(course: Course, person: Person) -> str:
    return next(each.id for each in course.store.submissions() if each.person == person.id)


def text_of(number: int) -> str:
    return f"These are the words of number {number}. " + "And so on. " * 20


# -- fifty writers of one dialogue -----------------------------------------------------------------------------------


def discuss(course: Course, number: int, seen: int) -> str:
    """Fifty instructors looked at the same moment; each has a draft, and clears it once it is sent."""
    submission, who = work_of(course, ANN), STAFF[number]
    course.keep_draft(who, f"sign-off:{submission}", 1, {"word": text_of(number)})
    course.discuss(who, submission, Discuss(text=text_of(number)), seen=seen, request=f"discuss {number}")
    course.drop_draft(who, f"sign-off:{submission}")
    return "sent"


def send_the_same_request(course: Course, number: int, seen: int) -> str:
    """One click that a browser sent fifty times."""
    course.self_evaluate(ANN, work_of(course, ANN), a_self_evaluation(), seen=seen, request="once")
    return "sent"


def review(course: Course, number: int, _: int) -> str:
    """Fifty peers review one submission: nobody is in anybody's way."""
    (duty,) = course.store.allocations(reviewer=CLASS[number].id)
    course.review(CLASS[number], duty.id, levels(), text_of(number), "More.", request=f"review {number}")
    return "sent"


# -- fifty rounds at once --------------------------------------------------------------------------------------------


def allocate(course: Course, number: int, _: int) -> str:
    """Each makes a plan of its own, by a seed of its own."""
    plan = course.plan("river", seed=number)
    course.allocate(plan)
    return "allocated" if plan.pairs else "nothing left"


def advance(course: Course, _number: int, _seen: int) -> str:
    course.advance()
    return "advanced"


# -- what was there before -------------------------------------------------------------------------------------------


def a_class(store: Store, students: Sequence[Person]) -> Course:
    """Students with a post each, and fifty instructors."""
    store.keep_course(a_setup(), (*students, PROF, *STAFF), [parse(RUBRIC, name="data-stories")])
    for person in students:
        store.keep_pull(Feed(person=person.id, url=person.feeds[0]), [a_post(person)], seen=MONDAY)
    return Course(store, clock=Clock())
