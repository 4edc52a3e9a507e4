"""Names to write under."""

from collections import Counter

from reviewkit.needles import COMMON
from reviewkit.pseudonyms import ADJECTIVES, LIVING, fresh


class Crowded:
    """As if every name of two words were taken."""

    def __contains__(self, name: object) -> bool:
        return len(str(name).split()) == 2


def test_there_are_enough_words_for_a_large_course() -> None:
    assert len(set(ADJECTIVES)) == len(ADJECTIVES) >= 100
    assert len(set(LIVING)) == len(LIVING) >= 150
    assert not set(ADJECTIVES) & set(LIVING)
    assert all(word.isalpha() and word.istitle() for word in (*ADJECTIVES, *LIVING))


def test_words_are_told_apart_at_a_glance_and_are_nobodys_name() -> None:
    for words in (ADJECTIVES, LIVING):
        assert max(Counter(word[:4] for word in words).values()) == 1
        assert not {word.casefold() for word in words} & COMMON
        assert all(len(word) <= 12 for word in words)


def test_a_name_is_two_words_and_never_one_that_is_taken() -> None:
    taken: set[str] = set()
    for _ in range(500):
        name = fresh(taken)
        adjective, living = name.split()
        assert adjective in ADJECTIVES
        assert living in LIVING
        assert name not in taken
        taken.add(name)


def test_a_crowded_course_gets_names_of_three_different_words() -> None:
    first, second, living = fresh(Crowded()).split()
    assert {first, second} <= set(ADJECTIVES)
    assert first != second
    assert living in LIVING


def test_two_draws_are_not_the_same_list() -> None:
    assert [fresh(()) for _ in range(8)] != [fresh(()) for _ in range(8)]


def test_no_word_of_a_pseudonym_is_in_the_names_and_addresses_of_the_course() -> None:
    told = "quiet water foxglove.example otter@college.example https://maple.example/feed"
    names = [fresh(set(), told) for _ in range(3000)]
    assert not {"quiet", "foxglove", "otter", "maple"} & {word.casefold() for name in names for word in name.split()}


def test_with_no_word_left_there_is_still_a_pseudonym() -> None:
    assert fresh(set(), " ".join((*ADJECTIVES, *LIVING)).casefold())
