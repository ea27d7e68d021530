"""Leaks as a user meets them: `swerun images check`, and runs on images that have some."""

from __future__ import annotations

import json

import pytest

from swerun.images.clean import clean_name
from swerun.images.store import EngineImages
from tests.cli.test_agents import calling
from tests.images.conftest import removed
from tests.images.leaky import INSTANCE, KINDS, leaky_instance
from tests.images.subset import a_subset
from tests.models.endpoint import answering

pytestmark = pytest.mark.docker
LOOK = "git log --all --format=%s >seen.txt; git tag >>seen.txt; git stash list >>seen.txt"


def looking(asked):
    """What a model answers that looks for the future, writes down what it saw, and submits."""
    replies = sum(m["role"] == "assistant" for m in asked.body["messages"])
    return calling("submit") if replies else calling("bash", command=LOOK)


@pytest.fixture(scope="module")
def subset(engine, base_image, tmp_path_factory):
    """`made__0` has an image that can be cleaned, `made__1` one that cannot."""
    EngineImages(engine, tmp_path_factory.mktemp("cache")).ensure(INSTANCE)
    instances = [leaky_instance(engine, name) for name in ("leaky", "later")]
    folder = tmp_path_factory.mktemp("subset") / "it"
    yield a_subset(folder, [each.task.image for each in instances])
    removed(engine, [clean_name(each.task) for each in instances])


@pytest.fixture
def endpoint():
    with answering(looking) as server:
        yield ("--model", "m", "--base-url", server.url)


def test_an_agent_sees_no_future_and_what_cannot_be_cleaned_is_refused_or_marked(
    swerun, subset, endpoint
):
    run = (*endpoint, "--subset", str(subset), "--run", "it")
    done = swerun(*run, "--json")
    assert done.returncode == 1, done.stderr
    (report,) = json.loads(done.stdout)
    assert report["outcomes"] == {"unresolved": 1, "image_failed": 1}
    cleaned, refused = swerun.attempts()
    folder = swerun.folder / "runs" / "it" / "attempts"
    solved = json.loads((folder / "made__0" / "1" / "solved.json").read_text())
    assert (solved["cleaned"], solved["leaks"]) == (True, [])
    assert solved["image_digest"] == cleaned["grade"]["image_digest"]
    seen = (folder / "made__0" / "1" / "patch.diff").read_text().splitlines()
    assert "+List what a crontab has due at a moment" in seen  # the base
    assert seen[-1] == "+v0"
    assert "stash" not in "".join(seen)

    assert (refused["failure"]["error"], refused["attempt"]) == ("ImageRefusedError", 1)
    assert "HEAD is" in refused["failure"]["message"]
    assert "--allow-leaks" in refused["failure"]["message"]

    allowed = swerun(*run, "--allow-leaks", "-i", "made__1", "--fresh")
    assert allowed.returncode == 0, allowed.stderr
    assert "in images with leaks" in allowed.stdout
    assert "1 leak" in allowed.stdout
    (marked,) = [a for a in swerun.attempts() if a["leaks"]]
    assert marked["leaks"][0].startswith("head: /testbed/.git: HEAD is")
    shown = swerun("show", "it-2", "made__1").stdout
    assert "its image leaks: head: " in shown


def test_patches_that_are_given_are_graded_in_any_image(swerun, subset):
    done = swerun("--model", "empty", "--subset", str(subset), "-i", "made__1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["leaks"] == 0


def test_check_says_what_leaks_with_exit_code_1_and_that_nothing_does_with_0(swerun, subset):
    checked = swerun("images", "check", "--subset", str(subset), "--json")
    assert checked.returncode == 1, checked.stderr
    leaky, later = json.loads(checked.stdout)
    assert (leaky["state"], {leak["kind"] for leak in leaky["leaks"]}) == ("leaks", KINDS)
    assert [leak["kind"] for leak in later["leaks"]] == ["head"]
    words = swerun("images", "check", "--subset", str(subset), "-i", "made__1").stdout
    first, second = words.splitlines()
    assert first.split()[:2] == ["leaks", "made__1"]
    assert second.startswith("  head: /testbed/.git: HEAD is ")
    alone = swerun("images", "check", INSTANCE.task.image)
    assert (alone.returncode, alone.stdout.split()[0]) == (0, "clean")


def test_check_makes_nothing_unless_it_is_told_to(swerun, base_image):
    chosen = ("--subset", "sample", "-i", INSTANCE.id)
    checked = swerun("images", "check", *chosen)  # there is no note of it in this cache
    assert checked.returncode == 1
    assert checked.stdout.split() == ["not", "here", INSTANCE.id, INSTANCE.task.image]
    assert "--make pulls or builds them" in checked.stderr
    made = swerun("images", "check", *chosen, "--make", "--json")
    assert (made.returncode, json.loads(made.stdout)[0]["state"]) == (0, "clean")


def test_that_there_is_no_git_is_said_before_anything_is_written(swerun, endpoint, tmp_path):
    done = swerun(*endpoint, "-i", INSTANCE.id, PATH=str(tmp_path))
    assert done.returncode == 2
    assert "git is not installed on this machine" in done.stderr
    assert swerun.runs() == []


def test_check_takes_one_image_or_a_selection(swerun, base_image):
    both = swerun("images", "check", "some:1", "--subset", "sample")
    assert both.returncode == 2
    assert "give either" in both.stderr
    gone = swerun("images", "check", "swerun-tests/nowhere:1")
    assert (gone.returncode, "there is no image" in gone.stderr) == (1, True)
