"""People who try what no page offers: each attempt is refused in a sentence, is one line in the log that repeats
nobody's words, changes nothing, and leaves the page and the course working. Against the real server.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reviewkit import signing
from reviewkit.screens.events import UNREADABLE
from reviewkit.server.light import frames
from reviewkit.signing import Link, PageToken
from tests.asking import LOOK, Asker, custom, header
from tests.cast import ANN, EVE, PROF
from tests.serving import Server, the_course, wait_for
from tests.under_way import Round, a_round_under_way

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("attacks")]

PLANTED = "xyzzy"
"""Stands in every text that is sent here, and may stand in no log."""
OLD_PAGE = "This page is older than the course."
UNREAD = "This page sent something that we cannot read."
NO_DRAFT = "This draft cannot be kept."
TOO_MUCH = "This is more text than can be kept at once."
LEVELS = [{"criterion": "claim", "level": 2, "note": PLANTED}, {"criterion": "evidence", "level": 2}]


@dataclass
class Scene:
    """The server with a round under way."""

    server: Server
    round: Round
    askers: dict[str, Asker] = field(default_factory=dict)

    def asker(self, who: str) -> Asker:
        """Somebody who is signed in."""
        known = {"ann": ANN, "prof": PROF, "eve": EVE, "reviewer": self.round.reviewer, "other": self.round.other}
        if who not in self.askers:
            self.askers[who] = Asker(self.server, known[who])
        return self.askers[who]

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log, which must be JSON, each of them."""
        return [json.loads(line) for line in self.server.log.read_text().splitlines()]

    def told(self, event: str) -> int:
        return sum(line["event"].startswith(event) for line in self.log())

    def facts(self) -> object:
        course = the_course(self.round.course_file)
        turns = [(each.submission.id, len(each.turns)) for each in course.store.dialogues()]
        drafts = course.store.marks().desks
        found = turns, len(course.store.allocations()), list(course.people()), drafts
        course.store.close()
        return found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    round_ = a_round_under_way(tmp_path_factory.mktemp("attacks") / "course")
    with Server(round_.course_file) as server:
        yield Scene(server=server, round=round_)
        text = server.log.read_text()
        assert PLANTED not in text
        assert "Traceback" not in text


@pytest.fixture
def nothing_happens(scene: Scene) -> Iterator[None]:
    """What somebody tries changes nothing, is no bug, and the course goes on."""
    before, bugs = scene.facts(), scene.told("Bug") + scene.told("A message met a bug") + scene.told("The screen")
    yield
    assert scene.facts() == before
    assert scene.told("Bug") + scene.told("A message met a bug") + scene.told("The screen") == bugs


# -- controls that are not there


def evaluation(scene: Scene, **changed: Any) -> dict[str, Any]:
    said = {"submission": scene.round.submissions["bob"], "seen": 2, "request": "r", "judgements": LEVELS}
    return {"type": "submit", **said, "strengths": PLANTED, "improvements": PLANTED, "grade": "82", **changed}


def review(scene: Scene, **changed: Any) -> dict[str, Any]:
    said = {"id": scene.round.duty, "judgements": LEVELS, "strengths": PLANTED, "suggestions": PLANTED, "request": "r"}
    return {"type": "send", **said, **changed}


def accepting(scene: Scene, **changed: Any) -> dict[str, Any]:
    said = {"submission": scene.round.submission, "seen": 4, "grade": "82", "word": PLANTED, "request": "r"}
    return {"type": "accept", **said, **changed}


def keeping(**changed: Any) -> dict[str, Any]:
    return {"type": "draft", "form": "self:RK-1", "revision": 1, "content": {"strengths": PLANTED}, **changed}


def keeping_any(_: Scene) -> dict[str, Any]:
    return keeping()


def drafting(scene: Scene, **changed: Any) -> dict[str, Any]:
    """A draft of what is Ann's to write."""
    return keeping(form=f"dialogue:{scene.round.submission}", **changed)


def judged(scene: Scene, **level: Any) -> dict[str, Any]:
    return review(scene, judgements=[{"criterion": "claim", "level": 2, **level}, LEVELS[1]])


Press = Callable[[Scene], dict[str, Any]]
PRESSED: dict[str, tuple[str, str, Press, str]] = {
    "a student accepts": ("ann", "/my-work", accepting, OLD_PAGE),
    "a student accepts as a reviewer": ("ann", "/reviews", accepting, OLD_PAGE),
    "a student discusses": ("ann", "/my-work", lambda s: accepting(s, type="discuss"), OLD_PAGE),
    "a student reveals": ("ann", "/my-work", lambda s: {"type": "reveal", "assignment": "river"}, OLD_PAGE),
    "a student allocates": ("ann", "/my-work", lambda s: {"type": "allocate", "assignment": "river"}, OLD_PAGE),
    "a review of somebody else's": ("other", "/reviews", review, "There is no such review"),
    "the author reviews herself": ("ann", "/reviews", review, "There is no such review"),
    "an evaluation of another's": ("ann", "/my-work", evaluation, "This is not yours to do here."),
    "an evaluation again": (
        "ann",
        "/my-work",
        lambda s: evaluation(s, submission=s.round.submission),
        "Your self-evaluation is in already",
    ),
    "an answer before the reveal": (
        "ann",
        "/my-work",
        lambda s: evaluation(s, type="answer", submission=s.round.submission, said={"review": "RK-1", "text": PLANTED}),
        "The reviews are not open to you yet.",
    ),
    "a signature on nothing": (
        "ann",
        "/my-work",
        lambda s: evaluation(s, type="sign", submission=s.round.submission),
        "Nothing is agreed yet",
    ),
    "an instructor accepts what is blind": ("prof", "/sign-off", accepting, "The reviews of this submission have not"),
    "an instructor reviews": ("prof", "/sign-off", review, OLD_PAGE),
    "a level above the highest": ("reviewer", "/reviews", lambda s: judged(s, level=4), "Claim needs one of its"),
    "a level below the lowest": ("reviewer", "/reviews", lambda s: judged(s, level=-1), "Claim needs one of its"),
    "an endless level": ("reviewer", "/reviews", lambda s: judged(s, level=2**63), "Claim needs one of its"),
    "half a level": ("reviewer", "/reviews", lambda s: judged(s, level=1.5), UNREAD),
    "a level in words": ("reviewer", "/reviews", lambda s: judged(s, level=PLANTED), UNREAD),
    "a level that is true": ("reviewer", "/reviews", lambda s: judged(s, level=True), UNREAD),
    "a criterion of no rubric": ("reviewer", "/reviews", lambda s: judged(s, criterion="x"), "The rubric"),
    "a criterion that is a prototype": (
        "reviewer",
        "/reviews",
        lambda s: judged(s, criterion="__proto__"),
        "The rubric",
    ),
    "a criterion twice": ("reviewer", "/reviews", lambda s: review(s, judgements=[LEVELS[0]] * 2), "Claim was judged"),
    "a criterion left out": ("reviewer", "/reviews", lambda s: review(s, judgements=LEVELS[:1]), "Choose a level for"),
    "no text at all": ("reviewer", "/reviews", lambda s: review(s, strengths=" \n"), "Write at least one strength"),
    "a text beyond its limit": (
        "reviewer",
        "/reviews",
        lambda s: review(s, strengths=PLANTED * 10_000),
        "This text has 50,000 characters",
    ),
    "a note beyond its limit": (
        "reviewer",
        "/reviews",
        lambda s: judged(s, note=PLANTED * 10_000),
        "The note on Claim has 50,000 characters",
    ),
    "an event beyond its limit": ("ann", "/my-work", lambda s: keeping(content={"a": PLANTED * 210_000}), TOO_MUCH),
    "a grade beyond the scale": ("prof", "/sign-off", lambda s: accepting(s, grade="101"), "The grade must be"),
    "a grade in other digits": ("prof", "/sign-off", lambda s: accepting(s, grade="٨٢"), "The grade must be"),
    "a grade that is a number": ("prof", "/sign-off", lambda s: accepting(s, grade=82), UNREAD),
    "lists for texts": ("reviewer", "/reviews", lambda s: review(s, strengths=[PLANTED]), UNREAD),
    "nothing for texts": ("reviewer", "/reviews", lambda s: review(s, strengths=None), UNREAD),
    "fields left out": ("reviewer", "/reviews", lambda s: {"type": "send", "id": s.round.duty}, UNREAD),
    "an id that is an object": ("reviewer", "/reviews", lambda s: review(s, id={"$ne": PLANTED}), UNREAD),
    "an id in SQL": ("reviewer", "/reviews", lambda s: review(s, id="' OR 1=1 --"), "There is no such review"),
    "an id that is a path": ("ann", "/my-work", lambda s: {"type": "open", "submission": "../../x"}, "There is no"),
    "turns that were never seen": ("prof", "/sign-off", lambda s: accepting(s, seen=10**30), "Somebody wrote here"),
    "a seed in words": (
        "prof",
        "/sign-off",
        lambda s: {"type": "allocate", "assignment": "river", "seed": PLANTED},
        UNREAD,
    ),
    "a seed without end": (
        "prof",
        "/sign-off",
        lambda s: {"type": "allocate", "assignment": "river", "seed": "9" * 5000},
        UNREAD,
    ),
    "more than can be accepted at once": (
        "prof",
        "/sign-off",
        lambda s: {
            "type": "bulk-accept",
            "assignment": "river",
            "chosen": [{"submission": s.round.submission, "grade": "82"}] * 501,
            "request": "r",
        },
        "At most 500 grades",
    ),
    "an event of no name": ("ann", "/my-work", lambda s: {"type": PLANTED}, OLD_PAGE),
    "an event of an inner name": ("ann", "/my-work", lambda s: {"type": "__class__"}, OLD_PAGE),
    "an event that is a list": ("ann", "/my-work", lambda s: {"type": [PLANTED]}, UNREAD),
    "no event": ("ann", "/my-work", lambda s: {}, UNREAD),
    "a draft of no form": ("ann", "/my-work", lambda s: keeping(form="../../etc/passwd"), NO_DRAFT),
    "a draft with a revision of words": ("ann", "/my-work", lambda s: keeping(revision="9"), NO_DRAFT),
    "a draft without end": ("ann", "/my-work", lambda s: keeping(revision=2**40), NO_DRAFT),
    "a draft with a revision that is true": ("ann", "/my-work", lambda s: keeping(revision=True), NO_DRAFT),
    "a draft with half a revision": ("ann", "/my-work", lambda s: keeping(revision=1.5), NO_DRAFT),
    "a draft with a revision below nothing": ("ann", "/my-work", lambda s: keeping(revision=-1), NO_DRAFT),
    "a draft after false": ("ann", "/my-work", lambda s: keeping(after=False), NO_DRAFT),
    "a draft after what is below nothing": ("ann", "/my-work", lambda s: keeping(after=-(2**70)), NO_DRAFT),
    "a draft after itself": ("ann", "/my-work", lambda s: keeping(revision=5, after=5), NO_DRAFT),
    "a draft that is too long": ("ann", "/my-work", lambda s: drafting(s, content={"a": PLANTED * 210_000}), TOO_MUCH),
    "a draft with a great many fields": (
        "ann",
        "/my-work",
        lambda s: drafting(s, content={f"{PLANTED}{number}": "" for number in range(80_000)}),
        TOO_MUCH,
    ),
    "a draft of a form that nobody has": ("ann", "/my-work", keeping_any, NO_DRAFT),
    "a draft of a kind that there is not": ("ann", "/my-work", lambda s: keeping(form=f"{PLANTED}:1"), NO_DRAFT),
    "a draft of another's evaluation": (
        "ann",
        "/my-work",
        lambda s: keeping(form=f"self:{s.round.submissions['bob']}"),
        NO_DRAFT,
    ),
    "a reviewer's draft of the author's evaluation": (
        "reviewer",
        "/my-work",
        lambda s: keeping(form=f"self:{s.round.submission}"),
        NO_DRAFT,
    ),
    "a draft of another's review": ("other", "/reviews", lambda s: keeping(form=f"review:{s.round.duty}"), NO_DRAFT),
    "a reviewer's draft on another page": (
        "reviewer",
        "/my-work",
        lambda s: keeping(form=f"review:{s.round.duty}"),
        NO_DRAFT,
    ),
    "a student's draft of a decision": (
        "ann",
        "/my-work",
        lambda s: keeping(form=f"sign-off:{s.round.submission}"),
        NO_DRAFT,
    ),
    "an instructor's draft of an evaluation": (
        "prof",
        "/sign-off",
        lambda s: keeping(form=f"self:{s.round.submission}"),
        NO_DRAFT,
    ),
    "a draft that is a text": ("ann", "/my-work", lambda s: keeping(content=PLANTED), NO_DRAFT),
}
"""Name -> who, on which page, what they press (or would, if it was there), and how the answer begins."""


@pytest.mark.parametrize("attempt", PRESSED)
@pytest.mark.usefixtures("nothing_happens")
def test_a_control_that_is_not_offered_does_nothing_when_it_is_pressed(scene: Scene, attempt: str) -> None:
    who, path, press, sentence = PRESSED[attempt]
    logged = scene.told("An event was refused")
    (reply,) = scene.asker(who).send(path, press(scene) | {"seq": 1})
    assert isinstance(reply, dict)
    assert (reply["ok"], reply["seq"]) == (False, 1)
    assert reply["error"]["message"].startswith(sentence)
    assert "Traceback" not in json.dumps(reply)
    wait_for(lambda: scene.told("An event was refused") == logged + 1, what="its line in the log")


@pytest.mark.usefixtures("nothing_happens")
def test_what_an_event_holds_beyond_its_fields_is_left_aside(scene: Scene) -> None:
    more = {"by": "prof", "role": "instructor", "person": "prof", "screen": "sign-off", "token": "x", "viewer": "prof"}
    (reply,) = scene.asker("ann").send("/my-work", accepting(scene, seq=1, **more))
    assert isinstance(reply, dict)
    assert not reply["ok"]


# -- messages that are no messages


def nested(depth: int) -> bytes:
    return b'{"type": "draft", "seq": 1, "content": {"a": ' + b"[" * depth + b"]" * depth + b"}}"


MALFORMED = {
    "not a number": b'{"type": "draft", "form": "self:x", "revision": 1, "content": {"a": NaN}, "seq": 1}',
    "no number": b'{"type": "draft", "form": "self:x", "revision": 1, "content": {"a": -Infinity}, "seq": 1}',
    "too large a number": b'{"type": "draft", "form": "self:x", "revision": 1, "content": {"a": 1e999}, "seq": 1}',
    "a prototype": b'{"type": "draft", "form": "self:x", "revision": 1, "content": {"__proto__": {"a": 1}}, "seq": 1}',
    "nested": nested(30),
    "deeply nested": nested(400),
    "very deeply nested": nested(900),
    "a list": b'["draft", 1]',
    "a text": b'"draft"',
    "nothing": b"null",
}
UNREADABLE_AT_ALL = {
    "nested without end": nested(100_000),
    "digits without end": b'{"type": "look", "seq": ' + b"9" * 5_000 + b"}",
    "half a message": b'{"type": "look", ',
    "no characters": b'"\xff\xfe"',
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.usefixtures("nothing_happens")
def test_what_no_page_of_ours_sends_is_refused_in_a_sentence(scene: Scene, what: str) -> None:
    (reply,) = scene.asker("ann").send("/my-work", MALFORMED[what])
    assert isinstance(reply, dict)
    assert reply["error"]["message"] == UNREADABLE


@pytest.mark.parametrize("what", UNREADABLE_AT_ALL)
@pytest.mark.usefixtures("nothing_happens")
def test_what_cannot_be_read_at_all_is_dropped_and_the_page_goes_on(scene: Scene, what: str) -> None:
    logged = scene.told("A message that cannot be read was dropped")
    assert scene.asker("ann").send("/my-work", UNREADABLE_AT_ALL[what]) == []
    wait_for(lambda: scene.told("A message that cannot be read was dropped") == logged + 1, what="its line in the log")


@pytest.mark.usefixtures("nothing_happens")
def test_no_depth_of_nesting_is_a_bug(scene: Scene) -> None:
    depths = range(940, 1000, 3)
    for reply in scene.asker("ann").send("/my-work", *map(nested, depths)):
        assert isinstance(reply, dict)
        assert reply["error"]["message"] == UNREADABLE


# -- messages to the process itself


def unasked(kind: str, **content: Any) -> bytes:
    return frames.pack("shell", header(kind), {}, {}, content)


@pytest.mark.usefixtures("nothing_happens")
def test_a_browser_executes_opens_and_ends_nothing(scene: Scene, tmp_path: Path) -> None:
    ann, proof = scene.asker("ann"), tmp_path / "proof"
    page, model = ann.opened("/my-work")
    logged = scene.told("A page was sent what it does not take")
    sent = (
        unasked("execute_request", code=f"open({str(proof)!r}, 'w')", silent=False),
        unasked("comm_open", comm_id=PLANTED, target_name="jupyter.widget", data={"state": {"a": PLANTED}}),
        unasked("comm_close", comm_id=model),
        unasked("shutdown_request", restart=False),
        unasked(PLANTED),
        unasked("comm_msg", comm_id=PLANTED, data={"method": "custom", "content": {"type": "look"}}),
        unasked("comm_msg", comm_id=model, data={"method": PLANTED}),
        unasked("comm_msg", comm_id=model, data=PLANTED),
        unasked("comm_msg", comm_id=[model], data={}),
    )
    assert ann.say(page, *sent, custom(model, LOOK)) == []
    assert not proof.exists()
    assert scene.told("A page was sent what it does not take") == logged + 5


@pytest.mark.usefixtures("nothing_happens")
def test_what_a_browser_writes_into_the_widget_is_not_read(scene: Scene) -> None:
    ann = scene.asker("ann")
    page, model = ann.opened("/my-work")
    for state in ({"view": PLANTED}, {"view": {"frame": PLANTED}}, {"_esm": PLANTED, "_name": "sign-off"}, {"x": 1}):
        update = unasked("comm_msg", comm_id=model, data={"method": "update", "state": state, "buffer_paths": []})
        assert ann.say(page, update, custom(model, LOOK)) == []


@pytest.mark.usefixtures("nothing_happens")
def test_a_message_larger_than_any_of_ours_ends_the_connection(scene: Scene) -> None:
    (code,) = scene.asker("ann").send("/my-work", keeping(content={"a": PLANTED * 500_000}))
    assert code in (1006, 1009)  # the second where the browser was still listening


@pytest.mark.parametrize("who", ["nobody", "other", "reviewer", "eve", "prof"])
def test_nobody_else_says_anything_to_a_page(scene: Scene, who: str) -> None:
    page, model = scene.asker("ann").opened("/my-work")
    asker = Asker(scene.server) if who == "nobody" else scene.asker(who)
    assert asker.socket(page, custom(model, LOOK)) == 403
    assert scene.asker("ann").say(page, custom(model, LOOK)) == []


# -- being somebody else


@pytest.mark.parametrize(
    "headers",
    [
        {name: value}
        for name in ("X-Forwarded-User", "Remote-User", "X-Remote-User", "X-User", "X-Auth-Request-User", "From")
        for value in ("prof", "ann")
    ]
    + [
        {"Authorization": "Basic cHJvZjpwcm9m"},
        {"Authorization": "token prof"},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost", "X-Forwarded-Proto": "https"},
        {"X-HTTP-Method-Override": "POST"},
        {"X-Original-URL": "/sign-off", "X-Rewrite-URL": "/sign-off"},
        {"Cookie": "reviewkit=prof; username=prof; jupyter=prof; _xsrf=1"},
    ],
    ids=lambda headers: " ".join(headers),
)
def test_a_header_makes_nobody_somebody(scene: Scene, headers: dict[str, str]) -> None:
    status, answer, _ = Asker(scene.server).ask("GET", "/sign-off", **headers)
    assert (status, answer["Location"].split("?")[0]) == (302, "/sign-in")
    if "Cookie" not in headers:
        assert scene.asker("ann").ask("GET", "/sign-off", **headers)[0] == 403


def test_a_cookie_that_nobody_here_signed_is_worth_nothing(scene: Scene) -> None:
    name, _, value = scene.asker("ann").cookie.partition("=")
    secret = signing.read_secret(scene.round.course_file.parent)
    serial = 1
    forged = [
        "",
        PLANTED,
        value[:-1],
        value[1:],
        value.swapcase(),
        value[:-4] + "AAAA",
        f"{value}.{value}",
        signing.sign_in(b"x" * 48, Link(person="prof", serial=serial)),
        signing.sign_in(secret, Link(person="mallory", serial=serial)),
        signing.sign_in(secret, Link(person="prof", serial=serial + 1)),
        signing.page_token(secret, PageToken(person="prof", screen="sign-off", page="p", serial=serial)),
        signing.server_token(secret),
        signing.link(secret, "prof", serial, "").removeprefix("/enter/"),
    ]
    for each in forged:
        asker = Asker(scene.server)
        asker.cookie = f"{name}={each}"
        assert asker.get("/sign-off")[0] == 302, each
        assert asker.ask("POST", "/stay", origin=scene.server.url)[0] == 401, each


def test_the_token_of_a_page_never_reaches_a_browser(scene: Scene) -> None:
    _, _, text = scene.asker("ann").get("/my-work")
    assert "REVIEWKIT_TOKEN" not in text
    assert not re.search(r"[\w-]{20,}\.[\w-]{4,12}\.[\w-]{20,}", text)
