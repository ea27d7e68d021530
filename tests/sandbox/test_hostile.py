"""Agents that attack what they run in, each a whole attempt in real containers: swerun and the
others are unharmed, and what becomes of the attempt is what its patch deserves."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from swerun.records import Outcome, Stop
from swerun.sandbox.containers import leftovers
from tests.fakes import ScriptedModel, a_reply
from tests.sandbox.conftest import RUN as TESTS
from tests.whole_attempts import FIX, made

pytestmark = pytest.mark.docker
RUN = f"{TESTS}-hostile"
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
    "attributes": (
        (f"{FIX}; echo '* working-tree-encoding=UTF-16 ident -diff' >.gitattributes",),
        GOOD,
    ),
    "no repository": (("rm -rf /testbed",), BAD),
    "somebody else's repository": ((f"{FIX}; rm -rf .git; git init -q; git add -A",), GOOD),
}


def peak():
    """The most memory that this process had, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10


def test_an_agent_that_attacks_what_it_runs_in_gets_what_its_patch_deserves(
    tmp_path, engine, images
):
    names = {f"org__repo-{number}": name for number, name in enumerate(ATTACKS)}
    models = {
        instance_id: partial(ScriptedModel, [*map(a_reply, ATTACKS[name][0]), a_reply("submit")])
        for instance_id, name in names.items()
    }
    attempts = made(tmp_path, engine, images["python3"], models, run=RUN, disk="30m")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = peak()
    done = attempts.run()
    ended = {names[a.instance_id]: (a.stop, a.outcome) for a in done}
    assert ended == {name: deserved for name, (_, deserved) in ATTACKS.items()}
    assert [a.failure for a in done if a.failure] == []
    assert peak() - before < 300 << 20
    assert leftovers(engine, run=RUN) == ()
    assert engine.ping()
