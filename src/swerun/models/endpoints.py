"""Where a model is reached: presets by prefix, or whatever URL the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from swerun.errors import InputError
from swerun.records import Sampling

KEY = "OPENAI_API_KEY"
URL = "OPENAI_BASE_URL"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model at one address, and how it is asked. `request_timeout` is in seconds."""

    model: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    protocol: str = "tools"
    sampling: Sampling = field(default_factory=Sampling)
    request_timeout: float = 600.0
    is_recorded: bool = False

    @property
    def where(self) -> str:
        return f"{self.model} at {self.base_url}"

    def hushed(self, text: str) -> str:
        """`text` without the key: some endpoints repeat it, and errors are stored."""
        return text.replace(self.api_key, "[the key]") if self.api_key else text


@dataclass(frozen=True, slots=True)
class Preset:
    """An endpoint that many use. `source` is where its address and its variable are documented."""

    prefix: str
    base_url: str
    key: str | None  # None: it asks for no key
    source: str


PRESETS = (
    Preset("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "platform.openai.com/docs"),
    Preset(
        "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter.ai/docs"
    ),
    Preset("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", "api-docs.deepseek.com"),
    Preset(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
        "alibabacloud.com/help/en/model-studio",
    ),
    Preset("vllm", "http://localhost:8000/v1", None, "docs.vllm.ai"),
    Preset("llamacpp", "http://localhost:8080/v1", None, "github.com/ggml-org/llama.cpp"),
    Preset("ollama", "http://localhost:11434/v1", None, "docs.ollama.com"),
)


def resolve(
    model: str, *, base_url: str | None, api_key_env: str | None, environment: Mapping[str, str]
) -> Endpoint:
    """The endpoint that `model` means.

    With `base_url` the name is sent as it is; else a preset by prefix, which gets its own key and
    no other; else OPENAI_BASE_URL. Raises InputError that names what is missing.
    """
    if base_url:
        return Endpoint(model, _checked(base_url), _key(api_key_env, KEY, environment))
    prefix, _, rest = model.partition("/")
    preset = next((p for p in PRESETS if p.prefix == prefix and rest), None)
    if preset:
        key = _key(api_key_env, preset.key, environment) if preset.key or api_key_env else None
        if preset.key and key is None:
            raise InputError(f"{model} needs a key: set {preset.key}, or name another variable "
                             "with --api-key-env.")  # fmt: skip
        return Endpoint(rest, preset.base_url, key)
    if environment.get(URL):
        return Endpoint(model, _checked(environment[URL]), _key(api_key_env, KEY, environment))
    known = ", ".join(f"{p.prefix}/" for p in PRESETS)
    raise InputError(
        f"where is {model!r}? Give its endpoint with --base-url (or {URL}), or use one of the "
        f"prefixes {known}, or gold, empty or demo/handwritten, which need none."
    )


def _key(named: str | None, usual: str | None, environment: Mapping[str, str]) -> str | None:
    name = named or usual or ""
    key = environment.get(name, "").strip()  # one read from a file may have the end of its line
    if named and not key:
        raise InputError(f"--api-key-env names {named}, and that variable is not set")
    if not (key.isascii() and key.isprintable()):  # no header can carry it, and its error shows it
        raise InputError(f"the key in {name} has characters that no key has: copy it again")
    return key or None


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of brackets, of a port that is no number
        is_one = False
    if not is_one or any(c.isspace() for c in url):
        raise InputError(f"{url!r} is no URL of an endpoint, as http://localhost:8000/v1")
    return url.rstrip("/")
