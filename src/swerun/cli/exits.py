"""How a command ends: what went wrong is said once, and the exit code says whose doing it was."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from swerun.cli.printable import printable

if TYPE_CHECKING:
    from swerun.report.summary import Row

DONE, FAILED, USAGE, STOPPED = 0, 1, 2, 130


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error into its words on standard error and its exit code."""
    from swerun.errors import (
        CancelledError,
        EndpointError,
        InputError,
        InstanceError,
        SwerunError,
    )

    try:
        yield
    except SwerunError as error:
        print(f"swerun: {printable(str(error))}", file=sys.stderr)
        if isinstance(error, CancelledError):
            raise typer.Exit(STOPPED) from error
        # found before anything was started: the user's to mend, like any other bad input
        usage = isinstance(error, InputError | InstanceError | EndpointError)
        raise typer.Exit(USAGE if usage else FAILED) from error


def judged(asked: Iterable[tuple[str, int]], rows: Iterable[Row]) -> int:
    """DONE where each sample that was asked for now (instance id, number) has a verdict, or is not
    needed any more.

    A run's rows may be of more than that: what was asked for earlier is no matter of now.
    """
    done = {
        (r.instance_id, r.sample) for r in rows if r.spared or (r.outcome and r.outcome.is_verdict)
    }
    return DONE if set(asked) <= done else FAILED
