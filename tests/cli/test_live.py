"""What a board knows and says, from events alone, with a clock of its own."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from swerun.cli.live import Board, brief, duration, plain_line, shown, table, whole
from swerun.engine.events import Happened
from swerun.records import Failure, Fault, Observation, Solved, Step, Stop
from tests.fakes import NOW, RESOLVED, a_reply, an_attempt

NAMES = {"run": "some/model"}
SOLVED = Solved(
    instance_id="a",
    attempt=1,
    stop=Stop.SUBMITTED,
    steps=3,
    patch_bytes=7,
    started_at=NOW,
    seconds=1,
)
BUSY = Failure(fault=Fault.ENDPOINT, error="EndpointBusyError", message="busy", retry=True)
REFUSED = Failure(fault=Fault.ENDPOINT, error="EndpointError", message="no", retry=False)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def heard(board, what, instance_id="a", attempt=1):
    board.hear(Happened("run", instance_id, attempt, what))


def a_step(index=0):
    return Step(index=index, at=NOW, reply=a_reply("ls"))


def drawn(board, width=120):
    out = StringIO()
    Console(file=out, width=width).print(table(board, NAMES))
    return out.getvalue()


def failed(number, failure=BUSY, sample=1, outcome="endpoint_failed"):
    return an_attempt("a", number, outcome, failure=failure, sample=sample)


def said(attempt):
    return plain_line(Happened("run", "a", 1, attempt), NAMES)


def test_tokens_of_a_reply_that_is_given_again_are_not_among_those_that_are_paid_now():
    board, step = Board(1, retries=0), a_step()
    heard(board, step.model_copy(update={"reply": step.reply.model_copy(update={"replayed": 1})}))
    heard(board, a_step(1))
    assert board.tokens == 12


def test_an_attempt_that_is_over_is_done_and_no_longer_under_way():
    board = Board(2, retries=2)
    heard(board, "image")
    heard(board, an_attempt("a"))
    assert (board.done, board.resolved, board.under_way) == (1, 1, {})


def test_a_retry_is_not_counted_twice():
    board = Board(1, retries=2)
    heard(board, failed(1))
    assert board.done == 0
    heard(board, failed(2), attempt=2)
    heard(board, an_attempt("a", 3, "unresolved"), attempt=3)
    assert (board.done, board.resolved) == (1, 0)


def test_a_sample_whose_retries_are_used_up_is_done():
    board = Board(1, retries=2)
    for number in (1, 2, 3):
        assert board.done == 0
        heard(board, failed(number), attempt=number)
    assert board.done == 1


def test_without_retries_the_first_failure_is_the_end():
    board = Board(1, retries=0)
    heard(board, failed(1))
    assert board.done == 1


def test_the_retries_of_one_sample_are_not_those_of_another():
    board = Board(2, retries=1)
    heard(board, failed(1, sample=1))
    heard(board, failed(2, sample=2), attempt=2)
    assert board.done == 0
    heard(board, failed(3, sample=1), attempt=3)
    heard(board, failed(4, sample=2), attempt=4)
    assert board.done == 2


def test_a_failure_that_no_retry_can_mend_is_done_at_once():
    board = Board(1, retries=2)
    heard(board, failed(1, REFUSED))
    assert board.done == 1


def test_each_stage_is_called_what_it_is():
    board = Board(1, retries=0)
    line = None
    seen = []
    for what in ("waiting", "image", "waiting", "solve", a_step(), SOLVED, "grade", RESOLVED):
        heard(board, what)
        (line,) = board.under_way.values()
        seen.append(line.stage)
    assert seen == [
        "waiting",
        "image",
        "waiting",
        "solving",
        "solving",
        "waiting to grade",
        "grading",
        "grading",
    ]


def test_a_stage_that_the_board_does_not_know_is_called_what_the_engine_calls_it():
    board = Board(1, retries=0)
    heard(board, "waiting")
    assert "waiting" in drawn(board)


def test_steps_and_tokens_are_those_of_the_attempt_and_their_sum_that_of_the_run():
    board = Board(2, retries=0)
    heard(board, a_step(0))
    heard(board, a_step(1))
    heard(board, a_step(0), instance_id="b")
    assert [(line.step, line.tokens) for line in board.under_way.values()] == [(2, 24), (1, 12)]
    assert board.tokens == 36


def test_the_time_that_is_left_is_told_by_the_pace_so_far():
    clock = Clock()
    board = Board(4, retries=0, clock=clock)
    clock.now += 30
    assert board.eta() is None
    heard(board, an_attempt("a"))
    assert board.eta() == 90
    assert "1/4 done, 1 resolved, 0 tokens, 30 s, about 1:30 left" in drawn(board)


def test_the_table_shows_who_is_where_and_since_when():
    clock = Clock()
    board = Board(1, retries=0, clock=clock)
    heard(board, "solve")
    heard(board, a_step(4))
    clock.now += 65
    (row,) = [line for line in drawn(board).splitlines() if "solving" in line]
    assert row.split() == ["some/model", "a", "solving", "5", "12", "1:05"]


def test_brackets_in_a_models_name_are_no_markup():
    board = Board(1, retries=0)
    heard(board, "solve")
    out = StringIO()
    Console(file=out, width=80).print(table(board, {"run": "m[/red]"}))
    assert "m[/red]" in out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1:00"), (125, "2:05"), (3600, "1:00:00"), (3725, "1:02:05")],
)
def test_a_duration_is_said_as_a_clock_would(seconds, words):
    assert duration(seconds) == words


def test_an_attempt_without_failure_is_one_line():
    attempt = an_attempt("a", outcome="unresolved", steps=4, solve_seconds=1.0, grade_seconds=0.5)
    assert said(attempt) == "some/model  a  unresolved  4 steps  1.5 s"


@pytest.mark.parametrize(
    ("message", "outcome", "words"),
    [
        ("", "internal_error", "TimeoutError"),
        (" \n\n ", "endpoint_failed", "TimeoutError"),
        ("'key'", "internal_error", "TimeoutError: 'key'"),
        ("it said no", "endpoint_failed", "it said no"),
        ("it said no\n", "endpoint_failed", "it said no"),
        (
            "building x from y: failed\n  Step 1\n  error: no space left\n",
            "image_failed",
            "building x from y: failed ... error: no space left",
        ),
        ("\n3 validation errors\nkey\n  Field required", "internal_error", "Field required"),
    ],
)
def test_a_failure_is_said_in_one_line_that_says_something(message, outcome, words):
    failure = Failure(fault=Fault.SWERUN, error="TimeoutError", message=message, retry=False)
    line = said(an_attempt("a", outcome=outcome, failure=failure))
    assert "\n" not in line
    assert line.endswith(words)


def test_a_failure_of_many_words_is_cut():
    failure = REFUSED.model_copy(update={"message": "x" * 4000})
    assert len(said(an_attempt("a", outcome="endpoint_failed", failure=failure))) < 300


def test_a_failures_words_are_not_obeyed_by_the_terminal():
    failure = REFUSED.model_copy(update={"message": "\x1b[31mred\x07"})
    line = said(an_attempt("a", outcome="endpoint_failed", failure=failure))
    assert line.endswith(r"\x1b[31mred\x07")


def test_a_patch_is_one_line_and_one_that_was_given_none():
    assert said(SOLVED) == "some/model  a  submitted, patch of 7 bytes"
    assert said(SOLVED.model_copy(update={"steps": 0})) is None
    assert said("image") is None


def test_where_nothing_can_be_drawn_ends_are_lines():
    out = StringIO()
    console = Console(file=out, width=40)
    with shown(Board(1, retries=0), NAMES, console, brief(NAMES, console)) as listener:
        listener(Happened("run", "a", 1, "image"))
        listener(Happened("run", "a", 1, an_attempt("a")))
    assert out.getvalue() == "some/model  a  resolved  0 steps  0.0 s\n"


def test_where_steps_are_shown_each_is_told_with_its_commands_and_their_output():
    out = StringIO()
    tell = whole(Console(file=out, width=600))
    output = Observation(call_id="c0", text="\x1b[31m\n" + "x" * 500 + "\n" * 60, seconds=1.5)
    step = a_step().model_copy(update={"observations": (output,)})
    for what in ("image", "solve", step, SOLVED, an_attempt("a", 3)):
        tell(Happened("run", "a", 3, what))
    lines = [line.rstrip(" ─=") for line in out.getvalue().splitlines()]
    assert lines[:6] == [
        "a, attempt 3",
        "with nothing left out: swerun show run a --attempt 3",
        "step 1  0.0 s, 12 tokens, commands 1.5 s",
        "I run ('ls',)",
        "bash ls",
        "\\x1b[31m",
    ]
    assert "[... 100 characters not shown here]" in out.getvalue()
    assert "[... 37 lines that are not shown here ...]" in lines
    assert lines[-2:] == ["submitted, patch of 7 bytes", "resolved, 0 steps"]
