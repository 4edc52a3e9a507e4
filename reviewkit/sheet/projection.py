"""The course as the instructor workbook shows it: from the store's values to rows. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from reviewkit import dialogue as rules
from reviewkit import overview
from reviewkit.model import (
    Accept,
    Allocation,
    Answer,
    AskToReopen,
    Assignment,
    Decide,
    Dialogue,
    Discuss,
    Dissent,
    Exempt,
    Freeze,
    HandOver,
    Judgement,
    Person,
    Post,
    Proposal,
    Recognise,
    Reopen,
    Reply,
    Restore,
    Reveal,
    Review,
    Rubric,
    SelfEvaluation,
    Setup,
    SignOff,
    Turn,
    What,
    Withdraw,
)
from reviewkit.sheet.rows import DialogueRow, KeyRow, Projection, RoundRow, RubricRow, SignOffRow
from reviewkit.slots import slots_of


def project(
    *,
    setup: Setup,
    people: Iterable[Person],
    rubrics: Iterable[Rubric],
    dialogues: Sequence[Dialogue],
    allocations: Sequence[Allocation],
    posts: Iterable[Post],
    answers: Mapping[str, str],
    now: datetime,
) -> Projection:
    """Everything the instructor workbook shows. `answers`: submission -> what its row's last input was answered."""
    named = {person.id: person for person in people}
    versions = {rubric.digest: rubric for rubric in rubrics}
    known = {post.id: post for post in posts}
    owed = Counter[str]()
    for asked_for in {each.submission.assignment for each in dialogues}:
        made = [each for each in dialogues if each.submission.assignment == asked_for]
        owed += slots_of(made, allocations, named.values()).owed()
    rows, turns = list[SignOffRow](), list[DialogueRow]()
    for dialogue in dialogues:
        submission = dialogue.submission
        person, rubric = named[submission.person], versions[submission.rubric]
        post = known[submission.revisions[0].post]
        frozen = post.revision(submission.revisions[0].digest)
        line = overview.line(
            person,
            dialogue,
            rubric=rubric,
            setup=setup,
            owed=owed.get(submission.id, 0),
            title=frozen.headline if frozen else post.headline,
            now=now,
        )
        asked = setup.assignment(submission.assignment)
        rows.append(
            SignOffRow(
                id=submission.id,
                student=person.name,
                assignment=asked.title if asked else submission.assignment,
                post=line.title,
                link=post.link,
                self_grade=line.self_grade,
                peers_median=_number(line.median),
                peers_range="" if line.low is None else f"{_number(line.low)} to {_number(line.high)}",
                flags=", ".join(line.flags),
                stage=line.stage,
                waiting_for=_whom(line.waiting_on, person),
                status=answers.get(submission.id, ""),
            )
        )
        turns += [_turn(turn, person, named, rubric) for turn in dialogue.turns]
    return Projection(
        course=setup.title,
        generated=now.isoformat(),
        submissions=tuple(rows),
        turns=tuple(turns),
        rubrics=tuple(row for rubric in versions.values() for row in _rubric(rubric)),
        rounds=tuple(_round(each, setup, dialogues, owed) for each in setup.assignments),
        keys=tuple(_keys(dialogues, allocations, named)),
    )


def _turn(turn: Turn, author: Person, named: Mapping[str, Person], rubric: Rubric) -> DialogueRow:
    by = named.get(turn.by)
    judgements, grade = _judged(turn.what)
    return DialogueRow(
        id=turn.id,
        submission=turn.submission,
        student=author.name,
        sequence=turn.sequence + 1,
        kind=turn.kind,
        by=by.name if by else turn.by,
        at=turn.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        via=turn.via,
        levels="\n".join(_judgement(each, rubric) for each in judgements),
        text=_words(turn.what),
        grade=grade,
        digest=turn.digest,
        previous=turn.previous,
    )


def _judged(what: What) -> tuple[Sequence[Judgement], str]:
    match what:
        case SelfEvaluation(judgements=judgements, grade=grade):
            return judgements, grade
        case Review(judgements=judgements):
            return judgements, ""
        case Answer(revised=Proposal() as proposal) | Reply(proposal=Proposal() as proposal):
            return proposal.judgements, proposal.grade
        case Discuss(counter=Proposal() as proposal):
            return proposal.judgements, proposal.grade
        case Decide(judgements=judgements, grade=grade):
            return judgements, grade
        case Accept(grade=grade) | SignOff(grade=grade):
            return (), grade
        case _:
            return (), ""


def _words(what: What) -> str:
    """The words of a turn, each part under its own name where there are several."""
    match what:
        case SelfEvaluation():
            parts = [("Strengths", what.strengths), ("Opportunities for improvement", what.improvements)]
        case Review():
            parts = [("Strengths", what.strengths), ("Suggestions", what.suggestions)]
        case Answer():
            said = [*what.rating, *(["thanks"] if what.thanks else [])]
            parts = [("", what.text), ("What changed", what.changed), ("The review was", ", ".join(said))]
        case Discuss() | Accept():
            parts = [("", what.text), ("Recognised", ", ".join(what.recognised))]
        case Reply():
            parts = [("", what.text or ("Accepts the proposed grade." if what.accepts else ""))]
        case Recognise():
            parts = [("", what.text), ("Suggestions", what.suggestions), ("Recognised", ", ".join(what.recognised))]
        case Freeze() | Reveal() | Decide() | Withdraw() | Exempt() | Restore():
            parts = [("", what.reason)]
        case Reopen():
            parts = [("", what.reason), ("Back to", what.to)]
        case Dissent() | AskToReopen():
            parts = [("", what.text)]
        case HandOver():
            parts = [("", f"{what.given} of at least {what.minimum} reviews came in time.")]
        case SignOff():
            parts = [("", f"Signed by the {what.role}.")]
    return "\n\n".join(f"{name}: {text}" if name else text for name, text in parts if text)


def _judgement(each: Judgement, rubric: Rubric) -> str:
    criterion = rubric.criterion(each.criterion)
    line = f"{criterion.name if criterion else each.criterion}: {rubric.levels[each.level].name}"
    return (
        line
        + (f" ({each.note})" if each.note else "")
        + (f" \N{LEFT DOUBLE QUOTATION MARK}{each.quote}\N{RIGHT DOUBLE QUOTATION MARK}" if each.quote else "")
    )


def _rubric(rubric: Rubric) -> Iterable[RubricRow]:
    for criterion in rubric.criteria:
        levels = zip(rubric.levels, criterion.descriptions, strict=True)
        yield RubricRow(
            rubric=rubric.title,
            version=rubric.digest,
            criterion=criterion.name,
            weight=_number(criterion.weight),
            question=criterion.question,
            levels="\n".join(f"{level.name}: {text}" for level, text in levels),
        )


def _round(assignment: Assignment, setup: Setup, dialogues: Sequence[Dialogue], owed: Mapping[str, int]) -> RoundRow:
    mine = [each for each in dialogues if each.submission.assignment == assignment.id]
    zone = ZoneInfo(setup.timezone)

    def date(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z") if at else ""

    return RoundRow(
        assignment=assignment.id,
        title=assignment.title,
        tag=setup.tag_of(assignment),
        freeze_by=date(assignment.freeze_by),
        self_by=date(assignment.self_by),
        review_by=date(assignment.review_by),
        answer_by=date(assignment.answer_by),
        sign_by=date(assignment.sign_by),
        submissions=len(mine),
        self_evaluated=sum(rules.self_evaluation(each.turns) is not None for each in mine),
        reviews_owed=sum(owed.get(each.submission.id, 0) for each in mine),
        reviews_done=sum(len(rules.latest_reviews(each.turns)) for each in mine),
        revealed=sum(rules.reveal(each.turns) is not None for each in mine),
        signed=sum(rules.stage(each.turns) == "signed" for each in mine),
    )


def _keys(
    dialogues: Sequence[Dialogue], allocations: Sequence[Allocation], named: Mapping[str, Person]
) -> Iterable[KeyRow]:
    for each in dialogues:
        yield _key(each.submission.id, "author", each.submission.pseudonym, named[each.submission.person])
    for duty in allocations:
        yield _key(duty.submission, "reviewer", duty.pseudonym, named[duty.reviewer])


def _key(submission: str, role: str, pseudonym: str, person: Person) -> KeyRow:
    return KeyRow(submission=submission, role=role, pseudonym=pseudonym, person=person.id, name=person.name)


def _whom(waits: str, author: Person) -> str:
    return {"author": author.name, "instructor": "Instructor"}.get(waits, waits)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0")
