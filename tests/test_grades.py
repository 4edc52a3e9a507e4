"""What levels amount to, and what a grade looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewkit import grades, rubric
from reviewkit.errors import Invalid
from reviewkit.model import Judgement, Rubric

FOUR = rubric.parse(
    "| C | Beginning | Developing | Secure | Extending |\n|---|---|---|---|---|\n"
    + "".join(f"| {name} | a | b | c | d |\n" for name in ("Claim", "Evidence", "Craft", "Connection")),
    name="four",
)
POINTS = rubric.parse(
    "| C | Weak (0) | Fair (1) | Strong (4) |\n|---|---|---|---|\n| Method (x3) | a | b | c |\n| Style | a | b | c |\n",
    name="points",
)
LETTERS = ("A", "B", "C", "D", "F")


def levels(of: Rubric, *chosen: int) -> list[Judgement]:
    return [Judgement(criterion=each.id, level=level) for each, level in zip(of.criteria, chosen, strict=False)]


@pytest.mark.parametrize(
    ("typed", "scale", "kept"),
    [
        ("82", "0-100", "82"),
        (" 082 ", "0-100", "82"),
        ("0", "0-100", "0"),
        ("100", "0-100", "100"),
        ("b", LETTERS, "B"),
        ("", "levels", ""),
    ],
)
def test_a_grade_is_kept_in_one_form(typed: str, scale: grades.Scale, kept: str) -> None:
    assert grades.parse_grade(typed, scale) == kept


@pytest.mark.parametrize(
    ("typed", "scale"),
    [("", "0-100"), ("101", "0-100"), ("-1", "0-100"), ("8.5", "0-100"), ("٨٢", "0-100"), ("82%", "0-100"),
     ("1" * 5000, "0-100"), ("E", LETTERS), ("", LETTERS), ("82", "levels")],
)  # fmt: skip
def test_a_grade_that_the_scale_does_not_have_is_refused_at_its_field(typed: str, scale: grades.Scale) -> None:
    with pytest.raises(Invalid) as caught:
        grades.parse_grade(typed, scale)
    assert caught.value.field == "grade"


def test_levels_without_points_count_as_equally_spaced() -> None:
    assert grades.share(levels(FOUR, 2, 2, 2, 2), FOUR) == 75
    assert grades.share(levels(FOUR, 0, 0, 0, 0), FOUR) == 25
    assert grades.share(levels(FOUR, 3, 3, 3, 3), FOUR) == 100
    assert grades.equally_spaced(FOUR)
    assert not grades.equally_spaced(POINTS)


def test_points_and_weights_count() -> None:
    # Method counts three times: (3 x 1 + 1 x 4) of (3 x 4 + 1 x 4).
    assert grades.share(levels(POINTS, 1, 2), POINTS) == pytest.approx(100 * 7 / 16)
    assert grades.share(levels(POINTS, 0, 0), POINTS) == 0


def test_only_judged_criteria_count_and_something_must_be_judged() -> None:
    assert grades.share(levels(POINTS, 2), POINTS) == 100
    with pytest.raises(ValueError, match="nothing"):
        grades.share([], POINTS)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_share_is_a_percentage_that_rises_with_every_level(chosen: list[int]) -> None:
    here = grades.share(levels(FOUR, *chosen), FOUR)
    assert 0 <= here <= 100
    for place, level in enumerate(chosen):
        if level < 3:
            better = [*chosen[:place], level + 1, *chosen[place + 1 :]]
            assert grades.share(levels(FOUR, *better), FOUR) > here


@given(st.sampled_from(["0-100", LETTERS]), st.integers(0, 100))
def test_a_grade_becomes_a_share_and_the_same_grade_again(scale: grades.Scale, number: int) -> None:
    grade = LETTERS[number % 5] if isinstance(scale, tuple) else str(number)
    share = grades.share_of_grade(grade, scale)
    assert share is not None
    assert grades.grade_of_share(share, scale) == grade


def test_on_levels_there_is_no_number_anywhere() -> None:
    assert grades.share_of_grade("", "levels") is None
    assert grades.grade_of_share(80, "levels") == ""
    assert grades.suggestion(levels(FOUR, 2, 2, 2, 2), FOUR, "levels") == ""


def test_something_that_is_no_grade_has_no_share() -> None:
    assert grades.share_of_grade("excellent", "0-100") is None
    assert grades.share_of_grade("", "0-100") is None


def test_halves_go_up_and_of_two_letters_the_better_one_wins() -> None:
    assert grades.grade_of_share(74.5, "0-100") == "75"
    assert grades.grade_of_share(90, LETTERS) == "A"


def test_levels_suggest_a_range_of_half_a_step() -> None:
    assert grades.suggestion(levels(FOUR, 2, 2, 2, 3), FOUR, "0-100") == "78 to 85"
    assert grades.suggestion(levels(FOUR, 3, 3, 3, 3), FOUR, "0-100") == "96 to 100"
    assert grades.suggestion([], FOUR, "0-100") == ""
    assert grades.suggestion(levels(FOUR, 3, 3, 2, 3), FOUR, LETTERS) == "A"
    assert grades.suggestion(levels(FOUR, 3, 2, 2, 2), FOUR, LETTERS) == "B"
    assert grades.suggestion(levels(FOUR, 2, 2, 1, 2), FOUR, LETTERS) == "C to B"


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_the_suggestion_holds_what_the_levels_amount_to(chosen: list[int]) -> None:
    low, _, high = grades.suggestion(levels(FOUR, *chosen), FOUR, "0-100").partition(" to ")
    assert int(low) <= grades.share(levels(FOUR, *chosen), FOUR) <= int(high or low)


def test_median_and_spread_of_nobody_are_nothing() -> None:
    assert grades.median([]) is None
    assert grades.spread([]) is None
    assert grades.median([70, 90, 80]) == 80
    assert grades.median([70, 80]) == 75
    assert grades.spread([70, 90, 80]) == (70, 90)


# -- close: may be accepted together with others


@pytest.mark.parametrize(
    ("own", "peers", "close"),
    [
        (82, [79, 74, 84], True),
        (84, [79, 74, 84], True),  # five from the median is still close
        (84.1, [79, 74, 84], False),
        (80, [70, 80, 90], True),  # a range of twenty is still close
        (80, [69, 80, 90], False),
        (80, [], False),
        (None, [80], False),
    ],
)
def test_close_is_within_five_of_the_median_and_a_range_of_twenty(
    own: float | None, peers: list[float], close: bool
) -> None:
    reviews = [levels(FOUR, 2, 2, 2, 2) for _ in peers]
    assert grades.is_close(own, peers, levels(FOUR, 2, 2, 2, 2), reviews, "0-100") is close


def test_on_levels_close_is_every_criterion_within_one_level() -> None:
    own = levels(FOUR, 2, 2, 2, 2)
    near, far = levels(FOUR, 1, 3, 2, 2), levels(FOUR, 2, 2, 2, 0)
    assert grades.is_close(75, [75], own, [near], "levels")
    assert not grades.is_close(75, [75, 62], own, [near, far], "levels")
    assert not grades.is_close(75, [], own, [], "levels")


def test_on_letters_close_is_the_letter_of_the_median() -> None:
    review = levels(FOUR, 2, 2, 2, 2)
    assert grades.is_close(80, [75, 81], review, [review, review], LETTERS)
    assert not grades.is_close(100, [75, 81], review, [review, review], LETTERS)


def test_shares_that_are_sums_of_floats_do_not_miss_the_line_by_a_hair() -> None:
    review = levels(FOUR, 2, 2, 2, 2)
    assert grades.is_close(80.00000000001, [75.0], review, [review], "0-100")


# -- flags: what the instructor should look at


@pytest.mark.parametrize(
    ("own", "peers", "flags"),
    [
        (90, [55, 68, 75], ("Far apart",)),
        (66, [74, 80, 88], ("Far apart",)),
        (60, [45, 56, 72], ("Wide range",)),
        (90, [40, 60, 70], ("Far apart", "Wide range")),
        (70, [66, 73, 78], ()),
        (None, [70, 72], ()),
        (90, [], ()),
    ],
)
def test_flags_name_distance_and_disagreement(own: float | None, peers: list[float], flags: tuple[str, ...]) -> None:
    assert grades.flags(own, peers) == flags


def test_a_letter_is_not_far_apart_for_being_coarse() -> None:
    assert grades.flags(100, [85], LETTERS) == ()
    assert grades.flags(100, [75], LETTERS) == ("Far apart",)


@given(st.floats(0, 100), st.lists(st.floats(0, 100), min_size=1, max_size=7))
def test_what_is_close_is_never_flagged(own: float, peers: list[float]) -> None:
    review = levels(FOUR, 2, 2, 2, 2)
    if grades.is_close(own, peers, review, [review] * len(peers), "0-100"):
        assert grades.flags(own, peers) == ()
