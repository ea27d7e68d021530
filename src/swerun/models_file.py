"""The models file: the models of a run, each with its endpoint, its sampling and its prices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, ValidationError

from swerun.errors import InputError
from swerun.records import Record, Sampling
from swerun.yaml_files import complaints, read_yaml

PROTOCOL = "^(auto|tools|text|hermes|qwen-xml)$"
API = "^(chat|responses)$"
# as the keys of OpenAI, Anthropic, OpenRouter, Groq, xAI, Google, ... begin, or as they all look
KEY = re.compile(r"(?:sk|pk|gsk|xai|hf|fw|fpk|tgp|nvapi|AIza)[-_]?[\w-]{16,}|[0-9a-fA-F]{32,}")
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"


class Prices(Record):
    """In dollars per million tokens."""

    input: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)  # None: as any other input
    output: float = Field(ge=0)


class Rates(Record):
    """What an endpoint lets one do, of one model."""

    rpm: float | None = Field(default=None, gt=0)
    tpm: float | None = Field(default=None, gt=0)


class ModelEntry(Record):
    """An entry of a models file: a model, where it is, and how it is asked. What is left out is as
    for any other model of the run."""

    name: str = Field(min_length=1)  # what it is called here: by --model, by its run, in reports
    model: str | None = None  # what its endpoint calls it; PRESET/NAME without a base_url
    base_url: str | None = None
    key: str | None = Field(default=None, pattern=VARIABLE)  # the variable that holds the key
    protocol: str | None = Field(default=None, pattern=PROTOCOL)
    api: str | None = Field(default=None, pattern=API)
    stream: bool | None = None
    sampling: Sampling = Sampling()
    extra_body: Mapping[str, JsonValue] = {}
    context: int | None = Field(default=None, gt=0)  # tokens
    prices: Prices | None = None
    limits: Rates = Rates()

    @property
    def asked_for(self) -> str:
        return self.model or self.name

    def sampled(self, given: Sampling) -> Sampling:
        """Its own sampling, over what is given for all. Raises InputError where both say something
        and not the same."""
        own = self.sampling.model_dump(exclude_defaults=True)
        if self.extra_body:
            own["extra_body"] = own.get("extra_body", {}) | dict(self.extra_body)
        theirs = given.model_dump(exclude_defaults=True)
        for key in own.keys() & theirs.keys():
            if own[key] != theirs[key]:
                raise InputError(f"{self.name} has a sampling.{key} of its own in the models file: "
                                 f"{own[key]!r}, not {theirs[key]!r}")  # fmt: skip
        return Sampling(**(theirs | own))


def load_models(file: Path) -> tuple[ModelEntry, ...]:
    """Raises InputError that names the file, the entry and the key, and never what might be a
    secret."""
    read = read_yaml(file, "the models file")
    if not isinstance(read, list) or not read:
        raise InputError(f"the models file {file} is not a list of models, each with its name")
    entries = [_entry(f"{file}: entry {number}", each) for number, each in enumerate(read, 1)]
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"the models file {file} has two models called {name!r}")
    return tuple(entries)


def _entry(where: str, given: object) -> ModelEntry:
    if isinstance(given, dict) and given.get("name"):
        where += f" ({given['name']})"
    for key, text in texts_of(given):
        if looks_secret(text):
            raise InputError(f"{where}: {key}: this looks like a secret, and it is in a file: put "
                             "it into a variable, and the variable's name into `key`")  # fmt: skip
    try:
        return ModelEntry.model_validate(given)
    except ValidationError as error:
        known = [*ModelEntry.model_fields, *_below("sampling", Sampling)]
        known += [*_below("prices", Prices), *_below("limits", Rates)]
        lines = (f"{where}: {said}" for said in complaints(error, known))
        raise InputError("\n".join(lines)) from error


def _below(name: str, record: type[Record]) -> list[str]:
    return [f"{name}.{key}" for key in record.model_fields]


def texts_of(given: object, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts in a value, each with its dotted key."""
    if isinstance(given, str):
        yield key, given
    elif isinstance(given, dict):
        for name, value in given.items():
            yield from texts_of(value, f"{key}.{name}".lstrip("."))
    elif isinstance(given, list):
        for value in given:
            yield from texts_of(value, key)


def looks_secret(text: str) -> bool:
    """Whether it is a key, or a URL with a password or a key in it."""
    if KEY.fullmatch(text):
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and ("@" in parts.netloc or "key=" in parts.query))
