"""Take the patch out of a sandbox, with a git that nobody in it could touch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from swerun.errors import SandboxError
from swerun.ports import ExecResult, Sandbox, Sandboxes
from swerun.records import Role, Task

SECONDS = 600.0
# Without renames, so that patch(1), the last resort of the official harness, understands it;
# with whole hashes, so that `git apply --3way` finds its blobs.
DIFF = (
    "git diff --cached --binary --full-index --no-renames --no-color --no-ext-diff --no-textconv "
    "--src-prefix=a/ --dst-prefix=b/"
)
SCRIPTS = ("reproduce", "repro")
CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".eggs"}
LEAVINGS = {".orig", ".rej", ".bak", ".swp", ".pyc", ".log"}
TEST_FOLDERS = {"test", "tests", "testing"}


@dataclass(frozen=True, slots=True)
class Patch:
    """`left_behind` are new files in it that look forgotten, and those too large to be in it."""

    diff: bytes
    left_behind: tuple[str, ...] = ()


def take_patch(sandboxes: Sandboxes, task: Task, lost_or_live: Sandbox, *, attempt: int) -> Patch:
    """How the sandbox's work directory differs from its image's commit, as `git apply` takes it.

    The changes are laid over a fresh sandbox of the same image, and made a diff of there: no git,
    configuration, hook or exclusion that the agent changed has any effect. `git add -A` decides
    what belongs to it. Raises SandboxError.
    """
    changes = lost_or_live.changes()
    if not changes.tree and not changes.deleted:
        return Patch(b"", changes.left_out)
    with sandboxes.start(task, role=Role.AGENT, attempt=attempt) as fresh:
        fresh.apply(changes)
        # a name that git does not take (`git~1`) is no reason to lose the rest
        fresh.exec("git add -A --ignore-errors", timeout=SECONDS)
        made = "made=$(git rev-parse --git-path swerun.diff)"
        where = _must(fresh, f'{made} && {DIFF} --output="$made" HEAD && echo "$made"')
        new = _must(fresh, "git diff --cached --name-only -z --no-renames --diff-filter=A HEAD")
        diff = fresh.read_file(where.output.strip())
    added = [name for name in new.output.split("\0") if name]
    return Patch(diff, (*filter(looks_forgotten, added), *changes.left_out))


def looks_forgotten(path: str) -> bool:
    """Whether a new file is likely a reproduction script, a cache, or what an editor left."""
    at = PurePosixPath(path)
    if len(at.parts) == 1 or at.suffix in LEAVINGS or CACHES & set(at.parts):
        return True
    if at.name.lower().startswith(SCRIPTS):
        return True
    return at.match("test_*.py") and not TEST_FOLDERS & set(at.parts)


def _must(sandbox: Sandbox, command: str) -> ExecResult:
    result = sandbox.exec(command, timeout=SECONDS)
    if result.exit_code != 0:
        raise SandboxError(f"{command!r} failed: {result.output[-400:].strip()}")
    return result
