"""Tools, own agents, budgets and several samples as a user has them: processes and containers."""

from __future__ import annotations

import json

import pytest

from swerun.instances.subsets import load_instances
from tests.models.endpoint import answering, completion

pytestmark = pytest.mark.docker
IDS = [instance.id for instance in load_instances("sample")][:3]
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
CREATE = {"command": "create", "path": "made/by_edit.txt", "file_text": "one\n"}


def calling(tool, **arguments):
    function = {"name": tool, "arguments": json.dumps(arguments)}
    call = {"id": "c", "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return completion(message, usage=USAGE)


def a_file_and_then_submit(asked):
    """What a model answers that makes a file by `edit`, and then submits."""
    replies = sum(m["role"] == "assistant" for m in asked.body["messages"])
    offered = {tool["function"]["name"] for tool in asked.body["tools"]}
    if replies or "edit" not in offered:
        return calling("submit")
    return calling("edit", **CREATE)


@pytest.fixture
def endpoint():
    with answering(a_file_and_then_submit) as server:
        yield ("--model", "m", "--base-url", server.url)


def test_what_the_editor_makes_is_in_the_patch_and_what_it_cost_in_the_report(
    swerun, base_image, endpoint
):
    priced = ("--tools", "bash,edit", "--price-input", "3", "--price-output", "9")
    done = swerun(*endpoint, *priced, "-i", IDS[0], "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert (report["cost"], report["price"]["source"]) == (6, "flags or a configuration")
    (run,) = swerun.runs()
    patch = (run / "attempts" / IDS[0] / "1" / "patch.diff").read_text()
    assert "+++ b/made/by_edit.txt" in patch
    (attempt,) = swerun.attempts()
    assert attempt["cost"] == 6
    shown = swerun("show", run.name, IDS[0]).stdout
    assert "path=made/by_edit.txt" in shown


def test_a_budget_ends_a_run_that_goes_on_with_a_larger_one(swerun, base_image, endpoint):
    chosen = [part for name in IDS for part in ("-i", name)]
    command = (*endpoint, *chosen, "-j", "1", "--price-input", "1", "--price-output", "1")
    done = swerun(*command, "--budget", "2")
    assert done.returncode == 1
    assert "The budget of $2.00 is used up ($2.00)." in done.stderr
    assert "the same command goes on from here" in done.stderr
    assert [a["outcome"] for a in swerun.attempts()].count("no_patch") == 2
    again = swerun(*command, "--budget", "9", "--json")
    assert again.returncode == 0, again.stderr
    (report,) = json.loads(again.stdout)
    assert report["outcomes"] == {"no_patch": 3}
    assert (report["cost"], report["cost_all"]) == (3, 3)


def test_a_run_without_a_price_gets_one_from_a_file_later(swerun, base_image, endpoint):
    assert swerun(*endpoint, "-i", IDS[0]).returncode == 0
    (run,) = swerun.runs()
    prices = swerun.folder / "models.yaml"
    prices.write_text("- {name: m, prices: {input: 5, output: 1}}\n- {name: other}\n")
    assert json.loads(swerun("report", run.name, "--json").stdout)["cost"] is None
    made = swerun("report", run.name, "--prices", str(prices), "--json")
    assert json.loads(made.stdout)["cost"] == 5
    missing = swerun("report", run.name, "--prices", "auto")
    assert missing.returncode == 2
    assert "there is no price of m in it" in missing.stderr


def test_an_agent_may_be_a_command_in_the_container(swerun, base_image, endpoint):
    command = 'command:cat "$SWERUN_PROBLEM" >made.md; echo "as $SWERUN_MODEL"; exit 4'
    done = swerun(*endpoint, "--agent", command, "-i", IDS[0], "--json")
    assert done.returncode == 0, done.stderr
    assert "--network host" in done.stderr
    (report,) = json.loads(done.stdout)
    assert (report["stops"], report["graded"]) == ({"agent_failed": 1}, 1)
    (run,) = swerun.runs()
    folder = run / "attempts" / IDS[0] / "1"
    assert "+++ b/made.md" in (folder / "patch.diff").read_text()
    assert "as m" in (folder / "steps.jsonl").read_text()
    assert json.loads((run / "run.json").read_text())["question"]["scaffold"]["agent"] == command


def test_samples_give_pass_at_k_and_two_models_the_table_of_their_pairs(swerun, base_image):
    done = swerun("--model", "gold", "--model", "empty", "-i", IDS[0], "--attempts", "2")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
    assert "pass@1 100.0 % of 1 0.0 % of 1" in lines
    assert "pass@2 100.0 % of 1 0.0 % of 1" in lines
    assert any(line.startswith("mean of samples 100.0 % (95 %: 20.7") for line in lines)
    assert "gold 0 1 0 0 0 1" in lines


def test_samples_that_are_not_needed_are_not_made_and_their_absence_is_no_failure(
    swerun, base_image
):
    one = ("-i", IDS[0], "--attempts", "3", "-j", "1", "--grade-jobs", "1", "--stop-when-resolved")
    done = swerun("--model", "gold", *one, "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert report["spared"] + report["resolved"] == 3
    assert report["samples"]["mean"] is None
    assert [p["k"] for p in report["samples"]["pass_at"]] == [3]
