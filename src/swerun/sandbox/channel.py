"""The host's half of a command channel: requests out, replies in, over any stream of bytes."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal, Protocol

from swerun.errors import SandboxError
from swerun.ports import ExecResult

Server = Literal["python3", "sh"]
SERVERS: dict[Server, str] = {"python3": "channel_server.py", "sh": "channel_server.sh"}

HANG_SECONDS = 20.0  # how long after a command's own limit the server may take to answer
OPEN_SECONDS = 60.0
# The kernel takes no single argument above 128 KiB.
LONGEST_ARGUMENT = 100_000
# What a server never exceeds. What does is no server's, and is not to fill this process's memory.
LONGEST_LINE = 4096  # bytes
LONGEST_OUTPUT = 4 << 20
VARIABLE = "SWERUN_COMMAND"  # the mark; the server's own says that it is no command's
INPUT = "/proc/self/fd/9"  # where a command finds the bytes that are sent with it
CONDA = "/opt/miniconda3/envs/testbed"  # the official images keep what the tests need in it

# What activating the environment sets beside its path: its packages' scripts say it, which are made
# for bash. They run in a shell of their own, so that one that ends it takes nothing with it.
ACTIVATE = """
eval "$( (exec 3>&1 >/dev/null 2>&1 </dev/null; trap 'export -p >&3' EXIT
for script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do . "$script"; done) )"
exec "$@"
"""
# The first that is sent to a shell in the container. It says which server it takes, and is sent the
# source of that. Arguments: the work directory, the server that is wanted (or "").
# -I -S: whatever the image does to Python's start-up neither slows nor breaks the channel.
# A command's shell reads no start-up file there that could lead out of the environment again.
OPEN = f"""
python=$(command -v python3) && [ "$2" != sh ] && echo python3 || {{ python=; echo sh; }}
if [ -d {CONDA}/bin ]; then
  export PATH="{CONDA}/bin:$PATH" CONDA_PREFIX={CONDA} CONDA_DEFAULT_ENV=testbed
  unset BASH_ENV ENV
fi
if [ -n "$python" ]; then
  set -- "$python" -I -S -c "exec(eval(input()))" "$1" "$LC_CTYPE"
  if [ -d {CONDA}/etc/conda/activate.d ] && command -v bash >/dev/null; then
    exec bash -c {shlex.quote(ACTIVATE)} swerun "$@"
  fi
  exec "$@"
fi
eval "$(head -c SOURCE_LENGTH)"
"""


def killed(seconds: float, *, timeout: float) -> ExecResult:
    """What becomes of a command that kills or stops the channel (`pkill python3`), and not its
    container: the same as if it had done that to its own shell."""
    said = "swerun: this command ended what runs the commands here; its output is lost\n"
    late = seconds > timeout
    return ExecResult(124 if late else 137, said, late, seconds=seconds)


class Stream(Protocol):
    """Both ends of a process: what it reads, and what it prints."""

    @property
    def errors(self) -> bytes | bytearray:
        """What it printed on its standard error so far."""
        ...

    def send(self, data: bytes) -> None: ...

    def receive(self, timeout: float) -> bytes:
        """What came, b"" at the end. Raises TimeoutError after `timeout` seconds of nothing."""
        ...

    def close(self) -> None: ...


class ChannelEndedError(SandboxError):
    """The server is gone, or is none any more; whether the container is, only the engine knows."""


class StuckError(SandboxError):
    """What a command started cannot be killed."""


def opening(workdir: str, *, server: Server | None = None) -> list[str]:
    """The command that opens a channel, with `server` or the first that the image can run."""
    # what `ps` shows an agent is to be short, so the rest comes over the stream
    source = f'eval "$(head -c {len(_open())})"'
    return ["env", f"{VARIABLE}=-", "sh", "-c", source, "swerun", workdir, server or ""]


def _open() -> bytes:
    return OPEN.replace("SOURCE_LENGTH", str(len(_source("sh")))).encode()


def _source(server: Server) -> bytes:
    source = files("swerun.sandbox").joinpath(SERVERS[server]).read_bytes()
    return source if server == "sh" else repr(source).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Done:
    """The first line of a reply. `left_out` is -1 where the server did not count."""

    code: int
    late: int
    milliseconds: int
    head: int
    left_out: int
    tail: int

    @classmethod
    def of(cls, line: str, mark: str) -> _Done | None:
        """None: something would not die. Raises ValueError if it is no reply to `mark`."""
        kind, whose, *words = line.split()
        if whose != mark:  # a command wrote into the channel
            raise ValueError(f"a reply to {whose!r} instead of {mark!r}")
        if kind == "stuck":
            return None
        code, late, milliseconds, head, left_out, tail = (int(word) for word in words)
        if not 0 <= head <= LONGEST_OUTPUT or not 0 <= tail <= LONGEST_OUTPUT:
            raise ValueError(f"an output of {head} and {tail} bytes")
        return cls(code, late, milliseconds, head, left_out, tail)


@dataclass(slots=True)
class Channel:
    """One command at a time. Use it once `open` has returned.

    `marks` makes the marks of this channel's commands its own where they are not alone: on a
    machine that other channels work on.
    """

    stream: Stream
    marks: str = ""
    hang: float = HANG_SECONDS
    served_by: str = ""
    shell: str = ""
    commands: int = 0
    _received: bytearray = field(default_factory=bytearray)

    def open(self) -> None:
        """Raises SandboxError if what answers is no server."""
        deadline = time.monotonic() + OPEN_SECONDS
        self._send(_open())
        said = ""
        try:
            said = self._line(deadline)
            self._send(_source(_SERVER_NAMED[said]))
            said = self._line(deadline)
            _, self.served_by, self.shell = said.split()
        except (TimeoutError, KeyError, ValueError) as error:
            raise ChannelEndedError(
                f"the command channel did not open; it says {said!r} {self._rest()!r}"
            ) from error

    def exec(self, command: str, *, timeout: float, given: bytes = b"") -> ExecResult:
        """As Sandbox.exec. The command may read `given`, if any, from INPUT, and must to its end.

        Raises ChannelEndedError when the server is gone, does not answer, or answers nonsense, all
        of which a command can bring about; StuckError when something cannot be killed.
        """
        code = command.encode(errors="replace")
        if b"\0" in code:
            return ExecResult(126, "swerun: no shell can run a command with a NUL byte in it\n")
        if len(code) > LONGEST_ARGUMENT:
            code, given = f". {INPUT}".encode(), code
        self.commands += 1
        lines = code.count(b"\n") + 1
        milliseconds = max(1, round(timeout * 1000))
        head = f"run {self.mark} {milliseconds} {lines} {len(code)} {len(given)}\n"
        self._send(head.encode() + code + b"\n" + given)
        return self._reply(self.mark, command, timeout)

    @property
    def mark(self) -> str:
        """What the newest command and all that it started carry in their environment."""
        return f"{self.marks}{self.commands}."  # the dot: no mark is the beginning of another

    def end(self, mark: str) -> None:
        """Kill everything whose mark begins with `mark`."""
        self._send(f"end {mark}\n".encode())
        self._reply(mark, f"(killing what carries the mark {mark})", 0)

    def follow(self, gone: Channel) -> None:
        """Take the place of a channel that ended: what its last command left is killed."""
        self.commands = gone.commands  # no two commands have the same mark
        self.end(gone.mark)

    def close(self) -> None:
        self.stream.close()

    def _reply(self, mark: str, command: str, timeout: float) -> ExecResult:
        deadline = time.monotonic() + timeout + self.hang
        try:
            done = _Done.of(self._line(deadline), mark)
            if done is None:
                raise StuckError(f"a process of this command cannot be killed: {command[:200]!r}")
            output = self._take(done.head, deadline).decode(errors="replace")
            if done.left_out:
                how_much = f"{done.left_out} bytes of output" if done.left_out > 0 else "output"
                output += f"\n[... {how_much} left out ...]\n"
            output += self._take(done.tail, deadline).decode(errors="replace")
        except TimeoutError as error:
            raise ChannelEndedError(
                f"no answer {self.hang:g} s after the limit of {timeout:g} s of the command "
                f"{command[:200]!r}"
            ) from error
        except ValueError as error:
            raise ChannelEndedError(f"what answers is no command channel: {error}") from error
        return ExecResult(
            done.code, output, bool(done.late), bool(done.left_out), done.milliseconds / 1000
        )

    def _send(self, data: bytes) -> None:
        try:
            self.stream.send(data)
        except OSError as error:
            raise ChannelEndedError(f"the command channel is closed: {error}") from error

    def _line(self, deadline: float) -> str:
        while b"\n" not in self._received:
            if len(self._received) > LONGEST_LINE:
                raise ValueError(f"a line of more than {LONGEST_LINE} bytes")
            self._receive(deadline)
        return self._take(self._received.index(b"\n") + 1, deadline).decode().rstrip("\n")

    def _take(self, length: int, deadline: float) -> bytes:
        while len(self._received) < length:
            self._receive(deadline)
        taken = bytes(self._received[:length])
        del self._received[:length]
        return taken

    def _receive(self, deadline: float) -> None:
        try:
            data = self.stream.receive(max(0.001, deadline - time.monotonic()))
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelEndedError(f"the command channel broke: {error}") from error
        if not data:
            raise ChannelEndedError(f"the command channel ended: {self._rest()}")
        self._received += data

    def _rest(self) -> str:
        return (self._received[-400:] + self.stream.errors[-400:]).decode(errors="replace").strip()


_SERVER_NAMED: dict[str, Server] = {name: name for name in SERVERS}
