"""Letters that wait: each is sent once, at its time, whoever carries it and whatever failed before.

On both databases; `Line` stands for the mail server.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reviewkit.errors import MailError, Missing
from reviewkit.postman import HELD, Envelope, Postman
from reviewkit.store import Letter, Store
from tests.cast import ANN, BOB, MONDAY, Clock, a_course
from tests.mailbox import Mailbox
from tests.serving import wait_for

MINUTE = timedelta(minutes=1)


class Line:
    """Keeps what goes over it; `before` is called first, and may raise."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.before: Callable[[], None] = lambda: None

    def __call__(self, server: Any, to: str, subject: str, text: str, *, id: str) -> None:
        self.before()
        self.sent.append((id, to, text))

    def ids(self) -> list[str]:
        return [id for id, _, _ in self.sent]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line() -> Line:
    return Line()


Make = Callable[..., Postman]


@pytest.fixture
def postman(store: Store, clock: Clock, line: Line, tmp_path: Path) -> Make:
    a_course(store, clock)
    server = Mailbox(port=25, folder=tmp_path, security="starttls").settings()

    def write(letter: Letter) -> list[Envelope]:
        if "nothing" in letter.about:
            return []
        return [Envelope(to=f"{letter.person}@x.example", subject="Hello", text=f"It is {clock():%H:%M}.")]

    def make(*kinds: str, **settings: Any) -> Postman:
        writers = dict.fromkeys(kinds or ("reminder",), write)
        return Postman(store, server, writers, clock=clock, send=line, **settings)

    return make


def a_letter(id: str = "one", *, minutes: float = 0, **other: Any) -> Letter:
    said = {"kind": "reminder", "person": ANN.id, "about": {"step": "self_by"}} | other
    return Letter(id=id, due=MONDAY + minutes * MINUTE, **said)


def all_of(postman: Postman) -> None:
    while postman.carry() == 0:
        pass


def test_a_letter_is_sent_at_its_time_with_the_text_of_that_time(postman: Make, clock: Clock, line: Line) -> None:
    here = postman()
    here.post(a_letter("late", minutes=30))
    here.post(a_letter("early", minutes=10))
    here.post(a_letter("now", person=BOB.id))
    all_of(here)
    assert line.sent == [("now.0", "bob@x.example", f"It is {MONDAY:%H:%M}.")]
    clock.pass_(minutes=31)
    all_of(here)
    assert line.ids() == ["now.0", "early.0", "late.0"]
    assert line.sent[1][2] == f"It is {MONDAY + 31 * MINUTE:%H:%M}."


def test_the_next_look_is_when_the_next_letter_is_due(postman: Make, clock: Clock) -> None:
    here = postman()
    assert here.carry() == 20
    here.post(a_letter(minutes=0.1))
    assert here.carry() == pytest.approx(6)


def test_the_same_letter_is_sent_once_however_often_it_is_posted(postman: Make, line: Line, store: Store) -> None:
    here = postman()
    for _ in range(2):
        here.post(a_letter())
        here.post(a_letter())
        all_of(here)
    assert line.ids() == ["one.0"]
    assert store.letters(["reminder"]) == []


def test_a_letter_to_nobody_that_we_have_is_refused(postman: Make) -> None:
    with pytest.raises(Missing):
        postman().post(a_letter(person="zoe"))


def test_where_there_is_nothing_to_say_any_more_nothing_is_sent(postman: Make, line: Line, store: Store) -> None:
    here = postman()
    here.post(a_letter(about={"nothing": True}))
    all_of(here)
    assert line.sent == []
    assert store.letters(["reminder"]) == []


def test_letters_of_a_kind_that_nobody_here_can_write_are_left_to_others(postman: Make, line: Line) -> None:
    here, other = postman("sign-in"), postman("reminder")
    here.post(a_letter())
    assert here.carry() == 20
    assert line.sent == []
    all_of(other)
    assert line.ids() == ["one.0"]


def test_of_many_postmen_at_once_one_carries_each_letter(postman: Make, line: Line) -> None:
    many = [postman() for _ in range(6)]
    for number in range(10):
        many[0].post(a_letter(f"n{number}"))
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(all_of, many))
    assert sorted(line.ids()) == [f"n{number}.0" for number in range(10)]


def test_a_letter_in_the_hands_of_one_who_died_is_carried_by_another_after_a_while(
    postman: Make, clock: Clock, line: Line, store: Store
) -> None:
    here = postman()
    here.post(a_letter())
    (letter,) = store.letters(["reminder"])
    assert store.take_letter(letter, until=clock() + HELD), "and then this process is killed"
    assert not store.take_letter(letter, until=clock() + HELD)
    all_of(here)
    assert line.sent == []
    clock.pass_(seconds=HELD.total_seconds())
    all_of(postman())
    assert line.ids() == ["one.0"]


def test_one_who_dies_after_sending_sends_it_again_under_the_same_id(
    postman: Make, clock: Clock, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing more is done."""

    def die(_: str) -> None:
        raise Killed

    here = postman()
    here.post(a_letter())
    with monkeypatch.context() as killed:
        killed.setattr(store, "end_letter", die)
        with pytest.raises(Killed):
            here.carry()
    clock.pass_(seconds=HELD.total_seconds())
    all_of(postman())
    assert line.ids() == ["one.0", "one.0"]


def test_a_letter_that_fails_rests_longer_each_time_and_holds_up_no_other(
    postman: Make, clock: Clock, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    here, failing = postman(again=(5.0, 60.0)), True

    def away() -> None:
        if failing:
            raise MailError("The mail server does not answer.")

    line.before = away
    here.post(a_letter("first"))
    all_of(here)
    failing = False
    here.post(a_letter("second", minutes=0.01))
    clock.pass_(seconds=1)
    all_of(here)
    assert line.ids() == ["second.0"]
    clock.pass_(seconds=4)
    all_of(here)
    assert line.ids() == ["second.0", "first.0"]
    assert [record.getMessage() for record in caplog.records] == [
        "A letter could not be sent: The mail server does not answer."
    ]


def test_a_bug_in_a_writer_is_in_the_log_and_the_next_letter_goes_out(
    postman: Make, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    here = postman()
    write = here.writers["reminder"]

    def trip(letter: Letter) -> Any:
        return write(letter) if letter.id == "two" else {}[ANN.email]

    here.writers = {"reminder": trip}
    here.post(a_letter("one"))
    here.post(a_letter("two"))
    all_of(here)
    assert line.ids() == ["two.0"]
    assert "A letter met a bug" in caplog.text
    assert ANN.email not in caplog.text


def test_a_postman_who_has_started_hears_of_each_letter_at_once_and_carries_none_after_closing(
    postman: Make, line: Line, store: Store
) -> None:
    store.put_letter(a_letter("left over"))
    here = postman()
    here.start()
    wait_for(lambda: line.ids() == ["left over.0"], what="what was left over")
    here.post(a_letter("new"))
    wait_for(lambda: len(line.sent) == 2, what="the new one")
    here.close()
    assert here.thread is not None
    assert not here.thread.is_alive()
    here.post(a_letter("later"))
    assert len(line.sent) == 2
