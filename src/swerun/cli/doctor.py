"""`swerun doctor`: is everything in place, on this machine and at a model's endpoint?"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import DONE, FAILED, explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.options import Cache
from swerun.cli.printable import plain, printable
from swerun.cli.run import stopping

if TYPE_CHECKING:
    from rich.table import Table

    from swerun.config import RunConfig
    from swerun.doctor.finding import Finding

Opt = typer.Option
COLOURS = {"good": "green", "poor": "yellow", "bad": "red", "unknown": "dim"}


def doctor(
    ctx: typer.Context,
    model: Annotated[
        list[str] | None, Opt("--model", help="Ask its endpoint too, as a run would.")
    ] = None,
    models: Annotated[
        Path | None, Opt("--models", help="A models file; --model picks some of it.")
    ] = None,
    base_url: Annotated[str | None, Opt("--base-url", help="As of `swerun run`.")] = None,
    api_key_env: Annotated[str | None, Opt("--api-key-env", help="As of `swerun run`.")] = None,
    max_tokens: Annotated[int | None, Opt("--max-tokens", help="Would it be taken?")] = None,
    extra_body: Annotated[str | None, Opt("--extra-body", help="JSON, as of a run.")] = None,
    config: Annotated[Path | None, Opt("--config", "-c", help="As of `swerun run`.")] = None,
    cache: Cache = None,
    *,
    deep: Annotated[
        bool, Opt("--deep", help="Find the context out by long prompts: that costs tokens.")
    ] = False,
    reap: Annotated[
        bool, Opt("--reap", help="Remove the containers of runs that are over.")
    ] = False,
    as_json: Annotated[bool, Opt("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find out whether everything is in place: the engine, its disk, what other runs left behind;
    with --model, whether an endpoint would do a run's work. Exit code 1 where something would not.
    """
    with explained(), said_of_flags(ctx, file=config is not None):
        settings = _config(ctx, config)
        asked = settings.model if model or models or config else ()
        findings = []
        for finding in _found(settings, asked, deep=deep, reap=reap):
            findings.append(finding)
            _say(finding, as_json=as_json)
    if as_json:
        print(json.dumps([each.model_dump(mode="json") for each in findings], indent=1))
    else:
        _print(findings)
    raise typer.Exit(FAILED if any(each.state == "bad" for each in findings) else DONE)


def _config(ctx: typer.Context, file: Path | None) -> RunConfig:
    from swerun.config import load_config

    flags = given(ctx)
    nobody = {} if file or "models" in flags else {"model": ("gold",)}
    return load_config(file, nobody | flags)


def _found(
    config: RunConfig, models: Sequence[str], *, deep: bool, reap: bool
) -> Iterator[Finding]:
    yield from _of_this_machine(config, reap=reap)
    if not models:
        return
    from swerun.doctor.endpoint import examined
    from swerun.entrants import Setting, asked_model
    from swerun.models.governor import Governors

    cancel = Event()
    with ExitStack() as open_, stopping(cancel):
        governors = Governors(config.jobs, config.endpoint_patience)
        setting = Setting(config, os.environ, open_, governors, cancel)
        for name, asked in [(name, asked_model(name, setting)) for name in models]:
            mark = uuid.uuid4().hex
            yield from examined(name, asked, cancel, mark=mark, is_deep=deep)


def _of_this_machine(config: RunConfig, *, reap: bool) -> Iterator[Finding]:
    from swerun.config import cache_folder
    from swerun.doctor.finding import bad
    from swerun.doctor.machine import HERE, examined, left_behind
    from swerun.errors import NoEngineError
    from swerun.sandbox.client import connect
    from swerun.sandbox.containers import leftovers, remove_all

    try:
        client = connect(os.environ)
    except NoEngineError as error:
        yield bad(HERE, "engine", str(error))
        return
    try:
        yield from examined(client, cache_folder(config.cache, os.environ))
        remove = partial(remove_all, client) if reap else None
        yield from left_behind(leftovers(client), platform.node(), time.time(), remove)
    finally:
        client.close()


def _say(finding: Finding, *, as_json: bool) -> None:
    """What takes a while is seen as it comes; the table is at the end."""
    if not as_json and sys.stderr.isatty():
        print(printable(f"{finding.about}  {finding.name}"), file=sys.stderr)


def _print(findings: Sequence[Finding]) -> None:
    from rich.console import Console

    console = Console()
    for about in dict.fromkeys(each.about for each in findings):
        console.print(table(about, [each for each in findings if each.about == about]))


def table(about: str, findings: Sequence[Finding]) -> Table:
    """The findings about one thing; advice is below what it is about."""
    from rich.table import Table
    from rich.text import Text

    made = Table(title=plain(about), title_justify="left", show_header=False)
    for each in findings:
        said = plain(each.said)
        if each.advice:
            said = Text.assemble(said, "\n", plain(each.advice, "italic"))
        made.add_row(plain(each.name), plain(each.state, COLOURS[each.state]), said)
    return made
