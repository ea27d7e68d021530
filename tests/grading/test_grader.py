"""Patches graded in containers of the sample's images."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from swerun.errors import GraderError, ImageError, InstanceError, SandboxError
from swerun.grading.apply import TRIES
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import Probe, SandboxGrader
from swerun.grading.verdict import GRADER_VERSION
from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.ports import LARGEST_PATCH, Log
from swerun.records import GradeReason, Resources, Role, TestStatus
from swerun.sandbox.containers import leftovers
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.workbench import fitting

pytestmark = pytest.mark.docker
INSTANCES = {i.id.removeprefix("swerun-sample__"): i for i in load_instances("sample")}
RUN = f"test-grader-{os.getpid()}"  # others on this engine may run these tests too
PYTEST, UNITTEST, SYMPY = (INSTANCES[n] for n in ("cronline-14", "ledgerline-11", "polykit-9"))


class Counted:
    """Sandboxes that count how many were started, and how many live at once."""

    def __init__(self, inner):
        self.inner, self.tasks, self.live, self.most = inner, [], 0, 0

    @contextmanager
    def start(self, task, *, role, attempt):
        self.tasks.append((task.id, role))
        with self.inner.start(task, role=role, attempt=attempt) as sandbox:
            self.live += 1
            self.most = max(self.most, self.live)
            try:
                yield sandbox
            finally:
                self.live -= 1


@pytest.fixture(scope="module")
def images(engine, base_image, tmp_path_factory):
    store = EngineImages(engine, cache=tmp_path_factory.mktemp("cache"))
    for instance in (PYTEST, UNITTEST, SYMPY):
        store.ensure(instance)


@pytest.fixture
def sandboxes(engine, images):
    yield Counted(DockerSandboxes(client=engine, run=RUN, owner="tests"))
    assert leftovers(engine, run=RUN) == ()


@pytest.fixture
def grader(sandboxes):
    return SandboxGrader(Evaluator(sandboxes, 120))


def with_answer(instance, **changes):
    return instance.model_copy(update={"answer": instance.answer.model_copy(update=changes)})


def adding(name, text):
    """A patch that adds a file."""
    lines = text.strip("\n").split("\n")
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
    return (head + f"@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{li}\n" for li in lines)).encode()


def gold(instance):
    return instance.answer.gold_patch.encode()


USELESS = adding("NOTES.txt", "nothing")


@pytest.mark.parametrize("name", ["cronline-14", "ledgerline-11", "polykit-9"])
def test_the_gold_patch_resolves_and_a_useless_one_breaks_nothing_but_fixes_nothing(name, grader):
    instance = INSTANCES[name]
    done = grader.grade(instance, gold(instance), attempt=1)
    assert (done.grade.resolved, done.grade.reason) == (True, GradeReason.RESOLVED)
    assert (done.grade.exit_code, done.grade.applied_with) == (0, TRIES[0])
    assert done.grade.grader_version == GRADER_VERSION
    assert 0 < done.grade.eval_seconds < done.grade.seconds
    assert b">>>>> End Test Output" in done.log.text().encode()
    assert {t.status for t in done.grade.tests} == {TestStatus.PASSED}
    idle = grader.grade(instance, USELESS, attempt=1).grade
    assert (idle.resolved, idle.reason, idle.exit_code) == (False, GradeReason.TESTS_FAILED, 1)
    assert {t.ok for t in idle.tests if t.group == "PASS_TO_PASS"} == {True}
    assert {t.ok for t in idle.tests if t.group == "FAIL_TO_PASS"} == {False}


def test_tests_that_read_their_cores_from_the_cgroup_see_two_where_the_engine_has_them(engine):
    """As pylint's _query_cpu does, whose tests skip on one; without --cpus it finds 1024 shares."""
    cores = engine.info()["NCPU"]
    profile = Profile(resources=fitting(Resources(), cores))
    sandboxes = DockerSandboxes(engine, RUN, "tests", {Role.GRADING: profile})
    with sandboxes.start(PYTEST.task, role=Role.GRADING, attempt=1) as sandbox:
        read = "cd /sys/fs/cgroup; cat cpu.max || cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us"
        quota, period = sandbox.exec(f"({read}) 2>/dev/null", timeout=30).output.split()
    assert int(quota) // int(period) == min(2, cores)


@pytest.mark.parametrize("patch", [b"", b"\n", b" \n\t\n"])
def test_an_empty_patch_is_no_patch_and_needs_no_container(patch, grader, sandboxes):
    done = grader.grade(PYTEST, patch, attempt=1)
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.NO_PATCH)
    assert (done.log, done.eval_script, sandboxes.tasks) == (Log(), "", [])


def test_a_patch_that_is_too_large_is_rejected_and_needs_no_container(grader, sandboxes):
    done = grader.grade(PYTEST, bytes(LARGEST_PATCH) + b"x", attempt=1)
    assert (done.grade.reason, sandboxes.tasks) == (GradeReason.PATCH_REJECTED, [])
    assert done.grade.detail == "it has more than 67,108,864 bytes"


def test_a_probe_runs_the_tests_without_a_patch_too(grader):
    done = Probe(grader).grade(PYTEST, b"", attempt=1)
    assert done.grade.reason is GradeReason.TESTS_FAILED
    assert {test.group for test in done.grade.tests if not test.ok} == {"FAIL_TO_PASS"}
    assert b"Start Test Output" in done.log.text().encode()


def test_a_probe_blames_the_instance_where_no_test_starts_and_asks_no_second_time(
    grader, sandboxes
):
    broken = with_answer(PYTEST, eval_script="exit 1\n")
    done = Probe(grader).grade(broken, gold(broken), attempt=1)
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.NO_RESULTS)
    assert "the log has no" in done.grade.detail
    assert len(sandboxes.tasks) == 1


def test_a_patch_that_does_not_apply_is_rejected_and_no_test_is_run(grader, sandboxes):
    patch = b"--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n"
    done = grader.grade(PYTEST, patch, attempt=1)
    assert (done.grade.reason, done.grade.applied_with) == (GradeReason.PATCH_REJECTED, None)
    assert "gone.py" in done.grade.detail
    assert (done.grade.exit_code, done.grade.eval_seconds) == (None, 0)
    assert (done.eval_script, len(sandboxes.tasks)) == ("", 1)


@pytest.fixture(scope="module")
def lasting_grader(engine, images):
    """One that remembers from test to test that an instance's tests start."""
    return SandboxGrader(Evaluator(DockerSandboxes(engine, RUN, "tests"), 120))


@pytest.mark.parametrize(
    "kill",
    [
        "os.kill(-1, 9)",  # everything, the log's writer too
        "os.killpg(os.getpgrp(), 9)",
        "os._exit(0)",
        "raise SystemExit(0)",
        "raise RuntimeError",
        "os.kill(1, 15)",  # the container itself
    ],
)
def test_a_patch_that_kills_its_own_grading_is_unresolved_and_no_fault(kill, lasting_grader):
    patch = gold(PYTEST) + adding("conftest.py", f"import os\n{kill}")
    done = lasting_grader.grade(PYTEST, patch, attempt=1)
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.NO_RESULTS)
    assert done.grade.detail.endswith("; without this patch the tests start")
    assert {t.status for t in done.grade.tests} == {None}


def test_a_patch_that_runs_out_of_memory_is_unresolved_and_no_fault(engine, images):
    small = Profile(resources=Resources(memory="128m"))
    sandboxes = DockerSandboxes(engine, RUN, "tests", {Role.GRADING: small})
    greedy = adding("conftest.py", "import os\nbytearray(1 << 28)")
    done = SandboxGrader(Evaluator(sandboxes, 60)).grade(PYTEST, greedy, attempt=1)
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.NO_RESULTS)


def test_a_patch_that_writes_results_into_the_log_is_not_believed_against_its_exit_code(grader):
    expected = (*PYTEST.answer.fail_to_pass, *PYTEST.answer.pass_to_pass)
    said = "".join(f"PASSED {name}\n" for name in expected) + ">>>>> Test Exit Code: 0"
    log = "open(f'/proc/{os.getppid()}/fd/1', 'w')"
    fake = adding("conftest.py", f"import os\nprint({said!r}, file={log}, flush=True)\nos._exit(1)")
    done = grader.grade(PYTEST, fake, attempt=1)
    assert done.log.text().encode().count(b"PASSED tests/") == len(expected)
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.NO_RESULTS)
    assert done.grade.detail == "the log has no failure in it, but the tests exited with 1"


def test_that_tests_start_without_a_patch_is_found_out_once(grader, sandboxes):
    patch = adding("conftest.py", "raise SystemExit(0)")
    for attempt in (1, 2):
        grader.grade(PYTEST, patch, attempt=attempt)
    assert sandboxes.tasks == [(PYTEST.id, Role.GRADING)] * 3


@pytest.mark.parametrize(
    "script",
    [
        "exit 1\n",
        ": '>>>>> Start Test Output'\npython3 -m no_such_runner\n: '>>>>> End Test Output'\n",
        ": '>>>>> Start Test Output'\nkill -9 -1\n: '>>>>> End Test Output'\n",
        "echo '>>>>> Tests Errored'\n",
    ],
)
def test_an_eval_script_that_cannot_start_tests_is_the_graders_fault(script, grader):
    broken = with_answer(PYTEST, eval_script=script)
    with pytest.raises(GraderError, match=f"no test of {PYTEST.id} starts, neither with the patch"):
        grader.grade(broken, USELESS, attempt=1)


def test_what_was_broken_may_be_mended(grader):
    with pytest.raises(GraderError, match=r"Without the patch the log ends with:\n.*exit 1"):
        grader.grade(with_answer(PYTEST, eval_script="exit 1"), USELESS, attempt=1)
    assert grader.grade(PYTEST, gold(PYTEST), attempt=1).grade.resolved


def test_whether_tests_start_is_asked_of_the_image_alone_and_not_of_the_gold_patch(grader):
    broken = with_answer(PYTEST, gold_patch="--- a/gone\n+++ b/gone\n@@ -1 +1 @@\n-a\n+b\n")
    done = grader.grade(broken, adding("conftest.py", "raise SystemExit(0)"), attempt=1)
    assert done.grade.reason is GradeReason.NO_RESULTS


def test_tests_that_start_in_vain_with_a_patch_and_never_end_without_excuse_the_model(sandboxes):
    grader = SandboxGrader(Evaluator(sandboxes, 5))
    slow = with_answer(PYTEST, eval_script="test -e conftest.py || sleep 60")
    with pytest.raises(GraderError, match="neither with the patch"):
        grader.grade(slow, adding("conftest.py", "raise SystemExit(0)"), attempt=1)


def test_that_no_test_starts_without_a_patch_is_found_out_once(grader, sandboxes):
    broken = with_answer(PYTEST, eval_script="exit 1")
    for attempt in (1, 2):
        with pytest.raises(GraderError):
            grader.grade(broken, USELESS, attempt=attempt)
    assert len(sandboxes.tasks) == 3


def test_an_image_that_is_gone_or_is_no_repository_is_no_verdict(grader):
    def on(image, workdir="/testbed"):
        task = PYTEST.task.model_copy(update={"image": image, "workdir": workdir})
        return PYTEST.model_copy(update={"task": task})

    with pytest.raises(ImageError):
        grader.grade(on("swerun/no-such-image:none"), USELESS, attempt=1)
    with pytest.raises(InstanceError, match=r"/etc in the image .* is not a git repository"):
        grader.grade(on(PYTEST.task.image, "/etc"), USELESS, attempt=1)


def test_an_unknown_log_parser_is_found_out_before_any_work(grader, sandboxes):
    with pytest.raises(InstanceError, match="there is no parser 'parse_log_cobol'"):
        grader.grade(with_answer(PYTEST, log_parser="parse_log_cobol"), USELESS, attempt=1)
    assert sandboxes.tasks == []


def test_tests_that_run_past_their_limit_are_timed_out_with_their_log(sandboxes):
    slow = adding("conftest.py", "import os, time\nos.write(1, b'slowly')\ntime.sleep(600)")
    told = with_answer(PYTEST, eval_script=PYTEST.answer.eval_script.replace("pytest", "pytest -s"))
    began = time.monotonic()
    done = SandboxGrader(Evaluator(sandboxes, 2)).grade(told, slow, attempt=1)
    assert time.monotonic() - began < 30
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.TIMED_OUT)
    assert b"slowly" in done.log.text().encode()
    assert done.grade.detail.startswith("the eval script was stopped after ")
    assert len(sandboxes.tasks) == 1


def at_work(engine, attempt):
    """The container of a grading, once its tests run."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.1)
        labels = [f"swerun.run={RUN}", f"swerun.attempt={attempt}"]
        found = engine.containers.list(filters={"label": labels})
        if container := next((c for c in found if c.top()["Processes"][5:]), None):
            return container
    raise TimeoutError("no grading is at work")


def test_a_container_that_is_removed_from_outside_is_nobodys_verdict(engine, grader):
    slow = adding("conftest.py", "import time\ntime.sleep(600)")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(grader.grade, PYTEST, slow, attempt=77)
        at_work(engine, 77).remove(force=True)
        with pytest.raises(SandboxError):
            running.result(timeout=60)


def test_a_container_that_is_killed_from_outside_is_not_taken_for_the_patchs_doing(engine, grader):
    slow = with_answer(PYTEST, eval_script=f"sh -c 'sleep 2; :'\n{PYTEST.answer.eval_script}")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(grader.grade, slow, gold(PYTEST), attempt=78)
        at_work(engine, 78).kill()
        with pytest.raises(SandboxError, match="stopped from outside"):
            running.result(timeout=60)


def test_threads_grade_one_instance_beside_each_other_and_each_its_own_patch(grader, sandboxes):
    killer = adding("conftest.py", "raise SystemExit(0)")
    patches = [gold(PYTEST), USELESS, killer, killer]
    with ThreadPoolExecutor(4) as pool:
        grades = list(pool.map(lambda p: grader.grade(PYTEST, p, attempt=1).grade.reason, patches))
    assert grades == [
        GradeReason.RESOLVED,
        GradeReason.TESTS_FAILED,
        GradeReason.NO_RESULTS,
        GradeReason.NO_RESULTS,
    ]
    assert sandboxes.most >= 3
    assert len(sandboxes.tasks) == 5  # both killers ask together, and once
