"""Atom as Blogger, Jekyll and a small generator write it, and JSON Feed."""

import json
from xml.sax.saxutils import escape, quoteattr

from reviewkit.demo.site import Note, Site, cdata, number_of, stamp, summary


def blogger(site: Site, path: str) -> str:
    blog = number_of(site.person, 19)

    def entry(note: Note) -> str:
        categories = "".join(
            f"<category scheme='http://www.blogger.com/atom/ns#' term={quoteattr(tag)}></category>" for tag in note.tags
        )
        return (
            f"<entry><id>tag:blogger.com,1999:blog-{blog}.post-{note.number}</id>"
            f"<published>{stamp(note.published)}</published><updated>{stamp(note.changed)}</updated>{categories}"
            f"<title type='text'>{escape(note.title)}</title><content type='html'>{escape(note.html)}</content>"
            f"<link rel='alternate' type='text/html' href='{site.url(note.path)}' title={quoteattr(note.title)}/>"
            f"<author><name>{escape(site.author)}</name><uri>{site.url(site.home)}profile</uri>"
            "<email>noreply@blogger.example</email></author></entry>"
        )

    return (
        "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom' "
        "xmlns:openSearch='http://a9.com/-/spec/opensearchrss/1.0/' "
        "xmlns:blogger='http://schemas.google.com/blogger/2008'>"
        f"<id>tag:blogger.com,1999:blog-{blog}</id><updated>{stamp(site.changed)}</updated>"
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
            f"<published>{stamp(note.published)}</published><updated>{stamp(note.changed)}</updated>"
            f"<id>{site.url(note.path.rstrip('/'))}</id>"
            f'<content type="html" xml:base="{link}">{cdata(note.html)}</content>'
            f"<author><name>{escape(site.author)}</name></author>{categories}"
            f'<summary type="html">{cdata(summary(note.html))}</summary></entry>\n'
        )

    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" >'
        '<generator uri="https://jekyllrb.com/" version="4.3.4">Jekyll</generator>'
        f'<link href="{site.url(path)}" rel="self" type="application/atom+xml" />'
        f'<link href="{site.url(site.home)}" rel="alternate" type="text/html" />'
        f"<updated>{stamp(site.changed)}</updated><id>{site.url(path)}</id>"
        f'<title type="html">{escape(site.title)}</title><subtitle>{escape(site.about)}</subtitle>\n'
        f"{''.join(map(entry, site.notes))}</feed>\n"
    )


def atom(site: Site, path: str) -> str:
    """A small generator's Atom: the author stands once, for the whole feed; content is inline XHTML."""

    def entry(note: Note) -> str:
        return (
            f"<entry><id>{site.url(note.path)}</id><title>{escape(note.title)}</title>"
            f'<link href="{site.url(note.path)}"/><published>{stamp(note.published)}</published>'
            f"<updated>{stamp(note.changed)}</updated>"
            f"{''.join(f'<category term={quoteattr(tag)}/>' for tag in note.tags)}"
            f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{note.html}</div></content></entry>\n'
        )

    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>{site.url(site.home)}</id><title>{escape(site.title)}</title><subtitle>{escape(site.about)}</subtitle>"
        f'<link rel="self" href="{site.url(path)}"/><link href="{site.url(site.home)}"/>'
        f"<updated>{stamp(site.changed)}</updated><author><name>{escape(site.author)}</name></author>\n"
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
                "date_published": stamp(note.published),
                "date_modified": stamp(note.changed),
                "tags": list(note.tags),
            }
            for note in site.notes
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
