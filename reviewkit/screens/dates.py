"""Dates as people say them, in the course's zone. Instants go in aware; words come out."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
NEAR = 14
"""Days ahead for which a due date also says how far away it is."""


def zone_of(name: str) -> tzinfo:
    return ZoneInfo(name)


def day(at: datetime, zone: tzinfo, now: datetime | None = None) -> str:
    """`Thu 14 May`: all that a blind act tells of its time. With the year when it is not the one of `now`."""
    local = at.astimezone(zone)
    year = f" {local.year}" if now and local.year != now.astimezone(zone).year else ""
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}{year}"


def clock(at: datetime, zone: tzinfo) -> str:
    """`14:02`."""
    return at.astimezone(zone).strftime("%H:%M")


def moment(at: datetime, zone: tzinfo, now: datetime) -> str:
    """`Today, 08:40`, `Thu 14 May, 08:40`; with the year when it is another one."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"Today, {clock(at, zone)}"
    return f"{day(at, zone, now)}, {clock(at, zone)}"


def due(at: datetime, zone: tzinfo, now: datetime) -> str:
    """`Due Thu 14 May, in 2 days`; a date that has passed is said without blame."""
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if at <= now:
        return f"Due {day(at, zone, now)}. You can still send it."
    if days == 0:
        return f"Due today at {clock(at, zone)}"
    if days == 1:
        return f"Due tomorrow at {clock(at, zone)}"
    return f"Due {day(at, zone)}, in {days} days" if days <= NEAR else f"Due {day(at, zone, now)}"


def on(at: datetime, zone: tzinfo, now: datetime) -> str:
    """A date in the middle of a sentence: `on Thu 14 May at 18:00`, `today at 18:00`."""
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()).days
    word = {0: "today", 1: "tomorrow"}.get(days, f"on {day(at, zone, now)}")
    return f"{word} at {clock(at, zone)}"
