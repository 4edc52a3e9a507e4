"""RSS as seven platforms and one pair of hands write it. Everything of the authors is escaped, as they do it."""

import re
from collections.abc import Sequence
from datetime import UTC, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from reviewkit.demo.site import Note, Site, cdata, number_of, rss_date, stamp, summary

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
            f"<dc:creator>{cdata(site.author)}</dc:creator>",
            f"<pubDate>{rss_date(note.published)}</pubDate>",
            *(f"<category>{cdata(_shown(tag))}</category>" for tag in note.tags),
            f'<guid isPermaLink="false">{site.url(site.home)}?p={note.number}</guid>',
            f"<description>{cdata(f'<p>{summary(note.html)} [&#8230;]</p>{foot}')}</description>",
            f"<content:encoded>{cdata(note.html + (foot if site.foot else ''))}</content:encoded>",
            f"<wfw:commentRss>{link}feed/</wfw:commentRss>",
            "<slash:comments>0</slash:comments>",
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        _self(site, path),
        f"<link>{site.url(site.home)}</link>",
        f"<description>{escape(site.about)}</description>",
        f"<lastBuildDate>{rss_date(site.changed)}</lastBuildDate>",
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
            f"<title>{cdata(note.title)}</title>",
            f"<description>{cdata(summary(note.html))}</description>",
            f"<link>{site.url(note.path)}</link>",
            f'<guid isPermaLink="false">{number_of(note.path, 24):024x}</guid>',
            *(f"<category>{cdata(tag)}</category>" for tag in note.tags),
            f"<dc:creator>{cdata(site.author)}</dc:creator>",
            f"<pubDate>{rss_date(note.published, 'GMT')}</pubDate>",
            f"<content:encoded>{cdata(note.html)}</content:encoded>",
        ]

    channel = [
        f"<title>{cdata(site.title)}</title>",
        f"<description>{cdata(site.about)}</description>",
        f"<link>{site.url(site.home)}</link>",
        "<generator>Ghost 5.101</generator>",
        f"<lastBuildDate>{rss_date(site.changed, 'GMT')}</lastBuildDate>",
        _self(site, path),
        "<ttl>60</ttl>",
    ]
    return _rss("dc content atom media", channel, [item(note) for note in site.notes])


def hugo(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        return [
            f"<title>{escape(note.title)}</title>",
            f"<link>{site.url(note.path)}</link>",
            f"<pubDate>{rss_date(note.published)}</pubDate>",
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
        f"<lastBuildDate>{rss_date(site.changed)}</lastBuildDate>",
        _self(site, path),
    ]
    declaration = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>'
    return _rss("atom", channel, [item(note) for note in site.notes], declaration)


def medium(site: Site, path: str) -> str:
    def item(note: Note) -> list[str]:
        id = note.path.rsplit("-", 1)[-1]
        return [
            f"<title>{cdata(note.title)}</title>",
            f"<link>{site.url(note.path)}?source=rss-{number_of(site.person, 12):x}------2</link>",
            f'<guid isPermaLink="false">{site.url(f"/p/{id}")}</guid>',
            *(f"<category>{cdata(tag)}</category>" for tag in note.tags),
            f"<dc:creator>{cdata(site.author)}</dc:creator>",
            f"<pubDate>{rss_date(note.published, 'GMT')}</pubDate>",
            f"<atom:updated>{stamp(note.changed)}</atom:updated>",
            f"<content:encoded>{cdata(note.html)}</content:encoded>",
        ]

    channel = [
        f"<title>{cdata(site.title)}</title>",
        f"<description>{cdata(site.about)}</description>",
        f"<link>{site.url(site.home)}?source=rss-{number_of(site.person, 12):x}------2</link>",
        "<generator>Medium</generator>",
        f"<lastBuildDate>{rss_date(site.changed, 'GMT')}</lastBuildDate>",
        _self(site, path),
        f"<webMaster>{cdata('friends@medium.example')}</webMaster>",
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
            f"<pubDate>{rss_date(note.published)}</pubDate>",
            f"<description>{escape(html)}</description>",
            *(f"<category>{escape(tag)}</category>" for tag in note.tags),
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        f"<description>Public posts from @{site.person}</description>",
        f"<link>{site.url(site.home)}</link>",
        f"<lastBuildDate>{rss_date(site.changed)}</lastBuildDate>",
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
            f"  <pubDate>{rss_date(note.published)}</pubDate>",
            f"  <description>{escape(note.html)}</description>",
        ]

    channel = [
        f"<title>{escape(site.title)}</title>",
        f"<link>{site.url(site.home)}</link>",
        f"<description>{escape(site.about)}</description>",
    ]
    return _rss("", channel, [item(note) for note in site.notes])
