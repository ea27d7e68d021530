"""`swerun shell` as a user has it: containers in recorded states, on a terminal and in scripts."""

from __future__ import annotations

import json
import shutil
import signal
import time

import pytest

from swerun.grading.parsers import parser_of
from swerun.grading.verdict import grade_reading, read_log
from swerun.instances.subsets import load_instances
from swerun.records import Attempt
from tests.cli.swerun_process import Swerun, containers_of
from tests.cli.terminal import terminal
from tests.fakes import files_below

pytestmark = pytest.mark.docker
ID = "swerun-sample__polykit-9"
RUN = "stood"
STEPS = 5  # of its recorded conversation: the third changes a file, the fourth adds a test
CHANGED = "git diff --name-only"
FIXED, TESTED = "polykit/printing.py", "tests/test_printing.py"
MODEL = ("--model", "demo/handwritten", "-i", ID)


@pytest.fixture(scope="module")
def user(tmp_path_factory, base_image):
    """Who has a run of one instance, which is as it was when all tests are done."""
    swerun = Swerun(tmp_path_factory.mktemp("shell"))
    done = swerun(*MODEL, "--run", RUN)
    assert done.returncode == 0, done.stderr
    before = contents(swerun.folder / "runs" / RUN)
    yield swerun
    assert contents(swerun.folder / "runs" / RUN) == before


@pytest.fixture(autouse=True)
def nothing_left(engine):
    yield
    assert containers_of(engine, RUN) == []


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files_below(folder)}


def attempt_of(user, run):
    return user.folder / "runs" / run / "attempts" / ID / "1"


@pytest.fixture
def copied(user):
    """A run of another name that is the same, to be changed."""

    def copy(name):
        run = f"{RUN}-{name}"
        shutil.copytree(user.folder / "runs" / RUN, user.folder / "runs" / run)
        return run

    return copy


def test_the_state_after_a_step_is_that_of_the_commands_until_then(user):
    done = user("shell", RUN, ID, "--at", "3", "--exec", f"{CHANGED}; echo bad >&2; exit 3")
    assert (done.stdout, done.returncode) == (f"{FIXED}\nbad\n", 3)
    assert f"{ID}, attempt 1, after step 3 of {STEPS} (network none)" in done.stderr
    assert "differs" not in done.stderr


def test_what_comes_out_otherwise_when_it_is_done_again_is_told(user, copied):
    run = copied("differing")
    steps = attempt_of(user, run) / "steps.jsonl"
    lines = [json.loads(line) for line in steps.read_text().splitlines()]
    (seen,) = lines[1]["observations"]
    lines[1]["observations"] = [seen | {"text": "[exit code 0]\nall is well"}]
    steps.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = user("shell", run, ID, "--exec", f"{CHANGED}; exit 4", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"], told["timed_out"]) == (4, 4, False)
    assert told["output"] == f"{FIXED}\n{TESTED}\n"
    (difference,) = told["differences"]
    assert (difference["step"], difference["recorded"]) == (2, "[exit code 0]\nall is well")
    assert difference["now"] == seen["text"]
    assert "step 2 differs: recorded: 'all is well'; now: '" in done.stderr


def test_as_graded_the_tests_say_what_they_said_to_the_grader(user):
    (instance,) = (i for i in load_instances("sample") if i.id == ID)
    wanted = Attempt.model_validate_json(attempt_of(user, RUN).joinpath("attempt.json").read_text())
    done = user("shell", RUN, ID, "--graded", "--exec", f"{CHANGED}; bash /tmp/eval.sh")
    assert done.stdout.startswith(f"{FIXED}\n{TESTED}\n")
    reading = read_log(done.stdout, parser_of(instance), done.returncode)
    assert grade_reading(instance, reading).tests == wanted.grade.tests
    assert wanted.grade.resolved
    assert "this shows the answer: `bash /tmp/eval.sh` runs the tests" in done.stderr


def test_on_a_terminal_there_is_a_shell_of_its_size_that_ends_with_its_own_code(user):
    with terminal(["shell", RUN, ID, "--graded"], user.folder, 24, 80) as seat:
        before = seat.settings()
        seat.until("are about to begin (network none)")
        seat.until("/testbed# ")
        assert seat.settings() != before
        seat.type("stty size\r")
        seat.until("\r24 80\r\n")
        seat.resize(33, 77)
        seat.type("until stty size | grep '33 77'; do sleep 0.1; done\r")
        seat.until("\r33 77\r\n")
        seat.type("sh -c 'echo begun; sleep 600'\r")  # between two commands bash ignores Ctrl-C
        seat.until("\rbegun\r\n")
        seat.type("\x03")
        seat.until("/testbed# ")
        seat.type("bash /tmp/eval.sh\r")  # which asks git for what it would show in a pager
        seat.until("\r\n>>>>> Test Exit Code: 0\r\n")
        seat.until("/testbed# ")
        seat.type("exit $((3 + 4))\r")
        assert seat.wait() == 7
        assert seat.settings() == before


def test_hanging_up_removes_the_container(user, engine):
    with terminal(["shell", RUN, ID, "--at", "0"], user.folder, 24, 80) as seat:
        seat.until("/testbed# ")
        assert len(containers_of(engine, RUN)) == 1
        seat.hang_up()
        while seat.process.poll() is None:  # a shell that swerun was started in tells it too
            seat.process.send_signal(signal.SIGHUP)
            time.sleep(0.02)


def test_who_reads_no_further_ends_the_command_and_is_told_nothing(user):
    process = user.start("shell", RUN, ID, "--at", "0", "--exec", "yes")
    assert process.stdout.readline() == "y\n"
    process.stdout.close()
    assert process.wait(60) == 1
    with process.stderr as said:
        assert "Error" not in said.read()


def test_without_a_terminal_a_command_is_asked_for_before_anything_is_done(user):
    done = user("shell", RUN, ID)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--exec CMD" in done.stderr
    assert "step" not in done.stderr


def test_where_no_agent_ran_there_is_the_state_with_the_patch_applied(user):
    run, predictions = f"{RUN}-predicted", f"runs/{RUN}/predictions.jsonl"
    graded = user("grade", predictions, "--subset", "sample", "--run", run)
    assert graded.returncode == 0, graded.stderr
    refused = user("shell", run, ID, "--at", "1", "--exec", "true")
    assert refused.returncode == 2
    assert "--at 1: no agent ran" in refused.stderr
    done = user("shell", run, ID, "--exec", CHANGED)
    assert (done.stdout, done.returncode) == (f"{FIXED}\n{TESTED}\n", 0)
    assert "with its patch applied (no agent ran" in done.stderr


def test_a_shell_outlives_sessions_of_its_run_and_not_its_own_process(user, engine, copied):
    run = copied("reaped")
    command = ("shell", run, ID, "--at", "0", "--exec", "echo up; sleep 600")
    killed, stopped = waiting = [user.start(*command) for _ in range(2)]
    try:
        assert [process.stdout.readline() for process in waiting] == ["up\n", "up\n"]
        assert user(*MODEL, "--run", run).returncode == 0
        assert len(containers_of(engine, run)) == 2
        stopped.send_signal(signal.SIGTERM)
        _, said = stopped.communicate(timeout=60)
        assert (stopped.returncode, "the container is removed" in said) == (130, True)
        assert len(containers_of(engine, run)) == 1
        killed.kill()
        killed.communicate(timeout=60)
        assert user(*MODEL, "--run", run).returncode == 0
    finally:
        for process in waiting:
            process.kill()
            process.communicate()
