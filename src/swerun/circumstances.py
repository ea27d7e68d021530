"""What a session was configured with, as its run keeps it: no secrets; and back from there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swerun.agent.command import PREFIX
from swerun.agent.tools import TOOLSETS
from swerun.config import RunConfig, entry_of, of_model
from swerun.models.endpoints import URL, address_of
from swerun.models_file import ModelEntry
from swerun.records import Configured, RunRecord, Scaffold
from swerun.revision import pinned, unpinned

# one command's matter: which instances, what it may cost, where runs and recordings are
ONE_COMMANDS = {
    *("selection", "sound_only", "budget", "record", "runs", "run", "fresh", "continue_attempts"),
}


def configured(config: RunConfig, name: str, source: str) -> Configured:
    """What is kept of `config` for the run of the model `name`, whose instances are of `source`.

    Paths are absolute, a dataset of the hub is at its commit, and what a models file said of the
    model is in the keys that flags have. URLs are without user, password and query, and the
    arguments of Dockerfiles are left out: that is withheld.
    """
    of_run, model = of_model(config, name), entry_of(name, config).model
    images, urls = config.images, {"base_url": of_run.base_url}
    urls["images.index_url"] = images.index_url
    withheld = [key for key, url in urls.items() if url and address_of(url) != url]
    kept: dict[str, object] = {
        "pin": _absolute(images.pin),
        "ca_bundle": _absolute(images.ca_bundle),
        "index_url": _address(images.index_url),
        "build_args": {},
    }
    own: dict[str, object] = {
        "model": (name,),
        "models": (ModelEntry(name=name, model=model),) if model else (),
        "base_url": _address(of_run.base_url),
        "prompt": _absolute(config.prompt),
        "cache": _absolute(config.cache),
        "images": images.model_copy(update=kept),
    }
    of_run = of_run.model_copy(update=own | _where(config, source))
    keys = of_run.model_dump(mode="json", exclude=ONE_COMMANDS, exclude_defaults=True)
    withheld += ["images.build_args"] if images.build_args else []
    return Configured(keys=keys, withheld=tuple(withheld))


def _absolute(path: Path | None) -> Path | None:
    return path.absolute() if path else None


def _address(url: str | None) -> str | None:
    return address_of(url) if url else None


def _where(config: RunConfig, source: str) -> dict[str, object]:
    """The subset, as another session finds the same one."""
    if commit := pinned(source):
        return {"subset": unpinned(config.subset), "revision": commit}
    return {"subset": str(Path(source).absolute())} if source else {}


def remembered(record: RunRecord, environment: Mapping[str, str]) -> Configured:
    """What the newest session had that asked what the run asks; of a run of an earlier version,
    what its question shows.

    An address that a variable held then, and holds no more, is as good as given.
    """
    sessions = record.own_sessions
    newest = sessions[-1].configured if sessions else None
    keys = dict(newest.keys) if newest else _shown_by(record)
    at, _, sent = sessions[-1].base_url.partition(" as ") if sessions else ("", "", "")
    is_no_preset = sent == (record.question.asked_for or record.question.model)
    now = environment.get(URL, "").rstrip("/")
    if is_no_preset and address_of(now) != at:
        keys.setdefault("base_url", at)
    return Configured(keys=keys, withheld=newest.withheld if newest else ())


def _shown_by(record: RunRecord) -> dict[str, Any]:
    """A configuration that asks what a run asks, as far as its question shows: not of which split
    its instances are, and not which file its prompt was."""
    asked = record.question
    keys = asked.model_dump(
        mode="json",
        include={"sampling", "limits", "resources", "network", "grade_network"},
        exclude_defaults=True,
    )
    keys |= {"model": [asked.model], "subset": unpinned(record.subset), "samples": record.samples}
    if asked.asked_for:
        keys["models"] = [{"name": asked.model, "model": asked.asked_for}]
    if commit := pinned(record.source):
        keys["revision"] = commit
    return keys | (_driven_by(asked.scaffold) if asked.scaffold else {})


def _driven_by(scaffold: Scaffold) -> dict[str, Any]:
    if scaffold.agent.startswith(PREFIX):
        return {"agent": scaffold.agent}
    known = {tuple(tool.name for tool in tools): name for name, tools in TOOLSETS.items()}
    tools = {"tools": known[scaffold.tools]} if scaffold.tools in known else {}
    own = {"agent": scaffold.agent.partition("@")[0]} if ":" in scaffold.agent else {}
    return {"protocol": scaffold.protocol, "api": scaffold.api} | tools | own
