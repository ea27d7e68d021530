"""Exit codes: whose doing it was, and that a stop is a stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import typer

from swerun.cli.exits import DONE, FAILED, explained, judged
from swerun.errors import (
    CancelledError,
    EndpointError,
    ImageError,
    InputError,
    InstanceError,
    SandboxError,
)
from swerun.instances.subsets import load_instances
from swerun.report.summary import summarise
from tests.fakes import an_attempt
from tests.models.endpoint import Silence, answering
from tests.report.test_summary import a_run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError, 2),
        (InstanceError, 2),
        (EndpointError, 2),
        (ImageError, 1),
        (SandboxError, 1),
        (CancelledError, 130),
    ],
)
def test_an_error_is_said_not_obeyed_and_its_class_decides_the_code(capsys, error, code):
    with pytest.raises(typer.Exit) as ended, explained():
        raise error("it said \x1b]0;title\x07")
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == "swerun: it said \\x1b]0;title\\x07\n"


def rows(*attempts, samples=2):
    return summarise(a_run("a", "b", samples=samples), attempts).rows


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ([("a", 1)], DONE),
        ([("a", 1), ("a", 2)], FAILED),  # the second one failed for the endpoint
        ([("b", 1)], FAILED),  # not begun
        ([("c", 1)], FAILED),  # not even known
        ([], DONE),
    ],
)
def test_only_what_was_asked_for_now_decides(asked, code):
    made = rows(an_attempt("a", 1, "unresolved"), an_attempt("a", 2, "endpoint_failed", sample=2))
    assert judged(asked, made) == code


@pytest.mark.docker
def test_an_older_selection_that_is_unfinished_is_no_failure_of_now(swerun, base_image):
    first, second, *_ = [instance.id for instance in load_instances("sample")]
    assert swerun("--model", "gold", "-i", first, "--run", "grown").returncode == 0
    kept = swerun.folder / "runs" / "grown" / "run.json"
    record = json.loads(kept.read_text())
    kept.write_text(json.dumps(record | {"selection": [first, second]}))
    done = swerun("--model", "gold", "-i", first, "--run", "grown", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["pending"] == 1


@pytest.mark.parametrize("loaded", ["typer", "swerun.cli.run", "swerun.cli", "pydantic"])
def test_ctrl_c_at_any_moment_of_the_beginning_ends_it_without_a_word(tmp_path, loaded):
    """`loaded` is the module after whose import it comes; Python tells of each."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "swerun", "--model", "gold"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        for line in process.stderr:
            if line.rpartition("|")[2].strip() == loaded:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, out, said) == (130, "", [])
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_run_whose_endpoint_never_answered_in_order(swerun):
    with answering(Silence()) as server:
        process = swerun.start("--model", "m", "--base-url", server.url)
        try:
            assert server.silent.wait(30), "it never asked"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=5)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 130, err
    assert "stopped" in err
    assert "Traceback" not in err
    assert swerun.runs() == []
