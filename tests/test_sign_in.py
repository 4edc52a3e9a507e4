"""Signing in through the real server, a real mail server and a real browser: Ann's links, cookies and sign-outs."""

import http.client
import json
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from reviewkit import signing
from reviewkit.cli import run
from reviewkit.entrance import LETTERS_BY, WRONG_LINKS
from reviewkit.model import Person
from reviewkit.store import Letter
from tests.asking import Asker
from tests.cast import ANN, BOB, CYD, DOT, PEOPLE
from tests.mailbox import USER, Mailbox, mailbox
from tests.pages import AXE_RULES, DESKTOP, PHONE
from tests.serving import (
    SERVE_AHEAD,
    Server,
    a_course_folder,
    connected,
    free_port,
    runs,
    say_to_clock,
    the_course,
    visit,
    wait_for,
)

__all__ = ["visit"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("sign-in")]

Visit = Callable[..., Page]
HOUR = 3600


def with_settings(course_file: Path, text: str) -> Path:
    course_file.write_text(course_file.read_text("utf-8") + "\n" + text, "utf-8")
    return course_file


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    with mailbox(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> Iterator[Server]:
    """A course whose links work once, with a mail server, behind a proxy at 127.0.0.1."""
    course_file = with_settings(
        a_course_folder(tmp_path_factory.mktemp("once") / "course"),
        f'[server]\nsign_in = "single-use"\ntrusted_proxy = "127.0.0.1"\n'
        f'[mail]\nhost = "localhost"\nport = {box.port}\nuser = "{USER}"\nsender = "course@reviews.example"\n',
    )
    secrets = {"SSL_CERT_FILE": str(box.authority), "REVIEWKIT_SMTP_PASSWORD_FILE": str(box.password_file)}
    with Server(course_file, environment=secrets) as running:
        yield running


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(a_course_folder(tmp_path_factory.mktemp("plain") / "course"), script=SERVE_AHEAD) as running:
        yield running


@pytest.fixture
def plain(moving: Server) -> Server:
    """A course as it comes, with a clock for sign-ins that the test moves; it begins at the machine's time."""
    ahead(moving, 0)
    return moving


def ahead(server: Server, seconds: float) -> None:
    say_to_clock(server.course_file.with_name("ahead"), seconds)


def once(server: Server, until: float = 9e9) -> str:
    """The path of a fresh link of Ann's that works once."""
    secret = signing.read_secret(server.course_file.parent)
    return signing.link_for_one_use(secret, ANN.id, 1, "", until=until)


def sent(asker: Asker, email: str, **headers: str) -> tuple[int, Any, str]:
    """What somebody is told who asks for a new link."""
    return form(asker, "/send-link", {"email": email}, **headers)


def form(asker: Asker, path: str, fields: dict[str, str], **headers: str) -> tuple[int, Any, str]:
    connection = http.client.HTTPConnection("127.0.0.1", asker.server.port, timeout=30)
    own = {"Content-Type": "application/x-www-form-urlencoded", "Origin": asker.server.url, "Cookie": asker.cookie}
    connection.request("POST", path, urlencode(fields), own | headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def cookie_of(headers: Any) -> str:
    return str(headers["Set-Cookie"]).split(";")[0]


# -- links that work once


def test_of_twenty_who_press_at_once_one_is_signed_in(server: Server) -> None:
    path, asker = once(server), Asker(server)
    for _ in range(3):
        assert asker.get(path)[0] == 200, "a mail scanner looks and uses nothing up"
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: asker.ask("POST", path, origin=server.url), range(20)))
    assert sorted(status for status, _, _ in answers) == [303] + 19 * [410]
    assert len([headers for _, headers, _ in answers if headers["Set-Cookie"]]) == 1
    for status, _, text in answers:
        if status == 410:
            assert "it signs in once" in text
            assert "Send me a new link" in text
            assert ANN.name not in text


def test_a_link_that_is_over_says_so(server: Server) -> None:
    status, _, text = Asker(server).get(once(server, until=1))
    assert status == 410
    assert "that is over" in text
    assert 'action="/send-link"' in text


def test_a_lasting_link_is_refused_where_links_work_once(server: Server) -> None:
    status, _, text = Asker(server).ask("POST", server.link(ANN).removeprefix(server.url), origin=server.url)
    assert status == 410
    assert "links that work once" in text


def test_who_is_in_already_is_led_on_by_the_link_that_they_used(server: Server) -> None:
    path, ann = once(server), Asker(server)
    ann.cookie = cookie_of(ann.ask("POST", path, origin=server.url)[1])
    for method in ("GET", "POST"):
        status, headers, _ = ann.ask(method, path, origin=server.url)
        assert (status, headers["Location"]) == (303, "/")


def test_the_instructor_hands_out_links_that_work_once(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["links", "--person", "bob", "--json", "--url", server.url, "--course", str(server.course_file)]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    path = told["link"].removeprefix(server.url)
    assert Asker(server).ask("POST", path, origin=server.url)[0] == 303
    assert Asker(server).ask("POST", path, origin=server.url)[0] == 410


def test_without_mail_such_links_are_a_mistake_and_can_be_handed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course_file = with_settings(a_course_folder(tmp_path / "course"), '[server]\nsign_in = "single-use"\n')
    assert run(["check", "--course", str(course_file)]) == 1
    assert "links for one use need [mail]" in capsys.readouterr().err
    assert run(["links", "--person", "ann", "--json", "--course", str(course_file)]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    found = signing.check_link(signing.read_secret(course_file.parent), told["link"].rsplit("/", 1)[1])
    assert isinstance(found, signing.OnceLink)


# -- a new link by mail


def test_a_new_link_comes_by_mail_by_keyboard_and_without_a_script(
    server: Server, box: Mailbox, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url + once(server, until=1))
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is over")
    page.keyboard.press("Tab")
    page.keyboard.type(ANN.email.upper())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    wait_for(lambda: box.letters, what="the letter")
    letter = box.letters.pop()
    assert box.to.pop() == [ANN.email]
    text = letter.get_content()
    for person in PEOPLE:
        if person != ANN:
            assert person.name not in str(letter)
            assert person.email not in str(letter)
    found = re.search(rf"{server.url}/enter/\S+", text)
    assert found
    page.goto(found[0])
    expect(page.get_by_test_id("enter")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/my-work")
    context.close()


def test_known_or_not_the_answer_is_the_same(server: Server, box: Mailbox) -> None:
    box.letters.clear()
    asker = Asker(server)
    known, unknown = sent(asker, BOB.email), sent(asker, "zoe@nowhere.example")
    assert known[0] == unknown[0] == 200
    assert known[2] == unknown[2]
    assert {name for name in known[1] if name not in ("Date", "Etag")} == {
        name for name in unknown[1] if name not in ("Date", "Etag")
    }
    for status, headers, text in (known, unknown):
        assert (status, headers["Set-Cookie"], headers["Cache-Control"]) == (200, None, "no-store")
        assert "@" not in text
    wait_for(lambda: box.letters, what="Bob's letter")
    assert [letter["To"] for letter in box.letters] == [BOB.email]


def test_no_address_is_said_on_the_page(server: Server) -> None:
    for nothing in ("", "bob", "@"):
        status, _, text = sent(Asker(server), nothing)
        assert status == 422
        assert "Write the e-mail address" in text
        assert 'name="email"' in text


def test_a_client_that_asks_for_many_letters_is_told_when_to_come_back(server: Server) -> None:
    here = {"X-Forwarded-For": "203.0.113.9"}
    for number in range(LETTERS_BY):
        assert sent(Asker(server), f"nobody{number}@nowhere.example", **here)[0] == 200
    status, headers, text = sent(Asker(server), "zoe@nowhere.example", **here)
    assert status == 429
    assert 0 < int(headers["Retry-After"]) <= HOUR
    assert "Wait a while" in text


def test_a_mail_server_that_is_away_is_kept_from_whoever_asks(tmp_path: Path) -> None:
    course_file = with_settings(
        a_course_folder(tmp_path / "course"),
        '[mail]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\nsender = "course@reviews.example"\n',
    )
    with Server(course_file) as server:
        answers = [sent(Asker(server), email)[::2] for email in (ANN.email, "zoe@nowhere.example")]
        assert answers[0] == answers[1]
        wait_for(lambda: "A letter could not be sent" in server.log.read_text(), what="a line in the log")
        assert ANN.email not in server.log.read_text()


def test_a_letter_outlives_the_service_that_was_asked_for_it_and_comes_once(tmp_path: Path) -> None:
    """The mail server is away at first; the service is killed before it comes, and again while it waits."""
    port = free_port()
    course_file = with_settings(
        a_course_folder(tmp_path / "course"),
        f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "course@reviews.example"\n',
    )

    def failures(server: Server) -> int:
        return server.log.read_text().count("A letter could not be sent")

    with Server(course_file) as server:
        assert sent(Asker(server), ANN.email)[0] == 200
        assert sent(Asker(server), "zoe@nowhere.example")[0] == 200
        for killed in (1, 2):
            wait_for(lambda number=killed: failures(server) >= number, seconds=60, what="a try")
            pid = server.service()
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda gone=pid: not runs(gone), what="its end")
        with mailbox(tmp_path, "none", port=port) as box:
            clear_the_way(course_file)
            wait_for(lambda: box.letters, seconds=60, what="the letter")
            (letter,) = box.letters
            assert box.to == [[ANN.email]]
            link = re.search(rf"{server.url}(/enter/\S+)", letter.get_content())
            assert link
            assert Asker(server).ask("POST", link[1], origin=server.url)[0] == 303
            wait_for(lambda: not waiting_letters(course_file), what="nothing that waits")
            assert len(box.letters) == 1
        text = server.log.read_text()
        assert ANN.email not in text
        assert "zoe" not in text
        assert "/enter/" not in text


def waiting_letters(course_file: Path) -> list[Letter]:
    course = the_course(course_file)
    found = course.store.letters(["sign-in"])
    course.store.close()
    return found


def clear_the_way(course_file: Path) -> None:
    """Nobody waits a minute here: what rests may go at once."""
    course = the_course(course_file)
    for letter in course.store.letters(["sign-in"]):
        course.store.put_off_letter(letter.id, until=course.clock())
    course.store.close()


def test_where_no_mail_is_sent_the_instructor_is_asked(plain: Server) -> None:
    text = Asker(plain).get("/sign-in")[2]
    assert "Ask your instructor" in text
    assert "<form" not in text
    assert sent(Asker(plain), ANN.email)[0] == 404


# -- wrong links


def test_wrong_links_are_limited_for_each_client_and_a_right_one_still_opens(server: Server) -> None:
    forged = signing.link(b"x" * 40, ANN.id, 1, "")
    here, there = {"X-Forwarded-For": "10.1.1.1, 203.0.113.1"}, {"X-Forwarded-For": "203.0.113.1, 203.0.113.2"}
    for number in range(WRONG_LINKS):
        method = "POST" if number % 2 else "GET"
        assert Asker(server).ask(method, forged, origin=server.url, **here)[0] == 403
    status, headers, text = Asker(server).ask("GET", forged, **here)
    assert status == 429
    assert 0 < int(headers["Retry-After"]) <= 600
    assert "Wait a while" in text
    assert Asker(server).ask("GET", forged, **there)[0] == 403, "what else stands in the header is anybody's word"
    assert Asker(server).ask("GET", once(server), **here)[0] == 200


def test_nobodys_word_is_taken_for_where_they_are_unless_a_proxy_is_named(plain: Server) -> None:
    forged = signing.link(b"x" * 40, ANN.id, 1, "")
    answers = [
        Asker(plain).ask("GET", forged, **{"X-Forwarded-For": f"203.0.113.{number}"})[0]
        for number in range(WRONG_LINKS + 1)
    ]
    assert answers == WRONG_LINKS * [403] + [429]


# -- how long a sign-in holds


def test_an_idle_page_of_ten_hours_still_works(plain: Server, visit: Visit) -> None:
    page = visit(plain, ANN)
    connected(page)
    before = page.context.cookies()[0]
    assert before["expires"] > 0
    ahead(plain, 10 * HOUR)
    page.reload()
    connected(page)
    expect(page.get_by_test_id("name-menu")).to_contain_text(ANN.name)
    after = page.context.cookies()[0]
    assert after["value"] != before["value"], "it is used, so it goes on"
    ahead(plain, 20 * HOUR)
    page.reload()
    connected(page)


def test_a_page_in_use_keeps_its_person_signed_in(plain: Server) -> None:
    ann = Asker(plain, ANN)
    fresh = form(ann, "/stay", {})
    assert (fresh[0], fresh[1]["Set-Cookie"]) == (204, None)
    for hours in (11, 22, 33):
        ahead(plain, hours * HOUR)
        status, headers, _ = form(ann, "/stay", {})
        assert status == 204
        ann.cookie = cookie_of(headers)
    ahead(plain, 46 * HOUR)
    assert form(ann, "/stay", {})[0] == 401


def test_after_thirty_days_everybody_signs_in_again(plain: Server) -> None:
    ann = Asker(plain, ANN)
    for hours in range(11, 30 * 24, 11):
        ahead(plain, hours * HOUR)
        ann.cookie = cookie_of(form(ann, "/stay", {})[1])
    ahead(plain, 30 * 24 * HOUR)
    assert ann.get("/my-work")[0] == 302


def test_the_hours_are_a_setting(tmp_path: Path) -> None:
    course_file = with_settings(a_course_folder(tmp_path / "course"), "[server]\ncookie_hours = 1\n")
    with Server(course_file, script=SERVE_AHEAD) as server:
        ann = Asker(server, ANN)
        ahead(server, HOUR - 60)
        assert ann.get("/my-work")[0] == 200
        ahead(server, HOUR + 60)
        assert ann.get("/my-work")[0] == 302


def test_an_expired_sign_in_is_asked_for_again_and_the_text_is_there(plain: Server, visit: Visit) -> None:
    course = the_course(plain.course_file)
    work = course.freeze(ANN, "river", [course.candidates(ANN, course.assignment("river"))[0].id])
    address = f"{plain.url}/my-work?submission={work}"
    page = visit(plain, ANN)
    page.goto(address)
    connected(page)
    page.get_by_test_id("field-note-claim").fill("Two marks for calm weeks.")
    expect(page.get_by_test_id("save-status")).to_contain_text("Saved at")
    ahead(plain, 13 * HOUR)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Open your personal link")
    page.goto(plain.link(ANN))
    page.get_by_test_id("enter").click()
    page.goto(address)
    expect(page.get_by_test_id("field-note-claim")).to_have_value("Two marks for calm weeks.")


# -- signing out


def test_a_copy_of_a_cookie_opens_nothing_after_signing_out_and_other_browsers_go_on(
    plain: Server, visit: Visit
) -> None:
    here, there = visit(plain, ANN), visit(plain, ANN)
    for page in (here, there):
        connected(page)
    thief = Asker(plain)
    thief.cookie = "; ".join(f"{each['name']}={each['value']}" for each in here.context.cookies())
    stolen_page = thief.page("/my-work")
    assert thief.socket(stolen_page) == "!"
    here.get_by_test_id("name-menu").locator("summary").click()
    here.get_by_test_id("sign-out").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert thief.get("/my-work")[0] == 302
    assert thief.ask("POST", "/stay", origin=plain.url)[0] == 401
    assert thief.socket(stolen_page) == 403
    assert thief.ask("POST", "/sign-out-everywhere", origin=plain.url)[0] == 200, "and ends nobody's sign-in"
    log = [json.loads(line) for line in plain.log.read_text().splitlines()]
    assert [line for line in log if line["event"] == "A sign-in that had ended was used" and line["person"]]
    there.reload()
    connected(there)
    expect(there.get_by_test_id("name-menu")).to_contain_text(ANN.name)


def test_signing_out_ends_the_pages_that_were_opened_by_an_older_sign_in_of_that_browser(
    plain: Server, visit: Visit
) -> None:
    page = visit(plain, ANN)
    connected(page)
    page.context.clear_cookies()
    again = page.context.new_page()
    again.goto(plain.link(ANN))
    again.get_by_test_id("enter").click()
    connected(again)
    page.context.set_offline(True)
    connected(page, "closed")
    page.context.set_offline(False)
    connected(page)
    connected(again)
    again.get_by_test_id("name-menu").locator("summary").click()
    again.get_by_test_id("sign-out").click()
    expect(again.get_by_role("heading", level=1)).to_have_text("You are signed out")
    connected(page, "lost")


def test_what_was_typed_last_is_saved_before_signing_out_ends_the_page(plain: Server, visit: Visit) -> None:
    course = the_course(plain.course_file)
    found = course.submission_of(BOB, course.assignment("river"))
    posts = [post.id for post in course.candidates(BOB, course.assignment("river"))]
    work = found.id if found else course.freeze(BOB, "river", posts)
    page, other = visit(plain, BOB), visit(plain, BOB)
    page.goto(f"{plain.url}/my-work?submission={work}")
    connected(page)
    page.get_by_test_id("field-note-claim").press_sequentially("The last word.")
    other.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]  # as they were given
    assert other.evaluate("fetch('/sign-out', {method: 'POST'}).then(answer => answer.status)") == 200
    connected(page, "lost")
    draft = course.store.draft(BOB.id, f"self:{work}")
    assert draft is not None
    assert draft.content["notes"] == {"claim": "The last word."}
    course.store.close()


def test_signing_out_everywhere_ends_every_browser_and_leaves_the_link(plain: Server, visit: Visit) -> None:
    here, there, bobs = visit(plain, ANN), visit(plain, ANN), visit(plain, BOB)
    for page in (here, there, bobs):
        connected(page)
    stolen = "; ".join(f"{each['name']}={each['value']}" for each in there.context.cookies())
    here.get_by_test_id("name-menu").locator("summary").click()
    here.get_by_test_id("sign-out-everywhere").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("You are signed out everywhere")
    expect(there.locator("#connection")).to_be_visible()
    there.reload()
    expect(there.get_by_role("heading", level=1)).to_have_text("Open your personal link")
    thief = Asker(plain)
    thief.cookie = stolen
    assert thief.get("/my-work")[0] == 302
    assert bobs.locator("body").get_attribute("data-connection") == "open"
    there.goto(plain.link(ANN))
    there.get_by_test_id("enter").click()
    there.wait_for_url("**/my-work")


@pytest.mark.parametrize(("option", "person"), [("--new", CYD), ("--revoke", DOT)])
def test_a_new_link_or_none_ends_what_the_old_one_began(
    plain: Server, option: str, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    asker, old = Asker(plain, person), plain.link(person).removeprefix(plain.url)
    page = asker.page("/my-work")
    assert run(["links", option, person.id, "--json", "--url", plain.url, "--course", str(plain.course_file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert asker.get("/my-work")[0] == 302
    assert asker.socket(page) == 403
    assert asker.get(old)[0] == 403
    if option == "--new":
        assert Asker(plain).ask("POST", told[0]["link"].removeprefix(plain.url), origin=plain.url)[0] == 303


# -- files


def test_what_is_secret_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    runtime = tmp_path / "r"
    runtime.mkdir()
    course_file = a_course_folder(tmp_path / "course")
    with Server(course_file, environment={"XDG_RUNTIME_DIR": str(runtime)}) as server:
        Asker(server, ANN)
        secret = [
            course_file.with_name(name) for name in ("server.secret", "course.db", "course.db-wal", "course.db-shm")
        ]
        (folder,) = server_folders(server)
        secret.append(folder / "course")
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in secret} == {
            path.name: 0o600 for path in secret
        }
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def server_folders(server: Server) -> list[Path]:
    """Where the server put its socket, as its course service was told."""
    command = Path(f"/proc/{server.service()}/cmdline").read_bytes().decode().split("\0")
    return [Path(word).parent for word in command if word.endswith("/course")]


# -- pages of words


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_words_are_accessible_and_have_one_dark_button_at_most(
    server: Server, browser: Browser, size: tuple[int, int], scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    for address in ("/sign-in", once(server), once(server, until=1), "/enter/forged", "/nothing"):
        page.goto(server.url + address)
        looked_at(page)
    page.goto(server.url + "/sign-in")
    page.get_by_label("Your e-mail address").fill("zoe@nowhere.example")
    page.get_by_role("button", name="Send me a new link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    looked_at(page)
    signed_out_everywhere(server, context)
    looked_at(page)
    context.close()


def looked_at(page: Page) -> None:
    found = Axe().run(page, options=AXE_RULES).response["violations"]
    assert [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]] == []
    assert page.locator("h1").count() == 1
    assert page.locator(".btn.p").count() <= 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def signed_out_everywhere(server: Server, context: BrowserContext) -> None:
    page = context.pages[0]
    page.goto(
        server.url + signing.link_for_one_use(signing.read_secret(server.course_file.parent), BOB.id, 1, "", until=9e9)
    )
    page.get_by_test_id("enter").click()
    page.wait_for_url("**/my-work")
    page.get_by_test_id("name-menu").locator("summary").click()
    page.get_by_test_id("sign-out-everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out everywhere")
