"""Nobody loses a word: windows, browsers, connections, processes and sign-ins that end while somebody writes.

Everything is real: `serve` with its processes, Chromium, kills and freezes. Wherever a page has said "Saved", the
store is asked whether that was true.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from reviewkit.course import Course
from tests.asking import Asker
from tests.browser import installed
from tests.cast import ANN, a_self_evaluation
from tests.pages import QUIET
from tests.serving import (
    Server,
    a_course_folder,
    connected,
    descendants,
    free_port,
    runs,
    say_to_clock,
    the_course,
    visit,
    wait_for,
)
from tests.writing import MORE, Writer, a_writer, storm, words

__all__ = ["visit"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("server")]

Visit = Callable[..., Page]
LOSS = 5.0
"""Seconds of text that may be missing on another machine: three, and two that a busy machine is late. A page's own
clock lets its share of the three pass in `test_screens_my_work_browser.py`."""
NOTICED = 25_000
"""Milliseconds within which a page says here that it has lost its server. They are ten on the page's own clock, which
`test_screens_my_work_browser.py` lets pass; a machine with other things to do is late."""


SERVE_LATER = """
import pathlib, sys, time
import reviewkit.server as server, reviewkit.server.light.manager as manager
course = pathlib.Path(sys.argv[1])
def hours(clock):
    file = course.with_name(clock)
    return 3600 * float(file.read_text() if file.exists() else 0)
manager.SWEEP = 0.2
manager.LightKernelManager.clock = staticmethod(lambda: time.monotonic() + hours("pages"))
server.serve(course, port=int(sys.argv[2]), clock=lambda: time.time() + hours("sign-ins"))
"""
"""`serve` with two clocks that a test sets ahead: that of pages, which rest, and that of sign-ins, which expire."""


@pytest.fixture
def course_file(tmp_path: Path) -> Path:
    return a_course_folder(tmp_path / "course")


@pytest.fixture
def server(course_file: Path) -> Iterator[Server]:
    with Server(course_file, port=free_port(), script=SERVE_LATER) as running:
        yield running
        for pid in running.all():  # what a failed test has frozen cannot be stopped
            thaw(pid)


@pytest.fixture
def course(course_file: Path) -> Iterator[Course]:
    opened = the_course(course_file)
    yield opened
    opened.store.close()


@pytest.fixture
def ann(server: Server, course: Course, visit: Visit) -> Iterator[Writer]:
    writer = a_writer(server, course, visit(server, ANN))
    yield writer
    if not writer.page.is_closed():
        writer.honest()


def ahead(server: Server, clock: str, hours: float) -> None:
    say_to_clock(server.course_file.with_name(clock), hours)


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    if runs(pid):
        os.kill(pid, signal.SIGCONT)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not runs(pid), what="its end")


def began(pid: int) -> int:
    """When a process began, in ticks of the system's clock; numbers of processes begin again from the lowest."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return 0


def page_process(server: Server) -> int:
    """The newest page's process; those of pages that were left may still be there for a moment."""
    return max(server.pages(), key=began)


def another_tab(writer: Writer) -> Writer:
    """The same person in another window of the same browser."""
    return Writer(writer.server, writer.course, writer.page.context.new_page(), writer.submission, writer.person)


# -- two windows, two machines


def test_a_second_window_is_read_only_until_it_takes_the_pen(ann: Writer) -> None:
    ann.write("From the first window.")
    second = another_tab(ann).open()
    expect(second.page.get_by_test_id("note-neutral").first).to_contain_text("open in another window")
    expect(second.note).to_have_js_property("readOnly", True)
    ann.write(" And on.")
    with second.page.expect_navigation():
        second.page.get_by_test_id("edit-here").click()
    expect(second.note).to_have_value("From the first window. And on.")
    expect(second.note).to_have_js_property("readOnly", False)
    expect(ann.note).to_have_js_property("readOnly", True)
    expect(ann.status).to_have_text("Open in another window")
    second.write(" From the second.")
    second.saved()
    assert ann.stored() == "From the first window. And on. From the second."


def test_the_pen_is_handed_over_with_the_words_that_were_not_saved(ann: Writer, server: Server) -> None:
    ann.write("Saved. ")
    ann.saved()
    deaf = page_process(server)
    freeze(deaf)
    ann.write("Not saved.")
    second = another_tab(ann).open()
    expect(second.page.get_by_test_id("note-neutral").first).to_contain_text("open in another window")
    with second.page.expect_navigation():
        second.page.get_by_test_id("edit-here").click()
    expect(second.note).to_have_value("Saved. Not saved.")
    second.write(" And the second.")
    second.saved()
    thaw(deaf)
    expect(ann.note).to_have_js_property("readOnly", True, timeout=NOTICED)
    second.saved()
    assert second.stored() == "Saved. Not saved. And the second."


def test_a_window_that_does_not_answer_any_more_gives_up_the_pen(ann: Writer, server: Server) -> None:
    ann.write("From the first window.")
    ann.saved()
    second = another_tab(ann).open()
    ann.page.close()
    with second.page.expect_navigation():
        second.page.get_by_test_id("edit-here").click()
    second.write(" And the second.")
    second.saved()


def test_two_machines_never_overwrite_what_they_have_not_seen(
    ann: Writer, server: Server, course: Course, visit: Visit
) -> None:
    phone = a_writer(server, course, visit(server, ANN))
    ann.write("On the laptop.")
    ann.saved()
    phone.write("On the phone, and much longer than the other one.")
    choice = phone.page.get_by_test_id("note-neutral")
    expect(choice).to_contain_text("Nothing is mixed")
    assert ann.stored() == "On the laptop."
    expect(phone.status).not_to_contain_text("Saved")
    phone.page.get_by_test_id("show-newer").click()
    expect(phone.note).to_have_value("On the laptop.")
    phone.write(" Then on the phone.")
    phone.saved()
    ann.write(" On the laptop again.")
    expect(ann.page.get_by_test_id("note-neutral")).to_contain_text("Nothing is mixed")
    assert ann.stored() == "On the laptop. Then on the phone."
    ann.grows = False
    ann.page.get_by_test_id("edit-here").click()
    ann.reaches_the_store("On the laptop. On the laptop again.")


def test_a_copy_in_this_browser_is_not_thrown_away_for_the_text_of_another_machine(
    ann: Writer, server: Server, course: Course, visit: Visit
) -> None:
    ann.page.context.set_offline(True)
    ann.write("On the train.")
    expect(ann.status).not_to_contain_text("Saved")
    ann.page.close()
    phone = a_writer(server, course, visit(server, ANN))
    phone.write("At home, on another machine.")
    phone.saved()
    context = ann.page.context
    context.set_offline(False)
    again = Writer(server, course, context.new_page(), ann.submission).open()
    expect(again.note).to_have_value("On the train.")
    expect(again.page.get_by_test_id("note-neutral")).to_contain_text("the course has another one")
    assert ann.stored() == "At home, on another machine."
    again.page.get_by_test_id("edit-here").click()
    again.reaches_the_store("On the train.")


def test_a_text_that_comes_after_the_form_was_sent_says_so_and_brings_nothing_back(ann: Writer, course: Course) -> None:
    relay(ann.page, drop=lambda frame: b'"method":"update"' in frame)  # she types before her page hears of it
    ann.open()
    ann.write("Almost ready.")
    ann.saved()
    ann.grows = False
    course.self_evaluate(ANN, ann.submission, a_self_evaluation(), seen=1)  # from her phone
    course.drop_draft(ANN, ann.form)
    ann.write(" One word more.")
    note = ann.page.get_by_test_id("note-neutral")
    expect(note).to_contain_text("sent or put away in another window")
    expect(ann.status).to_have_text("Sent in another window")
    expect(note.get_by_test_id("copy-text")).to_be_visible()
    assert ann.kept() is None
    note.get_by_test_id("show-newer").click()
    expect(ann.page.get_by_test_id("dialogue")).to_be_visible()
    assert ann.page.evaluate("Object.keys(localStorage)") == []
    assert ann.kept() is None


# -- the connection


def test_what_is_typed_offline_is_saved_when_the_network_is_back(ann: Writer) -> None:
    ann.write("Before. ")
    ann.saved()
    ann.page.context.set_offline(True)
    ann.write("In the tunnel.")
    expect(ann.page.get_by_test_id("note-closed")).to_contain_text("Trying again", timeout=NOTICED)
    expect(ann.status).not_to_contain_text("Saved")
    assert ann.stored() == "Before. "
    ann.page.context.set_offline(False)
    ann.saved()
    assert ann.stored() == "Before. In the tunnel."


Frames = Callable[[bytes], bool]


def none(_: bytes) -> bool:
    return False


def relay(page: Page, *, drop: Frames = none, cut: Frames = none) -> list[Any]:
    """Pass the page's frames on, but drop some that come from the server, or cut the connection in place of them."""
    lines: list[Any] = []

    def opened(line: Any) -> None:
        lines.append(line)
        server = line.connect_to_server()

        def answered(frame: bytes | str) -> None:
            if isinstance(frame, str):
                line.send(frame)
            elif cut(frame):
                line.close(code=1011)
                server.close()
            elif not drop(frame):
                line.send(frame)

        server.on_message(answered)

    page.route_web_socket(re.compile("/channels"), opened)
    return lines


def test_what_is_typed_while_the_connection_comes_back_is_saved(ann: Writer) -> None:
    lines = relay(ann.page)
    ann.open()
    ann.begin()
    for number in range(4):
        lines[-1].close(code=1011)
        ann.type(words(10, start=10 * number) + " ")
        wait_for(lambda so_far=number: ann.page.evaluate("1") and len(lines) > so_far + 1, what="a new connection")
    ann.saved()
    assert ann.stored() == " ".join(words(10, start=10 * number) for number in range(4)) + " "


def test_an_answer_that_was_lost_makes_no_second_text(ann: Writer) -> None:
    lost: list[bytes] = []

    def a_save(frame: bytes) -> bool:
        if len(lost) == 3 or b'"done"' not in frame or b'"saved"' not in frame:
            return False
        lost.append(frame)
        return True

    relay(ann.page, cut=a_save)
    ann.open()
    ann.write(words(60))
    wait_for(lambda: ann.page.evaluate("1") and len(lost) == 3, what="three lost answers")
    ann.saved()
    assert ann.stored() == words(60)
    assert ann.page.get_by_test_id("note-neutral").count() == 0, "nobody else was there"


def test_a_lost_answer_and_a_reload_make_no_second_text(ann: Writer, server: Server) -> None:
    ann.write("First. ")
    ann.saved()
    freeze(server.service())
    ann.write("Under way when the page went away.")
    expect(ann.status).to_contain_text("Not saved yet", timeout=NOTICED)
    thaw(server.service())
    ann.page.reload()
    connected(ann.page)
    expect(ann.note).to_have_value("First. Under way when the page went away.")
    ann.write(" And on.")
    ann.saved()
    assert ann.stored() == "First. Under way when the page went away. And on."


# -- processes that die or stand still


def test_a_page_whose_process_died_says_so_and_its_text_can_be_copied(ann: Writer, server: Server) -> None:
    ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ann.write("Saved before. ")
    ann.saved()
    process = page_process(server)
    freeze(process)
    ann.write("Typed when nobody heard it.")
    kill(process)
    notice = ann.page.get_by_test_id("note-lost")
    expect(notice).to_be_visible(timeout=NOTICED)
    expect(ann.status).not_to_contain_text("Saved")
    notice.get_by_test_id("copy-text").click()
    expect(notice.get_by_test_id("copy-text")).to_have_text("Copied")
    assert ann.page.evaluate("navigator.clipboard.readText()") == "Saved before. Typed when nobody heard it."
    ann.write(" Still more.")
    expect(ann.status).to_contain_text("lost the course")
    ann.page.get_by_test_id("reload").click()
    expect(ann.note).to_have_value("Saved before. Typed when nobody heard it. Still more.")
    expect(ann.page.get_by_test_id("note-neutral")).to_contain_text("This browser had a newer copy")
    ann.saved()


def test_where_the_clipboard_is_shut_the_text_can_be_copied_by_hand(ann: Writer, server: Server) -> None:
    ann.write("By hand.")
    ann.page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('no')); null")
    kill(page_process(server))
    ann.page.get_by_test_id("note-lost").get_by_test_id("copy-text").click()
    expect(ann.page.get_by_test_id("text-to-copy")).to_have_value("By hand.")
    assert ann.page.evaluate("getSelection().toString()") == "By hand."


def test_what_is_typed_while_the_course_service_is_dead_is_saved_when_it_is_back(ann: Writer, server: Server) -> None:
    killed = server.service()
    kill(killed)
    ann.write(words(40))
    ann.saved()
    assert ann.stored() == words(40)
    assert server.service() != killed


def test_a_service_that_dies_between_keeping_and_answering_makes_no_second_text(ann: Writer, server: Server) -> None:
    ann.begin()
    for number in range(3):
        service, before = server.service(), ann.stored()
        ann.type(f"round{number} ")
        while ann.stored() == before:
            assert runs(service)
        os.kill(service, signal.SIGKILL)
        wait_for(lambda pid=service: not runs(pid), what="its end")
        ann.type(f"after{number} ")
        ann.saved()
    assert ann.stored() == "round0 after0 round1 after1 round2 after2 "
    assert ann.page.get_by_test_id("note-neutral").count() == 0


def test_a_frozen_service_is_never_taken_for_saved(ann: Writer, server: Server) -> None:
    ann.write("Before. ")
    ann.saved()
    service = server.service()
    freeze(service)
    ann.write("While it stands still.")
    expect(ann.status).to_contain_text("Saving…")
    expect(ann.status).to_contain_text("Not saved yet. Your text is kept in this browser.", timeout=NOTICED)
    ann.write(" More.")
    expect(ann.status).not_to_contain_text("Saved at")
    assert ann.stored() == "Before. "
    thaw(service)
    ann.saved()
    assert ann.stored() == "Before. While it stands still. More."


def test_a_page_that_comes_back_to_a_frozen_service_goes_on_saying_that_nothing_is_saved(
    ann: Writer, server: Server
) -> None:
    service = server.service()
    freeze(service)
    ann.write("Nobody answers.")
    expect(ann.status).to_contain_text("Not saved yet", timeout=NOTICED)
    ann.page.get_by_test_id("save-again").click()
    expect(ann.status).to_contain_text("Saving…")
    expect(ann.status).to_contain_text("Not saved yet", timeout=NOTICED)
    thaw(service)
    ann.saved()


def test_where_this_browser_can_keep_no_copy_the_page_does_not_say_that_it_has_one(ann: Writer, server: Server) -> None:
    ann.page.evaluate("Storage.prototype.setItem = () => { throw new Error('full'); }; null")
    service = server.service()
    freeze(service)
    ann.write("Only on this page.")
    expect(ann.status).to_have_text(re.compile(r"^Not saved yet\.Try again$"), timeout=NOTICED)
    thaw(service)
    expect(ann.status).to_contain_text("Saved at", timeout=20_000)
    assert ann.stored() == "Only on this page."


def test_five_hundred_words_at_speed_outlive_two_deaths_of_the_service(ann: Writer, server: Server) -> None:
    ann.begin()
    for start in (1, 201, 401):
        ann.type(words(min(200, 501 - start), start=start) + " ")
        ann.honest()
        if start < 401:
            kill(server.service())
    ann.saved(seconds=60)
    assert ann.stored() == words(200) + " " + words(200, start=201) + " " + words(100, start=401) + " "


def test_a_server_that_stands_still_is_noticed_within_ten_seconds(ann: Writer, server: Server) -> None:
    ann.write("Before. ")
    ann.saved()
    freeze(server.process.pid)
    expect(ann.page.get_by_test_id("note-closed")).to_be_visible(timeout=NOTICED)
    expect(ann.status).not_to_contain_text("Saved")
    expect(ann.page.get_by_test_id("copy-text")).to_be_visible()
    ann.write("While it stands still.")
    thaw(server.process.pid)
    ann.saved()
    assert ann.stored() == "Before. While it stands still."


def typed_until(ann: Writer, moment: float) -> str:
    return "".join(part for at, part in ann.typed if at <= moment)


def test_a_killed_server_costs_nothing_here_and_three_seconds_elsewhere(
    course_file: Path, course: Course, visit: Visit
) -> None:
    with Server(course_file, port=free_port()) as first:
        ann = a_writer(first, course, visit(first, ANN))
        ann.begin()
        until = time.monotonic() + LOSS + 3
        number = 0
        while time.monotonic() < until:
            number += 1
            ann.type(f"word{number} ")
        killed = time.monotonic()
        first.stop(signal.SIGKILL)
        expect(ann.page.get_by_test_id("note-closed")).to_be_visible(timeout=NOTICED)
        expect(ann.status).not_to_contain_text("Saved")
        ann.honest()
    with Server(course_file, port=first.port) as second:
        elsewhere = a_writer(second, course, visit(second, ANN))
        found = elsewhere.note.input_value()
        assert found.startswith(typed_until(ann, killed - LOSS).rstrip())
        elsewhere.page.close()
        connected(ann.page, "lost", seconds=30)
        ann.page.reload()
        everything = typed_until(ann, killed)
        expect(ann.note).to_have_value(everything)
        connected(ann.page)
        ann.saved()
        assert ann.stored() == everything


# -- pages that go away


def test_a_tab_closed_right_after_typing_has_lost_nothing_here(ann: Writer, server: Server, course: Course) -> None:
    ann.write(words(30))
    typed = time.monotonic()
    ann.page.close()
    again = Writer(server, course, ann.page.context.new_page(), ann.submission).open()
    expect(again.note).to_have_value(words(30))
    again.saved()
    assert again.stored().startswith(typed_until(ann, typed - LOSS))


def test_a_tab_closed_while_typing_has_lost_three_seconds_elsewhere_at_most(
    ann: Writer, server: Server, course: Course, visit: Visit
) -> None:
    ann.begin()
    until, number = time.monotonic() + LOSS + 3, 0
    while time.monotonic() < until:
        number += 1
        ann.type(f"word{number} ")
    closed = time.monotonic()
    ann.page.close()
    elsewhere = a_writer(server, course, visit(server, ANN))
    assert elsewhere.note.input_value().startswith(typed_until(ann, closed - LOSS).rstrip())


def test_without_a_copy_in_this_browser_nothing_of_the_text_stays_there(ann: Writer, server: Server) -> None:
    ann.page.get_by_test_id("name-menu").locator("summary").click()
    ann.page.get_by_label("Do not keep a copy").check()
    ann.page.keyboard.press("Escape")
    service = server.service()
    freeze(service)
    ann.write("Secret in a library.")
    expect(ann.status).to_have_text(re.compile(r"^Not saved yet\.Try again$"), timeout=NOTICED)
    assert "Secret" not in ann.page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    ann.page.on("dialog", stay)
    ann.page.close(run_before_unload=True)
    wait_for(lambda: ann.page.evaluate("1") and asked, what="the browser's question")
    assert asked == ["beforeunload"]
    thaw(service)
    ann.saved()
    assert "Secret" not in ann.page.evaluate("JSON.stringify(localStorage)")


# -- sleep, and sign-ins that end


def test_a_laptop_that_slept_until_its_page_was_culled_wakes_with_its_text(
    browser: Browser, server: Server, course: Course
) -> None:
    before = set(descendants(os.getpid()))
    laptop = browser.browser_type.launch(executable_path=installed(), args=list(QUIET))
    asleep = [pid for pid in descendants(os.getpid()) if pid not in before]
    try:
        page = laptop.new_page()
        page.goto(server.link(ANN))
        page.get_by_test_id("enter").click()
        page.wait_for_url(re.compile("/my-work"))
        ann = a_writer(server, course, page)
        ann.write("Saved before. ")
        ann.saved()
        process = page_process(server)
        freeze(process)  # so that nothing that is typed now can have been saved
        ann.write("Typed as the lid closed.")
        for pid in asleep:
            freeze(pid)
        ahead(server, "pages", 13)
        wait_for(lambda: closed_as("rested", server), what="the cull")
        assert ann.stored() == "Saved before. "
        kill(process)
        for pid in asleep:
            thaw(pid)
        expect(page.get_by_test_id("note-lost")).to_be_visible(timeout=NOTICED)
        expect(ann.status).not_to_contain_text("Saved")
        expect(ann.note).to_have_value("Saved before. Typed as the lid closed.")
        page.get_by_test_id("reload").click()
        expect(ann.note).to_have_value("Saved before. Typed as the lid closed.")
        ann.saved()
    finally:
        for pid in asleep:
            thaw(pid)
        laptop.close()


def closed_as(why: str, server: Server) -> bool:
    return f'reviewkit_pages_closed_total{{why="{why}"}}' in Asker(server).get("/metrics")[2]


def expire(server: Server, writer: Writer) -> None:
    """Half a day passes for the sign-in; then the connection breaks, and cannot be made again."""
    ahead(server, "sign-ins", 13)
    writer.page.context.set_offline(True)
    connected(writer.page, "closed")
    writer.page.context.set_offline(False)


def test_an_expired_sign_in_is_said_and_signing_in_in_another_tab_lets_the_page_go_on(
    ann: Writer, server: Server
) -> None:
    ann.write("Before. ")
    ann.saved()
    expire(server, ann)
    ann.write("After it had ended.")
    expect(ann.page.get_by_test_id("note-closed")).to_contain_text("sign-in has ended", timeout=NOTICED)
    expect(ann.status).not_to_contain_text("Saved")
    other = ann.page.context.new_page()
    other.goto(server.link(ANN))
    other.get_by_test_id("enter").click()
    other.wait_for_url(re.compile("/my-work"))
    ann.saved()
    assert ann.stored() == "Before. After it had ended."


def test_after_signing_in_again_in_the_same_tab_the_text_is_there(ann: Writer, server: Server) -> None:
    ann.write("Before. ")
    ann.saved()
    expire(server, ann)
    ann.write("After it had ended.")
    ann.page.goto(ann.address)
    expect(ann.page).to_have_url(re.compile("/sign-in"))
    ann.page.goto(server.link(ANN))
    ann.page.get_by_test_id("enter").click()
    ann.page.wait_for_url(re.compile("/my-work"))
    ann.page.goto(ann.address)
    expect(ann.note).to_have_value("Before. After it had ended.")
    connected(ann.page)
    ann.saved()
    assert ann.stored() == "Before. After it had ended."


# -- all at once


def test_eight_people_lose_nothing_while_the_service_is_killed_again_and_again(
    tmp_path: Path, browser: Browser
) -> None:
    course_file = a_course_folder(tmp_path / "crowd", *MORE)
    with Server(course_file, port=free_port()) as server:
        course = the_course(course_file)
        assert storm(server, course, browser, seconds=20, every=6) >= 2
        course.store.close()
