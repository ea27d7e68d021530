"""Which attempts are left to make. Pure: the past in, the plan out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swerun.ports import Planned
from swerun.records import Cause, Instance, Overrides, Started
from swerun.runs.store import Past


def plan(
    instances: Sequence[Instance],
    past: Mapping[str, Sequence[Past]],
    samples: int,
    *,
    continues: bool = False,
) -> list[Planned]:
    """One attempt for each sample that has no verdict yet, in the order of the instances.

    A sample whose patch waits for its grade is graded, not solved again: in the same attempt where
    that was cut off, in a new one where its grading failed. One that was cut off while solving, or
    ended without a patch, gets a new attempt: the old one stays. With `continues` that begins with
    the steps of the one that was cut off. An attempt that was not at what the run asks is none of
    its samples'.
    """
    planned = []
    for instance in instances:
        history = past.get(instance.id, ())
        number = max((p.number for p in history), default=0)
        for sample in range(1, samples + 1):
            own = [p for p in history if p.started.sample == sample and p.started.is_own]
            if any(p.done and p.done.outcome.is_verdict for p in own):
                continue
            last = own[-1] if own else None
            if last and last.waits:
                planned.append(gone_on_with(instance, last))
                continue
            number += 1
            if last is None:
                planned.append(Planned(instance, number, sample))
            elif continues and last.is_cut_off and (best := _furthest(own)).steps:
                again = Planned(instance, number, sample, Cause.CONTINUED, best.number)
                planned.append(replace(again, at=best.steps))
            else:
                planned.append(
                    Planned(instance, number, sample, Cause.RETRY, last.number, last.kept)
                )
    return planned


def _furthest(own: Sequence[Past]) -> Past:
    """The newest attempt of a sample, or the one that it goes on with, if it was cut off before it
    had done all steps of that again; and so on."""
    by_number = {past.number: past for past in own}
    best = at = own[-1]
    while at.started.cause is Cause.CONTINUED and at.started.of in by_number:
        at = by_number[at.started.of]
        best = max(best, at, key=lambda past: past.steps)
    return best


def gone_on_with(instance: Instance, past: Past) -> Planned:
    """What is left of an attempt whose patch waits for its grade."""
    started = past.started
    return Planned(
        instance,
        past.number,
        started.sample,
        started.cause,
        started.of,
        past.kept,
        at=started.at,
        changed=started.changed,
        replaces=started.replaces,
    )


def rerun(
    samples: Sequence[tuple[Instance, int]],
    past: Mapping[str, Sequence[Past]],
    changed: Overrides,
    *,
    replaces: bool,
) -> list[Planned]:
    """A further attempt of each sample (an instance and its number), whatever the others came to.

    A rerun that would be the same, and whose patch waits for its grade, is graded in its place.
    """
    planned, numbers = list[Planned](), dict[str, int]()
    for instance, sample in samples:
        history = past.get(instance.id, ())
        tries = [p for p in history if p.started.sample == sample]
        last = tries[-1] if tries else None
        wanted = Started(
            sample=sample,
            cause=Cause.RERUN if last else Cause.FIRST,
            of=last.number if last else None,
            changed=changed,
            replaces=replaces,
        )
        if last and last.waits and _same(last.started, wanted):
            planned.append(gone_on_with(instance, last))
            continue
        highest = max((p.number for p in history), default=0)
        numbers[instance.id] = number = 1 + numbers.get(instance.id, highest)
        planned.append(
            Planned(
                instance,
                number,
                sample,
                wanted.cause,
                wanted.of,
                changed=changed,
                replaces=replaces,
            )
        )
    return planned


def fork(
    instance: Instance, history: Sequence[Past], of: Past, at: int, changed: Overrides
) -> Planned:
    """An attempt that goes on after the first `at` steps of another one.

    A fork that would be the same, and whose patch waits for its grade, is graded in its place.
    """
    wanted = Started(
        sample=of.started.sample, cause=Cause.FORKED, of=of.number, at=at, changed=changed
    )
    for past in history:
        if past.waits and past.started == wanted:
            return gone_on_with(instance, past)
    number = 1 + max(past.number for past in history)
    return Planned(instance, number, wanted.sample, wanted.cause, wanted.of, at=at, changed=changed)


def _same(started: Started, wanted: Started) -> bool:
    """Whether two attempts of a sample are made for one purpose."""
    return started.model_copy(update={"of": wanted.of}) == wanted


def side_by_side(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """The same, with those of one repository and version together, which is what benchmarks share
    an environment's layers by; whatever came first stays first."""
    first: dict[tuple[str, str], int] = {}
    for instance in instances:
        first.setdefault((instance.task.repo, instance.version), len(first))
    repository: dict[str, int] = {}
    for repo, _ in first:
        repository.setdefault(repo, len(repository))

    def place(instance: Instance) -> tuple[int, int]:
        repo = instance.task.repo
        return repository[repo], first[repo, instance.version]

    return tuple(sorted(instances, key=place))


def after(planned: Planned, past: Past, number: int, retries: int) -> Planned | None:
    """The attempt that follows one that failed and may do better, if any is left of `retries`.

    It grades the patch that there is, and solves again only where there is none. `number` is the
    next free one of the instance; `retries` counts down from call to call.
    """
    attempt = past.done
    if attempt is None or attempt.failure is None or not attempt.failure.retry or retries <= 0:
        return None
    if attempt.outcome.is_verdict:
        return None
    again = replace(planned, number=number, kept=past.kept)
    if planned.cause is Cause.FORKED:  # from the same step, and none of the run's either
        return again
    return replace(again, cause=Cause.RETRY, of=past.number, at=0)


def interleave(plans: Sequence[Sequence[Planned]]) -> list[tuple[int, Planned]]:
    """Several runs' plans as one queue, taking turns; each entry says whose it is.

    What several of them have left to make is side by side, so that its image is made ready once.
    """
    waiting = [OrderedDict(((p.instance.id, p.sample), p) for p in plan) for plan in plans]
    queue: list[tuple[int, Planned]] = []
    while any(waiting):
        for mine in waiting:
            if mine:
                sample = next(iter(mine))
                queue += [
                    (who, own.pop(sample)) for who, own in enumerate(waiting) if sample in own
                ]
    return queue
