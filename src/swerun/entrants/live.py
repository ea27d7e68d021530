"""Entrants whose endpoint is elsewhere: a preset, a URL, or an entry of the models file."""

from __future__ import annotations

from dataclasses import replace

from swerun.config import RunConfig, entry_of, of_model
from swerun.entrants.conversing import asked_of, solver_of
from swerun.entrants.entrant import Entrant, Setting, Undecided, is_live
from swerun.errors import InputError
from swerun.models.chat import ChatModel
from swerun.models.decide import decided
from swerun.models.endpoints import Endpoint, refuse_unsendable, resolve
from swerun.models.probe import probe
from swerun.models_file import ModelEntry
from swerun.prices import listed, priced
from swerun.records import Price
from swerun.scaffolding import carrying, is_command, scaffolded

AUTO = "found by --protocol auto"


def asked_model(name: str, setting: Setting) -> ChatModel:
    """What answers for a live model, for whoever asks it outside of a run. Raises InputError."""
    if not is_live(name):
        raise InputError(f"{name} has no endpoint of its own: there is nothing to be found out")
    setting = replace(setting, config=of_model(setting.config, name))
    return asked_of(_endpoint(entry_of(name, setting.config), setting), "bash", setting)


def live(name: str, setting: Setting) -> Entrant:
    """Raises InputError for a name that leads nowhere."""
    config, entry = of_model(setting.config, name), entry_of(name, setting.config)
    setting = replace(setting, config=config)
    asked = asked_of(_endpoint(entry, setting), config.tools, setting)
    protocol = config.protocol or "tools"
    if protocol != "auto" or is_command(config):
        return _speaking(protocol, entry, asked, setting)

    def by(protocol: str) -> Entrant:
        who = _speaking(protocol, entry, asked, setting)
        return replace(who, note=f"protocol {protocol}, {AUTO}")

    undecided = Undecided(lambda: decided(asked, setting.cancel), by, carrying(config.tools))
    return replace(_speaking("tools", entry, asked, setting), undecided=undecided)


def _endpoint(entry: ModelEntry, setting: Setting) -> Endpoint:
    """Raises InputError for one that leads nowhere, or for what it would refuse."""
    config = setting.config
    try:
        found = resolve(
            entry.asked_for,
            base_url=config.base_url,
            api_key_env=config.api_key_env,
            environment=setting.environment,
        )
    except InputError as error:
        if not config.models or entry in config.models:
            raise
        there = ", ".join(each.name for each in config.models)
        raise InputError(f"{error} The models file has {there}.") from error
    endpoint = replace(
        found,
        api=config.api,
        stream=config.stream,
        sampling=config.sampling,
        request_timeout=config.request_timeout,
        stall_timeout=config.stall_timeout,
        rpm=config.rpm,
        tpm=config.tpm,
    )
    refuse_unsendable(endpoint)
    return endpoint


def _speaking(protocol: str, entry: ModelEntry, asked: ChatModel, setting: Setting) -> Entrant:
    """A live model that is asked by `protocol`."""
    config, endpoint = setting.config, replace(asked.endpoint, protocol=protocol)
    model, governor = replace(asked, endpoint=endpoint), setting.governors.of(endpoint)
    source = "the models file" if entry.prices else "flags or a configuration"
    price = priced(config.prices, source)
    if price is None and not endpoint.is_local:
        price = listed(endpoint.model, endpoint.base_url)
    _refuse_unknown_cost(config, price, f"{entry.name} at {endpoint.address}")
    made = scaffolded(config, endpoint, config.limits, price, governor.clock)
    check = (lambda: made.warning) if is_command(config) else lambda: probe(model, setting.cancel)
    return Entrant(
        name=entry.name,
        asked_for=entry.model or "",
        limits=config.limits,
        sampling=endpoint.sampling,
        scaffold=made.scaffold,
        solver=solver_of(made, model, setting),
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
