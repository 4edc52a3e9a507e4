"""Turns in the store: appended by one of two writers, chained, readable, and erasable without breaking the chain."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, make_url, text

from reviewkit import chain
from reviewkit.errors import Conflict, Missing, StoreError
from reviewkit.model import (
    Accept,
    Answer,
    Discuss,
    Judgement,
    Proposal,
    Reply,
    Reveal,
    Review,
    SelfEvaluation,
    SignOff,
    Turn,
    What,
)
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests.cast import ANN, BOB, CYD, MONDAY, STUDENTS, a_self_evaluation, levels
from tests.store_cast import a_class, freeze, opened, said, words

EVERY_KIND: tuple[What, ...] = (
    a_self_evaluation(),
    Review(
        allocation="a1b2c3d4", pseudonym="Quiet Heron", judgements=levels(), strengths="Clear.", suggestions="More."
    ),
    Reveal(owed=3, minimum=2, reviews=("RK-00000001",), reason="One is ill."),
    Answer(
        review="RK-00000001",
        text="Thank you.",
        rating=("specific", "kind"),
        thanks=True,
        revised=Proposal(judgements=levels(1, 1), grade="75"),
        changed="The second reviewer is right.",
    ),
    Discuss(text="Why not higher?", counter=Proposal(judgements=levels(3, 3), grade="90"), recognised=("the map",)),
    Discuss(text="A question."),
    Reply(accepts=True),
    Reply(text="I see it so.", proposal=Proposal(judgements=levels(), grade="85")),
    Accept(grade="85", text="Agreed.", recognised=("the log",)),
    SignOff(grade="85"),
    SignOff(role="author"),
)


@pytest.fixture
def work(store: Store) -> str:
    return opened(store, ANN)["ann"]


# -- appending -------------------------------------------------------------------------------------------------------


def test_a_submission_begins_with_its_first_turn(store: Store) -> None:
    a_class(store)
    post = store.posts("ann")[0]
    rubric = store.rubrics()[0].digest
    first = said(replace(freeze(post, reason="She asked for it."), rubric=rubric), by="prof")
    made = store.open_submission("ann", "river", rubric, first.what.revisions, first)  # type: ignore[union-attr]  # a Freeze
    assert (made.submission.person, made.submission.assignment, made.submission.rubric) == ("ann", "river", rubric)
    assert made.submission.revisions == first.what.revisions  # type: ignore[union-attr]  # a Freeze
    (turn,) = made.turns
    assert (turn.by, turn.at, turn.via, turn.what) == (first.by, first.at, first.via, first.what)
    assert (turn.sequence, turn.submission, turn.previous) == (0, made.submission.id, "")
    assert store.dialogue(made.submission.id) == made
    assert store.submissions() == [made.submission]


def test_every_kind_of_turn_comes_back_as_it_was_said(store: Store, work: str) -> None:
    for after, what in enumerate(EVERY_KIND, start=1):
        store.say(work, [said(what)], after=after)
    found = store.dialogue(work)
    assert tuple(turn.what for turn in found.turns[1:]) == EVERY_KIND
    assert [turn.sequence for turn in found.turns] == list(range(len(EVERY_KIND) + 1))
    assert store.dialogues("river") == [found]


def test_ids_are_unmistakable_and_name_one_thing_only(store: Store) -> None:
    works = opened(store, *STUDENTS)
    for id in works.values():
        store.say(id, [words("One."), words("Two.")], after=1)
    ids = [*works.values(), *(turn.id for each in store.dialogues() for turn in each.turns)]
    assert len(set(ids)) == 4 + 4 * 3
    assert all(id[:3] == "RK-" and len(id) == 11 and set(id[3:]) <= set("0123456789ABCDEF") for id in ids)


def test_pseudonyms_are_never_the_same_twice_in_the_course(store: Store) -> None:
    works = opened(store, *STUDENTS)
    pairs = [(works[a.id], b.id) for a in STUDENTS for b in STUDENTS if a != b]
    store.keep_allocations("river", pairs, seed=1)
    names = [each.pseudonym for each in (*store.submissions(), *store.allocations())]
    assert len(set(names)) == len(names) == 4 + 12


def test_a_writer_who_has_not_seen_the_last_turn_is_refused(store: Store, work: str) -> None:
    store.say(work, [words("First.")], after=1)
    before = store.dialogue(work)
    for after in (0, 1, 3, -1):
        with pytest.raises(Conflict, match="nothing was sent"):
            store.say(work, [words("Second.")], after=after)
    assert store.dialogue(work) == before


def test_several_turns_are_appended_together_or_not_at_all(store: Store, work: str) -> None:
    store.say(work, [said(Accept(grade="82")), said(SignOff(grade="82"))], after=1)
    assert [turn.kind for turn in store.dialogue(work).turns] == ["freeze", "accept", "sign-off"]
    timeless = said(SignOff(), at=MONDAY.replace(tzinfo=None))
    with pytest.raises(ValueError, match="no time zone"):
        store.say(work, [words("Fine."), timeless], after=3)
    assert len(store.dialogue(work).turns) == 3


def test_the_same_request_has_one_effect(store: Store, work: str) -> None:
    first = store.say(work, [words("Once.")], after=1, request="r-1")
    assert store.say(work, [words("Once.")], after=1, request="r-1") == first
    assert store.has_request(work, "r-1")
    assert not store.has_request(work, "r-2")
    assert not store.has_request(work, "")
    store.say(work, [words("Again, without a request.")], after=2)
    store.say(work, [words("And again.")], after=3)
    assert len(store.dialogue(work).turns) == 4


def test_a_refused_request_may_come_again(store: Store, work: str) -> None:
    with pytest.raises(Conflict):
        store.say(work, [words("Too early.")], after=7, request="r-1")
    assert not store.has_request(work, "r-1")
    assert len(store.say(work, [words("Now.")], after=1, request="r-1").turns) == 2


def test_the_same_request_of_another_dialogue_is_another_request(store: Store) -> None:
    works = opened(store, ANN, BOB)
    for id in works.values():
        assert len(store.say(id, [words("Said.")], after=1, request="r-1").turns) == 2


def test_opening_again_with_the_same_request_gives_what_is_there(store: Store) -> None:
    works = opened(store, ANN, request="open-1")
    assert opened(store, ANN, request="open-1") == works
    with pytest.raises(Conflict):
        opened(store, ANN, request="open-2")
    with pytest.raises(Conflict):
        opened(store, ANN)
    assert len(store.submissions()) == 1
    assert store.has_request(works["ann"], "open-1")


def test_nothing_is_frozen_that_is_not_there(store: Store) -> None:
    a_class(store)
    first = freeze(store.posts("ann")[0])
    (frozen,) = first.revisions
    rubric = store.rubrics()[0].digest
    for version, revisions in (
        ("no such rubric", [frozen]),
        (rubric, [replace(frozen, digest="another")]),
        (rubric, [frozen, replace(frozen, post="another")]),
    ):
        with pytest.raises(Missing, match="nothing was frozen"):
            store.open_submission("ann", "river", version, revisions, said(first))
    assert store.submissions() == []


def test_one_turn_for_each_of_several_dialogues_or_none(store: Store) -> None:
    works = opened(store, ANN, BOB, CYD)
    reveal = said(Reveal(owed=2, minimum=2, reviews=()), by="schedule")
    store.say(works["cyd"], [words("Somebody was faster.")], after=1)
    with pytest.raises(Conflict):
        store.say_all([(id, 1, reveal) for id in works.values()])
    with pytest.raises(Missing):
        store.say_all([(works["ann"], 1, reveal), ("RK-00000000", 1, reveal)])
    assert len(store.dialogue(works["ann"]).turns) == 1
    store.say_all([(works["ann"], 1, reveal), (works["cyd"], 2, reveal), (works["bob"], 1, reveal)])
    assert {each.turns[-1].kind for each in store.dialogues()} == {"reveal"}
    store.say_all([])


def test_one_dialogue_may_get_two_turns_at_once_in_order(store: Store, work: str) -> None:
    store.say_all([(work, 1, words("One.")), (work, 2, words("Two."))])
    assert [turn.what.text for turn in store.dialogue(work).turns[1:]] == ["One.", "Two."]  # type: ignore[union-attr]
    assert chain.first_broken(store.bare_turns(work)) is None


# -- reading ---------------------------------------------------------------------------------------------------------


def test_dialogues_are_found_by_assignment_in_an_order_that_stays(store: Store) -> None:
    opened(store, *STUDENTS)
    found = store.dialogues()
    assert found == store.dialogues("river") == store.dialogues()
    assert [each.submission for each in found] == store.submissions() == store.submissions("river")
    assert store.dialogues("lake") == store.submissions("lake") == []


def test_however_many_dialogues_there_are_a_handful_of_queries_reads_them(store: SqlStore) -> None:
    works = opened(store, *STUDENTS)
    for id in works.values():
        store.say(id, [words(f"Turn {number}.") for number in range(20)], after=1)
    asked: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    assert sum(len(each.turns) for each in store.dialogues()) == 4 * 21
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 3


# -- the chain -------------------------------------------------------------------------------------------------------


@pytest.fixture
def long(store: Store, work: str) -> list[Turn]:
    for after, what in enumerate(EVERY_KIND, start=1):
        store.say(work, [said(what)], after=after)
    return list(store.dialogue(work).turns)


def test_a_stranger_can_verify_the_chain_from_the_recipe_alone(store: Store, work: str, long: list[Turn]) -> None:
    previous = ""
    for turn, rest in store.bare_turns(work):
        body = {
            "submission": work,
            "sequence": turn.sequence,
            "kind": turn.kind,
            "by": turn.by,
            "at": turn.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "via": turn.via,
            "salt": turn.salt,
            "previous": previous,
            "what": rest,
        }
        written = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert turn.digest == sha256(written.encode()).hexdigest()
        assert turn.previous == previous
        previous = turn.digest
    assert len({turn.salt for turn in long}) == len(long)


def test_a_turn_said_in_another_zone_keeps_the_chain(store: Store, work: str) -> None:
    there = MONDAY.astimezone(timezone(timedelta(hours=-7)))
    store.say(work, [said(Discuss(text="From far away."), at=there)], after=1)
    assert store.dialogue(work).turns[1].at == MONDAY
    assert chain.first_broken(store.bare_turns(work)) is None


def tampered(url: str, statement: str, **values: object) -> None:
    engine = create_engine(url)
    with engine.begin() as db:
        assert db.execute(text(statement), values).rowcount == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("\"by\" = 'eve'", {}),
        ("via = 'sheet'", {}),
        ("at = :at", {"at": "2026-05-04 08:00:00.000001"}),
        ("rest = :rest", {"rest": '{"text":"x","counter":null,"recognised":["other"]}'}),
        ("salt = 'ab'", {}),
        ("previous = ''", {}),
        ("digest = :digest", {"digest": "0" * 64}),
        ("sequence = 99", {}),
    ],
)
def test_a_row_that_was_changed_breaks_the_chain_at_its_turn(
    store: Store, store_url: str, work: str, long: list[Turn], change: str, values: dict[str, Any]
) -> None:
    assert chain.first_broken(store.bare_turns(work)) is None
    if "at" in values and store_url.startswith("postgresql"):
        values = {"at": MONDAY + timedelta(microseconds=1)}
    tampered(store_url, f"UPDATE turns SET {change} WHERE id = :id", id=long[5].id, **values)
    broken = chain.first_broken(store.bare_turns(work))
    assert broken is not None
    assert broken.id == (long[6].id if change == "sequence = 99" else long[5].id)


def test_a_turn_that_was_taken_out_breaks_the_chain_at_the_next(
    store: Store, store_url: str, work: str, long: list[Turn]
) -> None:
    tampered(store_url, "DELETE FROM turns WHERE id = :id", id=long[4].id)
    broken = chain.first_broken(store.bare_turns(work))
    assert broken is not None
    assert broken.id == long[5].id


def digest_of(store: Store, work: str, sequence: int, field: str = "text") -> str:
    _, rest = store.bare_turns(work)[sequence]
    digest: str = rest[field]["text"]
    return digest


@pytest.mark.parametrize(
    "change",
    ["UPDATE texts SET text = 'Other words.' WHERE digest = :digest", "DELETE FROM texts WHERE digest = :digest"],
)
def test_words_that_were_changed_or_lost_break_the_chain_too(
    store: Store, store_url: str, work: str, long: list[Turn], change: str
) -> None:
    tampered(store_url, change, digest=digest_of(store, work, 6))
    broken = chain.first_broken(store.bare_turns(work))
    assert broken is not None
    assert broken.id == long[6].id


@pytest.mark.parametrize("change", ["kind = 'poem'", "kind = 'review'", "rest = '[1]'"])
def test_a_turn_that_can_no_longer_be_read_is_named_in_one_sentence(
    store: Store, store_url: str, work: str, long: list[Turn], change: str
) -> None:
    tampered(store_url, f"UPDATE turns SET {change} WHERE id = :id", id=long[5].id)
    with pytest.raises(StoreError, match=f"{long[5].id} .* restore it from a backup"):
        store.dialogue(work)


# -- people's words --------------------------------------------------------------------------------------------------


def test_erased_words_are_gone_and_the_chain_stays_whole(store: Store, work: str, long: list[Turn]) -> None:
    digest = digest_of(store, work, 6)
    store.erase_text(digest)
    store.erase_text(digest)
    turn = store.dialogue(work).turns[6]
    assert turn.what == Discuss(text=chain.ERASED)
    assert [each.what for each in store.dialogue(work).turns[:6]] == [each.what for each in long[:6]]
    assert chain.first_broken(store.bare_turns(work)) is None
    store.say(work, [words("It goes on.")], after=len(long))
    assert chain.first_broken(store.bare_turns(work)) is None


def test_erased_words_and_their_salt_are_in_no_row(store: Store, store_url: str, work: str) -> None:
    store.say(work, [words("My cat is called Bismuth.")], after=1)
    store.erase_text(digest_of(store, work, 1))
    engine = create_engine(store_url)
    with engine.connect() as db:
        assert [tuple(row) for row in db.execute(text("SELECT salt, text FROM texts"))] == [(None, None)]
    engine.dispose()


def test_erased_words_are_overwritten_on_the_disk(sqlite_store: Store, sqlite_url: str) -> None:
    work = opened(sqlite_store, ANN)["ann"]
    path = Path(make_url(sqlite_url).database or "")
    files = (path, path.with_name(path.name + "-wal"))
    secret = "My cat is called Bismuth. " * 300

    def found() -> bool:
        return any(b"Bismuth" in file.read_bytes() for file in files if file.exists())

    sqlite_store.say(work, [words(secret)], after=1)
    assert found()
    sqlite_store.erase_text(digest_of(sqlite_store, work, 1))
    assert not found()


def test_only_the_words_of_one_turn_are_erased_though_another_says_the_same(store: Store, work: str) -> None:
    store.say(work, [words("Fine."), words("Fine.")], after=1)
    assert digest_of(store, work, 1) != digest_of(store, work, 2)
    store.erase_text(digest_of(store, work, 1))
    assert [turn.what for turn in store.dialogue(work).turns[1:]] == [Discuss(text=chain.ERASED), Discuss(text="Fine.")]


anything = st.text(st.characters(), max_size=60)
"""Any unicode, halves of surrogate pairs and NUL among it."""


def held(sent: str) -> str:
    """What both databases hold of a text: all of it but what cannot be typed."""
    whole = sent.replace("\0", "").encode("utf-16-le", "surrogatepass")
    return whole.decode("utf-16-le", "replace")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@example("NUL\0inside", "half \ud83d a pair", "\ud83d\ude00 a pair")
@example("\0", "", "[erased]")
@example("a\u0301 \u202eright to left\u202c", "=1+1", '{"text": "x"}')
@given(anything, anything, anything)
def test_any_text_comes_back_as_it_was_typed(store: Store, first: str, second: str, third: str) -> None:
    work = opened(store, ANN, request="one")["ann"]
    after = len(store.dialogue(work).turns)

    def evaluation(note: str, quote: str, strengths: str) -> SelfEvaluation:
        judgement = Judgement(criterion="claim", level=1, note=note, quote=quote)
        return SelfEvaluation(judgements=(judgement,), strengths=strengths, improvements=note)

    store.say(work, [said(evaluation(first, second, third), by="ann")], after=after)
    assert store.dialogue(work).turns[-1].what == evaluation(held(first), held(second), held(third))
    assert chain.first_broken(store.bare_turns(work)) is None


@given(anything)
def test_what_both_databases_hold_is_what_was_typed(sent: str) -> None:
    assert held(held(sent)) == held(sent)
    if "\0" not in sent and not any("\ud800" <= letter <= "\udfff" for letter in sent):
        assert held(sent) == sent
