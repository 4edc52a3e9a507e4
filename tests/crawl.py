"""A crawler that looks for leaks: it asks the service for all that somebody can ask for, and searches the answers.

What may be where is `TABLE`; which words stand for it, `secrets`; how it is looked for, `leaks`. See crawl_course for
the class.
"""

import base64
import binascii
import gzip
import http.client
import json
import re
import socket
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest import mock
from urllib.parse import unquote_to_bytes

from reviewkit import screens, signing
from reviewkit.model import Answer, Freeze, Person, Reopen, Reveal, Review, SelfEvaluation, Turn
from reviewkit.screens import SCREENS
from reviewkit.screens.dates import zone_of
from reviewkit.signing import PageToken
from tests.crawl_course import EVERYBODY, HELPER_WORD, LETTERS, STUDENTS, Round, answer, remark, signed, unsent
from tests.test_service import SECRET

TABLE = """
thing                       | when     | author | reviewer    | fellow      | instructor | assistant
submission text             | blind    | yes    | yes         | yes         | yes        | yes
submission text             | revealed | yes    | yes         | yes         | yes        | yes
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


@dataclass(frozen=True, kw_only=True)
class Leak:
    thing: str
    word: str
    where: str
    viewer: str


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
            return viewer.role
        if self.author[secret.submission] == viewer.id:
            return "author"
        if (secret.submission, viewer.id) not in self.reviewers:
            return "reviewer" if secret.reviewer == viewer.id and secret.thing.startswith("review") else ""
        if secret.reviewer in ("", viewer.id):
            return "reviewer"
        return "fellow" if (secret.submission, viewer.id) in self.given else ""

    def may(self, viewer: Person | None, secret: Secret, screen: str) -> bool:
        capacity = self.capacity(viewer, secret)
        if not capacity or SCREEN_OF.get(capacity, "sign-off") != screen:
            return False
        shown = secret.shown
        if capacity == "author" and secret.thing.startswith("review"):
            shown = shown and secret.submission in self.evaluated
        if secret.thing == "submission text" and capacity in ("reviewer", "fellow") and self.locked(viewer):
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
                words |= dict.fromkeys(each.told, "name")
            if not (viewer and (viewer.id == each.id or screen == "sign-off")):
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


# -- how it is looked for --------------------------------------------------------------------------------------------

CODED = re.compile(rb"[A-Za-z0-9+/_-]{10,}={0,2}")
LONGEST_CODED = 20_000


def readings(raw: bytes, deep: int = 3) -> Iterator[str]:
    """Bytes as they can be read: unpacked, and each part that is encoded (JSON, percent, HTML, base64) decoded."""
    if raw[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError, zlib.error):
            yield from readings(gzip.decompress(raw), deep - 1)
            return
    text = raw.decode("utf-8", "replace")
    yield text
    if not deep:
        return
    others = set[bytes]()
    if "\\u" in text or "\\x" in text:
        others.add(re.sub(r"\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2}))", _sign, text, flags=re.I).encode())
    if re.search(r"%[0-9A-Fa-f]{2}", text):
        others.add(unquote_to_bytes(text))
    if re.search(r"&#?\w+;", text):
        others.add(unescape(text).encode("utf-8", "replace"))
    others |= set(_coded(raw))
    for other in others - {raw}:
        yield from readings(other, deep - 1)


def _sign(found: re.Match[str]) -> str:
    sign = chr(int(next(filter(None, found.groups())), 16))
    return sign if not "\ud800" <= sign <= "\udfff" else "?"


def _coded(raw: bytes) -> Iterator[bytes]:
    """What base64 (at any of its four places) and deflate hide, where it is text or packed."""
    for run in CODED.findall(raw):
        if len(run) > LONGEST_CODED:
            continue
        for start in range(4):
            part = run[start:].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
            part = part[: len(part) - (len(part) % 4 == 1)]
            with suppress(binascii.Error):
                found = base64.b64decode(part + b"=" * (-len(part) % 4))
                with suppress(zlib.error):
                    found = zlib.decompress(found)
                if found[:2] == b"\x1f\x8b" or _is_text(found):
                    yield found


def _is_text(found: bytes) -> bool:
    """Enough of it is readable to hold a word."""
    return re.search(rb"[\w .@-]{4,}", found) is not None


@lru_cache(4000)
def _forms(word: str) -> tuple[str, str]:
    return plain(word), bare(word)


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def bare(text: str) -> str:
    """Without accents, as addresses and file names have it."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def leaks(raw: bytes, forbidden: Mapping[str, str], *, where: str, viewer: str) -> list[Leak]:
    """Every forbidden word in these bytes, however it is written."""
    found = dict[str, str]()
    for text in readings(raw):
        there = plain(text)
        there_bare = there if there.isascii() else bare(text)
        for word, thing in forbidden.items():
            form, bare_form = _forms(word)
            if word not in found and (form in there or bare_form in there_bare):
                found[word] = thing
    return [Leak(thing=thing, word=word, where=where, viewer=viewer) for word, thing in found.items()]


# -- the crawl -------------------------------------------------------------------------------------------------------


class Asked(dict[str, str]):
    """A place that notes by which names it is asked, so that a new name is tried by itself."""

    names: ClassVar[set[str]] = set()

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
        """Every screen, every place that a view offers, and places of others: one of each kind, or (`widely`) all."""
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
            offered = set(_ids(view)) if widely else set(_ids(view)) & self.places()
            others = self.elsewhere(widely) if first and "error" not in view else set()
            first = False
            for id in sorted((offered | others) - tried):
                tried.add(id)
                waiting += [{**view.get("params", {}), name: id} for name in sorted(Asked.names)]

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
        """Ids that are none of this person's business."""
        facts, me = self.facts, self.viewer.id
        kinds = (
            [id for id, author in facts.author.items() if author != me],
            [each.id for each in facts.allocations if each.reviewer != me],
            [each.id for each in self.round.course.store.posts() if each.person != me],
            [id for id in facts.known if id != me],
            [turn.id for each in facts.dialogues.values() for turn in each.turns if turn.by != me],
        )
        return {id for kind in kinds for id in (kind if widely else kind[:1])}


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
