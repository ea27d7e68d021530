"""`swerun instances`: what is in a subset, and what an instance asks without its answer."""

from __future__ import annotations

import json

import pytest

from swerun.instances.subsets import load_instances
from tests.instances.hub_server import serving
from tests.instances.some_rows import jsonl, parquet, smith_row, v5

SAMPLE = load_instances("sample")


def test_a_line_each_and_how_many_there_are(swerun):
    done = swerun("instances", "list")
    heading, *lines = done.stdout.splitlines()
    assert heading.split() == ["instance", "repo", "version", "difficulty", "F2P", "P2P", "image"]
    assert [line.split()[0] for line in lines] == [i.id for i in SAMPLE]
    assert lines[0].endswith(SAMPLE[0].task.image)
    assert done.stderr.startswith("sample: 9 of 9 instances, 3 repositories, 3 1-4 hours, ")
    assert done.returncode == 0


def test_the_flags_of_a_selection_do_what_they_say(swerun):
    done = swerun(
        *("instances", "list", "--json", "--repo", "polykit", "--difficulty", "<15 MIN fix"),
        *("--filter", "polykit", "--limit", "5"),
    )
    assert [row["instance_id"] for row in json.loads(done.stdout)] == ["swerun-sample__polykit-9"]
    assert "1 of 9 instances, 1 repository, 1 <15 min fix" in done.stderr


def test_a_sample_and_a_shuffle_are_the_same_again(swerun):
    drawn = [
        swerun("instances", "list", "--json", "--sample", "4", "--shuffle", "--seed", "7").stdout
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert len(json.loads(drawn[0])) == 4


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--limit", "0"], "--limit (selection.limit): Input should be greater than or equal to 1"),
        (["--sample", "10"], "--sample 10: there are only 9 instances to draw from"),
        (["--repo", "polykitt"], "'polykitt'. Did you mean polykit?"),
        (["--difficulty", "hard"], "no instance of sample has the difficulty 'hard'"),
        (["--subset", "sampel"], "Did you mean sample?"),
        (["--filter", ""], "--filter (selection.filter): it is given, and empty"),
        (["-i", "nothing"], "no instance is called 'nothing'"),
    ],
)
def test_what_means_nothing_is_the_users_to_mend(swerun, flags, said):
    done = swerun("instances", "list", *flags)
    assert said in done.stderr
    assert (done.stdout, done.returncode) == ("", 2)


def test_show_says_what_an_instance_asks_and_only_with_answer_what_solves_it(swerun, tmp_path):
    patch = v5()["patch"]
    (tmp_path / "rows.jsonl").write_bytes(jsonl(v5(hints_text="HINT"), v5("org__repo-2")))
    asked = ("instances", "show", "org__repo-1", "--subset", "rows.jsonl")
    plain = swerun(*asked).stdout
    assert "It is broken." in plain
    assert "test_b['x']" in plain
    assert "swebench/sweb.eval.x86_64.org_1776_repo-1:latest" in plain
    assert not any(secret in plain for secret in ("+x = 2", "assert x == 2", "HINT", ">>>>>"))
    whole = swerun(*asked, "--answer").stdout
    assert all(secret in whole for secret in ("+x = 2", "assert x == 2", ">>>>> Start"))
    assert "HINT" not in whole
    read = json.loads(swerun(*asked, "--json").stdout)
    assert (read["FAIL_TO_PASS"], "gold_patch" in read) == (["test_a", "test_b['x']"], False)
    assert json.loads(swerun(*asked, "--json", "--answer").stdout)["gold_patch"] == patch


def test_show_of_an_id_that_there_is_not_names_the_nearest(swerun):
    done = swerun("instances", "show", "swerun-sample__polykit-19")
    assert "no instance is called 'swerun-sample__polykit-19'. Did you mean" in done.stderr
    assert done.returncode == 2


def test_what_cannot_be_graded_is_listed_with_the_reason_and_not_run(swerun, tmp_path):
    (tmp_path / "smith.jsonl").write_bytes(jsonl(smith_row()))
    listed = swerun("instances", "list", "--subset", "smith.jsonl")
    assert listed.returncode == 0
    assert "1 cannot be graded: its image holds the repository without the bug" in listed.stderr
    run = swerun("--model", "empty", "--subset", "smith.jsonl")
    assert "cannot be graded: its image holds the repository without the bug" in run.stderr
    assert (run.returncode, swerun.runs()) == (2, [])


def test_what_rows_say_is_shown_and_not_obeyed(swerun, tmp_path):
    row = v5(problem_statement="\x1b[31mred", version="\x1b[2J", repo="[bold]a/b[/bold]")
    (tmp_path / "rows.jsonl").write_bytes(jsonl(row))
    for command in (["list"], ["show", "org__repo-1", "--answer"]):
        done = swerun("instances", *command, "--subset", "rows.jsonl")
        assert "\x1b" not in done.stdout
        assert "[bold]a/b[/bold]" in done.stdout


def test_the_hub_is_the_one_that_the_environment_names_and_its_commit_is_told(swerun, tmp_path):
    with serving() as hub:
        commit = hub.push("org/name", {"data/test-00000-of-00001.parquet": parquet(v5())})
        there = {"HF_ENDPOINT": hub.url}
        flags = ("instances", "list", "--subset", "org/name", "--cache", str(tmp_path / "cache"))
        done = swerun(*flags, **there)
        assert done.stderr.endswith(
            f"org/name@{commit}: 1 of 1 instances, 1 repository, 1 <15 min fix\n"
        )
    gone = swerun(*flags, **there)
    assert gone.stdout == done.stdout
    pinned = swerun(*flags, "--revision", commit, HF_HUB_OFFLINE="1")
    assert pinned.stdout == done.stdout
    other = swerun(*flags, "--revision", "v9", **there)
    assert f"org/name@v9 at {hub.url}: the hub cannot be reached" in other.stderr
    assert other.returncode == 2


@pytest.mark.docker
@pytest.mark.usefixtures("base_image")
def test_a_run_of_a_sample_estimates_the_rate_of_all_and_does_so_again(swerun):
    command = ("--model", "empty", "--sample", "3", "--seed", "2", "--json", "--run", "drawn")
    done = swerun(*command)
    (report,) = json.loads(done.stdout)
    estimate = report["estimate"]
    assert (report["n"], estimate["sampled"], estimate["population"]) == (3, 3, 9)
    assert (estimate["rate"], estimate["low"]) == (0, 0)
    assert 0.3 < estimate["high"] < 0.6
    again = json.loads(swerun("report", "drawn", "--json").stdout)
    assert again["estimate"] == estimate
    assert "0.0 % of 9 (95 %: 0.0 to" in swerun("report", "drawn").stdout
    record = json.loads((swerun.folder / "runs" / "drawn" / "run.json").read_text())
    (session,) = record["sessions"]
    assert session["selection"]["sample"] == 3
    assert sum(stratum["population"] for stratum in session["strata"]) == 9
    assert {i for s in session["strata"] for i in s["sampled"]} == set(record["selection"])
