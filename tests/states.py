"""States that a course reaches seldom, to be looked at and to be tried with axe: who looks at what, and when.

    python -m tests.states FOLDER [NAME ...]

writes a picture of each at 1280, 390 and 320 px, and says what axe finds. tests/test_screens_states.py tries them all.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright

from reviewkit import screens
from reviewkit.course import STAFF_DRAFT, Course
from reviewkit.model import (
    Answer,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Feed,
    Judgement,
    Person,
    Proposal,
    Reopen,
    SelfEvaluation,
    Withdraw,
)
from reviewkit.rubric import parse
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests.browser import installed
from tests.cast import (
    ANN,
    BOB,
    PROF,
    STUDENTS,
    TIA,
    Clock,
    a_course,
    a_post,
    a_setup,
    answered,
    frozen,
    levels,
    revealed,
    self_evaluated,
)
from tests.pages import DESKTOP, PHONE, QUIET, Page, Window, show_whole

REFLOW = (320, 640)
"""1280 px at 400 %, as WCAG 1.4.10 counts it."""
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Anderson-Papadiamantopoulos"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
HEBREW = "המים עלו ב־12 סנטימטרים, והמד שתק. אז קראתי את היומן של השומר."


@dataclass(frozen=True)
class State:
    """A screen of a course for somebody, with what the address says; what is pressed there, and what happens to it."""

    course: Course
    screen: str
    viewer: Person
    params: dict[str, str] = field(default_factory=dict)
    press: tuple[str, ...] = ()
    script: str = ""

    def open(self, window: Window, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
        page = window.open(self.screen, self.viewer, size=size, dark=dark, params=self.params)
        for name in self.press:
            page[name].first.click()
        page.tab.wait_for_function("!document.querySelector('[data-testid=loading], [aria-busy=true]')")
        if self.script:
            page.tab.evaluate(self.script)
        return page


def a_new_class(store: Store, clock: Clock) -> State:
    """The instructor's first look: nobody is in the roster."""
    store.keep_course(a_setup(), [PROF], [parse(_rubric(2), name="data-stories")])
    return State(Course(store, clock=clock), "sign-off", PROF)


def a_new_student(store: Store, clock: Clock) -> State:
    """No site, no post, no date that she missed."""
    store.keep_course(a_setup(), [replace(ANN, feeds=()), PROF], [parse(_rubric(2), name="data-stories")])
    return State(Course(store, clock=clock), "my-work", replace(ANN, feeds=()))


def nothing_to_review(store: Store, clock: Clock) -> State:
    return State(a_course(store, clock), "reviews", ANN)


def handed_over(store: Store, clock: Clock) -> State:
    """No review came in time: it went to the instructor."""
    course = a_course(store, clock)
    made = self_evaluated(course)
    clock.pass_(days=11)
    course.advance()
    return State(course, "my-work", ANN, {"submission": made["ann"]})


def too_few(store: Store, clock: Clock) -> State:
    """The same, as the instructor finds it, with all that can be done."""
    state = handed_over(store, clock)
    return State(state.course, "sign-off", PROF, {"open": state.params["submission"]}, ("more",))


def dissented(store: Store, clock: Clock) -> State:
    course = a_course(store, clock)
    made = answered(course)

    def seen(person: Person = ANN) -> int:
        return len(course.dialogue(made["ann"], person).turns)

    course.decide(PROF, made["ann"], Decide(reason="The log stays shut.", grade="70"), seen=seen(PROF))
    course.dissent(ANN, made["ann"], Dissent(text="It was open on my side."), seen=seen())
    course.ask_to_reopen(ANN, made["ann"], AskToReopen(text="The log is open now."), seen=seen())
    return State(course, "my-work", ANN, {"submission": made["ann"]})


def asked_to_reopen(store: Store, clock: Clock) -> State:
    state = dissented(store, clock)
    return State(state.course, "sign-off", PROF, {"open": state.params["submission"]}, ("wish-reopen",))


def reopened(store: Store, clock: Clock) -> State:
    state = dissented(store, clock)
    submission = state.params["submission"]
    seen = len(state.course.dialogue(submission, PROF).turns)
    state.course.reopen(PROF, submission, Reopen(to="revealed", reason="The log is open now."), seen=seen)
    return state


def withdrawn(store: Store, clock: Clock) -> State:
    course = a_course(store, clock)
    made = revealed(course)
    course.set_aside(PROF, made["ann"], Withdraw(), seen=None)
    return State(course, "my-work", ANN, {"submission": made["ann"]})


def exempt(store: Store, clock: Clock) -> State:
    course = a_course(store, clock)
    made = self_evaluated(course)
    course.set_aside(PROF, made["ann"], Exempt(reason="You were ill."), seen=None)
    return State(course, "sign-off", PROF, {"open": made["ann"]}, ("more",))


def late(store: Store, clock: Clock) -> State:
    """Shown with one review by the instructor's waiver; the other came afterwards."""
    course = a_course(store, clock)
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    last = next(each for each in course.store.allocations("river") if each.submission == made["ann"])
    for person in STUDENTS:
        for duty in course.duties(person):
            if duty.id != last.id:
                course.review(person, duty.id, levels(), "Fine.", "Show the log.")
    course.reveal("river", by=PROF, reason="The term ends.")
    course.review(course.person(last.reviewer), last.id, levels(), "Fine, late.", "Show the log.")
    return State(course, "my-work", ANN, {"submission": made["ann"]})


def drafted(store: Store, clock: Clock) -> State:
    """An assistant's words, before an instructor takes them over."""
    course = a_course(store, clock)
    made = answered(course)
    store.keep_course(course.setup, [TIA], [])
    content: dict[str, object] = {"grade": "80", "word": "The log carries it.", "recognised": ["Honest about gaps"]}
    course.keep_draft(TIA, f"{STAFF_DRAFT}:{made['ann']}", 1, content)
    return State(course, "sign-off", PROF, {"open": made["ann"]})


def resting(store: Store, clock: Clock) -> State:
    """Accepted a moment ago, with the seconds in which it can be undone."""
    course = a_course(store, clock)
    made = answered(course)
    return State(course, "sign-off", PROF, {"open": made["ann"]}, ("accept", "dialog-confirm"))


def previewed(store: Store, clock: Clock) -> State:
    course = a_course(store, clock)
    made = frozen(course, ANN)
    course.hide_words(ANN, ["gauge", "readings"])
    return State(course, "my-work", ANN, {"submission": made["ann"]}, ("preview-masked",))


def passed_on(store: Store, clock: Clock) -> State:
    """Asked before the submission is given to somebody else."""
    return State(_owing(store, clock), "reviews", ANN, press=("pass-on",))


def lost(store: Store, clock: Clock) -> State:
    """The connection is gone while she writes."""
    course = a_course(store, clock)
    gone = """() => { document.body.dataset.connection = "lost";
        document.dispatchEvent(new CustomEvent("page-connection")); }"""
    return State(course, "my-work", ANN, {"submission": frozen(course, ANN)["ann"]}, script=gone)


def refused(store: Store, clock: Clock) -> State:
    """A review that is sent without a level."""
    course = _owing(store, clock)
    form = screens.view(course, ANN, "reviews", {})["duty"]["draft"]["form"]
    course.keep_draft(ANN, form, 1, {"strengths": "The rings carry it."})
    return State(course, "reviews", ANN, press=("send-review",))


def long_words(store: Store, clock: Clock) -> State:
    """Names and words that no line holds, everywhere that people write them."""
    course, made = _long(store, clock)
    text = f"See https://example.org/{LONG_WORD} and {LONG_WORD}."
    counter = Proposal(judgements=levels(1, 1, note=text), grade="78")
    course.discuss(PROF, made, Discuss(text=text, counter=counter), seen=None)
    return State(course, "my-work", replace(ANN, name=LONG_NAME), {"submission": made})


def long_words_at_sign_off(store: Store, clock: Clock) -> State:
    course, made = _long(store, clock)
    return State(course, "sign-off", PROF, {"open": made}, ("whole-dialogue", "change-levels"))


def twelve_criteria(store: Store, clock: Clock) -> State:
    course = _of(store, clock, 12)
    return State(course, "my-work", ANN, {"submission": frozen(course)["ann"]})


def twelve_criteria_to_review(store: Store, clock: Clock) -> State:
    course = _of(store, clock, 12)
    for person, submission in frozen(course).items():
        course.self_evaluate(course.person(person), submission, _said(12), seen=1)
    course.allocate(course.plan("river", seed=1))
    return State(course, "reviews", ANN)


def right_to_left(store: Store, clock: Clock) -> State:
    """A post, an evaluation and a review in Hebrew, on a page whose own words are English."""
    course = a_course(store, clock)
    store.keep_pull(
        Feed(person=ANN.id, url=ANN.feeds[0]),
        [replace(a_post(ANN, days_ago=0.5, number=2), title=HEBREW, html=f"<p>{HEBREW}</p>", text=HEBREW)],
        seen=clock(),
    )
    made = frozen(course)
    said = SelfEvaluation(judgements=levels(note=HEBREW), strengths=HEBREW, improvements=HEBREW, grade="82")
    for person in STUDENTS:
        course.self_evaluate(person, made[person.id], said, seen=1)
    course.allocate(course.plan("river", seed=1))
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(note=HEBREW), HEBREW, HEBREW)
    course.reveal("river", by=PROF)
    return State(course, "my-work", ANN, {"submission": made["ann"]})


def _owing(store: Store, clock: Clock) -> Course:
    course = a_course(store, clock)
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    return course


def _rubric(criteria: int) -> str:
    rows = [f"| Criterion {n} | Not there yet. | On its way. | There. | More than asked. |" for n in range(criteria)]
    return "\n".join(["# Data stories\n", "| Criterion | A | B | C | D |", "| --- | --- | --- | --- | --- |", *rows])


def _of(store: Store, clock: Clock, criteria: int) -> Course:
    course = a_course(store, clock)
    store.keep_course(course.setup, [], [parse(_rubric(criteria), name="data-stories")])
    return course


def _said(criteria: int) -> SelfEvaluation:
    chosen = tuple(Judgement(criterion=f"criterion-{n}", level=n % 4) for n in range(criteria))
    return SelfEvaluation(judgements=chosen, strengths="Much.", improvements="Little.", grade="82")


def _long(store: Store, clock: Clock) -> tuple[Course, str]:
    course = a_course(store, clock)
    store.keep_course(course.setup, [replace(ANN, name=LONG_NAME), replace(BOB, name=LONG_NAME[::-1])], [])
    text = f"See https://example.org/{LONG_WORD} and {LONG_WORD}."
    store.keep_pull(
        Feed(person=ANN.id, url=ANN.feeds[0]),
        [
            replace(
                a_post(ANN, days_ago=0.5, number=2), title=LONG_WORD, html=f"<p>{text}</p><pre>{text}</pre>", text=text
            )
        ],
        seen=clock(),
    )
    made = frozen(course)
    said = SelfEvaluation(judgements=levels(note=text), strengths=text, improvements=text, grade="82")
    for person in STUDENTS:
        course.self_evaluate(person, made[person.id], said, seen=1)
    course.allocate(course.plan("river", seed=1))
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(note=text), text, text)
    course.reveal("river", by=PROF)
    for review in [turn for turn in course.dialogue(made["ann"], ANN).turns if turn.kind == "review"]:
        seen = len(course.dialogue(made["ann"], ANN).turns)
        course.answer(ANN, made["ann"], Answer(review=review.id, text=text), seen=seen)
    return course, made["ann"]


STATES: dict[str, Callable[[Store, Clock], State]] = {
    make.__name__.replace("_", "-"): make
    for make in (
        a_new_class,
        a_new_student,
        nothing_to_review,
        handed_over,
        too_few,
        dissented,
        asked_to_reopen,
        reopened,
        withdrawn,
        exempt,
        late,
        drafted,
        resting,
        previewed,
        passed_on,
        lost,
        refused,
        long_words,
        long_words_at_sign_off,
        twelve_criteria,
        twelve_criteria_to_review,
        right_to_left,
    )
}


def wide(page: Page) -> list[str]:
    """What stands over the right edge of the window, were it to scroll sideways."""
    return list(
        page.tab.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
            .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
            .map(each => each.outerHTML.slice(0, 120))"""
        )
    )


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=list(QUIET))
        for name, (size, dark) in product(names or STATES, ((DESKTOP, False), (PHONE, True), (REFLOW, False))):
            with tempfile.TemporaryDirectory() as place:
                store = SqlStore.open(f"sqlite:///{place}/course.db")
                state = STATES[name](store, Clock())
                window = Window(browser, state.course)
                page = state.open(window, size, dark=dark)
                page.tab.evaluate("document.fonts.ready")
                show_whole(page.tab)
                page.tab.screenshot(path=folder / f"{name}.{size[0]}.png", full_page=True)
                print(name, size[0], *page.violations(), *wide(page)[:3], *window.close(), sep="\n    ")
                store.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
