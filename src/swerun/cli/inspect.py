"""`swerun list`, `show` and `report`: read what runs have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.printable import plain, printable
from swerun.cli.verdicts import in_words

if TYPE_CHECKING:
    from rich.console import Console

    from swerun.records import Attempt, Call, Price, Record, Step
    from swerun.runs.store import RunStore

Runs = Annotated[Path, typer.Option("--runs", help="Where runs are kept.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RUNS = Path("runs")
MANY = 1_000  # rows that nobody reads on a terminal, and that take longer to draw than to make


def list_(runs: Runs = RUNS, as_json: Json = False) -> None:
    """The runs there are, with their rates."""
    with explained():
        from rich.console import Console
        from rich.table import Table

        from swerun.report.derived import reported
        from swerun.runs.store import list_runs

        reports = [reported(store) for store in list_runs(runs)]
        if as_json:
            print(json.dumps([r.model_dump(mode="json", exclude={"rows"}) for r in reports]))
            return
        if not reports:
            print(f"There are no runs in {runs}.")
            return
        made = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("run", "model", "subset", "resolved / N", "graded", "attempts"):
            made.add_column(heading, overflow="fold")
        for r in reports:
            rate = f"{r.resolved}/{r.n}"
            words = (r.run, r.model, r.subset, rate, str(r.graded), str(r.attempts))
            made.add_row(*map(plain, words))
        Console().print(made)


def report(
    run: str,
    runs: Runs = RUNS,
    prices: Annotated[
        str | None,
        typer.Option("--prices", help="What it cost: auto (genai-prices'), or a models file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the report of RUN again from what is stored, and print it."""
    with explained():
        from rich.console import Console

        from swerun.cli.tables import by_instance, side_by_side
        from swerun.report.derived import derive
        from swerun.runs.store import open_run

        store = open_run(run, runs)
        made = derive(store, _price(store, prices) if prices else None)
        if as_json:
            print(_json(made))
            return
        out = Console()
        if len(made.rows) <= MANY:
            out.print(by_instance([made]))
        else:
            out.print(f"{len(made.rows):,} rows, one a sample of an instance, are in report.json.")
        out.print(side_by_side([made]))


def _price(store: RunStore, source: str) -> Price:
    from swerun.errors import InputError
    from swerun.prices import of_run

    record = store.record()
    price = of_run(source, record.model, [session.base_url for session in record.sessions])
    if price is None:
        raise InputError(f"--prices {source}: there is no price of {record.model} in it")
    return price


def show(
    run: str,
    instance: Annotated[str | None, typer.Argument(help="An instance of the run.")] = None,
    attempt: Annotated[int | None, typer.Option("--attempt", help="[the newest]")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """What RUN asks; with INSTANCE its trajectory, its patch and its grade."""
    with explained():
        from rich.console import Console

        from swerun.errors import InputError
        from swerun.runs.store import open_run

        store = open_run(run, runs)
        if instance is None:
            print(_json(store.record()))
            return
        numbers = [past.number for past in store.past(instance)]
        if not numbers or (attempt is not None and attempt not in numbers):
            known = ", ".join(map(str, numbers)) or ", ".join(store.instance_ids()) or "none yet"
            raise InputError(f"{run} has no such attempt of {instance!r}. There are: {known}.")
        number = numbers[-1] if attempt is None else attempt
        if as_json:
            print(json.dumps(_whole(store, instance, number), indent=1))
        else:
            _tell(store, instance, number, Console())


def _json(record: Record) -> str:
    """ASCII alone: pydantic's own words would let a terminal obey some of what models wrote."""
    return json.dumps(record.model_dump(mode="json"), indent=1)


def _whole(store: RunStore, instance: str, number: int) -> dict[str, object]:
    past = next(p for p in store.past(instance) if p.number == number)
    return {
        "attempt": past.done.model_dump(mode="json") if past.done else None,
        "steps": [step.model_dump(mode="json") for step in store.steps(instance, number)],
        "patch": store.patch(instance, number).decode(errors="replace"),
    }


def _tell(store: RunStore, instance: str, number: int, out: Console) -> None:
    from rich.rule import Rule
    from rich.syntax import Syntax

    for step in store.steps(instance, number):
        _tell_step(step, out)
    patch = printable(store.patch(instance, number).decode(errors="replace"))
    out.print(Rule("patch", align="left"))
    out.print(Syntax(patch, "diff", background_color="default") if patch else "(empty)")
    out.print(Rule("grade", align="left"))
    past = next(p for p in store.past(instance) if p.number == number)
    if past.done:
        _tell_end(past.done, out)
    else:
        out.print("This attempt was cut off: it has no end yet.")
    out.print(plain(str(store.attempt_folder(instance, number)), style="dim"))


def _tell_step(step: Step, out: Console) -> None:
    from rich.rule import Rule

    reply = step.reply
    tokens = "" if reply.usage.unreported else f", {reply.usage.total:,} tokens"
    out.print(Rule(f"step {step.index + 1}  {reply.seconds:.1f} s{tokens}", align="left"))
    if step.shortened:
        older = f"the results of {len(step.shortened)} older steps were shortened before this one"
        out.print(plain(older, style="dim italic"))
    out.print(plain(reply.text))
    seen = {o.call_id: o.text for o in step.observations}
    for call in reply.calls:
        out.print(plain(f"{call.tool} {_said(call)}".rstrip(), style="bold cyan"))
        out.print(plain(seen.get(call.id, ""), style="dim"))
    if not reply.calls:
        out.print(plain("\n".join(seen.values()), style="dim"))


def _said(call: Call) -> str:
    """A command as it is; of a tool with more arguments each, in a line if it has one."""
    if set(call.arguments) <= {"command"}:
        return str(call.arguments.get("command", ""))
    texts = {name: str(value) for name, value in call.arguments.items()}
    return "  ".join(
        f"{name}:\n{text}" if "\n" in text else f"{name}={text}" for name, text in texts.items()
    )


def _tell_end(attempt: Attempt, out: Console) -> None:
    out.print(f"{attempt.outcome.value}, {attempt.steps} steps", highlight=False)
    if attempt.failure:
        out.print(plain(attempt.failure.message, style="red"))
    for line in in_words(attempt.grade) if attempt.grade else ():
        out.print(plain(line))
