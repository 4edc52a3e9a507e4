"""Events that a page sends: read where they are plain JSON, and taken in the shape that their handler expects."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from reviewkit.errors import Invalid

Shape = TypeVar("Shape")
DEEPEST = 20
"""Objects in objects that an event may hold; those of our pages have five."""
UNREADABLE = "The page sent something that cannot be read."


def plain(body: bytes) -> dict[str, Any]:
    """A JSON object as our pages send it. Raises Invalid for all else, among it what other readers of JSON trip over:
    numbers that are none, endless nesting, the name that means something to a browser's objects."""
    try:
        value = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Invalid(UNREADABLE) from error
    inside = [value]
    for _ in range(DEEPEST):
        if any(isinstance(each, dict) and "__proto__" in each for each in inside):
            break
        inside = [
            inner
            for each in inside
            for inner in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not inside and isinstance(value, dict):
            return value
    raise Invalid(UNREADABLE)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def taken(event: Mapping[str, Any], shape: type[Shape]) -> Shape:
    """An event as a frozen value; what it holds beyond the shape is left aside. Raises Invalid when it does not fit."""
    try:
        return msgspec.convert(event, shape)
    except msgspec.ValidationError as error:
        message = "This page sent something that we cannot read. Your text is kept; reload the page and send it again."
        raise Invalid(message) from error
