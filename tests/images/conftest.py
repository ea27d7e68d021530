"""A small image to build on, a registry to pull from, and names that no other test has."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress

import docker
import pytest

from tests.images.engine import an_engine
from tests.images.front import a_front
from tests.images.registry import a_registry, registry_program

LABEL = "swerun.tests"


def pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tree:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tree.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def named(engine):
    """Make up the name of an image, at `registry` if that is given; the image goes afterwards."""
    made = []

    def name(registry: str = "") -> str:
        made.append(f"{registry and registry + '/'}swerun-tests/{uuid.uuid4().hex[:12]}:1")
        return made[-1]

    yield name
    removed(engine, made)


@pytest.fixture
def tiny(engine, named):
    """An image of one file, which is another one every time."""
    return imported(engine, named())


@pytest.fixture
def context(tmp_path, tiny):
    """A build context that takes the engine no time: a file on an image of a file."""
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {tiny}\nCOPY words /words\n")
    (folder / "words").write_text("first")
    return folder


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """A registry of its own, of Debian's package, with nothing in it."""
    program = registry_program(tmp_path_factory.mktemp("program"))
    with a_registry(program, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def front(registry):
    """A proxy in front of the registry, which fails as it is told to."""
    with a_front(registry.address) as front:
        yield front


@pytest.fixture
def served(engine, registry, front, named):
    """Put an image of these layers into the registry, and say what it is called at the front."""

    def put(*layers: bytes) -> str:
        image = layered(engine, named(registry.address), layers)
        pushed(engine, image)
        there = image.replace(registry.address, front.address)
        at_front.append(there)
        return there

    at_front = []
    yield put
    removed(engine, at_front)


@pytest.fixture
def engine_saying():
    """A client of an engine that says these lines to a pull or a build."""
    with ExitStack() as stack:

        def client(*lines, ends_well=True):
            address = stack.enter_context(an_engine(lines, ends_well=ends_well))
            return stack.enter_context(
                closing(docker.DockerClient(base_url=address, version="1.41"))
            )

        yield client


def imported(engine, image: str) -> str:
    """Make an image of a file; what is built on it has its label, too."""
    repository, _, tag = image.rpartition(":")
    content, changes = pack({"it": uuid.uuid4().bytes}), [f"LABEL {LABEL}={image}"]
    engine.api.import_image_from_data(content, repository=repository, tag=tag, changes=changes)
    return image


def noise(kilobytes: int) -> bytes:
    """Bytes that no gzip makes fewer, others every time."""
    return random.randbytes(kilobytes * 1000)


def layered(engine, image: str, layers: Sequence[bytes]) -> str:
    """Make an image of as many layers, with a file each. Equal ones at the bottom are shared."""
    tars = [pack({f"file-{i}": content}) for i, content in enumerate(layers)]
    digests = [hashlib.sha256(tar).hexdigest() for tar in tars]
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {LABEL: image}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{each}" for each in digests]},
        "history": [{"created_by": f"COPY {i}"} for i in range(len(tars))],
    }
    files = {f"{digest}.tar": tar for digest, tar in zip(digests, tars, strict=True)}
    files["config.json"] = json.dumps(configuration).encode()
    manifest = {"Config": "config.json", "RepoTags": [image]}
    manifest["Layers"] = [f"{digest}.tar" for digest in digests]
    files["manifest.json"] = json.dumps([manifest]).encode()
    engine.images.load(pack(files))
    return image


def pushed(engine, image: str) -> str:
    """Put an image that is here into the registry that its name begins with, and forget it here.

    Returns its digest there.
    """
    repository, _, tag = image.rpartition(":")
    said = list(engine.api.push(repository, tag=tag, stream=True, decode=True))
    assert not [line for line in said if "error" in line], said
    (digest,) = [line["aux"]["Digest"] for line in said if "aux" in line]
    removed(engine, [image])
    return digest


def removed(engine, images) -> None:
    """Remove these, and what was built on them and lost its name or never had one."""
    for image in images:
        with suppress(docker.errors.ImageNotFound):
            engine.images.remove(image, force=True)
    for image in images:
        engine.images.prune(filters={"dangling": True, "label": f"{LABEL}={image}"})
