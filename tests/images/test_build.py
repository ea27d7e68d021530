"""Building, by the engine's classic builder; and the digest by which a stale image is known."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from contextlib import closing
from pathlib import Path

import docker
import pytest

from swerun.errors import ImageError
from swerun.images.build import INPUTS, Settings, build, digest_of, image_id
from tests.images.registry import free_port

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILES = [*PROJECT.glob("images/*/Dockerfile"), *PROJECT.glob("instances/**/Dockerfile")]
# what BuildKit alone knows
NEEDS_BUILDKIT = re.compile(
    r"--(mount|network|security|link|chmod|checksum|parents)\b|<<|^# *syntax"
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM some\n")
    (folder / "below" / "script").write_text("one")
    (folder / "below" / "script").chmod(0o644)
    return folder


def write(path, text):
    path.write_text(text)


CHANGES = {
    "a content": lambda folder: write(folder / "below" / "script", "two"),
    "a name": lambda folder: (folder / "below" / "script").rename(folder / "below" / "other"),
    "a place": lambda folder: (folder / "below" / "script").rename(folder / "script"),
    "a mode": lambda folder: (folder / "below" / "script").chmod(0o755),
    "one file more": lambda folder: write(folder / "more", ""),
    "one file less": lambda folder: (folder / "below" / "script").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_digest_tells_contexts_apart_by(change, folder):
    before = digest_of(folder)
    change(folder)
    assert digest_of(folder) != before


def test_a_digest_tells_apart_what_a_context_is_built_on(folder):
    digests = {digest_of(folder), digest_of(folder, "a"), digest_of(folder, "b")}
    digests |= {digest_of(folder, "a", "b"), digest_of(folder, "ab")}
    assert len(digests) == 5


def test_a_digest_is_the_same_wherever_whenever_and_by_whatever_umask_a_context_was_written(
    folder, tmp_path
):
    copy = tmp_path / "another" / "place"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        os.utime(path, (0, 0))
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert digest_of(copy) == digest_of(folder)
    assert re.fullmatch(r"[0-9a-f]{16}", digest_of(folder))


@pytest.mark.docker
def test_an_image_of_other_inputs_is_not_taken_for_a_fresh_one(engine, context, named):
    image = named()
    assert image_id(engine, image) is None
    made = build(engine, context, image, Settings(), labels={INPUTS: "these"})
    assert image_id(engine, image, inputs="these") == image_id(engine, image) == made
    assert image_id(engine, image, inputs="others") is None
    assert engine.images.get(image).labels[INPUTS] == "these"


@pytest.mark.docker
def test_an_image_without_a_label_is_stale(engine, tiny):
    assert image_id(engine, tiny)
    assert image_id(engine, tiny, inputs="any") is None


def failure(engine, base_image, folder, image, command):
    (folder / "Dockerfile").write_text(f"FROM {base_image}\nRUN {command}; exit 7\n")
    with pytest.raises(ImageError) as caught:
        build(engine, folder, image, Settings())
    return str(caught.value)


@pytest.mark.docker
def test_the_end_of_a_failing_builds_log_is_in_the_error_and_nothing_is_left(
    engine, base_image, tmp_path, named
):
    mark, image = uuid.uuid4().hex, named()
    command = f": {mark}; echo the beginning; seq 100; sleep 0.3; echo the reason >&2; sleep 0.3"
    said = failure(engine, base_image, tmp_path, image, command)
    for words in (image, str(tmp_path), "returned a non-zero code: 7", "\n  100\n  the reason\n"):
        assert words in said
    assert "\n  the beginning" not in said
    assert len(said.splitlines()) < 20
    assert image_id(engine, image) is None
    assert not [c for c in engine.api.containers(all=True) if mark in c["Command"]]


@pytest.mark.docker
def test_a_build_has_no_network_where_none_is_asked_for(engine, base_image, tmp_path, named):
    said = failure(engine, base_image, tmp_path, named(), "echo have; ls /sys/class/net; echo all")
    assert "\n  have\n  lo\n  all\n" in said


@pytest.mark.docker
@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        ("FROM {tiny}\nCOPY nothing-of-this-name /\n", "nothing-of-this-name"),
        ("FROM {tiny}\nDANCE\n", "DANCE"),
        (None, "Dockerfile"),
    ],
)
def test_a_dockerfile_that_cannot_be_built_is_an_image_error(
    engine, tiny, tmp_path, named, dockerfile, said
):
    if dockerfile:
        (tmp_path / "Dockerfile").write_text(dockerfile.format(tiny=tiny))
    with pytest.raises(ImageError, match=said):
        build(engine, tmp_path, named(), Settings())


def test_an_engine_that_is_not_there_is_an_image_error():
    nowhere = docker.DockerClient(base_url=f"tcp://127.0.0.1:{free_port()}", version="1.41")
    with closing(nowhere), pytest.raises(ImageError, match="some:1"):
        image_id(nowhere, "some:1")


def test_an_engine_that_breaks_off_in_a_build_is_an_image_error(engine_saying, folder):
    client = engine_saying('{"stream": "Step 1/2"}', ends_well=False)
    with pytest.raises(ImageError, match="some:1"):
        build(client, folder, "some:1", Settings())


def test_no_dockerfile_of_ours_needs_more_than_the_classic_builder():
    assert len(DOCKERFILES) > 10
    needs = [
        f"{path}: {line}"
        for path in DOCKERFILES
        for line in path.read_text().splitlines()
        if NEEDS_BUILDKIT.search(line)
    ]
    assert needs == []
