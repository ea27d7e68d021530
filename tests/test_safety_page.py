"""docs/safety.md says what the code does, and names tests that there are."""

from __future__ import annotations

import builtins
import re

import pytest

from swerun import errors
from swerun.attempt import outcome_of
from swerun.config import RunConfig
from swerun.engine.plan import after
from swerun.ports import Planned
from swerun.records import Outcome, Resources, Started
from swerun.runs.store import Past
from swerun.solve import failure_of
from tests.fakes import an_attempt, an_instance
from tests.pages import ROOT, named_tests_exist
from tests.sandbox.test_hostile import ATTACKS

PAGE = (ROOT / "docs" / "safety.md").read_text()
ENDINGS = {errors.SandboxLostError, errors.ContextLengthError, errors.RecordingOverError}


def rows(heading):
    """The cells of the table whose first column is called so."""
    table = PAGE.split(f"\n| {heading} | ")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def came_to(error):
    """What becomes of an attempt that ends by `error`, and whether another one follows."""
    failure = failure_of(error)
    outcome = outcome_of(None, failure, cancelled=isinstance(error, errors.CancelledError))
    done = an_attempt("a", 1, outcome.value, failure=failure)
    follower = after(Planned(an_instance("a"), 1), Past(1, Started(), done), 2, retries=1)
    return outcome, follower is not None


def every(kind):
    for each in kind.__subclasses__():
        yield each
        yield from every(each)


def test_every_test_that_is_named_is_there():
    assert named_tests_exist(PAGE) == []
    assert named_tests_exist("`tests/test_fork.py::test_not_there`, `tests/nowhere.py`") == [
        "tests/nowhere.py",
        "tests/test_fork.py::test_not_there",
    ]


def test_every_attack_is_listed_with_what_comes_of_it():
    told = {name: (stop, outcome) for name, stop, outcome in rows("what it does | stop")}
    assert told == {name: (f"`{stop}`", f"`{end}`") for name, (_, (stop, end)) in ATTACKS.items()}


FAULTS = rows("fault | error")


@pytest.mark.parametrize("row", FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_ends_as_its_row_says(row):
    _, name, outcome, again, counted, *_ = row
    error = getattr(errors, name, None) or getattr(builtins, name)
    words = {True: "yes", False: "no"}
    came, follows = came_to(error("trouble"))
    assert (outcome, again, counted) == (f"`{came}`", words[follows], words[came.is_verdict])


def test_there_is_a_row_for_every_way_in_which_an_attempt_can_fail():
    listed = {(Outcome(row[2].strip("`")), row[3] == "yes") for row in FAULTS}
    kinds = {*every(errors.SwerunError)} - ENDINGS - {errors.StorageError}
    assert {came_to(kind("trouble")) for kind in kinds} <= listed
    assert {outcome for outcome, _ in listed} == {one for one in Outcome if not one.is_verdict}


def test_the_words_that_a_fault_is_told_by_are_those_of_the_code():
    code = "".join(path.read_text() for path in (ROOT / "src" / "swerun").rglob("*.py"))
    code = re.sub(r'"\s*f?"', "", code)
    for row in (*FAULTS, *rows("fault | what comes of it")):
        said, tests = row[-2], row[-1]
        code_of_tests = "".join(
            (ROOT / file).read_text() for file in re.findall(r"tests/[\w/]+\.py", tests)
        )
        for words in re.findall(r'"(.+?)"', said):
            assert words in code or words in code_of_tests, words


def test_limits_are_as_they_are_unless_somebody_says_otherwise():
    told = {flag.strip("`"): default for flag, default, *_ in rows("flag | default")}
    own, config = Resources(), RunConfig(model=("m",))
    assert told == {
        "--memory": own.memory,
        "--cpus": f"{own.cpus:g}",
        "--pids": str(own.pids),
        "--container-disk": own.disk,
        "--network": config.network,
        "--runtime": own.runtime or "the engine's",
        "--command-timeout": f"{config.limits.command_seconds:g}",
        "--attempt-timeout": f"{config.limits.seconds:g}",
    }
