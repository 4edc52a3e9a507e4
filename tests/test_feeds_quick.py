"""Short cuts of the parse: what they give is what the long way gives."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reviewkit.feeds import clean, document, xmlfeed
from reviewkit.feeds import parse as parsing
from reviewkit.feeds.parse import parse
from reviewkit.visible import Piece, _quickly, _Reader, pieces
from tests.blogs import post, rss

CRAFTED = Path(__file__).parent / "data" / "feeds" / "crafted"
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", '<a href="/x?a=1&amp;b=2" rel="tag nofollow">', "</a>", "<br>", "<br/>", "<li>", "<hr />"),
            *('<img src=x alt="a < b > c &quot;">', "<script>a<b</script>", "<style>p{}</style>", "<div lang=de>"),
            *(
                "&lt;",
                "&amp;amp;",
                "&nbsp;",
                "&#8230;",
                "& ",
                "<",
                ">",
                '"',
                "'",
                "a",
                "é",
                "\u200b",
                "\U000e0001",
                "\n",
            ),
            *(
                "<td colspan='2'>",
                "<!-- x -->",
                "<![CDATA[x]]>",
                "<?x?>",
                "<svg><p>",
                "</table>",
                "<pre>\n",
                "<custom-x>",
            ),
        ]
    ),
    max_size=30,
).map("".join)


def by_the_parser(html: str) -> list[Piece]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


@given(FRAGMENTS)
@example("<p>a &lt; b</p>")
@example('<a href="https://e.example/?a=1&amp;b=2">x</a>')
def test_cleaned_html_falls_into_the_same_pieces_quickly(html: str) -> None:
    cleaned = clean._first.clean(html)
    assert pieces(cleaned) == by_the_parser(cleaned)


@given(FRAGMENTS)
def test_any_html_falls_into_the_same_pieces_where_it_is_read_quickly(html: str) -> None:
    if (quick := _quickly(html)) is not None:
        assert quick == by_the_parser(html)


def test_what_the_cleaner_writes_of_whole_feeds_is_read_quickly() -> None:
    for path in sorted(CRAFTED.glob("*.xml")):
        for raw in xmlfeed.read(path.read_bytes(), url="https://blog.example/", content_type="").entries:
            assert isinstance(raw, xmlfeed.Raw)
            assert _quickly(clean._first.clean(raw.html)) is not None


def test_every_sign_that_nobody_sees_is_taken_out() -> None:
    assert not [code for code in clean._CONTROLS if clean.visible_signs(f"a{chr(code)}b") != "ab"]


@pytest.mark.parametrize(
    "words",
    [
        *("#One", "x #one", "(#ONE)", "＃one", "\n#one", "a\n#one", "&#35;one", "&num;one", "&#x23;one", "&#65283;one"),
        *('<a rel="tag" href="/t/one">x</a>', "<a REL='nofollow TAG' href=/one>x</a>", "<a rel=tag href=one>x</a>"),
    ],
)
def test_an_entry_that_may_carry_a_tag_is_looked_at_whole(words: str) -> None:
    document = rss("B", post("t", words, guid="1", date=f"{datetime(2026, 3, 1, tzinfo=UTC):%a, %d %b %Y %H:%M:%S %z}"))
    (entry,) = parse(document.encode(), url="https://blog.example/feed", wanted={"one"}).entries
    assert "one" in {tag.tag for tag in entry.tags}


@given(st.from_regex(document._WHOLE, fullmatch=True), st.sampled_from(["http", "https"]))
@example("http://blog.example/a/../b/./c//?p=1", "http")
@example("https://blog.example:8080/?a=?", "https")
@example("http://blog.example/%20~x", "https")
def test_an_address_that_is_whole_is_what_joining_makes_of_it(address: str, scheme: str) -> None:
    assert document.absolute(f"{scheme}://other.example/a/b?c#d", address) == urljoin("http://other.example/", address)


@given(st.lists(st.sampled_from([*"ab &;#", "&amp;", "&lt;b&gt;", "é", "\u200b", "\n", ">"]), max_size=12).map("".join))
def test_a_title_without_markup_is_read_as_any_other(words: str) -> None:
    # An element that is opened alone stays, so that the title goes the long way and ends as it began.
    assert parsing.title_of(words + " <b>") == re.sub(r"^ ", "", f"{parsing.title_of(words)} <b>")
