"""Agents that attack what they run in, each a whole attempt in real containers: swerun and the
others are unharmed, and what becomes of the attempt is what its patch deserves."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.attempt import Bench
from swerun.engine.local import LocalEngine, Work
from swerun.engine.slots import local_slots
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.ports import Image
from swerun.records import Limits, Outcome, Resources, Role, Stop
from swerun.runs.store import open_or_create
from swerun.sandbox.containers import leftovers
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.solve import AgentSolver
from tests.fakes import ScriptedModel, a_reply, an_instance
from tests.report.test_summary import a_run
from tests.sandbox.conftest import RUN as TESTS

pytestmark = pytest.mark.docker
RUN = f"{TESTS}-hostile"
FIX = "echo two >>a.txt"
EVAL = """#!/bin/bash
cd /testbed
: '>>>>> Start Test Output'
grep -q two a.txt && echo 'PASSED t.py::a' || { echo 'FAILED t.py::a'; false; }
: '>>>>> End Test Output'
"""
LIES = "printf '#!/bin/sh\\necho lies\\nexit 0\\n' >/lies; chmod +x /lies"
GOOD, LOST = (Stop.SUBMITTED, Outcome.RESOLVED), (Stop.SANDBOX_LOST, Outcome.RESOLVED)
BAD = (Stop.SUBMITTED, Outcome.UNRESOLVED)
# what each does before it submits, and what becomes of it; the fix comes first where nothing can
# be done afterwards
ATTACKS = {
    "nothing": ((FIX,), GOOD),
    "no fix": (("true",), (Stop.SUBMITTED, Outcome.NO_PATCH)),
    "a fork bomb": ((":(){ :|:& };:; while :; do :; done", FIX), GOOD),
    "a fork bomb that hides": (
        (
            "python3 -c 'import os\nwhile 1:\n  try:\n    if os.fork() == 0: os.setsid();"
            " os.environ.clear()\n  except OSError: pass'",
            FIX,
        ),
        GOOD,
    ),
    "ten gigabytes of output": (("yes | head -c 10000000000", FIX), GOOD),
    "a file without end": (("cat /dev/zero >/full", "cat /dev/zero >full", FIX), GOOD),
    "a log without end": (("cat /dev/zero >/proc/1/fd/1", FIX), GOOD),
    "memory": (("x=xxxxxxxx; while :; do x=$x$x; done", FIX), GOOD),
    "the end of all processes": ((FIX, "kill -9 -1"), LOST),
    "the end of the channel": (("pkill -9 python3", "kill -STOP -1", FIX), GOOD),
    "a shell that never returns": (("trap '' TERM INT HUP; while :; do :; done", FIX), GOOD),
    "daemons": (
        ("setsid nohup sh -c 'while :; do date >>busy; sleep 0.01; done' >/dev/null 2>&1 &", FIX),
        GOOD,
    ),
    "links and pipes": (
        (
            f"{FIX}; rm -r sub gone binary; ln -s / sub; ln -s ../../etc/passwd gone;"
            " mkfifo binary;"
            " ln -sf /dev/zero .gitignore; ln -s /dev/zero .gitattributes; ln a.txt b.txt;"
            " ln .git/config c.txt; mkfifo .git/swerun.diff; ln -sf /dev/null .git/index.lock",
        ),
        GOOD,
    ),
    "programs that lie": (
        (
            f"{FIX}; {LIES}; for p in git python3 bash sh cat; do cp /lies /usr/local/bin/$p;"
            " cp --remove-destination /lies $(command -v $p); done",
        ),
        GOOD,
    ),
    "names": (
        (f"{FIX}; touch \"$(printf 'new\\nline')\" \"$(printf 'caf\\351')\"; mkdir 'a b' -- -x",),
        GOOD,
    ),
    "no repository": (("rm -rf /testbed",), BAD),
    "somebody else's repository": ((f"{FIX}; rm -rf .git; git init -q; git add -A",), GOOD),
}
AT_ONCE = 2


@dataclass(frozen=True)
class Here:
    """The image is there."""

    image: Image

    def hold(self, instance):
        return nullcontext()

    def ensure(self, instance):
        return self.image


def peak():
    """The most memory that this process had, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10


def an_engine(tmp_path, engine, image):
    sandboxes = DockerSandboxes(
        engine,
        RUN,
        "tests",
        dict.fromkeys(Role, Profile(resources=Resources(memory="200m", pids=200, disk="30m"))),
    )
    names = {f"org__repo-{number}": name for number, name in enumerate(ATTACKS)}

    def model_of(task):
        return ScriptedModel([*map(a_reply, ATTACKS[names[task.id]][0]), a_reply("submit")])

    cancel = Event()
    agent = BashAgent(load_prompts("tools"), Limits(command_seconds=3))
    solver = AgentSolver(sandboxes, agent, model_of, cancel)
    grader = SandboxGrader(Evaluator(sandboxes, 60))
    slots = local_slots(images=4, agents=AT_ONCE, grading=AT_ONCE, cancel=cancel)
    made = Image(engine.images.get(image).id, "sha256:0")
    bench = Bench(Here(made), solver, grader, slots, cancel)
    instances = tuple(an_instance(i, eval_script=EVAL, fail_to_pass=("t.py::a",)) for i in names)
    store = open_or_create(tmp_path / "runs", a_run(*names))
    work = Work(store, bench, instances, samples=1, retries=0)
    return LocalEngine([work], 2 * AT_ONCE, lambda _: None, cancel, pause=0), store, names


def test_an_agent_that_attacks_what_it_runs_in_gets_what_its_patch_deserves(
    tmp_path, engine, images
):
    running, store, names = an_engine(tmp_path, engine, images["python3"])
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = peak()
    running.run()
    ended = {names[a.instance_id]: (a.stop, a.outcome) for a in store.attempts()}
    assert ended == {name: deserved for name, (_, deserved) in ATTACKS.items()}
    assert [a.failure for a in store.attempts() if a.failure] == []
    assert peak() - before < 300 << 20
    assert leftovers(engine, run=RUN) == ()
    assert engine.ping()
