"""A small image to build on, a registry to pull from, and names that no other test has."""

from __future__ import annotations

import io
import tarfile
import uuid
from contextlib import ExitStack, closing, suppress

import docker
import pytest

from tests.images.engine import an_engine
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
