"""When a feed is tried again: what sites ask for, bounded, and what is decent where they ask for nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewkit.feeds import agent
from reviewkit.feeds.schedule import (
    EVERY,
    FRESHEST,
    JITTER,
    LONGEST,
    failed,
    fresh_for,
    is_due,
    is_taken,
    left_alone,
    next_due,
    retry_after,
    succeeded,
)
from reviewkit.model import Feed

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ANN = Feed(person="ann", url="https://ann.example/feed")
MOVED = "https://new.example/feed"


def minutes(feed: Feed) -> float:
    assert feed.next_try
    return (feed.next_try - NOW).total_seconds() / 60


# -- what sites say --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Cache-Control": "max-age=600"}, 600),
        ({"Cache-Control": 'public, Max-Age="600"'}, 600),
        ({"Cache-Control": "s-maxage=9000, max-age=60"}, 60),
        ({"Cache-Control": "no-cache, max-age=600"}, 0),
        ({"Cache-Control": "max-age=600, no-store"}, 0),
        ({"Cache-Control": "max-age=-1"}, 0),
        ({"Cache-Control": "max-age=soon"}, 0),
        ({"Cache-Control": "max-age=600", "Age": "500"}, 100),
        ({"Cache-Control": "max-age=600", "Age": "700"}, 0),
        ({"Cache-Control": "max-age=600", "Expires": "Mon, 02 Mar 2026 12:00:00 GMT"}, 600),
        ({"Expires": "Mon, 02 Mar 2026 12:00:00 GMT"}, 7200),
        ({"Expires": "Mon, 02 Mar 2026 12:00:00 GMT", "Date": "Mon, 02 Mar 2026 11:00:00 GMT"}, 3600),
        ({"Expires": "Monday, 02-Mar-26 12:00:00 GMT"}, 7200),
        ({"Expires": "0"}, 0),
        ({"Expires": "-1"}, 0),
        ({"Expires": "Mon, 02 Mar 1970 12:00:00 GMT"}, 0),
        ({"Expires": "Mon, 99 Mar 99999 12:00:00 GMT"}, 0),
    ],
)
def test_how_long_an_answer_is_good(headers: dict[str, str], seconds: float) -> None:
    assert fresh_for(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
        ("9" * 8000, LONGEST.total_seconds()),
        ("Mon, 02 Mar 2026 10:30:00 GMT", 1800),
        ("Mon, 02 Mar 2026 09:30:00 GMT", 0),
        ("Mon, 02 Mar 2037 09:30:00 GMT", LONGEST.total_seconds()),
    ],
)
def test_how_long_a_site_wants_to_be_left_in_peace(said: str, seconds: float) -> None:
    assert retry_after({"Retry-After": said}, NOW) == seconds


def test_a_date_to_come_back_is_read_by_the_site_s_own_clock() -> None:
    said = {"Retry-After": "Mon, 02 Mar 2026 08:10:00 GMT", "Date": "Mon, 02 Mar 2026 08:00:00 GMT"}
    assert retry_after(said, NOW) == 600


@given(st.dictionaries(st.sampled_from(["Retry-After", "Cache-Control", "Expires", "Date", "Age"]), st.text()))
def test_nothing_a_site_says_is_more_than_a_number(headers: dict[str, str]) -> None:
    assert fresh_for(headers, NOW) >= 0
    assert 0 <= retry_after(headers, NOW) <= LONGEST.total_seconds()


# -- what is made of it ----------------------------------------------------------------------------------------------


def test_a_feed_is_pulled_again_after_half_an_hour_or_when_the_site_says_within_bounds() -> None:
    assert minutes(succeeded(ANN, NOW, chance=0)) == 30
    assert minutes(succeeded(ANN, NOW, chance=1)) == 36
    assert minutes(succeeded(ANN, NOW, fresh_for=60, chance=0)) == 30
    assert minutes(succeeded(ANN, NOW, fresh_for=3600, chance=0)) == 60
    assert minutes(succeeded(ANN, NOW, fresh_for=float("inf"), chance=0)) == FRESHEST.total_seconds() / 60


def test_pauses_double_with_each_failure_up_to_a_day() -> None:
    feed, pauses = ANN, []
    for _ in range(9):
        feed = failed(feed, NOW, "It was down.", chance=0.5)
        pauses.append(minutes(feed))
    assert pauses == [30, 60, 120, 240, 480, 960, 1440, 1440, 1440]
    assert minutes(failed(ANN, NOW, "x", chance=0)) == 24
    assert minutes(failed(ANN, NOW, "x", chance=1)) == 36
    assert succeeded(feed, NOW).failures == 0


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1e12), st.floats(0, 1), st.sampled_from(["", MOVED])), max_size=80)
)
def test_whatever_happens_the_next_try_is_within_a_day_and_a_bit(
    history: list[tuple[bool, float, float, str]],
) -> None:
    feed = ANN
    for good, seconds, chance, moved in history:
        if good:
            feed = succeeded(feed, NOW, fresh_for=seconds, moved=moved, chance=chance)
        else:
            feed = failed(feed, NOW, "x", wait=seconds, chance=chance)
        assert feed.next_try
        assert timedelta(minutes=24) <= feed.next_try - NOW <= LONGEST * (1 + JITTER)
        assert not is_due(feed, NOW)
        assert is_due(feed, feed.next_try)


def test_a_pause_that_a_site_asks_for_holds_for_the_clock_and_by_hand() -> None:
    feed = failed(ANN, NOW, "Later.", wait=7200, chance=0.5)
    assert minutes(feed) == 132
    assert left_alone(feed, NOW) == "The site asked us to come back later; it is tried again in 2 hours."
    assert left_alone(feed, NOW + timedelta(minutes=110)).endswith("in 10 min.")
    assert left_alone(feed, NOW + timedelta(minutes=110), wanted=True)
    assert left_alone(feed, NOW + timedelta(hours=2)) == ""


def test_a_pause_after_failures_does_not_bind_those_who_pull_by_hand() -> None:
    feed = failed(failed(ANN, NOW, "Down."), NOW, "Down.")
    assert not is_due(feed, NOW)
    assert left_alone(feed, NOW) == ""


def test_a_feed_that_is_gone_for_good_is_asked_again_only_when_somebody_means_it() -> None:
    feed = failed(ANN, NOW, "Gone.", gone=True)
    assert feed.stopped == NOW
    assert next_due(feed) is None
    assert not is_due(feed, NOW + timedelta(days=400))
    assert "gone for good (410)" in left_alone(feed, NOW)
    assert left_alone(feed, NOW, wanted=True) == ""
    assert succeeded(feed, NOW).stopped is None


def test_a_feed_never_tried_is_due_at_once_and_one_of_an_older_version_after_half_an_hour() -> None:
    assert is_due(ANN, NOW)
    old = replace(ANN, tried=NOW)
    assert next_due(old) == NOW + EVERY
    assert [is_due(old, NOW + EVERY - timedelta(seconds=1)), is_due(old, NOW + EVERY)] == [False, True]


def test_a_clock_that_was_set_back_does_not_silence_a_feed() -> None:
    ahead = succeeded(ANN, NOW + timedelta(days=900))
    assert is_due(ahead, NOW)
    assert left_alone(replace(ahead, not_before=NOW + timedelta(days=900)), NOW) == ""


# -- moving ----------------------------------------------------------------------------------------------------------


def test_a_new_place_is_believed_after_three_pulls_that_agree() -> None:
    feed = ANN
    for times in (1, 2, 3):
        assert not is_taken(feed)
        feed = succeeded(feed, NOW, moved=MOVED)
        assert (feed.moved_to, feed.moved_times) == (MOVED, times)
    assert is_taken(feed)
    assert is_taken(succeeded(feed, NOW)), "asked there, it says no more that it moved"


def test_pulls_that_do_not_agree_begin_anew() -> None:
    twice = succeeded(succeeded(ANN, NOW, moved=MOVED), NOW, moved=MOVED)
    other = succeeded(twice, NOW, moved="https://other.example/")
    assert (other.moved_to, other.moved_times) == ("https://other.example/", 1)
    back = succeeded(twice, NOW)
    assert (back.moved_to, back.moved_times) == ("", 0)


def test_a_failure_between_two_pulls_neither_agrees_nor_disagrees() -> None:
    feed = failed(succeeded(ANN, NOW, moved=MOVED), NOW, "Down.")
    assert (feed.moved_to, feed.moved_times) == (MOVED, 1)


def test_a_new_place_that_fails_is_given_up_for_the_old_one() -> None:
    taken = replace(ANN, moved_to=MOVED, moved_times=3)
    for gone in (False, True):
        feed = failed(taken, NOW, "Down.", gone=gone)
        assert (feed.moved_to, feed.moved_times, feed.stopped) == ("", 0, None)


# -- who asks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "contact", "said"),
    [
        ("Data Stories", "", "reviewkit (Data Stories)"),
        ("Data Stories", "https://course.example", "reviewkit (Data Stories; +https://course.example)"),
        ("Écriture\r\nX-Evil: (1)", "", "reviewkit (EcritureX-Evil: 1)"),
        ("हिन्दी", "", "reviewkit (a course)"),
    ],
)
def test_sites_are_told_which_course_asks_and_where_its_people_are(title: str, contact: str, said: str) -> None:
    assert agent(title, contact) == said
