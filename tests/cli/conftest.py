from __future__ import annotations

import pytest

from tests.cli.swerun_process import Swerun


@pytest.fixture
def swerun(tmp_path):
    return Swerun(tmp_path)
