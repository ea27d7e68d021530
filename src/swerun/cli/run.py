"""`swerun run`: from models and a subset to resolved rates, side by side."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swerun.cli.exits import STOPPED, explained, judged
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading, running
from swerun.cli.imaging import imaging
from swerun.cli.selecting import selecting

if TYPE_CHECKING:
    from swerun.config import RunConfig
    from swerun.engine.local import Work
    from swerun.predictions import Predictions
    from swerun.report.summary import Report

Opt = typer.Option


@selecting
@imaging
@grading
@running
def run(
    ctx: typer.Context,
    model: Annotated[
        list[str] | None,
        Opt("--model", help="gold, empty, demo/NAME, PRESET/NAME, or with --base-url any name."),
    ] = None,
    models: Annotated[
        Path | None,
        Opt("--models", help="YAML: a list of models, each as it is asked; --model picks some."),
    ] = None,
    config: Annotated[
        Path | None, Opt("--config", "-c", help="YAML with the keys of the options' dotted names.")
    ] = None,
    base_url: Annotated[
        str | None, Opt("--base-url", help="An OpenAI-compatible endpoint, as http://host:8000/v1.")
    ] = None,
    api_key_env: Annotated[
        str | None, Opt("--api-key-env", help="The variable that holds the key.  [OPENAI_API_KEY]")
    ] = None,
    protocol: Annotated[
        str | None,
        Opt("--protocol", help="tools, text, hermes, qwen-xml; auto: found by a request.  [tools]"),
    ] = None,
    api: Annotated[
        str | None, Opt("--api", help="chat (completions), or responses.  [chat]")
    ] = None,
    stream: Annotated[
        bool, Opt("--stream", help="Replies in parts; always, of models that know no other way.")
    ] = False,
    temperature: Annotated[float | None, Opt("--temperature")] = None,
    top_p: Annotated[float | None, Opt("--top-p")] = None,
    max_tokens: Annotated[int | None, Opt("--max-tokens", help="Of one reply.")] = None,
    sampling_seed: Annotated[
        int | None, Opt("--sampling-seed", help="Sent to the endpoint.")
    ] = None,
    reasoning_effort: Annotated[
        str | None, Opt("--reasoning-effort", help="In the endpoint's words, as low or high.")
    ] = None,
    extra_body: Annotated[
        str | None, Opt("--extra-body", help="JSON, merged into each request.")
    ] = None,
    request_timeout: Annotated[
        float | None, Opt("--request-timeout", help="Seconds.  [600]")
    ] = None,
    stall_timeout: Annotated[
        float | None, Opt("--stall-timeout", help="Seconds between parts of a stream.  [300]")
    ] = None,
    rpm: Annotated[
        float | None, Opt("--rpm", help="Requests per minute, of each endpoint.  [none]")
    ] = None,
    tpm: Annotated[
        float | None, Opt("--tpm", help="Tokens per minute, in and out, likewise.  [none]")
    ] = None,
    endpoint_patience: Annotated[
        str | None,
        Opt("--endpoint-patience", help="How long to wait for one that is down, as 90s.  [30m]"),
    ] = None,
    jobs: Annotated[int | None, Opt("--jobs", "-j", help="Agents at once.  [4]")] = None,
    attempts: Annotated[
        int | None, Opt("--attempts", help="Independent tries on each instance.  [1]")
    ] = None,
    retries: Annotated[
        int | None, Opt("--retries", help="After failures that are not the model's.  [2]")
    ] = None,
    steps: Annotated[int | None, Opt("--steps", help="Replies per attempt.  [250]")] = None,
    tokens: Annotated[int | None, Opt("--tokens", help="In and out, per attempt.  [none]")] = None,
    input_tokens: Annotated[int | None, Opt("--input-tokens", help="Likewise.  [none]")] = None,
    output_tokens: Annotated[int | None, Opt("--output-tokens", help="Likewise.  [none]")] = None,
    cost: Annotated[float | None, Opt("--cost", help="Dollars per attempt.  [none]")] = None,
    budget: Annotated[
        float | None, Opt("--budget", help="Dollars; past it no attempt is begun.  [none]")
    ] = None,
    price_input: Annotated[
        float | None, Opt("--price-input", help="Dollars per million tokens.  [genai-prices']")
    ] = None,
    price_cached: Annotated[
        float | None, Opt("--price-cached", help="Of cached input.  [as other input]")
    ] = None,
    price_output: Annotated[float | None, Opt("--price-output", help="As --price-input.")] = None,
    context: Annotated[
        int | None, Opt("--context", help="The model's, in tokens.  [learnt when it is full]")
    ] = None,
    tools: Annotated[
        str | None, Opt("--tools", help="bash, or bash,edit: with an exact editor.  [bash]")
    ] = None,
    agent: Annotated[
        str | None, Opt("--agent", help="module:attribute, or command:CMD in the container.")
    ] = None,
    no_tell_limits: Annotated[
        bool, Opt("--no-tell-limits", help="Do not tell the model of its limits.")
    ] = False,
    stop_when_resolved: Annotated[
        bool, Opt("--stop-when-resolved", help="No more attempts once one resolved an instance.")
    ] = False,
    attempt_timeout: Annotated[
        float | None, Opt("--attempt-timeout", help="Seconds.  [7200]")
    ] = None,
    command_timeout: Annotated[
        float | None, Opt("--command-timeout", help="Seconds.  [60]")
    ] = None,
    network: Annotated[
        str | None, Opt("--network", help="Of the agent's container.  [none]")
    ] = None,
    allow_leaks: Annotated[
        bool, Opt("--allow-leaks", help="Also images that show what came later (docs/leaks.md).")
    ] = False,
    prompt: Annotated[
        Path | None, Opt("--prompt", help="A Jinja file in place of the instance prompt.")
    ] = None,
    sound_only: Annotated[
        bool,
        Opt("--sound-only", help="Only what `swerun instances validate` found sound here."),
    ] = False,
    record: Annotated[
        Path | None, Opt("--record", help="Write the conversations there, for demo/NAME.")
    ] = None,
    cache: Annotated[Path | None, Opt("--cache", help="[~/.cache/swerun]")] = None,
    as_json: Annotated[bool, Opt("--json", help="Print the reports as JSON.")] = False,
) -> None:
    """Run an agent with each --model on the instances of --subset, and grade what it did.

    The same command again goes on where it was: finished attempts are never made twice.
    """
    with explained(), said_of_flags(ctx, file=config is not None):
        code = drive(_config(ctx, config), as_json=as_json)
    raise typer.Exit(code)


def _config(ctx: typer.Context, file: Path | None) -> RunConfig:
    from swerun.config import load_config

    flags = given(ctx)
    if "sampling.extra_body" in flags:
        flags["sampling.extra_body"] = json_object(flags["sampling.extra_body"])
    return load_config(file, flags)


def drive(
    config: RunConfig, predictions: Predictions | None = None, *, as_json: bool = False
) -> int:
    """Make the runs of a configuration before the user's eyes, and return the exit code."""
    from rich.console import Console

    from swerun.cli import live
    from swerun.session import prepared

    cancel, said = Event(), Console(stderr=True)
    say = live.teller(said)
    opened = prepared(config, os.environ, cancel, say, predictions=predictions)
    with stopping(cancel), opened as session:
        live.drive(session, said)
        reports = session.reports()
        works = [work for work, _ in session.entries]
    _print(reports, as_json=as_json)
    for report in reports:
        say(str(config.runs / report.run))
    for why in session.shut():
        say(f"{why} What was done is kept; the same command goes on from here.")
    if cancel.is_set():
        said.print("Stopped. The same command goes on from here.", highlight=False)
        return STOPPED
    return max(judged(asked(w), r.rows) for w, r in zip(works, reports, strict=True))


def asked(work: Work) -> list[tuple[str, int]]:
    """The samples that this command is about: each instance's id and the sample's number."""
    return [(each.id, k) for each in work.instances for k in range(1, work.samples + 1)]


def _print(reports: Sequence[Report], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([report.model_dump(mode="json") for report in reports], indent=1))
        return
    from rich.console import Console

    from swerun.cli.figures import pairs
    from swerun.cli.tables import by_instance, side_by_side

    out = Console()
    out.print(by_instance(reports))
    out.print(side_by_side(reports))
    if table := pairs(reports):
        out.print(table)


def json_object(text: str) -> dict[str, Any]:
    """What --extra-body gives. Raises InputError."""
    from swerun.errors import InputError

    try:
        read = json.loads(text)
    except ValueError as error:
        raise InputError(f"--extra-body is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise InputError('--extra-body is not a JSON object, as {"top_k": 20}')
    return read


@contextmanager
def stopping(cancel: Event) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) ends the run in order, a second one at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            os._exit(STOPPED)
        cancel.set()
        print("swerun: stopping; once more to stop at once", file=sys.stderr)

    old = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)
