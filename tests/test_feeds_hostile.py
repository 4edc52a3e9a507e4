"""A class with hostile sites among it: each is refused in words, soon and cheaply, and the others notice nothing.

The pull runs in a process of its own with the guard on; `tests.hostile` says what each site does. Shrunk limits here,
the real ones and fifty good sites in tests/soak/test_hostile.py.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reviewkit.errors import FeedError
from reviewkit.feeds.addresses import PrivateAddress, checked, guarded_socket, is_inner
from reviewkit.feeds.fetch import Fetched, Fetcher
from tests.hostile import (
    INSIDE,
    LOOPBACK,
    WORDS_OF_THE_DOCUMENT,
    WORDS_OF_THE_NET,
    Hosting,
    good,
    hosting,
    sends_on,
)
from tests.serving import awaited

pytestmark = pytest.mark.xdist_group("hostile")  # one worker makes the three pulls that these tests look at

SECONDS = 8.0
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Report:
    """What tests.hostile_pull printed."""

    feeds: Mapping[str, Mapping[str, Any]]
    refused: list[str]
    dialled: list[str]
    seconds: float
    peak: float


def pulled_beside_each_other(hosts: Hosting, feeds: Mapping[str, str], *, seconds: float) -> Report:
    asked = {"plan": hosts.internet.plan(), "feeds": feeds, "seconds": seconds}
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_pull"],
        cwd=ROOT,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Report(**json.loads(done.stdout))


def as_if_nothing_was(report: Report) -> None:
    """The good sites of a class, named good-..., were pulled whole."""
    good = {person: each for person, each in report.feeds.items() if person.startswith("good-")}
    assert good
    assert {person: (each["outcome"], len(each["new"])) for person, each in good.items()} == dict.fromkeys(
        good, ("new", 3)
    )


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    with hosting(tmp_path_factory.mktemp("hosts")) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def good_sites(hosts: Hosting) -> Mapping[str, str]:
    plain = {f"good-{n}": hosts.put(f"good-{n}.example", good(f"Good {n}")) for n in range(6)}
    secure = {f"good-s{n}": hosts.put_secure(f"good-s{n}.example", good(f"Good s{n}")) for n in range(2)}
    return plain | secure


@pytest.fixture(scope="module")
def of_the_net(hosts: Hosting, good_sites: Mapping[str, str]) -> Report:
    bad = {name: hosts.put(f"{name}.example", site) for name, (site, _) in WORDS_OF_THE_NET.items()}
    return pulled_beside_each_other(hosts, bad | good_sites, seconds=SECONDS)


@pytest.mark.parametrize("name", WORDS_OF_THE_NET)
def test_a_site_that_lies_about_how_it_sends_is_refused_in_words(of_the_net: Report, name: str) -> None:
    found = of_the_net.feeds[name]
    assert found["outcome"] == "failed"
    assert re.search(WORDS_OF_THE_NET[name][1], found["error"]), found["error"]
    assert found["kept"] == found["error"]
    assert "more than reviewkit can read" not in found["error"], "a bug of ours that the log would name"


def test_good_sites_beside_them_are_pulled_as_if_nothing_was(of_the_net: Report) -> None:
    as_if_nothing_was(of_the_net)
    assert of_the_net.peak < 250, "of all of them together, in megabytes"


@pytest.fixture(scope="module")
def of_the_document(hosts: Hosting, good_sites: Mapping[str, str]) -> Report:
    bad = {name: hosts.put(f"{name}.example", site) for name, (site, _) in WORDS_OF_THE_DOCUMENT.items()}
    return pulled_beside_each_other(hosts, bad | good_sites, seconds=SECONDS)


@pytest.mark.parametrize("name", WORDS_OF_THE_DOCUMENT)
def test_a_document_that_is_made_to_cost_is_refused_in_words_or_read(of_the_document: Report, name: str) -> None:
    found = of_the_document.feeds[name]
    words = WORDS_OF_THE_DOCUMENT[name][1]
    assert re.search(words, found["error"]), found["error"]
    assert "root:" not in json.dumps(found), "a file of ours"
    assert "more than reviewkit can read" not in found["error"], "a bug of ours that the log would name"


def test_good_sites_beside_costly_documents_are_pulled_as_if_nothing_was(of_the_document: Report) -> None:
    as_if_nothing_was(of_the_document)
    assert of_the_document.peak < 200, "megabytes, of the pull and of the largest of its workers"


# -- where a site may lead -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def led_inside(hosts: Hosting, good_sites: Mapping[str, str]) -> Report:
    hosts.internet.names |= {name: [list(addresses)] for name, addresses in INSIDE.items()}
    bad = {host: hosts.put(f"leads-{n}.example", sends_on(f"http://{host}/secret")) for n, host in enumerate(LOOPBACK)}
    return pulled_beside_each_other(hosts, bad | good_sites, seconds=SECONDS)


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_redirect_inside_is_refused_in_every_spelling(led_inside: Report, host: str) -> None:
    found = led_inside.feeds[host]
    assert found["outcome"] == "failed"
    assert re.search("not on the public internet|not a web address|not an address", found["error"]), found["error"]


def test_nothing_inside_was_dialled(led_inside: Report, hosts: Hosting) -> None:
    as_if_nothing_was(led_inside)
    assert all(address.startswith("93.184.") for address in led_inside.dialled)
    assert {each for addresses in INSIDE.values() for each in addresses} <= set(led_inside.refused)
    assert not [path for _, path in hosts.asked if path == "/secret"]


@pytest.mark.parametrize(
    "host",
    ["10.1", "blog.localhost", "[fe80::1%25eth0]", "example.com%00.example", "a b.example", f"{'a' * 64}.example"],
)
def test_hosts_that_lead_inside_are_seen_without_asking_a_name_server(host: str) -> None:
    with pytest.raises(FeedError):
        checked(f"https://{host}/feed", allow_private=False, said="x")


@pytest.mark.parametrize(
    "host", ["local", "my.internal", "0300.0250.1", "::ffff:10.1.2.3", "router.lan", "x.home.arpa"]
)
def test_names_and_numbers_of_inner_networks_are_known(host: str) -> None:
    assert is_inner(host)


@pytest.mark.parametrize("host", ["localhost.example", "mylocal", "93.184.216.34", "2606:2800:220:1::", "lan.example"])
def test_names_and_numbers_of_the_internet_are_let_through(host: str) -> None:
    assert not is_inner(host)


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://Bücher.example/ä#x", "xn--bcher-kva.example"), ("https://blog.example./feed", "blog.example.")],
)
def test_addresses_of_all_the_world_are_let_through(address: str, host: str) -> None:
    url = checked(address, allow_private=False, said=address)
    assert (url.raw_host, url.raw_fragment) == (host, "")


@pytest.mark.parametrize(
    "address", ["https://:@blog.example/", "https://ann@blog.example/", "https://:pw@blog.example/"]
)
def test_no_name_and_no_password_is_ever_sent(address: str) -> None:
    with pytest.raises(FeedError, match="name or password"):
        checked(address, allow_private=True, said=address)


def fetched(hosts: Hosting, *urls: str) -> list[Fetched | str]:
    """What a fetcher with the guard on gets from each, one after the other; the words where it is refused."""
    internet = hosts.internet

    async def all_of_them() -> list[Fetched | str]:
        found: list[Fetched | str] = []
        async with Fetcher(
            agent="tests",
            seconds=10,
            tls=internet.tls(),
            resolver=internet.resolver(),
            dial=internet.dial,
            now=lambda: datetime.now(UTC),
        ) as fetcher:
            for url in urls:
                try:
                    found.append(await fetcher.visit(url))
                except FeedError as error:
                    found.append(str(error))
        return found

    return awaited(all_of_them())


def test_a_name_that_is_bound_anew_is_judged_where_it_is_dialled(hosts: Hosting) -> None:
    url = hosts.put("rebound.example", good("Rebound"))
    public = hosts.internet.names["rebound.example"][0]
    hosts.internet.names["rebound.example"] = [public, ["127.0.0.1"]]
    (first,) = fetched(hosts, url)
    assert isinstance(first, Fetched)
    (second,) = fetched(hosts, url)
    assert second == "rebound.example is not on the public internet, so its feed cannot be fetched."
    assert hosts.internet.refused[-1] == "127.0.0.1"


def test_of_several_addresses_only_the_public_ones_are_dialled(hosts: Hosting) -> None:
    url = hosts.put("both.example", good("Both"))
    public = hosts.internet.names["both.example"][0]
    hosts.internet.names["both.example"] = [["127.0.0.1", *public]]
    (found,) = fetched(hosts, url)
    assert isinstance(found, Fetched)
    assert "127.0.0.1" not in hosts.internet.dialled


def test_the_guard_makes_no_socket_for_an_address_inside() -> None:
    with pytest.raises(PrivateAddress):
        guarded_socket((2, 1, 6, "", ("127.0.0.1", 80)))


# -- TLS -------------------------------------------------------------------------------------------------------------


def test_tls_and_the_name_in_its_greeting_work_through_the_guard(hosts: Hosting) -> None:
    url = hosts.put_secure("secure.example", good("Secure"))
    (found,) = fetched(hosts, url)
    assert isinstance(found, Fetched)
    assert b"Secure 1" in found.body
    assert hosts.said[-1] == "secure.example"


def test_a_certificate_of_another_name_or_of_nobody_is_refused(hosts: Hosting) -> None:
    wrong = hosts.put_secure("wrong-name.example", good("Wrong"), named="other.example")
    own = hosts.put_secure("self-signed.example", good("Own"), trusted=False)
    before = len(hosts.asked)
    for words in fetched(hosts, wrong, own):
        assert isinstance(words, str)
        assert "could not be reached securely: its certificate is not valid" in words
    assert len(hosts.asked) == before


def test_a_secure_address_is_never_left_for_an_open_one(hosts: Hosting) -> None:
    open_one = hosts.put("open.example", good("Open"))
    url = hosts.put_secure("downgrade.example", sends_on(open_one))
    assert fetched(hosts, url) == ["Your site sends visitors from a secure address (https) to an open one (http)."]
    up = hosts.put("upgrade.example", sends_on(hosts.put_secure("up.example", good("Up")), "301 Moved Permanently"))
    (found,) = fetched(hosts, up)
    assert isinstance(found, Fetched)
    assert found.moved == "https://up.example/feed"
