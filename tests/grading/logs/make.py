"""Make the logs again: real runners on the suites in projects/, in the sample's image or here.

    python tests/grading/logs/make.py

Beside each log is a .json with what the parsers must find in it; the names of the tests say their
outcomes, so that it can be seen to be right. The image's pytest is 7.2.1, this environment's 9.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
IMAGE = "swebench/sweb.eval.x86_64.swerun-sample_1776_polykit-9:latest"
OUTCOMES, CASES, FUNCTIONS, UNLOADABLE = (
    f"tests/test_{suite}.py" for suite in ("outcomes", "cases", "functions", "unloadable")
)
PYTEST = f"python3 -m pytest -rA -p no:cacheprovider {OUTCOMES}"
UNITTEST = "python3 -m unittest -v"

# log: command
IN_THE_IMAGE = {
    "pytest.log": f"{PYTEST} {UNLOADABLE}",
    "pytest-all.log": PYTEST,
    "pytest-verbose.log": f"{PYTEST} -v --tb=no",
    "pytest-prints.log": f"{PYTEST} -v -s --tb=no -o console_output_style=classic",
    "pytest-colour.log": f"{PYTEST} --color=yes --tb=short",
    "pytest-terminal.log": f'script -qec "{PYTEST} --tb=line" /dev/null',
    "unittest.log": f"{UNITTEST} tests.test_cases tests.test_unloadable",
    "unittest-apart.log": "python3 -u -m unittest -v tests.test_cases",
    "unittest-terminal.log": f'script -qec "{UNITTEST} tests.test_cases" /dev/null',
    "sympy.log": f"bin/test {FUNCTIONS} tests/test_poly.py {UNLOADABLE}",
    "sympy-passes.log": "bin/test tests/test_p*.py",
}
HERE_TOO = {"pytest-9.log": f"{PYTEST} --tb=short"}


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "tests").mkdir()
        for suite in sorted((HERE / "projects").glob("*.py")):
            shutil.copyfile(suite, Path(made) / "tests" / f"test_{suite.name}")
        tar = ["tar", "-C", made, "-cf", "-", "."]
        tree = subprocess.run(tar, capture_output=True, check=True).stdout
        for log, command in HERE_TOO.items():
            keep(log, run_here(command, made))
    for log, command in IN_THE_IMAGE.items():
        keep(log, run_in_the_image(command, tree))


def run_in_the_image(command: str, tree: bytes) -> bytes:
    argv = ["docker", "run", "--rm", "-i", "--network=none", "--env=TERM=xterm", IMAGE]
    shell = ["sh", "-c", f"tar -xf - && PYTHONDONTWRITEBYTECODE=1 {command} 2>&1"]
    done = subprocess.run([*argv, *shell], input=tree, capture_output=True, check=False)
    return done.stdout


def run_here(command: str, folder: str) -> bytes:
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | quiet,
        capture_output=True,
        check=False,
    )
    return done.stdout.replace(folder.encode(), b"/testbed")


def keep(log: str, printed: bytes) -> None:
    """Durations change with every run, and nothing is to be learned from them."""
    (HERE / log).write_bytes(re.sub(rb"in \d+\.\d+s", b"in 0.10s", printed))


if __name__ == "__main__":
    main()
