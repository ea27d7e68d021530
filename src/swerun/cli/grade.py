"""`swerun grade`: a verdict on patches that are there already, or on what their tests printed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swerun.cli.exits import DONE, explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading, judging, running
from swerun.cli.imaging import imaging
from swerun.cli.options import Cache, Json
from swerun.cli.run import drive
from swerun.cli.selecting import chosen_by, selecting

if TYPE_CHECKING:
    from swerun.records import RunRecord
    from swerun.regrade import Regraded

Opt = typer.Option


@selecting
@imaging
@grading
@running
@judging
def grade(
    ctx: typer.Context,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="PREDICTIONS",
            help="A .json, a .jsonl, or a folder of .pred: of SWE-bench, mini-swe-agent, SWE-agent "
            "or OpenHands. With --from-logs a run.",
        ),
    ] = None,
    log: Annotated[
        Path | None,
        Opt("--log", help="Judge this, what the tests of one instance (-i) printed; no container."),
    ] = None,
    exit_code: Annotated[
        int | None, Opt("--exit-code", help="Of the tests of --log.  [what the log says]")
    ] = None,
    from_logs: Annotated[
        bool, Opt("--from-logs", help="Judge the logs of a run again, and say what changed.")
    ] = False,
    model: Annotated[
        str | None,
        Opt("--model", help="Whose predictions, or what theirs is called.  [as they say]"),
    ] = None,
    retries: Annotated[
        int | None, Opt("--retries", help="After failures that are not the patch's.  [2]")
    ] = None,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Grade the patches of PREDICTIONS as those of a run: a run like any other comes of it.

    Instances without a prediction are not graded, and not in N; the report counts them.
    """
    with explained(), said_of_flags(ctx, file=False):
        _check(ctx, source)
        if log:
            code = _judge_log(ctx, log, exit_code, as_json=as_json)
        elif from_logs:
            code = _judge_again(ctx, str(source), as_json=as_json)
        else:
            code = _predictions(ctx, Path(str(source)), model, as_json=as_json)
    raise typer.Exit(code)


def _check(ctx: typer.Context, source: str | None) -> None:
    """Raises InputError for what does not go together."""
    from swerun.errors import InputError

    said = ctx.params
    if said["log"] and (source or said["from_logs"]):
        raise InputError("--log FILE judges that one log: give no PREDICTIONS and no RUN with it")
    if not said["log"] and said["exit_code"] is not None:
        raise InputError("--exit-code is of the tests that printed --log FILE, which is not given")
    if not said["log"] and not source:
        raise InputError("give PREDICTIONS, or --log FILE, or --from-logs with a RUN")


def _predictions(ctx: typer.Context, path: Path, model: str | None, *, as_json: bool) -> int:
    from swerun.config import load_config
    from swerun.predictions import read_predictions

    predictions = read_predictions(path, model)
    config = load_config(None, given(ctx) | {"model": (predictions.model,)})
    return drive(config, predictions, as_json=as_json)


def _judge_log(ctx: typer.Context, path: Path, exit_code: int | None, *, as_json: bool) -> int:
    from swerun.cli.printable import printable
    from swerun.cli.verdicts import in_words
    from swerun.errors import InputError
    from swerun.grading.verdict import grade_log
    from swerun.runs.grades import read_log_file

    chosen = chosen_by(ctx, os.environ, ctx.params["cache"]).instances
    if len(chosen) != 1:
        raise InputError(f"--log is of one instance, and {len(chosen)} are chosen: name it with -i")
    graded = grade_log(chosen[0], read_log_file(path), exit_code)
    if as_json:
        print(json.dumps(graded.model_dump(mode="json"), indent=1))
        return DONE
    for line in (f"{chosen[0].id}: {graded.reason.value}", *in_words(graded)):
        print(printable(line))
    return DONE


def _judge_again(ctx: typer.Context, name: str, *, as_json: bool) -> int:
    from swerun.errors import InputError
    from swerun.instances.subsets import dataset_hash
    from swerun.regrade import regrade
    from swerun.report.derived import derive
    from swerun.runs.store import open_run

    store = open_run(name, ctx.params["runs"] or Path("runs"))
    record = store.record()
    chosen = chosen_by(ctx, os.environ, ctx.params["cache"], _subset_of(record))
    if dataset_hash(chosen.subset.instances) != record.question.dataset_hash:
        raise InputError(
            f"the run {store.name} was made of other instances than {chosen.subset.name} has now: "
            "give --subset, --split and --revision as it was made with"
        )
    found = regrade(store, {instance.id: instance for instance in chosen.instances})
    derive(store)
    _tell(found, as_json=as_json)
    return DONE


def _subset_of(record: RunRecord) -> dict[str, Any]:
    """Where a run's instances came from, as far as it says."""
    from swerun.revision import pinned, unpinned

    return {"subset": unpinned(record.subset), "revision": pinned(record.source) or None}


def _tell(found: Regraded, *, as_json: bool) -> None:
    from rich.console import Console

    from swerun.cli.verdicts import changes, gist

    if as_json:
        told = [
            {
                "instance_id": each.instance_id,
                "attempt": each.attempt,
                "old": each.old.model_dump(mode="json"),
                "new": each.new.model_dump(mode="json"),
                "tests": each.tests,
            }
            for each in found.changes
        ]
        counts = {"judged": found.judged, "without": found.without}
        print(json.dumps({**counts, "changes": told}, indent=1))
        return
    if found.changes:
        Console().print(changes(found.changes))
    print(gist(found))
