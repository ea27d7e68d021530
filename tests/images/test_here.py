"""An image on the engine, and what its layers take."""

from __future__ import annotations

import pytest

from swerun.images.here import chain_ids, everything, here, layers_of, sizes_of_layers
from tests.images.conftest import layered, noise, removed

# as engines write them: the first builder's, and BuildKit's
OLD_ENV, OLD_COPY, OLD_RUN = (
    "/bin/sh -c #(nop)  ENV A=1",
    "/bin/sh -c #(nop) COPY x y",
    "/bin/sh -c make",
)
OLD_WORKDIR = "/bin/sh -c #(nop) WORKDIR /testbed"
ENV, RUN, WORKDIR = "ENV A=1", "RUN /bin/sh -c make # buildkit", "WORKDIR /testbed"


@pytest.mark.parametrize(
    ("steps", "count", "sizes"),
    [
        ([(100, OLD_COPY), (0, OLD_ENV), (50, OLD_RUN)], 2, [100, 50]),
        ([(100, OLD_COPY), (0, OLD_WORKDIR), (0, OLD_ENV), (50, OLD_RUN)], 3, [100, 0, 50]),
        ([(0, OLD_ENV), (100, OLD_COPY), (0, OLD_WORKDIR)], 2, [100, 0]),
        ([(100, RUN), (0, ENV), (0, WORKDIR), (7, RUN)], 3, [100, 0, 7]),
        ([(100, ""), (0, ""), (7, "")], 3, [100, 0, 7]),  # no words at all
        ([], 0, []),
        ([], 2, None),  # a builder that keeps no history
        ([(100, RUN), (50, RUN)], 1, None),
    ],
)
def test_of_the_steps_those_that_made_layers_are_found(steps, count, sizes):
    assert sizes_of_layers(steps, count) == sizes


def test_a_layers_id_depends_on_those_below_it():
    one, two = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    assert chain_ids([one, two])[0] == one
    # of `printf 'sha256:111... sha256:222...' | sha256sum`
    assert chain_ids([one, two])[1].startswith("sha256:")
    assert len({*chain_ids([one, two]), *chain_ids([two, one])}) == 4
    assert chain_ids([]) == []


@pytest.mark.docker
def test_images_share_the_layers_that_they_begin_with(engine, named):
    below, above = noise(40), noise(70)
    first = here(engine, layered(engine, named(), [below, above]))
    second = here(engine, layered(engine, named(), [below, noise(10)]))
    other = here(engine, layered(engine, named(), [above, below]))
    assert first.chains[0] == second.chains[0]
    assert not set(first.chains) & set(other.chains)
    assert first.chains[1] != second.chains[1]
    layers = layers_of(engine, first)
    assert list(layers) == list(first.chains)
    assert list(layers.values()) == [40_000, 70_000]
    assert first.bytes == 110_000


@pytest.mark.docker
def test_an_image_is_known_by_its_id_until_a_registry_has_it(engine, registry, named):
    image = layered(engine, named(registry.address), [noise(1)])
    assert here(engine, image).digest(image) == here(engine, image).id
    repository, _, tag = image.rpartition(":")
    engine.api.push(repository, tag=tag)
    found = here(engine, image)
    assert found.digest(image) == found.digest("some/other:1") != found.id
    assert found.digests == (f"{repository}@{found.digest(image)}",)
    assert found.names == (image,)


@pytest.mark.docker
def test_what_is_not_there_is_none(engine, named):
    assert here(engine, named()) is None


@pytest.mark.docker
def test_the_layers_of_a_built_image_add_up_to_its_size(engine, base_image, named, context):
    (context / "Dockerfile").write_text(f"FROM {base_image}\nWORKDIR /new\nCOPY words /words\n")
    engine.images.build(path=str(context), tag=(image := named()), rm=True)
    found = here(engine, image)
    assert sum(layers_of(engine, found).values()) == found.bytes
    assert set(here(engine, base_image).chains) < set(found.chains)
    assert found in everything(engine)
    removed(engine, [image])
