"""What a page's process waits for besides its own socket: served by the light kernel, in its one thread.

A kernel that knows nothing of this list (the stock one of JupyterLab) leaves it alone; then a page shows what others
did after its next act, or when it is opened again.
"""

from typing import Protocol


class Source(Protocol):
    """Something that says when it wants to be woken."""

    due: float
    """At the latest then (monotonic seconds); infinity: not before there is something to read."""

    def fileno(self) -> int:
        """What is watched for something to read; -1: nothing just now."""

    def wake(self) -> None:
        """There is something to read, or the time has come. Never blocks and never raises."""


SOURCES: list[Source] = []
