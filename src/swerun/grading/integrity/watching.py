"""The witness inside a container: notes what each test did, beside what its runner prints of it.

The runner's process loads it before anything of the repository: pytest as a plug-in, Python as its
`sitecustomize` where the runner is unittest's. It runs on Python 3.5 and pytest 3.0 or newer. On
loading it takes what led to it out of the environment and off the disk. A note is a line: TOKEN, a
kind and its words, with tabs between them:

    result   LINE           a test's outcome, as the runner itself would print it
    aside    FILE  TEST     a skip or an expected failure that code in FILE asked for
    replaced NAME  FILE     a function that was there before the tests, and is that of FILE now
    plugin   FILE           what pytest calls beside itself
"""
# Images carry old Pythons, and pytests of all kinds: no f-strings, and no types that would hold.
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, ANN204, RUF005, RUF012, S105, SLF001, UP004, UP031

import os
import shutil
import sys
import unittest

TOKEN = "@TOKEN@"
NOTES = "@NOTES@"
FOLDER = "@FOLDER@"  # where this file is, and nothing else
FRAMEWORKS = ("_pytest", "pytest", "pluggy", "unittest", "builtins")
CHANGING = ("__main__", "warnings")  # modules in which functions are replaced as a matter of course
HIDES = "@HIDES@"  # whether the tests are not to know that they are tests
OFTEN = 100  # tests, after which it is no longer looked at each whether all is what it was

write = os.write


def hidden():
    """The descriptor to write notes to; nothing else is left of how this came to be loaded."""
    notes = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    shutil.rmtree(FOLDER, ignore_errors=True)
    sys.path[:] = [path for path in sys.path if path != FOLDER]
    for name in ("PYTHONPATH", "PYTEST_ADDOPTS"):
        before = os.environ.pop("SWERUN_" + name, None)
        os.environ.pop(name, None)
        if before:
            os.environ[name] = before
    return notes


def functions():
    """What is loaded consists of: name, namespace, attribute, value, and its code, of each."""
    found = []
    there = [(name, module) for name, module in sys.modules.items() if name not in CHANGING]
    for name, module in there:
        for where, namespace in [(name, vars(module))] + classes(name, module):
            for attribute, value in list(namespace.items()):
                if callable(value) or isinstance(value, (staticmethod, classmethod, property)):
                    code = getattr(value, "__code__", None)
                    found.append((where + "." + attribute, namespace, attribute, value, code))
    return found


def classes(name, module):
    if name == "builtins":  # nobody can change these
        return []
    own = [(name + "." + key, value) for key, value in list(vars(module).items())]
    return [(key, vars(c)) for key, c in own if isinstance(c, type) and c.__module__ == name]


def file_of(value):
    """Where a function's code is; "?" of what is none."""
    value = getattr(value, "__func__", value)
    value = getattr(value, "fget", value)
    code = getattr(value, "__code__", None) or getattr(type(value).__call__, "__code__", None)
    if code is not None:
        return str(code.co_filename)
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return str(getattr(module, "__file__", None) or "?")


def asked_by(error):
    """The innermost file outside of frameworks and this one that an exception came through."""
    found = ""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            module = str(trace.tb_frame.f_globals.get("__name__"))
            if module.split(".")[0] not in FRAMEWORKS and code.co_filename != __file__:
                found = code.co_filename
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    return found


class Witness(object):
    """Notes, and what there was before anything of the repository was loaded."""

    def __init__(self):
        self.notes = hidden()
        self.before = functions()
        self.told = set()
        self.tests = 0

    def note(self, *words):
        line = "\t".join([TOKEN] + [" ".join(str(word).split("\n")) for word in words]) + "\n"
        write(self.notes, line.encode("utf-8", "backslashreplace"))

    def once(self, *words):
        if words not in self.told:
            self.told.add(words)
            self.note(*words)

    def aside(self, error, test):
        where = asked_by(error)
        if where:
            self.note("aside", where, test)

    def look(self):
        """Whether all is what it was: seldom where there are many tests."""
        self.tests += 1
        if self.tests > OFTEN and self.tests % 20:
            return
        for name, namespace, attribute, value, code in self.before:
            other = namespace.get(attribute, value)
            changed = other is not value or getattr(other, "__code__", None) is not code
            if changed and not is_own(name, other):
                self.once("replaced", name, file_of(other))


def is_own(name, value):
    """Whether it is a framework's, and for this name: pytest itself replaces some functions."""
    named = str(getattr(value, "__name__", "")).endswith(name.split(".")[-1])
    return named and is_framework(file_of(value))


def is_framework(file):
    return any(f"/{name}/" in file for name in FRAMEWORKS)


class Pytest(object):
    """A plug-in, made of a witness."""

    def __init__(self, witness, pytest):
        self.witness = witness
        self.skipped = pytest.skip.Exception
        self.xfailed = pytest.xfail.Exception

    def pytest_runtest_makereport(self, item, call):
        """What was raised counts, whatever others make of it."""
        raised = call.excinfo
        outcome = yield
        report = outcome.get_result()
        found = [info.value for info in (raised, call.excinfo) if info is not None]
        status = self.status(call.when, report, found)
        if status in ("SKIPPED", "XFAIL"):
            self.witness.aside(found[-1] if found else None, item.nodeid)
        if status:
            self.witness.note("result", "%s %s" % (status, item.nodeid))
        if call.when == "teardown":  # what a test replaces itself it has put back by now
            self.witness.look()
            for plugin in item.config.pluginmanager.get_plugins():
                file = plugin_file(plugin)
                if not is_framework(file) and file not in ("?", __file__):
                    self.witness.once("plugin", file)

    pytest_runtest_makereport.pytest_impl = {
        "hookwrapper": True,
        "optionalhook": False,
        "tryfirst": True,
        "trylast": False,
        "specname": None,
    }

    def status(self, when, report, raised):
        failed = "FAILED" if when == "call" else "ERROR"
        expected = hasattr(report, "wasxfail")
        for error in raised:
            if isinstance(error, self.skipped):
                return "SKIPPED"
            if isinstance(error, self.xfailed):
                return "XFAIL"
            return "XFAIL" if expected and report.skipped else failed
        if report.failed:
            return failed
        if when != "call" or report.skipped:
            return ""
        return "XPASS" if expected else "PASSED"


def plugin_file(plugin):
    module = sys.modules.get(type(plugin).__module__)
    return str(getattr(plugin, "__file__", None) or getattr(module, "__file__", None) or "?")


class Seen(object):
    """A unittest result that notes what it is told, and hands it on."""

    def __init__(self, witness, result):
        vars(self).update(witness=witness, result=result)

    def __getattr__(self, name):
        return getattr(self.result, name)

    def __setattr__(self, name, value):
        setattr(self.result, name, value)

    def told(self, test, said):
        self.witness.note("result", "%s ... %s" % (test.shortDescription() or test, said))
        self.witness.look()

    def addSuccess(self, test):  # noqa: N802
        self.told(test, "ok")
        self.result.addSuccess(test)

    def addFailure(self, test, error):  # noqa: N802
        self.told(test, "FAIL")
        self.result.addFailure(test, error)

    def addError(self, test, error):  # noqa: N802
        self.told(test, "ERROR")
        self.result.addError(test, error)

    def addSkip(self, test, reason):  # noqa: N802
        self.witness.aside(sys.exc_info()[1], str(test.shortDescription() or test))
        self.told(test, "skipped")
        self.result.addSkip(test, reason)

    def addSubTest(self, test, subtest, error):  # noqa: N802
        if error is not None:
            self.told(test, "FAIL")
        self.result.addSubTest(test, subtest, error)


def watch_unittest(witness):
    plain = unittest.TestCase.run

    def run(self, result=None):
        return plain(self, None if result is None else Seen(witness, result))

    unittest.TestCase.run = run
    witness.before = functions()


if __name__ == "sitecustomize":
    watch_unittest(Witness())
else:
    import _pytest.runner

    if HIDES == "yes":  # a variable that says which test it is
        _pytest.runner._update_current_test_var = lambda *_: None
    WITNESS = Witness()

    def pytest_configure(config):
        import pytest

        config.pluginmanager.register(Pytest(WITNESS, pytest))
