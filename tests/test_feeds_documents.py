"""What becomes of whole feed documents: those made for testing give exactly their facts, and nothing stops a pull."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.errors import FeedError
from reviewkit.feeds.parse import MOST, Parsed, parse
from reviewkit.feeds.tags import fold
from reviewkit.model import Entry
from tests.blogs import post, rss

HERE = Path(__file__).parent / "data" / "feeds"
CRAFTED = sorted((HERE / "crafted").iterdir())
SHARED = Path(__file__).parents[2] / "shared" / "feeds"
URL = "https://blog.example/feed"


def read(document: str | bytes, content_type: str = "") -> Parsed:
    body = document.encode() if isinstance(document, str) else document
    return parse(body, url=URL, content_type=content_type)


def only(document: str | bytes) -> Entry:
    (entry,) = read(document).entries
    return entry


def tags(entry: Entry, *found: str) -> list[str]:
    return sorted(tag.tag for tag in entry.tags if tag.found in found)


@pytest.mark.parametrize("path", CRAFTED, ids=lambda path: path.name)
def test_a_crafted_document_gives_exactly_its_facts(path: Path) -> None:
    facts: dict[str, Any] = json.loads((HERE / "expected" / f"{path.name}.json").read_text())
    feed = read(path.read_bytes(), facts.get("http_content_type", ""))
    assert len(feed.entries) == facts["n_entries"]
    assert feed.entries[0].title == facts["first_title"]
    assert feed.entries[-1].title == facts["last_title"]
    assert feed.title == facts.get("feed_title", feed.title)
    assert [entry.title for entry in feed.entries] == facts.get("titles_plain", [entry.title for entry in feed.entries])
    if "distinct_posts" in facts:
        assert len({entry.guid for entry in feed.entries}) == facts["distinct_posts"]
    if "prev_archive" in facts:
        assert feed.older == facts["prev_archive"]
    for entry, fact in zip(feed.entries, facts.get("entries", []), strict=False):
        assert entry.guid == fact.get("id", entry.guid)
        assert entry.link == (urljoin(URL, fact["link"]) if "link" in fact else entry.link)
        if "published" in fact:
            assert entry.published == datetime.fromisoformat(fact["published"])
        if "author" in fact:
            assert entry.author == (fact["author"] or "")
        for places, name in ((("category",), "tags"), (("text",), "hashtags"), (("rel",), "rel_tags")):
            if name in fact:
                assert tags(entry, *places) == sorted(fold(tag) for tag in fact[name])
        for link in fact.get("content_links", []):
            assert f'href="{link}"' in entry.html
        for tracker in fact.get("trackers", []):
            assert tracker not in entry.html


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real feeds are not beside this checkout")
def test_real_feeds_are_read_or_refused_in_words_and_give_the_same_twice() -> None:
    paths = sorted(path for path in SHARED.glob("*/*") if path.parent.name not in ("crafted", "expected"))
    entries = 0
    for path in paths:
        try:
            first = read(path.read_bytes())
        except FeedError:
            assert path.suffix in (".html", ".opml"), f"{path} is a feed"
            continue
        assert not first.refused
        if path.stat().st_size < 40_000:
            assert read(path.read_bytes()) == first
        entries += len(first.entries)
    assert entries > 2000


# -- traps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Sat, 29 Jun 2024 10:00:00 CEST", datetime(2024, 6, 29, 8, tzinfo=UTC)),
        ("Sat, 29 Jun 2024 10:00:00 IST", datetime(2024, 6, 29, 4, 30, tzinfo=UTC)),
        ("1711000000", datetime(2024, 3, 21, 5, 46, 40, tzinfo=UTC)),
        ("1711000000000", datetime(2024, 3, 21, 5, 46, 40, tzinfo=UTC)),
        ("2016/6/29", datetime(2016, 6, 29, tzinfo=UTC)),
        ("2016/6/29 10:12 +02:00", datetime(2016, 6, 29, 8, 12, tzinfo=UTC)),
        ("05 Aug 2024 01:40 +0000", datetime(2024, 8, 5, 1, 40, tzinfo=UTC)),
        ("2024-03-11T11:22+01:00", datetime(2024, 3, 11, 10, 22, tzinfo=UTC)),
        ("2024-03-11T11:22:29.123456789Z", datetime(2024, 3, 11, 11, 22, 29, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("Mon, 31 Feb 2024 10:00:00 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_date_is_what_was_meant_or_nothing(said: str, meant: datetime | None) -> None:
    assert only(rss("B", post("t", "x", date=said, guid="1"))).published == meant


def test_atom_entries_inherit_the_feeds_author() -> None:
    document = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>F</title><author><name>Ann</name></author>'
        "<entry><id>1</id><title>own</title><author><name>Bob</name></author><author><name>Cyd</name></author></entry>"
        "<entry><id>2</id><title>inherited</title></entry></feed>"
    )
    assert [entry.author for entry in read(document).entries] == ["Bob, Cyd", "Ann"]


def test_a_bare_guid_is_no_link() -> None:
    entry = only(rss("B", post("t", "x", guid="17")))
    assert (entry.guid, entry.link) == ("17", "")


def test_without_a_guid_the_link_stands_for_the_post_and_without_both_its_words() -> None:
    linked, bare = read(rss("B", post("t", "x", link="https://blog.example/1"), post("t", "words"))).entries
    assert linked.guid == "https://blog.example/1"
    assert bare.guid == f"urn:sha256:{bare.digest}"


def test_relative_links_start_from_the_post() -> None:
    entry = only(rss("B", post("t", '<a href="../about">me</a>', link="/2024/a/", guid="1")))
    assert entry.link == "https://blog.example/2024/a/"
    assert 'href="https://blog.example/2024/about"' in entry.html


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_encoding_that_a_document_declares_is_believed(encoding: str) -> None:
    document = rss("Café", post("naïve", "x", guid="1")).replace('encoding="UTF-8"', f'encoding="{encoding}"')
    feed = read(document.encode(encoding))
    assert (feed.title, feed.entries[0].title) == ("Café", "naïve")


def test_a_body_that_is_the_name_of_a_file_opens_no_file(tmp_path: Path) -> None:
    document = tmp_path / "feed.xml"
    document.write_text(rss("secret", post("t", "x", guid="1")))
    for body in (str(document), "<" + str(document)):
        with pytest.raises(FeedError):
            read(body)


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_post_that_is_too_long_is_refused_in_words_and_the_others_stay() -> None:
    feed = read(
        rss("B", post("Short", "x", guid="1"), post("Long", "y" * 300_000, guid="2"), post("Last", "z", guid="3"))
    )
    assert [entry.title for entry in feed.entries] == ["Short", "Last"]
    assert feed.refused == ("“Long” was left out: it is longer than 256 kB.",)


def test_a_post_that_is_nested_too_deep_is_refused_in_words() -> None:
    feed = read(rss("B", post("Deep", "<div>" * 5000, guid="1"), post("Flat", "<p>" * 5000 + "x", guid="2")))
    assert [entry.title for entry in feed.entries] == ["Flat"]
    assert feed.refused == ("“Deep” was left out: its HTML is nested more than 100 deep.",)


def test_of_very_many_posts_the_first_are_looked_at() -> None:
    feed = read(rss("B", *(post(f"{number}", "x", guid=f"{number}") for number in range(MOST + 5))))
    assert len(feed.entries) == MOST
    assert feed.refused == ("Only the first 1,000 posts of your feed were looked at: it holds more.",)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "empty page"),
        ("   \n", "empty page"),
        ("hello", "not a feed that can be read"),
        ("<note>hello</note>", "not a feed that can be read"),
        ('{"a": 1}', "not a feed that can be read"),
        ("{" * 100_000, "not a feed that can be read"),
        ("[" * 100_000, "not a feed that can be read"),
        ("<!doctype html><title>Hi</title>", "web page"),
        ('<?xml version="1.0"?><!-- x --><html><body>Hi', "web page"),
        ('<!DOCTYPE rss [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>', "entities of its own"),
        ('<!-- <a> --><!DOCTYPE rss [ <!entity a "b">]><rss version="2.0"/>', "entities of its own"),
        ("<rss version='2.0'>" + "<!--" * 200_000, "comments that never end"),
        ("<!--" * 200_000, "not a feed that can be read"),
    ],
    ids=range(13),
)
def test_what_is_no_feed_is_refused_in_words(document: str, words: str) -> None:
    with pytest.raises(FeedError, match=words) as refused:
        read(document)
    assert refused.value.url == URL


def test_entities_behind_a_wide_encoding_are_seen() -> None:
    document = (
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE rss [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>'
    )
    with pytest.raises(FeedError, match="entities"):
        read(document.encode("utf-16"))


def test_a_feed_that_writes_of_entities_is_read() -> None:
    entry = only(rss("B", post("On XML", "<p>write &lt;!ENTITY a&gt;</p>", guid="1")))
    assert entry.text == "write <!ENTITY a>"


def test_json_of_any_kind_in_any_place_is_survived() -> None:
    odd = [None, 1, 2.5, True, "x", [], ["y"], {}, {"name": 3}]
    names = ["id", "url", "title", "content_html", "content_text", "tags", "authors", "author", "date_published"]
    items = [{name: value} for name in names for value in odd]
    feed = read(json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": [], "items": [*items, *odd]}))
    assert feed.title == ""
    assert all(isinstance(entry.guid, str) for entry in feed.entries)


def test_halves_of_signs_and_zero_bytes_do_not_reach_the_store() -> None:
    feed = read(
        '{"version": "1", "items": [{"id": "a\\u0000b", "title": "x\\ud800y", "content_text": "\\udfff\\u0000z"}]}'
    )
    (entry,) = feed.entries
    assert (entry.guid, entry.title, entry.text) == ("ab", "xy", "z")


documents = st.sampled_from([path.read_bytes() for path in CRAFTED])
edits = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from([b"", b"<", b">", b"&", b"]]>", b"\x00", b"\xff", b"<item>", b"\xe2\x80"])
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(documents, edits)
def test_a_mutated_document_is_read_or_refused_never_more(document: bytes, edits: list[tuple[float, bytes]]) -> None:
    for place, piece in edits:
        at = int(place * len(document))
        document = document[:at] + piece + document[at + 3 :]
    try:
        for entry in read(document).entries:
            (entry.title + entry.html + entry.text + entry.guid + entry.link + entry.author).encode()
    except FeedError:
        return
