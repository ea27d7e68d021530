"""Find the container engine, or say what was tried and how to start one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.errors import NoEngineError

if TYPE_CHECKING:
    from docker import DockerClient

SYSTEM_SOCKET = "/var/run/docker.sock"
# an open command channel holds a connection, and each of 64 threads may ask something beside it
CONNECTIONS = 192
TIMEOUT = 600  # seconds; a build on a slow machine is silent for minutes


def connect(environment: Mapping[str, str]) -> DockerClient:
    """The engine at DOCKER_HOST, or else at the first socket where one usually listens.

    Raises NoEngineError with every address that was tried and what came back from it.
    """
    import docker
    from docker.errors import DockerException

    tried: list[str] = []
    for address in addresses(environment):
        try:
            # which asks the engine for its version: what answers is one
            return docker.from_env(
                environment={**environment, "DOCKER_HOST": address},
                timeout=TIMEOUT,
                max_pool_size=CONNECTIONS,
            )
        except DockerException as error:
            tried.append(f"  {address}: {error}")
    raise NoEngineError(
        "no container engine answers; tried\n" + "\n".join(tried) + "\n"
        "Start one (`sudo systemctl start docker`, `sudo dockerd &`, or Docker Desktop), make sure "
        "that you may use it (group `docker`), or set DOCKER_HOST to where it listens."
    )


def addresses(environment: Mapping[str, str]) -> list[str]:
    """Where an engine may listen: DOCKER_HOST alone, if it is set."""
    if given := environment.get("DOCKER_HOST"):
        return [given]
    own = [
        Path(environment[variable]) / below
        for variable, below in (
            ("XDG_RUNTIME_DIR", "docker.sock"),
            ("HOME", ".docker/run/docker.sock"),
        )
        if environment.get(variable)
    ]
    return [f"unix://{SYSTEM_SOCKET}", *(f"unix://{path}" for path in own if path.exists())]
