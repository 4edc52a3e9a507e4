"""How a bug is told to the log."""

import traceback


def told(bug: BaseException) -> str:
    """Where it happened and what class it has, without its message: that may hold somebody's words."""
    return f"{type(bug).__name__}\n{''.join(traceback.format_tb(bug.__traceback__))}"
