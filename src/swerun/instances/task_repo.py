"""Reads a SWE-bench 5 task repo: sweb.yaml, and a folder with an instance's files for each task."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swerun.errors import InputError, InstanceError
from swerun.instances.diffs import FlawError, check_diff
from swerun.names import flaw_of, leads_out, links_out
from swerun.records import END, START, Answer, EvalType, Instance, Task

CONFIG, TASK, TESTS = "sweb.yaml", "task.yaml", "tests.json"
USUAL = "test"
NETWORKS = ("none", "bridge")  # of the grading containers; without the key it is the first
DEPRECATED = "deprecated"  # the split of tasks that are kept, but belong to no dataset
_DIFF = re.compile(r"^diff --git |^--- .*\n\+\+\+ ", re.MULTILINE)


def load_task_repo(folder: Path, split: str | None = None) -> tuple[Instance, ...]:
    """The instances of one of a task repo's splits, by id. Without `split` it is `test`, as with
    swebench, or the only one there is. Keys that swerun does not know are passed over.

    Raises InstanceError, naming file and field, what was found and what is expected there, and
    InputError for a split that there is not or that has no tasks. A link that leads out of a task's
    folder is refused: what it leads to would be shown to a model.
    """
    tasks = folder / "tasks"
    for path in (folder / CONFIG, tasks):
        if leads_out(path, folder):
            raise _link(path, folder)
    config = _mapping(folder / CONFIG)
    splits = _strings(folder / CONFIG, config, "splits", at_least=1, default=[USUAL])
    wanted = _chosen(folder, splits, split)
    if not tasks.is_dir():
        raise InstanceError(f"{tasks}: there is no such folder; a task repo has one of this name")
    there = {path: _task(path, splits) for path in sorted(tasks.iterdir()) if _is_task(path)}
    network = _network(folder / CONFIG, config)
    loaded = tuple(
        _load_task(path, t, network) for path, t in there.items() if t["split"] == wanted
    )
    if not loaded:
        others = sorted({t["split"] for t in there.values()} - {DEPRECATED})
        hint = f"; there are some in {', '.join(others)} (--split)" if others else ""
        raise InputError(f"{tasks}: there are no tasks of the split {wanted!r}{hint}")
    return loaded


def _chosen(folder: Path, splits: list[str], split: str | None) -> str:
    if split is None:
        if USUAL not in splits and len(splits) > 1:
            known = ", ".join(splits)
            raise InputError(f"{folder} has several splits: choose one with --split ({known})")
        return USUAL if USUAL in splits else splits[0]
    if split not in splits:
        raise InputError(f"{folder} has no split {split!r}; it has {', '.join(splits)}")
    return split


def _is_task(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith((".", "__"))


def _task(folder: Path, splits: list[str]) -> Mapping[str, Any]:
    """task.yaml, of which only the split is known to be good. All files are the task's own."""
    file = folder / TASK
    if flaw := flaw_of(folder.name):
        raise _wrong(folder, "", folder.name, f"an instance's id for its name: {flaw}")
    if leads_out(folder, folder.parent):
        raise _link(folder, folder.parent)
    for path in links_out(folder):
        raise _link(path, folder)
    task = _mapping(file)
    split = _string(file, task, "split")
    if split not in {*splits, DEPRECATED}:
        raise _wrong(file, "split", split, f"one of {CONFIG}'s: {', '.join(splits)}")
    return task


def _network(file: Path, config: Mapping[str, Any]) -> str:
    """swerun's own key: what the tests of a task repo may reach while a patch is graded."""
    network = _string(file, config, "grade_network", default=NETWORKS[0])
    if network not in NETWORKS:
        raise _wrong(file, "grade_network", network, f"one of {', '.join(NETWORKS)}")
    return network


def _load_task(folder: Path, task: Mapping[str, Any], network: str) -> Instance:
    file = folder / TASK
    if _string(file, task, "instance_id") != folder.name:
        raise _wrong(file, "instance_id", task["instance_id"], f"its folder's name, {folder.name}")
    return Instance(
        task=Task(
            id=folder.name,
            repo=_string(file, task, "repo"),
            base_commit=_string(file, task, "base_commit"),
            problem_statement=_text(folder / "problem_statement.md"),
            image=_string(file, task, "image"),
        ),
        answer=_answer(folder, task),
        version=_string(file, task, "version", default=""),
        difficulty=_string(file, task, "difficulty", default=""),
        context=folder if (folder / "Dockerfile").is_file() else None,
        grade_network=network,
    )


def _answer(folder: Path, task: Mapping[str, Any]) -> Answer:
    tests = _tests(folder / TESTS)
    eval_type = _string(folder / TASK, task, "eval_type", default=EvalType.PASS_AND_FAIL)
    if eval_type not in set(EvalType):
        raise _wrong(folder / TASK, "eval_type", eval_type, f"one of {', '.join(EvalType)}")
    return Answer(
        gold_patch=_diff(folder / "gold.patch"),
        test_patch=_diff(folder / "test.patch"),
        eval_script=_eval_script(folder / "eval.sh"),
        log_parser=_string(folder / TASK, task, "log_parser"),
        eval_type=EvalType(eval_type),
        fail_to_pass=tuple(_strings(folder / TESTS, tests, "FAIL_TO_PASS", at_least=1)),
        pass_to_pass=tuple(_strings(folder / TESTS, tests, "PASS_TO_PASS")),
    )


def _tests(file: Path) -> Mapping[str, Any]:
    try:
        tests = json.loads(_text(file))
    except ValueError as error:
        raise InstanceError(f"{file}: this is no JSON: {error}") from error
    if not isinstance(tests, dict):
        raise _wrong(file, "", tests, "an object with FAIL_TO_PASS and PASS_TO_PASS")
    return tests


def _diff(file: Path) -> str:
    text = _text(file)
    if text.strip() and not _DIFF.search(text):
        raise _wrong(file, "", text, "a diff: a line that begins with `diff --git`")
    try:
        check_diff(text)
    except FlawError as error:
        raise InstanceError(f"{file}: {error}") from error
    return text


def _eval_script(file: Path) -> str:
    text = _text(file)
    for marker in (START, END):
        if marker not in text:
            raise InstanceError(f"{file}: it never prints {marker!r}, so no log of it can be read")
    return text


def _text(file: Path) -> str:
    """Decoded, with its line ends as they are: a patch may need its CRLF."""
    try:
        return file.read_bytes().decode()
    except FileNotFoundError as error:
        raise InstanceError(f"{file}: there is no such file, and there must be one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError(f"{file}: it cannot be read as UTF-8 text: {error}") from error


def _mapping(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        read = yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        raise InstanceError(f"{file}: this is no YAML: {error}") from error
    if not isinstance(read, dict):
        raise _wrong(file, "", read, "a mapping of keys to values")
    return read


def _string(file: Path, read: Mapping[str, Any], key: str, *, default: str | None = None) -> str:
    value = read.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value.strip():
        # YAML makes a number of an unquoted 1.10, and of a commit of digits only
        raise _wrong(
            file, key, value, "a string that is not empty, in quotes if it looks like more"
        )
    return value


def _strings(
    file: Path,
    read: Mapping[str, Any],
    key: str,
    *,
    at_least: int = 0,
    default: list[str] | None = None,
) -> list[str]:
    value = read.get(key, default)
    if not isinstance(value, list):
        raise _wrong(file, key, value, "a list of strings")
    for number, entry in enumerate(value):
        if not isinstance(entry, str):
            raise _wrong(file, f"{key}[{number}]", entry, "a string")
    if len(value) < at_least:
        raise _wrong(file, key, value, f"at least {at_least} name")
    return value


def _link(path: Path, folder: Path) -> InstanceError:
    return InstanceError(
        f"{path}: it is no file or folder of {folder}, but a link that leads out of it, a pipe or "
        "a device: put a copy of what is meant in its place"
    )


def _wrong(file: Path, field: str, found: object, expected: str) -> InstanceError:
    where = f"{file}: {field}" if field else str(file)
    said = "nothing" if found is None else f"{str(found)[:80]!r} ({type(found).__name__})"
    return InstanceError(f"{where}: found {said}, expected {expected}")
