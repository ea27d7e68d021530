from __future__ import annotations

import pytest

from tests.cli.swerun_process import Swerun
from tests.images.conftest import front, named, registry

__all__ = ["front", "named", "registry", "swerun"]


@pytest.fixture
def swerun(tmp_path):
    return Swerun(tmp_path)
