"""Clock changes, the turn of the year, the date line: dates are shown and applied right."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.calendar import calendar_of
from reviewkit.config import moments
from reviewkit.course import Course
from reviewkit.model import Assignment
from reviewkit.reminders import Owed, dates_of, is_asked
from reviewkit.screens import dates
from reviewkit.store import Store
from tests.cast import ANN, PROF, STUDENTS, Clock, a_course
from tests.pages import Window

# zone, the night in which clocks are set forward (with a time that it leaves out), the one in which they are set back
# (with a time that comes twice), and by how much
NIGHTS = [
    ("Europe/Berlin", "2026-03-29T02:30", "2026-10-25T02:30", 60),
    ("America/New_York", "2026-03-08T02:30", "2026-11-01T01:30", 60),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2027-04-04T01:45", 30),
]


def local(text: str, zone: str) -> datetime:
    return moments.instant(datetime.fromisoformat(text), ZoneInfo(zone))


@pytest.mark.parametrize(("zone", "forward", "back", "by"), NIGHTS)
def test_a_time_that_a_night_leaves_out_is_a_mistake_and_one_that_comes_twice_is_the_later(
    zone: str, forward: str, back: str, by: int
) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        local(forward, zone)
    at = local(back, zone)
    first = datetime.fromisoformat(back).replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    assert at - first == timedelta(minutes=by), "nobody's deadline is early"
    assert dates.clock(at, ZoneInfo(zone)) == dates.clock(first, ZoneInfo(zone)) == back[-5:]
    for each in (at, first):
        written = moments.local(each, ZoneInfo(zone))
        assert local(written, zone) == each, "what is exported comes back as the same moment"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
@pytest.mark.parametrize("end", ["9999-12-31T23:59", "9999-12-31T23:59+00:00", "9999-12-31T23:59-08:00"])
def test_the_end_of_the_calendar_is_no_date_because_no_grace_fits_behind_it(end: str, zone: str) -> None:
    with pytest.raises(ValueError, match="too far away"):
        local(end, zone)


@pytest.mark.parametrize(("zone", "forward", "back", "by"), NIGHTS)
@pytest.mark.parametrize("night", ["forward", "back"])
def test_the_day_of_a_clock_change_ends_when_its_clocks_say_so(
    zone: str, forward: str, back: str, by: int, night: str
) -> None:
    there, day = ZoneInfo(zone), {"forward": forward, "back": back}[night][:10]
    begin, end = local(f"{day}T00:00", zone), local(f"{day}T23:59", zone)
    longer = timedelta(minutes=by if night == "back" else -by)
    assert end - begin == timedelta(hours=23, minutes=59) + longer
    assert dates.on(end, there, begin) == "today at 23:59"
    assert dates.due(end, there, begin) == "Due today at 23:59"
    before = begin - timedelta(hours=1)
    assert dates.due(end, there, before) == "Due tomorrow at 23:59"
    morning = local(f"{day}T08:00", zone)
    assert is_asked([Owed(what="It", by=end)], morning, there, 2)
    assert not is_asked([Owed(what="It", by=end)], morning - timedelta(minutes=1), there, 2)
    two_before = (datetime.fromisoformat(day) - timedelta(days=2)).date().isoformat()
    assert is_asked([Owed(what="It", by=end)], local(f"{two_before}T08:00", zone), there, 2)


def dated(course: Course, zone: str, **steps: datetime) -> Course:
    """The course in another zone, with these dates alone."""
    bare: dict[str, Any] = dict.fromkeys(("freeze_by", "self_by", "review_by", "answer_by", "sign_by"))
    course.store.change_setup(
        lambda setup: replace(
            setup, timezone=zone, assignments=tuple(replace(each, **bare | steps) for each in setup.assignments)
        )
    )
    return course


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


@pytest.mark.parametrize(("zone", "forward", "back", "by"), NIGHTS)
def test_a_round_waits_for_the_later_of_two_same_times_and_its_grace(
    course: Course, clock: Clock, zone: str, forward: str, back: str, by: int
) -> None:
    freeze_by = local(back, zone)
    dated(course, zone, freeze_by=freeze_by)
    clock.now = freeze_by - timedelta(minutes=by) + timedelta(minutes=11)
    course.advance()
    assert course.store.submissions() == [], "the first of the two, and its grace, are no end"
    clock.now = freeze_by + timedelta(minutes=10)
    course.advance()
    assert course.store.submissions() == [], "what is sent within the grace counts"
    clock.now += timedelta(seconds=1)
    course.advance()
    assert len(course.store.submissions()) == len(STUDENTS)


@pytest.mark.parametrize(("zone", "forward", "back", "by"), NIGHTS)
def test_a_calendar_says_the_same_moments_on_both_sides_of_a_clock_change(
    course: Course, zone: str, forward: str, back: str, by: int
) -> None:
    steps = {
        "freeze_by": local(f"{min(forward, back)[:10]}T23:59", zone),
        "self_by": local(f"{max(forward, back)[:10]}T23:59", zone),
        "review_by": local(back, zone) if back > forward else local(f"{forward[:10]}T23:59", zone),
    }
    setup = dated(course, zone, **steps).setup
    text = calendar_of(dates_of(setup, ANN), title="C", zone=zone, key="k", now=steps["freeze_by"])
    ends = [each["dtend"].dt for each in Calendar.from_ical(text).walk("VEVENT")]
    assert sorted(ends) == sorted(steps.values())
    assert all(end.utcoffset() == timedelta(0) for end in ends)


def test_a_course_over_new_year_says_which_year_is_meant(course: Course, clock: Clock) -> None:
    zone = ZoneInfo("Europe/Berlin")
    midnight = local("2026-12-31T23:59", "Europe/Berlin")
    later = local("2027-01-02T12:00", "Europe/Berlin")
    now = local("2026-12-30T12:00", "Europe/Berlin")
    assert dates.due(midnight, zone, now) == "Due tomorrow at 23:59"
    assert dates.due(later, zone, now) == "Due Sat 2 Jan, in 3 days"
    assert dates.moment(later, zone, now) == "Sat 2 Jan 2027, 12:00"
    assert dates.moment(midnight, zone, later) == "Thu 31 Dec 2026, 23:59"
    assert dates.due(local("2027-01-20T12:00", "Europe/Berlin"), zone, now) == "Due Wed 20 Jan 2027"
    assert dates.due(midnight, zone, later) == "Due Thu 31 Dec 2026. You can still send it."
    assert dates.on(later, zone, now) == "on Sat 2 Jan 2027 at 12:00"
    assert is_asked([Owed(what="It", by=later)], local("2026-12-31T08:00", "Europe/Berlin"), zone, 2)
    dated(course, "Europe/Berlin", freeze_by=midnight, self_by=later)
    clock.now = local("2027-01-01T00:09", "Europe/Berlin")
    course.advance()
    assert course.store.submissions() == []
    clock.now = local("2027-01-01T00:10", "Europe/Berlin")
    course.advance()
    assert len(course.store.submissions()) == len(STUDENTS)


def test_a_post_of_another_year_says_which(course: Course, clock: Clock) -> None:
    assert screens.view(course, ANN, "my-work", {})["posts"][0]["date"] == "Sun 3 May"
    clock.pass_(days=300)
    assert screens.view(course, ANN, "my-work", {})["posts"][0]["date"] == "Sun 3 May 2026"


def test_a_personal_extension_is_the_same_instant_wherever_its_person_is(course: Course, clock: Clock) -> None:
    asked: Assignment = course.assignment("river")
    assert asked.freeze_by
    in_berlin = datetime(2026, 5, 8, 1, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    in_auckland = in_berlin.astimezone(ZoneInfo("Pacific/Auckland"))
    assert in_auckland.date() == in_berlin.date()
    assert course.setup.is_over(in_berlin, in_auckland + timedelta(minutes=11))
    assert not course.setup.is_over(in_berlin, in_auckland + timedelta(minutes=10))


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []


@pytest.mark.browser
def test_my_dates_stand_in_the_courses_zone_and_in_ones_own_across_the_date_line(
    window: Window, course: Course, clock: Clock
) -> None:
    dated(course, "Pacific/Pago_Pago", freeze_by=local("2026-05-07T23:59", "Pacific/Pago_Pago"))
    at_home = window.open("my-work", ANN, zone="Pacific/Pago_Pago")
    at_home["dates-open"].click()
    expect(at_home["date"]).to_have_text("A story with numbers: choose your post: Thu 7 May, 23:59")
    beyond = window.open("my-work", ANN, zone="Pacific/Kiritimati")
    beyond["dates-open"].click()
    expect(beyond["date"]).to_contain_text("Thu 7 May, 23:59 (Sat 9 May")
    expect(beyond["date"]).to_contain_text("00:59 for you)")
    assert beyond["date"].locator("time").get_attribute("datetime") == "2026-05-08T10:59:00+00:00"


@pytest.mark.browser
def test_whose_times_they_are_is_told_to_those_who_live_by_other_clocks(window: Window, course: Course) -> None:
    dated(course, "Pacific/Pago_Pago")
    for screen, person in (("my-work", ANN), ("reviews", ANN), ("sign-off", PROF)):
        expect(window.open(screen, person, zone="Pacific/Midway")["zone"]).to_have_count(0)  # the same clock
        expect(window.open(screen, person, zone="Asia/Tokyo")["zone"]).to_have_text(
            "Times are those of Pacific/Pago_Pago."
        )
