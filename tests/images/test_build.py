"""Building, by the engine's classic builder; and the digest by which a stale image is known."""

from __future__ import annotations

import math
import os
import re
import shutil
import time
import uuid
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import docker
import pytest

from swerun.errors import CancelledError, ImageError
from swerun.images.build import INPUTS, Settings, build, digest_of, image_id, with_variables
from swerun.images.watch import Watch
from swerun.sandbox.profile import CA_BUNDLE
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


LOOK = 'echo "pip $PIP_INDEX_URL, cert $PIP_CERT, proxy $https_proxy" >> /seen'


def seen(engine, image):
    """What the build wrote, and what a container of the image has in its environment."""
    look = "cat /seen; env | sort | grep -i -E 'pip|cert|proxy|bundle' || true"
    return engine.containers.run(image, ["sh", "-c", look], network_mode="none", remove=True)


@pytest.mark.docker
def test_the_way_out_is_known_to_every_stage_and_to_no_container(
    engine, base_image, tmp_path, named
):
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        f"FROM {base_image} AS first\nRUN {LOOK} && cp {CA_BUNDLE} /copy\n"
        f"from {base_image}\nCOPY --from=first /seen /copy /\n"
        f"ARG PIP_INDEX_URL\nRUN {LOOK} \\\n  && : \\\nFROM here no stage begins\n"
    )
    (folder / ".dockerignore").write_text("*")
    settings = Settings(
        variables={"PIP_INDEX_URL": "http://index.example/simple"},
        proxies={"https_proxy": "http://proxy.example:3128"},
        ca_bundle=tmp_path / "ca.pem",
    )
    build(engine, folder, image := named(), settings)
    line = (
        "pip http://index.example/simple, cert /etc/swerun-ca.pem, proxy http://proxy.example:3128"
    )
    assert seen(engine, image).decode().splitlines() == [line, line]
    assert sorted(path.name for path in folder.iterdir()) == [".dockerignore", "Dockerfile"]


def test_a_dockerfile_is_changed_only_where_a_stage_begins():
    dockerfile = "ARG V=1\nFROM a:$V \\\n  AS one\nRUN x \\\n  FROM y\n# FROM no\n from b\nRUN z\n"
    made = with_variables(dockerfile, Settings(variables={"A": "1", "B": "2"}))
    assert made.splitlines() == [
        "ARG V=1",
        "FROM a:$V \\",
        "  AS one",
        "ARG A B",
        "RUN x \\",
        "  FROM y",
        "# FROM no",
        " from b",
        "ARG A B",
        "RUN z",
    ]


@pytest.mark.docker
def test_a_build_has_the_network_and_the_arguments_that_are_asked_for(
    engine, base_image, tmp_path, named
):
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base_image}\nARG WHICH=a\nRUN ls /sys/class/net > /seen; echo $WHICH >> /seen\n"
    )
    settings = Settings(network="bridge", arguments={"WHICH": "b"})
    build(engine, tmp_path, image := named(), settings)
    assert {"eth0", "b"} <= set(seen(engine, image).decode().split())


@pytest.mark.docker
def test_a_stop_ends_a_build_at_once(engine, base_image, tmp_path, named):
    (tmp_path / "Dockerfile").write_text(f"FROM {base_image}\nRUN {uuid.uuid4()}; sleep 600\n")
    cancel = Event()
    Thread(target=lambda: (time.sleep(1), cancel.set())).start()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        build(engine, tmp_path, named(), Settings(), watch=Watch(cancel, silence=math.inf))
    assert time.monotonic() - began < 300


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
