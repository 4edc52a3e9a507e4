"""The headers that keep a page to itself, on every kind of answer that the page server gives."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.asking import Asker
from tests.cast import ANN
from tests.serving import Server, a_course_folder, free_port

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("headers")]

PERSONAL = "no-store"
SOCKET = "/api/kernels/00000000-0000-4000-8000-000000000000/channels"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(a_course_folder(tmp_path_factory.mktemp("headers") / "course")) as running:
        yield running


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that people reach by https, through a web server in front."""
    course_file = a_course_folder(tmp_path_factory.mktemp("behind") / "course")
    with course_file.open("a") as file:
        file.write('\n[server]\npublic_url = "https://course.example"\n')
    with Server(course_file, port=free_port()) as running:
        yield running


KINDS = {
    "a page": ("ann", "GET", "/my-work", {}, 200, PERSONAL),
    "a page of another role": ("ann", "GET", "/sign-off", {}, 403, PERSONAL),
    "the way home": ("ann", "GET", "/", {}, 302, PERSONAL),
    "the way to sign in": ("nobody", "GET", "/my-work", {}, 302, PERSONAL),
    "a page of words": ("nobody", "GET", "/sign-in", {}, 401, PERSONAL),
    "a link": ("nobody", "GET", "{link}", {}, 200, PERSONAL),
    "a forged link": ("nobody", "GET", "/enter/forged", {}, 403, PERSONAL),
    "a sign-in": ("nobody", "POST", "{link}", {"Origin": "{own}"}, 303, PERSONAL),
    "a form of another site": ("ann", "POST", "/sign-out", {"Origin": "https://elsewhere.example"}, 403, PERSONAL),
    "nothing": ("nobody", "GET", "/nothing", {}, 404, PERSONAL),
    "a method that does nothing": ("ann", "POST", "/my-work", {"Origin": "{own}"}, 405, PERSONAL),
    "a method of nobody": ("ann", "DELETE", "/my-work", {}, 405, PERSONAL),
    "a socket without a handshake": ("ann", "GET", SOCKET, {}, 400, PERSONAL),
    "health": ("nobody", "GET", "/health", {}, 200, PERSONAL),
    "a file": ("nobody", "GET", "{file}", {}, 200, FOR_EVER),
    "the head of a file": ("nobody", "HEAD", "{file}", {}, 200, FOR_EVER),
    "no file": ("nobody", "GET", "/static/none.js", {}, 404, PERSONAL),
    "signing out": ("ann", "POST", "/sign-out", {"Origin": "{own}"}, 200, PERSONAL),
}
"""Kind of answer -> who asks, how, what, with which headers, the status, and how long it may be kept."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["server", "behind"])
def test_every_kind_of_answer_keeps_to_itself(where: str, kind: str, request: pytest.FixtureRequest) -> None:
    running: Server = request.getfixturevalue(where)
    who, method, path, headers, expected, kept = KINDS[kind]
    asker = Asker(running, ANN if who == "ann" else None)
    link = running.link(ANN).removeprefix(running.url)
    file = re.findall(r'"(/static/[^"]+)"', Asker(running).get("/sign-in")[2])[0]
    own = {name: value.format(own=running.url) for name, value in headers.items()}
    status, answer, text = asker.ask(method, path.format(link=link, file=file), **own)
    assert status == expected
    policy = answer["Content-Security-Policy"]
    for directive in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == kept
    assert (answer["Strict-Transport-Security"] is not None) == (where == "behind")
    assert answer["Server"] is None
    assert not [name for name in answer if name.startswith("Access-Control")]
    assert "Traceback" not in text


def test_what_is_no_request_gets_no_page(server: Server) -> None:
    """Answered before any handler: a bare status without a body."""
    twice = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    for said in (b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x00\n\r\n\r\n", twice):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
            line.sendall(said)
            assert line.recv(4096).split(b"\r\n\r\n")[-1] == b""
    assert Asker(server).get("/sign-in")[0] == 401
