"""`swerun images`, for eyes and for programs."""

from __future__ import annotations

import json

import pytest

from swerun.cli.images import aligned, as_json_list
from swerun.images.base import BASE
from swerun.images.store import PlannedImage
from swerun.instances.subsets import load_instances

PLANNED = [PlannedImage("a__b-1", "one:latest", "here"), PlannedImage("c-22222", "two", "build")]
FIRST = load_instances("sample")[0]


def test_a_plan_is_words_in_columns():
    assert aligned(PLANNED).splitlines() == [
        "here   a__b-1   one:latest",
        "build  c-22222  two",
    ]
    assert aligned([]) == ""


def test_a_plan_as_json_has_the_names_of_its_parts():
    first, _ = json.loads(as_json_list(PLANNED))
    assert first == {"instance_id": "a__b-1", "image": "one:latest", "todo": "here"}


@pytest.mark.docker
def test_what_is_built_is_here_by_the_plan(swerun, base_image):
    built = swerun("images", "build", "-i", FIRST.id, "--json")
    assert built.returncode == 0, built.stderr
    (made,) = json.loads(built.stdout)
    assert (made["instance_id"], made["image"]) == (FIRST.id, FIRST.task.image)
    assert made["id"].startswith("sha256:")
    planned = swerun("images", "plan", "-i", FIRST.id, "--json")
    expected = {"instance_id": FIRST.id, "image": FIRST.task.image, "todo": "here"}
    assert json.loads(planned.stdout) == [expected]
    words = swerun("images", "plan", "-i", FIRST.id).stdout
    assert words == f"here   {FIRST.id}  {FIRST.task.image}\n"


@pytest.mark.docker
def test_the_base_is_said_for_programs_too(swerun, base_image):
    plain = swerun("images", "base")
    done = swerun("images", "base", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"image": BASE, "id": plain.stdout.strip()}
