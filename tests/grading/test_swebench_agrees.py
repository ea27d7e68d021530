"""swebench 5.0.2 finds the same in our logs, and in thousands made from them by breaking lines."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from swerun.grading.parsers import PARSERS
from swerun.grading.verdict import EXIT_CODE, grade_log
from swerun.records import END, START, TestStatus
from tests.fakes import an_instance
from tests.test_swebench_agrees import HOME, swebench  # noqa: F401 -- a fixture

pytestmark = [pytest.mark.index, pytest.mark.usefixtures("swebench")]
HERE = Path(__file__).parent
LOGS = sorted((HERE / "logs").glob("*.log"))
WORDS = [
    *TestStatus, "XPASS", " - ", " ", "ok", " ... ok", " ... OK", " ...  OK", " ... skipped 'x'",
    " ... FAIL", " ... ERROR", "FAIL: ", "ERROR: ", " F", " E", "[1]", "[ 10%]", "[", "]", "[/a/b]",
    "test_", "a.py:b ", "\t", "\x1b[31m", "MouseButton.LEFT", "1 passing", "ok\n",
    "--version is equivalent to version", "Applying sites.0002_alter_domain_unique...",
    "System check identified no issues (0 silenced)\nok\n", ">>>>> Tests Errored",
]  # fmt: skip
MARKS = [f"+ : '{START}'\n", f"+ : '{END}'\n", f"{EXIT_CODE}: 0\n", f"{EXIT_CODE}: 1\n"]


def asked(cases):
    argv = [HOME / "bin" / "python", HERE / "ask_swebench.py"]
    done = subprocess.run(
        argv, input=json.dumps(cases), capture_output=True, text=True, check=True, cwd=HERE
    )
    return json.loads(done.stdout)


def mutated(text, chance):
    """Lines in another order, twice, not at all, joined; words of parsers in any place."""
    lines = text.replace("\r\n", "\n").split("\n")
    first = chance.randrange(len(lines))
    lines = lines[first : first + chance.randrange(4, 30)]
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
                lines[at] = lines[at][:cut] + chance.choice(WORDS) + lines[at][cut:]
    return "\n".join(lines)


def case(log, parser, **more):
    return {
        "log": log,
        "parser": parser,
        "eval_type": "pass_and_fail",
        "fail_to_pass": [],
        "pass_to_pass": [],
    } | more


def results(statuses):
    """Theirs takes `xPASSED` and `FAILED:` for statuses. Ours takes such lines for no results, so
    that a test of which nothing else is known does not pass."""
    return {name: status for name, status in statuses.items() if status in set(TestStatus)}


def test_it_finds_the_same_in_our_logs_but_for_what_is_no_status():
    cases = [case(log.read_bytes().decode(), parser) for log in LOGS for parser in PARSERS]
    for one, theirs in zip(cases, asked(cases), strict=True):
        assert PARSERS[one["parser"]](one["log"]) == results(theirs["statuses"])


def test_it_finds_the_same_in_broken_logs_but_for_what_is_no_status():
    chance = random.Random(1)
    texts = [log.read_bytes().decode() for log in LOGS]
    cases = [
        case(mutated(chance.choice(texts), chance), parser)
        for _ in range(300)
        for parser in PARSERS
    ]
    for one, theirs in zip(cases, asked(cases), strict=True):
        if theirs["statuses"] is not None:
            # a name's last line counts: one of theirs that is no result may hide an earlier one
            odd = theirs["statuses"].keys() - results(theirs["statuses"]).keys()
            ours = PARSERS[one["parser"]](one["log"])
            known = {name: status for name, status in ours.items() if name not in odd}
            assert known == results(theirs["statuses"]), one


def test_it_gives_the_same_verdicts_but_where_an_exit_code_is_said_twice():
    chance = random.Random(2)
    texts = [(log, log.read_bytes().decode()) for log in LOGS]
    cases = [a_verdict(chance.choice(texts), chance) for _ in range(3000)]
    answers = asked(cases)
    assert sum(bool(theirs["resolved"]) for theirs in answers) > 100
    compared = 0
    for one, theirs in zip(cases, answers, strict=True):
        statuses = theirs["statuses"]
        if statuses is None or statuses != results(statuses) or one["log"].count(EXIT_CODE) > 1:
            continue
        answer = {key: one[key] for key in ("eval_type", "fail_to_pass", "pass_to_pass")}
        ours = grade_log(an_instance(log_parser=one["parser"], **answer), one["log"])
        assert ours.resolved is theirs["resolved"], (one, ours)
        compared += 1
    assert compared > 2000


def a_verdict(original, chance):
    """A case with a broken log, markers and exit codes anywhere in it, and some of its tests."""
    log, text = original
    parser = chance.choice(list(json.loads(log.with_suffix(".json").read_text())))
    lines = mutated(text, chance).split("\n")
    marks = [*MARKS[:2], *chance.choices(MARKS, k=chance.choice((0, 0, 1)))]
    for mark in marks if chance.random() < 0.9 else chance.choices(MARKS, k=2):
        lines.insert(chance.randrange(len(lines) + 1), mark)
    known = [*PARSERS[parser]("\n".join(lines)), *PARSERS[parser](text), "a"]
    picked = [cut(name, chance) for name in chance.choices(known, k=chance.randrange(1, 4))]
    at = chance.randrange(len(picked) + 1)
    return case("\n".join(lines), parser) | {
        "eval_type": chance.choice(("pass_and_fail", "pass_and_fail", "fail_only")),
        "fail_to_pass": picked[:at],
        "pass_to_pass": picked[at:],
    }


def cut(name, chance):
    """Now and then without the end of its parameters."""
    return name[: name.index("[") + 2] if "[" in name and chance.random() < 0.5 else name
