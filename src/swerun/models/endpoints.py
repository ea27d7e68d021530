"""Where a model is reached: presets by prefix, or whatever URL the user gives."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

from swerun.errors import InputError
from swerun.records import Sampling

KEY = "OPENAI_API_KEY"
URL = "OPENAI_BASE_URL"
SECRET_LENGTH = 8  # characters; what is shorter in a query is a version or a switch


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model at one address, and how it is asked. `request_timeout` is in seconds.

    `base_url` is for requests alone: it may hold a password, which `address` does not.
    """

    model: str
    base_url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    protocol: str = "tools"
    sampling: Sampling = field(default_factory=Sampling)
    request_timeout: float = 600.0
    is_recorded: bool = False

    @property
    def where(self) -> str:
        return f"{self.model} at {self.address}"

    @property
    def address(self) -> str:
        """The URL as it may be shown and stored: without user, password and query."""
        parts = urlsplit(self.base_url)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=host, query="", fragment="").geturl()

    @property
    def query(self) -> dict[str, str]:
        """What goes with each request, of a URL that ends in `?name=value`."""
        return dict(parse_qsl(urlsplit(self.base_url).query, keep_blank_values=True))

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, where no proxy is between."""
        host = (urlsplit(self.base_url).hostname or "").rstrip(".")
        try:
            address = ip_address(host)
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")
        return address.is_loopback or address.is_unspecified

    def hushed(self, text: str) -> str:
        """`text` without the key and the URL's secrets: some endpoints repeat what they were
        sent, and errors are stored."""
        for secret in sorted(set(self._secrets()), key=len, reverse=True):
            text = text.replace(secret, "[the key]")
        return text

    def _secrets(self) -> Iterator[str]:
        if self.api_key:
            yield self.api_key
        login, at, _ = urlsplit(self.base_url).netloc.rpartition("@")
        user, _, password = login.partition(":")
        if at and (secret := password or user):  # without a password the user is a token
            yield from (secret, unquote(secret))
            yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        yield from (value for value in self.query.values() if len(value) >= SECRET_LENGTH)


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
        shown = "what was given" if {*"@?"} & set(url) else repr(url)  # it may hold a password
        raise InputError(f"{shown} is no URL of an endpoint, as http://localhost:8000/v1")
    return url.rstrip("/")
