"""What is seen while a run goes on: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from swerun.cli.printable import plain, printable
from swerun.cli.steps import glanced, tell_end, tell_step
from swerun.engine.events import Happened
from swerun.records import Attempt, Outcome, Solved, Step

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from swerun.driving import Prepared

# said when a stage begins; between "image" and "solve" an attempt may wait for an agent's slot, and
# no event says when that begins. A stage that is not in here is called what the engine calls it
STAGES = {"image": "image", "solve": "solving", "grade": "grading"}
LONGEST = 200  # characters of one line of a failure's words


@dataclass(slots=True)
class Line:
    """One attempt under way."""

    run: str
    instance_id: str
    since: float
    stage: str = ""
    step: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Board:
    """What is known of a run from its events alone.

    `total` counts samples, `retries` is how often the engine tries one again by itself.
    """

    total: int
    retries: int
    clock: Callable[[], float] = time.monotonic
    under_way: dict[tuple[str, str, int], Line] = field(default_factory=dict)
    failed: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # by run, id, sample
    done: int = 0
    resolved: int = 0
    tokens: int = 0
    started: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def hear(self, event: Happened) -> None:
        key = event.run, event.instance_id, event.attempt
        what = event.what
        with self.lock:
            if isinstance(what, Attempt):
                self.under_way.pop(key, None)
                self._end(event.run, what)
                return
            line = self.under_way.get(key)
            if line is None:
                line = Line(event.run, event.instance_id, self.clock())
                self.under_way[key] = line
            if isinstance(what, str):
                line.stage = STAGES.get(what, what)
            elif isinstance(what, Step):
                line.step = what.index + 1
                line.tokens += what.reply.usage.total
                self.tokens += what.reply.usage.total if what.reply.replayed is None else 0
            elif isinstance(what, Solved):
                line.stage = "waiting to grade"

    def _end(self, run: str, attempt: Attempt) -> None:
        """A sample is done with its last attempt, whatever that comes to."""
        sample = run, attempt.instance_id, attempt.sample
        if not attempt.outcome.is_verdict and attempt.failure and attempt.failure.retry:
            self.failed[sample] += 1
            if self.failed[sample] <= self.retries:
                return
        self.done += 1
        self.resolved += attempt.outcome is Outcome.RESOLVED

    def eta(self) -> float | None:
        """Seconds left at the pace so far; None before anything is done."""
        if not self.done:
            return None
        return (self.clock() - self.started) / self.done * max(0, self.total - self.done)


def plain_line(event: Happened, names: Mapping[str, str]) -> str | None:
    """What an event is worth where nothing can be drawn: an attempt's end, a patch taken."""
    who = f"{names[event.run]}  {event.instance_id}"
    said = None
    if isinstance(event.what, Attempt):
        attempt = event.what
        said = (
            f"{who}  {attempt.outcome.value}  {attempt.steps} steps  "
            f"{attempt.solve_seconds + attempt.grade_seconds:.1f} s"
            + (f": {gist(attempt)}" if attempt.failure else "")
        )
    elif isinstance(event.what, Solved) and event.what.steps:
        solved = event.what
        ended = solved.stop.value if solved.stop else "failed"
        said = f"{who}  {ended}, patch of {solved.patch_bytes} bytes"
    return printable(said) if said else None


def gist(attempt: Attempt) -> str:
    """The failure of an attempt in one line: what was tried, which a message begins with, and what
    came of it, which it ends with (the end of a log, what to do); of a bug also its class."""
    failure = attempt.failure
    if failure is None:
        return ""
    lines = [line.strip() for line in failure.message.splitlines() if line.strip()]
    ends = dict.fromkeys([lines[0], lines[-1]]) if lines else {}
    said = " ... ".join(shortened(line) for line in ends)
    if not said:
        return failure.error
    return f"{failure.error}: {said}" if attempt.outcome is Outcome.INTERNAL_ERROR else said


def shortened(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def table(board: Board, names: Mapping[str, str]) -> RenderableType:
    """The attempts under way and the totals."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("model", "instance", "stage"):
        rows.add_column(heading, no_wrap=True)
    for heading in ("step", "tokens", "time"):
        rows.add_column(heading, justify="right")
    with board.lock:
        now = board.clock()
        for line in board.under_way.values():
            step, tokens = str(line.step or ""), f"{line.tokens:,}" if line.tokens else ""
            who = map(plain, (names[line.run], line.instance_id, line.stage))
            rows.add_row(*who, step, tokens, duration(now - line.since))
        left = board.eta()
        totals = (
            f"{board.done}/{board.total} done, {board.resolved} resolved, "
            f"{board.tokens:,} tokens, {duration(now - board.started)}"
            + (f", about {duration(left)} left" if left else "")
        )
    return Group(rows, Text(totals, style="bold"))


def duration(seconds: float) -> str:
    """3 s, 2:05, 1:02:05."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minute:02}:{second:02}"
    return f"{minute}:{second:02}" if minute else f"{second} s"


@contextmanager
def shown(
    board: Board, names: Mapping[str, str], console: Console, tell: Callable[[Happened], None]
) -> Iterator[Callable[[Happened], None]]:
    """A listener that shows the board on `console` (standard error) until the context ends, where
    that is a terminal; `tell` says there what is to stay."""

    def hear(event: Happened) -> None:
        board.hear(event)
        tell(event)

    if not console.is_terminal:
        yield hear
        return
    from rich.live import Live

    with Live(
        get_renderable=lambda: table(board, names),
        console=console,
        refresh_per_second=5,
        transient=True,
    ):
        yield hear


def teller(console: Console) -> Callable[[str], None]:
    """Says a line on `console` as it is, but for what would steer a terminal."""

    def say(line: str) -> None:
        console.print(printable(line), highlight=False, markup=False, soft_wrap=True)

    return say


def brief(names: Mapping[str, str], console: Console) -> Callable[[Happened], None]:
    """Says an attempt's patch and its end, each in a line."""

    def tell(event: Happened) -> None:
        if said := plain_line(event, names):
            console.print(said, highlight=False, markup=False, soft_wrap=True)

    return tell


def whole(console: Console) -> Callable[[Happened], None]:
    """Says all that happens of attempts that are made one after the other: each step, and how it
    ended."""
    from rich.rule import Rule

    begun, lock = set[tuple[str, int]](), Lock()

    def tell(event: Happened) -> None:
        what, attempt = event.what, (event.instance_id, event.attempt)
        with lock:
            if attempt not in begun:
                begun.add(attempt)
                title = plain(f"{event.instance_id}, attempt {event.attempt}", "bold")
                console.print(Rule(title, align="left", characters="="))
                where = f"{event.run} {event.instance_id} --attempt {event.attempt}"
                console.print(plain(f"with nothing left out: swerun show {where}", "dim"))
            if isinstance(what, Step):
                tell_step(what, console, glanced)
            elif isinstance(what, Solved):
                ended = what.stop.value if what.stop else "failed"
                console.print(Rule(f"{ended}, patch of {what.patch_bytes} bytes", align="left"))
            elif isinstance(what, Attempt):
                tell_end(what, console)

    return tell


def drive(session: Prepared, console: Console, *, steps: bool = False) -> None:
    """Make every attempt that is left, before the user's eyes; with `steps` each of them, where
    they come one after the other."""
    names = {work.store.name: entrant.name for work, entrant in session.entries}
    board = Board(session.left(), session.config.retries)
    is_single = session.config.jobs == 1 or session.left() == 1
    tell = whole(console) if steps and is_single else brief(names, console)
    with shown(board, names, console, tell) as listener:
        session.drive(listener)
