"""The state that tests begin in, made by what eval scripts of each form do before their tests."""

from __future__ import annotations

import subprocess

import pytest

from swerun.errors import InstanceError
from swerun.grading.ready import made_ready
from swerun.instances.adapters.script import eval_script
from swerun.ports import ExecResult
from swerun.records import END, START, Role
from swerun.sandbox.local import LocalSandboxes
from tests.fakes import an_instance

SECONDS = 60.0
PATCH = b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
TEST_PATCH = """diff --git a/test_a.py b/test_a.py
--- a/test_a.py
+++ b/test_a.py
@@ -1 +1,2 @@
 old
+hidden
diff --git a/test_new.py b/test_new.py
new file mode 100644
--- /dev/null
+++ b/test_new.py
@@ -0,0 +1 @@
+new
"""
TESTS = "cat a.py test_a.py test_new.py"
SEEN = "x = 2\nold\nhidden\nnew\n"


def official(base):
    """As SWE-bench's scripts are: files that the test patch makes are reset too, which git does not
    do."""
    reset = f"git checkout {base} test_a.py test_new.py"
    apply = f"git apply -v - <<'EOF'\n{TEST_PATCH}\nEOF"
    lines = ["#!/bin/bash", "set -uxo pipefail", reset, apply]
    return "\n".join([*lines, f": '{START}'", TESTS, f": '{END}'", reset]) + "\n"


def made_here(base):
    whole = eval_script(base, TEST_PATCH, ["true"], [TESTS])
    return "\n".join(line for line in whole.split("\n") if not line.startswith(("cd ", "git conf")))


def without_a_test_patch(base):
    """Whose test files come from elsewhere."""
    put = f"git checkout {base} test_a.py; echo hidden >>test_a.py; echo new >test_new.py"
    return "\n".join([put, f": '{START}'", TESTS, f": '{END}'"]) + "\n"


@pytest.fixture
def sandbox(repo):
    (repo / "test_a.py").write_text("old\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(repo)]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "tests"], check=True)
    with LocalSandboxes(repo).start(an_instance().task, role=Role.GRADING, attempt=1) as started:
        yield started


@pytest.mark.parametrize("script", [official, made_here, without_a_test_patch])
def test_tests_find_what_they_do_when_graded_and_as_often_as_they_are_run(sandbox, script):
    base = sandbox.exec("git rev-parse HEAD", timeout=SECONDS).output.strip()
    answer = an_instance(test_patch=TEST_PATCH, eval_script=script(base)).answer
    ready = made_ready(sandbox, answer, PATCH, "eval.sh", SECONDS)
    assert ready.applied.command == "git apply --verbose"
    assert ready.before.exit_code == 0
    assert sandbox.exec(TESTS, timeout=SECONDS).output == SEEN
    for _ in range(2):
        done = sandbox.exec("bash eval.sh 2>/dev/null", timeout=SECONDS)
        assert (done.exit_code, SEEN in done.output) == (0, True)


def test_an_empty_patch_is_none_and_one_that_is_rejected_ends_it_there(sandbox):
    base = sandbox.exec("git rev-parse HEAD", timeout=SECONDS).output.strip()
    answer = an_instance(eval_script=official(base)).answer
    refused = made_ready(sandbox, answer, PATCH.replace(b"x = 1", b"y"), "eval.sh", SECONDS)
    assert (refused.applied.command, refused.before) == (None, None)
    assert "hidden" not in sandbox.read_file("test_a.py").decode()
    empty = made_ready(sandbox, answer, b"\n", "eval.sh", SECONDS)
    assert empty.applied is None
    assert isinstance(empty.before, ExecResult)
    assert sandbox.read_file("a.py") == b"x = 1\n"


def test_what_does_not_apply_before_the_tests_is_known(sandbox):
    base = sandbox.exec("git rev-parse HEAD", timeout=SECONDS).output.strip()
    sandbox.write_file("test_new.py", b"mine\n")
    ready = made_ready(sandbox, an_instance(eval_script=official(base)).answer, b"", "e", SECONDS)
    assert ready.before.exit_code != 0
    assert "already exists" in ready.before.output


def test_a_script_without_a_beginning_of_its_tests_is_refused(sandbox):
    with pytest.raises(InstanceError, match="Start Test Output"):
        made_ready(sandbox, an_instance(eval_script="true\n").answer, PATCH, "eval.sh", SECONDS)
    assert sandbox.read_file("a.py") == b"x = 1\n"
