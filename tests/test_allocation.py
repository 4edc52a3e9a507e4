"""Who reviews whom: exact, random, and honest about what could not be."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.allocation import Known, allocate


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
    made = allocate(authors, people, 3, seed=seed, known=Known(excluded=excluded))
    assert not any(frozenset(edge) in excluded for edge in edges(authors, made.pairs))


def test_pairs_of_an_earlier_round_are_not_repeated_while_another_is_possible() -> None:
    authors = a_class(12)
    people = list(authors.values())
    first = allocate(authors, people, 3, seed=1)
    past = edges(authors, first.pairs)
    second = allocate(authors, people, 3, seed=2, known=Known(past=past))
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
    assert allocate(authors, people, 3, seed=8, known=Known(existing=made.pairs)).pairs == ()


def test_somebody_who_comes_late_is_woven_in_and_no_pair_moves() -> None:
    authors = a_class(12)
    made = allocate(authors, list(authors.values()), 3, seed=7)
    authors["RK-LATE"] = "late"
    more = allocate(authors, list(authors.values()), 3, seed=8, known=Known(existing=made.pairs))
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
    made = allocate(authors, people, 3, seed=1, known=Known(excluded=excluded))
    assert any("student0" in sentence for sentence in made.relaxed)


def test_before_the_first_freeze_there_is_nothing_to_allocate() -> None:
    assert allocate({}, [], 3, seed=1).relaxed == ("No submission is frozen yet, so there is nothing to review.",)


def test_a_submission_that_left_still_counts_for_who_reviewed_it() -> None:
    authors = a_class(8)
    people = list(authors.values())
    made = allocate(authors, people, 2, seed=3)
    gone = "RK-00000000"
    left = {submission: author for submission, author in authors.items() if submission != gone}
    known = Known(existing=made.pairs, others=authors)
    more = allocate(left, list(left.values()), 2, seed=4, known=known)
    load = Counter(reviewer for _, reviewer in (*made.pairs, *more.pairs))
    assert all(load[reviewer] == 2 for submission, reviewer in made.pairs if submission == gone)


@settings(deadline=None)
@given(n=st.integers(12, 30), k=st.integers(1, 3), seed=st.integers(0, 2**63), data=st.data())
def test_who_withdraws_leaves_slots_that_others_fill_and_what_was_given_stays(
    n: int, k: int, seed: int, data: st.DataObject
) -> None:
    authors = a_class(n)
    made = allocate(authors, list(authors.values()), k, seed=seed)
    gone = data.draw(st.sets(st.sampled_from(list(authors.values())), max_size=3))
    given = data.draw(st.sets(st.sampled_from(list(made.pairs)), max_size=n))
    left = {submission: author for submission, author in authors.items() if author not in gone}
    counted = {
        (submission, reviewer)
        for submission, reviewer in made.pairs
        if (submission, reviewer) in given or (submission in left and reviewer not in gone)
    }
    spent = set(made.pairs) - counted
    known = Known(existing=counted, others=authors, spent=spent)
    more = allocate(left, list(left.values()), k, seed=seed + 1, known=known)
    assert not set(more.pairs) & set(made.pairs)
    assert all(submission in left and reviewer not in gone for submission, reviewer in more.pairs)
    got = Counter(submission for submission, _ in (*counted, *more.pairs))
    gave = Counter(reviewer for _, reviewer in (*counted, *more.pairs))
    assert all(got[submission] == k for submission in left)
    assert all(gave[reviewer] <= k + 1 for reviewer in left.values())
    assert bool([each for each in left.values() if gave[each] > k]) == any(
        "one review more" in said for said in more.relaxed
    )
    again = Known(existing=counted | set(more.pairs), others=authors, spent=spent)
    assert allocate(left, list(left.values()), k, seed=seed + 2, known=again).pairs == ()


@settings(deadline=None)
@given(n=st.integers(3, 14), k=st.integers(1, 5), seed=st.integers(0, 2**63), data=st.data())
def test_whatever_happened_before_nothing_unlawful_is_laid_and_what_was_relaxed_is_said(
    n: int, k: int, seed: int, data: st.DataObject
) -> None:
    authors = a_class(n)
    people, works = list(authors.values()), list(authors)
    pairs = st.sets(st.tuples(st.sampled_from(works), st.sampled_from(people)), max_size=2 * n)
    two = st.lists(st.sampled_from(people), min_size=2, max_size=2, unique=True).map(frozenset)
    existing, spent = data.draw(pairs), data.draw(pairs)
    known = Known(
        excluded=data.draw(st.sets(two, max_size=n)),
        past=data.draw(st.sets(st.tuples(st.sampled_from(people), st.sampled_from(people)), max_size=n)),
        existing=existing,
        spent=spent,
        full=data.draw(st.sets(st.sampled_from(works), max_size=n)),
    )
    made = allocate(authors, people, k, seed=seed, known=known)
    assert not set(made.pairs) & (existing | spent)
    assert len(set(made.pairs)) == len(made.pairs)
    had = Counter(submission for submission, _ in existing)
    got = Counter(submission for submission, _ in (*existing, *made.pairs))
    gave, before = Counter(reviewer for _, reviewer in (*existing, *made.pairs)), Counter(who for _, who in existing)
    for submission, reviewer in made.pairs:
        assert authors[submission] != reviewer
        assert frozenset((authors[submission], reviewer)) not in known.excluded
        assert submission not in known.full
    assert all(got[submission] <= max(made.count, had[submission]) for submission in works)
    assert all(gave[person] <= max(made.count + 1, before[person]) for person in people)
    said = " ".join(made.relaxed)
    assert any(got[each] < made.count for each in works if each not in known.full) == ("could not be placed" in said)
    who = edges(authors, (*existing, *made.pairs))
    new = edges(authors, made.pairs)
    assert any((author, reviewer) in who for reviewer, author in new) == ("review each other" in said)
    assert bool(new & set(known.past)) == ("in an earlier round" in said)
