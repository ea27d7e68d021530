"""No command lets a terminal obey what models, programs, endpoints or datasets wrote."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from swerun.cli import app
from swerun.cli.check import lines as check_lines
from swerun.cli.doctor import table as findings_table
from swerun.cli.images import aligned
from swerun.cli.live import Board, brief, table, teller, whole
from swerun.cli.printable import OBEYED, tell_bug
from swerun.doctor.finding import Finding, State
from swerun.engine.events import Happened
from swerun.images.many import Checked
from swerun.images.plan import Plan, PlannedImage
from swerun.records import (
    Call,
    ExpectedTest,
    Failure,
    Fault,
    Flag,
    FlakyTest,
    Grade,
    GradeReason,
    Members,
    Observation,
    Reply,
    Session,
    Step,
    Strict,
    TestStatus,
)
from tests.cli.swerun_process import Swerun
from tests.exchange.stored import Done, stored
from tests.fakes import NOW, an_attempt, an_instance
from tests.instances.some_rows import jsonl, v5

# clear the screen; a title; the clipboard; a link; a bell; C1's own CSI; the line written over; the
# direction turned; and what rich would read as markup
HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\"
    "\x9b31m\rover\x08\u202egnp.exe\u2066\u200f[link=https://evil.example]y[/link][/][blink]z"
)
ID = "org__repo-1"
STEP = Step(
    index=0,
    at=NOW,
    reply=Reply(
        text=HOSTILE,
        reasoning=HOSTILE,
        calls=(
            Call(id="1", tool=f"t{HOSTILE}", arguments={"command": HOSTILE}),
            Call(id="2", tool="edit", arguments={HOSTILE: HOSTILE, "b": "c"}),
        ),
    ),
    observations=(Observation(call_id="1", text=HOSTILE, exit_code=1),),
)
GRADE = Grade(
    resolved=False,
    reason=GradeReason.TESTS_FAILED,
    detail=HOSTILE,
    tests=(ExpectedTest(name=HOSTILE, group="FAIL_TO_PASS", status=TestStatus.FAILED, ok=False),),
    flaky=(FlakyTest(name=HOSTILE, group="FAIL_TO_PASS", outcomes=(None,)),),
    flags=(Flag(rule="r", path=HOSTILE, line=HOSTILE),),
    strict=Strict(resolved=False, left_out=(HOSTILE,), reasons=(HOSTILE,)),
)
PATCH = f"diff --git a/{HOSTILE} b/{HOSTILE}\n+{HOSTILE}\n".encode()
FAILURE = Failure(fault=Fault.ENDPOINT, error=HOSTILE, message=f"{HOSTILE}\n{HOSTILE}", retry=False)
ENDED = an_attempt(ID, grade=GRADE, outcome="unresolved", leaks=(HOSTILE,))
FAILED = an_attempt(ID, outcome="internal_error", failure=FAILURE)
SESSION = Session(
    started_at=NOW,
    swerun=HOSTILE,
    python="3",
    engine="e",
    host=HOSTILE,
    jobs=1,
    grade_jobs=1,
    base_url=HOSTILE,
    note=HOSTILE,
    missing=(HOSTILE,),
)
MEMBERS = (Members(repo=HOSTILE, difficulty=HOSTILE, instances=(ID,)),)
SAMPLE_LOG = f"FAILED {HOSTILE}\n>>>>> Start Test Output\nFAILED {HOSTILE} - {HOSTILE}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs in which everything that others write is hostile, and a dataset likewise."""
    root = tmp_path_factory.mktemp("hostile")
    for name in ("one", "two"):
        log = f"FAILED {HOSTILE}\n{HOSTILE}\n".encode()
        store = stored(
            root / "runs",
            Done(ID, GRADE, log=log, patch=PATCH, steps=(STEP,)),
            name=name,
            model=f"{name}{HOSTILE}",
            subset=HOSTILE,
            source=HOSTILE,
            fingerprint=HOSTILE,
            members=MEMBERS,
            sessions=(SESSION,),
        )
        record = store.record()
        question = record.question.model_copy(update={"model": HOSTILE, "grading": HOSTILE})
        whole_run = record.model_copy(update={"question": question})
        (store.folder / "run.json").write_text(whole_run.model_dump_json(), encoding="utf-8")
    row = v5(ID, problem_statement=HOSTILE, patch="", difficulty=HOSTILE, version=HOSTILE)
    row |= {"repo": HOSTILE, "image": HOSTILE, "FAIL_TO_PASS": [HOSTILE], "base_commit": HOSTILE}
    (root / "rows.jsonl").write_bytes(jsonl(row))
    (root / "flawed.jsonl").write_bytes(jsonl(v5(f"a{HOSTILE}")))
    (root / "preds.json").write_text(json.dumps({HOSTILE: {"model_patch": HOSTILE}}))
    (root / "log.txt").write_text(SAMPLE_LOG)
    return root


COMMANDS = (
    "list --runs runs",
    "show one --runs runs",
    "show one --runs runs --fingerprint",
    f"show one {ID} --runs runs",
    f"show one {ID} --runs runs --step 1",
    f"show one {HOSTILE} --runs runs",
    f"show {HOSTILE} --runs runs",
    "why one --runs runs",
    "why one --runs runs --md",
    "report one --runs runs",
    "report one --runs runs --md",
    "compare one two --runs runs",
    "compare one two --runs runs --md",
    "compare one two --runs runs --csv",
    "compare one two --runs runs --strict",
    "compare one two --runs runs --curve steps --csv",
    "compare one two --runs runs --curve steps --md",
    "instances list --subset rows.jsonl",
    f"instances show {ID} --subset rows.jsonl --show-answer",
    "instances list --subset flawed.jsonl",
    f"instances list --subset {HOSTILE}",
    f"grade --log log.txt --subset rows.jsonl -i {ID}",
    "grade preds.json --subset rows.jsonl",
    "import preds.json --subset rows.jsonl",
    f"rerun one -i {HOSTILE} --runs runs",
)
JSON = (
    "list --runs runs --json",
    "show one --runs runs --json",
    f"show one {ID} --runs runs --json",
    f"show one {ID} --runs runs --step 1 --json",
    "why one --runs runs --json",
    "report one --runs runs --json",
    "compare one two --runs runs --json",
    f"instances show {ID} --subset rows.jsonl --json",
    f"grade --log log.txt --subset rows.jsonl -i {ID} --json",
)


def asked(folder, command, **environment):
    """What it prints on either stream; HOSTILE is one word."""
    words = [
        word.replace("HOSTILE", HOSTILE) for word in command.replace(HOSTILE, "HOSTILE").split()
    ]
    words = [str(folder / w) if (folder / w).exists() else w for w in words]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200", **environment})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.replace(HOSTILE, "HOSTILE"))
def test_nothing_that_is_printed_is_obeyed_but_swerun_s_own_colours(folder, command):
    done = asked(folder, command, FORCE_COLOR="1", TERM="xterm-256color")
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not OBEYED.findall(without_colours(done.output))
    if "one" in command.split() and "--curve" not in command:
        assert re.search(r"\\x1b|\\u001b", done.output)  # it was shown, and not left out


def without_colours(text):
    """rich's own: attributes without blinking, and no links."""
    return re.sub(r"\x1b\[(?!5m)[0-9;]*m", "", text)


@pytest.mark.parametrize("command", JSON, ids=lambda c: c)
def test_json_is_exact_and_no_terminal_obeys_it_either(folder, command):
    done = asked(folder, command)
    assert done.exit_code == 0, done.output
    assert not OBEYED.findall(done.stdout)
    beginning = HOSTILE[:4] if command.startswith("why") else HOSTILE  # a gist of each command
    assert any(beginning in text for text in texts(json.loads(done.stdout)))


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in (*value, *(value.values() if isinstance(value, dict) else ())):
            yield from texts(each)


@pytest.mark.parametrize("style", [brief, lambda names, console: whole(console)])
def test_nothing_is_obeyed_of_an_attempt_that_is_watched(style):
    for colours in (False, True):
        out = StringIO()
        console = Console(file=out, force_terminal=colours, width=300)
        tell, board = style({"r": f"m{HOSTILE}"}, console), Board(1, retries=0)
        for what in ("solve", HOSTILE, STEP, ENDED, FAILED):
            event = Happened("r", ID, 1, what)
            board.hear(event)
            console.print(table(board, {"r": f"m{HOSTILE}"}))
            tell(event)
        teller(console)(HOSTILE)
        assert "x1b" in out.getvalue()
        assert not OBEYED.findall(without_colours(out.getvalue()))


def test_nothing_is_obeyed_of_what_an_endpoint_a_registry_or_an_image_says():
    out, finding = (
        StringIO(),
        Finding(about=HOSTILE, name=HOSTILE, state=State.POOR, said=HOSTILE, advice=HOSTILE),
    )
    Console(file=out, width=300).print(findings_table(HOSTILE, [finding]))
    planned = Plan((PlannedImage(ID, HOSTILE, "pull"),), HOSTILE)
    task = an_instance(ID).on_image(HOSTILE).task
    checked = Checked(task, None, ValueError(HOSTILE))
    for text in (out.getvalue(), aligned(planned), "\n".join(check_lines(checked))):
        assert "x1b" in text
        assert not OBEYED.findall(text)


def test_nothing_is_obeyed_of_a_bug(capsys):
    error = ValueError(HOSTILE)
    tell_bug(ValueError, error, None)
    said = capsys.readouterr().err
    assert said.startswith("ValueError: \\x1b[2J")
    assert not OBEYED.findall(said)


def test_a_line_that_is_broken_is_told_so(folder):
    torn = folder / "runs" / "torn"
    (torn / "attempts" / ID / "1").mkdir(parents=True)
    (torn / "run.json").write_bytes((folder / "runs" / "one" / "run.json").read_bytes())
    bad = json.dumps({HOSTILE: 1}, ensure_ascii=False) + "\n"
    (torn / "attempts" / ID / "1" / "steps.jsonl").write_text(bad, encoding="utf-8")
    done = Swerun(folder)("show", "torn", ID)
    assert (done.returncode, "line 1 of" in done.stderr) == (2, True)
    assert not OBEYED.findall(done.stdout + done.stderr)


BUG = """
import sys, typer, swerun.cli as cli
def bug(text: str):
    raise RuntimeError(text)
cli.app = typer.Typer()
cli.app.command()(bug)
cli.main()
"""


def test_a_bug_is_told_so():
    done = subprocess.run([sys.executable, "-c", BUG, HOSTILE], capture_output=True, text=True)
    assert (done.returncode, done.stderr.startswith("Traceback")) == (1, True)
    assert "RuntimeError: " in done.stderr
    assert not OBEYED.findall(done.stdout + done.stderr)
