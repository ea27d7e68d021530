"""What must be true of a run however often it was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from swerun.runs.store import RunStore

Kept = Mapping[str, bytes]  # what is in the files of attempts, by path
Facts = tuple[object, ...]
SAME = ("outcome", "stop", "steps", "patch_bytes", "failing")  # of a row, however it came about


def kept_in(runs: Path) -> Kept:
    """The files that attempts have now, those that are being written left out."""
    paths = runs.glob("*/attempts/**/*")
    return {
        str(path.relative_to(runs)): path.read_bytes()
        for path in paths
        if not path.name.startswith(".") and path.is_file()
    }


def lost(before: Kept, after: Kept) -> Iterator[str]:
    """What was there before and is not, or not as it was: steps may be more, a torn line less."""
    for path, data in before.items():
        steps = path.endswith("steps.jsonl")
        whole = data[: data.rfind(b"\n") + 1] if steps else data
        if path not in after:
            yield f"{path} is gone"
        elif not (after[path].startswith(whole) if steps else after[path] == whole):
            yield f"{path} was changed"


def numbers_of(store: RunStore) -> Counter[int]:
    """The replies that are in a run's steps, by the endpoint's numbers."""
    return Counter(
        int(step.reply.model.partition("#")[2])
        for instance_id in store.instance_ids()
        for past in store.past(instance_id)
        for step in store.steps(instance_id, past.number)
    )


def faults_of(store: RunStore) -> Iterator[str]:
    """What is wrong with a run that is done: no verdict, more than one, a patch without a grade."""
    record = store.record()
    for instance_id in record.selection:
        past = store.past(instance_id)
        for sample in range(1, record.samples + 1):
            own = [each for each in past if each.started.sample == sample]
            verdicts = [each for each in own if each.done and each.done.outcome.is_verdict]
            if not verdicts or verdicts != own[-1:]:
                ends = [each.done.outcome.value if each.done else "cut off" for each in own]
                yield f"{store.name}: {instance_id}, sample {sample}: {', '.join(ends)}"
        for each in past:
            if each.kept and not each.done:
                yield f"{store.name}: {instance_id}/{each.number}: its patch was never graded"


def facts(row: Mapping[str, object]) -> Facts:
    return tuple(row[key] for key in SAME)
