"""Models side by side on real containers, and each figure of their comparison against libraries."""

from __future__ import annotations

import csv
import io
import json
from itertools import combinations

import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from swerun.instances.subsets import load_instances

pytestmark = pytest.mark.docker
IDS = [instance.id for instance in load_instances("sample")]
MODELS = ("demo/handwritten", "demo/qwen2.5-coder-1.5b", "gold")


@pytest.fixture
def compare(side_by_side):
    """`swerun compare` of the three models' runs, or of those that are named."""

    def run(*words, models=MODELS):
        names = [side_by_side.reports[model]["run"] for model in models]
        return side_by_side.swerun("compare", *names, *words)

    return run


def resolved(side_by_side, model):
    rows = side_by_side.reports[model]["rows"]
    return {row["instance_id"]: row["outcome"] == "resolved" for row in rows}


def test_rates_and_pairs_of_three_models_are_what_statsmodels_says(side_by_side, compare):
    done = compare("--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["instances"], made["left_out"]) == (len(IDS), 0)
    for model, side in zip(MODELS, made["sides"], strict=True):
        part = sum(resolved(side_by_side, model).values())
        assert (side["model"], side["resolved"]["part"]) == (model, part)
        expected = proportion_confint(part, len(IDS), method="wilson")
        assert (side["resolved"]["low"], side["resolved"]["high"]) == pytest.approx(expected)

    chances = []
    for (first, second), pair in zip(combinations(MODELS, 2), made["pairs"], strict=True):
        a, b = resolved(side_by_side, first), resolved(side_by_side, second)
        seen = [[sum((a[i], b[i]) == (x, y) for i in IDS) for y in (1, 0)] for x in (1, 0)]
        counts = [[pair["both"], pair["only_a"]], [pair["only_b"], pair["neither"]]]
        assert counts == seen
        differ = seen[0][1] + seen[1][0]
        chances.append(mcnemar(seen, exact=True).pvalue if differ else 1.0)
        assert pair["p"] == pytest.approx(chances[-1])
        difference = (seen[0][1] - seen[1][0]) / len(IDS)
        assert pair["difference"] == pytest.approx(difference)
        assert pair["low"] <= difference <= pair["high"]
        assert pair["drawn"] == "instance"  # three repositories are too few to be drawn
        assert pair["ids_only_a"] == sorted(i for i in IDS if a[i] and not b[i])
    corrected = multipletests(chances, method="holm")[1]
    assert [pair["p_holm"] for pair in made["pairs"]] == pytest.approx(corrected)


def test_a_run_prints_the_same_pairs_as_a_comparison_of_its_models(side_by_side, compare):
    reports = side_by_side.reports
    compared = json.loads(compare("--json", models=tuple(reports)).stdout)
    assert [pair for report in reports.values() for pair in report["pairs"]] == compared["pairs"]
    assert [len(report["pairs"]) for report in reports.values()] == [3, 2, 1, 0]
    stored = json.loads(
        (side_by_side.swerun.folder / "runs" / reports["gold"]["run"] / "report.json").read_text()
    )
    assert stored == {key: value for key, value in reports["gold"].items() if key != "pairs"}


def test_markdown_and_csv_say_the_same_as_the_reports(side_by_side, compare):
    rows = list(csv.DictReader(io.StringIO(compare("--csv").stdout)))
    assert [row["instance_id"] for row in rows] == sorted(IDS)
    for model in MODELS:
        of = resolved(side_by_side, model)
        run = side_by_side.reports[model]["run"]
        assert {row["instance_id"]: row[run] == "1" for row in rows} == of
    text = compare("--md").stdout
    for model in MODELS:
        part = sum(resolved(side_by_side, model).values())
        assert f"| {part}/{len(IDS)} = {100 * part / len(IDS):.1f} % |" in text
    assert "only the first" in text


def test_strict_refuses_models_that_were_asked_in_other_ways_and_takes_those_that_were_not(compare):
    refused = compare("--strict", models=MODELS[:2])
    assert refused.returncode == 2
    assert "scaffold.protocol: tools -> text" in refused.stderr
    assert refused.stdout == ""
    assert compare("--strict", models=("gold", "empty")).returncode == 0


def test_a_published_row_is_compared_instance_by_instance(side_by_side, compare, tmp_path):
    mine, theirs = resolved(side_by_side, "demo/handwritten"), {i: i == IDS[0] for i in IDS}
    file = tmp_path / "theirs.csv"
    lines = [f"Rival,{i},{theirs[i]:d},7,0.5" for i in IDS[:-1]]
    file.write_text("model,instance_id,resolved,api_calls,cost_usd\n" + "\n".join(lines) + "\n")
    done = compare("--published", str(file), "--json", models=MODELS[:1])
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["instances"], made["left_out"]) == (len(IDS) - 1, 1)
    (pair,) = made["pairs"]
    seen = [[sum((mine[i], theirs[i]) == (x, y) for i in IDS[:-1]) for y in (1, 0)] for x in (1, 0)]
    assert [[pair["both"], pair["only_a"]], [pair["only_b"], pair["neither"]]] == seen
    assert pair["p"] == pytest.approx(mcnemar(seen, exact=True).pvalue)
    assert (made["sides"][1]["steps"], made["sides"][1]["cost"]) == (7 * 8, 0.5 * 8)
