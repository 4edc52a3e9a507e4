"""What is asked of a worker process, what it answers, and what it may take."""

from dataclasses import dataclass

from reviewkit.feeds.document import Parsed
from reviewkit.listing import Listed
from reviewkit.pictures import Picture

SECONDS = 10.0
"""For one document, from the moment at which a worker has it."""
MEMORY = 190 * 1024 * 1024
"""Bytes of memory that a worker may have in all."""
IDLE = 30.0
"""Seconds without work after which a worker ends."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One document to read: as a feed, (`article`) as the page of an article, or (`picture`) as a picture."""

    body: bytes
    url: str
    content_type: str = ""
    known: tuple[Listed, ...] = ()
    wanted: tuple[str, ...] | None = None
    article: bool = False
    picture: bool = False


@dataclass(frozen=True, kw_only=True)
class Article:
    """The main text of a page: safe HTML and its visible words. Both are empty where none was found."""

    html: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a task: a feed, an article, a picture, a FeedError's words, or where our own code went wrong."""

    parsed: Parsed | None = None
    article: Article | None = None
    picture: Picture | None = None
    words: str = ""
    wrong: bool = False
    bug: str = ""
