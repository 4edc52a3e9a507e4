"""Strangers' HTML: safe to show, nothing in it loads or identifies, and its words as a reader sees them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.feeds.clean import DEEPEST, Refused, clean, digest, line, of_plain_text
from reviewkit.feeds.parse import title_of
from reviewkit.visible import Open, pieces

REL = 'rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<p>a <b>b</b></p>", "<p>a <b>b</b></p>"),
        ("<p id=x class=y style='color:red' onclick=z data-a=b>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script><style>p{}</style>b", "ab"),
        ("<iframe src=https://v.example>fallback</iframe>x", "x"),
        ("<svg><script>1</script></svg>x", "x"),
        ("<form action=/x><input name=a><button>go</button>words</form>", "words"),
        ("<a href='https://a.example/x' target=_blank>a</a>", f'<a href="https://a.example/x" {REL}>a</a>'),
        ("<a href='mailto:a@b.example'>a</a>", f'<a href="mailto:a@b.example" {REL}>a</a>'),
        ("<a href='java\nscript:alert(1)'>a</a>", f"<a {REL}>a</a>"),
        ("<a href='data:text/html,x'>a</a>", f"<a {REL}>a</a>"),
        ("<a href='/b?c#d'>a</a>", f'<a href="https://blog.example/b?c#d" {REL}>a</a>'),
        ("<a href='//other.example/'>a</a>", f'<a href="https://other.example/" {REL}>a</a>'),
        ("<a href='http://[x'>a</a>", f"<a {REL}>a</a>"),
        ("x < y &amp; <z", "x &lt; y &amp; "),
        ("<p>unclosed <em>twice", "<p>unclosed <em>twice</em></p>"),
    ],
)
def test_html_is_made_safe(html: str, safe: str) -> None:
    assert clean(html, base="https://blog.example/2026/a/").html == safe


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<p>see <img src="https://x.example/a.jpg" alt="Bo at work"> there</p>', "see [Picture: Bo at work] there"),
        ('<img src=a alt=""><p>x</p>', "[Picture]\n\nx"),
        ("<figure><img src=a alt=Map><figcaption>A map</figcaption></figure>", "[Picture: Map]\n\nA map"),
        ('<p>x</p><img src="https://t.example/?p=1" width="1" height="1">', "x"),
    ],
)
def test_pictures_become_words_and_pixels_that_count_readers_nothing(html: str, text: str) -> None:
    cleaned = clean(html)
    assert cleaned.text == text
    assert "<img" not in cleaned.html
    assert ".example" not in cleaned.html


def test_the_words_stand_in_paragraphs_and_lines_as_a_reader_sees_them() -> None:
    html = (
        "<h2>Plan</h2>\n<p>One\n  <b>two</b>,\n three.</p><ul><li>a</li><li>b</li></ul>"
        "<pre>x = 1\n  y</pre><table><tr><td>1</td><td>2</td></tr></table>end<br>line"
    )
    assert clean(html).text == "Plan\n\nOne two, three.\n\na\nb\n\nx = 1\n  y\n\n1 2\n\nend\nline"


def test_code_is_not_prose() -> None:
    cleaned = clean("<p>a <code>#b</code> c</p><pre>#d</pre>")
    assert (cleaned.prose, cleaned.text) == ("a c", "a #b c\n\n#d")


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("a\u202egpj.exe\u202c", "agpj.exe"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("A\u200dnn", "Ann"),
        ("soft\u00adhyphen", "softhyphen"),
        ("👩🏽\u200d💻", "👩🏽\u200d💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("nul\x00 bell\x07", "nul bell"),
        ("<b>\u202ex</b>", "x"),
        ("&#x202e;x&#8203;", "x"),
    ],
)
def test_signs_that_turn_or_hide_others_are_removed(written: str, seen: str) -> None:
    assert clean(written).text == seen


def test_links_that_name_tags_are_remembered() -> None:
    html = '<a rel="nofollow TAG" href="/tag/open%20web/">x</a><a rel="tags" href="/tag/no">y</a><a rel=tag>z</a>'
    assert clean(html, base="https://blog.example/").tags == ("open web",)


def test_what_is_too_deep_is_refused_and_sloppy_paragraphs_are_not() -> None:
    with pytest.raises(Refused, match="nested"):
        clean("<div>" * (DEEPEST + 1))
    assert clean("<div>" * DEEPEST + "x").text == "x"
    assert clean("<p>x<li>y<br>" * 5000).text
    assert clean("<p><b>x</b>" * 5000).text


def test_plain_text_becomes_paragraphs_and_nothing_else() -> None:
    assert of_plain_text("a <b>\nc\n\n \nd & e\n") == "<p>a &lt;b&gt;<br>c</p><p>d &amp; e</p>"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Me &amp; you", "Me & you"),
        ("<b>Bold</b> move", "Bold move"),
        ("x < y and a > b", "x < y and a > b"),
        ("the <not> operator", "the <not> operator"),
        ("The <b> tag", "The <b> tag"),
        ("&lt;b&gt; explained", "<b> explained"),
        ("one<br/>two", "one two"),
        (" multi\n line\u202e ", "multi line"),
    ],
)
def test_titles_are_plain_text(said: str, title: str) -> None:
    assert title_of(said) == title


def test_a_long_title_ends_in_an_ellipsis() -> None:
    assert line("x" * 501) == "x" * 499 + "…"


def test_a_digest_covers_what_is_seen_and_not_how_it_is_spaced() -> None:
    assert digest("A b", "c\n\nd") == digest("A  b", "c d ")
    assert digest("A", "b") != digest("A b", "")


bits = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<a href='",
            "javascript:",
            "https://x.example/",
            "'>",
            "</a>",
            "<img alt='",
            "<",
        ),
        *("<script>", "</script>", "<!--", "-->", "<svg>", "<math>", "<style>", "</style>", "<table>", "<td>", "&lt;"),
        *(
            "&",
            "&#0;",
            "\x00",
            "\u202e",
            " onload=x ",
            "<pre>",
            "</pre>",
            "<textarea>",
            "<title>",
            "words ",
            '"',
            "`",
            ">",
        ),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(bits, max_size=30).map("".join))
def test_whatever_is_written_only_harmless_html_comes_out_and_stays_as_it_is(html: str) -> None:
    cleaned = clean(html, base="https://blog.example/")
    for piece in pieces(cleaned.html):
        if isinstance(piece, Open):
            assert piece.tag not in {"script", "style", "svg", "math", "img", "iframe", "form", "textarea", "title"}
            assert {key for key, _ in piece.attributes} <= {"href", "rel"}
            assert re.match("https?://", piece.get("href") or "https://")
    again = clean(cleaned.html, base="https://blog.example/")
    assert (again.html, again.text) == (cleaned.html, cleaned.text)
