"""What a flag says arrives, and what is wrong with it is said of the flag."""

from __future__ import annotations

from typing import get_args

import pytest
import typer

from swerun.cli import app
from swerun.cli.flags import given, key_of, names, with_flags
from swerun.config import RunConfig, load_config
from swerun.errors import InputError


def command(name):
    return typer.main.get_command(app).commands[name]


def parsed(*args):
    return command("run").make_context("run", ["--model", "m", *args])


def config_of(*args):
    return load_config(None, given(parsed(*args)))


def test_a_flag_that_is_0_arrives():
    config = config_of(
        "--temperature", "0", "--top-p", "0", "--sampling-seed", "0", "--retries", "0"
    )
    sampling = config.sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0, 0, 0)
    assert config.retries == 0


def test_a_flag_that_is_not_given_leaves_the_default():
    assert given(parsed()) == {"model": ["m"]}
    assert config_of() == RunConfig(model=("m",))


def test_a_switch_and_a_list_arrive_where_they_are_given():
    config = config_of("--fresh", "-i", "a", "-i", "b*")
    assert (config.fresh, config.selection.instances) == (True, ("a", "b*"))


def test_an_empty_text_does_not_pass_for_one():
    with pytest.raises(InputError, match="--network: it is given, and empty"):
        given(parsed("--network", ""))
    with pytest.raises(InputError, match=r"--memory \(resources\.memory\): it is given"):
        given(parsed("--memory", ""))


def test_every_flag_sets_a_key_that_there_is():
    for key in names(parsed()):
        at = RunConfig
        for part in key.split("."):
            assert part in at.model_fields, key
            kind = at.model_fields[part].annotation
            at = next((each for each in get_args(kind) if each is not type(None)), kind)


MEANT = {"of_run", "only", "failed", "unresolved", "outcome", "stop", "of_sample", "replace"}


@pytest.mark.parametrize(
    ("name", "others"),
    [("run", {"config", "as_json"}), ("rerun", {*MEANT, "kept_in", "as_json"})],
)
def test_no_flag_of_the_configuration_is_passed_over(name, others):
    assert {each.name for each in command(name).params if key_of(each.name) is None} == others


def test_a_rerun_and_a_fork_have_the_flags_of_a_run_but_for_what_is_of_the_run_alone():
    keys = [
        {key_of(p.name) for p in command(name).params} - {None} for name in ("run", "rerun", "fork")
    ]
    selection = {key for key in keys[0] if key.startswith("selection.")}
    of_run = {"samples", "stop_when_resolved", "sound_only", "record", "run", "runs", "fresh"}
    of_run |= {"revision", "continue_attempts"}
    assert keys[0] - keys[1] == selection | of_run
    assert keys[2] == keys[1]


FLAGS = {"limits.steps": "--steps", "jobs": "--jobs"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("the flags: limits.steps: bad", "--steps (limits.steps): bad"),
        ("the flags: jobs: bad", "--jobs: bad"),
        ("a: bad\nthe flags: jobs: bad", "a: bad\n--jobs: bad"),
        ("it sets limits.steps, sampling.seed", "it sets --steps (limits.steps), sampling.seed"),
    ],
)
def test_what_is_said_of_a_key_is_said_of_its_flag(said, words):
    assert with_flags(said, FLAGS) == words


@pytest.mark.parametrize(
    "said",
    [
        "c.yaml and the flags: limits.tokens: bad",
        "the jobs are many",
        "limits.steps.more and my-limits.steps",
        "no instance is called 'jobs'.",
    ],
)
def test_what_is_said_of_something_else_stays_as_it_is(said):
    assert with_flags(said, FLAGS) == said
