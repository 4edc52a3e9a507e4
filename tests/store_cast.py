"""A class in a store: people, a rubric, one post each; and shorthand for what they say."""

from datetime import datetime

from reviewkit.model import Discuss, Feed, Freeze, Frozen, Person, Post, Said, What
from reviewkit.rubric import parse
from reviewkit.store import Store
from tests.cast import ANN, MONDAY, PEOPLE, RUBRIC, STUDENTS, a_post, a_setup

FEED = Feed(person="ann", url=ANN.feeds[0])


def a_class(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [parse(RUBRIC, name="data-stories")])
    for person in STUDENTS:
        store.keep_pull(Feed(person=person.id, url=person.feeds[0]), [a_post(person)], seen=MONDAY)


def freeze(post: Post, *, reason: str = "") -> Freeze:
    return Freeze(revisions=(Frozen(post=post.id, digest=post.latest.digest),), rubric="", reason=reason)


def said(what: What, *, by: str = "prof", at: datetime = MONDAY) -> Said:
    return Said(by=by, at=at, via="page", what=what)


def words(text: str) -> Said:
    return said(Discuss(text=text))


def opened(store: Store, *people: Person, request: str = "") -> dict[str, str]:
    """Each has frozen their newest post; person -> submission."""
    if store.setup() is None:
        a_class(store)
    works: dict[str, str] = {}
    for person in people:
        first = freeze(store.posts(person.id)[0])
        rubric = store.rubrics()[-1].digest
        made = store.open_submission(
            person.id, "river", rubric, first.revisions, said(first, by=person.id), request=request
        )
        works[person.id] = made.submission.id
    return works
