"""Logs of real runs, made by logs/make.py, and what the parsers find in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.errors import InstanceError
from swerun.grading.parsers import PARSERS, parser_of
from swerun.grading.verdict import read_log
from swerun.records import END, START, TestStatus
from tests.fakes import an_instance

LOGS = Path(__file__).parent / "logs"
READINGS = [
    pytest.param(log, parser, id=f"{log.name}-{parser}")
    for log in sorted(LOGS.glob("*.log"))
    for parser in json.loads(log.with_suffix(".json").read_text())
]
# what the name of each test in projects/ says of it
SAID = {
    "passes": TestStatus.PASSED,
    "fails": TestStatus.FAILED,
    "errors": TestStatus.ERROR,
    "skips": TestStatus.SKIPPED,
    "xfails": TestStatus.XFAIL,
}
NAMED = re.compile(rf"\btest_({'|'.join(SAID)})(?=[_\W]|$)")
# Where the parsers say otherwise, as SWE-bench's do. Its verdicts are what ours are compared with.
ALIKE_WRONG = {
    # pytest 9 gives failures of subtests lines of their own, and says PASSED of their test
    ("pytest-9", "::Cases::test_fails_in_subtests"),
    # a message after a dash is part of the name: the error counts for no test
    ("pytest", "::test_errors_at_the_end"),
    # the next test printed a line `ok`, and this one's name was the last before dots
    ("unittest", "test_fails (tests.test_cases.Outcomes.test_fails)"),
    # headlines are for failures and errors alike
    ("sympy", "tests/test_functions.py:test_errors"),
    ("sympy", "tests/test_functions.py:test_errors_deep_down"),
}
# what no parser is given a name or a status of
UNSEEN = {
    "test_passes_and_prints_no_line_end",  # `... no line endok`
    "test_passes_described",  # by its description
    "test_passes_described_with_dots",
    "test_passes_and_prints",
}


def read(log, parser):
    return PARSERS[parser](log.read_bytes().decode())


def erring(log, name):
    known = (one for one in ALIKE_WRONG if log.stem.startswith(one[0]) and name.endswith(one[1]))
    return next(known, None)


@pytest.mark.parametrize(("log", "parser"), READINGS)
def test_a_log_says_what_is_beside_it(log, parser):
    assert read(log, parser) == json.loads(log.with_suffix(".json").read_text())[parser]


def test_a_test_has_the_outcome_that_it_is_named_for_but_where_swebench_errs_too():
    found = set()
    for log, parser in (reading.values for reading in READINGS):
        for name, status in read(log, parser).items():
            said = NAMED.search(name)
            if said and status is not SAID[said[1]]:
                found |= {erring(log, name) or (log.name, parser, name, status)}
    assert found == ALIKE_WRONG


@pytest.mark.parametrize(("log", "parser"), READINGS)
def test_no_test_that_passed_or_failed_goes_unseen(log, parser):
    suite = {"pytest": "outcomes", "unittest": "cases", "sympy": "functions"}
    source = (LOGS / "projects" / f"{suite[log.stem.split('-')[0]]}.py").read_text()
    ran = set(re.findall(r"def (test_(?:passes|fails|errors)\w*)\(", source)) - UNSEEN
    found = " ".join(name for name in read(log, parser))
    if log.stem in ("pytest", "sympy-passes"):  # one of a collection that failed, one without it
        return
    if parser == "parse_log_seaborn":  # takes no errors
        ran = {name for name in ran if not name.startswith("test_errors")}
    assert {name for name in ran if not re.search(rf"\b{name}\b", found)} == set()


@pytest.mark.parametrize(("log", "parser"), READINGS)
def test_line_ends_change_nothing(log, parser):
    text = log.read_bytes().decode().replace("\r\n", "\n")
    wrapped = f"+ : '{START}'\n{text}+ : '{END}'\n"
    unix = read_log(wrapped, PARSERS[parser], 1)
    assert unix.statuses
    for end in ("\r\n", "\r"):
        assert read_log(wrapped.replace("\n", end).encode(), PARSERS[parser], 1) == unix


def test_nothing_of_an_interrupted_collection_passes():
    assert read(LOGS / "pytest.log", "parse_log_pytest") == {
        "tests/test_unloadable.py": TestStatus.ERROR
    }


@pytest.mark.parametrize(
    ("parser", "line", "found"),
    [
        # a line is a result only where its status is one, and it has a name
        ("parse_log_pytest", "PASSEDx tests/a.py::test_a", {}),
        ("parse_log_pytest", "FAILED", {}),
        ("parse_log_pytest", "FAILED - ", {}),
        ("parse_log_pytest", "XPASS tests/a.py::test_a", {}),
        ("parse_log_pytest", " PASSED tests/a.py::test_a", {}),
        ("parse_log_pytest", "SKIPPED [12] tests/a.py:3: reason", {}),
        ("parse_log_pytest", "PASSED [ 10%]", {"[": "PASSED"}),  # expected of two instances
        ("parse_log_pytest", "SKIPPED tests/a.py::test_a", {"tests/a.py::test_a": "SKIPPED"}),
        ("parse_log_pytest", "FAILED a.py::t - x - y", {"a.py::t": "FAILED"}),
        ("parse_log_pytest", "PASSED a.py::t[b - c]", {"a.py::t[b": "PASSED"}),
        ("parse_log_pytest_options", "PASSED a.py::t[/b/c]", {"a.py::t[/c]": "PASSED"}),
        ("parse_log_pytest_options", "PASSED a.py::t[//b/c]", {"a.py::t[//b/c]": "PASSED"}),
        ("parse_log_pytest_options", "PASSED a.py::t[/b/*]", {"a.py::t[/b/*]": "PASSED"}),
        ("parse_log_pytest_options", "PASSED a.py::t[b/c]", {"a.py::t[b/c]": "PASSED"}),
        ("parse_log_pytest_options", "PASSED a.py::t", {"a.py::t": "PASSED"}),
        ("parse_log_pytest_v2", "PASSED a.py::t[b c]", {"a.py::t[b c]": "PASSED"}),
        ("parse_log_pytest_v2", "PASSED a.py::t[b  c]", {"a.py::t[b c]": "PASSED"}),
        ("parse_log_pytest_v2", "a.py::t[b c] PASSED", {"a.py::t[b c]": "PASSED"}),
        ("parse_log_pytest_v2", "a.py::t notPASSED", {}),
        ("parse_log_pytest_v2", "PASSED", {}),
        ("parse_log_pytest_v2", "\x1b[32mPASSED\x1b[0m a.py::t\x1b[0m", {"a.py::t": "PASSED"}),
        ("parse_log_pytest_v2", "FAILED a.py::t[b c] - d - e", {"a.py::t[b c]": "FAILED"}),
        ("parse_log_matplotlib", "PASSED a.py::t[MouseButton.LEFT]", {"a.py::t[1]": "PASSED"}),
        ("parse_log_matplotlib", "FAILED a.py::t[MouseButton.RIGHT]", {"a.py::t[3]": "FAILED"}),
        ("parse_log_seaborn", "a.py::t PASSED [ 10%]", {"a.py::t": "PASSED"}),
        ("parse_log_seaborn", "a.py::t[b c] PASSED [ 10%]", {}),
        ("parse_log_seaborn", "FAILED a.py::t - why", {"a.py::t": "FAILED"}),
        ("parse_log_seaborn", "PASSED a.py::t", {"a.py::t": "PASSED"}),
        ("parse_log_seaborn", "FAILED", {}),
        ("parse_log_sympy", "test_a ok", {"test_a": "PASSED"}),
        ("parse_log_sympy", "test_a F", {"test_a": "FAILED"}),
        ("parse_log_sympy", "test_a E", {"test_a": "ERROR"}),
        ("parse_log_sympy", "  test_a[3] ok", {"test_a[3]": "PASSED"}),
        ("parse_log_sympy", "test_a f", {}),
        ("parse_log_sympy", "a_test ok", {}),
        ("parse_log_sympy", "____ sympy/a.py:test_a ____", {"sympy/a.py:test_a": "FAILED"}),
        ("parse_log_django", "test_a (a.T) ... ok", {"test_a (a.T)": "PASSED"}),
        ("parse_log_django", "test_a (a.T) ...  OK", {"test_a (a.T)": "PASSED"}),
        ("parse_log_django", "test_a (a.T) ... skipped 'no'", {"test_a (a.T)": "SKIPPED"}),
        ("parse_log_django", "test_a (a.T) ... FAIL", {"test_a (a.T)": "FAILED"}),
        ("parse_log_django", "test_a (a.T) ... expected failure", {}),
        ("parse_log_django", "FAIL: test_a (a.T)", {"test_a": "FAILED"}),
        ("parse_log_django", "test_a (a.T) ... ok\nFAIL:", {}),
        ("parse_log_django", "test_a (a.T) ... ok\nERROR:nothing", {}),
        ("parse_log_django", "test_a (a.T) ... said\nok", {"test_a (a.T)": "PASSED"}),
        ("parse_log_django", "ok", {}),
        (
            "parse_log_django",
            "test_a (a.T) ... Internal Server Error: /b/\nok",
            {"test_a (a.T)": "PASSED"},
        ),
        (
            "parse_log_django",
            "x\ntest_a (a.T) ... Testing against Django installed in '/d'\nwith\n(0 silenced).\nok",
            {"test_a (a.T)": "PASSED"},
        ),
        (
            "parse_log_django",
            "test_a (a.T) ... System check identified no issues (0 silenced)\nok",
            {"test_a (a.T)": "PASSED"},
        ),
        (
            "parse_log_django",
            "  Applying sites.0002_alter_domain_unique...test_no_migrations (a.T) ... ok",
            {"test_no_migrations (a.T)": "PASSED"},
        ),
        (
            "parse_log_django",
            "--version is equivalent to version ... ",
            {"--version is equivalent to version": "PASSED"},
        ),
    ],
)  # fmt: skip
def test_a_line_says(parser, line, found):
    assert PARSERS[parser](f"{line}\n") == found


def test_a_later_result_counts_and_not_the_first():
    log = "PASSED a.py::t\nFAILED a.py::t - at the end\n"
    assert PARSERS["parse_log_pytest"](log) == {"a.py::t": "FAILED"}


def test_a_parser_that_is_unknown_is_answered_with_those_there_are():
    with pytest.raises(InstanceError, match=r"no parser 'parse_log_cobol'.*parse_log_django"):
        parser_of(an_instance(log_parser="parse_log_cobol"))


PIECES = ["PASSED", "FAILED", "ok", "FAIL:", "ERROR", " ... ", "test_a", " - ", "[", "]", " ", "\n"]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@pytest.mark.parametrize("parser", sorted(PARSERS))
@given(log=TEXTS)
def test_no_log_breaks_a_parser(parser, log):
    assert set(PARSERS[parser](log).values()) <= set(TestStatus)
