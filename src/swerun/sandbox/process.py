"""The only module that starts a process on this machine."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from swerun.ports import ExecResult

OUTPUT_CAP = 4 << 20  # bytes
CHUNK = 1 << 18


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> ExecResult:
    """Run to the end or to the deadline, after which the process group is dead.

    `env` None is this process's own. Raises FileNotFoundError if there is no such program.
    """
    began, timed_out = time.monotonic(), False
    # Files, not pipes: a pipe is only at its end when every background child has let go of it.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as taken:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=given,
            stdout=taken,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        taken.seek(0)
        raw = taken.read(OUTPUT_CAP + 1)
    code = process.returncode
    return ExecResult(
        exit_code=128 - code if code < 0 else code,
        output=raw[:OUTPUT_CAP].decode(errors="replace"),
        timed_out=timed_out,
        truncated=len(raw) > OUTPUT_CAP,
        seconds=time.monotonic() - began,
    )


@dataclass(slots=True)
class ProcessStream:
    """A process to talk with; a channel.Stream."""

    process: subprocess.Popen[bytes]
    _errors: IO[bytes]

    @property
    def errors(self) -> bytes:
        self._errors.seek(0)
        return self._errors.read()

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        view = memoryview(data)
        while view:  # an unbuffered pipe takes what it takes
            view = view[self.process.stdin.write(view) :]

    def receive(self, timeout: float) -> bytes:
        assert self.process.stdout is not None
        source = self.process.stdout.fileno()
        if not select.select([source], [], [], timeout)[0]:
            raise TimeoutError
        return os.read(source, CHUNK)

    def close(self) -> None:
        """Hang up, and see the process off."""
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            assert pipe is not None
            pipe.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def talk(argv: Sequence[str], *, cwd: Path) -> ProcessStream:
    """Start a process that is talked with over its standard input and output."""
    errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the stream
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )
    return ProcessStream(process, errors)
