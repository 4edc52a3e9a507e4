"""The crawl through the real server: every address, header, file and frame, letters, the log, a browser's storage.

A state or two of each mode; all states of all modes are in soak/test_leaks_served.py.
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reviewkit.model import Mode, Person
from tests.asking import Asker
from tests.crawl import TRACE, told
from tests.crawl_course import HELPER, NEGLECTED, PROF, STUDENTS, WATCHER, Round
from tests.crawl_served import Served, Visit, letters, post, pressed, served, stored, the_log, visited, walked
from tests.serving import SERVE, visit, wait_for

__all__ = ["visit"]

pytestmark = pytest.mark.browser

State = tuple[Mode, str]
BLIND: State = ("double-blind", "in review")
STATES: tuple[State, ...] = (BLIND, ("double-blind", "in the end"), ("reviewers-hidden", "in the end"))
STATES = (*STATES, ("open", "in review"))
PEOPLE = {
    BLIND: (None, STUDENTS[0], NEGLECTED, HELPER, WATCHER, PROF),
    **dict.fromkeys(STATES[1:], (None, STUDENTS[0], HELPER, PROF)),
}


def group(state: State) -> pytest.MarkDecorator:
    """A server is started once for all tests of a state."""
    return pytest.mark.xdist_group(f"leaks-served-{state[0]}-{state[1].replace(' ', '-')}")


def name_of(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return value.id if isinstance(value, Person) else "nobody"


@pytest.fixture(scope="module")
def walks(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[State], Round]]:
    """A round in a state, walked once."""
    there = dict[State, Round]()

    def walk(state: State) -> Round:
        if state not in there:
            there[state] = walked(made_sqlite, tmp_path_factory.mktemp("walked"), *state)
        return there[state]

    yield walk
    for each in there.values():
        each.close()


@pytest.fixture(scope="module")
def servers(
    walks: Callable[[State], Round], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[State], Served]]:
    """A state behind a server, which is started once."""
    with ExitStack() as running:
        there = dict[State, Served]()

        def serve(state: State) -> Served:
            if state not in there:
                there[state] = running.enter_context(served(walks(state), tmp_path_factory.mktemp("served")))
            return there[state]

        yield serve


@pytest.fixture
def there(request: pytest.FixtureRequest, servers: Callable[[State], Served]) -> Served:
    found = servers(request.param)
    found.found.clear()
    return found


in_each_state = pytest.mark.parametrize(
    "there", [pytest.param(state, marks=group(state), id=name_of(state)) for state in STATES], indirect=True
)
while_blind = pytest.mark.parametrize(
    "there", [pytest.param(BLIND, marks=group(BLIND), id=name_of(BLIND))], indirect=True
)


@pytest.mark.parametrize(
    ("there", "who"),
    [
        pytest.param(state, who, marks=group(state), id=f"{name_of(state)}-{name_of(who)}")
        for state in STATES
        for who in PEOPLE[state]
    ],
    indirect=["there"],
)
def test_nothing_that_can_be_fetched_tells_what_is_not_for_them(there: Served, who: Person | None) -> None:
    got = visited(there, who)
    assert told(there.found) == ""
    if who is PROF:
        assert got == there.pictures(), "nothing was found in pictures because nobody got one"


@while_blind
def test_letters_name_nobody_else(there: Served) -> None:
    asker = Asker(there.server)
    for who in (STUDENTS[0], HELPER):
        body = f"email={who.email.replace('@', '%40')}"
        line = http.client.HTTPConnection("127.0.0.1", there.server.port, timeout=30)
        form = {"Origin": there.server.url, "Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", "/send-link", body, form | {"Cookie": asker.cookie})
        answer = line.getresponse()
        there.search(answer.read(), None, "", "the answer to whoever wants a letter")
        line.close()
        wait_for(
            lambda who=who: any(who.email in to and "sign-in" in str(letter["Subject"]) for letter, to in post(there)),  # type: ignore[misc]
            seconds=60,
            what="the letter",
        )
    letters(there)
    assert told(there.found) == ""


@in_each_state
def test_the_log_names_nobody_and_repeats_nobody(there: Served) -> None:
    visited(there, None)  # so that there is something to log, whatever ran before
    the_log(there)
    assert told(there.found) == ""


@while_blind
def test_nor_does_anything_in_a_browser(there: Served, visit: Visit) -> None:
    who = STUDENTS[1]
    page = visit(there.server, who)
    pressed(there, who, page, ("/my-work", "/reviews"))
    assert told(there.found) == ""
    # The test of the test: what is planted in each place where a browser keeps something is found there.
    strangers = (STUDENTS[2], STUDENTS[3], STUDENTS[6], STUDENTS[8])  # whom they do not name in their own words
    for plant, stranger in zip(PLANTS, strangers, strict=True):
        there.found.clear()
        page.evaluate(plant, stranger.place)
        stored(there, who, page, ("my-work", "reviews"))
        assert stranger.place in {each.word for each in there.found}


PLANTS = (
    "word => localStorage.setItem(word, 1)",
    "word => sessionStorage.setItem('x', JSON.stringify({word}))",
    "word => { document.cookie = `x=${word}`; }",
    """word => new Promise((good, bad) => {
      const asked = indexedDB.open("another", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("kept", {keyPath: "id"});
      asked.onerror = bad;
      asked.onsuccess = () => {
        const done = asked.result.transaction("kept", "readwrite");
        done.objectStore("kept").put({id: 1, word});
        done.oncomplete = () => { asked.result.close(); good(); };
      };
    })""",
)
"""Each keeps a word somewhere in a browser."""

LEAKY = """
import reviewkit.server.headers as headers
import reviewkit.server.pages as pages
begin, finish, words = headers.Careful.set_default_headers, headers.Careful.finish, headers.Careful.words
told = "NAME"
def telling(self):
    begin(self)
    self.set_header("Content-Disposition", f"inline; filename=review-by-{told}.html")
    headers.LOG.warning("Asked, as %s did", told)
def ending(self, *said):
    self.set_cookie("last", told)
    return finish(self, *said)
def naming(self, title, *paragraphs, form=""):
    return words(self, title, *paragraphs, f"Ask {told}.", form=form)
def drawn(self, *said):
    self.set_header("Etag", '"DIGEST"')
    self.set_header("Last-Modified", "Mon, 02 Nov 2026 08:00:00 GMT")
    return ending(self, *said)
headers.Careful.set_default_headers, headers.Careful.finish = telling, ending
headers.Careful.words, pages.PictureHandler.finish = naming, drawn
"""
"""A server whose files, cookies, errors and log tell who wrote a review, and its pictures where they came from."""


@pytest.fixture
def leaky(walks: Callable[[State], Round], tmp_path: Path) -> Iterator[Served]:
    someone = STUDENTS[2]
    script = LEAKY.replace("NAME", someone.name.split()[1]).replace("DIGEST", someone.traces[0])
    with served(walks(BLIND), tmp_path, script + SERVE) as found:
        yield found


@group(BLIND)
def test_a_file_a_cookie_an_error_a_picture_and_a_log_that_tell_are_found(leaky: Served) -> None:
    visited(leaky, STUDENTS[1])
    where = {each.where for each in leaky.found if each.thing == "name"}
    heads = (f"GET {address}, its head" for address in ("/my-work", "/health", "/nothing/{submission}"))
    assert {*heads, "GET /nothing/{submission}"} <= where
    assert {TRACE, "time of a picture"} <= {each.thing for each in leaky.found if "picture" in each.where}
    leaky.found.clear()
    the_log(leaky)
    assert "name" in {each.thing for each in leaky.found}
