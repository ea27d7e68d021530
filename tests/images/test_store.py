"""From an instance to its image: built and never pulled, pulled, or here; and what is in it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from swerun.errors import ImageError, ImageMissingError, InstanceError
from swerun.images.base import BASE
from swerun.images.build import INPUTS, digest_of, image_id
from swerun.images.store import EngineImages, base_named
from swerun.instances.subsets import load_instances
from tests.fakes import an_instance
from tests.images.conftest import imported, pushed

SAMPLE = load_instances("sample")


@pytest.fixture
def images(engine, tmp_path):
    """One process's images after another's: each call is a new one."""
    return lambda: EngineImages(engine, tmp_path / "cache")


def an_instance_of(image, context=None, repo="org/repo"):
    instance = an_instance()
    task = instance.task.model_copy(update={"image": image, "repo": repo})
    return instance.model_copy(update={"task": task, "context": context})


def todo(images, instance):
    (planned,) = images().plan([instance])
    assert (planned.instance_id, planned.image) == (instance.id, instance.task.image)
    return planned.todo


@pytest.mark.docker
def test_an_image_with_a_context_is_built_and_never_pulled(
    engine, images, registry, named, context
):
    image = imported(engine, named(registry.address))
    at_the_registry = image_id(engine, image)
    pushed(engine, image)
    registry.log.write_text("")
    instance = an_instance_of(image, context)
    assert todo(images, instance) == "build"
    assert images().ensure(instance) == image_id(engine, image) != at_the_registry
    assert not registry.asked_for(image)


@pytest.mark.docker
def test_an_image_without_a_context_is_pulled_once_and_then_taken_as_it_is_here(
    engine, images, registry, named
):
    image = imported(engine, named(registry.address))
    before = image_id(engine, image)
    pushed(engine, image)
    instance = an_instance_of(image)
    assert todo(images, instance) == "pull"
    assert image_id(engine, image) is None
    assert images().ensure(instance) == before
    assert registry.asked_for(image)
    registry.log.write_text("")
    assert todo(images, instance) == "here"
    assert images().ensure(instance) == before
    assert not registry.asked_for(image)


@pytest.mark.docker
def test_an_image_that_is_nowhere_is_missing_for_good(images, registry, named):
    with pytest.raises(ImageMissingError):
        images().ensure(an_instance_of(named(registry.address)))


@pytest.mark.docker
def test_a_fresh_image_is_not_built_again_and_a_changed_context_is(engine, images, named, context):
    instance = an_instance_of(named(), context)
    assert images().here(instance) is None
    first = images().ensure(instance)
    assert todo(images, instance) == "here"
    assert images().here(instance) == first
    (context / "words").chmod(0o666)  # which a build would take over, and a digest does not see
    assert images().ensure(instance) == first
    (context / "words").write_text("second")
    assert todo(images, instance) == "build"
    assert images().here(instance) is None, "what is here is not what it is to be"
    second = images().ensure(instance)
    assert second != first
    assert engine.images.get(instance.task.image).id == second
    assert todo(images, instance) == "here"


@pytest.mark.docker
def test_an_image_is_built_anew_where_what_it_stands_on_has_changed(
    engine, images, named, context, tiny
):
    instance = an_instance_of(named(), context)
    first = images().ensure(instance)
    imported(engine, tiny)  # another image, of the same name
    assert todo(images, instance) == "build"
    second = images().ensure(instance)
    assert second != first
    labels = engine.images.get(second).labels
    assert labels[INPUTS] == digest_of(context, image_id(engine, tiny))


@pytest.mark.docker
def test_what_an_image_stands_on_is_pulled_where_it_is_not_here(
    engine, images, registry, named, context
):
    start = imported(engine, named(registry.address))
    pushed(engine, start)
    (context / "Dockerfile").write_text(f"FROM {start}\nCOPY words /words\n")
    made = images().ensure(an_instance_of(named(), context))
    inputs = digest_of(context, image_id(engine, start))
    assert engine.images.get(made).labels[INPUTS] == inputs


@pytest.mark.docker
def test_a_plan_does_nothing(engine, images, registry, named, context):
    image, start = named(registry.address), named(registry.address)
    (context / "Dockerfile").write_text(f"FROM {start}\n")
    planned = images().plan([an_instance_of(image), an_instance_of(named(), context)])
    assert [each.todo for each in planned] == ["pull", "build"]
    assert not registry.asked_for(image)
    assert not registry.asked_for(start)


@pytest.mark.docker
def test_two_images_of_a_repository_are_not_built_at_once(base_image, images, named, tmp_path):
    """Builds that say when they began and ended, and then fail, so that nothing is kept."""

    def times(repository, n):
        context = tmp_path / str(n)
        context.mkdir()
        look = f": {n}; date +%s%N; sleep 1; date +%s%N; exit 1"
        (context / "Dockerfile").write_text(f"FROM {base_image}\nRUN {look}\n")
        with pytest.raises(ImageError) as caught:
            one.ensure(an_instance_of(named(), context, repository))
        return [int(line) for line in re.findall(r"^  (\d{19})$", str(caught.value), re.MULTILINE)]

    one = images()
    with ThreadPoolExecutor(2) as threads:
        first, second = sorted(threads.map(times, ["org/one"] * 2, [1, 2]))
    assert first[1] < second[0]


@pytest.mark.docker
def test_an_image_that_could_not_be_made_is_tried_again(images, named, context):
    instance, one = an_instance_of(named(), context), images()
    (context / "words").rename(context / "gone")
    with pytest.raises(ImageError, match="words"):
        one.ensure(instance)
    (context / "gone").rename(context / "words")
    assert one.ensure(instance)


@pytest.mark.parametrize(
    ("dockerfile", "named"),
    [
        (f"FROM {BASE}\n", BASE),
        ("# FROM a comment:1\n\n  from debian\n", "debian:latest"),
        ("ARG X=1\nFROM debian:bookworm-slim AS made\nFROM other\n", "debian:bookworm-slim"),
        ("FROM --platform=linux/x86_64 ubuntu:22.04\n", "ubuntu:22.04"),
        ("FROM localhost:5000/debian\n", "localhost:5000/debian:latest"),
        ("FROM localhost:5000/debian:12\n", "localhost:5000/debian:12"),
        ("FROM debian@sha256:0123\n", "debian@sha256:0123"),
    ],
)
def test_a_dockerfile_says_what_it_stands_on(tmp_path, dockerfile, named):
    (tmp_path / "Dockerfile").write_text(dockerfile)
    assert base_named(tmp_path) == named


def test_a_dockerfile_that_stands_on_nothing_is_the_instances_fault(tmp_path):
    (tmp_path / "Dockerfile").write_text("RUN true\n")
    with pytest.raises(InstanceError, match="FROM"):
        base_named(tmp_path)


LOOK = """
cd /testbed
git rev-parse HEAD
git symbolic-ref HEAD
git for-each-ref --format='%(refname)'
git status --porcelain --ignored
git remote --verbose
find .git -path '*/logs/*' -o -name '*_HEAD' -o -name 'packed-refs' -o -name alternates
git fsck --unreachable --no-reflogs
git cat-file --batch-all-objects --batch-check='%(objectname)' | sort > /tmp/there
git rev-list --objects HEAD | cut -d' ' -f1 | sort > /tmp/reached
comm -3 /tmp/there /tmp/reached
find / -xdev -name '*.fi' -o -xdev -name '*.bundle'
"""


@pytest.fixture(scope="module")
def sample_images(engine, base_image, tmp_path_factory):
    images = EngineImages(engine, tmp_path_factory.mktemp("cache"))
    return {instance.id: images.ensure(instance) for instance in SAMPLE}


@pytest.mark.docker
@pytest.mark.parametrize("instance", SAMPLE, ids=lambda instance: instance.id)
def test_in_an_image_the_repository_is_at_the_base_commit_with_nothing_after_it(
    engine, sample_images, instance
):
    seen = engine.containers.run(
        sample_images[instance.id], ["bash", "-ec", LOOK], network_mode="none", remove=True
    )
    main = "refs/heads/main"
    assert seen.decode().splitlines() == [instance.task.base_commit, main, main]


@pytest.mark.docker
def test_images_of_a_repository_share_the_layers_of_its_history(engine, sample_images):
    def layers(image):
        return engine.images.get(image).attrs["RootFS"]["Layers"]

    below = len(layers(BASE))
    for repository in {instance.task.repo for instance in SAMPLE}:
        images = [sample_images[i.id] for i in SAMPLE if i.task.repo == repository]
        assert len(images) >= 3
        all_layers = [layers(image) for image in images]
        shared = min(map(len, all_layers))
        assert shared > below
        assert len({tuple(each[:shared]) for each in all_layers}) == 1
        assert len({tuple(each) for each in all_layers}) == len(images)
