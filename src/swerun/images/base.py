"""The base image: from a registry where one answers, else of Debian's packages on this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.errors import ImageError, ImageMissingError
from swerun.images.build import INPUTS, Settings, build, digest_of, image_id
from swerun.images.names import mirrored
from swerun.images.pull import Puller
from swerun.images.watch import Say, Watch, asking
from swerun.locks import locked
from swerun.packaged import packaged
from swerun.sandbox.process import run

if TYPE_CHECKING:
    from docker import DockerClient

BASE = "swerun/base:bookworm"
SUITE = "bookworm"
STARTS = ("debian:bookworm-slim", "python:3.11-slim-bookworm")  # what a Dockerfile's FROM may be
MAKER = "mmdebstrap"
WORKDIR = "/testbed"  # as the Dockerfile says
SECONDS = 1800.0  # for a slow mirror
PULL_SECONDS = 20.0  # an engine without a way out may try for minutes
KEPT_OUTPUT = 1500  # characters of a program that failed


@dataclass(frozen=True, slots=True)
class BaseMaker:
    """How the base is made. `install` allows to install what making it needs, as root.

    `cache` holds the lock that keeps two processes from making it at once. `image` is its name.
    Of `settings` what is for RUN counts, and `registry` is the mirror of what it starts from.
    """

    client: DockerClient
    cache: Path
    say: Say
    install: bool = False
    starts: Sequence[str] = STARTS
    image: str = BASE
    settings: Settings = field(default_factory=Settings)
    registry: str | None = None

    def ensure(self) -> str:
        """The id of a base that is made of the inputs as they are now.

        Raises ImageError, with all that was tried and what to do, where there is no way to one.
        """
        context = packaged("images/base")
        inputs = digest_of(context)
        if there := image_id(self.client, self.image, inputs=inputs):
            return there
        with locked(self.cache / "base.lock"):
            if there := image_id(self.client, self.image, inputs=inputs):
                return there
            start, tried = self._start()
            if start:
                self.say(f"building {self.image} from {start}")
                try:
                    return self._of_image(start, context, inputs)
                except ImageError as error:
                    tried.append(f"  {error}")
            return self._of_packages(context, inputs, tried)

    def _of_image(self, start: str, context: Path, inputs: str) -> str:
        settings = replace(self.settings, network="host", arguments={"FROM": start})
        return build(self.client, context, self.image, settings, labels={INPUTS: inputs})

    def _start(self) -> tuple[str | None, list[str]]:
        """An image of Debian's that is here or can be pulled, and what was tried in vain."""
        for start in self.starts:
            if image_id(self.client, start):
                return start, []
        tried: list[str] = []
        for start in (mirrored(each, self.registry) for each in self.starts):
            try:
                Puller(self.client, Watch(silence=PULL_SECONDS)).once(start)
            except ImageError as error:
                tried.append(f"  {error}")
                if not isinstance(error, ImageMissingError):
                    break  # the other one is asked of the same registry
            else:
                return start, tried
        return None, tried

    def _of_packages(self, context: Path, inputs: str, tried: list[str]) -> str:
        program = self._maker(tried)
        packages = (context / "packages.txt").read_text(encoding="utf-8").split()
        self.say(f"making {self.image} of Debian's packages, which takes about a minute")
        with tempfile.TemporaryDirectory(prefix="swerun-base-") as made:
            tree = Path(made) / "base.tar"
            command = [
                program,
                "--variant=minbase",
                f"--dpkgopt={context / 'dpkg.cfg'}",
                f"--include={','.join(packages)}",
            ]
            sources = "".join(f"{line}\n" for line in apt_sources())
            asked = [*command, SUITE, str(tree), *(["-"] if sources else [])]
            result = run(asked, timeout=SECONDS, stdin=sources.encode())
            if result.exit_code != 0:
                end = result.output[-KEPT_OUTPUT:].strip()
                tried.append(f"  {' '.join(asked)}: exit code {result.exit_code}\n{end}")
                raise ImageError(self._no_way(tried))
            return self._imported(tree, inputs)

    def _maker(self, tried: list[str]) -> str:
        if found := shutil.which(MAKER):
            return found
        if self.install and os.geteuid() == 0 and shutil.which("apt-get"):
            self.say(f"installing {MAKER}")
            for command in (["apt-get", "update"], ["apt-get", "install", "--yes", MAKER]):
                result = run(command, timeout=SECONDS)
                if result.exit_code != 0:
                    end = result.output[-KEPT_OUTPUT:].strip()
                    tried.append(f"  {' '.join(command)}: exit code {result.exit_code}\n{end}")
        found = shutil.which(MAKER)
        if not found:
            tried.append(f"  {MAKER}: it is not installed")
            raise ImageError(self._no_way(tried))
        return found

    def _imported(self, tree: Path, inputs: str) -> str:
        with asking(f"importing {self.image} into the engine"):
            self.client.api.import_image_from_file(
                str(tree),
                repository=self.image.rpartition(":")[0],
                tag=self.image.rpartition(":")[2],
                changes=[f"LABEL {INPUTS}={inputs}", f"WORKDIR {WORKDIR}", 'CMD ["bash"]'],
            )
        made = image_id(self.client, self.image, inputs=inputs)
        if made is None:
            raise ImageError(f"the engine took {self.image} and has it not: is its disk full?")
        return made

    def _no_way(self, tried: Sequence[str]) -> str:
        return (
            f"there is no base image {self.image}, and no way to one was found; tried\n"
            + "\n".join(tried)
            + f"\nEither let the engine pull {STARTS[0]} (or load it: `docker load -i FILE`),"
            f" or install {MAKER} (`sudo apt-get install {MAKER}`; as root"
            " `swerun images base --install` does it) and run `swerun images base`."
        )


def apt_sources() -> list[str]:
    """The mirror of Debian that this machine's apt uses, as lines of a sources.list; none where it
    is not of SUITE: then the maker knows Debian's own.

    Others publish for the same suite, with keys that the maker does not have.
    """
    if not shutil.which("apt-get"):
        return []
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    result = run([*asked, "Identifier: Packages", "Origin: Debian"], timeout=60)
    lines = [f"deb {line}" for line in result.output.splitlines() if len(line.split()) == 3]
    ours = [line for line in lines if line.split()[2].partition("-")[0] == SUITE]
    return ours if any(line.split()[2] == SUITE for line in ours) else []
