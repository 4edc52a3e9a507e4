"""What is written about the product holds: commands, settings and dependencies stand where people look for them."""

import re
import tomllib
from pathlib import Path

import pytest

from reviewkit.cli import app, run
from reviewkit.config import SECRETS, SETTINGS, variables

ROOT = Path(__file__).parents[1]
COMMANDS = sorted(each.name or "" for each in app.registered_commands)
CONDA_NAMES = {"jupyter-server": "jupyter_server", "tzdata": "python-tzdata", "prometheus-client": "prometheus_client"}
"""What conda-forge calls a package, where that differs."""


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_the_commands_of_the_product_are_there() -> None:
    assert set(COMMANDS) >= {
        "advance", "allocate", "check", "demo", "export", "import", "init", "links", "pull", "serve", "status", "sync",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_reads_well(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    told = capsys.readouterr().out
    first = told.split("\n\n")[1].strip()
    assert first.endswith("."), "a sentence"
    assert "--json" in told


def test_the_list_of_commands_cuts_no_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    listed = told.partition("Commands:")[2]
    assert all(f"\n  {command} " in listed for command in COMMANDS)
    assert "..." not in listed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`reviewkit {command}" in readme()


@pytest.mark.parametrize("setting", [f"{each.table}.{each.key}" for each in SETTINGS])
def test_every_setting_is_in_the_readme(setting: str) -> None:
    assert f"`{setting}`" in readme()


@pytest.mark.parametrize("variable", [each.variable for each in SECRETS])
def test_every_secret_s_variable_is_in_the_readme(variable: str) -> None:
    assert f"`{variable}`" in readme()


def test_serve_lists_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--help"]) == 0
    told = capsys.readouterr().out
    for name, help in variables():
        assert name in told
        assert help in told


def test_variables_are_named_after_their_settings() -> None:
    for each in SETTINGS:
        if each.variable:
            assert each.variable == f"REVIEWKIT_{each.table}_{each.key}".upper()
    local = {each.table for each in SETTINGS if each.variable}
    assert local == {"store", "sheet", "server", "mail", "network"}


def test_conda_and_pip_install_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    pip = {_renamed(each) for each in needed} | {f"python{project['requires-python']}"}
    listed = re.findall(r"^  - ([\w.-]+[<>=].*?)\s*$", (ROOT / "environment.yml").read_text("utf-8"), re.MULTILINE)
    assert set(listed) == pip
    assert len(listed) == len(pip)


def test_every_dependency_stops_before_the_release_that_may_change_what_we_rely_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    endless = [each for each in needed if not re.search(r">=[\w.]+,<[\w.]+$", each)]
    assert [each.split(">")[0] for each in endless] == ["tzdata"], "tables of time zones alone are always the newest"


def test_every_dependency_says_why_it_is_here() -> None:
    table = re.findall(r"^\| ([a-z].*?) \|", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    listed = {re.sub(r" \(extra.*", "", each) for row in table for each in row.split(", ")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    assert {re.split(r"[\[<>=]", each)[0] for each in needed} <= listed


def _renamed(requirement: str) -> str:
    found = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?(.*)", requirement)
    assert found, requirement
    return f"{CONDA_NAMES.get(found[1], found[1])}{found[2]}"
