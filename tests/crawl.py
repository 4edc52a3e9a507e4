"""A crawler that looks for leaks: it asks the service for all that somebody can ask for, and searches the answers.

What may be where is `TABLE`; which words stand for it, `secrets`. See crawl_words for how it is looked for, and
crawl_course for the class.
"""

import http.client
import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest import mock

from reviewkit import exchange, exports, pictures, screens, signing
from reviewkit.errors import Missing
from reviewkit.model import Answer, Dialogue, Freeze, Person, Reopen, Reveal, Review, SelfEvaluation, Turn
from reviewkit.screens import SCREENS
from reviewkit.screens.dates import zone_of
from reviewkit.signing import PageToken
from tests.crawl_course import (
    EVERYBODY,
    HELPER_WORD,
    LETTERS,
    PROF,
    STUDENTS,
    Round,
    answer,
    remark,
    signed,
    unsent,
)
from tests.crawl_words import Leak, beside_the_pixels, leaks
from tests.test_service import SECRET

TABLE = """
thing                       | when     | author | reviewer    | fellow      | instructor | assistant
submission text             | blind    | yes    | yes         | yes         | yes        | yes
submission text             | revealed | yes    | yes         | yes         | yes        | yes
picture                     | blind    | yes    | yes         | yes         | yes        | yes
picture                     | revealed | yes    | yes         | yes         | yes        | yes
author's name               | blind    | yes    | hidden open | hidden open | yes        | yes
author's name               | revealed | yes    | hidden open | hidden open | yes        | yes
author's id                 | blind    | yes    |             |             | yes        | yes
author's id                 | revealed | yes    |             |             | yes        | yes
author's hidden words       | blind    | yes    | hidden open | hidden open | yes        | yes
author's hidden words       | revealed | yes    | hidden open | hidden open | yes        | yes
author's pseudonym          | blind    | yes    | yes         | yes         | yes        | yes
author's pseudonym          | revealed | yes    | yes         | yes         | yes        | yes
submission's id             | blind    | yes    |             |             | yes        | yes
submission's id             | revealed | yes    |             |             | yes        | yes
reviewer's name             | blind    |        | yes         |             | yes        | open
reviewer's name             | revealed | open   | yes         | open        | yes        | open
reviewer's pseudonym        | blind    |        | yes         |             | yes        | yes
reviewer's pseudonym        | revealed | yes    | yes         | yes         | yes        | yes
review                      | blind    |        | yes         |             | yes        | yes
review                      | revealed | yes    | yes         | yes         | yes        | yes
review's allocation         | blind    |        | yes         |             | yes        |
review's allocation         | revealed |        | yes         |             | yes        |
review's turn               | blind    |        |             |             | yes        | yes
review's turn               | revealed | yes    |             |             | yes        | yes
review's hour               | blind    |        | yes         |             | yes        |
review's hour               | revealed | open   | yes         | open        | yes        | open
review that is not sent     | blind    |        | yes         |             |            |
review that is not sent     | revealed |        | yes         |             |            |
answer to a review          | revealed | yes    | yes         |             | yes        | yes
answer's hour               | revealed | yes    |             |             | yes        | yes
self-evaluation             | blind    | yes    |             |             | yes        | yes
self-evaluation             | revealed | yes    |             |             | yes        | yes
self-evaluation's hour      | blind    | yes    |             |             | yes        | yes
self-evaluation's hour      | revealed | yes    |             |             | yes        | yes
self-evaluation not sent    | blind    | yes    |             |             |            |
self-evaluation not sent    | revealed | yes    |             |             |            |
dialogue                    | revealed | yes    |             |             | yes        | yes
grade                       | blind    | yes    |             |             | yes        | yes
grade                       | revealed | yes    |             |             | yes        | yes
assistant's draft           | revealed |        |             |             | yes        | yes
flags                       | revealed |        |             |             | yes        |
"""
"""PRODUCT.md section 5: who may see a thing of a submission, in which mode (`yes`: in each). Whoever has no column sees
nothing: another student, an observer, somebody who has not signed in, the log. `fellow`: another reviewer of the same
submission who has sent theirs."""
MODES = {"double-blind": "blind", "reviewers-hidden": "hidden", "open": "open"}
FLAGS = ("Far apart", "Wide range")
TRACE, METADATA = "trace of a picture's origin", "metadata of a picture"


def rules() -> dict[tuple[str, str], dict[str, frozenset[str]]]:
    """The table: (thing, "blind" or "revealed") -> by capacity, the modes in which it may be seen."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    everywhere = frozenset(MODES.values())
    return {
        (thing, when): {
            capacity: everywhere if cell == "yes" else frozenset(cell.split())
            for capacity, cell in zip(head[2:], cells, strict=True)
        }
        for thing, when, *cells in rows
    }


RULES = rules()
SCREEN_OF = {"author": "my-work", "reviewer": "reviews", "fellow": "reviews"}
"""Where a student meets a submission as what; staff meet all of them in Sign-off."""
PLACES = {"my-work": {"submission", "write"}, "reviews": {"open"}, "sign-off": {"assignment", "names", "open"}}
"""By which names each screen is asked for a place. The crawler finds them out; served pages are asked by these."""


# -- what must not be told -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A word that stands for one thing of one submission (`review`: the turn or allocation it is of)."""

    thing: str
    word: str
    submission: str
    reviewer: str = ""
    shown: bool = False
    """Revealed, for those to whom that matters."""


@dataclass
class Facts:
    """The course as its store has it, read anew; nothing of it goes through the code that hides."""

    round: Round
    secrets: list[Secret] = field(default_factory=list)
    known_forbidden: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        store = self.round.course.store
        self.mode = MODES[self.round.course.setup.reviews.mode]
        self.dialogues = {each.submission.id: each for each in store.dialogues()}
        self.author = {id: each.submission.person for id, each in self.dialogues.items()}
        self.known = {each.id: each for each in STUDENTS}
        self.sections = {each.id: each.sections or ("",) for each in store.people()}
        self.allocations = store.allocations(released=True)
        self.reviewers = {(each.submission, each.reviewer): each for each in self.allocations if each.released is None}
        self.evaluated = {id for id, each in self.dialogues.items() if _live(each.turns, SelfEvaluation)}
        self.given = {
            (id, turn.by) for id, each in self.dialogues.items() for turn in each.turns if isinstance(turn.what, Review)
        }
        self.secrets = list(self._all())

    def hour(self, turn: Turn) -> tuple[str, str, str]:
        """How an instant can stand somewhere: by the clock of the course, in ISO 8601, in seconds."""
        local = turn.at.astimezone(zone_of(self.round.course.setup.timezone))
        return local.strftime("%H:%M"), turn.at.strftime("T%H:%M:%S"), str(int(turn.at.timestamp()))

    def _all(self) -> Iterator[Secret]:
        """Every planted word, and what the store drew at random."""
        for id, dialogue in self.dialogues.items():
            who = self.known[dialogue.submission.person]
            revealed = any(isinstance(turn.what, Reveal) for turn in dialogue.turns)

            def of(
                thing: str, *words: str, reviewer: str = "", shown: bool = revealed, at: str = id
            ) -> Iterator[Secret]:
                for word in words:
                    yield Secret(thing=thing, word=word, submission=at, reviewer=reviewer, shown=shown)

            yield from of("submission text", who.piece)
            yield from of("picture", *self.pictures(dialogue))
            yield from of("author's hidden words", who.nickname)
            yield from of("author's pseudonym", dialogue.submission.pseudonym)
            yield from of("submission's id", id)
            yield from of("self-evaluation", who.evaluation)
            yield from of("self-evaluation not sent", who.typing)
            yield from of("dialogue", who.talk, shown=True)
            yield from of("assistant's draft", HELPER_WORD, shown=True)
            yield from of("flags", *FLAGS, shown=True)
            yield from of("grade", *LETTERS)
            for turn in dialogue.turns:
                match turn.what:
                    case SelfEvaluation() | Freeze():
                        yield from of("self-evaluation's hour", *self.hour(turn))
                    case Review() if turn.by in self.known:
                        shown = self.shown(id, turn)
                        yield from of("review's hour", *self.hour(turn), reviewer=turn.by, shown=shown)
                        yield from of("review's turn", turn.id, reviewer=turn.by, shown=shown)
                        yield from of("review", remark(self.known[turn.by], who), reviewer=turn.by, shown=shown)
                    case Answer(review=review):
                        writer = next(each.by for each in dialogue.turns if each.id == review)
                        yield from of("answer's hour", *self.hour(turn), reviewer=writer, shown=True)
                        if writer in self.known:
                            yield from of(
                                "answer to a review", answer(who, self.known[writer]), reviewer=writer, shown=True
                            )
            for each in self.allocations:
                if each.submission == id:
                    yield from of("review's allocation", each.id, reviewer=each.reviewer)
                    shown = any(one.shown and one.thing == "review" for one in self._reviews(id, each.reviewer))
                    yield from of("reviewer's pseudonym", each.pseudonym, reviewer=each.reviewer, shown=shown)
                    reviewer = self.known[each.reviewer]
                    yield from of("review that is not sent", unsent(reviewer, who), reviewer=each.reviewer)
                    yield from of("reviewer's name", signed(reviewer), reviewer=each.reviewer, shown=shown)

    def pictures(self, dialogue: Dialogue) -> set[str]:
        """The names of the pictures in what was frozen."""
        frozen = {(each.post, each.digest) for each in dialogue.submission.revisions}
        posts = self.round.course.store.posts(dialogue.submission.person)
        kept = [each.html for post in posts for each in post.revisions if (post.id, each.digest) in frozen]
        return {name for html in kept for name in pictures.names(html)}

    def _reviews(self, submission: str, reviewer: str) -> Iterator[Secret]:
        for turn in self.dialogues[submission].turns:
            if isinstance(turn.what, Review) and turn.by == reviewer:
                yield Secret(thing="review", word="", submission=submission, shown=self.shown(submission, turn))

    def shown(self, submission: str, review: Turn) -> bool:
        """Whether a review is revealed: by a Reveal that names it, or because it came after one that still holds."""
        turns = self.dialogues[submission].turns
        if any(isinstance(turn.what, Reveal) and review.id in turn.what.reviews for turn in turns):
            return True
        before = [turn.what for turn in turns[: review.sequence] if isinstance(turn.what, Reveal | Reopen)]
        return bool(before) and (isinstance(before[-1], Reveal) or before[-1].to not in ("frozen", "in review"))

    # -- who may see what

    def capacity(self, viewer: Person | None, secret: Secret) -> str:
        """As what somebody meets what a secret is of; "" for those without a column in the table."""
        if viewer is None or viewer.role == "observer":
            return ""
        if viewer.role != "student":
            return viewer.role if self.theirs(viewer, self.author[secret.submission]) else ""
        if self.author[secret.submission] == viewer.id:
            return "author"
        if (secret.submission, viewer.id) not in self.reviewers:
            return "reviewer" if secret.reviewer == viewer.id and secret.thing.startswith("review") else ""
        if secret.reviewer in ("", viewer.id):
            return "reviewer"
        return "fellow" if (secret.submission, viewer.id) in self.given else ""

    def theirs(self, staff: Person, student: str) -> bool:
        """Whether a student is in one of an assistant's sections."""
        return staff.role == "instructor" or bool({*self.sections[staff.id]} & {*self.sections[student]})

    def may(self, viewer: Person | None, secret: Secret, screen: str) -> bool:
        capacity = self.capacity(viewer, secret)
        if not capacity or SCREEN_OF.get(capacity, "sign-off") != screen:
            return False
        shown = secret.shown
        if capacity == "author" and secret.thing.startswith("review"):
            shown = shown and secret.submission in self.evaluated
        if (
            secret.thing in ("submission text", "picture")
            and capacity in ("reviewer", "fellow")
            and self.locked(viewer)
        ):
            return False
        return self.mode in RULES.get((secret.thing, "revealed" if shown else "blind"), {}).get(capacity, ())

    def locked(self, viewer: Person | None) -> bool:
        """Nobody opens a review they owe before their own self-evaluation is in."""
        own = [id for id, author in self.author.items() if viewer and author == viewer.id]
        return bool(own) and own[0] not in self.evaluated

    def names(self, viewer: Person | None, screen: str) -> set[str]:
        """The ids of the students whose names somebody may read on a screen."""
        if viewer is None or viewer.role == "observer":
            return set()
        if viewer.role != "student":
            return {each.id for each in STUDENTS}
        found = {viewer.id, *self.round.mentioned(viewer, screen)}
        for id, author in self.author.items():
            if self.may(viewer, Secret(thing="author's name", word="", submission=id), screen):
                found.add(author)
        for submission, reviewer in self.reviewers:
            shown = any(each.shown for each in self._reviews(submission, reviewer))
            secret = Secret(thing="reviewer's name", word="", submission=submission, reviewer=reviewer, shown=shown)
            if self.may(viewer, secret, screen):
                found.add(reviewer)
        return found

    def forbidden(self, viewer: Person | None, screen: str) -> dict[str, str]:
        """Word -> thing, of all that this person may not find on this screen."""
        asked = (viewer.id if viewer else "", screen)
        if asked not in self.known_forbidden:
            self.known_forbidden[asked] = self._forbidden(viewer, screen)
        return self.known_forbidden[asked]

    def _forbidden(self, viewer: Person | None, screen: str) -> dict[str, str]:
        known = self.names(viewer, screen)
        words = {secret.word: secret.thing for secret in self.secrets if not self.may(viewer, secret, screen)}
        for secret in self.secrets:
            if self.may(viewer, secret, screen):
                words.pop(secret.word, None)
        for each in STUDENTS:
            if each.id not in known:
                words |= dict.fromkeys(each.told, "name") | dict.fromkeys(each.traces, TRACE)
            if not (viewer and (viewer.id == each.id or (screen == "sign-off" and self.theirs(viewer, each.id)))):
                words[each.id] = "id of a person"
        for hour in self.round.hours(viewer):
            words.pop(hour, None)
        own = (viewer.name, viewer.email, viewer.id) if viewer else ()
        return {word: thing for word, thing in words.items() if word and not any(word in each for each in own)}


def _live(turns: Iterable[Turn], kind: type) -> bool:
    """Whether a turn of that kind stands that no Reopen has undone."""
    there = False
    for turn in turns:
        there = (there or isinstance(turn.what, kind)) and not (
            isinstance(turn.what, Reopen) and turn.what.to == "frozen"
        )
    return there


# -- the crawl -------------------------------------------------------------------------------------------------------


class Asked(dict[str, str]):
    """A place that notes by which names it is asked, so that a new name is tried by itself."""

    names: ClassVar[set[str]] = set()
    on: ClassVar[dict[str, set[str]]] = {}
    """The names by which each screen was ever asked."""

    def get(self, name: str, default: Any = None) -> Any:
        Asked.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        Asked.names.add(name)
        return super().__getitem__(name)


def _noting(place: Callable[[object], dict[str, str]]) -> Callable[[object], dict[str, str]]:
    return lambda params: Asked(place(params))


@dataclass
class Crawler:
    """Goes as one person wherever they can, and elsewhere, and keeps what must not have been told."""

    round: Round
    viewer: Person
    facts: Facts
    found: list[Leak] = field(default_factory=list)
    asked: int = 0

    def ask(self, screen: str, address: str, said: Mapping[str, Any]) -> Any:
        """Ask as the page does; the whole answer, headers too, is searched."""
        token = signing.page_token(SECRET, PageToken(person=self.viewer.id, screen=screen, page="p", serial=1))
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(self.round.service.path))
        connection = http.client.HTTPConnection("course")
        connection.sock = line
        headers = {"Authorization": f"Bearer {token}"}
        connection.request("POST", address, json.dumps({"screen": screen, **said}).encode(), headers)
        response = connection.getresponse()
        del response.headers["Date"]
        head, body = str(response.headers).encode(), response.read()
        connection.close()
        self.asked += 1
        if address == "/act" and json.loads(body).get("ok"):
            self.facts = Facts(self.round)  # it may have done something
        where = f"{self.round.state}: {screen} {address} {json.dumps(said)[:90]}"
        forbidden = self.forbidden(screen)
        mentioned = json.dumps(said)  # what they say themselves is not told to them
        self.found += [
            each
            for each in leaks(head + b"\n" + body, forbidden, where=where, viewer=self.viewer.id)
            if each.word not in mentioned
        ]
        return json.loads(body)

    def forbidden(self, screen: str) -> dict[str, str]:
        return self.facts.forbidden(self.viewer, screen)

    def look(self, *, widely: bool = False) -> "Crawler":
        """Every screen, every place that a view offers, and places of others: one of each kind, or (`widely`) some."""
        with mock.patch.object(screens, "_place", _noting(screens._place)):
            for screen in SCREENS:
                self._screen(screen, widely)
        return self

    def _screen(self, screen: str, widely: bool) -> None:
        tried, waiting, first = set[str](), [dict[str, str]()], True
        Asked.names.clear()
        while waiting:
            params = waiting.pop()
            view = self.ask(screen, "/view", {"params": params})
            offered = set(_ids(view)) & self.places()
            others = self.elsewhere(widely) if first and "error" not in view else set()
            first = False
            for id in sorted((offered | others) - tried):
                tried.add(id)
                waiting += [{**view.get("params", {}), name: id} for name in sorted(Asked.names)]
        Asked.on[screen] = Asked.on.get(screen, set()) | Asked.names

    def try_all(self, events: Mapping[tuple[str, str], Any]) -> "Crawler":
        """Every event of every screen, aimed at what is none of this person's business. Changes the round."""
        facts, store = self.facts, self.round.course.store
        submission = next(id for id, author in facts.author.items() if author != self.viewer.id)
        scene = SimpleNamespace(
            submission=submission,
            duty=next(each.id for each in facts.allocations if each.reviewer != self.viewer.id),
            people={"other": STUDENTS[0]},
            course=SimpleNamespace(posts=lambda _: store.posts(facts.author[submission])),
            seen=lambda _: len(facts.dialogues[submission].turns),
            review=lambda: facts.dialogues[submission].turns[-1].id,
        )
        for (screen, kind), event in events.items():
            self.ask(screen, "/act", {"event": {"type": kind} | event(scene, self.viewer)})
        return self

    def places(self) -> set[str]:
        """Ids that may lead somewhere."""
        facts = self.facts
        posts = {each.id for each in self.round.course.store.posts()}
        return {*facts.author, *(each.id for each in facts.allocations), *posts, "river", "new"} | set(facts.known)

    def elsewhere(self, widely: bool) -> set[str]:
        """Ids that are none of this person's business: one of each kind, or (`widely`) some."""
        facts, me = self.facts, self.viewer.id
        kinds = (
            [id for id, author in facts.author.items() if author != me],
            [each.id for each in facts.allocations if each.reviewer != me],
            [each.id for each in self.round.course.store.posts() if each.person != me],
            [id for id in facts.known if id != me],
            [turn.id for each in facts.dialogues.values() for turn in each.turns if turn.by != me],
        )
        return {id for kind in kinds for id in kind[: 4 if widely else 1]}


def _ids(value: object) -> Iterator[str]:
    """Every short word of a view."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _ids(key)
            yield from _ids(each)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each)
    elif isinstance(value, str) and re.fullmatch(r"[\w:.-]{3,64}", value):
        yield value


def crawl(round_: Round, people: Iterable[Person] = EVERYBODY, *, widely: bool = False) -> list[Leak]:
    """What a round in this state tells to whom it must not."""
    facts = Facts(round_)
    return [leak for each in people for leak in Crawler(round_, each, facts).look(widely=widely).found]


def told(found: Iterable[Leak]) -> str:
    """What was found, each word once for each person."""
    first = {(each.thing, each.word, each.viewer): each.where for each in reversed(list(found))}
    return "\n".join(f"{thing}: {word!r} to {viewer} in {where}" for (thing, word, viewer), where in first.items())


# -- pictures, and what is handed out as files -----------------------------------------------------------------------


def of_picture(facts: Facts, viewer: Person | None, name: str, answer: bytes, body: bytes) -> list[Leak]:
    """What a picture tells to somebody who got it: nothing but its pixels, whoever they are and whatever the mode.

    `answer` is what came with its bytes. Whoever may not see it cannot have been told its name, which is drawn at
    random; having it all the same is a leak.
    """
    where, who = f"picture {name}", viewer.id if viewer else "nobody"
    words = {word: "name" for each in STUDENTS for word in each.told}
    words |= {word: TRACE for each in STUDENTS for word in each.traces}
    found = leaks(answer.replace(name.encode(), b""), words, where=where, viewer=who)
    found += leaks(body, words, where=where, viewer=who)
    if beside_the_pixels(body):
        found.append(Leak(thing=METADATA, word=repr(body[:12]), where=where, viewer=who))
    theirs = [each for each in facts.secrets if each.thing == "picture" and each.word == name]
    if not any(facts.may(viewer, each, SCREEN_OF.get(facts.capacity(viewer, each), "sign-off")) for each in theirs):
        found.append(Leak(thing="picture", word=name, where=where, viewer=who))
    return found


def album(round_: Round, people: Iterable[Person] = EVERYBODY) -> list[Leak]:
    """What everybody gets who asks for every picture of the round by its name."""
    facts, found = Facts(round_), list[Leak]()
    for name in {each.word for each in facts.secrets if each.thing == "picture"}:
        for viewer in people:
            try:
                body = round_.course.picture(viewer, name).body
            except Missing as refused:
                found += leaks(str(refused).encode(), facts.forbidden(viewer, ""), where=name, viewer=viewer.id)
            else:
                found += of_picture(facts, viewer, name, b"", body)
    return found


def handed_out(round_: Round, folder: Path) -> list[Leak]:
    """What every export and the workbook tell to the instructor, who may know much and not everything."""
    from reviewkit.sheet import workbook

    course, facts = round_.course, Facts(round_)
    (folder / "course.toml").write_text('[course]\ntitle = "Data Stories"\ntag = "datastories"\n', "utf-8")
    files = dict[str, bytes]()
    for what in exchange.FIELDS:
        rows = list(exports.rows_of(what, course, folder / "course.toml"))
        files[f"{what}.json"] = exchange.as_json(rows).encode()
        files[f"{what}.csv"] = exchange.as_csv(rows, exchange.FIELDS[what]).encode()
    workbook.write(folder / "workbook.xlsx", course.projection())
    files["workbook.xlsx"] = (folder / "workbook.xlsx").read_bytes()
    forbidden = facts.forbidden(PROF, "sign-off")
    return [leak for name, raw in files.items() for leak in leaks(raw, forbidden, where=name, viewer=PROF.id)]
