"""Subsets by name or path, and which of their instances are meant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from swerun.errors import InputError
from swerun.instances.task_repo import load_task_repo
from swerun.packaged import packaged
from swerun.records import Instance

SHIPPED = {"sample": "instances/sample"}


def load_instances(subset: str | Path, split: str | None = None) -> list[Instance]:
    """All instances of a subset's split, by id: a name (`sample`) or the folder of a task repo.
    Without `split` it is `test`, or the only one there is.

    Raises InputError for a name or a split that is not known (with the nearest ones, or all),
    InstanceError for files that are malformed (with file and field).
    """
    name = str(subset)
    if name in SHIPPED:
        return sorted(load_task_repo(packaged(SHIPPED[name]), split), key=lambda i: i.id)
    folder = Path(subset)
    if (folder / "sweb.yaml").is_file():
        return sorted(load_task_repo(folder, split), key=lambda i: i.id)
    if folder.is_dir():
        raise InputError(f"{folder} is no task repo: it has no sweb.yaml")
    raise InputError(f"there is no subset {name!r}.{_nearest(name, SHIPPED)} A folder is one too.")


def select(instances: Sequence[Instance], wanted: Sequence[str]) -> list[Instance]:
    """Those whose id matches one of the globs `wanted`; all where none is given.

    Raises InputError for a glob that matches nothing: a typo must not quietly shrink a run.
    """
    if not wanted:
        return list(instances)
    for pattern in wanted:
        if not any(fnmatchcase(i.id, pattern) for i in instances):
            ids = [i.id for i in instances]
            raise InputError(f"no instance is called {pattern!r}.{_nearest(pattern, ids)}")
    return [i for i in instances if any(fnmatchcase(i.id, pattern) for pattern in wanted)]


def grade_network(subset: str) -> str:  # noqa: ARG001 -- the SWE-bench family's is another
    """The network of a subset's grading containers: their tests need none."""
    return "none"


def dataset_hash(instances: Iterable[Instance]) -> str:
    """16 hex digits that change when any task or answer of the subset does."""
    digest = hashlib.sha256()
    for instance in sorted(instances, key=lambda i: i.id):
        digest.update(instance.model_dump_json().encode() + b"\n")
    return digest.hexdigest()[:16]


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = get_close_matches(name, known, n=3, cutoff=0.5) or known[:10]
    return f" Did you mean {', '.join(near)}?" if near else ""
