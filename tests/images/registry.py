"""A real registry, as a process on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "docker-registry"  # Debian's; its program is called so too
CONFIGURATION = """
version: 0.1
log: {{accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: {address}}}
"""


@dataclass(frozen=True)
class Registry:
    address: str  # an engine takes what listens on 127.0.0.1 without TLS
    log: Path

    def asked_for(self, image: str) -> bool:
        """Whether anybody ever wanted a manifest of this image."""
        repository = image.removeprefix(f"{self.address}/").rpartition(":")[0]
        return f"/v2/{repository}/manifests/" in self.log.read_text()


def registry_program(folder: Path) -> Path:
    """The program: this machine's, or Debian's, unpacked in `folder` and installed nowhere."""
    if found := shutil.which(PACKAGE):
        return Path(found)
    if not shutil.which("apt-get"):
        lacking("there is no apt-get to have it by")
    have = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "--quiet", PACKAGE]
    tried = subprocess.run(have, cwd=folder, capture_output=True, text=True)
    if tried.returncode != 0 and os.geteuid() == 0:  # its lists may be of long ago, or not there
        subprocess.run(["apt-get", "update", "--quiet"], check=True, capture_output=True)
        tried = subprocess.run(have, cwd=folder, capture_output=True, text=True)
    if tried.returncode != 0:
        lacking(f"apt-get does not have it: {tried.stderr}")
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    return folder / "usr" / "bin" / PACKAGE


def lacking(why: str) -> None:
    """Where a change is decided on these tests run, or fail."""
    end = pytest.fail if os.environ.get("CI") else pytest.skip
    end(f"{PACKAGE} is not installed, and {why}")


@contextmanager
def a_registry(program: Path, folder: Path) -> Iterator[Registry]:
    address = f"127.0.0.1:{free_port()}"
    file, log = folder / "config.yml", folder / "log"
    file.write_text(CONFIGURATION.format(folder=folder, address=address))
    with log.open("w") as out:
        process = subprocess.Popen([program, "serve", file], stdout=out, stderr=subprocess.STDOUT)
    try:
        listening(process, address, log)
        yield Registry(address, log)
    finally:
        process.kill()
        process.wait()


def listening(process: subprocess.Popen, address: str, log: Path) -> None:
    host, _, port = address.partition(":")
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the registry does not listen; it said {log.read_text()}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
