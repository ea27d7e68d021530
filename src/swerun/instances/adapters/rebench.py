"""SWE-rebench: a row has its test command and its parser in `install_config`, and its image.

`install_config` (object: test_cmd, install, log_parser and what an image is built of) and
`docker_image` or `image_name`. The script is that of `make_eval_script_list_py` in
`swebench/harness/test_spec/python.py` of github.com/SWE-rebench/SWE-bench-fork (commit 453bb35):
install, the test patch, the command with the files of the test patch. Most rows have no image.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from swerun.instances.adapters.script import eval_script, files_of_tests
from swerun.instances.adapters.standard import image_named, made
from swerun.instances.legacy import Derived
from swerun.instances.rows import Row
from swerun.records import EvalType, Instance

ENVIRONMENT = ("source /opt/miniconda3/bin/activate", "conda activate testbed")
COLUMNS = frozenset({"install_config", "docker_image", "image_name"})


def instance(row: Row) -> Instance:
    """Raises InstanceError for a field that is malformed."""
    config = row.mapping("install_config")
    image = row.text("docker_image", default=row.text("image_name", default=""))
    missing = [key for key in ("test_cmd", "log_parser") if not config.get(key)]
    ungradable = ""
    if missing:
        ungradable = f"its install_config has no {' and no '.join(missing)}"
    elif not row.text("test_patch", default=""):
        ungradable = "the row has no test_patch"
    elif not image:
        ungradable = "the row names no image: SWE-rebench has published none for it"
    if ungradable:
        named = image or image_named("swerebench", row)
        return made(row, Derived("", "", EvalType.PASS_AND_FAIL, named), ungradable=ungradable)
    script = eval_script(
        row.text("base_commit"),
        row.text("test_patch"),
        [*ENVIRONMENT, *_commands(row, config, "install")],
        _tests(row, config),
    )
    return made(row, Derived(script, str(config["log_parser"]), EvalType.PASS_AND_FAIL, image))


def _tests(row: Row, config: Mapping[str, Any]) -> list[str]:
    """The last of the test commands is given the files."""
    *first, last = _commands(row, config, "test_cmd")
    return [*first, " ".join([last, *map(shlex.quote, files_of_tests(row.text("test_patch")))])]


def _commands(row: Row, config: Mapping[str, Any], key: str) -> list[str]:
    value = config.get(key) or []
    commands = [value] if isinstance(value, str) else value
    if not isinstance(commands, list) or not all(isinstance(c, str) for c in commands):
        raise row.wrong("install_config", f"a {key} that is a command or a list of them")
    return commands
