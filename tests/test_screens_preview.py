"""The masked copy as its author sees it before others do, and the question before a name is sent, in a browser."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from reviewkit.course import Course
from reviewkit.masking import HIDDEN
from reviewkit.model import Feed
from reviewkit.store import Store
from tests.cast import ANN, PROF, Clock, a_course, a_post, frozen
from tests.pages import DESKTOP, PHONE, Page, Window
from tests.test_copies import allocated, reviewers


@pytest.fixture
def course(sqlite_store: Store) -> Course:
    return a_course(sqlite_store, Clock())


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_author_reads_the_masked_copy_and_hides_a_word_by_keyboard(
    window: Window, course: Course, size: tuple[int, int]
) -> None:
    submission = frozen(course, ANN)["ann"]
    page = window.open("my-work", ANN, size=size, params={"submission": submission})
    page["preview-masked"].focus()
    page.press("Enter")
    copy = page["preview"].get_by_test_id("post")
    expect(copy).to_contain_text("I am [author].")
    page["hide-word"].focus()
    page.tab.keyboard.type("gauge")
    page.press("Enter")
    expect(copy).to_contain_text(f"The {HIDDEN} was silent")
    expect(page["hide-word"]).to_be_focused()
    assert page.violations() == []
    page.tab.keyboard.type("datastories")
    page.press("Enter")
    expect(page["preview"]).to_contain_text("it stays")
    page["hide-not"].click()
    expect(copy).to_contain_text("The gauge was silent")
    expect(page["hidden-words"]).to_have_count(0)
    page.press("Escape")
    expect(page["dialog"]).to_have_count(0)
    assert course.hidden_words(ANN) == ()


@pytest.mark.browser
def test_the_copy_can_be_read_before_it_is_frozen(window: Window, course: Course) -> None:
    page = window.open("my-work", ANN)
    page["next"].click()
    page["preview-masked"].click()
    expect(page["preview"]).to_contain_text("I am [author].")


def written(window: Window, course: Course) -> Page:
    """A review that names its writer, with everything in it."""
    reviewer, duty = reviewers(course, allocated(course)["ann"])[0]
    page = window.open("reviews", reviewer, params={"open": duty})
    for criterion in ("claim", "evidence"):
        if not page[f"level-{criterion}-2"].is_visible():
            page[f"criterion-{criterion}"].locator("summary").click()
        page[f"level-{criterion}-2"].check()
    page["field-strengths"].fill(f"Fine rings, says {reviewer.name}.")
    page["field-suggestions"].fill("Show the log.")
    page["send-review"].click()
    page["dialog-confirm"].click()
    return page


@pytest.mark.browser
def test_a_name_is_asked_about_and_may_be_changed_or_sent(window: Window, course: Course) -> None:
    page = written(window, course)
    asked = page["dialog"].filter(has_text="Your text names you. Send it all the same?")
    expect(asked).to_be_visible()
    assert page.violations() == []
    asked.get_by_role("button", name="Change it").click()
    expect(page["dialog"]).to_have_count(0)
    expect(page["field-strengths"]).to_have_value("Fine rings, says " + page["field-strengths"].input_value()[17:])
    page["send-review"].click()
    page["dialog-confirm"].click()
    asked.get_by_role("button", name="Send all the same").click()
    expect(page["my-review"]).to_contain_text("Fine rings")
    expect(page["dialog"]).to_have_count(0)


@pytest.mark.browser
def test_the_instructor_reads_what_was_replaced(window: Window, course: Course) -> None:
    submission = allocated(course)["ann"]
    page = window.open("sign-off", PROF, params={"open": submission})
    page["read-post"].click()
    page["replaced"].locator("summary").click()
    expect(page["replaced"]).to_contain_text("Ann Lindqvist")
    expect(page["replaced"]).to_contain_text("https://inkwren.example/map")
    assert page.violations() == []


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_text_that_was_copied_from_its_page_is_read_and_confirmed_before_it_is_frozen(
    window: Window, course: Course, size: tuple[int, int]
) -> None:
    entry = replace(a_post(ANN, days_ago=0.1, number=7), copied=True)
    course.store.keep_pull(Feed(person="ann", url=ANN.feeds[0]), [entry], seen=course.clock())
    page = window.open("my-work", ANN, size=size)
    page["next"].click()
    dialog = page["dialog"]
    expect(dialog).to_contain_text("was copied from its page")
    expect(dialog.get_by_test_id("post")).to_contain_text("The gauge was silent")
    assert page.violations() == []
    page["dialog-confirm"].click()
    expect(dialog).to_contain_text("Read the copy and confirm that it is your text")
    assert course.store.submissions() == []
    dialog.get_by_role("checkbox", name="I have read it").check()
    page["dialog-confirm"].click()
    expect(page["dialog"]).to_have_count(0)
    [submission] = course.store.submissions()
    assert submission.revisions[0].digest == entry.digest
