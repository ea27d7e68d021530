"""Rows of older releases: what is derived for them, and how it compares with what is published."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re

import pytest

from swerun.errors import InstanceError
from swerun.instances import legacy
from swerun.instances.legacy import PROJECTS, LegacyRow, derived
from swerun.records import EvalType
from tests.instances.legacy_rows import DATA, Difference, differences, published

ROW = LegacyRow(
    repo="pallets/flask",
    version="2.3",
    instance_id="pallets__Flask-1",
    base_commit="c0ffee",
    test_patch="diff --git a/tests/test_one.py b/tests/test_one.py\n--- a/tests/test_one.py\n",
)
# every version that swebench 4.1.0 has a rule for, as the rows of the datasets write them
VERSIONS = {
    "astropy/astropy": "0.1 0.2 0.3 0.4 1.1 1.2 1.3 3.0 3.1 3.2 4.1 4.2 4.3 5.0 5.1 5.2 v5.3",
    "django/django": "1.4 1.5 1.6 1.7 1.8 1.9 1.10 1.11 2.0 2.1 2.2 3.0 3.1 3.2 4.0 4.1 4.2 "
    "5.0 5.1 5.2",
    "matplotlib/matplotlib": "1.0 1.1 1.2 1.3 1.4 1.5 2.0 2.1 2.2 3.0 3.1 3.2 3.3 3.4 3.5 3.6 "
    "3.7 3.8 3.9",
    "mwaskom/seaborn": "0.11 0.12 0.13 0.14",
    "pallets/flask": "2.0 2.1 2.2 2.3 3.0 3.1",
    "psf/requests": "0.7 0.8 0.9 0.11 0.13 0.14 1.1 1.2 2.0 2.2 2.3 2.4 2.5 2.7 2.8 2.9 2.10 "
    "2.11 2.12 2.17 2.18 2.19 2.22 2.25 2.26 2.27 2.31 3.0",
    "pydata/xarray": "0.12 0.18 0.19 0.20 2022.03 2022.06 2022.09 2023.07 2024.05",
    "pylint-dev/pylint": "2.8 2.9 2.10 2.11 2.13 2.14 2.15 2.16 2.17 3.0 3.1 3.2 3.3 4.0",
    "pytest-dev/pytest": "4.4 4.5 4.6 5.0 5.1 5.2 5.3 5.4 6.0 6.2 6.3 7.0 7.1 7.2 7.4 8.0 8.1 "
    "8.2 8.3 8.4",
    "scikit-learn/scikit-learn": "0.20 0.21 0.22 1.3 1.4 1.5 1.6",
    "sphinx-doc/sphinx": "1.5 1.6 1.7 1.8 2.0 2.1 2.2 2.3 2.4 3.0 3.1 3.2 3.3 3.4 3.5 4.0 4.1 "
    "4.2 4.3 4.4 4.5 5.0 5.1 5.2 5.3 6.0 6.2 7.0 7.1 7.2 7.3 7.4 8.0 8.1",
    "sympy/sympy": "0.7 1.0 1.1 1.2 1.4 1.5 1.6 1.7 1.8 1.9 1.10 1.11 1.12 1.13 1.14",
}
# SWE-bench 5 repaired two rows of one version by a line each, which no rule by version can tell
# apart: in their environments the gold patch fails without it
ACCEPTED = [
    Difference("astropy/astropy", "3.1", "eval_script | + export SETUPTOOLS_USE_DISTUTILS=stdlib"),
    Difference("astropy/astropy", "3.1", "eval_script | + python -m pip install -q 'pytest<7.2'"),
]


def a_row(**changes):
    return dataclasses.replace(ROW, **changes)


def patch(*files):
    return "".join(f"diff --git a/{file} b/{file}\n" for file in files)


def command(row):
    """The line between the markers: what is run to test."""
    lines = derived(row).eval_script.split("\n")
    return lines[lines.index(": '>>>>> Start Test Output'") + 1]


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the published rows are not at {DATA}")
@pytest.mark.parametrize(("part", "accepted"), [("verified", ACCEPTED), ("lite", [])])
def test_what_is_derived_is_what_is_published_but_for_what_is_listed(part, accepted):
    rows = published()[part]
    found = [difference for row in rows for difference in differences(row)]
    assert len(rows) == {"verified": 500, "lite": 207}[part]
    assert sorted(found, key=lambda d: d.kind) == accepted


@pytest.mark.parametrize("repo", PROJECTS)
def test_every_version_that_swebench_had_a_rule_for_has_one(repo):
    for version in VERSIONS[repo].split():
        assert derived(a_row(repo=repo, version=version)).eval_script


def test_the_rules_know_repositories_and_versions_and_no_instance():
    source = ast.parse(inspect.getsource(legacy))
    texts = [n.value for n in ast.walk(source) if isinstance(n, ast.Constant)]
    named = [t for t in texts if isinstance(t, str) and re.search(r"\w__\w+-\d|[0-9a-f]{40}", t)]
    assert named == []
    one, other = (derived(a_row(instance_id=f"pallets__flask-{n}")) for n in (1, 2))
    assert dataclasses.replace(one, image="") == dataclasses.replace(other, image="")


def test_the_image_is_named_as_the_published_ones_are():
    assert derived(ROW).image == "swebench/sweb.eval.x86_64.pallets_1776_flask-1:latest"


def test_parser_and_judging_come_from_the_repository():
    made = derived(ROW)
    assert (made.log_parser, made.eval_type) == ("parse_log_flask", EvalType.PASS_AND_FAIL)


@pytest.mark.parametrize(
    ("repo", "version", "expected"),
    [
        ("django/django", "1.8", "./tests/runtests.py --verbosity 2 --settings=test_sqlite"),
        ("django/django", "1.9", "./tests/runtests.py --verbosity 2 tests"),
        ("astropy/astropy", "1.3", "pytest -rA -vv -o console_output_style=classic"),
        ("astropy/astropy", "3.0", "pytest -rA tests"),
        ("astropy/astropy", "v5.3", "pytest -rA tests"),
        ("mwaskom/seaborn", "0.12", "pytest --no-header -rA tests"),
        ("sphinx-doc/sphinx", "3.10", "tox --current-env -epy39 -v -- tests"),
        ("sympy/sympy", "1.14", "PYTHONWARNINGS="),
    ],
)
def test_the_version_says_how_it_is_tested(repo, version, expected):
    row = a_row(repo=repo, version=version, test_patch=patch("tests/a/b.py"))
    assert command(row).replace(" a.b", " tests/a/b.py").startswith(expected)


def test_django_is_told_labels_and_others_files():
    files = patch("tests/a/b.py", "tests/a/__init__.py", "django/c/tests.py")
    assert command(a_row(repo="django/django", version="4.0", test_patch=files)).endswith(
        "--parallel 1 a.b a.__init__ django.c.tests"
    )
    assert command(a_row(test_patch=files)) == (
        "pytest -rA tests/a/b.py tests/a/__init__.py django/c/tests.py"
    )


def test_what_tests_only_read_is_reset_but_not_run():
    script = derived(a_row(test_patch=patch("tests/a.py", "tests/b.json", "tests/csv"))).eval_script
    assert "\npytest -rA tests/a.py\n" in script
    assert script.count("\ngit checkout c0ffee tests/a.py tests/b.json tests/csv\n") == 2


def test_a_line_of_a_test_that_looks_like_a_header_names_no_file():
    text = patch("tests/a.py") + "@@ -1 +1 @@\n+diff --git a/x.py b/x.py\n"
    assert command(a_row(test_patch=text)) == "pytest -rA tests/a.py"


def test_a_file_with_a_space_in_its_name_stays_one_word():
    row = a_row(test_patch=patch("tests/a b.py"))
    assert command(row) == "pytest -rA 'tests/a b.py'"
    assert "\ngit checkout c0ffee 'tests/a b.py'\n" in derived(row).eval_script


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"repo": "org/other"}, r"for the repository 'org/other' \(it knows astropy/.*sympy/sympy"),
        ({"version": "1.0"}, r"for version '1\.0' of pallets/flask \(it knows 2\.0 to 3\.1\)"),
        ({"version": ""}, r"for version '' of pallets/flask"),
        ({"version": "2.x"}, r"for version '2\.x' of pallets/flask"),
        ({"repo": "astropy/astropy", "version": "2.0"}, r"knows 0\.1 to 1\.3, 3\.0 to 5\.3\)"),
        ({"test_patch": ""}, r"no line `diff --git"),
    ],
)
def test_what_no_rule_fits_is_refused_with_what_is_known_and_what_to_do(changes, said):
    with pytest.raises(InstanceError, match=rf"^pallets__Flask-1: .*{said}.* Take ") as caught:
        derived(a_row(**changes))
    assert caught.value.fault == "instance"
