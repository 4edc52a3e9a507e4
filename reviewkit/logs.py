"""The log: a line an event, as JSON where no terminal reads it, and never anybody's words.

Modules write with `logging` as everybody does, and give fields as `extra=`. What keeps words out is here, in one place:
an exception tells its class and where it happened, not its message; of other packages only their fixed texts are
written, not what they put into them; a person is a salted hash. What a field holds is up to who writes it: names of
screens and events of ours, numbers, never a text that came from a browser or a blog.
"""

import contextvars
import copy
import hashlib
import json
import logging
import os
import re
import sys
import threading
from typing import Any, TextIO

from reviewkit.bugs import told
from reviewkit.errors import Conflict, Invalid, Missing, NotAllowed, ReviewkitError

OURS = "reviewkit"
TO_PEOPLE = (NotAllowed, Conflict, Missing, Invalid)
"""Errors whose sentence is for the person who asked, and may repeat what they said."""
REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="")
"""The id of the request that is being answered; empty outside of one."""
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)

_salt = os.urandom(16)


def set_up(salt: bytes = b"", *, stream: TextIO | None = None, small: bool = False) -> None:
    """Write this process's log to standard error (or `stream`). With the same salt a person has the same hash in
    every process and after every start. `small`: for a page's process."""
    global _salt
    _salt = hashlib.blake2b(salt, person=b"log").digest() if salt else _salt
    stream = stream or sys.stderr
    terminal = stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Wordless(Plain() if small else _structured(terminal=terminal)))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(OURS).setLevel(logging.INFO)
    requests = logging.getLogger(f"{OURS}.requests")
    requests.setLevel(logging.WARNING if terminal else logging.INFO)
    sys.excepthook = lambda kind, bug, trace: logging.getLogger(OURS).critical("Ended by a bug", exc_info=bug)
    threading.excepthook = lambda ended: logging.getLogger(OURS).critical(
        "A thread ended by a bug", exc_info=ended.exc_value or ended.exc_type()
    )


def person(id: str) -> str:
    """The person of an event: the same for all their events, and of no use to somebody without the salt."""
    return hashlib.blake2b(id.encode(), key=_salt[:64], digest_size=6).hexdigest()


def begin_request(given: str = "") -> str:
    """From here on the log tells of a request; gives its id: the given one where it is one."""
    id = given if _ID.fullmatch(given) else os.urandom(8).hex()
    REQUEST.set(id)
    return id


class Wordless(logging.Formatter):
    """Hands records on after their words were taken out."""

    def __init__(self, then: logging.Formatter) -> None:
        super().__init__()
        self.then = then

    def format(self, record: logging.LogRecord) -> str:
        return self.then.format(without_words(record))


class Plain(logging.Formatter):
    """For pages' processes, which shall stay small: the same lines with less."""

    def format(self, record: logging.LogRecord) -> str:
        said = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        return json.dumps(said | ({"trace": record.trace} if hasattr(record, "trace") else {}), ensure_ascii=False)


def _structured(*, terminal: bool) -> logging.Formatter:
    import structlog

    last: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if terminal:
        last = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )


def without_words(record: logging.LogRecord) -> logging.LogRecord:
    """A copy that tells what happened and repeats nothing that anybody wrote."""
    record = copy.copy(record)
    ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    if not ours:
        record.msg, record.args = _fixed(str(record.msg)), ()
    elif isinstance(record.args, tuple):
        record.args = tuple(map(_harmless, record.args))
    bug = record.exc_info[1] if record.exc_info else None
    record.exc_info, record.exc_text, record.stack_info = None, None, None
    if bug is not None:
        record.trace = told(bug)
    if request := REQUEST.get():
        record.request = request
    return record


def _fixed(text: str) -> str:
    """What another package says without what it speaks of: some put their words in before they call us."""
    return re.split(r"[\n(:'\"{]", text, maxsplit=1)[0][:200].strip()


def _harmless(value: object) -> object:
    """Sentences to the operator pass; other exceptions are named by their class."""
    if isinstance(value, BaseException) and (not isinstance(value, ReviewkitError) or isinstance(value, TO_PEOPLE)):
        return type(value).__name__
    return value
