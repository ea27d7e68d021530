"""How an eval script is run for the strict rule: with a witness, or with doomed tests."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from shlex import quote
from typing import Literal

from swerun.grading.evaluate import Staging
from swerun.grading.integrity.doomed import Doomed
from swerun.grading.script import test_command
from swerun.records import Answer

DOOMED = "doomed 1"  # the mode of such a run; another number where tests are doomed otherwise
NOTES = "notes"
_PYTEST = re.compile(r"(^|[\s/;&(])(pytest|py\.test)(\s|$)", re.MULTILINE)
_UNITTEST = re.compile(r"-m unittest\b|(^|[\s/])runtests\.py(\s|$)", re.MULTILINE)
_KEEPS_VARIABLES = re.compile(r"(^|\s)tox\s", re.MULTILINE)  # from what it starts

Runner = Literal["pytest", "unittest"]


def runner_of(answer: Answer) -> Runner | None:
    """Which runner the test command is, of those that there is a witness of."""
    command = test_command(answer.eval_script)
    if answer.log_parser == "parse_log_django" and _UNITTEST.search(command):
        return "unittest"
    return "pytest" if _PYTEST.search(command) and not _KEEPS_VARIABLES.search(command) else None


@cache
def witness_source() -> str:
    """What the runner's process loads, before its placeholders are filled in."""
    return files(__package__).joinpath("watching.py").read_text()


def witness_mode(runner: Runner, *, hides: bool) -> str:
    """Of a run with the witness, whichever names it has there."""
    source = hashlib.sha256(witness_source().encode()).hexdigest()
    return f"{runner} {source}{' hides' if hides else ''}"


def with_witness(runner: Runner, token: str, *, hides: bool) -> Staging:
    """Only its own notes begin with `token`. Where it `hides`, pytest's PYTEST_CURRENT_TEST is not
    there, by which code can tell that it is being tested."""
    plain = Staging(notes=NOTES)
    name = "sitecustomize" if runner == "unittest" else f"w{secrets.token_hex(8)}"
    place, notes = f"{plain.folder}/{name}", f"{plain.folder}/{NOTES}"
    source = witness_source()
    filled = {"TOKEN": token, "NOTES": notes, "FOLDER": place, "HIDES": "yes" if hides else "no"}
    for what, value in filled.items():
        source = source.replace(f"@{what}@", value)
    before = [
        'export SWERUN_PYTHONPATH="${PYTHONPATH:-}" SWERUN_PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-}"',
        f'export PYTHONPATH="{place}${{PYTHONPATH:+:$PYTHONPATH}}"',
    ]
    if runner == "pytest":
        before.append(f'export PYTEST_ADDOPTS="-p {name} ${{PYTEST_ADDOPTS:-}}"')
    return replace(plain, files={f"{name}/{name}.py": source.encode()}, before=tuple(before))


def with_doomed(tests: Mapping[str, Doomed]) -> Staging:
    """Test files, by their paths, in the place of those that the script has put there."""
    plain = Staging()
    named = {f"tests/{number}": path for number, path in enumerate(tests)}
    contents = {name: tests[path].source.encode() for name, path in named.items()}
    before = (f"cp {plain.folder}/{name} {quote(path)}" for name, path in named.items())
    return replace(plain, files=contents, before=tuple(before))
