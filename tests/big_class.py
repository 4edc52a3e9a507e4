"""A class of eleven with two instructors, an assistant and an observer, and two assignments: a post and a term's work.

Every name is a word that stands nowhere else, so that finding it means that somebody is named.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from reviewkit.course import Course
from reviewkit.model import Assignment, Entry, Feed, Mode, Person, Reviews, Rubric, Setup, Tag
from reviewkit.rubric import parse
from reviewkit.store import Store
from tests.cast import MONDAY, RUBRIC, Clock

NAMES = (
    *("Quillon", "Ravensby", "Tamsworth", "Uxbrook", "Vandermere", "Wexcombe", "Yarlstone", "Zephyrin", "Ockwell"),
    *("Jessamyn", "Kirkhollow"),
)
STUDENTS = tuple(
    Person(
        id=f"s.{name.lower()}",
        name=f"Pat {name}",
        email=f"{name.lower()}@post.example",
        feeds=(f"https://{name.lower()}.example/feed",),
        excluded=("s.ravensby",) if name == "Quillon" else (),
    )
    for name in NAMES
)
PROFS = tuple(Person(id=f"p.{name.lower()}", name=f"Dr {name}", role="instructor") for name in ("Brandtner", "Lumley"))
HELPER = Person(id="t.helmsley", name="Tia Helmsley", role="assistant")
WATCHER = Person(id="o.ormond", name="Olu Ormond", role="observer")
EVERYBODY = (*STUDENTS, *PROFS, HELPER, WATCHER)

ROUNDS = ("river", "term")
"""The ids of the assignments."""


def surname(person: Person) -> str:
    return person.name.split()[-1].casefold()


def a_setup(*, mode: Mode = "double-blind", count: int = 2) -> Setup:
    def day(number: float) -> object:
        return MONDAY + timedelta(days=number)

    river = Assignment(
        id="river",
        title="A story with numbers",
        rubric="data-stories",
        **dict(zip(STEPS, map(day, (3, 5, 10, 14, 20)), strict=True)),  # type: ignore[arg-type]
    )
    term = Assignment(
        id="term",
        title="A term's work",
        kind="participation",
        rubric="data-stories",
        **dict(zip(STEPS, map(day, (6, 8, 12, 16, 22)), strict=True)),  # type: ignore[arg-type]
    )
    return Setup(
        title="Data Stories",
        tag="datastories",
        timezone="Europe/Berlin",
        starts=MONDAY - timedelta(days=30),
        reviews=Reviews(count=count, minimum=2, mode=mode),
        assignments=(river, term),
    )


STEPS = ("freeze_by", "self_by", "review_by", "answer_by", "sign_by")


def a_post(person: Person, number: int = 1, *, edit: int = 0) -> Entry:
    """A post that names its author wherever a platform does; every edit is another text."""
    host = person.feeds[0].removesuffix("/feed")
    body = f"The gauge was silent in eleven weeks, as I saw in week {number}.{number}{edit}."
    text = f"By {person.name} ({person.email}). {body}"
    return Entry(
        guid=f"{host}/?p={number}",
        link=f"{host}/{number}",
        title=f"What {person.name} counted, part {number}",
        author=person.name,
        published=MONDAY - timedelta(days=number),
        tags=(Tag(tag="datastories", found="category"),),
        html=f'<p>By {person.name} ({person.email}).</p><p>{body} <a href="{host}/map">My map</a></p>',
        text=text,
        digest=sha256(text.encode()).hexdigest(),
    )


def pulled(store: Store, person: Person, entries: Sequence[Entry], clock: Clock) -> None:
    store.keep_pull(Feed(person=person.id, url=person.feeds[0]), entries, seen=clock())


def rubric(edit: int = 0, *, more: bool = False) -> Rubric:
    """The class's rubric; `edit` words it anew, `more` adds a criterion."""
    text = RUBRIC.replace("What a good data story does.", f"What a good data story does, {edit} edits later.")
    if more:
        text += "| Shape | None. | Some. | Clear. | Surprising. |\n"
    return parse(text, name="data-stories")


def a_big_course(store: Store, clock: Clock, *, mode: Mode = "double-blind", count: int = 2) -> Course:
    """Everybody has two posts, pulled a moment ago, but for one person who has none."""
    store.keep_course(a_setup(mode=mode, count=count), EVERYBODY, [rubric()])
    for person in STUDENTS[:-1]:
        pulled(store, person, [a_post(person, 1), a_post(person, 2)], clock)
    return Course(store, clock=clock)


def without(people: Sequence[Person], gone: set[str]) -> list[Person]:
    return [replace(each, withdrawn=False) for each in people if each.id not in gone]
