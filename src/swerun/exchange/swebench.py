"""What SWE-bench's harness writes of an evaluation, written of a run: version 5.0.2, its
harness/reporting.py and harness/grading.py.

It knows one word where swerun has several. A patch that does not apply and tests that run out of
time are errors to it; what has no verdict here was never submitted to it; what is `suspect` is not
resolved. Both rates of its report are over `total_instances`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from swerun.exchange.counting import Evidence, counting, evidence_of
from swerun.exchange.folders import File
from swerun.records import Attempt, Grade, GradeReason, Outcome, RunRecord
from swerun.report.predictions import predictions
from swerun.runs.store import RunStore

SCHEMA = 2  # of its run's report
GROUPS = ("FAIL_TO_PASS", "PASS_TO_PASS", "FAIL_TO_FAIL", "PASS_TO_FAIL")
GRADED = {Outcome.RESOLVED, Outcome.SUSPECT, Outcome.UNRESOLVED}

# what in a log is the environment's doing to it, or may be: the first of them that is there
SIGNS: Mapping[str, tuple[bool, str]] = {
    "browser_launch_failed": (True, r"Failed to launch|Failed to connect to the bus"),
    "display_unavailable": (
        True,
        r"cannot open display|Missing X server|unable to open X display",
    ),
    "out_of_memory": (True, r"(?m:^Killed$)|Cannot allocate memory|OutOfMemoryError"),
    "container_unavailable": (
        True,
        r"Cannot connect to the Docker daemon|Error response from daemon",
    ),
    "network_unreachable": (
        True,
        r"Temporary failure in name resolution|Could not resolve host",
    ),
    "missing_module": (False, r"ModuleNotFoundError|MODULE_NOT_FOUND|Cannot find module"),
    "no_tests_collected": (False, r"collected 0 items|no tests ran"),
    "tests_timed_out": (False, r"Timeout error: \d+ seconds exceeded"),
}


@dataclass(frozen=True, slots=True)
class Sign:
    """Why an instance may not be resolved, besides its patch; `certain` as far as it is."""

    reason: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of one instance, and what its log may say of the environment."""

    instance_id: str
    outcome: Outcome
    sign: Sign | None = None


def sign_in(log: bytes | None) -> Sign | None:
    text = (log or b"").decode(errors="replace")
    for reason, (certain, pattern) in SIGNS.items():
        if re.search(pattern, text):
            return Sign(reason, certain)
    return None


def swebench_files(store: RunStore) -> Iterator[File]:
    """As it leaves an evaluation: predictions, its report of the run, and a folder an instance."""
    run, patches, standings = store.record(), dict[str, bytes](), list[Standing]()
    model = run.model.replace("/", "__")
    for attempt in counting(store):
        seen = timed(attempt, evidence_of(store, attempt), run)
        standings.append(Standing(attempt.instance_id, attempt.outcome, sign_in(seen.log)))
        patches[attempt.instance_id] = seen.patch
        yield from instance_files(f"logs/run_evaluation/{run.name}/{model}", attempt, seen)
    yield File("predictions.jsonl", predictions(run.model, patches))
    yield File(f"{model}.{run.name}.json", run_report(run, standings))


def instance_files(folder: str, attempt: Attempt, seen: Evidence) -> Iterator[File]:
    """What it leaves of one instance; nothing where there was no patch."""
    here = f"{folder}/{attempt.instance_id}"
    if attempt.outcome is Outcome.NO_PATCH:
        return
    yield File(f"{here}/patch.diff", seen.patch)
    if seen.script is not None:
        yield File(f"{here}/eval.sh", seen.script)
    if seen.log is not None:
        yield File(f"{here}/test_output.txt", seen.log)
    if attempt.outcome in GRADED and attempt.grade:
        yield File(f"{here}/report.json", instance_report(attempt, attempt.grade, seen.log))


def instance_report(attempt: Attempt, grade: Grade, log: bytes | None) -> bytes:
    """Its report.json of one instance whose tests were run."""
    said: dict[str, object] = {
        "patch_is_None": False,
        "patch_exists": True,
        "patch_successfully_applied": grade.reason.has_results,
        "resolved": attempt.outcome is Outcome.RESOLVED,
        "infra_failure": False,
    }
    if grade.reason.has_results:
        said["tests_status"] = {
            group: {
                "success": [t.name for t in grade.tests if t.group == group and t.ok],
                "failure": [t.name for t in grade.tests if t.group == group and not t.ok],
            }
            for group in GROUPS
        }
    elif sign := sign_in(log):
        said |= {"infra_failure": sign.certain, "infra_failure_reason": sign.reason}
    return _json({attempt.instance_id: said})


def run_report(run: RunRecord, standings: Sequence[Standing]) -> bytes:
    """Its report of a run."""
    outcomes = {each.instance_id: each.outcome for each in standings}
    signs = {each.instance_id: each.sign for each in standings if each.sign}
    missing = {instance_id for session in run.sessions for instance_id in session.missing}
    asked = {*run.selection, *missing}
    resolved = _of(outcomes, {Outcome.RESOLVED})
    unresolved = _of(outcomes, GRADED - {Outcome.RESOLVED})
    errors = _of(outcomes, {Outcome.PATCH_REJECTED, Outcome.TESTS_TIMED_OUT})
    empty = _of(outcomes, {Outcome.NO_PATCH})
    reasons = {i: signs[i] for i in sorted([*unresolved, *errors]) if i in signs}
    infra = [i for i, sign in reasons.items() if sign.certain]
    ambiguous = [i for i, sign in reasons.items() if not sign.certain]
    return _json(
        {
            "total_instances": len(asked),
            "submitted_instances": len(outcomes),
            "completed_instances": len(resolved) + len(unresolved),
            "resolved_instances": len(resolved),
            "unresolved_instances": len(unresolved),
            "infra_failure_instances": len(infra),
            "ambiguous_failure_instances": len(ambiguous),
            "empty_patch_instances": len(empty),
            "error_instances": len(errors),
            "completed_ids": sorted([*resolved, *unresolved]),
            "incomplete_ids": sorted(asked - set(outcomes)),
            "empty_patch_ids": empty,
            "submitted_ids": sorted(outcomes),
            "resolved_ids": resolved,
            "unresolved_ids": unresolved,
            "infra_failure_ids": infra,
            "ambiguous_failure_ids": ambiguous,
            "failure_reasons": {i: sign.reason for i, sign in reasons.items()},
            "error_ids": errors,
            "schema_version": SCHEMA,
        }
    )


def _of(outcomes: Mapping[str, Outcome], wanted: set[Outcome]) -> list[str]:
    return sorted(i for i, outcome in outcomes.items() if outcome in wanted)


def timed(attempt: Attempt, seen: Evidence, run: RunRecord) -> Evidence:
    """With the line that it ends a log with that was cut off by the time limit."""
    is_late = attempt.grade is not None and attempt.grade.reason is GradeReason.TIMED_OUT
    if seen.log is None or not is_late:
        return seen
    limit = run.question.limits.eval_seconds
    end = f"\n\nTimeout error: {limit:.0f} seconds exceeded."
    return replace(seen, log=seen.log + end.encode())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=4) + "\n").encode()
