"""One round of a soak: a run that is killed again and again, and gone on with until it is done."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import TYPE_CHECKING

from docker.errors import APIError

from swerun.cli.exits import STOPPED
from swerun.runs.store import RunStore, list_runs
from swerun.sandbox.containers import Leftover, leftovers
from tests.cli.soak_checks import Facts, Kept, facts, faults_of, kept_in, lost, numbers_of
from tests.cli.soak_endpoint import Known
from tests.cli.swerun_process import Swerun

if TYPE_CHECKING:
    from docker import DockerClient

Expected = Mapping[tuple[str, str], Facts]  # by model and instance
CONTAINER = "docker kill"
ENDS = 60.0  # seconds after a signal: a user is promised 5, on a machine that is not so busy
KINDS = {"SIGKILL": 6, "SIGTERM": 2, "SIGINT": 2, CONTAINER: 2}  # how often, of twelve
MODELS = ("handwritten", "qwen2.5-coder-1.5b")
MODELS_FILE = """
- {{name: handwritten, base_url: "{url}"}}
- {{name: qwen2.5-coder-1.5b, base_url: "{url}", protocol: text}}
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one round runs."""

    models: Sequence[str] = MODELS
    samples: int = 1
    jobs: int = 4
    ids: Sequence[str] = ()  # all, where there are none

    @property
    def name(self) -> str:
        return f"{len(self.models)} model{'s' * (len(self.models) > 1)} x {self.samples}"

    def command(self, models_file: Path) -> list[str]:
        words = ["--models", str(models_file), "--run", "soak", "--steps", "12", "--json"]
        words += ["-j", str(self.jobs), "--attempts", str(self.samples)]
        words += [word for model in self.models for word in ("--model", model)]
        return words + [word for i in self.ids for word in ("-i", i)]


@dataclass
class Round:
    """One run, or two side by side, from the first kill to the end; `faults` is what is wrong."""

    shape: Shape
    swerun: Swerun
    engine: DockerClient
    known: Known
    chance: random.Random
    say: Callable[[str], None]
    killed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    kept: Kept = field(default_factory=dict)  # what was on disk when it was last looked at
    touched: set[tuple[str, str, int]] = field(default_factory=set)  # model, instance, attempt
    lost: int = 0  # replies that were asked for, and are in no step
    _seen: int = 0  # the newest reply that was asked for when this session began
    _spared: int = 0  # replies that this session may lose beside those in flight at its end

    def play(self, kills: int) -> list[dict]:
        """At most so many kills, and then its end: the reports."""
        self._seen = self.known.numbers
        models_file = self.swerun.folder / "models.yaml"
        models_file.write_text(MODELS_FILE.format(url=self.known.url))
        command = self.shape.command(models_file)
        process = self._start(command)
        while self.killed.total() < kills and self._moment(process):
            process = self._kill(process, command)
        out, err = process.communicate(timeout=900)
        if process.returncode != 0:
            self.faults.append(f"it ended with {process.returncode}: {err[-2000:]}")
            return []
        self._look()
        self._session_over(in_flight=0)
        self._no_containers()
        self._again(command)
        reports = json.loads(out)
        for store, report in zip(self._stores(), sorted(reports, key=_run), strict=True):
            self.faults += faults_of(store)
            tokens = sum(self.known.tokens[number] for number in numbers_of(store))
            told = report["usage_all"]["input_tokens"] + report["usage_all"]["output_tokens"]
            if tokens != told:
                self.faults.append(f"{store.name}: {told} tokens are told of {tokens}")
        return reports

    def _again(self, command: Sequence[str]) -> None:
        """Once more: there is nothing left to do."""
        there, asked = self.kept, self.known.numbers
        self.swerun(*command)
        self._look()
        if self.kept != there or self.known.numbers != asked:
            self.faults.append("what was done was done again")

    def compare(self, reports: Sequence[Mapping], expected: Expected) -> int:
        """How many rows were compared with those of an undisturbed run: not one whose own agent's
        container was killed, which may have been at its last step."""
        compared = 0
        for model, row in ((report["model"], row) for report in reports for row in report["rows"]):
            key = model, row["instance_id"]
            if (*key, row["attempt"]) in self.touched:
                continue
            compared += 1
            if facts(row) != expected[key]:
                self.faults.append(f"{key}: {facts(row)}, undisturbed {expected[key]}")
        return compared

    def _moment(self, process: Popen[str]) -> bool:
        """Wait for a random one, by what was asked for and by the clock. False: it has ended."""
        asked = self.known.numbers + self.chance.choice([0, 1, 2, 4, 7, 11, 16])
        while self.known.numbers < asked and process.poll() is None:
            time.sleep(0.01)
        with suppress(TimeoutExpired):
            process.wait(self.chance.uniform(0, 3))
        return process.poll() is None

    def _kill(self, process: Popen[str], command: Sequence[str]) -> Popen[str]:
        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        self._look()
        if kind == CONTAINER and not self._kill_container():
            kind = "SIGKILL"
        self.killed[kind] += 1
        done = sum(path.endswith("attempt.json") for path in self.kept)
        self.say(
            f"{self.shape.name}  {kind:11}  {self.known.numbers:5} replies, "
            f"{len(self.kept):4} files kept, {done:3} attempts done"
        )
        if kind == CONTAINER:
            return process
        process.send_signal(signal.Signals[kind])
        err = self._end_of(process)
        before = self.kept
        self._look()
        self._session_over(in_flight=self.shape.jobs)
        if process.returncode == STOPPED:
            self._no_containers()
        elif kind != "SIGKILL" and process.returncode != 0 and self.kept != before:
            # it was at work; one that still begins, or only prints its report, ends at once
            self.faults.append(f"{kind}: it ended with {process.returncode}: {err[-2000:]}")
        return self._start(command)

    def _end_of(self, process: Popen[str]) -> str:
        """What it said on standard error; where it does not end, where its threads are."""
        try:
            return process.communicate(timeout=ENDS)[1]
        except TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            _, err = process.communicate()
            self.faults.append(f"it did not end in {ENDS:.0f} seconds: {err}")
            return err

    def _start(self, command: Sequence[str]) -> Popen[str]:
        return self.swerun.start(*command, PYTHONFAULTHANDLER="1")

    def _kill_container(self) -> bool:
        """Whether there was one."""
        there = {one.id: store for store in self._stores() for one in self._containers(store)}
        if not there:
            return False
        chosen = self.chance.choice(sorted(there))
        try:
            labels = self.engine.containers.get(chosen).labels
            self.engine.api.kill(chosen)
        except APIError:  # it was on its way out
            return False
        if labels["swerun.role"] == "agent":
            model = there[chosen].record().model
            self.touched.add((model, labels["swerun.instance"], int(labels["swerun.attempt"])))
            self._spared += 1
        return True

    def _look(self) -> None:
        """Nothing that was kept is gone, or another."""
        now = kept_in(self.swerun.folder / "runs")
        self.faults += lost(self.kept, now)
        self.kept = now

    def _session_over(self, in_flight: int) -> None:
        """All its replies are in steps, each once, but for those that were `in_flight` at most."""
        recorded = sum(map(numbers_of, self._stores()), Counter())
        asked = range(self._seen + 1, self.known.numbers + 1)
        missing = [number for number in asked if number not in recorded]
        if len(missing) > in_flight + self._spared:
            self.faults.append(f"the replies {missing} of one session are in no step")
        self.faults += [
            f"reply {n} is in {times} steps" for n, times in recorded.items() if times > 1
        ]
        self.lost += len(missing)
        self._seen, self._spared = asked.stop - 1, 0

    def _no_containers(self) -> None:
        left = [one.name for store in self._stores() for one in self._containers(store)]
        if left:
            self.faults.append(f"containers are left: {left}")

    def _containers(self, store: RunStore) -> Sequence[Leftover]:
        return leftovers(self.engine, run=store.label())

    def _stores(self) -> list[RunStore]:
        return list_runs(self.swerun.folder / "runs")


def _run(report: Mapping[str, str]) -> str:
    return report["run"]
