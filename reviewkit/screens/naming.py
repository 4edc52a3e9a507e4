"""Before words are sent that name somebody: the course asks once, and the writer says.

Readers of blind work must not learn from it who wrote it. Names that are found are taken out for them all the same
(`copies`), and what only friends would understand is for the writer to see.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reviewkit.errors import ReviewkitError
from reviewkit.model import Person

if TYPE_CHECKING:
    from reviewkit.course import Course

SPEAKS: Mapping[str, tuple[str, ...]] = {
    "my-work": ("submit", "answer", "reply", "dissent", "ask-to-reopen"),
    "reviews": ("send",),
    "sign-off": ("accept", "discuss", "recognise", "decide", "own-review"),
}
"""By screen, the events that carry somebody's words to others."""
TEXTS = frozenset(
    ("text", "word", "words", "note", "strengths", "suggestions", "improvements", "changed", "reason", "recognised")
)
"""The parts of those events that hold what somebody wrote; a quote is another one's words."""
DEEPEST = 6
WHY = {
    "send": "Your review is blind: nobody who reads it learns from us who wrote it. Names that we find are replaced "
    "for its readers; what only people who know you would notice is not.",
    "answer": "Its reviewer reads your answer without your name. Names that we find are replaced; what only people "
    "who know you would notice is not.",
}
STAYS = "Reviewers are not named in this course, and what you send stays in the dialogue."


def asked_first(course: "Course", viewer: Person, screen: str, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to an event whose words name somebody and whose writer has not said that they are meant (`sure`): what
    to ask. None for every other event, and for one that the course refuses anyway."""
    kind = event.get("type")
    if kind not in SPEAKS.get(screen, ()) or event.get("sure") is True:
        return None
    found: tuple[str, ...] = ()
    text = "\n\n".join(_texts(event, DEEPEST))
    with suppress(ReviewkitError):
        found = course.names_sent(
            viewer,
            text,
            submission=str(event.get("submission", "")),
            duty=str(event.get("id", "")) if screen == "reviews" else "",
            answer=kind == "answer",
            review=kind == "own-review",
        )
    if not found:
        return None
    named = f"“{found[0]}”" if len(found) == 1 else f"{', '.join(f'“{each}”' for each in found[:-1])} and “{found[-1]}”"
    own = course.names_in(viewer, text, known=[person.id for person in course.people()])
    whom = "you" if set(found) <= set(own) else "somebody of the class"
    told = {
        "title": f"Your text names {whom}. Send it all the same?",
        "words": list(found),
        "text": f"It says {named}. {WHY.get(str(kind), STAYS)}",
    }
    message = "Nothing was sent. Change the text, then send it again."
    return {"ok": False, "named": told, "error": {"kind": "Named", "message": message, "field": None}}


def _texts(said: object, deep: int, name: str = "") -> Iterator[str]:
    """What somebody wrote, wherever it stands in an event."""
    if isinstance(said, str):
        if name in TEXTS:
            yield said
    elif isinstance(said, Mapping) and deep:
        for key, value in said.items():
            yield from _texts(value, deep - 1, str(key))
    elif isinstance(said, list) and deep:
        for value in said:
            yield from _texts(value, deep - 1, name)
