"""Who may come in: links that are looked at and used, sessions that end, new links by mail.

What is counted and what is used up stands in the store, so that it holds for all processes. Nothing here tells anybody
who else is in the course: whoever asks for a letter is answered before anyone has looked whether they are known.
"""

import copy
import logging
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reviewkit import logs, mail, postman, signing
from reviewkit.course import Course
from reviewkit.errors import Ended, Invalid, Missing, NotAllowed, TooOften
from reviewkit.mail import MailServer
from reviewkit.model import Person
from reviewkit.postman import Envelope, Postman, Send, Writer
from reviewkit.screens import dates
from reviewkit.signing import OnceLink
from reviewkit.store import Letter

LOG = logging.getLogger(__name__)
LETTER_AGE = timedelta(hours=1)
"""How long a link for one use holds that came by mail."""
HANDED_AGE = timedelta(days=7)
"""How long one holds that the instructor hands out."""
SPAN = timedelta(minutes=10)
WRONG_LINKS = 50
"""Links that nobody here signed, from one client within `SPAN`."""
HOUR = timedelta(hours=1)
LETTERS_TO = 3
"""Letters to one address within an hour."""
LETTERS_BY = 30
"""Letters that one client may ask for within an hour: a class may sit behind one address."""
LONGEST_ADDRESS = 254
SIGN_IN = "sign-in"
"""The kind of letter that brings a new link."""
REVOKED = "Your sign-in has ended. Open your personal link again; what you typed is kept in this browser."
LEFT = (
    "You are no longer in this course. If that is a mistake, talk to your instructor: it can be undone, and nothing of "
    "yours is lost."
)


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Whoever a link or a session stands for, with the serial that a new session carries."""

    person: Person
    serial: int


class Entrance:
    """The door of one course. Methods may be called from any thread."""

    def __init__(
        self,
        course: Course,
        secret: bytes,
        *,
        single_use: bool = False,
        server: MailServer | None = None,
        again: Sequence[float] = postman.AGAIN,
        send: Send = mail.send,
        writers: Mapping[str, Writer] | None = None,
    ) -> None:
        """`writers` are of letters besides those of the entrance itself."""
        self.course, self.secret, self.single_use = course, secret, single_use
        self.postman: Postman | None = None
        if server is not None:
            all_writers = {SIGN_IN: self._write, **(writers or {})}
            self.postman = Postman(course.store, server, all_writers, clock=course.clock, again=again, send=send)

    def open(self) -> None:
        """Send letters from now on."""
        if self.postman:
            self.postman.start()

    def close(self) -> None:
        """Send no more; letters that wait are sent by whoever opens next."""
        if self.postman:
            self.postman.close()

    # -- sessions

    def through(self, course: Course) -> "Entrance":
        """The same entrance that looks at the same course through this glance at it."""
        same = copy.copy(self)
        same.course = course
        return same

    def guest(self, id: str, serial: int, session: str) -> Guest:
        """Whose session it is. Raises NotAllowed when it was ended or the person is no longer in the course."""
        with suppress(Missing):
            found = self.course.store.sign_in(id, session)
            if found.ended:
                LOG.warning("A sign-in that had ended was used", extra={"person": logs.person(id)})
            elif found.serial == serial:
                return Guest(person=_present(found.person), serial=serial)
        raise NotAllowed(REVOKED)

    def sign_out(self, id: str, serial: int, session: str) -> None:
        """End this one session with its pages: a copy of its cookie is worth nothing from now on."""
        self.guest(id, serial, session)
        now = self.course.clock()
        until = now + timedelta(seconds=signing.LONGEST_SESSION)
        self.course.store.end_session(session, now=now, until=until)

    def sign_out_everywhere(self, id: str, serial: int, session: str) -> None:
        """End all sessions and pages of a person, in whatever browser; their link goes on."""
        self.course.store.end_sessions(self.guest(id, serial, session).person.id)

    # -- links

    def look(self, link: str, client: str) -> Guest:
        """Whose link it is; it is not used up. Raises NotAllowed, Ended, TooOften."""
        guest, found = self._admit(link, client)
        if isinstance(found, OnceLink) and self.course.store.is_used(self._key(found)):
            raise Ended(USED)
        return guest

    def enter(self, link: str, client: str, request: str = "") -> Guest:
        """Come in by a link. One for one use is used up by the first request, which may be sent again."""
        guest, found = self._admit(link, client)
        if isinstance(found, OnceLink):
            until = datetime.fromtimestamp(found.until, UTC)
            request = request or uuid.uuid4().hex
            if not self.course.store.use_link(self._key(found), request, now=self.course.clock(), until=until):
                raise Ended(USED)
        return guest

    def _admit(self, link: str, client: str) -> tuple[Guest, signing.Link]:
        """Only links that nobody here signed are counted: a class behind one address locks nobody of it out."""
        try:
            found = signing.check_link(self.secret, link)
        except NotAllowed:
            seconds = self._try("wrong link", client, WRONG_LINKS, SPAN)
            if seconds:
                raise TooOften(WRONG_TOO_OFTEN, seconds=seconds) from None
            raise
        if isinstance(found, OnceLink):
            if found.until <= self.course.clock().timestamp():
                raise Ended(OVER)
        elif self.single_use:
            raise Ended(OF_ANOTHER_KIND)
        with suppress(Missing):
            person, store = self.course.person(found.person), self.course.store
            if store.link_serial(person.id) == found.serial:
                return Guest(person=_present(person), serial=store.session_serial(person.id)), found
        raise NotAllowed(signing.NO_LINK)

    def _key(self, link: OnceLink) -> str:
        return signing.keyed(self.secret, "link", link.key)

    # -- letters

    def ask(self, address: str, client: str, url: str, request: str = "") -> None:
        """Send a new link to an address, if it is somebody's here; the answer is the same if it is not. A request that
        is sent again, because its answer was lost, makes no second letter while the first one waits.

        Raises Invalid when it can be nobody's address, TooOften when this client asked for many.
        """
        if self.postman is None:
            raise NotAllowed("This course sends no mail: ask your instructor for a new link.")
        address = " ".join(address.split())
        if not 3 <= len(address) <= LONGEST_ADDRESS or "@" not in address[1:-1]:
            raise Invalid("Write the e-mail address that your instructor has of you.", field="email")
        seconds = self._try("letters by", client, LETTERS_BY, HOUR)
        if seconds:
            raise TooOften("Many links were asked for from here. Wait a while, then ask again.", seconds=seconds)
        if not self._try("letters to", address.casefold(), LETTERS_TO, HOUR):
            about = {"to": self._whom(address), "url": url}
            id = request or uuid.uuid4().hex
            self.postman.post(Letter(id=id, kind=SIGN_IN, due=self.course.clock(), about=about))

    def _whom(self, address: str) -> str:
        """Letters wait under this word, which says of nobody that they asked or are known."""
        return signing.keyed(self.secret, "letter for", address.strip().casefold())

    def _write(self, letter: Letter) -> list[Envelope]:
        """To everybody here who has that address; the link is made now and kept nowhere."""
        to, url = letter.about["to"], letter.about["url"]
        asking = [each for each in self.course.people() if not each.withdrawn and self._whom(each.email) == to]
        return [self._letter(each, url) for each in asking]

    def _letter(self, person: Person, url: str) -> Envelope:
        setup, now = self.course.setup, self.course.clock()
        serial = self.course.store.link_serial(person.id)
        if self.single_use:
            until = now + LETTER_AGE
            link = signing.link_for_one_use(self.secret, person.id, serial, url, until=until.timestamp())
            zone = dates.zone_of(setup.timezone)
            valid = f"It works once, until {dates.day(until, zone)}, {dates.clock(until, zone)} ({setup.timezone})."
        else:
            link = signing.link(self.secret, person.id, serial, url)
            valid = "It works until it is replaced by a new one."
        text = LETTER.format(course=setup.title, link=link, valid=valid)
        return Envelope(to=person.email.strip(), subject=f"Your sign-in link: {setup.title}", text=text)

    def _try(self, what: str, who: str, most: int, within: timedelta) -> float:
        key = signing.keyed(self.secret, what, who)
        return self.course.store.try_again(key, most=most, within=within, now=self.course.clock())


def _present(person: Person) -> Person:
    """Raises NotAllowed when they were withdrawn from the course."""
    if person.withdrawn:
        raise NotAllowed(LEFT)
    return person


def hand_out(course: Course, secret: bytes, person: Person, url: str, *, once: bool) -> str:
    """A link for the instructor to give to a person."""
    serial = course.store.link_serial(person.id)
    if once:
        until = (course.clock() + HANDED_AGE).timestamp()
        return signing.link_for_one_use(secret, person.id, serial, url, until=until)
    return signing.link(secret, person.id, serial, url)


LETTER = """\
Hello,

this link signs you in to {course}:

{link}

{valid} Whoever opens it is signed in as you: pass it on to nobody.

If you did not ask for it, you need not do anything.
"""
USED = "This link has done its work: it signs in once. You can have a new one."
OVER = "This link was good for a while, and that is over. You can have a new one."
OF_ANOTHER_KIND = "This course signs you in with links that work once. You can have one."
WRONG_TOO_OFTEN = "Many links that are not ours were opened from here. Wait a while, then open yours again."
