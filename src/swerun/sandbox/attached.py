"""The stream of one exec in a container, taken out of the engine's frames."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient

# https://docs.docker.com/reference/api/engine, "Attach to a container": a byte that says which
# stream, three zeros, the length in 4 bytes, big-endian.
FRAME = struct.Struct(">BxxxL")
STDERR = 2
CHUNK = 1 << 18
ERRORS = 1 << 16  # bytes that are kept of what it prints on its standard error, the last


def attach(
    client: DockerClient, container: str, argv: list[str], *, user: str, terminal: bool = False
) -> AttachedStream:
    """Start `argv` in a running container. With a `terminal` there are no frames, and all that
    there is to read comes over the stream's connection. Raises docker.errors.APIError."""
    made = client.api.exec_create(container, argv, stdin=True, tty=terminal, user=user, workdir="/")
    response = client.api.exec_start(made["Id"], tty=terminal, socket=True)
    return AttachedStream(response, str(made["Id"]))


@dataclass(slots=True)
class AttachedStream:
    """What the process prints on its standard output; its standard error is kept in `errors`."""

    response: Any
    id: str = ""  # the engine's, of the exec
    errors: bytearray = field(default_factory=bytearray)
    _frames: bytearray = field(default_factory=bytearray)

    def send(self, data: bytes) -> None:
        self.connection.settimeout(None)
        self.connection.sendall(data)

    def receive(self, timeout: float) -> bytes:
        """As channel.Stream: some bytes of standard output, b"" at the end."""
        deadline = time.monotonic() + timeout
        while True:
            if output := self._unframe():
                return output
            left = deadline - time.monotonic()
            if left <= 0:  # errors without end are no answer
                raise TimeoutError
            self.connection.settimeout(left)
            data = self.connection.recv(CHUNK)
            if not data:
                return b""
            self._frames += data

    def close(self) -> None:
        connection = self.connection
        with suppress(OSError):  # the other side was first
            connection.shutdown(socket.SHUT_RDWR)
        self.response.close()
        connection.close()  # the SDK's file object leaves it open

    @property
    def connection(self) -> socket.socket:
        # the SDK hands out a file object that can wait, but not until a deadline
        found: socket.socket = getattr(self.response, "_sock", self.response)
        return found

    def _unframe(self) -> bytes:
        output = bytearray()
        while len(self._frames) >= FRAME.size:
            stream, length = FRAME.unpack_from(self._frames)
            if len(self._frames) < FRAME.size + length:
                break
            data = self._frames[FRAME.size : FRAME.size + length]
            if stream == STDERR:
                self.errors += data
                del self.errors[:-ERRORS]
            else:
                output += data
            del self._frames[: FRAME.size + length]
        return bytes(output)
