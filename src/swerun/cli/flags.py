"""From the flags of a command to the configuration's keys, and back in what is said of them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

import typer

# the flags whose key in the configuration is another
KEYS = {
    "name": "run",
    "attempts": "samples",
    "times": "samples",
    "temperature": "sampling.temperature",
    "top_p": "sampling.top_p",
    "max_tokens": "sampling.max_tokens",
    "sampling_seed": "sampling.seed",
    "reasoning_effort": "sampling.reasoning_effort",
    "extra_body": "sampling.extra_body",
    "price_input": "prices.input",
    "price_cached": "prices.cached_input",
    "price_output": "prices.output",
    "steps": "limits.steps",
    "tokens": "limits.tokens",
    "input_tokens": "limits.input_tokens",
    "output_tokens": "limits.output_tokens",
    "cost": "limits.cost",
    "context": "limits.context",
    "attempt_timeout": "limits.seconds",
    "command_timeout": "limits.command_seconds",
    "eval_timeout": "limits.eval_seconds",
    "memory": "resources.memory",
    "cpus": "resources.cpus",
    "pids": "resources.pids",
    "registry": "images.registry",
    "platform": "images.platform",
    "pin": "images.pin",
    "disk": "images.disk",
    "build_network": "images.build_network",
    "build_arg": "images.build_args",
    "index_url": "images.index_url",
    "ca_bundle": "images.ca_bundle",
    "proxy": "images.proxy",
    "instances": "selection.instances",
    "filter_": "selection.filter",
    "repo": "selection.repo",
    "difficulty": "selection.difficulty",
    "sample": "selection.sample",
    "shuffle": "selection.shuffle",
    "slice_": "selection.slice",
    "limit": "selection.limit",
    "seed": "selection.seed",
}
EXTRA_BODY = KEYS["extra_body"]
Command = Callable[..., None]


def taking(signature: Command) -> Callable[[Command], Command]:
    """A decorator for commands, which take the context: the flags of `signature` beside their own,
    for `given` to read."""
    flags = inspect.signature(signature, eval_str=True).parameters

    def decorate(command: Command) -> Command:
        own = inspect.signature(command, eval_str=True).parameters

        @wraps(command)
        def called(**values: object) -> None:
            command(**{name: value for name, value in values.items() if name in own})

        both = [p.replace(kind=p.KEYWORD_ONLY) for p in (*own.values(), *flags.values())]
        called.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in both}
        return called

    return decorate


def given(ctx: typer.Context) -> dict[str, Any]:
    """What the flags say of the configuration, by key. 0 is said as much as 1.

    Raises InputError for an empty text: `--network "$NETWORK"` with nothing in it asks for nothing.
    """
    from swerun.errors import InputError

    said: dict[str, Any] = {}
    for name, value in ctx.params.items():
        key = key_of(name)
        if key is None or value is None or value is False or value in ([], ()):
            continue
        if value == "":
            raise InputError(f"{_both(names(ctx)[key], key)}: it is given, and empty")
        said[key] = _json_object(value) if key == EXTRA_BODY else value
    return said


def key_of(name: str) -> str | None:
    """The configuration's key that a flag with this name sets; None where it sets none."""
    from swerun.config import RunConfig

    key = KEYS.get(name, name)
    return key if key.partition(".")[0] in RunConfig.model_fields else None


def _json_object(text: str) -> dict[str, Any]:
    from swerun.errors import InputError

    try:
        read = json.loads(text)
    except ValueError as error:
        raise InputError(f"--extra-body is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise InputError('--extra-body is not a JSON object, as {"top_k": 20}')
    return read


def names(ctx: typer.Context) -> dict[str, str]:
    """By key the flag that sets it, in its long form."""
    flags = {key_of(each.name or ""): max(each.opts, key=len) for each in ctx.command.params}
    return {key: flag for key, flag in flags.items() if key is not None}


@contextmanager
def said_of_flags(ctx: typer.Context, *, file: bool) -> Iterator[None]:
    """Trouble with a key is told of the flag that set it, which is what a user knows.

    Without a configuration file all comes from flags, also a key that is missing.
    """
    from swerun.errors import InputError

    try:
        yield
    except InputError as error:
        known = names(ctx)
        keys = given(ctx) if file else known
        said = with_flags(str(error), {key: known[key] for key in keys})
        raise InputError(said) from error


def with_flags(said: str, flags: Mapping[str, str]) -> str:
    """What is said of keys, with the flags of those that have one in `flags`.

    A key is known by its dots, or by being what a line is about: `where: key: trouble`.
    """
    return "\n".join(_with_flags(line, flags) for line in said.splitlines())


def _with_flags(line: str, flags: Mapping[str, str]) -> str:
    for key, flag in flags.items():
        _, about_it, trouble = line.partition(f": {key}: ")
        if about_it:
            return f"{_both(flag, key)}: {trouble}"
    for key, flag in flags.items():
        if "." in key:
            line = re.sub(rf"(?<![\w.-]){re.escape(key)}(?![\w.])", _both(flag, key), line)
    return line


def _both(flag: str, key: str) -> str:
    return flag if flag == "--" + key.replace("_", "-") else f"{flag} ({key})"
