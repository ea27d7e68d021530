"""From an instance to its image: built and never pulled, pulled, or here; and what is in it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from swerun.errors import (
    ImageError,
    ImageMissingError,
    ImageRefusedError,
    InputError,
    InstanceError,
)
from swerun.images.base import BASE
from swerun.images.build import image_id
from swerun.images.pins import write_pins
from swerun.images.store import EngineImages, base_named
from swerun.instances.subsets import load_instances
from swerun.ports import Image
from swerun.records import ImageOptions
from tests.fakes import an_instance
from tests.images.conftest import imported, pushed, removed

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
    return images().todo(instance)


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
    assert images().ensure(instance).id == image_id(engine, image) != at_the_registry
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
    assert images().ensure(instance).id == before
    assert registry.asked_for(image)
    registry.log.write_text("")
    assert todo(images, instance) == "here"
    assert images().ensure(instance).id == before
    assert not registry.asked_for(image)


@pytest.mark.docker
def test_an_image_that_is_nowhere_is_missing_for_good(images, registry, named):
    with pytest.raises(ImageMissingError):
        images().ensure(an_instance_of(named(registry.address)))


@pytest.mark.docker
def test_a_fresh_image_is_not_built_again_and_a_changed_context_is(engine, images, named, context):
    instance = an_instance_of(named(), context)
    assert images().here(instance) is None
    first = images().ensure(instance).id
    assert todo(images, instance) == "here"
    assert images().here(instance) == first
    (context / "words").chmod(0o666)  # which a build would take over, and a digest does not see
    assert images().ensure(instance).id == first
    (context / "words").write_text("second")
    assert todo(images, instance) == "build"
    assert images().here(instance) is None, "what is here is not what it is to be"
    second = images().ensure(instance).id
    assert second != first
    assert engine.images.get(instance.task.image).id == second
    assert todo(images, instance) == "here"


@pytest.mark.docker
def test_an_image_is_built_anew_where_what_it_stands_on_has_changed(
    engine, images, named, context, tiny
):
    instance = an_instance_of(named(), context)
    first = images().ensure(instance).id
    imported(engine, tiny)  # another image, of the same name
    assert todo(images, instance) == "build"
    second = images().ensure(instance).id
    assert second != first
    assert todo(images, instance) == "here"


@pytest.mark.docker
def test_an_image_is_built_anew_where_its_name_was_given_to_another(engine, images, named, context):
    instance = an_instance_of(named(), context)
    made = images().ensure(instance).id
    imported(engine, instance.task.image)
    assert todo(images, instance) == "build"
    assert images().ensure(instance).id == made


@pytest.mark.docker
def test_without_the_cache_a_build_comes_to_the_same_image(
    engine, images, named, context, tmp_path
):
    instance = an_instance_of(named(), context)
    made = images().ensure(instance)
    assert EngineImages(engine, tmp_path / "another").ensure(instance) == made


@pytest.mark.docker
def test_build_arguments_make_another_image_and_the_way_out_does_not(
    engine, images, named, context
):
    instance = an_instance_of(named(), context)
    (context / "Dockerfile").write_text(f"{(context / 'Dockerfile').read_text()}ARG WHICH=a\n")
    images().ensure(instance)

    def todo_with(**options):
        return EngineImages(
            engine, images().cache, options=ImageOptions(**options), environment={"HTTP_PROXY": "x"}
        ).todo(instance)

    assert todo_with(index_url="http://index.example", proxy=True, build_network="host") == "here"
    assert todo_with(build_args={"WHICH": "b"}) == "build"
    assert todo_with(platform="linux/amd64") == "build"


@pytest.mark.docker
def test_what_an_image_stands_on_is_pulled_where_it_is_not_here(
    engine, images, registry, named, context
):
    start = imported(engine, named(registry.address))
    before = image_id(engine, start)
    pushed(engine, start)
    (context / "Dockerfile").write_text(f"FROM {start}\nCOPY words /words\n")
    made = images().ensure(an_instance_of(named(), context)).id
    assert engine.images.get(made).history()[-1]["Id"] in {before, "<missing>"}
    assert image_id(engine, start) == before


@pytest.mark.docker
def test_the_digest_is_the_registrys_where_there_is_one_and_the_id_of_what_was_built(
    engine, images, registry, named, context
):
    image = imported(engine, named(registry.address))
    digest = pushed(engine, image)
    pulled = images().ensure(an_instance_of(image))
    assert (pulled.id, pulled.digest) == (image_id(engine, image), digest)
    built = images().ensure(an_instance_of(named(), context))
    assert built.digest == built.id


def mirror(registry, **options):
    """Images from a mirror; official names are at docker.io, where nothing is asked here."""
    return ImageOptions(registry=f"{registry.address}/mirror", **options)


@pytest.fixture
def mirrored_image(engine, registry, named):
    """An image of an official name that only the mirror has, and its digest."""
    official = named().replace(":1", ":latest")
    at_mirror = imported(engine, f"{registry.address}/mirror/{official}")
    digest = pushed(engine, at_mirror)
    yield official, digest
    removed(engine, [official, at_mirror, f"{at_mirror.removesuffix(':latest')}@{digest}"])


@pytest.mark.docker
def test_a_mirrors_image_has_its_official_name_afterwards_and_is_not_pulled_again(
    engine, images, registry, mirrored_image, tmp_path
):
    official, digest = mirrored_image
    instance = an_instance_of(official)
    by_mirror = EngineImages(engine, tmp_path / "cache", options=mirror(registry))
    assert by_mirror.todo(instance) == "pull"
    pulled = by_mirror.ensure(instance)
    assert pulled.digest == digest
    assert image_id(engine, official) == pulled.id
    registry.log.write_text("")
    assert images().todo(instance) == "here"
    assert images().ensure(instance) == pulled  # with no word of the mirror
    assert not registry.asked_for(f"{registry.address}/mirror/{official}")


@pytest.mark.docker
def test_what_is_here_by_the_mirrors_name_alone_is_not_pulled(
    engine, registry, mirrored_image, tmp_path
):
    official, _ = mirrored_image
    instance, options = an_instance_of(official), mirror(registry)
    first = EngineImages(engine, tmp_path / "cache", options=options).ensure(instance)
    engine.images.remove(official)
    registry.log.write_text("")
    assert EngineImages(engine, tmp_path / "cache", options=options).ensure(instance) == first
    assert image_id(engine, official) == first.id
    assert not registry.asked_for(f"{registry.address}/mirror/{official}")


@pytest.fixture
def pinned(engine, tmp_path):
    """Images with these digests required."""

    def images(pins, **options):
        file = tmp_path / "pins.json"
        write_pins(file, pins)
        return EngineImages(engine, tmp_path / "cache", options=ImageOptions(pin=file, **options))

    return images


@pytest.mark.docker
def test_the_pinned_image_is_pulled_also_where_its_tag_has_moved_on(
    engine, registry, named, pinned
):
    image = imported(engine, named(registry.address))
    then = image_id(engine, image)
    digest = pushed(engine, image)
    pushed(engine, imported(engine, image))  # another one, by the same tag
    try:
        assert pinned({image: digest}).ensure(an_instance_of(image)) == Image(then, digest)
        assert image_id(engine, image) == then
    finally:
        removed(engine, [f"{image.removesuffix(':1')}@{digest}"])


@pytest.mark.docker
def test_an_image_that_is_here_and_not_the_pinned_one_is_refused_and_not_retried(
    engine, registry, named, pinned, context
):
    image = imported(engine, named())
    other = f"sha256:{'0' * 64}"
    with pytest.raises(ImageRefusedError, match=f"pinned to {other}") as caught:
        pinned({image: other}).ensure(an_instance_of(image))
    assert not caught.value.retry
    assert "docker rmi" in str(caught.value)
    assert pinned({image: image_id(engine, image)}).ensure(an_instance_of(image))


@pytest.mark.docker
def test_pins_that_lack_an_image_that_is_pulled_are_found_before_any_work(named, pinned, context):
    first, second = named(), named()
    built = an_instance_of(named(), context)
    images = pinned({first: f"sha256:{'0' * 64}"})
    images.begin([an_instance_of(first), built])
    with pytest.raises(InputError, match=second):
        images.begin([an_instance_of(first), an_instance_of(second)])


@pytest.mark.docker
def test_an_image_of_another_platform_is_not_taken_for_the_one_that_is_asked_for(
    engine, registry, named, tmp_path
):
    image = imported(engine, named(registry.address))
    options = ImageOptions(platform="linux/s390x")
    images = EngineImages(engine, tmp_path / "cache", options=options)
    assert images.todo(an_instance_of(image)) == "pull"
    options = ImageOptions(platform="linux/amd64")
    images = EngineImages(engine, tmp_path / "cache", options=options)
    assert images.todo(an_instance_of(image)) == "here"


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
def test_two_runs_that_ask_for_an_image_at_once_have_it_made_once(images, named, context):
    instance, one = an_instance_of(named(), context), images()
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(one.ensure, [instance, instance])
    assert first is second


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
    return {instance.id: images.ensure(instance).id for instance in SAMPLE}


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
