"""What would give a person away: gathered from the roster, their feeds and their posts."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from reviewkit.model import Feed, Person, Post
from reviewkit.needles import COMMON, folded, letters_in, words_of


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Each as it was found. A host may carry the start of a path: `medium.example/@ann`."""

    names: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """What they want hidden beside all this: a nickname, their town."""


def identity(person: Person, feeds: Iterable[Feed], posts: Iterable[Post], hidden: Iterable[str] = ()) -> Identity:
    """Everything that names this person, and the words they want `hidden`. Feeds and posts of other people are passed
    over."""
    own = [feed for feed in feeds if feed.person == person.id]
    theirs = [post for post in posts if post.person == person.id]
    names = [person.name]
    emails = [person.email]
    handles = [person.id]
    for author in dict.fromkeys(post.author for post in theirs):
        emails += _EMAIL.findall(author)
        names += [each.strip(" \t()<>") for each in re.split(r"[,;&]", _EMAIL.sub("", author))]
    moved = [feed.moved_to for feed in own if feed.moved_to]
    sites = [_site(url) for url in dict.fromkeys((*person.feeds, *(feed.url for feed in own), *moved))]
    sites += [_site(link) for link in _usual(theirs)]
    emails = [each for each in emails if each]
    for email in emails:
        handles.append(email.partition("@")[0].partition("+")[0])
    for site in sites:
        handles += site.handles
    titles = [piece for feed in own for piece in _pieces(feed.title)]
    return Identity(
        names=_distinct(name for name in names if _telling(name)),
        handles=_distinct(handle for handle in handles if _telling(handle) and letters_in(handle)),
        hosts=_distinct(site.host for site in sites if site.host),
        emails=_distinct(emails),
        titles=_distinct(title for title in titles if _telling(title)),
        hidden=_distinct(hidden),
    )


@dataclass(frozen=True)
class _Site:
    host: str
    handles: tuple[str, ...] = ()


def _site(url: str) -> _Site:
    """Whose site an address is on: the host, or on a host of many people the host and their place on it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return _Site("")
    if not host:
        return _Site("")
    segments = [unquote(each) for each in parts.path.split("/") if each]
    for place, segment in enumerate(segments):
        if segment[0] == "@" and len(segment) > 1:
            name = _stem(segment[1:]).partition("@")[0]
            return _Site(f"{host}/@{name}", (name,))
        if segment[0] == "~" and len(segment) > 1:
            return _Site("/".join((host, *segments[: place + 1])), (segment[1:],))
        if segment in _BEFORE_A_PERSON and place + 1 < len(segments):
            return _Site("/".join((host, *segments[: place + 2])), _handles(segments[place + 1]))
    if host in MANY_PEOPLE or _is_number(parts):
        for place, segment in enumerate(segments):
            if _stem(segment) not in _NOBODY:
                return _Site("/".join((host, *segments[: place + 1])), _handles(_stem(segment)))
        return _Site("")
    return _Site(host, tuple(_host_handles(host)))


def _host_handles(host: str) -> Iterator[str]:
    """The label of a host that people use as the person's name: `annwrites` of annwrites.wordpress.example."""
    labels = host.split(".")
    while len(labels) > 1 and labels[0] in _NOBODY:
        labels = labels[1:]
    platform = next((each for each in _PLATFORMS if host.endswith(f".{each}")), None)
    if len(labels) < 2 or ((labels[-1] == "edu" or "ac" in labels) and not platform):
        return
    unusual = len(labels[0]) >= 5 and labels[0] not in COMMON and not labels[0].startswith(("uni-", "xn--"))
    if unusual or (platform and len(labels[0]) >= 3):
        yield labels[0]


def _usual(posts: list[Post]) -> list[str]:
    """Links of the hosts that most of a feed's posts are on; a post may link to somebody else's page."""
    by_feed: dict[str, list[str]] = {}
    for post in posts:
        if post.link:
            by_feed.setdefault(post.feed, []).append(post.link)
    usual = []
    for links in by_feed.values():
        count = Counter(_site(link).host for link in links)
        usual += [link for link in links if count[_site(link).host] * 2 >= len(links)]
    return usual


def _pieces(title: str) -> Iterator[str]:
    """A feed's title, and the parts between its bars and dashes where they say something alone."""
    yield title.strip()
    for piece in re.split(r"\s+[|–—·:-]\s+|:\s", title):
        if len(piece.split()) > 1 or piece.startswith("@"):
            yield piece.strip()
    told = re.fullmatch(r"Stories by (.+) on Medium", title.strip())
    if told:
        yield told.group(1)


def _handles(segment: str) -> tuple[str, ...]:
    return (segment,) if len(segment) >= 3 else ()


def _stem(segment: str) -> str:
    return re.sub(r"\.(?:xml|rss|atom|json|html?|php)$", "", segment.casefold())


def _is_number(parts: SplitResult) -> bool:
    """An address of a machine (loopback, in tests and the demo): it has no name to hide."""
    host = parts.hostname or ""
    return host == "localhost" or ":" in host or host.replace(".", "").isdigit()


def _telling(word: str) -> bool:
    return folded(word.strip(" .@")) not in _NOBODY and any(each.isalnum() for each in word)


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple({folded(word): word for word in words if word}.values())


_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_BEFORE_A_PERSON = frozenset({"users", "user", "u", "profile", "people", "channel", "c", "author", "members"})
MANY_PEOPLE = words_of(
    """
    medium.com bsky.app youtube.com twitter.com x.com github.com gitlab.com codeberg.org tumblr.com substack.com
    dev.to sites.google.com feeds.feedburner.com feedburner.com micro.blog facebook.com instagram.com
    linkedin.com reddit.com wordpress.com blogger.com draft.blogger.com hackmd.io notion.site write.as rss.app
    """
)
"""Hosts where the first word of the path is the person."""
_PLATFORMS = (
    "wordpress.com", "blogspot.com", "ghost.io", "github.io", "gitlab.io", "tumblr.com", "substack.com", "medium.com",
    "netlify.app", "vercel.app", "pages.dev", "micro.blog", "bearblog.dev", "hashnode.dev", "weebly.com", "wixsite.com",
    "squarespace.com", "typepad.com", "livejournal.com", "neocities.org", "hypotheses.org", "edublogs.org", "home.blog",
    "write.as", "codeberg.page", "hcommons.org",
)  # fmt: skip
"""Hosts where the first label is the person."""
_NOBODY = words_of(
    """
    www blog blogs home homepage site sites page pages web wiki my students student people users user staff feed
    feeds rss rss2 atom index posts post tag tags tagged category categories label archive archives default
    author admin administrator editor guest unknown anonymous noreply no-reply donotreply info mail email
    contact hello me main news notes notebook journal diary log weblog untitled test public all content comments
    jsonfeed atom1 search e api s p a the course courses portfolio reflections thoughts writing
    """
)
"""Words in addresses, titles and bylines that name nobody."""
