"""My sites and the private route, in a browser: a pasted address becomes a site, a pasted text a post."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.model import Person
from reviewkit.screens import site_table
from reviewkit.store.sql import SqlStore
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, BOB, EVE, PROF, TIA, Clock, a_course
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
        page["how-posts"].click()
        expect(page["dialog"]).to_contain_text("give the post the tag #datastories")
        expect(page["dialog"]).to_contain_text("Posts from before Sat 4 April do not count.")
        page["dialog-cancel"].click()
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


# -- the table for instructors


def a_class_of_sites(course: Course, blogs: FakeBlogs) -> tuple[str, str]:
    """Ann's site was read, with one post of two that counts; Bob's is down, and is Ann's as well."""
    course.allow_private = True
    date = "Sun, 03 May 2026 10:00:00 GMT"
    posts = [post("A ladder", "Words.", tag="datastories", guid="1", date=date), post("Tea", "x", guid="2", date=date)]
    fine = blogs.show("/fine", rss("Quiet river", *posts))
    down = blogs.show("/down", "", status=500)
    for person in course.people():
        for feed in course.sites(person):
            course.remove_site(person, feed.feed.url)
    course.add_site(ANN, fine)
    course.add_site(BOB, down)
    course.add_site(ANN, down, shared=True)
    course.pull()
    return fine, down


def test_an_instructor_sees_how_every_site_is_what_is_wrong_comes_first(sqlite_store: SqlStore) -> None:
    course = a_course(sqlite_store, Clock())
    with fake_blogs() as blogs:
        fine, down = a_class_of_sites(course, blogs)
    told = site_table.sites(course, PROF, {})["sites"]
    assert [(row["name"], row["url"], row["word"]) for row in told["rows"]] == [
        (ANN.name, down, "Cannot be read"),
        (BOB.name, down, "Cannot be read"),
        (ANN.name, fine, "Read"),
    ]
    good, bad = told["rows"][2], told["rows"][1]
    assert (good["site"], good["shown"], good["tagged"], good["error"]) == ("Quiet river", 2, 1, "")
    assert (bad["shown"], bad["tagged"], bad["read"], bad["also"]) == (0, 0, "", [ANN.name])
    assert bad["error"].endswith(".")
    assert bad["next"]
    assert told["words"] == "Three sites; two cannot be read now."
    assert ANN.name not in told["without"]
    assert "Cyd" in " ".join(told["without"])
    json.dumps(told)


@pytest.mark.parametrize("who", [ANN, TIA, EVE])
def test_nobody_but_an_instructor_gets_the_table(sqlite_store: SqlStore, who: Person) -> None:
    with pytest.raises(NotAllowed, match="Only an instructor"):
        site_table.sites(a_course(sqlite_store, Clock()), who, {})


def test_the_table_names_nobody_while_names_are_hidden(sqlite_store: SqlStore) -> None:
    with pytest.raises(NotAllowed, match="Show names first"):
        site_table.sites(a_course(sqlite_store, Clock()), PROF, {"params": {"names": "hidden"}})


@pytest.mark.browser
def test_an_instructor_looks_at_the_sites_and_goes_back(browser: Browser, sqlite_store: SqlStore) -> None:
    course = a_course(sqlite_store, Clock())
    window = Window(browser, course)
    with fake_blogs() as blogs:
        a_class_of_sites(course, blogs)
        for size, dark in ((DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)):
            page = window.open("sign-off", PROF, size=size, dark=dark)
            page["sites"].click()
            expect(page["site-row"]).to_have_count(3)
            expect(page.tab.locator("#site-table-title")).to_be_focused()
            assert page.violations() == []
            assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            if folder := os.environ.get("REVIEWKIT_TEST_PICTURES"):
                name = f"site-table.{size[0]}.{'dark' if dark else 'light'}.png"
                page.tab.screenshot(path=Path(folder) / name, full_page=True)
        blogs.show("/down", rss("Back again"))
        course.pull()
        page["sites-again"].click()
        expect(page["site-table"]).to_contain_text("Back again")
    page["sites-back"].click()
    expect(page["table-class"]).to_be_visible()
    expect(page["sites"]).to_be_focused()
    page["hide-names"].click()
    expect(page["sites"]).to_have_count(0)
    assert window.close() == []
