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
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

import anywidget
import traitlets

from reviewkit.bugs import told
from reviewkit.errors import Invalid, ReviewkitError, ServiceError, StoreError
from reviewkit.remote import RemoteCourse

if TYPE_CHECKING:
    from reviewkit.course import Course

LOG = logging.getLogger(__name__)
PARAMS = 8
"""How many parameters of a page's address are handed on, and how long each may be."""
PARAM_LENGTH = 200


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

    def view(self, screen: str, params: Mapping[str, Any]) -> dict[str, Any]:
        from reviewkit import screens

        return screens.view(self.course, self.viewer, screen, dict(params))

    def act(self, screen: str, event: Mapping[str, Any]) -> dict[str, Any]:
        from reviewkit import screens

        return screens.act(self.course, self.viewer, screen, dict(event))


class Screen(anywidget.AnyWidget):
    """One screen. What the browser writes into its traits is never read: only its messages are, and the course
    judges each of them anew."""

    view = traitlets.Dict().tag(sync=True)

    def __init__(self, source: Source, name: str, params: Mapping[str, Any]) -> None:
        """Raises ReviewkitError when there is nothing to show."""
        self._esm, self._css = files(name)
        self._source, self._name = source, name
        super().__init__(view=source.view(name, params))
        self.on_msg(self._relay)
        if isinstance(source, RemoteCourse):
            source.follow(self._follow, self._refused)

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
