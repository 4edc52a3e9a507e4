"""My sites: where people write, as they rule it themselves; and the private route, for those who do not publish."""

import asyncio
import hashlib
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

from reviewkit.errors import FeedError, Invalid, Missing, NotAllowed, ReviewkitError, TooOften
from reviewkit.listing import SHOWN, folded, read
from reviewkit.model import PRIVATE, Assignment, Entry, Feed, Person, Post, Tag
from reviewkit.verbs import Verbs

if TYPE_CHECKING:
    from reviewkit.feeds.discover import Found

_log = logging.getLogger(__name__)

Form = Literal["text", "markdown", "html"]
GIVEN_LIMIT = 100_000
"""Characters of a text that is given privately: about fifty pages."""
TITLE_LIMIT = 300
MOST_SITES = 20
MOST_GIVEN, MOST_VERSIONS = 20, 500
"""Private texts that one person may have, and how often one of them may be changed."""
CHECKS, CHECKS_WITHIN = 3, timedelta(minutes=10)
LOOKS, LOOKS_WITHIN = 20, timedelta(minutes=10)
GIVES, GIVES_WITHIN = 30, timedelta(minutes=10)
ASKED_OFTEN = "Your sites were asked several times just now. Try again in {} min; they are read every half hour anyway."
GIVEN_OFTEN = "You gave texts many times just now. Try again in {} min; what you typed stays here."
AT_ONCE = 2
"""Enrolments that one process looks into at a time; further ones wait."""
BUG = "Something went wrong on our side while your site was looked at. Try again later."


@dataclass(frozen=True, kw_only=True)
class Site:
    """A person's feed. `others` are further people who have it too."""

    feed: Feed
    others: tuple[str, ...] = ()
    own: bool = False
    """The person added it; it does not stand in the roster's file."""


@dataclass(frozen=True, kw_only=True)
class SiteOf:
    """A feed as an instructor sees it: how many posts it shows, and how many of the course's posts stand in it."""

    person: Person
    feed: Feed
    others: tuple[str, ...]
    shown: int
    tagged: int


class Lookups:
    """Enrolments that are under way: a page asks until there is an answer, and nobody's request waits for a site."""

    def __init__(self) -> None:
        self._lock, self._places = threading.Lock(), threading.Semaphore(AT_ONCE)
        self._found: dict[tuple[str, str], Found | ReviewkitError | None] = {}

    def ask(self, person: str, address: str, begin: "Callable[[], Callable[[], Found]]") -> "Found | None":
        """What was found, once; None while it is looked for. `begin` gives what to do, or refuses. Raises FeedError."""
        key = (person, address)
        with self._lock:
            if key not in self._found:
                work = begin()
                self._found = {each: told for each, told in self._found.items() if each[0] != person}
                self._found[key] = None
                # A thread that ends with the process: an exit must not wait for a slow site.
                threading.Thread(target=self._look, args=(key, work), daemon=True, name="enrolment").start()
            answer = self._found[key]
            if answer is not None:
                del self._found[key]
        if isinstance(answer, ReviewkitError):
            raise answer
        return answer

    def _look(self, key: tuple[str, str], work: "Callable[[], Found]") -> None:
        answer: Found | ReviewkitError = FeedError(BUG, url=key[1])
        try:
            with self._places:
                with self._lock:
                    if key not in self._found:
                        return  # they have asked for another site while this one waited for its turn
                answer = work()
        except ReviewkitError as error:
            answer = error
        except Exception:  # noqa: BLE001 - a bug of ours must not leave the page waiting
            _log.exception("Looking for a site failed")
        finally:
            with self._lock:
                if key in self._found:
                    self._found[key] = answer


class Sites(Verbs):
    """A course whose people say where they write."""

    allow_private: bool
    contact: str
    lookups: Lookups

    def sites(self, who: Person) -> list[Site]:
        """This person's feeds, in their order."""
        feeds = self.store.feeds()
        known = next((each for each in self.store.people() if each.id == who.id), who)
        return [
            Site(feed=each, others=self._others(feeds, who, each.url), own=each.url in known.own_feeds)
            for each in feeds
            if each.person == who.id
        ]

    def all_sites(self, by: Person) -> list[SiteOf]:
        """The feeds of everybody who takes part, person by person. Raises NotAllowed for all but instructors."""
        if by.role != "instructor":
            raise NotAllowed("Only an instructor sees everybody's sites.")
        feeds, counts = self.store.feeds(), self.store.post_counts()
        here = {each.id: each for each in self.store.people() if not each.withdrawn}
        same: dict[str, list[str]] = {}
        for each in feeds:
            same.setdefault(folded(each.url), []).append(each.person)
        return [
            SiteOf(
                person=here[each.person],
                feed=each,
                others=tuple(dict.fromkeys(one for one in same[folded(each.url)] if one != each.person)),
                shown=sum(item.missing == SHOWN for item in read(each.listing)),
                tagged=counts.get((each.person, each.url), 0),
            )
            for each in feeds
            if each.person in here
        ]

    def find_site(self, address: str) -> "Found":
        """The feed behind an address, looked at once; asks the network. Raises FeedError in words."""
        from reviewkit.feeds.running import run

        return run(self._discovery(address))

    def look_for_site(self, who: Person, address: str) -> "Found | None":
        """The same for a page, which asks again until it is there. Raises FeedError, TooOften."""
        from reviewkit.feeds.discover import tidied

        tidied(address)

        def begin() -> "Callable[[], Found]":
            self._not_too_often("look", who, LOOKS, LOOKS_WITHIN)
            return lambda: asyncio.run(self._discovery(address))

        return self.lookups.ask(who.id, address, begin)

    async def _discovery(self, address: str) -> "Found":
        from reviewkit import feeds
        from reviewkit.feeds.discover import discover
        from reviewkit.feeds.fetch import Fetcher
        from reviewkit.feeds.workers import Workers

        setup = self.setup
        agent = feeds.agent(setup.title, self.contact)
        async with Fetcher(agent=agent, allow_private=self.allow_private) as fetcher, Workers() as workers:
            return await discover(address, wanted=self._tags(), since=setup.starts, fetcher=fetcher, workers=workers)

    def shares_site(self, who: Person, url: str) -> bool:
        """Whether somebody else has this feed."""
        return bool(self._others(self.store.feeds(), who, url))

    def add_site(self, who: Person, url: str, *, shared: bool = False) -> bool:
        """Add a feed that was found; False when the person has it already.

        A feed that somebody else has is taken with `shared` only: that is for the person to say. Raises Invalid.
        """
        from reviewkit.feeds.addresses import checked

        address = str(checked(url, allow_private=self.allow_private, said=url))
        if not address.isprintable() or len(address) > 2_000 or any(each.isspace() for each in address):
            raise Invalid("That address is too long, or holds signs that no address has.", field="site")
        mine = [each.url for each in self.store.feeds() if each.person == who.id]
        if folded(address) in map(folded, mine):
            return False
        if len(mine) >= MOST_SITES:
            raise Invalid(f"You have {len(mine)} sites here, and at most {MOST_SITES} can be read.", field="site")
        if not shared and self.shares_site(who, address):
            raise Invalid(
                "Somebody else in this course has this site too. If it belongs to you both, say so.", field="shared"
            )
        return self.store.add_feed(who.id, address)

    def remove_site(self, who: Person, url: str) -> bool:
        """Read a feed no longer; its posts stay. False when the person does not have it."""
        return self.store.remove_feed(who.id, url)

    def check_sites(self, who: Person) -> None:
        """Ask for one's own feeds to be read at once: the clock does it. Raises TooOften, Missing (no site)."""
        if not any(each.person == who.id for each in self.store.feeds()):
            raise Missing("There is no site to check yet. Add the address of your blog first.")
        self._not_too_often("check", who, CHECKS, CHECKS_WITHIN)
        self.store.ask_now(who.id, self.clock())

    def _not_too_often(self, what: str, who: Person, most: int, within: timedelta, *, words: str = ASKED_OFTEN) -> None:
        key = hashlib.sha256(f"sites {what} {who.id}".encode()).hexdigest()
        seconds = self.store.try_again(key, most=most, within=within, now=self.clock())
        if seconds:
            minutes = max(1, round(seconds / 60))
            raise TooOften(words.format(minutes), seconds=seconds)

    @staticmethod
    def _others(feeds: Sequence[Feed], who: Person, url: str) -> tuple[str, ...]:
        same = folded(url)
        return tuple(dict.fromkeys(each.person for each in feeds if each.person != who.id and folded(each.url) == same))

    # -- the private route -------------------------------------------------------------------------------------------

    def private_post(self, who: Person, id: str) -> Post:
        """Raises Missing when it is not one of theirs."""
        for post in self.store.posts(who.id):
            if post.id == id and post.given_for:
                return post
        raise Missing("There is no such text of yours.")

    def can_give(self, who: Person, assignment: Assignment) -> str:
        """Why a text can no longer be given for an assignment, in words; empty: it can."""
        own = self.assignment(assignment.id, who)
        if self.submission_of(who, own) is not None:
            return f"Your work for {own.title} is frozen, so nothing more can be given for it."
        if self.setup.is_over(own.freeze_by, self.clock()):
            return f"The time to choose a post for {own.title} is over; talk to your instructor."
        return ""

    def give(
        self,
        who: Person,
        assignment: str,
        title: str,
        text: str,
        *,
        form: Form = "text",
        post: str = "",
        request: str = "",
    ) -> str:
        """Give a text to the course alone, or (`post`) another version of it until it is frozen; gives the post's id.

        It is cleaned as every post is. The same `request` again makes no second one. Raises Invalid, NotAllowed.
        """
        from reviewkit.feeds.clean import Refused, clean, digest, line, of_plain_text
        from reviewkit.feeds.tags import fold

        if who.role != "student":
            raise NotAllowed("Only students of the course can submit a post.")
        asked = self.assignment(assignment)
        known = self.private_post(who, post) if post else None
        if known and known.given_for != asked.id:
            asked = self.assignment(known.given_for)
        if refused := self.can_give(who, asked):
            raise NotAllowed(refused)
        if len(text) > GIVEN_LIMIT:
            raise Invalid(
                f"Your text has {len(text):,} characters, and at most {GIVEN_LIMIT:,} can be given. Nothing is cut: "
                "please shorten it.",
                field="text",
            )
        if len(title) > TITLE_LIMIT:
            raise Invalid(f"The title is longer than {TITLE_LIMIT} characters; please shorten it.", field="title")
        # Markdown can be written so that reading it takes seconds.
        self._not_too_often("give", who, GIVES, GIVES_WITHIN, words=GIVEN_OFTEN)
        try:
            cleaned = clean(_as_html(text, form, of_plain_text))
        except Refused as error:
            raise Invalid(f"Your text cannot be taken: {error}.", field="text") from error
        if not cleaned.text.strip():
            raise Invalid("Write or paste your text before you give it.", field="text")
        name = line(title, longest=TITLE_LIMIT)
        mark = hashlib.sha256(f"{who.id} {request}".encode()).hexdigest()[:16] if request else secrets.token_hex(8)
        guid = known.guid if known else f"{PRIVATE}{asked.id}:{mark}"
        self._not_too_many(who, guid)
        entry = Entry(
            guid=guid,
            link="",
            title=name,
            author=who.name,
            published=known.published if known else self._in_time(who, asked),
            tags=(Tag(tag=fold(self.setup.tag_of(asked)), found="category"),),
            html=cleaned.html,
            text=cleaned.text,
            digest=digest(name, cleaned.text),
        )
        return self.store.keep_private(who.id, entry, seen=self.clock())

    def _not_too_many(self, who: Person, guid: str) -> None:
        given = {each.guid: each for each in self.store.posts(who.id) if each.given_for}
        if guid not in given and len(given) >= MOST_GIVEN:
            raise Invalid(f"You have given {len(given)} texts here. Change one of them instead of giving another.")
        if guid in given and len(given[guid].revisions) >= MOST_VERSIONS:
            raise Invalid(f"This text was changed {MOST_VERSIONS} times, which is as often as can be kept.")

    def _in_time(self, who: Person, asked: Assignment) -> datetime:
        """Now; within the days of grace the date itself, inside which a post must be to count."""
        due = self.assignment(asked.id, who).freeze_by
        return min(self.clock(), due) if due else self.clock()


def _as_html(text: str, form: Form, of_plain_text: Callable[[str], str]) -> str:
    if form not in get_args(Form):
        raise Invalid("Say whether it is plain text, Markdown or HTML.", field="form")
    if form == "html":
        return text
    if form == "markdown":
        from markdown_it import MarkdownIt

        return str(MarkdownIt("commonmark").enable("table").render(text))
    return of_plain_text(text)
