"""From what a peer wrote to a run on disk: no engine, and nothing that anybody has to pay for."""

from __future__ import annotations

import json
import os
from threading import Event

import pytest

from swerun.attempt import Bench, run_attempt
from swerun.cli.tables import rows_of
from swerun.config import RunConfig
from swerun.engine.plan import plan
from swerun.errors import GraderError, InputError
from swerun.exchange.peers import find
from swerun.importing import import_run
from swerun.instances.subsets import load_instances
from swerun.ports import Planned
from swerun.records import (
    Cause,
    Grade,
    GradeReason,
    Imported,
    Outcome,
    Price,
    Selection,
    Solved,
    Stop,
    Usage,
)
from swerun.report.derived import reported
from swerun.report.sides import side_of
from swerun.report.summary import summarise
from swerun.report.why import cause
from swerun.runs.files import read_record
from swerun.runs.store import Started
from swerun.solve import GivenPatch
from tests.exchange.samples import DIFF, mini, openhands, swe_agent
from tests.exchange.test_peers import prediction, put
from tests.fakes import RESOLVED, FixedGrader, Notes, NoWaiting, Present, files_below

IDS = [instance.id for instance in load_instances("sample")]
ONE, TWO = IDS[:2]
SECRET = "sk-secret-0123456789abcdef"


def imported(root, path, model=None, say=lambda _: None, **more):
    found = find(path, model)
    config = RunConfig(
        model=(found.predictions.model,), runs=root / "runs", cache=root / "cache", **more
    )
    return import_run(config, found, os.environ, say)


def solved(store, instance_id, number=1):
    return read_record(store.attempt_folder(instance_id, number) / "solved.json", Solved)


@pytest.fixture
def peer(tmp_path):
    put(tmp_path / "peer" / ONE / f"{ONE}.traj.json", mini(ONE))
    put(tmp_path / "peer" / TWO / f"{TWO}.traj.json", mini(TWO, "", exit_status="APIError"))
    put(tmp_path / "peer" / "preds.json", {ONE: prediction(ONE), TWO: prediction(TWO, "")})
    return tmp_path / "peer"


def test_attempts_have_their_steps_and_patches_and_wait_for_their_grades(tmp_path, peer):
    store = imported(tmp_path, peer)
    assert set(files_below(store.folder / "attempts")) == {
        f"{i}/1/{name}"
        for i in (ONE, TWO)
        for name in ("started.json", "steps.jsonl", "patch.diff", "solved.json")
    }
    assert len(list(store.steps(ONE, 1))) == 3
    (past,) = store.past(ONE)
    assert (past.started.cause, past.done, past.kept.patch) == (Cause.IMPORTED, None, DIFF.encode())
    assert solved(store, ONE).stop is Stop.SUBMITTED
    assert solved(store, ONE).imported == Imported(ended="Submitted", cost=0.03, seconds=9)
    assert solved(store, TWO).stop is None
    assert solved(store, TWO).imported.ended == "APIError"


def test_what_a_peers_agent_did_is_looked_at_and_kept_through_the_grading(tmp_path, peer):
    told = json.dumps(mini(ONE)).replace('\\"ls\\"', '\\"git log --all\\"')
    put(peer / ONE / f"{ONE}.traj.json", json.loads(told))
    store = imported(tmp_path, peer)
    (found,) = solved(store, ONE).conduct
    assert (found.kind, found.steps, found.example) == ("history", (0,), "git log --all")
    assert solved(store, TWO).conduct == ()
    planned = plan(load_instances("sample")[:1], {ONE: store.past(ONE)}, 1)
    bench = Bench(Present(), None, FixedGrader([RESOLVED]), NoWaiting(), Event())
    done = run_attempt(planned[0], bench, Notes())
    assert (done.outcome, done.conduct) == (Outcome.RESOLVED, (found,))


def test_the_question_is_the_peers_as_far_as_it_says(tmp_path, peer):
    record = imported(tmp_path, peer).record()
    assert (record.model, record.selection) == ("peer/m", (ONE, TWO))
    question = record.question
    assert question.scaffold.agent == "mini-swe-agent 2.4.6"
    assert (question.limits.steps, question.limits.eval_seconds) == (250, 1800)
    assert {"limits.seconds", "network"} <= set(question.unknown)
    assert question.predictions
    assert '"network"' not in (tmp_path / "runs" / record.name / "run.json").read_text().partition(
        '"unknown"'
    )[0].replace('"grade_network"', "")
    assert record.sessions[0].note == f"by mini-swe-agent 2.4.6, imported from {peer}"
    assert len(record.sessions[0].missing) == len(IDS) - 2


def test_nothing_that_was_paid_elsewhere_is_counted_as_paid_here(tmp_path, peer):
    store = imported(tmp_path, peer)
    assert store.unfinished_usage() == Usage()
    assert reported(store).usage_all == Usage()


def test_the_same_again_changes_nothing_and_a_selection_may_grow(tmp_path, peer):
    store = imported(tmp_path, peer, selection=Selection(instances=(ONE,)))
    before = set(files_below(store.folder))
    assert not (store.folder / "attempts" / TWO).exists()
    imported(tmp_path, peer, selection=Selection(instances=(ONE,)))
    assert set(files_below(store.folder)) == before
    assert imported(tmp_path, peer).folder == store.folder
    assert set(files_below(store.folder)) - before == {
        f"attempts/{TWO}/1/{name}"
        for name in ("started.json", "steps.jsonl", "patch.diff", "solved.json")
    }


def test_an_import_that_was_killed_goes_on_and_what_was_torn_stays(tmp_path, peer):
    store = imported(tmp_path, peer)
    folder = store.attempt_folder(ONE, 1)
    (folder / "solved.json").unlink()
    (folder / "steps.jsonl").write_text('{"index":0,')
    imported(tmp_path, peer)
    assert (folder / "steps.jsonl").read_text() == '{"index":0,'
    assert [past.number for past in store.past(ONE)] == [1, 2]
    assert len(list(store.steps(ONE, 2))) == 3
    assert [past.number for past in store.past(TWO)] == [1]


def test_other_patches_are_another_question(tmp_path, peer):
    store = imported(tmp_path, peer, run="x")
    put(peer / "preds.json", {ONE: prediction(ONE, "diff --git a/b b/b\n")})
    with pytest.raises(InputError, match=r"the run x in .* asks another question"):
        imported(tmp_path, peer, run="x")
    assert store.patch(ONE, 1) == DIFF.encode()


def test_what_cannot_be_read_leaves_nothing_behind(tmp_path, peer):
    put(peer / "bad" / "bad.traj.json", "{")
    with pytest.raises(InputError, match=r"bad\.traj\.json: it is not JSON"):
        imported(tmp_path, peer)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["../../../up", "/tmp/up", "..", "a/../../b"])
def test_no_id_leads_out_of_the_runs_folder(tmp_path, peer, name):
    value = mini(name)
    put(peer / "x.traj.json", value)
    put(peer / "preds.json", {ONE: prediction(ONE), name: prediction(name)})
    with pytest.raises(InputError, match=r"x\.traj\.json: .* is no instance's id"):
        imported(tmp_path, peer)
    assert [path.name for path in tmp_path.iterdir()] == ["peer"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{ONE}.traj.json", json.dumps(mini(ONE))),
        (f"{ONE}.traj", json.dumps(swe_agent())),
        ("output.jsonl", json.dumps(openhands(ONE))),
    ],
)
def test_no_key_that_a_peer_left_in_its_files_comes_into_a_run(tmp_path, name, text):
    put(tmp_path / "peer" / name, text)
    assert SECRET in text
    store = imported(tmp_path, tmp_path / "peer")
    assert store.instance_ids() == [ONE]
    assert not any(SECRET in path.read_text() for path in store.folder.rglob("*.*"))


def test_a_prediction_without_a_trajectory_has_no_steps_and_patches_alone_were_given(tmp_path):
    put(tmp_path / "peer" / f"{ONE}.traj.json", mini(ONE))
    put(tmp_path / "peer" / "preds.json", {i: prediction(i) for i in (ONE, TWO)})
    store = imported(tmp_path, tmp_path / "peer")
    assert (solved(store, TWO).steps, solved(store, TWO).stop) == (0, None)
    alone = imported(tmp_path, put(tmp_path / "preds.json", {ONE: prediction(ONE)}))
    assert (solved(alone, ONE).stop, solved(alone, ONE).imported) == (Stop.GIVEN, None)
    assert alone.record().question.scaffold is None


def test_a_run_of_that_name_that_another_process_works_on_is_left_alone(tmp_path, peer):
    store = imported(tmp_path, peer)
    with store.locked(), pytest.raises(InputError, match="another process works on the run"):
        imported(tmp_path, peer)


def graded(store, instance_id, *grades, price=None):
    """As an engine has it graded, where the grader gives these."""
    (instance,) = (i for i in load_instances("sample") if i.id == instance_id)
    number = store.newest(instance_id)
    past = store.past_attempt(instance_id, number)
    planned = Planned(instance, number, cause=past.started.cause, kept=past.kept)
    bench = Bench(
        Present(), GivenPatch(lambda _: b""), FixedGrader(grades), NoWaiting(), Event(), price
    )
    return run_attempt(planned, bench, Notes())


def test_a_graded_attempt_has_the_cost_that_its_peer_counted_and_costs_nothing_here(tmp_path, peer):
    store = imported(tmp_path, peer)
    done = graded(store, ONE, RESOLVED, price=Price(input=1, output=1))
    assert (done.outcome, done.stop, done.steps) == (Outcome.RESOLVED, Stop.SUBMITTED, 3)
    assert (done.cost, done.solve_seconds, done.cause) == (0.03, 9, Cause.IMPORTED)
    report = summarise(store.record(), [done])
    assert (report.cost, report.cost_all) == (0.03, 0)
    assert (report.usage.input_tokens, report.usage_all) == (300, Usage())
    said = dict(rows_of([report]))
    assert said["cost"] == ["$0.0300"]
    assert said["cost, all attempts"] == said["tokens, all attempts"] == ["none here"]


def test_a_grading_that_failed_is_made_again_and_nothing_is_solved_or_paid_for_it(tmp_path, peer):
    store = imported(tmp_path, peer)
    failed = graded(store, ONE, GraderError("broken"))
    with store.attempt(ONE, 1, Started()) as log:
        log.finished(failed)
    (instance,) = (i for i in load_instances("sample") if i.id == ONE)
    (planned,) = plan([instance], {ONE: store.past(ONE)}, samples=1)
    assert (planned.number, planned.cause, planned.kept.patch) == (2, Cause.RETRY, DIFF.encode())
    bench = Bench(Present(), GivenPatch(fail), FixedGrader([RESOLVED]), NoWaiting(), Event())
    again = run_attempt(planned, bench, Notes())
    assert (again.outcome, again.solved_in, again.cost) == (Outcome.RESOLVED, 1, 0.03)
    assert summarise(store.record(), [failed, again]).usage_all == Usage()


def fail(instance):
    raise AssertionError("an imported attempt is never solved")


def test_how_long_it_took_is_only_compared_where_somebody_noted_it(tmp_path):
    put(tmp_path / "timed" / f"{ONE}.traj.json", mini(ONE))
    untimed = mini(ONE)
    for message in untimed["messages"]:
        message.get("extra", {}).pop("timestamp", None)
    put(tmp_path / "untimed" / f"{ONE}.traj.json", untimed)
    for name, known in (("timed", True), ("untimed", False)):
        store = imported(tmp_path, tmp_path / name, run=name)
        (trial,) = side_of(store.record(), [graded(store, ONE, RESOLVED)]).trials[ONE]
        assert (trial.seconds is not None) is known


def test_how_it_ended_elsewhere_is_the_cause_where_swerun_has_no_word_for_it(tmp_path, peer):
    store = imported(tmp_path, peer)
    empty = Grade(resolved=False, reason=GradeReason.NO_PATCH)
    assert cause(graded(store, TWO, empty)) == "no patch: APIError"
