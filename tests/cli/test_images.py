"""`swerun images`, for eyes and for programs."""

from __future__ import annotations

import json
import signal
import time

import pytest

from swerun.cli.images import aligned, as_json_plan
from swerun.cli.making import Progress
from swerun.errors import ImageError
from swerun.images.base import BASE
from swerun.images.build import image_id
from swerun.images.many import Made
from swerun.images.plan import Plan, PlannedImage
from swerun.instances.subsets import load_instances
from swerun.ports import Image
from tests.fakes import an_instance
from tests.images.conftest import layered, noise, pushed, removed
from tests.images.front import Fault
from tests.images.subset import a_subset

PLANNED = Plan(
    (
        PlannedImage("a__b-1", "one:latest", "here"),
        PlannedImage("c-22222", "two", "pull", 1_500_000),
        PlannedImage("c-3", "three", "pull", None),
    ),
    "429",
)
FIRST = load_instances("sample")[0]


def test_a_plan_is_words_in_columns_and_a_total():
    assert aligned(PLANNED).splitlines() == [
        "here      0 bytes  a__b-1   one:latest",
        "pull       1.5 MB  c-22222  two",
        "pull            ?  c-3      three",
        "1 here, 2 pull; 1.5 MB to pull, and 1 images more",
    ]
    assert aligned(Plan(())) == "nothing; 0 bytes to pull"


def test_a_plan_as_json_has_the_names_of_its_parts():
    read = json.loads(as_json_plan(PLANNED))
    assert read["images"][1] == {
        "instance_id": "c-22222",
        "image": "two",
        "todo": "pull",
        "bytes": 1_500_000,
    }
    assert (read["bytes"], read["unknown"], read["problem"]) == (1_500_000, 1, "429")


def test_a_summary_says_what_became_of_all_and_what_was_waited():
    lines = []
    progress = Progress(3, lines.append)
    progress.downloaded(2_500_000)
    instance, image = an_instance(), Image("sha256:1", "sha256:2")
    for made in (
        Made(instance, "pull", image),
        Made(instance, "here", image),
        Made(instance, "pull", error=ImageError("no way\x1b[0m")),
    ):
        progress.done(made)
    assert lines == [
        "pulled none  sha256:2",
        "here   none  sha256:2",
        "failed none  no way\\x1b[0m",
    ]
    said = progress.summary(90.0)
    assert said.startswith("1 failed, 1 here, 1 pulled; 2.5 MB downloaded in ")
    assert said.endswith("of which 1:30 were a rate limit's")


@pytest.mark.docker
def test_what_is_built_is_here_by_the_plan(swerun, base_image):
    built = swerun("images", "build", "-i", FIRST.id, "--json")
    assert built.returncode == 0, built.stderr
    (made,) = json.loads(built.stdout)
    assert (made["instance_id"], made["image"]) == (FIRST.id, FIRST.task.image)
    assert made["id"].startswith("sha256:")
    planned = swerun("images", "plan", "-i", FIRST.id, "--json")
    (row,) = json.loads(planned.stdout)["images"]
    assert (row["todo"], row["bytes"]) == ("here", 0)
    words = swerun("images", "plan", "-i", FIRST.id).stdout
    assert words.splitlines()[-1] == "1 here; 0 bytes to pull"


@pytest.mark.docker
def test_the_base_is_said_for_programs_too(swerun, base_image):
    plain = swerun("images", "base")
    done = swerun("images", "base", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"image": BASE, "id": plain.stdout.strip()}


@pytest.fixture
def mirrored(engine, registry, front, named, tmp_path):
    """A subset of images with official names that only a mirror has, and the mirror's prefix."""

    def make(*images):
        names = []
        for layers in images:
            official = named().replace(":1", ":latest")
            at_mirror = layered(engine, f"{registry.address}/hub/{official}", layers)
            pushed(engine, at_mirror)
            made.extend([official, f"{front.address}/hub/{official}"])
            names.append(official)
        return a_subset(tmp_path / "subset", names), f"{front.address}/hub", names

    made = []
    yield make
    removed(engine, made)


@pytest.mark.docker
def test_plan_pull_pins_du_and_prune_by_way_of_a_mirror(swerun, engine, front, mirrored, tmp_path):
    shared = noise(300)
    subset, mirror, names = mirrored([shared, noise(100)], [shared, noise(50)])
    of = ("--subset", str(subset), "--cache", str(tmp_path / "cache"))
    by = ("--registry", mirror)
    planned = json.loads(swerun("images", "plan", *of, *by, "--json").stdout)
    assert [row["todo"] for row in planned["images"]] == ["pull", "pull"]
    assert planned["bytes"] == pytest.approx(450_000, rel=0.02)

    pins = tmp_path / "pins.json"
    front.served.clear()
    pulled = swerun("images", "pull", *of, *by, "--write-pins", str(pins))
    assert pulled.returncode == 0, pulled.stderr
    assert sorted(line.split()[:2] for line in pulled.stdout.splitlines()) == sorted(
        ["pulled", name] for name in names
    )
    assert "2 pulled; " in pulled.stderr
    assert planned["bytes"] <= front.blobs() <= planned["bytes"] * 1.01
    assert set(json.loads(pins.read_text())) == set(names)

    again = swerun("images", "pull", *of, "--json")  # without the mirror: the names are here
    assert {row["did"] for row in json.loads(again.stdout)} == {"here"}
    done = swerun("--model", "empty", *of, "--pin", str(pins), "--json")
    assert done.returncode == 0, done.stderr
    digests = {attempt["grade"]["image_digest"] for attempt in swerun.attempts()}
    assert digests == set(json.loads(pins.read_text()).values())

    used = json.loads(swerun("images", "du", "--cache", str(tmp_path / "cache"), "--json").stdout)
    assert (used["total"], used["unique"]) == (450_000, 450_000)
    assert {(row["unique"], row["shared"]) for row in used["images"]} == {
        (100_000, 300_000),
        (50_000, 300_000),
    }
    refused = swerun("images", "prune", "--cache", str(tmp_path / "cache"))  # nobody says yes
    assert refused.returncode != 0
    assert "which frees 450.0 kB?" in refused.stderr
    assert all(image_id(engine, name) for name in names)
    gone = swerun("images", "prune", "--cache", str(tmp_path / "cache"), "--yes")
    assert gone.stdout.splitlines()[-1] == "removed 2 images, 450.0 kB"
    assert not any(image_id(engine, name) for name in (*names, f"{mirror}/{names[0]}"))


@pytest.mark.docker
def test_prune_of_a_selection_leaves_all_others(swerun, engine, mirrored, tmp_path):
    subset, mirror, names = mirrored([noise(10)], [noise(20)])
    of = ("--subset", str(subset), "--cache", str(tmp_path / "cache"))
    assert swerun("images", "pull", *of, "--registry", mirror).returncode == 0
    done = swerun("images", "prune", *of, "-i", "made__0", "--yes", "--json")
    assert json.loads(done.stdout) == {"removed": [names[0]], "freed": 10_000, "in_use": 0}
    assert image_id(engine, names[1])


@pytest.mark.docker
def test_one_image_that_fails_keeps_no_other_from_being_pulled(swerun, mirrored, tmp_path):
    _, mirror, names = mirrored([noise(10)])
    a_subset(tmp_path / "both", [f"{mirror}/nothing:1", names[0]])
    of = ("--subset", str(tmp_path / "both"), "--cache", str(tmp_path / "cache"))
    done = swerun("images", "pull", *of, "--registry", mirror, "-j", "1")
    assert done.returncode == 1
    failed, pulled = done.stdout.splitlines()
    assert failed.startswith("failed ")
    assert pulled.startswith(f"pulled {names[0]}")
    assert "1 failed, 1 pulled" in done.stderr


@pytest.mark.docker
def test_a_rate_limit_is_said_while_pulling(swerun, front, mirrored, tmp_path):
    subset, mirror, _ = mirrored([noise(10)])
    message = '{"errors": [{"code": "TOOMANYREQUESTS", "message": "retry-after: 1.2s"}]}'
    front.faults.append(Fault("/manifests/", status=429, times=2, body=message.encode()))
    of = ("--subset", str(subset), "--cache", str(tmp_path / "cache"))
    done = swerun("images", "pull", *of, "--registry", mirror)
    assert done.returncode == 0, done.stderr
    assert "rate limit reached, waiting 1 s" in done.stderr
    assert "of which 1 s were a rate limit's" in done.stderr


@pytest.mark.docker
@pytest.mark.parametrize("command", [("images", "pull"), ("--model", "empty")])
def test_a_pull_under_way_does_not_hold_up_a_stop(
    swerun, engine, front, mirrored, command, tmp_path
):
    subset, mirror, names = mirrored([noise(4000)])
    front.faults.append(Fault("/blobs/", times=1000, seconds=2))
    of = ("--subset", str(subset), "--cache", str(tmp_path / "cache"))
    process = swerun.start(*command, *of, "--registry", mirror)
    while not front.under_way:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert image_id(engine, names[0]) is None


@pytest.mark.docker
def test_a_run_with_a_budget_says_when_it_is_too_small_for_one_image(swerun, mirrored, tmp_path):
    subset, mirror, _ = mirrored([noise(400)])
    of = ("--subset", str(subset), "--cache", str(tmp_path / "cache"), "--registry", mirror)
    done = swerun("--model", "empty", *of, "--disk", "300KB", "--json")
    assert done.returncode == 1
    (attempt,) = swerun.attempts()
    assert attempt["outcome"] == "image_failed"
    assert "--disk leaves" in attempt["failure"]["message"]
    assert attempt["failure"]["retry"] is False


@pytest.mark.docker
def test_a_run_with_a_budget_makes_every_attempt_and_keeps_to_it(
    swerun, engine, front, mirrored, tmp_path
):
    """Six images of 300 kB in families of two, for three tries each, in 700 kB."""
    families = [noise(200) for _ in range(3)]
    subset, mirror, names = mirrored(*([families[n // 2], noise(100)] for n in range(6)))
    of = ("--subset", str(subset), "--cache", str(tmp_path / "cache"), "--registry", mirror)
    done = swerun("--model", "empty", *of, "--disk", "750KB", "--attempts", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert len(list(swerun.attempts())) == 18
    (report,) = json.loads(done.stdout)
    assert report["outcomes"] == {"no_patch": 18}
    here = [name for name in names if image_id(engine, name)]
    assert 1 <= len(here) < 6
    # what shares layers came side by side: hardly any of them was pulled twice
    assert 1_200_000 <= front.blobs() < 1_200_000 + 250_000


def test_a_size_or_a_mirror_that_is_none_is_bad_input(swerun):
    for flags, said in (
        (("--disk", "much"), "--disk (images.disk)"),
        (("--registry", "https://mirror.example"), "--registry (images.registry)"),
        (("--build-arg", "NAME"), "NAME is not NAME=VALUE"),
        (("--pin", "nowhere.json"), "nowhere.json"),
        (("--ca-bundle", "nowhere.pem"), "nowhere.pem"),
    ):
        done = swerun("--model", "empty", *flags)
        assert done.returncode == 2, (flags, done.stderr)
        assert said in done.stderr
