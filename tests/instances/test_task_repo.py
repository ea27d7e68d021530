"""Task repos, whole and malformed: what is wrong is said with its file and its field."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from swerun.errors import InputError, InstanceError
from swerun.instances.subsets import SHIPPED, load_subset
from swerun.instances.task_repo import load_task_repo
from swerun.packaged import packaged
from swerun.records import EvalType

TASK = {
    "instance_id": "org__repo-1",
    "repo": "org/repo",
    "base_commit": "0" * 40,
    "image": "an/image:latest",
    "split": "test",
    "log_parser": "parse_log_pytest",
}
TESTS = {"FAIL_TO_PASS": ["a.py::test_a"], "PASS_TO_PASS": []}
EVAL = ": '>>>>> Start Test Output'\npytest\n: '>>>>> End Test Output'\n"
DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    task = folder / "tasks" / "org__repo-1"
    task.mkdir(parents=True)
    (folder / "sweb.yaml").write_text("datasets: [org/name]\nsplits: [test, dev]\n")
    (task / "task.yaml").write_text(yaml.safe_dump(TASK))
    (task / "tests.json").write_text(json.dumps(TESTS))
    (task / "problem_statement.md").write_text("It is broken.\n")
    (task / "eval.sh").write_text(EVAL)
    (task / "gold.patch").write_text(DIFF)
    (task / "test.patch").write_text("")
    return folder


def written(repo, file, text):
    path = repo / file if file == "sweb.yaml" else repo / "tasks" / "org__repo-1" / file
    if text is None:
        path.unlink()
    elif isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text)
    return path


def task_with(**changes):
    return yaml.safe_dump({k: v for k, v in (TASK | changes).items() if v is not None})


def expecting(**changes):
    return json.dumps({k: v for k, v in (TESTS | changes).items() if v is not None})


def test_a_task_repo_is_read_as_its_files_say(repo):
    (instance,) = load_task_repo(repo)
    assert (instance.id, instance.task.id, instance.context) == ("org__repo-1",) * 2 + (None,)
    assert instance.task.repo == "org/repo"
    assert instance.task.base_commit == "0" * 40
    assert instance.task.image == "an/image:latest"
    assert instance.task.workdir == "/testbed"
    assert instance.task.problem_statement == "It is broken.\n"
    assert instance.answer.gold_patch == DIFF
    assert (instance.answer.test_patch, instance.answer.eval_script) == ("", EVAL)
    assert instance.answer.log_parser == "parse_log_pytest"
    assert instance.answer.eval_type is EvalType.PASS_AND_FAIL
    assert instance.answer.fail_to_pass == ("a.py::test_a",)
    assert instance.answer.pass_to_pass == ()
    assert (instance.version, instance.difficulty) == ("", "")


def test_what_is_optional_is_read_where_it_is_given(repo):
    more = {"version": "1.10", "difficulty": "<15 min fix", "eval_type": "fail_only"}
    written(repo, "task.yaml", task_with(**more))
    context = written(repo, "Dockerfile", "FROM scratch\n").parent
    (instance,) = load_task_repo(repo)
    assert (instance.version, instance.difficulty) == ("1.10", "<15 min fix")
    assert instance.answer.eval_type is EvalType.FAIL_ONLY
    assert instance.context == context


def test_keys_and_files_that_are_not_known_are_passed_over(repo):
    written(repo, "task.yaml", task_with(created_at="2024", datasets=["a"], image_assets={"x": 1}))
    written(repo, "tests.json", expecting(FAIL_TO_FAIL=[3]))
    written(repo, "sweb.yaml", "datasets: 3\nsplits: [test]\nmore: {a: b}\n")
    written(repo, "hints.md", "a hint")
    assert len(load_task_repo(repo)) == 1


def test_line_ends_of_patches_and_scripts_stay_as_they_are(repo):
    crlf = DIFF.replace("\n", "\r\n").encode()
    written(repo, "gold.patch", crlf)
    written(repo, "test.patch", crlf)
    (instance,) = load_task_repo(repo)
    assert instance.answer.gold_patch.encode() == crlf
    assert instance.answer.test_patch.encode() == crlf


def test_a_patch_may_be_a_plain_diff_or_empty(repo):
    written(repo, "gold.patch", DIFF.split("\n", 1)[1])
    assert load_task_repo(repo)[0].answer.gold_patch.startswith("--- a/a.py\n")
    written(repo, "gold.patch", "\n")
    assert load_task_repo(repo)[0].answer.gold_patch == "\n"


def test_a_deprecated_task_is_passed_over_whatever_else_is_wrong_with_it(repo):
    task = repo / "tasks" / "org__repo-1"
    old = shutil.copytree(task, repo / "tasks" / "org__repo-0")
    (old / "task.yaml").write_text("split: deprecated\n")
    (old / "tests.json").unlink()
    assert [i.id for i in load_task_repo(repo)] == ["org__repo-1"]


def test_what_is_no_folder_or_is_hidden_is_no_task(repo):
    tasks = repo / "tasks"
    (tasks / "README.md").write_text("no task")
    (tasks / ".git").mkdir()
    (tasks / "__pycache__").mkdir()
    assert len(load_task_repo(repo)) == 1


def test_instances_come_by_id(repo):
    for number in (10, 2):
        name = f"org__repo-{number}"
        other = shutil.copytree(repo / "tasks" / "org__repo-1", repo / "tasks" / name)
        (other / "task.yaml").write_text(task_with(instance_id=name))
    assert [i.id for i in load_task_repo(repo)] == ["org__repo-1", "org__repo-10", "org__repo-2"]


def test_without_splits_there_is_the_split_test(repo):
    written(repo, "sweb.yaml", "datasets: [a]\n")
    assert len(load_task_repo(repo)) == 1
    written(repo, "task.yaml", task_with(split="dev"))
    with pytest.raises(
        InstanceError, match=r"split: found 'dev' \(str\), expected one of .*: test"
    ):
        load_task_repo(repo)


def with_two_splits(repo):
    other = shutil.copytree(repo / "tasks" / "org__repo-1", repo / "tasks" / "org__repo-2")
    (other / "task.yaml").write_text(task_with(instance_id="org__repo-2", split="dev"))
    return other


def ids(repo, split=None):
    return [instance.id for instance in load_task_repo(repo, split)]


def test_a_split_has_its_own_tasks_and_without_one_it_is_test(repo):
    with_two_splits(repo)
    assert ids(repo) == ids(repo, "test") == ["org__repo-1"]
    assert ids(repo, "dev") == ["org__repo-2"]


def test_the_only_split_there_is_need_not_be_named(repo):
    written(repo, "sweb.yaml", "splits: [train]\n")
    written(repo, "task.yaml", task_with(split="train"))
    assert ids(repo) == ["org__repo-1"]


def test_of_several_splits_without_a_usual_one_none_is_guessed(repo):
    written(repo, "sweb.yaml", "splits: [train, dev]\n")
    with pytest.raises(InputError, match=r"--split \(train, dev\)"):
        load_task_repo(repo)


@pytest.mark.parametrize("split", ["tset", "", "deprecated"])
def test_a_split_that_is_not_known_is_answered_with_those_there_are(repo, split):
    with pytest.raises(InputError, match=f"no split '{split}'; it has test, dev"):
        load_task_repo(repo, split)


def test_a_split_without_tasks_is_answered_with_those_that_have_some(repo):
    with pytest.raises(InputError, match="no tasks of the split 'dev'; there are some in test"):
        load_task_repo(repo, "dev")


def test_a_repo_without_a_task_is_no_run_of_nothing(repo):
    task = repo / "tasks" / "org__repo-1"
    written(repo, "task.yaml", "split: deprecated\n")
    with pytest.raises(InputError, match=r"no tasks of the split 'test'$"):
        load_task_repo(repo)
    shutil.rmtree(task)
    with pytest.raises(InputError, match=f"{repo / 'tasks'}: there are no tasks"):
        load_task_repo(repo)


def test_what_is_wrong_in_another_split_is_not_in_the_way(repo):
    (with_two_splits(repo) / "tests.json").unlink()
    assert ids(repo, "test") == ["org__repo-1"]


MALFORMED = [
    ("sweb.yaml", None, "there is no such file"),
    ("sweb.yaml", "a: [", "this is no YAML"),
    ("sweb.yaml", "", "found nothing, expected a mapping"),
    ("sweb.yaml", "- a", r"found .*\(list\), expected a mapping"),
    ("sweb.yaml", "splits: []", r"splits: found '\[\]'.*at least 1 name"),
    ("sweb.yaml", "splits: test", r"splits: found 'test' \(str\), expected a list of strings"),
    ("sweb.yaml", "splits: [test, 3]", r"splits\[1\]: found '3' \(int\), expected a string"),
    ("task.yaml", None, "there is no such file"),
    ("task.yaml", "a: b: c", "this is no YAML"),
    ("task.yaml", b"\xff\xfe", "it cannot be read as UTF-8"),
    ("task.yaml", "just text", r"found 'just text' \(str\), expected a mapping"),
    ("task.yaml", task_with(split=None), "split: found nothing, expected a string"),
    ("task.yaml", task_with(split="tset"), "split: found 'tset' .*expected one of .*test, dev"),
    ("task.yaml", task_with(instance_id="other"), "instance_id: found 'other'.*org__repo-1"),
    ("task.yaml", task_with(instance_id=None), "instance_id: found nothing"),
    ("task.yaml", task_with(repo=None), "repo: found nothing"),
    ("task.yaml", task_with(repo=["a"]), r"repo: found .*\(list\), expected a string"),
    ("task.yaml", task_with(base_commit=1234), r"base_commit: found '1234' \(int\).*in quotes"),
    ("task.yaml", task_with(image="  "), "image: found '  '.*not empty"),
    ("task.yaml", task_with(image=None), "image: found nothing"),
    ("task.yaml", task_with(log_parser=None), "log_parser: found nothing"),
    ("task.yaml", task_with(version=1.1), r"version: found '1.1' \(float\).*in quotes"),
    ("task.yaml", task_with(difficulty=3), r"difficulty: found '3' \(int\)"),
    ("task.yaml", task_with(eval_type="all"), "eval_type: found 'all'.*pass_and_fail, fail_only"),
    ("tests.json", None, "there is no such file"),
    ("tests.json", "{", "this is no JSON"),
    ("tests.json", "[]", r"found '\[\]' \(list\), expected an object with FAIL_TO_PASS"),
    ("tests.json", expecting(FAIL_TO_PASS=None), "FAIL_TO_PASS: found nothing, expected a list"),
    ("tests.json", expecting(FAIL_TO_PASS=[]), r"FAIL_TO_PASS: found '\[\]'.*at least 1 name"),
    ("tests.json", expecting(FAIL_TO_PASS="['a']"), r"FAIL_TO_PASS: found .*\(str\), expected a"),
    ("tests.json", expecting(FAIL_TO_PASS=["a", 3]), r"FAIL_TO_PASS\[1\]: found '3' \(int\)"),
    ("tests.json", expecting(PASS_TO_PASS=None), "PASS_TO_PASS: found nothing"),
    ("tests.json", expecting(PASS_TO_PASS={"a": 1}), r"PASS_TO_PASS: found .*\(dict\)"),
    ("problem_statement.md", None, "there is no such file"),
    ("problem_statement.md", b"\xe9t\xe9", "it cannot be read as UTF-8"),
    ("gold.patch", None, "there is no such file"),
    ("gold.patch", "patch to follow", "found 'patch to follow'.*expected a diff"),
    ("gold.patch", DIFF + "+c\n", r"line 7: found '\+c', expected the next hunk or file"),
    ("gold.patch", DIFF.replace("-a\n", ""), "line 6: found its end, expected 1 old and 0 new"),
    ("test.patch", DIFF.replace("@@ -1", "@@ -1,2"), "line 7: found its end, expected 1 old"),
    ("test.patch", DIFF.replace("---", "garbage\n---"), "line 2: found 'garbage', expected a line"),
    ("test.patch", None, "there is no such file"),
    ("test.patch", "{}", "found .*expected a diff"),
    ("eval.sh", None, "there is no such file"),
    ("eval.sh", "pytest\n", "it never prints '>>>>> Start Test Output'"),
    ("eval.sh", EVAL.split("pytest")[0], "it never prints '>>>>> End Test Output'"),
]


@pytest.mark.parametrize(("file", "text", "said"), MALFORMED)
def test_a_malformed_file_is_answered_with_file_and_field(repo, file, text, said):
    path = written(repo, file, text)
    with pytest.raises(InstanceError, match=f"^{path}: {said}"):
        load_task_repo(repo)


def test_a_repo_without_tasks_says_which_folder_is_missing(repo):
    shutil.rmtree(repo / "tasks")
    with pytest.raises(InstanceError, match=f"^{repo / 'tasks'}: there is no such folder"):
        load_task_repo(repo)


def test_a_file_that_is_a_folder_is_answered_as_well(repo):
    path = written(repo, "eval.sh", None)
    path.mkdir()
    with pytest.raises(InstanceError, match=f"^{path}: it cannot be read"):
        load_task_repo(repo)


def test_the_sample_is_read_with_its_build_contexts():
    loaded = load_task_repo(packaged("instances/sample"))
    assert len(loaded) == 9
    assert all((i.context / "Dockerfile").is_file() for i in loaded if isinstance(i.context, Path))


@pytest.mark.parametrize(("line", "network"), [("", "none"), ("grade_network: bridge\n", "bridge")])
def test_a_task_repo_is_graded_without_network_unless_it_says_so(tmp_path, line, network):
    folder = shutil.copytree(packaged(SHIPPED["sample"]), tmp_path / "copy")
    with (folder / "sweb.yaml").open("a") as file:
        file.write(line)
    subset = load_subset(str(folder))
    assert subset.grade_network == network
    assert {i.grade_network for i in subset.instances} == {network}


def test_a_network_that_there_is_not_is_named_with_its_file(tmp_path):
    folder = shutil.copytree(packaged(SHIPPED["sample"]), tmp_path / "copy")
    with (folder / "sweb.yaml").open("a") as file:
        file.write("grade_network: all\n")
    with pytest.raises(InstanceError, match=r"sweb\.yaml: grade_network: .*'all'.* none, bridge"):
        load_subset(str(folder))
