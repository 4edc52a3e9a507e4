"""Undo is time: what rests in a person's outbox can be taken back until its time has come, and only then is written.

A page puts an act here; whoever keeps the course's clock does it. Nothing has happened before that, for nobody.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed
from reviewkit.model import Accept, Person, Waiting
from reviewkit.reading import at_a_glance
from reviewkit.verbs import Verbs

LOG = logging.getLogger(__name__)
ACCEPT = "accept"
REST = timedelta(seconds=10)
TOO_LATE = "This can no longer be taken back: it is done, or somebody is just doing it."


class Resting(Verbs):
    """A course with an outbox for each person."""

    @at_a_glance
    def accept_later(
        self,
        who: Person,
        submission: str,
        said: Accept,
        *,
        seen: int,
        request: str = "",
        drafts: Sequence[tuple[str, str]] = (),
    ) -> Waiting:
        """Accept and sign when the rest is over; gives what waits until then, to be taken back by its id.

        It is asked now whether it may be done, and again when it is. `drafts` (person, form) are done with when it is
        done; until then they keep what was typed, and what is typed meanwhile is kept longer: it was not sent. The same
        request again has no second effect. Raises NotAllowed, Invalid or Conflict with nothing changed.
        """
        id = f"{submission}:{request or uuid.uuid4().hex}"
        mine = [each for each in self.store.waiting(who.id) if each.arguments.get("submission") == submission]
        for each in mine:
            if each.id == id:
                return each
        if any(not each.refused for each in mine):
            raise Conflict("You are accepting this already; take that back first.")
        turns = self._accepting(submission, said)
        act = Waiting(
            id=id,
            person=who.id,
            due=self.clock() + REST,
            verb=ACCEPT,
            arguments={
                "submission": submission,
                "seen": seen,
                "grade": said.grade,
                "text": said.text,
                "recognised": list(said.recognised),
                "drafts": [[*each, self._revision(*each)] for each in drafts],
            },
        )
        if self.store.has_request(submission, id):
            return act
        self._may(self.store.dialogue(submission), who, turns, "instructor", seen=seen, via="page")
        for each in mine:
            self.store.take_back(who.id, each.id)
        self.store.put(act)
        return act

    @at_a_glance
    def take_back(self, who: Person, act: str) -> None:
        """Take back one's own act that rests, or put away one that was refused. Raises Conflict when it is too late."""
        if not self.store.take_back(who.id, act):
            raise Conflict(TOO_LATE)

    def resting(self, who: Person) -> dict[str, Waiting]:
        """What rests in somebody's outbox, or was refused when its time had come, by its submission."""
        return {str(each.arguments.get("submission", "")): each for each in self.store.waiting(who.id)}

    def flush(self) -> list[str]:
        """Do what has rested; gives the ids of what was done. For whoever keeps the clock.

        An act that is under way when the process dies is done by the next flush, once: it is known by its request.
        What may no longer be done is kept with its sentence for the person, and changes nothing.
        """
        done = list[str]()
        for act in self.store.take_due(self.clock()):
            if not self.store.begin(act.id):
                continue  # it was taken back at this moment, or another clock was faster
            try:
                self._do(act)
            except (Conflict, Invalid, Missing, NotAllowed) as refused:
                self.store.refuse(act.id, str(refused))
                LOG.info("What had rested was refused", extra={"why": type(refused).__name__})
            else:
                self.store.done(act.id)
                done.append(act.id)
        return done

    def _do(self, act: Waiting) -> None:
        said: dict[str, Any] = act.arguments
        who = self.person(act.person)
        turn = Accept(grade=said["grade"], text=said["text"], recognised=tuple(said["recognised"]))
        self.accept(who, said["submission"], turn, seen=said["seen"], request=act.id)
        for person, form, *revision in said["drafts"]:  # what an older release put to rest has no revision
            if not revision or revision == [self._revision(person, form)]:
                self.store.drop_draft(person, form, at=self.clock())

    def _revision(self, person: str, form: str) -> int:
        """Of what is kept of a form; 0 where nothing is."""
        draft = self.store.draft(person, form)
        return draft.revision if draft else 0
