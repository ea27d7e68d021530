"""Names that others gave: by none of the ways in does one become a path that leads elsewhere."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from swerun.config import RunConfig
from swerun.errors import InputError, InstanceError
from swerun.exchange.peers import find
from swerun.instances.subsets import load_subset
from swerun.models.recording import RecordingInfo, read_replies, write_recording
from swerun.names import LONGEST, flaw_of
from swerun.predictions import read_predictions
from swerun.question import recording_name, run_name
from swerun.records import Started
from swerun.runs.store import RunStore, open_run
from tests.exchange.samples import mini, swe_agent
from tests.fakes import an_instance
from tests.instances.some_rows import jsonl, older, parquet, smith_row, v5
from tests.instances.test_adapters import live, pro, rebench
from tests.instances.test_task_repo import repo, task_with  # noqa: F401 -- a fixture

GOOD = (
    "django__django-11099",
    "oauthlib__oauthlib.1fd52536.combine_file__09vlzwgc",
    "instance_NodeBB__NodeBB-04998908ba6721d64eba79ae3b65a351dcfbc5b5-vnan",
    "Project-MONAI__MONAI-1012",
    "fmtlib__fmt-3750",
    "pylint-dev__pylint.1f8c4d9e.lm_rewrite__0a1b2c3d",
    "0",
    "_a.b+c@1:2=3~4,5",
    "a" * LONGEST,
)
CLIMBING = ("..", "../up", "../../../up", "/tmp/up", "a/../../up", "a/b", "./a")
BAD = (
    *CLIMBING,
    ".",
    ".hidden",
    "-rf",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x1b[2Jb",
    "a\x7fb",
    "a\x9bb",
    "a\u202eb",
    "a b",
    " a",
    "a ",
    "a.",
    "a..",
    "a*",
    "a[1]",
    "a$(id)",
    "é",
    "e\u0301",
    "\udcff",
    "a" * (LONGEST + 1),
    "é" * 150,
)
LONG = pytest.mark.parametrize("name", BAD, ids=ascii)


@pytest.mark.parametrize("name", GOOD)
def test_what_datasets_call_their_instances_is_fine(name):
    assert flaw_of(name) == ""
    assert an_instance(name).id == name


@pytest.mark.parametrize("name", ["", *BAD], ids=ascii)
def test_what_no_folder_should_be_called_is_not_and_it_is_said_why(name):
    assert flaw_of(name).startswith("it ")
    with pytest.raises(ValidationError):
        an_instance(name)


ROWS = {"v5": v5, "older": older, "smith": smith_row, "live": live, "pro": pro, "rebench": rebench}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", [*CLIMBING, ".", "a\0b", "a\x1bb", "x" * 300], ids=ascii)
def test_no_row_of_a_dataset_has_such_an_id(tmp_path, kind, name):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(jsonl(rows(kind, "good"), rows(kind, name)))
    with pytest.raises(
        InstanceError, match=r"rows\.jsonl: row 2: instance_id: found .*: it"
    ) as said:
        load_subset(str(file))
    assert str(said.value).isprintable()


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_whatever_file_the_row_is_in(tmp_path, ending):
    made = [rows("v5", "good"), rows("v5", "../up")]
    file = tmp_path / f"rows.{ending}"
    file.write_bytes(json.dumps(made).encode() if ending == "json" else parquet(*made))
    with pytest.raises(InstanceError, match=r"rows\.\w+: row 2: instance_id: found '\.\./up'"):
        load_subset(str(file))


def rows(kind, name):
    return ROWS[kind]() | {"instance_id": name}


def test_ids_that_share_a_folder_on_some_file_systems_are_refused(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(jsonl(v5("org__Repo-1"), v5("org__repo-1"), v5("b")))
    with pytest.raises(InstanceError, match="org__Repo-1, org__repo-1: they differ in nothing but"):
        load_subset(str(file))


@pytest.mark.parametrize("name", ["a b", "-rf", "a\nb", "é", "a."], ids=ascii)
def test_no_folder_of_a_task_repo_is_called_so(repo, name):  # noqa: F811
    folder = (repo / "tasks" / "org__repo-1").rename(repo / "tasks" / name)
    (folder / "task.yaml").write_text(task_with(instance_id=name))
    with pytest.raises(InstanceError, match="expected an instance's id for its name: "):
        load_subset(str(repo))


PREDICTION = {"model_name_or_path": "m", "model_patch": ""}


@LONG
def test_no_prediction_has_such_an_id(tmp_path, name):
    good, bad = PREDICTION | {"instance_id": "good"}, PREDICTION | {"instance_id": name}
    texts = {
        "list.json": json.dumps([good, bad]),
        "mapping.json": json.dumps({"good": good, name: bad}),
        "lines.jsonl": f"{json.dumps(good)}\n{json.dumps(bad)}\n",
        "one.pred": json.dumps(bad),
    }
    for file, text in texts.items():
        (tmp_path / file).write_text(text)
        with pytest.raises(InputError, match="is no instance's id: ") as said:
            read_predictions(tmp_path / file)
        assert str(said.value).startswith(str(tmp_path / file))


@pytest.mark.parametrize("name", CLIMBING)
def test_no_trajectory_has_such_an_id(tmp_path, name):
    for file, value in (("x.traj.json", mini(name)), ("output.jsonl", openhands(name))):
        (tmp_path / file).write_text(json.dumps(value))
        with pytest.raises(InputError, match="is no instance's id: "):
            find(tmp_path / file)


def openhands(name):
    return {"instance_id": name, "test_result": {"git_patch": ""}, "history": []}


def test_a_trajectory_that_is_called_after_its_file_has_a_name_too(tmp_path):
    (tmp_path / "a b.traj").write_text(json.dumps(swe_agent()))
    with pytest.raises(InputError, match="'a b' is no instance's id"):
        find(tmp_path)


@LONG
def test_no_run_has_an_attempt_of_such_an_id(tmp_path, name):
    store = RunStore(tmp_path / "runs" / "r")
    for ask in (
        store.past,
        store.newest,
        lambda i: store.patch(i, 1),
        lambda i: store.grades(i, 1),
    ):
        with pytest.raises(InputError, match="is no instance's id"):
            ask(name)
    with pytest.raises(InputError, match="is no instance's id"), store.attempt(name, 1, Started()):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", BAD[:-3], ids=ascii)
def test_no_recording_is_read_or_written_elsewhere(tmp_path, name):
    folder, info = tmp_path / "r", RecordingInfo(name="r", recorded_from="m", date="", protocol="x")
    with pytest.raises(InputError, match="is no instance's id"):
        write_recording(folder, info, {"good": (), name: ()})
    with pytest.raises(KeyError):
        read_replies(folder, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "../..", "a" * 300, "a/."])
def test_no_run_and_no_recording_is_called_after_what_leads_elsewhere(name):
    with pytest.raises(InputError, match=r"--run .*: no folder can be called"):
        run_name(RunConfig(model=("m",), run=name), "m", "0" * 64)
    with pytest.raises(InputError, match=r"--record with the model .*: no folder can be called"):
        recording_name(name)


def test_a_model_of_any_name_has_a_run_below_the_runs_folder(tmp_path):
    for model in ("/models/x", "org/m:free", "a\x1b[2J", "a/../../b", "..\\x", "é", "m" * 50):
        made = run_name(RunConfig(model=(model,)), f"x{model}", "0" * 64)
        assert (tmp_path / made).parent == tmp_path
        assert flaw_of(made.lstrip("-")) == ""


@pytest.mark.parametrize("name", ["nothing", "../up", "a" * 5000, "x\0y", "\x1b[2J", ""], ids=ascii)
def test_a_run_that_is_not_there_is_said_to_be_so_whatever_it_is_called(tmp_path, name):
    with pytest.raises(InputError, match="there is no run"):
        open_run(name, tmp_path)
