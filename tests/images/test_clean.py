"""Images with leaks, cleaned on a real engine: once, in one layer, with all else as it was."""

from __future__ import annotations

import threading

import pytest

from swerun.errors import ImageRefusedError, SandboxError
from swerun.images.clean import CleanImages, clean_name
from swerun.images.here import here
from swerun.images.place import opened
from swerun.images.store import EngineImages
from swerun.images.usage import idle
from swerun.ports import Image
from swerun.records import LeakKind, Role
from swerun.sandbox.containers import leftovers
from swerun.sandbox.docker import DockerSandboxes
from tests.images.conftest import removed
from tests.images.leaky import INSTANCE, KINDS, leaky_instance

pytestmark = pytest.mark.docker
ENOUGH = 60  # seconds
# what an agent sees of where it stands, and what came of the tests
STATE = """
git rev-parse HEAD HEAD^{tree} v0
git symbolic-ref HEAD
git status --porcelain --ignored
git log --format=%H%T%s
git ls-files --stage | sha256sum
find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
python3 -m pytest -q -p no:cacheprovider 2>&1 | sed 's/ in .*//'
find /opt/pyenv -type f | sort | xargs sha256sum
"""
# how agents have looked for what came after
MINING = """
git log --all --oneline | wc -l
git tag; git branch -a; git remote -v; git reflog; git stash list; git notes list; git worktree list
git fsck --unreachable --no-reflogs --lost-found
git cat-file --batch-all-objects --batch-check='%(objectname)' | sort >/tmp/all
{ git rev-list --objects HEAD --no-object-names; git rev-parse v0; } | sort -u | comm -23 /tmp/all -
find / -name '*.pack' -not -path '/testbed/.git/*' -not -path '/proc/*'
find / -name 'cronline*' -not -path '/testbed/*' -not -path '/root/src/*' -not -path '/proc/*'
find /root /opt/other -type d -name .git -o -path '*/.cache/*' -o -name '*.py' \
    -not -path '/root/src/*'
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def images(engine, base_image, cache):
    """The sample's image is on the engine."""
    images = EngineImages(engine, cache)
    images.ensure(INSTANCE)
    return images


@pytest.fixture(scope="module")
def leaky(engine, images):
    instance = leaky_instance(engine, "leaky")
    yield instance
    removed(engine, [clean_name(instance.task)])


@pytest.fixture(scope="module")
def cleaned(images, leaky):
    clean = CleanImages(images)
    with clean.hold(leaky):
        return clean.for_agent(leaky, clean.ensure(leaky))


@pytest.fixture
def said(engine):
    """What a shell says in a sandbox of an image."""

    def run(image, script):
        sandboxes = DockerSandboxes(client=engine, run="test-clean", owner="tests")
        task = INSTANCE.on_image(image).task
        with sandboxes.start(task, role=Role.AGENT, attempt=1) as sandbox:
            return sandbox.exec(script, timeout=ENOUGH).output

    return run


def test_each_kind_of_leak_is_found_and_nothing_is_left(images, leaky, cleaned):
    audited = CleanImages(images).audited(leaky.task, images.ensure(leaky), clean=True)
    assert {leak.kind for leak in audited.leaks} == {LeakKind(kind) for kind in KINDS}
    assert (audited.left, audited.clean) == ((), cleaned.id)


def test_the_digest_is_that_of_the_image_it_was_made_of(images, leaky, cleaned):
    original = images.ensure(leaky)
    assert cleaned == Image(cleaned.id, original.digest, cleaned=True)
    assert cleaned.id != original.id


def test_the_agent_stands_where_it_would_have_and_tests_come_out_as_they_did(
    images, leaky, cleaned, said
):
    before = said(images.ensure(leaky).id, STATE)
    assert "passed" in before
    assert said(cleaned.id, STATE) == before


def test_no_way_of_looking_for_the_future_finds_anything(said, cleaned):
    count, tag, branch, worktree, *more = said(cleaned.id, MINING).splitlines()
    assert (count, tag, branch, more) == ("13", "v0", "* main", [])
    assert worktree.startswith("/testbed ")


def test_the_clean_image_is_one_layer_more_and_has_the_same_configuration(engine, leaky, cleaned):
    original, clean = (engine.images.get(each) for each in (leaky.task.image, cleaned.id))
    layers = original.attrs["RootFS"]["Layers"]
    assert clean.attrs["RootFS"]["Layers"][: len(layers)] == layers
    assert len(clean.attrs["RootFS"]["Layers"]) == len(layers) + 1
    for key in ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Volumes"):
        assert clean.attrs["Config"][key] == original.attrs["Config"][key], key


def test_a_container_of_the_users_own_is_not_taken_for_a_runs(engine, cleaned):
    container = engine.containers.create(cleaned.id)
    try:
        assert container.id not in [each.id for each in leftovers(engine)]
    finally:
        container.remove()


def test_an_image_is_looked_at_once_also_by_the_next_process(images, leaky, cleaned, engine):
    class Silent(EngineImages):
        """No container can be made by it."""

        def __post_init__(self):
            super().__post_init__()
            self.client = NoContainers(self.client)

    again = CleanImages(Silent(engine, images.cache))
    assert again.for_agent(leaky, images.ensure(leaky)) == cleaned


class NoContainers:
    def __init__(self, client):
        self.images = client.images


def test_an_image_of_the_sample_is_clean_and_used_as_it_is(images):
    image = images.ensure(INSTANCE)
    assert CleanImages(images).for_agent(INSTANCE, image) == image


def test_a_clean_image_is_pruned_with_its_source_and_never_while_an_attempt_holds_it(
    engine, images, leaky, cleaned
):
    name = clean_name(leaky.task)
    assert images.ledger.note(name).id == here(engine, name).id
    assert idle(engine, images.ledger, [name]) == [name]
    with CleanImages(images).hold(leaky):
        assert idle(engine, images.ledger, [name]) == []


def test_an_image_that_cannot_be_cleaned_is_refused_unless_that_is_allowed(engine, images):
    instance = leaky_instance(engine, "later")
    image = images.ensure(instance)
    with pytest.raises(ImageRefusedError) as caught:
        CleanImages(images).for_agent(instance, image)
    assert "head: /testbed/.git: HEAD is" in str(caught.value)
    assert "--allow-leaks" in str(caught.value)
    assert not caught.value.retry
    allowed = CleanImages(images, allow_leaks=True).for_agent(instance, image)
    assert (allowed.id, allowed.cleaned) == (image.id, False)
    (leak,) = allowed.leaks
    assert leak.startswith("head: ")


@pytest.mark.parametrize("end", ["kill", "remove"])
def test_a_container_that_somebody_ends_says_nothing_of_its_image(engine, images, end):
    def ended(container):
        if end == "kill":
            container.kill()
        else:
            container.remove(force=True)

    with opened(engine, images.ensure(INSTANCE).id, {}) as place:
        threading.Timer(0.3, ended, [place.container]).start()
        with pytest.raises(SandboxError):
            place._run(["sleep", "60"])
        with pytest.raises(SandboxError):
            place.names()


def test_what_an_image_cannot_do_is_said_of_the_image(engine, images):
    with (
        opened(engine, images.ensure(INSTANCE).id, {}) as place,
        pytest.raises(ImageRefusedError, match="exit code 3"),
    ):
        place._run(["sh", "-c", "exit 3"])


def test_a_clean_image_that_was_removed_is_made_anew(engine, images, leaky, cleaned):
    engine.api.remove_image(clean_name(leaky.task))
    assert here(engine, cleaned.id) is None
    anew = CleanImages(images).for_agent(leaky, images.ensure(leaky))
    assert here(engine, anew.id).id != cleaned.id
