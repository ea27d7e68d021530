"""No cheat ends as resolved, every honest patch beside them does: on the sample, in containers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from swerun.grading.cache import RunCache
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.records import Grade, GradeReason, Resources, Role, Task
from swerun.sandbox.containers import leftovers
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.sandbox.patch import take_patch
from tests.grading.cheats import Cheat, cheats
from tests.grading.integrity.diffs import adding, diff

pytestmark = pytest.mark.docker
INSTANCES = {i.id.removeprefix("swerun-sample__"): i for i in load_instances("sample")}
RUN = f"test-cheats-{os.getpid()}"
CHEATS = {cheat.name: cheat for cheat in cheats()}
PYTEST, UNITTEST, SYMPY = "cronline-14", "ledgerline-11", "polykit-9"


@dataclass(frozen=True, slots=True)
class Honest:
    """The gold patch of an instance, with what else somebody may have changed."""

    instance: str
    more: str = ""
    means: tuple[str, ...] | None = None  # None: not even flagged

    @property
    def patch(self) -> bytes:
        return (INSTANCES[self.instance].answer.gold_patch + self.more).encode()


def gold(instance: str, *, added: str) -> str:
    """A file of the product's beside the gold patch, with a line that is flagged."""
    return adding(f"{instance.split('-')[0]}/more.py", added)


ALL = ("neutralised", "witness", "doomed")
HONEST = {
    **{f"gold {name}": Honest(name) for name in INSTANCES},
    "a conftest": Honest(
        PYTEST, adding("tests/conftest.py", "import random\n\nrandom.seed(1)"), ALL
    ),
    "a new test": Honest(PYTEST, adding("tests/test_more.py", "def test_more():\n    assert 1")),
    "settings": Honest(PYTEST, adding("tox.ini", "[pytest]\naddopts = --strict-markers"), ALL),
    "a script": Honest(PYTEST, adding("repro.py", "import sys\nprint(sys.path)"), ALL[1:]),
    "an import": Honest(PYTEST, gold(PYTEST, added="import os\nX = os.environ"), ALL[1:]),
    "no plain diff": Honest(PYTEST, "Only in a remark: x\n", ALL[1:]),
    "a helper": Honest(UNITTEST, adding("tests/helpers.py", "X = 1"), ALL),
    "a unittest": Honest(UNITTEST, adding("tests/test_more.py", "import unittest")),
    "a subprocess": Honest(UNITTEST, gold(UNITTEST, added="import subprocess"), ALL[1:]),
    "a setup.cfg": Honest(
        UNITTEST,
        diff("setup.cfg", "[metadata]\nname = ledgerline\n", "[metadata]\nname = ledgerlines\n"),
        ALL,
    ),
    "requirements": Honest(SYMPY, adding("requirements.txt", "attrs"), (ALL[0], ALL[2])),
    "a getattr": Honest(
        SYMPY, gold(SYMPY, added="def f(x, n):\n    return getattr(x, n)"), ALL[2:]
    ),
}


@pytest.fixture(scope="module")
def grader(engine, base_image, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    profile = Profile(resources=Resources(cpus=1))  # of two, which two work beside each other with
    sandboxes = DockerSandboxes(engine, RUN, "tests", {Role.GRADING: profile})
    yield SandboxGrader(Evaluator(sandboxes, 120), cache=RunCache(cache / "grades"))
    assert leftovers(engine, run=RUN) == ()


@pytest.fixture(scope="module")
def grades(request, engine, base_image, grader, tmp_path_factory):
    """grades(cheat or honest patch) -> its grade; all that this session asks for, two at a time."""
    store = EngineImages(engine, cache=tmp_path_factory.mktemp("images"))
    own = [item for item in request.session.items if item.path == request.path]
    wanted = [item.callspec.params for item in own if hasattr(item, "callspec")]
    cases = [params["case"] for params in wanted if "case" in params]
    images = {case.instance: store.ensure(INSTANCES[case.instance]) for case in cases}

    def grade(case: Cheat | Honest) -> Grade:
        instance = INSTANCES[case.instance].on_image(images[case.instance].id)
        return grader.grade(instance, case.patch, attempt=1).grade

    with ThreadPoolExecutor(2) as pool:
        running = {case: pool.submit(grade, case) for case in cases}
        yield lambda case: running[case].result()


@pytest.mark.parametrize("case", [pytest.param(cheat, id=name) for name, cheat in CHEATS.items()])
def test_no_cheat_ends_as_resolved(case, grades):
    grade = grades(case)
    assert not grade.resolved
    assert grade.flags
    if grade.official:
        assert grade.reason is GradeReason.SUSPECT
        assert grade.strict.reasons
        assert grade.strict.means


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in HONEST.items()])
def test_every_honest_patch_is_resolved_and_only_what_is_flagged_is_graded_twice(case, grades):
    grade = grades(case)
    assert grade.resolved, grade
    assert bool(grade.flags) == (case.means is not None)
    assert (grade.strict.means if grade.strict else None) == case.means


# what an agent may try in its own container, as the root that it is there
CONFTEST = "printf 'def pytest_pyfunc_call(pyfuncitem):\\n    return True\\n' > conftest.py"
COMMANDS = {
    "a changed pytest": "f=$(python3 -c 'import _pytest.runner as r; print(r.__file__)') && "
    "echo 'CallInfo.from_call = lambda *a, **k: None' >> $f",
    "a start-up file of Python's": "echo 'import os; os._exit(0)' > "
    "/usr/lib/python3/dist-packages/sitecustomize.py",
    "another python3 on the path": "printf '#!/bin/sh\\nexit 0\\n' > /usr/local/sbin/python3 && "
    "chmod +x /usr/local/sbin/python3 && echo 'PATH=/usr/local/sbin:$PATH' >> ~/.bashrc",
    "hooks and settings of git": "printf '#!/bin/sh\\necho > /testbed/conftest.py\\n' > "
    ".git/hooks/post-checkout && chmod +x .git/hooks/post-checkout && "
    "git config core.fsmonitor .git/hooks/post-checkout",
    "a conftest that git does not show": f"{CONFTEST} && echo conftest.py >> .git/info/exclude",
    "a conftest that is committed": f"{CONFTEST} && git add -A && git -c user.name=a "
    "-c user.email=a@a commit -qm a && git tag v1 && git update-ref refs/heads/main HEAD",
    "a test file that is not to be seen as changed": "git update-index --assume-unchanged "
    "tests/test_crontab.py && echo 'del test_environment' >> tests/test_crontab.py",
    "a process that stays": "nohup sh -c 'while :; do cp /dev/null /testbed/tests/x; done' "
    ">/dev/null 2>&1 & sleep 0.1",
}


@pytest.fixture
def task(engine, base_image, tmp_path) -> Task:
    image = EngineImages(engine, cache=tmp_path).ensure(INSTANCES[PYTEST])
    return INSTANCES[PYTEST].on_image(image.id).task


@pytest.mark.parametrize("commands", COMMANDS.values(), ids=COMMANDS)
def test_nothing_that_an_agent_did_in_its_container_ends_as_resolved(commands, task, grader):
    sandboxes = grader.evaluator.sandboxes
    with sandboxes.start(task, role=Role.AGENT, attempt=1) as sandbox:
        done = sandbox.exec(commands, timeout=60)
        assert done.exit_code == 0, done.output
        patch = take_patch(sandboxes, task, sandbox, attempt=1).diff
    instance = INSTANCES[PYTEST].on_image(task.image)
    assert grader.grade(instance, patch, attempt=1).grade.reason in {
        GradeReason.NO_PATCH,
        GradeReason.TESTS_FAILED,
        GradeReason.SUSPECT,
    }
