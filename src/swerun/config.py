"""One frozen RunConfig: defaults < file < flags. Unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from swerun.errors import InputError
from swerun.models_file import API, PROTOCOL, ModelEntry, Prices, load_models
from swerun.records import ImageOptions, Limits, Record, Resources, Sampling, Selection
from swerun.yaml_files import complaints, read_yaml

R = TypeVar("R", bound=Record)

UNITS = {"s": 1, "m": 60, "h": 3600}


def _seconds(given: object) -> object:
    """`90`, `90s`, `30m`, `1.5h`; what is none of these is left to be complained about."""
    text = given.strip().lower() if isinstance(given, str) else ""
    if text[-1:] not in UNITS:
        return given
    try:
        return float(text[:-1]) * UNITS[text[-1]]
    except ValueError:
        return given


Seconds = Annotated[float, BeforeValidator(_seconds)]


class Dataset(Record):
    """Which instances are meant: of what, and which of them."""

    subset: str = "sample"
    split: str | None = None  # None: the subset's own, `test` where it has several
    revision: str | None = None  # of a subset on the hub; None: the newest commit
    selection: Selection = Selection()


class RunConfig(Dataset):
    """What a run is asked to do. The defaults are here and nowhere else."""

    model: tuple[str, ...] = Field(min_length=1)
    models: tuple[ModelEntry, ...] = ()
    samples: int = Field(default=1, ge=1)
    stop_when_resolved: bool = False  # no further sample of an instance once one resolved it
    sound_only: bool = False  # only instances that were found sound on this machine
    base_url: str | None = None
    api_key_env: str | None = None
    protocol: str | None = Field(default=None, pattern=PROTOCOL)
    api: str = Field(default="chat", pattern=API)
    stream: bool = False  # True: also where the endpoint does not insist on it
    request_timeout: float = Field(default=600, gt=0)  # seconds
    stall_timeout: float = Field(default=300, gt=0)  # seconds between two parts of a stream
    rpm: float | None = Field(default=None, gt=0)  # requests per minute of one endpoint
    tpm: float | None = Field(default=None, gt=0)  # tokens per minute, in and out
    # seconds of nothing but refusals; a restart of a server with a large model takes 10 minutes
    endpoint_patience: Seconds = Field(default=1800, ge=0)
    sampling: Sampling = Sampling()
    prices: Prices | None = None  # of models that have none of their own in the models file
    budget: float | None = Field(default=None, gt=0)  # dollars, of all that the command runs
    tools: str = Field(default="bash", pattern="^bash(,edit)?$")
    agent: str | None = Field(default=None, pattern=r"^(?:(?s:command:.+)|[\w.]+:\w+)$")
    no_tell_limits: bool = False
    limits: Limits = Limits()
    resources: Resources = Resources()
    images: ImageOptions = ImageOptions()
    network: str = "none"
    grade_network: str | None = None  # None: what the subset asks for
    jobs: int = Field(default=4, ge=1)
    grade_jobs: int | None = Field(default=None, ge=1)  # None: as many as there are cores
    retries: int = Field(default=2, ge=0)  # new attempts after a failure that may pass
    continue_attempts: bool = False  # go on with those that were cut off, from their last step
    confirm: int = Field(default=0, ge=0)  # further runs of a patch whose expected tests fail
    no_cache: bool = False  # run the tests even where they ran for the same patch before
    prompt: Path | None = None
    runs: Path = Path("runs")
    run: str | None = None
    fresh: bool = False
    record: Path | None = None
    cache: Path | None = None


def load_config(file: Path | None, flags: Mapping[str, Any]) -> RunConfig:
    """The configuration of `file` (YAML, or none), under what the flags say.

    `flags` holds only what was given; nested keys are dotted (`limits.steps`). Raises InputError
    that names the file, the key, and the keys that are nearest to it.
    """
    said = _mapping(file) if file else {}
    return laid_over(said, flags, f"{file} and the flags" if file else "the flags")


def laid_over(said: Mapping[str, Any], flags: Mapping[str, Any], where: str) -> RunConfig:
    """The configuration that `said` has (keys of a file, found `where`), under the flags. Raises
    as load_config."""
    merged = deepcopy(dict(said))
    for key, value in flags.items():
        _lay(merged, key.split("."), value)
    if isinstance(merged.get("model"), str):
        merged["model"] = (merged["model"],)
    if isinstance(merged.get("models"), str | Path):
        merged["models"] = load_models(Path(merged["models"]))
        merged.setdefault("model", tuple(entry.name for entry in merged["models"]))
    return checked(RunConfig, merged, where)


def entry_of(name: str, config: RunConfig) -> ModelEntry:
    """What the models file says of `name`; without one, nothing but the name."""
    there = {entry.name: entry for entry in config.models}
    return there.get(name, ModelEntry(name=name))


def of_model(config: RunConfig, name: str) -> RunConfig:
    """`config` as it is for one of its models: what the models file says of that is in the keys
    that flags have. Raises InputError where both say something and not the same."""
    entry = entry_of(name, config)
    own = {
        "base_url": entry.base_url,
        "api_key_env": entry.key,
        "protocol": entry.protocol,
        "api": entry.api,
        "stream": entry.stream,
        "prices": entry.prices,
        "rpm": entry.limits.rpm,
        "tpm": entry.limits.tpm,
    }
    said = {key: value for key, value in own.items() if value is not None}
    context = config.limits.context or entry.context
    limits = config.limits.model_copy(update={"context": context})
    sampling = entry.sampled(config.sampling)
    return config.model_copy(update=said | {"limits": limits, "sampling": sampling})


def checked(kind: type[R], said: Mapping[str, Any], where: str) -> R:
    """`said` as a record. Raises InputError, a line for each key that is wrong."""
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        lines = (f"{where}: {said}" for said in complaints(error, _keys()))
        raise InputError("\n".join(lines)) from error


def cache_folder(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Where caches are kept: what is there can be deleted at any time.

    Raises InputError where no folder is given and there is no HOME to have one.
    """
    if given:
        return given
    if not environment.get("HOME"):
        raise InputError("HOME is not set, so there is no place for caches: name one with --cache")
    return Path(environment["HOME"]) / ".cache" / "swerun"


def _mapping(file: Path) -> dict[str, Any]:
    read = read_yaml(file, "the configuration")
    if not isinstance(read, dict | None):
        raise InputError(f"the configuration {file} is not a mapping of keys to values")
    return read or {}


def _lay(merged: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Set `value` at `path`, but where the file has no mapping on the way, which is told later."""
    at: Any = merged
    *parents, last = path
    for parent in parents:
        at = at.setdefault(parent, {})
        if not isinstance(at, dict):
            return
    at[last] = value


def _keys() -> list[str]:
    nested: dict[str, type[Record]] = {
        "sampling": Sampling,
        "limits": Limits,
        "prices": Prices,
        "resources": Resources,
        "images": ImageOptions,
        "selection": Selection,
    }
    below = [f"{name}.{key}" for name, record in nested.items() for key in record.model_fields]
    return [*RunConfig.model_fields, *below]
