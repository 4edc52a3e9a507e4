"""Every mistake of the course's files, collected with its place, so that all of them are listed at once."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from reviewkit.errors import ConfigError

LISTED = 50
"""Mistakes shown at once; a file that is wrong in every row has one reason, not twenty thousand."""


class Mistakes:
    """What is wrong so far."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int, str]] = []

    def add(self, file: str, line: int, text: str) -> None:
        """Note a mistake; line 0 stands for the file as a whole."""
        self.found.append((file, line, text))

    def take(self, error: ConfigError) -> None:
        """Note mistakes that already name their place."""
        self.found += [("", 0, text) for text in error.mistakes or (str(error),)]

    def raise_any(self) -> None:
        """Raise ConfigError with all of them, if there are any."""
        if not self.found:
            return
        files = list(dict.fromkeys(file for file, _, _ in self.found))
        ordered = sorted(dict.fromkeys(self.found), key=lambda each: (files.index(each[0]), each[1]))
        listed = [_sentence(*each) for each in ordered]
        total = len(listed)
        if total > LISTED:
            listed[LISTED:] = [f"and {total - LISTED:,} more"]
        many = "one mistake" if total == 1 else f"{total:,} mistakes"
        raise ConfigError(f"The course's files hold {many}; nothing was changed:", mistakes=tuple(listed))


def _sentence(file: str, line: int, text: str) -> str:
    if not file:
        return text
    return f"{file}, line {line}: {text}" if line else f"{file}: {text}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the nearest known word, or the known ones where none is near."""
    words = list(known)
    near = get_close_matches(word.casefold(), words, n=1, cutoff=0.6)
    if near:
        return f"; did you mean “{near[0]}”?"
    return f"; known are: {', '.join(words)}" if words else ""


def read_text(path: Path, limit: int) -> str:
    """The text of a file of at most `limit` bytes. Raises ConfigError in one sentence."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > limit:
        raise ConfigError(f"{path} is larger than {limit:,} bytes, which is more than this file ever needs.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: this is not UTF-8 text; save the file as UTF-8.") from error
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise ConfigError(f"{path}, line {line}: there is a NUL character, which no text needs; remove it.")
    return text
