"""Pulling, from a real registry by a real engine; and what an engine says when it goes wrong."""

from __future__ import annotations

import hashlib
import json
import socket
import time
import urllib.request
from contextlib import closing

import docker
import pytest

from swerun.errors import ImageError, ImageMissingError
from swerun.images.build import image_id
from swerun.images.pull import pull
from tests.images.conftest import imported, pushed, removed
from tests.images.registry import free_port

pytestmark = pytest.mark.docker
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFESTS = "application/vnd.docker.distribution.manifest.list.v2+json"


def refusal(client, image, *, silence=60.0):
    """The error of a pull that must fail, and soon."""
    began = time.monotonic()
    with pytest.raises(ImageError) as caught:
        pull(client, image, silence=silence)
    assert time.monotonic() - began < 30
    assert image in str(caught.value)
    return caught.value


def test_what_a_registry_has_is_here_after_a_pull(engine, registry, named):
    image = imported(engine, named(registry.address))
    before = image_id(engine, image)
    pushed(engine, image)
    assert image_id(engine, image) is None
    assert pull(engine, image) == before == image_id(engine, image)


def test_without_a_tag_the_latest_is_pulled_also_where_the_registry_has_a_port(
    engine, registry, named
):
    image = imported(engine, named(registry.address).removesuffix(":1") + ":latest")
    before = image_id(engine, image)
    pushed(engine, image)
    try:
        assert pull(engine, image.removesuffix(":latest")) == before
    finally:
        removed(engine, [image])


def test_an_image_can_be_named_by_its_digest(engine, registry, named):
    image = imported(engine, named(registry.address))
    before = image_id(engine, image)
    exact = f"{image.removesuffix(':1')}@{pushed(engine, image)}"
    try:
        assert pull(engine, exact) == before
    finally:
        removed(engine, [exact])


@pytest.mark.parametrize("other", ["another-name:1", "{name}:another-tag"])
def test_a_name_or_a_tag_that_the_registry_has_not_is_missing_for_good(
    engine, registry, named, other
):
    image = imported(engine, named(registry.address))
    pushed(engine, image)
    name = image.rpartition("/")[2].removesuffix(":1")
    absent = f"{registry.address}/swerun-tests/{other.format(name=name)}"
    error = refusal(engine, absent)
    assert isinstance(error, ImageMissingError)
    assert not error.retry


def test_an_image_for_other_machines_only_is_missing_for_good(engine, registry, named):
    image = imported(engine, named(registry.address))
    pushed(engine, image)
    for_others_only(registry, image)
    error = refusal(engine, image)
    assert isinstance(error, ImageMissingError)
    assert "no matching manifest" in str(error)


def for_others_only(registry, image):
    """Put a list of one machine, which is not this one, into the place of the image's manifest."""
    path = image.removeprefix(f"{registry.address}/").replace(":", "/manifests/")
    at = f"http://{registry.address}/v2/{path}"
    with urllib.request.urlopen(urllib.request.Request(at, headers={"Accept": MANIFEST})) as answer:
        manifest = answer.read()
    elsewhere = {
        "mediaType": MANIFEST,
        "size": len(manifest),
        "digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}",
        "platform": {"architecture": "s390x", "os": "linux"},
    }
    body = {"schemaVersion": 2, "mediaType": MANIFESTS, "manifests": [elsewhere]}
    put = urllib.request.Request(
        at, json.dumps(body).encode(), {"Content-Type": MANIFESTS}, method="PUT"
    )
    urllib.request.urlopen(put).close()


def test_a_registry_that_is_not_there_is_found_out_soon_and_may_be_asked_again(engine, named):
    error = refusal(engine, named(f"127.0.0.1:{free_port()}"))
    assert not isinstance(error, ImageMissingError)
    assert error.retry
    assert "connection refused" in str(error)


def test_a_registry_that_goes_silent_is_not_waited_for(engine, named):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, answers none
        error = refusal(engine, named(f"127.0.0.1:{silent.getsockname()[1]}"), silence=0.5)
    assert not isinstance(error, ImageMissingError)
    assert "no word from it in 0.5 s" in str(error)


def test_an_engine_that_is_not_there_is_an_image_error(named):
    nowhere = docker.DockerClient(base_url=f"tcp://127.0.0.1:{free_port()}", version="1.41")
    with closing(nowhere):
        refusal(nowhere, named())


BEGUN = '{"status": "Pulling from some/image", "id": "1"}'


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", True),
        ("manifest unknown: manifest unknown", True),
        ("failed to resolve reference: docker.io/some/image:1: not found", True),
        ("Get https://r.example/v2/: x509: certificate signed by unknown authority", False),
        ("write /var/lib/docker/tmp/1: no space left on device", False),
        ("received unexpected HTTP status: 503 Service Unavailable", False),
        ("unexpected EOF", False),
    ],
)
def test_only_an_image_that_is_nowhere_is_missing_for_good(engine_saying, said, missing):
    client = engine_saying(BEGUN, json.dumps({"errorDetail": {"message": said}, "error": said}))
    error = refusal(client, "some/image:1")
    assert isinstance(error, ImageMissingError) == missing
    assert said in str(error)


@pytest.mark.parametrize("lines", [(BEGUN,), (BEGUN, '{"status": "Downl')])
def test_an_engine_that_breaks_off_is_found_out_at_once_and_may_be_asked_again(
    engine_saying, lines
):
    error = refusal(engine_saying(*lines, ends_well=False), "some/image:1")
    assert not isinstance(error, ImageMissingError)


@pytest.mark.parametrize("lines", [(BEGUN,), (BEGUN, '{"status": "Downl')])
def test_an_end_without_an_image_is_not_taken_for_one(engine_saying, lines):
    error = refusal(engine_saying(*lines), "some/image:1")
    assert not isinstance(error, ImageMissingError)
