"""Sign-off with "Hide names" on, for a screen that others look at: students go by the pseudonyms of their submissions.

It works on the finished view, so that whatever the page learns to show is without names too.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from reviewkit.course import Course
from reviewkit.model import Person

HIDDEN = "hidden"
SHORTEST = 3
"""Letters of a part of a name that stands for its person; shorter ones are words of their own too often."""

WRITTEN = ("title", "html")
AS_THEY_ARE = ("draft", "when", "due")
"""What the viewer is typing is sent as it was typed, and May is a month."""


def aliases(course: Course, viewer: Person, assignment: str) -> dict[str, str]:
    """By what every student goes here: their submission's pseudonym, or a number while they have none. So does the
    author of what the viewer reviews: they know its pseudonym as a reviewer, and must not learn whose it is."""
    reviews = {each.submission for each in course.store.allocations(reviewer=viewer.id)}
    named = {
        each.person: each.pseudonym
        for each in course.store.submissions()
        if each.assignment == assignment and each.id not in reviews
    }
    students = [each for each in course.people() if each.role == "student"]
    return {each.id: named.get(each.id, f"Student {number}") for number, each in enumerate(students, start=1)}


def without_names(view: Mapping[str, Any], people: Iterable[Person], alias: Mapping[str, str]) -> dict[str, Any]:
    """The same view in which no text holds a student's name, e-mail address or site."""
    whole, parts = dict[str, str](), dict[str, str]()
    for each in people:
        if each.id in alias:
            hosts = (re.sub(r"^https?://|/.*$", "", url) for url in (*each.feeds, *each.own_feeds))
            for word in filter(None, (each.name, each.email, *hosts)):
                whole.setdefault(word.casefold(), alias[each.id])
            for part in each.name.split():
                if len(part) >= SHORTEST:
                    parts.setdefault(part.casefold(), alias[each.id])
    names = parts | whole
    if not names:
        return dict(view)
    pattern = re.compile(
        rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(?!\w)", re.IGNORECASE
    )

    def hide(value: Any, key: str) -> Any:
        if key in AS_THEY_ARE:
            return value
        if isinstance(value, str):
            return pattern.sub(lambda found: known(found[0], key), value)
        if isinstance(value, Mapping):
            return {name: hide(each, name) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [hide(each, key) for each in value]
        return value

    def known(found: str, key: str) -> str:
        """A part of a name in small letters is a word of its own, but in what students wrote."""
        name = found.casefold()
        is_word = name not in whole and found == name and key not in WRITTEN
        return found if is_word else names.get(name, "…")

    hidden: dict[str, Any] = hide(view, "")
    return hidden
