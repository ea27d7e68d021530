"""Which attempts are done again, and when that is called the same."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace

import pytest

from swerun.errors import CancelledError, InputError
from swerun.records import Stop
from swerun.replaying import Difference
from swerun.replays import Compared, attempts_of, compare_all
from swerun.runs.store import Started, open_or_create
from tests.fakes import an_attempt, an_instance
from tests.report.test_summary import a_run


def seen(**more):
    given = {"steps": 3, "done": 3, "patch": b"one\n", "came": b"one\n"}
    return Compared("a", 1, **(given | more))


@pytest.mark.parametrize(
    ("found", "same_patch", "same"),
    [
        (seen(), True, True),
        (seen(patch=b"", came=b""), True, True),
        (seen(came=b"one\n "), False, False),
        (seen(patch=b""), False, False),
        (seen(patch=None), True, True),  # it was cut off: there is none to compare with
        (seen(differences=(Difference(1, ("a",), ("b",)),)), True, False),
        (seen(done=2, ended=Stop.SANDBOX_LOST), True, False),
        (Compared("a", 1, trouble="the engine said no"), True, False),
    ],
)
def test_only_what_comes_out_in_all_its_steps_and_bytes_is_the_same(found, same_patch, same):
    assert (found.has_same_patch, found.is_same) == (same_patch, same)


@pytest.fixture
def store(tmp_path):
    store = open_or_create(tmp_path, a_run("a"))
    made = (
        (1, "endpoint_failed", {}),
        (2, "unresolved", {}),
        (3, "resolved", {"cause": "rerun"}),
        (4, "no_patch", {"sample": 2}),
        (5, "resolved", {"cause": "forked", "of": 2}),
    )
    for number, outcome, more in made:
        with store.attempt("a", number, Started(**more)) as log:
            log.finished(an_attempt("a", number, outcome, **more))
    with store.attempt("b", 1, Started()):
        pass
    return store


def test_of_each_sample_the_attempt_that_counts_is_done_again_or_the_one_that_is_named(store):
    assert attempts_of(store, "a", None) == [2, 4]
    assert attempts_of(store, "a", 5) == [5]
    assert attempts_of(store, "b", None) == [1]
    with pytest.raises(InputError, match="of a there are 1, 2, 3, 4, 5"):
        attempts_of(store, "a", 9)


def test_a_stop_clears_what_is_blocked_and_tells_of_nothing_more():
    cancel, freed = Event(), Event()
    place = SimpleNamespace(cancel=cancel, clear=freed.set)

    def compare(instance, number):
        cancel.set()
        freed.wait(5)
        return seen()

    told = []
    with pytest.raises(CancelledError):
        compare_all([(an_instance("a"), 1)], compare, 2, place, told.append)
    assert (told, freed.is_set()) == ([], True)
