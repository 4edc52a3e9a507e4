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
        ("<iframe>fallback</iframe>x", "x"),
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


# -- what ENGINEERING.md asks of cleaning, a test for each ----------------------------------------------------------


def kept(html: str) -> str:
    return clean(html, base="https://blog.example/2026/", pictures=True).html


@pytest.mark.parametrize(
    ("html", "address"),
    [
        ('<img src="/a.png">', "https://blog.example/a.png"),
        ('<img src="a.png">', "https://blog.example/2026/a.png"),
        ('<img src="data:image/gif;base64,R0" data-src="/late.png">', "https://blog.example/late.png"),
        ('<img src="/blank.gif" data-lazy-src="/late.png">', "https://blog.example/late.png"),
        ('<img srcset="/s.png 300w, /m.png 1200w, /l.png 4000w">', "https://blog.example/m.png"),
        ('<picture><source srcset="/a.avif"><img src="/a.png"></picture>', "https://blog.example/a.png"),
        ('<noscript><img src="/plain.png"></noscript>', "https://blog.example/plain.png"),
    ],
)
def test_a_picture_keeps_the_address_where_it_really_is(html: str, address: str) -> None:
    assert f'src="{address}"' in kept(html)


def test_a_picture_that_stands_twice_for_those_without_a_script_is_shown_once() -> None:
    html = '<p><img src="data:image/gif;base64,R0" data-src="/a.png"><noscript><img src="/a.png"></noscript></p>'
    assert kept(html).count("<img") == 1


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:image/png;base64,AAAA", "file:///etc/passwd", "cid:x"]
)
def test_a_picture_with_no_address_on_the_web_becomes_words(address: str) -> None:
    assert kept(f'<p><img src="{address}" alt="Cat"></p>').strip() == "<p> [Picture: Cat] </p>"


@pytest.mark.parametrize(
    "tracker",
    [
        '<img src="https://x.example/p.gif" width="1" height="1">',
        '<img src="https://x.example/p.gif" height="0">',
        '<img src="https://pixel.wp.com/b.gif?host=x">',
        '<img src="https://medium.com/_/stat?event=post.clientViewed">',
        '<img src="https://blogger.googleusercontent.com/tracker/1-2">',
        '<img src="https://feeds.feedburner.com/~r/x/~4/y">',
        '<img src="https://www.google-analytics.com/collect?v=1">',
        '<img style="display:none" src="https://x.example/p.gif">',
    ],
)
def test_a_tracking_pixel_is_dropped(tracker: str) -> None:
    assert kept(f"<p>a</p>{tracker}") == "<p>a</p>"


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "DISPLAY : None !important",
        "color:red; visibility: hidden",
        "font-size:0",
        "font-size: 0px",
        "opacity: 0.0",
        "color:#fff;background:#ffffff",
        "color: rgb(1, 2, 3); background-color: rgb(1,2,3)",
    ],
)
def test_hidden_text_is_dropped_with_all_that_is_in_it(style: str) -> None:
    cleaned = clean(f'<p>a<span style="{style}">b <b>c<br></b><img src="https://x.example/y"></span>d</p>')
    assert (cleaned.html, cleaned.text) == ("<p>ad</p>", "ad")
    assert clean(f'<p>a</p><div style="{style}"><p>b</p></div><p>c</p>').text == "a\n\nc"


@pytest.mark.parametrize(
    "style", ["color:white", "font-size:10px", "opacity:0.5", "display:block", "color:#000;background:#fff"]
)
def test_what_a_dark_or_colourful_page_says_of_its_words_hides_nothing(style: str) -> None:
    assert clean(f'<p style="{style}">a</p>').html == "<p>a</p>"


def test_what_is_marked_as_hidden_is_dropped() -> None:
    assert clean("<p>a</p><p hidden>b</p><p hidden=until-found>c</p>").html == "<p>a</p>"


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<h1>a</h1><h2>b</h2><h3>c</h3>", "<h3>a</h3><h4>b</h4><h5>c</h5>"),
        ("<h2>a</h2><h6>b</h6>", "<h3>a</h3><h6>b</h6>"),
        ("<h3>a</h3><h4>b</h4>", "<h3>a</h3><h4>b</h4>"),
    ],
)
def test_headings_stand_below_those_of_the_page(html: str, safe: str) -> None:
    assert clean(html).html == safe
    assert clean(html).text == clean(safe).text


def test_tables_and_code_are_kept() -> None:
    html = '<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td colspan="2">b</td></tr></tbody></table>'
    assert clean(html).html == html
    assert clean("<pre><code>x &lt; 1\n  y</code></pre>").html == "<pre><code>x &lt; 1\n  y</code></pre>"


@pytest.mark.parametrize(
    ("html", "address", "said"),
    [
        (
            '<iframe src="https://www.youtube.com/embed/1">x</iframe>',
            "https://www.youtube.com/embed/1",
            "Embedded: youtube.com",
        ),
        ('<video><source src="/a.mp4">no video</video>', "https://blog.example/a.mp4", "Video: blog.example"),
        ('<audio src="https://x.example/a.mp3"></audio>', "https://x.example/a.mp3", "Recording: x.example"),
        (
            '<object data="https://x.example/a.swf"><embed src="/b"></object>',
            "https://x.example/a.swf",
            "Embedded: x.example",
        ),
        ('<embed src="//x.example/a">', "https://x.example/a", "Embedded: x.example"),
    ],
)
def test_embedded_media_become_links_in_words(html: str, address: str, said: str) -> None:
    assert kept(f"<p>a</p>{html}<p>b</p>") == f'<p>a</p><p><a href="{address}" {REL}>[{said}]</a></p><p>b</p>'


@pytest.mark.parametrize(
    "html", ['<iframe srcdoc="<script>1</script>"></iframe>', '<iframe src="javascript:1">x</iframe>']
)
def test_a_player_without_an_address_on_the_web_is_dropped(html: str) -> None:
    assert kept(f"a{html}b") == "ab"


def test_deep_nesting_is_refused_before_the_cleaner_sees_it() -> None:
    for tag in ("div", "span", "blockquote", "b"):
        with pytest.raises(Refused, match="nested"):
            clean(f"<{tag}>" * 20_000)


def test_an_entry_of_more_than_256_kb_is_refused() -> None:
    with pytest.raises(Refused, match="256"):
        clean("x" * (256 * 1024 + 1))


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
            "<img src='",
            "<iframe src='",
            "<video>",
            "<span hidden>",
            "<span style='display:none'>",
            "</span>",
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
@given(st.lists(bits, max_size=30).map("".join), st.booleans())
def test_whatever_is_written_only_harmless_html_comes_out_and_stays_as_it_is(html: str, pictures: bool) -> None:
    cleaned = clean(html, base="https://blog.example/", pictures=pictures)
    for piece in pieces(cleaned.html):
        if isinstance(piece, Open):
            assert piece.tag not in {
                "script",
                "style",
                "svg",
                "math",
                "iframe",
                "video",
                "span",
                "form",
                "textarea",
                "title",
            }
            assert pictures or piece.tag != "img"
            allowed = {"src", "alt"} if piece.tag == "img" else {"href", "rel"}
            assert {key for key, _ in piece.attributes} <= allowed
            assert all(re.match("https?://", piece.get(name) or "https://") for name in ("href", "src"))
    again = clean(cleaned.html, base="https://blog.example/", pictures=pictures)
    assert (again.html, again.text) == (cleaned.html, cleaned.text)
