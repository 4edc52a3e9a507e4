"""The blogs of the demo as a web server would answer for them at one moment: feeds, tag feeds, pages to read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from html import escape

from markdown_it import MarkdownIt

from reviewkit.demo.cast import STUDENTS, TAG, Member
from reviewkit.demo.content import Piece, pieces
from reviewkit.demo.shapes import SHAPES, Shape
from reviewkit.demo.site import Note, Site, number_of

HTML = "text/html; charset=utf-8"
STYLE = (
    "body{font:18px/1.65 Georgia,serif;max-width:36em;margin:3em auto;padding:0 1em;color:#1b2225;background:#fcfcfa}"
    "header,footer,time{font:15px/1.5 system-ui,sans-serif;color:#49545a}h1{line-height:1.2}a{color:#1d56a6}"
    "table{border-collapse:collapse;font-size:16px}td,th{border-bottom:1px solid #dce0db;padding:.3em .8em .3em 0;"
    "text-align:left}@media(prefers-color-scheme:dark){body{background:#14181a;color:#e9edeb}a{color:#8fb9f6}"
    "header,footer,time{color:#b6c0c2}td,th{border-color:#30373b}}"
)


@dataclass(frozen=True)
class Document:
    """What the server sends for a path."""

    type: str
    body: bytes

    @property
    def etag(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:20]}"'


def documents(base: str, origin: date, now: datetime) -> dict[str, Document]:
    """Every path of the blogs' server at `base` (no slash at its end), with what had been published by `now`."""
    found: dict[str, Document] = {}
    for member in STUDENTS:
        found |= _blog(member, base, origin, now)
    return found


def _blog(member: Member, base: str, origin: date, now: datetime) -> dict[str, Document]:
    shape = _shape(member)
    own = [each for each in pieces() if each.person == member.id]
    posts = {each: _note(each, base, origin, now) for each in own if each.published}
    notes = sorted((each for each in posts.values() if each.published <= now), key=lambda each: each.published)
    site = Site(
        base=base,
        home=shape.home.format(person=member.id),
        person=member.id,
        author=member.name,
        title=member.site,
        about=member.about,
        notes=tuple(reversed(notes)),
        foot=member.signs_posts,
    )
    feed = shape.feed.format(person=member.id)
    found = {feed: Document(shape.type, shape.draw(site, feed).encode())}
    if shape.tag_feed:
        for tag in sorted({TAG, *(tag for note in notes for tag in note.tags)}):
            path = shape.tag_feed.format(person=member.id, tag=tag.replace(" ", "-"))
            found[path] = Document(shape.type, shape.draw(site.tagged(tag), path).encode())
    found[site.home] = _page(site, feed, site.title, _front(site))
    for piece, note in posts.items():
        if note.published <= now:
            title = piece.title or f"{member.name}, {note.published:%d %B}"
            found[note.path] = _page(site, feed, title, f"{_dateline(note)}\n{note.html}")
    for piece in own:
        if not piece.published:
            html = _html(piece.words(origin, now), member.id, base, origin)
            found[_path(piece, origin)] = _page(site, feed, piece.title, html)
    return found


def _shape(member: Member) -> Shape:
    assert member.platform is not None
    return SHAPES[member.platform]


def _note(piece: Piece, base: str, origin: date, now: datetime) -> Note:
    assert piece.published is not None
    edited = piece.edit.at.at(origin) if piece.edit else None
    return Note(
        title=piece.title,
        html=_html(piece.words(origin, now), piece.person, base, origin),
        published=piece.published.at(origin),
        tags=piece.tags if piece.person != "nela" else (),
        path=_path(piece, origin),
        number=_number(piece),
        updated=edited if edited and edited <= now else None,
    )


def _number(piece: Piece) -> int:
    """Ids grow with time on most platforms; only Mastodon's are long."""
    days = piece.published.day if piece.published else 0
    platform = next(each.platform for each in STUDENTS if each.id == piece.person)
    return number_of(piece.id, {"mastodon": 18, "blogger": 19, "medium": 14, "tumblr": 18}.get(platform or "", 2)) + (
        days * 100
    )


def _path(piece: Piece, origin: date) -> str:
    member = next(each for each in STUDENTS if each.id == piece.person)
    if piece.published is None:
        return f"/@{member.id}/{piece.slug}" if member.platform == "mastodon" else f"/{member.id}/{piece.slug}/"
    shape = _shape(member)
    slug = shape.slug(_slug(piece), _number(piece))
    return shape.note.format(person=member.id, at=piece.published.local(origin), slug=slug)


def _slug(piece: Piece) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", piece.title.casefold().replace("'", "")).strip("-")
    return words or piece.slug


def _html(words: str, person: str, base: str, origin: date) -> str:
    """Markdown to HTML; `post:ID` and `page:NAME` become the addresses of what they name."""
    known = _paths(origin)

    def address(found: re.Match[str]) -> str:
        kind, name = found.groups()
        return f"]({base}{known[name if kind == 'post' else f'{person}-{name}']})"

    html: str = _markdown().render(re.sub(r"\]\((post|page):([\w-]+)\)", address, words))
    return html.strip()


@cache
def _paths(origin: date) -> Mapping[str, str]:
    return {each.id: _path(each, origin) for each in pieces()}


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _dateline(note: Note) -> str:
    return f'<p><time datetime="{note.published:%Y-%m-%d}">{note.published:%d %B %Y}</time></p>'


def _front(site: Site) -> str:
    lines = [f"<p>{escape(site.about)}</p>", "<ul>"]
    for note in site.notes:
        title = note.title or re.sub(r"<[^>]+>", "", note.html)[:60] + "…"
        lines.append(f'<li><a href="{note.path}">{escape(title, quote=False)}</a></li>')
    return "\n".join([*lines, "</ul>"])


def _page(site: Site, feed: str, title: str, body: str) -> Document:
    kind = "application/feed+json" if feed.endswith(".json") else "application/rss+xml"
    return Document(
        HTML,
        (
            f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>'
            '<meta name="viewport" content="width=device-width">'
            f'<link rel="alternate" type="{kind}" href="{feed}"><style>{STYLE}</style></head>\n'
            f'<body><header><a href="{site.home}">{escape(site.title)}</a></header>\n<main>'
            f"<h1>{escape(title)}</h1>\n{body}</main>\n<footer><p>{escape(site.author)}, in an invented course.</p>"
            "</footer></body>\n</html>\n"
        ).encode(),
    )
