"""Saved logs, judged again: what was decided by a log may change, and nothing else."""

from __future__ import annotations

import gzip

import pytest

from swerun.ports import LONG, Graded, Log
from swerun.records import (
    END,
    START,
    ExpectedTest,
    Flag,
    Grade,
    GradeReason,
    Outcome,
    Strict,
    TestStatus,
)
from swerun.regrade import regrade
from swerun.report.derived import reported
from swerun.runs.store import Started, open_or_create
from tests.fakes import an_attempt, an_instance, files_below
from tests.report.test_summary import a_run

INSTANCE = an_instance("a")
PASSED = f"{START}\nPASSED test_a\n{END}\n".encode()
FAILED = f"{START}\nFAILED test_a\n{END}\n".encode()


def a_grade(*, ok=True, **more):
    reason = GradeReason.RESOLVED if ok else GradeReason.TESTS_FAILED
    status = TestStatus.PASSED if ok else TestStatus.FAILED
    tests = (ExpectedTest(name="test_a", group="FAIL_TO_PASS", status=status, ok=ok),)
    given = {"reason": reason, "resolved": ok, "tests": tests, "exit_code": int(not ok)}
    return Grade.model_validate({**given, **more})


@pytest.fixture
def run(tmp_path):
    """A run with one attempt whose gradings are `graded`, the last of them the attempt's grade."""

    def make(*graded, outcome="resolved"):
        store = open_or_create(tmp_path, a_run("a"))
        with store.attempt("a", 1, Started()) as log:
            for each in graded:
                log.graded(each)
            log.finished(an_attempt("a", outcome=outcome, grade=graded[-1].grade))
        return store

    return make


def test_a_log_that_says_the_same_changes_and_writes_nothing(run):
    store = run(Graded(a_grade(), "eval", Log.of(PASSED)))
    before = list(files_below(store.folder))
    found = regrade(store, {"a": INSTANCE})
    assert (found.judged, found.without, found.changes) == (1, 0, ())
    assert set(files_below(store.folder)) - set(before) <= {".lock"}


@pytest.mark.parametrize("padding", [b"", b"x" * LONG + b"\n"])
def test_a_log_that_says_something_else_now_becomes_a_grade_of_its_own(run, padding):
    old = a_grade(applied_with="git apply", image_digest="sha256:1", made_on="h", eval_seconds=3)
    store = run(Graded(old, "eval", Log.of(padding, FAILED)))
    (change,) = regrade(store, {"a": INSTANCE}).changes
    assert (change.instance_id, change.attempt, change.tests) == ("a", 1, ("test_a",))
    assert (change.old, change.new.reason) == (old, GradeReason.TESTS_FAILED)
    kept = ("applied_with", "exit_code", "image_digest", "made_on", "eval_seconds")
    assert [getattr(change.new, name) for name in kept] == [getattr(old, name) for name in kept]
    first, second = store.grades("a", 1)
    assert (first.grade, second.grade, second.grade.log_of) == (old, change.new, 1)
    assert [path.name for path in second.folder.iterdir()] == ["grade.json"]
    (attempt,) = store.attempts()
    assert (attempt.outcome, attempt.grade) == (Outcome.UNRESOLVED, change.new)
    assert reported(store).outcomes == {"unresolved": 1}
    assert regrade(store, {"a": INSTANCE}).changes == ()


def test_what_changes_back_is_a_further_grade_of_the_same_log(run):
    store = run(Graded(a_grade(), "eval", Log.of(FAILED)))
    regrade(store, {"a": INSTANCE})
    (store.grades("a", 1)[0].folder / "test_output.txt").write_bytes(PASSED)
    regrade(store, {"a": INSTANCE})
    assert [each.grade.log_of for each in store.grades("a", 1)] == [None, 1, 1]
    assert [attempt.outcome for attempt in store.attempts()] == [Outcome.RESOLVED]


@pytest.mark.parametrize(
    "grade",
    [
        a_grade(ok=False, reason=GradeReason.TIMED_OUT, exit_code=None),
        a_grade(ok=False, reason=GradeReason.NO_RESULTS, exit_code=None),  # the container died
        a_grade(ok=False, reason=GradeReason.NO_PATCH, exit_code=None),
        a_grade(ok=False, reason=GradeReason.PATCH_REJECTED, exit_code=None),
    ],
)
def test_what_no_log_decided_is_left_as_it_is(run, grade):
    store = run(Graded(grade, "eval", Log.of(PASSED)), outcome="unresolved")
    found = regrade(store, {"a": INSTANCE})
    assert (found.judged, found.without, found.changes) == (0, 1, ())


def test_a_log_that_is_gone_or_damaged_is_left_as_it_is(run):
    store = run(Graded(a_grade(), "eval", Log.of(PASSED)))
    (stored,) = store.grades("a", 1)
    (stored.folder / "test_output.txt").unlink()
    assert regrade(store, {"a": INSTANCE}).without == 1
    (stored.folder / "test_output.txt.gz").write_bytes(gzip.compress(FAILED)[:-9])
    assert regrade(store, {"a": INSTANCE}).without == 1


def test_of_several_gradings_the_newest_log_counts_and_a_confirmations_is_no_verdict(run):
    timed_out = a_grade(ok=False, reason=GradeReason.TIMED_OUT, exit_code=None)
    confirming = Graded(a_grade(ok=False, confirmation=True), "eval", Log.of(FAILED))
    store = run(
        Graded(timed_out, "eval", Log.of(b"")),
        Graded(a_grade(confirmed=1), "eval", Log.of(PASSED), (confirming,)),
    )
    (change,) = regrade(store, {"a": INSTANCE}).changes
    assert change.new.resolved  # as it was; that it is flaky is what is new
    assert [(each.name, each.outcomes) for each in change.new.flaky] == [
        ("test_a", (TestStatus.PASSED, TestStatus.FAILED))
    ]
    assert (change.new.log_of, change.new.confirmed) == (2, 1)
    assert regrade(store, {"a": INSTANCE}).changes == ()


def test_a_log_without_results_says_what_it_cannot_tell(run):
    store = run(Graded(a_grade(), "eval", Log.of(b"nothing")))
    (change,) = regrade(store, {"a": INSTANCE}).changes
    assert change.new.reason is GradeReason.NO_RESULTS
    assert "whether tests start without the patch is not known" in change.new.detail


def test_only_the_chosen_instances_are_judged(run):
    store = run(Graded(a_grade(), "eval", Log.of(FAILED)))
    assert regrade(store, {"b": an_instance("b")}).judged == 0


FLAGS = (Flag(rule="conftest", path="conftest.py"),)


@pytest.mark.parametrize("resolved", [True, False])
def test_the_strict_verdict_holds_whatever_the_official_log_says_again(run, resolved):
    reason = GradeReason.RESOLVED if resolved else GradeReason.SUSPECT
    strict = Strict(resolved=resolved, reasons=() if resolved else ("without it: 0/1",))
    given = {"resolved": resolved, "reason": reason, "flags": FLAGS, "strict": strict}
    store = run(Graded(a_grade(**given), "eval", Log.of(PASSED)), outcome=reason.outcome)
    assert regrade(store, {"a": INSTANCE}).changes == ()
    (store.grades("a", 1)[0].folder / "test_output.txt").write_bytes(FAILED)
    regrade(store, {"a": INSTANCE})
    assert [attempt.outcome for attempt in store.attempts()] == [Outcome.UNRESOLVED]


@pytest.mark.parametrize(
    ("path", "outcome"), [("conftest.py", Outcome.SUSPECT), ("a.py", Outcome.RESOLVED)]
)
def test_what_is_resolved_only_now_is_suspect_where_it_is_flagged(run, path, outcome):
    old = a_grade(ok=False, exit_code=0)
    store = run(Graded(old, "eval", Log.of(PASSED)), outcome="unresolved")
    patch = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x = 1\n"
    (store.attempt_folder("a", 1) / "patch.diff").write_text(patch)
    regrade(store, {"a": INSTANCE})
    assert [attempt.outcome for attempt in store.attempts()] == [outcome]


def test_a_trial_is_neither_the_verdict_nor_a_confirmation(run):
    trial = Graded(a_grade(ok=False, trial="witness"), "eval", Log.of(FAILED))
    store = run(Graded(a_grade(), "eval", Log.of(PASSED), trials=(trial,)))
    assert len(store.grades("a", 1)) == 2
    assert regrade(store, {"a": INSTANCE}).changes == ()
    assert reported(store).outcomes == {"resolved": 1}
