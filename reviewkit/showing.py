"""Pictures of posts: where a pull puts them, and who may see which."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from reviewkit.errors import Missing
from reviewkit.model import Person, Submission
from reviewkit.pictures import NAME, Copied, Picture, Source, names
from reviewkit.store import Store

NONE = "There is no such picture."


class Album:
    """Where a pull keeps copies of pictures."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def picture_sources(self, addresses: Sequence[str]) -> Mapping[str, Source]:
        return self._store.picture_sources(addresses)

    def keep_picture(self, address: str, picture: Picture | None, *, tries: int) -> Copied | None:
        return self._store.keep_picture(address, picture, tries=tries, at=self._clock())


def picture(store: Store, who: Person, name: str, *, reads: Callable[[Submission], bool]) -> Picture:
    """A picture for somebody who may read a post that shows it: its author, an instructor, and whoever `reads` (now) a
    submission in which it is frozen. Raises Missing for everybody else, as for a name of nothing."""
    authors = store.shown_by(name) if NAME.fullmatch(name) else frozenset[str]()
    theirs = [each for each in store.submissions() if each.person in authors]
    if not (
        who.id in authors
        or (who.role == "instructor" and authors and all(map(reads, theirs)))  # not where they are a reviewer
        or any(reads(each) and name in _frozen_in(store, each) for each in theirs)
    ):
        raise Missing(NONE)
    return store.picture(name)


def _frozen_in(store: Store, submission: Submission) -> frozenset[str]:
    frozen = {(each.post, each.digest) for each in submission.revisions}
    return frozenset(
        name
        for post in store.posts(submission.person)
        for revision in post.revisions
        if (post.id, revision.digest) in frozen
        for name in names(revision.html)
    )
