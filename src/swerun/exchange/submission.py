"""A folder for SWE-bench's leaderboard, as SWE-bench/experiments keeps one for each submission.

Its README, its checklist.md, and its analysis/get_results.py, which judges logs/ again, writes
results/ and throws out what else there is. What swerun does not know is left for who submits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from swerun.exchange.counting import evidence_of
from swerun.exchange.folders import File
from swerun.exchange.swebench import instance_files, timed
from swerun.exchange.trajectories import Opening, trajectories, written
from swerun.records import Outcome, RunRecord
from swerun.report.predictions import predictions
from swerun.report.summary import RULE
from swerun.runs.store import RunStore

# by key of metadata.yaml, in the order of theirs: what is to be filled in
EMPTY: Mapping[str, str] = {
    "assets.logs": "an address that they fill in",
    "assets.trajs": "an address that they fill in",
    "info.authors": "who made the submission",
    "info.logo": "the address of an image, if any",
    "info.name": "what the leaderboard is to call it",
    "info.report": "the address of a technical report, which they ask for",
    "info.site": "the address of the system",
    "tags.org": "a list of organisations",
    "tags.os_model": "whether the model's weights are open",
    "tags.os_system": "whether the system's source is open",
}
METADATA = """\
# What is empty is for you to fill in.
assets:
  logs:  # {assets.logs}
  trajs:  # {assets.trajs}
info:
  authors:  # {info.authors}
  logo:  # {info.logo}
  name:  # {info.name}
  report:  # {info.report}
  site:  # {info.site}
tags:
  checked: false
  model:
  - MODEL
  org:  # {tags.org}
  os_model:  # {tags.os_model}
  os_system:  # {tags.os_system}
  system:
    attempts: 1
"""


def submission_files(store: RunStore, page: str, opening: Opening = lambda _: ()) -> Iterator[File]:
    """`page` is the run's report in markdown."""
    run, patches = store.record(), dict[str, bytes]()
    resolved, without_log, empty = list[str](), list[str](), list[str]()
    for trajectory in trajectories(store, opening):
        attempt = trajectory.attempt
        seen = timed(attempt, evidence_of(store, attempt), run)
        patches[attempt.instance_id] = seen.patch
        yield from instance_files("logs", attempt, seen)
        if trajectory.steps:
            yield File(f"trajs/{attempt.instance_id}.traj.json", written(trajectory))
        if attempt.outcome is Outcome.RESOLVED:
            resolved.append(attempt.instance_id)
        elif attempt.outcome is Outcome.NO_PATCH:
            empty.append(attempt.instance_id)
        elif seen.log is None:
            without_log.append(attempt.instance_id)
    yield File("all_preds.jsonl", predictions(run.model, patches))
    yield File("metadata.yaml", _metadata(run).encode())
    yield File("README.md", f"{page}\n{_checklist(run)}".encode())
    results = {
        "no_generation": sorted({*run.selection} - {*patches} | {*empty}),
        "no_logs": sorted(without_log),
        "resolved": sorted(resolved),
    }
    yield File("results/results.json", _json(results))
    yield File("results/resolved_by_repo.json", _json(_by_repo(run, resolved)))


def open_points(run: RunRecord, graded: Sequence[str]) -> Iterator[str]:
    """What is left to do before it can be submitted; `graded` are the instances in it."""
    for key, what in EMPTY.items():
        if not what.endswith("that they fill in"):
            yield f"metadata.yaml, {key}: {what}"
    if left := len(set(run.selection) - set(graded)):
        yield f"{left} of {len(run.selection)} instances have no verdict: they want all of a split"
    if run.question.scaffold is None:
        yield "trajs: there are none, since there was no agent"
    yield "results: their analysis/get_results.py makes them anew, with resolved_by_time.json"


def _metadata(run: RunRecord) -> str:
    """YAML reads a string of JSON as what it is."""
    text = METADATA.replace("MODEL", json.dumps(run.model))
    for key, what in EMPTY.items():
        text = text.replace(f"{{{key}}}", what)
    return text


def _checklist(run: RunRecord) -> str:
    """Theirs; ticked is what swerun saw to."""
    question = run.question
    is_ours = question.scaffold is not None and not question.unknown
    points = (
        (is_ours, f"Is a pass@1 submission. What counts: {RULE}"),
        (is_ours, "Does not use SWE-bench test knowledge (`PASS_TO_PASS`, `FAIL_TO_PASS`)"),
        (is_ours, "Does not use the `hints` field in SWE-bench"),
        (
            is_ours and question.network == "none",
            f"Does not have web-browsing. Its containers' network: {question.network or 'unknown'}",
        ),
    )
    lines = (f"- [{'x' if done else ' '}] {text}" for done, text in points)
    return "\n".join(["### Checklist", "", *lines, ""])


def _by_repo(run: RunRecord, resolved: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for group in run.members:
        counts = found.setdefault(group.repo, {"resolved": 0, "total": 0})
        counts["resolved"] += len(set(group.instances) & set(resolved))
        counts["total"] += len(group.instances)
    return found


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
