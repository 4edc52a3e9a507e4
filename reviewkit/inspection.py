"""`reviewkit check`: what a course needs from this machine, tried before anybody waits for it. Changes nothing."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reviewkit import chain, mail
from reviewkit.config import CourseFiles, Mail
from reviewkit.errors import ReviewkitError, SheetError, StoreError
from reviewkit.store import open_store


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was tried: what, whether it holds, and a sentence about it."""

    what: str
    good: bool
    text: str


def inspect(files: CourseFiles) -> list[Finding]:
    """Try the store, the chain of its dialogues, the sheet's key file and the mail server."""
    counts = ", ".join(
        f"{number:,} {one if number == 1 else many}"
        for number, one, many in (
            (len(files.people), "person", "people"),
            (len(files.setup.assignments), "assignment", "assignments"),
            (len(files.rubrics), "rubric", "rubrics"),
        )
    )
    found = [
        Finding(what="files", good=True, text=counts),
        *(Finding(what="files", good=True, text=f"Note: {warning}") for warning in files.warnings),
        _tried("store", lambda: _store(files.local.database)),
    ]
    if files.local.spreadsheet:
        found.append(_tried("sheet", lambda: _key(files.local.google_key)))
    server = files.local.mail
    if server is not None:
        found.append(_tried("mail", lambda: _mail(server)))
    return found


def _tried(what: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, good=True, text=attempt())
    except ReviewkitError as error:
        return Finding(what=what, good=False, text=str(error))


def _store(url: str) -> str:
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///").partition("?")[0])
        if not path.exists():
            if not os.access(path.parent, os.W_OK):
                raise StoreError(f"The database {path} cannot be made: nothing may be written into {path.parent}.")
            return f"{path} will be made by the first command"
    store = open_store(url)
    try:
        if store.setup() is None:
            return "can be reached, and is empty: the first command fills it from these files"
        dialogues = store.dialogues()
        for dialogue in dialogues:
            broken = chain.first_broken(store.bare_turns(dialogue.submission.id))
            if broken is not None:
                raise StoreError(
                    f"The chain of submission {dialogue.submission.id} breaks at turn {broken.sequence} ({broken.id}): "
                    "it, or one before it, was changed outside reviewkit. Restore the database from a copy, or ask who "
                    "edited it."
                )
        turns = sum(len(each.turns) for each in dialogues)
        return f"can be reached; {len(dialogues):,} dialogues with {turns:,} turns, and every digest holds"
    finally:
        store.close()


def _key(path: Path | None) -> str:
    if path is None:
        raise SheetError("[sheet] names a spreadsheet, but REVIEWKIT_GOOGLE_KEY does not name the key file.")
    try:
        mode, text = stat.S_IMODE(path.stat().st_mode), path.read_text("utf-8")
        key = json.loads(text)
    except (OSError, ValueError) as error:
        raise SheetError(f"The key file {path} cannot be read as a service account's key.") from error
    if mode & 0o077:
        raise SheetError(f"The key file {path} can be read by others: run chmod 600 on it.")
    if not isinstance(key, dict) or "private_key" not in key or "client_email" not in key:
        raise SheetError(f"The key file {path} is not a service account's key.")
    return f"the key is there; share the spreadsheet with {key['client_email']}"


def _mail(server: Mail) -> str:
    mail.try_out(server)
    return f"{server.host}:{server.port} answers, and lets us in"
