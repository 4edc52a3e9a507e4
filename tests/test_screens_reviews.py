"""Reviews to give: what a reviewer may see and say, in the view and in a browser."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from reviewkit import screens
from reviewkit.course import Course
from reviewkit.errors import Missing, NotAllowed
from reviewkit.model import Answer, Feed, Person
from reviewkit.store import Store
from tests.cast import (
    ANN,
    BOB,
    EVE,
    PROF,
    STUDENTS,
    Clock,
    a_course,
    a_post,
    a_self_evaluation,
    frozen,
    levels,
    self_evaluated,
)
from tests.pages import DESKTOP, PHONE, Window

FEED_TITLE = "The Umber Lantern Quarterly"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    made = a_course(sqlite_store, clock)
    for person in STUDENTS:
        feed = Feed(person=person.id, url=person.feeds[0], title=f"{FEED_TITLE} {person.id}")
        sqlite_store.keep_pull(feed, [a_post(person)], seen=clock())
    return made


@pytest.fixture
def owed(course: Course) -> dict[str, str]:
    """Everybody has evaluated themselves and owes two reviews; person -> submission."""
    made = self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    return made


def reviews(course: Course, viewer: Person, **params: str) -> dict[str, Any]:
    return screens.view(course, viewer, "reviews", params)


def act(course: Course, viewer: Person, **event: Any) -> dict[str, Any]:
    return screens.act(course, viewer, "reviews", event)


def a_review(id: str, /, **changes: Any) -> dict[str, Any]:
    judgements = [
        {"criterion": each.criterion, "level": each.level, "note": each.note, "quote": each.quote} for each in levels()
    ]
    event = {"type": "send", "id": id, "judgements": judgements, "strengths": "Two marks.", "suggestions": "Link it."}
    return event | {"request": f"request-{id}"} | changes


def sent(course: Course, viewer: Person) -> str:
    """The viewer's first review, sent; its id."""
    id = course.duties(viewer)[0].id
    assert act(course, viewer, **a_review(id))["ok"]
    return id


def told(course: Course, *, to: Person, made: dict[str, str]) -> list[str]:
    """What would tie a submission to its author, for every author but the viewer."""
    words = [FEED_TITLE, *made.values()]
    for person in STUDENTS:
        if person.id == to.id:
            continue
        host = person.feeds[0].removeprefix("https://").removesuffix("/feed")
        words += [person.name, *person.name.split()[1:], person.email, host, host.partition(".")[0]]
        words += [post.id for post in course.posts(person)]
    return words


# -- the view --------------------------------------------------------------------------------------------------------


def test_a_reviewer_is_sent_nothing_that_ties_a_submission_to_its_author(course: Course, owed: dict[str, str]) -> None:
    for duty in course.duties(ANN):
        frame = json.dumps(reviews(course, ANN, open=duty.id), ensure_ascii=False)
        assert [word for word in told(course, to=ANN, made=owed) if word.casefold() in frame.casefold()] == []


def test_after_the_reveal_the_other_side_still_has_no_name(course: Course, owed: dict[str, str]) -> None:
    for person in STUDENTS:
        for duty in course.duties(person):
            course.review(person, duty.id, levels(), f"Fine, says {person.name}.", "Show the log.")
    course.reveal("river", by=PROF)
    for author in STUDENTS:
        turns = course.dialogue(owed[author.id], author).turns
        first = next(turn.id for turn in turns if turn.kind == "review")
        course.answer(
            author, owed[author.id], Answer(review=first, text=f"Thanks from {author.name}."), seen=len(turns)
        )
    for duty in course.duties(ANN):
        view = reviews(course, ANN, open=duty.id)
        assert view["duty"]["closed"]
        assert view["duty"]["others"]
        frame = json.dumps(view, ensure_ascii=False)
        assert [word for word in told(course, to=ANN, made=owed) if word.casefold() in frame.casefold()] == []


def test_blind_acts_show_their_day_and_no_hour(course: Course, owed: dict[str, str]) -> None:
    sent(course, ANN)
    view = reviews(course, ANN, open=course.duties(ANN)[0].id)
    assert view["duty"]["mine"]["when"] == "Mon 4 May"
    assert not re.search(r"\b\d\d:\d\d\b", json.dumps(view))


def test_a_reviewer_is_told_that_it_is_masked_and_blind_and_what_the_instructor_sees(
    course: Course, owed: dict[str, str]
) -> None:
    view = reviews(course, ANN)
    assert "masked" in view["blind"]
    assert "blind" in view["blind"]
    assert "The instructor can see who wrote a review." in view["blind"]
    assert "anonymous" not in json.dumps(view).casefold()


def test_an_open_course_promises_no_blindness(sqlite_store: Store, clock: Clock) -> None:
    course = a_course(sqlite_store, clock, mode="open")
    self_evaluated(course)
    course.allocate(course.plan("river", seed=1))
    view = reviews(course, ANN)
    assert "blind" not in view["blind"]
    assert view["duty"]["pseudonym"] == ""


def test_nobody_reads_a_submission_before_their_own_self_evaluation(course: Course) -> None:
    frozen(course)
    course.allocate(course.plan("river", seed=1))
    view = reviews(course, ANN)
    assert view["duty"] is None
    assert "self-evaluation first" in view["locked"]
    assert all(card["state"] == "locked" for card in view["queue"])
    assert all(duty.posts == () for duty in course.duties(ANN))


def test_with_nothing_to_give_the_page_says_when_reviews_come(course: Course) -> None:
    view = reviews(course, ANN)
    assert view["queue"] == []
    assert view["empty"]["text"] == "Submissions of others arrive here after Sat 9 May."


def test_an_address_with_the_review_of_somebody_else_shows_ones_own(course: Course, owed: dict[str, str]) -> None:
    foreign = course.duties(BOB)[0].id
    view = reviews(course, ANN, open=foreign)
    assert foreign not in json.dumps(view)
    assert view["duty"]["id"] in {duty.id for duty in course.duties(ANN)}


def test_a_due_date_that_has_passed_is_said_without_blame(course: Course, clock: Clock, owed: dict[str, str]) -> None:
    assert reviews(course, ANN)["queue"][0]["when"] == "Due Thu 14 May, in 10 days"
    clock.pass_(days=10, hours=1)
    assert reviews(course, ANN)["queue"][0]["when"] == "Due Thu 14 May. You can still send it."


def test_a_review_that_was_never_sent_is_closed_by_the_reveal(course: Course, owed: dict[str, str]) -> None:
    course.reveal("river", by=PROF, reason="The round is over.")
    view = reviews(course, ANN)
    assert view["lede"] == "Nothing waits for a review by you."
    assert [(card["word"], card["when"], card["share"]) for card in view["queue"]] == [("Closed", "Not sent", 0)] * 2


def test_the_page_counts_what_is_sent(course: Course, owed: dict[str, str]) -> None:
    sent(course, ANN)
    assert reviews(course, ANN)["lede"] == "You review two submissions this round. One of two sent."


@pytest.mark.parametrize("person", [EVE, PROF])
def test_only_students_have_reviews_to_give(course: Course, person: Person) -> None:
    with pytest.raises(NotAllowed):
        reviews(course, person)


def test_who_sent_all_they_owe_is_offered_one_more_and_sees_it_when_they_take_it(
    course: Course, sqlite_store: Store, owed: dict[str, str]
) -> None:
    for duty in course.duties(ANN):
        assert reviews(course, ANN)["offers"] == []
        course.review(ANN, duty.id, levels(), "Two marks.", "Link it.")
    gone = short_of(course, ANN)
    sqlite_store.keep_course(course.setup, [replace(gone, withdrawn=True)], [])
    (offer,) = reviews(course, ANN)["offers"]
    assert offer["text"] == "One more submission of A story with numbers waits for a review. Take it?"
    reply = act(course, ANN, type="take-more", assignment=offer["assignment"], seen=offer["seen"])
    assert reply["view"]["duty"]["state"] == "new"
    assert len(reply["view"]["queue"]) == 3
    assert reply["view"]["offers"] == []
    assert reply["view"]["lede"] == "You review three submissions this round. Two of three sent."
    again = act(course, ANN, type="take-more", assignment=offer["assignment"], seen=offer["seen"])
    assert again["ok"]
    assert len(again["view"]["queue"]) == 3


def short_of(course: Course, viewer: Person) -> Person:
    """Somebody whose leaving makes the one submission lack a review that the viewer does not review yet."""
    pairs = [(each.submission, each.reviewer) for each in course.store.allocations()]
    authors = {each.id: each.person for each in course.store.submissions()}
    (other,) = {id for id, author in authors.items() if author != viewer.id} - {
        submission for submission, reviewer in pairs if reviewer == viewer.id
    }
    leaving = next(reviewer for submission, reviewer in pairs if submission == other)
    return next(person for person in STUDENTS if person.id == leaving)


def test_who_passes_a_submission_on_is_shown_another_and_its_draft_is_put_away(
    course: Course, owed: dict[str, str]
) -> None:
    old = course.duties(ANN)[0].id
    view = reviews(course, ANN, open=old)
    assert view["duty"]["passes"] == 2
    act(course, ANN, type="draft", form=f"review:{old}", revision=1, content={"strengths": "I know her."})
    reply = act(course, ANN, type="pass-on", id=old)
    assert old not in {card["id"] for card in reply["view"]["queue"]}
    assert reply["view"]["duty"]["id"] not in (old, "")
    assert reply["view"]["duty"]["state"] == "new"
    assert course.draft(ANN, f"review:{old}") is None
    frame = json.dumps(reply["view"], ensure_ascii=False)
    assert [word for word in told(course, to=ANN, made=owed) if word.casefold() in frame.casefold()] == []


def test_a_submission_that_left_the_count_needs_no_review_and_says_so(
    course: Course, sqlite_store: Store, owed: dict[str, str]
) -> None:
    for person in STUDENTS:
        if person != ANN:
            sqlite_store.keep_course(course.setup, [replace(person, withdrawn=True)], [])
    view = reviews(course, ANN)
    assert view["lede"] == "Nothing waits for a review by you."
    assert {card["word"] for card in view["queue"]} == {"Not needed"}
    assert view["duty"]["needless"]


def test_a_reviewer_who_was_given_more_time_sees_their_own_date(course: Course, owed: dict[str, str]) -> None:
    due = course.assignment("river").review_by
    assert due is not None
    course.extend(PROF, "ann", "river", "review_by", due + timedelta(days=2), "Ill.")
    assert {card["when"] for card in reviews(course, ANN)["queue"]} == {
        "Due Sat 16 May, in 12 days. You were given more time."
    }


def test_a_late_review_is_marked_as_late(course: Course, clock: Clock, owed: dict[str, str]) -> None:
    clock.pass_(days=11)
    id = sent(course, ANN)
    card = next(card for card in reviews(course, ANN)["queue"] if card["id"] == id)
    assert card["when"] == "Sent Fri 15 May, late"
    assert reviews(course, ANN, open=id)["duty"]["mine"]["late"]


# -- what is said ----------------------------------------------------------------------------------------------------


def test_a_draft_makes_the_review_one_in_progress_and_is_opened_first(course: Course, owed: dict[str, str]) -> None:
    first, second = (duty.id for duty in course.duties(ANN))
    reply = act(course, ANN, type="draft", form=f"review:{second}", revision=3, content={"levels": {"claim": 1}})
    assert reply["ok"]
    view = reviews(course, ANN)
    assert view["params"] == {"open": second}
    assert [card["state"] for card in view["queue"]] == ["new", "begun"]
    assert [card["share"] for card in view["queue"]] == [0, 0.25]
    assert view["duty"]["draft"]["content"] == {"levels": {"claim": 1}}
    assert first != second


def test_a_review_that_was_sent_can_be_replaced_until_the_reveal(course: Course, owed: dict[str, str]) -> None:
    id = sent(course, ANN)
    view = reviews(course, ANN, open=id)
    assert (view["duty"]["state"], view["duty"]["sent_on"]) == ("sent", "Mon 4 May")
    assert view["duty"]["draft"]["content"]["suggestions"] == "Link it."
    reply = act(course, ANN, **a_review(id, suggestions="Link the log page.", request="another"))
    assert reply["ok"]
    assert reviews(course, ANN, open=id)["duty"]["mine"]["suggestions"] == "Link the log page."
    course.reveal("river", by=PROF, reason="The round is over.")
    refused = act(course, ANN, **a_review(id, request="too late"))
    assert "can no longer be changed" in refused["error"]["message"]


def test_what_was_changed_after_sending_can_be_thrown_away(course: Course, owed: dict[str, str]) -> None:
    id = sent(course, ANN)
    known = reviews(course, ANN, open=id)["duty"]["draft"]["revision"]
    content = {"strengths": "Hm."}
    act(course, ANN, type="draft", form=f"review:{id}", revision=known + 1, after=known, content=content)
    assert reviews(course, ANN, open=id)["duty"]["state"] == "changed"
    reply = act(course, ANN, type="keep-sent", id=id, params={"open": id})
    assert reply["view"]["duty"]["state"] == "sent"
    assert reply["view"]["duty"]["draft"]["content"]["strengths"] == "Two marks."


def test_the_same_request_sent_twice_is_one_review(course: Course, owed: dict[str, str]) -> None:
    id = sent(course, ANN)
    assert act(course, ANN, **a_review(id))["ok"]
    turns = [course.dialogue(made, PROF).turns for made in owed.values()]
    assert sum(turn.kind == "review" for each in turns for turn in each) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"judgements": []}, "level-claim"),
        ({"strengths": " "}, "strengths"),
        ({"suggestions": ""}, "suggestions"),
    ],
)
def test_an_unfinished_review_is_refused_at_its_first_gap(
    course: Course, owed: dict[str, str], changes: dict[str, Any], field: str
) -> None:
    refused = act(course, ANN, **a_review(course.duties(ANN)[0].id, **changes))
    assert not refused["ok"]
    assert refused["error"]["field"] == field


@pytest.mark.parametrize("changes", [{"judgements": "all"}, {"strengths": 7}, {"id": None}, {"request": ["x"]}])
def test_an_event_in_another_shape_is_refused_in_words(
    course: Course, owed: dict[str, str], changes: dict[str, Any]
) -> None:
    refused = act(course, ANN, **a_review(course.duties(ANN)[0].id, **changes))
    assert "cannot read" in refused["error"]["message"]


def test_nobody_sends_the_review_of_somebody_else(course: Course, owed: dict[str, str]) -> None:
    foreign = course.duties(BOB)[0].id
    with pytest.raises(Missing):
        course.duty(ANN, foreign)
    assert not act(course, ANN, **a_review(foreign))["ok"]
    assert course.duties(BOB)[0].mine is None


# -- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def window(browser: Browser, course: Course) -> Iterator[Window]:
    opened = Window(browser, course)
    yield opened
    assert opened.close() == []


def stages(course: Course, which: str) -> None:
    """`writing` is where the fixture `owed` leaves off."""
    if which in ("sent", "closed"):
        for person in STUDENTS:
            for duty in course.duties(person):
                course.review(person, duty.id, levels(), "Fine rings.", "Show the log.")
    if which == "closed":
        course.reveal("river", by=PROF)


@pytest.mark.browser
@pytest.mark.parametrize("which", ["writing", "sent", "closed"])
def test_reviews_pass_axe_in_both_themes_and_widths(
    window: Window, course: Course, owed: dict[str, str], which: str
) -> None:
    stages(course, which)
    for size in (DESKTOP, PHONE):
        for dark in (False, True):
            page = window.open("reviews", ANN, size=size, dark=dark)
            assert page.violations() == []
            assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_a_review_is_written_and_sent_by_keyboard_alone(window: Window, course: Course, owed: dict[str, str]) -> None:
    page = window.open("reviews", ANN)
    id = course.duties(ANN)[0].id

    page.tab_to("level-claim-0")
    page.press("ArrowRight", "ArrowRight")
    page.tab_to("choose-claim")
    page.press("Enter")
    expect(page["dialog"]).to_be_visible()
    page.tab_to("sentence-1")
    page.press("Enter")
    expect(page["evidence-claim"]).to_have_text("The gauge was silent in eleven weeks.")
    page.tab_to("field-note-claim")
    page.tab.keyboard.type("I trust the numbers.")
    page.tab_to("summary-evidence")
    page.press("Enter")
    page.tab_to("level-evidence-0")
    page.press("Space")
    expect(page["level-evidence-0"]).to_be_checked()
    expect(page["level-claim-2"]).to_be_checked()
    page.tab_to("field-strengths")
    page.tab.keyboard.type("Drawing the wait is a fine idea.")
    page.tab_to("field-suggestions")
    page.tab.keyboard.type("Link the raw minutes.")
    page.tab_to("send-review")
    page.press("Enter")
    assert page.focused() == "dialog-cancel"
    page.press("Tab", "Enter")
    expect(page["my-review"]).to_contain_text("Link the raw minutes.")
    mine = next(duty.mine for duty in course.duties(ANN) if duty.id == id)
    assert mine is not None
    said: Any = mine.what
    assert [(each.level, each.note, each.quote) for each in said.judgements] == [
        (2, "I trust the numbers.", "The gauge was silent in eleven weeks."),
        (0, "", ""),
    ]


@pytest.mark.browser
def test_a_review_that_is_sent_again_because_no_answer_came_is_sent_once(
    window: Window, course: Course, owed: dict[str, str]
) -> None:
    page = window.open("reviews", ANN)
    duty = course.duties(ANN)[0]
    for criterion in ("claim", "evidence"):
        page.tab.locator(f"#summary-{criterion}").click()
        page.tab.evaluate(f"document.querySelector('[data-testid=criterion-{criterion}]').open = true")
        page[f"level-{criterion}-1"].check(force=True)
    page["field-strengths"].fill("Fine rings.")
    page["field-suggestions"].fill("Show the log.")
    page.lose_answers("send")
    page["send-review"].click()
    page["dialog-confirm"].click()
    page.wait_in_vain()
    expect(page["dialog"]).to_contain_text("it is done only once")
    page["dialog-confirm"].click()
    expect(page["my-review"]).to_contain_text("Show the log.")
    submission = next(each.submission for each in course.store.allocations(reviewer=ANN.id) if each.id == duty.id)
    kinds = [type(turn.what).__name__ for turn in course.store.dialogue(submission).turns]
    assert kinds.count("Review") == 1


@pytest.mark.browser
def test_pressing_send_too_early_says_what_is_missing_and_goes_there(
    window: Window, course: Course, owed: dict[str, str]
) -> None:
    page = window.open("reviews", ANN)
    expect(page.tab.get_by_text("Two criteria, your strengths and your suggestions are still open.")).to_be_visible()
    page["send-review"].click()
    expect(page.tab.get_by_text("Choose a level for Claim before you send.")).to_be_visible()
    assert page.focused() == "level-claim-0"
    page["level-claim-1"].check()
    expect(page.tab.get_by_text("One criterion, your strengths and your suggestions are still open.")).to_be_visible()
    page["send-review"].click()
    expect(page["level-evidence-0"]).to_be_visible()
    assert page.focused() == "level-evidence-0"


@pytest.mark.browser
def test_what_was_typed_is_there_when_the_page_opens_again(
    window: Window, course: Course, owed: dict[str, str]
) -> None:
    page = window.open("reviews", ANN)
    page["level-claim-1"].check()
    page["field-strengths"].fill("The rings carry it.")
    expect(page["save-status"]).to_have_text("Saved at 10:00")
    again = window.open("reviews", ANN)
    expect(again["field-strengths"]).to_have_value("The rings carry it.")
    expect(again["level-claim-1"]).to_be_checked()
    expect(again.tab.get_by_text("In progress")).to_be_visible()


@pytest.mark.browser
def test_a_sentence_is_chosen_by_selecting_it_in_the_post(window: Window, course: Course, owed: dict[str, str]) -> None:
    page = window.open("reviews", ANN)
    page["post"].locator("p").first.click(click_count=3)
    expect(page["evidence-claim"]).to_have_text("I am [author].")
    expect(page["post"].locator("mark.peer")).to_have_text("I am [author].")
    page["clear-claim"].click()
    expect(page["post"].locator("mark")).to_have_count(0)


@pytest.mark.browser
def test_on_a_phone_the_post_and_the_review_take_turns(window: Window, course: Course, owed: dict[str, str]) -> None:
    page = window.open("reviews", ANN, size=PHONE)
    expect(page["post"]).to_be_visible()
    expect(page["field-strengths"]).to_be_hidden()
    page["side-write"].click()
    page["field-strengths"].fill("The rings carry it.")
    page["choose-claim"].click()
    page["post"].locator("p").nth(1).click(position={"x": 12, "y": 10})
    expect(page["evidence-claim"]).to_have_text("The gauge was silent in eleven weeks.")
    expect(page["field-strengths"]).to_have_value("The rings carry it.")


@pytest.mark.browser
def test_on_a_phone_the_queue_shows_the_chosen_review_alone_until_it_is_unfolded(
    window: Window, course: Course, owed: dict[str, str]
) -> None:
    first, second = (duty.id for duty in course.duties(ANN))
    page = window.open("reviews", ANN, size=PHONE, params={"open": first})
    expect(page.tab.get_by_text("Review 1 of 2")).to_be_visible()
    expect(page[f"queue-{second}"]).to_be_hidden()
    page["all-reviews"].click()
    page[f"queue-{second}"].click()
    expect(page.tab.get_by_text("Review 2 of 2")).to_be_visible()
    expect(page[f"queue-{first}"]).to_be_hidden()


@pytest.mark.browser
def test_who_knows_the_author_passes_on_by_keyboard_and_is_told_when_there_is_no_other(
    window: Window, course: Course, owed: dict[str, str]
) -> None:
    page = window.open("reviews", ANN)
    old = page.tab.url.rpartition("=")[2]
    for answer in ("Here is another submission.", "There is no other submission for you to review"):
        page["pass-on"].focus()
        page.press("Enter")
        assert page.focused() == "dialog-cancel"
        assert page.violations() == []
        page.press("Tab", "Enter")
        expect(page.tab.get_by_text(answer)).to_be_visible()
    page["dialog-cancel"].click()
    expect(page[f"queue-{old}"]).to_have_count(0)
    assert len(course.duties(ANN)) == 2


@pytest.mark.browser
def test_one_more_review_is_taken_on_the_page_by_who_sent_all_they_owe(
    window: Window, course: Course, sqlite_store: Store, owed: dict[str, str]
) -> None:
    for duty in course.duties(ANN):
        course.review(ANN, duty.id, levels(), "Fine rings.", "Show the log.")
    sqlite_store.keep_course(course.setup, [replace(short_of(course, ANN), withdrawn=True)], [])
    page = window.open("reviews", ANN, size=PHONE)
    assert page.violations() == []
    page["take-more-river"].click()
    expect(page.tab.get_by_text("Not started")).to_be_visible()
    expect(page["post"]).to_be_visible()
    expect(page["take-more-river"]).to_have_count(0)


@pytest.mark.browser
def test_nothing_in_the_browser_of_a_reviewer_ties_a_submission_to_its_author(
    window: Window, course: Course, owed: dict[str, str]
) -> None:
    page = window.open("reviews", ANN)
    for duty in course.duties(ANN):
        page[f"queue-{duty.id}"].click()
        expect(page[f"queue-{duty.id}"]).to_have_attribute("aria-current", "true")
        page["field-strengths"].fill("The rings carry it.")
        expect(page["save-status"]).to_have_text("Saved at 10:00")
    everything = [*page.frames, page.tab.content(), page.tab.url, page.tab.evaluate("JSON.stringify(localStorage)")]
    seen = "\n".join(everything).casefold()
    assert [word for word in told(course, to=ANN, made=owed) if word.casefold() in seen] == []


@pytest.mark.browser
def test_an_authors_words_are_text_and_never_markup(
    window: Window, course: Course, sqlite_store: Store, owed: dict[str, str]
) -> None:
    trap = "<img src=x onerror=\"document.title='caught'\"> & <b>bold</b>"
    for person in STUDENTS:
        for duty in course.duties(person):
            noted = tuple(replace(each, note=trap) for each in levels())
            course.review(person, duty.id, noted, trap, trap)
    course.reveal("river", by=PROF)
    page = window.open("reviews", ANN)
    expect(page["other-review"].get_by_text(trap).first).to_be_visible()
    assert page.tab.title() == "Course"


def test_a_self_evaluation_of_ones_own_opens_the_reviews(course: Course) -> None:
    made = frozen(course)
    course.allocate(course.plan("river", seed=1))
    course.self_evaluate(ANN, made[ANN.id], a_self_evaluation(), seen=1)
    assert reviews(course, ANN)["duty"]["posts"]
