"""A proxy in front of a registry that fails as it is told to, and keeps count of what it served."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 1 << 14
LIMIT = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached a rate limit."}]}'


@dataclass
class Fault:
    """What becomes of the next `times` requests for a path that has `path` (a regex) in it.

    `status` is answered in place of the registry; without one the connection is dropped after
    `after` bytes of what it says, or `seconds` go by before each chunk of it.
    """

    path: str
    status: int | None = None
    times: int = 1
    after: int | None = None
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = LIMIT


@dataclass(frozen=True)
class Served:
    """One answer: its status, and the bytes of its body that went out."""

    path: str
    status: int
    bytes: int
    range: str = ""
    method: str = "GET"


@dataclass
class Front:
    address: str = ""
    faults: list[Fault] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    under_way: int = 0
    most: int = 0  # of answers under way at once
    lock: threading.Lock = field(default_factory=threading.Lock)

    def blobs(self) -> int:
        """Bytes of blobs that went out, by whatever request."""
        return sum(each.bytes for each in self.served if "/blobs/" in each.path)

    def largest_blob(self, image: str) -> str:
        """The digest of an image's largest layer."""
        path = image.removeprefix(self.address).replace(":", "/manifests/")
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        request = urllib.request.Request(
            f"http://{self.address}/v2{path}", headers={"Accept": kind}
        )
        with urllib.request.urlopen(request) as answer:
            layers = json.load(answer)["layers"]
        return max(layers, key=lambda layer: layer["size"])["digest"]

    def fault(self, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        front: Front = self.server.front
        with front.lock:
            front.under_way += 1
            front.most = max(front.most, front.under_way)
        try:
            self.answer(front, front.fault(self.path))
        finally:
            with front.lock:
                front.under_way -= 1

    do_HEAD = do_GET  # noqa: N815 -- http.server's name

    def answer(self, front: Front, fault: Fault | None):
        if fault and fault.status:
            self.refused(front, fault)
            return
        registry = http.client.HTTPConnection(self.server.registry)
        registry.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for key, value in self.headers.items():  # several of them have one name: Accept
            registry.putheader(key, value)
        registry.endheaders()
        said = registry.getresponse()
        self.send_response(said.status)
        for key, value in said.getheaders():
            if key.lower() not in {"connection", "date", "server"}:
                self.send_header(key, value)
        self.end_headers()
        sent = 0
        with suppress(OSError):
            sent = self.passed_on(said, fault)
        front.served.append(
            Served(self.path, said.status, sent, self.headers["Range"] or "", self.command)
        )
        registry.close()

    def passed_on(self, said, fault: Fault | None) -> int:
        sent, end = 0, fault.after if fault else None
        while chunk := said.read(CHUNK):
            if fault and fault.seconds:
                time.sleep(fault.seconds)
            if end is not None and sent + len(chunk) >= end:
                self.wfile.write(chunk[: end - sent])
                self.close_connection = True
                return end
            self.wfile.write(chunk)
            sent += len(chunk)
        return sent

    def refused(self, front: Front, fault: Fault):
        self.send_response(fault.status)
        for key, value in fault.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(fault.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(fault.body)
        front.served.append(Served(self.path, fault.status, 0, method=self.command))

    def log_message(self, *args):
        pass


@contextmanager
def a_front(registry: str) -> Iterator[Front]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.registry, server.front = registry, Front()
    server.front.address = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.front
    server.shutdown()
    server.server_close()
