"""Entrants whose endpoint is a recording, served over real HTTP in this process."""

from __future__ import annotations

from swerun.config import RunConfig
from swerun.entrants.conversing import asked_of, solver_of
from swerun.entrants.entrant import DEMO, Entrant, Setting, is_live
from swerun.errors import InputError
from swerun.models.endpoints import Endpoint
from swerun.models.recorded import serving
from swerun.models.recording import RecordingInfo, recordings, shipped
from swerun.prices import FREE
from swerun.records import Limits, Sampling
from swerun.scaffolding import scaffolded

GRADING = "eval_seconds"  # the one limit that is not the agent's, and so is no recording's matter


def recorded(name: str, setting: Setting) -> Entrant:
    """Prompt, protocol, sampling and the agent's limits are those the recording was made with."""
    there, wanted, config = recordings(), name.removeprefix(DEMO), setting.config
    if wanted not in there:
        known = ", ".join(DEMO + each for each in there)
        raise InputError(f"there is no recording {name}; there are {known}")
    info = there[wanted]
    kept = _not_as_given(info, config)
    if kept and not any(is_live(other) for other in config.model):
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
        solver=solver_of(made, asked_of(endpoint, "bash", setting), setting),
        base_url=url,
        price=FREE,
        note=f"{note}; {', '.join(kept)} as recorded" if kept else note,
    )


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
        for name, (given, usual, was) in records.items()
        for key in type(given).model_fields
        if getattr(given, key) not in (getattr(usual, key), getattr(was, key))
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
