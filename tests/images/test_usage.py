"""What images take, and which of them go when they are pruned."""

from __future__ import annotations

import pytest

from swerun.images.build import image_id
from swerun.images.ledger import Ledger, Note
from swerun.images.usage import idle, prune, usage
from tests.images.conftest import layered, noise

pytestmark = pytest.mark.docker


@pytest.fixture
def family(engine, named):
    """Two images of 60 and 70 kB that share 50, and one of 30 that shares nothing."""
    below = noise(50)
    return [
        layered(engine, named(), layers)
        for layers in ([below, noise(10)], [below, noise(20)], [noise(30)])
    ]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "notes")


def test_what_is_shared_is_counted_once_together(engine, family):
    used = usage(engine, family)
    assert [(use.unique, use.shared) for use in used.images] == [
        (10_000, 50_000),
        (20_000, 50_000),
        (30_000, 0),
    ]
    assert (used.total, used.freed) == (110_000, 110_000)


def test_what_another_image_shares_is_not_freed(engine, family):
    first, _, third = family
    used = usage(engine, [first, third])
    assert (used.total, used.freed) == (90_000, 40_000)
    assert [use.image for use in used.images] == [first, third]


def test_what_is_not_here_takes_nothing(engine, named, family):
    assert usage(engine, [named()]).images == ()
    assert usage(engine, []).total == 0


def test_an_image_with_two_names_is_one(engine, named, family):
    repository, _, tag = (other := named()).rpartition(":")
    engine.images.get(family[2]).tag(repository, tag)
    used = usage(engine, [family[2], other])
    assert (used.total, used.freed) == (30_000, 30_000)


def test_only_what_is_named_goes_by_all_its_names_and_its_bytes_with_it(
    engine, named, family, ledger
):
    first, second, third = family
    repository, _, tag = (mirror := named()).rpartition(":")
    engine.images.get(first).tag(repository, tag)
    ledger.write(Note(image=first, id=image_id(engine, first), names=(mirror, first)))
    assert prune(engine, ledger, [first]) == (first,)
    assert image_id(engine, first) is None
    assert image_id(engine, mirror) is None
    assert image_id(engine, second)
    assert image_id(engine, third)
    assert ledger.notes() == []
    assert usage(engine, [second]).images[0].unique == 70_000


def test_a_name_that_others_gave_it_keeps_an_image(engine, named, family, ledger):
    repository, _, tag = (others := named()).rpartition(":")
    engine.images.get(family[2]).tag(repository, tag)
    before = image_id(engine, others)
    prune(engine, ledger, [family[2]])
    assert image_id(engine, family[2]) is None
    assert image_id(engine, others) == before


def test_what_is_in_use_is_not_removed(engine, base_image, named, family, ledger, tmp_path):
    first, second, third = family
    container = engine.containers.create(second, ["none"])
    try:
        with ledger.in_use(first):
            assert idle(engine, ledger, [first, second, third, named()]) == [third]
            assert prune(engine, ledger, [first, second]) == ()
        assert idle(engine, ledger, [first, second]) == [first]
    finally:
        container.remove()
    assert image_id(engine, first)
    assert image_id(engine, second)
    assert idle(engine, ledger, [second]) == [second]
