"""Eval scripts: how one is made to tell its tests' exit code, and how it is run into a log."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from swerun.errors import InstanceError
from swerun.grading.verdict import EXIT_CODE
from swerun.records import END, START

# SWE-bench's name for it: a script that records the exit code itself has the variable already.
CODE = "SWEBENCH_TEST_EXIT_CODE"
HEADER = ("#!/bin/bash", "set -uxo pipefail")
SHORT = 1 << 20  # bytes of a log that a command's own output holds with ease


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept of a log: its first and its last bytes. `head` is a multiple of 1024.

    `patience` is how many seconds the log is waited for once the script has ended.
    """

    head: int = 24 << 20
    tail: int = 8 << 20
    patience: int = 2


def telling(script: str) -> str:
    """`script`, ending with the exit code of its test command, and with it in the log.

    Eval scripts go on after the tests, so their own exit code is not the tests'. The process's
    exit code is what no test can print. A script without an end marker is left as it is. Tracing
    is always on, as in SWE-bench: the markers are no-ops that only the trace shows.
    """
    lines = [line for line in script.strip().split("\n") if line not in HEADER]
    ends = [number for number, line in enumerate(lines) if END in line]
    if ends and not any(f"{CODE}=$?" in line for line in lines):
        lines[ends[0] : ends[0] + 1] = [
            f"{CODE}=$?",
            lines[ends[0]],
            f'echo "{EXIT_CODE}: ${CODE}"',
        ]
    if ends:
        lines.append(f'exit "${CODE}"')
    return "\n".join([*HEADER, *lines]) + "\n"


def prepared(script: str, lines: Sequence[str]) -> str:
    """`script`, with `lines` done last before its tests; as it is where it has no start marker."""
    there = script.split("\n")
    begin = _start(there)
    return script if begin is None else "\n".join([*there[:begin], *lines, *there[begin:]])


def test_command(script: str) -> str:
    """What `script` runs between its markers; "" where it has none."""
    lines = script.split("\n")
    begin = _start(lines)
    after = [] if begin is None else lines[begin + 1 :]
    ends = (number for number, line in enumerate(after) if END in line)
    return "\n".join(after[: next(ends, 0)])


def _start(lines: Sequence[str]) -> int | None:
    """Where the start marker is: the last one, since a test patch in the script may have it too."""
    found = [number for number, line in enumerate(lines) if START in line]
    return found[-1] if found else None


def before_tests(script: str) -> str:
    """The part of `script` before its tests begin; it ends with what its last command ended with.

    Raises InstanceError where no marker says where that is.
    """
    lines = script.split("\n")
    begin = _start(lines)
    if begin is None:
        raise InstanceError(f"its eval script never says {START!r}, where its tests begin")
    return "\n".join(lines[:begin]) + "\n"


def running(folder: str, keeping: Keeping) -> str:
    """The command that runs `folder`/eval.sh into `folder`/head and, past its end, `folder`/tail.

    Its exit code is the script's. It prints what `printed` reads: a log that is short, so that
    there is no need to fetch it. The script writes to a pipe: a test that opens /dev/stdout would
    truncate a file. The head is written as it comes, so that it is there after a time limit. What
    the tests left running may hold the pipe for ever.
    """
    return f"""
mkfifo {folder}/pipe {folder}/ended && exec 3<>{folder}/ended || exit 126
{{
  (trap '' XFSZ; ulimit -f {keeping.head >> 10}; exec cat) >{folder}/head
  tail -c {keeping.tail} >{folder}/tail
  echo >&3
}} <{folder}/pipe 2>/dev/null &
bash {folder}/eval.sh >{folder}/pipe 2>&1 3>&-
code=$?
read -r -t {keeping.patience} -u 3
[ "$(wc -c <{folder}/head)" -gt {min(SHORT, keeping.head - 1)} ] || base64 {folder}/head 2>/dev/null
exit $code
"""


def printed(output: str) -> bytes | None:
    """The log, if the command of `running` printed it."""
    try:
        return base64.b64decode("".join(output.split()), validate=True) or None
    except (binascii.Error, ValueError):
        return None
