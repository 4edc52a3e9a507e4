"""The parts of the pages, one by one, in a browser: what every screen relies on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from reviewkit.screens import assets
from tests.pages import ADDRESS

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """An empty page with `lib` loaded from the files as they are, not joined."""

    def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name.endswith(".js"):
            route.fulfill(content_type="text/javascript", body=(assets.FOLDER / name).read_text("utf-8"))
        else:
            route.fulfill(content_type="text/html", body="<!doctype html><title>Parts</title><div id=here></div>")

    page = browser.new_page()
    page.route(f"{ADDRESS}/**", serve)
    page.goto(f"{ADDRESS}/")
    page.evaluate("async () => { Object.assign(window, await import('/lib.js')); window.here = document.body; }")
    yield page
    page.close()


def test_children_are_text_whatever_they_look_like(tab: Page) -> None:
    tab.evaluate("() => here.append(h('p', { title: '\"><b>' }, '<img src=x onerror=alert(1)>', null, false, 0))")
    expect(tab.locator("p")).to_have_text("<img src=x onerror=alert(1)>0")
    assert tab.locator("img, b").count() == 0


def test_a_field_in_use_stays_while_everything_around_it_is_drawn_again(tab: Page) -> None:
    tab.evaluate("""() => {
        const draw = word => h('main', null, h('h1', null, word), h('section', { class: word },
            field({ name: 'note', label: 'Note', value: word }), h('p', null, word)));
        here.append(draw('one'));
        window.again = () => redraw(here, draw('two'));
    }""")
    note = tab.get_by_test_id("field-note")
    note.press("End")
    note.press_sequentially(" and more")
    tab.evaluate("window.before = document.activeElement; document.activeElement.setSelectionRange(2, 4); again()")
    assert tab.evaluate("document.activeElement === before && before.isConnected")
    assert tab.evaluate("[before.value, before.selectionStart, before.selectionEnd]") == ["one and more", 2, 4]
    expect(tab.locator("h1")).to_have_text("two")
    expect(tab.locator("section.two p")).to_have_text("two")
    assert tab.locator("main").count() == tab.locator("textarea").count() == 1


def test_focus_goes_on_where_it_was_after_drawing_again(tab: Page) -> None:
    tab.evaluate("""() => {
        const names = [{ name: 'Low', text: '' }, { name: 'High', text: '' }];
        const onchange = now => redraw(here, draw(now));
        const fixed = { criterion: 'claim', name: 'Claim', levels: names, onchange };
        const draw = value => h('div', null, levels({ ...fixed, value }));
        here.append(draw(0));
    }""")
    tab.get_by_test_id("level-claim-0").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.dataset.testid") == "level-claim-1"
    expect(tab.get_by_test_id("level-claim-1")).to_be_checked()


def test_what_was_unfolded_stays_unfolded(tab: Page) -> None:
    tab.evaluate("() => here.append(h('details', { id: 'more' }, h('summary', null, 'More'), 'Words'))")
    tab.locator("summary").click()
    tab.evaluate("redraw(here, h('div', null, h('details', { id: 'more' }, h('summary', null, 'More'), 'Others')))")
    expect(tab.locator("details")).to_have_attribute("open", "")


def test_before_something_final_the_safe_button_has_the_focus(tab: Page) -> None:
    tab.evaluate("""() => {
        window.asked = 0;
        const refusal = { ok: false, error: { message: 'Not now.' } };
        const onconfirm = async () => ++window.asked > 1 ? { ok: true } : refusal;
        const words = { title: 'Accept 78?', confirm: 'Accept 78', cancel: 'Keep talking' };
        here.append(h('button', { id: 'ask', onclick: () => dialog({ ...words, onconfirm }) }, 'Ask'));
    }""")
    tab.locator("#ask").click()
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("dialog")).to_have_count(0)
    assert tab.evaluate("[window.asked, document.activeElement.id]") == [0, "ask"]
    tab.locator("#ask").click()
    tab.get_by_test_id("dialog-confirm").click()
    expect(tab.get_by_test_id("note-error")).to_have_text("Not now.")
    tab.get_by_test_id("dialog-confirm").click()
    expect(tab.get_by_test_id("dialog")).to_have_count(0)


def test_a_toast_goes_after_ten_seconds_that_stop_while_it_is_looked_at(tab: Page) -> None:
    tab.clock.install()
    tab.evaluate("toast({ text: 'Moved.', undo: () => { window.undone = true; } }); null")
    tab.get_by_test_id("toast").hover()
    tab.clock.run_for(30_000)
    expect(tab.get_by_test_id("toast")).to_be_visible()
    tab.mouse.move(0, 0)
    tab.clock.run_for(11_000)
    expect(tab.get_by_test_id("toast")).to_have_count(0)
    tab.evaluate("toast({ text: 'Moved.', undo: () => { window.undone = true; } }); null")
    tab.get_by_test_id("toast-undo").click()
    assert tab.evaluate("window.undone")


def test_a_quote_is_marked_across_elements_and_spaces(tab: Page) -> None:
    tab.evaluate("""() => here.append(reading({ label: 'Post', quote: 'The gauge was silent in winter.',
        html: '<p>Before. The <em>gauge</em>\\n was silent <a href="/elsewhere">in winter</a>. After.</p>' }))""")
    assert "".join(tab.locator("mark").all_text_contents()) == "The gauge\n was silent in winter."
    expect(tab.locator("a")).to_have_attribute("rel", "noopener noreferrer")


def test_a_post_falls_into_its_sentences(tab: Page) -> None:
    html = "<p>It rained. Nobody measured it, e.g. on Mondays.</p><ul><li>The gauge stood still</li></ul>"
    found = tab.evaluate("html => sentencesOf(h('div', { html }))", html)
    assert found[0] == "It rained."
    assert found[-1] == "The gauge stood still"


def test_a_level_plot_says_its_finding_and_has_a_table(tab: Page) -> None:
    tab.evaluate("""() => here.append(levelPlot({ criteria: [{ id: 'c', name: 'Claim' }],
        levels: ['Low', 'Middle', 'High'],
        self: { c: 2 }, peers: { c: { low: 0, median: 1, high: 2 } }, teach: { c: 1 } }))""")
    expect(tab.get_by_role("img")).to_have_accessible_name("Claim: you High, peers Low to High, instructor Middle.")
    tab.locator("summary").click()
    expect(tab.get_by_role("row").last).to_have_text("ClaimHighLow to HighMiddle")


def test_an_event_that_is_not_answered_is_sent_once_more_under_the_same_number(tab: Page) -> None:
    tab.clock.install()
    tab.evaluate("""() => {
        window.sent = [];
        const model = { on() {}, get: () => ({ params: { open: 'a' } }), send: event => sent.push(event) };
        connect(model).act({ type: 'accept' }).then(reply => { window.reply = reply; });
    }""")
    tab.clock.run_for(4_100)
    tab.clock.run_for(4_100)
    tab.wait_for_function("window.reply")
    sent = tab.evaluate("sent")
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert sent[0]["params"] == {"open": "a"}
    assert len(sent[0]["request"]) == 32
    assert tab.evaluate("reply.ok") is False
    assert "done only once" in tab.evaluate("reply.error.message")


def test_a_save_is_announced_now_and_then_and_a_failure_at_once(tab: Page) -> None:
    tab.clock.install()
    tab.evaluate("() => { window.status_ = saveStatus(); here.append(status_.el); }")
    status = tab.get_by_test_id("save-status")
    tab.evaluate("status_.saved('Saved at 14:02')")
    expect(status).to_have_attribute("aria-live", "polite")
    tab.evaluate("status_.saved('Saved at 14:02')")
    expect(status).to_have_attribute("aria-live", "off")
    tab.evaluate("status_.failed(() => {})")
    expect(status).to_have_attribute("aria-live", "polite")
