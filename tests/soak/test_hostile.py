"""Every hostile site with the real limits: alone within 25 s and 200 MB; all together beside fifty good ones."""

from collections.abc import Iterator, Mapping

import pytest

from reviewkit.feeds.fetch import SECONDS
from tests.hostile import (
    COSTLY_DOCUMENTS,
    WORDS_OF_THE_DOCUMENT,
    WORDS_OF_THE_NET,
    Hosting,
    Site,
    good,
    hosting,
)
from tests.test_feeds_hostile import Report, as_if_nothing_was, pulled_beside_each_other

pytestmark = pytest.mark.soak

ALL: Mapping[str, tuple[Site, str]] = WORDS_OF_THE_NET | WORDS_OF_THE_DOCUMENT | COSTLY_DOCUMENTS


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    with hosting(tmp_path_factory.mktemp("hosts")) as hosts:
        yield hosts


def beside(hosts: Hosting, *names: str, good_ones: int) -> Report:
    fine = {f"good-{n}": hosts.put(f"good-{n}.example", good(f"Good {n}")) for n in range(good_ones)}
    bad = {name: hosts.put(f"{name}.example", ALL[name][0]) for name in names}
    return pulled_beside_each_other(hosts, bad | fine, seconds=SECONDS)


@pytest.mark.parametrize("name", ALL)
def test_each_costs_at_most_25_seconds_and_200_megabytes(hosts: Hosting, name: str) -> None:
    report = beside(hosts, name, good_ones=2)
    as_if_nothing_was(report)
    assert report.feeds[name]["seconds"] < 25
    assert report.peak < 200


@pytest.mark.timeout(300)
def test_fifty_good_sites_are_pulled_as_if_nothing_was_beside_all_of_them(hosts: Hosting) -> None:
    report = beside(hosts, *ALL, good_ones=50)
    as_if_nothing_was(report)
    assert max(each["seconds"] for person, each in report.feeds.items() if person.startswith("good-")) < 60
    assert report.peak < 300, "of all of them together"


def test_a_class_of_bombs_costs_no_more_memory_than_a_few(hosts: Hosting) -> None:
    bomb = ALL["gzip-bomb"][0]
    many = {f"bomb-{n}": hosts.put(f"bomb-{n}.example", bomb) for n in range(60)}
    fine = {f"good-{n}": hosts.put(f"good-{n}.example", good(f"Good {n}")) for n in range(10)}
    report = pulled_beside_each_other(hosts, many | fine, seconds=SECONDS)
    as_if_nothing_was(report)
    assert report.peak < 200
