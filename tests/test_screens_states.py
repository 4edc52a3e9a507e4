"""Every state of `tests.states` for everybody's eyes and hands: axe, both themes, every width, big letters, few
colours; and where the focus goes when what had it is gone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from reviewkit.model import Person
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, PROF, Clock, a_course, answered, frozen
from tests.pages import DESKTOP, PHONE, Window
from tests.states import REFLOW, STATES, wide

pytestmark = pytest.mark.browser


@pytest.fixture
def windows(browser: Browser) -> Iterator[list[Window]]:
    """The windows that a test opened; nothing in them failed."""
    opened: list[Window] = []
    yield opened
    assert [fault for window in opened for fault in window.close()] == []


@pytest.mark.parametrize("name", STATES)
def test_a_rare_state_passes_axe_and_fits_every_window(
    browser: Browser, windows: list[Window], sqlite_store: SqlStore, name: str
) -> None:
    state = STATES[name](sqlite_store, Clock())
    windows.append(Window(browser, state.course))
    page = state.open(windows[0])
    assert (page.violations(), wide(page)) == ([], [])
    page.tab.emulate_media(color_scheme="dark")
    page.tab.set_viewport_size({"width": REFLOW[0], "height": REFLOW[1]})
    assert (page.violations(), wide(page)) == ([], []), "320 px, as at 400 %"
    page.tab.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.tab.add_style_tag(content="html { font-size: 200% }")
    assert wide(page) == [], "letters of twice the size"


def test_with_the_systems_colours_what_is_chosen_can_be_seen(
    browser: Browser, windows: list[Window], sqlite_store: SqlStore
) -> None:
    state = STATES["drafted"](sqlite_store, Clock())
    windows.append(Window(browser, state.course))
    page = state.open(windows[0])
    page.tab.emulate_media(forced_colors="active")
    style = "(each, name) => getComputedStyle(each)[name]"
    assert page["filter-all"].evaluate(style, "outlineStyle") == "solid"
    assert page["filter-mine"].evaluate(style, "outlineStyle") == "none"
    assert page["accept"].evaluate(style, "backgroundColor") != page["discuss"].evaluate(style, "backgroundColor")
    ink = page.tab.locator("h1").evaluate(style, "color")
    assert page.tab.locator(".plot.big text").first.evaluate(style, "fill") == ink


def test_the_focus_never_falls_off_the_page_when_what_had_it_goes(
    browser: Browser, windows: list[Window], sqlite_store: SqlStore
) -> None:
    course = a_course(sqlite_store, Clock())
    windows.append(Window(browser, course))
    page = windows[0].open("my-work", ANN, params={"submission": frozen(course, ANN)["ann"]})
    page["choose-claim"].click()
    page["sentence-1"].click()
    page["clear-claim"].focus()
    page.press("Enter")
    expect(page["clear-claim"]).to_have_count(0)
    assert page.focused() == "choose-claim", "the next thing of the same part"
    page["post"].locator("p").first.click(click_count=3)
    expect(page["evidence-claim"]).to_have_text("I am Ann Lindqvist.")
    page["toast-undo"].focus()
    page.press("Enter")
    expect(page["toast"]).to_have_count(0)
    expect(page.tab.locator(":focus")).to_have_count(1)


BEHIND = """() => {
  const at = document.activeElement, shown = at.closest(".lv") ?? at;
  const { left, right, top, height } = shown.getBoundingClientRect();
  const there = document.elementFromPoint((left + right) / 2, top + Math.min(height / 2, 12));
  return !there || !(shown.contains(there) || there.contains(shown));
}"""
"""Whether something else stands where the middle of what has the focus is, or the beginning of a long field."""


@pytest.mark.parametrize(
    ("screen", "person", "size", "last"),
    [
        ("my-work", ANN, PHONE, "dates-open"),
        ("sign-off", PROF, PHONE, "discuss"),
        ("sign-off", PROF, DESKTOP, "recognise-other"),
    ],
    ids=["My work on a phone", "Sign-off on a phone", "Sign-off beside its pane"],
)
def test_what_has_the_focus_is_never_behind_what_stays_in_its_place(
    browser: Browser,
    windows: list[Window],
    sqlite_store: SqlStore,
    screen: str,
    person: Person,
    size: tuple[int, int],
    last: str,
) -> None:
    course = a_course(sqlite_store, Clock())
    if person is PROF:
        answered(course)
    windows.append(Window(browser, course))
    page = windows[0].open(screen, person, size=size)
    behind = []
    for _ in range(80):
        page.press("Tab")
        if page.tab.evaluate(BEHIND):
            behind.append(page.focused() or page.inside())
        if page.focused() == last:
            break
    assert (page.focused(), behind) == (last, [])


def test_the_focus_stays_in_the_pane_when_an_acceptance_is_taken_back(
    browser: Browser, windows: list[Window], sqlite_store: SqlStore
) -> None:
    course = a_course(sqlite_store, Clock())
    made = answered(course)
    windows.append(Window(browser, course))
    page = windows[0].open("sign-off", PROF, params={"open": made["ann"]})
    page["accept"].click()
    page["dialog-confirm"].click()
    expect(page["dialog"]).to_have_count(0)
    page["take-back"].focus()
    page.press("Enter")
    expect(page["take-back"]).to_have_count(0)
    expect(page["pane"].locator(":focus")).to_have_count(1)
