"""The folder for SWE-bench's leaderboard: what is known is in it, and nothing is made up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from swerun.exchange.folders import write_folder
from swerun.exchange.submission import EMPTY, open_points, submission_files
from swerun.grading.verdict import no_verdict
from swerun.records import GradeReason, Members, Scaffold
from tests.exchange.stored import NO_PATCH, Done, stored
from tests.exchange.test_swebench import graded
from tests.fakes import an_instance, files_below
from tests.report.test_summary import a_run

REJECTED = no_verdict(an_instance(), GradeReason.PATCH_REJECTED, "")
DONE = [
    graded("resolved"),
    graded("unresolved"),
    Done("org__repo-rejected", REJECTED),
    replace(Done("org__repo-empty", NO_PATCH), patch=b""),
    Done("org__repo-failed"),
]
IDS = tuple(done.instance_id for done in DONE)
SCAFFOLD = Scaffold(prompt_hash="h", protocol="tools", tools=("bash", "submit"))
# its analysis/get_results.py takes these, and throws out what else there is
KEPT = {"all_preds.jsonl", "logs", "metadata.yaml", "trajs", "README.md", "results"}


def a_store(root, **question):
    changed = a_run().question.model_copy(update={"scaffold": SCAFFOLD} | question)
    members = (Members(repo="org/repo", difficulty="", instances=IDS),)
    return stored(root / "runs", *DONE, question=changed, members=members, model='org/"m": #1')


@pytest.fixture
def folder(tmp_path):
    write_folder(tmp_path / "out", submission_files(a_store(tmp_path), "### The page"))
    return tmp_path / "out"


def test_it_has_what_the_leaderboard_asks_for(folder):
    assert {path.name for path in folder.iterdir()} == KEPT
    there = set(files_below(folder))
    whole = {f"logs/org__repo-{name}/" for name in ("resolved", "unresolved")}
    kinds = ("eval.sh", "patch.diff", "report.json", "test_output.txt")
    assert {f"{log}{kind}" for log in whole for kind in kinds} <= there
    assert {path for path in there if path.startswith("logs/org__repo-rejected")} == {
        "logs/org__repo-rejected/patch.diff",
    }
    assert {path for path in there if path.startswith("trajs")} == {
        f"trajs/{i}.traj.json" for i in IDS[:4]
    }
    lines = (folder / "all_preds.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["instance_id"] for line in lines) == sorted(IDS[:4])


def test_its_results_are_those_that_get_results_would_make(folder):
    assert json.loads((folder / "results/results.json").read_text()) == {
        "no_generation": ["org__repo-empty", "org__repo-failed"],
        "no_logs": ["org__repo-rejected"],
        "resolved": ["org__repo-resolved"],
    }
    assert json.loads((folder / "results/resolved_by_repo.json").read_text()) == {
        "org/repo": {"resolved": 1, "total": 5}
    }


def test_its_metadata_has_the_keys_of_theirs_and_is_empty_where_nobody_knows(folder):
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    assert metadata["tags"]["model"] == ['org/"m": #1']
    assert metadata["tags"]["checked"] is False
    assert metadata["tags"]["system"] == {"attempts": 1}
    flat = {
        f"{section}.{key}": value
        for section, values in metadata.items()
        for key, value in values.items()
    }
    assert {key for key, value in flat.items() if value is None} == set(EMPTY)
    assert set(flat) - set(EMPTY) == {"tags.checked", "tags.model", "tags.system"}


def ticks(tmp_path, **question):
    write_folder(tmp_path / "out", submission_files(a_store(tmp_path, **question), "### The page"))
    readme = (tmp_path / "out" / "README.md").read_text()
    assert readme.startswith("### The page\n")
    return [line[3] for line in readme.splitlines() if line.startswith("- [")]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({}, ["x", "x", "x", "x"]),
        ({"network": "bridge"}, ["x", "x", "x", " "]),
        ({"unknown": ("network",)}, [" ", " ", " ", " "]),
        ({"scaffold": None}, [" ", " ", " ", " "]),
    ],
)
def test_only_what_swerun_saw_to_is_ticked_in_the_checklist(tmp_path, question, said):
    assert ticks(tmp_path, **question) == said


def test_what_is_left_to_do_is_said(tmp_path):
    run = a_store(tmp_path).record()
    points = list(open_points(run, IDS[:4]))
    assert "metadata.yaml, info.authors: who made the submission" in points
    assert "1 of 5 instances have no verdict: they want all of a split" in points
    assert not any("assets" in point for point in points)
    assert not any("no verdict" in point for point in open_points(run, IDS))
