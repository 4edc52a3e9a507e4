"""A stranger verifies an export of turns with docs/verify.py: whole, erased, and tampered with in every way."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from reviewkit import exchange
from reviewkit.course import Course
from reviewkit.inspection import inspect
from reviewkit.model import (
    Accept,
    AskToReopen,
    Decide,
    Discuss,
    Dissent,
    Exempt,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Restore,
)
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, BOB, CYD, DOT, PROF, Clock, a_course, answered, levels

SCRIPT = Path(__file__).parents[1] / "docs" / "verify.py"
Rows = list[dict[str, Any]]


def walked(store: Store) -> Course:
    """A course in which every dialogue was talked through to its end, each in another way."""
    course = a_course(store, Clock())
    made = answered(course)

    def say(verb: Callable[..., None], who: Any, whose: Any, *said: object) -> None:
        submission = made[whose.id]
        verb(who, submission, *said, seen=len(course.dialogue(submission, who).turns))

    ann, bob, cyd, dot = ANN, BOB, CYD, DOT
    counter = Proposal(judgements=levels(1, 2), grade="78")
    say(course.recognise, PROF, ann, Recognise(text="The map.", recognised=("sources", "Schöne Karte")))
    say(course.discuss, PROF, ann, Discuss(text="The log?", counter=counter))
    say(course.reply, ann, ann, Reply(accepts=True))
    say(course.accept, PROF, ann, Accept(grade="78"))
    say(course.sign, ann, ann)
    say(course.decide, PROF, bob, Decide(reason="No answer came.", grade="70"))
    say(course.dissent, bob, bob, Dissent(text="I was ill. 💧"))
    say(course.ask_to_reopen, bob, bob, AskToReopen(text="Please."))
    say(course.reopen, PROF, bob, Reopen(to="with instructor", reason="He was ill."))
    say(course.accept, PROF, bob, Accept(grade="82"))
    say(course.set_aside, PROF, cyd, Exempt(reason="Joined late."))
    say(course.set_aside, PROF, cyd, Restore())
    say(course.discuss, PROF, dot, Discuss(text="What of week 9?"))
    return course


def exported(course: Course) -> Rows:
    rows: Rows = json.loads(exchange.as_json(exchange.turns(*course.store.sealed())))
    return rows


def of(course: Course, whose: Any) -> str:
    return next(each.id for each in course.store.submissions() if each.person == whose.id)


@pytest.fixture
def course(sqlite_store: Store) -> Course:
    return walked(sqlite_store)


@pytest.fixture(scope="module")
def walked_once(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Ann's submission, and the export of a walked course as JSON: made once, for many to tamper with."""
    path = tmp_path_factory.mktemp("walked") / "course.db"
    shutil.copy(made_sqlite, path)
    store = SqlStore.open(f"sqlite:///{path}")
    course = walked(store)
    ann, rows = of(course, ANN), exchange.as_json(exchange.turns(*store.sealed()))
    store.close()
    return ann, rows


@pytest.fixture
def verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Rows], tuple[int, str]]:
    """What the script says of some rows, run in here; gives its exit code and what it printed."""
    spec = importlib.util.spec_from_file_location("verify", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(rows: Rows) -> tuple[int, str]:
        path = tmp_path / "turns.json"
        path.write_text(exchange.as_json(rows), "utf-8")
        capsys.readouterr()
        return script.main(str(path)), capsys.readouterr().out

    return run


def test_a_stranger_needs_python_and_nothing_else(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "turns.json"
    path.write_text(exchange.as_json(exported(course)), "utf-8")
    # -I: neither this checkout nor anybody's settings are on the path. -S: nothing that pip installed either.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lasts = {each.submission.id: each.turns[-1].digest for each in course.store.dialogues()}
    assert len(done.stdout.splitlines()) == len(lasts) == 4
    assert all(f"{id}: " in done.stdout and last in done.stdout for id, last in lasts.items())


def test_every_word_of_an_export_is_under_a_digest(course: Course) -> None:
    """What `sealed` holds is numbers, ids and choices: no word of a person stands in it in the open."""
    words = [
        *("The map.", "Schöne Karte", "The log?", "No answer came.", "I was ill.", "Joined late.", "Because of the"),
        *("Two marks.", "Link the log.", "Fine rings", "Show the log.", "Fair.", "The gauge was silent", "week 9"),
    ]
    shown, sealed = "", ""
    for row in exported(course):
        sealed += json.dumps([row.pop("sealed"), row.pop("salts")], ensure_ascii=False)
        shown += json.dumps(row, ensure_ascii=False)
    assert all(word in shown and word not in sealed for word in words)


def test_erased_words_leave_the_chain_whole_and_cannot_be_tried_out(
    course: Course, verified: Callable[[Rows], tuple[int, str]]
) -> None:
    rows = exported(course)
    (dissent,) = [row for row in rows if row["kind"] == "dissent"]
    (praise,) = [row for row in rows if row["kind"] == "recognise"]
    course.store.erase_text(dissent["sealed"]["text"]["text"])
    course.store.erase_text(praise["sealed"]["recognised"][1]["text"])
    after = exported(course)
    assert verified(after)[0] == 0
    (dissent,) = [row for row in after if row["kind"] == "dissent"]
    assert (dissent["text"], dissent["salts"]) == ("[erased]", {})
    (praise,) = [row for row in after if row["kind"] == "recognise"]
    assert praise["recognised"] == ["sources", "[erased]"]
    assert [row["digest"] for row in after] == [row["digest"] for row in rows]
    assert "ill" not in json.dumps([row for row in after if row["kind"] == "dissent"])


def place(rows: Rows, kind: str) -> int:
    return next(number for number, row in enumerate(rows) if row["kind"] == kind)


def change(kind: str, /, **fields: object) -> Callable[[Rows], int]:
    def tamper(rows: Rows) -> int:
        at = place(rows, kind)
        rows[at].update(fields)
        return at

    return tamper


def change_inside(kind: str, *path: str | int, to: object) -> Callable[[Rows], int]:
    def tamper(rows: Rows) -> int:
        found: Any = rows[place(rows, kind)]
        for step in path[:-1]:
            found = found[step]
        assert found[path[-1]] != to
        found[path[-1]] = to
        return place(rows, kind)

    return tamper


def take_out(rows: Rows) -> int:
    del rows[place(rows, "discuss")]
    return place(rows, "reply")


def take_out_and_count_anew(rows: Rows) -> int:
    at = place(rows, "discuss")
    del rows[at]
    for number, row in enumerate(rows):
        row["sequence"] = number
    return at


def exchange_two(rows: Rows) -> int:
    one, other = (number for number, row in enumerate(rows) if row["kind"] == "review")
    rows[one], rows[other] = rows[other], rows[one]
    return one


def behead(rows: Rows) -> int:
    del rows[0]
    return 0


def say_it_was_erased_and_keep_the_words(rows: Rows) -> int:
    rows[place(rows, "discuss")]["salts"] = {}
    return place(rows, "discuss")


def write_anew_with_a_digest(rows: Rows) -> int:
    """The forger computes the changed turn's digest as the recipe says; the next turn still names the old one."""
    import hashlib

    row = rows[place(rows, "self-evaluation")]
    row["grade"] = row["sealed"]["grade"] = "99"
    body = {key: row[key] for key in ("submission", "sequence", "kind", "by", "via", "salt", "previous")}
    body |= {"at": row["at"].replace("Z", ".000000Z"), "what": row["sealed"]}
    written = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    row["digest"] = hashlib.sha256(written.encode()).hexdigest()
    return place(rows, "self-evaluation") + 1


@pytest.mark.parametrize(
    "tamper",
    [
        change("self-evaluation", grade="90"),
        change("self-evaluation", strengths="Three marks."),
        change("self-evaluation", by="eve"),
        change("self-evaluation", at="2026-05-04T08:00:00.000001Z"),
        change("self-evaluation", via="sheet"),
        change("self-evaluation", secret="Another field."),
        change("review", late=True),
        change("review", salt="00" * 16),
        change("review", sealed={}),
        change("reveal", minimum=False),
        change("reveal", previous=""),
        change("sign-off", digest="0" * 64),
        change("sign-off", kind="accept"),
        change("sign-off", at="yesterday"),
        change_inside("self-evaluation", "judgements", 0, "level", to=3),
        change_inside("self-evaluation", "judgements", 1, "quote", to="The gauge was loud."),
        change_inside("self-evaluation", "sealed", "judgements", 0, "level", to=3),
        change_inside("recognise", "recognised", 0, to="spelling"),
        change_inside("recognise", "recognised", to=[]),
        take_out,
        take_out_and_count_anew,
        exchange_two,
        behead,
        say_it_was_erased_and_keep_the_words,
        write_anew_with_a_digest,
    ],
)
def test_whatever_is_changed_the_first_broken_link_is_named(
    walked_once: tuple[str, str], verified: Callable[[Rows], tuple[int, str]], tamper: Callable[[Rows], int]
) -> None:
    ann, rows = walked_once[0], json.loads(walked_once[1])
    mine = [row for row in rows if row["submission"] == ann]
    others = [row for row in rows if row["submission"] != ann]
    at = tamper(mine)
    code, told = verified([*others, *mine])
    assert code == 1
    (broken,) = [line for line in told.splitlines() if "broken" in line]
    assert broken.startswith(f"{ann}: the first broken link is turn {at}, {mine[at]['id']}: ")
    assert told.count(" turns, whole; ") == 3, "the others hold"


def test_the_check_names_the_first_broken_link_and_its_dialogue(course: Course, sqlite_url: str) -> None:
    from types import SimpleNamespace

    files: Any = SimpleNamespace(
        people=(),
        rubrics=(),
        warnings=(),
        setup=SimpleNamespace(assignments=()),
        local=SimpleNamespace(database=sqlite_url, spreadsheet="", mail=None),
    )
    assert inspect(files)[-1].good
    submission = of(course, ANN)
    reviews = [turn for turn in course.store.dialogue(submission).turns if turn.kind == "review"]
    engine = create_engine(sqlite_url)
    with engine.begin() as db:
        db.execute(
            text("UPDATE turns SET via = 'sheet' WHERE id IN (:a, :b)"), {"a": reviews[0].id, "b": reviews[1].id}
        )
    engine.dispose()
    found = inspect(files)[-1]
    assert not found.good
    assert f"{submission} breaks at turn {reviews[0].sequence} ({reviews[0].id})" in found.text
    assert reviews[1].id not in found.text
