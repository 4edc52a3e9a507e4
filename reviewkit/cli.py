"""The command line: each command asks the course and prints what was done, a line per person or blog.

What a command needs is imported inside it, so that `--help` is quick. A mistake of the user's ends with 1 and one
message on standard error; a bug stays a traceback.
"""

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reviewkit import feeding
from reviewkit.errors import ConfigError, Invalid, Missing, ReviewkitError
from reviewkit.printing import (
    after_pull,
    plain,
    pull_for_ever,
    pulled_row,
    report_row,
    say,
    say_report,
    status_cells,
    status_rows,
    table,
    tell,
    watched_pull,
)

if TYPE_CHECKING:
    from reviewkit.course import Course
    from reviewkit.model import Assignment

PORT = 8866
INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Students' posts become grades that they propose themselves, peers discuss blind, and an instructor signs.",
)

app.add_typer(feeding.app, name="feeds")

CourseFile = Annotated[
    Path, typer.Option("--course", metavar="FILE", help="The course file.", envvar="REVIEWKIT_COURSE")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Port = Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="The port to listen on.")]
COURSE = Path("course.toml")


class What(StrEnum):
    """What can be exported."""

    POSTS = "posts"
    SUBMISSIONS = "submissions"
    ALLOCATIONS = "allocations"
    TURNS = "turns"
    GRADES = "grades"
    WORKBOOK = "workbook"
    COURSE = "course"


class Format(StrEnum):
    """How it is written."""

    JSON = "json"
    CSV = "csv"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command; gives its exit code: 0, 1 for a mistake of the user's, 130 when interrupted."""
    if arguments[:1] == ["serve"]:
        _list_variables()
    try:
        code = app(args=list(arguments) or ["--help"], prog_name="reviewkit", standalone_mode=False)
    except ReviewkitError as error:
        return _refuse(str(error))
    except typer.TyperException as error:
        words = " ".join(error.format_message().replace("Value error, ", "").split())
        return _refuse(f"{words.rstrip('.')}. `{_called(arguments)} --help` tells more.")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _list_variables() -> None:
    """End `serve --help` with every variable, from the one table of settings; read only when somebody asks."""
    from reviewkit.config.settings import variables

    lines = [f"  {name}\n      {help}" for name, help in variables()]
    for command in app.registered_commands:
        if command.name == "serve":
            command.epilog = "\b\nVariables, which win over the course file:\n" + "\n".join(lines)


def _called(arguments: Sequence[str]) -> str:
    named = [each for each in arguments[:1] if each in {one.name for one in app.registered_commands}]
    return " ".join(["reviewkit", *named])


def _refuse(message: str) -> int:
    print(plain(message), file=sys.stderr)
    return 1


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        from reviewkit import __version__

        say(f"reviewkit {__version__}")
        raise typer.Exit


# -- setting up ------------------------------------------------------------------------------------------------------


@app.command("init")
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write it into; made if missing.")],
    as_json: Json = False,
) -> None:
    """Write a commented example course.

    It runs as it is: course.toml, roster.csv and rubrics/ in a folder of their own. Nothing is overwritten.
    """
    from reviewkit.config import write_example

    names = write_example(directory)
    if as_json:
        return tell({"directory": str(directory), "written": names})
    say(f"{directory} holds {', '.join(names)}. Read course.toml, put your class into roster.csv, then:")
    say(f"  cd {directory} && reviewkit check")
    return None


@app.command("check")
def check(course: CourseFile = COURSE, as_json: Json = False) -> None:
    """Check the course's files and what they need.

    Lists every mistake with its file and line, then tries the database, the sheet's key and the mail server.
    Changes nothing.
    """
    from reviewkit.config import read_course
    from reviewkit.inspection import inspect

    findings = inspect(read_course(course))
    if as_json:
        tell([{"what": each.what, "good": each.good, "text": each.text} for each in findings])
    for each in findings:
        if each.good and not as_json:
            say(f"{each.what}: {each.text}")
    failed = [each.text for each in findings if not each.good]
    if failed:
        raise ConfigError("\n".join(failed))


@app.command("import")
def import_(
    course: CourseFile = COURSE,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this nothing is changed.")] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Withdraw those who are no longer in the roster (can be undone).")
    ] = False,
    restructure: Annotated[
        bool, typer.Option("--restructure", help="Use a rubric's new criteria or levels in a round that has begun.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take changed files into the course.

    Without --apply it only reports, row by row, what would change. Nobody is ever deleted: somebody who is missing
    from the roster is proposed for a withdrawal.
    """
    from dataclasses import asdict

    from reviewkit.config import read_course
    from reviewkit.importing import take_in, told

    files = read_course(course)
    taken = take_in(files, _open(course).store, apply=apply, withdraw=withdraw, restructure=restructure)
    if as_json:
        return tell(asdict(taken))
    for line in told(taken, withdrawn=withdraw):
        say(line)
    return None


# -- the round -------------------------------------------------------------------------------------------------------


@app.command("pull")
def pull(
    course: CourseFile = COURSE,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: pull each site when it is due, until Ctrl-C or SIGTERM.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch everybody's feeds.

    Keeps the posts that carry a tag of the course and prints a line per site. Sites that are down are named and stop
    nobody; an address that is no feed ends with 1, after everything else was kept. Sites that asked for a pause, or
    said that the feed is gone for good, are not asked.
    """
    opened = _open(course)
    with _stoppable():
        if watch:
            return pull_for_ever(opened, quiet=as_json)
        pulled = watched_pull(opened, quiet=as_json)
    if as_json:
        tell([pulled_row(each) for each in pulled])
    return after_pull(opened, pulled, quiet=as_json)


@app.command("allocate")
def allocate(
    assignment: Annotated[
        str | None, typer.Argument(metavar="ASSIGNMENT", help="Its id, where there are several.")
    ] = None,
    course: CourseFile = COURSE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and save nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Allocate the reviews of an assignment.

    What is allocated already stays, so it can be run again for those who came late.
    """
    opened = _open(course)
    asked = _assignment(opened, assignment)
    plan = opened.plan(asked.id)
    if not dry_run:
        opened.allocate(plan)
    if as_json:
        pairs = [{"submission": submission, "reviewer": reviewer} for submission, reviewer in plan.pairs]
        return tell(
            {"assignment": asked.id, "count": plan.count, "saved": not dry_run, "relaxed": plan.relaxed, "new": pairs}
        )
    for sentence in plan.relaxed:
        say(f"{asked.title}: {sentence}")
    people = {each.id: each.name for each in opened.people()}
    each_owes = dict[str, int]()
    for _, reviewer in plan.pairs:
        each_owes[reviewer] = each_owes.get(reviewer, 0) + 1
    for reviewer, number in each_owes.items():
        say(f"{people[reviewer]}: {number} to write")
    if not plan.pairs:
        say(f"{asked.title}: there is nothing to allocate.")
    else:
        say(f"{asked.title}: {len(plan.pairs)} reviews {'would be' if dry_run else 'are'} allocated.")
    return None


@app.command("advance")
def advance(
    course: CourseFile = COURSE,
    no_pull: Annotated[bool, typer.Option("--no-pull", help="Do not fetch feeds first.")] = False,
    as_json: Json = False,
) -> None:
    """Do once what the dates ask for.

    The same as the clock of `serve`: pull, freeze, allocate and reveal what is due, remind, then bring the sheet in
    step. It can run beside `serve`, and twice: what is done stays, and is not done again.
    """
    opened = _open(course)
    with _stoppable():
        pulled = [] if no_pull else watched_pull(opened, quiet=as_json)
    opened.flush()
    done = opened.advance()
    _remind(opened, course)
    report = opened.sync()
    if as_json:
        tell({"pulled": [pulled_row(each) for each in pulled], "done": done, "sheet": report_row(report)})
    else:
        for sentence in done or ["No date asks for anything now."]:
            say(sentence)
        say_report(report)
    after_pull(opened, pulled, quiet=as_json)


def _remind(opened: "Course", course: Path) -> None:
    """Send the letters that today asks for, where mail is set up."""
    from reviewkit.config import read_local
    from reviewkit.reminding import Reminding
    from reviewkit.signing import read_secret

    local = read_local(course)
    if local.mail and local.mail.reminders:
        secret = read_secret(course.parent)
        Reminding(opened, secret, days=local.mail.reminders, url=local.public_url).send(local.mail)


@app.command("status")
def status(course: CourseFile = COURSE, as_json: Json = False) -> None:
    """Say where everybody stands.

    A line per person and assignment: the stage, the reviews, and for whom it waits.
    """
    rows = status_rows(_open(course))
    if as_json:
        return tell(rows)
    if not rows:
        say("There is nothing to report: no assignments, or no students.")
    table([status_cells(row) for row in rows])
    return None


@app.command("sync")
def sync(course: CourseFile = COURSE, as_json: Json = False) -> None:
    """Bring the workbook into step.

    Reads what was typed into the instructor's workbook, then writes what differs. Twice changes nothing.
    """
    report = _open(course).sync()
    if as_json:
        return tell(report_row(report))
    say_report(report)
    return None


@app.command("links")
def links(
    course: CourseFile = COURSE,
    person: Annotated[str | None, typer.Option("--person", metavar="ID", help="Only this person's.")] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="ID", help="A new link for this person; the old one and its sign-ins end."),
    ] = None,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="ID", help="End this person's link and sign-ins; print none.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Where the pages are, if not at [server] public_url.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print personal sign-in links.

    Each opens one person's pages and no other's: hand it to nobody else. Where the course signs in with links for one
    use, each works once and within a week.
    """
    from reviewkit.config import find, read_local
    from reviewkit.entrance import hand_out
    from reviewkit.signing import read_secret

    opened, file = _open(course), find(course)
    for id in filter(None, (revoke, new)):
        opened.store.revoke_links(opened.person(id).id)
    if revoke and not (person or new):
        ended = opened.person(revoke)
        return tell([]) if as_json else say(f"{ended.name}: the link and every sign-in made with it have ended.")
    local, secret = read_local(file), read_secret(file.parent)
    base, once = url or local.public_url or f"http://127.0.0.1:{PORT}", local.sign_in == "single-use"
    one = person or new
    people = [opened.person(one)] if one else [each for each in opened.people() if not each.withdrawn]
    rows = [(each, hand_out(opened, secret, each, base, once=once)) for each in people]
    if as_json:
        return tell(
            [
                {"id": each.id, "name": each.name, "email": each.email, "role": each.role, "link": address}
                for each, address in rows
            ]
        )
    table([(each.name, address) for each, address in rows])
    return None


# -- serving ---------------------------------------------------------------------------------------------------------


@app.command("serve")
def serve(
    course: CourseFile = COURSE,
    port: Port = PORT,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on; others than loopback need public_url.")
    ] = "127.0.0.1",
    as_json: Json = False,
) -> None:
    """Serve the pages and run the clock.

    The clock pulls, freezes, allocates, reveals and syncs when the course's dates say so.
    """
    from reviewkit.config import find
    from reviewkit.server import serve as serve_pages

    def ready(url: str) -> None:
        tell({"url": url}) if as_json else say(f"The pages are at {url} (Ctrl-C stops).")

    serve_pages(find(course), port=port, host=host, ready=ready)


@app.command("demo")
def demo(
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=1, max=65535, help="The port to listen on; any free one if missing."),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keep the demo's course in this folder.")
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Begin before anything has happened.")] = False,
    as_json: Json = False,
) -> None:
    """Run a small invented course.

    Prints everybody's sign-in link; needs no account, no key and no network.
    """
    from reviewkit.demo import run as run_demo

    run_demo(port=port, directory=directory, empty=empty, as_json=as_json)


# -- handing out -----------------------------------------------------------------------------------------------------


@app.command("export")
def export(
    what: Annotated[What, typer.Option(help="What to hand out.", case_sensitive=False)],
    course: CourseFile = COURSE,
    form: Annotated[Format, typer.Option("--format", help="How to write it.", case_sensitive=False)] = Format.JSON,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write here, and not to standard output; a folder for the course."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hand out what the course holds.

    As JSON or CSV, to standard output or a file. `--what course --out DIR` writes the course's files back, and
    `--what workbook --out FILE.xlsx` a copy of the instructor's workbook.
    """
    from reviewkit import exchange
    from reviewkit.config.write import replace_file, write_back
    from reviewkit.exports import rows_of

    opened = _open(course)
    store = opened.store
    if what is What.COURSE and out is not None:
        changed = write_back(out, opened.setup, store.people(), store.rubrics())
        return say(f"{out}: {', '.join(changed) if changed else 'nothing differs'}.")
    if what is What.WORKBOOK and out is not None and out.suffix == ".xlsx":
        from reviewkit.sheet.workbook import write

        write(out, opened.projection())
        return say(f"{out} is written.")
    rows = list(rows_of(what.value, opened, course))
    text = exchange.as_json(rows) if form is Format.JSON or as_json else exchange.as_csv(rows, exchange.FIELDS[what])
    if out is None:
        print(text, end="", flush=True)
        return None
    try:
        replace_file(out, text, mode=0o600)
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror or error}. Nothing was changed.") from error
    return say(f"{out} holds {len(rows):,} {'entry' if len(rows) == 1 else 'entries'}.")


# -- how it is done --------------------------------------------------------------------------------------------------


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: what is under way ends whole."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open(file: Path) -> "Course":
    from reviewkit import open_course
    from reviewkit.course import Course

    course = open_course(file)
    assert isinstance(course, Course), "a path always opens the course itself"
    return course


def _assignment(course: "Course", id: str | None) -> "Assignment":
    known = course.setup.assignments
    if id is not None:
        return course.assignment(id)
    if len(known) == 1:
        return known[0]
    names = ", ".join(each.id for each in known)
    raise Missing(f"Say for which assignment: {names}." if names else "The course has no assignments yet.")
