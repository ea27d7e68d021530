"""Subsets by name, hub id or path."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swerun.errors import InputError, InstanceError
from swerun.instances.adapters import COLUMNS, GYM, Adapter, adapter_for
from swerun.instances.adapters.standard import NETWORK
from swerun.instances.hub import Hub, published
from swerun.instances.rows import FORMATS, Row, read_rows, rows_of
from swerun.instances.selection import Subset, nearest
from swerun.instances.task_repo import CONFIG, load_task_repo
from swerun.packaged import packaged
from swerun.records import Instance

SHIPPED = {"sample": "instances/sample"}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Known:
    """A dataset of the hub that has a name here. Its rows tell by their columns how they are read,
    unless `adapter` says so."""

    dataset: str
    split: str
    adapter: Adapter | None = None


# the first five are published by the authors of SWE-bench, and called as swebench 5.0.2 calls them
KNOWN: Mapping[str, Known] = {
    "verified": Known("SWE-bench/SWE-bench_Verified", "test"),
    "lite": Known("SWE-bench/SWE-bench_Lite", "test"),
    "full": Known("SWE-bench/SWE-bench", "test"),
    "multilingual": Known("SWE-bench/SWE-bench_Multilingual", "test"),
    "multimodal": Known("SWE-bench/SWE-bench_Multimodal", "test"),
    "live": Known("SWE-bench-Live/SWE-bench-Live", "verified"),
    "gym": Known("SWE-Gym/SWE-Gym", "train", GYM),
    "smith": Known("SWE-bench/SWE-smith", "train"),
    "rebench": Known("nebius/SWE-rebench", "filtered"),
    "pro": Known("ScaleAI/SWE-bench_Pro", "test"),
}


def load_instances(subset: str | Path, split: str | None = None) -> list[Instance]:
    """The instances of a subset that is on this machine, by id. Raises as load_subset."""
    return list(load_subset(str(subset), split).instances)


def load_subset(
    name: str, split: str | None = None, revision: str | None = None, hub: Hub | None = None
) -> Subset:
    """All instances of a subset's split, by id: a name, a hub id (`org/name`, `org/name@revision`),
    a .parquet, .jsonl or .json file, or the folder of a task repo. Without `split` it is the
    name's, else `test` or the only one there is.

    Raises InputError for what is not known (with the nearest names) or cannot be had, InstanceError
    for rows and files that are malformed (with file, row and field).
    """
    bare, _, pinned = name.partition("@")
    if revision and pinned and revision != pinned:
        raise InputError(f"{name} and --revision {revision} are two revisions: give one")
    revision = revision or pinned or None
    path = Path(name)
    local = name in SHIPPED or path.suffix in FORMATS or path.is_dir()
    if local and revision:
        raise InputError(f"--revision {revision}: {name} is on this machine and has none")
    if local:
        return _local(name, split)
    if bare in KNOWN or _HUB_ID.fullmatch(bare):
        return _of_hub(name, bare, split, revision, hub)
    raise InputError(
        f"there is no subset {name!r}.{nearest(bare, [*SHIPPED, *KNOWN])} A path is one too "
        f"({', '.join(FORMATS)} or a task repo), and a dataset of the hub (org/name)."
    )


def _local(name: str, split: str | None) -> Subset:
    folder = packaged(SHIPPED[name]) if name in SHIPPED else Path(name)
    if folder.suffix in FORMATS and not folder.is_dir():
        if split:
            raise InputError(f"--split {split}: {name} is a file, and has no splits")
        rows = read_rows(folder, COLUMNS)
        return Subset(name, _instances(name, rows, None), name, NETWORK)
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} is no task repo: it has no {CONFIG}")
    instances = _by_id(name, load_task_repo(folder, split))
    network = instances[0].grade_network
    return Subset(name, instances, "" if name in SHIPPED else name, network)


def _of_hub(
    name: str, bare: str, split: str | None, revision: str | None, hub: Hub | None
) -> Subset:
    if hub is None:
        raise InputError(f"{name} is on the hub, and this looks on this machine alone")
    known = KNOWN.get(bare) or Known(bare, "")
    found = published(hub, known.dataset, revision, split or known.split or None)
    source = f"{known.dataset}@{found.commit}"
    rows = rows_of(source, found.rows, COLUMNS)
    return Subset(name, _instances(source, rows, known.adapter), source, NETWORK)


def _instances(source: str, rows: Sequence[Row], adapter: Adapter | None) -> tuple[Instance, ...]:
    if not rows:
        raise InputError(f"{source}: there are no rows in it")
    adapter = adapter or adapter_for(rows[0].values)
    return _by_id(source, [adapter.instance(row) for row in rows])


def _by_id(source: str, instances: Iterable[Instance]) -> tuple[Instance, ...]:
    ordered = tuple(sorted(instances, key=lambda i: i.id))
    counted = Counter(i.id for i in ordered)
    if twice := [i for i, number in counted.items() if number > 1]:
        raise InstanceError(f"{source}: instance_id: {', '.join(twice[:3])}: in more than one row")
    small = Counter(i.lower() for i in counted)
    if twins := [i for i in counted if small[i.lower()] > 1]:
        raise InstanceError(
            f"{source}: instance_id: {', '.join(twins[:3])}: they differ in nothing but capitals, "
            "and would share a folder on some file systems"
        )
    return ordered


def dataset_hash(instances: Iterable[Instance]) -> str:
    """16 hex digits that change when any task or answer of the subset does."""
    digest = hashlib.sha256()
    for instance in sorted(instances, key=lambda i: i.id):
        digest.update(instance.model_dump_json().encode() + b"\n")
    return digest.hexdigest()[:16]
