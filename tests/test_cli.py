"""The command line: what it prints, what it ends with, and that a mistake leaves nothing half-done."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reviewkit import open_course
from reviewkit.cli import run
from reviewkit.course import Course
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.serving import wait_for

COURSE = """[course]
title = "Data Stories"
tag = "datastories"
timezone = "Europe/Berlin"

[reviews]
count = 1
minimum = 1

[[assignments]]
id = "river"
title = "A story with numbers"
rubric = "plain"

[network]
allow_private_addresses = true
"""
RUBRIC = "# Plain\n\n| Criterion | Low | High |\n| --- | --- | --- |\n| Claim | None. | One. |\n"

Output = pytest.CaptureFixture[str]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, blogs: FakeBlogs) -> Path:
    """Ann, Bob and Cyd have a tagged post each; Prof signs."""
    rows = ["id,name,email,role,feeds"]
    for name in ("Ann", "Bob", "Cyd"):
        url = blogs.show(f"/{name}", rss(name, post(f"{name} counts", "<p>Three.</p>", tag="datastories", guid=name)))
        rows.append(f"{name.lower()},{name} Alder,{name.lower()}@course.example,student,{url}")
    rows.append("prof,Pat Rowan,pat@course.example,instructor,")
    (tmp_path / "course.toml").write_text(COURSE, "utf-8")
    (tmp_path / "roster.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "plain.md").write_text(RUBRIC, "utf-8")
    return tmp_path


@pytest.fixture
def command(folder: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in the course's folder; gives its exit code, output and errors."""
    monkeypatch.chdir(folder)
    for name in [each for each in os.environ if each.startswith("REVIEWKIT_")]:
        monkeypatch.delenv(name)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def the_course(folder: Path) -> Course:
    course = open_course(folder / "course.toml")
    assert isinstance(course, Course)
    return course


def frozen(folder: Path) -> None:
    """Everybody chooses their post."""
    course = the_course(folder)
    for person in course.people():
        if person.role == "student":
            course.freeze(person, "river", [course.candidates(person, course.assignment("river"))[0].id])


# -- the whole way


def test_the_example_of_init_runs_as_it_is(tmp_path: Path, capsys: Output) -> None:
    directory = tmp_path / "new"
    for arguments in (
        ["init", str(directory)],
        ["check", "--course", str(directory)],
        ["status", "--course", str(directory)],
        ["import", "--course", str(directory)],
        ["advance", "--no-pull", "--course", str(directory)],
        ["sync", "--course", str(directory)],
        ["links", "--course", str(directory)],
        ["export", "--what", "turns", "--course", str(directory)],
    ):
        assert run(arguments) == 0, capsys.readouterr().err
    assert run(["init", str(directory)]) == 1
    assert "nothing was written" in capsys.readouterr().err


def test_pull_prints_a_line_for_every_site_and_twice_changes_nothing(command: Command) -> None:
    code, out, err = command("pull")
    assert (code, err) == (0, "")
    assert sorted(re.findall(r"^(\w+ \w+)  http\S+  1 new: (.*)$", out, re.MULTILINE)) == [
        ("Ann Alder", "Ann counts"),
        ("Bob Alder", "Bob counts"),
        ("Cyd Alder", "Cyd counts"),
    ]
    code, out, _ = command("pull")
    assert code == 0
    assert out.count("nothing new") == 3


def test_a_site_that_is_down_is_named_and_stops_nobody(command: Command, blogs: FakeBlogs) -> None:
    blogs.show("/Bob", "", status=503)
    code, out, err = command("pull")
    assert (code, err) == (0, "")
    assert "1 of 3 sites could not be read (Bob Alder)" in out
    assert out.count("1 new") == 2


def test_an_address_that_is_no_feed_ends_with_1_and_everything_else_is_kept(command: Command, blogs: FakeBlogs) -> None:
    blogs.show("/Bob", "<!doctype html><html><title>Bob</title><p>Hello", content_type="text/html")
    code, out, err = command("pull")
    assert code == 1
    assert out.count("1 new") == 2
    assert "Bob Alder" in err
    assert "web page, not a feed" in err
    posts = json.loads(command("export", "--what", "posts")[1])
    assert {each["person"] for each in posts} == {"ann", "cyd"}


def test_allocate_says_what_it_did_and_twice_changes_nothing(command: Command, folder: Path) -> None:
    command("pull")
    frozen(folder)
    code, out, _ = command("allocate", "--dry-run")
    assert code == 0
    assert "3 reviews would be allocated" in out
    assert json.loads(command("export", "--what", "allocations")[1]) == []
    code, out, _ = command("allocate")
    assert code == 0
    assert "3 reviews are allocated" in out
    assert "Ann Alder: 1 to write" in out
    allocated = json.loads(command("export", "--what", "allocations")[1])
    assert len(allocated) == 3
    assert "nothing to allocate" in command("allocate", "river")[1]
    assert json.loads(command("export", "--what", "allocations")[1]) == allocated


def test_advance_does_what_the_dates_ask_for(command: Command, folder: Path) -> None:
    edit(folder / "course.toml", 'rubric = "plain"', 'rubric = "plain"\nfreeze_by = 2099-01-01T12:00:00')
    assert "No date asks for anything now" in command("advance")[1]
    edit(folder / "course.toml", "2099-01-01", "2020-01-01")
    command("import", "--apply")
    code, out, _ = command("advance", "--json")
    assert code == 0
    told = json.loads(out)
    assert [each["outcome"] for each in told["pulled"]] == ["unchanged"] * 3
    assert len(told["done"]) == 3
    assert told["sheet"]["written"] > 0
    assert json.loads(command("advance", "--no-pull", "--json")[1])["done"] == []


def test_status_says_where_everybody_stands(command: Command, folder: Path) -> None:
    assert "expected" in command("status")[1]
    command("pull")
    frozen(folder)
    rows = json.loads(command("status", "--json")[1])
    assert [(each["person"], each["stage"]) for each in rows] == [
        ("ann", "frozen"),
        ("bob", "frozen"),
        ("cyd", "frozen"),
    ]
    assert all(each["submission"].startswith("RK-") for each in rows)


def test_links_are_personal_and_can_be_renewed_and_revoked(command: Command, folder: Path) -> None:
    before = {each["id"]: each["link"] for each in json.loads(command("links", "--json")[1])}
    assert set(before) == {"ann", "bob", "cyd", "prof"}
    assert all(each.startswith("http://127.0.0.1:8866/enter/") for each in before.values())
    assert re.search(r"^Ann Alder  http", command("links")[1], re.MULTILINE)
    (renewed,) = json.loads(command("links", "--new", "ann", "--json")[1])
    assert renewed["link"] != before["ann"]
    code, out, _ = command("links", "--revoke", "bob")
    assert code == 0
    assert "Bob Alder" in out
    assert "http" not in out
    after = {each["id"]: each["link"] for each in json.loads(command("links", "--json")[1])}
    assert after["bob"] != before["bob"]
    assert after["cyd"] == before["cyd"]
    edit(folder / "course.toml", "[network]", '[server]\npublic_url = "https://reviews.example/"\n\n[network]')
    assert "https://reviews.example/enter/" in command("links", "--person", "ann")[1]


def test_sync_twice_writes_once(command: Command, folder: Path) -> None:
    code, out, _ = command("sync")
    assert code == 0
    assert re.search(r"Sheet: \d+ rows? written", out)
    assert (folder / "course.xlsx").exists()
    assert json.loads(command("sync", "--json")[1]) == {"written": 0, "restored": [], "problems": []}


# -- import


def test_import_is_a_dry_run_until_it_is_told_to_apply(command: Command, folder: Path) -> None:
    command("status")
    edit(folder / "roster.csv", "Bob Alder", "Bob Beech")
    code, out, _ = command("import")
    assert code == 0
    assert "name was “Bob Alder” and becomes “Bob Beech”" in out
    assert "Nothing was changed" in out
    assert the_course(folder).person("bob").name == "Bob Alder"
    assert "Done." in command("import", "--apply")[1]
    assert the_course(folder).person("bob").name == "Bob Beech"
    assert "nothing to do" in command("import")[1]


def test_a_date_that_is_moved_is_reported_with_those_whom_it_concerns(command: Command, folder: Path) -> None:
    command("status")
    edit(folder / "course.toml", 'rubric = "plain"', 'rubric = "plain"\nfreeze_by = 2099-01-01T12:00:00')
    _, out, _ = command("import")
    assert "river: moving freeze_by concerns Ann Alder, Bob Alder, Cyd Alder." in out, out
    moved = json.loads(command("import", "--json")[1])["moved"]
    assert moved == [{"assignment": "river", "step": "freeze_by", "concerns": ["Ann Alder", "Bob Alder", "Cyd Alder"]}]


def test_somebody_who_is_missing_is_withdrawn_only_when_asked_for(command: Command, folder: Path) -> None:
    command("status")
    roster = folder / "roster.csv"
    roster.write_text("\n".join(line for line in roster.read_text().splitlines() if not line.startswith("bob")))
    assert "a withdrawal is proposed" in command("import", "--apply")[1]
    assert not the_course(folder).person("bob").withdrawn
    command("import", "--apply", "--withdraw")
    assert the_course(folder).person("bob").withdrawn


def test_a_rubric_s_structure_waits_while_a_round_with_it_is_running(command: Command, folder: Path) -> None:
    command("pull")
    frozen(folder)
    course = the_course(folder)
    before = course.rubric_in_use(course.assignment("river")).digest
    rubric = folder / "rubrics" / "plain.md"
    rubric.write_text(RUBRIC + "| Craft | Poor. | Rich. |\n")
    _, out, _ = command("import", "--apply")
    assert "adds Craft" in out
    assert "--restructure uses it now" in out
    assert course.rubric_in_use(course.assignment("river")).digest == before
    command("import", "--apply", "--restructure")
    assert course.rubric_in_use(course.assignment("river")).digest != before
    assert all(each.rubric == before for each in course.store.submissions()), "what was begun keeps its rubric"


def test_an_import_with_a_mistake_changes_nothing(command: Command, folder: Path) -> None:
    command("status")
    edit(folder / "roster.csv", "Bob Alder", "Bob Beech")
    edit(folder / "rubrics" / "plain.md", "None.", "")
    code, _, err = command("import", "--apply")
    assert code == 1
    assert "rubrics/plain.md, line 5: the level “Low” of “Claim” is empty" in err
    assert the_course(folder).person("bob").name == "Bob Alder"


# -- export


def test_export_prints_json_or_csv_or_writes_a_file(command: Command, folder: Path) -> None:
    command("pull")
    rows = json.loads(command("export", "--what", "posts")[1])
    assert [each["tags"] for each in rows] == [[{"tag": "datastories", "found": "category"}]] * 3
    out = command("export", "--what", "posts", "--format", "csv")[1]
    assert out.splitlines()[0] == "person,feed,guid,link,title,published,author,tags,revisions"
    code, told, _ = command("export", "--what", "posts", "--out", "posts.json")
    assert code == 0
    assert "3 entries" in told
    assert json.loads((folder / "posts.json").read_text("utf-8")) == rows
    assert (folder / "posts.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("what", ["submissions", "allocations", "turns", "grades", "workbook", "course"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_everything_can_be_exported_in_both_forms(command: Command, what: str, form: str) -> None:
    code, out, err = command("export", "--what", what, "--format", form)
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), list) if form == "json" else out.splitlines()


def test_a_course_that_is_exported_can_be_served_elsewhere(command: Command, folder: Path) -> None:
    command("status")
    code, out, _ = command("export", "--what", "course", "--out", "copy")
    assert code == 0
    assert "roster.csv" in out
    assert command("import", "--course", "copy")[0] == 0
    assert the_course(folder / "copy").setup == the_course(folder).setup
    assert "nothing differs" in command("export", "--what", "course", "--out", str(folder))[1]


def test_the_workbook_can_be_exported_as_a_file(command: Command, folder: Path) -> None:
    assert command("export", "--what", "workbook", "--out", "copy.xlsx")[0] == 0
    assert (folder / "copy.xlsx").read_bytes()[:2] == b"PK"


# -- check


def test_check_lists_what_was_tried_and_changes_nothing(command: Command, folder: Path) -> None:
    before = sorted(folder.iterdir())
    code, out, _ = command("check")
    assert code == 0
    assert "files: 4 people, 1 assignment, 1 rubric" in out
    assert "will be made by the first command" in out
    assert sorted(folder.iterdir()) == before
    command("pull")
    frozen(folder)
    assert "3 dialogues with 3 turns, and every digest holds" in command("check")[1]


def test_check_finds_a_turn_that_was_changed_behind_its_back(command: Command, folder: Path) -> None:
    command("pull")
    frozen(folder)
    database = sqlite3.connect(folder / "course.db")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert "turn" in tables or "turns" in tables, tables
    table = "turn" if "turn" in tables else "turns"
    with database:
        database.execute(f"UPDATE {table} SET by = 'eve' WHERE sequence = 0")
    database.close()
    code, _, err = command("check")
    assert code == 1
    assert "was changed outside reviewkit" in err


def test_check_tries_the_mail_server(command: Command, folder: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        port = nobody.getsockname()[1]
        mail = f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsender = "a@course.example"\n\n[network]'
        edit(folder / "course.toml", "[network]", mail)
        code, out, err = command("check")
    assert code == 1
    assert f"The mail server 127.0.0.1:{port} does not answer" in err
    assert "files: 4 people" in out


@pytest.mark.parametrize(
    ("key", "mode", "words"),
    [
        (None, 0o600, "does not name the key file"),
        ("nothing", 0o600, "cannot be read as a service account's key"),
        ('{"type": "user"}', 0o600, "is not a service account's key"),
        ('{"private_key": "k", "client_email": "e"}', 0o644, "run chmod 600"),
    ],
)
def test_check_looks_at_the_sheet_s_key(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, mode: int, words: str
) -> None:
    edit(folder / "course.toml", "[network]", '[sheet]\nspreadsheet = "1abc"\n\n[network]')
    if key is not None:
        (folder / "key.json").write_text(key)
        (folder / "key.json").chmod(mode)
        monkeypatch.setenv("REVIEWKIT_GOOGLE_KEY", str(folder / "key.json"))
    code, _, err = command("check")
    assert code == 1
    assert words in err


# -- mistakes end with 1 and one message, and leave nothing half-written


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("course.toml", "[course]", "[course", "course.toml, line 1: this is not TOML"),
        ("course.toml", "tag = ", "tga = ", "[course] tga is not known; did you mean “tag”?"),
        ("roster.csv", "bob,Bob", "ann,Bob", "roster.csv, line 3: the id “ann” stands in line 2 already"),
        ("course.toml", 'rubric = "plain"', 'rubric = "plian"', "no file rubrics/plian.md; did you mean “plain”?"),
        ("rubrics/plain.md", "None.", "", "rubrics/plain.md, line 5: the level “Low” of “Claim” is empty"),
    ],
)
@pytest.mark.parametrize("name", ["pull", "check", "status", "links", "serve"])
def test_a_mistake_in_a_file_is_one_message_and_nothing_is_made(
    command: Command, folder: Path, name: str, file: str, old: str, new: str, words: str
) -> None:
    edit(folder / file, old, new)
    before = sorted(folder.rglob("*"))
    code, out, err = command(name)
    assert (code, out) == (1, "")
    assert words in err
    assert "Traceback" not in err
    assert [each for each in sorted(folder.rglob("*")) if each not in before and each.stat().st_size] == []


@pytest.mark.parametrize(
    "database", ["postgresql+psycopg://prof@127.0.0.1:1/course", "sqlite:////nowhere/at/all/course.db"]
)
def test_a_database_that_cannot_be_reached_is_one_sentence(command: Command, folder: Path, database: str) -> None:
    edit(folder / "course.toml", "[network]", f'[store]\ndatabase = "{database}"\n\n[network]')
    code, out, err = command("pull")
    assert (code, out) == (1, "")
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err


def test_a_password_in_a_database_s_address_is_never_repeated(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIEWKIT_STORE_DATABASE", "postgresql+psycopg://prof:hunter2@127.0.0.1:1/course")
    for name in ("pull", "check"):
        code, out, err = command(name)
        assert code == 1
        assert "hunter2" not in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["--nothing"],
        ["pull", "--nothing"],
        ["pull", "extra"],
        ["init"],
        ["export"],
        ["export", "--what", "everything"],
        ["export", "--what", "posts", "--format", "xml"],
        ["serve", "--port", "many"],
        ["serve", "--port", "99999"],
        ["pull", "--course"],
        ["pull", "--course", "elsewhere.toml"],
        ["links", "--person", "eve"],
        ["allocate", "essay"],
        ["export", "--what", "posts", "--out", "/nowhere/at/all/posts.json"],
    ],
)
def test_a_mistake_in_a_command_is_one_sentence(command: Command, arguments: list[str]) -> None:
    if arguments[-1].startswith("/nowhere"):
        Path("file").write_text("")
        arguments = [*arguments[:-1], "file/posts.json"]
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert len(err.strip().splitlines()) == 1
    assert err.strip().endswith((".", "?"))


def test_no_command_at_all_tells_what_there_is(command: Command) -> None:
    code, out, _ = command()
    assert code == 0
    assert "Commands:" in out
    assert command("--version")[1].startswith("reviewkit ")


def test_people_s_text_does_not_steer_a_terminal(command: Command, blogs: FakeBlogs) -> None:
    blogs.show("/Ann", rss("Ann", post("Bare \x9b2J and ‮ turned", "<p>x</p>", tag="datastories", guid="esc")))
    out = command("pull")[1]
    assert "\x9b" not in out
    assert "\u202e" not in out


# -- the real thing, as a process


def test_the_installed_program_ends_with_1_and_prints_no_traceback(folder: Path) -> None:
    program = shutil.which("reviewkit", path=str(Path(sys.executable).parent))
    assert program, "pip installs the command"
    edit(folder / "course.toml", "[course]", "[course")
    done = subprocess.run([program, "pull"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_quietly(folder: Path, blogs: FakeBlogs) -> None:
    release = threading.Event()
    blogs.answer("/Ann", lambda request: (release.wait(30), request.close_connection)[0])
    process = subprocess.Popen(
        [sys.executable, "-m", "reviewkit", "pull"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: any(each.path == "/Ann" for each in blogs.asked), what="the request for Ann's feed")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        release.set()
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in err


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    look = "import sys, reviewkit.cli as cli; cli.run(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "reviewkit.cli" in loaded
    assert not {"sqlalchemy", "aiohttp", "feedparser", "voila", "openpyxl", "pandas"} & set(loaded)
