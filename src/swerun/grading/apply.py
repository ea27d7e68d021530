"""A patch onto the work tree, by the tries that SWE-bench 5.0.2 makes and in their order."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from swerun.ports import Sandbox

TRIES = (
    "git apply --verbose",
    "git apply --verbose --3way",
    "git apply --verbose --reject",
    "patch --batch --forward --fuzz=5 -p1 -i",
    # The tries can leave the patch applied although each said that it failed. Not from a pristine
    # tree: it asks what the last one left.
    "git apply --check --reverse",
)
# An exit code of its own for each try, of which no command makes use.
SERVED = {100 + number: command for number, command in enumerate(TRIES)}
PRISTINE = "git checkout -- . ; git clean -fd"
APPLY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Applied:
    """`command` is the try that served; None: the patch is rejected, and `output` says why."""

    command: str | None
    output: str


def apply_patch(sandbox: Sandbox, patch: bytes) -> Applied:
    """Apply `patch` as it is: one without a final newline gets none, as in SWE-bench.

    All tries are one command. Raises SandboxError.
    """
    path = f"/tmp/swerun-{secrets.token_hex(8)}.diff"  # noqa: S108 -- in the container, unguessable
    sandbox.write_file(path, patch)
    result = sandbox.exec(_script(path), timeout=APPLY_SECONDS)
    if result.timed_out:
        said = f"applying the patch took more than {APPLY_SECONDS:.0f} s"
        return Applied(None, f"{result.output}\n{said}")
    return Applied(SERVED.get(result.exit_code), result.output)


def _script(path: str) -> str:
    lines = [f"trap 'rm -f {path}' EXIT"]
    for code, command in SERVED.items():
        if command not in (TRIES[0], TRIES[-1]):
            lines.append(f"{{ {PRISTINE} ; }} >/dev/null 2>&1")
        lines += [f"echo '$ {command}'", f"{command} {path} && exit {code}"]
    return "\n".join(lines)
