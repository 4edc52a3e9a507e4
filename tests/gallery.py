"""Pictures of the screens of an invented course, to be looked at beside the design.

    python -m tests.gallery FOLDER [NAME ...]

writes NAME.desktop.light.png, NAME.phone.dark.png and so on. The course stands at another place for every name.
"""

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.model import (
    Answer,
    Assignment,
    Discuss,
    Entry,
    Feed,
    Judgement,
    Person,
    Proposal,
    SelfEvaluation,
    Setup,
    Tag,
)
from reviewkit.rubric import parse
from reviewkit.screens.my_submission import form_of
from reviewkit.store.sql import SqlStore
from tests.browser import installed
from tests.cast import Clock, a_course, reviewed
from tests.pages import DESKTOP, PHONE, QUIET, Page, Window, show_whole

MIRA = Person(id="mira", name="Mira Sandvik", feeds=("https://mira.example/feed",))
READERS = tuple(
    Person(id=f"reader{number}", name=f"Reader {number}", feeds=(f"https://reader{number}.example/feed",))
    for number in (1, 2)
)
PROF = Person(id="prof", name="Instructor", role="instructor")
RUBRIC = Path(__file__).parents[1] / "rubrics" / "data-stories.md"
MAY = datetime(2026, 5, 4, 12, tzinfo=UTC)
GAUGE = "The gauge was silent in eleven of the wettest weeks, so the readings I had were the calm ones."
PARAGRAPHS = (
    "I began with a plan to show that the Linden runs higher each spring. Four years of readings seemed plenty.",
    f"When I plotted them by week the line barely moved, and I nearly wrote that nothing had changed. Then I noticed "
    f"the gaps. {GAUGE}",
    "A missing reading is not a small reading. I went back to the keeper's log, which a classmate had scanned, and "
    "found pencil notes for nine of the eleven weeks: “too fast to read”, “gauge under”, “road closed”.",
    "So my chart now has two marks. A dot where the gauge spoke, and an open ring where only the pencil did.",
)


def post(title: str, published: datetime, *paragraphs: str) -> Entry:
    text = "\n\n".join(paragraphs)
    return Entry(
        guid=title,
        link=f"https://mira.example/{sha256(title.encode()).hexdigest()[:8]}",
        title=title,
        published=published,
        tags=(Tag(tag="datastories", found="category"),),
        html="".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
        text=text,
        digest=sha256((title + text).encode()).hexdigest(),
    )


def judged(*levels: int) -> tuple[Judgement, ...]:
    names = ("claim", "evidence", "craft", "connection")
    return tuple(Judgement(criterion=name, level=level) for name, level in zip(names, levels, strict=True))


def course_of(store: SqlStore, clock: Clock) -> tuple[Course, str]:
    """Mira has frozen the second of her two posts, and is writing her self-evaluation."""
    clock.now = MAY
    end = [datetime(2026, 5, day, 16, tzinfo=UTC) for day in (5, 8, 14, 18, 22)]
    assignment = Assignment(
        id="round-3",
        title="Round 3",
        rubric="data-stories",
        freeze_by=end[0],
        self_by=end[1],
        review_by=end[2],
        answer_by=end[3],
        sign_by=end[4],
    )
    setup = Setup(title="Data Stories", tag="datastories", timezone="Europe/Berlin", assignments=(assignment,))
    store.keep_course(setup, [MIRA, *READERS, PROF], [parse(RUBRIC.read_text("utf-8"), name="data-stories")])
    first = post("A ladder against the wall", datetime(2026, 4, 28, 9, tzinfo=UTC), "Three marks on a wall.")
    second = post("What my river data would not tell me", datetime(2026, 5, 3, 9, tzinfo=UTC), *PARAGRAPHS)
    store.keep_pull(Feed(person=MIRA.id, url=MIRA.feeds[0]), [first, second], seen=clock())
    for reader in READERS:
        store.keep_pull(Feed(person=reader.id, url=reader.feeds[0]), [post(reader.id, MAY, "Words.")], seen=clock())
    course = Course(store, clock=clock)
    submission = course.freeze(MIRA, "round-3", [course.candidates(MIRA, assignment)[0].id])
    return course, submission


def writing(store: SqlStore, clock: Clock, *, levels: int = 1) -> tuple[Course, str]:
    course, submission = course_of(store, clock)
    names, chosen = ("claim", "evidence", "craft", "connection"), (2, 3, 2, 2)
    content = {
        "levels": dict(list(zip(names, chosen, strict=True))[:levels]),
        "quotes": {"evidence": GAUGE},
        "notes": {"evidence": "I compare the gauge with the keeper's log and say which weeks each one covers."},
        "strengths": "The two marks on the chart carry the whole argument.",
        "improvements": "Link the log page, and answer the flood-wall post in its own comments.",
        "grade": "82",
    }
    course.keep_draft(MIRA, form_of(submission), 9, content)
    return course, submission


def talking(store: SqlStore, clock: Clock, *, to: str = "discussing") -> tuple[Course, str]:
    course, submission = course_of(store, clock)
    own = SelfEvaluation(
        judgements=judged(2, 3, 2, 2),
        strengths="The missing weeks are the heart of it, and the two marks carry them.",
        improvements="Link the log page, and answer the flood-wall post in its own comments.",
        grade="82",
    )
    course.self_evaluate(MIRA, submission, own, seen=1)
    if to == "in review":
        return course, submission
    for reader in READERS:
        chosen = course.freeze(reader, "round-3", [course.candidates(reader, course.assignment("round-3"))[0].id])
        course.self_evaluate(reader, chosen, own, seen=1)
    course.allocate(course.plan("round-3", seed=3))
    said = {
        "reader1": ("The open rings are the best thing I have read this round.", "I could not open the keeper's log."),
        "reader2": ("Strong claim.", "Move the second chart up: only it answers what the first one asks."),
    }
    levels = {"reader1": judged(2, 3, 2, 1), "reader2": judged(2, 2, 1, 2)}
    for reader in READERS:
        for duty in course.duties(reader):
            course.review(reader, duty.id, levels[reader.id], *said[reader.id])
    clock.now = datetime(2026, 5, 15, 8, tzinfo=UTC)
    course.reveal("round-3", by=PROF, reason="All are in.")
    if to == "revealed":
        return course, submission
    for turn in [turn for turn in course.dialogue(submission, MIRA).turns if turn.kind == "review"]:
        seen = len(course.dialogue(submission, MIRA).turns)
        text = "Fair. The scan is now linked, and I added the page numbers."
        course.answer(MIRA, submission, Answer(review=turn.id, text=text, rating=("specific", "kind")), seen=seen)
    clock.now = datetime(2026, 5, 17, 6, 40, tzinfo=UTC)
    word = "On Connection I read it one step lower: you use the flood-wall post but do not answer it yet. I propose 78."
    counter = Proposal(judgements=judged(2, 3, 2, 1), grade="78")
    course.discuss(PROF, submission, Discuss(text=word, counter=counter), seen=None)
    return course, submission


def start(store: SqlStore, clock: Clock) -> tuple[Course, str]:
    return writing(store, clock, levels=2)[0], ""


Stage = Callable[[SqlStore, Clock], tuple[Course, str]]
MY_WORK: dict[str, Stage] = {
    "my-work-start": start,
    "my-work": writing,
    "my-work-overall": lambda store, clock: writing(store, clock, levels=4),
    "my-work-in-review": lambda store, clock: talking(store, clock, to="in review"),
    "my-work-revealed": lambda store, clock: talking(store, clock, to="revealed"),
    "my-work-dialogue": talking,
}


def others(store: SqlStore, clock: Clock) -> Course:
    course = a_course(store, clock)
    reviewed(course)
    return course


def page_of(window: Window, store: SqlStore, name: str, size: tuple[int, int], dark: bool) -> Page:
    if name in MY_WORK:
        window.course, submission = MY_WORK[name](store, Clock())
        return window.open("my-work", MIRA, size=size, dark=dark, params={"submission": submission})
    window.course = others(store, Clock())
    viewer = next(each for each in window.course.people() if name in screens.open_to(each))
    return window.open(name, viewer, size=size, dark=dark)


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=list(QUIET))
        for name, size, dark in product(names or [*MY_WORK, "reviews", "sign-off"], (DESKTOP, PHONE), (False, True)):
            with tempfile.TemporaryDirectory() as place:
                store = SqlStore.open(f"sqlite:///{place}/course.db")
                window = Window(browser, Course(store, clock=Clock()))
                page = page_of(window, store, name, size, dark)
                page.tab.evaluate("document.fonts.ready")
                show_whole(page.tab)
                kind = f"{'phone' if size == PHONE else 'desktop'}.{'dark' if dark else 'light'}"
                page.tab.screenshot(path=folder / f"{name}.{kind}.png", full_page=True)
                print(name, kind, *window.close(), *page.faults)
                store.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
