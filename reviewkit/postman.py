"""The post: letters that wait in the store are sent at their time, whatever becomes of the process meanwhile.

What waits is only of what kind a letter is, to whom and when. Its text, and a link in it, is made in the moment in
which it is sent, by the writer of its kind. Every letter is sent once; at least once where a process is killed between
sending it and noting that: then both have the same Message-ID, by which mail programs know them for one.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reviewkit import mail
from reviewkit.bugs import told
from reviewkit.errors import MailError, ReviewkitError
from reviewkit.mail import MailServer
from reviewkit.store import Letter, Store

LOG = logging.getLogger(__name__)
AGAIN = (5.0, 60.0, 600.0, 3600.0, 4 * 3600.0)
"""Seconds before a letter that could not be sent is tried again; after the last one it is given up."""
HELD = timedelta(minutes=3)
"""How long a letter is in one process's hands before another may take it: longer than a mail server can take."""
LOOK = 20.0
"""Seconds between two looks for letters that another process was asked for, and was killed."""
LEAVE = 2.0
"""Seconds that a stop waits for the letter that is on its way."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A letter as it goes out."""

    to: str
    subject: str
    text: str


Writer = Callable[[Letter], Sequence[Envelope]]
"""Makes a letter, when it is sent; gives nothing when there is nothing to say any more."""


class Send(Protocol):
    def __call__(self, server: MailServer, to: str, subject: str, text: str, *, id: str) -> None: ...


class Postman:
    """Carries the letters of some kinds. Several may do so for one course, in several processes."""

    def __init__(
        self,
        store: Store,
        server: MailServer,
        writers: Mapping[str, Writer],
        *,
        clock: Callable[[], datetime],
        again: Sequence[float] = AGAIN,
        send: Send = mail.send,
    ) -> None:
        """`writers` has a writer for each kind; letters of other kinds are left to others."""
        self.store, self.server, self.writers = store, server, writers
        self.clock, self.again, self.send = clock, again, send
        self.news, self.closing = threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None

    def post(self, letter: Letter) -> None:
        """It is kept, so that it will be sent. The same id again has no second effect."""
        self.store.put_letter(letter)
        self.news.set()

    def carry(self) -> float:
        """Send what is due; gives the seconds after which to look again. Raises StoreError."""
        carried = False
        for letter in self.store.letters(tuple(self.writers)):
            now = self.clock()
            if self.closing.is_set():
                break
            if letter.due > now:
                return 0.0 if carried else min(LOOK, (letter.due - now).total_seconds())
            if self.store.take_letter(letter, until=now + HELD):
                carried = True
                self._deliver(letter)
        return 0.0 if carried else LOOK

    def _deliver(self, letter: Letter) -> None:
        try:
            for number, each in enumerate(self.writers[letter.kind](letter)):
                self.send(self.server, each.to, each.subject, each.text, id=f"{letter.id}.{number}")
        except MailError as error:
            self._put_off(letter, logging.WARNING, f"A letter could not be sent: {error}")
        except Exception as bug:  # noqa: BLE001 (nobody waits for this thread; the next letter does)
            self._put_off(letter, logging.ERROR, f"A letter met a bug: {told(bug)}")
        else:
            self.store.end_letter(letter.id)

    def _put_off(self, letter: Letter, level: int, why: str) -> None:
        """Into the store first: a process that is killed while it tells of it has not the letter in its hands."""
        again = letter.tries < len(self.again)
        if again:
            self.store.put_off_letter(letter.id, until=self.clock() + timedelta(seconds=self.again[letter.tries]))
        else:
            self.store.end_letter(letter.id)
        LOG.log(level, why, extra={"kind": letter.kind})
        if not again:
            LOG.error("A letter was given up", extra={"kind": letter.kind})

    # -- in a thread

    def start(self) -> None:
        """Carry letters from now on, beginning with those that were left over."""
        self.thread = threading.Thread(target=self._run, name="postman", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Carry no more. What waits goes on waiting in the store."""
        self.closing.set()
        self.news.set()
        if self.thread is not None:
            self.thread.join(LEAVE)

    def _run(self) -> None:
        while not self.closing.is_set():
            self.news.clear()
            pause = LOOK
            try:
                pause = self.carry()
            except ReviewkitError as error:
                LOG.warning("Letters wait: %s", error)
            except Exception as bug:  # noqa: BLE001 (letters wait in the store; the bug goes to the log)
                LOG.error("Letters wait because of a bug: %s", told(bug))
            self.news.wait(pause)
