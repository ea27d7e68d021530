"""The datasets as their authors published them, where they are at hand: every row counts."""

from __future__ import annotations

import json

import pytest

from swerun.grading.parsers import parser_of
from swerun.instances.gradable import check_gradable
from swerun.instances.subsets import load_subset
from swerun.records import END, START

ROWS = {"verified": 500, "lite": 300, "multilingual": 300}


@pytest.mark.parametrize("name", ROWS)
def test_every_row_becomes_an_instance_that_can_be_graded(name, published_file):
    subset = load_subset(str(published_file(name)))
    assert len(subset.instances) == ROWS[name]
    assert subset.grade_network == "bridge"
    check_gradable(subset.instances)
    for instance in subset.instances:
        assert parser_of(instance)
        assert START in instance.answer.eval_script
        assert END in instance.answer.eval_script
        assert instance.task.image.startswith("swebench/sweb.eval.x86_64.")


@pytest.mark.parametrize("name", ROWS)
def test_nothing_of_a_row_is_lost_or_changed_on_the_way(name, published_file):
    import pyarrow.parquet as pq

    rows = {row["instance_id"]: row for row in pq.read_table(published_file(name)).to_pylist()}
    for instance in load_subset(str(published_file(name))).instances:
        row, task, answer = rows[instance.id], instance.task, instance.answer
        assert task.problem_statement == row["problem_statement"]
        assert (task.repo, task.base_commit, task.image) == (
            row["repo"],
            row["base_commit"],
            row["image"],
        )
        assert (answer.gold_patch, answer.test_patch) == (row["patch"], row["test_patch"])
        assert (answer.eval_script, answer.log_parser) == (row["eval_script"], row["log_parser"])
        for group in ("FAIL_TO_PASS", "PASS_TO_PASS"):
            wanted = row[group] if isinstance(row[group], list) else json.loads(row[group])
            assert list(getattr(answer, group.lower())) == wanted
        assert instance.difficulty == row.get("difficulty", "")
