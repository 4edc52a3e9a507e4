"""The documents that a platform makes of a blog, each in that platform's true shape: addresses, ids, tags, habits.

Pure: a `Site` goes in, text comes out. Everything of the authors is escaped here, as the platforms do it.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from xml.sax.saxutils import escape, quoteattr

from reviewkit.demo.cast import Platform

_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "cc": "http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "webfeeds": "http://webfeeds.org/rss/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}


@dataclass(frozen=True, kw_only=True)
class Note:
    """A post as its platform shows it. `path` is its address on the server; `number` its id in the database."""

    title: str
    html: str
    published: datetime
    tags: tuple[str, ...]
    path: str
    number: int
    updated: datetime | None = None

    @property
    def changed(self) -> datetime:
        return self.updated or self.published


@dataclass(frozen=True, kw_only=True)
class Site:
    """A blog on the server at `base`, newest note first; `home` is its path."""

    base: str
    home: str
    person: str
    author: str
    title: str
    about: str
    notes: tuple[Note, ...]

    def url(self, path: str) -> str:
        return self.base + path

    @property
    def changed(self) -> datetime:
        return max((note.changed for note in self.notes), default=datetime(2000, 1, 1, tzinfo=UTC))

    def tagged(self, tag: str) -> "Site":
        """The same site with only the notes that carry a tag."""
        notes = tuple(note for note in self.notes if tag in note.tags)
        return Site(**{**vars(self), "notes": notes})


@dataclass(frozen=True)
class Shape:
    """How a platform lays out a site: the address of a note, of its feed, and of the feed of one tag."""

    home: str
    note: str
    feed: str
    draw: Callable[[Site, str], str]
    tag_feed: str = ""
    type: str = "application/rss+xml; charset=utf-8"
    slug: Callable[[str, int], str] = field(default=lambda slug, number: slug)


def number_of(text: str, digits: int) -> int:
    """A number that looks like a database's and is always the same for the same text."""
    lowest: int = 10 ** (digits - 1)
    return int(sha256(text.encode()).hexdigest(), 16) % (9 * lowest) + lowest


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _date(at: datetime, zone: str = "") -> str:
    """An RFC 822 date; `zone` replaces +0000 by the word that a platform writes."""
    text = format_datetime(at.astimezone(UTC))
    return text.replace("+0000", zone) if zone else text


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _summary(html: str, length: int = 160) -> str:
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()
    return plain if len(plain) <= length else plain[:length].rsplit(" ", 1)[0]


def _rss(spaces: str, channel: Sequence[str], items: Sequence[Sequence[str]], declaration: str = "") -> str:
    names = "".join(f" xmlns:{each}={quoteattr(_NAMESPACES[each])}" for each in spaces.split())
    lines = [declaration or '<?xml version="1.0" encoding="UTF-8"?>', f'<rss version="2.0"{names}>', "<channel>"]
    lines += channel
    for item in items:
        lines += ["<item>", *item, "</item>"]
    return "\n".join([*lines, "</channel>", "</rss>", ""])


def _self(site: Site, path: str) -> str:
    return f'<atom:link href={quoteattr(site.url(path))} rel="self" type="application/rss+xml" />'


def wordpress(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        link = site.url(note.path)
        foot = (
            f'<p>The post <a rel="nofollow" href="{link}">{escape(note.title)}</a> appeared first on '
            f'<a rel="nofollow" href="{site.url(site.home)}">{escape(site.title)}</a>.</p>'
        )
        return [
            f"<title>{escape(note.title).replace(chr(39), '&#8217;')}</title>",
            f"<link>{link}</link>",
            f"<comments>{link}#respond</comments>",
            f"<dc:creator>{_cdata(site.author)}</dc:creator>",
            f"<pubDate>{_date(note.published)}</pubDate>",
            *(f"<category>{_cdata(_shown(tag))}</category>" for tag in note.tags),
            f'<guid isPermaLink="false">{site.url(site.home)}?p={note.number}</guid>',
            f"<description>{_cdata(f'<p>{_summary(note.html)} [&#8230;]</p>{foot}')}</description>",
            f"<content:encoded>{_cdata(note.html + foot)}</content:encoded>",
            f"<wfw:commentRss>{link}feed/</wfw:commentRss>",
            "<slash:comments>0</slash:comments>",
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        _self(site, path),
        f"<link>{site.url(site.home)}</link>",
        f"<description>{escape(site.about)}</description>",
        f"<lastBuildDate>{_date(site.changed)}</lastBuildDate>",
        "<language>en-GB</language>",
        "<sy:updatePeriod>hourly</sy:updatePeriod>",
        "<sy:updateFrequency>1</sy:updateFrequency>",
        "<generator>https://wordpress.org/?v=6.7.1</generator>",
    ]
    return _rss("content wfw dc atom sy slash", channel, [item(note) for note in site.notes])


def _shown(tag: str) -> str:
    """A tag as somebody typed it into WordPress: with capitals, which must not matter."""
    return {"datastories": "DataStories", "leftout": "LeftOut"}.get(tag, tag)


def ghost(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        return [
            f"<title>{_cdata(note.title)}</title>",
            f"<description>{_cdata(_summary(note.html))}</description>",
            f"<link>{site.url(note.path)}</link>",
            f'<guid isPermaLink="false">{number_of(note.path, 24):024x}</guid>',
            *(f"<category>{_cdata(tag)}</category>" for tag in note.tags),
            f"<dc:creator>{_cdata(site.author)}</dc:creator>",
            f"<pubDate>{_date(note.published, 'GMT')}</pubDate>",
            f"<content:encoded>{_cdata(note.html)}</content:encoded>",
        ]

    channel = [
        f"<title>{_cdata(site.title)}</title>",
        f"<description>{_cdata(site.about)}</description>",
        f"<link>{site.url(site.home)}</link>",
        "<generator>Ghost 5.101</generator>",
        f"<lastBuildDate>{_date(site.changed, 'GMT')}</lastBuildDate>",
        _self(site, path),
        "<ttl>60</ttl>",
    ]
    return _rss("dc content atom media", channel, [item(note) for note in site.notes])


def hugo(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        return [
            f"<title>{escape(note.title)}</title>",
            f"<link>{site.url(note.path)}</link>",
            f"<pubDate>{_date(note.published)}</pubDate>",
            f"<guid>{site.url(note.path)}</guid>",
            *(f"<category>{escape(tag)}</category>" for tag in note.tags),
            f"<description>{escape(note.html)}</description>",
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        f"<link>{site.url(site.home)}</link>",
        f"<description>Recent content on {escape(site.title)}</description>",
        "<generator>Hugo</generator>",
        "<language>en</language>",
        f"<lastBuildDate>{_date(site.changed)}</lastBuildDate>",
        _self(site, path),
    ]
    declaration = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>'
    return _rss("atom", channel, [item(note) for note in site.notes], declaration)


def medium(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        id = note.path.rsplit("-", 1)[-1]
        return [
            f"<title>{_cdata(note.title)}</title>",
            f"<link>{site.url(note.path)}?source=rss-{number_of(site.person, 12):x}------2</link>",
            f'<guid isPermaLink="false">{site.url(f"/p/{id}")}</guid>',
            *(f"<category>{_cdata(tag)}</category>" for tag in note.tags),
            f"<dc:creator>{_cdata(site.author)}</dc:creator>",
            f"<pubDate>{_date(note.published, 'GMT')}</pubDate>",
            f"<atom:updated>{_stamp(note.changed)}</atom:updated>",
            f"<content:encoded>{_cdata(note.html)}</content:encoded>",
        ]

    channel = [
        f"<title>{_cdata(site.title)}</title>",
        f"<description>{_cdata(site.about)}</description>",
        f"<link>{site.url(site.home)}?source=rss-{number_of(site.person, 12):x}------2</link>",
        "<generator>Medium</generator>",
        f"<lastBuildDate>{_date(site.changed, 'GMT')}</lastBuildDate>",
        _self(site, path),
        f"<webMaster>{_cdata('friends@medium.example')}</webMaster>",
    ]
    return _rss("dc content atom cc", channel, [item(note) for note in site.notes])


def mastodon(site: Site, path: str) -> str:
    """No titles; tags are words with a hash in the text, and categories beside it."""

    def link(found: re.Match[str]) -> str:
        tag = found[1]
        return f'<a href="{site.url(f"/tags/{tag}")}" class="mention hashtag" rel="tag">#<span>{escape(tag)}</span></a>'

    def item(note: Note) -> list[str]:
        html = re.sub(r"(?<![\w&/#])#(\w+)", link, note.html)
        return [
            f'<guid isPermaLink="true">{site.url(note.path)}</guid>',
            f"<link>{site.url(note.path)}</link>",
            f"<pubDate>{_date(note.published)}</pubDate>",
            f"<description>{escape(html)}</description>",
            *(f"<category>{escape(tag)}</category>" for tag in note.tags),
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        f"<description>Public posts from @{site.person}</description>",
        f"<link>{site.url(site.home)}</link>",
        f"<lastBuildDate>{_date(site.changed)}</lastBuildDate>",
        "<generator>Mastodon v4.3.2</generator>",
    ]
    return _rss("webfeeds media", channel, [item(note) for note in site.notes])


def tumblr(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        at = note.published.astimezone(UTC) - timedelta(hours=5)
        return [
            f"<title>{escape(note.title)}</title>",
            f"<description>{escape(note.html)}</description>",
            f"<link>{site.url(note.path)}</link>",
            f"<guid>{site.url(note.path)}</guid>",
            f"<pubDate>{format_datetime(at).replace('+0000', '-0500')}</pubDate>",
            *(f"<category>{escape(tag)}</category>" for tag in note.tags),
        ]

    channel = [
        f"<description>{escape(site.about)}</description>",
        f"<title>{escape(site.title)}</title>",
        f"<generator>Tumblr (3.0; @{site.person})</generator>",
        f"<link>{site.url(site.home)}</link>",
    ]
    return _rss("dc", channel, [item(note) for note in site.notes])


def by_hand(site: Site, path: str) -> str:
    """What somebody types after reading one page about RSS: no guid, no tags; dates are right, as a friend helped."""

    def item(note: Note) -> list[str]:
        return [
            f"  <title>{escape(note.title)}</title>",
            f"  <link>{site.url(note.path)}</link>",
            f"  <pubDate>{_date(note.published)}</pubDate>",
            f"  <description>{escape(note.html)}</description>",
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        f"<link>{site.url(site.home)}</link>",
        f"<description>{escape(site.about)}</description>",
    ]
    return _rss("", channel, [item(note) for note in site.notes])


def blogger(site: Site, path: str) -> str:
    blog = number_of(site.person, 19)

    def entry(note: Note) -> str:
        categories = "".join(
            f"<category scheme='http://www.blogger.com/atom/ns#' term={quoteattr(tag)}></category>" for tag in note.tags
        )
        return (
            f"<entry><id>tag:blogger.com,1999:blog-{blog}.post-{note.number}</id>"
            f"<published>{_stamp(note.published)}</published><updated>{_stamp(note.changed)}</updated>{categories}"
            f"<title type='text'>{escape(note.title)}</title><content type='html'>{escape(note.html)}</content>"
            f"<link rel='alternate' type='text/html' href='{site.url(note.path)}' title={quoteattr(note.title)}/>"
            f"<author><name>{escape(site.author)}</name><uri>{site.url(site.home)}profile</uri>"
            "<email>noreply@blogger.example</email></author></entry>"
        )

    return (
        "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom' "
        "xmlns:openSearch='http://a9.com/-/spec/opensearchrss/1.0/' "
        "xmlns:blogger='http://schemas.google.com/blogger/2008'>"
        f"<id>tag:blogger.com,1999:blog-{blog}</id><updated>{_stamp(site.changed)}</updated>"
        f"<title type='text'>{escape(site.title)}</title><subtitle type='html'>{escape(site.about)}</subtitle>"
        f"<link rel='http://schemas.google.com/g/2005#feed' type='application/atom+xml' href='{site.url(path)}'/>"
        f"<link rel='self' type='application/atom+xml' href='{site.url(path)}'/>"
        f"<link rel='alternate' type='text/html' href='{site.url(site.home)}'/>"
        f"<author><name>{escape(site.author)}</name></author>"
        "<generator version='7.00' uri='http://www.blogger.com'>Blogger</generator>"
        f"<openSearch:totalResults>{len(site.notes)}</openSearch:totalResults>"
        f"<openSearch:startIndex>1</openSearch:startIndex>{''.join(map(entry, site.notes))}</feed>\n"
    )


def jekyll(site: Site, path: str) -> str:
    def entry(note: Note) -> str:
        link, title = site.url(note.path), quoteattr(note.title)
        categories = "".join(f"<category term={quoteattr(tag)} />" for tag in note.tags)
        return (
            f'<entry><title type="html">{escape(note.title)}</title>'
            f'<link href="{link}" rel="alternate" type="text/html" title={title} />'
            f"<published>{_stamp(note.published)}</published><updated>{_stamp(note.changed)}</updated>"
            f"<id>{site.url(note.path.rstrip('/'))}</id>"
            f'<content type="html" xml:base="{link}">{_cdata(note.html)}</content>'
            f"<author><name>{escape(site.author)}</name></author>{categories}"
            f'<summary type="html">{_cdata(_summary(note.html))}</summary></entry>\n'
        )

    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" >'
        '<generator uri="https://jekyllrb.com/" version="4.3.4">Jekyll</generator>'
        f'<link href="{site.url(path)}" rel="self" type="application/atom+xml" />'
        f'<link href="{site.url(site.home)}" rel="alternate" type="text/html" />'
        f"<updated>{_stamp(site.changed)}</updated><id>{site.url(path)}</id>"
        f'<title type="html">{escape(site.title)}</title><subtitle>{escape(site.about)}</subtitle>\n'
        f"{''.join(map(entry, site.notes))}</feed>\n"
    )


def atom(site: Site, path: str) -> str:
    """A small generator's Atom: the author stands once, for the whole feed; content is inline XHTML."""

    def entry(note: Note) -> str:
        return (
            f"<entry><id>{site.url(note.path)}</id><title>{escape(note.title)}</title>"
            f'<link href="{site.url(note.path)}"/><published>{_stamp(note.published)}</published>'
            f"<updated>{_stamp(note.changed)}</updated>"
            f"{''.join(f'<category term={quoteattr(tag)}/>' for tag in note.tags)}"
            f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{note.html}</div></content></entry>\n'
        )

    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>{site.url(site.home)}</id><title>{escape(site.title)}</title><subtitle>{escape(site.about)}</subtitle>"
        f'<link rel="self" href="{site.url(path)}"/><link href="{site.url(site.home)}"/>'
        f"<updated>{_stamp(site.changed)}</updated><author><name>{escape(site.author)}</name></author>\n"
        f"{''.join(map(entry, site.notes))}</feed>\n"
    )


def jsonfeed(site: Site, path: str) -> str:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.title,
        "home_page_url": site.url(site.home),
        "feed_url": site.url(path),
        "description": site.about,
        "authors": [{"name": site.author, "url": site.url(site.home)}],
        "language": "en",
        "items": [
            {
                "id": site.url(note.path),
                "url": site.url(note.path),
                "title": note.title,
                "content_html": note.html,
                "date_published": _stamp(note.published),
                "date_modified": _stamp(note.changed),
                "tags": list(note.tags),
            }
            for note in site.notes
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


_ATOM = "application/atom+xml; charset=utf-8"
_XML = "application/xml; charset=utf-8"

SHAPES: dict[Platform, Shape] = {
    "wordpress": Shape(
        "/{person}/", "/{person}/{at:%Y/%m}/{slug}/", "/{person}/feed/", wordpress, "/{person}/tag/{tag}/feed/"
    ),
    "ghost": Shape("/{person}/", "/{person}/{slug}/", "/{person}/rss/", ghost, "/{person}/tag/{tag}/rss/"),
    "blogger": Shape(
        "/{person}/",
        "/{person}/{at:%Y/%m}/{slug}.html",
        "/{person}/feeds/posts/default",
        blogger,
        "/{person}/feeds/posts/default/-/{tag}",
        _ATOM,
    ),
    "mastodon": Shape("/@{person}", "/@{person}/{slug}", "/@{person}.rss", mastodon, "/@{person}/tagged/{tag}.rss",
                      slug=lambda slug, number: str(number)),
    "hugo": Shape("/{person}/", "/{person}/posts/{slug}/", "/{person}/index.xml", hugo,
                  "/{person}/tags/{tag}/index.xml", _XML),
    "jekyll": Shape("/{person}/", "/{person}/{at:%Y/%m/%d}/{slug}.html", "/{person}/feed.xml", jekyll, type=_ATOM),
    "medium": Shape("/@{person}", "/@{person}/{slug}", "/feed/@{person}", medium,
                    slug=lambda slug, number: f"{slug}-{number:x}"),
    "tumblr": Shape("/{person}/", "/{person}/post/{slug}", "/{person}/rss", tumblr, "/{person}/tagged/{tag}/rss",
                    slug=lambda slug, number: f"{number}/{slug}"),
    "jsonfeed": Shape("/{person}/", "/{person}/{at:%Y/%m/%d}/{slug}.html", "/{person}/feed.json", jsonfeed,
                      type="application/feed+json; charset=utf-8"),
    "atom": Shape("/{person}/", "/{person}/{slug}", "/{person}/atom.xml", atom, type=_ATOM),
    "by hand": Shape("/{person}/", "/{person}/{slug}.html", "/{person}/rss.xml", by_hand, type=_XML),
}  # fmt: skip
