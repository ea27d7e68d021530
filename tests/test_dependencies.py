"""Dependencies: bounded, pinned, and audited without ever passing in silence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
WANTED = [
    Requirement(text)
    for texts in (
        PYPROJECT["build-system"]["requires"],
        PYPROJECT["project"]["dependencies"],
        *PYPROJECT["project"]["optional-dependencies"].values(),
    )
    for text in texts
]
LINES = (PROJECT / "constraints.txt").read_text().splitlines()


def pinned():
    pairs = (line.split("==") for line in LINES)
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_each_dependency_has_a_lowest_and_a_highest_version_and_one_that_was_tested(wanted):
    bounds = {each.operator for each in wanted.specifier}
    assert bounds in ({">=", "<"}, {"=="})
    assert wanted.specifier.contains(pinned()[canonicalize_name(wanted.name)])


def test_a_constraint_is_a_name_and_a_version_and_no_address():
    assert [line for line in LINES if not re.fullmatch(r"[\w.-]+==[\w.+!]+", line)] == []


FINE = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["2.1"]}]}
UNMENDED = {"name": "c", "version": "3", "vulns": [{"id": "X-2", "fix_versions": []}]}
UNKNOWN = {"name": "d", "skip_reason": "Dependency not found"}
OWN = {"name": "swerun", "skip_reason": "distribution marked as editable"}


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([FINE, OWN], 0, "1 packages audited, 0 known vulnerabilities\n"),
        ([FINE, BAD], 1, "VULNERABLE: b 2: X-1, mended in 2.1\n2 packages audited, 1 known"),
        ([UNMENDED], 1, "VULNERABLE: c 3: X-2, mended in no version"),
        ([FINE, UNKNOWN, OWN], 0, "NOT AUDITED: d\n1 packages audited"),
        ([UNKNOWN, OWN], 0, "AUDIT SKIPPED: of 1 packages none was known"),
        ([UNKNOWN, BAD], 1, "VULNERABLE: b 2"),
        (None, 0, "AUDIT SKIPPED: no service of advisories could be reached"),
    ],
)
def test_an_audit_fails_for_what_is_known_and_says_what_is_not(found, code, said):
    text = "" if found is None else json.dumps({"dependencies": found, "fixes": []})
    script = [sys.executable, PROJECT / ".ci" / "audit.py"]
    done = subprocess.run(script, input=text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(said)
