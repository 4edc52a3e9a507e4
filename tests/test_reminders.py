"""Letters that remind, and the calendar: only to those who owe something, naming nobody, at most one a day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from reviewkit import reminders, screens
from reviewkit.config import Mail
from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.postman import Postman
from reviewkit.reminders import Owed
from reviewkit.reminding import REMINDER, Reminding
from reviewkit.store import Store
from tests.cast import ANN, BOB, CYD, DOT, MONDAY, PEOPLE, PROF, STUDENTS, Clock, a_course, levels, self_evaluated
from tests.mailbox import Mailbox, mailbox

SECRET = b"s" * 40
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def reminding(course: Course, days: int = 2) -> Reminding:
    return Reminding(course, SECRET, days=days, url="https://course.example")


def told(course: Course, clock: Clock, *, days: int = 2) -> dict[str, str]:
    """Whose letter of now says what."""
    here = reminding(course, days)
    here.look()
    return {
        letter.person or "": here.write(letter)[0].text
        for letter in course.store.letters([REMINDER])
        if here.write(letter)
    }


# -- who owes what


def test_two_days_before_a_date_and_on_its_day_those_who_owe_it_are_written_to(course: Course, clock: Clock) -> None:
    assert told(course, clock) == {}, "three days before nobody is"
    clock.pass_(days=1)
    letters = told(course, clock)
    assert set(letters) == {person.id for person in STUDENTS}
    assert "- Choose your post for “A story with numbers”: by Thu 7 May, 10:00 (Europe/Berlin)" in letters["ann"]
    for letter in course.store.letters([REMINDER]):
        course.store.end_letter(letter.id)
    clock.pass_(days=1)
    assert told(course, clock) == {}
    clock.pass_(days=1)
    assert set(told(course, clock)) == {person.id for person in STUDENTS}


def test_who_has_done_it_hears_nothing_and_who_has_more_time_hears_it_later(course: Course, clock: Clock) -> None:
    post = course.candidates(ANN, course.assignment("river"))[0]
    course.freeze(ANN, "river", [post.id])
    freeze_by = course.assignment("river").freeze_by
    assert freeze_by
    course.extend(PROF, BOB.id, "river", "freeze_by", freeze_by + timedelta(days=1), "Ill.")
    clock.pass_(days=1)
    assert set(told(course, clock)) == {CYD.id, DOT.id}


def test_several_things_make_one_letter_and_the_instructor_hears_how_many_wait(course: Course, clock: Clock) -> None:
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    clock.pass_(days=8)
    letters = told(course, clock)
    assert "Give the 2 reviews that you owe" in letters["ann"]
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine.", "Go on.")
    course.reveal("river", by=PROF)
    for letter in course.store.letters([REMINDER]):
        course.store.end_letter(letter.id)
    clock.pass_(days=4)
    assert "Answer the reviews that you got" in told(course, clock)["ann"]
    clock.pass_(days=6)
    assert "The 4 submissions that wait for you" in told(course, clock)[PROF.id]
    assert set(made) == {person.id for person in STUDENTS}


def test_letters_come_in_the_morning_of_the_courses_zone(course: Course, clock: Clock) -> None:
    clock.now = datetime(2026, 5, 5, 5, 59, tzinfo=UTC)  # 07:59 in Berlin
    assert told(course, clock) == {}
    clock.now = datetime(2026, 5, 5, 6, 0, tzinfo=UTC)
    assert len(told(course, clock)) == len(STUDENTS)


@pytest.mark.parametrize(
    ("by", "day"),
    [("2026-05-07T23:59", "2026-05-07"), ("2026-05-07T09:00", "2026-05-07"), ("2026-05-07T08:30", "2026-05-06")],
)
def test_a_date_in_the_early_morning_is_told_of_the_day_before(by: str, day: str) -> None:
    at = datetime.fromisoformat(by).replace(tzinfo=BERLIN).astimezone(UTC)
    assert reminders.reminding_day(at, BERLIN).isoformat() == day
    local = datetime.fromisoformat(f"{day}T08:00").replace(tzinfo=BERLIN)
    assert local < at
    assert reminders.is_asked([Owed(what="It", by=at)], local.astimezone(UTC), BERLIN, 2)


def test_nobody_is_written_to_who_does_not_want_it_or_when_no_letters_are_sent(course: Course, clock: Clock) -> None:
    clock.pass_(days=1)
    assert told(course, clock, days=0) == {}
    here = reminding(course)
    token = here.path(ANN, "reminders").removeprefix("/reminders/")
    assert here.wanted(token)
    assert not here.wanted(token, False)
    assert set(told(course, clock)) == {BOB.id, CYD.id, DOT.id}
    assert here.wanted(token, True)


def test_the_private_links_end_with_the_persons_links_and_open_one_thing(course: Course) -> None:
    here = reminding(course)
    token = here.path(ANN, "reminders").removeprefix("/reminders/")
    for wrong in (token + "x", "x.y", here.path(ANN, "calendar").split("/")[-1].removesuffix(".ics")):
        with pytest.raises(NotAllowed):
            here.wanted(wrong)
    with pytest.raises(NotAllowed):
        here.calendar(token)
    course.store.revoke_links(ANN.id)
    with pytest.raises(NotAllowed):
        here.wanted(token)


# -- sent


@pytest.fixture
def post_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mailbox(tmp_path) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(box.authority))
        yield box


def carry(course: Course, server: Mail) -> None:
    here = reminding(course)
    postman = Postman(course.store, server, here.writers, clock=course.clock)
    here.look()
    while postman.carry() == 0:
        pass


def test_one_letter_a_day_reaches_each_and_its_bytes_name_nobody_else(
    course: Course, clock: Clock, post_office: Mailbox
) -> None:
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    clock.pass_(days=8)
    for _ in range(3):
        carry(course, post_office.settings())  # as several processes would
    assert sorted(post_office.to) == sorted([person.email] for person in STUDENTS)
    assert all(post_office.under_tls)
    names = {duty.pseudonym for duty in course.store.allocations("river")}
    names |= {work.pseudonym for work in course.store.submissions()} | {work.id for work in course.store.submissions()}
    for letter, (address,) in zip(post_office.letters, post_office.to, strict=True):
        whole = letter.as_bytes().decode("utf-8", "replace") + letter.get_content()
        assert letter["From"] == "course@reviews.example"
        for other in PEOPLE:
            if other.email != address:
                for word in (*other.name.split(), other.email, *other.feeds, f"What {other.id} counted"):
                    assert word.casefold() not in whole.casefold().replace("prof.", ""), (word, address)
        assert not [name for name in names if name in whole]
        assert "https://course.example/reminders/" in letter.get_content()
    clock.pass_(days=1)
    carry(course, post_office.settings())
    assert len(post_office.to) == len(STUDENTS), "the day between is quiet"
    clock.pass_(days=1)
    carry(course, post_office.settings())
    assert len(post_office.to) == 2 * len(STUDENTS)


def test_what_was_done_before_the_letter_went_out_is_not_asked_for(
    course: Course, clock: Clock, post_office: Mailbox
) -> None:
    clock.pass_(days=1)
    reminding(course).look()
    post = course.candidates(ANN, course.assignment("river"))[0]
    course.freeze(ANN, "river", [post.id])
    carry(course, post_office.settings())
    assert [ANN.email] not in post_office.to
    assert len(post_office.to) == len(STUDENTS) - 1


# -- the calendar


def test_the_calendar_holds_ones_own_dates_with_extensions_and_nobodys_name(course: Course) -> None:
    before = course.assignment("river").self_by
    assert before
    course.extend(PROF, ANN.id, "river", "self_by", before + timedelta(days=2), "Dot asked for her.")
    here = reminding(course)
    token = here.path(ANN, "calendar").removeprefix("/calendar/").removesuffix(".ics")
    text = here.calendar(token)
    events = {str(each["summary"]): each for each in Calendar.from_ical(text).walk("VEVENT")}
    assert len(events) == 4
    mine = events["A story with numbers: your self-evaluation"]
    assert mine["dtend"].dt == before + timedelta(days=2)
    assert mine["dtend"].dt.utcoffset() == timedelta(0)
    assert b"X-WR-TIMEZONE:Europe/Berlin" in text
    for person in PEOPLE:
        for word in (person.name.split()[-1], person.name, person.email, *person.feeds):
            assert word.casefold() not in text.decode().casefold(), word
    course.store.revoke_links(ANN.id)
    with pytest.raises(NotAllowed):
        here.calendar(token)


def test_an_event_keeps_its_id_when_its_date_moves(course: Course) -> None:
    here = reminding(course)
    token = here.path(ANN, "calendar").removeprefix("/calendar/").removesuffix(".ics")

    def uids() -> list[str]:
        return [str(each["uid"]) for each in Calendar.from_ical(here.calendar(token)).walk("VEVENT")]

    before = uids()
    course.move_date(PROF, "river", "sign_by", MONDAY + timedelta(days=30))
    course.move_date(PROF, "river", "answer_by", MONDAY + timedelta(days=15))
    assert uids() == before
    assert len(set(before)) == 4


def test_my_work_offers_the_calendar_where_pages_are_served(course: Course) -> None:
    assert screens.view(course, ANN, "my-work", {})["dates"]["calendar"] == ""
    here = reminding(course)
    course.calendar_path = lambda person: here.path(person, "calendar")
    told = screens.view(course, ANN, "my-work", {})["dates"]
    assert [each["text"] for each in told["list"]][:1] == ["Thu 7 May, 10:00"]
    token = told["calendar"].removeprefix("/calendar/").removesuffix(".ics")
    assert here.calendar(token).startswith(b"BEGIN:VCALENDAR")
