from __future__ import annotations

from pathlib import Path

import pytest

from tests.instances.hub_server import serving

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


@pytest.fixture
def hub():
    with serving() as served:
        yield served


@pytest.fixture
def published_file():
    """published_file("verified") -> the dataset's file, as its authors published it."""

    def find(name):
        file = SHARED / f"swe-bench-{name}.parquet"
        if not file.is_file():
            pytest.skip(f"{file} is not there: the published datasets are no part of the project")
        return file

    return find
