"""Whether instances can be solved and graded at all: found out before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swerun.errors import InstanceError
from swerun.instances.diffs import FlawError, check_diff
from swerun.records import Instance

SHOWN = 3


def check_gradable(instances: Iterable[Instance]) -> None:
    """Raises InstanceError for instances that lack something, with what it is, and for a patch of
    an answer that is no whole diff."""
    found = [f"{instance.id}: {flaw}" for instance in instances for flaw in _flaws(instance)]
    if found:
        more = f"\n... and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise InstanceError("\n".join(found[:SHOWN]) + more)


def _flaws(instance: Instance) -> Iterator[str]:
    if instance.ungradable:
        yield f"it cannot be graded: {instance.ungradable}"
    answer = instance.answer
    for name, patch in (("patch", answer.gold_patch), ("test_patch", answer.test_patch)):
        try:
            check_diff(patch)
        except FlawError as error:
            yield f"{name}: {error}"
