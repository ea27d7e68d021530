"""Subsets by name or path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from swerun.errors import InputError
from swerun.instances.hub import Hub
from swerun.instances.selection import Subset, nearest
from swerun.instances.task_repo import load_task_repo
from swerun.packaged import packaged
from swerun.records import Instance

SHIPPED = {"sample": "instances/sample"}


def load_instances(subset: str | Path, split: str | None = None) -> list[Instance]:
    """The instances of a subset that is on this machine, by id. Raises as load_subset."""
    return list(load_subset(str(subset), split).instances)


def load_subset(
    name: str, split: str | None = None, revision: str | None = None, hub: Hub | None = None
) -> Subset:
    """All instances of a subset's split, by id: a name (`sample`) or the folder of a task repo.
    Without `split` it is `test`, or the only one there is.

    Raises InputError for a name or a split that is not known (with the nearest ones, or all),
    InstanceError for files that are malformed (with file and field).
    """
    del revision, hub  # of what is on the hub alone, which nothing here is yet
    folder = packaged(SHIPPED[name]) if name in SHIPPED else Path(name)
    if (folder / "sweb.yaml").is_file():
        instances = sorted(load_task_repo(folder, split), key=lambda i: i.id)
        return Subset(name, tuple(instances), source="" if name in SHIPPED else name)
    if folder.is_dir():
        raise InputError(f"{folder} is no task repo: it has no sweb.yaml")
    raise InputError(
        f"there is no subset {name!r}.{nearest(name, list(SHIPPED))} A folder is one too."
    )


def dataset_hash(instances: Iterable[Instance]) -> str:
    """16 hex digits that change when any task or answer of the subset does."""
    digest = hashlib.sha256()
    for instance in sorted(instances, key=lambda i: i.id):
        digest.update(instance.model_dump_json().encode() + b"\n")
    return digest.hexdigest()[:16]
