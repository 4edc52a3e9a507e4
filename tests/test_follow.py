"""Pages follow the course: what somebody else did shows without a reload, and nothing else does."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.following import Following, mark_of
from reviewkit.model import Accept, Discuss, Draft, Feed, Person, Proposal
from reviewkit.server.light import frames
from reviewkit.server.light.manager import LightKernelManager
from reviewkit.signing import PageToken
from reviewkit.store import Store, open_store
from tests.cast import (
    ANN,
    BOB,
    CYD,
    DOT,
    PROF,
    STUDENTS,
    TIA,
    Clock,
    a_course,
    a_post,
    levels,
    revealed,
    self_evaluated,
)
from tests.serving import Server, a_course_folder, awaited, the_course, visit, wait_for
from tests.test_kernels import a_page, said, with_pages

__all__ = ["visit"]
Visit = Callable[..., Page]


# -- in the service: who is told


@dataclass
class Desk:
    """A service's `Following`, and how often it looked at whose view."""

    course: Course
    looks: list[str] = field(default_factory=list)

    def look(self, course: Course, page: PageToken, params: Mapping[str, Any]) -> dict[str, Any]:
        self.looks.append(page.person)
        return screens.view(course, course.person(page.person), page.screen, params)

    def mark(self, person: Person, screen: str = "my-work", **params: str) -> str:
        return mark_of(screens.view(self.course, person, screen, params))


def page_of(person: Person, screen: str = "my-work", page: str = "") -> PageToken:
    return PageToken(person=person.id, screen=screen, page=page or f"{person.id} {screen}", serial=1)


def after(
    desk: Desk,
    act: Callable[[], object],
    *pages: PageToken,
    patience: float = 20,
    looked: tuple[str, ...] = (),
    params: Mapping[str, str] | None = None,
) -> list[str | None]:
    """All pages wait, then somebody acts in another thread: the titles of the views that came, None for none.

    With `looked`, nobody is given up before the service has looked again at the views of these people.
    """
    params = params or {}

    async def whole() -> list[str | None]:
        followed = Following(desk.course, desk.look)

        async def one(page: PageToken) -> str | None:
            mark = desk.mark(desk.course.person(page.person), page.screen, **params)
            fresh = await followed.follow(page, params, mark)
            return None if fresh is None else str(fresh.view["title"])

        waits = [asyncio.create_task(one(page)) for page in pages]
        while len(set(desk.looks)) < len({page.person for page in pages}):
            await asyncio.sleep(0.01)
        before = {person: desk.looks.count(person) for person in looked}
        await asyncio.to_thread(act)
        while any(desk.looks.count(person) <= count for person, count in before.items()):
            await asyncio.sleep(0.01)
        if looked:
            await asyncio.sleep(0)
            done = [wait.done() for wait in waits]
            await followed.close()
            told = [await wait for wait in waits]
            assert [each is not None for each in told] == done or not any(told)
            return told
        told = [await asyncio.wait_for(wait, patience) for wait in waits]
        await followed.close()
        return told

    return awaited(asyncio.wait_for(whole(), 60))


def test_a_page_is_told_when_an_act_of_somebody_else_changes_its_view(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    duty = course.duties(BOB)[0]
    told = after(
        Desk(course),
        lambda: course.review(BOB, duty.id, levels(), "Fine rings.", "Show the log."),
        page_of(PROF, "sign-off"),
        page_of(BOB, "reviews"),
        page_of(BOB),
    )
    assert told == ["Sign-off", "Reviews to give", "My work"]
    assert made


def test_what_a_page_shows_after_its_own_act_is_never_taken_back_by_an_older_look(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewkit.following.BEAT", 60)
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)

    async def whole() -> object:
        followed = Following(course, desk.look)
        waits = []
        for person in (BOB, CYD):  # the course is read for their pages, and not again for a long while
            mark = await asyncio.to_thread(desk.mark, person)
            waits.append(asyncio.create_task(followed.follow(page_of(person), {}, mark)))
            while person.id not in desk.looks:
                await asyncio.sleep(0.01)
        await asyncio.to_thread(self_evaluated, course, ANN)
        mark = await asyncio.to_thread(desk.mark, ANN)
        anns = asyncio.create_task(followed.follow(page_of(ANN), {}, mark))
        while page_of(ANN).page not in followed.known and not anns.done():
            await asyncio.sleep(0.01)
        assert not anns.done()
        await followed.close()
        await asyncio.gather(*waits)
        return await anns

    assert awaited(asyncio.wait_for(whole(), 60)) is None


def test_a_page_is_not_looked_at_again_only_because_it_follows(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)

    async def whole() -> None:
        followed = Following(course, desk.look)
        assert followed.stamp(BOB.id) is None
        bobs = asyncio.create_task(followed.follow(page_of(BOB), {}, desk.mark(BOB)))
        while page_of(BOB).page not in followed.known:
            await asyncio.sleep(0.01)
        # A change comes between the stamp and the view that Ann is given: it is in her view already.
        stamp = followed.stamp(ANN.id)
        await asyncio.to_thread(renamed, course, "Second half")
        params = screens.view(course, ANN, "my-work", {})["params"]
        mark = desk.mark(ANN)
        followed.shown(page_of(ANN), params, mark, stamp)
        anns = asyncio.create_task(followed.follow(page_of(ANN), params, mark))
        assert (await bobs) is not None
        while desk.looks.count(ANN.id) < 1:
            await asyncio.sleep(0.01)
        # From now on nothing happens: what she is given is what she follows.
        followed.shown(page_of(ANN, page="another"), params, mark, followed.stamp(ANN.id))
        others = asyncio.create_task(followed.follow(page_of(ANN, page="another"), params, mark))
        while len(followed.waiting) < 2:
            await asyncio.sleep(0.01)
        looks = desk.looks.count(ANN.id)
        await asyncio.to_thread(course.store.revoke_links, ANN.id)
        while desk.looks.count(ANN.id) < looks + 2:
            await asyncio.sleep(0.01)
        assert looks == 1
        assert not anns.done()
        assert not others.done()
        await followed.close()
        assert await anns is await others is None

    awaited(asyncio.wait_for(whole(), 60))


def test_nobody_waits_for_a_page_that_is_gone(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)

    async def whole() -> None:
        followed, left = Following(course, desk.look), list[bool]()
        wait = followed.follow(page_of(ANN), {}, desk.mark(ANN), lambda: bool(left))
        anns = asyncio.create_task(wait)
        while page_of(ANN).page not in followed.known:
            await asyncio.sleep(0.01)
        left.append(True)
        assert await anns is None
        assert not followed.waiting
        assert not followed.known
        await followed.close()

    awaited(asyncio.wait_for(whole(), 60))


def test_pages_that_were_never_followed_are_forgotten(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)

    async def whole() -> None:
        followed = Following(course, desk.look)
        anns = asyncio.create_task(followed.follow(page_of(ANN), {}, desk.mark(ANN)))
        while page_of(ANN).page not in followed.known:
            await asyncio.sleep(0.01)
        for number in range(50):
            followed.shown(page_of(BOB, page=str(number)), {}, "mark", followed.stamp(BOB.id))
        assert len(followed.known) == 51
        monkeypatch.setattr("reviewkit.following.KEPT", -60)
        for number in range(50, 250):
            followed.shown(page_of(BOB, page=str(number)), {}, "mark", followed.stamp(BOB.id))
        assert set(followed.known) <= {page_of(ANN).page, "248", "249"}
        await followed.close()
        await anns

    awaited(asyncio.wait_for(whole(), 60))


def test_a_blind_review_is_no_news_to_its_author_and_to_other_reviewers_although_the_service_looked(
    sqlite_store: Store,
) -> None:
    course = a_course(sqlite_store, Clock())
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    duty = course.duties(BOB)[0]
    (allocation,) = [each for each in sqlite_store.allocations() if each.id == duty.id]
    author = next(person for person in STUDENTS if made[person.id] == allocation.submission)
    (other,) = [
        course.person(each.reviewer)
        for each in sqlite_store.allocations()
        if each.submission == allocation.submission and each.reviewer != BOB.id
    ]
    told = after(
        Desk(course),
        lambda: course.review(BOB, duty.id, levels(), "Fine rings.", "Show the log."),
        page_of(author),
        page_of(other, "reviews"),
        looked=(author.id, other.id),
    )
    assert told == [None, None]


def test_what_somebody_types_is_no_news_to_anybody(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    made = self_evaluated(course)
    desk = Desk(course)
    form = f"self:{made['bob']}"

    def type_() -> None:
        sqlite_store.keep_draft(Draft(person=BOB.id, form=form, revision=1, content={"a": "words"}, saved=Clock()()))

    assert after(desk, type_, page_of(BOB), page_of(ANN), page_of(PROF, "sign-off"), looked=(BOB.id,)) == [None] * 3
    assert (desk.looks.count(ANN.id), desk.looks.count(PROF.id)) == (1, 1)


def test_nobody_is_looked_at_whom_a_change_does_not_concern(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)
    entry = a_post(ANN, number=2)
    told = after(
        desk,
        lambda: sqlite_store.keep_pull(Feed(person=ANN.id, url=ANN.feeds[0]), [entry], seen=Clock()()),
        page_of(ANN),
    )
    assert told == ["My work"]
    desk.looks.clear()
    entry = a_post(ANN, number=3)

    def pulled() -> None:
        sqlite_store.keep_pull(Feed(person=ANN.id, url=ANN.feeds[0]), [entry], seen=Clock()())

    after(desk, pulled, page_of(ANN), page_of(BOB), looked=(ANN.id,))
    assert desk.looks.count(BOB.id) == 1


def test_a_date_that_was_moved_and_a_date_that_passes_are_news(sqlite_store: Store) -> None:
    clock = Clock()
    course = a_course(sqlite_store, clock)
    setup = course.setup

    def moved() -> None:
        (river,) = setup.assignments
        later = replace(river, freeze_by=clock() + timedelta(days=4))
        sqlite_store.keep_course(replace(setup, assignments=(later,)), [], [])

    assert after(Desk(course), moved, page_of(ANN)) == ["My work"]
    assert after(Desk(course), lambda: clock.pass_(days=5), page_of(ANN)) == ["My work"]


def test_a_page_whose_sign_in_was_revoked_is_told_so(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())

    class Careful(Desk):
        def look(self, course: Course, page: PageToken, params: Mapping[str, Any]) -> dict[str, Any]:
            if course.store.link_serial(page.person) != page.serial:
                raise NotAllowed("Your sign-in has ended.")
            return super().look(course, page, params)

    with pytest.raises(NotAllowed):
        after(Careful(course), lambda: course.store.revoke_links(ANN.id), page_of(ANN))


def test_the_newer_question_of_a_page_ends_the_older_one(sqlite_store: Store) -> None:
    course = a_course(sqlite_store, Clock())
    desk = Desk(course)
    told = after(
        desk,
        lambda: course.store.revoke_links(ANN.id),
        page_of(ANN, page="p"),
        page_of(ANN, page="p"),
        looked=(ANN.id,),
    )
    assert told == [None, None]


# -- in the store: whether anything changed, and for whom


def test_the_store_tells_of_changes_by_others_and_of_none_where_there_was_none(store: Store, store_url: str) -> None:
    course = a_course(store, Clock())
    made = self_evaluated(course)
    beat, marks = store.pulse(), store.marks()
    screens.view(course, ANN, "my-work", {})
    assert (store.pulse(), store.marks()) == (beat, marks)
    other = open_store(store_url)
    try:
        other.keep_draft(Draft(person=ANN.id, form="self:x", revision=1, content={}, saved=Clock()()))
        assert store.pulse() != beat
        typed = store.marks()
        assert typed.desks[ANN.id] != marks.desks.get(ANN.id)
        assert (typed.everything, typed.people) == (marks.everything, marks.people)
        beat = store.pulse()
        Course(other, clock=Clock()).allocate(course.plan("river", seed=1))
        assert store.pulse() != beat
        allocated = store.marks()
        assert allocated.everything != typed.everything
        assert all(allocated.people[person.id] != typed.people[person.id] for person in STUDENTS)
        assert made
    finally:
        other.close()


@pytest.mark.parametrize("changed", [{"role": "observer"}, {"withdrawn": True}, {"sections": ("tuesday",)}])
def test_who_somebody_is_in_the_course_concerns_every_page(store: Store, changed: dict[str, Any]) -> None:
    course = a_course(store, Clock())
    store.keep_course(course.setup, [TIA], [])
    before = store.marks()
    store.keep_course(course.setup, [replace(TIA, **changed)], [])
    assert store.marks().everybody != before.everybody


# -- in a page's process


def test_a_page_wakes_up_for_its_sources_and_goes_on_answering() -> None:
    async def test(manager: LightKernelManager) -> None:
        _, client = await a_page(manager)
        await said(client, SOURCE)
        while (await said(client, "source.woken"))["shown"] != "['time', 'words']":
            await asyncio.sleep(0.01)

    with_pages(test)


SOURCE = """
import socket, time
from reviewkit import waiting
class Source:
    due, woken = 0.0, []
    def __init__(self): self.ours, self.theirs = socket.socketpair()
    def fileno(self): return self.ours.fileno()
    def wake(self):
        if self.due == 0.0:
            self.due = time.monotonic() + 1000
            self.woken.append("time")
            self.theirs.send(b"words")
        else:
            self.woken.append(self.ours.recv(9).decode())
source = Source()
waiting.SOURCES.append(source)
"""

# -- on real pages: another process writes, the browser shows it


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(a_course_folder(tmp_path / "course")) as running:
        yield running


@pytest.fixture
def course(server: Server) -> Iterator[Course]:
    """The course as another process has it: the service hears of what happens here from the database alone."""
    course = the_course(server.course_file)
    yield course
    course.store.close()


def renamed(course: Course, title: str) -> None:
    """Everybody's view changes."""
    course.store.keep_course(replace(course.setup, title=title), [], [])


def heard(page: Page) -> list[dict[str, Any]]:
    """All messages that reach the browser from here on, but for the beat."""
    got: list[dict[str, Any]] = []

    def note(payload: bytes | str) -> None:
        if isinstance(payload, bytes):
            got.append(frames.unpack(payload)[1])

    page.on("websocket", lambda line: line.on("framereceived", note))
    return got


def views(got: list[dict[str, Any]]) -> list[dict[str, Any]]:
    states = [each["content"].get("data", {}).get("state") for each in got if each["msg_type"] == "comm_msg"]
    return [state["view"] for state in states if state and "view" in state]


def settled(page: Page) -> Page:
    """The page has its connection, and the service has looked at its view once."""
    page.wait_for_selector("body[data-connection=open]")
    return page


def discussing(course: Course) -> dict[str, str]:
    made = revealed(course)
    said = Discuss(text="How sure are you?", counter=Proposal(judgements=levels(1, 1), grade="70"))
    course.discuss(PROF, made["ann"], said, seen=None)
    return made


def in_use(page: Page, test: str) -> None:
    """Mark the element in use, to know it again."""
    page.get_by_test_id(test).evaluate("each => { window.before = each; }")


def is_in_use(page: Page) -> bool:
    return bool(page.evaluate("document.activeElement === window.before && window.before.isConnected"))


@pytest.mark.browser
def test_what_happens_in_another_process_shows_on_open_pages(server: Server, course: Course, visit: Visit) -> None:
    made = self_evaluated(course, BOB, CYD, DOT)
    ann, prof = settled(visit(server, ANN)), settled(visit(server, PROF))
    expect(ann.get_by_test_id("next")).to_have_text(re.compile("Choose this post"))
    made |= self_evaluated(course, ANN)
    expect(ann.get_by_role("button", name="Choose this post")).to_have_count(0)
    course.allocate(course.plan("river", seed=1))
    expect(ann.get_by_role("link", name=re.compile("Reviews"))).to_contain_text("2")
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), "Fine rings.", "Show the log.")
    expect(prof.get_by_test_id("reveal")).to_be_visible()
    course.reveal("river", by=PROF)
    expect(prof.get_by_test_id("reveal")).to_have_count(0)
    expect(ann.get_by_text("Reviews to answer")).to_be_visible()


@pytest.mark.browser
def test_what_is_being_typed_stays_with_focus_caret_and_scroll(server: Server, course: Course, visit: Visit) -> None:
    made = discussing(course)
    page = visit(server, ANN, viewport={"width": 1000, "height": 500})
    page.goto(f"{server.url}/my-work?submission={made['ann']}")
    settled(page)
    page.get_by_test_id("reply-open").click()
    reply = page.locator("#reply")
    reply.press_sequentially("The log was silent")
    reply.evaluate("each => { window.before = each; each.setSelectionRange(4, 7); }")
    page.locator("#frozen summary").evaluate("each => each.click()")
    scroll = page.evaluate("window.scrollY")
    renamed(course, "Data Stories, second half")
    expect(page.get_by_text("Data Stories, second half").first).to_be_visible()
    assert is_in_use(page)
    assert reply.evaluate("each => [each.value, each.selectionStart, each.selectionEnd]") == [
        "The log was silent",
        4,
        7,
    ]
    assert page.locator("#frozen").get_attribute("open") is not None
    assert page.evaluate("window.scrollY") == scroll
    page.keyboard.press("End")
    page.keyboard.type(" for weeks")
    expect(page.get_by_test_id("save-status")).to_contain_text("Saved at")
    assert reply.input_value() == "The log was silent for weeks"


@pytest.mark.browser
def test_marked_text_and_an_open_dialog_stay(server: Server, course: Course, visit: Visit) -> None:
    made = discussing(course)
    page = visit(server, ANN)
    page.goto(f"{server.url}/my-work?submission={made['ann']}")
    settled(page)
    page.get_by_text("How sure are you?").first.evaluate("""each => {
        const text = document.createTreeWalker(each, NodeFilter.SHOW_TEXT).nextNode();
        getSelection().setBaseAndExtent(text, 4, text, 8);
    }""")
    renamed(course, "Second half")
    expect(page.get_by_text("Second half").first).to_be_visible()
    assert page.evaluate("getSelection().toString()") == "sure"
    page.get_by_test_id("accept").click()
    renamed(course, "Third part")
    expect(page.get_by_text("Third part").first).to_be_visible()
    expect(page.get_by_test_id("dialog")).to_be_visible()
    assert page.evaluate("document.activeElement.dataset.testid") == "dialog-cancel"
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("accept")).to_be_focused()


@pytest.mark.browser
def test_the_focus_stays_in_the_table_of_sign_off_and_a_press_is_not_cut_in_two(
    server: Server, course: Course, visit: Visit
) -> None:
    made = revealed(course)
    page = visit(server, PROF)
    told = heard(page)
    page.reload()
    settled(page)
    page.get_by_test_id(f"open-{made['cyd']}").focus()
    renamed(course, "Second half")
    expect(page.get_by_text("Second half").first).to_be_visible()
    assert page.evaluate("document.activeElement.dataset.testid") == f"open-{made['cyd']}"
    box = page.get_by_test_id("filter-mine").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    in_use(page, "filter-mine")
    page.mouse.down()
    told.clear()
    renamed(course, "Third part")
    wait_for(lambda: page.evaluate("1") and views(told))
    assert page.evaluate("window.before.isConnected")
    page.mouse.up()
    expect(page.get_by_text("Third part").first).to_be_visible()
    expect(page.get_by_test_id("filter-mine")).to_have_attribute("aria-pressed", "true")


@pytest.mark.browser
def test_a_blind_review_makes_no_frame_on_the_pages_of_its_author_and_of_other_reviewers(
    server: Server, course: Course, visit: Visit
) -> None:
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    duty = course.duties(BOB)[0]
    (allocation,) = [each for each in course.store.allocations() if each.id == duty.id]
    author = next(person for person in STUDENTS if made[person.id] == allocation.submission)
    other = next(
        course.person(each.reviewer)
        for each in course.store.allocations()
        if each.submission == allocation.submission and each.reviewer != BOB.id
    )
    pages = []
    for person, path in ((author, f"/my-work?submission={made[author.id]}"), (other, "/reviews"), (PROF, "/sign-off")):
        page = visit(server, person)
        got = heard(page)
        page.goto(f"{server.url}{path}")
        pages.append((settled(page), got))
    instructor, told = pages[-1]
    renamed(course, "Second half")
    for page, got in pages:
        expect(page.get_by_text("Second half").first).to_be_visible()
        got.clear()
    course.review(BOB, duty.id, levels(), "Fine rings.", "Show the log.")
    course.review(BOB, duty.id, levels(3, 3), "Very fine rings.", "Show the log.")
    expect(instructor.get_by_test_id("reveal")).to_be_visible()
    assert views(told)
    renamed(course, "Third part")
    for page, got in pages:
        expect(page.get_by_text("Third part").first).to_be_visible()
        if page is not instructor:  # the first thing that they hear of since is the course's new name
            assert [view["frame"]["course"] for view in views(got)] == ["Third part"]
            assert {each["msg_type"] for each in got} == {"comm_msg"}


@pytest.mark.browser
def test_a_review_that_the_reveal_overtakes_can_be_copied(server: Server, course: Course, visit: Visit) -> None:
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    page = visit(server, BOB)
    page.goto(f"{server.url}/reviews")
    settled(page)
    page.get_by_test_id("side-write").evaluate_all("each => each.forEach(one => one.offsetParent && one.click())")
    words = page.get_by_test_id("field-strengths")
    words.press_sequentially("Fine rings, and then")
    course.reveal("river", by=PROF, reason="The round is over.")
    expect(page.get_by_test_id("kept-text")).to_contain_text("It was not sent")
    kept = page.get_by_test_id("field-strengths")
    expect(kept).to_have_value("Fine rings, and then")
    expect(kept).not_to_be_editable()
    expect(page.get_by_text("this one was not sent")).to_be_visible()


@pytest.mark.browser
def test_a_reply_that_the_instructor_overtakes_can_be_copied(server: Server, course: Course, visit: Visit) -> None:
    made = discussing(course)
    page = visit(server, ANN)
    page.goto(f"{server.url}/my-work?submission={made['ann']}")
    settled(page)
    page.get_by_test_id("reply-open").click()
    page.locator("#reply").press_sequentially("I read it so because")
    course.accept(PROF, made["ann"], Accept(grade="82"), seen=None)
    expect(page.get_by_test_id("kept-text")).to_contain_text("The dialogue went on while you were writing.")
    expect(page.locator("#reply")).to_have_value("I read it so because")
    expect(page.locator("#reply")).not_to_be_editable()
    expect(page.get_by_test_id("card-closed")).to_be_visible()


@pytest.mark.browser
def test_pages_follow_again_after_the_service_was_killed(server: Server, course: Course, visit: Visit) -> None:
    page = settled(visit(server, ANN))
    renamed(course, "Second half")
    expect(page.get_by_text("Second half").first).to_be_visible()
    old = server.service()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: server._find("reviewkit.service") not in (None, old))
    renamed(course, "Third part")
    expect(page.get_by_text("Third part").first).to_be_visible(timeout=30_000)


@pytest.mark.browser
def test_a_persons_own_act_in_another_window_shows_too(server: Server, course: Course, visit: Visit) -> None:
    first = settled(visit(server, ANN))
    second = first.context.new_page()
    second.goto(f"{server.url}/my-work")
    settled(second)
    second.get_by_test_id("next").click()
    second.get_by_test_id("dialog-confirm").click()
    expect(first.get_by_role("button", name="Choose this post")).to_have_count(0)
    expect(first.get_by_text("Continue").first).to_be_visible()


@pytest.mark.browser
def test_a_page_whose_person_has_left_the_course_says_so_and_keeps_its_text(
    server: Server, course: Course, visit: Visit
) -> None:
    made = discussing(course)
    page = visit(server, ANN)
    page.goto(f"{server.url}/my-work?submission={made['ann']}")
    settled(page)
    page.get_by_test_id("reply-open").click()
    page.locator("#reply").press_sequentially("I read it so because")
    course.store.keep_course(course.setup, [replace(ANN, role="observer")], [])
    expect(page.get_by_test_id("save-status")).to_contain_text("not for your role")
    expect(page.locator("#reply")).to_have_value("I read it so because")
