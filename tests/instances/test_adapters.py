"""Datasets that are near SWE-bench: what each row becomes, and what it says it lacks."""

from __future__ import annotations

import subprocess

import pytest

from swerun.errors import InstanceError
from swerun.grading.parsers import parser_of
from swerun.instances.adapters import adapter_for
from swerun.instances.adapters.script import eval_script, files_of_tests
from swerun.instances.gradable import check_gradable
from swerun.instances.rows import Row
from swerun.instances.subsets import KNOWN
from tests.instances.some_rows import DIFF, TESTS, older, smith_row, v5


def adapted(row, name=None):
    known = KNOWN[name].adapter if name else None
    return (known or adapter_for(row)).instance(Row("rows: row 1", row))


def live(**changes):
    more = {
        "test_cmds": ["pytest -rA", "pytest -rA tests"],
        "log_parser": "pytest",
        "version": None,
        "difficulty": {"files": 1, "hunks": 1, "lines": 2},
        "FAIL_TO_PASS": ["a"],
    }
    return older("Org__repo-1") | more | changes


def rebench(**changes):
    config = {"install": "pip install -e .", "test_cmd": "pytest -rA", "packages": None}
    more = {
        "install_config": config | {"log_parser": "parse_log_pytest"},
        "docker_image": "swerebench/sweb.eval.x86_64.org_1776_repo-1",
    }
    return older() | more | changes


def pro(**changes):
    row = older("instance_Org__Repo-abc-v1")
    del row["FAIL_TO_PASS"], row["PASS_TO_PASS"], row["version"]
    more = {
        "problem_statement": '"It is\\nbroken."',
        "requirements": "It must not be.",
        "interface": '"No new interfaces."',
        "fail_to_pass": "['a | b', \"c's\"]",
        "pass_to_pass": '["d"]',
        "dockerhub_tag": "org.repo-Org__Repo-abc-v1",
        "before_repo_set_cmd": "git reset --hard",
    }
    return row | more | changes


def test_a_row_of_live_runs_its_own_commands_and_is_read_as_pytests_log():
    instance = adapted(live())
    assert instance.task.image == "starryzhang/sweb.eval.x86_64.org_1776_repo-1:latest"
    assert instance.answer.log_parser == "parse_log_pytest"
    assert "\npytest -rA ; pytest -rA tests\n" in instance.answer.eval_script
    assert (instance.version, instance.difficulty, instance.ungradable) == ("", "", "")
    assert adapted(live(docker_image="mine:1")).task.image == "mine:1"
    assert "\nmake test\n" in adapted(live(test_cmds="make test")).answer.eval_script


def test_a_row_of_live_is_built_again_before_the_tests_and_prints_its_log_after_them():
    script = adapted(live(rebuild_cmds=["make"], print_cmds=["cat log"])).answer.eval_script
    assert script.index("\nmake\n") < script.index("git apply") < script.index(">>>>> Start")
    assert "pytest -rA tests\ncat log\n: '>>>>> End" in script


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"log_parser": "def parse(log): ..."}, "a program of the row's own"),
        ({"log_parser": None}, "the row has no log_parser"),
        ({"log_parser": None, "parser": "def parse(log): ..."}, "a program of the row's own"),
        ({"test_cmds": []}, "the row has no test_cmds"),
        ({"test_patch": ""}, "the row has no test_patch"),
    ],
)
def test_a_row_of_live_says_what_it_lacks(changes, why):
    assert why in adapted(live(**changes)).ungradable


def test_a_row_of_rebench_installs_and_tests_as_its_configuration_says():
    instance = adapted(rebench())
    script = instance.answer.eval_script
    assert instance.task.image == "swerebench/sweb.eval.x86_64.org_1776_repo-1"
    assert "conda activate testbed\npip install -e .\n" in script
    assert "\npytest -rA tests/test_a.py 'tests/test new.py'\n: '>>>>> End" in script
    assert parser_of(instance)
    assert instance.ungradable == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"docker_image": None}, "names no image"),
        ({"test_patch": ""}, "no test_patch"),
        ({"install_config": None}, "no test_cmd and no log_parser"),
        ({"install_config": {"test_cmd": "pytest"}}, "no log_parser"),
    ],
)
def test_a_row_of_rebench_says_what_it_lacks(changes, why):
    assert why in adapted(rebench(**changes)).ungradable


def test_an_image_of_rebench_may_be_called_by_its_older_name_and_commands_may_be_several():
    config = {"test_cmd": ["cd tests", "pytest"], "log_parser": "parse_log_pytest"}
    row = rebench(docker_image=None, image_name="mine:1", install_config=config)
    assert adapted(row).task.image == "mine:1"
    assert "\ncd tests\npytest tests/test_a.py 'tests/" in adapted(row).answer.eval_script
    with pytest.raises(InstanceError, match=r"install_config: found .* a test_cmd that is a comm"):
        adapted(rebench(install_config=config | {"test_cmd": [1]}))


def test_a_row_of_pro_is_in_app_and_states_its_requirements_and_cannot_be_graded():
    instance = adapted(pro())
    assert instance.task.workdir == "/app"
    assert instance.task.image == "jefzda/sweap-images:org.repo-Org__Repo-abc-v1"
    assert instance.task.problem_statement == (
        "It is\nbroken.\n\nRequirements:\nIt must not be.\n\nInterface:\nNo new interfaces."
    )
    assert instance.answer.fail_to_pass == ("a | b", "c's")
    assert instance.answer.pass_to_pass == ("d",)
    assert "scaleapi/SWE-bench_Pro-os" in instance.ungradable


def test_a_row_of_smith_has_no_reference_patch_for_its_patch_makes_the_bug():
    instance = adapted(smith_row())
    assert instance.answer.gold_patch == ""
    assert instance.task.image == "swebench/swesmith.x86_64.org_1776_repo.1234abcd"
    assert "SWE-smith's profiles" in instance.ungradable


def test_a_row_of_gym_is_an_older_one_with_images_of_its_own_and_lacks_its_tables():
    row = older("getmoto__moto-5406", repo="getmoto/moto")
    instance = adapted(row, "gym")
    assert instance.task.image == "xingyaoww/sweb.eval.x86_64.getmoto_s_moto-5406:latest"
    assert "SWE-Gym's fork" in instance.ungradable
    assert adapted(v5(), "gym").ungradable == ""


@pytest.mark.parametrize(
    ("row", "network"),
    [(make(), "bridge") for make in (live, rebench, pro, smith_row, older, v5)],
)
def test_every_dataset_of_the_family_is_graded_with_network(row, network):
    assert adapted(row).grade_network == network


def test_instances_that_cannot_be_graded_are_refused_with_what_they_lack_before_anything_runs():
    check_gradable([adapted(live()), adapted(rebench())])
    lacking = [adapted(smith_row(instance_id=f"s-{n}")) for n in range(5)]
    with pytest.raises(InstanceError, match="s-0: it cannot be graded: its image") as error:
        check_gradable(lacking)
    assert str(error.value).endswith("... and 2 more")


def test_a_patch_of_an_answer_that_is_not_whole_is_refused():
    with pytest.raises(InstanceError, match="org__repo-1: patch: line 6: found its end"):
        check_gradable([adapted(v5(patch=DIFF.replace("+x = 2\n", "")))])


def test_only_files_that_hold_tests_are_given_to_the_runner():
    assert files_of_tests(TESTS) == ["tests/test_a.py", "tests/test new.py"]


@pytest.fixture
def testbed(tmp_path):
    """A repository in the state the test patch is made for; run(script) -> its log."""

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        command = ["git", "-C", tmp_path, *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("assert x == 1\n")
    (tmp_path / "tests" / "data.json").write_text("1\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "base")

    def run():
        tests = ["cat tests/*.py tests/data.json"]
        script = eval_script(git("rev-parse", "HEAD"), TESTS, ["echo before"], tests)
        here = script.replace("cd /testbed", f"cd {tmp_path}")
        command = ["bash", "-c", here]
        done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(tmp_path)})
        return done.stdout.split("before\n")[1]

    return tmp_path, run, git


def test_a_made_script_runs_its_tests_with_the_test_patch_and_leaves_none_of_it(testbed):
    folder, run, git = testbed
    assert run() == "assert x\nassert x == 2\n2\n"
    assert git("status", "--porcelain", "--", "tests") == ""
    assert not (folder / "tests" / "test new.py").exists()


def test_no_patch_keeps_the_test_patch_from_applying_by_writing_its_files_first(testbed):
    folder, run, _ = testbed
    (folder / "tests" / "test new.py").write_text("assert True\n")
    (folder / "tests" / "test_a.py").write_text("assert True\n")
    (folder / "tests" / "data.json").unlink()
    assert run() == "assert x\nassert x == 2\n2\n"
