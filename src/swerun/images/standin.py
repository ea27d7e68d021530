"""Stands in an image where a copy of requests was, whose users go on without a connection.

Everything can be imported from it, and whatever would connect ends as where nothing answers.
Nothing of requests is in it. It runs inside of containers, on Python 3.7 or newer.
"""
# Pythons of all kinds: no types that would hold, and names that others have chosen.
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN204, ANN205, N818, ARG002, ARG004, UP031

import importlib.machinery
import sys

SAID = "%s cannot connect to anything here" % __name__
__version__ = "0"
made = {}


class Absent(Exception):
    """Whatever is asked for: made of anything, raised, caught, inherited from."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args)


class Session(Absent):
    """It can be set up, and not be used."""

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.headers, self.proxies, self.adapters = {}, {}, {}

    def mount(self, prefix, adapter):
        self.adapters[prefix] = adapter

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        pass

    def close(self):
        pass

    def request(self, *args, **kwargs):
        raise named("ConnectionError")(SAID)

    get = head = post = put = send = request


def named(name):
    """The same for the same name, wherever it is imported from."""
    if name.startswith("__"):
        raise AttributeError(name)
    return made.setdefault(name, type(name, (Absent,), {}))


class Modules:
    """Finds any module below this one, and loads it with any name in it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith(__name__ + "."):
            return importlib.machinery.ModuleSpec(name, Modules, is_package=True)
        return None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.__getattr__ = named


made["Session"] = Session
__getattr__ = named
sys.meta_path.insert(0, Modules)
