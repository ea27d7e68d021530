"""The process inside a container that runs commands for the host, on Python 3.5 or newer.

It is sent over the channel and never on the container's disk. A request is a line and the bytes
that it announces:

    run MARK MILLISECONDS LINES LENGTH INPUT_LENGTH    a command of so many lines and bytes, a
                                                       newline, what it finds on descriptor 9
    end MARK                                           kill all whose mark begins like this

and so is a reply: `done MARK EXIT_CODE TIMED_OUT MILLISECONDS HEAD_LENGTH LEFT_OUT TAIL_LENGTH`
with the first and the last bytes of the output (LEFT_OUT bytes between them were dropped), or
`stuck MARK` where something could not be killed. channel_server.sh serves the same protocol.
"""
# Images carry old Pythons: no f-strings and no annotations that they would have to evaluate.
# ruff: noqa: ANN001, ANN201, ANN204, FBT003, PTH118, PTH119, PTH123, PTH208, S606, UP032

import os
import select
import signal
import sys
import time

HEAD = TAIL = 1 << 20  # bytes of output that are kept, first and last
PIPE = 65536  # bytes that fit in a pipe
INPUT = 9  # the descriptor on which a command finds its input
KILL_SECONDS = 5.0
VARIABLE = b"SWERUN_COMMAND="  # the mark, in the environment of whatever a command starts


class Output:
    """The first and the last of what a command prints; what lies between is only counted."""

    def __init__(self):
        # type: () -> None
        self.head = bytearray()
        self.tail = bytearray()
        self.left_out = 0

    def add(self, data):
        # type: (bytes) -> None
        room = HEAD - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) >= 2 * TAIL:
            self.cut()

    def cut(self):
        # type: () -> None
        excess = max(0, len(self.tail) - TAIL)
        del self.tail[:excess]
        self.left_out += excess


def reply(mark, code, late, began, output):
    # type: (bytes, int, bool, float, Output) -> bytes
    output.cut()
    took = int((time.monotonic() - began) * 1000)
    numbers = (code, late, took, len(output.head), output.left_out, len(output.tail))
    words = " ".join(str(int(number)) for number in numbers)
    return b"done " + mark + b" " + words.encode() + b"\n" + output.head + output.tail


def stuck(mark):
    # type: (bytes) -> bytes
    return b"stuck " + mark + b"\n"


class Server:
    """One command at a time; what earlier commands left running is drained meanwhile."""

    def __init__(self, workdir):
        # type: (str) -> None
        self.workdir = workdir
        self.requests = bytearray()
        self.children = {}  # type: dict[int, int]  # ended ones: process id to wait status
        self.drained = []  # type: list[int]  # pipes whose command ended but whose writers live
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        shells = ["bash", "sh"]
        folders = os.environ.get("PATH", os.defpath).split(":")
        found = [os.path.join(f, s) for s in shells for f in folders]
        self.shell = ([p for p in found if os.access(p, os.X_OK)] or ["/bin/sh"])[0]

    def serve(self):
        # type: () -> None
        """Answer until the host hangs up."""
        send(b"ready python3 " + os.path.basename(self.shell).encode() + b"\n")
        while True:
            words = self.line().split()
            if not words:
                return
            if words[0] == b"end":
                gone = end(words[1])
                done = reply(words[1], 0, False, time.monotonic(), Output())
                send(done if gone else stuck(words[1]))
                continue
            milliseconds, _, length, given = (int(word) for word in words[2:])
            command = self.take(length + 1)[:-1]
            self.run(words[1], milliseconds / 1000, command, self.take(given))

    def run(self, mark, seconds, command, given):
        # type: (bytes, float, bytes, bytes) -> None
        began = time.monotonic()
        before = processes()
        output, gone = Output(), True
        self.children.clear()
        pipe, writer = os.pipe()
        os.set_blocking(pipe, False)
        try:
            shell = self.start(mark, command, given, writer)
        except OSError as error:
            os.close(pipe)
            output.add("swerun: no process could be started: {}\n".format(error).encode())
            send(reply(mark, 126, False, began, output))
            return
        finally:
            os.close(writer)
        late = not self.watch(shell, pipe, output, began + seconds)
        if late:
            gone = end(mark, before, shell)
        # What the shell printed before it ended lies in the pipe; a child may go on printing.
        if self.drain(pipe, output, PIPE):
            self.drained.append(pipe)
        else:
            os.close(pipe)
        code = 124 if late else exit_code(self.children.pop(shell))
        send(reply(mark, code, late, began, output) if gone else stuck(mark))

    def start(self, mark, command, given, writer):
        # type: (bytes, bytes, bytes, int) -> int
        """The process id of the command's shell."""
        source = feed(given) if given else None
        try:
            child = os.fork()
            if child == 0:
                become(self.shell, self.workdir, mark, command, (source, writer))
        finally:
            if source is not None:
                os.close(source)
        return child

    def watch(self, shell, pipe, output, deadline):
        # type: (int, int, Output, float) -> bool
        """Collect output until the shell ends: True, or until the deadline: False."""
        open_ = True
        while True:
            self.reap()
            if shell in self.children:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            ready = self.wait([pipe] if open_ else [], left)
            if pipe in ready:
                open_ = self.drain(pipe, output, PIPE)

    def wait(self, descriptors, seconds):
        # type: (list[int], float | None) -> list[int]
        """Those that can be read, once one can or a child ended. Old pipes are drained."""
        poll = select.poll()
        for descriptor in descriptors + self.drained + [self.woken]:
            poll.register(descriptor, select.POLLIN)
        # poll rounds down: a fraction of a millisecond would spin
        ready = [fd for fd, _ in poll.poll(None if seconds is None else int(seconds * 1000) + 1)]
        if self.woken in ready:
            os.read(self.woken, 4096)
        for pipe in [fd for fd in self.drained if fd in ready]:
            if not self.drain(pipe, None, PIPE):
                self.drained.remove(pipe)
                os.close(pipe)
        return ready

    def drain(self, pipe, output, limit):
        # type: (int, Output | None, int) -> bool
        """Read what is there, up to about `limit` bytes. False once nobody can write any more."""
        while limit > 0:
            try:
                data = os.read(pipe, PIPE)
            except BlockingIOError:
                return True
            if not data:
                return False
            limit -= len(data)
            if output is not None:
                output.add(data)
        return True

    def reap(self):
        # type: () -> None
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not child:
                return
            self.children[child] = status

    def more(self):
        # type: () -> bool
        """Read some of what the host sends. False once it hung up."""
        while 0 not in self.wait([0], None):
            self.reap()
        data = os.read(0, 1 << 20)
        self.requests += data
        return bool(data)

    def line(self):
        # type: () -> bytes
        while b"\n" not in self.requests:
            if not self.more():
                return b""
        return self.take(self.requests.index(b"\n") + 1)

    def take(self, length):
        # type: (int) -> bytes
        while len(self.requests) < length:
            if not self.more():
                sys.exit(0)
        taken = bytes(self.requests[:length])
        del self.requests[:length]
        return taken


def send(data):
    # type: (bytes) -> None
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def exit_code(status):
    # type: (int) -> int
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def feed(given):
    # type: (bytes) -> int
    """A descriptor from which `given` can be read, however long it is."""
    source, sink = os.pipe()
    if os.fork() == 0:
        try:
            os.close(source)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            while given:
                given = given[os.write(sink, given) :]
        finally:
            os._exit(0)
    os.close(sink)
    return source


def become(shell, workdir, mark, command, descriptors):
    # type: (str, str, bytes, bytes, tuple[int | None, int]) -> None
    """Turn this process into the command's shell."""
    try:
        source, writer = descriptors
        os.setsid()
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores both
            signal.signal(ignored, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        if source is not None:
            os.dup2(source, INPUT)
        try:
            os.chdir(workdir)
        except OSError as error:
            os.write(2, "swerun: running in /: {}\n".format(error).encode())
            os.chdir("/")
        expendable()
        environment = dict(os.environb)
        environment[VARIABLE[:-1]] = mark
        arguments = [os.path.basename(shell).encode(), b"-c", command]
        os.execve(shell, arguments, environment)
    except OSError as error:
        os.write(2, "swerun: {}: {}\n".format(shell, error).encode())
    finally:
        os._exit(127)


def expendable():
    # type: () -> None
    """Out of memory, the kernel is to kill a command and not the channel."""
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("500")
    except OSError:
        pass


def processes():
    # type: () -> dict[int, int]
    """The parent of every process that is not dead yet."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/" + name + "/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state not in (b"Z", b"X"):
                parents[int(name)] = int(parent)
    return parents


def mark_of(pid):
    # type: (int) -> bytes | None
    try:
        with open("/proc/{}/environ".format(pid), "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:  # it ended, or became another user
        return None
    found = [v for v in variables if v.startswith(VARIABLE)]
    return found[0][len(VARIABLE) :] if found else None


def belongs(pid, mark, parents, before):
    # type: (int, bytes, dict[int, int], dict[int, int] | None) -> bool
    """Whether a command with this mark started `pid`, going by the nearest mark upwards.

    What carries no mark (`env -i`) and has lost its parent belongs to the command during which it
    appeared. That can be said in a container only, where this process has no parent that it sees.
    """
    while pid in parents and pid not in (1, os.getpid()):
        found = mark_of(pid)
        if found is not None:
            return found.startswith(mark)
        if before is not None and pid in before:
            return False
        pid = parents[pid]
    if before is None:
        return False
    return pid == os.getpid() or (pid == 1 and os.getppid() == 0)


def signal_all(number):
    # type: (signal.Signals) -> None
    """To every process but the first and this one, at one moment: one that forks all the time does
    not get away, and what is stopped leaves this one time to look.

    Only in a container, where this process has no parent that it sees.
    """
    if os.getppid() == 0 and len(processes()) > 2:  # 2: these two, and to none is an error
        os.kill(-1, number)


def end(mark, before=None, shell=0):
    # type: (bytes, dict[int, int] | None, int) -> bool
    """Kill what belongs to a command, whose shell may not have its mark yet. False if something
    would not die."""
    deadline, clean = time.monotonic() + KILL_SECONDS, 0
    while clean < 2 and time.monotonic() < deadline:
        signal_all(signal.SIGSTOP)
        parents = processes()
        doomed = [p for p in parents if p not in (1, os.getpid())]
        doomed = [p for p in doomed if p == shell or belongs(p, mark, parents, before)]
        clean = 0 if doomed else clean + 1  # /proc is not read at one moment: once more
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped, it cannot fork meanwhile
            for pid in doomed:
                try:
                    os.kill(pid, number)
                except OSError:  # it is gone, or not ours to kill: the next look tells
                    continue
        time.sleep(0.001)
    signal_all(signal.SIGCONT)
    return clean == 2


if sys.argv[2]:  # Python itself sets it where it is not set
    os.environ["LC_CTYPE"] = sys.argv[2]
else:
    os.environ.pop("LC_CTYPE", None)
Server(sys.argv[1]).serve()
