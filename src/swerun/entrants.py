"""Who is measured: a live endpoint, a recorded one, or a patch that is given without any agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event

from swerun.agent.tools import TOOLSETS
from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.models.chat import ChatModel, Spoken
from swerun.models.decide import decided
from swerun.models.endpoints import Endpoint, refuse_unsendable, resolve
from swerun.models.exchange import connected
from swerun.models.governor import Governor, Governors
from swerun.models.patient import REPLY, PatientModel
from swerun.models.probe import probe
from swerun.models.recorded import INSTANCE_HEADER, serving
from swerun.models.recording import RecordingInfo, recordings, shipped
from swerun.models_file import ModelEntry
from swerun.ports import Model, Sandboxes, Solver
from swerun.predictions import Predictions
from swerun.prices import FREE, listed, priced
from swerun.records import Instance, Limits, Price, Sampling, Scaffold, Task
from swerun.scaffolding import Scaffolded, carrying, is_command, scaffolded
from swerun.solve import AgentSolver, GivenPatch

GIVEN: Mapping[str, Callable[[Instance], bytes]] = {
    "gold": lambda instance: instance.answer.gold_patch.encode(),
    "empty": lambda instance: b"",  # noqa: ARG005
}
DEMO = "demo/"
AUTO = "found by --protocol auto"
GRADING = "eval_seconds"  # the one limit that is not the agent's, and so is no recording's matter


@dataclass(frozen=True, slots=True)
class Undecided:
    """The protocol of an entrant is not known yet: `ask` asks its endpoint, and may raise
    EndpointError; `by` makes the entrant that speaks it, and `protocols` are those it may be."""

    ask: Callable[[], str]
    by: Callable[[str], Entrant]
    protocols: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model of a run, ready to solve. `note` is what has to be said wherever it is shown.

    `check` finds out whether its endpoint would do its work, by a small request or two: it gives
    what there is to be said, or raises EndpointError; it is for before any container starts, and
    after `base_url` was shown. One that is `undecided` is no more than a name and an address.
    """

    name: str
    limits: Limits
    sampling: Sampling
    scaffold: Scaffold | None  # None where no agent runs
    solver: Callable[[Sandboxes], Solver]
    asked_for: str = ""  # what its endpoint calls it, where a models file has another name
    base_url: str = ""
    price: Price | None = None  # of its tokens, as far as anybody knows
    note: str = ""
    predictions: str = ""  # a hash of the given patches, as Question has it
    missing: tuple[str, ...] = ()  # ids that were chosen, and for which no patch is given
    check: Callable[[], str] = lambda: ""
    undecided: Undecided | None = None
    governor: Governor | None = None  # of its endpoint, which other entrants may be at too

    def is_over(self) -> bool:
        """Whether no attempt of it can be made any more."""
        return self.governor is not None and bool(self.governor.shut)

    @property
    def introduction(self) -> str:
        """Who it is, where, and what has to be said of it."""
        at = f" at {self.base_url}" if self.base_url else ""
        return self.name + at + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the entrants of a session are made with. `open_` closes what they need open."""

    config: RunConfig
    environment: Mapping[str, str]
    open_: ExitStack
    governors: Governors
    cancel: Event


def entrant(name: str, setting: Setting) -> Entrant:
    """The entrant called `name`.

    Asks nothing of any endpoint: that is the entrant's `check`. Raises InputError for a name that
    leads nowhere, and for what is given to a recording that has its own.
    """
    if name in GIVEN:
        return Entrant(
            name=name,
            limits=setting.config.limits,
            sampling=Sampling(),
            scaffold=None,
            solver=lambda _: GivenPatch(GIVEN[name]),
            price=FREE,
            note="no agent: the reference patch" if name == "gold" else "no agent: no patch",
        )
    if name.startswith(DEMO):
        return _recorded(name, setting)
    return _live(name, setting)


def predicted(predictions: Predictions, config: RunConfig) -> Entrant:
    """The entrant whose patches are read from a file."""
    return Entrant(
        name=predictions.model,
        limits=config.limits,
        sampling=Sampling(),
        scaffold=None,
        solver=lambda _: GivenPatch(predictions.patch_of),
        price=FREE,
        note=f"no agent: the predictions of {predictions.source}",
        predictions=predictions.digest,
    )


def _recorded(name: str, setting: Setting) -> Entrant:
    """Prompt, protocol, sampling and the agent's limits are those the recording was made with."""
    there, wanted, config = recordings(), name.removeprefix(DEMO), setting.config
    if wanted not in there:
        known = ", ".join(DEMO + each for each in there)
        raise InputError(f"there is no recording {name}; there are {known}")
    info = there[wanted]
    kept = _not_as_given(info, config)
    if kept and not any(_is_live(other) for other in config.model):
        raise InputError(f"{name}: the recording sets {', '.join(kept)}; leave out what you give")
    limits = info.limits.model_copy(update={GRADING: getattr(config.limits, GRADING)})
    url = setting.open_.enter_context(serving(shipped() / wanted, wanted))
    endpoint = Endpoint(
        wanted,
        url,
        protocol=info.protocol,
        sampling=info.sampling,
        request_timeout=config.request_timeout,
        is_recorded=True,
    )
    clock = setting.governors.of(endpoint).clock
    # nothing of what the user says of an agent: the recording has its own
    made = scaffolded(RunConfig(model=(name,)), endpoint, limits, FREE, clock)
    note = provenance(info, made.scaffold.prompt_hash)
    return Entrant(
        name=name,
        limits=limits,
        sampling=info.sampling,
        scaffold=made.scaffold,
        solver=_solver(made, _asked(endpoint, "bash", setting), setting),
        base_url=url,
        price=FREE,
        note=f"{note}; {', '.join(kept)} as recorded" if kept else note,
    )


def _is_live(name: str) -> bool:
    return name not in GIVEN and not name.startswith(DEMO)


def _not_as_given(info: RecordingInfo, config: RunConfig) -> list[str]:
    """The keys that the user has set, as far as that shows, and that a recording has otherwise.

    What a live model beside it is given is not meant for the recording.
    """
    records = {
        "limits": (config.limits, Limits(), info.limits),
        "sampling": (config.sampling, Sampling(), info.sampling),
    }
    kept = [
        f"{name}.{key}"
        for name, (given, usual, recorded) in records.items()
        for key in type(given).model_fields
        if getattr(given, key) not in (getattr(usual, key), getattr(recorded, key))
    ]
    own = ("prompt", "agent", "tools", "no_tell_limits")
    usual = RunConfig(model=config.model)
    kept += [key for key in own if getattr(config, key) != getattr(usual, key)]
    kept += ["protocol"] if config.protocol not in {None, "auto", info.protocol} else []
    return [key for key in kept if key != f"limits.{GRADING}"]


def provenance(info: RecordingInfo, prompt_hash: str) -> str:
    """What has to be said of a recording: whose it is, and that it is one."""
    if info.recorded_from == "handwritten":
        return "handwritten script, no model's score"
    said = f"recorded from {info.recorded_from} {info.quantisation} on {info.date}"
    return said if info.prompt_hash == prompt_hash else f"{said}, with another prompt"


def asked_model(name: str, setting: Setting) -> ChatModel:
    """What answers for a live model, for whoever asks it outside of a run. Raises InputError."""
    if not _is_live(name):
        raise InputError(f"{name} has no endpoint of its own: there is nothing to be found out")
    return _asked(_endpoint(entry_of(name, setting.config), setting), "bash", setting)


def _live(name: str, setting: Setting) -> Entrant:
    config, entry = setting.config, entry_of(name, setting.config)
    asked = _asked(_endpoint(entry, setting), config.tools, setting)
    protocol = entry.protocol or config.protocol or "tools"
    if protocol != "auto" or is_command(config):
        return _speaking(protocol, entry, asked, setting)

    def by(protocol: str) -> Entrant:
        who = _speaking(protocol, entry, asked, setting)
        return replace(who, note=f"protocol {protocol}, {AUTO}")

    undecided = Undecided(lambda: decided(asked, setting.cancel), by, carrying(config.tools))
    return replace(_speaking("tools", entry, asked, setting), undecided=undecided)


def entry_of(name: str, config: RunConfig) -> ModelEntry:
    """What the models file says of `name`; without one, nothing but the name."""
    there = {entry.name: entry for entry in config.models}
    return there.get(name, ModelEntry(name=name))


def _endpoint(entry: ModelEntry, setting: Setting) -> Endpoint:
    """Raises InputError for one that leads nowhere, or for what it would refuse."""
    config = setting.config
    try:
        found = resolve(
            entry.asked_for,
            base_url=entry.base_url or config.base_url,
            api_key_env=entry.key or config.api_key_env,
            environment=setting.environment,
        )
    except InputError as error:
        if not config.models or entry in config.models:
            raise
        there = ", ".join(each.name for each in config.models)
        raise InputError(f"{error} The models file has {there}.") from error
    endpoint = replace(
        found,
        api=entry.api or config.api,
        stream=config.stream if entry.stream is None else entry.stream,
        sampling=entry.sampled(config.sampling),
        request_timeout=config.request_timeout,
        stall_timeout=config.stall_timeout,
        rpm=entry.limits.rpm,
        tpm=entry.limits.tpm,
    )
    refuse_unsendable(endpoint)
    return endpoint


def _speaking(protocol: str, entry: ModelEntry, asked: ChatModel, setting: Setting) -> Entrant:
    """A live model that is asked by `protocol`."""
    config, endpoint = setting.config, replace(asked.endpoint, protocol=protocol)
    model, governor = replace(asked, endpoint=endpoint), setting.governors.of(endpoint)
    context = config.limits.context or entry.context
    limits = config.limits.model_copy(update={"context": context})
    price = priced(entry.prices, "the models file") or priced(config.prices, "flags")
    if price is None and not endpoint.is_local:
        price = listed(endpoint.model, endpoint.base_url)
    _refuse_unknown_cost(config, price, f"{entry.name} at {endpoint.address}")
    made = scaffolded(config, endpoint, limits, price, governor.clock)
    check = (lambda: made.warning) if is_command(config) else lambda: probe(model, setting.cancel)
    return Entrant(
        name=entry.name,
        asked_for=entry.model or "",
        limits=limits,
        sampling=endpoint.sampling,
        scaffold=made.scaffold,
        solver=_solver(made, model, setting),
        base_url=f"{endpoint.address} as {endpoint.model}",
        price=price,
        check=check,
        governor=governor,
    )


def _refuse_unknown_cost(config: RunConfig, price: Price | None, who: str) -> None:
    """Raises InputError where there is a limit in dollars, and nobody knows how many they are."""
    flag = "--cost" if config.limits.cost else "--budget"
    if not (config.limits.cost or config.budget):
        return
    if is_command(config):
        raise InputError(f"{flag}: only its endpoint knows what an agent that is a command uses")
    if price is None:
        raise InputError(f"{flag}: nobody knows what {who} costs; say it with --price-input and "
                         "--price-output, or in a models file")  # fmt: skip


def _asked(endpoint: Endpoint, tools: str, setting: Setting) -> ChatModel:
    client = connected(endpoint)
    setting.open_.callback(client.close)
    return ChatModel(endpoint, client, TOOLSETS[tools])


def _solver(made: Scaffolded, asked: ChatModel, setting: Setting) -> Callable[[Sandboxes], Solver]:
    """A model for each conversation. Only a recorded endpoint is told which instance it is asked
    about: it has to look it up."""
    governor = setting.governors.of(asked.endpoint)
    limit = asked.endpoint.sampling.max_tokens

    def model_of(task: Task) -> Model:
        governor.refuse_if_shut()
        headers = ((INSTANCE_HEADER, task.id),) if asked.endpoint.is_recorded else ()
        model = replace(asked, headers=headers, spoken=Spoken())
        return PatientModel(model, governor, longest_reply=limit or REPLY)

    return lambda sandboxes: AgentSolver(sandboxes, made.agent, model_of, setting.cancel)
