"""OPML: a list of feeds goes out and comes back, and is matched to people by id or name alone."""

import pytest

from reviewkit import opml
from reviewkit.errors import Invalid
from reviewkit.model import Feed
from tests.cast import ANN, BOB, PEOPLE


def test_what_is_written_is_read_back_for_the_same_people() -> None:
    feeds = [
        Feed(person="ann", url="https://a.example/f?x=1&y=<2>", title='Ann\'s "notes" & more'),
        Feed(person="bob", url="https://b.example/f"),
    ]
    lines = opml.read(opml.write("Data & Stories", PEOPLE, feeds), PEOPLE)
    assert [(each.url, each.person) for each in lines] == [(feeds[0].url, ANN), (feeds[1].url, BOB)]


def test_a_feed_is_somebodys_by_their_id_or_name_and_never_by_a_part_of_it() -> None:
    rows = [("ann", ANN), ("ANN  lindqvist", ANN), ("Ann", ANN), ("Lindqvist", None), ("Somebody", None)]
    outlines = "".join(f'<outline text="{name}" xmlUrl="https://{n}.example/f"/>' for n, (name, _) in enumerate(rows))
    lines = opml.read(f'<opml version="1.0"><body>{outlines}</body></opml>', PEOPLE)
    assert [each.person for each in lines] == [person for _, person in rows]


@pytest.mark.parametrize("text", ["", "no list", "<html></html>", '<!DOCTYPE x [<!ENTITY a "b">]><opml/>'])
def test_what_is_no_list_is_refused_in_words(text: str) -> None:
    with pytest.raises(Invalid):
        opml.read(text, PEOPLE)
