"""The main job as a user has it: processes, containers, a recorded endpoint over real HTTP."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.swerun_process import containers_of

pytestmark = pytest.mark.docker
IDS = [instance.id for instance in load_instances("sample")]


def test_gold_resolves_all_of_the_sample_and_empty_none(side_by_side, engine):
    gold, empty = side_by_side.reports["gold"], side_by_side.reports["empty"]
    assert (gold["resolved"], gold["n"]) == (len(IDS), len(IDS))
    assert empty["outcomes"] == {"no_patch": len(IDS)}
    for report in side_by_side.reports.values():
        assert containers_of(engine, report["run"]) == []


def test_the_handwritten_demo_ends_as_its_author_meant_it(side_by_side):
    report = side_by_side.reports["demo/handwritten"]
    assert "handwritten" in report["note"]
    assert report["outcomes"] == {
        "resolved": len(IDS) - 3,
        "unresolved": 2,
        "no_patch": 1,
    }
    assert report["stops"] == {"step_limit": 1, "submitted": len(IDS) - 1}
    assert report["replay_differs"] == 0
    by_instance = {row["instance_id"]: row for row in report["rows"]}
    assert set(by_instance) == set(IDS)


def test_what_a_run_writes_can_be_listed_shown_and_reported(swerun, base_image):
    done = swerun("--model", "demo/handwritten", "-i", IDS[0])
    assert done.returncode == 0, done.stderr
    (run,) = swerun.runs()
    assert run.name in swerun("list").stdout
    shown = swerun("show", run.name, IDS[0]).stdout
    assert "diff --git" in shown
    assert "step 1" in shown
    before = (run / "report.json").read_bytes()
    (run / "report.json").unlink()
    assert swerun("report", run.name).returncode == 0
    assert (run / "report.json").read_bytes() == before
    (line,) = (run / "predictions.jsonl").read_text().splitlines()
    assert json.loads(line)["instance_id"] == IDS[0]
    whole = json.loads(swerun("show", run.name, IDS[0], "--json").stdout)
    assert whole["attempt"]["instance_id"] == IDS[0]


def test_the_same_command_again_makes_nothing_twice_and_fresh_begins_anew(swerun, base_image):
    one = ("--model", "gold", "-i", IDS[0])
    first = swerun(*one)
    before = [attempt["finished_at"] for attempt in swerun.attempts()]
    again = swerun(*one)
    assert (first.returncode, again.returncode) == (0, 0)
    assert [attempt["finished_at"] for attempt in swerun.attempts()] == before
    assert swerun(*one, "--fresh").returncode == 0
    assert len(swerun.runs()) == 2


def test_a_selection_may_grow_and_what_is_done_stays(swerun, base_image):
    assert swerun("--model", "gold", "-i", IDS[0]).returncode == 0
    done = swerun("--model", "gold", "-i", IDS[1], "--json")
    assert json.loads(done.stdout)[0]["n"] == 2
    assert len(list(swerun.attempts())) == 2


@pytest.fixture
def silent():
    """An endpoint that answers the probe, and then never again."""
    listening = socket.create_server(("127.0.0.1", 0))
    held, asked = [], []

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            held.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        while request := connection.recv(65536):
            asked.append(request)
            if len(asked) > 1:
                continue
            message = {"role": "assistant", "content": "hm"}
            body = json.dumps(
                {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 1,
                    "model": "m",
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                }
            ).encode()
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            connection.sendall(head.encode() + b"\r\n\r\n" + body)

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", asked
    listening.close()
    for connection in held:
        connection.close()


def test_ctrl_c_ends_a_run_that_waits_for_an_endpoint_in_order(swerun, engine, base_image, silent):
    url, asked = silent
    process = swerun.start("--model", "m", "--base-url", url, "-j", "2", "--run", "stopped")
    deadline = time.monotonic() + 60
    while len(asked) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(asked) >= 3, "the agents never asked"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=5)
    assert process.returncode == 130, said
    assert containers_of(engine, "stopped") == []
    assert {attempt["outcome"] for attempt in swerun.attempts()} == {"cancelled"}
    assert (swerun.folder / "runs" / "stopped" / "report.json").exists()
