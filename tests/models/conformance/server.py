"""One real HTTP server for all endpoints: it does what a spec says, and fails as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any, Literal

from tests.models.conformance import chat, responses
from tests.models.conformance.rules import refused, turns_in
from tests.models.conformance.script import TURNS
from tests.models.conformance.spec import Error, Spec, openai_error
from tests.models.endpoint import running

Failure = Literal["none", "rate limit", "server error", "cut", "half a JSON", "stall"]
WAIT = "7"  # seconds, of Retry-After
PARTS = 3  # of a stream, until it fails


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        spec, failure = self.server.spec, self.server.next_failure()
        error = refused(spec, self.path, body)
        if error:
            self.server.refusals.append(error)
            self._json(error.status, error.body)
        elif failure == "rate limit":
            self._json(spec.busy.status, spec.busy.body, {"Retry-After": WAIT})
        elif failure == "server error":
            self._json(500, openai_error(500, "The server had an error.").body)
        else:
            self._reply(spec, body, failure)

    def _reply(self, spec: Spec, body: Mapping[str, Any], failure: Failure) -> None:
        form = responses if self.path.endswith("/responses") else chat
        number = turns_in(body)
        sealed = bool(body.get("include"))  # only whoever asks for it gets it
        reply = form.reply(spec, TURNS[number], number, self.server.protocol, sealed=sealed)
        self.server.served += failure == "none"
        if body.get("stream"):
            self._stream(form.parts(spec, reply, asked=bool(body.get("stream_options"))), failure)
            return
        text = json.dumps(reply).encode()
        if failure == "stall":
            self.server.over.wait()
        elif failure == "cut":
            self._begin(200, {"Content-Length": str(len(text))})
            self.wfile.write(text[: len(text) // 2])
        else:
            sent = text[: len(text) // 2] if failure == "half a JSON" else text
            self._begin(200, {"Content-Length": str(len(sent))})
            self.wfile.write(sent)

    def _stream(self, parts: Iterator[str], failure: Failure) -> None:
        """Server-sent events. A cut one ends as if all were well, which proxies do."""
        self._begin(200, {}, kind="text/event-stream")
        for number, part in enumerate(parts):
            if failure != "none" and number == PARTS:
                if failure == "half a JSON":
                    self.wfile.write(part[: len(part) // 2].encode() + b"\n\n")
                elif failure == "stall":
                    self.server.over.wait()
                return
            self.wfile.write(part.encode())
            self.wfile.flush()

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self._begin(status, {"Content-Length": str(len(text)), **(headers or {})})
        self.wfile.write(text)

    def _begin(
        self, status: int, headers: Mapping[str, str], kind: str = "application/json"
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()  # whoever asked has left: what it should do

    def log_message(self, *said: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # closing it waits for its threads, and so for their sockets

    def __init__(self, spec: Spec) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spec, self.over = spec, Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.begin("tools")

    def begin(self, protocol: str, *failures: Failure) -> None:
        """Forget what was; the first answers to come are `failures`."""
        self.protocol, self.failures = protocol, failures
        self.asked, self.served, self.refusals = 0, 0, list[Error]()
        self.hung_up = Event()

    def next_failure(self) -> Failure:
        self.asked += 1
        return self.failures[self.asked - 1] if self.asked <= len(self.failures) else "none"


@contextmanager
def conforming(spec: Spec) -> Iterator[Server]:
    """An endpoint as `spec` has it."""
    with running(Server(spec), 0.005) as server:
        yield server
