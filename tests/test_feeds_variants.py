"""The same facts as other tools write them: habits that were tried beside the crafted documents."""

import json
from datetime import UTC, datetime

import pytest

from reviewkit.feeds.parse import parse
from reviewkit.model import Entry
from tests.blogs import rss

URL = "https://blog.example/feed"
PAGE = "<!doctype html><html><head><title>x</title></head><body>{}</body></html>"


def only(document: str, content_type: str = "") -> Entry:
    (entry,) = parse(document.encode(), url=URL, content_type=content_type).entries
    return entry


def tags(entry: Entry) -> set[str]:
    return {each.tag for each in entry.tags if each.found == "category"}


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("06.03.2024", datetime(2024, 3, 6, tzinfo=UTC)),
        ("6.3.2024 09:05", datetime(2024, 3, 6, 9, 5, tzinfo=UTC)),
        ("2024-W10-3", datetime(2024, 3, 6, tzinfo=UTC)),
        ("2024-03-06T09:05:00\u221205:00", datetime(2024, 3, 6, 14, 5, tzinfo=UTC)),
        ("Wed Mar 06 09:05:00 UTC 2024", datetime(2024, 3, 6, 9, 5, tzinfo=UTC)),
        ("20240306T090500Z", datetime(2024, 3, 6, 9, 5, tzinfo=UTC)),
        ("31.31.2024", None),
        ("garbage", None),
    ],
)
def test_dates_as_other_tools_write_them(said: str, at: datetime | None) -> None:
    assert only(rss("B", f"<item><guid>1</guid><title>t</title><pubDate>{said}</pubDate></item>")).published == at


def test_a_category_that_is_escaped_twice_is_unescaped() -> None:
    item = "<item><guid>1</guid><title>t</title><category><![CDATA[Data &amp; Maps]]></category></item>"
    assert tags(only(rss("B", item))) == {"data & maps"}


def test_json_tags_may_be_one_string() -> None:
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "t", "tags": "a, #B"}]}
    assert tags(only(json.dumps(feed))) == {"a", "b"}


@pytest.mark.parametrize("around", ["h-feed", "other"])
def test_entries_inside_a_card_of_their_author_are_found(around: str) -> None:
    entry = (
        '<article class="h-entry"><a class="u-url p-name" href="/1">One</a><div class="e-content">b</div>'
        '<div class="p-comment h-entry"><a class="u-url p-name" href="/c">Re</a></div></article>'
    )
    found = only(PAGE.format(f'<div class="h-card"><div class="{around}">{entry}</div></div>'), "text/html")
    assert (found.title, found.link) == ("One", "https://blog.example/1")
