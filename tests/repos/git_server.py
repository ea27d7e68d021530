"""Repositories over real HTTP: by git's own server program, or as mere files."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread


class GitServer(ThreadingHTTPServer):
    """Serves the repositories in `root`. Requests wait while `open` is not set; `asked` is set by
    the first one. `requests` has the paths that were asked for."""

    def __init__(self, root: Path, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.root = root
        self.requests: list[str] = []
        self.asked, self.open = Event(), Event()
        self.open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def fetches(self) -> int:
        """How often a client began to fetch."""
        return sum("/info/refs" in path for path in self.requests)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GitServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.requests.append(self.path)
        self.server.asked.set()
        self.server.open.wait()
        self.answer()

    def do_POST(self):
        self.do_GET()

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Smart(Handler):
    """git http-backend, which is a CGI program."""

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        body = self.body()
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            env=os.environ | environment | {"CONTENT_LENGTH": str(len(body))},
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        self.send(status, headers, content)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


class Dumb(Handler):
    """Files, as any web server has them: what `git update-server-info` is for."""

    def answer(self) -> None:
        file = self.server.root / self.path.partition("?")[0].lstrip("/")
        if file.is_file():
            self.send(200, {"Content-Type": "application/octet-stream"}, file.read_bytes())
        else:
            self.send(404, {}, b"")


class Locked(Handler):
    """Asks for a password, as GitHub does for a repository that is not there."""

    def answer(self) -> None:
        self.send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")


@contextmanager
def serving(root: Path, handler: type[BaseHTTPRequestHandler] = Smart):
    server = GitServer(root, handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.open.set()
        server.shutdown()
        thread.join()
        server.server_close()
