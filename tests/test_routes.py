"""Who gets what from every address of the page server: all routes of the running application, and a table of answers.

A route that is new, or gone, makes this fail until its row stands here: for nobody, for Ann whose work and page it is,
for a student who has nothing to do with it, for the reviewer of her work, for Eve who only observes, for Tia who
assists, and for Prof.

    "303 /"            the status, and where it leads
    "200 +words -post" the status, what the answer must hold, and what it may not hold (see `Scene.texts`)
    "ws !"             the websocket opens and answers; "ws 403" is refused; "ws 4001" is told that its page is gone
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupyter_server.serverapp
import pytest
from tornado import web

from reviewkit import signing
from reviewkit.model import Person
from reviewkit.server.app import Site, application, page_server, product_pages
from reviewkit.server.identity import Door
from reviewkit.server.routes import METHODS, Route, routes
from reviewkit.signing import read_secret
from tests.asking import Asker
from tests.cast import ANN, EVE, PROF, STUDENTS, TIA
from tests.serving import Server, the_course
from tests.under_way import Round, a_round_under_way, piece, post, remark, words

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("routes")]

WHO = ("nobody", "ann", "other", "reviewer", "eve", "tia", "prof")


def row(**answers: str) -> dict[str, str]:
    """One answer for each; `all` for those who are not named."""
    rest = answers.pop("all", "")
    return {who: answers.get(who, rest) for who in WHO}


PAGE = "-words -remark -reviewers"
"""What nobody but Ann herself and her instructor may find on any page while reviews are blind."""

GET = {
    "/": row(nobody="302 /sign-in", all="302 /my-work", prof="302 /sign-off", tia="302 /sign-off", eve="200"),
    "/my-work": row(
        nobody="302 /sign-in",
        ann="200 +post -remark -reviewers",
        all=f"200 {PAGE} -post",
        eve="403",
        tia="403",
        prof="403",
    ),
    "/my-work?submission={submission}": row(
        nobody="302 /sign-in",
        ann="200 +post +words -remark -reviewers",
        all=f"200 {PAGE} -post",
        eve="403",
        tia="403",
        prof="403",
    ),
    "/reviews": row(
        nobody="302 /sign-in",
        ann=f"200 {PAGE} -piece",
        other=f"200 {PAGE} -author -piece",
        reviewer="200 -words -author",
        eve="403",
        tia="403",
        prof="403",
    ),
    "/reviews?open={duty}": row(
        nobody="302 /sign-in",
        ann=f"200 {PAGE} -piece",
        other=f"200 {PAGE} -author -piece",
        reviewer="200 -words -author +piece +remark",
        eve="403",
        tia="403",
        prof="403",
    ),
    "/sign-off": row(nobody="302 /sign-in", all="403", tia="200 +post -reviewers", prof="200 +post"),
    "/sign-off?open={submission}": row(
        nobody="302 /sign-in", all="403", tia="200 +post +words -reviewers", prof="200 +post"
    ),
    "/api/kernels/{page}/channels": row(all="ws 403", ann="ws !"),
    "/api/kernels/00000000-0000-4000-8000-000000000000/channels": row(nobody="ws 403", all="ws 4001"),
    "/enter/{link}": row(all="200"),
    "/enter/forged": row(all="403"),
    "/calendar/{link}.ics": row(all="404"),
    "/calendar/{dates}.ics": row(all="200 -words -remark -reviewers -post"),
    "/reminders/{letters}": row(all="200 -words -remark -reviewers -post"),
    "/reminders/{link}": row(all="403"),
    "/sign-in": row(all="401"),
    "/static/{file}": row(all="200"),
    "/static/server.secret": row(all="404"),
    "/pictures/{picture}": row(all="404", ann="200", reviewer="200", tia="200", prof="200"),
    "/pictures/{nothing}": row(all="404"),
    "/health": row(all="200"),
    "/metrics": row(all="200"),
}
HEAD = {
    "/health": row(all="200"),
    "/static/{file}": row(all="200"),
    "/static/server.secret": row(all="404"),
}
POST = {
    "/enter/{link}": row(all="303 /"),
    "/enter/forged": row(all="403"),
    "/sign-out": row(all="200"),
    "/sign-out-everywhere": row(all="200"),
    "/send-link": row(all="404"),
    "/reminders/{letters}": row(all="200"),
    "/reminders/{link}": row(all="403"),
    "/stay": row(all="204", nobody="401"),
}
TABLE = {"GET": GET, "HEAD": HEAD, "POST": POST}
STATE_CHANGING = [(method, address) for method in TABLE if method not in ("GET", "HEAD") for address in TABLE[method]]
SAMPLE = {
    "submission": "RK-00000000",
    "duty": "d",
    "page": "00000000-0000-4000-8000-000000000001",
    "link": "x.y",
    "dates": "x.y",
    "letters": "x.y",
    "file": "page.js",
    "picture": "p" * 24,
    "nothing": "n" * 24,
}


# -- the table is whole


def built(folder: Path, **settings: Any) -> web.Application:
    """The application that `serve` answers with, without its processes."""

    site = Site(
        course_file=folder / "course.toml",
        folder=folder,
        secret=b"s" * 40,
        port=1,
        url="http://127.0.0.1:1",
        pages=product_pages(),
        **settings,
    )
    return application(page_server(folder), site, Door(folder / "course", site.secret))


@pytest.mark.parametrize(("idle_hours", "cookie_hours", "rests"), [(12, 1, 1), (2, 12, 2)])
def test_no_page_outlives_the_sign_in_that_it_was_opened_by(
    tmp_path: Path, idle_hours: float, cookie_hours: float, rests: float
) -> None:
    settings = built(tmp_path, idle_hours=idle_hours, cookie_hours=cookie_hours).settings
    assert settings["kernel_manager"].idle == rests * 3600


def surprises(served: list[Route]) -> list[str]:
    """What the application answers and the table does not know, and what the table knows and nobody answers."""
    known = {(method, address.format(**SAMPLE).split("?")[0]) for method in TABLE for address in TABLE[method]}
    asked = {(route.pattern, method): set[tuple[str, str]]() for route in served for method in route.methods}
    for pattern, method in asked:
        asked[pattern, method] = {each for each in known if each[0] == method and re.match(pattern, each[1])}
    answered = set().union(*asked.values())
    return [
        *(f"{method} {pattern} is served and has no row" for (pattern, method), rows in asked.items() if not rows),
        *(f"{method} {address} has a row and is not served" for method, address in sorted(known - answered)),
    ]


def test_every_route_of_the_application_has_its_row(tmp_path: Path) -> None:
    assert surprises(routes(built(tmp_path))) == []


def test_a_route_that_somebody_opens_is_noticed(tmp_path: Path) -> None:
    class Opened(web.RequestHandler):
        def get(self) -> None:
            self.finish("everything")

    opened = built(tmp_path)
    opened.add_handlers(".*$", [(r"/voila/files/(.*)", Opened)])
    assert surprises(routes(opened)) == ["GET /voila/files/(.*)$ is served and has no row"]


def test_a_method_that_somebody_adds_to_a_route_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reviewkit.server.pages import SignInHandler

    monkeypatch.setattr(SignInHandler, "post", lambda self: self.finish("come in"))
    assert surprises(routes(built(tmp_path))) == ["POST /sign-in$ is served and has no row"]


def test_a_route_that_is_gone_is_noticed(tmp_path: Path) -> None:
    served = [route for route in routes(built(tmp_path)) if route.pattern != "/sign-out$"]
    assert surprises(served) == ["POST /sign-out has a row and is not served"]


# -- every answer is the one in the table


@dataclass
class Scene:
    """The server with a round under way, somebody of each kind, and Ann's open page."""

    server: Server
    round: Round
    people: dict[str, Person | None]
    askers: dict[str, Asker]
    page: str = ""
    file: str = ""

    def address(self, pattern: str) -> str:
        if "{page}" in pattern:
            self.page = self.askers["ann"].page("/my-work")
        link = self.server.link(ANN).removeprefix(f"{self.server.url}/enter/")
        secret = read_secret(self.round.course_file.parent)
        return pattern.format(
            submission=self.round.submission,
            duty=self.round.duty,
            page=self.page,
            link=link,
            file=self.file,
            dates=signing.private(secret, "calendar", ANN.id, 1),
            letters=signing.private(secret, "reminders", ANN.id, 1),
            picture=self.round.picture,
            nothing=SAMPLE["nothing"],
        )

    def texts(self, name: str) -> list[str]:
        """What a word of the table stands for."""
        return {
            "post": [post(ANN)],
            "words": [words(ANN)],
            "piece": [piece(ANN)],
            "author": [ANN.name, ANN.email, ANN.feeds[0].removesuffix("/feed")],
            "remark": [remark(self.round.reviewer)],
            "reviewers": [self.round.duty],
        }[name]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    round_ = a_round_under_way(tmp_path_factory.mktemp("routes") / "course")
    course = the_course(round_.course_file)
    course.store.keep_course(course.setup, [TIA], [])
    course.store.close()
    staff = {"eve": EVE, "tia": TIA, "prof": PROF}
    people = {"nobody": None, "ann": ANN, "other": round_.other, "reviewer": round_.reviewer, **staff}
    with Server(round_.course_file) as server:
        askers = {who: Asker(server, person) for who, person in people.items()}
        scene = Scene(server=server, round=round_, people=people, askers=askers)
        scene.file = re.findall(r'"/static/(page\.[^"]+)"', askers["ann"].get("/my-work")[2])[0]
        yield scene


def got(scene: Scene, asker: Asker, method: str, address: str, expected: str) -> str:
    """The answer, in the words of the table."""
    if expected.startswith("ws"):
        return f"ws {asker.socket(scene.page if scene.page in address else address.split('/')[3])}"
    origin = "" if method in ("GET", "HEAD") else scene.server.url
    status, headers, text = asker.ask(method, address, origin=origin)
    said = [str(status)]
    if "Location" in headers:
        said.append(headers["Location"].split("?")[0])
    for word in expected.split()[1:]:
        if word[0] in "+-":
            there = [each for each in scene.texts(word[1:]) if each in text]
            said.append(("+" if there else "-") + word[1:])
    assert "Traceback" not in text
    return " ".join(said)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "pattern"), [(method, each) for method in TABLE for each in TABLE[method]])
def test_everybody_gets_what_the_table_says(scene: Scene, method: str, pattern: str, who: str) -> None:
    expected = TABLE[method][pattern][who]
    asker = scene.askers[who]
    if (method, pattern) in STATE_CHANGING:  # with a sign-in of its own: others go on with theirs
        asker = Asker(scene.server, scene.people[who])
    assert got(scene, asker, method, scene.address(pattern), expected) == expected
    if pattern == "/sign-out-everywhere":
        scene.askers[who] = Asker(scene.server, scene.people[who])


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "pattern"), STATE_CHANGING)
def test_nothing_changes_for_a_form_of_another_site(scene: Scene, method: str, pattern: str, who: str) -> None:
    own = {"Origin": scene.server.url, "Sec-Fetch-Site": "same-origin"}
    for foreign in (
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": scene.server.url.replace("127.0.0.1", "127.0.0.1.elsewhere.example")},
        {"Origin": f"https://elsewhere.example#{scene.server.url}"},
        own | {"Sec-Fetch-Site": "cross-site"},
        own | {"Sec-Fetch-Site": "same-site"},
        own | {"Sec-Fetch-Site": "none"},
        own | {"Origin": "https://elsewhere.example"},
        {"Origin": "https://elsewhere.example", "Cookie": scene.askers[who].cookie + "; _xsrf=1", "X-XSRFToken": "1"},
    ):
        status, headers, _ = scene.askers[who].ask(method, scene.address(pattern), **foreign)
        assert (status, headers["Set-Cookie"]) == (403, None)


@pytest.mark.parametrize("pattern", sorted({each for rows in TABLE.values() for each in rows}))
def test_a_method_that_is_not_in_the_table_does_nothing(scene: Scene, pattern: str) -> None:
    for method in (*METHODS, "TRACE", "PROPFIND"):
        if pattern not in TABLE.get(method, {}):
            for who in ("nobody", "ann", "prof"):
                status, headers, text = scene.askers[who].ask(method, scene.address(pattern), origin=scene.server.url)
                allowed = (405, 302, 403) if who == "nobody" else (405,)
                assert status in allowed, f"{method} by {who}"
                assert headers["Set-Cookie"] is None
                assert not any(word in text for word in (words(ANN), post(ANN)))


@pytest.mark.parametrize("who", ["nobody", "other", "eve", "prof"])
def test_a_page_of_another_is_out_of_reach_in_every_way(scene: Scene, who: str) -> None:
    scene.page = scene.askers["ann"].page("/my-work")
    asker, page = scene.askers[who], f"/api/kernels/{scene.page}"
    for method in METHODS:
        for rest in ("", "/", "/interrupt", "/restart", "/shutdown"):
            assert asker.ask(method, page + rest, origin=scene.server.url)[0] in (404, 405)
    assert scene.askers["ann"].socket(scene.page) == "!"


# -- nothing else of Voila and jupyter_server


def stock(folder: Path) -> list[str]:
    """An address for every route that Voila and jupyter_server would serve by themselves."""

    server = page_server(folder)
    server.init_settings()
    patterns = [rule[0] for rule in server.init_handlers()]
    for modules in jupyter_server.serverapp.JUPYTER_SERVICE_HANDLERS.values():
        for module in modules or ():
            patterns += [rule[0] for rule in jupyter_server.serverapp.load_handlers(module)]
    return sorted({address for pattern in patterns for address in examples(pattern)})


GROUP = re.compile(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)[*+?]?")
"""A group of a regular expression, with groups in it."""


def examples(pattern: str) -> set[str]:
    """Addresses that a route's regular expression matches."""
    pattern = pattern.rstrip("$")
    plain = [part.replace("/?", "").replace("/*", "").replace("\\", "") for part in GROUP.split(pattern)]
    values = ("x", "/x", "", "restart", "00000000-0000-4000-8000-000000000000")
    made = set()
    for chosen in itertools.product(values, repeat=len(plain) - 1):
        address = "".join(part for pair in itertools.zip_longest(plain, chosen, fillvalue="") for part in pair)
        if re.fullmatch(pattern, address):
            made.add(address)
    assert made, f"no address for {pattern}"
    return made


def test_nothing_that_voila_and_jupyter_would_serve_is_served(scene: Scene, tmp_path: Path) -> None:
    addresses = stock(tmp_path)
    assert {"/api/contents", "/voila/api/shutdown/x", "/api/kernels", "/voila/files/x"} <= set(addresses)
    ours = [route.pattern for route in routes(built(tmp_path))]
    for address in addresses:
        if any(re.match(pattern, address) for pattern in ours):
            continue
        for who in ("nobody", "ann", "prof"):
            for method in ("GET", "POST", "DELETE"):
                status = scene.askers[who].ask(method, address, origin=scene.server.url)[0]
                assert status == (405 if method == "DELETE" else 404), f"{method} {address} by {who}"


@pytest.mark.parametrize(
    "path",
    [
        "//my-work",
        "/./my-work",
        "/my-work/..",
        "/my-work;x",
        "/my-work%2f",
        "/MY-WORK",
        "/static/../course.toml",
        "/static/%2e%2e/%2e%2e/course.toml",
        "/static//etc/passwd",
        "/static/",
        "/course.db",
        "/server.secret",
        "/roster.csv",
        "/serve.log",
        "/%00",
        "/%ff",
        "http://elsewhere.example/my-work/x",
    ],
)
def test_twisted_addresses_lead_nowhere(scene: Scene, path: str) -> None:
    for who in ("nobody", "ann"):
        status, _, text = scene.askers[who].get(path)
        assert status == 404
        assert not any(person.email in text for person in STUDENTS)
