"""A screen in a notebook: one anywidget that draws a view and hands on what a person does.

    from reviewkit import open_course
    from reviewkit.screens.page import my_work
    my_work(open_course())

On a page the course is a `RemoteCourse`, which knows from the sign-in who is looking. In JupyterLab it is the `Course`
itself, and one looks as the person of REVIEWKIT_PERSON or as the course's only instructor.
"""

import html
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

import anywidget
import traitlets

from reviewkit import waiting
from reviewkit.bugs import told
from reviewkit.errors import Invalid, Missing, NotAllowed, ReviewkitError, ServiceError, StoreError
from reviewkit.remote import RemoteCourse
from reviewkit.screens.marks import mark_of

if TYPE_CHECKING:
    from reviewkit.course import Course

LOG = logging.getLogger(__name__)
PARAMS = 8
"""How many parameters of a page's address are handed on, and how long each may be."""
PARAM_LENGTH = 200
BEAT = 2.0
"""Seconds between two looks of a notebook at the course."""
ANEW = 300.0
"""Seconds after which it looks at its view anew though nobody did anything: dates pass."""
SHARE = 8
"""A view that takes long is looked at more rarely: never for more than one part in so many of the time."""
MOST_LOOKS = 4
"""Screens of one notebook that follow: cells are run again and again, and what they showed before is never told."""


class Source(Protocol):
    """Where a screen's view comes from and its events go to."""

    def view(self, screen: str, params: Mapping[str, Any]) -> dict[str, Any]: ...
    def act(self, screen: str, event: Mapping[str, Any]) -> dict[str, Any]: ...


class LocalSource:
    """The course in this very process, for an instructor's own notebook."""

    def __init__(self, course: "Course") -> None:
        people = course.people()
        named = os.environ.get("REVIEWKIT_PERSON")
        chosen = [each for each in people if (each.id == named if named else each.role == "instructor")]
        if len(chosen) != 1:
            raise Invalid("Say who is looking: set REVIEWKIT_PERSON to an id of the roster.")
        self.course, self.viewer = course, chosen[0]
        self.shown: tuple[str, dict[str, Any]] = ("", {})
        """The screen and the view that stand there."""

    def view(self, screen: str, params: Mapping[str, Any]) -> dict[str, Any]:
        from reviewkit import screens

        view = screens.view(self.course, self.viewer, screen, dict(params))
        self.shown = screen, view
        return view

    def act(self, screen: str, event: Mapping[str, Any]) -> dict[str, Any]:
        from reviewkit import screens

        reply = screens.act(self.course, self.viewer, screen, dict(event))
        if isinstance(reply.get("view"), dict):
            self.shown = screen, reply["view"]
        return reply

    def follow(self, tell: Callable[[dict[str, Any]], None], refused: Callable[[str], None]) -> waiting.Source:
        """Have `tell` called with every other view that the shown one becomes, and `refused` when it may no longer be
        seen. Happens where something serves `reviewkit.waiting`."""
        looks = Looks(self, tell, refused)
        others = [each for each in waiting.SOURCES if isinstance(each, Looks)]
        for each in others[: len(others) + 1 - MOST_LOOKS]:
            waiting.remove(each)
        waiting.add(looks)
        return looks


class Looks:
    """Looks now and then whether a course in this process has changed. A `Source` of `reviewkit.waiting`."""

    def __init__(
        self, source: LocalSource, tell: Callable[[dict[str, Any]], None], refused: Callable[[str], None]
    ) -> None:
        self.source, self.tell, self.refused = source, tell, refused
        self.due, self.beat, self.anew = time.monotonic() + BEAT, "", 0.0

    def fileno(self) -> int:
        return -1

    def wake(self) -> None:
        begun = time.monotonic()
        try:
            self._look(begun)
        except (NotAllowed, Missing) as error:
            self.refused(str(error))
        except Exception as bug:  # noqa: BLE001 (a database that is away is back soon, and its notebook goes on)
            LOG.warning("The course could not be looked at for changes: %s", type(bug).__name__)
        self.due = time.monotonic() + max(BEAT, SHARE * (time.monotonic() - begun))

    def _look(self, now: float) -> None:
        beat, (screen, shown) = self.source.course.store.pulse(), self.source.shown
        if beat == self.beat and now < self.anew:
            return
        view = self.source.view(screen, shown.get("params", {}))
        self.beat, self.anew = beat, now + ANEW
        if mark_of(view) != mark_of(shown):
            self.tell(view)


class Screen(anywidget.AnyWidget):
    """One screen. What the browser writes into its traits is never read: only its messages are, and the course
    judges each of them anew."""

    view = traitlets.Dict().tag(sync=True)
    _follows: waiting.Source | None = None

    def __init__(self, source: Source, name: str, params: Mapping[str, Any]) -> None:
        """Raises ReviewkitError when there is nothing to show."""
        self._esm, self._css = files(name)
        self._source, self._name = source, name
        super().__init__(view=source.view(name, params))
        self.on_msg(self._relay)
        if isinstance(source, RemoteCourse | LocalSource):
            self._follows = source.follow(self._follow, self._refused)

    def close(self) -> None:
        """Shown no more: then nothing is looked for either."""
        super().close()
        if self._follows is not None:
            waiting.remove(self._follows)

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Nothing: a browser has no trait of this widget to write."""

    def _relay(self, _: object, event: object, __: object) -> None:
        """An event of the browser goes to the course; `done` with the same `seq` goes back, whatever happens."""
        seq = event.get("seq") if isinstance(event, dict) else None
        seq = seq if isinstance(seq, str | int) else None
        try:
            if not isinstance(event, dict):
                raise Invalid("The page sent something that cannot be read.")
            reply = self._source.act(self._name, {name: value for name, value in event.items() if name != "seq"})
        except ReviewkitError as error:
            reply = {"ok": False, "error": {"message": str(error), "field": getattr(error, "field", None)}}
            if isinstance(error, ServiceError | StoreError):  # it may pass: the browser keeps the text and tries again
                reply["again"] = True
        except Exception as bug:  # noqa: BLE001 (the browser waits for an answer; the bug goes to the log)
            LOG.error("The screen %s met a bug: %s", self._name, told(bug))
            reply = {"ok": False, "error": {"message": WRONG, "field": None}, "again": True}
        view = reply.pop("view", None)
        if isinstance(view, dict):
            self.view = view
        self._done(seq, reply)

    def _follow(self, view: dict[str, Any]) -> None:
        """The course has another view by now, because of what somebody else did."""
        self.view = view

    def _refused(self, message: str) -> None:
        """What is shown is no longer this person's to see: the browser says so, and what was typed stays."""
        self.send({"type": "refused", "message": message})

    def _done(self, seq: object, reply: dict[str, Any]) -> None:
        self.send({**reply, "type": "done", "seq": seq})


WRONG = "Something went wrong on our side. What you typed is kept in this browser. Reload the page and try again."


class Notice:
    """Why there is no screen, in words."""

    def __init__(self, message: str) -> None:
        self.message = message

    def _repr_html_(self) -> str:
        return f'<p class="note" role="alert" data-testid="note-error">{html.escape(self.message)}</p>'

    def __repr__(self) -> str:
        return self.message


def show(course: "Course | RemoteCourse", name: str) -> Screen | Notice:
    """The screen of that name, for the last line of a notebook's cell."""
    try:
        source = course if isinstance(course, RemoteCourse) else LocalSource(course)
        return Screen(source, name, parameters())
    except ReviewkitError as error:
        return Notice(str(error))


def my_work(course: "Course | RemoteCourse") -> Screen | Notice:
    return show(course, "my-work")


def reviews(course: "Course | RemoteCourse") -> Screen | Notice:
    return show(course, "reviews")


def sign_off(course: "Course | RemoteCourse") -> Screen | Notice:
    return show(course, "sign-off")


def parameters() -> dict[str, str]:
    """The place inside the screen, from the page's address; empty in JupyterLab."""
    pairs = parse_qsl(os.environ.get("QUERY_STRING", "")[:2000], max_num_fields=50)
    return {name[:PARAM_LENGTH]: value[:PARAM_LENGTH] for name, value in pairs[:PARAMS]}


def files(name: str) -> tuple[str, str]:
    """The screen's module and stylesheet: addresses on our own page server, the texts themselves in JupyterLab."""
    if "REVIEWKIT_STATIC" in os.environ:
        addresses = json.loads(os.environ["REVIEWKIT_STATIC"])
        return addresses["module"], addresses["stylesheet"]
    from reviewkit.screens import assets

    return assets.module(name), assets.stylesheet(name)
