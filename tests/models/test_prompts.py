"""A prompt of the user's is tried before a run."""

from __future__ import annotations

import pytest

from swerun.agent.prompts import load_prompts
from swerun.errors import InputError
from swerun.records import Limits


def written(tmp_path, text):
    file = tmp_path / "prompt.md"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ answer.gold_patch }}", "'answer' is undefined"),
        ("{{ task.hints }}", "'swerun.records.Task object' has no attribute 'hints'"),
        ("{{ limits.step }}", "no attribute 'step'"),
        ("{% if protocol == 'text' %}{{ typo }}{% endif %}", "'typo' is undefined"),
        ("{{ 'a' + limits.steps }}", "can only concatenate"),
        ("{{ limits.steps // 0 }}", "by zero"),
        ("{{ task.id | no_filter }}", "no_filter"),
        ("{% if %}", "xpected"),
    ],
)
def test_a_prompt_that_asks_for_what_there_is_not_is_refused(tmp_path, text, said):
    file = written(tmp_path, text)
    with pytest.raises(InputError, match="it sees `task`, `limits` and `protocol`") as caught:
        load_prompts("text", file)
    for part in (said, str(file)):
        assert part in str(caught.value)


def test_a_prompt_that_is_not_there_is_refused_by_its_name(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.md cannot be read"):
        load_prompts("tools", tmp_path / "nothing.md")


def test_a_prompt_is_tried_with_the_limits_of_the_run(tmp_path):
    file = written(tmp_path, "{{ '%d' | format(limits.tokens) }} {{ task.problem_statement }}")
    assert load_prompts("tools", file, Limits(tokens=9)).instance == file.read_text()
    with pytest.raises(InputError, match="NoneType"):
        load_prompts("tools", file, Limits(tokens=None))
