"""Defaults under a file under flags; what is wrong is named."""

from __future__ import annotations

import pytest

from swerun.config import load_config
from swerun.errors import InputError


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("model: gold\njobs: 3\nlimits: {steps: 9, seconds: 60}\n")
    config = load_config(file, {"limits.steps": 11})
    assert (config.model, config.jobs, config.limits.steps) == (("gold",), 3, 11)
    assert (config.limits.seconds, config.limits.command_seconds) == (60, 60)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: gold\njbos: 3\n", "jbos: there is no such key; did you mean jobs"),
        ("model: gold\nlimits: {step: 3}\n", r"limits\.step: .* did you mean limits\.steps"),
        ("model: gold\njobs: many\n", "jobs: .*got 'many'"),
        ("jobs: 3\n", "model"),
        ("- a\n", "not a mapping"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        load_config(file, {})
