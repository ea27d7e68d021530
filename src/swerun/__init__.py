"""Run a coding agent on SWE-bench-like instances and grade what it did.

The Python face, each loaded when it is first used:
`load_instances(subset)`, `grade_patch(instance, patch)`, `grade_log(instance, log, exit_code)`,
`run(config)`, `open_run(name, folder)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swerun.version import __version__

if TYPE_CHECKING:
    from swerun.face import grade_log, grade_patch, load_instances, open_run, run

__all__ = ["__version__", "grade_log", "grade_patch", "load_instances", "open_run", "run"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'swerun' has no attribute {name!r}")
    from swerun import face

    return getattr(face, name)
