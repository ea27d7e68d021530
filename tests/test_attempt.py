"""The whole unit of work on a real git repository, with only the model and the grader scripted."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event

import pytest

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.attempt import Bench, run_attempt
from swerun.errors import (
    CancelledError,
    EndpointError,
    GraderError,
    ImageError,
    InstanceError,
    SandboxError,
    SandboxLostError,
)
from swerun.ports import Kept, Planned
from swerun.records import (
    Cause,
    Fault,
    Grade,
    GradeReason,
    Limits,
    Outcome,
    Solved,
    Step,
    Stop,
)
from swerun.sandbox.local import LocalSandboxes
from swerun.solve import AgentSolver, GivenPatch
from tests.fakes import (
    NOW,
    RESOLVED,
    EchoSandbox,
    FixedGrader,
    Notes,
    NoWaiting,
    Present,
    ScriptedModel,
    a_reply,
    an_instance,
)

TIMED_OUT = Grade(resolved=False, reason=GradeReason.TIMED_OUT)
INSTANCE = an_instance()


def solving(repo, *replies, cancel=None, **limits):
    agent = BashAgent(load_prompts("tools"), Limits(**limits))
    model = ScriptedModel(replies)
    return AgentSolver(LocalSandboxes(repo), agent, lambda _: model, cancel or Event())


def attempt(solver, *grades, planned=None, images=None, cancel=None):
    grader, notes = FixedGrader(grades or [RESOLVED]), Notes()
    bench = Bench(images or Present(), solver, grader, NoWaiting(), cancel or Event())
    return run_attempt(planned or Planned(INSTANCE, 1), bench, notes), grader, notes


def test_a_fix_is_handed_to_the_grader_and_recorded_in_order(repo):
    edit = a_reply("echo 'x = 2' > a.py; touch new")
    done, grader, notes = attempt(solving(repo, edit, a_reply("submit")))
    assert (done.outcome, done.stop, done.steps) == (Outcome.RESOLVED, Stop.SUBMITTED, 2)
    assert done.usage.input_tokens == 20
    assert b"+x = 2" in grader.patches[0]
    assert b"b/new" in grader.patches[0]
    assert notes.kinds() == [
        "waiting", "image", "waiting",
        "solve", "Step", "Step", "Solved", "grade", "Graded", "Attempt",
    ]  # fmt: skip


def test_a_commit_by_the_agent_is_still_in_the_patch(repo):
    commit = "echo 'x = 3' > a.py; git -c user.name=a -c user.email=a@a commit -qam mine"
    _, grader, _ = attempt(solving(repo, a_reply(commit), a_reply("submit")))
    assert b"+x = 3" in grader.patches[0]


def test_an_agent_that_runs_out_of_steps_is_graded_on_what_it_left(repo):
    done, grader, _ = attempt(solving(repo, a_reply("echo 'x = 2' > a.py"), steps=1))
    assert (done.stop, done.outcome, len(grader.patches)) == (Stop.STEPS, Outcome.RESOLVED, 1)


def test_an_endpoint_that_is_gone_leaves_its_patch_kept_and_not_graded(repo):
    edit = a_reply("echo 'x = 2' > a.py")
    done, grader, notes = attempt(solving(repo, edit, EndpointError("401 from the endpoint")))
    assert (done.outcome, done.failure.fault) == (Outcome.ENDPOINT_FAILED, Fault.ENDPOINT)
    assert (done.grade, done.steps, grader.patches) == (None, 1, [])
    assert done.patch_bytes > 0
    assert "Solved" in notes.kinds()


def test_a_grading_that_fails_is_made_again_of_the_same_patch_and_the_solving_is_not(repo):
    solver = solving(repo, a_reply("echo 'x = 2' > a.py"), a_reply("submit"))
    done, grader, notes = attempt(solver, GraderError("no log"), RESOLVED)
    assert done.outcome is Outcome.RESOLVED
    assert grader.patches[0] == grader.patches[1]
    assert sum(isinstance(said, Step) for said in notes.said) == 2


def test_a_grading_that_fails_twice_is_the_graders_fault():
    done, grader, _ = attempt(GivenPatch(lambda _: b"diff"), GraderError("no log"))
    assert (done.outcome, len(grader.patches)) == (Outcome.GRADER_FAILED, 2)
    assert done.failure.retry


def test_tests_that_run_out_of_time_are_run_once_more_and_both_gradings_are_kept():
    done, _, notes = attempt(GivenPatch(lambda _: b"diff"), TIMED_OUT)
    assert done.outcome is Outcome.TESTS_TIMED_OUT
    assert notes.kinds().count("Graded") == 2


def test_a_verdict_is_not_lost_where_the_second_look_at_it_fails():
    given = GivenPatch(lambda _: b"diff")
    done, _, _ = attempt(given, TIMED_OUT, GraderError("no log"))
    assert (done.outcome, done.failure) == (Outcome.TESTS_TIMED_OUT, None)


def test_a_grade_says_in_which_image_it_was_made():
    done, _, _ = attempt(GivenPatch(lambda _: b"diff"))
    assert done.grade.image_digest == "sha256:0"


def test_why_there_is_no_patch_is_said_in_the_grade(repo):
    class Unmade(AgentSolver):
        def solve(self, planned, image_digest, keep):
            made = super().solve(planned, image_digest, keep)
            return Kept(made.solved.model_copy(update={"patch_problem": "git died"}), b"")

    plain = solving(repo, a_reply("submit"))
    solver = Unmade(plain.sandboxes, plain.agent, plain.model_of, plain.cancel)
    done, _, _ = attempt(solver, Grade(resolved=False, reason=GradeReason.NO_PATCH))
    assert (done.outcome, done.grade.detail) == (Outcome.NO_PATCH, "git died")


def test_what_was_paid_for_is_counted_where_the_sandbox_fails():
    class Fails:
        def solve(self, planned, image_digest, keep):
            keep(Step(index=0, at=NOW, reply=a_reply("ls")))
            raise SandboxError("the engine is gone")

    done, _, _ = attempt(Fails())
    assert done.outcome is Outcome.SANDBOX_FAILED
    assert (done.steps, done.usage.input_tokens) == (1, 10)


def test_a_sandbox_that_is_gone_because_the_user_stopped_the_run_is_no_stop_of_the_agent(repo):
    cancel = Event()

    class Loses(ScriptedModel):
        def reply(self, messages, *, deadline, cancel: Event):
            cancel.set()
            return super().reply(messages, deadline=deadline, cancel=cancel)

    class Lost(LocalSandboxes):
        @contextmanager
        def start(self, task, *, role, attempt):
            def die():
                raise SandboxLostError("removed")

            yield EchoSandbox({"ls": die})

    agent = BashAgent(load_prompts("tools"), Limits())
    model = Loses([a_reply("ls")])
    solver = AgentSolver(Lost(repo), agent, lambda _: model, cancel)
    done, _, _ = attempt(solver, cancel=cancel)
    assert (done.outcome, done.stop, done.steps) == (Outcome.CANCELLED, None, 1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ImageError("no route"), Outcome.IMAGE_FAILED),
        (InstanceError("task.yaml"), Outcome.INSTANCE_FAILED),
        (SandboxError("the engine is gone"), Outcome.SANDBOX_FAILED),
        (CancelledError("stopped"), Outcome.CANCELLED),
        (RuntimeError("a bug, not an excuse"), Outcome.INTERNAL_ERROR),
    ],
)
def test_trouble_is_part_of_the_record_and_says_whose_it_is(error, outcome):
    class Absent(Present):
        def ensure(self, instance):
            raise error

    done, _, notes = attempt(GivenPatch(lambda _: b"diff"), images=Absent())
    assert (done.outcome, done.grade) == (outcome, None)
    assert notes.said[-1] == done


def test_whatever_breaks_once_the_user_has_stopped_the_run_is_a_stop():
    cancel = Event()
    cancel.set()

    class Removed:
        def solve(self, planned, image_digest, keep):
            raise SandboxError("the container was removed")

    done, _, notes = attempt(Removed(), cancel=cancel)
    assert done.outcome is Outcome.CANCELLED
    assert notes.kinds()[-1] == "Attempt"


def test_a_stop_while_grading_leaves_the_attempt_open_so_that_the_patch_is_graded_later():
    cancel = Event()
    cancel.set()
    trouble = SandboxError("removed")
    _, grader, notes = attempt(GivenPatch(lambda _: b"d"), trouble, RESOLVED, cancel=cancel)
    assert len(grader.patches) == 1
    assert "Solved" in notes.kinds()
    assert "Attempt" not in notes.kinds()


def test_a_kept_patch_is_graded_without_solving():
    class Never:
        def solve(self, planned, image_digest, keep):
            raise AssertionError

    solved = Solved(
        instance_id=INSTANCE.id, attempt=1, stop=Stop.SUBMITTED, steps=3, started_at=NOW, seconds=9
    )
    planned = Planned(INSTANCE, 1, kept=Kept(solved, b"diff"))
    done, grader, _ = attempt(Never(), planned=planned)
    assert (done.outcome, done.steps, grader.patches) == (Outcome.RESOLVED, 3, [b"diff"])


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (GradeReason.TESTS_FAILED, Outcome.UNRESOLVED),
        (GradeReason.NO_RESULTS, Outcome.UNRESOLVED),
        (GradeReason.PATCH_REJECTED, Outcome.PATCH_REJECTED),
        (GradeReason.NO_PATCH, Outcome.NO_PATCH),
    ],
)
def test_every_reason_of_a_grade_is_an_outcome(reason, outcome):
    done, _, _ = attempt(GivenPatch(lambda _: b"d"), Grade(resolved=False, reason=reason))
    assert done.outcome is outcome


def kinds(record):
    return {each.kind.value: each.steps for each in record.conduct}


def test_what_the_agent_did_is_recorded_with_its_solving_and_with_the_attempt(repo):
    search, edit = a_reply("git log --all"), a_reply("echo 'x = 2' > a.py")
    done, _, notes = attempt(solving(repo, search, edit, search, a_reply("submit")))
    (solved,) = (said for said in notes.said if isinstance(said, Solved))
    assert kinds(done) == kinds(solved) == {"history": (0, 2)}
    assert done.outcome is Outcome.RESOLVED  # it is no verdict


def test_what_was_done_before_a_failure_is_told_too(repo):
    search, gone = a_reply("git reflog"), EndpointError("401 from the endpoint")
    done, _, _ = attempt(solving(repo, search, gone))
    assert (done.outcome, kinds(done)) == (Outcome.ENDPOINT_FAILED, {"history": (0,)})

    class Lost(AgentSolver):
        def solve(self, planned, image_digest, keep):
            super().solve(planned, image_digest, keep)
            raise SandboxError("the container is gone")

    plain = solving(repo, search, a_reply("submit"))
    done, _, _ = attempt(Lost(plain.sandboxes, plain.agent, plain.model_of, plain.cancel))
    assert (done.outcome, kinds(done)) == (Outcome.SANDBOX_FAILED, {"history": (0,)})


def test_a_patch_that_is_graded_later_keeps_what_its_agent_did(repo):
    solver = solving(repo, a_reply("git fsck"), a_reply("echo 'x = 2' > a.py"), a_reply("submit"))
    failed = [GraderError("no log")] * 2
    _, _, notes = attempt(solver, *failed)
    (solved,) = (said for said in notes.said if isinstance(said, Solved))
    later = Planned(INSTANCE, 2, kept=Kept(solved, b"diff"))
    done, _, _ = attempt(solver, planned=later)
    assert (done.solved_in, kinds(done)) == (1, {"history": (0,)})


def test_of_a_patch_that_is_given_there_is_nothing_to_tell():
    done, _, _ = attempt(GivenPatch(lambda _: b"diff"))
    assert done.conduct is None


def test_steps_that_are_done_again_are_the_agents_too(repo):
    before = Step(index=0, reply=a_reply("git reflog"))
    planned = Planned(INSTANCE, 2, cause=Cause.CONTINUED, of=1, at=1, recorded=(before,))
    solver = solving(repo, a_reply("ls"), a_reply("git fsck"), a_reply("submit"))
    done, _, _ = attempt(solver, planned=planned)
    assert (done.steps, kinds(done)) == (4, {"history": (0, 2)})
