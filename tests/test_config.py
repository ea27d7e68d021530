"""Defaults under a file under flags; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from swerun.config import cache_folder, load_config
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


@pytest.mark.parametrize("limits", ["5", "", "text", "[1]"])
def test_a_flag_below_a_key_that_holds_no_keys_is_answered_with_that_key(tmp_path, limits):
    file = tmp_path / "c.yaml"
    file.write_text(f"model: gold\nlimits: {limits}\n")
    with pytest.raises(InputError, match=f"{file} and the flags: limits: "):
        load_config(file, {"limits.steps": 3})


def test_the_split_is_a_key_like_any_other():
    assert load_config(None, {"model": ("gold",), "split": "dev"}).split == "dev"
    assert load_config(None, {"model": ("gold",)}).split is None


def test_caches_are_below_the_home_unless_a_folder_is_given():
    assert cache_folder(None, {"HOME": "/home/me"}) == Path("/home/me/.cache/swerun")
    assert cache_folder(Path("here"), {"HOME": "/home/me"}) == Path("here")
    assert cache_folder(Path("here"), {}) == Path("here")


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}])
def test_without_a_home_caches_are_not_left_lying_about(environment):
    with pytest.raises(InputError, match="--cache"):
        cache_folder(None, environment)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("30m", 1800), ("90s", 90), ("1.5h", 5400), ("45", 45), (45, 45), ("0s", 0), (" 2M ", 120)],
)
def test_patience_is_given_in_seconds_minutes_or_hours(given, seconds):
    flags = {"model": ("m",), "endpoint_patience": given}
    assert load_config(None, flags).endpoint_patience == seconds


@pytest.mark.parametrize("given", ["", "m", "30 minutes", "-1s", "xs"])
def test_a_patience_that_is_no_time_is_refused_and_named(given):
    with pytest.raises(InputError, match="endpoint_patience"):
        load_config(None, {"model": ("m",), "endpoint_patience": given})
