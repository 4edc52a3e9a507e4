"""Who reviews whom: exact, random, and honest about what could not be."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.allocation import allocate


def a_class(n: int) -> dict[str, str]:
    return {f"RK-{i:08}": f"student{i}" for i in range(n)}


def edges(authors: dict[str, str], pairs: tuple[tuple[str, str], ...]) -> set[tuple[str, str]]:
    return {(reviewer, authors[submission]) for submission, reviewer in pairs}


@settings(deadline=None)
@given(n=st.integers(3, 40), k=st.integers(1, 5), seed=st.integers(0, 2**63))
def test_everybody_gives_and_gets_exactly_k_and_nobody_reviews_themselves(n: int, k: int, seed: int) -> None:
    authors = a_class(n)
    made = allocate(authors, list(authors.values()), k, seed=seed)
    exactly = min(k, n - 1)
    assert set(Counter(submission for submission, _ in made.pairs).values()) == {exactly}
    assert set(Counter(reviewer for _, reviewer in made.pairs).values()) == {exactly}
    assert all(authors[submission] != reviewer for submission, reviewer in made.pairs)
    assert len(set(made.pairs)) == len(made.pairs)
    assert bool(made.relaxed) >= (exactly < k)


@settings(deadline=None)
@given(k=st.integers(1, 4), more=st.integers(0, 20), seed=st.integers(0, 2**63))
def test_no_two_people_review_each_other_where_that_can_be_avoided(k: int, more: int, seed: int) -> None:
    authors = a_class(2 * k + 1 + more)
    made = allocate(authors, list(authors.values()), k, seed=seed)
    who = edges(authors, made.pairs)
    assert not any((author, reviewer) in who for reviewer, author in who)
    assert made.relaxed == ()


@settings(deadline=None)
@given(n=st.integers(8, 30), seed=st.integers(0, 2**63), data=st.data())
def test_exclusions_are_never_relaxed(n: int, seed: int, data: st.DataObject) -> None:
    authors = a_class(n)
    people = list(authors.values())
    pair = st.lists(st.sampled_from(people), min_size=2, max_size=2, unique=True).map(frozenset)
    excluded = data.draw(st.sets(pair, max_size=6))
    made = allocate(authors, people, 3, seed=seed, excluded=excluded)
    assert not any(frozenset(edge) in excluded for edge in edges(authors, made.pairs))


def test_pairs_of_an_earlier_round_are_not_repeated_while_another_is_possible() -> None:
    authors = a_class(12)
    people = list(authors.values())
    first = allocate(authors, people, 3, seed=1)
    past = edges(authors, first.pairs)
    second = allocate(authors, people, 3, seed=2, past=past)
    assert not past & edges(authors, second.pairs)
    assert second.relaxed == ()


def test_the_same_seed_gives_the_same_allocation_and_another_seed_another() -> None:
    authors = a_class(12)
    people = list(authors.values())
    assert allocate(authors, people, 3, seed=7) == allocate(authors, people, 3, seed=7)
    assert allocate(authors, people, 3, seed=7).pairs != allocate(authors, people, 3, seed=8).pairs


def test_running_it_again_changes_nothing_that_is_there() -> None:
    authors = a_class(12)
    people = list(authors.values())
    made = allocate(authors, people, 3, seed=7)
    assert allocate(authors, people, 3, seed=8, existing=made.pairs).pairs == ()


def test_somebody_who_comes_late_is_woven_in_and_no_pair_moves() -> None:
    authors = a_class(12)
    made = allocate(authors, list(authors.values()), 3, seed=7)
    authors["RK-LATE"] = "late"
    more = allocate(authors, list(authors.values()), 3, seed=8, existing=made.pairs)
    assert not set(more.pairs) & set(made.pairs)
    assert [authors[submission] for submission, _ in more.pairs] == ["late"] * 3
    load = Counter(reviewer for _, reviewer in (*made.pairs, *more.pairs))
    assert max(load.values()) == 4
    assert any("one review more" in sentence for sentence in more.relaxed)


@pytest.mark.parametrize("n", [1, 2])
def test_a_class_of_one_or_two_is_told_that_blind_review_is_impossible(n: int) -> None:
    made = allocate(a_class(n), list(a_class(n).values()), 3, seed=1)
    assert made.pairs == ()
    assert "impossible" in made.relaxed[0]
    assert "instructor's own review" in made.relaxed[0]


def test_a_small_class_lowers_k_and_says_so() -> None:
    made = allocate(a_class(3), list(a_class(3).values()), 3, seed=1)
    assert made.count == 2
    assert "2 instead of 3" in made.relaxed[0]


def test_exclusions_that_make_it_impossible_are_named() -> None:
    authors = a_class(4)
    people = list(authors.values())
    excluded = {frozenset((people[0], other)) for other in people[1:]}
    made = allocate(authors, people, 3, seed=1, excluded=excluded)
    assert any("student0" in sentence for sentence in made.relaxed)


def test_before_the_first_freeze_there_is_nothing_to_allocate() -> None:
    assert allocate({}, [], 3, seed=1).relaxed == ("No submission is frozen yet, so there is nothing to review.",)
