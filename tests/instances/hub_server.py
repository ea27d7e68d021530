"""A hub over real HTTP: as much of the hub's API as a dataset needs to be found and fetched.

The API is that of https://huggingface.co/docs/hub/api: what a repository is at a revision, the tree
of a commit, and its files with the headers that huggingface_hub reads (ETag, X-Repo-Commit).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

API = re.compile(r"/api/datasets/([\w.-]+/[\w.-]+)(?:/revision/([^/?]+))?")
TREE = re.compile(r"/api/datasets/([\w.-]+/[\w.-]+)/tree/([^/?]+).*")
FILE = re.compile(r"/datasets/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)")


def sha(text: bytes) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


@dataclass
class FakeHub:
    """Datasets, each a list of commits (the newest is last), each a mapping of paths to bytes."""

    url: str = ""
    commits: dict[str, list[Mapping[str, bytes]]] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None  # a status and an X-Error-Code for whatever is asked
    refused: str = ""  # a path that nobody may have
    seen: list[str] = field(default_factory=list)

    def push(self, dataset: str, files: Mapping[str, bytes]) -> str:
        """A new commit; returns what it is called."""
        self.commits.setdefault(dataset, []).append(files)
        return self.name(dataset, len(self.commits[dataset]) - 1)

    def name(self, dataset: str, number: int) -> str:
        return sha(f"{dataset} {number}".encode())

    def commit(self, dataset: str, revision: str | None) -> str | None:
        there = [self.name(dataset, n) for n in range(len(self.commits.get(dataset, ())))]
        if revision in self.tags:
            return there[self.tags[revision]]
        return there[-1] if revision in {None, "main"} else revision if revision in there else None

    def files(self, dataset: str, commit: str) -> Mapping[str, bytes]:
        there = self.commits[dataset]
        return next(f for n, f in enumerate(there) if self.name(dataset, n) == commit)


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.hub.seen.append(self.path)
        if self.hub.refusal:
            status, code = self.hub.refusal
            self._say(status, b"{}", **({"X-Error-Code": code} if code else {}))
        elif tree := TREE.fullmatch(self.path):
            self._tree(tree[1], tree[2])
        elif info := API.fullmatch(self.path):
            self._info(info[1], info[2])
        elif file := FILE.fullmatch(self.path):
            self._file(file[1], file[2], file[3])
        else:
            self._say(404, b"{}")

    def _info(self, dataset: str, revision: str | None) -> None:
        if dataset not in self.hub.commits:
            self._say(404, b"{}", **{"X-Error-Code": "RepoNotFound"})
        elif commit := self.hub.commit(dataset, revision):
            self._say(200, json.dumps({"id": dataset, "sha": commit}).encode())
        else:
            self._say(404, b"{}", **{"X-Error-Code": "RevisionNotFound"})

    def _tree(self, dataset: str, commit: str) -> None:
        if dataset not in self.hub.commits or not self.hub.commit(dataset, commit):
            self._say(404, b"{}", **{"X-Error-Code": "RevisionNotFound"})
            return
        found = [
            {"type": "file", "path": path, "size": len(content), "oid": sha(content)}
            for path, content in self.hub.files(dataset, commit).items()
        ]
        self._say(200, json.dumps(found).encode())

    def _file(self, dataset: str, commit: str, path: str) -> None:
        content = self.hub.files(dataset, commit)[path]
        headers = {"ETag": f'"{sha(content)}"', "X-Repo-Commit": commit}
        if path == self.hub.refused:
            self._say(403, b"{}")
            return
        self._say(200, content, **headers)

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def serving() -> Iterator[FakeHub]:
    hub = FakeHub()
    handler = type("Bound", (Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield hub
        finally:
            server.shutdown()
