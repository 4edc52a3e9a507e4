"""A class in which everybody is full of planted words, and a round that its people walk through the real service.

Every planted word stands for one thing of one person and occurs nowhere else, so that finding it means that this thing
was told. `Round.walk` goes from state to state and stops at each.
"""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image, PngImagePlugin

from reviewkit.course import Course
from reviewkit.feeds import clean
from reviewkit.feeds.drawing import remade
from reviewkit.model import Entry, Feed, Mode, Person, Reviews, Setup, Tag
from reviewkit.pictures import Copied, with_copies
from reviewkit.rubric import parse
from reviewkit.store.sql import SqlStore
from tests import cast
from tests.cast import MONDAY, RUBRIC, Clock
from tests.test_service import Running

NAMES = (
    *("Brannoch Quillmere", "Ciorstag Vexholm", "Drusilde Wycklow", "Elsbryn Yarnfold", "Fjordis Zaunkönig"),
    *("Gwyndal Ombersley", "Hildreth Junipa", "Ingmarie Kaldwell", "Jorunne Łęcznik"),
)
IDS = ("kx41", "mv72", "pq93", "rt14", "sw25", "tz36", "vb47", "wd58", "xf69")
PLACES = ("tideloom", "fogquarry", "mossferry", "owlgranary", "saltorchard", "brickheron", "larchtoll", "peatlantern")
PLACES = (*PLACES, "windcooper")
LETTERS = ("Vermeilgrade", "Argentgrade", "Bronzegrade", "Copperish", "Tinnish", "Leadish")
"""Grades that no sentence holds by chance."""
STATES = ("collected", "evaluating", "in review", "revealed", "in the end")
MARK, IMAGE = "Signed with my own hand", "dsc"


@dataclass(frozen=True, kw_only=True)
class Student(Person):
    """Somebody with a site on which everything tells who they are."""

    place: str = ""
    title: str = ""

    @property
    def host(self) -> str:
        return f"{self.place}.example"

    @property
    def image(self) -> str:
        return f"{IMAGE}{self.place}portrait"

    @property
    def nickname(self) -> str:
        return f"Nick{self.place}"

    @property
    def told(self) -> tuple[str, ...]:
        """What names them or leads to them, each part for itself."""
        local, _, domain = self.email.partition("@")
        return (*self.name.split(), self.email, local, domain, self.host, self.place, self.title, self.image)

    @property
    def photo(self) -> str:
        """The address of the picture in their post."""
        return f"https://{self.host}/{self.image}.jpg"

    @property
    def traces(self) -> tuple[str, ...]:
        """What leads from a copy of their picture to where it came from, for whoever can work out a digest."""
        return (sha256(self.photo.encode()).hexdigest(), sha256(taken(self.id)).hexdigest())

    @property
    def piece(self) -> str:
        return f"piecewordof{number(self)}end"

    @property
    def evaluation(self) -> str:
        return f"evaluationwordof{number(self)}end"

    @property
    def typing(self) -> str:
        return f"draftwordof{number(self)}end"

    @property
    def talk(self) -> str:
        """In everything that author and instructor say to each other about this person's grade."""
        return f"dialoguewordof{number(self)}end"


def a_student(number: int) -> Student:
    place = PLACES[number]
    return Student(
        id=f"stud-{IDS[number]}",
        name=NAMES[number],
        email=f"{place[:4]}box{IDS[number]}@post{place[::-1]}.example",
        feeds=(f"https://{place}.example/feed",),
        place=place,
        title=f"The {place.capitalize()} Almanac",
    )


STUDENTS = tuple(map(a_student, range(len(NAMES))))
PROF = Person(id="prof", name="Prof. Adaeze Brandtner", email="brandtner@college.example", role="instructor")
HELPER = Person(id="helper", name="Tia Helmsley", email="helmsley@college.example", role="assistant")
WATCHER = Person(id="watcher", name="Olu Ormond", email="ormond@college.example", role="observer")
EVERYBODY: tuple[Person, ...] = (*STUDENTS, PROF, HELPER, WATCHER)
ABSENT, SILENT, NEGLECTED = STUDENTS[8], STUDENTS[7], STUDENTS[6]
"""Who has no post; who never evaluates their own; whose reviewers do not review."""


@cache
def taken(id: str) -> bytes:
    """Somebody's picture as their camera made it: it says who they are in every place that a file has for that."""
    who = next(each for each in STUDENTS if each.id == id)
    at, out = STUDENTS.index(who), io.BytesIO()
    drawn = Image.new("RGB", (60, 40), (25 * at, 200 - 20 * at, 90))
    drawn.paste((240, 240, 230), (5 * at, 4, 5 * at + 9, 30))
    told: dict[str, Any] = {"exif": in_exif(who), "icc_profile": in_a_profile(who)}
    if at % 2:
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", who.name.split()[0])
        texts.add_text("Comment", who.host, zip=True)
        texts.add_itxt("XML:com.adobe.xmp", in_xmp(who), zip=True)
        drawn.save(out, "PNG", pnginfo=texts, **told)
    else:
        drawn.save(out, "JPEG", comment=who.host.encode(), xmp=in_xmp(who).encode(), **told)
    return out.getvalue()


def in_exif(who: Student) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x9C9D] = who.title, who.email, who.name.encode("utf-16-le")
    return exif


def in_xmp(who: Student) -> str:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><creator>{who.email}</creator></x:xmpmeta>'


def in_a_profile(who: Student) -> bytes:
    """A profile of colours whose description names a screen's owner, in UTF-16 as such profiles have it."""
    return bytes(128) + b"mluc" + bytes(12) + f"{who.place} display".encode("utf-16-be")


def number(who: Person) -> str:
    """Who it is, for words that do not name them."""
    return f"no{IDS.index(who.id.removeprefix('stud-'))}"


def remark(reviewer: Person, author: Person) -> str:
    return f"remark{number(reviewer)}on{number(author)}end"


def unsent(reviewer: Person, author: Person) -> str:
    return f"unsent{number(reviewer)}on{number(author)}end"


def answer(author: Person, reviewer: Person) -> str:
    return f"answer{number(author)}to{number(reviewer)}end"


def companion(who: Person) -> Student:
    """Whom somebody names in their post."""
    return STUDENTS[(STUDENTS.index(who) + 3) % len(STUDENTS)]  # type: ignore[arg-type]


def witness(who: Person) -> Student:
    """Whom somebody names in their reviews."""
    return STUDENTS[(STUDENTS.index(who) + 4) % len(STUDENTS)]  # type: ignore[arg-type]


def signed(who: Person) -> str:
    """Words of a review that say who wrote it."""
    return f"{MARK}: {who.name}"


def setup(mode: Mode, start: datetime) -> Setup:
    plain = cast.a_setup(mode=mode)
    (river,) = plain.assignments
    moved = {
        step: at + (start - MONDAY)
        for step in ("freeze_by", "self_by", "review_by", "answer_by", "sign_by")
        if (at := getattr(river, step))
    }
    return replace(
        plain,
        starts=start - timedelta(days=30),
        reviews=Reviews(count=3, minimum=2, mode=mode),
        scale=LETTERS,
        assignments=(replace(river, **moved),),
    )


def a_post(who: Student, start: datetime, friend: Student | None, copied: Copied) -> Entry:
    """A post with the copy of its picture. It names its author wherever posts do, and (where copies are masked)
    somebody else of the class."""
    local = who.email.split("@")[0]
    also = f"<p>I went with {friend.name} ({friend.email}).</p>" if friend else ""
    html = (
        f"<p>By {who.name}, {who.name.split()[0]} for short, {who.email}, @{local}, of {who.title}.</p>"
        f"<p>The gauge was silent in eleven weeks, says the {who.piece}.</p>{also}"
        f'<p><img src="{who.photo}" alt="{who.name} at the weir" title="{who.image}"></p>'
        f'<p><a href="https://{who.host}/about?by={local}" title="{who.name}">About me</a>, {who.nickname}.</p>'
    )
    cleaned = clean.clean(html, base=f"https://{who.host}/1", pictures=True)
    title = f"What {who.name.split()[0]} counted"
    return Entry(
        guid=f"https://{who.host}/?p=1",
        link=f"https://{who.host}/{who.name.split()[-1]}",
        title=title,
        author=f"{who.name} <{who.email}>",
        published=start - timedelta(days=1),
        tags=(Tag(tag="datastories", found="category"),),
        html=with_copies(cleaned.html, {who.photo: copied}),
        text=cleaned.text,
        digest=clean.digest(title, cleaned.text),
    )


@dataclass
class Round:
    """The class in one course; `state` is how far its round is."""

    path: Path
    mode: Mode = "double-blind"
    start: datetime = MONDAY
    state: str = ""
    acts: list[tuple[str, datetime]] = field(default_factory=list)
    """Who did something, and when."""

    def __post_init__(self) -> None:
        self.clock = Clock(self.start)
        self.course = Course(SqlStore.open(f"sqlite:///{self.path}"), clock=self.clock)
        if self.course.store.setup() is None:
            rubric = parse(RUBRIC, name="data-stories")
            self.course.store.keep_course(setup(self.mode, self.start), EVERYBODY, [rubric])
        self.service = Running(self.course, self.path.with_suffix(".socket"))

    def close(self) -> None:
        self.service.stop()
        self.course.store.close()

    def copied(self, path: Path) -> "Round":
        """The same round on a database of its own, which may be spoiled."""
        with closing(sqlite3.connect(self.path)) as here, closing(sqlite3.connect(path)) as there:
            here.backup(there)
        made = Round(path, self.mode, self.start, state=self.state, acts=list(self.acts))
        made.clock.now = self.clock.now
        return made

    # -- acts, as pages send them

    def act(self, who: Person, screen: str, kind: str, **said: Any) -> dict[str, Any]:
        self.clock.pass_(minutes=7, seconds=13)
        self.acts.append((who.id, self.clock()))
        event = {"type": kind, "request": f"request-{len(self.acts)}", "sure": True, **said}
        reply = self.service.page(who, screen).act(screen, event)
        assert reply["ok"], (who.id, kind, reply)
        return reply

    def hours(self, who: Person | None) -> set[str]:
        """Hours that this person knows anyway: of their own acts, of the dates, of what staff drafts for staff."""
        zone, (river,) = ZoneInfo(self.course.setup.timezone), self.course.setup.assignments
        dates = (river.freeze_by, river.self_by, river.review_by, river.answer_by, river.sign_by, self.clock())
        staff = {PROF.id, HELPER.id} if who in (PROF, HELPER) else set()
        mine = [at for by, at in self.acts if who and by in {who.id, *staff}]
        return {at.astimezone(zone).strftime("%H:%M") for at in (*mine, *dates) if at}

    def mentioned(self, who: Person, screen: str) -> set[str]:
        """The ids of those whom this person names in their own words."""
        if screen == "my-work" and who in STUDENTS and self.mode == "double-blind":
            return {companion(who).id}
        return {witness(who).id} if screen == "reviews" and who in STUDENTS and self.mode != "open" else set()

    def submission(self, who: Person) -> str:
        found = self.course.submission_of(who, self.course.assignment("river"))
        assert found
        return found.id

    def by_author(self, who: Person, kind: str, **said: Any) -> None:
        id = self.submission(who)
        view = self.service.page(who).view("my-work", {"submission": id})
        self.act(who, "my-work", kind, submission=id, seen=view["seen"], **said)

    def by_staff(self, author: Person, kind: str, **said: Any) -> None:
        id = self.submission(author)
        detail = self.service.page(PROF, "sign-off").view("sign-off", {"open": id})["detail"]
        self.act(PROF, "sign-off", kind, submission=id, seen=detail["seen"], **said)
        self.clock.pass_(seconds=30)
        self.course.flush()  # an accept rests for a moment

    def duties(self, who: Person) -> list[tuple[str, Student]]:
        """The id of each review that somebody owes, and whose submission it is of."""
        author = {each.id: each.person for each in self.course.store.submissions()}
        known = {each.id: each for each in STUDENTS}
        return [(each.id, known[author[each.submission]]) for each in self.course.store.allocations(reviewer=who.id)]

    def review(self, who: Student, duty: str, author: Student) -> None:
        """A review in which its writer is careless: it names them, and (unless all is open) somebody else."""
        friend = witness(who)
        also = "" if self.mode == "open" or friend is author else f" {friend.name} says so too."
        self.act(
            who,
            "reviews",
            "send",
            id=duty,
            judgements=levels(1 + (STUDENTS.index(who) % 2), note=f"{remark(who, author)}. {signed(who)}."),
            strengths=f"{remark(who, author)}. {signed(who)}, {who.email}.",
            suggestions=f"See https://{who.host}/ for {remark(who, author)}.{also}",
        )

    # -- the round

    def walk(self) -> Iterator[str]:
        """From state to state."""
        for state, step in zip(
            STATES, (self.collect, self.evaluate, self.give_reviews, self.reveal, self.talk), strict=True
        ):
            step()
            self.state = state
            yield state

    def until(self, state: str) -> "Round":
        for each in self.walk():
            if each == state:
                return self
        raise AssertionError(f"there is no state {state}")

    def collect(self) -> None:
        blind = self.mode == "double-blind"
        for who in STUDENTS[:-1]:
            friend = companion(who) if blind else None
            feed = Feed(person=who.id, url=who.feeds[0], title=who.title)
            copied = self.course.store.keep_picture(who.photo, remade(taken(who.id)), tries=1, at=self.clock())
            assert copied
            self.course.store.keep_pull(feed, [a_post(who, self.start, friend, copied)], seen=self.clock())
            if blind:
                self.act(who, "my-work", "hide", words=[who.nickname], posts=[], submission="")

    def evaluate(self) -> None:
        """Half have sent their self-evaluation, the others are typing."""
        for who in STUDENTS[:-1]:
            post = self.course.posts(who)[0].id
            self.act(who, "my-work", "freeze", assignment="river", posts=[post])
        for place, who in enumerate(STUDENTS[:-1]):
            content = {"strengths": who.typing}
            form = f"self:{self.submission(who)}"
            self.act(who, "my-work", "draft", form=form, revision=1, content=content)
            if place < 4:
                self.self_evaluate(who)

    def self_evaluate(self, who: Student) -> None:
        self.by_author(
            who,
            "submit",
            judgements=levels(2, note=who.evaluation),
            strengths=who.evaluation,
            improvements=who.evaluation,
            grade=LETTERS[STUDENTS.index(who) % len(LETTERS)],
        )

    def give_reviews(self) -> None:
        """Allocated; most reviews are in, some are half written, one is passed on, one submission is neglected."""
        for who in STUDENTS[4:7]:
            self.self_evaluate(who)
        self.clock.now = self.start + timedelta(days=5, hours=1)
        self.course.advance()
        if self.mode == "double-blind":
            duty, _ = next(each for each in self.duties(STUDENTS[0]) if each[1] is not NEGLECTED)
            self.act(STUDENTS[0], "reviews", "pass-on", id=duty)
        for who in STUDENTS[:7]:
            for place, (duty, author) in enumerate(self.duties(who)):
                content = {"strengths": unsent(who, author)}
                self.act(who, "reviews", "draft", form=f"review:{duty}", revision=1, content=content)
                if author is not NEGLECTED and not (who is STUDENTS[1] and place == 0):
                    self.review(who, duty, author)

    def reveal(self) -> None:
        self.clock.now = self.start + timedelta(days=10, hours=1)
        self.course.advance()

    def talk(self) -> None:
        """Everything that is rare, each in another dialogue."""
        late = [
            (who, duty, author)
            for who in STUDENTS[:7]
            for duty, author in self.duties(who)
            if author is NEGLECTED or who is STUDENTS[1]
        ]
        for who, duty, author in late[:-1]:
            if not any(
                turn.kind == "review" and turn.by == who.id
                for turn in self.course.store.dialogue(self.submission(author)).turns
            ):
                self.review(who, duty, author)
        self.by_staff(NEGLECTED, "own-review", judgements=levels(0), strengths="Two marks.", suggestions="Log.")
        for who in STUDENTS[:7]:
            if not any(turn.kind == "reveal" for turn in self.course.store.dialogue(self.submission(who)).turns):
                self.by_staff(who, "waive", reason=f"Nobody else comes: {who.talk}.")
        for who in STUDENTS[:6]:
            self.answer_all(who)
        first, second, third, fourth, fifth, sixth, *_ = STUDENTS
        self.by_staff(first, "discuss", word=first.talk, grade=LETTERS[2], judgements=levels(0, note=first.talk))
        self.by_author(first, "reply", said={"text": first.talk})
        self.by_staff(second, "recognise", word=second.talk, suggestions=second.talk)
        self.by_staff(second, "accept", word=second.talk, grade=LETTERS[1])
        self.by_author(second, "sign")
        self.by_author(second, "ask-to-reopen", text=second.talk)
        self.by_staff(third, "decide", word=third.talk, grade=LETTERS[3], judgements=levels(1))
        self.by_author(third, "dissent", text=third.talk)
        self.by_staff(fourth, "accept", word=fourth.talk, grade=LETTERS[3])
        self.by_staff(fourth, "reopen", choice="with instructor", reason=fourth.talk)
        self.by_staff(fifth, "withdraw", reason=fifth.talk)
        self.by_staff(sixth, "exempt", reason=sixth.talk)
        self.by_staff(sixth, "restore", reason=sixth.talk)
        content = {"word": HELPER_WORD}
        form = f"staff:{self.submission(fourth)}"
        self.act(HELPER, "sign-off", "draft", form=form, revision=1, content=content)

    def answer_all(self, who: Student) -> None:
        """An answer to every review, as careless as the reviews."""
        turns = self.course.store.dialogue(self.submission(who)).turns
        shown = {turn.id for turn in self.course.dialogue(self.submission(who), who).turns}
        known = {each.id: each for each in STUDENTS}
        for turn in {turn.by: turn for turn in turns if turn.kind == "review" and turn.id in shown}.values():
            text = f"{answer(who, known[turn.by])}, yours {who.name} of {who.host}."
            self.by_author(who, "answer", said={"review": turn.id, "text": text, "rating": ["kind"], "thanks": True})


HELPER_WORD = "helperdraftword"


def levels(level: int, note: str = "") -> list[dict[str, Any]]:
    return [{"criterion": criterion, "level": level, "note": note, "quote": ""} for criterion in ("claim", "evidence")]
