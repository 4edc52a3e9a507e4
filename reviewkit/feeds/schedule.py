"""When a feed is tried again: what sites ask for, and what is decent. Pure; the clock and the dice are the caller's.

Sources: RFC 9110 (10.2.3 Retry-After; 15.4 on what is permanent), RFC 9111 (4.2.1 how long an answer is fresh).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from reviewkit.model import Feed

EVERY = timedelta(minutes=30)
"""How often a feed is pulled whose site says nothing about it."""
FRESHEST = timedelta(hours=3)
"""The longest that a site's "this is good for a year" is believed: a post must arrive on the day it is written."""
LONGEST = timedelta(hours=24)
"""The longest pause, after however many failures and whatever a site asks for."""
AGREEING = 3
"""Pulls in a row that have to be sent on to one place for good until the feed is looked for there."""
JITTER = 0.2
"""Pauses differ by up to so much of them, so that a class does not come to one host all at once."""


def is_due(feed: Feed, now: datetime, *, every: timedelta = EVERY) -> bool:
    """Whether the clock pulls it now. A time beyond every pause is of a clock that was set back, and counts as past."""
    if feed.stopped is not None:
        return False
    if feed.next_try is None:
        return feed.tried is None or feed.tried + every <= now
    return feed.next_try <= now or feed.next_try > now + LONGEST * (1 + JITTER)


def next_due(feed: Feed, *, every: timedelta = EVERY) -> datetime | None:
    """When the clock pulls it; None: never again, or at once where it was never tried (see `stopped`)."""
    if feed.stopped is not None:
        return None
    return feed.next_try or (feed.tried + every if feed.tried else None)


def left_alone(feed: Feed, now: datetime, *, wanted: bool = False) -> str:
    """Why even somebody who pulls by hand leaves the feed alone, in words; empty: it is pulled.

    `wanted`: they ask for this feed, not for all; then also one that is gone is asked again.
    """
    if feed.stopped is not None and not wanted:
        return "The site said that this feed is gone for good (410). If it has moved, give its new address."
    if feed.not_before is not None and now < feed.not_before <= now + LONGEST:
        minutes = max(1, round((feed.not_before - now).total_seconds() / 60))
        pause = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} hours"
        return f"The site asked us to come back later; it is tried again in {pause}."
    return ""


def succeeded(feed: Feed, now: datetime, *, fresh_for: float = 0.0, moved: str = "", chance: float = 0.5) -> Feed:
    """The feed after a pull that went well, with when it is due again.

    `fresh_for` is how many seconds the site calls its answer good for, `moved` where it sent us for good (already
    judged), `chance` is drawn evenly from 0 to 1.
    """
    pause = min(max(timedelta(seconds=min(fresh_for, FRESHEST.total_seconds())), EVERY), FRESHEST)
    times = feed.moved_times + 1 if moved and moved == feed.moved_to else 1
    if is_taken(feed) and moved in ("", feed.moved_to):
        moved, times = feed.moved_to, feed.moved_times  # asked at its new place, it need not say so again
    return replace(
        feed,
        tried=now,
        succeeded=now,
        error="",
        failures=0,
        next_try=now + pause * (1 + JITTER * chance),
        not_before=None,
        stopped=None,
        moved_to=moved,
        moved_times=min(times, AGREEING) if moved else 0,
    )


def failed(
    feed: Feed, now: datetime, words: str, *, wait: float = 0.0, gone: bool = False, chance: float = 0.5
) -> Feed:
    """The feed after a pull that failed. `wait` is what the site asked for in seconds, `gone` that it said 410.

    Pauses double from `EVERY` to `LONGEST`. A new place that fails is given up: the next try is at the old one.
    """
    failures = feed.failures + 1
    pause = min(EVERY * 2 ** min(failures - 1, 10) * (1 + JITTER * (2 * chance - 1)), LONGEST)
    asked = timedelta(seconds=min(wait, LONGEST.total_seconds()))
    elsewhere = is_taken(feed)
    return replace(
        feed,
        tried=now,
        error=words,
        failures=failures,
        next_try=now + max(pause, asked * (1 + JITTER * chance)),
        not_before=now + asked if wait > 0 else None,
        stopped=now if gone and not elsewhere else None,
        moved_to="" if elsewhere else feed.moved_to,
        moved_times=0 if elsewhere else feed.moved_times,
    )


def is_taken(feed: Feed) -> bool:
    """Whether enough pulls were sent on to one place for good."""
    return bool(feed.moved_to) and feed.moved_times >= AGREEING


def fresh_for(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds for which an answer is good, 0 where it does not say: max-age, else Expires, less its Age."""
    control = headers.get("Cache-Control", "").lower()
    if re.search(r"(^|[\s,])(no-cache|no-store)($|[\s,=])", control):
        return 0.0
    age = _whole(headers.get("Age", "")) or 0.0
    if found := re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d+)", control):
        return max(0.0, float(found[1]) - age)
    until = _date(headers.get("Expires", ""))
    return max(0.0, (until - (_date(headers.get("Date", "")) or now)).total_seconds() - age) if until else 0.0


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds for which the site wants to be left in peace, 0 where it does not say; seconds or a date."""
    text = headers.get("Retry-After", "").strip()
    seconds = _whole(text)
    if seconds is not None:
        return min(seconds, LONGEST.total_seconds())
    until = _date(text)
    if until is None:
        return 0.0
    return min(max(0.0, (until - (_date(headers.get("Date", "")) or now)).total_seconds()), LONGEST.total_seconds())


def _whole(text: str) -> float | None:
    text = text.strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _date(text: str) -> datetime | None:
    """A date of HTTP; None where it is none. Without a zone it is UTC."""
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
