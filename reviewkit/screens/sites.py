"""My sites, and the private route: the parts of My work where an author says where they write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import FeedError, Invalid
from reviewkit.feeds.schedule import next_due
from reviewkit.model import Feed, Person
from reviewkit.screens import dates
from reviewkit.screens.events import taken
from reviewkit.screens.my_submission import Own
from reviewkit.sites import GIVEN_LIMIT, Form

NEW = "new"
"""The place, and the draft's name, of a text that is not given yet."""
FORMS = (("text", "Plain text"), ("markdown", "Markdown"), ("html", "HTML"))


def part(own: Own) -> dict[str, Any]:
    """The viewer's sites with how they are, and whether a text can be given privately."""
    found = own.course.sites(own.viewer)
    now = own.now
    return {
        "list": [
            {"url": each.feed.url, "name": each.feed.title or each.feed.url, **health(each.feed, own.zone, now)}
            | {"note": "Somebody else in this course has this site too." if each.others else ""}
            for each in found
        ],
        "checking": any(each.feed.next_try is None and each.feed.tried is None for each in found)
        or any(each.feed.next_try is not None and each.feed.next_try <= now for each in found if _asked(each.feed)),
        "give": any(not own.course.can_give(own.viewer, each) for each in own.course.setup.assignments),
    }


def _asked(feed: Feed) -> bool:
    return feed.stopped is None and not feed.moved_to


def health(feed: Feed, zone: tzinfo, now: datetime) -> dict[str, str]:
    """How a feed is: `kind` (ok, bad, out), the word of its tag, and its sentences for its owner."""
    told = [f"Last read: {dates.moment(feed.succeeded, zone, now)}."] if feed.succeeded else []
    if feed.tried is None:
        return {"kind": "out", "word": "Not read yet", "text": "It is read within a minute."}
    if feed.stopped is not None:
        return {"kind": "bad", "word": "No longer read", "text": " ".join([feed.error, *told])}
    again = next_due(feed)
    if feed.error:
        told = [feed.error, *told]
        if again and again > now:
            told.append(f"Next try: {dates.moment(again, zone, now)}.")
        return {"kind": "bad", "word": "Cannot be read", "text": " ".join(told)}
    return {"kind": "ok", "word": "Read", "text": " ".join(told)}


def writing(own: Own, id: str) -> dict[str, Any]:
    """The place where a text is given to the course alone; `id` is NEW or a post's. Raises Missing."""
    course, viewer = own.course, own.viewer
    post = None if id == NEW else course.private_post(viewer, id)
    rounds = [
        {"id": each.id, "title": each.title, "due": own.due(course.assignment(each.id, viewer).freeze_by)}
        for each in course.setup.assignments
        if (post.given_for == each.id if post else not course.can_give(viewer, each))
    ]
    closed = course.can_give(viewer, course.assignment(post.given_for)) if post else ""
    return {
        "place": "write",
        "title": "Your private text" if post else "Give a text to the course alone",
        "id": id,
        "rounds": rounds,
        "forms": [{"value": value, "text": text} for value, text in FORMS],
        "limit": GIVEN_LIMIT,
        "closed": closed or ("" if rounds else "No round takes texts at the moment."),
        "draft": screens.draft_of(course, viewer, form_of(id)),
        "given": post.latest.html if post else "",
        "about": "It is never published and never in the Hub. In its round it is read as every post is: by your "
        "reviewers as a masked copy, and by your instructor.",
    }


def form_of(id: str) -> str:
    return f"private:{id}"


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sought:
    address: str


@dataclass(frozen=True, kw_only=True)
class Added:
    url: str
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Removed:
    url: str


@dataclass(frozen=True, kw_only=True)
class Given:
    assignment: str
    text: str
    request: str
    title: str = ""
    form: Form = "text"
    post: str = ""


def find(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """`looking` until the site was looked at, then what was `found`."""
    address = taken(event, Sought).address
    try:
        found = course.look_for_site(viewer, address)
    except FeedError as error:
        raise Invalid(str(error), field="site") from error
    if found is None:
        return {"looking": True}
    zone = dates.zone_of(course.setup.timezone)
    posts = [
        {
            "title": each.title,
            "date": dates.day(each.published, zone, course.clock()) if each.published else "",
            "tagged": each.tagged,
        }
        for each in found.posts
    ]
    tag = found.tag or course.setup.tag
    return {
        "found": {
            "url": found.url,
            "title": found.title or found.url,
            "words": summary(found.since, found.tagged, tag),
            "advice": "" if found.tagged else f"A post counts when it carries #{tag}. You can add the site now.",
            "posts": posts,
            "shared": course.shares_site(viewer, found.url),
        }
    }


def summary(since: int, tagged: int, tag: str) -> str:
    """What an enrolment saw, in one sentence."""
    posts = f"{since} post{'' if since == 1 else 's'} since the course began"
    return f"{posts}, {tagged or 'none'} {'carries' if tagged == 1 else 'carry'} #{tag}."


def add(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    said = taken(event, Added)
    try:
        course.add_site(viewer, said.url, shared=said.shared)
    except FeedError as error:
        raise Invalid(str(error), field="site") from error
    return {}


def remove(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    course.remove_site(viewer, taken(event, Removed).url)
    return {}


def check(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    course.check_sites(viewer)
    return {}


def write(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Go to the text that is being given, or to one that was."""
    return {"params": {"write": str(event.get("id") or NEW)}}


def give(course: Course, viewer: Person, event: Mapping[str, Any]) -> dict[str, Any]:
    """Give it; what was typed stays as the draft of the post, so that it can be changed as it was written."""
    said = taken(event, Given)
    id = course.give(
        viewer, said.assignment, said.title, said.text, form=said.form, post=said.post, request=said.request
    )
    if not said.post:
        content: dict[str, object] = {
            "title": said.title,
            "text": said.text,
            "form": said.form,
            "assignment": said.assignment,
        }
        course.keep_draft(viewer, form_of(id), 1, content)
        course.drop_draft(viewer, form_of(NEW))
    return {"params": {}}


HANDLERS = {
    "find-site": find,
    "add-site": add,
    "remove-site": remove,
    "check-sites": check,
    "write": write,
    "give": give,
}
