"""Which patches are looked at twice, and what is left of them then."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swerun.grading.integrity.flags import flags_of, neutralised
from swerun.grading.integrity.rules import WHY
from swerun.grading.integrity.sections import sections_of
from swerun.instances.subsets import load_instances, load_subset
from swerun.records import END, START
from tests.fakes import an_instance
from tests.grading.integrity.diffs import adding, diff
from tests.instances.conftest import published_file

__all__ = ["published_file"]
GOLD = diff("pkg/a.py", "x = 1\n", "x = 2\n")
TESTS = diff("tests/test_a.py", "assert 1\n", "assert 2\n") + adding("tests/test_b.py", "assert 3")


def answer_of(command="python3 -m pytest -rA tests/test_a.py tests/test_b.py", gold=GOLD):
    script = f"cd /testbed\n: '{START}'\n{command}\n: '{END}'\n"
    return an_instance(gold_patch=gold, test_patch=TESTS, eval_script=script).answer


ANSWER = answer_of()


def rules(patch, answer=ANSWER):
    return {flag.rule for flag in flags_of(patch.encode(errors="surrogateescape"), answer)}


def left_out(patch, answer=ANSWER):
    return neutralised(patch.encode(), answer)[1]


def test_an_honest_fix_has_no_flag():
    more = "def f(xs):\n    return sorted(set(xs), key=lambda x: (len(x), x))\n"
    assert (
        rules(GOLD + adding("pkg/b.py", more) + adding("docs/news.rst", "pytest sees it")) == set()
    )


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("conftest.py", "conftest"),
        ("pkg/sub/conftest.py", "conftest"),
        ("pytest.ini", "settings"),
        (".pytest.ini", "settings"),
        ("tox.ini", "settings"),
        ("setup.cfg", "settings"),
        ("setup.py", "settings"),
        ("pyproject.toml", "settings"),
        ("Makefile", "settings"),
        ("web/jest.config.ts", "settings"),
        ("package.json", "settings"),
        ("Cargo.toml", "settings"),
        ("sitecustomize.py", "start-up"),
        ("src/usercustomize.py", "start-up"),
        ("src/a.pth", "start-up"),
        ("pkg.egg-info/entry_points.txt", "plug-in"),
        ("pkg-1.0.dist-info/RECORD", "plug-in"),
        ("pytest_pkg.py", "plug-in"),
        ("src/_pytest/runner.py", "runner"),
        ("runtests.py", "runner"),
        ("bin/test", "runner"),
        ("django/test/runner.py", "runner"),
        ("sympy/testing/runtests.py", "runner"),
        ("tests/__init__.py", "test"),
        ("tests/helpers.py", "test"),
        ("pkg/tests/data.json", "test"),
        ("src/thing.test.ts", "test"),
        ("lib/thing_spec.rb", "test"),
        ("server/src/ThingTest.java", "test"),
        (".github/workflows/ci.yml", "ci"),
        (".travis.yml", "ci"),
        ("requirements-dev.txt", "environment"),
        ("lib/python3/site-packages/pytest/__init__.py", "environment"),
        ("node_modules/jest/index.js", "environment"),
        ("pkg/fast.so", "compiled"),
        ("pkg/__pycache__/a.cpython-311.pyc", "compiled"),
        ("pytest.py", "shadow"),
        ("src/unittest/__init__.py", "shadow"),
        ("traceback.py", "shadow"),
        ("tests/fractions.py", "shadow"),
        (".gitattributes", "git"),
        (".git/hooks/post-checkout", "git"),
    ],
)
def test_a_file_that_decides_outcomes_is_flagged_and_left_out(path, rule):
    patch = GOLD + adding(path, "x")
    assert rule in rules(patch)
    assert left_out(patch) == (path,)
    assert neutralised(patch.encode(), ANSWER)[0] == GOLD.encode()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("import pytest", "framework"),
        ("from _pytest import runner", "framework"),
        ("raise unittest.SkipTest", "framework"),
        ("def pytest_runtest_makereport(item, call): pass", "framework"),
        ("TestCase.assertEqual = lambda *a: None", "framework"),
        ("if 'PYTEST_CURRENT_TEST' in e: pass", "watched"),
        ("os._exit(0)", "exit"),
        ("from os import _exit as leave", "exit"),
        ("import atexit", "exit"),
        ("raise SystemExit(0)", "exit"),
        ("    def __del__(self): pass", "exit"),
        ("sys.settrace(f)", "trace"),
        ("frame.f_back.f_locals", "trace"),
        ("gc.get_objects()", "trace"),
        ("import ctypes", "trace"),
        ("os.fork()", "system"),
        ("import subprocess", "system"),
        ("s = sys", "system"),
        ("open('x', 'w')", "system"),
        ("'/proc/self/fd/1'", "system"),
        ("print('>>>>> End Test Output')", "evaluation"),
        ("x = '/tmp/eval.sh'", "evaluation"),
        ("for f in glob('tests/test_*.py'): pass", "evaluation"),
        ("print('PASSED ' + name)", "evaluation"),
        ("m = sys.modules", "replaced"),
        ("builtins.isinstance = f", "replaced"),
        ("setattr(thing, 'outcome', f)", "replaced"),
        ("f.__globals__['x'] = 1", "replaced"),
        ("exec(blob)", "hidden"),
        ("__import__('py' + 'test')", "hidden"),
        ("getattr(s, 'mod' + 'ules')", "hidden"),
        ("base64.b64decode(x)", "hidden"),
        ("''.join(chr(c) for c in cs)", "hidden"),
        ("    def __eq__(self, other): return True", "always"),
    ],
)
def test_code_that_could_decide_outcomes_is_flagged_but_stays(line, rule):
    patch = GOLD + adding("pkg/b.py", f"x = 1\n{line}")
    found = flags_of(patch.encode(), ANSWER)
    assert [f for f in found if (f.rule, f.path, f.line) == (rule, "pkg/b.py", line.strip())]
    assert left_out(patch) == ()


def test_only_added_lines_count_and_no_comments():
    assert rules(diff("pkg/b.py", "import pytest\nx = 1\n", "# sys.modules\nx = 2\n")) == set()


def test_a_link_is_left_out_wherever_it_is():
    for path in ("docs/link", "tests/test_a.py", "pkg/a.py"):
        patch = adding(path, "../../etc", mode="120000")
        assert ("link" in rules(patch), left_out(patch)) == (True, (path,))


def test_what_the_evaluation_puts_in_place_itself_is_no_flag():
    assert rules(diff("tests/test_a.py", "assert 1\n", "import pytest\n")) == set()
    assert left_out(diff("tests/test_a.py", "assert 1\n", "assert True\n")) == ()


def test_what_the_gold_patch_changes_too_is_flagged_and_stays():
    answer = answer_of(gold=GOLD + diff("setup.cfg", "a\n", "b\n"))
    patch = diff("setup.cfg", "a\n", "c\n") + adding("tox.ini", "x")
    assert rules(patch, answer) == {"settings"}
    assert left_out(patch, answer) == ("tox.ini",)


def test_the_commands_own_files_are_the_runner():
    answer = answer_of("./ci/go.sh tests/test_a.py")
    assert rules(adding("ci/go.sh", "true"), answer) == {"runner"}


@pytest.mark.parametrize(
    ("command", "path", "more", "flagged"),
    [
        ("pytest tests/test_a.py", "tests/test_new.py", "", False),
        ("pytest tests/test_a.py", "test_new.py", "", False),
        ("pytest tests", "tests/test_new.py", "", True),
        ("pytest tests/test_a.py tests/sub/", "tests/sub/test_new.py", "", True),
        ("pytest", "tests/test_new.py", "", True),
        ("tox", "tests/test_new.py", "", True),
        ("python -m unittest tests.test_a", "tests/test_new.py", "", False),
        ("python -m unittest tests.test_a sub.tests", "sub/tests/test_new.py", "", True),
        ("./tests/runtests.py sub sub.test_a", "tests/sub/test_new.py", "", True),
        ("pytest tests/test_a.py tests/test_new.py", "tests/test_new.py", "", True),
        ("pytest tests/test_a.py", "tests/test_new.py", "x = 'test_new'", True),
        ("pytest tests/test_a.py", "tests/support_new.py", "", True),
    ],
)
def test_a_new_test_file_that_no_runner_comes_upon_is_no_flag(command, path, more, flagged):
    patch = adding(path, "import pytest") + adding("pkg/b.py", f"y = 1\n{more}")
    assert bool(rules(patch, answer_of(command))) == flagged
    assert left_out(patch, answer_of(command)) == (path,)  # whatever else there may be


def test_a_patch_that_may_be_read_in_several_ways_is_flagged():
    assert rules("Index: conftest.py\n" + GOLD) == {"shape"}


@settings(derandomize=True, database=None, deadline=None)
@given(st.binary(), st.integers(0, 400))
def test_of_any_bytes_the_flags_are_told(junk, at):
    patch = (GOLD + TESTS).encode()
    flags_of(patch[:at] + junk + patch[at:], ANSWER)


def test_of_no_instance_of_the_sample_the_gold_patch_is_flagged():
    for instance in load_instances("sample"):
        assert flags_of(instance.answer.gold_patch.encode(), instance.answer) == ()


TABLE = Path(__file__).parent / "gold_flags.csv"


def justified():
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "flagged"), [("verified", 42), ("lite", 26), ("multilingual", 6)])
def test_the_flags_of_the_gold_patches_are_those_that_are_justified(name, flagged, published_file):
    subset, found = load_subset(str(published_file(name))), set()
    for instance in subset.instances:
        patch = instance.answer.gold_patch.encode()
        flags = flags_of(patch, instance.answer)
        found |= {(instance.id, flag.path, flag.rule) for flag in flags}
        # every file of it stays, whatever is flagged
        assert neutralised(patch, instance.answer) == (patch, ())
        assert sections_of(patch).plain
    listed = {
        (row["instance"], row["path"], row["rule"])
        for row in justified()
        if name in row["datasets"].split()
    }
    assert found == listed
    assert len({instance for instance, _, _ in found}) == flagged


def test_each_flag_of_the_table_has_its_rule_and_its_reason():
    for row in justified():
        assert row["rule"] in WHY
        assert len(row["justified"]) > 20
