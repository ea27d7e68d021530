"""The run's folder: append only, whole or not there, read with care."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from swerun.errors import InputError, NewerFormatError, StorageError
from swerun.ports import LONG, Graded, Log
from swerun.records import (
    ExpectedTest,
    Grade,
    GradeReason,
    Limits,
    Members,
    Session,
    Solved,
    Step,
    Stop,
)
from swerun.runs.grades import confirmations, newest
from swerun.runs.store import AttemptLog, RunStore, Started, list_runs, open_or_create, open_run
from tests.fakes import NOW, RESOLVED, a_reply, an_attempt, files_below
from tests.report.test_summary import a_run

STEP = Step(index=0, at=NOW, reply=a_reply("ls"))
SESSION = Session(
    started_at=NOW, swerun="0", python="3", engine="local", host="h", jobs=1, grade_jobs=1
)
SOLVED = Solved(instance_id="a", attempt=1, stop=Stop.SUBMITTED, started_at=NOW, seconds=1)


@pytest.fixture
def store(tmp_path):
    return open_or_create(tmp_path, a_run("a"))


def test_a_confirmation_is_a_grading_of_its_own_beside_the_one_that_counts(store):
    confirmation = Graded(RESOLVED.model_copy(update={"confirmation": True}), "eval", Log(b"2"))
    with store.attempt("a", 1, Started()) as log:
        log.graded(Graded(RESOLVED, "eval", Log(b"1"), (confirmation,)))
        log.finished(an_attempt("a", grade=RESOLVED))
    grades = store.grades("a", 1)
    assert [(each.number, each.log()) for each in grades] == [(1, b"1"), (2, b"2")]
    assert newest(grades) == grades[0]
    assert confirmations(grades, grades[0]) == [grades[1]]
    assert [attempt.grade for attempt in store.attempts()] == [RESOLVED]


def test_a_long_log_is_kept_packed_and_read_back_whole(store):
    long = b"x" * LONG + b"\n"
    with store.attempt("a", 1, Started()) as log:
        log.graded(Graded(RESOLVED, "eval", Log.of(long)))
    (stored,) = store.grades("a", 1)
    kept = stored.folder / "test_output.txt.gz"
    assert kept.stat().st_size < len(long) // 100
    assert (stored.log(), gzip.decompress(kept.read_bytes())) == (long, long)


def test_what_is_written_is_read_back(store):
    with store.attempt("a", 1, Started()) as log:
        log.step(STEP)
        log.solved(SOLVED, b"diff")
        log.graded(Graded(RESOLVED, "eval", Log(b"log")))
        log.finished(an_attempt("a"))
    assert list(store.steps("a", 1)) == [STEP]
    assert store.patch("a", 1) == b"diff"
    assert list(store.attempts()) == [an_attempt("a")]
    assert [each.grade for each in store.grades("a", 1)] == [RESOLVED]
    assert list(files_below(store.folder / "attempts")) == [
        "a/1/attempt.json",
        "a/1/grades/1/eval.sh",
        "a/1/grades/1/grade.json",
        "a/1/grades/1/test_output.txt",
        "a/1/patch.diff",
        "a/1/solved.json",
        "a/1/started.json",
        "a/1/steps.jsonl",
    ]


def test_a_second_grading_leaves_the_first_as_it_was(store):
    with store.attempt("a", 1, Started()) as log:
        log.graded(Graded(RESOLVED, "first"))
        log.graded(Graded(RESOLVED, "second"))
    scripts = [(each.folder / "eval.sh").read_text() for each in store.grades("a", 1)]
    assert scripts == ["first", "second"]


def test_a_step_is_on_disk_before_the_attempt_ends(store):
    with store.attempt("a", 1, Started()) as log:
        log.step(STEP)
        assert list(store.steps("a", 1)) == [STEP]


def test_runs_of_one_name_in_two_folders_have_containers_of_their_own(tmp_path):
    one, other = (open_or_create(tmp_path / folder, a_run("a")) for folder in ("x", "y"))
    assert one.name == other.name
    assert one.label() != other.label()
    assert one.label() == RunStore(one.folder).label()


def test_an_attempt_that_is_done_is_never_written_again(store):
    with store.attempt("a", 1, Started()) as log:
        log.finished(an_attempt("a"))
    with pytest.raises(FileExistsError), store.attempt("a", 1, Started()):
        pass


def test_what_others_leave_in_a_run_is_passed_over(store):
    with store.attempt("a", 1, Started()) as log:
        log.graded(Graded(RESOLVED))
        log.finished(an_attempt("a"))
    for folder in ("attempts", "attempts/a", "attempts/a/1/grades"):
        (store.folder / folder / ".DS_Store").touch()
    assert [past.number for past in store.past("a")] == [1]
    assert store.instance_ids() == ["a"]
    assert len(store.grades("a", 1)) == 1


def test_selection_and_samples_of_a_run_grow_and_never_shrink(store):
    for selection, samples in ((["b"], 3), (["a"], 1)):
        store.begin_session(SESSION, selection, samples)
    record = store.record()
    assert (record.selection, record.samples, len(record.sessions)) == (("a", "b"), 3, 2)


def test_tokens_of_attempts_without_an_end_are_known(store):
    for number in (1, 2):
        with store.attempt("a", number, Started()) as log:
            log.step(STEP)
    with store.attempt("a", 2, Started()) as log:
        log.finished(an_attempt("a", 2))
    assert store.unfinished_usage() == STEP.reply.usage


def test_a_disk_without_room_is_said_with_what_to_do(tmp_path):
    full = AttemptLog(tmp_path, Path("/dev/full").open("ab", buffering=0))  # noqa: SIM115
    with full.steps, pytest.raises(StorageError, match=r"steps\.jsonl could not.*Make room"):
        full.step(STEP)


def test_a_line_torn_by_a_kill_is_passed_over(store):
    with store.attempt("a", 1, Started()) as log:
        log.step(STEP)
        log.steps.write(b'{"index": 1, "at"')
    assert list(store.steps("a", 1)) == [STEP]


def test_a_line_that_is_broken_is_named(store):
    with store.attempt("a", 1, Started()) as log:
        log.step(STEP)
        log.steps.write(b'{"index": 1, "at"\n')
    with pytest.raises(InputError, match=r"line 2 of .*a/1/steps\.jsonl cannot be read as a Step"):
        list(store.steps("a", 1))


def test_an_attempt_that_was_cut_off_is_past_but_not_done(store):
    with store.attempt("a", 1, Started(sample=2)) as log:
        log.step(STEP)
    (past,) = store.past("a")
    assert (past.done, past.kept, past.started.sample) == (None, None, 2)


def test_a_patch_that_waits_for_its_grade_is_kept(store):
    with store.attempt("a", 1, Started()) as log:
        log.solved(SOLVED, b"diff")
    assert store.past("a")[0].kept.patch == b"diff"


def test_a_file_of_a_newer_swerun_is_refused_and_named(store):
    path = store.folder / "run.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(NewerFormatError, match=r"run\.json was written by a newer swerun.*99"):
        store.record()


def test_a_broken_file_is_named(store):
    (store.folder / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json cannot be read"):
        store.record()


def test_another_question_under_the_same_name_is_refused_with_the_difference(store, tmp_path):
    other = a_run("a")
    question = other.question.model_copy(update={"limits": Limits(steps=9)})
    asked = other.model_copy(update={"fingerprint": "g", "question": question})
    with pytest.raises(InputError, match="limits"):
        open_or_create(tmp_path, asked)


def test_the_same_question_finds_its_run(store, tmp_path):
    assert open_or_create(tmp_path, a_run("a", "b")) == store


def test_a_second_process_is_refused_while_the_first_works(store):
    with store.locked(), pytest.raises(InputError, match="another process"), store.locked():
        pass
    with store.locked():
        pass


def test_a_run_that_is_not_there_is_answered_with_those_that_are(store, tmp_path):
    with pytest.raises(InputError, match=r"no run 'x'.*There are: r"):
        open_run("x", tmp_path)
    assert open_run("r", tmp_path) == RunStore(tmp_path / "r") == list_runs(tmp_path)[0]


def test_an_outline_is_the_attempt_without_the_tests_that_came_out_as_expected(store):
    tests = tuple(
        ExpectedTest(name=name, group="PASS_TO_PASS", status=None, ok=name == "good")
        for name in ("good", "bad")
    )
    grade = Grade(resolved=False, reason=GradeReason.TESTS_FAILED, tests=tests)
    with store.attempt("a", 1, Started()) as log:
        log.finished(an_attempt("a", outcome="unresolved", grade=grade))
    with store.attempt("b", 1, Started()) as log:
        log.finished(an_attempt("b", outcome="endpoint_failed"))
    whole, outlines = list(store.attempts()), list(store.outlines())
    assert [test.name for test in whole[0].grade.tests] == ["good", "bad"]
    assert [test.name for test in outlines[0].grade.tests] == ["bad"]
    assert outlines[0].grade.failing == whole[0].grade.failing
    assert outlines[1] == whole[1]


def test_the_tokens_of_an_attempt_that_is_done_are_not_those_of_one_that_was_cut_off(store):
    for number in (1, 2):
        with store.attempt("a", number, Started()) as log:
            log.step(STEP)
            if number == 1:
                log.finished(an_attempt("a"))
    assert store.unfinished_usage() == STEP.reply.usage


def test_tokens_that_another_attempt_paid_for_are_none_of_one_that_was_cut_off(store):
    again = STEP.model_copy(update={"reply": STEP.reply.model_copy(update={"replayed": 1})})
    with store.attempt("a", 1, Started()) as log:
        log.step(STEP)
    with store.attempt("a", 2, Started()) as log:
        log.step(again)
        log.step(STEP)
    assert store.unfinished_usage() == STEP.reply.usage + STEP.reply.usage


def test_what_instances_are_of_grows_with_the_selection(store):
    def members(difficulty, *ids):
        return Members(repo="o/r", difficulty=difficulty, instances=ids)

    store.begin_session(SESSION, ["a"], 1, [members("easy", "a")])
    store.begin_session(SESSION, ["b", "c"], 1, [members("easy", "b"), members("hard", "c")])
    store.begin_session(SESSION, ["a"], 1)
    assert store.record().members == (members("easy", "a", "b"), members("hard", "c"))
