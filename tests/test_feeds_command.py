"""`reviewkit feeds`: whose sites are read, from the command line; running it twice is harmless."""

import json
from pathlib import Path

import pytest

from reviewkit.cli import run
from reviewkit.config import write_example
from tests.blogs import fake_blogs, post, rss


@pytest.fixture
def course(tmp_path: Path) -> str:
    write_example(tmp_path / "course")
    file = tmp_path / "course" / "course.toml"
    file.write_text(file.read_text() + "\n[network]\nallow_private_addresses = true\n")
    return str(file)


def test_a_feed_is_added_listed_shared_and_removed(course: str, capsys: pytest.CaptureFixture[str]) -> None:
    def feeds(*words: str) -> tuple[int, str, str]:
        code = run(["feeds", *words, "--course", course])
        said = capsys.readouterr()
        return code, said.out, said.err

    with fake_blogs() as blogs:
        address = blogs.show("/feed", rss("Ann's second blog", post("One", "Words.", guid="1")))
        assert feeds("add", "ann", address, "--dry-run")[0] == 0
        code, out, _ = feeds("add", "ann", address)
        assert code == 0
        assert "is added" in out
        assert "was there already" in feeds("add", "ann", address)[1]
        code, _, err = feeds("add", "bob", address)
        assert code == 1
        assert "--shared" in err
        assert feeds("add", "bob", address, "--shared")[0] == 0
        rows = json.loads(feeds("list", "ann", "--json")[1])
        assert [(row["url"], row["own"], row["also"]) for row in rows][1:] == [(address, True, ["bob"])]
        code, _, err = feeds("add", "nobody", address)
        assert code == 1
        assert "nobody" in err
        assert json.loads(feeds("remove", "ann", address, "--json")[1])["removed"]
        assert not json.loads(feeds("remove", "ann", address, "--json")[1])["removed"]
        assert feeds("remove", "bob", "https://bob.example/index.xml")[0] == 0
        code, out, _ = feeds("check", "bob")
        assert code == 0
        assert address in out


def test_an_opml_list_goes_out_and_comes_in_after_a_dry_run(
    course: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["feeds", "export", "--course", course]) == 0
    there = capsys.readouterr().out
    lines = '<outline text="ann"><outline text="x" xmlUrl="https://more.example/f"/></outline>'
    lines += '<outline text="y" xmlUrl="https://y.example/"/>'
    file = tmp_path / "list.opml"
    file.write_text(there.replace("</body>", f"{lines}</body>"))

    def outcomes(*more: str) -> dict[str, str]:
        assert run(["feeds", "import", str(file), "--json", "--course", course, *more]) == 0
        return {row["url"]: row["outcome"] for row in json.loads(capsys.readouterr().out)}

    assert outcomes()["https://more.example/f"] == "would be added"
    assert outcomes("--apply")["https://more.example/f"] == "added"
    again = outcomes("--apply")
    assert again["https://more.example/f"] == "is there already"
    assert again["https://y.example/"].startswith("left out")
