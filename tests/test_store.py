"""What the store promises, on SQLite and on PostgreSQL: the course, posts, submissions, allocations, desks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from reviewkit import listing
from reviewkit.errors import Conflict, Invalid, Missing, StoreError
from reviewkit.model import Draft, Feed, HiddenWord, Person, Rubric, Tag, Waiting
from reviewkit.rubric import parse
from reviewkit.store import Kept, Store, desk
from tests.cast import ANN, BOB, CYD, DOT, EVE, MONDAY, PEOPLE, PROF, RUBRIC, a_post, a_setup
from tests.store_cast import FEED, a_class, freeze, opened, said

NEWCOMER = Person(id="fay", name="Fay Brightwater", email="fay@newleaf.example")


def a_version(words: str) -> Rubric:
    return parse(RUBRIC.replace("What a good data story does.", words), name="data-stories")


# -- the course ------------------------------------------------------------------------------------------------------


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.setup() is None
    assert store.people() == []
    assert store.rubrics() == []
    assert store.feeds() == []
    assert store.posts() == []
    assert store.submissions() == []
    assert store.dialogues() == []
    assert store.allocations() == []
    assert store.take_due(MONDAY) == []
    assert store.sheet_answers() == {}


def test_the_course_comes_back_as_it_was_kept(store: Store) -> None:
    setup = replace(a_setup(mode="open"), scale=("A", "B", "C"), ends=MONDAY)
    people = [replace(ANN, excluded=("bob",)), replace(BOB, sections=("a", "b"), withdrawn=True), PROF]
    store.keep_course(setup, people, [a_version("One."), a_version("Two.")])
    assert store.setup() == setup
    assert store.people() == people
    assert store.rubrics() == [a_version("One."), a_version("Two.")]


def test_people_who_are_not_named_stay_as_they_are_and_where_they_are(store: Store) -> None:
    store.keep_course(a_setup(), [ANN, BOB, CYD], [])
    renamed = replace(BOB, name="Robert Okonjo")
    store.keep_course(a_setup(), [renamed], [])
    assert store.people() == [ANN, renamed, CYD]


def test_the_roster_of_the_last_import_gives_the_order(store: Store) -> None:
    store.keep_course(a_setup(), [ANN, BOB, CYD], [])
    store.keep_course(a_setup(), [CYD, NEWCOMER, ANN], [])
    assert store.people() == [CYD, NEWCOMER, ANN, BOB]


def test_a_newcomer_alone_stands_at_the_end(store: Store) -> None:
    store.keep_course(a_setup(), [ANN, BOB], [])
    store.keep_course(a_setup(), [NEWCOMER], [])
    assert store.people() == [ANN, BOB, NEWCOMER]


def test_a_rubric_version_that_is_back_in_use_is_the_last_of_its_name(store: Store) -> None:
    first, second = a_version("First words."), a_version("Second words.")
    other = parse(RUBRIC, name="other")
    store.keep_course(a_setup(), PEOPLE, [first, other])
    store.keep_course(a_setup(), [], [second])
    store.keep_course(a_setup(), [], [second])
    assert store.rubrics() == [first, other, second]
    store.keep_course(a_setup(), [], [first])
    assert store.rubrics() == [other, second, first]


def test_a_course_is_kept_whole_or_not_at_all(store: Store) -> None:
    store.keep_course(a_setup(), [ANN], [])
    unnamed: Person = replace(BOB, name=None)  # type: ignore[arg-type]  # as a bug would send it
    with pytest.raises(StoreError, match="nothing was changed"):
        store.keep_course(replace(a_setup(), title="Another"), [CYD, unnamed], [a_version("New.")])
    assert store.setup() == a_setup()
    assert store.people() == [ANN]
    assert store.rubrics() == []


def test_revoking_makes_the_old_links_worthless_for_one_person_alone(store: Store) -> None:
    a_class(store)
    ann, bob = store.link_serial("ann"), store.link_serial("bob")
    assert store.revoke_links("ann") == store.link_serial("ann") == ann + 1
    assert store.link_serial("bob") == bob
    store.keep_course(a_setup(), PEOPLE, [])
    assert store.link_serial("ann") == ann + 1


def test_ending_the_sessions_leaves_the_link_and_revoking_the_link_ends_the_sessions(store: Store) -> None:
    a_class(store)
    assert (store.link_serial("ann"), store.session_serial("ann")) == (1, 1)
    assert store.end_sessions("ann") == 2
    assert (store.link_serial("ann"), store.session_serial("ann")) == (1, 2)
    store.revoke_links("ann")
    assert (store.link_serial("ann"), store.session_serial("ann")) == (2, 3)
    assert (store.link_serial("bob"), store.session_serial("bob")) == (1, 1)


def test_a_link_for_one_use_is_used_by_one_request_which_may_ask_twice(store: Store) -> None:
    until = MONDAY + timedelta(hours=1)
    assert not store.is_used("a")
    assert store.use_link("a", "first", now=MONDAY, until=until)
    assert store.use_link("a", "first", now=MONDAY, until=until), "its answer may have been lost"
    assert not store.use_link("a", "second", now=MONDAY, until=until)
    assert store.use_link("b", "second", now=until, until=until + timedelta(hours=1))
    assert store.is_used("b")
    assert not store.is_used("a"), "what is over is not kept"


def test_tries_are_counted_within_a_span_and_begin_anew_after_it(store: Store) -> None:
    span = timedelta(minutes=10)

    def tried(what: str, minutes: float) -> float:
        return store.try_again(what, most=2, within=span, now=MONDAY + timedelta(minutes=minutes))

    assert [tried("a", 0), tried("a", 1), tried("a", 2), tried("a", 9)] == [0, 0, 480, 60]
    assert tried("b", 9) == 0
    assert [tried("a", 10), tried("a", 11), tried("a", 12)] == [0, 0, 480]


# -- feeds and posts -------------------------------------------------------------------------------------------------


def test_there_is_a_feed_for_every_address_of_the_roster(store: Store) -> None:
    two = replace(BOB, feeds=("https://one.example/feed", "https://two.example/feed"))
    store.keep_course(a_setup(), [two, ANN, EVE], [])
    pulled = Feed(
        person="bob",
        url="https://two.example/feed",
        title="Tide tables",
        etag='"7"',
        last_modified="Mon, 04 May 2026 08:00:00 GMT",
        body="ab" * 32,
        succeeded=MONDAY,
        tried=MONDAY,
        failures=3,
        next_try=MONDAY + timedelta(hours=2),
        not_before=MONDAY + timedelta(hours=1),
        stopped=MONDAY,
        moved_to="https://two.example/new",
        moved_times=2,
    )
    store.keep_pull(pulled, [], seen=MONDAY)
    assert store.feeds() == [Feed(person="bob", url="https://one.example/feed"), pulled, FEED]


def test_a_failed_pull_leaves_its_reason_and_touches_no_post(store: Store) -> None:
    a_class(store)
    before = store.posts("ann")
    failed = replace(FEED, error="Your site did not answer within 20 seconds.", tried=MONDAY)
    assert store.keep_pull(failed, [], seen=MONDAY) == Kept()
    assert failed in store.feeds()
    assert store.posts("ann") == before


def test_a_pull_twice_is_a_pull_once(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    entries = [a_post(ANN, number=number) for number in (3, 2, 1)]
    kept = store.keep_pull(FEED, entries, seen=MONDAY)
    assert kept == Kept(new=tuple(entry.title for entry in entries))
    before = store.posts()
    assert store.keep_pull(FEED, entries, seen=MONDAY + timedelta(hours=1)) == Kept()
    assert store.posts() == before


def test_a_post_comes_back_as_the_feed_had_it(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    entry = a_post(ANN)
    store.keep_pull(FEED, [entry], seen=MONDAY)
    (post,) = store.posts("ann")
    assert (post.person, post.feed, post.gone) == ("ann", FEED.url, None)
    for name in ("guid", "link", "author", "published", "tags", "title"):
        assert getattr(post, name) == getattr(entry, name)
    assert (post.latest.digest, post.latest.html, post.latest.text) == (entry.digest, entry.html, entry.text)
    assert post.latest.seen == MONDAY
    assert "ann" not in post.id


def test_posts_are_counted_for_every_feed_that_shows_them(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    other = replace(FEED, url="https://ann.example/other")
    store.keep_pull(FEED, [a_post(ANN, number=number) for number in (2, 1)], seen=MONDAY)
    store.keep_pull(other, [a_post(ANN, number=1)], seen=MONDAY)
    store.keep_private("ann", replace(a_post(ANN), guid="private:river:1"), seen=MONDAY)
    assert store.post_counts() == {("ann", FEED.url): 2, ("ann", other.url): 1}
    gone = listing.write([listing.Listed("", listing.key(a_post(ANN, number=1).guid), "", listing.TWICE)])
    store.keep_pull(replace(other, listing=gone), [], seen=MONDAY)
    assert store.post_counts() == {("ann", FEED.url): 2}


def test_every_change_of_the_text_is_a_new_revision_and_none_is_lost(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    entry = a_post(ANN)
    edited = replace(entry, title="A better title", text="Other words.", html="<p>Other words.</p>", digest="d2")
    store.keep_pull(FEED, [entry], seen=MONDAY)
    later = MONDAY + timedelta(days=1)
    assert store.keep_pull(FEED, [edited], seen=later) == Kept(changed=("A better title",))
    assert store.keep_pull(FEED, [edited], seen=later) == Kept()
    assert store.keep_pull(FEED, [entry], seen=later) == Kept(changed=(entry.title,))
    (post,) = store.posts()
    assert [each.digest for each in post.revisions] == [entry.digest, "d2", entry.digest]
    assert [each.seen for each in post.revisions] == [MONDAY, later, later]
    assert post.revision("d2") == post.revisions[1]


def test_new_html_around_the_same_words_is_no_revision(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    store.keep_pull(FEED, [a_post(ANN)], seen=MONDAY)
    assert store.keep_pull(FEED, [replace(a_post(ANN), html="<div>new theme</div>")], seen=MONDAY) == Kept()


def test_tags_link_and_date_follow_the_feed(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    store.keep_pull(FEED, [a_post(ANN)], seen=MONDAY)
    tags = (Tag(tag="rivers", found="text"),)
    moved = replace(a_post(ANN), link="https://inkwren.example/moved", tags=tags, published=MONDAY, author="")
    assert store.keep_pull(FEED, [moved], seen=MONDAY) == Kept()
    (post,) = store.posts()
    assert (post.link, post.tags, post.published) == (moved.link, tags, MONDAY)
    assert post.author == ANN.name, "what a feed leaves out stays as it was"


def test_a_post_keeps_its_identity_by_link_when_the_guid_changes(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    store.keep_pull(FEED, [a_post(ANN, number=1), a_post(ANN, number=2)], seen=MONDAY)
    imported = [
        replace(a_post(ANN, number=1), guid="urn:new:1", link="http://www.inkwren.example/1/?utm_source=rss"),
        replace(a_post(ANN, number=2), guid="urn:new:2"),
    ]
    assert store.keep_pull(FEED, imported, seen=MONDAY) == Kept()
    assert len(store.posts("ann")) == 2
    elsewhere = [replace(imported[0], link="https://inkwren.example/2026/one")]
    assert store.keep_pull(FEED, elsewhere, seen=MONDAY) == Kept(), "the new guid is known by now"


def test_posts_that_all_link_to_one_page_elsewhere_are_several(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    comments = [replace(a_post(ANN, number=number), link="https://news.example/story") for number in (1, 2)]
    assert len(store.keep_pull(FEED, comments, seen=MONDAY).new) == 2
    later = replace(a_post(ANN, number=3), link="https://news.example/story")
    assert store.keep_pull(FEED, [later, *comments], seen=MONDAY) == Kept(new=(later.title,))


def test_a_guid_that_several_posts_share_counts_only_with_its_link(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    same = [replace(a_post(ANN, number=number), guid="0") for number in (1, 2)]
    assert len(store.keep_pull(FEED, same, seen=MONDAY).new) == 2
    assert store.keep_pull(FEED, same, seen=MONDAY) == Kept()


def test_an_entry_that_a_document_repeats_is_one_post(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    assert len(store.keep_pull(FEED, [a_post(ANN), a_post(ANN)], seen=MONDAY).new) == 1


def test_where_guid_and_link_are_the_same_for_all_the_text_tells_posts_apart(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    same = [replace(a_post(ANN, number=number), guid="home", link="https://inkwren.example/") for number in (1, 2)]
    for expected in ((same[0].title, same[1].title), ()):
        assert store.keep_pull(FEED, [*same, same[0]], seen=MONDAY).new == expected
    assert len(store.posts("ann")) == 2


def test_entries_without_guid_and_link_are_known_by_their_text(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    bare = [replace(a_post(ANN, number=number), guid="", link="") for number in (1, 2)]
    assert len(store.keep_pull(FEED, bare, seen=MONDAY).new) == 2
    assert store.keep_pull(FEED, bare, seen=MONDAY) == Kept()


def test_the_same_guid_of_two_people_is_two_posts(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    store.keep_pull(FEED, [replace(a_post(ANN), guid="1")], seen=MONDAY)
    store.keep_pull(Feed(person="bob", url=BOB.feeds[0]), [replace(a_post(BOB), guid="1")], seen=MONDAY)
    assert [len(store.posts(id)) for id in ("ann", "bob", "cyd")] == [1, 1, 0]
    assert len(store.posts()) == 2


def test_two_feeds_that_render_one_post_differently_make_no_revisions(store: Store) -> None:
    tagged = Feed(person="ann", url="https://inkwren.example/tag/datastories/feed")
    store.keep_course(a_setup(), [replace(ANN, feeds=(FEED.url, tagged.url))], [])
    full, short = a_post(ANN), replace(a_post(ANN), digest="short", tags=(Tag(tag="datastories", found="feed"),))
    store.keep_pull(FEED, [full], seen=MONDAY)
    for _ in range(2):
        assert store.keep_pull(tagged, [short], seen=MONDAY) == Kept()
        assert store.keep_pull(FEED, [full], seen=MONDAY) == Kept()
    (post,) = store.posts()
    assert post.tags == (*full.tags, *short.tags), "each feed says where it found the tag"
    edited = replace(short, digest="short, edited")
    assert store.keep_pull(tagged, [edited], seen=MONDAY) == Kept(changed=(short.title,)), "an edit counts anywhere"
    assert store.keep_pull(FEED, [full], seen=MONDAY) == Kept()


def test_a_guid_that_one_feed_gives_to_another_post_stays_that_posts(store: Store) -> None:
    tagged = Feed(person="ann", url="https://inkwren.example/tag/datastories/feed")
    store.keep_course(a_setup(), [replace(ANN, feeds=(FEED.url, tagged.url))], [])
    first = a_post(ANN)
    store.keep_pull(FEED, [first], seen=MONDAY)
    store.keep_pull(tagged, [replace(first, guid="B")], seen=MONDAY)
    second = replace(a_post(ANN, number=2), guid="B")
    assert store.keep_pull(FEED, [second, first], seen=MONDAY) == Kept(new=(second.title,))
    for _ in range(2):
        assert store.keep_pull(FEED, [second, first], seen=MONDAY) == Kept()
    assert len(store.posts()) == 2


def test_a_short_guid_is_another_post_on_each_of_two_sites_of_one_person(store: Store) -> None:
    notes = Feed(person="ann", url="https://notes.example/feed")
    store.keep_course(a_setup(), [replace(ANN, feeds=(FEED.url, notes.url))], [])
    one = replace(a_post(ANN), guid="1", link="https://inkwren.example/1")
    other = replace(a_post(ANN, number=2), guid="1", link="https://notes.example/1")
    assert store.keep_pull(FEED, [one], seen=MONDAY).new == (one.title,)
    assert store.keep_pull(notes, [other], seen=MONDAY).new == (other.title,)
    edited = replace(other, digest="edited", text="Edited.")
    for _ in range(2):
        assert store.keep_pull(FEED, [one], seen=MONDAY) == Kept()
        store.keep_pull(notes, [edited], seen=MONDAY)
    assert {(post.feed, len(post.revisions)) for post in store.posts()} == {(FEED.url, 1), (notes.url, 2)}


@pytest.mark.parametrize("link", ["https://inkwren.example/1?theme=2", "https://proxy.example/1"])
def test_a_post_of_one_site_that_a_second_feed_shows_is_one_post_all_the_same(store: Store, link: str) -> None:
    proxy = Feed(person="ann", url="https://proxy.example/feed")
    store.keep_course(a_setup(), [replace(ANN, feeds=(FEED.url, proxy.url))], [])
    one = replace(a_post(ANN), guid="1", link="https://inkwren.example/1")
    same = replace(one, link=link) if "proxy" in link else replace(one, link=link, digest="in another theme")
    store.keep_pull(FEED, [one], seen=MONDAY)
    assert store.keep_pull(proxy, [same], seen=MONDAY) == Kept()
    assert len(store.posts()) == 1


def test_a_blog_that_moved_takes_its_posts_along(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    store.keep_pull(FEED, [a_post(ANN)], seen=MONDAY)
    moved = Feed(person="ann", url="https://newhome.example/feed")
    store.keep_course(a_setup(), [replace(ANN, feeds=(moved.url,))], [])
    edited = replace(a_post(ANN), digest="edited", link="https://newhome.example/1")
    assert store.keep_pull(moved, [edited], seen=MONDAY) == Kept(changed=(edited.title,))
    (post,) = store.posts()
    assert (post.feed, post.link) == (moved.url, edited.link)


def test_posts_come_newest_first_and_those_without_a_date_last(store: Store) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    undated = replace(a_post(ANN, number=9), published=None)
    dated = [a_post(ANN, number=number, days_ago=number) for number in (3, 1, 2)]
    store.keep_pull(FEED, [undated, *dated], seen=MONDAY)
    assert [post.title[-1] for post in store.posts()] == ["1", "2", "3", "9"]


# -- allocations -----------------------------------------------------------------------------------------------------


def test_a_pair_is_allocated_once_with_a_name_of_its_own(store: Store) -> None:
    works = opened(store, ANN, BOB)
    first = store.keep_allocations("river", [(works["ann"], "bob"), (works["ann"], "cyd")], seed=2**90)
    again = store.keep_allocations("river", [(works["ann"], "cyd"), (works["bob"], "ann")], seed=1)
    kept = {(each.submission, each.reviewer): each for each in store.allocations("river")}
    assert len(kept) == 3
    assert all(each in kept.values() for each in (*first, *again))
    assert {(each.submission, each.reviewer) for each in again} == {(works["ann"], "cyd"), (works["bob"], "ann")}
    names = [each.pseudonym for each in (*kept.values(), *store.submissions())]
    assert len(set(names)) == 5


def test_allocations_are_found_by_assignment_and_by_reviewer(store: Store) -> None:
    works = opened(store, ANN, BOB)
    kept = store.keep_allocations("river", [(works["ann"], "bob"), (works["bob"], "cyd")], seed=1)
    assert store.allocations() == store.allocations("river") == kept
    assert store.allocations("lake") == []
    assert [each.submission for each in store.allocations(reviewer="bob")] == [works["ann"]]
    assert store.allocations("lake", "bob") == []


def test_the_order_of_allocations_says_nothing_and_stays(store: Store) -> None:
    works = opened(store, ANN)
    pairs = [(works["ann"], reviewer) for reviewer in ("bob", "cyd", "dot")]
    store.keep_allocations("river", pairs, seed=1)
    found = store.allocations()
    assert found == store.allocations() == sorted(found, key=lambda each: each.id)
    assert all((len(each.id) == 8 and each.id.isalnum() and each.id.islower()) or each.id.isdigit() for each in found)


def test_only_the_first_opening_of_an_allocation_is_noted(store: Store) -> None:
    works = opened(store, ANN)
    (allocation,) = store.keep_allocations("river", [(works["ann"], "bob")], seed=1)
    assert allocation.opened is None
    first = store.open_allocation(allocation.id, MONDAY)
    assert first == replace(allocation, opened=MONDAY)
    assert store.open_allocation(allocation.id, MONDAY + timedelta(days=1)) == first
    assert store.allocations() == [first]


@pytest.mark.parametrize("pair", [("RK-00000000", "bob"), ("", "bob")])
def test_nothing_is_allocated_for_a_submission_that_is_not_there(store: Store, pair: tuple[str, str]) -> None:
    works = opened(store, ANN)
    with pytest.raises(Missing, match="nothing was allocated"):
        store.keep_allocations("river", [(works["ann"], "bob"), pair], seed=1)
    with pytest.raises(Missing, match="nothing was allocated"):
        store.keep_allocations("lake", [(works["ann"], "bob")], seed=1)
    assert store.allocations() == []


def test_a_pair_that_is_passed_on_is_released_with_the_one_in_its_place_or_not_at_all(store: Store) -> None:
    works = opened(store, ANN, BOB, CYD)
    old, kept = store.keep_allocations("river", [(works["ann"], "dot"), (works["bob"], "dot")], seed=1)
    with pytest.raises(Conflict):
        store.keep_allocations("river", [(works["cyd"], "dot")], seed=2, after=1, instead_of=old.id, at=MONDAY)
    assert {each.id for each in store.allocations(reviewer="dot")} == {old.id, kept.id}
    (new,) = store.keep_allocations("river", [(works["cyd"], "dot")], seed=2, after=2, instead_of=old.id, at=MONDAY)
    assert {each.id for each in store.allocations(reviewer="dot")} == {new.id, kept.id}
    everything = {each.id: each for each in store.allocations("river", released=True)}
    assert everything[old.id].released == MONDAY
    assert store.keep_allocations("river", [(old.submission, "dot")], seed=3) == []
    assert len(store.allocations("river", released=True)) == 3


# -- desks -----------------------------------------------------------------------------------------------------------


def a_draft(revision: int, text: str = "words", *, person: str = "ann", form: str = "self:river") -> Draft:
    return Draft(person=person, form=form, revision=revision, content={"strengths": text, "n": [1, None]}, saved=MONDAY)


def test_a_draft_is_kept_when_it_builds_on_what_is_kept(store: Store) -> None:
    a_class(store)
    assert store.draft("ann", "self:river") is None
    assert store.keep_draft(a_draft(3)) == store.draft("ann", "self:river") == a_draft(3)
    assert store.keep_draft(a_draft(3)) == a_draft(3), "the same, sent again because its answer was lost"
    assert store.keep_draft(a_draft(5, "newer"), after=3) == store.draft("ann", "self:river") == a_draft(5, "newer")


@pytest.mark.parametrize(
    ("revision", "after"), [(2, 0), (3, 0), (9, 0), (9, 2), (3, 2), (5, 4), (9, 8)], ids=lambda number: str(number)
)
def test_a_draft_that_builds_on_something_else_is_never_mixed_in(store: Store, revision: int, after: int) -> None:
    a_class(store)
    store.keep_draft(a_draft(3))
    assert store.keep_draft(a_draft(revision, "of another window"), after=after) == a_draft(3)
    assert store.draft("ann", "self:river") == a_draft(3)


@pytest.mark.parametrize("kept", [True, False], ids=["after some saves", "before any save"])
def test_a_draft_that_comes_after_its_form_was_sent_does_not_bring_it_back(store: Store, kept: bool) -> None:
    a_class(store)
    if kept:
        store.keep_draft(a_draft(3))
    store.drop_draft("ann", "self:river", at=MONDAY)
    left = store.draft("ann", "self:river")
    assert left is not None
    assert (left.done, left.content) == (True, {})
    for late, after in ((a_draft(3), 0), (a_draft(4, "late"), 3), (a_draft(90, "very late"), 0)):
        assert store.keep_draft(late, after=after) == store.draft("ann", "self:river") == left
    again = a_draft(left.revision + 1, "begun anew")
    assert store.keep_draft(again, after=left.revision) == store.draft("ann", "self:river") == again


def test_a_draft_comes_back_as_both_databases_can_hold_it_and_is_known_when_sent_again(store: Store) -> None:
    a_class(store)
    odd = a_draft(1, "nul \0 and half a pair \ud800")
    assert store.keep_draft(odd) == store.keep_draft(odd) == odd


def test_drafts_of_other_forms_and_people_are_apart(store: Store) -> None:
    a_class(store)
    store.keep_draft(a_draft(3))
    store.keep_draft(a_draft(1, form="answer:1"))
    store.keep_draft(a_draft(1, person="bob"))
    store.drop_draft("ann", "self:river", at=MONDAY)
    store.drop_draft("ann", "self:river", at=MONDAY)
    left = store.draft("ann", "self:river")
    assert left is not None
    assert left.done
    assert store.draft("ann", "answer:1") == a_draft(1, form="answer:1")
    assert store.draft("bob", "self:river") == a_draft(1, person="bob")


def test_a_person_keeps_a_bounded_number_of_drafts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_DRAFTS", 2)
    a_class(store)
    for form in ("a:1", "a:2"):
        store.keep_draft(a_draft(1, form=form))
    with pytest.raises(Invalid, match="more than can be kept"):
        store.keep_draft(a_draft(1, form="a:3"))
    assert store.draft("ann", "a:3") is None
    assert store.keep_draft(a_draft(2, form="a:2"), after=1) == a_draft(2, form="a:2"), "what is begun goes on"
    assert store.keep_draft(a_draft(1, form="a:3", person="bob")).person == "bob"
    store.drop_draft("ann", "a:1", at=MONDAY)
    assert store.keep_draft(a_draft(1, form="a:3")) == a_draft(1, form="a:3")


def an_act(id: str, *, minutes: int = 0, person: str = "prof") -> Waiting:
    due = MONDAY + timedelta(minutes=minutes)
    return Waiting(id=id, person=person, due=due, verb="accept", arguments={"submission": "RK-1", "seen": 4})


def test_acts_whose_time_has_come_are_taken_oldest_first_and_stay_until_done(store: Store) -> None:
    a_class(store)
    late, early, future = an_act("late", minutes=2), an_act("early", minutes=1), an_act("future", minutes=9)
    for act in (late, future, early):
        store.put(act)
    now = MONDAY + timedelta(minutes=2)
    assert store.take_due(now) == store.take_due(now) == [early, late]
    assert store.waiting("prof") == [early, late, future]
    assert store.waiting("ann") == []
    assert store.done("early")
    assert store.take_due(now) == [late]


def test_an_act_is_put_once_and_done_once_even_when_its_request_comes_again_later(store: Store) -> None:
    a_class(store)
    store.put(an_act("one"))
    store.put(an_act("one", minutes=5, person="ann"))
    assert store.waiting("prof") == [an_act("one")]
    assert store.done("one")
    assert not store.done("one")
    store.put(an_act("one"))
    assert store.waiting("prof") == []
    assert not store.done("never put")


def test_an_act_is_taken_back_by_its_person_until_it_begins(store: Store) -> None:
    a_class(store)
    store.put(an_act("one"))
    store.put(an_act("two"))
    assert not store.take_back("ann", "one")
    assert store.take_back("prof", "one")
    assert not store.take_back("prof", "one")
    assert not store.begin("one")
    assert store.begin("two")
    assert store.begin("two"), "a process that died in the middle left it to the next"
    assert not store.take_back("prof", "two")
    assert [each.id for each in store.take_due(MONDAY)] == ["two"]


def test_an_act_that_was_refused_stays_with_its_reason_until_its_person_puts_it_away(store: Store) -> None:
    a_class(store)
    store.put(an_act("one"))
    before = store.marks()
    assert store.begin("one")
    store.refuse("one", "Somebody wrote.")
    assert store.take_due(MONDAY) == []
    assert [(each.id, each.refused) for each in store.waiting("prof")] == [("one", "Somebody wrote.")]
    assert store.marks().desks["prof"] != before.desks["prof"], "their page hears of it"
    assert store.take_back("prof", "one")
    assert store.waiting("prof") == []


def test_a_lease_is_one_holders_until_it_ends_or_is_given_back(store: Store) -> None:
    def hold(holder: str, minute: int, until: int, name: str = "clock") -> bool:
        return store.hold(name, holder, now=MONDAY + timedelta(minutes=minute), until=MONDAY + timedelta(minutes=until))

    assert hold("one", 0, 2)
    assert not hold("two", 1, 9)
    assert hold("one", 1, 3), "its holder renews it"
    assert not hold("two", 2, 9)
    assert hold("two", 3, 5), "who does not renew it has lost it"
    assert not hold("one", 4, 9)
    assert hold("one", 4, 9, "another")
    store.let_go("clock", "one")
    assert not hold("one", 4, 9), "only its holder gives it back"
    store.let_go("clock", "two")
    assert hold("one", 4, 9)


def test_whether_somebody_wants_reminders_is_kept_over_an_import(store: Store) -> None:
    a_class(store)
    assert store.wants_reminders("ann")
    store.set_reminders("ann", wanted=False)
    a_class(store)
    assert [store.wants_reminders(person) for person in ("ann", "bob")] == [False, True]
    with pytest.raises(Missing):
        store.set_reminders("nobody", wanted=True)


def test_the_last_answer_to_a_row_of_the_sheet_is_kept(store: Store) -> None:
    works = opened(store, ANN, BOB)
    store.keep_sheet_answer(works["ann"], "typed-1", "Refused: no such grade.")
    store.keep_sheet_answer(works["bob"], "typed-2", "")
    store.keep_sheet_answer(works["ann"], "typed-3", "Signed.")
    assert store.sheet_answers() == {works["ann"]: ("typed-3", "Signed."), works["bob"]: ("typed-2", "")}


# -- what is not there, and times ------------------------------------------------------------------------------------


@pytest.mark.parametrize("nobody", ["zoe", "", "ann\0", "'; drop table people; --"])
def test_nobody_has_no_links_feeds_drafts_acts_or_work(store: Store, nobody: str) -> None:
    a_class(store)
    if nobody == "ann\0":
        nobody = "ann\0x"
    post = store.posts("ann")[0]
    for ask in (
        lambda: store.link_serial(nobody),
        lambda: store.revoke_links(nobody),
        lambda: store.session_serial(nobody),
        lambda: store.end_sessions(nobody),
        lambda: store.keep_pull(Feed(person=nobody, url="https://x.example"), [], seen=MONDAY),
        lambda: store.keep_draft(a_draft(1, person=nobody)),
        lambda: store.put(an_act("one", person=nobody)),
        lambda: store.open_submission(nobody, "river", store.rubrics()[0].digest, [], said(freeze(post))),
        lambda: store.keep_allocations("river", [(opened(store, ANN)["ann"], nobody)], seed=1),
    ):
        with pytest.raises(Missing):
            ask()
    assert store.posts(nobody) == []
    assert store.draft(nobody, "form") is None
    assert store.waiting(nobody) == []
    assert store.allocations(reviewer=nobody) == []


@pytest.mark.parametrize("id", ["RK-00000000", "", "RK-\0", "rk-' or 1=1"])
def test_what_is_not_there_is_missing(store: Store, id: str) -> None:
    opened(store, ANN)
    discuss = said(freeze(store.posts("ann")[0]))
    for ask in (
        lambda: store.dialogue(id),
        lambda: store.bare_turns(id),
        lambda: store.say(id, [discuss], after=0),
        lambda: store.say_all([(id, 0, discuss)]),
        lambda: store.open_allocation(id, MONDAY),
        lambda: store.keep_sheet_answer(id, "", ""),
        lambda: store.erase_text(id),
    ):
        with pytest.raises(Missing):
            ask()
    assert not store.has_request(id, "request")


def test_times_come_out_in_utc_whatever_zone_they_went_in_with(store: Store) -> None:
    works = opened(store, ANN)
    (allocation,) = store.keep_allocations("river", [(works["ann"], "bob")], seed=1)
    tokyo = datetime(2026, 5, 4, 17, 30, 1, 234567, tzinfo=timezone(timedelta(hours=9)))
    noted = store.open_allocation(allocation.id, tokyo).opened
    assert noted == tokyo
    assert noted is not None
    assert noted.tzinfo is UTC


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_are_times_too(store: Store, at: datetime) -> None:
    store.keep_course(a_setup(), PEOPLE, [])
    store.keep_pull(FEED, [replace(a_post(ANN), published=at)], seen=at)
    assert store.posts()[0].published == at


def test_a_time_without_a_zone_is_a_bug_and_not_a_guess(store: Store) -> None:
    a_class(store)
    with pytest.raises(ValueError, match="no time zone"):
        store.keep_draft(replace(a_draft(1), saved=MONDAY.replace(tzinfo=None)))
    assert store.draft("ann", "self:river") is None


def test_a_submission_is_opened_once_for_a_person_and_an_assignment(store: Store) -> None:
    a_class(store)
    works = opened(store, ANN, DOT)
    assert works.keys() == {"ann", "dot"}
    with pytest.raises(Conflict, match="look at it again"):
        opened(store, ANN)
    assert len(store.submissions()) == 2


# -- words to hide


def test_words_to_hide_are_replaced_as_a_whole_and_keep_the_time_they_were_first_said(store: Store) -> None:
    a_class(store)
    store.hide_words("ann", ["Nan", "Millbrook"], at=MONDAY)
    store.hide_words("ann", ["Millbrook", "the lifeboat"], at=MONDAY + timedelta(hours=1))
    store.hide_words("bob", ["Bobbit"], at=MONDAY)
    assert store.hidden_words("ann") == [
        HiddenWord(person="ann", word="Millbrook", since=MONDAY),
        HiddenWord(person="ann", word="the lifeboat", since=MONDAY + timedelta(hours=1)),
    ]
    assert len(store.hidden_words()) == 3
    store.hide_words("ann", [], at=MONDAY)
    assert store.hidden_words("ann") == []


def test_nobody_has_no_words_to_hide(store: Store) -> None:
    a_class(store)
    with pytest.raises(Missing):
        store.hide_words("nobody", ["x"], at=MONDAY)
