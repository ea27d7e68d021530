"""swebench 5.0.2 reads logs as swerun does, but for what docs/parity.md says, rule by rule.

Of real runners, made by hand, put together from pieces of lines, and broken in every way. How often
which rule applied: `pytest --hypothesis-show-statistics tests/grading/test_swebench_agrees.py`.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from swerun.grading.parsers import CHOICES, PARSERS, parser_of
from swerun.grading.verdict import BROKEN, EXIT_CODE, grade_log
from swerun.instances.subsets import load_subset
from swerun.records import END, START
from tests.grading.differences import RULES, Difference, explained
from tests.grading.formats import FRAMES, PIECES, Frame, Reader
from tests.test_swebench_agrees import HOME, swebench  # noqa: F401 -- a fixture

pytestmark = [pytest.mark.index, pytest.mark.usefixtures("swebench")]
HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data"
PARITY = (HERE.parents[1] / "docs" / "parity.md").read_text()
LOGS = {
    path: [Reader(label) for label in json.loads(path.with_suffix(".json").read_text())]
    for path in sorted((HERE / "logs").rglob("*.log"))
}
BLANKS = ["\n", "\n", " ", "\n\n", "  ", "\t", "\x0b", "\r", "a", "é"]
MARKS = [f"+ : '{START}'\n", f"+ : '{END}'\n", f"{EXIT_CODE}: 0\n", f"{EXIT_CODE}: 1\n"]

# the same examples each time, as many as a minute and a half of two cores is enough for
of_many = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True, slots=True)
class Oracle:
    """swebench, in a process of its own that answers line by line."""

    process: subprocess.Popen

    def _ask(self, case):
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def statuses(self, case):
        """None where its parser ends in an error."""
        return self._ask(case | {"verdict": False})["statuses"]

    def verdict(self, reader, log, answer):
        """Whether it is resolved, and which of each group's tests are as they must be."""
        said = self._ask(reader.case(log) | answer | {"verdict": True})
        return said["resolved"], said["ok"]


@pytest.fixture(scope="module")
def oracle(swebench):  # noqa: F811
    argv = [HOME / "bin" / "python", HERE / "ask_swebench.py"]
    environment = os.environ | {"PYTHONUTF8": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(argv, env=environment, **pipes) as process:
        yield Oracle(process)
        process.stdin.close()


def differences(oracle, reader, log):
    """What swerun and swebench find otherwise, as (difference, the paragraph that explains it)."""
    return between(reader.label, log, reader.parse(log), oracle.statuses(reader.case(log)))


def between(label, log, ours, theirs):
    """`theirs` is None where their parser ended in an error."""
    theirs = theirs or {}
    found = [
        Difference(label.removeprefix("parse_log_"), log, ours.get(test), theirs.get(test))
        for test in {**ours, **theirs}
        if ours.get(test) != theirs.get(test)
    ]
    return [(one, explained(one)) for one in found]


def unexplained(oracle, reader, log):
    found = differences(oracle, reader, log)
    for paragraph in {paragraph for _, paragraph in found if paragraph}:
        event(paragraph)
    return [one for one, paragraph in found if not paragraph]


def test_every_parser_that_swebench_has_is_here_and_is_generated_for():
    argv = [HOME / "bin" / "python", HERE / "ask_swebench.py", "--names"]
    names = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    assert sorted({*PARSERS, *CHOICES}) == names
    assert sorted({reader.label.split()[0] for reader in PIECES}) == names


def test_every_rule_has_its_paragraph():
    assert [rule for rule in RULES if f"**{rule}.**" not in PARITY] == []


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_every_parser_finds_the_same_in_a_log(oracle, log):
    text = log.read_bytes().decode()
    assert [unexplained_plainly(oracle, reader, text) for reader in PIECES] == [[]] * len(PIECES)


def unexplained_plainly(oracle, reader, log):
    return [one for one, paragraph in differences(oracle, reader, log) if not paragraph]


@pytest.mark.parametrize("reader", PIECES, ids=lambda reader: reader.label)
@settings(of_many, max_examples=90)
@given(data=st.data())
def test_it_finds_the_same_in_what_is_put_together(oracle, reader, data):
    frame = data.draw(st.sampled_from([FRAMES.get(reader.label, Frame()), Frame()]))
    pieces = st.sampled_from(frame.pieces or PIECES[reader] + BLANKS)
    size = data.draw(st.integers(1, 24))
    drawn = data.draw(st.lists(pieces, min_size=size, max_size=size))
    log = "".join([frame.before, *drawn, frame.after])
    assert unexplained(oracle, reader, log) == []


@pytest.mark.parametrize("reader", PIECES, ids=lambda reader: reader.label)
@settings(of_many, max_examples=50)
@given(chance=st.randoms())
def test_it_finds_the_same_in_logs_that_are_broken(oracle, reader, chance):
    assert (
        unexplained(oracle, reader, mutated(log_of(reader, chance), PIECES[reader], chance)) == []
    )


def log_of(reader, chance):
    """One of its runner, if there is one, else any."""
    own = [log for log, readers in LOGS.items() if reader in readers]
    return chance.choice(own or list(LOGS)).read_bytes().decode()


def mutated(text, pieces, chance):
    """Lines in another order, twice, not at all, joined; pieces in any place."""
    lines = text.replace("\r\n", "\n").split("\n")
    first = chance.randrange(len(lines))
    lines = lines[first : first + chance.randrange(4, 40)]
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 1 if len(lines) > 1:
                del lines[at]
            case 2 if len(lines) > 1:
                joined = lines.pop(at)
                lines[at - 1] += joined
            case _:
                cut = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + chance.choice(pieces + BLANKS) + lines[at][cut:]
    return "\n".join(lines)


@pytest.mark.parametrize("reader", PIECES, ids=lambda reader: reader.label)
@settings(of_many, max_examples=50)
@given(chance=st.randoms())
def test_it_gives_the_same_verdicts(oracle, reader, chance):
    log, answer = a_verdict(reader, chance)
    grade = grade_log(reader.instance(**answer), log)
    resolved, ok = oracle.verdict(reader, log, answer)
    if log.count(EXIT_CODE) > 1:
        event("The last exit code counts")
    elif differences(oracle, reader, log) or differences(oracle, reader, marked(log)):
        event("read otherwise")
        assert resolved or not grade.resolved
    else:
        event(f"resolved: {resolved}")
        assert grade.resolved is resolved, grade
        assert ok_of(grade) == (ok or [[], []])


def marked(log):
    """What is between the markers, whichever way the lines end."""
    lines = log.replace("\r\n", "\n").replace("\r", "\n")
    return lines.split(START)[-1].split(END)[0] if START in lines else ""


def ok_of(grade):
    groups = ("FAIL_TO_PASS", "PASS_TO_PASS")
    return [[t.name for t in grade.tests if t.ok and t.group == group] for group in groups]


def a_verdict(reader, chance):
    """A log with markers and exit codes anywhere, and some of its tests to expect."""
    text = log_of(reader, chance)
    lines = mutated(text, PIECES[reader], chance).split("\n")
    codes = chance.choice(([], [], MARKS[2:3], MARKS[2:3], MARKS[3:], MARKS[3:], MARKS[2:]))
    marks = [*MARKS[:2], *codes, *(chance.choices(BROKEN) if chance.random() < 0.03 else [])]
    match chance.randrange(6):
        case 0:  # before the markers, as of a runner whose output overtakes the shell's
            lines = [*lines, *marks]
        case 1:
            for mark in marks if chance.random() < 0.9 else chance.choices(MARKS, k=2):
                lines.insert(chance.randrange(len(lines) + 1), mark)
        case _:  # as it should be
            lines = [marks[0], *lines, *marks[1:]]
    log = "\n".join(lines)
    passing = [name for name, status in reader.parse(log).items() if status == "PASSED"]
    known = [*passing, *passing, *reader.parse(log), *reader.parse(text), "a"]
    picked = [cut(name, chance) for name in chance.choices(known, k=chance.randrange(1, 4))]
    at = chance.randrange(len(picked) + 1)
    return log, {
        "eval_type": chance.choice(("pass_and_fail", "pass_and_fail", "fail_only")),
        "fail_to_pass": picked[:at],
        "pass_to_pass": picked[at:],
    }


def cut(name, chance):
    """Now and then without the end of its parameters."""
    return name[: name.index("[") + 2] if "[" in name and chance.random() < 0.5 else name


@pytest.fixture(scope="module")
def published():
    """published("verified") -> its instances by id."""

    def load(name):
        file = SHARED / f"swe-bench-{name}.parquet"
        if not file.is_file():
            pytest.skip(f"{file} is not there: the published datasets are no part of the project")
        return {instance.id: instance for instance in load_subset(str(file)).instances}

    return load


def test_it_gives_the_same_verdicts_on_logs_of_real_instances(oracle, published):
    verified = published("verified")
    said = json.loads((SHARED / "logs" / "verdicts.json").read_text())
    found = {log.name.removesuffix(".log.gz"): log for log in (SHARED / "logs").glob("*.log.gz")}
    assert found.keys() == said.keys()
    for name, log in found.items():
        instance = verified[name.split(".", maxsplit=1)[0]]
        text = gzip.decompress(log.read_bytes()).decode(errors="replace")
        assert_same(oracle, name, instance, text)
        # saved up to the line of the exit code, which in some came before the trace's last lines
        whole = text if END in text else f"{text}\n{MARKS[1]}"
        grade = assert_same(oracle, name, instance, whole)
        assert (name, grade.resolved) == (name, said[name]["resolved"])


def assert_same(oracle, name, instance, log):
    grade = grade_log(instance, log)
    resolved, ok = oracle.verdict(Reader(instance.answer.log_parser), log, expected_of(instance))
    assert (name, grade.resolved, ok_of(grade)) == (name, resolved, ok or [[], []])
    return grade


def expected_of(instance):
    answer = instance.answer
    return {
        "eval_type": answer.eval_type,
        "fail_to_pass": list(answer.fail_to_pass),
        "pass_to_pass": list(answer.pass_to_pass),
    }


@pytest.mark.parametrize("name", ["verified", "lite", "multilingual"])
def test_the_runners_of_published_instances_are_told_apart_as_theirs(oracle, published, name):
    """Theirs goes by the instance's number, swerun by its eval script."""
    several = [one for one in published(name).values() if one.answer.log_parser in CHOICES]
    assert len(several) == {"multilingual": 7}.get(name, 0)
    for instance in several:
        label = instance.answer.log_parser
        case = {"parser": label, "version": instance.version, "instance_id": instance.id}
        for path in LOGS:
            log = path.read_bytes().decode()
            theirs = oracle.statuses(case | {"log": log})
            assert all(why for _, why in between(label, log, parser_of(instance)(log), theirs))
