"""`swerun compare`, `why` and `show`, from processes of their own."""

from __future__ import annotations

import csv
import io
import json

import pytest

from swerun.records import Limits, Reply, Step, Usage
from swerun.runs.store import Started, open_or_create
from tests.fakes import NOW, an_attempt
from tests.report.test_summary import a_run

IDS = [f"org__repo-{i}" for i in range(5)]
BOARD = "model,instance_id,resolved,api_calls,cost_usd\n" + "".join(
    f"Pub,{i},1,4,0.25\nOther,{i},0,9,0.5\n" for i in IDS
)


def put(runs, name, resolved, limits=None):
    record = a_run(*IDS)
    question = record.question.model_copy(update={"limits": limits or Limits(), "model": name})
    wanted = record.model_copy(update={"name": name, "model": name, "question": question})
    store = open_or_create(runs, wanted)
    for instance_id in IDS:
        outcome = "resolved" if instance_id in resolved else "unresolved"
        usage = Usage(input_tokens=100, output_tokens=10)
        with store.attempt(instance_id, 1, Started()) as log:
            for index in range(3):
                log.step(Step(index=index, at=NOW, reply=Reply(text="t", usage=usage)))
            log.finished(an_attempt(instance_id, outcome=outcome, steps=3, usage=usage + usage))
    return store


@pytest.fixture
def two(tmp_path):
    put(tmp_path / "runs", "one", IDS[:3])
    put(tmp_path / "runs", "two", IDS[2:4], Limits(steps=9))
    (tmp_path / "board.csv").write_text(BOARD)


def test_two_runs_are_told_apart_and_what_else_differs_is_said(swerun, two):
    done = swerun("compare", "one", "two")
    assert done.returncode == 0, done.stderr
    assert "5 instances in common" in done.stdout
    assert "3/5 = 60.0 %" in done.stdout
    assert "limits.steps: 250 -> 9" in done.stdout
    assert f"A alone (2): {IDS[0]}, {IDS[1]}" in done.stdout


def test_strict_refuses_what_differs_in_more_than_the_model(swerun, two):
    done = swerun("compare", "one", "two", "--strict")
    assert done.returncode == 2
    assert "one, two: limits.steps: 250 -> 9" in done.stderr
    assert done.stdout == ""


def test_json_csv_and_markdown_say_the_same(swerun, two):
    whole = json.loads(swerun("compare", "one", "two", "--json").stdout)
    assert [side["resolved"]["part"] for side in whole["sides"]] == [3, 2]
    assert whole["pairs"][0]["only_a"] == 2
    rows = list(csv.DictReader(io.StringIO(swerun("compare", "one", "two", "--csv").stdout)))
    assert [(row["one"], row["two"]) for row in rows] == [
        ("1", "0"),
        ("1", "0"),
        ("1", "1"),
        ("0", "1"),
        ("0", "0"),
    ]
    assert "| only the first | 2 |" in swerun("compare", "one", "two", "--md").stdout


def test_a_published_row_is_paired_with_a_run(swerun, two):
    done = swerun("compare", "one", "--published", "board.csv", "--row", "pub", "--json")
    whole = json.loads(done.stdout)
    assert [side["name"] for side in whole["sides"]] == ["one", "Pub"]
    assert whole["sides"][1]["published"] == "board.csv"
    assert (whole["pairs"][0]["both"], whole["pairs"][0]["only_b"]) == (3, 2)


def test_a_curve_says_what_a_lower_limit_would_have_left(swerun, two):
    done = swerun("compare", "one", "two", "--curve", "steps", "--json")
    one, two = json.loads(done.stdout)
    assert [(p["limit"], p["resolved"], p["tokens"]) for p in one["points"]] == [
        (1, 0, 550),
        (2, 0, 1100),
        (3, 3, 1100),  # as attempt.json has it
    ]
    assert two["points"][-1]["resolved"] == 2
    assert "$0.5" in swerun("compare", "--published", "board.csv", "--curve", "cost").stdout


def test_headlines_need_no_run_and_hold_no_score_without_its_scaffold(swerun):
    found = json.loads(swerun("compare", "--published", "headlines", "--json").stdout)["headlines"]
    assert {"scaffold", "limits", "date", "source"} <= found[0].keys()
    shown = swerun("compare", "--published", "headlines", COLUMNS="250").stdout
    assert "500 turns, one attempt" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["one"], "two runs or more"),
        (["one", "one"], "one is named twice"),
        (["one", "three"], "there is no run 'three'"),
        (["one", "two", "--md", "--json"], "give one"),
        (["one", "--curve", "time"], "it is of steps or of cost"),
        (["one", "two", "--row", "x"], "name it with --published"),
        (["one", "--published", "none.csv"], "none.csv cannot be read"),
        (["one", "--curve", "cost"], "does not say what cost"),
    ],
)
def test_what_cannot_be_compared_is_said(swerun, two, words, said):
    done = swerun("compare", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_why_says_what_became_of_a_run(swerun, two):
    done = swerun("why", "one")
    assert done.returncode == 0, done.stderr
    assert "one: 5 samples" in done.stdout
    assert "resolved" in done.stdout
    whole = json.loads(swerun("why", "one", "--json").stdout)
    assert [tally["times"] for tally in whole["causes"]] == [3, 2]
    assert swerun("why", "one", "--md").stdout.startswith("### one: 5 samples")
