"""A small real HTTP server that answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; the names of headers are in small letters."""

    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. A body that is text goes out as it is, a function makes it from the request."""

    body: object = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection is closed, with nothing said or in the middle of a body."""

    midway: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is said, or nothing after `first`, until whoever asked leaves or the server ends;
    with `again` that, again and again."""

    first: str = ""
    again: str = ""


Answer = Said | Dropped | Silence | Callable[["Asked"], "Said | Dropped | Silence"]


def completion(
    message: Mapping[str, Any] | None = None,
    *,
    finish: str = "stop",
    usage: object = None,
    **more: object,
) -> Said:
    """A chat completion as endpoints serve it."""
    said = {"role": "assistant", "content": "Done."} if message is None else message
    choice = {"index": 0, "message": said, "finish_reason": finish}
    served = {"id": "1", "object": "chat.completion", "model": "served-name", "choices": [choice]}
    return Said(served | ({"usage": usage} if usage is not None else {}) | more)


def parts(*chunks: object, done: bool = True, close: bool = False) -> Said:
    """Server-sent events; text goes out as it is. `close` promises more than comes."""
    lines = [c if isinstance(c, str) else f"data: {json.dumps(c)}\n\n" for c in chunks]
    body = "".join([*lines, "data: [DONE]\n\n" if done else ""])
    longer = {"Content-Length": str(len(body.encode()) + 100)} if close else {}
    return Said(body, headers={"Content-Type": "text/event-stream", **longer})


def chunk(finish: str | None = None, **delta: object) -> dict[str, Any]:
    """A part of a chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "model": "served-name", "choices": [choice]}


def refused(status: int, message: str, **headers: str) -> Said:
    """An error in the words and shape of OpenAI's."""
    error = {"message": message, "type": "some_error", "code": None}
    return Said({"error": error}, status, {k.replace("_", "-"): v for k, v in headers.items()})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, json.loads(given))
        answer = self.server.next_answer(asked)
        if callable(answer):
            answer = answer(asked)
        if isinstance(answer, Said):
            self._say(answer, asked)
        elif isinstance(answer, Silence):
            self._keep_silent(answer)
        elif answer.midway:
            self._begin(200, {"Content-Length": "1000"})
            self.wfile.write(b'{"choices": [')

    def _say(self, said: Said, asked: Asked) -> None:
        made = said.body(asked) if callable(said.body) else said.body
        body = (made if isinstance(made, str) else json.dumps(made)).encode()
        self._begin(said.status, {"Content-Length": str(len(body)), **said.headers})
        self.wfile.write(body)

    def _keep_silent(self, silence: Silence) -> None:
        if silence.first:
            self._begin(200, {"Content-Type": "text/event-stream"})
            self.wfile.write(silence.first.encode())
        self.server.silent.set()
        while not self.server.over.wait(0.01):
            self.wfile.write(silence.again.encode())
            if select.select([self.connection], [], [], 0)[0]:  # only an end can come now
                self.server.left.set()
                return

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *said: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # closing it waits for its threads, and so for their sockets

    def __init__(self, answers: Sequence[Answer], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.answers, self.asked = answers, list[Asked]()
        self.silent, self.left, self.over = Event(), Event(), Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def next_answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


class Stoppable(Protocol):
    """A server whose handlers wait for `over` where they wait for ever."""

    over: Event

    def serve_forever(self, poll_interval: float) -> None: ...
    def shutdown(self) -> None: ...
    def server_close(self) -> None: ...


S = TypeVar("S", bound=Stoppable)


@contextmanager
def running(server: S, glance: float = 0.02) -> Iterator[S]:
    """Serve until the context ends, which is noticed after `glance` seconds."""
    Thread(target=server.serve_forever, args=(glance,), daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


@contextmanager
def answering(*answers: Answer) -> Iterator[Server]:
    """A server on the loopback that gives `answers` in order, the last of them for ever."""
    with running(Server(answers)) as server:
        yield server


def stopped_once_silent(server: Server, cancel: Event) -> list[float]:
    """Set `cancel` once a request is left without an answer; the moment will be in the list."""
    stopped_at: list[float] = []

    def stop() -> None:
        server.silent.wait(5)
        stopped_at.append(time.monotonic())
        cancel.set()

    Thread(target=stop).start()
    return stopped_at
