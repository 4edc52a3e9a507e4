"""How a bug is told to the log."""

import traceback


def told(bug: BaseException) -> str:
    """Where it happened and what class it has, without its message: that may hold somebody's words. So with what led
    to it."""
    lines = list[str]()
    while bug is not None and len(lines) < 10:
        lines.append(f"{type(bug).__name__}\n{''.join(traceback.format_tb(bug.__traceback__))}")
        bug = bug.__cause__ or (None if bug.__suppress_context__ else bug.__context__)  # type: ignore[assignment]
    return "after ".join(lines)
