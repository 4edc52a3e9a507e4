"""How a bug is told to the log."""

import tokenize  # noqa: F401 (Python 3.13 opens it only to tell of a bug: too late where that is "too many open files")
import traceback


def told(bug: BaseException) -> str:
    """Where it happened and what class it has, without its message: that may hold somebody's words. So with what led
    to it."""
    lines = list[str]()
    while bug is not None and len(lines) < 10:
        lines.append(f"{type(bug).__name__}\n{''.join(traceback.format_tb(bug.__traceback__))}")
        bug = bug.__cause__ or (None if bug.__suppress_context__ else bug.__context__)  # type: ignore[assignment]
    return "after ".join(lines)
