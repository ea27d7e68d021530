"""An engine that says what it is given: what real ones say when they go wrong."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """A pull or a build: the lines, and then a good end or none."""
        self.taken()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in self.server.lines:
            said = line.encode() + b"\r\n"
            self.wfile.write(f"{len(said):x}\r\n".encode() + said + b"\r\n")
        if self.server.ends_well:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def taken(self):
        """Read what was sent along, in chunks or at once, so that nobody is cut off in sending."""
        if self.headers["Transfer-Encoding"] == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers["Content-Length"] or 0))

    def do_GET(self):
        """An image: there is none."""
        body = b'{"message": "No such image"}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def an_engine(lines: Sequence[str], *, ends_well: bool) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.lines, server.ends_well = lines, ends_well
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"tcp://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
