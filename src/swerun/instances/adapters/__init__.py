"""From a dataset's row to an instance: a module for each family of datasets, its sources in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from swerun.instances.adapters import gym, live, pro, rebench, smith, standard
from swerun.instances.rows import Row
from swerun.records import Instance


@dataclass(frozen=True, slots=True)
class Adapter:
    """`marks` are columns that tell a dataset of this family from others."""

    name: str
    instance: Callable[[Row], Instance]
    marks: tuple[str, ...] = ()


STANDARD = Adapter("standard", standard.instance)
GYM = Adapter("gym", gym.instance)
MARKED = (
    Adapter("standard", standard.instance, ("eval_script",)),
    Adapter("live", live.instance, ("test_cmds",)),
    Adapter("rebench", rebench.instance, ("install_config",)),
    Adapter("pro", pro.instance, ("dockerhub_tag",)),
    Adapter("smith", smith.instance, ("image_name",)),
)
COLUMNS = frozenset().union(*(each.COLUMNS for each in (standard, live, rebench, smith, gym, pro)))


def adapter_for(columns: Collection[str]) -> Adapter:
    """The first whose mark is among the columns; older rows of SWE-bench have none of them."""
    return next((a for a in MARKED if any(m in columns for m in a.marks)), STANDARD)
