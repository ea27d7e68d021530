"""Retry: what is asked again, how often, after how long, and what ends the waiting."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from swerun.errors import (
    CancelledError,
    ContextLengthError,
    EndpointBusyError,
    EndpointDownError,
    EndpointError,
    RateLimitError,
)
from swerun.models.governor import Governor
from swerun.models.pace import Pace
from swerun.models.patient import PatientModel
from swerun.ports import Message
from tests.fakes import ScriptedModel, a_reply
from tests.models.endpoint import Dropped, completion, refused

ASKED = (Message("user", "It is broken."),)
BUSY = EndpointBusyError("500")


class Clock:
    """Time that passes in waits alone: those of one request, and those that hold all back."""

    def __init__(self):
        self.time, self.waits, self.held = 1000.0, [], 0.0

    def wait(self, seconds, cancel):
        self.time += seconds
        if seconds:
            self.waits.append(seconds)
        return cancel.is_set()

    def hold(self, condition, seconds):
        self.time += seconds
        self.held += seconds


def patient(inner, clock, chance=0.0, patience=1800.0, **given):
    governor = Governor("m", Pace(4, patience), now=lambda: clock.time, sleep=clock.hold)
    return PatientModel(inner, governor, wait=clock.wait, chance=lambda: chance, **given)


def governed(inner, **given):
    return PatientModel(inner, Governor("m", Pace(4, 1800.0)), **given)


def reply(model, deadline=None, cancel=None):
    return model.reply(ASKED, deadline=deadline, cancel=cancel or Event())


def test_a_busy_endpoint_is_asked_again_and_the_requests_are_counted(serve, ask):
    answers = (refused(429, "Slow."), Dropped(), refused(503, "No."), completion())
    server, clock = serve(*answers), Clock()
    said = reply(patient(ask(server.url), clock))
    assert (said.text, said.tries) == ("Done.", 4)
    assert len(server.asked) == 4
    assert all(asked.body == server.asked[0].body for asked in server.asked)


def test_a_reply_at_once_is_one_try_without_a_wait():
    clock = Clock()
    assert reply(patient(ScriptedModel([a_reply("ls")]), clock)).tries == 1
    assert clock.waits == []


def test_the_endpoint_says_how_long_to_wait(serve, ask):
    answers = (refused(429, "Slow.", Retry_After="7"), refused(503, "No.", Retry_After="90"))
    server, clock = serve(*answers, completion()), Clock()
    assert reply(patient(ask(server.url), clock)).tries == 3
    assert clock.held == pytest.approx(97, abs=0.1)
    assert clock.waits == []


@pytest.mark.parametrize("kind", [RateLimitError, EndpointDownError])
def test_what_holds_all_back_uses_up_no_tries_of_one(kind):
    model, clock = ScriptedModel([*[kind("no")] * 30, a_reply("ls")]), Clock()
    assert reply(patient(model, clock, tries=2)).tries == 31
    assert clock.held > 60 * 20


def test_where_it_does_not_say_the_waits_double_up_to_a_minute():
    clock = Clock()
    with pytest.raises(EndpointBusyError):
        reply(patient(ScriptedModel([BUSY] * 20), clock, tries=9))
    assert clock.waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_wait_is_shortened_by_chance_and_never_by_more_than_half():
    clock = Clock()
    with pytest.raises(EndpointBusyError):
        reply(patient(ScriptedModel([BUSY] * 20), clock, chance=1.0, tries=4))
    assert clock.waits == [0.5, 1.0, 2.0]


def test_patience_has_an_end_and_the_last_error_is_what_is_raised():
    last = EndpointBusyError("the eighth")
    model, clock = ScriptedModel([BUSY] * 7 + [last]), Clock()
    with pytest.raises(EndpointBusyError, match="the eighth") as caught:
        reply(patient(model, clock))
    assert caught.value is last
    assert (len(model.heard), len(clock.waits)) == (8, 7)


@pytest.mark.parametrize("kind", [EndpointError, ContextLengthError, CancelledError])
def test_a_failure_for_good_is_not_tried_again(kind):
    model, clock = ScriptedModel([kind("no")]), Clock()
    with pytest.raises(kind, match="no"):
        reply(patient(model, clock))
    assert (len(model.heard), clock.waits) == (1, [])


def test_a_failure_for_good_ends_the_patience_with_a_busy_endpoint():
    model, clock = ScriptedModel([BUSY, EndpointError("401")]), Clock()
    with pytest.raises(EndpointError, match="401"):
        reply(patient(model, clock))
    assert len(model.heard) == 2


def test_a_wait_that_would_go_past_the_deadline_is_not_begun():
    model, clock = ScriptedModel([BUSY, EndpointBusyError("slow")]), Clock()
    with pytest.raises(EndpointBusyError, match="slow"):
        reply(patient(model, clock), deadline=clock.time + 2.5)
    assert (len(model.heard), clock.waits) == (2, [1])


def test_a_hold_is_no_time_of_an_attempt(serve, ask):
    """Its deadline is a moment of the governor's clock, which stands still meanwhile."""
    clock = Clock()
    model = ScriptedModel([EndpointBusyError("slow", wait=3600 / 4), a_reply("ls")])
    asked = patient(model, clock)
    assert reply(asked, deadline=asked.governor.clock() + 60).tries == 2
    assert clock.held > 600


def test_each_conversation_has_patience_of_its_own():
    model, clock = ScriptedModel([BUSY, a_reply("ls"), BUSY, a_reply("ls")]), Clock()
    asked = patient(model, clock, tries=2)
    assert [reply(asked).tries, reply(asked).tries] == [2, 2]


def test_a_wait_ends_when_the_run_is_stopped(serve, ask):
    server, cancel = serve(refused(429, "Slow.", Retry_After="600"), completion()), Event()
    stopped_at = []

    def stop():
        while not server.asked:
            time.sleep(0.05)
        time.sleep(0.3)  # by then the answer came, and the wait has begun
        stopped_at.append(time.monotonic())
        cancel.set()

    Thread(target=stop).start()
    with pytest.raises(CancelledError):
        reply(governed(ask(server.url)), cancel=cancel)
    assert time.monotonic() - stopped_at[0] < 1
    assert len(server.asked) == 1


def test_waits_are_as_long_as_they_say(serve, ask):
    server = serve(refused(429, "Slow.", Retry_After="0.3"), completion())
    began = time.monotonic()
    assert reply(governed(ask(server.url))).tries == 2
    assert time.monotonic() - began >= 0.3
