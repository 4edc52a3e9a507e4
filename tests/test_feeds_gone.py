"""What a feed lists, pull after pull: what falls off its end is not lost, what leaves its middle is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewkit.listing import (
    FIRST,
    MOST,
    ONCE,
    SHOWN,
    TWICE,
    Listed,
    again,
    compared,
    folded,
    gone,
    key,
    read,
    without,
    write,
)


def shown(names: str) -> list[Listed]:
    return [Listed(f"m{name}", key(name)) for name in names]


def after(*pulls: str) -> dict[str, int]:
    """How each item stands after these pulls; a letter is an item, the newest first."""
    items: list[Listed] = []
    for pull in pulls:
        items = compared(items, shown(pull)) if pull != "=" else again(items)
    names = {key(name): name for pull in pulls for name in pull}
    return {names[item.guid]: item.missing for item in items}


@pytest.mark.parametrize(
    ("pulls", "lost"),
    [
        (("abc", "abc"), {}),
        (("abc", "nabc", "mnab", "omna"), {}),  # a feed of the last ones
        (("abc", "ac"), {"b": ONCE}),
        (("abc", "ac", "ac"), {"b": TWICE}),
        (("abc", "ac", "="), {"b": TWICE}),  # "nothing has changed" says that it is missing still
        (("abc", "ac", "abc"), {}),
        (("abc", "ac", "abc", "ac"), {"b": ONCE}),
        (("abc", "nac", "nac"), {"b": TWICE}),
        (("abc", "bc", "bc"), {"a": FIRST}),  # the first place says nothing by itself
        (("abc", "bc", "nbc", "nbc"), {"a": TWICE}),
        (("abc", "ab", "ab"), {}),  # from the end: there is no room for it any more
        (("abc", "xyz", "xyz"), {}),  # all new: a feed that was replaced, or a month away
        (("abcd", "ad", "ad"), {"b": TWICE, "c": TWICE}),
        (("abc", "ac", "ac", "ac"), {}),  # what was gone has been told
        (("abc", "cba", "cba"), {}),
        (("abc", ""), {}),
    ],
)
def test_a_post_is_gone_when_it_is_missing_from_the_middle_twice(pulls: tuple[str, ...], lost: dict[str, int]) -> None:
    assert {name: missing for name, missing in after(*pulls).items() if missing != SHOWN} == lost


def test_a_post_that_is_declared_deleted_is_gone_at_once_listed_or_not() -> None:
    items = without(shown("ab"), ["a", "z"])
    assert gone(write(items)) == {key("a"), key("z")}


def test_what_is_gone_is_forgotten_at_the_next_pull() -> None:
    assert gone(write(compared(without(shown("ab"), ["z"]), shown("ab")))) == set()


names = st.sampled_from([key("a"), key("b")])
listings = st.lists(st.builds(Listed, st.sampled_from(["", "m1"]), names, st.just(""), st.integers(0, 3)))


@given(listings)
def test_a_listing_reads_as_it_was_written(items: list[Listed]) -> None:
    assert read(write(items)) == items


def test_a_listing_is_bounded_and_what_is_no_listing_is_passed_over() -> None:
    assert len(read(write(shown("x") * (MOST + 5)))) == MOST
    assert read("nonsense\n1 2 3 x\n\n") == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://i.example/a", "https://www.i.example/a/?utm_source=rss", True),
        ("https://i.example/?p=5", "https://i.example/?p=6", False),
        ("https://medium.example/@bo/x?source=rss-1------2", "https://medium.example/@bo/x", True),
        ("https://i.example:443/a", "http://i.example:80/a", True),
        ("https://i.example/notes#1", "https://i.example/notes#2", False),
        ("https://i.example/A", "https://i.example/a", False),
        ("https://i.example/a?b=1&fbclid=x", "https://i.example/a?b=1", True),
    ],
)
def test_links_are_the_same_without_what_tells_no_post(one: str, other: str, same: bool) -> None:
    assert (folded(one) == folded(other)) == same
