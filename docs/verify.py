"""Verify an export of turns, with Python 3.11 and nothing else. The recipe that this follows is in verify.md.

reviewkit export --what turns --out turns.json
python3 verify.py turns.json
"""

import hashlib
import json
import sys
from datetime import UTC, datetime

COVERED = ("submission", "sequence", "kind", "by", "via", "salt", "previous")
ERASED = "[erased]"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def same(sealed, shown, salts):
    """Whether the row shows what was sealed; words are compared by their digest."""
    if isinstance(sealed, dict) and isinstance(shown, str):
        salt = salts.get(sealed["text"])
        return shown == ERASED if salt is None else sha256(bytes.fromhex(salt) + shown.encode()) == sealed["text"]
    if isinstance(sealed, dict):
        if not isinstance(shown, dict) or any(shown[key] for key in shown.keys() - sealed.keys()):
            return False
        return all(key in shown and same(sealed[key], shown[key], salts) for key in sealed)
    if isinstance(sealed, list):
        if not isinstance(shown, list) or len(sealed) != len(shown):
            return False
        return all(same(one, other, salts) for one, other in zip(sealed, shown, strict=True))
    return type(sealed) is type(shown) and sealed == shown


def mistake(turn, number, previous):
    """What is wrong with a turn that stands at this place after a turn with that digest; empty when it holds."""
    body = {key: turn[key] for key in COVERED} | {"what": turn["sealed"]}
    body["at"] = datetime.fromisoformat(turn["at"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    written = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    common = {*COVERED, "id", "at", "digest", "sealed", "salts"}
    if (turn["sequence"], turn["previous"]) != (number, previous):
        return "the turn before it is missing, or is another one"
    if turn["digest"] != sha256(written.encode()):
        return "its digest does not hold"
    if not same(turn["sealed"], {key: turn[key] for key in turn if key not in common}, turn["salts"]):
        return "its words or values are not those that were sealed"
    return ""


def main(path):
    dialogues = {}
    with open(path, encoding="utf-8") as file:
        for turn in json.load(file):
            dialogues.setdefault(turn["submission"], []).append(turn)
    broken = 0
    for submission, turns in dialogues.items():
        previous = ""
        for number, turn in enumerate(turns):
            try:
                wrong = mistake(turn, number, previous)
            except (KeyError, TypeError, ValueError, AttributeError):
                wrong = "it is not whole"
            if wrong:
                broken += 1
                print(f"{submission}: the first broken link is turn {number}, {turn.get('id')}: {wrong}.")
                break
            previous = turn["digest"]
        else:
            print(f"{submission}: {len(turns)} turns, whole; the last digest is {previous}.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
