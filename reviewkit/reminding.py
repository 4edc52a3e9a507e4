"""Letters that remind, and the calendar: both are somebody's own dates, by private links that end with their links.

At most one letter a person a day, whichever processes see to it: its id is made of the person and the day, and the
store keeps an id once. What it says is found out when it is sent; when everything is done by then, nothing is sent.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from reviewkit import reminders, signing
from reviewkit.calendar import calendar_of
from reviewkit.course import Course
from reviewkit.errors import Missing, NotAllowed
from reviewkit.mail import MailServer
from reviewkit.model import Person
from reviewkit.postman import Envelope, Postman, Writer
from reviewkit.reminders import Owed
from reviewkit.screens import dates
from reviewkit.store import Letter

REMINDER = "reminder"
"""The kind of letter."""
PAUSE = timedelta(minutes=5)
"""How long one process waits before it looks again who is to be written to."""


class Reminding:
    """Of one course. `days` before a date and on its day a letter is sent; 0: never. `url` is where people reach the
    pages; empty: letters hold no links. Methods may be called from any thread."""

    def __init__(self, course: Course, secret: bytes, *, days: int = 0, url: str = "") -> None:
        self.course, self.secret, self.days, self.url = course, secret, days, url.rstrip("/")
        self._again: datetime | None = None
        self._posted = set[str]()

    @property
    def writers(self) -> Mapping[str, Writer]:
        return {REMINDER: self.write} if self.days else {}

    def look(self) -> int:
        """Put a letter to everybody who is to be reminded today and was not yet; gives how many this process put.

        Any number of times and from any number of processes. Raises StoreError.
        """
        now = self.course.clock()
        if not self.days or (self._again is not None and now < self._again):
            return 0
        course = self.course.glance()
        zone, put = dates.zone_of(course.setup.timezone), 0
        for person in course.people():
            if not person.email.strip():
                continue
            if not reminders.is_asked(self._owed(course, person, now), now, zone, self.days):
                continue
            day = now.astimezone(zone).date().isoformat()
            id = signing.keyed(self.secret, REMINDER, person.id, day)[:40]
            if id not in self._posted and course.store.wants_reminders(person.id):
                course.store.put_letter(Letter(id=id, kind=REMINDER, due=now, person=person.id, about={"day": day}))
                put += 1
            self._posted.add(id)
        self._again = now + PAUSE
        return put

    def send(self, server: MailServer) -> None:
        """Put the letters of now and carry all that are due, for those who serve no pages."""
        self.look()
        postman = Postman(self.course.store, server, self.writers, clock=self.course.clock)
        while self.writers and postman.carry() == 0:
            pass

    def write(self, letter: Letter) -> list[Envelope]:
        """The letter as it is now; nothing where nothing is owed any more, or the day of it has passed."""
        course, now = self.course.glance(), self.course.clock()
        with suppress(Missing):
            person = course.person(letter.person or "")
            zone = dates.zone_of(course.setup.timezone)
            today = now.astimezone(zone).date().isoformat() == letter.about.get("day")
            due = [each for each in self._owed(course, person, now) if reminders.is_near(each, now, zone, self.days)]
            if today and due and not person.withdrawn and course.store.wants_reminders(person.id):
                return [self._letter(course, person, due)]
        return []

    def _letter(self, course: Course, person: Person, due: list[Owed]) -> Envelope:
        setup = course.setup
        zone = dates.zone_of(setup.timezone)
        lines = [
            f"- {each.what}: by {dates.day(each.by, zone)}, {dates.clock(each.by, zone)} ({setup.timezone})"
            for each in due
        ]
        text = f"Hello,\n\nthis is due soon in {setup.title}:\n\n" + "\n".join(lines) + "\n"
        if self.url:
            off = self.path(person, "reminders")
            text += f"\nYour pages: {self.url}/\n\nAt most one such letter comes a day. To have none: {self.url}{off}\n"
        return Envelope(to=person.email.strip(), subject=f"Due soon: {setup.title}", text=text)

    def _owed(self, course: Course, person: Person, now: datetime) -> list[Owed]:
        setup = course.setup
        slots = {each.id: course.slots(each.id) for each in setup.assignments}
        return reminders.owed(setup, person, course.store.dialogues(), slots, now)

    # -- private links

    def path(self, person: Person, purpose: str) -> str:
        """The address of somebody's own page or file: `reminders` or `calendar`."""
        serial = self.course.store.link_serial(person.id)
        token = signing.private(self.secret, purpose, person.id, serial)
        return f"/{purpose}/{token}" + (".ics" if purpose == "calendar" else "")

    def whose(self, token: str, purpose: str) -> Person:
        """Raises NotAllowed when it is nobody's, or was replaced with the person's links."""
        found = signing.check_private(self.secret, purpose, token)
        with suppress(Missing):
            person = self.course.person(found.person)
            if not person.withdrawn and self.course.store.link_serial(person.id) == found.serial:
                return person
        raise NotAllowed(signing.NO_PRIVATE)

    def calendar(self, token: str) -> bytes:
        """The .ics file of whoever's link it is. Raises NotAllowed."""
        person, setup = self.whose(token, "calendar"), self.course.setup
        return calendar_of(
            reminders.dates_of(setup, person),
            title=setup.title,
            zone=setup.timezone,
            key=signing.keyed(self.secret, "calendar", person.id)[:24],
            now=self.course.clock(),
        )

    def wanted(self, token: str, change: bool | None = None) -> bool:
        """Whether whoever's link it is wants letters; with `change` from now on. Raises NotAllowed."""
        person = self.whose(token, "reminders")
        if change is not None:
            self.course.store.set_reminders(person.id, wanted=change)
        return self.course.store.wants_reminders(person.id)
