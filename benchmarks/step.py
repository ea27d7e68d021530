"""What a step costs beside the model and the command: from a reply's end to the next request.

    python benchmarks/step.py [--attempts 32] [--steps 121] [--think 0.5 1.5] [--image IMAGE]

That many attempts at once, driven as `swerun run` does (threads, loop, journal on disk), against a
real HTTP server in a process of its own, which answers after a random time with the command `true`.
The server takes both times: when it has written a reply, and when it has read all of the
conversation's next request. Without IMAGE commands are answered at once by a stand-in; with it each
attempt has a container of its own. Prints the median and the 90th percentile at steps 5, 30 and
120, and beside them what the client library takes for a request of as many messages, with nobody
else there: as swerun gives them to it (JSON already), and as it takes them by its own way. Exit
code 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from plain_run import plain_run

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.agent.tools import TOOLS
from swerun.attempt import Bench
from swerun.engine.local import LocalEngine, Work
from swerun.engine.slots import local_slots
from swerun.models.chat import ChatModel, Spoken
from swerun.models.endpoints import Endpoint
from swerun.models.exchange import connected
from swerun.models.governor import Governors
from swerun.models.patient import PatientModel
from swerun.ports import (
    Changes,
    ExecResult,
    Graded,
    Image,
    Kept,
    Message,
    Planned,
    Sandbox,
    Sandboxes,
)
from swerun.records import (
    Answer,
    Grade,
    GradeReason,
    Instance,
    Limits,
    Reply,
    Resources,
    Role,
    Step,
    Stop,
    Task,
)
from swerun.runs.store import open_or_create
from swerun.solve import Ended, kept

LIMITS: Mapping[int, float] = {5: 10, 30: 20, 120: 60}  # milliseconds of the median, by step
WHO = re.compile(rb"attempt number (\d+)\.")
ROUNDS = 15  # of the client library alone
THOUGHT = "I look at what is there, and then decide where the fault may be. " * 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--attempts", type=int, default=32)
    parser.add_argument("--steps", type=int, default=max(LIMITS) + 1)
    parser.add_argument("--think", type=float, nargs=2, default=(0.5, 1.5), help="seconds")
    parser.add_argument(
        "--image", help="of each attempt's container, with a repository at /testbed"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(given.steps, given.think)
    with serving("--steps", given.steps, "--think", *given.think) as (url, times):
        drive(given.attempts, url, given.image)
        gaps = times()
    return report(gaps)


# the server: a process of its own, so that its work is not in ours


def serve(steps: int, think: tuple[float, float]) -> int:
    """Answer until the input is closed; then print the gaps, in seconds, by step."""
    written: dict[bytes, float] = {}
    count: dict[bytes, int] = {}
    gaps: dict[int, list[float]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            now = time.monotonic()
            found = WHO.search(body)
            who = found[1] if found else b""
            step = count[who] = count.get(who, -1) + 1
            if who in written:
                gaps.setdefault(step, []).append(now - written[who])
            if think[1]:
                time.sleep(random.uniform(*think))
            answer = json.dumps(completion(step, last=step >= steps)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            written[who] = time.monotonic()

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True

    Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    sys.stdin.read()
    print(json.dumps(gaps), flush=True)
    return 0


def completion(step: int, *, last: bool) -> dict[str, object]:
    name, arguments = ("submit", {}) if last else ("bash", {"command": "true"})
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": f"call_{step}", "type": "function", "function": function}
    message = {"role": "assistant", "content": THOUGHT, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
    return {"object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}


@contextmanager
def serving(*flags: object) -> Iterator[tuple[str, Callable[[], dict[int, list[float]]]]]:
    """A server's URL, and how to end it and get its times."""
    command = [sys.executable, __file__, "--serve", *map(str, flags)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            url = process.stdout.readline().decode().strip()

            def times() -> dict[int, list[float]]:
                said, _ = process.communicate(b"")
                return {int(step): seconds for step, seconds in json.loads(said).items()}

            yield url, times
        finally:
            process.kill()


# the run


@dataclass(frozen=True, slots=True)
class Idle:
    """A sandbox where every command is over at once."""

    def exec(self, command: str, *, timeout: float) -> ExecResult:  # noqa: ARG002
        return ExecResult(0, "")

    def write_file(self, path: str, data: bytes) -> None: ...

    def read_file(self, path: str) -> bytes:
        raise FileNotFoundError(path)

    def changes(self) -> Changes:
        return Changes(b"")

    def apply(self, changes: Changes) -> None: ...


@dataclass(frozen=True, slots=True)
class IdleSandboxes:
    @contextmanager
    def start(self, task: Task, *, role: Role, attempt: int) -> Iterator[Sandbox]:  # noqa: ARG002
        yield Idle()


class Images:
    def hold(self, instance: Instance) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def ensure(self, instance: Instance) -> Image:
        return Image(instance.task.image, instance.task.image)


class Grader:
    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:  # noqa: ARG002
        return Graded(Grade(resolved=False, reason=GradeReason.NO_PATCH))


@dataclass(frozen=True, slots=True)
class Driven:
    """The solver of `swerun run`, less the patch, which is no part of a step."""

    sandboxes: Sandboxes
    agent: BashAgent
    model: ChatModel
    governors: Governors
    cancel: Event

    def solve(self, planned: Planned, image_digest: str, keep: Callable[[Step], None]) -> Kept:
        task, model = (
            planned.instance.task,
            ChatModel(self.model.endpoint, self.model.client, TOOLS, spoken=Spoken()),
        )
        patient = PatientModel(model, self.governors.of(model.endpoint))
        with self.sandboxes.start(task, role=Role.AGENT, attempt=planned.number) as sandbox:
            for step in self.agent.solve(task, sandbox, patient, self.cancel):
                keep(step)
        return kept(planned, b"", Ended(Stop.SUBMITTED), image_digest=image_digest)


def drive(attempts: int, url: str, image: str | None) -> None:
    cancel, limits = Event(), Limits(steps=100_000)
    endpoint = Endpoint("m", url)
    with ExitStack() as open_:
        folder = Path(open_.enter_context(TemporaryDirectory()))
        client = connected(endpoint)
        open_.callback(client.close)
        solver = Driven(
            open_.enter_context(containers(image)) if image else IdleSandboxes(),
            BashAgent(load_prompts("tools", None, limits), limits),
            ChatModel(endpoint, client, TOOLS),
            Governors(attempts, 1800.0),
            cancel,
        )
        slots = local_slots(images=attempts, agents=attempts, grading=attempts, cancel=cancel)
        store = open_or_create(
            folder, plain_run("step", "m", [f"step-{number}" for number in range(attempts)])
        )
        bench = Bench(Images(), solver, Grader(), slots, cancel)
        work = Work(store, bench, tuple(an_instance(n, image) for n in range(attempts)), 1, 0)
        LocalEngine([work], attempts, lambda _: None, cancel).run()
        for attempt in store.attempts():
            if attempt.failure:
                raise SystemExit(f"{attempt.instance_id}: {attempt.failure.message}")


def an_instance(number: int, image: str | None) -> Instance:
    problem = (
        f"This is attempt number {number}. " + "Something is broken, and has to be mended. " * 20
    )
    task = Task(
        id=f"step-{number}",
        repo="org/repo",
        base_commit="0" * 40,
        problem_statement=problem,
        image=image or "none",
        workdir="/testbed",
    )
    answer = Answer(
        gold_patch="", test_patch="", eval_script="", log_parser="none", fail_to_pass=("a",)
    )
    return Instance(task=task, answer=answer)


@contextmanager
def containers(image: str) -> Iterator[Sandboxes]:
    """One small container each; all of them are gone afterwards."""
    import os

    from swerun.sandbox.client import connect
    from swerun.sandbox.docker import DockerSandboxes, Profile, reap

    client = connect(os.environ)
    run = f"benchmark-step-{os.getpid()}"
    profile = Profile(resources=Resources(memory="256m", cpus=1.0), network="none")
    profiles = {Role.AGENT: profile, Role.GRADING: profile}
    try:
        client.images.get(image)
        yield DockerSandboxes(client=client, run=run, owner=run, profiles=profiles)
    finally:
        reap(client, run)
        client.close()


# the client library alone


def alone() -> dict[int, tuple[float, float]]:
    """By step the milliseconds of a request and its answer, of one thread and a server that does
    not wait: as swerun sends it, and by the library's own `chat.completions.create`."""
    shares = {}
    with serving("--think", 0, 0) as (url, _):
        endpoint = Endpoint("m", url)
        client = connected(endpoint)
        reply = ChatModel(endpoint, client, TOOLS).reply
        said = reply([Message("user", "Begin.")], deadline=None, cancel=Event())
        for step in LIMITS:
            talk = [Message("system", "You fix issues."), Message("user", "It is broken. " * 50)]
            for _ in range(step):
                seen = Message(
                    "tool", "[exit code 0, and it printed nothing]", call_id=said.calls[0].id
                )
                talk += [Message("assistant", said.text, reply=said), seen]
            model = ChatModel(endpoint, client, TOOLS)
            model.reply(talk, deadline=None, cancel=Event())  # what was said is JSON from here on
            body = json.loads(model.body(talk, model.settings()))
            ours = timed(lambda m=model, t=talk: m.reply(t, deadline=None, cancel=Event()))
            theirs = timed(lambda b=body: client.chat.completions.create(**b))
            shares[step] = ours, theirs
        client.close()
    return shares


def turn(said: Reply) -> list[Message]:
    seen = "[exit code 0, and it printed nothing]"
    return [
        Message("assistant", said.text, reply=said),
        Message("tool", seen, call_id=said.calls[0].id),
    ]


def timed(call: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def report(gaps: Mapping[int, list[float]]) -> int:
    shares = alone()
    print("milliseconds from a reply to the next request; of one request alone, by the client")
    head = ("step", "messages", "median", "p90", "limit", "as we send", "its own way")
    print("".join(f"{title:>13}" for title in head))
    missed = False
    for step, limit in LIMITS.items():
        took = sorted(1000 * gap for gap in gaps.get(step, ()))
        if not took:
            continue
        median, p90 = statistics.median(took), took[int(len(took) * 0.9)]
        missed |= median > limit
        ours, theirs = shares[step]
        print(f"{step:>13}{2 * step + 2:>13}{median:>13.1f}{p90:>13.1f}{limit:>13.0f}"
              f"{ours:>13.1f}{theirs:>13.1f}")  # fmt: skip
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
