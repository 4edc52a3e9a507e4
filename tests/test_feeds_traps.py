"""What readers of feeds stumble over, one test for each trap; named after it.

Traps that need more than a document have theirs beside what they are about:

- addresses judged where they are dialled, redirects, name servers, TLS: test_feeds_hostile.py, test_feeds_pull.py
- limits on bytes, time, redirects, memory: test_feeds_pull.py, test_feeds_workers.py, test_feeds_hostile.py
- known items cut out before they are read: test_feeds_slicing.py
- which post an entry is, revisions, what is gone, older pages: test_store.py, test_feeds_gone.py, test_feeds_further.py
- stamps dropped with a new parser, pauses, moves: test_feeds_polite.py, test_feeds_schedule.py
- feeds of tags, discovery: test_feeds_discover.py; the same facts as other tools write them: test_feeds_variants.py
- pictures and pixels that count readers: test_feeds_images.py, test_feeds_clean.py
"""

import json
from datetime import UTC, datetime

import pytest

from reviewkit.errors import FeedError
from reviewkit.feeds.addresses import is_public
from reviewkit.feeds.parse import Parsed, parse
from reviewkit.model import Entry
from tests.blogs import post, rss

URL = "https://blog.example/feed"


def read(document: str | bytes, content_type: str = "") -> Parsed:
    body = document.encode() if isinstance(document, str) else document
    return parse(body, url=URL, content_type=content_type)


def only(document: str | bytes) -> Entry:
    (entry,) = read(document).entries
    return entry


def tags(entry: Entry) -> set[str]:
    return {tag.tag for tag in entry.tags if tag.found == "category"}


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_json_feed_has_its_entries(version: str) -> None:
    item = {"id": 7, "url": "/a", "title": "A", "content_html": "<p>x</p>", "tags": ["#One"]}
    item["date_published"] = "2026-03-11T10:00:00+02:00"
    item |= {"author": {"name": "Bo"}} if version == "1" else {"authors": [{"name": "Bo"}, {"name": "Cy"}]}
    entry = only(json.dumps({"version": f"https://jsonfeed.org/version/{version}", "title": "J", "items": [item]}))
    assert (entry.guid, entry.link, entry.title, tags(entry)) == ("7", "https://blog.example/a", "A", {"one"})
    assert entry.published == datetime(2026, 3, 11, 8, tzinfo=UTC)
    assert entry.author == ("Bo" if version == "1" else "Bo, Cy")


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("CEST", 8), ("CET", 9), ("BST", 9), ("EST", 15), ("EDT", 14), ("PDT", 17), ("IST", 4), ("+0200", 8), ("Z", 10)],
)
def test_cest_is_not_utc(zone: str, hour: int) -> None:
    entry = only(rss("B", post("t", "x", guid="1", date=f"Sat, 29 Jun 2024 10:00:00 {zone}")))
    assert entry.published
    assert entry.published.astimezone(UTC).hour == hour


@pytest.mark.parametrize("said", ["1711000000", "1711000000000", "1711000000.0"])
def test_epoch_dates_are_not_of_the_year_1741(said: str) -> None:
    at = datetime(2024, 3, 21, 5, 46, 40, tzinfo=UTC)
    assert only(rss("B", post("t", "x", guid="1", date=said))).published == at


@pytest.mark.parametrize(("said", "day"), [("2016/6/29", 29), ("2016/06/29", 29), ("2016/6/9 10:00", 9)])
def test_2016_6_29_is_not_the_first(said: str, day: int) -> None:
    entry = only(rss("B", post("t", "x", guid="1", date=said)))
    assert entry.published
    assert (entry.published.year, entry.published.month, entry.published.day) == (2016, 6, day)


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 +0000"])
def test_hugos_year_1_is_no_date(said: str) -> None:
    assert only(rss("B", post("t", "x", guid="1", date=said))).published is None


ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>F</title>{}</feed>'


def test_atom_entries_inherit_the_feeds_author_wherever_it_stands() -> None:
    author, entry = "<author><name>Ann</name></author>", "<entry><id>1</id><title>t</title></entry>"
    assert only(ATOM.format(author + entry)).author == "Ann"
    assert only(ATOM.format(entry + author)).author == "Ann"


def test_two_authors_are_both_kept() -> None:
    two = "<author><name>Ann</name></author><author><name>Bob</name></author>"
    assert only(ATOM.format(f"<entry><id>1</id><title>t</title>{two}</entry>")).author == "Ann, Bob"
    creators = "<dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator>"
    document = rss("B", f"<item><guid>1</guid><title>t</title>{creators}</item>")
    named = document.replace("<rss", '<rss xmlns:dc="http://purl.org/dc/elements/1.1/"')
    assert only(named).author == "Ann, Bob"


@pytest.mark.parametrize("guid", ["17", "tag:blog.example,2026:1", "urn:uuid:1", "bo.example/1"])
def test_a_bare_guid_is_no_link(guid: str) -> None:
    entry = only(rss("B", post("t", "x", guid=guid)))
    assert (entry.guid, entry.link) == (guid, "")


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Me &amp;amp; you", "Me & you"),
        ("Q&amp;A", "Q&A"),
        ("It&amp;#8217;s", "It’s"),
        ("<![CDATA[Q&amp;A &#8211; x]]>", "Q&A – x"),
        ("<![CDATA[<i>Very</i> good]]>", "Very good"),
        ("x &lt; y", "x < y"),
        ("the &lt;not&gt; operator", "the <not> operator"),
        ("two\n   lines", "two lines"),
    ],
)
def test_amp_amp_does_not_stay_in_titles(written: str, title: str) -> None:
    assert only(rss("B", f"<item><guid>1</guid><title>{written}</title></item>")).title == title


@pytest.mark.parametrize("inside", ["{}", "<media:group>{}</media:group>"])
def test_media_keywords_are_not_lost(inside: str) -> None:
    words = inside.format("<media:keywords>Data Stories, maps</media:keywords>")
    document = rss("B", f"<item><guid>1</guid><title>t</title>{words}</item>")
    named = document.replace("<rss", '<rss xmlns:media="http://search.yahoo.com/mrss/"')
    assert tags(only(named)) == {"data stories", "maps"}


@pytest.mark.parametrize("version", ["0.91", "0.92", "0.93", "2.0"])
def test_old_rss_is_read(version: str) -> None:
    document = rss("B", post("One", "x", link="https://blog.example/1")).replace('"2.0"', f'"{version}"')
    assert (only(document).title, only(document).link) == ("One", "https://blog.example/1")


HPAGE = (
    '<!doctype html><meta charset=utf-8><title>Bo</title><main class="h-feed"><h1 class="p-name">Notes</h1>'
    '<a class="p-author h-card" href="/">Bo L</a>{}</main>'
)
HENTRY = (
    '<article class="h-entry"><h2 class="p-name"><a class="u-url" href="/1">One</a></h2>'
    '<time class="dt-published" datetime="2026-03-11T10:00:00+01:00">x</time>'
    '<div class="e-content"><p>b #later</p></div>'
    '<a class="p-category" href="/t/x">#Scale</a></article>'
)


def test_a_page_of_microformats_is_a_feed() -> None:
    feed = read(HPAGE.format(HENTRY), "text/html; charset=utf-8")
    (entry,) = feed.entries
    assert (feed.title, entry.title, entry.link, entry.author) == ("Notes", "One", "https://blog.example/1", "Bo L")
    assert entry.published == datetime(2026, 3, 11, 9, tzinfo=UTC)
    assert (tags(entry), entry.text) == ({"scale"}, "b #later")


def test_entries_on_a_page_without_a_feed_around_them_are_one() -> None:
    page = HENTRY + '<div class="h-entry"><p class="e-content p-name">a note</p><a class="u-url" href="/n"></a></div>'
    entries = read(f"<html><body>{page}</body></html>").entries
    assert [(entry.title, entry.link) for entry in entries] == [
        ("One", "https://blog.example/1"),
        ("", "https://blog.example/n"),
    ]


# -- tags


def words(entry: Entry) -> set[str]:
    return {tag.tag for tag in entry.tags if tag.found == "text"}


@pytest.mark.parametrize("before", [*"&/#=-.:?'\"", "a", "\u00e9", "7", "_", "\u0924\u094d"])
def test_a_hash_after_a_word_or_in_an_address_begins_no_tag(before: str) -> None:
    entry = only(rss("B", post("t", f"<p>{before}#no</p>", guid="1")))
    assert words(entry) == set()


@pytest.mark.parametrize("html", ["#123", "#2026", "<code>#no</code>", "<pre>#no</pre>", "<a href='/#no'>x</a>"])
def test_digits_code_and_addresses_are_no_tags(html: str) -> None:
    assert words(only(rss("B", post("t", f"<p>{html}</p>", guid="1")))) == set()


def test_a_rel_tag_link_names_the_last_part_of_its_path() -> None:
    links = '<a rel="nofollow tag" href="/tag/Open%20Web/?page=2">anything</a> <a rel="tags" href="/tag/no">x</a>'
    entry = only(rss("B", post("t", links, guid="1")))
    assert {tag.tag for tag in entry.tags if tag.found == "rel"} == {"open web"}


def test_a_tag_is_never_a_part_of_another() -> None:
    entry = only(rss("B", post("t", "#cs1010 #cs_101 #mycs101", guid="1", tag="cs101-2026")))
    assert "cs101" not in {tag.tag for tag in entry.tags}


def test_case_width_and_invisible_signs_make_no_other_tag() -> None:
    said = ["CS101", "#cs101", "\uff23\uff33\uff11\uff10\uff11", "c\u200bs101", " cs101 "]
    assert {tag for each in said for tag in tags(only(rss("B", post("t", "x", guid="1", tag=each))))} == {"cs101"}


# -- identity


def test_categories_and_html_around_the_words_make_no_other_text() -> None:
    one = only(rss("B", post("t", "<p>The  same words</p>", guid="1", tag="a")))
    other = only(rss("B", post("t", "<div class='new'><p>The same <b>words</b></p></div>", guid="1", tag="b")))
    assert (one.guid, one.digest) == (other.guid, other.digest)
    assert only(rss("B", post("T", "<p>The same words</p>", guid="1"))).digest != one.digest, "a title is seen"


def test_a_guid_that_a_document_repeats_counts_only_with_its_link() -> None:
    items = [post(f"{n}", "x", guid="same", link=f"https://blog.example/{n}") for n in (1, 2)]
    assert len({entry.guid for entry in read(rss("B", *items)).entries}) == 2
    assert only(rss("B", items[0])).guid == "same"


# -- what is not safe


@pytest.mark.parametrize("address", ["::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "::ffff:127.0.0.1"])
def test_addresses_that_pythons_is_global_lets_through_are_inner(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_entities_of_a_documents_own_are_refused_in_any_encoding(encoding: str) -> None:
    feed = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]>' + rss("B", post("&a;", "x", guid="1"))[38:]
    with pytest.raises(FeedError, match="entities of its own"):
        read(feed.encode(encoding))


def test_comments_that_never_end_are_refused_before_they_are_read() -> None:
    with pytest.raises(FeedError, match="comments that never end"):
        read(rss("B", post("t", "x", guid="1")).replace("<item>", "<!--" * 350_000 + "<item>"))


def test_thousands_of_nested_elements_cost_one_post() -> None:
    feed = read(rss("B", post("t", "<i>" * 20_000, guid="1"), post("t", "x", guid="2")))
    assert [entry.guid for entry in feed.entries] == ["2"]
    assert "nested more than 100 deep" in feed.refused[0]
