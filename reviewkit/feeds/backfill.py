"""Where a feed keeps its older posts: the address of its next page, as the formats and platforms write it. Pure.

Sources: RFC 5005 (`prev-archive`, `next`), JSON Feed 1.1 (`next_url`), Blogger (`rel=next`, found as the former),
WordPress (`?paged=N`), Ghost (`/rss/N/`).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from reviewkit.feeds.document import Parsed
from reviewkit.model import Entry

_WORDPRESS = re.compile(r"\bwordpress\.(?:org|com)\b|\bwordpress\b", re.IGNORECASE)
_GHOST = re.compile(r"^\s*ghost\b|\bghost\.org\b", re.IGNORECASE)


def older_page(url: str, parsed: Parsed, number: int) -> str:
    """The address behind page `number` (the first is 1) of the feed that `url` is the first page of; empty: none.

    What the feed says itself goes before what its platform usually does.
    """
    if parsed.older:
        return parsed.older
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not parsed.items:
        return ""
    if _WORDPRESS.search(parsed.generator):
        asked = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"]
        return urlunsplit(parts._replace(query=urlencode([*asked, ("paged", str(number + 1))]), fragment=""))
    if _GHOST.search(parsed.generator) and re.search(r"/rss(?:/\d+)?/?$", parts.path):
        path = re.sub(r"/rss(?:/\d+)?/?$", f"/rss/{number + 1}/", parts.path)
        return urlunsplit(parts._replace(path=path, fragment=""))
    return ""


def reaches(entries: Iterable[Entry], since: datetime) -> bool:
    """Whether these entries go back to the course's start: the oldest of them is from before it.

    Archives need not be sorted, so a single old post (one that stays on top) counts only when it is the last one.
    """
    dated = [entry.published for entry in entries if entry.published is not None]
    return bool(dated) and dated[-1] < since
