"""A terminal that a test sits at: what swerun shows on it, keys, another size, and hanging up."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# a session of its own, whose terminal that is: so the kernel tells it of sizes and of hanging up
LEADER = """import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "swerun", *sys.argv[1:]])
"""
PATIENCE = 120.0  # seconds


@dataclass
class Terminal:
    process: subprocess.Popen[bytes]
    keyboard: int
    device: int
    shown: bytearray = field(default_factory=bytearray)

    def until(self, text: str) -> None:
        """Wait until `text` is shown after what was waited for before."""
        wanted, deadline = text.encode(), time.monotonic() + PATIENCE
        while wanted not in self.shown:
            left = deadline - time.monotonic()
            assert select.select([self.keyboard], [], [], max(0, left))[0], bytes(self.shown)
            self.shown += os.read(self.keyboard, 4096)
        del self.shown[: self.shown.index(wanted) + len(wanted)]

    def type(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def settings(self) -> list[object]:
        return termios.tcgetattr(self.device)

    def hang_up(self) -> None:
        os.close(self.device)
        os.close(self.keyboard)

    def wait(self) -> int:
        """The exit code; what is shown meanwhile is read, as a terminal does."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            with suppress(OSError):
                if select.select([self.keyboard], [], [], 0.1)[0]:
                    self.shown += os.read(self.keyboard, 4096)
        return self.process.returncode


@contextmanager
def terminal(args: Sequence[str], folder: Path, lines: int, columns: int) -> Iterator[Terminal]:
    """swerun with `args` on a terminal of that size."""
    keyboard, device = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER, *args],
        cwd=folder,
        env=os.environ | {"HOME": str(folder)},
        stdin=device,
        stdout=device,
        stderr=device,
    )
    made = Terminal(process, keyboard, device)
    made.resize(lines, columns)
    try:
        yield made
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):  # it was hung up
            made.hang_up()
