"""Who may do what in the course service: every endpoint, and every event of every screen x person x stage.

Asked directly over the service's socket, with each person's own page token, whatever a page would have offered. An
endpoint or a handler that is new, or gone, makes this fail until it stands here.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import TimestampSigner

from reviewkit import screens, signing
from reviewkit.course import Course
from reviewkit.errors import ReviewkitError
from reviewkit.model import Accept, Decide, Discuss, Exempt, Person, Proposal, Reopen, Reply
from reviewkit.screens import SCREENS, UNKEPT
from reviewkit.screens.events import UNREADABLE
from reviewkit.service import Service
from reviewkit.signing import Link, PageToken
from reviewkit.store.sql import SqlStore
from tests import cast
from tests.cast import ANN, EVE, PROF, STUDENTS, TIA, Clock
from tests.test_service import SECRET, Running
from tests.under_way import reviewers_of

OK = "ok"
ROLE = "This page is not for your role in the course."
NOT_YOURS = "This is not yours to do here."
NO_SUBMISSION = "There is no such submission for you."
NO_POST = "There is no such post of yours."
NO_REVIEW = "There is no such review for you to give."
CHOOSE = "Choose one of your own posts that carry #datastories."
GIVEN_FOR = "Your work for A story with numbers is frozen"
BLIND = "The reviews of this submission have not been revealed yet."
CLOSED = "This dialogue is closed."
REVEALED = "The reviews of this round have been revealed, so this one can no longer be changed."
NOT_OPEN = "The reviews are not open to you yet."
NO_WORD_YET = "There is nothing to reply to: your instructor has not written yet."
NOT_AGREED = "Nothing is agreed yet, so there is nothing to sign."
IN_ALREADY = "Your self-evaluation is in already; you can still talk about it with your instructor."
ANSWERED = "You have answered this review already."
INSTRUCTORS = "Only an instructor can do this. What you write here is kept as a draft for them."
NOT_DECIDED = "Nothing was decided without you, so there is nothing to dissent from."
OPEN = "This dialogue is open: you can write in it."
AT_WORK = "Peers are still at work here"
NOTHING_TO_REOPEN = "There is nothing to reopen here."
ANOTHER_WAY = "This dialogue can go back to: "
IN_COUNT = "This submission is in the count already."
REVEALED_ALREADY = "These reviews have been revealed already."
TOO_LATE_TO_REVIEW = "The reviews of this round have been revealed, and it is too late for another one."
OUT_OF_COUNT = "This submission is exempt, so nothing can be added"
RESTORE_FIRST = "This submission is exempt; restore it first."
NOT_NEEDED = "This submission is exempt, so no review of it is needed any more."
TOO_LATE_TO_CHOOSE = "The time to choose a post"
TAKES_NO_MORE = "This submission takes no more reviews."

# -- the stages of Ann's submission


def discussed(course: Course) -> dict[str, str]:
    made = cast.answered(course)
    counter = Proposal(judgements=cast.levels(1, 1), grade="78")
    course.discuss(PROF, made["ann"], Discuss(text="I read it lower.", counter=counter), seen=None)
    return made


def replied(course: Course) -> dict[str, str]:
    made = discussed(course)
    seen = len(course.dialogue(made["ann"], ANN).turns)
    course.reply(ANN, made["ann"], Reply(text="I do answer it."), seen=seen)
    return made


def agreed(course: Course) -> dict[str, str]:
    made = discussed(course)
    seen = len(course.dialogue(made["ann"], ANN).turns)
    course.reply(ANN, made["ann"], Reply(accepts=True), seen=seen)
    return made


def signed(course: Course) -> dict[str, str]:
    made = cast.answered(course)
    course.accept(PROF, made["ann"], Accept(grade="82"), seen=None)
    return made


def handed_over(course: Course) -> dict[str, str]:
    """Nobody reviewed in time."""
    made = cast.self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    assert isinstance(course.clock, Clock)
    course.clock.pass_(days=DAYS["handed over"])
    assert course.hand_over("river")
    return made


def decided(course: Course) -> dict[str, str]:
    made = cast.answered(course)
    course.decide(PROF, made["ann"], Decide(reason="The term ends.", grade="70"), seen=None)
    return made


def exempt(course: Course) -> dict[str, str]:
    made = cast.reviewed(course)
    course.set_aside(PROF, made["ann"], Exempt(reason="She was ill."), seen=None)
    return made


def reopened(course: Course) -> dict[str, str]:
    made = signed(course)
    course.reopen(PROF, made["ann"], Reopen(to="revealed", reason="The log is open now."), seen=None)
    return made


def allocated(course: Course) -> dict[str, str]:
    made = cast.frozen(course)
    course.allocate(course.plan("river", seed=1))
    return made


STAGES: dict[str, Callable[[Course], Mapping[str, str]]] = {
    "collected": lambda course: {},
    "too late": lambda course: {},
    "frozen": cast.frozen,
    "allocated": allocated,
    "self-evaluated": cast.self_evaluated,
    "in review": cast.reviewed,
    "handed over": handed_over,
    "revealed": cast.revealed,
    "with instructor": cast.answered,
    "discussing": discussed,
    "replied": replied,
    "agreed": agreed,
    "decided": decided,
    "signed": signed,
    "reopened": reopened,
    "exempt": exempt,
}
DAYS = {"too late": 4, "handed over": 11}
"""The day of the course on which somebody comes, where it is not the first."""
NOT_OWED = dict.fromkeys(("collected", "too late", "frozen", "self-evaluated"), NO_REVIEW)
"""Before reviews are allocated."""


@dataclass(kw_only=True)
class Scene:
    """A course at a stage: Ann's submission, who reviews it and who does not."""

    course: Course
    submission: str
    duty: str
    people: dict[str, Person]

    def seen(self, person: Person) -> int:
        try:
            return len(self.course.dialogue(self.submission, person).turns)
        except ReviewkitError:
            return 1

    def review(self) -> str:
        """The review of Ann's submission that she has not answered, else any."""
        try:
            turns = self.course.dialogue(self.submission, ANN).turns
        except ReviewkitError:
            return "RK-0"
        return next((turn.id for turn in turns if turn.kind == "review"), "RK-0")

    def facts(self) -> object:
        """All that the verbs change."""
        store = self.course.store
        turns = [(each.submission.id, len(each.turns)) for each in store.dialogues()]
        return turns, sorted((each.submission, each.reviewer) for each in store.allocations())


def scene_of(course: Course, made: Mapping[str, str]) -> Scene:
    submission = made.get("ann", "RK-00000000")
    reviewers = reviewers_of(course, submission) or {"bob": "nobody-owes-this", "cyd": ""}
    known = {person.id: person for person in STUDENTS}
    reviewer = known[min(reviewers)]
    other = known[min(set(known) - {"ann", *reviewers})]
    people = {"ann": ANN, "reviewer": reviewer, "other": other, "eve": EVE, "tia": TIA, "prof": PROF}
    return Scene(course=course, submission=submission, duty=reviewers[reviewer.id], people=people)


# -- what each event says, as the page of somebody who may would send it

LEVELS = [
    {"criterion": "claim", "level": 2, "note": "Because.", "quote": ""},
    {"criterion": "evidence", "level": 2, "note": "", "quote": ""},
]
Event = Callable[[Scene, Person], dict[str, Any]]


def turn(scene: Scene, who: Person, **said: Any) -> dict[str, Any]:
    return {"submission": scene.submission, "seen": scene.seen(who), "request": f"request-{who.id}", **said}


def draft(form: str) -> Event:
    def event(scene: Scene, who: Person) -> dict[str, Any]:
        name = form.format(submission=scene.submission, duty=scene.duty)
        return {"form": name, "revision": 1, "content": {"strengths": "Two marks."}}

    return event


EVENTS: dict[tuple[str, str], Event] = {
    ("my-work", "look"): lambda s, who: {"params": {"submission": s.submission}},
    ("my-work", "draft"): draft("self:{submission}"),
    ("my-work", "open"): lambda s, who: {"submission": s.submission},
    ("my-work", "freeze"): lambda s, who: {
        "assignment": "river",
        "posts": [s.course.posts(ANN)[0].id],
        "request": f"request-{who.id}",
    },
    ("my-work", "submit"): lambda s, who: turn(
        s, who, judgements=LEVELS, strengths="Two marks.", improvements="Link the log.", grade="82"
    ),
    ("my-work", "answer"): lambda s, who: turn(s, who, said={"review": s.review(), "text": "Fair."}),
    ("my-work", "reply"): lambda s, who: turn(s, who, said={"text": "I do answer it."}),
    ("my-work", "sign"): lambda s, who: turn(s, who),
    ("my-work", "dissent"): lambda s, who: turn(s, who, text="I read it otherwise."),
    ("my-work", "ask-to-reopen"): lambda s, who: turn(s, who, text="The log is open now."),
    ("my-work", "find-site"): lambda s, who: {"address": " "},
    ("my-work", "add-site"): lambda s, who: {"url": f"https://{who.id}.example/more"},
    ("my-work", "remove-site"): lambda s, who: {"url": "https://nobody.example/"},
    ("my-work", "check-sites"): lambda s, who: {},
    ("my-work", "write"): lambda s, who: {"id": "new"},
    ("my-work", "preview"): lambda s, who: {"posts": [s.course.posts(ANN)[0].id]},
    ("my-work", "hide"): lambda s, who: {"posts": [s.course.posts(ANN)[0].id], "words": []},
    ("my-work", "give"): lambda s, who: {"assignment": "river", "text": "Words.", "request": f"given-{who.id}"},
    ("reviews", "look"): lambda s, who: {"params": {"open": s.duty}},
    ("reviews", "draft"): draft("review:{duty}"),
    ("reviews", "open"): lambda s, who: {"params": {"open": s.duty}},
    ("reviews", "keep-sent"): lambda s, who: {"id": s.duty},
    ("reviews", "pass-on"): lambda s, who: {"id": s.duty},
    ("reviews", "take-more"): lambda s, who: {"assignment": "river", "seen": 9},
    ("reviews", "send"): lambda s, who: {
        "id": s.duty,
        "judgements": LEVELS,
        "strengths": "Fine rings.",
        "suggestions": "Show the log.",
        "request": "request",
    },
    ("sign-off", "look"): lambda s, who: {"params": {"open": s.submission}},
    ("sign-off", "draft"): draft("sign-off:{submission}"),
    ("sign-off", "open"): lambda s, who: {"params": {"open": s.submission}},
    ("sign-off", "accept"): lambda s, who: turn(s, who, grade="82"),
    ("sign-off", "take-back"): lambda s, who: {"acts": ["an act"]},
    ("sign-off", "discuss"): lambda s, who: turn(s, who, word="I read it lower.", grade="78", judgements=LEVELS),
    ("sign-off", "recognise"): lambda s, who: turn(s, who, word="The rings are fine."),
    ("sign-off", "decide"): lambda s, who: turn(s, who, word="The term ends.", grade="70", judgements=LEVELS),
    ("sign-off", "reopen"): lambda s, who: turn(s, who, choice="with instructor", reason="The log is open now."),
    ("sign-off", "waive"): lambda s, who: turn(s, who, reason="Nobody else comes."),
    ("sign-off", "assign"): lambda s, who: turn(s, who, choice=s.people["other"].id),
    ("sign-off", "more-time"): lambda s, who: {
        "assignment": "river",
        "person": "ann",
        "choice": "self_by",
        "until": "2026-06-01T10:00",
        "reason": "She was ill.",
    },
    ("sign-off", "freeze"): lambda s, who: {
        "assignment": "river",
        "person": "ann",
        "choice": s.course.posts(ANN)[0].id,
        "reason": "She wrote to me.",
        "request": "request",
    },
    ("sign-off", "exempt"): lambda s, who: turn(s, who, reason="She was ill."),
    ("sign-off", "withdraw"): lambda s, who: turn(s, who),
    ("sign-off", "restore"): lambda s, who: turn(s, who),
    ("sign-off", "own-review"): lambda s, who: {
        "submission": s.submission,
        "judgements": LEVELS,
        "strengths": "Fine rings.",
        "suggestions": "Show the log.",
        "request": "request",
    },
    ("sign-off", "bulk-accept"): lambda s, who: {
        "assignment": "river",
        "chosen": [{"submission": s.submission, "grade": "82"}],
        "request": "request",
    },
    ("sign-off", "allocate"): lambda s, who: {"assignment": "river", "seed": "1", "relaxed": []},
    ("sign-off", "reveal"): lambda s, who: {"assignment": "river", "reason": "It is time."},
    ("sign-off", "sites"): lambda s, who: {},
}

OWN_FIRST = "Send your own self-evaluation"
SENT = "You have sent this review already, so it stays yours."
NO_PART = "You have no part in the reviews of this round."
OWES = "Send the reviews that you owe first."
NO_MORE = "No submission waits for another review by you any more."

# -- the table: who does it by right, and what they are told at each stage

BEFORE = {"collected": "There is no submission", "too late": "There is no submission"}
DONE = "done"
"""Allowed, and the course is another one afterwards."""
TOO_LATE = "This can no longer be taken back"


def at(rest: str, stages: Mapping[str, str] = BEFORE, **more: str) -> dict[str, str]:
    """The answer at each stage; `rest` at those that are not named."""
    named = {**stages, **more}
    assert set(named) <= set(STAGES)
    return {stage: named.get(stage, rest) for stage in STAGES}


HANDED = "handed over"
ENDED = dict.fromkeys(("agreed", "decided", "signed"), CLOSED)


def until_reveal(sentence: str) -> dict[str, str]:
    return BEFORE | dict.fromkeys(("frozen", "allocated", "self-evaluated", "in review"), sentence)


AT_ALL = {
    ("my-work", "look"): at(OK),
    ("my-work", "draft"): at(OK, dict.fromkeys(BEFORE, UNKEPT)),
    ("my-work", "open"): at(OK),
    ("my-work", "freeze"): at(
        "This work was frozen", {"collected": DONE, "too late": TOO_LATE_TO_CHOOSE, HANDED: TOO_LATE_TO_CHOOSE}
    ),
    ("my-work", "submit"): at(IN_ALREADY, frozen=DONE, allocated=DONE, exempt=OUT_OF_COUNT),
    ("my-work", "answer"): at(
        ANSWERED,
        until_reveal(NOT_OPEN) | {HANDED: NOT_OPEN} | ENDED,
        revealed=DONE,
        reopened=DONE,
        exempt=OUT_OF_COUNT,
    ),
    ("my-work", "reply"): at(NO_WORD_YET, BEFORE | ENDED, discussing=DONE, exempt=OUT_OF_COUNT),
    ("my-work", "sign"): at(NOT_AGREED, agreed=DONE, decided=DONE, signed=DONE, exempt=OUT_OF_COUNT),
    ("my-work", "dissent"): at(NOT_DECIDED, decided=DONE, exempt=OUT_OF_COUNT),
    ("my-work", "ask-to-reopen"): at(OPEN, agreed=DONE, decided=DONE, signed=DONE, exempt=OUT_OF_COUNT),
    ("my-work", "find-site"): at("Paste the address", {}),
    ("my-work", "add-site"): at(OK, {}),
    ("my-work", "remove-site"): at(OK, {}),
    ("my-work", "check-sites"): at(OK, {}),
    ("my-work", "write"): at(OK, {}),
    ("my-work", "preview"): at(OK, {}),
    ("my-work", "hide"): at(OK, {}),
    ("my-work", "give"): at(GIVEN_FOR, {"collected": OK, "too late": TOO_LATE_TO_CHOOSE}),
    ("reviews", "look"): at(OK, {}),
    ("reviews", "draft"): at(OK, dict.fromkeys(NOT_OWED, UNKEPT), allocated="Send your own self-evaluation"),
    ("reviews", "open"): at(OK, {}),
    ("reviews", "keep-sent"): at(OK, NOT_OWED),
    ("reviews", "pass-on"): at(SENT, NOT_OWED | {"allocated": OWN_FIRST, HANDED: DONE}),
    ("reviews", "take-more"): at(NO_MORE, dict.fromkeys(NOT_OWED, NO_PART) | {"allocated": OWN_FIRST, HANDED: OWES}),
    ("reviews", "send"): at(
        REVEALED,
        NOT_OWED | {"allocated": "Send your own self-evaluation", "in review": DONE, HANDED: DONE},
        exempt=NOT_NEEDED,
    ),
    ("sign-off", "look"): at(OK, {}),
    ("sign-off", "draft"): at(OK, dict.fromkeys(BEFORE, UNKEPT)),
    ("sign-off", "open"): at(OK, {}),
    ("sign-off", "accept"): at(OK, until_reveal(BLIND) | {HANDED: BLIND}, signed=CLOSED, exempt=RESTORE_FIRST),
    ("sign-off", "take-back"): at(TOO_LATE, dict.fromkeys(BEFORE, TOO_LATE)),
    ("sign-off", "discuss"): at(
        DONE,
        until_reveal(BLIND) | {HANDED: BLIND} | ENDED,
        discussing="The author has not replied yet",
        exempt=RESTORE_FIRST,
    ),
    ("sign-off", "recognise"): at(DONE, until_reveal(AT_WORK) | ENDED, exempt=RESTORE_FIRST),
    ("sign-off", "decide"): at(DONE, until_reveal(AT_WORK) | ENDED, exempt=RESTORE_FIRST),
    ("sign-off", "reopen"): at(
        DONE,
        BEFORE | dict.fromkeys(("frozen", "allocated", "revealed", "reopened"), NOTHING_TO_REOPEN),
        **dict.fromkeys(("self-evaluated", "in review", HANDED, "with instructor"), ANOTHER_WAY),
        exempt=RESTORE_FIRST,
    ),
    ("sign-off", "waive"): at(REVEALED_ALREADY, until_reveal(DONE) | {HANDED: DONE}, exempt=RESTORE_FIRST),
    ("sign-off", "assign"): at(TAKES_NO_MORE, until_reveal(DONE) | {HANDED: DONE}),
    ("sign-off", "more-time"): at(OK, {}),
    ("sign-off", "freeze"): at("This work was frozen", dict.fromkeys(BEFORE, DONE)),
    ("sign-off", "exempt"): at(DONE, exempt=RESTORE_FIRST),
    ("sign-off", "withdraw"): at(DONE, exempt=RESTORE_FIRST),
    ("sign-off", "restore"): at(IN_COUNT, exempt=DONE),
    ("sign-off", "own-review"): at(TOO_LATE_TO_REVIEW, until_reveal(DONE) | {HANDED: DONE}, exempt=RESTORE_FIRST),
    ("sign-off", "bulk-accept"): at(OK, {}),
    ("sign-off", "allocate"): at(OK, dict.fromkeys(NOT_OWED, "Nothing is allocated yet")),
    # Where Ann is exempt, the others' reviews wait to be revealed.
    ("sign-off", "reveal"): at(
        OK, dict.fromkeys(("frozen", "allocated", "self-evaluated", "in review", HANDED, "exempt"), DONE)
    ),
    ("sign-off", "sites"): at(OK, {}),
}
"""Screen and event -> for the one who does it by right, the answer at each stage: OK, DONE, or how a refusal begins."""

READING = {"look": OK, "open": OK, "draft": UNKEPT}
"""What an assistant gets in Sign-off: to read, and no draft of an instructor's word."""
BY_RIGHT = {"my-work": "ann", "reviews": "reviewer", "sign-off": "prof"}
LOOKING = at(NO_SUBMISSION)
SPEAKING = at(NOT_YOURS)
OTHER_STUDENTS = {
    ("my-work", "look"): LOOKING,
    ("my-work", "draft"): at(UNKEPT, {}),
    ("my-work", "open"): LOOKING,
    ("my-work", "freeze"): at(CHOOSE, dict.fromkeys(("too late", HANDED), TOO_LATE_TO_CHOOSE)),
    ("my-work", "submit"): SPEAKING,
    ("my-work", "answer"): SPEAKING,
    ("my-work", "reply"): SPEAKING,
    ("my-work", "sign"): SPEAKING,
    ("my-work", "dissent"): SPEAKING,
    ("my-work", "ask-to-reopen"): SPEAKING,
    ("my-work", "find-site"): at("Paste the address", {}),
    ("my-work", "add-site"): at(OK, {}),
    ("my-work", "remove-site"): at(OK, {}),
    ("my-work", "check-sites"): at(OK, {}),
    ("my-work", "write"): at(OK, {}),
    ("my-work", "preview"): at(NO_POST, {}),
    ("my-work", "hide"): at(NO_POST, {}),
    ("my-work", "give"): at(GIVEN_FOR, {"collected": OK, "too late": "The time to choose a post"}),
    ("reviews", "look"): at(OK, {}),
    ("reviews", "draft"): at(UNKEPT, {}),
    ("reviews", "open"): at(OK, {}),
    ("reviews", "keep-sent"): at(NO_REVIEW, {}),
    ("reviews", "pass-on"): at(NO_REVIEW, {}),
    ("reviews", "take-more"): at(NO_MORE, dict.fromkeys(NOT_OWED, NO_PART) | {"allocated": OWN_FIRST, HANDED: OWES}),
    ("reviews", "send"): at(NO_REVIEW, {}),
}
"""The same for the students who may open the screen and have nothing to do with this submission or this review. They
see reviews of their own."""
APART = {("ann", ("reviews", "take-more"), "exempt"): NO_PART}
"""The author of a submission that is out of the count owes no review, and is offered none."""


def expected(verb: tuple[str, str], who: str, stage: str) -> str:
    screen, kind = verb
    if who == BY_RIGHT[screen]:
        return AT_ALL[verb][stage]
    if (who, screen) == ("tia", "sign-off"):
        return READING.get(kind, INSTRUCTORS)
    if who in ("eve", "prof", "tia") or screen == "sign-off":
        return ROLE
    return APART.get((who, verb, stage)) or OTHER_STUDENTS[verb][stage]


def events() -> set[tuple[str, str]]:
    """Everything that a page can send to some screen."""
    return {(name, kind) for name in SCREENS for kind in (*screens.screen_of(name).HANDLERS, "look", "draft")}


def test_every_event_of_every_screen_has_its_row() -> None:
    assert events() == set(AT_ALL) == set(EVENTS)
    assert set(OTHER_STUDENTS) == {verb for verb in events() if "student" in screens.screen_of(verb[0]).ROLES}


def test_a_handler_that_somebody_adds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = screens.screen_of("my-work").HANDLERS
    monkeypatch.setattr("reviewkit.screens.my_work.HANDLERS", {**handlers, "withdraw": handlers["open"]})
    assert events() - set(AT_ALL) == {("my-work", "withdraw")}


@dataclass(kw_only=True)
class Stage:
    """A database at a stage, and a service over it in which nothing may change."""

    path: Path
    made: dict[str, str]
    running: Running
    scene: Scene
    facts: object


def opened(stage: str, path: Path, made: Mapping[str, str]) -> tuple[Running, Scene]:
    clock = Clock()
    clock.pass_(days=DAYS.get(stage, 0))
    course = Course(SqlStore.open(f"sqlite:///{path}"), clock=clock)
    return Running(course, path.with_suffix(".socket")), scene_of(course, made)


def closed(running: Running) -> None:
    running.stop()
    running.course.store.close()


@pytest.fixture(scope="module")
def stages(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stage]]:
    there: dict[str, Stage] = {}
    for stage, build in STAGES.items():
        path = tmp_path_factory.mktemp("stage") / "course.db"
        shutil.copy(made_sqlite, path)
        store = SqlStore.open(f"sqlite:///{path}")
        course = cast.a_course(store, Clock())
        store.keep_course(course.setup, [TIA], [])
        made = dict(build(course))
        store.close()
        running, scene = opened(stage, path, made)
        there[stage] = Stage(path=path, made=made, running=running, scene=scene, facts=scene.facts())
    yield there
    for each in there.values():
        closed(each.running)


def told(running: Running, scene: Scene, verb: tuple[str, str], who: str) -> str:
    """What somebody is told who sends an event: OK, or the sentence."""
    screen, kind = verb
    person = scene.people[who]
    try:
        reply = running.page(person, screen).act(screen, {"type": kind} | EVENTS[verb](scene, person))
    except ReviewkitError as refused:
        return str(refused)
    return OK if reply["ok"] else str(reply["error"]["message"])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("verb", EVENTS, ids=" ".join)
def test_everybody_does_what_is_theirs_at_its_stage_and_nothing_else(
    stages: dict[str, Stage], stage: str, verb: tuple[str, str], tmp_path: Path
) -> None:
    here = stages[stage]
    doing = []
    for who in here.scene.people:
        answer = expected(verb, who, stage)
        if answer == DONE:
            doing.append(who)
        else:
            assert told(here.running, here.scene, verb, who).startswith(answer), who
    assert here.scene.facts() == here.facts
    for who in doing:
        shutil.copy(here.path, tmp_path / "course.db")
        running, scene = opened(stage, tmp_path / "course.db", here.made)
        try:
            assert told(running, scene, verb, who) == OK
            assert scene.facts() != here.facts
        finally:
            closed(running)


# -- endpoints, and tokens that are not the right one

PAGE, SERVER, ANYBODY = "a page", "the page server", "anybody"
ENDPOINTS = {
    "/health": ANYBODY,
    "/metrics": SERVER,
    "/view": PAGE,
    "/act": PAGE,
    "/changes": PAGE,
    "/look": SERVER,
    "/enter": SERVER,
    "/letter": SERVER,
    "/who": SERVER,
    "/calendar": SERVER,
    "/reminders": SERVER,
    "/picture": SERVER,
    "/sign-out": SERVER,
    "/sign-out-everywhere": SERVER,
}
"""Address -> for whom it is; all of them are POSTs."""
SAID = {"screen": "my-work", "params": {}, "event": {"type": "look"}, "known": "", "person": "ann", "serial": 1}
SAID["session"] = "s"
BODY = json.dumps(SAID | {"link": "x", "client": "c", "request": "r", "email": "", "url": ""}).encode()


@pytest.fixture(scope="module")
def service(stages: dict[str, Stage]) -> Running:
    return stages["in review"].running


def token_of(person: str = "ann", screen: str = "my-work", serial: int = 1, session: str = "s") -> str:
    page = PageToken(person=person, screen=screen, page="p", serial=serial, session=session)
    return signing.page_token(SECRET, page)


def test_every_endpoint_has_its_row(service: Running) -> None:
    routes = Service(service.course, SECRET).application().router.routes()
    assert {(route.method, route.resource.canonical) for route in routes if route.resource} == {
        ("POST", address) for address in ENDPOINTS
    }


@pytest.mark.parametrize("address", ENDPOINTS)
def test_an_endpoint_answers_those_it_is_for_and_nobody_else(service: Running, address: str) -> None:
    wrong = {
        "none": "",
        "a page's": token_of(),
        "a server's": signing.server_token(SECRET),
        "a link": signing.link(SECRET, "ann", 1, "").removeprefix("/enter/"),
        "a sign-in": signing.sign_in(SECRET, Link(person="ann", serial=1)),
        "of another secret": signing.page_token(
            b"x" * 40, PageToken(person="ann", screen="my-work", page="p", serial=1)
        ),
        "of another server": signing.server_token(b"x" * 40),
    }
    right = {PAGE: "a page's", SERVER: "a server's", ANYBODY: ""}[ENDPOINTS[address]]
    for name, token in wrong.items():
        if name == right or right == "":
            continue
        status, said = service.ask(address, BODY, token)
        assert status == 403, name
        assert said["error"]["kind"] == "NotAllowed"
        assert set(said) == {"error"}


def test_a_page_is_whoever_its_token_says_whatever_else_it_says(service: Running) -> None:
    body = json.dumps(SAID | {"person": "prof", "role": "instructor", "viewer": "prof"}).encode()
    status, view = service.ask("/view", body, token_of("bob"))
    assert (status, view["frame"]["person"]) == (200, cast.BOB.name)


@pytest.mark.parametrize("address", ["/view", "/act", "/changes"])
def test_a_token_that_is_not_whole_opens_nothing(service: Running, address: str) -> None:
    token = token_of()
    said, at, sign = token.split(".")
    altered = [token[:length] for length in range(0, len(token), 7)]
    altered += [f"{token}x", f"{said}.{at}", f"{said}..{sign}", f"{sign}.{at}.{said}", f" {token}", token.upper()]
    altered += [f"{token_of('prof').split('.')[0]}.{at}.{sign}", f"{said}.{at}.{token_of('prof').split('.')[2]}"]
    for each in altered:
        status, told = service.ask(address, BODY, each)
        assert (status, told["error"]["kind"]) == (403, "NotAllowed"), each


@pytest.mark.parametrize("address", ["/view", "/act", "/changes"])
def test_a_token_ends_with_its_page_its_serial_and_its_screen(
    service: Running, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in (token_of(serial=2), token_of(serial=0), token_of("mallory"), token_of(screen="reviews")):
        assert service.ask(address, BODY, token)[0] == 403
    with monkeypatch.context() as long_ago:
        stamp = TimestampSigner.get_timestamp
        long_ago.setattr(TimestampSigner, "get_timestamp", lambda signer: stamp(signer) - signing.PAGE_AGE - 60)
        old, server = token_of(), signing.server_token(SECRET)
    status, told = service.ask(address, BODY, old)
    assert status == 403
    assert "Copy what you typed" in told["error"]["message"]
    assert service.ask("/who", BODY, server)[0] == 403


def test_signing_out_ends_the_tokens_of_that_sign_in_and_no_others(stages: dict[str, Stage], tmp_path: Path) -> None:
    here = stages["in review"]
    shutil.copy(here.path, tmp_path / "course.db")
    running, _ = opened("in review", tmp_path / "course.db", here.made)
    try:
        server, other = signing.server_token(SECRET), json.dumps(SAID | {"session": "another"}).encode()
        for wrong in ({"serial": 2}, {"person": "mallory"}):
            assert running.ask("/sign-out", json.dumps(SAID | wrong).encode(), server)[0] == 403
        assert running.ask("/view", BODY, token_of())[0] == 200
        assert running.ask("/sign-out", BODY, server)[0] == 200
        for address in ("/view", "/act", "/changes"):
            assert running.ask(address, BODY, token_of())[0] == 403
        for address in ("/who", "/sign-out", "/sign-out-everywhere"):
            assert running.ask(address, BODY, server)[0] == 403
        assert running.ask("/view", BODY, token_of(session="another"))[0] == 200
        assert running.ask("/who", other, server)[0] == 200
        assert running.ask("/view", BODY, token_of("bob", session="bob's"))[0] == 200
    finally:
        closed(running)


def test_signing_out_everywhere_ends_every_token_and_sign_in(stages: dict[str, Stage], tmp_path: Path) -> None:
    here = stages["in review"]
    shutil.copy(here.path, tmp_path / "course.db")
    running, _ = opened("in review", tmp_path / "course.db", here.made)
    try:
        server = signing.server_token(SECRET)
        assert running.ask("/view", BODY, token_of())[0] == 200
        assert running.ask("/sign-out-everywhere", BODY, server)[0] == 200
        for address in ("/view", "/act", "/changes"):
            assert running.ask(address, BODY, token_of())[0] == 403
        assert running.ask("/who", BODY, server)[0] == 403
        assert running.ask("/view", BODY, token_of("bob"))[0] == 200
    finally:
        closed(running)


def test_a_change_of_role_counts_at_once(stages: dict[str, Stage], tmp_path: Path) -> None:
    here = stages["in review"]
    shutil.copy(here.path, tmp_path / "course.db")
    running, _ = opened("in review", tmp_path / "course.db", here.made)
    try:
        assert running.ask("/view", BODY, token_of())[0] == 200
        store = running.course.store
        store.keep_course(running.course.setup, [replace(ANN, role="observer")], [])
        status, told = running.ask("/view", BODY, token_of())
        assert (status, told["error"]["message"]) == (403, ROLE)
    finally:
        closed(running)


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": 1e999}', b'{"__proto__": {}}', b"[" * 50 + b"]" * 50])
def test_what_is_not_plain_json_is_refused_at_every_endpoint(service: Running, body: bytes) -> None:
    for address, whose in ENDPOINTS.items():
        token = {PAGE: token_of(), SERVER: signing.server_token(SECRET)}.get(whose)
        if token and address != "/metrics":
            status, told = service.ask(address, body, token)
            assert (status, told["error"]["message"]) == (422, UNREADABLE), address
