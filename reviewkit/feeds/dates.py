"""When an entry says that it was published, however it says so: what was meant, or nothing."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

_ZONES = {
    **dict.fromkeys(("", "Z", "UT", "UTC", "GMT", "WET"), 0),
    **{"AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
    **{"WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "SAST": 2},
    **{"IST": 5.5, "PKT": 5, "SGT": 8, "HKT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "AEST": 10, "AEDT": 11},
    **{"NZST": 12, "NZDT": 13, "BRT": -3, "ART": -3, "AKST": -9, "AKDT": -8, "HST": -10},
}
"""Hours of zones that feeds name; those of North America as the format of mail has them (RFC 5322, section 4.3)."""
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene gen", "feb fev", "mar mrz mrt maa", "apr abr avr", "may mai maj mei mag", "jun juin giu"),
            *("jul juil lug", "aug aou ago", "sep set", "oct okt out ott", "nov", "dec dez dic des"),
        ),
        start=1,
    )
    for name in names.split()
}
"""How the names of months begin, in the languages in which programs write them; accents are taken off."""

_TIME = (
    r"(?:[T,]?\s*(?:(?:at|um|à)\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d+))?)?"
    r"\s*(?P<half>[ap]\.?m\b\.?)?)?\s*(?P<zone>.*)"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})\s*[-/.年년]\s*(?P<month>\d{{1,2}})\s*[-/.月월]\s*(?P<day>\d{{1,2}})(?!\d)[日일]?{_TIME}",
    re.IGNORECASE,
)
_YEAR_LAST = re.compile(rf"(?P<one>\d{{1,2}})([./-])(?P<two>\d{{1,2}})\2(?P<year>\d{{4}})(?!\d){_TIME}", re.IGNORECASE)
_IN_WORDS = tuple(
    re.compile(rf"(?:[^\W\d_]+(?:[.,]+\s*|\s+))?{date},?\s+(?:de\s+)?(?P<year>\d{{4}})(?!\d){_TIME}", re.IGNORECASE)
    for date in (
        r"(?P<day>\d{1,2})(?:\.|st|nd|rd|th)?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,})\.?",
        r"(?P<month>[^\W\d_]{3,})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?",
    )
)
_OFFSET = re.compile(r"(?:GMT|UTC?)?\s*([+-])(\d{1,2}):?(\d{2})?(?:\s+\D.*)?", re.IGNORECASE)
_NAMED_ZONE = re.compile(r"\(?([a-z]*)\)?(?:[\s/_(\[][^\d+-]*)?", re.IGNORECASE)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
_FIRST, _LAST = 1990, 2100
"""Years outside are no dates of posts but a program's zero or a slip (`0001-01-01`)."""
_ZERO = re.compile(r"(?<![\w+\-:])0\d{3}(?![\d:])|(?<!\S)-000[1-9](?=[ -]\d)")


def is_zero(said: str) -> bool:
    """Whether a date names a year like 0001 or -0001: a program's zero, which readers of mail dates take for 2001."""
    return bool(_ZERO.search(said[:100]))


def instant(said: str) -> datetime | None:
    """The instant in UTC; None when nothing sensible is said. A time without a zone counts as UTC."""
    said = said.strip()[:100].replace("\u2212", "-")  # a typographer's minus before an offset
    if is_zero(said):
        return None
    try:
        found = _epoch(said) or _numbers(said) or _iso(said) or _words(said) or _mail(said)
        return sensible(found.astimezone(UTC)) if found else None
    except (ValueError, OverflowError, OSError):
        return None


def guessed(said: str, parts: Sequence[int]) -> datetime | None:
    """The instant that a reader of feeds made of a date (year, month, day, ... in UTC), where the date bears it out.

    feedparser fills what it does not understand with the first of a month, or with a month of its own.
    """
    try:
        year, month, day, hour, minute, second = parts[:6]
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    numbers = {int(each) for each in re.findall(r"\d{1,4}", said[:100])}
    zone = {(at + timedelta(days=days)).day for days in (-1, 0, 1)}  # in the writer's zone it may be another day
    return sensible(at) if at.year in numbers and zone & (numbers - {at.year}) else None


def sensible(at: datetime) -> datetime | None:
    return at if _FIRST <= at.year <= _LAST else None


def _epoch(said: str) -> datetime | None:
    if not _EPOCH.fullmatch(said):
        return None
    number = float(said)
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)


def _numbers(said: str) -> datetime | None:
    if found := _YEAR_FIRST.fullmatch(said):
        return _at(found, int(found["month"]), int(found["day"]))
    if found := _YEAR_LAST.fullmatch(said):
        day, month = int(found["one"]), int(found["two"])
        # Dots are written by those only who write the day first; with slashes it has to be a number of no month.
        if found[2] == "." or day > 12:
            return _at(found, month, day)
        return _at(found, day, month) if month > 12 else None
    return None


def _iso(said: str) -> datetime | None:
    """What is written without dashes, by weeks, or without a day."""
    if not re.match(r"\d{4}-?(?:\d{2}|W\d{2})", said):
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        month = re.fullmatch(r"(\d{4})-(\d{2})", said)
        if not month:
            return None
        at = datetime(int(month.group(1)), int(month.group(2)), 1, tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _words(said: str) -> datetime | None:
    for pattern in _IN_WORDS:
        if found := pattern.fullmatch(said):
            plain = unicodedata.normalize("NFKD", found["month"].lower())
            name = "".join(each for each in plain if not unicodedata.combining(each))
            month = _MONTHS.get(name[:4]) or _MONTHS.get(name[:3])
            return _at(found, month, int(found["day"])) if month else None
    return None


def _mail(said: str) -> datetime | None:
    """Older ways of writing a date in mail: a year of two digits, a year at the end."""
    parts = parsedate_tz(said)
    if not parts:
        return None
    offset = timedelta(seconds=parts[9] or 0)
    return datetime(*parts[:6], tzinfo=UTC).replace(tzinfo=timezone(offset))


def _at(found: re.Match[str], month: int, day: int) -> datetime | None:
    """The instant of a date whose time and zone were matched; None where the zone is none. Raises ValueError."""
    zone = _zone(found["zone"].strip())
    if zone is None:
        return None
    hour, minute, second = (int(found[each] or 0) for each in ("hour", "minute", "second"))
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0) if hour <= 12 else hour
    part = int((found["part"] or "0")[:6].ljust(6, "0"))
    midnight = (hour, minute, second) == (24, 0, 0)  # the end of a day
    leap = second == 60
    at = datetime(
        int(found["year"]), month, day, 0 if midnight else hour, minute, 59 if leap else second, part, tzinfo=zone
    )
    return at + timedelta(days=midnight, seconds=leap)


def _zone(said: str) -> timezone | None:
    """The zone, UTC where its name is none that we know; None where that is no zone."""
    if found := _OFFSET.fullmatch(said):
        away = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(-away if found[1] == "-" else away)
    if found := _NAMED_ZONE.fullmatch(said):
        return timezone(timedelta(hours=_ZONES.get(found[1].upper(), 0)))
    return None
