"""Make the logs in real/ again: the runners of other languages on the suites in projects/others.

    python tests/grading/logs/make_others.py [LOG ...]

For Debian 12 with: golang-go cargo phpunit ruby-test-unit ruby-minitest ruby-shoulda-context
ruby-rspec jq googletest libgtest-dev cmake g++ doctest-dev automake ant ant-optional junit4 maven
libsurefire-java libmaven-resources-plugin-java libmaven-compiler-plugin-java mocha jest node-tape
jasmine (of node-jasmine). A .json beside each log says what the parsers must find in it: made with
them, and read through beside the log.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RSPEC_LINES = r"""jq -r '.examples[] | "\(.description) - \(.id) - \(.status)"'"""
JEST_LINES = (
    r"""jq -r '.testResults[].assertionResults[] | "[" + (.status | ascii_upcase) + "] " + """
    r"""((.ancestorTitles | join(" > ")) + (if .ancestorTitles | length > 0 then " > " else "" """
    r"""end) + .title)'"""
)
MOCHA = "mocha --no-color --require ./marks.js"
# the commands of some projects are in the logs, as parsers look for them in the trace
LOCAL = 'mkdir -p node_modules/.bin tests; ln -sf "$(command -v {0})" node_modules/.bin/{0}'
MVN = "mvn -o -B -Dmaven.repo.local=/usr/share/maven-repo test -Dtest"

# log: (project, what is done before, command)
MADE = {
    "go.log": ("go", "", "go test -v ./..."),
    "cargo.log": ("cargo", "cargo test --offline --no-run", "cargo test --offline --no-fail-fast"),
    "phpunit.log": ("phpunit", "", "phpunit --testdox --colors=never OutcomesTest.php"),
    "test-unit.log": ("test_unit", "", "ruby outcomes.rb -v"),
    "minitest.log": ("minitest", "", "ruby outcomes.rb -v"),
    "rspec.log": (
        "rspec",
        "",
        f"rspec outcomes_spec.rb --no-color --format json | {RSPEC_LINES}",
    ),
    "googletest.log": (
        "googletest",
        "cmake -S . -B build && cmake --build build",
        "ctest --test-dir build -V",
    ),
    "doctest.log": ("doctest", "g++ outcomes.cpp -o outcomes", "./outcomes -s -r=xml"),
    "automake.log": ("automake", "autoreconf -i && ./configure", "make check"),
    "ant.log": ("ant", "", "ant test"),
    "maven.log": (
        "maven",
        "",
        f"({MVN}=OutcomesTest#passes; {MVN}=OutcomesTest#fails) | cat",
    ),
    "mocha-spec.log": ("mocha", "", f"{MOCHA} outcomes.js"),
    "mocha-min.log": ("mocha", "", f"{MOCHA} --reporter min outcomes.js"),
    "mocha-tap.log": ("mocha", "", f"{MOCHA} -R tap outcomes.js"),
    "mocha-lighthouse.log": ("mocha", "", f"echo running 1 test files; {MOCHA} outcomes.js"),
    "mocha-prism.log": (
        "mocha",
        f"{LOCAL.format('mocha')}; cp outcomes.js tests/run.js",
        "./node_modules/.bin/mocha tests/run.js --reporter json",
    ),
    "mocha-json.log": (
        "mocha",
        LOCAL.format("mocha"),
        "./node_modules/.bin/mocha --reporter json outcomes.js",
    ),
    "jest.log": ("jest", "", "jest --verbose outcomes"),
    "jest-json.log": ("jest", "", f"jest outcomes --silent --json | {JEST_LINES}"),
    "jest-files.log": ("jest", "", "jest"),
    "jest-calypso.log": (
        "jest",
        LOCAL.format("jest"),
        "true ./node_modules/.bin/jest outcomes; jest --verbose outcomes",
    ),
    "tape.log": ("tap", "", "tape outcomes.js"),
    "jasmine.log": ("jasmine", "", "jasmine --no-color --random=false outcomes.spec.js"),
}


def main() -> None:
    for log in sys.argv[1:] or MADE:
        project, before, command = MADE[log]
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / "testbed"
            shutil.copytree(HERE / "projects" / "others" / project, folder)
            if before:
                subprocess.run(["bash", "-c", before], cwd=folder, check=True)
            (HERE / "real" / log).write_bytes(ran(command, folder))


def ran(command: str, folder: Path) -> bytes:
    """What it prints, traced as by an eval script."""
    # `-x` at a line's beginning is as an eval script has it; colours are off without a terminal
    done = subprocess.run(
        ["bash", "-c", f"set -x\n{command}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    plain = done.stdout.replace(str(folder).encode(), b"/testbed")
    return re.sub(rb"Finished at: .*", b"Finished at: 2026-01-01T00:00:00Z", plain)


if __name__ == "__main__":
    main()
