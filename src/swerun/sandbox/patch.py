"""Take the patch out of a sandbox, with a git that nobody in it could touch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

from swerun.errors import SandboxLostError
from swerun.ports import LARGEST_PATCH, Changes, Sandbox, Sandboxes
from swerun.records import Role, Task

SECONDS = 600.0
# Without renames, so that patch(1), the last resort of the official harness, understands it;
# with whole hashes, so that `git apply --3way` finds its blobs. Of trees alone, and without an
# index: with one git takes files from the work tree that look as there, however they were added.
# It prints where the diff is, and what is new in it.
MAKE = r"""exec 2>/dev/null
d=$(git rev-parse --absolute-git-dir)
{{ {add}
}} >/dev/null
t=$(git write-tree --missing-ok) &&
export GIT_INDEX_FILE="$d/swerun.none" &&
git diff-tree -p --binary --full-index --no-renames --no-color --no-ext-diff --no-textconv \
    --src-prefix=a/ --dst-prefix=b/ --output="$d/swerun.diff" HEAD "$t" &&
printf '%s\0' "$d/swerun.diff" &&
git diff-tree -r --name-only -z --no-renames --diff-filter=A HEAD "$t"
"""
ADD = "git add -A --ignore-errors"  # a name that git does not take (`git~1`) costs not the rest
# What a work tree has of `.gitattributes` says to git what bytes are put into a repository, and may
# well be such that git puts none there. So the rest is added while they are aside: where there is
# none git takes the one of its index, which is the commit's. Then they are added as they are.
ATTRIBUTES = ".gitattributes"
ADD_AS_THE_COMMIT_HAS_IT = r"""
moved() { xargs -0 sh -c "for f; do mv -f -- $1; done" sh <"$d/swerun.attributes"; }
git ls-files -zco -- ':(glob)**/.gitattributes' >"$d/swerun.attributes"
moved '"$f" "$f.swerun"'
git add -A --ignore-errors -- . ':(exclude,glob)**/.gitattributes' \
    ':(exclude,glob)**/.gitattributes.swerun'
moved '"$f.swerun" "$f"'
mkdir -p "$d/info"
echo '.gitattributes !working-tree-encoding !filter !ident' >>"$d/info/attributes"
git add -A --ignore-errors -- ':(glob)**/.gitattributes'
"""
SCRIPTS = ("reproduce", "repro")
CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".eggs"}
LEAVINGS = {".orig", ".rej", ".bak", ".swp", ".pyc", ".log"}
TEST_FOLDERS = {"test", "tests", "testing"}


@dataclass(frozen=True, slots=True)
class Patch:
    """`left_behind` are new files in it that look forgotten, and those too large to be in it;
    `problem` is why nothing could be made of what there was."""

    diff: bytes
    left_behind: tuple[str, ...] = ()
    problem: str = ""


class UnmadeError(Exception):
    """What an agent left is such that git makes no patch of it."""


def take_patch(
    sandboxes: Sandboxes,
    task: Task,
    lost_or_live: Sandbox,
    *,
    attempt: int,
    largest: int = LARGEST_PATCH,
) -> Patch:
    """How the sandbox's work directory differs from its image's commit, as `git apply` takes it.

    The changes are laid over a fresh sandbox of the same image, and made a diff of there: no git,
    configuration, hook or exclusion that the agent changed has any effect. `git add -A` decides
    what belongs to it. Of a diff that is too large there is one byte more than `largest`.
    Raises SandboxError where it is not the changes at which this fails.
    """
    with ThreadPoolExecutor(1, "swerun-changes") as beside:
        reading = beside.submit(lost_or_live.changes)
        with sandboxes.start(task, role=Role.PATCH, attempt=attempt) as fresh:
            changes = reading.result()
            try:
                diff, added = _made(fresh, changes, largest)
            except (UnmadeError, SandboxLostError) as error:
                return Patch(b"", changes.left_out, f"no patch could be made of it: {error}")
    return Patch(diff, (*filter(looks_forgotten, added), *changes.left_out))


def _made(fresh: Sandbox, changes: Changes, largest: int) -> tuple[bytes, list[str]]:
    """The diff, and the names of the files that are new in it."""
    if not changes.tree and not changes.deleted:
        return b"", []
    fresh.apply(changes)
    add = ADD_AS_THE_COMMIT_HAS_IT if _has_attributes(changes) else ADD
    result = fresh.exec(MAKE.format(add=add), timeout=SECONDS)
    path, *new = result.output.split("\0")
    if result.exit_code != 0:
        raise UnmadeError(f"git ended with exit code {result.exit_code}")
    try:
        diff = fresh.read_file(path, limit=largest + 1)
    except FileNotFoundError as error:
        raise UnmadeError(f"git wrote no {path}") from error
    return diff, [name for name in new if name]


def _has_attributes(changes: Changes) -> bool:
    """Whether one of their paths may say how git reads others."""
    deleted = any(path.endswith(ATTRIBUTES) for path in changes.deleted)
    return deleted or ATTRIBUTES.encode() in changes.tree


def looks_forgotten(path: str) -> bool:
    """Whether a new file is likely a reproduction script, a cache, or what an editor left."""
    at = PurePosixPath(path)
    if len(at.parts) == 1 or at.suffix in LEAVINGS or CACHES & set(at.parts):
        return True
    if at.name.lower().startswith(SCRIPTS):
        return True
    return at.match("test_*.py") and not TEST_FOLDERS & set(at.parts)
