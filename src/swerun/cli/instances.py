"""`swerun instances`: what is in a subset, and what one of its instances asks."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swerun.cli.exits import explained
from swerun.cli.options import Cache, Json
from swerun.cli.printable import plain, printable
from swerun.cli.selecting import chosen_by, selecting

if TYPE_CHECKING:
    from swerun.instances.selection import Chosen
    from swerun.records import Instance

app = typer.Typer(help="The instances of a subset.", rich_markup_mode=None, no_args_is_help=True)
TESTS_SHOWN = 10


@app.command("list")
@selecting
def list_(ctx: typer.Context, cache: Cache = None, as_json: Json = False) -> None:
    """The instances that the flags mean: a line each, and how many there are."""
    with explained():
        chosen = chosen_by(ctx, os.environ, cache)
        if as_json:
            print(json.dumps([_row(each) for each in chosen.instances], indent=1))
        else:
            print(aligned(chosen.instances))
        print(printable(_counts(chosen)), file=sys.stderr)


@app.command()
@selecting
def show(
    ctx: typer.Context,
    instance: Annotated[str, typer.Argument(help="Its id.", metavar="ID")],
    answer: Annotated[
        bool, typer.Option("--answer", help="Also the reference patch, the tests and the script.")
    ] = False,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """What an instance asks, and the names of the tests that decide; with --answer, its answer."""
    with explained():
        from swerun.instances.selection import matching

        found = matching(chosen_by(ctx, os.environ, cache).instances, [instance])
        for each in found:
            if as_json:
                print(json.dumps(_row(each) | _whole(each, answer=answer), indent=1))
            else:
                _tell(each, answer=answer)


def _row(instance: Instance) -> dict[str, Any]:
    return {
        "instance_id": instance.id,
        "repo": instance.task.repo,
        "version": instance.version,
        "difficulty": instance.difficulty,
        "image": instance.task.image,
        "FAIL_TO_PASS": len(instance.answer.fail_to_pass),
        "PASS_TO_PASS": len(instance.answer.pass_to_pass),
        "ungradable": instance.ungradable,
    }


def _whole(instance: Instance, *, answer: bool) -> dict[str, Any]:
    shown = {
        "base_commit": instance.task.base_commit,
        "problem_statement": instance.task.problem_statement,
        "workdir": instance.task.workdir,
        "grade_network": instance.grade_network,
        "log_parser": instance.answer.log_parser,
        "eval_type": instance.answer.eval_type,
        "FAIL_TO_PASS": instance.answer.fail_to_pass,
        "PASS_TO_PASS": instance.answer.pass_to_pass,
    }
    if answer:
        shown["gold_patch"] = instance.answer.gold_patch
        shown["test_patch"] = instance.answer.test_patch
        shown["eval_script"] = instance.answer.eval_script
    return shown


def aligned(instances: Sequence[Instance]) -> str:
    """A line each, as long as it is: they are for grep as much as for eyes."""
    rows: list[tuple[str, ...]] = [
        ("instance", "repo", "version", "difficulty", "F2P", "P2P", "image")
    ]
    for each in instances:
        tests = (len(each.answer.fail_to_pass), len(each.answer.pass_to_pass))
        words = (each.id, each.task.repo, each.version, each.difficulty)
        rows.append((*words, *map(str, tests), each.task.image))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
        for row in rows
    )
    return printable("\n".join(line.rstrip() for line in lines))


def _counts(chosen: Chosen) -> str:
    """How many instances there are, of how many repositories, of each difficulty."""
    instances = chosen.instances
    repos = {i.task.repo for i in instances}
    parts = [f"{len(instances)} of {len(chosen.subset.instances)} instances"]
    parts.append(f"{len(repos)} {'repository' if len(repos) == 1 else 'repositories'}")
    levels = Counter(i.difficulty for i in instances if i.difficulty)
    parts += [f"{number} {level}" for level, number in sorted(levels.items())]
    said = f"{chosen.subset.source or chosen.subset.name}: {', '.join(parts)}"
    lacking = Counter(i.ungradable for i in instances if i.ungradable)
    for why, number in lacking.most_common(3):
        said += f"\n{number} cannot be graded: {why}"
    return said


def _tell(instance: Instance, *, answer: bool) -> None:
    from rich.console import Console
    from rich.rule import Rule
    from rich.syntax import Syntax

    out = Console()
    out.print(plain(instance.id, style="bold"))
    task = instance.task
    facts = {
        "repo": f"{task.repo} {instance.version}".rstrip(),
        "base commit": task.base_commit,
        "difficulty": instance.difficulty,
        "image": task.image,
        "workdir": task.workdir,
        "graded with": f"{instance.answer.log_parser}, network {instance.grade_network}",
        "cannot be graded": instance.ungradable,
    }
    for name, fact in facts.items():
        if fact:
            out.print(plain(f"{name:<12}  {fact}"))
    out.print(Rule("problem statement", align="left"))
    out.print(plain(task.problem_statement))
    for group in ("fail_to_pass", "pass_to_pass"):
        names = getattr(instance.answer, group)
        out.print(Rule(f"{group.upper()}: {len(names)}", align="left"))
        out.print(plain(_some(names)))
    if answer:
        for title, text, language in (
            ("reference patch", instance.answer.gold_patch, "diff"),
            ("test patch", instance.answer.test_patch, "diff"),
            ("eval script", instance.answer.eval_script, "bash"),
        ):
            out.print(Rule(title, align="left"))
            out.print(Syntax(printable(text), language, background_color="default"))


def _some(names: Sequence[str]) -> str:
    if len(names) <= TESTS_SHOWN:
        return "\n".join(names)
    rest = f"... and {len(names) - TESTS_SHOWN} more (--json has all)"
    return "\n".join([*names[:TESTS_SHOWN], rest])
