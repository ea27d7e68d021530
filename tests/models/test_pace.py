"""How fast an endpoint may be asked, by table and by a clock that is handed in."""

from __future__ import annotations

from math import inf

import pytest

from swerun.models.pace import BURST, FIRST, FORGOTTEN, LONGEST, RAISE, Bucket, Pace, Refusal


def pace(ceiling=8, patience=1800.0, **given):
    return Pace(ceiling, patience, **given)


def sending(made, number, now=0.0, tokens=0.0):
    for _ in range(number):
        assert made.wait(tokens, now) == 0
        made.sent(tokens, now)


# concurrency


def test_at_first_as_many_are_asked_at_once_as_there_are_jobs():
    made = pace(8)
    sending(made, 8)
    assert made.wait(0, 0) == inf
    made.back()
    assert made.wait(0, 0) == 0


@pytest.mark.parametrize(
    ("events", "limit"),
    [
        ("", 8),
        ("r", 4),
        ("rr", 2),
        ("rrrr", 1),  # half of one is no request
        ("rrrrrrr", 1),
        ("rrr" + "a" * 4, 1 + 4 * RAISE),
        ("r" + "a" * 100, 8),  # and never more than there are jobs
        ("d", 8),  # an endpoint that is not there was not asked too much
    ],
)
def test_a_refusal_halves_it_and_each_reply_adds_a_little(events, limit):
    made, now = pace(8), 0.0
    for event in events:
        now += 1000
        if event == "a":
            made.answered(0, now)
        else:
            made.refused(Refusal(sent_at=now, is_down=event == "d"), now)
    assert made.limit == limit


def test_what_was_sent_before_a_cut_cuts_no_more():
    """A burst of sixteen 429s is one piece of news."""
    made = pace(16)
    for _ in range(16):
        made.refused(Refusal(sent_at=9.0), 10.0)
    assert made.limit == 8
    made.refused(Refusal(sent_at=12.0), 13.0)
    assert made.limit == 4


# holds


def test_one_refusal_holds_everybody_back_for_as_long_as_the_endpoint_says():
    made = pace()
    made.refused(Refusal(0.0, wait=30), 10.0)
    assert made.wait(0, 10.0) == 30
    assert made.wait(0, 39.0) == 1
    assert made.wait(0, 40.0) == 0


def test_the_longest_of_what_several_were_told_counts():
    made = pace()
    for wait in (5, 30, 1):
        made.refused(Refusal(0.0, wait=wait), 10.0)
    assert made.wait(0, 10.0) == 30


def test_where_it_does_not_say_the_holds_double_up_to_a_minute_and_a_reply_begins_anew():
    made, now, holds = pace(), 0.0, []
    for _ in range(9):
        made.refused(Refusal(now), now)
        holds.append(made.wait(0, now))
        now += holds[-1]
    assert holds == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST]
    made.answered(0, now)
    made.refused(Refusal(now), now)
    assert made.wait(0, now) == FIRST


def test_a_reply_to_what_was_sent_before_does_not_end_a_hold_that_was_asked_for():
    made = pace()
    made.refused(Refusal(0.0, wait=30), 10.0)
    made.answered(0, 11.0)
    assert made.wait(0, 11.0) == 29


# an endpoint that is not there


def test_of_an_endpoint_that_is_not_there_one_asks_at_a_time():
    made = pace()
    made.refused(Refusal(0.0, is_down=True), 0.0)
    assert made.wait(0, 0.5) == 0.5
    sending(made, 1, now=1.0)
    assert made.wait(0, 1.0) == inf
    made.back()
    made.refused(Refusal(1.0, is_down=True), 1.0)
    assert made.wait(0, 1.0) == 2


@pytest.mark.parametrize("sign", [lambda made: made.answered(0, 5.0), lambda made: made.alive(5.0)])
def test_once_it_answers_anything_all_ask_again(sign):
    made = pace(4)
    for _ in range(3):
        made.refused(Refusal(4.0, is_down=True), 4.0)
    sign(made)
    sending(made, 4, now=5.0)


@pytest.mark.parametrize(
    ("refusals", "now", "over"),
    [
        ([], 10_000, False),
        ([(0, None)], 0, False),
        ([(0, None), (50, None)], 50, False),
        ([(0, None), (50, None), (99, None)], 99, True),  # the next hold would end too late
        ([(0, 99)], 0, False),
        ([(0, 101)], 0, True),  # who is told to wait for longer than there is patience need not
        ([(0, None), (99 + FORGOTTEN + 3, None)], 99 + FORGOTTEN + 3, False),  # nobody asked since
    ],
)
def test_patience_ends_after_so_long_of_nothing_but_refusals(refusals, now, over):
    made = pace(patience=100.0)
    for at, wait in refusals:
        made.refused(Refusal(at, wait, is_down=wait is None), at)
    assert made.is_over(now) is over


def test_a_reply_in_between_is_the_end_of_what_tries_patience():
    made = pace(patience=100.0)
    for now in range(0, 400, 40):
        made.refused(Refusal(now), now)
        assert not made.is_over(now)
        made.answered(0, now + 20)


# the attempts' clock


def test_a_hold_is_a_pause_for_all_and_ends_by_itself():
    made = pace()
    made.refused(Refusal(0.0, wait=30), 10.0)
    assert [made.paused(now) for now in (10.0, 25.0, 40.0, 99.0)] == [0, 15, 30, 30]
    sending(made, 1, now=99.0)
    assert made.paused(200.0) == 30


def test_holds_that_follow_each_other_add_up_and_what_is_between_is_no_pause():
    made = pace()
    made.refused(Refusal(0.0, wait=10), 0.0)
    made.refused(Refusal(50.0, wait=10), 50.0)
    made.refused(Refusal(50.0, wait=20), 55.0)
    assert made.paused(100.0) == 10 + 25


def test_a_pause_lasts_until_an_endpoint_that_was_not_there_answers():
    made = pace()
    made.refused(Refusal(0.0, is_down=True), 10.0)
    assert made.paused(1000.0) == 990
    made.answered(0, 1010.0)
    assert made.paused(2000.0) == 1000


# buckets


@pytest.mark.parametrize(
    ("per_minute", "spent", "amount", "wait"),
    [
        (60, 0, 1, 0),
        (60, 6, 1, 1),  # one a second, after six at once
        (60, 7, 1, 2),
        (60, 6, 3, 3),
        (3, 0, 1, 0),  # even of few a minute the first goes at once
        (3, 1, 1, 20),
        (6000, 0, 5000, 0),  # more than it holds goes from a full one
        (6000, 5000, 1, 44.01),  # and has to flow in again
    ],
)
def test_a_bucket_says_how_long_to_wait(per_minute, spent, amount, wait):
    bucket = Bucket.full(per_minute, 100.0).less(spent, 100.0)
    assert bucket.wait(amount, 100.0) == pytest.approx(wait)
    assert bucket.wait(amount, 100.0 + wait) == pytest.approx(0)


def test_a_bucket_holds_no_more_than_its_room_however_long_nobody_asked():
    bucket = Bucket.full(60, 0.0).filled(10_000.0)
    assert bucket.level == 60 * BURST / 60


def asked_in(made, seconds, tokens=0.0, more=0.0):
    """How many requests go out, each answered at once."""
    now, sent = 0.0, 0
    while now < seconds:
        wait = made.wait(tokens, now)
        if wait:
            now += wait
            continue
        made.sent(tokens, now)
        made.answered(more, now)
        made.back()
        sent += 1
    return sent


def test_requests_per_minute_are_kept():
    assert asked_in(pace(requests=Bucket.full(30, 0.0)), 600) == pytest.approx(300, abs=5)


def test_tokens_per_minute_are_kept_by_what_was_used_and_not_by_what_was_thought():
    def made():
        return pace(tokens=Bucket.full(60_000, 0.0))

    assert asked_in(made(), 600, tokens=2000) == pytest.approx(300, abs=5)
    assert asked_in(made(), 600, tokens=2000, more=2000) == pytest.approx(150, abs=5)
    assert asked_in(made(), 600, tokens=2000, more=-1000) == pytest.approx(600, abs=5)
