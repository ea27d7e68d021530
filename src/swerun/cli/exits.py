"""How a command ends: what went wrong is said once, and the exit code says whose doing it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

DONE, FAILED, USAGE, STOPPED = 0, 1, 2, 130


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error into its words on standard error and its exit code."""
    from swerun.errors import EndpointError, InputError, InstanceError, SwerunError

    try:
        yield
    except SwerunError as error:
        print(f"swerun: {error}", file=sys.stderr)
        # found before anything was started: the user's to mend, like any other bad input
        usage = isinstance(error, InputError | InstanceError | EndpointError)
        raise typer.Exit(USAGE if usage else FAILED) from error
