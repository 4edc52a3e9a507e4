"""Sign-off's table of sites: how everybody's feeds are. For instructors alone, and only where names are shown."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.feeds.schedule import next_due
from reviewkit.model import Feed, Person
from reviewkit.screens import dates, talk, unnamed
from reviewkit.screens.sites import health

RANKS = ("bad", "out", "ok")
"""What needs somebody comes first."""


def sites(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """The table as it is now; it is asked for, because counting everybody's posts is no work for every view."""
    params = event.get("params")
    if isinstance(params, Mapping) and params.get("names") == unnamed.HIDDEN:
        raise NotAllowed("This table names students and their sites. Show names first.")
    now, zone = course.clock(), dates.zone_of(course.setup.timezone)
    names = {each.id: each.name for each in course.people()}
    found = course.all_sites(viewer)
    rows = [
        {
            "name": each.person.name,
            "site": each.feed.title or each.feed.url,
            "url": each.feed.url,
            "also": [names[one] for one in each.others if one in names],
            "shown": each.shown,
            "tagged": each.tagged,
            "read": dates.moment(each.feed.succeeded, zone, now) if each.feed.succeeded else "",
            **_state(each.feed, zone, now),
        }
        for each in found
    ]
    rows.sort(key=lambda row: (RANKS.index(str(row["kind"])), str(row["name"]).casefold()))
    have = {each.person.id for each in found}
    without = [
        each.name for each in course.people() if each.role == "student" and not each.withdrawn and each.id not in have
    ]
    bad = sum(row["kind"] == "bad" for row in rows)
    return {
        "sites": {
            "at": dates.clock(now, zone),
            "words": f"{talk.sentence(talk.count(len(rows), 'site'))}; {talk.number(bad) if bad else 'none'} cannot be "
            "read now.",
            "rows": rows,
            "without": without,
        }
    }


def _state(feed: Feed, zone: tzinfo, now: datetime) -> dict[str, str]:
    """`kind` and `word` as its owner sees them, what they are told, and when it is tried again."""
    seen = health(feed, zone, now)
    again = next_due(feed)
    return {
        "kind": seen["kind"],
        "word": seen["word"],
        "error": feed.error,
        "next": dates.moment(again, zone, now) if again and again > now else "",
    }
