"""The instructor workbook at Google, through the real gspread over real TLS on loopback.

The same assertions run against the small Google of the tests' own and, where it is at hand, against an emulator that
was made independently of the product.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from reviewkit.errors import SheetError
from reviewkit.sheet import Projection, SheetBusy, SheetChanged, SheetRefused, Typed, open_book
from reviewkit.sheet.google import GoogleBook
from tests.fakes_google import BOT, PROF, FakeGoogle, Fault, Formula
from tests.sheet_cast import ANN, DAN, NASTY, Prof, projection, turn

EMULATOR = Path(__file__).parents[2] / "shared" / "tools" / "sheets_emulator_client.py"


class Google(Protocol):
    """What a test looks at, and what Prof does in the browser."""

    key: Path
    address: str

    def environment(self) -> dict[str, str]: ...
    def titles(self) -> list[str]: ...
    def values(self, tab: str) -> list[list[object]]: ...
    def formulas(self) -> list[object]: ...
    def writes(self) -> int: ...
    def type_in(self, tab: str, id: str, header: str, value: str) -> None: ...
    def insert_row(self, tab: str, row: int, text: str) -> None: ...
    def insert_column(self, tab: str, column: int, header: str) -> None: ...
    def delete_row(self, tab: str, id: str) -> None: ...
    def delete_column(self, tab: str, header: str) -> None: ...
    def sort(self, tab: str, header: str) -> None: ...
    def rename_header(self, tab: str, header: str, to: str) -> None: ...
    def rename_tab(self, tab: str, to: str) -> None: ...
    def delete_tab(self, tab: str) -> None: ...
    def share(self, address: str) -> None: ...
    def lose(self, before: bool) -> None:
        """Cut the connection of the next write, before or after it is applied."""

    def fail(self, status: int, message: str = "") -> None:
        """Answer the next write with a status; nothing is applied."""


class Own:
    """The tests' own Google."""

    def __init__(self, fake: FakeGoogle) -> None:
        self.fake = fake
        self.key = fake.key
        self.address = f"https://docs.google.com/spreadsheets/d/{fake.file.id}/edit#gid=0"
        self.environment = fake.environment

    def titles(self) -> list[str]:
        return [tab.title for tab in self.fake.file.tabs]

    def values(self, tab: str) -> list[list[object]]:
        return self.fake.file.titled(tab).values()

    def formulas(self) -> list[object]:
        return [value for tab in self.fake.file.tabs for row in tab.rows for value in row if isinstance(value, Formula)]

    def writes(self) -> int:
        return self.fake.count(":batchUpdate")

    def _find(self, tab: str, id: str, header: str) -> tuple[int, int]:
        rows = self.values(tab)
        top = next(row for row in rows if "id" in row)
        return next(index for index, row in enumerate(rows) if row[top.index("id") :][:1] == [id]), top.index(header)

    def type_in(self, tab: str, id: str, header: str, value: str) -> None:
        self.fake.file.titled(tab).put(*self._find(tab, id, header), value)

    def insert_row(self, tab: str, row: int, text: str) -> None:
        self.fake.file.titled(tab).height += 1
        self.fake.file.titled(tab).rows.insert(row, [text])

    def insert_column(self, tab: str, column: int, header: str) -> None:
        self.fake.file.insert_column(self.fake.file.titled(tab), column)
        self.fake.file.titled(tab).put(0, column, header)

    def delete_row(self, tab: str, id: str) -> None:
        del self.fake.file.titled(tab).rows[self._find(tab, id, "id")[0]]

    def delete_column(self, tab: str, header: str) -> None:
        self.fake.file.delete_column(self.fake.file.titled(tab), self.values(tab)[0].index(header))

    def sort(self, tab: str, header: str) -> None:
        rows = self.fake.file.titled(tab).rows
        at = rows[0].index(header)
        rows[1:] = sorted(rows[1:], key=lambda row: str(row[at]) if len(row) > at else "")

    def rename_header(self, tab: str, header: str, to: str) -> None:
        self.fake.file.titled(tab).put(0, self.values(tab)[0].index(header), to)

    def rename_tab(self, tab: str, to: str) -> None:
        self.fake.file.titled(tab).title = to

    def delete_tab(self, tab: str) -> None:
        self.fake.file.delete_tab(self.fake.file.titled(tab))

    def share(self, address: str) -> None:
        self.fake.permissions.append({"type": "user", "role": "writer", "emailAddress": address})

    def lose(self, before: bool) -> None:
        self.fake.faults.append(Fault(":batchUpdate", "drop-before" if before else "drop-after"))

    def fail(self, status: int, message: str = "") -> None:
        self.fake.faults.append(Fault(":batchUpdate", status=status, message=message))


class Emulated:
    """The emulator."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator
        emulator.reset()
        emulator.config(service_account_storage=False)
        self.id = emulator.seed(title="Class", owner=PROF, share={BOT: "writer"}, tabs=[{"title": "Sheet1"}])["id"]
        self.key = Path(emulator.service_account(BOT))
        self.address = self.id

    def environment(self) -> dict[str, str]:
        names = ("HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        return {name: self.emulator.proxy_env()[name] for name in names}

    def titles(self) -> list[str]:
        (file,) = [file for file in self.emulator.files() if file["id"] == self.id]
        return [tab["title"] for tab in file["tabs"]]

    def values(self, tab: str) -> list[list[object]]:
        return list(self.emulator.grid(self.id, tab)["values"])

    def formulas(self) -> list[object]:
        return [
            kind
            for tab in self.titles()
            for row in self.emulator.grid(self.id, tab)["kinds"]
            for kind in row
            if kind not in ("s", "", None)
        ] + [event for event in self.emulator.events() if event.get("event") == "network_formula"]

    def writes(self) -> int:
        return len(self.emulator.log(op="spreadsheets.batchUpdate"))

    def _human(self, edit: str, tab: str, **more: object) -> None:
        self.emulator.human(edit, self.id, sheet=tab, user=PROF, **more)

    def _top(self, tab: str) -> int:
        return next(number for number, row in enumerate(self.values(tab), start=1) if "id" in row)

    def type_in(self, tab: str, id: str, header: str, value: str) -> None:
        top = self._top(tab)
        self._human("cell", tab, where={"id": id}, column=header, value=value, header_row=top)

    def insert_row(self, tab: str, row: int, text: str) -> None:
        self._human("insert_row", tab, row=row + 1, values=[[text]])

    def insert_column(self, tab: str, column: int, header: str) -> None:
        self._human("insert_column", tab, column=column + 1, header=header)

    def delete_row(self, tab: str, id: str) -> None:
        self._human("delete_row", tab, where={"id": id})

    def delete_column(self, tab: str, header: str) -> None:
        self._human("delete_column", tab, column=header)

    def sort(self, tab: str, header: str) -> None:
        self._human("sort", tab, column=header)

    def rename_header(self, tab: str, header: str, to: str) -> None:
        self._human("rename_header", tab, column=header, to=to)

    def rename_tab(self, tab: str, to: str) -> None:
        self._human("rename_tab", tab, to=to)

    def delete_tab(self, tab: str) -> None:
        self._human("delete_tab", tab)

    def share(self, address: str) -> None:
        self.emulator.human("share", self.id, user=PROF, **{"with": address})

    def lose(self, before: bool) -> None:
        self.emulator.fault("drop_before" if before else "drop_after", op="spreadsheets.batchUpdate")

    def fail(self, status: int, message: str = "") -> None:
        self.emulator.fault("status", op="spreadsheets.batchUpdate", status=status)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not EMULATOR.exists():
        pytest.skip("the independent emulator is not here: these assertions ran against the tests' own Google only")
    spec = importlib.util.spec_from_file_location("sheets_emulator_client", EMULATOR)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    with module.Emulator(folder=str(tmp_path_factory.mktemp("emulator"))) as running:
        yield running


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGoogle]:
    fake = FakeGoogle(tmp_path)
    yield fake
    fake.stop()


@pytest.fixture(params=["own", "emulator"])
def google(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Google:
    at: Google = (
        Own(request.getfixturevalue("fake"))
        if request.param == "own"
        else Emulated(request.getfixturevalue("emulator"))
    )
    lead_there(monkeypatch, at.environment())
    return at


@pytest.fixture
def own(fake: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> Own:
    lead_there(monkeypatch, fake.environment())
    return Own(fake)


def lead_there(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def prof() -> Prof:
    return Prof()


Books = Callable[[], GoogleBook]


@pytest.fixture
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    """Makes books of the spreadsheet; each is another process's."""
    name = "google" if "google" in request.fixturenames else "own"
    at = request.getfixturevalue(name)
    made: list[GoogleBook] = []

    def make() -> GoogleBook:
        made.append(GoogleBook(at.address, key_file=at.key, instructors=[PROF.upper()]))
        return made[-1]

    yield make
    for book in made:
        book.close()


@pytest.fixture
def book(books: Books, prof: Prof) -> GoogleBook:
    """A book that was synced once."""
    book = books()
    book.cycle(prof)
    return book


def rows(google: Google, tab: str = "Sign-off") -> list[dict[str, object]]:
    grid = google.values(tab)
    top = next(index for index, row in enumerate(grid) if "id" in row)
    width = len(grid[top])
    named = [dict(zip(grid[top], row + [""] * (width - len(row)), strict=False)) for row in grid[top + 1 :]]
    return [row for row in named if str(row["id"]).startswith("RK-")]


def row(google: Google, id: str, tab: str = "Sign-off") -> dict[str, object]:
    (found,) = [each for each in rows(google, tab) if each["id"] == id]
    return found


def ids(google: Google, tab: str = "Sign-off") -> list[object]:
    return [each["id"] for each in rows(google, tab)]


# -- writing -------------------------------------------------------------------------------------------------------


def test_the_first_sync_writes_every_tab_and_every_row_once_in_one_write(
    google: Google, book: GoogleBook, prof: Prof
) -> None:
    assert google.titles() == ["Sheet1", "Sign-off", "Dialogue", "Rubric", "Round", "Key"]
    assert ids(google) == [ANN, DAN]
    assert len(set(ids(google, "Dialogue"))) == len(rows(google, "Dialogue")) == len(NASTY)
    assert google.writes() == 1


def test_the_second_sync_writes_nothing_whoever_runs_it(
    google: Google, book: GoogleBook, books: Books, prof: Prof
) -> None:
    assert book.cycle(prof).written == 0
    assert books().cycle(prof).written == 0
    assert google.writes() == 1


def test_text_of_people_comes_back_as_the_same_text_and_is_never_a_formula_a_number_or_a_date(
    google: Google, book: GoogleBook
) -> None:
    assert [each["text"] for each in rows(google, "Dialogue")] == list(NASTY)
    assert row(google, DAN)["post"] == "=1+1"
    assert google.formulas() == []


def test_a_new_turn_and_a_new_stage_are_one_write(google: Google, book: GoogleBook, prof: Prof) -> None:
    ann, dan = prof.shows.submissions
    prof.shows = replace(
        prof.shows,
        turns=(*prof.shows.turns, turn(99, "one more")),
        submissions=(replace(ann, stage="agreed", waiting_for=""), dan),
    )
    report = book.cycle(prof)
    assert (report.written, report.restored, report.problems) == (2, (), ())
    assert google.writes() == 2
    assert row(google, ANN)["stage"] == "agreed"
    assert row(google, ANN)["waiting for"] == ""
    assert rows(google, "Dialogue")[-1]["text"] == "one more"


def test_a_large_class_is_written_in_few_writes_and_no_row_is_missing(google: Google, books: Books, prof: Prof) -> None:
    prof.shows = replace(prof.shows, turns=tuple(turn(number, "words " * 200) for number in range(3000)))
    books().cycle(prof)
    assert google.writes() == 4
    assert len(set(ids(google, "Dialogue"))) == 3000
    assert books().cycle(prof).written == 0


# -- reading what was typed ------------------------------------------------------------------------------------------


def test_a_typed_decision_reaches_the_course_and_the_answer_stands_in_the_row(
    google: Google, book: GoogleBook, prof: Prof
) -> None:
    google.type_in("Sign-off", ANN, "decision", " Accept")
    google.type_in("Sign-off", ANN, "grade", "082")
    google.type_in("Sign-off", ANN, "comment", "well argued")
    report = book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept", grade="082", comment="well argued")]
    assert row(google, ANN)["status"] == "Heard: accept 082"
    assert (report.written, report.restored, report.problems) == (1, (), ())
    assert book.cycle(prof).written == 0


def test_decisions_are_not_read_while_somebody_else_can_edit_and_the_report_names_them(
    google: Google, book: GoogleBook, prof: Prof
) -> None:
    google.type_in("Sign-off", ANN, "decision", "accept")
    google.share("eve@example.net")
    report = book.cycle(prof)
    assert prof.last == []
    assert "eve@example.net can edit the spreadsheet" in report.problems[0]


def test_decisions_are_not_read_while_everybody_with_the_link_can_edit(own: Own, book: GoogleBook, prof: Prof) -> None:
    own.type_in("Sign-off", ANN, "decision", "accept")
    own.fake.permissions.append({"type": "anyone", "role": "writer"})
    assert "everybody with the link can edit" in book.cycle(prof).problems[0]
    assert prof.last == []


def test_decisions_are_not_read_where_google_does_not_tell_who_can_edit(own: Own, book: GoogleBook, prof: Prof) -> None:
    own.type_in("Sign-off", ANN, "decision", "accept")
    own.fake.faults.append(Fault("/permissions", status=403, message="Insufficient permissions."))
    assert "does not say who can edit" in book.cycle(prof).problems[0]
    assert prof.last == []


def test_viewers_do_not_stand_in_the_way(own: Own, book: GoogleBook, prof: Prof) -> None:
    own.type_in("Sign-off", ANN, "decision", "accept")
    own.fake.permissions.append({"type": "anyone", "role": "reader"})
    assert book.cycle(prof).problems == ()
    assert prof.last == [Typed(submission=ANN, decision="accept")]


# -- what people do to a sheet ----------------------------------------------------------------------------------------


def test_sorted_rows_moved_columns_and_notes_change_nothing_of_ours(
    google: Google, book: GoogleBook, prof: Prof
) -> None:
    google.type_in("Sign-off", DAN, "decision", "discuss")
    google.sort("Sign-off", "stage")
    google.insert_column("Sign-off", 0, "seat")
    google.insert_row("Sign-off", 1, "group A")
    google.insert_row("Sign-off", 0, "My class")
    before = google.values("Sign-off")
    assert ids(google) == [DAN, ANN]
    prof.shows = replace(prof.shows, rounds=prof.shows.rounds)
    report = book.cycle(prof)
    assert prof.last == [Typed(submission=DAN, decision="discuss")]
    assert (report.written, report.restored) == (1, ())
    after = google.values("Sign-off")
    assert [line[0] for line in after if line] == [line[0] for line in before if line]
    assert row(google, DAN)["status"] == "Heard: discuss"


def test_an_overwritten_cell_and_a_renamed_header_are_restored_and_reported(
    google: Google, book: GoogleBook, prof: Prof
) -> None:
    google.type_in("Sign-off", ANN, "decision", "accept")
    google.type_in("Sign-off", ANN, "student", "=1+1")
    google.rename_header("Sign-off", "decision", "What to do?")
    report = book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert row(google, ANN)["student"] == "Ann"
    assert row(google, ANN)["decision"] == "accept"
    assert report.restored == (
        "Sign-off: the header “decision” was “What to do?” and is back.",
        f"Sign-off, {ANN}: student, status had been edited and is as before.",
    )
    assert google.formulas() == []


def test_an_overwritten_id_comes_back_with_its_decision(google: Google, book: GoogleBook, prof: Prof) -> None:
    google.type_in("Sign-off", ANN, "decision", "accept")
    google.type_in("Sign-off", ANN, "id", "zzz")
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert sorted(map(str, ids(google))) == [ANN, DAN]
    assert row(google, ANN)["decision"] == "accept"


def test_a_renamed_tab_stays_renamed_and_is_still_ours(google: Google, book: GoogleBook, prof: Prof) -> None:
    google.type_in("Sign-off", ANN, "decision", "accept")
    google.rename_tab("Sign-off", "My 'decisions'")
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert "Sign-off" not in google.titles()
    assert row(google, ANN, "My 'decisions'")["status"] == "Heard: accept"


def test_deleted_rows_columns_and_tabs_come_back(google: Google, book: GoogleBook, prof: Prof) -> None:
    google.delete_row("Sign-off", ANN)
    google.delete_column("Sign-off", "stage")
    google.delete_tab("Key")
    report = book.cycle(prof)
    assert sorted(map(str, ids(google))) == [ANN, DAN]
    assert row(google, ANN)["stage"] == "with instructor"
    assert row(google, DAN)["stage"] == "in review"
    assert len(rows(google, "Key")) == 2
    assert report.restored == ("Sign-off: the column “stage” was gone; a new one stands at the right.",)
    assert book.cycle(prof).written == 0


def test_rows_that_move_between_our_read_and_our_write_are_right_after_the_next_cycle(
    google: Google, book: GoogleBook, prof: Prof
) -> None:
    google.type_in("Sign-off", ANN, "decision", "accept")

    def meanwhile(typed: list[Typed]) -> Projection:
        google.insert_row("Sign-off", 1, "group A")
        google.sort("Sign-off", "id")
        return prof(typed)

    book.cycle(meanwhile)
    book.cycle(prof)
    assert prof.last == [Typed(submission=ANN, decision="accept")]
    assert sorted(map(str, ids(google))) == [ANN, DAN]
    assert row(google, ANN)["status"] == "Heard: accept"
    assert row(google, DAN)["status"] == ""
    assert row(google, DAN)["student"] == "Dan"
    assert book.cycle(prof).written == 0


def test_a_tab_of_somebody_else_with_our_name_is_left_alone(google: Google, book: GoogleBook, prof: Prof) -> None:
    google.delete_tab("Round")
    google.rename_tab("Sheet1", "Round")
    google.insert_row("Round", 0, "first round: the quiz")
    book.cycle(prof)
    assert google.values("Round") == [["first round: the quiz"]]
    assert len(rows(google, "Round (2)")) == 1


def test_an_empty_tab_with_our_name_is_used(google: Google, books: Books, prof: Prof) -> None:
    google.rename_tab("Sheet1", "Sign-off")
    books().cycle(prof)
    assert ids(google) == [ANN, DAN]
    assert google.titles().count("Sign-off") == 1
    assert books().cycle(prof).written == 0


# -- lost answers, two writers, refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [True, False], ids=["before it was applied", "after it was applied"])
def test_a_write_whose_answer_is_lost_is_never_sent_again_and_no_row_is_lost_or_doubled(
    google: Google, book: GoogleBook, prof: Prof, before: bool
) -> None:
    prof.shows = replace(prof.shows, turns=(*prof.shows.turns, turn(99, "one more")))
    google.lose(before)
    with pytest.raises(SheetBusy, match="the next sync looks first"):
        book.cycle(prof)
    assert google.writes() == 2
    assert book.cycle(prof).written == (1 if before else 0)
    assert len(ids(google, "Dialogue")) == len(set(ids(google, "Dialogue"))) == len(NASTY) + 1


def test_the_very_first_write_may_be_lost_too(google: Google, books: Books, prof: Prof) -> None:
    google.lose(before=False)
    with pytest.raises(SheetBusy):
        books().cycle(prof)
    assert books().cycle(prof).written == 0
    assert google.titles() == ["Sheet1", "Sign-off", "Dialogue", "Rubric", "Round", "Key"]


def test_of_two_writers_one_wins_and_the_other_is_told_to_look_again(
    google: Google, book: GoogleBook, books: Books, prof: Prof
) -> None:
    prof.shows = replace(prof.shows, turns=(*prof.shows.turns, turn(99, "one more")))
    other = books()

    def meanwhile(typed: list[Typed]) -> Projection:
        other.cycle(prof)
        return prof(typed)

    with pytest.raises(SheetChanged, match="Another sync wrote"):
        book.cycle(meanwhile)
    assert book.cycle(prof).written == 0
    assert len(ids(google, "Dialogue")) == len(NASTY) + 1


def test_a_late_copy_of_a_write_does_nothing(own: Own, book: GoogleBook, prof: Prof) -> None:
    prof.shows = replace(prof.shows, turns=(*prof.shows.turns, turn(99, "one more")))
    book.cycle(prof)
    assert own.fake.replay(":batchUpdate") == 400
    assert len(ids(own, "Dialogue")) == len(NASTY) + 1


def test_tokens_of_writes_go_after_ten_minutes_but_for_the_last(own: Own, prof: Prof) -> None:
    clock = [1_000_000.0]
    book = GoogleBook(own.address, key_file=own.key, instructors=[PROF], now=lambda: clock[0])
    for number in range(4):
        prof.shows = projection(turns=tuple(turn(each, "words") for each in range(number + 1)))
        book.cycle(prof)
        clock[0] += 400
    book.close()
    tokens = [each["metadataValue"] for each in own.fake.file.metadata if each["metadataKey"] == "reviewkit-revision"]
    assert tokens == ["3 1000800", "4 1001200"]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, SheetRefused, "does not accept the key"),
        (403, SheetRefused, "share it with that address as an editor"),
        (404, SheetRefused, "no such spreadsheet"),
        (429, SheetBusy, "enough requests"),
        (500, SheetBusy, "the next sync looks first"),
        (503, SheetBusy, "the next sync looks first"),
    ],
)
def test_refusals_are_said_in_words_for_the_instructor(
    google: Google, book: GoogleBook, prof: Prof, status: int, error: type[SheetError], words: str
) -> None:
    prof.shows = replace(prof.shows, turns=(*prof.shows.turns, turn(99, "one more")))
    for _ in range(3 if status == 401 else 1):
        # google-auth asks for a new token and tries again when it is told 401: that write was refused, not lost.
        google.fail(status)
    with pytest.raises(error, match=words):
        book.cycle(prof)
    assert len(ids(google, "Dialogue")) == len(NASTY)


def test_a_busy_google_says_how_long_to_wait(own: Own, book: GoogleBook, prof: Prof) -> None:
    own.fake.faults.append(Fault("Metadata:search", status=429, message="Quota.", headers={"Retry-After": "7"}))
    with pytest.raises(SheetBusy) as caught:
        book.cycle(prof)
    assert caught.value.wait == 7


def test_a_request_that_google_calls_wrong_is_reported_with_its_reason(own: Own, book: GoogleBook, prof: Prof) -> None:
    prof.shows = replace(prof.shows, turns=(*prof.shows.turns, turn(99, "one more")))
    own.fail(400, "This operation is not supported for this document.")
    with pytest.raises(SheetError, match="not supported for this document"):
        book.cycle(prof)


def test_a_key_that_google_no_longer_knows_is_said_to_be_one(own: Own, books: Books, prof: Prof) -> None:
    own.fake.token_error = "invalid_grant"
    with pytest.raises(SheetRefused, match="make a new key"):
        books().cycle(prof)
    assert prof.heard == []


def test_an_unreachable_google_is_busy(own: Own, books: Books, prof: Prof, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(SheetBusy, match="could not"):
        books().cycle(prof)


# -- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "", "{}", "not json"])
def test_a_key_file_that_is_no_key_is_said_to_be_none(tmp_path: Path, prof: Prof, content: str | None) -> None:
    key = tmp_path / "key.json"
    if content is not None:
        key.write_text(content)
    with pytest.raises(SheetRefused, match=r"key\.json \(REVIEWKIT_GOOGLE_KEY\) cannot be used"):
        GoogleBook("abcdefghij", key_file=key).cycle(prof)


def test_a_key_file_that_others_can_read_is_reported(own: Own, books: Books, prof: Prof) -> None:
    own.key.chmod(0o644)
    assert "chmod 600" in books().cycle(prof).problems[0]


def test_a_spreadsheet_without_a_key_or_with_a_wrong_address_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SheetRefused, match="REVIEWKIT_GOOGLE_KEY"):
        open_book(file=tmp_path / "course.xlsx", spreadsheet="abcdefghij")
    with pytest.raises(SheetRefused, match="no address of a Google spreadsheet"):
        open_book(file=tmp_path / "course.xlsx", spreadsheet="my sheet!", key_file=tmp_path / "key.json")


def test_the_address_from_the_browser_and_the_bare_id_name_the_same_spreadsheet(tmp_path: Path) -> None:
    places = {
        open_book(file=tmp_path / "x", spreadsheet=named, key_file=tmp_path / "k").place
        for named in ("1AbC-d_E", "https://docs.google.com/spreadsheets/d/1AbC-d_E/edit?usp=sharing#gid=0")
    }
    assert places == {"https://docs.google.com/spreadsheets/d/1AbC-d_E"}


def test_product_tabs_are_protected_but_for_the_inputs_and_the_seal_is_hidden(own: Own, book: GoogleBook) -> None:
    tab = own.fake.file.titled("Sign-off")
    headers = own.values("Sign-off")[0]
    (protected,) = tab.protected
    assert protected["editors"] == {"users": [BOT]}
    holes = [headers[hole["startColumnIndex"]] for hole in protected["unprotectedRanges"]]
    assert holes == ["decision", "grade", "comment"]
    assert [headers[column] for column in tab.hidden] == ["seal"]
    assert tab.validated == {(1, headers.index("decision")), (2, headers.index("decision"))}
    assert own.fake.file.titled("Key").protected[0]["unprotectedRanges"] == []
