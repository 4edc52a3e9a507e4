"""Nobody is told what is not for them: the crawler finds nothing, and a leak that is planted makes it find something.

`TABLE` in tests/crawl.py says who may see what. All combinations of state, mode and person are in soak/test_leaks.py.
"""

import base64
import gzip
import html
import io
import json
import logging
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from PIL import Image, PngImagePlugin

from reviewkit import copies, entrance, exchange, logs, reading, reminders, service, visibility
from reviewkit.config import Mail
from reviewkit.course import Course
from reviewkit.errors import Missing
from reviewkit.model import Mode, Person
from reviewkit.reminding import REMINDER, Reminding
from reviewkit.screens import my_submission, my_work, reviews
from reviewkit.sheet import projection
from reviewkit.store import Letter
from reviewkit.store.sql import SqlStore
from tests import big_class, cast
from tests.cast import Clock
from tests.crawl import (
    METADATA,
    PLACES,
    TRACE,
    Asked,
    Crawler,
    Facts,
    Secret,
    album,
    crawl,
    handed_out,
    of_picture,
    told,
)
from tests.crawl_course import EVERYBODY, HELPER, NEGLECTED, PROF, SILENT, STUDENTS, WATCHER, Round, taken
from tests.crawl_words import Leak, beside_the_pixels, leaks, readings
from tests.test_service import SECRET
from tests.test_verbs import EVENTS

SOME = (STUDENTS[0], STUDENTS[1], STUDENTS[6], STUDENTS[7], HELPER, WATCHER)
"""Whom the quick crawl goes as, where it does not go as everybody."""


@pytest.fixture(scope="module")
def rounds(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Round]]:
    """One double-blind round, kept while reviews are written and at its end."""
    there = dict[str, Round]()
    walked = Round(_copy(made_sqlite, tmp_path_factory.mktemp("leaks")))
    try:
        for state in walked.walk():
            if state in ("in review", "in the end"):
                there[state] = walked.copied(tmp_path_factory.mktemp("leaks") / "course.db")
        yield there
    finally:
        for each in (walked, *there.values()):
            each.close()


def _copy(made: Path, folder: Path) -> Path:
    (folder / "course.db").write_bytes(made.read_bytes())
    return folder / "course.db"


# -- nothing is found


@pytest.mark.parametrize("state", ["in review", "in the end"])
def test_nobody_is_told_what_is_not_for_them(rounds: dict[str, Round], state: str) -> None:
    assert told(crawl(rounds[state])) == ""


@pytest.mark.parametrize("mode", ["reviewers-hidden", "open"])
def test_nor_in_the_other_modes(made_sqlite: Path, tmp_path: Path, mode: Mode) -> None:
    round_ = Round(_copy(made_sqlite, tmp_path), mode)
    try:
        for state in round_.walk():
            if state in ("in review", "revealed"):
                assert told(crawl(round_, SOME)) == ""
            if state == "revealed":
                return
    finally:
        round_.close()


@pytest.mark.parametrize("state", ["in review", "in the end"])
def test_nor_is_who_tries_what_is_not_theirs(rounds: dict[str, Round], state: str, tmp_path: Path) -> None:
    spoiled = rounds[state].copied(tmp_path / "course.db")
    try:
        for who in (STUDENTS[2], HELPER, WATCHER):
            assert told(Crawler(spoiled, who, Facts(spoiled)).try_all(EVENTS).found) == ""
    finally:
        spoiled.close()


@pytest.mark.parametrize("state", ["in review", "in the end"])
def test_nor_is_an_assistant_of_a_section_told_of_another(
    rounds: dict[str, Round], state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_ = rounds[state].copied(tmp_path / "course.db")
    try:
        divided(round_)
        assert told(crawl(round_, [HELPER], widely=True)) == ""
        assert told(album(round_, [HELPER])) == ""
        monkeypatch.setattr(visibility, "in_care", lambda *_: True)  # the test of the test
        things = {each.thing for each in crawl(round_, [HELPER])}
        assert {"submission text", "submission's id", "id of a person"} <= things
        assert {each.thing for each in album(round_, [HELPER])} == {"picture"}
    finally:
        round_.close()


def divided(round_: Round) -> None:
    """Half of the class on Mondays, with the assistant; half on Tuesdays."""
    halves = [replace(who, sections=("tue" if at % 2 else "mon",)) for at, who in enumerate(STUDENTS)]
    round_.course.store.keep_course(round_.course.setup, [*halves, replace(HELPER, sections=("mon",))], [])


def test_the_order_of_reviews_and_of_the_queue_says_nothing(many: Course) -> None:
    assert ordered(many) == []


def test_the_log_and_letters_name_nobody(rounds: dict[str, Round]) -> None:
    assert told(log_of(rounds["in review"])) == ""
    assert told(letter_of(rounds["in review"], STUDENTS[0])) == ""


@pytest.mark.parametrize("state", ["in review", "in the end"])
def test_nor_do_reminders_and_calendars(rounds: dict[str, Round], state: str) -> None:
    assert [leak for who in EVERYBODY for leak in dates_of(rounds[state], who)] == []


@pytest.mark.parametrize("state", ["in review", "in the end"])
def test_nor_do_pictures_by_their_names_or_by_what_stands_beside_their_pixels(
    rounds: dict[str, Round], state: str
) -> None:
    assert told(album(rounds[state])) == ""


@pytest.mark.parametrize("state", ["in review", "in the end"])
def test_nor_do_exports_and_the_workbook_tell_what_was_not_sent(
    rounds: dict[str, Round], state: str, tmp_path: Path
) -> None:
    assert told(handed_out(rounds[state], tmp_path)) == ""


def test_the_crawler_went_where_there_is_something(rounds: dict[str, Round]) -> None:
    """Else it would find nothing anywhere: everybody has been shown all that the table lets them see, in the end."""
    facts = Facts(rounds["in the end"])
    Asked.on.clear()
    for who in (STUDENTS[0], PROF):
        crawler = Everything(rounds["in the end"], who, facts)
        crawler.look()
        shown = {each.word for each in crawler.found}
        screens_of = ("sign-off",) if who is PROF else ("my-work", "reviews")
        things = {"submission text", "picture", "review", "answer to a review", "dialogue"}
        if who is PROF:
            things |= {"reviewer's name", "assistant's draft"}
        there = [each for each in facts.secrets if each.thing in things and was_said(facts, each)]
        missing = [
            each for each in there for screen in screens_of if facts.may(who, each, screen) and each.word not in shown
        ]
        assert missing == []
    assert Asked.on == PLACES


def was_said(facts: Facts, secret: Secret) -> bool:
    """Whether it has come to that: of some there was no dialogue, and some reviews were never sent."""
    if secret.thing == "dialogue":
        return facts.author[secret.submission] != SILENT.id
    return secret.thing != "reviewer's name" or (secret.submission, secret.reviewer) in facts.given


class Everything(Crawler):
    """A crawler that finds whatever stands for something."""

    def forbidden(self, screen: str) -> dict[str, str]:
        return {each.word: each.thing for each in self.facts.secrets}


# -- how it is looked for


@pytest.mark.parametrize(
    "written",
    [
        lambda word: word,
        lambda word: word.upper(),
        lambda word: json.dumps(word),
        lambda word: json.dumps(json.dumps(word)),
        lambda word: quote(word),
        lambda word: quote(quote(word)),
        lambda word: "".join(f"&#{ord(sign)};" for sign in word),
        lambda word: "".join(f"&#x{ord(sign):x};" for sign in word),
        lambda word: html.escape(word),
        lambda word: base64.b64encode(word.encode()).decode(),
        lambda word: base64.urlsafe_b64encode(f"x{word}".encode()).decode(),
        lambda word: f"abc{base64.b64encode(word.encode()).decode()}",
        lambda word: base64.b64encode(gzip.compress(word.encode())).decode(),
        lambda word: json.dumps({word: 1}),
    ],
)
@pytest.mark.parametrize("word", ["Zaunkönig", "fogquarry.example", "Łęcznik"])
def test_a_word_is_found_however_it_is_written(word: str, written: Callable[[str], str]) -> None:
    raw = f'{{"key": "before {written(word)} after"}}'.encode()
    for sent in (raw, gzip.compress(raw)):
        assert leaks(sent, {word: "name"}, where="", viewer="") != []


def test_a_word_is_found_in_a_file_of_a_workbook() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/sharedStrings.xml", "<t>of Zaunk&#xF6;nig</t>")
        made.writestr("docProps/by-Łęcznik.xml", "")
    for word in ("Zaunkönig", "Łęcznik"):
        assert leaks(packed.getvalue(), {word: "name"}, where="", viewer="")


def with_metadata(kind: str, **told: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), (90, 160, 30)).save(out, kind, **told)
    return out.getvalue()


def with_a_text(word: str, how: str) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("Author", word, zip=True) if how == "itxt" else texts.add_text("Author", word, zip=how == "ztxt")
    return with_metadata("PNG", pnginfo=texts)


def exif_of(tag: int, value: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[tag] = value
    return exif


NAME = STUDENTS[2].name.split()[1]
"""What the metadata of these pictures say."""


@pytest.mark.parametrize(
    "body",
    [
        *(with_metadata(kind, exif=exif_of(0x013B, NAME)) for kind in ("JPEG", "PNG", "WEBP")),
        *(with_metadata(kind, exif=exif_of(0x9C9D, NAME.encode("utf-16-le"))) for kind in ("JPEG", "PNG", "WEBP")),
        *(with_metadata(kind, icc_profile=b"mluc" + NAME.encode("utf-16-be")) for kind in ("JPEG", "PNG", "WEBP")),
        *(with_metadata(kind, xmp=f"<creator>{NAME}</creator>".encode()) for kind in ("JPEG", "WEBP")),
        with_metadata("JPEG", comment=NAME.encode()),
        *(with_a_text(NAME, how) for how in ("text", "ztxt", "itxt")),
        *(with_metadata(kind) + b"by " + NAME.encode() for kind in ("JPEG", "PNG", "WEBP")),
    ],
    ids=[
        *(f"{what} in {kind}" for what in ("EXIF", "EXIF in UTF-16", "a profile") for kind in ("JPEG", "PNG", "WebP")),
        *("XMP in JPEG", "XMP in WebP", "a comment", "a text", "a packed text", "an international text"),
        *(f"behind the end of {kind}" for kind in ("JPEG", "PNG", "WebP")),
    ],
)
def test_a_word_beside_the_pixels_of_a_picture_is_found(body: bytes) -> None:
    assert beside_the_pixels(body)
    assert leaks(body, {NAME: "name"}, where="", viewer="")
    assert not leaks(body, {"Ombersley": "name"}, where="", viewer="")


def test_a_picture_of_pixels_alone_holds_nothing_beside_them() -> None:
    assert [beside_the_pixels(with_metadata(kind)) for kind in ("PNG", "WEBP")] == [[], []]
    assert all(leaks(taken(each.id), {each.place: "name"}, where="", viewer="") for each in STUDENTS)


def test_a_name_without_its_accents_is_found_and_other_words_are_not() -> None:
    assert leaks(b"/pictures/zaunkonig-at-the-weir.jpg", {"Zaunkönig": "name"}, where="", viewer="")
    assert not leaks(b"The gauge was silent in eleven weeks.", {"Zaunkönig": "name"}, where="", viewer="")
    assert len(list(readings(b"plain words"))) == 1


# -- a planted leak of each kind is found

Plant = Callable[[pytest.MonkeyPatch, Round], None]


def author_of(round_: Round, duty: str) -> Person:
    """Whose submission a review is of."""
    facts = Facts(round_)
    submission = next(each.submission for each in facts.allocations if each.id == duty)
    return facts.known[facts.author[submission]]


def one_more_key(word: Callable[[Round, str], str]) -> Plant:
    """The queue of reviews tells a word more, of the submission that a review (its id) is of."""

    def plant(patch: pytest.MonkeyPatch, round_: Round) -> None:
        card = reviews.Scene.card

        def more(self: reviews.Scene, duty: reading.Duty, *rest: Any) -> dict[str, Any]:
            return card(self, duty, *rest) | {"more": word(round_, duty.id)}

        patch.setattr(reviews.Scene, "card", more)

    return plant


def of_author(word: Callable[[Any], str]) -> Plant:
    return one_more_key(lambda round_, duty: word(author_of(round_, duty)))


def in_my_work(key: Callable[[Round, Person, str], object]) -> Plant:
    """My work tells one thing more of a submission."""

    def plant(patch: pytest.MonkeyPatch, round_: Round) -> None:
        place = my_submission.Own.place

        def more(self: my_submission.Own, id: str) -> dict[str, Any]:
            return place(self, id) | {"more": key(round_, self.viewer, id)}

        patch.setattr(my_submission.Own, "place", more)

    return plant


def replaced(where: object, name: str, by: object) -> Plant:
    return lambda patch, round_: patch.setattr(where, name, by)


def a_header(patch: pytest.MonkeyPatch, round_: Round) -> None:
    answer = service._with_mark

    def with_more(told_: tuple[dict[str, Any], str]) -> web.Response:
        response = answer(told_)
        response.headers["Last-Editor"] = quote(STUDENTS[3].name)
        return response

    patch.setattr(service, "_with_mark", with_more)


def an_error(patch: pytest.MonkeyPatch, round_: Round) -> None:
    def refuse(self: Course, submission: str, viewer: Person) -> None:
        author = self.store.dialogue(submission).submission.person
        if author != viewer.id:
            raise Missing(f"This submission belongs to {self.person(author).name}.")
        return seen(self, submission, viewer)

    seen: Any = reading.Reading.dialogue
    patch.setattr(reading.Reading, "dialogue", refuse)


def exact_times(patch: pytest.MonkeyPatch, round_: Round) -> None:
    blind = visibility._other_review

    def exact(turn: Any, **more: Any) -> visibility.SeenTurn:
        return replace(blind(turn, **more), at=turn.at, day_only=False)

    patch.setattr(visibility, "_other_review", exact)


def times_in_seconds(round_: Round, viewer: Person, id: str) -> object:
    turns = round_.course.store.dialogue(id).turns
    return [turn.at.timestamp() for turn in turns if turn.kind == "review"]


def allocations(round_: Round, viewer: Person, id: str) -> object:
    return [each.id for each in round_.course.store.allocations() if each.submission == id]


def drafts_of_reviews(round_: Round, viewer: Person, id: str) -> object:
    store = round_.course.store
    found = [store.draft(each.reviewer, f"review:{each.id}") for each in store.allocations() if each.submission == id]
    return [draft.content for draft in found if draft]


def pseudonym_of_another(round_: Round, duty: str) -> str:
    facts = Facts(round_)
    mine = next(each for each in facts.allocations if each.id == duty)
    others = {id for id, reviewer in facts.reviewers if reviewer == mine.reviewer}
    return next(
        each.submission.pseudonym
        for id, each in facts.dialogues.items()
        if id not in others and each.submission.person != mine.reviewer
    )


def submission_id(round_: Round, duty: str) -> str:
    return next(each.submission for each in round_.course.store.allocations() if each.id == duty)


def unmasked(self: copies.Copies, submission: Any, *, masked: bool, opened: Any = None) -> object:
    return self._copied(submission.person, submission.revisions, masked=False)


def early(turns: Any) -> bool:
    return True


IN_REVIEW: Mapping[str, tuple[str, Plant]] = {
    "a name": ("name", of_author(lambda who: who.name)),
    "half a name, in capitals": ("name", of_author(lambda who: who.name.split()[1].upper())),
    "a name in base64": ("name", of_author(lambda who: base64.b64encode(who.name.encode()).decode())),
    "a name packed": ("name", of_author(lambda who: base64.b64encode(gzip.compress(who.name.encode())).decode())),
    "a name as HTML": ("name", of_author(lambda who: "".join(f"&#{ord(sign)};" for sign in who.name))),
    "a name in an address": ("name", of_author(lambda who: f"/by/{quote(who.name)}")),
    "the name of a mailbox": ("name", of_author(lambda who: who.email.split("@")[0])),
    "the domain of a mailbox": ("name", of_author(lambda who: who.email.split("@")[1])),
    "a host": ("name", of_author(lambda who: who.host)),
    "the title of a feed": ("name", of_author(lambda who: who.title)),
    "the name of a picture's file": ("name", of_author(lambda who: f"{who.image}-800x600.webp")),
    "the address of a picture": ("name", of_author(lambda who: who.photo)),
    "a name that is the digest of a picture's address": (TRACE, of_author(lambda who: who.traces[0])),
    "a name that is the digest of a picture": (TRACE, of_author(lambda who: who.traces[1])),
    "a hidden word": ("author's hidden words", of_author(lambda who: who.nickname)),
    "the id of a person": ("id of a person", of_author(lambda who: who.id)),
    "the id of a submission": ("submission's id", one_more_key(submission_id)),
    "a self-evaluation": ("self-evaluation", of_author(lambda who: who.evaluation)),
    "what somebody types": ("self-evaluation not sent", of_author(lambda who: who.typing)),
    "a grade": ("grade", of_author(lambda who: "vermeilgrade")),
    "the pseudonym of another submission": ("author's pseudonym", one_more_key(pseudonym_of_another)),
    "a post that is not masked": ("name", replaced(copies.Copies, "_copies", unmasked)),
    "a review before its time": (
        "review",
        in_my_work(lambda round_, who, id: [str(turn.what) for turn in round_.course.store.dialogue(id).turns]),
    ),
    "when reviews were written": ("review's hour", in_my_work(times_in_seconds)),
    "which reviews are owed": ("review's allocation", in_my_work(allocations)),
    "reviews that are half written": ("review that is not sent", in_my_work(drafts_of_reviews)),
    "a submission before one's own is evaluated": (
        "submission text",
        replaced(reading.Reading, "_locked", lambda self, who, allocation: ""),
    ),
    "a header": ("name", a_header),
    "an error": ("name", an_error),
}
IN_THE_END: Mapping[str, tuple[str, Plant]] = {
    "the hour of a review": ("review's hour", exact_times),
    "a review that names its writer": (
        "reviewer's name",
        replaced(copies.Copies, "_veiled", lambda self, text, reviewer, author, known: text),
    ),
    "the dialogue about a grade": ("dialogue", of_author(lambda who: who.talk)),
    "which allocation a review is": ("review's allocation", in_my_work(allocations)),
}


@pytest.mark.parametrize(
    ("state", "kind"), [*(("in review", kind) for kind in IN_REVIEW), *(("in the end", kind) for kind in IN_THE_END)]
)
def test_a_planted_leak_is_found(
    rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch, state: str, kind: str
) -> None:
    thing, plant = {"in review": IN_REVIEW, "in the end": IN_THE_END}[state][kind]
    plant(monkeypatch, rounds[state])
    # Whose work has a review that is half written, and who is refused with an error, is for the allocation to say.
    who = STUDENTS if kind in ("reviews that are half written", "an error") else (STUDENTS[1], STUDENTS[7])
    assert is_found(thing, rounds[state], who)


class Found(Exception):
    """What was planted was found."""


@dataclass
class Seeker(Crawler):
    """A crawler that goes no further once it has found one thing."""

    thing: str = ""

    def ask(self, screen: str, address: str, said: Mapping[str, Any]) -> Any:
        answer = super().ask(screen, address, said)
        if any(each.thing == self.thing for each in self.found):
            raise Found
        return answer


def is_found(thing: str, round_: Round, people: Iterable[Person]) -> bool:
    facts = Facts(round_)
    try:
        for who in people:
            Seeker(round_, who, facts, thing=thing).look()
    except Found:
        return True
    return False


def test_flags_for_an_assistant_and_the_hour_of_a_review_are_found(
    rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        visibility,
        "_for_assistant",
        lambda dialogue, viewer, people, mode, veil: visibility._for_staff(
            dialogue.turns, dialogue, viewer, people, names=False
        ),
    )
    found = {each.thing for each in crawl(rounds["in the end"], [HELPER])}
    assert {"reviewer's name", "review's hour"} <= found


def test_a_picture_that_was_not_drawn_anew_is_found(rounds: dict[str, Round], tmp_path: Path) -> None:
    spoiled = rounds["in review"].copied(tmp_path / "course.db")
    try:
        with closing(sqlite3.connect(spoiled.path)) as db, db:
            for (name,) in db.execute("SELECT name FROM pictures").fetchall():
                db.execute("UPDATE pictures SET body = ? WHERE name = ?", (taken(STUDENTS[3].id), name))
        assert {each.thing for each in album(spoiled, [PROF])} == {"name", METADATA}
    finally:
        spoiled.close()


def test_a_picture_for_somebody_who_does_not_review_it_is_found(
    rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading.Reading, "_reads", lambda *_: True)
    assert {each.thing for each in album(rounds["in review"], [WATCHER])} == {"picture"}


def test_a_picture_before_ones_own_is_evaluated_is_found(
    rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading.Reading, "_unevaluated", lambda *_: False)
    assert {each.thing for each in album(rounds["in review"], [SILENT])} == {"picture"}


def test_what_comes_with_a_picture_and_leads_to_its_author_is_found(rounds: dict[str, Round]) -> None:
    facts = Facts(rounds["in review"])
    secret = next(each for each in facts.secrets if each.thing == "picture")
    who = STUDENTS[4]
    for head, thing in (
        (f"Etag: {who.traces[0]}", TRACE),
        (f"Content-Disposition: inline; filename={who.image}.webp", "name"),
    ):
        found = of_picture(facts, PROF, secret.word, head.encode(), b"")
        assert {each.thing for each in found} == {thing}


def test_what_somebody_types_in_an_export_and_in_the_workbook_is_found(
    rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    submissions, words = exchange.submissions, projection._words
    monkeypatch.setattr(
        exchange, "submissions", lambda given: [{**row, "more": STUDENTS[3].typing} for row in submissions(given)]
    )
    monkeypatch.setattr(projection, "_words", lambda what: f"{words(what)} {STUDENTS[4].typing}")
    found = handed_out(rounds["in the end"], tmp_path)
    assert {each.where for each in found} == {"submissions.json", "submissions.csv", "workbook.json"} | {
        "workbook.csv",
        "workbook.xlsx",
    }


# -- orders


@pytest.fixture(scope="module")
def many(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """A class in which everybody has five reviews, sent in the order of the roster, and revealed."""
    store = SqlStore.open(f"sqlite:///{_copy(made_sqlite, tmp_path_factory.mktemp('many'))}")
    clock = Clock()
    course = big_class.a_big_course(store, clock, count=5)
    writers = big_class.STUDENTS[:-1]
    for who in writers:
        post = course.candidates(who, course.assignment("river"))[0]
        made = course.freeze(who, "river", [post.id])
        course.self_evaluate(who, made, cast.a_self_evaluation(), seen=1)
    course.allocate(course.plan("river", seed=1))
    for who in writers:
        for duty in course.duties(who):
            clock.pass_(minutes=11)
            course.review(who, duty.id, cast.levels(), "Fine.", "More.")
    course.reveal("river", by=big_class.PROFS[0])
    yield course
    store.close()


def ordered(course: Course) -> list[str]:
    """In which ways the lists that people see are in an order that tells something; by chance in no run."""
    store = course.store
    place = {each.id: number for number, each in enumerate(big_class.STUDENTS)}
    author = {each.id: each.person for each in store.submissions()}
    lists = dict[str, list[list[Any]]]()
    for each in store.dialogues():
        by = {turn.what.pseudonym: turn for turn in each.turns if turn.kind == "review"}  # type: ignore[union-attr]
        who = course.person(each.submission.person)
        view = my_work.view(course.glance(), who, {"submission": each.submission.id})
        seen = [by[item["name"]] for item in view["turns"] if item["kind"] == "review"]
        lists.setdefault("reviews by time", []).append([turn.at for turn in seen])
        lists.setdefault("reviews by reviewer", []).append([place[turn.by] for turn in seen])
        lists.setdefault("reviews by pseudonym", []).append([turn.what.pseudonym for turn in seen])  # type: ignore[union-attr]
        lists.setdefault("reviews by the ids of their turns", []).append([turn.id for turn in seen])
    for who in big_class.STUDENTS[:-1]:
        whose = {each.id: place[author[each.submission]] for each in store.allocations(reviewer=who.id)}
        queue = reviews.view(course.glance(), who, {})["queue"]
        lists.setdefault("queue by author", []).append([whose[card["id"]] for card in queue])
    found = list[str]()
    for name, all_ in lists.items():
        if all(each == sorted(each) for each in all_) or all(each == sorted(each, reverse=True) for each in all_):
            found.append(name)
    return found


def test_an_order_that_says_who_was_first_is_found(many: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = visibility._revealed

    def as_sent(turns: Any, *rest: Any) -> list[visibility.SeenTurn]:
        place = {turn.id: turn.sequence for turn in turns}
        return sorted(drawn(turns, *rest), key=lambda turn: place[turn.id])

    monkeypatch.setattr(visibility, "_revealed", as_sent)
    assert "reviews by time" in ordered(many)


# -- letters and the log

MAIL = Mail(host="localhost", port=25, security="none", user="", sender="course@reviews.example", password_file=None)


def log_of(round_: Round) -> list[Leak]:
    """What the service's log tells, as it is written, while some of the class look around."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.Wordless(logs.Plain()))
    log = logging.getLogger(logs.OURS)
    log.addHandler(handler)
    before, log.level = log.level, logging.DEBUG
    try:
        crawl(round_, (STUDENTS[1], WATCHER))
    finally:
        log.removeHandler(handler)
        log.level = before
    assert written.getvalue(), "refusals are logged"
    return leaks(written.getvalue().encode(), Facts(round_).forbidden(None, "log"), where="the log", viewer="log")


def letter_of(round_: Round, who: Person) -> list[Leak]:
    """What a letter with a new link tells."""
    sent = list[str]()

    def send(server: object, to: str, subject: str, text: str, *, id: str) -> None:
        sent.append("\n".join((to, subject, text, id)))

    door = entrance.Entrance(round_.course, b"s" * 40, server=MAIL, send=send)
    assert door.postman
    store = round_.course.store
    for each in store.letters((entrance.SIGN_IN,)):
        store.end_letter(each.id)
    door.ask(who.email, f"client {len(round_.acts)} {id(door)}", "https://course.example")
    door.postman.carry()
    assert sent
    return leaks("\n".join(sent).encode(), Facts(round_).forbidden(who, "letter"), where="a letter", viewer=who.id)


def dates_of(round_: Round, who: Person) -> list[Leak]:
    """What somebody's reminder and calendar tell."""
    reminding = Reminding(round_.course, SECRET, days=30, url="https://course.example")
    today = round_.clock().astimezone(ZoneInfo("Europe/Berlin")).date().isoformat()
    letters = reminding.write(Letter(id="1", kind=REMINDER, due=round_.clock(), person=who.id, about={"day": today}))
    token = reminding.path(who, "calendar").removeprefix("/calendar/").removesuffix(".ics")
    file = reminding.calendar(token).replace(b"\r\n ", b"")  # long lines are folded
    written = "\n".join(each.subject + each.text for each in letters).encode() + file
    return leaks(written, Facts(round_).forbidden(who, "letter"), where="dates", viewer=who.id)


def test_a_name_in_a_reminder_is_found(rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch) -> None:
    owed = reminders.owed

    def telling(*asked: Any) -> list[reminders.Owed]:
        return [replace(each, what=f"{each.what} of {NEGLECTED.name}") for each in owed(*asked)]

    monkeypatch.setattr(reminders, "owed", telling)
    assert {each.thing for each in dates_of(rounds["in review"], STUDENTS[1])} == {"name"}


def test_a_name_in_the_log_is_found(rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch) -> None:
    view = reviews.view

    def telling(course: Course, viewer: Person, params: Mapping[str, Any]) -> dict[str, Any]:
        logging.getLogger("reviewkit.screens").info("Opened by %s", viewer.name)
        return view(course, viewer, params)

    monkeypatch.setattr(reviews, "view", telling)
    assert "name" in {each.thing for each in log_of(rounds["in review"])}


def test_a_name_in_a_letter_is_found(rounds: dict[str, Round], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "LETTER", entrance.LETTER + f"\nYours is reviewed by {STUDENTS[2].name.split()[0]}.")
    assert {each.thing for each in letter_of(rounds["in review"], STUDENTS[0])} == {"name"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"Sent on Friday, 17:05", True),
        (b'"at": "2026-05-01T17:05:33"', True),
        (b'"timestamp": "2026-11-22T04:17:05.2Z"', False),  # of a line in the log
    ],
)
def test_an_hour_is_not_found_in_the_minutes_and_seconds_of_another_moment(text: bytes, told: bool) -> None:
    assert bool(leaks(text, {"17:05": "hour"}, where="the log", viewer="nobody")) == told
