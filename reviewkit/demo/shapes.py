"""How each platform lays out a blog: addresses, feeds, feeds of one tag, and who draws them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reviewkit.demo.atom import atom, blogger, jekyll, jsonfeed
from reviewkit.demo.cast import Platform
from reviewkit.demo.rss import by_hand, ghost, hugo, mastodon, medium, tumblr, wordpress
from reviewkit.demo.site import Site


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
