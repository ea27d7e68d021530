"""Forty instances against an endpoint three of whose ten answers are none: what is kept, and what
is paid for.

The engine, the attempts, the agent, the client and HTTP are real, and so are the files. Time passes
twenty times as fast for whoever waits (back-offs, holds), and not for requests.

What a client cannot know is whether an answer that broke off on its way was billed: the server here
bills what it served whole, and counts apart what it may have written before it hung up.
"""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

import pytest

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.agent.tools import TOOLS
from swerun.attempt import Bench
from swerun.engine.local import LocalEngine, Work
from swerun.engine.slots import local_slots
from swerun.models.chat import ChatModel
from swerun.models.endpoints import Endpoint
from swerun.models.exchange import connected
from swerun.models.governor import Governor
from swerun.models.pace import Pace
from swerun.models.patient import PatientModel
from swerun.records import Limits, Outcome, Stop, Usage
from swerun.runs.store import open_or_create
from swerun.sandbox.local import LocalSandboxes
from swerun.solve import AgentSolver
from tests.fakes import RESOLVED, FixedGrader, Present, an_instance
from tests.models.endpoint import running
from tests.models.test_protocols import a_call
from tests.report.test_summary import a_run

IDS = tuple(f"org__repo-{number}" for number in range(40))
COMMANDS = 5  # of each conversation, and then it submits
AT_ONCE = 16
FASTER = 20
STALL = 5.0  # seconds, of which a request waits a tenth
WORDS = re.compile(r"issue of (org__repo-\d+)")


@dataclass
class Known:
    """What the server did. A reply is known by its conversation and its place there."""

    chance: random.Random
    failures: float
    billed: Counter = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    broken: Counter = field(default_factory=Counter)  # by kind
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_kind(self) -> str:
        with self.lock:
            self.requests += 1
            kind = "served"
            if self.chance.random() < self.failures:
                kind = self.chance.choice(KINDS)
                self.broken[kind] += 1
            return kind

    def bill(self, which, usage) -> None:
        with self.lock:
            self.billed[which] += 1
            self.usage += usage


def said(number):
    if number < COMMANDS:
        call = a_call("bash", json.dumps({"command": f"echo {number} >> log"}))
    else:
        call = a_call("submit", "{}")
    return {"role": "assistant", "content": f"Step {number}.", "tool_calls": [call]}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps(body["messages"])
        which = WORDS.search(text)[1], sum(m["role"] == "assistant" for m in body["messages"])
        usage = Usage(input_tokens=len(text), output_tokens=7 + which[1])
        answer = json.dumps(
            {
                "model": "m",
                "choices": [{"message": said(which[1]), "finish_reason": "tool_calls"}],
                "usage": {
                    "prompt_tokens": usage.input_tokens,
                    "completion_tokens": usage.output_tokens,
                },
            }
        ).encode()
        kind = self.server.known.next_kind()
        if kind == "served":
            self.server.known.bill(which, usage)
            self.say(200, answer)
        else:
            KIND[kind](self, answer)

    def say(self, status, body, kind="application/json", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self, answer):
        """Not closed in order: what TCP makes of a process that was killed."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def stall(self, answer):
        self.server.over.wait(STALL)

    def log_message(self, *said):
        pass


KIND = {
    "429": lambda h, _: h.say(429, b'{"error": {"message": "Slow down."}}', Retry_After="1"),
    "429 and no word of how long": lambda h, _: h.say(429, b"{}"),
    "500": lambda h, _: h.say(500, b'{"error": {"message": "CUDA error"}}'),
    "503": lambda h, _: h.say(503, b"no healthy upstream", "text/plain"),
    "reset": Handler.reset,
    "hung up": lambda h, _: None,
    "hung up midway": lambda h, answer: h.say(200, answer[:40], length=len(answer)),
    "stall": Handler.stall,
    "half of the JSON": lambda h, answer: h.say(200, answer[: len(answer) // 2]),
    "no choices": lambda h, _: h.say(200, b'{"choices": []}'),
    "no message": lambda h, _: h.say(200, b'{"choices": [{"finish_reason": "stop"}]}'),
    "a page": lambda h, _: h.say(200, b"<html>One moment.</html>", "text/html"),
    "nothing": lambda h, _: h.say(200, b"", "application/json"),
}
KINDS = tuple(KIND)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, known):
        super().__init__(("127.0.0.1", 0), Handler)
        self.known, self.over = known, Event()

    def handle_error(self, request, client_address):
        pass  # a client that has given a stalled request up


@pytest.fixture
def chaos():
    known = Known(random.Random(6), failures=0.3)
    with running(Server(known)) as server:
        url = f"http://127.0.0.1:{server.server_port}/v1"
        endpoint = Endpoint("m", url, request_timeout=STALL / 10)
        client = connected(endpoint)
        yield known, ChatModel(endpoint, client, TOOLS)
        server.over.set()
        client.close()


def an_engine(tmp_path, repo, model):
    cancel = Event()
    governor = Governor(
        "m",
        Pace(AT_ONCE, 1800.0),
        now=lambda: time.monotonic() * FASTER,
        sleep=lambda condition, seconds: condition.wait(seconds / FASTER),
    )

    def model_of(task):
        wait = lambda seconds, cancel: cancel.wait(seconds / FASTER)  # noqa: E731
        return PatientModel(Apart(model), governor, wait=wait)

    agent = BashAgent(load_prompts("tools"), Limits(), clock=governor.clock)
    solver = AgentSolver(LocalSandboxes(repo), agent, model_of, cancel)
    slots = local_slots(images=4, agents=AT_ONCE, grading=4, cancel=cancel)
    grader = FixedGrader([RESOLVED])
    bench = Bench(Present(), solver, grader, slots, cancel)
    store = open_or_create(tmp_path / "runs", a_run(*IDS))
    instances = tuple(about(an_instance(instance_id)) for instance_id in IDS)
    work = Work(store, bench, instances, samples=1, retries=0)
    return LocalEngine([work], AT_ONCE + 8, lambda _: None, cancel, pause=0), store, grader


def about(instance):
    said_so = {"problem_statement": f"It is the issue of {instance.id}."}
    return instance.model_copy(update={"task": instance.task.model_copy(update=said_so)})


@dataclass(frozen=True)
class Apart:
    """The deadline is a moment of time that passes faster; a request's own limit is what counts."""

    model: ChatModel

    def reply(self, messages, *, deadline, cancel):
        return self.model.reply(messages, deadline=None, cancel=cancel)


def test_forty_instances_survive_an_endpoint_that_breaks_three_answers_of_ten(
    tmp_path, repo, chaos
):
    known, model = chaos
    engine, store, grader = an_engine(tmp_path, repo, model)
    engine.run()

    # nothing is lost: one attempt of each, with every step, in order
    attempts = list(store.attempts())
    assert Counter(a.outcome for a in attempts) == {Outcome.RESOLVED: len(IDS)}
    assert {(a.attempt, a.stop, a.steps) for a in attempts} == {(1, Stop.SUBMITTED, COMMANDS + 1)}
    steps = {instance_id: list(store.steps(instance_id, 1)) for instance_id in IDS}
    for taken in steps.values():
        assert [step.reply.text for step in taken] == [f"Step {n}." for n in range(COMMANDS + 1)]

    # no command was run twice, and none was left out
    written = "".join(f"+{number}\n" for number in range(COMMANDS))
    assert len(grader.patches) == len(IDS)
    assert all(written in patch.decode() for patch in grader.patches)
    assert all(patch.count(b"\n+") == COMMANDS + 1 for patch in grader.patches)

    # no reply was billed twice, and what was billed is what is written down
    assert known.billed == {(i, n): 1 for i in IDS for n in range(COMMANDS + 1)}
    recorded = sum((step.reply.usage for taken in steps.values() for step in taken), Usage())
    assert recorded == known.usage
    assert sum((a.usage for a in attempts), Usage()) == known.usage

    # every request is accounted for, and there was trouble of every kind
    assert sum(step.reply.tries for taken in steps.values() for step in taken) == known.requests
    assert known.requests == sum(known.billed.values()) + sum(known.broken.values())
    assert set(known.broken) == set(KINDS)
    assert 0.2 < sum(known.broken.values()) / known.requests < 0.4
