"""What older rows of SWE-bench leave out: script, parser and image, from repository and version.

Until SWE-bench 5 the harness kept a table of how each version of a repository is installed and
tested, and made the eval script itself. The rules here are the facts of that table which the script
needs; the environments are in the published images.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from swerun.errors import InstanceError
from swerun.records import END, START, EvalType


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """What a row has instead. `instance_id` is for the name of its image alone."""

    repo: str
    version: str
    instance_id: str
    base_commit: str
    test_patch: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The columns that rows have since SWE-bench 5."""

    eval_script: str
    log_parser: str
    eval_type: EvalType
    image: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How the versions from `first` to `last`, both included, are installed and tested."""

    first: str
    last: str
    test: str
    install: str = "python -m pip install -e ."
    setting: tuple[str, ...] = ()  # commands that the tests' shell begins with


@dataclass(frozen=True, slots=True)
class Project:
    """A repository: the parser of its logs, and its rules, of which the first that fits counts."""

    log_parser: str
    rules: tuple[Rule, ...]


_PYTEST = "pytest -rA"
_CLASSIC = f"{_PYTEST} -vv -o console_output_style=classic --tb=no"
_RUNTESTS = "./tests/runtests.py --verbosity 2"
_SQLITE = f"{_RUNTESTS} --settings=test_sqlite --parallel 1"
_BIN_TEST = "PYTHONWARNINGS='ignore::UserWarning,ignore::SyntaxWarning' bin/test -C --verbose"
_INSTALL_TESTS = "python -m pip install -e .[test]"
_SETUP = "python setup.py install"
_PLAIN_BUILD = "python -m pip install -v --no-use-pep517 --no-build-isolation -e ."
_UTF8 = (
    "export LANG=en_US.UTF-8",
    "export LC_ALL=en_US.UTF-8",
    "export PYTHONIOENCODING=utf8",
    "export LANGUAGE=en_US:en",
)
_UTF8_MADE = (
    "sed -i '/en_US.UTF-8/s/^# //g' /etc/locale.gen && locale-gen",
    "export LANG=en_US.UTF-8",
    "export LANGUAGE=en_US:en",
    "export LC_ALL=en_US.UTF-8",
)

# facts of swebench 4.1.0, checked against the rows that SWE-bench 5 publishes
PROJECTS: Mapping[str, Project] = {
    "astropy/astropy": Project(
        "parse_log_astropy",
        (
            Rule("0.1", "1.3", _CLASSIC, f"{_INSTALL_TESTS} --verbose"),
            Rule("3.0", "5.3", _PYTEST, f"{_INSTALL_TESTS} --verbose"),
        ),
    ),
    "django/django": Project(
        "parse_log_django",
        (
            Rule("1.4", "1.6", _SQLITE, _SETUP),
            Rule("1.9", "1.9", _RUNTESTS, _SETUP, _UTF8),
            Rule("1.7", "2.2", _SQLITE, _SETUP, _UTF8),
            Rule("3.0", "3.2", _SQLITE, setting=_UTF8_MADE),
            Rule("4.0", "5.2", _SQLITE),
        ),
    ),
    "matplotlib/matplotlib": Project(
        "parse_log_matplotlib",
        (
            Rule("1.0", "2.2", _PYTEST, "python setup.py build; python setup.py install"),
            Rule("3.0", "3.7", _PYTEST),
            Rule("3.8", "3.9", _PYTEST, 'python -m pip install --no-build-isolation -e ".[dev]"'),
        ),
    ),
    "mwaskom/seaborn": Project(
        "parse_log_seaborn",
        (
            Rule("0.11", "0.11", "pytest --no-header -rA"),
            Rule("0.12", "0.14", "pytest --no-header -rA", "python -m pip install -e .[dev]"),
        ),
    ),
    "pallets/flask": Project("parse_log_flask", (Rule("2.0", "3.1", _PYTEST),)),
    "psf/requests": Project(
        "parse_log_requests", (Rule("0.7", "3.0", _PYTEST, "python -m pip install ."),)
    ),
    "pydata/xarray": Project("parse_log_xarray", (Rule("0.12", "2024.05", _PYTEST),)),
    "pylint-dev/pylint": Project("parse_log_pylint", (Rule("2.8", "4.0", _PYTEST),)),
    "pytest-dev/pytest": Project("parse_log_pytest", (Rule("4.4", "8.4", _PYTEST),)),
    "scikit-learn/scikit-learn": Project(
        "parse_log_scikit",
        (
            Rule("0.20", "0.22", _PYTEST, _PLAIN_BUILD),
            Rule("1.3", "1.6", _PYTEST, _PLAIN_BUILD),
        ),
    ),
    "sphinx-doc/sphinx": Project(
        "parse_log_sphinx",
        (Rule("1.5", "8.1", "tox --current-env -epy39 -v --", _INSTALL_TESTS),),
    ),
    "sympy/sympy": Project("parse_log_sympy", (Rule("0.7", "1.14", _BIN_TEST),)),
}

_TARGET = re.compile(r"^diff --git a/.* b/(.*)$", re.MULTILINE)
_DATA = (".json", ".png", "csv", ".txt", ".md", ".jpg", ".jpeg", ".pkl", ".yml", ".yaml", ".toml")
_HEREDOC = "EOF_114329324912"
_ENVIRONMENT = ("source /opt/miniconda3/bin/activate", "conda activate testbed")


def derived(row: LegacyRow) -> Derived:
    """Raises InstanceError for a repository or a version that swerun has no rule for, and for a
    test patch without files."""
    project = PROJECTS.get(row.repo)
    if project is None:
        raise _unknown(row, f"the repository {row.repo!r}", ", ".join(PROJECTS))
    rule = _rule(project, row.version)
    if rule is None:
        known = ", ".join(f"{r.first} to {r.last}" for r in project.rules)
        raise _unknown(row, f"version {row.version!r} of {row.repo}", known)
    name = row.instance_id.lower().replace("__", "_1776_")
    return Derived(
        eval_script=_eval_script(row, rule),
        log_parser=project.log_parser,
        eval_type=EvalType.PASS_AND_FAIL,
        image=f"swebench/sweb.eval.x86_64.{name}:latest",
    )


def _unknown(row: LegacyRow, what: str, known: str) -> InstanceError:
    return InstanceError(
        f"{row.instance_id}: the row has no eval_script, and swerun has no rule to make one for "
        f"{what} (it knows {known}). Take a release of the dataset whose rows have eval_script, "
        "log_parser and image, or add a rule to swerun/instances/legacy.py."
    )


def _rule(project: Project, version: str) -> Rule | None:
    if not re.fullmatch(r"v?\d+(\.\d+)*", version):
        return None
    this = _numbers(version)
    fits = (r for r in project.rules if _numbers(r.first) <= this <= _numbers(r.last))
    return next(fits, None)


def _numbers(version: str) -> tuple[int, ...]:
    """What versions are compared by; one of astropy's has a `v` before it."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def _eval_script(row: LegacyRow, rule: Rule) -> str:
    files = _TARGET.findall(row.test_patch)
    if not files:
        raise InstanceError(
            f"{row.instance_id}: its test_patch has no line `diff --git a/… b/…`, so there is no "
            "telling which tests to run. Take the row from a whole release of the dataset."
        )
    # as in SWE-bench, new files are named too: then git resets none of them, before and after
    reset = " ".join(["git checkout", row.base_commit, *map(shlex.quote, files)])
    lines = (
        "#!/bin/bash",
        "set -uxo pipefail",
        *_ENVIRONMENT,
        "cd /testbed",
        *rule.setting,
        "git config --global --add safe.directory /testbed",
        "cd /testbed",
        "git status",
        "git show",
        f"git -c core.fileMode=false diff {row.base_commit}",
        *_ENVIRONMENT,
        rule.install,
        reset,
        f"git apply -v - <<'{_HEREDOC}'\n{row.test_patch}\n{_HEREDOC}",
        f": '{START}'",
        " ".join([rule.test, *_directives(row.repo, files)]),
        f": '{END}'",
        reset,
    )
    return "\n".join(lines) + "\n"


def _directives(repo: str, files: list[str]) -> list[str]:
    """What the test command is told to run: files of tests, and with django their labels."""
    tests = [file for file in files if not file.endswith(_DATA)]
    if repo == "django/django":
        tests = [t.removesuffix(".py").removeprefix("tests/").replace("/", ".") for t in tests]
    return [shlex.quote(test) for test in tests]
