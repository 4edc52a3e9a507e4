"""Whether two views show the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

UNTOLD = ("draft", "seed")
"""What a view may hold that is no change: the words that its own page is typing, a number drawn for a plan."""


def mark_of(view: Mapping[str, Any]) -> str:
    """A word for what a view shows: the same for the same."""
    return hashlib.sha256(json.dumps(_told(view), sort_keys=True).encode()).hexdigest()[:32]


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _told(each) for name, each in value.items() if name not in UNTOLD}
    return [_told(each) for each in value] if isinstance(value, list) else value
