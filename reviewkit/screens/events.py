"""Events that a page sends, taken in the shape that their handler expects."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from reviewkit.errors import Invalid

Shape = TypeVar("Shape")


def taken(event: Mapping[str, Any], shape: type[Shape]) -> Shape:
    """An event as a frozen value; what it holds beyond the shape is left aside. Raises Invalid when it does not fit."""
    try:
        return msgspec.convert(event, shape)
    except msgspec.ValidationError as error:
        message = "This page sent something that we cannot read. Your text is kept; reload the page and send it again."
        raise Invalid(message) from error
