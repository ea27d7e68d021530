"""What the logs of each parser are made of: whole lines of its runner, and pieces of such lines.

The differential test puts them together in every order, whole and broken.
"""

from __future__ import annotations

from dataclasses import dataclass

from swerun.grading.parsers import Parser, parser_of
from swerun.records import Instance, TestStatus
from tests.fakes import an_instance

# swebench tells the runners of these repositories apart by the number of the instance
NUMBERS = {
    "parse_log_jekyll": "jekyll__jekyll-8047",
    "parse_log_jekyll cucumber": "jekyll__jekyll-8761",
    "parse_log_immutable_js": "immutable-js__immutable-js-2006",
    "parse_log_immutable_js --json": "immutable-js__immutable-js-2005",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """A parser's name, and after a blank what tells the runner, where a name stands for several."""

    label: str

    def instance(self, **answer: object) -> Instance:
        """The word is the version and the eval script: no parser asks for both."""
        name, _, word = self.label.partition(" ")
        made = an_instance(log_parser=name, eval_script=word, **answer)
        return made.model_copy(update={"version": word})

    @property
    def parse(self) -> Parser:
        return parser_of(self.instance())

    def case(self, log: str) -> dict[str, object]:
        """As ask_swebench.py takes it."""
        name, _, word = self.label.partition(" ")
        number = NUMBERS.get(self.label, "org__repo-1")
        return {"log": log, "parser": name, "version": word, "instance_id": number}


PYTEST = [
    *TestStatus, "XPASS", " - ", "[1]", "[ 10%]", "[100%]", "[", "]", "[/a/b]", "[//a/b]", "*",
    " ", "MouseButton.LEFT", "\x1b[31m", "\x1b[0m", "PASSED a.py::t\n", "FAILED a.py::t - why\n",
    "ERROR a.py\n", "SKIPPED [2] a.py:3: no\n", "XFAIL a.py::t[x - y]\n",
    "a.py::t PASSED [ 10%]\n", "a.py::t[a b] FAILED\n", "PASSED a.py::u[/a/b]\n",
    "\x1b[32mPASSED\x1b[0m a.py::t\x1b[1m::v\n",
]  # fmt: skip
UNITTEST = [
    "ok", " ... ok", " ... OK", " ...  OK", " ... skipped 'x'", " ... FAIL", " ... ERROR", " ... ",
    "FAIL: ", "ERROR: ", "test_a (a.T)", "test_b (a.T) ... ok\n", "test_c (a.T) ... ",
    "--version is equivalent to version", "Applying sites.0002_alter_domain_unique...",
    "Applying sites.0002_alter_domain_unique...test_no_migrations",
    "Internal Server Error: /a/\nok", "System check identified no issues (0 silenced)\nok\n",
    "\nFAIL: test_a (a.T)\n", "\nok\n", "Testing against Django installed in ", "'/d' with\n",
    " (0 silenced).\nok\n", "silenced).\nok",
]  # fmt: skip
SYMPY = [
    "test_", "test_a ok\n", "test_b F\n", "test_c E\n", "test_d[3] ok", " ok", " F", " E", ".py:",
    "____ a/b.py:test_a ____\n", " ", "_", "a.py:b ", "f",
]  # fmt: skip
GO = [
    "--- SKIP: T (0.00s)\n", "--- PASS: T (0.00s)\n", "--- PASS: ", "--- FAIL: ", "--- SKIP: ",
    "    --- PASS: T/sub (0.00s)\n", "--- FAIL: T (1s)\n", "T", " (", ")", "(0.00s)", "()",
    "=== RUN   T\n", "ok  \tpkg\t0.1s\n",
]  # fmt: skip
CARGO = [
    "--- SKIP: T (0.00s)\n", "--- PASS: T (0.00s)\n", "test ", "test a::b ... ok\n",
    "test a::c ... FAILED\n", "test a ... ignored\n", " ... ", "ok", "FAILED", "a::b", "\t",
    "test a - should panic ... ok\n", "test result: ok.\n",
]  # fmt: skip
JQ = [
    "FAIL: tests/a\n", "PASS: ", "FAIL: ", "XFAIL: ", "SKIP: a\n", "PASS: tests/a\n",
    "  FAIL: tests/a\n", "tests/b", "PASS", "FAIL", ":", " ",
]  # fmt: skip
MICROPYTHON = [
    "pass  ", "FAIL  ", "skip  ", "pass  basics/a.py\n", "FAIL  basics/a.py\n", "\t",
    "skip  basics/b.py\n", "1 tests passed\n", "lfail  a.py\n",
]  # fmt: skip
GOOGLETEST = [
    "[       OK ] ", "[  FAILED  ] ", "[ RUN      ] S.a\n", "[       OK ] S.a (0 ms)\n",
    "2: [  FAILED  ] S.a (1 ms)\n", "[OK]", "[ OK ]", " (", ")", "S.a", "[", " ", "(1 ms)",
    "[  FAILED  ] S/0.a, where GetParam() = (1, 2) (3 ms)\n", "[  PASSED  ] 2 tests.\n",
]  # fmt: skip
REDIS = [
    "[skip]: a b\n", "[ignore]: a b\n", "[ok]: ", "[err]: ", "[skip]: ", "[ignore]: ",
    "[ok]: a b (3 ms)\n", " in ", "tests/unit.tcl", "[err]: a b in tests/unit/a.tcl\n", "(3 ms)",
    "(3", " ms)", "(12s)", " ", "[exception]: x\n",
]  # fmt: skip
TAP = [
    "ok 1 ", "not ok 2 ", "ok 1 a b\n", "not ok 2 - a b\n", "# tests 3\n", "1..3\n", "ok ", "not ",
    "ok 3 a # SKIP\n", "ok", "3 ",
]  # fmt: skip
ANT = [
    "[junit] ", "    [junit] [PASS] a.T\n", "[junit] [FAIL] a.T\n", "[junit]  [ERR]  b\n",
    "[PASS]", "[FAIL]", "[ERR] ", "[junit]", " ", "a",
]  # fmt: skip
MAVEN = [
    "+ mvnd test -Dtest=A#a\n", "+ mvnd test -Dtest=B#b\n", "-Dtest=", "[INFO] BUILD SUCCESS\n",
    "[INFO] BUILD FAILURE\n", "BUILD SUCCESS", "BUILD FAILURE", "BUILD ", "C#c", " ",
]  # fmt: skip
GRADLE = [
    "a.T > m PASSED\n", "a.T > m FAILED\n", "a.T > m\n", "PASSED\n", "FAILED\n", "PASSED", " ",
    "FAILED", ">", " > ", "a.T", "WARNING: x\n", "x", "> Task :test FAILED\n", "b.T > m SKIPPED\n",
    "xPASSED\n",
]  # fmt: skip
PHPUNIT = [
    "A Suite (a\\Suite)\n", "B (c)\n", " ✔ Does it\n", " ✘ Does it\n", " ↩ Does that\n", "✔", "✘",
    "↩", " (", ")", " ", "   │ why\n", "Time: 00:01\n", "é (x)\n",
]  # fmt: skip
DOCTEST = [
    '<doctest binary="t">\n', "</doctest>\n", '<TestCase name="a">\n', "</TestCase>\n",
    '<SubCase name="s">\n', "</SubCase>\n", '<SubCase name="s"/>', "<SubCase/>", "<", "&",
    '<Expression success="true"/>\n', '<Expression success="false"/>\n', "<Expression/>\n",
    '<SubCase name="s"><Expression success="true"/></SubCase>\n',
    '<SubCase name="s"><Expression success="false"/></SubCase>\n',
    '<SubCase name="t"><SubCase name="s"><Expression success="false"/></SubCase></SubCase>\n',
    '<SubCase name="t"><SubCase name="t"/></SubCase>\n',
    '<SubCase name="t"><Exception crash="false">x</Exception></SubCase>\n',
    '<SubCase name="u"><Message type="FATAL ERROR"/></SubCase>\n',
    '<SubCase name="u"><Message type="WARNING"/></SubCase>\n',
    '<SubCase name="t"><Expression success="true"><Exception/></Expression></SubCase>\n',
    '</TestCase><TestCase name="b">', "</TestCase><TestCase>", "</TestSuite><TestSuite>",
]  # fmt: skip
MINITEST = [
    "T#test_a. = 0.01 s = .\n", "T#test_a. = 0.01 s = F\n", "T#test_b: c. = 1.00 s = E\n",
    "T#test_a. = 0.00 s = S\n", "T#test_c = 0.00 s = .\n", ". ", " = ", "=", ".", "F", "E", "S",
    "T#test_d",
]  # fmt: skip
CUCUMBER = [
    "a.feature:3  Scenario: b ....\n", "a.feature:3  Scenario: b ..F--\n", " .", " ..", ".", "F",
    "a.feature:9  Scenario: c ....\n", " ", "-", "U", "1 scenario (1 passed)\n",
]  # fmt: skip
TEST_UNIT = [
    "  test_a:\t.: (0.001)\n", "  test_a:\tF\n", "  test_b:\tE\n", "  test_c:\tO: (0.1)\n",
    "test: a b:  .: (0.1)\n", "test: ", ":", ": ", ".", "F", "E", "O", "P", "\t", "F: test_a(T)\n",
    ":\tFx\n",
]  # fmt: skip
RSPEC = [
    "does it - passed\n", "does it - failed\n", "does it - ./a_spec.rb[1:1] - passed\n", " - ",
    "-", "does that - pending\n", "passed", "failed", "pending", "does it",
]  # fmt: skip
JEST = [
    "    ✓ does it (5 ms)\n", "    ✕ does it (5 ms)\n", "  ○ skipped that\n", "✓ ", "✕ ", "○ ",
    "(5 ms)", "(12s)", " (", " ", "does it", "Tests: 1 failed\n", "(5ms)", "\t",
]  # fmt: skip
JEST_JSON = [
    "[PASSED] a > b\n", "[FAILED] a > b\n", "[PENDING] c\n", "[PASSED]", "[FAILED]", " ", "a",
]  # fmt: skip
VITEST = [
    " ✓ a.ts > b > c 5ms\n", " \u00d7 a.ts > b > c 5ms\n", " ↓ a.ts > d [skipped]\n", "✓ ",
    "\u00d7 ", "↓ ", " 5ms", " 5", " 5 m", " [skipped]", "a", " ",
]  # fmt: skip
FILES = [
    "PASS src/a.js (5.1 s)\n", "FAIL src/a.js (5.1s)\n", "PASS src/b.js (12ms)\n",
    "FAIL src/b.js\n", "PASS ", "FAIL ", " (1s)", " (2 s)", " (3ms)", "PASS", "FAIL", " ", "a.js",
]  # fmt: skip
CALYPSO = [
    "+ ./node_modules/.bin/jest a\n", " ./node_modules/.bin/jest ", "PASS a.js\n", "  a\n",
    "    b\n", "    ✓ does it (5ms)\n", "      ✕ does it (5ms)\n", "    ✓ does that\n",
    "  ● a \u203a b\n", "✓ ", "✕ ", " ", "(5ms)", "Test Suites: 1\n", "  \n", "c",
]  # fmt: skip
HIGHLIGHT = [
    "  hljs\n", "    ✓ does it (5ms)\n", "    ✔ does it\n", "    1) does it\n",
    "      2) that (7ms)\n", "\n  3 passing (1s)\n", "  1 failing\n", "✓", "✔", "1)", " ", "(5ms)",
    "    deeper\n", "\n", "  \n",
]  # fmt: skip
PRISM = [
    "+ ./node_modules/.bin/mocha tests/run.js --reporter json\n", "{", "}", "x",
    '"failures": [],\n', '"passes": [],\n', '"passes": [{"fullTitle": "a b"}],\n',
    '"failures": [{"fullTitle": "a b"}, {"fullTitle": "c"}],\n',
    '"passes": [{"fullTitle": "c"}],\n', '"failures": [{}],', '"passes": [1],', '"failures": 1,',
    '"stats": {"suites": 3},\n',
    './node_modules/.bin/mocha tests/run.js --reporter json {"failures": [], "passes": []}',
]  # fmt: skip
LIGHTHOUSE_JSON = [
    "+ ./node_modules/.bin/mocha --reporter json a\n", '  "passes": [\n', '"failures": [\n',
    '    "fullTitle": "a b",\n', '    "fullTitle": "c d",\n', "  ],\n", "  ]\n", '"fullTitle": "',
    '",\n', "]", "],", '"',
]  # fmt: skip
LIGHTHOUSE = [
    "running 3 test files\n", "  a\n", "    b\n", "      ✔ does it (5ms)\n", "    ✔ does that\n",
    "    1) does it\n", "  2) that (5mms)\n", "  12 passing (1s)\n", "✔ ", "1) ", " ", "(5ms)",
    "12 passing", "  \n", "running 1 test files", "c",
]  # fmt: skip
CYPRESS = [
    "  Running:  a.js  (1 of 2)\n\n\n  A suite\n", "  Running:  b.js  (2 of 2)\n\n\n  B\n",
    "Running:", "    ✓ does it (5ms)\n", "    1) does it\n", "    ✓ that (x) (7ms)\n", ")",
    "\n\n\n", "  ", "\n", "✓ ", "1) ", "(", "    ", "  3 passing\n",
]  # fmt: skip
NEXT = [
    "+ xvfb-run npm test\n", " xvfb-run ", "Starting browser Chrome\n", "  A\n", "    B\n", "\n\n",
    "      ✓ does it\n", "      ✗ does it\n", "    ✓ that\n", "TOTAL: 3 SUCCESS\n", "LOG: 'x'\n",
    "  ERROR x\n", "  inside\n", "AssertionError: #<div>\n", "AssertionError:", "#", "✓", "✗",
    "\x1b[32m", "\x1b[0m", " ", "  \n",
]  # fmt: skip
KARMA = [
    "  A\n    B\n    C\n      ✔ d\n", "Starting browser Chrome\n", "  A\n", "    B\n", "      C\n",
    "    ✔ does it\n", "    ✖ does it\n", "SUMMARY:\n", "✔", "✖", " ", "   \n", "✔ x\n", "  ✔x\n",
    "\n", "a",
]  # fmt: skip
BPMN = [
    "2KPhantomJS 2.1 (Linux 0.0.0) a b FAILED\n", "2KPhantomJS 2.1 (Linux x86_64) a b FAILED\n",
    "Chrome Headless 9.0 (Linux x86_64) a b FAILED\n",
    "HeadlessChrome 9.0 (Linux 0.0.0) a c FAILED\n", "2KPhantomJS 2.1 (Linux 0.0.0) ",
    "Chrome Headless ", " (Linux x86_64) ", "FAILED\n", "FAILED",
    "HeadlessChrome 9.0 (Linux 0.0.0) ", " ", "a", "Executed 3 of 3 SUCCESS\n",
]  # fmt: skip
OPENLAYERS = [
    "Chrome Headless 9.0 (Linux x86_64) a  b FAILED\n", "Chrome 9.0 (Linux x86_64) a b FAILED\n",
    "HeadlessChrome 9.0 (Linux 0.0.0) c FAILED\n", "  1) a\n     b:\n", "   Error: x\n", "Error:",
    "case a/main.js: mismatch 0.1\n", "case b': ok\n", "case ", ": mismatch", "FAILED\n", " ",
    "1)", "Chrome Headless 9.0 (Linux x86_64) ", "Chrome 9.0 (Linux x86) ", "FAILED", "\n  2)",
]  # fmt: skip
CHART = [
    "Chrome 9.0 (Linux x86_64) a b FAILED\n", "\x1b[31mChrome 9.0 (Linux) a b FAILED\x1b[39m\n",
    "(", ")", "Chrome 9.0 (", ") ", "FAILED\n", "FAILED", " ", "Chrome ", "9.0", "a", "\tFAILED\n",
    "\x1b[1A",
]  # fmt: skip
MARKED = [
    "1) a b\n", "  Message:\n", "2) c \n", "3)x\n", " 4) d\n", "12 specs, 1 failure\n", "1)", " ",
    "a",
]  # fmt: skip
ESLINT = [
    "  1) a\n       b:\n", "\n     AssertionError: x\n", "  2) c Error\n", "  1)", "Error", " ",
    "\n", "a", "   3)", "TypeError [E]: y\n", "\t", "at x (y:1:2)\n", "1)",
]  # fmt: skip
P5JS = [
    "  1) a\n       b\n         c:\n", "  2) d:\n", "     Error: x\n", "{\n", "}\n", "[\n", "]\n",
    "x: {\n", ":", "<b>", "</b>", "<b", "<i>", "</i>", "{ x }\n", "[1]\n", "\n", " ", "  ", "3)",
    "a", "x" * 998, "\x1b[0m", "<p>\n", "</p>\n",
]  # fmt: skip
QUARTO = [
    "[smoke] > a.qmd ... \x1b[0m\x1b[32mok\x1b[0m (1s)\n",
    "[smoke] > a.qmd ... \x1b[31mFAILED\x1b[0m\n", "[unit] - b ...\n",
    "[smoke] > /tmp/x1.qmd ... \x1b[32mok\n", "[smoke] /tmp/y2/z ... \x1b[32mok\n", "ERRORS\n",
    "failures:\n", "test result: ok\n", "[unit] passed failed steps\n", "[smoke]", "...", "32mok",
    "[unit] 34mINFO x\n", "31mFAILED", " ", "/tmp/x1/", "/tmp/y2.qmd", "\n", "b",
]  # fmt: skip

PIECES_OF: dict[str, list[str]] = {
    "ant": ANT, "astroid": PYTEST, "astropy": PYTEST, "bpmn_js": BPMN, "calypso": CALYPSO,
    "carbon": FILES, "cargo": CARGO, "chart_js": CHART, "cucumber": CUCUMBER, "django": UNITTEST,
    "doctest": DOCTEST, "eslint": ESLINT, "flask": PYTEST, "googletest": GOOGLETEST, "gotest": GO,
    "gradle_custom": GRADLE, "grommet": FILES, "highlightjs": HIGHLIGHT, "jest": JEST,
    "jest_json": JEST_JSON, "jq": JQ, "karma": KARMA, "marked": MARKED, "marshmallow": PYTEST,
    "matplotlib": PYTEST, "maven": MAVEN, "micropython_test": MICROPYTHON, "minitest": MINITEST,
    "openlayers": OPENLAYERS, "p5js": P5JS, "phpunit": PHPUNIT, "prismjs": PRISM, "pvlib": PYTEST,
    "pydicom": PYTEST, "pylint": PYTEST, "pytest": PYTEST, "pytest_options": PYTEST,
    "pytest_v2": PYTEST, "pyvista": PYTEST, "quarto_cli": QUARTO, "react_pdf": FILES,
    "redis": REDIS, "requests": PYTEST, "rspec_transformed_json": RSPEC, "ruby_unit": TEST_UNIT,
    "scikit": PYTEST, "seaborn": PYTEST, "sphinx": PYTEST, "sqlfluff": PYTEST, "sympy": SYMPY,
    "tap": TAP, "vitest": VITEST, "xarray": PYTEST, "immutable_js": JEST,
    "immutable_js --json": JEST_JSON, "jekyll": MINITEST, "jekyll cucumber": CUCUMBER,
    "lighthouse 10.0": LIGHTHOUSE, "lighthouse 2.1": LIGHTHOUSE_JSON, "lighthouse 3.0": FILES,
    "next 1.0": NEXT, "next 1.27": CYPRESS,
}  # fmt: skip
PIECES = {Reader(f"parse_log_{label}"): pieces for label, pieces in PIECES_OF.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """What must be around pieces for a parser to look at them, and which of them may be there."""

    before: str = ""
    after: str = ""
    pieces: tuple[str, ...] = ()


FRAMES: dict[str, list[str]] = {
    "parse_log_calypso": Frame(" ./node_modules/.bin/jest \n"),
    "parse_log_doctest": Frame(
        '<doctest><TestSuite><TestCase name="a">',
        "</TestCase></TestSuite></doctest>\n",
        # those that leave open what was open
        tuple(one for one in DOCTEST if one.count("</") == one.count("<") / 2 or "/>" in one),
    ),
    "parse_log_karma": Frame("Starting browser\n"),
    "parse_log_lighthouse 10.0": Frame("running 1 test files\n  a\n"),
    "parse_log_lighthouse 2.1": Frame("./node_modules/.bin/mocha --reporter json\n"),
    "parse_log_next 1.0": Frame(" xvfb-run \n"),
    "parse_log_next 1.27": Frame("Running: a)\n\n\n  A\n"),
    "parse_log_prismjs": Frame(
        f'{PRISM[0]}{{"passes": [], "failures": [],',
        '"end": 0}\n',
        tuple(one for one in PRISM if one.endswith(",\n")),
    ),
}  # fmt: skip
