"""A whole class of real sites, pulled as any class is: every post arrives, and no site stops another."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reviewkit.course import Course
from reviewkit.errors import FeedError
from reviewkit.feeds.parse import parse
from reviewkit.model import Person
from reviewkit.rubric import parse as rubric
from reviewkit.store import Store
from tests.blogs import fake_blogs
from tests.cast import RUBRIC, Clock, a_setup

SHARED = Path(__file__).parents[2] / "shared" / "feeds"
CRAFTED = ("crafted", "expected")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real feeds are not beside this checkout")
def test_a_class_of_real_sites_is_pulled_whole_and_twice_changes_nothing(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What their links lead to is the internet, where no test goes.
    monkeypatch.setattr("reviewkit.feeds.further.is_excerpt", lambda entry, summary: False)
    monkeypatch.setattr("reviewkit.course.Album", lambda *_: None)  # without an album pictures become words
    documents = sorted(path for path in SHARED.glob("*/*") if path.parent.name not in CRAFTED and path.is_file())
    with fake_blogs() as blogs:
        people, expected = [], dict[str, int]()
        for number, path in enumerate(documents):
            kind = "application/feed+json" if path.suffix == ".json" else "application/xml"
            # The address of a tag's feed: every post in it carries the tag.
            place = f"/{number}/tag/datastories/feed/"
            url = blogs.show(place, path.read_bytes(), content_type=kind)
            people.append(Person(id=f"student{number}", name=f"Student {number}", feeds=(url,)))
            try:
                entries = parse(path.read_bytes(), url=url, content_type=kind).entries
                # Some of these feeds repeat a post word for word: it arrives once.
                expected[people[-1].id] = len({(each.guid, each.link, each.digest) for each in entries})
            except FeedError:
                expected[people[-1].id] = 0
        sqlite_store.keep_course(replace(a_setup(), starts=None), people, [rubric(RUBRIC, name="data-stories")])
        course = Course(sqlite_store, clock=Clock(), allow_private=True)
        first = course.pull()
        kept = Counter(post.person for post in sqlite_store.posts())
        second = course.pull()
    assert len(first) == len(documents) > 100
    failed = {pulled.person for pulled in first if pulled.outcome == "failed"}
    assert failed == {person for person, count in expected.items() if not count}
    assert {person: kept[person] for person in expected} == expected
    assert not any(pulled.new or pulled.changed for pulled in second)
    assert Counter(post.person for post in sqlite_store.posts()) == kept
