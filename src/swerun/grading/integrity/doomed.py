"""Tests that must fail: test files in which each test ends with what is not so. Pure.

Where the tests of a patch pass, the same tests have to fail once they are doomed. If they still
pass, it is not their assertions that decide.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

TEST = "test"  # what names of tests begin with
# what unittest's simplest assertions find wrong; a test is doomed by the one that it uses most
_METHODS = {
    "assertEqual": "({0}, {1})",
    "assertEquals": "({0}, {1})",
    "assertIs": "({0}, None)",
    "assertIn": "({0}, ({1},))",
    "assertTrue": "({0} > {1})",
    "assertFalse": "({0} < {1})",
    "assertIsNone": "({0})",
    "assertIsInstance": "({0}, str)",
    "assertListEqual": "([{0}], [{1}])",
    "assertDictEqual": "({{{0}: 0}}, {{{1}: 0}})",
    "assertSequenceEqual": "([{0}], [{1}])",
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Doomed:
    """A test file. `names` are those of its tests, and what the first lines of their docstrings
    are, by which some runners call them."""

    source: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Edit:
    """`text` goes in before `column` (in bytes) of line `line`, which is counted from 1."""

    line: int
    column: int
    text: str


def doomed(source: str) -> Doomed | None:
    """None where no test is found that could be doomed, or it is no Python that this one reads."""
    if "\r" in source.replace("\r\n", ""):  # a line's end to the parser, and not here
        return None
    lines = source.split("\n")
    try:
        functions = [found for found in _tests(ast.parse(source).body) if _can_fail(found)]
        edits = [edit for function in functions for edit in _edits(function, lines)]
        changed = _edited(lines, edits)
        ast.parse(changed)
    except (SyntaxError, ValueError, RecursionError):
        return None
    names = {name for function in functions for name in _names(function)}
    return Doomed(changed, frozenset(names)) if names else None


def _tests(body: Iterable[ast.stmt]) -> Iterator[_Function]:
    """Those of a module, its classes, and what stands in an `if`, `try` or `with` in them."""
    for node in body:
        if isinstance(node, _Function):
            if node.name.startswith(TEST):
                yield node
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from _tests(getattr(node, part, ()))


def _can_fail(function: _Function) -> bool:
    """Not one that yields, nor one that ends by raising: the exception may be what is expected."""
    last = function.body[-1]
    endless = isinstance(last, ast.While) and isinstance(last.test, ast.Constant)
    yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own(function))
    return not (endless or yields or isinstance(last, ast.Raise))


def _own(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function's body, but for those of functions and classes in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _Function | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _edits(function: _Function, lines: Sequence[str]) -> Iterator[_Edit]:
    """Before each `return`, and at the end."""
    wrong = _wrong(function)
    for node in _own(function):
        if isinstance(node, ast.Return):
            yield _Edit(node.lineno, node.col_offset, f"{wrong}; ")
    last = function.body[-1]
    line, column = last.end_lineno or last.lineno, last.end_col_offset or 0
    if isinstance(last, ast.Return):
        return
    if hasattr(last, "body") or isinstance(last, ast.Match):  # a statement of several lines
        indentation = lines[last.lineno - 1].encode()[: last.col_offset].decode()
        yield _Edit(line + 1, 0, f"{indentation}{wrong}\n")
    else:
        yield _Edit(line, column, f"; {wrong}")


def _wrong(function: _Function) -> str:
    """An assertion of the kind that the test itself makes, of two numbers that are its own."""
    number = 100 + crc32(ast.dump(function).encode()) % 900
    calls = [node.func for node in _own(function) if isinstance(node, ast.Call)]
    used = Counter(
        func.attr
        for func in calls
        if isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Name)
        and func.value.id == "self"
        and func.attr in _METHODS
    )
    if used:
        name = min(used, key=lambda name: (-used[name], name))
        return f"self.{name}{_METHODS[name].format(number, number + 1)}"
    return f"assert {number} == {number + 1}"


def _names(function: _Function) -> Iterator[str]:
    yield function.name
    if said := (ast.get_docstring(function) or "").strip():
        yield said.split("\n")[0].strip()


def _edited(lines: Sequence[str], edits: Iterable[_Edit]) -> str:
    new = [line.encode() for line in lines]
    for edit in sorted(edits, key=lambda e: (e.line, e.column), reverse=True):
        if edit.line > len(new):
            new.append(b"")
        at, line = edit.column, new[edit.line - 1]
        new[edit.line - 1] = line[:at] + edit.text.encode() + line[at:]
    return "\n".join(map(bytes.decode, new))
