"""One governor for all who ask an endpoint: real HTTP, real threads."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest

from swerun.errors import CancelledError, EndpointBusyError, EndpointError, EndpointShutError
from swerun.models.endpoints import Endpoint
from swerun.models.governor import Governor, Governors
from swerun.models.pace import Bucket, Pace
from swerun.models.patient import PatientModel
from swerun.ports import Message
from tests.models.endpoint import Said, Server, completion, refused

ASKED = (Message("user", "It is broken."),)
USED = {"prompt_tokens": 100, "completion_tokens": 10}


def governor(at_once=4, patience=1800.0, **given):
    buckets = {"requests": given.pop("requests", None), "tokens": given.pop("tokens", None)}
    return Governor("m at here", Pace(at_once, patience, **buckets), **given)


def reply(model, deadline=None, cancel=None):
    return model.reply(ASKED, deadline=deadline, cancel=cancel or Event())


def together(model, number):
    """The replies to so many workers who ask at once, or what they were told instead."""

    def one(_):
        try:
            return reply(model)
        except EndpointShutError as error:
            return error

    with ThreadPoolExecutor(number) as workers:
        return list(workers.map(one, range(number)))


class Counted:
    """A body that remembers when it was asked for, and how many at once."""

    def __init__(self, seconds=0.0, limit=None):
        self.times, self.now, self.most, self.lock = [], 0, 0, threading.Lock()
        self.seconds, self.limit = seconds, limit

    def __call__(self, asked):
        with self.lock:
            self.times.append(time.monotonic())
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return completion(usage=USED).body


def test_one_workers_429_holds_the_others_back(serve, ask):
    counted = Counted()
    server = serve(refused(429, "Slow.", Retry_After="0.6"), Said(counted))
    asked = PatientModel(ask(server.url), governor(at_once=1))
    began = time.monotonic()
    replies = together(asked, 4)
    assert [r.text for r in replies] == ["Done."] * 4
    assert len(server.asked) == 5
    assert min(counted.times) - began >= 0.6


def test_no_more_ask_at_once_than_there_are_jobs_whoever_they_are(serve, ask):
    counted = Counted(seconds=0.05)
    server, shared = serve(Said(counted)), governor(at_once=3)
    models = [PatientModel(ask(server.url), shared) for _ in range(2)]
    with ThreadPoolExecutor(12) as workers:
        list(workers.map(lambda i: reply(models[i % 2]), range(24)))
    assert counted.most == 3


def test_an_endpoint_that_takes_few_at_once_is_asked_by_few(serve, ask):
    """It refuses whoever is one too many; nobody gives up, and most of what is sent is served."""
    lock, now = threading.Lock(), []

    def body(asked):
        with lock:
            now.append(1)
            too_many = len(now) > 2
        if not too_many:
            time.sleep(0.05)
        with lock:
            now.pop()
        return Said(completion(usage=USED).body) if not too_many else refused(429, "Too many.")

    server = serve(body)
    held = governor(at_once=16, sleep=lambda condition, seconds: condition.wait(seconds / 20))
    held.now = lambda: time.monotonic() * 20  # holds of a second pass in a twentieth of one
    replies = together(PatientModel(ask(server.url), held), 24)
    assert [r.text for r in replies] == ["Done."] * 24
    assert held.pace.limit < 16
    assert len(server.asked) < 24 * 3


def test_requests_per_minute_are_kept_by_all_together(serve, ask):
    counted = Counted()
    server = serve(Said(counted))
    held = governor(at_once=8, requests=Bucket.full(600, time.monotonic()))
    together(PatientModel(ask(server.url), held), 8)
    held.pace.requests = Bucket(600, 0.0, time.monotonic())  # spent: ten a second from now on
    began = time.monotonic()
    together(PatientModel(ask(server.url), held), 8)
    assert time.monotonic() - began >= 0.7


def test_tokens_are_put_right_by_what_was_used(serve, ask):
    server = serve(completion(usage={"prompt_tokens": 5000, "completion_tokens": 1000}))
    held = governor(tokens=Bucket(60_000, 6000.0, time.monotonic()))
    reply(PatientModel(ask(server.url), held, longest_reply=50))
    assert held.pace.tokens.level == pytest.approx(0, abs=500)


# an endpoint that is down


@pytest.fixture
def port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def served_at(port, answer):
    server = Server((answer,), port)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def test_an_endpoint_that_is_down_pauses_all_and_one_asks_until_it_is_back(port, ask):
    """The attempts' limit is half a second, and it is away for three times as long."""
    said = []
    held = governor(at_once=4, say=said.append)
    asked = PatientModel(ask(f"http://127.0.0.1:{port}/v1"), held)
    with ThreadPoolExecutor(4) as workers:
        waiting = [workers.submit(reply, asked, held.clock() + 0.5) for _ in range(4)]
        time.sleep(1.5)
        server = served_at(port, completion())
        try:
            replies = [one.result(timeout=20) for one in waiting]
        finally:
            server.shutdown()
            server.server_close()
    assert [r.text for r in replies] == ["Done."] * 4
    assert sum(r.tries for r in replies) < 4 * 4 + 4
    assert "paused until it is back, for 1800 seconds at the most" in said[0]
    assert "answers again" in said[-1]
    assert len(said) == 2


def test_an_endpoint_that_stays_down_ends_it_for_all(port, ask):
    held = governor(patience=2.0)
    asked = PatientModel(ask(f"http://127.0.0.1:{port}/v1"), held)
    ended = together(asked, 3)
    assert {type(one) for one in ended} == {EndpointShutError}
    assert "--endpoint-patience bears (2 seconds)" in str(ended[0])
    assert "refused" in held.shut
    began = time.monotonic()
    with pytest.raises(EndpointShutError):
        reply(asked)
    assert time.monotonic() - began < 0.5


def test_a_name_that_leads_nowhere_is_down_too(ask):
    asked = PatientModel(ask("http://no-such-host.invalid/v1"), governor(patience=0.5))
    with pytest.raises(EndpointShutError, match="no-such-host"):
        reply(asked)


@pytest.mark.parametrize("status", [502, 503, 529])
def test_a_gateway_without_a_server_is_one_that_is_down(status, serve, ask):
    server, said = serve(refused(status, "No."), completion()), []
    assert reply(PatientModel(ask(server.url), governor(say=said.append))).tries == 2
    assert "paused" in said[0]


# an endpoint that serves nobody any more


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (refused(401, "Wrong key."), "--api-key-env"),
        (refused(402, "Insufficient Balance"), "nothing left to pay with"),
        (refused(403, "Not you."), "may not do this"),
        (
            Said({"error": {"message": "Out of quota.", "code": "insufficient_quota"}}, 429),
            "nothing left to pay with",
        ),
    ],
    ids=lambda said: str(getattr(said, "status", "")),
)
def test_a_key_that_is_refused_ends_it_for_all_at_once(answer, hint, serve, ask):
    server, said = serve(answer), []
    held = governor(at_once=1, say=said.append)
    ended = together(PatientModel(ask(server.url), held), 4)
    assert {type(one) for one in ended} == {EndpointShutError}
    assert len(server.asked) == 1
    assert hint in held.shut
    assert len(said) == 1


def test_a_conversation_that_is_moderated_ends_no_other(serve, ask):
    words = "Your input was flagged by moderation."
    server = serve(refused(403, words), completion())
    asked = PatientModel(ask(server.url), governor())
    with pytest.raises(Exception, match="flagged") as caught:
        reply(asked)
    assert not isinstance(caught.value, EndpointShutError)
    assert reply(asked).text == "Done."


# what ends the waiting


@pytest.mark.parametrize("why", ["held", "full", "bucket"])
def test_a_wait_for_a_turn_ends_when_the_run_is_stopped(why):
    held = governor(
        at_once=1, requests=Bucket(1, -9.0, time.monotonic()) if why == "bucket" else None
    )
    cancel = Event()
    if why == "held":
        held.pace.until = time.monotonic() + 600
    if why == "full":
        held.pace.sent(0, time.monotonic())
    threading.Timer(0.2, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(CancelledError), held.turn(1, deadline=None, cancel=cancel):
        pass
    assert time.monotonic() - began < 2


def test_a_wait_for_a_turn_ends_with_the_attempts_time():
    held = governor(at_once=1)
    held.pace.sent(0, time.monotonic())
    turn = held.turn(1, deadline=held.clock() + 0.2, cancel=Event())
    with pytest.raises(EndpointBusyError, match="no turn came before the attempt's time"), turn:
        pass
    assert held.pace.in_flight == 1


def test_whatever_ends_a_request_its_turn_is_free_again(serve, ask):
    held = governor(at_once=1)
    for answer, words in ((refused(400, "No."), "No."), (Said("{"), "no JSON")):
        model = PatientModel(ask(serve(answer).url), held, tries=1)
        with pytest.raises(EndpointError, match=words):
            reply(model)
    assert reply(PatientModel(ask(serve(completion()).url), held)).tries == 1
    assert held.pace.in_flight == 0


def test_models_at_one_endpoint_with_one_key_share_a_governor():
    governors = Governors(4, 1800.0)
    here = governors.of(Endpoint("a", "http://h/v1", api_key="k"))
    assert governors.of(Endpoint("b", "http://h/v1", api_key="k")) is here
    assert governors.of(Endpoint("a", "http://h/v1", api_key="other")) is not here
    assert governors.of(Endpoint("a", "http://other/v1", api_key="k")) is not here
    assert "k" not in here.where.split("/")


# a request's own limit


def test_the_limit_on_a_request_is_one_on_all_of_it(clients, ask):
    """A server that sends a byte now and then is never silent for long, and never done."""
    over = Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def drip():
            wire, _ = listening.accept()
            with wire:
                wire.recv(65536)
                wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not over.wait(0.1):
                    try:
                        wire.sendall(b" ")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        began = time.monotonic()
        with pytest.raises(EndpointBusyError, match=r"more than .* seconds"):
            reply(ask(url, request_timeout=0.5))
        taken = time.monotonic() - began
        over.set()
        dripping.join()
    assert 0.5 <= taken < 4
