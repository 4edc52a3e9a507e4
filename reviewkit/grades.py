"""How a grade looks and what levels amount to: plain arithmetic, on whole judgements.

A *share* is a percentage of what the rubric (or the scale) can give at most. A *scale* is `0-100`, `levels` (no number
anywhere) or a tuple of letters, best first.
"""

import math
from collections.abc import Sequence
from statistics import median as middle
from typing import Literal

from reviewkit.errors import Invalid
from reviewkit.model import Judgement, Rubric

Scale = Literal["0-100", "levels"] | tuple[str, ...]

NEAR = 5.0
"""Self and the peers' median are close up to this distance, in percent."""
WIDE = 20.0
"""Peers disagree where their shares are further apart than this, in percent."""
APART = 10.0
"""Self and the peers' median are far apart beyond this distance, in percent."""

_TINY = 1e-9  # shares are sums of floats: 5.000000000000001 is 5


def parse_grade(text: str, scale: Scale) -> str:
    """The grade as it is kept: "82", a listed letter, or empty on `levels`. Raises Invalid (field "grade")."""
    typed = text.strip()
    if scale == "levels":
        if typed:
            raise Invalid("This course has no grades, only levels. Leave the grade empty.", field="grade")
        return ""
    if isinstance(scale, tuple):
        for letter in scale:
            if letter.casefold() == typed.casefold():
                return letter
        raise Invalid(f"The grade must be one of {', '.join(scale)}.", field="grade")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 3 and int(typed) <= 100):
        raise Invalid("The grade must be a whole number from 0 to 100.", field="grade")
    return str(int(typed))


def share(judgements: Sequence[Judgement], rubric: Rubric) -> float:
    """What levels amount to: sum of weight x points of the level / sum of weight x highest points, in percent.

    Levels without points count as equally spaced (1, 2, ... from the lowest). Only judged criteria count. Raises
    ValueError where nothing of the rubric was judged.
    """
    points = _points(rubric)
    weights = {each.id: each.weight for each in rubric.criteria}
    counted = [(weights[each.criterion], points[each.level]) for each in judgements if each.criterion in weights]
    most = sum(weight * points[-1] for weight, _ in counted)
    if not most:
        raise ValueError("nothing of this rubric was judged")
    return 100 * sum(weight * reached for weight, reached in counted) / most


def equally_spaced(rubric: Rubric) -> bool:
    """Whether the page must say that levels count as equally spaced, because the rubric gives no points."""
    return any(each.points is None for each in rubric.levels)


def share_of_grade(grade: str, scale: Scale) -> float | None:
    """A grade in percent; letters are equally spaced. None on `levels` and for a grade that is not of the scale."""
    try:
        kept = parse_grade(grade, scale)
    except Invalid:
        return None
    if isinstance(scale, tuple):
        return 100 * (len(scale) - scale.index(kept)) / len(scale)
    return float(kept) if kept else None


def grade_of_share(share: float, scale: Scale) -> str:
    """The grade nearest to a percentage (of two letters equally near, the better one); empty on `levels`."""
    if scale == "levels":
        return ""
    if isinstance(scale, tuple):
        return min(scale, key=lambda letter: round(abs((share_of_grade(letter, scale) or 0.0) - share), 6))
    return str(min(100, max(0, math.floor(share + 0.5 + _TINY))))


def suggestion(judgements: Sequence[Judgement], rubric: Rubric, scale: Scale) -> str:
    """The grades that these levels speak for, such as "76 to 84"; empty on `levels` or before the first judgement.

    Levels are coarse: half a step on one criterion of average weight, either way, is still the same levels.
    """
    known = {each.id for each in rubric.criteria}
    if scale == "levels" or not any(each.criterion in known for each in judgements):
        return ""
    points = _points(rubric)
    step = (points[-1] - points[0]) / (len(points) - 1) / points[-1]
    half = 100 * step / len(rubric.criteria) / 2
    here = share(judgements, rubric)
    low, high = max(0.0, here - half), min(100.0, here + half)
    if isinstance(scale, tuple):
        lowest, highest = grade_of_share(low, scale), grade_of_share(high, scale)
    else:
        lowest, highest = str(math.floor(low + _TINY)), str(math.ceil(high - _TINY))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def median(shares: Sequence[float]) -> float | None:
    """The median of the peers' shares; None without any."""
    return float(middle(shares)) if shares else None


def spread(shares: Sequence[float]) -> tuple[float, float] | None:
    """The lowest and the highest of the peers' shares; None without any."""
    return (min(shares), max(shares)) if shares else None


def is_close(
    own: float | None,
    peers: Sequence[float],
    judgements: Sequence[Judgement],
    reviews: Sequence[Sequence[Judgement]],
    scale: Scale,
) -> bool:
    """Whether self and peers are so close that the instructor may accept this one together with others.

    `own` is the share of the author's standing proposal and `judgements` its levels; `peers` and `reviews` are the same
    of each review. Without a review nothing is close. On `levels` every peer is within one level of the author for
    every criterion; on letters the author's is the letter of the peers' median.
    """
    if not peers or not reviews:
        return False
    if scale == "levels":
        mine = {each.criterion: each.level for each in judgements}
        return all(
            each.criterion in mine and abs(mine[each.criterion] - each.level) <= 1
            for review in reviews
            for each in review
        )
    if own is None or max(peers) - min(peers) > WIDE + _TINY:
        return False
    centre = float(middle(peers))
    if isinstance(scale, tuple):
        return grade_of_share(own, scale) == grade_of_share(centre, scale)
    return abs(own - centre) <= NEAR + _TINY


def flags(own: float | None, peers: Sequence[float], scale: Scale = "0-100") -> tuple[str, ...]:
    """What the instructor should look at: "Far apart" (self and the peers' median), "Wide range" (among the peers).

    Letters are coarse: there, far apart is more than one letter, if that is more than the usual distance.
    """
    if not peers:
        return ()
    found = []
    apart = max(APART, 100 / len(scale)) if isinstance(scale, tuple) else APART
    if own is not None and abs(own - float(middle(peers))) > apart + _TINY:
        found.append("Far apart")
    if max(peers) - min(peers) > WIDE + _TINY:
        found.append("Wide range")
    return tuple(found)


def _points(rubric: Rubric) -> list[float]:
    given = [each.points for each in rubric.levels if each.points is not None]
    return given if len(given) == len(rubric.levels) else [float(n) for n in range(1, len(rubric.levels) + 1)]
