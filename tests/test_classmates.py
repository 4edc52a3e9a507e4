"""Whom a text names: people of the class, and nobody who only shares a name with them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewkit.classmates import CLASSMATE, CLASSMATES_SITE, Classmates
from reviewkit.masking import Others, identity, mask, mask_text
from reviewkit.model import Person
from tests.cast import ANN, BOB, CYD, DOT
from tests.test_masking import revision

ELLA = Person(id="ella", name="Ella-Maria van der Berg", feeds=("https://social.example/@ellab",))
MAY = Person(id="may", name="May Rose")
LI = Person(id="li", name="李小龍")
ZOE = Person(id="zoe", name="Zoë Müller")
JOHN = Person(id="john", name="John Dewar")
PEOPLE = (ANN, BOB, CYD, DOT, ELLA, MAY, LI, ZOE, JOHN)
CLASS = Classmates({each.id: identity(each, (), ()) for each in PEOPLE})


def named(text: str, *but: str) -> list[str]:
    return [text[each.start : each.end] for each in CLASS.named(text, but=but)]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Bob Okonjo and Cyd wrote it.", ["Bob Okonjo", "Cyd"]),
        ("As OKONJO, BOB said", ["OKONJO, BOB"]),
        ("bob okonjo said", ["bob okonjo"]),
        ("Then Bob said: Bob's right", ["Bob", "Bob"]),
        ("Marchetti thinks so", ["Marchetti"]),
        ("my friend Ella-Maria", ["Ella-Maria"]),
        ("Ella Berg rows", ["Ella Berg"]),
        ("Mueller and Zoe", ["Mueller", "Zoe"]),
        ("ask @bob or okonjo@parrotpost.example", ["@bob", "okonjo@parrotpost.example"]),
        ("@ellab@social.example wrote", ["@ellab"]),
        ("我和李小龍", ["李小龍"]),
        ("May Rose was there", ["May Rose"]),
        ("B\u200bob Ok\u00adonjo", ["B\u200bob Ok\u00adonjo"]),
    ],
)
def test_people_of_the_class_are_found_however_they_are_written(said: str, found: list[str]) -> None:
    assert [each.lstrip("@") for each in named(said)] == [each.lstrip("@") for each in found]


@pytest.mark.parametrize(
    "said",
    [
        "the bobbin, the cydonia, a dot on the map",
        "In May the rose bloomed. May I? May was cold.",
        "dot com",
        "it was sung by Elton John",
        "we read John Dewey",
        "Dewar (2019) and Dewar et al. found",
        "Berg is a mountain",
        "van der Waals forces",
    ],
)
def test_who_only_shares_a_name_or_a_word_is_left_alone(said: str) -> None:
    assert named(said) == []


def test_somebody_who_is_no_secret_is_left_alone_and_so_is_whoever_shares_their_name() -> None:
    class_ = Classmates({"a": identity(Person(id="a", name="Ann Lee"), (), ()), "b": identity(BOB, (), ())})
    assert [each.person for each in class_.named("Ann, Lee and Bob", but=("a",))] == ["b"]
    two = Classmates({each.id: identity(each, (), ()) for each in (ANN, Person(id="x", name="Ann Otterby"))})
    assert two.named("Ann said", but=("ann",)) == []
    assert [each.person for each in two.named("Ann Otterby said", but=("ann",))] == ["x"]


def test_in_a_blind_copy_people_of_the_class_and_their_sites_are_marked() -> None:
    said = '<p>I asked Bob Okonjo, who <a href="https://tidepool.example/x">wrote about it</a>; Ann did not.</p>'
    found = mask(revision(said), identity(ANN, (), ()), others=Others(CLASS, frozenset(("ann",))))
    assert found.html == f"<p>I asked {CLASSMATE}, who wrote about it {CLASSMATES_SITE}; [author] did not.</p>"
    assert found.replaced == ("https://tidepool.example/x", "Bob Okonjo", "Ann")


def test_the_authors_name_is_the_authors_even_where_a_classmate_has_it_too() -> None:
    class_ = Classmates({each.id: identity(each, (), ()) for each in (ANN, Person(id="x", name="Ann Otterby"))})
    others = Others(class_, frozenset(("ann",)))
    assert mask_text("Ann and Ann Otterby", identity(ANN, (), ()), others=others) == f"[author] and {CLASSMATE}"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_any_text_and_any_names_can_be_looked_through(text: str, names: list[str]) -> None:
    class_ = Classmates({str(at): identity(Person(id=str(at), name=name), (), ()) for at, name in enumerate(names)})
    found = class_.named(text + " ".join(names))
    assert found == sorted(found)
    assert all(first.end <= second.start for first, second in pairwise(found))
