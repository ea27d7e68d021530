"""The page about endpoints says what the table of presets does."""

from __future__ import annotations

from pathlib import Path

import pytest

from swerun.config import load_config
from swerun.models.presets import PRESETS

PAGE = (Path(__file__).parents[2] / "docs" / "endpoints.md").read_text()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.prefix)
def test_the_page_has_each_preset_as_it_is(preset):
    key = f"`{preset.key}`" if preset.key else "none"
    row = f"| `{preset.prefix}/` | `{preset.base_url}` | {key} | {', '.join(preset.apis)} |"
    assert row in PAGE


def test_the_page_has_no_preset_that_is_none():
    assert PAGE.count("/` | `http") == len(PRESETS)


def test_the_models_file_on_the_page_is_one(tmp_path):
    (tmp_path / "models.yaml").write_text(PAGE.split("```yaml\n")[1].split("```")[0])
    config = load_config(None, {"models": tmp_path / "models.yaml"})
    assert config.model == ("coder-cold", "openai/gpt-5")
