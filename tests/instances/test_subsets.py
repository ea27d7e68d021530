"""Subsets by name or path, the selection in them, and their hash."""

from __future__ import annotations

import contextlib
import shutil

import pytest

from swerun.errors import InputError, InstanceError
from swerun.instances.selection import matching
from swerun.instances.subsets import SHIPPED, dataset_hash, load_instances
from swerun.packaged import packaged
from swerun.records import EvalType
from tests.fakes import an_instance

INSTANCES = [an_instance(i) for i in ("org__one-1", "org__one-10", "org__two-1", "Org__one-1")]


def ids(instances):
    return [instance.id for instance in instances]


def test_a_name_and_the_path_of_its_folder_are_the_same_subset():
    named = load_instances("sample")
    folder = packaged(SHIPPED["sample"])
    assert named == load_instances(folder) == load_instances(str(folder))
    assert len(named) == 9
    assert ids(named) == sorted(ids(named))


def test_a_name_that_is_not_known_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"no subset 'sampel'\. Did you mean sample\?.*task repo"):
        load_instances("sampel")


def test_a_folder_that_is_no_task_repo_says_what_it_lacks(tmp_path):
    with pytest.raises(InputError, match=r"is no task repo: it has no sweb\.yaml"):
        load_instances(tmp_path)


def test_a_folder_that_is_called_like_a_name_does_not_hide_it(tmp_path):
    (tmp_path / "sample").mkdir()
    with contextlib.chdir(tmp_path):
        assert len(load_instances("sample")) == 9


def test_a_subset_with_a_malformed_file_is_not_read_in_part(tmp_path):
    folder = shutil.copytree(packaged(SHIPPED["sample"]), tmp_path / "copy")
    task = folder / "tasks" / "swerun-sample__polykit-9"
    (task / "tests.json").write_text("{")
    with pytest.raises(InstanceError, match=str(task / "tests.json")):
        load_instances(folder)


def test_a_split_that_is_not_known_is_answered_with_those_there_are():
    assert load_instances("sample", "test") == load_instances("sample")
    for subset in ("sample", packaged(SHIPPED["sample"])):
        with pytest.raises(InputError, match="no split 'dev'; it has test"):
            load_instances(subset, split="dev")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], [0, 1, 2, 3]),
        (["org__one-1"], [0]),
        (["org__one-*"], [0, 1]),
        (["*-1"], [0, 2, 3]),
        (["org__one-1?"], [1]),
        (["[oO]rg__one-1"], [0, 3]),
        (["org__two-1", "org__one-1"], [0, 2]),
        (["org__one-1", "*"], [0, 1, 2, 3]),
        (["Org*"], [3]),
    ],
)
def test_globs_select_in_the_order_of_the_subset_and_each_once(wanted, found):
    assert matching(INSTANCES, wanted) == [INSTANCES[number] for number in found]


def test_a_glob_that_matches_nothing_is_an_error_beside_one_that_does():
    with pytest.raises(InputError, match=r"'org__on-1'\. Did you mean org__one-1, "):
        matching(INSTANCES, ["org__two-1", "org__on-1"])
    with pytest.raises(InputError, match="no instance is called 'ORG__ONE-1'"):
        matching(INSTANCES, ["ORG__ONE-1"])


def test_where_nothing_is_near_there_is_what_there_is():
    with pytest.raises(InputError, match=r"'zzz'\. Did you mean org__one-1, org__one-10"):
        matching(INSTANCES, ["zzz"])
    with pytest.raises(InputError, match=r"no instance is called 'zzz'\.$"):
        matching([], ["zzz"])


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("answer", {"fail_to_pass": ("test_b",)}),
        ("answer", {"pass_to_pass": ("test_b",)}),
        ("answer", {"gold_patch": ""}),
        ("answer", {"test_patch": "x"}),
        ("answer", {"eval_script": "false"}),
        ("answer", {"log_parser": "parse_log_django"}),
        ("answer", {"eval_type": EvalType.FAIL_ONLY}),
        ("task", {"problem_statement": "It is."}),
        ("task", {"base_commit": "1" * 40}),
        ("task", {"image": "other"}),
        ("task", {"workdir": "/other"}),
    ],
)
def test_the_hash_changes_with_any_part_of_an_instance(part, changes):
    before = an_instance()
    changed = getattr(before, part).model_copy(update=changes)
    after = before.model_copy(update={part: changed})
    assert dataset_hash([before]) != dataset_hash([after])


def test_the_hash_is_of_the_instances_and_not_of_their_order_or_their_place(tmp_path):
    assert dataset_hash(INSTANCES) == dataset_hash(reversed(INSTANCES))
    assert dataset_hash(INSTANCES) != dataset_hash(INSTANCES[1:])
    assert len(dataset_hash(INSTANCES)) == 16
    elsewhere = shutil.copytree(packaged(SHIPPED["sample"]), tmp_path / "copy")
    assert dataset_hash(load_instances(elsewhere)) == dataset_hash(load_instances("sample"))
