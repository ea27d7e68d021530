"""Bad input gets its words and exit code 2, and nothing is written or started."""

from __future__ import annotations

import http.server
import json
import threading

import pytest


def refused(done, *words):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_an_unknown_subset_is_answered_with_the_nearest(swerun):
    refused(swerun("--model", "gold", "--subset", "sampel"), "'sampel'", "Did you mean sample?")
    assert swerun.runs() == []


def test_an_unknown_instance_is_answered_with_the_nearest(swerun):
    done = swerun("--model", "gold", "-i", "swerun-sample__polykit-99")
    refused(done, "swerun-sample__polykit-99", "Did you mean swerun-sample__polykit-")
    assert swerun.runs() == []


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("task.yaml", "a: [", "task.yaml"),
        ("tests.json", '{"FAIL_TO_PASS": "x"}', "FAIL_TO_PASS"),
        ("gold.patch", "not a diff", "gold.patch"),
    ],
)
def test_a_malformed_task_repo_is_answered_with_file_and_field(swerun, tmp_path, file, text, said):
    import shutil

    from swerun.packaged import packaged

    copied = tmp_path / "mine"
    shutil.copytree(packaged("instances/sample"), copied)
    broken = sorted((copied / "tasks").iterdir())[0] / file
    broken.write_text(text)
    refused(swerun("--model", "gold", "--subset", str(copied)), said, broken.parent.name)


def test_no_engine_is_answered_with_what_was_tried_and_how_to_start_one(swerun):
    done = swerun("--model", "gold", DOCKER_HOST="unix:///nowhere/docker.sock")
    refused(done, "unix:///nowhere/docker.sock", "start")
    assert swerun.runs() == []


def test_an_endpoint_that_is_not_there_is_found_out_before_any_container_starts(swerun, engine):
    done = swerun("--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    refused(done, "http://127.0.0.1:9/v1")
    assert swerun.runs() == []


class Guarded(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.dumps({"error": {"message": "no such key here"}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.do_POST()

    def log_message(self, *args):
        pass


@pytest.fixture
def guarded():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_key_that_is_refused_is_said_in_the_endpoints_words(swerun, guarded):
    done = swerun("--model", "m", "--base-url", guarded, OPENAI_API_KEY="sk-secret")
    refused(done, "no such key here")
    assert "sk-secret" not in done.stderr + done.stdout


def test_a_key_variable_that_is_not_set_is_named(swerun, guarded):
    done = swerun("--model", "m", "--base-url", guarded, "--api-key-env", "MY_KEY")
    refused(done, "MY_KEY")


def test_a_model_that_leads_nowhere_is_answered_with_what_can_be_given(swerun):
    refused(swerun("--model", "whatever"), "--base-url")


def test_an_unknown_recording_is_answered_with_those_there_are(swerun):
    refused(swerun("--model", "demo/nobody"), "demo/handwritten")


def test_an_unknown_key_of_the_configuration_is_named(swerun, tmp_path):
    (tmp_path / "c.yaml").write_text("model: gold\nlimits: {stps: 3}\n")
    refused(swerun("-c", "c.yaml"), "limits.stps", "did you mean limits.steps")


def test_an_unknown_option_is_named(swerun):
    refused(swerun("--modle", "gold"), "--modle")


def test_a_number_that_cannot_be_is_named(swerun):
    refused(swerun("--model", "gold", "-j", "-3"), "jobs")
    refused(swerun("--model", "gold", "--memory", "lots"), "resources.memory")


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("-j", "--jobs: "),
        ("--steps", "--steps (limits.steps): "),
        ("--tokens", "--tokens (limits.tokens): "),
        ("--attempts", "--attempts (samples): "),
        ("--eval-timeout", "--eval-timeout (limits.eval_seconds): "),
    ],
)
def test_a_flag_that_cannot_be_0_is_named_where_it_is(swerun, flag, said):
    refused(swerun("--model", "gold", flag, "0"), said, "(got 0")


def test_what_is_wrong_is_said_of_the_file_or_of_the_flag_whosever_it_is(swerun, tmp_path):
    (tmp_path / "c.yaml").write_text("model: gold\nlimits: {steps: 0}\n")
    of_file = swerun("-c", "c.yaml", "--jobs", "1")
    refused(of_file, "c.yaml", "limits.steps: ")
    assert "--steps" not in of_file.stderr
    refused(swerun("-c", "c.yaml", "--steps", "-1"), "--steps (limits.steps): ")


def test_a_model_that_is_not_given_is_asked_for_by_its_flag(swerun):
    refused(swerun("--subset", "sample"), "--model: ")


def test_an_empty_text_is_not_taken_for_the_default(swerun):
    refused(swerun("--model", "gold", "--network", ""), "--network", "empty")


def test_a_runs_folder_of_a_newer_version_is_refused(swerun, tmp_path):
    run = tmp_path / "runs" / "later"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"schema_version": 99}')
    refused(swerun("list"), "newer swerun", "99")
    refused(swerun("--model", "gold", "--run", "later"), "newer swerun")


def test_a_run_that_is_not_there_is_said(swerun):
    refused(swerun("report", "nothing"), "there is no run 'nothing'")
    refused(swerun("show", "nothing"), "there is no run 'nothing'")
