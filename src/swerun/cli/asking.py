"""The flags that say how a model is asked, and within which limits: of runs, and of what makes
further attempts of one.

@app.command()
@asking
def rerun(ctx: typer.Context, model: Model = None, models: Models = None) -> None:
    run = again(store, given(ctx), os.environ)
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swerun.cli.flags import taking

Opt = typer.Option
Model = Annotated[
    list[str] | None,
    Opt("--model", help="gold, empty, demo/NAME, PRESET/NAME, or with --base-url any name."),
]
Models = Annotated[
    Path | None,
    Opt("--models", help="YAML: a list of models, each as it is asked; --model picks some."),
]


def _flags(
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
    attempt_timeout: Annotated[
        float | None, Opt("--attempt-timeout", help="Seconds.  [7200]")
    ] = None,
    command_timeout: Annotated[
        float | None, Opt("--command-timeout", help="Seconds.  [60]")
    ] = None,
    network: Annotated[
        str | None, Opt("--network", help="Of the agent's container.  [none]")
    ] = None,
    prompt: Annotated[
        Path | None, Opt("--prompt", help="A Jinja file in place of the instance prompt.")
    ] = None,
) -> None:
    """Only its signature is used."""


asking = taking(_flags)
