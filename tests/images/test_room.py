"""A budget on a real engine: held at all times, by removing what nobody needs any more."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest

from swerun.errors import (
    CancelledError,
    ImageError,
    ImageMissingError,
    ImageRefusedError,
    SwerunError,
)
from swerun.images.build import image_id
from swerun.images.here import everything, here, layers_of
from swerun.images.ledger import Note
from swerun.images.store import EngineImages
from tests.images.conftest import imported, layered, noise
from tests.images.front import Fault
from tests.images.test_store import an_instance_of

pytestmark = pytest.mark.docker
KB = 1000


@pytest.fixture
def budget(engine, tmp_path):
    """Images of a run with so many kB for them."""

    def images(kilobytes, run="run", cancel=None):
        made = EngineImages(engine, tmp_path / "cache", cancel=cancel or Event(), run=run)
        made.keep_below(kilobytes * KB, [run])
        return made

    return images


@contextmanager
def sampled(engine, images):
    """The most bytes that these images ever took on the engine together, as it says itself."""
    stop, most = Event(), [0]

    def look():
        while not stop.wait(0.01):
            layers = {}
            for name in images:
                with suppress(ImageError):  # it goes between the two questions
                    if found := here(engine, name):
                        layers |= layers_of(engine, found)
            most[0] = max(most[0], sum(layers.values()))

    thread = Thread(target=look)
    thread.start()
    yield most
    stop.set()
    thread.join()


def attempt(images, instance, seconds=0.0):
    with images.hold(instance):
        made = images.ensure(instance)
        time.sleep(seconds)
        assert image_id(images.client, instance.task.image) == made.id  # until the attempt's end
    return made


def run(images, instances, threads=4):
    """All of them, as an engine's workers would. Returns what broke."""
    images.expect(instances)
    queue, broken = list(instances), []

    def work():
        while queue:
            try:
                attempt(images, queue.pop(0), seconds=0.15)
            except IndexError:
                return
            except SwerunError as error:
                broken.append(error)

    workers = [Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return broken


def test_the_budget_is_held_at_all_times_and_every_image_was_there_when_needed(
    engine, served, budget
):
    """Eight images of 500 kB in families of two, in a budget of 1.7 MB: a pull needs twice its
    bytes for a moment."""
    families = [noise(300) for _ in range(4)]
    names = [served(family, noise(200)) for family in families for _ in range(2)]
    images = budget(1700)
    with sampled(engine, names) as most:
        assert run(images, [an_instance_of(name) for name in names]) == []
    assert 500 * KB <= most[0] <= 1700 * KB
    assert images._room._stock().used() <= 1700 * KB
    gone = [name for name in names if image_id(engine, name) is None]
    assert gone


def test_without_a_budget_nothing_is_removed(engine, served, tmp_path):
    names = [served(noise(100)) for _ in range(3)]
    images = EngineImages(engine, tmp_path / "cache")
    assert run(images, [an_instance_of(name) for name in names]) == []
    assert all(image_id(engine, name) for name in names)


def test_layers_that_are_shared_leave_room_for_more_images(engine, served, budget):
    """1.5 MB hold three of 700 kB that share 600; the third needs its own 100 twice in coming."""
    shared = noise(600)
    names = [served(shared, noise(100)) for _ in range(3)]
    images = budget(1500)
    assert run(images, [an_instance_of(name) for name in names], threads=1) == []
    assert all(image_id(engine, name) for name in names)


def test_what_is_gone_comes_back_when_it_is_needed_again(engine, front, served, budget):
    first, second = an_instance_of(served(noise(300))), an_instance_of(served(noise(300)))
    images = budget(700)
    images.expect([first, second])
    before = attempt(images, first)
    attempt(images, second)
    assert image_id(engine, first.task.image) is None
    assert attempt(images, first) == before  # a retry, say
    assert image_id(engine, first.task.image) == before.id


def test_what_an_attempt_is_left_for_stays_while_others_can_make_room(engine, served, budget):
    first, second, third = (an_instance_of(served(noise(300))) for _ in range(3))
    images = budget(1000)
    images.expect([first, first, second, third])
    attempt(images, first)
    attempt(images, second)
    attempt(images, third)
    assert image_id(engine, first.task.image)
    assert image_id(engine, second.task.image) is None


def test_an_image_in_use_is_waited_for_and_never_removed(engine, served, budget):
    first, second = an_instance_of(served(noise(300))), an_instance_of(served(noise(300)))
    images, ended = budget(700), Event()
    came = []

    def other():
        attempt(images, second)
        came.append(ended.is_set())

    with images.hold(first):
        images.ensure(first)
        waiting = Thread(target=other)
        waiting.start()
        time.sleep(0.5)
        assert image_id(engine, first.task.image)
        assert image_id(engine, second.task.image) is None
        ended.set()
    waiting.join()
    assert came == [True]
    assert image_id(engine, first.task.image) is None


def test_an_image_that_does_not_fit_alone_is_refused_in_clear_words(engine, served, budget):
    instance = an_instance_of(served(noise(300)))
    with pytest.raises(ImageRefusedError, match="--disk") as caught:
        attempt(budget(200), instance)
    assert not caught.value.retry
    assert image_id(engine, instance.task.image) is None


def test_a_stop_ends_the_wait_for_room(served, budget):
    first, second = an_instance_of(served(noise(300))), an_instance_of(served(noise(300)))
    cancel = Event()
    images = budget(700, cancel=cancel)
    with images.hold(first):
        images.ensure(first)
        stopper = Thread(target=lambda: (time.sleep(0.3), cancel.set()))
        stopper.start()
        with pytest.raises(CancelledError), images.hold(second):
            pass
        stopper.join()


def test_what_was_there_before_costs_nothing_and_is_never_removed(engine, named, served, budget):
    there = imported(engine, named())
    old = an_instance_of(there)
    images = budget(700)
    attempt(images, old)
    for _ in range(3):
        attempt(images, an_instance_of(served(noise(300))))
    assert image_id(engine, there)


def test_layers_that_were_there_before_are_not_counted(engine, registry, named, served, budget):
    """600 kB of which 500 are here in another image: 300 are enough."""
    below = noise(500)
    layered(engine, named(), [below])
    image = served(below, noise(100))
    layered(engine, named(), [below])
    attempt(budget(300), an_instance_of(image))
    assert image_id(engine, image)


def test_what_a_killed_session_brought_is_its_runs_own_and_no_others(engine, served, budget):
    mine, others = an_instance_of(served(noise(300))), an_instance_of(served(noise(300)))
    attempt(budget(700), mine)
    attempt(budget(700, run="another"), others)
    again = budget(700)  # the same run, in another process
    assert list(again._room.images) == [mine.task.image]
    attempt(again, an_instance_of(served(noise(300))))
    assert image_id(engine, mine.task.image) is None
    assert image_id(engine, others.task.image)


def test_an_image_that_another_process_uses_stays_and_nobody_waits_for_it(engine, served, budget):
    first, second = an_instance_of(served(noise(300))), an_instance_of(served(noise(300)))
    images, other = budget(700), budget(700, run="another")
    attempt(images, first)
    with other.hold(first):
        attempt(images, second)
        assert image_id(engine, first.task.image)
        theirs = here(engine, first.task.image).chains
        assert set(theirs) <= images._room.before  # and no more of this run's budget
    assert image_id(engine, second.task.image)


def test_where_no_registry_says_sizes_the_budget_is_held_after_each_pull(
    engine, front, served, budget
):
    """Questions of swerun's fail; pulls, which are the engine's, do not."""
    said = []
    first, second, third = (an_instance_of(served(noise(300))) for _ in range(3))
    images = budget(700)
    images.say = said.append
    front.faults.append(Fault("/blobs/", status=503, times=1, body=b"busy"))
    for instance in (first, second, third):
        if instance is not first:
            front.faults.append(Fault("/manifests/", status=503, times=1, body=b"busy"))
        attempt(images, instance)
        assert images._room._stock().used() <= 700 * KB
    assert len(said) == 1
    assert "as large as the largest so far" in said[0]
    assert image_id(engine, first.task.image) is None


def test_a_pull_that_fails_gives_its_room_back(engine, front, served, named, budget):
    images = budget(700)
    with pytest.raises(ImageMissingError):
        attempt(images, an_instance_of(named(front.address)))
    assert images._room.images == {}
    attempt(images, an_instance_of(served(noise(300))))


def test_after_a_build_of_which_nobody_knew_the_size_the_budget_is_held_again(
    engine, named, tmp_path, budget
):
    def building(kilobytes):
        folder = tmp_path / f"{kilobytes}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(f"FROM {start}\nCOPY words /words\n")
        (folder / "words").write_bytes(noise(kilobytes))
        return an_instance_of(named(), folder)

    start = imported(engine, named())
    first, second, third = building(400), building(500), building(300)
    images = budget(1000)
    attempt(images, first)
    attempt(images, second)
    assert image_id(engine, first.task.image)  # both fit, as it turned out
    attempt(images, third)  # room is made for one as large as the largest
    assert image_id(engine, first.task.image) is None
    assert attempt(images, first)
    with pytest.raises(ImageRefusedError, match="--disk"):
        attempt(images, building(1100))
    assert images._room._stock().used() <= 1000 * KB


def test_a_note_of_an_image_that_has_changed_since_makes_it_nobodys(engine, named, budget):
    image = imported(engine, named())
    images = budget(700)
    images.ledger.write(Note(image=image, id="sha256:1", names=(image,), run="run"))
    assert budget(700)._room.images == {}
    assert any(image in each.names for each in everything(engine))
