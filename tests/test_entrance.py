"""Who may come in, asked without a server: links for one use, sessions, new links by mail, and how often.

Ann asks; Bob has nothing to do with it. Everything that is counted stands in the store, on both databases.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reviewkit import signing
from reviewkit.entrance import HANDED_AGE, LETTERS_BY, LETTERS_TO, WRONG_LINKS, Entrance, hand_out
from reviewkit.errors import Ended, Invalid, MailError, NotAllowed, ReviewkitError, TooOften
from reviewkit.model import Person
from reviewkit.store import Store
from tests.cast import ANN, BOB, MONDAY, PEOPLE, PROF, Clock, a_course, a_setup
from tests.mailbox import Mailbox

SECRET = b"s" * 40
URL = "https://course.example"
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Post:
    """A mail server that keeps what it is given, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, str]] = []
        self.failures = 0

    def __call__(self, server: Any, to: str, subject: str, text: str, *, id: str) -> None:
        if self.failures:
            self.failures -= 1
            raise MailError("The mail server does not answer.")
        self.letters.append((to, subject, text))

    def links(self) -> list[str]:
        return [word.rsplit("/", 1)[1] for _, _, text in self.letters for word in text.split() if "/enter/" in word]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., Entrance]


@pytest.fixture
def door(store: Store, clock: Clock, post: Post, tmp_path: Any) -> Iterator[Open]:
    """Opens entrances to one course, as two course services would."""
    course = a_course(store, clock)
    opened = list[Entrance]()

    def entrance(**settings: Any) -> Entrance:
        server = Mailbox(port=25, folder=tmp_path, security="starttls").settings()
        said = {"single_use": True, "server": server, "again": (0.0,), "send": post} | settings
        opened.append(Entrance(course, SECRET, **said))
        return opened[-1]

    yield entrance
    for each in opened:
        each.close()


def once(store: Store, person: Person = ANN, hours: float = 1) -> str:
    until = (MONDAY + timedelta(hours=hours)).timestamp()
    serial = store.link_serial(person.id)
    return signing.link_for_one_use(SECRET, person.id, serial, URL, until=until).rsplit("/", 1)[1]


def reusable(person: Person = ANN, serial: int = 1) -> str:
    return signing.link(SECRET, person.id, serial, URL).rsplit("/", 1)[1]


def posted(entrance: Entrance) -> None:
    """All letters that were asked for have been carried."""
    assert entrance.postman is not None
    while entrance.postman.carry() == 0:
        pass


# -- links


def test_a_link_for_one_use_can_be_looked_at_often_and_used_once(door: Open, store: Store) -> None:
    entrance, link = door(), once(store)
    for _ in range(3):
        assert entrance.look(link, HERE).person == ANN
    assert entrance.enter(link, HERE).person == ANN
    for attempt in (entrance.look, entrance.enter, door().look, door().enter):
        with pytest.raises(Ended, match="it signs in once"):
            attempt(link, THERE)
    assert entrance.enter(once(store), HERE).person == ANN, "another one works"


def test_of_twenty_at_once_one_comes_in(door: Open, store: Store) -> None:
    entrances, link = [door(), door()], once(store)

    def enter(number: int) -> bool:
        try:
            entrances[number % 2].enter(link, HERE)
        except Ended:
            return False
        return True

    with ThreadPoolExecutor(20) as crowd:
        assert sum(crowd.map(enter, range(20))) == 1


def test_an_answer_that_was_lost_is_asked_for_again(door: Open, store: Store) -> None:
    entrance, link = door(), once(store)
    assert entrance.enter(link, HERE, "r-1") == door().enter(link, HERE, "r-1")
    with pytest.raises(Ended):
        entrance.enter(link, HERE, "r-2")


def test_a_link_ends_at_its_hour(door: Open, store: Store, clock: Clock) -> None:
    entrance, link = door(), once(store, hours=1)
    clock.pass_(minutes=59)
    entrance.look(link, HERE)
    clock.pass_(minutes=1)
    for attempt in (entrance.look, entrance.enter):
        with pytest.raises(Ended, match="that is over"):
            attempt(link, HERE)


def test_a_revoked_link_and_one_of_somebody_who_is_gone_do_not_work(door: Open, store: Store) -> None:
    entrance, link = door(), once(store)
    store.revoke_links(ANN.id)
    stranger = signing.link_for_one_use(SECRET, "zoe", 1, URL, until=9e9).rsplit("/", 1)[1]
    for each in (link, stranger):
        with pytest.raises(NotAllowed, match="Ask for a new one") as refused:
            entrance.enter(each, HERE)
        assert not isinstance(refused.value, Ended)


@pytest.mark.parametrize("person", [ANN, PROF], ids=["a student", "an instructor"])
def test_who_is_withdrawn_from_the_course_stays_outside_until_that_is_undone(
    door: Open, store: Store, person: Person
) -> None:
    entrance, lasting = door(), door(single_use=False)
    store.keep_course(a_setup(), [replace(person, withdrawn=True)], [])
    for comes in (
        lambda: entrance.enter(once(store, person), HERE),
        lambda: lasting.look(reusable(person), HERE),
        lambda: entrance.guest(person.id, 1, "begun before"),
    ):
        with pytest.raises(NotAllowed, match="no longer in this course"):
            comes()
    store.keep_course(a_setup(), [person], [])
    assert lasting.enter(reusable(person), HERE).person == person
    assert entrance.guest(person.id, 1, "begun before").person == person


def test_where_links_work_once_the_others_do_not_work(door: Open, store: Store) -> None:
    with pytest.raises(Ended, match="links that work once"):
        door().enter(reusable(), HERE)
    entrance = door(single_use=False)
    for _ in range(3):
        assert entrance.enter(reusable(), HERE).person == ANN
    assert entrance.enter(once(store), HERE).person == ANN, "handed out before the setting was changed"


def test_the_instructor_hands_out_links_of_the_kind_that_the_course_has(door: Open, clock: Clock) -> None:
    entrance = door()
    link = hand_out(entrance.course, SECRET, ANN, URL, once=True).rsplit("/", 1)[1]
    clock.pass_(days=HANDED_AGE.days - 0.01)
    assert entrance.enter(link, HERE).person == ANN
    lasting = hand_out(entrance.course, SECRET, BOB, URL, once=False).rsplit("/", 1)[1]
    assert door(single_use=False).enter(lasting, HERE).person == BOB


# -- sessions


def test_signing_out_ends_that_session_and_no_other(
    door: Open, store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    entrance, elsewhere = door(single_use=False), door(single_use=False)
    here, there = entrance.enter(reusable(), HERE), entrance.enter(reusable(), THERE)
    assert here == there, "what tells them apart is in their cookies"
    entrance.sign_out(ANN.id, here.serial, "here")
    assert not caplog.records
    for again in (entrance.guest, elsewhere.guest, entrance.sign_out, entrance.sign_out_everywhere):
        with pytest.raises(NotAllowed, match="Open your personal link again"):
            again(ANN.id, here.serial, "here")
    assert [record.getMessage() for record in caplog.records] == 4 * ["A sign-in that had ended was used"]
    assert ANN.name not in caplog.text
    assert entrance.guest(ANN.id, there.serial, "there") == there
    assert entrance.guest(BOB.id, 1, "bob's").person == BOB


def test_that_a_session_has_ended_is_kept_for_as_long_as_its_cookie_could_hold(
    door: Open, store: Store, clock: Clock
) -> None:
    entrance = door()
    entrance.sign_out(ANN.id, 1, "here")
    clock.pass_(days=29)
    entrance.sign_out(ANN.id, 1, "later")
    with pytest.raises(NotAllowed):
        entrance.guest(ANN.id, 1, "here")
    clock.pass_(days=2)
    entrance.sign_out(ANN.id, 1, "last")
    assert [store.sign_in(ANN.id, each).ended for each in ("here", "later", "last")] == [False, True, True]


def test_signing_out_everywhere_ends_the_sessions_and_not_the_link(door: Open, store: Store) -> None:
    entrance = door(single_use=False)
    session, bobs = entrance.enter(reusable(), HERE), entrance.enter(reusable(BOB), HERE)
    assert entrance.guest(ANN.id, session.serial, "s") == session
    entrance.sign_out_everywhere(ANN.id, session.serial, "s")
    for again in (entrance.guest, entrance.sign_out_everywhere):
        for browser in ("s", "another"):
            with pytest.raises(NotAllowed, match="Open your personal link again"):
                again(ANN.id, session.serial, browser)
    fresh = entrance.enter(reusable(), HERE)
    assert fresh.serial != session.serial
    assert entrance.guest(ANN.id, fresh.serial, "s") == fresh
    assert entrance.guest(BOB.id, bobs.serial, "s") == bobs


def test_a_new_link_ends_the_sessions_too(door: Open, store: Store) -> None:
    entrance = door(single_use=False)
    session = entrance.enter(reusable(), HERE)
    store.revoke_links(ANN.id)
    with pytest.raises(NotAllowed):
        entrance.guest(ANN.id, session.serial, "s")
    with pytest.raises(NotAllowed):
        entrance.enter(reusable(), HERE)
    assert entrance.enter(reusable(serial=2), HERE).person == ANN


# -- wrong links


def test_wrong_links_are_counted_for_each_client_and_wherever_they_are_tried(
    door: Open, store: Store, clock: Clock
) -> None:
    entrances, forged = [door(), door()], signing.link(b"x" * 40, ANN.id, 1, URL).rsplit("/", 1)[1]
    for number in range(WRONG_LINKS):
        with pytest.raises(NotAllowed):
            entrances[number % 2].look(forged if number % 3 else "nonsense", HERE)
    for attempt in (entrances[0].look, entrances[1].enter):
        with pytest.raises(TooOften, match="Wait a while") as refused:
            attempt(forged, HERE)
        assert refused.value.seconds == 600
    with pytest.raises(NotAllowed):
        entrances[0].look(forged, THERE)
    assert entrances[0].enter(once(store), HERE).person == ANN, "whoever shares that address and has a link comes in"
    clock.pass_(minutes=10)
    with pytest.raises(NotAllowed):
        entrances[0].look(forged, HERE)


def test_an_old_link_is_no_wrong_one(door: Open, store: Store) -> None:
    entrance, link = door(), once(store)
    store.revoke_links(ANN.id)
    for _ in range(WRONG_LINKS + 2):
        with pytest.raises(NotAllowed):
            entrance.look(link, HERE)


# -- a new link by mail


def test_a_letter_holds_the_link_the_course_and_until_when_and_nobody_else(door: Open, post: Post) -> None:
    entrance = door()
    entrance.ask(f"  {ANN.email.upper()} ", HERE, URL)
    posted(entrance)
    ((to, subject, text),) = post.letters
    assert to == ANN.email
    assert subject == "Your sign-in link: Data Stories"
    assert f"\n{URL}/enter/" in text
    assert "Data Stories" in text
    assert "It works once, until Mon 4 May, 11:00 (Europe/Berlin)." in text
    for person in PEOPLE:
        if person != ANN:
            assert person.name not in subject + text
            assert person.email not in subject + text
    (link,) = post.links()
    assert entrance.enter(link, THERE).person == ANN


def test_a_letter_whose_answer_was_lost_is_asked_for_again_and_comes_once(door: Open, post: Post) -> None:
    entrance = door()
    for _ in range(2):
        entrance.ask(ANN.email, HERE, URL, "r-1")
    entrance.ask(ANN.email, HERE, URL, "r-2")
    posted(entrance)
    assert len(post.letters) == 2


def test_where_links_are_lasting_the_lasting_one_is_sent(door: Open, post: Post) -> None:
    entrance = door(single_use=False)
    entrance.ask(ANN.email, HERE, URL)
    posted(entrance)
    assert post.links() == [reusable()]
    assert "until it is replaced" in post.letters[0][2]


def test_nobody_learns_who_is_known(door: Open, post: Post, store: Store) -> None:
    entrance = door()
    store.keep_course(a_setup(), [replace(BOB, withdrawn=True)], [])
    for address in ("zoe@nowhere.example", BOB.email, ANN.email.replace("a", "а")):
        entrance.ask(address, HERE, URL)
    posted(entrance)
    assert post.letters == []


def test_who_asks_is_answered_before_anybody_looked(door: Open, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known or not, the same is counted and written: what differs happens later, in another thread."""
    entrance = door()
    monkeypatch.setattr(entrance.course, "people", lambda: pytest.fail("nobody was looked up"))
    for address in (ANN.email, "zoe@nowhere.example"):
        entrance.ask(address, HERE, URL)
    anns, zoes = store.letters(["sign-in"])
    assert anns.about.keys() == zoes.about.keys()
    for letter in (anns, zoes):
        assert letter.person is None
        assert "@" not in repr(letter)
        assert "enter" not in repr(letter), "no link waits in the store"
        assert not any(each.id in letter.about.values() for each in PEOPLE)


def test_two_people_with_one_address_both_get_their_link(door: Open, post: Post, store: Store) -> None:
    store.keep_course(a_setup(), [replace(BOB, email=ANN.email)], [])
    entrance = door()
    entrance.ask(ANN.email, HERE, URL)
    posted(entrance)
    assert [entrance.look(link, HERE).person.id for link in post.links()] == [ANN.id, BOB.id]


def test_an_address_gets_a_few_letters_an_hour_and_the_answer_does_not_tell(
    door: Open, post: Post, clock: Clock
) -> None:
    entrance = door()
    for number in range(LETTERS_TO + 3):
        entrance.ask(ANN.email.upper() if number % 2 else ANN.email, f"192.0.2.{number}", URL)
    entrance.ask("zoe@nowhere.example", HERE, URL)
    clock.pass_(hours=1)
    entrance.ask(ANN.email, HERE, URL)
    posted(entrance)
    assert len(post.letters) == LETTERS_TO + 1


def test_a_client_that_asks_for_many_has_to_wait(door: Open, clock: Clock) -> None:
    entrance = door()
    for number in range(LETTERS_BY):
        entrance.ask(f"nobody{number}@nowhere.example", HERE, URL)
    for address in (ANN.email, "zoe@nowhere.example"):
        with pytest.raises(TooOften) as refused:
            entrance.ask(address, HERE, URL)
        assert 0 < refused.value.seconds <= 3600
    entrance.ask(ANN.email, THERE, URL)
    clock.pass_(hours=1)
    entrance.ask(ANN.email, HERE, URL)


@pytest.mark.parametrize("address", ["", "  ", "ann", "@x", "ann@", "a" * 250 + "@x.example"])
def test_what_is_no_address_is_said_at_once(door: Open, address: str) -> None:
    with pytest.raises(Invalid, match="e-mail address") as refused:
        door().ask(address, HERE, URL)
    assert refused.value.field == "email"


def test_without_mail_there_are_no_letters(door: Open) -> None:
    with pytest.raises(ReviewkitError, match="ask your instructor"):
        door(server=None).ask(ANN.email, HERE, URL)


def test_a_letter_that_fails_is_tried_again_and_the_log_names_nobody(
    door: Open, post: Post, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    entrance = door(again=(5.0, 60.0))
    post.failures = 2
    entrance.ask(ANN.email, HERE, URL)
    posted(entrance)
    clock.pass_(seconds=4)
    posted(entrance)
    assert post.failures == 1, "it rests a while"
    clock.pass_(seconds=1)
    posted(entrance)
    clock.pass_(seconds=60)
    posted(entrance)
    assert len(post.letters) == 1
    post.failures = 3
    entrance.ask(ANN.email, HERE, URL)
    for _ in range(3):
        posted(entrance)
        clock.pass_(seconds=60)
    entrance.ask(BOB.email, HERE, URL)
    posted(entrance)
    assert [to for to, _, _ in post.letters] == [ANN.email, BOB.email], "given up; the next one goes out"
    assert [record.getMessage() for record in caplog.records][-1] == "A letter was given up"
    assert len(caplog.records) == 6
    for person in (ANN, BOB):
        assert person.email not in caplog.text
        assert person.name not in caplog.text


def test_the_link_in_a_letter_that_waited_is_made_when_it_is_sent(
    door: Open, post: Post, store: Store, clock: Clock
) -> None:
    entrance = door(again=(7200.0,))
    post.failures = 1
    entrance.ask(ANN.email, HERE, URL)
    posted(entrance)
    store.revoke_links(ANN.id)
    clock.pass_(hours=2)
    posted(entrance)
    (link,) = post.links()
    clock.pass_(minutes=59)
    assert entrance.enter(link, HERE).person == ANN
