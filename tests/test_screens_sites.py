"""My sites and the private route, in a browser: a pasted address becomes a site, a pasted text a post."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reviewkit.store.sql import SqlStore
from tests.blogs import fake_blogs, post, rss
from tests.cast import ANN, BOB, Clock, a_course
from tests.pages import DESKTOP, PHONE, Window


def look(window: Window, name: str, **params: str) -> None:
    """No violation and nothing that scrolls sideways, in both themes and widths."""
    for size, dark in ((DESKTOP, False), (PHONE, True)):
        page = window.open("my-work", ANN, size=size, dark=dark, params=params)
        assert page.violations() == []
        assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("REVIEWKIT_TEST_PICTURES"):
            page.tab.screenshot(path=Path(folder) / f"{name}.{size[0]}.png", full_page=True)


@pytest.mark.browser
def test_an_author_adds_her_site_and_gives_a_text(browser: Browser, sqlite_store: SqlStore) -> None:
    course = a_course(sqlite_store, Clock())
    course.allow_private = True
    window = Window(browser, course)
    with fake_blogs() as blogs:
        one = post("A ladder", "Words.", tag="datastories", guid="1", date="Sun, 03 May 2026 10:00:00 GMT")
        address = blogs.show("/feed", rss("Ann's second blog", one))
        course.add_site(BOB, address)
        page = window.open("my-work", ANN)
        page["add-site"].click()
        expect(page["field-site"]).to_be_focused()
        page["dialog-confirm"].click()
        expect(page["dialog"]).to_contain_text("Paste the address of your site")
        page["field-site"].fill(address)
        page["dialog-confirm"].click()
        expect(page["found-words"]).to_have_text(
            "1 post since the course began, 1 carries #datastories.", timeout=30_000
        )
        page["dialog-confirm"].click()
        expect(page["dialog"]).to_contain_text("Tick this if the site is yours as well.")
        assert page.violations() == []
        page["shared"].check()
        page["dialog-confirm"].click()
        expect(page["site"]).to_have_count(2)
    page["remove-site"].last.click()
    page["dialog-confirm"].click()
    expect(page["site"]).to_have_count(1)
    look(window, "sites")
    page["write-private"].click()
    page["field-title"].fill("Quiet weeks")
    page["form-markdown"].click()
    page["field-text"].fill("The *gauge* was silent.")
    look(window, "write", write="new")
    page["field-file"].set_input_files({"name": "own.html", "mimeType": "text/html", "buffer": b"<p>From a file"})
    page["dialog-cancel"].click()
    page["give"].click()
    page["dialog-confirm"].click()
    expect(page["screen-my-work"]).to_contain_text("Private.")
    given = next(each for each in course.posts(ANN) if each.given_for)
    assert given.latest.html.strip() == "<p>The <em>gauge</em> was silent.</p>"
    page[f"write-{given.id}"].click()
    expect(page["field-text"]).to_have_value("The *gauge* was silent.")
    assert window.close() == []
