"""Rows of files: three formats, one instance; what is malformed is named by file, row and field."""

from __future__ import annotations

import json

import pytest

from swerun.errors import InputError, InstanceError
from swerun.instances.rows import Row
from swerun.instances.subsets import dataset_hash, load_subset
from tests.instances.some_rows import jsonl, older, parquet, v5

ROWS = [v5("org__repo-2"), v5("org__repo-1")]


def loaded(tmp_path, row):
    (tmp_path / "rows.jsonl").write_bytes(jsonl(row))
    return load_subset(str(tmp_path / "rows.jsonl")).instances[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.parquet", parquet(*ROWS)),
        ("rows.jsonl", jsonl(*ROWS)),
        ("blank.jsonl", jsonl(*ROWS).replace(b"\n", b"\n\n")),
        ("rows.json", json.dumps(ROWS).encode()),
        ("by_id.json", json.dumps({row["instance_id"]: row for row in ROWS}).encode()),
    ],
)
def test_the_same_rows_are_the_same_subset_in_every_format(tmp_path, name, content):
    (tmp_path / "first.jsonl").write_bytes(jsonl(*ROWS))
    (tmp_path / name).write_bytes(content)
    first, other = (load_subset(str(tmp_path / n)) for n in ("first.jsonl", name))
    assert [i.id for i in other.instances] == ["org__repo-1", "org__repo-2"]
    assert other.instances == first.instances
    assert dataset_hash(other.instances) == dataset_hash(first.instances)
    assert (other.source, other.grade_network) == (str(tmp_path / name), "bridge")


def test_a_row_of_version_5_is_taken_as_it_is(tmp_path):
    instance = loaded(tmp_path, v5())
    assert instance.task.image == "swebench/sweb.eval.x86_64.org_1776_repo-1:latest"
    assert instance.task.workdir == "/testbed"
    assert instance.answer.eval_script == v5()["eval_script"]
    assert instance.answer.fail_to_pass == ("test_a", "test_b['x']")
    assert instance.answer.pass_to_pass == ()
    assert (instance.version, instance.difficulty) == ("2.0", "<15 min fix")
    assert instance.ungradable == ""


def test_what_an_agent_is_shown_has_neither_hints_nor_a_date(tmp_path):
    shown = loaded(tmp_path, v5(hints_text="SECRET", created_at="SECRET")).model_dump_json()
    assert "SECRET" not in shown


def test_a_row_from_before_version_5_has_its_script_derived(tmp_path):
    instance = loaded(tmp_path, older("psf__requests-1"))
    assert "pytest -rA tests/test_a.py" in instance.answer.eval_script
    assert instance.answer.log_parser == "parse_log_requests"
    assert instance.task.image == "swebench/sweb.eval.x86_64.psf_1776_requests-1:latest"


def test_a_row_whose_repository_has_no_rule_is_there_and_says_what_it_lacks(tmp_path):
    instance = loaded(tmp_path, older(repo="org/unknown"))
    assert "no rule" in instance.ungradable
    assert instance.answer.eval_script == ""


def test_a_row_of_multimodal_that_needs_binary_files_says_so(tmp_path):
    assets = {"test_patch": [{"path": "test/a.png", "url": "https://example.org/a.png"}]}
    needed = loaded(tmp_path, v5(image_assets=json.dumps(assets)))
    assert "1 binary files that no patch carries (image_assets: test/a.png)" in needed.ungradable
    for none in ({}, "", {"problem_statement": ["https://example.org"], "test_patch": []}):
        assert loaded(tmp_path, v5(image_assets=none)).ungradable == ""


def test_a_row_without_any_tests_says_so_and_one_that_only_keeps_tests_does_not(tmp_path):
    none = loaded(tmp_path, v5(FAIL_TO_PASS="[]"))
    assert "names no tests" in none.ungradable
    assert loaded(tmp_path, v5(FAIL_TO_PASS=[], PASS_TO_PASS=["a"])).ungradable == ""


def test_a_row_whose_answer_is_not_published_is_there_and_says_so(tmp_path):
    assert "no reference patch" in loaded(tmp_path, v5(patch="")).ungradable
    hidden = loaded(tmp_path, older(patch="", test_patch="", FAIL_TO_PASS=None, PASS_TO_PASS=None))
    assert hidden.ungradable


@pytest.mark.parametrize(
    "written",
    [
        ["a", "b['c']"],
        '["a", "b[\'c\']"]',
        "['a', \"b['c']\"]",
        ("a", "b['c']"),
    ],
)
def test_tests_may_be_a_list_or_one_written_as_json_or_as_python_would(written):
    assert Row("f: row 1", {"FAIL_TO_PASS": written}).names("FAIL_TO_PASS") == ("a", "b['c']")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instance_id": ""}, "row 1: instance_id: found '', expected a string that is not empty"),
        ({"instance_id": 7}, "row 1: instance_id: found 7, expected a string"),
        ({"repo": None}, r"row 1 \(org__repo-1\): repo: found None, expected a string that is not"),
        ({"base_commit": " "}, "base_commit: found ' '"),
        ({"problem_statement": ""}, "problem_statement: found ''"),
        ({"patch": 1}, "patch: found 1"),
        ({"image": None}, "image: found None"),
        ({"log_parser": ""}, "log_parser: found ''"),
        ({"eval_type": "other"}, "eval_type: found 'other', expected one of pass_and_fail, fail_o"),
        ({"eval_script": "pytest"}, "eval_script: found 'pytest', expected a script that prints"),
        ({"FAIL_TO_PASS": "test_a"}, "FAIL_TO_PASS: found 'test_a', expected a list of strings"),
        ({"FAIL_TO_PASS": "[1]"}, "FAIL_TO_PASS: found '.1.', expected a list of strings"),
        ({"FAIL_TO_PASS": '{"a": 1}'}, "FAIL_TO_PASS: found"),
        ({"PASS_TO_PASS": 3}, "PASS_TO_PASS: found 3"),
        ({"PASS_TO_PASS": "x" * 999}, "PASS_TO_PASS: found 'x{79}"),
        ({"version": 2.0}, "version: found 2.0, expected a string"),
        ({"image_assets": "[1]"}, "image_assets: found '.1.', expected an object"),
        ({"image_assets": "{"}, "image_assets: found '{', expected an object, as JSON"),
    ],
)
def test_a_malformed_field_is_named_with_its_file_and_row(tmp_path, changes, said):
    with pytest.raises(InstanceError, match=rf"rows\.jsonl: (?=row 1).*{said}|rows\.jsonl: {said}"):
        loaded(tmp_path, v5(**changes))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.parquet", b"PAR1 no", "this is no parquet file"),
        ("a.jsonl", b'{"a": 1}\n{\n', "line 2 is no JSON"),
        ("a.jsonl", b"[1]\n", "row 1: found '.1.', expected an object"),
        ("a.jsonl", b"\xff\n", "cannot be read as UTF-8"),
        ("a.json", b"{", "this is no JSON"),
        ("a.json", b"7", "found '7', expected a list of rows"),
        ("a.json", b"[7]", "row 1: found '7', expected an object"),
        ("a.jsonl", jsonl(v5(), v5()), "instance_id: org__repo-1: in more than one row"),
    ],
)
def test_a_malformed_file_is_named_with_what_is_wrong(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InstanceError, match=said):
        load_subset(str(tmp_path / name))


def test_a_file_without_rows_or_that_is_not_there_is_the_users_to_mend(tmp_path):
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(InputError, match="no rows in it"):
        load_subset(str(tmp_path / "a.jsonl"))
    with pytest.raises(InputError, match=r"no file .*b\.parquet"):
        load_subset(str(tmp_path / "b.parquet"))


def test_a_file_has_neither_splits_nor_revisions(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(jsonl(v5()))
    with pytest.raises(InputError, match="is a file, and has no splits"):
        load_subset(str(tmp_path / "a.jsonl"), split="test")
    with pytest.raises(InputError, match=r"--revision v1: .* on this machine and has none"):
        load_subset(str(tmp_path / "a.jsonl"), revision="v1")
