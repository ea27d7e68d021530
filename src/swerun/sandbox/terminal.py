"""A shell in a container on the terminal that swerun runs on: keys go in, what is shown comes out.

The terminal is raw meanwhile, so that every key, Ctrl-C too, is the container's.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from swerun.sandbox.attached import CHUNK, AttachedStream, attach
from swerun.sandbox.containers import translated
from swerun.sandbox.entrance import WAIT, Entrance

# bash and sh alike, without start-up files: commands of the agent's read none either
PROMPT = "PS1=$PWD\\$ "
TERM = "TERM=xterm"  # what images know; as the engine's own clients have it
SHELLS = {"bash": ("bash", "--norc", "--noprofile"), "sh": ("sh",)}
NO_FILE = "ENV="  # an interactive sh reads the file of that name


def interact(entrance: Entrance, *variables: str) -> int:
    """The exit code of a shell, once it has ended; 1 where the terminal went away before. It has
    `variables` (NAME=VALUE) beside those of commands.

    Raises SandboxLostError where the container ended under it, else SandboxError.
    """
    shell = entrance.program(*SHELLS[entrance.shell], more=(TERM, PROMPT, NO_FILE, *variables))
    user = entrance.sandbox.user
    with translated("opening a shell"):
        stream = attach(entrance.client, entrance.container, shell, user=user, terminal=True)
    with closing(stream), raw(), resizes() as resized, translated("talking with the shell"):
        if not Relay(entrance, stream, resized).until_end():
            return 1
    return entrance.exit_code(stream.id, "the shell")


@contextmanager
def raw() -> Iterator[None]:
    """The terminal hands on each key as it is, until the context is left."""
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        with suppress(termios.error):  # there is no terminal any more
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextmanager
def resizes() -> Iterator[int]:
    """A descriptor that can be read from each time the terminal has another size."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.signal(signal.SIGWINCH, lambda *_: None)
    woken_before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        yield woken
    finally:
        signal.set_wakeup_fd(woken_before)
        signal.signal(signal.SIGWINCH, before)
        os.close(woken)
        os.close(wake)


@dataclass(slots=True)
class Relay:
    """Bytes between this terminal and the one in the container, and the size of the first."""

    entrance: Entrance
    stream: AttachedStream
    resized: int  # a descriptor
    typed: bytearray = field(default_factory=bytearray)  # and not sent yet
    is_sized: bool = False

    def until_end(self) -> bool:
        """Whether it was the shell that ended, and not the terminal."""
        keys, shown = sys.stdin.fileno(), sys.stdout.fileno()
        connection = self.stream.connection
        connection.settimeout(0)
        while True:
            if not self.is_sized:
                self._resize()
            listening = [connection, self.resized, *([] if self.typed else [keys])]
            sending = [connection] if self.typed else []
            ready, _, _ = select.select(listening, sending, [], WAIT if self.is_sized else 0.02)
            if self.resized in ready:
                os.read(self.resized, CHUNK)
                self.is_sized = False
            if keys in ready:
                self.typed += read(keys)
                if not self.typed:
                    return False
            if connection in ready:
                data = connection.recv(CHUNK)
                if not data:
                    return True
                write_all(shown, data)
            self._send()

    def _send(self) -> None:
        """As much as is taken: who takes nothing must not keep what is printed from view."""
        with suppress(BlockingIOError):
            del self.typed[: self.stream.connection.send(self.typed)]

    def _resize(self) -> None:
        """As soon as there is a program whose terminal can have a size."""
        from docker.errors import APIError

        columns, lines = os.get_terminal_size(sys.stdout.fileno())
        with suppress(APIError):
            self.entrance.client.api.exec_resize(self.stream.id, height=lines, width=columns)
            self.is_sized = True


def read(terminal: int) -> bytes:
    """What was typed; b"" where the terminal is gone."""
    with suppress(OSError):
        return os.read(terminal, CHUNK)
    return b""


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
