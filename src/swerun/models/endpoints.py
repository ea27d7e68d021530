"""Where a model is reached: presets by prefix, or whatever URL the user gives."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

from swerun.errors import InputError
from swerun.models.presets import PRESETS, Quirks, preset_at, preset_of, quirks_of
from swerun.models_file import looks_secret, texts_of
from swerun.records import Sampling

KEY = "OPENAI_API_KEY"
URL = "OPENAI_BASE_URL"
SECRET_LENGTH = 8  # characters; what is shorter in a query is a version or a switch
# Characters of what is taken out of replies too: a server that wants no key is given any word, and
# a model may say it.
LONG_SECRET = 16


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model at one address, and how it is asked.

    `base_url` is for requests alone: it may hold a password, which `address` does not. Seconds:
    `request_timeout` of a whole request, `stall_timeout` between two parts of a stream.
    """

    model: str
    base_url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    protocol: str = "tools"
    api: str = "chat"
    stream: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    request_timeout: float = 600.0
    stall_timeout: float = 300.0
    rpm: float | None = None  # requests and tokens per minute that it bears, where it is its own
    tpm: float | None = None
    is_recorded: bool = False
    preset: str = ""  # the prefix of the one that it is, however somebody came to it
    quirks: Quirks = field(default_factory=Quirks)

    @property
    def streams(self) -> bool:
        """Whether replies are asked for as streams: where somebody wants it, and where the
        endpoint knows no other way."""
        return self.stream or self.quirks.only_streams

    @property
    def limit(self) -> str:
        """What a request calls the limit on the tokens of its reply."""
        usual = "max_output_tokens" if self.api == "responses" else "max_tokens"
        return self.quirks.names.get(usual, usual)

    @property
    def where(self) -> str:
        return f"{self.model} at {self.address}"

    @property
    def address(self) -> str:
        return address_of(self.base_url)

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

    def hushed(self, text: str, least: int = 1) -> str:
        """`text` without the key and the URL's secrets: some endpoints repeat what they were
        sent, and errors are stored. `least` is how long a secret is that is looked for."""
        for secret in sorted(set(self._secrets()), key=len, reverse=True):
            if len(secret) >= least:
                text = text.replace(secret, "[the key]")
        return text

    def hushed_reply(self, text: str) -> str:
        """The same of what is stored and sent back word by word."""
        return self.hushed(text, LONG_SECRET)

    def _secrets(self) -> Iterator[str]:
        if self.api_key:
            yield self.api_key
        login, at, _ = urlsplit(self.base_url).netloc.rpartition("@")
        user, _, password = login.partition(":")
        if at and (secret := password or user):  # without a password the user is a token
            yield from (secret, unquote(secret))
            yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        yield from (value for value in self.query.values() if len(value) >= SECRET_LENGTH)


def address_of(url: str) -> str:
    """A URL as it may be shown and stored: without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def resolve(
    model: str, *, base_url: str | None, api_key_env: str | None, environment: Mapping[str, str]
) -> Endpoint:
    """The endpoint that `model` means.

    With `base_url` the name is sent as it is; else a preset by prefix, which gets its own key and
    no other; else OPENAI_BASE_URL. Raises InputError that names what is missing.
    """
    if base_url:
        return _at(model, _checked(base_url), _key(api_key_env, KEY, environment))
    prefix, _, rest = model.partition("/")
    preset = preset_of(prefix) if rest else None
    if preset:
        key = _key(api_key_env, preset.key, environment) if preset.key or api_key_env else None
        if preset.key and key is None:
            raise InputError(f"{model} needs a key: set {preset.key}, or name another variable "
                             "with --api-key-env.")  # fmt: skip
        return _at(rest, preset.base_url, key)
    if environment.get(URL):
        return _at(model, _checked(environment[URL]), _key(api_key_env, KEY, environment))
    known = ", ".join(f"{p.prefix}/" for p in PRESETS)
    raise InputError(
        f"where is {model!r}? Give its endpoint with --base-url (or {URL}), or use one of the "
        f"prefixes {known}, or gold, empty or demo/handwritten, which need none."
    )


def refuse_unsendable(endpoint: Endpoint) -> None:
    """Raises InputError for what this endpoint would refuse, or pass over without a word."""
    preset = preset_of(endpoint.preset)
    if preset and endpoint.api not in preset.apis:
        raise InputError(f"{preset.prefix} is asked by --api {' or '.join(preset.apis)}, not by "
                         f"{endpoint.api} ({preset.source})")  # fmt: skip
    lacks = set(endpoint.quirks.lacks) | ({"seed"} if endpoint.api == "responses" else set())
    sampling = endpoint.sampling
    for name in sorted(lacks):
        if getattr(sampling, name) is not None:
            who = endpoint.preset if name in endpoint.quirks.lacks else "the Responses API"
            raise InputError(f"sampling.{name}: {who} has no such thing; leave it out")
    for name, text in texts_of(sampling.extra_body):
        if looks_secret(text) or endpoint.hushed_reply(text) != text:
            raise InputError(
                f"sampling.extra_body: {name} looks like a secret, and what a run asks is written "
                "to run.json: the key goes into a variable (--api-key-env)"
            )
    for name in ("messages", "input", "stream"):
        if name in sampling.extra_body:
            raise InputError(f"sampling.extra_body: `{name}` is what swerun sends itself")


def _at(model: str, base_url: str, key: str | None) -> Endpoint:
    preset = preset_at(base_url)
    prefix = preset.prefix if preset else ""
    return Endpoint(model, base_url, key, preset=prefix, quirks=quirks_of(preset, model))


def _key(named: str | None, usual: str | None, environment: Mapping[str, str]) -> str | None:
    name = named or usual or ""
    key = environment.get(name, "").strip()  # one read from a file may have the end of its line
    if named and not key:
        shown = "a key, and not the variable that holds one" if looks_secret(named) else named
        raise InputError(f"--api-key-env names {shown}, and that variable is not set")
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
