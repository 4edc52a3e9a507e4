"""The chain that proves a dialogue whole: every turn's digest covers its own content and the digest before it.

Recipe (docs/verify.md tells a stranger how to follow it with an export of turns, docs/verify.py does it). All JSON is
canonical: keys sorted, no spaces, UTF-8, no escapes but those that JSON needs. All digests are SHA-256, in hexadecimal.

1. Every text of a person is replaced by `{"text": D}` with D = SHA-256(salt + text), salt being 16 random bytes of
   its own. Texts and their salts stand apart, so that they can be erased by right: D stays, and the chain holds.
2. The body of a turn is `{"submission", "sequence", "kind", "by", "at", "via", "salt", "previous", "what"}`.
3. The digest of the turn is SHA-256(canonical JSON of the body); `previous` of the first turn is empty.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from reviewkit.model import KIND_OF, KINDS, Said, Turn, What

TEXTS = frozenset(
    {"note", "quote", "strengths", "improvements", "suggestions", "text", "changed", "reason", "recognised"}
)
"""The fields of turns that hold words of a person, or a list of them."""

ERASED = "[erased]"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A person's words in a row of their own; `text` is None once they were erased."""

    digest: str
    salt: str
    text: str | None


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What a stranger needs to verify a turn that they can read.

    `rest` is what its digest covers (see `split`); `salts` has the salt of each text by its digest, of those only that
    were not erased.
    """

    rest: Mapping[str, Any]
    salts: Mapping[str, str]


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sealed(text: str) -> Text:
    """The words with a fresh salt and the digest that stands for them in the turn."""
    salt = secrets.token_hex(16)
    return Text(digest=text_digest(salt, text), salt=salt, text=text)


def text_digest(salt: str, text: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


def split(what: What) -> tuple[dict[str, Any], list[Text]]:
    """Take the words out of a turn: (what is left, with a digest in place of each text; the texts)."""
    texts: list[Text] = []

    def walk(key: str, value: object) -> object:
        if key in TEXTS and isinstance(value, str) and value:
            texts.append(sealed(value))
            return {"text": texts[-1].digest}
        if isinstance(value, Mapping):
            return {inner: walk(inner, each) for inner, each in value.items()}
        if isinstance(value, list | tuple):
            return [walk(key, each) for each in value]
        return value

    rest = walk("", msgspec.to_builtins(what))
    assert isinstance(rest, dict)
    return rest, texts


def text_digests(value: object, key: str = "") -> Iterator[str]:
    """The digests that stand for texts in a turn without its words."""
    if key in TEXTS and isinstance(value, Mapping):
        yield str(value.get("text"))
    elif isinstance(value, Mapping):
        for inner, each in value.items():
            yield from text_digests(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from text_digests(each, key)


def joined(kind: str, rest: Mapping[str, Any], find: Callable[[str], str | None]) -> What:
    """Put the words back into a turn; `find` gives the text of a digest, None where it was erased."""

    def walk(key: str, value: object) -> object:
        if key in TEXTS and isinstance(value, Mapping):
            text = find(value["text"])
            return ERASED if text is None else text
        if isinstance(value, Mapping):
            return {inner: walk(inner, each) for inner, each in value.items()}
        if isinstance(value, list):
            return [walk(key, each) for each in value]
        return value

    whole = {key: walk(key, value) for key, value in rest.items()}
    what: What = msgspec.convert(whole, KINDS[kind])
    return what


def instant(at: datetime) -> str:
    """An instant as the chain writes it: UTC, microseconds, Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def body(
    submission: str, sequence: int, said: Said, rest: Mapping[str, Any], salt: str, previous: str
) -> dict[str, Any]:
    """What a turn's digest covers. `rest` is the turn without its words (see `split`)."""
    return {
        "submission": submission,
        "sequence": sequence,
        "kind": KIND_OF[type(said.what)],
        "by": said.by,
        "at": instant(said.at),
        "via": said.via,
        "salt": salt,
        "previous": previous,
        "what": rest,
    }


def digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()


def first_broken(turns: Iterable[tuple[Turn, Mapping[str, Any]]]) -> Turn | None:
    """The first turn of a dialogue whose digest, sequence or `previous` does not hold; None when all do.

    Each turn comes with its stored `rest` (the turn without its words).
    """
    previous = ""
    for sequence, (turn, rest) in enumerate(turns):
        expected = digest(body(turn.submission, turn.sequence, turn, rest, turn.salt, turn.previous))
        if turn.sequence != sequence or turn.previous != previous or turn.digest != expected:
            return turn
        previous = turn.digest
    return None
