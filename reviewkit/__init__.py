"""reviewkit: students' tagged posts become grades that they propose, peers discuss blind, and an instructor signs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reviewkit.course import Course
    from reviewkit.remote import RemoteCourse

__all__ = ["__version__", "open_course"]
__version__ = "0.1.0"


def open_course(path: "str | Path | None" = None) -> "Course | RemoteCourse":
    """Open the course of a course file (default: `course.toml`, or what REVIEWKIT_COURSE names).

    On a page it is the same course at the other end of a socket, as the person who opened the page. Raises
    ConfigError when the files hold mistakes and StoreError when the database cannot be reached.
    """
    if path is None and "REVIEWKIT_SOCKET" in os.environ:
        from reviewkit.remote import RemoteCourse

        return RemoteCourse.from_environment()
    from reviewkit.opening import open_local

    return open_local(Path(path or os.environ.get("REVIEWKIT_COURSE", "course.toml")))
