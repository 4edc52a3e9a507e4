"""When an entry says that it was published, however it says so."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

_ZONES = {
    **{
        "WET": 0,
        "WEST": 1,
        "BST": 1,
        "CET": 1,
        "MEZ": 1,
        "CEST": 2,
        "MESZ": 2,
        "EET": 2,
        "EEST": 3,
        "MSK": 3,
        "SAST": 2,
    },
    **{"IST": 5.5, "PKT": 5, "SGT": 8, "HKT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "AEST": 10, "AEDT": 11},
    **{"NZST": 12, "NZDT": 13, "BRT": -3, "ART": -3, "AKST": -9, "AKDT": -8, "HST": -10},
}
"""Hours of zones that the mail format does not know, and that feeds name all the same."""
_ZONE = re.compile(rf"\s*\(?\b({'|'.join(_ZONES)})\)?\s*$", re.IGNORECASE)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
_SLASHES = re.compile(
    r"(\d{4})/(\d{1,2})/(\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_FIRST, _LAST = 1990, 2100
"""Years outside are no dates of posts but a program's zero or a slip (`0001-01-01`)."""


_ZERO = re.compile(r"(?<![\w+\-:])0\d{3}(?![\d:])")


def is_zero(said: str) -> bool:
    """Whether a date names a year like 0001: a program's zero, which readers of mail dates take for 2001."""
    return bool(_ZERO.search(said[:100]))


def instant(said: str) -> datetime | None:
    """The instant in UTC; None when nothing sensible is said. A time without a zone counts as UTC."""
    said = said.strip()[:100].replace("\u2212", "-")  # a typographer's minus before an offset
    if is_zero(said):
        return None
    try:
        found = _epoch(said) or _slashes(said) or _dots(said) or _iso(said) or _mail(said)
        return sensible(found.astimezone(UTC)) if found else None
    except (ValueError, OverflowError, OSError):
        return None


def sensible(at: datetime) -> datetime | None:
    return at if _FIRST <= at.year <= _LAST else None


def _epoch(said: str) -> datetime | None:
    if not _EPOCH.fullmatch(said):
        return None
    number = float(said)
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)


def _slashes(said: str) -> datetime | None:
    found = _SLASHES.fullmatch(said)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups()[:6])
    return datetime(year, month, day, hour, minute, second, tzinfo=_offset(found.group(7) or "Z"))


def _dots(said: str) -> datetime | None:
    """Dots are written by those only who write the day first."""
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,?\s+(\d{1,2}):(\d{2}))?", said)
    if not found:
        return None
    day, month, year, hour, minute = (int(each or 0) for each in found.groups())
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def _iso(said: str) -> datetime | None:
    if not re.match(r"\d{4}-?(?:\d{2}|W\d{2})", said):
        return None
    plain = re.sub(r"\s*(?:UTC|GMT)$", "Z", said)
    plain = re.sub(r"\s+(?=[+-]\d{2}:?\d{2}$)", "", plain)
    plain = re.sub(r"([T ]\d{2}:\d{2}:\d{2}[.,]\d{6})\d+", r"\1", plain)
    try:
        at = datetime.fromisoformat(plain)
    except ValueError:
        month = re.fullmatch(r"(\d{4})-(\d{2})", plain)
        if not month:
            return None
        at = datetime(int(month.group(1)), int(month.group(2)), 1, tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _mail(said: str) -> datetime | None:
    zone = _ZONE.search(said)
    parts = parsedate_tz(said[: zone.start()] if zone else said)
    if not parts:
        return None
    offset = timedelta(hours=_ZONES[zone.group(1).upper()]) if zone else timedelta(seconds=parts[9] or 0)
    return datetime(*parts[:6], tzinfo=UTC).replace(tzinfo=timezone(offset))


def _offset(zone: str) -> timezone:
    if zone in ("Z", "UTC", "GMT"):
        return UTC
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
