"""The recorded conversations at an endpoint that outlives those who ask it, and remembers.

Each reply has a number of its own, in the `model` that it names: so it is found again in the steps
that a run has kept, or known to be lost.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from swerun.instances.subsets import load_instances
from swerun.models.recording import read_replies, shipped

SLOWEST = 0.3  # seconds that a reply takes, at most


@dataclass
class Known:
    """How many replies were asked for so far, and the tokens of each, by its number."""

    chance: random.Random
    url: str = ""
    numbers: int = 0
    tokens: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    issues: dict[str, str] = field(
        default_factory=lambda: {i.id: i.task.problem_statement for i in load_instances("sample")}
    )

    def next_number(self, tokens: int) -> tuple[int, float]:
        """A reply's number, and how many seconds it takes."""
        with self.lock:
            self.numbers += 1
            self.tokens[self.numbers] = tokens
            return self.numbers, self.chance.uniform(0, SLOWEST)

    def instance_of(self, messages: list[dict]) -> str | None:
        said = "".join(str(message["content"]) for message in messages[:2])
        return next((i for i, words in self.issues.items() if words.strip() in said), None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known, messages = self.server.known, body["messages"]
        instance_id = known.instance_of(messages)
        if instance_id is None:  # the small request at the start
            self.say({"role": "assistant", "content": "hm"}, "stop", {}, body["model"])
            return
        place = sum(message["role"] == "assistant" for message in messages)
        reply = read_replies(shipped() / body["model"], instance_id)[place]
        usage = {"prompt_tokens": 100 + place, "completion_tokens": 7 + place}
        number, seconds = known.next_number(sum(usage.values()))
        time.sleep(seconds)
        self.say(reply.message, reply.finish_reason, usage, f"{body['model']}#{number}")

    def say(self, message, finish, usage, model):
        choice = {"index": 0, "message": dict(message), "finish_reason": finish}
        body = json.dumps({"model": model, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # who asked was killed


@contextmanager
def recorded_endpoint(chance: random.Random) -> Iterator[Known]:
    """What it knows, its URL first of all."""
    server = Server(("127.0.0.1", 0), Handler)
    server.known = Known(chance, f"http://127.0.0.1:{server.server_port}/v1")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.known
    finally:
        server.shutdown()
        server.server_close()
