"""What a grader takes from its cache, and what it must not."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from swerun.errors import GraderError
from swerun.grading.cache import RunCache
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.grading.script import Keeping
from swerun.records import Conditions, GradeReason
from swerun.sandbox.local import LocalSandboxes
from tests.fakes import an_instance
from tests.grading.test_script import PATCH, script

DIGEST = "sha256:" + "1" * 64
CONDITIONS = Conditions(memory="4g", cpus=2, pids=512, network="none")
KILLER = PATCH.replace(b"/new", b"/killer")
FAILS = script("echo FAILED test_a; false")
PASSES = script("echo PASSED test_a")
STARTS_WITHOUT_KILLER = script("test -e killer || echo PASSED test_a")


class Counted:
    """Sandboxes that count how many were started."""

    def __init__(self, template):
        self.inner, self.started = LocalSandboxes(template), 0

    @contextmanager
    def start(self, task, *, role, attempt):
        self.started += 1
        with self.inner.start(task, role=role, attempt=attempt) as sandbox:
            yield sandbox


@pytest.fixture
def sandboxes(tmp_path):
    template = tmp_path / "template"
    template.mkdir()
    return Counted(template)


@pytest.fixture
def grader(tmp_path, sandboxes):
    """Graders that share a cache, as processes do."""

    def make(*, seconds=30.0, keeping=None, conditions=CONDITIONS):
        evaluator = Evaluator(sandboxes, seconds, "here", keeping or Keeping())
        return SandboxGrader(evaluator, conditions, RunCache(tmp_path / "grades"))

    return make


def on(image=DIGEST, **answer):
    return an_instance(**({"eval_script": FAILS} | answer)).on_image(image)


@pytest.mark.parametrize("eval_script", [PASSES, FAILS])
def test_the_same_patch_is_run_once_and_says_when_and_where_it_was(eval_script, grader, sandboxes):
    instance = on(eval_script=eval_script)
    first = grader().grade(instance, PATCH, attempt=1)
    again = grader().grade(instance, PATCH, attempt=2)
    assert sandboxes.started == 1
    assert (first.grade.cached, again.grade.cached) == (False, True)
    assert (again.log, again.eval_script) == (first.log, first.eval_script)
    assert again.log.whole()
    own = {"cached": False, "seconds": first.grade.seconds}
    assert again.grade.model_copy(update=own) == first.grade
    assert (again.grade.made_at, again.grade.made_on) == (first.grade.made_at, "here")
    assert again.grade.conditions == CONDITIONS
    assert again.grade.image_digest == DIGEST


def other_task(**changes):
    instance = on()
    return instance.model_copy(update={"task": instance.task.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("instance", "patch", "grading"),
    [
        (on(), PATCH + b"\n", {}),
        (on("sha256:" + "2" * 64), PATCH, {}),
        (on(eval_script=FAILS + "\ntrue"), PATCH, {}),
        (other_task(workdir="/elsewhere"), PATCH, {}),
        (on(), PATCH, {"seconds": 31.0}),
        (on(), PATCH, {"keeping": Keeping(head=1 << 20)}),
        (on(), PATCH, {"keeping": Keeping(tail=1 << 20)}),
        *(
            (on(), PATCH, {"conditions": CONDITIONS.model_copy(update=change)})
            for change in (
                {"memory": "2g"},
                {"cpus": 1.0},
                {"pids": 64},
                {"network": "bridge"},
                {"user": "nobody"},
                {"capabilities": ("KILL",)},
                {"environment": "0"},
            )
        ),
    ],
)
def test_whatever_can_change_what_the_tests_do_is_another_run(
    instance, patch, grading, grader, sandboxes
):
    grader().grade(on(), PATCH, attempt=1)
    done = grader(**grading).grade(instance, patch, attempt=1)
    assert (sandboxes.started, done.grade.cached) == (2, False)


BOTH = script("echo PASSED test_a; echo 'test_b ... ok'")


@pytest.mark.parametrize(
    ("answer", "resolved"),
    [
        ({"fail_to_pass": ("test_b",)}, False),
        ({"pass_to_pass": ("test_b",)}, False),
        ({"fail_to_pass": ("test_b",), "log_parser": "parse_log_django"}, True),
    ],
)
def test_how_a_log_is_judged_is_no_part_of_what_is_kept(answer, resolved, grader, sandboxes):
    first = grader().grade(on(eval_script=BOTH), PATCH, attempt=1)
    again = grader().grade(on(eval_script=BOTH, **answer), PATCH, attempt=1)
    assert (first.grade.resolved, again.grade.resolved) == (True, resolved)
    assert (sandboxes.started, again.grade.cached) == (1, True)


def test_an_image_that_is_known_by_its_name_alone_is_not_kept(grader, sandboxes):
    for attempt in (1, 2):
        assert not grader().grade(on("some/image:latest"), PATCH, attempt=attempt).grade.cached
    assert sandboxes.started == 2


@pytest.mark.parametrize(
    ("eval_script", "patch", "reason", "started"),
    [
        (script("sleep 60"), PATCH, GradeReason.TIMED_OUT, 2),
        (FAILS, b"no patch at all", GradeReason.PATCH_REJECTED, 2),
        (STARTS_WITHOUT_KILLER, KILLER, GradeReason.NO_RESULTS, 3),  # and the control, once
        (script("echo PASSED test_a; false"), PATCH, GradeReason.NO_RESULTS, 2),
    ],
)
def test_what_says_nothing_of_the_tests_is_not_kept(
    eval_script, patch, reason, started, grader, sandboxes
):
    for attempt in (1, 2):
        done = grader(seconds=1.0).grade(on(eval_script=eval_script), patch, attempt=attempt)
        assert (done.grade.reason, done.grade.cached) == (reason, False)
    assert sandboxes.started == started


def test_that_no_test_starts_without_a_patch_is_asked_again_by_the_next_process(grader, sandboxes):
    mended = sandboxes.inner.template / "mended"
    instance = on(eval_script=script("test -e mended && test ! -e killer && echo PASSED test_a"))
    asked = grader()
    for _ in range(2):
        with pytest.raises(GraderError):
            asked.grade(instance, KILLER, attempt=1)
    assert sandboxes.started == 3
    mended.touch()
    done = grader().grade(instance, KILLER, attempt=1)
    assert done.grade.reason is GradeReason.NO_RESULTS


def test_without_a_cache_all_is_run_anew(sandboxes):
    grader = SandboxGrader(Evaluator(sandboxes, 30.0), CONDITIONS)
    for attempt in (1, 2):
        assert not grader.grade(on(), PATCH, attempt=attempt).grade.cached
    assert sandboxes.started == 2
