"""What a run would pull, in bytes, beside what a pull then transfers."""

from __future__ import annotations

import pytest

from swerun.images.base import BASE
from swerun.images.plan import _look, plan
from swerun.images.store import EngineImages
from tests.images.conftest import layered, noise, pushed
from tests.images.front import Fault
from tests.images.registry import free_port
from tests.images.test_store import an_instance_of

pytestmark = pytest.mark.docker


@pytest.fixture
def images(engine, tmp_path):
    return EngineImages(engine, tmp_path / "cache")


def planned(images, instances):
    made = plan(images, instances)
    assert [each.instance_id for each in made.images] == [each.id for each in instances]
    assert [each.image for each in made.images] == [each.task.image for each in instances]
    return made, [(each.todo, each.bytes) for each in made.images]


def test_the_bytes_of_a_plan_are_those_that_a_pull_transfers(engine, front, served, images):
    """Three images, of which two share a layer, and a layer of the third is here."""
    shared, known = noise(400), noise(250)
    first, second = served(shared, noise(100)), served(shared, noise(200))
    third = served(known, noise(50))
    local = served(known, noise(10))
    engine.images.pull(local)
    instances = [an_instance_of(image) for image in (first, second, third, local, first)]
    made, rows = planned(images, instances)
    assert [todo for todo, _ in rows] == ["pull", "pull", "pull", "here", "pull"]
    sizes = [size for _, size in rows]
    assert sizes == pytest.approx([500_000, 200_000, 50_000, 0, 0], rel=0.03)
    assert (made.unknown, made.problem) == (0, "")
    front.served.clear()
    for instance in instances:
        images.ensure(instance)
    layers = sum(one.bytes for one in front.served if "/blobs/" in one.path and one.bytes > 9_000)
    assert made.bytes == layers
    assert front.blobs() < made.bytes * 1.01  # with the images' configurations
    assert planned(images, instances)[1] == [("here", 0)] * 5


def test_a_plan_does_nothing(engine, registry, named, images, context):
    image, start = named(registry.address), named(registry.address)
    (context / "Dockerfile").write_text(f"FROM {start}\n")
    before = {each.id for each in engine.images.list()}
    pushed(engine, layered(engine, image, [noise(10)]))
    made, rows = planned(images, [an_instance_of(image), an_instance_of(named(), context)])
    assert [todo for todo, _ in rows] == ["pull", "missing"]
    assert {each.id for each in engine.images.list()} <= before
    assert made.unknown == 1
    assert start.partition("/")[2].removesuffix(":1") in made.problem


def test_what_a_build_stands_on_is_in_the_plan(front, served, named, images, context):
    start = served(noise(300))
    (context / "Dockerfile").write_text(f"FROM {start}\nCOPY words /words\n")
    instance = an_instance_of(named(), context)
    ((todo, size),) = planned(images, [instance])[1]
    assert (todo, size) == ("build", pytest.approx(300_000, rel=0.02))
    images.ensure(instance)
    assert planned(images, [instance])[1] == [("here", 0)]


def test_the_base_is_made_and_not_pulled(named, images, context):
    (context / "Dockerfile").write_text(f"FROM {BASE}\n")
    made, rows = planned(images, [an_instance_of(named(), context)])
    assert (rows, made.problem) == ([("build", 0)], "")


def test_an_image_that_no_registry_has_is_missing(front, named, images):
    made, rows = planned(images, [an_instance_of(named(front.address))])
    assert rows == [("missing", None)]
    assert (made.bytes, made.unknown) == (0, 1)
    assert "404" in made.problem


def test_after_a_rate_limit_a_plan_asks_no_more_and_says_so(front, images):
    names = [f"{front.address}/org/x{n}:1" for n in range(50)]
    front.faults.append(Fault("/manifests/", status=429, times=1000))
    made, rows = planned(images, [an_instance_of(each) for each in names])
    assert rows == [("pull", None)] * 50
    assert (made.unknown, made.bytes) == (50, 0)
    assert "429" in made.problem
    assert 1 <= len(front.served) < 20


def test_a_registry_that_is_not_there_is_not_asked_for_hundreds_of_images(front, served, images):
    nowhere = f"127.0.0.1:{free_port()}"
    names = [f"{nowhere}/org/x{n}:1" for n in range(200)]
    there = served(noise(5))
    made, rows = planned(images, [an_instance_of(each) for each in [*names, there]])
    assert made.unknown == 200
    assert rows[-1] == ("pull", pytest.approx(5_000, rel=0.2))
    assert nowhere in made.problem
    answers = _look(images, names)
    asked = [each for each in answers.values() if "asked no more" not in str(each)]
    assert asked == []
