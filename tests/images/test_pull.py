"""Pulling, from a real registry by a real engine; and what an engine says when it goes wrong."""

from __future__ import annotations

import hashlib
import json
import socket
import time
import urllib.request
from contextlib import closing
from threading import Event, Thread

import docker
import pytest

from swerun.errors import CancelledError, ImageBusyError, ImageError, ImageMissingError
from swerun.images.build import image_id
from swerun.images.pull import Puller
from swerun.images.rate import RateLimit, asked_for
from swerun.images.watch import Watch
from tests.images.conftest import imported, noise, pushed, removed
from tests.images.front import Fault
from tests.images.registry import free_port

pytestmark = pytest.mark.docker
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFESTS = "application/vnd.docker.distribution.manifest.list.v2+json"


def pull(client, image):
    return Puller(client, tries=1).pull(image)


def refusal(client, image, *, silence=60.0):
    """The error of a pull that must fail, and soon."""
    began = time.monotonic()
    with pytest.raises(ImageError) as caught:
        Puller(client, Watch(silence=silence)).once(image)
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


class Waits:
    """A rate limit for tests: what was said, and short waits."""

    def __init__(self, cancel=None, first=0.3):
        self.said = []
        self.limit = RateLimit(cancel or Event(), self.said.append, first)


# the engine asks for a manifest twice, for layers side by side, and goes on after a 429 of /v2/
@pytest.mark.parametrize(("where", "times"), [("/manifests/", 4), ("/blobs/", 9), ("/v2/", 6)])
def test_a_rate_limit_is_waited_out_with_a_word_and_a_total_and_is_no_failed_try(
    engine, front, served, where, times
):
    image, waits = served(noise(100)), Waits()
    front.faults.append(Fault(where, status=429, times=times))
    began = time.monotonic()
    assert Puller(engine, limit=waits.limit, tries=1).pull(image) == image_id(engine, image)
    assert 0 < waits.limit.waited < time.monotonic() - began
    assert f"{image}: rate limit reached, waiting 0 s" in waits.said[0]
    assert "toomanyrequests" in waits.said[0]
    assert len(waits.said) >= 2
    assert "were waited before" in waits.said[1]


def test_what_a_registry_asks_for_in_words_is_waited_for(engine, front, served):
    image, waits = served(noise(10)), Waits()
    message = "retry-after: 1.2s, allowed: 100/minute"
    body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": message}]}).encode()
    front.faults.append(Fault("/manifests/", status=429, times=2, body=body))
    Puller(engine, limit=waits.limit).pull(image)
    assert waits.limit.waited == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("toomanyrequests: retry-after: 410.031\u00b5s, allowed: 44000/minute", 410.031e-6),
        ("toomanyrequests: Retry-After: 1m30.5s", 90.5),
        ("retry-after: 250ms", 0.25),
        ("toomanyrequests: You have reached your pull rate limit.", None),
    ],
)
def test_how_long_is_read_from_a_message(said, seconds):
    assert asked_for(said) == (None if seconds is None else pytest.approx(seconds))


def test_who_meets_a_limit_that_another_has_met_does_not_make_it_longer():
    now, waits = [0.0], Waits()
    limit = waits.limit
    limit.first, limit.clock = 10.0, lambda: now[0]
    busy = ImageBusyError("429")
    limit.met("a", busy)
    limit.met("b", busy)
    assert (limit.waited, len(waits.said)) == (10.0, 1)
    now[0] = 11.0  # it was not over yet: twice as long
    limit.met("a", busy)
    assert limit.waited == 30.0
    now[0] = 40.0
    limit.wait()
    limit.passed()
    limit.met("a", busy)
    assert limit.waited == 40.0


def test_a_stop_ends_the_wait_for_a_rate_limit(engine, front, served):
    image, cancel = served(noise(10)), Event()
    waits = Waits(cancel, first=3600)
    front.faults.append(Fault("/v2/", status=429, times=1000))
    waits.limit.say = lambda _: cancel.set()
    with pytest.raises(CancelledError):
        Puller(engine, Watch(cancel), waits.limit).pull(image)


def test_a_connection_that_drops_in_the_middle_of_a_layer_is_taken_up_where_it_broke_off(
    engine, front, served
):
    image = served(noise(50), noise(3000))
    front.faults.append(Fault(front.largest_blob(image), after=1_000_000))
    Puller(engine, tries=1).pull(image)
    first, second = [one for one in front.served if one.bytes > 100_000]
    assert (first.bytes, second.range) == (1_000_000, "bytes=1000000-")
    assert first.bytes + second.bytes == pytest.approx(3_000_000, rel=0.01)


@pytest.mark.parametrize("fault", [{"status": 503, "body": b"busy"}, {"after": 0}])
def test_what_may_pass_is_tried_again_by_swerun_where_the_engine_gives_up(
    engine, front, served, fault
):
    first, second = served(noise(10)), served(noise(10))
    front.faults.append(Fault("/manifests/", times=3, **fault))
    assert Puller(engine, pause=0.1).pull(first)
    front.faults.append(Fault("/manifests/", times=1000, **fault))
    with pytest.raises(ImageError, match=second) as caught:
        Puller(engine, pause=0.1, tries=2).pull(second)
    assert caught.value.retry


def test_a_missing_image_is_asked_for_once(engine, front, named):
    absent = named(front.address)
    with pytest.raises(ImageMissingError):
        Puller(engine, pause=0.1).pull(absent)
    asked = [one for one in front.served if one.path.endswith("/manifests/1")]
    assert len([one for one in asked if one.method == "GET"]) <= 1


def test_a_stop_ends_a_pull_at_once_and_the_engine_ends_it_too(engine, front, served):
    image, cancel = served(noise(4000)), Event()
    front.faults.append(Fault("/blobs/", times=100, seconds=0.3))
    puller = Puller(engine, Watch(cancel))

    def stop(more: int) -> None:
        if more:
            cancel.set()

    with pytest.raises(CancelledError):
        puller.pull(image, stop)
    while front.under_way:
        time.sleep(0.05)
    assert front.blobs() < 4_000_000
    assert image_id(engine, image) is None


def test_a_pull_that_waits_for_others_is_not_taken_for_silent(engine, front, served):
    """Four of one layer: the engine downloads three at once."""
    images = [served(noise(300)) for _ in range(4)]
    front.faults.append(Fault("/blobs/", times=100, seconds=0.15))
    puller, errors = Puller(engine, Watch(silence=1.5), tries=1), []

    def pull_one(image):
        try:
            puller.pull(image)
        except ImageError as error:
            errors.append(error)

    threads = [Thread(target=pull_one, args=(image,)) for image in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_bytes_that_come_are_told_as_they_come(engine, front, served):
    image, told = served(noise(3000), noise(2000)), []
    front.faults.append(Fault("/blobs/", times=100, seconds=0.005))
    Puller(engine).pull(image, told.append)
    assert 4_900_000 < sum(told) <= front.blobs()
    assert len([more for more in told if more]) > 2
