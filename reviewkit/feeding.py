"""`reviewkit feeds`: everybody's sites from the command line, a line per person and feed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reviewkit.errors import FeedError, Invalid
from reviewkit.printing import after_pull, outcome, pulled_row, say, table, tell

if TYPE_CHECKING:
    from reviewkit.course import Course
    from reviewkit.feeds.discover import Found
    from reviewkit.opml import Line

app = typer.Typer(
    help="Whose sites are read: list them, add, remove or check one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
CourseFile = Annotated[
    Path, typer.Option("--course", metavar="FILE", help="The course file.", envvar="REVIEWKIT_COURSE")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Who = Annotated[str, typer.Argument(metavar="PERSON", help="Their id in the roster.")]
Where = Annotated[str, typer.Argument(metavar="ADDRESS", help="A home page, profile, tag page or feed.")]
COURSE = Path("course.toml")


@app.command("add")
def add(
    person: Who,
    address: Where,
    course: CourseFile = COURSE,
    shared: Annotated[
        bool, typer.Option("--shared", help="Somebody else has this site too, and that is right.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what was found and add nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Find the feed behind an address, say what it shows, and add it.

    A feed that the person has already is left as it is.
    """
    opened = _open(course)
    who = opened.person(person)
    found = opened.find_site(address)
    try:
        added = not dry_run and opened.add_site(who, found.url, shared=shared)
    except Invalid as refused:
        raise Invalid(f"{refused} --shared says so." if refused.field == "shared" else str(refused)) from refused
    if as_json:
        return tell(_found_row(found) | {"person": who.id, "added": added})
    say(f"{found.title or found.url}: {_words(opened, found)}")
    for each in found.posts:
        say(f"  {each.title}{' (counts)' if each.tagged else ''}")
    if dry_run:
        return say("Nothing was added: --dry-run only tells.")
    return say(f"{who.name}: {found.url} {'is added' if added else 'was there already'}.")


@app.command("list")
def list_(
    person: Annotated[str | None, typer.Argument(metavar="PERSON", help="Only this person's.")] = None,
    course: CourseFile = COURSE,
    as_json: Json = False,
) -> None:
    """List everybody's feeds: when each was read, what is wrong, who else has it."""
    opened = _open(course)
    people = [opened.person(person)] if person else opened.people()
    rows = [_site_row(opened, who.id) for who in people]
    flat = [row for some in rows for row in some]
    if as_json:
        return tell(flat)
    names = {each.id: each.name for each in opened.people()}
    for row in flat:
        shared = f"; also of {', '.join(names[each] for each in row['also'])}" if row["also"] else ""
        state = row["error"] or (f"read {row['succeeded']}" if row["succeeded"] else "not read yet")
        table([(names[row["person"]], row["url"], f"{state}{shared}")])
    if not flat:
        say("Nobody has a site here yet: reviewkit feeds add PERSON ADDRESS")
    return None


@app.command("remove")
def remove(
    person: Who,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The feed's address, as `feeds list` shows it.")],
    course: CourseFile = COURSE,
    as_json: Json = False,
) -> None:
    """Read a feed no longer, also after later imports of the roster. Its posts stay."""
    opened = _open(course)
    who = opened.person(person)
    removed = opened.remove_site(who, address)
    if as_json:
        return tell({"person": who.id, "url": address, "removed": removed})
    return say(f"{who.name}: {address} {'is no longer read; its posts stay' if removed else 'was not there'}.")


@app.command("check")
def check(person: Who, course: CourseFile = COURSE, as_json: Json = False) -> None:
    """Pull one person's feeds now, and say what came of each."""
    opened = _open(course)
    who = opened.person(person)
    pulled = opened.pull(person=who.id)
    for each in pulled:
        if not as_json:
            say(f"{who.name}  {each.url}  {outcome(each)}")
    if as_json:
        tell([pulled_row(each) for each in pulled])
    elif not pulled:
        say(f"{who.name} has no site here yet: reviewkit feeds add {who.id} ADDRESS")
    return after_pull(opened, pulled, quiet=as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML file of a feed reader.")],
    course: CourseFile = COURSE,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this nothing is changed.")] = False,
    as_json: Json = False,
) -> None:
    """Add the feeds of an OPML file to the people whose id or name stands beside them.

    Without --apply it only tells, a line per feed. Feeds of nobody, and feeds that somebody else has, are left out.
    """
    from reviewkit import opml

    opened = _open(course)
    try:
        text = file.read_text("utf-8-sig", "replace")
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror or error}.") from error
    rows = [_taken(opened, each, apply=apply) for each in opml.read(text, opened.people())]
    if as_json:
        return tell(rows)
    for row in rows:
        say(f"{row['person'] or '?'}  {row['url']}  {row['outcome']}")
    return None if apply else say("Nothing was changed. To do this: reviewkit feeds import FILE --apply")


def _taken(opened: "Course", line: "Line", *, apply: bool) -> dict[str, Any]:
    who = line.person
    if who is None:
        outcome_of = "left out: nobody in the roster has this name or id"
    elif opened.shares_site(who, line.url):
        outcome_of = "left out: somebody else has it (feeds add --shared)"
    elif any(each.feed.url == line.url for each in opened.sites(who)):
        outcome_of = "is there already"
    elif not apply:
        outcome_of = "would be added"
    else:
        try:
            outcome_of = "added" if opened.add_site(who, line.url) else "is there already"
        except (FeedError, Invalid) as refused:
            outcome_of = f"left out: {refused}"
    return {"person": who.id if who else None, "url": line.url, "outcome": outcome_of}


@app.command("export")
def export(course: CourseFile = COURSE) -> None:
    """Print everybody's feeds as OPML, for a feed reader or another course."""
    from reviewkit import opml

    opened = _open(course)
    print(opml.write(opened.setup.title, opened.people(), opened.store.feeds()), end="", flush=True)


def _open(file: Path) -> "Course":
    from reviewkit.opening import open_local

    return open_local(file)


def _words(opened: "Course", found: "Found") -> str:
    return f"{found.since} posts since the course began, {found.tagged} with #{found.tag or opened.setup.tag}."


def _found_row(found: "Found") -> dict[str, Any]:
    posts = [{"title": each.title, "tagged": each.tagged} for each in found.posts]
    return {"url": found.url, "title": found.title, "since": found.since, "tagged": found.tagged, "posts": posts}


def _site_row(opened: "Course", person: str) -> list[dict[str, Any]]:
    def moment(at: Any) -> str | None:
        return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None

    return [
        {
            "person": person,
            "url": each.feed.url,
            "title": each.feed.title,
            "own": each.own,
            "succeeded": moment(each.feed.succeeded),
            "error": each.feed.error,
            "next": moment(each.feed.next_try),
            "also": list(each.others),
        }
        for each in opened.sites(opened.person(person))
    ]
