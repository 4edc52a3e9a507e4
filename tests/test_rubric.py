"""Rubrics as students write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewkit import rubric
from reviewkit.errors import ConfigError, Invalid
from reviewkit.model import TEXT_LIMIT, Judgement, Rubric

PLAIN = """\
# Data stories

Mark what the post does.

| Criterion | Beginning | Secure | Extending |
| --- | --- | --- | --- |
| Claim | None yet. | One claim. | One claim, with limits. |
| Fair use | Copied. | Credited. | Credited, and **why** it is `fair`. |

## Fair use

Whose picture is it?
May it be shown?
"""

POINTS = """\
# Report

| Criterion | Weak (0) | Fair (1.5) | Strong (4) |
| --- | --- | --- | --- |
| Method (x2) | a | b | c |
| Style | a | b | c |
"""


def table(*rows: str, head: str = "| Criterion | Low | High |") -> str:
    return "\n".join(["# A rubric", "", head, re.sub(r"[^|]+", " --- ", head), *rows, ""])


def mistakes(source: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        rubric.parse(source, name="mine")
    return caught.value.mistakes


def read(source: str = PLAIN) -> Rubric:
    return rubric.parse(source, name="mine")


def read_or_refused(source: str) -> Rubric | ConfigError:
    try:
        return rubric.parse(source, name="any")
    except ConfigError as error:
        return error


def test_a_title_some_words_and_a_table_make_a_rubric() -> None:
    found = read()
    assert (found.name, found.title, found.words) == ("mine", "Data stories", "Mark what the post does.")
    assert [(each.name, each.points) for each in found.levels] == [
        ("Beginning", None),
        ("Secure", None),
        ("Extending", None),
    ]
    assert [(each.id, each.name, each.weight) for each in found.criteria] == [
        ("claim", "Claim", 1.0),
        ("fair-use", "Fair use", 1.0),
    ]
    assert found.criteria[1].descriptions == ("Copied.", "Credited.", "Credited, and why it is fair.")


def test_a_section_below_the_table_is_the_question_of_its_criterion() -> None:
    found = read()
    assert [each.question for each in found.criteria] == ["", "Whose picture is it? May it be shown?"]


def test_levels_may_have_points_and_criteria_a_weight() -> None:
    found = read(POINTS)
    assert [(each.name, each.points) for each in found.levels] == [("Weak", 0.0), ("Fair", 1.5), ("Strong", 4.0)]
    assert [(each.name, each.weight) for each in found.criteria] == [("Method", 2.0), ("Style", 1.0)]


def test_words_in_brackets_belong_to_a_name() -> None:
    found = read(table("| Voice (your own) | a | b |", head="| Criterion | Late | Meets (in time) |"))
    assert found.levels[1].name == "Meets (in time)"
    assert found.criteria[0].name == "Voice (your own)"


def test_a_bar_can_be_written_inside_a_text() -> None:
    assert read(table("| Code | `a \\| b` | c |")).criteria[0].descriptions[0] == "a | b"


def test_markup_is_shown_as_text_and_never_as_html() -> None:
    found = read(table("| <b>Bold</b> | <script>alert(1)</script> | [a link](https://x.example) |"))
    assert found.criteria[0].descriptions == ("<script>alert(1)</script>", "a link")


def test_the_digest_does_not_depend_on_line_endings_or_blanks_at_line_ends() -> None:
    other = "\ufeff" + PLAIN.replace("\n", "  \r\n") + "\r\n\r\n"
    assert read(other).digest == read().digest
    assert read(PLAIN.replace("One claim.", "One claim!")).digest != read().digest


@given(st.text(max_size=300))
def test_any_text_is_a_rubric_or_a_list_of_mistakes_with_lines(text: str) -> None:
    found = read_or_refused(text)
    if isinstance(found, ConfigError):
        assert all(re.match(r"rubrics/any\.md, line \d+: ", each) for each in found.mistakes)


@given(st.lists(st.text(max_size=30), min_size=6, max_size=6))
def test_any_text_in_a_table_s_cells_is_read_or_refused_in_words(cells: list[str]) -> None:
    source = (
        f"| C | {cells[0]} | {cells[1]} |\n|---|---|---|\n| {cells[2]} | {cells[3]} | {cells[4]} |\n\n## {cells[5]}\n"
    )
    found = read_or_refused(source)
    if isinstance(found, ConfigError):
        assert found.mistakes
    else:
        assert all(len(each.descriptions) == len(found.levels) for each in found.criteria)


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("# Only words\n", 1, "there is no table"),
        ("# T\n\n| A | B | C |\n| 1 | 2 | 3 |\n", 3, "line of dashes"),
        (table("| X | a | b |") + "\n| C | D |\n| --- | --- |\n| a | b |\n", 7, "second table"),
        (table("| X | a |  |"), 5, "the level “High” of “X” is empty"),
        (table("| X | a |"), 5, "the level “High” of “X” is empty"),
        (table("|  | a | b |"), 5, "the name of the criterion is empty"),
        (table("| X | a | b | c |"), 5, "more cells than the table has columns"),
        (table("| X | a | b |", "| x | c | d |"), 6, "stands in line 5 already"),
        (table("| X | a | b |", head="| Criterion | Low |  |"), 3, "the name of level 2 is empty"),
        (table("| X | a | b |", head="| Criterion | Same | same |"), 3, "twice"),
        (table("| X | a | b |", head="| Criterion | Low (1) | High |"), 3, "“High” have none"),
        (table("| X | a | b |", head="| Criterion | Low (3) | High (1) |"), 3, "do not rise"),
        (table("| X | a | b |", head="| Criterion | Low (1) | High (2,5) |"), 3, "“(2,5)” are no points"),
        (table("| X | a | b |", head="| Criterion | Low (-1) | High (2) |"), 3, "“(-1)” are no points"),
        (table("| X (x0) | a | b |"), 5, "“(x0)” is no weight"),
        (table("| X (2) | a | b |"), 5, "such as “X (x2)”"),
        (table("| ?! | a | b |"), 5, "no letter or digit"),
        (table("| X | a |", head="| Criterion | Only |"), 3, "this one has 1"),
        (table(), 3, "the table has no rows"),
        (table(f"| X | {'a' * 1001} | b |"), 5, "longer than 1,000 characters"),
        (table("| X | a | b |") + f"\n## X\n\n{'why ' * 200}\n", 7, "longer than 400 characters"),
        (table("| X | a | b |") + "\n## X\n\nOne?\n\n## x\n\nTwo?\n", 11, "in line 7 already"),
        ("# T\n\nA NUL \x00 inside\n\n| C | a | b |\n| --- | --- | --- |\n| X | a | b |\n", 3, "NUL"),
    ],
)
def test_a_mistake_is_named_with_its_line(source: str, line: int, words: str) -> None:
    found = mistakes(source)
    assert any(each.startswith(f"rubrics/mine.md, line {line}: ") and words in each for each in found), found


def test_all_mistakes_are_listed_at_once() -> None:
    found = mistakes(table("| X | a |  |", "| X (2) | a | b |", head="| Criterion | Low (1) | High |"))
    assert len(found) == 4
    assert found == tuple(sorted(found, key=lambda each: int(re.findall(r"line (\d+)", each)[0])))


def test_eight_levels_are_too_many() -> None:
    head = "| C |" + "".join(f" L{number} |" for number in range(8))
    assert any("this one has 8" in each for each in mistakes(table("| X |" + " a |" * 8, head=head)))


def test_a_rubric_that_is_no_rubric_but_a_book_is_refused_in_words() -> None:
    assert "at most 100,000 are read" in mistakes("a" * 200_000)[0]


# -- judgements against a rubric


def judged(**levels: int) -> list[Judgement]:
    return [Judgement(criterion=criterion.replace("_", "-"), level=level) for criterion, level in levels.items()]


def test_a_whole_evaluation_passes() -> None:
    rubric.check(read(), judged(claim=0, fair_use=2), complete=True)


def test_a_draft_may_lack_criteria_and_an_evaluation_may_not() -> None:
    rubric.check(read(), judged(claim=1), complete=False)
    with pytest.raises(Invalid, match="Choose a level for Fair use") as caught:
        rubric.check(read(), judged(claim=1), complete=True)
    assert caught.value.field == "level-fair-use"


@pytest.mark.parametrize("level", [-1, 3, 99])
def test_a_level_that_the_rubric_does_not_have_is_refused(level: int) -> None:
    with pytest.raises(Invalid, match="Beginning, Secure, Extending") as caught:
        rubric.check(read(), judged(claim=level), complete=False)
    assert caught.value.field == "level-claim"


def test_a_criterion_that_is_not_there_or_is_there_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="no criterion “poetry”"):
        rubric.check(read(), judged(poetry=0), complete=False)
    with pytest.raises(Invalid, match="judged twice"):
        rubric.check(read(), judged(claim=0) + judged(claim=1), complete=False)


@pytest.mark.parametrize("part", ["note", "quote"])
def test_a_text_that_is_too_long_is_refused_and_not_cut(part: str) -> None:
    long = Judgement(criterion="claim", level=0, **{part: "a" * (TEXT_LIMIT + 1)})
    with pytest.raises(Invalid, match="Nothing was cut") as caught:
        rubric.check(read(), [long], complete=False)
    assert caught.value.field == "note-claim"


# -- versions


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (PLAIN, "same"),
        (PLAIN.replace("One claim.", "One clear claim."), "wording"),
        (PLAIN.replace("Whose picture", "Whose photograph"), "wording"),
        (PLAIN.replace("| Beginning |", "| Seed |"), "wording"),
        (PLAIN.replace("| Claim |", "| Thesis |"), "structure"),
        (PLAIN.replace("| Claim |", "| Claim (x2) |"), "structure"),
        (re.sub(r"\| Extending \|", "| Extending | More |", PLAIN).replace("limits. |", "limits. | m |"), "structure"),
    ],
)
def test_wording_and_structure_are_told_apart(new: str, change: str) -> None:
    if change == "structure" and "More" in new:
        new = new.replace("| --- | --- | --- | --- |", "| --- | --- | --- | --- | --- |").replace(
            "`fair`. |", "fair | m |"
        )
    assert rubric.compare(read(), read(new)) == change
