"""Steps of an attempt, and its end, in words: of a trajectory, and of one that is being made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from swerun.cli.printable import plain
from swerun.cli.verdicts import in_words

if TYPE_CHECKING:
    from rich.console import Console

    from swerun.records import Attempt, Call, Conduct, Step

LINES = 24  # of a thought, a command or an output that somebody watches go by
WIDTH = 400  # characters of such a line


def tell_step(
    step: Step,
    out: Console,
    cut: Callable[[str], str] = lambda text: text,
    conduct: Sequence[Conduct] = (),
) -> None:
    """What the model thought, called and was shown; `cut` makes a text shorter that is too long.

    `conduct` is that of its attempt: what of it was in this step is said.
    """
    from rich.rule import Rule

    from swerun.report.conduct import IN_WORDS

    out.print(Rule(_heading(step), align="left"))
    for each in conduct:
        if step.index in each.steps:
            out.print(plain(f"the agent {IN_WORDS[each.kind]} here", style="yellow"))
    if step.shortened:
        older = f"the results of {len(step.shortened)} older steps were shortened before this one"
        out.print(plain(older, style="dim italic"))
    for thought, style in ((step.reply.reasoning, "italic"), (step.reply.text, "")):
        if thought:
            out.print(plain(cut(thought), style=style))
    seen = {o.call_id: o.text for o in step.observations}
    for call in step.reply.calls:
        out.print(plain(cut(f"{call.tool} {_said(call)}".rstrip()), style="bold cyan"))
        out.print(plain(cut(seen.get(call.id, "")), style="dim"))
    if not step.reply.calls:
        out.print(plain(cut("\n".join(seen.values())), style="dim"))


def _heading(step: Step) -> str:
    """`step 3  1.2 s, 345 tokens, commands 0.4 s`: what the reply took, and then its commands."""
    usage, commands = step.reply.usage, sum(each.seconds for each in step.observations)
    parts = [f"step {step.index + 1}  {step.reply.seconds:.1f} s"]
    parts += [] if usage.unreported else [f"{usage.total:,} tokens"]
    parts += [f"commands {commands:.1f} s"] if commands else []
    parts += [f"again, from attempt {step.reply.replayed}"] if step.reply.replayed else []
    parts += ["other results than then"] if step.differs else []
    return ", ".join(parts)


def glanced(text: str) -> str:
    """As much of a text as somebody reads who watches it go by; what is left out is said."""
    lines = [_glanced(line) for line in text.splitlines()]
    between = len(lines) - LINES
    if between <= 0:
        return "\n".join(lines)
    head, tail = lines[: LINES * 2 // 3], lines[-(LINES // 3) :]
    return "\n".join([*head, f"[... {between} lines that are not shown here ...]", *tail])


def _glanced(line: str) -> str:
    more = len(line) - WIDTH
    return line if more <= 0 else f"{line[:WIDTH]} [... {more} characters not shown here]"


def _said(call: Call) -> str:
    """A command as it is; of a tool with more arguments each, in a line if it has one."""
    if set(call.arguments) <= {"command"}:
        return str(call.arguments.get("command", ""))
    texts = {name: str(value) for name, value in call.arguments.items()}
    return "  ".join(
        f"{name}:\n{text}" if "\n" in text else f"{name}={text}" for name, text in texts.items()
    )


def tell_end(attempt: Attempt, out: Console) -> None:
    from swerun.report.conduct import IN_WORDS, numbered
    from swerun.report.why import cause

    out.print(plain(f"{cause(attempt)}, {attempt.steps} steps"))
    if attempt.imported:
        out.print(plain(f"made elsewhere; it ended: {attempt.imported.ended or 'nobody says how'}"))
    if attempt.failure:
        out.print(plain(attempt.failure.message, style="red"))
    for line in in_words(attempt.grade) if attempt.grade else ():
        out.print(plain(line))
    for leak in attempt.leaks:
        out.print(plain(f"its image leaks: {leak}", style="yellow"))
    for each in attempt.conduct or ():
        said = f"the agent {IN_WORDS[each.kind]} (steps: {numbered(each)}): {each.example}"
        out.print(plain(said, style="yellow"))
