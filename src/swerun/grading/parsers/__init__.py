"""Log parsers by the names that instances give them: text of a log -> status of each test in it.

A module a family of test runners. What the parsers accept is what SWE-bench 5.0.2's parsers of the
same names accept, but that a line is only a result where its status is one of TestStatus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from swerun.errors import InstanceError
from swerun.grading.parsers.pytest import (
    parse_matplotlib,
    parse_pytest,
    parse_pytest_options,
    parse_pytest_whole_names,
    parse_seaborn,
)
from swerun.grading.parsers.sympy import parse_sympy
from swerun.grading.parsers.unittest import parse_unittest
from swerun.records import TestStatus

Parser = Callable[[str], dict[str, TestStatus]]

PARSERS: Mapping[str, Parser] = {
    "parse_log_astroid": parse_pytest,
    "parse_log_astropy": parse_pytest_whole_names,
    "parse_log_django": parse_unittest,
    "parse_log_flask": parse_pytest,
    "parse_log_marshmallow": parse_pytest,
    "parse_log_matplotlib": parse_matplotlib,
    "parse_log_pvlib": parse_pytest,
    "parse_log_pydicom": parse_pytest_options,
    "parse_log_pylint": parse_pytest_options,
    "parse_log_pytest": parse_pytest,
    "parse_log_pytest_options": parse_pytest_options,
    "parse_log_pytest_v2": parse_pytest_whole_names,
    "parse_log_pyvista": parse_pytest,
    "parse_log_requests": parse_pytest_options,
    "parse_log_scikit": parse_pytest_whole_names,
    "parse_log_seaborn": parse_seaborn,
    "parse_log_sphinx": parse_pytest_whole_names,
    "parse_log_sqlfluff": parse_pytest,
    "parse_log_sympy": parse_sympy,
    "parse_log_xarray": parse_pytest,
}


def parser_named(name: str) -> Parser:
    """Raises InstanceError, with the names there are, where there is none of that name."""
    try:
        return PARSERS[name]
    except KeyError as error:
        known = ", ".join(PARSERS)
        raise InstanceError(
            f"log_parser: there is no parser {name!r}; swerun knows {known}"
        ) from error
