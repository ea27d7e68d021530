"""How states of attempts are come to in a container, and what is said on the way."""

from __future__ import annotations

import pytest

from swerun.agent.prompts import load_prompts
from swerun.errors import SandboxLostError
from swerun.images.store import EngineImages
from swerun.moments import Moment, Way
from swerun.records import Observation, Role, Step
from swerun.replaying import Difference
from swerun.scaffolding import rebuilt
from swerun.standing import Place, Redone, profiles_of
from tests.fakes import NOW, a_reply, an_instance
from tests.report.test_summary import a_run
from tests.sandbox.conftest import docker_sandboxes, images

__all__ = ["docker_sandboxes", "images"]

pytestmark = pytest.mark.docker
ASKED = a_run("a").question.model_copy(update={"scaffold": load_prompts("tools").scaffold()})


def step(index, command, shown):
    seen = Observation(call_id="c0", text=shown, exit_code=0)
    return Step(index=index, at=NOW, reply=a_reply(command), observations=(seen,))


@pytest.fixture
def place(docker_sandboxes, images):
    """Where a way begins, in a container of its own."""
    with docker_sandboxes().start(
        an_instance().on_image(images["python3"]).task, role=Role.AGENT, attempt=1
    ) as sandbox:

        def begin(*, graded=False, **way):
            there = Way(Moment("org__repo-1", 1, graded=graded), ASKED, "there", **way)
            return Place(there, an_instance(), sandbox, "none")

        yield begin


def test_steps_are_told_as_they_are_done_again_and_what_differs_with_them(place):
    steps = (step(0, "echo one", "[exit code 0]\none"), step(1, "cat new", "[exit code 0]\nnew"))
    first, second = place(agent=rebuilt(ASKED), steps=steps).arrive()
    assert first == Redone(1, 2, None)
    assert second.difference == Difference(
        1, ("[exit code 0]\nnew",), ("[exit code 1]\ncat: new: No such file or directory",)
    )


def test_a_step_that_ends_the_container_is_named_and_so_is_the_state_before(place):
    steps = (step(0, "echo one", "one"), step(1, "kill -9 -1; sleep 600", ""))
    with pytest.raises(SandboxLostError, match=r"ended in step 2: --at 1 is the state before"):
        list(place(agent=rebuilt(ASKED), steps=steps).arrive())


def test_a_patch_that_does_not_apply_or_is_empty_is_said(place):
    (said,) = place(patch=b"--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-x\n+y\n").arrive()
    assert said.startswith("the patch does not apply:\n")
    assert list(place(patch=b"").arrive()) == []
    script = "false\n: '>>>>> Start Test Output'\n: '>>>>> End Test Output'\n"
    graded = place(graded=True, patch=b"")
    empty, failed, answer = Place(
        graded.way, an_instance(eval_script=script), graded.sandbox, "none"
    ).arrive()
    assert "the patch is empty" in empty
    assert failed.startswith("before its tests the eval script ended with 1:\n")
    assert "shows the answer" in answer


@pytest.mark.parametrize(
    ("given", "networks"), [(None, ("none", "bridge")), ("host", ("host", "host"))]
)
def test_the_network_is_as_it_was_unless_another_is_given(engine, tmp_path, given, networks):
    asked = ASKED.model_copy(update={"network": "none", "grade_network": "bridge"})
    made = profiles_of(engine, asked, EngineImages(engine, tmp_path), given)
    assert tuple(profile.network for profile in made) == networks


def test_cores_are_as_many_as_they_were_or_as_there_are(engine, tmp_path):
    there = engine.info()["NCPU"]
    for cpus, got in ((0.5, 0.5), (there + 1.0, there)):
        resources = ASKED.resources.model_copy(update={"cpus": cpus, "memory": "1g"})
        asked = ASKED.model_copy(update={"resources": resources})
        for profile in profiles_of(engine, asked, EngineImages(engine, tmp_path), None):
            assert (profile.resources.cpus, profile.resources.memory) == (got, "1g")
