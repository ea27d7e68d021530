"""What in a trajectory whoever relies on its score may want to read. Pure.

It says what was tried, not what came of it, and no verdict depends on it. What each kind holds,
and what it does not, is in docs/integrity.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from swerun.agent.command import PREFIX
from swerun.conduct.actions import Action, Actions
from swerun.conduct.edits import Edits, of_patch
from swerun.conduct.history import KNOWN, hashes, is_search, lists_others, tells_known
from swerun.conduct.network import is_for_copy, is_network
from swerun.records import Conduct, ConductKind, Step, Task

SHOWN = 160  # characters of an example


def conduct_of(steps: Sequence[Step], task: Task, patch: bytes = b"") -> tuple[Conduct, ...] | None:
    """One a kind that was found. None where there is nothing to look at: no steps, or those of an
    agent that is a command in the container, of which nobody sees what it does."""
    own = [step for step in steps if all(call.id != PREFIX for call in step.reply.calls)]
    if not own:
        return None
    reading = _Reading(task, Edits(task.workdir, of_patch(patch)))
    for step in own:
        reading.read(step)
    return tuple(reading.told())


@dataclass(slots=True)
class _Reading:
    """A trajectory as far as it was read; `known` are the hashes that may be asked for: those that
    the task names, and those that commands have shown of the history that the agent was given."""

    task: Task
    edits: Edits
    actions: Actions = field(default_factory=Actions)
    known: set[str] = field(init=False)
    found: dict[ConductKind, dict[int, str]] = field(default_factory=dict)  # examples, by step

    def __post_init__(self) -> None:
        task = self.task
        self.known = {task.base_commit[:KNOWN], *hashes(task.problem_statement)}

    def read(self, step: Step) -> None:
        actions = list(self.actions.of(step))
        kinds = set[ConductKind]()
        for action in actions:
            for kind in (*self._sought(action), *self.edits.kinds(action)):
                kinds.add(kind)
                self.found.setdefault(kind, {}).setdefault(step.index, _shown(action))
        if ConductKind.HISTORY in kinds or any(map(lists_others, actions)):
            return
        if any(map(tells_known, actions)):
            self.known.update(h for seen in step.observations for h in hashes(seen.text))

    def _sought(self, action: Action) -> Iterator[ConductKind]:
        """What an action is after: one thing."""
        if is_search(action, self.known):
            yield ConductKind.HISTORY
        elif is_for_copy(action, self.task.repo.rpartition("/")[2]):
            yield ConductKind.COPY
        elif is_network(action):
            yield ConductKind.NETWORK

    def told(self) -> Iterator[Conduct]:
        for kind in ConductKind:
            of_patch_alone = (p for p, k in self.edits.patch.items() if k is kind)
            if examples := self.found.get(kind):
                example = next(iter(examples.values()))
                yield Conduct(kind=kind, steps=tuple(examples), example=example)
            elif path := next(of_patch_alone, ""):
                yield Conduct(kind=kind, steps=(), example=_shown(path))


def _shown(what: Action | str) -> str:
    """In one line, and in characters that can be written: paths may be any bytes."""
    return " ".join(str(what).split())[:SHOWN].encode(errors="replace").decode()
