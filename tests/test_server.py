"""The page server as browsers, strangers and the operating system see it: real processes, real Chromium.

Ann, Bob and Prof sign in by link; Eve only observes and has no business on their pages.
"""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from reviewkit import signing
from reviewkit.errors import ConfigError, ServiceError
from reviewkit.model import Person
from reviewkit.server.app import bind, public_address
from reviewkit.server.identity import Door
from reviewkit.server.light import frames
from tests.asking import Asker
from tests.cast import ANN, BOB, EVE, PROF
from tests.serving import (
    SERVE,
    Server,
    a_course_folder,
    awaited,
    connected,
    free_port,
    runs,
    the_course,
    visit,
    wait_for,
)

__all__ = ["visit"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("server")]

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    secrets = {"PGPASSWORD": "open sesame", "REVIEWKIT_SMTP_PASSWORD_FILE": "/run/secrets/smtp"}
    with Server(a_course_folder(tmp_path_factory.mktemp("served") / "course"), environment=secrets) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """One that a test may kill."""
    with Server(a_course_folder(tmp_path / "course")) as running:
        yield running


# -- signing in


def test_a_link_shows_one_button_and_signs_in_only_when_it_is_pressed(server: Server) -> None:
    stranger = Asker(server)
    path = server.link(ANN).removeprefix(server.url)
    status, headers, text = stranger.get(path)
    assert (status, headers["Set-Cookie"]) == (200, None)
    assert text.count("<button") == 1
    assert f'<form method="post" action="{path}">' in text
    assert ANN.name in text
    _, headers, _ = stranger.ask("POST", path, origin=server.url)
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in headers["Set-Cookie"]


def test_a_form_of_another_site_signs_nobody_in_or_out(server: Server) -> None:
    path = server.link(ANN).removeprefix(server.url)
    for headers in ({"origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"origin": "null"}, {}):
        assert Asker(server).ask("POST", path, **headers)[0] == 403
        status, answer, _ = Asker(server, ANN).ask("POST", "/sign-out", **headers)
        assert (status, answer["Set-Cookie"]) == (403, None)


def test_a_forged_or_mistyped_link_is_refused_in_words(server: Server) -> None:
    forged = signing.link(b"x" * 40, ANN.id, 1, "").removeprefix("/enter/")
    for token in (forged, "abc", "a.b.c", server.link(ANN).rsplit("/", 1)[1][:-1]):
        status, _, text = Asker(server).get(f"/enter/{token}")
        assert status == 403
        assert "Ask for a new one" in text


def test_a_page_token_or_a_cookie_is_no_link(server: Server) -> None:
    cookie = Asker(server, ANN).cookie.split("=", 1)[1]
    assert Asker(server).get(f"/enter/{cookie}")[0] == 403


def test_without_a_sign_in_a_page_says_what_to_do(server: Server) -> None:
    stranger = Asker(server)
    for path in ("/", "/my-work", "/reviews", "/sign-off"):
        status, headers, _ = stranger.get(path)
        assert status == 302
        assert headers["Location"].startswith("/sign-in")
    status, _, text = stranger.get("/sign-in")
    assert status == 401
    assert "personal link" in text


def test_everybody_begins_on_the_page_of_their_role(server: Server) -> None:
    assert Asker(server, ANN).get("/")[1]["Location"] == "/my-work"
    assert Asker(server, PROF).get("/")[1]["Location"] == "/sign-off"
    status, _, text = Asker(server, EVE).get("/")
    assert status == 200
    assert "not open yet" in text


def test_signing_out_ends_the_persons_pages(server: Server) -> None:
    ann, bob = Asker(server, ANN), Asker(server, BOB)
    hers, his = ann.page("/my-work"), bob.page("/my-work")
    status, headers, text = ann.ask("POST", "/sign-out", origin=server.url)
    assert status == 200
    assert re.search(r'^reviewkit-\d+=""; expires=', headers["Set-Cookie"])
    assert "signed out" in text
    assert ann.socket(hers) == 403
    wait_for(lambda: Asker(server, ANN).socket(hers) == 4001, what="the end of her page")
    assert bob.socket(his) == "!"


PATIENT = """
import reviewkit.server.identity as identity
identity.PATIENCE = 60.0
"""
"""A busy machine takes longer to start a course service than a page waits for it."""


def test_a_page_waits_for_a_course_service_that_is_being_started_again(tmp_path: Path) -> None:
    with Server(a_course_folder(tmp_path / "course"), script=PATIENT + SERVE) as server:
        ann = Asker(server, ANN)
        killed = server.service()
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: not runs(killed))
        ann.page("/my-work")
        assert server.service() != killed


def test_a_course_service_that_stays_away_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewkit.server.identity.PATIENCE", 0.0)

    async def asked() -> None:
        door = Door(tmp_path / "nobody", b"s" * 40)
        try:
            await door.look("x", "")
        finally:
            await door.close()

    with pytest.raises(ServiceError, match="cannot be reached"):
        awaited(asked())


def test_a_revoked_link_ends_its_sign_ins_and_its_pages_at_once(own_server: Server) -> None:
    ann = Asker(own_server, ANN)
    page = ann.page("/my-work")
    the_course(own_server.course_file).store.revoke_links(ANN.id)
    assert ann.get("/my-work")[0] == 302
    assert ann.socket(page) == 403
    assert Asker(own_server).get(own_server.link(ANN).removeprefix(own_server.url))[0] == 403


# -- addresses


def test_behind_https_the_cookie_is_bound_to_the_host_and_to_https(tmp_path: Path) -> None:
    course_file = a_course_folder(tmp_path / "course")
    with course_file.open("a") as file:
        file.write('\n[server]\npublic_url = "https://course.example"\n')
    course_file.chmod(0o644)
    with Server(course_file, port=free_port()) as behind:
        assert behind.url == "https://course.example"
        path = behind.link(ANN).removeprefix(behind.url)
        asker = Asker(behind)
        _, headers, _ = asker.ask("POST", path, origin=behind.url)
        cookie = headers["Set-Cookie"]
        assert cookie.startswith("__Host-reviewkit=")
        for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert attribute in cookie
        assert headers["Strict-Transport-Security"]
        asker.cookie = cookie.split(";")[0]
        behind.url = f"http://127.0.0.1:{behind.port}"
        assert asker.socket(asker.page("/my-work"), origin="https://course.example") == "!"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "course.example", "::"])
def test_sign_ins_never_travel_in_the_clear(host: str) -> None:
    with pytest.raises(ConfigError, match="public_url"):
        public_address(host, 8866, "")
    assert public_address(host, 8866, "https://course.example/") == "https://course.example"


def test_on_this_machine_plain_http_will_do() -> None:
    assert public_address("127.0.0.1", 8866, "") == "http://127.0.0.1:8866"
    assert public_address("localhost", 8866, "") == "http://localhost:8866"
    assert public_address("::1", 8866, "") == "http://[::1]:8866"


def test_a_port_that_is_taken_is_said_in_words(server: Server) -> None:
    with pytest.raises(ConfigError, match=f"Port {server.port} .*--port"):
        bind("127.0.0.1", server.port)


# -- who may see what


@pytest.mark.parametrize(
    ("person", "path"),
    [
        (ANN, "/sign-off"),
        (PROF, "/my-work"),
        (PROF, "/reviews"),
        (EVE, "/my-work"),
        (EVE, "/reviews"),
        (EVE, "/sign-off"),
    ],
)
def test_another_roles_page_is_refused_in_words(server: Server, person: Person, path: str) -> None:
    status, _, text = Asker(server, person).get(path)
    assert status == 403
    assert "another role" in text


def test_only_the_owner_reaches_the_process_of_a_page(server: Server) -> None:
    ann = Asker(server, ANN)
    page = ann.page("/my-work")
    assert ann.socket(page) == "!"
    for other in (Asker(server), Asker(server, BOB), Asker(server, EVE), Asker(server, PROF)):
        assert other.socket(page) == 403
        for method in ("GET", "DELETE", "POST"):
            assert other.ask(method, f"/api/kernels/{page}", origin=server.url)[0] in (404, 405)


def test_another_sites_script_reaches_no_page(server: Server) -> None:
    ann = Asker(server, ANN)
    assert ann.socket(ann.page("/my-work"), origin="https://elsewhere.example") == 403


def test_a_page_that_is_gone_is_told_so(server: Server) -> None:
    assert Asker(server, ANN).socket("0" * 8 + "-0000-4000-8000-" + "0" * 12) == 4001


def test_a_page_runs_no_code_of_a_browser_and_survives_garbage(server: Server, tmp_path: Path) -> None:
    ann = Asker(server, ANN)
    page = ann.page("/my-work")
    proof = tmp_path / "proof"
    header = {"msg_id": "1", "session": "x", "username": "", "version": "5.3"}
    code = {"code": f"open({str(proof)!r}, 'w')", "silent": False}
    execute = frames.pack("shell", {**header, "msg_type": "execute_request"}, {}, {}, code)
    opened = frames.pack("shell", {**header, "msg_type": "comm_open"}, {}, {}, {"comm_id": "1", "target_name": "x"})
    end = frames.pack("control", {**header, "msg_type": "shutdown_request"}, {}, {}, {"restart": False})
    assert ann.socket(page, execute, opened, end, b"", b"\xff" * 40, "{}", "nonsense") == "!"
    assert ann.socket(page) == "!"
    assert not proof.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/tree",
        "/voila/tree",
        "/voila/render/my_work.ipynb",
        "/voila/files/my_work.ipynb",
        "/voila/static/voila.js",
        "/voila/templates/lab/static/voila.js",
        "/voila/api/contents/",
        "/voila/api/shutdown/x",
        "/voila/query/x",
        "/voila/execution/x",
        "/api",
        "/api/kernels",
        "/api/contents",
        "/api/status",
        "/login",
        "/logout",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/my_work.ipynb",
        "/my-work/",
        "/course.toml",
    ],
)
def test_nothing_else_of_voila_and_jupyter_is_served(server: Server, path: str) -> None:
    status, _, text = Asker(server, ANN).get(path)
    assert status == 404
    assert "There is nothing here" in text


def test_every_answer_carries_the_headers_that_keep_a_page_to_itself(server: Server) -> None:
    for path in ("/my-work", "/sign-in", "/nothing"):
        headers = Asker(server, ANN).get(path)[1]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] is None


def test_static_files_are_packed_and_kept_for_ever(server: Server) -> None:
    ann = Asker(server, ANN)
    _, _, text = ann.get("/my-work")
    addresses = set(re.findall(r'"(/static/[^"]+)"', text))
    assert len(addresses) >= 5
    for address in addresses:
        status, headers, _ = ann.ask("GET", address, **{"Accept-Encoding": "gzip"})
        assert status == 200
        assert "immutable" in headers["Cache-Control"]
        if address.endswith((".js", ".css")):
            assert headers["Content-Encoding"] == "gzip"


def test_the_words_of_a_view_cannot_leave_their_script_element(own_server: Server) -> None:
    course = the_course(own_server.course_file)
    evil = ANN.__class__(id="evil", name="</script><script>alert(1)</script>", role="student")
    course.store.keep_course(course.setup, [evil], [])
    text = Asker(own_server, evil).get("/my-work")[2]
    assert "alert(1)" in text
    assert "<script>alert" not in text


# -- processes


def test_a_pages_process_has_no_secret_and_no_database(server: Server) -> None:
    before = set(server.pages())
    Asker(server, ANN).page("/my-work")
    (page,) = set(server.pages()) - before
    environment = Path(f"/proc/{page}/environ").read_text()
    secret = (server.course_file.parent / "server.secret").read_text().strip()
    for word in ("sesame", "REVIEWKIT_SMTP", secret):
        assert word not in environment
    opened = [os.readlink(each) for each in Path(f"/proc/{page}/fd").iterdir()]
    assert not [name for name in opened if "course.db" in name or "secret" in name]
    modules = Path(f"/proc/{page}/maps").read_text()
    for heavy in ("pandas", "numpy", "sqlite", "sqlalchemy", "aiohttp", "lxml"):
        assert heavy not in modules


def test_the_socket_and_its_folder_belong_to_the_server_alone(server: Server) -> None:
    arguments = Path(f"/proc/{server.service()}/cmdline").read_text().split("\0")
    socket = next(Path(each) for each in arguments if each.endswith("/course"))
    assert socket.stat().st_mode & 0o777 == 0o600
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert (server.course_file.parent / "server.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_when_the_server_ends(own_server: Server, number: int) -> None:
    Asker(own_server, ANN).page("/my-work")
    Asker(own_server, PROF).page("/sign-off")
    pids = own_server.all()
    arguments = Path(f"/proc/{own_server.service()}/cmdline").read_text().split("\0")
    folder = next(Path(each) for each in arguments if each.endswith("/course")).parent
    assert len(pids) == 5
    code = own_server.stop(number)
    assert code == (0 if number != signal.SIGKILL else -number)
    wait_for(lambda: not [pid for pid in pids if runs(pid)], what="the end of all processes")
    wait_for(lambda: not folder.exists(), what="the end of the folder")


def test_mistakes_in_the_course_are_said_and_nothing_is_left_running(tmp_path: Path) -> None:
    course_file = a_course_folder(tmp_path / "course")
    (tmp_path / "course" / "server.secret").write_text("short")
    (tmp_path / "course" / "server.secret").chmod(0o600)
    with pytest.raises(AssertionError, match="shorter than 32"):
        Server(course_file).__enter__()


# -- in a browser


def problems(page: Page) -> list[str]:
    """What goes wrong on a page from now on."""
    seen: list[str] = []
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("console", lambda message: seen.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if "//127.0.0.1:" in request.url else seen.append(request.url))
    return seen


def test_a_person_signs_in_sees_their_page_and_signs_out(server: Server, visit: Visit) -> None:
    page = visit(server, ANN)
    wrong = problems(page)
    page.goto(f"{server.url}/my-work")
    page.wait_for_selector('[data-testid="screen-my-work"]')
    connected(page)
    page.get_by_test_id("nav-reviews").click()
    page.wait_for_selector('[data-testid="screen-reviews"]')
    connected(page)
    assert not wrong
    page.get_by_test_id("name-menu").locator("summary").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_role("heading")).to_have_text("You are signed out")
    page.goto(f"{server.url}/my-work")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_pages_of_words_pass_axe_in_both_themes(server: Server, browser: Browser) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})
        page = context.new_page()
        for path in (server.link(ANN), f"{server.url}/sign-in", f"{server.url}/nothing"):
            page.goto(path)
            assert not Axe().run(page).response["violations"]
        context.close()


def test_a_link_works_without_a_script(server: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.link(ANN))
    page.get_by_role("button").click()
    expect(page).to_have_url(re.compile("/my-work$"))
    expect(page.locator("noscript h1")).to_be_visible()
    context.close()


def test_the_page_shows_before_its_connection_opens(server: Server, visit: Visit) -> None:
    page = visit(server, PROF)
    page.route_web_socket(re.compile("/channels"), lambda _: None)  # never answers
    page.goto(f"{server.url}/sign-off")
    page.wait_for_selector('[data-testid="screen-sign-off"]')
    assert page.evaluate("document.body.dataset.connection") == "connecting"


def test_a_page_whose_process_died_says_so_and_a_reload_brings_it_back(own_server: Server, visit: Visit) -> None:
    page = visit(own_server, ANN)
    connected(page)
    (pid,) = own_server.pages()
    os.kill(pid, signal.SIGKILL)
    connected(page, "lost")
    notice = page.get_by_test_id("note-lost")
    expect(notice).to_contain_text("no longer connected")
    notice.get_by_role("button").click()
    page.wait_for_selector('[data-testid="screen-my-work"]')
    connected(page)


def chosen_post(page: Page) -> None:
    """Ann chooses her post and begins her self-evaluation."""
    page.get_by_test_id("next").click()
    page.get_by_test_id("dialog-confirm").click()
    page.wait_for_selector('[data-testid="track"]')
    page.wait_for_selector('[data-testid="dialog"]', state="detached")  # until then nobody can type into the page


def type_a_note(page: Page, text: str) -> None:
    page.locator('[data-testid^="field-note-"] textarea, textarea[data-testid^="field-note-"]').first.fill(text)


def note_of(server: Server) -> Callable[[], bool]:
    """Whether the store has the word that was typed."""
    course = the_course(server.course_file)

    def look() -> bool:
        submission = course.submission_of(ANN, course.assignment("river"))
        draft = course.draft(ANN, f"self:{submission.id}") if submission else None
        return draft is not None and "sandbank" in json.dumps(draft.content)

    return look


def test_what_is_typed_while_the_course_service_is_killed_is_saved_when_it_is_back(
    own_server: Server, visit: Visit
) -> None:
    page = visit(own_server, ANN)
    connected(page)
    chosen_post(page)
    killed = own_server.service()
    os.kill(killed, signal.SIGKILL)
    type_a_note(page, "I counted at the sandbank.")
    wait_for(note_of(own_server), what="the text in the store")
    assert own_server.service() != killed
    assert page.evaluate("document.body.dataset.connection") == "open"


def test_what_was_typed_when_the_server_was_killed_is_there_after_a_reload(tmp_path: Path, visit: Visit) -> None:
    course_file = a_course_folder(tmp_path / "course")
    with Server(course_file, port=free_port()) as first:
        page = visit(first, ANN)
        connected(page)
        chosen_post(page)
        first.stop(signal.SIGKILL)
        type_a_note(page, "I counted at the sandbank.")
        page.wait_for_function("document.body.dataset.connection != 'open'", timeout=20_000)
        expect(page.get_by_test_id("note-closed")).to_contain_text("Trying again", timeout=20_000)
        expect(page.get_by_test_id("save-status")).not_to_contain_text("Saved", timeout=20_000)
    with Server(course_file, port=first.port) as second:
        connected(page, "lost", seconds=30)
        page.reload()
        connected(page)
        wait_for(note_of(second), what="the text in the store")


def test_a_broken_connection_comes_back_by_itself(server: Server, visit: Visit) -> None:
    page = visit(server, PROF)
    lines: list[Any] = []

    def relay(line: Any) -> None:
        lines.append(line)
        line.connect_to_server()

    page.route_web_socket(re.compile("/channels"), relay)
    page.goto(f"{server.url}/sign-off")
    connected(page)
    lines[0].close(code=1011)
    connected(page, "closed")
    connected(page)
    assert len(lines) == 2
