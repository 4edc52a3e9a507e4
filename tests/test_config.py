"""The course's files: read whole, with every mistake in its place; written back; and what importing would change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reviewkit import config
from reviewkit.config import moments, roster, toml
from reviewkit.config.mistakes import Mistakes
from reviewkit.config.write import course_text
from reviewkit.errors import ConfigError
from reviewkit.model import Assignment, Person, Reviews, Setup

COURSE = """\
[course]
title = "Data Stories"
tag = "#datastories"
timezone = "Europe/Berlin"
starts = 2026-03-01T00:00:00

[[assignments]]
id = "first"
title = "A first story"
rubric = "plain"
freeze_by = 2026-05-01T23:59:00
self_by = 2026-05-04T23:59:00
review_by = 2026-05-11T21:59:00Z
"""
ROSTER = """\
id,name,email,role,feeds
ann,Ann Alder,ann@course.example,student,https://ann.example/feed https://ann.example/notes.xml
bob,Bob Birch,,student,
prof,Pat Rowan,pat@course.example,instructor,
"""
RUBRIC = "# Plain\n\n| Criterion | Low | High |\n| --- | --- | --- |\n| Claim | None. | One. |\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a course's files, with some of them replaced; gives the course file."""

    def files(course: str = COURSE, people: str | bytes = ROSTER, **rubrics: str) -> Path:
        (tmp_path / "course.toml").write_text(course, "utf-8")
        (tmp_path / "roster.csv").write_bytes(people if isinstance(people, bytes) else people.encode())
        (tmp_path / "rubrics").mkdir(exist_ok=True)
        for name, text in ({"plain": RUBRIC} | rubrics).items():
            (tmp_path / "rubrics" / f"{name}.md").write_text(text, "utf-8")
        return tmp_path / "course.toml"

    return files


def mistakes(path: Path, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        config.read_course(path, environ=environ or {})
    assert caught.value.mistakes
    return caught.value.mistakes


def read(path: Path, **environ: str) -> config.CourseFiles:
    return config.read_course(path, environ=environ)


# -- what is read


def test_three_kinds_of_files_make_a_course(write: Write) -> None:
    files = read(write())
    assert files.setup == Setup(
        title="Data Stories",
        tag="datastories",
        timezone="Europe/Berlin",
        starts=datetime(2026, 2, 28, 23, tzinfo=UTC),
        assignments=(
            Assignment(
                id="first",
                title="A first story",
                rubric="plain",
                freeze_by=datetime(2026, 5, 1, 21, 59, tzinfo=UTC),
                self_by=datetime(2026, 5, 4, 21, 59, tzinfo=UTC),
                review_by=datetime(2026, 5, 11, 21, 59, tzinfo=UTC),
            ),
        ),
    )
    assert files.people == (
        Person(
            id="ann",
            name="Ann Alder",
            email="ann@course.example",
            feeds=("https://ann.example/feed", "https://ann.example/notes.xml"),
        ),
        Person(id="bob", name="Bob Birch"),
        Person(id="prof", name="Pat Rowan", email="pat@course.example", role="instructor"),
    )
    assert [each.name for each in files.rubrics] == ["plain"]
    assert sorted(files.digests) == ["course.toml", "roster.csv", "rubrics/plain.md"]


def test_what_is_probably_not_meant_is_a_note_and_no_mistake(write: Write) -> None:
    assert read(write()).warnings == ("No feed is known of: Bob Birch.",)
    alone = read(write(people="id,name\nann,Ann\n", course='[course]\ntitle="T"\ntag="t"\n'))
    assert len(alone.warnings) == 3


def test_a_roster_from_a_spreadsheet_is_read_too(write: Write) -> None:
    people = "\ufeffID;Name;Role\r\nann;Ann Alder;Student\r\n;;\r\nprof;Pat;instructor\r\n".encode()
    assert [(each.id, each.role) for each in read(write(people=people)).people] == [
        ("ann", "student"),
        ("prof", "instructor"),
    ]


def test_exclusions_and_withdrawals_stand_in_the_roster(write: Write) -> None:
    people = "id,name,role,excluded,status\nann,Ann,student,bob,\nbob,Bob,student,,withdrawn\ncyd,Cyd,student,,late\n"
    ann, bob, cyd = read(write(people=people)).people
    assert ann.excluded == ("bob",)
    assert (ann.withdrawn, bob.withdrawn, cyd.withdrawn) == (False, True, False)


def test_sections_stand_in_the_roster(write: Write) -> None:
    people = "id,name,role,sections\nann,Ann,student,mon\nbob,Bob,student,\ntia,Tia,assistant,mon  mon\n"
    assert [each.sections for each in read(write(people=people)).people] == [("mon",), (), ("mon",)]


@pytest.mark.parametrize(
    ("table", "scale"),
    [
        ("", "0-100"),
        ('[grades]\nscale = "levels"\n', "levels"),
        ('[grades]\nscale = ["A", "B", "C"]\n', ("A", "B", "C")),
        ('[grades]\nscale = "letters"\nletters = ["A", "B"]\n', ("A", "B")),
    ],
)
def test_a_grade_is_a_number_a_letter_or_nothing(write: Write, table: str, scale: object) -> None:
    assert read(write(COURSE + table)).setup.scale == scale


def test_the_minimum_never_asks_for_more_reviews_than_there_are(write: Write) -> None:
    assert read(write(COURSE + "[reviews]\ncount = 1\n")).setup.reviews == Reviews(count=1, minimum=1)


def test_reviewing_before_ones_own_self_evaluation_is_a_setting_that_an_export_keeps(write: Write) -> None:
    files = read(write(COURSE + "[reviews]\nown_first = false\n"))
    assert files.setup.reviews == Reviews(own_first=False)
    assert "own_first = false" in course_text(files.setup, {})


def test_a_rubric_may_be_named_as_its_file(write: Write) -> None:
    assert read(write(COURSE.replace('"plain"', '"rubrics/plain.md"'))).setup.assignments[0].rubric == "plain"


# -- this machine


def test_the_database_is_found_from_anywhere(write: Write, tmp_path: Path) -> None:
    assert read(write()).local.database == f"sqlite:///{tmp_path}/course.db"
    elsewhere = write(COURSE + '[store]\ndatabase = "sqlite:////srv/course.db"\n')
    assert read(elsewhere).local.database == "sqlite:////srv/course.db"


def test_a_variable_wins_over_the_file(write: Write) -> None:
    path = write(COURSE + '[server]\npublic_url = "https://one.example/"\n')
    assert read(path).local.public_url == "https://one.example"
    local = read(
        path,
        REVIEWKIT_SERVER_PUBLIC_URL="https://two.example",
        REVIEWKIT_STORE_DATABASE="postgresql+psycopg://prof:hidden@db.example/course",
        REVIEWKIT_NETWORK_ALLOW_PRIVATE_ADDRESSES="yes",
        REVIEWKIT_MAIL_HOST="mail.example",
        REVIEWKIT_MAIL_PORT="2525",
        REVIEWKIT_MAIL_SENDER="course@example.org",
        REVIEWKIT_SMTP_PASSWORD_FILE="/run/smtp",
    ).local
    assert local.public_url == "https://two.example"
    assert local.database == "postgresql+psycopg://prof:hidden@db.example/course"
    assert local.allow_private_addresses
    assert local.mail == config.Mail(
        host="mail.example",
        port=2525,
        security="starttls",
        user="",
        sender="course@example.org",
        password_file=Path("/run/smtp"),
    )


def test_a_mistake_in_a_variable_is_named_with_it(write: Write) -> None:
    found = mistakes(write(), {"REVIEWKIT_SERVER_SIGN_IN": "once", "REVIEWKIT_MAIL_PORT": "many"})
    assert [each.partition(":")[0] for each in found] == ["REVIEWKIT_SERVER_SIGN_IN", "REVIEWKIT_MAIL_PORT"]


def test_this_machine_s_settings_are_read_while_the_rest_is_half_edited(write: Write) -> None:
    path = write(COURSE.replace('rubric = "plain"', ""), people="nothing yet")
    assert config.read_local(path, environ={}).sign_in == "reusable"
    with pytest.raises(ConfigError, match=r"\[server\] sign_in"):
        config.read_local(write(COURSE + '[server]\nsign_in = "never"\n'), environ={})


# -- mistakes


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('title = "Data Stories"', 'titel = "x"\ntitle = "y"', 2, "[course] titel is not known; did you mean “title”?"),
        ('title = "Data Stories"', 'title = ""', 2, "[course] title: it is empty"),
        ('title = "Data Stories"', "title = 7", 2, "write a text in quotes"),
        ('title = "Data Stories"', 'title = "a\\nb"', 2, "write it on one line"),
        ('title = "Data Stories"', f'title = "{"a" * 301}"', 2, "at most 300"),
        ('title = "Data Stories"\n', "", 1, "[course] has no title"),
        ('"#datastories"', '"data stories"', 3, "a tag is one word"),
        ("Europe/Berlin", "Europe/Berlyn", 4, "no time zone"),
        ("Europe/Berlin", "../../etc/passwd", 4, "no time zone"),
        ("2026-03-01T00:00:00", '"soon"', 5, "write a date and a time without quotes"),
        ("2026-03-01T00:00:00", "2026-03-01", 5, "the hour is missing; write 2026-03-01T23:59:00"),
        ("2026-03-01T00:00:00", "2026-03-29T02:30:00", 5, "does not exist in Europe/Berlin"),
        ("[[assignments]]", "[assignments]", 7, "write [[assignments]], in double brackets"),
        ("[[assignments]]", "[[asignments]]", 7, "[asignments] is not known; did you mean “assignments”?"),
        ('id = "first"', 'id = "a b"', 8, "[[assignments]] id: use up to 64 letters"),
        ('id = "first"\n', "", 7, "has no id"),
        ('rubric = "plain"', 'rubric = "plane"', 10, "no file rubrics/plane.md; did you mean “plain”?"),
        ("2026-05-04", "2026-04-04", 12, "self_by: it is before freeze_by"),
        ('rubric = "plain"', 'rubric = "plain"\nkind = "essay"', 11, "“essay” is not known"),
    ],
)
def test_a_mistake_in_course_toml_is_named_with_its_line(
    write: Write, old: str, new: str, line: int, words: str
) -> None:
    assert old in COURSE
    found = mistakes(write(COURSE.replace(old, new)))
    assert any(each.startswith(f"course.toml, line {line}: ") and words in each for each in found), found


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[reviews]\ncount = 0\n", "write a whole number from 1 to 20"),
        ("[reviews]\ncount = true\n", "write a whole number"),
        ("[reviews]\ncount = 2\nminimum = 3\n", "3 cannot be reached with 2 reviews each"),
        ('[reviews]\nmode = "blind"\n', "“blind” is not known; known are: double-blind"),
        ('[grades]\nscale = "percent"\n', "“percent” is not one of"),
        ('[grades]\nscale = "letters"\n', "list the letters"),
        ('[grades]\nscale = ["A", "a"]\n', "each of them once"),
        ('[grades]\nscale = ["A"]\n', "two letters or more"),
        ('[grades]\nletters = ["A", "B"]\n', "only count with scale"),
        ('[store]\ndatabase = "course.db"\n', "write sqlite:///course.db"),
        ('[store]\ndatabase = "sqlite:///:memory:"\n', "write sqlite:///course.db"),
        ('[store]\ndatabase = "postgres://h/n"\n', "begins with postgresql+psycopg://"),
        ('[store]\ndatabase = "postgresql+psycopg://u:p4ss@h/n"\n', "a password never stands in course.toml"),
        ('[server]\npublic_url = "http://course.example"\n', "use https"),
        ('[server]\npublic_url = "course.example"\n', "write the address that people open"),
        ('[server]\npublic_url = "https://me:pw@course.example"\n', "no name and no password"),
        ('[server]\nsign_in = "single-use"\n', "need [mail]"),
        ('[server]\nsecret = "x"\n', "secrets never stand in course.toml"),
        ('[mail]\nhost = "mail.example"\n', "say which address mail comes from"),
        ('[mail]\nhost = "mail.example"\nsender = "a@b.example"\npassword = "x"\n', "REVIEWKIT_SMTP_PASSWORD_FILE"),
        ('[sheet]\nacts_as = "bob"\n', "“bob” is no instructor"),
        ("[network]\nallow_private_addresses = 1\n", "write true or false"),
        ('[[assignments]]\nid = "first"\nrubric = "plain"\n', "“first” is the id of an earlier one"),
        ("sheet = 3\n", "not known"),
    ],
)
def test_a_mistake_in_a_table_is_said_in_words(write: Write, table: str, words: str) -> None:
    found = mistakes(write(f"{COURSE}\n{table}"))
    assert any(words in each for each in found), found
    assert not any("p4ss" in each for each in found), "no secret is repeated"


def test_a_key_outside_its_table_is_told_where_it_belongs(write: Write) -> None:
    assert "it belongs into [store]" in mistakes(write('database = "sqlite:///x.db"\n' + COURSE))[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [("[course\n", 1), ('[course]\ntitle = "a\n', 2), ("[course]\na = 1\na = 2\n", 3), ("x = [\n1,\n2,\n", 4)],
)
def test_broken_toml_is_named_with_its_line(write: Write, text: str, line: int) -> None:
    (found,) = mistakes(write(text))
    assert found.startswith("course.toml, line ")
    assert "this is not TOML" in found
    assert int(found.split()[2].rstrip(":")) in (line - 1, line)


@pytest.mark.parametrize(
    ("row", "line", "words"),
    [
        ("ann,Ann Again,x@y.example,student,", 5, "the id “ann” stands in line 2 already"),
        ("ANN,Ann Again,x@y.example,student,", 5, "stands in line 2 already"),
        (",Nobody,,student,", 5, "the id is empty"),
        ("e v e,Eve,,student,", 5, "the id “e v e” cannot be used"),
        ("schedule,Eve,,student,", 5, "cannot be used"),
        ("eve,,,student,", 5, "the name is empty"),
        ("eve,Eve,eve.example,student,", 5, "“eve.example” is no e-mail address"),
        ("eve,Eve,ANN@course.example,student,", 5, "stands in line 2 already"),
        ("eve,Eve,,studnet,", 5, "did you mean “student”?"),
        ("eve,Eve,,student,eve.example/feed", 5, "did you mean “https://eve.example/feed”?"),
        ("eve,Eve,,student,ftp://eve.example/feed", 5, "does not begin with https:// or http://"),
        ("eve,Eve,,student,https://eve:pw@eve.example/", 5, "holds a name or a password"),
        ("eve,Eve,,student,https://[half/", 5, "not a web address"),
        ("eve,Eve,,student," + " ".join(f"https://e.example/{number}" for number in range(21)), 5, "21 feeds"),
        ("eve,Eve,,student,,more", 5, "there are 6 cells and 5 columns"),
        ('eve,"Eve\n\nof two lines",,student,', 5, "control characters"),
        ('eve,"Eve,,student,', 5, "this is not CSV"),
    ],
)
def test_a_mistake_in_the_roster_is_named_with_its_line(write: Write, row: str, line: int, words: str) -> None:
    found = mistakes(write(people=ROSTER + row + "\n"))
    assert any(each.startswith("roster.csv, line ") and words in each for each in found), found
    if "CSV" not in words:
        assert any(f"line {line}: " in each for each in found)


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("", "the file is empty"),
        ("id,nmae\nann,Ann\n", "the column “nmae” is not known; did you mean “name”?"),
        ("id\nann\n", "the column “name” is missing"),
        ("id,name,id\na,b,c\n", "the column “id” is there twice"),
        ("id,name,excluded\nann,Ann,eve\n", "there is nobody with the id “eve”"),
        ("id,name,excluded\nann,Ann,ann\n", "names themselves"),
        ("id,name,status\nann,Ann,expelled\n", "the status “expelled” is not known"),
        (
            "id,name,role,sections\nann,Ann,student,mon\ntia,Tia,assistant,mon Mon\n",
            "line 3: sections: no student is in “Mon”; did you mean “mon”?",
        ),
        ("id,name,sections\nann,Ann," + "x" * 65 + "\n", "at most 64 characters"),
    ],
)
def test_a_roster_that_is_wrong_as_a_whole_is_said_in_words(write: Write, people: str, words: str) -> None:
    assert any(words in each for each in mistakes(write(people=people)))


def test_text_that_is_not_utf_8_is_named_with_its_line(write: Write) -> None:
    found = mistakes(write(people=ROSTER.encode() + "eve,Évé,,student,\n".encode("latin-1")))
    assert "roster.csv, line 5: this is not UTF-8 text" in found[0]


def test_all_mistakes_of_all_files_are_listed_at_once(write: Write) -> None:
    found = mistakes(
        write(
            COURSE.replace("tag", "tga", 1) + "[reviews]\ncount = 99\n",
            people=ROSTER + "ann,,,boss,\n",
            bad="# Bad\n\n| Criterion | Low | High |\n| --- | --- | --- |\n| Claim | | One. |\n",
        )
    )
    files = [each.partition(",")[0] for each in found]
    assert files == ["course.toml"] * 3 + ["roster.csv"] * 3 + ["rubrics/bad.md"]


def test_a_rubric_with_an_empty_level_is_named_with_file_line_level_and_criterion(write: Write) -> None:
    (found,) = mistakes(write(plain=RUBRIC.replace("None.", " ")))
    assert found == "rubrics/plain.md, line 5: the level “Low” of “Claim” is empty"


def test_missing_files_are_said_in_words(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reviewkit init DIR"):
        read(tmp_path / "elsewhere.toml")
    path = write()
    (tmp_path / "roster.csv").unlink()
    assert "There is no file" in mistakes(path)[0]


def test_a_folder_stands_for_the_course_file_in_it(write: Write) -> None:
    assert read(write().parent).setup.title == "Data Stories"


def test_files_have_limits(write: Write) -> None:
    with pytest.raises(ConfigError, match="larger than"):
        read(write(COURSE + "#" * 300_000))
    many = "id,name\n" + "".join(f"p{number},P\n" for number in range(20_001))
    assert any("more than 20,000 people" in each for each in mistakes(write(people=many)))
    wrong = "id,name,role\n" + "".join(f"p{number},P,boss\n" for number in range(500))
    found = mistakes(write(people=wrong))
    assert len(found) == 51
    assert found[-1] == "and 450 more"


# -- dates at a clock change

BERLIN = ZoneInfo("Europe/Berlin")


def written(date: str) -> object:
    """A date as a course file has it."""
    return toml.read(f"at = {date}").values["at"]


def test_of_an_hour_that_happens_twice_the_later_one_is_meant() -> None:
    assert moments.instant(written("2026-10-25T02:30:00"), BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_an_hour_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2026-03-29 02:30 does not exist in Europe/Berlin"):
        moments.instant(written("2026-03-29T02:30:00"), BERLIN)


def test_an_offset_says_it_exactly() -> None:
    assert moments.instant(written("2026-10-25T02:30:00+02:00"), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(
    st.integers(946_684_800, 2_840_140_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_every_instant_is_written_and_read_again_as_itself(at: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    assert moments.instant(written(moments.local(at, zone)), zone) == at


# -- lines of a TOML file


def test_lines_are_found_past_texts_and_lists_of_several_lines() -> None:
    text = '[a]\nx = """\n[b]\ny = 1\n"""\nz = [\n  "[c]",\n  { k = 1 },\n]\nw = 2 # [d]\n'
    text += '\n[[e]]\nid = 1\n[[e]]\n"id" = 2\n'
    found = toml.read(text)
    assert found.line(("a", "w")) == 10
    assert found.line(("e", 0, "id")) == 13
    assert found.line(("e", 1, "id")) == 15
    assert found.line(("e", 1, "nothing")) == 14
    assert ("b",) not in found.lines
    assert ("a", "y") not in found.lines


@given(st.text(max_size=200))
@example("'\r0")
def test_any_text_is_toml_or_refused_with_a_line(text: str) -> None:
    try:
        found = toml.read(text)
    except toml.BrokenToml as error:
        line = error.line
    else:
        line = found.line(("nothing",))
    assert 1 <= line <= text.count("\n") + 1


# -- the example


def test_the_example_runs_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "course"
    assert config.write_example(directory) == ["course.toml", "roster.csv", "rubrics"]
    files = read(directory)
    assert len(files.people) == 4
    assert {each.name for each in files.rubrics} == {"data-stories", "field-report", "t509"}
    assert files.warnings == ()
    assert sorted(each.name for each in directory.iterdir()) == ["course.toml", "roster.csv", "rubrics"]


def test_the_example_of_any_day_has_its_dates_ahead(tmp_path: Path) -> None:
    now = datetime(2026, 10, 20, 12, tzinfo=UTC)
    config.write_example(tmp_path, now=now)
    (assignment,) = read(tmp_path).setup.assignments
    assert assignment.freeze_by is not None
    assert now < assignment.freeze_by


@pytest.mark.parametrize("name", ["course.toml", "roster.csv", "rubrics"])
def test_the_example_overwrites_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="nothing was written"):
        config.write_example(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


# -- what importing would change


def kept(files: config.CourseFiles) -> config.Kept:
    return config.Kept(setup=files.setup, people=files.people, rubrics=files.rubrics)


def test_the_same_files_change_nothing(write: Write) -> None:
    files = read(write())
    assert config.differences(files, kept(files)) == []
    assert config.merged(files, kept(files)) == (files.setup, list(files.people), [])


def test_an_empty_store_takes_everything(write: Write) -> None:
    files = read(write())
    found = config.differences(files, config.Kept(setup=None, people=(), rubrics=()))
    assert {each.change for each in found} == {"added"}
    assert len(found) == 1 + 1 + 3 + 1


def test_every_row_that_differs_is_reported_in_words(write: Write) -> None:
    before = kept(read(write()))
    files = read(
        write(
            COURSE.replace("A first story", "A better story") + "\n[reviews]\ncount = 4\n",
            people=ROSTER.replace("Bob Birch", "Bob Beech") + "cyd,Cyd Cedar,,student,\n",
        )
    )
    told = [(each.file, each.subject, each.change, each.text) for each in config.differences(files, before)]
    assert told == [
        ("course.toml", "reviews", "changed", "reviews: count was “3” and becomes “4”."),
        ("course.toml", "first", "changed", "first: title was “A first story” and becomes “A better story”."),
        ("roster.csv", "bob", "changed", "Bob Beech: name was “Bob Birch” and becomes “Bob Beech”."),
        ("roster.csv", "cyd", "added", "Cyd Cedar (student) is new."),
    ]


def test_somebody_who_is_missing_is_proposed_for_a_withdrawal_and_never_deleted(write: Write) -> None:
    before = kept(read(write()))
    files = read(write(people=ROSTER.replace("bob,Bob Birch,,student,\n", "")))
    (found,) = config.differences(files, before)
    assert (found.subject, found.change, found.effect) == ("bob", "missing", "withdrawal")
    assert "nothing of theirs is deleted" in found.text
    _, stays, _ = config.merged(files, before)
    assert "bob" not in {each.id for each in stays}, "the store leaves alone whom it is not told about"
    _, withdrawn, _ = config.merged(files, before, withdraw=True)
    assert next(each for each in withdrawn if each.id == "bob").withdrawn


def test_an_assignment_that_is_missing_stays(write: Write) -> None:
    before = kept(read(write()))
    files = read(write(COURSE.replace('id = "first"', 'id = "second"')))
    setup, _, _ = config.merged(files, before)
    assert [each.id for each in setup.assignments] == ["second", "first"]
    assert {(each.subject, each.change) for each in config.differences(files, before)} == {
        ("second", "added"),
        ("first", "missing"),
    }


def test_a_rubric_s_wording_and_its_structure_are_told_apart(write: Write) -> None:
    before = kept(read(write()))
    wording = read(write(plain=RUBRIC.replace("One.", "One claim.")))
    assert [each.effect for each in config.differences(wording, before)] == ["wording"]
    structure = read(write(plain=RUBRIC + "| Craft | Poor. | Rich. |\n"))
    (found,) = config.differences(structure, before)
    assert found.effect == "structure"
    assert "adds Craft" in found.text
    assert config.merged(structure, before, postponed=["plain"])[2] == []
    assert config.merged(structure, before)[2] == list(structure.rubrics)


# -- written back


def test_a_course_that_is_written_back_reads_as_the_same(write: Write, tmp_path: Path) -> None:
    files = read(write(COURSE + '\n[grades]\nscale = ["A", "B"]\n\n[server]\nsign_in = "reusable"\n'))
    people = (
        *files.people,
        Person(id="eve", name='=Eve "the" Oak, jr.', excluded=("ann",), sections=("mon",), withdrawn=True),
    )
    assert config.write_back(tmp_path / "out", files.setup, people, files.rubrics) == [
        "course.toml",
        "roster.csv",
        "rubrics/plain.md",
    ]
    again = read(tmp_path / "out")
    assert (again.setup, again.people, again.rubrics) == (files.setup, people, files.rubrics)


def test_writing_back_leaves_files_alone_that_say_the_same(write: Write) -> None:
    path = write("# my own comment\n" + COURSE)
    files = read(path)
    assert config.write_back(path.parent, files.setup, files.people, files.rubrics) == []
    changed = replace(files.setup, title="Other Stories")
    assert config.write_back(path.parent, changed, files.people, files.rubrics) == ["course.toml"]
    assert read(path).setup == changed


def test_writing_back_keeps_what_belongs_to_this_machine(write: Write) -> None:
    path = write(COURSE + '[store]\ndatabase = "sqlite:///other.db"\n[network]\nallow_private_addresses = true\n')
    files = read(path)
    config.write_back(path.parent, replace(files.setup, title="New"), files.people, files.rubrics)
    assert read(path).local == files.local


words = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=40).map(
    lambda text: text.strip() or "x"
)


@given(words, st.lists(words, min_size=2, max_size=5, unique_by=str.casefold))
def test_any_words_survive_being_written_back(title: str, letters: list[str]) -> None:
    letters = [each[:20].strip() for each in letters]
    setup = Setup(title=title, tag="t", timezone="UTC", scale=tuple(letters))
    values = toml.read(course_text(setup, {})).values
    assert values["course"]["title"] == title
    assert values["grades"]["scale"] == letters


@given(st.lists(words, min_size=1, max_size=5))
def test_any_names_survive_the_roster(names: list[str]) -> None:
    people = tuple(Person(id=f"p{number}", name=name) for number, name in enumerate(names))
    noted = Mistakes()
    assert roster.read(roster.write(people), noted) == people
    assert noted.found == []
