"""Logs of real runs, made by logs/make.py and logs/make_others.py, and what is found in them.

Those in logs/written were written by hand, as their README says.
"""

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
from tests.grading.formats import PIECES, Reader

LOGS = Path(__file__).parent / "logs"
READINGS = [
    pytest.param(log, parser, id=f"{log.name}-{parser}")
    for log in sorted(LOGS.glob("*.log"))
    for parser in json.loads(log.with_suffix(".json").read_text())
]
OTHERS = [
    pytest.param(log, Reader(label), id=f"{log.name}-{label}")
    for folder in ("real", "written")
    for log in sorted((LOGS / folder).glob("*.log"))
    for label in json.loads(log.with_suffix(".json").read_text())
]
DEEP = '{"passes": ' + "[" * 99_999 + "]" * 99_999 + "}"
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


@pytest.mark.parametrize(("log", "reader"), OTHERS)
def test_a_log_of_another_runner_says_what_is_beside_it(log, reader):
    expected = json.loads(log.with_suffix(".json").read_text())[reader.label]
    assert reader.parse(log.read_text()) == expected


def test_a_test_of_another_runner_has_the_outcome_that_it_is_named_for():
    """But where SWE-bench errs too: jasmine's list of what is pending looks like failures, and TAP
    says ok of what was skipped, under a name that no instance expects."""
    said = {"pass": TestStatus.PASSED, "fail": TestStatus.FAILED, "skip": TestStatus.SKIPPED}
    named = [
        (log.name, name, status, word.lower())
        for log, reader in (each.values for each in OTHERS)
        for name, status in reader.parse(log.read_text()).items()
        for word in re.findall("pass|fail|skip", name, re.IGNORECASE)[:1]
    ]
    assert len(named) > 150
    assert [one for one in named if one[2] is not said[one[3]]] == [
        ("jasmine.log", "outcomes skips", TestStatus.FAILED, "skip"),
        ("mocha-tap.log", "outcomes is pending # SKIP -", TestStatus.PASSED, "skip"),
    ]


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


@pytest.mark.parametrize(
    ("label", "log", "found"),
    [
        # stricter than swebench on purpose: see docs/parity.md
        ("minitest", "T#t. = 0.00 s = S", {"T#t": "SKIPPED"}),
        ("minitest", "T#t. = 0.00 s = .", {"T#t": "PASSED"}),
        ("minitest", "T#t. = 0.00 s = E", {"T#t": "FAILED"}),
        (
            "doctest",
            '<doctest><TestCase name="c"><SubCase name="s"><Exception/></SubCase></TestCase>'
            "</doctest>",
            {"c > s": "FAILED"},
        ),
        (
            "doctest",
            '<doctest><TestCase name="c"><SubCase name="s"><Message type="FATAL ERROR"/></SubCase>'
            '<SubCase name="t"><Message type="WARNING"/></SubCase></TestCase></doctest>',
            {"c > s": "FAILED", "c > t": "PASSED"},
        ),
        (
            "doctest",
            '<doctest><TestCase name="c"><SubCase name="s"><Expression success="true"><Exception/>'
            "</Expression></SubCase></TestCase></doctest>",
            {"c > s": "PASSED"},
        ),
        # where swebench's parser ends in an error, nothing is found
        ("doctest", '<doctest><TestCase name="c"><SubCase name="s"/></TestCase>', {}),
        ("doctest", '<doctest><TestCase name="c"><SubCase name="s"></TestCase></doctest>', {}),
        ("prismjs", "./node_modules/.bin/mocha tests/run.js --reporter json {", {}),
        ("prismjs", f"./node_modules/.bin/mocha tests/run.js --reporter json {DEEP}", {}),
        ("calypso", " ./node_modules/.bin/jest \n  a\n    ✓ b\n✓ c", {}),
        ("karma", "Starting browser\n      a\n    ✔ b\n    c\n  d", {}),
        # what a bracket may be in
        ("gotest", "--- PASS: T (in brackets) (0.00s)", {"T (in brackets)": "PASSED"}),
        ("googletest", "3: [  FAILED  ] S.T, p = (1) (0 ms)", {"S.T, p = (1)": "FAILED"}),
        ("googletest", "[  FAILED  ] S.T", {}),
        ("redis", "[err]: a in b in tests/c.tcl", {"a in b": "FAILED"}),
        ("redis", "[ok]: a in b", {"a in b": "PASSED"}),
        ("redis", "[exception]: a", {}),
        ("cargo", "test a - should panic ... ok", {}),
        ("cargo", "test a ... ignored", {}),
        ("ruby_unit", "test: a: b:  .: (0.1)", {"a: b": "PASSED"}),
        ("ruby_unit", "test_a:\tO: (0.1)", {"test_a": "SKIPPED"}),
        ("cucumber", "f:1  Scenario: a ..", {"f:1  Scenario: a": "PASSED"}),
        ("cucumber", "f:1  Scenario: a .", {}),
        ("cucumber", "f:1  Scenario: a .F", {"f:1  Scenario: a": "FAILED"}),
        # one build a test; a build's end may overtake the trace of its command
        ("maven", "-Dtest=a\nBUILD SUCCESS\n-Dtest=b", {"a": "PASSED"}),
        ("maven", "BUILD FAILURE\n-Dtest=a", {"a": "FAILED"}),
        ("maven", "-Dtest=a", {}),
        ("gradle_custom", "a.T > m\nWARNING: x\nFAILED", {"a.T > m": "FAILED"}),
        ("gradle_custom", "> Task :test FAILED", {}),
        ("phpunit", "Su (a)\n ↩ t\n ∅ u", {"Su > t": "SKIPPED"}),
        ("carbon", "PASS a.js (5.1 s)\nFAIL b.js (6ms)", {"a.js": "PASSED", "b.js": "FAILED"}),
        ("grommet", "PASS a.js\nFAIL a.js", {"a.js": "PASSED"}),
        ("carbon", "PASS a.js\nFAIL a.js", {"a.js": "FAILED"}),
        ("eslint", "  1) a\n     b:\n\n   TypeError: x Error", {"a b:": "FAILED"}),
        ("eslint", "  1) a\n     b:\n", {}),
        ("p5js", "  1) a\n       b:\n", {"a:b": "FAILED"}),
        ("p5js", "  1) a\n b:\n", {}),
        ("p5js", f"1) {'x' * 999}:", {"x" * 999: "FAILED"}),
        ("p5js", f"1) {'x' * 1000}:", {}),
        ("p5js", "  1) <i>x\n 1) y: </i>a\n     b:", {"a:b": "FAILED"}),
        ("quarto_cli", "[unit] > a ... \x1b[34mINFO", {}),
        ("quarto_cli", "[unit] a ... 32mok\nERRORS\n[unit] b ... 32mok", {"[unit] a": "PASSED"}),
    ],
)  # fmt: skip
def test_a_log_of_a_few_lines_says(label, log, found):
    assert Reader(f"parse_log_{label}").parse(log) == found


def test_names_do_not_outgrow_their_log():
    """A suite's name is before those of its tests: a long one, many times, would be gigabytes."""
    log = f"S{'s' * 100_000} (a)\n" + "".join(f" ✔ {number}\n" for number in range(1000))
    found = Reader("parse_log_phpunit").parse(log)
    assert 0 < sum(map(len, found)) <= 30 * len(log)


@pytest.mark.parametrize(
    ("instance", "known"),
    [
        (an_instance(log_parser="parse_log_lighthouse"), "and '' is no number"),
        (an_instance(log_parser="parse_log_nothing"), "parse_log_jekyll.*parse_log_xarray"),
    ],
)
def test_an_instance_that_no_parser_is_for_is_wrong(instance, known):
    with pytest.raises(InstanceError, match=known):
        parser_of(instance)


@pytest.mark.parametrize("reader", PIECES, ids=lambda reader: reader.label)
@given(data=st.data())
def test_no_log_breaks_a_parser(reader, data):
    pieces = st.sampled_from(PIECES[reader]) | st.text(max_size=3)
    log = "".join(data.draw(st.lists(pieces)))
    assert set(reader.parse(log).values()) <= set(TestStatus)


def test_the_table_of_logs_in_the_docs_is_right():
    parity = (LOGS.parents[2] / "docs" / "parity.md").read_text()
    rows: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for log in sorted(LOGS.rglob("*.log")):
        kind = "written" if log.parent.name == "written" else "real"
        for label, found in json.loads(log.with_suffix(".json").read_text()).items():
            rows.setdefault((label, kind), []).append((log.stem, len(found)))
    for (label, kind), logs in rows.items():
        names, results = ", ".join(name for name, _ in logs), sum(count for _, count in logs)
        row = rf"\| `{re.escape(label)}` \| \w+ \| {kind}: {re.escape(names)} \| {results} \|\n"
        assert re.search(row, parity), (label, kind)
    counted = {
        kind: (
            len({name for (_, k), logs in rows.items() for name, _ in logs if k == kind}),
            sum(count for (_, k), logs in rows.items() for _, count in logs if k == kind),
        )
        for kind in ("real", "written")
    }
    for logs, results in counted.values():
        assert f"{logs} logs, {results} results" in parity
