"""What is left of a run on an engine."""

from __future__ import annotations

import time

from docker import DockerClient

from swerun.sandbox.containers import Leftover, leftovers

SECONDS = 20.0


def left_of(client: DockerClient, run: str) -> tuple[Leftover, ...]:
    """The containers of a run, once those are gone whose removal goes on beside everything else."""
    deadline = time.monotonic() + SECONDS
    while (found := leftovers(client, run=run)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
