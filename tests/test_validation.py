"""What is known of instances, for which runs it holds, and what a run of sound ones is of."""

from __future__ import annotations

import pytest

from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.instances.selection import Subset
from swerun.records import (
    Grade,
    GradeReason,
    ImageOptions,
    Limits,
    Resources,
    Sampling,
    Scaffold,
    Selection,
    Soundness,
)
from swerun.report.soundness import Validated
from swerun.runs.store import Started, open_or_create
from swerun.validation import Validations, command, left_out, question_of, sound_only, validation_of
from tests.fakes import an_attempt, an_instance
from tests.report.test_summary import a_run

ASKED = a_run().question.model_copy(
    update={
        "model": "org/m",
        "scaffold": Scaffold(prompt_hash="1", protocol="tools", tools=("bash",)),
        "limits": Limits(steps=3),
    }
)
A, B, C = (an_instance(name) for name in "abc")
SUBSET = Subset("s", (A, B, C), "s")
SOUND, BROKEN, FLAKY = Soundness.SOUND, Soundness.BROKEN, Soundness.FLAKY
RESOLVED = {"resolved": True, "reason": GradeReason.RESOLVED}
FAILED = {"resolved": False, "reason": GradeReason.TESTS_FAILED}


def here(instance):
    return "sha256:1"


@pytest.fixture
def keep(tmp_path):
    """Keeps what became of the gold patch of an instance; that of no patch is as it should be."""

    def kept(instance_id, gold=RESOLVED, digest="sha256:1", asked=ASKED):
        for patch, grade in (("gold", gold), ("empty", FAILED)):
            question = question_of(asked, patch)
            record = a_run(instance_id).model_copy(update={"name": patch, "question": question})
            store = open_or_create(tmp_path, record)
            number = store.newest(instance_id) + 1
            made = an_attempt(
                instance_id,
                number,
                outcome="resolved" if grade["resolved"] else "unresolved",
                grade=Grade(**grade, image_digest=digest),
            )
            with store.attempt(instance_id, number, Started()) as log:
                log.finished(made)
        return Validations(tmp_path, asked, here)

    return kept


def soundness(validations, instance=A, **changes):
    asked = validations.asked.model_copy(update=changes)
    (found,) = Validations(validations.folder, asked, validations.here).of([instance])
    return found.soundness


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "org/other"},
        {"limits": Limits(steps=250)},
        {"sampling": Sampling(temperature=1)},
        {"scaffold": None},
        {"network": "bridge"},
    ],
)
def test_what_was_found_holds_whoever_solves_and_however(keep, changes):
    assert soundness(keep("a"), **changes) is SOUND


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset_hash": "1"},
        {"resources": Resources(memory="1g")},
        {"limits": Limits(eval_seconds=5)},
        {"grade_network": "bridge"},
        {"grading": "2"},
    ],
)
def test_what_was_found_does_not_hold_where_gradings_would_be_others(keep, changes):
    assert soundness(keep("a"), **changes) is None


def test_what_was_found_in_another_image_than_the_one_that_is_here_counts_no_more(keep):
    keep("a", gold=FAILED, digest="sha256:0")
    assert soundness(keep("a")) is SOUND
    assert soundness(keep("b", digest="sha256:0"), B) is None
    gone = Validations(keep("c", digest="sha256:0").folder, ASKED, lambda _: None)
    assert soundness(gone, C) is SOUND, "an image that was evicted is taken to be the same"


def test_several_trials_add_up(keep):
    keep("a")
    assert soundness(keep("a", gold=FAILED | {"reason": GradeReason.PATCH_REJECTED})) is FLAKY


def test_what_cannot_be_read_in_the_cache_is_passed_over(keep):
    validations = keep("a")
    (validations.folder / "other").mkdir()
    (validations.folder / "other" / "run.json").write_text("{}")
    assert soundness(validations) is SOUND


def test_the_runs_of_a_validation_ask_what_a_run_makes_use_of():
    config = RunConfig(
        model=("org/m",),
        resources=Resources(memory="1g"),
        limits=Limits(steps=3, eval_seconds=5),
        grade_network="bridge",
        network="bridge",
        images=ImageOptions(registry="mirror:5000"),
        samples=4,
        run="mine",
        sound_only=True,
    )
    assert validation_of(config) == RunConfig(
        model=("gold", "empty"),
        resources=Resources(memory="1g"),
        limits=Limits(eval_seconds=5),
        grade_network="bridge",
        images=ImageOptions(registry="mirror:5000"),
        samples=4,
    )


def chosen(validations, **selection):
    said = []
    config = RunConfig(model=("m",), selection=Selection(**selection))
    made = sound_only(config, SUBSET, validations, said.append)
    assert made.subset is SUBSET
    return [instance.id for instance in made.instances], said


def test_a_run_of_sound_instances_is_drawn_from_those_that_are(keep):
    keep("b")
    ids, said = chosen(keep("a", gold=FAILED | {"reason": GradeReason.TIMED_OUT}))
    assert ids == ["b"]
    assert said == [
        "--sound-only: 2 of 3 instances are left out",
        "  1 broken: a (gold: the tests ran past their time limit)",
        "  1 not validated here: c",
        "  to validate what was not: swerun instances validate --subset sample",
    ]


def test_an_instance_that_is_named_and_not_sound_is_left_out_and_no_typo(keep):
    keep("a", gold=FAILED | {"reason": GradeReason.PATCH_REJECTED})
    ids, said = chosen(keep("c"), instances=("a", "c"))
    assert ids == ["c"]
    assert said[0] == "--sound-only: 1 of 2 instances are left out"
    with pytest.raises(InputError, match="no instance is called"):
        chosen(keep("c"), instances=("x",))


def a_validated(name, kind, **changes):
    given = {"instance_id": name, "soundness": kind, "gold": 1, "empty": 1}
    return Validated.model_validate(given | changes)


def test_nothing_is_said_where_nothing_is_left_out():
    assert left_out([a_validated("a", SOUND)], "do") == []


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([None, None], r"none of 2 instances was validated on this machine.*first: do$"),
        ([BROKEN], r"none of 1 is sound:\n  1 broken: a0 \(\)$"),
        ([FLAKY, None], r"none of 2 is sound:\n  1 flaky: a0 \(\)\n  1 not validated here: a1$"),
    ],
)
def test_a_run_of_no_instances_is_refused_with_why(kinds, said):
    with pytest.raises(InputError, match=said):
        left_out([a_validated(f"a{n}", kind) for n, kind in enumerate(kinds)], "do")


def test_of_many_the_first_are_named_and_the_others_counted():
    found = [a_validated(f"a{n}", None) for n in range(9)]
    assert left_out([*found, a_validated("b", SOUND)], "do")[1] == (
        "  9 not validated here: a0, a1, a2, a3, a4, and 4 more"
    )


def test_the_command_that_validates_has_what_gradings_depend_on():
    config = RunConfig(
        model=("m",),
        subset="my set",
        selection=Selection(instances=("a*", "b"), limit=3),
        resources=Resources(cpus=1.5, pids=64),
        limits=Limits(eval_seconds=60, steps=2),
    )
    assert command(config) == (
        "swerun instances validate --subset 'my set' --instance 'a*' --instance b "
        "--eval-timeout 60 --cpus 1.5 --pids 64"
    )
