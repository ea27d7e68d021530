"""The recorded endpoint: a real HTTP server on this machine that answers as a model once did."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swerun.models.recording import RecordedReply, read_replies, same

INSTANCE_HEADER = "X-Swerun-Instance"
LARGEST = 64 << 20  # bytes of a request


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and its JSON body."""

    status: int
    body: Mapping[str, Any]


def answer(folder: Path, name: str, instance_id: str, request: Mapping[str, Any]) -> Answer:
    """The recorded reply that follows the conversation so far, found by how many came before."""
    if request.get("stream"):
        return _error(400, "this recorded endpoint does not stream", "invalid_request_error")
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        return _error(400, "`messages` has to be a list of objects", "invalid_request_error")
    try:
        replies = read_replies(folder, instance_id)
    except KeyError:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.jsonl")))
        said = f"{name} holds no conversation about {instance_id!r}; it holds {known}"
        return _error(404, said, "not_recorded")
    number = sum(message.get("role") == "assistant" for message in messages)
    if number >= len(replies):
        said = f"the recording {name} of {instance_id} ends after {len(replies)} replies"
        return _error(404, said, "recording_ended")
    body = _completion(name, f"{instance_id}-{number}", replies[number])
    if number and (before := replies[number - 1].observations) is not None:
        body["swerun_replay"] = "same" if same(_shown(messages), before) else "differs"
    return Answer(200, body)


def _shown(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What came after the newest reply."""
    newest = max(i for i, message in enumerate(messages) if message.get("role") == "assistant")
    return [str(message.get("content")) for message in messages[newest + 1 :]]


def _completion(name: str, request_id: str, reply: RecordedReply) -> dict[str, Any]:
    choice = {"index": 0, "message": reply.message, "finish_reason": reply.finish_reason}
    made = {
        "id": f"recorded-{request_id}",
        "object": "chat.completion",
        "created": 0,
        "model": name,
        "choices": [choice],
    }
    return made | ({"usage": reply.usage} if reply.usage else {})


def _error(status: int, message: str, kind: str) -> Answer:
    return Answer(status, {"error": {"message": message, "type": kind, "code": kind}})


class _Server(http.server.ThreadingHTTPServer):
    """On the loopback alone, at whatever port is free."""

    daemon_threads = True

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.name = folder, name


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": self.server.name, "object": "model"}]}
        known = self.path == "/v1/models"
        here = Answer(200, models) if known else _error(404, self.path, "not_found")
        self._send(self._refused() or here)

    def do_POST(self) -> None:
        self._send(self._refused() or self._answered())

    def _refused(self) -> Answer | None:
        """What is answered to a request that is not read any further."""
        here = f"127.0.0.1:{self.server.server_port}"
        length = self.headers.get("Content-Length") or "0"
        refused = _misdirected(here, self.headers.get_all("Host") or [])
        if not length.isdecimal() or int(length) > LARGEST:
            refused = refused or _error(413, f"a body of {length} bytes is not read", "too_large")
        self.close_connection = self.close_connection or refused is not None
        return refused

    def _answered(self) -> Answer:
        given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/v1/chat/completions":
            return _error(404, self.path, "not_found")
        try:
            request = json.loads(given)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict):
            return _error(400, "the body is no JSON object", "invalid_request_error")
        instance_id = self.headers.get(INSTANCE_HEADER, "")
        return answer(self.server.folder, self.server.name, instance_id, request)

    def _send(self, sent: Answer) -> None:
        body = json.dumps(sent.body).encode()
        self.send_response(sent.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name
        pass


def _misdirected(here: str, hosts: Sequence[str]) -> Answer | None:
    """The refusal of what was sent to another name than `here`: the owner of a page on the web can
    make its name lead to the loopback, and this is what such a page cannot hide (DNS rebinding)."""
    if list(hosts) == [here]:
        return None
    said = f"this is {here} and nothing else, and was asked for {', '.join(hosts) or 'no host'}"
    return _error(421, said, "misdirected_request")


@contextmanager
def serving(folder: Path, name: str) -> Iterator[str]:
    """Serve the recordings of `folder` on the loopback; gives the URL that ends in /v1."""
    server = _Server(folder, name)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
