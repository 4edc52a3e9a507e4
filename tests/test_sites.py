"""My sites: people add and remove where they write, imports leave it, and a text can be given to the course alone."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from reviewkit.config.changes import Kept, differences, merged
from reviewkit.course import Course
from reviewkit.errors import FeedError, Invalid, Missing, NotAllowed, TooOften
from reviewkit.feeds.discover import Found
from reviewkit.feeds.schedule import is_due
from reviewkit.importing import take_in
from reviewkit.model import Feed
from reviewkit.sites import BUG, GIVEN_LIMIT, Lookups
from reviewkit.store import Store
from tests import cast
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, BOB, EVE, PEOPLE, PROF, Clock, a_course, a_setup
from tests.serving import wait_for

NEW = "https://notes.example/feed"


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as blogs:
        yield blogs


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(store: Store, clock: Clock) -> Course:
    return a_course(store, clock)


class Files:
    """The course's files as they were at first."""

    setup = a_setup()
    rubrics = ()

    def __init__(self, *people: object) -> None:
        self.people = people or PEOPLE


def urls(course: Course) -> list[str]:
    return [each.feed.url for each in course.sites(ANN)]


# -- sites


def test_a_site_is_added_once_and_removed_once_and_its_posts_stay(course: Course) -> None:
    assert course.add_site(ANN, NEW)
    assert not course.add_site(ANN, NEW.replace("https", "http") + "/")
    assert urls(course) == [*ANN.feeds, NEW]
    posts = course.posts(ANN)
    assert course.remove_site(ANN, ANN.feeds[0])
    assert not course.remove_site(ANN, ANN.feeds[0])
    assert urls(course) == [NEW]
    assert course.posts(ANN) == posts
    assert course.add_site(ANN, ANN.feeds[0])
    assert urls(course) == [NEW, ANN.feeds[0]]


def test_an_import_of_the_roster_leaves_what_people_added_and_removed(course: Course) -> None:
    course.add_site(ANN, NEW)
    course.remove_site(ANN, ANN.feeds[0])
    store = course.store
    kept = Kept(setup=store.setup(), people=store.people(), rubrics=store.rubrics())
    assert [each.subject for each in differences(Files(), kept) if each.file == "roster.csv"] == []
    take_in(Files(), store, apply=True)  # type: ignore[arg-type]  # the same shape as CourseFiles
    assert urls(course) == [NEW]
    seeded = replace(ANN, feeds=(*ANN.feeds, "https://second.example/feed"))
    take_in(Files(seeded, *PEOPLE[1:]), store, apply=True)  # type: ignore[arg-type]
    assert urls(course) == ["https://second.example/feed", NEW]
    setup, people, _ = merged(Files(), kept)
    assert next(each for each in people if each.id == "ann").own_feeds == (NEW,)
    assert setup.title == "Data Stories"


def test_two_people_with_one_feed_is_a_question_and_no_crash(course: Course) -> None:
    with pytest.raises(Invalid, match="Somebody else in this course has this site") as asked:
        course.add_site(ANN, BOB.feeds[0] + "/")
    assert asked.value.field == "shared"
    assert BOB.name not in str(asked.value)
    assert course.add_site(ANN, BOB.feeds[0], shared=True)
    assert [each.others for each in course.sites(ANN)] == [(), ("bob",)]


@pytest.mark.parametrize(
    "url", ["ftp://x.example/", "https://ann:secret@x.example/", "http://x.example:22/", "nothing"]
)
def test_an_address_that_is_none_is_refused_when_it_is_kept(course: Course, url: str) -> None:
    with pytest.raises(FeedError):
        course.add_site(ANN, url)
    assert urls(course) == [*ANN.feeds]


def test_nobody_has_more_than_twenty_sites(course: Course) -> None:
    for number in range(19):
        course.add_site(ANN, f"https://site{number}.example/feed")
    with pytest.raises(Invalid, match="at most 20"):
        course.add_site(ANN, NEW)


def test_checking_makes_ones_own_feeds_due_and_is_limited(course: Course, clock: Clock) -> None:
    for person in (ANN, BOB):
        later = clock.now.replace(year=2027)
        course.store.keep_pull(
            Feed(person=person.id, url=person.feeds[0], tried=clock(), next_try=later.replace(year=2026, hour=9)),
            [],
            seen=clock(),
        )
    course.check_sites(ANN)
    due = {each.person for each in course.store.feeds() if each.tried and is_due(each, clock())}
    assert due == {"ann"}
    course.check_sites(ANN)
    course.check_sites(ANN)
    with pytest.raises(TooOften, match="Try again in 10 min"):
        course.check_sites(ANN)
    course.check_sites(BOB)


def test_a_site_that_asked_for_a_pause_is_not_asked_sooner(course: Course, clock: Clock) -> None:
    clock.pass_(hours=1)
    pause = replace(clock, now=clock.now)
    pause.pass_(hours=2)
    feed = Feed(person="ann", url=ANN.feeds[0], tried=clock(), next_try=pause(), not_before=pause())
    course.store.keep_pull(feed, [], seen=clock())
    course.check_sites(ANN)
    assert [each.next_try for each in course.store.feeds() if each.person == "ann"] == [pause()]


def test_who_has_no_site_is_told_to_add_one(course: Course) -> None:
    with pytest.raises(Missing, match="Add the address of your blog"):
        course.check_sites(EVE)


def test_a_page_asks_until_its_site_was_looked_at(course: Course, blogs: FakeBlogs) -> None:
    course.allow_private = True
    body = rss("Ann's notes", post("One", "x #datastories", guid="1", date="Mon, 04 May 2026 07:00:00 GMT"))
    address = blogs.show("/feed", body)
    answers: list[Found] = []

    def there() -> bool:
        found = course.look_for_site(ANN, address)
        answers.extend([found] if found else [])
        return bool(answers)

    wait_for(there)
    assert (answers[0].title, answers[0].since, answers[0].tagged) == ("Ann's notes", 1, 1)
    with pytest.raises(FeedError):
        course.look_for_site(ANN, "   ")


# -- the private route


def give(course: Course, text: str = "The gauge was silent.\n\nTwice.", **more: str) -> str:
    return course.give(ANN, "river", "Quiet weeks", text, **more)  # type: ignore[arg-type]


def test_a_private_text_is_a_post_without_a_feed_and_a_candidate_for_its_round(course: Course) -> None:
    id = give(course)
    there = course.private_post(ANN, id)
    assert (there.feed, there.link, there.given_for, there.title) == ("", "", "river", "Quiet weeks")
    assert there.latest.html == "<p>The gauge was silent.</p><p>Twice.</p>"
    assert id in [each.id for each in course.candidates(ANN, course.assignment("river"))]
    other = replace(course.assignment("river"), id="lake")
    assert id not in [each.id for each in course.candidates(ANN, other)]


@pytest.mark.parametrize(
    ("form", "text", "html"),
    [
        ("text", "a <b> & c", "<p>a &lt;b&gt; &amp; c</p>"),
        ("markdown", "*One* [x](javascript:alert(1))", "<p><em>One</em> "),
        ("html", "<p onclick=x>One<script>alert(1)</script><img src=//t.example/p.gif></p>", "<p>One"),
    ],
)
def test_text_markdown_and_html_are_cleaned_as_every_post_is(course: Course, form: str, text: str, html: str) -> None:
    kept = course.private_post(ANN, give(course, text, form=form)).latest.html
    assert kept.startswith(html)
    assert not any(word in kept for word in ("<script", "onclick", "t.example", 'href="javascript'))


def test_each_save_is_a_revision_until_it_is_frozen(course: Course) -> None:
    id = give(course, request="r")
    assert give(course, request="r") == id
    assert give(course, "Another word.", post=id) == id
    assert [each.text for each in course.private_post(ANN, id).revisions][-1] == "Another word."
    assert len(course.private_post(ANN, id).revisions) == 2
    course.freeze(ANN, "river", [id])
    with pytest.raises(NotAllowed, match="is frozen"):
        give(course, "Too late.", post=id)
    with pytest.raises(NotAllowed, match="is frozen"):
        give(course, "One more.")


def test_private_texts_and_their_versions_are_bounded(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewkit.sites.MOST_GIVEN", 2)
    monkeypatch.setattr("reviewkit.sites.MOST_VERSIONS", 3)
    first = course.give(ANN, "river", "One", "Words.", request="r1")
    course.give(ANN, "river", "Two", "Words.", request="r2")
    with pytest.raises(Invalid, match="You have given 2 texts here"):
        course.give(ANN, "river", "Three", "Words.", request="r3")
    assert course.give(ANN, "river", "One", "Words.", request="r1") == first, "asked again it is the same one"
    for number in (1, 2):
        course.give(ANN, "river", "One", f"Words, {number}.", post=first)
    with pytest.raises(Invalid, match="changed 3 times"):
        course.give(ANN, "river", "One", "Words once more.", post=first)
    assert len(course.private_post(ANN, first).revisions) == 3


def test_texts_are_given_so_often_and_no_more(course: Course, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewkit.sites.GIVES", 2)
    first = course.give(ANN, "river", "One", "Words.")
    course.give(ANN, "river", "One", "Other words.", post=first)
    with pytest.raises(TooOften, match="what you typed stays here"):
        course.give(ANN, "river", "One", "More words.", post=first)
    clock.pass_(minutes=11)
    assert course.give(ANN, "river", "One", "More words.", post=first) == first


def test_a_look_at_a_site_that_nobody_waits_for_is_not_begun() -> None:
    lookups, begun, go = Lookups(), list[str](), threading.Event()

    def work(address: str) -> Callable[[], Found]:
        def look() -> Found:
            begun.append(address)
            assert go.wait(20)
            raise FeedError("No feed.", url=address)

        return look

    for person in ("p1", "p2"):
        assert lookups.ask(person, "first", lambda: work("first")) is None
    wait_for(lambda: len(begun) == 2, what="both places to be taken")
    assert lookups.ask("p3", "given up", lambda: work("given up")) is None
    assert lookups.ask("p3", "wanted", lambda: work("wanted")) is None
    go.set()

    def answered() -> bool:
        try:
            return lookups.ask("p3", "wanted", lambda: work("again")) is not None
        except FeedError:
            return True

    wait_for(answered, what="the answer")
    assert "given up" not in begun


def test_a_bug_while_a_site_is_looked_at_is_told_in_words(caplog: pytest.LogCaptureFixture) -> None:
    lookups = Lookups()

    def broken() -> Found:
        raise RuntimeError("a bug")

    def told() -> str:
        try:
            return "" if lookups.ask("p1", "address", lambda: broken) is None else "found"
        except FeedError as error:
            return str(error)

    wait_for(lambda: told() == BUG, what="the words")
    assert "Looking for a site failed" in caplog.text


def test_a_private_text_is_masked_for_its_reviewers(course: Course) -> None:
    id = give(course, f"I am {ANN.name}, and the gauge was silent.")
    course.freeze(ANN, "river", [id])
    for person in cast.STUDENTS[1:]:
        course.freeze(person, "river", [course.posts(person)[0].id])
    for person in cast.STUDENTS:
        mine = course.submission_of(person, course.assignment("river"))
        assert mine
        course.self_evaluate(person, mine.id, cast.a_self_evaluation(), seen=1)
    course.allocate(course.plan("river", seed=1))
    copies = [copy for each in cast.STUDENTS[1:] for duty in course.duties(each) for copy in duty.posts]
    theirs = [copy.text for copy in copies if "gauge was silent" in copy.text and "and the gauge" in copy.text]
    assert theirs
    assert not any("Lindqvist" in text for text in theirs)


def test_what_cannot_be_given_is_refused_in_words_and_nothing_is_cut(course: Course, clock: Clock) -> None:
    with pytest.raises(Invalid, match="at most 100,000"):
        give(course, "x" * (GIVEN_LIMIT + 1))
    with pytest.raises(Invalid, match="Write or paste"):
        give(course, " \n ")
    with pytest.raises(Invalid, match="nested"):
        give(course, "<div>" * 2000 + "x", form="html")
    with pytest.raises(Missing):
        give(course, post=course.posts(ANN)[0].id)
    with pytest.raises(NotAllowed):
        course.give(PROF, "river", "", "Words.")
    clock.pass_(days=4)
    with pytest.raises(NotAllowed, match="The time to choose a post"):
        give(course)
    assert not any(each.given_for for each in course.posts(ANN))


def test_a_pull_never_takes_a_private_text_for_a_post_of_a_site(course: Course, clock: Clock) -> None:
    words = "The gauge was silent in eleven weeks. " * 10
    id = give(course, words)
    entry = course.private_post(ANN, id).latest
    shown = replace(
        cast.a_post(ANN, number=2), html=entry.html, text=entry.text, title=entry.title, digest=entry.digest
    )
    kept = course.store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [shown], seen=clock())
    assert kept.new == ("Quiet weeks",)
    assert course.private_post(ANN, id).feed == ""
