"""Log parsers by the names that instances give them: text of a log -> status of each test in it.

A module a family of test runners. What the parsers accept is what SWE-bench 5.0.2's parsers of the
same names accept, but for what docs/parity.md lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from swerun.errors import InstanceError
from swerun.grading.parsers.doctest import parse_doctest
from swerun.grading.parsers.failures import (
    parse_bpmn,
    parse_chart,
    parse_eslint,
    parse_marked,
    parse_openlayers,
)
from swerun.grading.parsers.java import parse_ant, parse_gradle, parse_maven
from swerun.grading.parsers.jest import (
    parse_calypso,
    parse_files,
    parse_grommet,
    parse_jest,
    parse_jest_json,
    parse_vitest,
)
from swerun.grading.parsers.karma import parse_karma, parse_next
from swerun.grading.parsers.lines import Parser
from swerun.grading.parsers.mocha import parse_cypress, parse_highlightjs, parse_lighthouse
from swerun.grading.parsers.mocha_json import parse_lighthouse_json, parse_prismjs
from swerun.grading.parsers.one_line import (
    parse_cargo,
    parse_googletest,
    parse_gotest,
    parse_jq,
    parse_micropython,
    parse_redis,
    parse_tap,
)
from swerun.grading.parsers.p5js import parse_p5js
from swerun.grading.parsers.phpunit import parse_phpunit
from swerun.grading.parsers.pytest import (
    parse_matplotlib,
    parse_pytest,
    parse_pytest_options,
    parse_pytest_whole_names,
    parse_seaborn,
)
from swerun.grading.parsers.quarto import parse_quarto
from swerun.grading.parsers.ruby import (
    parse_cucumber,
    parse_minitest,
    parse_rspec,
    parse_test_unit,
)
from swerun.grading.parsers.sympy import parse_sympy
from swerun.grading.parsers.unittest import parse_unittest
from swerun.records import Instance

__all__ = ["CHOICES", "PARSERS", "Parser", "parser_of"]

PARSERS: Mapping[str, Parser] = {
    "parse_log_ant": parse_ant,
    "parse_log_astroid": parse_pytest,
    "parse_log_astropy": parse_pytest_whole_names,
    "parse_log_bpmn_js": parse_bpmn,
    "parse_log_calypso": parse_calypso,
    "parse_log_carbon": parse_files,
    "parse_log_cargo": parse_cargo,
    "parse_log_chart_js": parse_chart,
    "parse_log_cucumber": parse_cucumber,
    "parse_log_django": parse_unittest,
    "parse_log_doctest": parse_doctest,
    "parse_log_eslint": parse_eslint,
    "parse_log_flask": parse_pytest,
    "parse_log_googletest": parse_googletest,
    "parse_log_gotest": parse_gotest,
    "parse_log_gradle_custom": parse_gradle,
    "parse_log_grommet": parse_grommet,
    "parse_log_highlightjs": parse_highlightjs,
    "parse_log_jest": parse_jest,
    "parse_log_jest_json": parse_jest_json,
    "parse_log_jq": parse_jq,
    "parse_log_karma": parse_karma,
    "parse_log_marked": parse_marked,
    "parse_log_marshmallow": parse_pytest,
    "parse_log_matplotlib": parse_matplotlib,
    "parse_log_maven": parse_maven,
    "parse_log_micropython_test": parse_micropython,
    "parse_log_minitest": parse_minitest,
    "parse_log_openlayers": parse_openlayers,
    "parse_log_p5js": parse_p5js,
    "parse_log_phpunit": parse_phpunit,
    "parse_log_prismjs": parse_prismjs,
    "parse_log_pvlib": parse_pytest,
    "parse_log_pydicom": parse_pytest_options,
    "parse_log_pylint": parse_pytest_options,
    "parse_log_pytest": parse_pytest,
    "parse_log_pytest_options": parse_pytest_options,
    "parse_log_pytest_v2": parse_pytest_whole_names,
    "parse_log_pyvista": parse_pytest,
    "parse_log_quarto_cli": parse_quarto,
    "parse_log_react_pdf": parse_files,
    "parse_log_redis": parse_redis,
    "parse_log_requests": parse_pytest_options,
    "parse_log_rspec_transformed_json": parse_rspec,
    "parse_log_ruby_unit": parse_test_unit,
    "parse_log_scikit": parse_pytest_whole_names,
    "parse_log_seaborn": parse_seaborn,
    "parse_log_sphinx": parse_pytest_whole_names,
    "parse_log_sqlfluff": parse_pytest,
    "parse_log_sympy": parse_sympy,
    "parse_log_tap": parse_tap,
    "parse_log_vitest": parse_vitest,
    "parse_log_xarray": parse_pytest,
}


def _jekyll(instance: Instance) -> Parser:
    return parse_cucumber if "cucumber" in instance.answer.eval_script else parse_minitest


def _immutable_js(instance: Instance) -> Parser:
    return parse_jest_json if "--json" in instance.answer.eval_script else parse_jest


def _next(instance: Instance) -> Parser:
    return parse_cypress if instance.version == "1.27" else parse_next


def _lighthouse(instance: Instance) -> Parser:
    if instance.version in {"9.5", "10.0", "10.2"}:
        return parse_lighthouse
    try:
        return parse_files if float(instance.version) >= 3 else parse_lighthouse_json
    except ValueError as error:
        raise InstanceError(
            f"version: parse_log_lighthouse depends on it, and {instance.version!r} is no number"
        ) from error


# repositories that have changed their runner
CHOICES: Mapping[str, Callable[[Instance], Parser]] = {
    "parse_log_immutable_js": _immutable_js,
    "parse_log_jekyll": _jekyll,
    "parse_log_lighthouse": _lighthouse,
    "parse_log_next": _next,
}


def parser_of(instance: Instance) -> Parser:
    """Raises InstanceError, with the names there are, where there is no parser of its name."""
    name = instance.answer.log_parser
    if name in CHOICES:
        return CHOICES[name](instance)
    try:
        return PARSERS[name]
    except KeyError as error:
        known = ", ".join(sorted({*PARSERS, *CHOICES}))
        raise InstanceError(
            f"log_parser: there is no parser {name!r}; swerun knows {known}"
        ) from error
