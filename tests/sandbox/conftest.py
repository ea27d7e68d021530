"""The places that sandboxes are tested in: a plain folder, and containers of small images."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from swerun.images.build import INPUTS, Settings, build, digest_of, image_id
from swerun.ports import Sandboxes
from swerun.records import Role, Task
from swerun.sandbox.containers import leftovers
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.sandbox.local import LocalSandboxes

# a busy machine is no failure
settings.register_profile(
    "sandbox",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("sandbox")

RUN = f"test-sandbox-{os.getpid()}"  # two test runs on one engine are two runs
OWN_RUN = f"{RUN}-own"  # of sandboxes that one test makes for itself
# a repository of one commit, made by the same script in a folder and in an image
REPOSITORY = """set -e
git init -q --initial-branch=main .
mkdir -p sub/deep gone
echo one >a.txt
printf '\\377\\000\\001' >binary
echo deep >sub/deep/file
echo gone >gone/file
echo '#!/bin/sh' >script
ln -s a.txt link
ln -s sub folder-link
printf '*.ignored\\n' >.gitignore
git add -A
git -c user.name=t -c user.email=t@t commit -qm start
"""
# each begins with the one before; the engine's storage driver takes seconds for a layer
DOCKERFILES = {
    "python3": "FROM swerun/base:bookworm\nCOPY make /\nRUN sh /make\n",
    "sh": "FROM {python3}\nRUN rm -f /usr/bin/python3* /usr/local/bin/python3*\n",
    "bare": "FROM {sh}\nRUN rm -f /bin/bash /usr/bin/bash\n",
    "conda": "FROM {python3}\nCOPY python3 /opt/miniconda3/envs/testbed/bin/\n",
    "testbed": "FROM {python3}\nCOPY conda /\nRUN sh /conda\n"
    "ENV BASH_ENV=/root/.bashrc ENV=/root/.bashrc PATH=/opt/miniconda3/bin:$PATH\n",
}
# an official image in small: an environment, one that is active instead of it, packages' scripts,
# and a start-up file that leads elsewhere
CONDA_INSTALL = r"""set -e
conda=/opt/miniconda3
mkdir -p $conda/bin
python3 -m venv --without-pip $conda/envs/testbed
printf 'export PATH=%s/envs/$1/bin:$PATH\n' $conda >$conda/bin/activate
printf '#!/bin/sh\necho the python of base\n' >$conda/bin/python
chmod +x $conda/bin/python
scripts=$conda/envs/testbed/etc/conda/activate.d
mkdir -p $scripts
printf 'echo noise; read line; export GDAL_DATA="$CONDA_PREFIX/a b"\n' >$scripts/1.sh
printf 'export SECOND=2; exit 3\n' >$scripts/2.sh
printf 'echo welcome; export PATH=/usr/bin:/bin; cd /; exit 3\n' >/root/.bashrc
cp /root/.bashrc /root/.profile
"""
TESTBED_PYTHON = "#!/bin/sh\necho the python3 of testbed\n"


@dataclass(frozen=True)
class Place:
    """Where sandboxes are made, and what serves their channels."""

    kind: str  # local or docker
    sandboxes: Sandboxes
    image: str
    server: str
    shell: str

    def start(self):
        return self.sandboxes.start(a_task(self.image), role=Role.AGENT, attempt=1)


LOCAL = ("local-python3", "local-sh")
DOCKER = ("docker-python3", "docker-sh", "docker-bare")
CONTAINERS = [pytest.param(name, marks=pytest.mark.docker, id=name) for name in DOCKER]
EVERYWHERE = [*(pytest.param(name, id=name) for name in LOCAL), *CONTAINERS]


def a_task(image="none", **changes) -> Task:
    given = {"id": "org__repo-1", "repo": "org/repo", "base_commit": "0" * 40}
    return Task(**given | {"problem_statement": "", "image": image} | changes)


def make_repository(folder, script=REPOSITORY):
    folder.mkdir()
    subprocess.run(["sh", "-c", script], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A repository; nobody writes to it."""
    return make_repository(tmp_path_factory.mktemp("template") / "repo")


@pytest.fixture(scope="session")
def images(engine, base_image, tmp_path_factory):
    """Names of images, by what they have: made once, and kept on the engine until they differ."""
    names = {name: f"swerun/test-{name}:latest" for name in DOCKERFILES}
    start = engine.images.get(base_image).id
    for name, text in DOCKERFILES.items():
        context = tmp_path_factory.mktemp(name)
        (context / "Dockerfile").write_text(text.format_map(names))
        (context / "make").write_text("cd /testbed\n" + REPOSITORY)
        (context / "conda").write_text(CONDA_INSTALL)
        (context / "python3").write_text(TESTBED_PYTHON)
        (context / "python3").chmod(0o755)
        inputs = digest_of(context, start)
        there = image_id(engine, names[name], inputs=inputs)
        if there is None:
            build(engine, context, names[name], Settings(), labels={INPUTS: inputs})
    return names


@pytest.fixture(scope="session")
def place(request, template):
    kind, name = request.param.split("-")
    if kind == "local":
        yield Place(kind, LocalSandboxes(template, server=name), "none", name, "bash")
        return
    engine = request.getfixturevalue("engine")
    image = request.getfixturevalue("images")[name]
    sandboxes = DockerSandboxes(client=engine, run=RUN, owner="tests")
    server = "python3" if name == "python3" else "sh"
    yield Place(kind, sandboxes, image, server, "sh" if name == "bare" else "bash")
    assert leftovers(engine, run=RUN) == ()


@pytest.fixture(scope="session")
def sandbox(place):
    """One for all tests of a place that leave it usable, as an attempt's steps share theirs."""
    with place.start() as started:
        yield started


@pytest.fixture
def fresh(place):
    with place.start() as started:
        yield started


@pytest.fixture
def docker_sandboxes(engine):
    """Sandboxes with a profile: limits, a user, a network."""

    def make(run=OWN_RUN, **profile: Any):
        return DockerSandboxes(
            client=engine, run=run, owner="tests", profiles={Role.AGENT: Profile(**profile)}
        )

    yield make
    assert leftovers(engine, run=OWN_RUN) == ()


@pytest.fixture
def number():
    """Seconds to sleep that nobody else sleeps, so that the sleeper can be found."""
    return str(random.randint(10_000_000, 99_999_999))


def alive(sandbox, number):
    """The command lines of living processes with `number` in them, the search itself left out."""
    pattern = f"[{number[0]}]{number[1:]}"
    found = sandbox.exec(
        f"for file in $(grep -la '{pattern}' /proc/[0-9]*/cmdline); do"
        " tr '\\0' ' ' <$file; echo; done 2>/dev/null",
        timeout=20,
    )
    return [line.strip() for line in found.output.splitlines() if line.strip()]
