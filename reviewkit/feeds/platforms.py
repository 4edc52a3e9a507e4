"""Where the programs that people blog with keep their feeds: from an address alone, without asking anybody.

Sources: each platform's own help pages; WordPress, Ghost, Hugo and Jekyll by their default routes.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urljoin, urlsplit

from reviewkit.feeds.tags import of_feed

KNOWN_PATHS = ("feed/", "rss/", "feed.xml", "index.xml", "atom.xml", "rss.xml", "feed.json")
"""Tried below the page, in its folder, then at the root of the site."""

_LAST = re.compile(r"[^/]*$")


def of_address(url: str) -> list[str]:
    """The feeds that a platform would have for this page, the likeliest first; empty for sites of one's own."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    root = f"{parts.scheme}://{parts.netloc}"
    path = [each for each in parts.path.split("/") if each]
    first = path[0] if path else ""
    match host:
        case "medium.com" if first:
            return [f"{root}/feed/{first}"]
        case "bsky.app" if first == "profile" and len(path) > 1:
            return [f"{root}/profile/{path[1]}/rss"]
        case "youtube.com" | "m.youtube.com" if first == "channel" and len(path) > 1:
            return [f"https://www.youtube.com/feeds/videos.xml?channel_id={quote(path[1])}"]
        case "micro.blog" if first and not first.startswith("@"):
            return [f"https://{first}.micro.blog/feed.xml"]
        case "tumblr.com" if first and first not in ("blog", "tagged"):
            return [f"https://{path[1] if first == 'blog' and len(path) > 1 else first}.tumblr.com/rss"]
    if ".blogspot." in f".{host}" or host.endswith(".blogger.com"):
        return [f"{root}/feeds/posts/default"]
    if host.endswith(".tumblr.com"):
        return [f"{root}/rss"]
    if host.endswith((".substack.com", ".medium.com", ".wordpress.com")):
        return [f"{root}/feed"]
    if first.startswith("@") and "." not in first:  # Mastodon and its kin
        return [f"{root}/{first}.rss"]
    return []


def known_paths(url: str, generator: str = "") -> Iterator[str]:
    """Usual places of a feed near a page; `generator` is what the page says it was made by."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    folder = root + _LAST.sub("", parts.path).lstrip("/")
    named = parts.path.rpartition("/")[2]
    own = root + parts.path.strip("/") + "/" if named and "." not in named else folder
    made = generator.casefold()
    if "squarespace" in made:
        yield f"{url.split('?')[0]}?format=rss"
    if "blogger" in made:
        yield f"{root}feeds/posts/default"
    for base in dict.fromkeys((own, folder, root)):
        yield from (base + path for path in KNOWN_PATHS)
    if "squarespace" not in made:
        yield f"{folder.rstrip('/')}?format=rss"


def of_tag(feed: str, tag: str, generator: str = "") -> list[str]:
    """Where a site with this feed would have the feed of one tag; empty where its shape tells nothing."""
    if of_feed(feed):
        return []
    parts = urlsplit(feed)
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path
    host, made, named = parts.hostname or "", generator.casefold(), quote(tag, safe="")
    if re.search(r"/feeds/posts/(?:default|summary)/?$", path):
        return [f"{root}/feeds/posts/default/-/{named}"]
    if found := re.fullmatch(r"(/@[^/]+)\.rss", path):
        return [f"{root}{found[1]}/tagged/{named}.rss"]
    if host.endswith(".tumblr.com"):
        return [f"{root}/tagged/{named}/rss"]
    if host.endswith((".substack.com", "medium.com", "youtube.com", "bsky.app", ".micro.blog")):
        return []
    wordpress, ghost, hugo = f"tag/{named}/feed/", f"tag/{named}/rss/", f"tags/{named}/index.xml"
    base = urljoin(root, re.sub(r"(?:feed|rss|atom|index|feed\.xml)?(?:\.(?:xml|json))?/?$", "", path) or "/")
    base = base if base.endswith("/") else base + "/"
    if "wordpress" in made or re.search(r"/feed/?$", path):
        return [base + wordpress]
    if "ghost" in made or re.search(r"/rss/?$", path):
        return [base + ghost]
    if "hugo" in made or path.endswith("/index.xml"):
        return [base + hugo]
    return []


def is_about_code(url: str) -> bool:
    """Whether a feed lists releases or changes of a program, and no posts."""
    parts = urlsplit(url)
    return (parts.hostname or "").endswith("github.com") and parts.path.endswith(".atom")


def is_of_comments(url: str, title: str = "") -> bool:
    """Whether a feed lists what others wrote below the posts."""
    return bool(re.search(r"comment|/replies|kommentar", f"{urlsplit(url).path} {title}", re.IGNORECASE))


def posts_first(feeds: Iterable[tuple[str, str]], wanted: Iterable[str] = ()) -> list[str]:
    """Addresses of (address, title) pairs: feeds of a wanted tag, then of posts, and those of comments last."""

    def rank(pair: tuple[str, str]) -> tuple[bool, bool]:
        url, title = pair
        return is_of_comments(url, title), of_feed(url) not in set(wanted)

    return list(dict.fromkeys(url for url, _ in sorted(feeds, key=rank) if not is_about_code(url)))
