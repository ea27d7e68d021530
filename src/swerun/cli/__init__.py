"""The command line: parse, call, print. The only place that reads the environment and exits."""

from __future__ import annotations

import sys

import typer

from swerun.cli import (
    check,
    checkout,
    compare,
    doctor,
    fork,
    grade,
    images,
    imports,
    inspect,
    instances,
    replay,
    report,
    rerun,
    run,
    shell,
    show,
    validate,
    why,
)
from swerun.cli.printable import tell_bug

HELP = """How good is this model at real software work?

swerun --model M --subset sample  runs an agent that drives M on each instance of a benchmark, in
Docker, grades its patches with hidden tests in fresh containers, and reports the resolved rate.
Options without a command are those of `swerun run`: see `swerun run --help`.
"""

app = typer.Typer(
    name="swerun",
    help=HELP,
    rich_markup_mode=None,  # plain help needs no rich, which would double the time it takes
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(run.run)
app.command()(rerun.rerun)
app.command()(fork.fork)
app.command()(grade.grade)
app.command("import")(imports.import_)
app.command()(report.report)
app.command()(show.show)
app.command()(shell.shell)
app.command()(replay.replay)
app.command()(why.why)
app.command("list")(inspect.list_)
app.command()(compare.compare)
app.command()(doctor.doctor)
images.app.command()(check.check)
app.add_typer(images.app, name="images")
instances.app.command()(checkout.checkout)
instances.app.command()(validate.validate)
app.add_typer(instances.app, name="instances")


@app.callback(invoke_without_command=True)
def top(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from swerun.version import __version__

        print(__version__)
        raise typer.Exit


def main() -> None:
    """`swerun --model M` is `swerun run --model M`."""
    sys.excepthook = tell_bug
    args = sys.argv[1:]
    if args and args[0].startswith("-") and args[0] not in {"--help", "--version"}:
        args = ["run", *args]
    typer.main.get_command(app)(args)  # `app` itself would put a hook of its own there
