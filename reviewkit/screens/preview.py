"""What reviewers will read of an author's work, and the words that the author wants hidden in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewkit.copies import LONGEST_HIDDEN, MOST_HIDDEN
from reviewkit.course import Course
from reviewkit.errors import Invalid
from reviewkit.model import Person
from reviewkit.screens.events import taken

MOST_POSTS = 100
LEAD = (
    "Your names, sites and addresses are replaced where we found them, and so are people of the class. The copy is "
    "masked, no more: a public post can be found with a search engine, and your instructor sees who wrote it."
)
HINT = "A nickname, or your town. They are hidden in every copy that its reviewer has not opened yet."


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A submission, or posts that are not frozen yet."""

    submission: str = ""
    posts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hide:
    """These are all the words to hide from now on."""

    words: tuple[str, ...]
    submission: str = ""
    posts: tuple[str, ...] = ()


def is_masked(course: Course) -> bool:
    """Whether reviewers will read a masked copy of what is frozen from now on."""
    return course.setup.reviews.mode == "double-blind"


def preview(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Preview)
    return _shown(course, viewer, said.submission, said.posts)


def hide(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Hide)
    _shown(course, viewer, said.submission, said.posts)  # what is not theirs to see is refused before anything is kept
    course.hide_words(viewer, said.words)
    return _shown(course, viewer, said.submission, said.posts)


def _shown(course: Course, viewer: Person, submission: str, posts: tuple[str, ...]) -> dict[str, Any]:
    masked = course.dialogue(submission, viewer).mode == "double-blind" if submission else is_masked(course)
    if not masked:
        raise Invalid("Its reviewers see who wrote it, so there is no masked copy.")
    if len(posts) > MOST_POSTS:
        raise Invalid(f"At most {MOST_POSTS} posts can be shown at once.")
    copies = course.masked_copy(viewer, submission) if submission else course.masked_posts(viewer, posts)
    return {
        "preview": {
            "lead": LEAD,
            "hint": HINT,
            "copies": [{"title": copy.title, "html": copy.html} for copy in copies],
            "words": list(course.hidden_words(viewer)),
            "most": MOST_HIDDEN,
            "longest": LONGEST_HIDDEN,
        }
    }


HANDLERS = {"preview": preview, "hide": hide}
