"""What a container may use, in our words and in the engine's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swerun.records import Conditions, Resources

# What tests run by root rely on: owners and modes that mean nothing to root (CHOWN, DAC_OVERRIDE,
# FOWNER, FSETID), becoming another user and signalling it (SETUID, SETGID, KILL), low ports
# (NET_BIND_SERVICE). Of the engine's own defaults this leaves out raw sockets, device files,
# chroot, the audit log and capabilities themselves; tracing one's children needs none.
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
CA_BUNDLE = "/etc/swerun-ca.pem"
CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a container may use. `ca_bundle` lies on the engine's machine; `user` "" is the image's.

    `network` is "none", "bridge", "host" or the name of one.
    """

    resources: Resources = field(default_factory=Resources)
    network: str = "none"
    capabilities: tuple[str, ...] = CAPABILITIES
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    ca_bundle: Path | None = None

    @property
    def disk(self) -> int:
        """How many bytes a container may write."""
        number, unit = self.resources.disk[:-1], self.resources.disk[-1].lower()
        power = "_kmg".find(unit)
        return int(float(number) * 1024**power) if power > 0 else int(self.resources.disk)

    def conditions(self) -> Conditions:
        """The same as a grade records it; what may hold secrets only as a hash."""
        more = {"environment": dict(self.environment), "ca_bundle": str(self.ca_bundle or "")}
        digest = hashlib.sha256(json.dumps(more, sort_keys=True).encode()).hexdigest()[:16]
        return Conditions(
            memory=self.resources.memory,
            cpus=self.resources.cpus,
            pids=self.resources.pids,
            disk=self.resources.disk,
            runtime=self.resources.runtime,
            network=self.network,
            capabilities=self.capabilities,
            user=self.user,
            environment=digest if any(more.values()) else "",
        )

    def options(self) -> dict[str, Any]:
        """The same in the words of DockerClient.containers.create."""
        environment = dict(self.environment)
        volumes = {}
        if self.ca_bundle:
            environment = {**dict.fromkeys(CA_VARIABLES, CA_BUNDLE), **environment}
            volumes = {str(self.ca_bundle): {"bind": CA_BUNDLE, "mode": "ro"}}
        return {
            "mem_limit": self.resources.memory,
            "memswap_limit": self.resources.memory,
            "nano_cpus": int(self.resources.cpus * 1e9),
            "pids_limit": self.resources.pids,
            "network_mode": self.network,
            "cap_drop": ["ALL"],
            "cap_add": list(self.capabilities),
            "security_opt": ["no-new-privileges"],
            "ulimits": [{"name": "fsize", "soft": self.disk, "hard": self.disk}],
            # what is written to the first process's output would fill the engine's disk
            "log_config": {"type": "none"},
            "runtime": self.resources.runtime or None,
            "environment": environment,
            "volumes": volumes,
            "user": self.user or None,
            "init": True,
        }
