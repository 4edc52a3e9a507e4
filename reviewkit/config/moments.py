"""Dates of the course's files: a local date-time in the course's zone, or one with an offset, becomes an instant."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EXAMPLE = "2026-05-01T23:59:00"
LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""Dates from here on are refused: a little later the calendar ends, and no grace or zone can be added to them."""
FAR = "this date is too far away"


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError in words."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"“{name}” is no time zone; write one such as Europe/Berlin or America/New_York") from error


def instant(value: object, zone: ZoneInfo) -> datetime:
    """An instant in UTC. Raises ValueError in words.

    Where a clock is set back, an hour happens twice: the later one is meant, so that nobody's deadline is early. Where
    it is set forward, an hour does not exist: that is a mistake of the file, and is not guessed away.
    """
    if not isinstance(value, datetime):
        if isinstance(value, date):
            raise ValueError(f"the hour is missing; write {value.isoformat()}T23:59:00")
        raise ValueError(f"write a date and a time without quotes, such as {EXAMPLE}")
    try:
        aware = value.tzinfo is not None
        moment = (value if aware else value.replace(tzinfo=zone, fold=1)).astimezone(UTC)
        there = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError as error:
        raise ValueError(FAR) from error
    if moment >= LAST:
        raise ValueError(FAR)
    if not aware and there != value:
        raise ValueError(
            f"{value.isoformat(sep=' ', timespec='minutes')} does not exist in {zone.key}: the clock is set forward "
            "over it; choose an hour before or after"
        )
    return moment


def local(moment: datetime, zone: ZoneInfo) -> str:
    """An instant as these files write it: local, or with its offset where the local hour happens twice."""
    there = moment.astimezone(zone)
    twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    if twice and there.fold == 0:
        return there.isoformat()
    return there.replace(tzinfo=None, fold=0).isoformat()
