"""What has to be read out of a sandbox for the strict rule, with nothing of the patch run in it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from shlex import quote

from swerun.grading.apply import apply_patch
from swerun.grading.integrity.sections import sections_of
from swerun.ports import Sandbox, Sandboxes
from swerun.records import Instance, Role
from swerun.sandbox.patch import take_patch

SECONDS = 120.0
LARGEST = 16 << 20  # bytes that are read of a test file


def plain_patch(sandboxes: Sandboxes, instance: Instance, patch: bytes, attempt: int) -> bytes:
    """What a patch does, whatever it is written like, as a plain diff of the work tree."""
    with sandboxes.start(instance.task, role=Role.GRADING, attempt=attempt) as sandbox:
        apply_patch(sandbox, patch)
        return take_patch(sandboxes, instance.task, sandbox, attempt=attempt).diff


def expected_tests(sandboxes: Sandboxes, instance: Instance, attempt: int) -> Mapping[str, str]:
    """The Python test files of the test patch, by their paths, as the evaluation has them.

    None where it does not apply to the base commit, or they are not UTF-8.
    """
    patch = instance.answer.test_patch.encode(errors="surrogateescape")
    sections = sections_of(patch).files
    paths = [s.path for s in sections if s.path.endswith(".py") and not s.is_deleted]
    if not paths:
        return {}
    folder = f"/tmp/swerun-{secrets.token_hex(8)}"  # noqa: S108 -- in the sandbox, unguessable
    with sandboxes.start(instance.task, role=Role.GRADING, attempt=attempt) as sandbox:
        sandbox.write_file(f"{folder}/test.patch", patch)
        command = f"""
export GIT_INDEX_FILE={folder}/index
git read-tree {quote(instance.task.base_commit)} &&
git apply --cached {folder}/test.patch &&
git checkout-index --prefix={folder}/ -- {" ".join(map(quote, paths))}
"""
        if sandbox.exec(command, timeout=SECONDS).exit_code != 0:
            return {}
        return _texts(sandbox, folder, paths)


def _texts(sandbox: Sandbox, folder: str, paths: list[str]) -> dict[str, str]:
    found = {}
    for path in paths:
        try:
            found[path] = sandbox.read_file(f"{folder}/{path}", limit=LARGEST).decode()
        except (FileNotFoundError, UnicodeDecodeError):
            continue
    return found
