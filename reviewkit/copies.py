"""Posts and words as somebody may read them: masked copies, words veiled, and whom a text names.

Who wrote what is hidden here where PRODUCT.md section 5 says so, and nowhere later.
"""

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

from reviewkit import masking
from reviewkit.errors import Invalid, Missing, NotAllowed
from reviewkit.model import Frozen, HiddenWord, Person, Post, Revision, Setup, Submission, headline
from reviewkit.store import Store
from reviewkit.store.glance import glance, worked_out

Asked = ParamSpec("Asked")
Told = TypeVar("Told")
Asker = TypeVar("Asker", bound="Copies")

MOST_HIDDEN, LONGEST_HIDDEN = 20, 60
"""Words that a person may have hidden, and the characters of one."""


def at_a_glance(
    verb: Callable[Concatenate[Asker, Asked], Told],
) -> Callable[Concatenate[Asker, Asked], Told]:
    """A verb that reads nothing twice while it runs."""

    @wraps(verb)
    def once(self: Asker, /, *said: Asked.args, **named: Asked.kwargs) -> Told:
        return verb(self.glance(), *said, **named)

    return once


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A frozen revision as one viewer may see it (masked for a blind reviewer: no link, no date, title cleaned)."""

    title: str
    html: str
    text: str
    link: str = ""
    published: datetime | None = None
    changed_since: bool = False
    """The blog shows another text by now."""

    @property
    def headline(self) -> str:
        return headline(self.title, self.text)


class Copies:
    """The part of a course that knows who must not be told. `clock` gives the time now, aware and in UTC."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self.store, self.clock = store, clock

    def glance(self) -> Self:
        """The same course for one question: it reads nothing twice. Never keep it for the next question."""
        seen = copy.copy(self)
        seen.store = glance(self.store)
        return seen

    @property
    def setup(self) -> Setup:
        """What the course asks and when. Raises Missing while the store is empty."""
        setup = self.store.setup()
        if setup is None:
            raise Missing("This course has not been set up yet: run `reviewkit import --apply`.")
        return setup

    def people(self) -> list[Person]:
        return self.store.people()

    def person(self, id: str) -> Person:
        for person in self.store.people():
            if person.id == id:
                return person
        raise Missing(f"There is nobody called {id} in this course.")

    # -- what an author hides ----------------------------------------------------------------------------------------

    def hidden_words(self, who: Person) -> tuple[str, ...]:
        """The words that this person wants hidden in masked copies, beside their names and sites."""
        return tuple(each.word for each in self.store.hidden_words(who.id))

    def hide_words(self, who: Person, words: Sequence[str]) -> tuple[str, ...]:
        """These are all the words to hide from now on, in every copy that its reviewer has not opened yet.

        Raises Invalid for a word without a letter or a digit, one that is too long, one of the course's tags, and too
        many of them.
        """
        plain = dict.fromkeys(" ".join(word.split()) for word in words)
        wanted = tuple(word for word in plain if word)
        for word in wanted:
            if len(word) > LONGEST_HIDDEN:
                raise Invalid(f"A word to hide can have {LONGEST_HIDDEN} characters.", field="hide")
            if sum(sign.isalnum() for sign in word) < 2:
                raise Invalid("A word to hide needs two letters or digits.", field="hide")
            if word.casefold().lstrip("#") in {tag.casefold() for tag in self._tags()}:
                raise Invalid(f"{word} is the course's tag, which everybody uses: it stays.", field="hide")
        if len(wanted) > MOST_HIDDEN:
            raise Invalid(f"You can hide {MOST_HIDDEN} words. Take one away first.", field="hide")
        self.store.hide_words(who.id, wanted, at=self.clock())
        return wanted

    @at_a_glance
    def masked_posts(self, who: Person, posts: Sequence[str]) -> tuple[Copy, ...]:
        """One's own posts as a reviewer would read them if they were frozen now. Raises Missing."""
        own = {post.id: post for post in self.store.posts(who.id)}
        if not all(id in own for id in posts):
            raise Missing("There is no such post of yours.")
        frozen = [Frozen(post=id, digest=own[id].latest.digest) for id in posts]
        return self._copied(who.id, frozen, masked=True)

    @at_a_glance
    def masked_copy(self, who: Person, submission: str) -> tuple[Copy, ...]:
        """One's own submission as a reviewer reads it who opens it now. Raises Missing."""
        return self._copies(self._own(who, submission), masked=True)

    @at_a_glance
    def replaced(self, viewer: Person, submission: str) -> tuple[tuple[str, int], ...]:
        """What masking takes out of a submission, and how often, for the instructor and for its author.

        Empty where its reviewers know the author. Raises NotAllowed for everybody else, Missing.
        """
        found = self.store.dialogue(submission).submission
        if viewer.role != "instructor" and viewer.id != found.person:
            raise NotAllowed("Only the instructor and its author see what was replaced in a submission.")
        if found.mode != "double-blind":
            return ()
        times: dict[str, int] = {}
        for _, revision in self._frozen(found.person, found.revisions):
            masked = self._masked(found.person, revision, self._words_of(found.person))
            for what, count in zip(masked.replaced, masked.times, strict=True):
                times[what] = times.get(what, 0) + count
        return tuple(times.items())

    # -- whom a text names -------------------------------------------------------------------------------------------

    @at_a_glance
    def names_in(self, who: Person, text: str, *, known: Collection[str] = (), own: bool = True) -> tuple[str, ...]:
        """The words of a text that name its writer (where `own` counts) or a student of the class, each once.

        `known` are the ids of people whom its reader knows here, such as the author whom an instructor writes to.
        """
        found: dict[str, None] = {}
        if own:
            found.update(dict.fromkeys(masking.own_words(text, self._identity(who.id), self._tags())))
        for each in self._classmates().named(text, but=(who.id, *known)):
            found[text[each.start : each.end]] = None
        return tuple(found)

    # -- how it is done ----------------------------------------------------------------------------------------------

    def _own(self, who: Person, submission: str) -> Submission:
        found = self.store.dialogue(submission).submission
        if found.person != who.id:
            raise Missing("There is no such submission for you.")
        return found

    def _veiled(self, text: str, reviewer: str, author: str, known: frozenset[str]) -> str:
        """Words without their reviewer and author (each "" where no secret), and without people of the class but those
        whom their reader knows."""

        def veiled() -> str:
            left, others = text, masking.Others(self._classmates(), known | {reviewer, author})
            for id, role in ((author, masking.AS_AUTHOR), (reviewer, masking.AS_REVIEWER)):
                who = self._identity(id) if id else masking.Identity()
                left = masking.mask_text(left, who, self._tags(), others=others, role=role)
            return left

        return worked_out(self.store, ("veiled", reviewer, author, known, text), veiled)

    def _masked(self, person: str, revision: Revision, hidden: tuple[str, ...]) -> masking.Masked:
        def masked() -> masking.Masked:
            others = masking.Others(self._classmates(), frozenset((person,)))
            return masking.mask(revision, self._identity(person, hidden), self._tags(), others=others)

        return worked_out(self.store, ("masked", person, revision.digest, revision.html, hidden), masked)

    def _words_of(self, person: str, opened: datetime | None = None) -> tuple[str, ...]:
        """What this person hides; in a copy that was opened, what they hid by then: it stays as it was read."""

        def counts(each: HiddenWord) -> bool:
            return opened is None or each.since <= opened

        return tuple(each.word for each in self.store.hidden_words(person) if counts(each))

    def _identity(self, person: str, hidden: tuple[str, ...] | None = None) -> masking.Identity:
        words = self._words_of(person) if hidden is None else hidden

        def gathered() -> masking.Identity:
            feeds = [feed for feed in self.store.feeds() if feed.person == person]
            return masking.identity(self.person(person), feeds, self.store.posts(person), words)

        return worked_out(self.store, ("identity", person, words), gathered)

    def _classmates(self) -> masking.Classmates:
        """Every student by what the roster tells of them."""

        def gathered() -> masking.Classmates:
            return _classmates(tuple(each for each in self.store.people() if each.role == "student"))

        return worked_out(self.store, ("classmates",), gathered)

    def _tags(self) -> tuple[str, ...]:
        """The course's tags: words that name the course, not an author."""
        setup = self.setup
        return tuple(tag for tag in (setup.tag, *(each.tag for each in setup.assignments)) if tag)

    def _copies(self, submission: Submission, *, masked: bool, opened: datetime | None = None) -> tuple[Copy, ...]:
        return self._copied(submission.person, submission.revisions, masked=masked, opened=opened)

    def _copied(
        self, person: str, frozen: Sequence[Frozen], *, masked: bool, opened: datetime | None = None
    ) -> tuple[Copy, ...]:
        """Frozen revisions, plain or masked (for a reviewer who opened them then)."""
        copies = list[Copy]()
        for post, revision in self._frozen(person, frozen):
            if masked:
                clean = self._masked(person, revision, self._words_of(person, opened))
                copies.append(Copy(title=clean.title, html=clean.html, text=clean.text))
                continue
            copies.append(
                Copy(
                    title=revision.title,
                    html=revision.html,
                    text=revision.text,
                    link=post.link,
                    published=post.published,
                    changed_since=post.latest.digest != revision.digest,
                )
            )
        return tuple(copies)

    def _frozen(self, person: str, frozen: Sequence[Frozen]) -> list[tuple[Post, Revision]]:
        posts = {post.id: post for post in self.store.posts(person)}
        found = list[tuple[Post, Revision]]()
        for each in frozen:
            revision = posts[each.post].revision(each.digest)
            assert revision is not None, "a frozen revision is never removed"
            found.append((posts[each.post], revision))
        return found


@lru_cache(maxsize=8)
def _classmates(students: tuple[Person, ...]) -> masking.Classmates:
    """Made again when the class changes, and not whenever somebody writes."""
    return masking.Classmates({each.id: masking.identity(each, (), ()) for each in students})
