"""Somebody's own dates as a calendar (RFC 5545): the one module that knows icalendar.

Every moment is in UTC, which is right on both sides of a clock change in whatever zone it is looked at; the course's
zone stands beside it for programs that ask.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from reviewkit.reminders import Dated

MINUTES = 15
"""How long a date is in the calendar: it ends when it is due."""
REFRESH = timedelta(hours=6)
"""How often programs are asked to look again: dates are moved."""


def calendar_of(dates: Iterable[Dated], *, title: str, zone: str, key: str, now: datetime) -> bytes:
    """An .ics file. `key` is a word that tells this calendar's events from others' and says nothing of whose they are;
    an event keeps its id when its date is moved."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//reviewkit//dates//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)
    calendar.add("x-wr-timezone", zone)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    for each in dates:
        at, event = each.at.astimezone(UTC), Event()
        event.add("uid", f"{each.id}.{key}@reviewkit")
        event.add("dtstamp", now.astimezone(UTC))
        event.add("dtstart", at - timedelta(minutes=MINUTES))
        event.add("dtend", at)
        event.add("summary", each.what)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text
