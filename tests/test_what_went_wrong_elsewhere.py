"""What has gone wrong in other systems (PRODUCT.md section 4, its fourteen lines), and the test that would have caught
each of them where it was seen.

| line | test |
| --- | --- |
| 1 dropouts | test_dropouts::test_no_pattern_of_ten_thousand_leaves_a_submission_in_review_a_day_after_its_date |
| 1 dropouts | test_course::test_what_got_too_few_reviews_goes_to_the_instructor_who_reviews_and_reveals |
| 1 dropouts | test_allocating::test_who_gave_all_they_owe_may_take_what_a_dropout_left |
| 1 dropouts | test_course::test_a_late_review_is_kept_marked_and_shown_to_the_author_by_its_pseudonym |
| 2 trading | test_allocation::test_everybody_gives_and_gets_exactly_k_and_nobody_reviews_themselves |
| 2 trading | test_allocation::test_no_two_people_review_each_other_where_that_can_be_avoided |
| 2 trading | test_allocation::test_exclusions_are_never_relaxed |
| 2 trading | test_allocation::test_pairs_of_an_earlier_round_are_not_repeated_while_another_is_possible |
| 2 trading | test_allocation::test_whatever_happened_before_nothing_unlawful_is_laid_and_what_was_relaxed_is_said |
| 2 trading | test_allocation::test_running_it_again_changes_nothing_that_is_there |
| 3 duplicates | test_fifty_at_once::test_of_fifty_allocations_at_once_one_counts_and_no_pair_is_there_twice |
| 4 leaks | test_leaks::test_nobody_is_told_what_is_not_for_them |
| 4 leaks | test_leaks_served::test_nothing_that_can_be_fetched_tells_what_is_not_for_them |
| 4 leaks | test_leaks_served::test_nor_does_anything_in_a_browser |
| 4 leaks | test_leaks_served::test_letters_name_nobody_else |
| 4 leaks | test_course::test_pseudonyms_are_never_the_same_in_two_submissions |
| 4 leaks | test_pseudonyms::test_no_word_of_a_pseudonym_is_in_the_names_and_addresses_of_the_course |
| 4 leaks | test_screens_reviews::test_blind_acts_show_their_day_and_no_hour |
| 4 leaks | test_leaks::test_the_order_of_reviews_and_of_the_queue_says_nothing |
| 5 retaliation | here::test_a_rating_comes_after_the_reveal_when_no_score_can_change |
| 5 retaliation | here::test_a_rating_changes_no_score |
| 6 rubric | here::test_an_evaluation_keeps_the_words_it_was_made_with |
| 6 rubric | test_cli::test_a_rubric_s_structure_waits_while_a_round_with_it_is_running |
| 6 rubric | here::test_a_rubric_in_use_outlives_its_file |
| 7 lost text | test_never_lose_a_word::test_a_killed_server_costs_nothing_here_and_three_seconds_elsewhere |
| 7 lost text | test_never_lose_a_word::test_five_hundred_words_at_speed_outlive_two_deaths_of_the_service |
| 7 lost text | test_never_lose_a_word::test_a_server_that_stands_still_is_noticed_within_ten_seconds |
| 7 lost text | test_never_lose_a_word::test_a_page_whose_process_died_says_so_and_its_text_can_be_copied |
| 8 time zones | test_time::test_the_day_of_a_clock_change_ends_when_its_clocks_say_so |
| 8 time zones | test_time::test_a_round_waits_for_the_later_of_two_same_times_and_its_grace |
| 8 time zones | test_time::test_my_dates_stand_in_the_courses_zone_and_in_ones_own_across_the_date_line |
| 8 time zones | test_rounds::test_what_is_chosen_within_the_grace_counts_and_the_rest_is_frozen_after_it |
| 8 time zones | test_rounds::test_a_review_sent_within_the_grace_is_in_time_and_one_after_it_is_late |
| 9 withdrawal | test_allocating::test_a_review_that_was_given_counts_though_its_writer_or_its_author_withdrew |
| 9 withdrawal | test_allocating::test_the_slots_of_somebody_who_withdraws_are_topped_up_and_nobody_elses_pair_moves |
| 9 withdrawal | here::test_a_withdrawal_changes_nobody_elses_score_and_can_be_undone |
| 10 imports | test_cli::test_import_is_a_dry_run_until_it_is_told_to_apply |
| 10 imports | test_cli::test_an_import_with_a_mistake_changes_nothing |
| 10 imports | test_config::test_every_row_that_differs_is_reported_in_words |
| 10 imports | test_config::test_somebody_who_is_missing_is_proposed_for_a_withdrawal_and_never_deleted |
| 11 half-done | test_faults::test_killed_at_any_write_it_is_begun_and_complete_or_not_begun |
| 11 half-done | test_feeds_kills::test_ten_pulls_killed_at_random_leave_every_post_whole |
| 11 half-done | test_outbox::test_killed_at_any_point_it_is_done_once |
| 11 half-done | here::test_a_sync_that_is_killed_leaves_the_workbook_of_before_or_the_new_one |
| 11 half-done | test_google::test_a_write_whose_answer_is_lost_is_never_sent_again_and_no_row_is_lost_or_doubled |
| 12 anchoring | test_course::test_without_a_self_evaluation_the_author_reads_no_review |
| 12 anchoring | test_course::test_nobody_opens_a_review_they_owe_before_their_own_self_evaluation |
| 12 anchoring | test_allocating::test_reviewing_before_ones_own_self_evaluation_can_be_allowed |
| 13 tiny classes | test_allocation::test_a_class_of_one_or_two_is_told_that_blind_review_is_impossible |
| 13 tiny classes | test_allocating::test_with_one_or_two_students_the_instructors_own_review_is_offered |
| 13 tiny classes | test_allocation::test_a_small_class_lowers_k_and_says_so |
| 14 source changed | test_course::test_a_blog_edit_after_the_freeze_only_raises_source_changed |
| 14 source changed | test_screens_my_work::test_a_later_edit_of_the_blog_only_raises_a_notice |
"""

import ast
import multiprocessing
import os
import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reviewkit.course import Course
from reviewkit.errors import NotAllowed
from reviewkit.importing import take_in
from reviewkit.model import Answer, Person, Rubric, Setup
from reviewkit.rubric import parse
from reviewkit.sheet.workbook import WorkbookBook
from reviewkit.store import Store
from reviewkit.store.sql import SqlStore
from tests.cast import (
    ANN,
    BOB,
    PEOPLE,
    PROF,
    RUBRIC,
    STUDENTS,
    Clock,
    a_course,
    a_self_evaluation,
    a_setup,
    answered,
    frozen,
    revealed,
    reviewed,
    self_evaluated,
)

ROW = re.compile(r"^\| (\d+) [^|]+ \| (\w+)::(\w+) \|$", re.MULTILINE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def course(sqlite_store: Store, clock: Clock) -> Course:
    return a_course(sqlite_store, clock)


def test_each_of_the_fourteen_has_its_tests_and_they_are_there() -> None:
    assert __doc__
    rows = ROW.findall(__doc__)
    assert len(rows) == __doc__.count("::"), "every row is read"
    assert {int(line) for line, _, _ in rows} == set(range(1, 15))
    here = Path(__file__)
    for _, module, name in rows:
        path = here if module == "here" else here.with_name(f"{module}.py")
        assert name in {each.name for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef)}


# -- 5: retaliation


def scores(course: Course, *but: Person) -> dict[str, Any]:
    """What the class table makes of everybody's reviews and proposals."""
    lines = course.class_table(PROF, course.assignment("river"))
    return {
        each.person.id: (each.self_grade, each.self_share, each.median, each.low, each.high, each.reviews, each.flags)
        for each in lines
        if each.person.id not in [person.id for person in but]
    }


def reviews_of(course: Course, submission: str) -> list[Any]:
    return [turn for turn in course.store.dialogue(submission).turns if turn.kind == "review"]


def test_a_rating_comes_after_the_reveal_when_no_score_can_change(course: Course) -> None:
    submission = reviewed(course)["ann"]
    (first, _) = reviews_of(course, submission)
    spite = Answer(review=first.id, text="You understood nothing.")
    with pytest.raises(NotAllowed):
        course.answer(ANN, submission, spite, seen=len(course.dialogue(submission, ANN).turns))
    course.reveal("river", by=PROF)
    course.answer(ANN, submission, spite, seen=len(course.dialogue(submission, ANN).turns))
    reviewer = course.person(first.by)
    duty = next(each for each in course.duties(reviewer) if each.id == first.what.allocation)
    with pytest.raises(NotAllowed, match="no longer be changed"):
        course.review(reviewer, duty.id, first.what.judgements, "Now I say worse.", "None.")


@pytest.mark.parametrize("rating", [(), ("specific", "kind", "useful")], ids=["nothing good", "all praise"])
def test_a_rating_changes_no_score(course: Course, rating: Any) -> None:
    submission = revealed(course)["ann"]
    before, said = scores(course), reviews_of(course, submission)
    for review in said:
        answer = Answer(review=review.id, text="So it was.", rating=rating, thanks=bool(rating))
        course.answer(ANN, submission, answer, seen=len(course.dialogue(submission, ANN).turns))
    assert scores(course) == before
    assert reviews_of(course, submission) == said


# -- 6: a rubric that changes in the middle of a round


@dataclass(frozen=True, kw_only=True)
class Files:
    """The course's files."""

    rubrics: Iterable[Rubric]
    setup: Setup = field(default_factory=a_setup)
    people: Iterable[Person] = PEOPLE


def test_an_evaluation_keeps_the_words_it_was_made_with(course: Course) -> None:
    submission = self_evaluated(course, ANN)["ann"]
    reworded = parse(RUBRIC.replace("One claim, kept to.", "One claim, and no other."), name="data-stories")
    report = take_in(Files(rubrics=[reworded]), course.store, apply=True)  # type: ignore[arg-type]  # as CourseFiles
    assert [each.effect for each in report.differences] == ["wording"]
    for viewer in (ANN, PROF):
        assert course.dialogue(submission, viewer).rubric == parse(RUBRIC, name="data-stories")
    later = frozen(course, BOB)["bob"]
    assert course.dialogue(later, BOB).rubric == reworded


def test_a_rubric_in_use_outlives_its_file(course: Course) -> None:
    submission = self_evaluated(course, ANN)["ann"]
    other = parse(RUBRIC.replace("# Data stories", "# Other stories"), name="other")
    setup = a_setup()
    setup = replace(setup, assignments=tuple(replace(each, rubric="other") for each in setup.assignments))
    take_in(Files(rubrics=[other], setup=setup), course.store, apply=True)  # type: ignore[arg-type]  # as CourseFiles
    assert {each.name for each in course.store.rubrics()} == {"data-stories", "other"}
    assert course.dialogue(submission, ANN).rubric == parse(RUBRIC, name="data-stories")


# -- 9: a withdrawal


def test_a_withdrawal_changes_nobody_elses_score_and_can_be_undone(course: Course) -> None:
    answered(course)
    before = scores(course)
    for leaver in STUDENTS:
        course.store.keep_course(course.setup, [replace(leaver, withdrawn=True)], [])
        assert scores(course, leaver) == {id: each for id, each in before.items() if id != leaver.id}
        course.store.keep_course(course.setup, [leaver], [])
        assert scores(course) == before


# -- 11: a step that was half done

processes = multiprocessing.get_context("spawn")


def sync_and_die(url: str, path: Path, done: bool) -> None:
    """Sync into the workbook, and be killed just before or just after it is put in its place."""
    put = Path.replace

    def die(self: Path, target: Path) -> None:
        if done:
            put(self, target)
        os.kill(os.getpid(), signal.SIGKILL)

    Path.replace = die  # type: ignore[method-assign,assignment]  # in this process alone
    Course(SqlStore.open(url), clock=Clock(), book=WorkbookBook(path)).sync()


def rows_of(path: Path) -> list[tuple[object, ...]]:
    return [row for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_sync_that_is_killed_leaves_the_workbook_of_before_or_the_new_one(
    course: Course, sqlite_url: str, tmp_path: Path, done: bool
) -> None:
    path = tmp_path / "course.xlsx"
    made = frozen(course)
    course.book = WorkbookBook(path)
    course.sync()
    before = rows_of(path)
    course.self_evaluate(ANN, made["ann"], a_self_evaluation(), seen=1)
    process = processes.Process(target=sync_and_die, args=(sqlite_url, path, done))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    left = rows_of(path)
    assert (left == before) is not done
    report = course.sync()
    assert report
    assert bool(report.written) is not done
    complete = rows_of(path)
    assert complete != before
    assert complete == left or not done
    again = course.sync()
    assert again
    assert not again.written
