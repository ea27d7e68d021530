"""What came of both harnesses, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harnesses import Side, Verdict

SHORT = 10.0  # seconds of an eval script: below that, what is beside it counts most
HEAD = (
    "| instance | gold: official | gold: swerun | idle: official | idle: swerun "
    "| eval script, s | in all, s |\n| --- | --- | --- | --- | --- | --: | --: |"
)


@dataclass(frozen=True, slots=True)
class Round:
    """Both harnesses on the same patches, one after the other."""

    patches: str  # gold or idle
    official: Side
    ours: Side
    load: float  # of the machine, in the last minute of it

    def pair(self, name: str) -> tuple[Verdict, Verdict]:
        return self.official.verdicts[name], self.ours.verdicts[name]

    def same(self, name: str) -> bool:
        there, here = self.pair(name)
        return (there.resolved, there.failing) == (here.resolved, here.failing)


def table(rounds: Sequence[Round]) -> str:
    """A row an instance: verdicts of the first rounds, times of all in the median, official / ours.

    A verdict of swerun's that differs in any round, in any expected test, is marked.
    """
    return "\n".join([HEAD, *(_row(name, rounds) for name in rounds[0].ours.verdicts)])


def _row(name: str, rounds: Sequence[Round]) -> str:
    cells = [name]
    for patches in ("gold", "idle"):
        of = [one for one in rounds if one.patches == patches]
        mark = "" if all(one.same(name) for one in of) else " (differs)"
        cells += [_words(of[0].official.verdicts[name])]
        cells += [_words(of[0].ours.verdicts[name]) + mark]
    pairs = [one.pair(name) for one in rounds]
    for seconds in (
        [(t.eval_seconds, h.eval_seconds) for t, h in pairs],
        [(t.seconds, h.seconds) for t, h in pairs],
    ):
        cells += [f"{median(t for t, _ in seconds):.1f} / {median(h for _, h in seconds):.1f}"]
    return f"| {' | '.join(cells)} |"


def _words(verdict: Verdict) -> str:
    if verdict.resolved is None:
        return "none"
    return "resolved" if verdict.resolved else f"{len(verdict.failing)} fail"


def summary(rounds: Sequence[Round]) -> str:
    names = list(rounds[0].ours.verdicts)
    same = sum(one.same(name) for one in rounds for name in names)
    lines = [f"The same verdict, in each expected test: {same} of {len(rounds) * len(names)}."]
    for one in rounds:
        ratio = one.official.seconds / one.ours.seconds
        took = f"{one.official.seconds:.1f} s and {one.ours.seconds:.1f} s, {ratio:.1f} times"
        lines.append(f"Whole commands, {one.patches}: {took}; load {one.load:.1f}.")
    pairs = [one.pair(name) for one in rounds for name in names]
    short = [(t, h) for t, h in pairs if max(t.eval_seconds, h.eval_seconds) < SHORT]
    if short:
        ratio = median(t.seconds / h.seconds for t, h in short)
        there, here = (
            median(v.seconds - v.eval_seconds for v in side) for side in zip(*short, strict=True)
        )
        lines.append(
            f"{len(short)} pairs whose eval scripts took under {SHORT:.0f} s, medians: {ratio:.1f}"
            f" times; beside the eval script {there:.2f} s and {here:.2f} s."
        )
    return "\n".join(lines)
