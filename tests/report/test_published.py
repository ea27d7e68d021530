"""What others published: the shapes of their files, and the few scores that ship with swerun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swerun.errors import InputError
from swerun.report.compare import compared
from swerun.report.published import chosen, from_boards, from_csv, headlines, read_published

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "bash_only_per_instance.csv"
SHAPE = Path(__file__).with_name("leaderboards.json")
DETAIL = {"a__b-1": {"resolved": True, "api_calls": 12, "cost": 0.5}}


def boards(*results):
    board = {"name": "bash-only", "results": results, "other": 1}
    return json.dumps({"leaderboards": [board, {"name": "Verified", "results": []}]})


def result(name="M", **more):
    return {"name": name, "resolved": 50.0, "date": "2026-02-17", "logo": None} | more


def test_a_leaderboard_is_read_as_far_as_it_says_what_became_of_each_instance():
    found = from_boards(
        boards(
            result(per_instance_details=DETAIL, **{"mini-swe-agent_version": "2.0.0"}),
            result("bare"),
            result("null", per_instance_details=None, agent=None),
        ),
        "leaderboards.json",
    )
    (side,) = found.sides
    assert found.bare == 2
    assert (side.name, side.run) == ("M", None)
    assert side.source == "SWE-bench leaderboard bash-only, mini-SWE-agent 2.0.0, 2026-02-17"
    (trial,) = side.trials["a__b-1"]
    assert (trial.resolved, trial.steps, trial.cost) == (True, 12, 0.5)


def test_a_file_of_the_sites_shape_is_read_whole_and_each_run_of_it_once():
    """leaderboards.json has every kind of value that the site's own had by 2026, all invented."""
    found = read_published(SHAPE)
    assert [(side.name, side.source) for side in found.sides] == [
        ("Quill 2 (high)", "SWE-bench leaderboard bash-only, mini-SWE-agent 9.2.0, 2031-02-03"),
        ("Quill 2", "SWE-bench leaderboard bash-only, mini-SWE-agent 9.1.0, 2031-01-02"),
        ("Reed 7B", "SWE-bench leaderboard bash-only, mini-SWE-agent 9.1.0, 2031-01-02"),
    ]
    assert found.bare == 2
    made = compared(found.sides)
    assert [side.resolved.part for side in made.sides] == [4, 3, 1]
    assert [side.steps for side in made.sides] == [44, 54, 121]
    assert [side.cost for side in made.sides] == [None, pytest.approx(1.25), 0]
    assert [(group.name, group.instances) for group in made.groups] == [
        ("django/django", 2),
        ("astropy/astropy", 1),
        ("sympy/sympy", 1),
    ]


def test_rows_of_one_folder_that_say_other_things_are_two():
    other = {"a__b-1": {"resolved": False}}
    rows = [
        result(name, folder="f", per_instance_details=d)
        for name, d in (("M", DETAIL), ("N", other))
    ]
    assert [side.name for side in from_boards(boards(*rows), "f").sides] == ["M", "N"]


def test_the_list_of_the_sites_page_is_as_good_as_the_file():
    inner = json.loads(boards(result(per_instance_details=DETAIL)))["leaderboards"]
    assert len(from_boards(json.dumps(inner), "page").sides) == 1


def test_two_rows_of_one_name_are_told_apart():
    rows = [result(per_instance_details=DETAIL, date=day) for day in ("2026-01-01", "2026-02-02")]
    names = [side.name for side in from_boards(boards(*rows), "f").sides]
    assert len(set(names)) == 2
    assert all(name.startswith("M (") for name in names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "f is no JSON"),
        ("{}", "leaderboards: Field required"),
        (boards({"resolved": 1}), "leaderboards.0.results.0.name: Field required"),
        (boards(result(per_instance_details={"a": {}})), "per_instance_details.a.resolved"),
    ],
)
def test_a_file_of_another_shape_is_refused_by_its_key(text, said):
    with pytest.raises(InputError, match=said):
        from_boards(text, "f")


def test_a_csv_needs_three_columns_and_may_leave_the_others_empty():
    text = "instance_id,model,resolved,api_calls\na__b-1,M,1,\na__b-2,M,false,7\na__b-1,N,0,3\n"
    m, n = from_csv(text, "f.csv").sides
    assert [trial.resolved for i in m.trials for trial in m.trials[i]] == [True, False]
    assert (m.trials["a__b-1"][0].steps, n.trials["a__b-1"][0].steps) == (None, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model,resolved\nM,1\n", "has no column instance_id"),
        ("model,instance_id,resolved\nM,a,maybe\n", "f.csv, line 2: resolved is 'maybe'"),
        ("model,instance_id,resolved,cost_usd\nM,a,1,much\n", "line 2: cost_usd is 'much'"),
    ],
)
def test_a_csv_that_is_wrong_is_refused_by_its_line(text, said):
    with pytest.raises(InputError, match=said):
        from_csv(text, "f.csv")


def test_rows_are_chosen_by_glob_and_one_that_fits_none_is_refused():
    sides = from_csv("model,instance_id,resolved\nBig (x),a,1\nSmall,a,0\n", "f").sides
    assert [side.name for side in chosen(sides, ["big*"])] == ["Big (x)"]
    assert [side.name for side in chosen(sides, ["Big (x)"])] == ["Big (x)"]
    assert len(chosen(sides, [])) == 2
    with pytest.raises(InputError, match=r"There are: Big \(x\), Small"):
        chosen(sides, ["medium"])


def test_every_headline_says_by_which_scaffold_under_which_limits_when_and_where():
    found = list(headlines())
    assert all(h.scaffold and h.limits and h.date and h.source for h in found)
    scores = {(h.model, h.scaffold.split()[0]): h.resolved for h in found}
    assert scores == {
        ("Qwen3-Coder-480B-A35B-Instruct", "OpenHands"): 69.6,
        ("Qwen3-Coder-30B-A3B-Instruct", "OpenHands"): 51.6,
        ("Qwen3-Coder-480B-A35B-Instruct", "mini-SWE-agent"): 55.4,
        ("Claude 3.5 Sonnet (20241022)", "Anthropic's"): 49.0,
        ("Claude 3.5 Sonnet (20241022)", "OpenHands"): 53.0,
        ("GPT-4 Turbo (1106)", "SWE-agent"): 22.4,
    }
    assert not [h for h in found if "32B" in h.model]


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not here")
def test_the_bash_only_results_of_24_models_give_the_scores_that_were_published():
    sides = read_published(DATA).sides
    assert len(sides) == 24
    made = compared(chosen(sides, ["qwen3-coder*", "claude 4 sonnet*"]))
    assert made.instances == 500
    assert [round(100 * side.resolved.rate, 1) for side in made.sides] == [64.8, 55.4]
    (pair,) = made.pairs
    assert (pair.both, pair.only_a, pair.only_b, pair.neither) == (244, 80, 33, 143)
    assert pair.p < 0.001
    assert sum(group.instances for group in made.groups) == 500
