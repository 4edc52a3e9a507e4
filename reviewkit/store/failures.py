"""What a driver says, as one sentence for the operator. The driver's error stays as the cause; no password is shown."""

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reviewkit.errors import StoreError

SQLITE = {
    "SQLITE_BUSY": "is locked by another program; nothing was changed, try again when that program is done",
    "SQLITE_LOCKED": "is locked by another program; nothing was changed, try again when that program is done",
    "SQLITE_READONLY": "is read-only; nothing was changed, make the file and its folder writable for this user",
    "SQLITE_NOTADB": "is not a database; it was left as it is, name another file or move this one away",
    "SQLITE_CORRUPT": "is damaged; stop every program that uses it and restore the last backup",
    "SQLITE_CANTOPEN": "cannot be opened; check that its folder exists and that this user may write there",
    "SQLITE_FULL": "has no room left on its disk; nothing was changed, make room and try again",
    "SQLITE_IOERR": "cannot be read or written because the disk fails; nothing was changed, check the disk",
}
"""By the beginning of SQLite's own error name."""

POSTGRESQL = {
    "25006": "is read-only; nothing was changed, connect to the server that takes writes",
    "55P03": "is locked by another program; nothing was changed, try again when that program is done",
    "40": "was busy with the same rows; nothing was changed, try again",
    "42501": "does not let this user do that; nothing was changed, grant the user its own schema",
    "53": "has no room or no free connection left; nothing was changed, try again later",
    "57P": "is shutting down or starting up; nothing was changed, try again in a moment",
}
"""By the beginning of the SQLSTATE."""

UNREACHABLE = (
    "cannot be reached or does not let this user in; nothing was changed, "
    "check the address, the user and the password, and that the server runs"
)


def place(url: URL) -> str:
    """Where the data is, for a sentence: the file, or the database and its host. Never the user or the password."""
    if url.get_backend_name() == "sqlite":
        return f"The database {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    port = f":{url.port}" if url.port else ""
    return f"The database {url.database or ''} on {host if isinstance(host, str) else ', '.join(host)}{port}"


def told(error: SQLAlchemyError, where: str) -> Exception:
    """The StoreError for what a driver raised; raise it `from error`. A bug in a value stays the bug that it is."""
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        return error.orig
    return StoreError(f"{where} {_reason(error)}.")


def _reason(error: SQLAlchemyError) -> str:
    if isinstance(error, PoolTimeout):
        return "has no free connection; nothing was changed, try again in a moment"
    if not isinstance(error, DBAPIError):
        return f"could not be used ({type(error).__name__}); nothing was changed"
    name = getattr(error.orig, "sqlite_errorname", None)
    state = getattr(error.orig, "sqlstate", None)
    for known, code in ((SQLITE, name), (POSTGRESQL, state)):
        for beginning, words in known.items():
            if code is not None and code.startswith(beginning):
                return words
    if error.connection_invalidated or (isinstance(error, OperationalError) and name is None and state is None):
        return UNREACHABLE
    return f"refused what was asked of it ({name or state or type(error.orig).__name__}); nothing was changed"
