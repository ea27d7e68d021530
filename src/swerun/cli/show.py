"""`swerun show`: one attempt from its first step to its grade, or what a run asks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.inspect import as_ascii
from swerun.cli.options import RUNS, Cache, Json, Runs
from swerun.cli.printable import plain, printable
from swerun.cli.steps import tell_end, tell_step

if TYPE_CHECKING:
    from rich.console import Console

    from swerun.records import Grade, Instance, RunRecord
    from swerun.runs.store import Past, RunStore

Opt = typer.Option
EXCERPTS = 5  # failing tests whose part of the log is shown


def show(
    run: str,
    instance: Annotated[str | None, typer.Argument(help="An instance of the run.")] = None,
    attempt: Annotated[int | None, Opt("--attempt", help="[the newest]")] = None,
    step: Annotated[int | None, Opt("--step", help="This step alone, from 1.")] = None,
    diff_gold: Annotated[
        bool, Opt("--diff-gold", help="Also the reference patch. It is the answer.")
    ] = False,
    fingerprint: Annotated[
        bool, Opt("--fingerprint", help="What RUN asks, a line a key, and its hash.")
    ] = False,
    pager: Annotated[bool, Opt(help="On a terminal, page what is longer than it.")] = True,
    runs: Runs = RUNS,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """What RUN asks; with INSTANCE its trajectory, its patch and its grade."""
    with explained():
        from swerun.errors import InputError
        from swerun.runs.store import open_run

        store = open_run(run, runs)
        if instance is None:
            if step is not None or diff_gold or attempt is not None:
                raise InputError("--step, --attempt and --diff-gold are of an instance: name it")
            _tell_run(store.record(), as_json=as_json or not fingerprint)
            return
        number = number_of(store, instance, attempt)
        if step is not None:
            _tell_one_step(store, instance, number, step, as_json=as_json)
            return
        gold = _gold(store.record(), instance, cache) if diff_gold else None
        if as_json:
            print(json.dumps(_whole(store, instance, number, gold), indent=1))
            return
        _paged(lambda out: _tell(store, instance, number, gold, out), pager=pager)


def number_of(store: RunStore, instance: str, attempt: int | None) -> int:
    """`attempt`, or the newest. Raises InputError where there is none."""
    from swerun.errors import InputError

    numbers = [past.number for past in store.past(instance)]
    if not numbers or (attempt is not None and attempt not in numbers):
        known = ", ".join(map(str, numbers)) or ", ".join(store.instance_ids()) or "none yet"
        raise InputError(f"{store.name} has no such attempt of {instance!r}. There are: {known}.")
    return numbers[-1] if attempt is None else attempt


def _tell_run(record: RunRecord, *, as_json: bool) -> None:
    from swerun.runs.questions import flat

    if as_json:
        print(as_ascii(record))
        return
    print(printable(f"fingerprint: {record.fingerprint}"))
    for key, value in flat(record.question).items():
        print(printable(f"{key}: {value}"))


def _tell_one_step(
    store: RunStore, instance: str, number: int, index: int, *, as_json: bool
) -> None:
    from rich.console import Console

    from swerun.errors import InputError

    steps = list(store.steps(instance, number))
    if not 1 <= index <= len(steps):
        raise InputError(f"--step {index}: attempt {number} of {instance} has {len(steps)} steps")
    if as_json:
        print(as_ascii(steps[index - 1]))
    else:
        done = _past(store, instance, number).done
        conduct = (done.conduct or ()) if done else ()
        tell_step(steps[index - 1], Console(), conduct=conduct)


def _gold(record: RunRecord, instance: str, cache: Path | None) -> str:
    """The reference patch, from the subset as the run had it. Raises InputError without it."""
    from swerun.config import cache_folder
    from swerun.errors import InputError
    from swerun.instances.hub import Hub
    from swerun.instances.subsets import load_subset
    from swerun.revision import pinned, unpinned

    hub = Hub.of(os.environ, cache_folder(cache, os.environ))
    subset = load_subset(unpinned(record.subset), None, pinned(record.source), hub)
    found: Instance | None = next((i for i in subset.instances if i.id == instance), None)
    if found is None:
        raise InputError(f"--diff-gold: {record.subset} has no {instance} (any more)")
    return found.answer.gold_patch


def _paged(tell: Callable[[Console], None], *, pager: bool) -> None:
    """Through the user's pager, on a terminal."""
    from rich.console import Console

    out = Console()
    if not (pager and sys.stdin.isatty() and sys.stdout.isatty()):
        tell(out)
        return
    os.environ.setdefault("LESS", "FRX")  # as git has it: colours, and no pager for one screen
    with out.pager(styles=True):
        tell(out)


def _past(store: RunStore, instance: str, number: int) -> Past:
    return next(p for p in store.past(instance) if p.number == number)


def _whole(store: RunStore, instance: str, number: int, gold: str | None) -> dict[str, object]:
    done = _past(store, instance, number).done
    whole: dict[str, object] = {
        "attempt": done.model_dump(mode="json") if done else None,
        "steps": [step.model_dump(mode="json") for step in store.steps(instance, number)],
        "patch": store.patch(instance, number).decode(errors="replace"),
        "failing": _excerpts(store, instance, number, done.grade) if done and done.grade else {},
    }
    return whole | ({} if gold is None else {"gold_patch": gold})


def _tell(store: RunStore, instance: str, number: int, gold: str | None, out: Console) -> None:
    from rich.rule import Rule

    _tell_attempts(store, instance, number, out)
    done = _past(store, instance, number).done
    for step in store.steps(instance, number):
        tell_step(step, out, conduct=(done.conduct or ()) if done else ())
    patch = store.patch(instance, number).decode(errors="replace")
    _tell_patch("patch", patch, out)
    if gold is not None:
        _tell_patch("gold patch: this is the answer", gold, out)
        _tell_files(patch, gold, out)
    out.print(Rule("grade", align="left"))
    if done:
        tell_end(done, out)
    else:
        out.print("This attempt was cut off: it has no end yet.")
    if done and done.grade:
        for test, part in _excerpts(store, instance, number, done.grade).items():
            out.print(Rule(plain(test), align="left"))
            out.print(plain(part or "(the log does not name it)", style="dim"))
    out.print(plain(str(store.attempt_folder(instance, number)), style="dim"))


def _tell_attempts(store: RunStore, instance: str, number: int, out: Console) -> None:
    """All attempts of the instance in a line each, where there are several."""
    past = store.past(instance)
    for each in past if len(past) > 1 else ():
        started = each.started
        after = f" of {started.of}" if started.of else ""
        ended = each.done.outcome.value if each.done else "cut off"
        shown = "  <- this one" if each.number == number else ""
        said = f"attempt {each.number}, sample {started.sample}, {started.cause.value}{after}"
        said += ", to replace" if started.replaces else ""
        said += "".join(f", {key} {old} -> {new}" for key, (old, new) in started.changed.items())
        out.print(plain(f"{said}: {ended}{shown}"))


def _excerpts(store: RunStore, instance: str, number: int, grade: Grade) -> dict[str, str]:
    """By failing expected test its part of the log, of the first few."""
    from swerun.report.excerpt import part_of
    from swerun.runs.grades import newest

    stored = newest(store.grades(instance, number))
    log = stored.log() if stored else None
    text = log.decode(errors="replace") if log else ""
    return {test.name: part_of(text, test.name) for test in grade.failing[:EXCERPTS]}


def _tell_patch(title: str, patch: str, out: Console) -> None:
    from rich.rule import Rule
    from rich.syntax import Syntax

    text = printable(patch)
    out.print(Rule(title, align="left"))
    out.print(Syntax(text, "diff", background_color="default") if text else "(empty)")


def _tell_files(patch: str, gold: str, out: Console) -> None:
    from swerun.report.excerpt import files_of

    ours, theirs = files_of(patch), files_of(gold)
    for words, files in (
        ("both change", [f for f in theirs if f in ours]),
        ("only gold changes", [f for f in theirs if f not in ours]),
        ("gold does not change", [f for f in ours if f not in theirs]),
    ):
        _tell_list(words, files, out)


def _tell_list(words: str, files: Sequence[str], out: Console) -> None:
    if files:
        out.print(plain(f"{words}: {', '.join(files)}"))
