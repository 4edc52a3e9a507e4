"""My dates in My work: every date of one's own, in the course's zone, and the calendar that holds them."""

from typing import Any

from reviewkit import reminders
from reviewkit.screens import dates
from reviewkit.screens.my_submission import Own


def part(own: Own) -> dict[str, Any]:
    """The viewer's dates that are still to come (`at` for the browser, which adds its own zone where that is another
    one), and the private address of the same as a calendar; empty where no pages are served."""
    setup = own.course.setup
    return {
        "zone": setup.timezone,
        "list": [
            {"what": each.what, "at": each.at.isoformat(), "text": dates.moment(each.at, own.zone, own.now)}
            for each in reminders.dates_of(setup, own.viewer)
            if each.at > own.now
        ],
        "calendar": own.course.calendar_path(own.viewer),
    }
