"""SWE-bench-Live: a row has its test commands and the name of a parser; images by a rule.

`test_cmds` (list), `rebuild_cmds` and `print_cmds` (lists, in newer rows), `log_parser` or `parser`
and `docker_image`; without the last `starryzhang/sweb.eval.x86_64.<id>`. Source:
`evaluation/evaluation.py` of github.com/microsoft/SWE-bench-Live (commit 0327714). It writes the
commands into one file, runs that with its output in a log, and reads the log as pytest's. A parser
of another name is a program in the row, which swerun does not run.

Its harness takes a test that is missing from the log for one that did not break; swerun judges all
datasets by SWE-bench's rule, where it has failed.
"""

from __future__ import annotations

from swerun.instances.adapters.script import eval_script
from swerun.instances.adapters.standard import image_named, made
from swerun.instances.legacy import Derived
from swerun.instances.rows import Row
from swerun.records import EvalType, Instance

PYTEST = "pytest"
COLUMNS = frozenset(
    {"test_cmds", "rebuild_cmds", "print_cmds", "log_parser", "parser", "docker_image"}
)


def instance(row: Row) -> Instance:
    """Raises InstanceError for a field that is malformed."""
    parser = row.text("log_parser", default=row.text("parser", default=""))
    image = row.text("docker_image", default=image_named("starryzhang", row))
    if parser.strip().lower() != PYTEST:
        return made(row, Derived("", "", EvalType.PASS_AND_FAIL, image), ungradable=_why(parser))
    commands = _commands(row)
    if not (commands and row.text("test_patch", default="")):
        missing = "test_patch" if commands else "test_cmds"
        nothing = Derived("", "", EvalType.PASS_AND_FAIL, image)
        return made(row, nothing, ungradable=f"the row has no {missing}")
    script = eval_script(
        row.text("base_commit"),
        row.text("test_patch"),
        row.names("rebuild_cmds"),
        [" ; ".join(commands), *row.names("print_cmds")],
    )
    return made(row, Derived(script, "parse_log_pytest", EvalType.PASS_AND_FAIL, image))


def _commands(row: Row) -> tuple[str, ...]:
    value = row.values.get("test_cmds")
    return (
        (value,) if isinstance(value, str) and value.strip()[:1] != "[" else row.names("test_cmds")
    )


def _why(parser: str) -> str:
    if not parser.strip():
        return "the row has no log_parser: what its tests print cannot be read"
    return (
        "its log_parser is a program of the row's own, which only SWE-bench-Live's harness runs; "
        f"swerun reads {PYTEST!r} alone"
    )
