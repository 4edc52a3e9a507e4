"""Screens: each a pure view (a dict that holds nothing its viewer may not see) and a table of handlers for events.

These functions run where the course is; a page only draws what they give. A screen's module has `ROLES` (who may open
it), `view(course, viewer, params)` and `HANDLERS`: for every event a function of (course, viewer, event) that does it
and gives `{"params": ...}`, the place to show next, or `{}` for the same place; what else it gives stands in the reply.
It tries the verb of the course and lets `ReviewkitError`s rise. `FORMS` has, for the first word of each of its drafts'
names, a function of (course, viewer, the rest of the name) that raises when it is not this person's to write.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed, ReviewkitError, StoreError
from reviewkit.model import Draft, Person
from reviewkit.screens import dates

if TYPE_CHECKING:
    from reviewkit.course import Course

EVENT_LIMIT = 1_000_000
"""Characters of one event as JSON: every text of the longest form at its limit."""
PARAM_LIMIT = 200
_FORM = re.compile(r"[a-z-]{1,20}:[\w:.-]{1,100}", re.ASCII)

Handler = Callable[["Course", Person, Mapping[str, Any]], Mapping[str, Any]]
Owner = Callable[["Course", Person, str], object]


class Screen(Protocol):
    """What a screen's module offers."""

    ROLES: tuple[str, ...]
    HANDLERS: Mapping[str, Handler]
    FORMS: Mapping[str, Owner]

    def view(self, course: "Course", viewer: Person, params: Mapping[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """A screen that exists, as the top bar names it."""

    name: str
    text: str
    href: str
    icon: str
    module: str


SCREENS: dict[str, Place] = {
    place.name: place
    for place in (
        Place(name="my-work", text="My work", href="/my-work", icon="pen", module="reviewkit.screens.my_work"),
        Place(name="reviews", text="Reviews", href="/reviews", icon="inbox", module="reviewkit.screens.reviews"),
        Place(name="sign-off", text="Sign-off", href="/sign-off", icon="check", module="reviewkit.screens.sign_off"),
    )
}
"""In the order of the top bar. Modules are imported when they are asked for: a page's process needs none of them."""


def screen_of(name: str) -> Screen:
    """Raises Missing."""
    place = SCREENS.get(name)
    if place is None:
        raise Missing("There is no such page in this course.")
    return cast(Screen, importlib.import_module(place.module))


def open_to(viewer: Person) -> list[str]:
    """The names of the screens that this person may open, in order."""
    return [name for name in SCREENS if viewer.role in screen_of(name).ROLES]


def frame(course: "Course", viewer: Person, here: str) -> dict[str, Any]:
    """What surrounds every screen: the course, the person, and where they can go with what waits there. `offset`: how
    many minutes the course's clocks are ahead of UTC now, for a page to compare with its reader's."""
    waiting = course.waiting(viewer)
    there = course.clock().astimezone(dates.zone_of(course.setup.timezone)).utcoffset() or timedelta(0)
    return {
        "course": course.setup.title,
        "zone": course.setup.timezone,
        "offset": there // timedelta(minutes=1),
        "person": viewer.name,
        "role": viewer.role,
        "links": [
            {
                "name": place.name,
                "text": place.text,
                "href": place.href,
                "icon": place.icon,
                "here": place.name == here,
                "waiting": waiting.get(place.name, 0),
            }
            for place in map(SCREENS.__getitem__, open_to(viewer))
        ],
        "sign_out": "/sign-out",
        "sign_out_everywhere": "/sign-out-everywhere",
    }


def view(course: "Course", viewer: Person, screen: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """What `viewer` may see of a screen at a place. Raises NotAllowed when it is not a screen for them, Missing."""
    module = screen_of(screen)
    if viewer.role not in module.ROLES:
        raise NotAllowed("This page is not for your role in the course.")
    return module.view(course.glance(), viewer, _place(params))


def act(course: "Course", viewer: Person, screen: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Do what an event of the page asks.

    Gives `{"ok": True, "view": the fresh view}`, for a draft `{"ok": True, "revision", "saved"}`, or `{"ok": False,
    "error": {"message", "field"}}`; after a Conflict with the view that shows what changed. An event whose words name
    somebody is answered with `{"ok": False, "named": what to ask}` until it says `sure` (see `naming`).
    """
    try:
        module = screen_of(screen)
        if viewer.role not in module.ROLES:
            raise NotAllowed("This page is not for your role in the course.")
        kind = _checked(event)
        if kind == "draft":
            return _keep_draft(course, viewer, module, event)
        params, done = _place(event.get("params")), dict[str, Any]()
        if kind != "look":
            handler = module.HANDLERS.get(kind)
            if handler is None:
                raise Invalid("This page is older than the course. Reload it; your text is kept.")
            from reviewkit.screens.naming import asked_first

            if (first := asked_first(course, viewer, screen, event)) is not None:
                return first
            done = dict(handler(course, viewer, event))
            params = _place(done.pop("params", params))
        return {**done, "ok": True, "view": module.view(course.glance(), viewer, params)}
    except Conflict as error:
        return _refused(error) | {"view": module.view(course.glance(), viewer, _place(event.get("params")))}
    except ReviewkitError as error:
        return _refused(error)


def _refused(error: ReviewkitError) -> dict[str, Any]:
    told = {"kind": type(error).__name__, "message": str(error), "field": getattr(error, "field", None)}
    # A store that is away may come back: the page keeps the text and tries again.
    return {"ok": False, "error": told} | ({"again": True} if isinstance(error, StoreError) else {})


def _checked(event: Mapping[str, Any]) -> str:
    kind = event.get("type")
    if not isinstance(kind, str) or len(kind) > PARAM_LIMIT:
        raise Invalid("This page sent something that we cannot read. Reload it; your text is kept.")
    if len(str(event.get("request", ""))) > PARAM_LIMIT:
        raise Invalid("This page sent something that we cannot read. Reload it; your text is kept.")
    if len(json.dumps(event)) > EVENT_LIMIT:
        raise Invalid("This is more text than can be kept at once. Nothing was cut or lost: please shorten it.")
    return kind


def _place(params: object) -> dict[str, str]:
    """The place inside a screen: a few short words; everything else is left out."""
    if not isinstance(params, Mapping):
        return {}
    return {
        str(name): value
        for name, value in list(params.items())[:10]
        if isinstance(value, str) and max(len(str(name)), len(value)) <= PARAM_LIMIT
    }


# -- drafts, for all screens -----------------------------------------------------------------------------------------

UNKEPT = "This draft cannot be kept. Your text is still on the page: copy it and reload."
OVERTAKEN = "This draft was changed in another window meanwhile."
SENT = "This was sent or put away in another window meanwhile. What you typed here since is not part of it."


def draft_of(course: "Course", viewer: Person, form: str) -> dict[str, Any]:
    """What the viewer is typing into a form, as the page's `link.draft` takes it; `form` is like "self:RK-7F3A2C91"."""
    draft = course.draft(viewer, form, done=True)
    return _told(course, draft) if draft else {"form": form, "revision": 0, "content": {}, "saved": ""}


def texts_of(content: Mapping[str, object], name: str) -> dict[str, str]:
    """The texts by criterion that a draft keeps under a name; whatever else stands there is left out."""
    kept = content.get(name)
    return {key: text for key, text in kept.items() if isinstance(text, str)} if isinstance(kept, Mapping) else {}


def levels_of(content: Mapping[str, object], criteria: Sequence[str]) -> dict[str, int]:
    """The levels by criterion that a draft keeps, of these criteria."""
    kept = content.get("levels")
    if not isinstance(kept, Mapping):
        return {}
    return {key: kept[key] for key in criteria if type(kept.get(key)) is int}


def _keep_draft(course: "Course", viewer: Person, module: Screen, event: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what somebody is typing, if it builds on what is kept: `after` is the revision that the window had."""
    form, revision, content = event.get("form"), event.get("revision"), event.get("content")
    after = event.get("after", 0)
    if not (isinstance(form, str) and _FORM.fullmatch(form) and isinstance(content, dict)):
        raise Invalid(UNKEPT)
    if not (type(revision) is type(after) is int and 0 <= after < revision < 2**31):  # True is an int to isinstance
        raise Invalid(UNKEPT)
    if course.draft(viewer, form, done=True) is None:  # what is kept already was theirs to begin
        _may_begin(course, viewer, module, form)
    kept = course.keep_draft(viewer, form, revision, content, after=after)
    told = _told(course, kept)
    if kept.done:
        return _refused(Conflict(SENT)) | {"conflict": True, "draft": told}
    if (kept.revision, kept.content) != (revision, content):
        return _refused(Conflict(OVERTAKEN)) | {"conflict": True, "draft": told}
    return {"ok": True, "revision": revision, "saved": told["saved"]}


def _may_begin(course: "Course", viewer: Person, module: Screen, form: str) -> None:
    """Raises NotAllowed when this is no form of that screen, or nothing that this person has to write there."""
    kind, _, what = form.partition(":")
    owner = module.FORMS.get(kind)
    if owner is None:
        raise NotAllowed(UNKEPT)
    try:
        owner(course, viewer, what)
    except Missing as error:
        raise NotAllowed(UNKEPT) from error


def _told(course: "Course", draft: Draft) -> dict[str, Any]:
    from reviewkit.screens import dates

    saved = "" if draft.done else dates.clock(draft.saved, dates.zone_of(course.setup.timezone))
    return {"form": draft.form, "revision": draft.revision, "content": draft.content, "saved": saved}
