"""Rows of the SWE-bench family: each brings its script, parser and image, or they are derived.

Columns as SWE-bench 5 publishes them (`swebench.harness.utils.make_test_spec` of swebench 5.0.2);
older releases lack eval_script, log_parser, eval_type and image. The work directory is /testbed.
"""

from __future__ import annotations

from swerun.errors import InstanceError
from swerun.instances.legacy import Derived, LegacyRow, derived
from swerun.instances.rows import Row
from swerun.records import END, START, Answer, EvalType, Instance, Task

NETWORK = "bridge"  # most eval scripts install something: the official harness grades with network
COLUMNS = frozenset(
    {
        "instance_id",
        "repo",
        "base_commit",
        "problem_statement",
        "patch",
        "test_patch",
        "version",
        "difficulty",
        "FAIL_TO_PASS",
        "PASS_TO_PASS",
        "eval_script",
        "log_parser",
        "eval_type",
        "image",
        "image_assets",
    }
)


def instance(row: Row) -> Instance:
    """Raises InstanceError for a field that is malformed. What cannot be graded says why."""
    try:
        tests = _published(row) if row.values.get("eval_script") else _derived(row)
        ungradable = _assets(row)
    except _NoRuleError as error:
        tests, ungradable = _image_alone(row), str(error)
    return made(row, tests, ungradable=ungradable)


def made(row: Row, tests: Derived, *, ungradable: str = "", workdir: str = "/testbed") -> Instance:
    """An instance of what most datasets have in common, with the rest given."""
    fail_to_pass, pass_to_pass = tests_of(row)
    if not ungradable and not (fail_to_pass or pass_to_pass):
        ungradable = "it names no tests, so nothing tells whether a patch resolves it"
    gold_patch = row.text("patch", default="")
    if not ungradable and not gold_patch:
        ungradable = "it has no reference patch, so nothing tells that its tests can pass"
    return Instance(
        task=task_of(row, tests.image, workdir),
        answer=Answer(
            gold_patch=gold_patch,
            test_patch=row.text("test_patch", default=""),
            eval_script=tests.eval_script,
            log_parser=tests.log_parser,
            eval_type=tests.eval_type,
            fail_to_pass=fail_to_pass,
            pass_to_pass=pass_to_pass,
        ),
        version=row.text("version", default=""),
        difficulty=_difficulty(row),
        grade_network=NETWORK,
        ungradable=ungradable,
    )


def task_of(row: Row, image: str, workdir: str = "/testbed", statement: str | None = None) -> Task:
    return Task(
        id=row.id(),
        repo=row.text("repo"),
        base_commit=row.text("base_commit"),
        problem_statement=row.text("problem_statement") if statement is None else statement,
        image=image,
        workdir=workdir,
    )


def tests_of(row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What has to pass after the patch, and what has to pass still. SWE-bench Pro writes small."""
    fail_to_pass = row.names("FAIL_TO_PASS", "fail_to_pass")
    return fail_to_pass, row.names("PASS_TO_PASS", "pass_to_pass")


class _NoRuleError(Exception):
    """Nothing in swerun says how this repository is tested."""


def _published(row: Row) -> Derived:
    script = row.text("eval_script")
    for marker in (START, END):
        if marker not in script:
            raise row.wrong("eval_script", f"a script that prints {marker!r}")
    eval_type = row.text("eval_type", default=EvalType.PASS_AND_FAIL)
    if eval_type not in set(EvalType):
        raise row.wrong("eval_type", f"one of {', '.join(EvalType)}")
    return Derived(script, row.text("log_parser"), EvalType(eval_type), row.text("image"))


def _derived(row: Row) -> Derived:
    legacy = LegacyRow(
        repo=row.text("repo"),
        version=row.text("version", default=""),
        instance_id=row.text("instance_id"),
        base_commit=row.text("base_commit"),
        test_patch=row.text("test_patch", default=""),
    )
    try:
        return derived(legacy)
    except InstanceError as error:
        raise _NoRuleError(str(error)) from error


def _image_alone(row: Row) -> Derived:
    name = row.text("image", default="")
    return Derived("", "", EvalType.PASS_AND_FAIL, name or image_named("swebench", row))


def image_named(namespace: str, row: Row, instead: str = "_1776_") -> str:
    """What an instance's published image is called: a name of Docker's cannot have `__`."""
    name = row.text("instance_id").lower().replace("__", instead)
    return f"{namespace}/sweb.eval.x86_64.{name}:latest"


def _assets(row: Row) -> str:
    """Why a row of SWE-bench Multimodal cannot be graded: its harness fetches binary files."""
    declared = row.mapping("image_assets")
    entries = [e for key in ("test_patch", "patch") for e in declared.get(key) or []]
    files = [e["path"] for e in entries if isinstance(e, dict) and e.get("path")]
    if not files:
        return ""
    return (
        f"its tests need {len(files)} binary files that no patch carries (image_assets: "
        f"{', '.join(files[:3])}{', ...' if len(files) > 3 else ''}), which swerun does not fetch"
    )


def _difficulty(row: Row) -> str:
    """A word, as Verified has it. SWE-bench-Live has an object there, of sizes of the patch."""
    value = row.values.get("difficulty")
    return value if isinstance(value, str) else ""
