"""Slicing: what was read before is cut out, and what is new reads exactly as it would have read among all."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.errors import FeedError
from reviewkit.feeds.parse import MOST, Parsed, parse
from reviewkit.listing import Listed
from tests.blogs import post, rss

URL = "https://blog.example/feed"
CRAFTED = sorted((Path(__file__).parent / "data" / "feeds" / "crafted").iterdir())
SHARED = Path(__file__).parents[2] / "shared" / "feeds"


def read(document: str | bytes, known: Iterable[Listed] = ()) -> Parsed:
    body = document.encode() if isinstance(document, str) else document
    return parse(body, url=URL, known={item.mark: item for item in known if item.mark})


def check_every_way_to_know_some(body: bytes, ways: Iterable[Iterable[int]]) -> None:
    """Whichever items are known: the others read as in the whole document, and the list stays the same."""
    whole = read(body)
    for way in ways:
        known = [whole.items[number] for number in way if number < len(whole.items)]
        some = read(body, known)
        there = {item.guid for item in some.items} - {item.guid for item in known if item.mark}
        assert some.items == whole.items
        assert some.title == whole.title
        assert len(some.entries) == len(whole.entries) - len([item for item in known if item.mark])
        by_guid = {entry.guid: entry for entry in whole.entries}
        for entry in some.entries:
            assert entry.guid in by_guid
            assert len(there) == len({each.guid for each in some.entries}) or len(some.entries) == len(whole.entries)
            assert entry in whole.entries


@pytest.mark.parametrize("path", CRAFTED, ids=lambda path: path.name)
def test_a_crafted_document_reads_the_same_whatever_is_known(path: Path) -> None:
    check_every_way_to_know_some(path.read_bytes(), ([0], [1], [0, 2], range(1, 100), range(100)))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real feeds are not beside this checkout")
def test_real_feeds_read_the_same_whatever_is_known() -> None:
    applied = 0
    for path in sorted(SHARED.glob("*/*.*")):
        body = path.read_bytes()
        if path.parent.name == "expected" or len(body) > 150_000:
            continue
        try:
            whole = read(body)
        except FeedError:
            continue
        marked = [item for item in whole.items if item.mark]
        applied += bool(marked)
        again = read(body, marked)
        assert again.items == whole.items, path.name
        assert len(again.entries) == len(whole.entries) - len(marked), path.name
        odd = read(body, marked[::2])
        assert odd.items == whole.items, path.name
        assert [each for each in whole.entries if each in odd.entries] == list(odd.entries), path.name
    assert applied > 100


def test_a_feed_with_one_new_post_costs_one_post() -> None:
    old = [post(f"Post {number}", "words", guid=f"g{number}") for number in range(20)]
    before = read(rss("B", *old))
    after = read(rss("B", post("New", "words", guid="new"), *old), before.items)
    assert [entry.title for entry in after.entries] == ["New"]
    assert len(after.items) == 21


def test_an_edited_post_is_read_again_and_the_others_are_not() -> None:
    one, two, three = (post(f"Post {number}", "words", guid=f"g{number}") for number in range(3))
    before = read(rss("B", one, two, three))
    after = read(rss("B", one, two.replace("words", "other words"), three), before.items)
    assert [entry.text for entry in after.entries] == ["other words"]


def test_the_hour_at_which_a_feed_was_made_makes_nothing_new() -> None:
    made = "<lastBuildDate>Mon, 11 Mar 2024 {hour}:00:00 GMT</lastBuildDate><!-- {hour} -->"
    document = rss("B", post("t", "x", guid="1")).replace("<item>", made + "<item>")
    before = read(document.format(hour=10))
    assert read(document.format(hour=11), before.items).entries == ()


@pytest.mark.parametrize(
    "changed",
    [
        lambda document: document.replace("https://blog.example/", "https://moved.example/"),
        lambda document: document.replace("<channel>", '<channel xml:base="https://moved.example/">'),
        lambda document: document.replace("<title>B</title>", "<title>C</title>"),
    ],
)
def test_what_all_items_are_read_by_makes_all_of_them_new(changed) -> None:  # type: ignore[no-untyped-def]
    document = rss("B", post("t", '<a href="/x">x</a>', guid="1"), post("u", "y", guid="2"))
    before = read(document)
    after = read(changed(document), before.items)
    assert len(after.entries) == 2


def test_a_new_item_with_the_guid_of_a_known_one_is_read_with_it() -> None:
    first = post("One", "x", guid="same", link="https://blog.example/1")
    second = post("Two", "y", guid="same", link="https://blog.example/2")
    before = read(rss("B", first))
    after = read(rss("B", second, first), before.items)
    assert after.entries == read(rss("B", second, first)).entries
    assert len({entry.guid for entry in after.entries}) == 2


def test_a_new_item_with_the_link_of_a_known_one_is_read_with_it() -> None:
    first = post("One", "x", guid="1", link="https://elsewhere.example/page")
    second = post("Two", "y", guid="2", link="http://www.elsewhere.example/page/?utm_source=rss")
    before = read(rss("B", first))
    assert len(read(rss("B", second, first), before.items).entries) == 2


def test_items_that_share_a_guid_are_read_every_time() -> None:
    document = rss("B", post("One", "x", guid="same", link="/1"), post("Two", "y", guid="same", link="/2"))
    before = read(document)
    assert [item.mark for item in before.items] == ["", ""]
    assert read(document, before.items).entries == before.entries


def test_a_post_that_was_refused_is_told_at_every_reading() -> None:
    document = rss("B", post("Long", "y" * 300_000, guid="1"), post("Short", "x", guid="2"))
    before = read(document)
    again = read(document, before.items)
    assert again.refused == before.refused != ()
    assert [item.guid for item in again.items] == [item.guid for item in before.items]


@pytest.mark.parametrize(
    "broken",
    [
        lambda document: document.replace("</channel></rss>", ""),
        lambda document: document.replace("UTF-8", "ISO-8859-1"),
        lambda document: document.replace("<rss", "<!DOCTYPE rss><rss"),
        lambda document: document.replace("<channel>", "<channel>&nbsp;"),
        lambda document: document.replace("<channel>", "<channel><m:x/>"),
    ],
)
def test_a_document_that_cannot_be_cut_is_read_whole(broken) -> None:  # type: ignore[no-untyped-def]
    document = broken(rss("B", post("One", "x", guid="1"), post("Two", "y", guid="2")))
    before = read(document)
    assert [item.mark for item in before.items] == ["", ""]
    assert read(document, before.items).entries == before.entries
    assert len(before.entries) == 2


def test_what_only_is_called_like_an_item_costs_the_cut_and_nothing_else() -> None:
    extra = '<x:shop xmlns:x="https://shop.example/"><x:item>1</x:item></x:shop><image><item>no</item></image>'
    document = rss("B", post("One", extra, guid="1")).replace("<item><title>One", extra + "<item><title>One")
    assert [entry.title for entry in read(document).entries][-1] == "One"


def test_of_very_many_items_only_the_first_are_read_at_all() -> None:
    items = "".join(f"<item><guid>{number}</guid><title>t</title></item>" for number in range(60_000))
    feed = read(rss("B", items))
    assert len(feed.entries) == len(feed.items) == MOST
    assert "it holds more" in feed.refused[0]


def test_items_of_a_json_feed_are_known_too() -> None:
    def feed(*texts: str) -> str:
        items = [{"id": text, "content_text": text} for text in texts]
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": items})

    before = read(feed("one", "two"))
    assert [entry.text for entry in read(feed("new", "one", "two"), before.items).entries] == ["new"]


names = st.sampled_from(["a", "b", "c", "same"])
items = st.lists(st.tuples(names, names, st.sampled_from(["x", "<p>y</p>", ""])), max_size=6)


@settings(max_examples=100, deadline=None)
@given(items, items)
def test_any_feed_after_any_other_reads_as_if_it_were_the_first(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]
) -> None:
    def document(said: list[tuple[str, str, str]]) -> str:
        return rss(
            "B", *(post(text, text, guid=guid, link=f"https://blog.example/{link}") for guid, link, text in said)
        )

    earlier = read(document(before))
    whole, some = read(document(after)), read(document(after), earlier.items)
    assert some.items == whole.items
    assert [entry for entry in whole.entries if entry in some.entries] == list(some.entries)
    cut = {item.guid for item in some.items} - {item.guid for item in read(document(after)).items}
    assert not cut


@pytest.mark.parametrize("path", CRAFTED, ids=lambda path: path.name)
def test_no_entry_with_a_wanted_tag_comes_without_its_text(path: Path) -> None:
    whole = read(path.read_bytes())
    for tag in {tag.tag for entry in whole.entries for tag in entry.tags}:
        some = parse(path.read_bytes(), url=URL, wanted=frozenset({tag}))
        assert some.items == whole.items
        for entry, short in zip(whole.entries, some.entries, strict=True):
            if any(each.tag == tag for each in entry.tags):
                assert short == entry
            else:
                assert not any(each.tag == tag for each in short.tags)


@pytest.mark.parametrize(
    "html",
    [
        "about #stories",
        "about &#35;stories",
        "about &#x23;stories",
        "about &num;stories",
        "about \uff03stories",
        "<b>#</b>stories is none, <i>#stories</i> is one",
        '<a rel="tag" href="/tags/stories">x</a>',
        "<a href='/tags/stories' rel='nofollow tag'>x</a>",
        "<a href=/tags/stories rel=tag>x</a>",
        "\u200b#stories",
        "(#stories)",
    ],
)
def test_a_tag_in_the_text_is_found_however_it_is_written(html: str) -> None:
    (entry,) = parse(rss("B", post("t", html, guid="1")).encode(), url=URL, wanted=frozenset({"stories"})).entries
    assert "stories" in {tag.tag for tag in entry.tags}
    assert entry.text


@pytest.mark.parametrize("path", CRAFTED, ids=lambda path: path.name)
def test_an_item_that_is_passed_over_has_the_guid_link_and_date_that_it_has_when_it_is_read(path: Path) -> None:
    whole, outlined = read(path.read_bytes()), parse(path.read_bytes(), url=URL, wanted=frozenset({"no such tag"}))
    assert outlined.items == whole.items
    for entry, short in zip(whole.entries, outlined.entries, strict=True):
        assert (short.guid, short.link, short.published) == (entry.guid, entry.link, entry.published)


PLAIN = "<item><title>t</title><link>https://b.example/1</link><guid>https://b.example/1</guid>{}</item>"


@pytest.mark.parametrize(
    "more",
    [
        "<category>#Stories</category>",
        "<category>st&#x6f;ries</category>",
        "<category><![CDATA[&#115;tories]]></category>",
        "<description>on &amp;num;stories</description>",
        "<title>also #stories</title>",
        '<description>&lt;a href="/t/stories" rel="tag"&gt;x&lt;/a&gt;</description>',
        '<media:keywords xmlns:media="http://search.yahoo.com/mrss/">stories</media:keywords>',
        '<dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/">stories</dc:subject>',
    ],
)
def test_an_item_that_may_carry_a_wanted_tag_is_never_passed_over(more: str) -> None:
    body = f'<rss version="2.0"><channel><title>B</title>{PLAIN.format(more)}</channel></rss>'.encode()
    whole, some = read(body), parse(body, url=URL, wanted=frozenset({"stories"}))
    if any(tag.tag == "stories" for entry in whole.entries for tag in entry.tags):
        assert some.entries == whole.entries
    assert some.items == whole.items
