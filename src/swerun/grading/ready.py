"""A sandbox as the grader has it when the tests are about to begin, with the script that runs them.

What it does before is the script's own first part, so this is that, whoever applies the test patch.
"""

from __future__ import annotations

from dataclasses import dataclass

from swerun.grading.apply import Applied, apply_patch
from swerun.grading.script import before_tests, telling
from swerun.ports import ExecResult, Sandbox
from swerun.records import Answer


@dataclass(frozen=True, slots=True)
class Ready:
    """What was done. `applied` None: the patch is empty. `before`: what the script printed before
    its tests; None where the patch was rejected, and the grader would not have run it."""

    applied: Applied | None
    before: ExecResult | None


def made_ready(
    sandbox: Sandbox, answer: Answer, patch: bytes, path: str, eval_seconds: float
) -> Ready:
    """Apply `patch` as for a grading, lay the eval script at `path`, and run it up to its tests.

    The script can be run as a whole afterwards: it begins by putting its test files back as they
    were. Raises SandboxError, and InstanceError where it does not say where its tests begin.
    """
    script = telling(answer.eval_script)
    beginning = before_tests(script)
    applied = apply_patch(sandbox, patch) if patch.strip() else None
    sandbox.write_file(path, script.encode())
    if applied and applied.command is None:
        return Ready(applied, None)
    return Ready(applied, sandbox.exec(beginning, timeout=eval_seconds))
