"""`swerun run` on a runs folder that cannot be written: full, again and again, or read-only."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from swerun.instances.subsets import load_instances
from swerun.runs.store import open_run
from tests.cli.swerun_process import containers_of
from tests.fakes import files_below
from tests.models.endpoint import answering, completion
from tests.models.test_protocols import a_call
from tests.small_disk import PAGE, small_disk

INSTANCE = load_instances("sample")[0]
FIX = f"git apply <<'END'\n{INSTANCE.answer.gold_patch}END"
LARGE = "seq 60000 | tee large.txt"  # a step of 10 KB, and a patch of 400 KB


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as made:
        yield made


def calling(command):
    name, arguments = (
        ("submit", "{}") if command is None else ("bash", json.dumps({"command": command}))
    )
    message = {"role": "assistant", "content": None, "tool_calls": [a_call(name, arguments)]}
    return completion(message, finish="tool_calls")


def solving(disk, full_at):
    """Answers with the fix, step by step; the disk is full before the steps in `full_at`."""

    def answer(asked):
        step = sum(message["role"] == "assistant" for message in asked.body["messages"])
        if step in full_at and len(asked.body["messages"]) > 1:
            disk.leave(0)
        return calling((FIX, LARGE, None)[min(step, 2)])

    return answer


def torn(runs: Path):
    """What of the files below `runs` cannot be read."""
    for name in files_below(runs):
        text = (runs / name).read_text()
        if name.endswith(".tmp"):
            yield name
        for line in text.splitlines() if name.endswith(".jsonl") else [text]:
            if name.rpartition(".")[2] in {"json", "jsonl"}:
                json.loads(line)


def no_room_for(done):
    """Which file the command's error names."""
    assert done.returncode == 1, done.stderr
    said = re.search(
        r"^swerun: \S*?([^/\s]+) could not be written: No space left on device\. "
        r"Make room, and run the same command again; what is done is kept\.$",
        done.stderr,
        re.MULTILINE,
    )
    assert said, done.stderr
    assert "Traceback" not in done.stderr
    return said[1]


@pytest.mark.docker
def test_a_run_goes_on_from_each_moment_at_which_its_disk_was_full(
    swerun, engine, base_image, disk
):
    runs, full_at = disk.folder / "runs", {1}
    (disk.folder / "of another").write_text("x")
    disk.leave(0)
    with answering(solving(disk, full_at)) as server:
        command = ("--model", "m", "--base-url", server.url, "-i", INSTANCE.id)
        command += ("--run", "full", "--runs", str(runs))
        assert no_room_for(swerun(*command)) == "run.json"
        assert list(files_below(runs)) == []
        disk.leave()
        assert no_room_for(swerun(*command)) == "steps.jsonl"
        full_at.clear()
        disk.leave(16 * PAGE)
        assert no_room_for(swerun(*command)) == "patch.diff"
        disk.leave()
        with filled_once_there(disk, runs / f"full/attempts/{INSTANCE.id}/3/solved.json"):
            assert no_room_for(swerun(*command)) == "test_output.txt"
        assert list(torn(runs)) == []
        asked = len(server.asked)
        disk.leave()
        done = swerun(*command, "--json")
    assert done.returncode == 0, done.stderr
    assert len(server.asked) == asked + 1  # the small request at the start: nothing is solved again
    (report,) = json.loads(done.stdout)
    assert report["outcomes"] == {"resolved": 1}
    there = open_run("full", runs)
    steps = [len(list(there.steps(INSTANCE.id, number))) for number in (1, 2, 3)]
    assert (steps, [bool(each.done) for each in there.past(INSTANCE.id)]) == (
        [1, 3, 3],
        [False, False, True],
    )
    assert containers_of(engine, "full") == []


@contextmanager
def filled_once_there(disk, path):
    """Once `path` is there, there is room for one page more: the script fits, the log does not."""

    def fill():
        while not path.exists() and not over.wait(0.005):
            pass
        disk.leave(PAGE)

    over = threading.Event()
    filling = threading.Thread(target=fill)
    filling.start()
    try:
        yield
    finally:
        over.set()
        filling.join()


@pytest.mark.docker
def test_a_runs_folder_that_may_only_be_read_is_said_and_can_be_read(swerun, base_image, disk):
    runs = disk.folder / "runs"
    one = ("--model", "gold", "-i", INSTANCE.id, "--run", "kept", "--runs", str(runs))
    assert swerun(*one).returncode == 0
    before = {name: (runs / name).read_bytes() for name in files_below(runs)}
    disk.refuse_writing()
    for command, path in (
        (one, runs / "kept" / ".lock"),
        (("--model", "gold", "--runs", str(runs)), runs / "gold--sample--"),
    ):
        done = swerun(*command)
        assert done.returncode == 1
        assert f"swerun: {path}" in done.stderr
        assert (
            "could not be written: Read-only file system. Make it writable, or choose another"
            in done.stderr
        )
    assert "kept" in swerun("list", "--runs", str(runs)).stdout
    assert {name: (runs / name).read_bytes() for name in files_below(runs)} == before


@pytest.mark.docker
def test_a_report_that_does_not_fit_leaves_the_one_that_is_there(swerun, base_image, disk):
    runs = ("--runs", str(disk.folder / "runs"))
    assert swerun("--model", "empty", "-i", INSTANCE.id, "--run", "kept", *runs).returncode == 0
    report = disk.folder / "runs" / "kept" / "report.json"
    before = report.read_bytes()
    disk.leave(0)
    assert no_room_for(swerun("report", "kept", *runs)) == "report.json"
    assert report.read_bytes() == before
    assert list(torn(disk.folder / "runs")) == []
    disk.leave()
    assert swerun("report", "kept", *runs).returncode == 0
