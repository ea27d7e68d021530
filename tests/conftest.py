"""What tests of several parts need: the engine, and the base image on it."""

from __future__ import annotations

import os
import subprocess

import pytest

from swerun.images.base import BASE, BaseMaker
from swerun.sandbox.client import connect


@pytest.fixture(scope="session")
def engine():
    """A real engine: without one these tests fail, they do not pass."""
    client = connect(os.environ)
    yield client
    client.close()


@pytest.fixture(scope="session")
def base_image(engine, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    BaseMaker(engine, cache, say=print, install=True).ensure()
    return BASE


@pytest.fixture
def repo(tmp_path):
    """A repository of one commit, which has an a.py."""
    folder = tmp_path / "template"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(folder)]
    for args in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *args], check=True)
    return folder
