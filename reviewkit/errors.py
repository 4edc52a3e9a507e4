"""What can go wrong, one class for each kind of reader of the message.

The text of an error is shown as it stands: one sentence that says what happened, what is safe and what to do.
Screens and commands catch `ReviewkitError` only; anything else is a bug and stays a traceback in the log.
"""


class ReviewkitError(Exception):
    """The base of everything that a person can act on."""


class NotAllowed(ReviewkitError):
    """The person may not do this, or not now (read by that person)."""


class Ended(NotAllowed):
    """A link that was good once: it was used, it is too old, or this course has another kind (read by its owner)."""


class Invalid(ReviewkitError):
    """What was sent cannot be taken as it is; `field` names the first field to look at (read by its writer)."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Conflict(ReviewkitError):
    """Somebody else was first: look again; nothing of one's own text is lost (read by the writer)."""


class Missing(ReviewkitError):
    """There is no such thing, or not for this person (read by that person)."""


class ConfigError(ReviewkitError):
    """The course's files hold mistakes; `mistakes` lists each with its file and place (read by the instructor)."""

    def __init__(self, message: str, *, mistakes: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join((message, *(f"  {mistake}" for mistake in mistakes))))
        self.mistakes = mistakes


class FeedError(ReviewkitError):
    """A site could not be read; `url` says which (read by its owner and the instructor).

    `wrong`: the address itself is a mistake (it shows a web page, no feed), so that waiting will not help.
    `wait`: seconds for which the site asked to be left in peace. `gone`: the site said that it is gone for good.
    """

    def __init__(self, message: str, *, url: str, wrong: bool = False, wait: float = 0.0, gone: bool = False) -> None:
        super().__init__(message)
        self.url, self.wrong, self.wait, self.gone = url, wrong, wait, gone


class StoreError(ReviewkitError):
    """The database did not do it; the driver's error is the cause (read by the operator)."""


class SheetError(ReviewkitError):
    """The spreadsheet could not be read or written; the store is unharmed (read by the instructor)."""


class MailError(ReviewkitError):
    """A letter could not be sent; nobody's address is in the message (read by the operator)."""


class TooOften(ReviewkitError):
    """The same thing was tried too often; `seconds` says when the next try counts (read by whoever tried)."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class ServiceError(ReviewkitError):
    """A page could not reach the course service (read by whoever looks at the page)."""
