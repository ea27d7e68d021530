"""Predictions as each agent writes them, and what is wrong with some."""

from __future__ import annotations

import json

import pytest

from swerun.errors import InputError
from swerun.predictions import match, read_predictions
from tests.fakes import an_instance

A, B, C = "org__repo-1", "org__repo-2", "org__repo-3"
DIFF = "diff --git a/a b/a\n"
SWE_BENCH = [
    {"instance_id": A, "model_name_or_path": "m", "model_patch": DIFF},
    {"instance_id": B, "model_name_or_path": "m", "model_patch": "", "cost": 3},
]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def written(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def openhands(instance_id, patch, **metadata):
    """A line of output.jsonl, less its history."""
    return {
        "instance_id": instance_id,
        "test_result": {"git_patch": patch},
        "instruction": "...",
        "metadata": metadata,
        "history": [],
        "error": None,
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("preds.json", json.dumps(SWE_BENCH)),
        ("preds.json", json.dumps({row["instance_id"]: row for row in SWE_BENCH}, indent=2)),
        ("preds.jsonl", lines(SWE_BENCH)),
        ("preds.jsonl", "\n" + lines(SWE_BENCH) + "\n"),
        ("preds.jsonl", "\ufeff" + lines(SWE_BENCH)),
    ],
)
def test_what_swe_bench_and_mini_swe_agent_write_is_read(tmp_path, name, text):
    found = read_predictions(written(tmp_path, name, text))
    assert (found.model, found.patches) == ("m", {A: DIFF.encode(), B: b""})
    assert found.notes == ()


def test_a_mapping_of_ids_need_not_say_them_again(tmp_path):
    path = written(tmp_path, "preds.json", json.dumps({A: {"model_patch": DIFF}}))
    assert read_predictions(path).patches == {A: DIFF.encode()}


def test_a_folder_of_swe_agent_is_the_pred_files_below_it(tmp_path):
    for row in SWE_BENCH:
        instance_id = row["instance_id"]
        written(tmp_path, f"traj/{instance_id}/{instance_id}.pred", json.dumps(row))
        written(tmp_path, f"traj/{instance_id}/{instance_id}.traj", "{}")
    found = read_predictions(tmp_path / "traj")
    assert (found.model, found.patches) == ("m", {A: DIFF.encode(), B: b""})
    one = read_predictions(tmp_path / "traj" / A / f"{A}.pred")
    assert one.patches == {A: DIFF.encode()}


@pytest.mark.parametrize(
    ("metadata", "model"),
    [
        ({"llm": {"model": "litellm_proxy/claude"}}, "OpenHands/claude"),
        ({"llm_config": {"model": "gpt-4o"}}, "OpenHands/gpt-4o"),
        ({}, "OpenHands"),
    ],
)
def test_what_openhands_writes_is_read_with_its_model(tmp_path, metadata, model):
    rows = [openhands(A, DIFF, **metadata), openhands(B, None, **metadata)]
    failed = {"instance_id": C, "test_result": {}, "error": "timeout", "metadata": metadata}
    found = read_predictions(written(tmp_path, "output.jsonl", lines([*rows, failed])))
    assert (found.model, found.patches) == (model, {A: DIFF.encode(), B: b"", C: b""})
    assert found.notes == ("2 predictions without a patch (null): no_patch",)


def test_what_openhands_wrote_before_is_read(tmp_path):
    rows = [{"instance_id": A, "git_patch": DIFF, "metadata": None}]
    assert read_predictions(written(tmp_path, "o.jsonl", lines(rows))).patches == {A: DIFF.encode()}


def test_predictions_that_name_no_model_are_called_after_their_file(tmp_path):
    path = written(tmp_path, "mine.jsonl", lines([{"instance_id": A, "model_patch": DIFF}]))
    assert read_predictions(path).model == "mine"
    assert read_predictions(path, "other").model == "other"


def test_of_several_models_in_a_file_one_has_to_be_chosen(tmp_path):
    other = {"instance_id": A, "model_name_or_path": "n", "model_patch": "x"}
    path = written(tmp_path, "preds.jsonl", lines([*SWE_BENCH, other]))
    for model in (None, "o"):
        with pytest.raises(InputError, match=r"of 2 models: choose one with --model \(m, n\)"):
            read_predictions(path, model)
    assert read_predictions(path, "n").patches == {A: b"x"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.json", "[]", "has no predictions in it"),
        ("p.jsonl", "\n", "has no predictions in it"),
        ("p.txt", "", r"predictions are in a \.json, a \.jsonl or a \.pred"),
        ("p.json", "{", "p.json: it is not JSON: .*"),
        ("p.json", lines(SWE_BENCH), r"a file with one object a line is named \.jsonl"),
        ("p.jsonl", '{}\n{"instance_id": ', "p.jsonl, line 1: instance_id is a name, not null"),
        ("p.jsonl", lines(SWE_BENCH) + "{", "p.jsonl, line 3: it is not JSON"),
        ("p.json", "3", "p.json: a prediction is an object, not a number"),
        ("p.json", '["x"]', "p.json, number 1: a prediction is an object, not text"),
        ("p.json", '{"a": "x"}', "p.json, a: a prediction is an object, not text"),
        ("p.json", '[{"instance_id": 3}]', "number 1: instance_id is a name, not a number"),
        ("p.json", '[{"instance_id": "a", "b": 1}]', "neither model_patch nor .*, but b, instance"),
        ("p.json", '[{"instance_id": "a", "model_patch": ["x"]}]', "of a is text, not a list"),
        ("p.json", '[{"instance_id": "a", "model_patch": false}]', "is text, not true or false"),
        ("p.json", '{"a": {"instance_id": "b", "model_patch": ""}}', "p.json, a: .* another, b"),
        (
            "p.json",
            '[{"instance_id": "a", "model_patch": "", "model_name_or_path": {}}]',
            "model_name_or_path is a name, not an object",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, name, text, said):
    with pytest.raises(InputError, match=said):
        read_predictions(written(tmp_path, name, text))


def test_a_file_that_is_not_there_or_is_not_text_is_an_error_in_words(tmp_path):
    with pytest.raises(InputError, match=r"gone\.json cannot be read: .*No such file"):
        read_predictions(tmp_path / "gone.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xff")
    with pytest.raises(InputError, match=r"binary\.json: it is not UTF-8: byte 1 is 0xff"):
        read_predictions(tmp_path / "binary.json")


def test_a_folder_without_pred_files_asks_for_one_of_its_files(tmp_path):
    written(tmp_path, "preds.json", "{}")
    with pytest.raises(InputError, match=r"no \.pred below it; name one of its files \(preds.json"):
        read_predictions(tmp_path)


def test_one_instance_with_two_patches_is_an_error_and_with_one_twice_is_said(tmp_path):
    twice = written(tmp_path, "twice.jsonl", lines([*SWE_BENCH, SWE_BENCH[0]]))
    (note,) = read_predictions(twice).notes
    assert note.endswith(f"the same prediction more than once: {A}")
    differing = {**SWE_BENCH[0], "model_patch": "other"}
    path = written(tmp_path, "two.jsonl", lines([*SWE_BENCH, differing]))
    with pytest.raises(InputError, match=f"different patches for {A}: .* line 1; .* line 3"):
        read_predictions(path)


def test_the_digest_changes_with_a_patch_and_not_with_the_order(tmp_path):
    one = read_predictions(written(tmp_path, "1.json", json.dumps(SWE_BENCH)))
    turned = read_predictions(written(tmp_path, "2.json", json.dumps(SWE_BENCH[::-1])))
    other = read_predictions(
        written(tmp_path, "3.json", json.dumps([{**SWE_BENCH[0], "model_patch": "x"}]))
    )
    assert one.digest == turned.digest != other.digest


SUBSET = [an_instance(each) for each in (A, B, C)]


def test_only_what_has_a_prediction_is_graded_and_the_rest_is_counted(tmp_path):
    found = read_predictions(written(tmp_path, "p.json", json.dumps(SWE_BENCH)))
    matched = match(found, SUBSET, SUBSET)
    assert [instance.id for instance in matched.instances] == [A, B]
    assert matched.missing == (C,)
    assert matched.notes == (f"no prediction, so not graded: 1 of 3 instances ({C})",)
    assert match(found, SUBSET, SUBSET[:1]).notes == ()  # B was not chosen, which is no news


def test_predictions_for_what_the_subset_does_not_have_are_counted_and_said(tmp_path):
    rows = [*SWE_BENCH, *({"instance_id": f"x__y-{n}", "model_patch": ""} for n in range(7))]
    found = read_predictions(written(tmp_path, "p.json", json.dumps(rows)))
    (note,) = match(found, SUBSET, SUBSET[:2]).notes
    assert note == (
        "7 predictions are for instances that the subset does not have: "
        "x__y-0, x__y-1, x__y-2, x__y-3, x__y-4 and 2 more"
    )


def test_predictions_for_none_of_the_chosen_are_an_error(tmp_path):
    found = read_predictions(written(tmp_path, "p.json", json.dumps(SWE_BENCH)))
    with pytest.raises(InputError, match=f"any of the 1 instances that are chosen; .* {A}, {B}$"):
        match(found, SUBSET, SUBSET[2:])
