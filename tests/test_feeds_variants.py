"""The same facts as other tools write them: habits that were tried beside the crafted documents."""

import json
from datetime import UTC, datetime

import pytest

from reviewkit.feeds.dates import guessed
from reviewkit.feeds.parse import parse
from reviewkit.model import Entry
from tests.blogs import post, rss

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
        ("2024-03-06 09:05:00 +0100 CET", datetime(2024, 3, 6, 8, 5, tzinfo=UTC)),
        ("2024-07-06 09:05:00 CEST", datetime(2024, 7, 6, 7, 5, tzinfo=UTC)),
        ("2024-3-6 9:05", datetime(2024, 3, 6, 9, 5, tzinfo=UTC)),
        ("2024-03-06T24:00:00Z", datetime(2024, 3, 7, tzinfo=UTC)),
        ("2024.03.06", datetime(2024, 3, 6, tzinfo=UTC)),
        ("2024年3月6日", datetime(2024, 3, 6, tzinfo=UTC)),
        ("29/06/2016", datetime(2016, 6, 29, tzinfo=UTC)),
        ("06/29/2016, 9:05:00 PM", datetime(2016, 6, 29, 21, 5, tzinfo=UTC)),
        ("06/03/2024", None),  # which of them is the month?
        ("2024-066", None),
        ("2024", None),
        ("Wed, 06 Mar 2024 09:05:00 +01:00", datetime(2024, 3, 6, 8, 5, tzinfo=UTC)),
        ("Wed Mar 06 2024 09:05:00 GMT+0100 (Central European Standard Time)", datetime(2024, 3, 6, 8, 5, tzinfo=UTC)),
        ("Wed Mar 06 09:05:00 +0000 2024", datetime(2024, 3, 6, 9, 5, tzinfo=UTC)),
        ("Wednesday, 06-Mar-24 09:05:00 GMT", datetime(2024, 3, 6, 9, 5, tzinfo=UTC)),
        ("Wednesday, March 6, 2024", datetime(2024, 3, 6, tzinfo=UTC)),
        ("March 6th, 2024 at 9:05 pm", datetime(2024, 3, 6, 21, 5, tzinfo=UTC)),
        ("Wed, 06 Mar 2024 12:05 AM", datetime(2024, 3, 6, 0, 5, tzinfo=UTC)),
        ("Wed, 06 Sept 2023 09:05:00 EST", datetime(2023, 9, 6, 14, 5, tzinfo=UTC)),
        ("Mi, 06 Mär 2024 09:05:00 +0100", datetime(2024, 3, 6, 8, 5, tzinfo=UTC)),
        ("mer., 06 août 2025 09:05:00 +0200", datetime(2025, 8, 6, 7, 5, tzinfo=UTC)),
        ("6 de diciembre de 2024", datetime(2024, 12, 6, tzinfo=UTC)),
        ("Mon, 30 Nov -0001 00:00:00 +0000", None),
        ("-0001-11-30T00:00:00+00:00", None),
        ("Wed, 06 Mar 2024 25:05:00 GMT", None),
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


def test_a_date_that_a_reader_of_feeds_made_up_is_none() -> None:
    assert guessed("2004\ub144 5\uc6d4 28\uc77c \uc624\ud6c4 2:51", (2004, 5, 28, 14, 51, 0)) == datetime(
        2004, 5, 28, 14, 51, tzinfo=UTC
    )
    assert guessed("2016.06.29", (2016, 11, 1, 0, 0, 0)) is None
    assert guessed("Lent term 2024", (2024, 1, 1, 0, 0, 0)) is None
    assert guessed("", ()) is None


NAMESPACES = "".join(
    f' xmlns:{prefix}="{name}"'
    for prefix, name in {
        "atom": "http://www.w3.org/2005/Atom",
        "content": "http://purl.org/rss/1.0/modules/content/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
        "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "media": "http://search.yahoo.com/mrss/",
    }.items()
)


def item(inside: str) -> str:
    return rss("B", f"<item><guid>1</guid>{inside}</item>").replace("<rss", f"<rss{NAMESPACES}")


def atom(inside: str, attributes: str = "") -> str:
    entry = f"<entry><id>1</id>{inside}</entry>"
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{attributes}><id>f</id><title>F</title>{entry}</feed>'


def in_text(entry: Entry) -> set[str]:
    return {each.tag for each in entry.tags if each.found == "text"}


@pytest.mark.parametrize(
    ("said", "author"),
    [
        ("<author>ann@ann.example (Ann Lee)</author>", "Ann Lee"),
        ("<author>Ann Lee &lt;ann@ann.example&gt;</author>", "Ann Lee"),
        ("<author>ann@ann.example</author>", "ann@ann.example"),
        ("<author>ann@ann.org (Ann Lee)</author>", "Ann Lee"),
        ("<dc:creator>Ann Lee</dc:creator><author>ann@ann.example</author>", "Ann Lee, ann@ann.example"),
        ("<dc:creator>@ann@social.example</dc:creator>", "@ann@social.example"),
    ],
)
def test_an_author_who_is_named_with_an_address_is_read_whole(said: str, author: str) -> None:
    """Of an address that ends in more than four letters the last ones were taken for a name."""
    assert only(item(f"<title>t</title>{said}")).author == author


POST = "<description>&lt;p&gt;My #post&lt;/p&gt;</description>"
PICTURE = (
    '<media:content url="https://blog.example/p.jpg"><media:rating scheme="urn:simple">nonadult</media:rating>'
    '<media:description type="plain">A cat #cats</media:description></media:content>'
)


@pytest.mark.parametrize("inside", [POST + PICTURE, PICTURE + POST])
def test_what_a_picture_shows_does_not_take_the_place_of_the_post(inside: str) -> None:
    """Mastodon writes a picture's description into the item; its post was lost with its tag."""
    entry = only(item(inside))
    assert (entry.text, in_text(entry)) == ("My #post", {"post"})


@pytest.mark.parametrize("order", [1, -1])
def test_the_summary_of_an_episode_does_not_take_the_place_of_the_post(order: int) -> None:
    parts = [POST, "<itunes:summary>In short</itunes:summary>"]
    assert only(item("".join(parts[::order]))).text == "My #post"


@pytest.mark.parametrize("said", ["What it &lt;b&gt;shows&lt;/b&gt; #cats", "What it shows #cats"])
def test_what_a_video_shows_is_its_text_where_there_is_no_other(said: str) -> None:
    entry = only(item(f"<title>t</title><media:group><media:description>{said}</media:description></media:group>"))
    assert (entry.text, in_text(entry)) == ("What it shows #cats", {"cats"})


def test_a_post_that_writes_about_such_elements_keeps_its_words() -> None:
    code = "<p>Use <code>&lt;media:description type='plain'&gt;</code></p>"
    entry = only(item(f"<description><![CDATA[{code} <media:description>]]></description>{PICTURE}"))
    assert entry.text == "Use <media:description type='plain'>"


def test_a_title_is_the_posts_own_and_not_that_of_a_picture_or_of_another_site() -> None:
    assert (
        only(item("<title>Mine</title><media:content><media:title>Pic</media:title></media:content>")).title == "Mine"
    )
    assert only(item("<title>Mine</title><image><title>Pic</title><url>u</url></image>")).title == "Mine"
    other = '<source><id>s</id><title>Other</title><link href="https://other.example/"/></source>'
    for inside in (f"{other}<title>Mine</title>", f"<title>Mine</title>{other}"):
        entry = only(atom(f'{inside}<link href="/1"/>'))
        assert (entry.title, entry.link, entry.guid) == ("Mine", "https://blog.example/1", "1")


@pytest.mark.parametrize(
    "links",
    [
        '<link rel="alternate" hreflang="en" href="/en/1"/><link rel="alternate" hreflang="de" href="/de/1"/>',
        '<link rel="alternate" type="application/json" href="/1.json"/><link type="text/html" href="/en/1"/>',
        '<link rel="replies" type="text/html" href="/c"/><link rel="self" href="/s"/><link href="/en/1"/>',
        '<link rel="http://www.iana.org/assignments/relation/alternate" href="/en/1"/>',
        '<link href="en/1"/>',
    ],
)
def test_of_several_links_the_page_of_the_post_is_taken(links: str) -> None:
    assert only(atom(links)).link == "https://blog.example/en/1"


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        ("<link>/a</link>", "https://blog.example/a"),
        ("<link>//blog.example/a</link>", "https://blog.example/a"),
        ('<atom:link rel="alternate" href="https://blog.example/a"/>', "https://blog.example/a"),
        ('<link>https://blog.example/a</link><atom:link rel="self" href="/a.xml"/>', "https://blog.example/a"),
        (
            "<link>https://proxy.example/~r/1</link><feedburner:origLink>https://blog.example/a</feedburner:origLink>",
            "https://blog.example/a",
        ),
        ("<link>javascript:alert(1)</link>", ""),
        ("<link>feed://blog.example/a</link>", ""),
    ],
)
def test_a_link_is_the_posts_own_address_on_the_web_or_none(inside: str, link: str) -> None:
    assert only(item(inside)).link == link


@pytest.mark.parametrize(
    ("attributes", "entry", "content", "leads"),
    [
        (' xml:base="https://one.example/b/"', '<link href="1"/>', "", "https://one.example/b/p"),
        ("", '<link href="https://blog.example/2024/1/"/>', "", "https://blog.example/2024/1/p"),
        ("", '<link href="/1"/>', ' xml:base="https://two.example/c/"', "https://two.example/c/p"),
    ],
)
def test_links_inside_a_post_start_from_where_it_says(attributes: str, entry: str, content: str, leads: str) -> None:
    inside = f'{entry}<content type="html"{content}>&lt;a href="p"&gt;x&lt;/a&gt;</content>'
    assert f'href="{leads}"' in only(atom(inside, attributes)).html


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("<description><![CDATA[<p>a ]]]]><![CDATA[> b</p>]]></description>", "a ]]> b"),
        ("<description>short</description><content:encoded><![CDATA[<p>long</p>]]></content:encoded>", "long"),
        ("<content:encoded><![CDATA[<p>long</p>]]></content:encoded><description>short</description>", "long"),
        ("<description>one\n\ntwo &amp; three</description>", "one\n\ntwo & three"),
        ("<title>A & B</title><description>unescaped & read</description>", "unescaped & read"),
    ],
)
def test_the_fullest_text_is_taken_however_it_is_wrapped(written: str, text: str) -> None:
    assert only(item(written)).text == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<content type="text">1 &lt; 2\n\n&lt;b&gt; #w</content>', "1 < 2\n\n<b> #w"),
        (
            '<content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml">'
            "<x:p>a &amp; <x:b>b</x:b></x:p></x:div></content>",
            "a & b",
        ),
        ('<summary>S</summary><content type="text/html" src="https://blog.example/1.html"/>', "S"),
        ('<content type="html">&lt;p&gt;C&lt;/p&gt;</content><summary>S</summary>', "C"),
    ],
)
def test_atoms_ways_of_writing_text_are_told_apart(content: str, text: str) -> None:
    assert only(atom(content)).text == text


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("<category>#DataStories</category><category domain='d'><![CDATA[ Two ]]></category>", {"datastories", "two"}),
        ("<category>\uff03\uff24ata\u200dStories</category>", {"datastories"}),
        ("<atom:category term='datastories'/>", {"datastories"}),
        ("<dc:subject>DataStories</dc:subject><dc:subject>two</dc:subject>", {"datastories", "two"}),
        ("<itunes:keywords>one, datastories</itunes:keywords>", {"one", "datastories"}),
        ("<category/><category> </category><title>t</title>", set()),
    ],
)
def test_tags_are_found_wherever_tools_put_them(written: str, found: set[str]) -> None:
    assert tags(only(item(written))) == found


@pytest.mark.parametrize("scheme", ["http://schemas.google.com/g/2005#kind", "x"])
def test_a_platforms_own_word_for_a_post_is_no_tag(scheme: str) -> None:
    kind = f'<category scheme="{scheme}" term="http://schemas.google.com/blogger/2008/kind#post"/>'
    entry = only(atom(f'{kind}<category scheme="http://www.blogger.com/atom/ns#" term="DataStories" label="Data"/>'))
    assert tags(entry) == {"datastories", "data"}


def test_the_tags_of_a_whole_feed_are_none_of_its_posts() -> None:
    document = rss("B", "<category>all</category>", "<item><guid>1</guid><title>t</title></item>")
    assert not only(document).tags


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        ("(#x1)", "x1"),
        ("\u201c#quoted\u201d", "quoted"),
        ("\u2014#dash\u2014", "dash"),
        ("\U0001f600#tag\U0001f600", "tag"),
        ("<b>#</b>tag", "tag"),
        ("a<br>#tag", "tag"),
        ("a</p><p>#tag", "tag"),
        ("<a href='#no'>#tag</a>", "tag"),
        ("\u6807\u7b7e\uff0c#\u6807\u7b7e\uff0c", "\u6807\u7b7e"),
        ("#\u0924\u0925\u094d\u092f", "\u0924\u0925\u094d\u092f"),
        ("#Stra\u00dfe", "strasse"),
        ("#one#two", "one"),
        ("x#no", ""),
        ("/#no", ""),
        ("#123", ""),
        ("##no", ""),
        ("<!-- #no -->", ""),
        ("<pre>#no</pre>", ""),
        ("<style>#no{}</style>", ""),
        ("<span style='color:#abc' title='#no'>x</span>", ""),
        ("<img alt='#no' src='https://blog.example/p.jpg'>", ""),
    ],
)
def test_words_with_a_hash_are_tags_where_a_reader_sees_them(seen: str, word: str) -> None:
    entry = only(item(f"<description><![CDATA[<p>{seen}</p>]]></description>"))
    assert in_text(entry) == ({word} if word else set())


def declaring(encoding: str, title: str) -> str:
    return rss("B", f"<item><guid>1</guid><title>{title}</title></item>").replace("UTF-8", encoding)


@pytest.mark.parametrize(
    ("written", "declared", "content_type", "title"),
    [
        ("utf-8", "utf-16", "", "Zo\u00eb \u2013 x"),  # as .NET writes what was made in memory
        ("utf-8", "utf-16", "", "Zo\u00eb \u2013 xy"),  # of odd and even length: half of all bytes pass for wide
        ("utf-8", "unicode", "text/xml", "Zo\u00eb"),
        ("utf-16", "utf-16", "", "Zo\u00eb \u2013 x"),
        ("utf-16-le", "utf-16", "", "Zo\u00eb"),
        ("utf-16-be", "utf-16", "", "Zo\u00eb"),
        ("utf-32", "utf-32", "", "Zo\u00eb"),
        ("cp1252", "iso-8859-1", "", "Zo\u00eb \u201cx\u201d"),
        ("cp1252", "utf-8", "text/xml; charset=utf-8", "Zo\u00eb \u201cx\u201d"),
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1", "Zo\u00eb"),
        ("utf-8-sig", "iso-8859-1", "", "Zo\u00eb"),
        ("utf-8", "x-unknown", "", "Zo\u00eb"),
        ("shift_jis", "shift_jis", "", "\u65e5\u672c\u8a9e"),
        ("gb18030", "gb2312", "", "\u4e2d\u6587\u2014\u6d4b\u8bd5"),
        ("koi8-r", "koi8-r", "", "\u041f\u0440\u0438\u0432\u0435\u0442"),
    ],
)
def test_whatever_encoding_a_document_is_in_its_letters_are_read(
    written: str, declared: str, content_type: str, title: str
) -> None:
    (entry,) = parse(declaring(declared, title).encode(written), url=URL, content_type=content_type).entries
    assert entry.title == title


@pytest.mark.parametrize(
    "document",
    [
        "<feed><title>F</title><entry><id>1</id><title>T</title></entry></feed>",
        '<feed xmlns="https://www.w3.org/2005/Atom"><title>F</title><entry><id>1</id><title>T</title></entry></feed>',
        '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:id>1</a:id><a:title>T</a:title></a:entry></a:feed>',
        "<rss><channel><title>B</title><item><guid>1</guid><title>T</title></item></channel></rss>",
        '<RSS version="2.0"><channel><item><guid>1</guid><title>T</title></item></channel></RSS>',
        '<rss version="2.0" xmlns="http://backend.userland.com/rss2"><channel><item><title>T</title></item></channel></rss>',
        '\n\n <?xml version="1.0"?><rss version="2.0"><channel><item><title>T</title></item></channel></rss>',
        '<br />\n<b>Warning</b>: x\n<?xml version="1.0"?><rss version="2.0"><channel><item><title>T</title></item>'
        "</channel></rss>",
        '<rss version="2.0"><channel><item><title>T</title></item></channel></rss><!-- kept --><script>x</script>',
        '<?xml-stylesheet href="x"?><!-- <html> --><rss version="2.0"><channel><item><title>T</title></item></channel>'
        "</rss>",
    ],
)
def test_a_feed_with_slips_in_its_frame_is_read(document: str) -> None:
    assert only(document).title == "T"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("&#xD83D;&#xDE00;", "\U0001f600"),
        ("&#55357;&#56832;", "\U0001f600"),
        ("&#xd83d;&#56832; &#x1F600;", "\U0001f600 \U0001f600"),
        ("&amp;#55357;&amp;#56832;", "\U0001f600"),
        ("&#xD83D;&#x41;&#xDE00;", "\ufffdA\ufffd"),
        ("&#x110000;", "\ufffd"),
        ("&#1114112;&#0001114111;", "\ufffd\U0010ffff"),
        (f"&#{'9' * 5000};&#x{'f' * 5000};", "\ufffd\ufffd"),
        ("&#55000;&#57344;", "\ud6d8\ue000"),
    ],
)
def test_a_sign_that_is_written_by_its_halves_costs_no_feed(written: str, read: str) -> None:
    """feedparser gave up the whole feed where one post had such an emoji."""
    document = rss("B", f"<item><guid>1</guid><title>a {written}</title></item>", post("t", "x", guid="2"))
    assert [entry.title for entry in parse(document.encode(), url=URL).entries] == [f"a {read}", "t"]
    assert (
        only(item(f"<description><![CDATA[<p>a {written.replace('amp;', '')}</p>]]></description>")).text == f"a {read}"
    )


def json_feed(**item: object) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "title": "t", **item}]})


def test_json_feeds_as_people_write_them_by_hand() -> None:
    at = datetime(2024, 3, 6, 9, 6, 40, tzinfo=UTC)
    for said in (1709716000, 1709716000.0, 1709716000000, "1709716000"):
        assert only(json_feed(date_published=said)).published == at
    assert only(json_feed(date_published=True)).published is None
    assert only(json_feed(author="Ann")).author == "Ann"
    assert only(json_feed(authors=["Ann", {"name": "Bob"}, 3, None])).author == "Ann, Bob"
    assert only(json_feed(authors=[], author={"name": "Ann"})).author == "Ann"
    assert only(json_feed(authors={"name": "Ann"})).author == "Ann"
    assert only(json_feed(author=[{"name": "Ann"}, "Bob"])).author == "Ann, Bob"
    assert tags(only(json_feed(tags=[{"name": "#Data"}, None, 3, "two", {}]))) == {"data", "two"}
    linked = only(json_feed(url="https://blog.example/a/", content_html="<a href='b'>c</a>"))
    assert 'href="https://blog.example/a/b"' in linked.html
    assert only(json_feed(external_url="https://else.example/x")).link == "https://else.example/x"
    assert only(json_feed(content_text="a <b> & c\n\nd")).text == "a <b> & c\n\nd"
    at_home = json.dumps({"home_page_url": "/b/", "items": [{"id": "1", "title": "t", "url": "1"}]})
    assert only(at_home).link == "https://blog.example/b/1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_json_feed_is_read_in_the_letters_it_was_written_in(encoding: str) -> None:
    body = json.dumps({"items": [{"id": "1", "title": "Zo\u00eb \u2013 x"}]}, ensure_ascii=False).encode(encoding)
    (entry,) = parse(body, url=URL).entries
    assert entry.title == "Zo\u00eb \u2013 x"


HENTRY = (
    '<article class="h-entry"><a class="u-url p-name" href="/1">One</a><div class="e-content"><p>b #later</p></div>'
    '<time class="dt-published" datetime="2024-03-06T09:05:00+01:00">x</time>{}</article>'
)


@pytest.mark.parametrize(
    "around",
    [
        '<main><section class="h-feed"><div><ul><li>{}</li></ul></div></section></main>',
        '<div class="h-feed"><div class="h-feed">{}</div></div>',
        '<div class="h-feed"></div>{}',
        '<aside class="h-card"><a class="u-url p-name" href="/">Ann</a></aside><div class="h-feed">{}</div>',
        '<div class="h-feed"><h1 class="p-name">Notes</h1>{}</div><div class="h-feed"><p>empty</p></div>',
    ],
)
@pytest.mark.parametrize(
    "more",
    [
        "",
        '<div class="u-like-of h-cite"><a class="u-url p-name" href="https://other.example">Other</a></div>',
        '<div class="p-comment h-entry"><a class="u-url p-name" href="/c">Re</a></div>',
    ],
)
def test_a_post_on_a_page_is_found_whatever_stands_around_and_in_it(around: str, more: str) -> None:
    entry = only(PAGE.format(around.format(HENTRY.format(more))), "text/html")
    assert (entry.title, entry.link, entry.text) == ("One", "https://blog.example/1", "b #later")
    assert entry.published == datetime(2024, 3, 6, 8, 5, tzinfo=UTC)


def test_a_page_that_names_its_base_is_read_from_there() -> None:
    entry = (
        '<div class="h-entry"><a class="u-url p-name" href="1">One</a><p class="e-content"><a href="2">b</a></p></div>'
    )
    found = only(PAGE.format(f'<base href="https://base.example/x/">{entry}'), "text/html")
    assert found.link == "https://base.example/x/1"
    assert 'href="https://base.example/x/2"' in found.html
